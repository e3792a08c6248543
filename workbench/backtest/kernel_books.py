"""The compiled path's books: what the account is worth, what is free, and what a fill or a settlement does to it.

Sums run over the instruments in their order, as those of `trading.account` do, so that both give the same bits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.kernel_parts import (
    funding_amount_nb,
    impact_nb,
    inner,
    maintenance_margin_nb,
    market_price_nb,
    spendable_nb,
)
from workbench.backtest.kernel_state import Account, Bar, One, Settlements, forget_wish_nb

__all__ = [
    "Fill",
    "available_nb",
    "behind_nb",
    "book_fill_nb",
    "equity_nb",
    "held_nb",
    "maintained_nb",
    "order_number_nb",
    "settle_nb",
    "skip_nb",
    "slipped_nb",
]

Floats = NDArray[np.float64]
Book = Any  # a structured array of LINE

DUST = 1e-12  # as in trading.positions: what floats leave behind, not a holding


class Fill(NamedTuple):
    """An execution, as `backtest.records.FILL_FIELDS` writes it."""

    ts: int
    side: float
    quantity: float
    quoted: float
    price: float
    fee: float
    maker: float
    reason: int
    decided: int
    order: int


@inner
def held_nb(book: Book) -> int:
    """Count the open positions."""
    found = 0
    for k in range(book.size):
        found += book[k].quantity != 0.0
    return found


@inner
def equity_nb(book: Book, account: Account) -> float:
    """Give cash and positions at their marks."""
    total = account.cash
    for k in range(book.size):
        if book[k].quantity != 0.0:
            total += book[k].quantity * book[k].mark
    return total


@inner
def available_nb(book: Book, account: Account) -> float:
    """Give what is free to open positions with."""
    total, used = account.cash, 0.0
    for k in range(book.size):
        one = book[k]
        if one.quantity != 0.0:
            value = one.quantity * (one.price if account.isolated else one.mark)
            total += value
            used += abs(value) / one.leverage + (one.settled if account.isolated else 0.0)
    free = total - used
    return spendable_nb(free, equity_nb(book, account))


@inner
def maintained_nb(one: One, price: float, tiers: Floats) -> float:
    """Give the maintenance margin of a position at a price."""
    if one.margined == 0:
        return 0.0
    return maintenance_margin_nb(one.quantity * price, tiers[one.first_tier : one.last_tier])


@inner
def behind_nb(book: Book, account: Account, one: One, tiers: Floats, kept: bool) -> float:
    """Give what stands behind a position at its entry price: the `wallet` of `trading.margin`.

    With cross margin that is the account but for this position; `kept` takes off what the others must keep.
    """
    if account.isolated:
        return abs(one.quantity * one.price) / one.leverage + one.settled
    wallet = account.cash
    for k in range(book.size):
        if book[k].quantity != 0.0:
            wallet += book[k].quantity * book[k].price
    for k in range(book.size):
        other = book[k]
        if other.quantity != 0.0 and k != one.number:
            unrealised = other.quantity * other.mark - other.quantity * other.price
            wallet += unrealised - (maintained_nb(other, other.mark, tiers) if kept else 0.0)
    return wallet


@inner
def slipped_nb(one: One, bar: Bar, price: float, side: float, quantity: float) -> float:
    """Give the price of a market order: slipped, and moved by the order itself."""
    moved = impact_nb(one.impact_kind, one.impact, quantity, bar.volume, bar.sigma)
    return market_price_nb(price, side, one.slippage + moved)


@inner
def order_number_nb(account: Account) -> int:
    """Number a new order."""
    number = account.orders
    account.orders += 1
    return number


@inner
def book_fill_nb(account: Account, one: One, fills: Floats, done: Fill) -> None:
    """Write an execution down and change cash and position by it; a position that is over is marked as `ended`."""
    row = fills[account.fills]
    row[0], row[1], row[2], row[3], row[4], row[5] = (
        done.ts, one.number, done.side, done.quantity, done.quoted, done.price,
    )  # fmt: skip
    row[6], row[7], row[8], row[9], row[10] = done.fee, done.maker, done.reason, done.decided, done.order
    account.fills += 1
    change = done.side * done.quantity
    flow = -(change * done.price)
    account.cash += flow - done.fee
    one.flow += flow - done.fee
    one.room = one.room - done.quantity if one.room - done.quantity > DUST * done.quantity else 0.0
    one.changed = 1
    after = one.quantity + change
    if one.quantity == 0.0:
        one.quantity, one.price = change, done.price
    elif (one.quantity > 0.0) == (change > 0.0):
        one.price = (one.quantity * one.price + change * done.price) / after
        one.quantity = after
    elif abs(after) <= DUST * abs(change):
        one.quantity, one.ended, one.ended_at = 0.0, done.reason, done.ts
        one.pnl, one.back = one.flow, one.flow / one.value
        account.ended += 1
    else:
        one.settled *= after / one.quantity
        one.quantity = after


@inner
def settle_nb(
    account: Account, one: One, due: int, when: tuple[int, float, float], settlements: Settlements, log: Floats
) -> None:
    """Pay or receive a settlement; `when` is (bar, its price, signed quantity), and a mark of its own goes first."""
    ts, price, quantity = when
    mark, rate = settlements.mark[due], settlements.rate[due]
    mark = price if np.isnan(mark) else mark
    amount = funding_amount_nb(quantity, mark, rate)
    account.cash += amount
    one.settled += amount
    one.flow += amount
    one.changed = 1
    row = log[account.settlements]
    row[0], row[1], row[2], row[3], row[4], row[5] = ts, one.number, quantity, mark, rate, amount
    account.settlements += 1


@inner
def skip_nb(account: Account, one: One, log: Floats, quantity: float, reason: int) -> None:
    """Write down that the pending entry could not be had, and drop it."""
    row = log[account.skipped]
    row[0], row[1], row[2], row[3], row[4] = one.asked_ts, one.number, one.want, quantity, reason
    account.skipped += 1
    forget_wish_nb(one)
