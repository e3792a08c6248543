"""Which changes of our orders and which fills to tell, from a stream and from REST that overlap, repeat and lag.

Pure logic. An order only moves forward: an answer that is older than what is known changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

__all__ = ["FillTracker", "OrderState", "OrderTracker", "Spent"]

_REMEMBERED: Final = 10_000
_OVER: Final = ("closed", "canceled", "expired", "rejected")


class OrderState(NamedTuple):
    """An order as a venue shows it; `ts` (ms UTC) is its last change."""

    id: str
    symbol: str
    ts: int
    client_id: str | None
    side: str
    type: str
    status: str
    price: float | None
    quantity: float | None
    filled: float | None
    average: float | None


class Spent(NamedTuple):
    """A fill as a venue shows it."""

    id: str
    symbol: str
    ts: int
    order_id: str
    side: str
    price: float
    quantity: float
    fee: float | None
    fee_currency: str | None
    maker: bool | None


class OrderTracker:
    """Know the last state of every order, and tell what changes it."""

    def __init__(self) -> None:
        self._known: dict[str, OrderState] = {}

    def moved(self, orders: Iterable[OrderState]) -> list[OrderState]:
        """Take states in any order; give those that are news, oldest first."""
        news = []
        for order in sorted(orders, key=lambda order: (order.ts, order.filled or 0.0, order.status in _OVER)):
            before = self._known.get(order.id)
            if before is None or _is_later(before, order):
                self._known[order.id] = order
                news.append(order)
        self._forget()
        return news

    def open_ids(self, symbol: str) -> list[str]:
        """Give the ids of the orders of a symbol that were open when last heard of."""
        return [order.id for order in self._known.values() if order.symbol == symbol and order.status not in _OVER]

    def last(self, symbol: str) -> int | None:
        """Give the time (ms UTC) of the last change of an order of a symbol; None where none is known."""
        return max((order.ts for order in self._known.values() if order.symbol == symbol), default=None)

    def _forget(self) -> None:
        if len(self._known) > _REMEMBERED:
            over = [order.id for order in self._known.values() if order.status in _OVER]
            for name in over[: len(self._known) - _REMEMBERED]:
                del self._known[name]


class FillTracker:
    """Tell each fill once, by its id."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], int] = {}

    def moved(self, fills: Iterable[Spent]) -> list[Spent]:
        """Take fills in any order; give those that are news, oldest first."""
        news = []
        for fill in sorted(fills, key=lambda fill: fill.ts):
            if (fill.symbol, fill.id) not in self._known:
                self._known[fill.symbol, fill.id] = fill.ts
                news.append(fill)
        while len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]
        return news

    def last(self, symbol: str) -> int | None:
        """Give the time (ms UTC) of the last fill of a symbol; None where none is known."""
        return max((ts for (name, _), ts in self._known.items() if name == symbol), default=None)


def _is_later(before: OrderState, after: OrderState) -> bool:
    """Tell whether an order really moved on: it never fills less, and what is over stays over."""
    filled = (before.filled or 0.0, after.filled or 0.0)
    if filled[1] < filled[0] or (before.status in _OVER and after.status not in _OVER):
        return False
    if filled[1] == filled[0] and before.status == after.status:
        changed = (before.price, before.quantity) != (after.price, after.quantity)
        return changed and after.ts >= before.ts
    return True
