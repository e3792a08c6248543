"""A bot as a process on a clock that is moved by hand, bar by bar as it comes to rest, and what it holds meanwhile.

Both clocks are one number in a file that the test and the bot share, so that a month of market time takes as long as
the bot has to do, and no clock is ahead of another.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import json
import mmap
import struct
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from tests.bots.soak import ROOMS, weigh
from tests.bots.world import MINUTE, T0
from workbench.bots.runner import Runner
from workbench.bots.runner_reconciling import under_way

__all__ = ["Hand", "measured"]

_NOW, _RESTED = 0, 8


class Hand:
    """The time, and as of when the bot was last at rest (ms UTC), shared by a file."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(16))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 16)

    def _read(self, place: int) -> int:
        return int(struct.unpack_from("q", self._map, place)[0])

    def now(self) -> int:
        return self._read(_NOW)

    def moved(self, ts: int) -> None:
        struct.pack_into("q", self._map, _NOW, ts)

    def rests(self, ts: int) -> None:
        struct.pack_into("q", self._map, _RESTED, ts)

    @property
    def rested(self) -> int:
        return self._read(_RESTED)


def measured(hand: Hand, runner: Runner, feeds: list[Any], order: dict[str, Any]) -> list[Coroutine[Any, Any, None]]:
    """What goes on beside a bot: it says when it is at rest, and notes what it holds each time so much has passed."""
    return [_rest(hand, runner), _measure(hand, runner, feeds, Path(order["folder"]) / "rows.jsonl", order["every_ms"])]


async def _rest(hand: Hand, runner: Runner) -> None:
    while True:
        now = hand.now()
        busy = runner.asking or runner.shell.requests or under_way(runner.shell.clerk)
        if runner.state == "RUNNING" and runner.market.caught_up(now) and not busy:
            hand.rests(now)
        await asyncio.sleep(0.001)


async def _measure(hand: Hand, runner: Runner, feeds: list[Any], rows: Path, every_ms: int) -> None:
    upto = hand.now() + every_ms
    while True:
        if hand.now() >= upto and hand.rested >= upto:
            upto += every_ms
            with rows.open("a") as file:
                file.write(json.dumps(_row(hand, runner, feeds)) + "\n")
        await asyncio.sleep(0.002)


def _give_back() -> None:
    """Have the allocator of C give free memory back, so that only what is held counts."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _row(hand: Hand, runner: Runner, feeds: list[Any]) -> dict[str, float]:
    gc.collect()
    _give_back()
    mine, everything = psutil.Process(), gc.get_objects()
    kinds = Counter(type(one).__name__ for one in everything if str(type(one).__module__).startswith(ROOMS))
    held = weigh(runner=runner, feeds=feeds)
    return {
        "bars": (hand.now() - T0) / MINUTE,
        "rss": float(mine.memory_info().rss), "files": float(mine.num_fds()), "threads": float(mine.num_threads()),
        "tasks": float(len(asyncio.all_tasks())), "objects": float(len(everything)), "total": float(held.total()),
        **held, **{f"a {kind}": float(count) for kind, count in kinds.items()},
    }  # fmt: skip
