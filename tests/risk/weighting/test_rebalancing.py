"""Rebalancing: the whole way, a part of it, or not at all where it is not worth it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from workbench.errors import ConfigError, DataError
from workbench.risk.weighting import Reluctance, rebalanced, turnover_between

HELD, WANTED = np.array([0.5, 0.3, 0.2]), np.array([0.52, 0.2, 0.28])


def test_straight_partial_and_band() -> None:
    assert rebalanced(HELD, WANTED) == pytest.approx(WANTED)
    assert rebalanced(HELD, WANTED, Reluctance(step=0.5)) == pytest.approx([0.51, 0.25, 0.24])
    assert rebalanced(HELD, WANTED, Reluctance(band=0.05)) == pytest.approx([0.5, 0.2, 0.28])
    assert turnover_between(HELD, WANTED) == pytest.approx(0.2)


def test_labels_decide_and_not_the_order() -> None:
    held = pd.Series({"b": 0.4, "a": 0.6})
    wanted = pd.Series({"a": 0.5, "b": 0.3, "c": 0.2})
    assert turnover_between(held, wanted) == pytest.approx(0.4)
    assert rebalanced(held, wanted, Reluctance(band=0.15)).to_dict() == pytest.approx({"a": 0.6, "b": 0.4, "c": 0.2})
    with pytest.raises(DataError, match="not among"):
        rebalanced(pd.Series({"z": 1.0}), wanted)
    with pytest.raises(DataError, match="the same assets"):
        rebalanced(np.array([1.0]), WANTED)


def test_costs_are_weighed_against_standing_wrong() -> None:
    # One asset: a / 2 (w - 0.5)^2 v + c |w - 0.2|: w = 0.5 - c / (a v), unless that is below 0.2.
    how = Reluctance(cost=0.001, aversion=50.0)
    assert rebalanced([0.2], [0.5], how, covariance=[[0.0004]]) == pytest.approx([0.5 - 0.001 / 0.02])
    assert rebalanced([0.2], [0.5], Reluctance(cost=0.01, aversion=50.0), covariance=[[0.0004]]) == pytest.approx([0.2])
    assert rebalanced([0.2], [0.5], Reluctance(cost=0.0, aversion=50.0)) == pytest.approx([0.5])
    with pytest.raises(ConfigError, match="give the covariance"):
        rebalanced([0.2], [0.5], how)


@given(seed=st.integers(0, 1_000))
@settings(max_examples=10)
def test_what_it_finds_is_the_cheapest(seed: int) -> None:
    random = np.random.default_rng(seed)
    root = random.normal(0, 0.02, (3, 3))
    matrix = root @ root.T + 1e-5 * np.eye(3)
    held, wanted = random.dirichlet(np.ones(3), 2)
    found = rebalanced(held, wanted, Reluctance(cost=0.001, aversion=20.0), covariance=matrix)

    def price(weights: np.ndarray) -> float:
        away = weights - wanted
        return float(10.0 * away @ matrix @ away + 0.001 * np.abs(weights - held).sum())

    low, high = np.minimum(held, wanted), np.maximum(held, wanted)
    assert (found >= low - 1e-12).all() and (found <= high + 1e-12).all()
    bounds = list(zip(low, high, strict=True))
    best = min(price(minimize(price, start, bounds=bounds, method="Nelder-Mead", options={"maxiter": 2_000}).x)
               for start in (held, wanted, (held + wanted) / 2))  # fmt: skip
    assert price(found) <= best + 1e-9


def test_numbers_out_of_range_are_refused() -> None:
    for said in ({"band": 2.0}, {"step": 0.0}, {"cost": -0.1}, {"aversion": float("nan")}):
        with pytest.raises(ConfigError, match=next(iter(said))):
            Reluctance(**said)
