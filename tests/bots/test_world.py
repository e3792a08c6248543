"""Worlds in which everything goes wrong: whatever happens, in the end the bot knows what the venue knows.

After every run and recovery: no order twice, none that nobody wanted, no fill lost or booked twice, every open order,
position and balance as the venue has it, every position that asked for a stop behind one, and a journal that makes the
same bot again.
"""

from __future__ import annotations

import pytest

from tests.bots.world import World

SLICES = 12
QUICK = 300 // SLICES


def broken(seeds: range, minutes: int) -> dict[int, list[str]]:
    found = {}
    for seed in seeds:
        world = World(seed, minutes)
        world.run()
        problems = world.problems()
        if problems:
            found[seed] = problems
    return found


@pytest.mark.parametrize("part", range(SLICES))
def test_three_hundred_worlds(part: int) -> None:
    assert broken(range(part * QUICK, (part + 1) * QUICK), minutes=10) == {}


@pytest.mark.long
@pytest.mark.parametrize("part", range(100))
def test_ten_thousand_worlds(part: int) -> None:
    assert broken(range(10_000 + part * 100, 10_000 + (part + 1) * 100), minutes=30) == {}


def test_the_worlds_have_what_can_go_wrong() -> None:
    kinds, restarts, fills = set(), 0, 0
    for seed in range(25):
        world = World(seed, 12)
        world.run()
        kinds |= {one.fault for one in world.faults.log}
        restarts += len(world.restarted)
        fills += len(world.engine.executions("me", limit=10_000))
    assert {"server_error", "reset", "timeout", "reject", "drop", "duplicate", "delay", "reorder", "latency"} <= kinds
    assert restarts > 15 and fills > 100
