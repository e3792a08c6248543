"""A journal gives back what was written, in order, over processes, and has one writer."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.bots.journal import Journal, JournalReader, seal_key
from workbench.errors import ConfigError, DataError, RunError
from workbench.trading.events import (
    Accepted,
    Alert,
    AmendOrder,
    Bar,
    Book,
    CancelOrder,
    Event,
    Filled,
    Learnt,
    Moved,
    Opened,
    Rejected,
    SetTimer,
    Started,
    Submit,
    Timer,
    to_plain,
)
from workbench.trading.orders import Order

NAN = math.nan
ORDER = Order(id="demo-1", symbol="BTC/USDT", side="buy", type="limit", quantity=0.5, price=100.0)
STORY: list[Any] = [
    Started(1_000),
    Learnt("BTC/USDT", 0, 3_600_000, 1.0, 2.0, 0.5, 1.5, 10.0, "1h"),
    Moved(3_600_000, "RUNNING", "a “quoted” reason"),
    Bar("BTC/USDT", 3_600_000, 7_200_000, 1.0, 2.0, 0.5, NAN, 10.0, "1h"),
    Submit(ORDER),
    SetTimer(9_000_000, "expiry"),
    Accepted(7_200_100, "demo-1", "17"),
    Opened(7_200_200, {"BTC/USDT": 100.0}),
    Book("BTC/USDT", 7_200_300, ((99.0, 1.0),), ((101.0, 2.0),)),
    AmendOrder("demo-1", 101.0, NAN, NAN),
    Filled(7_200_400, "demo-1", "BTC/USDT", "buy", 0.5, 101.0, 0.05, True, 101.0, "signal", 7_200_000),
    Timer(9_000_000, "expiry"),
    CancelOrder("demo-1"),
    Rejected(9_000_100, "demo-1", "not_found", "gone"),
    Alert(9_000_200, "warning", "an order was gone"),
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "data" / "bots" / "demo.sqlite"


@pytest.fixture
def journal(place: Path) -> Iterator[Journal]:
    with Journal.open(place, "demo") as opened:
        yield opened


def told(entries: Any) -> list[Any]:
    return [repr(to_plain(entry.record)) for entry in entries]


WANTED = [repr(to_plain(one)) for one in STORY]


def test_what_is_written_comes_back_in_order_also_in_the_next_process(place: Path) -> None:
    with Journal.open(place, "demo", clock=iter(range(100)).__next__) as journal:
        journal.begin_session({"version": "1"})
        for one in STORY:
            journal.write(one, durable=isinstance(one, Submit))
        journal.log("info", "system", "between")
        journal.end_session("stopped")
        assert told(journal.entries()) == WANTED
    with Journal.open(place, "demo") as again:
        entries = list(again.entries())
        assert told(entries) == WANTED
        assert [one.position for one in entries] == list(range(2, 2 + len(STORY)))
        assert {one.session for one in entries} == {1} and again.session == 1
        assert [one.recorded for one in entries] == sorted(one.recorded for one in entries)
        bar, submit = entries[3], entries[4]
        assert (bar.ts, submit.ts) == (7_200_000, 7_200_000)  # a bar happens when it closes
        assert isinstance(submit.record.order, Order)
        assert told(again.entries(after=10)) == WANTED[9:]
        assert [one.kind for one in again.entries(kinds={"Submit", "Logged"})] == ["Submit", "Logged"]
        assert again.verify().ok and again.position == len(STORY) + 3


def test_only_a_durable_entry_a_flush_or_many_bring_entries_to_disk(journal: Journal, place: Path) -> None:
    def on_disk() -> int:
        with JournalReader.open(place, "demo") as other:
            return other.head.position

    journal.write(STORY[0], False)
    assert (journal.waiting, on_disk()) == (1, 0)
    journal.write(STORY[1], True)
    assert (journal.waiting, on_disk()) == (0, 2)
    journal.write(STORY[2], False)
    journal.flush()
    assert on_disk() == 3
    for _ in range(1_000):
        journal.write(STORY[0], False)
    assert on_disk() == 1_003
    journal.log("error", "system", "an error is on disk at once")
    assert on_disk() == 1_004


def test_a_second_writer_is_refused_and_readers_are_not(journal: Journal, place: Path) -> None:
    with pytest.raises(RunError, match=r"another process writes the journal 'demo'.*is its bot running"):
        Journal.open(place, "demo")
    journal.write(STORY[0], True)
    with JournalReader.open(place, "demo") as reader:
        assert told(reader.entries()) == WANTED[:1] and reader.verify().ok
        journal.write(STORY[1], True)  # a reader does not keep the writer from it
        assert told(reader.entries()) == WANTED[:2]
        assert reader.is_written
        journal.close()
        assert not reader.is_written
    Journal.open(place, "demo").close()


def test_reading_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no journal"):
        JournalReader.open(tmp_path / "bots" / "demo.sqlite", "demo")
    assert list(tmp_path.iterdir()) == []
    Journal.open(tmp_path / "demo.sqlite", "demo").close()
    with pytest.raises(DataError, match=r"there is no journal 'other' in .*; there are demo"):
        JournalReader.open(tmp_path / "demo.sqlite", "other")


def test_the_log_is_pages_filtered_by_level_category_and_time(place: Path) -> None:
    now = [0]
    with Journal.open(place, "demo", clock=lambda: now[0]) as journal:
        for number in range(25):
            now[0] = number * 1_000
            level = ("debug", "info", "warning", "error", "critical")[number % 5]
            journal.log(level, "risk" if number % 2 else "signal", f"line {number}", {"number": number})
            journal.write(STORY[3])
        page = journal.logs(size=10)
        assert [line.text for line in page.lines] == [f"line {number}" for number in range(24, 14, -1)]
        assert (page.page, page.pages, page.total) == (1, 3, 25)
        assert [line.text for line in journal.logs(page=3, size=10).lines] == [f"line {n}" for n in range(4, -1, -1)]
        assert {line.level for line in journal.logs(level="error").lines} == {"error", "critical"}
        assert journal.logs(category="risk").total == 12
        found = journal.logs(level="warning", category="signal", since=4_000, until=12_000)
        assert [(line.text, line.fields) for line in found.lines] == [
            ("line 8", {"number": 8}),
            ("line 4", {"number": 4}),
        ]
        assert journal.logs(page=9).lines == ()
        with pytest.raises(DataError, match="'loud' is no level of a log; there are debug"):
            journal.logs(level="loud")
        with pytest.raises(DataError, match="'gossip' is no category"):
            journal.log("info", "gossip", "x")


def test_events_are_lines_of_the_log_too(journal: Journal) -> None:
    for one in STORY:
        journal.write(one)
    lines = {line.text: (line.level, line.category) for line in journal.logs().lines}
    assert lines["bought 0.5 BTC/USDT at 101, fee 0.05 USDT (signal)"] == ("info", "execution")
    assert lines["order demo-1 was refused, not_found: gone"] == ("warning", "order")
    assert lines["submit limit buy 0.5 BTC/USDT at 100 (demo-1)"] == ("info", "order")
    assert lines["an order was gone"] == ("warning", "risk")
    assert not any("closed at" in text for text in lines)  # bars are no lines of the log


def test_sessions_tell_which_were_broken_off(place: Path) -> None:
    with Journal.open(place, "demo") as journal:
        assert journal.begin_session({"mode": "paper"}) == 1
        journal.end_session("Ctrl-C")
    with Journal.open(place, "demo") as journal:
        assert journal.begin_session() == 2
    with Journal.open(place, "demo") as journal:
        assert journal.begin_session() == 3
        first, second, _ = journal.sessions()
    assert (first.reason, first.details) == ("Ctrl-C", {"mode": "paper"}) and first.ended is not None
    assert (second.ended, second.reason) == (None, "")


def test_the_newest_snapshot_is_found_and_belongs_to_its_entry(journal: Journal) -> None:
    assert journal.latest_snapshot() is None
    for number, one in enumerate(STORY[:6]):
        journal.write(one)
        journal.save_snapshot({"number": number, "nan": NAN})
    found = journal.latest_snapshot()
    assert found is not None and (found.position, found.data["number"]) == (6, 5) and math.isnan(found.data["nan"])
    journal.save_snapshot({"number": "again"}, position=5)
    assert told(journal.entries(after=found.position)) == []
    found = journal.latest_snapshot()
    assert found is not None and found.position == 6
    with pytest.raises(DataError, match="has no entry 7"):
        journal.save_snapshot({}, position=7)
    assert journal.verify().ok


def test_the_key_is_its_owners_alone_and_must_be_the_one(journal: Journal, place: Path) -> None:
    path = place.parent / "journal.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (place.parent / ".gitignore").read_text().endswith("*\n")
    journal.write(STORY[0], True)
    journal.close()
    key = path.read_text()
    path.write_text("0" * 64)
    with pytest.raises(ConfigError, match="sealed with another key"):
        Journal.open(place, "demo")
    path.write_text("short")
    with pytest.raises(ConfigError, match="is damaged: it must hold 64 hexadecimal digits"):
        Journal.open(place, "demo")
    path.unlink()
    for opened in (Journal, JournalReader):
        with pytest.raises(ConfigError, match="is missing, the key that seals"):
            opened.open(place, "demo")
    with pytest.raises(ConfigError, match="is missing"):
        Journal.open(place.with_name("other.sqlite"), "other")  # a new key would not fit the journal beside
    path.write_text(key)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match=r"mode 0644\): chmod 600"):
        seal_key(place.parent)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (Submit, "cannot keep a type"),
        ("text", "cannot keep a str"),
        (Moved(0, "x", object()), "a object has no place in a journal"),  # type: ignore[arg-type]
    ],
)
def test_what_has_no_place_in_a_journal_is_refused(journal: Journal, wrong: Any, match: str) -> None:
    with pytest.raises(DataError, match=match):
        journal.write(wrong, True)
    assert journal.position == 0


@pytest.mark.parametrize("name", ["", "a/b", "../x", "x" * 65, "-a"])
def test_names_are_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot name a bot"):
        Journal.open(tmp_path / "x.sqlite", name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("url", ["mysql://user:hush@host/db", "postgresql://user:hush@ho st:x/db", "sqlite://"])
def test_other_places_are_refused_without_their_password(url: str) -> None:
    with pytest.raises(ConfigError, match="postgresql://USER@HOST/DATABASE") as caught:
        Journal.open(url, "demo")
    assert "hush" not in str(caught.value)


def test_what_must_not_be_kept_is_hidden(place: Path) -> None:
    with Journal.open(place, "demo", hide=lambda text: text.replace("hush", "***")) as journal:
        journal.log("info", "system", "the key is hush", {"url": "x?key=hush"})
        line = journal.logs().lines[0]
        assert (line.text, line.fields) == ("the key is ***", {"url": "x?key=***"})
        assert b"hush" not in place.read_bytes()


def test_many_journals_share_a_database(tmp_path: Path) -> None:
    place = tmp_path / "all.sqlite"
    with Journal.open(place, "a") as first:
        first.write(STORY[0], True)
    with Journal.open(place, "b") as second:
        assert second.position == 0
        second.write(STORY[1], True)
        assert told(second.entries()) == WANTED[1:2] and second.verify().ok


def test_every_event_that_there_is_has_a_place(journal: Journal) -> None:
    from typing import get_args

    from workbench.bots.journal.telling import classify, describe

    known = {type(one) for one in STORY}
    for kind in get_args(Event):
        assert classify(kind(*([0] * len(kind._fields)))) is not None
        if kind in known:
            assert describe(next(one for one in STORY if type(one) is kind))
