"""Look-ahead: what was said about a bar, once with the bars after it and once without them, compared."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from workbench.errors import WorkbenchError
from workbench.research.check.agreement import disagreements
from workbench.research.check.cuts import History, behind_signals, full_cuts, windows
from workbench.research.check.laboratory import Laboratory
from workbench.research.check.subject import Broke, Said

__all__ = ["Leak", "Touch", "Truncations", "bars_ahead", "truncate"]

_LONGEST_RERUN = 8_192


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
    tried : set of int
        Rows at which a history was cut.
    broke : dict of int to str
        Lengths of histories that the subject could not answer on, and why.
    """

    leaks: dict[str, Leak] = field(default_factory=dict)
    tried: set[int] = field(default_factory=set)
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
    _compare(lab, full_cuts(len(lab.bars), thorough), lab.whole, found)
    plan = windows(lab.bars, lab.whole, needed)
    for history in plan + (windows(lab.bars, lab.whole, needed, thorough=True) if thorough else []):
        try:
            said = lab.history(history.first, history.last)
        except Broke as error:
            found.broke[history.last - history.first] = str(error)
            continue
        more = behind_signals(history, said)
        _compare(lab, history._replace(cuts=(*history.cuts, *more)), said, found)
    return found


def _compare(lab: Laboratory, history: History, whole: Said, found: Truncations) -> None:
    for cut in history.cuts:
        if cut - history.first <= lab.subject.declared or cut >= history.last:
            continue
        try:
            said = lab.history(history.first, cut)
        except Broke as error:
            found.broke[cut - history.first] = str(error)
            continue
        found.tried.add(cut)
        for name, column in said.values.items():
            if name in whole.values and name not in lab.noisy:
                _note(name, column, whole, history._replace(cuts=(cut,)), found)


def _note(name: str, column: np.ndarray, whole: Said, history: History, found: Truncations) -> None:
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


def bars_ahead(lab: Laboratory, leak: Leak) -> int | None:
    """Give the fewest bars that change a leaking value when they are appended, by bisection.

    Returns
    -------
    int or None
        None where it could not be seen again.
    """
    first, cut = leak.history.first, leak.history.cuts[0]
    shorter = max(first, cut - _LONGEST_RERUN)
    for start in dict.fromkeys((shorter, first)):
        try:
            return _fewest(lab, leak, start, cut)
        except WorkbenchError:
            continue
    return None


def _fewest(lab: Laboratory, leak: Leak, start: int, cut: int) -> int | None:
    place = leak.row - start
    if place < 0:
        return None
    said = lab.history(start, cut).values[leak.name][place : place + 1]

    def changes(more: int) -> bool:
        values = lab.history(start, min(cut + more, leak.history.last)).values
        return leak.name in values and len(disagreements(said, values[leak.name][place : place + 1])) > 0

    most, step = leak.history.last - cut, 1
    while step < most and not changes(step):
        step *= 2
    low, high = step // 2, min(step, most)
    if high == most and not changes(most):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if changes(middle) else (middle, high)
    return high
