"""Oscillators beyond the first four: where a price stands against its recent past, as a difference, share or score."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._array import Floats, Line, fast_below_slow
from workbench.indicators.extremes import _poison_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.momentum import _rate_nb
from workbench.indicators.moving import _mean_nb, _smooth_nb

__all__ = [
    "AWESOME_OSCILLATOR",
    "BALANCE_OF_POWER",
    "PPO",
    "PRICE_CHANGE",
    "TRIX",
    "Ppo",
    "awesome_oscillator",
    "balance_of_power",
    "ppo",
    "price_change",
    "trix",
]


class Ppo(NamedTuple):
    """What `ppo` gives: three lines of shape (n,), as fractions of the slow average."""

    ppo: Line
    signal: Line
    histogram: Line


@kernel
def _change_nb(values: Floats, length: int, start: int, state: Floats, out: Floats) -> None:
    """Write the change over `length` values; `state`, shape (1,), counts values without a gap."""
    seen = int(state[0])
    for i in range(start, len(values)):
        seen = seen + 1 if values[i] - values[i] == 0.0 else 0
        out[i] = values[i] - values[i - length] if seen > length else np.nan
    state[0] = seen


@kernel
def _relative_nb(near: Floats, far: Floats, start: int, out: Floats) -> None:
    """Write how far `near` is from `far`, as a fraction of `far`; NaN where that is 0."""
    for i in range(start, len(near)):
        out[i] = (near[i] - far[i]) / far[i] if far[i] != 0.0 else np.nan


@kernel
def _minus_nb(one: Floats, two: Floats, start: int, out: Floats) -> None:
    """Write the difference of two lines."""
    for i in range(start, len(one)):
        out[i] = one[i] - two[i]


@kernel
def _median_nb(high: Floats, low: Floats, start: int, out: Floats) -> None:
    """Write the middle of each bar."""
    for i in range(start, len(high)):
        out[i] = (high[i] + low[i]) / 2.0


@kernel
def _power_nb(bars: tuple[Floats, Floats, Floats, Floats], start: int, out: Floats) -> None:
    """Write the body of each bar as a share of its range, 0 without any range."""
    opened, high, low, close = bars
    for i in range(start, len(close)):
        span = high[i] - low[i]
        poison = _poison_nb(high[i], low[i], close[i]) + (opened[i] - opened[i])
        out[i] = ((close[i] - opened[i]) / span if span != 0.0 else 0.0) + poison


def price_change(values: ArrayLike, length: int = 10) -> Line:
    """Change over `length` bars in the unit of the price, the plain momentum.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 10
        Bars between the two values compared.

    Returns
    -------
    float64 array or Series (`price_change_10`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        A column is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    `values[i] - values[i - length]`, TA-Lib's MOM. First value at index `length`. NaN wherever one of the last
    `length + 1` values is missing. A flat series gives 0.

    Examples
    --------
    >>> price_change([1.0, 2.0, 4.0], 2)
    array([nan, nan,  3.])
    """
    return PRICE_CHANGE(values, length)


def ppo(close: ArrayLike, fast: int = 12, slow: int = 26, signal: int = 9) -> Ppo:
    """Distance of a fast and a slow `ema` as a fraction of the slow one, its own average, and how far it is from that.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    fast : int, default 12
        Bars of the fast average.
    slow : int, default 26
        Bars of the slow average; above `fast`.
    signal : int, default 9
        Bars of the average of the difference.

    Returns
    -------
    Ppo
        `ppo`, `signal` and `histogram` (`ppo - signal`): float64 arrays or Series (`ppo_signal_12_26_9`), shape (n,),
        fractions.

    Raises
    ------
    DataError
        A column is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1, or `fast` is not below `slow`.

    Notes
    -----
    `(ema(fast) - ema(slow)) / ema(slow)`: a `macd` that compares across prices. First `ppo` at index `slow - 1`, the
    others at `slow + signal - 2`. A missing value ends it: the next one comes after a new warm-up. NaN where the slow
    average is 0. A flat series gives 0. TA-Lib's PPO is in percent and has no signal. The source is Gerald Appel,
    Technical Analysis (2005).

    Examples
    --------
    >>> ppo([1.0, 2.0, 3.0, 8.0], fast=1, slow=3, signal=1).ppo
    array([nan, nan, 0.5, 0.6])
    """
    lines: Ppo = PPO(close, fast, slow, signal)
    return lines


def trix(values: ArrayLike, length: int = 15) -> Line:
    """Relative change of a threefold `ema` from bar to bar, as a fraction.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 15
        Bars of each average.

    Returns
    -------
    float64 array or Series (`trix_15`), shape (n,)
        0.01 is one percent up.

    Raises
    ------
    DataError
        A column is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    First value at index `3 * length - 2`. A missing value ends it: the next one comes after a new warm-up. NaN where
    the average before is 0. A flat series gives 0. TA-Lib gives percent. The source is Jack Hutson, Good TRIX, Stocks
    & Commodities (1983).

    Examples
    --------
    >>> trix([1.0, 2.0, 3.0], 1)
    array([nan, 1. , 0.5])
    """
    return TRIX(values, length)


def awesome_oscillator(high: ArrayLike, low: ArrayLike, fast: int = 5, slow: int = 34) -> Line:
    """Awesome oscillator: the distance of a fast and a slow simple average of the middles of the bars.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)
    fast : int, default 5
        Bars of the fast average.
    slow : int, default 34
        Bars of the slow one; above `fast`.

    Returns
    -------
    float64 array or Series (`awesome_oscillator_5_34`), shape (n,)
        In the unit of the price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or `fast` is not below `slow`.

    Notes
    -----
    The middle is `(high + low) / 2`. First value at index `slow - 1`. NaN wherever a bar with a missing value is
    among the bars used. A flat series gives 0. TA-Lib has none. The source is Bill Williams, New Trading Dimensions
    (1998).

    Examples
    --------
    >>> awesome_oscillator([1.0, 2.0, 6.0], [1.0, 2.0, 6.0], fast=1, slow=3)
    array([nan, nan,  3.])
    """
    return AWESOME_OSCILLATOR(high, low, fast, slow)


def balance_of_power(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Balance of power: the body of a bar as a share of its range, from -1 to 1.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`balance_of_power`), shape (n,)
        1 is a bar that opened at its low and closed at its high.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    `(close - open) / (high - low)`, the bar alone. First value at index 0. NaN where the bar has a missing value. A
    bar without any range gives 0, as in TA-Lib. The source is Igor Livshin, Balance of Market Power, Stocks &
    Commodities (2001).

    Examples
    --------
    >>> balance_of_power([1.0], [3.0], [1.0], [2.0])
    array([0.5])
    """
    return BALANCE_OF_POWER(open, high, low, close)


def _price_change_rows(rows: Rows, length: int) -> None:
    _change_nb(rows["values"], length, rows.start, rows.state(1), rows.out[0])


def _smooth(rows: Rows, values: Floats, length: int, out: Floats) -> Floats:
    _smooth_nb(frozen(values), length, 2.0 / (length + 1.0), rows.start, rows.state(2), out)
    return frozen(out)


def _ppo_rows(rows: Rows, fast: int, slow: int, signal: int) -> None:
    line, signal_line, histogram = rows.out
    near = _smooth(rows, rows["close"], fast, rows.line())
    far = _smooth(rows, rows["close"], slow, rows.line())
    _relative_nb(near, far, rows.start, line)
    _minus_nb(frozen(line), _smooth(rows, line, signal, signal_line), rows.start, histogram)


def _trix_rows(rows: Rows, length: int) -> None:
    values = rows["values"]
    for _ in range(3):
        values = _smooth(rows, values, length, rows.line())
    _rate_nb(values, 1, rows.start, rows.state(1), rows.out[0])


def _awesome_oscillator_rows(rows: Rows, fast: int, slow: int) -> None:
    middles, near, far = rows.line(), rows.line(), rows.line()
    _median_nb(rows["high"], rows["low"], rows.start, middles)
    _mean_nb(frozen(middles), fast, rows.state(2), near)
    _mean_nb(frozen(middles), slow, rows.state(2), far)
    _minus_nb(frozen(near), frozen(far), rows.start, rows.out[0])


def _balance_of_power_rows(rows: Rows) -> None:
    _power_nb((rows["open"], rows["high"], rows["low"], rows["close"]), rows.start, rows.out[0])


PRICE_CHANGE = Indicator(
    function=price_change,
    rows=_price_change_rows,
    group="momentum",
    first=lambda length: (length,),
    bounds={"length": (1, 400)},
    unit="other",
    source="the change over a number of bars",
)
PPO = Indicator(
    function=ppo,
    rows=_ppo_rows,
    group="momentum",
    first=lambda _fast, slow, signal: (slow - 1, slow + signal - 2, slow + signal - 2),
    bounds={"fast": (2, 100), "slow": (5, 300), "signal": (2, 100)},
    unit="fraction",
    lines=Ppo,
    check=fast_below_slow,
    source="Gerald Appel, Technical Analysis: Power Tools for Active Investors (2005)",
)
TRIX = Indicator(
    function=trix,
    rows=_trix_rows,
    group="momentum",
    first=lambda length: (3 * length - 2,),
    bounds={"length": (2, 100)},
    unit="fraction",
    source="Jack Hutson, Good TRIX, Stocks & Commodities (1983)",
)
AWESOME_OSCILLATOR = Indicator(
    function=awesome_oscillator,
    rows=_awesome_oscillator_rows,
    group="momentum",
    first=lambda _fast, slow: (slow - 1,),
    bounds={"fast": (2, 50), "slow": (5, 200)},
    unit="other",
    check=fast_below_slow,
    source="Bill Williams, New Trading Dimensions (1998)",
)
BALANCE_OF_POWER = Indicator(
    function=balance_of_power,
    rows=_balance_of_power_rows,
    group="momentum",
    first=lambda: (0,),
    bounds={},
    unit="fraction",
    source="Igor Livshin, Balance of Market Power, Stocks & Commodities (2001)",
)
