"""Constant proportion portfolio insurance: more while the cushion grows, nothing at the floor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.risk.sizing.base import Ask, PerBar, Unit, positive, text
from workbench.risk.sizing.state import SizingState

__all__ = ["CPPI"]


@dataclass(frozen=True, repr=False)
class CPPI(PerBar):
    """A multiple of the equity above a floor.

    Parameters
    ----------
    multiplier : float, default 3
        Of the cushion, the equity above the floor.
    floor_at : float, default 0.8
        The floor as a fraction of the equity at the start, or with `ratchet` of the best equity so far.
    ratchet : bool, default False
        Let the floor rise with the best equity at closed trades (time invariant portfolio protection).
    caps : Caps
        A multiplied cushion is soon more than 20 % of equity: say Caps(position=1.0) for the textbook's.

    Notes
    -----
    multiplier * (equity - floor). Black and Jones, Simplifying portfolio insurance (1987); Black and Perold, Theory of
    constant proportion portfolio insurance (1992); the ratchet is Estep and Kritzman, TIPP (1988). There is no entry at
    the floor. Only what is traded anew is sized: a position that is held is not rebalanced.

    Examples
    --------
    >>> from workbench.risk.sizing import Caps
    >>> insured = CPPI(multiplier=3.0, floor_at=0.8, caps=Caps(position=1.0))
    >>> insured.quantity(SizingState(equity=10_000.0, price=100.0, cash=10_000.0))
    60.0
    """

    multiplier: float = 3.0
    floor_at: float = 0.8
    ratchet: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "multiplier")
        positive(self, "floor_at", what="a fraction of the equity at the start")
        if self.floor_at >= 1.0:
            raise ConfigError(f"CPPI: floor_at = {self.floor_at!r} leaves no cushion; give a fraction below 1")
        if not isinstance(self.ratchet, bool):
            raise ConfigError(f"CPPI: ratchet = {self.ratchet!r}; give True or False", name="ratchet")
        if self.ratchet:
            object.__setattr__(self, "follows", "its floor rises with the best equity so far")

    @property
    def memory(self) -> int:
        """The best equity at closed trades is remembered with the trades themselves."""
        return 1 if self.ratchet else 0

    def amount(self, measure: Any) -> float:
        """Give the multiplier."""
        return self.multiplier

    def floor(self, cash: float) -> float:
        """Give the floor in money."""
        return self.floor_at * cash

    def source(self, state: SizingState) -> str:
        """Say in words where the size comes from."""
        floor = self.floor(state.peak if self.ratchet else state.cash)
        return f"{self.multiplier:g} x the cushion {text(state.equity)} - {text(floor)}"

    def ask(self, state: SizingState) -> Ask:
        """Say how much is wanted, before caps."""
        best = state.peak if self.ratchet else state.cash
        if best != best:
            raise ConfigError(f"CPPI: SizingState has no {'peak' if self.ratchet else 'cash'} to take the floor from")
        return Ask(self.unit, self.multiplier, self.floor(best), "", self.source(state))

    def per_bar(self, measure: NDArray[np.float64], cash: float) -> tuple[Unit, NDArray[np.float64], float] | None:  # type: ignore[override]
        """Give unit, size and floor; None where the floor follows the equity."""
        return None if self.ratchet else super().per_bar(measure, cash)
