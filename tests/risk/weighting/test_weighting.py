"""Weights: worked out by hand for two and three assets, invariants for many, limits kept, the unknown left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ConfigError, DataError
from workbench.risk import weighting as w

TWO = np.array([[0.04, 0.01], [0.01, 0.09]])  # volatilities 0.2 and 0.3
THREE = np.diag([0.04, 0.09, 0.16])
MOVING = np.random.default_rng(0).normal(0, 0.01, (60, 3))


def moving(count: int) -> Any:
    return np.random.default_rng(1).normal(0, 0.01, (40, count))


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (w.inverse_volatility, [0.6, 0.4]),  # 1/0.2 : 1/0.3
        (w.equal_risk_contribution, [0.6, 0.4]),  # of two assets: as the inverse volatility, whatever the correlation
        (w.minimum_variance, [8 / 11, 3 / 11]),  # (0.09 - 0.01) : (0.04 - 0.01)
        (w.maximum_diversification, [0.6, 0.4]),  # of two assets: as the inverse volatility
        (w.hrp, [9 / 13, 4 / 13]),  # 1/0.04 : 1/0.09
    ],
)
def test_two_assets_by_hand(method: Callable[..., Any], expected: list[float]) -> None:
    assert method(MOVING[:, :2], covariance=TWO) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (w.inverse_volatility, np.array([6, 4, 3]) / 13),
        (w.equal_risk_contribution, np.array([6, 4, 3]) / 13),
        (w.minimum_variance, np.array([36, 16, 9]) / 61),  # 1/0.04 : 1/0.09 : 1/0.16
        (w.maximum_diversification, np.array([6, 4, 3]) / 13),
    ],
)
def test_three_assets_that_have_nothing_in_common(method: Callable[..., Any], expected: Any) -> None:
    assert method(MOVING, covariance=THREE) == pytest.approx(expected, abs=1e-9)


def test_hrp_of_three_by_hand() -> None:
    # The first two move together (0.8), so they share a branch: their distance is 0.316, that to the third 0.707.
    matrix = np.array([[0.04, 0.048, 0.0], [0.048, 0.09, 0.0], [0.0, 0.0, 0.16]])
    weights = w.hrp(MOVING, covariance=matrix)
    # Order of leaves: third, first, second; halves {third} and {first, second}.
    inside = np.array([9, 4]) / 13
    branch = inside @ matrix[:2, :2] @ inside
    share = branch / (branch + 0.16)  # of the third
    assert weights == pytest.approx([(1 - share) * 9 / 13, (1 - share) * 4 / 13, share], abs=1e-12)


def test_least_variance_leaves_out_what_only_adds_to_it() -> None:
    matrix = np.array([[0.01, 0.018], [0.018, 0.04]])  # correlation 0.9: the unbounded answer is short the second
    assert w.minimum_variance(MOVING[:, :2], covariance=matrix) == pytest.approx([1.0, 0.0], abs=1e-12)


@pytest.mark.parametrize("name", sorted(w.METHODS))
@given(seed=st.integers(0, 10_000), count=st.integers(1, 8))
@settings(max_examples=15)
def test_invariants(name: str, seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    common = random.normal(0, 0.01, (60, 1))
    returns = (common * random.uniform(0, 1, count) + random.normal(0, 0.01, (60, count))) * random.uniform(
        0.3, 3, count
    )
    method = w.METHODS[name]
    weights = method(returns)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12) and (weights >= 0.0).all()
    assert method(5.0 * returns) == pytest.approx(weights, abs=1e-6)  # the unit of returns does not matter
    order = random.permutation(count)
    assert method(returns[:, order]) == pytest.approx(weights[order], abs=1e-6)
    frame = pd.DataFrame(returns, columns=[f"s{k}" for k in range(count)])
    assert list(method(frame).index) == list(frame.columns)
    assert method(frame).to_numpy() == pytest.approx(weights)
    matrix = w.covariance(returns)
    if name == "equal_risk_contribution":
        assert w.risk_contributions(weights, matrix) == pytest.approx(np.full(count, 1 / count), abs=1e-9)
    if name == "minimum_variance":
        least = w.volatility_of(weights, matrix)
        others = random.dirichlet(np.ones(count), 50)
        assert all(w.volatility_of(other, matrix) >= least - 1e-12 for other in others)
    if name == "maximum_diversification":
        most = w.diversification_ratio(weights, matrix)
        others = random.dirichlet(np.ones(count), 50)
        assert all(w.diversification_ratio(other, matrix) <= most + 1e-9 for other in others)


@pytest.mark.parametrize("name", sorted(w.METHODS))
def test_a_singular_covariance_does_no_harm(name: str) -> None:
    one = moving(2)
    twice = np.column_stack((one[:, 0], one[:, 0], one[:, 1]))  # the first asset is there twice
    options = {} if name == "equal_weight" else {"covariance": "sample"}
    weights = w.METHODS[name](twice, **options)
    assert weights.sum() == pytest.approx(1.0) and np.isfinite(weights).all() and (weights >= 0).all()
    few = moving(30)[:10]  # fewer rows than assets
    weights = w.METHODS[name](few, **options)
    assert weights.sum() == pytest.approx(1.0) and (weights >= 0).all()


@pytest.mark.parametrize("name", sorted(w.METHODS))
def test_what_is_unknown_gets_nothing_and_what_is_flat_is_no_riskless_asset(name: str) -> None:
    returns = pd.DataFrame(moving(4), columns=list("abcd"))
    whole = w.METHODS[name](returns[["a", "d"]])
    returns.loc[3, "b"] = np.nan
    returns["c"] = 0.0
    weights = w.METHODS[name](returns)
    assert weights["b"] == 0.0
    if name == "equal_weight":
        assert weights["c"] == pytest.approx(1 / 3)
    else:
        assert weights["c"] == 0.0
        assert weights[["a", "d"]].to_numpy() == pytest.approx(whole.to_numpy())
    with pytest.raises(DataError, match="none of the 1 assets"):
        w.METHODS[name](returns[["b"]])
    with pytest.raises(DataError, match="shape"):
        w.METHODS[name](np.zeros(5))


def test_covariances() -> None:
    returns = np.array([[0.01, 0.02], [-0.01, 0.0], [0.03, -0.01]])
    away = returns - returns.mean(axis=0)
    assert w.covariance(returns, "sample") == pytest.approx(away.T @ away / 2)
    weights = np.array([0.25, 0.5, 1.0]) / 1.75  # a half-life of one row
    centred = returns - weights @ returns
    expected = (centred * weights[:, None]).T @ centred / (1 - weights @ weights)
    assert w.covariance(returns, "exponential", half_life=1.0) == pytest.approx(expected)
    for method in ("ledoit_wolf", "oas"):
        shrunk, plain = w.covariance(returns, method), away.T @ away / 3
        assert np.trace(shrunk) == pytest.approx(np.trace(plain))  # towards a multiple of the identity
        assert abs(shrunk[0, 1]) < abs(plain[0, 1])
    with pytest.raises(DataError, match="not known"):
        w.covariance(np.array([[0.1, np.nan], [0.2, 0.1]]))
    with pytest.raises(ConfigError, match="'shrunk' is not one of"):
        w.covariance(returns, "shrunk")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="symmetric"):
        w.hrp(returns, covariance=np.array([[1.0, 0.5], [0.2, 1.0]]))


def test_limits_are_kept_and_what_they_leave_free_is_best() -> None:
    names = list("abcd")
    matrix = np.array(
        [[0.04, 0.01, 0.0, 0.0], [0.01, 0.09, 0.02, 0.0], [0.0, 0.02, 0.16, 0.03], [0.0, 0.0, 0.03, 0.09]]
    )
    returns = pd.DataFrame(moving(4), columns=names)
    groups = {"c": "fast one", "d": "fast one"}
    limits = w.Limits(low={"b": 0.25}, high=0.4, groups=groups, caps={"fast one": 0.3})
    for method in (w.minimum_variance, w.maximum_diversification, w.equal_risk_contribution):
        weights = method(returns, covariance=matrix, limits=limits)
        assert weights.sum() == pytest.approx(1.0, abs=1e-9)
        assert weights.max() <= 0.4 + 1e-9 and weights["b"] >= 0.25 - 1e-9 and weights[["c", "d"]].sum() <= 0.3 + 1e-6
        loose = w.Limits(high=0.999)  # binds nothing, so what a solver finds is what we find without limits
        assert method(returns, covariance=matrix, limits=loose).to_numpy() == pytest.approx(
            method(returns, covariance=matrix).to_numpy(), abs=2e-4
        )
    short = w.minimum_variance(
        returns[["a", "b"]], covariance=np.array([[0.01, 0.018], [0.018, 0.04]]), limits=w.Limits(low=-0.5, high=1.5)
    )
    assert short.to_numpy() == pytest.approx(
        [0.022 / 0.014, -0.008 / 0.014] if 0.022 / 0.014 < 1.5 else [1.5, -0.5], abs=1e-4
    )


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (w.Limits(high=0.2), "at most, never to one"),
        (w.Limits(low=0.6), "at least"),
        (w.Limits(low=0.5, high=0.4), "each low must be at most its high"),
        (w.Limits(caps={"x": 0.5}), "no asset is in the group 'x'"),
        (w.Limits(groups={0: "x", 1: "x", 2: "x"}, caps={"x": 0.5}), "at most, never to one"),
    ],
)
def test_limits_that_nothing_can_keep_are_refused(limits: w.Limits, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        limits.bounds([0, 1, 2])


def test_a_target_of_volatility_scales_up_to_the_cap() -> None:
    weights = pd.Series([0.6, 0.4], index=["a", "b"])
    returns = pd.DataFrame(moving(2), columns=["a", "b"])
    spread = w.volatility_of(weights, TWO)
    half = w.volatility_target(weights, returns, target=spread / 2, periods_per_year=1, covariance=TWO)
    assert half.to_numpy() == pytest.approx([0.3, 0.2])
    capped = w.volatility_target(weights, returns, target=9.0, periods_per_year=1, covariance=TWO, cap=1.5)
    assert capped.sum() == pytest.approx(1.5)
    partly = w.volatility_target(weights / 2, returns, target=9.0, periods_per_year=1, covariance=TWO, cap=1.5)
    assert partly.to_numpy() == pytest.approx([0.9, 0.6])  # the cap is of what is held in all
    year = w.volatility_target(weights, returns, target=spread, periods_per_year=4, covariance=TWO)
    assert year.to_numpy() == pytest.approx([0.3, 0.2])  # four bars a year vary twice as much
    with pytest.raises(ConfigError, match="target = 0"):
        w.volatility_target(weights, returns, target=0, periods_per_year=1)


def test_kelly_by_hand() -> None:
    returns = np.array([[0.03, 0.0], [-0.01, 0.0], [0.03, 0.0], [-0.01, 0.0]])  # mean 0.01, variance 0.0004 (n)
    one = w.kelly(returns[:, :1], fraction=1.0, cap=100.0, covariance=np.array([[0.0004]]))
    assert one == pytest.approx([25.0])
    assert w.kelly(returns[:, :1], covariance=np.array([[0.0004]]), cap=100.0) == pytest.approx([12.5])
    assert w.kelly(returns[:, :1], covariance=np.array([[0.0004]])) == pytest.approx([1.0])
    assert w.kelly(-returns[:, :1]) == pytest.approx([0.0])  # a loser gets nothing: long only
    both = np.column_stack((returns[:, 0], [0.01, 0.02, 0.005, 0.0]))
    matrix = w.covariance(both, "sample")
    free = np.linalg.solve(matrix, both.mean(axis=0))
    assert (free > 0).all()
    assert w.kelly(both, fraction=1.0, cap=1e9, covariance=matrix) == pytest.approx(free, rel=1e-6)


def test_risk_contributions_sum_to_one_and_a_hedge_takes_away() -> None:
    matrix = np.array([[0.04, -0.03], [-0.03, 0.04]])
    parts = w.risk_contributions(np.array([0.8, 0.2]), matrix)
    assert parts.sum() == pytest.approx(1.0) and parts[1] < 0
    assert w.diversification_ratio([1.0, 0.0], matrix) == pytest.approx(1.0)
    assert w.diversification_ratio([0.5, 0.5], THREE[:2, :2]) > 1.0
    # Short positions count with their size: two independent ones are as diverse as two long ones.
    assert w.diversification_ratio([1.0, -1.0], np.eye(2)) == pytest.approx(np.sqrt(2.0))
    assert w.diversification_ratio([-1.0, -1.0], np.eye(2)) == pytest.approx(np.sqrt(2.0))
