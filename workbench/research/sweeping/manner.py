"""What the speakers of a sweep share: how a combination makes a strategy, and what its numbers are held to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.errors import StrategyError
from workbench.research.sweeping.names import EXITS
from workbench.strategy.strategy import SignalStrategy

__all__ = ["CLOSES", "NUMBERS", "Manner", "Settings", "checked", "is_none", "plain", "varied"]

NUMBERS: Final = ("size", "stop_loss", "take_profit", "trailing_stop", "trailing_activation")
CLOSES: Final = np.uint8(16)
_BELOW_ONE: Final = ("stop_loss", "trailing_stop")

Settings = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Manner:
    """What all combinations of a speaker share: what their sizes are in, and the ladder of targets."""

    size_unit: str = "fraction"
    roi: Mapping[float, float] | None = None


def varied(strategy: SignalStrategy, settings: Settings) -> SignalStrategy:
    """Give the strategy of a combination: its parameters changed, and its exits where they are none of these."""
    own = {name: value for name, value in settings.items() if name in strategy.declared}
    made = strategy.replace(**own)
    for name in EXITS[:-1]:
        if name in settings and name not in own:
            object.__setattr__(made, name, plain(settings[name]))
    return made


def plain(value: Any) -> Any:
    """Give a plain Python value; None for one that stands for none."""
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and math.isnan(value) else value


def is_none(value: Any) -> bool:
    """Tell whether a value stands for none."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def checked(name: str, value: float, manner: Manner) -> float:
    """Hold a number to what `Signals` takes."""
    if name == "size":
        if not (math.isfinite(value) and value > 0 and (value <= 1 or manner.size_unit not in ("fraction", "risk"))):
            raise StrategyError(f"size {value!r} must be above zero, and at most 1 where it is a fraction")
    elif value <= 0 or value >= (1.0 if name in _BELOW_ONE else math.inf):
        raise StrategyError(f"{name} = {value!r} must be a fraction above 0{' and below 1' * (name in _BELOW_ONE)}")
    return value
