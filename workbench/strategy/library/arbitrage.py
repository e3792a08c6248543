"""Arbitrage between two venues: buy where it is cheap, sell where it is dear, leave when both are one price again."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from workbench.errors import StrategyError
from workbench.strategy.helpers.legs import Leg, flatten, keep_legs
from workbench.strategy.helpers.timers import heard_all
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.parameters import param
from workbench.trading.events import Bar
from workbench.trading.view import View

__all__ = ["Arbitrage", "both"]

TAG: Final = "arbitrage"


class Arbitrage(OrderStrategy):
    """Two instruments that are the same asset at two venues: long the cheaper, short the dearer, until they meet.

    **How it earns.** The gap between two prices of one thing, less four fees. It holds nothing of the asset, so where
    the asset goes does not matter.

    **When it loses.** When the gap widens and stays: withdrawals stopped, a venue in trouble, a currency that is no
    longer the same (USDT against USD). `stop` gives up then. And by halves: when only one leg is filled, the other must
    be thrown back at the market. That leg risk is why each leg has a `guard` and is cut back at once.

    **What it assumes.** Both legs can be traded at about the same moment, money lies ready at both venues, and the
    dearer one can be sold short (a margin account, or a perpetual). On bars, gaps that live shorter than a bar do not
    exist.

    Notes
    -----
    It enters when what is left of the gap after `exit_gap`, four taker fees and slippage is at least `min_profit`. The
    fair gap is 0 or, with `fair_length`, the median gap of the bars before: venues can have different prices for long.
    Prices and orders of both instruments must be in one account in one currency; name them apart by their symbols.
    """

    first: str = param("", doc="symbol of one instrument; the first of the run when empty")
    second: str = param("", doc="symbol of the other; the second of the run when empty")
    capital: float = param(0.9, low=0.01, high=10.0, doc="fraction of the equity that both legs bind together")
    min_profit: float = param(0.001, low=0.0, high=0.2, doc="fraction of a leg that must be left after all costs")
    exit_gap: float = param(0.0002, low=-0.05, high=0.05, doc="gap at which to leave, a fraction")
    guard: float = param(0.0005, low=0.0, high=0.05, doc="how much worse than the last price a leg may trade")
    stop: float | None = param(0.05, low=0.001, high=0.9, doc="gap at which to give up, a fraction")
    max_bars: int | None = param(None, low=1, high=100_000, doc="bars after which to give up")
    fair_length: int = param(0, low=0, high=5000, doc="bars whose median gap is the fair one; 0: the fair gap is none")

    def validate(self) -> None:
        """Hold the two instruments to be different."""
        if self.first and self.first == self.second:
            raise StrategyError(f"Arbitrage: first and second are both {self.first!r}; name two instruments")

    def on_bar(self, view: View, bar: Bar) -> Any:
        """Enter, leave or mend once both instruments have closed their bars."""
        one, other = both(view, "Arbitrage", self.first, self.second)
        if not heard_all(view, bar, (one, other)):
            return None
        gap = self._gap(view, one, other)
        goal = view.memory.get("goal", 0)
        held = view.quantity(one) or view.quantity(other)
        if not goal:
            return flatten(view, (one, other), TAG) if held else self._enter(view, one, other, gap)
        view.memory["bars"] += 1
        if self._is_over(view.memory["bars"], goal, gap) or not held:
            view.memory["goal"] = 0
            return flatten(view, (one, other), TAG)
        return keep_legs(view, self._legs(view, one, other), guard=self.guard, tag=TAG, chase=False)

    def _gap(self, view: View, one: str, other: str) -> float:
        """Give by how much the second instrument is dearer than the first, beyond what is fair."""
        now = view.value("close", symbol=other) / view.value("close", symbol=one) - 1.0
        if not self.fair_length:
            return now
        first, second = (view.bars("close", symbol=name)[-self.fair_length - 1 : -1] for name in (one, other))
        length = min(len(first), len(second))
        return now - float(np.median(second[-length:] / first[-length:] - 1.0)) if length == self.fair_length else 0.0

    def _is_over(self, bars: int, goal: int, gap: float) -> bool:
        open_gap = goal * gap
        wide = self.stop is not None and open_gap >= self.stop
        return open_gap <= self.exit_gap or wide or (self.max_bars is not None and bars >= self.max_bars)

    def _enter(self, view: View, one: str, other: str, gap: float) -> Any:
        costs = sum(2.0 * (view.costs(symbol).taker + view.costs(symbol).slippage) for symbol in (one, other))
        if abs(gap) - self.exit_gap - costs < self.min_profit or not view.equity > 0.0:
            return None
        if self.stop is not None and abs(gap) >= self.stop:
            return None
        goal = 1 if gap > 0.0 else -1
        bound = sum(1.0 / view.leverage(symbol) for symbol in (one, other))
        price = max(view.value("close", symbol=symbol) for symbol in (one, other))
        view.memory.update(goal=goal, bars=0, size=self.capital * view.equity / bound / price)
        return keep_legs(view, self._legs(view, one, other), guard=self.guard, tag=TAG)

    def _legs(self, view: View, one: str, other: str) -> list[Leg]:
        """Give both legs: long what is cheaper, short what is dearer, the same amount of the asset."""
        size = view.memory["goal"] * view.memory["size"]
        return [
            Leg(symbol, sign * size / view.instrument(symbol).contract_size, view.value("close", symbol=symbol))
            for symbol, sign in ((one, 1.0), (other, -1.0))
        ]


def both(view: View, owner: str, first: str, second: str) -> tuple[str, str]:
    """Give the two instruments of a strategy: those named, or the first two of the run.

    Raises
    ------
    StrategyError
        The run has fewer than two, or not those named.
    """
    if len(view.symbols) < 2:
        raise StrategyError(f"{owner} trades two instruments against each other; this run has {view.symbols}")
    one = first or next(symbol for symbol in view.symbols if symbol != second)
    other = second or next(symbol for symbol in view.symbols if symbol != one)
    return view.instrument(one).symbol, view.instrument(other).symbol
