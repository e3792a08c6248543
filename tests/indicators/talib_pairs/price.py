"""Pairs of the indicators of price: trend, momentum and volatility."""

from __future__ import annotations

import numpy as np
import talib
from numpy.typing import NDArray

from tests.indicators.talib_pairs.kinds import Pair, Prices
from workbench import indicators as ind


def _bar(p: Prices) -> tuple[NDArray[np.float64], ...]:
    return p["high"], p["low"], p["close"]


def _without_range(p: Prices, length: int) -> NDArray[np.bool_]:
    """Rows on which none of the last `length` bars has any range."""
    return np.asarray(ind.highest(p["high"], length) == ind.lowest(p["low"], length))


PAIRS: dict[str, Pair] = {
    "wma": Pair(ours="wma", theirs=lambda p: talib.WMA(p["close"], 20), functions=("WMA",)),
    "dema": Pair(ours="dema", theirs=lambda p: talib.DEMA(p["close"], 20), functions=("DEMA",)),
    "tema": Pair(ours="tema", theirs=lambda p: talib.TEMA(p["close"], 20), functions=("TEMA",)),
    "trima": Pair(ours="trima", theirs=lambda p: talib.TRIMA(p["close"], 20), functions=("TRIMA",)),
    "trima, odd": Pair(
        ours="trima", parameters={"length": 15}, theirs=lambda p: talib.TRIMA(p["close"], 15), functions=("TRIMA",)
    ),
    "kama": Pair(ours="kama", theirs=lambda p: talib.KAMA(p["close"], 10), functions=("KAMA",)),
    "t3": Pair(ours="t3", theirs=lambda p: talib.T3(p["close"], 5, 0.7), functions=("T3",)),
    "price_change": Pair(ours="price_change", theirs=lambda p: talib.MOM(p["close"], 10), functions=("MOM",)),
    "ppo": Pair(
        ours="ppo",
        outputs=("ppo",),
        factor=100.0,
        theirs=lambda p: talib.PPO(p["close"], 12, 26, 1),
        functions=("PPO",),
    ),
    "trix": Pair(ours="trix", factor=100.0, theirs=lambda p: talib.TRIX(p["close"], 15), functions=("TRIX",)),
    "williams_r": Pair(
        ours="williams_r",
        theirs=lambda p: talib.WILLR(*_bar(p), 14),
        functions=("WILLR",),
        uncounted=lambda p: _without_range(p, 14),
        why="Where no bar has any range TA-Lib says 0, as if the close were at the high; ours says -50, the middle.",
    ),
    "cci": Pair(ours="cci", theirs=lambda p: talib.CCI(*_bar(p), 20), functions=("CCI",)),
    "ultimate_oscillator": Pair(
        ours="ultimate_oscillator",
        theirs=lambda p: talib.ULTOSC(*_bar(p)),
        functions=("ULTOSC",),
        uncounted=lambda p: _without_range(p, 7),
        why="A window without any range counts as nothing in TA-Lib, as if all were selling; in ours as a half.",
    ),
    "balance_of_power": Pair(
        ours="balance_of_power", theirs=lambda p: talib.BOP(p["open"], *_bar(p)), functions=("BOP",)
    ),
}
NOT_IN_COMMON: dict[str, str] = {}
