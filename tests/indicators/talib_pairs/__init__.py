"""What TA-Lib and we have in common, pair by pair, one file for each room that adds indicators."""

from __future__ import annotations

from tests.indicators.talib_pairs import core, flow, newer, price, trend, vola
from tests.indicators.talib_pairs.kinds import Pair, Prices

__all__ = ["NOT_IN_COMMON", "PAIRS", "Pair", "Prices"]

_ROOMS = (core, price, flow, trend, vola, newer)

PAIRS: dict[str, Pair] = {name: pair for room in _ROOMS for name, pair in room.PAIRS.items()}
NOT_IN_COMMON: dict[str, str] = {name: why for room in _ROOMS for name, why in room.NOT_IN_COMMON.items()}
