"""What every indicator promises: no look-ahead, missing values, warm-up, flat series, arrays and pandas in and out."""

from __future__ import annotations

import ast
import inspect

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.indicators.catalog import BAR, CASES, PRICES, Case, assert_same_bits, market, tables, whole_rows
from tests.indicators.traits import TRAITS
from workbench import indicators
from workbench.indicators.indicator import GROUPS, INPUTS

every = pytest.mark.parametrize("case", CASES, ids=repr)

PLAIN = {"crosses_above", "crosses_below", "previous"}  # no indicators, but what rules say about lines


def test_every_registered_indicator_is_a_public_function() -> None:
    public = {name for name in indicators.__all__ if inspect.isfunction(getattr(indicators, name))}
    doors = {"compute", "get", "names", "register", "stream", "unregister"}
    assert {case.name for case in CASES} == public - PLAIN - doors
    assert set(TRAITS) <= {case.name for case in CASES}


def test_the_lists_of_public_names_agree() -> None:
    seen = [(f"workbench.indicators.{module}", name) for module, names in indicators._NAMES.items() for name in names]
    tree = ast.parse(inspect.getsource(indicators))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = [(node.module, alias.name) for node in block.body for alias in node.names]  # type: ignore[attr-defined]
    assert sorted(typed) == sorted(seen)
    assert sorted(indicators.__all__) == sorted(name for _, name in seen)
    assert not {name for _, name in seen} & set(indicators._NAMES), "a module would hide the function of its name"


@every
def test_the_entry_says_what_the_function_does(case: Case) -> None:
    indicator = case.indicator
    assert set(indicator.inputs) <= set(INPUTS)
    bars = [name for name in indicator.inputs if name in ("open", *BAR, "volume")]
    assert bars == [name for name in ("open", *BAR, "volume") if name in bars], "in the order of a bar"
    assert indicator.group in GROUPS
    assert indicator.source.strip()
    assert indicator.summary.endswith(".")
    assert len(indicator.first(*indicator.parameters())) == len(indicator.outputs)
    numbers = [name for name, value in indicator.defaults.items() if type(value) in (int, float)]
    assert set(indicator.bounds) == set(numbers), "every number has bounds"
    for name, (low, high) in indicator.bounds.items():
        assert low <= indicator.defaults[name] <= high
        assert type(indicator.defaults[name]) is float or (int(low), int(high)) == (low, high)


@every
def test_the_docstring_has_every_section(case: Case) -> None:
    text = case.function.__doc__ or ""
    for section in ("Parameters", "Returns", "Raises", "Notes", "Examples"):
        assert f"\n    {section}\n    ---" in text, section
    assert "irst " in text and "at index" in text, "names its warm-up"
    assert "missing" in text, "says what a missing value does"


@every
@settings(max_examples=15)
@given(data=tables(), cut=st.integers(0, 60))
def test_a_longer_history_changes_nothing_said_before(case: Case, data: dict[str, np.ndarray], cut: int) -> None:
    for full, short in zip(case(data), case({name: column[:cut] for name, column in data.items()}), strict=True):
        assert_same_bits(full[:cut], short)


@every
@settings(max_examples=15)
@given(data=tables())
def test_a_stream_gives_the_bits_of_the_whole_series(case: Case, data: dict[str, np.ndarray]) -> None:
    for whole, told in zip(case(data), case.streamed(data) or case(data), strict=True):
        assert_same_bits(told, whole)


@every
def test_a_stream_that_outgrows_its_room_gives_the_bits_of_the_whole_series(case: Case) -> None:
    data = market(700)
    for name in case.columns:
        data[name][[130, 500]] = np.nan
    for whole, told in zip(case(data), case.streamed(data), strict=True):
        assert_same_bits(told, whole)


@every
@settings(max_examples=10)
@given(data=tables())
def test_each_stretch_between_missing_values_is_as_if_alone(case: Case, data: dict[str, np.ndarray]) -> None:
    if not case.traits.restarts:
        return
    whole = whole_rows(case, data)
    results = case(data)
    for result in results:
        assert np.isnan(result[~whole]).all()
    edges = np.flatnonzero(np.diff(whole, prepend=False, append=False))
    for first, stop in zip(edges[::2], edges[1::2], strict=True):
        alone = case({name: column[first:stop] for name, column in data.items()})
        for result, part in zip(results, alone, strict=True):
            assert_same_bits(result[first:stop], part)


@every
@pytest.mark.parametrize("small", [True, False])
def test_the_first_value_is_where_it_is_said_and_none_is_missing_after_it(case: Case, small: bool) -> None:
    parameters = case.parameters if small else case.indicator.parameters()
    expected = case.indicator.first(*parameters)
    bars = max(expected) + 200
    for result, first in zip(case(market(bars), parameters), expected, strict=True):
        there = np.isfinite(result)
        if case.traits.holes:
            assert not there[:first].any()
            assert there[first:].any()
        else:
            np.testing.assert_array_equal(there, np.arange(bars) >= first)


@every
def test_leading_missing_values_are_skipped(case: Case) -> None:
    data = market(120)
    late = {name: np.concatenate([np.full(11, np.nan), column]) for name, column in data.items()}
    for result, plain in zip(case(late), case(data), strict=True):
        assert_same_bits(result[11:], plain)
        assert np.isnan(result[:11]).all()


@every
def test_a_series_shorter_than_the_warm_up_gives_nan_alone(case: Case) -> None:
    for result in case(market(0)):
        assert result.shape == (0,)
    long = case.with_lengths(1_000, 1_001, 1_002)
    for result, first in zip(case(market(50), long), case.indicator.first(*long), strict=True):
        assert result.shape == (50,)
        assert np.isnan(result[: min(first, 50)]).all()


@every
def test_the_longest_length_is_no_burden(case: Case) -> None:
    long = case.with_lengths(2**31 - 2, 2**31 - 1)
    if not case.lengths or not case.traits.longest:
        return
    for result, first in zip(case(market(20), long), case.indicator.first(*long), strict=True):
        assert np.isnan(result[: min(first, 20)]).all()


@every
@settings(max_examples=10)
@given(price=st.floats(1e-9, 1e9), bars=st.integers(1, 60))
def test_a_flat_series_gives_finite_numbers_and_exactly_what_is_documented(case: Case, price: float, bars: int) -> None:
    data = {**market(bars), **dict.fromkeys(PRICES, np.full(bars, price)), "volume": np.full(bars, 7.0)}
    results, firsts = case(data), case.indicator.first(*case.parameters)
    if case.traits.flat is None:
        for result, first in zip(results, firsts, strict=True):
            assert case.traits.holes or np.isfinite(result[first:]).all()
        return
    for result, expected, first in zip(results, case.traits.flat, firsts, strict=True):
        np.testing.assert_array_equal(result[first:], price if expected is None else expected)


@every
def test_a_flat_stretch_is_exact_whatever_came_before(case: Case) -> None:
    if not case.traits.forgets or case.traits.flat is None:
        return
    data = {name: np.concatenate([1e6 * column, np.full(40, 0.1)]) for name, column in market(500).items()}
    for result, expected in zip(case(data), case.traits.flat, strict=True):
        assert (result[-20:] == (0.1 if expected is None else expected)).all()


@every
@pytest.mark.parametrize("factor", [2.0**20, 2.0**-60])
def test_prices_in_another_currency_scale_the_lines_of_price_and_leave_the_rest(case: Case, factor: float) -> None:
    if case.scales == "no":
        return
    data = market(200)
    dear = {name: factor * column if name in PRICES else column for name, column in data.items()}
    for result, scaled in zip(case(data), case(dear), strict=True):
        assert_same_bits(scaled, result if case.scales == "ratio" else factor * result)


@every
def test_nothing_is_carried_across_a_missing_value(case: Case) -> None:
    if not case.traits.restarts:
        return
    data, before = market(120), market(40, seed=9)
    joined = {name: np.concatenate([1e15 * before[name], [np.nan], column]) for name, column in data.items()}
    for result, alone in zip(case(joined), case(data), strict=True):
        assert_same_bits(result[41:], alone)


@every
def test_series_give_series_on_the_same_index_with_the_same_values(case: Case) -> None:
    data = market(60)
    frame = pd.DataFrame(data, index=pd.date_range("2024-01-01", periods=60, freq="h", tz="UTC"))
    names = set()
    for series, array in zip(case(frame), case(data), strict=True):
        assert isinstance(series, pd.Series)
        assert series.index is frame.index or series.index.equals(frame.index)
        assert series.dtype == np.float64
        assert_same_bits(series.to_numpy(), array)
        assert str(series.name).startswith(case.name)
        names.add(series.name)
    assert len(names) == len(case(data))


def test_series_are_named_after_the_indicator_the_line_and_the_parameters() -> None:
    frame = pd.DataFrame(market(60))
    high, low, close = frame["high"], frame["low"], frame["close"]
    assert indicators.rsi(close).name == "rsi_14"
    assert indicators.true_range(high, low, close).name == "true_range"
    assert [line.name for line in indicators.macd(close)] == [
        "macd_12_26_9",
        "macd_signal_12_26_9",
        "macd_histogram_12_26_9",
    ]
    assert indicators.bollinger(close, 20, 2.5).upper.name == "bollinger_upper_20_2.5"
    assert indicators.adx(high, low, close).plus_di.name == "adx_plus_di_14"


def test_several_outputs_have_names() -> None:
    data = market(60)
    high, low, close = data["high"], data["low"], data["close"]
    assert indicators.macd(close)._fields == ("macd", "signal", "histogram")
    assert indicators.bollinger(close)._fields == ("upper", "middle", "lower")
    assert indicators.donchian(high, low)._fields == ("upper", "middle", "lower")
    assert indicators.stochastic(high, low, close)._fields == ("k", "d")
    assert indicators.adx(high, low, close)._fields == ("adx", "plus_di", "minus_di")


@every
def test_one_series_among_arrays_gives_its_index(case: Case) -> None:
    data = market(40)
    index = pd.RangeIndex(100, 140)
    mixed = {**data, "low": list(data["low"]), case.columns[-1]: pd.Series(data[case.columns[-1]], index)}
    for line, array in zip(case(mixed), case(data), strict=True):
        assert line.index.equals(index)
        assert_same_bits(line.to_numpy(), array)


@pytest.mark.parametrize(
    "kind", ["Float64", "Int64", "float32", "int16", "object", "double[pyarrow]", "int32[pyarrow]"]
)
def test_numbers_of_any_kind_are_taken_and_their_missing_value_is_missing(kind: str) -> None:
    if kind in ("float32", "int16"):
        series = pd.Series([3, 1, 2, 7, 5], dtype=kind)
        np.testing.assert_array_equal(indicators.highest(series, 2), [np.nan, 3, 2, 7, 7])
    else:
        series = pd.Series([3, 1, None, 7, 5], dtype=kind)
        np.testing.assert_array_equal(indicators.highest(series, 2), [np.nan, 3, np.nan, np.nan, 7])


def test_lists_masked_strided_and_read_only_arrays_are_taken() -> None:
    plain = indicators.sma([3.0, 1.0, 2.0, 7.0], 2)
    np.testing.assert_array_equal(plain, [np.nan, 2.0, 1.5, 4.5])
    strided = np.repeat([3.0, 1.0, 2.0, 7.0], 2)[::2]
    np.testing.assert_array_equal(indicators.sma(strided, 2), plain)
    strided.flags.writeable = False
    np.testing.assert_array_equal(indicators.sma(strided, 2), plain)
    np.testing.assert_array_equal(indicators.sma((3, 1, None, 7, 5), 2), [np.nan, 2.0, np.nan, np.nan, 6.0])
    masked = np.ma.masked_array([3, 1, 99, 7, 5], mask=[0, 0, 1, 0, 0])
    np.testing.assert_array_equal(indicators.sma(masked, 2), [np.nan, 2.0, np.nan, np.nan, 6.0])


@every
def test_the_input_is_left_alone_and_the_output_is_the_users_own(case: Case) -> None:
    data = market(40)
    before = {name: column.copy() for name, column in data.items()}
    for result in case(data):
        assert result.flags.writeable
        result[:] = -1.0
    for name, column in data.items():
        assert column.flags.writeable
        np.testing.assert_array_equal(column, before[name])
