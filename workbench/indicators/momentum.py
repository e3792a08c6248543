"""How fast and which way a price moves: RSI, MACD, stochastic, ADX, rate of change.

RSI, stochastic and ADX run from 0 to 100, as everybody reads them; the rate of change is a fraction, as everything
else in the house.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.errors import StrategyError
from workbench.indicators._array import Floats, Line, empty, take, whole
from workbench.indicators.extremes import _channel_nb, _poison_nb
from workbench.indicators.moving import _mean_nb, _smooth_step_nb
from workbench.indicators.volatility import _range_step_nb

__all__ = ["Adx", "Macd", "Stochastic", "adx", "macd", "rate_of_change", "rsi", "stochastic"]


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
def _rate_nb(values: Floats, length: int, out: Floats) -> None:
    """Write the relative change over `length` bars."""
    seen = 0
    for i in range(len(values)):
        seen = seen + 1 if values[i] - values[i] == 0.0 else 0
        base = values[i - length] if seen > length else 0.0
        out[i] = (values[i] - base) / base if base != 0.0 else np.nan


@kernel
def _rsi_nb(values: Floats, length: int, out: Floats) -> None:
    """Write the share of gains in all movement, both smoothed as Wilder does."""
    weight = 1.0 / length
    seen, gains, losses, last = 0, 0.0, 0.0, 0.0  # seen: values without a gap; the first has no change
    for i in range(len(values)):
        value = values[i]
        out[i] = np.nan
        if value - value != 0.0:
            seen, gains, losses = 0, 0.0, 0.0
            continue
        if seen > 0:
            change = value - last
            gain = change if change > 0.0 else 0.0
            gains = _smooth_step_nb(gains, gain, seen, length, weight)
            losses = _smooth_step_nb(losses, gain - change, seen, length, weight)
            if seen >= length:
                out[i] = 100.0 * (gains / (gains + losses)) if gains + losses > 0.0 else 50.0
        last = value
        seen += 1


@kernel
def _macd_nb(values: Floats, fast: int, slow: int, signal: int, out: tuple[Floats, Floats, Floats]) -> None:
    """Write the distance of two exponential means, its own exponential mean, and their distance."""
    line, signal_line, histogram = out
    fast_weight, slow_weight, signal_weight = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0), 2.0 / (signal + 1.0)
    seen, fast_level, slow_level, signal_level = 0, 0.0, 0.0, 0.0
    for i in range(len(values)):
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


@kernel
def _position_nb(close: Floats, upper: Floats, lower: Floats, out: Floats) -> None:
    """Write where the close lies between two lines, in percent; the middle where they meet."""
    for i in range(len(close)):
        span = upper[i] - lower[i]
        out[i] = 100.0 * ((close[i] - lower[i]) / span) if span != 0.0 else 50.0


@kernel
def _adx_nb(high: Floats, low: Floats, close: Floats, length: int, out: tuple[Floats, Floats, Floats]) -> None:
    """Write the smoothed index of direction, and the two indicators that it compares."""
    strength, plus_di, minus_di = out
    weight = 1.0 / length
    seen, reach, plus, minus, level = 0, 0.0, 0.0, 0.0, 0.0  # seen: bars without a gap; the first has no movement
    for i in range(len(close)):
        strength[i] = plus_di[i] = minus_di[i] = np.nan
        if _poison_nb(high[i], low[i], close[i]) != 0.0:
            seen, reach, plus, minus, level = 0, 0.0, 0.0, 0.0, 0.0
            continue
        seen += 1
        if seen == 1:
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
    columns = take("rate_of_change", values=values)
    length = whole("rate_of_change", "length", length)
    (out,) = empty(1, columns)
    _rate_nb(columns["values"], length, out)
    return columns.line(out, length)


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
    columns = take("rsi", close=close)
    length = whole("rsi", "length", length)
    (out,) = empty(1, columns)
    _rsi_nb(columns["close"], length, out)
    return columns.line(out, length)


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
    columns = take("macd", close=close)
    fast, slow, signal = whole("macd", "fast", fast), whole("macd", "slow", slow), whole("macd", "signal", signal)
    if fast >= slow:
        raise StrategyError(
            f"macd: fast is {fast} and slow is {slow}; give a fast length below the slow one",
            function="macd", parameter="fast", value=fast,
        )  # fmt: skip
    line, signal_line, histogram = empty(3, columns)
    _macd_nb(columns["close"], fast, slow, signal, (line, signal_line, histogram))
    return columns.lines(Macd, (line, signal_line, histogram), fast, slow, signal)


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
    columns = take("stochastic", high=high, low=low, close=close)
    length = whole("stochastic", "length", length)
    smooth_k, smooth_d = whole("stochastic", "smooth_k", smooth_k), whole("stochastic", "smooth_d", smooth_d)
    raw, k, d = empty(3, columns)
    # k and d hold the range until it is used up
    _channel_nb(columns["high"], columns["low"], columns["close"], length, (k, d))
    _position_nb(columns["close"], k, d, raw)
    _mean_nb(frozen(raw), smooth_k, np.zeros(2), k)
    _mean_nb(frozen(k), smooth_d, np.zeros(2), d)
    return columns.lines(Stochastic, (k, d), length, smooth_k, smooth_d)


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
    columns = take("adx", high=high, low=low, close=close)
    length = whole("adx", "length", length)
    strength, plus_di, minus_di = empty(3, columns)
    _adx_nb(columns["high"], columns["low"], columns["close"], length, (strength, plus_di, minus_di))
    return columns.lines(Adx, (strength, plus_di, minus_di), length)
