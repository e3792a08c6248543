"""Which trades to tell: each once, by id, and after a break those in between, as far as the venue still has them.

Pure logic. While a gap is open, trades of the stream wait, so that what REST gives comes before them.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final, NamedTuple

__all__ = ["Lost", "TradeTracker", "Traded"]

_REMEMBERED: Final = 20_000
_FRUITLESS: Final = 4  # answers without news after which a missing number is taken as lost


class Traded(NamedTuple):
    """A trade as a venue shows it; `side` is +1 where a buyer took, -1 where a seller did, else 0."""

    id: str
    ts: int
    price: float
    quantity: float
    side: int


class Lost(NamedTuple):
    """Trades between two times (ms UTC) that cannot be had any more; `missing` is None where nobody knows how many."""

    start: int
    end: int
    missing: int | None


class TradeTracker:
    """Decide which trades of one symbol to tell.

    Parameters
    ----------
    consecutive : bool, default False
        Whether the venue's ids are whole numbers without holes, so that a missing one shows by itself.
    """

    def __init__(self, *, consecutive: bool = False) -> None:
        self._consecutive = consecutive
        self._known: dict[str, None] = {}
        self._last: Traded | None = None
        self._waiting: list[Traded] = []  # of this connection
        self._held: list[Traded] = []  # of connections before, that waited when they broke
        self._open = False
        self._asked = self._fruitless = 0
        self._lost: list[Lost] = []

    @property
    def begun(self) -> bool:
        """Whether any trade is known that later ones can be asked for from."""
        return self._last is not None

    def begin(self, trades: Iterable[Traded]) -> None:
        """Take trades from before the feed began: known, and not told."""
        self._tell(sorted(trades, key=_order))

    def moved(self, trades: Iterable[Traded]) -> list[Traded]:
        """Take trades of the stream; give those to tell now, oldest first."""
        fresh = [trade for trade in trades if trade.id not in self._known]
        if self._consecutive and not self._open and self._skips(fresh):
            self._gap()
        if self._open:
            waiting = {trade.id for trade in self._waiting}
            self._waiting += [trade for trade in fresh if trade.id not in waiting]
            return []
        return self._tell(fresh)

    def broke(self) -> None:
        """Note that the connection broke: trades may have happened unseen."""
        self._held, self._waiting = [*self._held, *self._waiting], []
        if self._last is not None:
            self._gap()

    def unsure(self) -> None:
        """Note that trades may be missing though the connection stands, as when it has just come about."""
        if self._last is not None and not self._open:
            self._gap()

    def wanted(self) -> Traded | None:
        """Give the last trade that was told, when REST must say what came after it."""
        return self._last if self._open else None

    def answered(self, trades: Iterable[Traded], *, full: bool = True) -> list[Traded]:
        """Take trades that REST gave for what came after `wanted`, in any order.

        Parameters
        ----------
        trades : iterable of Traded
        full : bool, default True
            Whether there may be more that did not fit into the answer.

        Returns
        -------
        list of Traded
            Those to tell now, oldest first. The gap stays open until an answer reaches trades that the stream has
            shown, or brings nothing new, or nothing waits and there is no more.
        """
        last, rows = self._last, sorted(trades, key=_order)
        if not self._open or last is None:
            return self._tell([trade for trade in rows if trade.id not in self._known])
        after = [trade for trade in rows if trade.id not in self._known and _is_after(trade, last)]
        waiting = {trade.id for trade in self._waiting}
        if after and not self._joins(last, rows, after):
            self._lost.append(Lost(last.ts, after[0].ts, self._skipped(last, after[0])))
        met = any(trade.id in waiting for trade in after)
        self._asked += 1
        self._fruitless = 0 if after else self._fruitless + 1
        told = self._tell(after)
        if met or not after or not (full or waiting):
            told += self._close(patient=self._fruitless < _FRUITLESS)
        return told

    def gave_up(self) -> list[Traded]:
        """Close the gap though REST does not answer; what is between is lost. Give the trades that waited."""
        last, waiting = self._last, sorted(self._waiting, key=_order)
        if self._open and last is not None and waiting and not self._consecutive:
            self._lost.append(Lost(last.ts, waiting[0].ts, None))
        return self._close(patient=False)

    def lost(self) -> list[Lost]:
        """Give what was lost since the last call."""
        found, self._lost = self._lost, []
        return found

    def _gap(self) -> None:
        self._open, self._asked, self._fruitless = True, 0, 0

    def _close(self, *, patient: bool) -> list[Traded]:
        """Tell what waited; as long as one is patient, not beyond a trade that REST may yet come to know."""
        waiting = sorted((trade for trade in [*self._held, *self._waiting] if trade.id not in self._known), key=_order)
        told: list[Traded] = []
        self._waiting, self._held = [], []
        for place, trade in enumerate(waiting):
            if trade.id in self._known:
                continue
            missing = 0 if self._last is None else self._skipped(self._last, trade)
            if missing and patient:
                self._waiting = waiting[place:]
                return told
            if missing and self._last is not None:
                self._lost.append(Lost(self._last.ts, trade.ts, missing))
            told += self._tell([trade])
        self._open = False
        return told

    def _skips(self, fresh: list[Traded]) -> bool:
        numbers = sorted(int(trade.id) for trade in fresh)
        known = [] if self._last is None else [int(self._last.id)]
        chain = [*known, *(number for number in numbers if not known or number > known[0])]
        return any(after - before > 1 for before, after in pairwise(chain))

    def _skipped(self, before: Traded, after: Traded) -> int | None:
        return max(int(after.id) - int(before.id) - 1, 0) if self._consecutive else None

    def _joins(self, last: Traded, rows: list[Traded], after: list[Traded]) -> bool:
        """Tell whether an answer begins at the last trade told, so that nothing is missing between."""
        if self._consecutive:
            return not self._skipped(last, after[0])
        return self._asked > 0 or any(trade.id in self._known or trade.ts <= last.ts for trade in rows)

    def _tell(self, trades: list[Traded]) -> list[Traded]:
        told = []
        for trade in trades:
            if trade.id in self._known:
                continue  # the same batch had it twice, as after a new subscription
            told.append(trade)
            self._known[trade.id] = None
            if self._last is None or _order(trade) > _order(self._last):
                self._last = trade
        while len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]
        return told


def _order(trade: Traded) -> tuple[int, int, str]:
    """By time, and within a time by id: as a number where it is one."""
    return trade.ts, int(trade.id) if trade.id.isdecimal() else 0, trade.id


def _is_after(trade: Traded, last: Traded) -> bool:
    """Tell whether a trade that was never told came after one that was; ids without an order decide nothing."""
    numbered = trade.id.isdecimal() and last.id.isdecimal()
    return _order(trade) > _order(last) if numbered else trade.ts >= last.ts
