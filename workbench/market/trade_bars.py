"""Trades into bars: by time, by number of trades, by volume, by value.

Time bars are `Bars`. The others have no grid: each lasts until enough has been traded. They are `TradeBars`, which say
when a bar opened and when its last trade was made, for that is when it was known. `align` shows them beside time bars
of the same market only after that moment; so a strategy decides on volume bars and trades on time bars, or on the
trades themselves, without seeing a bar before it was over.

A trade is never split: the one that reaches the limit closes the bar, and what it was too much is not carried over.
Imbalance and run bars are left out on purpose: their length is an average of their own past, which explodes or
collapses with the constants chosen, so that two people with the same trades have different bars.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import COLUMNS, Bars, moment, to_ms
from workbench.market.instrument import Instrument
from workbench.market.ticks import Ticks
from workbench.market.timeframe import Timeframe

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TradeBars", "bars_from_trades"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
By = Literal["time", "tick", "volume", "dollar"]

_FIELDS: Final = (*COLUMNS, "value", "buy_volume", "sell_volume")


@dataclass(frozen=True, eq=False, kw_only=True)
class TradeBars:
    """Bars made of trades, oldest first, of any length in time.

    Parameters
    ----------
    instrument : Instrument
    by : {"time", "tick", "volume", "dollar"}
    size : Timeframe or float
        What fills a bar: a length of time, a number of trades, a quantity, or a value in the quote currency.
    ts, last : int64 arrays, shape (n,)
        ms UTC of the first and the last trade of each bar. By time, `ts` is the open of the slot.
    open, high, low, close : float64 array, shape (n,)
    volume, buy_volume, sell_volume : float64 array, shape (n,)
        All that was traded, and what buyers and sellers took; the two are less where nobody knows who took.
    value : float64 array, shape (n,)
        Price times quantity, summed: in the quote currency, of an inverse contract in contracts times price.
    trades : int64 array, shape (n,)
        How many trades.
    complete : bool array, shape (n,)
        False for a first or last bar that the trades at hand do not fill.
    """

    instrument: Instrument
    by: By
    size: Timeframe | float
    ts: Whole
    last: Whole
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    value: Floats
    buy_volume: Floats
    sell_volume: Floats
    trades: Whole
    complete: NDArray[np.bool_]

    def __post_init__(self) -> None:
        for name in ("ts", "last", *_FIELDS, "trades", "complete"):
            getattr(self, name).flags.writeable = False

    @classmethod
    def from_ticks(
        cls,
        ticks: Ticks,
        *,
        by: By = "time",
        size: Any = None,
        since: Any = None,
        until: Any = None,
        unfinished: bool = False,
    ) -> TradeBars:
        """Make bars of trades as `bars_from_trades` does, by time too with volumes by side, VWAP and number of trades.

        Raises
        ------
        DataError
            As `bars_from_trades`.
        """
        if not isinstance(ticks, Ticks):
            raise DataError(f"a {type(ticks).__name__} holds no trades: give wb.Ticks(instrument=…, ts=…, price=…, …)")
        if not len(ticks):
            raise DataError(f"{ticks.symbol}: there are no ticks to make bars of")
        if not isinstance(by, str) or by not in get_args(By):
            raise DataError(f"by = {by!r} is not one of {', '.join(map(repr, get_args(By)))}", by=by)
        if by == "time":
            bar = Timeframe.parse("1m" if size is None else size)
            first, opens = _slots(ticks, bar)
            covered = _covered(ticks, since, until)
            complete = (opens >= covered[0]) & (opens + bar.ms <= covered[1])
            made = _gather(ticks, by, bar, first, complete, opens)
        else:
            limit = _limit(by, size, ticks.symbol)
            first, done = _fill_up(_amounts(ticks, by), limit)
            complete = np.ones(len(first), dtype=np.bool_)
            complete[-1] = done
            made = _gather(ticks, by, limit, first, complete, ticks.ts[first])
        return made if unfinished or made.complete.all() else _kept(made)

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        return self.instrument.symbol

    @property
    def vwap(self) -> Floats:
        """Mean price of what was traded, by quantity, shape (n,)."""
        return self.value / self.volume

    @cached_property
    def known(self) -> Whole:
        """First ms (UTC) at which each bar was over and known, shape (n,): after its last trade, or its slot."""
        if isinstance(self.size, Timeframe):
            return self.ts + self.size.ms
        return self.last + 1

    def to_bars(self) -> Bars:
        """Give bars by time as `Bars`; those that are not complete are named in `provenance["unfinished"]`.

        Raises
        ------
        DataError
            They are not by time: `Bars` need a grid. `align(trade_bars, to=bars)` shows the others on one.
        """
        if not isinstance(self.size, Timeframe):
            raise DataError(
                f"{self.symbol}: bars by {self.by} have no grid of times and cannot be Bars; show them on time bars "
                "with wb.data.align(trade_bars, to=bars)",
                by=self.by,
            )
        cut = self.ts[~self.complete].tolist()
        said = {"unfinished": cut, "note": f"{len(cut)} unfinished"} if cut else {}
        columns: dict[str, Any] = {name: getattr(self, name) for name in ("ts", *COLUMNS)}
        return Bars(instrument=self.instrument, timeframe=self.size, provenance={"source": "trades", **said}, **columns)

    def to_pandas(self) -> pd.DataFrame:
        """Give one row a bar: UTC index `ts`, `last` as UTC timestamps, then everything else with `vwap`."""
        import pandas as pd

        index = pd.DatetimeIndex(self.ts.astype("datetime64[ms]"), tz="UTC", name="ts")
        last = pd.DatetimeIndex(self.last.astype("datetime64[ms]"), tz="UTC")
        rows = {name: getattr(self, name) for name in (*_FIELDS, "vwap", "trades", "complete")}
        return pd.DataFrame({"last": last, **rows}, index=index)

    def __repr__(self) -> str:
        span = f"{moment(int(self.ts[0]))} to {moment(int(self.last[-1]))} UTC" if len(self) else "none"
        return f"<TradeBars {self.symbol} by {self.by} of {self.size}, {len(self):,} bars, {span}>"


def bars_from_trades(
    ticks: Ticks,
    *,
    by: By = "time",
    size: Any = None,
    since: Any = None,
    until: Any = None,
    unfinished: bool = False,
) -> Bars | TradeBars:
    """Make bars of trades.

    Parameters
    ----------
    ticks : Ticks
    by : {"time", "tick", "volume", "dollar"}
        What fills a bar.
    size : str or Timeframe (by time), whole number (by tick), number (by volume and dollar)
        How much of it: `"1m"`; trades; units of the base asset, contracts or shares; value in the quote currency.
    since, until : str, datetime or int (ms UTC), optional
        The time of which these are all the trades there were, `until` not included; from the first to the last of them
        when left out. Only time bars look at it: a slot that reaches beyond is not complete.
    unfinished : bool, default False
        Give the bars that are not complete as well, and mark them.

    Returns
    -------
    Bars
        By time. A slot without a trade has no bar.
    TradeBars
        Otherwise.

    Raises
    ------
    DataError
        There are no ticks, or an option is not what it must be.

    Notes
    -----
    Without `since` the first time bar is complete only if the first trade stands at its very open; without `until` the
    last one never is. By tick, volume and dollar the last bar is complete when its limit was reached.

    Examples
    --------
    >>> import workbench as wb
    >>> ticks = Ticks(instrument=wb.Instrument(symbol="BTC/USDT"), ts=[0, 10, 20, 30, 40],
    ...               price=[1.0, 2, 3, 4, 5], quantity=[1.0, 1, 3, 1, 1])
    >>> bars_from_trades(ticks, by="volume", size=2).close.tolist()
    [2.0, 3.0, 5.0]
    """
    bars = TradeBars.from_ticks(ticks, by=by, size=size, since=since, until=until, unfinished=unfinished)
    return bars.to_bars() if by == "time" else bars


def _limit(by: str, size: Any, symbol: str) -> float:
    """Check what must be traded until a bar is full."""
    number = isinstance(size, (int, float, np.integer, np.floating)) and not isinstance(size, bool)
    if not number or not 0 < float(size) < float("inf") or (by == "tick" and float(size) != int(size)):
        unit = {"tick": "a whole number of trades", "volume": "a quantity", "dollar": "a value in the quote currency"}
        raise DataError(f"{symbol}: size = {size!r} of bars by {by} must be {unit[by]} above zero", size=size)
    return float(size)


def _covered(ticks: Ticks, since: Any, until: Any) -> tuple[int, int]:
    """Give the time of which the ticks are all, and refuse one that they reach beyond."""
    first, last = int(ticks.ts[0]), int(ticks.ts[-1])
    start = first if since is None else to_ms(since)
    end = last if until is None else to_ms(until)
    if start > first or (until is not None and end <= last):
        raise DataError(
            f"{ticks.symbol}: the ticks from {moment(first)} to {moment(last)} reach beyond since = {moment(start)} "
            f"and until = {moment(end)}; give the time of which they are all the trades",
            since=start, until=end,
        )  # fmt: skip
    return start, end


def _slots(ticks: Ticks, bar: Timeframe) -> tuple[NDArray[np.intp], Whole]:
    """Give the first tick of each slot of time that has one, and when the slot opens."""
    opens, first = np.unique(ticks.ts - (ticks.ts - bar.anchor_ms) % bar.ms, return_index=True)
    return first, opens


def _amounts(ticks: Ticks, by: str) -> Floats:
    if by == "tick":
        return np.ones(len(ticks))
    if by == "volume":
        return ticks.quantity
    size = ticks.instrument.contract_size
    return ticks.quantity * size if ticks.instrument.kind == "inverse" else ticks.quantity * ticks.price * size


def _fill_up(amounts: Floats, limit: float) -> tuple[NDArray[np.intp], bool]:
    """Give the first tick of each bar, and whether the last bar is full.

    The sum restarts with each bar, so that a long history does not wear off its last digits.
    """
    from workbench._kernels import frozen
    from workbench.market.trade_kernel import fill_up

    firsts, count, held = fill_up(frozen(amounts), limit)
    done = held == 0.0
    return firsts[: count - 1 if done else count].astype(np.intp), bool(done)


def _gather(
    ticks: Ticks, by: By, size: Any, first: NDArray[np.intp], complete: NDArray[np.bool_], opens: Whole
) -> TradeBars:
    after = np.append(first[1:], len(ticks))
    taken = ticks.side if ticks.side is not None else np.zeros(len(ticks), dtype=np.int8)

    def summed(values: Floats) -> Floats:
        return np.add.reduceat(values, first)

    return TradeBars(
        instrument=ticks.instrument, by=by, size=size, ts=opens.copy(), last=ticks.ts[after - 1],
        open=ticks.price[first], high=np.maximum.reduceat(ticks.price, first),
        low=np.minimum.reduceat(ticks.price, first), close=ticks.price[after - 1], volume=summed(ticks.quantity),
        value=summed(ticks.price * ticks.quantity), buy_volume=summed(np.where(taken > 0, ticks.quantity, 0.0)),
        sell_volume=summed(np.where(taken < 0, ticks.quantity, 0.0)), trades=(after - first).astype(np.int64),
        complete=complete.copy(),
    )  # fmt: skip


def _kept(bars: TradeBars) -> TradeBars:
    """Leave out what is not complete."""
    columns: dict[str, Any] = {
        name: getattr(bars, name)[bars.complete] for name in ("ts", "last", *_FIELDS, "trades", "complete")
    }
    return TradeBars(instrument=bars.instrument, by=bars.by, size=bars.size, **columns)
