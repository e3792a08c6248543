"""No drift, no residue, no cancellation: windows against exact arithmetic on long and hostile series."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import indicators as ind


@pytest.fixture(scope="module")
def long() -> np.ndarray:
    """A million prices."""
    rng = np.random.default_rng(11)
    return 20_000.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, 1_000_000)))


def windows(values: np.ndarray, length: int) -> list[tuple[int, np.ndarray]]:
    """Give some windows of a series and the places where they end, the last one included."""
    ends = np.linspace(length - 1, len(values) - 1, 400).astype(int)
    return [(int(end), values[end - length + 1 : end + 1]) for end in ends]


@pytest.mark.parametrize("length", [2, 20, 1_000, 50_000])
def test_the_mean_of_a_million_bars_does_not_drift(long: np.ndarray, length: int) -> None:
    means = ind.sma(long, length)
    for end, window in windows(long, length):
        assert means[end] == pytest.approx(math.fsum(window) / length, rel=1e-13)


@pytest.mark.parametrize("length", [20, 1_000])
def test_the_deviation_of_a_million_bars_does_not_drift(long: np.ndarray, length: int) -> None:
    deviations = ind.standard_deviation(long, length)
    for end, window in windows(long, length):
        exact = np.sqrt(np.mean(np.square(window.astype(np.longdouble) - np.mean(window.astype(np.longdouble)))))
        assert deviations[end] == pytest.approx(float(exact), rel=1e-11)


def test_a_small_movement_of_a_large_price_is_not_cancelled_away() -> None:
    values = 1e9 + 1e-3 * np.random.default_rng(3).integers(-5, 6, 5_000)
    deviations = ind.standard_deviation(values, 50)
    for end, window in windows(values, 50):
        assert deviations[end] == pytest.approx(statistics.pstdev(map(Fraction, window)), rel=1e-9)


def test_a_huge_value_leaves_no_trace_once_it_has_left_the_window(long: np.ndarray) -> None:
    clean, hit = long[:2_000].copy(), long[:2_000].copy()
    hit[777] = 1e300
    for function in (ind.sma, ind.standard_deviation, ind.highest, ind.lowest):
        np.testing.assert_allclose(function(hit, 20)[797:], function(clean, 20)[797:], rtol=1e-13)


@given(
    values=st.lists(st.integers(-1_000, 1_000), min_size=1, max_size=50),
    base=st.sampled_from([0, 10**4, 10**8]),
    length=st.integers(1, 12),
)
def test_windows_equal_exact_arithmetic(values: list[int], base: int, length: int) -> None:
    prices = [base + value for value in values]
    mean, deviation = ind.sma(prices, length), ind.standard_deviation(prices, length)
    top, bottom = ind.highest(prices, length), ind.lowest(prices, length)
    for end in range(len(prices)):
        window = prices[max(0, end - length + 1) : end + 1]
        if len(window) < length:
            assert all(np.isnan(line[end]) for line in (mean, deviation, top, bottom))
            continue
        assert mean[end] == pytest.approx(float(Fraction(sum(window), length)), rel=1e-14, abs=1e-12)
        assert deviation[end] == pytest.approx(statistics.pstdev(window), rel=1e-9)
        assert (deviation[end] == 0.0) == (len(set(window)) == 1)
        assert (top[end], bottom[end]) == (max(window), min(window))


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=80))
def test_bounded_indicators_stay_in_their_bounds(values: list[float]) -> None:
    close = np.array(values)
    trend = ind.adx(close * 1.01, close * 0.99, close, 3)
    for line in (ind.rsi(close, 3), *ind.stochastic(close * 1.01, close * 0.99, close, 3, 1, 1), *trend):
        there = line[np.isfinite(line)]
        assert ((there >= 0.0) & (there <= 100.0 * (1.0 + 1e-14))).all()


def test_a_market_that_only_rises_or_falls() -> None:
    up = np.arange(1.0, 60.0)
    assert (ind.rsi(up)[14:] == 100.0).all()
    assert (ind.rsi(up[::-1])[14:] == 0.0).all()
    rise = ind.adx(up + 1.0, up, up + 0.5)
    assert (rise.adx[27:] == 100.0).all()
    assert (rise.minus_di[14:] == 0.0).all()
    fall = ind.adx(60.0 - up, 59.0 - up, 59.5 - up)
    assert (fall.plus_di[14:] == 0.0).all()
    assert (fall.minus_di[14:] > 0.0).all()


def test_prices_of_a_billionth_are_as_good_as_others() -> None:
    close = 1e-14 * (100.0 + np.cumsum(np.random.default_rng(5).integers(-3, 4, 500)))
    np.testing.assert_allclose(ind.rsi(close), ind.rsi(2.0**40 * close), rtol=1e-12)
