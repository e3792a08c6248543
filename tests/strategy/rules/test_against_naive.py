"""Compiled rules say what a plain interpreter says bar by bar, over random rules on random bars."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.strategy.rules.made import rules, wandering
from tests.strategy.rules.naive import Naive, Tree, holding, spelt_out, text_of

PRICES = ("open", "high", "low", "close", "volume", "hl2")
HOUR = 3_600_000


def tuples(kind: str, *parts: Any) -> st.SearchStrategy[Tree]:
    return st.tuples(st.just(kind), *parts)


def values(extra: st.SearchStrategy[Tree] | None = None, longer: bool = True) -> st.SearchStrategy[Tree]:
    price = tuples("name", st.sampled_from(PRICES))
    number = tuples("number", st.sampled_from([0, 1, 2, 0.5, -1, 99.5, 100, 101, 3]))
    column = price | tuples("mean", price, st.integers(1, 4)) | tuples("shift", price, st.integers(1, 3))
    if longer:
        column |= tuples("on", column, st.sampled_from(["2h", "3h", "4h"]))
    leaf = st.one_of(column, column, number, *([extra, extra] if extra is not None else []))
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.tuples(st.sampled_from("+-*/"), inner, inner),
            tuples("function", st.just("abs"), st.lists(inner, min_size=1, max_size=1)),
            tuples("function", st.sampled_from(["min", "max"]), st.lists(inner, min_size=2, max_size=3)),
        ),
        max_leaves=3,
    )


def conditions(value: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    bars, minute = st.integers(1, 4), st.integers(0, 47).map(lambda half: half * 30)
    leaf = st.one_of(
        st.tuples(st.sampled_from([">", "<", ">=", "<=", "==", "!="]), value, value),
        tuples("cross", st.sampled_from(["crosses_above", "crosses_below"]), value, value),
        tuples("moving", st.sampled_from(["rising", "falling"]), value, bars),
        tuples("time", minute, minute, st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"])),
        tuples("weekday", st.lists(st.integers(0, 6), min_size=1, max_size=3, unique=True)),
    )
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            tuples("all", st.lists(inner, min_size=2, max_size=3)),
            tuples("any", st.lists(inner, min_size=2, max_size=3)),
            tuples("not", inner),
            tuples("for", inner, bars),
            tuples("within", inner, bars),
        ),
        max_leaves=5,
    )


bars = st.builds(
    lambda seed, count, start: wandering(seed, count, start=start * HOUR),
    st.integers(0, 10_000), st.integers(1, 40), st.integers(452_000, 452_200),
)  # fmt: skip


def told(series: wb.Bars) -> Naive:
    names = ("ts", "open", "high", "low", "close", "volume")
    return Naive({name: getattr(series, name).tolist() for name in names}, series.timeframe.ms)


def written(**sections: Any) -> str:
    """JSON is YAML."""
    return json.dumps(sections)


@given(conditions(values()), bars, st.booleans())
@settings(max_examples=100)
def test_entries_are_those_of_the_plain_interpreter(tree: Tree, series: wb.Bars, mapped: bool) -> None:
    made = rules(written(entry=spelt_out(tree) if mapped else text_of(tree)))
    said = made().signals(series).entry
    naive = told(series)
    assert said.tolist() == [naive.holds(tree, row) is True for row in range(len(series))]


@given(conditions(values()), bars)
@settings(max_examples=40)
def test_a_stop_waits_for_its_value_and_a_longer_history_changes_nothing(tree: Tree, series: wb.Bars) -> None:
    text = text_of(tree)
    made = rules(written(entry=text, exit=f"not {text}", stops={"stop_price": "sma(close, 3)"}))()
    whole = made.signals(series)
    assert not whole.entry[:2].any()
    for cut in {0, 1, len(series) // 2, len(series) - 1}:
        part = made.signals(series[:cut])
        np.testing.assert_array_equal(part.entry, whole.entry[:cut])
        np.testing.assert_array_equal(part.exit, whole.exit[:cut])


holds = st.sampled_from([("name", "profit"), ("name", "bars_held")])
small = tuples("number", st.sampled_from([0, 0.005, -0.005, 0.01, 2, 3, 5]))


@given(conditions(values(longer=False)), conditions(values(extra=holds | small, longer=False)), bars)
@settings(max_examples=100)
def test_exits_that_follow_the_position_are_those_of_the_plain_interpreter(
    entry: Tree, leave: Tree, series: wb.Bars
) -> None:
    leave = (
        "any",
        [leave, ("all", [(">", ("name", "profit"), ("number", 0.004)), (">", ("name", "bars_held"), ("number", 2))])],
    )
    made = rules(written(entry=text_of(entry), exit=text_of(leave)))
    assert made.needs_next_open and holding(leave)
    strategy = type("FromTheStart", (made,), {"warm_up": 0, "warm_up_on": lambda _, timeframe: 0})()
    said = strategy.signals(series)
    entries, exits = told(series).trades(entry, leave)
    assert np.flatnonzero(said.entry).tolist() == entries
    assert np.flatnonzero(said.exit).tolist() == exits


@pytest.mark.long
@given(conditions(values()), bars, st.booleans())
@settings(max_examples=3_000)
def test_many_more_entries_are_those_of_the_plain_interpreter(tree: Tree, series: wb.Bars, mapped: bool) -> None:
    made = rules(written(entry=spelt_out(tree) if mapped else text_of(tree)))
    naive = told(series)
    assert made().signals(series).entry.tolist() == [naive.holds(tree, row) is True for row in range(len(series))]
