"""What holds for every metric of the registry: kinds in and out, edges, scale, order, and no warning ever."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from tests.effort import examples
from workbench.errors import DataError
from workbench.risk import metrics as m
from workbench.risk.metrics.registry import options_of

OF_RETURNS = sorted(name for name, one in m.METRICS.items() if one.needs == "returns")
OF_BENCHMARK = sorted(name for name, one in m.METRICS.items() if one.needs == "benchmark")
OF_DATES = sorted(name for name, one in m.METRICS.items() if one.needs == "dated")
OF_PROFITS = sorted(name for name, one in m.METRICS.items() if one.needs == "profits")
SERIES = st.lists(st.integers(-50_000, 50_000), min_size=3, max_size=60).map(lambda many: np.array(many) / 1e5)
RANDOM = np.random.default_rng(7)
BLOCK = RANDOM.normal(0.001, 0.02, (250, 4))
HELD = RANDOM.normal(0.001, 0.02, 250)


def measure(name: str, returns: Any, benchmark: Any = HELD, periods: float = 252.0) -> Any:
    metric = m.METRICS[name]
    function: Any = metric.function
    given = (returns, benchmark) if metric.needs == "benchmark" else (returns,)
    return function(*given, **options_of(metric, periods))


def test_there_are_as_many_as_promised_and_each_says_what_it_is() -> None:
    assert len(m.METRICS) >= 70
    for name, metric in m.METRICS.items():
        assert metric.label and metric.formula and metric.source, name
        assert metric.function is None or metric.function.__doc__, name
        assert metric.formula.split()[0] in m.explain(name)
    assert len({metric.label for metric in m.METRICS.values()}) == len(m.METRICS)
    with pytest.raises(DataError, match="no metric 'sharp_ratio'; did you mean 'sharpe_ratio'"):
        m.explain("sharp_ratio")


@pytest.mark.parametrize("name", OF_RETURNS + OF_BENCHMARK)
def test_arrays_give_numbers_and_pandas_labelled_pandas(name: str) -> None:
    kept = BLOCK.copy()
    frame = pd.DataFrame(BLOCK, columns=list("abcd"))
    block, labelled = measure(name, BLOCK), measure(name, frame)
    assert isinstance(block, np.ndarray) and block.shape == (4,)
    assert isinstance(labelled, pd.Series) and list(labelled.index) == list("abcd")
    np.testing.assert_array_equal(labelled.to_numpy(), block)
    for column in range(4):
        one = measure(name, BLOCK[:, column])
        assert type(one) is float
        assert one == pytest.approx(block[column], rel=1e-12, nan_ok=True)
        np.testing.assert_equal(measure(name, frame["abcd"[column]]), one)
        np.testing.assert_equal(measure(name, BLOCK[:, column].tolist()), one)
    np.testing.assert_array_equal(BLOCK, kept)


EDGES = {
    "empty": [],
    "single": [0.01],
    "two": [0.01, -0.01],
    "constant": [0.01] * 20,
    "zero": [0.0] * 20,
    "only losses": [-0.01, -0.02, -0.03],
    "ruin": [0.1, -1.0, 0.0, 0.0],
    "debt": [0.1, -1.5, 0.0, 0.0],
    "huge": [1e200, 1e200, 1e200, -0.5],
    "tiny": [1e-300, 2e-300, -1e-300, 5e-324],
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", OF_RETURNS + OF_BENCHMARK)
def test_edges_give_a_number_or_nan_and_no_warning(name: str) -> None:
    for label, series in EDGES.items():
        value = measure(name, series, series[::-1])
        assert type(value) is float, label
        assert not math.isinf(value), label


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", OF_PROFITS)
def test_edges_of_trades(name: str) -> None:
    function: Any = m.METRICS[name].function
    for profits in ([], [0.0], [5.0], [-5.0], [5.0] * 4, [1e300, -1e-300], [5.0, math.nan]):
        value = function(profits)
        assert type(value) is float
        assert not math.isinf(value)
    with pytest.raises(DataError, match="profits has shape"):
        function(np.ones((1, 3, 2)))


@pytest.mark.parametrize("name", OF_PROFITS)
def test_trades_of_many_give_one_number_each_with_its_label(name: str) -> None:
    profits = np.round(BLOCK[:40] * 1_000, 2)
    kept, function = profits.copy(), m.METRICS[name].function
    assert function is not None
    block, labelled = function(profits), function(pd.DataFrame(profits, columns=list("abcd")))
    assert isinstance(block, np.ndarray) and list(labelled.index) == list("abcd")
    np.testing.assert_array_equal(labelled.to_numpy(), block)
    alone = function(pd.Series(profits[:, 1]))
    assert type(alone) is float and alone == block[1]
    np.testing.assert_array_equal(profits, kept)


@pytest.mark.parametrize("name", OF_DATES)
def test_periods_give_numbers_and_labels_and_need_times(name: str) -> None:
    function: Any = m.METRICS[name].function
    days = pd.date_range("2023-11-20", periods=250, freq="D", tz="Europe/Berlin")
    frame = pd.DataFrame(BLOCK, index=days, columns=list("abcd"))
    kept = frame.copy()
    labelled = function(frame)
    assert list(labelled.index) == list("abcd")
    for column in "abcd":
        alone = function(frame[column])
        assert type(alone) is float and alone == pytest.approx(labelled[column], rel=1e-12, nan_ok=True)
    pd.testing.assert_frame_equal(frame, kept)
    assert math.isnan(function(frame["a"].iloc[:0]))
    assert math.isnan(function(frame["a"].where(frame.index != days[9])))
    with pytest.raises(DataError, match="need times"):
        function(BLOCK[:, 0])
    with pytest.raises(DataError, match="do not rise"):
        function(frame["a"].iloc[::-1])


def test_what_keeps_an_account_busy_is_given_for_many_at_once() -> None:
    equity = pd.DataFrame({"a": [100.0, 300.0], "b": [50.0, 50.0], "c": [1.0, math.nan]})
    kept = equity.copy()
    assert m.turnover([2_000.0, 100.0, 1.0], equity, 2.0).round(9).to_dict() == pytest.approx(
        {"a": 5.0, "b": 1.0, "c": math.nan}, nan_ok=True
    )
    assert m.cost_drag(20.0, equity, 2.0)["a"] == 0.05
    assert m.average_exposure(equity * 0.5, equity)[["a", "b"]].tolist() == [0.5, 0.5]
    full = m.capacity(equity, equity * 1_000, equity, share=0.01)
    assert full["b"] == pytest.approx(500.0) and math.isnan(full["c"])
    assert m.turnover(1.0, equity.to_numpy(), 0.0).shape == (3,) and np.isnan(m.turnover(1.0, [1.0], 0.0))
    pd.testing.assert_frame_equal(equity, kept)
    with pytest.raises(DataError, match="traded_value has shape"):
        m.turnover([1.0, 2.0], equity, 1.0)


@pytest.mark.parametrize("name", OF_RETURNS + OF_BENCHMARK)
def test_what_is_not_known_makes_its_own_column_unknown_alone(name: str) -> None:
    for hole in (math.nan, math.inf, -math.inf):
        holed = BLOCK.copy()
        holed[100, 2] = hole
        values, whole = measure(name, holed), measure(name, BLOCK)
        assert math.isnan(values[2])
        np.testing.assert_array_equal(np.delete(values, 2), np.delete(whole, 2))


ORDER_FREE = set(OF_RETURNS) - {
    "autocorrelation", "ewma_volatility", "smart_sharpe_ratio", "smart_sortino_ratio", "average_drawdown",
    "average_drawdown_length", "burke_ratio", "calmar_ratio", "conditional_drawdown", "current_drawdown",
    "drawdown_count", "longest_drawdown", "martin_ratio", "max_drawdown", "pain_index", "pain_ratio",
    "drawdown_at_risk", "projected_recovery",
    "recovery_factor", "serenity_ratio", "stability", "sterling_ratio", "time_under_water", "ulcer_index",
}  # fmt: skip


@given(returns=SERIES, seed=st.integers(0, 9))
def test_the_order_of_returns_counts_only_where_it_should(returns: np.ndarray, seed: int) -> None:
    mixed = np.random.default_rng(seed).permutation(returns)
    for name in ORDER_FREE:
        before, after = measure(name, returns), measure(name, mixed)
        assert after == pytest.approx(before, rel=1e-6, abs=1e-9, nan_ok=True), name


SCALE_FREE = ("sharpe_ratio", "sortino_ratio", "omega_ratio", "gain_to_pain_ratio", "skewness", "kurtosis",
              "tail_ratio", "kappa_three_ratio", "upside_potential", "smart_sharpe_ratio",
              "autocorrelation")  # fmt: skip
LINEAR = ("annualised_volatility", "downside_deviation", "value_at_risk", "expected_shortfall", "mean_return",
          "best_return", "average_loss", "ewma_volatility")  # fmt: skip


@given(returns=SERIES, factor=st.sampled_from([0.25, 0.5, 2.0, 4.0]))
def test_scale(returns: np.ndarray, factor: float) -> None:
    if returns.std() < 1e-6:
        return
    for name in SCALE_FREE:
        assert measure(name, returns * factor) == pytest.approx(measure(name, returns), rel=1e-9, nan_ok=True), name
    for name in LINEAR:
        assert measure(name, returns * factor) == pytest.approx(factor * measure(name, returns), nan_ok=True), name


@given(first=SERIES, second=SERIES)
def test_two_histories_in_a_row(first: np.ndarray, second: np.ndarray) -> None:
    both = np.r_[first, second]
    assert 1 + m.total_return(both) == pytest.approx((1 + m.total_return(first)) * (1 + m.total_return(second)))
    assert m.max_drawdown(both) <= min(m.max_drawdown(first), m.max_drawdown(second)) + 1e-12
    assert m.best_return(both) == max(m.best_return(first), m.best_return(second))
    assert len(both) * m.mean_return(both) == pytest.approx(first.sum() + second.sum(), abs=1e-12)


@given(returns=SERIES)
def test_drawdowns_agree_with_a_loop(returns: np.ndarray) -> None:
    path = np.concatenate(([1.0], np.cumprod(1.0 + returns)))
    below = path / np.maximum.accumulate(path) - 1.0
    below[below > -1e-12] = 0.0  # what compounding rounds is no drawdown
    runs: list[list[float]] = []
    for before, here in pairwise(below):
        if here < 0:
            if before == 0:
                runs.append([])
            runs[-1].append(float(here))
    assert m.drawdown_count(returns) == len(runs)
    assert m.longest_drawdown(returns) == max((len(run) for run in runs), default=0)
    table = m.drawdown_table(returns, most=None)
    assert sorted(table.depth) == pytest.approx(sorted(min(run) for run in runs))
    assert sorted(table.bars) == sorted(len(run) for run in runs)
    if runs:
        assert m.average_drawdown(returns) == pytest.approx(np.mean([min(run) for run in runs]))
        assert m.burke_ratio(returns, years=1.0) == pytest.approx(
            m.total_return(returns) / math.sqrt(sum(min(run) ** 2 for run in runs)), rel=1e-6
        )


@settings(max_examples=examples(40))
@given(seed=st.integers(0, 2**31), yearly=st.floats(-3.0, 3.0), spread=st.floats(0.0005, 0.01), years=st.integers(1, 3))
def test_sharpe_from_hours_and_from_days_agree_within_their_error(
    seed: int, yearly: float, spread: float, years: int
) -> None:
    """Of one account, for Sharpe ratios up to 3 a year: days differ from hours by the noise of their own deviation.

    That noise is about |S| / sqrt(2 x days), below 0.2 of the standard error even where chance adds to the ratio; what
    compounding changes is below a percent of it.
    """
    drift = yearly * spread / math.sqrt(8_760.0)
    hourly = np.random.default_rng(seed).normal(drift, spread, 24 * 365 * years)
    daily = np.prod(1 + hourly.reshape(-1, 24), axis=1) - 1
    error = m.sharpe_standard_error(daily, 365)
    assert abs(m.sharpe_ratio(hourly, 8_760) - m.sharpe_ratio(daily, 365)) < error
    assert m.sharpe_standard_error(hourly, 8_760) == pytest.approx(error, rel=0.15)
    assert error == pytest.approx(1.0 / math.sqrt(years), rel=0.15)
    assert m.annualised_volatility(hourly, 8_760) == pytest.approx(m.annualised_volatility(daily, 365), rel=0.25)
    assert m.total_return(hourly) == pytest.approx(m.total_return(daily), rel=1e-9, abs=1e-12)


def test_the_error_of_sharpe_is_what_repeating_shows() -> None:
    many = np.random.default_rng(11).normal(0.001, 0.01, (500, 2_000))
    assert float(np.std(m.sharpe_ratio(many, 252))) == pytest.approx(
        float(np.mean(m.sharpe_standard_error(many, 252))), rel=0.05
    )


def test_underwater_keeps_the_kind_and_the_labels() -> None:
    days = pd.date_range("2024-01-01", periods=3, tz="UTC")
    series = pd.Series([0.1, -0.1, 0.2], index=days, name="x")
    below = m.underwater(series)
    assert below.index.equals(days) and below.name == "x"
    np.testing.assert_allclose(below, [0.0, -0.1, 0.0], atol=1e-15)
    assert m.underwater(pd.DataFrame({"a": series, "b": -series})).columns.tolist() == ["a", "b"]
    assert m.underwater([0.1, -0.1]).shape == (2,)
    assert m.underwater(np.zeros((5, 2))).shape == (5, 2)


def test_the_sheet_of_many_curves_is_the_sheet_of_each() -> None:
    table = m.all_metrics(pd.DataFrame(BLOCK, columns=list("abcd")), 252, benchmark=HELD)
    assert table.shape == (4, len(OF_RETURNS) + len(OF_BENCHMARK))
    alone = m.all_metrics(BLOCK[:, 1], 252, benchmark=HELD)
    assert table.loc["b"].to_dict() == pytest.approx(alone, nan_ok=True)
    sheet = m.tear_sheet(BLOCK[:, 1], 252, run={"exposure": 0.5})
    assert list(sheet.columns) == [
        "group", "label", "value", "text", "unit", "formula", "convention", "annualised", "source",
    ]  # fmt: skip
    assert sheet.loc["exposure", "text"] == "50.00 %"
    with pytest.raises(DataError, match="a tear sheet is of one series"):
        m.tear_sheet(BLOCK, 252)
    with pytest.raises(DataError, match="no metric 'expozure'"):
        m.tear_sheet(BLOCK[:, 1], 252, run={"expozure": 0.5})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: m.sharpe_ratio(HELD, 0), "periods_per_year is 0; give how many such bars a year has"),
        (lambda: m.annualised_return(HELD), "periods_per_year is nan"),
        (lambda: m.sharpe_ratio(HELD, 252, risk_free=-1.0), "an annual rate is -1.0"),
        (lambda: m.value_at_risk(HELD, level=5), "level is 5; give the confidence as a fraction"),
        (lambda: m.value_at_risk(HELD, method="magic"), "method is 'magic'; it must be one of 'historical'"),
        (lambda: m.value_at_risk(HELD, horizon=0), "horizon is 0"),
        (lambda: m.autocorrelation(HELD, lag=0), "lag is 0"),
        (lambda: m.ewma_volatility(HELD, 252, decay=1.0), "decay is 1.0"),
        (lambda: m.tail_ratio(HELD, level=0.2), "level is 0.2"),
        (lambda: m.conditional_drawdown(HELD, level=1.0), "level is 1.0"),
        (lambda: m.sterling_ratio(HELD, 252, deepest=0), "deepest is 0"),
        (lambda: m.beta(HELD, HELD[:-1]), "the benchmark has 1 series of 249 bars, the returns 1 of 250"),
        (lambda: m.risk_of_ruin([1.0, -1.0], capital=-5), "capital is -5"),
        (lambda: m.bootstrap_interval(m.sharpe_ratio, BLOCK, 252), "an interval is of one series, these are 4"),
        (lambda: m.bootstrap_interval(m.sharpe_ratio, HELD, 252, level=95), "level is 95"),
        (lambda: m.stationary_bootstrap(0, 1, 1.0, 0), "bars=0"),
        (lambda: m.capacity([1.0], [1.0], [1.0], share=0), "share is 0"),
        (lambda: m.capacity([1.0], [1.0, 2.0], [1.0]), "must have the same length"),
        (lambda: m.average_exposure([1.0], [1.0, 2.0]), "must have the same length and columns"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(call: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        call()


def test_a_benchmark_of_other_days_is_refused() -> None:
    days = pd.date_range("2024-01-01", periods=3)
    with pytest.raises(DataError, match="different times"):
        m.beta(pd.Series([0.1, 0.2, 0.3], index=days), pd.Series([0.1, 0.2, 0.3], index=days.shift(1)))


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    inside = 0
    for seed in range(60):
        sample = np.random.default_rng(seed).normal(0.05, 1.0, 200)
        low, high = m.bootstrap_interval(m.sharpe_ratio, sample, 1.0, level=0.9, draws=300, seed=seed)[1:3]
        inside += low <= 0.05 <= high
    assert 46 <= inside <= 60
    again = m.bootstrap_interval(m.sharpe_ratio, HELD, 252)
    assert again == m.bootstrap_interval(m.sharpe_ratio, HELD, 252)
    assert again.low < again.value < again.high
    trades = m.bootstrap_interval(m.win_rate, [1.0, -1.0] * 50)
    assert trades.low == pytest.approx(0.4, abs=0.03) and trades.value == 0.5
    assert math.isnan(m.bootstrap_interval(m.profit_factor, [1.0, 2.0]).low)


def test_runs_of_the_bootstrap_have_the_length_asked_for() -> None:
    places = m.stationary_bootstrap(1_000, 50, 10.0, 0)
    breaks = (np.diff(places, axis=1) % 1_000 != 1).mean()
    assert breaks == pytest.approx(0.1, abs=0.01)


def test_activity() -> None:
    assert m.turnover(2_000.0, [100.0, 300.0], 2.0) == 5.0
    assert m.cost_drag(20.0, [100.0, 300.0], 2.0) == 0.05
    assert m.average_exposure([50.0, -100.0, 5.0], [100.0, 100.0, 0.0]) == 0.75
    assert m.capacity([10.0, 0.0], [1_000.0, 5.0], [100.0, 100.0]) == pytest.approx(0.01 * 1_000 / (10 / 100))
    assert math.isnan(m.capacity([0.0], [1.0], [1.0]))
