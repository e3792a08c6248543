"""Metrics against numbers that others publish for their own tests: empyrical, freqtrade, LEAN, and Bacon's book."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from workbench.risk import metrics as m

NAN = math.nan

# Inputs and results of empyrical-reloaded 0.7.1 (Apache-2.0), tests/conftest.py and tests/test_stats.py. The first of
# its mixed returns is not known; it is left out here, but for growth, which counts it as a bar of zero there.
MIXED = np.array([1.0, 10.0, -4.0, 2.0, 3.0, 2.0, 1.0, -10.0]) / 100
POSITIVE = np.array([1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]) / 100
NEGATIVE = np.array([0.0, -6.0, -7.0, -1.0, -9.0, -2.0, -6.0, -8.0, -5.0]) / 100
FALLING = np.array([-2.0, -6.0, -7.0, -1.0, -9.0, -2.0, -6.0, -8.0, -5.0]) / 100
WEEKS = np.r_[0.0, MIXED]

EMPYRICAL: list[tuple[Any, tuple[Any, ...], float]] = [
    (m.max_drawdown, (MIXED,), -0.1),
    (m.max_drawdown, (NEGATIVE,), -0.3659073),
    (m.max_drawdown, (FALLING,), -0.378589157),
    (m.max_drawdown, ([0.1, -0.1, 0.1],), -0.1),
    (m.annualised_return, (WEEKS, 252), 1.9135925373194231),
    (m.annualised_return, (WEEKS, 52), 0.24690830513998208),
    (m.annualised_return, (WEEKS, 12), 0.052242061386048144),
    (m.annualised_return, ([0.01], 252), 11.274002099240244),
    (m.annualised_return, ([0.03] * 3, 1), 0.03),
    (m.annualised_volatility, (MIXED, 252), 0.9136465399704637),
    (m.annualised_volatility, (WEEKS, 52), 0.38851569394870583),
    (m.annualised_volatility, (WEEKS, 12), 0.18663690238892558),
    (m.annualised_volatility, ([0.01] * 1_000, 252), 0.0),
    (m.calmar_ratio, (WEEKS, 252), 19.135925373194233),
    (m.calmar_ratio, (WEEKS, 52), 2.4690830513998208),
    (m.calmar_ratio, (WEEKS, 12), 0.5224206138604814),
    (m.calmar_ratio, ([0.01], 252), NAN),
    (m.omega_ratio, (MIXED - 0.01, 252), 0.8125),
    (m.omega_ratio, (POSITIVE - 0.01, 252), NAN),
    (m.omega_ratio, (POSITIVE - 0.011, 252), 1.125),
    (m.omega_ratio, (POSITIVE - 0.02, 252), 0.0),
    (m.sharpe_ratio, (MIXED, 252), 1.7238613961706866),
    (m.sharpe_ratio, (MIXED - np.array([1.0, 0.0] * 4) / 100, 252), 0.34111411441060574),
    (m.sharpe_ratio, (POSITIVE, 252), 52.915026221291804),
    (m.sharpe_ratio, (NEGATIVE, 252), -24.406808633910085),
    (m.sharpe_ratio, (MIXED - MIXED, 252), NAN),
    (m.downside_deviation, (MIXED, 252), 0.6044832503882965),
    (m.downside_deviation, (MIXED - 0.1, 252), 1.7161730681956295),
    (m.downside_deviation, (WEEKS, 52), 0.25888650451930134),
    (m.downside_deviation, (WEEKS - 0.1, 52), 0.7733045971672482),
    (m.downside_deviation, (WEEKS, 12), 0.1243650540411842),
    (m.downside_deviation, (WEEKS - 0.1, 12), 0.3714835124201342),
    (m.sortino_ratio, (MIXED, 252), 2.605531251673693),
    (m.sortino_ratio, (MIXED - 0.01, 252), -1.3934779588919977),
    (m.sortino_ratio, (NEGATIVE, 252), -13.5327430750434),
    (m.sortino_ratio, (WEEKS, 52), 1.115890105686644),
    (m.sortino_ratio, (WEEKS, 12), 0.5360562674188976),
    (m.information_ratio, (MIXED, [0.0] * 8, 1), 0.10859306069076737),
    (m.information_ratio, (MIXED, [0.01] * 8, 1), -0.06515583641446039),
    (m.beta, (MIXED, NEGATIVE[1:]), -0.7129629629629631),
    (m.beta, (MIXED, -MIXED), -1.0),
    (m.down_beta, (MIXED, NEGATIVE[1:]), -0.7129629629629631),
    (m.up_beta, (MIXED, POSITIVE[1:]), 0.4285714285),
    (m.stability, (MIXED,), 0.1529973665111273),
    (m.stability, ([0.01] * 1_000,), 1.0),
    (m.tail_ratio, ([0.01],), 1.0),
    (m.batting_average, (MIXED, MIXED), 0.0),
    (m.batting_average, (POSITIVE, FALLING), 1.0),
]


@pytest.mark.parametrize("place", range(len(EMPYRICAL)))
def test_numbers_of_empyrical(place: int) -> None:
    function, args, expected = EMPYRICAL[place]
    assert function(*args) == pytest.approx(expected, rel=1e-7, abs=1e-8, nan_ok=True)


def test_omega_over_a_yearly_threshold_as_in_empyrical() -> None:
    assert m.omega_ratio(MIXED, 252, threshold=10.0) == pytest.approx(0.8335426349755793)


def test_moving_windows_of_empyrical() -> None:
    assert m.rolling("max_drawdown", NEGATIVE, 6)[5:] == pytest.approx([-0.2282, -0.2745, -0.2899, -0.2747], abs=5e-5)
    assert m.rolling(m.sharpe_ratio, NEGATIVE, 6, 252)[5:] == pytest.approx(
        [-18.09162052, -26.79897486, -26.69138263, -25.72298838]
    )
    assert m.rolling(m.sharpe_ratio, MIXED, 6, 252)[5:] == pytest.approx([8.22784105, 8.22784105, -3.1374751])


def test_numbers_of_freqtrade() -> None:
    """Of freqtrade (GPL-3.0, numbers only), tests/data/test_btanalysis.py, commit c9ae5e1e."""
    for start, end, days, expected in (
        (64_900, 176_000, 1_095, 0.3945), (64_900, 176_000, 365, 1.7119), (1_000, 1_000, 365, 0.0),
        (1_000, 1_500, 365, 0.5), (1_000, 1_500, 100, 3.3927), (0.01, 0.01762792, 120, 4.6087),
    ):  # fmt: skip
        assert m.growth_rate(end / start - 1, days / 365) == pytest.approx(expected, abs=5e-5)
    profits = [100, 200, 50, -150, 300, -100, 80, -30]
    assert m.expectancy(profits) == 56.25
    assert m.expectancy_ratio(profits) == pytest.approx(0.60267857)
    fall = m.deepest_drawdown(1_000 + np.cumsum([0.0, -500.0, 500.0, 10_000.0, -1_000.0]), 1_000.0)
    assert (fall.depth, fall.start, fall.trough) == (-0.5, 0, 1)
    profits = [
        0.01158, 0.010048, 0.01134, 0.012161, 0.010416, 0.010009, 0.020024, -0.024662, -0.02235, 0.020496, -0.029859,
        -0.030511, 0.010041, 0.010872, -0.025782, 0.0104, 0.012374, 0.012467, 0.114741, 0.010303, 0.010088, -0.033961,
        0.01068, 0.010886, -0.029274, 0.011178, 0.010693, 0.010711,
    ]  # fmt: skip
    assert m.deepest_drawdown(0.2 + np.cumsum(profits), 0.2).depth == pytest.approx(-0.32129575, rel=1e-6)


@pytest.mark.parametrize(
    ("equity", "days"),
    [
        ([100, 90, 100], 2), ([100, 90, 95, 100], 3), ([100, 90, 100, 90, 100], 2), ([100, 90, 100, 90, 80, 100], 3),
        ([100, 90, 95, 90, 100], 4), ([100, 90, 80, 70], 0), ([100, 90, 95, 90], 0), ([50, 100, 98, 99, 100], 3),
        ([100, 100, 100], 0), ([100], 0), ([100, 98, 100, 101, 100, 99], 2), ([100, 97, 99, 97, 100], 4),
    ],
)  # fmt: skip
def test_days_to_recovery_of_lean(equity: list[int], days: int) -> None:
    """Of LEAN (Apache-2.0), Tests/Common/Statistics/DrawdownRecoveryTests.cs: days from the high to the next."""
    table = m.drawdown_table(m.returns_of(equity, equity[0]), most=None)
    back = table[table["recovery"].notna()]
    assert (back["bars"] + 1).max() == days if len(back) else days == 0
    assert (back["recovery"] - back["start"]).max() == days if len(back) else days == 0


def test_ratios_of_bacon() -> None:
    """Bacon (2008), Practical Portfolio Performance Measurement, the 24 months of PerformanceAnalytics."""
    made = np.array([0.3, 2.6, 1.1, -1.0, 1.5, 2.5, 1.6, 6.7, -1.4, 4.0, -0.5, 8.1, 4.0, -3.7, -6.1, 1.7, -4.9, -2.2,
                     7.0, 5.8, -6.5, 2.4, -0.5, -0.9]) / 100  # fmt: skip
    held = np.array([0.2, 2.5, 1.8, -1.1, 1.4, 1.8, 1.4, 6.5, -1.5, 4.2, -0.6, 8.3, 3.9, -3.8, -6.2, 1.5, -4.8, 2.1,
                     6.0, 5.6, -6.7, 1.9, -0.3, 0.0]) / 100  # fmt: skip
    assert m.martin_ratio(made, 12) == pytest.approx(1.6945247606794847)
    assert m.omega_ratio(made) == pytest.approx(1.78, abs=0.005)  # Bernardo and Ledoit
    assert m.omega_ratio(made, 12, threshold=1.005**12 - 1) - 1 == pytest.approx(0.29, abs=0.005)  # omega-Sharpe
    assert m.skewness(made) / (m.kurtosis(made) + 3) == pytest.approx(-0.034, abs=5e-4)
    assert m.annualised_volatility(made, 12) / m.annualised_volatility(held, 12) == pytest.approx(1.03, abs=0.005)
    assert m.beta(made, held) == pytest.approx(0.9988502086225742)
    growth, other = m.annualised_return(made, 12), m.annualised_return(held, 12)
    assert growth - m.beta(made, held) * other == pytest.approx(-0.014, abs=5e-4)  # Jensen's alpha of compounded growth
    assert m.modigliani_return(made, held, 12) == pytest.approx(
        m.annualised_mean(made, 12) * m.annualised_volatility(held, 12) / m.annualised_volatility(made, 12)
    )
