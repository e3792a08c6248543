"""What a bot's journal tells: executions, bars as they were heard, orders that came to nothing, times without it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from workbench.bots.comparison.tapes import Tape
from workbench.bots.journal.records import Logged
from workbench.trading.events import (
    Alert,
    Amended,
    Bar,
    Canceled,
    Expired,
    Filled,
    Funded,
    Learnt,
    Moved,
    Rejected,
    Submit,
)
from workbench.trading.orders import Order

__all__ = ["TOLD", "Lived", "Pause", "read_life"]

_KINDS: Final = (Logged, Bar, Learnt, Filled, Funded, Submit, Amended, Rejected, Canceled, Expired, Moved, Alert)
TOLD: Final = frozenset(kind.__name__ for kind in _KINDS)
"""Kinds of entries of a journal that tell of a life."""

_BY_HAND: Final = ("by its user", "position in", "coins of", "none of this bot's", "kill", "by hand")


@dataclass(frozen=True, slots=True)
class Pause:
    """A time of the market (ms UTC, the end not in it) in which a bot opened nothing, and which cause that is."""

    start: int
    end: int
    cause: str
    text: str


@dataclass
class Lived:
    """The life of a bot.

    Attributes
    ----------
    told : list of Filled or Funded
        In the order of the journal.
    tapes : dict of (symbol, timeframe) to Tape
        The bars, as they were heard.
    orders : dict of str to Order
        Every order that was intended, by client order id, as it was changed last.
    executed : dict of str to float
        How much of it was.
    refused : dict of str to (code, text)
        Orders that the venue or the gate refused.
    cut : dict of str to str
        Orders that ended before they were executed in full, and how: "canceled" or "expired".
    markets : dict of str to dict
        The market as an order went out: "ts", "bid", "ask", "last"; by client order id.
    pauses : list of Pause
    began, ended : int
        First and last time of the market that the bot heard of.
    prices : dict of str to float
        The last ones.
    restarts : list of int
        When, by the market, a process took the bot up again.
    by_hand : set of str
        Ids of executions that somebody else made.
    warned : list of (ts, text)
        What limits on risk said that they did.
    reduced : list of (symbol, side, ts, text)
        Orders that limits made smaller, as the log has them.
    unsent : dict of (symbol, side, decided) to (code, text)
        Orders that were not sent, as the log has them.
    """

    told: list[Filled | Funded] = field(default_factory=list)
    tapes: dict[tuple[str, str], Tape] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    executed: dict[str, float] = field(default_factory=dict)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)
    cut: dict[str, str] = field(default_factory=dict)
    markets: dict[str, dict[str, Any]] = field(default_factory=dict)
    pauses: list[Pause] = field(default_factory=list)
    began: int = 0
    ended: int = 0
    prices: dict[str, float] = field(default_factory=dict)
    restarts: list[int] = field(default_factory=list)
    by_hand: set[str] = field(default_factory=set)
    warned: list[tuple[int, str]] = field(default_factory=list)
    reduced: list[tuple[str, str, int, str]] = field(default_factory=list)
    unsent: dict[tuple[str, str, int], tuple[str, str]] = field(default_factory=dict)

    def pause_at(self, ts: int) -> Pause | None:
        """Give the pause in which a time of the market lies; None where the bot was at work."""
        return next((one for one in self.pauses if one.start <= ts < one.end), None)

    def unfilled(self, order_id: str) -> float:
        """Give how much of an order was wanted and not executed."""
        order = self.orders.get(order_id)
        if order is None or order.close_position or not order.quantity > 0.0:
            return 0.0
        left = order.quantity - self.executed.get(order_id, 0.0)
        return left if left > 1e-9 * order.quantity else 0.0


def read_life(records: Iterable[Any]) -> Lived:
    """Read the records of a journal, one after another; those that tell nothing of a life are passed over."""
    reader = _Reader()
    for one in records:
        hear = reader.by_kind.get(type(one))
        if hear is not None:
            hear(one)
    return reader.done()


class _Reader:
    """Takes a life in, record by record."""

    def __init__(self) -> None:
        self.life, self.last = Lived(), 0
        self.away: Pause | None = None
        self.by_kind: dict[type, Any] = {
            Bar: self._bar, Learnt: self._learnt, Filled: self._filled, Funded: self._funded, Submit: self._submit,
            Amended: self._amended, Rejected: self._rejected, Canceled: self._canceled, Expired: self._expired,
            Moved: self._moved, Alert: self._alert, Logged: self._logged,
        }  # fmt: skip

    def _tape(self, key: tuple[str, str]) -> Tape:
        tape = self.life.tapes.get(key)
        if tape is None:
            tape = self.life.tapes[key] = Tape()
        return tape

    def _bar(self, one: Bar) -> None:
        self._tape((one.symbol, one.timeframe)).add(one, acted=True)
        self.life.prices[one.symbol] = one.close
        self.last = max(self.last, one.closes)
        self.life.began = self.life.began or one.closes

    def _learnt(self, one: Learnt) -> None:
        self._tape((one.symbol, one.timeframe)).add(one, acted=False)

    def _filled(self, one: Filled) -> None:
        life = self.life
        life.told.append(one)
        life.executed[one.id] = life.executed.get(one.id, 0.0) + one.quantity
        if one.id.startswith("outside:"):
            life.by_hand.add(one.id)
        self.last = max(self.last, one.ts)

    def _funded(self, one: Funded) -> None:
        self.life.told.append(one)
        self.last = max(self.last, one.ts)

    def _submit(self, one: Submit) -> None:
        self.life.orders[one.order.id] = one.order

    def _amended(self, one: Amended) -> None:
        order = self.life.orders.get(one.id)
        if order is not None and one.quantity == one.quantity:
            self.life.orders[one.id] = replace(order, quantity=one.quantity)

    def _rejected(self, one: Rejected) -> None:
        self.life.refused[one.id] = (one.code, one.text)

    def _canceled(self, one: Canceled) -> None:
        self.life.cut[one.id] = "canceled"

    def _expired(self, one: Expired) -> None:
        self.life.cut[one.id] = "expired"

    def _alert(self, one: Alert) -> None:
        if one.level in ("warning", "error"):
            self.life.warned.append((one.ts, one.text))

    def _logged(self, one: Logged) -> None:
        said, life = one.fields, self.life
        if "decided" in said:
            life.unsent[said["symbol"], said["side"], said["decided"]] = (said["code"], one.text)
        elif "reduced" in said:
            life.reduced.append((said["symbol"], said["side"], said["reduced"], one.text))
        elif "bid" in said and "order" in said:
            life.markets[said["order"]] = said
        elif "too late" in one.text and "timeframe" in said:
            self._tape((said["symbol"], said["timeframe"])).late.add(said["ts"])

    def _moved(self, one: Moved) -> None:
        if one.state == "STARTING" and self.last:
            self.life.restarts.append(self.last)
        if one.state == "RUNNING":
            self._end_pause(one.ts)
        elif self.last:
            cause, text = _why_paused(one)
            if self.away is not None and self.away.cause != cause != "restart":
                self._end_pause(one.ts)  # stopped after it was paused: still paused by hand
            if self.away is None:
                self.away = Pause(max(self.last, one.ts), 0, cause, text)

    def _end_pause(self, ts: int) -> None:
        if self.away is not None:
            self.life.pauses.append(replace(self.away, end=max(ts, self.away.start)))
        self.away = None

    def done(self) -> Lived:
        """Give the life."""
        self.life.ended = self.last
        if self.away is not None:
            self._end_pause(max(self.last, self.away.start) + 1)
        return self.life


def _why_paused(one: Moved) -> tuple[str, str]:
    """Say which cause it is that a bot went into a state in which it opens nothing."""
    if one.state == "CIRCUIT_OPEN":
        return "rejected by venue", f"the venue was left alone for a while: {one.reason}"
    if one.state == "PAUSED":
        by_hand = any(word in one.reason for word in _BY_HAND)
        return ("manual" if by_hand else "gate"), f"the bot was paused: {one.reason}"
    if one.state == "KILLED":
        return "manual", f"the bot was killed: {one.reason}"
    return "restart", "the bot was not running"
