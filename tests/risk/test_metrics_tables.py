"""Tables of metrics: edge cases, moving windows, tails by every method, and intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any, get_args

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given

import workbench as wb
from workbench.errors import DataError
from workbench.risk import metrics as m

RANDOM = np.random.default_rng(21)
HELD = RANDOM.normal(0.0005, 0.01, 400)
MADE = 0.7 * HELD + RANDOM.normal(0.0005, 0.01, 400)
DAYS = pd.date_range("2022-05-03", periods=400, freq="D", tz="UTC")
METHODS = get_args(m.TailMethod)
SERIES = st.lists(st.integers(-20_000, 20_000), min_size=3, max_size=60).map(lambda many: np.array(many) / 1e5)
LEVELS = st.floats(0.51, 0.995)


def test_edge_cases_are_what_the_metrics_give() -> None:
    table = m.edge_cases()
    assert list(table.columns) == ["no bars", "one bar", "no change", "constant gain", "bankrupt", "unknown bar"]
    assert set(table.index) == {name for name, one in m.METRICS.items() if one.needs != "run"}
    assert not np.isinf(table.to_numpy()).any()
    assert table["unknown bar"].isna().all()
    cases: dict[str, list[float]] = {
        "no bars": [], "one bar": [0.01], "no change": [0.0] * 20, "constant gain": [0.01] * 20,
        "bankrupt": [0.1, -1.0, 0.0, 0.0],
    }  # fmt: skip
    for case, returns in cases.items():
        whole = m.all_metrics(returns, 252, benchmark=0.01 * (-1.0) ** np.arange(len(returns)))
        for name, value in whole.items():
            assert table.loc[name, case] == pytest.approx(value, nan_ok=True), (name, case)
    assert table.loc["max_drawdown"].fillna(9.0).tolist() == [9.0, 0.0, 0.0, 0.0, -1.0, 9.0]
    assert table.loc["annualised_return", "bankrupt"] == -1.0
    assert math.isnan(table.loc["sharpe_ratio", "constant gain"])
    assert table.loc["risk_of_ruin", "bankrupt"] == 1.0  # under "bankrupt" trades lose 5, 10 and 5
    assert table.loc["win_rate", "one bar"] == 1.0


def test_a_metric_in_words_says_its_edges() -> None:
    said = m.explain("sortino_ratio")
    assert "edges       no bars \N{EN DASH}; one bar \N{EN DASH}" in said
    assert "edges" not in m.explain("exposure")  # only a run can tell it


@pytest.mark.parametrize("name", ["total_return", "max_drawdown", "expected_shortfall", "drawdown_count", "stability"])
def test_a_moving_window_is_the_metric_of_each_window(name: str) -> None:
    function: Any = m.METRICS[name].function
    moved = m.rolling(name, MADE[:60], 20)
    assert np.isnan(moved[:19]).all()
    np.testing.assert_allclose(moved[19:], [function(MADE[i - 19 : i + 1]) for i in range(19, 60)], rtol=1e-12)


def test_a_moving_window_against_a_benchmark_and_with_options() -> None:
    beta = m.rolling(m.beta, MADE[:80], 30, HELD[:80])
    assert beta[29] == pytest.approx(m.beta(MADE[:30], HELD[:30]))
    assert beta[79] == pytest.approx(m.beta(MADE[50:80], HELD[50:80]))
    np.testing.assert_array_equal(beta, m.rolling("beta", MADE[:80], 30, benchmark=HELD[:80]))
    risk = m.rolling(m.value_at_risk, MADE[:80], 30, level=0.9, method="gaussian")
    assert risk[40] == pytest.approx(m.value_at_risk(MADE[11:41], level=0.9, method="gaussian"))
    sharpe = m.rolling(m.sharpe_ratio, MADE, 100, 365)
    assert sharpe[-1] == pytest.approx(m.sharpe_ratio(MADE[-100:], 365))


def test_a_moving_window_keeps_kind_and_labels_and_never_looks_ahead() -> None:
    frame = pd.DataFrame({"a": MADE, "b": HELD}, index=DAYS)
    kept = frame.copy()
    moved = m.rolling(m.annualised_volatility, frame, 50, 365)
    assert moved.index.equals(DAYS) and list(moved.columns) == ["a", "b"]
    alone = m.rolling(m.annualised_volatility, frame["b"], 50, 365)
    assert alone.name == "b"
    pd.testing.assert_series_equal(alone, moved["b"])
    np.testing.assert_array_equal(m.rolling(m.annualised_volatility, frame.to_numpy(), 50, 365), moved.to_numpy())
    early = m.rolling(m.annualised_volatility, frame.iloc[:200], 50, 365)
    pd.testing.assert_frame_equal(early, moved.iloc[:200])
    pd.testing.assert_frame_equal(frame, kept)
    holed = frame["a"].copy()
    holed.iloc[100] = math.nan
    found = m.rolling(m.total_return, holed, 10)
    assert found.isna().sum() == 9 + 10 and found.iloc[100:110].isna().all()
    assert np.isnan(m.rolling(m.total_return, MADE[:5], 6)).all()
    assert m.rolling(m.total_return, [], 3).shape == (0,)


def test_long_series_move_in_pieces() -> None:
    series = np.tile(MADE, 15)[:5_600]
    moved = m.rolling(m.mean_return, series, 2_000)  # more than are looked at at once
    expected = np.convolve(series, np.full(2_000, 1 / 2_000), mode="valid")
    np.testing.assert_allclose(moved[1_999:], expected, atol=1e-15)


def test_tails_are_put_side_by_side() -> None:
    table = m.tail_table(MADE)
    assert table.index.names == ["level", "horizon"] and table.columns.names == ["method", "number"]
    assert table.index.tolist() == [(level, days) for level in (0.95, 0.99) for days in (1, 5, 21)]
    assert table.columns.tolist() == [
        (method, number) for method in METHODS for number in ("value_at_risk", "expected_shortfall")
    ]
    assert table.loc[(0.99, 5), ("historical", "value_at_risk")] == m.value_at_risk(MADE, level=0.99, horizon=5)
    assert table.loc[(0.95, 1), ("ewma", "expected_shortfall")] == m.expected_shortfall(MADE, method="ewma")
    small = m.tail_table(pd.Series(MADE, DAYS), levels=[0.9], horizons=[2], methods=["gaussian"])
    assert small.shape == (1, 2)
    assert np.isnan(m.tail_table([0.01], methods=["gaussian", "garch"]).to_numpy()).all()
    with pytest.raises(DataError, match="a table of tails is of one series, these are 2"):
        m.tail_table(np.c_[MADE, HELD])


@given(returns=SERIES, low=LEVELS, high=LEVELS, horizon=st.integers(1, 3))
def test_tails_at_any_level_and_horizon_are_in_order(
    returns: np.ndarray, low: float, high: float, horizon: int
) -> None:
    low, high = sorted((low, high))
    for method in ("historical", "gaussian", "cornish_fisher", "ewma"):
        near, far = (m.value_at_risk(returns, level=level, horizon=horizon, method=method) for level in (low, high))
        shortfall = m.expected_shortfall(returns, level=low, horizon=horizon, method=method)
        assert math.isnan(near) == math.isnan(far) == math.isnan(shortfall), method
        if not math.isnan(near):
            assert far <= near + 1e-12, method
            assert shortfall <= near + 1e-12, method


@pytest.mark.parametrize("level", [0.6, 0.9, 0.975, 0.999])
@pytest.mark.parametrize("horizon", [1, 3, 10])
def test_tails_are_those_of_their_definition(level: float, horizon: int) -> None:
    runs = np.array([np.prod(1 + MADE[i : i + horizon]) - 1 for i in range(len(MADE) - horizon + 1)])
    edge = np.quantile(runs, 1 - level)
    assert m.value_at_risk(MADE, level=level, horizon=horizon) == pytest.approx(edge)
    assert m.expected_shortfall(MADE, level=level, horizon=horizon) == pytest.approx(runs[runs <= edge].mean())
    z = NormalDist().inv_cdf(1 - level)
    mean, spread = MADE.mean() * horizon, MADE.std(ddof=1) * math.sqrt(horizon)
    given_ = {"level": level, "horizon": horizon, "method": "gaussian"}
    assert m.value_at_risk(MADE, **given_) == pytest.approx(mean + z * spread)
    assert m.expected_shortfall(MADE, **given_) == pytest.approx(mean - NormalDist().pdf(z) / (1 - level) * spread)


def test_the_shortfall_of_the_expansion_is_the_mean_of_its_quantiles() -> None:
    fat = np.random.default_rng(3).standard_t(8, 4_000) / 100
    points = 1 - (np.arange(500) + 0.5) / 500 * 0.05
    quantiles = [m.value_at_risk(fat, level=float(one), method="cornish_fisher") for one in points]
    found = m.expected_shortfall(fat, level=0.95, method="cornish_fisher")
    assert found == pytest.approx(float(np.mean(quantiles)), rel=1e-3)


def test_equal_returns_at_the_edge_of_a_tail_count_once_each() -> None:
    # 5 % of 20 steps is one: the two lowest, though two more are as low as the second
    assert m.expected_shortfall([-0.3, -0.1, -0.1, -0.1] + [0.1] * 17) == pytest.approx(-0.2)
    assert m.expected_shortfall([-0.2, -0.1] + [0.1] * 9, level=0.9) == pytest.approx(-0.15)  # 0.1 x 10 is one


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("method", METHODS)
def test_tails_with_little_to_go_by(method: Any) -> None:
    for returns in ([], [0.01]):
        assert math.isnan(m.value_at_risk(returns, horizon=2, method=method)) or method == "ewma"
    for series in (np.r_[np.zeros(299), 1e-9], np.zeros(300), np.full(300, 1e-200), np.r_[np.zeros(200), 1.0]):
        for number in (m.value_at_risk, m.expected_shortfall):
            found = number(series, level=0.99, horizon=3, method=method)
            assert type(found) is float and not math.isinf(found)
    assert m.value_at_risk([0.01], method="ewma") < 0.0


NAMES = ["sharpe_ratio", "max_drawdown", "beta", "best_month", "win_rate"]


def intervals(**options: Any) -> pd.DataFrame:
    given_ = {"names": NAMES, "benchmark": HELD, "profits": [1.0, -1.0, 2.0] * 30, "years": 400 / 365} | options
    return m.interval_table(pd.Series(MADE, DAYS), 365, **given_)


def test_intervals_of_many_metrics_are_those_of_each() -> None:
    how = m.Resampling(draws=150, seed=3)
    table = intervals(resampling=how)
    assert list(table.index) == NAMES and list(table.columns) == ["low", "high"]
    options = {"draws": 150, "seed": 3}
    returns = pd.Series(MADE, DAYS)
    alone = {
        "sharpe_ratio": m.bootstrap_interval(m.sharpe_ratio, MADE, 365, **options),
        "max_drawdown": m.bootstrap_interval("max_drawdown", MADE, **options),
        "beta": m.bootstrap_interval(m.beta, MADE, HELD, **options),
        "best_month": m.bootstrap_interval(m.best_month, returns, **options),
        "win_rate": m.bootstrap_interval(m.win_rate, [1.0, -1.0, 2.0] * 30, **options),
    }
    for name, one in alone.items():
        assert tuple(table.loc[name]) == pytest.approx((one.low, one.high)), name
        assert one.low <= one.value <= one.high or name == "max_drawdown"
    pd.testing.assert_frame_equal(table, intervals(resampling=how))
    wide, narrow = (intervals(resampling=m.Resampling(level=level, draws=150)) for level in (0.99, 0.5))
    assert (wide["low"] <= narrow["low"]).all() and (narrow["high"] <= wide["high"]).all()


def test_intervals_are_of_what_is_there() -> None:
    how = m.Resampling(draws=40)
    assert list(intervals(benchmark=None, profits=None, resampling=how).index) == [
        "sharpe_ratio", "max_drawdown", "best_month",
    ]  # fmt: skip
    assert list(m.interval_table(MADE, 365, names=NAMES, resampling=how).index) == ["sharpe_ratio", "max_drawdown"]
    assert len(m.interval_table(MADE[:50], 365, resampling=how)) == sum(
        one.needs == "returns" for one in m.METRICS.values()
    )
    assert m.interval_table([0.01] * 30, 365, names=["sharpe_ratio"], resampling=how).isna().all(axis=None)
    assert m.interval_table([], 365, names=["total_return"]).isna().all(axis=None)
    assert m.interval_table([0.1, math.nan], 365, names=["total_return"]).isna().all(axis=None)


def test_a_tear_sheet_with_intervals() -> None:
    returns = pd.Series(MADE, DAYS)
    plain = m.tear_sheet(returns, 365, benchmark=HELD, profits=[3.0, -1.0] * 9, run={"exposure": 0.4})
    sheet = m.tear_sheet(
        returns, 365, benchmark=HELD, profits=[3.0, -1.0] * 9, run={"exposure": 0.4}, resampling=m.Resampling(draws=60)
    )
    pd.testing.assert_frame_equal(sheet[plain.columns], plain)
    assert list(sheet.columns[3:7]) == ["text", "low", "high", "interval"]
    one = sheet.loc["sharpe_ratio"]
    assert one["interval"] == f"{m.METRICS['sharpe_ratio'].text(one['low'])} to " + m.METRICS["sharpe_ratio"].text(
        one["high"]
    )
    assert one["low"] < one["value"] < one["high"]
    assert sheet.loc["exposure", "interval"] == ""
    assert set(sheet.index) >= {"best_month", "beta", "profit_factor", "rachev_ratio"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: m.rolling(m.win_rate, MADE, 5), "win_rate is not a metric of returns per bar"),
        (lambda: m.rolling(m.beta, MADE, 5), "Beta is measured against a benchmark"),
        (lambda: m.rolling(m.beta, MADE, 5, HELD[:9]), r"the benchmark has shape \(9, 1\), the returns 400 bars"),
        (lambda: m.rolling(m.mean_return, MADE, 0), "window is 0; give a whole number of bars"),
        (lambda: m.rolling(np.mean, MADE, 5), "mean cannot be computed of a series of returns or profits"),
        (lambda: m.rolling("sharpe", MADE, 5), "there is no metric 'sharpe'; did you mean 'sharpe_ratio'"),
        (lambda: m.bootstrap_interval("turnover", MADE), "turnover cannot be computed of a series"),
        (lambda: m.bootstrap_interval(m.beta, MADE), "Beta is measured against a benchmark"),
        (lambda: m.bootstrap_interval(m.beta, MADE, HELD[:9]), "the benchmark has 1 series of 9 bars"),
        (lambda: m.interval_table(np.c_[MADE, HELD], 365), "an interval is of one series, these are 2"),
        (lambda: m.interval_table(MADE, 365, names=["sharp"]), "there is no metric 'sharp'"),
        (lambda: m.interval_table(MADE, 365, resampling=500), r"resampling is 500; give how to draw"),
        (lambda: m.Resampling(draws=0), "draws is 0; give a whole number"),
        (lambda: m.Resampling(block=0.5), "block is 0.5; give the mean length of a run"),
        (lambda: m.value_at_risk(MADE, level=0.05), "level is 0.05; give the confidence as a fraction between 0.5"),
    ],
)
def test_wrong_calls_of_tables_are_named(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        call()


def test_the_front_door_has_the_tables() -> None:
    for name in ("differences", "edge_cases", "explain", "interval_table", "rolling", "tail_table", "Resampling"):
        assert callable(getattr(wb.metrics, name))
