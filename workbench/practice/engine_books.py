"""One wallet's matcher and books, and the translation of what they say into the records and messages of the exchange.

A `Books` is a `trading.venue.Venue` with its `trading.account.Account`. It is fed the trades of the markets in which it
has something, and a book of the market when a request comes or a trade may set something off. The matcher knows orders
by the exchange's numbers; client ids are the exchange's business.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Protocol

from workbench.market.instrument import Instrument
from workbench.practice.engine_filters import refuse
from workbench.practice.engine_messages import Message, OrderChanged
from workbench.practice.engine_records import AccountSetup, Execution, OrderRecord, Refused
from workbench.practice.markets.market import Market, Print
from workbench.trading.account import Account
from workbench.trading.arithmetic import round_down
from workbench.trading.events import (
    Accepted,
    Action,
    Amended,
    AmendOrder,
    Book,
    Canceled,
    CancelOrder,
    Event,
    Expired,
    Filled,
    Rejected,
    Submit,
    Tick,
    Triggered,
)
from workbench.trading.gate import REJECTIONS
from workbench.trading.orders import Order
from workbench.trading.terms import AccountTerms, CostTerms, Lots
from workbench.trading.venue import Venue

__all__ = ["LEVELS", "Books", "Desk", "Purse"]

LEVELS: Final = 50
"""Levels of the market's book that orders are matched against."""

NAN: Final = math.nan
_LIQUIDATION: Final = "liquidation:"


class Purse(Account):
    """Books in which an asset that nothing converts into the account's currency counts as nothing in its totals."""

    def _rate(self, currency: str) -> float:
        return 1.0 if currency == self.currency else 0.0


class Desk(Protocol):
    """What books need of the account that they are a part of."""

    name: str
    setup: AccountSetup

    def now(self) -> int:
        """Give the present, ms UTC."""
        ...

    def number(self) -> int:
        """Give the next number of an order."""
        ...

    def execution_number(self) -> int:
        """Give the next number of an execution."""
        ...

    def keep(self, order: OrderRecord) -> None:
        """Enter an order among those of the account."""
        ...

    def income_number(self) -> int:
        """Give the next number of a line of income."""
        ...

    def executed(self, execution: Execution) -> None:
        """Enter an execution."""
        ...

    def moved(self, order: OrderRecord, kind: str) -> None:
        """Do what follows for the other orders of its list."""
        ...

    def tell(self, message: Message) -> None:
        """Tell the listeners."""
        ...


class Books:
    """One wallet's matcher and books.

    Parameters
    ----------
    desk : Desk
    markets : mapping of symbol to Market
        Those of the wallet.
    terms : AccountTerms
    cash : mapping of asset to float
    currency : str

    Attributes
    ----------
    open : dict of int to OrderRecord
        Open orders by number, oldest first.
    """

    wallet = ""

    def __init__(
        self, desk: Desk, markets: Mapping[str, Market], terms: AccountTerms, cash: Mapping[str, float], currency: str
    ) -> None:
        self.desk, self.markets, self.terms, self.currency = desk, dict(markets), terms, currency
        facts = {symbol: market.instrument for symbol, market in markets.items()}
        leverage = {symbol: min(terms.leverage, one.max_leverage) for symbol, one in facts.items()}
        self.account = Purse(
            dict(cash), terms, facts.values(), currency=currency, leverage=leverage if terms.kind == "margin" else None
        )
        tiers = {symbol: line.tiers for symbol, line in self.account.lines.items()}
        lots = {symbol: Lots(one.tick_size, one.lot_size, 0.0) for symbol, one in facts.items()}
        self.venue = Venue(facts, self.account, {symbol: self.costs(one) for symbol, one in facts.items()}, lots, tiers)
        self.open: dict[int, OrderRecord] = {}
        self._shown: dict[str, int] = {}  # the trade whose book the matcher has

    def costs(self, facts: Instrument) -> CostTerms:
        """Give what trading an instrument costs at the matcher."""
        return CostTerms(volume_share=1.0)

    def active(self) -> set[str]:
        """Give the symbols whose trades matter."""
        return {one.symbol for one in self.open.values()} | {one.symbol for one in self.account.positions}

    def due(self) -> float:
        """Give when an order expires next, ms UTC; infinity for never."""
        times = [one.expires for one in self.open.values() if one.expires is not None]
        return min(times, default=math.inf)

    def print(self, symbol: str, one: Print) -> None:
        """Match against a trade of the market."""
        low, high = self.venue.bounds(symbol)
        if not low < one.price < high or self.venue.trailing(symbol):
            self._show(symbol, one)
        self.take(self.venue.tick(Tick(symbol, one.ts, one.price, one.quantity, one.side)))
        self.after_print(symbol)

    def after_print(self, symbol: str) -> None:
        """Do what is to be done after a trade has been matched."""

    def time(self, ts: int) -> None:
        """Let orders expire."""
        self.take(self.venue.time(ts))

    def wake(self, symbol: str) -> None:
        """Bring the matcher to the present of a market; Refused ("not_trading") before its first trade."""
        now, market = self.desk.now(), self.markets[symbol]
        last = market.last(now)
        if last is None:
            raise refuse("not_trading", f"{symbol}: there has been no trade yet")
        if symbol not in self.active():
            self._shown.pop(symbol, None)
            self.take(self.venue.tick(Tick(symbol, now, last.price, last.quantity, last.side)))
        if self._shown.get(symbol) != last.id:
            self._show(symbol, last)
        self.take(self.venue.time(now))

    def forget(self, symbol: str) -> None:
        """Forget the book that the matcher was shown last, as the market's is another one now."""
        self._shown.pop(symbol, None)

    def _show(self, symbol: str, one: Print) -> None:
        """Show the matcher the book that a trade leaves."""
        self._shown[symbol] = one.id
        bids, asks = self.markets[symbol].book_after(one, LEVELS)
        self.take(self.venue.book(Book(symbol, self.desk.now(), bids, asks)))
        self.account.mark(symbol, one.price)

    # Requests

    def estimate(self, symbol: str, side: str, quantity: float) -> float:
        """Give the average price of a market order now."""
        return self.venue.estimate(symbol, 1.0 if side == "buy" else -1.0, quantity)

    def units(self, symbol: str, side: str, quote: float) -> float:
        """Give the quantity that an amount of quote currency buys or sells at the market, in whole lots."""
        facts = self.markets[symbol].instrument
        quantity = quote / (self.estimate(symbol, side, 0.0) * facts.contract_size)
        for _ in range(4):
            quantity = quote / (self.estimate(symbol, side, quantity) * facts.contract_size)
        quantity = round_down(quantity, facts.lot_size or 1e-8)
        while quantity > 0.0 and self.estimate(symbol, side, quantity) * quantity * facts.contract_size > quote:
            quantity = round_down(quantity - 0.5 * (facts.lot_size or 1e-8), facts.lot_size or 1e-8)
        return quantity

    def check(self, order: OrderRecord, instead: OrderRecord | None = None) -> None:
        """Refuse an order for which there is not enough that is free; `instead` is one that it takes the place of."""

    def submit(self, order: OrderRecord) -> None:
        """Hand an order to the matcher; Refused where it will not have it, and then it was never there."""
        self.open[order.id] = order
        events = self.venue.handle(Submit(self.to_order(order)))
        first = events[0] if events else None
        if isinstance(first, Rejected) and first.id == str(order.id):
            del self.open[order.id]
            raise self.refusal(first.code, order)
        order.working_since = self.desk.now() if order.type in ("market", "limit") else 0
        self.desk.keep(order)
        self._tell(order, "new")
        self.take([one for one in events if not isinstance(one, Accepted)])

    def to_order(self, order: OrderRecord) -> Order:
        """Write an order in the matcher's words."""
        return Order(
            id=str(order.id), symbol=order.symbol, side=order.side, type=order.type, quantity=order.quantity,
            price=order.price, stop_price=order.stop_price, trail=order.trail, activation=order.activation,
            time_in_force=order.time_in_force, expires=order.expires, post_only=order.post_only,
            reduce_only=order.reduce_only, close_position=order.close_position, display=order.display, leg=order.leg,
            oco="" if order.list_id < 0 else str(order.list_id),
        )  # fmt: skip

    def refusal(self, code: str, order: OrderRecord) -> Refused:
        """Put a refusal of the matcher in words."""
        return refuse(code, f"{order.symbol}: {REJECTIONS.get(code, code)}", order_id=order.id)

    def cancel(self, order: OrderRecord, reason: str = "") -> None:
        """Cancel an open order."""
        self._do(CancelOrder(str(order.id)), order, reason)

    def drop(self, order: OrderRecord, reason: str) -> None:
        """Cancel an open order if the matcher has not let go of it by itself; what it says of that is on its way."""
        self.take(
            [one for one in self.venue.handle(CancelOrder(str(order.id))) if not isinstance(one, Rejected)], reason
        )

    def amend(self, order: OrderRecord, price: float, quantity: float, stop_price: float) -> None:
        """Change an open order; Refused where the matcher will not."""
        self.wake(order.symbol)
        self._do(AmendOrder(str(order.id), price, quantity, stop_price), order, "")

    def _do(self, action: Action, order: OrderRecord, reason: str) -> None:
        events = self.venue.handle(action)
        for one in events:
            if isinstance(one, Rejected) and one.id == str(order.id):
                raise self.refusal(one.code, order)
        self.take(events, reason)

    # What the matcher says

    def take(self, events: list[Event], reason: str = "") -> None:
        """Enter what the matcher says, and tell it."""
        for event in events:
            if isinstance(event, Filled):
                self._filled(event)
            elif isinstance(event, (Canceled, Expired)):
                self._ended(event, reason)
            elif isinstance(event, Triggered):
                self._triggered(event)
            elif isinstance(event, Amended):
                self._amended(event)

    def _tell(self, order: OrderRecord, kind: str, execution: Execution | None = None) -> None:
        order.updated = self.desk.now()
        copy = replace(order, fees=dict(order.fees))
        self.desk.tell(OrderChanged(self.desk.now(), self.desk.name, copy, kind, execution))
        self.order_moved(order, kind, execution)
        self.desk.moved(order, kind)

    def order_moved(self, order: OrderRecord, kind: str, execution: Execution | None) -> None:
        """Do and tell what follows from a change of an order."""

    def _filled(self, fill: Filled) -> None:
        forced = fill.id.startswith(_LIQUIDATION)
        order = self._liquidation(fill) if forced else self.open[int(fill.id)]
        facts = self.markets[fill.symbol].instrument
        value = fill.price * fill.quantity * facts.contract_size
        fee, asset = self.charge(fill, facts, value)
        execution = Execution(
            self.desk.execution_number(), self.desk.now(), order.id, order.client_id, fill.symbol, order.side,
            order.leg, fill.price, fill.quantity, value, fee, asset, fill.maker, self.realise(fill),
        )  # fmt: skip
        paid = 0.0 if order.filled == 0.0 else order.average_price * order.filled
        order.filled += fill.quantity
        order.average_price = (paid + fill.price * fill.quantity) / order.filled
        order.quote_filled += value
        order.fees[asset] = order.fees.get(asset, 0.0) + fee
        order.executions = (*order.executions, execution)
        order.status = "filled" if fill.final else "partially_filled"
        if fill.final:
            self.open.pop(order.id, None)
            order.quantity = order.filled if order.quantity != order.quantity else order.quantity
            order.filled = order.quantity if abs(order.filled - order.quantity) < 1e-9 * order.filled else order.filled
        self.desk.executed(execution)
        self._tell(order, "trade", execution)

    def charge(self, fill: Filled, facts: Instrument, value: float) -> tuple[float, str]:
        """Give the fee of an execution and its asset, and take it where the matcher has not."""
        return fill.fee, facts.settle

    def realise(self, fill: Filled) -> float:
        """Give the profit that an execution has closed, before fees."""
        return 0.0

    def _liquidation(self, fill: Filled) -> OrderRecord:
        """Make the order with which the exchange takes a position to the market."""
        side: Any = fill.side
        leg: Any = fill.leg
        order = OrderRecord(
            id=self.desk.number(), account=self.desk.name, wallet=self.wallet, client_id=f"autoclose-{fill.ts}",
            symbol=fill.symbol, side=side, type="market", time_in_force="IOC", quantity=fill.quantity, leg=leg,
            created=self.desk.now(), updated=self.desk.now(), working_since=self.desk.now(), reason=fill.reason,
            reduce_only=True,
        )  # fmt: skip
        self.desk.keep(order)
        self._tell(order, "new")
        return order

    def _ended(self, event: Canceled | Expired, reason: str) -> None:
        order = self.open.pop(int(event.id), None)
        if order is None:
            return
        by_request = isinstance(event, Canceled) and not event.reason
        order.reason = reason or event.reason
        order.status = "canceled" if by_request and reason != "oco" else "expired"
        self._tell(order, order.status)

    def _triggered(self, event: Triggered) -> None:
        order = self.open.get(int(event.id))
        if order is None:
            return
        order.triggered, order.working_since = True, self.desk.now()
        self._tell(order, "triggered")

    def _amended(self, event: Amended) -> None:
        order = self.open.get(int(event.id))
        if order is None:
            return
        for name in ("price", "quantity", "stop_price"):
            value = getattr(event, name)
            if value == value:
                setattr(order, name, value)
        self._tell(order, "amended")
