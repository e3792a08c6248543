"""Where two columns disagree that should not: to the last bit first, and by a tolerance only where bits differ."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["ROUNDING", "Column", "disagreements", "gaps"]

Column = NDArray[Any]

ROUNDING: Final = 1e-9
"""Relative difference that a different order of additions may make; no trade rests on less."""


def disagreements(one: Column, other: Column, tolerance: float = ROUNDING) -> NDArray[np.int64]:
    """Give the rows in which two columns differ.

    Parameters
    ----------
    one, other : bool or float64 arrays, shape (n,)
    tolerance : float
        Of the larger of the two values, or of the column's median where that is larger: a difference of two near
        prices may be tiny beside the rounding of both. Flags differ or they do not.

    Returns
    -------
    int64 array
        Rising rows. A missing value (NaN) agrees with a missing value only.
    """
    if one.dtype == np.bool_ or other.dtype == np.bool_:
        return np.flatnonzero(one != other)
    rows = np.flatnonzero(one.view(np.int64) != other.view(np.int64))
    if not len(rows):
        return rows
    return rows[gaps(one, other, rows) > tolerance]


def gaps(one: Column, other: Column, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the relative differences of two columns in some rows: 0 where they agree, infinity where one is missing."""
    first, second = one[rows].astype(np.float64), other[rows].astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        apart = np.abs(first - second)
        scale = np.maximum(np.maximum(np.abs(first), np.abs(second)), _typical(one))
        found = np.where(scale > 0.0, apart / scale, apart)
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    found[same] = 0.0
    found[np.isnan(found)] = np.inf
    return found


def _typical(values: Column) -> float:
    sizes = np.abs(values.astype(np.float64))
    finite = sizes[np.isfinite(sizes)]
    return float(np.median(finite)) if len(finite) else 0.0
