"""workbench: write a strategy once, judge it honestly, run it every night and trade it.

The front door. Names load what they need on first use (PEP 562), so that `import workbench` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what editors and type checkers see; at run time __getattr__ finds the same names
    from workbench import accounting, backtest, errors, indicators, practice, risk
    from workbench import market as data
    from workbench.accounting import tax
    from workbench.accounting.books import Books
    from workbench.accounting.money import Money
    from workbench.backtest.compare import compare
    from workbench.backtest.costs import Costs
    from workbench.backtest.export import load_result
    from workbench.backtest.result import Result
    from workbench.backtest.rules import Rules
    from workbench.bots.comparison.comparing import parity
    from workbench.errors import WorkbenchError
    from workbench.market.bars import Bars
    from workbench.market.instrument import Instrument
    from workbench.market.lake import Lake, lake, read
    from workbench.market.ticks import Ticks
    from workbench.market.timeframe import Timeframe
    from workbench.market.universe import Universe, universe
    from workbench.reporting.results import record
    from workbench.research import learning as learn
    from workbench.research.allocating import allocate
    from workbench.research.chance import monte_carlo, significance
    from workbench.research.check import check
    from workbench.research.holding.joining import portfolio_risk
    from workbench.research.labbook import study
    from workbench.research.ledger import runs
    from workbench.research.optimising import optimise
    from workbench.research.ranking import leaderboard
    from workbench.research.recorder import record_run
    from workbench.research.rerunning import rerun
    from workbench.research.study import Study
    from workbench.research.sweeping.evaluator import Evaluator
    from workbench.research.sweeping.running import sweep
    from workbench.research.sweeping.sampling import Sampler
    from workbench.research.validation import CombinatorialPurged, PurgedKFold, cross_validate, walk_forward
    from workbench.risk import metrics, sizing
    from workbench.risk import weighting as weights
    from workbench.settings import load_settings
    from workbench.strategy.confluence import Confluence, ConfluenceTerms, confluence
    from workbench.strategy.loader import list_strategies, load_strategy
    from workbench.strategy.orders import OrderStrategy
    from workbench.strategy.parameters import Parameter, param
    from workbench.strategy.protections import Cooldown, DrawdownPause, LosingPairs, LowProfit, StopGuard
    from workbench.strategy.signals import Signals
    from workbench.strategy.strategy import SignalStrategy
    from workbench.workspace import init_workspace

__version__ = "0.1.0"

__all__ = [
    "Bars",
    "Books",
    "CombinatorialPurged",
    "Confluence",
    "ConfluenceTerms",
    "Cooldown",
    "Costs",
    "DrawdownPause",
    "Evaluator",
    "Instrument",
    "Lake",
    "LosingPairs",
    "LowProfit",
    "Money",
    "OrderStrategy",
    "Parameter",
    "PurgedKFold",
    "Result",
    "Rules",
    "Sampler",
    "SignalStrategy",
    "Signals",
    "StopGuard",
    "Study",
    "Ticks",
    "Timeframe",
    "Universe",
    "WorkbenchError",
    "accounting",
    "allocate",
    "backtest",
    "check",
    "compare",
    "confluence",
    "cross_validate",
    "data",
    "errors",
    "indicators",
    "init_workspace",
    "lake",
    "leaderboard",
    "learn",
    "list_strategies",
    "load_result",
    "load_settings",
    "load_strategy",
    "metrics",
    "monte_carlo",
    "optimise",
    "param",
    "parity",
    "portfolio_risk",
    "practice",
    "read",
    "record",
    "record_run",
    "rerun",
    "risk",
    "runs",
    "significance",
    "sizing",
    "study",
    "sweep",
    "tax",
    "universe",
    "walk_forward",
    "weights",
]

_HOME = {
    "Bars": "workbench.market.bars",
    "Books": "workbench.accounting.books",
    "CombinatorialPurged": "workbench.research.validation",
    "Confluence": "workbench.strategy.confluence",
    "ConfluenceTerms": "workbench.strategy.confluence",
    "Cooldown": "workbench.strategy.protections",
    "Costs": "workbench.backtest.costs",
    "DrawdownPause": "workbench.strategy.protections",
    "Evaluator": "workbench.research.sweeping.evaluator",
    "Instrument": "workbench.market.instrument",
    "Lake": "workbench.market.lake",
    "LosingPairs": "workbench.strategy.protections",
    "LowProfit": "workbench.strategy.protections",
    "Money": "workbench.accounting.money",
    "OrderStrategy": "workbench.strategy.orders",
    "Parameter": "workbench.strategy.parameters",
    "PurgedKFold": "workbench.research.validation",
    "Result": "workbench.backtest.result",
    "Rules": "workbench.backtest.rules",
    "Sampler": "workbench.research.sweeping.sampling",
    "SignalStrategy": "workbench.strategy.strategy",
    "Signals": "workbench.strategy.signals",
    "StopGuard": "workbench.strategy.protections",
    "Study": "workbench.research.study",
    "Ticks": "workbench.market.ticks",
    "Timeframe": "workbench.market.timeframe",
    "Universe": "workbench.market.universe",
    "WorkbenchError": "workbench.errors",
    "allocate": "workbench.research.allocating",
    "check": "workbench.research.check",
    "compare": "workbench.backtest.compare",
    "confluence": "workbench.strategy.confluence",
    "cross_validate": "workbench.research.validation",
    "init_workspace": "workbench.workspace",
    "lake": "workbench.market.lake",
    "leaderboard": "workbench.research.ranking",
    "list_strategies": "workbench.strategy.loader",
    "load_result": "workbench.backtest.export",
    "load_settings": "workbench.settings",
    "load_strategy": "workbench.strategy.loader",
    "monte_carlo": "workbench.research.chance",
    "optimise": "workbench.research.optimising",
    "param": "workbench.strategy.parameters",
    "parity": "workbench.bots.comparison.comparing",
    "portfolio_risk": "workbench.research.holding.joining",
    "read": "workbench.market.lake",
    "record": "workbench.reporting.results",
    "record_run": "workbench.research.recorder",
    "rerun": "workbench.research.rerunning",
    "runs": "workbench.research.ledger",
    "significance": "workbench.research.chance",
    "study": "workbench.research.labbook",
    "sweep": "workbench.research.sweeping.running",
    "universe": "workbench.market.universe",
    "walk_forward": "workbench.research.validation",
}
_ROOMS = {
    "accounting": "workbench.accounting",
    "backtest": "workbench.backtest",
    "data": "workbench.market",
    "errors": "workbench.errors",
    "indicators": "workbench.indicators",
    "learn": "workbench.research.learning",
    "metrics": "workbench.risk.metrics",
    "practice": "workbench.practice",
    "risk": "workbench.risk",
    "sizing": "workbench.risk.sizing",
    "tax": "workbench.accounting.tax",
    "weights": "workbench.risk.weighting",
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
