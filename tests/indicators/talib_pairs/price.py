"""Pairs of the indicators of price: trend, momentum and volatility."""

from __future__ import annotations

from tests.indicators.talib_pairs.kinds import Pair

PAIRS: dict[str, Pair] = {}
