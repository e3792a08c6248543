"""Volatility from the whole bar, which says more than its close alone: Parkinson to Yang and Zhang."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._arithmetic import mean
from workbench.indicators._array import Floats, Line
from workbench.indicators._moments import deviation
from workbench.indicators.indicator import Indicator, Rows

__all__ = [
    "GARMAN_KLASS",
    "PARKINSON",
    "ROGERS_SATCHELL",
    "YANG_ZHANG",
    "garman_klass",
    "parkinson",
    "rogers_satchell",
    "yang_zhang",
]

_PARKINSON, _GARMAN_KLASS, _ROGERS_SATCHELL = 0, 1, 2


@kernel
def _term_nb(bars: tuple[Floats, Floats, Floats, Floats], kind: int, start: int, out: Floats) -> None:
    """Write what each bar says of the variance; NaN if a price is missing or not above 0.

    `kind` 0: Parkinson (open and close are not looked at), 1: Garman and Klass, 2: Rogers and Satchell.
    """
    opened, high, low, close = bars
    for i in range(start, len(out)):
        lowest = min(min(opened[i], high[i]), min(low[i], close[i]))
        out[i] = np.nan
        if not lowest > 0.0 or (opened[i] + high[i]) + (low[i] + close[i]) == np.inf:
            continue
        if kind == 2:
            up, down = np.log(high[i] / opened[i]), np.log(low[i] / opened[i])
            body = np.log(close[i] / opened[i])
            out[i] = up * (up - body) + down * (down - body)
            continue
        reach, body = np.log(high[i] / low[i]), np.log(close[i] / opened[i])
        if kind == 0:
            out[i] = reach * reach / (4.0 * np.log(2.0))
        else:
            out[i] = 0.5 * reach * reach - (2.0 * np.log(2.0) - 1.0) * body * body


@kernel
def _jump_nb(early: Floats, late: Floats, terms: Floats, lag: int, start: int, out: Floats) -> None:
    """Write the logarithm of a price over one `lag` bars before; NaN unless the terms of both bars are there."""
    for i in range(start, len(out)):
        sound = i >= lag and terms[i] - terms[i] + (terms[i - lag] - terms[i - lag]) == 0.0
        out[i] = np.log(late[i] / early[i - lag]) if sound else np.nan


@kernel
def _root_nb(variances: Floats, factor: float, start: int, out: Floats) -> None:
    """Write the root of each variance times a factor; 0 where rounding or odd bars make it negative."""
    for i in range(start, len(out)):
        variance = variances[i]
        out[i] = factor * np.sqrt(variance) if variance > 0.0 else variance - variance


@kernel
def _yang_zhang_nb(
    overnight: Floats, body: Floats, inside: Floats, length: int, year: float, start: int, out: Floats
) -> None:
    """Write the root of the mix of the three variances; the first two are deviations of a population."""
    sample = length / (length - 1.0)
    share = 0.34 / (1.34 + (length + 1.0) / (length - 1.0))
    for i in range(start, len(out)):
        between = sample * (overnight[i] * overnight[i] + share * body[i] * body[i])
        variance = between + (1.0 - share) * inside[i]
        out[i] = np.sqrt(year * variance) if variance > 0.0 else variance - variance


def garman_klass(
    open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 20, bars_per_year: float = 252.0
) -> Line:
    """Volatility from range and body of the bars, as Garman and Klass estimate it.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.
    bars_per_year : float, default 252.0
        Bars in a year, whose root turns the volatility of a bar into that of a year: 252 for daily bars of shares,
        365 for those of a market that never closes, 8760 for its hours; 1 leaves it as it is.

    Returns
    -------
    float64 array or Series (`garman_klass_20_252`), shape (n,)
        As a fraction a year: 0.2 is 20 percent.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or `bars_per_year` not a finite number above 0.

    Notes
    -----
    `sqrt(bars_per_year * mean(log(high / low)**2 / 2 - (2 * log(2) - 1) * log(close / open)**2))`. Like `parkinson`
    it knows no drift and no jumps between bars, but takes fewer bars for the same error. First value at index
    `length - 1`. NaN wherever a bar with a missing value, or a price that is not above 0, is among the bars used.
    Flat bars give 0, as do bars whose body is so much longer than their range that the mean is negative. TA-Lib has
    none. The source is Mark Garman and Michael Klass, On the Estimation of Security Price Volatilities from
    Historical Data, Journal of Business (1980).

    Examples
    --------
    >>> garman_klass([1.0], [2.0], [1.0], [1.0], 1, bars_per_year=1.0).round(4)
    array([0.4901])
    """
    return GARMAN_KLASS(open, high, low, close, length, bars_per_year)


def parkinson(high: ArrayLike, low: ArrayLike, length: int = 20, bars_per_year: float = 252.0) -> Line:
    """Volatility from the range of the bars, as Parkinson estimates it.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.
    bars_per_year : float, default 252.0
        Bars in a year, whose root turns the volatility of a bar into that of a year: 252 for daily bars of shares,
        365 for those of a market that never closes, 8760 for its hours; 1 leaves it as it is.

    Returns
    -------
    float64 array or Series (`parkinson_20_252`), shape (n,)
        As a fraction a year: 0.2 is 20 percent.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or `bars_per_year` not a finite number above 0.

    Notes
    -----
    `sqrt(bars_per_year * mean(log(high / low)**2) / (4 * log(2)))`. It takes a price without drift that trades all
    the time: jumps between bars are not seen. First value at index `length - 1`. NaN wherever a bar with a missing
    value, or a price that is not above 0, is among the bars used. Flat bars give 0. TA-Lib has none. The source is
    Michael Parkinson, The Extreme Value Method for Estimating the Variance of the Rate of Return, Journal of
    Business (1980).

    Examples
    --------
    >>> parkinson([1.0, 2.0], [1.0, 1.0], 1, bars_per_year=1.0).round(4)
    array([0.    , 0.4163])
    """
    return PARKINSON(high, low, length, bars_per_year)


def rogers_satchell(
    open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 20, bars_per_year: float = 252.0
) -> Line:
    """Volatility from the bars that a drift does not disturb, as Rogers and Satchell estimate it.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.
    bars_per_year : float, default 252.0
        Bars in a year, whose root turns the volatility of a bar into that of a year: 252 for daily bars of shares,
        365 for those of a market that never closes, 8760 for its hours; 1 leaves it as it is.

    Returns
    -------
    float64 array or Series (`rogers_satchell_20_252`), shape (n,)
        As a fraction a year: 0.2 is 20 percent.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or `bars_per_year` not a finite number above 0.

    Notes
    -----
    `sqrt(bars_per_year * mean(log(high / open) * log(high / close) + log(low / open) * log(low / close)))`. A bar
    that goes straight from low to high counts nothing, and jumps between bars are not seen. First value at index
    `length - 1`. NaN wherever a bar with a missing value, or a price that is not above 0, is among the bars used.
    Flat bars give 0. TA-Lib has none. The source is L. C. G. Rogers and S. E. Satchell, Estimating Variance from
    High, Low and Closing Prices, Annals of Applied Probability (1991).

    Examples
    --------
    >>> rogers_satchell([1.0], [2.0], [1.0], [1.0], 1, bars_per_year=1.0).round(4)
    array([0.6931])
    """
    return ROGERS_SATCHELL(open, high, low, close, length, bars_per_year)


def yang_zhang(
    open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 20, bars_per_year: float = 252.0
) -> Line:
    """Volatility from the bars and the jumps between them, as Yang and Zhang estimate it.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.
    bars_per_year : float, default 252.0
        Bars in a year, whose root turns the volatility of a bar into that of a year: 252 for daily bars of shares,
        365 for those of a market that never closes, 8760 for its hours; 1 leaves it as it is.

    Returns
    -------
    float64 array or Series (`yang_zhang_20_252`), shape (n,)
        As a fraction a year: 0.2 is 20 percent.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 2, or `bars_per_year` not a finite number above 0.

    Notes
    -----
    `sqrt(bars_per_year * (jumps + k * bodies + (1 - k) * inside))`: the sample variance of `log(open / previous
    close)`, that of `log(close / open)`, and the mean of the terms of `rogers_satchell`, with `k = 0.34 / (1.34 +
    (length + 1) / (length - 1))`. First value at index `length`, for the first bar has no jump. NaN wherever a bar
    with a missing value, or a price that is not above 0, is among the bars used. Flat bars give 0. TA-Lib has none.
    The source is Dennis Yang and Qiang Zhang, Drift-Independent Volatility Estimation Based on High, Low, Open and
    Close Prices, Journal of Business (2000).

    Examples
    --------
    >>> yang_zhang([1.0, 1.0, 2.0], [1.0, 1.0, 2.0], [1.0, 1.0, 2.0], [1.0, 1.0, 2.0], 2, bars_per_year=1.0).round(4)
    array([   nan,    nan, 0.4901])
    """
    return YANG_ZHANG(open, high, low, close, length, bars_per_year)


def _root_of_mean(rows: Rows, names: tuple[str, str, str, str], kind: int, length: int, year: float) -> None:
    terms = rows.line()
    opened, high, low, close = (rows[name] for name in names)
    _term_nb((opened, high, low, close), kind, rows.start, terms)
    _root_nb(frozen(mean(rows, terms, length)), year**0.5, rows.start, rows.out[0])


def _parkinson_rows(rows: Rows, length: int, bars_per_year: float) -> None:
    _root_of_mean(rows, ("high", "high", "low", "low"), _PARKINSON, length, bars_per_year)


def _garman_klass_rows(rows: Rows, length: int, bars_per_year: float) -> None:
    _root_of_mean(rows, ("open", "high", "low", "close"), _GARMAN_KLASS, length, bars_per_year)


def _rogers_satchell_rows(rows: Rows, length: int, bars_per_year: float) -> None:
    _root_of_mean(rows, ("open", "high", "low", "close"), _ROGERS_SATCHELL, length, bars_per_year)


def _yang_zhang_rows(rows: Rows, length: int, bars_per_year: float) -> None:
    terms, jumps, bodies = rows.line(), rows.line(), rows.line()
    _term_nb((rows["open"], rows["high"], rows["low"], rows["close"]), _ROGERS_SATCHELL, rows.start, terms)
    _jump_nb(rows["close"], rows["open"], frozen(terms), 1, rows.start, jumps)
    _jump_nb(rows["open"], rows["close"], frozen(terms), 0, rows.start, bodies)
    overnight, body = deviation(rows, jumps, length)[1], deviation(rows, bodies, length)[1]
    inside = mean(rows, terms, length)
    _yang_zhang_nb(frozen(overnight), frozen(body), frozen(inside), length, bars_per_year, rows.start, rows.out[0])


def _two_bars(length: int, _year: float) -> str | None:
    return None if length > 1 else "length is 1; give at least 2 bars"


GARMAN_KLASS = Indicator(
    function=garman_klass, rows=_garman_klass_rows, group="volatility", unit="fraction",
    first=lambda length, _year: (length - 1,), bounds={"length": (2, 400), "bars_per_year": (1.0, 600000.0)},
    source="Mark Garman and Michael Klass, Journal of Business (1980)",
)  # fmt: skip

PARKINSON = Indicator(
    function=parkinson, rows=_parkinson_rows, group="volatility", unit="fraction",
    first=lambda length, _year: (length - 1,), bounds={"length": (2, 400), "bars_per_year": (1.0, 600000.0)},
    source="Michael Parkinson, The Extreme Value Method, Journal of Business (1980)",
)  # fmt: skip

ROGERS_SATCHELL = Indicator(
    function=rogers_satchell, rows=_rogers_satchell_rows, group="volatility", unit="fraction",
    first=lambda length, _year: (length - 1,), bounds={"length": (2, 400), "bars_per_year": (1.0, 600000.0)},
    source="L. C. G. Rogers and S. E. Satchell, Annals of Applied Probability (1991)",
)  # fmt: skip

YANG_ZHANG = Indicator(
    function=yang_zhang, rows=_yang_zhang_rows, group="volatility", unit="fraction",
    first=lambda length, _year: (length,), check=_two_bars,
    bounds={"length": (2, 400), "bars_per_year": (1.0, 600000.0)},
    source="Dennis Yang and Qiang Zhang, Drift-Independent Volatility Estimation, Journal of Business (2000)",
)  # fmt: skip
