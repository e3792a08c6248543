"""What each kind of channel does: take a batch from the stream, and ask over REST what the stream did not say.

A channel knows how to turn a venue's answers into events, and nothing about when to ask or what to do when a connection
breaks: the `Supervisor` does.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final

from workbench.market.feeds.bar_tracker import BarTracker, Candle
from workbench.market.feeds.events import BarClosed, BookMoved, Event, GapFound, Levels, TickerMoved, TradePrinted
from workbench.market.feeds.feed import Tuning
from workbench.market.feeds.lines import Lines
from workbench.market.feeds.trade_tracker import Traded, TradeTracker
from workbench.market.timeframe import Timeframe

__all__ = ["BarsChannel", "BooksChannel", "Channel", "TickersChannel", "TradesChannel"]

_PAGE: Final = 1_000
_MINUTE_S: Final = 60.0


class Channel(ABC):
    """One thing that a feed tells, of one symbol.

    Attributes
    ----------
    name, symbol : str
        What it is; the symbol of own orders is "".
    group : str
        Channels of one group share a client.
    patience_s : float
        How long its stream may be silent before REST is asked.
    catches_up : bool
        Whether something is asked for over REST after every reconnect.
    """

    name: str
    group: str
    watched_by: str
    catches_up = False

    def __init__(self, lines: Lines, symbol: str, tuning: Tuning) -> None:
        self.lines, self.symbol, self.tuning = lines, symbol, tuning
        self.patience_s = tuning.quiet_intervals * tuning.interval_s
        self.latency_ms: int | None = None

    @property
    def streams(self) -> bool:
        """Whether the venue has a websocket for it."""
        return self.lines.can(self.watched_by)

    @abstractmethod
    async def watch(self) -> Any:
        """Wait for the next batch of the stream, as it comes; nothing is noted of it, so it may be thrown away."""

    @abstractmethod
    def heard(self, batch: Any) -> list[Event]:
        """Take a batch of the stream; give what is news."""

    @abstractmethod
    async def fill(self) -> list[Event]:
        """Ask over REST; give what is news."""

    def broke(self) -> None:  # noqa: B027 -- most have nothing to note
        """Note that the stream broke, or that nothing is streamed."""

    def settled(self) -> None:  # noqa: B027 -- as above
        """Note that what a reconnect may have let slip between must be asked for once more."""

    def gave_up(self) -> list[Event]:
        """Go on though REST does not answer; give what is told then."""
        return []

    def due_s(self) -> float | None:
        """Give the seconds until REST must be asked though the stream stands; None when it need not be."""
        return None

    def _received(self) -> int:
        return self.tuning.times.wall()

    def _time(self, given: Any, received: int) -> int:
        """Give the venue's time of something, or that of its arrival where it names none; and learn its clock."""
        if not isinstance(given, (int, float)):
            return received
        self.latency_ms = max(0, self.lines.now() - int(given))
        return int(given)


class BarsChannel(Channel):
    """Closed bars, each once and in order."""

    watched_by = "watchOHLCV"
    catches_up = True

    def __init__(
        self, lines: Lines, symbol: str, tuning: Tuning, *, timeframe: Timeframe, start: int | None = None
    ) -> None:
        super().__init__(lines, symbol, tuning)
        self.timeframe = timeframe
        self.name = self.group = f"bars {timeframe}"
        self.patience_s = tuning.quiet_intervals * min(timeframe.ms / 1_000, _MINUTE_S)
        # ccxt hands out the newest candles only, so the last form of one before may never be seen: without the venue's
        # mark, REST has the last word
        self._tracker = BarTracker(timeframe, start=start, grace_ms=tuning.grace_ms, flags=True)

    async def watch(self) -> Any:
        """Wait for candles."""
        client = await self.lines.stream(self.group)
        return await client.watch_ohlcv(self.symbol, str(self.timeframe))

    def heard(self, batch: Any) -> list[Event]:
        """Take candles; give the bars that are over."""
        told: list[Candle] = []
        for candle in self.lines.closed_candles(self.group, self.symbol, str(self.timeframe)):
            told += self._tracker.moved(candle, closed=True)
        for candle in _sound(batch):
            told += self._tracker.moved(candle)
        return self._bars(told, "stream")

    async def fill(self) -> list[Event]:
        """Ask for the bars that are over and were not told, a page at a time."""
        clock = await self.lines.clock()
        self._tracker.passed(clock)
        wanted = (0, 0) if self._tracker.next is None else self._tracker.wanted()
        if wanted is None:
            return []
        start, end = wanted
        limit = min(_PAGE, (end - start) // self.timeframe.ms + 2)
        rows = await self.lines.ask("fetch_ohlcv", self.symbol, str(self.timeframe), start or None, limit)
        return self._bars(self._tracker.answered(_sound(rows), start=start, clock_ms=clock), "rest")

    def broke(self) -> None:
        """Note that the candle seen last may have moved on unseen."""
        self._tracker.broke()

    def due_s(self) -> float | None:
        """Give the seconds until the next bar must be over by the venue's clock; 0 when one is missing already."""
        if self._tracker.next is None:
            return None
        if self._tracker.wanted() is not None:
            return 0.0
        over = self._tracker.next + self.timeframe.ms + self.tuning.grace_ms
        return max(0.0, (over - self.lines.now()) / 1_000)

    def _bars(self, candles: Sequence[Candle], source: str) -> list[Event]:
        received, length = self._received(), str(self.timeframe)
        holes: list[Event] = [
            GapFound(
                self.symbol, hole.start, received, self.name, hole.end, (hole.end - hole.start) // self.timeframe.ms,
                "the venue has no bars for this time",
            )
            for hole in self._tracker.holes()
        ]  # fmt: skip
        bars = [BarClosed(self.symbol, row.ts, received, length, *row[1:], source) for row in candles]
        return sorted([*holes, *bars], key=lambda event: event.ts)


class TickersChannel(Channel):
    """Best prices and the last one."""

    name = group = "tickers"
    watched_by = "watchTicker"
    _last: tuple[float | None, ...] = ()

    async def watch(self) -> Any:
        """Wait for the next ticker."""
        client = await self.lines.stream(self.group)
        return await client.watch_ticker(self.symbol)

    def heard(self, batch: Any) -> list[Event]:
        """Take a ticker."""
        return [self._event(batch)]

    async def fill(self) -> list[Event]:
        """Ask for the ticker; one that says what the last one said is no news."""
        before = self._last
        event = self._event(await self.lines.ask("fetch_ticker", self.symbol))
        return [event] if self._last != before else []

    def _event(self, ticker: dict[str, Any]) -> Event:
        received = self._received()
        ts = self._time(ticker.get("timestamp"), received)
        names = ("bid", "ask", "last", "bidVolume", "askVolume", "baseVolume")
        self._last = tuple(_number(ticker.get(name)) for name in names)
        return TickerMoved(self.symbol, ts, received, *self._last)


class TradesChannel(Channel):
    """Everybody's trades, each once; those of a break are asked for, and named as missing where nobody has them."""

    name = group = "trades"
    watched_by = "watchTrades"
    catches_up = True

    def __init__(self, lines: Lines, symbol: str, tuning: Tuning) -> None:
        super().__init__(lines, symbol, tuning)
        self._tracker = TradeTracker(consecutive=lines.consecutive)

    async def watch(self) -> Any:
        """Wait for trades."""
        client = await self.lines.stream(self.group)
        return await client.watch_trades(self.symbol)

    def heard(self, batch: Any) -> list[Event]:
        """Take trades; give those that can be told."""
        if batch:
            self._time(batch[-1].get("timestamp"), self._received())
        return self._events(self._tracker.moved(_trades(batch)))

    async def fill(self) -> list[Event]:
        """Ask for the trades since the last one that was told, a page at a time."""
        if not self._tracker.begun:
            self._tracker.begin(_trades(await self.lines.ask("fetch_trades", self.symbol, None, _PAGE)))
        last = self._tracker.wanted()
        if last is None:
            return []
        if self.lines.consecutive:
            rows = await self.lines.ask("fetch_trades", self.symbol, None, _PAGE, {"fromId": int(last.id)})
        else:
            rows = await self.lines.ask("fetch_trades", self.symbol, last.ts, _PAGE)
        full = len(rows) >= _PAGE or not self.lines.consecutive  # other venues' pages are of any length
        return self._events(self._tracker.answered(_trades(rows), full=full))

    def broke(self) -> None:
        """Note that trades may have happened unseen."""
        self._tracker.broke()

    def settled(self) -> None:
        """Note that trades between the last answer and the first message may be missing."""
        self._tracker.unsure()

    def gave_up(self) -> list[Event]:
        """Go on without the trades of a break."""
        return self._events(self._tracker.gave_up())

    def due_s(self) -> float | None:
        """Give 0 while trades are missing."""
        return None if self._tracker.wanted() is None else 0.0

    def _events(self, trades: Sequence[Traded]) -> list[Event]:
        received = self._received()
        lost: list[Event] = [
            GapFound(
                self.symbol, gap.start, received, self.name, gap.end, gap.missing,
                "the venue does not give the trades of this time any more",
            )
            for gap in self._tracker.lost()
        ]  # fmt: skip
        printed = [TradePrinted(self.symbol, trade.ts, received, trade.id, *trade[2:]) for trade in trades]
        return sorted([*lost, *printed], key=lambda event: event.ts)


class BooksChannel(Channel):
    """The order book, begun anew whenever it cannot be trusted."""

    name = group = "books"
    watched_by = "watchOrderBook"

    def __init__(self, lines: Lines, symbol: str, tuning: Tuning) -> None:
        super().__init__(lines, symbol, tuning)
        self._broken = False
        self._last: tuple[Levels, Levels] | None = None

    async def watch(self) -> Any:
        """Wait for the next book; None for one that does not fit its messages or is crossed, and is begun anew."""
        import ccxt

        client = await self.lines.stream(self.group)
        try:
            book = await client.watch_order_book(self.symbol)
        except ccxt.ChecksumError:
            self.broke()
            return None
        if book["bids"] and book["asks"] and book["bids"][0][0] >= book["asks"][0][0]:
            self.broke()
            await self.lines.reset(self.group, self.symbol)
            return None
        return book

    def heard(self, batch: Any) -> list[Event]:
        """Take a book."""
        return [] if batch is None else [self._event(batch)]

    async def fill(self) -> list[Event]:
        """Ask for the book; one that is as the last one was is no news."""
        before = self._last
        event = self._event(await self.lines.ask("fetch_order_book", self.symbol, self.tuning.levels))
        return [event] if self._last != before else []

    def broke(self) -> None:
        """Note that the next book is another one than the last."""
        self._broken = self._last is not None

    def _event(self, book: Any) -> BookMoved:
        received = self._received()
        ts = self._time(book.get("timestamp"), received)
        bids, asks = (
            tuple((float(level[0]), float(level[1])) for level in book[side][: self.tuning.levels])
            for side in ("bids", "asks")
        )
        resynced, self._broken, self._last = self._broken, False, (bids, asks)
        return BookMoved(self.symbol, ts, received, bids, asks, resynced)


def _sound(rows: Any) -> list[Candle]:
    candles = (Candle.read(row) for row in rows or ())
    return [candle for candle in candles if candle is not None]


def _trades(rows: Any) -> list[Traded]:
    """Take ccxt's trades; what has no id, time or price is left out, for nobody could tell it from another."""
    found = []
    for row in rows or ():
        ts, price, quantity = row.get("timestamp"), _number(row.get("price")), _number(row.get("amount"))
        if row.get("id") is not None and ts is not None and price is not None and quantity is not None:
            side = {"buy": 1, "sell": -1}.get(row.get("side"), 0)
            found.append(Traded(str(row["id"]), int(ts), price, quantity, side))
    return found


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
