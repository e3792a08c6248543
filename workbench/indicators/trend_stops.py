"""Lines that trail a price and turn when it crosses them: parabolic SAR, supertrend, chandelier exit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._array import Floats, Line
from workbench.indicators.extremes import _channel_nb, _poison_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.volatility import _atr_nb

__all__ = [
    "CHANDELIER_EXIT",
    "PARABOLIC_SAR",
    "SUPERTREND",
    "ChandelierExit",
    "Supertrend",
    "chandelier_exit",
    "parabolic_sar",
    "supertrend",
]


class Supertrend(NamedTuple):
    """What `supertrend` gives, each of shape (n,): a line in the unit of the price, and 1 (up) or -1 (down)."""

    line: Line
    direction: Line


class ChandelierExit(NamedTuple):
    """What `chandelier_exit` gives: two lines of shape (n,), in the unit of the price."""

    long: Line
    short: Line


@kernel
def _sar_turn_step_nb(stop: float, sign: float, before: float, now: float) -> float:
    """Keep a stop on its side of the extremes of two bars: not above two lows (1.0), not below two highs (-1.0)."""
    return sign * min(sign * stop, sign * before, sign * now)


@kernel
def _sar_nb(high: Floats, low: Floats, speed: tuple[float, float], start: int, state: Floats, out: Floats) -> None:
    """Write Wilder's stop; `state`, shape (5,): bars without a gap, side, stop, furthest price, acceleration."""
    step, most = speed
    seen, side, stop, furthest, pace = int(state[0]), state[1], state[2], state[3], state[4]
    for i in range(start, len(high)):
        out[i] = np.nan
        if _poison_nb(high[i], low[i], low[i]) != 0.0:
            seen = 0
            continue
        seen += 1
        if seen == 1:
            continue
        before = i - 1
        if seen == 2:
            down, up = low[i - 1] - low[i], high[i] - high[i - 1]
            side = -1.0 if down > 0.0 and down > up else 1.0
            stop, furthest = (low[i - 1], high[i]) if side > 0.0 else (high[i - 1], low[i])
            pace, before = step, i
        against, along = (low, high) if side > 0.0 else (high, low)
        if side * against[i] <= side * stop:
            stop = _sar_turn_step_nb(furthest, -side, along[before], along[i])
            out[i] = stop
            furthest, pace, side = against[i], step, -side
            against = along
        else:
            out[i] = stop
            if side * along[i] > side * furthest:
                furthest, pace = along[i], min(pace + step, most)
        stop = _sar_turn_step_nb(stop + pace * (furthest - stop), side, against[before], against[i])
    state[0], state[1], state[2], state[3], state[4] = seen, side, stop, furthest, pace


@kernel
def _supertrend_nb(
    bars: tuple[Floats, Floats, Floats],
    ranges: Floats,
    factor: float,
    start: int,
    state: Floats,
    out: tuple[Floats, Floats],
) -> None:
    """Write the band on the far side of the price; `state`, shape (3,): direction (0 before the first), two bands."""
    high, low, close = bars
    line, direction = out
    way, upper, lower = state[0], state[1], state[2]
    for i in range(start, len(close)):
        if ranges[i] - ranges[i] != 0.0:
            way = 0.0
            line[i] = direction[i] = np.nan
            continue
        middle, reach = (high[i] + low[i]) / 2.0, factor * ranges[i]
        if way == 0.0:
            way = 1.0 if close[i] >= middle else -1.0
            upper, lower = middle + reach, middle - reach
        else:
            upper = middle + reach if middle + reach < upper or close[i - 1] > upper else upper
            lower = middle - reach if middle - reach > lower or close[i - 1] < lower else lower
        if way > 0.0 and close[i] < lower:
            way = -1.0
        elif way < 0.0 and close[i] > upper:
            way = 1.0
        line[i] = lower if way > 0.0 else upper
        direction[i] = way
    state[0], state[1], state[2] = way, upper, lower


@kernel
def _hang_nb(base: Floats, ranges: Floats, factor: float, start: int, out: Floats) -> None:
    """Write a line moved by so many ranges; `out` may be the line."""
    for i in range(start, len(base)):
        out[i] = base[i] + factor * ranges[i]


def parabolic_sar(high: ArrayLike, low: ArrayLike, step: float = 0.02, maximum: float = 0.2) -> Line:
    """Parabolic stop and reverse: a stop that trails the price faster the further it goes, and turns when hit.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)
    step : float, default 0.02
        Share of the way to the furthest price that the stop covers in a bar; grows by as much with each new extreme.
    maximum : float, default 0.2
        The share at most.

    Returns
    -------
    float64 array or Series (`parabolic_sar_0.02_0.2`), shape (n,)
        In the unit of the price: below it in a rise, above it in a fall. On the bar that turns, the new side's stop.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    First value at index 1. The second bar begins a fall where its low fell by more than its high rose, a rise
    otherwise, with the stop at the far end of the first bar, as in TA-Lib; Wilder began from a trade that was open. A
    bar with a missing value ends it: the next one comes on the second bar after it. A touch turns. A flat series is
    touched on every bar and gives the price. The source is Wilder, New Concepts (1978), chapter II.

    Examples
    --------
    >>> parabolic_sar(high=[2.0, 3.0, 4.0, 3.0], low=[1.0, 2.0, 3.0, 0.5])
    array([ nan, 1.  , 1.04, 4.  ])
    """
    return PARABOLIC_SAR(high, low, step, maximum)


def supertrend(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 10, factor: float = 3.0) -> Supertrend:
    """Supertrend: a band of average true ranges behind the price that never steps back, and which way it points.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 10
        Bars of the `atr`.
    factor : float, default 3.0
        Average true ranges from the middle of the bar to the band.

    Returns
    -------
    Supertrend
        `line` and `direction` (1 up, -1 down): float64 arrays or Series (`supertrend_line_10_3`), shape (n,).

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    A band moves towards the price alone, until a close has crossed it. A close beyond the line turns it; a touch does
    not. First values at index `length`, where the direction is up if the close is not below the middle of its bar. A
    bar with a missing value ends it: the next ones come after a new warm-up. A flat series gives the price and 1. The
    source is Olivier Seban's Supertrend.

    Examples
    --------
    >>> trend = supertrend(high=[2.0, 3.0, 4.0], low=[1.0, 2.0, 3.0], close=[2.0, 3.0, 4.0], length=1, factor=1.0)
    >>> trend.line, trend.direction
    (array([nan, 1.5, 2.5]), array([nan,  1.,  1.]))
    """
    trend: Supertrend = SUPERTREND(high, low, close, length, factor)
    return trend


def chandelier_exit(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 22, factor: float = 3.0
) -> ChandelierExit:
    """Chandelier exit: so many average true ranges below the highest high, or above the lowest low.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 22
        Bars of the extremes and of the `atr`.
    factor : float, default 3.0
        Average true ranges from the extreme to the exit.

    Returns
    -------
    ChandelierExit
        `long` (the stop of a long position) and `short`: float64 arrays or Series (`chandelier_exit_long_22_3`),
        shape (n,), in the unit of the price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    First values at index `length`. A bar with a missing value ends them: the next ones come after a new warm-up. A
    flat series gives the price. The source is Chuck LeBeau, in Alexander Elder, Come into My Trading Room (2002).

    Examples
    --------
    >>> exits = chandelier_exit(high=[2.0, 3.0], low=[1.0, 2.0], close=[2.0, 3.0], length=1, factor=2.0)
    >>> exits.long, exits.short
    (array([nan,  1.]), array([nan,  4.]))
    """
    exits: ChandelierExit = CHANDELIER_EXIT(high, low, close, length, factor)
    return exits


def _parabolic_sar_rows(rows: Rows, step: float, maximum: float) -> None:
    _sar_nb(rows["high"], rows["low"], (min(step, maximum), maximum), rows.start, rows.state(5), rows.out[0])


def _supertrend_rows(rows: Rows, length: int, factor: float) -> None:
    bars, ranges = (rows["high"], rows["low"], rows["close"]), rows.line()
    line, direction = rows.out
    _atr_nb(*bars, length, rows.start, rows.state(3), ranges)
    _supertrend_nb(bars, frozen(ranges), factor, rows.start, rows.state(3), (line, direction))


def _chandelier_exit_rows(rows: Rows, length: int, factor: float) -> None:
    upper, lower, ranges = rows.line(), rows.line(), rows.line()
    _channel_nb(rows["high"], rows["low"], rows["close"], length, rows.state(2), (upper, lower))
    _atr_nb(rows["high"], rows["low"], rows["close"], length, rows.start, rows.state(3), ranges)
    _hang_nb(frozen(upper), frozen(ranges), -factor, rows.start, rows.out[0])
    _hang_nb(frozen(lower), frozen(ranges), factor, rows.start, rows.out[1])


PARABOLIC_SAR = Indicator(
    function=parabolic_sar, rows=_parabolic_sar_rows, group="trend", first=lambda *_: (1,),
    bounds={"step": (0.005, 0.1), "maximum": (0.05, 0.5)},
    source="J. Welles Wilder, New Concepts in Technical Trading Systems (1978), chapter II",
)  # fmt: skip
SUPERTREND = Indicator(
    function=supertrend, rows=_supertrend_rows, group="trend", first=lambda length, _: (length, length),
    lines=Supertrend, bounds={"length": (2, 200), "factor": (0.5, 10.0)}, source="Olivier Seban's Supertrend",
)  # fmt: skip
CHANDELIER_EXIT = Indicator(
    function=chandelier_exit, rows=_chandelier_exit_rows, group="trend", first=lambda length, _: (length, length),
    lines=ChandelierExit, bounds={"length": (2, 200), "factor": (0.5, 10.0)},
    source="Chuck LeBeau, in Alexander Elder, Come into My Trading Room (2002)",
)  # fmt: skip
