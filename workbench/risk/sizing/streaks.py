"""Sizings around a sizing: more after wins, and more of what is winning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.risk.sizing.base import Ask, Series, Sizing, positive, whole
from workbench.risk.sizing.plain import FixedRisk
from workbench.risk.sizing.state import SizingState

__all__ = ["AntiMartingale", "Pyramid"]


@dataclass(frozen=True, repr=False)
class _Around(Sizing):
    """What asks another sizing first; the caps are its own, not the other's."""

    base: Sizing = field(default_factory=FixedRisk)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.base, Sizing):
            raise ConfigError(f"{type(self).__name__}: base = {self.base!r}; give a sizing, such as FixedRisk(0.01)")

    @property
    def memory(self) -> int:
        """Trades that are looked at."""
        return int(self.base.memory)

    @property
    def needs_stop(self) -> bool:
        """As the base."""
        return bool(self.base.needs_stop)

    def measures(self, series: Sequence[Series]) -> dict[str, NDArray[np.float64]]:
        """Work out what the base measures."""
        return self.base.measures(series)

    def times(self, factor: float, said: str, state: SizingState) -> Ask:
        """Ask for a multiple of what the base asks for."""
        ask = self.base.ask(state)
        return ask._replace(size=ask.size * factor, why=f"{said} {ask.why}".strip()) if not ask.code else ask


@dataclass(frozen=True, repr=False)
class AntiMartingale(_Around):
    """More after each win in a row, as before after a loss.

    Parameters
    ----------
    base : Sizing, default FixedRisk(0.01)
        What is traded after a loss, and first.
    factor : float, default 1.5
        By which each win in a row multiplies it.
    steps : int, default 3
        Wins in a row that count at most.
    caps : Caps

    Notes
    -----
    base * factor ** min(wins in a row, steps). Van K. Tharp, Trade Your Way to Financial Freedom (2nd ed. 2007),
    chapter 14, on anti-martingale strategies. The wins of all instruments count together, in the order in which trades
    closed.

    Examples
    --------
    >>> from workbench.risk.sizing import Caps, PercentEquity
    >>> bolder = AntiMartingale(PercentEquity(0.1), factor=2.0, caps=Caps(position=1.0))
    >>> bolder.quantity(SizingState(equity=1_000.0, price=10.0, returns=[-0.01, 0.02, 0.01]))
    40.0
    """

    factor: float = 1.5
    steps: int = 3
    follows: ClassVar[str] = "it looks at the trades closed so far"

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "factor")
        whole(self, "steps", 1, "wins")
        if self.factor <= 1.0:
            raise ConfigError(f"AntiMartingale: factor = {self.factor!r} adds nothing; give a number above 1")

    @property
    def memory(self) -> int:
        """Trades that are looked at."""
        return max(self.steps, int(self.base.memory))

    def ask(self, state: SizingState) -> Ask:
        """Say how much is wanted, before caps."""
        wins = 0
        for one in reversed(list(state.returns)[-self.steps :]):
            if not one > 0.0:
                break
            wins += 1
        factor = self.factor**wins
        return self.times(factor, f"{factor:g} x after {wins} wins:" if wins else "", state)


@dataclass(frozen=True, repr=False)
class Pyramid(_Around):
    """Adds to a position that is winning, less each time.

    Parameters
    ----------
    base : Sizing, default FixedRisk(0.01)
        What is traded first.
    adds : int, default 3
        How often it is added at most.
    scale : float, default 0.5
        Each addition over the one before; 1 for equal ones.
    gain : float, default 0.01
        How far the close must be beyond the last price that was paid, as a fraction of it, for an addition.
    caps : Caps
        Of the whole position: what is held already counts.

    Notes
    -----
    The k-th addition asks for base * scale ** k. A signal strategy adds at the first price after a bar that has closed
    `gain` beyond its last fill, as long as nothing is asked for against the position; stops and targets then follow the
    average price. An addition that caps or money refuse is asked for again when the price is `gain` beyond that one.
    Order strategies add by their own orders. The reversed pyramid of Edwin Lefèvre, Reminiscences of a Stock Operator
    (1923), and of the Turtles (Curtis Faith, Way of the Turtle, 2007: equal units every half ATR).

    Examples
    --------
    >>> from workbench.risk.sizing import Caps, PercentEquity
    >>> growing = Pyramid(PercentEquity(0.1), caps=Caps(position=1.0))
    >>> [growing.quantity(SizingState(equity=1_000.0, price=10.0, adds=k)) for k in range(4)]
    [10.0, 5.0, 2.5, 1.25]
    """

    adds: int = 3
    scale: float = 0.5
    gain: float = 0.01
    follows: ClassVar[str] = "it adds to what is held"

    def __post_init__(self) -> None:
        super().__post_init__()
        whole(self, "adds", 1, "additions")
        positive(self, "scale", most=1.0)
        positive(self, "gain", what="a fraction of the price")

    def ask(self, state: SizingState) -> Ask:
        """Say how much is wanted, before caps."""
        factor = self.scale**state.adds
        return self.times(factor, f"addition {state.adds}, {factor:g} x:" if state.adds else "", state)

    def wants_more(self, adds: int, side: float, paid: float, close: Any) -> bool:
        """Tell whether a position may be added to: how often it was, its side, the last price paid, the last close."""
        return adds < self.adds and side * (float(close) - paid * (1.0 + side * self.gain)) >= 0.0
