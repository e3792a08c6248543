"""Trades and candles as columns: how a bar becomes four trades, and how trades become candles.

A bar's trades go over its open, the extreme nearer to it, the other extreme and its close (as `trading.exits` assumes
the path inside a bar), the first at the bar's open time and the last in its last millisecond. Their quantities are cut
so that added up in their order they are the bar's volume to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.market.timeframe import Timeframe
from workbench.practice.markets.market import Candles, Print

__all__ = ["PER_BAR", "Rows", "Trades", "aggregate", "explode", "fold", "join", "to_prints"]

PER_BAR: Final = 4
_FLOATS: Final = ("open", "high", "low", "close", "volume", "quote_volume", "taker_volume", "taker_quote_volume")


class Trades(NamedTuple):
    """Trades as columns, oldest first; `side` is +1 where a buyer took and -1 where a seller did."""

    ts: NDArray[np.int64]
    price: NDArray[np.float64]
    quantity: NDArray[np.float64]
    side: NDArray[np.int8]
    id: NDArray[np.int64]

    def part(self, rows: slice | NDArray[np.bool_]) -> Trades:
        """Give some of them."""
        return Trades._make(column[rows] for column in self)


class Rows(NamedTuple):
    """Bars as columns, with the `number` that each has in its market."""

    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    number: NDArray[np.int64]

    def part(self, rows: slice | NDArray[np.bool_]) -> Rows:
        """Give some of them."""
        return Rows._make(column[rows] for column in self)


def explode(rows: Rows, length: int, lot: float = 0.0) -> Trades:
    """Make the four trades of each bar; `length` in ms, `lot` the step of their quantities."""
    count = len(rows.ts)
    low_first = rows.open - rows.low <= rows.high - rows.open
    price = np.empty((count, PER_BAR))
    price[:, 0], price[:, 3] = rows.open, rows.close
    price[:, 1] = np.where(low_first, rows.low, rows.high)
    price[:, 2] = np.where(low_first, rows.high, rows.low)
    quantity = _quarters(rows.volume, lot)
    side = np.ones((count, PER_BAR), dtype=np.int8)
    side[:, 1], side[:, 2] = np.where(low_first, -1, 1), np.where(low_first, 1, -1)
    side[:, 0] = side[:, 3] = np.where(rows.close >= rows.open, 1, -1)
    offsets = np.array([0, length // 3, 2 * length // 3, length - 1])
    ts = rows.ts[:, None] + offsets
    number = rows.number[:, None] * PER_BAR + np.arange(1, PER_BAR + 1)
    return Trades(ts.ravel(), price.ravel(), quantity.ravel(), side.ravel(), number.ravel())


def _quarters(volume: NDArray[np.float64], lot: float) -> NDArray[np.float64]:
    """Cut volumes in four that come to the same again, to the last bit, when they are added in their order."""
    # on a grid this coarse three parts and their sums have no rounding
    grid = np.spacing(volume) * PER_BAR
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(volume > 0.0, np.floor(volume / PER_BAR / grid) * grid, 0.0)
    if lot > 0.0:
        steps, per_unit = np.floor(volume / PER_BAR / lot * (1.0 + 1e-12)), round(1.0 / lot)
        lots = steps / per_unit if abs(per_unit * lot - 1.0) < 1e-12 else steps * lot
        rest = volume - ((lots + lots) + lots)
        exact = ((lots + lots) + lots + rest == volume) & (lots + ((lots + lots) + rest) == volume)  # as numpy adds
        part = np.where(exact & (rest >= 0.0), lots, part)
    rest = volume - ((part + part) + part)
    return np.stack([part, part, part, rest], axis=1)


def aggregate(trades: Trades, frame: Timeframe) -> Candles:
    """Make candles of trades; where nothing was traded there is none."""
    opens = trades.ts - (trades.ts - frame.anchor_ms) % frame.ms
    first = _firsts(opens)
    value = trades.price * trades.quantity
    bought = trades.side > 0
    add = _adder(first)
    return Candles(
        ts=opens[first], open=trades.price[first], close=trades.price[_lasts(first, len(opens))],
        high=_reduce(np.maximum, trades.price, first), low=_reduce(np.minimum, trades.price, first),
        volume=add(trades.quantity), quote_volume=add(value), trades=add((trades.quantity > 0.0).astype(np.int64)),
        taker_volume=add(np.where(bought, trades.quantity, 0.0)),
        taker_quote_volume=add(np.where(bought, value, 0.0)),
    )  # fmt: skip


def fold(candles: Candles, frame: Timeframe) -> Candles:
    """Make longer candles of shorter ones."""
    opens = candles.ts - (candles.ts - frame.anchor_ms) % frame.ms
    first = _firsts(opens)
    add = _adder(first)
    sums = ("volume", "quote_volume", "trades", "taker_volume", "taker_quote_volume")
    return Candles(
        ts=opens[first], open=candles.open[first], close=candles.close[_lasts(first, len(opens))],
        high=_reduce(np.maximum, candles.high, first), low=_reduce(np.minimum, candles.low, first),
        **{name: add(getattr(candles, name)) for name in sums},
    )  # fmt: skip


def join(parts: list[Candles]) -> Candles:
    """Put candles one after the other."""
    if len(parts) == 1:
        return parts[0]
    return Candles._make(np.concatenate(columns) for columns in zip(*parts, strict=True))


def to_prints(trades: Trades) -> list[Print]:
    """Give columns as trades."""
    sides = ["buy" if side > 0 else "sell" if side < 0 else "" for side in trades.side.tolist()]
    rows = zip(
        trades.ts.tolist(), trades.price.tolist(), trades.quantity.tolist(), sides, trades.id.tolist(), strict=True
    )
    return [Print(*row) for row in rows]


def _firsts(opens: NDArray[np.int64]) -> NDArray[np.int64]:
    if not len(opens):
        return np.empty(0, dtype=np.int64)
    return np.concatenate(([0], np.flatnonzero(np.diff(opens)) + 1))


def _lasts(first: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    return np.append(first[1:], length)[: len(first)] - 1


def _reduce(how: np.ufunc, values: NDArray[np.float64], first: NDArray[np.int64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = how.reduceat(values, first) if len(first) else values[:0]
    return found


def _adder(first: NDArray[np.int64]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Give a function that sums a column candle by candle."""
    return lambda values: np.add.reduceat(values, first) if len(first) else values[:0]
