"""What TA-Lib and we have in common, pair by pair, one file for each room that adds indicators."""

from __future__ import annotations

from tests.indicators.talib_pairs import core, flow, price, trend
from tests.indicators.talib_pairs.kinds import Pair, Prices

__all__ = ["NOT_IN_COMMON", "PAIRS", "Pair", "Prices"]

PAIRS: dict[str, Pair] = {**core.PAIRS, **price.PAIRS, **flow.PAIRS, **trend.PAIRS}
NOT_IN_COMMON: dict[str, str] = {
    **core.NOT_IN_COMMON,
    **price.NOT_IN_COMMON,
    **flow.NOT_IN_COMMON,
    **trend.NOT_IN_COMMON,
}
