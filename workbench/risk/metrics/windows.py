"""Any metric of returns over a moving window."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from workbench.errors import DataError
from workbench.risk.metrics.curves import Curves, Floats, read
from workbench.risk.metrics.registry import asked

__all__ = ["rolling"]

_CELLS: Final = 4_000_000  # returns that are looked at at once


def rolling(metric: Callable[..., Any] | str, returns: Any, window: int, *args: Any, **options: Any) -> Any:
    """Compute a metric over the last bars at every bar.

    Parameters
    ----------
    metric : callable or str
        A metric of returns, such as `sharpe_ratio`, or one against a benchmark, such as `beta`; or its name.
    returns : array_like, Series or DataFrame
        Simple returns per bar, shape (n,) or (n, k).
    window : int
        Bars.
    *args, **options
        For the metric, such as the benchmark (shape (n,)) and the periods per year.

    Returns
    -------
    array, Series or DataFrame
        As the returns are; NaN until a window is full and where one holds an unknown return. Nothing looks ahead: the
        value at a bar knows that bar and those before it.

    Raises
    ------
    DataError
        The window is not a whole number of bars, the metric is not one of returns, or the benchmark is of other bars.

    Examples
    --------
    >>> from workbench.risk.metrics import total_return
    >>> rolling(total_return, [0.5, -0.5, 1.0], 2).round(2).tolist()
    [nan, -0.25, 0.0]
    """
    if not (isinstance(window, int) and window >= 1):
        raise DataError(f"window is {window!r}; give a whole number of bars, 1 or more")
    found = asked(metric)
    function: Any = found.function
    if found.needs not in ("returns", "benchmark"):
        raise DataError(
            f"{function.__name__} is not a metric of returns per bar; a window of bars says nothing about it"
        )
    rows = _rows(returns)
    held = None
    if found.needs == "benchmark":
        if not args and "benchmark" not in options:
            raise DataError(f"{found.label} is measured against a benchmark; give its returns on the same bars")
        held, args = _rows(args[0] if args else options.pop("benchmark")), args[1:]
        if held.shape != (1, rows.shape[1]):
            raise DataError(
                f"the benchmark has shape {held.shape[::-1]}, the returns {rows.shape[1]} bars; give one return a bar"
            )
    moved = np.array([_over(function, row, None if held is None else held[0], window, args, options) for row in rows])
    if hasattr(returns, "columns"):
        return returns.__class__(moved.T, index=returns.index, columns=returns.columns)
    if hasattr(returns, "index") and not callable(returns.index):
        return returns.__class__(moved[0], index=returns.index, name=returns.name)
    return moved[0] if np.ndim(returns) == 1 else moved.T


def _rows(values: Any) -> Floats:
    """Give the series as rows, with what is not finite as NaN."""
    curves, _ = read(values)
    if curves.known.all():
        return curves.returns
    array = np.atleast_2d(np.asarray(values, dtype=np.float64).T)
    return np.where(np.isfinite(array), array, math.nan)


def _over(metric: Any, row: Floats, held: Floats | None, window: int, args: Any, options: Any) -> Floats:
    out = np.full(len(row), math.nan)
    if len(row) < window:
        return out
    at_once = max(1, _CELLS // window)
    seen = np.lib.stride_tricks.sliding_window_view(row, window)
    other = None if held is None else np.lib.stride_tricks.sliding_window_view(held, window)
    for start in range(0, len(seen), at_once):
        part = slice(start, start + at_once)
        given = (Curves(seen[part]),) if other is None else (Curves(seen[part]), Curves(other[part]))
        numbers = np.asarray(metric(*given, *args, **options), dtype=np.float64)
        out[start + window - 1 : start + window - 1 + len(numbers)] = numbers
    return out
