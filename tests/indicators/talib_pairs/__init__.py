"""What TA-Lib and we have in common, pair by pair, one file for each room that adds indicators."""

from __future__ import annotations

from tests.indicators.talib_pairs import core, flow, price
from tests.indicators.talib_pairs.kinds import Pair, Prices

__all__ = ["PAIRS", "Pair", "Prices"]

PAIRS: dict[str, Pair] = {**core.PAIRS, **price.PAIRS, **flow.PAIRS}
