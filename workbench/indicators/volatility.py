"""How much a price moves: rolling standard deviation and its bands, true range and its average."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import kernel
from workbench.indicators._array import Floats, Line
from workbench.indicators.extremes import Channel, _poison_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.moving import _gap_nb, _smooth_step_nb

__all__ = [
    "ATR",
    "BOLLINGER",
    "STANDARD_DEVIATION",
    "TRUE_RANGE",
    "atr",
    "bollinger",
    "standard_deviation",
    "true_range",
]


@kernel
def _deviation_nb(values: Floats, length: int, state: Floats, out: tuple[Floats, Floats]) -> None:
    """Write mean and population standard deviation of each window, in blocks as `moving` describes.

    Squares are of distances from a value inside the window, so what they cancel is never much larger than the
    variance itself, and a flat window has a deviation of exactly 0.0. `state` is that of `moving._mean_nb`.
    """
    mean, deviation = out
    n = len(values)
    share = 1.0 / length
    sums, squares = np.zeros(min(length, n)), np.zeros(min(length, n))
    seen, first = int(state[0]), int(state[1])
    while first < n:
        state[0], state[1] = seen, first
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
def _bollinger_nb(values: Floats, length: int, width: float, state: Floats, out: tuple[Floats, Floats, Floats]) -> None:
    """Write mean, and mean plus and minus `width` standard deviations."""
    upper, middle, lower = out
    again = int(state[1])  # where the last block began, which is written again
    _deviation_nb(values, length, state, (middle, upper))
    for i in range(again, len(values)):
        reach = width * upper[i]
        upper[i] = middle[i] + reach
        lower[i] = middle[i] - reach


@kernel
def _range_step_nb(high: float, low: float, previous_close: float) -> float:
    """Give the true range of one bar."""
    return max(high, previous_close) - min(low, previous_close)


@kernel
def _true_range_nb(high: Floats, low: Floats, close: Floats, start: int, out: Floats) -> None:
    """Write the true range of each bar that has a bar before it."""
    if start == 0:
        out[:1] = np.nan
        start = 1
    high_before, low_before, close_before = high[start - 1 : -1], low[start - 1 : -1], close[start - 1 : -1]
    high_now, low_now, close_now, ranges = high[start:], low[start:], close[start:], out[start:]
    for i in range(len(ranges)):
        before = _poison_nb(high_before[i], low_before[i], close_before[i])
        now = _poison_nb(high_now[i], low_now[i], close_now[i])
        ranges[i] = _range_step_nb(high_now[i], low_now[i], close_before[i]) + (before + now)


@kernel
def _atr_nb(high: Floats, low: Floats, close: Floats, length: int, start: int, state: Floats, out: Floats) -> None:
    """Write Wilder's mean of the true range."""
    weight = 1.0 / length
    seen, level, last = int(state[0]), state[1], state[2]  # seen: bars without a gap; the first has no true range
    for i in range(start, len(close)):
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
    state[0], state[1], state[2] = seen, level, last


def standard_deviation(values: ArrayLike, length: int = 20) -> Line:
    """Root mean square distance of the last `length` values from their mean: the standard deviation of a population.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
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
    return STANDARD_DEVIATION(values, length)


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
    bands: Channel = BOLLINGER(close, length, deviations)
    return bands


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
    return TRUE_RANGE(high, low, close)


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
    return ATR(high, low, close, length)


def _deviation_rows(rows: Rows, length: int) -> None:
    _deviation_nb(rows["values"], length, rows.state(2), (rows.line(), rows.out[0]))


def _bollinger_rows(rows: Rows, length: int, deviations: float) -> None:
    upper, middle, lower = rows.out
    _bollinger_nb(rows["close"], length, deviations, rows.state(2), (upper, middle, lower))


def _true_range_rows(rows: Rows) -> None:
    _true_range_nb(rows["high"], rows["low"], rows["close"], rows.start, rows.out[0])


def _atr_rows(rows: Rows, length: int) -> None:
    _atr_nb(rows["high"], rows["low"], rows["close"], length, rows.start, rows.state(3), rows.out[0])


STANDARD_DEVIATION = Indicator(
    function=standard_deviation, rows=_deviation_rows, group="statistics", first=lambda length: (length - 1,),
    bounds={"length": (2, 400)}, unit="other", source="the standard deviation of a population, over a window",
)  # fmt: skip
BOLLINGER = Indicator(
    function=bollinger, rows=_bollinger_rows, group="volatility", first=lambda length, _: (length - 1,) * 3,
    lines=Channel, bounds={"length": (2, 400), "deviations": (0.5, 5.0)},
    source="John Bollinger, Bollinger on Bollinger Bands (2001)",
)  # fmt: skip
TRUE_RANGE = Indicator(
    function=true_range, rows=_true_range_rows, group="volatility", first=lambda: (1,), unit="other",
    source="J. Welles Wilder, New Concepts in Technical Trading Systems (1978), chapter III",
)  # fmt: skip
ATR = Indicator(
    function=atr, rows=_atr_rows, group="volatility", first=lambda length: (length,), bounds={"length": (2, 200)},
    unit="other", source="J. Welles Wilder, New Concepts in Technical Trading Systems (1978), chapter III",
)  # fmt: skip
