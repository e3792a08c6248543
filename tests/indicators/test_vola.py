"""Volatility and momentum: published numbers, numpy's way, and what the parameters promise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import talib
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tests.indicators.catalog import market
from workbench import indicators as ind
from workbench.errors import StrategyError

HERE = Path(__file__).resolve().parent
Floats = NDArray[np.float64]


def windows(values: Floats, length: int) -> Floats:
    """Give the last `length` values at each row; rows of NaN before there are so many."""
    return sliding_window_view(np.concatenate([np.full(length - 1, np.nan), values]), length)


@pytest.fixture(scope="module")
def bars() -> dict[str, Floats]:
    return market(400)


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    """Bars, and what Stock.Indicators publishes for them; the file names its source."""
    return pd.read_csv(HERE / "stock_indicators_vola.csv", comment="#", index_col="row")


def test_equal_to_published_values_from_the_first_one_on(published: pd.DataFrame) -> None:
    bar = published["high"], published["low"], published["close"]
    close = bar[2]
    rays, pmo, starc = ind.elder_ray(*bar), ind.price_momentum_oscillator(close), ind.starc_bands(*bar, 5, 10)
    lines, strength = ind.stochastic_rsi(close, smooth_k=1), ind.tsi(close)
    ours = {
        "cmo": ind.cmo(close), "connors_rsi": ind.connors_rsi(close), "bull": rays.bull, "bear": rays.bear,
        "pmo": pmo.pmo, "pmo_signal": pmo.signal, "stochastic_rsi_k": lines.k, "stochastic_rsi_d": lines.d,
        "tsi": strength.tsi, "tsi_signal": strength.signal, "starc_upper": starc.upper, "starc_lower": starc.lower,
        "starc_middle": starc.middle, "bandwidth": ind.bollinger_bandwidth(close),
        "percent_b": ind.bollinger_percent_b(close), "natr_percent": 100.0 * ind.natr(*bar),
    }  # fmt: skip
    assert set(ours) == set(published.columns) - {"high", "low", "close", "fisher", "fisher_signal"}
    for name, line in ours.items():
        np.testing.assert_allclose(line, published[name], rtol=1e-9, atol=1e-9, err_msg=name)


def test_the_fisher_transform_is_the_published_one_once_its_start_is_forgotten(published: pd.DataFrame) -> None:
    ours = ind.fisher_transform(published["high"], published["low"])
    np.testing.assert_allclose(ours.fisher[80:], published["fisher"][80:], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ours.signal[80:], published["fisher_signal"][80:], rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(ours.signal[10:], ours.fisher.shift()[10:])


def test_the_volatilities_of_whole_bars_are_those_of_their_formulas(bars: dict[str, Floats]) -> None:
    o, h, low, c = (np.log(bars[name]) for name in ("open", "high", "low", "close"))
    given, n, year = [bars[name] for name in ("open", "high", "low", "close")], 15, 365.0
    kinds = {
        "parkinson": (h - low) ** 2 / (4.0 * np.log(2.0)),
        "garman_klass": 0.5 * (h - low) ** 2 - (2.0 * np.log(2.0) - 1.0) * (c - o) ** 2,
        "rogers_satchell": (h - c) * (h - o) + (low - c) * (low - o),
    }
    for name, terms in kinds.items():
        ours = getattr(ind, name)(*(given if name != "parkinson" else given[1:3]), n, year)
        np.testing.assert_allclose(ours, np.sqrt(year * windows(terms, n).mean(axis=1)), rtol=1e-9, err_msg=name)
    jumps = o - np.concatenate([[np.nan], c[:-1]])
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    parts = [windows(jumps, n).var(axis=1, ddof=1), windows(c - o, n).var(axis=1, ddof=1)]
    mixed = parts[0] + k * parts[1] + (1.0 - k) * windows(kinds["rogers_satchell"], n).mean(axis=1)
    np.testing.assert_allclose(ind.yang_zhang(*given, n, year), np.sqrt(year * mixed), rtol=1e-9)


def test_the_volatilities_of_closes_are_those_of_their_formulas(bars: dict[str, Floats]) -> None:
    close = bars["close"]
    changes = np.diff(np.log(close), prepend=np.nan)
    expected = windows(changes, 20).std(axis=1, ddof=1) * np.sqrt(252.0)
    np.testing.assert_allclose(ind.historical_volatility(close), expected, rtol=1e-9)
    variance = np.mean(changes[1:21] ** 2)
    for row in range(21, 400):
        variance = 0.94 * variance + 0.06 * changes[row] ** 2
        if row % 40 == 0:
            assert ind.ewma_volatility(close)[row] == pytest.approx(np.sqrt(252.0 * variance), rel=1e-10)
    falls = close / windows(close, 14).max(axis=1) - 1.0
    np.testing.assert_allclose(ind.ulcer_index(close), np.sqrt((windows(falls, 14) ** 2).mean(axis=1)), rtol=1e-9)


def test_estimators_find_the_volatility_that_a_walk_was_made_with() -> None:
    steps = np.random.default_rng(4).normal(0.0, 0.01 / np.sqrt(500.0), (1_000, 500))
    path = 100.0 * np.exp(np.cumsum(steps).reshape(steps.shape))
    close = path[:, -1]
    opened = np.concatenate([[100.0], close[:-1]])
    high, low = np.maximum(path.max(axis=1), opened), np.minimum(path.min(axis=1), opened)
    bar = (opened, high, low, close)
    found = {
        "close": ind.historical_volatility(close, 900)[-1], "ewma": ind.ewma_volatility(close, 0.999, 900)[-1],
        "parkinson": ind.parkinson(high, low, 900)[-1], "garman_klass": ind.garman_klass(*bar, 900)[-1],
        "rogers_satchell": ind.rogers_satchell(*bar, 900)[-1], "yang_zhang": ind.yang_zhang(*bar, 900)[-1],
    }  # fmt: skip
    for name, volatility in found.items():
        assert volatility == pytest.approx(0.01 * np.sqrt(252.0), rel=0.08), name


@pytest.mark.parametrize(
    "name", ["historical_volatility", "parkinson", "garman_klass", "rogers_satchell", "yang_zhang"]
)
def test_a_year_of_four_times_the_bars_has_twice_the_volatility(name: str, bars: dict[str, Floats]) -> None:
    indicator = ind.get(name)
    given = [bars[one] for one in indicator.inputs]
    np.testing.assert_allclose(indicator(*given, 10, 1_008.0), 2.0 * indicator(*given, 10, 252.0), rtol=1e-14)


def test_a_price_that_is_not_above_zero_has_no_volatility(bars: dict[str, Floats]) -> None:
    for name in ("historical_volatility", "parkinson", "garman_klass", "rogers_satchell", "yang_zhang"):
        indicator = ind.get(name)
        given = {one: bars[one].copy() for one in indicator.inputs}
        given[indicator.inputs[-1]][200] = -1.0
        line = indicator(*given.values(), 5, 252.0)
        assert np.isnan(line[200:205]).all(), name
        assert np.isfinite(line[206:]).all(), name


def test_the_trailing_stop_follows_its_rule(bars: dict[str, Floats]) -> None:
    bar = bars["high"], bars["low"], bars["close"]
    close, reach = bars["close"], 2.0 * ind.atr(*bar, 10)
    ours, stop, crossed = ind.atr_trailing_stop(*bar, 10, 2.0), close[10] - reach[10], 0
    for row in range(11, 400):
        now, last = close[row], close[row - 1]
        crossed += (now > stop) != (last > stop)
        if now > stop and last > stop:
            stop = max(stop, now - reach[row])
        elif now < stop and last < stop:
            stop = min(stop, now + reach[row])
        else:
            stop = now - reach[row] if now > stop else now + reach[row]
        assert ours[row] == pytest.approx(stop, rel=1e-12), row
    assert crossed > 5


def test_the_know_sure_thing_is_the_weighted_sum_of_its_source(bars: dict[str, Floats]) -> None:
    close = bars["close"]
    parts = ((10, 10), (15, 10), (20, 10), (30, 15))
    lines = [ind.sma(ind.rate_of_change(close, rate), smooth) for rate, smooth in parts]
    expected = lines[0] + 2.0 * lines[1] + 3.0 * lines[2] + 4.0 * lines[3]
    ours = ind.kst(close)
    np.testing.assert_allclose(ours.kst, expected, rtol=1e-12)
    np.testing.assert_array_equal(ours.signal, ind.sma(ours.kst, 9))


def test_the_relative_vigor_index_is_that_of_its_formula(bars: dict[str, Floats]) -> None:
    opened, high, low, close = (bars[name] for name in ("open", "high", "low", "close"))
    weights = np.array([1.0, 2.0, 2.0, 1.0]) / 6.0
    bodies, ranges = windows(close - opened, 4) @ weights, windows(high - low, 4) @ weights
    expected = windows(bodies, 10).sum(axis=1) / windows(ranges, 10).sum(axis=1)
    ours = ind.relative_vigor_index(opened, high, low, close)
    np.testing.assert_allclose(ours.rvi, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.signal, windows(expected, 4) @ weights, rtol=1e-9, atol=1e-12)


def test_a_squeeze_is_bollinger_bands_inside_a_keltner_channel(bars: dict[str, Floats]) -> None:
    bar = high, low, close = bars["high"], bars["low"], bars["close"]
    ours, bands = ind.squeeze(*bar, 10, 1.8, 1.5), ind.bollinger(close, 10, 1.8)
    width = 1.5 * ind.sma(ind.true_range(*bar), 10)
    inside = (bands.upper < bands.middle + width) & (bands.lower > bands.middle - width)
    np.testing.assert_array_equal(ours.on[10:], inside[10:])
    assert 20 < inside.sum() < 380
    channel = 0.5 * (ind.highest(high, 10) + ind.lowest(low, 10))
    leaning = close - 0.5 * (channel + ind.sma(close, 10))
    for row in range(18, 400, 9):
        slope, start = np.polyfit(np.arange(10), leaning[row - 9 : row + 1], 1)
        assert ours.momentum[row] == pytest.approx(start + 9.0 * slope, abs=1e-9)


def test_talibs_cmo_is_the_rsi_on_another_scale_and_not_chandes(bars: dict[str, Floats]) -> None:
    close = bars["close"]
    np.testing.assert_allclose(talib.CMO(close, 14), 2.0 * ind.rsi(close, 14) - 100.0, rtol=1e-9, atol=1e-9)
    changes = windows(np.diff(close, prepend=np.nan), 14)
    expected = 100.0 * changes.sum(axis=1) / np.abs(changes).sum(axis=1)
    np.testing.assert_allclose(ind.cmo(close, 14), expected, rtol=1e-9, atol=1e-9)


def test_a_decay_of_one_and_a_window_without_a_deviation_are_refused() -> None:
    with pytest.raises(StrategyError, match=r"ewma_volatility: decay is 1.0; give a number above 0 and below 1"):
        ind.ewma_volatility([1.0, 2.0], decay=1.0)
    for call in (
        lambda: ind.historical_volatility([1.0, 2.0], 1),
        lambda: ind.yang_zhang([1.0], [1.0], [1.0], [1.0], 1),
        lambda: ind.squeeze([1.0], [1.0], [1.0], 1),
        lambda: ind.price_momentum_oscillator([1.0], 1),
    ):
        with pytest.raises(StrategyError, match="give at least 2 bars"):
            call()


def test_an_unchanged_close_ends_the_streak_of_the_connors_rsi() -> None:
    close = np.array([1.0, 2.0, 3.0, 3.0, 4.0, 3.0, 2.0, 2.0, 1.0, 2.0])
    streaks = np.array([0.0, 1.0, 2.0, 0.0, 1.0, -1.0, -2.0, 0.0, -1.0, 1.0])
    ranks = ind.percent_rank(ind.rate_of_change(close, 1), 3)
    expected = (ind.rsi(close, 2) + ind.rsi(streaks, 2) + ranks) / 3.0
    np.testing.assert_allclose(ind.connors_rsi(close, 2, 2, 3), expected, rtol=1e-14)
