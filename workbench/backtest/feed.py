"""One instrument of a replay: its base bars, its funding, and where it stands in them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.plan import Line
from workbench.market.bars import Bars
from workbench.trading.core import Core
from workbench.trading.events import Bar
from workbench.trading.history import COLUMNS, History
from workbench.trading.sizing import MEASURE

if TYPE_CHECKING:
    from workbench.backtest.event_path import Replay

__all__ = ["Coarser", "Feed", "bar_at"]

_NEVER: Final = math.inf


class Feed:
    """A line of the plan as it is replayed.

    Attributes
    ----------
    number, symbol, timeframe : of the line
    history : History
        Strategy bars; its `count` says how many have closed.
    funded : int
        How many settlements have passed.
    next_funding : float
        Time of the next one, ms UTC; infinity after the last.
    ts, open, high, low, close, volume : memoryview, shape (m,)
        The columns of the base bars, whose items are Python numbers at once.
    """

    __slots__ = (
        "_sigma", "_span", "close", "funded", "high", "history", "line", "low", "next_funding", "number", "open",
        "symbol", "tf_ms", "timeframe", "ts", "volume",
    )  # fmt: skip

    def __init__(self, number: int, line: Line, trader: Any, core: Core) -> None:
        bars = line.bars
        self.number, self.line = number, line
        self.symbol, self.timeframe, self.tf_ms = bars.symbol, str(bars.timeframe), bars.timeframe.ms
        self.ts, self.open, self.high = _cells(line.ts), _cells(line.open), _cells(line.high)
        self.low, self.close, self.volume = _cells(line.low), _cells(line.close), _cells(line.volume)
        self._span, self._sigma = _cells(line.span), _cells(line.sigma)
        self.history = History(self.symbol, self.timeframe, {name: getattr(bars, name) for name in COLUMNS})
        if hasattr(trader, "indicators"):
            self.history.name({"funding": _settled(line), **trader.indicators(bars)})
        if len(line.measure) > 1:
            self.history.name({MEASURE: line.measure})
        core.watch(self.history)
        self.funded = -1
        self.next_funding = _NEVER
        self.take_funding()

    def take_funding(self) -> int:
        """Pass the next settlement and give its row; rows before the first bar are passed over at the start."""
        row, times = self.funded, self.line.funding_ts
        self.funded += 1
        while self.funded < len(times) and times[self.funded] < self.line.ts[0]:
            self.funded += 1
        self.next_funding = int(times[self.funded]) if self.funded < len(times) else _NEVER
        return row

    def mark(self, row: int, price: float) -> float:
        """Give the mark price of a settlement: its own where it has one, else the bar's."""
        own = float(self.line.funding_mark[row])
        return price if math.isnan(own) else own

    def spans(self, i: int) -> int:
        """Give the length of a base bar, ms."""
        span: int = self._span[i if len(self._span) > 1 else 0]
        return span

    def sigma(self, i: int) -> float:
        """Give the volatility known before a base bar."""
        sigma: float = self._sigma[i if len(self._sigma) > 1 else 0]
        return sigma

    def word(self, i: int) -> int:
        """Give the strategy bar that closes with a base bar, -1 for none."""
        return i if self.line.word is None else int(self.line.word[i])

    def base_of(self, strategy_bar: int) -> int:
        """Give the base bar with which a strategy bar closes."""
        if self.line.word is None:
            return strategy_bar
        ends = self.line.bars.ts[strategy_bar] + self.tf_ms
        return int(self.line.ts.searchsorted(ends)) - 1

    def bar(self, number: int) -> Bar:
        """Give a strategy bar as the event of its close."""
        if self.line.word is not None:
            return bar_at(self.line.bars, number)
        ts = self.ts[number]
        return Bar(
            self.symbol, ts, ts + self.tf_ms, self.open[number], self.high[number], self.low[number],
            self.close[number], self.volume[number], self.timeframe,
        )  # fmt: skip

    def bars(self, rows: slice) -> Iterator[tuple[int, Bar, float, float]]:
        """Give the base bars of a range, which are the strategy's: number, event of the close, high and low."""
        line, times = self.line, self.line.ts[rows]
        columns = (times, times + self.tf_ms, line.open[rows], line.high[rows], line.low[rows], line.close[rows])
        ts, closes, opened, high, low, close = (column.tolist() for column in columns)
        volume = line.volume[rows].tolist()
        values = zip(
            repeat(self.symbol), ts, closes, opened, high, low, close, volume, repeat(self.timeframe), strict=False
        )
        # what `Bar(...)` does, without a call of Python for each of them
        made: Iterator[Bar] = map(tuple.__new__, repeat(Bar), values)
        return zip(range(rows.start, rows.start + len(ts)), made, high, low, strict=True)

    def first_closing(self, ts: float) -> int:
        """Give the first base bar that closes at a time or after it."""
        opens = ts - self.tf_ms
        return len(self.ts) if opens > self.ts[-1] else bisect_left(self.ts, opens)


def _settled(line: Line) -> NDArray[np.float64]:
    """Give the rate of the last settlement as of the close of each strategy bar; NaN before the first."""
    ends = line.bars.ts + line.bars.timeframe.ms
    rows = np.searchsorted(line.funding_ts, ends, side="left")  # one due at the close comes after it is heard
    return np.concatenate(([np.nan], line.funding_rate))[rows]


class Coarser:
    """A series of a higher timeframe that an order strategy also hears; it moves no prices."""

    __slots__ = ("bars", "history")

    def __init__(self, bars: Bars, core: Core) -> None:
        self.bars = bars
        self.history = History(bars.symbol, str(bars.timeframe), {name: getattr(bars, name) for name in COLUMNS})
        core.watch(self.history)

    def tell(self, replay: Replay, ts: int) -> None:
        """Tell the bars that have closed by a time and were not told yet."""
        while self.history.count < len(self.bars):
            bar = bar_at(self.bars, self.history.count)
            if bar.closes > ts:
                return
            self.history.count += 1
            replay.deliver([bar])


def _cells(column: NDArray[Any]) -> Any:
    """Give a column whose items are Python numbers at once."""
    return column.data


def bar_at(bars: Bars, number: int) -> Bar:
    """Give a bar as the event of its close."""
    ts = int(bars.ts[number])
    return Bar(
        bars.symbol, ts, ts + bars.timeframe.ms, float(bars.open[number]), float(bars.high[number]),
        float(bars.low[number]), float(bars.close[number]), float(bars.volume[number]), str(bars.timeframe),
    )  # fmt: skip
