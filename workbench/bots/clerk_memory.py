"""The memory of a clerk: its lines, what a journal makes of them, and how they are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final

from workbench.bots.brokers.talk import VenueFill, VenueOrder
from workbench.bots.clerk_funding import Fundings
from workbench.bots.clerk_lines import DOUBT, INF, Line, Patience, Said, merged, without
from workbench.trading.core import Traded
from workbench.trading.events import (
    Accepted,
    Action,
    Amended,
    AmendOrder,
    Canceled,
    CancelOrder,
    Event,
    Expired,
    Filled,
    Funded,
    Rejected,
    Submit,
    Triggered,
    Unknown,
)
from workbench.trading.orders import Order

__all__ = ["Memory"]


class Memory:
    """What a clerk remembers; `Clerk` says what it means."""

    def __init__(self, markets: Mapping[str, Traded], patience: Patience | None = None) -> None:
        self.markets, self.patience = dict(markets), patience or Patience()
        self.now = self.seen = self.forgotten = 0
        self.lines: dict[str, Line] = {}
        self.ids: dict[str, str] = {}
        self.trades: dict[str, int] = {}
        self.early: list[VenueFill] = []
        self.strangers: tuple[VenueOrder, ...] = ()
        self.dates: Callable[[Order], bool] = _all
        self.fundings = Fundings(markets)
        self._said = Said()

    def recall(self, entry: Event | Action) -> None:
        """Take up what a journal says: an action that was intended, or an event that the core has handled."""
        if isinstance(entry, Submit):
            order = replace(entry.order, extra={})  # a line's own, which changes of it move
            self.lines[order.id] = Line(order, quantity=order.quantity, made=order.created, sent=order.created, tries=1)
            return
        if isinstance(entry, Funded):
            self.fundings.funded(entry)
        if isinstance(entry, Filled):
            self.fundings.filled(entry)
            if entry.trade:
                self.trades[f"{entry.symbol} {entry.trade}"] = entry.ts
        line = self.lines.get(getattr(entry, "id", ""))
        if line is None or (line.state == "done" and not isinstance(entry, Filled)):
            return
        if isinstance(entry, Filled):
            line.filled += entry.quantity
            line.state = "done" if entry.final or line.state == "done" else "resting"
        elif isinstance(entry, Accepted):
            line.state, line.venue_id = "resting", entry.venue_id
            self.ids[entry.venue_id] = entry.id
        elif isinstance(entry, (Canceled, Expired)) or (isinstance(entry, Rejected) and line.state in DOUBT):
            line.state, line.ended = "done", entry.ts
        elif isinstance(entry, Unknown):
            line.state = "unknown"
        elif isinstance(entry, Triggered):
            line.triggered = True
        elif isinstance(entry, CancelOrder):
            line.cancel = True
        elif isinstance(entry, AmendOrder):
            change = [entry.price, entry.quantity, entry.stop_price, entry.reason]
            if line.asked is None:
                line.asked = change
            else:  # the one before it is under way, as far as is known
                line.change = merged(line.change, change)
        elif isinstance(entry, Rejected):
            line.asked, line.change = line.change, None
        elif isinstance(entry, Amended):
            order = line.order  # which may have to be sent again, as it is by now
            order.price = entry.price if entry.price == entry.price else order.price
            order.quantity = entry.quantity if entry.quantity == entry.quantity else order.quantity
            order.stop_price = entry.stop_price if entry.stop_price == entry.stop_price else order.stop_price
            done = [entry.price, entry.quantity, entry.stop_price]
            line.asked, line.change = without(line.asked, done), without(line.change, done)
            if line.asked is None:
                line.asked, line.change = line.change, None
            if entry.quantity == entry.quantity:
                line.quantity = entry.quantity

    @property
    def outside(self) -> tuple[VenueFill, ...]:
        """Executions that belong to no order of this bot, as far as is known."""
        doubt = {line.order.symbol for line in self.lines.values() if line.state in DOUBT}
        return tuple(one for one in self.early if one.symbol not in doubt)

    @property
    def busy(self) -> bool:
        """Whether anything is under way or not known for certain."""
        return bool(self.early) or any(
            line.state in DOUBT or line.due < INF or line.flight or line.ending
            for line in self.lines.values()
            if line.state != "done"
        )

    @property
    def doubt(self) -> tuple[str, ...]:
        """The ids of orders of which nobody knows whether the venue has them."""
        return tuple(name for name, line in self.lines.items() if line.state in DOUBT)

    def has(self, fill: VenueFill) -> bool:
        """Tell whether an execution is in the books; of what is older than is remembered, all is that does not wait."""
        known = f"{fill.symbol} {fill.trade_id}" in self.trades
        return known or (fill.ts < self.forgotten and not self.awaits(fill))

    def awaits(self, fill: VenueFill) -> bool:
        """Tell whether an execution waits until it is known whose it is."""
        return any((one.symbol, one.trade_id) == (fill.symbol, fill.trade_id) for one in self.early)

    def _known_to(self, now: int) -> int:
        """Give up to when surely nothing is missing; before the first look, nothing is known of any open order."""
        missing = [
            line.made for line in self.lines.values()
            if line.state != "done"
            and (not self.seen or line.state in DOUBT or line.ending or line.filled < line.expected)
        ]  # fmt: skip
        return min([self.seen or now, *missing])

    def _forget(self, before: int) -> None:
        """Let go of what ended before a time up to which everything is known: executions of then are told no more."""
        self.forgotten = max(self.forgotten, before)
        gone = [name for name, line in self.lines.items() if line.state == "done" and line.ended < before]
        for name in gone:
            del self.lines[name]
        if gone:  # an order may have had several ids at the venue: one for each change of it
            self.ids = {venue_id: name for venue_id, name in self.ids.items() if name in self.lines}
            self.trades = {key: ts for key, ts in self.trades.items() if ts >= before}

    def _begin(self, now: int) -> None:
        self.now = max(self.now, now)
        self._said = Said()

    def _over(self, line: Line) -> bool:
        """Tell whether an order's date has come, of which the venue knows nothing."""
        order = line.order
        return (
            order.time_in_force == "GTD" and order.expires is not None and self.now >= order.expires
            and not self.dates(order)
        )  # fmt: skip

    def _dust(self, line: Line) -> float:
        lot = self.markets[line.order.symbol].lots.lot
        return lot / 2 if lot > 0.0 else 1e-9 * max(abs(line.filled), 1e-12)

    # for the journal

    def snapshot(self) -> dict[str, Any]:
        """Give the whole state as plain data for JSON; of orders that have ended, what may still be asked of them."""
        open_ = [line for line in self.lines.values() if line.state != "done"]
        ended = [line for line in self.lines.values() if line.state == "done"]
        return {
            "now": self.now, "seen": self.seen, "forgotten": self.forgotten, "lines": [_whole(line) for line in open_],
            "ended": [[*_FACTS(line.order), *_REST(line)] for line in ended],
            "ids": dict(self.ids), "trades": dict(self.trades), "early": [list(fill) for fill in self.early],
            "fundings": self.fundings.snapshot(),
        }  # fmt: skip

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up what `snapshot` gave."""
        self.now, self.seen, self.forgotten = data["now"], data["seen"], data["forgotten"]
        self.ids, self.trades = dict(data["ids"]), dict(data["trades"])
        self.early = [VenueFill(*fill) for fill in data["early"]]
        self.fundings.restore(data["fundings"])
        self.lines = {}
        for row in data["ended"]:
            facts, rest = row[: len(_ORDER)], row[len(_ORDER) :]
            order = Order(**dict(zip(_ORDER, facts, strict=True)))
            self.lines[order.id] = Line(order, state="done", **dict(zip(_LINE, rest, strict=True)))
        for one in data["lines"]:
            kept = {**one, "order": Order(**one["order"]), "due": INF if one["due"] is None else one["due"]}
            self.lines[kept["order"].id] = Line(**kept)


def _all(order: Order) -> bool:
    return True


_ORDER: Final = ("id", "symbol", "side", "type", "quantity", "reason", "decided", "leg")
_LINE: Final = ("venue_id", "filled", "quantity", "made", "ended")
_FACTS: Final = attrgetter(*_ORDER)
_REST: Final = attrgetter(*_LINE)


def _whole(line: Line) -> dict[str, Any]:
    due = None if line.due == INF else line.due
    order = {**line.order.to_dict(), "extra": {}}
    changes = {
        name: None if one is None else list(one) for name, one in (("change", line.change), ("asked", line.asked))
    }
    return {**{name: getattr(line, name) for name in Line.__slots__}, "order": order, "due": due, **changes}
