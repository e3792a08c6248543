"""Crossings and the value of some bars ago."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.indicators import crosses_above, crosses_below, previous

LEVEL = st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 1.0, 2.0, np.inf, np.nan])
PAIRS = st.lists(st.tuples(LEVEL, LEVEL), max_size=30)


@given(PAIRS)
def test_a_crossing_is_what_its_definition_says(pairs: list[tuple[float, float]]) -> None:
    a, b = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    above, below = crosses_above(a, b), crosses_below(a, b)
    assert above.dtype == below.dtype == np.bool_
    for i in range(len(pairs)):
        assert above[i] == (i > 0 and a[i] > b[i] and a[i - 1] <= b[i - 1])
        assert below[i] == (i > 0 and a[i] < b[i] and a[i - 1] >= b[i - 1])
    np.testing.assert_array_equal(below, crosses_above(b, a))
    assert not (above & below).any()


@given(PAIRS, st.integers(0, 30))
def test_a_longer_history_changes_nothing_said_before(pairs: list[tuple[float, float]], cut: int) -> None:
    a, b = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    for function in (crosses_above, crosses_below):
        np.testing.assert_array_equal(function(a, b)[:cut], function(a[:cut], b[:cut]))
    np.testing.assert_array_equal(previous(a, 2)[:cut], previous(a[:cut], 2))


@given(st.lists(LEVEL, max_size=30), LEVEL)
def test_a_number_is_a_line_at_that_level(values: list[float], level: float) -> None:
    line = np.full(len(values), level)
    np.testing.assert_array_equal(crosses_above(values, level), crosses_above(values, line))
    np.testing.assert_array_equal(crosses_below(values, level), crosses_below(values, line))


@pytest.mark.parametrize("level", [2, 2.0, np.int64(2), np.float32(2.0)])
def test_a_level_may_be_any_kind_of_number(level: float) -> None:
    np.testing.assert_array_equal(crosses_above([1, 2, 3], level), [False, False, True])
    np.testing.assert_array_equal(crosses_below([3, 2, 1], level), [False, False, True])


def test_any_nan_among_the_four_is_no_crossing() -> None:
    a, b = [1.0, 3.0], [2.0, 2.0]
    assert crosses_above(a, b)[1]
    for line, row in ((a, 0), (a, 1), (b, 0), (b, 1)):
        kept, line[row] = line[row], np.nan
        assert not crosses_above(a, b).any()
        line[row] = kept


def test_series_give_a_series_of_bool_on_the_same_index() -> None:
    index = pd.date_range("2024-01-01", periods=3, tz="UTC")
    a = pd.Series([1.0, 2.0, 3.0], index)
    for crossed in (crosses_above(a, 2.0), crosses_above(a, [2.0, 2.0, 2.0]), crosses_below([3.0, 2.0, 1.0], a)):
        assert crossed.dtype == np.bool_
        assert crossed.index.equals(index)
    assert crosses_above(a, 2.0).name == "crosses_above"
    assert crosses_above(a, 2.0).tolist() == [False, False, True]


def test_previous_looks_back_and_never_ahead() -> None:
    np.testing.assert_array_equal(previous([1, 2, 3, 4], 2), [np.nan, np.nan, 1, 2])
    np.testing.assert_array_equal(previous([1.0, np.nan, 3.0]), [np.nan, 1.0, np.nan])
    np.testing.assert_array_equal(previous([1.0, 2.0], 5), [np.nan, np.nan])
    assert previous([]).shape == (0,)
    shifted = previous(pd.Series([1.0, 2.0], index=[7, 8], name="x"))
    assert shifted.name == "previous_1"
    assert shifted.index.tolist() == [7, 8]
