"""How fast and which way a price moves: RSI, MACD, stochastic, ADX, rate of change.

RSI, stochastic and ADX run from 0 to 100, as everybody reads them; the rate of change is a fraction, as everything
else in the house.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._array import Floats, Line, fast_below_slow
from workbench.indicators.extremes import _channel_nb, _poison_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.moving import _mean_nb, _smooth_step_nb
from workbench.indicators.volatility import _range_step_nb

__all__ = [
    "ADX",
    "MACD",
    "RATE_OF_CHANGE",
    "RSI",
    "STOCHASTIC",
    "Adx",
    "Macd",
    "Stochastic",
    "adx",
    "macd",
    "rate_of_change",
    "rsi",
    "stochastic",
]


class Macd(NamedTuple):
    """What `macd` gives: three lines of shape (n,), in the unit of the price."""

    macd: Line
    signal: Line
    histogram: Line


class Stochastic(NamedTuple):
    """What `stochastic` gives: two lines of shape (n,), from 0 to 100."""

    k: Line
    d: Line


class Adx(NamedTuple):
    """What `adx` gives: three lines of shape (n,), from 0 to 100."""

    adx: Line
    plus_di: Line
    minus_di: Line


@kernel
def _rate_nb(values: Floats, length: int, start: int, state: Floats, out: Floats) -> None:
    """Write the relative change over `length` bars."""
    seen = int(state[0])
    for i in range(start, len(values)):
        seen = seen + 1 if values[i] - values[i] == 0.0 else 0
        base = values[i - length] if seen > length else 0.0
        out[i] = (values[i] - base) / base if base != 0.0 else np.nan
    state[0] = seen


@kernel
def _rsi_nb(values: Floats, length: int, start: int, state: Floats, out: Floats) -> None:
    """Write the share of gains in all movement, both smoothed as Wilder does."""
    weight = 1.0 / length
    seen, gains, losses, last = int(state[0]), state[1], state[2], state[3]  # seen: values without a gap
    for i in range(start, len(values)):
        value = values[i]
        out[i] = np.nan
        if value - value != 0.0:
            seen, gains, losses = 0, 0.0, 0.0
            continue
        if seen > 0:  # the first has no change
            change = value - last
            gain = change if change > 0.0 else 0.0
            gains = _smooth_step_nb(gains, gain, seen, length, weight)
            losses = _smooth_step_nb(losses, gain - change, seen, length, weight)
            if seen >= length:
                out[i] = 100.0 * (gains / (gains + losses)) if gains + losses > 0.0 else 50.0
        last = value
        seen += 1
    state[0], state[1], state[2], state[3] = seen, gains, losses, last


@kernel
def _macd_nb(
    values: Floats, lengths: tuple[int, int, int], start: int, state: Floats, out: tuple[Floats, Floats, Floats]
) -> None:
    """Write the distance of two exponential means, its own exponential mean, and their distance."""
    line, signal_line, histogram = out
    fast, slow, signal = lengths
    fast_weight, slow_weight, signal_weight = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0), 2.0 / (signal + 1.0)
    seen, fast_level, slow_level, signal_level = int(state[0]), state[1], state[2], state[3]
    for i in range(start, len(values)):
        value = values[i]
        line[i] = signal_line[i] = histogram[i] = np.nan
        if value - value != 0.0:
            seen, fast_level, slow_level, signal_level = 0, 0.0, 0.0, 0.0
            continue
        seen += 1
        fast_level = _smooth_step_nb(fast_level, value, seen, fast, fast_weight)
        slow_level = _smooth_step_nb(slow_level, value, seen, slow, slow_weight)
        if seen < slow:
            continue
        distance = fast_level - slow_level
        signal_level = _smooth_step_nb(signal_level, distance, seen - slow + 1, signal, signal_weight)
        line[i] = distance
        if seen - slow + 1 >= signal:
            signal_line[i] = signal_level
            histogram[i] = distance - signal_level
    state[0], state[1], state[2], state[3] = seen, fast_level, slow_level, signal_level


@kernel
def _position_nb(close: Floats, upper: Floats, lower: Floats, start: int, out: Floats) -> None:
    """Write where the close lies between two lines, in percent; the middle where they meet. `out` may be a line."""
    for i in range(start, len(close)):
        span = upper[i] - lower[i]
        out[i] = 100.0 * ((close[i] - lower[i]) / span) if span != 0.0 else 50.0


@kernel
def _adx_nb(
    bars: tuple[Floats, Floats, Floats], length: int, start: int, state: Floats, out: tuple[Floats, Floats, Floats]
) -> None:
    """Write the smoothed index of direction, and the two indicators that it compares."""
    high, low, close = bars
    strength, plus_di, minus_di = out
    weight = 1.0 / length
    seen, reach, plus, minus, level = int(state[0]), state[1], state[2], state[3], state[4]
    for i in range(start, len(close)):
        strength[i] = plus_di[i] = minus_di[i] = np.nan
        if _poison_nb(high[i], low[i], close[i]) != 0.0:
            seen, reach, plus, minus, level = 0, 0.0, 0.0, 0.0, 0.0
            continue
        seen += 1
        if seen == 1:  # the first bar has no movement
            continue
        moves = seen - 1
        up, down = high[i] - high[i - 1], low[i - 1] - low[i]
        bar_range = _range_step_nb(high[i], low[i], close[i - 1])
        reach = _smooth_step_nb(reach, bar_range, moves, length, weight)
        plus = _smooth_step_nb(plus, up if up > down and up > 0.0 else 0.0, moves, length, weight)
        minus = _smooth_step_nb(minus, down if down > up and down > 0.0 else 0.0, moves, length, weight)
        if moves < length:
            continue
        plus_di[i] = 100.0 * (plus / reach) if reach > 0.0 else 0.0
        minus_di[i] = 100.0 * (minus / reach) if reach > 0.0 else 0.0
        index = 100.0 * (abs(plus - minus) / (plus + minus)) if plus + minus > 0.0 else 0.0
        level = _smooth_step_nb(level, index, moves - length + 1, length, weight)
        if moves - length + 1 >= length:
            strength[i] = level
    state[0], state[1], state[2], state[3], state[4] = seen, reach, plus, minus, level


def rate_of_change(values: ArrayLike, length: int = 10) -> Line:
    """Relative change over `length` bars, as a fraction.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 10
        Bars between the two values compared.

    Returns
    -------
    float64 array or Series (`rate_of_change_10`), shape (n,)
        0.01 is one percent up.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    `values[i] / values[i - length] - 1`; TA-Lib calls this ROCP. First value at index `length`. NaN wherever one of
    the last `length + 1` values is missing, or the older one is 0.

    Examples
    --------
    >>> rate_of_change([100.0, 101.0, 110.0], length=2)
    array([nan, nan, 0.1])
    """
    return RATE_OF_CHANGE(values, length)


def rsi(close: ArrayLike, length: int = 14) -> Line:
    """Relative strength index: the share of gains in all movement of the price, from 0 to 100.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars of Wilder's smoothing.

    Returns
    -------
    float64 array or Series (`rsi_14`), shape (n,)
        0 when the price only fell, 100 when it only rose, 50 when it has not moved at all.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    `100 * gains / (gains + losses)`, each smoothed by `wilder`. First value at index `length`. A missing value ends it:
    the next one comes after a new warm-up. A flat series is undefined in the source; here it is 50, neither bought nor
    sold (TA-Lib says 0, and counts movement below 1e-14 as none). The source is Wilder, New Concepts (1978), chapter
    VI.

    Examples
    --------
    >>> rsi([10.0, 11.0, 12.0, 11.0], length=2)
    array([ nan,  nan, 100.,  50.])
    """
    return RSI(close, length)


def macd(close: ArrayLike, fast: int = 12, slow: int = 26, signal: int = 9) -> Macd:
    """Distance of a fast and a slow `ema`, its own average, and how far it is from that (MACD).

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    fast, slow : int, default 12 and 26
        Bars of the two averages; `fast` is the smaller.
    signal : int, default 9
        Bars of the average of the difference.

    Returns
    -------
    Macd
        `macd`, `signal` (`ema` of `macd`) and `histogram` (`macd - signal`): float64 arrays or Series
        (`macd_signal_12_26_9`), shape (n,), in the unit of `close`.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1, or `fast` is not below `slow`.

    Notes
    -----
    First `macd` at index `slow - 1`, first `signal` and `histogram` at `slow + signal - 2`. A missing value ends them:
    the next ones come after a new warm-up. Each average is seeded with its own first `fast` or `slow` values, so
    `macd` is exactly the difference of two `ema`. TA-Lib instead seeds the fast one late, so that both start at one
    bar; the difference has faded to 1e-9 after about `12 * fast` bars. The source is Gerald Appel, The Moving Average
    Convergence-Divergence Trading Method (1985).

    Examples
    --------
    >>> macd([1.0, 2.0, 3.0, 7.0, 11.0], fast=1, slow=3, signal=2).histogram
    array([ nan,  nan,  nan, 0.75, 0.5 ])
    """
    result: Macd = MACD(close, fast, slow, signal)
    return result


def stochastic(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 14, smooth_k: int = 3, smooth_d: int = 3
) -> Stochastic:
    """Stochastic oscillator: where the close lies in the range of the last `length` bars, from 0 to 100.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars of the range.
    smooth_k : int, default 3
        Bars of the simple average that makes `k`; 1 gives the fast stochastic.
    smooth_d : int, default 3
        Bars of the simple average of `k` that makes `d`.

    Returns
    -------
    Stochastic
        `k`, `d`: float64 arrays or Series (`stochastic_k_14_3_3`), shape (n,). 100 is a close at the highest high.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    `100 * (close - lowest low) / (highest high - lowest low)`, then averaged. First `k` at index
    `length + smooth_k - 2`, first `d` at `length + smooth_k + smooth_d - 3`. NaN wherever a bar with a missing value is
    among the bars used. Where the range is 0 the close is said to lie in its middle, at 50 (TA-Lib says 0). The
    method is George Lane's.

    Examples
    --------
    >>> lines = stochastic([3.0, 4.0, 4.0], [1.0, 2.0, 2.0], [2.0, 4.0, 2.5], length=2, smooth_k=1, smooth_d=2)
    >>> lines.k, lines.d
    (array([ nan, 100.,  25.]), array([ nan,  nan, 62.5]))
    """
    result: Stochastic = STOCHASTIC(high, low, close, length, smooth_k, smooth_d)
    return result


def adx(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 14) -> Adx:
    """Average directional index: how strong a trend is, whichever way, with its two directional indicators.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars of Wilder's smoothing, here used twice.

    Returns
    -------
    Adx
        `adx`, `plus_di`, `minus_di`: float64 arrays or Series (`adx_14`, `adx_plus_di_14`), shape (n,), from 0 to 100.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    `plus_di` is 100 times smoothed upward movement over `atr`, `minus_di` the same downwards; `adx` smooths
    `100 * abs(plus_di - minus_di) / (plus_di + minus_di)`. First `plus_di` and `minus_di` at index `length`, first
    `adx` at `2 * length - 1`. A bar with a missing value ends them: the next ones come after a new warm-up. Without any
    range the indicators are 0, without any direction the index is 0. Every smoothing is seeded with the mean of its
    first `length` values, as the source does; TA-Lib seeds with one bar less, and agrees to 1e-9 after about
    `30 * length` bars. The source is Wilder, New Concepts (1978), chapter IV.

    Examples
    --------
    >>> trend = adx(high=[2.0, 3.0, 4.0, 5.0], low=[1.0, 2.0, 3.0, 4.0], close=[2.0, 3.0, 4.0, 5.0], length=2)
    >>> trend.adx, trend.plus_di
    (array([ nan,  nan,  nan, 100.]), array([ nan,  nan, 100., 100.]))
    """
    result: Adx = ADX(high, low, close, length)
    return result


def _rate_rows(rows: Rows, length: int) -> None:
    _rate_nb(rows["values"], length, rows.start, rows.state(1), rows.out[0])


def _rsi_rows(rows: Rows, length: int) -> None:
    _rsi_nb(rows["close"], length, rows.start, rows.state(4), rows.out[0])


def _macd_rows(rows: Rows, fast: int, slow: int, signal: int) -> None:
    line, signal_line, histogram = rows.out
    _macd_nb(rows["close"], (fast, slow, signal), rows.start, rows.state(4), (line, signal_line, histogram))


def _stochastic_rows(rows: Rows, length: int, smooth_k: int, smooth_d: int) -> None:
    k, d = rows.out
    upper, lower, state = rows.line(), rows.line(), rows.state(2)
    again = int(state[1])  # where the last block began, which is written again
    _channel_nb(rows["high"], rows["low"], rows["close"], length, state, (upper, lower))
    _position_nb(rows["close"], upper, lower, again, upper)
    _mean_nb(frozen(upper), smooth_k, rows.state(2), k)
    _mean_nb(frozen(k), smooth_d, rows.state(2), d)


def _adx_rows(rows: Rows, length: int) -> None:
    strength, plus_di, minus_di = rows.out
    bars = (rows["high"], rows["low"], rows["close"])
    _adx_nb(bars, length, rows.start, rows.state(5), (strength, plus_di, minus_di))


RATE_OF_CHANGE = Indicator(
    function=rate_of_change, rows=_rate_rows, group="momentum", first=lambda length: (length,),
    bounds={"length": (1, 400)}, unit="fraction", source="the relative change over a number of bars",
)  # fmt: skip
RSI = Indicator(
    function=rsi, rows=_rsi_rows, group="momentum", first=lambda length: (length,), bounds={"length": (2, 100)},
    unit="percent", source="J. Welles Wilder, New Concepts in Technical Trading Systems (1978), chapter VI",
)  # fmt: skip
MACD = Indicator(
    function=macd, rows=_macd_rows, group="momentum", lines=Macd, check=fast_below_slow, unit="other",
    first=lambda _fast, slow, signal: (slow - 1, slow + signal - 2, slow + signal - 2),
    bounds={"fast": (2, 100), "slow": (3, 300), "signal": (2, 100)},
    source="Gerald Appel, The Moving Average Convergence-Divergence Trading Method (1985)",
)  # fmt: skip
STOCHASTIC = Indicator(
    function=stochastic, rows=_stochastic_rows, group="momentum", lines=Stochastic, unit="percent",
    first=lambda length, smooth_k, smooth_d: (length + smooth_k - 2, length + smooth_k + smooth_d - 3),
    bounds={"length": (2, 200), "smooth_k": (1, 50), "smooth_d": (1, 50)},
    source="George C. Lane, Lane's Stochastics, Technical Analysis of Stocks and Commodities 2:3 (1984)",
)  # fmt: skip
ADX = Indicator(
    function=adx, rows=_adx_rows, group="trend", lines=Adx, unit="percent",
    first=lambda length: (2 * length - 1, length, length), bounds={"length": (2, 100)},
    source="J. Welles Wilder, New Concepts in Technical Trading Systems (1978), chapter IV",
)  # fmt: skip
