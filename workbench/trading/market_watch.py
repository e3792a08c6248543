"""What a gate has seen of the markets: age of prices, spreads, ranges within a window, and how returns correlate."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

from workbench.trading.comoves import Comoves
from workbench.trading.events import Bar, Book

__all__ = ["MarketWatch"]

NAN: Final = math.nan
_PARTS: Final = 60  # of a window: prices within one are one row, so that a busy market costs no more than a calm one


class MarketWatch:
    """The markets of one core.

    Parameters
    ----------
    always : mapping of symbol to bool
        Whether the instrument trades day and night, so that a missing bar means that data are missing.
    """

    def __init__(self, always: Mapping[str, bool]) -> None:
        self.always = dict(always)
        self.window = 0
        self.seen: dict[str, int] = {}
        self.closed: dict[str, tuple[int, int]] = {}
        self.spreads: dict[str, float] = {}
        self.ranges: dict[str, deque[tuple[int, float, float, int]]] = {}
        self.comoves = Comoves(tuple(always))

    def tune(self, window_ms: int, bars: int) -> None:
        """Set over which time ranges and over how many bars correlations are made; 0 where nobody asks for them."""
        self.window = window_ms
        if not window_ms:
            self.ranges.clear()
        self.comoves.tune(bars)

    def price(self, symbol: str, ts: int, price: float) -> None:
        """Take in a price."""
        self.seen[symbol] = ts
        if self.window:
            self._range(symbol, ts, price, price, 0)

    def bar(self, bar: Bar) -> None:
        """Take in a bar that has closed."""
        symbol, closes = bar.symbol, bar.closes
        span = closes - bar.ts
        known = self.closed.get(symbol)
        self.seen[symbol] = closes
        if self.window:
            self._range(symbol, closes, bar.high, bar.low, span)
        if known is None or span <= known[1]:  # the finest series counts
            self.closed[symbol] = (closes, span)
            self.comoves.close(symbol, closes, bar.close)

    def book(self, book: Book) -> None:
        """Take in an order book."""
        if book.bids and book.asks:
            bid, ask = book.bids[0][0], book.asks[0][0]
            self.spreads[book.symbol] = 2.0 * (ask - bid) / (ask + bid)
            self.price(book.symbol, book.ts, (bid + ask) / 2.0)

    def _range(self, symbol: str, ts: int, high: float, low: float, span: int) -> None:
        rows = self.ranges.setdefault(symbol, deque())
        while rows and rows[0][0] < ts - self.window:
            rows.popleft()
        if rows and ts - rows[-1][0] < self.window // _PARTS and span == rows[-1][3]:
            begun, top, bottom, _ = rows[-1]
            rows[-1] = (begun, max(top, high), min(bottom, low), span)
            return
        # what lies between others will never be the highest nor the lowest
        while rows and rows[-1][1] <= high and rows[-1][2] >= low and rows[-1][3] <= span:
            rows.pop()
        rows.append((ts, high, low, span))

    def volatility(self, symbol: str, now: int) -> float:
        """Give the range of the price within the window, a fraction; of longer bars by the square root of time."""
        high = low = NAN
        since, longest = now - self.window, self.window
        for ts, top, bottom, span in self.ranges.get(symbol, ()):
            if ts >= since:
                high = top if not high >= top else high
                low = bottom if not low <= bottom else low
                longest = span if span > longest else longest
        return (high / low - 1.0) * math.sqrt(self.window / longest) if low > 0.0 else NAN

    def age(self, symbol: str, now: int) -> float:
        """Give the age of the newest price, or of the last bar beyond its own length, ms."""
        seen = self.seen.get(symbol)
        if seen is None:
            return NAN
        closed = self.closed.get(symbol)
        late = now - closed[0] - closed[1] if closed is not None and self.always.get(symbol, True) else 0
        return float(max(now - seen, late, 0))

    def correlated(self, symbol: str, sign: float, held: Iterable[tuple[str, float]], above: float) -> int:
        """Count the positions (symbol, sign) that move together with a new one."""
        alike, count = self.comoves.of(symbol), 0
        for other, side in held:
            if sign * side * alike.get(other, 0.0) > above and other != symbol:
                count += 1
        return count

    def snapshot(self) -> dict[str, Any]:
        """Give everything as plain data."""
        return {
            "seen": dict(self.seen), "spreads": dict(self.spreads),
            "closed": {name: list(row) for name, row in self.closed.items()},
            "ranges": {name: [list(row) for row in held] for name, held in self.ranges.items()},
            "closes": self.comoves.snapshot(),
        }  # fmt: skip

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up what `snapshot` gave."""
        self.seen, self.spreads = dict(data["seen"]), dict(data["spreads"])
        self.closed = {name: (row[0], row[1]) for name, row in data["closed"].items()}
        self.ranges = {name: deque((a, b, c, d) for a, b, c, d in held) for name, held in data["ranges"].items()}
        self.comoves.restore(data["closes"])
