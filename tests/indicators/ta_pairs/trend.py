"""Columns of `ta` beside the indicators of trend."""

from __future__ import annotations

from tests.indicators.ta_pairs.kinds import Beside

PAIRS: dict[str, Beside] = {}
