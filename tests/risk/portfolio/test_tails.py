"""Value at risk and shortfall: against hand-derived numbers, scipy and skfolio, and the identities that must hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from skfolio.measures import cvar

from tests.effort import examples
from workbench.risk.portfolio.spread import correlation_of, scaled_to_now, shrunk_covariance
from workbench.risk.portfolio.tails import Normal, Simulated, expected_shortfall_of, value_at_risk_of

seeds = st.integers(0, 2**32 - 1)


def profits_of(seed: int, legs: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(5, 120))
    return rng.standard_t(3, size=(rows, legs)) * rng.uniform(0.1, 1_000.0, legs)


def test_by_hand() -> None:
    # Of ten cases a tenth lies beyond 90 %: the worst one. At 85 % one and a half: (9 + 0.5 * 7) / 1.5.
    profits = np.array([-9.0, -7.0, -4.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert expected_shortfall_of(profits, 0.9) == pytest.approx(9.0)
    assert expected_shortfall_of(profits, 0.85) == pytest.approx((9.0 + 0.5 * 7.0) / 1.5)
    # Linear between two: place 0.1 * 9 = 0.9 between -9 and -7.
    assert value_at_risk_of(profits, 0.9) == pytest.approx(7.2)
    assert value_at_risk_of(np.full(4, 2.0), 0.99) == -2.0  # always a profit


def test_normal_by_hand() -> None:
    # 100 long of 2 %, 50 short of 3 %, correlation one half: 4 + 2.25 - 3 = 3.25.
    matrix = np.array([[0.02**2, 0.5 * 0.02 * 0.03], [0.5 * 0.02 * 0.03, 0.03**2]])
    law = Normal(np.array([100.0, -50.0]), matrix, 0.99)
    everything = np.ones(2, dtype=bool)
    assert law.volatility(everything) == pytest.approx(math.sqrt(3.25))
    at = stats.norm.ppf(0.99)
    assert law.alone(everything) == pytest.approx(
        (at * math.sqrt(3.25), stats.norm.expect(lambda x: x, lb=at, conditional=True) * math.sqrt(3.25))
    )
    # Leg by leg: 100 * (100 * 0.0004 - 50 * 0.0003) = 2.5 and -50 * (100 * 0.0003 - 50 * 0.0009) = 0.75.
    assert law.parts().volatility * math.sqrt(3.25) == pytest.approx([2.5, 0.75])


@given(seeds, st.floats(0.55, 0.995))
@settings(max_examples=examples(200))
def test_shortfall_is_that_of_skfolio_and_no_less_than_value_at_risk(seed: int, level: float) -> None:
    profits = profits_of(seed, 1)[:, 0]
    found = expected_shortfall_of(profits, level)
    assert found == pytest.approx(cvar(profits, beta=level), rel=1e-9, abs=1e-9)
    assert found >= value_at_risk_of(profits, level) - 1e-9 * abs(found)


@given(seeds, st.floats(0.55, 0.995))
@settings(max_examples=examples(200))
def test_parts_sum_to_the_whole_and_shortfall_is_subadditive(seed: int, level: float) -> None:
    profits = profits_of(seed)
    law = Simulated(profits, level)
    everything = np.ones(3, dtype=bool)
    parts, whole = law.parts(), law.alone(everything)
    scale = np.abs(profits).max()
    assert parts.value_at_risk.sum() == pytest.approx(whole.value_at_risk, abs=1e-9 * scale)
    assert parts.expected_shortfall.sum() == pytest.approx(whole.expected_shortfall, abs=1e-9 * scale)
    assert parts.volatility.sum() == pytest.approx(law.volatility(everything), rel=1e-9)
    alone = [law.alone(np.eye(3, dtype=bool)[k]).expected_shortfall for k in range(3)]
    assert whole.expected_shortfall <= sum(alone) + 1e-9 * scale
    # A part is at most what the leg loses by itself: no other cases are worse for it.
    assert (parts.expected_shortfall <= np.array(alone) + 1e-9 * scale).all()


@given(seeds)
@settings(max_examples=examples(100))
def test_scale_and_order_of_rows_and_legs_say_nothing(seed: int) -> None:
    profits = profits_of(seed)
    law, rng = Simulated(profits, 0.95), np.random.default_rng(seed)
    larger = Simulated(profits * 1e6, 0.95).parts()
    order, rows = rng.permutation(3), rng.permutation(len(profits))
    turned = Simulated(profits[rows][:, order], 0.95).parts()
    for one, big, other in zip(law.parts(), larger, turned, strict=True):
        assert big == pytest.approx(one * 1e6, rel=1e-6)
        assert other == pytest.approx(one[order], rel=1e-6, abs=1e-9)


def test_marginals_are_the_slope() -> None:
    """Euler's rule by its definition: the part is the exposure times the slope of the risk in it."""
    rng = np.random.default_rng(5)
    matrix = np.cov(rng.normal(size=(3, 60)))
    stakes, step = np.array([3.0, -1.0, 2.0]), 1e-6
    parts = Normal(stakes, matrix, 0.99).parts()
    moves = rng.normal(size=(500, 3))
    shortfalls = Simulated(moves * stakes, 0.95).parts().expected_shortfall
    for k in range(3):
        near = stakes + step * np.eye(3)[k]
        chosen = np.ones(3, dtype=bool)
        rise = Normal(near, matrix, 0.99).alone(chosen)[0] - Normal(stakes, matrix, 0.99).alone(chosen)[0]
        assert stakes[k] * rise / step == pytest.approx(parts.value_at_risk[k], rel=1e-4)
        rise = Simulated(moves * near, 0.95).alone(chosen)[1] - Simulated(moves * stakes, 0.95).alone(chosen)[1]
        assert stakes[k] * rise / step == pytest.approx(shortfalls[k], rel=1e-4)


def test_parts_of_the_value_at_risk_find_the_culprit() -> None:
    """Two independent legs, one of them nine times as risky: by the normal law 81 of 82 parts are its."""
    rng = np.random.default_rng(11)
    profits = rng.normal(size=(4_000, 2)) * [9.0, 1.0]
    share = Simulated(profits, 0.99).parts().value_at_risk
    assert share[0] / share.sum() == pytest.approx(81 / 82, abs=0.02)


def test_what_stands_still_has_no_risk() -> None:
    law = Simulated(np.zeros((30, 2)), 0.99)
    assert law.alone(np.ones(2, dtype=bool)) == (0.0, 0.0)
    assert all((part == 0.0).all() for part in law.parts())
    none = Simulated(np.zeros((30, 0)), 0.99)
    assert none.alone(np.ones(0, dtype=bool)) == (0.0, 0.0)


def test_shrinkage_leaves_variances_alone() -> None:
    rng = np.random.default_rng(2)
    common = rng.normal(size=(80, 1))
    moves = (common + rng.normal(size=(80, 3))) * [0.05, 0.005, 0.02]
    matrix = shrunk_covariance(moves, "ledoit_wolf")
    assert np.diag(matrix) == pytest.approx(moves.var(axis=0, ddof=1))
    sample, found = np.corrcoef(moves.T), correlation_of(matrix)
    off = ~np.eye(3, dtype=bool)
    ratio = found[off] / sample[off]  # all of them towards zero by one factor: 1 - the shrinkage
    assert ratio == pytest.approx(np.full(6, ratio[0])) and 0.5 < ratio[0] < 1.0
    from sklearn.covariance import ledoit_wolf

    unit = (moves - moves.mean(axis=0)) / moves.std(axis=0)
    assert 1.0 - ratio[0] == pytest.approx(ledoit_wolf(unit, assume_centered=True)[1], rel=1e-9)
    assert shrunk_covariance(moves, "sample") == pytest.approx(np.cov(moves.T))
    assert shrunk_covariance(np.column_stack((moves, np.zeros(80))), "oas")[3].tolist() == [0.0] * 4


def test_returns_are_scaled_by_volatility_known_before_them() -> None:
    rng = np.random.default_rng(3)
    moves = rng.normal(size=(200, 1)) * np.linspace(0.01, 0.04, 200)[:, None]
    variance, expected = float((moves[:25] ** 2).mean()), []
    for move in moves[:, 0]:
        expected.append(move / math.sqrt(variance))
        variance = 0.94 * variance + 0.06 * move * move
    assert scaled_to_now(moves, "ewma", 0.94)[:, 0] == pytest.approx(np.array(expected) * math.sqrt(variance))
    assert (scaled_to_now(np.vstack((moves * 0.01, [[0.9]])), "ewma", 0.94) >= -1.0).all()


def test_a_garch_model_scales_too() -> None:
    rng = np.random.default_rng(4)
    moves = rng.normal(size=(300, 1)) * np.repeat([0.01, 0.03], 150)[:, None]
    scaled = scaled_to_now(moves, "garch", 0.94)[:, 0]
    # Volatile now: the quiet first half is scaled up, the second is left about as it is.
    assert scaled[:150].std() > 2.0 * moves[:150, 0].std()
    assert scaled[200:].std() == pytest.approx(moves[200:, 0].std(), rel=0.4)
