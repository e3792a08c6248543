"""Real series with defects planted in them, two of each kind: every one is found, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.market.quality.planting import CLEAN, clean, columns_of, places, without
from workbench.market.bars import COLUMNS, Bars
from workbench.market.filling import fill_gaps
from workbench.market.lake import Lake
from workbench.market.quality import inspect_rows
from workbench.market.quality.check import check
from workbench.market.quality.findings import KINDS

SEEDS = range(4)
Found = list[tuple[str, str, int, int]]


def found_in(bars: Bars, **options: Any) -> Found:
    """What a check finds: kind, cause, first bar and number of bars."""
    return [(one.kind, one.cause, one.start, one.bars) for one in check(bars, **options)]


@pytest.mark.parametrize("symbol", CLEAN)
def test_nothing_is_invented_on_a_clean_series(lake: Lake, symbol: str) -> None:
    assert found_in(clean(lake, symbol)) == []


def test_of_the_whole_bundled_series_only_what_is_known_is_told(lake: Lake) -> None:
    told = {(info.symbol, info.timeframe): lake.read(info.symbol, info.timeframe).quality for info in lake.series()}
    for (symbol, timeframe), quality in told.items():
        assert not quality.of("outlier"), (symbol, timeframe)
        assert not quality.of("duplicate"), (symbol, timeframe)
    assert told["BTC/USDT", "1h"].summary["missing"] == 170
    assert [one.start for one in told["BTC/USDT", "1h"].of("zero_volume")] == [
        1559941200000, 1608559200000, 1613012400000, 1679659200000,
    ]  # fmt: skip
    assert {symbol for (symbol, _), quality in told.items() if quality.of("off_session")} == {"WTI"}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("symbol", CLEAN)
def test_holes_by_what_is_known_of_them(lake: Lake, symbol: str, seed: int) -> None:
    whole = clean(lake, symbol)
    one, two = places(whole, seed)
    holed = without(whole, [one, two, two + 1, two + 2])
    gaps: Found = [("gap", "", int(whole.ts[one]), 1), ("gap", "", int(whole.ts[two]), 3)]

    def told(*causes: str) -> Found:
        return [(kind, cause, start, bars) for (kind, _, start, bars), cause in zip(gaps, causes, strict=True)]

    assert found_in(holed) == told("unknown", "unknown")
    assert found_in(holed, coverage=[(whole.start, whole.end)]) == told("outage", "outage")
    assert found_in(holed, coverage=[]) == told("omission", "omission")
    half = [(whole.start, int(whole.ts[two + 1]))]  # the second hole was asked for in part only
    assert found_in(holed, coverage=half) == told("outage", "omission")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("symbol", CLEAN)
@pytest.mark.parametrize("length", [1, 2, 3])
def test_spikes_up_and_down(lake: Lake, symbol: str, seed: int, length: int) -> None:
    whole = clean(lake, symbol)
    columns, (up, down) = columns_of(whole), places(whole, seed)
    for row, factor in ((up, 1.6), (down, 1 / 1.6)):
        for name in ("open", "high", "low", "close"):
            columns[name][row : row + length] *= factor
    spoilt = replace(whole, **columns)
    assert found_in(spoilt) == [
        ("outlier", "spike", int(whole.ts[up]), length), ("outlier", "spike", int(whole.ts[down]), length),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_wicks_that_nobody_else_saw(lake: Lake, seed: int) -> None:
    whole = clean(lake, "BTC/USDT")
    columns, (high, low) = columns_of(whole), places(whole, seed)
    columns["high"][high] *= 1.3
    columns["low"][low] *= 0.7
    found = check(replace(whole, **columns))
    assert [(one.start, one.cause) for one in found] == [(int(whole.ts[row]), "spike") for row in (high, low)]
    assert [one.size for one in found] == [pytest.approx(0.3, abs=0.05)] * 2


def test_a_crash_that_stays_is_no_outlier(lake: Lake) -> None:
    whole = clean(lake, "BTC/USDT")
    columns, row = columns_of(whole), 5_000
    for name in ("open", "high", "low", "close"):
        columns[name][row:] *= 0.6
    columns["open"][row] /= 0.6  # it fell within the bar
    columns["high"][row] = max(columns["high"][row], columns["open"][row])
    columns["volume"][row : row + 3] *= 12
    assert found_in(replace(whole, **columns)) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_jumps_in_no_time(lake: Lake, seed: int) -> None:
    whole = clean(lake, "BTC/USDT")
    columns, (up, down) = columns_of(whole), places(whole, seed)
    for row, factor in ((up, 2.5), (down, 1 / 2.5)):
        for name in ("open", "high", "low", "close"):
            columns[name][row:] *= factor
    assert found_in(replace(whole, **columns)) == [
        ("outlier", "level", int(whole.ts[row]), 1) for row in (up, down)
    ]  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_splits_that_were_not_adjusted_for(lake: Lake, seed: int) -> None:
    whole = clean(lake, "GOOGL")
    columns, (first, second) = columns_of(whole), places(whole, seed)
    for row, ratio in ((first, 2.0), (second, 3.0)):
        for name in ("open", "high", "low", "close"):
            columns[name][row:] /= ratio
    found = found_in(replace(whole, **columns))
    assert {start for kind, cause, start, _ in found if cause == "split"} == {
        int(whole.ts[first]), int(whole.ts[second]),
    }  # fmt: skip
    assert {cause for _, cause, _, _ in found} == {"split"}


@pytest.mark.parametrize("seed", SEEDS)
def test_silence_and_bars_delivered_again(lake: Lake, seed: int) -> None:
    whole = clean(lake, "BTC/USDT")
    columns, (one, two, again, twice) = columns_of(whole), places(whole, seed, 4)
    columns["volume"][one] = 0.0
    columns["volume"][two : two + 5] = 0.0
    for row in (again, twice):
        for name in COLUMNS:
            columns[name][row] = columns[name][row - 1]
    for name in COLUMNS:
        columns[name][twice + 1] = columns[name][twice]
    found = found_in(replace(whole, **columns))
    assert set(found) == {
        ("zero_volume", "", int(whole.ts[one]), 1), ("zero_volume", "", int(whole.ts[two]), 5),
        ("duplicate", "repeated", int(whole.ts[again]), 1), ("duplicate", "repeated", int(whole.ts[twice]), 2),
    }  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_prices_that_another_venue_does_not_show(lake: Lake, seed: int) -> None:
    whole = clean(lake, "BTC/USDT")
    instrument = whole.instrument.replace(venue="kraken", symbol="BTC/USD", quote="USD")
    noise = 1.0 + np.random.default_rng(seed).normal(0.0, 2e-4, len(whole))
    other = replace(whole, instrument=instrument, **{
        name: column * noise for name, column in columns_of(whole).items() if name in ("open", "high", "low", "close")
    })  # fmt: skip
    assert found_in(whole, others=[other]) == []
    columns, (up, down) = columns_of(whole), places(whole, seed)
    for row, factor in ((up, 1.04), (down, 0.96)):  # too little to be odd by itself in this market
        columns["close"][row] *= factor
        columns["high"][row] = max(columns["high"][row], columns["close"][row])
        columns["low"][row] = min(columns["low"][row], columns["close"][row])
    spoilt = replace(whole, **columns)
    found = found_in(spoilt, others=[other])
    assert [(kind, cause, start) for kind, cause, start, _ in found if cause == "venue"] == [
        ("outlier", "venue", int(whole.ts[row])) for row in (up, down)
    ]  # fmt: skip
    assert {cause for _, cause, _, _ in found} <= {"venue", "spike"}


@pytest.mark.parametrize("late", [1, -1])
def test_a_clock_that_is_an_hour_off(lake: Lake, late: int) -> None:
    whole = clean(lake, "BTC/USDT")
    other = replace(whole, instrument=whole.instrument.replace(venue="kraken"))
    shifted = replace(whole, ts=whole.ts + late * whole.timeframe.ms)
    found = check(shifted, others=[other])
    assert {(one.kind, one.cause) for one in found} == {("clock_skew", "lag")}
    assert {abs(one.size) for one in found} == {3_600_000.0}
    assert np.sign([one.size for one in found]).tolist() == [late] * len(found)


def test_a_series_that_ends_while_others_go_on(lake: Lake) -> None:
    whole = clean(lake, "BTC/USDT")
    cut = whole[: len(whole) - 400]
    for coverage, cause in ((None, ""), ([(whole.start, whole.end)], "delisting"), ([], "omission")):
        assert found_in(cut, ends=[whole.end, whole.end], coverage=coverage) == [("early_end", cause, cut.end, 0)]
    assert found_in(cut, ends=[cut.end + 2 * 86_400_000]) == []  # updated a little before the others
    assert check(cut, ends=[whole.end]).of("early_end")[0].size == 400


def test_bars_on_holidays_and_made_by_a_rule(lake: Lake) -> None:
    whole = clean(lake, "MSFT")
    columns = columns_of(whole)
    friday = next(row for row in places(whole, 1, 20) if (whole.ts[row] // 86_400_000 + 3) % 7 == 4)
    columns["ts"][friday] += 86_400_000
    found = found_in(replace(whole, **columns))
    assert ("off_session", "", int(columns["ts"][friday]), 1) in found
    hours = clean(lake, "BTC/USDT")
    filled = fill_gaps(without(hours, [500, 501, 900]), "previous")
    assert found_in(filled) == [("filled", "", int(hours.ts[500]), 2), ("filled", "", int(hours.ts[900]), 1)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("symbol", CLEAN)
def test_rows_that_are_not_yet_bars(lake: Lake, symbol: str, seed: int) -> None:
    whole = clean(lake, symbol)
    columns, rows = columns_of(whole), places(whole, seed, 6, apart=60)
    assert inspect_rows(columns["ts"], columns, whole.timeframe) == ()
    nan, crossed, negative, off, same, other = rows
    columns["close"][nan] = np.nan
    columns["high"][crossed] = columns["low"][crossed] * 0.99
    columns["low"][negative] = -1.0
    columns["ts"][off] += whole.timeframe.ms // 3
    repeated = {name: np.insert(column, [same, other], column[[same, other]]) for name, column in columns.items()}
    repeated["close"][other + 1] = repeated["open"][other + 1]
    repeated["volume"][other + 1] += 1.0
    found = inspect_rows(repeated["ts"], repeated, whole.timeframe)
    assert {(one.kind, one.cause, one.start) for one in found} == {
        ("invalid", "", int(columns["ts"][nan])), ("invalid", "", int(columns["ts"][crossed])),
        ("invalid", "", int(columns["ts"][negative])), ("off_grid", "", int(columns["ts"][off])),
        ("duplicate", "identical", int(columns["ts"][same])),
        ("duplicate", "contradicting", int(columns["ts"][other])),
    }  # fmt: skip


def test_stamps_of_a_wrong_clock(lake: Lake) -> None:
    whole = clean(lake, "BTC/USDT")
    columns = columns_of(whole)
    columns["ts"][1_000:1_020] += 28 * 60_000
    columns["ts"][2_000:2_050] += np.random.default_rng(0).integers(1, 40, 50)
    found = inspect_rows(columns["ts"], columns, whole.timeframe)
    assert [(one.kind, one.cause, one.bars) for one in found] == [
        ("clock_skew", "offset", 20), ("clock_skew", "jitter", 50),
    ]  # fmt: skip
    assert found[0].size == 28 * 60_000


@pytest.mark.parametrize("took", ["keep", "replace"])
def test_revisions_are_kept_with_both_values(lake: Lake, took: Any, tmp_path: Any) -> None:
    whole = clean(lake, "BTC/USDT")[:500]
    mine = Lake(tmp_path)
    mine.write(whole, source="first")
    columns = columns_of(whole)
    for row in (100, 300):
        columns["close"][row] = columns["low"][row]
    revised = replace(whole, **columns)
    mine.write(revised, source="second", on_conflict=took)
    cause = {"keep": "kept", "replace": "replaced"}[took]
    read = mine.read("BTC/USDT", "1h")
    assert [(one.kind, one.cause, one.start) for one in read.quality] == [
        ("revision", cause, int(whole.ts[row])) for row in (100, 300)
    ]  # fmt: skip
    table = mine.revisions("BTC/USDT", "1h")
    assert table.took.tolist() == [cause, cause]
    assert table.source.tolist() == ["second", "second"]
    assert table.old_close.tolist() == whole.close[[100, 300]].tolist()
    assert table.new_close.tolist() == revised.close[[100, 300]].tolist()
    assert read.close[100] == (whole if took == "keep" else revised).close[100]


def test_every_kind_is_planted_here() -> None:
    planted = {
        "gap", "filled", "duplicate", "revision", "outlier", "zero_volume", "off_grid", "off_session", "clock_skew",
        "invalid", "early_end",
    }  # fmt: skip
    assert planted == set(KINDS)
