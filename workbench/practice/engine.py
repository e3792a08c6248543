"""The engine of the practice exchange: its accounts, orders, money and time, without any network.

It is a function of what it was made with, of the requests it got and of when it got them: no wall clock, no chance, no
threads. Its present moves by `advance` alone, and one jump comes to the same as many small steps. Orders are matched by
`trading.venue.Venue` and money is kept by `trading.account.Account`, one pair for each wallet of an account: "spot"
and "linear" (perpetuals). Accounts trade against the market's prices, which they do not move, and not with each other.

`markets` is where prices come from, `engine_records` what is asked and answered, `engine_messages` what listeners are
told, `engine_filters` what an order must be.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from workbench.practice.engine_filters import refuse
from workbench.practice.engine_records import (
    Balance,
    Execution,
    Income,
    Moved,
    OrderList,
    OrderRecord,
    PositionRecord,
    Refused,
    Request,
    Wallet,
)
from workbench.practice.engine_stage import Stage

__all__ = ["Engine"]

INF: Final = float("inf")
Row = TypeVar("Row")


class Engine(Stage):
    """A practice exchange without its network.

    Parameters
    ----------
    markets : mapping of symbol to Market
    clock : Clock
        Where the present starts; `catch_up` advances to it.
    accounts : mapping of name to AccountSetup, optional

    Attributes
    ----------
    now : int
        The present, ms UTC.

    Raises
    ------
    ConfigError
        A market is not named by its symbol, or an account cannot have what it is to have.
    """

    # Orders

    def submit(self, account: str, request: Request) -> OrderRecord:
        """Take an order and do what can be done of it at once.

        Raises
        ------
        Refused
            With the code of the reason; nothing has changed then.
        """
        try:
            return copy_of(self._desk(account).submit(request))
        finally:
            self._flush()

    def test(self, account: str, request: Request) -> None:
        """Judge an order as `submit` does, but do not take it; Refused where `submit` would refuse its form."""
        self._desk(account).submit(request, keep=False)

    def submit_list(self, account: str, requests: Iterable[Request], client_id: str = "") -> OrderList:
        """Take a one-cancels-the-other list on spot: two orders of one side and quantity, all or none."""
        try:
            return self._desk(account).submit_list(requests, client_id)
        finally:
            self._flush()

    def cancel(self, account: str, symbol: str, *, id: int | None = None, client_id: str = "") -> OrderRecord:
        """Cancel an open order, and with it its list; Refused ("unknown_order", "order_is_final") where it is none."""
        try:
            return copy_of(self._desk(account).cancel(symbol, id, client_id))
        finally:
            self._flush()

    def cancel_all(self, account: str, symbol: str) -> list[OrderRecord]:
        """Cancel all open orders of a symbol."""
        desk, done = self._desk(account), []
        self.data.market(symbol)
        for order in desk.open_orders(symbol, ""):
            if order.open:  # the other order of a list goes with the first
                desk.books(symbol).cancel(order)
            done.append(copy_of(order))
        self._flush()
        return done

    def cancel_list(self, account: str, symbol: str, *, id: int | None = None, client_id: str = "") -> OrderList:
        """Cancel an order list."""
        desk, one = self._desk(account), self.order_list(account, id=id, client_id=client_id)
        if one.symbol != symbol or one.status == "done":
            raise refuse("unknown_order", f"{symbol}: there is no open order list {id or client_id!r}")
        order = next(order for order in desk.open_orders(symbol, "spot") if order.list_id == one.id)
        desk.books(symbol).cancel(order)
        self._flush()
        return desk.lists()[one.id]

    def amend(
        self, account: str, symbol: str, *, id: int | None = None, client_id: str = "", price: float = float("nan"),
        quantity: float = float("nan"), stop_price: float = float("nan"),
    ) -> OrderRecord:  # fmt: skip
        """Change an open order, which keeps its id; Refused where it cannot be as it would become."""
        desk = self._desk(account)
        order = desk.find_open(symbol, id, client_id)
        try:
            desk.amend(order, price, quantity, stop_price)
            return copy_of(order)
        finally:
            self._flush()

    def replace(
        self, account: str, request: Request, *, id: int | None = None, client_id: str = "",
        stop_on_failure: bool = True,
    ) -> tuple[OrderRecord | Refused, OrderRecord | Refused | None]:  # fmt: skip
        """Cancel an order and submit another: what became of the one and of the other (None: not tried)."""
        try:
            gone: OrderRecord | Refused = self.cancel(account, request.symbol, id=id, client_id=client_id)
        except Refused as no:
            if stop_on_failure:
                return no, None
            gone = no
        try:
            return gone, self.submit(account, request)
        except Refused as no:
            return gone, no

    def order(self, account: str, symbol: str, *, id: int | None = None, client_id: str = "") -> OrderRecord:
        """Give an order, open or not; Refused ("unknown_order") where there is none."""
        return copy_of(self._desk(account).find(symbol, id, client_id))

    def open_orders(self, account: str, symbol: str = "", wallet: Wallet = "") -> list[OrderRecord]:
        """Give open orders, oldest first; of one symbol, of one wallet, or all."""
        return [copy_of(one) for one in self._desk(account).open_orders(symbol, wallet)]

    def orders(
        self, account: str, symbol: str, *, from_id: int | None = None, start: int | None = None,
        end: int | None = None, limit: int = 500,
    ) -> list[OrderRecord]:  # fmt: skip
        """Give orders, open or not, oldest first: the first from an id or a time on, or the last ones."""
        self.data.market(symbol)
        found = self._desk(account).orders(symbol)
        return [copy_of(one) for one in page(found, lambda one: one.created, from_id, start, end, limit)]

    def order_list(self, account: str, *, id: int | None = None, client_id: str = "") -> OrderList:
        """Give an order list; Refused ("unknown_order") where there is none."""
        for one in reversed(self._desk(account).lists().values()):
            if one.id == id or (id is None and client_id == one.client_id):
                return one
        raise refuse("unknown_order", f"there is no order list {id or client_id!r}")

    def order_lists(self, account: str, *, only_open: bool = False) -> list[OrderList]:
        """Give order lists, oldest first."""
        return [one for one in self._desk(account).lists().values() if not only_open or one.status == "open"]

    def executions(
        self, account: str, symbol: str = "", *, from_id: int | None = None, start: int | None = None,
        end: int | None = None, order_id: int | None = None, limit: int = 500,
    ) -> list[Execution]:  # fmt: skip
        """Give executions, oldest first: the first from an id or a time on, or the last ones."""
        done = self._desk(account).executions()
        first = 0 if start is None else bisect_left(done, start, key=lambda one: one.ts)
        found = [one for one in done[first:] if symbol in ("", one.symbol) and order_id in (None, one.order_id)]
        return page(found, lambda one: one.ts, from_id, start, end, limit)

    # Money and positions

    def balances(self, account: str, wallet: Wallet) -> list[Balance]:
        """Give what a wallet has of every asset that it knows."""
        return self._desk(account).balances(wallet)

    def positions(self, account: str, symbol: str = "", *, flat: bool = False) -> list[PositionRecord]:
        """Give the linear positions that are open; with `flat` also those that are not."""
        books = self._desk(account).linear.values()
        return [row for one in books for row in one.positions(symbol, flat=flat)]

    def income(
        self, account: str, *, symbol: str = "", kind: str = "", start: int | None = None, end: int | None = None,
        limit: int = 100,
    ) -> list[Income]:  # fmt: skip
        """Give lines of the history of the linear wallet, oldest first: the first from `start` on, or the last."""
        found = [
            line for line in self._desk(account).income()
            if symbol in ("", line.symbol) and kind in ("", line.kind)
        ]  # fmt: skip
        return page(found, lambda one: one.ts, None, start, end, limit)

    def moves(
        self, account: str, kind: str, *, source: str = "", target: str = "", start: int | None = None,
        end: int | None = None, limit: int = 1_000,
    ) -> list[Moved]:  # fmt: skip
        """Give deposits, withdrawals or transfers (`kind`), oldest first: the first from `start` on, or the last."""
        found = [
            one for one in self._desk(account).moves
            if one.kind == kind and source in ("", one.source) and target in ("", one.target)
        ]  # fmt: skip
        return page(found, lambda one: one.ts, None, start, end, limit)

    def adjust(
        self, account: str, asset: str, amount: float, reason: str = "deposit", *, wallet: Wallet = "spot"
    ) -> None:
        """Change a balance from outside: a deposit, a withdrawal, or what nobody can explain."""
        desk = self._desk(account)
        if wallet == "spot":
            desk.spot.adjust(asset, amount, reason)
        elif wallet == "linear" and asset in desk.linear:
            desk.linear[asset].adjust(amount, reason)
        else:
            raise refuse("not_supported", f"the {wallet} wallet of {account!r} cannot have {asset}")
        if reason == "deposit" and amount > 0.0:
            desk.enter_move("deposit", asset, amount, "", wallet)
        elif reason == "withdraw":
            desk.enter_move("withdrawal", asset, -amount, wallet, "")
        self._flush()

    def transfer(self, account: str, asset: str, amount: float, source: Wallet, target: Wallet) -> None:
        """Move money from one wallet to another; Refused ("insufficient_margin") where it is not free."""
        desk = self._desk(account)
        if {source, target} != {"spot", "linear"} or asset not in desk.linear or amount <= 0.0:
            raise refuse("not_supported", f"{amount!r} {asset} cannot go from the {source} to the {target} wallet")
        free = desk.spot.balance(asset).free if source == "spot" else desk.linear[asset].balance().free
        if amount > free:
            raise refuse("insufficient_balance", f"{asset}: {amount:.8g} is to go and {free:.8g} is free")
        sign = 1.0 if source == "spot" else -1.0
        desk.spot.adjust(asset, -sign * amount, "transfer")
        desk.linear[asset].adjust(sign * amount, "transfer")
        desk.enter_move("transfer", asset, amount, source, target)
        self._flush()

    def leverage(self, account: str, symbol: str) -> float:
        """Give the leverage of a symbol."""
        return self._desk(account).linear_books(symbol).account.leverage(symbol)

    def set_leverage(self, account: str, symbol: str, leverage: float) -> float:
        """Set the leverage of a symbol, and give the largest notional that may be had at it; Refused where not."""
        books = self._desk(account).linear_books(symbol)
        books.set_leverage(symbol, leverage)
        self._flush()
        return books.largest(symbol)

    def is_isolated(self, account: str, symbol: str) -> bool:
        """Tell whether a symbol's positions are isolated."""
        return self._desk(account).linear_books(symbol).account.lines[symbol].isolated

    def set_margin_mode(self, account: str, symbol: str, *, isolated: bool) -> None:
        """Set the margin mode of a symbol; Refused ("no_change", "position_open", "orders_open") where not."""
        self._desk(account).linear_books(symbol).set_isolated(symbol, isolated)

    def is_hedged(self, account: str) -> bool:
        """Tell whether positions are in hedge mode."""
        return self._desk(account).hedge

    def set_position_mode(self, account: str, *, hedge: bool) -> None:
        """Set one-way or hedge mode; Refused as of `set_margin_mode`."""
        self._desk(account).set_hedge(hedge)
        self._stale = True

    def statement(self, account: str, wallet: Wallet, asset: str) -> dict[str, float]:
        """Give where the money of an asset came from and where it is.

        On spot `deposits + traded - fees = total`, in the linear wallet `deposits + realised - fees + funding +
        unrealised = equity`.
        """
        desk = self._desk(account)
        if wallet == "spot":
            return desk.spot.statement(asset)
        if wallet == "linear" and asset in desk.linear:
            return desk.linear[asset].statement()
        raise refuse("not_supported", f"the {wallet} wallet of {account!r} has no {asset}")


def copy_of(order: OrderRecord) -> OrderRecord:
    """Give a record that what happens later does not change."""
    return replace(order, fees=dict(order.fees))


def page(
    rows: Sequence[Row],
    ts_of: Callable[[Row], int],
    from_id: int | None,
    start: int | None,
    end: int | None,
    limit: int,
) -> list[Row]:
    """Give a page of records by id: the first from an id or a time on, or the last ones."""
    found: list[Any] = [row for row in rows if end is None or ts_of(row) <= end]
    if from_id is None and start is None:
        return found[-limit:] if limit else []
    low = -INF if start is None else start
    found = [row for row in found if row.id >= (from_id or 0) and ts_of(row) >= low]
    return found[:limit]
