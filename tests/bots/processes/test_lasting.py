"""A bot as a process that runs for long at a venue that errs: its memory, files, threads and tasks do not grow.

It is the whole bot: runner, feeds, broker and ccxt over real sockets, with its journal on disk. The clock is moved on
as soon as the bot is at rest.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.bots.processes.lasting import Hand
from tests.bots.processes.stage import Nursery, Stand
from tests.bots.soak import grown, slopes
from tests.bots.world import MINUTE

FAULTS: list[dict[str, Any]] = [
    {"fault": "latency", "latency": {"kind": "lognormal", "ms": 15, "sigma": 1.0, "high": "300ms"}},
    {"fault": "reset", "target": ["submit", "cancel", "amend"], "landed": True, "when": {"probability": 0.02}},
    {"fault": "reset", "target": "any", "when": {"probability": 0.005}},
    {"fault": "server_error", "target": "submit", "status": 503, "code": -1007, "landed": True,
     "when": {"probability": 0.02}},
    {"fault": "server_error", "target": "any", "status": 502, "when": {"probability": 0.01}},
    {"fault": "garbage", "target": "any", "kind": "truncated", "when": {"probability": 0.002}},
    {"fault": "timeout", "target": ["submit", "cancel"], "landed": True, "hold": "15s", "when": {"probability": 0.001}},
    {"fault": "disconnect", "target": "any", "when": {"probability": 0.0005}},
    {"fault": "drop", "target": "user", "when": {"probability": 0.1}},
    {"fault": "duplicate", "target": "user", "when": {"probability": 0.05}},
    {"fault": "reorder", "target": "user", "behind": 1, "when": {"probability": 0.05}},
]  # fmt: skip


BAR = 15 * MINUTE
REGISTER = "runner.broker.register."
"""The last 20,000 orders, which is more than a bot has in a month of these bars."""


def lasts(nursery: Nursery, folder: Path, bars: int, every: int) -> list[dict[str, float]]:
    """Run a bot for so many bars of a quarter of an hour, and give what it held after each `every`."""
    with Stand(nursery, folder, 21, speed=0.0, minutes=18 * bars + 60, timeframe="15m") as bot:
        hand = Hand(folder / "hand")
        hand.moved(bot.exchange.now)
        bot.start(
            hand=str(folder / "hand"), every_ms=every * BAR, pace={"look_s": 300, "mark_s": 20},
            patience={"land_ms": 10_000},
        )  # fmt: skip
        bot.runs()
        for rule in FAULTS:
            bot.exchange.faults.add(rule)

        def passes(ms: int) -> None:
            bot.exchange.advance(ms)
            hand.moved(bot.exchange.now)

        for _ in range(bars):
            passes(BAR)
            since, end = bot.exchange.now, time.monotonic() + 60.0
            while hand.rested < since:
                assert bot.alive, bot.said()
                assert time.monotonic() < end, f"{bot} does not come to rest: {bot.said()}"
                passes(200)
                time.sleep(0.002)
        bot.exchange.call(bot.exchange.faults.clear)
        end = time.monotonic() + 30.0
        while found := bot.books.problems():
            assert time.monotonic() < end, found
            passes(200)
            time.sleep(0.02)
        assert bot.books.reader.verify().ok
        assert len(bot.books.booked) > bars / 20 and len(bot.exchange.faults.log) > bars / 5
    return [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]


def most(rows: list[dict[str, float]], what: str) -> float:
    return max(row[what] for row in rows)


def test_some_hours_leave_no_file_task_or_thread_behind(nursery: Nursery, tmp_path: Path) -> None:
    rows = lasts(nursery, tmp_path, 24, 3)
    assert len(rows) >= 6
    for what in ("files", "tasks", "threads"):
        assert most(rows[4:], what) <= most(rows[:4], what) + 3, [row[what] for row in rows]


@pytest.mark.long
@pytest.mark.timeout(7_200)
def test_a_month_leaves_nothing_behind(nursery: Nursery, tmp_path: Path) -> None:
    rows = lasts(nursery, tmp_path, 30 * 96, 48)
    third = len(rows) // 3
    assert third >= 18
    found = slopes(rows[10:])
    print({name: round(value) for name, value in sorted(found.items(), key=lambda one: -one[1])[:12]})
    for what in ("files", "tasks", "threads", "rss", "objects"):
        print(what, [round(most(part, what)) for part in (rows[:third], rows[third:-third], rows[-third:])])
    assert {name for name in grown(rows, 1.2, 20_000.0) if REGISTER not in name} == set()
    for what in ("files", "tasks", "threads"):
        assert most(rows[-third:], what) <= most(rows[:-third], what) + 3
    assert most(rows[-third:], "rss") <= 1.1 * most(rows[third:-third], "rss")
