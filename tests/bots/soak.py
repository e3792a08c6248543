"""A world for a long time: a real journal on disk, states kept and taken up, and what all of it holds, measured.

`weigh` goes through everything that a bot can reach and says how many bytes hang at which attribute, so that what grows
is named; `slopes` says by how much.
"""

from __future__ import annotations

import gc
import sys
import types
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tests.bots.world import MINUTE, World
from workbench.bots.clerk import Clerk, Patience
from workbench.bots.journal import Journal
from workbench.bots.mind import Mind
from workbench.bots.noting import Refusals
from workbench.bots.quick_start import QuickStart
from workbench.bots.shell import Shell
from workbench.trading.events import Action, Event
from workbench.trading.minding import Minder

ROOMS = ("workbench.bots.", "workbench.trading.", "workbench.risk.")
"""Where the classes are whose instances are counted, whoever holds them."""
HISTORY = ("_columns", "_named", "rates", "_cells")
"""Where the bars of a bot are, which it keeps all: a signal strategy is asked on all since the first."""

LAST = ("fundings._held.changes",)
"""The last so many fills, by which a bot knows its funding; there are not that many in a few hours."""
_APART = (type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType, str, bytes)


def weigh(**roots: Any) -> Counter[str]:
    """Give how many bytes hang at every attribute that can be reached, each thing where the way to it is shortest.

    What is in a list or a dict counts where that is.
    """
    seen: set[int] = set()
    found: Counter[str] = Counter()
    waiting = deque((root, name) for name, root in roots.items())
    while waiting:
        one, path = waiting.popleft()
        if id(one) in seen:
            continue
        seen.add(id(one))
        found[path] += one.nbytes if isinstance(one, np.ndarray) else sys.getsizeof(one)
        if isinstance(one, Mapping):
            waiting.extend((part, path) for pair in one.items() for part in pair)
        elif isinstance(one, (list, tuple, set, frozenset, deque)):
            waiting.extend((part, path) for part in one)
        elif not isinstance(one, _APART):
            waiting.extend((part, f"{path}.{label}") for label, part in _attributes(one))
    return found


def _attributes(one: Any) -> Iterable[tuple[str, Any]]:
    if str(type(one).__module__).partition(".")[0] not in ("workbench", "tests"):
        return  # a library's: what it holds is its own affair
    yield from getattr(one, "__dict__", {}).items()
    for kind in type(one).__mro__:
        for label in getattr(kind, "__slots__", ()):
            if label not in ("__dict__", "__weakref__") and hasattr(one, label):
                yield label, getattr(one, label)


def slopes(rows: list[dict[str, float]], least: float = 0.0) -> dict[str, float]:
    """Give by how much everything grows per 1,000 bars, by least squares; only what grows by more than `least`."""
    names = {name for row in rows for name in row} - {"bars"}
    at = [row["bars"] / 1_000.0 for row in rows]
    found = {name: float(np.polyfit(at, [row.get(name, 0.0) for row in rows], 1)[0]) for name in sorted(names)}
    return {name: value for name, value in found.items() if value > least}


def grown(rows: list[dict[str, float]], ratio: float, least: float) -> dict[str, tuple[float, float]]:
    """Give what is more in the last third than in the second, the most of each, bars apart."""
    third = len(rows) // 3
    found = {}
    for name in {name for row in rows for name in row}:
        before, after = (max(row.get(name, 0.0) for row in part) for part in (rows[third:-third], rows[-third:]))
        if after > ratio * before + least and not name.endswith((*HISTORY, *LAST)):
            found[name] = (before, after)
    return {name: pair for name, pair in sorted(found.items()) if name not in ("bars", "rss", "total")}


class Soak(World):
    """A world whose bot has a journal on disk, keeps its state there, and ends and begins again now and then.

    Parameters
    ----------
    folder : path
        For the journal.
    minutes : int
        Of market time.
    every : int
        After how many bars all is measured.
    lives : int
        How many processes there are, one after the other.
    patience : Patience
    """

    cash = 100_000_000.0  # it is to trade to the end
    look_ms = MINUTE  # as runners do

    def __init__(
        self, folder: Path, minutes: int, *, every: int, lives: int, patience: Patience, seed: int = 8
    ) -> None:
        super().__init__(seed, minutes, kills=0)
        self.keeps = False
        self.folder, self.every, self.patience = folder, every, patience
        self.rows: list[dict[str, float]] = []
        self.said: list[str] = []
        self.book: Any = None
        self._ends = [minutes * number // lives for number in range(1, lives)]

    def start(self) -> None:
        self.book = Journal.open(self.folder / "soak.sqlite", "soak", clock=lambda: self.now)
        mind = Mind(self._plan, name=f"fidget {self.seed}")
        mind.core.minder = Minder(mind.core)
        self.shell = shell = Shell(mind, Clerk(mind.core.markets, self.patience), self.write)
        shell.clerk.dates = lambda order: self.venue.dated
        self.refusals = Refusals(mind.core, self.book.log)
        self.quick = QuickStart(shell, self.book, lambda level, text, fields: self.said.append(text))
        if self.book.position == 0:
            self.be_new(shell)
        else:
            self.restarted.append(self.now)
            self.quick.recover(self.now)
            self.told = int(np.searchsorted(self.bars.ts, mind.closed(self.bars.symbol), side="right"))
        self.look()
        self.send()
        self._every()

    def write(self, entry: Event | Action, durable: bool) -> None:
        self.book.write(entry, durable)

    def entries(self) -> list[Any]:
        return [one.record for one in self.book.entries()]

    def _live(self, shell: Shell, ts: int) -> None:
        told = self.told
        super()._live(shell, ts)
        self.refusals.note()
        self.refusals.let_go()
        if self.quick.due:
            self.quick.keep()
        if self.told > told and self.told % self.every == 0:
            self.rows.append(self.measure())
        if self._ends and self.told >= self._ends[0]:
            del self._ends[0]
            self.life += 1
            self.book.close()
            self._begin()

    def measure(self) -> dict[str, float]:
        """Give what the bot and its process hold."""
        shell, mine = self.shell, psutil.Process()
        assert shell is not None
        held = weigh(shell=shell, quick=self.quick, refusals=self.refusals)
        kinds = Counter(type(one).__name__ for one in gc.get_objects() if str(type(one).__module__).startswith(ROOMS))
        return {
            "bars": float(self.told), "total": float(held.total()), "files": float(mine.num_fds()),
            "rss": float(mine.memory_info().rss), "lines": float(len(shell.clerk.lines)),
            **held, **{f"a {kind}": float(count) for kind, count in kinds.items()},
        }  # fmt: skip
