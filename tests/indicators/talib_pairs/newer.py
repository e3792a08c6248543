"""Pairs with what TA-Lib only has since 0.7, and reasons for what of TA-Lib is not here."""

from __future__ import annotations

import numpy as np
import talib
from numpy.typing import NDArray

from tests.indicators.talib_pairs.kinds import Pair, Prices
from workbench import indicators as ind


def _without_volume(p: Prices) -> NDArray[np.bool_]:
    """Rows in whose window nothing was traded."""
    return np.asarray(~(ind.highest(p["volume"], 20) > 0.0))


PAIRS: dict[str, Pair] = {
    "wilder": Pair(ours="wilder", theirs=lambda p: talib.RMA(p["close"], 14), functions=("RMA",)),
    "hma": Pair(ours="hma", theirs=lambda p: talib.HMA(p["close"], 20), functions=("HMA",)),
    "zlema": Pair(ours="zlema", theirs=lambda p: talib.ZLEMA(p["close"], 20), functions=("ZLEMA",)),
    "awesome_oscillator": Pair(
        ours="awesome_oscillator", theirs=lambda p: talib.AO(p["high"], p["low"]), functions=("AO",)
    ),
    "donchian": Pair(ours="donchian", theirs=lambda p: talib.DONCHIAN(p["high"], p["low"]), functions=("DONCHIAN",)),
    "chaikin_money_flow": Pair(
        ours="chaikin_money_flow", functions=("CMF",),
        theirs=lambda p: talib.CMF(p["high"], p["low"], p["close"], p["volume"]),
    ),
    "force_index": Pair(ours="force_index", theirs=lambda p: talib.EFI(p["close"], p["volume"]), functions=("EFI",)),
    "negative_volume_index": Pair(
        ours="negative_volume_index", theirs=lambda p: talib.NVI(p["close"], p["volume"]), functions=("NVI",)
    ),
    "positive_volume_index": Pair(
        ours="positive_volume_index", theirs=lambda p: talib.PVI(p["close"], p["volume"]), functions=("PVI",)
    ),
    "pvo": Pair(ours="pvo", outputs=("pvo",), theirs=lambda p: talib.PVO(p["volume"]), functions=("PVO",)),
    "volume_price_trend": Pair(
        ours="volume_price_trend", theirs=lambda p: talib.PVT(p["close"], p["volume"]), functions=("PVT",)
    ),
    "percent_rank": Pair(
        ours="percent_rank", theirs=lambda p: talib.PERCENTRANK(p["close"]), functions=("PERCENTRANK",)
    ),
    "median": Pair(
        ours="median", parameters={"length": 15}, theirs=lambda p: talib.PERCENTILE(p["close"], 15, 50.0),
        functions=("PERCENTILE",),
    ),
    "fractals": Pair(
        ours="fractals", theirs=lambda p: [np.sign(line) for line in talib.FRACTAL(p["high"], p["low"])],
        functions=("FRACTAL",),
    ),
    "vwma": Pair(
        ours="vwma", theirs=lambda p: talib.VWMA(p["close"], p["volume"], 20), functions=("VWMA",),
        uncounted=_without_volume, why="Without any volume TA-Lib divides 0 by 0; ours gives the plain mean.",
    ),
    "relative_volume": Pair(
        ours="relative_volume", theirs=lambda p: talib.RVOL(p["volume"]), functions=("RVOL",),
        uncounted=_without_volume, why="After bars without volume TA-Lib divides by 0; ours says 1.",
    ),
}  # fmt: skip

_RARE = "A rarer candle pattern that we do not offer."
_ANY = "It only chooses among other functions, each of which is compared by itself."

NOT_IN_COMMON: dict[str, str] = {
    **dict.fromkeys(
        """CDL2CROWS CDL3LINESTRIKE CDL3STARSINSOUTH CDLABANDONEDBABY CDLADVANCEBLOCK CDLBREAKAWAY CDLCLOSINGMARUBOZU
        CDLCONCEALBABYSWALL CDLCOUNTERATTACK CDLDOJISTAR CDLEVENINGDOJISTAR CDLGAPSIDESIDEWHITE CDLHARAMICROSS
        CDLHIGHWAVE CDLHIKKAKE CDLHIKKAKEMOD CDLHOMINGPIGEON CDLIDENTICAL3CROWS CDLINNECK CDLKICKINGBYLENGTH
        CDLLADDERBOTTOM CDLLONGLINE CDLMATCHINGLOW CDLMATHOLD CDLMORNINGDOJISTAR CDLONNECK CDLRICKSHAWMAN
        CDLRISEFALL3METHODS CDLSEPARATINGLINES CDLSHORTLINE CDLSTALLEDPATTERN CDLSTICKSANDWICH CDLTAKURI CDLTASUKIGAP
        CDLTHRUSTING CDLTRISTAR CDLUNIQUE3RIVER CDLUPSIDEGAP2CROWS CDLXSIDEGAP3METHODS""".split(),
        _RARE,
    ),
    "VWAP": "It adds up from the first bar of the series on; ours is that of a window, daily_vwap that of a day.",
    "MA": _ANY,
    "MACDEXT": _ANY,
    "MAVP": "A moving average whose length changes from bar to bar, given as a column; ours have one length.",
    "ROCR": "ROCP and one: the same numbers, and ours is compared with that.",
    "ROCR100": "ROC and a hundred: the same numbers, and ours is compared with that.",
}
