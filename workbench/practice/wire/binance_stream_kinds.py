"""The kinds of Binance's market streams: trades, candles, tickers, books, mark prices."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from workbench.market.timeframe import Timeframe
from workbench.practice.markets.market import Print
from workbench.practice.wire.binance_book import Difference, best_of
from workbench.practice.wire.binance_errors import BinanceError
from workbench.practice.wire.binance_words import INTERVALS, Pair, dump, money
from workbench.practice.wire.protocol import Socket

if TYPE_CHECKING:
    from workbench.practice.wire.binance import Binance
    from workbench.practice.wire.binance_streams import MarketStreams

__all__ = ["DepthStream", "Stream", "make_stream"]

_CANDLE_MS: Final = 250
_BOOK_MS: Final = 100
_TICKER_MS: Final = 1_000
_NEVER: Final = -(1 << 60)
Event = dict[str, Any]


class Stream(ABC):
    """One stream of one or all symbols, to all that listen to it.

    Parameters
    ----------
    venue : Binance
    name : str
    pairs : list of Pair
    interval_ms : int
        At most so often, by the exchange's clock, does it say something.
    """

    def __init__(self, venue: Binance, name: str, pairs: list[Pair], interval_ms: int = 0) -> None:
        self.venue, self.name, self.pairs = venue, name, pairs
        self.listeners: dict[Socket, bool] = {}
        self._interval = interval_ms
        self._changed: dict[str, Pair] = {}
        self._sent = _NEVER

    def printed(self, pair: Pair, one: Print) -> None:
        """Take note of a trade."""
        self._changed[pair.symbol] = pair
        self.passed(one.ts)

    def passed(self, now: int) -> None:
        """Say what is due at a time."""
        if self._changed and now - self._sent >= self._interval:
            pairs, self._changed, self._sent = list(self._changed.values()), {}, now
            self.tell(pairs, now)

    @abstractmethod
    def tell(self, pairs: list[Pair], now: int) -> None:
        """Say what is new of symbols."""

    def send(self, event: Event | list[Event]) -> None:
        """Send something to all that listen."""
        plain = dump(event)
        for socket, combined in tuple(self.listeners.items()):
            socket.send(f'{{"stream":"{self.name}","data":{plain}}}' if combined else plain, self.name)


class TradeStream(Stream):
    """Every trade, as it is or as an aggregate of one."""

    def printed(self, pair: Pair, one: Print) -> None:
        """Send the trade, unless it is a price without one."""
        if one.quantity <= 0.0:
            return
        event: Event = {"e": "trade", "E": one.ts, "s": pair.id}
        amounts = {"p": pair.price(one.price), "q": pair.quantity(one.quantity)}
        if self.name.endswith("@aggTrade"):
            event |= {"e": "aggTrade", "a": one.id, **amounts, "f": one.id, "l": one.id}
        else:
            event |= {"t": one.id, **amounts}
        event |= {"T": one.ts, "m": one.side == "sell"}
        self.send(event | ({"X": "MARKET"} if self.venue.futures else {"M": True}))

    def tell(self, pairs: list[Pair], now: int) -> None:
        """Nothing: all is said with the trade."""


class CandleStream(Stream):
    """The candle that is open, and each one once more when it has closed."""

    def __init__(self, venue: Binance, name: str, pair: Pair, interval: str) -> None:
        super().__init__(venue, name, [pair], _CANDLE_MS)
        self._interval_name = interval
        self._frame: Timeframe = INTERVALS[interval]
        now, found = venue.engine.now, venue.engine.candles(pair.symbol, self._frame, limit=1)
        opened = int(found.ts[-1]) if len(found.ts) else _NEVER
        self._open: int | None = opened if now < opened + self._frame.ms else None

    def printed(self, pair: Pair, one: Print) -> None:
        """Close the candle before, if the trade is of the next one."""
        self._close(one.ts)
        self._open = self._frame.floor(one.ts)
        super().printed(pair, one)

    def passed(self, now: int) -> None:
        """Close the candle once its time is over."""
        self._close(now)
        super().passed(now)

    def tell(self, pairs: list[Pair], now: int) -> None:
        """Say how the open candle stands."""
        if self._open is not None:
            self._say(self._open, now, closed=False)

    def _close(self, now: int) -> None:
        if self._open is not None and now >= self._open + self._frame.ms:
            opened, self._open = self._open, None
            self._changed.clear()
            self._say(opened, now, closed=True)

    def _say(self, opened: int, now: int, *, closed: bool) -> None:
        pair, engine = self.pairs[0], self.venue.engine
        found = engine.candles(pair.symbol, self._frame, start=opened, end=opened, limit=1)
        if not len(found.ts):
            return
        o, h, l, c, v, q, trades, tv, tq = (column[0].item() for column in found[1:])  # noqa: E741
        last = engine.trades(pair.symbol, end=opened + self._frame.ms - 1, limit=1)
        number = last[0].id if last and trades else -1
        self.send(
            {
                "e": "kline", "E": now, "s": pair.id,
                "k": {
                    "t": opened, "T": opened + self._frame.ms - 1, "s": pair.id, "i": self._interval_name,
                    "f": number - trades + 1 if trades else -1, "L": number, "o": pair.price(o), "c": pair.price(c),
                    "h": pair.price(h), "l": pair.price(l), "v": pair.quantity(v), "n": trades, "x": closed,
                    "q": money(q), "V": pair.quantity(tv), "Q": money(tq), "B": "0",
                },
            }
        )  # fmt: skip


class TickerStream(Stream):
    """Statistics of 24 hours, long or short, of one symbol or of all that changed."""

    def tell(self, pairs: list[Pair], now: int) -> None:
        """Send them."""
        events = [self._event(pair, now) for pair in pairs]
        if self.name.startswith("!"):
            self.send(events)
        else:
            self.send(events[0])

    def _event(self, pair: Pair, now: int) -> Event:
        one, price, quantity = self.venue.engine.ticker(pair.symbol), pair.price, pair.quantity
        event: Event = {
            "e": "24hrMiniTicker", "E": now, "s": pair.id, "c": price(one.last), "o": price(one.open),
            "h": price(one.high), "l": price(one.low), "v": quantity(one.volume), "q": money(one.quote_volume),
        }  # fmt: skip
        if "miniTicker" in self.name:
            return event
        event |= {
            "e": "24hrTicker", "p": price(round(one.change, 8)), "P": f"{one.change_fraction * 100:.3f}",
            "w": money(one.average), "Q": quantity(one.last_quantity), "O": one.opened, "C": one.ts,
            "F": one.first_id, "L": one.last_id, "n": one.trades,
        }  # fmt: skip
        if not self.venue.futures:
            event |= {
                "x": price(one.previous_close), "b": price(one.bid), "B": quantity(one.bid_quantity),
                "a": price(one.ask), "A": quantity(one.ask_quantity),
            }  # fmt: skip
        return event


class BestStream(Stream):
    """The best bid and ask, whenever one of them changes."""

    def __init__(self, venue: Binance, name: str, pairs: list[Pair]) -> None:
        super().__init__(venue, name, pairs)
        self._told: dict[str, Any] = {}

    def tell(self, pairs: list[Pair], now: int) -> None:
        """Send what changed."""
        for pair in pairs:
            bid, ask, number = best_of(self.venue.engine, pair.symbol)
            if self._told.get(pair.symbol) == (bid, ask):
                continue
            self._told[pair.symbol] = bid, ask
            event: Event = {
                "u": number, "s": pair.id, "b": pair.price(bid[0]), "B": pair.quantity(bid[1]),
                "a": pair.price(ask[0]), "A": pair.quantity(ask[1]),
            }  # fmt: skip
            self.send(event | ({"e": "bookTicker", "E": now, "T": now} if self.venue.futures else {}))


class DepthStream(Stream):
    """What changes in a book, or its best levels; it is the book that says when."""

    def __init__(self, venue: Binance, streams: MarketStreams, name: str, pair: Pair, levels: int) -> None:
        super().__init__(venue, name, [pair], _BOOK_MS)
        self._streams, self._levels = streams, levels
        streams.book(pair)

    def tell(self, pairs: list[Pair], now: int) -> None:
        """Have the book look again."""
        self._streams.book(pairs[0])

    def differs(self, pair: Pair, found: Difference) -> None:
        """Send a difference of the book, or what stands at its top now."""
        if self._levels:
            self.send(self._top(pair, found))
            return
        event = self._update(found, "depthUpdate", pair)
        self.send(event | {"b": _levels(pair, found.bids), "a": _levels(pair, found.asks)})

    def _top(self, pair: Pair, found: Difference) -> Event:
        book = self._streams.book(pair)
        bids, asks = _levels(pair, book.bids[: self._levels]), _levels(pair, book.asks[: self._levels])
        if self.venue.futures:
            return self._update(found, "depthUpdate", pair) | {"b": bids, "a": asks}
        return {"lastUpdateId": book.number, "bids": bids, "asks": asks}

    def _update(self, found: Difference, kind: str, pair: Pair) -> Event:
        now = self.venue.engine.now
        event: Event = {"e": kind, "E": now, "s": pair.id, "U": found.first, "u": found.last}
        return event | ({"T": now, "pu": found.before} if self.venue.futures else {})


class MarkStream(Stream):
    """The mark price, again and again, with the funding that comes next."""

    def passed(self, now: int) -> None:
        """Send it when its time has come, whether it changed or not."""
        self._changed = {pair.symbol: pair for pair in self.pairs}
        super().passed(now)

    def tell(self, pairs: list[Pair], now: int) -> None:
        """Send it."""
        events = [self._event(pair, now) for pair in pairs]
        self.send(events if self.name.startswith("!") else events[0])

    def _event(self, pair: Pair, now: int) -> Event:
        engine = self.venue.engine
        due, rate = engine.next_funding(pair.symbol)
        mark, index = engine.mark(pair.symbol), engine.index(pair.symbol)
        return {
            "e": "markPriceUpdate", "E": now, "s": pair.id, "p": money(mark), "i": money(index), "P": money(mark),
            "r": money(rate), "T": due,
        }  # fmt: skip


class SilentStream(Stream):
    """A stream that exists and of which nothing is ever said here, such as other people's liquidations."""

    def tell(self, pairs: list[Pair], now: int) -> None:
        """Nothing."""


def _levels(pair: Pair, side: Iterable[tuple[float, float]]) -> list[list[str]]:
    return [[pair.price(price), pair.quantity(quantity)] for price, quantity in side]


_Maker = Callable[["Binance", "MarketStreams", str, Pair, str], Stream]
_KINDS: Final[tuple[tuple[str, bool | None, _Maker], ...]] = (
    (r"trade|aggTrade", None, lambda venue, _, name, pair, kind: TradeStream(venue, name, [pair])),
    (r"kline_\w+", None, lambda venue, _, name, pair, kind: CandleStream(venue, name, pair, kind[6:])),
    (r"miniTicker|ticker", None, lambda venue, _, name, pair, kind: TickerStream(venue, name, [pair], _TICKER_MS)),
    (r"bookTicker", None, lambda venue, streams, name, pair, kind: BestStream(venue, name, [pair])),
    (
        r"depth(5|10|20)?(@(100|250|500|1000)ms)?",
        None,
        lambda venue, streams, name, pair, kind: DepthStream(
            venue, streams, name, pair, int(kind.partition("@")[0][5:] or 0)
        ),
    ),
    (
        r"markPrice(@[13]s)?",
        True,
        lambda venue, _, name, pair, kind: MarkStream(venue, name, [pair], 1_000 if kind.endswith("@1s") else 3_000),
    ),
    (r"forceOrder", True, lambda venue, _, name, pair, kind: SilentStream(venue, name, [pair])),
)


def make_stream(venue: Binance, streams: MarketStreams, name: str) -> Stream | None:
    """Make a stream by its name; None for a symbol that is not traded.

    Raises
    ------
    BinanceError
        There is no such stream.
    """
    symbol, at, kind = name.partition("@")
    if symbol.startswith("!"):
        return _of_all(venue, streams, name)
    for pattern, futures, maker in _KINDS:
        if at and futures in (None, venue.futures) and re.fullmatch(pattern, kind):
            if kind.startswith("kline_") and kind[6:] not in INTERVALS:
                break
            pair = venue.pairs.get(symbol.upper())
            return maker(venue, streams, name, pair, kind) if pair is not None and symbol.islower() else None
    raise BinanceError(2, f"Invalid request: there is no stream {name!r}")


def _of_all(venue: Binance, streams: MarketStreams, name: str) -> Stream:
    pairs = list(venue.pairs.values())
    if name in ("!miniTicker@arr", "!ticker@arr"):
        return TickerStream(venue, name, pairs, _TICKER_MS)
    if name == "!bookTicker":
        return BestStream(venue, name, pairs)
    if venue.futures and re.fullmatch(r"!markPrice@arr(@[13]s)?", name):
        return MarkStream(venue, name, pairs, 1_000 if name.endswith("@1s") else 3_000)
    if venue.futures and name == "!forceOrder@arr":
        return SilentStream(venue, name, pairs)
    raise BinanceError(2, f"Invalid request: there is no stream {name!r}")
