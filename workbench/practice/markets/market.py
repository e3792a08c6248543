"""What a market of the practice exchange is: prices that are given, that nobody's order moves.

A market is a function of time alone. Asked for any window, in any order, it gives the same; nothing it says about a
time depends on what comes after it. The engine never asks beyond its own present.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.market.instrument import Instrument
from workbench.market.timeframe import Timeframe

__all__ = ["Candles", "Level", "Market", "Print"]

Level = tuple[float, float]
"""Price and quantity of one level of an order book."""


class Print(NamedTuple):
    """One trade of the market.

    `side` is the aggressor's, "buy" or "sell"; ids rise. A quantity of 0.0 is a price without a trade: it moves candles
    and triggers orders, and has no volume.
    """

    ts: int
    price: float
    quantity: float
    side: str
    id: int


class Candles(NamedTuple):
    """Candles as columns, oldest first: `ts` is when each opens (ms UTC).

    `volume` and `taker_volume` (what buyers took) are in base, `quote_volume` and `taker_quote_volume` in quote.
    """

    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    quote_volume: NDArray[np.float64]
    trades: NDArray[np.int64]
    taker_volume: NDArray[np.float64]
    taker_quote_volume: NDArray[np.float64]

    def part(self, rows: slice) -> Candles:
        """Give some of them."""
        return Candles._make(column[rows] for column in self)


class Market(Protocol):
    """One instrument's market.

    Attributes
    ----------
    instrument : Instrument
    start, end : int
        When the first and the last price are, ms UTC: from `start` on and before `end`.
    synthetic : bool
        Whether the prices are made up.
    """

    @property
    def instrument(self) -> Instrument:
        """What is traded."""
        ...

    @property
    def start(self) -> int:
        """When the market begins, ms UTC."""
        ...

    @property
    def end(self) -> int:
        """When the market ends, ms UTC: nothing happens at or after it."""
        ...

    @property
    def synthetic(self) -> bool:
        """Whether the prices are made up."""
        ...

    def prints(self, after_ms: int, upto_ms: int) -> Iterator[Print]:
        """Give the trades after a time and up to another, which counts, oldest first."""
        ...

    def prints_from(self, number: int, upto_ms: int, limit: int) -> list[Print]:
        """Give the trades with an id of `number` or more, up to a time, at most `limit`."""
        ...

    def last(self, ts: int) -> Print | None:
        """Give the last trade at or before a time; None before the first."""
        ...

    def recent(self, ts: int, limit: int) -> list[Print]:
        """Give the last trades at or before a time, oldest first."""
        ...

    def book(self, ts: int, levels: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Give bids and asks at a time, best first; empty before the first price."""
        ...

    def book_after(self, last: Print, levels: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Give the bids and asks that a trade leaves."""
        ...

    def candles(self, timeframe: Timeframe, start: int, end: int, now: int) -> Candles:
        """Give the candles that open from `start` on and before `end`, of the trades up to `now` (which counts)."""
        ...

    def first_candles(self, timeframe: Timeframe, start: int, limit: int, now: int) -> Candles:
        """Give the first candles that open from `start` on, at most `limit`."""
        ...

    def last_candles(self, timeframe: Timeframe, end: int, limit: int, now: int) -> Candles:
        """Give the last candles that open before `end`, at most `limit`."""
        ...

    def mark(self, ts: int) -> float:
        """Give the price that positions are valued at; NaN before the first."""
        ...

    def index(self, ts: int) -> float:
        """Give the price of what a perpetual is about; NaN before the first."""
        ...

    def funding(self, start: int, end: int) -> list[tuple[int, float]]:
        """Give the funding settlements after `start` and up to `end`: time and rate."""
        ...

    def next_funding(self, ts: int) -> tuple[int, float]:
        """Give the first settlement after a time and the rate as it looks now; (0, NaN) where there is none."""
        ...

    def status(self, ts: int) -> str:
        """Say whether it trades: "trading", "halt" or "delisted" ("pending" before it begins)."""
        ...

    def changes(self, after_ms: int, upto_ms: int) -> list[tuple[int, str]]:
        """Give when the status changes after a time and up to another, and what it becomes."""
        ...
