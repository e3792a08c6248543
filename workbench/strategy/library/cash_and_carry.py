"""Cash and carry: hold the coin, sell the perpetual, and be paid the funding."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from workbench.errors import StrategyError
from workbench.strategy.helpers.legs import Leg, flatten, keep_legs
from workbench.strategy.helpers.timers import heard_all
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.parameters import param
from workbench.trading.events import Bar, Funded
from workbench.trading.view import View

__all__ = ["CashAndCarry"]

TAG: Final = "carry"
HOURS_A_YEAR: Final = 8_760.0


class CashAndCarry(OrderStrategy):
    """Long spot and short the same amount of the perpetual while longs pay shorts enough.

    **How it earns.** Those who want to be long with leverage pay funding to those who are short, every few hours. The
    coin that is held makes the short harmless: what one leg loses the other gains. A perpetual above spot (basis) that
    comes back is earned too.

    **When it loses.** When funding turns and stays negative; when costs of going in and out eat months of funding (four
    fees: the break-even is stated in the report); when the short is liquidated because its margin lies apart from the
    coin. Venues fail, too, and then both legs are not worth the same.

    **What it assumes.** One account that counts the coin as collateral (cross margin), or enough margin beside it.
    Rates as settled: the last ones known, never the next.

    Notes
    -----
    It enters when the mean of the last `settlements` funding rates, a year's worth, is at least `enter_rate`, and the
    basis (perpetual over spot) is not below `least_basis`; it leaves when that mean is below `leave_rate`. Of the money,
    `capital` is bound: the coin is paid by its leverage, the short by its own.
    """

    spot: str = param("", doc="symbol of the spot instrument; the first that is no perpetual when empty")
    perpetual: str = param("", doc="symbol of the perpetual; the first of the run when empty")
    capital: float = param(0.9, low=0.01, high=10.0, doc="fraction of the equity that both legs bind together")
    settlements: int = param(9, low=1, high=500, doc="funding rates whose mean counts")
    enter_rate: float = param(0.10, low=-1.0, high=10.0, doc="funding a year at which to enter, a fraction")
    leave_rate: float = param(0.0, low=-1.0, high=10.0, doc="funding a year below which to leave, a fraction")
    least_basis: float = param(-0.002, low=-0.1, high=0.1, doc="basis below which not to enter, a fraction")
    guard: float = param(0.001, low=0.0, high=0.05, doc="how much worse than the last price a leg may trade")

    def validate(self) -> None:
        """Hold the way out to be below the way in."""
        if self.leave_rate >= self.enter_rate:
            raise StrategyError(
                f"CashAndCarry: leave_rate = {self.leave_rate:g} must be below enter_rate = {self.enter_rate:g}, or it "
                "would leave as soon as it has entered"
            )

    def on_bar(self, view: View, bar: Bar) -> Any:
        """Enter, leave or mend once both instruments have closed their bars."""
        spot, perpetual = self._pair(view)
        if not heard_all(view, bar, (spot, perpetual)):
            return None
        memory = view.memory
        rate = self._rate(view, perpetual)
        held = view.quantity(spot) or view.quantity(perpetual)
        if memory.get("in"):
            if held and not rate < self.leave_rate:
                return keep_legs(view, self._legs(view, spot, perpetual), guard=self.guard, tag=TAG)
            memory["in"] = False
        if held:
            return flatten(view, (spot, perpetual), TAG)
        return self._enter(view, spot, perpetual, rate)

    def on_funding(self, view: View, funded: Funded) -> Any:
        """Count what was earned."""
        view.memory["earned"] = view.memory.get("earned", 0.0) + funded.amount

    def _pair(self, view: View) -> tuple[str, str]:
        kinds = {symbol: view.instrument(symbol).perpetual for symbol in view.symbols}
        spot = self.spot or next((symbol for symbol, perpetual in kinds.items() if not perpetual), "")
        perpetual = self.perpetual or next((symbol for symbol, perpetual in kinds.items() if perpetual), "")
        if kinds.get(spot, True) or not kinds.get(perpetual, False):
            raise StrategyError(
                f"CashAndCarry needs a spot instrument and a perpetual of the same coin; this run has {view.symbols}"
            )
        return spot, perpetual

    def _rate(self, view: View, perpetual: str) -> float:
        """Give the funding a year by the mean of the last settlements; NaN before there are enough."""
        interval = view.instrument(perpetual).funding_interval_h
        times, rates = view.bars("ts", perpetual), view.bars("funding", perpetual)
        periods = times // round(interval * 3_600_000.0)
        wanted = int(periods[-1]) - self.settlements + 1
        first = int(np.searchsorted(periods, wanted))
        known = rates[first:][np.append(np.diff(periods[first:]) > 0, True)]
        return float(np.mean(known)) * HOURS_A_YEAR / interval if len(known) == self.settlements else math.nan

    def _enter(self, view: View, spot: str, perpetual: str, rate: float) -> Any:
        coin, future = view.value("close", symbol=spot), view.value("close", symbol=perpetual)
        if not rate >= self.enter_rate or future / coin - 1.0 < self.least_basis or not view.equity > 0.0:
            return None
        bound = coin / view.leverage(spot) + future / view.leverage(perpetual)
        view.memory.update({"in": True, "size": self.capital * view.equity / bound})
        return keep_legs(view, self._legs(view, spot, perpetual), guard=self.guard, tag=TAG)

    def _legs(self, view: View, spot: str, perpetual: str) -> list[Leg]:
        size = view.memory["size"]
        return [
            Leg(symbol, sign * size / view.instrument(symbol).contract_size, view.value("close", symbol=symbol))
            for symbol, sign in ((spot, 1.0), (perpetual, -1.0))
        ]
