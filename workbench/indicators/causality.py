"""Does a function look ahead? Compute it on histories cut short, and find the first row that a longer one changes.

A value that is said at a bar must not change when bars are appended. `first_change` tells for each output which row
does, if one does, and by how much. It knows nothing of strategies; `ta_bridge` judges the columns of `ta` with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError

__all__ = ["Change", "first_change"]

Outputs = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class Change:
    """The first row of an output that is not the same once rows are appended.

    Parameters
    ----------
    row : int
        The first row that any of the cuts changes.
    rows : int
        How long the history was in which it was different.
    before, after : float
        What it was then, and what it is in the whole history.
    """

    row: int
    rows: int
    before: float
    after: float

    @property
    def size(self) -> float:
        """By how much it changes; infinite where a value appears or goes."""
        distance = abs(self.after - self.before)
        return distance if np.isfinite(distance) else float("inf")

    @property
    def bars_early(self) -> int:
        """How many rows at least were needed beyond the one that changes."""
        return self.rows - self.row


def first_change(
    compute: Callable[[Mapping[str, NDArray[Any]]], Outputs | Sequence[NDArray[Any]]],
    columns: Mapping[str, NDArray[Any]],
    cuts: Sequence[int],
    *,
    tolerance: float = 0.0,
) -> dict[str, Change | None]:
    """Find for each output the first row that changes when rows are appended.

    Parameters
    ----------
    compute : callable
        Columns in, a mapping or a sequence of outputs out, each as long as the columns.
    columns : dict of arrays, shape (n,)
        The whole history.
    cuts : sequence of int
        How many of the first rows to compute on, each from 1 to n.
    tolerance : float, default 0.0
        A difference that is none, as a fraction of the value. 0.0 compares exactly; any NaN equals any NaN.

    Returns
    -------
    dict of Change or None
        By the name of the output, or its place as text in a sequence. None: no cut changes anything.

    Raises
    ------
    DataError
        An output is not as long as the columns.

    Notes
    -----
    A column that looks ahead is found if one of the cuts falls where it does; a centred window is found by any cut,
    a filled first row by any cut before the row that it is filled from. Each cut costs one call.

    Examples
    --------
    >>> def centred(columns):
    ...     close = columns["close"]
    ...     return {"mean": np.convolve(close, np.ones(3) / 3.0, "same"), "double": 2.0 * close}
    >>> found = first_change(centred, {"close": np.arange(9.0)}, cuts=[5])
    >>> found["mean"].row, found["double"]
    (4, None)
    """
    total = len(next(iter(columns.values())))
    whole = _outputs(compute(columns), total)
    found: dict[str, Change | None] = dict.fromkeys(whole)
    for cut in cuts:
        if not 1 <= cut <= total:
            raise DataError(f"a cut after {cut} rows of {total}; give cuts from 1 to {total}", value=cut)
        short = _outputs(compute({name: column[:cut] for name, column in columns.items()}), cut)
        for name, line in short.items():
            row = _first_difference(line, whole[name][:cut], tolerance)
            known = found[name]
            if row is not None and (known is None or row < known.row):
                found[name] = Change(row=row, rows=cut, before=float(line[row]), after=float(whole[name][row]))
    return found


def _outputs(given: Outputs | Sequence[NDArray[Any]], count: int) -> dict[str, NDArray[np.float64]]:
    named = given.items() if isinstance(given, Mapping) else ((str(place), line) for place, line in enumerate(given))
    outputs = {name: np.asarray(line, dtype=np.float64) for name, line in named}
    for name, line in outputs.items():
        if line.shape != (count,):
            raise DataError(f"the output {name!r} has shape {line.shape} for {count} rows; give one value a row")
    return outputs


def _first_difference(left: NDArray[np.float64], right: NDArray[np.float64], tolerance: float) -> int | None:
    same = (left == right) | (np.isnan(left) & np.isnan(right))
    if tolerance > 0.0:
        with np.errstate(invalid="ignore"):
            same |= np.abs(left - right) <= tolerance * np.maximum(np.abs(left), np.abs(right))
    return None if same.all() else int(np.argmin(same))
