"""How much a price moves: rolling standard deviation and its bands, true range and its average."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import kernel
from workbench.indicators._array import Floats, Line, empty, positive, take, whole
from workbench.indicators.extremes import Channel, _poison_nb
from workbench.indicators.moving import _gap_nb, _smooth_step_nb

__all__ = ["atr", "bollinger", "standard_deviation", "true_range"]


@kernel
def _deviation_nb(values: Floats, length: int, out: tuple[Floats, Floats]) -> None:
    """Write mean and population standard deviation of each window, in blocks as `moving` describes.

    Squares are of distances from a value inside the window, so what they cancel is never much larger than the
    variance itself, and a flat window has a deviation of exactly 0.0.
    """
    mean, deviation = out
    n = len(values)
    share = 1.0 / length
    sums, squares = np.zeros(min(length, n)), np.zeros(min(length, n))
    seen = first = 0  # seen: how many values without a gap end at `first`
    while first < n:
        anchor = values[first]
        seen = seen + 1 if anchor - anchor == 0.0 else 0
        if seen < length:
            mean[first] = deviation[first] = np.nan
            first += 1
            continue
        past = values[first - length + 1 : first]
        total = square = 0.0
        for j in range(length - 2, -1, -1):
            distance = past[j] - anchor
            total += distance
            square += distance * distance
            sums[j], squares[j] = total, square
        stop = min(first + length, n)
        block, means, deviations = values[first:stop], mean[first:stop], deviation[first:stop]
        total = square = 0.0
        for j in range(len(block)):
            distance = block[j] - anchor
            total += distance
            square += distance * distance
            offset = (total + sums[j]) * share
            variance = (square + squares[j]) * share - offset * offset
            means[j] = anchor + offset
            deviations[j] = np.sqrt(variance) if variance > 0.0 else 0.0
        first = stop if total - total == 0.0 else _gap_nb(values, first, stop)
        seen = length - 1  # one more value makes a whole window again


@kernel
def _bollinger_nb(values: Floats, length: int, width: float, out: tuple[Floats, Floats, Floats]) -> None:
    """Write mean, and mean plus and minus `width` standard deviations."""
    upper, middle, lower = out
    _deviation_nb(values, length, (middle, upper))
    for i in range(len(values)):
        reach = width * upper[i]
        upper[i] = middle[i] + reach
        lower[i] = middle[i] - reach


@kernel
def _range_step_nb(high: float, low: float, previous_close: float) -> float:
    """Give the true range of one bar."""
    return max(high, previous_close) - min(low, previous_close)


@kernel
def _true_range_nb(high: Floats, low: Floats, close: Floats, out: Floats) -> None:
    """Write the true range of each bar that has a bar before it."""
    out[:1] = np.nan
    high_before, low_before, close_before = high[:-1], low[:-1], close[:-1]
    high_now, low_now, close_now, ranges = high[1:], low[1:], close[1:], out[1:]
    for i in range(len(ranges)):
        before = _poison_nb(high_before[i], low_before[i], close_before[i])
        now = _poison_nb(high_now[i], low_now[i], close_now[i])
        ranges[i] = _range_step_nb(high_now[i], low_now[i], close_before[i]) + (before + now)


@kernel
def _atr_nb(high: Floats, low: Floats, close: Floats, length: int, out: Floats) -> None:
    """Write Wilder's mean of the true range."""
    weight = 1.0 / length
    seen, level, last = 0, 0.0, 0.0  # seen: bars without a gap; the first has no true range
    for i in range(len(close)):
        out[i] = np.nan
        if _poison_nb(high[i], low[i], close[i]) != 0.0:
            seen, level = 0, 0.0
            continue
        if seen > 0:
            level = _smooth_step_nb(level, _range_step_nb(high[i], low[i], last), seen, length, weight)
            if seen >= length:
                out[i] = level
        last = close[i]
        seen += 1


def standard_deviation(values: ArrayLike, length: int) -> Line:
    """Root mean square distance of the last `length` values from their mean: the standard deviation of a population.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int
        Bars in the window.

    Returns
    -------
    float64 array or Series (`standard_deviation_20`), shape (n,)
        In the unit of `values`; times `sqrt(length / (length - 1))` it is that of a sample.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    First value at index `length - 1`. NaN wherever the window holds a missing value. Each window is computed by
    itself, so nothing drifts; a flat window gives exactly 0.0.

    Examples
    --------
    >>> standard_deviation([1.0, 3.0, 3.0, 7.0], 2)
    array([nan,  1.,  0.,  2.])
    """
    columns = take("standard_deviation", values=values)
    length = whole("standard_deviation", "length", length)
    mean, out = empty(2, columns)
    _deviation_nb(columns["values"], length, (mean, out))
    return columns.line(out, length)


def bollinger(close: ArrayLike, length: int = 20, deviations: float = 2.0) -> Channel:
    """Bollinger bands: the simple average, and so many standard deviations above and below it.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.
    deviations : float, default 2.0
        Distance of the outer bands from the middle, in standard deviations.

    Returns
    -------
    Channel
        `upper`, `middle`, `lower`: float64 arrays or Series (`bollinger_upper_20_2`), shape (n,), in the unit of
        `close`.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1, or `deviations` not a finite number above 0.

    Notes
    -----
    First values at index `length - 1`. NaN wherever the window holds a missing value; a flat window has three equal
    bands. The deviation is that of a population, as in John Bollinger, Bollinger on Bollinger Bands (2001).

    Examples
    --------
    >>> bands = bollinger([1.0, 3.0, 3.0, 7.0], length=2)
    >>> bands.upper, bands.middle, bands.lower
    (array([nan,  4.,  3.,  9.]), array([nan,  2.,  3.,  5.]), array([nan,  0.,  3.,  1.]))
    """
    columns = take("bollinger", close=close)
    length = whole("bollinger", "length", length)
    deviations = positive("bollinger", "deviations", deviations)
    upper, middle, lower = empty(3, columns)
    _bollinger_nb(columns["close"], length, deviations, (upper, middle, lower))
    return columns.lines(Channel, (upper, middle, lower), length, deviations)


def true_range(high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Distance that a bar covered, counting the jump from the close before it: its true range.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`true_range`), shape (n,)
        In the unit of the price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    `max(high, previous close) - min(low, previous close)`. First value at index 1: the first bar, and a bar after one
    with a missing value, has none, as in TA-Lib. The source is Wilder, New Concepts (1978), chapter III.

    Examples
    --------
    >>> true_range(high=[9.0, 9.0, 12.0], low=[8.0, 7.0, 11.0], close=[9.0, 8.0, 11.0])
    array([nan,  2.,  4.])
    """
    columns = take("true_range", high=high, low=low, close=close)
    (out,) = empty(1, columns)
    _true_range_nb(columns["high"], columns["low"], columns["close"], out)
    return columns.line(out)


def atr(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 14) -> Line:
    """Average true range: `wilder(true_range(high, low, close), length)`.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars of Wilder's smoothing.

    Returns
    -------
    float64 array or Series (`atr_14`), shape (n,)
        In the unit of the price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    First value at index `length`, one later than the smoothing alone, because the first bar has no true range. A bar
    with a missing value ends it: the next one comes after a new warm-up. The source is Wilder, New Concepts (1978),
    chapter III.

    Examples
    --------
    >>> atr(high=[9.0, 9.0, 12.0, 12.0], low=[8.0, 7.0, 11.0, 11.0], close=[9.0, 8.0, 11.0, 11.0], length=2)
    array([nan, nan,  3.,  2.])
    """
    columns = take("atr", high=high, low=low, close=close)
    length = whole("atr", "length", length)
    (out,) = empty(1, columns)
    _atr_nb(columns["high"], columns["low"], columns["close"], length, out)
    return columns.line(out, length)
