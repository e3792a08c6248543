"""A simulated venue on live market data: the matcher of the backtest, told of the market as it happens.

Without tasks, network or clock, so that the same requests and the same market give the same executions. Where prices
come between bars (quotes, trades, order books), orders meet those, and a bar only tells what was missed of it; on bars
alone, and for bars that closed while nobody listened, it is the backtest's rules for bars: what was asked for since the
last close trades at the open, and what rests along the bar.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from workbench.backtest.event_setup import account_of
from workbench.backtest.plan import Plan
from workbench.bots.brokers.simulated_market import PriceMoved, Side, Waiting, book_of, quotes_of
from workbench.bots.brokers.simulated_memory import Kept
from workbench.bots.brokers.simulated_orders import Orders
from workbench.bots.brokers.simulated_terms import PaperTerms
from workbench.bots.brokers.talk import ENDED, Look, Send, Snapshot, VenueFunding, VenueOrder, VenuePosition
from workbench.errors import BrokerRejected, DataError
from workbench.market.feeds.events import BarClosed, BookMoved, GapFound, TickerMoved, TradePrinted
from workbench.market.feeds.events import Event as MarketEvent
from workbench.trading.account import money
from workbench.trading.events import (
    AmendOrder,
    Book,
    Canceled,
    CancelOrder,
    Event,
    Funded,
    Rejected,
    Submit,
    Tick,
)
from workbench.trading.gate import REJECTIONS, Listing, check_order
from workbench.trading.orders import Order
from workbench.trading.venue import Venue

__all__ = ["SimulatedVenue"]

NAN: Final = math.nan
_SETTLED: Final = 500  # settlements of funding that can be asked for
_SIDES: Final = {1: "buy", -1: "sell", 0: ""}


class SimulatedVenue:
    """One paper account at a venue whose market is somebody else's.

    Parameters
    ----------
    plan : Plan
        What is traded, with what money and at which costs.
    terms : PaperTerms
    kept : Kept, optional
        The state in which it was left.
    said : callable, optional
        Told everything that the matcher says at once, before it matches on: who reacts to it is inside the bar.

    Attributes
    ----------
    now : int
        The latest time that it was told of, ms UTC.
    orders : Orders
    moved : bool
        Whether orders, positions or money have changed since whoever keeps it has set this to false.

    Raises
    ------
    DataError
        What was kept is of another account.
    """

    def __init__(
        self, plan: Plan, terms: PaperTerms, kept: Kept | None = None,
        said: Callable[[Event], None] = lambda event: None,
    ) -> None:  # fmt: skip
        self.terms, self.said = terms, said
        spread = terms.spread_bps
        self._lines = {line.bars.symbol: line for line in plan.lines}
        costs = {
            symbol: line.costs if spread is None else line.costs._replace(slippage=spread / 20_000.0)
            for symbol, line in self._lines.items()
        }
        self.account = account_of(plan)
        self._venue = Venue(
            {symbol: line.bars.instrument for symbol, line in self._lines.items()}, self.account, costs,
            {symbol: line.lots for symbol, line in self._lines.items()},
            {symbol: line.tiers for symbol, line in self._lines.items()},
            intrabar="path" if plan.path_inside else "pessimistic", limit_fill=plan.limit_fill,
        )  # fmt: skip
        self._sides = {symbol: Side.of(line) for symbol, line in self._lines.items()}
        self._settles = not plan.account.isolated and any(line.margined for line in plan.lines)
        self.orders = Orders(kept)
        self.settled: list[VenueFunding] = []
        self.now = 0
        self.moved = False
        if kept is not None:
            self._take_up(kept.state)

    # what is asked for

    def ask(self, request: Send) -> VenueOrder:
        """Carry out a request, and give the order as it is then.

        Raises
        ------
        BrokerRejected
            With `code`, one of `gate.REJECTIONS`.
        """
        action = request.action
        if isinstance(action, Submit):
            return self._submit(action.order)
        known = self.orders.all.get(request.id)
        if known is None:
            raise _refused("unknown_order", request.id)
        if known.status in ENDED:
            raise _refused("order_is_final", request.id)
        self._catch_up_time(self._sides[known.symbol])
        if isinstance(action, CancelOrder):
            self._cancel(known)
        else:
            self._amend(known, action)
        return self.orders.all[request.id]

    def _submit(self, wanted: Order) -> VenueOrder:
        if wanted.id in self.orders.all:
            raise _refused("duplicate_id", wanted.id)
        side = self._sides.get(wanted.symbol)
        if side is None:
            raise _refused("unknown_instrument", wanted.id)
        order = replace(wanted, extra={}, created=self.now, updated=self.now)
        self._catch_up_time(side)
        self.orders.begin(order, self.now)
        if side.ready:
            self._take(self._venue.handle(Submit(order)))
        else:
            code = self._form(order)
            if code:
                self._take([Rejected(self.now, order.id, code)])
            else:
                side.waiting.append(Waiting(side.heard + self.terms.latency_ms, Submit(order)))
                self.orders.change(order.id)
        if self.orders.all[order.id].status == "rejected":
            raise _refused(self.orders.why.get(order.id, "refused_by_venue"), order.id)
        return self.orders.all[order.id]

    def _form(self, order: Order) -> str:
        """Judge the form of an order that no market is there for yet."""
        line, price = self._lines[order.symbol], self._sides[order.symbol].last
        facts = line.bars.instrument
        listing = Listing(line.lots, facts.contract_size, facts.kind == "inverse", line.tiers)
        return check_order(order, listing, self.account, price if price == price else 1e18, self.now)

    def _cancel(self, known: VenueOrder) -> None:
        waiting = self._sides[known.symbol].waiting
        fresh = any(one.id == known.id and isinstance(one.action, Submit) for one in waiting)
        waiting[:] = [one for one in waiting if one.id != known.id]
        self._take([Canceled(self.now, known.id)] if fresh else self._venue.handle(CancelOrder(known.id)))

    def _amend(self, known: VenueOrder, action: AmendOrder) -> None:
        side = self._sides[known.symbol]
        if side.ready:
            for event in self._venue.handle(action):
                if isinstance(event, Rejected):
                    raise _refused(event.code, known.id)
                self._take([event])
            return
        if action.quantity <= known.filled:
            raise _refused("below_filled", known.id)
        side.waiting.append(Waiting(side.heard, action, (known.price, known.quantity, known.stop_price)))
        told = {"price": action.price, "quantity": action.quantity, "stop_price": action.stop_price}
        self.orders.change(known.id, **{name: one for name, one in told.items() if one == one})

    def look(self, request: Look) -> Snapshot:
        """Give all that it has."""
        balances: dict[str, float] = {}
        positions = []
        for currency, pool in self.account.pools.items():
            balances[currency] = balances.get(currency, 0.0) + pool.exact()
            for line, one in pool.open():
                if line.instrument.kind == "spot":  # coins that were paid for; contracts are only backed by money
                    balances[line.base] = balances.get(line.base, 0.0) + one.quantity * line.size
                else:
                    balances[currency] += one.cost
                    positions.append(VenuePosition(one.symbol, one.quantity, one.price, one.leg))
        balances = {asset: money(amount) for asset, amount in balances.items()}
        fills = self.orders.since(request.since)
        since = request.funding_since
        funding = tuple(one for one in self.settled if one.ts >= since) if since else None
        return Snapshot(self.now, request.since, self.orders.open(), fills, tuple(positions), balances, funding)

    # what the market does

    def pass_time(self, ts: int) -> None:
        """Let time pass: orders expire that are good till then."""
        self.now = max(self.now, ts)
        for side in self._sides.values():
            self._catch_up_time(side)

    def _catch_up_time(self, side: Side) -> None:
        if side.ready and not side.open:
            self._forget_stale(side)
            self._venue.stamp(side.symbol, self.now)
            self._take(self._venue.time(self.now))

    def hear(self, event: MarketEvent) -> bool:
        """Take what a feed tells; give whether it was a bar or a price of what is traded."""
        side = self._sides.get(event.symbol)
        if side is None:
            return False
        if isinstance(event, BarClosed):
            if event.timeframe != side.timeframe or event.ts + side.span <= side.known:
                return False
            self._bar(side, event)
        elif isinstance(event, GapFound):
            if event.channel == f"bars {side.timeframe}":
                side.known = max(side.known, event.upto)
                self._caught_up(side)
        elif isinstance(event, (TickerMoved, TradePrinted, BookMoved)):
            self._price(side, event)
        else:
            return False
        return True

    def _price(self, side: Side, event: PriceMoved) -> None:
        """Take a price, unless bars that came before it have not been told yet."""
        if side.behind == 0 or side.live:
            self._moved(side, event)
            return
        side.behind = max(side.behind, event.ts // side.span * side.span)
        side.held[type(event)] = event
        self._caught_up(side)

    def _caught_up(self, side: Side) -> None:
        if side.held and side.known >= side.behind:
            held, side.held, side.behind = side.held, {}, 0
            for event in sorted(held.values(), key=lambda one: one.ts):
                self._moved(side, event)

    def _moved(self, side: Side, event: PriceMoved) -> None:
        first, side.live, side.behind = not side.live, True, 0
        self.now = ts = max(self.now, event.ts)
        if isinstance(event, TradePrinted):
            side.trades = True
            self._traded(side, event.price, event.quantity, _SIDES[event.side])
        elif isinstance(event, BookMoved):
            side.booked, side.deep = ts, True
            side.shown = book_of(side.symbol, ts, event.bids, event.asks, self.terms)
            self._take(self._venue.book(side.shown))
        else:
            self._quoted(side, quotes_of(event, ts, self.terms))
            if event.last is not None and 0.0 < event.last < math.inf and not (side.trades and not first):
                self._traded(side, event.last, 0.0, "")
        side.heard = max(side.heard, ts)
        if side.waiting and side.last == side.last:
            self._arrive(side, math.inf)
        if self._settles:
            self._take(self._venue.settle(ts))

    def _quoted(self, side: Side, quotes: Book | None) -> None:
        """Take the best prices of a ticker, unless there is a whole book."""
        self._forget_stale(side)
        if quotes is not None and not side.deep:
            side.booked, side.shown = self.now, quotes
            self._take(self._venue.book(quotes))

    def _forget_stale(self, side: Side) -> None:
        if side.booked >= 0 and self.now > side.booked + self.terms.stale_ms:
            self._forget_book(side)

    def _forget_book(self, side: Side) -> None:
        if side.booked >= 0:
            side.booked, side.deep = -1, False
            self._take(self._venue.book(Book(side.symbol, self.now, (), ())))

    def _traded(self, side: Side, price: float, quantity: float, taker: str) -> None:
        self._fund(side, self.now, price)
        if price == side.ticked and not quantity:
            self._take(self._venue.time(self.now))
        else:
            side.ticked = price
            self._take(self._venue.tick(Tick(side.symbol, self.now, price, quantity, taker)))
        side.see(self.now, price)

    def _arrive(self, side: Side, upto: float) -> None:
        """Let what waits meet the market."""
        come = [one for one in side.waiting if one.arrives <= upto]
        side.waiting = [one for one in side.waiting if one.arrives > upto]
        for one in come:
            for event in self._venue.handle(one.action):
                if not isinstance(event, Rejected):
                    self._take([event])
                elif isinstance(one.action, Submit):  # it was taken already, so that now it can only be cancelled
                    self.orders.take(Canceled(self.now, one.id, event.code), self.now)
                    self.said(event)
                else:
                    price, quantity, stop = one.before
                    self.orders.change(one.id, price=price, quantity=quantity, stop_price=stop)
                    self.said(event)

    # bars

    def _bar(self, side: Side, event: BarClosed) -> None:
        closes = event.ts + side.span
        if side.live or event.ts < side.heard:
            self._missed(side, event, closes)
        else:
            self._whole(side, event, closes)
        side.heard, side.known = max(side.heard, closes), max(side.known, closes)
        self.now = max(self.now, closes)
        self._caught_up(side)

    def _whole(self, side: Side, event: BarClosed, closes: int) -> None:
        """Go through a bar as the backtest does."""
        venue, symbol, ts = self._venue, side.symbol, event.ts
        self.now, side.open, side.ticked = max(self.now, ts), True, NAN
        try:
            self._take(venue.open(ts, symbol, event.open, event.volume, carry=False))
            self._fund(side, ts, event.open)
            self._arrive(side, ts)
            self._take(venue.carry(symbol, leaving=True))
            self._take(venue.carry(symbol, leaving=False))
            self._inside(side, (event.open, event.high, event.low, event.close), event.volume, (ts, closes))
            self._fund(side, closes - 1, event.close)
            venue.close(symbol, event.close, ts)
            if self._settles:
                self._take(venue.settle(ts))
        finally:
            side.open = False
        side.see(closes - 1, event.close)

    def _missed(self, side: Side, event: BarClosed, closes: int) -> None:
        """Go through what was not seen of a bar between prices, or before and after a restart.

        While prices came it is not known when an extreme was that nobody saw: orders younger than the bar are left
        alone.
        """
        later = closes > side.heard
        found = side.unseen(event.ts, event.high, event.low)
        close = event.close if later else side.last
        if side.last == side.last and (later or found is not None):
            high, low = found or (side.last, side.last)
            prices = (side.last, max(high, side.last, close), min(low, side.last, close), close)
            at = side.heard if later else self.now
            self._sweep(side, prices, event.volume, (at, max(at, closes)), event.ts if side.live else None)
        if later:
            if side.booked < 0:
                self._venue.close(side.symbol, event.close, side.heard)
            side.ticked = NAN
            side.see(closes - 1, event.close)

    def _sweep(
        self, side: Side, prices: tuple[float, float, float, float], volume: float, span: tuple[int, int],
        since: int | None,
    ) -> None:  # fmt: skip
        """Go through prices that nobody saw, without the book of now."""
        low, high, trails, _ = self._venue.watch(side.symbol)
        if low < prices[2] and high > prices[1] and not trails:
            return
        shown = side.shown if side.booked >= 0 else None
        if shown is not None:
            self._take(self._venue.book(Book(side.symbol, self.now, (), ())))
        side.open = True
        try:
            self._inside(side, prices, volume, span, since)
        finally:
            side.open = False
        if shown is not None:
            self._take(self._venue.book(shown._replace(ts=self.now)))

    def _inside(
        self, side: Side, prices: tuple[float, float, float, float], volume: float, span: tuple[int, int],
        since: int | None = None,
    ) -> None:  # fmt: skip
        opened, high, low, close = prices
        for event in self._venue.bar(side.symbol, span[0], opened, high, low, close, volume, span[1], since=since):
            if event is not None:
                self._take([event])

    def rate(self, symbol: str, ts: int, rate: float, mark: float = NAN) -> None:
        """Take it that funding is settled at a time (ms UTC); the last word on that time counts, until it has come."""
        side = self._sides.get(symbol)
        if side is None or ts <= side.heard:
            return
        if side.rates and side.rates[-1][0] == ts:
            side.rates.pop()
        if not side.rates or side.rates[-1][0] < ts:
            side.rates.append((ts, rate, mark))

    def _fund(self, side: Side, ts: int, price: float) -> None:
        """Settle the funding that is due by a time on what is held."""
        while side.rates and side.rates[0][0] <= ts:
            due, rate, mark = side.rates.popleft()
            if due > side.heard - side.span and self.account.quantity(side.symbol):
                self._take(self._venue.fund(side.symbol, due, rate, price if mark != mark else mark))

    # what it says

    def _take(self, events: list[Event]) -> None:
        for event in events:
            self.moved = True
            if isinstance(event, Funded):
                told = VenueFunding(event.ts, event.symbol, event.amount, event.rate)
                self.settled = [*self.settled[1 - _SETTLED :], told]
            self.orders.take(event, self.now)
            self.said(event)

    # what is kept

    def to_plain(self) -> dict[str, Any]:
        """Give the state as plain data; orders and executions are kept beside it."""
        state = self._venue.snapshot()
        del state["gone"]  # they are the orders that have ended
        sides = {name: one.to_plain() for name, one in self._sides.items()}
        return {"now": self.now, "venue": state, "sides": sides, "settled": [list(one) for one in self.settled]}

    def _take_up(self, state: Mapping[str, Any]) -> None:
        try:
            self._venue.restore({**state["venue"], "gone": self.orders.ended()})
            for name, side in self._sides.items():
                side.take_up(state["sides"][name])
            self.now, self.settled = state["now"], [VenueFunding(*row) for row in state["settled"]]
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"what a paper account was left as cannot be read: {error!r}; begin a new bot") from error
        for side in self._sides.values():
            held = self.account.quantity(side.symbol)
            if side.heard and (held or any(one.symbol == side.symbol for one in self.orders.open())):
                side.behind = max(side.heard // side.span * side.span, 1)
            self._take(self._venue.book(Book(side.symbol, self.now, (), ())))


def _refused(code: str, id: str) -> BrokerRejected:
    return BrokerRejected(f"{id}: {REJECTIONS.get(code, code)}", code=code)
