"""The lake: merging is a dictionary by time; the catalogue and the provenance say what happened."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.made_bars import START, assert_same, make_bars
from workbench.errors import DataError
from workbench.market.bars import Bars
from workbench.market.instrument import Instrument
from workbench.market.lake import Lake
from workbench.market.timeframe import Timeframe


@pytest.fixture
def pool(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


# ----- merging


def test_identical_rows_are_dropped_and_nothing_is_written(pool: Lake) -> None:
    pool.write(make_bars(100), source="test")
    before = {path: path.stat().st_mtime_ns for path in pool.root.rglob("*.*")}
    report = pool.write(make_bars(50), source="again")
    assert (report.added, report.identical, report.rows) == (0, 50, 100)
    assert {path: path.stat().st_mtime_ns for path in pool.root.rglob("*.*")} == before


def test_only_the_blocks_that_change_are_written_again(pool: Lake) -> None:
    pool.write(make_bars(20_000), source="test")
    before = {path.name for path in pool.root.rglob("*.parquet")}
    report = pool.write(make_bars(20_010)[19_990:], source="test")
    assert (report.added, report.identical, report.rows) == (10, 10, 20_010)
    assert len({path.name for path in pool.root.rglob("*.parquet")} - before) == 1


def test_conflicts_are_listed_and_nothing_is_written(pool: Lake) -> None:
    pool.write(make_bars(20_000), source="test")
    before = pool.series()
    new = make_bars(20_001)
    close = new.close.copy()
    close[[3, 4, 5, 6, 7, 15_000]] += 0.25
    expected = (
        r"BTC/USDT 1h at binance: 6 bars differ from what the lake has \(old -> new\): 2021-01-01 03:00 UTC close "
        r"(\S+) -> (\S+); 2021-01-01 04:00 .*; and 1 more\. Nothing was written; take the new ones with "
        r"on_conflict='replace', or leave the old ones with on_conflict='keep'"
    )
    with pytest.raises(DataError, match=expected) as caught:
        pool.write(make_bars(20_001, close=close), source="test")
    assert caught.value.fields["count"] == 6
    conflict = caught.value.fields["conflicts"][-1]
    assert conflict["ts"] == new.ts[15_000] and conflict["new"]["close"] == conflict["old"]["close"] + 0.25
    assert pool.series() == before
    with pytest.raises(DataError, match="1 bar differs from"):
        pool.write(make_bars(1, shift=1), source="test")


def test_conflicts_can_be_settled_either_way(pool: Lake) -> None:
    old, new = make_bars(10), make_bars(10, start="2021-01-01T05:00", shift=0.25)
    pool.write(old, source="test")
    report = pool.write(new, source="test", on_conflict="keep")
    assert (report.added, report.kept, report.replaced, report.rows) == (5, 5, 0, 15)
    assert pool.read("BTC/USDT", "1h").close.tolist() == [*old.close, *new.close[5:]]
    report = pool.write(new, source="test", on_conflict="replace")
    assert (report.added, report.identical, report.replaced, report.rows) == (0, 5, 5, 15)
    assert pool.read("BTC/USDT", "1h").close.tolist() == [*old.close[:5], *new.close]


def test_a_real_bar_differs_from_a_made_up_one(pool: Lake) -> None:
    pool.write(make_bars(3, filled=np.array([False, True, False])), source="test")
    with pytest.raises(DataError, match="01:00 UTC filled True -> False"):
        pool.write(make_bars(3), source="test")


def test_a_series_can_be_replaced(pool: Lake) -> None:
    pool.write(make_bars(20_000), source="old")
    new = make_bars(30, start="2022-02-01", shift=3)
    report = pool.write(new, source="new", mode="replace")
    assert (report.added, report.removed, report.rows) == (30, 20_000, 30)
    assert_same(pool.read("BTC/USDT", "1h"), new)
    assert pool.series()[0].source == "new"
    pool.write(new, source="new", licence="CC0", mode="replace")
    assert pool.series()[0].licence == "CC0"


HOURS = st.integers(0, 40).map(lambda number: number * 450)  # a year has 8,766 hours: some share a block, some do not
WRITES = st.lists(
    st.tuples(
        st.dictionaries(
            HOURS, st.tuples(st.sampled_from([1.0, 1.1, 0.1 + 0.2]), st.booleans()), min_size=1, max_size=12
        ),
        st.sampled_from(["error", "keep", "replace"]),
        st.sampled_from(["merge", "merge", "merge", "replace"]),
    ),
    min_size=1,
    max_size=6,
)


def bars_of_model(model: dict[int, tuple[float, bool]]) -> Bars:
    hours = sorted(model)
    price = np.array([model[hour][0] for hour in hours])
    return Bars(
        instrument=Instrument.default("X/Y"), timeframe=Timeframe.parse("1h"), ts=np.array(hours) * 3_600_000 + START,
        open=price, high=price, low=price, close=price, volume=price * 3,
        filled=np.array([model[hour][1] for hour in hours]),
    )  # fmt: skip


@settings(max_examples=40)
@given(WRITES)
def test_any_sequence_of_writes_equals_a_dictionary(
    writes: list[tuple[dict[int, tuple[float, bool]], Any, Any]],
) -> None:
    model: dict[int, tuple[float, bool]] = {}
    with tempfile.TemporaryDirectory() as folder:
        pool = Lake(folder, grace_s=0)
        for new, on_conflict, mode in writes:
            old = {} if mode == "replace" else model
            conflicts = [hour for hour in new if hour in old and old[hour] != new[hour]]
            if conflicts and on_conflict == "error":
                with pytest.raises(DataError, match="from what the lake has") as caught:
                    pool.write(bars_of_model(new), source="test")
                assert caught.value.fields["count"] == len(conflicts)
            else:
                report = pool.write(bars_of_model(new), source="test", on_conflict=on_conflict, mode=mode)
                model = old | new if on_conflict == "replace" else new | old
                assert report.added == len(new.keys() - old.keys()) and report.rows == len(model)
                assert report.kept + report.replaced == len(conflicts)
            if not model:
                continue
            got, info = pool.read("X/Y", "1h"), pool.series()[0]
            assert_same(got, bars_of_model(model))
            assert got.fingerprint == info.fingerprint == bars_of_model(model).fingerprint
            assert info.missing == sum(gap.missing for gap in got.gaps) and info.rows == len(got)
            assert (info.start, info.end) == (got.start, got.end)
        assert pool.check() == []


# ----- provenance and the catalogue


def test_the_catalogue_says_what_is_there(pool: Lake) -> None:
    assert pool.catalog().empty and pool.series() == []
    pool.write(make_bars(100)[:50], source="a", licence="CC0")
    pool.write(make_bars(100)[60:], source="b", licence="CC0")
    pool.write(make_bars(5, symbol="SPX", venue="cboe", timeframe="1d", start="2021-01-04"), source="c")
    catalog = pool.catalog()
    assert (
        catalog.columns.tolist()
        == (
            "venue symbol timeframe kind rows start end missing filled size_bytes source licence imported_at "
            "fingerprint"
        ).split()
    )
    first, second = catalog.to_dict("records")
    assert (first["symbol"], first["kind"], first["rows"], first["missing"]) == ("BTC/USDT", "spot", 90, 10)
    assert (first["source"], first["licence"]) == ("a; b", "CC0")
    assert str(first["start"]) == "2021-01-01 00:00:00+00:00" and str(first["end"]) == "2021-01-05 04:00:00+00:00"
    assert first["imported_at"].tzinfo is not None and first["size_bytes"] > 1_000
    assert (second["symbol"], second["timeframe"], second["kind"], second["missing"]) == ("SPX", "1d", "equity", 0)


def test_the_dtypes_of_an_empty_catalogue_are_those_of_a_full_one(pool: Lake) -> None:
    empty = pool.catalog().dtypes
    pool.write(make_bars(), source="test")
    assert empty.equals(pool.catalog().dtypes)


def test_a_feed_that_appends_leaves_one_entry(pool: Lake) -> None:
    bars = make_bars(6)
    for row in range(6):
        pool.write(bars[row : row + 1], source="feed")
    [entry] = pool.read("BTC/USDT", "1h").provenance["imports"]
    assert (entry["writes"], entry["added"], entry["rows"], entry["missing"]) == (6, 6, 6, 0)
    assert entry["first_at"] <= entry["imported_at"] and entry["fingerprint"] == bars.fingerprint


def test_new_facts_about_the_instrument_hold_and_are_recorded(pool: Lake) -> None:
    bars = make_bars(48)
    pool.write(bars, source="test")
    facts = bars.instrument.replace(taker_fee=0.01, calendar="24/5")
    pool.write(make_bars(48, instrument=facts), source="test")
    got = pool.read("BTC/USDT", "1h")
    assert got.instrument == facts and got.fingerprint == bars.fingerprint
    changed = got.provenance["imports"][-1]["facts_changed"]
    assert changed == {"taker_fee": [bars.instrument.taker_fee, 0.01], "calendar": ["24/7", "24/5"]}


def test_missing_bars_are_counted_again_when_the_calendar_changes(pool: Lake) -> None:
    bars = make_bars(2_000, step=20, timeframe="1h")  # several years with holes
    pool.write(bars, source="test")
    assert pool.series()[0].missing == sum(gap.missing for gap in bars.gaps)
    moved = make_bars(1, instrument=bars.instrument.replace(calendar="24/5"))
    pool.write(moved, source="test")
    assert pool.series()[0].missing == sum(gap.missing for gap in pool.read("BTC/USDT", "1h").gaps)


def test_a_series_can_be_deleted(pool: Lake) -> None:
    pool.write(make_bars(), source="test")
    pool.write(make_bars(timeframe="1d"), source="test")
    pool.delete("BTC/USDT", "1h")
    assert [info.timeframe for info in pool.series()] == ["1d"]
    with pytest.raises(DataError, match="has no BTC/USDT 1h; it has BTC/USDT as 1d at binance"):
        pool.delete("BTC/USDT", "1h")
    pool.delete("BTC/USDT", "1d", venue="binance")
    assert list(pool.root.iterdir()) == []
