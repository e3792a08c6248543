"""What a broker remembers of the orders that it has sent or seen: their terms, their ids, and who took whose place."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from workbench.bots.brokers.names import Names
from workbench.bots.brokers.talk import ENDED, VenueOrder
from workbench.trading.orders import Order

__all__ = ["Line", "Register"]

_REMEMBERED: Final = 20_000


@dataclass(slots=True)
class Line:
    """One order of ours.

    `number` counts its replacements, `carried` is what those before had executed; `sure`: everything that was asked for
    it in this life was answered, so there is no replacement that nobody knows of; `changing`: a change is under way.
    `leaving`: a cancellation is. Who asks the venue about it holds `lock`.
    `partner` is the order that it shares a one-cancels-the-other list with.
    """

    id: str
    symbol: str
    order: Order | None = None
    number: int = 0
    carried: float = 0.0
    venue_id: str = ""
    sure: bool = False
    over: bool = False
    changing: bool = False
    leaving: bool = False
    partner: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Register:
    """The orders of a broker, by our id and by the venue's.

    Parameters
    ----------
    venue : str
        ccxt's name.
    """

    def __init__(self, venue: str) -> None:
        self.names = Names(venue)
        self.lines: OrderedDict[str, Line] = OrderedDict()
        self._ids: OrderedDict[str, tuple[str, int]] = OrderedDict()

    def line(self, id: str, symbol: str) -> Line:
        """Give the line of an order, a new one where it is not known."""
        if id not in self.lines:
            self.lines[id] = Line(id, symbol)
            if len(self.lines) > _REMEMBERED:
                over = next((name for name, one in self.lines.items() if one.over), None)
                if over is not None:
                    del self.lines[over]
        return self.lines[id]

    def spell(self, line: Line) -> str:
        """Give the id under which the venue has an order now."""
        return self.names.spell(line.id, line.number)

    def own(self, venue_id: str, client_id: str) -> tuple[str, int]:
        """Give our id of an order and the number of its replacement; "" where it is not ours as far as is known."""
        if client_id:
            return self.names.read(client_id)
        return self._ids.get(venue_id, ("", 0))

    def note(self, order: VenueOrder, number: int) -> None:
        """Remember what a venue says of an order."""
        if not order.id:
            return
        if order.venue_id:
            self._ids[order.venue_id] = (order.id, number)
            if len(self._ids) > _REMEMBERED:
                self._ids.popitem(last=False)
        line = self.lines.get(order.id)
        if line is not None and number == line.number:
            line.venue_id = order.venue_id or line.venue_id
            line.over = order.status in ENDED

    def partner(self, line: Line) -> Line | None:
        """Give the order that ends when this one does, if it is not over."""
        found = self.lines.get(line.partner)
        return found if found is not None and not found.over and found.partner == line.id else None

    def pair(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Learn from open orders which of them a venue keeps as lists of which one cancels the other."""
        lists: dict[str, list[Line]] = {}
        for row in rows:
            number = str((row.get("info") or {}).get("orderListId") or "-1")
            line = self.lines.get(self.names.read(str(row.get("clientOrderId") or ""))[0])
            if number != "-1" and line is not None:
                lists.setdefault(number, []).append(line)
        for pair in lists.values():
            if len(pair) == 2:
                pair[0].partner, pair[1].partner = pair[1].id, pair[0].id

    def alive(self, symbol: str) -> list[str]:
        """Give the venue's ids of the orders of a symbol that are not known to be over."""
        return [
            line.venue_id
            for line in self.lines.values()
            if line.symbol == symbol and line.venue_id and not (line.over or line.changing)
        ]

    def call(self, venue_id: str, id: str, number: int) -> None:
        """Remember that an order of the venue's is one of ours, such as the one that a conditional order became."""
        if venue_id:
            self._ids[venue_id] = (id, number)
