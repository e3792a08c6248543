"""Past bars as a strategy sees them: closed ones only, oldest first, in read-only arrays that grow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

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
    """

    __slots__ = ("_cells", "_columns", "_named", "count", "symbol", "timeframe")

    def __init__(self, symbol: str, timeframe: str, columns: Mapping[str, NDArray[np.generic]] | None = None) -> None:
        self.symbol, self.timeframe, self.count = symbol, timeframe, 0
        if columns is None:
            empty = {name: np.empty(_FIRST, dtype=np.int64 if name == "ts" else np.float64) for name in COLUMNS}
            self._columns: dict[str, NDArray[np.generic]] = dict(empty)
        else:
            self._columns = dict(columns)
        self._named: dict[str, NDArray[np.generic]] = {}
        self._cells: dict[str, memoryview] = {}

    def append(self, bar: Bar) -> None:
        """Add a bar that has closed."""
        if self.count == len(self._columns["ts"]):
            self._columns = {name: np.concatenate([old, np.empty_like(old)]) for name, old in self._columns.items()}
            self._cells.clear()
        for name in COLUMNS:
            self._columns[name][self.count] = getattr(bar, name)
        self.count += 1

    def name(self, values: Mapping[str, NDArray[np.generic]]) -> None:
        """Keep columns that a strategy worked out, one value a bar, as long as the columns of bars."""
        length = len(self._columns["ts"])
        for name, column in values.items():
            if np.shape(column) != (length,):
                raise StrategyError(
                    f"indicator {name!r} has shape {np.shape(column)} for {length} bars of {self.symbol}: give one "
                    "value a bar",
                    field=name,
                )
            self._named[name] = np.asarray(column)
        self._cells.clear()

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
        last = self.count - 1
        if last < 1:
            return False
        try:
            first, second = self._cells[name], self._cells[other]
        except KeyError:
            first, second = self._cells_of(name), self._cells_of(other)
        return first[last] > second[last] and first[last - 1] <= second[last - 1]

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
