"""A bot as a process whose database is held by another program, or whose disk is full: it waits, gives up, recovers."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bots.processes.stage import MINUTE, Nursery, Stand

pytestmark = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs prlimit and /proc, so Linux")


@contextmanager
def held(bot: Stand) -> Iterator[None]:
    """Hold the database, as a program does that writes into it and does not come to an end."""
    with closing(sqlite3.connect(bot.books.place, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def full(bot: Stand) -> Iterator[None]:
    """Let no file of the bot be written beyond its first page, as on a full disk."""
    before = resource.prlimit(bot.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (4_096, before[1]))
    try:
        yield
    finally:
        if bot.alive:
            resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, before)


def minutes_pass(bot: Stand, count: int) -> None:
    """Let minutes pass at the venue, whatever the bot does."""
    upto = bot.exchange.now + count * MINUTE
    bot.waits(lambda: bot.exchange.now >= upto, f"lived {count} minutes")


@pytest.mark.parametrize("refuses", [held, pytest.param(full, marks=pytest.mark.long)])
def test_a_database_that_refuses_for_a_while_is_waited_for(nursery: Nursery, tmp_path: Path, refuses: Any) -> None:
    with Stand(nursery, tmp_path, 5) as bot:
        bot.start()
        bot.runs()
        bot.waits(lambda: bot.books.problems() == [] and bot.books.booked, "traded")
        before, sent = bot.books.read, bot.orders()
        with refuses(bot):
            minutes_pass(bot, 4)
            there = bot.orders()
            bot.books.follow()
            assert bot.books.read - before < 20 and len(there) <= len(sent) + 2  # what was under way, and nothing new
        bot.waits(lambda: bot.books.problems() and bot.books.read > before + 20, "gone on")
        bot.calms()


@pytest.mark.parametrize("refuses", [full, pytest.param(held, marks=pytest.mark.long)])
def test_a_database_that_refuses_for_too_long_ends_the_bot_with_its_stop_standing(
    nursery: Nursery, tmp_path: Path, refuses: Any
) -> None:
    with Stand(nursery, tmp_path, 5) as bot:
        bot.start(pace={"give_up_s": 0.5})
        bot.runs()
        bot.waits(bot.protected, "opened a position")
        with refuses(bot):
            assert bot.ends() == 1
            bot.books.follow()
            own = {bot.books.names.read(one)[0] for one in bot.orders()}
            assert own <= set(bot.books.wanted)  # nothing went out whose intent is not on disk
        assert "cannot be used" in bot.said()
        bot.watch.stop()
        assert bot.protected() or not bot.held()
        bot.watch.go()
        bot.start()
        bot.runs()
        bot.calms()
        assert bot.books.reader.verify().ok
