"""What a guard says at a terminal, and what `workbench bots list` learns of it, while its bot hangs and afterwards."""

from __future__ import annotations

import os
import pty
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.commands import call
from workbench.bots.guard import Guard
from workbench.bots.guard_terms import GuardTerms
from workbench.bots.guard_ward import Ward, birth_of
from workbench.bots.journal import bots_folder, open_journal
from workbench.settings import load_settings
from workbench.trading.events import Moved


class Terminal(NamedTuple):
    """A terminal on which standard error is, and what came to it."""

    ours: int

    def said(self) -> str:
        return os.read(self.ours, 65_536).decode()


@contextmanager
def at_terminal() -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    with os.fdopen(theirs, "w") as stream, redirect_stderr(stream):
        yield Terminal(ours)
    os.close(ours)


def guard_of(folder: Path, terms: GuardTerms) -> Guard:
    """A guard of this process, which is its own bot and guard."""
    pid, born = os.getpid(), birth_of(os.getpid())
    ward = Ward("hung", str(folder), [], pid, born, str(folder / "hung.sqlite"), "hung", guard_pid=pid, guard_born=born)
    ward.write()
    return Guard(ward, terms, None, -1)


def test_a_guard_leaves_a_picture_alone_until_its_bot_is_dead(tmp_path: Path) -> None:
    with at_terminal() as terminal:
        guard = guard_of(tmp_path, GuardTerms(panel=True))
        guard.say("it gives no sign of life")
        told = terminal.said()
        assert "guard of hung: it gives no sign of life" in told and "\n" not in told  # over a line of the picture
        assert told.startswith("\0337") and told.endswith("\0338")
        guard.ward.pid = 0
        guard.say("it was ended")
        told = terminal.said()
        assert told.replace("\r", "").startswith("\n\033[?25h(the picture above is of the past)\nguard of hung: it was")
        guard.say("and it is over")
        assert terminal.said().strip() == "guard of hung: and it is over"


def test_a_running_bot_that_hangs_is_listed_as_such(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "workbench.toml").touch()
    settings = load_settings(tmp_path)
    with open_journal("hung", settings) as journal:
        journal.begin_session({})
        journal.write(Moved(1, "RUNNING"), durable=True)
        guard = guard_of(bots_folder(settings), GuardTerms())
        guard.heard -= 47.0
        assert guard._given_up_on(time.monotonic()) == ""
        (row,) = call("--workspace", tmp_path, "bots", "list", "--json").json()
        assert row["running"] and 47.0 <= row["silent_s"] < 60.0
        assert "RUNNING, no sign of life for 4" in call("--workspace", tmp_path, "bots", "list").out
        guard._take({})
        (row,) = call("--workspace", tmp_path, "bots", "list", "--json").json()
        assert row["running"] and row["silent_s"] is None
    assert "no sign of life for 47 s" in capfd.readouterr().err
