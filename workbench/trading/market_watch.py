"""What a gate has seen of the markets: how old prices are, spreads, ranges within a window, and how returns correlate."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from workbench.trading.events import Bar, Book

__all__ = ["MarketWatch"]

NAN: Final = math.nan
_LEAST: Final = 20  # returns that a correlation must at least be made of


class MarketWatch:
    """The markets of one core.

    Parameters
    ----------
    always : mapping of symbol to bool
        Whether the instrument trades day and night, so that a missing bar means that data are missing.
    window_ms, bars : int
        Over which ranges and correlations are made.
    """

    def __init__(self, always: Mapping[str, bool], window_ms: int, bars: int) -> None:
        self.always, self.window, self.bars = dict(always), window_ms, bars
        self.seen: dict[str, int] = {}
        self.closed: dict[str, tuple[int, int]] = {}
        self.spreads: dict[str, float] = {}
        self.ranges: dict[str, deque[tuple[int, float, float, int]]] = {}
        self.closes: dict[str, deque[tuple[int, float]]] = {}
        self._pairs: dict[tuple[str, str], tuple[int, int, float]] = {}

    def price(self, symbol: str, ts: int, price: float) -> None:
        """Take in a price."""
        self.seen[symbol] = ts
        self._range(symbol, ts, price, price, 0)

    def bar(self, bar: Bar) -> None:
        """Take in a bar that has closed."""
        span = bar.closes - bar.ts
        known = self.closed.get(bar.symbol)
        self.seen[bar.symbol] = bar.closes
        self._range(bar.symbol, bar.closes, bar.high, bar.low, span)
        if known is None or span <= known[1]:  # the finest series counts
            self.closed[bar.symbol] = (bar.closes, span)
            self.closes.setdefault(bar.symbol, deque(maxlen=self.bars + 1)).append((bar.closes, bar.close))

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
        # what lies between others will never be the highest nor the lowest
        while rows and rows[-1][1] <= high and rows[-1][2] >= low and rows[-1][3] <= span:
            rows.pop()
        rows.append((ts, high, low, span))

    def volatility(self, symbol: str, now: int) -> float:
        """Give the range of the price within the window, a fraction; of longer bars by the square root of time."""
        high = low = NAN
        longest = self.window
        for ts, top, bottom, span in self.ranges.get(symbol, ()):
            if ts >= now - self.window:
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
        return sum(
            1 for other, side in held if other != symbol and sign * side * self._correlation(symbol, other) > above
        )

    def _correlation(self, one: str, other: str) -> float:
        a, b = self.closes.get(one), self.closes.get(other)
        if not a or not b:
            return 0.0
        key = (one, other) if one < other else (other, one)
        stamp = (a[-1][0], b[-1][0]) if one < other else (b[-1][0], a[-1][0])
        known = self._pairs.get(key)
        if known is None or known[:2] != stamp:
            self._pairs[key] = known = (*stamp, _correlation(dict(a), dict(b)))
        return known[2]

    def snapshot(self) -> dict[str, Any]:
        """Give everything as plain data."""
        rows = {"ranges": self.ranges, "closes": self.closes, "closed": self.closed}
        return {
            "seen": dict(self.seen), "spreads": dict(self.spreads),
            "closed": {name: list(row) for name, row in rows["closed"].items()},
            "ranges": {name: [list(row) for row in held] for name, held in self.ranges.items()},
            "closes": {name: [list(row) for row in held] for name, held in self.closes.items()},
        }  # fmt: skip

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up what `snapshot` gave."""
        self.seen, self.spreads = dict(data["seen"]), dict(data["spreads"])
        self.closed = {name: (row[0], row[1]) for name, row in data["closed"].items()}
        self.ranges = {name: deque((a, b, c, d) for a, b, c, d in held) for name, held in data["ranges"].items()}
        self.closes = {
            name: deque(((a, b) for a, b in held), maxlen=self.bars + 1) for name, held in data["closes"].items()
        }
        self._pairs.clear()


def _correlation(a: dict[int, float], b: dict[int, float]) -> float:
    """Give the correlation of log returns at common closes; 0.0 where it cannot be said."""
    common = [ts for ts in a if ts in b]
    if len(common) <= _LEAST:
        return 0.0
    moves = np.diff(np.log([[a[ts] for ts in common], [b[ts] for ts in common]]))
    x, y = moves - moves.mean(axis=1, keepdims=True)
    size = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / size if size > 0.0 else 0.0
