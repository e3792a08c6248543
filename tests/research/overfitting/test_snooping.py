"""White's and Hansen's tests: equal to arch, sized right on noise, and able to find an edge."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from arch.bootstrap import SPA, RealityCheck

from tests.research.overfitting.studies import Floats, independent, smoothed
from workbench.errors import DataError
from workbench.research.overfitting import superior_ability
from workbench.research.overfitting.snooping import condense


@pytest.fixture(scope="module")
def returns() -> Floats:
    block = smoothed(300, np.random.default_rng(2), trials=12)
    return block + np.linspace(-0.004, 0.0009, 12)


@pytest.mark.parametrize("seed", [0, 3])
def test_the_p_values_equal_those_of_arch(returns: Floats, seed: int) -> None:
    base = independent(300, np.random.default_rng(4), trials=1)[:, 0] * 0.3
    peer = SPA(-base, -returns, block_size=7, reps=400, seed=seed)
    peer.compute()
    found = superior_ability(returns, benchmark=base, block_length=7, draws=400, seed=seed)
    assert [found.lower, found.consistent, found.upper] == peer.pvalues.tolist()
    assert 0.0 < found.consistent < 1.0
    assert len({found.lower, found.consistent, found.upper}) > 1  # else the three are not told apart


def test_the_reality_check_equals_that_of_arch(returns: Floats) -> None:
    peer = RealityCheck(np.zeros(300), -returns, block_size=5, reps=300, seed=1)
    peer.compute()
    found = superior_ability(returns, block_length=5, draws=300, seed=1)
    assert found.reality_check == peer.pvalues["upper"]


def test_at_equal_risk_a_wild_trial_does_not_drown_a_steady_one() -> None:
    random = np.random.default_rng(5)
    block = independent(500, random, trials=10)
    block[:, 0] = 0.0005 * random.standard_normal(500) + 0.0001
    block[:, 1] *= 50.0
    assert superior_ability(block, equal_risk=True).consistent < 0.01 < superior_ability(block).consistent


def test_every_trial_has_its_own_corrected_p_value(returns: Floats) -> None:
    found = superior_ability(returns, block_length=7, draws=400)
    means = returns.mean(axis=0)
    assert found.adjusted[means.argmax()] == pytest.approx(found.consistent)
    assert (np.diff(found.adjusted[np.argsort(means)]) <= 0.0).all()


def test_the_same_seed_gives_the_same(returns: Floats) -> None:
    first, second, other = (superior_ability(returns, draws=200, seed=seed) for seed in (1, 1, 2))
    assert first.consistent == second.consistent and first.adjusted.tolist() == second.adjusted.tolist()
    assert first.adjusted.tolist() != other.adjusted.tolist()


def test_columns_that_say_nothing_are_left_out(returns: Floats) -> None:
    wide = np.column_stack([np.zeros(300), returns, np.full(300, math.nan)])
    plain, found = superior_ability(returns, draws=200), superior_ability(wide, draws=200)
    assert found.consistent == plain.consistent and found.block_length == plain.block_length
    assert np.isnan(found.adjusted[[0, -1]]).all() and found.adjusted[1:-1].tolist() == plain.adjusted.tolist()


@pytest.mark.parametrize("block", [np.zeros((50, 3)), np.ones((4, 2)), np.empty((0, 2)), np.full((30, 1), math.nan)])
def test_nothing_to_test_is_nan(block: Floats) -> None:
    found = superior_ability(block)
    assert math.isnan(found.consistent) and np.isnan(found.adjusted).all() and found.draws == 0


def test_condensing_keeps_what_was_earned() -> None:
    block = independent(1_003, np.random.default_rng(6), trials=3)
    short = condense(block, 100)
    assert short.shape == (91, 3)
    assert short.sum(axis=0) == pytest.approx(block[1_003 % 11 :].sum(axis=0))
    assert condense(block) is block
    assert condense(block[:, 0], 100) == pytest.approx(short[:, 0])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"draws": 0}, "draws is 0"),
        ({"block_length": 0}, "block_length is 0"),
        ({"benchmark": [0.0, 0.0]}, r"one return an observation, \(300,\)"),
    ],
)
def test_wrong_input_is_named(returns: Floats, options: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        superior_ability(returns, **options)
