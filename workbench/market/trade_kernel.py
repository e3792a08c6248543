"""The loop that fills bars with trades, compiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import kernel

__all__ = ["fill_up"]


@kernel
def fill_up(amounts: NDArray[np.float64], limit: float) -> tuple[NDArray[np.int64], int, float]:
    """Add amounts until they reach a limit, again and again.

    Parameters
    ----------
    amounts : float64 array, shape (n,), read-only
    limit : float

    Returns
    -------
    firsts : int64 array, shape (n + 1,)
        First row of each bar; only the first `count` are meant.
    count : int
        Bars begun; the last may have no row.
    held : float
        What the last bar has so far; 0 where it has no row.
    """
    firsts = np.zeros(len(amounts) + 1, dtype=np.int64)
    count, held = 1, 0.0
    for row in range(len(amounts)):
        held += amounts[row]
        if held >= limit:
            firsts[count] = row + 1
            count, held = count + 1, 0.0
    return firsts, count, held
