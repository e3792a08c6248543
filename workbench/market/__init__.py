"""What the market did: instruments, bars, the lake that stores them and the ways into it.

`wb.data` is this package. Names load what they need on first use.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "Bars": "bars",
    "Cleaned": "importing",
    "Gap": "bars",
    "Instrument": "instrument",
    "Lake": "lake",
    "Quality": "quality",
    "QualityFinding": "quality",
    "Timeframe": "timeframe",
    "TradeBars": "trade_bars",
    "Universe": "universe",
    "align": "alignment",
    "bars_from_trades": "trade_bars",
    "clean": "importing",
    "fill": "filling",
    "import_file": "importing",
    "inspect_rows": "quality",
    "install_samples": "samples",
    "last_closed": "alignment",
    "read": "lake",
    "resample": "resampling",
}

__all__ = [
    "Bars",
    "Cleaned",
    "Gap",
    "Instrument",
    "Lake",
    "Quality",
    "QualityFinding",
    "Timeframe",
    "TradeBars",
    "Universe",
    "align",
    "bars_from_trades",
    "clean",
    "fill",
    "import_file",
    "inspect_rows",
    "install_samples",
    "last_closed",
    "read",
    "resample",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'workbench.market' has no attribute {name!r}")
    return getattr(importlib.import_module(f"workbench.market.{_HOME[name]}"), name)
