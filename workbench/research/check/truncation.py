"""Look-ahead: what was said about a bar, once with the bars after it and once without them, compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from workbench.research.check.agreement import Column, disagreements
from workbench.research.check.cuts import History, full_cuts, more_cuts, windows
from workbench.research.check.laboratory import Laboratory
from workbench.research.check.subject import Broke, Said
from workbench.research.check.watching import Depth

__all__ = ["Change", "Leak", "Touch", "Truncations", "smallest_change", "truncate"]

_LONGEST_RERUN: Final = 8_192
_SHORTEST: Final = 2


@dataclass(frozen=True)
class Touch:
    """One shorter history, rows `first` to `cut`, in which a column was different from row `earliest` on."""

    first: int
    cut: int
    earliest: int

    @property
    def reach(self) -> int:
        """How many bars back from the cut something changed."""
        return self.cut - self.earliest


@dataclass
class Leak:
    """One column that changes when bars are appended.

    Attributes
    ----------
    name : str
    row : int
        The first row of the whole history that was seen to change.
    before, after : float
        Its value without and with the later bars.
    history : History
        In which it was seen; `history.cuts` is the one cut.
    touches : list of Touch
    """

    name: str
    row: int
    before: float
    after: float
    history: History
    touches: list[Touch] = field(default_factory=list)


@dataclass
class Truncations:
    """All that truncation has shown.

    Attributes
    ----------
    leaks : dict of Leak, by column
    tried : dict of set of int, by column
        Rows at which a history was cut.
    broke : dict of int to str
        Lengths of histories that the subject could not answer on, and why.
    """

    leaks: dict[str, Leak] = field(default_factory=dict)
    tried: dict[str, set[int]] = field(default_factory=dict)
    broke: dict[int, str] = field(default_factory=dict)


def truncate(lab: Laboratory, needed: int, thorough: bool = False) -> Truncations:
    """Cut histories as `cuts` says, and compare.

    Parameters
    ----------
    lab : Laboratory
    needed : int
        Bars before the values of most columns are there.
    thorough : bool
        Cut every bar of the last two thousand, too.
    """
    found = Truncations()
    _compare(lab, full_cuts(len(lab.bars), thorough), lab.whole, found, "deep")
    plan = windows(lab.bars, lab.whole, needed)
    for history in plan + (windows(lab.bars, lab.whole, needed, thorough=True) if thorough else []):
        try:
            said = lab.history(history.first, history.last, "light")
        except Broke as error:
            found.broke[history.last - history.first] = str(error)
            continue
        more = more_cuts(history, said, lab.bars.ts)
        _compare(lab, history._replace(cuts=(*history.cuts, *more)), said, found, "light")
    return found


def _compare(lab: Laboratory, history: History, whole: Said, found: Truncations, depth: Depth) -> None:
    for cut in history.cuts:
        if cut - history.first <= lab.subject.declared or cut >= history.last:
            continue
        try:
            said = lab.history(history.first, cut, depth)
        except Broke as error:
            found.broke[cut - history.first] = str(error)
            continue
        for name, column in said.values.items():
            known = name in whole.values and name not in lab.noisy
            if known and said.lines.get(name) == whole.lines.get(name):
                found.tried.setdefault(name, set()).add(cut)
                _note(name, column, whole, history._replace(cuts=(cut,)), found)


def _note(name: str, column: Column, whole: Said, history: History, found: Truncations) -> None:
    longer = whole.values[name]
    rows = disagreements(column, longer[: len(column)])
    if not len(rows):
        return
    row, cut = int(rows[0]) + history.first, history.cuts[0]
    leak = found.leaks.get(name)
    if leak is None or row < leak.row:
        touches = [] if leak is None else leak.touches
        leak = Leak(name, row, float(column[rows[0]]), float(longer[rows[0]]), history, touches)
        found.leaks[name] = leak
    leak.touches.append(Touch(history.first, cut, row))


@dataclass(frozen=True)
class Change:
    """One leaking value: what it was in the history from `first` to `cut`, and with `ahead` more bars."""

    first: int
    cut: int
    ahead: int
    before: float
    after: float


def smallest_change(lab: Laboratory, leak: Leak) -> Change | None:
    """Give the fewest bars that change a leaking value when they are appended, by bisection.

    The history ends at the bar itself where its value is another one then, and else where the leak was seen.

    Returns
    -------
    Change or None
        None where it could not be seen again.
    """
    first, cut = leak.history.first, leak.history.cuts[0]
    for start in dict.fromkeys((max(first, leak.row + 1 - _LONGEST_RERUN), first)):
        for end in dict.fromkeys((leak.row + 1, cut)):
            try:
                found = _fewest(lab, leak, start, end)
            except Broke:
                continue
            if found is not None:
                return found
    return None


def _fewest(lab: Laboratory, leak: Leak, start: int, cut: int) -> Change | None:
    place = leak.row - start
    if cut - start < _SHORTEST:
        return None

    def value(more: int) -> Column:
        values = lab.history(start, min(cut + more, leak.history.last)).values.get(leak.name)
        return np.full(1, np.nan) if values is None else values[place : place + 1]

    was, most, step = value(0), leak.history.last - cut, 1
    while step < most and not len(disagreements(was, value(step))):
        step *= 2
    low, high = step // 2, min(step, most)
    if high == most and not len(disagreements(was, value(most))):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if len(disagreements(was, value(middle))) else (middle, high)
    return Change(start, cut, high, float(was[0]), float(value(high)[0]))
