"""What TA-Lib and we have in common, pair by pair, one file for each room that adds indicators."""

from __future__ import annotations

from tests.indicators.talib_pairs import core, flow, newer, price, vola
from tests.indicators.talib_pairs.kinds import Pair, Prices

__all__ = ["NOT_IN_COMMON", "PAIRS", "Pair", "Prices"]

PAIRS: dict[str, Pair] = {**core.PAIRS, **price.PAIRS, **flow.PAIRS, **vola.PAIRS, **newer.PAIRS}
NOT_IN_COMMON: dict[str, str] = {
    **core.NOT_IN_COMMON, **price.NOT_IN_COMMON, **flow.NOT_IN_COMMON, **vola.NOT_IN_COMMON,
    **newer.NOT_IN_COMMON,
}  # fmt: skip
