"""The quick start: a state that was kept and what came after it make the same bot as the whole journal does."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bots.quick_stage import Crosses, Remembers, Story
from tests.bots.world import World
from workbench.bots.clerk import Clerk
from workbench.bots.mind import Mind
from workbench.bots.shell import Shell
from workbench.trading.events import Bar, Learnt, Rated, to_plain
from workbench.trading.minding import Minder


def shell_of(world: World, wrote: list[Any]) -> Shell:
    mind = Mind(world._plan, name=f"fidget {world.seed}")
    mind.core.minder = Minder(mind.core)
    return Shell(mind, Clerk(mind.core.markets), lambda entry, durable: wrote.append(to_plain(entry)))


def told(shell: Shell, wrote: list[Any]) -> str:
    """All that a shell is, wants and asks, as text."""
    shell.recalled.let_go(shell.mind.core.now, shell.clerk.seen)
    shell.clerk._forget(min([one.made for one in shell.clerk.lines.values()] + [shell.now]) - 86_400_000)
    shell.clerk.forgotten = 0  # a shell that was kept has forgotten earlier what another forgets now
    state = [shell.snapshot(), shell.clerk.snapshot(), shell.mind.sums(), sorted(shell.timers)]
    return json.dumps([state, [repr(one) for one in shell.requests], wrote], sort_keys=True)


@pytest.mark.parametrize("seed", range(4))
def test_a_snapshot_and_the_whole_journal_make_the_same_bot_at_any_cut(seed: int) -> None:
    world = World(seed * 2 + 1, 12)
    world.run()
    entries = world.entries()
    now, moments = world.now, np.random.default_rng(seed)
    for cut in sorted(moments.integers(2, len(entries), 8).tolist()):
        wrote: list[Any] = []
        whole = shell_of(world, wrote)
        whole.recover(entries[:cut], now)
        keeps = int(moments.integers(1, cut))
        before, left = at_rest(world, entries[:keeps], now)
        while left:  # between two events all that was wanted is written down
            keeps -= 1
            before, left = at_rest(world, entries[:keeps], now)
        data = json.loads(json.dumps({"sums": before.mind.sums(), **before.snapshot()}))
        again: list[Any] = []
        quick = shell_of(world, again)
        assert quick.mind.refill(
            [one for one in entries[:keeps] if isinstance(one, (Bar, Learnt, Rated))], data["sums"]
        )
        quick.restore(data)
        quick.recover(entries[keeps:cut], now)
        assert told(quick, again) == told(whole, wrote), (cut, keeps)


def at_rest(world: World, entries: list[Any], now: int) -> tuple[Shell, int]:
    """What some entries make, before it does anything new; and how much was wanted and is not among them."""
    shell = shell_of(world, [])
    shell._heed = shell._carry = lambda said: None  # type: ignore[assignment,method-assign]
    return shell, shell.recover(entries, now)


def test_the_worlds_take_up_snapshots() -> None:
    found = 0
    for seed in range(0, 24, 2):
        world = World(seed, 10)
        world.run()
        found += len(world.restarted) > 0 and len(world.kept) > 0
        assert world.problems() == []
    assert found > 3


# with a real journal


def test_a_signal_strategy_is_asked_only_at_what_came_after_the_snapshot(tmp_path: Path) -> None:
    story = Story(tmp_path)
    story.lives(0, 120)
    assert story.quick.keep()
    story.lives(120, 170)
    before, asked = story.state(), Crosses.asked
    assert list(story.journal.entries(kinds=["Filled"])) and story.shell.recalled.timers
    assert "taken up as of entry" in story.again()
    assert Crosses.asked - asked == 50 + 1  # and once as the plan is laid out
    quick = story.state()
    assert quick == before
    story.lives(170, 200)
    after = story.state()
    assert "taken up" in story.again() and story.state() == after
    story.journal.close()


def test_what_no_longer_fits_is_not_taken_up_and_the_whole_journal_is(tmp_path: Path) -> None:
    story = Story(tmp_path)
    story.lives(0, 100)
    story.quick.keep()
    story.lives(100, 120)
    before = story.state()
    data = story.journal.latest_snapshot().data
    for change, why in (
        ({"making": "other"}, "strategy, settings or workbench have changed"),
        ({"format": 99}, "of format 99"),
        ({"sums": {**data["sums"], f"{story.bars.symbol} 1m": [80, "other"]}}, "not those that it was made on"),
        ({"sums": story.shell.mind.sums(), "mind": {**data["mind"], "account": {"version": 99}}}, "cannot be read"),
    ):
        story.journal.save_snapshot({**data, **change})
        said = story.again()
        assert "taken up as of entry" in said and why in said and story.logs[-1][0] == "warning"
        assert story.state() == before
    story.journal.close()


def test_a_snapshot_that_another_hand_changed_is_passed_over(tmp_path: Path) -> None:
    story = Story(tmp_path)
    story.lives(0, 60)
    story.quick.keep()
    before = story.state()
    story.journal.close()
    with sqlite3.connect(tmp_path / "quick.sqlite") as database:
        database.execute("UPDATE bot_snapshots SET body = replace(body, '10000', '20000')")
    database.close()
    story.open(Crosses())
    story.quick.recover(0)
    assert "made again" in story.logs[-1][1] and "was changed" in story.logs[-1][1]
    assert story.state() == before
    story.journal.close()


def test_what_a_strategy_remembers_must_be_plain_to_be_kept(tmp_path: Path) -> None:
    story = Story(tmp_path, Remembers())
    story.lives(0, 40)
    assert not story.quick.keep() and "view.memory" in story.logs[-1][1]
    before = story.state()
    assert "made again" in story.again(Remembers()) and story.state() == before
    story.journal.close()
