"""How much was made: totals, annual rates, means, the best and the worst."""

from __future__ import annotations

import math

import numpy as np

from workbench.risk.metrics.curves import Curves, Floats, annual, ratio
from workbench.risk.metrics.define import of_returns
from workbench.risk.metrics.metric import GROWTH, TIMES, Metric

__all__ = [
    "annualised_mean",
    "annualised_return",
    "average_gain",
    "average_loss",
    "best_return",
    "geometric_mean",
    "growth_rate",
    "mean_return",
    "positive_share",
    "total_return",
    "worst_return",
]


def growth_rate(total: float, years: float) -> float:
    """Compound annual growth rate of a total return (fraction) earned in elapsed years; -1 where all was lost.

    NaN without elapsed time. Under a year it extrapolates, as every annual figure does.
    """
    if math.isnan(total) or not years > 0:
        return math.nan
    if total <= -1.0:
        return -1.0
    growth = math.log1p(total) / years
    return math.expm1(growth) if growth < 700.0 else math.nan


@of_returns(Metric("Total return", "fraction", "product of (1 + return) - 1", "definition"))
def total_return(curves: Curves) -> Floats:
    """Give final equity over initial equity, less one; NaN without bars. Below -1 the account owes money."""
    return curves.total


@of_returns(
    Metric(
        "Annualised return", "fraction", "(1 + total return) ^ (1 / years) - 1", "compound annual growth rate",
        convention="years are elapsed time (Actual/365) where known, else bars / periods per year", annualised=GROWTH,
    )
)  # fmt: skip
def annualised_return(curves: Curves, periods_per_year: float | None = None, *, years: float | None = None) -> Floats:
    """Give the compound annual growth rate.

    Parameters
    ----------
    returns : array_like, Series or DataFrame
        Simple returns per bar.
    periods_per_year : float, optional
        Bars in a year.
    years : float, optional
        Elapsed time, which is more exact where bars are missing or a calendar has holidays.

    Returns
    -------
    float, or one a series
        -1 where all was lost; NaN without bars or beyond what a float can say.
    """
    if years is None:
        years = curves.bars / annual(math.nan if periods_per_year is None else periods_per_year)
    return np.array([growth_rate(float(total), years) for total in curves.total])


@of_returns(Metric("Mean return", "fraction", "sum of returns / bars", "definition"))
def mean_return(curves: Curves) -> Floats:
    """Arithmetic mean of the returns per bar; NaN without bars."""
    return curves.mean


@of_returns(
    Metric("Annual mean return", "fraction", "mean return x periods per year", "definition", annualised=TIMES)
)  # fmt: skip
def annualised_mean(curves: Curves, periods_per_year: float) -> Floats:
    """Arithmetic mean of the returns times the bars in a year, without compounding; NaN without bars."""
    return curves.mean * annual(periods_per_year)


@of_returns(Metric("Geometric mean", "fraction", "(1 + total return) ^ (1 / bars) - 1", "definition"))
def geometric_mean(curves: Curves) -> Floats:
    """Return per bar that compounds to the total; -1 where all was lost, NaN without bars."""
    return np.array([growth_rate(float(total), curves.bars) for total in curves.total])


@of_returns(Metric("Best bar", "fraction", "largest return", "definition"))
def best_return(curves: Curves) -> Floats:
    """Largest return of a bar; NaN without bars."""
    return curves.quantile(1.0)


@of_returns(Metric("Worst bar", "fraction", "smallest return", "definition"))
def worst_return(curves: Curves) -> Floats:
    """Smallest return of a bar; NaN without bars."""
    return curves.quantile(0.0)


@of_returns(Metric("Bars with a gain", "fraction", "bars with a return above 0 / bars", "definition"))
def positive_share(curves: Curves) -> Floats:
    """Share of the bars with a return above zero; NaN without bars."""
    return np.asarray((curves.returns > 0.0).mean(axis=1)) if curves.bars else curves.nothing()


@of_returns(Metric("Average gain", "fraction", "mean of the returns above 0", "definition"))
def average_gain(curves: Curves) -> Floats:
    """Mean of the returns above zero; NaN where there are none."""
    return ratio(curves.gains, (curves.returns > 0.0).sum(axis=1))


@of_returns(Metric("Average loss", "fraction", "mean of the returns below 0", "definition"))
def average_loss(curves: Curves) -> Floats:
    """Mean of the returns below zero, a negative number; NaN where there are none."""
    return ratio(-curves.losses, (curves.returns < 0.0).sum(axis=1))
