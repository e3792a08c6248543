"""Allocation: weights from the past only, money that adds up, strategies of different times, clear refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.research.chance.histories import CHEAP, Follow, walk_bars
from workbench.errors import ConfigError, DataError
from workbench.research.allocating import allocate
from workbench.research.allocating.returns import returns_frame
from workbench.research.allocating.walking import decision_rows, walk
from workbench.risk import metrics
from workbench.risk.weighting import Limits, Reluctance, covariance, risk_contributions

DAY = 86_400_000


def returns_of(days: int = 500, count: int = 3, *, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    common = random.normal(0, 0.006, (days, 1))
    values = 0.0004 + (common + random.normal(0, 0.01, (days, count))) * np.linspace(0.5, 1.5, count)
    index = pd.date_range("2020-01-01", periods=days, freq="D", tz="UTC")
    return pd.DataFrame(values, index=index, columns=[f"s{k}" for k in range(count)])


@pytest.mark.parametrize("method", ["equal_weight", "inverse_volatility", "equal_risk_contribution", "hrp", "kelly"])
def test_the_future_changes_nothing(method: str) -> None:
    frame = returns_of()
    full = allocate(frame, method, lookback="100d", rebalance="20d", volatility=0.1)
    for days in (130, 300):
        cut = frame.iloc[:days]
        part = allocate(cut, method, lookback="100d", rebalance="20d", volatility=0.1)
        pd.testing.assert_series_equal(part.equity, full.equity.iloc[: len(part.equity)], check_freq=False)
        pd.testing.assert_frame_equal(part.weights, full.weights.iloc[: len(part.weights)], check_freq=False)
        wild = frame.copy()
        wild.iloc[days:] = 0.5
        other = allocate(wild, method, lookback="100d", rebalance="20d", volatility=0.1)
        pd.testing.assert_series_equal(part.equity, other.equity.iloc[: len(part.equity)], check_freq=False)


def test_a_decision_looks_at_its_lookback_and_holds_from_the_next_row() -> None:
    frame, seen = returns_of(), []

    def rule(past: pd.DataFrame) -> pd.Series:
        seen.append((past.index[0], past.index[-1], len(past)))
        return pd.Series({"s0": 1.0})

    found = allocate(frame, rule, lookback="100d", rebalance="30d", cost=0.0)
    assert seen[0] == (frame.index[1], frame.index[100], 100)
    assert [end for _, end, _ in seen] == list(found.decided)
    assert found.equity.index[0] == frame.index[101]
    assert found.returns.to_numpy() == pytest.approx(frame["s0"].to_numpy()[101:])
    assert found.method == "rule"


def test_money_adds_up() -> None:
    found = allocate(returns_of(), "hrp", lookback="100d", rebalance="20d", cost=0.002)
    parts = found.contributions
    assert parts["to_return"].sum() == pytest.approx(found.equity.iloc[-1] - 1.0, abs=1e-12)
    assert parts["to_risk"].sum() == pytest.approx(1.0) and parts.loc["costs", "to_return"] == -found.costs
    assert found.held.sum(axis=1).to_numpy() == pytest.approx(1.0)
    free = allocate(returns_of(), "hrp", lookback="100d", rebalance="20d", cost=0.0)
    assert free.costs == 0.0 and free.equity.iloc[-1] > found.equity.iloc[-1]
    expected = np.prod(1.0 - 0.002 * found.turnover.to_numpy()) * free.equity.iloc[-1]
    assert found.equity.iloc[-1] == pytest.approx(expected, rel=1e-12)


def test_two_rows_by_hand() -> None:
    returns = np.array([[0.0, 0.0], [0.1, -0.1], [0.0, 0.2], [0.5, 0.0]])
    targets = iter([np.array([0.5, 0.25]), np.array([0.0, 1.0])])
    found = walk(returns, np.array([0, 2]), lambda row, held: next(targets), 0.01)
    first = 1.0 - 0.01 * 0.75
    # a quarter is cash; then 0.5 * 1.1 + 0.25 * 0.9 + 0.25 = 1.025, then 0.55 + 0.27 + 0.25 = 1.07
    assert found.growth[:2] == pytest.approx([first * 1.025, first * 1.07])
    drifted = np.array([0.55, 0.27]) / 1.07
    traded = drifted[0] + 1.0 - drifted[1]
    assert found.traded == pytest.approx([0.75, traded])
    assert found.growth[2] == pytest.approx(first * 1.07 * (1.0 - 0.01 * traded))
    assert found.paid == pytest.approx(0.01 * 0.75 + first * 1.07 * 0.01 * traded)


def test_decisions_are_due_by_time_and_not_by_rows() -> None:
    ts = np.array([0, 1, 2, 5, 6, 7, 20, 21]) * DAY
    assert decision_rows(ts, 2 * DAY, 3 * DAY).tolist() == [2, 3, 6]
    assert decision_rows(ts, 30 * DAY, DAY).tolist() == []


def test_equal_weights_and_each_alone_stand_beside() -> None:
    frame = returns_of()
    found = allocate(frame, "minimum_variance", lookback="100d", rebalance="20d")
    table = found.table
    assert list(table.index) == ["minimum_variance", "equal weights", "s0 alone", "s1 alone", "s2 alone"]
    alone = frame["s1"].iloc[101:]
    assert table.loc["s1 alone", "total_return"] == pytest.approx(metrics.total_return(alone))
    assert table.loc["s1 alone", "sharpe_ratio"] == pytest.approx(metrics.sharpe_ratio(alone, 365), rel=1e-9)
    same = allocate(frame, "equal_weight", lookback="100d", rebalance="20d").table
    assert same.iloc[0].to_numpy() == pytest.approx(table.loc["equal weights"].to_numpy())


def test_a_strategy_that_begins_later_waits_for_its_lookback() -> None:
    frame = returns_of()
    frame.loc[frame.index[:150], "s2"] = np.nan
    found = allocate(frame, "inverse_volatility", lookback="100d", rebalance="20d")
    assert (found.weights["s2"][found.decided < frame.index[249]] == 0.0).all()
    assert (found.weights["s2"][found.decided >= frame.index[249]] > 0.0).all()
    flat = frame.copy()
    flat.loc[:, :] = 0.0  # nothing has moved, so nothing tells them apart
    assert allocate(flat, "hrp", lookback="100d").weights.to_numpy() == pytest.approx(1 / 3)


def test_a_target_of_volatility_is_about_met() -> None:
    found = allocate(returns_of(1_200), "equal_risk_contribution", lookback="200d", rebalance="20d", volatility=0.08)
    assert metrics.annualised_volatility(found.returns, 365) == pytest.approx(0.08, rel=0.15)
    assert found.weights.sum(axis=1).max() <= 1.0 + 1e-9
    assert "8 %" in found.terms[2].replace("8%", "8 %")


def test_reluctance_trades_less() -> None:
    frame = returns_of()
    told: dict[str, Any] = {"lookback": "60d", "rebalance": "10d", "cost": 0.002}
    plain = allocate(frame, "minimum_variance", **told)
    for how in (Reluctance(band=0.05), Reluctance(step=0.3), Reluctance(cost=0.002, aversion=100.0)):
        slow = allocate(frame, "minimum_variance", reluctance=how, **told)
        assert slow.turnover.iloc[1:].sum() < 0.8 * plain.turnover.iloc[1:].sum()
        assert slow.costs < plain.costs


def test_limits_hold_at_every_decision() -> None:
    limits = Limits(high=0.45, groups={"s0": "calm"}, caps={"calm": 0.4})
    found = allocate(returns_of(200), "minimum_variance", lookback="100d", limits=limits)
    assert found.weights.to_numpy().max() <= 0.45 + 1e-9 and (found.weights["s0"] <= 0.4 + 1e-6).all()
    with pytest.raises(ConfigError, match="'hrp' knows none"):
        allocate(returns_of(200), "hrp", limits=limits)
    with pytest.raises(ConfigError, match="never to one"):
        allocate(returns_of(200), "minimum_variance", limits=Limits(high=0.2))


def test_results_of_different_times_are_put_together_to_days() -> None:
    first = wb.backtest(Follow(), walk_bars(1_000, seed=1), costs=CHEAP)
    second = wb.backtest(Follow(fast=5), walk_bars(1_000, seed=2)[30:], costs=CHEAP)
    frame = returns_frame([first, second])
    assert list(frame.columns) == [f"{one.name} on {one.market}" for one in (first, second)]
    assert frame.index.equals(pd.date_range("1970-01-01", periods=42, freq="D", tz="UTC"))
    assert np.isnan(frame.iloc[0, 1]) and not frame.iloc[1:].isna().any(axis=None)
    assert (1.0 + frame.iloc[:, 0]).prod() == pytest.approx(first.equity_values[-1] / first.cash)
    same = returns_frame({"a": first, "b": first.returns * 0.5})
    assert len(same) == 1_000 and list(same.columns) == ["a", "b"]
    found = allocate([first, second], lookback="20d", rebalance="5d")
    assert len(found.decided) == 5


def test_what_cannot_be_allocated_is_refused_in_words() -> None:
    frame = returns_of(200)
    with pytest.raises(DataError, match="two strategies or more"):
        allocate(frame[["s0"]])
    with pytest.raises(DataError, match="leaves nothing of the 199 days"):
        allocate(frame)
    with pytest.raises(ConfigError, match="method = 'hpr'"):
        allocate(frame, "hpr")
    with pytest.raises(ConfigError, match="lookback = 'a year' is no span"):
        allocate(frame, lookback="a year")
    with pytest.raises(ConfigError, match="cost = 10"):
        allocate(frame, lookback="50d", cost=10)
    with pytest.raises(DataError, match="DatetimeIndex"):
        allocate([pd.Series([0.1, 0.2]), pd.Series([0.1, 0.2])])
    with pytest.raises(DataError, match="-1 or more"):
        allocate(frame - 1.5, lookback="50d")
    with pytest.raises(ConfigError, match="no fractions of the whole"):
        allocate(frame, lambda past: np.full(3, np.inf), lookback="50d")


def test_it_shows_itself() -> None:
    found = allocate(returns_of(), "equal_risk_contribution", lookback="100d")
    assert len(found.plot().axes) == 3 and len(found.plot_weights().axes) == 1
    page = found._repr_html_()
    assert "equal risk contribution of 3 strategies" in page and "to the risk" in page
    assert "equal weights" in found.sentence and "Allocation equal_risk_contribution of 3" in repr(found)
    past = returns_of().iloc[1:101]
    parts = risk_contributions(found.weights.iloc[0], covariance(past))
    assert parts.to_numpy() == pytest.approx(1 / 3)
