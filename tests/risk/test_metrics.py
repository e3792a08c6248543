"""Metrics: worked examples, edges, scaling, and the numbers that empyrical publishes for its own tests."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

import workbench as wb
from workbench.errors import DataError
from workbench.risk import metrics as m

RETURNS = st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=60).map(np.array)

# Returns and results of empyrical-reloaded 0.7.1 (Apache-2.0), tests/test_stats.py: `mixed_returns` without its NaN.
EMPYRICAL = np.array([1.0, 10.0, -4.0, 2.0, 3.0, 2.0, 1.0, -10.0]) / 100


def test_returns_begin_with_the_cash() -> None:
    np.testing.assert_allclose(m.returns_of([110.0, 99.0], 100.0), [0.1, -0.1])


def test_returns_after_ruin_are_zero() -> None:
    assert m.returns_of([50.0, 0.0, 0.0, -5.0, -5.0], 100.0).tolist() == [-0.5, -1.0, 0.0, 0.0, 0.0]


def test_sharpe_worked_by_hand() -> None:
    # mean 0.02; deviations -0.01, 0, 0.01; sample variance 0.0001; 0.02 / 0.01 = 2, times sqrt(252)
    assert m.sharpe_ratio([0.01, 0.02, 0.03], 252) == pytest.approx(2 * math.sqrt(252))


def test_sortino_worked_by_hand() -> None:
    # mean 0.01; squares of the losses 0, 0.0004, 0, 0 over four bars: root 0.01
    assert m.sortino_ratio([0.02, -0.02, 0.02, 0.02], 365) == pytest.approx(0.01 / 0.01 * math.sqrt(365))


def test_published_values() -> None:
    assert m.max_drawdown(EMPYRICAL) == pytest.approx(-0.1)
    assert m.sharpe_ratio(EMPYRICAL, 252) == pytest.approx(1.7238613961706866)
    assert m.sortino_ratio(EMPYRICAL, 252) == pytest.approx(2.605531251673693)
    assert m.annualised_volatility(EMPYRICAL, 252) == pytest.approx(0.9136465399704637)


def test_annual_growth_is_actual_365() -> None:
    assert m.growth_rate(0.21, 2.0) == pytest.approx(0.1)
    assert m.growth_rate(-1.0, 3.0) == m.growth_rate(-1.5, 3.0) == -1.0
    assert math.isnan(m.growth_rate(0.1, 0.0))
    assert math.isnan(m.growth_rate(1e9, 1e-4))  # beyond what a float can say


def test_drawdown_names_its_bars() -> None:
    fall = m.deepest_drawdown([100, 120, 120, 90, 100, 125, 110], 100.0)
    assert fall == m.Drawdown(-0.25, 2, 3, 5)
    assert m.deepest_drawdown([90, 80, 95], 100.0) == m.Drawdown(pytest.approx(-0.2), -1, 1, -1)
    assert m.deepest_drawdown([100, 101], 100.0) == m.Drawdown(0.0, -1, -1, -1)


def test_trade_numbers() -> None:
    profits = [10.0, -5.0, 0.0, 15.0]
    assert m.win_rate(profits) == 0.5
    assert m.profit_factor(profits) == 5.0
    assert m.expectancy(profits) == 5.0
    assert m.turnover(2_000.0, [100.0, 300.0], 2.0) == 5.0
    assert m.calmar_ratio([0.2, -0.25, 0.4], years=1.0) == pytest.approx(0.26 / 0.25)


@pytest.mark.parametrize(
    "value",
    [
        m.sharpe_ratio([], 365), m.sharpe_ratio([0.1], 365), m.sharpe_ratio([0.1] * 5, 365),
        m.sortino_ratio([], 365), m.sortino_ratio([0.1, 0.2], 365), m.annualised_volatility([0.1], 365),
        m.calmar_ratio([0.2], 365), m.win_rate([]), m.profit_factor([]), m.profit_factor([3.0]), m.expectancy([]),
        m.turnover(1.0, [], 1.0), m.turnover(1.0, [5.0], 0.0), m.turnover(1.0, [-5.0], 1.0), m.total_return([]),
        m.total_growth([], 100.0),
    ],
)  # fmt: skip
def test_what_has_no_answer_is_nan(value: float) -> None:
    assert math.isnan(value)


@given(returns=RETURNS, factor=st.floats(0.01, 10))
def test_ratios_do_not_depend_on_scale(returns: np.ndarray, factor: float) -> None:
    for ratio in (m.sharpe_ratio, m.sortino_ratio):
        before, after = ratio(returns, 365), ratio(returns * factor, 365)
        # a spread at the edge of what floats resolve has no ratio worth comparing
        if returns.std() > 1e-9 and not math.isnan(before):
            assert after == pytest.approx(before, rel=1e-6)


@given(returns=RETURNS)
def test_pandas_and_lists_give_the_same_and_are_left_alone(returns: np.ndarray) -> None:
    kept = returns.copy()
    first = m.sharpe_ratio(returns, 252)
    assert np.array_equal([first], [m.sharpe_ratio(pd.Series(returns), 252)], equal_nan=True)
    assert np.array_equal([first], [m.sharpe_ratio(returns.tolist(), 252)], equal_nan=True)
    np.testing.assert_array_equal(returns, kept)


@given(returns=RETURNS, cash=st.floats(1, 1e6))
def test_drawdown_agrees_with_its_definition(returns: np.ndarray, cash: float) -> None:
    equity = cash * np.cumprod(1 + returns)
    fall = m.deepest_drawdown(equity, cash)
    path = np.concatenate(([cash], equity))
    expected = min(path[j] / path[: j + 1].max() - 1 for j in range(len(path)))
    assert fall.depth == pytest.approx(expected, abs=1e-12)
    if fall.depth < 0:
        assert equity[fall.trough] == pytest.approx(path[fall.start + 1] * (1 + fall.depth))
        assert fall.recovery == -1 or equity[fall.recovery] >= path[fall.start + 1]


def test_annualisation_follows_the_calendar_and_the_timeframe() -> None:
    def periods(symbol: str, timeframe: str, start: str, n: int) -> float:
        step = pd.Timedelta(wb.Timeframe.parse(timeframe).ms, "ms")
        index = pd.date_range(start, periods=n, freq=step, tz="UTC")
        frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close", "volume"), 1.0), index=index)
        return wb.Bars.from_pandas(frame, symbol=symbol, timeframe=timeframe).periods_per_year

    assert periods("BTC/USDT", "1h", "2023-01-01", 100) == 8_760
    assert periods("BTC/USDT", "1d", "2023-01-01", 100) == 365
    assert 249 <= periods("SPX", "1d", "2015-01-05", 5) <= 253
    assert 6_200 <= periods("EUR/USD", "1h", "2023-01-02", 50) <= 6_300


def test_a_wrong_shape_is_a_clear_error() -> None:
    with pytest.raises(DataError, match=r"returns has shape \(1, 1, 1\); give one value a bar"):
        m.sharpe_ratio([[[0.1]]], 365)
    with pytest.raises(DataError, match="equity must be numbers"):
        m.deepest_drawdown(["a"], 1.0)


def test_every_metric_of_a_result_is_described() -> None:
    from tests.backtest.conftest import bars_of

    result = wb.backtest(wb.Signals(entry=[True, False, False]), bars_of([(100, 101, 99, 100)] * 3))
    assert tuple(result.metrics) == m.HEADLINE
    assert all(about.text(result.metrics[name]) for name, about in m.METRICS.items() if name in result.metrics)


def test_growth_that_differs_only_by_rounding_has_no_ratio() -> None:
    steady = m.returns_of(100 * 1.0001 ** np.arange(1, 1_000), 100)
    assert steady.min() < steady.max()
    assert math.isnan(m.sharpe_ratio(steady, 365))
    assert m.annualised_volatility(steady, 365) == 0.0


def test_a_year_made_of_a_few_bars_is_written_short() -> None:
    assert m.METRICS["annualised_return"].text(7.3e37) == "7.3e+37 x"
    assert m.METRICS["calmar_ratio"].text(-2e8) == "\N{MINUS SIGN}2.0e+08"


def test_numbers_are_written_with_the_digits_that_count() -> None:
    mean, held = m.METRICS["mean_return"].text, m.METRICS["average_holding_time"].text
    assert (mean(4.83e-5), mean(-2e-8), mean(0.0123), mean(0.0), mean(1e-12)) == (
        "0.0048 %", "\N{MINUS SIGN}0.0000020 %", "1.23 %", "0.00 %", "0.00 %",
    )  # fmt: skip
    assert (held(19_279.4), held(16.5), held(3.0)) == ("19,279", "16.50", "3")
