"""Statistics of windows against TA-Lib, numpy, scipy, pandas and published figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import talib

from tests.indicators.real import assert_close, bars
from workbench.errors import StrategyError
from workbench.indicators import persistence
from workbench.indicators.distribution import (
    entropy,
    kurtosis,
    mean_absolute_deviation,
    skewness,
    variance,
    zscore,
)
from workbench.indicators.levels import drawdown
from workbench.indicators.order_statistics import median, median_absolute_deviation, percent_rank, quantile
from workbench.indicators.pairs import autocorrelation, beta, correlation, covariance, half_life, spread_zscore
from workbench.indicators.regression import (
    linear_regression,
    linear_regression_angle,
    linear_regression_slope,
    r_squared,
    standard_error,
)

CLOSE = bars("binance_BTC-USDT_1h")["close"]
OTHER = bars("gym-anytrading_EUR-USD_1h")["close"][:1_500]
SHORT = CLOSE[:1_500]


def windows(values: np.ndarray, length: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(values, length)


def of_windows(function: object, values: np.ndarray, length: int) -> np.ndarray:
    """Apply a function to each window, with NaN before the first."""
    made = [function(window) for window in windows(values, length)]  # type: ignore[operator]
    return np.concatenate([np.full(length - 1, np.nan), made])


@pytest.mark.parametrize("length", [2, 14, 100])
def test_equal_to_talib(length: int) -> None:
    lines = linear_regression(CLOSE, length)
    assert_close(lines.line, talib.LINEARREG(CLOSE, length))
    assert_close(lines.intercept, talib.LINEARREG_INTERCEPT(CLOSE, length))
    assert_close(lines.forecast, talib.TSF(CLOSE, length))
    assert_close(linear_regression_slope(CLOSE, length), talib.LINEARREG_SLOPE(CLOSE, length))
    assert_close(linear_regression_angle(CLOSE, length), talib.LINEARREG_ANGLE(CLOSE, length))
    assert_close(variance(CLOSE, length), talib.VAR(CLOSE, length))
    assert_close(mean_absolute_deviation(CLOSE, length), talib.AVGDEV(CLOSE, length))
    assert_close(beta(SHORT, OTHER, length), talib.BETA(OTHER, SHORT, length), rtol=1e-8)
    if length > 2:  # of two points TA-Lib's own rounding decides
        assert_close(correlation(SHORT, OTHER, length), talib.CORREL(SHORT, OTHER, length))


def test_equal_to_published_values_from_the_first_one_on() -> None:
    table = pd.read_csv(Path(__file__).parent / "stock_indicators_flow.csv", comment="#", index_col="row")
    close, other = table["close"], table["other"]
    mine = {
        "beta": beta(other, close, 50),
        "correlation": correlation(other, close),
        "covariance": covariance(other, close),
        "mean_absolute_deviation": mean_absolute_deviation(close),
        "r_squared": r_squared(close),
        "slope": linear_regression_slope(close),
        "zscore": zscore(close),
    }
    for name, line in mine.items():
        np.testing.assert_array_equal(line.isna(), table[name].isna(), err_msg=name)
        np.testing.assert_allclose(line, table[name], rtol=1e-9, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("length", [19, 50])
def test_equal_to_scipy_and_numpy(length: int) -> None:
    made = windows(CLOSE, length)
    tail = slice(length - 1, None)
    assert_close(skewness(CLOSE, length)[tail], scipy.stats.skew(made, axis=1, bias=False))
    assert_close(kurtosis(CLOSE, length)[tail], scipy.stats.kurtosis(made, axis=1, bias=False))
    np.testing.assert_array_equal(median(CLOSE, length)[tail], np.median(made, axis=1))
    assert_close(quantile(CLOSE, length, 0.31)[tail], np.quantile(made, 0.31, axis=1), rtol=1e-13)
    assert_close(median_absolute_deviation(CLOSE, length)[tail], scipy.stats.median_abs_deviation(made, axis=1))
    assert_close(drawdown(CLOSE, length)[tail], CLOSE[tail] / made.max(axis=1) - 1.0)
    ranks = 100.0 * (windows(CLOSE, length + 1)[:, :-1] < CLOSE[length:, None]).mean(axis=1)
    np.testing.assert_allclose(percent_rank(CLOSE, length)[length:], ranks, rtol=1e-14)


def test_equal_to_pandas_for_a_series_and_its_own_past() -> None:
    lagged = pd.Series(SHORT).shift(3)
    assert_close(autocorrelation(SHORT, 50, 3), pd.Series(SHORT).rolling(50).corr(lagged).to_numpy(), rtol=1e-7)


def test_equal_to_a_regression_of_each_window() -> None:
    def error(window: np.ndarray) -> float:
        _, residuals, *_ = np.polyfit(np.arange(len(window)), window, 1, full=True)
        return float(np.sqrt(residuals[0] / (len(window) - 2)))

    def life(window: np.ndarray) -> float:
        bars = -np.log(2.0) / scipy.stats.linregress(window[:-1], np.diff(window)).slope
        return bars if 0.0 < bars < len(window) - 1 else len(window) - 1.0

    assert_close(standard_error(SHORT), of_windows(error, SHORT, 14))
    assert_close(half_life(SHORT, 60), of_windows(life, SHORT, 61), rtol=1e-7)
    spreads = np.full(len(SHORT), np.nan)
    for i in range(59, len(SHORT)):
        ours, theirs = SHORT[i - 59 : i + 1], OTHER[i - 59 : i + 1]
        fit = scipy.stats.linregress(theirs, ours)
        residuals = ours - fit.intercept - fit.slope * theirs
        spreads[i] = residuals[-1] / residuals.std()
    assert_close(spread_zscore(SHORT, OTHER, 60), spreads, rtol=1e-7)


def test_entropy_is_that_of_the_histogram() -> None:
    def expected(window: np.ndarray) -> float:
        return float(scipy.stats.entropy(np.histogram(window, bins=8)[0]) / np.log(8.0))

    whole = np.round(SHORT)  # numpy moves values on an edge between two bins one way, rounding another
    changes = np.diff(whole) + np.random.default_rng(2).random(len(whole) - 1)
    assert_close(entropy(changes, 60, 8), of_windows(expected, changes, 60), rtol=1e-12)
    assert entropy(np.arange(100.0), 100, 10)[-1] == pytest.approx(1.0, abs=1e-15)


def test_hurst_is_the_slope_of_the_spread_over_the_distance() -> None:
    lags = np.arange(2, 12)

    def expected(window: np.ndarray) -> float:
        spreads = [np.std(window[lag:] - window[:-lag]) for lag in lags]
        return float(scipy.stats.linregress(np.log(lags), np.log(spreads)).slope)

    assert_close(persistence.hurst(SHORT, 80, 12), of_windows(expected, SHORT, 80))
    walk = np.cumsum(np.random.default_rng(3).normal(size=20_000))
    assert np.nanmean(persistence.hurst(walk, 1_000)) == pytest.approx(0.5, abs=0.03)


def test_the_variance_ratio_is_that_of_lo_and_mackinlay() -> None:
    def expected(window: np.ndarray) -> float:
        path, lag = np.log(window), 4
        steps = len(path) - 1
        mean = (path[-1] - path[0]) / steps
        short = ((np.diff(path) - mean) ** 2).sum() / (steps - 1)
        share = lag * (steps - lag + 1) * (1.0 - lag / steps)
        return float(((path[lag:] - path[:-lag] - lag * mean) ** 2).sum() / share / short)

    assert_close(persistence.variance_ratio(SHORT, 60, 4), of_windows(expected, SHORT, 61))


def test_a_log_return_needs_prices_above_zero() -> None:
    values = [1.0, np.e, -1.0, 1.0, 1.0, np.nan, 1.0, 1.0]
    expected = [np.nan, 1.0, np.nan, np.nan, 0.0, np.nan, np.nan, 0.0]
    np.testing.assert_allclose(persistence.log_return(values), expected)


def test_what_does_not_return_to_a_mean_has_the_longest_half_life() -> None:
    assert half_life(1.1 ** np.arange(60.0), 20)[-1] == 20.0
    halving = 8.0 + 0.5 ** np.arange(30.0)
    assert half_life(halving, 10)[15] == pytest.approx(np.log(2.0) / 0.5, rel=1e-6)


def test_exact_fits_leave_exactly_nothing() -> None:
    line = 3.0 + 0.25 * np.arange(50.0)
    assert (standard_error(line)[13:] == 0.0).all()
    assert (r_squared(line)[13:] == 1.0).all()
    assert (spread_zscore(2.0 * line, line, 20)[19:] == 0.0).all()
    np.testing.assert_allclose(correlation(line, -line)[19:], -1.0, rtol=1e-14)


def test_a_value_that_has_left_the_window_leaves_no_trace() -> None:
    wild, calm = np.array([1e15, -1e15, 1e15]), SHORT[:100]
    for function in (variance, skewness, kurtosis, linear_regression_slope, median, standard_error):
        np.testing.assert_allclose(function(np.concatenate([wild, calm]), 10)[13:], function(calm, 10)[10:], rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: linear_regression(CLOSE, 1), "linear_regression: length is 1; give at least 2 bars"),
        (lambda: standard_error(CLOSE, 2), "standard_error: length is 2; give at least 3 bars"),
        (lambda: kurtosis(CLOSE, 3), "kurtosis: length is 3; give at least 4 bars"),
        (lambda: quantile(CLOSE, 5, 1.0), "quantile: share is 1.0; give a number between 0 and 1"),
        (lambda: entropy(CLOSE, 5, 1), "entropy: bins is 1; give a whole number from 2 to 1000"),
        (lambda: persistence.hurst(CLOSE, 10, 20), "hurst: max_lag is 20 and length 10"),
        (lambda: persistence.variance_ratio(CLOSE, 10, 10), "variance_ratio: lag is 10 and length 10"),
    ],
)
def test_lengths_that_make_no_sense_are_refused(call: object, message: str) -> None:
    with pytest.raises(StrategyError, match=message):
        call()  # type: ignore[operator]
