"""Past bars as a strategy sees them: closed ones only, oldest first, in read-only arrays that grow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import StrategyError
from workbench.trading.events import Bar

__all__ = ["COLUMNS", "History"]

COLUMNS: Final = ("ts", "open", "high", "low", "close", "volume")
_FIRST: Final = 1024


class History:
    """The closed bars of one series.

    Made of whole columns (`count` then says how many of their rows have happened) or empty and filled bar by bar.

    Parameters
    ----------
    symbol, timeframe : str
    columns : mapping of array, shape (n,), optional
        `ts` (int64 ms UTC) and open, high, low, close, volume (float64).

    Attributes
    ----------
    count : int
        How many bars have closed.
    crossed : dict of column to dict of other to rows
        With which rows a column goes above another, of the whole series; what `crosses` has found out. Empty in a
        series that grows.
    """

    __slots__ = ("_cells", "_columns", "_grows", "_named", "count", "crossed", "symbol", "timeframe")

    def __init__(self, symbol: str, timeframe: str, columns: Mapping[str, NDArray[np.generic]] | None = None) -> None:
        self.symbol, self.timeframe, self.count = symbol, timeframe, 0
        self._grows = columns is None
        if columns is None:
            empty = {name: np.empty(_FIRST, dtype=np.int64 if name == "ts" else np.float64) for name in COLUMNS}
            self._columns: dict[str, NDArray[np.generic]] = dict(empty)
        else:
            self._columns = dict(columns)
        self._named: dict[str, NDArray[np.generic]] = {}
        self._cells: dict[str, memoryview] = {}
        self.crossed: dict[str, dict[str, frozenset[int]]] = {}

    def append(self, bar: Bar) -> None:
        """Add a bar that has closed."""
        self._grows = True
        self.crossed.clear()
        if self.count == len(self._columns["ts"]):
            self._columns = {name: np.concatenate([old, np.empty_like(old)]) for name, old in self._columns.items()}
            self._cells.clear()
        for name in COLUMNS:
            self._columns[name][self.count] = getattr(bar, name)
        self.count += 1

    def refill(self, columns: Mapping[str, NDArray[np.generic]]) -> None:
        """Have bars that have closed, all of `columns` (shape (n,) each), instead of those that there are."""
        length = len(columns["ts"])
        self._grows, self.count = True, length
        kept = {name: np.empty(max(length, _FIRST), dtype=self._columns[name].dtype) for name in COLUMNS}
        for name, column in kept.items():
            column[:length] = columns[name]
        self._columns = kept
        self._named.clear()
        self._cells.clear()
        self.crossed.clear()

    def name(self, values: Mapping[str, NDArray[np.generic]]) -> None:
        """Keep columns that a strategy worked out, one value a bar: of the whole series, or of what has closed so far.

        In a series that grows they are to be given again after every bar.
        """
        length = self.count if self._grows else len(self._columns["ts"])
        for name, column in values.items():
            if np.shape(column) != (length,):
                raise StrategyError(
                    f"indicator {name!r} has shape {np.shape(column)} for {length} bars of {self.symbol}: give one "
                    "value a bar",
                    field=name,
                )
            self._named[name] = np.asarray(column)
        self._cells.clear()
        self.crossed.clear()

    def has(self, name: str) -> bool:
        """Tell whether there is a column that was worked out, of this name."""
        return name in self._named

    def column(self, name: str) -> NDArray[np.generic]:
        """Give a column up to the last closed bar, shape (count,), read-only."""
        seen = self._whole(name)[: self.count]
        seen.flags.writeable = False
        return seen

    def value(self, name: str, ago: int = 0) -> float:
        """Give the value of a column at the last closed bar, or some bars before; NaN before the first."""
        last = self.count - 1
        if not 0 <= ago <= last:
            return math.nan
        try:
            cells = self._cells[name]
        except KeyError:
            cells = self._cells_of(name)
        return float(cells[last - ago])

    def crosses(self, name: str, other: str) -> bool:
        """Tell whether a column is above another at the last closed bar and was not at the one before; NaN: no."""
        rows = self.crossed.get(name, {}).get(other)
        return self.count - 1 in (self._crossings(name, other) if rows is None else rows)

    def _crossings(self, name: str, other: str) -> frozenset[int]:
        """Give the rows with which a column goes above another; of a series that grows only the last can be one."""
        first = max(self.count - 2, 0) if self._grows else 0
        rows = slice(first, self.count if self._grows else None)
        upper: NDArray[Any] = self._whole(name)[rows]
        lower: NDArray[Any] = self._whole(other)[rows]
        rises = (upper[1:] > lower[1:]) & (upper[:-1] <= lower[:-1])
        found = frozenset((np.flatnonzero(rises) + first + 1).tolist())
        if not self._grows:
            self.crossed.setdefault(name, {})[other] = found
        return found

    def _cells_of(self, name: str) -> memoryview:
        # cells of a memoryview are Python numbers at once, four times as fast as those of an array
        self._cells[name] = cells = np.ascontiguousarray(self._whole(name)).data
        return cells

    def _whole(self, name: str) -> NDArray[np.generic]:
        whole = self._columns.get(name)
        whole = self._named.get(name) if whole is None else whole
        if whole is None:
            known = ", ".join((*COLUMNS, *sorted(self._named)))
            raise StrategyError(f"{self.symbol} {self.timeframe} has no column {name!r}; it has {known}", field=name)
        return whole
