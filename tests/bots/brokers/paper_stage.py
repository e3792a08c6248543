"""A paper broker driven by hand: a core on made-up bars, quotes and books, without tasks or a clock."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import workbench as wb
from tests.practice.stage import MINUTE, SPOT, T0, bars
from workbench.backtest.event_path import Replay
from workbench.backtest.plan import Plan
from workbench.backtest.prepare import prepare
from workbench.bots.brokers.simulated import SimulatedBroker
from workbench.bots.brokers.simulated_terms import PaperTerms
from workbench.bots.brokers.talk import Find, Look, Send, Snapshot, VenueFill, VenueOrder
from workbench.bots.papering import PaperReplay
from workbench.errors import BrokerRejected
from workbench.market.feeds.events import BarClosed, BookMoved, TickerMoved, TradePrinted
from workbench.trading.events import Action, AmendOrder, CancelOrder, Event, Marked, Opened, Rejected, Started, Submit
from workbench.trading.orders import Order, client_order_id

NAN = float("nan")
NOTHING = PaperTerms(latency_ms=0.0)


class Still(wb.OrderStrategy):
    """Does nothing."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        return None


def plan_of(symbol: str = SPOT, *, rows: Sequence[tuple[float, ...]] = ((100.0, 101.0, 99.0, 100.0, 50.0),) * 5,
            **terms: Any) -> Plan:  # fmt: skip
    given = {"cash": 10_000.0, "leverage": 5.0} | terms
    return prepare(Still(), [bars(symbol, list(rows), tick_size=0.01, lot_size=0.001)], **given)


class Paper:
    """A broker of one instrument whose market is told by hand; `at` is its clock, ms UTC."""

    def __init__(self, plan: Plan | None = None, terms: PaperTerms = NOTHING, memory: Path | None = None) -> None:
        self.plan, self.terms, self.memory = plan or plan_of(), terms, memory
        self.symbol = self.plan.lines[0].bars.symbol
        self.at = T0
        self.numbers = itertools.count()
        self.open()

    def open(self) -> None:
        """Begin, or go on from the file."""
        self.broker = SimulatedBroker(self.plan, terms=self.terms, memory=self.memory, clock=lambda: self.at)

    def dies(self) -> None:
        """End as a killed process does, and begin again."""
        memory = self.broker._memory
        if memory is not None:
            memory.close()
        self.open()

    # the market

    def quote(self, bid: float, ask: float, last: float | None = None, size: float | None = None, ms: int = 1) -> None:
        self.at += ms
        price = (bid + ask) / 2.0 if last is None else last
        self.broker.hear(TickerMoved(self.symbol, self.at, self.at, bid, ask, price, size, size, None))

    def last(self, price: float, ms: int = 1) -> None:
        self.at += ms
        self.broker.hear(TickerMoved(self.symbol, self.at, self.at, None, None, price, None, None, None))

    def trade(self, price: float, quantity: float, side: int = 0, ms: int = 1) -> None:
        self.at += ms
        self.broker.hear(TradePrinted(self.symbol, self.at, self.at, str(self.at), price, quantity, side))

    def book(self, bids: Any, asks: Any, ms: int = 1) -> None:
        self.at += ms
        self.broker.hear(BookMoved(self.symbol, self.at, self.at, tuple(bids), tuple(asks), False))

    def bar(self, ts: int, *prices: float, volume: float = 100.0) -> None:
        self.at = max(self.at, ts + MINUTE)
        self.broker.hear(BarClosed(self.symbol, ts, self.at, "1m", *prices, volume, "rest"))

    # orders

    def order(self, side: Any = "buy", type: Any = "market", quantity: float = 1.0, **more: Any) -> Order:
        return Order(client_order_id("paper", next(self.numbers), self.symbol, side, type), self.symbol, side, type,
                     quantity, **more)  # fmt: skip

    def submit(self, order: Order) -> VenueOrder:
        return self.broker.carry_out(Send(Submit(order), order.id, order.symbol))

    def place(self, side: Any = "buy", type: Any = "market", quantity: float = 1.0, **more: Any) -> VenueOrder:
        return self.submit(self.order(side, type, quantity, **more))

    def cancel(self, id: str) -> VenueOrder:
        return self.broker.carry_out(Send(CancelOrder(id), id, self.symbol))

    def amend(self, id: str, price: float = NAN, quantity: float = NAN, stop: float = NAN) -> VenueOrder:
        return self.broker.carry_out(Send(AmendOrder(id, price, quantity, stop), id, self.symbol))

    def refused(self, side: Any = "buy", type: Any = "market", quantity: float = 1.0, **more: Any) -> str:
        try:
            self.place(side, type, quantity, **more)
        except BrokerRejected as error:
            return str(error.fields["code"])
        return ""

    def seen(self, id: str) -> VenueOrder:
        found = asyncio.run(self.broker.find(Find(id, self.symbol)))
        assert found is not None
        return found

    def look(self, since: int = 0, funding_since: int = 0) -> Snapshot:
        return asyncio.run(self.broker.look(Look(since, funding_since)))

    def fills(self, id: str = "") -> list[VenueFill]:
        return [one for one in self.broker.venue.orders.fills if id in ("", one.id)]

    @property
    def held(self) -> float:
        return self.broker.venue.account.quantity(self.symbol)


class Alike(PaperReplay):
    """A bot on a tape whose venue is the paper broker, which hears of the tape as a feed would tell it."""

    def __init__(self, plan: Plan, mind: Any, terms: PaperTerms = NOTHING) -> None:
        super().__init__(plan, mind)
        self.broker = SimulatedBroker(plan, terms=terms, clock=lambda: self.broker.venue.now)
        self.broker.said = lambda event: self.deliver([event])
        mind.core.estimate = self._estimate
        self._opened = NAN

    def go(self) -> None:
        feed = self.feeds[0]
        self.deliver([Started(int(feed.ts[0]))])
        for i in range(len(feed.ts)):
            ts = feed.ts[i]
            self._decide(ts, feed.open[i])
            self.broker.hear(
                BarClosed(feed.symbol, ts, ts, feed.timeframe, feed.open[i], feed.high[i], feed.low[i], feed.close[i],
                          feed.volume[i], "replay")
            )  # fmt: skip
            self.end(feed, i)
            self.hear([(feed, i)], ts + feed.tf_ms)

    def _estimate(self, symbol: str, sign: float, quantity: float) -> float:
        return self.broker.venue._venue._floor.market(symbol).taker_price(self._opened, sign, quantity)

    def _decide(self, ts: int, price: float) -> None:
        """Let what was decided on the last close be sized and sent at the open."""
        self._opened = price
        self.deliver([Opened(ts, {self.feeds[0].symbol: price})])

    def end(self, feed: Any, i: int) -> None:
        self.deliver([Marked(feed.ts[i], feed.symbol, feed.close[i])])

    def act(self, action: Action) -> None:
        if isinstance(action, (Submit, CancelOrder, AmendOrder)):
            order = action.order if isinstance(action, Submit) else self.mind.core.orders[action.id]
            try:
                self.broker.carry_out(Send(action, order.id, order.symbol))
            except BrokerRejected as error:
                if not isinstance(action, Submit):
                    self.deliver([Rejected(self.broker.venue.now, order.id, str(error.fields["code"]))])
            return
        Replay.act(self, action)


def executions(events: Sequence[Event] | Any) -> list[tuple[Any, ...]]:
    """What two runs must have alike of an execution."""
    return [(one.ts, one.symbol, one.side, one.quantity, one.price, one.fee, one.maker) for one in events]


__all__ = ["NAN", "NOTHING", "Alike", "Paper", "Still", "executions", "plan_of"]
