"""What a runner hears of the market: bars in the order in which a mind is to hear them, and the last prices."""

from __future__ import annotations

import math
from typing import Any

from workbench.bots.mind import Mind
from workbench.market.feeds.events import BarClosed, BookMoved, GapFound, TickerMoved, TradePrinted
from workbench.trading.events import Bar, Event, Learnt, Marked, Opened, Tick

__all__ = ["Market"]


class Market:
    """Bars and prices of what one mind hears.

    Bars that close at the same time come one by one from a venue, and a mind is to know all of them before it is asked
    about any: they are gathered, for a while.

    Parameters
    ----------
    mind : Mind
    gather_ms : int
        How long is waited for bars that close together.

    Attributes
    ----------
    late : list of Bar
        Those that came too late to act on, since this was last emptied.
    """

    def __init__(self, mind: Mind, gather_ms: int) -> None:
        plan = mind.plan
        self._mind, self._gather = mind, gather_ms
        self.symbols = tuple(line.bars.symbol for line in plan.lines)
        extra = sorted(plan.extra, key=lambda one: -one.timeframe.ms)
        self._lengths = {
            (one.symbol, str(one.timeframe)): one.timeframe.ms for one in (*extra, *(line.bars for line in plan.lines))
        }
        self._order = {key: place for place, key in enumerate(self._lengths)}
        self._gaps: dict[tuple[str, str], int] = {}
        self._pending: dict[tuple[str, str], dict[int, tuple[int, Bar]]] = {key: {} for key in self._lengths}
        self._tickers: dict[str, TickerMoved] = {}
        self._trades: dict[str, TradePrinted] = {}
        self._books: dict[str, BookMoved] = {}
        self._closes: dict[str, float] = {}
        self._told: dict[str, tuple[int, float]] = {}
        self.late: list[Bar] = []

    # bars

    def starts(self, now: int, bars: int) -> dict[str, int]:
        """Give from when on bars of each length are wanted (ms UTC): since the last known, or so many for a new bot."""
        found: dict[str, int] = {}
        for key, length in self._lengths.items():
            last = self._mind.closed(*key)
            start = last + length if last >= 0 else max(0, (now // length - bars) * length)
            found[key[1]] = min(start, found.get(key[1], start))
        return found

    def caught_up(self, now: int) -> bool:
        """Tell whether all bars that have closed are known."""
        return all(self._known(key) + 2 * length > now for key, length in self._lengths.items())

    def _known(self, key: tuple[str, str]) -> int:
        return max(self._mind.closed(*key), self._gaps.get(key, -1))

    def closed(self, event: BarClosed, now: int) -> None:
        """Take a bar that is over."""
        key = (event.symbol, event.timeframe)
        if key in self._lengths and event.ts > self._mind.closed(*key):
            bar = Bar(
                event.symbol, event.ts, event.ts + self._lengths[key], event.open, event.high, event.low, event.close,
                event.volume, event.timeframe,
            )  # fmt: skip
            self._pending[key].setdefault(event.ts, (now, bar))
            self._closes[event.symbol] = event.close

    def gap(self, event: GapFound) -> None:
        """Take it that bars are missing for good."""
        key = (event.symbol, event.channel.removeprefix("bars "))
        if key in self._lengths:
            self._gaps[key] = max(self._gaps.get(key, -1), event.upto - self._lengths[key])

    def learnt(self) -> list[Event]:
        """Give the bars that wait as history, of each series in order."""
        found: list[Event] = []
        for waiting in self._pending.values():
            found += [Learnt(*bar) for _, (_, bar) in sorted(waiting.items())]
            waiting.clear()
        return found

    def ready(self, now: int) -> list[Event]:
        """Give the bars whose time has come, as the mind is to hear them; what follows from them is decided after."""
        closes = min((bar.closes for one in self._pending.values() for _, bar in one.values()), default=None)
        if closes is None:
            return []
        group = [
            (came, key, bar) for key, one in self._pending.items() for came, bar in one.values() if bar.closes == closes
        ]
        missing = any(
            self._known(key) + 2 * length <= closes and key not in {other for _, other, _ in group}
            for key, length in self._lengths.items()
        )
        if missing and now < min(came for came, _, _ in group) + self._gather:
            return []
        for _, key, bar in group:
            del self._pending[key][bar.ts]
        group.sort(key=lambda one: self._order[one[1]])
        bars = [bar for _, _, bar in group]
        if all(now >= bar.closes + self._lengths[bar.symbol, bar.timeframe] for bar in bars):
            self.late += bars
            return [Learnt(*bar) for bar in bars]
        several: list[Event] = [Learnt(*bar) for bar in bars] if len(bars) > 1 else []
        return [*several, *bars]

    # prices

    def ticked(self, event: TickerMoved | TradePrinted | BookMoved) -> None:
        """Take the last prices, a trade, or the order book."""
        if isinstance(event, TickerMoved):
            self._tickers[event.symbol] = event
        elif isinstance(event, TradePrinted):
            self._trades[event.symbol] = event
        else:
            self._books[event.symbol] = event

    def price(self, symbol: str) -> float:
        """Give the last price that is known; NaN before the first."""
        ticker = self._tickers.get(symbol)
        if ticker is not None and ticker.last is not None:
            return ticker.last
        trade = self._trades.get(symbol)
        return trade.price if trade is not None else self._closes.get(symbol, math.nan)

    def opened(self, now: int) -> list[Event]:
        """Give the word that lets decisions go at the last prices: what leaves before what enters."""
        prices = {name: price for name in self.symbols if 0.0 < (price := self.price(name)) < math.inf}
        if len(prices) < 2:
            return [Opened(now, prices)] if prices else []
        entries: list[Event] = [Opened(now, {name: price}, leaves=False) for name, price in prices.items()]
        return [Opened(now, prices, entries=False), *entries]

    def marks(self, now: int, pause_ms: int) -> list[Event]:
        """Give the prices that have moved, each at most once in a while: a trade where trades are told."""
        found: list[Event] = []
        for symbol in self.symbols:
            at, before = self._told.get(symbol, (-pause_ms, math.nan))
            price, trade = self.price(symbol), self._trades.get(symbol)
            if now < at + pause_ms or price == before or not 0.0 < price < math.inf:
                continue
            self._told[symbol] = (now, price)
            side = {1: "buy", -1: "sell"}.get(trade.side, "") if trade is not None else ""
            found.append(
                Marked(now, symbol, price)
                if trade is None
                else Tick(symbol, max(trade.ts, self._mind.core.now), trade.price, trade.quantity, side)
            )
        return found

    def snapshot(self, symbol: str) -> dict[str, Any]:
        """Give the market of a symbol at this moment as plain data, for the log: prices, and the spread in bps."""
        ticker, book = self._tickers.get(symbol), self._books.get(symbol)
        bid, ask, at = (ticker.bid, ticker.ask, ticker.ts) if ticker is not None else (None, None, None)
        if book is not None and book.bids and book.asks:  # some venues' tickers have no best prices
            bid, ask, at = book.bids[0][0], book.asks[0][0], book.ts
        spread = (ask - bid) / ((ask + bid) / 2.0) * 10_000.0 if bid and ask else None
        last = self.price(symbol)
        return {"symbol": symbol, "bid": bid, "ask": ask, "spread_bps": spread, "last": last, "quoted_at": at}
