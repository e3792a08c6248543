"""What the contract tests must know of single indicators; whatever is not said here follows the rules of the house."""

from __future__ import annotations

from tests.indicators.traits import core, flow, price, trend, vola
from tests.indicators.traits.kinds import PRICE, Traits

__all__ = ["PRICE", "TRAITS", "Traits"]

TRAITS: dict[str, Traits] = {**core.TRAITS, **price.TRAITS, **flow.TRAITS, **trend.TRAITS, **vola.TRAITS}
