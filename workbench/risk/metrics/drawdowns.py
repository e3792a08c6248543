"""How far and how long a series is below its high: depths, lengths, and the ratios that divide by them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.errors import DataError
from workbench.risk.metrics.curves import Curves, Floats, annual, ratio, read
from workbench.risk.metrics.define import of_returns
from workbench.risk.metrics.growth import growth_rate
from workbench.risk.metrics.metric import ABOVE, Metric

__all__ = [
    "average_drawdown",
    "average_drawdown_length",
    "burke_ratio",
    "calmar_ratio",
    "conditional_drawdown",
    "current_drawdown",
    "drawdown_at_risk",
    "drawdown_count",
    "longest_drawdown",
    "martin_ratio",
    "max_drawdown",
    "pain_index",
    "pain_ratio",
    "projected_recovery",
    "recovery_factor",
    "serenity_ratio",
    "stability",
    "sterling_ratio",
    "time_under_water",
    "ulcer_index",
    "underwater",
]


def underwater(returns: Any) -> Any:
    """Give the distance below the highest value so far at each bar.

    Parameters
    ----------
    returns : array_like, Series or DataFrame
        Simple returns per bar.

    Returns
    -------
    the same kind and shape
        Zero or a negative fraction; the value before the first bar counts as the first high. NaN in a series with an
        unknown return.
    """
    curves, _ = read(returns)
    with np.errstate(all="ignore"):
        path = np.where(curves.known[:, None], curves.below[:, 1:], math.nan)
    if hasattr(returns, "columns"):
        return returns.__class__(path.T, index=returns.index, columns=returns.columns)
    if hasattr(returns, "index") and not callable(returns.index):
        return returns.__class__(path[0], index=returns.index, name=returns.name)
    return path[0] if np.ndim(returns) == 1 else path.T


def _yearly(curves: Curves, periods_per_year: float | None, years: float | None) -> Floats:
    """Compound annual growth of each series."""
    if years is None:
        years = curves.bars / annual(math.nan if periods_per_year is None else periods_per_year)
    return np.array([growth_rate(float(total), years) for total in curves.total])


@of_returns(
    Metric("Max drawdown", "fraction", "lowest equity / highest before - 1", "definition", "drawdown")
)  # fmt: skip
def max_drawdown(curves: Curves) -> Floats:
    """Give the deepest fall below the high: a negative fraction, zero without a fall, NaN without bars."""
    return curves.deepest


@of_returns(
    Metric(
        "Drawdown now", "fraction", "last equity / highest so far - 1", "definition", "drawdown"
    )
)  # fmt: skip
def current_drawdown(curves: Curves) -> Floats:
    """Give the distance below the high at the last bar: zero or a negative fraction; NaN without bars."""
    return np.asarray(curves.below[:, -1]) if curves.bars else curves.nothing()


@of_returns(
    Metric(
        "Drawdowns", "count", "runs of bars below the highest equity so far", "definition", "drawdown", better="lower"
    )
)  # fmt: skip
def drawdown_count(curves: Curves) -> Floats:
    """Count the runs of bars below the high; zero without bars."""
    return curves.each(np.ones(len(curves.episodes.row)))


@of_returns(
    Metric(
        "Average drawdown", "fraction", "mean of the depths of all drawdowns", "definition", "drawdown",
        "one not made up yet counts as it is",
    )
)  # fmt: skip
def average_drawdown(curves: Curves) -> Floats:
    """Mean depth of all drawdowns, a negative fraction; NaN without one."""
    found = curves.episodes
    return ratio(curves.each(found.depth), curves.each(np.ones(len(found.row))))


def _lengths(curves: Curves) -> Floats:
    """Bars of each drawdown below its high."""
    found = curves.episodes
    return np.asarray(found.after - found.first, dtype=np.float64)


@of_returns(
    Metric(
        "Longest drawdown", "bars", "most bars in a row below the highest equity so far", "definition", "drawdown",
        "one not made up yet counts to the last bar", better="lower",
    )
)  # fmt: skip
def longest_drawdown(curves: Curves) -> Floats:
    """Most bars in a row below the high; zero without a drawdown, NaN without bars."""
    return curves.each(_lengths(curves), of="max") if curves.bars else curves.nothing()


@of_returns(
    Metric(
        "Average drawdown length", "bars", "mean bars of a drawdown below its high", "definition", "drawdown",
        "one not made up yet counts to the last bar", better="lower",
    )
)  # fmt: skip
def average_drawdown_length(curves: Curves) -> Floats:
    """Mean bars of a drawdown below its high; NaN without one."""
    return ratio(curves.each(_lengths(curves)), curves.each(np.ones(len(curves.episodes.row))))


@of_returns(
    Metric(
        "Time under water", "fraction", "bars below the highest equity so far / bars", "definition", "drawdown",
        better="lower",
    )
)  # fmt: skip
def time_under_water(curves: Curves) -> Floats:
    """Share of the bars that end below the high so far; NaN without bars."""
    return np.asarray((curves.below[:, 1:] < 0.0).mean(axis=1)) if curves.bars else curves.nothing()


def _ulcer(curves: Curves) -> Floats:
    if not curves.bars:
        return curves.nothing()
    below = curves.below[:, 1:]
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", below, below) / curves.bars))


def _pain(curves: Curves) -> Floats:
    return np.asarray(-curves.below[:, 1:].mean(axis=1)) if curves.bars else curves.nothing()


@of_returns(
    Metric(
        "Ulcer index", "fraction", "root mean square of the distance below the high", "Martin and McCann (1989)",
        "drawdown", "a fraction, not a percent", better="lower",
    )
)  # fmt: skip
def ulcer_index(curves: Curves) -> Floats:
    """Root mean square of the distance below the high at each bar; NaN without bars."""
    return _ulcer(curves)


@of_returns(
    Metric(
        "Pain index", "fraction", "mean distance below the high", "Becker (2006), Zephyr", "drawdown", better="lower"
    )
)  # fmt: skip
def pain_index(curves: Curves) -> Floats:
    """Mean distance below the high at each bar, a positive fraction; NaN without bars."""
    return _pain(curves)


@of_returns(
    Metric(
        "Calmar ratio", "ratio", "annualised return / |max drawdown|", "Young (1991), over the whole history", "ratio",
        annualised=ABOVE,
    )
)  # fmt: skip
def calmar_ratio(curves: Curves, periods_per_year: float | None = None, *, years: float | None = None) -> Floats:
    """Annualised return over the depth of the deepest drawdown; NaN without one."""
    return ratio(_yearly(curves, periods_per_year, years), -curves.deepest)


@of_returns(
    Metric(
        "Sterling ratio", "ratio", "annualised return / (|mean of the 3 deepest drawdowns| + 10 %)",
        "Kestner (1996), after Deane Sterling Jones", "ratio",
        "the excess of 10 % as in the original, which averages the deepest of each of 3 years", annualised=ABOVE,
    )
)  # fmt: skip
def sterling_ratio(
    curves: Curves,
    periods_per_year: float | None = None,
    *,
    years: float | None = None,
    deepest: int = 3,
    excess: float = 0.10,
) -> Floats:
    """Annualised return over the mean of the deepest drawdowns plus an excess (fraction).

    Fewer drawdowns than asked for are averaged as they are; none counts as depth zero.
    """
    if not (isinstance(deepest, int) and deepest >= 1):
        raise DataError(f"deepest is {deepest!r}; give how many drawdowns to average, 1 or more")
    found = curves.episodes
    order = np.lexsort((found.depth, found.row))
    row, depth = found.row[order], found.depth[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    chosen = rank < deepest
    total, count = np.zeros(len(curves)), np.zeros(len(curves))
    np.add.at(total, row[chosen], depth[chosen])
    np.add.at(count, row[chosen], 1.0)
    mean = np.where(count > 0.0, -total / np.maximum(count, 1.0), 0.0)
    return ratio(_yearly(curves, periods_per_year, years), mean + excess)


@of_returns(
    Metric(
        "Burke ratio", "ratio", "annualised return / root of the sum of squared depths of all drawdowns",
        "Burke (1994)", "ratio", "drawdowns from high to recovery, not runs of losing months", annualised=ABOVE,
    )
)  # fmt: skip
def burke_ratio(curves: Curves, periods_per_year: float | None = None, *, years: float | None = None) -> Floats:
    """Annualised return over the root of the summed squares of all drawdowns; NaN without one."""
    return ratio(_yearly(curves, periods_per_year, years), np.sqrt(curves.each(curves.episodes.depth**2)))


@of_returns(
    Metric(
        "Martin ratio", "ratio", "annualised return / ulcer index", "Martin and McCann (1989)", "ratio",
        "also called ulcer performance index; risk-free rate 0", annualised=ABOVE,
    )
)  # fmt: skip
def martin_ratio(curves: Curves, periods_per_year: float | None = None, *, years: float | None = None) -> Floats:
    """Annualised return over the ulcer index; NaN without a drawdown."""
    return ratio(_yearly(curves, periods_per_year, years), _ulcer(curves))


@of_returns(
    Metric(
        "Pain ratio", "ratio", "annualised return / pain index", "Becker (2006), Zephyr", "ratio", "risk-free rate 0",
        annualised=ABOVE,
    )
)  # fmt: skip
def pain_ratio(curves: Curves, periods_per_year: float | None = None, *, years: float | None = None) -> Floats:
    """Annualised return over the pain index; NaN without a drawdown."""
    return ratio(_yearly(curves, periods_per_year, years), _pain(curves))


@of_returns(
    Metric("Recovery factor", "ratio", "total return / |max drawdown|", "definition", "ratio", "not annualised")
)  # fmt: skip
def recovery_factor(curves: Curves) -> Floats:
    """Total return over the depth of the deepest drawdown; NaN without one."""
    return ratio(curves.total, -curves.deepest)


@of_returns(
    Metric(
        "Conditional drawdown", "fraction", "mean of the deepest 5 % of the distances below the high",
        "Chekhlov, Uryasev and Zabarankin (2005)", "drawdown", "level 95 % unless given; at least one bar",
    )
)  # fmt: skip
def conditional_drawdown(curves: Curves, *, level: float = 0.95) -> Floats:
    """Mean distance below the high in the worst bars (drawdown at risk); zero or a negative fraction."""
    return _worst_mean(curves, level)


@of_returns(
    Metric(
        "Drawdown at risk", "fraction", "distance below the high that is exceeded in 5 % of the bars",
        "Chekhlov, Uryasev and Zabarankin (2005)", "drawdown", "level 95 % unless given, linear between two bars",
    )
)  # fmt: skip
def drawdown_at_risk(curves: Curves, *, level: float = 0.95) -> Floats:
    """Give the distance below the high that all but the worst bars keep above; zero or a negative fraction."""
    if not 0.0 < level < 1.0:
        raise DataError(f"level is {level!r}; give a fraction between 0 and 1, such as 0.95")
    if not curves.bars:
        return curves.nothing()
    place = (1.0 - level) * (curves.bars - 1)
    low = math.floor(place)
    high = min(low + 1, curves.bars - 1)
    split = np.partition(curves.below[:, 1:], (low, high), axis=1)
    return np.asarray(split[:, low] + (place - low) * (split[:, high] - split[:, low]))


@of_returns(
    Metric(
        "Projected recovery", "bars", "log(highest equity / last equity) / mean log growth a bar",
        "definition", "drawdown", "growth of the whole history goes on; 0 at the high", better="lower",
    )
)  # fmt: skip
def projected_recovery(curves: Curves) -> Floats:
    """Bars until the high is seen again if growth goes on as it was on the whole.

    Zero at the high; NaN without bars, with nothing left, or where growth was not above zero.
    """
    if not curves.bars:
        return curves.nothing()
    last, below = curves.wealth[:, -1], curves.below[:, -1]
    growth = np.log(np.where(last > 0.0, last, math.nan)) / curves.bars
    wait = ratio(-np.log1p(np.maximum(below, -1.0)), np.where(growth > 0.0, growth, math.nan))
    return np.where(below < 0.0, wait, 0.0)


def _worst_mean(curves: Curves, level: float) -> Floats:
    if not 0.0 < level < 1.0:
        raise DataError(f"level is {level!r}; give a fraction between 0 and 1, such as 0.95")
    if not curves.bars:
        return curves.nothing()
    count = max(1, round((1.0 - level) * curves.bars))
    return np.asarray(np.partition(curves.below[:, 1:], count - 1, axis=1)[:, :count].mean(axis=1))


@of_returns(
    Metric(
        "Serenity ratio", "ratio", "annualised return / (ulcer index x pitfall), pitfall = |conditional drawdown| / "
        "volatility",
        "KeyQuant, An Alternative Portfolio Theory", "ratio", "volatility annualised, conditional drawdown at 95 %",
        annualised=ABOVE,
    )
)  # fmt: skip
def serenity_ratio(curves: Curves, periods_per_year: float, *, years: float | None = None) -> Floats:
    """Annualised return over the ulcer index times how far drawdowns go beyond volatility; NaN without a drawdown."""
    volatility = curves.spread * math.sqrt(annual(periods_per_year))
    pitfall = ratio(-_worst_mean(curves, 0.95), volatility)
    return ratio(_yearly(curves, periods_per_year, years), _ulcer(curves) * pitfall)


@of_returns(
    Metric(
        "Stability", "ratio", "R squared of a straight line through log equity", "empyrical, after quantopian",
        "ratio", "from 0 to 1",
    )
)  # fmt: skip
def stability(curves: Curves) -> Floats:
    """How straight the growth is: R squared of log equity on time.

    NaN with fewer than two bars, without any change, or where the equity was zero or less.
    """
    if curves.bars < 2:
        return curves.nothing()
    path = curves.wealth[:, 1:]
    alive = path.min(axis=1) > 0.0
    logs = np.log(np.where(alive[:, None], path, 1.0))
    time = np.arange(curves.bars, dtype=np.float64) - (curves.bars - 1) / 2.0
    centred = logs - logs.mean(axis=1, keepdims=True)
    squares = np.einsum("ij,ij->i", centred, centred)
    flat = squares <= 1e-24 * curves.bars
    fitted = (centred @ time) ** 2 / (time @ time)
    return np.where(alive, ratio(fitted, np.where(flat, 0.0, squares)), math.nan)
