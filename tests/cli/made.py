"""A small workspace of its own: one made-up series and one strategy."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import workbench as wb
from workbench.market.lake import Lake

SOURCE = """
import workbench as wb

class Above(wb.SignalStrategy):
    level: float = wb.param(100.0, low=1, high=999)

    def signals(self, bars):
        return wb.Signals(entry=bars.close > self.level, exit=bars.close < self.level)
"""


def workspace_in(folder: Path, hours: int) -> Path:
    """Make a workspace with MADE/UP 1h in its lake, a sine about 100, and the strategy `above`."""
    (folder / "workbench.toml").touch()
    (folder / "strategies").mkdir()
    (folder / "strategies" / "above.py").write_text(SOURCE)
    close = 100 + 5 * np.sin(np.arange(hours) / 9)
    columns = dict.fromkeys(("open", "high", "low", "close"), close)
    bars = wb.Bars(
        instrument=wb.Instrument(symbol="MADE/UP"), timeframe="1h", ts=np.arange(hours) * 3_600_000,
        volume=np.full(hours, 1e6), **columns,
    )  # fmt: skip
    Lake(folder / "data" / "lake").write(bars)
    return folder
