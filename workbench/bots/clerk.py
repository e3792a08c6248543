"""The clerk of a bot: keeps, for every order, what is known of it at the venue, and what is still to be found out.

A state machine without I/O or clock, like the core: requests go out, answers and news come in in any order, late,
twice or not at all, and what comes out are events for the core, each once. A lost answer makes an order `Unknown`; it is
asked about by its client order id until it is known, and nothing is ever repeated blindly. A fill counts once, by the
venue's trade id; an order ends when the venue has said so and every execution of it has been told.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from workbench.bots.brokers.talk import ENDED, Find, Look, Request, Send, Snapshot, VenueFill, VenueOrder
from workbench.errors import BrokerError, BrokerFatal, BrokerRejected, BrokerTransient, BrokerUnknown
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

__all__ = ["Clerk", "Patience", "Said"]

NAN: Final = math.nan
INF: Final = math.inf


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
        Before an order of unknown state is asked about again.
    absent : int
        How often, that far apart, a venue must say that it has no such order before it is believed.
    settle_ms : int
        How long news of an order that an answer speaks of may be under way.
    """

    retry_ms: int = 500
    give_up_ms: int = 60_000
    ask_ms: int = 1_000
    absent: int = 3
    settle_ms: int = 2_000


@dataclass(slots=True)
class Said:
    """What came of something: events for the core, requests for the venue, alerts for a human."""

    events: list[Event]
    requests: list[Request]
    alerts: list[Alert]


@dataclass(slots=True)
class _Line:
    """One order: `state` is intended, sent, resting, unknown or done; `ending` what the venue says it ended as."""

    order: Order
    state: str = "intended"
    venue_id: str = ""
    filled: float = 0.0
    quantity: float = NAN
    fee: float = 0.0
    made: int = 0
    asked: int = 0
    due: float = INF
    tries: int = 0
    absent: int = 0
    ending: str = ""
    expected: float = 0.0
    cancel: str = ""
    amend: list[Any] | None = None
    triggered: bool = False


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
    """

    def __init__(self, markets: Mapping[str, Traded], patience: Patience | None = None) -> None:
        self.markets, self.patience = dict(markets), patience or Patience()
        self.now = 0
        self.lines: dict[str, _Line] = {}
        self.ids: dict[str, str] = {}
        self.trades: set[str] = set()
        self.early: list[VenueFill] = []
        self._said = Said([], [], [])

    # what the core wants

    def intend(self, action: Action, now: int) -> Said:
        """Take an action of the core for the venue; others are none of the clerk's."""
        self._begin(now)
        if type(action) is Submit:
            order = action.order
            self.lines[order.id] = line = _Line(order, quantity=order.quantity, made=now)
            self._send(line)
        elif type(action) is CancelOrder and action.id in self.lines:
            line = self.lines[action.id]
            line.cancel = "wanted"
            self._cancel(line)
        elif type(action) is AmendOrder and action.id in self.lines:
            line = self.lines[action.id]
            line.amend = list(action)
            self._amend(line)
        return self._said

    def _send(self, line: _Line) -> None:
        line.state, line.asked, line.due = "sent", self.now, INF
        line.tries += 1
        order = line.order
        self._said.requests.append(Send(Submit(order), order.id, order.symbol))

    def _cancel(self, line: _Line) -> None:
        """Cancel as soon as the venue is known to have it."""
        if line.state == "resting" and line.cancel == "wanted":
            line.cancel, line.asked = "asked", self.now
            self._said.requests.append(Send(CancelOrder(line.order.id), line.order.id, line.order.symbol))

    def _amend(self, line: _Line) -> None:
        if line.state == "resting" and line.amend is not None and not line.cancel:
            line.asked = self.now
            self._said.requests.append(Send(AmendOrder(*line.amend), line.order.id, line.order.symbol))

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
        elif isinstance(request, Send) and type(request.action) is Submit:
            self._submitted(line, answer)
        elif isinstance(request, Send) and type(request.action) is CancelOrder:
            self._cancelled(line, answer)
        elif isinstance(request, Send):
            self._amended(line, request.action, answer)  # type: ignore[arg-type]
        return self._said

    def _submitted(self, line: _Line, answer: Any) -> None:
        if isinstance(answer, VenueOrder):
            self._know(line, answer)
        elif answer is None:
            self._rest(line)
        elif isinstance(answer, BrokerTransient) and line.state == "sent":
            self._later(line, answer)
        elif isinstance(answer, BrokerRejected) and _is_duplicate(answer):
            self._ask(line, 0)  # an id of ours that the venue has already: it is there, whatever was said before
        elif isinstance(answer, (BrokerRejected, BrokerFatal)) and line.state == "sent":
            self._refused(line, _code_of(answer), str(answer))
            if isinstance(answer, BrokerFatal):
                self._said.alerts.append(Alert(self.now, "critical", str(answer)))
        elif line.state == "sent":
            self._lose(line, str(answer))

    def _later(self, line: _Line, error: BrokerTransient) -> None:
        """Send again after a pause what surely did not arrive, unless it has become too old."""
        wait = error.fields.get("retry_ms") or self.patience.retry_ms * 2 ** min(line.tries - 1, 7)
        if self.now + wait > line.made + self.patience.give_up_ms and not _protects(line.order):
            self._refused(line, "venue_unreachable", str(error))
            return
        line.state, line.due = "waiting", self.now + wait

    def _lose(self, line: _Line, text: str) -> None:
        line.state, line.absent = "unknown", 0
        self._said.events.append(Unknown(self.now, line.order.id, text))
        self._ask(line, self.patience.ask_ms // 4)

    def _ask(self, line: _Line, wait: int) -> None:
        """Ask after a wait what became of an order."""
        line.due = self.now + wait
        if wait == 0:
            self._find(line)

    def _find(self, line: _Line) -> None:
        line.asked, line.due = self.now, self.now + self.patience.ask_ms * 4
        self._said.requests.append(Find(line.order.id, line.order.symbol))

    def _found(self, line: _Line, answer: Any) -> None:
        if isinstance(answer, VenueOrder):
            self._know(line, answer)
        elif isinstance(answer, BrokerError):
            line.due = self.now + self.patience.ask_ms
        elif line.state in ("unknown", "sent"):
            line.absent += 1
            if line.absent < self.patience.absent:
                line.due = self.now + self.patience.ask_ms
            elif _protects(line.order) or self.now <= line.made + self.patience.give_up_ms:
                self._send(line)  # proven absent: now it may be repeated, under the same id
            else:
                self._refused(line, "not_received", "the venue has never had it, and it is too late for it now")
        elif line.state == "resting":
            line.absent += 1
            if line.absent < self.patience.absent:
                line.due = self.now + self.patience.ask_ms
            else:
                self._said.alerts.append(Alert(self.now, "error", f"{line.order.id} has vanished from the venue"))
                self._end(line, "canceled", line.filled)

    def _cancelled(self, line: _Line, answer: Any) -> None:
        if isinstance(answer, VenueOrder):
            self._know(line, answer)
        elif isinstance(answer, BrokerTransient):
            line.cancel, line.due = "wanted", self.now + self.patience.retry_ms
        if line.state == "resting" and line.cancel:  # whatever was answered, the order itself says what is true
            self._ask(line, 0 if isinstance(answer, (BrokerRejected, BrokerUnknown)) else self.patience.settle_ms)

    def _amended(self, line: _Line, action: AmendOrder, answer: Any) -> None:
        if isinstance(answer, BrokerTransient):
            line.due = self.now + self.patience.retry_ms
            return
        line.amend = None
        if isinstance(answer, BrokerRejected):
            self._said.events.append(Rejected(self.now, line.order.id, _code_of(answer), str(answer)))
            self._ask(line, 0)
        elif isinstance(answer, BrokerError):
            self._ask(line, 0)
        else:
            self._said.events.append(Amended(self.now, *action))
            if action.quantity == action.quantity:
                line.quantity = action.quantity
            if isinstance(answer, VenueOrder):
                self._know(line, answer)

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

    def _line_of(self, news: VenueOrder | VenueFill) -> _Line | None:
        own = news.id if news.id in self.lines else self.ids.get(news.venue_id, "")
        return self.lines.get(own)

    def _know(self, line: _Line, order: VenueOrder) -> None:
        """Take what a venue says of an order; news that is older than what is known says nothing new."""
        if order.venue_id:
            line.venue_id = order.venue_id
            self.ids[order.venue_id] = line.order.id
        if math.isnan(line.quantity) and order.quantity == order.quantity:
            line.quantity = order.quantity
        if order.status == "rejected" and not line.filled and line.state in ("sent", "unknown", "waiting"):
            self._refused(line, "not_supported", "the venue refused it")
            return
        self._rest(line)
        self._take_early(line)
        if order.triggered and not line.triggered:
            line.triggered = True
            self._said.events.append(Triggered(self.now, line.order.id))
        if order.status in ENDED:
            self._end(line, order.status, order.filled)
        elif order.filled > line.filled + self._dust(line):
            line.due = min(line.due, self.now + self.patience.settle_ms)

    def _rest(self, line: _Line) -> None:
        """The venue has it."""
        if line.state in ("sent", "unknown", "waiting"):
            line.state, line.absent, line.due = "resting", 0, INF
            self._said.events.append(Accepted(self.now, line.order.id, line.venue_id))
        self._cancel(line)
        self._amend(line)

    def _execute(self, fill: VenueFill) -> None:
        key = f"{fill.symbol} {fill.trade_id}"
        if key in self.trades:
            return
        line = self._line_of(fill)
        if line is None:
            if not any(one == fill for one in self.early):
                self.early.append(fill)
            return
        self.trades.add(key)
        self._rest(line)
        line.filled += fill.quantity
        line.fee += fill.fee
        whole = line.quantity == line.quantity and line.filled >= line.quantity - self._dust(line)
        if line.quantity == line.quantity and line.filled > line.quantity + self._dust(line):
            told = f"{line.order.id}: {line.filled:g} executed of {line.quantity:g}"
            self._said.alerts.append(Alert(self.now, "error", told))
        order = line.order
        self._said.events.append(
            Filled(
                fill.ts, order.id, fill.symbol, fill.side, fill.quantity, fill.price, fill.fee, fill.maker, fill.price,
                order.reason, order.decided, fill.leg, whole, fill.trade_id,
            )
        )  # fmt: skip
        if whole:
            self._close(line)
        else:
            self._try_end(line)

    def _take_early(self, line: _Line) -> None:
        """Book the executions that were told before anybody knew whose they are."""
        mine = [fill for fill in self.early if fill.venue_id == line.venue_id or fill.id == line.order.id]
        if mine:
            self.early = [fill for fill in self.early if fill not in mine]
            for fill in mine:
                self._execute(fill)

    def _end(self, line: _Line, status: str, filled: float) -> None:
        if line.state != "done":
            line.ending, line.expected = status, filled
            self._try_end(line)

    def _try_end(self, line: _Line) -> None:
        """End an order once every execution that the venue counts has been told; ask for what is missing."""
        if not line.ending or line.state == "done":
            return
        if line.filled < line.expected - self._dust(line):
            if line.due == INF:
                line.due = self.now + self.patience.settle_ms
            return
        name = line.order.id
        if line.ending == "expired":
            self._said.events.append(Expired(self.now, name))
        elif line.ending == "rejected" and not line.filled:
            self._said.events.append(Rejected(self.now, name, "not_supported", "the venue refused it"))
        else:
            self._said.events.append(Canceled(self.now, name, "" if line.cancel else "by the venue"))
        self._close(line)

    def _refused(self, line: _Line, code: str, text: str) -> None:
        self._said.events.append(Rejected(self.now, line.order.id, code, text))
        self._close(line)

    def _close(self, line: _Line) -> None:
        line.state, line.due, line.amend = "done", INF, None

    # what a journal says

    def recall(self, entry: Event | Action) -> None:
        """Take up what a journal says: an action that was intended, or an event that the core has handled."""
        if isinstance(entry, Submit):
            order = entry.order
            self.lines[order.id] = _Line(order, quantity=order.quantity, made=order.created, tries=1, state="sent")
            return
        line = self.lines.get(getattr(entry, "id", ""))
        if line is None:
            return
        if isinstance(entry, Filled):
            self.trades.add(f"{entry.symbol} {entry.trade}")
            line.filled += entry.quantity
            line.fee += entry.fee
            line.state = "done" if entry.final or line.state == "done" else "resting"
        elif isinstance(entry, Accepted):
            line.state, line.venue_id = "resting", entry.venue_id
            self.ids[entry.venue_id] = entry.id
        elif isinstance(entry, (Canceled, Expired)) or (
            isinstance(entry, Rejected) and line.state in ("sent", "unknown")
        ):
            line.state = "done"
        elif isinstance(entry, Unknown):
            line.state = "unknown"
        elif isinstance(entry, Amended) and entry.quantity == entry.quantity:
            line.quantity = entry.quantity
        elif isinstance(entry, Triggered):
            line.triggered = True
        elif isinstance(entry, CancelOrder):
            line.cancel = "wanted"

    # what a look round shows

    def _looked(self, seen: Snapshot) -> None:
        """Hold what is known against what the venue has."""
        for fill in sorted(seen.fills, key=lambda one: one.ts):
            self._execute(fill)
        open_now = {}
        for order in seen.orders:
            line = self._line_of(order)
            if line is not None:
                open_now[line.order.id] = order
                if line.state != "done":
                    self._know(line, order)
        for name, line in list(self.lines.items()):
            quiet = line.asked < seen.asked and line.made < seen.asked
            if line.state in ("resting", "unknown") and name not in open_now and quiet:
                self._find(line)

    @property
    def outside(self) -> tuple[VenueFill, ...]:
        """Executions that belong to no order of this bot, as far as is known."""
        waits = {line.order.symbol for line in self.lines.values() if line.state in ("sent", "unknown", "waiting")}
        return tuple(fill for fill in self.early if fill.symbol not in waits)

    def adopt(self, fills: Iterable[VenueFill]) -> list[Event]:
        """Take executions that somebody else made into the books: the events are for the core."""
        events: list[Event] = []
        for fill in fills:
            self.early = [one for one in self.early if one != fill]
            self.trades.add(f"{fill.symbol} {fill.trade_id}")
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
        for line in list(self.lines.values()):
            if line.due > now:
                continue
            line.due = INF
            if line.state == "waiting":
                self._send(line)
            elif line.state in ("unknown", "sent"):
                self._find(line)
            elif line.state == "resting":
                if line.cancel == "wanted":
                    self._cancel(line)
                elif line.amend is not None:
                    self._amend(line)
                else:
                    self._find(line)
                if line.ending or line.filled < line.expected:
                    self._said.requests.append(Look(line.made - 60_000))
        return self._said

    def woke_up(self, now: int) -> Said:
        """Begin again after a restart: nobody knows what became of requests that were under way."""
        self._begin(now)
        for line in self.lines.values():
            if line.state in ("sent", "waiting", "intended"):
                line.tries += 1
                self._lose(line, "the bot was restarted before the answer came")
                self._find(line)
            elif line.state in ("resting", "unknown"):
                line.cancel = "wanted" if line.cancel else ""
                self._find(line)
        return self._said

    @property
    def busy(self) -> bool:
        """Whether anything is under way or unknown."""
        return any(line.state in ("sent", "unknown", "waiting") or line.ending or line.cancel
                   for line in self.lines.values() if line.state != "done")  # fmt: skip

    def _begin(self, now: int) -> None:
        self.now = max(self.now, now)
        self._said = Said([], [], [])

    def _dust(self, line: _Line) -> float:
        lot = self.markets[line.order.symbol].lots.lot
        return lot / 2 if lot > 0.0 else 1e-9 * max(abs(line.filled), 1e-12)

    # for the journal

    def snapshot(self) -> dict[str, Any]:
        """Give the whole state as plain data for JSON."""
        lines = [{**asdict(line), "order": line.order.to_dict()} for line in self.lines.values()]
        for one in lines:
            one["due"] = None if one["due"] == INF else one["due"]
        return {
            "now": self.now, "lines": lines, "ids": dict(self.ids), "trades": sorted(self.trades),
            "early": [list(fill) for fill in self.early],
        }  # fmt: skip

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up what `snapshot` gave."""
        self.now, self.ids, self.trades = data["now"], dict(data["ids"]), set(data["trades"])
        self.early = [VenueFill(*fill) for fill in data["early"]]
        self.lines = {}
        for one in data["lines"]:
            kept = {**one, "order": Order(**one["order"]), "due": INF if one["due"] is None else one["due"]}
            self.lines[kept["order"].id] = _Line(**kept)


def _protects(order: Order) -> bool:
    """Tell whether an order makes a position smaller, so that it is never too late for it."""
    return order.reduce_only or order.close_position


def _is_duplicate(error: BrokerRejected) -> bool:
    return error.fields.get("code") == "duplicate_id"


def _code_of(error: BrokerError) -> str:
    return str(error.fields.get("code") or "refused_by_venue")
