"""What a user writes: strategies, their parameters and signals, and how files of them are found and loaded.

`OrderStrategy` loads on first use: it brings the core and numba, which those who list strategies do not need.
"""

from typing import TYPE_CHECKING, Any

from workbench.strategy.loader import StrategyInfo, list_strategies, load_strategy
from workbench.strategy.parameters import Parameter, param
from workbench.strategy.protections import Cooldown, DrawdownPause, LosingPairs, LowProfit, Protection, StopGuard
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy, signals_of

if TYPE_CHECKING:
    from workbench.strategy.orders import OrderStrategy

__all__ = [
    "Cooldown",
    "DrawdownPause",
    "LosingPairs",
    "LowProfit",
    "OrderStrategy",
    "Parameter",
    "Protection",
    "SignalStrategy",
    "Signals",
    "StopGuard",
    "StrategyInfo",
    "list_strategies",
    "load_strategy",
    "param",
    "signals_of",
]


def __getattr__(name: str) -> Any:
    if name != "OrderStrategy":
        raise AttributeError(f"module 'workbench.strategy' has no attribute {name!r}")
    from workbench.strategy.orders import OrderStrategy

    return OrderStrategy
