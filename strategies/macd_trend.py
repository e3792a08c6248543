"""Trend on two timeframes: MACD times the entries that a longer timeframe allows."""

import numpy as np

import workbench as wb
from workbench.indicators import atr, crosses_above, crosses_below, macd, sma
from workbench.market.alignment import known_from, last_closed
from workbench.market.resampling import resample


class MacdTrend(wb.SignalStrategy):
    """Buy when MACD turns up while the longer timeframe is in an uptrend; leave when either has turned.

    The longer timeframe keeps it out of the many turns of a falling market. It is read from finished bars only, so it
    is late by up to one of them, live as in a backtest.
    """

    fast: int = wb.param(12, low=3, high=50, doc="bars of the fast mean of the MACD")
    slow: int = wb.param(26, low=6, high=100, doc="bars of its slow mean")
    signal: int = wb.param(9, low=2, high=50, doc="bars of its signal line")
    trend_frame: str = wb.param("1w", choices=("1d", "1w"), doc="timeframe of the trend")
    trend_length: int = wb.param(20, low=3, high=100, doc="bars of that timeframe in the mean of the trend")
    atr_stop: float = wb.param(3.0, low=0.5, high=10.0, doc="distance of the trailing stop in average true ranges")

    def validate(self) -> None:
        if self.fast >= self.slow:
            raise wb.errors.StrategyError(f"MacdTrend: fast = {self.fast} must be below slow = {self.slow}")

    @property
    def warm_up(self) -> int:
        return max(self.slow + self.signal - 1, 14)

    def warm_up_on(self, timeframe: wb.Timeframe) -> int:
        return max(
            self.warm_up, known_from(self.trend_length - 1, of=wb.Timeframe.parse(self.trend_frame), at=timeframe)
        )

    def signals(self, bars: wb.Bars) -> wb.Signals:
        momentum = macd(bars.close, self.fast, self.slow, self.signal)
        up, down = self.trend(bars)
        range_ = atr(bars.high, bars.low, bars.close, 14)
        return wb.Signals(
            entry=crosses_above(momentum.macd, momentum.signal) & up,
            exit=crosses_below(momentum.macd, momentum.signal) | down,
            trailing_stop=np.clip(self.atr_stop * range_ / bars.close, 0.001, 0.9),
        )

    def trend(self, bars: wb.Bars) -> tuple[np.ndarray, np.ndarray]:
        """Say on each bar whether the longer timeframe was above or below its mean when it last closed."""
        slow = bars if str(bars.timeframe) == self.trend_frame else resample(bars, self.trend_frame)
        mean = sma(slow.close, self.trend_length)
        rows = last_closed(slow, at=bars)
        known = rows >= 0
        if not known.any():
            return known, known
        rows = np.maximum(rows, 0)
        return (slow.close > mean)[rows] & known, (slow.close < mean)[rows] & known
