"""Paging against scripted venues, each with a habit of its own: the pages settle the span and hold every row once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.market.coverage import Span
from workbench.market.sources.pages import Answer, Rows, candle_pages, funding_pages, trade_pages
from workbench.market.sources.spool import Page
from workbench.market.timeframe import Timeframe

MINUTE = Timeframe.parse("1m")
M, HOUR, DAY = 60_000, 3_600_000, 86_400_000


class Venue:
    """Rows, and a way to answer; it counts what it was asked."""

    def __init__(self, times: list[int], habit: Callable[[Venue, int, int], list[int]]) -> None:
        self.times, self.habit = sorted(times), habit
        self.asked: list[tuple[int, int | None]] = []

    async def __call__(self, since: int, limit: int | None) -> Answer:
        self.asked.append((since, limit))
        return Answer([(ts, 1.0, 2.0, 0.5, 1.5, 3.0) for ts in self.habit(self, since, limit or 7)], at=99)


def first_after(venue: Venue, since: int, limit: int) -> list[int]:
    return [ts for ts in venue.times if ts >= since][:limit]


def by_window(venue: Venue, since: int, limit: int) -> list[int]:
    return [ts for ts in venue.times if since <= ts < since + limit * M]


def overlapping(venue: Venue, since: int, limit: int) -> list[int]:
    return [ts for ts in venue.times if ts >= since - 3 * M][: limit + 3]


def fewer(venue: Venue, since: int, limit: int) -> list[int]:
    return first_after(venue, since, max(1, limit // 3))


def latest(venue: Venue, since: int, limit: int) -> list[int]:
    return venue.times[-limit:]


def collect(pages: AsyncIterator[Page]) -> list[Page]:
    async def all_of() -> list[Page]:
        return [page async for page in pages]

    return asyncio.run(all_of())


def rows_of(pages: list[Page]) -> list[int]:
    return [row[0] for page in pages for row in page.rows]


def check_settled(pages: list[Page], span: Span) -> None:
    assert pages[0].span.start == span.start
    assert pages[-1].span.end == span.end
    assert all(early.span.end == late.span.start for early, late in pairwise(pages))
    assert all(page.span.start <= row[0] < page.span.end for page in pages for row in page.rows)


@pytest.mark.parametrize("habit", [first_after, by_window, overlapping, fewer])
@given(st.lists(st.integers(0, 80), unique=True), st.integers(1, 9), st.booleans())
def test_every_candle_comes_once_whatever_the_habit(
    habit: Callable[[Venue, int, int], list[int]], minutes: list[int], limit: int, known: bool
) -> None:
    venue = Venue([minute * M for minute in minutes], habit)
    span = Span(5 * M, 70 * M)
    pages = collect(candle_pages(venue, span, MINUTE, limit=limit if known else None))
    check_settled(pages, span)
    assert rows_of(pages) == [ts for ts in venue.times if span.start <= ts < span.end]


def test_a_whole_series_takes_the_fewest_requests() -> None:
    venue = Venue([minute * M for minute in range(1_000)], first_after)
    pages = collect(candle_pages(venue, Span(0, 95 * M), MINUTE, limit=10))
    assert [limit for _, limit in venue.asked] == [10] * 9 + [5]
    assert len(rows_of(pages)) == 95


def test_a_venue_that_gives_its_latest_rows_whatever_was_asked_is_asked_once() -> None:
    venue = Venue([minute * M for minute in range(1_000)], latest)
    pages = collect(candle_pages(venue, Span(0, 1_000 * M), MINUTE, limit=720))
    assert len(venue.asked) == 1
    assert rows_of(pages) == [minute * M for minute in range(280, 1_000)]
    check_settled(pages, Span(0, 1_000 * M))


def test_one_empty_answer_is_not_believed() -> None:
    venue = Venue([minute * M for minute in range(20)], first_after)
    mishaps = iter([True])

    async def flaky(since: int, limit: int | None) -> Answer:
        answer = await venue(since, limit)
        return Answer([], 0) if since == 10 * M and next(mishaps, False) else answer

    pages = collect(candle_pages(flaky, Span(0, 20 * M), MINUTE, limit=5))
    assert len(rows_of(pages)) == 20


def test_years_before_a_listing_are_passed_over_by_a_coarser_look() -> None:
    start = 400 * DAY
    venue = Venue([start + minute * M for minute in range(100)], by_window)
    looks: list[int] = []

    async def coarse(since: int) -> int | None:
        looks.append(since)
        return max(since, start) if since < start + 100 * M else None

    span = Span(0, start + DAY)
    pages = collect(candle_pages(venue, span, MINUTE, limit=50, coarse=coarse))
    check_settled(pages, span)
    assert len(rows_of(pages)) == 100
    assert len(venue.asked) < 10
    assert len(looks) == 2


Ids = list[tuple[int, str]]


def trade_venue(trades: Ids, *, window_ms: int | None, limit: int) -> tuple[Callable[..., object], list[int]]:
    asked: list[int] = []

    async def fetch(since: int, _: int | None) -> Answer:
        asked.append(since)
        end = since + window_ms if window_ms else 1 << 60
        rows: Rows = [(ts, name, 1.0, 1.0, 1) for ts, name in trades if since <= ts <= end]
        return Answer(rows[:limit], 1)

    return fetch, asked


@pytest.mark.parametrize("window_ms", [None, HOUR])
@given(st.lists(st.integers(0, 5 * HOUR // 1_000), max_size=60))
def test_every_trade_comes_once_also_those_of_one_millisecond(window_ms: int | None, seconds: list[int]) -> None:
    times = sorted(second * 1_000 for second in seconds for _ in range(second % 3 + 1))
    if any(times.count(ts) >= 12 for ts in times):
        return
    trades = [(ts, str(number)) for number, ts in enumerate(times)]
    fetch, _ = trade_venue(trades, window_ms=window_ms, limit=12)
    span = Span(HOUR, 4 * HOUR)
    pages = collect(trade_pages(fetch, span, limit=12))  # type: ignore[arg-type]
    check_settled(pages, span)
    got = [(row[0], row[1]) for page in pages for row in page.rows]
    assert got == [trade for trade in trades if span.start <= trade[0] < span.end]


def test_more_trades_in_a_millisecond_than_come_at_once_are_an_error() -> None:
    fetch, _ = trade_venue([(HOUR, str(number)) for number in range(20)], window_ms=None, limit=12)
    with pytest.raises(DataError, match="more than 12 trades at 1970-01-01 01:00, in one millisecond"):
        collect(trade_pages(fetch, Span(0, 2 * HOUR), limit=12))  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", [4, 1_000])
def test_funding_rates_come_once_and_the_last_one_is_known_to_be_the_last(limit: int) -> None:
    venue = Venue([8 * HOUR * number + 3 for number in range(30)], first_after)
    span = Span(8 * HOUR, 8 * HOUR * 25 - 5_000)
    pages = collect(funding_pages(venue, span, limit=limit, interval_ms=8 * HOUR))
    check_settled(pages, span)
    assert rows_of(pages) == [ts for ts in venue.times if span.start <= ts < span.end]
    assert len(venue.asked) == -(-24 // limit)
