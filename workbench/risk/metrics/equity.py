"""From equity curves to returns, and the deepest fall with its bars."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np

from workbench.errors import DataError
from workbench.risk.metrics.curves import Floats, read

__all__ = ["YEAR_MS", "Drawdown", "deepest_drawdown", "returns_of", "total_growth", "underwater_of"]

YEAR_MS: Final = 365 * 86_400_000


class Drawdown(NamedTuple):
    """The deepest fall: `depth` as a negative fraction, and the bars where it begins, bottoms and is made up.

    `start` is the last bar at the high before the fall (-1: the initial cash was the high), `recovery` the first bar
    back at that high (-1: not yet). Without a fall the depth is zero and all three are -1.
    """

    depth: float
    start: int
    trough: int
    recovery: int


def _series(values: Any) -> Floats:
    curves, _ = read(values, "equity")
    if len(curves) != 1:
        raise DataError(f"equity has {len(curves)} columns; give one value a bar, shape (n,)")
    return curves.returns[0] if curves.known[0] else np.where(np.isfinite(values), values, math.nan)


def returns_of(equity: Any, cash: float) -> Floats:
    """Give simple returns per bar.

    Parameters
    ----------
    equity : array_like, shape (n,)
        Value of the account at each close.
    cash : float
        Its value before the first bar.

    Returns
    -------
    float64 array, shape (n,)
        Zero on bars that begin with no equity left (there is nothing to earn a return on).
    """
    after = _series(equity)
    before = np.concatenate(([cash], after[:-1])) if len(after) else after
    return np.divide(after - before, before, out=np.zeros(len(after)), where=before > 0)


def total_growth(equity: Any, cash: float) -> float:
    """Give final equity over initial cash, less one; NaN without bars. Below -1 the account owes money."""
    values = _series(equity)
    return float(values[-1] / cash - 1.0) if len(values) and cash > 0 else math.nan


def underwater_of(equity: Any, cash: float) -> Floats:
    """Distance below the highest value so far at each bar.

    Returns
    -------
    float64 array, shape (n,)
        Fractions, zero or negative; the initial cash counts as the first high.
    """
    values = _series(equity)
    return values / np.maximum(np.maximum.accumulate(values), cash) - 1.0 if len(values) else values


def deepest_drawdown(equity: Any, cash: float) -> Drawdown:
    """Find the deepest fall of an equity curve below its highest value so far (the initial cash included)."""
    values = _series(equity)
    below = underwater_of(values, cash)
    if not len(values) or not below.min() < 0:
        return Drawdown(0.0, -1, -1, -1)
    trough = int(np.argmin(below))
    peak = max(float(values[: trough + 1].max()), cash)
    at_peak = np.flatnonzero(values[: trough + 1] == peak)
    back = np.flatnonzero(values[trough:] >= peak)
    start = int(at_peak[-1]) if len(at_peak) else -1
    return Drawdown(float(below[trough]), start, trough, trough + int(back[0]) if len(back) else -1)
