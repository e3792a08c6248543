"""Times of day, weekdays and timezones: their reading, and what each bar is by them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench.strategy.rules.mistakes import Mistake, Place, suggestion

__all__ = ["DAYS", "clock", "days_of", "local_minutes", "zone_of"]

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTE_MS, _DAY_MINUTES = 60_000, 1_440
_QUARTER_MS: Final = 900_000  # every change of a clock has fallen on a quarter of an hour since 1972


def clock(text: str, place: Place) -> int:
    """Read a time of day such as `09:30`, in minutes.

    Raises
    ------
    Mistake
        It is none.
    """
    match = re.fullmatch(r"(\d{1,2}):(\d\d)", text, re.ASCII)
    hour, minute = (int(match[1]), int(match[2])) if match else (99, 99)
    if minute > 59 or hour * 60 + minute > _DAY_MINUTES:
        raise Mistake(f"{text!r} is no time of day; write hours and minutes, such as 09:30", place)
    return hour * 60 + minute


def days_of(names: Sequence[tuple[str, Place]], place: Place) -> tuple[int, ...]:
    """Read days of the week by their first three letters; Monday is 0.

    Raises
    ------
    Mistake
        One is no day, or there are none.
    """
    if not names:
        raise Mistake("at least one day is wanted, such as mon", place)
    for name, where in names:
        if name.lower()[:3] not in DAYS or not name.isalpha():
            raise Mistake(f"{name!r} is no day{suggestion(name.lower(), DAYS)}", where)
    return tuple(sorted({DAYS.index(name.lower()[:3]) for name, _ in names}))


def zone_of(text: str, place: Place) -> str:
    """Take the name of a timezone.

    Raises
    ------
    Mistake
        There is none of this name.
    """
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # unknown, no name at all, or the name of a folder
        hint = suggestion(text, available_timezones(), most=3)
        raise Mistake(f"there is no timezone {text!r}{hint}", place) from None
    return text


def local_minutes(ts: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """Give minutes since 1970-01-01 00:00 on the clocks of a timezone.

    Parameters
    ----------
    ts : int64 array, shape (n,)
        ms UTC.

    Returns
    -------
    int64 array, shape (n,)
    """
    if zone == "UTC" or not len(ts):
        return ts // _MINUTE_MS
    quarters, where = np.unique(ts // _QUARTER_MS, return_inverse=True)
    return ts // _MINUTE_MS + _offsets(quarters, zone)[where]


def _offsets(quarters: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """Give how far local clocks are ahead of UTC, minutes, at quarters of an hour since 1970.

    Offsets are asked for at the ends of whole days, and one by one only inside the days in which they change.
    """
    day = quarters // 96
    first, last = day, day + 1
    edges = np.unique(np.concatenate((first, last)))
    known = np.array([_offset(zone, int(one) * 96) for one in edges], dtype=np.int64)
    before, after = known[np.searchsorted(edges, first)], known[np.searchsorted(edges, last)]
    for i in np.flatnonzero(before != after):
        before[i] = _offset(zone, int(quarters[i]))
    return before


@lru_cache(maxsize=65_536)
def _offset(zone: str, quarter: int) -> int:
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    offset = datetime.fromtimestamp(quarter * 900, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds()) // 60 if offset else 0
