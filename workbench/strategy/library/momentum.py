"""Momentum: hold what has risen most, of many, and change with the ranking."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.errors import StrategyError
from workbench.strategy.helpers.timers import every_bars, heard_all
from workbench.strategy.helpers.weights import keep_weights
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.parameters import param
from workbench.trading.events import Bar
from workbench.trading.view import View

__all__ = ["Momentum"]


class Momentum(OrderStrategy):
    """Rank the instruments of a universe by their past return; hold the best, sell the worst if asked to.

    **How it earns.** What has done better than its peers over some months tends to go on doing so for some more.

    **When it loses.** At turning points: after a crash the losers rise fastest, and who is short of them is hurt most
    (momentum crashes). In a universe that moves as one there is nothing to rank.

    **What it assumes.** A universe that was not chosen by hindsight: instruments that are there because they survived
    make any momentum look good. And costs small beside the turnover.

    Notes
    -----
    Score: return from `lookback` + `skip` bars ago until `skip` bars ago, divided by the volatility of those returns
    with `scaled`. Jegadeesh and Titman, Returns to Buying Winners and Selling Losers (1993), skip the last month, in
    which prices tend to come back. An instrument with too short a history is not ranked. With `absolute` only what has
    risen is bought and only what has fallen is sold; the rest stays in cash. Each side gets half of `invested` when
    there are shorts.
    """

    lookback: int = param(126, low=2, high=2000, doc="bars over which returns are ranked")
    skip: int = param(5, low=0, high=200, doc="last bars that do not count")
    hold: int = param(3, low=1, high=200, doc="instruments to hold")
    short: int = param(0, low=0, high=200, doc="instruments to sell short")
    every: int = param(21, low=1, high=2000, doc="bars between two rankings")
    scaled: bool = param(True, doc="rank by return over volatility, and weigh by one over volatility")
    absolute: bool = param(True, doc="only hold what has risen, only short what has fallen")
    invested: float = param(0.95, low=0.05, high=3.0, doc="fraction of the equity in positions, both sides together")
    band: float = param(0.01, low=0.0, high=0.2, doc="changes smaller than this fraction of the equity are not made")

    def on_bar(self, view: View, bar: Bar) -> Any:
        """Rank and change positions once all instruments have closed their bars, on the dates of the calendar."""
        if not heard_all(view, bar) or not view.equity > 0.0:
            return None
        if self.hold + self.short > len(view.symbols):
            raise StrategyError(
                f"Momentum: hold = {self.hold} and short = {self.short} are more than the {len(view.symbols)} "
                "instruments of this run"
            )
        scores = {symbol: self._score(view, symbol) for symbol in view.symbols}
        known = {symbol: score for symbol, score in scores.items() if not math.isnan(score[0])}
        if len(known) < self.hold + self.short or not every_bars(view, self.every, "calendar"):
            return None
        return keep_weights(view, self._weights(view.symbols, known), band=self.band)

    def _score(self, view: View, symbol: str) -> tuple[float, float]:
        """Give the score of an instrument and the volatility of its returns; NaN where its history is too short."""
        needed = self.lookback + self.skip + 1
        if view.count(symbol) < needed:
            return math.nan, math.nan
        closes = view.bars("close", symbol)[-needed : -self.skip or None]
        volatility = float(np.std(np.diff(np.log(closes))))
        gained = float(closes[-1] / closes[0] - 1.0)
        if not self.scaled:
            return gained, 1.0
        return (gained / volatility, volatility) if volatility > 0.0 else (math.nan, math.nan)

    def _weights(self, symbols: tuple[str, ...], known: dict[str, tuple[float, float]]) -> dict[str, float]:
        """Give the weight of every instrument: those chosen by one over volatility, all others none."""
        ranked = sorted(known, key=lambda symbol: (-known[symbol][0], symbol))
        longs = [symbol for symbol in ranked[: self.hold] if known[symbol][0] > 0.0 or not self.absolute]
        worst = ranked[len(ranked) - self.short :]
        shorts = [symbol for symbol in worst if known[symbol][0] < 0.0 or not self.absolute]
        found = dict.fromkeys(symbols, 0.0)
        each = self.invested / (2.0 if self.short else 1.0)
        for side, chosen, wanted in ((1.0, longs, self.hold), (-1.0, shorts, self.short)):
            total = math.fsum(1.0 / known[symbol][1] for symbol in chosen)
            for symbol in chosen:
                # what was not chosen because it has not moved the right way stays in cash
                found[symbol] = side * each * len(chosen) / wanted / known[symbol][1] / total
        return found
