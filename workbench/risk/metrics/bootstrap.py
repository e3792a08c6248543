"""How sure a number is: intervals by resampling the returns in blocks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.risk.metrics.curves import Curves, Floats, read
from workbench.risk.metrics.define import about

__all__ = ["Interval", "bootstrap_interval", "stationary_bootstrap"]


class Interval(NamedTuple):
    """A number with its interval: `value` of what happened, `low` and `high` of the resampled, at `level`."""

    value: float
    low: float
    high: float
    level: float


def stationary_bootstrap(bars: int, draws: int, block: float, seed: int) -> NDArray[np.intp]:
    """Give positions of resampled series: runs of neighbours whose lengths are geometric, wrapped at the end.

    Parameters
    ----------
    bars, draws : int
        Length of the series, and how many to make.
    block : float
        Mean length of a run, 1 or more.
    seed : int

    Returns
    -------
    int array, shape (draws, bars)

    Notes
    -----
    Politis and Romano (1994), The Stationary Bootstrap.
    """
    if not (bars >= 1 and draws >= 1 and block >= 1.0):
        raise DataError(f"bars={bars!r}, draws={draws!r}, block={block!r}: each must be at least 1")
    random = np.random.default_rng(seed)
    begins = random.random((draws, bars)) < 1.0 / block
    begins[:, 0] = True
    starts = random.integers(0, bars, (draws, bars))
    place = np.arange(bars)
    origin = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    return np.asarray((np.take_along_axis(starts, origin, axis=1) + place - origin) % bars)


def bootstrap_interval(
    metric: Callable[..., Any],
    values: Any,
    *args: Any,
    level: float = 0.95,
    draws: int = 1_000,
    block: float | None = None,
    seed: int = 0,
    **options: Any,
) -> Interval:
    """Give an interval for a metric of one series.

    Parameters
    ----------
    metric : callable
        A metric of returns or of profits, such as `sharpe_ratio`; it is given the resampled series.
    values : array_like, shape (n,)
    *args, **options
        For the metric, such as periods per year.
    level : float, default 0.95
    draws : int, default 1000
    block : float, optional
        Mean length of the runs that stay together; the cube root of n for returns when left out, 1 for trades.
    seed : int, default 0
        The same seed gives the same interval.

    Returns
    -------
    Interval
        Percentiles of the resampled metric; NaN where fewer than half of the draws have an answer.

    Raises
    ------
    DataError
        There is more than one series, or an argument is out of range.
    """
    if not 0.0 < level < 1.0:
        raise DataError(f"level is {level!r}; give a fraction between 0 and 1, such as 0.95")
    curves, _ = read(values, "values")
    if len(curves) != 1:
        raise DataError(f"an interval is of one series, these are {len(curves)}; give one column at a time")
    value = float(metric(values, *args, **options))
    if not curves.bars or not curves.known[0]:
        return Interval(value, math.nan, math.nan, level)
    trades = about(metric).needs == "profits"
    length = block if block is not None else 1.0 if trades else max(1.0, float(np.cbrt(curves.bars)))
    drawn = curves.returns[0][stationary_bootstrap(curves.bars, draws, length, seed)]
    numbers: Floats = (
        np.array([metric(row, *args, **options) for row in drawn])
        if trades
        else np.asarray(metric(Curves(drawn), *args, **options))
    )
    found = numbers[np.isfinite(numbers)]
    if len(found) < draws / 2:
        return Interval(value, math.nan, math.nan, level)
    low, high = np.quantile(found, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(value, float(low), float(high), level)
