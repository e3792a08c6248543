"""workbench: write a strategy once, judge it honestly, run it every night and trade it.

The front door. Names load what they need on first use (PEP 562), so that `import workbench` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what editors and type checkers see; at run time __getattr__ finds the same names
    from workbench import backtest, errors, indicators
    from workbench import market as data
    from workbench.backtest.compare import compare
    from workbench.backtest.costs import Costs
    from workbench.backtest.result import Result
    from workbench.errors import WorkbenchError
    from workbench.market.bars import Bars
    from workbench.market.instrument import Instrument
    from workbench.market.lake import Lake, lake, read
    from workbench.market.timeframe import Timeframe
    from workbench.reporting.results import record
    from workbench.research.ledger import runs
    from workbench.risk import metrics
    from workbench.settings import load_settings
    from workbench.strategy.loader import list_strategies, load_strategy
    from workbench.strategy.parameters import Parameter, param
    from workbench.strategy.signals import Signals
    from workbench.strategy.strategy import SignalStrategy
    from workbench.workspace import init_workspace

__version__ = "0.1.0"

__all__ = [
    "Bars",
    "Costs",
    "Instrument",
    "Lake",
    "Parameter",
    "Result",
    "SignalStrategy",
    "Signals",
    "Timeframe",
    "WorkbenchError",
    "backtest",
    "compare",
    "data",
    "errors",
    "indicators",
    "init_workspace",
    "lake",
    "list_strategies",
    "load_settings",
    "load_strategy",
    "metrics",
    "param",
    "read",
    "record",
    "runs",
]

_HOME = {
    "Bars": "workbench.market.bars",
    "Costs": "workbench.backtest.costs",
    "Instrument": "workbench.market.instrument",
    "Lake": "workbench.market.lake",
    "Parameter": "workbench.strategy.parameters",
    "Result": "workbench.backtest.result",
    "SignalStrategy": "workbench.strategy.strategy",
    "Signals": "workbench.strategy.signals",
    "Timeframe": "workbench.market.timeframe",
    "WorkbenchError": "workbench.errors",
    "compare": "workbench.backtest.compare",
    "init_workspace": "workbench.workspace",
    "lake": "workbench.market.lake",
    "list_strategies": "workbench.strategy.loader",
    "load_settings": "workbench.settings",
    "load_strategy": "workbench.strategy.loader",
    "param": "workbench.strategy.parameters",
    "read": "workbench.market.lake",
    "record": "workbench.reporting.results",
    "runs": "workbench.research.ledger",
}
_ROOMS = {
    "backtest": "workbench.backtest",
    "data": "workbench.market",
    "errors": "workbench.errors",
    "indicators": "workbench.indicators",
    "metrics": "workbench.risk.metrics",
}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        value: Any = importlib.import_module(_ROOMS[name])
    elif name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
