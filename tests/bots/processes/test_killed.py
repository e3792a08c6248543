"""A bot as a process on a practice exchange is killed at random moments, again and again, and recovers each time.

The clock of the exchange runs fast and stands still for each look at the books, so that whatever differs then differs
for good. Moments and faults follow from the seed, as far as the machine lets two runs be alike.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bots.processes.stage import ACCOUNT, Books, Nursery, serving, until

SPEED = 240.0
LATE = {"kind": "lognormal", "ms": 15, "sigma": 1.0, "high": "300ms"}
FAULTS: list[dict[str, Any]] = [
    {"fault": "latency", "latency": LATE},
    {"fault": "reset", "target": ["submit", "cancel", "amend"], "landed": True, "when": {"probability": 0.15}},
    {"fault": "server_error", "target": "submit", "status": 503, "code": -1007, "landed": True,
     "when": {"probability": 0.1}},
    {"fault": "server_error", "target": "any", "status": 502, "when": {"probability": 0.02}},
    {"fault": "timeout", "target": ["submit", "cancel"], "landed": True, "hold": "15s", "when": {"probability": 0.03}},
    {"fault": "rate_limit", "target": "any", "retry_after": "1s", "patience": 3, "ban": "1s",
     "when": {"probability": 0.01}},
    {"fault": "drop", "target": "user", "when": {"probability": 0.3}},
    {"fault": "duplicate", "target": "user", "when": {"probability": 0.1}},
    {"fault": "reorder", "target": "user", "behind": 1, "when": {"probability": 0.1}},
]  # fmt: skip


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as one:
        yield one


def killed_again_and_again(nursery: Nursery, folder: Path, seed: int, kills: int, faults: list[dict[str, Any]]) -> None:
    dice = random.Random(seed)
    with (
        serving(seed, speed=SPEED, minutes=400 + kills * 20, folder=folder / "venue") as (exchange, watch),
        Books(exchange, folder, seed) as books,
    ):
        for session in range(1, kills + 2):
            for rule in faults:
                exchange.call(lambda rule=rule: exchange.faults.add(rule))
            route = str(folder / "venue" / "route.json")
            pid = nursery.start(seed=seed, route=route, folder=str(folder), account=ACCOUNT)
            if session <= kills and dice.random() < 0.25:  # in the middle of its recovery
                time.sleep(dice.uniform(0.0, 0.3))
                nursery.kill(pid)
                continue
            assert nursery.waits(pid, lambda: books.running(pid)), (seed, session, nursery.said(pid, folder))
            exchange.call(exchange.faults.clear)
            watch.stop()
            calm = until_calm(books)
            assert not calm, (seed, session, calm)
            watch.go()
            for rule in faults:
                exchange.call(lambda rule=rule: exchange.faults.add(rule))
            time.sleep(dice.uniform(0.0, 0.9))
            nursery.kill(pid)
        found = books.reader.verify()
        assert found.ok, found
        assert books.booked


def until_calm(books: Books, seconds: float = 20.0) -> list[str]:
    """Wait for the books to be as the venue has it; what is still not so is given."""
    end = time.monotonic() + seconds
    while found := books.problems():
        if time.monotonic() > end:
            break
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("faults", [[], FAULTS], ids=["calm", "faults"])
def test_a_bot_that_is_killed_recovers(nursery: Nursery, tmp_path: Path, faults: list[dict[str, Any]]) -> None:
    killed_again_and_again(nursery, tmp_path, 11, 4, faults)


@pytest.mark.long
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("faults", [[], FAULTS], ids=["calm", "faults"])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_bot_that_is_killed_a_hundred_times_recovers(
    nursery: Nursery, tmp_path: Path, seed: int, faults: list[dict[str, Any]]
) -> None:
    killed_again_and_again(nursery, tmp_path, seed, 25, faults)
