"""Binance's market streams: who listens to what, and what a trade or the passing of time makes of each.

A stream is made when the first listens to it and goes with the last. Nothing is sent that a request at the same moment
would not give: streams are made of the engine's answers, so a candle that has closed is the one that REST tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.practice.engine_messages import Printed
from workbench.practice.wire.binance_book import Book
from workbench.practice.wire.binance_stream_kinds import DepthStream, Stream, make_stream
from workbench.practice.wire.binance_words import Pair
from workbench.practice.wire.protocol import Socket

if TYPE_CHECKING:
    from workbench.practice.wire.binance import Binance

__all__ = ["MarketStreams"]


class MarketStreams:
    """All market streams of a venue.

    Parameters
    ----------
    venue : Binance
    """

    def __init__(self, venue: Binance) -> None:
        self._venue = venue
        self._streams: dict[str, Stream] = {}
        self._of_symbol: dict[str, list[Stream]] = {}
        self._books: dict[str, Book] = {}

    def book(self, pair: Pair) -> Book:
        """Give the book of a symbol as it is now; who listens to its changes has been told of them."""
        book = self._books.get(pair.symbol)
        if book is None:
            book = self._books[pair.symbol] = Book(self._venue.engine, pair.symbol)
        found = book.update()
        if found is not None:
            for stream in self._of_symbol.get(pair.symbol, ()):
                if isinstance(stream, DepthStream):
                    stream.differs(pair, found)
        return book

    def subscribe(self, name: str, socket: Socket, *, combined: bool) -> None:
        """Begin to send a stream; BinanceError for a name that none has. `combined`: with the stream's name around."""
        stream = self._streams.get(name)
        if stream is None:
            stream = make_stream(self._venue, self, name)
            if stream is None:  # a symbol that is not traded: nothing will ever be sent of it
                return
            self._streams[name] = stream
            for pair in stream.pairs:
                self._of_symbol.setdefault(pair.symbol, []).append(stream)
                self._venue.engine.watch(pair.symbol)
        stream.listeners[socket] = combined

    def unsubscribe(self, name: str, socket: Socket) -> None:
        """End that; nothing happens where it was not sent."""
        stream = self._streams.get(name)
        if stream is None:
            return
        stream.listeners.pop(socket, None)
        if not stream.listeners:
            del self._streams[name]
            for pair in stream.pairs:
                self._of_symbol[pair.symbol].remove(stream)
                self._venue.engine.unwatch(pair.symbol)

    def heard(self, message: Any) -> None:
        """Take a message of the engine."""
        if isinstance(message, Printed):
            pair = self._venue.by_symbol.get(message.symbol)
            if pair is not None:
                for stream in tuple(self._of_symbol.get(message.symbol, ())):
                    stream.printed(pair, message.print)

    def moved(self, now: int) -> None:
        """Send what time alone has made due."""
        for stream in tuple(self._streams.values()):
            stream.passed(now)
