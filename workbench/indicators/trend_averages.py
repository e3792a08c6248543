"""Averages that adapt or lag by design: ALMA, VIDYA, McGinley's, the alligator, and a cycle of momentum."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._arithmetic import distance, mean, smooth
from workbench.indicators._array import Floats, Line, fast_below_slow
from workbench.indicators.averages import _steps_nb
from workbench.indicators.extremes import _extreme_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.oscillators import _median_nb
from workbench.indicators.trend_channels import late

__all__ = [
    "ALLIGATOR",
    "ALMA",
    "MCGINLEY_DYNAMIC",
    "SCHAFF_TREND_CYCLE",
    "VIDYA",
    "Alligator",
    "alligator",
    "alma",
    "mcginley_dynamic",
    "schaff_trend_cycle",
    "vidya",
]


class Alligator(NamedTuple):
    """What `alligator` gives: three lines of shape (n,), in the unit of the price."""

    jaw: Line
    teeth: Line
    lips: Line


@kernel
def _bell_nb(values: Floats, length: int, shape: tuple[float, float], start: int, state: Floats, out: Floats) -> None:
    """Write the mean of each window under a bell; `state`, shape (1,), counts values without a gap."""
    offset, sigma = shape
    seen = int(state[0])
    weights = np.zeros(min(length, len(values)))
    total = 0.0
    for j in range(len(weights)):
        distance = (j - offset * (length - 1)) * sigma / length
        weights[j] = np.exp(-0.5 * distance * distance)
        total += weights[j]
    for i in range(start, len(values)):
        anchor = values[i]
        seen = seen + 1 if anchor - anchor == 0.0 else 0
        out[i] = np.nan
        if seen >= length:
            window = values[i - length + 1 : i + 1]
            moved = 0.0
            for j in range(length):
                moved += weights[j] * (window[j] - anchor)
            out[i] = anchor + moved / total
    state[0] = seen


@kernel
def _vidya_nb(
    values: Floats, steps: Floats, momentum: int, weight: float, start: int, state: Floats, out: Floats
) -> None:
    """Write Chande's mean, given the mean step; `state`, shape (2,), is whether it has begun, and its level."""
    begun, level = state[0], state[1]
    for i in range(start, len(values)):
        if steps[i] - steps[i] != 0.0:
            begun = 0.0
            out[i] = np.nan
            continue
        if begun == 0.0:
            begun, level = 1.0, values[i - 1]
        way, net = steps[i] * momentum, abs(values[i] - values[i - momentum])
        level += weight * (net / way if way > net else 1.0) * (values[i] - level)
        out[i] = level
    state[0], state[1] = begun, level


@kernel
def _mcginley_nb(values: Floats, reach: float, start: int, state: Floats, out: Floats) -> None:
    """Write McGinley's mean; `state`, shape (2,), is whether it has begun, and its level."""
    begun, level = state[0], state[1]
    for i in range(start, len(values)):
        value = values[i]
        out[i] = np.nan
        if value - value != 0.0:
            begun = 0.0
        elif begun == 0.0:
            begun, level = 1.0, value
        else:
            ratio = value / level if level != 0.0 else 1.0
            square = ratio * ratio
            level += (value - level) / max(reach * square * square, 1.0)
            out[i] = level
    state[0], state[1] = begun, level


@kernel
def _cycle_nb(
    values: Floats, upper: Floats, lower: Floats, weight: float, start: int, state: Floats, out: Floats
) -> None:
    """Write the smoothed place in a channel, in percent; `state`, shape (3,): whether begun, the last place, level."""
    begun, place, level = state[0], state[1], state[2]
    for i in range(start, len(values)):
        span = upper[i] - lower[i]
        if span - span != 0.0:
            begun = 0.0
            out[i] = np.nan
            continue
        if begun == 0.0:
            place = 50.0
        if span > 0.0:
            place = 100.0 * ((values[i] - lower[i]) / span)
        level = level + weight * (place - level) if begun != 0.0 else place
        begun = 1.0
        out[i] = level
    state[0], state[1], state[2] = begun, place, level


def alma(values: ArrayLike, length: int = 9, offset: float = 0.85, sigma: float = 6.0) -> Line:
    """Arnaud Legoux average: the mean of a window under a bell curve that leans towards the newest value.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 9
        Bars in the window.
    offset : float, default 0.85
        Where the top of the bell lies: near 0 at the oldest value, 1 at the newest.
    sigma : float, default 6.0
        How narrow the bell is: the window is so many standard deviations wide.

    Returns
    -------
    float64 array or Series (`alma_9_0.85_6`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    First value at index `length - 1`. NaN wherever the window holds a missing value. Takes `length` steps a bar; a flat
    window gives exactly its value. The source is Arnaud Legoux and Dimitrios Kouzis-Loukas, ALMA (2009).

    Examples
    --------
    >>> alma([1.0, 2.0, 3.0], length=3, offset=0.5).round(9)
    array([nan, nan,  2.])
    """
    return ALMA(values, length, offset, sigma)


def vidya(values: ArrayLike, length: int = 12, momentum: int = 9) -> Line:
    """Variable index dynamic average: an exponential average that is as fast as the price is single-minded.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 12
        Bars of the exponential average when every change goes one way.
    momentum : int, default 9
        Bars of the Chande momentum that slows it down.

    Returns
    -------
    float64 array or Series (`vidya_12_9`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    The weight is `2 / (length + 1)` times the net change over `momentum` bars over the sum of its changes, which is the
    Chande momentum without sign. First value at index `momentum`, seeded with the value before it. A missing value ends
    it: the next one comes after a new warm-up. A flat series gives the price. The source is Tushar Chande and Stanley
    Kroll, The New Technical Trader (1994).

    Examples
    --------
    >>> vidya([1.0, 2.0, 4.0, 3.0], length=1, momentum=2).round(4)
    array([   nan,    nan, 4.    , 3.6667])
    """
    return VIDYA(values, length, momentum)


def mcginley_dynamic(values: ArrayLike, length: int = 14, factor: float = 0.6) -> Line:
    """McGinley's dynamic: an average that hurries after a falling price and takes its time with a rising one.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars of the average that it is to be like.
    factor : float, default 0.6
        Share of `length`, since a plain average is faster than an exponential one in McGinley's eyes.

    Returns
    -------
    float64 array or Series (`mcginley_dynamic_14_0.6`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    It moves by `(value - level) / (factor * length * (value / level) ** 4)`, and never past the value: the divisor
    is at least 1. First value at index 1, seeded with the value before it. A missing value ends it: the next one comes
    on the second value after it. A flat series gives the price. The source is John R. McGinley, Journal of Technical
    Analysis (1997).

    Examples
    --------
    >>> mcginley_dynamic([100.0, 100.0, 50.0], length=20)
    array([ nan, 100.,  50.])
    """
    return MCGINLEY_DYNAMIC(values, length, factor)


def alligator(high: ArrayLike, low: ArrayLike, jaw: int = 13, teeth: int = 8, lips: int = 5) -> Alligator:
    """Alligator: three smoothed averages of the middles of the bars, each as it was some bars ago.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)
    jaw, teeth, lips : int, default 13, 8 and 5
        Bars of Wilder's smoothing; the lines are 8, 5 and 3 bars late.

    Returns
    -------
    Alligator
        `jaw`, `teeth`, `lips`: float64 arrays or Series (`alligator_jaw_13_8_5`), shape (n,), in the unit of the price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    Charts draw the lines 8, 5 and 3 bars ahead; these are the values that lie over the bar of now, which were known so
    long ago. First values at index `jaw + 7`, `teeth + 4` and `lips + 2`. A bar with a missing value ends them: the
    next ones come after a new warm-up. A flat series gives the price. The source is Bill Williams, New Trading
    Dimensions (1998).

    Examples
    --------
    >>> alligator(high=[1.0, 2.0, 3.0, 4.0], low=[1.0, 2.0, 3.0, 4.0], lips=1).lips
    array([nan, nan, nan,  1.])
    """
    lines: Alligator = ALLIGATOR(high, low, jaw, teeth, lips)
    return lines


def schaff_trend_cycle(close: ArrayLike, fast: int = 23, slow: int = 50, length: int = 10, smoothing: int = 3) -> Line:
    """Schaff trend cycle: the stochastic of the stochastic of the distance of two averages, from 0 to 100.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    fast, slow : int, default 23 and 50
        Bars of the two `ema`; `fast` is the smaller.
    length : int, default 10
        Bars of both stochastics, half a cycle.
    smoothing : int, default 3
        Bars of the exponential average of each.

    Returns
    -------
    float64 array or Series (`schaff_trend_cycle_23_50_10_3`), shape (n,)
        Above 75 is a rise, below 25 a fall.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1, or `fast` is not below `slow`.

    Notes
    -----
    Each smoothing is seeded with its first value. Where a stochastic has no range it stays where it was, and is 50
    before it had any: a flat series gives 50. First value at index `slow + 2 * length - 3`. A missing value ends it:
    the next one comes after a new warm-up. The source is Doug Schaff, The Schaff Trend Cycle (2008).

    Examples
    --------
    >>> schaff_trend_cycle([1.0, 2.0, 4.0, 8.0, 8.0], fast=1, slow=2, length=2, smoothing=1)
    array([nan, nan, nan, 50.,  0.])
    """
    return SCHAFF_TREND_CYCLE(close, fast, slow, length, smoothing)


def _alma_rows(rows: Rows, length: int, offset: float, sigma: float) -> None:
    _bell_nb(rows["values"], length, (offset, sigma), rows.start, rows.state(1), rows.out[0])


def _vidya_rows(rows: Rows, length: int, momentum: int) -> None:
    steps = rows.line()
    _steps_nb(rows["values"], rows.start, steps)
    way = frozen(mean(rows, steps, momentum))
    _vidya_nb(rows["values"], way, momentum, 2.0 / (length + 1.0), rows.start, rows.state(2), rows.out[0])


def _mcginley_dynamic_rows(rows: Rows, length: int, factor: float) -> None:
    _mcginley_nb(rows["values"], factor * length, rows.start, rows.state(2), rows.out[0])


def _alligator_rows(rows: Rows, jaw: int, teeth: int, lips: int) -> None:
    middles = rows.line()
    _median_nb(rows["high"], rows["low"], rows.start, middles)
    for length, lag, out in zip((jaw, teeth, lips), _LAGS, rows.out, strict=True):
        late(rows, smooth(rows, middles, length, wilder=True), lag, out)


def _cycle(rows: Rows, values: Floats, lengths: tuple[int, int], out: Floats) -> Floats:
    length, smoothing = lengths
    upper, lower = rows.line(), rows.line()
    _extreme_nb(frozen(values), length, 1.0, rows.state(2), upper)
    _extreme_nb(frozen(values), length, -1.0, rows.state(2), lower)
    weight = 2.0 / (smoothing + 1.0)
    _cycle_nb(frozen(values), frozen(upper), frozen(lower), weight, rows.start, rows.state(3), out)
    return out


def _schaff_trend_cycle_rows(rows: Rows, fast: int, slow: int, length: int, smoothing: int) -> None:
    momentum = rows.line()
    distance(rows, smooth(rows, rows["close"], fast), smooth(rows, rows["close"], slow), momentum)
    once = _cycle(rows, momentum, (length, smoothing), rows.line())
    _cycle(rows, once, (length, smoothing), rows.out[0])


_LAGS = (8, 5, 3)  # bars by which Williams draws jaw, teeth and lips ahead

ALMA = Indicator(
    function=alma, rows=_alma_rows, group="trend", first=lambda length, *_: (length - 1,),
    bounds={"length": (2, 200), "offset": (0.05, 1.0), "sigma": (1.0, 20.0)},
    source="Arnaud Legoux and Dimitrios Kouzis-Loukas, ALMA (2009)",
)  # fmt: skip
VIDYA = Indicator(
    function=vidya, rows=_vidya_rows, group="trend", first=lambda _, momentum: (momentum,),
    bounds={"length": (2, 200), "momentum": (2, 100)},
    source="Tushar Chande and Stanley Kroll, The New Technical Trader (1994)",
)  # fmt: skip
MCGINLEY_DYNAMIC = Indicator(
    function=mcginley_dynamic, rows=_mcginley_dynamic_rows, group="trend", first=lambda *_: (1,),
    bounds={"length": (2, 200), "factor": (0.3, 1.0)},
    source="John R. McGinley, Journal of Technical Analysis (1997)",
)  # fmt: skip
ALLIGATOR = Indicator(
    function=alligator, rows=_alligator_rows, group="trend", lines=Alligator,
    first=lambda *lengths: tuple(length - 1 + lag for length, lag in zip(lengths, _LAGS, strict=True)),
    bounds={"jaw": (2, 100), "teeth": (2, 100), "lips": (2, 100)},
    source="Bill Williams, New Trading Dimensions (1998)",
)  # fmt: skip
SCHAFF_TREND_CYCLE = Indicator(
    function=schaff_trend_cycle, rows=_schaff_trend_cycle_rows, group="trend",
    first=lambda _fast, slow, length, _smoothing: (slow + 2 * length - 3,),
    bounds={"fast": (2, 100), "slow": (5, 300), "length": (2, 100), "smoothing": (1, 20)}, unit="percent",
    check=fast_below_slow, source="Doug Schaff, The Schaff Trend Cycle (2008)",
)  # fmt: skip
