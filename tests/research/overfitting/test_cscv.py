"""Combinatorially symmetric cross-validation: another project's numbers, its symmetry, planted truths, the edges."""

from __future__ import annotations

import csv
import math
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from tests.research.overfitting.studies import Floats, independent
from workbench.errors import DataError
from workbench.research.overfitting import backtest_overfitting

# By fynance 2.13.1 (PyPI, MIT licence), confirmed by a second implementation.
PUBLISHED = {
    4: 0.16666666666666666, 6: 0.05, 8: 0.12857142857142856, 10: 0.2222222222222222, 12: 0.3484848484848485,
    14: 0.36072261072261075, 16: 0.31717171717171716,
}  # fmt: skip
LOGITS = [1.252762968495368, 1.252762968495368, 0.22314355131420993, -0.22314355131420985, 1.252762968495368,
          1.252762968495368]  # fmt: skip


@pytest.fixture(scope="module")
def crosses() -> Floats:
    with (Path(__file__).parent / "crosses.csv").open() as lines:
        rows = list(csv.reader(line for line in lines if not line.startswith("#")))[1:]
    return np.array([[float(moved) * (one == "1") for one in held] for moved, held in rows])


@pytest.mark.parametrize("blocks", PUBLISHED)
def test_the_probability_equals_that_of_another_project(crosses: Floats, blocks: int) -> None:
    found = backtest_overfitting(crosses, blocks=blocks)
    assert found.probability == pytest.approx(PUBLISHED[blocks], abs=1e-12)
    assert len(found.logits) == math.comb(blocks, blocks // 2)
    assert (found.trials, found.left_out, found.blocks) == (8, 0, blocks)


def test_the_logits_equal_those_of_another_project(crosses: Floats) -> None:
    found = backtest_overfitting(crosses, blocks=4)
    assert found.logits == pytest.approx(LOGITS, abs=1e-12)
    assert found.winners.tolist() == [1, 0, 6, 0, 1, 0]


def test_every_split_is_what_its_halves_say() -> None:
    returns = independent(203, np.random.default_rng(3), trials=6) + 0.001
    found = backtest_overfitting(returns, blocks=6)
    pieces = np.array_split(np.arange(203), 6)
    for split, half in enumerate(combinations(range(6), 3)):
        rows = np.concatenate([pieces[one] for one in half])
        rest = np.setdiff1d(np.arange(203), rows)
        inside, outside = (returns[one].mean(axis=0) / returns[one].std(axis=0, ddof=1) for one in (rows, rest))
        best = int(inside.argmax())
        rank = (outside <= outside[best]).sum() / 7
        assert found.winners[split] == best
        assert found.inside[split] == pytest.approx(inside[best], rel=1e-10)
        assert found.outside[split] == pytest.approx(outside[best], rel=1e-10)
        assert found.logits[split] == pytest.approx(math.log(rank / (1 - rank)), abs=1e-12)
    slope, intercept = np.polyfit(found.inside, found.outside, 1)
    assert (found.slope, found.intercept) == pytest.approx((slope, intercept))
    assert found.r_squared == pytest.approx(np.corrcoef(found.inside, found.outside)[0, 1] ** 2)


def test_noise_is_overfitted_and_an_edge_is_not() -> None:
    noise = [
        backtest_overfitting(independent(400, np.random.default_rng(seed), trials=40), blocks=8).probability
        for seed in range(30)
    ]
    assert np.mean(noise) == pytest.approx(0.5, abs=0.1)
    good = independent(1_000, np.random.default_rng(9), trials=40)
    good[:, 11] += 0.003
    found = backtest_overfitting(good)
    assert found.probability == 0.0 and found.probability_of_loss == 0.0 and set(found.winners) == {11}
    assert found.first_order and found.second_order


def test_choosing_among_equals_does_not_dominate() -> None:
    found = backtest_overfitting(independent(400, np.random.default_rng(5), trials=20), blocks=8)
    assert not found.first_order
    same = np.repeat(independent(200, np.random.default_rng(5), trials=1), 4, axis=1)
    alike = backtest_overfitting(same, blocks=4)
    assert alike.logits == pytest.approx(0.0, abs=1e-12) and not alike.first_order
    assert alike.probability == 1.0  # never above the middle


def test_columns_that_say_nothing_are_left_out_and_counted(crosses: Floats) -> None:
    wide = np.column_stack([np.zeros(len(crosses)), crosses, np.full(len(crosses), 0.01), crosses[:, 0]])
    wide[5, -1] = math.nan
    found = backtest_overfitting(wide, blocks=16)
    assert found.probability == pytest.approx(PUBLISHED[16], abs=1e-12)
    assert (found.trials, found.left_out) == (8, 3)
    assert found.winners.min() >= 1


def test_a_half_without_a_trade_has_the_ratio_zero() -> None:
    returns = np.full((80, 2), 0.0)
    returns[:40, 0] = np.resize([0.02, -0.01], 40)  # trades in the first half only
    returns[:, 1] = np.resize([-0.01, 0.005], 80)
    found = backtest_overfitting(returns, blocks=2)
    assert found.winners.tolist() == [0, 0] and found.outside[0] == 0.0 and found.inside[1] == 0.0


def test_too_little_to_compare_is_nan() -> None:
    for returns in (np.zeros((100, 3)), independent(100, np.random.default_rng(0), trials=1), np.ones((3, 5)),
                    np.empty((0, 2))):  # fmt: skip
        found = backtest_overfitting(returns)
        assert math.isnan(found.probability) and math.isnan(found.slope) and not len(found.logits)


def test_five_hundred_trials_take_a_moment() -> None:
    returns = independent(1_000, np.random.default_rng(1), trials=500)
    began = time.process_time()
    found = backtest_overfitting(returns)
    assert len(found.logits) == 12_870 and time.process_time() - began < 10.0


@pytest.mark.parametrize("blocks", [3, 0, 22, 4.0])
def test_a_wrong_number_of_blocks_is_named(blocks: int) -> None:
    with pytest.raises(DataError, match="even number from 2 to 20"):
        backtest_overfitting(np.zeros((100, 2)), blocks=blocks)


def test_returns_must_be_a_block() -> None:
    with pytest.raises(DataError, match="trials in columns"):
        backtest_overfitting(np.zeros(100))
    with pytest.raises(DataError, match="must be numbers"):
        backtest_overfitting([["a", "b"]])
