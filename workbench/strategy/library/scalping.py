"""Scalping: short pullbacks inside a short trend, small targets, out soon."""

from __future__ import annotations

import numpy as np

from workbench.errors import StrategyError
from workbench.indicators import atr, crosses_above, crosses_below, ema, rsi
from workbench.market.bars import Bars
from workbench.strategy.parameters import param
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy

__all__ = ["Scalping"]


class Scalping(SignalStrategy):
    """Join a short trend at the end of a pullback, with a target and a stop measured by the range of a bar.

    **How it earns.** A pullback inside a move shakes out those who were late; when it turns, the move often goes on for
    a few bars. Targets are near and are taken by resting orders, which pay the maker fee.

    **When it loses.** To costs, first of all: with a target of one range, fees and spread of both sides can be half of
    it. Look at the cost table of the report before anything else. Then in markets without direction, where the fast
    mean is above the slow one and back again all day.

    **What it assumes.** Short bars (minutes), a narrow spread, and stops that fill near their level.

    Notes
    -----
    Trend: fast EMA above slow EMA. Pullback: RSI comes back up through `pullback` (short: down through 100 less it).
    `min_range` keeps out of bars so quiet that the target would not pay the costs.
    """

    fast: int = param(9, low=2, high=100, doc="bars of the fast mean")
    slow: int = param(34, low=5, high=400, doc="bars of the slow mean")
    rsi_length: int = param(5, low=2, high=30, doc="bars of the RSI")
    pullback: float = param(35.0, low=5.0, high=50.0, doc="RSI that it has to come back up through")
    atr_length: int = param(14, low=2, high=100, doc="bars of the average true range")
    target: float = param(2.0, low=0.2, high=10.0, doc="distance of the target in average true ranges")
    stop: float = param(1.5, low=0.2, high=10.0, doc="distance of the stop in average true ranges")
    min_range: float = param(0.01, low=0.0, high=0.1, doc="average true range, fraction of the price, to trade at all")
    max_bars: int | None = param(12, low=1, high=500, doc="bars after which a trade is left")
    short: bool = param(True, doc="trade falling markets too")

    def validate(self) -> None:
        """Hold the means apart."""
        if self.fast >= self.slow:
            raise StrategyError(f"Scalping: fast = {self.fast} must be below slow = {self.slow}")

    @property
    def warm_up(self) -> int:  # type: ignore[override]
        """Bars before the first value of the longest indicator."""
        return max(self.slow, self.rsi_length + 1, self.atr_length + 1)

    def signals(self, bars: Bars) -> Signals:
        """Say where a pullback inside a trend turns."""
        fast, slow = np.asarray(ema(bars.close, self.fast)), np.asarray(ema(bars.close, self.slow))
        strength = rsi(bars.close, self.rsi_length)
        span = np.asarray(atr(bars.high, bars.low, bars.close, self.atr_length)) / bars.close
        wild = span >= self.min_range
        return Signals(
            entry=crosses_above(strength, self.pullback) & (fast > slow) & wild,
            exit=fast < slow,
            short_entry=crosses_below(strength, 100.0 - self.pullback) & (fast < slow) & wild & self.short,
            short_exit=fast > slow,
            take_profit=np.maximum(self.target * span, 1e-4),
            stop_loss=np.clip(self.stop * span, 1e-4, 0.9),
        )
