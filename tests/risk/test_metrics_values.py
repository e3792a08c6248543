"""Every metric against arithmetic written out by hand, and against the numbers of published examples."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from workbench.errors import DataError
from workbench.risk import metrics as m

R = [0.10, -0.05, 0.02, -0.10, 0.08, 0.04]
B = [0.05, -0.02, 0.01, -0.04, 0.05, -0.01]
P = [30.0, -10.0, -20.0, 0.0, 40.0, 20.0, -5.0]
YEAR = 4.0
WHEN = pd.to_datetime(
    ["2023-11-30T06", "2023-11-30T18", "2023-12-31T00", "2024-01-01T00", "2024-01-15T00", "2024-02-01T00"],
    format="ISO8601",
    utc=True,
)
NOVEMBER, DECEMBER, JANUARY, FEBRUARY = 1.10 * 0.95 - 1.0, 0.02, 0.90 * 1.08 - 1.0, 0.04

W = [1.10, 1.10 * 0.95, 1.10 * 0.95 * 1.02, 1.10 * 0.95 * 1.02 * 0.90]
W += [W[3] * 1.08, W[3] * 1.08 * 1.04]
TOTAL = W[5] - 1.0
GROWTH = (1.0 + TOTAL) ** (1.0 / 1.5) - 1.0
MEAN = 0.09 / 6.0
SS = sum((r - MEAN) ** 2 for r in R)
SD = math.sqrt(SS / 5.0)
DOWN = math.sqrt((0.05**2 + 0.10**2) / 6.0)
BELOW = [0.0, W[1] / W[0] - 1, W[2] / W[0] - 1, W[3] / W[0] - 1, W[4] / W[0] - 1, W[5] / W[0] - 1]
DEEP = W[3] / W[0] - 1.0
ULCER = math.sqrt(sum(b * b for b in BELOW) / 6.0)
PAIN = -sum(BELOW) / 6.0
M3 = sum((r - MEAN) ** 3 for r in R) / 6.0 / (SS / 6.0) ** 1.5
M4 = sum((r - MEAN) ** 4 for r in R) / 6.0 / (SS / 6.0) ** 2
S = MEAN / SD
BM = 0.04 / 6.0
BSS = sum((b - BM) ** 2 for b in B)
COV = sum((r - MEAN) * (b - BM) for r, b in zip(R, B, strict=True))
DIFF = [r - b for r, b in zip(R, B, strict=True)]
DM = sum(DIFF) / 6.0
TE = math.sqrt(sum((d - DM) ** 2 for d in DIFF) / 5.0)
UP = ((1.10 * 1.02 * 1.08) ** (1 / 3)) - 1.0
UP_B = (1.05 * 1.01 * 1.05) ** (1 / 3) - 1.0
FALL = (0.95 * 0.90 * 1.04) ** (1 / 3) - 1.0
FALL_B = (0.98 * 0.96 * 0.99) ** (1 / 3) - 1.0
AC = sum((R[i] - MEAN) * (R[i - 1] - MEAN) for i in range(1, 6))
LONG = math.sqrt((SS + 2.0 * (1 - 1 / 3) * AC + 2.0 * (1 - 2 / 3) * sum(
    (R[i] - MEAN) * (R[i - 2] - MEAN) for i in range(2, 6))) / 5.0)  # fmt: skip
LOGS = [math.log(w) for w in W]
LM = sum(LOGS) / 6.0
FIT = sum((i - 2.5) * (x - LM) for i, x in enumerate(LOGS)) ** 2 / 17.5
Q05 = -0.10 + 0.25 * (-0.05 + 0.10)
Q95 = 0.08 + 0.75 * (0.10 - 0.08)
EW = [0.94 ** (5 - i) for i in range(6)]
EWMA = math.sqrt(sum(w * r * r for w, r in zip(EW, R, strict=True)) / sum(EW))
UP_BARS = [(0.10, 0.05), (0.02, 0.01), (0.08, 0.05)]
DOWN_BARS = [(-0.05, -0.02), (-0.10, -0.04), (0.04, -0.01)]


def slope(pairs: list[tuple[float, float]]) -> float:
    """Least squares, written out."""
    mine, held = sum(r for r, _ in pairs) / len(pairs), sum(b for _, b in pairs) / len(pairs)
    return sum((r - mine) * (b - held) for r, b in pairs) / sum((b - held) ** 2 for _, b in pairs)


REST = [r - MEAN - COV / BSS * (b - BM) for r, b in zip(R, B, strict=True)]
PM = 55.0 / 7.0
PSD = math.sqrt(sum((p - PM) ** 2 for p in P) / 6.0)

BY_HAND = {
    "total_return": TOTAL,
    "annualised_return": GROWTH,
    "annualised_volatility": SD * 2.0,
    "sharpe_ratio": S * 2.0,
    "sortino_ratio": MEAN / DOWN * 2.0,
    "calmar_ratio": GROWTH / -DEEP,
    "max_drawdown": DEEP,
    "annualised_mean": MEAN * 4.0,
    "average_gain": (0.10 + 0.02 + 0.08 + 0.04) / 4.0,
    "average_loss": -0.075,
    "best_return": 0.10,
    "geometric_mean": (1.0 + TOTAL) ** (1.0 / 6.0) - 1.0,
    "mean_return": MEAN,
    "positive_share": 4.0 / 6.0,
    "worst_return": -0.10,
    "autocorrelation": AC / SS,
    "downside_deviation": DOWN * 2.0,
    "ewma_volatility": EWMA * 2.0,
    "kurtosis": M4 - 3.0,
    "skewness": M3,
    "upside_deviation": math.sqrt((0.10**2 + 0.02**2 + 0.08**2 + 0.04**2) / 6.0) * 2.0,
    "upside_potential": 0.24 / 6.0 / DOWN,
    "adjusted_sharpe_ratio": 2 * S * (1.0 + M3 / 6.0 * 2 * S - (M4 - 3.0) / 24.0 * (2 * S) ** 2),
    "common_sense_ratio": Q95 / -Q05 * 0.24 / 0.15,
    "gain_to_pain_ratio": 0.09 / 0.15,
    "kappa_three_ratio": MEAN / ((0.05**3 + 0.10**3) / 6.0) ** (1.0 / 3.0),
    "omega_ratio": 0.24 / 0.15,
    "probabilistic_sharpe_ratio": NormalDist().cdf(
        S * math.sqrt(5.0) / math.sqrt(1.0 - M3 * S + (M4 - 1.0) / 4.0 * S * S)
    ),
    "sharpe_standard_error": math.sqrt((1.0 - M3 * S + (M4 - 1.0) / 4.0 * S * S) / 5.0 * 4.0),
    "smart_sharpe_ratio": MEAN / LONG * 2.0,
    "smart_sortino_ratio": MEAN / DOWN * 2.0 * SD / LONG,
    "tail_ratio": Q95 / -Q05,
    "average_drawdown": DEEP,
    "average_drawdown_length": 5.0,
    "burke_ratio": GROWTH / -DEEP,
    "conditional_drawdown": DEEP,
    "current_drawdown": BELOW[5],
    "drawdown_count": 1.0,
    "longest_drawdown": 5.0,
    "martin_ratio": GROWTH / ULCER,
    "pain_index": PAIN,
    "pain_ratio": GROWTH / PAIN,
    "recovery_factor": TOTAL / -DEEP,
    "serenity_ratio": GROWTH / (ULCER * -DEEP / (SD * 2.0)),
    "stability": FIT / sum((x - LM) ** 2 for x in LOGS),
    "sterling_ratio": GROWTH / (-DEEP + 0.10),
    "time_under_water": 5.0 / 6.0,
    "ulcer_index": ULCER,
    "expected_shortfall": -0.10,
    "value_at_risk": Q05,
    "active_return": DM * 4.0,
    "alpha": (MEAN - COV / BSS * BM) * 4.0,
    "batting_average": 4.0 / 6.0,
    "beta": COV / BSS,
    "capture_ratio": UP / UP_B / (FALL / FALL_B),
    "correlation": COV / math.sqrt(SS * BSS),
    "down_capture": FALL / FALL_B,
    "information_ratio": DM / TE * 2.0,
    "modigliani_return": S * math.sqrt(BSS / 5.0) * 4.0,
    "r_squared": COV**2 / (SS * BSS),
    "tracking_error": TE * 2.0,
    "treynor_ratio": MEAN * 4.0 / (COV / BSS),
    "up_capture": UP / UP_B,
    "win_rate": 3.0 / 7.0,
    "profit_factor": 90.0 / 35.0,
    "expectancy": PM,
    "average_loser": -35.0 / 3.0,
    "average_winner": 30.0,
    "best_trade": 40.0,
    "expectancy_ratio": PM / (35.0 / 3.0),
    "kelly_fraction": 3.0 / 7.0 - 4.0 / 7.0 / (30.0 / (35.0 / 3.0)),
    "longest_losing_streak": 2.0,
    "longest_winning_streak": 2.0,
    "payoff_ratio": 30.0 / (35.0 / 3.0),
    "risk_of_ruin": math.exp(-2.0 * PM * 350.0 / 3.0 / PSD**2),
    "system_quality_number": math.sqrt(7.0) * PM / PSD,
    "worst_trade": -20.0,
    "best_day": 0.08,
    "worst_day": -0.10,
    "positive_days": 4.0 / 5.0,
    "best_month": NOVEMBER,
    "worst_month": JANUARY,
    "positive_months": 3.0 / 4.0,
    "average_up_month": (NOVEMBER + DECEMBER + FEBRUARY) / 3.0,
    "average_down_month": JANUARY,
    "best_year": 1.10 * 0.95 * 1.02 - 1.0,
    "worst_year": 0.90 * 1.08 * 1.04 - 1.0,
    "positive_years": 1.0,
    "drawdown_at_risk": BELOW[3] + 0.25 * (BELOW[4] - BELOW[3]),
    "projected_recovery": math.log(1.10 / W[5]) / (math.log(W[5]) / 6.0),
    "rachev_ratio": 0.10 / 0.10,
    "up_beta": slope(UP_BARS),
    "down_beta": slope(DOWN_BARS),
    "appraisal_ratio": (MEAN - COV / BSS * BM) / math.sqrt(sum(e * e for e in REST) / 4.0) * 2.0,
    "average_winning_streak": (1.0 + 2.0) / 2.0,
    "average_losing_streak": (2.0 + 1.0) / 2.0,
    "best_share": 40.0 / 90.0,
    "cpc_index": 90.0 / 35.0 * 3.0 / 7.0 * 30.0 / (35.0 / 3.0),
    "median_trade": 0.0,
}

EQUITY = [100.0, 110.0, 90.0, 100.0]
OF_A_RUN = {
    "turnover": (m.turnover(800.0, EQUITY, 0.5), 800.0 / 100.0 / 0.5),
    "cost_drag": (m.cost_drag(6.0, EQUITY, 0.5), 6.0 / 100.0 / 0.5),
    "average_exposure": (m.average_exposure([50.0, -55.0, 0.0, 100.0], EQUITY), (0.5 + 0.5 + 0.0 + 1.0) / 4.0),
    # 1 % of 8,000 over half of the equity traded is 160, of 12,000 over a tenth 1,200; 5 % of the way between them
    "capacity": (m.capacity([50.0, 11.0, 0.0, 0.0], [8e3, 12e3, 1.0, 0.0], EQUITY), 160.0 + 0.05 * (1_200.0 - 160.0)),
}


def test_every_metric_has_a_value_worked_by_hand() -> None:
    assert {*BY_HAND, *OF_A_RUN} == {name for name, metric in m.METRICS.items() if metric.function is not None}


@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_value_worked_by_hand(name: str) -> None:
    sheet = m.tear_sheet(pd.Series(R, index=WHEN), YEAR, benchmark=B, profits=P)
    assert sheet.loc[name, "value"] == pytest.approx(BY_HAND[name], rel=1e-12)


@pytest.mark.parametrize("name", sorted(OF_A_RUN))
def test_value_of_a_run_worked_by_hand(name: str) -> None:
    found, expected = OF_A_RUN[name]
    assert found == pytest.approx(expected, rel=1e-12)


def test_tails_by_every_method() -> None:
    z, d = NormalDist().inv_cdf(0.01), NormalDist().pdf(NormalDist().inv_cdf(0.01)) / 0.01
    assert m.value_at_risk(R, level=0.99, method="gaussian") == pytest.approx(MEAN + z * SD)
    assert m.expected_shortfall(R, level=0.99, method="gaussian") == pytest.approx(MEAN - d * SD)
    assert m.value_at_risk(R, level=0.99, horizon=4, method="gaussian") == pytest.approx(4 * MEAN + z * 2 * SD)
    assert m.value_at_risk(R, level=0.99, method="ewma") == pytest.approx(z * EWMA)
    fat = np.random.default_rng(3).standard_t(8, 4_000) / 100.0  # a kurtosis that the expansion can take
    s, k = m.skewness(fat), m.kurtosis(fat)
    expanded = z + (z**2 - 1) / 6 * s + (z**3 - 3 * z) / 24 * k - (2 * z**3 - 5 * z) / 36 * s**2
    found = m.value_at_risk(fat, level=0.99, method="cornish_fisher")
    assert found == pytest.approx(fat.mean() + expanded * fat.std(ddof=1))
    assert m.expected_shortfall(fat, level=0.99, method="cornish_fisher") < found
    assert m.value_at_risk(R, level=0.9, horizon=2) == pytest.approx(
        np.quantile([(1 + a) * (1 + b) - 1 for a, b in pairwise(R)], 0.1)
    )
    assert math.isnan(m.value_at_risk(R, horizon=7))


def test_an_expansion_whose_quantiles_would_cross_has_no_answer() -> None:
    wild = np.r_[np.full(500, 0.001), -0.5]
    assert m.kurtosis(wild) > 100
    assert math.isnan(m.value_at_risk(wild, method="cornish_fisher"))
    assert math.isnan(m.expected_shortfall(wild, method="cornish_fisher"))


def test_garch_forecasts_more_risk_after_a_storm_than_after_a_calm() -> None:
    random = np.random.default_rng(1)
    calm, storm = random.normal(0, 0.01, 600), random.normal(0, 0.03, 60)
    after_storm = m.value_at_risk(np.r_[calm, storm], method="garch")
    after_calm = m.value_at_risk(np.r_[storm, calm], method="garch")
    assert after_storm < 1.5 * after_calm < 0.0
    assert m.expected_shortfall(np.r_[calm, storm], method="garch") < after_storm
    assert math.isnan(m.value_at_risk(calm[:50], method="garch"))
    assert m.value_at_risk(np.r_[calm, storm], method="garch", horizon=4) == pytest.approx(2 * after_storm, rel=0.1)


def test_autocorrelated_gains_make_the_smart_sharpe_smaller() -> None:
    noise = np.random.default_rng(2).normal(0.01, 0.02, 4_000)
    smooth = (noise[1:] + noise[:-1]) / 2  # an MA(1): the long-run variance is that of the noise
    assert m.sharpe_ratio(smooth, 252) == pytest.approx(m.sharpe_ratio(noise, 252) * math.sqrt(2), rel=0.05)
    assert m.smart_sharpe_ratio(smooth, 252) == pytest.approx(m.sharpe_ratio(noise, 252), rel=0.12)


def test_table_of_drawdowns() -> None:
    days = pd.date_range("2024-01-01", periods=9, tz="UTC")
    returns = pd.Series([0.1, -0.1, 1 / 9, 0.0, -0.2, -0.1, 0.5, 0.2, -0.01], index=days)
    table = m.drawdown_table(returns)
    first = table.iloc[0]
    assert first.depth == pytest.approx(-0.28)
    assert (first.start, first.trough, first.recovery) == (days[3], days[5], days[6])
    assert (first.bars, first.bars_to_trough, first.gain_needed) == (2, 2, 0.0)
    last = table.iloc[2]
    assert pd.isna(last.recovery)
    assert last.gain_needed == pytest.approx(1 / 0.99 - 1)
    growth = math.log(m.total_return(returns) + 1) / 9
    assert last.projected_bars == pytest.approx(-math.log(0.99) / growth)
    assert list(m.drawdown_table(returns, most=1).depth) == [first.depth]
    assert m.drawdown_table([-0.1, 0.05]).start.tolist() == [0]
    with pytest.raises(DataError, match="3 times for 2 bars"):
        m.drawdown_table([0.1, 0.2], ts=[1, 2, 3])
    with pytest.raises(DataError, match="one series without unknown returns"):
        m.drawdown_table([0.1, math.nan])


def test_returns_by_month_and_year() -> None:
    days = pd.to_datetime(["2023-12-30", "2023-12-31", "2024-01-01", "2024-03-05"], utc=True)
    returns = pd.Series([0.1, 0.1, -0.5, 0.2], index=days)
    table = m.monthly_returns(returns)
    assert table.loc[2023, "Dec"] == pytest.approx(0.21)
    assert table.loc[2024, "Year"] == pytest.approx(-0.4)
    assert table.loc[2024].isna().sum() == 10
    assert m.yearly_returns(returns).round(10).to_dict() == {2023: 0.21, 2024: -0.4}
    assert m.returns_by(returns, "Q").tolist() == pytest.approx([0.21, -0.4])
    with pytest.raises(DataError, match="DatetimeIndex"):
        m.monthly_returns(pd.Series([0.1]))


def test_published_ratios_of_bacon() -> None:
    """Bacon (2008), Practical Portfolio Performance Measurement: 24 months, as PerformanceAnalytics has them."""
    made = np.array([0.3, 2.6, 1.1, -1.0, 1.5, 2.5, 1.6, 6.7, -1.4, 4.0, -0.5, 8.1, 4.0, -3.7, -6.1, 1.7, -4.9, -2.2,
                     7.0, 5.8, -6.5, 2.4, -0.5, -0.9]) / 100  # fmt: skip
    assert m.annualised_return(made, 12) == pytest.approx(0.10367828972980941)
    assert m.martin_ratio(made, 12) == pytest.approx(1.7, abs=0.01)
    held = np.array([0.2, 2.5, 1.8, -1.1, 1.4, 1.8, 1.4, 6.5, -1.5, 4.2, -0.6, 8.3, 3.9, -3.8, -6.2, 1.5, -4.8, 2.1,
                     6.0, 5.6, -6.7, 1.9, -0.3, 0.0]) / 100  # fmt: skip
    assert m.beta(made, held) == pytest.approx(0.9988502086225742)


def test_probabilistic_sharpe_of_the_paper() -> None:
    """The formula of Bailey and Lopez de Prado (2012), with the raw kurtosis and n - 1."""
    series = np.random.default_rng(5).gamma(2.0, 1.0, 300) * -0.01 + 0.03
    s, n = m.sharpe_ratio(series, 1.0), len(series)
    raw = m.kurtosis(series) + 3.0
    score = (s - 0.1) * math.sqrt(n - 1) / math.sqrt(1 - m.skewness(series) * s + (raw - 1) / 4 * s * s)
    assert m.probabilistic_sharpe_ratio(series, 1.0, benchmark_sharpe=0.1) == pytest.approx(NormalDist().cdf(score))
    assert m.probabilistic_sharpe_ratio(series, 1.0, benchmark_sharpe=s) == pytest.approx(0.5)


def test_a_period_without_change_is_neither_up_nor_down() -> None:
    returns = pd.Series([0.1, 0.0, -0.2], pd.to_datetime(["2023-11-30", "2023-12-31", "2024-01-31"], utc=True))
    assert (m.average_up_month(returns), m.average_down_month(returns)) == pytest.approx((0.1, -0.2))
    assert m.positive_months(returns) == m.positive_days(returns) == pytest.approx(1 / 3)
    assert m.positive_years(returns) == 0.5
