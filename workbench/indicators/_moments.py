"""Moments of windows, of one series and of two: means, variances, covariances, and what lies beyond them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from workbench._kernels import frozen, kernel
from workbench.indicators._array import Floats
from workbench.indicators.indicator import Rows
from workbench.indicators.moving import _gap_nb
from workbench.indicators.volatility import _deviation_nb

__all__ = ["Moments", "deviation", "pair_moments"]

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


@kernel
def _line_nb(values: Floats, length: int, state: Floats, out: tuple[Floats, Floats, Floats]) -> None:
    """Write the end of the least-squares line through each window, its slope, and the variance of the values.

    The sum of value times place is taken from the block's first row outwards too, as `moving` describes.
    """
    ends, slopes, variances = out
    n = len(values)
    share, half = 1.0 / length, 0.5 * (length - 1.0)
    places = (float(length) * float(length) - 1.0) / 12.0  # their variance
    tail = np.zeros((3, min(length, n)))
    seen, first = int(state[0]), int(state[1])
    while first < n:
        state[0], state[1] = seen, first
        anchor = values[first]
        seen = seen + 1 if anchor - anchor == 0.0 else 0
        if seen < length:
            ends[first] = slopes[first] = variances[first] = np.nan
            first += 1
            continue
        total = square = moment = 0.0
        for j in range(length - 2, -1, -1):
            place = j - length + 1.0
            distance = values[first + j - length + 1] - anchor
            total, square, moment = total + distance, square + distance * distance, moment + place * distance
            tail[0, j], tail[1, j], tail[2, j] = total, square, moment
        stop = min(first + length, n)
        total = square = moment = 0.0
        for j in range(stop - first):
            distance = values[first + j] - anchor
            total, square, moment = total + distance, square + distance * distance, moment + j * distance
            mean = (total + tail[0, j]) * share
            slope = ((moment + tail[2, j]) * share - (j - half) * mean) / places
            ends[first + j] = anchor + (mean + slope * half)
            slopes[first + j] = slope
            variances[first + j] = max((square + tail[1, j]) * share - mean * mean, 0.0)
        first = stop if total - total == 0.0 else _gap_nb(values, first, stop)
        seen = length - 1  # one more value makes a whole window again


@kernel
def _shape_nb(values: Floats, length: int, state: Floats, out: tuple[Floats, Floats, Floats]) -> None:
    """Write the second, third and fourth central moment of each window, in blocks as `moving` describes."""
    n = len(values)
    share = 1.0 / length
    tail = np.zeros((4, min(length, n)))
    seen, first = int(state[0]), int(state[1])
    while first < n:
        state[0], state[1] = seen, first
        anchor = values[first]
        seen = seen + 1 if anchor - anchor == 0.0 else 0
        if seen < length:
            out[0][first] = out[1][first] = out[2][first] = np.nan
            first += 1
            continue
        a = b = c = d = 0.0
        for j in range(length - 2, -1, -1):
            x = values[first - length + 1 + j] - anchor
            a, b, c, d = a + x, b + x * x, c + x * x * x, d + x * x * x * x
            tail[0, j], tail[1, j], tail[2, j], tail[3, j] = a, b, c, d
        stop = min(first + length, n)
        a = b = c = d = 0.0
        for j in range(stop - first):
            x = values[first + j] - anchor
            a, b, c, d = a + x, b + x * x, c + x * x * x, d + x * x * x * x
            m, p = (a + tail[0, j]) * share, (b + tail[1, j]) * share
            q, r = (c + tail[2, j]) * share, (d + tail[3, j]) * share
            out[0][first + j] = max(p - m * m, 0.0)
            out[1][first + j] = q - m * (3.0 * p - 2.0 * m * m)
            out[2][first + j] = r - m * (4.0 * q - m * (6.0 * p - 3.0 * m * m))
        first = stop if a - a == 0.0 else _gap_nb(values, first, stop)
        seen = length - 1  # one more value makes a whole window again


def deviation(rows: Rows, values: Floats, length: int) -> tuple[Floats, Floats]:
    """Give mean and population standard deviation of each window of a line, as new lines."""
    lines = rows.line(), rows.line()
    _deviation_nb(frozen(values), length, rows.state(2), lines)
    return lines
