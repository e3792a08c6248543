"""What `ta` and we have in common: where it agrees, where not, who is right and why."""

from __future__ import annotations

from tests.indicators.ta_pairs import core, flow, price, trend, vola
from tests.indicators.ta_pairs.kinds import Beside

__all__ = ["PAIRS", "Beside"]

PAIRS: dict[str, Beside] = {**core.PAIRS, **price.PAIRS, **flow.PAIRS, **trend.PAIRS, **vola.PAIRS}
