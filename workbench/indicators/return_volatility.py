"""Volatility of the closes alone: of their changes, or of how deep they fall."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.errors import StrategyError
from workbench.indicators._arithmetic import mean
from workbench.indicators._array import Floats, Line, positive
from workbench.indicators._moments import deviation
from workbench.indicators.distribution import _square_nb
from workbench.indicators.extremes import _extreme_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.levels import _below_nb
from workbench.indicators.moving import _smooth_nb
from workbench.indicators.persistence import _log_return_nb
from workbench.indicators.range_volatility import _root_nb

__all__ = [
    "EWMA_VOLATILITY",
    "HISTORICAL_VOLATILITY",
    "ULCER_INDEX",
    "ewma_volatility",
    "historical_volatility",
    "ulcer_index",
]


@kernel
def _times_nb(values: Floats, factor: float, start: int, out: Floats) -> None:
    """Write each value times a factor."""
    for i in range(start, len(values)):
        out[i] = factor * values[i]


def ewma_volatility(close: ArrayLike, decay: float = 0.94, length: int = 20, bars_per_year: float = 252.0) -> Line:
    """Volatility as RiskMetrics computes it: an exponential mean of the squared logarithmic changes, made yearly.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    decay : float, default 0.94
        What is left after a bar of the weight of an older one; RiskMetrics takes 0.94 for days, 0.97 for months.
    length : int, default 20
        Bars whose plain mean begins the average.
    bars_per_year : float, default 252.0
        Bars in a year, whose root turns the volatility of a bar into that of a year: 252 for daily bars of shares,
        365 for those of a market that never closes, 8760 for its hours; 1 leaves it as it is.

    Returns
    -------
    float64 array or Series (`ewma_volatility_0.94_20_252`), shape (n,)
        As a fraction a year: 0.2 is 20 percent.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        `decay` is not above 0 and below 1, `length` not a whole number of at least 1, or `bars_per_year` not a
        finite number above 0.

    Notes
    -----
    `variance[i] = decay * variance[i-1] + (1 - decay) * change[i]**2`, begun with the mean of the first `length`
    squares; the root of it times `sqrt(bars_per_year)`. The mean change is taken to be 0, and bar `i` is in its own
    value: as a forecast it is that of the next bar. First value at index `length`. A missing value ends it: the
    next one comes after a new warm-up. So does a close that is not above 0. A flat series gives 0. TA-Lib has none.
    The source is J. P. Morgan and Reuters, RiskMetrics Technical Document (1996).

    Examples
    --------
    >>> ewma_volatility([1.0, 2.0, 4.0, 4.0], decay=0.5, length=2, bars_per_year=1.0).round(4)
    array([   nan,    nan, 0.6931, 0.4901])
    """
    return EWMA_VOLATILITY(close, decay, length, bars_per_year)


def historical_volatility(close: ArrayLike, length: int = 20, bars_per_year: float = 252.0) -> Line:
    """Volatility from close to close: the standard deviation of the logarithmic changes, made yearly.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.
    bars_per_year : float, default 252.0
        Bars in a year, whose root turns the volatility of a bar into that of a year: 252 for daily bars of shares,
        365 for those of a market that never closes, 8760 for its hours; 1 leaves it as it is.

    Returns
    -------
    float64 array or Series (`historical_volatility_20_252`), shape (n,)
        As a fraction a year: 0.2 is 20 percent.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 2, or `bars_per_year` not a finite number above 0.

    Notes
    -----
    The deviation is that of a sample, divided by `length - 1`, about its own mean, times `sqrt(bars_per_year)`.
    First value at index `length`. NaN wherever one of the last `length + 1` closes is missing or not above 0. A
    flat window gives exactly 0. TA-Lib has none. The source is John C. Hull, Options, Futures and Other
    Derivatives, on historical data.

    Examples
    --------
    >>> historical_volatility([1.0, 2.0, 2.0, 4.0], 2, bars_per_year=1.0).round(4)
    array([   nan,    nan, 0.4901, 0.4901])
    """
    return HISTORICAL_VOLATILITY(close, length, bars_per_year)


def ulcer_index(close: ArrayLike, length: int = 14) -> Line:
    """Ulcer index: the root mean square of how far the close is below its highest of late.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars of the highest close, and of the mean.

    Returns
    -------
    float64 array or Series (`ulcer_index_14`), shape (n,)
        As a fraction: 0.01 is one percent.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    `sqrt(mean(drawdown**2))` over `length` bars, of `(close - highest) / highest` over `length` bars; charts show
    it in percent. First value at index `2 * length - 2`. NaN wherever a missing value is among the bars used. A
    flat series gives 0. TA-Lib has none. The source is Peter G. Martin and Byron B. McCann, The Investors Guide to
    Fidelity Funds (1989).

    Examples
    --------
    >>> ulcer_index([4.0, 4.0, 3.0, 3.0], 2).round(4)
    array([   nan,    nan, 0.1768, 0.1768])
    """
    return ULCER_INDEX(close, length)


def _historical_volatility_rows(rows: Rows, length: int, bars_per_year: float) -> None:
    changes = rows.line()
    _log_return_nb(rows["close"], 1, rows.start, rows.state(1), changes)
    deviations = deviation(rows, changes, length)[1]
    factor = (bars_per_year * length / (length - 1.0)) ** 0.5
    _times_nb(frozen(deviations), factor, rows.start, rows.out[0])


def _ewma_volatility_rows(rows: Rows, decay: float, length: int, bars_per_year: float) -> None:
    changes, squares, means = rows.line(), rows.line(), rows.line()
    _log_return_nb(rows["close"], 1, rows.start, rows.state(1), changes)
    _square_nb(frozen(changes), rows.start, squares)
    _smooth_nb(frozen(squares), length, 1.0 - decay, rows.start, rows.state(2), means)
    _root_nb(frozen(means), bars_per_year**0.5, rows.start, rows.out[0])


def _ulcer_index_rows(rows: Rows, length: int) -> None:
    tops, falls, squares = rows.line(), rows.line(), rows.line()
    _extreme_nb(rows["close"], length, 1.0, rows.state(2), tops)
    _below_nb(rows["close"], frozen(tops), rows.start, falls)
    _square_nb(frozen(falls), rows.start, squares)
    _root_nb(frozen(mean(rows, squares, length)), 1.0, rows.start, rows.out[0])


def _two_bars(length: int, _year: float) -> str | None:
    return None if length > 1 else "length is 1; give at least 2 bars"


def _below_one(function: str, parameter: str, value: Any) -> float:
    number = positive(function, parameter, value)
    if number >= 1.0:
        raise StrategyError(
            f"{function}: {parameter} is {value!r}; give a number above 0 and below 1",
            function=function, parameter=parameter, value=value,
        )  # fmt: skip
    return number


EWMA_VOLATILITY = Indicator(
    function=ewma_volatility, rows=_ewma_volatility_rows, group="volatility", unit="fraction",
    first=lambda _decay, length, _year: (length,), valid={"decay": _below_one},
    bounds={"decay": (0.5, 0.999), "length": (2, 400), "bars_per_year": (1.0, 600000.0)},
    source="J. P. Morgan and Reuters, RiskMetrics Technical Document (1996)",
)  # fmt: skip

HISTORICAL_VOLATILITY = Indicator(
    function=historical_volatility, rows=_historical_volatility_rows, group="volatility", unit="fraction",
    first=lambda length, _year: (length,), check=_two_bars,
    bounds={"length": (2, 400), "bars_per_year": (1.0, 600000.0)},
    source="the sample standard deviation of logarithmic changes; John C. Hull, Options, Futures and Other Derivatives",
)  # fmt: skip

ULCER_INDEX = Indicator(
    function=ulcer_index, rows=_ulcer_index_rows, group="volatility", unit="fraction",
    first=lambda length: (2 * length - 2,), bounds={"length": (2, 400)},
    source="Peter G. Martin and Byron B. McCann, The Investors Guide to Fidelity Funds (1989)",
)  # fmt: skip
