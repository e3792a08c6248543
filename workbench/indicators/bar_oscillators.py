"""Oscillators of whole bars: where prices stand in their range, and how strong buyers and sellers are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._arithmetic import mean, ratio, smooth
from workbench.indicators._array import Floats, Line
from workbench.indicators.extremes import _channel_nb, _extreme_nb, _poison_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.oscillators import _median_nb
from workbench.indicators.volatility_bands import _whole_close_nb

__all__ = [
    "ELDER_RAY",
    "FISHER_TRANSFORM",
    "RELATIVE_VIGOR_INDEX",
    "STOCHASTIC_MOMENTUM_INDEX",
    "ElderRay",
    "Fisher",
    "Rvi",
    "Smi",
    "elder_ray",
    "fisher_transform",
    "relative_vigor_index",
    "stochastic_momentum_index",
]


class Fisher(NamedTuple):
    """What `fisher_transform` gives: two lines of shape (n,)."""

    fisher: Line
    signal: Line


class ElderRay(NamedTuple):
    """What `elder_ray` gives: two lines of shape (n,), in the unit of the price."""

    bull: Line
    bear: Line


class Rvi(NamedTuple):
    """What `relative_vigor_index` gives: two lines of shape (n,), mostly from -1 to 1."""

    rvi: Line
    signal: Line


class Smi(NamedTuple):
    """What `stochastic_momentum_index` gives: two lines of shape (n,), from -100 to 100."""

    smi: Line
    signal: Line


@kernel
def _fisher_nb(
    middles: Floats, tops: Floats, bottoms: Floats, start: int, state: Floats, out: tuple[Floats, Floats]
) -> None:
    """Write the Fisher transform of the smoothed place in the range, and the one before.

    `state`, shape (3,), is whether there is a value before, the place, and the transform.
    """
    begun, place, level = state[0], state[1], state[2]
    for i in range(start, len(middles)):
        out[0][i] = out[1][i] = np.nan
        span = tops[i] - bottoms[i]
        if span - span != 0.0:
            begun, place, level = 0.0, 0.0, 0.0
            continue
        if begun != 0.0:
            out[1][i] = level
        now = 2.0 * ((middles[i] - bottoms[i]) / span) - 1.0 if span != 0.0 else 0.0
        place = 0.33 * now + 0.67 * place
        place = 0.999 if place > 0.99 else (-0.999 if place < -0.99 else place)
        level = 0.5 * np.log((1.0 + place) / (1.0 - place)) + 0.5 * level
        begun = 1.0
        out[0][i] = level
    state[0], state[1], state[2] = begun, place, level


@kernel
def _reach_nb(high: Floats, low: Floats, means: Floats, start: int, out: tuple[Floats, Floats]) -> None:
    """Write how far high and low are above a mean."""
    for i in range(start, len(means)):
        out[0][i] = high[i] - means[i]
        out[1][i] = low[i] - means[i]


@kernel
def _vigor_nb(bars: tuple[Floats, Floats, Floats, Floats], start: int, out: tuple[Floats, Floats]) -> None:
    """Write body and range of each bar; NaN where a column is missing."""
    opened, high, low, close = bars
    for i in range(start, len(close)):
        poison = _poison_nb(high[i], low[i], close[i]) + (opened[i] - opened[i])
        out[0][i] = close[i] - opened[i] + poison
        out[1][i] = high[i] - low[i] + poison


@kernel
def _four_nb(values: Floats, start: int, out: Floats) -> None:
    """Write the mean of the last four values with weights 1, 2, 2, 1."""
    for i in range(start, len(values)):
        out[i] = np.nan
        if i >= 3:
            out[i] = (values[i] + 2.0 * values[i - 1] + 2.0 * values[i - 2] + values[i - 3]) / 6.0


@kernel
def _from_middle_nb(close: Floats, tops: Floats, bottoms: Floats, start: int, out: tuple[Floats, Floats]) -> None:
    """Write how far the close is from the middle of a channel, and half the channel's width."""
    for i in range(start, len(close)):
        half = 0.5 * (tops[i] - bottoms[i])
        out[0][i] = close[i] - tops[i] + half
        out[1][i] = half


def elder_ray(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 13) -> ElderRay:
    """Elder ray: how far bulls push the high, and bears the low, from the average of the close.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 13
        Bars of the `ema`.

    Returns
    -------
    ElderRay
        `bull`, `bear`: float64 arrays or Series (`elder_ray_bull_13`), shape (n,), in the unit of the price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    `high - ema(close)` and `low - ema(close)`. First value at index `length - 1`. A missing value ends it: the next
    one comes after a new warm-up. A flat series gives 0. The source is Alexander Elder, Trading for a Living
    (1993).

    Examples
    --------
    >>> elder_ray([2.0, 4.0], [1.0, 2.0], [1.0, 3.0], 2).bull
    array([nan,  2.])
    """
    result: ElderRay = ELDER_RAY(high, low, close, length)
    return result


def fisher_transform(high: ArrayLike, low: ArrayLike, length: int = 10) -> Fisher:
    """Fisher transform of where the middle of the bar stands in its range, which makes turns sharp.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)
    length : int, default 10
        Bars of the range.

    Returns
    -------
    Fisher
        `fisher`, and `signal`, which is that of the bar before: float64 arrays or Series
        (`fisher_transform_fisher_10`), shape (n,).

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    The place of `(high + low) / 2` between its lowest and highest over `length` bars, from -1 to 1, is smoothed,
    `0.33 * place + 0.67 * before`, held within 0.999, and transformed: `log((1 + x) / (1 - x)) / 2`, plus half of
    the value before. First `fisher` at index `length - 1`, first `signal` one later. A missing value ends it: the
    next one comes after a new warm-up. Without any range the place is 0, the middle, so a flat series gives 0.
    TA-Lib has none. The source is John F. Ehlers, Using the Fisher Transform, Stocks & Commodities (2002).

    Examples
    --------
    >>> fisher_transform([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 2).fisher.round(4)
    array([   nan, 0.3428, 0.7914])
    """
    result: Fisher = FISHER_TRANSFORM(high, low, length)
    return result


def relative_vigor_index(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 10) -> Rvi:
    """Relative vigor index: smoothed bodies of the bars over their smoothed ranges, and its own average.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 10
        Bars of the simple averages.

    Returns
    -------
    Rvi
        `rvi`, `signal`: float64 arrays or Series (`relative_vigor_index_rvi_10`), shape (n,); 1 is bars that all go
        from low to high.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    Bodies and ranges are each averaged over four bars with weights 1, 2, 2, 1, then over `length` bars; the signal
    averages the quotient over four bars likewise. TA-Lib's RVI is another indicator, of volatility. First `rvi`
    at index `length + 2`, first `signal` 3 later. NaN wherever a bar with a missing value is among the bars used.
    Without any range it is 0. The source is John F. Ehlers, Relative Vigor Index, Stocks & Commodities (2002).

    Examples
    --------
    >>> relative_vigor_index([1.0] * 4, [3.0] * 4, [1.0] * 4, [2.0] * 4, 1).rvi
    array([nan, nan, nan, 0.5])
    """
    result: Rvi = RELATIVE_VIGOR_INDEX(open, high, low, close, length)
    return result


def stochastic_momentum_index(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 13, slow: int = 25, fast: int = 2, signal: int = 9
) -> Smi:
    """Stochastic momentum index: distance of the close from the middle of its range, smoothed twice, from -100 to 100.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 13
        Bars of the range.
    slow : int, default 25
        Bars of the first `ema`.
    fast : int, default 2
        Bars of the second.
    signal : int, default 9
        Bars of the `ema` of the line.

    Returns
    -------
    Smi
        `smi`, `signal`: float64 arrays or Series (`stochastic_momentum_index_smi_13_25_2_9`), shape (n,).

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    `100 * ema(ema(close - middle)) / ema(ema(half the range))`, of highest high and lowest low over `length` bars.
    First `smi` at index `length + slow + fast - 3`, first `signal` `signal - 1` later. A missing value ends it: the
    next one comes after a new warm-up. Without any range it is 0. The source is William Blau, Stochastic Momentum,
    Stocks & Commodities (1993).

    Examples
    --------
    >>> stochastic_momentum_index([3.0, 4.0], [1.0, 2.0], [2.0, 4.0], 2, 1, 1, 1).smi
    array([ nan, 100.])
    """
    result: Smi = STOCHASTIC_MOMENTUM_INDEX(high, low, close, length, slow, fast, signal)
    return result


def _fisher_transform_rows(rows: Rows, length: int) -> None:
    fisher, signal = rows.out
    middles, tops, bottoms = rows.line(), rows.line(), rows.line()
    _median_nb(rows["high"], rows["low"], rows.start, middles)
    _extreme_nb(frozen(middles), length, 1.0, rows.state(2), tops)
    _extreme_nb(frozen(middles), length, -1.0, rows.state(2), bottoms)
    _fisher_nb(frozen(middles), frozen(tops), frozen(bottoms), rows.start, rows.state(3), (fisher, signal))


def _elder_ray_rows(rows: Rows, length: int) -> None:
    bull, bear = rows.out
    closes = rows.line()
    _whole_close_nb(rows["high"], rows["low"], rows["close"], rows.start, closes)
    _reach_nb(rows["high"], rows["low"], frozen(smooth(rows, closes, length)), rows.start, (bull, bear))


def _relative_vigor_index_rows(rows: Rows, length: int) -> None:
    line, signal = rows.out
    bodies, ranges, of_bodies, of_ranges = rows.line(), rows.line(), rows.line(), rows.line()
    _vigor_nb((rows["open"], rows["high"], rows["low"], rows["close"]), rows.start, (bodies, ranges))
    _four_nb(frozen(bodies), rows.start, of_bodies)
    _four_nb(frozen(ranges), rows.start, of_ranges)
    ratio(rows, mean(rows, of_bodies, length), mean(rows, of_ranges, length), line)
    _four_nb(frozen(line), rows.start, signal)


def _stochastic_momentum_index_rows(rows: Rows, length: int, slow: int, fast: int, signal: int) -> None:
    line, signal_line = rows.out
    tops, bottoms, lines = rows.line(), rows.line(), (rows.line(), rows.line())
    _channel_nb(rows["high"], rows["low"], rows["close"], length, rows.state(2), (tops, bottoms))
    _from_middle_nb(rows["close"], frozen(tops), frozen(bottoms), rows.start, lines)
    distances, halves = (smooth(rows, smooth(rows, one, slow), fast) for one in lines)
    ratio(rows, distances, halves, line, factor=100.0)
    smooth(rows, line, signal, signal_line)


def _smi_first(length: int, slow: int, fast: int, signal: int) -> tuple[int, int]:
    line = length + slow + fast - 3
    return line, line + signal - 1


ELDER_RAY = Indicator(
    function=elder_ray, rows=_elder_ray_rows, group="momentum", unit="other", first=lambda length: (length - 1,) * 2,
    lines=ElderRay, bounds={"length": (2, 200)}, source="Alexander Elder, Trading for a Living (1993)",
)  # fmt: skip

FISHER_TRANSFORM = Indicator(
    function=fisher_transform, rows=_fisher_transform_rows, group="momentum", unit="other",
    first=lambda length: (length - 1, length), lines=Fisher, bounds={"length": (2, 200)},
    source="John F. Ehlers, Using the Fisher Transform, Stocks & Commodities (2002)",
)  # fmt: skip

RELATIVE_VIGOR_INDEX = Indicator(
    function=relative_vigor_index, rows=_relative_vigor_index_rows, group="momentum", unit="fraction",
    first=lambda length: (length + 2, length + 5), lines=Rvi, bounds={"length": (2, 200)},
    source="John F. Ehlers, Relative Vigor Index, Stocks & Commodities (2002)",
)  # fmt: skip

STOCHASTIC_MOMENTUM_INDEX = Indicator(
    function=stochastic_momentum_index, rows=_stochastic_momentum_index_rows, group="momentum", unit="percent",
    first=_smi_first, lines=Smi, bounds={"length": (2, 200), "slow": (2, 100), "fast": (1, 50), "signal": (2, 50)},
    source="William Blau, Stochastic Momentum, Stocks & Commodities (1993)",
)  # fmt: skip
