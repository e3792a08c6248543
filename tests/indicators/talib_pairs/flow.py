"""Pairs of the indicators of flow: volume, statistics, patterns and microstructure."""

from __future__ import annotations

from tests.indicators.talib_pairs.kinds import Pair

PAIRS: dict[str, Pair] = {}
