"""Finer bars inside the strategy's bars: which are taken, what becomes of them, and what contradicts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import workbench as wb
from workbench.backtest.detail import base_bars, find_details
from workbench.errors import ConfigError, DataError

COLUMNS = ("open", "high", "low", "close", "volume")
MINUTE = 60_000
START = 1_704_067_200_000
BTC = wb.Instrument(symbol="BTC/USDT", venue="binance", quote="USDT")


def minutes(n: int, *, seed: int = 0, keep: np.ndarray | None = None, instrument: wb.Instrument = BTC) -> wb.Bars:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 1e-3, n)))
    opened = np.concatenate(([100.0], close[:-1]))
    rows = {
        "ts": START + np.arange(n) * MINUTE, "open": opened, "high": np.maximum(opened, close) * 1.0005,
        "low": np.minimum(opened, close) * 0.9995, "close": close, "volume": rng.uniform(1, 9, n),
    }  # fmt: skip
    kept = slice(None) if keep is None else keep
    return wb.Bars(instrument=instrument, timeframe="1m", **{name: values[kept] for name, values in rows.items()})


def longer(bars: wb.Bars, timeframe: str = "5m") -> wb.Bars:
    return wb.data.resample(bars, timeframe)


def test_without_detail_the_strategys_bars_are_the_market() -> None:
    bars = longer(minutes(20))
    for detail in (None, minutes(20)[:0]):
        base = base_bars(bars, detail)
        assert base.word is None and base.ts is bars.ts and base.high is bars.high
        assert base.span.tolist() == [5 * MINUTE]


def test_bars_that_are_covered_are_resolved() -> None:
    fine = minutes(20)
    base = base_bars(longer(fine), fine)
    for name in ("ts", *COLUMNS):
        np.testing.assert_array_equal(getattr(base, name), getattr(fine, name))
    assert base.span.tolist() == [MINUTE]
    assert base.word.tolist() == [-1, -1, -1, -1, 0, -1, -1, -1, -1, 1, -1, -1, -1, -1, 2, -1, -1, -1, -1, 3]


def test_a_bar_that_is_covered_in_part_drives_the_market_itself() -> None:
    whole = minutes(20)
    bars = longer(whole)
    fine = minutes(20, keep=np.arange(20) != 7)  # the second strategy bar lacks a minute
    base = base_bars(bars, fine)
    assert ((base.ts - START) // MINUTE).tolist() == [0, 1, 2, 3, 4, 5, *range(10, 20)]
    assert (base.span // MINUTE).tolist() == [1] * 5 + [5] + [1] * 10
    assert base.word.tolist() == [-1, -1, -1, -1, 0, 1, -1, -1, -1, -1, 2, -1, -1, -1, -1, 3]
    assert (base.open[5], base.high[5], base.low[5], base.close[5], base.volume[5]) == tuple(
        getattr(bars, name)[1] for name in COLUMNS
    )
    assert not any(array.flags.writeable for array in base)


@settings(max_examples=100)
@given(
    n=st.integers(1, 60), parts=st.sampled_from([2, 3, 5]), seed=st.integers(0, 99), gone=st.floats(0, 0.5),
    lost=st.floats(0, 0.5),
)  # fmt: skip
def test_any_holes_in_either_series(n: int, parts: int, seed: int, gone: float, lost: float) -> None:
    rng = np.random.default_rng(seed)
    whole = minutes(n * parts, seed=seed)
    bars = longer(whole, f"{parts}m")
    held = rng.random(n) >= gone
    held[rng.integers(n)] = True
    bars = wb.Bars(instrument=BTC, timeframe=bars.timeframe, **{c: getattr(bars, c)[held] for c in ("ts", *COLUMNS)})
    fine = minutes(n * parts, seed=seed, keep=rng.random(n * parts) >= lost)
    base = base_bars(bars, fine)
    rows, words, there = [], [], {int(ts): k for k, ts in enumerate(fine.ts)}
    for i, ts in enumerate(bars.ts.tolist()):
        inside = [there.get(ts + k * MINUTE) for k in range(parts)]
        covered = None not in inside
        source, which = (fine, inside) if covered else (bars, [i])
        span = MINUTE if covered else parts * MINUTE
        rows += [[int(source.ts[k]), span, *(float(getattr(source, c)[k]) for c in COLUMNS)] for k in which]
        words += [*[-1] * (len(which) - 1), i]
    span = np.broadcast_to(base.span, base.ts.shape)
    np.testing.assert_array_equal(np.column_stack([base.ts, span, *(getattr(base, c) for c in COLUMNS)]), rows)
    assert words == (list(range(len(bars))) if base.word is None else base.word.tolist())


@pytest.mark.parametrize("name", ["open", "high", "low", "close"])
def test_detail_that_contradicts_is_refused_at_the_first_bar(name: str) -> None:
    fine = minutes(20)
    columns = {one: getattr(longer(fine), one).copy() for one in ("ts", *COLUMNS)}
    row = 2
    columns[name][row] *= {"open": 1.0002, "close": 1.0002, "high": 1.0002, "low": 0.9998}[name]
    columns["high"][row] = max(columns["high"][row], columns[name][row])
    wrong = wb.Bars(instrument=BTC, timeframe="5m", **columns)
    with pytest.raises(
        DataError, match=rf"5m bar of BTC/USDT at 2024-01-01 00:10.* has {name} .*its finer bars say.*; 1 "
    ):
        base_bars(wrong, fine)
    rough = wb.Bars(instrument=BTC.replace(tick_size=1.0), timeframe="5m", **columns)
    assert base_bars(rough, fine).word is not None  # within a tick


def test_bars_are_found_by_their_symbol() -> None:
    other = BTC.replace(symbol="ETH/USDT")
    series = [longer(minutes(20)), longer(minutes(20, instrument=other))]
    found = find_details([minutes(20, instrument=other)], series)
    assert list(found) == ["ETH/USDT"]
    assert find_details(None, series) == {}


@pytest.mark.parametrize(
    ("detail", "error", "message"),
    [
        (5, ConfigError, "detail is 5; give a timeframe such as '1m'"),
        ([5], ConfigError, r"detail is \[5\]; give"),
        ("fine", ConfigError, "detail = 'fine' is no timeframe such as '1m', nor 'auto'"),
        ("5m", ConfigError, "detail of 5m: not finer than the 5m bars of BTC/USDT"),
        ("1h", ConfigError, "detail of 1h: not finer"),
        ("2m", ConfigError, "detail of 2m: not finer than the 5m bars of BTC/USDT, or no divisor"),
        (longer(minutes(20)), ConfigError, "detail of 5m: not finer"),
        ([minutes(5), minutes(9)], DataError, "detail: BTC/USDT is given twice"),
        (minutes(5, instrument=BTC.replace(symbol="X")), DataError, "detail: X is not among what is traded: BTC/USDT"),
    ],
)
def test_detail_that_cannot_be_is_named(detail: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        find_details(detail, [longer(minutes(20))])


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> wb.Lake:
    """The lake of a workspace of its own."""
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    return wb.lake()


def test_a_timeframe_is_read_from_the_lake_in_the_range_of_the_bars(lake: wb.Lake) -> None:
    fine = minutes(60)
    lake.write(fine)
    bars = longer(fine)[3:9]
    for detail in ("1m", wb.Timeframe.parse("1m")):
        assert find_details(detail, [bars])["BTC/USDT"] == fine[15:45]
    with pytest.raises(DataError, match=r"has no ETH/USDT 1m at binance") as caught:
        find_details("1m", [longer(minutes(60, instrument=BTC.replace(symbol="ETH/USDT")))])
    assert "while looking for the detail of <Bars ETH/USDT 5m" in caught.value.__notes__[0]


def test_auto_takes_the_finest_that_covers_the_range_or_nothing(lake: wb.Lake) -> None:
    fine = minutes(60)
    bars = longer(fine, "15m")
    assert find_details("auto", [bars]) == {}
    lake.write(longer(fine))
    lake.write(minutes(60, instrument=BTC.replace(venue="kraken")))
    assert str(find_details("auto", [bars])["BTC/USDT"].timeframe) == "5m"  # the venue's own
    lake.write(fine[:50])
    assert str(find_details("auto", [bars])["BTC/USDT"].timeframe) == "5m"  # the minutes end too early
    assert find_details("auto", [bars[:3]])["BTC/USDT"] == fine[:45]
