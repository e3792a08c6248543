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
    "dpo": Pair(ours="dpo", theirs=lambda p: talib.DPO(p["close"], 20), functions=("DPO",)),
    "mass_index": Pair(
        ours="mass_index", theirs=lambda p: talib.MASSI(p["high"], p["low"], 9, 25), functions=("MASSI",)
    ),
    "supertrend": Pair(
        ours="supertrend", outputs=("line",), theirs=lambda p: talib.SUPERTREND(*_bar(p), 10, 3.0)[0],
        functions=("SUPERTREND",), fades=100,
        why="TA-Lib always begins in a rise, ours with what the first bar says; after the first turn both agree.",
    ),
    "vertical_horizontal_filter": Pair(
        ours="vertical_horizontal_filter", theirs=lambda p: talib.VHF(p["close"], 28), functions=("VHF",)
    ),
    "vortex": Pair(ours="vortex", theirs=lambda p: talib.VORTEX(*_bar(p), 14), functions=("VORTEX",)),
    "donchian, middle": Pair(
        ours="donchian", parameters={"length": 14}, outputs=("middle",),
        theirs=lambda p: talib.MIDPRICE(p["high"], p["low"], 14), functions=("MIDPRICE",),
    ),
    "donchian of closes, middle": Pair(
        ours="donchian", parameters={"length": 14}, outputs=("middle",), columns={"high": "close", "low": "close"},
        theirs=lambda p: talib.MIDPOINT(p["close"], 14), functions=("MIDPOINT",),
    ),
}  # fmt: skip

_NOT_HERE = "Not among ours."
NOT_IN_COMMON: dict[str, str] = {
    "KC": "Its middle is the average of the typical price, as Keltner had it; ours is Raschke's, of the close.",
    "SAREXT": "SAR with other accelerations for shorts; ours has one.",
    **dict.fromkeys(
        """ADR CVI ER FOSC HT_DCPERIOD HT_DCPHASE HT_PHASOR HT_SINE HT_TRENDLINE HT_TRENDMODE IMI KDJ MAMA MARKETFI
        QSTICK WAD""".split(),
        _NOT_HERE,
    ),
}
