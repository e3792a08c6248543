"""Pairs of the indicators of price: trend, momentum and volatility."""

from __future__ import annotations

import talib

from tests.indicators.talib_pairs.kinds import Pair

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
}
