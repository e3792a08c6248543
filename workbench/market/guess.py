"""What a series is of when nobody says: judged by how its symbol is written and by when its bars open.

The guess decides by how many bars a year ratios are annualised, so the bars have the last word: what trades on
Saturdays, or while New York sleeps, is no New York equity whatever its name looks like.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench.market.instrument import Instrument
from workbench.market.timeframe import Timeframe

__all__ = ["guess_instrument"]

_DAY_MS: Final = 86_400_000
_HOUR_MS: Final = 3_600_000
_THURSDAY: Final = 3  # 1970-01-01, counted from Monday
_SATURDAY: Final = 5
# From 20:00 to 04:00 in New York not even the extended hours trade: inside that, in summer and in winter
_NIGHT_UTC: Final = (2 * _HOUR_MS, 8 * _HOUR_MS)


def guess_instrument(symbol: str, venue: str, ts: NDArray[np.int64], timeframe: Timeframe) -> Instrument:
    """Give the usual facts for a symbol, unless its bars open when such an instrument does not trade.

    Parameters
    ----------
    symbol, venue : str
    ts : int64 array, shape (n,)
        Open times of its bars, ms UTC.
    timeframe : Timeframe

    Returns
    -------
    Instrument
        `Instrument.default`, or one that trades around the clock where the times contradict that one's calendar.
    """
    usual = Instrument.default(symbol, venue)
    if usual.calendar == "24/7" or timeframe.ms > _DAY_MS:
        return usual
    contradicted = bool(((ts // _DAY_MS + _THURSDAY) % 7 == _SATURDAY).any())
    if usual.calendar != "24/5" and timeframe.ms < _DAY_MS:
        hour = ts % _DAY_MS
        contradicted |= bool(((hour >= _NIGHT_UTC[0]) & (hour < _NIGHT_UTC[1])).any())
    return Instrument(symbol=symbol, venue=venue, quote=usual.quote) if contradicted else usual
