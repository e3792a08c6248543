"""A wrong column or parameter: which error, and whether its message names function, parameter, value and remedy."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.indicators.catalog import CASES, Case, market
from workbench import indicators as ind
from workbench.errors import DataError, StrategyError

every = pytest.mark.parametrize("case", CASES, ids=repr)
LINE = np.linspace(1.0, 2.0, 30)
TOO_LONG = f"{2**31 - 1}"


@every
@pytest.mark.parametrize("value", [0, -3, 2.5, 14.0, "14", None, True, math.nan, 2**31, 10**30, [5]])
def test_a_length_that_is_no_number_of_bars(case: Case, value: Any) -> None:
    for place in case.lengths:
        parameters = list(case.parameters)
        parameters[place] = value
        with pytest.raises(StrategyError, match=rf"^{case.name}: \w+ is .*; give a whole number of bars") as caught:
            case(market(30), tuple(parameters))
        assert repr(value) in str(caught.value)
        assert caught.value.fields["function"] == case.name
        assert caught.value.fields["value"] is value


def test_a_float_that_is_whole_is_told_how_to_be_written() -> None:
    with pytest.raises(StrategyError, match=rf"^rsi: length is 14\.0; .* from 1 to {TOO_LONG} \(write 14\)$"):
        ind.rsi(LINE, 14.0)  # type: ignore[arg-type]


def test_integers_of_numpy_are_whole_numbers() -> None:
    np.testing.assert_array_equal(ind.sma(LINE, np.int32(5)), ind.sma(LINE, 5))


@pytest.mark.parametrize("value", [0, -2.0, math.nan, math.inf, "2", None, True])
def test_a_band_width_that_is_no_positive_number(value: Any) -> None:
    with pytest.raises(StrategyError, match=r"^bollinger: deviations is .*; give a finite number above 0$"):
        ind.bollinger(LINE, 5, value)


@pytest.mark.parametrize(("fast", "slow"), [(26, 12), (12, 12)])
def test_macd_with_a_fast_length_that_is_not_the_smaller(fast: int, slow: int) -> None:
    with pytest.raises(StrategyError, match=rf"^macd: fast is {fast} and slow is {slow}; give a fast length below"):
        ind.macd(LINE, fast, slow)


def test_previous_cannot_look_ahead() -> None:
    with pytest.raises(StrategyError, match=r"^previous: bars is -1; give a whole number of bars from 1"):
        ind.previous(LINE, -1)


@every
def test_a_column_of_another_length(case: Case) -> None:
    for name in case.columns[1:]:
        data = market(30)
        data[name] = data[name][:-1]
        with pytest.raises(
            DataError, match=rf"^{case.name}: {case.columns[0]} has 30 values and {name} has 29; give columns of the"
        ):
            case(data)


@every
def test_a_column_with_two_dimensions(case: Case) -> None:
    for name in case.columns:
        data: dict[str, Any] = market(30)
        data[name] = np.ones((30, 2))
        with pytest.raises(DataError, match=rf"^{case.name}: \w+ has shape \(30, 2\); give one column of numbers"):
            case(data)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        (3.0, r"is the single value 3\.0; give one column"),
        (None, r"is the single value None; give one column"),
        ("12", r"is the single value '12'; give one column"),
        (["a", "b"], r"holds values of type <U1, such as .*'a'.*; give numbers, for example close\.astype\(float\)"),
        (["1.5", None], r"holds values of type object, such as '1\.5'; give numbers"),
        ([object()], r"holds values of type object, such as <object"),
        ([True, False], r"holds values of type bool"),
        ([1j], r"holds values of type complex128"),
        (np.array(["2024-01-01"], dtype="datetime64[D]"), r"holds values of type datetime64"),
        ([[1.0], [1.0, 2.0]], r"has rows of different lengths"),
        (pd.Series(["a"]), r"holds values of type str"),
        (pd.Series([1, 2], dtype="category"), r"holds values of type category"),
        (pd.Series([True, None], dtype="boolean"), r"holds values of type boolean"),
        (pd.Series(pd.to_datetime(["2024-01-01"], utc=True)), r"holds values of type datetime64"),
        (pd.DataFrame({"x": LINE}), r"has shape \(30, 1\); give one column"),
        (pd.DataFrame({"high": LINE, "close": LINE}), r"is a DataFrame; give one of its columns, as bars\.close"),
        (SimpleNamespace(high=LINE, close=LINE), r"is a SimpleNamespace; give one of its columns, as bars\.close"),
        (np.array([]).astype(str), r"holds values of type <U\d+; give numbers"),
    ],
)  # fmt: skip
def test_a_column_that_is_not_one_column_of_numbers(values: Any, complaint: str) -> None:
    with pytest.raises(DataError, match=rf"^rsi: close {complaint}") as caught:
        ind.rsi(values)
    assert caught.value.fields["parameter"] == "close"


@every
def test_series_on_different_indexes(case: Case) -> None:
    frame = pd.DataFrame(market(30))
    for name in case.columns[1:]:
        data = {**{column: frame[column] for column in frame}, name: frame[name].set_axis(range(1, 31))}
        with pytest.raises(
            DataError, match=rf"^{case.name}: the Series \w+ and \w+ have different indexes; align them"
        ):
            case(data)


@pytest.mark.parametrize("function", [ind.crosses_above, ind.crosses_below])
def test_lines_that_cannot_cross(function: Any) -> None:
    name = function.__name__
    with pytest.raises(DataError, match=rf"^{name}: a has 30 values and b has 2; give columns of the same bars"):
        function(LINE, [1.0, 2.0])
    with pytest.raises(DataError, match=rf"^{name}: a is the single value 30; give one column of numbers"):
        function(30, LINE)
    with pytest.raises(DataError, match=rf"^{name}: b is the single value None; give one column of numbers"):
        function(LINE, None)
    with pytest.raises(DataError, match=rf"^{name}: b is the single value True"):
        function(LINE, True)
    with pytest.raises(DataError, match=rf"^{name}: the Series a and b have different indexes"):
        function(pd.Series(LINE), pd.Series(LINE, index=range(1, 31)))
