"""What the simulated venue knows: a `Floor` with a `Market` for each instrument.

Data only; `venue_orders`, `venue_fills`, `venue_bars` and `venue_ticks` are what happens to it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from workbench.errors import ConfigError
from workbench.market.instrument import Instrument
from workbench.trading.account import Account
from workbench.trading.arithmetic import impact, market_price, round_down, volume_budget
from workbench.trading.events import AmendOrder, CancelOrder, Submit
from workbench.trading.gate import Listing
from workbench.trading.matching import MARKET, TRAIL, Resting, falls, level_of
from workbench.trading.positions import Position
from workbench.trading.terms import CostTerms, Lots

__all__ = ["Floor", "Market", "Options"]

NAN: Final = math.nan
INF: Final = math.inf
QUIET: Final = (-INF, INF)
RESTLESS: Final = (INF, -INF)

Arrival = tuple[float, int, Submit | CancelOrder | AmendOrder]


class Options:
    """How a venue matches; ConfigError for words that it does not know."""

    __slots__ = ("latency_ms", "path", "queue", "touch")

    def __init__(self, intrabar: str, limit_fill: str, latency_ms: int) -> None:
        if intrabar not in ("pessimistic", "path"):
            raise ConfigError(f"intrabar={intrabar!r} is not known; there are 'pessimistic' and 'path'")
        if limit_fill not in ("touch", "through", "queue"):
            raise ConfigError(f"limit_fill={limit_fill!r} is not known; there are 'touch', 'through' and 'queue'")
        if not 0 <= latency_ms < INF:
            raise ConfigError(f"latency_ms={latency_ms!r} is not known; give a number of milliseconds of 0 or more")
        self.path = intrabar == "path"
        self.touch = limit_fill != "through"
        self.queue = limit_fill == "queue"
        self.latency_ms = latency_ms


class Market:
    """One instrument at the venue.

    Attributes
    ----------
    price : float
        The present price; NaN before the first.
    last : float
        Price of the last trade that was told by a tick; NaN on bars.
    budget : float
        What is left of the volume that can be had.
    volume, sigma : float
        Of the bar, for the market's reaction.
    bids, asks : list of [price, quantity]
        What is left of the order book, best first; empty where none is fed.
    resting : list of Resting
        Orders that wait for a price.
    left : list of Resting
        Market orders and remainders that wait for the next open. A stop that was triggered and not filled in full is
        in both lists: its level still holds.
    forced : list of Resting
        The liquidations of what is held, as stops that the market has placed.
    arriving : list of Arrival
        Requests under way, oldest first.
    expires : float
        No order expires before (ms UTC).
    bars : bool
        Whether it is fed by bars, so that what arrives waits for an open.
    waits : bool
        Whether orders wait for the next open to be looked at.
    opened_inside : bool
        Whether a resting order has opened a position inside the bar in hand.
    opening : bool
        Whether a bar has been opened and not been matched inside yet.
    span : int
        Length of the last bar, ms.
    stamp : int
        What executions are stamped with, ms UTC: when the bar in hand opened, or the time of the last trade.
    stale : bool
        Whether `forced`, `low` and `high` are to be worked out anew.
    """

    __slots__ = (
        "arriving", "asks", "bars", "bids", "budget", "costs", "expires", "forced", "high", "last", "left", "legs",
        "listing", "lot", "low", "margined", "opened_inside", "opening", "price", "resting", "sigma", "span",
        "stale", "stamp", "symbol", "tick", "trails", "volume", "waits",
    )  # fmt: skip

    def __init__(self, instrument: Instrument, lots: Lots, costs: CostTerms, tiers: Any, account: Account) -> None:
        self.symbol = instrument.symbol
        self.costs, self.tick, self.lot = costs, lots.tick, lots.lot
        self.listing = Listing(lots, instrument.contract_size, instrument.kind == "inverse", tiers)
        self.margined = instrument.perpetual or account.leverage(instrument.symbol) != 1.0
        self.price = self.last = self.sigma = NAN
        self.volume = self.budget = INF
        self.bids: list[list[float]] = []
        self.asks: list[list[float]] = []
        self.resting: list[Resting] = []
        self.left: list[Resting] = []
        self.forced: list[Resting] = []
        self.trails: list[Resting] = []
        self.arriving: list[Arrival] = []
        self.expires = INF
        self.bars = True
        self.waits = self.opened_inside = self.opening = False
        self.stale = True
        self.span = self.stamp = 0
        self.low, self.high = QUIET
        self.legs: dict[str, Position] = {}
        self.hold(account)

    def hold(self, account: Account) -> None:
        """Take the positions from the books."""
        names = ("long", "short") if account.terms.hedge else ("net",)
        self.legs = {name: account.position(self.symbol, name) for name in names}

    def open_orders(self) -> list[Resting]:
        """Give the orders that are open, each once."""
        return self.resting + [one for one in self.left if one.kind == MARKET] if self.left else list(self.resting)

    def set_volume(self, volume: float, sigma: float) -> None:
        """Take the volume that can be had from now on; infinity or NaN where nothing limits it."""
        share = self.costs.volume_share
        self.volume, self.sigma = volume, sigma
        self.budget = INF if volume != volume or share == INF else round_down(volume_budget(volume, share), self.lot)

    def taker_price(self, quoted: float, sign: float, quantity: float) -> float:
        """Give the price of a market order: slippage, and the market's reaction to its size."""
        costs = self.costs
        if costs.impact_kind == 0:
            return market_price(quoted, sign, costs.slippage)
        moved = impact(costs.impact_kind, costs.impact, quantity, self.volume, self.sigma)
        return market_price(quoted, sign, costs.slippage + moved)

    def unit_value(self, price: float) -> float:
        """Give the value of one unit or contract at a price, in the settlement currency."""
        listing = self.listing
        return listing.size / price if listing.inverse else price * listing.size

    def seek(self) -> None:
        """Work out anew between which prices nothing happens."""
        self.stale = False
        if not (self.resting or self.forced):
            self.low, self.high = QUIET
            self.trails = []
            return
        low, high = -INF, INF
        for order in (*self.resting, *self.forced):
            if order.kind == TRAIL:
                continue
            level = level_of(order, self.tick)
            if falls(order):
                low = level if level > low else low
            else:
                high = level if level < high else high
        self.low, self.high = low, high
        self.trails = [order for order in self.resting if order.kind == TRAIL]


class Floor:
    """The whole venue.

    Attributes
    ----------
    now : int
        What fills are stamped with, ms UTC.
    clock : float
        The time, for latency and expiry: on a bar that is over that is its end.
    number : int
        The next place in time.
    orders : dict of Resting
        The open ones, by id.
    gone : dict
        Ids of those that are final.
    inside : bool
        Whether a bar is being matched inside.
    """

    __slots__ = (
        "account", "clock", "gone", "inside", "markets", "now", "number", "options", "orders", "shared",
    )  # fmt: skip

    def __init__(self, account: Account, markets: Mapping[str, Market], options: Options) -> None:
        self.account, self.markets, self.options = account, dict(markets), options
        self.now, self.clock, self.number = 0, 0.0, 0
        self.orders: dict[str, Resting] = {}
        self.gone: dict[str, None] = {}
        self.inside = False
        # what stands behind one position depends on the others, so that no level can be kept
        self.shared = len(self.markets) > 1 and not account.terms.isolated and account.terms.kind != "cash"

    def market(self, symbol: str) -> Market:
        """Give an instrument; ConfigError for an unknown one."""
        market = self.markets.get(symbol)
        if market is None:
            raise ConfigError(
                f"{symbol!r} is not traded at this venue; it has {', '.join(self.markets)}", symbol=symbol
            )
        return market

    def rest(self, market: Market, order: Resting) -> None:
        """Put an order where it waits: for a price, or for the next open."""
        self.orders[order.id] = order
        if order.kind == MARKET:
            market.left.append(order)
        else:
            market.resting.append(order)
        if order.expires < market.expires:
            market.expires = order.expires
        market.stale = True

    def forget(self, market: Market, order: Resting) -> None:
        """Take an order out: it is final."""
        if self.orders.pop(order.id, None) is not None:
            for kept in (market.left, market.resting):
                if order in kept:
                    kept.remove(order)
            market.stale = True
        self.gone[order.id] = None

    def due(self) -> float:
        """Give the next time at which something expires or arrives; infinity for never."""
        found = INF
        for market in self.markets.values():
            if market.expires < found:
                found = market.expires
            if market.arriving and market.arriving[0][0] < found:
                found = market.arriving[0][0]
        return found

    def arrived(self, symbols: list[str]) -> list[Arrival]:
        """Take out what has arrived at instruments by now, in the order in which it was sent."""
        come = []
        for symbol in symbols:
            waiting = self.markets[symbol].arriving
            while waiting and waiting[0][0] <= self.clock:
                come.append(waiting.pop(0))
        return sorted(come, key=lambda one: one[:2])

    def held(self, market: Market, order: Resting) -> float:
        """Give how much an order can close of what is held; never below zero."""
        quantity = -order.sign * market.legs[order.leg].quantity
        return quantity if quantity > 0.0 else 0.0

    def wanted(self, market: Market, order: Resting) -> float:
        """Give how much an order still wants to trade: what it closes is cut to what is held."""
        if order.close_position:
            return self.held(market, order)
        left = order.quantity - order.filled
        return min(left, self.held(market, order)) if order.reduce_only else left
