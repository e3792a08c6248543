"""Pairs of the indicators of trend."""

from __future__ import annotations

import numpy as np
import talib
from numpy.typing import NDArray

from tests.indicators.talib_pairs.kinds import Pair, Prices


def _bar(p: Prices) -> tuple[NDArray[np.float64], ...]:
    return p["high"], p["low"], p["close"]


_SEED = "Wilder seeds each smoothing with the mean of its first 14 values, TA-Lib with 13; after the seed both agree."

PAIRS: dict[str, Pair] = {
    "aroon": Pair(
        ours="aroon", outputs=("down", "up", "oscillator"), functions=("AROON", "AROONOSC"),
        theirs=lambda p: [*talib.AROON(p["high"], p["low"], 25), talib.AROONOSC(p["high"], p["low"], 25)],
    ),
    "adxr": Pair(ours="adxr", theirs=lambda p: talib.ADXR(*_bar(p)), functions=("ADXR",), fades=30 * 14, why=_SEED),
    "directional_movement": Pair(
        ours="directional_movement", factor=14.0, functions=("PLUS_DM", "MINUS_DM"), fades=30 * 14, why=_SEED,
        theirs=lambda p: [f(p["high"], p["low"], 14) for f in (talib.PLUS_DM, talib.MINUS_DM)],
    ),
    "directional_movement of 1": Pair(
        ours="directional_movement", parameters={"length": 1}, functions=("PLUS_DM", "MINUS_DM"),
        theirs=lambda p: [f(p["high"], p["low"], 1) for f in (talib.PLUS_DM, talib.MINUS_DM)],
    ),
    "dx": Pair(ours="dx", theirs=lambda p: talib.DX(*_bar(p)), functions=("DX",), fades=30 * 14, why=_SEED),
    "parabolic_sar": Pair(
        ours="parabolic_sar", theirs=lambda p: talib.SAR(p["high"], p["low"], 0.02, 0.2), functions=("SAR",)
    ),
    "parabolic_sar, fast": Pair(
        ours="parabolic_sar", parameters={"step": 0.05, "maximum": 0.4},
        theirs=lambda p: talib.SAR(p["high"], p["low"], 0.05, 0.4), functions=("SAR",),
    ),
}  # fmt: skip
NOT_IN_COMMON: dict[str, str] = {}
