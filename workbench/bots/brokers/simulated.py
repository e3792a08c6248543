"""The way to a simulated venue: paper trading at live prices, as a bot's runner knows venues.

`SimulatedBroker` is a venue of its own. It hears the market before the bot does (`listening`), matches by the rules of
the backtest (`simulated_venue`), and what it says is on disk before it is said (`simulated_memory`), so that a bot that
is killed finds its paper account as it would find a real one.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from workbench.backtest.plan import Plan
from workbench.bots.brokers.capabilities import Capabilities
from workbench.bots.brokers.simulated_memory import PaperMemory
from workbench.bots.brokers.simulated_rates import Rates
from workbench.bots.brokers.simulated_terms import PaperTerms
from workbench.bots.brokers.simulated_venue import SimulatedVenue
from workbench.bots.brokers.talk import Find, Look, Send, Snapshot, VenueFill, VenueOrder
from workbench.bots.runner_feeds import feeds_at
from workbench.errors import BrokerError, BrokerFatal, DataError
from workbench.market.feeds.events import Event
from workbench.market.feeds.feed import Access, Feed, Tuning
from workbench.market.feeds.lines import Lines
from workbench.market.sources.clients import Route
from workbench.trading.events import Event as Said
from workbench.trading.orders import Order

__all__ = ["SimulatedBroker", "paper_at"]

_TYPES: Final = (
    "market", "limit", "stop", "stop_limit", "take_profit", "take_profit_limit", "trailing_stop",
)  # fmt: skip
_TIMES: Final = ("GTC", "IOC", "FOK", "GTD")
_BEAT_S: Final = 0.01
_KEEP_S: Final = 1.0


@dataclass(slots=True)
class _Flight:
    """A request under way: it reaches the venue at `due`, ms UTC."""

    due: float
    request: Send
    answer: asyncio.Future[VenueOrder]


class SimulatedBroker:
    """A broker at a simulated venue on somebody else's market.

    Parameters
    ----------
    plan : Plan
        What is traded, with what money and at which costs; of its bars only instruments and lengths are looked at, and
        the funding rates that it has.
    terms : PaperTerms, optional
    memory : Path, optional
        Where the paper account is kept, such as `data/bots/NAME.paper.db`; it ends with the object when left out.
    clock : callable, optional
        Gives the bot's time, ms UTC. Left out it is the venue's by `lines`, or else this machine's, set right by the
        times that the market tells.
    lines : Lines, optional
        To the venue whose prices they are, which is asked what time it is; opened and closed with the broker.

    Attributes
    ----------
    name : str
    held : callable or None
        Set by whoever runs the bot; not needed here.
    said : callable
        Told everything that the matcher says, at once.

    Raises
    ------
    DataError
        The memory is damaged, in use, or of another version.
    ConfigError
        It is of another paper account.
    """

    def __init__(
        self, plan: Plan, *, terms: PaperTerms | None = None, memory: Path | None = None,
        clock: Callable[[], int] | None = None, lines: Lines | None = None,
    ) -> None:  # fmt: skip
        self.plan, self.terms = plan, terms or PaperTerms()
        self.name = f"paper at {self.terms.venue}" if self.terms.venue else "paper"
        self.held: Callable[[str, str], float] | None = None
        self._memory = PaperMemory(memory, _account_in_words(plan)) if memory is not None else None
        kept = None if self._memory is None else self._memory.kept
        self.venue = SimulatedVenue(plan, self.terms, kept, self._hear_matcher)
        self.said: Callable[[Said], None] = lambda event: None
        self._clock, self._lines, self._opened = clock, lines, False
        perpetuals = [line.bars.symbol for line in plan.lines if line.bars.instrument.perpetual]
        self._rates = None if lines is None else Rates(lines, perpetuals, self.rate)
        self._ahead_ms = 0
        self._dice = random.Random(f"{self.terms.seed} {len(self.venue.orders.all)}")
        self._flights: list[_Flight] = []
        self._listeners: list[asyncio.Queue[VenueOrder | VenueFill]] = []
        self._kept_at = time.monotonic()
        self._failure: DataError | None = None
        self._events = 0

    def __repr__(self) -> str:
        return f"<SimulatedBroker {self.name}: {', '.join(line.bars.symbol for line in self.plan.lines)}>"

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Ask the venue what time it is, where there are lines to it; nothing where that was done.

        Raises
        ------
        DataError
            It does not answer.
        """
        if self._lines is not None and not self._opened:
            self._opened = True
            await self._lines.__aenter__()
            if self._clock is None:
                await self._lines.clock()
                self._clock = self._lines.now

    async def close(self) -> None:
        """Let go of the memory and the lines; the paper account stays as it is."""
        if self._lines is not None and self._opened:
            self._opened = False
            await self._lines.__aexit__()
        if self._memory is not None:
            if self._failure is None:
                self._keep(durable=True)
            self._memory.close()
            self._memory = None

    @property
    def health(self) -> dict[str, Any]:
        """How it is, as plain data."""
        return {
            "state": "live" if self._failure is None else "down", "messages": self._events,
            "orders": len(self.venue.orders.all), "fills": len(self.venue.orders.fills),
        }  # fmt: skip

    def now(self) -> int:
        """Give the time, ms UTC."""
        return self._clock() if self._clock is not None else time.time_ns() // 1_000_000 + self._ahead_ms

    # the market

    def listening(self, feeds: Callable[[str, int], Feed]) -> Callable[[str, int], Feed]:
        """Give feeds like these whose every event the simulated venue hears before anybody else.

        Parameters
        ----------
        feeds : callable
            `(timeframe, start) -> Feed`, as `feeds_at` makes it and `Runner` takes it.
        """
        return lambda timeframe, start: _Listening(feeds(timeframe, start), self)

    def rate(self, symbol: str, ts: int, rate: float, mark: float = math.nan) -> None:
        """Tell that a perpetual's funding is settled at a time to come (ms UTC), at a rate and a mark price.

        Without a mark price it is the market's own of then. The rates that the plan has are known without being told.
        """
        self.venue.rate(symbol, ts, rate, mark)

    def hear(self, event: Event) -> None:
        """Take what happens at the market; what it makes of orders is kept before this returns.

        Raises
        ------
        DataError
            It cannot be kept.
        """
        self._check()
        self._land(event.ts)
        if self._clock is None:
            self._ahead_ms = max(self._ahead_ms, event.ts - time.time_ns() // 1_000_000)
        self._events += 1
        if self.venue.hear(event):
            self._settle()

    def _settle(self) -> None:
        """Keep what has changed, then tell it."""
        self._check()
        orders = self.venue.orders
        if (moved := self.venue.moved or orders.moved) or time.monotonic() > self._kept_at + _KEEP_S:
            self._keep(durable=moved)
        news, orders.news = orders.news, []
        for one in news:
            for listener in self._listeners:
                listener.put_nowait(one)

    def _keep(self, *, durable: bool) -> None:
        self._kept_at = time.monotonic()
        if self._memory is not None:
            try:
                self._memory.save(self.venue.to_plain(), *self.venue.orders.unsaved(), durable=durable)
            except DataError as error:
                self._failure = error
                raise
        self.venue.orders.saved()
        self.venue.moved = False

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _hear_matcher(self, event: Said) -> None:
        self.said(event)

    # what is asked for

    async def send(self, request: Send) -> VenueOrder:
        """Carry out a request once it has been under way for as long as the terms say; see `Broker.send`.

        Raises
        ------
        BrokerRejected
        BrokerFatal
            The paper account cannot be kept.
        """
        late = self.terms.latency_ms + self.terms.jitter_ms * self._dice.random()
        if not late:
            return self.carry_out(request)
        flight = _Flight(self.now() + late, request, asyncio.get_running_loop().create_future())
        self._flights.append(flight)
        try:
            while not flight.answer.done():
                left = flight.due - self.now()
                if left <= 0.0:
                    self._land(flight.due)
                else:
                    await asyncio.wait([flight.answer], timeout=min(left / 1_000.0, _BEAT_S))
        finally:
            if flight in self._flights:
                self._flights.remove(flight)
        return flight.answer.result()

    def _land(self, upto: float) -> None:
        """Carry out the requests that have arrived by a time; those that came together are kept together."""
        due = sorted((one for one in self._flights if one.due <= upto), key=lambda one: one.due)
        if not due:
            return
        self._flights = [one for one in self._flights if one not in due]
        answers: list[VenueOrder | BrokerError] = []
        for flight in due:
            try:
                answers.append(self._do(flight.request))
            except BrokerError as error:
                answers.append(error)
        try:
            self._settle()
        except DataError as error:
            answers = [BrokerFatal(str(error))] * len(due)
        for flight, answer in zip(due, answers, strict=True):
            if flight.answer.done():
                continue
            if isinstance(answer, BrokerError):
                flight.answer.set_exception(answer)
            else:
                flight.answer.set_result(answer)

    def carry_out(self, request: Send) -> VenueOrder:
        """Carry out a request now; see `send`."""
        try:
            try:
                return self._do(request)
            finally:
                self._settle()
        except DataError as error:
            raise BrokerFatal(str(error)) from error

    def _do(self, request: Send) -> VenueOrder:
        if self._failure is not None:
            raise BrokerFatal(str(self._failure))
        if self._clock is not None or self.venue.now:
            self.venue.pass_time(self.now())
        return self.venue.ask(request)

    async def find(self, request: Find) -> VenueOrder | None:
        """Give an order by its client order id; see `Broker.find`."""
        return self.venue.orders.all.get(request.id)

    async def look(self, request: Look) -> Snapshot:
        """Give all that the venue has; see `Broker.look`."""
        if self._rates is not None and self._opened:
            await self._rates.ask()
        return self.venue.look(request)._replace(asked=self.now())

    async def news(self) -> AsyncIterator[VenueOrder | VenueFill]:
        """Give what happens to orders, and executions, from now on."""
        queue: asyncio.Queue[VenueOrder | VenueFill] = asyncio.Queue()
        self._listeners.append(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.remove(queue)

    def remember(self, orders: Iterable[Order]) -> None:
        """Do nothing: the paper account keeps the terms of its orders."""

    async def check(self) -> Capabilities:
        """Tell what the venue offers: every order type there is."""
        await self.open()
        symbols = [line.bars.symbol for line in self.plan.lines]
        return Capabilities(
            venue=self.name, missing=(), types=dict.fromkeys(symbols, _TYPES), times=dict.fromkeys(symbols, _TIMES),
            protects=True, streams=True, dead_man=False, withdraws=None,
        )  # fmt: skip

    async def prepare(self) -> None:
        """Do nothing: the account has the leverage of the plan."""

    async def heartbeat(self, seconds: float | None = None) -> bool:
        """Give False: orders on paper outlive the bot."""
        return False


class _Listening:
    """A feed that a broker listens to."""

    def __init__(self, feed: Feed, broker: SimulatedBroker) -> None:
        self._feed, self._broker = feed, broker

    @property
    def name(self) -> str:
        return self._feed.name

    @property
    def health(self) -> dict[str, Any]:
        return self._feed.health

    async def __aenter__(self) -> Self:
        await self._feed.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._feed.__aexit__(kind, error, trace)

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        event = await self._feed.__anext__()
        self._broker.hear(event)
        return event


def paper_at(
    venue: str, plan: Plan, memory: Path, *, route: Route | None = None, terms: PaperTerms | None = None,
    tuning: Tuning | None = None,
) -> tuple[SimulatedBroker, Callable[[str, int], Feed]]:  # fmt: skip
    """Give a broker that trades on paper at the prices of a venue, and what opens the feeds that it hears.

    Parameters
    ----------
    venue : str
        ccxt's name.
    plan : Plan
    memory : Path
    route : Route, optional
        To a practice exchange.
    terms : PaperTerms, optional
    tuning : Tuning, optional

    Returns
    -------
    broker : SimulatedBroker
    feeds : callable
        For `Runner`.

    Raises
    ------
    DataError, ConfigError
        As `SimulatedBroker`.
    """
    access = Access(route=route)
    lines = Lines(venue, [line.bars.symbol for line in plan.lines], access, tuning or Tuning())
    given = terms or PaperTerms()
    broker = SimulatedBroker(plan, terms=replace(given, venue=given.venue or lines.name), memory=memory, lines=lines)
    return broker, broker.listening(feeds_at(venue, plan, access=access, tuning=tuning))


def _account_in_words(plan: Plan) -> dict[str, Any]:
    account = plan.account
    return {
        "symbols": [line.bars.symbol for line in plan.lines], "cash": plan.cash, "kind": account.kind,
        "isolated": account.isolated, "hedge": account.hedge, "leverage": [line.leverage for line in plan.lines],
        "timeframes": [str(line.bars.timeframe) for line in plan.lines],
    }  # fmt: skip
