"""Where a price stands to what it did before: Aroon, Ichimoku, and bands of ranges or shares around an average."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._arithmetic import mean, smooth
from workbench.indicators._array import Floats, Line
from workbench.indicators.extremes import Channel, _channel_nb, _poison_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.trend_stops import _hang_nb
from workbench.indicators.volatility import _atr_nb

__all__ = [
    "AROON",
    "ICHIMOKU",
    "KELTNER",
    "MOVING_AVERAGE_ENVELOPE",
    "Aroon",
    "Ichimoku",
    "aroon",
    "ichimoku",
    "keltner",
    "moving_average_envelope",
]


class Aroon(NamedTuple):
    """What `aroon` gives, each of shape (n,): two lines from 0 to 100, and their difference."""

    up: Line
    down: Line
    oscillator: Line


class Ichimoku(NamedTuple):
    """What `ichimoku` gives: four lines of shape (n,), in the unit of the price."""

    conversion: Line
    base: Line
    span_a: Line
    span_b: Line


@kernel
def _newest_step_nb(values: Floats, sign: float, place: int, first: int, last: int) -> int:
    """Give the place of the newest extreme from `first` to `last`, when it was at `place` a bar before."""
    if place < first:
        place = first
        for j in range(first + 1, last + 1):
            if sign * values[j] >= sign * values[place]:
                place = j
    elif sign * values[last] >= sign * values[place]:
        place = last
    return place


@kernel
def _aroon_nb(
    high: Floats, low: Floats, length: int, start: int, state: Floats, out: tuple[Floats, Floats, Floats]
) -> None:
    """Write how new the extremes of `length` + 1 bars are; `state`, shape (3,): bars without a gap, two places."""
    up, down, oscillator = out
    seen, top, bottom = int(state[0]), int(state[1]), int(state[2])
    for i in range(start, len(high)):
        up[i] = down[i] = oscillator[i] = np.nan
        if _poison_nb(high[i], low[i], low[i]) != 0.0:
            seen = 0
            continue
        seen += 1
        first = i - min(seen - 1, length)
        if seen == 1:
            top = bottom = i
        top = _newest_step_nb(high, 1.0, top, first, i)
        bottom = _newest_step_nb(low, -1.0, bottom, first, i)
        if seen > length:
            up[i] = 100.0 * ((length - (i - top)) / length)
            down[i] = 100.0 * ((length - (i - bottom)) / length)
            oscillator[i] = 100.0 * ((top - bottom) / length)
    state[0], state[1], state[2] = seen, top, bottom


@kernel
def _halfway_nb(one: Floats, two: Floats, start: int, out: Floats) -> None:
    """Write the middle of two lines; `out` may be one of them."""
    for i in range(start, len(one)):
        out[i] = (one[i] + two[i]) / 2.0


@kernel
def _late_nb(values: Floats, lag: int, start: int, state: Floats, out: Floats) -> None:
    """Write the value of `lag` rows ago; `state`, shape (1,), counts values without a gap."""
    seen = int(state[0])
    for i in range(start, len(values)):
        seen = seen + 1 if values[i] - values[i] == 0.0 else 0
        out[i] = values[i - lag] if seen > lag else np.nan
    state[0] = seen


@kernel
def _whole_nb(high: Floats, low: Floats, close: Floats, start: int, out: Floats) -> None:
    """Write the close of each bar of which nothing is missing."""
    for i in range(start, len(close)):
        out[i] = close[i] + _poison_nb(high[i], low[i], close[i])


def late(rows: Rows, values: Floats, lag: int, out: Floats | None = None) -> Floats:
    """Give a line so many rows later, as a new line if none is given; nothing is carried across a missing value."""
    line = rows.line() if out is None else out
    _late_nb(frozen(values), lag, rows.start, rows.state(1), line)
    return line


def aroon(high: ArrayLike, low: ArrayLike, length: int = 25) -> Aroon:
    """Aroon: how lately the price was at its highest and at its lowest, from 0 to 100, and the difference.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)
    length : int, default 25
        Bars to look back, so that there are `length` + 1 in the window.

    Returns
    -------
    Aroon
        `up`, `down` and `oscillator` (`up - down`, from -100 to 100): float64 arrays or Series (`aroon_up_25`), shape
        (n,). 100 is an extreme on this very bar.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    `100 * (length - bars since the extreme) / length`; of equal extremes the newest counts, as in TA-Lib. First values
    at index `length`. NaN wherever a bar with a missing value is in the window. A flat series gives 100, 100 and 0.
    The source is Tushar Chande, A Time Price Oscillator, Stocks & Commodities (1995).

    Examples
    --------
    >>> lines = aroon(high=[3.0, 2.0, 2.5], low=[1.0, 1.5, 2.0], length=2)
    >>> lines.up, lines.down
    (array([nan, nan,  0.]), array([nan, nan,  0.]))
    """
    lines: Aroon = AROON(high, low, length)
    return lines


def ichimoku(high: ArrayLike, low: ArrayLike, conversion: int = 9, base: int = 26, span: int = 52) -> Ichimoku:
    """Ichimoku: the middles of three channels, and the cloud that lies over this bar.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)
    conversion, base, span : int, default 9, 26 and 52
        Bars of the three channels. The cloud was worked out `base` bars ago.

    Returns
    -------
    Ichimoku
        `conversion`, `base`, `span_a` and `span_b`: float64 arrays or Series (`ichimoku_span_a_9_26_52`), shape (n,),
        in the unit of the price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    `span_a` is the middle of `conversion` and `base`, `span_b` that of the longest channel, both as they were `base`
    bars ago: charts draw them `base` bars ahead, so this is the cloud known now over the bar of now. The lagging line
    (chikou) is the close drawn `base` bars back; it would tell the future, so compare the close with `previous(close,
    base)` instead. First values at index `conversion - 1`, `base - 1`, `max(conversion, base) + base - 1` and
    `span + base - 1`. NaN wherever a bar with a missing value is among the bars used. A flat series gives the price.
    The source is Goichi Hosoda, Ichimoku Kinko Hyo (1969).

    Examples
    --------
    >>> lines = ichimoku(high=[2.0, 4.0, 6.0], low=[0.0, 2.0, 4.0], conversion=1, base=1, span=2)
    >>> lines.conversion, lines.span_b
    (array([1., 3., 5.]), array([nan, nan,  2.]))
    """
    lines: Ichimoku = ICHIMOKU(high, low, conversion, base, span)
    return lines


def keltner(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 20, range_length: int = 10, factor: float = 2.0
) -> Channel:
    """Keltner channel: an exponential average, and so many average true ranges above and below it.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars of the `ema` of the close.
    range_length : int, default 10
        Bars of the `atr`.
    factor : float, default 2.0
        Distance of the outer bands from the middle, in average true ranges.

    Returns
    -------
    Channel
        `upper`, `middle`, `lower`: float64 arrays or Series (`keltner_upper_20_10_2`), shape (n,), in the unit of the
        price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    First `middle` at index `length - 1`, first bands where the `atr` is there too, at index `range_length` at the
    soonest. A bar with a missing value ends them: the next ones come after a new warm-up. A flat series gives the
    price. This is Linda Raschke's form of Chester Keltner, How to Make Money in Commodities (1960), who took simple
    means of typical prices and of ranges.

    Examples
    --------
    >>> bands = keltner(high=[2.0, 3.0], low=[1.0, 2.0], close=[2.0, 3.0], length=1, range_length=1)
    >>> bands.upper, bands.lower
    (array([nan,  5.]), array([nan,  1.]))
    """
    bands: Channel = KELTNER(high, low, close, length, range_length, factor)
    return bands


def moving_average_envelope(values: ArrayLike, length: int = 20, width: float = 0.025) -> Channel:
    """Envelope: the simple average, and a fixed share of it above and below.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars of the `sma`.
    width : float, default 0.025
        Distance of the outer lines from the middle, as a fraction of it.

    Returns
    -------
    Channel
        `upper`, `middle`, `lower`: float64 arrays or Series (`moving_average_envelope_upper_20_0.025`), shape (n,), in
        the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    First values at index `length - 1`. NaN wherever the window holds a missing value. The lines are as old as
    charting; for any other average, multiply it by `1 + width` and `1 - width`.

    Examples
    --------
    >>> moving_average_envelope([1.0, 3.0], length=2, width=0.5).upper
    array([nan,  3.])
    """
    bands: Channel = MOVING_AVERAGE_ENVELOPE(values, length, width)
    return bands


def _aroon_rows(rows: Rows, length: int) -> None:
    up, down, oscillator = rows.out
    _aroon_nb(rows["high"], rows["low"], length, rows.start, rows.state(3), (up, down, oscillator))


def _middle(rows: Rows, length: int, out: Floats) -> Floats:
    upper, lower = rows.line(), rows.line()
    _channel_nb(rows["high"], rows["low"], rows["low"], length, rows.state(2), (upper, lower))
    _halfway_nb(frozen(upper), frozen(lower), rows.start, out)
    return out


def _ichimoku_rows(rows: Rows, conversion: int, base: int, span: int) -> None:
    near, far, span_a, span_b = rows.out
    ahead = rows.line()
    _middle(rows, conversion, near)
    _middle(rows, base, far)
    _halfway_nb(frozen(near), frozen(far), rows.start, ahead)
    late(rows, ahead, base, span_a)
    late(rows, _middle(rows, span, rows.line()), base, span_b)


def _keltner_rows(rows: Rows, length: int, range_length: int, factor: float) -> None:
    upper, middle, lower = rows.out
    closes, ranges = rows.line(), rows.line()
    _whole_nb(rows["high"], rows["low"], rows["close"], rows.start, closes)
    _atr_nb(rows["high"], rows["low"], rows["close"], range_length, rows.start, rows.state(3), ranges)
    smooth(rows, closes, length, middle)
    _hang_nb(frozen(middle), frozen(ranges), factor, rows.start, upper)
    _hang_nb(frozen(middle), frozen(ranges), -factor, rows.start, lower)


def _moving_average_envelope_rows(rows: Rows, length: int, width: float) -> None:
    upper, middle, lower = rows.out
    mean(rows, rows["values"], length, middle)
    _hang_nb(frozen(middle), frozen(middle), width, rows.start, upper)
    _hang_nb(frozen(middle), frozen(middle), -width, rows.start, lower)


AROON = Indicator(
    function=aroon, rows=_aroon_rows, group="trend", first=lambda length: (length,) * 3, lines=Aroon,
    bounds={"length": (2, 200)}, unit="percent",
    source="Tushar Chande, A Time Price Oscillator, Stocks & Commodities (1995)",
)  # fmt: skip
ICHIMOKU = Indicator(
    function=ichimoku, rows=_ichimoku_rows, group="trend", lines=Ichimoku,
    first=lambda conversion, base, span: (conversion - 1, base - 1, max(conversion, base) + base - 1, span + base - 1),
    bounds={"conversion": (2, 100), "base": (2, 200), "span": (2, 400)},
    source="Goichi Hosoda, Ichimoku Kinko Hyo (1969)",
)  # fmt: skip
KELTNER = Indicator(
    function=keltner, rows=_keltner_rows, group="volatility", lines=Channel,
    first=lambda length, ranges, _: (max(length - 1, ranges), length - 1, max(length - 1, ranges)),
    bounds={"length": (2, 400), "range_length": (2, 200), "factor": (0.5, 5.0)},
    source="Linda Raschke's form of Chester Keltner, How to Make Money in Commodities (1960)",
)  # fmt: skip
MOVING_AVERAGE_ENVELOPE = Indicator(
    function=moving_average_envelope, rows=_moving_average_envelope_rows, group="trend", lines=Channel,
    first=lambda length, _: (length - 1,) * 3, bounds={"length": (2, 400), "width": (0.005, 0.2)},
    source="a fixed share around a simple average",
)  # fmt: skip
