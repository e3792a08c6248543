"""Moments of windows, of one series and of two: means, variances, covariances, and what lies beyond them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from workbench._kernels import frozen, kernel
from workbench.indicators._array import Floats
from workbench.indicators.indicator import Rows

__all__ = ["Moments", "pair_moments"]

# Mean of the left and the right line, their variances, and their covariance.
Moments: TypeAlias = tuple[Floats, Floats, Floats, Floats, Floats]


@kernel
def _pair_gap_nb(left: Floats, right: Floats, first: int, stop: int) -> int:
    """Give the place of the first row from `first` on in which something is missing; `stop` when there is none."""
    while first < stop and (left[first] - left[first]) + (right[first] - right[first]) == 0.0:
        first += 1
    return first


@kernel
def _pair_nb(left: Floats, right: Floats, length: int, state: Floats, out: Moments) -> None:
    """Write both means, both variances and the covariance of each window, in blocks as `moving` describes.

    Squares are of distances from the block's first row, which is in the window: they cancel little, and a flat side
    has a variance and a covariance of exactly 0.0.
    """
    n = len(left)
    share = 1.0 / length
    tail = np.zeros((5, min(length, n)))
    seen, first = int(state[0]), int(state[1])
    while first < n:
        state[0], state[1] = seen, first
        anchor, other = left[first], right[first]
        seen = seen + 1 if (anchor - anchor) + (other - other) == 0.0 else 0
        if seen < length:
            for line in out:
                line[first] = np.nan
            first += 1
            continue
        x = y = xx = yy = xy = 0.0
        for j in range(length - 2, -1, -1):
            k = first - length + 1 + j
            dx, dy = left[k] - anchor, right[k] - other
            x, y, xx, yy, xy = x + dx, y + dy, xx + dx * dx, yy + dy * dy, xy + dx * dy
            tail[0, j], tail[1, j], tail[2, j], tail[3, j], tail[4, j] = x, y, xx, yy, xy
        stop = min(first + length, n)
        x = y = xx = yy = xy = 0.0
        for j in range(stop - first):
            k = first + j
            dx, dy = left[k] - anchor, right[k] - other
            x, y, xx, yy, xy = x + dx, y + dy, xx + dx * dx, yy + dy * dy, xy + dx * dy
            mean_x, mean_y = (x + tail[0, j]) * share, (y + tail[1, j]) * share
            out[0][k], out[1][k] = anchor + mean_x, other + mean_y
            out[2][k] = max((xx + tail[2, j]) * share - mean_x * mean_x, 0.0)
            out[3][k] = max((yy + tail[3, j]) * share - mean_y * mean_y, 0.0)
            out[4][k] = (xy + tail[4, j]) * share - mean_x * mean_y
        first = stop if (x - x) + (y - y) == 0.0 else _pair_gap_nb(left, right, first, stop)
        seen = length - 1  # one more row makes a whole window again


def pair_moments(rows: Rows, left: Floats, right: Floats, length: int) -> Moments:
    """Give both means, both variances and the covariance of two lines in each window, as new lines."""
    moments = rows.line(), rows.line(), rows.line(), rows.line(), rows.line()
    _pair_nb(frozen(left), frozen(right), length, rows.state(2), moments)
    return moments
