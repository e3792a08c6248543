"""What every indicator promises: no look-ahead, missing values, warm-up, flat series, arrays and pandas in and out."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.indicators.catalog import CASES, NOT_CASES, Case, assert_same_bits, market, tables, whole_rows
from workbench import indicators

every = pytest.mark.parametrize("case", CASES, ids=repr)


def test_every_public_indicator_is_in_the_catalog() -> None:
    assert {case.name for case in CASES} | NOT_CASES == set(indicators.__all__)


def test_all_take_columns_first_and_then_parameters_and_say_what_they_do() -> None:
    columns = {"a", "b", "close", "high", "low", "values"}
    for name in indicators.__all__:
        function = getattr(indicators, name)
        names = list(inspect.signature(function).parameters)
        taken = [parameter for parameter in names if parameter in columns]
        assert names[: len(taken)] == taken, name
        assert [c for c in ("high", "low", "close") if c in taken] == [
            c for c in taken if c in ("high", "low", "close")
        ]
        for section in ("Parameters", "Returns", "Raises", "Notes", "Examples"):
            assert f"\n    {section}\n    ---" in function.__doc__, f"{name}: {section}"
        if name not in ("crosses_above", "crosses_below", "previous"):
            assert "irst " in function.__doc__ and "at index" in function.__doc__, f"{name} names its warm-up"
            assert "missing value" in function.__doc__ or "is missing" in function.__doc__, name


@every
@settings(max_examples=60)
@given(data=tables(), cut=st.integers(0, 60))
def test_a_longer_history_changes_nothing_said_before(case: Case, data: dict[str, np.ndarray], cut: int) -> None:
    for full, short in zip(case(data), case({name: column[:cut] for name, column in data.items()}), strict=True):
        assert_same_bits(full[:cut], short)


@every
@settings(max_examples=60)
@given(data=tables())
def test_each_stretch_between_missing_values_is_as_if_alone(case: Case, data: dict[str, np.ndarray]) -> None:
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
@pytest.mark.parametrize("factor", [1, 7])
def test_the_first_value_is_where_the_docstring_says_and_none_is_missing_after_it(case: Case, factor: int) -> None:
    lengths = tuple(factor * length for length in case.lengths)
    expected = case.first(*lengths)
    for result, first in zip(case(market(300), lengths=lengths), expected, strict=True):
        np.testing.assert_array_equal(np.isfinite(result), np.arange(300) >= first)


@every
def test_leading_missing_values_are_skipped(case: Case) -> None:
    data = market(80)
    late = {name: np.concatenate([np.full(11, np.nan), column]) for name, column in data.items()}
    for result, plain in zip(case(late), case(data), strict=True):
        assert_same_bits(result[11:], plain)
        assert np.isnan(result[:11]).all()


@every
def test_a_series_shorter_than_the_warm_up_gives_nan_alone(case: Case) -> None:
    lengths = tuple(1_000 + i for i in range(len(case.lengths)))
    for result in case(market(50), lengths=lengths) if lengths else ():
        assert result.shape == (50,)
        assert np.isnan(result).all()
    for result in case({name: np.empty(0) for name in ("high", "low", "close")}):
        assert result.shape == (0,)


@every
@pytest.mark.parametrize("longest", [2**31 - 1])
def test_the_longest_length_is_no_burden(case: Case, longest: int) -> None:
    lengths = (longest - 1, *[longest] * (len(case.lengths) - 1)) if case.lengths else ()
    for result in case(market(20), lengths=lengths) if lengths else ():
        assert np.isnan(result).all()


@every
@settings(max_examples=30)
@given(price=st.floats(1e-9, 1e9), bars=st.integers(1, 60))
def test_a_flat_series_gives_exactly_what_is_documented(case: Case, price: float, bars: int) -> None:
    data = dict.fromkeys(("high", "low", "close"), np.full(bars, price))
    follows_price = case.name in {"sma", "ema", "wilder", "highest", "lowest", "bollinger", "donchian"}
    for result, expected, first in zip(case(data), case.flat, case.first(*case.lengths), strict=True):
        assert (result[first:] == (price if follows_price else expected)).all()


@every
def test_a_flat_stretch_is_exact_whatever_came_before(case: Case) -> None:
    window = {"sma", "standard_deviation", "highest", "lowest", "rate_of_change", "bollinger", "donchian", "stochastic"}
    wild = market(500)
    data = {name: np.concatenate([1e6 * column, np.full(40, 0.1)]) for name, column in wild.items()}
    if case.name in window:
        follows_price = case.name in {"sma", "highest", "lowest", "bollinger", "donchian"}
        for result, expected in zip(case(data), case.flat, strict=True):
            assert (result[-20:] == (0.1 if follows_price else expected)).all()


@every
@pytest.mark.parametrize("factor", [2.0**20, 2.0**-60])
def test_prices_in_another_currency_scale_the_lines_of_price_and_leave_the_rest(case: Case, factor: float) -> None:
    ratio = {"rate_of_change", "rsi", "stochastic", "adx"}
    data = market(200)
    for result, scaled in zip(case(data), case({n: factor * c for n, c in data.items()}), strict=True):
        assert_same_bits(scaled, result if case.name in ratio else factor * result)


@every
def test_nothing_is_carried_across_a_missing_value(case: Case) -> None:
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
