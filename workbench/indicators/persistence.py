"""Whether changes go on or turn back: the growth of their spread with the distance in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._array import Floats, Line
from workbench.indicators._moments import deviation
from workbench.indicators._valid import between
from workbench.indicators.indicator import Indicator, Rows

__all__ = [
    "HURST",
    "LOG_RETURN",
    "VARIANCE_RATIO",
    "hurst",
    "log_return",
    "variance_ratio",
]


@kernel
def _log_return_nb(values: Floats, length: int, start: int, state: Floats, out: Floats) -> None:
    """Write the logarithm of each value over an earlier one. `state` is how many values come without a gap."""
    seen = int(state[0])
    for i in range(start, len(values)):
        seen = seen + 1 if values[i] - values[i] == 0.0 else 0
        sound = seen > length and values[i] > 0.0 and values[i - length] > 0.0
        out[i] = np.log(values[i] / values[i - length]) if sound else np.nan
    state[0] = seen


@kernel
def _difference_nb(values: Floats, lag: int, start: int, out: Floats) -> None:
    """Write the change over `lag` rows."""
    for i in range(start, len(values)):
        out[i] = values[i] - values[i - lag] if i >= lag else np.nan


@kernel
def _add_logarithm_nb(values: Floats, weight: float, start: int, total: Floats) -> None:
    """Add the weighted logarithm of each value to a total."""
    for i in range(start, len(total)):
        total[i] += weight * np.log(values[i])


@kernel
def _exponent_nb(total: Floats, last: Floats, start: int, out: Floats) -> None:
    """Write the slope where it is finite, one half where a deviation was 0.0, and NaN where there was none."""
    for i in range(start, len(total)):
        finite = total[i] - total[i] == 0.0
        out[i] = total[i] if finite else (0.5 if last[i] - last[i] == 0.0 else np.nan)


@kernel
def _ratio_of_variances_nb(
    one: tuple[Floats, Floats], many: tuple[Floats, Floats], lengths: tuple[int, int], start: int, out: Floats
) -> None:
    """Write the variance of long changes over that of short ones, from means and deviations of both."""
    length, lag = float(lengths[0]), float(lengths[1])
    for i in range(start, len(out)):
        short = length * one[1][i] * one[1][i] / (length - 1.0)
        offset = many[0][i] - lag * one[0][i]
        long = (many[1][i] * many[1][i] + offset * offset) / (lag * (1.0 - lag / length))
        out[i] = long / short if short != 0.0 else 1.0


def hurst(values: ArrayLike, length: int = 100, max_lag: int = 20) -> Line:
    """Hurst exponent: whether a series trends (above 0.5), walks at random (0.5) or turns back (below 0.5).

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 100
        Bars in the window, at least twice `max_lag`.
    max_lag : int, default 20
        Longest distance in bars, 4 to 200.

    Returns
    -------
    float64 array or Series (`hurst_100_20`), shape (n,)
        Mostly from 0 to 1.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1, `max_lag` not one from 4 to 200, or not at most half of `length`.

    Notes
    -----
    The standard deviation of the change over 2, 3 ... `max_lag - 1` bars grows as a power of the bars; that power is
    the slope of a straight line through both logarithms. First value at index `length - 1`; NaN wherever the window
    holds a missing value. Where a standard deviation is 0, as in a flat window, it is 0.5. Give logarithms of prices.
    The rescaled range
    of the source is biased upwards on windows this short. The source is Harold Hurst, Long-Term Storage Capacity of
    Reservoirs (1951).

    Examples
    --------
    >>> float(hurst([float(i * i) for i in range(100)])[-1].round(3))
    0.913
    """
    return HURST(values, length, max_lag)


def log_return(values: ArrayLike, length: int = 1) -> Line:
    """Logarithmic change over `length` bars.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 1
        Bars between the two values.

    Returns
    -------
    float64 array or Series (`log_return_1`), shape (n,)
        0.01 is about one percent up; changes of one bar add up to that of many.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    `log(values / previous(values, length))`. First value at index `length`; NaN if any value from the one compared with
    to the present one is missing, and where one of the two is not above 0.

    Examples
    --------
    >>> log_return([1.0, 1.0, 2.0]).round(3)
    array([  nan, 0.   , 0.693])
    """
    return LOG_RETURN(values, length)


def variance_ratio(close: ArrayLike, length: int = 100, lag: int = 2) -> Line:
    """Variance ratio: the variance of changes over `lag` bars against `lag` times that of changes over one.

    Parameters
    ----------
    close : array_like or pandas.Series, shape (n,)
    length : int, default 100
        Changes of one bar in the window.
    lag : int, default 2
        Bars of the longer change, at least 2.

    Returns
    -------
    float64 array or Series (`variance_ratio_100_2`), shape (n,)
        1.0 is a random walk; above it changes go on, below it they turn back.

    Raises
    ------
    DataError
        `close` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1, `lag` not one from 2 to 1000, or not below `length`.

    Notes
    -----
    Changes are of logarithms and overlap; both variances are the unbiased ones of the source. First value at index
    `length`, because the first bar has no change; NaN wherever the window or the bar before it holds a missing value,
    or a price that is not above 0. Without any variance it is 1. The source is Andrew Lo and Craig MacKinlay, Stock
    Market Prices Do Not Follow Random Walks, Review of Financial Studies 1:1 (1988), equations 12.

    Examples
    --------
    >>> variance_ratio([1.0, 2.0, 1.0, 2.0, 1.0], length=4, lag=2)
    array([nan, nan, nan, nan,  0.])
    """
    return VARIANCE_RATIO(close, length, lag)


def _log_return_rows(rows: Rows, length: int) -> None:
    _log_return_nb(rows["values"], length, rows.start, rows.state(1), rows.out[0])


def _hurst_rows(rows: Rows, length: int, max_lag: int) -> None:
    (out,) = rows.out
    places = np.log(np.arange(2.0, max_lag))
    weights = (places - places.mean()) / ((places - places.mean()) ** 2).sum()
    total = rows.line()
    total[rows.start :] = 0.0
    for lag, weight in enumerate(weights, 2):
        change = rows.line()
        _difference_nb(rows["values"], lag, rows.start, change)
        _, deviations = deviation(rows, change, length - lag)
        _add_logarithm_nb(frozen(deviations), weight, rows.start, total)
    _exponent_nb(frozen(total), frozen(deviations), rows.start, out)


def _variance_ratio_rows(rows: Rows, length: int, lag: int) -> None:
    one, many = rows.line(), rows.line()
    _log_return_nb(rows["close"], 1, rows.start, rows.state(1), one)
    _log_return_nb(rows["close"], lag, rows.start, rows.state(1), many)
    short, long = deviation(rows, one, length), deviation(rows, many, length - lag + 1)
    _ratio_of_variances_nb(short, long, (length, lag), rows.start, rows.out[0])


def _half_at_most(length: int, max_lag: int) -> str | None:
    return (
        f"max_lag is {max_lag} and length {length}; give at least twice as many bars" if 2 * max_lag > length else None
    )


def _lag_below_length(length: int, lag: int) -> str | None:
    return f"lag is {lag} and length {length}; give a lag below the length" if lag >= length else None


HURST = Indicator(
    function=hurst, rows=_hurst_rows, group="statistics", first=lambda length, max_lag: (length - 1,), unit="other",
    bounds={"length": (50, 1000), "max_lag": (5, 25)}, valid={"max_lag": between(4, 200)}, check=_half_at_most,
    source="Harold Hurst, Long-Term Storage Capacity of Reservoirs (1951)",
)  # fmt: skip
LOG_RETURN = Indicator(
    function=log_return, rows=_log_return_rows, group="statistics", first=lambda length: (length,),
    bounds={"length": (1, 100)}, unit="fraction", source="the difference of logarithms",
)  # fmt: skip
VARIANCE_RATIO = Indicator(
    function=variance_ratio, rows=_variance_ratio_rows, group="microstructure", first=lambda length, lag: (length,),
    bounds={"length": (20, 1000), "lag": (2, 19)}, valid={"lag": between(2, 1_000)}, check=_lag_below_length,
    unit="other",
    source="Andrew Lo and Craig MacKinlay, Stock Market Prices Do Not Follow Random Walks, RFS 1:1 (1988)",
)  # fmt: skip
