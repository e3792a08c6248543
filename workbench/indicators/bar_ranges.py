"""How the range of a bar lies to the ranges before: inside, outside, apart from it, or narrower."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import kernel
from workbench.indicators._array import Floats, Line
from workbench.indicators.indicator import Indicator, Rows

__all__ = [
    "GAP",
    "INSIDE_BAR",
    "NARROW_RANGE",
    "OUTSIDE_BAR",
    "gap",
    "inside_bar",
    "narrow_range",
    "outside_bar",
]


@kernel
def _row_poison_nb(high: Floats, low: Floats, i: int) -> float:
    """Give 0.0, or NaN if a row or the one before has a missing value, or there is none before."""
    if i == 0:
        return np.nan
    return float((high[i] - high[i]) + (low[i] - low[i]) + (high[i - 1] - high[i - 1]) + (low[i - 1] - low[i - 1]))


@kernel
def _nested_nb(high: Floats, low: Floats, sign: float, start: int, out: Floats) -> None:
    """Write where a bar lies inside the one before (`sign` 1.0), or the one before in it (-1.0)."""
    for i in range(start, len(high)):
        poison = _row_poison_nb(high, low, i)
        nested = poison == 0.0 and sign * (high[i - 1] - high[i]) > 0.0 and sign * (low[i] - low[i - 1]) > 0.0
        out[i] = poison + (1.0 if nested else 0.0)


@kernel
def _gap_size_nb(high: Floats, low: Floats, start: int, out: Floats) -> None:
    """Write the distance to the range before, over the end of it that is passed."""
    for i in range(start, len(high)):
        out[i] = _row_poison_nb(high, low, i)
        if out[i] == 0.0:
            if low[i] > high[i - 1] and high[i - 1] != 0.0:
                out[i] = (low[i] - high[i - 1]) / high[i - 1]
            elif high[i] < low[i - 1] and low[i - 1] != 0.0:
                out[i] = (high[i] - low[i - 1]) / low[i - 1]


@kernel
def _narrow_nb(high: Floats, low: Floats, length: int, start: int, state: Floats, out: Floats) -> None:
    """Write where a range is below all before; the search ends with the first that is not. `state` counts rows."""
    seen = int(state[0])
    for i in range(start, len(high)):
        seen = seen + 1 if (high[i] - high[i]) + (low[i] - low[i]) == 0.0 else 0
        if seen < length:
            out[i] = np.nan
            continue
        k = i - 1
        while k > i - length and high[i] - low[i] < high[k] - low[k]:
            k -= 1
        out[i] = 1.0 if k == i - length else 0.0
    state[0] = seen


def gap(high: ArrayLike, low: ArrayLike) -> Line:
    """Size of the gap that a bar leaves to the bar before, as a fraction.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`gap`), shape (n,)
        0.01 where the low is one percent above the high before, -0.01 where the high is one percent below the low
        before, 0.0 without a gap.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    First value at index 1. NaN if the bar or the one before has a missing value. A gap from a price of 0 counts as 0.
    The source is Robert Edwards and John Magee, Technical Analysis of Stock Trends (1948).

    Examples
    --------
    >>> gap(high=[4.0, 6.0, 4.5], low=[2.0, 5.0, 4.0])
    array([ nan, 0.25, -0.1 ])
    """
    return GAP(high, low)


def inside_bar(high: ArrayLike, low: ArrayLike) -> Line:
    """Bar within the range of the bar before.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`inside_bar`), shape (n,)
        1.0 for an inside bar, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    The high is below and the low above those of the bar before; equal ones are not inside. First flag at index 1. NaN
    if the bar or the one before has a missing value. The source is Toby Crabel, Day Trading with Short Term Price
    Patterns (1990).

    Examples
    --------
    >>> inside_bar(high=[5.0, 4.0, 4.0], low=[1.0, 2.0, 3.0])
    array([nan,  1.,  0.])
    """
    return INSIDE_BAR(high, low)


def narrow_range(high: ArrayLike, low: ArrayLike, length: int = 7) -> Line:
    """Bar with the narrowest range of `length` bars.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)
    length : int, default 7
        Bars compared, the present one included; 7 is the NR7, 4 the NR4.

    Returns
    -------
    float64 array or Series (`narrow_range_7`), shape (n,)
        1.0 for a narrower range than each of the `length - 1` before, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    First flag at index `length - 1`; NaN wherever the window holds a bar with a missing value. A range equal to one
    before is not narrower, so a flat series gives 0. The source is Toby Crabel, Day Trading with Short Term Price
    Patterns (1990).

    Examples
    --------
    >>> narrow_range(high=[4.0, 5.0, 4.0, 4.0], low=[2.0, 2.0, 3.0, 3.0], length=3)
    array([nan, nan,  1.,  0.])
    """
    return NARROW_RANGE(high, low, length)


def outside_bar(high: ArrayLike, low: ArrayLike) -> Line:
    """Bar that reaches beyond the bar before on both ends.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`outside_bar`), shape (n,)
        1.0 for an outside bar, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    The high is above and the low below those of the bar before. First flag at index 1. NaN if the bar or the one before
    has a missing value. The source is Toby Crabel, Day Trading with Short Term Price Patterns (1990).

    Examples
    --------
    >>> outside_bar(high=[4.0, 5.0, 4.0], low=[2.0, 1.0, 3.0])
    array([nan,  1.,  0.])
    """
    return OUTSIDE_BAR(high, low)


def _inside_bar_rows(rows: Rows) -> None:
    _nested_nb(rows["high"], rows["low"], 1.0, rows.start, rows.out[0])


def _outside_bar_rows(rows: Rows) -> None:
    _nested_nb(rows["high"], rows["low"], -1.0, rows.start, rows.out[0])


def _gap_rows(rows: Rows) -> None:
    _gap_size_nb(rows["high"], rows["low"], rows.start, rows.out[0])


def _narrow_range_rows(rows: Rows, length: int) -> None:
    _narrow_nb(rows["high"], rows["low"], length, rows.start, rows.state(1), rows.out[0])


def _after_one() -> tuple[int]:
    return (1,)


_CRABEL: Final = "Toby Crabel, Day Trading with Short Term Price Patterns (1990)"

INSIDE_BAR = Indicator(
    function=inside_bar, rows=_inside_bar_rows, group="pattern", first=_after_one, unit="flag", source=_CRABEL
)
OUTSIDE_BAR = Indicator(
    function=outside_bar, rows=_outside_bar_rows, group="pattern", first=_after_one, unit="flag", source=_CRABEL
)
GAP = Indicator(
    function=gap, rows=_gap_rows, group="pattern", first=_after_one, unit="fraction",
    source="Robert Edwards and John Magee, Technical Analysis of Stock Trends (1948)",
)  # fmt: skip
NARROW_RANGE = Indicator(
    function=narrow_range, rows=_narrow_range_rows, group="pattern", first=lambda length: (length - 1,),
    bounds={"length": (2, 50)}, unit="flag", source=_CRABEL,
)  # fmt: skip
