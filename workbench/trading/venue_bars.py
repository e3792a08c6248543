"""What happens inside a bar at the simulated venue, fill by fill.

First what the open has gone through: it trades at the open. Then the price goes along the legs of the bar, and what it
reaches trades at its level. After every event the shell may bring new requests: they wait for the next bar, but for
protective stops of a position that was opened inside this one, which all of the bar's adverse side can still hit.
"""

from __future__ import annotations

from collections.abc import Iterator

from workbench.trading.events import Event
from workbench.trading.matching import FORCED, LIMIT, TRAIL, Resting, falls, legs_of, level_of, nearest, reached, see
from workbench.trading.queue import SHARE, pass_by
from workbench.trading.venue_fills import hit, take
from workbench.trading.venue_margin import liquidate, refresh
from workbench.trading.venue_state import Floor, Market

__all__ = ["inside", "is_quiet"]

Leg = tuple[float, float]
Prices = tuple[float, float, float, float]


def is_quiet(floor: Floor, market: Market, high: float, low: float) -> bool:
    """Tell whether a bar reaches nothing; its trailing stops then have seen it."""
    if market.stale or floor.shared:
        refresh(floor, market)
    if not (low > market.low and high < market.high):
        return False
    for order in market.trails:
        if floor.options.path or order.waits:
            return False
        if reached(order, level_of(order, market.tick), low if order.sign < 0.0 else high, True):
            return False
    for order in market.trails:
        see(order, high, low)
    return True


def inside(
    floor: Floor, market: Market, prices: Prices, pause: bool, since: int | None = None
) -> Iterator[Event | None]:
    """Match inside a bar of (open, high, low, close); a generator that must be run to its end.

    With `pause` it yields None once what the open has gone through is done: requests that come then are at the open.
    With `since` orders that came at that time or later are left alone.
    """
    opened, high, low, close = prices
    path = floor.options.path
    floor.inside, market.opened_inside, market.opening = True, False, False
    young = () if since is None else tuple(one for one in market.resting if one.created >= since and not one.waits)
    try:
        for order in young:
            order.waits = True
        done: set[int] = set()
        yield from _along(floor, market, (opened, opened), (high, low), done)
        for order in market.resting:
            order.late = False
        if pause:
            floor.inside = False
            yield None
            floor.inside = True
        held = sum(one.quantity for one in market.legs.values())
        for leg in legs_of(opened, high, low, close, held, path):
            yield from _along(floor, market, leg, (high, low), done)
            if path:
                _see_all(market, max(leg), min(leg))
    finally:
        floor.inside = False
        _see_all(market, high, low)
        for order in market.resting:
            order.fresh = False
        for order in young:
            order.waits = False


def _see_all(market: Market, high: float, low: float) -> None:
    for order in market.resting:
        if order.kind == TRAIL and not order.waits:
            see(order, high, low)


def _along(floor: Floor, market: Market, leg: Leg, extremes: Leg, done: set[int]) -> Iterator[Event]:
    """Trade what the price reaches on one leg, in order; a leg from the open to the open is what it gapped through."""
    price, end = leg
    while True:
        refresh(floor, market)
        order, at = None if price == end else _betrayed(floor, market, leg, extremes, done), price
        if order is not None:
            level = level_of(order, market.tick)
            at = min(level, price) if order.sign < 0.0 else max(level, price)
        else:
            low, high = (end, price) if end < price else (price, end)
            if low > market.low and high < market.high and not market.trails:
                return
            orders = market.resting + market.forced if market.forced else market.resting
            order, at = nearest(orders, market.tick, (price, end), floor.options.touch, done)
            if order is None:
                return
            price = at
        events: list[Event] = []
        if order.kind == FORCED:
            liquidate(floor, market, order, at, events)
        else:
            rested = order.kind == LIMIT
            if order.late:
                take(floor, market, order, market.price, events)
            else:
                hit(floor, market, order, at, events, _traded(floor, market, order, extremes))
            if rested or order.kind != LIMIT:
                done.add(order.number)
            if order.reduce_only and not rested and order in market.left:
                done.update(_overtaken(market, order))
        yield from events


def _overtaken(market: Market, order: Resting) -> list[int]:
    """Give the numbers of what else would close a position that a stop is closing already, as fast as volume allows.

    Liquidation is not among them: it needs no volume.
    """
    return [one.number for one in market.resting if one.leg == order.leg and one.reduce_only]


def _betrayed(floor: Floor, market: Market, leg: Leg, extremes: Leg, done: set[int]) -> Resting | None:
    """Find a stop of a position opened inside the bar that the bar's adverse side has hit, unless the path is known."""
    if floor.options.path:
        return None
    high, low = extremes
    for order in market.resting:
        if not order.fresh or order.number in done or falls(order) == (leg[1] < leg[0]):
            continue
        if reached(order, level_of(order, market.tick), low if falls(order) else high, True):
            return order
    return None


def _traded(floor: Floor, market: Market, order: Resting, extremes: Leg) -> float:
    """Give how much of the bar's volume reaches a limit order in its queue."""
    if order.kind != LIMIT or not floor.options.queue:
        return float("inf")
    beyond = extremes[1] < order.price if order.sign > 0.0 else extremes[0] > order.price
    return pass_by(order, SHARE * market.volume if market.volume > 0.0 else 0.0, beyond)
