"""The strategy library: one strategy a file, each with how it earns, when it loses and what it assumes.

`wb.load_strategy("library:grid")` gives the class, and so does `get("grid")`. A strategy is loaded on first use.
"""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import StrategyError

if TYPE_CHECKING:  # what editors and type checkers see; at run time __getattr__ finds the same names
    from workbench.strategy.library.arbitrage import Arbitrage
    from workbench.strategy.library.avellaneda_stoikov import AvellanedaStoikov
    from workbench.strategy.library.breakout import Breakout
    from workbench.strategy.library.cash_and_carry import CashAndCarry
    from workbench.strategy.library.dca import Dca
    from workbench.strategy.library.grid import Grid
    from workbench.strategy.library.market_making import MarketMaking
    from workbench.strategy.library.mean_reversion import MeanReversion
    from workbench.strategy.library.momentum import Momentum
    from workbench.strategy.library.pairs import Pairs
    from workbench.strategy.library.rebalancer import Rebalancer
    from workbench.strategy.library.scalping import Scalping
    from workbench.strategy.library.trend_following import TrendFollowing
    from workbench.strategy.library.triangular import Triangular
    from workbench.strategy.parameterised import Parameterised

__all__ = [
    "Arbitrage",
    "AvellanedaStoikov",
    "Breakout",
    "CashAndCarry",
    "Dca",
    "Grid",
    "MarketMaking",
    "MeanReversion",
    "Momentum",
    "Pairs",
    "Rebalancer",
    "Scalping",
    "TrendFollowing",
    "Triangular",
    "get",
    "names",
]

_CLASSES: Final = {
    "arbitrage": "Arbitrage",
    "avellaneda_stoikov": "AvellanedaStoikov",
    "breakout": "Breakout",
    "cash_and_carry": "CashAndCarry",
    "dca": "Dca",
    "grid": "Grid",
    "market_making": "MarketMaking",
    "mean_reversion": "MeanReversion",
    "momentum": "Momentum",
    "pairs": "Pairs",
    "rebalancer": "Rebalancer",
    "scalping": "Scalping",
    "trend_following": "TrendFollowing",
    "triangular": "Triangular",
}


def names() -> tuple[str, ...]:
    """Give the names of the strategies, sorted."""
    return tuple(_CLASSES)


def get(name: str) -> type[Parameterised]:
    """Give the class of a strategy: an `OrderStrategy` or a `SignalStrategy`.

    Raises
    ------
    StrategyError
        There is no such strategy; the message suggests the nearest.

    Examples
    --------
    >>> get("rebalancer")(band=0.1)
    Rebalancer(weights='', mode='band', band=0.1, every=24, invested=0.98)
    """
    if name not in _CLASSES:
        near = difflib.get_close_matches(str(name), _CLASSES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise StrategyError(
            f"there is no strategy {name!r} in the library: {hint}there is {', '.join(_CLASSES)}", name=name
        )
    found: type[Parameterised] = getattr(importlib.import_module(f"{__name__}.{name}"), _CLASSES[name])
    return found


def __getattr__(name: str) -> Any:
    for module, wanted in _CLASSES.items():
        if wanted == name:
            return get(module)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
