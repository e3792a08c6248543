"""How much returns vary: volatility, its downside, shape and memory."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from workbench.errors import DataError
from workbench.risk.metrics.curves import Curves, Floats, annual, annual_to_bar, ratio
from workbench.risk.metrics.define import of_returns
from workbench.risk.metrics.metric import ROOT, Metric

__all__ = [
    "annualised_volatility",
    "autocorrelation",
    "downside_deviation",
    "downside_of",
    "ewma_of",
    "ewma_volatility",
    "kurtosis",
    "long_run_spread",
    "skewness",
    "upside_deviation",
    "upside_potential",
]

_DECAY: Final = 0.94


@of_returns(
    Metric(
        "Volatility", "fraction", "sample standard deviation of returns x sqrt(periods per year)", "definition",
        "variation", "divided by bars - 1", annualised=ROOT, better="lower",
    )
)  # fmt: skip
def annualised_volatility(curves: Curves, periods_per_year: float) -> Floats:
    """Sample standard deviation of returns per bar (ddof 1), times the root of the bars in a year.

    NaN with fewer than two returns, zero without variation.
    """
    return curves.spread * math.sqrt(annual(periods_per_year))


def downside_of(curves: Curves, target: float) -> Floats:
    """Give the root mean square of the shortfalls below a target a bar, over all bars; NaN without bars."""
    if not curves.bars:
        return curves.nothing()
    short = np.minimum(curves.returns - target if target else curves.returns, 0.0)
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", short, short) / curves.bars))


@of_returns(
    Metric(
        "Downside deviation", "fraction", "root mean square of min(return - target, 0) x sqrt(periods per year)",
        "Sortino and van der Meer (1991)", "variation", "divided by all bars, not by the losing ones",
        annualised=ROOT, better="lower",
    )
)  # fmt: skip
def downside_deviation(curves: Curves, periods_per_year: float, *, target: float = 0.0) -> Floats:
    """Root mean square of the returns below a target (annual rate, fraction), annualised.

    Zero without a losing bar, NaN without bars.
    """
    return downside_of(curves, annual_to_bar(target, periods_per_year)) * math.sqrt(annual(periods_per_year))


@of_returns(
    Metric(
        "Upside deviation", "fraction", "root mean square of max(return, 0) x sqrt(periods per year)",
        "Bacon (2008), upside risk", "variation", "divided by all bars", annualised=ROOT,
    )
)  # fmt: skip
def upside_deviation(curves: Curves, periods_per_year: float) -> Floats:
    """Root mean square of the returns above zero, annualised; NaN without bars."""
    if not curves.bars:
        return curves.nothing()
    above = np.maximum(curves.returns, 0.0)
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", above, above) / curves.bars * annual(periods_per_year)))


@of_returns(
    Metric(
        "Upside potential ratio", "ratio", "mean of max(return, 0) / root mean square of min(return, 0)",
        "Sortino, van der Meer and Plantinga (1999)", "ratio", "target 0",
    )
)  # fmt: skip
def upside_potential(curves: Curves) -> Floats:
    """Mean gain over the downside deviation, both per bar and over all bars; NaN without a losing bar."""
    return ratio(curves.gains / curves.bars, downside_of(curves, 0.0)) if curves.bars else curves.nothing()


@of_returns(
    Metric(
        "Skewness", "ratio", "third central moment / variance ^ 1.5", "definition", "variation",
        "of the population, without small-sample correction",
    )
)  # fmt: skip
def skewness(curves: Curves) -> Floats:
    """Skewness of the returns; negative where losses have the longer tail. NaN without variation."""
    return curves.moment(3)


@of_returns(
    Metric(
        "Excess kurtosis", "ratio", "fourth central moment / variance ^ 2 - 3", "definition", "variation",
        "of the population; 0 for a normal distribution", better="lower",
    )
)  # fmt: skip
def kurtosis(curves: Curves) -> Floats:
    """Excess kurtosis of the returns: above zero where tails are fatter than normal. NaN without variation."""
    return curves.moment(4) - 3.0


@of_returns(
    Metric(
        "Autocorrelation", "ratio", "sum of centred products one bar apart / sum of centred squares",
        "Box and Jenkins", "variation", "lag 1 unless told otherwise", better="",
    )
)  # fmt: skip
def autocorrelation(curves: Curves, *, lag: int = 1) -> Floats:
    """Correlation of the returns with themselves some bars earlier; NaN without variation or with too few bars."""
    if not (isinstance(lag, int) and lag >= 1):
        raise DataError(f"lag is {lag!r}; give a whole number of bars, 1 or more")
    if curves.bars <= lag + 1:
        return curves.nothing()
    varies = np.where(curves.spread > 0.0, curves.squares, 0.0)
    return ratio(np.einsum("ij,ij->i", curves.centred[:, lag:], curves.centred[:, :-lag]), varies)


def long_run_spread(curves: Curves) -> Floats:
    """Give the root of the long-run variance of the returns per bar: with what neighbours have in common.

    Notes
    -----
    Newey and West (1987) with the Bartlett kernel and floor(4 (n / 100)^(2/9)) lags, never below zero.
    """
    lags = min(int(4.0 * (curves.bars / 100.0) ** (2.0 / 9.0)), curves.bars - 2)
    whole = curves.squares.copy()
    for lag in range(1, lags + 1):
        shared = np.einsum("ij,ij->i", curves.centred[:, lag:], curves.centred[:, :-lag])
        whole += 2.0 * (1.0 - lag / (lags + 1.0)) * shared
    return np.where(curves.spread > 0.0, np.sqrt(np.maximum(whole, 0.0) / max(curves.bars - 1, 1)), curves.spread)


def ewma_of(curves: Curves, decay: float) -> Floats:
    """Give the volatility per bar now, by exponentially weighted squares of the returns (mean taken as zero).

    Raises
    ------
    DataError
        The decay is not between 0 and 1.
    """
    if not 0.0 < decay < 1.0:
        raise DataError(f"decay is {decay!r}; give a fraction between 0 and 1, such as 0.94 for days (RiskMetrics)")
    if not curves.bars:
        return curves.nothing()
    weights = decay ** np.arange(curves.bars - 1, -1, -1, dtype=np.float64)
    weights /= weights.sum()
    return np.sqrt(np.square(curves.returns) @ weights)


@of_returns(
    Metric(
        "Volatility now", "fraction", "root of sum of weights x return^2, weights decay^age, x sqrt(periods per year)",
        "RiskMetrics (1996)", "variation", "decay 0.94, mean 0, weights sum to one", annualised=ROOT, better="lower",
    )
)  # fmt: skip
def ewma_volatility(curves: Curves, periods_per_year: float, *, decay: float = _DECAY) -> Floats:
    """Exponentially weighted volatility at the last bar, annualised; NaN without bars."""
    return ewma_of(curves, decay) * math.sqrt(annual(periods_per_year))
