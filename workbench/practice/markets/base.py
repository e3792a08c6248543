"""What all markets of the practice exchange have in common: candles, books, marks, funding, halts, made of trades."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.instrument import Instrument
from workbench.market.timeframe import Timeframe
from workbench.practice.markets.market import Candles, Level, Print
from workbench.practice.markets.prints import PER_BAR, Rows, Trades, aggregate, explode, fold, join, to_prints
from workbench.trading.arithmetic import round_to_tick

__all__ = ["BarMarket", "Listing", "TradeMarket"]

_HOUR_MS: Final = 3_600_000
_CHUNK_MS: Final = 6 * _HOUR_MS
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """When and how a market trades.

    Parameters
    ----------
    halts : sequence of (start, end)
        Times (ms UTC) in which it does not trade; what happens then is left out.
    delisted : int, optional
        When trading ends for good, ms UTC.
    funding : sequence of (ts, rate), optional
        Settlements, oldest first; left out, the instrument's usual rate at each of its funding times.
    premium : float
        What a perpetual is above its index, as a fraction.
    depth : float
        How much lies at a level of the book, in multiples of the last trade's quantity.
    """

    halts: Sequence[tuple[int, int]] = ()
    delisted: int | None = None
    funding: Sequence[tuple[int, float]] | None = None
    premium: float = 0.0
    depth: float = 2.0


class TradeMarket:
    """A market made of trades; a subclass gives them by `_trades` and `_time_of`.

    Parameters
    ----------
    instrument : Instrument
    start, end : int
        ms UTC.
    listing : Listing
    """

    synthetic = False

    def __init__(self, instrument: Instrument, start: int, end: int, listing: Listing | None = None) -> None:
        self._instrument, self._start, self._end = instrument, int(start), int(end)
        self.listing = listing or Listing()
        if self.listing.delisted is not None:
            self._end = min(self._end, self.listing.delisted)
        halts = list(self.listing.halts)
        if any(first >= last for first, last in halts) or halts != sorted(halts):
            raise DataError(f"{instrument.symbol}: halts are {halts!r}; give (start, end) in ms UTC, oldest first")

    def __repr__(self) -> str:
        made = "synthetic " if self.synthetic else ""
        return f"<{type(self).__name__} {made}{self.instrument.symbol}>"

    @property
    def instrument(self) -> Instrument:
        """What is traded."""
        return self._instrument

    @property
    def start(self) -> int:
        """When the market begins, ms UTC."""
        return self._start

    @property
    def end(self) -> int:
        """When the market ends, ms UTC."""
        return self._end

    def _trades(self, after_ms: int, upto_ms: int) -> Trades:
        """Give the trades after a time and up to another."""
        raise NotImplementedError

    def _time_of(self, number: int) -> int:
        """Give a time before which no trade has this id or a higher one."""
        raise NotImplementedError

    def prints(self, after_ms: int, upto_ms: int) -> Iterator[Print]:
        """Give the trades after a time and up to another, which counts, oldest first."""
        after = max(after_ms, self._start - 1)
        upto_ms = min(upto_ms, self._end - 1)
        while after < upto_ms:
            until = min(after + _CHUNK_MS, upto_ms)
            yield from to_prints(self._trades(after, until))
            after = until

    def prints_from(self, number: int, upto_ms: int, limit: int) -> list[Print]:
        """Give the trades with an id of `number` or more, up to a time, at most `limit`."""
        found: list[Print] = []
        for one in self.prints(self._time_of(number) - 1, upto_ms):
            if one.id >= number:
                found.append(one)
                if len(found) >= limit:
                    break
        return found

    def last(self, ts: int) -> Print | None:
        """Give the last trade at or before a time; None before the first."""
        found = self.recent(ts, 1)
        return found[0] if found else None

    def recent(self, ts: int, limit: int) -> list[Print]:
        """Give the last trades at or before a time, oldest first."""
        ts, reach = min(ts, self._end - 1), _HOUR_MS // 4
        while True:
            trades = self._trades(max(ts - reach, self._start - 1), ts)
            if len(trades.ts) >= limit or ts - reach < self._start:
                return to_prints(trades.part(slice(max(len(trades.ts) - limit, 0), None)))
            reach *= 4

    def book(self, ts: int, levels: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Give bids and asks at a time, best first; empty before the first price."""
        last = self.last(ts)
        return ((), ()) if last is None else self.book_after(last, levels)

    def book_after(self, last: Print, levels: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Give the bids and asks that a trade leaves of a made-up book.

        A buyer's trade was at the best ask, a seller's at the best bid. The same trade always leaves the same book.
        """
        facts = self._instrument
        tick = facts.tick_size or last.price * 1e-6
        spread = max(round_to_tick(last.price * facts.spread_bps * 1e-4, tick, False), tick)
        bid, ask = (last.price - spread, last.price) if last.side == "buy" else (last.price, last.price + spread)
        lot, step = facts.lot_size or 1e-8, max(round_to_tick(last.price * 2e-5, tick, False), tick)
        sides = []
        for best, way in ((bid, -1.0), (ask, 1.0)):
            steps = np.arange(levels)
            sizes = (0.25 + 1.5 * _noise(last.id * 2 + (way > 0), levels)) * self.listing.depth
            sizes = np.maximum(np.round(sizes * self._typical(last) / lot), 1.0) * lot
            prices = [round_to_tick(best + way * step * k, tick, way > 0.0) for k in steps.tolist()]
            rows = zip(prices, np.round(sizes, 12).tolist(), strict=True)
            sides.append(tuple((price, size) for price, size in rows if price > 0.0))
        return sides[0], sides[1]

    def _typical(self, last: Print) -> float:
        return last.quantity if last.quantity > 0.0 else 1_000.0 / last.price

    def candles(self, timeframe: Timeframe, start: int, end: int, now: int) -> Candles:
        """Give the candles that open from `start` on and before `end`, of the trades up to `now` (which counts)."""
        first = timeframe.floor(max(start, self._start) + timeframe.ms - 1) if start > self._start else start
        first = max(first, timeframe.floor(self._start))
        last = min(end + timeframe.ms - 1, now, self._end - 1)
        return self._cut(self._candles(timeframe, first, last), start, end)

    def _candles(self, frame: Timeframe, first: int, last: int) -> Candles:
        """Give the candles of all trades from a time on and up to another."""
        return aggregate(self._trades(first - 1, max(last, first - 1)), frame)

    @staticmethod
    def _cut(candles: Candles, start: int, end: int) -> Candles:
        low, high = np.searchsorted(candles.ts, [start, end])
        return candles.part(slice(int(low), int(high)))

    def first_candles(self, timeframe: Timeframe, start: int, limit: int, now: int) -> Candles:
        """Give the first candles that open from `start` on, at most `limit`."""
        start, span = max(start, timeframe.floor(self._start)), limit
        while True:
            found = self.candles(timeframe, start, start + span * timeframe.ms, now)
            if len(found.ts) >= limit or start + span * timeframe.ms > min(now, self._end):
                return found.part(slice(limit))
            span *= 2

    def last_candles(self, timeframe: Timeframe, end: int, limit: int, now: int) -> Candles:
        """Give the last candles that open before `end`, at most `limit`."""
        end, span = min(end, now + 1, self._end), limit + 1
        while True:
            found = self.candles(timeframe, end - span * timeframe.ms, end, now)
            if len(found.ts) >= limit or end - span * timeframe.ms <= self._start:
                return found.part(slice(max(len(found.ts) - limit, 0), None))
            span *= 2

    def mark(self, ts: int) -> float:
        """Give the price that positions are valued at: that of the last trade; NaN before the first."""
        last = self.last(ts)
        return last.price if last is not None else float("nan")

    def index(self, ts: int) -> float:
        """Give the price of what a perpetual is about; NaN before the first."""
        return self.mark(ts) / (1.0 + self.listing.premium)

    def funding(self, start: int, end: int) -> list[tuple[int, float]]:
        """Give the funding settlements after `start` and up to `end`: time and rate."""
        if not self._instrument.perpetual:
            return []
        start, end = max(start, self._start - 1), min(end, self._end - 1)
        if self.listing.funding is not None:
            return [(ts, rate) for ts, rate in self.listing.funding if start < ts <= end]
        every = int(self._instrument.funding_interval_h * _HOUR_MS)
        return [(ts, self._rate(ts)) for ts in range((start // every + 1) * every, end + 1, every)]

    def _rate(self, ts: int) -> float:
        return self._instrument.funding_rate

    def next_funding(self, ts: int) -> tuple[int, float]:
        """Give the first settlement after a time and its rate; (0, NaN) where there is none."""
        every = int(self._instrument.funding_interval_h * _HOUR_MS)
        reach = self._end if self.listing.funding is not None else ts + every
        found = self.funding(ts, reach)
        return found[0] if found else (0, float("nan"))

    def status(self, ts: int) -> str:
        """Say whether it trades: "pending", "trading", "halt" (also once its prices have ended) or "delisted"."""
        if ts < self._start:
            return "pending"
        if self.listing.delisted is not None and ts >= self.listing.delisted:
            return "delisted"
        return "halt" if ts >= self._end or any(start <= ts < end for start, end in self.listing.halts) else "trading"

    def changes(self, after_ms: int, upto_ms: int) -> list[tuple[int, str]]:
        """Give when the status changes after a time and up to another, and what it becomes."""
        times = {self._start, self._end, *(edge for halt in self.listing.halts for edge in halt)}
        return [(ts, self.status(ts)) for ts in sorted(times) if after_ms < ts <= upto_ms]


class BarMarket(TradeMarket):
    """A market whose trades are made of bars; a subclass gives them by `_rows` and `_time_of_row`.

    Parameters
    ----------
    instrument, start, end, listing
        As of `TradeMarket`.
    frame : Timeframe
        How long its bars are.
    """

    def __init__(
        self, instrument: Instrument, start: int, end: int, frame: Timeframe, listing: Listing | None = None
    ) -> None:
        super().__init__(instrument, start, end, listing)
        self.frame = frame

    def _all_rows(self, start: int, end: int) -> Rows:
        """Give the bars that open from `start` on and before `end`."""
        raise NotImplementedError

    def _time_of_row(self, row: int) -> int:
        """Give when the bar of a number opens, or one after it."""
        raise NotImplementedError

    def _rows(self, start: int, end: int) -> Rows:
        rows = self._all_rows(start, min(end, self._end))
        for first, last in self.listing.halts:
            inside = (rows.ts + self.frame.ms > first) & (rows.ts < last)
            rows = rows.part(~inside) if inside.any() else rows
        return rows

    def _trades(self, after_ms: int, upto_ms: int) -> Trades:
        rows = self._rows(self.frame.floor(after_ms), upto_ms + 1)
        trades = explode(rows, self.frame.ms, self._instrument.lot_size)
        low, high = np.searchsorted(trades.ts, [after_ms, upto_ms], side="right")
        return trades.part(slice(low, high))

    def _time_of(self, number: int) -> int:
        return self._time_of_row(max(number - 1, 0) // PER_BAR)

    def _candles(self, frame: Timeframe, first: int, last: int) -> Candles:
        length = self.frame.ms
        if frame.ms % length or (frame.anchor_ms - self.frame.anchor_ms) % length:
            return super()._candles(frame, first, last)
        whole = self.frame.floor(last + 1)  # what opens before has had its last trade
        parts = [self._whole(first, whole)]
        if whole <= last:
            parts.append(aggregate(self._trades(max(whole, first) - 1, last), self.frame))
        found = join(parts)
        return found if frame == self.frame else fold(found, frame)

    def _whole(self, start: int, end: int) -> Candles:
        """Give the bars themselves as candles."""
        rows = self._rows(start, end)
        trades = explode(rows, self.frame.ms, self._instrument.lot_size)
        shape = (len(rows.ts), PER_BAR)
        quantity, value = trades.quantity.reshape(shape), (trades.quantity * trades.price).reshape(shape)
        bought = trades.side.reshape(shape) > 0
        return Candles(
            rows.ts, rows.open, rows.high, rows.low, rows.close, rows.volume, _across(value),
            (quantity > 0.0).sum(axis=1), _across(np.where(bought, quantity, 0.0)),
            _across(np.where(bought, value, 0.0)),
        )  # fmt: skip


def _across(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add four columns in their order, as those do who add trade by trade."""
    total: NDArray[np.float64] = ((table[:, 0] + table[:, 1]) + table[:, 2]) + table[:, 3]
    return total


def _noise(key: int, count: int) -> NDArray[np.float64]:
    """Give numbers from 0 to 1 that look random and depend on nothing but the key (SplitMix64)."""
    with np.errstate(over="ignore"):
        z = (np.uint64(key & 0xFFFFFFFFFFFFFFFF) * np.uint64(0xD1342543DE82EF95)) + _MIX * np.arange(
            1, count + 1, dtype=np.uint64
        )
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) / 2.0**53
