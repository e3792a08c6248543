"""When a market trades: which bar opens a calendar expects, which of them a series lacks, how many a year has.

Three kinds of calendar, named by `Instrument.calendar`:

- `"24/7"`: every slot of the timeframe's grid. A year has 365 days, as elapsed time has everywhere in the house.
- `"24/5"`: Sunday 17:00 to Friday 17:00 in New York, daylight saving included. Bars of a day or longer are Monday to
  Friday by UTC date; the hours of Sunday evening belong to Monday, so a week has five daily bars and no stub.
- an exchange's MIC, such as `"XNYS"`: the sessions of exchange_calendars, holidays and early closes included. A daily
  bar is labelled by its session's date at 00:00 UTC, an intraday bar is expected where its slot overlaps trading time.

Whatever the calendar, what it expects is held as runs of consecutive slots (a session's bars), so that counting and
looking inside a hole cost a binary search. Nothing here looks at prices. exchange_calendars is slow to import and
only loaded for an exchange's calendar.
"""

from __future__ import annotations

import datetime as dt
import difflib
import functools
import warnings
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import Gap, moment
from workbench.market.timeframe import Timeframe

__all__ = ["expected_bars", "expected_opens", "gaps", "known_span", "periods_per_year", "zone_of"]

Times = NDArray[np.int64]

_DAY_MS: Final = 86_400_000
_WEEK_MS: Final = 7 * _DAY_MS
_NEW_YORK: Final = "America/New_York"
_FIRST_YEAR: Final = 1900  # earlier or later times are taken for a mistake in the times, not for a market
_LAST_YEAR: Final = 2199
_USUAL: Final = (1960, 2040)  # the years that are loaded at least


class _Sessions(NamedTuple):
    """Trading time: for each stretch its session's date (00:00 UTC), when it opens and when it closes, ms UTC."""

    label: Times
    opens: Times
    closes: Times


class _Runs(NamedTuple):
    """Expected slots as runs: `size[i]` slots from `first[i]` on, of the session labelled `label[i]`."""

    first: Times
    size: Times
    label: Times
    step: int

    def before(self, when: Times) -> Times:
        """Count the expected opens before each moment."""
        run = np.searchsorted(self.first, when) - 1
        inside = np.clip(-((self.first[run] - when) // self.step), 0, self.size[run])
        return np.where(run < 0, 0, (np.cumsum(self.size) - self.size)[run] + inside)

    def at(self, number: Times) -> Times:
        """Give the open time of each expected bar, numbered as `before` counts."""
        ends = np.cumsum(self.size)
        run = np.searchsorted(ends, number, side="right")
        opens: Times = self.first[run] + (number - (ends - self.size)[run]) * self.step
        return opens

    def expand(self, start_ms: int, end_ms: int) -> tuple[Times, Times]:
        """Give the opens in a span, and the label of the session of each."""
        run = slice(np.searchsorted(self.first + self.size * self.step, start_ms), np.searchsorted(self.first, end_ms))
        first, size, label = self.first[run], self.size[run], self.label[run]
        within = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
        opens, labels = np.repeat(first, size) + within * self.step, np.repeat(label, size)
        inside = slice(*np.searchsorted(opens, (start_ms, end_ms)))
        return opens[inside], labels[inside]


def expected_opens(calendar: str, timeframe: str | Timeframe, start_ms: int, end_ms: int) -> Times:
    """List the bar opens that a calendar expects.

    Parameters
    ----------
    calendar : str
        `"24/7"`, `"24/5"` or an exchange's MIC.
    timeframe : str or Timeframe
    start_ms, end_ms : int
        ms UTC; opens at or after `start_ms` and before `end_ms` are listed.

    Returns
    -------
    int64 array, shape (n,)
        ms UTC, increasing.

    Raises
    ------
    DataError
        The calendar is unknown, or does not know that time.

    Examples
    --------
    >>> [moment(ts) for ts in expected_opens("24/7", "6h", 0, 86_400_000)]
    ['1970-01-01', '1970-01-01 06:00', '1970-01-01 12:00', '1970-01-01 18:00']
    """
    return expected_bars(calendar, timeframe, start_ms, end_ms)[0]


def expected_bars(calendar: str, timeframe: str | Timeframe, start_ms: int, end_ms: int) -> tuple[Times, Times]:
    """List the expected bar opens as `expected_opens` does, each with the date of the session it belongs to.

    Returns
    -------
    opens, labels : int64 arrays, shape (n,)
        ms UTC. The label is the session's date at 00:00 UTC; for `"24/7"` the UTC date of the open.
    """
    bar = Timeframe.parse(timeframe)
    if calendar == "24/7":
        opens = np.arange(_ceil(start_ms, bar), end_ms, bar.ms, dtype=np.int64)
        return opens, opens - opens % _DAY_MS
    return _runs(calendar, bar, start_ms, end_ms).expand(start_ms, end_ms)


def gaps(ts: Times, timeframe: str | Timeframe, calendar: str) -> tuple[Gap, ...]:
    """Find the holes inside a series: expected bars between its first and its last that it does not have.

    Parameters
    ----------
    ts : int64 array, shape (n,)
        Bar opens, ms UTC, strictly increasing and on the timeframe's grid.
    timeframe : str or Timeframe
    calendar : str

    Returns
    -------
    tuple of Gap
        Oldest first. A hole that reaches over a closed market is one gap; its `missing` counts expected bars only.

    Raises
    ------
    DataError
        The calendar is unknown, or does not know that time.
    """
    bar = Timeframe.parse(timeframe)
    hole = np.flatnonzero(np.diff(ts) > bar.ms)
    if not len(hole):
        return ()
    after, until = ts[hole] + 1, ts[hole + 1]
    if calendar == "24/7":
        starts, missing = ts[hole] + bar.ms, (until - ts[hole]) // bar.ms - 1
    else:
        runs = _runs(calendar, bar, int(ts[0]), int(ts[-1]) + 1)
        lacking = runs.before(after)
        missing = runs.before(until) - lacking
        real = missing > 0
        starts, until, missing = runs.at(lacking[real]), until[real], missing[real]
    return tuple(map(Gap, starts.tolist(), until.tolist(), missing.tolist()))


def periods_per_year(calendar: str, timeframe: str | Timeframe, start_ms: int, end_ms: int) -> float:
    """Count the bars that a year of the calendar has, on average over the years that a span touches.

    Parameters
    ----------
    calendar : str
    timeframe : str or Timeframe
    start_ms, end_ms : int
        ms UTC; only an exchange's calendar looks at them, its years differ.

    Returns
    -------
    float
        `"24/7"`: 365 days of bars. `"24/5"`: 365 / 7 weeks of bars. An exchange: the expected bars of the whole
        calendar years that the span touches, divided by their number.

    Raises
    ------
    DataError
        The calendar is unknown, or does not know that time.

    Examples
    --------
    >>> periods_per_year("24/7", "1h", 0, 1)
    8760.0
    """
    bar = Timeframe.parse(timeframe)
    if calendar == "24/7":
        return 365 * _DAY_MS / bar.ms
    if calendar == "24/5":
        return _weekly_bars(bar) * 365 / 7
    return _yearly_bars(calendar, bar, _year(start_ms), _year(max(start_ms, end_ms - 1)))


def known_span(calendar: str) -> tuple[int, int]:
    """Give the time (ms UTC; first, and first no longer) that a calendar knows of.

    Raises
    ------
    DataError
        The calendar is unknown.
    """
    if calendar == "24/7":
        return -(2**62), 2**62
    since, until = _known(calendar)
    return _ms(since), _ms(until)


def zone_of(calendar: str) -> ZoneInfo | None:
    """Give the timezone in which a calendar's sessions are dated; None for `"24/7"`, which has no sessions."""
    if calendar == "24/7":
        return None
    if calendar == "24/5":
        return ZoneInfo(_NEW_YORK)
    return ZoneInfo(str(_exchange(calendar, *_USUAL).tz))


@functools.lru_cache(maxsize=64)
def _weekly_bars(bar: Timeframe) -> float:
    """Mean over four years of whole weeks, so that the weeks in which clocks change cancel out."""
    start, weeks = _ms(dt.date(2001, 1, 7)), 208
    return len(expected_opens("24/5", bar, start, start + weeks * _WEEK_MS)) / weeks


@functools.lru_cache(maxsize=256)
def _yearly_bars(calendar: str, bar: Timeframe, first: int, last: int) -> float:
    since, until = _known(calendar)
    if first < last:  # of the calendar's own first and last year it may know a part only: then its neighbours count
        first += since > dt.date(first, 1, 1)
        last -= until < dt.date(last + 1, 1, 1)
    edges = np.array([_ms(dt.date(first, 1, 1)), _ms(dt.date(last + 1, 1, 1))], dtype=np.int64)
    before = _runs(calendar, bar, int(edges[0]), int(edges[1])).before(edges)
    return float(before[1] - before[0]) / (last - first + 1)


def _runs(calendar: str, bar: Timeframe, start_ms: int, end_ms: int) -> _Runs:
    """Lay the grid over the sessions around a span; the runs may reach beyond it on both sides."""
    first_year, last_year = _year(start_ms), _year(max(start_ms, end_ms - 1))
    since, until = _known(calendar)
    if start_ms < _ms(since) or end_ms > _ms(until):
        raise DataError(
            f"calendar {calendar!r} is known from {since} to {until}, which is not all of {moment(start_ms)} to "
            f"{moment(end_ms)}: cut the series with bars.between(…), or give the instrument another calendar",
            calendar=calendar,
        )
    # whole decades with a margin, so that no week is cut in two; mostly the same ones, so that one load serves all
    decades = min(first_year - 1 - (first_year - 1) % 10, _USUAL[0]), max(last_year + 10 - last_year % 10, _USUAL[1])
    sessions = _sessions(calendar, *decades)
    if bar.ms >= _DAY_MS:
        slots = np.unique(_floor(sessions.label, bar))
        return _Runs(slots, np.ones_like(slots), slots, bar.ms)
    first, last = _floor(sessions.opens, bar), _floor(sessions.closes - 1, bar)
    first[1:] = np.maximum(first[1:], last[:-1] + bar.ms)  # a slot shared by two sessions belongs to the first
    size = (last - first) // bar.ms + 1
    real = size > 0
    return _Runs(first[real], size[real], sessions.label[real], bar.ms)


@functools.lru_cache(maxsize=32)
def _sessions(calendar: str, first_year: int, last_year: int) -> _Sessions:
    if calendar == "24/5":
        return _weekday_sessions(dt.date(first_year, 1, 1), dt.date(last_year + 1, 1, 1))
    schedule = _exchange(calendar, first_year, last_year).schedule
    label = _to_ms(schedule.index.to_numpy())
    opens, closes, pauses, resumes = (
        _to_ms(schedule[name].dt.tz_convert(None).to_numpy()) for name in ("open", "close", "break_start", "break_end")
    )
    halved = schedule["break_start"].notna().to_numpy()
    if halved.any():  # a lunch break makes two stretches of one session
        opens = np.concatenate([opens, resumes[halved]])
        order = np.argsort(opens, kind="stable")
        opens = opens[order]
        closes = np.concatenate([np.where(halved, pauses, closes), closes[halved]])[order]
        label = np.concatenate([label, label[halved]])[order]
    return _Sessions(label, opens, closes)


def _weekday_sessions(since: dt.date, until: dt.date) -> _Sessions:
    new_york = ZoneInfo(_NEW_YORK)
    monday = since - dt.timedelta(days=since.weekday())
    weeks = (until - monday).days // 7 + 1
    label = (_ms(monday) + np.arange(weeks, dtype=np.int64) * _WEEK_MS)[:, None] + np.arange(5) * _DAY_MS
    opens, closes = label.copy(), label + _DAY_MS
    for week in range(weeks):
        sunday = monday + dt.timedelta(days=7 * week - 1)
        opens[week, 0] = _at_five(sunday, new_york)
        closes[week, 4] = _at_five(sunday + dt.timedelta(days=5), new_york)
    return _Sessions(label.ravel(), opens.ravel(), closes.ravel())


def _known(calendar: str) -> tuple[dt.date, dt.date]:
    """Give the first day that a calendar knows and the day after the last."""
    since, until = dt.date(_FIRST_YEAR - 10, 1, 1), dt.date(_LAST_YEAR + 10, 1, 1)
    if calendar != "24/5":
        lowest, highest = _bounds(_exchange(calendar, *_USUAL))
        since = lowest or since
        until = until if highest is None else highest + dt.timedelta(days=1)
    return since, until


def _bounds(exchange: Any) -> tuple[dt.date | None, dt.date | None]:
    lowest, highest = exchange.bound_min(), exchange.bound_max()
    return None if lowest is None else lowest.date(), None if highest is None else highest.date()


@functools.lru_cache(maxsize=32)
def _exchange(name: str, first_year: int, last_year: int) -> Any:
    """Load an exchange's calendar for whole years, cut to those that exchange_calendars knows of that exchange."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # how exchange_calendars uses pandas is not our user's concern
        import exchange_calendars as exchanges
        from exchange_calendars.errors import InvalidCalendarName

        since, until = dt.date(first_year, 1, 1), dt.date(last_year, 12, 31)
        try:
            return exchanges.get_calendar(name, start=since.isoformat(), end=until.isoformat())
        except InvalidCalendarName as error:
            names = ["24/7", "24/5", *exchanges.get_calendar_names()]
            close = difflib.get_close_matches(name.upper(), names, n=3, cutoff=0.5)
            hint = (
                f"did you mean {' or '.join(map(repr, close))}?" if close else "use an exchange's MIC, such as 'XNYS'"
            )
            raise DataError(
                f"calendar {name!r} is unknown: {hint} ('24/7' and '24/5' need no exchange)", calendar=name
            ) from error
        except ValueError:  # it knows fewer years
            lowest, highest = _bounds(exchanges.get_calendar(name))
            since, until = max(since, lowest or since), min(until, highest or until)
            return exchanges.get_calendar(name, start=since.isoformat(), end=until.isoformat())


def _year(when_ms: int) -> int:
    year = int(np.datetime64(int(when_ms), "ms").astype("datetime64[Y]").astype(np.int64)) + 1970
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise DataError(
            f"the time {int(when_ms)} ms lies in the year {year}; calendars are kept for {_FIRST_YEAR} to "
            f"{_LAST_YEAR}. Are the times in milliseconds?",
            year=year,
        )
    return year


def _ms(date: dt.date) -> int:
    return (date - dt.date(1970, 1, 1)).days * _DAY_MS


def _at_five(date: dt.date, zone: ZoneInfo) -> int:
    return round(dt.datetime(date.year, date.month, date.day, 17, tzinfo=zone).timestamp() * 1_000)


def _to_ms(values: NDArray[np.datetime64]) -> Times:
    return values.astype("datetime64[ms]").astype(np.int64)


def _floor(when: Times, bar: Timeframe) -> Times:
    return when - (when - bar.anchor_ms) % bar.ms


def _ceil(when: int, bar: Timeframe) -> int:
    return when + (bar.anchor_ms - when) % bar.ms
