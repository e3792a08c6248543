"""Our own orders and fills: told by the user stream, reconciled over REST after every reconnect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from workbench.market.feeds.channels import Channel
from workbench.market.feeds.events import Event, FillMade, OrderMoved
from workbench.market.feeds.feed import Tuning
from workbench.market.feeds.lines import Lines
from workbench.market.feeds.order_tracker import FillTracker, OrderState, OrderTracker, Spent

__all__ = ["FillsChannel", "OrdersChannel", "read_fills", "read_orders"]

_PAGE: Final = 500
_OVERLAP_MS: Final = 60_000  # asked for again: clocks of matching and of reporting differ


class _Private(Channel):
    """What both have: all symbols of the feed, one socket, and a time from which on things are news."""

    group = "private"
    catches_up = True

    def __init__(self, lines: Lines, symbols: Sequence[str], tuning: Tuning) -> None:
        super().__init__(lines, "", tuning)
        self.symbols = tuple(symbols)
        self._began: int | None = None

    async def since(self, last: int | None) -> int:
        """Give the time (ms UTC, the venue's) from which on to ask."""
        if self._began is None:
            self._began = await self.lines.clock()
        return self._began if last is None else max(self._began, last - _OVERLAP_MS)


class OrdersChannel(_Private):
    """Changes of our orders. At the start, the orders that are open are told."""

    name = "orders"
    watched_by = "watchOrders"

    def __init__(self, lines: Lines, symbols: Sequence[str], tuning: Tuning) -> None:
        super().__init__(lines, symbols, tuning)
        self.tracker = OrderTracker()

    async def watch(self) -> Any:
        """Wait for the user stream."""
        client = await self.lines.stream(self.group)
        return await client.watch_orders()

    def heard(self, batch: Any) -> list[Event]:
        """Take orders; give those that changed."""
        return self._events(batch, "stream")

    async def fill(self) -> list[Event]:
        """Ask for what is open, what ended since the last change, and what became of those that are neither."""
        events: list[Event] = []
        for symbol in self.symbols:
            since = await self.since(self.tracker.last(symbol))
            rows = list(await self.lines.ask("fetch_open_orders", symbol))
            if self.lines.can("fetchOrders"):
                rows += await self.lines.ask("fetch_orders", symbol, since, _PAGE)
            elif self.lines.can("fetchClosedOrders"):
                rows += await self.lines.ask("fetch_closed_orders", symbol, since, _PAGE)
            seen = {str(row["id"]) for row in rows}
            for name in self.tracker.open_ids(symbol):
                if name not in seen:
                    rows.append(await self.lines.ask("fetch_order", name, symbol))
            events += self._events(rows, "rest")
        return events

    def _events(self, rows: Any, source: str) -> list[Event]:
        received = self._received()
        moved = self.tracker.moved(read_orders(rows, received))
        return [
            OrderMoved(
                order.symbol, order.ts, received, order.id, order.client_id, order.side, order.type, order.status,
                order.price, order.quantity, order.filled, order.average, source,
            )
            for order in moved
        ]  # fmt: skip


class FillsChannel(_Private):
    """Fills of our orders, each once."""

    name = "fills"
    watched_by = "watchMyTrades"

    def __init__(self, lines: Lines, symbols: Sequence[str], tuning: Tuning) -> None:
        super().__init__(lines, symbols, tuning)
        self.tracker = FillTracker()

    async def watch(self) -> Any:
        """Wait for the user stream."""
        client = await self.lines.stream(self.group)
        return await client.watch_my_trades()

    def heard(self, batch: Any) -> list[Event]:
        """Take fills; give those that are news."""
        return self._events(batch, "stream")

    async def fill(self) -> list[Event]:
        """Ask for the fills since the last one."""
        events: list[Event] = []
        for symbol in self.symbols:
            since = await self.since(self.tracker.last(symbol))
            events += self._events(await self.lines.ask("fetch_my_trades", symbol, since, _PAGE), "rest")
        return events

    def _events(self, rows: Any, source: str) -> list[Event]:
        received = self._received()
        return [
            FillMade(
                fill.symbol, fill.ts, received, fill.id, fill.order_id, fill.side, fill.price, fill.quantity, fill.fee,
                fill.fee_currency, fill.maker, source,
            )
            for fill in self.tracker.moved(read_fills(rows))
        ]  # fmt: skip


def read_orders(rows: Any, received: int) -> list[OrderState]:
    """Read orders as ccxt gives them; those without a time have that of their arrival."""
    found = []
    for row in rows or ():
        if row.get("id") is None or row.get("symbol") is None:
            continue
        changed = row.get("lastUpdateTimestamp") or row.get("lastTradeTimestamp") or row.get("timestamp")
        found.append(
            OrderState(
                id=str(row["id"]),
                symbol=str(row["symbol"]),
                ts=received if changed is None else int(changed),
                client_id=_text(row.get("clientOrderId")),
                side=str(row.get("side") or ""),
                type=str(row.get("type") or ""),
                status=str(row.get("status") or "open"),
                price=_number(row.get("price")),
                quantity=_number(row.get("amount")),
                filled=_number(row.get("filled")),
                average=_number(row.get("average")),
            )
        )
    return found


def read_fills(rows: Any) -> list[Spent]:
    """Read own trades as ccxt gives them."""
    found = []
    for row in rows or ():
        if row.get("id") is None or row.get("timestamp") is None:
            continue
        fee = row.get("fee") or {}
        found.append(
            Spent(
                id=str(row["id"]),
                symbol=str(row["symbol"]),
                ts=int(row["timestamp"]),
                order_id=str(row.get("order") or ""),
                side=str(row.get("side") or ""),
                price=float(row["price"]),
                quantity=float(row["amount"]),
                fee=_number(fee.get("cost")),
                fee_currency=_text(fee.get("currency")),
                maker={"maker": True, "taker": False}.get(row.get("takerOrMaker")),
            )
        )
    return found


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
