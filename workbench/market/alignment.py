"""What was known of another series when a bar closed: never a bar that is still being made.

The other series has slower bars, or bars that trades fill (`TradeBars`), which end at no set time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import COLUMNS, Bars
from workbench.market.timeframe import Timeframe

if TYPE_CHECKING:
    from workbench.market.trade_bars import TradeBars

__all__ = ["align", "known_from", "last_closed"]


def last_closed(slow: Bars | TradeBars, *, at: Bars) -> NDArray[np.int64]:
    """Give the row of the newest bar of a slower series that has closed by the close of each bar of a faster one.

    Parameters
    ----------
    slow : Bars or TradeBars
        For instance hours, or bars by volume.
    at : Bars, n rows
        For instance minutes, of the same instrument or of another.

    Returns
    -------
    int64 array, shape (n,)
        Rows of `slow`; -1 where none has closed yet.

    Raises
    ------
    DataError
        `slow` is not of the same or a longer timeframe.

    Notes
    -----
    A bar closes at `ts + timeframe.ms`. A slow bar that closes together with a fast one is known then. A bar that
    trades fill is known after its last trade, an incomplete one never. Rows before any cut of `slow` and `at` are the
    same as without the cut: nothing here sees the future.
    """
    if not isinstance(slow, Bars):
        return _rows_known(slow, at)
    if slow.timeframe.ms < at.timeframe.ms:
        raise DataError(
            f"bars of {slow.timeframe} are not slower than bars of {at.timeframe}; resample the fast series first, or "
            "change the two round",
            slow=str(slow.timeframe), fast=str(at.timeframe),
        )  # fmt: skip
    closes = slow.ts + slow.timeframe.ms
    return np.searchsorted(closes, at.ts + at.timeframe.ms, side="right") - 1


def align(slow: Bars | TradeBars, *, to: Bars) -> dict[str, NDArray[np.float64]]:
    """Give the columns of a slower series as they were known at the close of each bar of a faster one.

    Parameters
    ----------
    slow : Bars or TradeBars
    to : Bars, n rows

    Returns
    -------
    dict of str to float64 array, shape (n,)
        `open high low close volume` of the newest finished slow bar, of `TradeBars` also `vwap`, `buy_volume` and
        `sell_volume`; NaN before the first.

    Raises
    ------
    DataError
        `slow` is not of the same or a longer timeframe.

    Examples
    --------
    >>> import workbench as wb
    >>> bitcoin, ts = wb.Instrument(symbol="BTC/USDT"), np.arange(5) * 1_800_000
    >>> price = dict.fromkeys(("open", "high", "low", "close"), np.arange(1.0, 6.0))
    >>> halves = wb.Bars(instrument=bitcoin, timeframe="30m", ts=ts, volume=np.ones(5), **price)
    >>> align(wb.data.resample(halves, "1h"), to=halves)["close"]
    array([nan,  2.,  2.,  4.,  4.])
    """
    rows = last_closed(slow, at=to)
    names = COLUMNS if isinstance(slow, Bars) else (*COLUMNS, "vwap", "buy_volume", "sell_volume")
    return {name: _seen(getattr(slow, name), rows) for name in names}


def known_from(row: int, *, of: Timeframe, at: Timeframe) -> int:
    """Give the first row by which a row of longer bars is known, wherever in a longer bar the history begins.

    Parameters
    ----------
    row : int
        Of the longer bars.
    of, at : Timeframe
        Of the longer bars, and of those that are counted.

    Returns
    -------
    int
        `row` itself where the bars are not longer. Without holes; a hole makes it later.

    Examples
    --------
    >>> known_from(19, of=Timeframe.parse("1d"), at=Timeframe.parse("1h"))
    502
    """
    held = max(of.ms // at.ms, 1)
    return (row + 1) * held + held - 2 if held > 1 else row


def _rows_known(slow: TradeBars, at: Bars) -> NDArray[np.int64]:
    """Give the newest complete row that was known at each close; incomplete ones stand at the ends only."""
    complete = np.flatnonzero(slow.complete)
    first = int(complete[0]) if len(complete) else 0
    rows: NDArray[np.int64] = np.searchsorted(slow.known[complete], at.ts + at.timeframe.ms, side="right") - 1
    return np.where(rows < 0, -1, rows + first)


def _seen(values: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    if not len(values):
        return np.full(len(rows), np.nan)
    return np.where(rows < 0, np.nan, values[np.maximum(rows, 0)])
