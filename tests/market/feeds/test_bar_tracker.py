"""Every closed bar once and in order, whatever order candles, answers, breaks and marks come in."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from workbench.market.feeds.bar_tracker import BarTracker, Candle, Hole
from workbench.market.timeframe import Timeframe

MINUTE = Timeframe.parse("1m")
STEP = MINUTE.ms
BARS = 40


def candle(bar: int, part: int = 9) -> Candle:
    """Give candle number `bar` when `part` of 9 parts of it are over; the last part is its final form."""
    return Candle(bar * STEP, 10.0, 20.0 + part, 5.0, 10.0 + part, float(part))


@dataclass
class Venue:
    """Bars as they are, some without trades, and a stream that a test cuts, reorders and drops messages of."""

    exists: list[bool]
    flags: bool
    bar: int = 1
    part: int = 0
    asked: int = 0
    told: list[Candle] = field(default_factory=list)

    @property
    def now(self) -> int:
        return self.bar * STEP + self.part * (STEP // 10)

    def step(self) -> Candle | None:
        """Go on by a tenth of a bar; give the running candle, where there is one."""
        self.bar, self.part = (self.bar, self.part + 1) if self.part < 9 else (self.bar + 1, 0)
        return candle(self.bar, self.part) if self.here(self.bar) else None

    def here(self, bar: int) -> bool:
        return self.exists[bar % len(self.exists)] or bar >= BARS

    def rows(self, start: int, limit: int, stale: int) -> list[Candle]:
        first = start // STEP
        final = [candle(bar) for bar in range(first, self.bar) if self.here(bar)]
        running = [candle(self.bar, self.part)] if self.here(self.bar) and self.bar >= first else []
        rows = [*final, *running][:limit]
        return rows[: len(rows) - stale] if stale else rows


def ask(venue: Venue, tracker: BarTracker, *, limit: int = 1_000, stale: int = 0) -> None:
    wanted = tracker.wanted()
    if wanted is not None:
        rows = venue.rows(wanted[0], limit, stale)
        venue.told += tracker.answered(rows, start=wanted[0], clock_ms=venue.now)


ACTIONS = st.sampled_from(
    ["message"] * 12 + ["lost"] * 3 + ["break", "ask", "short", "stale", "clock", "late", "garbage"]
)


@given(st.lists(ACTIONS, min_size=20, max_size=400), st.lists(st.booleans(), min_size=3, max_size=9), st.booleans())
def test_every_bar_is_told_once_and_in_order(actions: list[str], exists: list[bool], flags: bool) -> None:
    venue, tracker = Venue([True, *exists], flags), BarTracker(MINUTE, start=2 * STEP, flags=flags)
    before: Candle | None = None
    for action in actions:
        if action in ("message", "lost"):
            ended = candle(venue.bar) if venue.part == 9 and venue.here(venue.bar) else None
            moved = venue.step()
            if action == "lost":
                tracker.broke()  # a venue without marks sends what it has as long as the connection stands
                continue
            if ended is not None and flags:
                venue.told += tracker.moved(ended, closed=True)
            elif ended is not None:
                venue.told += tracker.moved(ended)
            if moved is not None:
                venue.told += tracker.moved(moved)
                before = moved
        elif action == "break":
            tracker.broke()
        elif action == "late" and before is not None and flags:
            venue.told += tracker.moved(before)
        elif action == "clock":
            tracker.passed(venue.now)
        elif action == "garbage":
            assert Candle.read([None] * 6) is None
        elif action in ("ask", "short", "stale"):
            ask(venue, tracker, limit=3 if action == "short" else 1_000, stale=2 * (action == "stale"))
    venue.bar, venue.part = max(venue.bar, BARS) + 2, 5  # and at last the venue can be asked as often as one likes
    tracker.passed(venue.now)
    for _ in range(4 * BARS):
        ask(venue, tracker)
    last = venue.bar
    expected = [candle(bar) for bar in range(2, last) if venue.here(bar)]
    assert venue.told == expected
    assert tracker.wanted() is None
    missing = {ts // STEP for hole in tracker.holes() for ts in range(hole.start, hole.end, STEP)}
    assert missing == {bar for bar in range(2, last) if not venue.here(bar)}


def test_a_bar_is_over_when_a_later_one_is_seen() -> None:
    tracker = BarTracker(MINUTE)
    assert tracker.moved(candle(5, 3)) == []
    assert tracker.moved(candle(5)) == []
    assert tracker.moved(candle(6, 0)) == [candle(5)]
    assert tracker.wanted() is None


def test_a_mark_ends_a_bar_at_once_and_nothing_else_does_from_then_on() -> None:
    tracker = BarTracker(MINUTE)
    tracker.moved(candle(5, 3))
    assert tracker.moved(candle(5), closed=True) == [candle(5)]
    tracker.moved(candle(6, 4))
    assert tracker.moved(candle(7, 0)) == []  # its mark was lost, so its last form may be, too
    assert tracker.wanted() == (6 * STEP, 7 * STEP)
    assert tracker.answered([candle(6), candle(7, 1)], start=6 * STEP, clock_ms=0) == [candle(6)]


def test_a_candle_from_before_a_break_is_asked_for_again() -> None:
    tracker = BarTracker(MINUTE)
    tracker.moved(candle(5, 3))
    tracker.broke()
    assert tracker.moved(candle(6, 0)) == []
    assert tracker.answered([candle(5), candle(6, 1)], start=5 * STEP, clock_ms=0) == [candle(5)]


def test_the_running_bar_of_an_answer_is_not_told() -> None:
    tracker = BarTracker(MINUTE, start=3 * STEP)
    assert tracker.answered([candle(3), candle(4, 2)], start=3 * STEP, clock_ms=4 * STEP + 6_000) == [candle(3)]
    assert tracker.answered([candle(4, 3)], start=4 * STEP, clock_ms=5 * STEP + 1_499) == []
    assert tracker.answered([candle(4)], start=4 * STEP, clock_ms=5 * STEP + 1_500) == [candle(4)]


def test_times_without_bars_are_passed_over_after_two_answers_and_named() -> None:
    tracker = BarTracker(MINUTE, start=3 * STEP)
    rows = [candle(3), candle(7), candle(9), candle(10, 1)]
    assert tracker.answered(rows, start=3 * STEP, clock_ms=0) == [candle(3)]
    assert tracker.holes() == []
    assert tracker.answered(rows, start=4 * STEP, clock_ms=0) == [candle(7), candle(9)]
    assert tracker.holes() == [Hole(4 * STEP, 7 * STEP), Hole(8 * STEP, 9 * STEP)]
    assert tracker.wanted() is None


def test_garbage_is_no_candle() -> None:
    assert Candle.read([60_000, 1.0, 2.0, 0.5, 1.5, 3.0]) == Candle(60_000, 1.0, 2.0, 0.5, 1.5, 3.0)
    for row in (None, [], [None] * 6, [1, 1, 2, 0.5, 1.5], [1, 1, 0.9, 0.5, 1.5, 3], [1, 1, 2, 0.5, float("nan"), 3]):
        assert Candle.read(row) is None
