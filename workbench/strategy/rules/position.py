"""Exits that depend on the position: `profit` and `bars_held`, by following the strategy's own trades.

Signals are said for all bars at once, but what a position has earned is known only of a position. So the trades that
the rules make are followed one after another, as a backtest does them: what is decided on a bar trades at the next
open. Only what leads to such a trade is said: an entry where none is held, the exit of the very position that was
entered. Should an account not take an entry, nothing is held, and the exit that is said for it does nothing.

A stop ends the trade that is followed as well (`stopping`). Whether the real one was reached depends on costs and ticks
at the margin, so an exit is said on that bar too: it does nothing where the stop has let go, and leaves where it has
not. Whatever is really held is therefore always the very trade that is followed, and its numbers are exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.strategy.rules.arrays import Frame, on_bars
from workbench.strategy.rules.nodes import Condition, Holding, Value, speaks_of_position
from workbench.strategy.rules.plan import SIDES
from workbench.strategy.rules.stopping import Stopping

__all__ = ["follow"]

_ENTRY, _EXIT, _SHORT_ENTRY, _SHORT_EXIT, _STOPPED = 1, 2, 4, 8, 16
_BARS_HELD, _PROFIT = Holding("bars_held"), Holding("profit")
_FIRST_LOOK = 32  # bars that are looked at after an entry; twice as many each time that no exit is among them


class _Whole(Frame):
    """All bars, with everything kept: each trade asks for the same again."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame.bars, frame.settings, frame.file)
        self._held: dict[tuple[Condition, bool], Any] = {}

    def value(self, part: Value) -> Any:
        if part not in self._values:
            self._values[part] = super().value(part)
        return self._values[part]

    def holds(self, part: Condition, yes: bool = True) -> Any:
        if (part, yes) not in self._held:
            self._held[part, yes] = super().holds(part, yes)
        return self._held[part, yes]


class _Trade(Frame):
    """The bars of one position so far: what knows nothing of it is taken from the whole, the rest worked out."""

    def __init__(self, whole: _Whole, rows: slice, side: int) -> None:
        super().__init__(whole.bars, whole.settings, whole.file)
        self._whole, self._rows = whole, rows
        close, paid = whole.bars.close[rows], float(whole.bars.open[rows.start])
        self._values[_BARS_HELD] = np.arange(1.0, len(close) + 1.0)
        self._values[_PROFIT] = side * (close / paid - 1.0)

    def rows(self) -> int:
        return int(self._rows.stop - self._rows.start)

    def value(self, part: Value) -> Any:
        return super().value(part) if speaks_of_position(part) else self._cut(self._whole.value(part))

    def holds(self, part: Condition, yes: bool = True) -> Any:
        return super().holds(part, yes) if speaks_of_position(part) else self._cut(self._whole.holds(part, yes))

    def _cut(self, values: Any) -> Any:
        return values[self._rows] if isinstance(values, np.ndarray) else values


def follow(
    frame: Frame, sides: dict[str, Condition | None], first: int, max_bars: int, stopping: Stopping
) -> dict[str, NDArray[np.bool_]]:
    """Say the entries and exits of the trades that the rules make, and nothing else.

    Parameters
    ----------
    frame : Frame
    sides : dict of str to Condition or None
        By the names in `plan.SIDES`. Entries know nothing of positions.
    first : int
        The first bar that may say something.
    max_bars : int
        Bars that a position is held at most, 0 for no limit; the exit is then left to whoever trades.
    stopping : Stopping

    Returns
    -------
    dict of str to bool array, shape (n,)
    """
    return _Follower(frame, sides, max_bars, stopping).run(first)


class _Follower:
    """One walk from trade to trade."""

    def __init__(self, frame: Frame, sides: dict[str, Condition | None], max_bars: int, stopping: Stopping) -> None:
        self.stopping = stopping
        self.frame, self.sides, self.max_bars, self.count = _Whole(frame), sides, max_bars, frame.rows()
        self.said = {name: np.zeros(self.count, dtype=np.bool_) for name in SIDES}
        self.words = np.zeros(self.count, dtype=np.int8)
        for name, flag in zip(SIDES, (_ENTRY, _EXIT, _SHORT_ENTRY, _SHORT_EXIT), strict=True):
            condition = sides[name]
            if condition is not None and not speaks_of_position(condition):
                self.words += np.int8(flag) * on_bars(self.frame.holds(condition), self.count, np.bool_)
        self.starts = np.flatnonzero(self.words & (_ENTRY | _SHORT_ENTRY))

    def run(self, row: int) -> dict[str, NDArray[np.bool_]]:
        while True:
            side, row = self._entered(row)
            while side:
                self.said["entry" if side > 0 else "short_entry"][row] = True
                side, row = self._left(side, row + 1)
            if row >= self.count:
                return self.said

    def _entered(self, row: int) -> tuple[int, int]:
        """Give the side of the next entry from a row on and its bar; side 0 where there is none."""
        from workbench.strategy.signal_trader import wanted

        for start in self.starts[np.searchsorted(self.starts, row) :]:
            want = wanted(0, int(self.words[start]))
            if want:
                return want, int(start)
        return 0, self.count

    def _left(self, side: int, opened: int) -> tuple[int, int]:
        """Give what a position opened in a row turns into, and the bar that decides it: 0 flat, or the other side."""
        from workbench.strategy.signal_trader import NOTHING, wanted

        name, flag, own = ("exit", _EXIT, _ENTRY) if side > 0 else ("short_exit", _SHORT_EXIT, _SHORT_ENTRY)
        limit = opened + self.max_bars - 1 if self.max_bars else self.count
        condition, look = self.sides[name], _FIRST_LOOK
        while opened < self.count:
            stop = min(opened + look, self.count, limit + 1)
            words = self.words[opened:stop] & np.int8(~own)  # an entry is not said while it is held
            if condition is not None and speaks_of_position(condition):
                trade = _Trade(self.frame, slice(opened, stop), side)
                words |= np.int8(flag) * on_bars(trade.holds(condition), stop - opened, np.bool_)
            words |= np.int8(_STOPPED) * self.stopping.hits(side, opened, stop) if self.stopping.any else np.int8(0)
            for at in np.flatnonzero(words):
                row = opened + int(at)
                if words[at] & _STOPPED:
                    self.said[name][row] = True
                    return 0, row + 1
                want = wanted(side, int(words[at]))
                if want == -side:
                    return want, row
                if want != NOTHING:
                    self.said[name][row] = True
                    return 0, row + 1
            if stop in (self.count, limit + 1):
                return 0, stop
            look *= 2
        return 0, self.count
