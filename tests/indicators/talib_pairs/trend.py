"""Pairs of the indicators of trend."""

from __future__ import annotations

import numpy as np
import talib
from numpy.typing import NDArray

from tests.indicators.talib_pairs.kinds import Pair, Prices


def _bar(p: Prices) -> tuple[NDArray[np.float64], ...]:
    return p["high"], p["low"], p["close"]


PAIRS: dict[str, Pair] = {
    "aroon": Pair(
        ours="aroon", outputs=("down", "up", "oscillator"), functions=("AROON", "AROONOSC"),
        theirs=lambda p: [*talib.AROON(p["high"], p["low"], 25), talib.AROONOSC(p["high"], p["low"], 25)],
    ),
    "parabolic_sar": Pair(
        ours="parabolic_sar", theirs=lambda p: talib.SAR(p["high"], p["low"], 0.02, 0.2), functions=("SAR",)
    ),
    "parabolic_sar, fast": Pair(
        ours="parabolic_sar", parameters={"step": 0.05, "maximum": 0.4},
        theirs=lambda p: talib.SAR(p["high"], p["low"], 0.05, 0.4), functions=("SAR",),
    ),
}  # fmt: skip
NOT_IN_COMMON: dict[str, str] = {}
