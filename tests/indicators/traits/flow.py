"""Of the indicators of flow: volume, statistics, patterns and microstructure."""

from __future__ import annotations

from tests.indicators.traits.kinds import Traits

TRAITS: dict[str, Traits] = {}
