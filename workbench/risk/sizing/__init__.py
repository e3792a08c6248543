"""How much to trade: sizes of positions from equity, risk, volatility and the trades so far, as pure numbers.

A sizing is a value: it is asked with a `SizingState` of plain numbers and answers with a quantity, or with why there is
none. Backtests, paper and live ask the same object (`trading.sizing`); what rests on closed bars alone is also a column
that the compiled path reads. Every sizing has `Caps`; lots round down, never up.
"""

from workbench.risk.sizing.base import Ask, PerBar, Sizing, Unit
from workbench.risk.sizing.caps import Caps
from workbench.risk.sizing.growth import Kelly, OptimalF, kelly_fraction, optimal_fraction, shrunk
from workbench.risk.sizing.insurance import CPPI
from workbench.risk.sizing.plain import FixedCash, FixedQuantity, FixedRisk, PercentEquity
from workbench.risk.sizing.reading import KINDS, sizing_of, told
from workbench.risk.sizing.sharing import RiskParity
from workbench.risk.sizing.state import Sized, SizingState
from workbench.risk.sizing.streaks import AntiMartingale, Pyramid
from workbench.risk.sizing.swings import PercentVolatility, VolatilityTarget

__all__ = [
    "CPPI",
    "KINDS",
    "AntiMartingale",
    "Ask",
    "Caps",
    "FixedCash",
    "FixedQuantity",
    "FixedRisk",
    "Kelly",
    "OptimalF",
    "PerBar",
    "PercentEquity",
    "PercentVolatility",
    "Pyramid",
    "RiskParity",
    "Sized",
    "Sizing",
    "SizingState",
    "Unit",
    "VolatilityTarget",
    "kelly_fraction",
    "optimal_fraction",
    "shrunk",
    "sizing_of",
    "told",
]
