"""Bands and stops as far from the price as it moves, and where the price stands in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._arithmetic import mean, ratio
from workbench.indicators._array import Floats, Line
from workbench.indicators._moments import deviation
from workbench.indicators.extremes import Channel, _poison_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.volatility import _atr_nb

__all__ = [
    "ACCELERATION_BANDS",
    "ATR_TRAILING_STOP",
    "BOLLINGER_BANDWIDTH",
    "BOLLINGER_PERCENT_B",
    "NATR",
    "STARC_BANDS",
    "acceleration_bands",
    "atr_trailing_stop",
    "bollinger_bandwidth",
    "bollinger_percent_b",
    "natr",
    "starc_bands",
]


@kernel
def _inside_nb(close: Floats, means: Floats, deviations: Floats, width: float, start: int, out: Floats) -> None:
    """Write where the close stands between bands `width` deviations from the mean; a half where they meet."""
    for i in range(start, len(close)):
        reach = 2.0 * width * deviations[i]
        out[i] = 0.5 + (close[i] - means[i]) / reach if reach != 0.0 else 0.5


@kernel
def _whole_close_nb(high: Floats, low: Floats, close: Floats, start: int, out: Floats) -> None:
    """Write the close; NaN where any column is missing."""
    for i in range(start, len(close)):
        out[i] = close[i] + _poison_nb(high[i], low[i], close[i])


@kernel
def _around_nb(middle: Floats, reach: Floats, factor: float, start: int, out: tuple[Floats, Floats]) -> None:
    """Write the middle plus and minus so many times the reach."""
    for i in range(start, len(middle)):
        out[0][i] = middle[i] + factor * reach[i]
        out[1][i] = middle[i] - factor * reach[i]


@kernel
def _stretched_nb(
    high: Floats, low: Floats, close: Floats, factor: float, start: int, out: tuple[Floats, Floats]
) -> None:
    """Write high and low moved outwards by `factor` times the share that the range has in their sum."""
    for i in range(start, len(close)):
        total = high[i] + low[i]
        share = factor * ((high[i] - low[i]) / total) if total != 0.0 else 0.0
        poison = _poison_nb(high[i], low[i], close[i])
        out[0][i] = high[i] * (1.0 + share) + poison
        out[1][i] = low[i] * (1.0 - share) + poison


@kernel
def _trail_nb(close: Floats, ranges: Floats, factor: float, start: int, state: Floats, out: Floats) -> None:
    """Write the trailing stop; `state`, shape (3,), is whether there is one, where it is, and the close before."""
    begun, stop, last = state[0], state[1], state[2]
    for i in range(start, len(close)):
        if ranges[i] - ranges[i] != 0.0:
            begun = 0.0
            out[i] = np.nan
            continue
        below, above = close[i] - factor * ranges[i], close[i] + factor * ranges[i]
        if begun == 0.0:
            stop = below
        elif close[i] > stop:
            stop = max(stop, below) if last > stop else below
        else:
            stop = min(stop, above) if last < stop else above
        begun, last = 1.0, close[i]
        out[i] = stop
    state[0], state[1], state[2] = begun, stop, last


def acceleration_bands(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 20, factor: float = 4.0
) -> Channel:
    """Acceleration bands: averages of highs and lows, moved outwards by the width of the bars.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.
    factor : float, default 4.0
        How far the range moves the bands outwards.

    Returns
    -------
    Channel
        `upper`, `middle`, `lower`: float64 arrays or Series (`acceleration_bands_upper_20_4`), shape (n,), in the
        unit of the price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1, or `factor` not a finite number above 0.

    Notes
    -----
    `sma` of `high * (1 + factor * (high - low) / (high + low))`, of the close, and of `low * (1 - factor * (high -
    low) / (high + low))`. First value at index `length - 1`. NaN wherever a bar with a missing value is among the
    bars used. A flat series has three equal bands. The source is Price Headley, Big Trends in Trading (2002).

    Examples
    --------
    >>> acceleration_bands([3.0], [1.0], [2.0], 1, factor=1.0).upper
    array([4.5])
    """
    result: Channel = ACCELERATION_BANDS(high, low, close, length, factor)
    return result


def atr_trailing_stop(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 21, factor: float = 3.0) -> Line:
    """Trailing stop by average true ranges: below a rising close, above a falling one, and never moved back.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 21
        Bars of the average true range.
    factor : float, default 3.0
        Distance of the stop from the close, in average true ranges.

    Returns
    -------
    float64 array or Series (`atr_trailing_stop_21_3`), shape (n,)
        In the unit of the price; below the close it is the stop of a long position, at or above it that of a short
        one.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1, or `factor` not a finite number above 0.

    Notes
    -----
    Below the close it only rises, to `close - factor * atr`; above it only falls, to `close + factor * atr`; a
    close that crosses it puts it on the other side. It begins below. The bar itself is in the stop, so an order at
    it belongs to the next bar. First value at index `length`. A missing value ends it: the next one comes after a
    new warm-up. A flat series gives exactly its price. TA-Lib has none. The source is Sylvain Vervoort, Average
    True Range Trailing Stops, Stocks & Commodities (2009).

    Examples
    --------
    >>> atr_trailing_stop([2.0, 3.0, 3.0], [1.0, 2.0, 2.0], [2.0, 3.0, 2.5], 1, factor=1.0)
    array([nan,  2.,  2.])
    """
    return ATR_TRAILING_STOP(high, low, close, length, factor)


def bollinger_bandwidth(close: ArrayLike, length: int = 20, deviations: float = 2.0) -> Line:
    """Width of the Bollinger bands, as a fraction of their middle.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.
    deviations : float, default 2.0
        Distance of the bands from the middle, in standard deviations.

    Returns
    -------
    float64 array or Series (`bollinger_bandwidth_20_2`), shape (n,)
        0.1 is a distance of 10 percent from band to band.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1, or `deviations` not a finite number above 0.

    Notes
    -----
    `(upper - lower) / middle` of `bollinger`. First value at index `length - 1`. NaN wherever the window holds a
    missing value. A flat window gives exactly 0, and so does a middle of 0. TA-Lib has none. The source is John
    Bollinger, Bollinger on Bollinger Bands (2001).

    Examples
    --------
    >>> bollinger_bandwidth([1.0, 3.0, 3.0], 2)
    array([nan,  2.,  0.])
    """
    return BOLLINGER_BANDWIDTH(close, length, deviations)


def bollinger_percent_b(close: ArrayLike, length: int = 20, deviations: float = 2.0) -> Line:
    """Where the close stands in its Bollinger bands: 0 at the lower one, 1 at the upper one.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.
    deviations : float, default 2.0
        Distance of the bands from the middle, in standard deviations.

    Returns
    -------
    float64 array or Series (`bollinger_percent_b_20_2`), shape (n,)
        Below 0 or above 1 when the close is outside.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1, or `deviations` not a finite number above 0.

    Notes
    -----
    `(close - lower) / (upper - lower)` of `bollinger`. First value at index `length - 1`. NaN wherever the window
    holds a missing value. Where the bands meet it is 0.5, the middle. TA-Lib has none. The source is John
    Bollinger, Bollinger on Bollinger Bands (2001).

    Examples
    --------
    >>> bollinger_percent_b([1.0, 3.0, 3.0], 2)
    array([ nan, 0.75, 0.5 ])
    """
    return BOLLINGER_PERCENT_B(close, length, deviations)


def natr(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 14) -> Line:
    """Average true range as a fraction of the close, so that prices of any height compare.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars of Wilder's smoothing.

    Returns
    -------
    float64 array or Series (`natr_14`), shape (n,)
        0.01 is one percent of the price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    `atr / close`; TA-Lib gives percent. First value at index `length`. A missing value ends it: the next one comes
    after a new warm-up. A flat series gives 0; a close of 0 gives 0 too. The source is John Forman, Cross-Market
    Evaluations with Normalized Average True Range, Stocks & Commodities (2006).

    Examples
    --------
    >>> natr([2.0, 2.0, 3.0], [1.0, 1.0, 2.0], [2.0, 1.0, 2.0], 1)
    array([nan,  1.,  1.])
    """
    return NATR(high, low, close, length)


def starc_bands(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 6, atr_length: int = 15, factor: float = 2.0
) -> Channel:
    """Stoller's average range channel: a short average of the close, and average true ranges above and below it.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 6
        Bars of the simple average in the middle.
    atr_length : int, default 15
        Bars of the average true range.
    factor : float, default 2.0
        Distance of the bands from the middle, in average true ranges.

    Returns
    -------
    Channel
        `upper`, `middle`, `lower`: float64 arrays or Series (`starc_bands_upper_6_15_2`), shape (n,), in the unit
        of the price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or `factor` not a finite number above 0.

    Notes
    -----
    `sma(close, length)` plus and minus `factor * atr`. First middle at index `length - 1`, first bands at the later
    of that and `atr_length`. A missing value ends it: the next one comes after a new warm-up. A flat series has
    three equal bands. TA-Lib has none. It is Manning Stoller's.

    Examples
    --------
    >>> starc_bands([2.0, 3.0], [1.0, 2.0], [1.0, 2.0], 1, atr_length=1).upper
    array([nan,  6.])
    """
    result: Channel = STARC_BANDS(high, low, close, length, atr_length, factor)
    return result


def _natr_rows(rows: Rows, length: int) -> None:
    ranges = rows.line()
    _atr_nb(rows["high"], rows["low"], rows["close"], length, rows.start, rows.state(3), ranges)
    ratio(rows, ranges, rows["close"], rows.out[0])


def _bollinger_bandwidth_rows(rows: Rows, length: int, deviations: float) -> None:
    means, spreads = deviation(rows, rows["close"], length)
    ratio(rows, spreads, means, rows.out[0], factor=2.0 * deviations)


def _bollinger_percent_b_rows(rows: Rows, length: int, deviations: float) -> None:
    means, spreads = deviation(rows, rows["close"], length)
    _inside_nb(rows["close"], frozen(means), frozen(spreads), deviations, rows.start, rows.out[0])


def _acceleration_bands_rows(rows: Rows, length: int, factor: float) -> None:
    upper, middle, lower = rows.out
    tops, bottoms, closes = rows.line(), rows.line(), rows.line()
    _stretched_nb(rows["high"], rows["low"], rows["close"], factor, rows.start, (tops, bottoms))
    _whole_close_nb(rows["high"], rows["low"], rows["close"], rows.start, closes)
    for line, out in ((tops, upper), (closes, middle), (bottoms, lower)):
        mean(rows, line, length, out)


def _starc_bands_rows(rows: Rows, length: int, atr_length: int, factor: float) -> None:
    upper, middle, lower = rows.out
    ranges, closes = rows.line(), rows.line()
    _atr_nb(rows["high"], rows["low"], rows["close"], atr_length, rows.start, rows.state(3), ranges)
    _whole_close_nb(rows["high"], rows["low"], rows["close"], rows.start, closes)
    mean(rows, closes, length, middle)
    _around_nb(frozen(middle), frozen(ranges), factor, rows.start, (upper, lower))


def _atr_trailing_stop_rows(rows: Rows, length: int, factor: float) -> None:
    ranges = rows.line()
    _atr_nb(rows["high"], rows["low"], rows["close"], length, rows.start, rows.state(3), ranges)
    _trail_nb(rows["close"], frozen(ranges), factor, rows.start, rows.state(3), rows.out[0])


def _starc_first(length: int, atr_length: int, _factor: float) -> tuple[int, int, int]:
    bands = max(length - 1, atr_length)
    return bands, length - 1, bands


ACCELERATION_BANDS = Indicator(
    function=acceleration_bands, rows=_acceleration_bands_rows, group="volatility", unit="price",
    first=lambda length, _factor: (length - 1,) * 3, lines=Channel,
    bounds={"length": (2, 400), "factor": (0.5, 10.0)}, source="Price Headley, Big Trends in Trading (2002)",
)  # fmt: skip

ATR_TRAILING_STOP = Indicator(
    function=atr_trailing_stop, rows=_atr_trailing_stop_rows, group="trend", unit="price",
    first=lambda length, _factor: (length,), bounds={"length": (2, 200), "factor": (0.5, 10.0)},
    source="Sylvain Vervoort, Average True Range Trailing Stops, Stocks & Commodities (2009)",
)  # fmt: skip

BOLLINGER_BANDWIDTH = Indicator(
    function=bollinger_bandwidth, rows=_bollinger_bandwidth_rows, group="volatility", unit="fraction",
    first=lambda length, _width: (length - 1,), bounds={"length": (2, 400), "deviations": (0.5, 5.0)},
    source="John Bollinger, Bollinger on Bollinger Bands (2001)",
)  # fmt: skip

BOLLINGER_PERCENT_B = Indicator(
    function=bollinger_percent_b, rows=_bollinger_percent_b_rows, group="volatility", unit="fraction",
    first=lambda length, _width: (length - 1,), bounds={"length": (2, 400), "deviations": (0.5, 5.0)},
    source="John Bollinger, Bollinger on Bollinger Bands (2001)",
)  # fmt: skip

NATR = Indicator(
    function=natr, rows=_natr_rows, group="volatility", unit="fraction", first=lambda length: (length,),
    bounds={"length": (2, 200)},
    source="John Forman, Cross-Market Evaluations with Normalized Average True Range, Stocks & Commodities (2006)",
)  # fmt: skip

STARC_BANDS = Indicator(
    function=starc_bands, rows=_starc_bands_rows, group="volatility", unit="price", first=_starc_first, lines=Channel,
    bounds={"length": (2, 200), "atr_length": (2, 200), "factor": (0.5, 10.0)},
    source="Manning Stoller, as told in Jack Hutson (ed.), Stocks & Commodities (1990)",
)  # fmt: skip
