"""Where the practice exchange gets its prices from: recorded markets, and synthetic ones that say so."""

from workbench.practice.markets.base import Listing
from workbench.practice.markets.market import Candles, Market, Print
from workbench.practice.markets.recorded import RecordedMarket, RecordedTrades
from workbench.practice.markets.synthetic import Regime, SyntheticMarket, Temper

__all__ = [
    "Candles",
    "Listing",
    "Market",
    "Print",
    "RecordedMarket",
    "RecordedTrades",
    "Regime",
    "SyntheticMarket",
    "Temper",
]
