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
    "Timeframe": "timeframe",
    "Universe": "universe",
    "align": "alignment",
    "clean": "importing",
    "import_file": "importing",
    "import_into_lake": "lake_import",
    "install_samples": "samples",
    "last_closed": "alignment",
    "read": "lake",
    "resample": "resampling",
    "tickers": "ticker",
}

__all__ = [
    "Bars",
    "Cleaned",
    "Gap",
    "Instrument",
    "Lake",
    "Timeframe",
    "Universe",
    "align",
    "clean",
    "import_file",
    "import_into_lake",
    "install_samples",
    "last_closed",
    "read",
    "resample",
    "tickers",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'workbench.market' has no attribute {name!r}")
    return getattr(importlib.import_module(f"workbench.market.{_HOME[name]}"), name)
