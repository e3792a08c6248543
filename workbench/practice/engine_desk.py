"""One account of the exchange: its wallets, its orders and executions, and what it may ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import replace
from typing import Final

from workbench.errors import ConfigError
from workbench.practice.engine_books import Books
from workbench.practice.engine_data import MarketData
from workbench.practice.engine_filters import filters_of, judge, refuse
from workbench.practice.engine_linear import LinearBooks
from workbench.practice.engine_messages import ListChanged, Message
from workbench.practice.engine_records import (
    AccountSetup,
    Balance,
    Execution,
    Income,
    Moved,
    OrderList,
    OrderRecord,
    Refused,
    Request,
    Wallet,
)
from workbench.practice.engine_spot import SpotBooks

__all__ = ["AccountDesk", "Numbers"]

NAN: Final = float("nan")


class Numbers:
    """The numbers that the exchange gives out, each once."""

    __slots__ = ("execution", "income", "list", "move", "order")

    def __init__(self) -> None:
        self.order = self.execution = self.income = self.list = self.move = 0

    def next(self, name: str) -> int:
        """Give the next number of a kind."""
        value: int = getattr(self, name) + 1
        setattr(self, name, value)
        return value


class AccountDesk:
    """An account.

    Parameters
    ----------
    name : str
    setup : AccountSetup
    data : MarketData
    numbers : Numbers
    tell : callable
        Takes a message to the listeners.

    Raises
    ------
    ConfigError
        The linear wallet is to have money that no perpetual settles in, or an amount is below zero.
    """

    def __init__(
        self, name: str, setup: AccountSetup, data: MarketData, numbers: Numbers, tell: Callable[[Message], None]
    ) -> None:
        self.name, self.setup, self.data, self.numbers, self.tell = name, setup, data, numbers, tell
        self.hedge = setup.hedge
        kinds = {symbol: market.instrument for symbol, market in data.markets.items()}
        settles = dict.fromkeys(one.settle for one in kinds.values() if one.kind == "linear")
        wrong = [asset for asset in setup.linear if asset not in settles]
        wrong += [asset for asset, amount in (*setup.spot.items(), *setup.linear.items()) if not amount >= 0.0]
        if wrong or setup.spot_fees not in ("received", "quote"):
            raise ConfigError(
                f"account {name!r}: {', '.join(wrong) or setup.spot_fees!r} cannot be had so; amounts are zero or "
                f"more, the linear wallet has {', '.join(settles) or 'nothing'}, spot fees are 'received' or 'quote'"
            )
        spot = {symbol: data.markets[symbol] for symbol, one in kinds.items() if one.kind == "spot"}
        self.spot = SpotBooks(self, spot, setup.spot)
        self.linear = {asset: self._linear(asset, setup.linear.get(asset, 0.0)) for asset in settles}
        self._orders: dict[int, OrderRecord] = {}
        self._by_symbol: dict[str, list[OrderRecord]] = {}
        self._executions: list[Execution] = []
        self._lists: dict[int, OrderList] = {}
        self.moves: list[Moved] = []
        for asset, amount in (*setup.spot.items(), *setup.linear.items()):
            self.enter_move("deposit", asset, amount, "", "spot")
        for asset, amount in setup.linear.items():
            self.enter_move("transfer", asset, amount, "spot", "linear")

    def _linear(self, asset: str, cash: float) -> LinearBooks:
        markets = {
            symbol: market for symbol, market in self.data.markets.items()
            if market.instrument.kind == "linear" and market.instrument.settle == asset
        }  # fmt: skip
        return LinearBooks(self, markets, cash, asset, hedge=self.hedge)

    # What the books need

    def now(self) -> int:
        """Give the present, ms UTC."""
        return self.data.now

    def number(self) -> int:
        """Give the next number of an order."""
        return self.numbers.next("order")

    def execution_number(self) -> int:
        """Give the next number of an execution."""
        return self.numbers.next("execution")

    def income_number(self) -> int:
        """Give the next number of a line of income."""
        return self.numbers.next("income")

    def enter_move(self, kind: str, asset: str, amount: float, source: str, target: str) -> None:
        """Enter money that came, left or changed its wallet."""
        if amount > 0.0:
            self.moves.append(Moved(self.numbers.next("move"), self.now(), kind, asset, amount, source, target))

    def keep(self, order: OrderRecord) -> None:
        """Enter an order among those of the account."""
        self._orders[order.id] = order
        self._by_symbol.setdefault(order.symbol, []).append(order)

    def executed(self, execution: Execution) -> None:
        """Enter an execution."""
        self._executions.append(execution)

    def moved(self, order: OrderRecord, kind: str) -> None:
        """End the rest of an order's list once it trades, triggers or ends."""
        one = self._lists.get(order.list_id)
        if one is None or one.status == "done" or kind in ("new", "amended"):
            return
        self._lists[one.id] = done = one._replace(status="done", ts=self.now())
        books = self.books(order.symbol)
        for number in one.order_ids:
            if number != order.id and number in books.open:
                books.drop(books.open[number], "oco" if order.status != "canceled" else "")
        self.tell(ListChanged(self.now(), self.name, done))

    # Books

    def all_books(self) -> list[Books]:
        """Give the books of all wallets."""
        return [self.spot, *self.linear.values()]

    def books(self, symbol: str) -> Books:
        """Give the books in which a symbol is traded; Refused where there are none."""
        facts = self.data.market(symbol).instrument
        if facts.kind == "spot":
            return self.spot
        if facts.kind == "linear":
            return self.linear[facts.settle]
        raise refuse("not_supported", f"{symbol}: a {facts.kind} instrument cannot be traded here")

    def linear_books(self, symbol: str) -> LinearBooks:
        """Give the books of a perpetual; Refused where it is none."""
        books = self.books(symbol)
        if not isinstance(books, LinearBooks):
            raise refuse("not_supported", f"{symbol} is no perpetual: it has no leverage, margin mode or position")
        return books

    def active(self) -> set[str]:
        """Give the symbols whose trades matter to the account."""
        return set().union(*(books.active() for books in self.all_books()))

    # Orders

    def submit(self, request: Request, *, list_id: int = -1, keep: bool = True) -> OrderRecord:
        """Take an order; Refused where it cannot be."""
        books = self._judge(request)
        if request.quote_quantity == request.quote_quantity:
            quantity = books.units(request.symbol, request.side, request.quote_quantity)
            if not quantity > 0.0:
                raise refuse("lot_size", f"{request.symbol}: {request.quote_quantity!r} does not buy one lot")
            request = replace(request, quantity=quantity)
        order = self._record(request, books, list_id)
        books.check(order)
        if keep:
            books.submit(order)
        return order

    def _judge(self, request: Request) -> Books:
        symbol = request.symbol
        market = self.data.market(symbol)
        status = self.data.status(symbol)
        if status != "trading":
            raise refuse("market_closed", f"{symbol}: trading is not open ({status})")
        books = self.books(symbol)
        if books.wallet == "spot" and (request.reduce_only or request.close_position or request.leg != "net"):
            raise refuse("not_supported", f"{symbol}: on spot there is no position to reduce or close")
        last = market.last(self.now())
        judge(request, market.instrument, NAN if last is None else last.price)
        if request.client_id and self._find_open(request.client_id, books) is not None:
            raise refuse("duplicate_id", f"{symbol}: an order with the client id {request.client_id!r} is open")
        most = filters_of(market.instrument).max_orders
        if sum(one.symbol == symbol for one in books.open.values()) >= most:
            raise refuse("max_orders", f"{symbol}: {most} orders are open already")
        books.wake(symbol)
        return books

    def _find_open(self, client_id: str, books: Books) -> OrderRecord | None:
        return next((one for one in books.open.values() if one.client_id == client_id), None)

    def _record(self, request: Request, books: Books, list_id: int) -> OrderRecord:
        number, now = self.number(), self.now()
        names = (
            "symbol", "side", "type", "quantity", "quote_quantity", "price", "stop_price", "trail", "activation",
            "time_in_force", "expires", "post_only", "reduce_only", "close_position", "display", "leg",
        )  # fmt: skip
        return OrderRecord(
            id=number, account=self.name, wallet=books.wallet, client_id=request.client_id or f"auto-{number}",
            created=now, updated=now, list_id=list_id, **{name: getattr(request, name) for name in names},
        )  # fmt: skip

    def submit_list(self, requests: Iterable[Request], client_id: str) -> OrderList:
        """Take a one-cancels-the-other list: all of it or none."""
        wanted = list(requests)
        if len(wanted) != 2 or len({(one.symbol, one.side, one.quantity) for one in wanted}) != 1:
            raise refuse("not_supported", "an order list has two orders of one symbol, side and quantity")
        if any(one.type == "market" for one in wanted) or len({one.type == "limit" for one in wanted}) != 2:
            raise refuse("not_supported", "an order list has one limit order and one stop or take-profit")
        symbol = wanted[0].symbol
        if self.books(symbol) is not self.spot:
            raise refuse("not_supported", f"{symbol}: order lists are for spot")
        for one in wanted:
            self.submit(one, keep=False)
        number = self.numbers.next("list")
        first = sorted(wanted, key=lambda one: one.type == "limit")
        placed: list[OrderRecord] = []
        try:
            for one in first:
                placed.append(self.submit(one, list_id=number))
        except Refused:
            for order in placed:
                self.books(symbol).cancel(order)
            raise
        ids = tuple(order.id for order in placed)
        made = OrderList(number, client_id or f"list-{number}", symbol, "open", self.now(), ids)
        self._lists[number] = made
        self.tell(ListChanged(self.now(), self.name, made))
        for order in placed:
            if not order.open:
                self.moved(order, "trade")
        return self._lists[number]

    def find(self, symbol: str, id: int | None, client_id: str) -> OrderRecord:
        """Give an order by its number or client id (the latest of that id); Refused where there is none."""
        self.data.market(symbol)
        if id is not None:
            order = self._orders.get(id)
            if order is not None and order.symbol == symbol and client_id in ("", order.client_id):
                return order
        else:
            for order in reversed(self._by_symbol.get(symbol, [])):
                if order.client_id == client_id:
                    return order
        raise refuse("unknown_order", f"{symbol}: there is no order {id if id is not None else client_id!r}")

    def find_open(self, symbol: str, id: int | None, client_id: str) -> OrderRecord:
        """Give an open order; Refused where there is none."""
        if id is None:
            found = self._find_open(client_id, self.books(symbol))
            if found is not None and found.symbol == symbol:
                return found
        order = self.find(symbol, id, client_id)
        if not order.open:
            raise refuse("order_is_final", f"{symbol}: order {order.id} is {order.status} already")
        return order

    def cancel(self, symbol: str, id: int | None, client_id: str) -> OrderRecord:
        """Cancel an open order, and with it its list."""
        order = self.find_open(symbol, id, client_id)
        self.books(symbol).cancel(order)
        return order

    def amend(self, order: OrderRecord, price: float, quantity: float, stop_price: float) -> None:
        """Change an open order; Refused where it cannot be."""
        books, facts = self.books(order.symbol), self.data.market(order.symbol).instrument
        if self.data.status(order.symbol) != "trading":
            raise refuse("market_closed", f"{order.symbol}: trading is not open")
        changed = copy(order)
        for name, value in (("price", price), ("quantity", quantity), ("stop_price", stop_price)):
            if value == value:
                setattr(changed, name, value)
        last = self.data.market(order.symbol).last(self.now())
        judge(_request(changed), facts, NAN if last is None else last.price)
        books.wake(order.symbol)
        if not order.open:
            raise refuse("order_is_final", f"{order.symbol}: order {order.id} is {order.status} already")
        books.check(changed, order)
        books.amend(order, price, quantity, stop_price)

    # What may be asked

    def open_orders(self, symbol: str, wallet: Wallet) -> list[OrderRecord]:
        """Give open orders, oldest first."""
        found = [one for books in self.all_books() if wallet in ("", books.wallet) for one in books.open.values()]
        return sorted((one for one in found if symbol in ("", one.symbol)), key=lambda one: one.id)

    def orders(self, symbol: str) -> list[OrderRecord]:
        """Give all orders of a symbol, oldest first."""
        return self._by_symbol.get(symbol, [])

    def executions(self) -> list[Execution]:
        """Give all executions, oldest first."""
        return self._executions

    def lists(self) -> dict[int, OrderList]:
        """Give all order lists by number."""
        return self._lists

    def balances(self, wallet: Wallet) -> list[Balance]:
        """Give what a wallet has."""
        if wallet == "spot":
            return self.spot.balances()
        return [books.balance() for books in self.linear.values()]

    def income(self) -> list[Income]:
        """Give the history of the linear wallets, oldest first."""
        return sorted((line for books in self.linear.values() for line in books.income), key=lambda line: line.id)

    def set_hedge(self, hedge: bool) -> None:
        """Set one-way or hedge mode: books are begun anew with what they have."""
        if hedge == self.hedge:
            raise refuse("no_change", f"positions are in {'hedge' if hedge else 'one-way'} mode already")
        for books in self.linear.values():
            books.busy()
        self.hedge = hedge
        for asset, books in self.linear.items():
            fresh = self._linear(asset, books.account.pools[asset].exact())
            fresh.take_over(books)
            self.linear[asset] = fresh


def _request(order: OrderRecord) -> Request:
    names = ("symbol", "side", "type", "quantity", "price", "stop_price", "reduce_only", "close_position", "display")
    return Request(**{name: getattr(order, name) for name in names})
