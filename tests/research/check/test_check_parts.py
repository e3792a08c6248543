"""The parts of the checker, each by itself: agreement, columns, cuts, memory, uses of the outside."""

from __future__ import annotations

import collections
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.research.check.made import walk
from workbench.errors import ConfigError, DataError
from workbench.research.check import check, check_columns
from workbench.research.check.agreement import disagreements
from workbench.research.check.authored import Authored, authored_by
from workbench.research.check.columns import columns_in
from workbench.research.check.cuts import full_cuts, windows
from workbench.research.check.outside import uses_in
from workbench.research.check.state import Keeper
from workbench.research.check.subject import Said

BARS = walk(300)


@pytest.mark.parametrize(
    ("one", "other", "rows"),
    [
        ([1.0, np.nan, np.inf], [1.0, np.nan, np.inf], []),
        ([0.0, 1.0], [-0.0, 1.0], []),
        ([1.0, 2.0], [1.0, np.nan], [1]),
        ([100.0, 100.0], [100.0 + 1e-8, 100.0 + 1e-6], [1]),
        ([100.0, 1e-12], [100.0, -1e-12], []),  # nothing beside the column's own size
        ([True, False], [True, True], [1]),
    ],
)
def test_where_columns_disagree(one: list[Any], other: list[Any], rows: list[int]) -> None:
    assert disagreements(np.array(one), np.array(other)).tolist() == rows


class Bands(NamedTuple):
    upper: np.ndarray
    lower: np.ndarray


def test_columns_are_found_in_whatever_holds_them() -> None:
    n = len(BARS)
    line = np.arange(n, dtype=float)
    assert dict(columns_in("x", line, BARS)).keys() == {"x"}
    assert dict(columns_in("x", pd.Series(line > 3), BARS))["x"].dtype == bool
    assert dict(columns_in("x", pd.Series(np.arange(n)).astype("Int64").mask(line > 5), BARS))["x"].dtype == float
    assert list(dict(columns_in("b", Bands(line, -line), BARS))) == ["b.upper", "b.lower"]
    assert list(dict(columns_in("f", pd.DataFrame({"a": line, "t": ["x"] * n}), BARS))) == ["f.a"]
    assert list(dict(columns_in("d", {"a": line, "n": 3}, BARS))) == ["d['a']"]
    assert list(dict(columns_in("m", np.column_stack([line, -line]), BARS))) == ["m[:, 0]", "m[:, 1]"]
    assert list(dict(columns_in("l", line.tolist(), BARS))) == ["l"]
    for nothing in (3.0, "text", line[:-1], None, BARS, BARS.close, BARS.close[:5], pd.Series(["x"] * n)):
        assert list(columns_in("x", nothing, BARS)) == []
    assert list(columns_in("f.close", BARS.to_pandas().close, BARS)) == []


@given(st.integers(50, 200_000), st.booleans())
def test_the_whole_history_is_cut_inside(length: int, thorough: bool) -> None:
    history = full_cuts(length, thorough)
    assert all(2 <= cut < length for cut in history.cuts) and length - 1 in history.cuts
    assert list(history.cuts) == sorted(set(history.cuts)) and len(history.cuts) < 50


@settings(max_examples=30)
@given(st.integers(50, 5_000), st.integers(0, 3_000), st.lists(st.integers(0, 4_999), max_size=5))
def test_windows_lie_in_history_and_have_every_cut_of_a_stretch(length: int, needed: int, fired: list[int]) -> None:
    bars = walk(length)
    entry = np.zeros(length, dtype=bool)
    entry[[row for row in fired if row < length]] = True
    found = windows(bars, Said({"entry": entry}, frozenset(["entry"])), min(needed, length // 2))
    assert found
    for one in found:
        assert 0 <= one.first < one.last <= length
        assert all(one.first + 2 <= cut < one.last for cut in one.cuts)
        assert np.all(np.diff(one.cuts) == 1)


LEVEL = {"a": [1.0]}
COUNT = 3


class Memory:
    seen = 0


MEMORY = Memory()


def remembers(bars: Any, queue: Any = collections.deque([1])) -> Any:  # noqa: B006
    global COUNT
    COUNT += 1
    LEVEL["a"].append(2.0)
    LEVEL["b"] = [3.0]
    MEMORY.seen += 1
    queue.append(2)
    remembers.calls = getattr(remembers, "calls", 0) + 1  # type: ignore[attr-defined]
    return bars


def test_memory_is_seen_and_put_back() -> None:
    remembers.calls = 0  # type: ignore[attr-defined]
    held = LEVEL["a"]
    keeper = Keeper(authored_by(remembers), remembers)
    assert keeper.changed() == ()
    remembers(None)
    assert set(keeper.changed()) == {
        "module variable COUNT", "module variable LEVEL", "module variable MEMORY", "a default argument of remembers",
        "remembers.calls",
    }  # fmt: skip
    keeper.restore()
    assert keeper.changed() == ()
    assert (COUNT, LEVEL, MEMORY.seen) == (3, {"a": [1.0]}, 0) and LEVEL["a"] is not None
    assert held == [1.0, 2.0] or held == [1.0]
    assert remembers.__defaults__ == (collections.deque([1]),)


def asks() -> None:
    import datetime as dt
    import os
    from time import time as now

    now()
    dt.datetime.now(dt.UTC)
    os.environ["HOME"]
    np.random.default_rng(3)
    np.random.default_rng()
    pd.Timestamp("2020-01-01")
    pd.Timestamp("now")
    pd.read_csv("x.csv")
    open("x")  # noqa: SIM115


def test_the_source_is_read_for_what_it_asks_of_the_outside() -> None:
    found = uses_in((asks,))
    assert [(one.kind, one.name) for one in found] == [
        ("clock", "time.time"),
        ("clock", "datetime.datetime.now"),
        ("environment", "os.environ"),
        ("randomness", "numpy.random.default_rng"),
        ("clock", "pandas.Timestamp"),
        ("file", "pandas.read_csv"),
        ("file", "open"),
    ]
    first = asks.__code__.co_firstlineno
    assert [one.line - first for one in found] == [5, 6, 7, 9, 11, 12, 13]


def test_only_the_authors_code_is_looked_at() -> None:
    def helper() -> Any:
        return pd.Series([1.0]).mean()

    def main() -> Any:
        return helper()

    assert {one.__name__ for one in authored_by(main).functions} == {"main", "helper"}
    assert Authored((), ()).codes() == frozenset()


@pytest.mark.parametrize("wrong", [None, 5])
def test_what_is_no_series_is_named(wrong):
    with pytest.raises(DataError, match=r"is no series; give wb\.Bars"):
        check(wb.OrderStrategy(), wrong)


def test_a_tolerance_that_is_no_number_is_named():
    with pytest.raises(ConfigError, match="tolerance = 'small'"):
        check_columns("close", lambda bars: bars.close, [], tolerance="small")
