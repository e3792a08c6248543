"""Compile every kernel of the indicators once, as a part of set-up, so that no user's first call waits for it."""

from __future__ import annotations

import numpy as np

from workbench import indicators

__all__ = ["compile_kernels"]


def compile_kernels() -> None:
    """Call each indicator that has a kernel on a tiny series, which fills numba's cache on disk."""
    line = np.linspace(1.0, 2.0, 8)
    indicators.sma(line, 2)
    indicators.ema(line, 2)
    indicators.highest(line, 2)
    indicators.donchian(line, line, 2)
    indicators.standard_deviation(line, 2)
    indicators.bollinger(line, 2)
    indicators.true_range(line, line, line)
    indicators.atr(line, line, line, 2)
    indicators.rate_of_change(line, 2)
    indicators.rsi(line, 2)
    indicators.macd(line, 2, 3, 2)
    indicators.stochastic(line, line, line, 2)
    indicators.adx(line, line, line, 2)
    indicators.crosses_above(line, 1.5)
