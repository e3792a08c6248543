"""Pairs of the indicators of volatility, and of momentum in strength, smoothed_rates and bar_oscillators."""

from __future__ import annotations

import numpy as np
import talib
from numpy.typing import NDArray

from tests.indicators.talib_pairs.kinds import Pair, Prices
from workbench import indicators as ind


def _bar(p: Prices) -> tuple[NDArray[np.float64], ...]:
    return p["high"], p["low"], p["close"]


def _rsi_without_range(p: Prices) -> NDArray[np.bool_]:
    """Rows in whose mean of 3 is an RSI of 14 that has not moved for 14 bars."""
    strength = ind.rsi(p["close"])
    still = ind.highest(strength, 14) - ind.lowest(strength, 14) < 1e-9
    return np.asarray(ind.highest(still.astype(float), 3) == 1.0)


PAIRS: dict[str, Pair] = {
    "natr": Pair(ours="natr", factor=100.0, theirs=lambda p: talib.NATR(*_bar(p)), functions=("NATR",)),
    "acceleration_bands": Pair(
        ours="acceleration_bands", theirs=lambda p: talib.ACCBANDS(*_bar(p)), functions=("ACCBANDS",)
    ),
    "stochastic_rsi": Pair(
        ours="stochastic_rsi", parameters={"smooth_k": 1}, functions=("STOCHRSI",),
        theirs=lambda p: talib.STOCHRSI(p["close"], 14, 14, 3, 0), uncounted=_rsi_without_range,
        why="Where the RSI has not moved TA-Lib says 0, as if it were at its low; ours says 50, the middle.",
    ),
    "cmo": Pair(ours="cmo", theirs=lambda p: talib.CMOU(p["close"], 14), functions=("CMOU",)),
    "tsi": Pair(
        ours="tsi", outputs=("tsi",), theirs=lambda p: talib.TSI(p["close"], 25, 13), functions=("TSI",)
    ),
    "apo": Pair(ours="apo", theirs=lambda p: talib.APO(p["close"], 12, 26, 1), functions=("APO",)),
    "accelerator": Pair(ours="accelerator", theirs=lambda p: talib.AC(p["high"], p["low"]), functions=("AC",)),
    "coppock": Pair(ours="coppock", factor=100.0, theirs=lambda p: talib.COPPOCK(p["close"]), functions=("COPPOCK",)),
    "elder_ray": Pair(ours="elder_ray", theirs=lambda p: talib.ERI(*_bar(p)), functions=("ERI",)),
    "stochastic_momentum_index": Pair(
        ours="stochastic_momentum_index", parameters={"length": 10, "slow": 3, "fast": 3, "signal": 10},
        theirs=lambda p: talib.SMI(*_bar(p), 10, 3, 3, 10), functions=("SMI",),
    ),
}  # fmt: skip

NOT_IN_COMMON = {
    "CMO": "It smooths as Wilder does, which makes it 2 * RSI - 100; Chande's own sums, which are ours, are CMOU.",
    "RVI": "Dorsey's relative volatility index; our relative_vigor_index is Ehlers' and has nothing to do with it.",
}
