"""`SignalTrader`: carries out what a signal strategy says, with orders, in the core.

The event path and bots trade signals through it: the word of each closed bar becomes market orders that enter, leave or
reverse, with stops and targets that follow the position. What is meant by a word is decided here and nowhere else; the
compiled path says the same in its own loop, and tests hold the two equal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from workbench.risk.sizing import Pyramid, Sizing
from workbench.strategy.signals import Signals
from workbench.trading.desk import Refusal
from workbench.trading.events import Bar, Filled, Funded, Tick, Timer
from workbench.trading.exits import roi_rung, time_is_up
from workbench.trading.guards import Guarding, GuardState, blocked_by, new_state, note_trip, with_room
from workbench.trading.orders import REASONS, Cancel, Order, Protect, Wake
from workbench.trading.view import View

__all__ = ["Exits", "SignalTrader", "Spoken", "wanted"]

NAN: Final = math.nan
NOTHING, LEAVE = 0, 2
_PER_BAR: Final = ("size", "stop_loss", "take_profit", "trailing_stop", "trailing_activation")
ENTRY, EXIT, SHORT_ENTRY, SHORT_EXIT = 1, 2, 4, 8


def wanted(stance: int, word: int) -> int:
    """Say what the word of one bar asks for: NOTHING, LEAVE, +1 (be long) or -1 (be short).

    Parameters
    ----------
    stance : int
        +1 for who is long, or about to be; -1 short; 0 flat.
    word : int
        Sum of ENTRY, EXIT, SHORT_ENTRY and SHORT_EXIT. Contradictions cancel out.
    """
    if word & ENTRY and word & EXIT:
        word &= ~(ENTRY | EXIT)
    if word & SHORT_ENTRY and word & SHORT_EXIT:
        word &= ~(SHORT_ENTRY | SHORT_EXIT)
    if word & ENTRY and word & SHORT_ENTRY:
        word &= ~(ENTRY | SHORT_ENTRY)
    if stance > 0:
        return -1 if word & SHORT_ENTRY else LEAVE if word & EXIT else NOTHING
    if stance < 0:
        return 1 if word & ENTRY else LEAVE if word & SHORT_EXIT else NOTHING
    return 1 if word & ENTRY else -1 if word & SHORT_ENTRY else NOTHING


_DECIDED: Final = ("signal", "time_limit", "reversal")
_WANTED: Final = {(stance, word): wanted(stance, word) for stance in (-1, 0, 1) for word in range(16)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exits:
    """Exits that are the same on every bar: a ladder of (ms since entry, fraction), and a time limit in bars."""

    ladder: tuple[tuple[int, float], ...] = ()
    max_bars: int = 0


@dataclass(slots=True)
class Spoken:
    """The signals of one instrument and what has become of them.

    `words` holds the bars that say anything (index to sum of flags), `stops` the custom stop per bar. `pending` is what
    is wanted and not done yet; `opened` the strategy bar in which the position was opened.
    """

    symbol: str
    number: int
    signals: Signals
    stop_price: Any
    tf_ms: int
    words: dict[int, int] = field(default_factory=dict)
    numbers: list[memoryview] = field(default_factory=list)
    stops: Any = None
    ratchets: bool = False
    pending: int = NOTHING
    reason: str = ""
    entry_id: str = ""
    leave_id: str = ""
    decided: int = -1
    opened: int = -1
    flow: float = 0.0
    value: float = 0.0
    entry_ts: int = 0

    def __post_init__(self) -> None:
        said = self.signals
        flags = _flags(said)
        bars = np.flatnonzero(flags)
        self.words = dict(zip(bars.tolist(), flags[bars].tolist(), strict=True))
        self.numbers = [_cells(getattr(said, name)) for name in _PER_BAR]
        self.stops = _cells(self.stop_price)
        self.ratchets = len(self.stops) > 1 or not math.isnan(self.stops[0])

    def hear(self, said: Signals, bar: int) -> None:
        """Take the last word of signals that were said up to a bar, in place of all that was said before."""
        word = int(_flags(said)[-1])
        self.signals, self.words = said, {bar: word} if word else {}
        self.numbers = [_cells(getattr(said, name)[-1:]) for name in _PER_BAR]
        self.ratchets = len(said.stop_price) > 1 or not math.isnan(said.stop_price[0])
        self.stops = _cells(said.stop_price[-1:])

    def asked(self, bar: int) -> list[float]:
        """Give size, stop, target, trail and its activation as of a bar."""
        return [cells[bar] if len(cells) > 1 else cells[0] for cells in self.numbers]

    def stop_at(self, bar: int) -> float:
        """Give the custom stop as of a bar, NaN for none."""
        return float(self.stops[bar if len(self.stops) > 1 else 0])


def _flags(said: Signals) -> Any:
    """Give the word of each bar: the sum of its flags."""
    return (
        said.entry * np.int8(ENTRY) + said.exit * np.int8(EXIT) + said.short_entry * np.int8(SHORT_ENTRY)
        + said.short_exit * np.int8(SHORT_EXIT)
    )  # fmt: skip


def _cells(values: Any) -> memoryview:
    """Give an array whose items are Python numbers at once."""
    return np.ascontiguousarray(values, dtype=np.float64).data


class SignalTrader:
    """A trader (see `trading.core.Trader`) that carries out signals.

    Parameters
    ----------
    spoken : sequence of Spoken
        One an instrument.
    exits : Exits
    guarding : Guarding
    cash : float
        Of the account at the start.
    at_close : bool
        Whether decisions trade at the deciding bar's close.
    sizing : Sizing, optional
        How large entries are, which the core works out; what the signals say when left out. A `Pyramid` also adds.

    Attributes
    ----------
    skipped : list of (ts, instrument, side, quantity, reason)
        Entries that were decided and not traded.
    """

    def __init__(
        self, spoken: Sequence[Spoken], exits: Exits, guarding: Guarding, *, cash: float, at_close: bool = False,
        sizing: Sizing | None = None,
    ) -> None:  # fmt: skip
        self.lines = {one.symbol: one for one in spoken}
        self.sizing = sizing
        self.pyramid = sizing if isinstance(sizing, Pyramid) else None
        self.exits, self.guarding, self.at_close = exits, guarding, at_close
        self.guarded = bool(
            guarding.cooldown
            or len(guarding.stops) + len(guarding.drawdowns) + len(guarding.profits) + len(guarding.losing)
        )
        self.guards = new_state(len(spoken), 64, cash)
        self.skipped: list[tuple[int, int, float, float, str]] = []

    def on_start(self, view: View) -> None:
        """Nothing to do before the first bar."""

    def on_tick(self, view: View, tick: Tick) -> None:
        """Signals are heard at closes only."""

    def on_bar(self, view: View, bar: Bar) -> Any:
        """Hear the word of a closed bar."""
        line = self.lines[bar.symbol]
        now = view.count(bar.symbol) - 1
        held = view.quantity(bar.symbol)
        said: list[Any] = []
        pending = line.pending
        if pending == LEAVE and line.reason not in _DECIDED:
            return said  # a stop was reached: nothing is heard before it has let go of everything
        if held and line.ratchets:
            self._ratchet(line, now, said)
        stance = pending if pending in (1, -1) else (held > 0.0) - (held < 0.0)
        want, reason = _WANTED[stance, line.words.get(now, 0)], "signal"
        if want == NOTHING and held and time_is_up(now, line.opened, self.exits.max_bars, self.at_close):
            want, reason = LEAVE, "time_limit"
        if want in (1, -1) and self.guarded:
            want = self._let(line, want, held, bar.ts)
        if want == NOTHING and held and not pending and self.pyramid is not None:
            self._add(self.pyramid, line, view, bar.close, now, said)
        if want in (NOTHING, pending):
            return said
        self._drop_pending(line, said)
        line.decided = now
        if want != LEAVE and held * want > 0.0:
            return said  # what is wanted is held: a reversal that was waiting is called off
        if want == LEAVE:
            if held:
                self._leave(line, view, reason, said)
        else:
            if held:
                self._leave(line, view, "reversal", said)
            self._enter(line, view, want, now, said)
        return said

    def _let(self, line: Spoken, want: int, held: float, ts: int) -> int:
        """Give what is left of a wanted entry after the protections: itself, leaving, or nothing."""
        code = blocked_by(self.guards, line.number, ts)
        if code < 0:
            return want
        self.skipped.append((ts, line.number, float(want), NAN, f"guard {code}"))
        return LEAVE if held else NOTHING

    def _add(self, pyramid: Pyramid, line: Spoken, view: View, close: float, now: int, said: list[Any]) -> None:
        """Add to a position that has won enough since it was last added to."""
        side = 1 if view.quantity(line.symbol) > 0.0 else -1
        count, paid = view.entered(line.symbol)
        against = line.words.get(now, 0) & (EXIT | SHORT_ENTRY if side > 0 else SHORT_EXIT | ENTRY)
        if not against and count and pyramid.wants_more(count - 1, float(side), paid, close):
            self._enter(line, view, side, now, said)

    def _ratchet(self, line: Spoken, now: int, said: list[Any]) -> None:
        level = line.stop_at(now)
        if level == level:
            said.append(Protect(line.symbol, stop_at=level, ratchet=True))

    def _drop_pending(self, line: Spoken, said: list[Any]) -> None:
        for one in (line.leave_id, line.entry_id):
            if one:
                said.append(Cancel(one))
        line.pending, line.leave_id, line.entry_id = NOTHING, "", ""

    def _leave(self, line: Spoken, view: View, reason: str, said: list[Any]) -> None:
        wish = view.close(line.symbol, reason=reason)
        line.pending, line.reason, line.leave_id = LEAVE, reason, wish.id
        said.append(wish)

    def _enter(self, line: Spoken, view: View, side: int, now: int, said: list[Any]) -> None:
        size, stop, target, trail, activation = line.asked(now)
        size = size if self.sizing is None else NAN  # the core works it out
        wish = view.market("buy" if side > 0 else "sell", size, symbol=line.symbol)
        wish.size_unit, wish.reason, wish.entry = line.signals.size_unit, "entry", True
        wish.stop_loss, wish.take_profit, wish.stop_at = stop, target, line.stop_at(now)
        wish.trailing_stop, wish.trailing_activation = trail, activation
        line.pending, line.entry_id = side, wish.id
        said.append(wish)

    def on_fill(self, view: View, fill: Filled) -> Any:
        """Keep the books of trips, start and stop the ladder, and settle what was pending."""
        line = self.lines[fill.symbol]
        held = view.quantity(fill.symbol)
        sign = 1.0 if fill.side == "buy" else -1.0
        said: list[Any] = []
        if fill.reason == "entry":
            self._entered(line, view, fill, held * sign == fill.quantity, said)
        line.flow += -(sign * fill.quantity * fill.price) - fill.fee
        if fill.reason != "entry":
            self._left(line, view, fill, held, said)
        return said

    def _entered(self, line: Spoken, view: View, fill: Filled, first: bool, said: list[Any]) -> None:
        if first:
            line.flow = line.value = 0.0
            line.opened = view.count(line.symbol) - (1 if self.at_close else 0)
            line.entry_ts = view.now if self.at_close else fill.ts
            if self.exits.ladder:
                self._climb(line, fill.ts, said)
        line.value += fill.quantity * fill.price
        if fill.final:
            line.entry_id, line.pending = "", NOTHING

    def _climb(self, line: Spoken, now: int, said: list[Any]) -> None:
        """Take the target of the rung of the ladder that time has come to, and ask to be woken at the next."""
        times = [ms for ms, _ in self.exits.ladder]
        rung = roi_rung(now - line.entry_ts, times)
        if rung >= 0:
            said.append(Protect(line.symbol, roi=self.exits.ladder[rung][1]))
        if rung + 1 < len(times):
            said.append(Wake(line.entry_ts + times[rung + 1], f"roi|{line.symbol}|{line.entry_ts}", line.symbol))

    def on_timer(self, view: View, timer: Timer) -> Any:
        """Move the target to the next rung of the ladder, if the position it was meant for is still there."""
        _, symbol, entered = timer.name.split("|")
        line = self.lines[symbol]
        if line.entry_ts != int(entered) or not view.quantity(symbol):
            return None
        said: list[Any] = []
        self._climb(line, timer.ts, said)
        return said

    def _left(self, line: Spoken, view: View, fill: Filled, held: float, said: list[Any]) -> None:
        if line.pending in (1, -1) and fill.reason != "reversal":
            waiting = (line.entry_id, line.leave_id if held else "")  # with nothing held the venue ends what leaves
            said.extend(Cancel(one) for one in waiting if one)
            line.pending, line.entry_id, line.leave_id = NOTHING, "", ""
        if held == 0.0:
            if line.pending == LEAVE:
                line.pending = NOTHING
            line.leave_id = ""
            if self.guarded:
                self._note(line, view, fill)
            line.entry_ts = 0
        elif line.pending == NOTHING and not fill.final and fill.reason not in ("take_profit", "roi"):
            line.pending, line.reason, line.leave_id = LEAVE, fill.reason, fill.id

    def _note(self, line: Spoken, view: View, fill: Filled) -> None:
        if self.guards.noted[0] == len(self.guards.ts):
            self.guards = with_room(self.guards)
        note_trip(
            self.guards, self.guarding, line.number, fill.ts, line.tf_ms, line.flow, line.flow / line.value,
            REASONS.index(fill.reason),
        )  # fmt: skip

    def on_funding(self, view: View, funded: Funded) -> None:
        """Count funding to the trip in hand."""
        self.lines[funded.symbol].flow += funded.amount

    def on_trigger(self, view: View, order: Order) -> Any:
        """Leave for good once a stop was reached, even where there is no volume yet to leave by."""
        line = self.lines[order.symbol]
        said: list[Any] = []
        if line.pending == LEAVE and line.reason not in _DECIDED:
            return said
        self._drop_pending(line, said)
        line.pending, line.reason, line.leave_id = LEAVE, order.reason, order.id
        return said

    def on_refused(self, view: View, refusal: Refusal) -> None:
        """Keep an entry that could not be had, and stop waiting for it."""
        line = self.lines.get(refusal.symbol)
        if line is None or refusal.id != line.entry_id:
            return
        side = 1.0 if refusal.side == "buy" else -1.0
        self.skipped.append((refusal.ts, line.number, side, refusal.quantity, refusal.code))
        line.pending, line.entry_id = NOTHING, ""

    def on_end(self, view: View, order: Order) -> None:
        """Stop waiting for an order that the venue gave up."""
        line = self.lines[order.symbol]
        if order.id == line.entry_id:
            line.entry_id, line.pending = "", NOTHING
        elif order.id == line.leave_id:
            line.leave_id, line.pending = "", NOTHING if line.pending == LEAVE else line.pending

    def snapshot(self) -> Any:
        """Give what has become of the signals, as plain data."""
        names = (
            "pending", "reason", "entry_id", "leave_id", "decided", "opened", "flow", "value",
            "entry_ts",
        )  # fmt: skip
        return {
            "lines": {symbol: {name: getattr(line, name) for name in names} for symbol, line in self.lines.items()},
            "guards": [column.tolist() for column in self.guards],
            "skipped": [list(row) for row in self.skipped],
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up what `snapshot` gave."""
        for symbol, kept in data["lines"].items():
            for name, value in kept.items():
                setattr(self.lines[symbol], name, value)
        kinds = [column.dtype for column in self.guards]
        columns: list[Any] = [np.array(values, dtype=kind) for values, kind in zip(data["guards"], kinds, strict=True)]
        self.guards = GuardState(*columns)
        self.skipped = [tuple(row) for row in data["skipped"]]
