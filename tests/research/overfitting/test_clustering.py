"""How many trials are independent: families whose number is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.research.overfitting.studies import alike, independent, sma_crosses
from workbench.research.overfitting import cluster_trials


@pytest.mark.parametrize("groups", [2, 5, 12])
def test_planted_groups_are_found(groups: int) -> None:
    random = np.random.default_rng(groups)
    ideas = independent(800, random, trials=groups)
    members = np.repeat(np.arange(groups), 6)
    returns = ideas[:, members] + 0.003 * random.standard_normal((800, len(members)))
    found = cluster_trials(returns)
    assert found.count == groups
    assert all(len(set(found.labels[members == one])) == 1 for one in range(groups))
    assert found.silhouette > 0.5
    assert groups <= found.effective < groups * 2.0


def test_independent_trials_all_count() -> None:
    found = cluster_trials(independent(1_000, np.random.default_rng(0), trials=60))
    assert found.effective == pytest.approx(60, rel=0.08)
    assert found.mean_correlation == pytest.approx(0.0, abs=0.02)


def test_copies_count_once() -> None:
    returns = np.repeat(independent(300, np.random.default_rng(1), trials=3), 20, axis=1)
    found = cluster_trials(returns)
    assert found.count == 3 and found.effective == pytest.approx(3.0)
    same = cluster_trials(returns[:, :20])
    assert same.count == 1 and same.effective == pytest.approx(1.0) and math.isnan(same.silhouette)


def test_trials_with_something_in_common_count_in_part() -> None:
    found = cluster_trials(alike(1_000, np.random.default_rng(2), trials=50, shared=0.6))
    assert found.effective == pytest.approx(50 * 0.4 + 0.6, rel=0.2)
    assert cluster_trials(sma_crosses(1_000, np.random.default_rng(3))).effective < 66 / 2


def test_columns_that_say_nothing_are_in_no_cluster() -> None:
    returns = np.column_stack([independent(200, np.random.default_rng(4), trials=5), np.zeros(200), np.ones(200)])
    returns[3, 4] = math.nan
    found = cluster_trials(returns)
    assert found.labels[4:].tolist() == [-1, -1, -1] and (found.labels[:4] >= 0).all()
    assert found.effective <= 4.0


def test_few_trials() -> None:
    two = independent(300, np.random.default_rng(5), trials=2)
    found = cluster_trials(two)
    assert found.count == 2 and found.effective == pytest.approx(2.0 - max(found.mean_correlation, 0.0))
    assert cluster_trials(two[:, :1]).effective == 1.0
    nothing = cluster_trials(np.zeros((50, 2)))
    assert nothing.count == 0 and nothing.effective == 0.0 and math.isnan(nothing.mean_correlation)
    assert cluster_trials(two[:2]).count == 0
