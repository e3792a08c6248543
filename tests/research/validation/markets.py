"""Bars and strategies for the tests of optimising and validation."""

from __future__ import annotations

import numpy as np

import workbench as wb
from workbench.errors import StrategyError
from workbench.indicators import sma

HOUR = 3_600_000
START = 1_609_718_400_000  # 2021-01-04


def walk(count: int = 1_200, seed: int = 3, step: int = HOUR, symbol: str = "BTC/USDT") -> wb.Bars:
    """A seeded random walk without ticks, lots or a venue's minimum."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, count)))
    return of_prices(np.concatenate(([100.0], close[:-1])), close, step, symbol)


def of_prices(opened: np.ndarray, close: np.ndarray, step: int = HOUR, symbol: str = "BTC/USDT") -> wb.Bars:
    facts = {"tick_size": 0.0, "lot_size": 0.0, "min_notional": 0.0}
    return wb.Bars(
        instrument=wb.Instrument(symbol=symbol, **facts), timeframe=wb.Timeframe(step),
        ts=START + step * np.arange(len(close)), open=opened, high=np.maximum(opened, close),
        low=np.minimum(opened, close), close=close, volume=np.full(len(close), 1e9),
    )  # fmt: skip


class Above(wb.SignalStrategy):
    """Long while the price is above its mean."""

    length: int = wb.param(10, low=2, high=60)
    band: float = wb.param(0.0, low=0.0, high=0.05)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        mean = np.asarray(sma(bars.close, self.length))
        return wb.Signals(entry=bars.close > mean * (1 + self.band), exit=bars.close < mean)


class Ordered(Above):
    """The same, refusing some combinations."""

    def validate(self) -> None:
        if self.length > 30:
            raise StrategyError("length above 30 is not wanted")


FREE = wb.Costs(fee=0.0, slippage_bps=0.0)
