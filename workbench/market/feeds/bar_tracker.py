"""Which bars are over: from candles in any order, answers over REST and breaks, every closed bar once and in order.

Pure logic, without a clock, a network or a task. A candle that a stream shows is final when the venue says so, or, at a
venue that never says so, when a later one follows on the same unbroken connection. Everything else that must be over is
asked for over REST (`wanted`), where a candle is final when a later one stands in the same answer or the venue's clock
is past its close. A bar that two answers leave out, though they have later ones, does not exist: venues make no
candle of a time without trades.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from workbench.market.timeframe import Timeframe

__all__ = ["BarTracker", "Candle", "Hole"]

_SURE: Final = 2  # answers that must leave a bar out before it counts as not there


class Candle(NamedTuple):
    """A bar as a venue shows it: open time (ms UTC), prices, volume in the base asset."""

    ts: int
    open: float
    high: float
    low: float
    close: float
    volume: float

    @classmethod
    def read(cls, row: Any) -> Candle | None:
        """Take ccxt's row; None when it is not a sound candle (a garbled answer reaches us as candles of None)."""
        try:
            ts, values = int(row[0]), [float(value) for value in row[1:6]]
        except (TypeError, ValueError, IndexError):
            return None
        if len(values) != 5 or not all(map(math.isfinite, values)):
            return None
        candle = cls(ts, *values)
        prices = (candle.open, candle.close)
        sound = candle.low > 0 and candle.low <= min(prices) and candle.high >= max(prices) and candle.volume >= 0
        return candle if sound else None


class Hole(NamedTuple):
    """Times (ms UTC) from `start` to before `end` for which the venue has no bars."""

    start: int
    end: int


class BarTracker:
    """Decide which closed bars of one series to tell.

    Parameters
    ----------
    timeframe : Timeframe
    start : int, optional
        ms UTC; the first bar to tell is the first that opens at or after it. Left out, it is the bar that runs when
        the feed begins.
    grace_ms : int, default 1500
        How long after its close, by the venue's clock, a bar counts as over without a later one being seen.
    flags : bool, default False
        Whether the venue marks final candles; then nothing but its mark or REST ends a bar. Learned from the first
        mark, too.

    Attributes
    ----------
    next : int or None
        Open (ms UTC) of the first bar that was not told yet; None before anything was heard.
    """

    def __init__(
        self, timeframe: Timeframe, *, start: int | None = None, grace_ms: int = 1_500, flags: bool = False
    ) -> None:
        self._step = timeframe.ms
        self._timeframe = timeframe
        self._grace_ms = grace_ms
        self.next = None if start is None else timeframe.floor(start + timeframe.ms - 1)
        self._over = -1  # every bar that opens before this is over, as far as anybody has said
        self._ready: dict[int, Candle] = {}
        self._left_out: dict[int, tuple[int, int]] = {}  # start of a hole: its end, and how many answers had it
        self._newest: Candle | None = None  # of this connection
        self._flagged = flags
        self._holes: list[Hole] = []

    def moved(self, candle: Candle, *, closed: bool = False) -> list[Candle]:
        """Take a candle of the stream.

        Parameters
        ----------
        candle : Candle
        closed : bool, default False
            Whether the venue marked it as final.

        Returns
        -------
        list of Candle
            Bars to tell now, oldest first.
        """
        if (candle.ts - self._timeframe.anchor_ms) % self._step:
            return []
        if self.next is None:
            self.next = candle.ts
        before = self._newest
        self._flagged |= closed
        if before is not None and candle.ts > before.ts and not self._flagged:
            self._ready.setdefault(before.ts, before)
        if before is None or candle.ts >= before.ts:
            self._newest = candle
        if closed:
            self._ready.setdefault(candle.ts, candle)
        self._over = max(self._over, candle.ts + self._step * closed)
        return self._told()

    def broke(self) -> None:
        """Note that the connection broke: the last candle seen may have moved on unseen."""
        self._newest = None

    def passed(self, clock_ms: int) -> None:
        """Note what the venue's clock (ms UTC) shows: bars may be over though nothing was heard of them."""
        if self.next is not None:
            self._over = max(self._over, self._timeframe.floor(clock_ms - self._grace_ms))

    def answered(self, rows: Iterable[Candle], *, start: int, clock_ms: int) -> list[Candle]:
        """Take candles that REST gave.

        Parameters
        ----------
        rows : iterable of Candle
            In any order. The last may be running still.
        start : int
            ms UTC; what was asked for began here.
        clock_ms : int
            The venue's clock before the question was sent.

        Returns
        -------
        list of Candle
            Bars to tell now, oldest first.
        """
        found = {row.ts: row for row in rows if row.ts >= start and not self._off_grid(row.ts)}
        if not found:
            return self._told()
        last = max(found)
        if self.next is None:
            self.next = last if last + self._step + self._grace_ms > clock_ms else last + self._step
        for ts, row in found.items():
            if ts >= self.next and (ts < last or ts + self._step + self._grace_ms <= clock_ms):
                self._ready.setdefault(ts, row)
        self._over = max(self._over, last)
        self._count_holes(sorted(found), max(start, self.next))
        return self._told()

    def _count_holes(self, times: list[int], start: int) -> None:
        expected = start
        for ts in times:
            if ts > expected:
                end, votes = self._left_out.get(expected, (ts, 0))
                self._left_out[expected] = (min(end, ts), votes + 1)
            expected = max(expected, ts + self._step)

    def wanted(self) -> tuple[int, int] | None:
        """Give the times (ms UTC, the end not included) to ask REST for; None when nothing is missing."""
        if self.next is None or self.next >= self._over:
            return None
        return self.next, min((ts for ts in self._ready if ts > self.next), default=self._over)

    def holes(self) -> list[Hole]:
        """Give the times without bars that were passed since the last call."""
        found, self._holes = self._holes, []
        return found

    def _off_grid(self, ts: int) -> bool:
        return (ts - self._timeframe.anchor_ms) % self._step != 0

    def _told(self) -> list[Candle]:
        """Move on over everything that is ready, and over what is surely not there."""
        bars: list[Candle] = []
        if self.next is None:
            return bars
        while True:
            end, votes = self._left_out.get(self.next, (0, 0))
            if self.next in self._ready:
                bars.append(self._ready.pop(self.next))
                self.next += self._step
            elif votes >= _SURE:
                end = min([end, *(ts for ts in self._ready if ts > self.next)])
                self._holes.append(Hole(self.next, end))
                self.next = end
            else:
                break
        for left in (self._ready, self._left_out):
            for ts in [ts for ts in left if ts < self.next]:
                del left[ts]
        return bars
