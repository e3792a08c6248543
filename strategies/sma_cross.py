"""Trend: be in the market while the short mean of prices is above the long one."""

import workbench as wb
from workbench.indicators import crosses_above, crosses_below, sma


class SmaCross(wb.SignalStrategy):
    """Long while the fast mean is above the slow one.

    The oldest trend rule there is, and a fair yardstick: few parameters, few trades, late by design. It earns in long
    moves and pays for them with many small losses when prices go sideways.
    """

    fast: int = wb.param(10, low=2, high=100, doc="bars of the fast mean")
    slow: int = wb.param(30, low=5, high=400, doc="bars of the slow mean")

    def validate(self) -> None:
        if self.fast >= self.slow:
            raise wb.errors.StrategyError(
                f"SmaCross: fast = {self.fast} must be below slow = {self.slow}, or the means change their roles"
            )

    @property
    def warm_up(self) -> int:
        return self.slow

    def signals(self, bars: wb.Bars) -> wb.Signals:
        fast, slow = sma(bars.close, self.fast), sma(bars.close, self.slow)
        return wb.Signals(entry=crosses_above(fast, slow), exit=crosses_below(fast, slow))
