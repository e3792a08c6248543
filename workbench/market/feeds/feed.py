"""What every feed is: an async iterator of events with a state that can be looked at; and what a live one is asked for.

    async with wb.data.feed("binance", "BTC/USDT", bars="1m") as feed:
        async for event in feed:
            ...

`CcxtFeed` is live, `ReplayFeed` plays history or a tape; whoever consumes events cannot tell which.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Protocol, Self, runtime_checkable

from workbench.errors import ConfigError
from workbench.market.bars import to_ms
from workbench.market.feeds.events import Event
from workbench.market.sources.clients import Route
from workbench.market.timeframe import Timeframe

__all__ = ["CHANNELS", "Access", "Feed", "Times", "Tuning", "Watch"]

CHANNELS: Final = ("tickers", "trades", "books", "orders")


@runtime_checkable
class Feed(Protocol):
    """Events as they happen; open it with `async with`, then iterate once."""

    @property
    def name(self) -> str:
        """Where the events come from, such as "binance" or "replay"."""

    @property
    def health(self) -> dict[str, Any]:
        """How the feed is, as plain data: `state`, `messages`, `age_s` of the last one, `reconnects`, `channels`."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __aiter__(self) -> AsyncIterator[Event]: ...

    async def __anext__(self) -> Event: ...


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, kw_only=True)
class Times:
    """The clocks of a feed; a test brings its own.

    Parameters
    ----------
    wall : callable
        Gives ms UTC; what `received` of an event is.
    monotonic : callable
        Gives seconds; what waits and ages are measured with.
    sleep : callable
        Waits for seconds.
    """

    wall: Callable[[], int] = _wall_ms
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """How patient a live feed is.

    Parameters
    ----------
    backoff_s, backoff_most_s, jitter : float
        First and longest pause before a connection is tried again, and the part of it that chance takes away.
    quiet_intervals : float, default 3
        After how many intervals without a message REST is asked whether the stream is deaf. For bars an interval is
        the bar, at most a minute; for the others `interval_s`.
    interval_s : float, default 10
        See above.
    failures : int, default 3
        Failures of a stream in a row after which it is polled instead.
    poll_s : float, default 5
        Pause between two polls.
    retry_s : float, default 30
        While it is polled, how often the stream is tried again.
    grace_ms : int, default 1500
        How long after its close, by the venue's clock, a bar of which nothing was heard is asked for.
    settle_s : float, default 2
        How long after a reconnect orders and fills are reconciled a second time, so that nothing falls between.
    timeout_s : float, default 10
        For one question over REST, and for a connection to come about.
    levels : int, default 20
        Levels of each side of an order book.
    room, trades : int
        How many events may wait for a slow consumer; see `Outbox`.
    seed : int, optional
        Of the chance in the pauses.
    times : Times
        The clocks.
    """

    backoff_s: float = 0.5
    backoff_most_s: float = 30.0
    jitter: float = 0.5
    quiet_intervals: float = 3.0
    interval_s: float = 10.0
    failures: int = 3
    poll_s: float = 5.0
    retry_s: float = 30.0
    grace_ms: int = 1_500
    settle_s: float = 2.0
    timeout_s: float = 10.0
    levels: int = 20
    room: int = 10_000
    trades: int = 100_000
    seed: int | None = None
    times: Times = field(default_factory=Times)

    def __post_init__(self) -> None:
        for name in ("backoff_s", "quiet_intervals", "interval_s", "poll_s", "retry_s", "timeout_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"Tuning({name}={getattr(self, name)!r}): it must be above zero")
        for name in ("failures", "levels", "room", "trades"):
            if getattr(self, name) < 1:
                raise ConfigError(f"Tuning({name}={getattr(self, name)!r}): it must be at least 1")


@dataclass(frozen=True, kw_only=True)
class Access:
    """How a venue is reached: by which route, and with which key for what is private. The secret is never shown."""

    route: Route | None = None
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What a live feed tells.

    Parameters
    ----------
    symbols : sequence of str
        In ccxt's notation, such as "BTC/USDT".
    bars : sequence of Timeframe
        Lengths of the bars to tell; none when empty.
    channels : sequence of str
        Any of "tickers", "trades", "books" and "orders" (own orders and fills, which need a key).
    start : int, optional
        ms UTC; bars from here on are told, those that are over already first. Left out, the first bar is the one that
        runs when the feed begins.
    """

    symbols: tuple[str, ...]
    bars: tuple[Timeframe, ...] = ()
    channels: tuple[str, ...] = ()
    start: int | None = None

    @classmethod
    def of(
        cls,
        symbols: str | Sequence[str],
        bars: str | Timeframe | Sequence[str | Timeframe] | None = "1m",
        channels: str | Sequence[str] = (),
        start: Any = None,
    ) -> Watch:
        """Read what a person wrote: one or several of each.

        Raises
        ------
        ConfigError
            Nothing is asked for, or a channel is unknown.
        DataError
            A timeframe or the start is not understood.
        """
        lengths = () if bars is None else (bars,) if isinstance(bars, (str, Timeframe)) else tuple(bars)
        watch = cls(
            symbols=(symbols,) if isinstance(symbols, str) else tuple(symbols),
            bars=tuple(dict.fromkeys(Timeframe.parse(length) for length in lengths)),
            channels=(channels,) if isinstance(channels, str) else tuple(dict.fromkeys(channels)),
            start=None if start is None else to_ms(start),
        )
        for channel in watch.channels:
            if channel not in CHANNELS:
                raise ConfigError(f"channel {channel!r} is unknown; a feed has bars and {', '.join(CHANNELS)}")
        if not watch.symbols or not all(isinstance(symbol, str) and symbol for symbol in watch.symbols):
            raise ConfigError(f"symbols is {symbols!r}; name at least one, such as 'BTC/USDT'")
        if not watch.bars and not watch.channels:
            raise ConfigError(f"nothing is asked for: give bars='1m' or channels= some of {', '.join(CHANNELS)}")
        return watch
