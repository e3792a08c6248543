"""A small workspace for tests of reports: two series, one strategy, and notebooks that do as they are told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

import workbench as wb
from workbench.settings import Settings, load_settings

HOUR_MS = 3_600_000
MARKETS = ("AAA/USDT", "BBB/USDT")

STRATEGY = '''
import numpy as np
import workbench as wb

class Hold(wb.SignalStrategy):
    """Buy the first bar."""
    days: int = wb.param(3, low=1, high=9)

    def signals(self, bars):
        first = np.arange(len(bars)) == 0
        return wb.Signals(entry=first, exit=~first & False)
'''

PARAMETERS = """\
strategy: str = "hold"  # which
parameters: dict = {}
symbol: str = "AAA/USDT"
timeframe: str = "1h"
venue: str | None = None
start: str | None = None
end: str | None = None
cash: float = 1_000.0
fill: str = "next_open"
seed: int = 7
"""

GOOD = """\
import json, workbench as wb
wb.record(
    total_return=0.25, sharpe_ratio=1.5, max_drawdown=-0.1, trades=3, benchmark_return=0.5, nothing=float("nan"),
    max_drawdown_start="1970-01-02", max_drawdown_trough="1970-01-03 04:00", start="1970-01-01", end="1970-01-05",
    data_fingerprint="abc123", strategy_code_hash="c0de", fee=0.001, maker_fee=0.0005, slippage_bps=1.0,
    equity_points=json.dumps([1.0, 1.1, 1.25]), benchmark_points=json.dumps([1.0, 1.2, 1.5]),
)
"""

SUMMARY = """\
from workbench.research.ledger import Ledger
from workbench.settings import load_settings
import workbench as wb
wb.record(seen=len(Ledger(load_settings().ledger_root).runs(report, batch)))
"""


def notebook(path: Path, code: str, parameters: str = PARAMETERS) -> Path:
    """Write a notebook of a parameters cell and one other."""
    cells = [nbformat.v4.new_code_cell(code)]
    if parameters:
        cells.insert(0, nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    spec = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=spec), path)
    return path


def bars_of(symbol: str, count: int = 60, **facts: Any) -> wb.Bars:
    close = 100 + np.sin(np.arange(count) / 5)
    return wb.Bars(
        instrument=wb.Instrument(symbol=symbol, venue="paper", quote="USDT", **facts),
        timeframe=wb.Timeframe.parse("1h"),
        ts=np.arange(count) * HOUR_MS,
        open=close, high=close + 1, low=close - 1, close=close, volume=np.ones(count),
    )  # fmt: skip


def make_workspace(
    root: Path, definition: str, notebooks: Mapping[str, str] | None = None, symbols: tuple[str, ...] = MARKETS
) -> Settings:
    """Make a workspace with a report named `night`; the notebooks share the usual parameters."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "workbench.toml").write_text("[report]\nworkers = 2\n")
    for folder in ("reports", "strategies", "notebooks"):
        (root / folder).mkdir(exist_ok=True)
    (root / "reports" / "night.toml").write_text(definition)
    (root / "strategies" / "hold.py").write_text(STRATEGY)
    for name, code in {"good": GOOD, **(notebooks or {})}.items():
        notebook(root / "notebooks" / f"{name}.ipynb", code)
    notebook(root / "notebooks" / "summary.ipynb", SUMMARY, 'report: str = "night"\nbatch: str = "latest"\n')
    settings = load_settings(root)
    lake = wb.Lake(settings.lake_root)
    for symbol in symbols:
        lake.write(bars_of(symbol), source="made for a test", licence="none needed", note="not a real market")
    return settings


def plan_of(folder: Path) -> Any:
    """Read a batch's plan.json."""
    return json.loads((folder / "plan.json").read_text())
