"""The orders and executions of a simulated venue, as it tells them: what its matcher says, in the words of venues."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any, Final

from workbench.bots.brokers.simulated_memory import Kept
from workbench.bots.brokers.talk import ENDED, VenueFill, VenueOrder
from workbench.trading.events import (
    Accepted,
    Amended,
    Canceled,
    Event,
    Expired,
    Filled,
    Rejected,
    Triggered,
)
from workbench.trading.orders import Order

__all__ = ["Orders"]

_ENDS: Final[dict[type, str]] = {Canceled: "canceled", Expired: "expired"}


class Orders:
    """All orders and executions of one paper account.

    Attributes
    ----------
    all : dict of str to VenueOrder
        By client order id, in the order in which they came.
    fills : list of VenueFill
    why : dict of str to str
        The codes of orders that were refused in this session.
    news : list of VenueOrder or VenueFill
        What has happened since it was last emptied.
    """

    def __init__(self, kept: Kept | None) -> None:
        self.all: dict[str, VenueOrder] = {}
        self.fills: list[VenueFill] = []
        self._noted: list[int] = []
        self.news: list[VenueOrder | VenueFill] = []
        self.why: dict[str, str] = {}
        self._changed: dict[str, None] = {}
        self._saved = 0
        if kept is not None:
            orders = [VenueOrder(*row) for _, row in sorted(kept.orders.items())]
            self.all = {one.id: one for one in orders}
            for _, (noted, *row) in sorted(kept.fills.items()):
                self._noted.append(noted)
                self.fills.append(VenueFill(*row))
            self._saved = len(self.fills)

    def begin(self, order: Order, now: int) -> None:
        """Take an order in, under a number of its own."""
        self._put(
            VenueOrder(
                order.id, str(len(self.all) + 1), order.symbol, order.side, order.type, "open", order.quantity, 0.0,
                order.price, order.stop_price, math.nan, order.reduce_only or order.close_position, False, now,
            )
        )  # fmt: skip

    def change(self, id: str, **facts: Any) -> None:
        """Write down that an order is otherwise now, and that it is told."""
        order = self.all.get(id)
        if order is not None:
            self._put(order._replace(**facts))
            self.news.append(self.all[id])

    def _put(self, order: VenueOrder) -> None:
        self.all[order.id] = order
        self._changed[order.id] = None

    def take(self, event: Event, now: int) -> None:
        """Take what the matcher says."""
        if isinstance(event, Filled):
            self._filled(event, now)
        elif isinstance(event, Accepted):
            self.change(event.id, ts=now)
        elif isinstance(event, Triggered):
            self.change(event.id, triggered=True, ts=now)
        elif isinstance(event, (Canceled, Expired)):
            self.change(event.id, status=_ENDS[type(event)], ts=now)
        elif isinstance(event, Amended):
            told = {"price": event.price, "quantity": event.quantity, "stop_price": event.stop_price}
            self.change(event.id, ts=now, **{name: one for name, one in told.items() if one == one})
        elif isinstance(event, Rejected) and event.id in self.all:
            self.why[event.id] = event.code
            self.change(event.id, status="rejected", ts=now)

    def _filled(self, fill: Filled, now: int) -> None:
        order = self.all.get(fill.id)
        number = "" if order is None else order.venue_id
        self._noted.append(max(now, fill.ts))
        self.fills.append(
            VenueFill(
                str(len(self.fills) + 1), number, fill.symbol, fill.side, fill.quantity, fill.price, fill.fee,
                fill.maker, fill.ts, fill.id, fill.leg,
            )
        )  # fmt: skip
        self.news.append(self.fills[-1])
        if order is not None:
            done = order.filled + fill.quantity
            paid = fill.quantity * fill.price + (order.filled * order.average_price if order.filled else 0.0)
            quantity = order.quantity if order.quantity == order.quantity or not fill.final else done
            status = "closed" if fill.final else order.status
            self.change(
                fill.id, filled=done, average_price=paid / done, quantity=quantity, status=status, ts=max(now, fill.ts)
            )

    # what is asked

    def open(self) -> tuple[VenueOrder, ...]:
        """Give the open orders, oldest first."""
        return tuple(one for one in self.all.values() if one.status not in ENDED)

    def ended(self) -> list[str]:
        """Give the ids of those that have ended."""
        return [one.id for one in self.all.values() if one.status in ENDED]

    def since(self, ts: int) -> tuple[VenueFill, ...]:
        """Give the executions that became known at a time (ms UTC) or after it."""
        return tuple(self.fills[bisect_left(self._noted, ts) :])

    # what is kept

    @property
    def moved(self) -> bool:
        """Whether anything has changed since `saved`."""
        return bool(self._changed) or self._saved < len(self.fills)

    def unsaved(self) -> tuple[Mapping[int, Any], Mapping[int, Any]]:
        """Give the orders and executions that have changed since `saved`, by number, as plain data."""
        orders = {int(self.all[id].venue_id): list(self.all[id]) for id in self._changed}
        fills = {k + 1: [self._noted[k], *self.fills[k]] for k in range(self._saved, len(self.fills))}
        return orders, fills

    def saved(self) -> None:
        """Note that all is kept."""
        self._changed.clear()
        self._saved = len(self.fills)
