"""What trading costs, seen from bars: estimates of the spread from highs, lows and closes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._arithmetic import mean
from workbench.indicators._array import Floats, Line
from workbench.indicators._changes import CHANGE, UNCHANGED, changes
from workbench.indicators._moments import pair_moments
from workbench.indicators.bar_ranges import _row_poison_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.pairs import _lagged_nb

__all__ = [
    "ABDI_RANALDO",
    "CORWIN_SCHULTZ",
    "ROLL_SPREAD",
    "ZERO_RETURNS",
    "abdi_ranaldo",
    "corwin_schultz",
    "roll_spread",
    "zero_returns",
]


@kernel
def _bounce_nb(covariances: Floats, start: int, out: Floats) -> None:
    """Write the spread that a negative covariance of changes tells of."""
    for i in range(start, len(out)):
        below = -covariances[i]
        out[i] = 2.0 * np.sqrt(below) if not below <= 0.0 else 0.0


@kernel
def _high_low_step_nb(high: Floats, low: Floats, close: Floats, i: int) -> float:
    """Give the spread that the ranges of two bars tell of, at least 0.0."""
    last = close[i - 1]
    shift = last - low[i] if last < low[i] else (last - high[i] if last > high[i] else 0.0)
    top, bottom = high[i] + shift, low[i] + shift
    if not (bottom > 0.0 and low[i - 1] > 0.0 and top > 0.0 and high[i - 1] > 0.0):
        return np.nan
    before, now = np.log(high[i - 1] / low[i - 1]), np.log(top / bottom)
    both = np.log(max(top, high[i - 1]) / min(bottom, low[i - 1]))
    beta, gamma = before * before + now * now, both * both
    scale = 3.0 - 2.0 * np.sqrt(2.0)
    alpha = (np.sqrt(2.0 * beta) - np.sqrt(beta)) / scale - np.sqrt(gamma / scale)
    return float(max(2.0 * np.tanh(0.5 * alpha), 0.0))


@kernel
def _middle_step_nb(high: Floats, low: Floats, close: Floats, i: int) -> float:
    """Give four times the product of the distances of a close to the middle of its bar and of the next."""
    if not (low[i] > 0.0 and low[i - 1] > 0.0 and high[i] > 0.0 and high[i - 1] > 0.0 and close[i - 1] > 0.0):
        return np.nan
    last = np.log(close[i - 1])
    before = last - 0.5 * (np.log(high[i - 1]) + np.log(low[i - 1]))
    after = last - 0.5 * (np.log(high[i]) + np.log(low[i]))
    return float(4.0 * before * after)


@kernel
def _two_bars_nb(high: Floats, low: Floats, close: Floats, middle: bool, start: int, out: Floats) -> None:
    """Write the estimate of each pair of bars: from their middles, or from their highs and lows."""
    for i in range(start, len(close)):
        out[i] = np.nan
        if i == 0 or _row_poison_nb(high, low, i) + (close[i] - close[i]) + (close[i - 1] - close[i - 1]) != 0.0:
            continue
        out[i] = _middle_step_nb(high, low, close, i) if middle else _high_low_step_nb(high, low, close, i)


@kernel
def _root_nb(squares: Floats, start: int, out: Floats) -> None:
    """Write the root; 0.0 of what is below 0."""
    for i in range(start, len(out)):
        out[i] = np.sqrt(squares[i]) if not squares[i] <= 0.0 else 0.0


def abdi_ranaldo(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 20) -> Line:
    """Abdi and Ranaldo's spread, from how far closes are from the middle of the bars around them.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Pairs of bars in the window.

    Returns
    -------
    float64 array or Series (`abdi_ranaldo_20`), shape (n,)
        As a fraction of the price: the whole spread.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    The middle is that of the logarithms of high and low. `2 * sqrt(mean)` of the distance of a close to the middle of
    its bar, times that to the middle of the next bar; 0 where the mean is below 0. First value at index `length`; NaN
    wherever the window or the bar before it holds a missing value, or a price that is not above 0. The source is
    Farshid Abdi and Angelo Ranaldo, A Simple Estimation of Bid-Ask Spreads from Daily Close, High, and Low Prices,
    Review of Financial Studies 30:12 (2017), equation 11.

    Examples
    --------
    >>> abdi_ranaldo([10.1, 10.1, 10.1], [10.0, 10.0, 10.0], [10.1, 10.1, 10.1], length=2).round(4)
    array([ nan,  nan, 0.01])
    """
    return ABDI_RANALDO(high, low, close, length)


def corwin_schultz(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 20) -> Line:
    """Corwin and Schultz's spread, from the highs and lows of two bars against those of each.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Pairs of bars in the window.

    Returns
    -------
    float64 array or Series (`corwin_schultz_20`), shape (n,)
        As a fraction of the price: the whole spread.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    The mean of the estimates of pairs of bars, those below 0 taken as 0. A bar that lies wholly above or below the
    close before is first moved to it, as the source does for the night. First value at index `length`; NaN wherever the
    window or the bar before it holds a missing value, or a price that is not above 0. The source is Shane Corwin and
    Paul Schultz, A Simple Way to Estimate Bid-Ask Spreads from Daily High and Low Prices, Journal of Finance 67:2
    (2012), equations 14 and 18.

    Examples
    --------
    >>> corwin_schultz([10.1, 10.1, 10.1], [10.0, 10.0, 10.0], [10.0, 10.1, 10.0], length=2).round(4)
    array([ nan,  nan, 0.01])
    """
    return CORWIN_SCHULTZ(high, low, close, length)


def roll_spread(close: ArrayLike, length: int = 20) -> Line:
    """Roll's effective spread, from how often closes bounce between bid and ask.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Pairs of changes in the window.

    Returns
    -------
    float64 array or Series (`roll_spread_20`), shape (n,)
        In the unit of `close`: the whole spread, not the half.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    `2 * sqrt(-covariance)` of each change with the change before; 0 where the covariance is not below 0, when the
    method sees no spread. First value at index `length + 1`; NaN wherever the window or the two bars before it hold a
    missing value. The source is Richard Roll, A Simple Implicit Measure of the Effective Bid-Ask Spread, Journal of
    Finance 39:4 (1984).

    Examples
    --------
    >>> roll_spread([10.0, 11.0, 10.0, 11.0, 10.0], length=2)
    array([nan, nan, nan,  2.,  2.])
    """
    return ROLL_SPREAD(close, length)


def zero_returns(close: ArrayLike, length: int = 20) -> Line:
    """Share of the last `length` bars whose close did not change.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Changes in the window.

    Returns
    -------
    float64 array or Series (`zero_returns_20`), shape (n,)
        From 0 to 1: the higher, the less liquid.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    First value at index `length`; NaN wherever the window or the bar before it holds a missing value. A flat series
    gives 1. The source is David Lesmond, Joseph Ogden and Charles Trzcinka, A New Estimate of Transaction Costs, Review
    of Financial Studies 12:5 (1999).

    Examples
    --------
    >>> zero_returns([10.0, 10.0, 11.0, 11.0], length=2)
    array([nan, nan, 0.5, 0.5])
    """
    return ZERO_RETURNS(close, length)


def _zero_returns_rows(rows: Rows, length: int) -> None:
    mean(rows, changes(rows, UNCHANGED), length, rows.out[0])


def _roll_spread_rows(rows: Rows, length: int) -> None:
    change, before = changes(rows, CHANGE), rows.line()
    _lagged_nb(frozen(change), 1, rows.start, before)
    _bounce_nb(pair_moments(rows, change, before, length)[4], rows.start, rows.out[0])


def _pairs(rows: Rows, *, middle: bool) -> Floats:
    line = rows.line()
    _two_bars_nb(rows["high"], rows["low"], rows["close"], middle, rows.start, line)
    return line


def _corwin_schultz_rows(rows: Rows, length: int) -> None:
    mean(rows, _pairs(rows, middle=False), length, rows.out[0])


def _abdi_ranaldo_rows(rows: Rows, length: int) -> None:
    squares = mean(rows, _pairs(rows, middle=True), length)
    _root_nb(frozen(squares), rows.start, rows.out[0])


def _after_change(length: int) -> tuple[int]:
    return (length,)


ROLL_SPREAD = Indicator(
    function=roll_spread, rows=_roll_spread_rows, group="microstructure", first=lambda length: (length + 1,),
    bounds={"length": (5, 400)}, unit="other",
    source="Richard Roll, A Simple Implicit Measure of the Effective Bid-Ask Spread, Journal of Finance 39:4 (1984)",
)  # fmt: skip
CORWIN_SCHULTZ = Indicator(
    function=corwin_schultz, rows=_corwin_schultz_rows, group="microstructure", first=_after_change,
    bounds={"length": (2, 400)}, unit="fraction",
    source="Shane Corwin and Paul Schultz, A Simple Way to Estimate Bid-Ask Spreads, Journal of Finance 67:2 (2012)",
)  # fmt: skip
ABDI_RANALDO = Indicator(
    function=abdi_ranaldo, rows=_abdi_ranaldo_rows, group="microstructure", first=_after_change,
    bounds={"length": (5, 400)}, unit="fraction",
    source="Farshid Abdi and Angelo Ranaldo, A Simple Estimation of Bid-Ask Spreads, RFS 30:12 (2017)",
)  # fmt: skip
ZERO_RETURNS = Indicator(
    function=zero_returns, rows=_zero_returns_rows, group="microstructure", first=_after_change,
    bounds={"length": (5, 400)}, unit="fraction",
    source="Lesmond, Ogden and Trzcinka, A New Estimate of Transaction Costs, RFS 12:5 (1999)",
)  # fmt: skip
