"""Sizes by how much the price moves: percent volatility, and a target of volatility."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.risk.sizing.base import PerBar, Series, positive, text, whole
from workbench.risk.sizing.state import SizingState

__all__ = ["PercentVolatility", "VolatilityTarget"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class PercentVolatility(PerBar):
    """The same fraction of the equity is moved by so many average true ranges, whatever the instrument.

    Parameters
    ----------
    risk : float, default 0.01
        Fraction of the equity.
    multiple : float, default 1
        Average true ranges that it stands for: 2 with a stop of two of them risks `risk` at the stop.
    length : int, default 14
        Bars of the average (Wilder's).
    caps : Caps

    Notes
    -----
    risk * equity / (multiple * ATR), the ATR as of the bar that decides. Van K. Tharp, Trade Your Way to Financial
    Freedom (2nd ed. 2007), chapter 14, the percent volatility model; with risk 0.01 and length 20 the unit of the
    Turtles (Curtis Faith, Way of the Turtle, 2007). There is no entry while the ATR is not known or zero. For an
    inverse contract the loss of a small move at the price counts.

    Examples
    --------
    >>> state = SizingState(equity=10_000.0, price=100.0, measure=5.0)
    >>> PercentVolatility(0.01, multiple=2.0).quantity(state)
    10.0
    """

    risk: float = 0.01
    multiple: float = 1.0
    length: int = 14
    unit: ClassVar[str] = "units"

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "risk", most=1.0, what="a fraction of equity")
        positive(self, "multiple")
        whole(self, "length", 1, "bars")

    def measures(self, series: Sequence[Series]) -> dict[str, Floats]:
        """Work out the average true ranges."""
        from workbench.indicators import atr

        return {one.symbol: np.asarray(atr(one.high, one.low, one.close, self.length)) for one in series}

    def amount(self, measure: Any) -> Any:
        """Give the units of base a unit of equity."""
        return self.risk / (self.multiple * _above_zero(measure))

    def source(self, state: SizingState) -> str:
        """Say in words where the size comes from."""
        risked = f"{self.risk:.4g} of the equity {text(state.equity)} = {text(self.risk * state.equity)}"
        return f"{risked} over {self.multiple:g} x ATR({self.length}) {text(state.measure)}"


@dataclass(frozen=True, repr=False)
class VolatilityTarget(PerBar):
    """The position is worth so much that it is expected to move by a target a year.

    Parameters
    ----------
    target : float, default 0.15
        Annual volatility of the position as a fraction of equity: 0.15 is 15 % a year.
    length : int, default 30
        Bars over which the volatility of the price is measured.
    caps : Caps

    Notes
    -----
    target / volatility * equity, where the volatility is the standard deviation of the logarithmic changes of `length`
    closes, made yearly by the bars of a year of the instrument's calendar. Moskowitz, Ooi and Pedersen, Time series
    momentum (Journal of Financial Economics, 2012), who take 40 % for each future. There is no entry while the
    volatility is not known or zero.

    Examples
    --------
    >>> from workbench.risk.sizing import Caps
    >>> VolatilityTarget(0.1, caps=Caps(position=1.0)).quantity(SizingState(equity=1_000.0, price=10.0, measure=0.5))
    20.0
    """

    target: float = 0.15
    length: int = 30

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(self, "target", what="a volatility a year")
        whole(self, "length", 2, "bars")

    def measures(self, series: Sequence[Series]) -> dict[str, Floats]:
        """Work out the volatilities a year."""
        from workbench.indicators import historical_volatility

        return {
            one.symbol: np.asarray(historical_volatility(one.close, self.length, _bars_of_a_year(one)))
            for one in series
            if len(one.ts)
        }

    def amount(self, measure: Any) -> Any:
        """Give the fraction of equity that the position is worth."""
        return self.target / _above_zero(measure)

    def source(self, state: SizingState) -> str:
        """Say in words where the size comes from."""
        worth = self.target / state.measure
        return f"{self.target:.4g} a year over {state.measure:.4g} = {worth:.4g} of the equity {text(state.equity)}"


def _bars_of_a_year(series: Series) -> float:
    """Count the bars of the year in which history begins: later years are not known yet."""
    from workbench.market.calendar import periods_per_year

    start = int(series.ts[0])
    return periods_per_year(series.instrument.calendar, series.timeframe, start, start + 1)


def _above_zero(measure: Any) -> Any:
    """Give measures with NaN where they are not above zero."""
    if isinstance(measure, float):
        return measure if measure > 0.0 else float("nan")
    values = np.asarray(measure, dtype=np.float64)
    if values.ndim != 1:
        raise ConfigError(f"measures have shape {values.shape}; give one value a bar, shape (n,)")
    return np.where(values > 0.0, values, np.nan)
