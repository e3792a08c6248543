"""Ladders: levels and sizes by hand, and keeping resting orders in step with those wanted, whatever rested before."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.strategy.library.cases import FREE, SPOT, bars_of, refusals
from workbench.errors import StrategyError
from workbench.strategy.helpers import (
    Rung,
    arithmetic_levels,
    cumulative_steps,
    geometric_levels,
    keep_ladder,
    levels_around,
    scaled_sizes,
)
from workbench.strategy.orders import OrderStrategy

STEPS = SPOT.replace(tick_size=0.5, lot_size=0.1, min_notional=10.0)
Wanted = dict[str, tuple[str, float, float]]


def test_levels_between_bounds():
    assert arithmetic_levels(90, 110, 5) == [90.0, 95.0, 100.0, 105.0, 110.0]
    found = geometric_levels(100, 1_600, 5)
    assert found == pytest.approx([100, 200, 400, 800, 1_600]) and found[0] == 100.0 and found[-1] == 1_600.0


@pytest.mark.parametrize("levels", [arithmetic_levels, geometric_levels])
@pytest.mark.parametrize(("lower", "upper", "count"), [(110, 90, 5), (0, 90, 5), (90, math.inf, 5), (90, 110, 1)])
def test_levels_of_no_range_are_refused(levels, lower, upper, count):
    with pytest.raises(StrategyError, match=r"no range of prices|at least its two ends"):
        levels(lower, upper, count)


def test_levels_around_a_price_and_sizes_by_scale():
    below, above = levels_around(200.0, 0.1, 3, scale=2.0)
    assert below == pytest.approx([180.0, 140.0, 60.0]) and above == pytest.approx([220.0, 260.0, 340.0])
    assert cumulative_steps(0.01, 3) == pytest.approx([0.01, 0.02, 0.03])
    assert levels_around(100.0, 0.6, 2)[0] == pytest.approx([40.0])
    assert scaled_sizes(60.0, 2, 2.0) == pytest.approx([20.0, 40.0])
    assert scaled_sizes(60.0, 3) == pytest.approx([20.0, 20.0, 20.0])


class Keeps(OrderStrategy):
    """Keeps the ladders of a script, one a bar, and writes down what rested when the next bar had closed."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        rests = {one.tag: (one.side, one.price, one.remaining) for one in view.orders()}
        self.seen.append(rests)
        number = len(self.seen) - 1
        if number >= len(self.script):
            return None
        rungs = [Rung(tag, *rung) for tag, rung in self.script[number].items()]
        wishes = keep_ladder(view, rungs, name="l")
        self.said.append(wishes)
        return wishes


def kept(script: list[Wanted], rows: Any = None, instrument: wb.Instrument = STEPS) -> Any:
    rows = rows or [(100.0, 100.0, 100.0, 100.0)] * (len(script) + 1)
    strategy = type("Keeps", (Keeps,), {"script": script, "seen": [], "said": []})()
    result = wb.backtest(strategy, bars_of(rows, instrument), costs=FREE, path="event")
    return result, strategy


def test_told_the_same_again_it_says_nothing():
    ladder: Wanted = {"a": ("buy", 90.0, 1.0), "b": ("sell", 110.0, 0.5)}
    result, strategy = kept([ladder] * 4)
    assert [len(said) for said in strategy.said] == [2, 0, 0, 0]
    assert strategy.seen[-1] == {"l:a": ("buy", 90.0, 1.0), "l:b": ("sell", 110.0, 0.5)}
    assert len(result.orders) == 2


def test_what_is_not_wanted_is_cancelled_what_moved_amended_what_is_missing_placed():
    script: list[Wanted] = [
        {"a": ("buy", 90.0, 1.0), "b": ("buy", 80.0, 1.0), "c": ("buy", 70.0, 1.0)},
        {"a": ("buy", 90.0, 1.0), "b": ("buy", 85.0, 2.0), "d": ("sell", 110.0, 1.0)},
    ]
    _, strategy = kept(script)
    kinds = [type(one).__name__ for one in strategy.said[1]]
    assert kinds == ["Cancel", "Amend", "Intent"]
    assert strategy.seen[2] == {"l:a": ("buy", 90.0, 1.0), "l:b": ("buy", 85.0, 2.0), "l:d": ("sell", 110.0, 1.0)}


def test_an_order_on_the_other_side_is_replaced_and_what_is_too_small_left_out():
    script: list[Wanted] = [
        {"a": ("buy", 90.0, 1.0)}, {"a": ("sell", 110.0, 1.0), "b": ("buy", 90.0, 0.1), "c": ("buy", 90.0, 0.05)},
    ]  # fmt: skip
    _, strategy = kept(script)
    assert strategy.seen[2] == {"l:a": ("sell", 110.0, 1.0)}
    assert not any("below" in str(one) for one in strategy.said)


def test_prices_between_ticks_are_the_same_as_their_ticks():
    script: list[Wanted] = [{"a": ("buy", 90.3, 1.04), "b": ("sell", 110.1, 1.04)}] * 3
    _, strategy = kept(script)
    assert [len(said) for said in strategy.said] == [2, 0, 0]
    assert strategy.seen[1] == {"l:a": ("buy", 90.0, 1.0), "l:b": ("sell", 110.5, 1.0)}


def test_what_was_filled_of_an_order_is_not_asked_for_again():
    script: list[Wanted] = [{"a": ("buy", 90.0, 5.0)}, {"a": ("buy", 90.0, 3.0)}, {"a": ("buy", 90.0, 4.0)}, {}]
    still, dip = (100.0, 100.0, 100.0, 100.0), (100.0, 100.0, 89.0, 100.0)
    strategy = type("Keeps", (Keeps,), {"script": script, "seen": [], "said": []})()
    shared = wb.Costs(fee=0, slippage_bps=0, volume_share=0.1)
    wb.backtest(strategy, bars_of([still, dip, still, still], STEPS, volume=20.0), costs=shared, path="event")
    # two of five were filled: three rest, as wanted; then four are wanted beside the two
    assert strategy.seen[1:] == [{"l:a": ("buy", 90.0, 3.0)}, {"l:a": ("buy", 90.0, 3.0)}, {"l:a": ("buy", 90.0, 4.0)}]
    assert [len(said) for said in strategy.said] == [1, 0, 1, 1]


def test_orders_of_other_ladders_are_left_alone():
    class Two(OrderStrategy):
        def on_bar(self, view, bar):
            seen.append(sorted(one.tag for one in view.orders()))
            one = keep_ladder(view, [Rung("x", "buy", 90.0, 1.0)], name="one")
            return [*one, *keep_ladder(view, [] if view.orders() else [Rung("x", "buy", 80.0, 1.0)], name="two")]

    seen: list[list[str]] = []
    wb.backtest(Two(), bars_of([(100.0, 100.0, 100.0, 100.0)] * 3, STEPS), costs=FREE, path="event")
    assert seen == [[], ["one:x", "two:x"], ["one:x"]]


def test_two_rungs_of_one_tag_are_a_mistake():
    class Twice(OrderStrategy):
        def on_bar(self, view, bar):
            return keep_ladder(view, [Rung("x", "buy", 90.0, 1.0)] * 2, name="l")

    with pytest.raises(StrategyError, match="two rungs 'x'"):
        wb.backtest(Twice(), bars_of([(100.0, 100.0, 100.0, 100.0)] * 2), costs=FREE, path="event")


rungs = st.dictionaries(
    st.sampled_from("abcdef"),
    st.one_of(
        st.tuples(st.just("buy"), st.integers(40, 190).map(lambda n: n / 2), st.integers(3, 40).map(lambda n: n / 10)),
        st.tuples(
            st.just("sell"), st.integers(210, 300).map(lambda n: n / 2), st.integers(3, 40).map(lambda n: n / 10)
        ),
    ),
    max_size=6,
)


@settings(max_examples=40)
@given(st.lists(rungs, min_size=1, max_size=6))
def test_whatever_rested_before_what_is_wanted_rests_after(script):
    _, strategy = kept([*script, script[-1]])
    for wanted, rests in zip([*script, script[-1]], strategy.seen[1:], strict=True):
        assert rests == {f"l:{tag}": rung for tag, rung in wanted.items() if rung[1] * rung[2] >= 10.0}
    assert strategy.said[-1] == []
    assert refusals(type("Again", (Keeps,), {"script": script, "seen": [], "said": []})(),
                    bars_of([(100.0,) * 4] * (len(script) + 1), STEPS), costs=FREE) == []  # fmt: skip
