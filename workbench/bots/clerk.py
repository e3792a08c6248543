"""The clerk of a bot: keeps, for every order, what is known of it at the venue, and what is still to be found out.

A state machine without I/O or clock, like the core: requests go out, answers and news come in in any order, late,
twice or not at all, and what comes out are events for the core, each once. A lost answer makes an order `Unknown`; it
is asked about by its client order id until it is known, and nothing is repeated that might have arrived. A fill counts
once, by the venue's trade id; an order ends when the venue has said so and every execution of it has been told.

Of each order at most one request to change it is under way, so that changes cannot overtake each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from workbench.bots.brokers.talk import ENDED, Find, Look, Request, Send, Snapshot, VenueFill, VenueOrder
from workbench.bots.clerk_course import Course
from workbench.bots.clerk_lines import DOUBT, INF, NAN, Line, Patience, Said, merged, protects, shows
from workbench.errors import BrokerError, BrokerFatal, BrokerRejected, BrokerTransient
from workbench.trading.events import (
    Accepted,
    Action,
    Amended,
    AmendOrder,
    CancelOrder,
    Event,
    Filled,
    Rejected,
    Submit,
    Triggered,
    Unknown,
)

__all__ = ["Clerk", "Line", "Patience", "Said"]

_REPEATS: Final = 8  # of a change that the venue takes and does not show


class Clerk(Course):
    """The clerk of one bot.

    Parameters
    ----------
    markets : mapping of symbol to Traded
    patience : Patience, optional

    Attributes
    ----------
    now : int
        Time of the last thing that it was told, ms UTC.
    lines : dict of str to Line
        By client order id.
    seen : int
        When the last look began from which everything is known, ms UTC; 0 for never.
    dates : callable
        Tells whether the venue itself ends a GTD order at its date; the clerk cancels others then.
    strangers : tuple of VenueOrder
        Open orders at the venue, as of the last look, that are none of this clerk's, or ended long ago as far as it
        knew.
    """

    # what the core wants

    def intend(self, action: Action, now: int) -> Said:
        """Take an action of the core for the venue; others are none of the clerk's."""
        self._begin(now)
        if type(action) is Submit:
            order = action.order
            self.lines[order.id] = line = Line(replace(order, extra={}), quantity=order.quantity, made=now)
            self._send(line)
        elif type(action) is CancelOrder and action.id in self.lines:
            line = self.lines[action.id]
            line.cancel = True
            if line.state == "waiting" and not line.filled:
                self._gone(line, "before it was sent")
            self._move(line)
        elif type(action) is AmendOrder and action.id in self.lines:
            line = self.lines[action.id]
            line.change = merged(line.change, [action.price, action.quantity, action.stop_price, action.reason])
            if line.state == "waiting":
                self._change_unsent(line)
            self._move(line)
        return self._said

    def _send(self, line: Line) -> None:
        line.state, line.sent, line.asks = "sent", self.now, 0
        line.due = self.now + 3 * self.patience.land_ms  # an answer that never comes is as good as a lost one
        line.tries += 1
        line.pending += 1
        self._said.requests.append(Send(Submit(line.order), line.order.id, line.order.symbol))

    def _change_unsent(self, line: Line) -> None:
        """Change an order that is surely not at the venue: it will be sent as it is to be."""
        if line.flight == "amend":
            line.change = merged(line.asked, line.change)
            line.flight, line.asked, line.lost = "", None, False
        change, line.change = line.change, None
        if change is None:
            return
        price, quantity, stop = change[:3]
        order = line.order
        order.price = price if price == price else order.price
        order.quantity = line.quantity = quantity if quantity == quantity else order.quantity
        order.stop_price = stop if stop == stop else order.stop_price
        self._said.events.append(Amended(self.now, order.id, *change))

    # what the venue answers

    def answered(self, request: Request, answer: VenueOrder | Snapshot | BrokerError | None, now: int) -> Said:
        """Take the answer to a request: what the broker gave, or what it raised."""
        self._begin(now)
        if isinstance(request, Look):
            if isinstance(answer, Snapshot):
                self._looked(answer)
            return self._said
        line = self.lines.get(request.id)
        if line is not None and isinstance(request, Send):
            line.pending = max(line.pending - 1, 0)
        if line is None or line.state == "done":
            return self._said
        if isinstance(request, Find):
            self._found(line, request.asked, answer)
        elif type(request.action) is Submit:
            self._submitted(line, answer)
        else:
            self._changed(line, request, answer)
        return self._said

    def _submitted(self, line: Line, answer: Any) -> None:
        if isinstance(answer, VenueOrder):
            self._know(line, answer)
        elif answer is None:
            self._rest(line)
        elif line.state not in ("sent", "unknown"):  # news was faster than the answer
            return
        elif isinstance(answer, BrokerTransient):
            self._later(line, answer)
        elif isinstance(answer, BrokerRejected) and answer.fields.get("code") == "duplicate_id":
            self._lose(line, str(answer))  # the venue has this id already: it is there, whatever was said before
        elif isinstance(answer, (BrokerRejected, BrokerFatal)):
            if isinstance(answer, BrokerFatal):
                self._alert("critical", str(answer))
            self._refused(line, str(answer.fields.get("code") or "refused_by_venue"), str(answer))
        else:
            self._lose(line, str(answer))

    def _later(self, line: Line, error: BrokerTransient) -> None:
        """Send again after a pause what surely did not arrive, unless it has become too old."""
        if line.cancel or self._over(line):
            self._gone(line, "before it was sent")
            return
        wait = error.fields.get("retry_ms") or self.patience.retry_ms * 2 ** min(line.tries - 1, 5)
        if self.now + wait > line.made + self.patience.give_up_ms and not protects(line.order):
            self._refused(line, "venue_unreachable", str(error))
            return
        line.state, line.due = "waiting", self.now + wait
        self._change_unsent(line)

    def _lose(self, line: Line, text: str) -> None:
        line.sent = self.now  # until when it may have gone out
        if line.state == "unknown":
            return
        line.state, line.asks = "unknown", 0
        self._said.events.append(Unknown(self.now, line.order.id, text))
        self._find(line)

    def _find(self, line: Line) -> None:
        """Ask what became of an order; should that be lost too, ask again."""
        line.asks += 1
        line.due = self.now + self.patience.ask_ms * 2 ** min(line.asks, 6)
        self._said.requests.append(Find(line.order.id, line.order.symbol, self.now))

    def _found(self, line: Line, asked: int, answer: Any) -> None:
        if isinstance(answer, VenueOrder):
            settled = not line.pending and asked >= line.moved
            line.asks = min(line.asks, 2)
            self._know(line, answer, asked if settled else None)
        elif isinstance(answer, BrokerError):
            wait = answer.fields.get("retry_ms") or self.patience.ask_ms * 2 ** min(line.asks, 6)
            line.due = self.now + wait
        elif line.state == "unknown":
            self._absent(line, asked)
        elif line.state == "resting" and line.asks < 4:
            line.due = self.now + self.patience.ask_ms
        elif line.state == "resting":
            self._alert("error", f"{line.order.id} has vanished from the venue")
            self._said.requests.append(Look(line.made - self.patience.overlap_ms))
            self._end(line, "canceled", line.filled)

    def _absent(self, line: Line, asked: int) -> None:
        """The venue had no such order: proven if the request could no longer be under way when it was asked."""
        proven = line.sent + self.patience.land_ms
        if line.pending or asked < proven:
            line.due = max(proven, self.now + self.patience.ask_ms)
        elif line.cancel or self._over(line):
            self._gone(line, "it never arrived")
        elif protects(line.order) or self.now <= line.made + self.patience.give_up_ms:
            self._change_unsent(line)
            self._send(line)
        else:
            self._refused(line, "not_received", "the venue has never had it, and it is too late for it now")

    def _changed(self, line: Line, request: Send, answer: Any) -> None:
        """Take the answer to a cancellation or a change of an order."""
        wanted = ("amend", repr(line.asked)) if line.flight == "amend" else (line.flight, "")
        what = ("cancel", "") if type(request.action) is CancelOrder else ("amend", repr(list(request.action[1:])))
        if what != wanted:  # news was faster than this answer, and something else is under way now
            if isinstance(answer, VenueOrder):
                self._know(line, answer)
            return
        if isinstance(answer, VenueOrder):
            self._know(line, answer, self.now)
        elif isinstance(answer, BrokerTransient):
            if line.flight == "amend":
                line.change = merged(line.asked, line.change)
            line.flight, line.asked = "", None
            line.due = self.now + (answer.fields.get("retry_ms") or self.patience.retry_ms)
        elif isinstance(answer, BrokerError):
            if isinstance(answer, BrokerFatal):
                self._alert("critical", str(answer))
            if isinstance(answer, BrokerRejected) and line.flight == "amend":
                line.flight, line.asked = "", None
                code = str(answer.fields.get("code") or "refused_by_venue")
                self._said.events.append(Rejected(self.now, line.order.id, code, str(answer)))
            else:
                line.lost, line.moved = True, self.now  # until when it may have gone out
            self._find(line)
        else:  # taken, and the venue says no more: whether it is done, the order says
            line.due = self.now + self.patience.settle_ms

    # what the venue tells

    def heard(self, news: VenueOrder | VenueFill, now: int) -> Said:
        """Take news of an order, or of an execution."""
        self._begin(now)
        if isinstance(news, VenueFill):
            self._execute(news)
        else:
            line = self._line_of(news)
            if line is not None and line.state != "done":
                self._know(line, news)
        return self._said

    def _know(self, line: Line, order: VenueOrder, asked: int | None = None) -> None:
        """Take what a venue says of an order.

        `asked`: when the question was asked that it answers, which was after the answer to the change in flight; what
        it does not show has not happened. None where that is not so.
        """
        settled, flight = asked is not None, line.flight
        if order.venue_id and line.venue_id != order.venue_id:
            line.venue_id = order.venue_id
            self.ids[order.venue_id] = line.order.id
        if math.isnan(line.quantity) and order.quantity == order.quantity:
            line.quantity = order.quantity
        if order.status == "rejected" and not line.filled and line.state in DOUBT:
            self._refused(line, "refused_by_venue", "the venue refused it")
            return
        self._rest(line, settled=settled)
        if line.state == "done":
            return
        if order.triggered and not line.triggered:
            line.triggered = True
            self._said.events.append(Triggered(self.now, line.order.id))
        if order.status in ENDED:
            self._end(line, order.status, order.filled)
            return
        if line.flight == "amend" and line.lost and (asked or self.now) < line.moved + self.patience.land_ms:
            if settled:  # it may still be under way, and must not arrive after the next one
                line.due = line.moved + self.patience.land_ms
        elif line.flight == "amend" and line.asked is not None and shows(order, line.asked):
            self._amended(line)
        elif settled and line.flight:
            self._resized(line, order)
            self._again(line)
        elif settled and not flight:
            self._move(line)
        if order.filled > line.filled + self._dust(line):
            line.expected = max(line.expected, order.filled)
            self._ask_by(self.now + self.patience.settle_ms, line)

    def _again(self, line: Line) -> None:
        """Repeat a change that has not happened, after a pause; not for ever where the venue says that it has."""
        line.repeats += 1
        if line.flight == "amend" and line.repeats > _REPEATS:
            text = f"{line.order.id}: the venue has taken a change {line.repeats} times and does not show it"
            self._alert("error", text)
            self._said.events.append(Rejected(self.now, line.order.id, "refused_by_venue", text))
            line.repeats = 0
        elif line.flight == "amend":
            line.change = merged(line.asked, line.change)
        line.flight, line.asked = "", None
        self._ask_by(self.now + self.patience.retry_ms * 2 ** min(line.repeats - 1, 5), line)

    def _resized(self, line: Line, order: VenueOrder) -> None:
        """Learn how much an order has at the venue, where an earlier change of it got there and its answer did not."""
        if line.resizes and line.lost and abs(order.quantity - line.quantity) > self._dust(line):
            line.quantity = order.quantity
            self._said.events.append(Amended(self.now, line.order.id, NAN, order.quantity, NAN))

    def _amended(self, line: Line) -> None:
        change = line.asked or [NAN, NAN, NAN, ""]
        line.flight, line.asked, line.due, line.asks, line.repeats = "", None, INF, 0, 0
        if change[1] == change[1]:
            line.quantity = change[1]
        self._said.events.append(Amended(self.now, line.order.id, *change))
        self._move(line)

    def _rest(self, line: Line, *, settled: bool = False) -> None:
        """The venue has it."""
        if line.state in DOUBT:
            line.state, line.due, line.asks = "resting", INF, 0
            self._said.events.append(Accepted(self.now, line.order.id, line.venue_id))
        elif settled:
            line.due, line.asks = INF, 0
        self._take_early(line)
        if not settled:
            self._move(line)

    def woke_up(self, now: int) -> Said:
        """Begin again after a restart: nobody knows what became of requests that were under way."""
        self._begin(now)
        for line in self.lines.values():
            line.change = merged(line.asked, line.change) if line.asked is not None else line.change
            line.flight, line.asked, line.ending, line.pending, line.repeats = "", None, "", 0, 0
            if line.change is not None and line.state != "done":
                line.flight, line.asked, line.change, line.moved, line.lost = "amend", line.change, None, now, True
            if line.state in DOUBT:
                line.sent = now  # it may have gone out, or gone out again, just before the end
            if line.state in ("sent", "waiting"):
                self._lose(line, "the bot was restarted before the answer came")
            elif line.state != "done":
                self._find(line)
        return self._said

    # what a look round shows

    def look(self, now: int) -> Look:
        """Give the question for everything that happened since the last look, with overlap.

        An order that rests for weeks does not make it longer: its executions up to the last look are known.
        """
        return Look(self._known_to(now) - self.patience.overlap_ms, self.fundings.since())

    def _looked(self, seen: Snapshot) -> None:
        """Hold what is known against what the venue has."""
        whole = seen.since <= self._known_to(self.now)  # else it was asked for the executions of one order
        for fill in sorted(seen.fills, key=lambda one: one.ts):
            self._execute(fill)
        self._said.events += self.fundings.take(seen)
        open_now, strangers = set(), []
        for order in seen.orders:
            line = self._line_of(order)
            if line is None:
                strangers.append(order)
                continue
            open_now.add(line.order.id)
            if line.state != "done":
                self._know(line, order)
            elif line.ended + self.patience.land_ms < seen.asked:  # it was taken for gone, and is there all the same
                strangers.append(order)
        self.strangers = tuple(strangers)
        for name, line in list(self.lines.items()):
            quiet = line.sent < seen.asked and line.made < seen.asked
            if line.state == "resting" and name not in open_now and quiet and not line.ending and line.due == INF:
                self._find(line)
        if whole:
            self.seen = max(self.seen, seen.asked)
        self._forget(min(seen.since, self._known_to(self.now) - self.patience.keep_ms))

    def adopt(self, fills: Iterable[VenueFill]) -> list[Event]:
        """Take executions that somebody else made into the books: the events are for the core."""
        events: list[Event] = []
        for fill in fills:
            key = f"{fill.symbol} {fill.trade_id}"
            self.early = [one for one in self.early if f"{one.symbol} {one.trade_id}" != key]
            if key in self.trades:
                continue
            self.trades[key] = fill.ts
            event = Filled(
                fill.ts, f"outside:{fill.trade_id}", fill.symbol, fill.side, fill.quantity, fill.price, fill.fee,
                fill.maker, fill.price, "order", fill.ts, fill.leg, True, fill.trade_id, fill.fee_base,
            )  # fmt: skip
            self.fundings.filled(event)
            events.append(event)
        return events

    # time

    def due(self) -> float:
        """Give when something is to be done without anything being heard, ms UTC; infinity for never."""
        return min(map(self._when, self.lines.values()), default=INF)

    def _when(self, line: Line) -> float:
        """Give when something is to be done about an order, ms UTC: its date too, while nothing else is waited for."""
        order = line.order
        if line.due < INF:
            return line.due
        if order.time_in_force != "GTD" or line.state != "resting" or line.flight or line.ending:
            return INF
        return INF if order.expires is None or self.dates(order) else order.expires

    def wake(self, now: int) -> Said:
        """Do what is due."""
        self._begin(now)
        for line in [one for one in self.lines.values() if self._when(one) <= now]:
            line.due = INF
            if line.state == "waiting":
                self._send_late(line)
            elif line.ending or line.filled < line.expected - self._dust(line):
                self._fetch(line)
            elif line.state == "resting" and not line.flight and self._is_to_move(line):
                self._move(line)
            elif line.state == "sent":
                self._lose(line, "no answer came")
            elif line.state in ("unknown", "resting"):
                self._find(line)
        return self._said

    def _send_late(self, line: Line) -> None:
        if self._over(line):
            self._gone(line, "")
        else:
            self._send(line)

    def _is_to_move(self, line: Line) -> bool:
        return line.cancel or line.change is not None or self._over(line)

    def _fetch(self, line: Line) -> None:
        """Ask for executions that the venue counts and nobody has told of."""
        line.asks += 1
        line.due = self.now + self.patience.ask_ms * 2 ** min(line.asks, 6)
        if line.asks == 5:
            told = f"{line.order.id}: the venue counts {line.expected:g} executed and tells of {line.filled:g}"
            self._alert("error", told)
        self._said.requests.append(Look(line.made - self.patience.overlap_ms))
