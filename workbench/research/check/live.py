"""The unfinished bar: what a live market shows before a bar closes, and what a strategy would make of it.

A bar is fed as it opens, half way and final. Bars before it must not care: what changes there repaints. Signals on the
unfinished bar itself may flip, which is told and is no fault: a bot asks on closed bars only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from workbench.market.bars import COLUMNS, Bars
from workbench.research.check.agreement import disagreements
from workbench.research.check.cuts import window_size
from workbench.research.check.laboratory import Laboratory
from workbench.research.check.subject import FLAGS, Broke, Said

__all__ = ["Unfinished", "look_at_unfinished"]

_TRIED: Final = 12
_SEED: Final = 3
_PARTS: Final = (0.0, 0.5)


@dataclass
class Unfinished:
    """What unfinished bars have shown.

    Attributes
    ----------
    tried : int
        Bars that were fed unfinished.
    repaints : dict of str to (row, before, after)
        Columns whose earlier rows changed: the first row, its value with the unfinished and with the finished bar.
    flips : dict of str to int
        Flags that were another before their bar was over: on how many bars.
    """

    tried: int = 0
    repaints: dict[str, tuple[int, float, float]] = field(default_factory=dict)
    flips: dict[str, int] = field(default_factory=dict)


def look_at_unfinished(lab: Laboratory, needed: int) -> Unfinished:
    """Feed some last bars unfinished: those with signals, and others."""
    found = Unfinished()
    size = window_size(len(lab.bars), needed)
    for row in _rows(lab, size):
        window = lab.bars[max(0, row + 1 - size) : row + 1]
        try:
            final = lab.say(window, "light")
            parts = [lab.say(_unfinished(window, share), "light") for share in _PARTS]
        except Broke:
            continue
        found.tried += 1
        for part in parts:
            _note(part, final, row + 1 - len(window), lab.noisy, found)
        for name in FLAGS:
            if (
                name in final.values
                and name not in lab.noisy
                and any(bool(one.values[name][-1]) != bool(final.values[name][-1]) for one in parts)
            ):
                found.flips[name] = found.flips.get(name, 0) + 1
    return found


def _rows(lab: Laboratory, size: int) -> list[int]:
    length = len(lab.bars)
    chance = np.random.default_rng(_SEED).integers(min(size, length - 1), length, _TRIED // 2).tolist()
    for name in FLAGS:
        if name in lab.whole.values:
            chance += np.flatnonzero(lab.whole.values[name])[-2:].tolist()
    return sorted({row for row in chance if 2 <= row < length})


def _note(part: Said, final: Said, first: int, noisy: set[str], found: Unfinished) -> None:
    for name, column in part.values.items():
        if name in noisy or name in found.repaints or name not in final.values:
            continue
        rows = disagreements(column[:-1], final.values[name][:-1])
        if len(rows):
            row = int(rows[0])
            found.repaints[name] = (first + row, float(column[row]), float(final.values[name][row]))


def _unfinished(bars: Bars, share: float) -> Bars:
    """Give the same bars with the last one as it was when a share of its way was done."""
    columns = {name: getattr(bars, name).copy() for name in COLUMNS}
    opened = float(bars.open[-1])
    for name in ("high", "low", "close"):
        columns[name][-1] = opened + share * (float(getattr(bars, name)[-1]) - opened)
    columns["volume"][-1] *= share
    return Bars(instrument=bars.instrument, timeframe=bars.timeframe, ts=bars.ts, **columns)
