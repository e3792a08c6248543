"""Which columns there are in what a variable holds: arrays, Series, frames, and tuples, lists and dicts of these.

A column is a value a bar. Anything of another length, or of no numbers, is passed over.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from workbench.market.bars import COLUMNS, Bars
from workbench.research.check.agreement import Column

__all__ = ["columns_in", "plain_column"]

_MOST: Final = 64  # columns of one frame, and members of one tuple, list or dict
_DEEPEST: Final = 2


def columns_in(name: str, value: Any, bars: Bars, depth: int = 0) -> Iterator[tuple[str, Column]]:
    """Give the columns of a variable under names that a reader of the code would write.

    Parameters
    ----------
    name : str
        Of the variable.
    value : object
    bars : Bars
        What the columns must be as long as; its own columns are not given again.

    Yields
    ------
    (str, bool or float64 array of shape (n,))
        `fast`, `bands.upper`, `frame.rsi`, `levels[2]`, `matrix[:, 1]`.
    """
    array = _array_of(value, len(bars))
    if array is not None:
        if array.ndim == 1:
            column = plain_column(array)
            if column is not None and not _is_market(name, array, column, bars):
                yield name, column
        elif array.ndim == 2 and array.shape[1] <= _MOST:
            for place in range(array.shape[1]):
                yield from columns_in(f"{name}[:, {place}]", array[:, place], bars, depth + 1)
        return
    if depth < _DEEPEST:
        for label, member in _members(name, value, len(bars)):
            yield from columns_in(label, member, bars, depth + 1)


def plain_column(values: Any) -> Column | None:
    """Give a column of numbers as a new float64 array (bool stays bool), None where it holds none."""
    array = np.asarray(values)
    if array.dtype == np.bool_:
        return array.copy()
    if array.dtype.kind in "fiu":
        return array.astype(np.float64)
    if array.dtype.kind != "O":
        return None
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        return None


def _array_of(value: Any, length: int) -> Column | None:
    if isinstance(value, np.ndarray):
        return value if value.ndim and len(value) == length else None
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, (pandas.Series, pandas.Index)) and len(value) == length:
        return _array_of_pandas(value)
    if type(value) in (list, tuple) and len(value) == length > _MOST and isinstance(value[-1], (int, float)):
        return np.asarray(value)
    return None


def _array_of_pandas(value: Any) -> Column | None:
    if isinstance(value.dtype, np.dtype):
        return np.asarray(value.to_numpy())
    if value.dtype.kind in "fiu":  # nullable and Arrow numbers, which have a missing value of their own
        return np.asarray(value.to_numpy(np.float64, na_value=np.nan))
    return np.asarray(value.to_numpy(np.bool_, na_value=False)) if value.dtype.kind == "b" else None


def _members(name: str, value: Any, length: int) -> list[tuple[str, Any]]:
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.DataFrame):
        if len(value) != length:
            return []
        return [(f"{name}.{label}", value.iloc[:, place]) for place, label in enumerate(value.columns[:_MOST])]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return [(f"{name}.{field}", getattr(value, field)) for field in value._fields]
    if isinstance(value, Mapping):
        kept = [(key, member) for key, member in list(value.items())[:_MOST] if isinstance(key, (str, int))]
        return [(f"{name}[{key!r}]", member) for key, member in kept]
    if isinstance(value, (list, tuple)) and len(value) <= _MOST:
        return [(f"{name}[{place}]", member) for place, member in enumerate(value)]
    return []


def _is_market(name: str, array: Column, column: Column, bars: Bars) -> bool:
    """Tell whether a column is one of the bars' own: the very memory, or a copy under the same name."""
    place = array.__array_interface__["data"][0]
    for own in COLUMNS:
        prices = getattr(bars, own)
        if place == prices.__array_interface__["data"][0] and array.strides == prices.strides:
            return True
        if name.rpartition(".")[2].lower() == own and np.array_equal(column, prices):
            return True
    return False
