"""Tax years and days held, in a time zone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from workbench.accounting.tax.options import TaxOptions

__all__ = ["Calendar"]

_DAY: Final = 86_400_000
_FIRST: Final = 1969
_LAST: Final = 2200


def _start(year: int, begins: tuple[int, int], zone: ZoneInfo) -> int:
    return round(datetime(year, *begins, tzinfo=zone).timestamp() * 1000)


@lru_cache(maxsize=16)
def _starts(zone: str, begins: tuple[int, int]) -> tuple[int, ...]:
    place = ZoneInfo(zone)
    return tuple(_start(year, begins, place) for year in range(_FIRST, _LAST + 1))


class Calendar:
    """Where tax years begin and how long a lot was held.

    Parameters
    ----------
    options : TaxOptions
    """

    def __init__(self, options: TaxOptions) -> None:
        self._zone = ZoneInfo(options.zone)
        self._start = options.year_start
        self._by_dates = options.days == "calendar"
        self._long_after = options.long_after
        self._starts = _starts(options.zone, options.year_start)

    def start_of(self, year: int) -> int:
        """Give the first millisecond of a tax year, in UTC since 1970."""
        return _start(year, self._start, self._zone)

    def year_of(self, ts: int) -> int:
        """Give the tax year of a moment: the number of the calendar year in which it begins."""
        return _FIRST + bisect_right(self._starts, ts) - 1

    def date_of(self, ts: int) -> date:
        """Give the date of a moment in the time zone."""
        return datetime.fromtimestamp(ts / 1000, self._zone).date()

    def days(self, acquired: int, ts: int) -> int:
        """Count the days held, as stated: full days of 24 hours, or dates apart."""
        if self._by_dates:
            return (self.date_of(ts) - self.date_of(acquired)).days
        return (ts - acquired) // _DAY

    def term(self, days: int | None) -> str:
        """Name the holding period: long, short, or "" where there is no split or no date."""
        if days is None or self._long_after is None:
            return ""
        return "long" if days >= self._long_after else "short"

    def years(self, moments: Iterable[int]) -> list[int]:
        """Give the tax years that moments fall in, in order."""
        return sorted({self.year_of(ts) for ts in moments})
