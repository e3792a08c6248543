"""Differences of averages, and averages of rates of change, as long-term oscillators."""

from __future__ import annotations

from typing import NamedTuple

from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._arithmetic import distance, mean, smooth
from workbench.indicators._array import Floats, Line, fast_below_slow
from workbench.indicators.averages import _weighted_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.momentum import _rate_nb
from workbench.indicators.moving import _smooth_nb
from workbench.indicators.oscillators import _median_nb
from workbench.indicators.return_volatility import _times_nb

__all__ = [
    "ACCELERATOR",
    "APO",
    "COPPOCK",
    "KST",
    "PRICE_MOMENTUM_OSCILLATOR",
    "Kst",
    "Pmo",
    "accelerator",
    "apo",
    "coppock",
    "kst",
    "price_momentum_oscillator",
]


class Kst(NamedTuple):
    """What `kst` gives: two lines of shape (n,), weighted sums of fractions."""

    kst: Line
    signal: Line


class Pmo(NamedTuple):
    """What `price_momentum_oscillator` gives: two lines of shape (n,), in tenths of a percent a bar."""

    pmo: Line
    signal: Line


@kernel
def _sum_nb(one: Floats, two: Floats, start: int, out: Floats) -> None:
    """Write the sum of two lines."""
    for i in range(start, len(one)):
        out[i] = one[i] + two[i]


@kernel
def _sure_nb(lines: tuple[Floats, Floats, Floats, Floats], start: int, out: Floats) -> None:
    """Write the sum of four lines with weights 1 to 4."""
    one, two, three, four = lines
    for i in range(start, len(one)):
        out[i] = one[i] + 2.0 * two[i] + 3.0 * three[i] + 4.0 * four[i]


def accelerator(high: ArrayLike, low: ArrayLike, fast: int = 5, slow: int = 34, smooth: int = 5) -> Line:
    """Accelerator oscillator: the awesome oscillator less its own simple average.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)
    fast : int, default 5
        Bars of the fast average.
    slow : int, default 34
        Bars of the slow one; above `fast`.
    smooth : int, default 5
        Bars of the average that is taken off.

    Returns
    -------
    float64 array or Series (`accelerator_5_34_5`), shape (n,)
        In the unit of the price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or `fast` is not below `slow`.

    Notes
    -----
    `awesome_oscillator` less its `sma` over `smooth` bars. First value at index `slow + smooth - 2`. NaN wherever a
    bar with a missing value is among the bars used. A flat series gives 0. The source is Bill Williams, New Trading
    Dimensions (1998).

    Examples
    --------
    >>> accelerator([1.0, 2.0, 6.0], [1.0, 2.0, 6.0], fast=1, slow=2, smooth=2)
    array([ nan,  nan, 0.75])
    """
    return ACCELERATOR(high, low, fast, slow, smooth)


def apo(close: ArrayLike, fast: int = 12, slow: int = 26) -> Line:
    """Absolute price oscillator: the distance of a fast `ema` from a slow one.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    fast : int, default 12
        Bars of the fast `ema`.
    slow : int, default 26
        Bars of the slow one; above `fast`.

    Returns
    -------
    float64 array or Series (`apo_12_26`), shape (n,)
        In the unit of the price.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1, or `fast` is not below `slow`.

    Notes
    -----
    `ema(close, fast) - ema(close, slow)`: the `macd` line alone; `ppo` is the same in relation to the price. TA-Lib
    takes simple averages unless told otherwise. First value at index `slow - 1`. A missing value ends it: the next
    one comes after a new warm-up. A flat series gives 0. The source is Gerald Appel, The Moving Average
    Convergence-Divergence Trading Method (1985).

    Examples
    --------
    >>> apo([1.0, 2.0, 3.0, 7.0], fast=1, slow=3)
    array([nan, nan, 1. , 2.5])
    """
    return APO(close, fast, slow)


def coppock(close: ArrayLike, fast: int = 11, slow: int = 14, smooth: int = 10) -> Line:
    """Coppock curve: the weighted average of two rates of change added up.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    fast : int, default 11
        Bars of the shorter rate of change.
    slow : int, default 14
        Bars of the longer one.
    smooth : int, default 10
        Bars of the weighted average.

    Returns
    -------
    float64 array or Series (`coppock_11_14_10`), shape (n,)
        As a fraction: 0.01 is one percent.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    `wma(rate_of_change(close, slow) + rate_of_change(close, fast), smooth)`; charts show percent. The lengths are
    meant for months. First value at index `max(fast, slow) + smooth - 1`. NaN wherever a missing value, or a base
    of 0, is among the bars used. A flat series gives 0. The source is Edwin S. C. Coppock, in Barron's (1962).

    Examples
    --------
    >>> coppock([1.0, 2.0, 4.0, 4.0], 1, 2, 1)
    array([nan, nan,  4.,  1.])
    """
    return COPPOCK(close, fast, slow, smooth)


def kst(close: ArrayLike, length: int = 10, signal: int = 9) -> Kst:
    """Know sure thing: four smoothed rates of change added up, the longer ones with more weight.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    length : int, default 10
        Bars of the shortest rate of change.
    signal : int, default 9
        Bars of the simple average that makes `signal`.

    Returns
    -------
    Kst
        `kst`, `signal`: float64 arrays or Series (`kst_10_9`), shape (n,); 100 times that is what charts show.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    Rates of change over `length`, 1.5, 2 and 3 times that, averaged over `length`, `length`, `length` and 1.5 times
    that, with weights 1 to 4; halves are rounded down. The default has the 10, 15, 20, 30 and 10, 10, 10, 15 of the
    source. First `kst` at index `3 * length + 3 * length // 2 - 1`, first `signal` `signal - 1` later. NaN wherever
    a missing value, or a base of 0, is among the bars used. A flat series gives 0. TA-Lib has none; that of `ta`
    looks ahead in its first rows. The source is Martin J. Pring, Summed Rate of Change (KST), Stocks & Commodities
    (1992).

    Examples
    --------
    >>> kst([1.0, 2.0, 4.0, 4.0], 1, 2).kst
    array([nan, nan, nan, 15.])
    """
    result: Kst = KST(close, length, signal)
    return result


def price_momentum_oscillator(close: ArrayLike, slow: int = 35, fast: int = 20, signal: int = 10) -> Pmo:
    """Price momentum oscillator: the change of a bar, smoothed twice, and its own average.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    slow : int, default 35
        Bars of the first smoothing.
    fast : int, default 20
        Bars of the second.
    signal : int, default 10
        Bars of the `ema` of the line.

    Returns
    -------
    Pmo
        `pmo`, `signal`: float64 arrays or Series (`price_momentum_oscillator_pmo_35_20_10`), shape (n,): 10 times
        percent.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1, or `slow` or `fast` is 1, whose weight would be above 1.

    Notes
    -----
    `1000 * rate_of_change(close, 1)`, smoothed with weight `2 / slow` and then with `2 / fast`, each begun with the
    mean of its first bars; the signal is an `ema`. First `pmo` at index `slow + fast - 1`, first `signal` `signal -
    1` later. A missing value ends it: the next one comes after a new warm-up. So does a close after one of 0. A
    flat series gives 0. TA-Lib has none. The source is Carl Swenlin, the DecisionPoint Price Momentum Oscillator.

    Examples
    --------
    >>> price_momentum_oscillator([1.0, 2.0, 4.0, 4.0, 4.0], 2, 2, 2).pmo
    array([ nan,  nan,  nan, 500.,   0.])
    """
    result: Pmo = PRICE_MOMENTUM_OSCILLATOR(close, slow, fast, signal)
    return result


def _apo_rows(rows: Rows, fast: int, slow: int) -> None:
    distance(rows, smooth(rows, rows["close"], fast), smooth(rows, rows["close"], slow), rows.out[0])


def _accelerator_rows(rows: Rows, fast: int, slow: int, smooth: int) -> None:
    middles, line = rows.line(), rows.line()
    _median_nb(rows["high"], rows["low"], rows.start, middles)
    distance(rows, mean(rows, middles, fast), mean(rows, middles, slow), line)
    distance(rows, line, mean(rows, line, smooth), rows.out[0])


def _rate(rows: Rows, length: int) -> Floats:
    line = rows.line()
    _rate_nb(rows["close"], length, rows.start, rows.state(1), line)
    return line


def _coppock_rows(rows: Rows, fast: int, slow: int, smooth: int) -> None:
    both = rows.line()
    _sum_nb(frozen(_rate(rows, fast)), frozen(_rate(rows, slow)), rows.start, both)
    _weighted_nb(frozen(both), smooth, rows.state(2), rows.out[0])


def _kst_rows(rows: Rows, length: int, signal: int) -> None:
    line, signal_line = rows.out
    half = 3 * length // 2
    one, two = mean(rows, _rate(rows, length), length), mean(rows, _rate(rows, half), length)
    three, four = mean(rows, _rate(rows, 2 * length), length), mean(rows, _rate(rows, 3 * length), half)
    _sure_nb((frozen(one), frozen(two), frozen(three), frozen(four)), rows.start, line)
    mean(rows, line, signal, signal_line)


def _price_momentum_oscillator_rows(rows: Rows, slow: int, fast: int, signal: int) -> None:
    line, signal_line = rows.out
    values, once, twice = _rate(rows, 1), rows.line(), rows.line()
    _smooth_nb(frozen(values), slow, 2.0 / slow, rows.start, rows.state(2), once)
    _smooth_nb(frozen(once), fast, 2.0 / fast, rows.start, rows.state(2), twice)
    _times_nb(frozen(twice), 1_000.0, rows.start, line)
    smooth(rows, line, signal, signal_line)


def _kst_first(length: int, signal: int) -> tuple[int, int]:
    line = 3 * length + 3 * length // 2 - 1
    return line, line + signal - 1


def _at_least_two(slow: int, fast: int, _signal: int) -> str | None:
    return None if min(slow, fast) > 1 else f"slow is {slow} and fast is {fast}; give at least 2 bars"


ACCELERATOR = Indicator(
    function=accelerator, rows=_accelerator_rows, group="momentum", unit="other",
    first=lambda _fast, slow, smooth: (slow + smooth - 2,), check=fast_below_slow,
    bounds={"fast": (2, 50), "slow": (5, 200), "smooth": (2, 50)},
    source="Bill Williams, New Trading Dimensions (1998)",
)  # fmt: skip

APO = Indicator(
    function=apo, rows=_apo_rows, group="momentum", unit="other", first=lambda _fast, slow: (slow - 1,),
    check=fast_below_slow, bounds={"fast": (2, 100), "slow": (3, 300)},
    source="Gerald Appel, The Moving Average Convergence-Divergence Trading Method (1985)",
)  # fmt: skip

COPPOCK = Indicator(
    function=coppock, rows=_coppock_rows, group="momentum", unit="fraction",
    first=lambda fast, slow, smooth: (max(fast, slow) + smooth - 1,),
    bounds={"fast": (2, 100), "slow": (2, 200), "smooth": (2, 100)}, source="Edwin S. C. Coppock, in Barron's (1962)",
)  # fmt: skip

KST = Indicator(
    function=kst, rows=_kst_rows, group="momentum", unit="fraction", first=_kst_first, lines=Kst,
    bounds={"length": (2, 100), "signal": (2, 100)},
    source="Martin J. Pring, Summed Rate of Change (KST), Stocks & Commodities (1992)",
)  # fmt: skip

PRICE_MOMENTUM_OSCILLATOR = Indicator(
    function=price_momentum_oscillator, rows=_price_momentum_oscillator_rows, group="momentum", unit="fraction",
    first=lambda slow, fast, signal: (slow + fast - 1, slow + fast + signal - 2), lines=Pmo, check=_at_least_two,
    bounds={"slow": (2, 200), "fast": (2, 100), "signal": (2, 100)},
    source="Carl Swenlin, the DecisionPoint Price Momentum Oscillator",
)  # fmt: skip
