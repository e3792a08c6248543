"""A market that faults have disturbed: the price jumps, or the book is thin, from some time on."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.market.timeframe import Timeframe
from workbench.practice.markets.base import TradeMarket
from workbench.practice.markets.market import Candles, Level, Market, Print
from workbench.practice.markets.prints import Trades, aggregate, join

__all__ = ["Disturbed"]

_SCALED: Final = ("open", "high", "low", "close", "quote_volume", "taker_quote_volume")


class Disturbed(TradeMarket):
    """Another market, as it would be had its price jumped.

    Parameters
    ----------
    market : Market
        One of trades.

    Raises
    ------
    ConfigError
        It is not made of trades.
    """

    def __init__(self, market: Market) -> None:
        if not isinstance(market, TradeMarket):
            raise ConfigError(f"{market!r} is not made of trades, so that its price cannot be made to jump")
        super().__init__(market.instrument, market.start, market.end, market.listing)
        self.synthetic = market.synthetic
        self.thin = 1.0  # how much of the best level is there, and no other, if below 1
        self._inner = market
        self._times: list[int] = []
        self._factors: list[float] = [1.0]  # from each of the times on

    def gap(self, ts: int, fraction: float) -> None:
        """Let all prices after a time be higher by a fraction, or lower; ConfigError for one of -1 or less."""
        if not -1.0 < fraction < np.inf:
            raise ConfigError(
                f"{self.instrument.symbol}: a price cannot move by {fraction!r}; give a fraction above -1"
            )
        if self._times and ts < self._times[-1]:
            raise ConfigError(f"{self.instrument.symbol}: its price has jumped after {ts} already")
        self._times.append(ts)
        self._factors.append(self._factors[-1] * (1.0 + fraction))

    def book_after(self, last: Print, levels: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Give the bids and asks that a trade leaves; see `TradeMarket.book_after`."""
        bids, asks = super().book_after(last, levels if self.thin >= 1.0 else min(levels, 1))
        if self.thin >= 1.0:
            return bids, asks
        lot = self.instrument.lot_size or 1e-8
        rest = [
            tuple((price, max(round(size * self.thin / lot), 1) * lot) for price, size in side) for side in (bids, asks)
        ]
        return rest[0], rest[1]

    def funding(self, start: int, end: int) -> list[tuple[int, float]]:
        """Give the funding settlements; see `TradeMarket.funding`."""
        return self._inner.funding(start, end)

    def next_funding(self, ts: int) -> tuple[int, float]:
        """Give the next settlement; see `TradeMarket.next_funding`."""
        return self._inner.next_funding(ts)

    def _typical(self, last: Print) -> float:
        return self._inner._typical(last)

    def _time_of(self, number: int) -> int:
        return self._inner._time_of(number)

    def _trades(self, after_ms: int, upto_ms: int) -> Trades:
        found = self._inner._trades(after_ms, upto_ms)
        if not self._times or upto_ms <= self._times[0]:
            return found
        return found._replace(price=self._moved(found.price, found.ts))

    def _moved(self, prices: NDArray[np.float64], ts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Move prices of given times, to whole ticks."""
        factors = np.array(self._factors)[np.searchsorted(self._times, ts, side="left")]
        tick = self.instrument.tick_size
        moved = prices * factors
        if tick:
            moved = np.round(np.maximum(np.round(moved / tick), 1.0) * tick, 12)
        return np.where(factors == 1.0, prices, moved)

    def _candles(self, frame: Timeframe, first: int, last: int) -> Candles:
        found = self._inner._candles(frame, first, last)
        if not self._times or last <= self._times[0]:
            return found
        scaled: dict[str, Any] = {name: self._moved_column(getattr(found, name), found.ts, name) for name in _SCALED}
        found = found._replace(**scaled)
        edges = sorted({frame.floor(ts) for ts in self._times if first <= ts + frame.ms and ts <= last})
        for edge in edges:  # a candle in which the price jumped is made of its trades
            low, high = np.searchsorted(found.ts, [edge, edge + 1])
            anew = aggregate(self._trades(max(edge, first) - 1, min(edge + frame.ms - 1, last)), frame)
            found = join([found.part(slice(int(low))), anew, found.part(slice(int(high), None))])
        return found

    def _moved_column(self, values: NDArray[np.float64], opens: NDArray[np.int64], name: str) -> NDArray[np.float64]:
        if name.endswith("volume"):
            factors: NDArray[np.float64] = np.array(self._factors)
            return values * factors[np.searchsorted(self._times, opens, side="left")]
        return self._moved(values, opens)
