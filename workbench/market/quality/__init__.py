"""What is odd about a series: findings, the checks that make them, and the ledger that keeps them.

`bars.quality` is `check` of the bars by themselves, with what the lake has recorded of them; `Lake.quality` looks at
other series of the lake as well and keeps what it found.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "CAUSES": "findings",
    "DECISIONS": "findings",
    "KINDS": "findings",
    "Quality": "findings",
    "QualityFinding": "findings",
    "check": "check",
    "inspect_rows": "rows",
}

__all__ = ["CAUSES", "DECISIONS", "KINDS", "Quality", "QualityFinding", "check", "inspect_rows"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'workbench.market.quality' has no attribute {name!r}")
    return getattr(importlib.import_module(f"workbench.market.quality.{_HOME[name]}"), name)
