"""Executions at the simulated venue, and what follows from them: books, one-cancels-other groups, reduce-only orders.

Every function adds its events to a list and changes the floor at once, so that the books and the events always agree.
"""

from __future__ import annotations

import math
from typing import Final

from workbench.trading.arithmetic import execution_fee, leveraged_quantity, round_down, spendable
from workbench.trading.book import slipped_limit, walk
from workbench.trading.events import Accepted, Amended, Canceled, Event, Expired, Filled, Rejected, Triggered
from workbench.trading.gate import REJECTIONS, check_money, closing
from workbench.trading.matching import LIMIT, Resting
from workbench.trading.queue import join, take_turn
from workbench.trading.venue_state import Floor, Market

__all__ = ["cancel", "carry", "execute", "expire", "hit", "refuse", "take"]

NAN: Final = math.nan
INF: Final = math.inf
EXITS: Final = frozenset(("stop_loss", "take_profit", "trailing_stop", "custom_stop", "roi"))  # decided by the market
DUST: Final = 1e-12  # what is left of an order below this fraction of it is the rounding of floats

Execution = tuple[float, float, float, float, bool]
"""Quantity, quoted price, price, fee, and whether as a maker."""


def refuse(floor: Floor, order_id: str, code: str, events: list[Event]) -> None:
    """Reject an order that was never taken."""
    floor.gone[order_id] = None
    events.append(Rejected(floor.now, order_id, code, REJECTIONS[code]))


def cancel(floor: Floor, market: Market, order: Resting, reason: str, events: list[Event]) -> None:
    """Cancel what is left of an order."""
    floor.forget(market, order)
    events.append(Canceled(floor.now, order.id, reason))


def expire(floor: Floor, market: Market, order: Resting, reason: str, events: list[Event]) -> None:
    """End an order whose time is out."""
    floor.forget(market, order)
    events.append(Expired(floor.now, order.id, reason))


def take(floor: Floor, market: Market, order: Resting, quoted: float, events: list[Event]) -> None:
    """Trade an order at the market now: as a taker, as far as volume, book and money go.

    `order` may be new (not in `floor.orders`) or at rest. What is left of it rests, or ends if it may not.
    """
    wanted = floor.wanted(market, order)
    if not wanted > 0.0:
        cancel(floor, market, order, "nothing_held", events)
        return
    quantity, quoted, price = _at_market(market, order, wanted, quoted)
    if order.time_in_force == "FOK" and quantity < wanted:
        expire(floor, market, order, "fill_or_kill", events)
        return
    short, fee = False, 0.0
    if quantity > 0.0:
        fee = _fee(market, order, quantity, price, False)
        code = _unpaid(floor, market, order, (quantity, quoted, price, fee, False))
        if code and order.filled == 0.0 and order.id not in floor.orders:
            refuse(floor, order.id, code, events)
            return
        affordable = _affordable(floor, market, order, quoted) if code or order.filled else INF
        if affordable < quantity:
            short, quantity = True, affordable
            if not quantity > 0.0:
                cancel(floor, market, order, code or "insufficient_margin", events)
                return
            price = market.taker_price(quoted, order.sign, quantity)
            fee = _fee(market, order, quantity, price, False)
    known = order.id in floor.orders
    final = _completes(order, quantity, wanted)
    if not known and not final:
        known = True
        floor.rest(market, order)
        events.append(Accepted(floor.now, order.id))
    if quantity > 0.0:
        if market.bids or market.asks:
            _taken_from_book(market, order, quantity)
        execute(floor, market, order, (quantity, quoted, price, fee, False), events, final)
    if known and order.id in floor.orders:
        _rest_of_taker(floor, market, order, short, events)


def _completes(order: Resting, quantity: float, wanted: float) -> bool:
    """Tell whether an execution ends its order."""
    left = (wanted if order.close_position else order.quantity - order.filled) - quantity
    return left <= (DUST * quantity if quantity > 1.0 else DUST)


def _rest_of_taker(floor: Floor, market: Market, order: Resting, short: bool, events: list[Event]) -> None:
    """Say what becomes of the part that could not be had at the market."""
    if short:
        cancel(floor, market, order, "insufficient_margin", events)
    elif order.time_in_force in ("IOC", "FOK"):
        expire(floor, market, order, "immediate_or_cancel", events)
    elif order.kind == LIMIT:
        join(market, order, floor.options.queue)


def _at_market(market: Market, order: Resting, wanted: float, quoted: float) -> tuple[float, float, float]:
    """Give quantity, quoted price and price that a taker gets: from the book where there is one, else from the bar."""
    limit = order.price if order.kind == LIMIT else NAN
    levels = market.asks if order.sign > 0.0 else market.bids
    if levels:
        cap = slipped_limit(market.last if market.last == market.last else levels[0][0], order.sign)
        quantity, price = walk(levels, wanted, order.sign, limit, cap)
        return round_down(quantity, market.lot) if quantity < wanted else wanted, levels[0][0], price
    quantity = wanted if wanted <= market.budget else round_down(market.budget, market.lot)
    if quantity <= DUST * wanted:
        quantity = 0.0
    price = market.taker_price(quoted, order.sign, quantity)
    if order.sign * (price - limit) > 0.0:
        price = limit
    return quantity, quoted, price


def _taken_from_book(market: Market, order: Resting, quantity: float) -> None:
    """Take a quantity out of the levels of the book; what is beyond it leaves its last level as it is."""
    levels = market.asks if order.sign > 0.0 else market.bids
    while levels and quantity > 0.0:
        if levels[0][1] > quantity:
            levels[0][1] -= quantity
            return
        quantity -= levels[0][1]
        if len(levels) == 1:
            return
        del levels[0]


def _unpaid(floor: Floor, market: Market, order: Resting, how: Execution) -> str:
    """Say why an execution cannot be paid for; "" where it can."""
    if order.reduce_only and order.leg == "net" and floor.account.terms.kind != "cash":
        return ""
    quantity, _, price, fee, maker = how
    # whoever sized a market order did it with at most the market's full reaction
    least = INF if maker or not market.costs.impact_kind else market.taker_price(market.price, order.sign, INF)
    return check_money(order, market.listing, floor.account, quantity, price, fee, least)


def _fee(market: Market, order: Resting, quantity: float, price: float, maker: bool) -> float:
    costs = market.costs
    per_order = 0.0 if order.filled else costs.per_order
    value = market.unit_value(price)
    return execution_fee(value, quantity, costs.maker if maker else costs.taker, costs.per_unit, per_order)


def _affordable(floor: Floor, market: Market, order: Resting, quoted: float) -> float:
    """Give what an order that trades on can still be had of, in whole lots; 0.0 if it would only reduce.

    It is reckoned with the price that an order for all there is would get, as the size of an entry is.
    """
    account, costs = floor.account, market.costs
    if order.sign < 0.0 and account.terms.kind == "cash":
        return 0.0
    per_order = 0.0 if order.filled else costs.per_order
    leverage, free = account.leverage(order.symbol), spendable(account.available_for(order.symbol), account.equity)
    if order.reduce_only:
        return INF
    closes = closing(market.legs[order.leg].quantity, order.side)
    if closes:
        return closes
    most = 0.0
    for _ in range(2 if costs.impact_kind else 1):
        value = market.unit_value(market.taker_price(quoted, order.sign, most))
        most = leveraged_quantity(free, value, costs.taker, leverage, costs.per_unit, per_order)
    return round_down(most, market.lot)


def execute(
    floor: Floor, market: Market, order: Resting, how: Execution, events: list[Event], final: bool | None = None
) -> None:
    """Book an execution; `final` says whether it ends its order, where that is known."""
    quantity, quoted, price, fee, maker = how
    if final is None:
        final = _completes(order, quantity, floor.held(market, order) if order.close_position else NAN)
    if order.kind == LIMIT and order.reason in EXITS:
        order.decided = market.stamp
    order.filled += quantity
    order.paid += price * quantity
    order.fee += fee
    market.budget -= quantity
    fill = Filled(
        market.stamp, order.id, order.symbol, order.side, quantity, price, fee, maker, quoted, order.reason,
        order.decided, order.leg, final,
    )  # fmt: skip
    floor.account.apply(fill)
    market.stale = True
    events.append(fill)
    if final:
        floor.forget(market, order)
    if order.oco:
        _others(floor, order, quantity, final, events)
    if market.resting or market.left:
        _drop_needless(floor, market, order.leg, events)


def _others(floor: Floor, order: Resting, quantity: float, final: bool, events: list[Event]) -> None:
    """Cancel the other orders of a group, or reduce them by what was executed."""
    for other in [one for one in floor.orders.values() if one.oco == order.oco and one is not order]:
        left = other.quantity - other.filled - quantity
        if final or left <= DUST * other.quantity:
            cancel(floor, floor.markets[other.symbol], other, "oco", events)
        elif not other.close_position:
            other.quantity -= quantity
            events.append(Amended(floor.now, other.id, NAN, other.quantity, NAN, ""))


def _drop_needless(floor: Floor, market: Market, leg: str, events: list[Event]) -> None:
    """Cancel orders that may only reduce a position that is no longer there."""
    held = market.legs[leg].quantity
    needless = [one for one in market.open_orders() if one.reduce_only and one.leg == leg and held * one.sign >= 0.0]
    for one in needless:
        cancel(floor, market, one, "nothing_held", events)


def hit(floor: Floor, market: Market, order: Resting, quoted: float, events: list[Event], most: float = INF) -> bool:
    """Trade or trigger a resting order that the price has reached; False if nothing could be had of it.

    `most` is what reaches a limit order of what has traded.
    """
    if order.kind != LIMIT:
        return _trigger(floor, market, order, quoted, events)
    wanted, most = floor.wanted(market, order), min(most, market.budget)
    quantity = take_turn(market, order, wanted if wanted <= most else round_down(most, market.lot))
    if not quantity > 0.0:
        return False
    how = (quantity, quoted, quoted, _fee(market, order, quantity, quoted, True), True)
    code = _unpaid(floor, market, order, how)
    if code:
        cancel(floor, market, order, code, events)
        return True
    if not order.reduce_only:
        market.opened_inside = True
    execute(floor, market, order, how, events)
    return True


def _trigger(floor: Floor, market: Market, order: Resting, quoted: float, events: list[Event]) -> bool:
    """Trigger a stop or take-profit: it becomes a market or limit order and trades at once as far as it can."""
    first, decided = not order.triggered, order.decided
    if order.reason in EXITS:
        order.decided = market.stamp
    if order.becomes_limit:
        events.append(Triggered(market.stamp, order.id))
        order.kind, order.triggered = LIMIT, True
        market.stale = True
        if order.sign * (order.price - quoted) >= 0.0:
            take(floor, market, order, quoted, events)
        elif order.time_in_force in ("IOC", "FOK"):
            expire(floor, market, order, "immediate_or_cancel", events)
        else:
            order.waits = market.waits = floor.inside and not floor.options.path
            join(market, order, floor.options.queue)
        return True
    if not order.triggered:
        events.append(Triggered(market.stamp, order.id))
        order.triggered = True
    if not order.reduce_only:
        market.opened_inside = True
    take(floor, market, order, quoted, events)
    if order.id in floor.orders and order not in market.left:
        market.left.append(order)
    order.decided = order.decided if first else decided
    return True


def carry(floor: Floor, market: Market, leaving: bool | None, events: list[Event], triggered: bool = False) -> None:
    """Trade what was left over at the present price: what only leaves, the rest, or both (None).

    With `triggered` only what is left of stops.
    """
    for order in list(market.left):
        if order.id not in floor.orders or leaving not in (None, order.reduce_only):
            continue
        if triggered and not order.triggered:
            continue
        take(floor, market, order, market.price, events)
