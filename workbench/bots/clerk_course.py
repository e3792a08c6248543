"""How orders move on and end: changes one at a time, executions once each, an end when all of them are told."""

from __future__ import annotations

from workbench.bots.brokers.talk import Send, VenueFill, VenueOrder
from workbench.bots.clerk_lines import DOUBT, INF, Line
from workbench.bots.clerk_memory import Memory
from workbench.trading.events import (
    Accepted,
    Alert,
    AmendOrder,
    Canceled,
    CancelOrder,
    Event,
    Expired,
    Filled,
    Rejected,
)

__all__ = ["Course"]


class Course(Memory):
    """The course of orders at a venue; `Clerk` says what requests, answers and news make of it."""

    def _line_of(self, news: VenueOrder | VenueFill) -> Line | None:
        own = news.id if news.id in self.lines else self.ids.get(news.venue_id, "")
        return self.lines.get(own)

    def _move(self, line: Line) -> None:
        """Send what is wanted of an order that the venue has, if nothing is under way."""
        lost = line.flight == "amend" and line.lost and line.cancel  # a change that comes late changes nothing then
        if line.state != "resting" or (line.flight and not lost) or line.ending:
            return
        order = line.order
        line.moved, line.lost = self.now, False
        action: CancelOrder | AmendOrder
        if line.cancel or self._over(line):
            line.flight, action = "cancel", CancelOrder(order.id)
        elif line.change is not None:
            line.flight, line.asked, line.change = "amend", line.change, None
            action = AmendOrder(order.id, *line.asked)
        else:
            return
        line.pending += 1
        self._ask_by(self.now + self.patience.ask_ms * 5, line)
        self._said.requests.append(Send(action, order.id, order.symbol))

    def _ask_by(self, ts: float, line: Line) -> None:
        line.due = min(line.due, ts)

    def _execute(self, fill: VenueFill) -> None:
        key = f"{fill.symbol} {fill.trade_id}"
        if key in self.trades or fill.ts < self.forgotten:
            return
        line = self._line_of(fill)
        if line is None:
            if all(f"{one.symbol} {one.trade_id}" != key for one in self.early):
                self.early.append(fill)
            return
        self.trades[key] = fill.ts
        if line.state in DOUBT:
            line.state, line.due, line.asks = "resting", INF, 0
            line.venue_id = line.venue_id or fill.venue_id
            self.ids[fill.venue_id] = line.order.id
            self._said.events.append(Accepted(self.now, line.order.id, line.venue_id))
        line.filled += fill.quantity
        known = line.quantity == line.quantity and not line.resizes  # else the venue says when it is at its end
        whole = known and line.filled >= line.quantity - self._dust(line)
        if known and line.filled > line.quantity + self._dust(line):
            self._alert("error", f"{line.order.id}: {line.filled:g} executed of {line.quantity:g}")
        order = line.order
        event = Filled(
            fill.ts, order.id, fill.symbol, fill.side, fill.quantity, fill.price, fill.fee, fill.maker, fill.price,
            order.reason, order.decided, fill.leg, whole, fill.trade_id, fill.fee_base,
        )  # fmt: skip
        self.fundings.filled(event)
        self._said.events.append(event)
        if whole:
            self._close(line)
        elif line.state != "done":
            if line.resizes and line.filled >= line.quantity - self._dust(line):
                self._ask_by(self.now, line)  # the change was too late and all is over, or there is more of it
            self._try_end(line)
            self._take_early(line)
            self._move(line)

    def _take_early(self, line: Line) -> None:
        """Book the executions that were told before anybody knew whose they are."""
        mine = [
            one for one in self.early if one.id == line.order.id or (line.venue_id and one.venue_id == line.venue_id)
        ]
        if mine:
            self.early = [fill for fill in self.early if fill not in mine]
            for fill in mine:
                self._execute(fill)

    def _end(self, line: Line, status: str, filled: float) -> None:
        line.ending, line.expected = status, max(line.expected, filled)
        self._try_end(line)

    def _try_end(self, line: Line) -> None:
        """End an order once every execution that the venue counts has been told; ask for what is missing."""
        if not line.ending or line.state == "done":
            return
        if line.filled < line.expected - self._dust(line):
            line.due = self.now + self.patience.settle_ms
            return
        if line.ending == "expired":
            self._end_as(line, Expired(self.now, line.order.id))
        elif line.ending == "rejected" and not line.filled:
            self._refused(line, "refused_by_venue", "the venue refused it")
        else:
            self._gone(line, "" if line.cancel else "by the venue")

    def _gone(self, line: Line, why: str) -> None:
        """End an order that is no more, and was not refused: it was cancelled, or its date had come."""
        name = line.order.id
        over = not line.cancel and self._over(line)
        self._end_as(line, Expired(self.now, name) if over else Canceled(self.now, name, why))

    def _refused(self, line: Line, code: str, text: str) -> None:
        self._end_as(line, Rejected(self.now, line.order.id, code, text))

    def _end_as(self, line: Line, event: Event) -> None:
        self._said.events.append(event)
        self._close(line)

    def _close(self, line: Line) -> None:
        line.state, line.due, line.change, line.flight, line.ended = "done", INF, None, "", self.now

    def _alert(self, level: str, text: str) -> None:
        self._said.alerts.append(Alert(self.now, level, text))
