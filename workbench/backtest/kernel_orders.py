"""What was decided, carried out at a price: leaving, entering, and how much.

The closing half of a reversal leaves; its other half enters once the position is flat. An entry is sized once, at its
first try, with the price that a market order of that size would get; what the volume of a bar does not allow stays
pending.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.kernel_books import (
    Fill,
    available_nb,
    book_fill_nb,
    equity_nb,
    held_nb,
    order_number_nb,
    skip_nb,
    slipped_nb,
)
from workbench.backtest.kernel_parts import (
    execution_fee_nb,
    further_nb,
    inner,
    largest_notional_nb,
    leveraged_quantity_nb,
    nearest_stop_nb,
    round_down_nb,
    round_to_tick_nb,
    stop_level_nb,
    target_level_nb,
)
from workbench.backtest.kernel_state import (
    LEAVE,
    Account,
    Asked,
    Bar,
    Given,
    Log,
    One,
    begin_bar_nb,
    forget_wish_nb,
    number_nb,
    side_of_nb,
)

__all__ = ["enter_nb", "leave_nb", "whole_nb"]

Floats = NDArray[np.float64]
Book = Any

# Codes as bare numbers, as in `trading.guards`; a test holds them equal to the names.
FRACTION, QUANTITY, CASH, RISK, VALUE, EXPOSURE, UNITS = range(7)
REVERSAL, ENTERED = 2, 7
NO_EQUITY, TOO_SMALL, NO_STOP, TOO_MANY, TOO_LEVERED, NO_VOLATILITY, NO_EDGE, AT_FLOOR = 0, 1, 3, 4, 5, 12, 13, 15
DONE = -1


@inner
def whole_nb(one: One, wanted: float) -> float:
    """Give how much of a quantity the rest of the bar's volume lets out, in whole lots."""
    if wanted <= one.room:
        return wanted
    allowed = round_down_nb(one.room, one.lot)
    return allowed if allowed > 1e-12 * wanted else 0.0  # less is what floats leave of a volume that is used up


@inner
def leave_nb(account: Account, one: One, bar: Bar, quoted: float, fills: Floats) -> None:
    """Close the position, as far as the volume goes; a wish to leave is over once nothing is held."""
    begin_bar_nb(one, bar)
    quantity, side = whole_nb(one, abs(one.quantity)), -side_of_nb(one.quantity)
    if quantity <= 0.0:
        return
    first = one.order < 0
    one.order = order_number_nb(account) if first else one.order
    price = slipped_nb(one, bar, quoted, side, quantity)
    paid = execution_fee_nb(price, quantity, one.taker, one.per_unit, one.per_order if first else 0.0)
    reason = one.reason if one.want == LEAVE else REVERSAL
    done = Fill(bar.ts, side, quantity, quoted, price, paid, 0.0, reason, one.asked_ts, one.order)
    book_fill_nb(account, one, fills, done)
    if one.quantity == 0.0:
        one.order = -1
        if one.want == LEAVE:
            forget_wish_nb(one)


@inner
def affordable_nb(one: One, budget: float, price: float) -> float:
    """Give the quantity that a budget buys; the fee of an order is paid with its first fill."""
    once = one.per_order if one.order < 0 else 0.0
    return leveraged_quantity_nb(budget, price, one.taker, one.leverage, one.per_unit, once)


@inner
def risked_stop_nb(one: One, price: float, side: float, asked: Asked) -> float:
    """Give the stop that an entry at a price would have; NaN for none."""
    distance = number_nb(asked.stop_loss, one.stop_from, one.stop_step, one.asked)
    custom = number_nb(asked.stop_price, one.custom_from, one.custom_step, one.asked)
    fixed_at = round_to_tick_nb(stop_level_nb(price, side, distance), one.tick, side < 0.0)
    custom_at = round_to_tick_nb(custom, one.tick, side < 0.0)
    return nearest_stop_nb(side, fixed_at, custom_at, np.nan, np.nan)[0]


@inner
def unsized_nb(one: One, size: float, base: float) -> int:
    """Say why a sizing wants nothing of an entry (DONE if it wants something)."""
    if np.isnan(size):
        return NO_VOLATILITY
    if size <= 0.0:
        return NO_EDGE
    if base <= 0.0 and one.size_unit != QUANTITY and one.size_unit != VALUE:
        return AT_FLOOR
    return DONE


@inner
def sized_nb(
    book: Book, account: Account, one: One, bar: Bar, offer: tuple[float, float, float], asked: Asked, tiers: Floats
) -> tuple[float, int]:
    """Work out the quantity of an entry, or why it cannot be had (DONE if it can).

    `offer` is (quoted price, price to size by, money that is free).
    """
    quoted, price, available = offer
    side = float(one.want)
    if not available > 0.0:
        return np.nan, NO_EQUITY
    if account.max_positions > 0 and held_nb(book) >= account.max_positions:
        return np.nan, TOO_MANY
    size = number_nb(asked.size, one.size_from, one.size_step, one.asked)
    most = affordable_nb(one, available, price)
    equity = equity_nb(book, account)
    base = max(equity - one.floor, 0.0)
    if one.sized:
        problem = unsized_nb(one, size, base)
        if problem != DONE:
            return np.nan, problem
    if one.size_unit == FRACTION:
        quantity = affordable_nb(one, min(size * equity, available), price)
    elif one.size_unit == CASH:
        quantity = affordable_nb(one, min(size, available), price)
    elif one.size_unit == QUANTITY:
        quantity = min(size, most)
    elif one.size_unit == VALUE:
        quantity = min(size / price, most)
    elif one.size_unit == EXPOSURE:
        quantity = min(size * base / price, most)
    elif one.size_unit == UNITS:
        quantity = min(size * base, most)
    else:
        level = risked_stop_nb(one, price, side, asked)
        if np.isnan(level):
            return np.nan, NO_STOP
        quantity = min(size * base / abs(price - level), most)
    if one.sized:
        quantity = min(quantity, one.cap * equity / price)
    if one.margined:
        largest = largest_notional_nb(one.leverage, tiers[one.first_tier : one.last_tier])
        if largest <= 0.0:
            return np.nan, TOO_LEVERED
        quantity = min(quantity, largest / max(price, quoted))
    quantity = round_down_nb(quantity, one.lot)
    small = quantity <= 0.0 or quantity * slipped_nb(one, bar, quoted, side, quantity) < one.min_notional
    return quantity, TOO_SMALL if small else DONE


@inner
def protect_nb(one: One, price: float, side: float, asked: Asked) -> None:
    """Set the levels of a position from its average price and the distances of the bar that decided it."""
    bar = one.decided
    stop = number_nb(asked.stop_loss, one.stop_from, one.stop_step, bar)
    target = number_nb(asked.take_profit, one.target_from, one.target_step, bar)
    activation = number_nb(asked.trailing_activation, one.start_from, one.start_step, bar)
    one.stop_at = round_to_tick_nb(stop_level_nb(price, side, stop), one.tick, side < 0.0)
    one.target_at = round_to_tick_nb(target_level_nb(price, side, target), one.tick, side > 0.0)
    one.trail = number_nb(asked.trailing_stop, one.trail_from, one.trail_step, bar)
    one.start = -np.inf if np.isnan(activation) else side * price * (1.0 + side * activation)


@inner
def open_nb(account: Account, one: One, bar: Bar, price: float, asked: Asked) -> None:
    """Begin a position at its first fill."""
    one.decided, one.opened, one.best = one.asked, one.word, price
    one.entered = bar.ts + (bar.span if account.at_close else 0)
    one.custom = number_nb(asked.stop_price, one.custom_from, one.custom_step, one.asked)
    one.custom_at = round_to_tick_nb(one.custom, one.tick, one.want < 0)
    one.settled = one.flow = one.value = 0.0
    one.target_order = one.rung = -1
    one.next_rung, one.roi_at, one.moves = one.entered + account.first_rung, np.nan, -1


@inner
def enter_nb(book: Book, account: Account, one: One, bar: Bar, given: Given, log: Log) -> None:
    """Enter as the pending wish says, as far as money and volume go, at the open or with `at_close` at the close."""
    begin_bar_nb(one, bar)
    quoted, side = bar.close if account.at_close else bar.open, float(one.want)
    available = available_nb(book, account)
    price = slipped_nb(one, bar, quoted, side, 0.0)
    if one.impact_kind:
        price = slipped_nb(one, bar, quoted, side, affordable_nb(one, available, price))
    if np.isnan(one.left):
        one.left, problem = sized_nb(book, account, one, bar, (quoted, price, available), given.asked, given.tiers)
        if problem != DONE:
            skip_nb(account, one, log.skipped, one.left, problem)
            return
    allowed = whole_nb(one, one.left)
    quantity = round_down_nb(min(allowed, affordable_nb(one, available, price)), one.lot)
    if quantity > 0.0:
        first = one.order < 0
        one.order = order_number_nb(account) if first else one.order
        price = slipped_nb(one, bar, quoted, side, quantity)
        paid = execution_fee_nb(price, quantity, one.taker, one.per_unit, one.per_order if first else 0.0)
        fresh, target = one.quantity == 0.0, one.target_at
        if fresh:
            open_nb(account, one, bar, price, given.asked)
        done = Fill(bar.ts, side, quantity, quoted, price, paid, 0.0, ENTERED, one.asked_ts, one.order)
        book_fill_nb(account, one, log.fills, done)
        one.value += quantity * price
        one.best = further_nb(one.best, price, side)
        one.added += side * quantity
        protect_nb(one, one.price, side, given.asked)
        one.target_moved = -1 if fresh or one.target_at == target else bar.ts
    one.left -= quantity
    if quantity < allowed or one.left <= 1e-12 * max(quantity, 1.0):
        forget_wish_nb(one)
