"""Risk as pure numbers: metrics, sizes of positions, limits, weights of a portfolio, and what one can lose.

Each is loaded on first use: a strategy that has a sizing needs nothing of the others.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.risk import limits, metrics, portfolio, sizing, weighting
    from workbench.risk.limits import Limits, assess

__all__ = ["Limits", "assess", "limits", "metrics", "portfolio", "sizing", "weighting"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'workbench.risk' has no attribute {name!r}")
    if name in ("Limits", "assess"):
        return getattr(importlib.import_module("workbench.risk.limits"), name)
    return importlib.import_module(f"workbench.risk.{name}")


def __dir__() -> list[str]:
    return __all__
