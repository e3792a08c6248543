"""Per-bar series of a result: what was held, what it was worth, what stood behind it, and what costs took away.

Arrays on the times of the equity (`records.ts`), worked out of the fills when somebody asks. Nothing here is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import frozen, kernel
from workbench.backtest.plan import Line, Plan
from workbench.backtest.records import FILL_FIELDS, FUNDING_FIELDS, REASON_CODES, Records, column
from workbench.backtest.trips import Book, averaged_nb, books_of, moments_of, places_of
from workbench.trading.arithmetic import affordable_quantity, market_price

if TYPE_CHECKING:
    from workbench.backtest.result import Result

__all__ = [
    "COST_KINDS",
    "Holding",
    "closes_on",
    "cost_amounts",
    "cost_curve",
    "held_value",
    "holding_value",
    "holdings",
    "maintenance_of",
    "margin_curves",
    "margin_of",
    "profits_by_instrument",
    "rows_at",
    "unrealised_of",
    "value_curves",
    "values_of",
]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

COST_KINDS: Final = ("fees", "slippage", "funding", "liquidation")
_DUST: Final = 1e-12  # as in trading.positions
# Columns of fills and funding as bare numbers, as in `trips`.
_TS, _SIDE, _QUANTITY, _PRICE, _FUNDED_QUANTITY, _AMOUNT = 0, 2, 3, 5, 2, 5


def rows_at(grid: Whole, ts: Floats | Whole) -> Whole:
    """Give the row of a grid of bar opens that each time falls into, shape (k,); the first row before the first."""
    rows: Whole = np.maximum(np.searchsorted(grid, ts, side="right") - 1, 0)
    return rows


def closes_on(line: Line, grid: Whole) -> Floats:
    """Give the last close known when each bar of a grid has closed, shape (n,); the first one before the first."""
    bars = line.bars
    if bars.ts is grid or (len(bars) == len(grid) and np.array_equal(bars.ts, grid)):
        return bars.close
    return bars.close[rows_at(bars.ts, grid)]


def holding_value(line: Line, quantity: Floats | float, price: Floats | float) -> Floats:
    """Give the value of signed quantities at prices, in the settlement currency and with the sign of the quantity."""
    size = line.contract_size
    return np.asarray(quantity * size / price if line.inverse else quantity * price * size, dtype=np.float64)


def values_of(plan: Plan, which: Floats, quantity: Floats, price: Floats) -> Floats:
    """Give the value of quantities of instruments (by number) at prices, in the settlement currency, shape (k,)."""
    found = np.zeros(len(which))
    for k in np.unique(which).astype(np.int64):
        mine = which == k
        found[mine] = holding_value(plan.lines[k], quantity[mine], price[mine])
    return found


def cost_amounts(plan: Plan, records: Records) -> dict[str, Floats]:
    """Give what each fill cost, by kind, and what each funding settlement took; money, negative where it was received.

    Returns
    -------
    dict
        `fees`, `slippage` and `liquidation` of shape (f,), `funding` of shape (g,).

    Notes
    -----
    Slippage is the way from the quoted price to that of the fill, impact included. Of a liquidation's fee, what exceeds
    the taker fee is the fee of the liquidation.
    """
    fills = records.fills
    side, quantity, quoted, price, fee = (
        column(fills, FILL_FIELDS, name) for name in ("side", "quantity", "quoted", "price", "fee")
    )
    slipped, taken = np.zeros(len(fills)), fee.copy()
    which = column(fills, FILL_FIELDS, "instrument")
    forced = column(fills, FILL_FIELDS, "reason") == REASON_CODES["liquidation"]
    for k in np.unique(which).astype(np.int64):
        line, mine = plan.lines[k], which == k
        if line.inverse:
            slipped[mine] = (side * quantity * line.contract_size * (1.0 / quoted - 1.0 / price))[mine]
        else:
            slipped[mine] = (side * quantity * line.contract_size * (price - quoted))[mine]
        mine &= forced
        traded = holding_value(line, quantity[mine], price[mine])
        usual = traded * line.costs.taker + quantity[mine] * line.costs.per_unit + line.costs.per_order
        taken[mine] = np.minimum(fee[mine], usual)
    paid = -column(records.funding, FUNDING_FIELDS, "amount")
    return {"fees": taken, "slippage": slipped, "funding": paid, "liquidation": fee - taken}


def cost_curve(plan: Plan, records: Records) -> Floats:
    """Give what all costs together have taken up to each close, money, shape (n,)."""
    amounts = cost_amounts(plan, records)
    steps = np.zeros(len(records.ts))
    filled = rows_at(records.ts, column(records.fills, FILL_FIELDS, "ts"))
    funded = rows_at(records.ts, column(records.funding, FUNDING_FIELDS, "ts"))
    np.add.at(steps, filled, amounts["fees"] + amounts["slippage"] + amounts["liquidation"])
    np.add.at(steps, funded, amounts["funding"])
    return np.cumsum(steps)


class Holding(NamedTuple):
    """What one book holds at each close of the grid, each of shape (n,).

    `instrument` is a position in the plan's lines and `leg` "net", "long" or "short"; `quantity` is signed, `price` the
    average entry price (NaN when flat), `settled` the funding received since it was opened, `close` the last close.
    """

    instrument: int
    leg: str
    quantity: Floats
    price: Floats
    settled: Floats
    close: Floats


@kernel
def states_nb(fills: Floats, when: Floats, funding: Floats, book: Book) -> Floats:
    """Give what a book holds after each of its fills and settlements.

    Parameters
    ----------
    fills : float64 array, shape (f, len(FILL_FIELDS))
    when : float64 array, shape (f,)
        Moment of each fill, ms.
    funding : float64 array, shape (g, len(FUNDING_FIELDS))
    book : Book

    Returns
    -------
    float64 array, shape (f + g + 1, 4)
        Rows of (ts, signed quantity, average price, funding settled on it); the first is flat, before everything.
    """
    states = np.zeros((fills.shape[0] + funding.shape[0] + 1, 4))
    states[0, 0] = -np.inf
    held, price, settled, waiting, i, j = 0.0, np.nan, 0.0, 0.0, 0, 0
    for row in states[1:]:
        if j < funding.shape[0] and (i == fills.shape[0] or funding[j, _TS] <= when[i]):
            if held * funding[j, _FUNDED_QUANTITY] > 0.0:
                settled += funding[j, _AMOUNT]
            else:
                waiting += funding[j, _AMOUNT]
            row[0] = funding[j, _TS]
            j += 1
        else:
            change, at = fills[i, _SIDE] * fills[i, _QUANTITY], fills[i, _PRICE]
            left = held + change
            if held * change > 0.0:
                price = averaged_nb(price, abs(held), abs(change), at, book.inverse)
            elif abs(left) <= _DUST * abs(change):
                left, price, settled = 0.0, np.nan, 0.0
            elif left * held <= 0.0:
                price, settled, waiting = at, waiting, 0.0
            held = left
            row[0] = fills[i, _TS]
            i += 1
        row[1], row[2], row[3] = held, price, settled
    return states


def holdings(plan: Plan, records: Records) -> Iterator[Holding]:
    """Give what each book that ever held anything held at each close, one after another."""
    if not len(records.fills):
        return
    grid, fills = records.ts, records.fills
    filled, funded = books_of(plan, records)
    when = moments_of(plan, fills, places_of(plan, fills))
    order, paid_order = np.argsort(filled, kind="stable"), np.argsort(funded, kind="stable")
    for book in np.unique(filled):
        number, leg = divmod(int(book), 2) if plan.account.hedge else (int(book), -1)
        line = plan.lines[number]
        mine = order[slice(*np.searchsorted(filled, [book, book + 1], sorter=order))]
        paid = paid_order[slice(*np.searchsorted(funded, [book, book + 1], sorter=paid_order))]
        facts = Book(float(number), np.nan, np.nan, line.contract_size, line.inverse)
        states = states_nb(frozen(fills[mine]), frozen(when[mine]), frozen(records.funding[paid]), facts)
        rows = np.maximum(np.searchsorted(grid, states[1:, 0], side="right") - 1, 0)
        known = np.searchsorted(rows, np.arange(len(grid)), side="right")
        quantity, price, settled = states[known, 1:].T
        yield Holding(number, ("long", "short", "net")[leg], quantity, price, settled, closes_on(line, grid))


def value_curves(plan: Plan, records: Records) -> tuple[Floats, Floats]:
    """Give the value of all positions at each close: long ones, and short ones as negative numbers; shape (n,) each."""
    long, short = np.zeros(len(records.ts)), np.zeros(len(records.ts))
    for held in holdings(plan, records):
        value = holding_value(plan.lines[held.instrument], held.quantity, held.close)
        long += np.maximum(value, 0.0)
        short += np.minimum(value, 0.0)
    return long, short


def unrealised_of(line: Line, held: Holding) -> Floats:
    """Give the profit of what is held, before fees and funding, at each close; shape (n,), zero when flat."""
    if line.inverse:
        made = held.quantity * line.contract_size * (1.0 / held.price - 1.0 / held.close)
    else:
        made = held.quantity * line.contract_size * (held.close - held.price)
    return np.where(held.quantity != 0.0, made, 0.0)


def margin_of(plan: Plan, line: Line, held: Holding) -> Floats:
    """Give the margin that a holding ties up at each close: its initial margin, and its funding if it is isolated."""
    if plan.account.isolated:
        at_entry = np.abs(holding_value(line, held.quantity, held.price)) / line.leverage + held.settled
        return np.where(held.quantity != 0.0, at_entry, 0.0)
    return np.abs(holding_value(line, held.quantity, held.close)) / line.leverage


def maintenance_of(line: Line, held: Holding) -> Floats:
    """Give the maintenance margin of a holding at each close, shape (n,); zeros for what is not held on margin."""
    size, tiers = np.abs(holding_value(line, held.quantity, held.close)), line.tiers
    if not line.margined or not len(tiers):
        return np.zeros(len(size))
    row = np.maximum(np.searchsorted(tiers[:, 0], size, side="right") - 1, 0)
    return np.where(size > 0.0, size * tiers[row, 1] - tiers[row, 2], 0.0)


def margin_curves(result: Result) -> tuple[Floats, Floats, Floats]:
    """Give margin used, maintenance margin, and the level: how often the one that is closest covers what it must.

    Returns
    -------
    used, maintenance, level : float64 arrays, shape (n,)
        The level is the equity over the maintenance margin; with isolated margin the lowest of the positions. It is
        infinite where nothing need be kept; liquidation is at one.
    """
    plan, records = result.plan, result.records
    used, kept = np.zeros(len(records.ts)), np.zeros(len(records.ts))
    level = np.full(len(records.ts), np.inf)
    for held in holdings(plan, records):
        line = plan.lines[held.instrument]
        margin, maintenance = margin_of(plan, line, held), maintenance_of(line, held)
        used += margin
        kept += maintenance
        if plan.account.isolated:
            behind, free = margin + unrealised_of(line, held), np.full_like(level, np.inf)
            level = np.minimum(level, np.divide(behind, maintenance, out=free, where=maintenance > 0))
    if not plan.account.isolated:
        level = np.divide(records.equity, kept, out=level, where=kept > 0)
    return used, kept, level


def held_value(result: Result) -> Floats:
    """Give what the cash would be worth had it bought equal shares of the instruments; see `Result.buy_and_hold`."""
    grid, share = result.records.ts, result.cash / len(result.series)
    total = np.zeros(len(grid))
    for line, costs in zip(result.plan.lines, result.charged, strict=True):
        if line.inverse:
            total += share
            continue
        price = market_price(float(line.bars.open[0]), 1.0, (costs.slippage_bps or 0.0) / 10_000)
        worth = affordable_quantity(share, price, costs.fee or 0.0) * closes_on(line, grid)
        if line.bars.ts[0] > grid[0]:
            worth = np.where(grid < line.bars.ts[0], share, worth)
        total += worth
    return total


def profits_by_instrument(result: Result) -> tuple[Floats, Whole]:
    """Give what each instrument made, open trades marked at the last close, and how many trades ended; shape (k,)."""
    which, count = result.trip("instrument").astype(np.int64), len(result.series)
    made = np.bincount(which, result.profits, minlength=count).astype(np.float64)
    ended: Whole = np.bincount(which[result.closed], minlength=count).astype(np.int64)
    return made, ended
