"""A journal that another hand has touched is refused, and the place is named."""

from __future__ import annotations

import itertools
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.bots.journal.test_journal import STORY
from workbench.bots.journal import Journal, JournalReader
from workbench.bots.journal.chain import Entry, linked
from workbench.errors import DataError, WorkbenchError
from workbench.trading.events import CancelOrder

COLUMNS = "ts recorded session kind category level version body previous hash seal".split()
LAST = len(STORY)
SMALL = 1 + next(at for at, one in enumerate(STORY) if isinstance(one, CancelOrder))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("whole") / "demo.sqlite"
    with Journal.open(place, "demo") as journal:
        for one in STORY:
            journal.write(one)
        journal.save_snapshot({"money": 10_000, "positions": [1, 2]}, position=7)
    return place


@pytest.fixture
def place(whole: Path, tmp_path: Path) -> Path:
    for path in (whole, whole.with_name("journal.key")):
        shutil.copy2(path, tmp_path)
    return tmp_path / whole.name


def change(place: Path, *statements: Any) -> None:
    with closing(sqlite3.connect(place)) as database, database:
        for statement, *values in statements:
            assert database.execute(statement, values).rowcount > 0


def assert_refused(place: Path, fault: str, position: int, text: str) -> None:
    """The check, the reading and the writing of it all say so."""
    with JournalReader.open(place, "demo") as reader:
        found = reader.verify()
        assert (found.fault, found.position) == (fault, position) and text in found.text and not found.ok
        assert str(found).startswith("journal 'demo' is not as it was written: ")
        with pytest.raises(DataError, match=r"is not as it was written.*Put back a copy of your backup") as caught:
            list(reader.entries())
        assert (caught.value.fields["fault"], caught.value.fields["position"]) == (fault, position)


def cells(place: Path) -> Iterator[tuple[int, str, Any]]:
    with closing(sqlite3.connect(place)) as database:
        for row in database.execute(f"SELECT position, {', '.join(COLUMNS)} FROM bot_entries ORDER BY 1"):
            for name, value in zip(COLUMNS, row[1:], strict=True):
                yield row[0], name, value


def variants(value: Any) -> Iterator[Any]:
    """The same with each of its bytes changed, and some that are of other sizes or types."""
    if isinstance(value, int):
        yield from (value + 1, -value - 1, None, "")
    elif isinstance(value, bytes):
        yield from (value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :] for at in range(len(value)))
        yield from (b"", value[:-1], value + b"\0")
    else:
        yield from (value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :] for at in range(len(value)))
        yield from (value + " ", " " + value)


def test_it_is_whole_to_begin_with(place: Path) -> None:
    with JournalReader.open(place, "demo") as reader:
        assert str(reader.verify()) == f"journal 'demo' is whole: {LAST} entries"


def test_any_byte_of_any_column_of_an_entry(place: Path) -> None:
    picked = random.Random(1)
    with JournalReader.open(place, "demo") as reader, closing(sqlite3.connect(place)) as database:
        for position, name, value in list(cells(place)):
            tried = list(variants(value))
            for one in tried if position == SMALL else picked.sample(tried, 1):
                null = one is None
                with database:
                    try:
                        database.execute(f"UPDATE bot_entries SET {name} = ? WHERE position = ?", (one, position))
                    except sqlite3.IntegrityError:
                        assert null  # the table itself refuses it
                        continue
                found = reader.verify()
                assert not found.ok and found.position == position, (position, name, one)
                assert found.fault in ("changed", "swapped", "appended")
                with database:
                    database.execute(f"UPDATE bot_entries SET {name} = ? WHERE position = ?", (value, position))
        assert reader.verify().ok


@pytest.mark.parametrize("position", [1, 5, LAST - 1])
def test_a_removed_entry(place: Path, position: int) -> None:
    change(place, ("DELETE FROM bot_entries WHERE position = ?", position))
    assert_refused(place, "missing", position, f"entry {position} is missing")


def test_a_removed_entry_whose_followers_moved_up(place: Path) -> None:
    change(
        place,
        ("DELETE FROM bot_entries WHERE position = 5",),
        *(("UPDATE bot_entries SET position = ? WHERE position = ?", at - 1, at) for at in range(6, LAST + 1)),
    )
    assert_refused(place, "swapped", 5, "at place 5 lies entry 6: entries were swapped or taken out")


@pytest.mark.parametrize("kept", [0, 1, LAST - 1])
def test_an_end_that_was_cut_off(place: Path, kept: int) -> None:
    change(place, ("DELETE FROM bot_entries WHERE position > ?", kept))
    assert_refused(place, "cut", kept + 1, f"the end is missing: entries {kept + 1} to {LAST}")
    with pytest.raises(DataError, match=r"the end is missing|is missing"):
        Journal.open(place, "demo")


def test_two_entries_that_were_swapped(place: Path) -> None:
    change(
        place,
        ("UPDATE bot_entries SET position = 99 WHERE position = 4",),
        ("UPDATE bot_entries SET position = 4 WHERE position = 9",),
        ("UPDATE bot_entries SET position = 9 WHERE position = 99",),
    )
    assert_refused(place, "swapped", 4, "at place 4 lies entry 9")


def appended(place: Path, key: bytes, count: int = 1) -> list[Any]:
    """Entries that follow well on the last one, sealed with a key."""
    with closing(sqlite3.connect(place)) as database:
        last = Entry(
            *database.execute(f"SELECT position, {', '.join(COLUMNS)} FROM bot_entries ORDER BY 1").fetchall()[-1]
        )
    statement = f"INSERT INTO bot_entries VALUES ('demo', {', '.join('?' * 12)})"
    made = []
    for _ in range(count):
        last = linked(last._replace(position=last.position + 1), last.hash, key)
        made.append((statement, *last))
    return made


def test_entries_appended_by_another_hand(place: Path) -> None:
    change(place, *appended(place, b"not the key", 2))
    assert_refused(place, "appended", LAST + 1, f"entries from {LAST + 1} on were appended by another hand")
    with pytest.raises(DataError, match="appended by another hand"):
        Journal.open(place, "demo")


def test_an_appended_entry_with_the_head_moved_on(place: Path) -> None:
    made = appended(place, b"not the key")
    change(place, *made, ("UPDATE bot_journals SET position = ?, hash = ?", LAST + 1, made[0][-2]))
    assert_refused(place, "changed", LAST + 1, "the record of where it begins and ends was changed")


def test_an_entry_forged_with_the_whole_chain_behind_it(place: Path) -> None:
    with closing(sqlite3.connect(place)) as database:
        rows = database.execute(f"SELECT position, {', '.join(COLUMNS)} FROM bot_entries ORDER BY 1").fetchall()
    entries = [Entry(*row) for row in rows]
    statements, previous = [], entries[3].previous
    for entry in entries[3:]:
        forged = linked(entry._replace(ts=entry.ts + 1), previous, b"not the key")
        statements.append(
            (
                "UPDATE bot_entries SET ts=?, previous=?, hash=?, seal=? WHERE position=?",
                forged.ts, forged.previous, forged.hash, forged.seal, forged.position,
            )
        )  # fmt: skip
        previous = forged.hash
    change(place, *statements)
    assert_refused(place, "appended", 4, "put there by another hand: its seal is not of this journal")


def test_an_entry_of_another_journal(place: Path, tmp_path: Path) -> None:
    with Journal.open(place, "other") as journal:  # with the same key, in the same database
        journal.write(STORY[0], True)
    change(
        place,
        ("DELETE FROM bot_entries WHERE journal = 'demo' AND position = 1",),
        ("UPDATE bot_entries SET journal = 'demo' WHERE journal = 'other'",),
    )
    assert_refused(place, "swapped", 1, "does not follow the one before it")


@pytest.mark.parametrize("name", ["base", "base_hash", "position", "hash", "seal"])
def test_any_change_of_the_head(place: Path, name: str) -> None:
    with closing(sqlite3.connect(place)) as database:
        (value,) = database.execute(f"SELECT {name} FROM bot_journals").fetchone()
        others = [one for one in variants(value) if one is not None]
        for one in others[:: max(1, len(others) // 5)]:
            with database:
                database.execute(f"UPDATE bot_journals SET {name} = ?", (one,))
            with JournalReader.open(place, "demo") as reader:
                assert "where it begins and ends was changed" in reader.verify().text


@pytest.mark.parametrize("name", ["position", "recorded", "version", "body", "hash", "seal"])
def test_any_change_of_a_snapshot(place: Path, name: str) -> None:
    with closing(sqlite3.connect(place)) as database, JournalReader.open(place, "demo") as reader:
        (value,) = database.execute(f"SELECT {name} FROM bot_snapshots").fetchone()
        for one in itertools.islice(filter(None, variants(value)), 0, None, 7):
            with database:
                database.execute(f"UPDATE bot_snapshots SET {name} = ?", (one,))
            found = reader.verify()
            assert found.fault == "changed" and "the snapshot after entry" in found.text
            with pytest.raises(DataError, match="the snapshot after entry"):
                reader.latest_snapshot()
            with database:
                database.execute(f"UPDATE bot_snapshots SET {name} = ?", (value,))


def flipped(place: Path, offset: int) -> None:
    with open(place, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ (1 << offset % 8)]))


@pytest.mark.parametrize("step", [499, pytest.param(29, marks=pytest.mark.long)])
def test_any_byte_of_the_file_is_refused_or_means_nothing(place: Path, step: int) -> None:
    def told(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except WorkbenchError:
            return "refused"

    def everything() -> Any:
        with JournalReader.open(place, "demo") as reader:
            whole = reader.verify().ok
            return (list(reader.entries()), reader.latest_snapshot()) if whole else "refused"

    wanted, refused = told(everything), 0
    for offset in range(step // 2, place.stat().st_size, step):
        flipped(place, offset)
        found = told(everything)
        assert found in ("refused", wanted), offset
        refused += found == "refused"
        flipped(place, offset)
    assert refused > 5
    assert told(everything) == wanted


def test_the_log_shows_no_line_that_was_changed(place: Path) -> None:
    change(place, ("UPDATE bot_entries SET body = replace(body, 'an order was gone', 'all is well')",))
    with JournalReader.open(place, "demo") as reader, pytest.raises(DataError, match=f"entry {LAST} was changed"):
        reader.logs()
