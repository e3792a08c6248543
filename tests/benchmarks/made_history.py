"""Bars that the benchmarks make up: a seeded random walk in which every bar opens at the last close."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import workbench as wb

START = 1_577_836_800_000  # 2020-01-01
STEP_MS = {"1m": 60_000, "1h": 3_600_000}


def columns(bars: int, timeframe: str, seed: int) -> dict[str, NDArray[np.generic]]:
    """Make columns. Prices have six decimals: every peer holds them exactly, and two means are hardly ever equal."""
    rng = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.001, bars))), 6)
    opened = np.concatenate((close[:1], close[:-1]))
    return {
        "ts": START + STEP_MS[timeframe] * np.arange(bars),
        "open": opened,
        "high": np.round(np.maximum(opened, close) * 1.0005, 6),
        "low": np.round(np.minimum(opened, close) * 0.9995, 6),
        "close": close,
        "volume": np.full(bars, 1_000.0),
    }


def history(bars: int, timeframe: str = "1m", seed: int = 11, symbol: str = "BTC/USDT") -> wb.Bars:
    """Make bars of an instrument without ticks, lots or smallest order."""
    return wb.Bars(
        instrument=wb.Instrument(symbol=symbol, tick_size=0.0, lot_size=0.0, min_notional=0.0),
        timeframe=timeframe,
        **columns(bars, timeframe, seed),
    )
