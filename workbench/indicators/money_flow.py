"""Where the money goes: volume weighed by where in its range a bar closed, or by whether it rose."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._arithmetic import _pile_step_nb, mean, ratio, smooth
from workbench.indicators._array import Floats, Line, fast_below_slow
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.moving import _smooth_step_nb

__all__ = [
    "ADL",
    "CHAIKIN_MONEY_FLOW",
    "CHAIKIN_OSCILLATOR",
    "MFI",
    "TWIGGS_MONEY_FLOW",
    "adl",
    "chaikin_money_flow",
    "chaikin_oscillator",
    "mfi",
    "twiggs_money_flow",
]


@kernel
def _location_step_nb(high: float, low: float, close: float) -> float:
    """Give where a close lies: 1.0 at the high, -1.0 at the low, 0.0 in the middle or without a range."""
    span = high - low
    return ((close - low) - (high - close)) / span if span > 0.0 else 0.0


@kernel
def _flow_nb(
    columns: tuple[Floats, Floats, Floats, Floats], start: int, before: bool, out: tuple[Floats, Floats]
) -> None:
    """Write the volume weighed by where the close lies, and the volume itself; both NaN if any column is missing.

    With `before` the bar's range is the true one, which begins at the close before.
    """
    high, low, close, volume = columns
    flow, traded = out
    for i in range(start, len(close)):
        top, bottom = high[i], low[i]
        poison = (top - top) + (bottom - bottom) + (close[i] - close[i]) + (volume[i] - volume[i])
        if before:
            if i == 0:
                poison = np.nan
            else:
                last = close[i - 1]
                poison += (last - last) + (high[i - 1] - high[i - 1]) + (low[i - 1] - low[i - 1])
                poison += volume[i - 1] - volume[i - 1]
                top, bottom = max(top, last), min(bottom, last)
        traded[i] = volume[i] + poison
        flow[i] = _location_step_nb(top, bottom, close[i]) * volume[i] + poison


@kernel
def _adl_nb(
    columns: tuple[Floats, Floats, Floats, Floats], lengths: tuple[int, int], start: int, state: Floats, out: Floats
) -> None:
    """Write the line, or with lengths above 0 the distance of its exponential means of these.

    `state`, shape (5,), is the sum, what it lost to rounding, the bars without a gap, and the two means.
    """
    high, low, close, volume = columns
    total, lost, seen, fast, slow = state[0], state[1], int(state[2]), state[3], state[4]
    fast_weight, slow_weight = 2.0 / (lengths[0] + 1.0), 2.0 / (lengths[1] + 1.0)
    for i in range(start, len(close)):
        poison = (high[i] - high[i]) + (low[i] - low[i]) + (close[i] - close[i]) + (volume[i] - volume[i])
        if poison != 0.0:
            total, lost, seen, fast, slow = 0.0, 0.0, 0, 0.0, 0.0
            out[i] = np.nan
            continue
        total, lost = _pile_step_nb(total, lost, _location_step_nb(high[i], low[i], close[i]) * volume[i])
        out[i] = total + lost
        if lengths[0] > 0:
            seen += 1
            fast = _smooth_step_nb(fast, total + lost, seen, lengths[0], fast_weight)
            slow = _smooth_step_nb(slow, total + lost, seen, lengths[1], slow_weight)
            out[i] = fast - slow if seen >= lengths[1] else np.nan
    state[0], state[1], state[2], state[3], state[4] = total, lost, seen, fast, slow


@kernel
def _money_nb(
    columns: tuple[Floats, Floats, Floats, Floats], start: int, state: Floats, out: tuple[Floats, Floats]
) -> None:
    """Write the money of bars whose typical price rose and of those where it fell, 0.0 in the other one."""
    high, low, close, volume = columns
    rising, falling = out
    last = state[0] if start > 0 else np.nan
    for i in range(start, len(close)):
        price = (high[i] + low[i] + close[i]) / 3.0
        poison = (price - price) + (volume[i] - volume[i])
        change = price - last + poison
        money, least = price * volume[i], 1e-15 * abs(price)  # what rounding makes of two equal means of three prices
        rising[i] = money if change > least else change - change
        falling[i] = money if change < -least else change - change
        last = price + poison
    state[0] = last


@kernel
def _share_nb(rising: Floats, falling: Floats, start: int, out: Floats) -> None:
    """Write the share of the first in both, in percent; the middle where both are 0."""
    for i in range(start, len(out)):
        both = rising[i] + falling[i]
        out[i] = 100.0 * (rising[i] / both) if both != 0.0 else 50.0


def adl(high: ArrayLike, low: ArrayLike, close: ArrayLike, volume: ArrayLike) -> Line:
    """Accumulation/distribution line: the running sum of volume, each bar's weighed by where it closed.

    Parameters
    ----------
    high, low, close, volume : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`adl`), shape (n,)
        In the unit of `volume`; its level means nothing, its changes do.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    The sum of `close_location * volume`; a bar without a range adds 0. First value at index 0. A bar with a missing
    value has none and ends the sum: it begins again from 0 with the next bar. What rounding loses is kept beside the
    sum, so it does not drift. Equal to TA-Lib's AD. The source is Marc Chaikin, after Larry Williams.

    Examples
    --------
    >>> adl(high=[3.0, 4.0], low=[1.0, 2.0], close=[3.0, 2.5], volume=[100.0, 60.0])
    array([100.,  70.])
    """
    return ADL(high, low, close, volume)


def chaikin_money_flow(high: ArrayLike, low: ArrayLike, close: ArrayLike, volume: ArrayLike, length: int = 20) -> Line:
    """Chaikin money flow: the share of the volume of `length` bars that closed high less that which closed low.

    Parameters
    ----------
    high, low, close, volume : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.

    Returns
    -------
    float64 array or Series (`chaikin_money_flow_20`), shape (n,)
        From -1 to 1.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    The sum of `close_location * volume` over the sum of `volume`. First value at index `length - 1`; NaN wherever the
    window holds a bar with a missing value. Without any volume, or without any range, it is 0. It is the same as the
    intraday intensity percent of David Bostian. `ta` agrees, but says NaN without volume. The source is Marc Chaikin.

    Examples
    --------
    >>> chaikin_money_flow([3.0, 4.0], [1.0, 2.0], [3.0, 2.5], [100.0, 60.0], length=2)
    array([   nan, 0.4375])
    """
    return CHAIKIN_MONEY_FLOW(high, low, close, volume, length)


def chaikin_oscillator(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, volume: ArrayLike, fast: int = 3, slow: int = 10
) -> Line:
    """Chaikin oscillator: distance of a fast and a slow `ema` of the accumulation/distribution line.

    Parameters
    ----------
    high, low, close, volume : array_like or pandas.Series, shape (n,)
    fast, slow : int, default 3 and 10
        Bars of the two averages; `fast` is the smaller.

    Returns
    -------
    float64 array or Series (`chaikin_oscillator_3_10`), shape (n,)
        In the unit of `volume`.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or `fast` is not below `slow`.

    Notes
    -----
    First value at index `slow - 1`. A bar with a missing value ends it: the next one comes after a new warm-up. Each
    average is seeded with the mean of its first values; TA-Lib's ADOSC seeds both with the first value of the line, and
    agrees to 1e-9 of the line after about `12 * slow` bars. The source is Marc Chaikin.

    Examples
    --------
    >>> chaikin_oscillator([3.0, 4.0, 4.0], [1.0, 2.0, 2.0], [3.0, 4.0, 3.0], [9.0, 3.0, 5.0], fast=1, slow=2)
    array([nan, 1.5, 0.5])
    """
    return CHAIKIN_OSCILLATOR(high, low, close, volume, fast, slow)


def mfi(high: ArrayLike, low: ArrayLike, close: ArrayLike, volume: ArrayLike, length: int = 14) -> Line:
    """Money flow index: the share of rising bars in the money traded, from 0 to 100.

    Parameters
    ----------
    high, low, close, volume : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars of changes.

    Returns
    -------
    float64 array or Series (`mfi_14`), shape (n,)
        100 is a window in which the price rose with every trade.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    Money is `volume * (high + low + close) / 3`; it is rising if that price is above the one before, and neither if
    equal. First value at index `length`, because the first bar has no change; NaN wherever the window or the bar before
    it holds a missing value. Without any rising or falling money it is 50. Equal to TA-Lib's MFI, which says 0 where
    both together are below 1. The source is Gene Quong and Avrum Soudack, Volume-Weighted RSI: Money Flow, Stocks &
    Commodities 7:3 (1989).

    Examples
    --------
    >>> price = [1.0, 2.0, 1.5, 3.0]
    >>> mfi(price, price, price, volume=[9.0, 3.0, 4.0, 2.0], length=2)
    array([nan, nan, 50., 50.])
    """
    return MFI(high, low, close, volume, length)


def twiggs_money_flow(high: ArrayLike, low: ArrayLike, close: ArrayLike, volume: ArrayLike, length: int = 21) -> Line:
    """Twiggs money flow: `chaikin_money_flow` with the true range and Wilder's smoothing.

    Parameters
    ----------
    high, low, close, volume : array_like or pandas.Series, shape (n,)
    length : int, default 21
        Bars of Wilder's smoothing.

    Returns
    -------
    float64 array or Series (`twiggs_money_flow_21`), shape (n,)
        From -1 to 1.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    The close is placed between the true high, `max(high, previous close)`, and the true low; that place times the
    volume is smoothed and divided by the smoothed volume. First value at index `length`, because the first bar has no
    close before it. A bar with a missing value ends it: the next one comes after a new warm-up. Without any volume, or
    without any range, it is 0. The source is Colin Twiggs, Incredible Charts.

    Examples
    --------
    >>> twiggs_money_flow([3.0, 4.0, 5.0], [1.0, 2.0, 3.0], [3.0, 4.0, 3.0], [9.0, 3.0, 3.0], length=2)
    array([nan, nan,  0.])
    """
    return TWIGGS_MONEY_FLOW(high, low, close, volume, length)


def _columns(rows: Rows) -> tuple[Floats, Floats, Floats, Floats]:
    return rows["high"], rows["low"], rows["close"], rows["volume"]


def _flow(rows: Rows, *, before: bool = False) -> tuple[Floats, Floats]:
    lines = rows.line(), rows.line()
    _flow_nb(_columns(rows), rows.start, before, lines)
    return lines


def _adl_rows(rows: Rows) -> None:
    _adl_nb(_columns(rows), (0, 0), rows.start, rows.state(5), rows.out[0])


def _chaikin_money_flow_rows(rows: Rows, length: int) -> None:
    flow, traded = _flow(rows)
    ratio(rows, mean(rows, flow, length), mean(rows, traded, length), rows.out[0])


def _chaikin_oscillator_rows(rows: Rows, fast: int, slow: int) -> None:
    _adl_nb(_columns(rows), (fast, slow), rows.start, rows.state(5), rows.out[0])


def _mfi_rows(rows: Rows, length: int) -> None:
    lines = rows.line(), rows.line()
    _money_nb(_columns(rows), rows.start, rows.state(1), lines)
    rising, falling = mean(rows, lines[0], length), mean(rows, lines[1], length)
    _share_nb(frozen(rising), frozen(falling), rows.start, rows.out[0])


def _twiggs_money_flow_rows(rows: Rows, length: int) -> None:
    flow, traded = _flow(rows, before=True)
    above, below = smooth(rows, flow, length, wilder=True), smooth(rows, traded, length, wilder=True)
    ratio(rows, above, below, rows.out[0])


ADL = Indicator(
    function=adl, cumulative=True, rows=_adl_rows, group="volume", first=lambda: (0,), unit="volume",
    source="Marc Chaikin, after Larry Williams, The Secret of Selecting Stocks (1972)",
)  # fmt: skip
CHAIKIN_MONEY_FLOW = Indicator(
    function=chaikin_money_flow, rows=_chaikin_money_flow_rows, group="volume", first=lambda length: (length - 1,),
    bounds={"length": (2, 200)}, unit="fraction", source="Marc Chaikin, Chaikin Money Flow (Bomar Securities, 1980s)",
)  # fmt: skip
CHAIKIN_OSCILLATOR = Indicator(
    function=chaikin_oscillator, rows=_chaikin_oscillator_rows, group="volume", first=lambda fast, slow: (slow - 1,),
    bounds={"fast": (2, 50), "slow": (3, 200)}, check=fast_below_slow, unit="volume",
    source="Marc Chaikin, Chaikin Oscillator (Bomar Securities, 1980s)",
)  # fmt: skip
MFI = Indicator(
    function=mfi, rows=_mfi_rows, group="volume", first=lambda length: (length,), bounds={"length": (2, 200)},
    unit="percent",
    source="Gene Quong and Avrum Soudack, Volume-Weighted RSI: Money Flow, Stocks & Commodities 7:3 (1989)",
)  # fmt: skip
TWIGGS_MONEY_FLOW = Indicator(
    function=twiggs_money_flow, rows=_twiggs_money_flow_rows, group="volume", first=lambda length: (length,),
    bounds={"length": (2, 200)}, unit="fraction", source="Colin Twiggs, Twiggs Money Flow (Incredible Charts)",
)  # fmt: skip
