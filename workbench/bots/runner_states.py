"""The course of a run through its states: what each state waits for, and what the clock makes happen in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from workbench.bots.brokers.talk import Look, Send, Snapshot, VenueFill, VenueOrder
from workbench.bots.killing import Kill
from workbench.bots.runner_market import Market
from workbench.bots.runner_reconciling import Difference, Reconciler, too_small_left, under_way
from workbench.bots.runner_terms import Breaker, LiveBroker, RunTerms
from workbench.bots.shell import Shell
from workbench.bots.strangers import Lineage, guards, worded
from workbench.errors import BrokerError, BrokerRejected
from workbench.trading.events import Adjusted, Alert, Bar, CancelOrder, Event, Moved, Started
from workbench.trading.lifecycle import ENDED

__all__ = ["APART", "LIVE", "Course"]

APART: Final = "money_apart"
"""The field of the log by which a later session knows what money is not the bot's."""

_ROUNDS: Final = 5  # of winding down what turns up after a kill
_AGAIN_MS: Final = 1_000
_TOLD: Final = 1_000  # how many texts are remembered, so that none of them is told twice
LIVE: Final = frozenset(("RUNNING", "PAUSED", "CIRCUIT_OPEN"))
"""States in which a bot is at work."""


class Course:
    """The states of a run; `Runner` says what comes in and goes out.

    Parameters
    ----------
    shell : Shell
    terms : RunTerms
    clock : callable
        Gives ms UTC.
    """

    broker: LiveBroker
    market: Market
    reconciler: Reconciler

    def __init__(self, shell: Shell, terms: RunTerms, clock: Callable[[], int]) -> None:
        self.shell, self.terms, self.pace, self._clock = shell, terms, terms.pace, clock
        self.breaker = Breaker(terms.pace)
        self.asking = 0  # requests that have no answer yet
        self.reason = ""
        self._started = False
        self._looking: Look | None = None
        self._looked_at = self._opened_at = 0
        self._settled = False  # a look has been answered since reconciling began, with nothing under way
        self._armed = False
        self._kill: Kill = ""
        self._rounds = 0
        self._stop_by = 0.0
        self._rounds_looked = -1
        self._lineage = Lineage(shell.mind.core)
        self._holds: dict[str, str] = {}  # why nothing new may be opened, by what it is about
        self._lifts = False  # the bot is paused for these alone, and goes on when they are gone
        self._wished = ""  # a pause that its user wants and that cannot be yet
        self._told_of: dict[str, None] = {}
        self._outside: set[str] = set()  # executions of others that have been told of
        self._guards: frozenset[str] = frozenset()  # trades of the bot's guard
        self.over = False
        self.stays = ""  # what could not be closed, as it is too small for the venue
        self.verified = False  # it was killed, and the venue has shown that nothing of it is left

    @property
    def killing(self) -> Kill:
        """How it is being killed, or was; "" where it is not."""
        return self._kill

    @property
    def now(self) -> int:
        """The time by the bot's clock, ms UTC; it never goes back."""
        return max(self._clock(), self.shell.now)

    @property
    def state(self) -> str:
        """The state of the bot."""
        return self.shell.mind.core.state

    def take(self, *events: Event) -> None:
        """Let the shell take events in."""
        for event in events:
            self.shell.take(event, self.now)

    def move(self, state: str, reason: str = "", then: str = "") -> None:
        """Go into another state."""
        self.take(Moved(self.now, state, reason, then))

    def log(self, level: str, text: str, fields: dict[str, Any] | None = None) -> None:
        """Write a line of the log."""

    def join_peers(self) -> None:
        """Let the bots that share limits with this one know of it, and it of them."""

    def warn(self, level: str, text: str) -> None:
        """Tell a human; the same text once a session, unless very much else has been told since."""
        if text not in self._told_of:
            self._told_of[text] = None
            if len(self._told_of) > _TOLD:
                del self._told_of[next(iter(self._told_of))]
            self.shell.tell(Alert(self.now, level, text))

    # what a user asks for

    def stop(self, reason: str = "stopped by its user") -> None:
        """End the bot once nothing is under way; orders and positions stay as they are."""
        if self.state not in ENDED and self.state != "STOPPING":
            self.reason = reason
            self._stop_by = asyncio.get_running_loop().time() + self.pace.drain_s
            self.move("STOPPING", reason)

    def kill(self, how: Kill = "cancel", reason: str = "killed") -> None:
        """End the bot at once: its orders are cancelled, or its positions closed too; the venue is asked if they are.

        Parameters
        ----------
        how : {"cancel", "flatten"}
            With "cancel", orders that protect positions stay.
        reason : str
        """
        if self.state in ENDED:
            return
        self.reason, self._kill, self.over = reason, how or "cancel", False
        self._stop_by = asyncio.get_running_loop().time() + self.pace.drain_s
        self.move("KILLED", reason, self._kill)
        self._look_now()

    def pause(self, reason: str = "paused by its user") -> None:
        """Open nothing new until `resume`; where the bot is not at work yet, or its circuit is open, as soon as it is.

        A bot that is paused for a difference and is paused by its user too stays so when the difference is gone.
        """
        self._lifts = False
        if self.state == "RUNNING":
            self.move("PAUSED", reason)
        elif self.state != "PAUSED" and self.state not in ENDED:
            self._wished = reason

    def resume(self, reason: str = "resumed by its user") -> None:
        """Go on after a pause, whatever it was for; a position that still differs pauses the bot again."""
        self._wished, self._lifts = "", False
        self._holds.clear()
        if self.state == "PAUSED":
            self.move("RUNNING", reason)

    def _hold(self, about: str, text: str) -> None:
        """Open nothing new until what this is about is gone (`_release`), or the user says so (`resume`)."""
        self._holds[about] = text
        if self.state == "RUNNING":
            self.move("PAUSED", text)
            self._lifts = True

    def _release(self, about: str, why: str) -> None:
        if self._holds.pop(about, "") and not self._holds and self._lifts and self.state == "PAUSED":
            self._lifts = False
            self.move("RUNNING", why)

    def _hold_back(self) -> None:
        """Pause a bot that has just begun to run where there are reasons from before."""
        if self._wished:
            wished, self._wished = self._wished, ""
            self.pause(wished)
        elif self._holds:
            self.move("PAUSED", "; ".join(self._holds.values()))
            self._lifts = True

    # bars, and what a guard has done

    def await_fills(self, fills: Iterable[VenueFill]) -> None:
        """Take executions of the bot's guard into the books: at once, before a stop is found gone and placed again.

        Those of a position that the books do not have yet wait until the bot's own executions have been asked for.
        """
        clerk, account = self.shell.clerk, self.shell.mind.core.account
        new = [one for one in fills if one.id not in clerk.lines and not clerk.has(one)]
        self._guards = frozenset(one.trade_id for one in new)
        fits: set[str] = set()
        held: dict[tuple[str, str], float] = {}
        for one in new:
            if not clerk.awaits(one):
                clerk.early.append(one)
            key = one.symbol, one.leg
            change = one.quantity if one.side == "buy" else -one.quantity
            before = held.get(key, account.quantity(*key))
            held[key] = before + change
            if before * change < 0.0 and abs(change) <= abs(before) * (1.0 + 1e-9):
                fits.add(one.trade_id)
        self.shell.adopt(self.now, fits)

    def take_bars(self) -> None:
        """Hand on the bars that wait: as history while the bot is not at work, to be acted on then."""
        market = self.market
        if self.state not in LIVE:
            self.take(*market.learnt())
            return
        while bars := market.ready(self.now):
            self.take(*bars)
            self.take(*market.opened(self.now))
        for bar in market.late:
            self.log("warning", f"the bar of {bar.symbol} {bar.timeframe} came too late to act on", _which(bar))
        market.late.clear()

    # the clock

    def beat(self) -> None:
        """Do what the clock makes due."""
        now, pace = self.now, self.pace
        if self.state in LIVE:
            self.take(*self.market.marks(now, round(pace.mark_s * 1_000)))
            if self.shell.mind.core.desk.busy and now >= self._opened_at + _AGAIN_MS:
                self._opened_at = now  # what a fill, a timer or a limit has brought about waits for no bar
                self.take(*self.market.opened(now))
        due = self.breaker.due if self.breaker.open else self._looked_at + pace.look_s * 1_000
        if self._looking is None and now >= due:
            self._look_now()

    def look_soon(self) -> None:
        """Ask the venue for everything at the next beat: something may have been missed."""
        self._looked_at = 0

    def _look_now(self) -> None:
        self._looked_at = self.now
        self._looking = self.shell.clerk.look(self.now)
        self.shell.requests.append(self._looking)

    def erred(self, error: BrokerError) -> None:
        """Note that the venue did not do what was asked through no fault of the order."""
        if not isinstance(error, BrokerRejected) and self.breaker.failed(self.now):
            told = f"{self.pace.errors} errors of the venue within {self.pace.window_s:g} s; the last: {error}"
            self.warn("error", told)
            if self.state == "RUNNING":
                self.move("CIRCUIT_OPEN", told)

    def looked(self, request: Look, answer: Any) -> None:
        """Take the answer to a look round."""
        mine = request is self._looking
        self._looking = None if mine else self._looking
        if isinstance(answer, BrokerError):
            self.erred(answer)
            if mine:
                self.breaker.probed(self.now, well=False)
                self._looked_at = self.now - round(self.pace.look_s * 1_000) + 2_000
            return
        if mine and self.breaker.probed(self.now, well=True) and self.state == "CIRCUIT_OPEN":
            self.move("RUNNING", "the venue answers again")
            self._hold_back()
        if isinstance(answer, Snapshot) and mine:
            self._compare(answer)

    # what the venue has otherwise

    def _compare(self, seen: Snapshot) -> None:
        clerk = self.shell.clerk
        if self._taken_in():
            self._look_now()
            return
        waits = self._strange(seen)
        if under_way(clerk) or (waits and self.state == "RECONCILING"):
            return
        found = self.reconciler.positions(seen)
        if self.reconciler.suspected and not found:
            self._looked_at = 0  # seen once: the next look says whether it is so
            return
        for one in found:
            self.warn("critical", str(one))
        if found:
            self._hold("positions", "; ".join(str(one) for one in found))
        else:
            self._release("positions", "positions are again as the venue has them")
        known = dict(self.reconciler.apart)
        for difference in self.reconciler.money(seen):
            self._money(difference)
        if self.reconciler.apart != known:  # a later session is to find what comes or goes while nobody looks
            self.log("info", "what the account has beyond the money of the bot", {APART: dict(self.reconciler.apart)})
        self._settled = True

    def _taken_in(self) -> bool:
        """Take executions that no order of the journal has into the books, where they are to be; tell of others."""
        clerk = self.shell.clerk
        outside = clerk.outside
        numbers = [self._lineage.number(one) for one in outside]
        mine = {one.trade_id for one, number in zip(outside, numbers, strict=True) if number >= 0}
        if mine:
            texts = [_fill(one) for one in outside if one.trade_id in mine]
            self.warn("critical", f"executions of this bot that its journal does not have: {'; '.join(texts)}")
            self._outdated(max(numbers))
        mine |= self._guards & {one.trade_id for one in outside}
        if mine:
            return self.shell.adopt(self.now, mine) > 0
        if new := self._untold(outside):
            self._differ("executions", f"executions that are none of this bot's: {'; '.join(map(_fill, new))}")
        return bool(outside) and self.terms.policy == "adopt" and self.shell.adopt(self.now) > 0

    def _untold(self, outside: Sequence[VenueFill]) -> list[VenueFill]:
        """Give the executions of others that have not been told of, and take it that they are now."""
        names = {f"{one.symbol} {one.trade_id}": one for one in self.shell.clerk.early}
        told = self._outside & names.keys()
        new = {name: one for name, one in names.items() if name not in told and one in outside}
        self._outside = told | new.keys()
        return list(new.values())

    def _strange(self, seen: Snapshot) -> bool:
        """Deal with open orders that the journal does not have; tell whether any is being cancelled."""
        clerk, core, others, cancelled = self.shell.clerk, self.shell.mind.core, [], False
        for order in clerk.strangers:
            number = self._lineage.number(order)
            ended = order.id in clerk.lines
            if number < 0 and not ended:
                others.append(order)
                continue
            if not ended:
                self._outdated(number)
            if guards(order, core, seen):
                self.warn("critical", f"an order of this bot that its journal does not have protects what is held, and "
                                      f"is left until a stop of the journal does: {worded(order)}")  # fmt: skip
                continue
            self._orphan(order)
            cancelled = True
        for order in others:
            taken = "; what it does will be taken into the books" if self.terms.policy == "adopt" else ""
            self._differ("orders", f"an order that is none of this bot's: {worded(order)}{taken}")
        if not others:
            self._release("orders", "no order is there that is none of this bot's")
        if cancelled:
            self._looked_at = self.now - round(self.pace.look_s * 1_000) + _AGAIN_MS
        return cancelled

    def _orphan(self, order: VenueOrder) -> None:
        """Cancel an order that can only be this bot's, though its journal does not have it, or has it as ended."""
        text = f"an order of this bot that its journal does not have as open is cancelled: {worded(order)}"
        self.warn("error", text)
        self.log("warning", text, {"id": order.id, "venue_id": order.venue_id, "symbol": order.symbol})
        self.shell.requests.append(Send(CancelOrder(order.id), order.id, order.symbol))

    def _outdated(self, number: int) -> None:
        """Open nothing new with a journal that is older than what the venue has: ids would be given twice."""
        if number >= self.shell.mind.core.number:
            text = "the venue has orders of this bot that are newer than its journal: was that restored from a copy?"
            if text not in self._told_of:
                self._hold("journal", text)
            self.warn("critical", text)

    def _differ(self, about: str, text: str) -> None:
        """Tell of what others did; under "halt" nothing new is opened then."""
        new = text not in self._told_of
        self.warn("warning", text)
        if new and self.terms.policy == "halt":
            self._hold(about, text)

    def _money(self, one: Difference) -> None:
        self.warn("warning", str(one))
        if self.terms.policy == "adopt":
            moved = one.venue - one.books
            self.reconciler.apart[one.name] -= moved  # it is the bot's now
            self.take(Adjusted(self.now, one.name, moved, "as the venue has it"))

    # from state to state

    def advance(self) -> None:
        """Go on to the next state where what this one waits for has come."""
        state = self.state
        if state == "WARMING_UP" and self.market.caught_up(self.now):
            self.move("RECONCILING")
            self._look_now()
        elif state == "RECONCILING":
            self._reconcile()
        elif state == "STOPPING":
            if not under_way(self.shell.clerk) or asyncio.get_running_loop().time() > self._stop_by:
                self.over = True  # it has stopped when its feeds are closed
        elif state == "KILLED":
            self._verify()

    def _reconcile(self) -> None:
        if not self._settled or under_way(self.shell.clerk):
            return
        if not self._armed:  # stops that positions should have come before anything else
            words = self.market.opened(self.now)
            self._armed = bool(words)
            self.take(*words)
            if not words or under_way(self.shell.clerk):
                return
        self.move("RUNNING")
        self._hold_back()
        self.take(*self.shell.mind.limits_to_tell(self.terms.limits, self.now))
        self.join_peers()
        self.take(*self.terms.opening(self.shell.mind.core, self.now))
        if not self._started:
            self._started = True
            self.take(Started(self.now))

    def _verify(self) -> None:
        """Make sure at the venue that nothing of a killed bot is left, and wind down again what has turned up."""
        if self._looking is not None or self.shell.requests or self.asking or under_way(self.shell.clerk):
            return
        if not self._settled_since_kill():
            return
        core = self.shell.mind.core
        closing = any(one.type == "market" for one in core.orders.values())  # traded, and its fills are not told yet
        if closing and asyncio.get_running_loop().time() < self._stop_by:
            if self.now >= self._looked_at + _AGAIN_MS:
                self._look_now()
            return
        left = [f"order {one.id}" for one in core.orders.values() if self._kill == "flatten" or not one.parent]
        if self._kill == "flatten":
            small = too_small_left(core, self.market.price)
            left += [f"{one.quantity:.10g} {one.symbol}" for one in core.account.positions if one.symbol not in small]
            self.stays = "; ".join(small.values())
        if left and self._rounds < _ROUNDS:
            self._rounds += 1
            self.move("KILLED", f"{self.reason}; again", self._kill)
            self._look_now()
            return
        self.verified = not left
        if left:
            self.reason += f"; NOT DONE, see to it at the venue: {', '.join(left)}"
        elif self.stays:
            self.reason += f"; {self.stays}"
        if left or self.stays:
            self.warn("critical", self.reason)
        self.over = True

    def _settled_since_kill(self) -> bool:
        """Look once more after all has come to rest; true when that look has been answered."""
        if self._rounds_looked != self._rounds:
            self._rounds_looked = self._rounds
            self._look_now()
            return False
        return True


def _fill(one: VenueFill) -> str:
    return f"{one.side} {one.quantity:.10g} {one.symbol} at {one.price:.10g}"


def _which(bar: Bar) -> dict[str, Any]:
    return {"symbol": bar.symbol, "timeframe": bar.timeframe, "ts": bar.ts}
