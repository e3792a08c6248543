"""`Runner`: drives one bot by a real clock, a live feed and a venue, from its first session to its last.

Everything that happens (bars, prices, answers, news, the beat of the clock) goes through one queue, and one consumer
takes it out and alone touches the shell, so that a bot is as deterministic as its journal. Requests become tasks whose
answers come back through the queue. Whatever ends a run, protective stops stay at the venue.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any, Final

from workbench.backtest.plan import Plan
from workbench.bots.brokers.talk import Find, Look, Request, Snapshot, VenueFill, VenueOrder
from workbench.bots.clerk import Clerk, Patience
from workbench.bots.journal import Journal
from workbench.bots.mind import Mind
from workbench.bots.noting import Refusals
from workbench.bots.runner_market import Market
from workbench.bots.runner_reconciling import Reconciler, under_way
from workbench.bots.runner_states import Course
from workbench.bots.runner_terms import LiveBroker, RunTerms
from workbench.bots.shell import Shell
from workbench.errors import BrokerError, BrokerFatal, BrokerTransient, DataError, RunError, WorkbenchError
from workbench.market.feeds.events import BarClosed, BookMoved, ConnectionMoved, GapFound, TickerMoved, TradePrinted
from workbench.market.feeds.feed import Feed
from workbench.trading.events import Action, Alert, Event, Moved, Submit
from workbench.trading.minding import Minder

__all__ = ["Runner", "shell_for"]

_TRIES: Final = 5  # of what is asked at the start
_GIVE_UP_MS: Final = 30_000  # after which a journal that cannot be written ends the bot


def shell_for(plan: Plan, name: str, journal: Journal, *, patience: Patience | None = None, account: str = "") -> Shell:
    """Make the shell of a bot that trades at a venue.

    Its orders' ids are made of the journal too, so that a bot that is made anew under an old name never gives an id
    that the venue has seen.

    Parameters
    ----------
    plan : Plan
        What is traded and how; of its bars only instruments and lengths are looked at.
    name : str
    journal : Journal
        Its own, open for writing.
    patience : Patience, optional
    account : str, optional
        The account that it trades with, by which limits of an account know who shares it.

    Returns
    -------
    Shell
    """
    mind = Mind(plan, name=name, account=account)
    mind.core.name = f"{name} {journal.nonce}"
    mind.core.minder = Minder(mind.core)
    mind.core.state = "IDLE"
    return Shell(mind, Clerk(mind.core.markets, patience), journal.write)


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
        self._make_feed, self._tell = feed, alert
        self._unwritten: int | None = None
        self.market = Market(shell.mind, round(self.pace.gather_s * 1_000))
        self.reconciler = Reconciler(shell.mind.core)
        self.refusals = Refusals(shell.mind.core, journal.log)
        shell.write, shell.alert = self._write, alert
        broker.held = shell.mind.core.account.quantity
        self._queue: asyncio.Queue[Callable[[], None]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ran = False
        self._pulsing = False
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
        past = self._may_run()
        try:
            return await self._live(past)
        finally:
            for task in self._tasks:
                task.cancel()
            for task in tuple(self._tasks):
                with suppress(asyncio.CancelledError):
                    await task

    def _may_run(self) -> list[Any]:
        name = self.shell.mind.name
        past = [one.record for one in self.journal.entries()]
        last = next((one for one in reversed(past) if isinstance(one, Moved)), None)
        if last is not None and last.state == "KILLED" and not self.terms.revive:
            raise RunError(f"bot {name!r} was killed ({last.reason}): look at its log, then revive it", name=name)
        if self.terms.killed():
            raise RunError(f"there is a kill file for bot {name!r}: take it away to let the bot run", name=name)
        return past

    async def _live(self, past: list[Any]) -> str:
        self.journal.begin_session({**self.terms.details, "venue": self.broker.name, "policy": self.terms.policy})
        try:
            self.recover(past)
            self.refusals.skip()
        except WorkbenchError as error:
            self.journal.end_session(f"{type(error).__name__}: {error}")
            raise
        async with AsyncExitStack() as stack:
            try:
                await self._begin(stack)
                while not self.over:
                    self._take_turn(await self._queue.get())
            except Exception as error:  # whatever broke: the bot ends with a reason, its positions protected
                await self._fail(error)
            if self._switch:
                with suppress(BrokerError):
                    await self.broker.heartbeat(0.0)
        self.journal.end_session(self.reason)
        return self.reason

    async def _begin(self, stack: AsyncExitStack) -> None:
        """Make sure of the venue, and begin to listen."""
        offers = await self._patiently(self.broker.check)
        if offers.missing:
            raise RunError(f"{self.broker.name} is not fit to trade: {'; '.join(offers.missing)}")
        await self._patiently(self.broker.prepare)
        warm_up = max(self.pace.warm_up_bars, self.shell.mind.core.quiet)
        starts = self.market.starts(self.now, warm_up)
        feeds = [await stack.enter_async_context(self._make_feed(*one)) for one in starts.items()]
        self.move("WARMING_UP")
        for feed in feeds:
            self._spawn(self._listen(feed), "feed")
        self._spawn(self._hear(), "news")
        self._spawn(self._beat(), "beat")

    async def _patiently(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Ask the venue, and again where it surely did not hear."""
        for number in range(_TRIES):
            try:
                return await ask()
            except BrokerTransient as error:
                if number == _TRIES - 1:
                    raise
                self.log("warning", f"{error}; it is tried again")
                await asyncio.sleep(min(2.0**number, 10.0))
        return None

    async def _fail(self, error: Exception) -> None:
        """End for a reason that no human gave: what would open positions is cancelled, what protects them stays."""
        self.reason = f"{type(error).__name__}: {error}"
        with suppress(WorkbenchError):
            self.warn("critical", f"{self.shell.mind.name} has failed: {self.reason}")
        with suppress(WorkbenchError):
            self.move("FAILED", self.reason, "cancel")
            await self._drain()

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

    def _spawn(self, work: Any, name: str) -> None:
        task = asyncio.create_task(self._guarded(work), name=f"{self.shell.mind.name} {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except Exception as error:  # whatever it is, the consumer ends the bot with it
            self._queue.put_nowait(partial(self._broke, error))

    def _broke(self, error: Exception) -> None:
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
        try:
            if isinstance(request, Find):
                answer = await self.broker.find(request)
            else:
                answer = await (self.broker.look(request) if isinstance(request, Look) else self.broker.send(request))
        except BrokerError as error:
            answer = error
        self._queue.put_nowait(partial(self._answered, request, answer))

    # what the consumer does

    def _take_turn(self, work: Callable[[], None]) -> None:
        how = self.terms.killed()
        if how and self.state != "KILLED":
            self.kill(how, "a kill file was found")
        work()
        self._wake()
        self.advance()
        self.refusals.note()
        self._send()

    def _wake(self) -> None:
        now = self.now
        if self.shell.due() <= now:
            self.shell.wake(now)

    def _send(self) -> None:
        requests = self.shell.requests
        while requests:
            request = requests.popleft()
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
        elif kind is ConnectionMoved and event.state in ("live", "polling"):
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
            self.erred(answer)

    def _on_beat(self) -> None:
        self.take_bars()
        self.beat()
        self._flush()
        if self._switch and not self._pulsing:
            self._pulsing = True
            self._spawn(self._pulse(), "heartbeat")

    def _flush(self) -> None:
        """Bring what waits to disk; a database that is busy gets some time, intents wait for it anyway."""
        try:
            self.journal.flush()
            self._unwritten = None
        except DataError as error:
            since = self._unwritten
            self._unwritten = self.now if since is None else since
            if since is None:
                self._tell(Alert(self.now, "error", str(error)))
            elif self.now > since + _GIVE_UP_MS:
                raise

    # what goes out

    def _write(self, entry: Event | Action, durable: bool) -> None:
        self.journal.write(entry, durable)
        if isinstance(entry, Submit) and not entry.order.parent:
            order = entry.order
            facts = {"order": order.id, "side": order.side, "ts": self.now, **self.market.snapshot(order.symbol)}
            plain = {key: None if isinstance(one, float) and math.isnan(one) else one for key, one in facts.items()}
            self.journal.log("info", "order", f"the market as {order.id} goes out", plain)

    def log(self, level: str, text: str, fields: dict[str, Any] | None = None) -> None:
        """Write a line of the log."""
        self.journal.log(level, "system", text, fields)
