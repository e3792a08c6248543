"""Breakout: what has been quiet for long moves far once it moves."""

import numpy as np

import workbench as wb
from workbench.indicators import atr, bollinger, crosses_above, highest, lowest


class BollingerSqueeze(wb.SignalStrategy):
    """After a quiet spell, buy a close above the upper Bollinger band; leave below the middle or when time is up.

    The size follows from the stop: each trade risks the same share of the equity. Squeezes are rare and false ones
    frequent, so judge it on long histories.
    """

    length: int = wb.param(20, low=5, high=100, doc="bars of the bands")
    width: float = wb.param(2.0, low=0.5, high=4.0, doc="standard deviations from the middle to a band")
    quiet: int = wb.param(120, low=20, high=400, doc="bars among which the bands have been narrowest")
    lately: int = wb.param(6, low=1, high=50, doc="bars in which the quiet spell must have been")
    most: int = wb.param(40, low=2, high=400, doc="bars that a position is held at most")
    risk: float = wb.param(0.01, low=0.001, high=0.05, doc="share of the equity that a trade may lose")
    protections = (wb.Cooldown(2),)

    @property
    def warm_up(self) -> int:
        return self.length + self.quiet + self.lately

    def signals(self, bars: wb.Bars) -> wb.Signals:
        bands = bollinger(bars.close, self.length, self.width)
        spread = (bands.upper - bands.lower) / bands.middle
        narrow = (spread <= lowest(spread, self.quiet)).astype(float)
        range_ = atr(bars.high, bars.low, bars.close, 14)
        return wb.Signals(
            entry=(highest(narrow, self.lately) > 0.0) & crosses_above(bars.close, bands.upper),
            exit=bars.close < bands.middle,
            stop_loss=np.clip(2 * range_ / bars.close, 0.005, 0.5),
            size=self.risk,
            size_unit="risk",
            max_bars=self.most,
        )
