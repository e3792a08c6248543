"""The levels at which a position is left, and in which order a bar reaches them.

Small functions of numbers, like those of `arithmetic`: none calls another, so that the compiled path can compile each
alone; whoever trades event by event calls them as they are. `side` is +1 for a long position, -1 for a short one; a
level of NaN means "none".

Fixed stops and targets are `arithmetic.stop_level` and `target_level`; a level becomes a price by
`arithmetic.round_to_tick`, on the costly side, before levels are compared here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "HIT_NOTHING",
    "HIT_STOP",
    "HIT_TARGET",
    "further",
    "leg_hit",
    "nearest_stop",
    "nearest_target",
    "path_points",
    "ratchet",
    "roi_rung",
    "time_is_up",
]

HIT_NOTHING, HIT_STOP, HIT_TARGET = 0, 1, 2
NAN: Final = math.nan


def further(price: float, other: float, side: float) -> float:
    """Give the price that is further in a direction: the higher for side +1, the lower for -1. NaN counts as none.

    The best price since entry takes in a bar by it (`further(best, high, 1.0)` for a long). A stop that is gapped
    through is quoted at `further(level, open, -side)`, a target at `further(level, open, side)`; and a fill that may
    not be worse than some price is at `further(price, limit, side)`.
    """
    return other if math.isnan(price) or side * (other - price) > 0.0 else price


# A stop that is moved only in favour of its position goes to the further of where it is and where it is wanted.
ratchet: Final = further


def roi_rung(elapsed_ms: int, rungs_ms: NDArray[np.int64] | Sequence[int]) -> int:
    """Give the rung of a ladder of profit targets that holds some time after the entry: the last one reached.

    Parameters
    ----------
    elapsed_ms : int
    rungs_ms : int64 array or sequence, shape (r,), increasing
        From when on each rung holds.

    Returns
    -------
    int
        -1 before the first rung, and for no rungs at all.
    """
    rung = -1
    for k in range(len(rungs_ms)):
        if rungs_ms[k] <= elapsed_ms:
            rung = k
    return rung


def nearest_stop(
    side: float, stop_loss: float, custom_stop: float, trailing_stop: float, liquidation: float
) -> tuple[float, int]:
    """Give the stop that the price reaches first: the highest for a long, the lowest for a short.

    Returns
    -------
    level : float
    which : int
        0 stop_loss, 1 custom_stop, 2 trailing_stop, 3 liquidation (or bankruptcy): of equal levels the first in this
        order. -1 where there is none.
    """
    level, which = NAN, -1
    for k, candidate in enumerate((stop_loss, custom_stop, trailing_stop, liquidation)):
        if not math.isnan(candidate) and (which < 0 or side * (candidate - level) > 0.0):
            level, which = candidate, k
    return level, which


def nearest_target(side: float, take_profit: float, roi: float) -> tuple[float, int]:
    """Give the target that the price reaches first: the lowest for a long, the highest for a short.

    Returns
    -------
    level : float
    which : int
        0 take_profit, 1 roi: of equal levels the first. -1 where there is none.
    """
    if math.isnan(roi) or side * (roi - take_profit) >= 0.0:
        return take_profit, -1 if math.isnan(take_profit) else 0
    return roi, 1


def time_is_up(bar: int, entered: int, max_bars: int, at_close: bool) -> bool:
    """Tell at a bar's close whether a position must be left now to be held for `max_bars` bars and no longer.

    Parameters
    ----------
    bar, entered : int
        Index of the strategy bar that has closed, and of the one in which the position was opened.
    max_bars : int
        0 for no limit.
    at_close : bool
        Whether decisions trade at the close of the deciding bar, else at the next open.
    """
    return max_bars > 0 and bar - entered + (0 if at_close else 1) >= max_bars


def path_points(opened: float, high: float, low: float, close: float) -> tuple[float, float, float, float]:
    """Give the points of the path assumed inside a bar: open, the extreme nearer to it, the other one, close.

    Of extremes equally near the low comes first. Between two points the price passes every price between them.
    """
    if opened - low <= high - opened:
        return opened, low, high, close
    return opened, high, low, close


def leg_hit(start: float, end: float, side: float, stop: float, target: float) -> int:
    """Say what a straight leg of the price hits: HIT_STOP, HIT_TARGET or HIT_NOTHING.

    A leg against the position can reach its stop, a leg in its favour its target. The worse is assumed of a bar by the
    two legs from its open to the adverse extreme and from there to the favourable one.
    """
    ahead = side * (end - start)
    if ahead < 0.0 and side * (end - stop) <= 0.0:
        return HIT_STOP
    if ahead > 0.0 and side * (end - target) >= 0.0:
        return HIT_TARGET
    return HIT_NOTHING
