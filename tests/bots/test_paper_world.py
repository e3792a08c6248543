"""A bot on paper that is killed at any moment, its venue with it, finds orders, executions and money as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bots.paper_world import PaperWorld


def broken(seeds: range, folder: Path, minutes: int) -> dict[int, list[str]]:
    found, restarts, fills = {}, 0, 0
    for seed in seeds:
        world = PaperWorld(seed, folder, minutes)
        world.run()
        if problems := world.problems():
            found[seed] = problems
        restarts += world.restarts
        fills += len(world.broker.venue.orders.fills)
        world.end()
    assert restarts >= len(seeds) // 2 and fills >= len(seeds)
    return found


def test_worlds_of_kills(tmp_path: Path) -> None:
    assert broken(range(20), tmp_path, 10) == {}


@pytest.mark.long
@pytest.mark.parametrize("part", range(20))
def test_many_worlds_of_kills(tmp_path: Path, part: int) -> None:
    assert broken(range(1_000 + part * 50, 1_050 + part * 50), tmp_path, 30) == {}
