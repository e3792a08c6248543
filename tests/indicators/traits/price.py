"""Of the indicators of price: trend, momentum and volatility."""

from __future__ import annotations

from tests.indicators.traits.kinds import Traits

TRAITS: dict[str, Traits] = {}
