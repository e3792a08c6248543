"""Killing a bot that does not listen: real processes, the real practice exchange, real ccxt."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from tests.bots.brokers.stage import secret
from tests.bots.guard_stage import ACCOUNT, NAME, PERP, SPOT, Nursery, Scene, interrupt, scene, until
from tests.cli.commands import Done, call
from workbench.bots.killing import calm, kill
from workbench.bots.vault import VAULT_FILE, Secret, Vault


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as one:
        yield one


def revive(one: Scene, position: float) -> None:
    """Let the bot go on, and see the guard's executions in its books, though strangers would halt it."""
    calm(one.settings, NAME)
    pid = one.start(revive=True)
    until(lambda: one.last().state == "RUNNING", one.said)
    until(lambda: abs(one.booked() - position) <= 0.001, one.said)  # of a coin its fee and less than a lot may stay
    until(lambda: not list(one.bots.glob("*.killed.json")), one.said)
    os.kill(pid, signal.SIGINT)
    one.ends(pid)
    assert one.last().state == "STOPPED", one.said()
    assert "taken away" not in one.said()  # no stop was placed again for what the guard had closed


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


def command(one: Scene, *words: str) -> Done:
    return call("--workspace", one.folder, "bots", *words)


def test_ctrl_c_twice_reaches_a_bot_that_is_stuck_in_c(
    nursery: Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(nursery, tmp_path) as one:
        pid = one.holds("c")
        order(one, pid, "interrupt", "cancel")
        assert one.ends(pid) == -signal.SIGKILL
        one.check_killed("cancel")  # what protects the position stays
        assert "killed by Ctrl-C" in one.last().reason and "+0.5 BTC/USDT:USDT stays" in one.last().reason
        said = command(one, "kill", NAME)
        assert said.code == 0 and "does not run" in said.err and "--at-venue" in said.err
        keep_key(one, monkeypatch)
        done = command(one, "kill", NAME, "--at-venue", "--flatten")
        assert done.code == 0 and "sell 0.5 BTC/USDT:USDT at the market" in done.out, done
        one.check_killed("flatten")


def keep_key(one: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a vault that has the key of the account."""
    words = one.folder / "words"
    words.write_text("four words that hush\n")
    words.chmod(0o600)
    monkeypatch.setenv("WORKBENCH_VAULT_FILE", str(words))
    vault = Vault.create(one.bots / VAULT_FILE, Secret("four words that hush"), cost=10)
    vault.add("test", "binance", {"key": ACCOUNT, "secret": secret(ACCOUNT)})


@pytest.mark.long
def test_a_stopped_process_with_a_locked_journal_is_closed_out_all_the_same(nursery: Nursery, tmp_path: Path) -> None:
    with scene(nursery, tmp_path) as one:
        pid = one.holds()
        os.kill(pid, signal.SIGSTOP)
        with locked(one):
            done = command(one, "kill", "--all", "--flatten", "--wait", "20")
            assert done.code == 0 and f"{NAME} was killed; a kill file was found" in done.out, (done, one.said())
            one.ends(pid)
            assert (one.position(), one.standing()) == (0.0, []), one.said()
        assert (one.last().state, one.booked()) == ("RUNNING", 0.5)  # the journal could not be told
        assert command(one, "calm", "--all").code == 0
        assert one.nursery.ask(reap=one.start()) == 1  # the file beside it says that it was killed
        one.check_killed("flatten")
        revive(one, 0.0)


@pytest.mark.long
def test_a_bot_that_reacts_is_left_alone_and_a_guard_that_dies_is_replaced(nursery: Nursery, tmp_path: Path) -> None:
    with scene(nursery, tmp_path) as one:
        pid = one.holds(guard={"grace_s": 15.0})
        first = one.ward().guard_pid
        shown = [Path(f"/proc/{first}/{name}").read_text() for name in ("cmdline", "environ")]
        shown += [path.read_bytes().decode(errors="replace") for path in one.bots.iterdir() if path.is_file()]
        assert not [text for text in shown if secret(ACCOUNT) in text]  # it came by a pipe
        os.kill(first, signal.SIGKILL)
        until(lambda: one.ward().guard_pid != first, one.said)
        order(one, pid, "file", "flatten")
        assert one.ends(pid) == 0
        one.check_killed("flatten")
        assert "was lost" in one.said() and one.ward().ended["clean"] is True


WAYS = [
    (mode, by)
    for mode, by in itertools.product(["loop", "c", "sleep", "stopped", "locked"], ["file", "interrupt", "command"])
    if (mode, by) != ("stopped", "interrupt")  # no signal reaches a process that is stopped
]


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("symbol", [PERP, SPOT])
@pytest.mark.parametrize(("mode", "by"), WAYS)
def test_whatever_hangs_it_is_killed(nursery: Nursery, tmp_path: Path, mode: str, by: str, symbol: str) -> None:
    how = "cancel" if by == "interrupt" else "flatten"
    with scene(nursery, tmp_path, symbol) as one:
        pid = one.holds(mode if mode in ("loop", "c", "sleep") else "")
        if mode == "stopped":
            os.kill(pid, signal.SIGSTOP)
        with locked(one) if mode == "locked" else nullcontext():
            if by == "command":
                assert command(one, "kill", NAME, "--flatten", "--wait", "60").code == 0, one.said()
            else:
                order(one, pid, by, how)
            one.ends(pid)
            left = [] if how == "flatten" else ["stop"]
            assert [one.type for one in one.standing()] == left, one.said()
        calm(one.settings, None)
        if mode == "locked" and one.last().state != "KILLED":
            one.nursery.ask(reap=one.start())
        one.check_killed(how)
        revive(one, 0.0 if how == "flatten" else 0.5)


@pytest.mark.long
@pytest.mark.parametrize("how", ["", "cancel", "flatten"])
def test_a_bot_that_dies_unordered_is_treated_as_its_terms_say(nursery: Nursery, tmp_path: Path, how: str) -> None:
    with scene(nursery, tmp_path) as one:
        pid = one.holds(guard={"on_death": how})
        os.kill(pid, signal.SIGKILL)
        one.ends(pid)
        if how:
            one.check_killed(how)
        else:
            assert (one.position(), len(one.standing()), one.last().state) == (0.5, 2, "RUNNING")


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_venue_that_is_out_of_reach_is_tried_until_it_answers(nursery: Nursery, tmp_path: Path) -> None:
    with scene(nursery, tmp_path) as one:
        pid = one.holds("loop")
        one.exchange.cut(stay_down=True)
        order(one, pid, "file", "flatten")
        until(lambda: one.said().count("it is tried again") > 1, one.said)
        assert (one.position(), len(one.standing())) == (0.5, 2)
        one.exchange.restore()
        one.ends(pid)
        one.check_killed("flatten")
