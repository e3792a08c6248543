"""The random-entry benchmark: the same trades at random places.

As many trades as there were, each as long, on its side, of its weight and at its costs, in an order and at places drawn
at random, never two of an instrument at once. What is left of a strategy's profit beside these is when it traded.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import frozen, kernel
from workbench.backtest.curves import cost_amounts, rows_at, values_of
from workbench.backtest.records import FILL_FIELDS, column
from workbench.backtest.result import Result
from workbench.backtest.trips import AT_OPEN
from workbench.research.chance.resampling import mixed_nb, unit_nb
from workbench.strategy.strategy import SignalStrategy, warm_up_of

__all__ = ["Placing", "frozen_placing", "growth_at", "placed_nb", "placings_of", "real_steps"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MOST_LOST: Final = -0.999999  # of the equity, by one trade: a logarithm needs something to be left


class Placing(NamedTuple):
    """The trades of one book (an instrument; of a hedged account one side of it), each array of shape (m,).

    Time goes in half bars: step 2i is the open of bar i, step 2i + 1 its close. `begun` is the real step of the entry,
    `lasted` the steps until the exit, `rows` the bars that are taken by it. `weight` is its value at entry over the
    equity that earlier exits had left; `cost_in`, `cost_out` (over the value then) and `received` (funding) are
    fractions.
    `prices` holds all steps, shape (2n,), `first` is the first bar that may be traded.
    """

    begun: Whole
    lasted: Whole
    rows: Whole
    side: Floats
    weight: Floats
    cost_in: Floats
    cost_out: Floats
    received: Floats
    prices: Floats
    first: int
    inverse: bool


def placings_of(result: Result) -> list[Placing]:
    """Give the trades of a result by book; one that is not over counts as left at the last close."""
    which, sides = result.trip("instrument").astype(np.int64), result.sides
    books = 2 * which + (sides < 0) if result.plan.account.hedge else 2 * which
    weights, slipped = _weights(result), _slippage(result)
    return [_placing(result, np.flatnonzero(books == book), weights, slipped) for book in np.unique(books)]


def _weights(result: Result) -> Floats:
    """Give what one money of each trade's value at entry is of the equity that earlier exits had left."""
    order = np.argsort(result.trip("exit_ts"), kind="stable")
    profits = result.profits[order]
    weights = np.empty(len(order))
    weights[order] = 1.0 / np.maximum(result.cash + np.cumsum(profits) - profits, 1e-9 * result.cash)
    return weights


def _slippage(result: Result) -> Floats:
    """Give what fills of each instrument slipped on average, a fraction of their quoted value."""
    fills, count = result.records.fills, len(result.series)
    which = column(fills, FILL_FIELDS, "instrument").astype(np.int64)
    slipped = np.bincount(which, cost_amounts(result.plan, result.records)["slippage"], minlength=count)
    quantity, price = (column(fills, FILL_FIELDS, name) for name in ("quantity", "quoted"))
    quoted = values_of(result.plan, which.astype(np.float64), quantity, price)
    traded = np.bincount(which, quoted, minlength=count)
    return np.divide(slipped, traded, out=np.zeros(count), where=traded > 0)


def _placing(result: Result, mine: Whole, weights: Floats, slipped: Floats) -> Placing:
    number = int(result.trip("instrument")[mine[0]])
    line = result.plan.lines[number]
    bars = line.bars
    mine = mine[np.argsort(result.trip("entry_ts")[mine], kind="stable")]
    begun, ended = (_steps(result, mine, bars.ts, leg) for leg in ("entry", "exit"))
    lasted = np.maximum(ended - begun, 0)
    side, slip = result.sides[mine], slipped[number]
    sign = -1 if line.inverse else 1  # of what a higher price does to the value of a contract
    worth = result.entry_values[mine] / (1.0 + side * slip) ** sign
    which = result.trip("instrument")[mine]
    left = values_of(result.plan, which, result.trip("quantity")[mine], result.trip("exit_price")[mine])
    left /= (1.0 - side * slip) ** sign
    return Placing(
        begun=begun,
        lasted=lasted,
        rows=np.maximum(-(-lasted // 2), 1),
        side=side,
        weight=weights[mine] * worth,
        cost_in=slip + result.trip("entry_fee")[mine] / worth,
        cost_out=np.where(result.closed[mine], slip + result.trip("exit_fee")[mine] / left, 0.0),
        received=result.trip("funding")[mine] / worth,
        prices=np.column_stack((bars.open, bars.close)).ravel(),
        first=_first_row(result, number),
        inverse=line.inverse,
    )


def _steps(result: Result, mine: Whole, ts: Whole, leg: str) -> Whole:
    """Give the half bar of each entry or exit: what did not happen at an open is over at the close of its bar."""
    when = result.trip(f"{leg}_ts")[mine]
    rows = rows_at(ts, when)
    at_open = (result.trip(f"{leg}_place")[mine] == AT_OPEN) & (ts[rows] == when)
    return 2 * rows + np.where(at_open, 0, 1)


def _first_row(result: Result, number: int) -> int:
    """Give the first bar in which the strategy could have traded: the one after its warm-up."""
    bars = result.series[number]
    silent = warm_up_of(result.strategy, bars.timeframe) if isinstance(result.strategy, SignalStrategy) else 0
    return min(silent + 1, len(bars) - 1)


@kernel
def growth_at(placing: Placing, trade: int, step: int) -> float:
    """Give the logarithm of what a trade that begins at a step makes of the equity."""
    last = len(placing.prices) - 1
    entered, left = placing.prices[min(step, last)], placing.prices[min(step + placing.lasted[trade], last)]
    ratio = entered / left if placing.inverse else left / entered
    moved = 1.0 - ratio if placing.inverse else ratio - 1.0
    made = placing.side[trade] * moved - placing.cost_in[trade] - placing.cost_out[trade] * ratio
    return np.log1p(max(placing.weight[trade] * (made + placing.received[trade]), _MOST_LOST))  # type: ignore[no-any-return]


@kernel
def placed_nb(placing: Placing, states: NDArray[np.uint64]) -> Floats:
    """Give the logarithm of the growth of each run, its trades at random places; shape (runs,).

    The idle bars between trades are cut at uniformly drawn places; exponential gaps give them in order, unsorted.
    """
    count, found = len(placing.begun), np.zeros(len(states))
    idle = max(len(placing.prices) // 2 - 1 - placing.first - int(placing.rows.sum()), 0)
    order, gaps = np.empty(count, dtype=np.int64), np.empty(count + 1)
    for run in range(len(states)):
        state, total = states[run], 0.0
        for k in range(count + 1):
            state += _GOLDEN
            gaps[k] = -np.log(1.0 - unit_nb(mixed_nb(state)))
            total += gaps[k]
        for k in range(count):
            order[k] = k
        taken, reached = placing.first, 0.0
        for k in range(count):
            state += _GOLDEN
            other = k + int(unit_nb(mixed_nb(state)) * (count - k))
            order[k], order[other] = order[other], order[k]
            trade = order[k]
            reached += gaps[k]
            row = taken + min(int(reached / total * (idle + 1)), idle)
            found[run] += growth_at(placing, trade, 2 * row + placing.begun[trade] % 2)
            taken += placing.rows[trade]
    return found


def real_steps(placing: Placing) -> float:
    """Give the logarithm of the growth that the trades made at their real places, by the same reckoning."""
    seen = frozen_placing(placing)
    return float(sum(growth_at(seen, trade, int(step)) for trade, step in enumerate(placing.begun)))


def frozen_placing(placing: Placing) -> Placing:
    """Give the same with read-only arrays, for which the kernels are compiled."""
    arrays: dict[str, Any] = {
        name: frozen(values, np.int64 if values.dtype.kind == "i" else np.float64)
        for name, values in placing._asdict().items()
        if isinstance(values, np.ndarray)
    }
    return placing._replace(**arrays)
