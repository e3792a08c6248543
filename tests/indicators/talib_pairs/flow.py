"""Pairs of the indicators of flow: volume, statistics, patterns and microstructure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import talib
from numpy.typing import NDArray

from tests.indicators.talib_pairs.kinds import Pair, Prices

_EARLIER = "TA-Lib holds back the first flag for one bar without need; it looks at no bar before the pattern."


def _money(p: Prices) -> tuple[NDArray[np.float64], ...]:
    return p["high"], p["low"], p["close"], p["volume"]


def _too_little_money(p: Prices) -> NDArray[np.bool_]:
    """Rows whose window has next to no rising or falling money."""
    price = (p["high"] + p["low"] + p["close"]) / 3.0
    money = np.where(np.diff(price, prepend=price[0]) != 0.0, price * p["volume"], 0.0)
    sums = np.convolve(money, np.ones(14))[: len(money)]
    return np.asarray(sums < 1.001)


def _first_rows(p: Prices) -> NDArray[np.bool_]:
    return np.arange(len(p["close"])) < 3


def _marks(function: Callable[..., NDArray[Any]]) -> Callable[[Prices], NDArray[Any]]:
    """TA-Lib's 100, 80 and -100 as 1 and -1."""
    return lambda p: np.sign(function(p["open"], p["high"], p["low"], p["close"]))


def _pattern(ours: str, function: str, **more: Any) -> Pair:
    return Pair(ours=ours, theirs=_marks(getattr(talib, function)), functions=(function,), **more)


PAIRS: dict[str, Pair] = {
    "obv": Pair(ours="obv", theirs=lambda p: talib.OBV(p["close"], p["volume"]), functions=("OBV",)),
    "adl": Pair(ours="adl", theirs=lambda p: talib.AD(*_money(p)), functions=("AD",)),
    "chaikin_oscillator": Pair(
        ours="chaikin_oscillator", theirs=lambda p: talib.ADOSC(*_money(p)), functions=("ADOSC",), fades=10 * 14,
        why="TA-Lib seeds both averages with the line's first value; ours are two public EMAs. After the seed both are "
        "the same.",
    ),
    "mfi": Pair(
        ours="mfi", theirs=lambda p: talib.MFI(*_money(p)), functions=("MFI",), uncounted=_too_little_money,
        why="Where rising and falling money together are below 1, in whatever currency, TA-Lib says 0, as if all "
        "were falling; ours says 50 where there is none, and the share else.",
    ),
    "linear_regression": Pair(
        ours="linear_regression", functions=("LINEARREG", "LINEARREG_INTERCEPT", "TSF"),
        theirs=lambda p: [f(p["close"]) for f in (talib.LINEARREG, talib.LINEARREG_INTERCEPT, talib.TSF)],
    ),
    "linear_regression_slope": Pair(
        ours="linear_regression_slope", functions=("LINEARREG_SLOPE",),
        theirs=lambda p: talib.LINEARREG_SLOPE(p["close"]),
    ),
    "linear_regression_angle": Pair(
        ours="linear_regression_angle", functions=("LINEARREG_ANGLE",),
        theirs=lambda p: talib.LINEARREG_ANGLE(p["close"]),
    ),
    "variance": Pair(ours="variance", theirs=lambda p: talib.VAR(p["close"], 20), functions=("VAR",)),
    "mean_absolute_deviation": Pair(
        ours="mean_absolute_deviation", theirs=lambda p: talib.AVGDEV(p["close"], 20), functions=("AVGDEV",)
    ),
    "correlation": Pair(
        ours="correlation", columns={"other": "volume"}, functions=("CORREL",),
        theirs=lambda p: talib.CORREL(p["close"], p["volume"], 20),
    ),
    "beta": Pair(
        ours="beta", columns={"values": "high", "benchmark": "low"}, functions=("BETA",),
        theirs=lambda p: talib.BETA(p["low"], p["high"], 20),
    ),
    "belt_hold": _pattern("belt_hold", "CDLBELTHOLD"),
    "dark_cloud_cover": _pattern("dark_cloud_cover", "CDLDARKCLOUDCOVER"),
    "doji": _pattern("doji", "CDLDOJI"),
    "dragonfly_doji": _pattern("dragonfly_doji", "CDLDRAGONFLYDOJI"),
    "engulfing": _pattern("engulfing", "CDLENGULFING", uncounted=_first_rows, why=_EARLIER),
    "evening_star": _pattern("evening_star", "CDLEVENINGSTAR"),
    "gravestone_doji": _pattern("gravestone_doji", "CDLGRAVESTONEDOJI"),
    "hammer": _pattern("hammer", "CDLHAMMER"),
    "hanging_man": _pattern("hanging_man", "CDLHANGINGMAN"),
    "harami": _pattern("harami", "CDLHARAMI"),
    "inverted_hammer": _pattern("inverted_hammer", "CDLINVERTEDHAMMER"),
    "kicking": _pattern("kicking", "CDLKICKING"),
    "long_legged_doji": _pattern("long_legged_doji", "CDLLONGLEGGEDDOJI"),
    "marubozu": _pattern("marubozu", "CDLMARUBOZU"),
    "morning_star": _pattern("morning_star", "CDLMORNINGSTAR"),
    "piercing": _pattern("piercing", "CDLPIERCING"),
    "shooting_star": _pattern("shooting_star", "CDLSHOOTINGSTAR"),
    "spinning_top": _pattern("spinning_top", "CDLSPINNINGTOP"),
    "three_black_crows": _pattern("three_black_crows", "CDL3BLACKCROWS"),
    "three_inside": _pattern("three_inside", "CDL3INSIDE"),
    "three_outside": _pattern("three_outside", "CDL3OUTSIDE", uncounted=_first_rows, why=_EARLIER),
    "three_white_soldiers": _pattern("three_white_soldiers", "CDL3WHITESOLDIERS"),
}  # fmt: skip

NOT_IN_COMMON: dict[str, str] = {}
