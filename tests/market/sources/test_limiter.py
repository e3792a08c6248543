from __future__ import annotations

import asyncio
import threading
import time

import pytest

from workbench.market.sources.limiter import Limiter, limiter_for


def test_requests_are_spread_by_their_weight() -> None:
    limiter, sent = Limiter(0.01), []

    async def one(weight: float) -> None:
        await limiter.acquire(weight)
        sent.append(time.monotonic())

    async def all_of() -> None:
        await asyncio.gather(*(one(weight) for weight in (1, 3, 1, 1)))

    asyncio.run(all_of())
    offsets = [moment - sent[0] for moment in sent]
    assert all(offset >= due - 1e-4 for offset, due in zip(offsets, (0, 0.01, 0.04, 0.05), strict=True))


def test_threads_with_loops_of_their_own_share_one_allowance() -> None:
    limiter, sent = Limiter(0.004), []

    async def some() -> None:
        for _ in range(10):
            await limiter.acquire()
            sent.append(time.monotonic())

    threads = [threading.Thread(target=lambda: asyncio.run(some())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(sent) - min(sent) >= 29 * 0.004 - 1e-4


def test_a_pause_holds_everybody_and_then_spreads_them_again() -> None:
    limiter, sent = Limiter(0.01), []

    async def one() -> None:
        await limiter.acquire()
        sent.append(time.monotonic())

    async def all_of() -> float:
        await limiter.acquire()
        waiting = [asyncio.ensure_future(one()) for _ in range(3)]
        await asyncio.sleep(0)
        began = time.monotonic()
        limiter.pause(0.1)
        limiter.pause(0.01)  # a shorter one does not end it
        await asyncio.gather(*waiting)
        return began

    began = asyncio.run(all_of())
    offsets = [moment - began for moment in sorted(sent)]
    assert all(offset >= due - 2e-3 for offset, due in zip(offsets, (0.1, 0.11, 0.12), strict=True))


def test_everybody_gets_the_same_limiter_of_a_venue_and_key() -> None:
    one = limiter_for("a-venue", "", rate_limit_ms=50)
    assert limiter_for("a-venue", "", rate_limit_ms=70) is one
    assert limiter_for("a-venue", "a-key", rate_limit_ms=50) is not one
    assert limiter_for("b-venue", "", rate_limit_ms=50, share=0.5).interval_s == pytest.approx(0.11)
    assert "a-key" not in repr(vars(limiter_for("a-venue", "a-key", rate_limit_ms=50)))
