"""Prices averaged by volume, and volume compared with what is usual."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._arithmetic import mean
from workbench.indicators._array import Floats, Line
from workbench.indicators.distribution import score
from workbench.indicators.indicator import Indicator, Rows

__all__ = [
    "DAILY_VWAP",
    "RELATIVE_VOLUME",
    "VOLUME_RATE_OF_CHANGE",
    "VOLUME_ZSCORE",
    "VWAP",
    "VWMA",
    "daily_vwap",
    "relative_volume",
    "volume_rate_of_change",
    "volume_zscore",
    "vwap",
    "vwma",
]


@kernel
def _weighted_gap_nb(values: Floats, weights: Floats, first: int, stop: int) -> int:
    """Give the place of the first row from `first` on in which something is missing; `stop` when there is none."""
    while first < stop and (values[first] - values[first]) + (weights[first] - weights[first]) == 0.0:
        first += 1
    return first


@kernel
def _weighted_nb(values: Floats, weights: Floats, length: int, state: Floats, out: Floats) -> None:
    """Write the weighted mean of each window, in blocks as `moving` describes; the plain one where weights are 0."""
    n = len(values)
    tail = np.zeros((3, min(length, n)))
    sums, masses, plains = tail[0], tail[1], tail[2]
    seen, first = int(state[0]), int(state[1])
    while first < n:
        state[0], state[1] = seen, first
        anchor = values[first]
        seen = seen + 1 if (anchor - anchor) + (weights[first] - weights[first]) == 0.0 else 0
        if seen < length:
            out[first] = np.nan
            first += 1
            continue
        total = mass = plain = 0.0
        for j in range(length - 2, -1, -1):
            k = first - length + 1 + j
            distance = values[k] - anchor
            total, mass, plain = total + distance * weights[k], mass + weights[k], plain + distance
            sums[j], masses[j], plains[j] = total, mass, plain
        stop = min(first + length, n)
        total = mass = plain = 0.0
        for j in range(stop - first):
            weight, distance = weights[first + j], values[first + j] - anchor
            total, mass, plain = total + distance * weight, mass + weight, plain + distance
            whole = mass + masses[j]
            share = (total + sums[j]) / whole if whole != 0.0 else (plain + plains[j]) / length
            out[first + j] = anchor + share
        poison = (total - total) + (mass - mass)
        first = stop if poison == 0.0 else _weighted_gap_nb(values, weights, first, stop)
        seen = length - 1  # one more row makes a whole window again


@kernel
def _typical_nb(high: Floats, low: Floats, close: Floats, start: int, out: Floats) -> None:
    """Write the typical price, exactly the price where all three are equal."""
    for i in range(start, len(close)):
        last = close[i]
        out[i] = last + ((high[i] - last) + (low[i] - last)) / 3.0


@kernel
def _daily_nb(price: Floats, volume: Floats, ts: Floats, start: int, state: Floats, out: Floats) -> None:
    """Write the weighted mean since the day's first bar. `state`: bars, day, anchor, and three sums so far."""
    seen, day, anchor, total, mass, plain = state[0], state[1], state[2], state[3], state[4], state[5]
    for i in range(start, len(price)):
        poison = (price[i] - price[i]) + (volume[i] - volume[i]) + (ts[i] - ts[i])
        today = np.floor(ts[i] / 86_400_000.0)
        if poison != 0.0:
            seen = 0.0
            out[i] = np.nan
            continue
        if seen == 0.0 or today != day:
            seen, day, anchor, total, mass, plain = 0.0, today, price[i], 0.0, 0.0, 0.0
        distance = price[i] - anchor
        seen, total, mass, plain = seen + 1.0, total + distance * volume[i], mass + volume[i], plain + distance
        out[i] = anchor + (total / mass if mass != 0.0 else plain / seen)
    state[0], state[1], state[2], state[3], state[4], state[5] = seen, day, anchor, total, mass, plain


@kernel
def _relative_nb(volume: Floats, mean: Floats, start: int, out: Floats) -> None:
    """Write each value over the mean that ended one row before."""
    for i in range(start, len(volume)):
        base = mean[i - 1] if i > 0 else np.nan
        value = volume[i] + (volume[i] - volume[i])
        out[i] = value / base if base != 0.0 else 1.0 + (value - value)


@kernel
def _volume_rate_nb(volume: Floats, length: int, start: int, state: Floats, out: Floats) -> None:
    """Write the relative change over `length` rows. `state` is how many values come without a gap before `start`."""
    seen = int(state[0])
    for i in range(start, len(volume)):
        seen = seen + 1 if volume[i] - volume[i] == 0.0 else 0
        if seen <= length:
            out[i] = np.nan
            continue
        base = volume[i - length]
        out[i] = (volume[i] - base) / base if base != 0.0 else 0.0
    state[0] = seen


def daily_vwap(high: ArrayLike, low: ArrayLike, close: ArrayLike, volume: ArrayLike, ts: ArrayLike) -> Line:
    """Volume-weighted average price since the day began, in UTC.

    Parameters
    ----------
    high, low, close, volume : array_like or pandas.Series, shape (n,)
    ts : array_like or pandas.Series, shape (n,)
        When each bar began, in milliseconds since 1970.

    Returns
    -------
    float64 array or Series (`daily_vwap`), shape (n,)
        In the unit of the price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    The mean of `(high + low + close) / 3` of the bars of a day so far, weighed by volume; on daily bars that is the
    bar's own price. First value at index 0. A bar with a missing value has none, and the mean begins anew with the next
    bar. The sums are of distances from the first price of the day; as long as nothing was traded it is the plain mean.

    Examples
    --------
    >>> price, hour = [1.0, 2.0, 5.0], 3_600_000
    >>> daily_vwap(price, price, price, volume=[1.0, 3.0, 1.0], ts=[22 * hour, 23 * hour, 24 * hour])
    array([1.  , 1.75, 5.  ])
    """
    return DAILY_VWAP(high, low, close, volume, ts)


def relative_volume(volume: ArrayLike, length: int = 20) -> Line:
    """Volume of a bar over the mean volume of the `length` bars before it.

    Parameters
    ----------
    volume : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars before, with which the present one is compared.

    Returns
    -------
    float64 array or Series (`relative_volume_20`), shape (n,)
        1.0 is a usual bar, 3.0 three times as much.

    Raises
    ------
    DataError
        `volume` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    The bar itself is not in the mean. First value at index `length`; NaN wherever the bar or the bars compared hold a
    missing value. After bars without volume there is nothing to compare with, and it is 1.

    Examples
    --------
    >>> relative_volume([1.0, 3.0, 4.0, 7.0], length=2)
    array([nan, nan,  2.,  2.])
    """
    return RELATIVE_VOLUME(volume, length)


def volume_rate_of_change(volume: ArrayLike, length: int = 14) -> Line:
    """Relative change of volume over `length` bars, as a fraction.

    Parameters
    ----------
    volume : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars between the two volumes compared.

    Returns
    -------
    float64 array or Series (`volume_rate_of_change_14`), shape (n,)
        1.0 is twice as much.

    Raises
    ------
    DataError
        `volume` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    `(volume - before) / before`. First value at index `length`; NaN if any value from the one compared with to the
    present one is missing. After a bar without volume there is nothing to compare with, and it is 0. TA-Lib's ROCP
    agrees, but for that.

    Examples
    --------
    >>> volume_rate_of_change([2.0, 4.0, 6.0, 1.0], length=2)
    array([  nan,   nan,  2.  , -0.75])
    """
    return VOLUME_RATE_OF_CHANGE(volume, length)


def volume_zscore(volume: ArrayLike, length: int = 20) -> Line:
    """How many standard deviations a bar's volume is from the mean of the last `length` bars.

    Parameters
    ----------
    volume : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.

    Returns
    -------
    float64 array or Series (`volume_zscore_20`), shape (n,)
        2.0 is above the mean by two standard deviations.

    Raises
    ------
    DataError
        `volume` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    `zscore` of volume: the bar itself is in the window, the deviation is that of a population. First value at index
    `length - 1`; NaN wherever the window holds a missing value. A flat window gives 0.

    Examples
    --------
    >>> volume_zscore([1.0, 3.0, 3.0, 7.0], length=2)
    array([nan,  1.,  0.,  1.])
    """
    return VOLUME_ZSCORE(volume, length)


def vwap(high: ArrayLike, low: ArrayLike, close: ArrayLike, volume: ArrayLike, length: int = 20) -> Line:
    """Volume-weighted average price of the last `length` bars.

    Parameters
    ----------
    high, low, close, volume : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.

    Returns
    -------
    float64 array or Series (`vwap_20`), shape (n,)
        In the unit of the price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    The mean of `(high + low + close) / 3`, weighed by volume. First value at index `length - 1`; NaN wherever the
    window holds a missing value. Each window is added up by itself, so nothing drifts; without any volume it is the
    plain mean. `ta` agrees. `daily_vwap` begins anew with each day instead.

    Examples
    --------
    >>> price = [1.0, 2.0, 5.0]
    >>> vwap(price, price, price, volume=[1.0, 3.0, 1.0], length=2)
    array([ nan, 1.75, 2.75])
    """
    return VWAP(high, low, close, volume, length)


def vwma(close: ArrayLike, volume: ArrayLike, length: int = 20) -> Line:
    """Mean of the last `length` closes, each weighed by its volume.

    Parameters
    ----------
    close, volume : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.

    Returns
    -------
    float64 array or Series (`vwma_20`), shape (n,)
        In the unit of `close`.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    First value at index `length - 1`; NaN wherever the window holds a missing value. Each window is added up by itself,
    as distances from one of its closes, so nothing drifts and a flat window gives exactly its close. Without any volume
    it is the plain mean.

    Examples
    --------
    >>> vwma(close=[1.0, 2.0, 5.0], volume=[1.0, 3.0, 1.0], length=2)
    array([ nan, 1.75, 2.75])
    """
    return VWMA(close, volume, length)


def _vwma_rows(rows: Rows, length: int) -> None:
    _weighted_nb(rows["close"], rows["volume"], length, rows.state(2), rows.out[0])


def _typical(rows: Rows) -> Floats:
    line = rows.line()
    _typical_nb(rows["high"], rows["low"], rows["close"], rows.start, line)
    return frozen(line)


def _vwap_rows(rows: Rows, length: int) -> None:
    _weighted_nb(_typical(rows), rows["volume"], length, rows.state(2), rows.out[0])


def _daily_vwap_rows(rows: Rows) -> None:
    _daily_nb(_typical(rows), rows["volume"], rows["ts"], rows.start, rows.state(6), rows.out[0])


def _relative_volume_rows(rows: Rows, length: int) -> None:
    base = mean(rows, rows["volume"], length)
    _relative_nb(rows["volume"], frozen(base), rows.start, rows.out[0])


def _volume_rate_of_change_rows(rows: Rows, length: int) -> None:
    _volume_rate_nb(rows["volume"], length, rows.start, rows.state(1), rows.out[0])


def _volume_zscore_rows(rows: Rows, length: int) -> None:
    score(rows, rows["volume"], length)


def _after_window(length: int) -> tuple[int]:
    return (length - 1,)


VWMA = Indicator(
    function=vwma, rows=_vwma_rows, group="volume", first=_after_window, bounds={"length": (2, 400)},
    source="the weighted mean of a window",
)  # fmt: skip
VWAP = Indicator(
    function=vwap, rows=_vwap_rows, group="volume", first=_after_window, bounds={"length": (2, 400)},
    source="Stephen Berkowitz, Dennis Logue and Eugene Noser, The Total Cost of Transactions on the NYSE (1988)",
)  # fmt: skip
DAILY_VWAP = Indicator(
    function=daily_vwap, rows=_daily_vwap_rows, group="volume", first=lambda: (0,),
    source="Stephen Berkowitz, Dennis Logue and Eugene Noser, The Total Cost of Transactions on the NYSE (1988)",
)  # fmt: skip
RELATIVE_VOLUME = Indicator(
    function=relative_volume, rows=_relative_volume_rows, group="volume", first=lambda length: (length,),
    bounds={"length": (2, 400)}, unit="other", source="the field's relative volume (RVOL)",
)  # fmt: skip
VOLUME_RATE_OF_CHANGE = Indicator(
    function=volume_rate_of_change, rows=_volume_rate_of_change_rows, group="volume", first=lambda length: (length,),
    bounds={"length": (1, 200)}, unit="fraction", source="the field's volume rate of change (VROC)",
)  # fmt: skip
VOLUME_ZSCORE = Indicator(
    function=volume_zscore, rows=_volume_zscore_rows, group="volume", first=_after_window, bounds={"length": (2, 400)},
    unit="other", source="Ronald Fisher, Statistical Methods for Research Workers (1925), here of volume",
)  # fmt: skip
