"""Killing a bot that does not listen: real processes, the real practice exchange, real ccxt."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bots.guard_stage import NAME, Nursery, Scene, scene, until
from workbench.bots.killing import calm, kill


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as one:
        yield one


def interrupt(pid: int) -> None:
    for _ in range(2):
        os.kill(pid, signal.SIGINT)


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
