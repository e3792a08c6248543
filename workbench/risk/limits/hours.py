"""Trading hours as text: `"mon-fri 08:00-17:00"`, several with commas, times in UTC."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from workbench.errors import ConfigError

__all__ = ["is_open", "windows_of"]

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PART: Final = re.compile(r"(?:([a-z]{3})(?:-([a-z]{3}))? +)?(\d\d):(\d\d)-(\d\d):(\d\d)")
_DAY: Final = 86_400_000
_MINUTE: Final = 60_000


@lru_cache(maxsize=256)
def windows_of(text: str) -> tuple[tuple[frozenset[int], int, int], ...]:
    """Read trading hours: (days, Monday 0; first minute; minute after the last), each; a window may pass midnight.

    Raises
    ------
    ConfigError
        The text is no list of hours.
    """
    found = []
    for part in text.lower().split(","):
        match = _PART.fullmatch(part.strip())
        first, last = (match.group(1) or "mon", match.group(2) or match.group(1) or "sun") if match else ("", "")
        numbers = [int(match.group(k)) for k in (3, 4, 5, 6)] if match else []
        if not match or {first, last} - set(_DAYS) or max(numbers[0], numbers[2] - 1) > 23 or max(numbers[1::2]) > 59:
            raise ConfigError(
                f"trading hours {text!r}: {part.strip()!r} is no window; write such as 'mon-fri 08:00-17:00' or "
                "'22:00-02:00' (UTC), several with commas",
                value=text,
            )
        begin, end = _DAYS.index(first), _DAYS.index(last)
        days = frozenset((begin + k) % 7 for k in range((end - begin) % 7 + 1))
        found.append((days, numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]))
    return tuple(found)


def is_open(text: str, ts: int) -> bool:
    """Tell whether a time (ms UTC) lies in trading hours."""
    minute, day = ts % _DAY // _MINUTE, (ts // _DAY + 3) % 7  # the epoch began on a Thursday
    for days, first, end in windows_of(text):
        if first < end:
            if day in days and first <= minute < end:
                return True
        elif (day in days and minute >= first) or ((day - 1) % 7 in days and minute < end):
            return True
    return False
