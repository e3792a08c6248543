"""Volume by the way the price went: what is added up, and what is averaged, with the sign of a change."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import kernel
from workbench.indicators._arithmetic import _pile_step_nb, mean, pile, ratio, smooth
from workbench.indicators._array import Floats, Line
from workbench.indicators.indicator import Indicator, Rows

__all__ = [
    "EASE_OF_MOVEMENT",
    "FORCE_INDEX",
    "NEGATIVE_VOLUME_INDEX",
    "OBV",
    "POSITIVE_VOLUME_INDEX",
    "VOLUME_PRICE_TREND",
    "VOLUME_ZONE_OSCILLATOR",
    "ease_of_movement",
    "force_index",
    "negative_volume_index",
    "obv",
    "positive_volume_index",
    "volume_price_trend",
    "volume_zone_oscillator",
]


@kernel
def _pair_poison_nb(left: Floats, right: Floats, i: int) -> float:
    """Give 0.0, or NaN if one of two columns is missing in a row or the row before, or there is none before."""
    if i == 0:
        return np.nan
    before = (left[i - 1] - left[i - 1]) + (right[i - 1] - right[i - 1])
    return float(before + (left[i] - left[i]) + (right[i] - right[i]))


@kernel
def _sign_step_nb(change: float) -> float:
    return 1.0 if change > 0.0 else (-1.0 if change < 0.0 else 0.0)


@kernel
def _obv_nb(close: Floats, volume: Floats, start: int, state: Floats, out: Floats) -> None:
    """Write the running sum of signed volume; the first bar of a stretch counts as rising.

    `state`, shape (3,), is the sum, what it lost to rounding, and whether there is a bar before `start`.
    """
    total, lost, follows = state[0], state[1], state[2] > 0.0
    for i in range(start, len(close)):
        if (close[i] - close[i]) + (volume[i] - volume[i]) != 0.0:
            total, lost, follows = 0.0, 0.0, False
            out[i] = np.nan
            continue
        sign = _sign_step_nb(close[i] - close[i - 1]) if follows else 1.0
        total, lost = _pile_step_nb(total, lost, sign * volume[i])
        out[i] = total + lost
        follows = True
    state[0], state[1], state[2] = total, lost, 1.0 if follows else 0.0


@kernel
def _signed_nb(close: Floats, volume: Floats, start: int, out: tuple[Floats, Floats]) -> None:
    """Write the volume with the sign of the close's change, and the volume itself; NaN for the first of a stretch."""
    signed, traded = out
    for i in range(start, len(close)):
        signed[i] = traded[i] = np.nan
        if _pair_poison_nb(close, volume, i) == 0.0:
            signed[i], traded[i] = _sign_step_nb(close[i] - close[i - 1]) * volume[i], volume[i]


@kernel
def _trend_nb(close: Floats, volume: Floats, start: int, out: Floats) -> None:
    """Write the volume times the relative change; 0.0 for the first bar of a stretch."""
    for i in range(start, len(close)):
        out[i] = (close[i] - close[i]) + (volume[i] - volume[i])
        if _pair_poison_nb(close, volume, i) == 0.0 and close[i - 1] != 0.0:
            out[i] = volume[i] * ((close[i] - close[i - 1]) / close[i - 1])


@kernel
def _index_nb(close: Floats, volume: Floats, sign: float, start: int, out: Floats) -> None:
    """Write the level that moves with the price where volume rises (`sign` 1.0) or falls (-1.0)."""
    for i in range(start, len(close)):
        if _pair_poison_nb(close, volume, i) != 0.0:
            out[i] = 1_000.0 + ((close[i] - close[i]) + (volume[i] - volume[i]))
            continue
        moves = sign * (volume[i] - volume[i - 1]) > 0.0 and close[i] > 0.0 and close[i - 1] > 0.0
        out[i] = out[i - 1] * (close[i] / close[i - 1]) if moves else out[i - 1]


@kernel
def _force_nb(close: Floats, volume: Floats, start: int, out: Floats) -> None:
    """Write the change of the close times the volume."""
    for i in range(start, len(close)):
        out[i] = np.nan
        if _pair_poison_nb(close, volume, i) == 0.0:
            out[i] = (close[i] - close[i - 1]) * volume[i]


@kernel
def _ease_nb(high: Floats, low: Floats, volume: Floats, start: int, out: Floats) -> None:
    """Write how far the middle of a bar moved, times its range, for the volume."""
    for i in range(start, len(high)):
        out[i] = np.nan
        if _pair_poison_nb(high, low, i) + (volume[i] - volume[i]) == 0.0 and volume[i - 1] - volume[i - 1] == 0.0:
            moved = (high[i] + low[i]) / 2.0 - (high[i - 1] + low[i - 1]) / 2.0
            out[i] = moved * (high[i] - low[i]) / volume[i] * 1e8 if volume[i] != 0.0 else 0.0


def ease_of_movement(high: ArrayLike, low: ArrayLike, volume: ArrayLike, length: int = 14) -> Line:
    """Ease of movement: how far the middle of the bars moves for the volume it takes.

    Parameters
    ----------
    high, low, volume : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars of the simple average; 1 gives the plain value.

    Returns
    -------
    float64 array or Series (`ease_of_movement_14`), shape (n,)
        In squared units of price, for 100 million units of volume.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    The mean of `change of (high + low) / 2, times (high - low), times 1e8, over volume`; a bar without volume counts as
    0. First value at index `length`, because the first bar has no change; NaN wherever the window or the bar before it
    holds a missing value. `ta` agrees in its averaged line; others take another power of ten. The source is Richard
    Arms, Volume Cycles in the Stock Market (1983).

    Examples
    --------
    >>> ease_of_movement(high=[2.0, 4.0, 5.0], low=[1.0, 2.0, 4.0], volume=[1e8, 1e8, 1e8], length=2)
    array([ nan,  nan, 2.25])
    """
    return EASE_OF_MOVEMENT(high, low, volume, length)


def force_index(close: ArrayLike, volume: ArrayLike, length: int = 13) -> Line:
    """Force index: the `ema` of the change of the close times the volume.

    Parameters
    ----------
    close, volume : array_like or pandas.Series, shape (n,)
    length : int, default 13
        Bars of the exponential average; 1 gives the plain product.

    Returns
    -------
    float64 array or Series (`force_index_13`), shape (n,)
        In the unit of price times volume.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    First value at index `length`, because the first bar has no change. A bar with a missing value ends it: the next one
    comes after a new warm-up. `ta` seeds the average with the first product alone, and agrees to 1e-9 after about `12 *
    length` bars. The source is Alexander Elder, Trading for a Living (1993).

    Examples
    --------
    >>> force_index(close=[1.0, 2.0, 4.0], volume=[5.0, 3.0, 4.0], length=2)
    array([nan, nan, 5.5])
    """
    return FORCE_INDEX(close, volume, length)


def negative_volume_index(close: ArrayLike, volume: ArrayLike) -> Line:
    """Negative volume index: the price as it moves on bars of falling volume, from 1000 on.

    Parameters
    ----------
    close, volume : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`negative_volume_index`), shape (n,)
        1000 at first.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    Multiplied by `close / previous close` on bars whose volume is below that before, else as it was. First value
    at index 0. A bar with a missing value has none and ends it: it begins anew with the next bar. A close that is not
    above 0 changes nothing. `ta` agrees. The source is Paul Dysart; Norman Fosback, Stock Market Logic (1976), compares
    it with its average over 255 bars.

    Examples
    --------
    >>> negative_volume_index(close=[1.0, 2.0, 3.0, 6.0], volume=[5.0, 3.0, 4.0, 2.0])
    array([1000., 2000., 2000., 4000.])
    """
    return NEGATIVE_VOLUME_INDEX(close, volume)


def obv(close: ArrayLike, volume: ArrayLike) -> Line:
    """On-balance volume: the running sum of volume, added when the close rises and taken off when it falls.

    Parameters
    ----------
    close, volume : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`obv`), shape (n,)
        In the unit of `volume`; its level means nothing, its changes do.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    First value at index 0, the volume of the first bar, as TA-Lib has it (others begin at 0). An unchanged close adds
    nothing (`ta` adds it). A bar with a missing value has none and ends the sum: it begins anew with the next bar. What
    rounding loses is kept beside the sum, so it does not drift. The source is Joseph Granville, Granville's New Key to
    Stock Market Profits (1963).

    Examples
    --------
    >>> obv(close=[1.0, 2.0, 2.0, 1.5], volume=[5.0, 3.0, 4.0, 2.0])
    array([5., 8., 8., 6.])
    """
    return OBV(close, volume)


def positive_volume_index(close: ArrayLike, volume: ArrayLike) -> Line:
    """Positive volume index: the price as it moves on bars of rising volume, from 1000 on.

    Parameters
    ----------
    close, volume : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`positive_volume_index`), shape (n,)
        1000 at first.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    Multiplied by `close / previous close` on bars whose volume is above that before, else as it was. First value
    at index 0. A bar with a missing value has none and ends it: it begins anew with the next bar. A close that is not
    above 0 changes nothing. The source is Paul Dysart; Norman Fosback, Stock Market Logic (1976).

    Examples
    --------
    >>> positive_volume_index(close=[1.0, 2.0, 3.0, 6.0], volume=[5.0, 3.0, 4.0, 2.0])
    array([1000., 1000., 1500., 1500.])
    """
    return POSITIVE_VOLUME_INDEX(close, volume)


def volume_price_trend(close: ArrayLike, volume: ArrayLike) -> Line:
    """Volume-price trend: the running sum of volume times the relative change of the close.

    Parameters
    ----------
    close, volume : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`volume_price_trend`), shape (n,)
        In the unit of `volume`; its level means nothing, its changes do.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    First value at index 0, which is 0 because there is no change yet. A bar with a missing value has none and ends the
    sum: it begins again from 0 with the next bar. A change from a close of 0 adds nothing. What rounding loses is kept
    beside the sum, so it does not drift. `ta` sums the same changes, without the first bar.

    Examples
    --------
    >>> volume_price_trend(close=[1.0, 2.0, 2.0, 1.0], volume=[5.0, 3.0, 4.0, 2.0])
    array([0., 3., 3., 2.])
    """
    return VOLUME_PRICE_TREND(close, volume)


def volume_zone_oscillator(close: ArrayLike, volume: ArrayLike, length: int = 14) -> Line:
    """Volume zone oscillator: rising less falling volume in all volume, averaged, from -100 to 100.

    Parameters
    ----------
    close, volume : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars of the exponential averages.

    Returns
    -------
    float64 array or Series (`volume_zone_oscillator_14`), shape (n,)
        100 is a series that rises with every trade.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    100 times the `ema` of volume with the sign of the close's change, over the `ema` of volume. First value at index
    `length`, because the first bar has no change. A bar with a missing value ends it: the next one comes after a new
    warm-up. An unchanged close counts as 0, which the source counts as falling. Without any volume it is 0. The source
    is Walid Khalil and David Steckler, In the Volume Zone, Stocks & Commodities 29:5 (2011).

    Examples
    --------
    >>> volume_zone_oscillator(close=[1.0, 2.0, 1.0], volume=[5.0, 3.0, 1.0], length=2)
    array([nan, nan, 50.])
    """
    return VOLUME_ZONE_OSCILLATOR(close, volume, length)


def _obv_rows(rows: Rows) -> None:
    _obv_nb(rows["close"], rows["volume"], rows.start, rows.state(3), rows.out[0])


def _volume_price_trend_rows(rows: Rows) -> None:
    line = rows.line()
    _trend_nb(rows["close"], rows["volume"], rows.start, line)
    pile(rows, line, rows.out[0])


def _negative_volume_index_rows(rows: Rows) -> None:
    _index_nb(rows["close"], rows["volume"], -1.0, rows.start, rows.out[0])


def _positive_volume_index_rows(rows: Rows) -> None:
    _index_nb(rows["close"], rows["volume"], 1.0, rows.start, rows.out[0])


def _force_index_rows(rows: Rows, length: int) -> None:
    line = rows.line()
    _force_nb(rows["close"], rows["volume"], rows.start, line)
    smooth(rows, line, length, rows.out[0])


def _ease_of_movement_rows(rows: Rows, length: int) -> None:
    line = rows.line()
    _ease_nb(rows["high"], rows["low"], rows["volume"], rows.start, line)
    mean(rows, line, length, rows.out[0])


def _volume_zone_oscillator_rows(rows: Rows, length: int) -> None:
    lines = rows.line(), rows.line()
    _signed_nb(rows["close"], rows["volume"], rows.start, lines)
    ratio(rows, smooth(rows, lines[0], length), smooth(rows, lines[1], length), rows.out[0], factor=100.0)


def _at_once() -> tuple[int]:
    return (0,)


def _after_change(length: int) -> tuple[int]:
    return (length,)


OBV = Indicator(
    function=obv, cumulative=True, rows=_obv_rows, group="volume", first=_at_once, unit="volume",
    source="Joseph Granville, Granville's New Key to Stock Market Profits (1963)",
)  # fmt: skip
VOLUME_PRICE_TREND = Indicator(
    function=volume_price_trend, cumulative=True, rows=_volume_price_trend_rows, group="volume",
    first=_at_once, unit="volume",
    source="the field's volume-price trend; no author is known",
)  # fmt: skip
NEGATIVE_VOLUME_INDEX = Indicator(
    function=negative_volume_index, cumulative=True, rows=_negative_volume_index_rows, group="volume",
    first=_at_once, unit="other",
    source="Paul Dysart (1930s); Norman Fosback, Stock Market Logic (1976)",
)  # fmt: skip
POSITIVE_VOLUME_INDEX = Indicator(
    function=positive_volume_index, cumulative=True, rows=_positive_volume_index_rows, group="volume",
    first=_at_once, unit="other",
    source="Paul Dysart (1930s); Norman Fosback, Stock Market Logic (1976)",
)  # fmt: skip
FORCE_INDEX = Indicator(
    function=force_index, rows=_force_index_rows, group="volume", first=_after_change, bounds={"length": (1, 200)},
    unit="other", source="Alexander Elder, Trading for a Living (1993)",
)  # fmt: skip
EASE_OF_MOVEMENT = Indicator(
    function=ease_of_movement, rows=_ease_of_movement_rows, group="volume", first=_after_change,
    bounds={"length": (1, 200)}, unit="other", source="Richard Arms, Volume Cycles in the Stock Market (1983)",
)  # fmt: skip
VOLUME_ZONE_OSCILLATOR = Indicator(
    function=volume_zone_oscillator, rows=_volume_zone_oscillator_rows, group="volume", first=_after_change,
    bounds={"length": (2, 200)}, unit="percent",
    source="Walid Khalil and David Steckler, In the Volume Zone, Stocks & Commodities 29:5 (2011)",
)  # fmt: skip
