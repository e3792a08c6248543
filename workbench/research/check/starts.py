"""Warm-up and start dependence: the same bars, in histories that begin later.

A column has settled when a history that begins later says what the long history says. How many bars that takes is its
warm-up, to a tolerance of a millionth: less than a tick of most prices, about 7 lengths of an exponential mean and 14
of one of Wilder's, whose seed fades and never goes. What has not settled when all bars are used up, and does not come
closer either, depends on where history starts: running totals, levels of volume, all-time highs, ranks of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.research.check.agreement import Column, disagreements, gaps
from workbench.research.check.laboratory import Laboratory
from workbench.research.check.subject import FLAGS, Broke, Said

__all__ = ["TOLERANCE", "Settling", "settle"]

TOLERANCE: Final = 1e-6
_STARTS: Final = (0.33, 0.45, 0.57, 0.69)  # of history; before each there is a history long enough to have settled
_FIRST_SPAN: Final = 2_000
_WIDER: Final = 4
_FADES: Final = 0.25  # of the earlier gap: what shrinks as much from one quarter to the next but one will settle
_SAME: Final = 1e-6  # of a gap: what changes less from one bar to the next stays the same
_STEP: Final = 10.0  # tolerances: a gap of this size that closes from one bar to the next has not faded
_SEEN: Final = 0.75  # of a history: what has settled by then was seen to stay so
_ALIKE: Final = 3  # times: what rests on a fixed memory settles after about as many bars from any start

Settles = Literal["yes", "slowly", "never", "unknown"]
_ORDER: Final[tuple[Settles, ...]] = ("unknown", "yes", "slowly", "never")


@dataclass
class Settling:
    """How one column takes a later start.

    Attributes
    ----------
    settles : {"yes", "slowly", "never", "unknown"}
    warm_up : int
        Bars until it has settled for good, of the slowest start; so far as was seen where it has not.
    off : float
        The largest relative difference at or after the declared warm-up; infinity for a missing value.
    spurious, silent : int
        Of a flag: bars at or after the declared warm-up where the later start said yes and the long history no, and
        the other way round.
    row : int or None
        The first such bar, of the whole history.
    steps : bool
        Whether a gap closed from one bar to the next instead of fading.
    room : int
        How many bars there were.
    """

    settles: Settles = "unknown"
    warm_up: int = 0
    off: float = 0.0
    spurious: int = 0
    silent: int = 0
    row: int | None = None
    steps: bool = False
    room: int = 0


def settle(lab: Laboratory, needed: int, tolerance: float, skipped: set[str]) -> dict[str, Settling]:
    """Measure every column.

    Parameters
    ----------
    lab : Laboratory
    needed : int
        Bars before the values of most columns are there.
    tolerance : float
        Relative difference that counts as none.
    skipped : set of str
        Columns that see the future or differ between calls: nothing can be said of them.

    Returns
    -------
    dict of Settling, by column
    """
    looks: dict[str, list[Settling]] = {}
    names = [name for name in lab.whole.values if name not in skipped]
    for share in _STARTS:
        start = int(len(lab.bars) * share)
        open_names = names
        span = max(_FIRST_SPAN, 8 * needed)
        while open_names and start + 2 < len(lab.bars):
            last = min(len(lab.bars), start + span)
            try:
                said = lab.history(start, last)
            except Broke:
                break
            seen = {name: _look(lab, said, name, start, tolerance) for name in open_names if name in said.values}
            final = last == len(lab.bars)
            open_names = [name for name, one in seen.items() if one.settles != "yes" and not final]
            for name, one in seen.items():
                if name not in open_names:
                    looks.setdefault(name, []).append(one)
            span *= _WIDER
    found = {name: _judged(ones, needed) for name, ones in looks.items()}
    _with_flags(found, {name for name in found if lab.whole.values[name].dtype == np.bool_})
    return found


def _look(lab: Laboratory, said: Said, name: str, start: int, tolerance: float) -> Settling:
    """Compare one column of a later start with the long history."""
    fresh = said.values[name]
    known = lab.whole.values[name][start : start + len(fresh)]
    comparable = _comparable(known, fresh)
    if not comparable.any() or _is_place(known, fresh):
        return Settling()
    rows = disagreements(known, fresh, tolerance)
    rows = rows[comparable[rows]]
    one = Settling("yes", int(rows[-1]) + 1 if len(rows) else 0, room=len(fresh))
    if len(rows) and one.warm_up < len(fresh) and known.dtype != np.bool_:
        one.steps = bool(_STEP * tolerance < gaps(known, fresh, rows[-1:])[0] < np.inf)
    if one.warm_up > _SEEN * len(fresh):
        one.settles = "slowly" if _fades(known, fresh, rows) else "never"
    late = rows[rows >= lab.subject.declared]
    if len(late):
        one.off = float(gaps(known, fresh, late).max())
        one.row = start + int(late[0])
        if name in FLAGS:
            one.spurious, one.silent = int(fresh[late].sum()), int(known[late].sum())
    return one


def _comparable(known: Column, fresh: Column) -> NDArray[np.bool_]:
    """Tell in which rows there is something to compare: the long history has a value there, or a flag."""
    if known.dtype == np.bool_ or fresh.dtype == np.bool_:
        some = bool(known.any() or fresh.any())
        return np.full(len(known), some)
    return np.isfinite(known)


def _is_place(known: Column, fresh: Column) -> bool:
    """Tell a row number, such as that of the longer bar that each bar lies in: it is counted anew in each history.

    What is read at that row is judged by itself.
    """
    late = slice(len(fresh) // 2, None)
    if known.dtype == np.bool_ or fresh.dtype == np.bool_ or not np.isfinite(known[late]).all() or len(fresh) < 4:
        return False
    steps, moved = np.diff(known[late]), known[late] - fresh[late]
    counts = bool((known[late] == np.floor(known[late])).all() and (steps >= 0).all())
    longer = bool((steps > 0).any() and (steps == 0).any())  # a count of the bars themselves rises with each
    return counts and longer and bool(moved[0] > 0 and (moved == moved[0]).all())


def _fades(known: Column, fresh: Column, rows: NDArray[np.int64]) -> bool:
    """Tell whether differences become much smaller from the second quarter to the last, a little with every bar.

    Those of a maximum of all there was stay the same for long, those of a mean of all there was shrink too slowly.
    """
    quarter = len(fresh) // 4
    early, late = rows[(rows >= quarter) & (rows < 2 * quarter)], rows[rows >= 3 * quarter]
    if known.dtype == np.bool_ or fresh.dtype == np.bool_:
        return len(late) == 0 or len(late) < _FADES * len(early)
    if not len(late):
        return True
    if not len(early):
        return False
    apart = np.abs(known[late] - fresh[late])
    moving = np.abs(np.diff(apart)) > _SAME * apart[1:]
    shrunk = float(np.median(gaps(known, fresh, late))) < _FADES * float(np.median(gaps(known, fresh, early)))
    return shrunk and bool(moving.mean() > 0.5 if len(moving) else True)


def _judged(looks: list[Settling], needed: int) -> Settling:
    """Make one verdict of several starts: the worst, and never where it is chance that decides when it settles."""
    told = [one for one in looks if one.settles != "unknown"]
    takes = max((one.warm_up for one in told if one.settles == "yes"), default=0)
    told = [one for one in told if one.settles == "yes" or not takes or one.room * _SEEN > takes]
    if not told:
        return Settling()
    rows = [one.row for one in told if one.row is not None]
    worst = Settling(
        max((one.settles for one in told), key=_ORDER.index), max(one.warm_up for one in told),
        max(one.off for one in told), sum(one.spurious for one in told), sum(one.silent for one in told),
        min(rows, default=None),
    )  # fmt: skip
    first, last = min(one.warm_up for one in told), worst.warm_up
    by_chance = last > _ALIKE * first + 64 and last > 2 * needed
    if worst.settles == "never" and max(told, key=lambda one: one.room).settles != "never":
        worst.settles = "slowly"  # a shorter history cannot know
    if any(one.steps for one in told) and (by_chance or worst.settles == "slowly"):
        worst.settles = "never"
    return worst


def _with_flags(found: dict[str, Settling], flags: set[str]) -> None:
    """Judge flags by what they are made of: they settle with the columns, and one that outlasts those never does."""
    columns = [one for name, one in found.items() if name not in flags]
    longest = max((one.warm_up for one in columns if one.settles == "yes"), default=0)
    fades = any(one.settles == "slowly" for one in columns)
    never = any(one.settles == "never" for one in columns)
    for name in flags & found.keys():
        one = found[name]
        unsettled = one.settles in ("slowly", "never")
        if unsettled or (never and one.warm_up > longest + 1):
            one.settles = "slowly" if fades and not never else "never"
