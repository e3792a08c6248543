"""From one answer to the next, until a span is settled: candles, trades and funding rates, a page at a time.

Venues differ in what they make of "from then on, so many": some give the first rows after that time wherever they are,
some those inside a window (none, when it is empty), some overlap, some give fewer than asked for, and some give their
latest rows whatever was asked. The rule here fits all: a page settles the time up to its last row, only what lies in
the span that was asked counts, and an empty answer is asked twice before it is believed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from workbench.errors import DataError
from workbench.market.bars import moment
from workbench.market.coverage import Span
from workbench.market.sources.spool import Page
from workbench.market.timeframe import Timeframe

__all__ = ["Answer", "candle_pages", "funding_pages", "trade_pages"]

_HOUR_MS: Final = 3_600_000
_LATE_MS: Final = 1_000  # venues stamp a settlement some milliseconds late
_MANY_WINDOWS: Final = 3  # empty ahead: a coarser look is cheaper than asking window by window
_SAFE_LIMIT: Final = 100  # every venue gives so many; to assume more than a venue's window would step over candles

Rows = list[tuple[Any, ...]]
Fetch = Callable[[int, int | None], Awaitable["Answer"]]
Coarse = Callable[[int], Awaitable[int | None]]


class Answer(NamedTuple):
    """Rows that a venue gave, oldest first, the time (ms UTC) in front; and its clock when it was asked."""

    rows: Rows
    at: int


async def candle_pages(
    fetch: Fetch, span: Span, frame: Timeframe, *, limit: int | None, coarse: Coarse | None = None
) -> AsyncIterator[Page]:
    """Ask for the candles of a span.

    Parameters
    ----------
    fetch : callable
        Takes the first open time and how many candles at most, and gives an `Answer`.
    span : Span
        On the grid of the timeframe; all candles in it are closed.
    frame : Timeframe
    limit : int or None
        Most candles that the venue gives at once; None where that is not known.
    coarse : callable, optional
        Takes a time and gives the open time (ms UTC) of the first day from then on that has anything, or None.
    """
    cursor = span.start
    while cursor < span.end:
        left = (span.end - cursor) // frame.ms
        want = min(left, limit or _SAFE_LIMIT)
        answer = await _believed(fetch, cursor, span.end, want)
        fresh = [row for row in answer.rows if cursor <= row[0] < span.end]
        if not answer.rows or answer.rows[-1][0] < cursor:
            end = cursor + want * frame.ms
            if coarse is not None and left > _MANY_WINDOWS * want:
                first = await coarse(end)
                end = span.end if first is None else min(span.end, max(end, frame.floor(first)))
        elif answer.rows[-1][0] >= span.end:
            end = span.end
        else:
            end = fresh[-1][0] + frame.ms
        yield Page(Span(cursor, end), fresh, answer.at)
        cursor = end


async def trade_pages(fetch: Fetch, span: Span, *, limit: int | None) -> AsyncIterator[Page]:
    """Ask for the trades of a span.

    A page may end inside a millisecond, so its last one is left to the next page. Venues that answer by a window of
    time use an hour or more; an hour is what an empty answer settles.
    """
    cursor = span.start
    while cursor < span.end:
        answer = await _believed(fetch, cursor, span.end, limit, beyond=True)
        fresh = [row for row in answer.rows if cursor <= row[0] < span.end]
        last = answer.rows[-1][0] if answer.rows else cursor
        if last >= span.end:
            end = span.end
        elif last > cursor:
            end = last
            fresh = [row for row in fresh if row[0] < end]
        elif limit is not None and len(answer.rows) >= limit:
            raise DataError(
                f"there are more than {limit} trades at {moment(cursor)}, in one millisecond, and the venue gives no "
                "more at once; ask for a span after it",
                ts=cursor,
            )
        else:
            end = min(span.end, cursor + _HOUR_MS)
        yield Page(Span(cursor, end), fresh, answer.at)
        cursor = end


async def funding_pages(fetch: Fetch, span: Span, *, limit: int | None, interval_ms: int) -> AsyncIterator[Page]:
    """Ask for the funding rates of a span; `interval_ms` is the usual time between two of them."""
    cursor = span.start
    while cursor < span.end:
        answer = await _believed(fetch, cursor, span.end, limit)
        fresh = [row for row in answer.rows if cursor <= row[0] < span.end]
        if fresh:
            steps = [late[0] - early[0] for early, late in pairwise(fresh)]
            next_at = fresh[-1][0] + min([interval_ms, *steps])
            beyond = answer.rows[-1][0] >= span.end or next_at - _LATE_MS >= span.end
            end = span.end if beyond else fresh[-1][0] + 1
        elif answer.rows and answer.rows[-1][0] >= span.end:
            end = span.end
        else:
            end = min(span.end, cursor + (limit or 100) * interval_ms)
        yield Page(Span(cursor, end), fresh, answer.at)
        cursor = end


async def _believed(fetch: Fetch, cursor: int, end: int, want: int | None, *, beyond: bool = False) -> Answer:
    """Ask once, and a second time when nothing came that leads on: one empty answer may be a mishap."""
    answer = await fetch(cursor, want)
    last = _last(answer.rows)
    if last is None or last < cursor or (beyond and last == cursor and cursor + 1 < end):
        second = await fetch(cursor, want)
        return second if (_last(second.rows) or 0) >= (last or 0) else answer
    return answer


def _last(rows: Sequence[Sequence[Any]]) -> int | None:
    return int(rows[-1][0]) if rows else None
