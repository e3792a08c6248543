"""From short bars to long ones: hours into days, days into weeks.

Only complete bars are made: every short bar that the calendar expects inside a long one must be there. A long bar
with a hole, and the cut ones at both ends, are left out and counted in the provenance. Nothing is filled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import COLUMNS, Bars, moment
from workbench.market.calendar import expected_bars, known_span
from workbench.market.timeframe import Timeframe

__all__ = ["resample"]

_DAY_MS = 86_400_000
_SHOWN = 5  # long bars that a note lists by name


def resample(bars: Bars, timeframe: str | Timeframe) -> Bars:
    """Make longer bars: first open, highest high, lowest low, last close, sum of the volumes.

    Parameters
    ----------
    bars : Bars
    timeframe : str or Timeframe
        A whole multiple of the timeframe of `bars`, such as `"4h"` for hourly bars.

    Returns
    -------
    Bars
        The complete long bars. `provenance` keeps source and licence; its note says what the bars were made from and
        how many were left out. A long bar is marked as filled where at least half of its short
        bars are.

    Raises
    ------
    DataError
        The timeframe is not a longer, whole multiple, or its bars do not begin where short bars begin.

    Notes
    -----
    Intraday bars gather what opens inside their slot. Bars of a day or longer gather the sessions of the calendar, by
    the date of the session. Short bars outside the calendar's trading time are left out and counted.
    """
    bar = Timeframe.parse(timeframe)
    if not isinstance(bars, Bars):
        raise DataError(f"a {type(bars).__name__} cannot be resampled: give wb.Bars, as Bars.from_pandas makes them")
    _require_multiple(bars, bar)
    trading, slots, expected = _slots(bars, bar)
    begun, first, present = np.unique(slots, return_index=True, return_counts=True)
    whole = present == expected
    rows = {name: getattr(bars, name)[trading] for name in COLUMNS}
    return Bars(
        instrument=bars.instrument,
        timeframe=bar,
        ts=begun[whole],
        open=rows["open"][first][whole],
        high=np.maximum.reduceat(rows["high"], first)[whole],
        low=np.minimum.reduceat(rows["low"], first)[whole],
        close=rows["close"][first + present - 1][whole],
        volume=np.add.reduceat(rows["volume"], first)[whole],
        filled=None if bars.filled is None else _mostly(bars.filled[trading], first, present)[whole],
        provenance=_provenance(bars, bar, begun[~whole], int((~trading).sum())),
    )


def _mostly(filled: NDArray[np.bool_], first: NDArray[np.intp], present: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Tell of each long bar whether at least half of its short bars were made up."""
    return np.asarray(2 * np.add.reduceat(filled.astype(np.int64), first) >= present)


def _require_multiple(bars: Bars, bar: Timeframe) -> None:
    short = bars.timeframe
    if bar.ms <= short.ms or bar.ms % short.ms or (bar.anchor_ms - short.anchor_ms) % short.ms:
        raise DataError(
            f"{bars.symbol}: {short} bars cannot be made into {bar} bars: ask for a longer timeframe that is a whole "
            f"multiple and begins where they begin, such as {Timeframe(short.ms * 2)}, or start from shorter bars",
            have=str(short),
            asked=str(bar),
        )


def _slots(bars: Bars, bar: Timeframe) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Tell which bars lie in trading time, the long bar that each of these is part of, and how many that one needs.

    The last has one entry for each distinct long bar, in their order.
    """
    if not len(bars):
        return np.zeros(0, np.bool_), bars.ts, bars.ts
    # a session's label may lie a day off its bars, and the long bar that holds it reaches further than the bars do
    since, until = known_span(bars.instrument.calendar)
    start = max(since, bar.floor(bars.start - 2 * _DAY_MS) - 2 * _DAY_MS)
    end = min(until, bar.floor(bars.end + 2 * _DAY_MS) + bar.ms + 2 * _DAY_MS)
    opens, labels = expected_bars(bars.instrument.calendar, bars.timeframe, start, end)
    inside = labels if bar.ms >= _DAY_MS else opens
    slots = inside - (inside - bar.anchor_ms) % bar.ms
    place = np.searchsorted(opens, bars.ts)
    trading = opens[np.minimum(place, len(opens) - 1)] == bars.ts
    mine = slots[place[trading]]
    every, size = np.unique(slots, return_counts=True)
    return trading, mine, size[np.searchsorted(every, np.unique(mine))]


def _provenance(bars: Bars, bar: Timeframe, cut: NDArray[np.int64], outside: int) -> dict[str, Any]:
    notes = [str(bars.provenance["note"]).rstrip(".")] if bars.provenance.get("note") else []
    notes.append(f"resampled from {bars.timeframe}, complete bars only")
    if len(cut):
        shown = ", ".join(moment(ts) for ts in cut[:_SHOWN]) + (", …" if len(cut) > _SHOWN else "")
        notes.append(f"{len(cut)} incomplete {bar} bar{'s' * (len(cut) > 1)} left out ({shown})")
    if outside:
        notes.append(
            f"{outside} bar{'s' * (outside > 1)} outside the trading time of {bars.instrument.calendar} left out"
        )
    kept = {name: bars.provenance[name] for name in ("source", "licence") if name in bars.provenance}
    return {**kept, "note": "; ".join(notes)}
