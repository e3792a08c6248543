"""Planted defects in real series: every one is found, and a clean series has none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from workbench.errors import DataError
from workbench.market.bars import COLUMNS, Bars
from workbench.market.filling import fill_gaps
from workbench.market.quality.check import check
from workbench.market.quality.rows import inspect_rows
from workbench.market.samples import load_samples

SAMPLES = {sample.file: sample.bars for sample in load_samples(Path(__file__).parents[2] / "data" / "sample")}
CLEAN = [name for name in SAMPLES if name.startswith(("index_SPX", "nasdaq", "nyse", "gym"))]
BITCOIN = SAMPLES["binance_BTC-USDT_1h.parquet"].between("2022-01-01", "2023-01-01")
HOUR = 3_600_000


def changed(bars: Bars, keep: np.ndarray | None = None, **columns: np.ndarray) -> Bars:
    rows = np.arange(len(bars)) if keep is None else keep
    values = {name: columns.get(name, getattr(bars, name))[rows] for name in ("ts", *COLUMNS)}
    return Bars(instrument=bars.instrument, timeframe=bars.timeframe, **values)


def kinds(bars: Bars, **more: object) -> set[tuple[str, str]]:
    return {(one.kind, one.cause) for one in check(bars, **more)}


@pytest.mark.parametrize("name", CLEAN)
def test_nothing_is_invented_on_clean_series(name: str) -> None:
    assert {kind for kind, _ in kinds(SAMPLES[name])} <= {"gap"}
    assert kinds(BITCOIN) == set()


@pytest.mark.parametrize("seed", range(12))
def test_planted_spikes_are_found_where_they_are(seed: int) -> None:
    draw = np.random.default_rng(seed)
    row, times = int(draw.integers(100, len(BITCOIN) - 100)), float(draw.choice([0.3, 0.6, 1.5, 10.0]))
    length = int(draw.integers(1, 4))
    prices = {name: getattr(BITCOIN, name).copy() for name in COLUMNS[:4]}
    for values in prices.values():
        values[row : row + length] *= times
    found = check(changed(BITCOIN, **prices)).of("outlier")
    spikes = [one for one in found if one.cause == "spike"]
    assert [(one.start, one.bars) for one in spikes] == [(int(BITCOIN.ts[row]), length)]


@pytest.mark.parametrize("seed", range(6))
def test_planted_holes_are_counted_and_have_the_cause_that_was_recorded(seed: int) -> None:
    draw = np.random.default_rng(seed)
    row, length = int(draw.integers(50, len(BITCOIN) - 50)), int(draw.integers(1, 30))
    bars = changed(BITCOIN, np.delete(np.arange(len(BITCOIN)), slice(row, row + length)))
    assert [(one.start, one.bars, one.cause) for one in check(bars)] == [(int(BITCOIN.ts[row]), length, "unknown")]
    assert kinds(bars, coverage=[(bars.start, bars.end)]) == {("gap", "outage")}
    assert kinds(bars, coverage=[(bars.start, int(BITCOIN.ts[row]) + 1)]) == {("gap", "omission")}


def test_planted_silence_repetition_and_an_early_end_are_found() -> None:
    volume = BITCOIN.volume.copy()
    volume[500:505] = 0
    assert [(one.kind, one.bars) for one in check(changed(BITCOIN, volume=volume))] == [("zero_volume", 5)]
    repeated = {name: getattr(BITCOIN, name).copy() for name in COLUMNS}
    for values in repeated.values():
        values[701] = values[700]
    assert ("duplicate", "repeated") in kinds(changed(BITCOIN, **repeated))
    assert kinds(BITCOIN[:2_000], ends=[BITCOIN.end]) == {("early_end", "")}
    assert kinds(BITCOIN[:2_000], ends=[BITCOIN.end], coverage=[(BITCOIN.start, BITCOIN.end)]) == {
        ("early_end", "delisting")
    }


def test_rows_show_duplicates_offsets_and_jitter() -> None:
    bars = BITCOIN[:200]
    columns = {name: getattr(bars, name) for name in COLUMNS}
    assert inspect_rows(bars.ts, columns, "1h") == ()

    def found(ts: np.ndarray, **more: np.ndarray) -> list[tuple[str, str, int]]:
        return [(one.kind, one.cause, one.bars) for one in inspect_rows(ts, columns | more, "1h")]

    ts = bars.ts.copy()
    ts[50] = ts[49]
    assert ("duplicate", "contradicting", 1) in found(ts)
    ts = bars.ts.copy()
    ts[60:100] += 28 * 60_000 + 14_000
    assert found(ts) == [("clock_skew", "offset", 40)]
    ts = bars.ts + np.random.default_rng(1).integers(1, 90, len(bars))
    assert found(ts) == [("clock_skew", "jitter", 200)]
    ts = bars.ts.copy()
    ts[70] += 600_000
    assert found(ts) == [("off_grid", "", 1)]
    close = bars.close.copy()
    close[5] = np.nan
    assert found(bars.ts, close=close) == [("invalid", "", 1)]


def test_another_venue_shows_a_bad_print_and_a_wrong_clock() -> None:
    other = replace(BITCOIN, instrument=replace(BITCOIN.instrument, venue="kraken"))
    assert kinds(BITCOIN, others=[other]) == set()
    close = BITCOIN.close.copy()
    close[3_000] *= 1.03
    bars = changed(BITCOIN, close=close, high=np.maximum(BITCOIN.high, close))
    assert ("outlier", "venue") in kinds(bars, others=[other])
    late = changed(BITCOIN, ts=BITCOIN.ts + HOUR)
    [skew] = check(late, others=[other]).of("clock_skew")
    assert (skew.cause, skew.size) == ("lag", HOUR)


def test_filled_bars_are_marked_and_counted_and_nothing_later_is_used() -> None:
    holed = changed(BITCOIN, np.delete(np.arange(len(BITCOIN)), slice(10, 14)))
    full = fill_gaps(holed, "previous")
    assert fill_gaps(holed) is holed and fill_gaps(holed, "previous", longest=3) is holed
    assert full.ts.tolist() == BITCOIN.ts.tolist() and np.flatnonzero(full.filled).tolist() == [10, 11, 12, 13]
    assert set(full.close[10:14]) == {BITCOIN.close[9]} and not full.volume[10:14].any()
    assert full.quality.summary["filled"] == 4
    with pytest.raises(DataError, match="fill = 'linear' is not one of"):
        fill_gaps(holed, "linear")


def test_a_backtest_on_too_many_missing_or_filled_bars_is_refused_with_the_numbers() -> None:
    holed = changed(BITCOIN, np.delete(np.arange(len(BITCOIN)), slice(1_000, 1_900)))
    signals = wb.Signals(entry=np.zeros(len(holed), bool), exit=np.zeros(len(holed), bool))
    with pytest.raises(DataError, match=r"900 bars are missing in 1 gaps .* that is 10\.\d+% and the limit is 5\.00%"):
        wb.backtest(signals, holed)
    result = wb.backtest(signals, holed, max_missing=0.2)
    assert result.quality["BTC/USDT"]["missing"] == 900
    full = fill_gaps(holed, "previous")
    blank = wb.Signals(entry=np.zeros(len(full), bool), exit=np.zeros(len(full), bool))
    with pytest.raises(DataError, match="900 were made by a fill rule"):
        wb.backtest(blank, full)


def test_the_lake_keeps_both_values_of_a_revision_and_what_was_decided(tmp_path: Path) -> None:
    lake, bars = wb.Lake(tmp_path), BITCOIN[:500]
    lake.write(changed(bars, np.delete(np.arange(500), slice(100, 105))), source="a")
    again = changed(bars[:20], volume=bars.volume[:20] + 1)
    for _ in range(2):  # the same contradiction twice is one
        lake.write(again, on_conflict="keep", source="b")
    kept = lake.revisions("BTC/USDT", "1h")
    assert len(kept) == 20 and set(kept["took"]) == {"kept"}
    np.testing.assert_array_equal(kept["new_volume"], kept["old_volume"] + 1)
    found = lake.quality("BTC/USDT", "1h")
    assert {one.kind for one in found} == {"revision", "gap"}
    [gap] = found.of("gap")
    lake.decide("BTC/USDT", "1h", gap, "fill", note="short")
    assert int(lake.read("BTC/USDT", "1h", fill="decided").filled.sum()) == 5
    assert lake.read("BTC/USDT", "1h").filled is None
    assert lake.decide("BTC/USDT", "1h", gap.id, "accept").missing == 0
    with pytest.raises(DataError, match="has no finding"):
        lake.decide("BTC/USDT", "1h", "gap@1999-01-01", "accept")
