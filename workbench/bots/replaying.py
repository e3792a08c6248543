"""A paper bot on a replayed tape, with its journal: it can be stopped or killed at any moment, and goes on later.

Tape, strategy and simulated venue are the same every time, so recovery is running again from the beginning and holding
every event and action against the journal; where the journal ends, it is written on. A journal that says otherwise is
of another strategy, other data or another workbench, and the bot refuses to go on. Nothing outside hears of an order,
so that entries go to disk in groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from workbench.backtest.blame import blaming
from workbench.backtest.plan import Plan
from workbench.bots.journal import Journal
from workbench.bots.journal.records import SessionStarted
from workbench.bots.killing import Kill
from workbench.bots.mind import Mind
from workbench.bots.noting import Refusals
from workbench.bots.papering import PaperReplay
from workbench.bots.spec import BotSpec
from workbench.errors import RunError, StrategyError
from workbench.risk.limits import Limits
from workbench.trading.events import Action, Event, Filled, Limited, Moved, Resumed, to_plain
from workbench.trading.lifecycle import ENDED

__all__ = ["ReplayBot", "Status"]

_TOLD: Final = frozenset(("SessionStarted", *(kind.__name__ for kind in (*get_args(Event), *get_args(Action)))))
_AWAKE: Final = ("STARTING", "WARMING_UP", "RECONCILING", "RUNNING")


@dataclass(frozen=True, slots=True)
class Status:
    """How a bot is at one moment.

    Attributes
    ----------
    now : int
        Of its market, ms UTC.
    done : float
        Share of the tape that is over.
    equity, cash_start : float
        In the account's currency.
    positions : tuple of (symbol, quantity, price, unrealised)
    orders, fills : int
        Open orders; executions since the beginning.
    entries : int
        Of the journal.
    """

    name: str
    state: str
    session: int
    now: int
    done: float
    equity: float
    cash_start: float
    currency: str
    positions: tuple[tuple[str, float, float, float], ...]
    orders: int
    fills: int
    entries: int
    reason: str = ""


class ReplayBot:
    """A paper bot on a tape.

    Parameters
    ----------
    spec : BotSpec
    plan : Plan
        As `spec.plan` gives it.
    journal : Journal
        Its own, open for writing.
    versions : mapping of str to str, optional
        Of the packages that matter, for the journal.
    revive : bool
        Whether to go on where the bot was killed.
    resume : bool
        Whether to trade on where limits on risk have paused it.
    limits : mapping of scope to Limits, optional
        On risk, as they are set now ("bot", "account", "workspace"); the journal keeps them with every change.

    Attributes
    ----------
    recovered : int
        Entries of the journal that were gone through again.
    killed_before : tuple of (reason, how) or None
        Its guard has killed it, and the journal's tape has not been told of that yet.
    begun : callable
        Called once the journal has that the bot was taken up.
    went_on : callable
        Called with each entry of the journal that is gone through again: a sign of life.

    Raises
    ------
    ConfigError
        The journal is of a bot that was made otherwise.
    RunError
        The bot was killed, and stays so until it is revived.
    """

    def __init__(
        self, spec: BotSpec, plan: Plan, journal: Journal, *, versions: dict[str, str] | None = None,
        revive: bool = False, resume: bool = False, limits: Mapping[str, Limits] | None = None,
    ) -> None:  # fmt: skip
        self.spec, self.plan, self.journal, self._revive, self._resume = spec, plan, journal, revive, resume
        self.mind = Mind(plan, name=spec.name)
        self.mind.core.state = "IDLE"
        self.replay = PaperReplay(plan, self.mind, self._heard)
        self.recovered = self.fills = 0
        self.reason = ""
        self._limits = dict(limits or {})
        self._refusals = Refusals(self.mind.core, journal.log)
        self._up = False
        self.ts = self._first = min(int(line.ts[0]) for line in plan.lines)
        self._last = max(int(line.ts[-1]) + line.bars.timeframe.ms for line in plan.lines)
        self._versions = versions or {}
        self._past: Iterator[Any] = iter(())
        self._next: Any = None
        self._stopping: tuple[str, Kill] | None = None
        self.killed_before: tuple[str, Kill] | None = None
        self.begun: Callable[[], None] = lambda: None
        self.went_on: Callable[[], None] = lambda: None
        self._check_same()

    def _check_same(self) -> None:
        sessions = self.journal.sessions()
        if not sessions:
            return
        told = sessions[0].details
        changed = told.get("data") != self._data()
        self.spec.check_same(told, self._code(), ["the data of its tape have changed"] if changed else ())

    def _code(self) -> str:
        return str(getattr(self.plan.strategy, "code_hash", ""))

    def _data(self) -> list[str]:
        return [line.bars.fingerprint for line in self.plan.lines] + [bars.fingerprint for bars in self.plan.extra]

    # going on

    def steps(self) -> Iterator[int]:
        """Go through what the journal has, then through the rest of the tape, one moment (ms UTC) after another.

        Raises
        ------
        RunError
            The journal has an entry that the tape does not lead to.
        StrategyError
            The strategy failed; the journal says so.
        """
        past = (one.record for one in self.journal.entries(kinds=_TOLD))
        # that it failed is told between the parts of a step: it goes on from there as from where it was broken off
        self._past = (one for one in past if not (type(one) is Moved and one.state == "FAILED"))
        self._take_next()
        self._retell()
        begun = self._next is None and self._begin()
        try:
            with blaming(self.plan.strategy):
                yield from self._go(begun)
        except StrategyError as error:
            self._fail(error)
            raise

    def _go(self, begun: bool) -> Iterator[int]:
        for ts in self.replay.steps():
            self.ts = ts
            if self._next is not None:
                self._retell()
            if self._next is None and not begun:
                begun = self._begin()
            if not begun:
                continue
            self._refusals.note()
            yield ts
            if self._stopping is not None:
                self._end(*self._stopping)
                return
        if not begun:
            self._begin()
        self._end("the tape has ended", "")

    def _begin(self) -> bool:
        """Take the bot up: from here on the journal is written."""
        if self.mind.core.state == "KILLED" and not self._revive:
            raise RunError(
                f"bot {self.spec.name!r} was killed; look at `workbench bots logs {self.spec.name}`, then run it with "
                "--revive to let it go on",
                name=self.spec.name,
            )
        self.mind.core.state, self._up = "IDLE", True
        self.journal.begin_session(
            {"spec": self.spec.to_plain(), "code": self._code(), "data": self._data(), "versions": self._versions}
        )
        if self.killed_before is not None:
            self._move("KILLED", *self.killed_before)
        for state in _AWAKE:
            self._move(state)
        self._refusals.skip()
        self._limit()
        if self._resume:
            self.replay.deliver([Resumed(self.ts, "", "--resume")])
        self.journal.flush()
        self.begun()
        return True

    def _limit(self) -> None:
        """Tell the mind which limits have been set or changed since it last ran."""
        self.replay.deliver(self.mind.limits_to_tell(self._limits, self.ts))

    def _move(self, state: str, reason: str = "", then: Kill = "") -> None:
        self.replay.deliver([Moved(self.ts, state, reason, then)])

    @property
    def asked_to_end(self) -> bool:
        """Whether the bot is to stop after the step in hand."""
        return self._stopping is not None

    def stop(self, reason: str = "stopped by its user") -> None:
        """Ask the bot to stop after the step in hand; orders and positions stay as they are."""
        self._stopping = self._stopping or (reason, "")

    def kill(self, how: Kill, reason: str = "killed") -> None:
        """Ask the bot to end at once: its orders are cancelled, or its positions closed too."""
        self._stopping = (reason, how or "cancel")

    def _end(self, reason: str, how: Kill) -> None:
        self.reason = reason
        if how:
            self._move("KILLED", reason, how)
        else:
            self._move("STOPPING", reason)
            self._move("STOPPED", reason)
        self.journal.end_session(reason)

    def _fail(self, error: StrategyError) -> None:
        """Keep that the strategy failed, and why; run again, it fails at the same place unless that was chance."""
        self.reason = f"failed: {error}"
        if not self._up:
            self.reason = (
                f"failed again at the same place: {error}; give another --name to begin a new bot with new code"
            )
            self.mind.core.state = "FAILED"
            return
        self.mind.core.state = "FAILED"
        self.journal.write(Moved(self.ts, "FAILED", self.reason))
        self.journal.log("critical", "system", str(error))
        self.journal.end_session(self.reason)

    # the journal

    def _heard(self, entry: Event | Action) -> None:
        """Write down what happens, or hold it against what was written."""
        if type(entry) is Filled:
            self.fills += 1
        if self._next is None:
            self.journal.write(entry)
            return
        found, told = repr(to_plain(entry)), repr(to_plain(self._next))
        if found != told:
            raise RunError(
                f"entry {self.recovered + 1} of the journal of {self.spec.name!r} says {told}, and the tape leads to "
                f"{found}: strategy, data or workbench have changed since; give another --name to begin a new bot",
                name=self.spec.name,
            )
        self._take_next()

    def _take_next(self) -> None:
        self.recovered += self._next is not None
        self.went_on()
        self._next = next(self._past, None)

    def _retell(self) -> None:
        """Tell again what came from outside between two steps."""
        while type(self._next) in (SessionStarted, Moved, Limited, Resumed):
            if type(self._next) is not SessionStarted:
                self.replay.deliver([self._next])
            else:
                self.mind.core.state = "IDLE"
                self._take_next()

    # for whoever looks

    @property
    def state(self) -> str:
        """The state of the bot."""
        return self.mind.core.state

    @property
    def ended(self) -> bool:
        """Whether the bot has stopped, failed or been killed."""
        return self.state in ENDED

    def status(self) -> Status:
        """Say how the bot is."""
        core = self.mind.core
        account = core.account
        prices = core.prices
        held = tuple(
            (one.symbol, one.quantity, one.price, one.unrealised(prices.get(one.symbol, one.price)))
            for one in account.positions
        )
        span = max(self._last - self._first, 1)
        return Status(
            self.spec.name, core.state, self.journal.session, self.ts, min((self.ts - self._first) / span, 1.0),
            account.equity, self.spec.cash, account.currency,
            held, len(core.orders), self.fills, self.journal.position, self.reason,
        )  # fmt: skip
