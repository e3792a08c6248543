"""A tape gives back what was told: same events, same order, same times, after a kill up to the last flush."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.feeds.made_events import BTC, bar, everything, trade
from workbench.errors import DataError
from workbench.market.feeds.events import TradePrinted
from workbench.market.feeds.tape import Tape, tapes_in
from workbench.market.lake import Lake

ROOT = Path(__file__).resolve().parents[3]


def test_every_kind_of_event_comes_back_as_it_was(tmp_path: Path) -> None:
    told = [event for number in range(6) for event in everything(number)]
    with Tape(tmp_path, "all/kinds").writer("binance", every=7) as writer:
        for event in told:
            writer.add(event)
    tape = Tape(tmp_path, "all/kinds")
    back = list(tape.events())
    assert back == told
    assert [type(event) for event in back] == [type(event) for event in told]
    assert tape.info.events == len(told) == 60
    assert (tape.info.feed, tape.info.symbols, tape.info.kinds["fill"]) == ("binance", (BTC,), 12)
    assert (tape.info.start, tape.info.end) == (0, 5 * 60_000 + 60_017)
    assert len(tape.to_pandas()) == 60


FLOATS = st.floats(allow_nan=False, width=64)


@settings(max_examples=15)
@given(st.lists(st.tuples(st.text(max_size=5), st.integers(-(2**62), 2**62), FLOATS, FLOATS), max_size=20))
def test_any_numbers_and_texts_come_back(rows: list[tuple[str, int, float, float]]) -> None:
    import tempfile

    told = [TradePrinted("X", ts, -ts, name, price, quantity, 0) for name, ts, price, quantity in rows]
    with tempfile.TemporaryDirectory() as folder:
        with Tape(folder, "t").writer() as writer:
            for event in told:
                writer.add(event)
        assert list(map(repr, Tape(folder, "t").events())) == list(map(repr, told))


def test_a_tape_goes_on_where_it_ends_and_small_parts_are_merged(tmp_path: Path) -> None:
    tape, told = Tape(tmp_path, "long"), []
    for _ in range(3):
        with tape.writer(every=2) as writer:
            for _ in range(20):
                told.append(bar(len(told)))
                writer.add(told[-1])
    assert len(tape._store.manifest().parts) <= 25
    assert list(tape.events()) == told


def test_a_reader_goes_on_though_the_writer_merges_parts_meanwhile(tmp_path: Path) -> None:
    tape = Tape(tmp_path, "busy")
    with tape.writer(every=5) as writer:
        for number in range(20):
            writer.add(bar(number))
        reader = tape.events()
        first = [next(reader) for _ in range(3)]
        for number in range(20, 150):
            writer.add(bar(number))
        assert [*first, *reader] == [bar(number) for number in range(20)]


def test_two_writers_of_one_tape_are_refused(tmp_path: Path) -> None:
    tape = Tape(tmp_path, "one")
    first, second = tape.writer(), tape.writer()
    first.add(bar(1))
    first.flush()
    second.add(bar(2))
    with pytest.raises(DataError, match="give each recording a name of its own"):
        second.flush()
    assert list(tape.events()) == [bar(1)]


def test_what_was_flushed_survives_a_kill(tmp_path: Path) -> None:
    code = (
        "import sys; from tests.market.feeds.made_events import trade; from workbench.market.feeds.tape import Tape\n"
        "writer = Tape(sys.argv[1], 'killed').writer(every=10)\n"
        "for number in range(10**9):\n"
        "    writer.add(trade(number))\n"
        "    if number % 10 == 0: print(number, flush=True)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdout is not None
    seen = 0
    while seen < 100:
        seen = int(child.stdout.readline())
    child.send_signal(signal.SIGKILL)
    seen = max([seen, *map(int, child.stdout.read().split())])
    child.wait()
    child.stdout.close()
    back = list(Tape(tmp_path, "killed").events())
    assert back == [trade(number) for number in range(len(back))]
    assert seen - seen % 10 <= len(back)


def test_tapes_and_series_lie_in_one_lake_without_meeting(tmp_path: Path) -> None:
    for name in ("b", "a b/c"):
        with Tape(tmp_path, name).writer() as writer:
            writer.add(bar(1))
    assert [tape.name for tape in tapes_in(tmp_path)] == ["a b/c", "b"]
    assert Lake(tmp_path).series() == []
    Tape(tmp_path, "b").delete()
    assert [tape.name for tape in tapes_in(tmp_path)] == ["a b/c"]
    assert tapes_in(tmp_path / "nothing") == []


def test_errors_name_the_tape_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no tape 'gone'"):
        list(Tape(tmp_path, "gone").events())
    with pytest.raises(DataError, match="a tape's name is ''"):
        Tape(tmp_path, "")
    with Tape(tmp_path, "new").writer() as writer:
        writer.add(bar(1))
    manifest = tmp_path / "tape=new" / "manifest.json"
    document = json.loads(manifest.read_text())
    document["meta"]["tape"] = 2
    manifest.write_text(json.dumps(document))
    with pytest.raises(DataError, match="has format 2, this workbench knows 1: upgrade"):
        list(Tape(tmp_path, "new").events())


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    with Tape(tmp_path, "bad").writer() as writer:
        writer.add(bar(1))
    part = next((tmp_path / "tape=bad").glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"\.parquet: the file has .* bytes"):
        list(Tape(tmp_path, "bad").events())


def test_a_tape_without_events_is_a_tape(tmp_path: Path) -> None:
    with Tape(tmp_path, "quiet").writer("binance"):
        pass
    assert list(Tape(tmp_path, "quiet").events()) == []
    assert (Tape(tmp_path, "quiet").info.events, Tape(tmp_path, "quiet").info.feed) == (0, "binance")
