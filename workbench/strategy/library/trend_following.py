"""Trend following: ride what breaks out of its channel, and risk the same on every trade."""

from __future__ import annotations

import numpy as np

from workbench.errors import StrategyError
from workbench.indicators import atr, highest, lowest, previous, sma
from workbench.market.bars import Bars
from workbench.strategy.parameters import param
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy

__all__ = ["TrendFollowing"]


class TrendFollowing(SignalStrategy):
    """Enter with the breakout of a channel, in the direction of the long mean; size by the distance of the stop.

    **How it earns.** Markets sometimes go much further than anyone expects. Entries at new highs (lows) are in every
    such move; leaving through a shorter channel lets it run and gives back only the end.

    **When it loses.** Sideways: most breakouts fail, and each costs its risk. Four or five small losses for one gain is
    the usual course, and years without a trend are years of drawdown.

    **What it assumes.** That stops fill near their level (gaps make the loss larger than `risk`), and that there is
    always the margin for the size that the stop allows: in calm markets the size is the whole equity at most.

    Notes
    -----
    A position is sized so that the way to its stop, `stop` average true ranges, costs `risk` of the equity. Channel:
    R. Donchian; sizes by average true range: the Turtle rules (C. Faith, Way of the Turtle, 2007, chapter 4).
    """

    entry_length: int = param(55, low=5, high=400, doc="bars of the channel to break out of")
    exit_length: int = param(20, low=2, high=200, doc="bars of the channel to leave through")
    trend: int = param(200, low=0, high=1000, doc="bars of the mean that gives the direction; 0 for both directions")
    atr_length: int = param(20, low=2, high=100, doc="bars of the average true range")
    stop: float = param(3.0, low=0.5, high=10.0, doc="distance of the stop in average true ranges")
    risk: float = param(0.01, low=0.0005, high=0.1, doc="fraction of the equity that a stopped trade costs")
    short: bool = param(True, doc="trade falling markets too")

    def validate(self) -> None:
        """Hold the channel to leave through to be the shorter one."""
        if self.exit_length > self.entry_length:
            raise StrategyError(
                f"TrendFollowing: exit_length = {self.exit_length} must not be above entry_length = "
                f"{self.entry_length}, or a trade could end on the bar it begins"
            )

    @property
    def warm_up(self) -> int:  # type: ignore[override]
        """Bars before the first value of the longest indicator."""
        return max(self.entry_length, self.trend, self.atr_length) + 1

    def signals(self, bars: Bars) -> Signals:
        """Say the breakouts along the trend, and the ways out."""
        ceiling, floor = previous(highest(bars.high, self.entry_length)), previous(lowest(bars.low, self.entry_length))
        mean = np.asarray(sma(bars.close, self.trend)) if self.trend else None
        rising = np.ones(len(bars), dtype=bool) if mean is None else bars.close > mean
        falling = np.ones(len(bars), dtype=bool) if mean is None else bars.close < mean
        distance = self.stop * np.asarray(atr(bars.high, bars.low, bars.close, self.atr_length)) / bars.close
        return Signals(
            entry=(bars.close > ceiling) & rising,
            exit=bars.close < previous(lowest(bars.low, self.exit_length)),
            short_entry=(bars.close < floor) & falling & self.short,
            short_exit=bars.close > previous(highest(bars.high, self.exit_length)),
            size=self.risk,
            size_unit="risk",
            stop_loss=np.clip(distance, 0.001, 0.9),
        )
