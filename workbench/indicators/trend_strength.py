"""Whether there is a trend, and how strong: vortex, detrended price, mass, choppiness, horizontal or vertical."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._arithmetic import distance, mean, ratio, smooth
from workbench.indicators._array import Floats, Line
from workbench.indicators.averages import _steps_nb
from workbench.indicators.extremes import _channel_nb, _extreme_nb, _poison_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.trend_channels import late
from workbench.indicators.volatility import _true_range_nb

__all__ = [
    "CHOPPINESS",
    "DPO",
    "MASS_INDEX",
    "VERTICAL_HORIZONTAL_FILTER",
    "VORTEX",
    "Vortex",
    "choppiness",
    "dpo",
    "mass_index",
    "vertical_horizontal_filter",
    "vortex",
]


class Vortex(NamedTuple):
    """What `vortex` gives: two lines of shape (n,), shares of the true range."""

    plus: Line
    minus: Line


@kernel
def _vortex_nb(bars: tuple[Floats, Floats, Floats], start: int, out: tuple[Floats, Floats]) -> None:
    """Write how far each high is from the low before it, and each low from the high before it."""
    high, low, close = bars
    plus, minus = out
    for i in range(start, len(close)):
        plus[i] = minus[i] = np.nan
        if i > 0:
            before = _poison_nb(high[i - 1], low[i - 1], close[i - 1])
            poison = before + _poison_nb(high[i], low[i], close[i])
            plus[i], minus[i] = abs(high[i] - low[i - 1]) + poison, abs(low[i] - high[i - 1]) + poison


@kernel
def _true_ends_nb(bars: tuple[Floats, Floats, Floats], start: int, out: tuple[Floats, Floats]) -> None:
    """Write high and low of each bar, counting the close before it."""
    high, low, close = bars
    top, bottom = out
    for i in range(start, len(close)):
        top[i] = bottom[i] = np.nan
        if i > 0:
            before = _poison_nb(high[i - 1], low[i - 1], close[i - 1])
            poison = before + _poison_nb(high[i], low[i], close[i])
            top[i], bottom[i] = max(high[i], close[i - 1]) + poison, min(low[i], close[i - 1]) + poison


@kernel
def _span_nb(high: Floats, low: Floats, start: int, out: Floats) -> None:
    """Write the range of each bar."""
    for i in range(start, len(high)):
        out[i] = high[i] - low[i]


@kernel
def _chop_nb(ranges: Floats, upper: Floats, lower: Floats, length: int, start: int, out: Floats) -> None:
    """Write the logarithm of the way over the range of the window, from 0 to 100; 100 without any range."""
    for i in range(start, len(ranges)):
        span = upper[i] - lower[i]
        way = ranges[i] * length
        out[i] = 100.0 * (np.log10(way / span) / np.log10(length)) if span != 0.0 else 100.0


@kernel
def _times_nb(values: Floats, factor: float, start: int, out: Floats) -> None:
    """Write a line times a factor; `out` may be the line."""
    for i in range(start, len(values)):
        out[i] = factor * values[i]


def vortex(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 14) -> Vortex:
    """Vortex: how far highs are from the lows before them, and lows from the highs, as shares of the true range.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars of the sums.

    Returns
    -------
    Vortex
        `plus`, `minus`: float64 arrays or Series (`vortex_plus_14`), shape (n,), mostly from 0.6 to 1.4.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    `sum(abs(high - low before)) / sum(true range)`, and the same for the low and the high before. First values
    at index `length`. NaN wherever a bar with a missing value is among the bars used. A flat series gives 1 and 1, as
    bars that stay where they are do. The source is Etienne Botes and Douglas Siepman, The Vortex Indicator, Stocks &
    Commodities (2010).

    Examples
    --------
    >>> lines = vortex(high=[2.0, 3.0], low=[1.0, 2.0], close=[2.0, 3.0], length=1)
    >>> lines.plus, lines.minus
    (array([nan,  2.]), array([nan,  0.]))
    """
    lines: Vortex = VORTEX(high, low, close, length)
    return lines


def dpo(values: ArrayLike, length: int = 20) -> Line:
    """Detrended price: a value of half a window ago less the simple average of the window, which it is the middle of.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars of the `sma`.

    Returns
    -------
    float64 array or Series (`dpo_20`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    `values[i - length // 2 - 1] - sma(values, length)[i]`: the form that knows only what is past. Charts that draw the
    difference on the older bar show it before it is known. First value at index `length - 1`, or `length // 2 + 1` if
    that is later. NaN wherever a missing value is among the bars used. A flat series gives 0. The detrended price is of
    old standing; no one author is known.

    Examples
    --------
    >>> dpo([1.0, 2.0, 6.0], length=3)
    array([nan, nan, -2.])
    """
    return DPO(values, length)


def mass_index(high: ArrayLike, low: ArrayLike, length: int = 9, window: int = 25) -> Line:
    """Mass index: the sum of the ratios of the average range to the average of that, which swells before a turn.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)
    length : int, default 9
        Bars of both exponential averages.
    window : int, default 25
        Bars of the sum.

    Returns
    -------
    float64 array or Series (`mass_index_9_25`), shape (n,)
        About `window`; with the defaults a rise above 27 and a fall below 26.5 is Dorsey's bulge.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    First value at index `2 * length + window - 3`. A bar with a missing value ends it: the next one comes after a new
    warm-up. Without any range a ratio is 1, so a flat series gives `window`. The source is Donald Dorsey, The Mass
    Index, Stocks & Commodities (1992).

    Examples
    --------
    >>> mass_index(high=[2.0, 3.0, 5.0], low=[1.0, 2.0, 3.0], length=1, window=2)
    array([nan,  2.,  2.])
    """
    return MASS_INDEX(high, low, length, window)


def choppiness(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 14) -> Line:
    """Choppiness: how much longer the way of the price was than its range, from 0 (one trend) to 100 (none).

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars in the window; 2 or more.

    Returns
    -------
    float64 array or Series (`choppiness_14`), shape (n,)
        Above 61.8 is said to be sideways, below 38.2 a trend.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    `100 * log10(sum of true ranges / (highest - lowest)) / log10(length)`, where highs and lows count the close before
    the bar, as the true range does. First value at index `length`. NaN wherever a bar with a missing value is among
    the bars used. A flat series gives 100. The source is E. W. Dreiss's choppiness index.

    Examples
    --------
    >>> choppiness(high=[2.0, 3.0, 3.0], low=[2.0, 2.0, 2.0], close=[2.0, 3.0, 2.0], length=2)
    array([ nan,  nan, 100.])
    """
    return CHOPPINESS(high, low, close, length)


def vertical_horizontal_filter(values: ArrayLike, length: int = 28) -> Line:
    """Vertical horizontal filter: the range of the values over the way they went, from 0 (sideways) to 1 (one trend).

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 28
        Bars in the window.

    Returns
    -------
    float64 array or Series (`vertical_horizontal_filter_28`), shape (n,)

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    `(highest - lowest) / sum(abs(changes))`, over `length` values and as many changes. First value at index `length`.
    NaN wherever a missing value is among the bars used. A flat series gives 0. The source is Adam White, The Vertical
    Horizontal Filter, Futures (1991).

    Examples
    --------
    >>> vertical_horizontal_filter([1.0, 2.0, 4.0, 3.0], length=2).round(4)
    array([   nan,    nan, 0.6667, 0.3333])
    """
    return VERTICAL_HORIZONTAL_FILTER(values, length)


def _vortex_rows(rows: Rows, length: int) -> None:
    bars = (rows["high"], rows["low"], rows["close"])
    plus, minus, ranges = rows.line(), rows.line(), rows.line()
    _vortex_nb(bars, rows.start, (plus, minus))
    _true_range_nb(*bars, rows.start, ranges)
    way = mean(rows, ranges, length)
    ratio(rows, mean(rows, plus, length), way, rows.out[0], otherwise=1.0)
    ratio(rows, mean(rows, minus, length), way, rows.out[1], otherwise=1.0)


def _dpo_rows(rows: Rows, length: int) -> None:
    distance(rows, late(rows, rows["values"], length // 2 + 1), mean(rows, rows["values"], length), rows.out[0])


def _mass_index_rows(rows: Rows, length: int, window: int) -> None:
    spans, swell = rows.line(), rows.line()
    _span_nb(rows["high"], rows["low"], rows.start, spans)
    once = smooth(rows, spans, length)
    ratio(rows, once, smooth(rows, once, length), swell, otherwise=1.0)
    _times_nb(frozen(mean(rows, swell, window)), float(window), rows.start, rows.out[0])


def _choppiness_rows(rows: Rows, length: int) -> None:
    bars = (rows["high"], rows["low"], rows["close"])
    top, bottom, ranges, upper, lower = rows.line(), rows.line(), rows.line(), rows.line(), rows.line()
    _true_ends_nb(bars, rows.start, (top, bottom))
    _true_range_nb(*bars, rows.start, ranges)
    _channel_nb(frozen(top), frozen(bottom), rows["close"], length, rows.state(2), (upper, lower))
    way = mean(rows, ranges, length)
    _chop_nb(frozen(way), frozen(upper), frozen(lower), length, rows.start, rows.out[0])


def _vertical_horizontal_filter_rows(rows: Rows, length: int) -> None:
    upper, lower, steps, span, way = rows.line(), rows.line(), rows.line(), rows.line(), rows.line()
    _extreme_nb(rows["values"], length, 1.0, rows.state(2), upper)
    _extreme_nb(rows["values"], length, -1.0, rows.state(2), lower)
    _steps_nb(rows["values"], rows.start, steps)
    distance(rows, upper, lower, span)
    _times_nb(frozen(mean(rows, steps, length)), float(length), rows.start, way)
    ratio(rows, span, way, rows.out[0])


def _at_least_two(length: int) -> str | None:
    return None if length > 1 else "length is 1; give at least 2, one bar has no way beyond its own range"


VORTEX = Indicator(
    function=vortex, rows=_vortex_rows, group="trend", first=lambda length: (length, length), lines=Vortex,
    bounds={"length": (2, 200)}, unit="fraction",
    source="Etienne Botes and Douglas Siepman, The Vortex Indicator, Stocks & Commodities (2010)",
)  # fmt: skip
DPO = Indicator(
    function=dpo, rows=_dpo_rows, group="trend", first=lambda length: (max(length - 1, length // 2 + 1),),
    bounds={"length": (2, 400)}, unit="other", source="the detrended price, in the form that knows only the past",
)  # fmt: skip
MASS_INDEX = Indicator(
    function=mass_index, rows=_mass_index_rows, group="trend",
    first=lambda length, window: (2 * length + window - 3,), bounds={"length": (2, 100), "window": (2, 200)},
    unit="other", source="Donald Dorsey, The Mass Index, Stocks & Commodities (1992)",
)  # fmt: skip
CHOPPINESS = Indicator(
    function=choppiness, rows=_choppiness_rows, group="trend", first=lambda length: (length,),
    bounds={"length": (2, 200)}, unit="percent", check=_at_least_two, source="E. W. Dreiss's choppiness index",
)  # fmt: skip
VERTICAL_HORIZONTAL_FILTER = Indicator(
    function=vertical_horizontal_filter, rows=_vertical_horizontal_filter_rows, group="trend",
    first=lambda length: (length,), bounds={"length": (2, 200)}, unit="fraction",
    source="Adam White, The Vertical Horizontal Filter, Futures (1991)",
)  # fmt: skip
