"""Where a close stands in the range of recent bars, or how far from their mean, as a score."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._array import Floats, Line
from workbench.indicators.extremes import _channel_nb, _poison_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.moving import _mean_nb
from workbench.indicators.volatility import _true_range_nb

__all__ = ["CCI", "ULTIMATE_OSCILLATOR", "WILLIAMS_R", "cci", "ultimate_oscillator", "williams_r"]


@kernel
def _below_nb(close: Floats, upper: Floats, lower: Floats, start: int, out: Floats) -> None:
    """Write how far the close is below the top of a channel, in percent of it, as a negative number."""
    for i in range(start, len(close)):
        span = upper[i] - lower[i]
        out[i] = -100.0 * ((upper[i] - close[i]) / span) if span != 0.0 else -50.0


@kernel
def _middle_nb(high: Floats, low: Floats, close: Floats, start: int, out: Floats) -> None:
    """Write the mean of the three prices of each bar."""
    for i in range(start, len(close)):
        out[i] = (high[i] + low[i] + close[i]) / 3.0 + _poison_nb(high[i], low[i], close[i])


@kernel
def _channel_index_nb(values: Floats, length: int, start: int, state: Floats, out: Floats) -> None:
    """Write the distance from the mean of the window, in 0.015 mean distances from it."""
    seen = int(state[0])
    for i in range(start, len(values)):
        anchor = values[i]
        seen = seen + 1 if anchor - anchor == 0.0 else 0
        out[i] = np.nan
        if seen < length:
            continue
        window = values[i - length + 1 : i + 1]
        total = spread = 0.0
        for j in range(length):
            total += window[j] - anchor
        mean = total / length
        for j in range(length):
            spread += abs(window[j] - anchor - mean)
        out[i] = -mean / (0.015 * (spread / length)) if spread > 0.0 else 0.0
    state[0] = seen


@kernel
def _pressure_nb(high: Floats, low: Floats, close: Floats, start: int, out: Floats) -> None:
    """Write how far each close is above the true low of its bar."""
    for i in range(start, len(close)):
        if i == 0:
            out[i] = np.nan
            continue
        before = _poison_nb(high[i - 1], low[i - 1], close[i - 1])
        out[i] = close[i] - min(low[i], close[i - 1]) + (before + _poison_nb(high[i], low[i], close[i]))


@kernel
def _share_step_nb(part: float, whole: float) -> float:
    """Give a share, a half where there is no whole."""
    return part / whole if whole != 0.0 else 0.5


@kernel
def _three_shares_nb(
    fast: tuple[Floats, Floats], middle: tuple[Floats, Floats], slow: tuple[Floats, Floats], start: int, out: Floats
) -> None:
    """Write the mean of three shares (part, whole), which weigh 4, 2 and 1, in percent."""
    for i in range(start, len(out)):
        total = 4.0 * _share_step_nb(fast[0][i], fast[1][i]) + 2.0 * _share_step_nb(middle[0][i], middle[1][i])
        out[i] = 100.0 * ((total + _share_step_nb(slow[0][i], slow[1][i])) / 7.0)


def williams_r(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 14) -> Line:
    """Williams %R: how far the close is below the highest high of `length` bars, from -100 to 0.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars of the range.

    Returns
    -------
    float64 array or Series (`williams_r_14`), shape (n,)
        -100 is a close at the lowest low.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    `-100 * (highest high - close) / (highest high - lowest low)`. First value at index `length - 1`. NaN wherever a
    bar with a missing value is among the bars used. Where the range is 0 it is -50, the middle (TA-Lib says 0). The
    source is Larry Williams, How I Made One Million Dollars Last Year Trading Commodities (1973).

    Examples
    --------
    >>> williams_r([3.0, 4.0], [1.0, 2.0], [2.0, 3.25], 2)
    array([ nan, -25.])
    """
    return WILLIAMS_R(high, low, close, length)


def cci(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 20) -> Line:
    """Commodity channel index: distance of the typical price from its mean, in 0.015 mean absolute deviations.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.

    Returns
    -------
    float64 array or Series (`cci_20`), shape (n,)
        Mostly between -100 and 100.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    The typical price is the mean of high, low and close. It takes `length` steps a bar, as TA-Lib does.
    First value at index `length - 1`. NaN wherever a bar with a missing value is among the bars used. A flat window
    gives 0. The source is Donald Lambert, Commodity Channel Index, Commodities (1980).

    Examples
    --------
    >>> cci([1.0, 3.0], [1.0, 3.0], [1.0, 3.0], 2).round(4)
    array([    nan, 66.6667])
    """
    return CCI(high, low, close, length)


def ultimate_oscillator(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, fast: int = 7, middle: int = 14, slow: int = 28
) -> Line:
    """Ultimate oscillator: the share of buying pressure in the true range over three windows, from 0 to 100.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    fast : int, default 7
        Bars of the shortest window.
    middle : int, default 14
        Bars of the middle one.
    slow : int, default 28
        Bars of the longest.

    Returns
    -------
    float64 array or Series (`ultimate_oscillator_7_14_28`), shape (n,)
        100 is buying pressure alone.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or the lengths do not grow.

    Notes
    -----
    Buying pressure is the close above the true low; the shares of the windows weigh 4, 2 and 1.
    First value at index `slow`. NaN wherever a bar with a missing value is among the bars used. A window without any
    range counts as a half, so a flat series gives 50 (TA-Lib says 0). The source is Larry Williams, The Ultimate
    Oscillator, Stocks & Commodities (1985).

    Examples
    --------
    >>> bars = [3.0, 4.0, 5.0, 6.0], [1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 6.0]
    >>> ultimate_oscillator(*bars, fast=1, middle=2, slow=3).round(9)
    array([ nan,  nan,  nan, 100.])
    """
    return ULTIMATE_OSCILLATOR(high, low, close, fast, middle, slow)


def _williams_r_rows(rows: Rows, length: int) -> None:
    upper, lower = rows.line(), rows.line()
    _channel_nb(rows["high"], rows["low"], rows["close"], length, rows.state(2), (upper, lower))
    _below_nb(rows["close"], frozen(upper), frozen(lower), rows.start, rows.out[0])


def _cci_rows(rows: Rows, length: int) -> None:
    middles = rows.line()
    _middle_nb(rows["high"], rows["low"], rows["close"], rows.start, middles)
    _channel_index_nb(frozen(middles), length, rows.start, rows.state(1), rows.out[0])


def _ultimate_oscillator_rows(rows: Rows, fast: int, middle: int, slow: int) -> None:
    pressure, ranges = rows.line(), rows.line()
    _pressure_nb(rows["high"], rows["low"], rows["close"], rows.start, pressure)
    _true_range_nb(rows["high"], rows["low"], rows["close"], rows.start, ranges)
    shares = [_means_of(rows, pressure, ranges, length) for length in (fast, middle, slow)]
    _three_shares_nb(shares[0], shares[1], shares[2], rows.start, rows.out[0])


def _means_of(rows: Rows, pressure: Floats, ranges: Floats, length: int) -> tuple[Floats, Floats]:
    part, whole = rows.line(), rows.line()
    _mean_nb(frozen(pressure), length, rows.state(2), part)
    _mean_nb(frozen(ranges), length, rows.state(2), whole)
    return frozen(part), frozen(whole)


def _growing(fast: int, middle: int, slow: int) -> str | None:
    return None if fast < middle < slow else f"the lengths are {fast}, {middle} and {slow}; give three that grow"


WILLIAMS_R = Indicator(
    function=williams_r,
    rows=_williams_r_rows,
    group="momentum",
    first=lambda length: (length - 1,),
    bounds={"length": (2, 200)},
    unit="percent",
    source="Larry Williams, How I Made One Million Dollars Last Year Trading Commodities (1973)",
)


CCI = Indicator(
    function=cci,
    rows=_cci_rows,
    group="momentum",
    first=lambda length: (length - 1,),
    bounds={"length": (2, 200)},
    unit="other",
    source="Donald Lambert, Commodity Channel Index, Commodities (1980)",
)


ULTIMATE_OSCILLATOR = Indicator(
    function=ultimate_oscillator,
    rows=_ultimate_oscillator_rows,
    group="momentum",
    first=lambda _fast, _middle, slow: (slow,),
    bounds={"fast": (2, 50), "middle": (3, 100), "slow": (4, 200)},
    unit="percent",
    check=_growing,
    source="Larry Williams, The Ultimate Oscillator, Stocks & Commodities (1985)",
)
