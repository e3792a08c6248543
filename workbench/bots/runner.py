"""`Runner`: drives one bot by a real clock, a live feed and a venue, from its first session to its last.

Everything that happens (bars, prices, answers, news, the beat of the clock) goes through one queue, and one consumer
takes it out and alone touches the shell, so that a bot is as deterministic as its journal. Requests become tasks whose
answers come back through the queue. Whatever ends a run, protective stops stay at the venue.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any, Final

from workbench.backtest.blame import blaming
from workbench.bots.brokers.soundness import place_of
from workbench.bots.brokers.talk import Find, Look, Request, Send, Snapshot, VenueFill, VenueOrder
from workbench.bots.journal import Journal
from workbench.bots.journal.lookup import last_of
from workbench.bots.noting import Refusals
from workbench.bots.outages import Outages
from workbench.bots.quick_start import QuickStart
from workbench.bots.runner_market import Market
from workbench.bots.runner_peers import Membership
from workbench.bots.runner_reconciling import Reconciler, under_way
from workbench.bots.runner_states import APART, LIVE, Course
from workbench.bots.runner_terms import LiveBroker, RunTerms
from workbench.bots.runner_writing import Pen
from workbench.bots.shell import Shell
from workbench.bots.shell_making import shell_for
from workbench.errors import (
    BrokerError,
    BrokerFatal,
    BrokerTransient,
    BrokerUnknown,
    DataError,
    RunError,
    WorkbenchError,
)
from workbench.market.feeds.events import BarClosed, BookMoved, ConnectionMoved, GapFound, TickerMoved, TradePrinted
from workbench.market.feeds.feed import Feed
from workbench.trading.events import Alert, CancelOrder
from workbench.trading.lifecycle import ENDED

__all__ = ["Runner", "shell_for"]

_TRIES: Final = 5  # of what is asked at the start
_ANSWER_S: Final = 120.0  # of real time for an answer; brokers wait less for each of the requests that it may take


class Runner(Course):
    """Runs one bot: `await runner.run()` returns why it ended.

    Parameters
    ----------
    shell : Shell
        As `shell_for` makes it.
    broker : LiveBroker
    feed : callable
        `(timeframe, start) -> Feed`: gives the feed that tells the bars of a length since a time (ms UTC), those that
        are over first, and prices; as `feeds_at` makes it.
    journal : Journal
        Open for writing; whoever opened it closes it.
    terms : RunTerms, optional
    alert : callable, optional
        Told every alert.

    Attributes
    ----------
    state : str
        Of `lifecycle.STATES`.
    reason : str
        Why it ended.
    began : bool
        Whether it was let start.
    failure : tuple of str and Exception, or None
        What it failed by: the part that raised ("start", "feed", "news", ...; "" for the bot itself), and the error.
    turns, turned_at : int, float
        How often something was dealt with, and when the last time began (`time.monotonic`): a guard sees a hang by it.
    watched : callable
        Called before requests go out, and so at every turn: tells a guard what the bot has (see `guarding`).
    guards_fills : tuple of VenueFill
        Executions that the bot's guard made while the bot was dead; they are the bot's, whatever the policy is.
    """

    def __init__(
        self,
        shell: Shell,
        broker: LiveBroker,
        feed: Callable[[str, int], Feed],
        journal: Journal,
        *,
        terms: RunTerms | None = None,
        alert: Callable[[Alert], None] = lambda alert: None,
    ) -> None:
        super().__init__(shell, terms or RunTerms(), broker.now)
        self.broker, self.journal = broker, journal
        self._make_feed, self._alert = feed, alert
        self.market = Market(shell.mind, round(self.pace.gather_s * 1_000))
        self._pen = Pen(journal, self.market, self.pace.give_up_s, lambda: self.now, self._unwritten)
        self._quick = QuickStart(shell, journal, self.log)
        self._outages = Outages(self.log)
        self.refusals = Refusals(shell.mind.core, self._pen.log)
        self.turns, self.turned_at = 0, time.monotonic()
        self.failure: tuple[str, Exception] | None = None
        self.reconciler = Reconciler(shell.mind.core)
        shell.write, shell.alert = self._pen.write, self._tell
        broker.held = shell.mind.core.account.quantity
        self._queue: asyncio.Queue[Callable[[], None]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ran = self._kept = self.began = False
        self._doing = ""
        self._membership = Membership(self.terms.peers, shell.mind.core, self.take, self._woken)
        self._pulsing = False
        self.watched: Callable[[], None] = lambda: None
        self.guards_fills: tuple[VenueFill, ...] = ()
        self._switch = True  # until the venue says that it has none

    def __repr__(self) -> str:
        return f"<Runner {self.shell.mind.name} at {self.broker.name}: {self.state}>"

    # its life

    async def run(self) -> str:
        """Run the bot until it is stopped, killed or fails, and give the reason; a cancelled run is a broken-off one.

        Raises
        ------
        RunError
            It was killed before and may not go on, a kill file lies there, or it has been run by this object.
        DataError
            The journal cannot be read, or is not this bot's.
        StrategyError
            The strategy raises at what the journal tells.
        """
        if self._ran:
            raise RunError(f"{self!r} has run: make a new one of the same journal to go on")
        self._ran = True
        self._may_run()
        try:
            return await self._live()
        finally:
            self._membership.leave()
            for task in self._tasks:
                task.cancel()
            for task in tuple(self._tasks):
                with suppress(asyncio.CancelledError):
                    await task

    def _may_run(self) -> None:
        name = self.shell.mind.name
        state, why = self._quick.last_state()
        if state == "KILLED" and not self.terms.revive:
            raise RunError(f"bot {name!r} was killed ({why}): look at its log, then run it with --revive", name=name)
        if self.terms.killed():
            raise RunError(f"there is a kill file for bot {name!r}: take it away to let the bot run", name=name)
        self.journal.check()  # a quick start reads only its end

    async def _live(self) -> str:
        self.began = True
        self.journal.begin_session({**self.terms.details, "venue": self.broker.name, "policy": self.terms.policy})
        try:
            with blaming(self.shell.mind.plan.strategy):
                self._recover()
        except WorkbenchError as error:
            self.journal.end_session(f"{type(error).__name__}: {error}")
            raise
        self.await_fills(self.guards_fills)
        self.watched()
        async with AsyncExitStack() as stack:
            try:
                self._doing = "start"
                await self._begin(stack)
                self._doing = ""
                await self._consume()
            except Exception as error:  # whatever broke: the bot ends with a reason, its positions protected
                await self._fail(error)
            if self._switch:
                with suppress(BrokerError):
                    await self.broker.heartbeat(0.0)
            closed = asyncio.Event()
            leaving = asyncio.create_task(self._leave(closed))
            self._tasks.add(leaving)
        closed.set()
        self._queue.put_nowait(lambda: None)  # so that it looks
        await leaving
        with suppress(WorkbenchError):
            self._quick.keep()
        with suppress(DataError):  # the alert of it has gone out, and whoever closes the journal tries once more
            self.journal.end_session(self.reason)
        return self.reason

    async def _consume(self, closed: asyncio.Event | None = None) -> None:
        with blaming(self.shell.mind.plan.strategy):
            while not self.over or (closed is not None and self.state == "STOPPING" and not closed.is_set()):
                self._take_turn(await self._queue.get())

    async def _leave(self, closed: asyncio.Event) -> None:
        """Stop once the feeds are closed; a kill that comes meanwhile is carried out."""
        try:
            await self._consume(closed)
            if self.state == "STOPPING":
                self.move("STOPPED", self.reason)
        except Exception as error:  # as while it ran
            await self._fail(error)
        self.watched()

    def _recover(self) -> None:
        """Become what the journal says, or a new bot."""
        self._started = self.journal.head.base > 0 or bool(last_of(self.journal, ["Started"]))
        self._quick.recover(self.now)
        self.broker.remember(line.order for line in self.shell.clerk.lines.values() if line.state != "done")
        self.refusals.let_go()
        for entry in last_of(self.journal, ["Logged"], having=APART):
            self.reconciler.apart.update(entry.record.fields.get(APART, {}))
        self.move("STARTING")

    async def _begin(self, stack: AsyncExitStack) -> None:
        """Make sure of the venue, and begin to listen."""
        offers = await self._patiently(self.broker.check)
        if offers.missing:
            raise RunError(f"{self.broker.name} is not fit to trade: {'; '.join(offers.missing)}")
        self.shell.clerk.dates = offers.dates
        await self._patiently(self.broker.prepare)
        warm_up = max(self.pace.warm_up_bars, self.shell.mind.core.quiet)
        starts = self.market.starts(self.now, warm_up)
        feeds = []
        for one in starts.items():
            feeds.append(await self._patiently(partial(self._open, stack, *one)))
        if self.state == "STARTING":  # it may have been stopped meanwhile
            self.move("WARMING_UP")
        for feed in feeds:
            stack.callback(self._spawn(self._listen(feed), "feed").cancel)
        self._spawn(self._hear(), "news")
        self._spawn(self._beat(), "beat")

    async def _open(self, stack: AsyncExitStack, timeframe: str, start: int) -> Feed:
        return await stack.enter_async_context(self._make_feed(timeframe, start))

    async def _patiently(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Ask the venue, and again where it did not answer: what is asked here may be asked twice."""
        for number in range(_TRIES):
            try:
                return await ask()
            except (BrokerTransient, BrokerUnknown, DataError) as error:
                if number == _TRIES - 1:
                    raise
                self.log("warning", f"{error}; it is tried again")
                await asyncio.sleep(min(2.0**number, 10.0))
        return None

    async def _fail(self, error: Exception) -> None:
        """End for a reason that no human gave: what would open positions is cancelled, what protects them stays."""
        self.reason = f"{type(error).__name__}: {error}"
        if not isinstance(error, WorkbenchError):  # nobody expected it
            self.reason += f" (at {place_of(error)})"
        self._quick.allowed = False  # what was not dealt with to its end is to be gone through again
        self._pen.wait_on()
        if self.failure is None:
            self.failure = (self._doing, error)
        with suppress(WorkbenchError):
            self.warn("critical", f"{self.shell.mind.name} has failed: {self.reason}")
        with suppress(WorkbenchError):
            if self.state not in ENDED:  # a killed bot stays one, whatever breaks while it winds down
                self.move("FAILED", self.reason, "cancel")
            await self._drain()
        self.over = True

    async def _drain(self) -> None:
        """Let what is under way come to its end, for a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.pace.drain_s):
                self._send()
                while under_way(self.shell.clerk) or self.asking:
                    work = await self._queue.get()
                    with suppress(WorkbenchError):
                        work()
                    self._wake()
                    self._send()

    # what comes in: only this part runs beside the consumer

    def _spawn(self, work: Any, name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(self._guarded(work, name), name=f"{self.shell.mind.name} {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guarded(self, work: Any, name: str) -> None:
        try:
            await work
        except Exception as error:  # whatever it is, the consumer ends the bot with it
            self._queue.put_nowait(partial(self._broke, name, error))

    def _broke(self, name: str, error: Exception) -> None:
        self.failure = (name, error)
        raise error

    async def _listen(self, feed: Feed) -> None:
        async for event in feed:
            self._queue.put_nowait(partial(self._told, event))
        raise RunError("the feed has ended")

    async def _hear(self) -> None:
        async for news in self.broker.news():
            self._queue.put_nowait(partial(self._heard, news))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.pace.flush_s)
            self._queue.put_nowait(self._on_beat)

    async def _pulse(self) -> None:
        """Tell the venue that the bot lives; it is the consumer that has this done, so a bot that hangs is silent."""
        try:
            self._switch = await self.broker.heartbeat()
        except BrokerError as error:
            self._queue.put_nowait(partial(self.erred, error))
        await asyncio.sleep(self.pace.heartbeat_s)
        self._pulsing = False

    async def _ask(self, request: Request) -> None:
        answer: VenueOrder | Snapshot | BrokerError | None
        ask: Any = {Find: self.broker.find, Look: self.broker.look, Send: self.broker.send}[type(request)]
        try:
            async with asyncio.timeout(_ANSWER_S):  # so that it is certain when a request is under way no more
                answer = await ask(request)
        except BrokerError as error:
            answer = error
        except TimeoutError:
            answer = BrokerUnknown(f"{self.broker.name} has not answered within {_ANSWER_S:g} s: {request}")
        self._queue.put_nowait(partial(self._answered, request, answer))

    # what the consumer does

    def _take_turn(self, work: Callable[[], None]) -> None:
        began = self.turned_at = time.monotonic()
        self.turns += 1
        how = self.terms.killed()
        if how and self.state != "KILLED":
            self.kill(how, "a kill file was found")
        work()
        self._wake()
        self.advance()
        self.refusals.note()
        self.refusals.let_go()
        self._send()
        took = time.monotonic() - began
        if took > self.pace.slow_s:
            self._took_long(took)

    def _took_long(self, took: float) -> None:
        """Tell that the bot did not hear or do anything else for a while; each time, unlike other warnings."""
        text = f"one thing that happened took {took:.1f} s to deal with: is the strategy or the disk slow?"
        self.shell.tell(Alert(self.now, "error", text))

    def held(self) -> dict[tuple[str, str], float]:
        """Give what is held by the books, signed, by symbol and leg; also for a guard that outlives a hang."""
        return {(one.symbol, one.leg): one.quantity for one in self.shell.mind.core.account.positions}

    def _wake(self) -> None:
        now = self.now
        if self.shell.due() <= now:
            self.shell.wake(now)

    def _send(self) -> None:
        self.watched()
        requests = self.shell.requests
        held = self._pen.held and self.state != "KILLED"  # nothing goes out whose intent is not on disk
        while requests and (not held or self.state in ENDED):
            request = requests.popleft()
            if held and isinstance(request, Send) and not isinstance(request.action, CancelOrder):
                continue
            self.asking += 1
            self._spawn(self._ask(request), type(request).__name__)

    def _told(self, event: Any) -> None:
        """Take what the feed tells."""
        kind = type(event)
        if kind in (TickerMoved, TradePrinted, BookMoved):
            self.market.ticked(event)
            return
        if kind is BarClosed:
            self.market.closed(event, self.now)
        elif kind is GapFound:
            self.market.gap(event)
        elif kind is ConnectionMoved:
            self._outages.note(event)
            if event.state in ("live", "polling"):
                self.look_soon()
        self.take_bars()

    def _heard(self, news: VenueOrder | VenueFill) -> None:
        self.shell.heard(news, self.now)

    def _answered(self, request: Request, answer: VenueOrder | Snapshot | BrokerError | None) -> None:
        self.asking -= 1
        self.shell.answered(request, answer, self.now)
        if isinstance(answer, BrokerFatal):
            raise answer
        if isinstance(request, Look):
            self.looked(request, answer)
        elif isinstance(answer, BrokerError):
            if answer.fields.get("gone"):  # something that stood may stand no longer
                self.look_soon()
            self.erred(answer)

    def _on_beat(self) -> None:
        self.take_bars()
        self.beat()
        self._pen.flush()
        self._keep()
        if self._switch and not self._pulsing:
            self._pulsing = True
            self._spawn(self._pulse(), "heartbeat")

    def join_peers(self) -> None:
        """Let the bots that share limits with this one know of it, and it of them."""
        self._membership.join()

    def _woken(self, error: Exception | None) -> None:
        self._queue.put_nowait((lambda: None) if error is None else partial(self._broke, "peers", error))

    # what goes out

    def _keep(self) -> None:
        """Keep the state for a quick start, now and then."""
        if self.state in LIVE and not self._pen.refused and (self._quick.due or not self._kept):
            self._kept = self._quick.keep() or not self._quick.allowed

    def _tell(self, alert: Alert) -> None:
        try:
            self._alert(alert)
        except Exception as error:  # whoever is to be told must not bring the bot down
            self.log("warning", f"an alert could not be told ({type(error).__name__}: {error}): {alert.text}")

    def _unwritten(self, text: str) -> None:
        self._tell(Alert(self.now, "error", text))

    def log(self, level: str, text: str, fields: dict[str, Any] | None = None) -> None:
        """Write a line of the log."""
        self._pen.log(level, "system", text, fields)
