"""Killing a bot that does not listen: real processes, the real practice exchange, real ccxt."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bots.guard_stage import NAME, Nursery, Scene, interrupt, scene, until
from workbench.bots.killing import calm, kill


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as one:
        yield one


def revive(one: Scene, position: float) -> None:
    """Let the bot go on, and see the guard's executions in its books, though strangers would halt it."""
    calm(one.settings, NAME)
    pid = one.start(revive=True)
    until(lambda: one.last().state == "RUNNING", one.said)
    until(lambda: one.booked() == position, one.said)
    until(lambda: not list(one.bots.glob("*.killed.json")), one.said)
    os.kill(pid, signal.SIGINT)
    one.ends(pid)
    assert one.last().state == "STOPPED", one.said()


def test_a_bot_whose_strategy_hangs_is_closed_out_by_its_guard(nursery: Nursery, tmp_path: Path) -> None:
    with scene(nursery, tmp_path) as one:
        pid = one.holds("loop")
        kill(one.settings, NAME, flatten=True)
        one.ends(pid)
        one.check_killed("flatten")
        revive(one, 0.0)


@contextmanager
def locked(one: Scene) -> Iterator[None]:
    """Hold the journal's database as another program would."""
    connection = sqlite3.connect(one.bots / f"{NAME}.sqlite", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def order(one: Scene, pid: int, by: str, how: str) -> None:
    """Have a bot killed in one of the three ways."""
    if by == "interrupt":
        interrupt(pid)
    elif by == "all":
        kill(one.settings, None, flatten=how == "flatten")
    else:
        kill(one.settings, NAME, flatten=how == "flatten")


def test_ctrl_c_twice_reaches_a_bot_that_is_stuck_in_c(nursery: Nursery, tmp_path: Path) -> None:
    with scene(nursery, tmp_path) as one:
        pid = one.holds("c")
        order(one, pid, "interrupt", "cancel")
        assert one.ends(pid) == -signal.SIGKILL
        one.check_killed("cancel")  # what protects the position stays
        assert "killed by Ctrl-C" in one.last().reason and "+0.5 BTC/USDT:USDT stays" in one.last().reason


def test_a_stopped_process_with_a_locked_journal_is_closed_out_all_the_same(nursery: Nursery, tmp_path: Path) -> None:
    with scene(nursery, tmp_path) as one:
        pid = one.holds()
        os.kill(pid, signal.SIGSTOP)
        with locked(one):
            order(one, pid, "all", "flatten")
            one.ends(pid)
            assert (one.position(), one.standing()) == (0.0, []), one.said()
        assert (one.last().state, one.booked()) == ("RUNNING", 0.5)  # the journal could not be told
        calm(one.settings, None)
        assert one.nursery.ask(reap=one.start()) == 1  # the file beside it says that it was killed
        one.check_killed("flatten")
        revive(one, 0.0)


def test_a_bot_that_reacts_is_left_alone(nursery: Nursery, tmp_path: Path) -> None:
    with scene(nursery, tmp_path) as one:
        pid = one.holds(guard={"grace_s": 15.0})
        order(one, pid, "file", "flatten")
        assert one.ends(pid) == 0
        one.check_killed("flatten")
        assert "guard" not in one.said() and one.ward().ended["clean"] is True
