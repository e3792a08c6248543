"""The quick start of a bot: its state is kept in the journal now and then, and only what came after is gone through.

A snapshot is taken up where it is as it was sealed, of the same strategy, settings and workbench, and where the bars
before it are those that it was made on; else an older one is, or the whole journal is gone through again. The state is
the same either way.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from workbench.backtest.plan import Plan
from workbench.bots.journal import Journal
from workbench.bots.journal.lookup import good_snapshots, last_of, told_before
from workbench.bots.shell import Shell
from workbench.errors import DataError, WorkbenchError

__all__ = ["QuickStart", "is_plain", "making_of"]

FORMAT: Final = 2
EVERY: Final = 500
"""After how many entries the state is kept again."""
_BARS: Final = ("Bar", "Learnt", "Rated")
_WRONG: Final = (WorkbenchError, AttributeError, IndexError, KeyError, TypeError, ValueError)


def making_of(plan: Plan) -> str:
    """Give a hash of all that makes a bot act as it does: workbench, strategy and its code, markets, money, rules."""
    from workbench import __version__

    strategy = plan.strategy
    told = [
        __version__, getattr(strategy, "code_hash", ""), strategy, plan.cash, plan.account, plan.sizing, plan.limits,
        plan.guards, plan.max_positions,
        [(one.bars.instrument, str(one.bars.timeframe), one.lots, one.costs, one.leverage) for one in plan.lines],
        [(one.instrument, str(one.timeframe)) for one in plan.extra],
    ]  # fmt: skip
    return hashlib.sha256("\n".join(map(repr, told)).encode()).hexdigest()[:32]


def is_plain(value: Any) -> bool:
    """Tell whether a value comes back from JSON as it went in: no tuples, no keys but text, nothing but plain data.

    Examples
    --------
    >>> is_plain({"a": [1, 2.5, None]}), is_plain({1: "a"}), is_plain((1, 2))
    (True, False, False)
    """
    if isinstance(value, dict):
        return all(type(key) is str and is_plain(one) for key, one in value.items())
    if type(value) is list:
        return all(map(is_plain, value))
    return value is None or isinstance(value, (str, bool, int, float, np.generic))


class QuickStart:
    """Keeps the state of a shell in its journal, and takes it up again.

    Parameters
    ----------
    shell : Shell
    journal : Journal
    log : callable
        `(level, text, fields)`: told how the bot was made again, or why not by a snapshot.

    Attributes
    ----------
    allowed : bool
        False from when on the state is no more what the journal leads to: an event could not be dealt with.
    """

    def __init__(self, shell: Shell, journal: Journal, log: Callable[[str, str, dict[str, Any]], None]) -> None:
        self._shell, self._journal, self._log = shell, journal, log
        self._making = making_of(shell.mind.plan)
        self._kept_at = journal.position
        self.allowed = True

    # keeping

    @property
    def due(self) -> bool:
        """Whether so much has been written since the last time that the state is to be kept again."""
        return self._journal.position >= self._kept_at + EVERY

    def keep(self) -> bool:
        """Keep the state, between two events; tell whether it was kept."""
        self._kept_at = self._journal.position
        mind = self._shell.mind
        # also where nothing is kept, else it would only ever grow
        self._shell.recalled.let_go(mind.core.now, self._shell.clerk.seen)
        if not self.allowed:
            return False
        if not is_plain(mind.core.view.memory):
            self.allowed = False
            self._log(
                "warning",
                "what the strategy remembers cannot be kept as it is (view.memory: lists, and dicts with names as "
                "keys): after a restart the whole journal is gone through",
                {},
            )
            return False
        state = {"format": FORMAT, "making": self._making, "sums": mind.sums(), **self._shell.snapshot()}
        try:
            self._journal.save_snapshot(state)
        except DataError as error:
            if "cause" not in error.fields:
                self.allowed = False
            self._log("warning", f"the state of the bot was not kept: {error}", {})
            return False
        self._kept_at = self._journal.position
        return True

    # taking up

    def recover(self, now: int) -> None:
        """Make the shell what the journal says.

        Raises
        ------
        DataError
            The journal is not as it was written, not of this bot, or its beginning was removed and no snapshot fits.
        StrategyError
            The strategy raises at what the journal tells.
        """
        began = time.perf_counter()
        after, whys = self._restore()
        rest = [one.record for one in self._journal.entries(after)]
        try:
            self._shell.recover(rest, now)
        except WorkbenchError as error:
            error.add_note(f"while the journal {self._journal.name!r} was gone through after entry {after:,}")
            raise
        if not after and not rest:
            return
        took = time.perf_counter() - began
        how = f"taken up as of entry {after:,}, and" if after else "made again:"
        why = f" ({'; '.join(whys)})" if whys else ""
        self._log(
            "warning" if whys else "info",
            f"the bot was {how} {len(rest):,} entries gone through, in {took:.2f} s{why}",
            {"snapshot": after, "entries": len(rest), "seconds": round(took, 3)},
        )

    def _restore(self) -> tuple[int, list[str]]:
        """Take up the newest snapshot that fits; give the place after which to go on, and why others do not fit."""
        whys: list[str] = []
        for found, wrong in good_snapshots(self._journal):
            if found is None:
                whys.append(wrong)
                continue
            why = self._fits(found.data) or self._take_up(found.position, found.data)
            if not why:
                return found.position, whys
            whys.append(f"the state after entry {found.position:,} is no use: {why}")
        return 0, whys

    def _fits(self, data: dict[str, Any]) -> str:
        if data.get("format") != FORMAT:
            return f"it is of format {data.get('format')!r}, this workbench reads {FORMAT}"
        if data.get("making") != self._making:
            return "strategy, settings or workbench have changed since"
        return ""

    def _take_up(self, position: int, data: dict[str, Any]) -> str:
        shell = self._shell
        blank, risk = shell.snapshot(), shell.mind.core.risk
        try:
            bars: Iterator[Any] = told_before(self._journal, _BARS, position)
            if not shell.mind.refill(bars, data["sums"]):
                return "the bars before it are not those that it was made on"
            shell.restore(data)
        except _WRONG as error:
            shell.mind.empty()
            shell.restore(blank)
            shell.mind.core.risk = risk
            return f"it cannot be read ({type(error).__name__}: {error})"
        return ""

    def last_state(self) -> tuple[str, str]:
        """Give the state that the bot was in at the end of the journal, and why; before it is made again."""
        found = last_of(self._journal, ["Moved"])
        return (found[0].record.state, found[0].record.reason) if found else ("", "")
