"""The clerk of a bot: keeps, for every order, what is known of it at the venue, and what is still to be found out.

A state machine without I/O or clock, like the core: requests go out, answers and news come in in any order, late,
twice or not at all, and what comes out are events for the core, each once. A lost answer makes an order `Unknown`; it
is asked about by its client order id until it is known, and nothing is repeated that might have arrived. A fill counts
once, by the venue's trade id; an order ends when the venue has said so and every execution of it has been told.

Of each order at most one request to change it is under way, so that changes cannot overtake each other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from workbench.bots.brokers.talk import ENDED, Find, Look, Request, Send, Snapshot, VenueFill, VenueOrder
from workbench.errors import BrokerError, BrokerFatal, BrokerRejected, BrokerTransient
from workbench.trading.core import Traded
from workbench.trading.events import (
    Accepted,
    Action,
    Alert,
    Amended,
    AmendOrder,
    Canceled,
    CancelOrder,
    Event,
    Expired,
    Filled,
    Rejected,
    Submit,
    Triggered,
    Unknown,
)
from workbench.trading.orders import Order

__all__ = ["Clerk", "Line", "Patience", "Said"]

NAN: Final = math.nan
INF: Final = math.inf
_DOUBT: Final = frozenset(("sent", "waiting", "unknown"))


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long the clerk waits, in ms.

    Parameters
    ----------
    retry_ms : int
        Before a request that surely did not take effect is sent again; doubles each time.
    give_up_ms : int
        How old an intent may be when it is sent (again); an entry that is older is refused.
    ask_ms : int
        Before an order whose state is not known is asked about again.
    land_ms : int
        How long a request may be under way before it reaches the venue: longer than the time for which the venue
        takes a signed request. Only then does "there is no such order" prove anything.
    settle_ms : int
        How long news of an order that an answer speaks of may be under way.
    overlap_ms : int
        How far before the last look fills are asked for again.
    keep_ms : int
        How long orders that have ended, and ids of trades, are remembered.
    """

    retry_ms: int = 500
    give_up_ms: int = 60_000
    ask_ms: int = 1_000
    land_ms: int = 10_000
    settle_ms: int = 2_000
    overlap_ms: int = 600_000
    keep_ms: int = 86_400_000


@dataclass(slots=True)
class Said:
    """What came of something: events for the core, requests for the venue, alerts for a human."""

    events: list[Event] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)


@dataclass(slots=True)
class Line:
    """What is known of one order.

    Attributes
    ----------
    state : str
        "sent" (the request is under way), "waiting" (surely not at the venue, to be sent again), "unknown", "resting"
        (the venue has it) or "done".
    ending : str
        What the venue says it ended as, while executions of it are missing; `expected` is how much there must be.
    flight : str
        "cancel" or "amend" while such a request is under way, or unsettled.
    cancel : bool
        It is to be cancelled.
    change : list or None
        How it is to be changed: price, quantity, stop price, reason.
    """

    order: Order
    state: str = "sent"
    venue_id: str = ""
    filled: float = 0.0
    quantity: float = NAN
    made: int = 0
    sent: int = 0
    due: float = INF
    tries: int = 0
    asks: int = 0
    ending: str = ""
    expected: float = 0.0
    flight: str = ""
    cancel: bool = False
    change: list[Any] | None = None
    asked: list[Any] | None = None
    triggered: bool = False
    ended: int = 0


class Clerk:
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
    strangers : tuple of VenueOrder
        Open orders at the venue, as of the last look, that are none of this clerk's.
    """

    def __init__(self, markets: Mapping[str, Traded], patience: Patience | None = None) -> None:
        self.markets, self.patience = dict(markets), patience or Patience()
        self.now = self.seen = 0
        self.lines: dict[str, Line] = {}
        self.ids: dict[str, str] = {}
        self.trades: dict[str, int] = {}
        self.early: list[VenueFill] = []
        self.strangers: tuple[VenueOrder, ...] = ()
        self._said = Said()

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
                self._end_as(line, Canceled(now, line.order.id, "before it was sent"))
            self._move(line)
        elif type(action) is AmendOrder and action.id in self.lines:
            line = self.lines[action.id]
            line.change = _merged(line.change, [action.price, action.quantity, action.stop_price, action.reason])
            if line.state == "waiting":
                self._change_unsent(line)
            self._move(line)
        return self._said

    def _send(self, line: Line) -> None:
        line.state, line.sent, line.asks = "sent", self.now, 0
        line.due = self.now + 3 * self.patience.land_ms  # an answer that never comes is as good as a lost one
        line.tries += 1
        self._said.requests.append(Send(Submit(line.order), line.order.id, line.order.symbol))

    def _change_unsent(self, line: Line) -> None:
        """Change an order that is surely not at the venue: it will be sent as it is to be."""
        change, line.change = line.change, None
        if change is None:
            return
        price, quantity, stop = change[:3]
        order = line.order
        order.price = price if price == price else order.price
        order.quantity = line.quantity = quantity if quantity == quantity else order.quantity
        order.stop_price = stop if stop == stop else order.stop_price
        self._said.events.append(Amended(self.now, order.id, *change))

    def _move(self, line: Line) -> None:
        """Send what is wanted of an order that the venue has, if nothing is under way."""
        if line.state != "resting" or line.flight or line.ending:
            return
        order = line.order
        if line.cancel:
            line.flight = "cancel"
            self._ask_by(self.now + self.patience.ask_ms * 5, line)
            self._said.requests.append(Send(CancelOrder(order.id), order.id, order.symbol))
        elif line.change is not None:
            line.flight, line.asked, line.change = "amend", line.change, None
            self._ask_by(self.now + self.patience.ask_ms * 5, line)
            self._said.requests.append(Send(AmendOrder(order.id, *line.asked), order.id, order.symbol))

    def _ask_by(self, ts: float, line: Line) -> None:
        line.due = min(line.due, ts)

    # what the venue answers

    def answered(self, request: Request, answer: VenueOrder | Snapshot | BrokerError | None, now: int) -> Said:
        """Take the answer to a request: what the broker gave, or what it raised."""
        self._begin(now)
        if isinstance(request, Look):
            if isinstance(answer, Snapshot):
                self._looked(answer)
            return self._said
        line = self.lines.get(request.id)
        if line is None or line.state == "done":
            return self._said
        if isinstance(request, Find):
            self._found(line, answer)
        elif type(request.action) is Submit:
            self._submitted(line, answer)
        else:
            self._changed(line, answer)
        return self._said

    def _submitted(self, line: Line, answer: Any) -> None:
        if isinstance(answer, VenueOrder):
            self._know(line, answer)
        elif answer is None:
            self._rest(line)
        elif line.state != "sent":  # news was faster than the answer
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
        if line.cancel:
            self._end_as(line, Canceled(self.now, line.order.id, "before it was sent"))
            return
        wait = error.fields.get("retry_ms") or self.patience.retry_ms * 2 ** min(line.tries - 1, 5)
        if self.now + wait > line.made + self.patience.give_up_ms and not _protects(line.order):
            self._refused(line, "venue_unreachable", str(error))
            return
        line.state, line.due = "waiting", self.now + wait
        self._change_unsent(line)

    def _lose(self, line: Line, text: str) -> None:
        line.state, line.asks = "unknown", 0
        self._said.events.append(Unknown(self.now, line.order.id, text))
        self._find(line)

    def _find(self, line: Line) -> None:
        """Ask what became of an order; should that be lost too, ask again."""
        line.asks += 1
        line.due = self.now + self.patience.ask_ms * 2 ** min(line.asks, 6)
        self._said.requests.append(Find(line.order.id, line.order.symbol))

    def _found(self, line: Line, answer: Any) -> None:
        if isinstance(answer, VenueOrder):
            self._know(line, answer, settled=True)
        elif isinstance(answer, BrokerError):
            wait = answer.fields.get("retry_ms") or self.patience.ask_ms * 2 ** min(line.asks, 6)
            line.due = self.now + wait
        elif line.state == "unknown":
            self._absent(line)
        elif line.state == "resting" and line.asks < 4:
            line.due = self.now + self.patience.ask_ms
        elif line.state == "resting":
            self._alert("error", f"{line.order.id} has vanished from the venue")
            self._said.requests.append(Look(line.made - self.patience.overlap_ms))
            self._end(line, "canceled", line.filled)

    def _absent(self, line: Line) -> None:
        """The venue has no such order: proven once the request can no longer be under way."""
        proven = line.sent + self.patience.land_ms
        if self.now < proven:
            line.due = max(proven, self.now + self.patience.ask_ms)
        elif line.cancel:
            self._end_as(line, Canceled(self.now, line.order.id, "it never arrived"))
        elif _protects(line.order) or self.now <= line.made + self.patience.give_up_ms:
            self._change_unsent(line)
            self._send(line)
        else:
            self._refused(line, "not_received", "the venue has never had it, and it is too late for it now")

    def _changed(self, line: Line, answer: Any) -> None:
        """Take the answer to a cancellation or a change of an order."""
        if not line.flight:
            return
        if isinstance(answer, VenueOrder):
            self._know(line, answer, settled=True)
        elif isinstance(answer, BrokerTransient):
            if line.flight == "amend":
                line.change = _merged(line.asked, line.change)
            line.flight, line.asked = "", None
            line.due = self.now + (answer.fields.get("retry_ms") or self.patience.retry_ms)
        elif isinstance(answer, BrokerError):
            if isinstance(answer, BrokerFatal):
                self._alert("critical", str(answer))
            if isinstance(answer, BrokerRejected) and line.flight == "amend":
                line.flight, line.asked = "", None
                code = str(answer.fields.get("code") or "refused_by_venue")
                self._said.events.append(Rejected(self.now, line.order.id, code, str(answer)))
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

    def _line_of(self, news: VenueOrder | VenueFill) -> Line | None:
        own = news.id if news.id in self.lines else self.ids.get(news.venue_id, "")
        return self.lines.get(own)

    def _know(self, line: Line, order: VenueOrder, *, settled: bool = False) -> None:
        """Take what a venue says of an order.

        `settled`: it is an answer to a question asked after the change in flight, or to the change itself, so that what
        it does not show has not happened.
        """
        if order.venue_id and line.venue_id != order.venue_id:
            line.venue_id = order.venue_id
            self.ids[order.venue_id] = line.order.id
        if math.isnan(line.quantity) and order.quantity == order.quantity:
            line.quantity = order.quantity
        if order.status == "rejected" and not line.filled and line.state in _DOUBT:
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
        if line.flight == "amend" and line.asked is not None and _shows(order, line.asked):
            self._amended(line)
        elif settled and line.flight:
            line.change = _merged(line.asked, line.change) if line.flight == "amend" else line.change
            line.flight, line.asked = "", None
            self._ask_by(self.now + self.patience.retry_ms, line)
        if order.filled > line.filled + self._dust(line):
            line.expected = max(line.expected, order.filled)
            self._ask_by(self.now + self.patience.settle_ms, line)

    def _amended(self, line: Line) -> None:
        change = line.asked or [NAN, NAN, NAN, ""]
        line.flight, line.asked, line.due, line.asks = "", None, INF, 0
        if change[1] == change[1]:
            line.quantity = change[1]
        self._said.events.append(Amended(self.now, line.order.id, *change))
        self._move(line)

    def _rest(self, line: Line, *, settled: bool = False) -> None:
        """The venue has it."""
        if line.state in _DOUBT:
            line.state, line.due, line.asks = "resting", INF, 0
            self._said.events.append(Accepted(self.now, line.order.id, line.venue_id))
        elif settled:
            line.due, line.asks = INF, 0
        self._take_early(line)
        if not settled:
            self._move(line)

    def _execute(self, fill: VenueFill) -> None:
        key = f"{fill.symbol} {fill.trade_id}"
        if key in self.trades:
            return
        line = self._line_of(fill)
        if line is None:
            if all(f"{one.symbol} {one.trade_id}" != key for one in self.early):
                self.early.append(fill)
            return
        self.trades[key] = fill.ts
        if line.state in _DOUBT:
            line.state, line.due, line.asks = "resting", INF, 0
            line.venue_id = line.venue_id or fill.venue_id
            self.ids[fill.venue_id] = line.order.id
            self._said.events.append(Accepted(self.now, line.order.id, line.venue_id))
        line.filled += fill.quantity
        known = line.quantity == line.quantity
        whole = known and line.filled >= line.quantity - self._dust(line)
        if known and line.filled > line.quantity + self._dust(line):
            self._alert("error", f"{line.order.id}: {line.filled:g} executed of {line.quantity:g}")
        order = line.order
        self._said.events.append(
            Filled(
                fill.ts, order.id, fill.symbol, fill.side, fill.quantity, fill.price, fill.fee, fill.maker, fill.price,
                order.reason, order.decided, fill.leg, whole, fill.trade_id,
            )
        )  # fmt: skip
        if whole:
            self._close(line)
        elif line.state != "done":
            self._try_end(line)
            self._take_early(line)
            self._move(line)

    def _take_early(self, line: Line) -> None:
        """Book the executions that were told before anybody knew whose they are."""
        mine = [one for one in self.early if one.id == line.order.id or (line.venue_id and one.venue_id == line.venue_id)]
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
        name = line.order.id
        if line.ending == "expired":
            self._end_as(line, Expired(self.now, name))
        elif line.ending == "rejected" and not line.filled:
            self._refused(line, "refused_by_venue", "the venue refused it")
        else:
            self._end_as(line, Canceled(self.now, name, "" if line.cancel else "by the venue"))

    def _refused(self, line: Line, code: str, text: str) -> None:
        self._end_as(line, Rejected(self.now, line.order.id, code, text))

    def _end_as(self, line: Line, event: Event) -> None:
        self._said.events.append(event)
        self._close(line)

    def _close(self, line: Line) -> None:
        line.state, line.due, line.change, line.flight, line.ended = "done", INF, None, "", self.now

    def _alert(self, level: str, text: str) -> None:
        self._said.alerts.append(Alert(self.now, level, text))

    # what a journal says

    def recall(self, entry: Event | Action) -> None:
        """Take up what a journal says: an action that was intended, or an event that the core has handled."""
        if isinstance(entry, Submit):
            order = entry.order
            self.lines[order.id] = Line(order, quantity=order.quantity, made=order.created, sent=order.created, tries=1)
            return
        if isinstance(entry, Filled) and entry.trade:
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
        elif isinstance(entry, (Canceled, Expired)) or (isinstance(entry, Rejected) and line.state in _DOUBT):
            line.state, line.ended = "done", entry.ts
        elif isinstance(entry, Unknown):
            line.state = "unknown"
        elif isinstance(entry, Triggered):
            line.triggered = True
        elif isinstance(entry, CancelOrder):
            line.cancel = True
        elif isinstance(entry, AmendOrder):
            line.change = _merged(line.change, [entry.price, entry.quantity, entry.stop_price, entry.reason])
        elif isinstance(entry, (Amended, Rejected)):
            line.change = None
            if isinstance(entry, Amended) and entry.quantity == entry.quantity:
                line.quantity = entry.quantity

    def woke_up(self, now: int) -> Said:
        """Begin again after a restart: nobody knows what became of requests that were under way."""
        self._begin(now)
        for line in self.lines.values():
            line.flight, line.asked, line.ending = "", None, ""
            if line.state in ("sent", "waiting"):
                line.sent = now  # it may have gone out just before the end
                self._lose(line, "the bot was restarted before the answer came")
            elif line.state != "done":
                self._find(line)
        return self._said

    # what a look round shows

    def look(self, now: int) -> Look:
        """Give the question for everything that happened since the last look, with overlap."""
        waiting = [line.made for line in self.lines.values() if line.state != "done"]
        since = min([self.seen or now, *waiting]) - self.patience.overlap_ms
        return Look(since)

    def _looked(self, seen: Snapshot) -> None:
        """Hold what is known against what the venue has."""
        for fill in sorted(seen.fills, key=lambda one: one.ts):
            self._execute(fill)
        open_now, strangers = set(), []
        for order in seen.orders:
            line = self._line_of(order)
            if line is None:
                strangers.append(order)
                continue
            open_now.add(line.order.id)
            if line.state != "done":
                self._know(line, order)
        self.strangers = tuple(strangers)
        for name, line in list(self.lines.items()):
            quiet = line.sent < seen.asked and line.made < seen.asked
            if line.state == "resting" and name not in open_now and quiet and not line.ending and line.due == INF:
                self._find(line)
        self.seen = max(self.seen, seen.asked)
        self._forget(min(seen.since, self.seen - self.patience.keep_ms))

    def _forget(self, before: int) -> None:
        """Let go of what ended before a time from which on nothing is asked for any more."""
        gone = [name for name, line in self.lines.items() if line.state == "done" and line.ended < before]
        for name in gone:
            self.ids.pop(self.lines.pop(name).venue_id, None)
        if gone:
            self.trades = {key: ts for key, ts in self.trades.items() if ts >= before}

    @property
    def outside(self) -> tuple[VenueFill, ...]:
        """Executions that belong to no order of this bot, as far as is known."""
        doubt = {line.order.symbol for line in self.lines.values() if line.state in _DOUBT}
        return tuple(one for one in self.early if one.symbol not in doubt)

    def adopt(self, fills: Iterable[VenueFill]) -> list[Event]:
        """Take executions that somebody else made into the books: the events are for the core."""
        events: list[Event] = []
        for fill in fills:
            self.early = [one for one in self.early if one != fill]
            self.trades[f"{fill.symbol} {fill.trade_id}"] = fill.ts
            events.append(
                Filled(
                    fill.ts, f"outside:{fill.trade_id}", fill.symbol, fill.side, fill.quantity, fill.price, fill.fee,
                    fill.maker, fill.price, "order", fill.ts, fill.leg, True, fill.trade_id,
                )
            )  # fmt: skip
        return events

    # time

    def due(self) -> float:
        """Give when something is to be done without anything being heard, ms UTC; infinity for never."""
        return min((line.due for line in self.lines.values()), default=INF)

    def wake(self, now: int) -> Said:
        """Do what is due."""
        self._begin(now)
        for line in [one for one in self.lines.values() if one.due <= now]:
            line.due = INF
            if line.state == "waiting":
                self._send(line)
            elif line.ending or line.filled < line.expected - self._dust(line):
                self._fetch(line)
            elif line.state == "resting" and not line.flight and (line.cancel or line.change is not None):
                self._move(line)
            elif line.state == "sent":
                self._lose(line, "no answer came")
            elif line.state in ("unknown", "resting"):
                self._find(line)
        return self._said

    def _fetch(self, line: Line) -> None:
        """Ask for executions that the venue counts and nobody has told of."""
        line.asks += 1
        line.due = self.now + self.patience.ask_ms * 2 ** min(line.asks, 6)
        if line.asks == 5:
            told = f"{line.order.id}: the venue counts {line.expected:g} executed and tells of {line.filled:g}"
            self._alert("error", told)
        self._said.requests.append(Look(line.made - self.patience.overlap_ms))

    @property
    def busy(self) -> bool:
        """Whether anything is under way or not known for certain."""
        return bool(self.early) or any(
            line.state in _DOUBT or line.due < INF or line.flight or line.ending
            for line in self.lines.values()
            if line.state != "done"
        )

    @property
    def doubt(self) -> tuple[str, ...]:
        """The ids of orders of which nobody knows whether the venue has them."""
        return tuple(name for name, line in self.lines.items() if line.state in _DOUBT)

    def _begin(self, now: int) -> None:
        self.now = max(self.now, now)
        self._said = Said()

    def _dust(self, line: Line) -> float:
        lot = self.markets[line.order.symbol].lots.lot
        return lot / 2 if lot > 0.0 else 1e-9 * max(abs(line.filled), 1e-12)

    # for the journal

    def snapshot(self) -> dict[str, Any]:
        """Give the whole state as plain data for JSON."""
        lines = [{**asdict(line), "order": line.order.to_dict()} for line in self.lines.values()]
        for one in lines:
            one["due"] = None if one["due"] == INF else one["due"]
        return {
            "now": self.now, "seen": self.seen, "lines": lines, "ids": dict(self.ids), "trades": dict(self.trades),
            "early": [list(fill) for fill in self.early],
        }  # fmt: skip

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up what `snapshot` gave."""
        self.now, self.seen = data["now"], data["seen"]
        self.ids, self.trades = dict(data["ids"]), dict(data["trades"])
        self.early = [VenueFill(*fill) for fill in data["early"]]
        self.lines = {}
        for one in data["lines"]:
            kept = {**one, "order": Order(**one["order"]), "due": INF if one["due"] is None else one["due"]}
            self.lines[kept["order"].id] = Line(**kept)


def _protects(order: Order) -> bool:
    """Tell whether an order makes a position smaller, so that it is never too late for it."""
    return order.reduce_only or order.close_position


def _merged(first: list[Any] | None, then: list[Any] | None) -> list[Any]:
    """Put one change of price, quantity, stop price and reason upon another."""
    if first is None or then is None:
        return list(first or then or [NAN, NAN, NAN, ""])
    return [b if b == b and b != "" else a for a, b in zip(first, then, strict=True)]


def _shows(order: VenueOrder, change: list[Any]) -> bool:
    """Tell whether an order is at the venue what it was to become."""
    found = (order.price, order.quantity, order.stop_price)
    return all(
        want != want or (have == have and math.isclose(have, want, rel_tol=1e-9))
        for want, have in zip(change[:3], found, strict=True)
    )
