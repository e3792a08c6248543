"""Where events wait for a slow consumer: bounded, and with a rule for each kind of what happens when it is full.

- bars, orders, fills, gaps and connection changes are never dropped: whoever has a new one waits until there is room. A
  channel that waited too long for its stream's cache finds out and asks over REST;
- tickers and books keep only the latest of each symbol;
- trades are dropped, oldest first, beyond their own limit, and a `GapFound` with their number is told in their place.

Events come out in the order in which they went in.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque

from workbench.market.feeds.events import BookMoved, Event, GapFound, TickerMoved, TradePrinted

__all__ = ["Outbox"]


class Outbox:
    """The queue between a feed's channels and its consumer; for one event loop.

    Parameters
    ----------
    room : int
        Events that are never dropped that may wait.
    trades : int
        Trades that may wait.
    """

    def __init__(self, *, room: int = 10_000, trades: int = 100_000) -> None:
        self._room, self._trades = room, trades
        self._waiting: OrderedDict[int, Event] = OrderedDict()
        self._number = 0
        self._latest: dict[tuple[type[Event], str], int] = {}
        self._traded: deque[int] = deque()
        self._kept = 0
        self._dropped: dict[str, tuple[TradePrinted, TradePrinted, int]] = {}
        self._changed = asyncio.Condition()
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    async def put(self, event: Event) -> None:
        """Add an event; wait for room where its kind is never dropped."""
        async with self._changed:
            if isinstance(event, (TickerMoved, BookMoved)):
                self._put_latest(event)
            elif isinstance(event, TradePrinted):
                self._put_trade(event)
            else:
                await self._changed.wait_for(lambda: self._kept < self._room or self._closed)
                if self._closed:
                    return
                self._kept += 1
                self._add(event)
            self._changed.notify_all()

    async def get(self) -> Event | None:
        """Take the oldest event, waiting for one; None when the box is closed and empty."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return None
            number, event = self._waiting.popitem(last=False)
            if isinstance(event, (TickerMoved, BookMoved)):
                self._latest.pop((type(event), event.symbol), None)
            elif isinstance(event, TradePrinted):
                self._traded.popleft()
                if event.symbol in self._dropped:
                    return self._drop_note(number, event)
            else:
                self._kept -= 1
                self._changed.notify_all()
            return event

    async def close(self) -> None:
        """Take no more events; those that wait can still be taken."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _add(self, event: Event) -> int:
        self._number += 1
        self._waiting[self._number] = event
        return self._number

    def _put_latest(self, event: TickerMoved | BookMoved) -> None:
        key = (type(event), event.symbol)
        if key in self._latest:
            older = self._waiting.pop(self._latest[key])
            if isinstance(event, BookMoved) and isinstance(older, BookMoved):
                event = event._replace(resynced=event.resynced or older.resynced)
        self._latest[key] = self._add(event)

    def _put_trade(self, event: TradePrinted) -> None:
        if len(self._traded) >= self._trades:
            oldest = self._waiting.pop(self._traded.popleft())
            if isinstance(oldest, TradePrinted):
                first, _, count = self._dropped.get(oldest.symbol, (oldest, oldest, 0))
                self._dropped[oldest.symbol] = (first, oldest, count + 1)
        self._traded.append(self._add(event))

    def _drop_note(self, number: int, event: TradePrinted) -> GapFound:
        """Tell how many trades were dropped before this one, which waits for the next call at its old place."""
        first, last, count = self._dropped.pop(event.symbol)
        self._waiting[number] = event
        self._waiting.move_to_end(number, last=False)
        self._traded.appendleft(number)
        reason = f"the consumer was slow: {count:,} trades were dropped, because {self._trades:,} were waiting"
        return GapFound(event.symbol, first.ts, last.received, "trades", last.ts + 1, count, reason)
