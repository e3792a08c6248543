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
from workbench.indicators._array import Floats, Line
from workbench.indicators.indicator import Indicator, Rows

__all__ = ["EMA", "SMA", "WILDER", "ema", "sma", "wilder"]


@kernel
def _gap_nb(values: Floats, first: int, stop: int) -> int:
    """Give the place of the first missing value from `first` on; `stop` when there is none before it."""
    while first < stop and values[first] - values[first] == 0.0:
        first += 1
    return first


@kernel
def _mean_nb(values: Floats, length: int, state: Floats, out: Floats) -> None:
    """Write the mean of each window; see the module's text for the blocks.

    The inner loop does not look for missing values: one poisons the sum of the head, which is looked at once a block.
    `state`, shape (2,), says how many values without a gap end before the row to go on from, and which row that is.
    """
    n = len(values)
    share = 1.0 / length
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
def _smooth_nb(values: Floats, length: int, weight: float, start: int, state: Floats, out: Floats) -> None:
    """Write the exponential mean of the given weight, seeded with the plain mean of the first `length` values.

    `state`, shape (2,), is how many values without a gap there were before `start`, and the mean then.
    """
    seen, level = int(state[0]), state[1]
    for i in range(start, len(values)):
        value = values[i]
        if value - value != 0.0:
            seen, level = 0, 0.0
            out[i] = np.nan
            continue
        seen += 1
        level = _smooth_step_nb(level, value, seen, length, weight)
        out[i] = level if seen >= length else np.nan
    state[0], state[1] = seen, level


def sma(values: ArrayLike, length: int = 20) -> Line:
    """Mean of the last `length` values, the simple moving average.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
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
    return SMA(values, length)


def ema(values: ArrayLike, length: int = 20) -> Line:
    """Exponential moving average with weight `2 / (length + 1)` on the newest value.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
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
    return EMA(values, length)


def wilder(values: ArrayLike, length: int = 14) -> Line:
    """Wilder's smoothing, also called RMA or SMMA: an exponential average with weight `1 / length`.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 14
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
    return WILDER(values, length)


def _sma_rows(rows: Rows, length: int) -> None:
    _mean_nb(rows["values"], length, rows.state(2), rows.out[0])


def _ema_rows(rows: Rows, length: int) -> None:
    _smooth_nb(rows["values"], length, 2.0 / (length + 1.0), rows.start, rows.state(2), rows.out[0])


def _wilder_rows(rows: Rows, length: int) -> None:
    _smooth_nb(rows["values"], length, 1.0 / length, rows.start, rows.state(2), rows.out[0])


def _after_window(length: int) -> tuple[int]:
    return (length - 1,)


SMA = Indicator(
    function=sma, rows=_sma_rows, group="trend", first=_after_window, bounds={"length": (2, 400)},
    source="the arithmetic mean of a window",
)  # fmt: skip
EMA = Indicator(
    function=ema, rows=_ema_rows, group="trend", first=_after_window, bounds={"length": (2, 400)},
    source="exponential smoothing: Robert G. Brown, Statistical Forecasting for Inventory Control (1959)",
)  # fmt: skip
WILDER = Indicator(
    function=wilder, rows=_wilder_rows, group="trend", first=_after_window, bounds={"length": (2, 200)},
    source="J. Welles Wilder, New Concepts in Technical Trading Systems (1978)",
)  # fmt: skip
