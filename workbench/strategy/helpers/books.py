"""Books of one instrument in a run of several: each keeps its own memory and gets the same share of the equity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.trading.events import Bar
    from workbench.trading.view import View

__all__ = ["is_base", "own_equity", "own_memory"]


def own_memory(view: View) -> dict[str, Any]:
    """Give the part of `view.memory` that belongs to the instrument being told."""
    mine: dict[str, Any] = view.memory.setdefault(view.symbol, {})
    return mine


def own_equity(view: View) -> float:
    """Give the share of the equity that each instrument of the run may use; 0.0 where there is none."""
    return max(0.0, view.equity) / len(view.symbols)


def is_base(view: View, bar: Bar) -> bool:
    """Tell whether a bar is of the finest series of its instrument, which drives the market."""
    return bar.timeframe == view.history(bar.symbol).timeframe
