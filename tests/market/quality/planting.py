"""Stretches of the bundled series in which nothing is odd, and ways to spoil them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from workbench.market.bars import COLUMNS, Bars
from workbench.market.lake import Lake

CLEAN = {
    "BTC/USDT": ("1h", "2021-09-30", "2023-03-01"),
    "EUR/USD": ("1h", "2017-01-04", "2017-11-01"),
    "MSFT": ("1d", "1992-01-01", "2022-12-20"),
    "GOOGL": ("1d", "2011-01-20", "2014-03-01"),
}


def clean(lake: Lake, symbol: str) -> Bars:
    timeframe, start, end = CLEAN[symbol]
    return replace(lake.read(symbol, timeframe, start, end), provenance={})


def columns_of(bars: Bars) -> dict[str, Any]:
    return {name: getattr(bars, name).copy() for name in ("ts", *COLUMNS)}


def without(bars: Bars, rows: Any) -> Bars:
    keep = np.ones(len(bars), dtype=bool)
    keep[rows] = False
    return replace(bars, **{name: column[keep] for name, column in columns_of(bars).items()})


def places(bars: Bars, seed: int, count: int = 2, apart: int = 150) -> list[int]:
    """Rows far from one another and from both ends."""
    random = np.random.default_rng(seed)
    slots = np.arange(apart, len(bars) - 2 * apart, apart)
    return sorted((random.choice(slots, count, replace=False) + random.integers(0, apart // 3, count)).tolist())
