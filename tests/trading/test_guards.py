"""Protections: worked by hand, and against a second, slow writing of the same rules over lists of trips."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tests.effort import examples
from workbench.backtest.plan import Guards
from workbench.backtest.records import SKIP_REASONS
from workbench.errors import ConfigError
from workbench.trading import guards as g
from workbench.trading.orders import REASONS

pytestmark = pytest.mark.deep

TF = 1_000
STOP, SIGNAL = REASONS.index("stop_loss"), REASONS.index("signal")
EITHER = pytest.mark.parametrize("note", [g.note_trip, g.note_trip_nb], ids=["plain", "compiled"])


def rows(*values: tuple[float, ...]) -> Any:
    return np.array(values, dtype=float).reshape(-1, 4)


def guarding(cooldown: int = 0, **tables: list[tuple[float, ...]]) -> g.Guarding:
    names = ("stops", "drawdowns", "profits", "losing")
    return g.guarding_of(Guards(cooldown=cooldown, **{name: rows(*tables.get(name, [])) for name in names}))


# ------------------------------------------------------------------------------------------------------ worked by hand


def test_codes_are_those_of_the_records() -> None:
    assert SKIP_REASONS[g.COOLDOWN] == "cooldown"
    assert SKIP_REASONS[g.STOP_GUARD] == "stop guard"
    assert SKIP_REASONS[g.DRAWDOWN_PAUSE] == "drawdown pause"
    assert SKIP_REASONS[g.LOW_PROFIT] == "low profit"
    assert SKIP_REASONS[g.LOSING_PAIR] == "losing pair"
    names = {"stop_loss", "custom_stop", "trailing_stop", "liquidation", "bankruptcy"}
    assert {REASONS[code] for code in g.STOPS} == names


@EITHER
def test_cooldown_blocks_one_instrument_for_its_bars(note: Any) -> None:
    state = g.new_state(2, 8, 1_000.0)
    assert g.blocked_by(state, 0, 0) == -1
    note(state, guarding(cooldown=2), 0, 10 * TF, TF, 5.0, 0.01, SIGNAL)
    # the bar in which it ended and the one after it decide nothing; the next may
    blocked = [g.blocked_by(state, 0, bar * TF) for bar in (10, 11, 12)]
    assert blocked == [g.COOLDOWN, g.COOLDOWN, -1]
    assert g.blocked_by(state, 1, 10 * TF) == -1


@EITHER
def test_stop_guard_counts_stops_of_all_instruments(note: Any) -> None:
    state, guards = g.new_state(3, 8, 1_000.0), guarding(stops=[(2, 10, 5, 0)])
    note(state, guards, 0, 1 * TF, TF, -1.0, -0.1, STOP)
    note(state, guards, 1, 2 * TF, TF, 1.0, 0.1, SIGNAL)
    assert g.blocked_by(state, 2, 2 * TF) == -1
    note(state, guards, 1, 3 * TF, TF, -1.0, -0.1, REASONS.index("liquidation"))
    assert [g.blocked_by(state, 2, bar * TF) for bar in (3, 7, 8)] == [g.STOP_GUARD, g.STOP_GUARD, -1]


@EITHER
def test_stop_guard_of_one_instrument_and_its_window(note: Any) -> None:
    state, guards = g.new_state(2, 8, 1_000.0), guarding(stops=[(2, 10, 5, 1)])
    note(state, guards, 0, 1 * TF, TF, -1.0, -0.1, STOP)
    note(state, guards, 1, 2 * TF, TF, -1.0, -0.1, STOP)
    assert g.blocked_by(state, 0, 2 * TF) == g.blocked_by(state, 1, 2 * TF) == -1
    note(state, guards, 0, 11 * TF, TF, -1.0, -0.1, STOP)  # ten bars after the first, which is out of the window
    assert g.blocked_by(state, 0, 11 * TF) == -1
    note(state, guards, 0, 12 * TF, TF, -1.0, -0.1, STOP)
    assert g.blocked_by(state, 0, 16 * TF) == g.STOP_GUARD
    assert g.blocked_by(state, 0, 17 * TF) == g.blocked_by(state, 1, 12 * TF) == -1


@EITHER
def test_drawdown_is_from_the_highest_in_the_window(note: Any) -> None:
    state, guards = g.new_state(1, 8, 1_000.0), guarding(drawdowns=[(0.1, 10, 3, 2)])
    note(state, guards, 0, 1 * TF, TF, -150.0, -0.1, SIGNAL)  # 15 percent, but one trip only
    assert g.blocked_by(state, 0, 1 * TF) == -1
    note(state, guards, 0, 2 * TF, TF, 100.0, 0.1, SIGNAL)  # 950 is 5 percent below the 1000 of the start
    assert g.blocked_by(state, 0, 2 * TF) == -1
    note(state, guards, 0, 3 * TF, TF, -50.0, -0.1, SIGNAL)  # 900 is exactly the limit
    assert [g.blocked_by(state, 0, bar * TF) for bar in (3, 5, 6)] == [g.DRAWDOWN_PAUSE, g.DRAWDOWN_PAUSE, -1]
    # the window from here begins with the second trip: highest 950, not 1000
    note(state, guards, 0, 11 * TF, TF, -40.0, -0.1, SIGNAL)
    assert g.blocked_by(state, 0, 11 * TF) == -1
    assert state.realised[0] == 860.0


@EITHER
def test_drawdown_of_all_there_was(note: Any) -> None:
    state = g.new_state(1, 8, 100.0)
    note(state, guarding(drawdowns=[(1.0, 10, 3, 1)]), 0, TF, TF, -100.0, -1.0, SIGNAL)
    assert g.blocked_by(state, 0, TF) == g.DRAWDOWN_PAUSE


@EITHER
def test_low_profit_of_one_instrument(note: Any) -> None:
    state, guards = g.new_state(2, 8, 1_000.0), guarding(profits=[(0.02, 10, 4, 2)])
    note(state, guards, 0, 1 * TF, TF, 1.0, 0.01, SIGNAL)
    note(state, guards, 1, 1 * TF, TF, 1.0, 0.01, SIGNAL)
    assert g.blocked_by(state, 0, 1 * TF) == -1  # one trip each
    note(state, guards, 0, 2 * TF, TF, 0.5, 0.005, SIGNAL)
    assert [g.blocked_by(state, 0, bar * TF) for bar in (2, 5, 6)] == [g.LOW_PROFIT, g.LOW_PROFIT, -1]
    assert g.blocked_by(state, 1, 2 * TF) == -1


@EITHER
def test_losing_pair_by_losses_in_a_row_and_its_review(note: Any) -> None:
    state, guards = g.new_state(1, 16, 1_000.0), guarding(losing=[(3, -0.5, 99, 4)])
    for bar, pnl in enumerate([-1.0, -1.0, 1.0, -1.0, -1.0]):
        note(state, guards, 0, bar * TF, TF, pnl, pnl / 100, SIGNAL)
        assert g.blocked_by(state, 0, bar * TF) == -1
    note(state, guards, 0, 5 * TF, TF, -1.0, -0.01, SIGNAL)
    assert [g.blocked_by(state, 0, bar * TF) for bar in (5, 8, 9)] == [g.LOSING_PAIR, g.LOSING_PAIR, -1]
    note(state, guards, 0, 9 * TF, TF, -1.0, -0.01, SIGNAL)  # the first loss of a history begun anew
    assert g.blocked_by(state, 0, 9 * TF) == -1
    assert (state.streak[0], state.trips[0], state.returns[0]) == (1, 1, -0.01)


@EITHER
def test_losing_pair_by_its_sum_and_for_ever(note: Any) -> None:
    state, guards = g.new_state(1, 16, 1_000.0), guarding(losing=[(5, -0.1, 3, math.inf)])
    for bar, return_ in enumerate([-0.2, 0.05]):
        note(state, guards, 0, bar * TF, TF, return_, return_, SIGNAL)
        assert g.blocked_by(state, 0, bar * TF) == -1  # too few trips to judge
    note(state, guards, 0, 2 * TF, TF, 0.01, 0.01, SIGNAL)
    assert g.blocked_by(state, 0, 10**15) == g.LOSING_PAIR


@EITHER
def test_the_latest_end_wins_and_says_why(note: Any) -> None:
    state = g.new_state(1, 8, 1_000.0)
    note(state, guarding(cooldown=3, stops=[(1, 9, 5, 0)], profits=[(0.0, 9, 5, 1)]), 0, 0, TF, -1.0, -0.1, STOP)
    assert g.blocked_by(state, 0, 0) == g.LOW_PROFIT  # ends with the stop guard, but is the instrument's own
    state = g.new_state(1, 8, 1_000.0)
    note(state, guarding(cooldown=5, stops=[(1, 9, 6, 0)], profits=[(0.0, 9, 5, 1)]), 0, 0, TF, -1.0, -0.1, STOP)
    assert g.blocked_by(state, 0, 0) == g.STOP_GUARD
    note(state, guarding(cooldown=1), 0, 0, TF, -1.0, -0.1, STOP)  # a shorter block takes nothing away
    assert [g.blocked_by(state, 0, bar * TF) for bar in (5, 6)] == [g.STOP_GUARD, -1]
    state = g.new_state(1, 8, 1_000.0)
    note(state, guarding(cooldown=5, profits=[(0.0, 9, 5, 1)]), 0, 0, TF, -1.0, -0.1, STOP)
    assert g.blocked_by(state, 0, 0) == g.COOLDOWN  # of equal ends the first


@EITHER
def test_of_two_reviews_the_later_counts(note: Any) -> None:
    state, guards = g.new_state(1, 8, 1_000.0), guarding(losing=[(1, -0.5, 99, 6), (1, -0.5, 99, 2)])
    note(state, guards, 0, 0, TF, -1.0, -0.1, SIGNAL)
    assert [g.blocked_by(state, 0, bar * TF) for bar in (5, 6)] == [g.LOSING_PAIR, -1]
    note(state, guards, 0, 3 * TF, TF, 1.0, 0.1, SIGNAL)  # decided before the block, ended within it
    assert (state.trips[0], state.review[0]) == (2, 6 * TF)
    note(state, guards, 0, 6 * TF, TF, 1.0, 0.1, SIGNAL)
    assert (state.trips[0], state.review[0]) == (1, g.FOREVER)


def test_a_log_grows_and_keeps_what_it_holds() -> None:
    state, guards = g.new_state(1, 1, 1_000.0), guarding(profits=[(0.0, 100, 1, 5)])
    for bar in range(5):
        state = g.with_room(state)
        g.note_trip(state, guards, 0, bar * TF, TF, -1.0, -0.1, SIGNAL)
    assert state.ts[:5].tolist() == [0, 1_000, 2_000, 3_000, 4_000] and state.ts.size == 8
    assert g.blocked_by(state, 0, 4 * TF) == g.LOW_PROFIT


@EITHER
def test_a_full_log_forgets_the_oldest(note: Any) -> None:
    state, guards = g.new_state(1, 4, 1_000.0), guarding(profits=[(0.0, 100, 1, 5)])
    for bar in range(9):
        note(state, guards, 0, bar * TF, TF, -1.0, -0.1, SIGNAL)
    assert g.blocked_by(state, 0, 8 * TF) == -1
    assert sorted(state.ts) == [5_000, 6_000, 7_000, 8_000]


def test_malformed_rows_are_named() -> None:
    with pytest.raises(ConfigError, match=r"guards.losing has shape \(0,\); it must be rows of 4"):
        g.guarding_of(Guards(cooldown=0, stops=rows(), drawdowns=rows(), profits=rows(), losing=np.empty(0)))


# --------------------------------------------------------------------------------------------- against a second writing


class Trip(NamedTuple):
    instrument: int
    ts: int
    pnl: float
    return_: float
    reason: int

    @property
    def stopped(self) -> bool:
        return REASONS[self.reason] in {"stop_loss", "custom_stop", "trailing_stop", "liquidation", "bankruptcy"}


@dataclass
class Slow:
    """The protections over the whole list of trips, with nothing remembered but the blocks that were set."""

    guards: g.Guarding
    cash: float
    trips: list[Trip] = field(default_factory=list)
    blocks: list[tuple[int | None, float, str]] = field(default_factory=list)
    reviews: dict[int, float] = field(default_factory=dict)
    histories: dict[int, list[Trip]] = field(default_factory=dict)

    def within(self, trip: Trip, lookback: float, only_this: bool) -> list[Trip]:
        recent = [old for old in self.trips if old.ts > trip.ts - lookback * TF]
        return [old for old in recent if old.instrument == trip.instrument or not only_this]

    def note(self, trip: Trip) -> None:
        self.trips.append(trip)
        k, guards = trip.instrument, self.guards
        if guards.cooldown:
            self.blocks.append((k, trip.ts + guards.cooldown * TF, "cooldown"))
        for limit, lookback, pause, only_this in guards.stops:
            if sum(old.stopped for old in self.within(trip, lookback, bool(only_this))) >= limit:
                self.blocks.append((k if only_this else None, trip.ts + pause * TF, "stop guard"))
        for limit, lookback, pause, least in guards.drawdowns:
            if len(self.within(trip, lookback, False)) >= least and self.drawdown(trip, lookback) >= limit:
                self.blocks.append((None, trip.ts + pause * TF, "drawdown pause"))
        for required, lookback, pause, least in guards.profits:
            recent = self.within(trip, lookback, True)
            if len(recent) >= least and sum(old.return_ for old in recent) < required:
                self.blocks.append((k, trip.ts + pause * TF, "low profit"))
        self.judge(trip)

    def drawdown(self, trip: Trip, lookback: float) -> float:
        inside = self.within(trip, lookback, False)
        values, equity = [], self.cash
        for old in self.trips:
            values += [equity, equity + old.pnl] if old in inside else []
            equity += old.pnl
        return 1.0 - equity / max(values) if equity > 0 else 1.0

    def judge(self, trip: Trip) -> None:
        k = trip.instrument
        if trip.ts >= self.reviews.get(k, math.inf):
            self.histories[k], self.reviews[k] = [], math.inf
        history = self.histories.setdefault(k, [])
        history.append(trip)
        for losses, roi, least, review in self.guards.losing:
            in_a_row = len(history) >= losses and all(old.pnl < 0 for old in history[-int(losses) :])
            if in_a_row or (len(history) >= least and sum(old.return_ for old in history) < roi):
                until = trip.ts + review * TF
                self.blocks.append((k, until, "losing pair"))
                known = self.reviews.get(k, math.inf)
                self.reviews[k] = until if known == math.inf else max(known, until)

    def blocked_by(self, instrument: int, ts: int) -> str | None:
        own = [block for block in self.blocks if block[0] == instrument]
        everywhere = [block for block in self.blocks if block[0] is None]
        latest = max([*own, *everywhere], key=lambda block: block[1], default=None)
        return latest[2] if latest and ts < latest[1] else None


# halves and quarters: sums are exact in whatever order they are made
SMALL = st.integers(-8, 8).map(lambda n: n / 64)
BARS = st.integers(1, 12).map(float)
PAUSE = st.integers(0, 9).map(float) | st.just(math.inf)


@st.composite
def all_guards(draw: st.DrawFn) -> g.Guarding:
    def table(*columns: st.SearchStrategy[float]) -> list[tuple[float, ...]]:
        return draw(st.lists(st.tuples(*columns), max_size=2))

    few = st.integers(1, 4).map(float)
    return guarding(
        cooldown=draw(st.integers(0, 4)),
        stops=table(few, BARS | st.just(math.inf), PAUSE, st.sampled_from([0.0, 1.0])),
        drawdowns=table(st.sampled_from([1 / 16, 1 / 8, 1 / 4]), BARS, PAUSE, few),
        profits=table(SMALL, BARS, PAUSE, few),
        losing=table(few, SMALL.filter(lambda x: x < 0), few, PAUSE),
    )


@st.composite
def stories(draw: st.DrawFn) -> list[Trip]:
    """Trips whose exits are in order, but for less than the length of a strategy bar."""
    trips, now = [], 0
    for _ in range(draw(st.integers(1, 30))):
        now += draw(st.sampled_from([0, 0, 250, TF, TF, 3 * TF]))
        ts = now - draw(st.sampled_from([0, 0, 0, 250, TF - 1]))
        pnl = draw(SMALL)
        trips.append(Trip(draw(st.integers(0, 2)), ts, 64.0 * pnl, pnl, draw(st.integers(0, len(REASONS) - 1))))
    return trips


@settings(max_examples=examples(300))
@given(guards=all_guards(), trips=stories())
def test_equal_to_the_slow_writing(guards: g.Guarding, trips: list[Trip]) -> None:
    slow = Slow(guards, 64.0)
    plain, compiled = g.new_state(3, 1, 64.0), g.new_state(3, 64, 64.0)
    for trip in trips:
        slow.note(trip)
        plain = g.with_room(plain)
        g.note_trip(plain, guards, trip.instrument, trip.ts, TF, trip.pnl, trip.return_, trip.reason)
        g.note_trip_nb(compiled, guards, trip.instrument, trip.ts, TF, trip.pnl, trip.return_, trip.reason)
        for instrument in range(3):
            for ts in range(trip.ts - TF, trip.ts + 14 * TF, TF // 2):
                code = g.blocked_by(plain, instrument, ts)
                assert code == g.blocked_by_nb(compiled, instrument, ts)
                ours = SKIP_REASONS[code] if code >= 0 else None
                theirs = slow.blocked_by(instrument, ts)
                assert (ours is None) == (theirs is None)
                assert ours == theirs or ours in tied(slow, instrument)


def tied(slow: Slow, instrument: int) -> set[str]:
    """What ends together with the latest block: whichever came first names it, which worked examples hold."""
    blocks = [block for block in slow.blocks if block[0] in (None, instrument)]
    latest = max(block[1] for block in blocks)
    return {why for _, until, why in blocks if until == latest}
