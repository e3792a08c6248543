"""Moving averages: the simple mean of a window, and the two exponential ones.

`_mean_nb` shows how every window kernel of this package works without drift. Bars are taken in blocks as long as the
window, so each window is a tail of what came before its block and a head of the block. Both are added up outwards from
the block's first bar, and as distances from its value. Nothing is ever subtracted from a running sum: a value that has
left the window leaves no trace, and a flat window has exactly its value as mean. It takes two additions a bar, whatever
the length.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import kernel
from workbench.indicators._array import Floats, Line, empty, take, whole

__all__ = ["ema", "sma", "wilder"]


@kernel
def _gap_nb(values: Floats, first: int, stop: int) -> int:
    """Give the place of the first missing value from `first` on; `stop` when there is none before it."""
    while first < stop and values[first] - values[first] == 0.0:
        first += 1
    return first


@kernel
def _mean_nb(values: Floats, length: int, out: Floats) -> None:
    """Write the mean of each window; see the module's text for the blocks.

    The inner loop does not look for missing values: one poisons the sum of the head, which is looked at once a block.
    """
    n = len(values)
    share = 1.0 / length
    tail = np.zeros(min(length, n))
    seen = first = 0  # seen: how many values without a gap end at `first`
    while first < n:
        anchor = values[first]
        seen = seen + 1 if anchor - anchor == 0.0 else 0
        if seen < length:
            out[first] = np.nan
            first += 1
            continue
        past = values[first - length + 1 : first]
        total = 0.0
        for j in range(length - 2, -1, -1):
            total += past[j] - anchor
            tail[j] = total
        stop = min(first + length, n)
        block, means = values[first:stop], out[first:stop]
        head = 0.0
        for j in range(len(block)):
            head += block[j] - anchor
            means[j] = anchor + (head + tail[j]) * share
        first = stop if head - head == 0.0 else _gap_nb(values, first, stop)
        seen = length - 1  # one more value makes a whole window again


@kernel
def _smooth_step_nb(level: float, value: float, seen: int, length: int, weight: float) -> float:
    """Move an exponential mean by its `seen`-th value: the plain mean of the first `length`, then a fixed weight.

    Both are written as a step from the old level towards the value, so that a flat series stays exactly where it is.
    `level` must be 0.0 before the first value.
    """
    share = weight if seen > length else 1.0 / seen
    return level + share * (value - level)


@kernel
def _smooth_nb(values: Floats, length: int, weight: float, out: Floats) -> None:
    """Write the exponential mean of the given weight, seeded with the plain mean of the first `length` values."""
    seen, level = 0, 0.0
    for i in range(len(values)):
        value = values[i]
        if value - value != 0.0:
            seen, level = 0, 0.0
            out[i] = np.nan
            continue
        seen += 1
        level = _smooth_step_nb(level, value, seen, length, weight)
        out[i] = level if seen >= length else np.nan


def sma(values: ArrayLike, length: int) -> Line:
    """Mean of the last `length` values, the simple moving average.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int
        Bars in the window.

    Returns
    -------
    float64 array or Series (`sma_20`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    First value at index `length - 1`. NaN wherever the window holds a missing value. Each window is added up by
    itself, so nothing drifts, however long the series; a flat window gives exactly its value.

    Examples
    --------
    >>> sma([1.0, 2.0, 3.0, 7.0], 3)
    array([nan, nan,  2.,  4.])
    """
    columns = take("sma", values=values)
    length = whole("sma", "length", length)
    (out,) = empty(1, columns)
    _mean_nb(columns["values"], length, out)
    return columns.line(out, length)


def ema(values: ArrayLike, length: int) -> Line:
    """Exponential moving average with weight `2 / (length + 1)` on the newest value.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int
        Bars of the simple average whose values are as old on average.

    Returns
    -------
    float64 array or Series (`ema_20`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    `ema[i] = ema[i-1] + 2 / (length + 1) * (values[i] - ema[i-1])`, seeded with the simple mean of the first `length`
    values, as TA-Lib does. First value at index `length - 1`; the seed's share has fallen below 0.1 percent after about
    `3.5 * length` more bars. A missing value ends it: the next one comes after a new warm-up.

    Examples
    --------
    >>> ema([1.0, 2.0, 3.0, 7.0], 3)
    array([nan, nan, 2. , 4.5])
    """
    columns = take("ema", values=values)
    length = whole("ema", "length", length)
    (out,) = empty(1, columns)
    _smooth_nb(columns["values"], length, 2.0 / (length + 1.0), out)
    return columns.line(out, length)


def wilder(values: ArrayLike, length: int) -> Line:
    """Wilder's smoothing, also called RMA or SMMA: an exponential average with weight `1 / length`.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int
        Bars; as slow as `ema` of `2 * length - 1`.

    Returns
    -------
    float64 array or Series (`wilder_14`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    `w[i] = w[i-1] + (values[i] - w[i-1]) / length`, seeded with the simple mean of the first `length` values. First
    value at index `length - 1`. A missing value ends it: the next one comes after a new warm-up. The source is J.
    Welles Wilder, New Concepts in Technical Trading Systems (1978), who uses it in RSI, ATR and ADX.

    Examples
    --------
    >>> wilder([1.0, 2.0, 3.0, 8.0], 3)
    array([nan, nan,  2.,  4.])
    """
    columns = take("wilder", values=values)
    length = whole("wilder", "length", length)
    (out,) = empty(1, columns)
    _smooth_nb(columns["values"], length, 1.0 / length, out)
    return columns.line(out, length)
