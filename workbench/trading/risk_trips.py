"""Round trips of each instrument: how many were lost in a row, and until when it is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.risk.limits.bounds import Bound, Limits
from workbench.trading.events import Filled

if TYPE_CHECKING:
    from workbench.trading.core import Core

__all__ = ["Trips"]


class Trips:
    """The round trips of one core."""

    __slots__ = ("_before", "begun", "blocked", "core", "streak")

    def __init__(self, core: Core) -> None:
        self.core = core
        self.streak: dict[str, int] = {}
        self.blocked: dict[str, int] = {}
        self.begun: dict[str, float] = {}
        self._before = 0.0

    def before(self, fill: Filled) -> None:
        """Look at a position before a fill."""
        held = self.core.account.position(fill.symbol, fill.leg)
        self._before = held.quantity
        if held.quantity == 0.0:
            self.begun[f"{fill.symbol} {fill.leg}"] = held.realised - held.fees + held.funding

    def after(self, fill: Filled, limits: Limits, now: int) -> None:
        """Look at it again: a trip that has ended is won or lost."""
        held = self.core.account.position(fill.symbol, fill.leg)
        if self._before == 0.0 or held.quantity * self._before > 0.0:
            return
        key = f"{fill.symbol} {fill.leg}"
        worth = held.realised - held.fees + held.funding
        lost = worth < self.begun.get(key, worth)
        self.begun[key] = worth
        self.streak[fill.symbol] = self.streak.get(fill.symbol, 0) + 1 if lost else 0
        bound = limits.losing_trades
        if isinstance(bound, Bound) and self.streak[fill.symbol] >= bound.at:
            self.blocked[fill.symbol] = now + limits.losing_pause_ms

    def losing(self, symbol: str, now: int) -> float:
        """Give the losing trades in a row of an instrument; none once its pause is over."""
        end = self.blocked.get(symbol)
        if end is not None and now >= end:
            return 0.0
        return float(self.streak.get(symbol, 0))

    def pass_time(self, now: int) -> None:
        """End the pauses that are over."""
        for symbol in [name for name, end in self.blocked.items() if now >= end]:
            del self.blocked[symbol]
            self.streak[symbol] = 0

    def snapshot(self) -> list[Any]:
        """Give everything as plain data."""
        return [dict(self.streak), dict(self.blocked), dict(self.begun)]

    def restore(self, data: Any) -> None:
        """Take up what `snapshot` gave."""
        self.streak, self.blocked, self.begun = (dict(one) for one in data)
