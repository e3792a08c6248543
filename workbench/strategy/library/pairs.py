"""Pairs: two instruments that go together, traded against each other when they have come apart."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import StrategyError
from workbench.strategy.helpers.legs import Leg, flatten, keep_legs
from workbench.strategy.helpers.timers import heard_all
from workbench.strategy.library.arbitrage import both
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.parameters import param
from workbench.trading.events import Bar
from workbench.trading.view import View

__all__ = ["Pairs", "Relation", "relation"]

TAG: Final = "pairs"


class Relation(NamedTuple):
    """How two price series went together: log y = intercept + ratio x log x + spread.

    `deviation` of the spread; `statistic` of the Engle-Granger test (the more negative, the surer that the spread comes
    back); `half_life` in bars of what it takes to come back half way, infinity where it does not.
    """

    ratio: float
    intercept: float
    deviation: float
    statistic: float
    half_life: float


def relation(y: NDArray[Any], x: NDArray[Any]) -> Relation:
    """Measure how two series of prices went together.

    Parameters
    ----------
    y, x : float array, shape (n,)
        Prices above zero of the same bars, n at least 10.

    Returns
    -------
    Relation
        NaN in all where one of them did not move.

    Notes
    -----
    Least squares on logarithms, then the Dickey-Fuller regression of the spread's change on the spread before, without
    constant: R. Engle, C. Granger, Co-integration and Error Correction, Econometrica 55 (1987), the two-step test
    without lags. Critical values: MacKinnon, Critical Values for Cointegration Tests (2010): -3.34 at 5 % for two
    series. Half-life: ln 2 / -ln(1 + slope).

    Examples
    --------
    >>> x = np.exp(np.linspace(0.0, 1.0, 50))
    >>> noise = 0.01 * np.array([1.0, -1.0] * 25)
    >>> found = relation(np.exp(0.5 + 2.0 * np.log(x) + noise), x)
    >>> round(found.ratio, 1), found.statistic < -3.34, found.half_life < 1.0
    (2.0, True, True)
    """
    a, b = np.log(y), np.log(x)
    centred = b - b.mean()
    spread_of = float(centred @ centred)
    if not spread_of > 0.0 or not float(np.ptp(a)) > 0.0:
        return Relation(*[math.nan] * 5)
    ratio = float(centred @ (a - a.mean())) / spread_of
    intercept = float(a.mean() - ratio * b.mean())
    spread = a - intercept - ratio * b
    deviation = float(spread.std())
    before, change = spread[:-1], np.diff(spread)
    power = float(before @ before)
    if not power > 0.0:
        return Relation(ratio, intercept, 0.0, math.nan, math.nan)
    slope = float(before @ change) / power
    left = change - slope * before
    error = math.sqrt(float(left @ left) / (len(left) - 1) / power)
    half_life = math.inf if slope >= 0.0 else 0.0 if slope <= -1.0 else math.log(2.0) / -math.log1p(slope)
    return Relation(ratio, intercept, deviation, slope / error if error > 0.0 else math.nan, half_life)


class Pairs(OrderStrategy):
    """Buy the spread of two cointegrated instruments when it is far below its mean, sell it when it is far above.

    **How it earns.** Two prices that are driven by the same thing come apart by chance and come back. It is long one
    and short the other, so what drives both does not matter.

    **When it loses.** When what bound them ends: a merger, a scandal, a new business. The spread then walks away and
    `stop` is all there is. Many pairs that were cointegrated in the past were so by chance.

    **What it assumes.** That one of them can be sold short, at no cost for borrowing; that the relation measured over
    `window` bars holds for the next ones. It is measured on past bars only, anew on every bar until a trade is entered.

    Notes
    -----
    Score: (log y - intercept - ratio x log x) / deviation, with the relation of the `window` bars before this one. A
    trade keeps the relation that it was entered with. Sizes: `ratio` units of money in x for each in y. After a stop no
    new trade begins before the score has come back inside `leave`.
    """

    first: str = param("", doc="symbol of y; the first instrument of the run when empty")
    second: str = param("", doc="symbol of x; the second of the run when empty")
    window: int = param(250, low=20, high=5000, doc="bars that the relation is measured on")
    entry: float = param(2.0, low=0.5, high=6.0, doc="score at which to enter, in deviations")
    leave: float = param(0.5, low=-2.0, high=5.0, doc="score at which to leave")
    stop: float = param(4.0, low=1.0, high=20.0, doc="score at which it was wrong")
    critical: float | None = param(-3.34, low=-10.0, high=0.0, doc="Engle-Granger statistic that it must be below")
    max_half_life: float | None = param(None, low=0.1, high=5000.0, doc="longest half-life of the spread, bars")
    capital: float = param(0.9, low=0.01, high=10.0, doc="fraction of the equity that both legs bind together")
    max_bars: int | None = param(None, low=1, high=10_000, doc="bars after which to give up")
    guard: float = param(0.005, low=0.0, high=0.2, doc="how much worse than the last price a leg may trade")

    def validate(self) -> None:
        """Hold the three scores in order."""
        if not self.leave < self.entry < self.stop:
            raise StrategyError(
                f"Pairs: leave = {self.leave:g}, entry = {self.entry:g} and stop = {self.stop:g} must rise in this order"
            )

    def on_bar(self, view: View, bar: Bar) -> Any:
        """Enter, leave or mend once both instruments have closed their bars."""
        one, other = both(view, "Pairs", self.first, self.second)
        if not heard_all(view, bar, (one, other)):
            return None
        memory = view.memory
        held = view.quantity(one) or view.quantity(other)
        if memory.get("goal"):
            memory["bars"] += 1
            score = self._score(view, one, other, Relation(*memory["relation"]))
            if held and not self._is_over(memory, score):
                return keep_legs(view, self._legs(view, one, other), guard=self.guard, tag=TAG, chase=False)
            memory["goal"] = 0
        if held:
            return flatten(view, (one, other), TAG)
        return self._enter(view, one, other)

    def _is_over(self, memory: dict[str, Any], score: float) -> bool:
        away = -memory["goal"] * score
        if away >= self.stop:
            memory["burnt"] = True
            return True
        return away <= self.leave or (self.max_bars is not None and memory["bars"] >= self.max_bars)

    def _enter(self, view: View, one: str, other: str) -> Any:
        if min(view.count(one), view.count(other)) <= self.window or not view.equity > 0.0:
            return None
        y, x = (view.bars("close", symbol)[-self.window - 1 : -1] for symbol in (one, other))
        found = relation(y, x)
        score = self._score(view, one, other, found)
        if view.memory.get("burnt"):
            view.memory["burnt"] = not abs(score) <= max(self.leave, 0.0)
            return None
        if not self.entry <= abs(score) < self.stop or not self._is_sound(found):
            return None
        money = self.capital * view.equity
        bound = 1.0 / view.leverage(one) + abs(found.ratio) / view.leverage(other)
        view.memory.update(goal=-1 if score > 0.0 else 1, bars=0, relation=list(found))
        view.memory["sizes"] = [
            weight * money / bound / view.value("close", symbol=symbol) / view.instrument(symbol).contract_size
            for symbol, weight in ((one, 1.0), (other, -found.ratio))
        ]
        return keep_legs(view, self._legs(view, one, other), guard=self.guard, tag=TAG)

    def _is_sound(self, found: Relation) -> bool:
        """Tell whether the spread has come back often enough to count on it."""
        if not found.ratio > 0.0 or not found.deviation > 0.0:
            return False
        if self.critical is not None and not found.statistic <= self.critical:
            return False
        return self.max_half_life is None or found.half_life <= self.max_half_life

    def _score(self, view: View, one: str, other: str, found: Relation) -> float:
        y, x = math.log(view.value("close", symbol=one)), math.log(view.value("close", symbol=other))
        return (y - found.intercept - found.ratio * x) / found.deviation if found.deviation > 0.0 else math.nan

    def _legs(self, view: View, one: str, other: str) -> list[Leg]:
        return [
            Leg(symbol, view.memory["goal"] * size, view.value("close", symbol=symbol))
            for symbol, size in zip((one, other), view.memory["sizes"], strict=True)
        ]
