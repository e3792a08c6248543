"""Runs shared out in pieces, and put together in their order whatever came first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.research.spreading import Place, spread

__all__ = ["in_pieces"]


def in_pieces(
    task: Callable[[Any, int, int], dict[str, NDArray[Any]]],
    shared: Any,
    count: int,
    *,
    most: int,
    executor: Place = None,
) -> dict[str, NDArray[Any]]:
    """Run a task over all of so many runs.

    Parameters
    ----------
    task : callable
        A module's function of (shared, start, stop) that gives arrays with one row a run, by name.
    shared : object
    count, most : int
        How many runs there are, and how many a piece has at most.
    executor : optional
        As in `spread`.

    Returns
    -------
    dict of str to array, shape (count, ...)
    """
    found: dict[str, NDArray[Any]] = {}
    for start, stop, piece in spread(task, shared, count, executor=executor, most=most):
        for name, values in piece.items():
            if name not in found:
                found[name] = np.empty((count, *values.shape[1:]), dtype=values.dtype)
            found[name][start:stop] = values
    return found
