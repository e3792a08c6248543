"""What a rule says about lines: when one crosses another, and what a line was some bars ago."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench._kernels import frozen, kernel
from workbench.indicators._array import Columns, Floats, Line, empty, take, whole
from workbench.indicators.indicator import RECORDER

__all__ = ["crosses_above", "crosses_below", "previous"]


@kernel
def _crosses_nb(a: Floats, b: Floats, step_a: int, step_b: int, out: NDArray[np.bool_]) -> None:
    """Write where `a` rises above `b`; a step of 0 holds a line at its first value. NaN compares false both ways."""
    out[:1] = False
    here = out[1:]
    if step_a and step_b:  # over slices and without a branch: only so are several bars taken at once
        past, now, below, level = a[:-1], a[1:], b[:-1], b[1:]
        for i in range(len(here)):
            here[i] = (past[i] <= below[i]) & (now[i] > level[i])
    elif step_a:
        past, now = a[:-1], a[1:]
        for i in range(len(here)):
            here[i] = (past[i] <= b[0]) & (now[i] > b[0])
    else:
        past, now = b[:-1], b[1:]
        for i in range(len(here)):
            here[i] = (a[0] <= past[i]) & (a[0] > now[i])


def crosses_above(a: ArrayLike, b: ArrayLike | float) -> Line:
    """Tell where `a` crosses above `b`: it is above now and was at or below one bar before.

    Parameters
    ----------
    a : array_like or pandas.Series, shape (n,)
    b : array_like or pandas.Series, shape (n,), or a number
        The other line, or a level.

    Returns
    -------
    bool array or Series (`crosses_above`), shape (n,)

    Raises
    ------
    DataError
        `a` or `b` is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    `a[i] > b[i] and a[i-1] <= b[i-1]`; False at index 0 and wherever any of the four is NaN. Two lines that touch
    and part again on the same side have crossed only if the touch came from below.

    Examples
    --------
    >>> crosses_above([1.0, 2.0, 3.0, 4.0], 2.0)
    array([False, False,  True, False])
    """
    recorded = _recorded("crosses_above", a, b)
    if recorded is not NotImplemented:
        return recorded
    columns, line, level, step = _pair("crosses_above", a, b)
    out = np.empty(len(columns), dtype=np.bool_)
    _crosses_nb(line, level, 1, step, out)
    return columns.line(out)


def crosses_below(a: ArrayLike, b: ArrayLike | float) -> Line:
    """Tell where `a` crosses below `b`: it is below now and was at or above one bar before.

    Parameters
    ----------
    a : array_like or pandas.Series, shape (n,)
    b : array_like or pandas.Series, shape (n,), or a number
        The other line, or a level.

    Returns
    -------
    bool array or Series (`crosses_below`), shape (n,)

    Raises
    ------
    DataError
        `a` or `b` is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    `a[i] < b[i] and a[i-1] >= b[i-1]`; False at index 0 and wherever any of the four is NaN.

    Examples
    --------
    >>> crosses_below([3.0, 2.0, 1.0, 2.0], [2.0, 2.0, 2.0, 1.0])
    array([False, False,  True, False])
    """
    recorded = _recorded("crosses_below", a, b)
    if recorded is not NotImplemented:
        return recorded
    columns, line, level, step = _pair("crosses_below", a, b)
    out = np.empty(len(columns), dtype=np.bool_)
    _crosses_nb(level, line, step, 1, out)
    return columns.line(out)


def _recorded(function: str, *given: Any) -> Any:
    """Ask who records in this context, if anybody does."""
    recorder = RECORDER.get()
    return NotImplemented if recorder is None else recorder(function, given)


def _pair(function: str, a: ArrayLike, b: Any) -> tuple[Columns, Floats, Floats, int]:
    if isinstance(b, numbers.Real) and not isinstance(b, bool):
        columns = take(function, a=a)
        return columns, columns["a"], frozen([float(b)]), 0
    columns = take(function, a=a, b=b)
    return columns, columns["a"], columns["b"], 1


def previous(values: ArrayLike, bars: int = 1) -> Line:
    """Give each bar what the line was `bars` bars ago.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    bars : int, default 1
        How far back; always at least 1, so it cannot look ahead as a negative shift does.

    Returns
    -------
    float64 array or Series (`previous_1`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `bars` is not a whole number of at least 1.

    Notes
    -----
    NaN before index `bars`. A missing value is passed on to its one bar.

    Examples
    --------
    >>> previous([1.0, 2.0, 3.0])
    array([nan,  1.,  2.])
    """
    recorded = _recorded("previous", values, bars)
    if recorded is not NotImplemented:
        return recorded
    columns = take("previous", values=values)
    bars = whole("previous", "bars", bars)
    (out,) = empty(1, columns)
    out[:bars] = np.nan
    out[bars:] = columns["values"][:-bars]
    return columns.line(out, bars)
