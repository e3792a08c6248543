"""The public side of the practice exchange: what it says about its markets at its present.

Nothing here knows an account; nothing it says is from after `now`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from workbench.market.timeframe import Timeframe
from workbench.practice.engine_records import Refused, Ticker
from workbench.practice.markets.market import Candles, Level, Market, Print

__all__ = ["MarketData"]

_DAY_MS: Final = 86_400_000
_MINUTE: Final = Timeframe.parse("1m")
NAN: Final = float("nan")


class MarketData:
    """Markets at a present.

    Parameters
    ----------
    markets : mapping of symbol to Market
    now : int
        ms UTC; the engine moves it.
    """

    def __init__(self, markets: Mapping[str, Market], now: int) -> None:
        self.markets = dict(markets)
        self.now = now
        self.stopped: dict[str, str] = {}
        self.frozen: dict[str, int] = {}  # since when (ms UTC) the book that is shown stands still

    def market(self, symbol: str) -> Market:
        """Give a market; Refused ("unknown_instrument") for an unknown one."""
        found = self.markets.get(symbol)
        if found is None:
            raise Refused(f"{symbol!r} is not traded here", code="unknown_instrument", symbol=symbol)
        return found

    def status(self, symbol: str) -> str:
        """Say whether it trades: "pending", "trading", "halt" or "delisted"."""
        return self.stopped.get(symbol) or self.market(symbol).status(self.now)

    def candles(
        self, symbol: str, timeframe: str | Timeframe, *, start: int | None = None, end: int | None = None,
        limit: int = 500,
    ) -> Candles:  # fmt: skip
        """Give candles, oldest first; see `Engine.candles`."""
        market, frame = self.market(symbol), Timeframe.parse(timeframe)
        if start is not None:
            found = market.first_candles(frame, start, limit, self.now)
        else:
            found = market.last_candles(frame, self.now + 1 if end is None else end + 1, limit, self.now)
        if end is not None and len(found.ts) and found.ts[-1] > end:
            found = found.part(slice(int((found.ts <= end).sum())))
        return found

    def ticker(self, symbol: str) -> Ticker:
        """Give what happened in the last 24 hours."""
        market, now = self.market(symbol), self.now
        last = market.last(now)
        since = now - _DAY_MS
        day = market.candles(_MINUTE, _MINUTE.floor(since) + _MINUTE.ms, now + 1, now)
        bids, asks = market.book(self.frozen.get(symbol, now), 1)
        before = market.last(since)
        first = next(iter(market.prints_from(before.id + 1 if before else 1, now, 1)), None)
        some = len(day.ts) > 0
        return Ticker(
            symbol=symbol, ts=now, opened=since, open=float(day.open[0]) if some else last.price if last else NAN,
            high=float(day.high.max()) if some else last.price if last else NAN,
            low=float(day.low.min()) if some else last.price if last else NAN,
            last=last.price if last else NAN, last_quantity=last.quantity if last else NAN,
            volume=float(day.volume.sum()), quote_volume=float(day.quote_volume.sum()), trades=int(day.trades.sum()),
            first_id=first.id if first else -1, last_id=last.id if last else -1,
            bid=bids[0][0] if bids else NAN, bid_quantity=bids[0][1] if bids else NAN,
            ask=asks[0][0] if asks else NAN, ask_quantity=asks[0][1] if asks else NAN,
            previous_close=before.price if before else NAN,
        )  # fmt: skip

    def book(self, symbol: str, levels: int) -> tuple[tuple[Level, ...], tuple[Level, ...], int]:
        """Give bids and asks, best first, and the id of the update that they are as of."""
        market = self.market(symbol)
        ts = self.frozen.get(symbol, self.now)
        last = market.last(ts)
        bids, asks = market.book(ts, levels)
        return bids, asks, last.id if last else 0

    def trades(
        self, symbol: str, *, from_id: int | None = None, start: int | None = None, end: int | None = None,
        limit: int = 500,
    ) -> list[Print]:  # fmt: skip
        """Give trades of the market, oldest first; see `Engine.trades`."""
        market = self.market(symbol)
        upto = self.now if end is None else min(end, self.now)
        if from_id is not None:
            return market.prints_from(from_id, upto, limit)
        if start is None:
            return market.recent(upto, limit)
        found = []
        for one in market.prints(start - 1, upto):
            found.append(one)
            if len(found) >= limit:
                break
        return found

    def funding_rates(
        self, symbol: str, *, start: int | None = None, end: int | None = None, limit: int = 100
    ) -> list[tuple[int, float, float]]:
        """Give settlements: time, rate, mark price; the first from `start` on, or the last without it."""
        market = self.market(symbol)
        upto = self.now if end is None else min(end, self.now)
        found = market.funding(market.start - 1 if start is None else start - 1, upto)
        found = found[-limit:] if start is None else found[:limit]
        return [(ts, rate, market.mark(ts)) for ts, rate in found]
