"""A journal in PostgreSQL is the same journal: order, chain, log, one writer, and a server that goes away."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from tests.bots.journal import postgres
from tests.bots.journal.test_journal import STORY, WANTED, told
from workbench.bots.journal import Journal, JournalReader, journal_names, open_journal, read_journal
from workbench.errors import ConfigError, DataError, RunError
from workbench.settings import load_settings
from workbench.trading.events import Marked, Submit

KEY = b"k" * 32
LAST = len(STORY)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgres.server() as found:
        yield found


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return hashlib.sha256(request.node.name.encode()).hexdigest()


def run(url: str, *statements: str) -> Any:
    """Do something to the database with another hand."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        for statement in statements:
            done = connection.execute(text(statement))
        found = done.scalar() if done.returns_rows else done.rowcount
    engine.dispose()
    return found


def test_what_is_written_comes_back_in_order_also_in_the_next_process(url: str, name: str) -> None:
    with Journal.open(url, name, KEY) as journal:
        journal.begin_session({"version": "1"})
        for one in STORY:
            journal.write(one, durable=isinstance(one, Submit))
        journal.log("warning", "system", "a “quoted” line\0", {"number": 1})
        journal.save_snapshot({"money": 1.5})
    with Journal.open(url, name, KEY) as again:
        assert told(again.entries()) == WANTED
        assert again.session == 1 and again.sessions()[0].details == {"version": "1"}
        line = again.logs(level="warning").lines[0]
        assert (line.text, line.fields) == ("a “quoted” line\0", {"number": 1})
        found = again.latest_snapshot()
        assert found is not None and found.data == {"money": 1.5} and again.verify().ok
    with JournalReader.open(url, name, KEY) as reader:
        assert told(reader.entries()) == WANTED and "***" not in reader.where


def test_a_second_writer_is_refused_and_readers_are_not(url: str, name: str) -> None:
    with Journal.open(url, name, KEY) as journal:
        with pytest.raises(RunError, match=r"another process writes the journal"):
            Journal.open(url, name, KEY)
        with JournalReader.open(url, name, KEY) as reader:
            journal.write(STORY[0], True)
            assert told(reader.entries()) == WANTED[:1]
        Journal.open(url, f"{name[:60]}-two", KEY).close()  # another bot is none of its business
    Journal.open(url, name, KEY).close()


def test_it_needs_a_key_and_that_one(url: str, name: str) -> None:
    with pytest.raises(ConfigError, match=r"needs the key of its seals: key=seal_key\(folder\)"):
        Journal.open(url, name)
    Journal.open(url, name, KEY).close()
    with pytest.raises(ConfigError, match="sealed with another key"):
        Journal.open(url, name, b"other")


@pytest.mark.parametrize(
    ("statement", "fault", "position"),
    [
        ("UPDATE bot_entries SET body = replace(body, '1', '2') WHERE position = 5", "changed", 5),
        ("UPDATE bot_entries SET seal = sha256(seal) WHERE position = 5", "appended", 5),
        ("DELETE FROM bot_entries WHERE position = 3", "missing", 3),
        (f"DELETE FROM bot_entries WHERE position >= {LAST - 1}", "cut", LAST - 1),
        ("UPDATE bot_entries SET position = 99 WHERE position = 3", "appended", LAST + 1),
        ("UPDATE bot_journals SET position = 99", "changed", 99),
    ],
)
def test_a_touched_journal_is_refused_with_the_place(
    url: str, name: str, statement: str, fault: str, position: int
) -> None:
    with Journal.open(url, name, KEY) as journal:
        for one in STORY:
            journal.write(one)
    where = f"{'name' if 'bot_journals' in statement else 'journal'} = '{name}'"
    assert run(url, f"{statement} {'AND' if 'WHERE' in statement else 'WHERE'} {where}") > 0
    with JournalReader.open(url, name, KEY) as reader:
        found = reader.verify()
        assert (found.fault, found.position) == (fault, position)
        with pytest.raises(DataError, match="is not as it was written"):
            list(reader.entries())


def test_a_line_that_was_cut_loses_nothing(url: str, name: str) -> None:
    with Journal.open(url, name, KEY) as journal:
        journal.write(STORY[0], True)
        assert run(url, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                        "AND backend_type = 'client backend'") > 0  # fmt: skip
        with pytest.raises(DataError, match="terminating connection due to administrator command") as caught:
            journal.write(STORY[1], True)
        assert caught.value.fields["cause"] == "unreachable"
        journal.write(STORY[2], True)
        assert told(journal.entries()) == WANTED[:3] and journal.verify().ok


def test_a_writer_that_was_cut_off_and_replaced_stops(url: str, name: str) -> None:
    with Journal.open(url, name, KEY) as journal:
        journal.write(STORY[0], True)
        run(url, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                 "AND backend_type = 'client backend'")  # fmt: skip
        with pytest.raises(DataError, match="terminating connection"):
            journal.write(STORY[1], True)
        with Journal.open(url, name, KEY) as other:
            with pytest.raises(RunError, match="another process writes the journal"):
                journal.flush()
            other.write(STORY[2], True)
        with pytest.raises(RunError, match="another process has written the journal"):
            journal.flush()
        journal._waiting.clear()
    with JournalReader.open(url, name, KEY) as reader:
        assert told(reader.entries()) == [WANTED[0], WANTED[2]]


def test_many_bots_begin_at_once_in_an_empty_database(url: str) -> None:
    run(url, "DROP TABLE IF EXISTS bot_snapshots, bot_entries, bot_journals, alembic_version")
    wrong: list[BaseException] = []

    def begin(number: int) -> None:
        try:
            with Journal.open(url, f"bot-{number}", KEY) as journal:
                journal.write(Marked(number, "X", 1.0), True)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert run(url, "SELECT count(*) FROM bot_entries") == 4


def test_a_server_that_is_not_there_is_named_without_the_password(tmp_path: Any) -> None:
    with pytest.raises(DataError, match=r"cannot be used: .*check that the server runs") as caught:
        Journal.open(f"postgresql://desk:hush@/postgres?host={tmp_path}", "demo", KEY)
    assert "hush" not in str(caught.value) and caught.value.fields["cause"] == "unreachable"


def test_the_settings_of_a_workspace_name_the_database(url: str, tmp_path: Path) -> None:
    (tmp_path / "workbench.toml").write_text(f"[bots]\njournal = {url!r}\n")
    settings = load_settings(tmp_path)
    with open_journal("of-settings", settings) as journal:
        journal.write(STORY[0], True)
    assert "of-settings" in journal_names(settings)
    with read_journal("of-settings", settings) as reader:
        assert told(reader.entries()) == WANTED[:1] and reader.verify().ok
    with pytest.raises(DataError, match=r"there is no journal 'nemo' in postgresql.*there are .*of-settings"):
        read_journal("nemo", settings)
    assert sorted(path.name for path in (tmp_path / "data" / "bots").iterdir()) == [".gitignore", "journal.key"]


def test_pruning_and_exporting_are_the_same(url: str, name: str, tmp_path: Path) -> None:
    with Journal.open(url, name, KEY) as journal:
        for one in STORY:
            journal.write(one)
        journal.save_snapshot({}, position=6)
        assert journal.prune(10**15, export=tmp_path) == 6
        assert told(journal.entries(after=6)) == WANTED[6:] and journal.verify().ok
        assert journal.export(tmp_path).name == f"{name}-7-{LAST + 1}.parquet"
