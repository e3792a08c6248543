"""Highest and lowest values of a window, and the channel between them, in a fixed number of steps a bar.

The windows are taken in blocks as in `moving`: the extreme of a window is that of the tail before the block and the
head of the block (van Herk 1992, Gil and Werman 1993).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import kernel
from workbench.indicators._array import Floats, Line
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.moving import _gap_nb

__all__ = ["DONCHIAN", "HIGHEST", "LOWEST", "Channel", "donchian", "highest", "lowest"]


class Channel(NamedTuple):
    """Three lines around a price, each of shape (n,), in the unit of the price."""

    upper: Line
    middle: Line
    lower: Line


@kernel
def _extreme_nb(values: Floats, length: int, sign: float, state: Floats, out: Floats) -> None:
    """Write the highest value of each window (`sign` 1.0) or the lowest (-1.0, as the highest of the mirror image).

    `state` is that of `moving._mean_nb`.
    """
    n = len(values)
    tail = np.full(min(length, n), -np.inf)
    seen, first = int(state[0]), int(state[1])
    while first < n:
        state[0], state[1] = seen, first
        seen = seen + 1 if values[first] - values[first] == 0.0 else 0
        if seen < length:
            out[first] = np.nan
            first += 1
            continue
        past = values[first - length + 1 : first]
        top = -np.inf
        for j in range(length - 2, -1, -1):
            value = sign * past[j]
            top = value if value > top else top
            tail[j] = top
        stop = min(first + length, n)
        block, tops = values[first:stop], out[first:stop]
        head, poison = -np.inf, 0.0
        for j in range(len(block)):
            value = sign * block[j]
            poison += value - value  # stays 0.0 as long as nothing is missing
            head = value if value > head else head
            tops[j] = sign * (head if head > tail[j] else tail[j])
        first = stop if poison == 0.0 else _gap_nb(values, first, stop)
        seen = length - 1  # one more value makes a whole window again


@kernel
def _poison_nb(high: float, low: float, close: float) -> float:
    """Give 0.0, or NaN if any of the three is missing: what turns a sum into NaN without a branch."""
    return (high - high) + (low - low) + (close - close)


@kernel
def _row_gap_nb(high: Floats, low: Floats, close: Floats, first: int, stop: int) -> int:
    """Give the place of the first bar from `first` on in which something is missing; `stop` when there is none."""
    while first < stop and _poison_nb(high[first], low[first], close[first]) == 0.0:
        first += 1
    return first


@kernel
def _channel_nb(
    high: Floats, low: Floats, close: Floats, length: int, state: Floats, out: tuple[Floats, Floats]
) -> None:
    """Write the highest high and the lowest low of each window of bars; a bar is missing if any column is.

    `state` is that of `moving._mean_nb`.
    """
    upper, lower = out
    n = len(high)
    tail = np.full((2, min(length, n)), -np.inf)
    highs, lows = tail[0], tail[1]  # lows are mirrored
    seen, first = int(state[0]), int(state[1])
    while first < n:
        state[0], state[1] = seen, first
        seen = seen + 1 if _poison_nb(high[first], low[first], close[first]) == 0.0 else 0
        if seen < length:
            upper[first] = lower[first] = np.nan
            first += 1
            continue
        past_high, past_low = high[first - length + 1 : first], low[first - length + 1 : first]
        top = bottom = -np.inf
        for j in range(length - 2, -1, -1):
            top = max(top, past_high[j])
            bottom = max(bottom, -past_low[j])
            highs[j], lows[j] = top, bottom
        stop = min(first + length, n)
        now_high, now_low, now_close = high[first:stop], low[first:stop], close[first:stop]
        tops, bottoms = upper[first:stop], lower[first:stop]
        top, bottom, poison = -np.inf, -np.inf, 0.0
        for j in range(len(now_high)):
            poison += _poison_nb(now_high[j], now_low[j], now_close[j])
            top = max(top, now_high[j])
            bottom = max(bottom, -now_low[j])
            tops[j] = max(top, highs[j])
            bottoms[j] = -max(bottom, lows[j])
        first = stop if poison == 0.0 else _row_gap_nb(high, low, close, first, stop)
        seen = length - 1


def highest(values: ArrayLike, length: int = 20) -> Line:
    """Highest of the last `length` values, the present one included.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.

    Returns
    -------
    float64 array or Series (`highest_20`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    First value at index `length - 1`. NaN wherever the window holds a missing value. A price cannot exceed a
    window that it is part of: a breakout is `close > previous(highest(high, 20))`.

    Examples
    --------
    >>> highest([1.0, 5.0, 2.0, 3.0], 2)
    array([nan,  5.,  5.,  3.])
    """
    return HIGHEST(values, length)


def lowest(values: ArrayLike, length: int = 20) -> Line:
    """Lowest of the last `length` values, the present one included.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.

    Returns
    -------
    float64 array or Series (`lowest_20`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    First value at index `length - 1`. NaN wherever the window holds a missing value.

    Examples
    --------
    >>> lowest([1.0, 5.0, 2.0, 3.0], 2)
    array([nan,  1.,  2.,  2.])
    """
    return LOWEST(values, length)


def donchian(high: ArrayLike, low: ArrayLike, length: int = 20) -> Channel:
    """Donchian channel: the highest high and the lowest low of the last `length` bars, and their middle.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window, the present one included.

    Returns
    -------
    Channel
        `upper`, `middle`, `lower`: float64 arrays or Series (`donchian_upper_20`), shape (n,), in the unit of the
        price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    First value at index `length - 1`. NaN wherever the window holds a bar with a missing value. A price cannot leave
    a channel that it is part of: compare with the channel of the bar before, `close > previous(channel.upper)`.

    Examples
    --------
    >>> channel = donchian(high=[3.0, 5.0, 4.0], low=[1.0, 2.0, 2.0], length=2)
    >>> channel.upper, channel.lower
    (array([nan,  5.,  5.]), array([nan,  1.,  2.]))
    """
    channel: Channel = DONCHIAN(high, low, length)
    return channel


def _highest_rows(rows: Rows, length: int) -> None:
    _extreme_nb(rows["values"], length, 1.0, rows.state(2), rows.out[0])


def _lowest_rows(rows: Rows, length: int) -> None:
    _extreme_nb(rows["values"], length, -1.0, rows.state(2), rows.out[0])


def _donchian_rows(rows: Rows, length: int) -> None:
    upper, middle, lower = rows.out
    state = rows.state(2)
    again = int(state[1])  # where the last block began, which is written again
    _channel_nb(rows["high"], rows["low"], rows["low"], length, state, (upper, lower))
    np.add(upper[again:], lower[again:], out=middle[again:])
    middle[again:] /= 2.0


def _after_window(length: int) -> tuple[int]:
    return (length - 1,)


HIGHEST = Indicator(
    function=highest, rows=_highest_rows, group="statistics", first=_after_window, bounds={"length": (2, 400)},
    source="the maximum of a window",
)  # fmt: skip
LOWEST = Indicator(
    function=lowest, rows=_lowest_rows, group="statistics", first=_after_window, bounds={"length": (2, 400)},
    source="the minimum of a window",
)  # fmt: skip
DONCHIAN = Indicator(
    function=donchian, rows=_donchian_rows, group="trend", first=lambda length: (length - 1,) * 3, lines=Channel,
    bounds={"length": (2, 400)}, source="Richard Donchian's four-week rule (1960)",
)  # fmt: skip
