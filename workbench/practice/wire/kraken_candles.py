"""A candle of Kraken's that forms while its trades come in."""

from __future__ import annotations

from typing import Any

from workbench.market.timeframe import Timeframe
from workbench.practice.markets.market import Print
from workbench.practice.wire.kraken_words import INTERVALS, iso

__all__ = ["Forming"]


class Forming:
    """The candle of one symbol and interval that is open now.

    Parameters
    ----------
    engine : Engine
        Gives what has been traded in it so far.
    symbol : str
    minutes : int
        One of `INTERVALS`.
    """

    def __init__(self, engine: Any, symbol: str, minutes: int) -> None:
        self._symbol, self._minutes = symbol, minutes
        self._timeframe = Timeframe.parse(INTERVALS[minutes])
        self._begin = -1
        self._prices = (0.0, 0.0, 0.0, 0.0)
        self._volume = self._quote = 0.0
        self._trades = 0
        last = engine.candles(symbol, self._timeframe, limit=1)
        if len(last.ts):
            self._begin = int(last.ts[-1])
            self._prices = tuple(float(column[-1]) for column in (last.open, last.high, last.low, last.close))  # type: ignore[assignment]
            self._volume, self._quote = float(last.volume[-1]), float(last.quote_volume[-1])
            self._trades = int(last.trades[-1])

    def take(self, one: Print) -> dict[str, Any] | None:
        """Take a trade; give the candle before, as a whole, where it is the first of a new one."""
        begin = self._timeframe.floor(one.ts)
        if begin == self._begin:
            first, high, low, _ = self._prices
            self._prices = (first, max(high, one.price), min(low, one.price), one.price)
            self._volume += one.quantity
            self._quote += one.quantity * one.price
            self._trades += one.quantity > 0
            return None
        done = self.row()
        self._begin, self._prices = begin, (one.price,) * 4
        self._volume, self._quote = one.quantity, one.quantity * one.price
        self._trades = int(one.quantity > 0)
        return done

    def row(self) -> dict[str, Any] | None:
        """Give the candle as the websocket has it; None before the first trade."""
        if self._begin < 0:
            return None
        first, high, low, last = self._prices
        return {
            "symbol": self._symbol, "open": first, "high": high, "low": low, "close": last, "trades": self._trades,
            "volume": round(self._volume, 8), "vwap": round(self._quote / self._volume, 8) if self._volume else last,
            "interval_begin": iso(self._begin).replace("Z", "000Z"), "interval": self._minutes,
            "timestamp": iso(self._begin + self._timeframe.ms),
        }  # fmt: skip
