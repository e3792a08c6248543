"""`Tape`: the bars of one series as a bot heard them, in columns, so that millions of them fit into memory."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from workbench.market.bars import Bars
    from workbench.market.instrument import Instrument
    from workbench.trading.events import Bar, Learnt

__all__ = ["Tape"]

_COLUMNS = ("open", "high", "low", "close", "volume")


class Tape:
    """The bars of one series.

    Attributes
    ----------
    late : set of int
        Open times of bars that came too late to act on.
    """

    __slots__ = ("_acted", "_known", "_rows", "_ts", "late")

    def __init__(self) -> None:
        self._ts, self._acted = array("q"), array("b")
        self._rows = array("d")
        self._known: tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64]] | None = None
        self.late: set[int] = set()

    def __len__(self) -> int:
        return len(self._arrays()[0])

    def add(self, bar: Bar | Learnt, *, acted: bool) -> None:
        """Take a bar in: one that closed as the bot was at work, or one that it learnt as history."""
        self._ts.append(bar.ts)
        self._acted.append(acted)
        self._rows.extend(bar[3:8])
        self._known = None

    def _arrays(self) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.float64]]:
        """Give open times, whether each was acted on, and columns; one row a bar, the last word of each counts."""
        if self._known is None:
            ts, rows = np.array(self._ts, dtype=np.int64), np.array(self._rows, dtype=np.float64).reshape(-1, 5)
            acted = np.array(self._acted, dtype=bool)
            order = np.lexsort((np.arange(len(ts)), acted, ts))
            last = np.append(ts[order][1:] != ts[order][:-1], True) if len(ts) else np.empty(0, dtype=bool)
            kept = order[last]
            self._known = ts[kept], acted[kept], rows[kept]
        return self._known

    @property
    def ts(self) -> NDArray[np.int64]:
        """Open times, rising, ms UTC."""
        return self._arrays()[0]

    def first_acted(self) -> int | None:
        """Give the open time of the first bar that was acted on."""
        ts, acted, _ = self._arrays()
        rows = np.flatnonzero(acted)
        return int(ts[rows[0]]) if len(rows) else None

    def how(self, ts: int) -> str:
        """Say how a bar came to be known: "bar" as it closed, "history", "late" as history since too late, or ""."""
        times, acted, _ = self._arrays()
        row = int(np.searchsorted(times, ts))
        if row >= len(times) or times[row] != ts:
            return ""
        if acted[row]:
            return "bar"
        return "late" if ts in self.late else "history"

    def missed(self, ts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give which of some open times were never heard of."""
        return np.setdiff1d(ts, self._arrays()[0], assume_unique=True)

    def revised(self, bars: Bars) -> NDArray[np.int64]:
        """Give the open times at which bars have other prices than were heard."""
        times, _, rows = self._arrays()
        _, mine, theirs = np.intersect1d(times, bars.ts, assume_unique=True, return_indices=True)
        now = np.stack([bars.open, bars.high, bars.low, bars.close], axis=1)[theirs]
        other = np.abs(rows[mine, :4] - now) > 1e-12 * np.abs(now)
        return times[mine[other.any(axis=1)]]

    def bars(self, instrument: Instrument, timeframe: Any, over: Bars | None = None) -> Bars:
        """Give them as bars; where other bars are laid over them, those count, and what only they have between.

        Parameters
        ----------
        instrument : Instrument
        timeframe : str
        over : Bars, optional
            The same series as the data have it now.
        """
        from workbench.market.bars import Bars

        ts, _, rows = self._arrays()
        if over is not None and len(over) and len(ts):
            part = over.between(int(ts[0]), int(ts[-1]) + 1)
            columns = np.stack([getattr(part, name) for name in _COLUMNS], axis=1)
            both, where = np.concatenate((ts, part.ts)), np.concatenate((rows, columns))
            order = np.argsort(both, kind="stable")
            last = np.append(both[order][1:] != both[order][:-1], True)
            ts, rows = both[order][last], where[order][last]
        told: dict[str, Any] = {name: np.ascontiguousarray(rows[:, place]) for place, name in enumerate(_COLUMNS)}
        return Bars(instrument=instrument, timeframe=timeframe, ts=ts, provenance={"source": "journal"}, **told)
