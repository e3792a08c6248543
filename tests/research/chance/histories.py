"""Made histories: bars of a random walk with or without something to foresee, and strategies on them."""

from __future__ import annotations

from typing import Any

import numpy as np

import workbench as wb
from workbench.indicators import crosses_above, crosses_below, sma

HOUR = 3_600_000
CHEAP = wb.Costs(fee=0.001, slippage_bps=2.0, volume_share=float("inf"))


def bars_of(moves: Any, *, symbol: str = "MADE/USDT", seed: int = 0) -> wb.Bars:
    """Bars whose closes move by these log returns, opening a little beside the close before."""
    random = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(moves))
    opened = np.concatenate(([100.0], close[:-1])) * np.exp(random.normal(0, 0.0005, len(close)))
    reach = np.exp(np.abs(random.normal(0, 0.002, (2, len(close)))))
    return wb.Bars(
        instrument=wb.Instrument(symbol=symbol, venue="paper", quote="USDT"), timeframe="1h",
        ts=np.arange(len(close)) * HOUR, open=opened, high=np.maximum(opened, close) * reach[0],
        low=np.minimum(opened, close) / reach[1], close=close, volume=random.uniform(1e6, 2e6, len(close)),
    )  # fmt: skip


def walk_bars(count: int = 800, *, seed: int = 0, drift: float = 0.0, **facts: Any) -> wb.Bars:
    """Bars of a random walk of 1 % a bar."""
    return bars_of(np.random.default_rng(seed).normal(drift, 0.01, count), seed=seed, **facts)


def turning_bars(count: int = 800, *, seed: int = 0, strength: float = 0.0) -> wb.Bars:
    """Bars whose moves carry on: an autoregression of the first order of that strength."""
    random = np.random.default_rng(seed)
    moves = np.zeros(count)
    for k in range(1, count):
        moves[k] = strength * moves[k - 1] + 0.01 * random.standard_normal()
    return bars_of(moves, seed=seed)


class Follow(wb.SignalStrategy):
    """Long while the fast mean is above the slow one, short otherwise."""

    fast: int = wb.param(3, low=2, high=50)
    slow: int = wb.param(12, low=5, high=200)

    def signals(self, bars: wb.Bars) -> wb.Signals:
        up = crosses_above(sma(bars.close, self.fast), sma(bars.close, self.slow))
        down = crosses_below(sma(bars.close, self.fast), sma(bars.close, self.slow))
        return wb.Signals(entry=up, exit=down, short_entry=down, short_exit=up)


def blind_signals(count: int, *, seed: int, rate: float = 0.05) -> wb.Signals:
    """Entries and exits at random."""
    random = np.random.default_rng(seed)
    return wb.Signals(entry=random.random(count) < rate, exit=random.random(count) < rate)
