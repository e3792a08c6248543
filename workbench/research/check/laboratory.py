"""The laboratory: asks a subject about any history, each time as if for the first time.

What the subject remembers is put back before each question where it has been seen to remember, and random generators
that all share are seeded where it has been seen to draw; so that what is found about the future is not really about
memory or chance. When the laboratory is closed, everything is as it was found.
"""

from __future__ import annotations

import random
import warnings
from typing import Any, Final

import numpy as np

from workbench.market.bars import COLUMNS, Bars
from workbench.research.check.agreement import disagreements
from workbench.research.check.state import Keeper
from workbench.research.check.subject import Said, Subject
from workbench.research.check.watching import Depth

__all__ = ["Laboratory", "differing"]

_SEED: Final = 20_240_229
_COLUMNS: Final = ("ts", *COLUMNS)


class Laboratory:
    """A context in which one subject is asked.

    Parameters
    ----------
    subject : Subject
    bars : Bars
        The whole history.

    Attributes
    ----------
    whole : Said
        About the whole history, as said at first.
    runs : int
        Questions so far.
    spoiled : dict of str to int
        Columns of the bars that were written into, and the first row; they are mended at once.
    noisy : set of str
        Names that differ from one call to the next even so; nothing else is concluded from them.
    """

    def __init__(self, subject: Subject, bars: Bars) -> None:
        self.subject, self.bars = subject, bars
        self.keeper = Keeper(subject.authored, subject.target)
        self.remembers = self.draws = False
        self.runs = 0
        self.noisy: set[str] = set()
        self.whole = Said({})
        self._generators: Any = None
        self._quiet = warnings.catch_warnings()
        self._pristine = {name: getattr(bars, name).copy() for name in _COLUMNS}
        self.spoiled: dict[str, int] = {}

    def __enter__(self) -> Laboratory:
        self._generators = (random.getstate(), np.random.get_state(legacy=False))
        self._quiet.__enter__()
        warnings.simplefilter("ignore")  # a short history makes means of nothing and divisions by zero
        return self

    def __exit__(self, *_: object) -> None:
        self._quiet.__exit__(None, None, None)
        self.keeper.restore()
        random.setstate(self._generators[0])
        np.random.set_state(self._generators[1])

    def say(self, bars: Bars, depth: Depth = "deep") -> Said:
        """Ask afresh.

        Raises
        ------
        Broke
            The subject cannot answer on these bars.
        """
        if self.remembers:
            self.keeper.restore()
        if self.draws:
            random.seed(_SEED)
            np.random.seed(_SEED)
        return self.ask(bars, depth)

    def ask(self, bars: Bars, depth: Depth = "deep") -> Said:
        """Ask as things are, with whatever is remembered."""
        self.runs += 1
        try:
            return self.subject.say(bars, depth)
        finally:
            if self.spoiled or len(bars) == len(self.bars):
                self._mend()

    def _mend(self) -> None:
        """Note what was written into the bars, and undo it."""
        for name, kept in self._pristine.items():
            column = getattr(self.bars, name)
            if not np.array_equal(kept, column):
                self.spoiled.setdefault(name, int(np.flatnonzero(kept != column)[0]))
                column.flags.writeable = True
                column[:] = kept
                column.flags.writeable = False

    def history(self, first: int, last: int, depth: Depth = "deep") -> Said:
        """Ask about some of the bars."""
        return self.say(self.bars[first:last], depth)

    def drew(self) -> bool:
        """Tell whether a shared random generator has moved since the laboratory was opened."""
        before, now = self._generators[1]["state"], np.random.get_state(legacy=False)["state"]
        moved = now["pos"] != before["pos"] or not np.array_equal(now["key"], before["key"])
        return moved or random.getstate() != self._generators[0]


def differing(one: Said, other: Said) -> list[str]:
    """Give the names whose columns differ between two answers about the same bars, or that only one has."""
    names = [*one.values, *(name for name in other.values if name not in one.values)]
    return [
        name
        for name in names
        if name not in one.values
        or name not in other.values
        or len(disagreements(one.values[name], other.values[name])) > 0
    ]
