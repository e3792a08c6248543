"""Sizes that follow from the equity, the price and the stop alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from workbench.risk.sizing.base import PerBar, positive, text
from workbench.risk.sizing.state import SizingState

__all__ = ["FixedCash", "FixedQuantity", "FixedRisk", "PercentEquity"]


@dataclass(frozen=True, repr=False)
class FixedQuantity(PerBar):
    """The same quantity every time.

    Parameters
    ----------
    units : float
        Units of the base asset, or contracts.
    caps : Caps

    Examples
    --------
    >>> FixedQuantity(3.0).quantity(SizingState(equity=10_000.0, price=100.0))
    3.0
    """

    units: float
    unit: ClassVar[str] = "quantity"

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "units")

    def amount(self, measure: Any) -> float:
        """Give the quantity."""
        return self.units

    def source(self, state: SizingState) -> str:
        """Say in words where the size comes from."""
        return f"{text(self.units)} every time"


@dataclass(frozen=True, repr=False)
class FixedCash(PerBar):
    """The same value every time, fees on top.

    Parameters
    ----------
    money : float
        Value of the position in the currency of the account, whatever the leverage.
    caps : Caps

    Examples
    --------
    >>> FixedCash(500.0).quantity(SizingState(equity=10_000.0, price=100.0))
    5.0
    """

    money: float
    unit: ClassVar[str] = "value"

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "money")

    def amount(self, measure: Any) -> float:
        """Give the money."""
        return self.money

    def source(self, state: SizingState) -> str:
        """Say in words where the size comes from."""
        return f"worth {text(self.money)} every time"


@dataclass(frozen=True, repr=False)
class PercentEquity(PerBar):
    """A fraction of the equity every time: what many programs call percent sizing, or fixed fraction of capital.

    Parameters
    ----------
    fraction : float
        Value of the position over the equity, whatever the leverage: 0.1 is ten percent.
    caps : Caps

    Examples
    --------
    >>> PercentEquity(0.1).quantity(SizingState(equity=10_000.0, price=100.0))
    10.0
    """

    fraction: float

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "fraction", what="a fraction of equity")

    def amount(self, measure: Any) -> float:
        """Give the fraction."""
        return self.fraction

    def source(self, state: SizingState) -> str:
        """Say in words where the size comes from."""
        return f"{self.fraction:.4g} of the equity {text(state.equity)} = {text(self.fraction * state.equity)}"


@dataclass(frozen=True, repr=False)
class FixedRisk(PerBar):
    """Fixed fractional: the same fraction of the equity is lost whenever the stop is hit.

    Parameters
    ----------
    fraction : float, default 0.01
        Of the equity, lost between the entry and its stop, before fees and slippage: 0.01 is one percent.
    caps : Caps

    Notes
    -----
    fraction * equity / |price - stop|. A position without a stop is not entered. Ralph Vince, Portfolio Management
    Formulas (1990), fixed fractional trading; Van K. Tharp, Trade Your Way to Financial Freedom (2nd ed. 2007),
    chapter 14, the percent risk model.

    Examples
    --------
    >>> FixedRisk(0.01).quantity(SizingState(equity=10_000.0, price=100.0, stop=90.0))
    10.0
    """

    fraction: float = 0.01
    unit: ClassVar[str] = "risk"
    needs_stop: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "fraction", most=1.0, what="a fraction of equity")

    def amount(self, measure: Any) -> float:
        """Give the fraction."""
        return self.fraction

    def source(self, state: SizingState) -> str:
        """Say in words where the size comes from."""
        risked = (
            f"{self.fraction:.4g} of the equity {text(state.equity)} = {text(self.fraction * state.equity)} at risk"
        )
        return f"{risked}, {text(state.loss_to(state.stop))} a unit to the stop {text(state.stop)}"
