"""Reward over risk, where risk is how returns vary: Sharpe and its family, Sortino, omega, kappa, gain to pain."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

import numpy as np

from workbench.errors import DataError
from workbench.risk.metrics.curves import Curves, Floats, annual, annual_to_bar, ratio
from workbench.risk.metrics.define import of_returns
from workbench.risk.metrics.metric import ROOT, Metric
from workbench.risk.metrics.variation import downside_of, long_run_spread

__all__ = [
    "adjusted_sharpe_ratio",
    "common_sense_ratio",
    "gain_to_pain_ratio",
    "kappa_three_ratio",
    "omega_ratio",
    "probabilistic_sharpe_ratio",
    "sharpe_ratio",
    "sharpe_standard_error",
    "sharpe_variance",
    "smart_sharpe_ratio",
    "smart_sortino_ratio",
    "sortino_ratio",
    "tail_ratio",
]

_NORMAL: Final = NormalDist()


def _per_bar(curves: Curves, rate: float) -> Floats:
    """Sharpe ratio a bar over a rate a bar."""
    return ratio(curves.mean - rate, curves.spread)


@of_returns(
    Metric(
        "Sharpe ratio", "ratio", "mean return / sample standard deviation x sqrt(periods per year)",
        "Sharpe (1994), The Sharpe Ratio", "ratio", "risk-free rate 0 unless given; bars without a position count",
        annualised=ROOT,
    )
)  # fmt: skip
def sharpe_ratio(curves: Curves, periods_per_year: float, *, risk_free: float = 0.0) -> Floats:
    """Mean return over its sample standard deviation, annualised.

    Parameters
    ----------
    returns : array_like, Series or DataFrame
        Simple returns per bar, shape (n,) or (n, k), bars without a position included.
    periods_per_year : float
        Bars in a year of the instrument's calendar.
    risk_free : float, default 0
        Annual rate, a fraction.

    Returns
    -------
    float, or one a series
        NaN with fewer than two returns, without variation, or with an unknown return.

    Notes
    -----
    Sharpe (1994), The Sharpe Ratio, Journal of Portfolio Management 21(1).

    Examples
    --------
    >>> round(sharpe_ratio([0.01, -0.01, 0.02, 0.0], 365), 6)
    7.399324
    """
    return _per_bar(curves, annual_to_bar(risk_free, periods_per_year)) * math.sqrt(annual(periods_per_year))


@of_returns(
    Metric(
        "Standard error of Sharpe", "ratio", "sqrt((1 - skew S + (kurtosis - 1) / 4 S^2) / (bars - 1)), annualised",
        "Mertens (2002); Lo (2002) for normal returns", "ratio", "S a bar, raw kurtosis; returns taken as independent",
        annualised=ROOT, better="lower",
    )
)  # fmt: skip
def sharpe_standard_error(curves: Curves, periods_per_year: float) -> Floats:
    """Standard error of the annualised Sharpe ratio, with skewness and kurtosis; NaN where that has none."""
    return np.asarray(np.sqrt(_variance(curves) / max(curves.bars - 1, 1) * annual(periods_per_year)))


def sharpe_variance(sharpe: Floats, skew: Floats, kurtosis: Floats) -> Floats:
    """Give the variance of an estimated Sharpe ratio a bar, times the number of bars less one.

    Parameters
    ----------
    sharpe, skew, kurtosis : float64 arrays that broadcast
        Sharpe ratio a bar; skewness and raw kurtosis (3 for a normal distribution) of the returns a bar.

    Returns
    -------
    float64 array
        NaN where it would not be positive, which no distribution has, or where something is not known.

    Notes
    -----
    Mertens (2002), Comments on Variance of the IID Estimator in Lo (2002).
    """
    whole = 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * np.square(sharpe)
    return np.where(whole > 0.0, whole, math.nan)


def _variance(curves: Curves) -> Floats:
    """Variance of the Sharpe ratio a bar, times the number of bars."""
    return sharpe_variance(_per_bar(curves, 0.0), curves.moment(3), curves.moment(4))


@of_returns(
    Metric(
        "Probabilistic Sharpe", "fraction", "Phi((S - S*) sqrt(bars - 1) / sqrt(1 - skew S + (kurtosis - 1) / 4 S^2))",
        "Bailey and Lopez de Prado (2012)", "ratio", "S a bar, raw kurtosis",
    )
)  # fmt: skip
def probabilistic_sharpe_ratio(
    curves: Curves, periods_per_year: float = 1.0, *, benchmark_sharpe: float = 0.0
) -> Floats:
    """Probability that the true Sharpe ratio is above a benchmark's.

    Parameters
    ----------
    returns : array_like, Series or DataFrame
    periods_per_year : float, default 1
        For the benchmark's ratio alone.
    benchmark_sharpe : float, default 0
        Annualised.
    """
    least = benchmark_sharpe / math.sqrt(annual(periods_per_year))
    distance = (_per_bar(curves, 0.0) - least) * math.sqrt(max(curves.bars - 1, 0)) / np.sqrt(_variance(curves))
    return np.array([math.nan if math.isnan(one) else _NORMAL.cdf(one) for one in distance.tolist()])


@of_returns(
    Metric(
        "Smart Sharpe", "ratio", "mean return / long-run standard deviation x sqrt(periods per year)",
        "Lo (2002), The Statistics of Sharpe Ratios; Newey and West (1987)", "ratio",
        "Bartlett kernel, floor(4 (n / 100)^(2/9)) lags", annualised=ROOT,
    )
)  # fmt: skip
def smart_sharpe_ratio(curves: Curves, periods_per_year: float) -> Floats:
    """Sharpe ratio annualised with regard to autocorrelation: smaller where gains follow gains.

    NaN with fewer than three returns or without variation.
    """
    if curves.bars < 3:
        return curves.nothing()
    return ratio(curves.mean, long_run_spread(curves)) * math.sqrt(annual(periods_per_year))


@of_returns(
    Metric(
        "Adjusted Sharpe", "ratio", "S (1 + skew / 6 S - excess kurtosis / 24 S^2)",
        "Pezier and White (2006)", "ratio", "S annualised, moments of the bars", annualised=ROOT,
    )
)  # fmt: skip
def adjusted_sharpe_ratio(curves: Curves, periods_per_year: float) -> Floats:
    """Sharpe ratio with a penalty for negative skewness and fat tails; NaN without variation."""
    whole = _per_bar(curves, 0.0) * math.sqrt(annual(periods_per_year))
    return whole * (1.0 + curves.moment(3) / 6.0 * whole - (curves.moment(4) - 3.0) / 24.0 * whole**2)


@of_returns(
    Metric(
        "Sortino ratio", "ratio", "(mean return - target) / root mean square of min(return - target, 0) "
        "x sqrt(periods per year)",
        "Sortino and Price (1994)", "ratio", "target 0 unless given, divided by all bars", annualised=ROOT,
    )
)  # fmt: skip
def sortino_ratio(curves: Curves, periods_per_year: float, *, target: float = 0.0) -> Floats:
    """Mean return over the root mean square of the shortfalls (all bars counted), annualised.

    `target` is an annual rate (fraction). NaN with no returns or without a bar below it.

    Notes
    -----
    Sortino and Price (1994), Performance Measurement in a Downside Risk Framework.
    """
    rate = annual_to_bar(target, periods_per_year)
    return ratio(curves.mean - rate, downside_of(curves, rate)) * math.sqrt(annual(periods_per_year))


@of_returns(
    Metric(
        "Smart Sortino", "ratio", "Sortino ratio x standard deviation / long-run standard deviation",
        "as smart Sharpe", "ratio", "the same correction as of the Sharpe ratio", annualised=ROOT,
    )
)  # fmt: skip
def smart_sortino_ratio(curves: Curves, periods_per_year: float) -> Floats:
    """Sortino ratio annualised with regard to autocorrelation; NaN where either has no answer."""
    if curves.bars < 3:
        return curves.nothing()
    plain = ratio(curves.mean, downside_of(curves, 0.0)) * math.sqrt(annual(periods_per_year))
    return plain * ratio(curves.spread, long_run_spread(curves))


@of_returns(
    Metric(
        "Omega ratio", "ratio", "sum of max(return - threshold, 0) / sum of max(threshold - return, 0)",
        "Keating and Shadwick (2002)", "ratio", "threshold 0 unless given",
    )
)  # fmt: skip
def omega_ratio(curves: Curves, periods_per_year: float = 1.0, *, threshold: float = 0.0) -> Floats:
    """Gains over losses beyond a threshold (annual rate, fraction); NaN without a bar below it."""
    if not threshold:
        return ratio(curves.gains, curves.losses)
    above = curves.returns - annual_to_bar(threshold, periods_per_year)
    return ratio(np.maximum(above, 0.0).sum(axis=1), -np.minimum(above, 0.0).sum(axis=1))


@of_returns(
    Metric(
        "Kappa 3", "ratio", "(mean return - target) / cube root of mean of max(target - return, 0)^3",
        "Kaplan and Knowles (2004)", "ratio", "per bar, not annualised; target 0 unless given",
    )
)  # fmt: skip
def kappa_three_ratio(curves: Curves, periods_per_year: float = 1.0, *, target: float = 0.0) -> Floats:
    """Mean return over the third lower partial moment's root, per bar; NaN without a bar below the target.

    `target` is an annual rate (fraction). Of order one kappa is omega - 1, of order two Sortino's.
    """
    if not curves.bars:
        return curves.nothing()
    rate = annual_to_bar(target, periods_per_year)
    short = np.maximum(rate - curves.returns, 0.0)
    return ratio(curves.mean - rate, np.cbrt(np.einsum("ij,ij,ij->i", short, short, short) / curves.bars))


@of_returns(
    Metric(
        "Gain to pain", "ratio", "sum of returns / |sum of returns below 0|", "Schwager (2012)", "ratio",
        "on the bars given; Schwager uses months",
    )
)  # fmt: skip
def gain_to_pain_ratio(curves: Curves) -> Floats:
    """All returns over the size of the losing ones: omega less one; NaN without a losing bar."""
    return ratio(curves.gains - curves.losses, curves.losses)


@of_returns(
    Metric(
        "Tail ratio", "ratio", "|95th percentile of returns / 5th percentile|", "empyrical", "tail",
        "percentiles linear between two returns",
    )
)  # fmt: skip
def tail_ratio(curves: Curves, *, level: float = 0.95) -> Floats:
    """Size of the right tail over the left one; NaN without bars or with a left tail of zero."""
    if not 0.5 < level < 1.0:
        raise DataError(f"level is {level!r}; give a fraction between 0.5 and 1, such as 0.95")
    return np.abs(ratio(curves.quantile(level), curves.quantile(1.0 - level)))


@of_returns(
    Metric(
        "Common sense ratio", "ratio", "tail ratio x profit factor of the bars", "QuantStats", "ratio",
        "tails at 95 % and 5 %",
    )
)  # fmt: skip
def common_sense_ratio(curves: Curves) -> Floats:
    """Tail ratio times gains over losses: both how often and how far it goes wrong; NaN where either has none."""
    return np.abs(ratio(curves.quantile(0.95), curves.quantile(0.05))) * ratio(curves.gains, curves.losses)
