"""`workbench bots list` on a terminal of 80 columns: no word is broken, and none at the end of a run."""

from __future__ import annotations

import os
import pty
import re
from contextlib import redirect_stdout
from pathlib import Path

from tests.cli.commands import on_terminal
from workbench.bots.journal import open_journal
from workbench.cli.console import say
from workbench.settings import load_settings
from workbench.trading.events import Moved


def test_the_list_breaks_no_word_on_a_narrow_terminal(tmp_path: Path) -> None:
    (tmp_path / "workbench.toml").touch()
    series = [{"symbol": "BTC/USDT:USDT", "timeframe": "1m"}]
    spec = {"strategy": "sma_cross", "mode": "paper", "venue": "practice-binance", "series": series}
    clock = 1_795_953_910_123
    for name, state in (("dry", "RUNNING"), ("abcdefghijkl", "CIRCUIT_OPEN")):
        with open_journal(name, load_settings(tmp_path), clock=lambda: clock) as journal:
            journal.begin_session({"spec": spec})
            journal.write(Moved(1, state), durable=True)
    code, said = on_terminal("bots", "list", cwd=tmp_path, columns=80)
    said = re.sub("\033\\[[0-9;]*m", "", said)
    assert code == 0 and all(len(line) <= 80 for line in said.splitlines()), said
    words = {"abcdefghijkl", "sma_cross", "BTC/USDT:USDT", "1m", "practice-binance", "CIRCUIT_OPEN,", "2026-11-29"}
    assert words <= set(said.split()), said


def test_what_is_said_at_the_end_breaks_between_words() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream, redirect_stdout(stream):
        say(" ".join(["somewords"] * 30), "bold", wrap=True)
        stream.flush()
        said = re.sub("\033\\[[0-9;]*m", "", os.read(ours, 65_536).decode())
    os.close(ours)
    assert len(said.splitlines()) == 4 and set(said.split()) == {"somewords"}, said
