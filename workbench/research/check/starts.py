"""Warm-up and start dependence: the same bars, in histories that begin later.

A column has settled when a history that begins later says what the long history says. How many bars that takes is its
warm-up, to a tolerance of a millionth: less than a tick of most prices, about 7 lengths of an exponential mean and 14
of one of Wilder's, whose seed fades and never goes. What has not settled when all bars are used up, and does not come
closer either, depends on where history starts: running totals, levels of volume, all-time highs, ranks of all there was.
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

Settles = Literal["yes", "slowly", "never", "unknown"]


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
    """

    settles: Settles = "unknown"
    warm_up: int = 0
    off: float = 0.0
    spurious: int = 0
    silent: int = 0
    row: int | None = None


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
    found: dict[str, Settling] = {}
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
                    _merge(found.setdefault(name, Settling()), one)
            span *= _WIDER
    return found


def _look(lab: Laboratory, said: Said, name: str, start: int, tolerance: float) -> Settling:
    """Compare one column of a later start with the long history."""
    fresh = said.values[name]
    known = lab.whole.values[name][start : start + len(fresh)]
    comparable = _comparable(known, fresh)
    if not comparable.any():
        return Settling()
    rows = disagreements(known, fresh, tolerance)
    rows = rows[comparable[rows]]
    one = Settling("yes", int(rows[-1]) + 1 if len(rows) else 0)
    if one.warm_up * 2 > len(fresh):
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


def _fades(known: Column, fresh: Column, rows: NDArray[np.int64]) -> bool:
    """Tell whether the differences of the last quarter are much smaller, or rarer, than those of the second."""
    quarter = len(fresh) // 4
    early, late = rows[(rows >= quarter) & (rows < 2 * quarter)], rows[rows >= 3 * quarter]
    if known.dtype == np.bool_ or fresh.dtype == np.bool_:
        return len(late) == 0 or len(late) < _FADES * len(early)
    if not len(late):
        return True
    if not len(early):
        return False
    return float(np.median(gaps(known, fresh, late))) < _FADES * float(np.median(gaps(known, fresh, early)))


_ORDER: Final[tuple[Settles, ...]] = ("unknown", "yes", "slowly", "never")


def _merge(kept: Settling, one: Settling) -> None:
    """Keep the worst of several starts."""
    kept.settles = max(kept.settles, one.settles, key=_ORDER.index)
    kept.warm_up = max(kept.warm_up, one.warm_up)
    kept.off = max(kept.off, one.off)
    kept.spurious += one.spurious
    kept.silent += one.silent
    kept.row = one.row if kept.row is None else min(kept.row, one.row if one.row is not None else kept.row)
