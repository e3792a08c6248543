"""A live feed: any venue that ccxt knows, over its websockets where it has them, over REST where not.

The feed opens its clients (`Lines`), makes a channel for each thing that was asked for, lets a `Supervisor` keep each
alive, and hands out what they tell in one order (`Outbox`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from workbench.errors import ConfigError
from workbench.market.feeds.channels import BarsChannel, BooksChannel, Channel, TickersChannel, TradesChannel
from workbench.market.feeds.channels_private import FillsChannel, OrdersChannel
from workbench.market.feeds.events import Event
from workbench.market.feeds.feed import Access, Tuning, Watch
from workbench.market.feeds.health import ChannelHealth, FeedHealth
from workbench.market.feeds.lines import Lines
from workbench.market.feeds.outbox import Outbox
from workbench.market.feeds.supervisor import Supervisor

__all__ = ["CcxtFeed"]


class CcxtFeed:
    """Events of a venue as they happen.

    Parameters
    ----------
    venue : str
        ccxt's name, such as "binance".
    watch : Watch
        What to tell.
    access : Access, optional
        The route to a practice exchange, and the key for own orders.
    tuning : Tuning, optional
        How patient it is.

    Raises
    ------
    ConfigError
        Own orders are asked for without a key. When it is opened: the venue, a symbol or a timeframe is unknown.
    DataError
        When it is opened: the venue does not answer.
    BrokerFatal
        While it is read: the venue refuses the key.

    Notes
    -----
    Every closed bar is told once and in order, whatever happens to the connection. A bar that is missing holds back
    those after it until REST has said whether the venue has it; the order between symbols, and between bars, orders and
    the rest, is that of arrival.
    """

    def __init__(self, venue: str, watch: Watch, *, access: Access | None = None, tuning: Tuning | None = None) -> None:
        self.watch = watch
        self._access, self._tuning = access or Access(), tuning or Tuning()
        if "orders" in watch.channels and not (self._access.key and self._access.secret):
            raise ConfigError(f"own orders at {venue} need a key: give access=Access(key=…, secret=…)")
        self._lines = Lines(venue, watch.symbols, self._access, self._tuning)
        self._health = FeedHealth(times=self._tuning.times)
        self._outbox: Outbox | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._failure: BaseException | None = None

    def __repr__(self) -> str:
        return f"<CcxtFeed {self.name}: {', '.join(self.watch.symbols)}, {self._health.plain()['state']}>"

    @property
    def name(self) -> str:
        """The venue's name, as its data is stored."""
        return self._lines.name

    @property
    def health(self) -> dict[str, Any]:
        """How the feed is, as plain data; see `FeedHealth.plain`."""
        self._health.waiting = 0 if self._outbox is None else len(self._outbox)
        return self._health.plain()

    async def __aenter__(self) -> Self:
        if self._outbox is not None:
            raise ConfigError(f"the feed of {self.name} was opened before; make a new one")
        await self._lines.__aenter__()
        try:
            for symbol in self.watch.symbols:
                self._lines.check_symbol(symbol)
            for length in self.watch.bars:
                self._lines.check_timeframe(str(length))
        except BaseException:
            await self._lines.__aexit__()
            raise
        self._outbox = Outbox(room=self._tuning.room, trades=self._tuning.trades)
        for channel in self._channels():
            self._start(channel, self._outbox)
        return self

    def _channels(self) -> list[Channel]:
        lines, tuning, watch = self._lines, self._tuning, self.watch
        channels: list[Channel] = [
            BarsChannel(lines, symbol, tuning, timeframe=length, start=watch.start)
            for length in watch.bars
            for symbol in watch.symbols
        ]
        for name, kind in (("tickers", TickersChannel), ("trades", TradesChannel), ("books", BooksChannel)):
            if name in watch.channels:
                channels += [kind(lines, symbol, tuning) for symbol in watch.symbols]
        if "orders" in watch.channels:
            channels += [OrdersChannel(lines, watch.symbols, tuning), FillsChannel(lines, watch.symbols, tuning)]
        return channels

    def _start(self, channel: Channel, outbox: Outbox) -> None:
        health = ChannelHealth(channel=channel.name, symbol=channel.symbol)
        self._health.channels.append(health)
        run = Supervisor(channel, outbox, health, self._tuning).run()
        task = asyncio.create_task(self._guarded(run, outbox), name=f"feed {channel.name} {channel.symbol}")
        self._tasks.append(task)

    async def _guarded(self, run: Any, outbox: Outbox) -> None:
        try:
            await run
        except Exception as error:
            self._failure = self._failure or error
            await outbox.close()  # whoever reads gets what waits, then the failure

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        for channel in self._health.channels:
            channel.state = "closed"
        if self._outbox is not None:
            await self._outbox.close()
        await self._lines.__aexit__()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        if self._outbox is None:
            raise ConfigError(f"the feed of {self.name} is not open: write `async with feed:` around the loop")
        event = await self._outbox.get()
        if event is None:
            if self._failure is not None:
                raise self._failure
            raise StopAsyncIteration
        return event
