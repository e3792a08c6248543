"""Bars for the tests of the checker: a seeded random walk with volumes, from a Monday on."""

from __future__ import annotations

import numpy as np

import workbench as wb

START = 1_609_718_400_000  # 2021-01-04, a Monday


def walk(count: int = 2_500, timeframe: str = "1h", seed: int = 3, symbol: str = "BTC/USDT") -> wb.Bars:
    """Bars of an instrument without ticks or lots."""
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.006, count)))
    opened = np.concatenate((close[:1], close[:-1])) * np.exp(rng.normal(0.0, 0.001, count))
    spread = 1.0 + np.abs(rng.normal(0.0, 0.002, count))
    step = wb.Timeframe.parse(timeframe)
    _, _, rest = symbol.partition("/")
    quote, _, settle = rest.partition(":")
    facts = {"quote": quote, "kind": "linear" if settle else "spot"}
    return wb.Bars(
        instrument=wb.Instrument(symbol=symbol, **facts, tick_size=0.0, lot_size=0.0, min_notional=0.0),
        timeframe=step,
        ts=START + step.ms * np.arange(count),
        open=opened,
        high=np.maximum(opened, close) * spread,
        low=np.minimum(opened, close) / spread,
        close=close,
        volume=rng.lognormal(3.0, 0.5, count),
    )
