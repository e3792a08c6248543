"""Mean reversion: buy a sharp dip inside an uptrend, sell the recovery."""

import workbench as wb
from workbench.indicators import crosses_above, rsi, sma


class RsiReversion(wb.SignalStrategy):
    """Buy when RSI turns up out of oversold while prices are above their long mean; sell when RSI has recovered.

    The filter keeps it from buying all the way down, and the stop ends what does not recover. Mean reversion wins often
    and little; look at the worst trades, not at the win rate.
    """

    length: int = wb.param(14, low=2, high=50, doc="bars of the RSI")
    oversold: float = wb.param(30.0, low=5.0, high=50.0, doc="RSI that it has to come up through")
    recovered: float = wb.param(55.0, low=40.0, high=90.0, doc="RSI at which to sell")
    trend: int = wb.param(200, low=20, high=500, doc="bars of the mean that prices must be above")
    stop_loss: float | None = wb.param(0.08, low=0.005, high=0.5, doc="fraction below the entry price")

    @property
    def warm_up(self) -> int:
        return self.trend

    def signals(self, bars: wb.Bars) -> wb.Signals:
        strength = rsi(bars.close, self.length)
        uptrend = bars.close > sma(bars.close, self.trend)
        turned_up = crosses_above(strength, self.oversold)
        return wb.Signals(entry=turned_up & uptrend, exit=strength > self.recovered)
