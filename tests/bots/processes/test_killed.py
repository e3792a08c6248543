"""A bot as a process on a practice exchange is killed at random moments, again and again, and recovers each time.

The clock of the exchange runs fast and stands still for each look at the books, so that whatever differs then differs
for good. Moments and faults follow from the seed, as far as the machine lets two runs be alike.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.bots.processes.stage import Nursery, Stand

SPEED = 120.0
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


def killed_again_and_again(nursery: Nursery, folder: Path, seed: int, kills: int, faults: list[dict[str, Any]]) -> None:
    dice = random.Random(seed)
    with Stand(nursery, folder, seed, speed=SPEED, minutes=400 + kills * 20) as bot:

        def goes_wrong() -> None:
            for rule in faults:
                bot.exchange.faults.add(rule)

        for session in range(1, kills + 2):
            goes_wrong()
            bot.start()
            if session <= kills and dice.random() < 0.25:  # in the middle of its recovery
                time.sleep(dice.uniform(0.0, 0.3))
                bot.kill()
                continue
            bot.runs()
            if session > kills:
                bot.waits(bot.books.has_traded, "traded")
            bot.calms()
            bot.watch.go()
            goes_wrong()
            time.sleep(dice.uniform(0.0, 0.9))
            bot.kill()
        found = bot.books.reader.verify()
        assert found.ok, found


@pytest.mark.parametrize("faults", [[], pytest.param(FAULTS, marks=pytest.mark.long)], ids=["calm", "faults"])
def test_a_bot_that_is_killed_recovers(nursery: Nursery, tmp_path: Path, faults: list[dict[str, Any]]) -> None:
    killed_again_and_again(nursery, tmp_path, 11, 3, faults)


@pytest.mark.long
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("faults", [[], FAULTS], ids=["calm", "faults"])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_a_bot_that_is_killed_two_hundred_times_in_all_recovers(
    nursery: Nursery, tmp_path: Path, seed: int, faults: list[dict[str, Any]]
) -> None:
    killed_again_and_again(nursery, tmp_path, seed, 25, faults)
