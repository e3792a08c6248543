"""A journal is exported whole, and pruned as far as a snapshot allows, without breaking its chain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.bots.journal.test_journal import STORY, WANTED, told
from workbench.bots.journal import Journal, JournalReader
from workbench.bots.journal.chain import Entry, hash_of
from workbench.errors import DataError
from workbench.trading.events import Marked


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "bots" / "demo.sqlite"


@pytest.fixture
def filled(place: Path) -> Iterator[Journal]:
    """A journal that was made in the first second, and whose entry n was recorded in the one after the n-th."""
    now = [0]

    def clock() -> int:
        now[0] += 1_000
        return now[0]

    with Journal.open(place, "demo", clock=clock) as opened:
        for one in STORY:
            opened.write(one)
        yield opened


def test_it_is_exported_as_it_is(filled: Journal, tmp_path: Path) -> None:
    path = filled.export(tmp_path / "out")
    assert path == tmp_path / "out" / f"demo-1-{len(STORY)}.parquet"
    table = pq.read_table(path)
    rows = duckdb.sql(f"SELECT kind, text FROM '{path}' WHERE level = 'warning' ORDER BY position").fetchall()
    assert rows == [("Rejected", "order demo-1 was refused, not_found: gone"), ("Alert", "an order was gone")]
    plain = table.drop_columns(["text"]).to_pylist()
    for row, entry in zip(plain, filled.entries(), strict=True):
        again = Entry(**{**row, "ts": int(row["ts"].timestamp() * 1_000), "recorded": entry.recorded})
        assert again == entry and hash_of(again) == entry.hash
    assert table.schema.metadata[b"journal"] == b"demo"
    assert filled.export(tmp_path / "out") == path  # again is the same file
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_an_empty_journal_has_nothing_to_export(place: Path, tmp_path: Path) -> None:
    with Journal.open(place, "demo") as journal, pytest.raises(DataError, match="has no entries to export"):
        journal.export(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_pruned_that_no_snapshot_covers(filled: Journal) -> None:
    assert filled.prune(10**15) == 0
    filled.save_snapshot({"state": 5}, position=5)
    assert filled.prune(10**15) == 5
    assert told(filled.entries(after=5)) == WANTED[5:]
    found = filled.latest_snapshot()
    assert found is not None and found.position == 5 and found.data == {"state": 5}


def test_what_is_left_can_be_checked_read_and_written_on(filled: Journal, place: Path, tmp_path: Path) -> None:
    filled.save_snapshot({}, position=3)
    filled.save_snapshot({}, position=10)
    assert filled.prune(8_500, export=tmp_path / "old") == 7  # made in the first second, then one a second
    assert [path.name for path in (tmp_path / "old").iterdir()] == ["demo-1-7.parquet"]
    assert pq.read_table(tmp_path / "old" / "demo-1-7.parquet")["position"].to_pylist() == list(range(1, 8))
    assert filled.prune(8_500) == 0
    filled.write(STORY[0], True)
    filled.close()
    with Journal.open(place, "demo") as again:
        assert str(again.verify()) == f"journal 'demo' is whole: {len(STORY) + 2 - 7} entries"
        assert told(again.entries(after=7)) == [*WANTED[7:], WANTED[0]]
        with pytest.raises(DataError, match=r"begins at entry 8, those before it were pruned.*say after=7"):
            next(again.entries())
        with pytest.raises(DataError, match="there is nothing after 99"):
            next(again.entries(after=99))
        line = again.logs().lines[1]
        assert line.text == "entries 1 to 7 were removed; they are in demo-1-7.parquet"
        again.save_snapshot({}, position=again.head.base + 4)
        assert again.verify().ok


def test_a_broken_journal_is_not_pruned(filled: Journal, place: Path) -> None:
    filled.save_snapshot({})
    with filled._database.writing() as connection:
        connection.exec_driver_sql("UPDATE bot_entries SET ts = ts + 1 WHERE position = 3")
    with pytest.raises(DataError, match="entry 3 was changed"):
        filled.prune(10**15)
    with JournalReader.open(place, "demo") as reader:
        assert reader.verify().position == 3 and reader.head.base == 0


def test_pruning_makes_the_file_smaller(place: Path) -> None:
    with Journal.open(place, "demo") as journal:
        for number in range(5_000):
            journal.write(Marked(number, "BTC/USDT", 1.0))
        journal.save_snapshot({})
    before = place.stat().st_size
    with Journal.open(place, "demo") as journal:
        assert journal.prune(10**15) == 5_000
        assert place.stat().st_size < before / 4
        assert journal.verify().ok
