"""What the market did: instruments, bars, the lake that stores them and the ways into it.

`wb.data` is this package. Names load what they need on first use.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "Access": "feeds.feed",
    "Bars": "bars",
    "Cleaned": "importing",
    "Connection": "sources.session",
    "Gap": "bars",
    "Instrument": "instrument",
    "Lake": "lake",
    "Quality": "quality",
    "QualityFinding": "quality",
    "Route": "sources.clients",
    "StepClock": "feeds.replay",
    "Tape": "feeds.tape",
    "Timeframe": "timeframe",
    "TradeBars": "trade_bars",
    "Universe": "universe",
    "align": "alignment",
    "bars_from_trades": "trade_bars",
    "clean": "importing",
    "collect": "feeds.doors",
    "download": "sources.download",
    "feed": "feeds.doors",
    "fill": "sources.mending",
    "fill_gaps": "filling",
    "funding": "tables",
    "import_file": "importing",
    "import_into_lake": "lake_import",
    "inspect_rows": "quality",
    "install_samples": "samples",
    "last_closed": "alignment",
    "leverage_tiers": "venue_tables",
    "listing": "venue_tables",
    "markets": "venue_tables",
    "read": "lake",
    "record_feed": "feeds.doors",
    "replay": "feeds.doors",
    "resample": "resampling",
    "tape": "feeds.doors",
    "tapes": "feeds.doors",
    "tickers": "ticker",
    "trades": "tables",
    "update": "sources.download",
    "verify": "sources.mending",
}

__all__ = [
    "Access",
    "Bars",
    "Cleaned",
    "Connection",
    "Gap",
    "Instrument",
    "Lake",
    "Quality",
    "QualityFinding",
    "Route",
    "StepClock",
    "Tape",
    "Timeframe",
    "TradeBars",
    "Universe",
    "align",
    "bars_from_trades",
    "clean",
    "collect",
    "download",
    "feed",
    "fill",
    "fill_gaps",
    "funding",
    "import_file",
    "import_into_lake",
    "inspect_rows",
    "install_samples",
    "last_closed",
    "leverage_tiers",
    "listing",
    "markets",
    "read",
    "record_feed",
    "replay",
    "resample",
    "tape",
    "tapes",
    "tickers",
    "trades",
    "update",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'workbench.market' has no attribute {name!r}")
    return getattr(importlib.import_module(f"workbench.market.{_HOME[name]}"), name)
