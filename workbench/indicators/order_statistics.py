"""Median, quantiles and ranks of a window.

The values of the window are kept in order. A new bar finds the value that leaves by halving, and moves only what lies
between its place and that of the new one: a few steps for a window of neighbours, at worst `length`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import kernel
from workbench.errors import StrategyError
from workbench.indicators._array import Floats, Line, positive
from workbench.indicators.indicator import Indicator, Rows

__all__ = [
    "MEDIAN",
    "MEDIAN_ABSOLUTE_DEVIATION",
    "PERCENT_RANK",
    "QUANTILE",
    "median",
    "median_absolute_deviation",
    "percent_rank",
    "quantile",
]


@kernel
def _begin_step_nb(values: Floats, length: int, start: int) -> int:
    """Give the row from which the window of the row before `start` is to be filled."""
    begin = start
    while begin > 0 and start - begin < length and values[begin - 1] - values[begin - 1] == 0.0:
        begin -= 1
    return begin


@kernel
def _insert_step_nb(ordered: Floats, count: int, value: float) -> None:
    """Put a value among the first `count`, which are in order."""
    k = count
    while k > 0 and ordered[k - 1] > value:
        ordered[k] = ordered[k - 1]
        k -= 1
    ordered[k] = value


@kernel
def _exchange_step_nb(ordered: Floats, leaving: float, value: float) -> None:
    """Put a value in the place of another one and keep the order, moving only what lies between the two."""
    low, high = 0, len(ordered) - 1
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] < leaving:
            low = middle + 1
        else:
            high = middle
    if value > leaving:
        while low + 1 < len(ordered) and ordered[low + 1] < value:
            ordered[low] = ordered[low + 1]
            low += 1
    else:
        while low > 0 and ordered[low - 1] > value:
            ordered[low] = ordered[low - 1]
            low -= 1
    ordered[low] = value


@kernel
def _at_step_nb(ordered: Floats, share: float) -> float:
    """Give the quantile of values in order."""
    place = share * (len(ordered) - 1)
    low = int(place)
    below = ordered[low]
    return float(below + (place - low) * (ordered[min(low + 1, len(ordered) - 1)] - below))


@kernel
def _middle_distance_step_nb(ordered: Floats, middle: float) -> float:
    """Give the median distance of values in order from their median, by going outwards from it."""
    n = len(ordered)
    right = n // 2
    left = right - 1
    last = distance = 0.0
    for _ in range(n // 2 + 1):
        down = middle - ordered[left] if left >= 0 else np.inf
        up = ordered[right] - middle if right < n else np.inf
        last = distance
        if down < up:
            distance, left = down, left - 1
        else:
            distance, right = up, right + 1
    return distance if n % 2 else 0.5 * (last + distance)


@kernel
def _ordered_nb(values: Floats, length: int, share: float, start: int, out: Floats) -> None:
    """Write a quantile of each window, or for a negative `share` the median distance from the median."""
    n = len(values)
    ordered = np.empty(min(length, n))
    count = 0
    for i in range(_begin_step_nb(values, length, start), n):
        value = values[i] + 0.0  # no zero with a minus, whose place among zeros would depend on the way there
        found = np.nan
        if value - value != 0.0:
            count = 0
        elif count == length:
            _exchange_step_nb(ordered, values[i - length] + 0.0, value)
        else:
            _insert_step_nb(ordered, count, value)
            count += 1
        if count == length:
            found = (
                _at_step_nb(ordered, share)
                if share >= 0.0
                else _middle_distance_step_nb(ordered, _at_step_nb(ordered, 0.5))
            )
        if i >= start:
            out[i] = found


@kernel
def _rank_nb(values: Floats, length: int, start: int, state: Floats, out: Floats) -> None:
    """Write how many of the values before are below. `state` is how many values come without a gap before `start`."""
    seen = int(state[0])
    for i in range(start, len(values)):
        value = values[i]
        seen = seen + 1 if value - value == 0.0 else 0
        if seen <= length:
            out[i] = np.nan
            continue
        below = 0
        for other in values[i - length : i]:
            below += 1 if other < value else 0
        out[i] = 100.0 * (below / length)
    state[0] = seen


def median(values: ArrayLike, length: int = 20) -> Line:
    """Median of the last `length` values: as many are above as below.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.

    Returns
    -------
    float64 array or Series (`median_20`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    First value at index `length - 1`; NaN wherever the window holds a missing value. The mean of the middle two if
    `length` is even. A flat window gives exactly its value. The median against outliers is Francis Galton's (1881).

    Examples
    --------
    >>> median([1.0, 9.0, 2.0, 3.0], length=3)
    array([nan, nan,  2.,  3.])
    """
    return MEDIAN(values, length)


def median_absolute_deviation(values: ArrayLike, length: int = 20) -> Line:
    """Median distance of the last `length` values from their median.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.

    Returns
    -------
    float64 array or Series (`median_absolute_deviation_20`), shape (n,)
        In the unit of `values`; times 1.4826 it is comparable to a standard deviation.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    First value at index `length - 1`; NaN wherever the window holds a missing value. A flat window gives exactly 0. Up
    to half of the window can be outliers without moving it far. A bar takes about `length / 2` steps. The source is
    Frank Hampel, The Influence Curve and Its Role in Robust Estimation (1974).

    Examples
    --------
    >>> median_absolute_deviation([1.0, 2.0, 4.0, 99.0], length=3)
    array([nan, nan,  1.,  2.])
    """
    return MEDIAN_ABSOLUTE_DEVIATION(values, length)


def percent_rank(values: ArrayLike, length: int = 100) -> Line:
    """Percentage of the `length` values before that are below the present one.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 100
        Bars before, with which the present one is compared.

    Returns
    -------
    float64 array or Series (`percent_rank_100`), shape (n,)
        From 0 to 100; 100 is a value above all of them.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    The value itself is not among those compared, and an equal one is not below. First value at index `length`; NaN
    wherever the value or those compared hold a missing one. A flat series gives 0. A bar takes `length` steps. The
    source is Larry Connors and Cesar Alvarez, An Introduction to ConnorsRSI (2012).

    Examples
    --------
    >>> percent_rank([1.0, 2.0, 3.0, 2.5], length=2)
    array([ nan,  nan, 100.,  50.])
    """
    return PERCENT_RANK(values, length)


def quantile(values: ArrayLike, length: int = 20, share: float = 0.5) -> Line:
    """Value below which a `share` of the last `length` values lies.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.
    share : float, default 0.5
        How much of the window is below, between 0 and 1.

    Returns
    -------
    float64 array or Series (`quantile_20_0.5`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1, or `share` not a number between 0 and 1.

    Notes
    -----
    Between two values it is interpolated linearly, as numpy and pandas do by default. First value at index `length -
    1`; NaN wherever the window holds a missing value. A flat window gives exactly its value. The source is Hyndman and
    Fan, Sample Quantiles in Statistical Packages (1996), type 7.

    Examples
    --------
    >>> quantile([1.0, 9.0, 2.0, 3.0], length=3, share=0.75)
    array([nan, nan, 5.5, 6. ])
    """
    return QUANTILE(values, length, share)


def _median_rows(rows: Rows, length: int) -> None:
    _ordered_nb(rows["values"], length, 0.5, rows.start, rows.out[0])


def _quantile_rows(rows: Rows, length: int, share: float) -> None:
    _ordered_nb(rows["values"], length, share, rows.start, rows.out[0])


def _median_absolute_deviation_rows(rows: Rows, length: int) -> None:
    _ordered_nb(rows["values"], length, -1.0, rows.start, rows.out[0])


def _percent_rank_rows(rows: Rows, length: int) -> None:
    _rank_nb(rows["values"], length, rows.start, rows.state(1), rows.out[0])


def _inner_share(function: str, parameter: str, value: Any) -> float:
    number = positive(function, parameter, value)
    if number >= 1.0:
        raise StrategyError(
            f"{function}: {parameter} is {value!r}; give a number between 0 and 1",
            function=function, parameter=parameter, value=value,
        )  # fmt: skip
    return number


def _after_window(length: int) -> tuple[int]:
    return (length - 1,)


MEDIAN = Indicator(
    function=median, rows=_median_rows, group="statistics", first=_after_window, bounds={"length": (3, 400)},
    source="Francis Galton (1881)",
)  # fmt: skip
QUANTILE = Indicator(
    function=quantile, rows=_quantile_rows, group="statistics", first=lambda length, share: (length - 1,),
    bounds={"length": (5, 400), "share": (0.01, 0.99)}, valid={"share": _inner_share},
    source="Rob Hyndman and Yanan Fan, Sample Quantiles in Statistical Packages (1996), type 7",
)  # fmt: skip
MEDIAN_ABSOLUTE_DEVIATION = Indicator(
    function=median_absolute_deviation, rows=_median_absolute_deviation_rows, group="statistics", first=_after_window,
    bounds={"length": (5, 400)}, unit="other",
    source="Frank Hampel, The Influence Curve and Its Role in Robust Estimation (1974)",
)  # fmt: skip
PERCENT_RANK = Indicator(
    function=percent_rank, rows=_percent_rank_rows, group="statistics", first=lambda length: (length,),
    bounds={"length": (10, 400)}, unit="percent",
    source="Larry Connors and Cesar Alvarez, An Introduction to ConnorsRSI (2012)",
)  # fmt: skip
