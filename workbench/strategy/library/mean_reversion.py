"""Mean reversion: buy what has fallen far from its mean, sell when it is back."""

from __future__ import annotations

import numpy as np

from workbench.errors import StrategyError
from workbench.indicators import rsi, sma, standard_deviation
from workbench.market.bars import Bars
from workbench.strategy.parameters import param
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy

__all__ = ["MeanReversion"]


class MeanReversion(SignalStrategy):
    """Buy a close some deviations below the mean of the last bars, sell at the mean; the mirror image for shorts.

    **How it earns.** Somebody in a hurry moves the price further than the news is worth, and it comes back. Many small
    gains: the win rate is high by design.

    **When it loses.** When the move was the news. A crash is a long row of "cheap" prices; the stop, the trend filter
    and the time limit are what keeps one such trade from costing a year of gains.

    **What it assumes.** A market without a trend over `length` bars, and costs well below one deviation.

    Notes
    -----
    Score: (close - mean) / standard deviation, both of the last `length` closes, the bar's own among them. The filter
    asks that RSI agrees, so that one wild bar in a quiet window is not enough.
    """

    length: int = param(20, low=5, high=300, doc="bars of the mean and of the deviation")
    entry: float = param(2.0, low=0.5, high=5.0, doc="deviations from the mean at which to enter")
    leave: float = param(0.0, low=-1.0, high=3.0, doc="deviations from the mean at which to leave")
    rsi_length: int = param(5, low=2, high=50, doc="bars of the RSI that must agree")
    extreme: float = param(25.0, low=5.0, high=50.0, doc="RSI below which a fall is extreme (above 100 less it, a rise)")
    trend: int = param(200, low=0, high=1000, doc="bars of the mean that longs must be above; 0 for none")
    stop_loss: float | None = param(0.06, low=0.002, high=0.9, doc="fraction from the entry at which it was wrong")
    max_bars: int | None = param(48, low=1, high=2000, doc="bars after which what has not come back is left")
    short: bool = param(False, doc="sell what has risen too far, too")

    def validate(self) -> None:
        """Hold the way out to be nearer to the mean than the way in."""
        if self.leave >= self.entry:
            raise StrategyError(
                f"MeanReversion: leave = {self.leave:g} must be below entry = {self.entry:g}: a trade ends nearer to "
                "the mean than it begins"
            )

    @property
    def warm_up(self) -> int:  # type: ignore[override]
        """Bars before the first value of the longest indicator."""
        return max(self.length, self.trend, self.rsi_length + 1)

    def signals(self, bars: Bars) -> Signals:
        """Say where the close is too far from its mean, and where it is back."""
        deviation = np.asarray(standard_deviation(bars.close, self.length))
        away = bars.close - np.asarray(sma(bars.close, self.length))
        score = np.divide(away, deviation, out=np.zeros(len(bars)), where=deviation > 0.0)
        strength = np.asarray(rsi(bars.close, self.rsi_length))
        mean = np.asarray(sma(bars.close, self.trend)) if self.trend else np.full(len(bars), np.nan)
        above, below = (bars.close > mean, bars.close < mean) if self.trend else (True, True)
        return Signals(
            entry=(score <= -self.entry) & (strength < self.extreme) & above,
            exit=score >= -self.leave,
            short_entry=(score >= self.entry) & (strength > 100.0 - self.extreme) & below & self.short,
            short_exit=score <= self.leave,
        )
