"""A bot that runs for long, with faults: what it holds of memory, files and tasks does not grow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bots.processes.stage import Nursery, Stand
from tests.bots.processes.test_killed import FAULTS

PATIENCE = {"keep_ms": 20_000, "overlap_ms": 5_000}  # a day and ten minutes of a bot whose clock is the venue's


def soaked(nursery: Nursery, folder: Path, *, bars: int, every: int, speed: float) -> list[dict[str, Any]]:
    """Let a bot live through so many bars, and give what it measured meanwhile."""
    with Stand(nursery, folder, 7, speed=speed, minutes=bars + 2_000) as bot:
        for rule in FAULTS:
            bot.exchange.faults.add(rule | {"when": {"probability": 0.01}} if "when" in rule else rule)
        bot.start(every=every, patience=PATIENCE)
        measured = folder / "measured.jsonl"

        def rows() -> list[dict[str, Any]]:
            return [json.loads(line) for line in measured.read_text().splitlines()] if measured.exists() else []

        bot.waits(lambda: rows() and rows()[-1]["bars"] >= bars, f"lived {bars:,} bars", 60.0 + 3 * bars / speed * 60)
        bot.calms(60.0)
        return rows()


def slope(rows: list[dict[str, Any]], name: str) -> float:
    """How much something grows per 1,000 bars."""
    return float(np.polyfit([row["bars"] / 1_000 for row in rows], [row[name] for row in rows], 1)[0])


@pytest.mark.long
def test_a_bot_holds_what_it_held_some_hours_before(nursery: Nursery, tmp_path: Path) -> None:
    rows = soaked(nursery, tmp_path, bars=180, every=10, speed=300.0)
    later = rows[len(rows) // 3 :]
    assert max(row["files"] for row in later) <= later[0]["files"] + 6
    assert max(row["tasks"] for row in later) <= later[0]["tasks"] + 12
    assert later[-1]["queue"] < 200 and later[-1]["told"] < 50


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_a_bot_holds_what_it_held_days_before(nursery: Nursery, tmp_path: Path) -> None:
    rows = soaked(nursery, tmp_path, bars=6_000, every=200, speed=600.0)
    later = rows[len(rows) // 3 :]
    print({name: round(slope(later, name), 1) for name in later[0]}, later[0], later[-1])
    assert slope(later, "rss") < 3e6  # bytes per 1,000 bars
    assert abs(slope(later, "files")) < 1.0 and abs(slope(later, "tasks")) < 1.0
    assert max(row["log"] for row in later) < 8_000_000
    for name in ("lines", "trades", "timers", "queue"):
        assert abs(slope(later, name)) < 50.0, name
