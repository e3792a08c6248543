"""Lines of the log about orders that were not sent, or were made smaller: no event tells of them.

The parity report reads their fields: "decided" with the code of a refusal, "reduced" with the limit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.trading.core import Core
from workbench.trading.gate import REJECTIONS

__all__ = ["Unsent"]


class Unsent:
    """Tells of the refusals and reductions of one core, each once.

    Parameters
    ----------
    core : Core
    log : callable
        `(level, category, text, fields)`, as `Journal.log`.
    """

    def __init__(self, core: Core, log: Callable[[str, str, str, dict[str, Any]], None]) -> None:
        self._core, self._log = core, log
        self._refused = self._decided = 0

    def skip(self) -> None:
        """Leave aside all that there is: it was told before."""
        self._refused = len(self._core.refusals)
        self._decided = len(self._core.risk.decisions) if self._core.risk is not None else 0

    def note(self) -> None:
        """Tell what is new."""
        core = self._core
        refusals = core.refusals
        for one in refusals[self._refused :]:
            self._log(
                "warning", "risk", f"{one.side} {one.symbol} was not sent: {REJECTIONS.get(one.code, one.code)}",
                {"code": one.code, "symbol": one.symbol, "side": one.side, "decided": one.ts},
            )  # fmt: skip
        decisions = core.risk.decisions if core.risk is not None else []
        for what in decisions[self._decided :]:
            if what.symbol and what.action == "reduce":
                self._log(
                    "warning", "risk", f"{what.side} {what.symbol} was made smaller by {what.limit}",
                    {"limit": what.limit, "symbol": what.symbol, "side": what.side, "reduced": what.ts},
                )  # fmt: skip
        self.skip()

    def let_go(self) -> None:
        """Take out of the core what has been told, so that it does not grow for as long as the bot lives."""
        self._core.refusals.clear()
        if self._core.risk is not None:
            self._core.risk.decisions.clear()
        self.skip()
