"""What can be varied, and what its values must keep to: parameters of the strategy, exits, costs, leverage."""

from __future__ import annotations

from typing import Final

from workbench.strategy.parameters import Parameter
from workbench.strategy.strategy import SignalStrategy

__all__ = ["COSTS", "EXITS", "known_names", "parameter_of"]

EXITS: Final = ("stop_loss", "take_profit", "trailing_stop", "trailing_activation", "max_bars", "size")
COSTS: Final = ("fee", "maker_fee", "slippage_bps")

_TINY: Final = 1e-12
_OURS: Final = {
    "stop_loss": Parameter("stop_loss", float, None, _TINY, 1 - _TINY, optional=True),
    "take_profit": Parameter("take_profit", float, None, _TINY, optional=True),
    "trailing_stop": Parameter("trailing_stop", float, None, _TINY, 1 - _TINY, optional=True),
    "trailing_activation": Parameter("trailing_activation", float, None, _TINY, optional=True),
    "max_bars": Parameter("max_bars", int, None, 1, optional=True),
    "size": Parameter("size", float, 1.0, _TINY),
    "fee": Parameter("fee", float, None, -0.01, 0.5, optional=True),
    "maker_fee": Parameter("maker_fee", float, None, -0.01, 0.5, optional=True),
    "slippage_bps": Parameter("slippage_bps", float, None, 0.0, 5_000.0, optional=True),
    "leverage": Parameter("leverage", float, 1.0, _TINY, 1_000.0),
}


def known_names(strategy: SignalStrategy) -> tuple[str, ...]:
    """Give every name that a combination may have a value of: the strategy's own first."""
    return tuple(dict.fromkeys((*strategy.declared, *_OURS)))


def parameter_of(strategy: SignalStrategy, name: str) -> Parameter:
    """Give the declaration that values of a name are held to."""
    return strategy.declared[name] if name in strategy.declared else _OURS[name]
