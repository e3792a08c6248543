"""`workbench bots verify|logs|sessions|export|prune`: what a journal says, and that a touched one is refused."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.commands import Command, call
from workbench.bots.journal import journal_names, open_journal
from workbench.errors import ConfigError
from workbench.settings import load_settings
from workbench.trading.events import Marked, Moved, Rejected


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A workspace with a bot that ran twice."""
    (tmp_path / "workbench.toml").write_text("")
    now = iter(range(1_767_225_600_000, 2_000_000_000_000, 1_000))  # a second each from 2026-01-01 on
    with open_journal("demo", load_settings(tmp_path), clock=lambda: next(now)) as journal:
        journal.begin_session({"mode": "paper"})
        journal.write(Moved(0, "RUNNING"))
        journal.write(Marked(0, "BTC/USDT", 1.0))
        journal.write(Rejected(0, "demo-1", "not_found", "gone"))
        journal.log("error", "system", "the feed went away", {"since": 17})
        journal.save_snapshot({})
        journal.end_session("Ctrl-C")
        journal.begin_session()
    return tmp_path


@pytest.fixture
def bots(desk: Path) -> Command:
    return lambda *words: call("--workspace", desk, "bots", *words)


def touch(desk: Path) -> None:
    with closing(sqlite3.connect(desk / "data" / "bots" / "demo.sqlite")) as database, database:
        database.execute("UPDATE bot_entries SET ts = ts + 1 WHERE position = 4")


def test_a_whole_journal_is_verified(bots: Command) -> None:
    done = bots("verify", "demo")
    assert (done.code, done.out, done.err) == (0, "journal 'demo' is whole: 7 entries\n", "")
    assert bots("verify").out == done.out  # all bots
    assert json.loads(bots("verify", "--json").out)[0]["ok"] is True


def test_a_touched_journal_is_refused_with_its_place(bots: Command, desk: Path) -> None:
    touch(desk)
    done = bots("verify")
    assert (done.code, done.out) == (1, "")
    assert done.err == "Error: journal 'demo' is not as it was written: entry 4 was changed\n"
    (told,) = json.loads(bots("verify", "demo", "--json").out)
    assert (told["ok"], told["fault"], told["position"]) == (False, "changed", 4)
    for words in (("logs", "demo"), ("export", "demo", "-o", str(desk)), ("prune", "demo", "--keep-days", "0")):
        done = bots(*words)
        assert done.code == 2 and "entry 4 was changed" in done.err
    assert not list(desk.glob("*.parquet"))


def test_a_journal_that_cannot_be_read_hides_no_other(bots: Command, desk: Path) -> None:
    for name, content in (("aa", b"no database at all, whatever it is called"), ("zz", b"")):
        (desk / "data" / "bots" / f"{name}.sqlite").write_bytes(content)
    done = bots("list")
    assert done.code == 0 and "demo" in done.out and "aa" in done.out, done
    rows = {row["name"]: row for row in json.loads(bots("list", "--json").out)}
    assert list(rows) == ["aa", "demo", "zz"] and rows["demo"]["state"] == "RUNNING" and not rows["demo"]["fault"]
    assert "aa.sqlite" in rows["aa"]["fault"] and rows["zz"]["fault"]
    done = bots("verify")
    assert done.code == 1 and "journal 'demo' is whole" in done.out and "journal 'aa' cannot be read" in done.err, done
    told = json.loads(bots("verify", "--json").out)
    assert [one["ok"] for one in told] == [False, True, False] and told[0]["fault"] == "unreadable"


def test_the_log_is_shown_as_a_page(bots: Command) -> None:
    lines = bots("logs", "demo").lines
    assert lines[0].split() == ["Written", "(UTC)", "Level", "Category", "What"]
    assert [" ".join(line.split()[1:]) for line in lines[1:]] == [
        "info system session 1 begins",
        "info system the bot is RUNNING",
        "warning order order demo-1 was refused, not_found: gone",
        "error system the feed went away (since 17)",
        "info system session 1 ends: Ctrl-C",
        "info system session 2 begins",
    ]
    lines = bots("logs", "demo", "--level", "warning", "--size", "1").lines
    assert "the feed went away" in lines[1] and lines[2] == "page 1 of 2 (2 lines); --page 2 is older"
    told = json.loads(bots("logs", "demo", "--category", "order", "--json").out)
    assert told["total"] == 1 and told["lines"][0]["text"] == "order demo-1 was refused, not_found: gone"
    assert bots("logs", "demo", "--since", "2027-01-01").out == "no such line\n"
    assert bots("logs", "demo", "--until", "2026-01-01T00:00:03").lines[-1].endswith("session 1 begins")
    assert "'loud' is no level" in bots("logs", "demo", "--level", "loud").err


def test_sessions_are_listed(bots: Command) -> None:
    lines = bots("sessions", "demo").lines
    assert lines[1].split()[0] == "1" and lines[1].endswith("Ctrl-C")
    assert lines[2].split()[0] == "2" and lines[2].endswith("runs, or was broken off")
    assert json.loads(bots("sessions", "demo", "--json").out)[0]["details"] == {"mode": "paper"}


def test_old_entries_are_exported_and_removed(bots: Command, desk: Path) -> None:
    assert bots("export", "demo", "--output", desk / "out").out == f"wrote {desk / 'out' / 'demo-1-7.parquet'}\n"
    again = bots("export", "demo", "--output", desk / "out")
    assert again.code == 2 and "demo-1-7.parquet is there already" in again.err and "--force" in again.err
    assert bots("export", "demo", "--output", desk / "out", "--force").code == 0
    assert bots("prune", "demo", "--keep-days", "100000").out.startswith("nothing to remove")
    done = bots("prune", "demo", "--keep-days", "0", "--output", desk / "old")
    assert done.out == "removed 5 entries; the journal begins at entry 6 now\n"
    assert (desk / "old" / "demo-1-5.parquet").is_file() and bots("verify", "demo").code == 0


def test_names_that_are_none_are_told_with_those_that_are(bots: Command, tmp_path: Path) -> None:
    for command in ("verify", "logs", "sessions", "export"):
        done = bots(command, "nemo")
        assert done.code == 2 and "there is no bot 'nemo'" in done.err and "there are demo" in done.err
    assert bots("prune", "nemo", "--keep-days", "1").code == 2
    assert journal_names(load_settings(tmp_path)) == ("demo",)


def test_settings_with_a_password_are_refused_without_showing_it(desk: Path) -> None:
    (desk / "workbench.toml").write_text('[bots]\njournal = "postgresql://me:hush@db.example/bots"\n')
    done = call("--workspace", desk, "bots", "verify", "demo")
    assert done.code == 2 and "has a password in its URL" in done.err and "hush" not in done.err
    with pytest.raises(ConfigError, match=r"put it into ~/\.pgpass"):
        open_journal("demo", load_settings(desk))
