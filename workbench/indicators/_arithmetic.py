"""Small kernels that join others: running sums, differences and ratios of lines, from a row on to the end."""

from __future__ import annotations

import numpy as np

from workbench._kernels import frozen, kernel
from workbench.indicators._array import Floats
from workbench.indicators.indicator import Rows
from workbench.indicators.moving import _mean_nb, _smooth_nb

__all__ = ["distance", "mean", "pile", "ratio", "smooth"]


@kernel
def _pile_step_nb(total: float, lost: float, value: float) -> tuple[float, float]:
    """Add a value to a running sum, and what rounding loses to what it lost before (Neumaier); they belong together."""
    raised = total + value
    return raised, lost + ((total - raised) + value if abs(total) >= abs(value) else (value - raised) + total)


@kernel
def _pile_nb(values: Floats, start: int, state: Floats, out: Floats) -> None:
    """Write the sum of all values since the last missing one."""
    total, lost = state[0], state[1]
    for i in range(start, len(values)):
        if values[i] - values[i] != 0.0:
            total, lost = 0.0, 0.0
            out[i] = np.nan
            continue
        total, lost = _pile_step_nb(total, lost, values[i])
        out[i] = total + lost
    state[0], state[1] = total, lost


@kernel
def _distance_nb(left: Floats, right: Floats, start: int, out: Floats) -> None:
    """Write the first less the second."""
    for i in range(start, len(out)):
        out[i] = left[i] - right[i]


@kernel
def _ratio_nb(above: Floats, below: Floats, start: int, terms: tuple[float, float], out: Floats) -> None:
    """Write the first over the second times a factor, and another value where the second is 0."""
    factor, otherwise = terms
    for i in range(start, len(out)):
        divisor = below[i]
        out[i] = factor * (above[i] / divisor) if divisor != 0.0 else otherwise + (above[i] - above[i])


def pile(rows: Rows, values: Floats, out: Floats) -> None:
    """Write the running sum of a line; a missing value ends it, and it begins again from 0."""
    _pile_nb(frozen(values), rows.start, rows.state(2), out)


def mean(rows: Rows, values: Floats, length: int, out: Floats | None = None) -> Floats:
    """Give the simple mean of a line, as a new line if none is given."""
    line = rows.line() if out is None else out
    _mean_nb(frozen(values), length, rows.state(2), line)
    return line


def smooth(rows: Rows, values: Floats, length: int, out: Floats | None = None, *, wilder: bool = False) -> Floats:
    """Give the exponential mean of a line (or Wilder's), as a new line if none is given."""
    line = rows.line() if out is None else out
    weight = 1.0 / length if wilder else 2.0 / (length + 1.0)
    _smooth_nb(frozen(values), length, weight, rows.start, rows.state(2), line)
    return line


def distance(rows: Rows, left: Floats, right: Floats, out: Floats) -> None:
    """Write the first line less the second."""
    _distance_nb(frozen(left), frozen(right), rows.start, out)


def ratio(
    rows: Rows, above: Floats, below: Floats, out: Floats, *, factor: float = 1.0, otherwise: float = 0.0
) -> None:
    """Write the first line over the second, times a factor; `otherwise` where the second is 0."""
    _ratio_nb(frozen(above), frozen(below), rows.start, (factor, otherwise), out)
