"""What happened, told again: series of the lake, ticks, and tapes, in one order of time, at any speed.

The same sources give the same events in the same order. Speed only decides when they come: at once, so many times
faster than they happened, or as far as a clock that somebody holds has gone.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import AsyncIterator, Iterator, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from workbench.errors import ConfigError, DataError
from workbench.market.bars import Bars
from workbench.market.feeds.events import BarClosed, Event, TradePrinted
from workbench.market.feeds.feed import Times
from workbench.market.feeds.tape import Tape
from workbench.market.ticks import Ticks

__all__ = ["ReplayFeed", "StepClock"]

Source: TypeAlias = Bars | Ticks | Tape | Sequence[Event]

_PIECE: Final = 10_000
_BREATH: Final = 256  # events after which other tasks get their turn, when everything comes at once


class StepClock:
    """A clock that stands until somebody moves it; for one event loop.

    Parameters
    ----------
    start : int, default 0
        ms UTC.

    Examples
    --------
    >>> clock = StepClock(1_000)
    >>> clock.advance(500)
    >>> clock.now()
    1500
    """

    def __init__(self, start: int = 0) -> None:
        self._now = start
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def now(self) -> int:
        """Give the time it shows, ms UTC."""
        return self._now

    def advance(self, ms: int) -> None:
        """Move it on by milliseconds."""
        self.set(self._now + ms)

    def set(self, ts: int) -> None:
        """Move it to a time, ms UTC; never back."""
        if ts < self._now:
            raise ConfigError(f"the clock shows {self._now} ms and cannot go back to {ts}")
        self._now = ts
        due = [waiting for when, waiting in self._waiting if when <= ts]
        self._waiting = [(when, waiting) for when, waiting in self._waiting if when > ts]
        for waiting in due:
            if not waiting.done():
                waiting.set_result(None)

    async def reached(self, ts: int) -> None:
        """Wait until it shows at least a time, ms UTC."""
        if ts > self._now:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append((ts, waiting))
            await waiting


class ReplayFeed:
    """A feed of what is known already.

    Parameters
    ----------
    *sources : Bars, Ticks, Tape or sequence of events
        Merged by the time at which each event was received; of equal times the source named first comes first. A bar is
        received at its close, a tick at its time.
    speed : float or StepClock, default inf
        How many times faster than it happened; inf is as fast as it is read. A clock lets it go as far as the clock
        shows.
    times : Times, optional
        The clocks that `speed` is measured with.

    Raises
    ------
    ConfigError
        There is no source, or the speed is not above zero.
    DataError
        A source is of another kind.
    """

    def __init__(self, *sources: Source, speed: float | StepClock = math.inf, times: Times | None = None) -> None:
        if not sources:
            raise ConfigError("there is nothing to replay; give bars, ticks or a tape")
        if not isinstance(speed, StepClock) and not speed > 0:
            raise ConfigError(f"the speed of a replay is {speed!r}; give how many times faster, above zero")
        self.name = "replay"
        self._speed, self._times = speed, times or Times()
        self._events = _merged([_told(source) for source in sources])
        self._messages = 0
        self._first: tuple[int, float] | None = None
        self._heard: float | None = None
        self._state = "connecting"

    def __repr__(self) -> str:
        return f"<ReplayFeed, {self._messages:,} events told>"

    @property
    def health(self) -> dict[str, Any]:
        """How the feed is, as plain data; as of a live feed."""
        age = None if self._heard is None else round(self._times.monotonic() - self._heard, 3)
        return {
            "state": self._state, "messages": self._messages, "age_s": age, "reconnects": 0, "latency_ms": None,
            "waiting": 0, "channels": [],
        }  # fmt: skip

    async def __aenter__(self) -> Self:
        self._state = "live"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._state = "closed"

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        event = next(self._events, None)
        if event is None:
            self._state = "closed"
            raise StopAsyncIteration
        await self._wait_for(event)
        self._messages += 1
        self._heard = self._times.monotonic()
        return event

    async def _wait_for(self, event: Event) -> None:
        if isinstance(self._speed, StepClock):
            await self._speed.reached(event.received)
        elif math.isinf(self._speed):
            if self._messages % _BREATH == 0:
                await asyncio.sleep(0)
        else:
            now = self._times.monotonic()
            start, began = self._first = self._first or (event.received, now)
            wait = (event.received - start) / 1_000 / self._speed - (now - began)
            await self._times.sleep(max(wait, 0.0))


def _merged(sources: Sequence[Iterator[Event]]) -> Iterator[Event]:
    """Merge by time; within a source the order stays as it is, though its times may go back."""

    def keyed(place: int, events: Iterator[Event]) -> Iterator[tuple[int, int, Event]]:
        latest = -(1 << 62)
        for event in events:
            latest = max(latest, event.received)
            yield latest, place, event

    streams = [keyed(place, events) for place, events in enumerate(sources)]
    return (event for _, _, event in heapq.merge(*streams, key=lambda row: row[:2]))


def _told(source: Any) -> Iterator[Event]:
    if isinstance(source, Bars):
        return _bars(source)
    if isinstance(source, Ticks):
        return _ticks(source)
    if isinstance(source, Tape):
        source.info  # noqa: B018 -- a tape that is not there is said now, not at the first event
        return source.events()
    if isinstance(source, Sequence) and not isinstance(source, str):
        return iter(source)
    raise DataError(f"a {type(source).__name__} cannot be replayed; give Bars, Ticks, a Tape or events")


def _bars(bars: Bars) -> Iterator[Event]:
    symbol, length, step = bars.symbol, str(bars.timeframe), bars.timeframe.ms
    columns = (bars.ts, bars.open, bars.high, bars.low, bars.close, bars.volume)
    for first in range(0, len(bars), _PIECE):
        rows = zip(*(column[first : first + _PIECE].tolist() for column in columns), strict=True)
        for ts, open_, high, low, close, volume in rows:
            yield BarClosed(symbol, ts, ts + step, length, open_, high, low, close, volume, "replay")


def _ticks(ticks: Ticks) -> Iterator[Event]:
    sides = ticks.side
    for row in range(len(ticks)):
        ts = int(ticks.ts[row])
        side = 0 if sides is None else int(sides[row])
        yield TradePrinted(ticks.symbol, ts, ts, str(row), float(ticks.price[row]), float(ticks.quantity[row]), side)
