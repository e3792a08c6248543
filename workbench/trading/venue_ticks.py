"""What trades and order books of the market do at the simulated venue.

A trade triggers stops, which then take what the book has, or trade at the price of that trade; and it fills resting
limits at their own price, with at most its own quantity times the share of volume that can be had (all one wants, for
an infinite share). A book fills limits that its other side has crossed; where no trades are told, its middle triggers
stops.
"""

from __future__ import annotations

import math
from typing import Final

from workbench.trading.arithmetic import volume_budget
from workbench.trading.events import Book, Event, Tick
from workbench.trading.matching import FORCED, LIMIT, TRAIL, level_of, nearest, see
from workbench.trading.queue import pass_by
from workbench.trading.venue_fills import carry, hit
from workbench.trading.venue_margin import liquidate, refresh
from workbench.trading.venue_orders import arrivals, expiries, wake
from workbench.trading.venue_state import Floor, Market

__all__ = ["book", "pass_time", "tick"]

NAN: Final = math.nan
INF: Final = math.inf


def tick(floor: Floor, market: Market, trade: Tick, events: list[Event]) -> None:
    """Match against one trade."""
    market.bars = False
    market.price = market.last = trade.price
    market.set_volume(NAN, NAN)
    floor.account.mark(market.symbol, trade.price)
    pass_time(floor, trade.ts, events)
    _match(floor, market, trade.price, trade.quantity, set(), events)
    for order in market.resting:
        if order.kind == TRAIL:
            see(order, trade.price, trade.price)
            market.stale = True


def _match(floor: Floor, market: Market, price: float, quantity: float, done: set[int], events: list[Event]) -> None:
    """Trade what a price reaches; `done` are the numbers of orders that are left alone."""
    carry(floor, market, None, events)
    share = market.costs.volume_share
    left = volume_budget(quantity, share) if quantity > 0.0 else INF
    while True:
        refresh(floor, market)
        if not (price <= market.low or price >= market.high or market.trails):
            return
        orders = market.resting + market.forced
        order, _ = nearest(orders, market.tick, (price, price), floor.options.touch, done)
        if order is None:
            return
        done.add(order.number)
        if order.kind == FORCED:
            liquidate(floor, market, order, price, events)
        elif order.kind != LIMIT:
            hit(floor, market, order, price, events)
        else:
            level = level_of(order, market.tick)
            most = min(left, pass_by(order, quantity, order.sign * (level - price) > 0.0))
            before = order.filled
            hit(floor, market, order, level, events, most)
            left -= order.filled - before


def book(floor: Floor, market: Market, news: Book, events: list[Event]) -> None:
    """Take the order book; what it has crossed trades at its own price, as far as the levels go."""
    market.bars = False
    market.bids = [[price, there] for price, there in news.bids]
    market.asks = [[price, there] for price, there in news.asks]
    if market.bids and market.asks:
        market.price = (market.bids[0][0] + market.asks[0][0]) / 2.0
        floor.account.mark(market.symbol, market.price)
    market.set_volume(NAN, NAN)
    pass_time(floor, news.ts, events)
    if not market.price > 0.0:
        return
    if market.last != market.last:
        limits = {one.number for one in market.resting if one.kind == LIMIT}
        _match(floor, market, market.price, 0.0, limits, events)
    else:
        carry(floor, market, None, events)
    for order in [one for one in market.resting if one.kind == LIMIT]:
        levels = market.asks if order.sign > 0.0 else market.bids
        own = market.bids if order.sign > 0.0 else market.asks
        crossed = sum(there for price, there in levels if order.sign * (order.price - price) >= 0.0)
        if crossed > 0.0 and order.id in floor.orders:
            hit(floor, market, order, order.price, events, crossed)
        elif order.ahead == order.ahead and own:
            # who has gone from the queue cannot be seen: at most what still shows is ahead
            order.ahead = min(order.ahead, sum(there for price, there in own if price == order.price))


def pass_time(floor: Floor, ts: int, events: list[Event]) -> None:
    """Let time pass: orders expire, and requests arrive at instruments that are not fed by bars."""
    floor.now, floor.clock = ts, float(ts)
    if floor.due() > ts:
        return
    for market in floor.markets.values():
        if market.expires <= ts:
            expiries(floor, market, events)
    arrivals(floor, [market.symbol for market in floor.markets.values() if not market.bars], events)
    for market in floor.markets.values():
        if market.waits and not market.bars:
            wake(floor, market, events)
