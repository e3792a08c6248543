"""What a journal says of a bot's orders and timers, kept in memory as the journal grows, so that it can be kept whole.

A clerk knows more than its journal: what is under way and until when it waits. A bot that is made anew knows only what
the journal says. This is that knowledge, made entry by entry of the very words that a replay goes through, so that a
snapshot of it and a replay of all entries give the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.bots.clerk_lines import Patience
from workbench.bots.clerk_memory import Memory
from workbench.trading.core import Traded
from workbench.trading.events import Action, Event, SetTimer, Timer

__all__ = ["Recalled"]


class Recalled(Memory):
    """What a journal says of orders and timers.

    Parameters
    ----------
    markets : mapping of symbol to Traded
    patience : Patience, optional
        As the clerk has it that is to know this after a restart.

    Attributes
    ----------
    timers : dict of name to ts
        Those that were set and have not come.
    """

    def __init__(self, markets: Mapping[str, Traded], patience: Patience | None = None) -> None:
        super().__init__(markets, patience)
        self.timers: dict[str, int] = {}

    def note(self, entry: Event | Action) -> None:
        """Take in what was written down."""
        kind = type(entry)
        if kind is SetTimer:
            self.timers[entry.name] = entry.ts  # type: ignore[union-attr]
        elif kind is Timer:
            self.timers.pop(entry.name, None)  # type: ignore[union-attr]
        else:
            self.recall(entry)

    def let_go(self, now: int, seen: int) -> None:
        """Forget what the clerk has forgotten, or will; `seen` is up to when it knows everything (ms UTC)."""
        self.seen = max(self.seen, seen)
        self._forget(self._known_to(now) - max(self.patience.keep_ms, self.patience.overlap_ms))

    def snapshot(self) -> dict[str, Any]:
        """Give all of it as plain data for JSON."""
        return {**super().snapshot(), "timers": dict(self.timers)}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up what `snapshot` gave."""
        super().restore(data)
        self.timers = dict(data["timers"])
