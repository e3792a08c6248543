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
    "Gap": "bars",
    "Instrument": "instrument",
    "Lake": "lake",
    "StepClock": "feeds.replay",
    "Tape": "feeds.tape",
    "Timeframe": "timeframe",
    "Universe": "universe",
    "align": "alignment",
    "clean": "importing",
    "collect": "feeds.doors",
    "feed": "feeds.doors",
    "import_file": "importing",
    "install_samples": "samples",
    "last_closed": "alignment",
    "read": "lake",
    "record_feed": "feeds.doors",
    "replay": "feeds.doors",
    "resample": "resampling",
    "tape": "feeds.doors",
    "tapes": "feeds.doors",
}

__all__ = [
    "Access",
    "Bars",
    "Cleaned",
    "Gap",
    "Instrument",
    "Lake",
    "StepClock",
    "Tape",
    "Timeframe",
    "Universe",
    "align",
    "clean",
    "collect",
    "feed",
    "import_file",
    "install_samples",
    "last_closed",
    "read",
    "record_feed",
    "replay",
    "resample",
    "tape",
    "tapes",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'workbench.market' has no attribute {name!r}")
    return getattr(importlib.import_module(f"workbench.market.{_HOME[name]}"), name)
