"""Markets that were recorded: bars of the lake, or single trades of a tape."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import Bars
from workbench.market.instrument import Instrument
from workbench.market.ticks import Ticks
from workbench.practice.markets.base import BarMarket, Listing, TradeMarket
from workbench.practice.markets.prints import Rows, Trades

__all__ = ["RecordedMarket", "RecordedTrades"]

_SIGNS: Final = {1: 1, -1: -1, "buy": 1, "sell": -1}


class RecordedMarket(BarMarket):
    """A market that a series of bars has recorded.

    Parameters
    ----------
    bars : Bars
        Holes in it are times in which nothing was traded.
    instrument : Instrument, optional
        Its facts, where those of the bars are not the ones wanted.
    listing : Listing, optional

    Raises
    ------
    DataError
        The series is empty.
    """

    def __init__(self, bars: Bars, *, instrument: Instrument | None = None, listing: Listing | None = None) -> None:
        super().__init__(instrument or bars.instrument, bars.start, bars.end, bars.timeframe, listing)
        self.bars = bars
        columns = (bars.ts, bars.open, bars.high, bars.low, bars.close, bars.volume, np.arange(len(bars)))
        self._columns = Rows(*columns)

    @staticmethod
    def of_ticks(
        ticks: Ticks, *, ids: NDArray[np.int64] | None = None, instrument: Instrument | None = None,
        listing: Listing | None = None,
    ) -> RecordedTrades:  # fmt: skip
        """Make a market of single trades; see `RecordedTrades`."""
        return RecordedTrades(ticks, ids=ids, instrument=instrument, listing=listing)

    @staticmethod
    def from_events(events: Iterable[Any], *, instrument: Instrument, listing: Listing | None = None) -> RecordedTrades:
        """Make a market of the trades in a tape of feed events.

        Parameters
        ----------
        events : iterable
            Whatever has `symbol`, `ts`, `price`, `quantity`, `side` (+1 or "buy", -1 or "sell", 0 or "" where it is not
            known) and, where known, `id` counts as a trade if its symbol is the instrument's; others are passed over.
        instrument : Instrument
        listing : Listing, optional

        Raises
        ------
        DataError
            There is no trade of the instrument in it, or the trades break a rule of `Ticks`.
        """
        names = ("ts", "price", "quantity", "side")
        trades = [
            (*(getattr(one, name) for name in names), getattr(one, "id", ""))
            for one in events
            if getattr(one, "symbol", None) == instrument.symbol and all(hasattr(one, name) for name in names)
        ]
        if not trades:
            raise DataError(f"{instrument.symbol}: the tape has no trade of it; record its trades too")
        ts, price, quantity, side, ids = zip(*trades, strict=True)
        signs = [_SIGNS.get(one, 0) for one in side]
        known = [int(one) for one in ids if str(one).isdigit()]
        ticks = Ticks(
            instrument=instrument, ts=np.array(ts), price=np.array(price), quantity=np.array(quantity),
            side=np.array(signs),
        )  # fmt: skip
        return RecordedTrades(
            ticks, ids=np.array(known) if len(known) == len(ids) else None, instrument=instrument, listing=listing
        )

    def _all_rows(self, start: int, end: int) -> Rows:
        low, high = np.searchsorted(self._columns.ts, [start, end])
        return self._columns.part(slice(low, high))

    def _time_of_row(self, row: int) -> int:
        ts = self._columns.ts
        return int(ts[row]) if row < len(ts) else self._end


class RecordedTrades(TradeMarket):
    """A market of single trades.

    Parameters
    ----------
    ticks : Ticks
    ids : int64 array, shape (n,), optional
        The venue's ids of the trades, rising; left out, they are counted from 1.
    instrument : Instrument, optional
    listing : Listing, optional

    Raises
    ------
    DataError
        There is no trade, or the ids do not rise.
    """

    def __init__(
        self, ticks: Ticks, *, ids: NDArray[np.int64] | None = None, instrument: Instrument | None = None,
        listing: Listing | None = None,
    ) -> None:  # fmt: skip
        facts = instrument or ticks.instrument
        if not len(ticks):
            raise DataError(f"{facts.symbol}: there are no trades to make a market of")
        super().__init__(facts, int(ticks.ts[0]), int(ticks.ts[-1]) + 1, listing)
        numbers = np.arange(1, len(ticks) + 1) if ids is None else np.asarray(ids, dtype=np.int64)
        if numbers.shape != ticks.ts.shape or (np.diff(numbers) <= 0).any():
            raise DataError(f"{facts.symbol}: ids of trades must rise, one for each of the {len(ticks)} trades")
        side = np.zeros(len(ticks), dtype=np.int8) if ticks.side is None else ticks.side
        trades = Trades(ticks.ts, ticks.price, ticks.quantity, side, numbers)
        for first, last in self.listing.halts:
            trades = trades.part((trades.ts < first) | (trades.ts >= last))
        self._all = trades

    def _trades(self, after_ms: int, upto_ms: int) -> Trades:
        low, high = np.searchsorted(self._all.ts, [after_ms, upto_ms], side="right")
        return self._all.part(slice(low, high))

    def _time_of(self, number: int) -> int:
        row = int(np.searchsorted(self._all.id, number))
        return int(self._all.ts[row]) if row < len(self._all.ts) else self._end
