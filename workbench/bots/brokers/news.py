"""News of our own orders and fills: the user stream, supervised as a feed's is, polled where there is none.

The channels are those of a live feed, with two differences: what the stream says is passed on whole (the clerk knows
what is news), and orders that wait for a trigger are asked for too where a venue keeps them apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from workbench.bots.brokers.paging import fills_since
from workbench.bots.brokers.register import Register
from workbench.bots.brokers.wire import Wire
from workbench.market.feeds.channels_private import FillsChannel, OrdersChannel, read_fills, read_orders
from workbench.market.feeds.feed import Tuning
from workbench.market.feeds.health import ChannelHealth, FeedHealth
from workbench.market.feeds.outbox import Outbox
from workbench.market.feeds.supervisor import Supervisor

__all__ = ["News", "Told"]


class Told(NamedTuple):
    """A row of ccxt's that is news: `what` is "order" or "fill"."""

    what: str
    row: Mapping[str, Any]
    symbol: str = ""


class _Orders(OrdersChannel):
    """Changes of our orders, as ccxt's rows."""

    lines: Wire

    def __init__(self, lines: Wire, symbols: Sequence[str], tuning: Tuning, register: Register) -> None:
        super().__init__(lines, symbols, tuning)
        self._register = register

    def heard(self, batch: Any) -> list[Any]:
        """Take orders of the stream; all of them are passed on."""
        rows = list(batch or ())
        self.tracker.moved(read_orders(rows, self._received()))
        return [Told("order", row) for row in rows]

    async def fill(self) -> list[Any]:
        """Ask for what is open, and what became of what was; give what changed."""
        rows: list[Any] = []
        for symbol in self.symbols:
            rows += await self._rows(symbol)
        by_id = {str(row["id"]): row for row in rows}
        moved = self.tracker.moved(read_orders(rows, self._received()))
        return [Told("order", by_id[state.id]) for state in moved]

    async def _rows(self, symbol: str) -> list[Any]:
        """Ask for the orders of a symbol."""
        apart = self.lines.offers(symbol).apart
        # an order that was sent and filled while nobody listened was never open here
        before = {*self.tracker.open_ids(symbol), *self._register.alive(symbol)}
        rows = list(await self.lines.ask("fetch_open_orders", symbol))
        if apart:
            rows += await self.lines.ask("fetch_open_orders", symbol, None, None, {"trigger": True})
        seen = {str(row["id"]) for row in rows}
        for name in sorted(before):
            if name not in seen:
                rows += await self._ended(name, symbol, apart)
        return rows

    async def _ended(self, name: str, symbol: str, apart: bool) -> list[Any]:
        """Ask what became of an order that is no longer open; nothing where the venue has forgotten it."""
        import ccxt

        for params in ({}, {"trigger": True}) if apart else ({},):
            with suppress(ccxt.OrderNotFound):
                row = await self.lines.ask("fetch_order", name, symbol, params)
                return [{**row, "id": name}]
        return []


class _Fills(FillsChannel):
    """Our fills, as ccxt's rows."""

    lines: Wire

    def heard(self, batch: Any) -> list[Any]:
        """Take fills of the stream; all of them are passed on."""
        rows = list(batch or ())
        self.tracker.moved(read_fills(rows))
        return [Told("fill", row) for row in rows]

    async def fill(self) -> list[Any]:
        """Ask for the fills since the last one, with some overlap; give those that are news."""
        told: list[Any] = []
        for symbol in self.symbols:
            rows = await fills_since(self.lines.ask, self.lines, symbol, await self.since(self.tracker.last(symbol)))
            by_id = {str(row["id"]): row for row in rows}
            told += [Told("fill", by_id[fill.id]) for fill in self.tracker.moved(read_fills(rows))]
        return told


_AGAIN_S: Final = 0.5


class News:
    """What keeps the channels alive, and the queue that they fill.

    Parameters
    ----------
    wire : Wire
    register : Register
        Whose orders are asked for when the stream was away.
    tuning : Tuning
    """

    def __init__(self, wire: Wire, register: Register, tuning: Tuning) -> None:
        self._wire, self._register, self._tuning = wire, register, tuning
        self._health = FeedHealth(times=tuning.times)
        self._outbox = Outbox(room=tuning.room)
        self._tasks: list[asyncio.Task[None]] = []
        self._failure: BaseException | None = None

    @property
    def health(self) -> dict[str, Any]:
        """How the connections are, as plain data; see `FeedHealth.plain`."""
        self._health.waiting = len(self._outbox)
        return self._health.plain()

    def start(self) -> None:
        """Begin to listen."""
        wire, tuning = self._wire, self._tuning
        for channel in (_Orders(wire, wire.symbols, tuning, self._register), _Fills(wire, wire.symbols, tuning)):
            health = ChannelHealth(channel=channel.name, symbol="")
            self._health.channels.append(health)
            run = Supervisor(channel, self._outbox, health, self._tuning).run()
            self._tasks.append(asyncio.create_task(self._guarded(run), name=f"news {channel.name}"))

    async def _guarded(self, run: Any) -> None:
        try:
            await run
        except Exception as error:
            self._failure = self._failure or error
            await self._outbox.close()  # whoever reads gets what waits, then the failure

    async def told(self) -> AsyncIterator[Told]:
        """Give what is told, until it is stopped.

        Raises
        ------
        BrokerFatal
            The venue refuses the key.
        """
        while True:
            event: Any = await self._outbox.get()
            if event is None:
                if self._failure is not None:
                    raise self._failure
                return
            if isinstance(event, Told):  # the others tell of the connection, which `health` shows
                yield event

    async def again(self, told: Told) -> None:
        """Tell something once more."""
        await self._outbox.put(told)  # type: ignore[arg-type]

    async def stop(self) -> None:
        """Stop listening."""
        while left := {task for task in self._tasks if not task.done()}:
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=_AGAIN_S)  # a cancel can get lost below us: then once more
        for channel in self._health.channels:
            channel.state = "closed"
        await self._outbox.close()
