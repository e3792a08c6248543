"""Moving averages with less lag than the plain ones: weighted, stacked exponential, adaptive.

The weighted mean is added up in blocks as in `moving`, so nothing drifts. Averages of averages are the kernels of
`moving` one after another: what is missing at the start of one is missing to the next, which makes the warm-ups add up.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._array import Floats, Line
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.moving import _gap_nb, _mean_nb

__all__ = ["HMA", "KAMA", "TRIMA", "WMA", "hma", "kama", "trima", "wma"]


@kernel
def _weighted_nb(values: Floats, length: int, state: Floats, out: Floats) -> None:
    """Write the mean of each window with weights 1 (oldest) to `length`; `state` is that of `moving._mean_nb`."""
    n = len(values)
    share = 2.0 / (length * (length + 1.0))
    tail = np.zeros(min(length, n))
    seen, first = int(state[0]), int(state[1])
    while first < n:
        state[0], state[1] = seen, first
        anchor = values[first]
        seen = seen + 1 if anchor - anchor == 0.0 else 0
        if seen < length:
            out[first] = np.nan
            first += 1
            continue
        past = values[first - length + 1 : first]
        total = weighted = 0.0
        for j in range(length - 2, -1, -1):
            total += past[j] - anchor
            weighted += total
            tail[j] = weighted
        stop = min(first + length, n)
        block, means = values[first:stop], out[first:stop]
        total = head = 0.0
        for j in range(len(block)):
            distance = block[j] - anchor
            head += length * distance - total
            total += distance
            means[j] = anchor + (head + tail[j]) * share
        first = stop if head - head == 0.0 else _gap_nb(values, first, stop)
        seen = length - 1  # one more value makes a whole window again


@kernel
def _beyond_nb(near: Floats, far: Floats, start: int, out: Floats) -> None:
    """Write what lies as far beyond `near` as `far` lies behind it."""
    for i in range(start, len(near)):
        out[i] = near[i] + (near[i] - far[i])


@kernel
def _steps_nb(values: Floats, start: int, out: Floats) -> None:
    """Write how far each value is from the one before, without sign."""
    for i in range(start, len(values)):
        out[i] = abs(values[i] - values[i - 1]) if i > 0 else np.nan


@kernel
def _adaptive_nb(
    values: Floats, steps: Floats, length: int, weights: tuple[float, float], start: int, state: Floats, out: Floats
) -> None:
    """Write Kaufman's mean, given the mean step; `state`, shape (2,), is whether it has begun, and its level."""
    begun, level = state[0], state[1]
    fast, slow = weights
    for i in range(start, len(values)):
        if steps[i] - steps[i] != 0.0:
            begun = 0.0
            out[i] = np.nan
            continue
        if begun == 0.0:
            begun, level = 1.0, values[i - 1]
        way, net = steps[i] * length, abs(values[i] - values[i - length])
        efficiency = net / way if way > net else 1.0
        weight = efficiency * (fast - slow) + slow
        level += weight * weight * (values[i] - level)
        out[i] = level
    state[0], state[1] = begun, level


def wma(values: ArrayLike, length: int = 20) -> Line:
    """Mean of the last `length` values whose weights grow evenly towards the newest.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.

    Returns
    -------
    float64 array or Series (`wma_20`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    Weights 1, 2, ... `length`, divided by their sum, as TA-Lib does. First value at index `length - 1`. NaN wherever
    the window holds a missing value; a flat window gives exactly its value.

    Examples
    --------
    >>> wma([1.0, 2.0, 3.0, 7.0], 2).round(4)
    array([   nan, 1.6667, 2.6667, 5.6667])
    """
    return WMA(values, length)


def trima(values: ArrayLike, length: int = 20) -> Line:
    """Triangular average: the mean of a mean, whose weights are highest in the middle of the window.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the whole window.

    Returns
    -------
    float64 array or Series (`trima_20`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    `sma` of `sma`, of `(length + 1) / 2` bars each; for an even length of `length / 2` and one more, as TA-Lib does.
    First value at index `length - 1`. NaN wherever the window holds a missing value; a flat window gives exactly its
    value.

    Examples
    --------
    >>> trima([1.0, 2.0, 3.0, 8.0], 3)
    array([nan, nan,  2.,  4.])
    """
    return TRIMA(values, length)


def hma(values: ArrayLike, length: int = 20) -> Line:
    """Hull moving average: a `wma` of half the length moved on by what the whole one lags, and smoothed.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars of the longest average; halves and the square root are rounded down.

    Returns
    -------
    float64 array or Series (`hma_20`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    `wma(2 * wma(length / 2) - wma(length), sqrt(length))`. First value at index `length + isqrt(length) - 2`. NaN
    wherever a window holds a missing value; a flat series gives exactly its value. TA-Lib has none. The source is
    Alan Hull, Hull Moving Average (2005).

    Examples
    --------
    >>> hma([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 4).round(9)
    array([nan, nan, nan, nan,  5.,  6.])
    """
    return HMA(values, length)


def kama(values: ArrayLike, length: int = 10, fast: int = 2, slow: int = 30) -> Line:
    """Kaufman's adaptive average: fast when the price goes straight, slow when it goes to and fro.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 10
        Bars over which the straightness is measured.
    fast, slow : int, default 2 and 30
        Bars of the `ema` that has the weight of a straight and of an aimless price.

    Returns
    -------
    float64 array or Series (`kama_10_2_30`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1, or `fast` is not below `slow`.

    Notes
    -----
    The efficiency is the change over `length` bars divided by the way there; the weight is `(efficiency * (2 / (fast
    + 1) - 2 / (slow + 1)) + 2 / (slow + 1))` squared. It starts at the value before the first one, as TA-Lib does.
    First value at index `length`. A missing value ends it: the next one comes after a new warm-up. A flat series
    gives exactly its value. The source is Perry J. Kaufman, Smarter Trading (1995).

    Examples
    --------
    >>> kama([1.0, 2.0, 3.0], 2, fast=1).round(9)
    array([nan, nan,  3.])
    """
    return KAMA(values, length, fast, slow)


def _wma_rows(rows: Rows, length: int) -> None:
    _weighted_nb(rows["values"], length, rows.state(2), rows.out[0])


def _trima_rows(rows: Rows, length: int) -> None:
    inner = rows.line()
    _mean_nb(rows["values"], (length + 1) // 2, rows.state(2), inner)
    _mean_nb(frozen(inner), length // 2 + 1, rows.state(2), rows.out[0])


def _hma_rows(rows: Rows, length: int) -> None:
    half, whole_line, moved = rows.line(), rows.line(), rows.line()
    _weighted_nb(rows["values"], max(length // 2, 1), rows.state(2), half)
    _weighted_nb(rows["values"], length, rows.state(2), whole_line)
    _beyond_nb(frozen(half), frozen(whole_line), rows.start, moved)
    _weighted_nb(frozen(moved), math.isqrt(length), rows.state(2), rows.out[0])


def _kama_rows(rows: Rows, length: int, fast: int, slow: int) -> None:
    steps, means = rows.line(), rows.line()
    _steps_nb(rows["values"], rows.start, steps)
    _mean_nb(frozen(steps), length, rows.state(2), means)
    weights = (2.0 / (fast + 1.0), 2.0 / (slow + 1.0))
    _adaptive_nb(rows["values"], frozen(means), length, weights, rows.start, rows.state(2), rows.out[0])


def _fast_below_slow(_length: int, fast: int, slow: int) -> str | None:
    return None if fast < slow else f"fast is {fast} and slow is {slow}; give a fast length below the slow one"


WMA = Indicator(
    function=wma, rows=_wma_rows, group="trend", first=lambda length: (length - 1,), bounds={"length": (2, 400)},
    source="the mean of a window with weights that grow evenly",
)  # fmt: skip
TRIMA = Indicator(
    function=trima, rows=_trima_rows, group="trend", first=lambda length: (length - 1,), bounds={"length": (2, 400)},
    source="the mean of a mean, whose weights make a triangle",
)  # fmt: skip
HMA = Indicator(
    function=hma, rows=_hma_rows, group="trend", first=lambda length: (length + math.isqrt(length) - 2,),
    bounds={"length": (2, 400)}, source="Alan Hull, Hull Moving Average (2005)",
)  # fmt: skip
KAMA = Indicator(
    function=kama, rows=_kama_rows, group="trend", first=lambda length, _fast, _slow: (length,),
    bounds={"length": (2, 100), "fast": (1, 20), "slow": (10, 100)}, check=_fast_below_slow,
    source="Perry J. Kaufman, Smarter Trading (1995)",
)  # fmt: skip
