"""How the returns of several instruments move together, worked out once for each round of closes.

Closes stand in one table, a row for each instrument and a column for each time at which anything closed; the returns of
a pair are those between the columns that both have.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEAST", "Comoves"]

LEAST: Final = 20
"""Returns that a correlation must at least be made of."""


class Comoves:
    """The last closes of some instruments, and the correlations of their returns.

    Parameters
    ----------
    symbols : sequence of str
    """

    __slots__ = ("_known", "closes", "next", "rows", "times")

    def __init__(self, symbols: Sequence[str]) -> None:
        self.rows = {symbol: row for row, symbol in enumerate(symbols)}
        self.closes = np.full((len(symbols), 0), np.nan)
        self.times: list[int] = []
        self.next = 0  # column that the next time is written to, once all are in use
        self._known: dict[str, dict[str, float]] = {}

    def tune(self, bars: int) -> None:
        """Set how many returns are looked at; 0 for none."""
        columns = bars + 1 if bars else 0
        if columns != self.closes.shape[1]:
            times, old = self._ordered()
            keep = min(columns, len(times))
            self.closes = np.full((len(self.rows), columns), np.nan)
            self.times, self.next = times[len(times) - keep :], keep % columns if columns else 0
            self.closes[:, :keep] = old[:, len(times) - keep :]
            self._known.clear()

    def close(self, symbol: str, ts: int, price: float) -> None:
        """Take in a close."""
        row, columns = self.rows.get(symbol), self.closes.shape[1]
        if row is None or not columns or not 0.0 < price < math.inf:
            return
        if not self.times or ts > self.times[self.next - 1]:
            if len(self.times) < columns:
                self.times.append(ts)
                self.next = len(self.times) - 1
            else:
                self.times[self.next] = ts
            self.closes[:, self.next] = np.nan
            self.closes[row, self.next] = price
            self.next = (self.next + 1) % columns if len(self.times) == columns else len(self.times)
        elif ts == self.times[self.next - 1]:
            self.closes[row, self.next - 1] = price
        else:
            return
        if self._known:
            self._known.clear()

    def of(self, symbol: str) -> dict[str, float]:
        """Give the correlations of an instrument with all others; 0.0 where they cannot be said."""
        known = self._known.get(symbol)
        if known is None:
            known = self._known[symbol] = self._work_out(symbol)
        return known

    def _work_out(self, symbol: str) -> dict[str, float]:
        row = self.rows.get(symbol)
        if row is None or len(self.times) <= LEAST:
            return {}
        table = self._ordered()[1]
        held: Any = np.isfinite(table)
        own: NDArray[np.bool_] = held[row]
        found: dict[str, float] = {}
        table, held = table[:, own], held[:, own]
        if table.shape[1] <= LEAST:
            return {}
        whole = held.all(axis=1)
        moves = np.diff(np.log(table), axis=1)
        moves -= moves.mean(axis=1, keepdims=True)
        size = np.sqrt(np.einsum("ij,ij->i", moves, moves))
        dots, sizes = (moves @ moves[row]).tolist(), (size * size[row]).tolist()
        for other, k in self.rows.items():
            if k == row:
                continue
            if whole[k]:
                found[other] = dots[k] / sizes[k] if sizes[k] > 0.0 else 0.0
            elif held[k].sum() > LEAST:
                found[other] = _correlation(table[:, held[k]][[row, k]])
        return found

    def _ordered(self) -> tuple[list[int], NDArray[np.float64]]:
        """Give the times and the table from the oldest column on."""
        used = len(self.times)
        if used < self.closes.shape[1] or not self.next:
            return list(self.times), self.closes[:, :used]
        order = np.r_[self.next : used, : self.next]
        return [self.times[k] for k in order], self.closes[:, order]

    def snapshot(self) -> dict[str, Any]:
        """Give everything as plain data, oldest first; times as steps, a missing close as None."""
        times, table = self._ordered()
        steps = [after - before for before, after in pairwise(times)]
        even = bool(steps) and min(steps) == max(steps)
        rows = {
            name: [None if value != value else value for value in table[row].tolist()]
            for name, row in self.rows.items()
            if not np.isnan(table[row]).all()
        }
        return {"times": [times[0], steps[0], len(times)] if even else times, "even": even, "rows": rows}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up what `snapshot` gave; `tune` comes before."""
        said = data["times"]
        times = [said[0] + k * said[1] for k in range(said[2])] if data["even"] else list(said)
        columns = self.closes.shape[1]
        self.closes = np.full((len(self.rows), max(columns, len(times))), np.nan)
        for name, row in data["rows"].items():
            self.closes[self.rows[name], : len(times)] = [math.nan if one is None else one for one in row]
        self.times, self.next = times, len(times) % self.closes.shape[1] if self.closes.shape[1] else 0
        self._known.clear()
        self.tune(max(columns - 1, 0))


def _correlation(pair: NDArray[np.float64]) -> float:
    """Give the correlation of the log returns of two rows of closes; 0.0 for a constant one."""
    moves = np.diff(np.log(pair))
    x, y = moves - moves.mean(axis=1, keepdims=True)
    size = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / size if size > 0.0 else 0.0
