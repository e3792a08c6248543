"""Requests at the simulated venue: orders come, are amended and cancelled; with latency they arrive later."""

from __future__ import annotations

import math
from typing import Final

from workbench.trading.events import Accepted, Amended, AmendOrder, CancelOrder, Event, Rejected, Submit
from workbench.trading.exits import further
from workbench.trading.gate import REJECTIONS, check_money, check_order
from workbench.trading.matching import LIMIT, MARKET, STOP, TRAIL, Resting
from workbench.trading.orders import Order
from workbench.trading.queue import join
from workbench.trading.venue_fills import cancel, expire, refuse, take
from workbench.trading.venue_state import Floor, Market

__all__ = ["arrivals", "expiries", "handle", "marketable", "submit", "wake"]

NAN: Final = math.nan
INF: Final = math.inf

Request = Submit | CancelOrder | AmendOrder


def handle(floor: Floor, request: Request, events: list[Event]) -> None:
    """Take a request, or send it on its way if it takes time."""
    if not floor.options.latency_ms:
        _arrive(floor, request, events)
        return
    symbol = request.order.symbol if type(request) is Submit else _symbol_of(floor, request.id)  # type: ignore[union-attr]
    if symbol not in floor.markets:
        _arrive(floor, request, events)
        return
    if type(request) is Submit:
        request = Submit(Order(**request.order.to_dict()))
    floor.markets[symbol].arriving.append((floor.clock + floor.options.latency_ms, floor.number, request))
    floor.number += 1


def _symbol_of(floor: Floor, order_id: str) -> str:
    """Give the instrument of an order that is open or under way; "" for an unknown one."""
    if order_id in floor.orders:
        return floor.orders[order_id].symbol
    for market in floor.markets.values():
        for _, _, request in market.arriving:
            if type(request) is Submit and request.order.id == order_id:
                return market.symbol
    return ""


def _arrive(floor: Floor, request: Request, events: list[Event]) -> None:
    if type(request) is Submit:
        submit(floor, request.order, events)
        return
    order = floor.orders.get(request.id)  # type: ignore[union-attr]
    if order is None:
        order_id: str = request.id  # type: ignore[union-attr]
        code = "order_is_final" if order_id in floor.gone else "unknown_order"
        events.append(Rejected(floor.now, order_id, code, REJECTIONS[code]))
    elif type(request) is CancelOrder:
        cancel(floor, floor.markets[order.symbol], order, "", events)
    else:
        _amend(floor, floor.markets[order.symbol], order, request, events)  # type: ignore[arg-type]


def submit(floor: Floor, order: Order, events: list[Event]) -> None:
    """Take an order that has arrived: refuse it, trade it, or let it rest."""
    if order.id in floor.orders or order.id in floor.gone:
        events.append(Rejected(floor.now, order.id, "duplicate_id", REJECTIONS["duplicate_id"]))
        return
    market = floor.markets.get(order.symbol)
    if market is None:
        refuse(floor, order.id, "unknown_instrument", events)
        return
    price = market.price
    if market.listing.lots.min_notional > 0.0 and order.type == "market" and order.quantity > 0.0:
        price = market.taker_price(price, order.sign, order.quantity)
    code = check_order(order, market.listing, floor.account, price, int(floor.clock))
    if code:
        refuse(floor, order.id, code, events)
        return
    resting = Resting(order, floor.number, floor.now)
    floor.number += 1
    if floor.inside or not market.price > 0.0:
        _wait(floor, market, resting, events)
    elif resting.kind == MARKET:
        take(floor, market, resting, market.price, events)
    elif resting.kind == LIMIT and marketable(market, resting):
        if resting.post_only:
            refuse(floor, order.id, "post_only_would_take", events)
        else:
            take(floor, market, resting, market.price, events)
    else:
        _rest(floor, market, resting, events)


def _wait(floor: Floor, market: Market, order: Resting, events: list[Event]) -> None:
    """Let an order that comes inside a bar wait for the next; protection of what was opened inside it does not wait."""
    if order.kind == TRAIL:
        order.best = market.price if order.price != order.price else order.price
    floor.rest(market, order)
    protects = order.reduce_only and order.kind in (STOP, TRAIL)
    order.fresh = protects and market.opened_inside
    if not order.fresh and order.kind != MARKET:
        order.waits = market.waits = floor.inside
    events.append(Accepted(floor.now, order.id))


def _rest(floor: Floor, market: Market, order: Resting, events: list[Event]) -> None:
    """Let an order wait for its price; one that may not wait ends, and one that cannot be paid for is refused."""
    if order.kind == LIMIT:
        if not order.reduce_only:
            quantity, fee = order.quantity, order.quantity * market.unit_value(order.price) * market.costs.maker
            code = check_money(order, market.listing, floor.account, quantity, order.price, fee)
            if code:
                refuse(floor, order.id, code, events)
                return
        if order.time_in_force in ("IOC", "FOK"):
            expire(floor, market, order, "immediate_or_cancel", events)
            return
        join(market, order, floor.options.queue)
    elif order.kind == TRAIL:
        order.best = market.price if order.price != order.price else order.price
    floor.rest(market, order)
    events.append(Accepted(floor.now, order.id))


def marketable(market: Market, order: Resting) -> bool:
    """Tell whether a limit order would trade at once."""
    if market.bids and market.asks:
        best = market.asks[0][0] if order.sign > 0.0 else market.bids[0][0]
    else:
        best = market.price
    return order.sign * (order.price - best) >= 0.0


def _amend(floor: Floor, market: Market, order: Resting, request: AmendOrder, events: list[Event]) -> None:
    code = _against(market, order, request)
    if code:
        events.append(Rejected(floor.now, order.id, code, REJECTIONS[code]))
        return
    _, price, quantity, stop_price, reason = request
    if price == price or stop_price == stop_price or quantity > order.quantity:
        order.number = floor.number  # it goes to the end of the queue, unless it was only made smaller
        floor.number += 1
    order.quantity = quantity if quantity == quantity else order.quantity
    order.reason = reason or order.reason
    if order.kind == TRAIL:
        order.best = further(order.best, price, -order.sign)
        order.activation = stop_price if stop_price == stop_price else order.activation
    else:
        order.price = price if price == price else order.price
        order.stop_price = stop_price if stop_price == stop_price else order.stop_price
    market.stale = True
    events.append(Amended(floor.now, order.id, price, quantity, stop_price, reason))
    if price == price and order.kind == LIMIT:
        _amended_limit(floor, market, order, events)
    elif floor.inside and order.reduce_only and order.kind in (STOP, TRAIL):
        order.fresh = market.opened_inside


def _amended_limit(floor: Floor, market: Market, order: Resting, events: list[Event]) -> None:
    if floor.inside:
        order.waits = market.waits = True
    elif market.opening and order.reduce_only and marketable(market, order):
        order.late = True
    elif marketable(market, order):
        take(floor, market, order, market.price, events)
        return
    join(market, order, floor.options.queue)


def _against(market: Market, order: Resting, request: AmendOrder) -> str:
    """Say why an order cannot be amended so; "" where it can."""
    _, price, quantity, stop_price, _ = request
    step = 0.0 if order.kind == TRAIL else market.tick
    for value in (price, stop_price):
        if value == value:
            if not 0.0 < value < INF:
                return "price_not_positive" if value <= 0.0 else "not_a_number"
            if step > 0.0 and abs(value / step - round(value / step)) > 1e-9 * max(value / step, 1.0):
                return "off_tick"
    if quantity == quantity:
        if not quantity < INF:
            return "not_a_number"
        if not quantity > order.filled:
            return "below_filled"
        lots = quantity / market.lot if market.lot > 0.0 else 0.0
        if abs(lots - round(lots)) > 1e-9 * max(lots, 1.0):
            return "off_lot"
    if order.post_only and price == price and order.sign * (price - market.price) >= 0.0:
        return "post_only_would_take"
    return ""


def arrivals(floor: Floor, symbols: list[str], events: list[Event]) -> None:
    """Let the requests in that have arrived at some instruments by now."""
    for _, _, request in floor.arrived(symbols):
        _arrive(floor, request, events)


def expiries(floor: Floor, market: Market, events: list[Event]) -> None:
    """End the orders whose time is out."""
    for order in [one for one in market.open_orders() if one.expires <= floor.clock]:
        expire(floor, market, order, "good_till_date", events)
    market.expires = min((one.expires for one in market.open_orders()), default=INF)


def wake(floor: Floor, market: Market, events: list[Event]) -> None:
    """Look again at orders that came while a bar was matched inside."""
    market.waits = False
    market.stale = True
    for order in list(market.resting):
        if order.waits:
            order.waits = False
            if order.kind == LIMIT and order.time_in_force in ("IOC", "FOK"):
                if marketable(market, order):
                    take(floor, market, order, market.price, events)
                else:
                    expire(floor, market, order, "immediate_or_cancel", events)
            elif order.kind == LIMIT:
                join(market, order, floor.options.queue)
