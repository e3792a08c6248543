"""Sharpe ratios under doubt: the papers' worked examples, what the formulas promise, and the edges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from workbench.errors import DataError
from workbench.research.overfitting import (
    deflated_sharpe,
    expected_maximum,
    expected_maximum_sharpe,
    minimum_backtest_years,
    minimum_track_record,
    probabilistic_sharpe,
    track_record_among_trials,
)
from workbench.risk import metrics

# Bailey and Lopez de Prado (2014), The Deflated Sharpe Ratio, numerical example: an annual ratio of 2.5 over five years
# of 250 days, skewness -3, kurtosis 10, variance of the annual ratios across trials 0.5. More digits from the tests of
# pypbo (github.com/esvhd/pypbo).
PAPER = {"sharpe": 2.5 / math.sqrt(250), "observations": 1250, "variance": 0.5 / 250, "skew": -3, "kurtosis": 10}
# Bailey and Lopez de Prado (2012), The Sharpe Ratio Efficient Frontier: 24 months of a hedge fund.
FUND = 0.45755008833277844


def test_the_deflated_sharpe_ratio_of_the_paper() -> None:
    assert deflated_sharpe(**PAPER, trials=100) == pytest.approx(0.9003968344493903, abs=1e-12)
    assert deflated_sharpe(**PAPER, trials=46) == pytest.approx(0.9505, abs=5e-5)
    assert expected_maximum_sharpe(100, 0.5 / 250) == pytest.approx(0.1132, abs=5e-5)


def test_the_probabilistic_sharpe_ratio_of_the_paper() -> None:
    assert probabilistic_sharpe(FUND, 24, skew=-2.448, kurtosis=10.164) == pytest.approx(0.9132343068848602, abs=1e-12)
    assert probabilistic_sharpe(FUND, 24) == pytest.approx(0.982, abs=5e-4)


def test_a_deflated_ratio_of_three_estimates() -> None:  # mlfinlab, test_backtest_statistics.py
    spread = np.var([3.5, 1.01, 1.02])
    assert deflated_sharpe(1.14, 250, trials=3, variance=spread) == pytest.approx(0.95836, abs=1e-4)


@pytest.mark.parametrize(
    ("year", "sharpe", "benchmark", "skew", "kurtosis", "years"),
    [  # The Sharpe Ratio Efficient Frontier, figure 8; digits from pypbo
        (52, 2, 1, 0, 3, 2.828833586945237),
        (12, 3, 2.5, -0.72, 5.78, 27.3529201960403),
        (12, 2, 1, -0.72, 5.78, 4.991258223875627),
    ],
)
def test_the_minimum_track_record_of_the_paper(
    year: int, sharpe: float, benchmark: float, skew: float, kurtosis: float, years: float
) -> None:
    root = math.sqrt(year)
    found = minimum_track_record(sharpe / root, benchmark=benchmark / root, skew=skew, kurtosis=kurtosis)
    assert found / year == pytest.approx(years, rel=1e-12)


def test_a_minimum_track_record_in_observations() -> None:  # mlfinlab
    assert minimum_track_record(1.14, benchmark=1) == pytest.approx(228.73497, abs=1e-4)


def test_expected_maximum_and_minimum_backtest_length_of_the_paper() -> None:  # pypbo
    assert expected_maximum(100) == pytest.approx(2.5306028932016846, abs=1e-12)
    assert minimum_backtest_years(45) == pytest.approx(4.998087004443404, rel=1e-12)
    assert minimum_backtest_years(7) == pytest.approx(1.923143406664121, rel=1e-12)
    assert minimum_backtest_years(45, sharpe=2.0) == pytest.approx(minimum_backtest_years(45) / 4)


def test_the_expected_maximum_is_what_chance_makes() -> None:
    drawn = np.random.default_rng(0).standard_normal((4_000, 250)).max(axis=1)
    assert expected_maximum(250) == pytest.approx(drawn.mean(), abs=0.03)
    assert expected_maximum(1) == 0.0
    assert (np.diff(expected_maximum(np.arange(1, 1_000))) > 0).all()
    assert expected_maximum(1e6) == pytest.approx(4.86, abs=0.01)


def test_of_returns_and_of_moments_the_probability_is_one() -> None:
    returns = np.random.default_rng(1).standard_t(5, 700) * 0.01 + 0.0004
    sharpe = float(metrics.sharpe_ratio(returns, 1.0))
    skew, kurtosis = float(metrics.skewness(returns)), float(metrics.kurtosis(returns)) + 3.0
    mine = probabilistic_sharpe(sharpe, 700, benchmark=0.01, skew=skew, kurtosis=kurtosis)
    assert mine == pytest.approx(float(metrics.probabilistic_sharpe_ratio(returns, benchmark_sharpe=0.01)), abs=1e-14)


def test_a_track_record_is_just_long_enough() -> None:
    length = minimum_track_record(0.08, benchmark=0.02, skew=-0.5, kurtosis=6.0, confidence=0.9)
    assert probabilistic_sharpe(0.08, length, benchmark=0.02, skew=-0.5, kurtosis=6.0) == pytest.approx(0.9)
    among = track_record_among_trials(0.08, trials=200)
    assert probabilistic_sharpe(0.08, among) ** 200 == pytest.approx(0.95)
    assert track_record_among_trials(0.08, trials=1) == pytest.approx(minimum_track_record(0.08))
    assert track_record_among_trials(0.08, trials=1e6) < 30 / 0.08**2


def test_arrays_broadcast_and_numbers_stay_numbers() -> None:
    ratios = np.array([0.01, 0.05, math.nan])
    found = deflated_sharpe(ratios, 500, trials=[[10], [1_000]], variance=0.001)
    assert found.shape == (2, 3) and np.isnan(found[:, 2]).all() and (found[0, :2] > found[1, :2]).all()
    assert isinstance(probabilistic_sharpe(0.1, 100), float)


def test_what_cannot_be_said_is_nan_or_infinite() -> None:
    assert math.isnan(probabilistic_sharpe(0.1, 1))
    assert math.isnan(probabilistic_sharpe(math.nan, 100))
    assert math.isnan(probabilistic_sharpe(2.0, 100, skew=3.0, kurtosis=1.0))  # no distribution has these moments
    assert minimum_track_record(0.1, benchmark=0.1) == math.inf
    assert math.isnan(minimum_track_record(math.nan))
    assert minimum_backtest_years(10, sharpe=0.0) == math.inf
    assert math.isnan(minimum_backtest_years(10, sharpe=math.nan))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: expected_maximum(0), "at least one trial"),
        (lambda: deflated_sharpe(0.1, 100, trials=10, variance=-1.0), "not negative"),
        (lambda: minimum_track_record(0.1, confidence=95), "fraction between 0 and 1"),
        (lambda: probabilistic_sharpe("much", 100), "must be a number"),
        (lambda: probabilistic_sharpe(0.1, -3), "how many returns"),
    ],
)
def test_wrong_input_is_named(call: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        call()
