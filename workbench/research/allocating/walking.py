"""A portfolio of strategies walked through history: weights from what was known, drift in between, costs of trading.

What is decided after a row is held from the next row on. So the first rows of a history give the same whatever follows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.risk.weighting import turnover_between

__all__ = ["Walk", "decision_rows", "walk"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Decide = Callable[[int, Floats], Floats]


class Walk(NamedTuple):
    """What came of it, on the rows after the first decision, shape (m,) or (m, k).

    `growth` of one unit after each row; `held` weights at the start of each row; `gross` return of each row before
    costs; `earned` by each strategy in all and `paid` for trading, as fractions of the first unit; `targets` decided
    and `traded` (fraction of the whole, both sides) at each decision.
    """

    growth: Floats
    held: Floats
    gross: Floats
    earned: Floats
    paid: float
    targets: Floats
    traded: Floats


def decision_rows(ts: Whole, lookback_ms: int, every_ms: int) -> Whole:
    """Give the rows after which weights are decided: the first after a whole lookback, then one every so often.

    Parameters
    ----------
    ts : int64 array, shape (n,)
        Times of the rows, ms, rising.
    lookback_ms, every_ms : int

    Returns
    -------
    int64 array, shape (d,)
    """
    rows: list[int] = []
    due = int(ts[0]) + lookback_ms
    while True:
        row = int(np.searchsorted(ts, due))
        if row >= len(ts):
            return np.array(rows, dtype=np.int64)
        rows.append(row)
        due = int(ts[row]) + every_ms


def walk(returns: Floats, rows: Whole, decide: Decide, cost: float) -> Walk:
    """Walk through history.

    Parameters
    ----------
    returns : float64 array, shape (n, k)
        Simple, per row; what is not known counts as zero for whoever holds it.
    rows : int64 array, shape (d,)
        After which rows it is decided.
    decide : callable
        Of (row, weights held by then) to the weights to hold next; what they lack to one is cash.
    cost : float
        Of the value traded, a fraction.
    """
    count, first = returns.shape[1], int(rows[0])
    moves = np.where(np.isfinite(returns), returns, 0.0)
    growth, gross = np.empty(len(returns) - first - 1), np.empty(len(returns) - first - 1)
    held = np.empty((len(growth), count))
    value, weights, earned, paid = 1.0, np.zeros(count), np.zeros(count), 0.0
    targets, traded = np.empty((len(rows), count)), np.empty(len(rows))
    for number, row in enumerate(rows):
        targets[number] = decide(int(row), weights)
        traded[number] = turnover_between(weights, targets[number])
        end = int(rows[number + 1]) if number + 1 < len(rows) else len(returns) - 1
        if end == row:  # decided for what comes after the last row
            break
        charge = min(cost * traded[number], 1.0) * value
        paid, value = paid + charge, value - charge
        grown = np.cumprod(1.0 + moves[row + 1 : end + 1], axis=0)
        stakes = value * targets[number] * np.vstack((np.ones(count), grown))
        worth = value * (1.0 - targets[number].sum()) + stakes.sum(axis=1)
        here = slice(int(row) - first, end - first)
        growth[here], gross[here] = worth[1:], np.divide(worth[1:], worth[:-1], out=np.ones(end - int(row)),
                                                         where=worth[:-1] > 0.0) - 1.0  # fmt: skip
        shares = np.divide(stakes, worth[:, None], out=np.zeros_like(stakes), where=worth[:, None] > 0.0)
        held[here], weights = shares[:-1], shares[-1]
        earned, value = earned + stakes[-1] - stakes[0], float(worth[-1])
    return Walk(growth, held, gross, earned, paid, targets, traded)
