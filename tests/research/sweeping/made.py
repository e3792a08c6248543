"""Bars that a seed makes, and a strategy to sweep over them."""

from __future__ import annotations

import numpy as np

import workbench as wb
from workbench.errors import StrategyError
from workbench.indicators import crosses_above, crosses_below, sma


def walk(count: int, seed: int = 0, symbol: str = "BTC/USDT", timeframe: str = "1h") -> wb.Bars:
    """Make bars of a random walk."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, count)))
    opens = np.concatenate(([100.0], close[:-1]))
    high = np.maximum(opens, close) * (1 + rng.uniform(0, 0.005, count))
    low = np.minimum(opens, close) * (1 - rng.uniform(0, 0.005, count))
    step = {"1h": 3_600_000, "4h": 14_400_000}[timeframe]
    return wb.Bars(
        instrument=wb.Instrument(symbol=symbol), timeframe=timeframe, ts=np.arange(count) * step, open=opens, high=high,
        low=low, close=close, volume=rng.uniform(1e5, 1e6, count),
    )  # fmt: skip


class Cross(wb.SignalStrategy):
    """Two averages; the fast one must be the faster."""

    fast: int = wb.param(5, low=2, high=50)
    slow: int = wb.param(20, low=3, high=200)

    def validate(self) -> None:
        if self.fast >= self.slow:
            raise StrategyError(f"fast = {self.fast} must be below slow = {self.slow}")

    def signals(self, bars: wb.Bars) -> wb.Signals:
        fast, slow = sma(bars.close, self.fast), sma(bars.close, self.slow)
        return wb.Signals(entry=crosses_above(fast, slow), exit=crosses_below(fast, slow))
