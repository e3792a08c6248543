"""Skipping bars in which nothing can happen: one compiled scan that the event path asks before it looks at a bar."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import kernel

__all__ = ["quiet_nb"]


@kernel
def quiet_nb(
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    window: tuple[int, int],
    bounds: tuple[float, float],
    trail: tuple[float, float, float, float],
    inside: bool,
) -> tuple[int, float]:
    """Find the first bar that may change something.

    Parameters
    ----------
    high, low : float64 arrays, shape (m,)
    window : (first bar, bar after the last)
    bounds : (low, high)
        Prices that nothing happens between.
    trail : (side, distance, best, activation)
        A living trailing stop: of a long for side +1, of a short for -1, none for 0. An activation of NaN: active.
    inside : bool
        Whether a trailing stop moves inside a bar too, so that a bar's own extreme counts.

    Returns
    -------
    bar : int
        The end of the window if all are quiet.
    best : float
        Best price that the trailing stop has seen before that bar.
    """
    start, stop = window
    below, above = bounds
    side, distance, best, activation = trail
    waits = not np.isnan(activation)
    if side == 0.0:
        for i in range(start, stop):
            if low[i] <= below or high[i] >= above:
                return i, best
        return stop, best
    for i in range(start, stop):
        if low[i] <= below or high[i] >= above:
            return i, best
        then = max(best, high[i]) if side > 0.0 else min(best, low[i])
        seen = then if inside else best
        active = not waits or side * (seen - activation) >= 0.0
        if active and side * ((low[i] if side > 0.0 else high[i]) - seen * (1.0 - side * distance)) <= 0.0:
            return i, best
        best = then
    return stop, best
