"""Where histories are cut: few enough to be fast, and where a leak has to show itself.

A value leaks when it changes as bars are appended. How far ahead it looks decides which cuts see it:

- What rests on the whole series (a mean of all, a fit, a rank) changes at any cut.
- What looks a fixed way ahead (a shift, a centred window) changes the last bars before any cut. A number changes nearly
  always; a flag only where it would have been another, so there are cuts right behind bars where each signal is given.
- What is known at the open of a longer bar and made at its close changes inside such a bar, so there are cuts inside
  and at the ends of hours, days, weeks and months.
- What depends on how long the history is changes somewhere on a ladder of lengths.

So the whole history is cut at a ladder of lengths, near its end, and at chance places; and *windows*, short histories
of their own, are cut at **every** bar of a stretch. A causal function of history must not care on any history, so what
is seen on a window is as true as on the whole, and costs a hundredth. What this guarantees: on the stretches, whatever
changes is found, whatever the reach; elsewhere what shows at one of the sampled cuts. What it cannot: a leak that is
acted on so seldom that no stretch has such a bar, while no number on the way to it shows it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.market.bars import Bars
from workbench.research.check.subject import FLAGS, Said

__all__ = ["History", "full_cuts", "more_cuts", "window_size", "windows"]

_SHORTEST: Final = 512
_LONGEST: Final = 4_096
_STRETCH: Final = 32  # bars of a window, each of which is a cut
_AFTER: Final = 20  # bars of it behind the bar that it is about
_FIRED: Final = 12  # more cuts in a window, behind bars with a signal
_ENDS: Final = 4  # and at ends of days, weeks and months each
_SEED: Final = 7
_DAY: Final = 86_400_000
_WEEK: Final = 7 * _DAY
_MONDAY: Final = 4 * _DAY


class History(NamedTuple):
    """Bars `first` to `last` as a history of its own, and the shorter ones that begin with it: their ends, in rows."""

    first: int
    last: int
    cuts: tuple[int, ...]


def full_cuts(length: int, thorough: bool = False) -> History:
    """Cut the whole history: a ladder of lengths, near the end, and at chance places in the later half."""
    ladder = [length >> step for step in range(1, 30) if length >> step >= 2]
    near = [length - 1, length - 2, length - 17]
    chance = np.random.default_rng(_SEED).integers(length // 2, length, 24 if thorough else 5).tolist()
    return History(0, length, tuple(sorted({cut for cut in (*ladder, *near, *chance) if 2 <= cut < length})))


def window_size(length: int, needed: int) -> int:
    """Give the length of windows: long enough for values to settle and for signals to come, no longer than history."""
    return min(length, max(_SHORTEST, min(_LONGEST, 4 * needed + 256)))


def windows(bars: Bars, whole: Said, needed: int, thorough: bool = False) -> list[History]:
    """Choose windows: at the end, at ends of longer bars, and where each signal is given, with a cut at every bar.

    Parameters
    ----------
    bars : Bars
    whole : Said
        What was said about all of them.
    needed : int
        Bars before the values of most columns are there.
    """
    size, length = window_size(len(bars), needed), len(bars)
    if thorough:
        first = max(0, length - size - 2_000)
        return [History(first, length, tuple(range(max(first + 2, length - 2_000), length)))]
    centres = [length - _AFTER, *_ends_of_longer_bars(bars.ts, size)]
    for name in FLAGS:
        if name in whole.values:
            rows = np.flatnonzero(whole.values[name])
            late = rows[(rows >= size - _AFTER) & (rows < length - 2)]
            centres += [int(late[len(late) // 2])] if len(late) else rows[-1:].tolist()
    return [_around(centre, size, length) for centre in _apart(centres)]


def more_cuts(history: History, said: Said, ts: NDArray[np.int64]) -> list[int]:
    """Give more cuts of a window: some right behind bars with a signal, and some at the ends of longer bars."""
    found: set[int] = set()
    for name in FLAGS:
        if name in said.values:
            rows = np.flatnonzero(said.values[name])[::-1]
            found.update((history.first + 1 + _some(rows, _FIRED)).tolist())
    for number in _calendar(ts[history.first : history.last]):
        begun = np.flatnonzero(np.diff(number)) + 1
        if 4 * len(begun) < len(number):
            found.update((history.first + _some(begun, _ENDS)).tolist())
    return sorted(cut for cut in found - set(history.cuts) if history.first + 2 <= cut < history.last)


def _some(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    return rows[:: max(1, len(rows) // most)][:most]


def _calendar(ts: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Give the numbers of the month, the week and the day that each bar opens in."""
    months = ts.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    return months, (ts - _MONDAY) // _WEEK, ts // _DAY


def _around(centre: int, size: int, length: int) -> History:
    last = min(length, max(centre + _AFTER, size))
    first = max(0, last - size)
    start = max(first + 2, centre - _STRETCH + _AFTER)
    return History(first, last, tuple(range(start, min(start + _STRETCH, last))))


def _ends_of_longer_bars(ts: NDArray[np.int64], size: int) -> list[int]:
    """Give a bar in the later half that opens a month, and one that opens a week."""
    found = []
    for number in _calendar(ts)[:2]:
        begun = np.flatnonzero(np.diff(number)) + 1
        late = begun[(begun >= min(size, len(ts) // 2)) & (begun < len(ts) - 2)]
        found += late[len(late) * 2 // 3 :][:1].tolist()
    return found


def _apart(centres: list[int]) -> list[int]:
    """Leave out what an earlier stretch has already."""
    kept: list[int] = []
    for centre in centres:
        if all(abs(centre - other) > _STRETCH // 2 for other in kept):
            kept.append(centre)
    return kept
