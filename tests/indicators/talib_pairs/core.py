"""Pairs of the indicators in extremes, momentum, moving and volatility."""

from __future__ import annotations

import numpy as np
import talib
from numpy.typing import NDArray

from tests.indicators.talib_pairs.kinds import Pair, Prices
from workbench import indicators as ind


def _bar(p: Prices) -> tuple[NDArray[np.float64], ...]:
    return p["high"], p["low"], p["close"]


def _without_range(p: Prices, length: int, smoothed: int) -> NDArray[np.bool_]:
    """Rows on which a bar without any range among the last `length` takes part in a mean of `smoothed`."""
    empty = ind.highest(p["high"], length) == ind.lowest(p["low"], length)
    return np.asarray(ind.highest(empty.astype(float), smoothed) == 1.0)


PAIRS: dict[str, Pair] = {
    "sma": Pair(ours="sma", theirs=lambda p: talib.SMA(p["close"], 20), functions=("SMA",)),
    "sma of 200": Pair(
        ours="sma", parameters={"length": 200}, theirs=lambda p: talib.SMA(p["close"], 200), functions=("SMA",)
    ),
    "ema": Pair(ours="ema", theirs=lambda p: talib.EMA(p["close"], 20), functions=("EMA",)),
    "standard_deviation": Pair(
        ours="standard_deviation", theirs=lambda p: talib.STDDEV(p["close"], 20), functions=("STDDEV",)
    ),
    "highest": Pair(
        ours="highest", columns={"values": "high"}, theirs=lambda p: talib.MAX(p["high"], 20), functions=("MAX",)
    ),
    "lowest of 200": Pair(
        ours="lowest", parameters={"length": 200}, columns={"values": "low"},
        theirs=lambda p: talib.MIN(p["low"], 200), functions=("MIN",),
    ),
    "rate_of_change": Pair(ours="rate_of_change", theirs=lambda p: talib.ROCP(p["close"], 10), functions=("ROCP",)),
    "rate_of_change, percent": Pair(
        ours="rate_of_change", factor=100.0, theirs=lambda p: talib.ROC(p["close"], 10), functions=("ROC",)
    ),
    "rsi": Pair(ours="rsi", theirs=lambda p: talib.RSI(p["close"]), functions=("RSI",)),
    "rsi of 2": Pair(
        ours="rsi", parameters={"length": 2}, theirs=lambda p: talib.RSI(p["close"], 2), functions=("RSI",)
    ),
    "macd": Pair(
        ours="macd", theirs=lambda p: talib.MACD(p["close"]), functions=("MACD",), fades=12 * 12,
        why="Ours is the difference of two public EMAs, each seeded with its own first bars. TA-Lib seeds the fast one "
        "late, so that it is not its own EMA of that length. After the seed both are the same.",
    ),
    "macd, fixed": Pair(
        ours="macd", theirs=lambda p: talib.MACDFIX(p["close"]), functions=("MACDFIX",), fades=100_000,
        why="MACDFIX takes 0.15 and 0.075 as weights, not 2/13 and 2/27: another indicator, in the tables of Appel's "
        "time. It never agrees.",
    ),
    "bollinger": Pair(
        ours="bollinger", theirs=lambda p: talib.BBANDS(p["close"], 20, 2.0, 2.0), functions=("BBANDS",)
    ),
    "stochastic": Pair(
        ours="stochastic", parameters={"smooth_d": 5}, functions=("STOCH",),
        theirs=lambda p: talib.STOCH(*_bar(p), 14, 3, 0, 5, 0), uncounted=lambda p: _without_range(p, 14, 7),
        why="Where no bar has any range TA-Lib says 0, as if the close were at the low; ours says 50, the middle.",
    ),
    "stochastic, fast": Pair(
        ours="stochastic", parameters={"length": 5, "smooth_k": 1}, functions=("STOCHF",),
        theirs=lambda p: talib.STOCHF(*_bar(p), 5, 3, 0), uncounted=lambda p: _without_range(p, 5, 3),
        why="As in the stochastic.",
    ),
    "true_range": Pair(ours="true_range", theirs=lambda p: talib.TRANGE(*_bar(p)), functions=("TRANGE",)),
    "atr": Pair(ours="atr", theirs=lambda p: talib.ATR(*_bar(p)), functions=("ATR",)),
    "adx": Pair(
        ours="adx", theirs=lambda p: [f(*_bar(p)) for f in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI)],
        functions=("ADX", "PLUS_DI", "MINUS_DI"), fades=30 * 14,
        why="Wilder seeds each smoothing with the mean of its first 14 values. TA-Lib takes 13, so its first values "
        "are not those of the book. After the seed both are the same.",
    ),
}  # fmt: skip
