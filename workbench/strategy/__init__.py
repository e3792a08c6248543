"""What a user writes: strategies, their parameters and signals, and how files of them are found and loaded."""

from workbench.strategy.loader import StrategyInfo, list_strategies, load_strategy
from workbench.strategy.parameters import Parameter, param
from workbench.strategy.signals import Signals
from workbench.strategy.strategy import SignalStrategy, signals_of

__all__ = [
    "Parameter",
    "SignalStrategy",
    "Signals",
    "StrategyInfo",
    "list_strategies",
    "load_strategy",
    "param",
    "signals_of",
]
