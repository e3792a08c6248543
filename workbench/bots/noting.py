"""What the core refused or made smaller, written into the log: no event tells of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from workbench.trading.core import Core
from workbench.trading.gate import REJECTIONS

__all__ = ["Refusals"]

_SMALLER: Final = {
    "first_orders_small": "it is one of the first since the bot was armed",
    "not_armed": "the bot is not armed, so it only closes",
}
Log = Callable[[str, str, str, dict[str, Any]], Any]


class Refusals:
    """Which orders of one core were not sent, or were made smaller by limits, each written down once.

    Parameters
    ----------
    core : Core
    log : callable
        `(level, category, text, fields)`, such as `Journal.log`.
    """

    def __init__(self, core: Core, log: Log) -> None:
        self._core, self._log = core, log
        self._refused = self._decided = 0

    def skip(self) -> None:
        """Pass over what has happened so far: it was written down when it did."""
        self._refused, self._decided = len(self._core.refusals), len(self._decisions)
        if self._core.arming is not None:
            self._core.arming.smaller.clear()

    @property
    def _decisions(self) -> list[Any]:
        return self._core.risk.decisions if self._core.risk is not None else []

    @property
    def _reduced(self) -> dict[str, tuple[float, float]]:
        return self._core.risk.smaller if self._core.risk is not None else {}

    def note(self) -> None:
        """Write down what has come since."""
        if len(self._core.refusals) > self._refused:
            for one in self._core.refusals[self._refused :]:
                said = f"{one.side} {one.symbol} was not sent: {REJECTIONS.get(one.code, one.code)}"
                about = {"code": one.code, "symbol": one.symbol, "side": one.side, "decided": one.ts}
                self._log("warning", "risk", said, about)
            self._refused = len(self._core.refusals)
        decisions = self._decisions
        for what in decisions[self._decided :]:
            if what.symbol and what.action == "reduce":
                above = "" if math.isnan(what.value) else f", {what.value:,.4g} where {what.threshold:,.4g} is the most"
                why = f"by the limit {what.limit} of the {what.scope}{above}"
                about = {"limit": what.limit, "symbol": what.symbol, "side": what.side, "reduced": what.ts}
                found = self._reduced.get(what.order)
                if found is None:  # nothing was left of it
                    said = f"{what.side} {what.symbol} was made smaller {why}"
                else:
                    said = f"{_smaller(what, *found)}, {why}"
                    about |= {"wanted": found[0], "allowed": found[1]}
                self._log("warning", "risk", said, about)
        self._decided = len(decisions)
        arming = self._core.arming
        for small in () if arming is None else arming.smaller:
            said = f"{_smaller(small, small.wanted, small.allowed)}: {_SMALLER[small.why]}"
            about = {"limit": small.why, "symbol": small.symbol, "side": small.side, "reduced": small.ts}
            about |= {"wanted": small.wanted, "allowed": small.allowed}
            self._log("warning", "risk", said, about)
        if arming is not None:
            arming.smaller.clear()

    def let_go(self) -> None:
        """Take out of the core what has been written down, so that it does not grow for as long as a bot lives."""
        self._core.refusals.clear()
        self._decisions.clear()
        self._reduced.clear()
        self.skip()


def _smaller(one: Any, wanted: float, allowed: float) -> str:
    return f"{one.side} {one.symbol} was made smaller, from {wanted:,.8g} to {allowed:,.8g}"
