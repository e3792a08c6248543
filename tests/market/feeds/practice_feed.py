"""A practice exchange with a held clock, and a consumer that keeps what a feed tells; for tests of live feeds."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from workbench.market.feeds.ccxt_feed import CcxtFeed
from workbench.market.feeds.events import BarClosed, ConnectionMoved, Event, TradePrinted
from workbench.market.feeds.feed import Access, Tuning, Watch
from workbench.market.instrument import Instrument
from workbench.practice.exchange import Exchange
from workbench.practice.markets import SyntheticMarket
from workbench.practice.wire.signing import PRACTICE

MINUTE = 60_000
BTC = "BTC/USDT"

QUICK = Tuning(
    backoff_s=0.02, backoff_most_s=0.2, quiet_intervals=0.005, interval_s=60.0, failures=3, poll_s=0.1, retry_s=0.3,
    settle_s=0.1, timeout_s=2.0, seed=1,
)  # fmt: skip


def synthetic(symbol: str = BTC, *, seed: int = 3) -> SyntheticMarket:
    facts = Instrument(symbol=symbol, quote="USDT", venue="binance", tick_size=0.01, lot_size=0.0001, min_notional=5.0)
    return SyntheticMarket(facts, seed=seed, price=30_000.0)


@contextmanager
def practice(*symbols: str, **options: Any) -> Iterator[Exchange]:
    with Exchange([synthetic(symbol) for symbol in symbols or (BTC,)], **options) as exchange:
        yield exchange


def access_to(exchange: Exchange, *, private: bool = False) -> Access:
    if private:
        return Access(route=exchange.route, key=PRACTICE.key, secret=PRACTICE.secret)
    return Access(route=exchange.route)


class Reader:
    """Reads a feed in the background and keeps what it tells; a test waits for what it expects."""

    def __init__(self, feed: Any) -> None:
        self.feed = feed
        self.events: list[Event] = []
        self._changed = asyncio.Condition()

    async def read(self) -> None:
        async for event in self.feed:
            async with self._changed:
                self.events.append(event)
                self._changed.notify_all()

    async def until(self, met: Callable[[list[Event]], Any], *, timeout_s: float = 30.0) -> None:
        """Wait until what was told meets a condition."""
        async with self._changed:
            try:
                await asyncio.wait_for(self._changed.wait_for(lambda: met(self.events)), timeout_s)
            except TimeoutError:
                raise AssertionError(f"not met: {self.feed.health}, last {self.events[-5:]}") from None

    async def heard(self, timeout_s: float) -> None:
        """Wait for the next event, or a moment where none comes."""
        async with self._changed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), timeout_s)

    def of(self, kind: type, symbol: str = BTC) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind) and event.symbol == symbol]

    @property
    def bars(self) -> list[BarClosed]:
        return self.of(BarClosed)

    @property
    def trades(self) -> list[TradePrinted]:
        return self.of(TradePrinted)

    @property
    def states(self) -> list[str]:
        return [event.state for event in self.events if isinstance(event, ConnectionMoved)]


@asynccontextmanager
async def reading(exchange: Exchange, watch: Watch, tuning: Tuning = QUICK, **access: Any) -> AsyncIterator[Reader]:
    async with CcxtFeed("binance", watch, access=access_to(exchange, **access), tuning=tuning) as feed:
        reader = Reader(feed)
        task = asyncio.create_task(reader.read())
        try:
            yield reader
        finally:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.result()


async def go_on(exchange: Exchange, ms: int, *, step: int = 10_000) -> None:
    """Move the exchange's clock on in steps; after each, messages get time to travel."""
    for _ in range(0, ms, step):
        await asyncio.to_thread(exchange.advance, step)


async def go_on_until(exchange: Exchange, reader: Reader, met: Callable[[], Any], *, step: int = 500) -> None:
    """Let the market go on, a little at a time, until something was told."""
    for _ in range(600):
        if met():
            return
        await asyncio.to_thread(exchange.advance, step)
        await reader.heard(0.05)
    raise AssertionError(f"not met: {reader.feed.health}, last {reader.events[-5:]}")


def truth(exchange: Exchange, start: int, end: int, symbol: str = BTC) -> list[tuple[float, ...]]:
    """Give the candles (ts, open, high, low, close, volume) of the market itself that open in a range."""
    found = exchange.call(lambda: exchange.engine.candles(symbol, "1m", start=start, end=end - 1, limit=100_000))
    return list(zip(*(column.tolist() for column in found[:6]), strict=True))


def told(bars: list[BarClosed]) -> list[tuple[float, ...]]:
    return [(bar.ts, *bar[4:9]) for bar in bars]


class Cuts:
    """Ways to take a feed's connection away, for a while."""

    KINDS = ("abort", "refuse", "silent", "rejected", "hang")

    def __init__(self, exchange: Exchange, seed: int) -> None:
        self.exchange, self.chance = exchange, random.Random(seed)
        self.done: list[str] = []
        self._next: list[str] = []

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        if not self._next:
            self._next = self.chance.sample(self.KINDS, len(self.KINDS))
        kind = self._next.pop()
        self.done.append(kind)
        faults = self.exchange.faults
        rules: list[int] = []
        if kind == "refuse":
            self.exchange.cut(stay_down=True)
        elif kind == "silent":
            rules.append(faults.add("drop", target="any"))
        else:
            if kind == "rejected":
                rules.append(faults.add("reject", target="WS SUBSCRIBE", code=-1121))
            elif kind == "hang":
                rules.append(faults.add("timeout", target="WS *", hold=60_000))
            self.exchange.cut()
        try:
            yield
        finally:
            if kind == "refuse":
                self.exchange.restore()
            for rule in rules:
                faults.remove(rule)
