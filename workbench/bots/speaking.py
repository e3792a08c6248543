"""A signal strategy as a bot trades it: asked anew at every close, on the bars that have closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from workbench.backtest.plan import Plan
from workbench.errors import StrategyError
from workbench.market.bars import Bars
from workbench.strategy.signal_trader import Exits, SignalTrader, Spoken
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import signals_of
from workbench.trading.events import Bar
from workbench.trading.guards import guarding_of
from workbench.trading.view import View

__all__ = ["LiveTrader"]

_NOTHING = Signals(entry=np.zeros(1, dtype=np.bool_))


class LiveTrader(SignalTrader):
    """Carries out the signals of a strategy, whose last word it asks for at every close.

    Parameters
    ----------
    plan : Plan
    bars : callable
        `(symbol) -> Bars` that have closed so far.
    """

    def __init__(self, plan: Plan, bars: Callable[[str], Bars]) -> None:
        spoken = [
            Spoken(line.bars.symbol, number, _NOTHING, np.array([np.nan]), line.bars.timeframe.ms)
            for number, line in enumerate(plan.lines)
        ]
        super().__init__(spoken, Exits(), guarding_of(plan.guards), cash=plan.cash, sizing=plan.sizing)
        self.strategy, self._bars = plan.strategy, bars
        self._said = False

    def on_bar(self, view: View, bar: Bar) -> Any:
        """Ask the strategy, and hear the word of the bar that has closed."""
        self._ask(bar.symbol)
        return super().on_bar(view, bar)

    def _ask(self, symbol: str) -> None:
        bars = self._bars(symbol)
        said = signals_of(self.strategy, bars)
        line, last = self.lines[symbol], len(bars) - 1
        self._keep_exits(said)
        line.hear(said, last)

    def _keep_exits(self, said: Signals) -> None:
        """Take up the exits that are the same on every bar; they must stay what they were."""
        ladder = tuple((round(minutes * 60_000), float(level)) for minutes, level in (said.roi or {}).items())
        found = Exits(ladder=ladder, max_bars=said.max_bars or 0)
        if self._said and found != self.exits:
            raise StrategyError(f"{self.strategy!r}: roi and max_bars were {self.exits} and are {found} now")
        self.exits, self._said = found, True

    def snapshot(self) -> Any:
        """Give what has become of the signals, and the exits that were said, as plain data."""
        exits = [[list(one) for one in self.exits.ladder], self.exits.max_bars] if self._said else None
        return {**super().snapshot(), "exits": exits}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up what `snapshot` gave."""
        super().restore(data)
        exits = data.get("exits")
        self._said = exits is not None
        if exits is not None:
            self.exits = Exits(ladder=tuple((ms, level) for ms, level in exits[0]), max_bars=exits[1])
