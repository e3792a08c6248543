"""Levels and the order in which a bar reaches them: worked by hand, their properties, and the same when compiled."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from workbench._kernels import kernel
from workbench.trading import exits as e
from workbench.trading.arithmetic import through

NAN = math.nan
SIDES = st.sampled_from([1.0, -1.0])
PRICES = st.integers(1, 400).map(lambda n: n / 4)
LEVELS = PRICES | st.just(NAN)


def same(a: Any, b: Any) -> bool:
    return bool(np.array_equal(np.asarray(a, dtype=float), np.asarray(b, dtype=float), equal_nan=True))


# ------------------------------------------------------------------------------------------------------ worked by hand


def test_further() -> None:
    assert e.further(100.0, 101.0, 1.0) == 101.0 and e.further(100.0, 101.0, -1.0) == 100.0
    assert e.further(NAN, 5.0, 1.0) == e.further(5.0, NAN, 1.0) == 5.0
    assert math.isnan(e.further(NAN, NAN, 1.0))
    # a long's stop at 95 with an open of 93 is quoted at 93; with an open of 97 it is hit at 95
    assert e.further(95.0, 93.0, -1.0) == 93.0 and e.further(95.0, 97.0, -1.0) == 95.0


def test_a_ratchet_only_tightens() -> None:
    assert e.ratchet(95.0, 96.0, 1.0) == 96.0 and e.ratchet(95.0, 94.0, 1.0) == 95.0
    assert e.ratchet(105.0, 104.0, -1.0) == 104.0 and e.ratchet(105.0, 106.0, -1.0) == 105.0
    assert e.ratchet(95.0, NAN, 1.0) == 95.0 and e.ratchet(NAN, 95.0, -1.0) == 95.0


def test_the_rungs_of_a_roi_ladder() -> None:
    rungs = np.array([0, 60_000, 180_000])
    assert [e.roi_rung(ms, rungs) for ms in (0, 59_999, 60_000, 179_999, 180_000, 10**12)] == [0, 0, 1, 1, 2, 2]
    assert e.roi_rung(5, np.array([10])) == e.roi_rung(5, np.array([], dtype=np.int64)) == -1


def test_of_equal_stops_the_first_named_is_hit() -> None:
    assert e.nearest_stop(1.0, 95.0, 95.0, 95.0, 95.0) == (95.0, 0)
    assert e.nearest_stop(1.0, NAN, 95.0, 95.0, 95.0) == (95.0, 1)
    assert e.nearest_stop(1.0, 90.0, NAN, 95.0, 95.0) == (95.0, 2)
    assert e.nearest_stop(-1.0, 110.0, NAN, 108.0, 107.0) == (107.0, 3)
    assert same(e.nearest_stop(1.0, NAN, NAN, NAN, NAN), (NAN, -1))


def test_of_equal_targets_take_profit_is_hit() -> None:
    assert e.nearest_target(1.0, 110.0, 110.0) == (110.0, 0)
    assert e.nearest_target(1.0, 110.0, 109.0) == (109.0, 1) and e.nearest_target(-1.0, 90.0, 89.0) == (90.0, 0)
    assert e.nearest_target(1.0, NAN, 109.0) == (109.0, 1) and e.nearest_target(1.0, 110.0, NAN) == (110.0, 0)
    assert same(e.nearest_target(1.0, NAN, NAN), (NAN, -1))


def test_a_position_is_held_for_its_bars() -> None:
    # opened at the open of bar 4, held for three bars (4, 5, 6): decided at the close of 6, left at the open of 7
    assert [e.time_is_up(bar, 4, 3, False) for bar in (4, 5, 6, 7)] == [False, False, True, True]
    # opened at the close of bar 4, held for three bars (5, 6, 7): decided and left at the close of 7
    assert [e.time_is_up(bar, 4, 3, True) for bar in (5, 6, 7)] == [False, False, True]
    assert not e.time_is_up(10**9, 0, 0, False)


def test_the_path_goes_to_the_nearer_extreme_first() -> None:
    assert e.path_points(100.0, 103.0, 99.0, 102.0) == (100.0, 99.0, 103.0, 102.0)
    assert e.path_points(100.0, 101.0, 95.0, 96.0) == (100.0, 101.0, 95.0, 96.0)
    assert e.path_points(100.0, 102.0, 98.0, 100.0) == (100.0, 98.0, 102.0, 100.0)  # as near: the low


def test_a_leg_hits_what_lies_on_its_way() -> None:
    assert e.leg_hit(100.0, 95.0, 1.0, 95.0, 110.0) == e.HIT_STOP
    assert e.leg_hit(100.0, 95.5, 1.0, 95.0, 110.0) == e.HIT_NOTHING
    assert e.leg_hit(95.5, 110.0, 1.0, 95.0, 110.0) == e.HIT_TARGET
    assert e.leg_hit(100.0, 105.0, -1.0, 105.0, 90.0) == e.HIT_STOP
    assert e.leg_hit(100.0, 90.0, -1.0, 105.0, 90.0) == e.HIT_TARGET
    assert e.leg_hit(100.0, 50.0, 1.0, NAN, 110.0) == e.leg_hit(100.0, 100.0, 1.0, 100.0, 100.0) == e.HIT_NOTHING


# --------------------------------------------------------------------------------------------------------- properties


@given(side=SIDES, levels=st.tuples(LEVELS, LEVELS, LEVELS, LEVELS))
def test_no_stop_is_nearer_than_the_nearest(side: float, levels: tuple[float, float, float, float]) -> None:
    level, which = e.nearest_stop(side, *levels)
    there = [(side * value, k) for k, value in enumerate(levels) if not math.isnan(value)]
    if not there:
        assert which == -1 and math.isnan(level)
        return
    assert (side * level, which) == max(there, key=lambda found: (found[0], -found[1]))


@given(side=SIDES, take_profit=LEVELS, roi=LEVELS)
def test_a_target_is_a_stop_seen_from_the_other_side(side: float, take_profit: float, roi: float) -> None:
    assert same(e.nearest_target(side, take_profit, roi), e.nearest_stop(-side, take_profit, roi, NAN, NAN))


@given(side=SIDES, wishes=st.lists(LEVELS, min_size=1))
def test_a_ratchet_ends_at_the_tightest_wish(side: float, wishes: list[float]) -> None:
    level = NAN
    for wish in wishes:
        level = e.ratchet(level, wish, side)
    tightest = max((side * wish for wish in wishes if not math.isnan(wish)), default=NAN)
    assert same(level, side * tightest)


@given(prices=st.tuples(PRICES, PRICES, PRICES, PRICES))
def test_the_path_visits_the_whole_bar_nearer_extreme_first(prices: tuple[float, float, float, float]) -> None:
    opened, close, low, high = prices[0], prices[1], min(prices), max(prices)
    path = e.path_points(opened, high, low, close)
    assert (path[0], path[-1]) == (opened, close) and {path[1], path[2]} == {low, high}
    assert abs(path[1] - opened) <= abs(path[2] - opened)


@given(side=SIDES, start=PRICES, end=PRICES, stop=LEVELS, target=LEVELS)
def test_long_and_short_see_a_leg_mirrored(side: float, start: float, end: float, stop: float, target: float) -> None:
    assert e.leg_hit(start, end, side, stop, target) == e.leg_hit(-start, -end, -side, -stop, -target)


@given(side=SIDES, prices=st.tuples(PRICES, PRICES, PRICES, PRICES), stop=LEVELS, target=LEVELS)
def test_the_worse_is_no_better_than_the_path(
    side: float, prices: tuple[float, float, float, float], stop: float, target: float
) -> None:
    opened, close, low, high = prices[0], prices[1], min(prices), max(prices)
    if through(opened, stop, -side) or through(opened, target, side):
        return
    adverse, favourable = (low, high) if side > 0 else (high, low)
    worse = first_hit((opened, adverse, favourable), side, stop, target)
    path = first_hit(e.path_points(opened, high, low, close), side, stop, target)
    assert worse == path or (worse, path) == (e.HIT_STOP, e.HIT_TARGET)


def first_hit(points: tuple[float, ...], side: float, stop: float, target: float) -> int:
    hits = (e.leg_hit(a, b, side, stop, target) for a, b in itertools.pairwise(points))
    return next((hit for hit in hits if hit != e.HIT_NOTHING), e.HIT_NOTHING)


ARGUMENTS: dict[Callable[..., Any], st.SearchStrategy[tuple[Any, ...]]] = {
    e.further: st.tuples(LEVELS, LEVELS, SIDES),
    e.roi_rung: st.tuples(
        st.integers(0, 100),
        st.lists(st.integers(0, 100), unique=True).map(lambda rungs: np.array(sorted(rungs), dtype=np.int64)),
    ),
    e.nearest_stop: st.tuples(SIDES, LEVELS, LEVELS, LEVELS, LEVELS),
    e.nearest_target: st.tuples(SIDES, LEVELS, LEVELS),
    e.time_is_up: st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.booleans()),
    e.path_points: st.tuples(PRICES, PRICES, PRICES, PRICES),
    e.leg_hit: st.tuples(PRICES, PRICES, SIDES, LEVELS, LEVELS),
}


def test_every_function_is_compared_below() -> None:
    assert {function.__name__ for function in ARGUMENTS} == {name for name in e.__all__ if name[0].islower()} - {
        "ratchet"
    }


@pytest.mark.parametrize("function", ARGUMENTS, ids=lambda function: function.__name__)
def test_compiled_gives_the_same(function: Callable[..., Any]) -> None:
    compiled = kernel(function)

    @given(ARGUMENTS[function])
    def equal(arguments: tuple[Any, ...]) -> None:
        assert same(function(*arguments), compiled(*arguments))

    equal()
