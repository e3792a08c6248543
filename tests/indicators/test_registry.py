"""Finding indicators by name, computing and streaming them, and taking the user's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.indicators.catalog import assert_same_bits, market
from workbench.errors import DataError, StrategyError
from workbench.indicators import registry
from workbench.indicators.indicator import GROUPS


def midpoint(high: Any, low: Any, share: float = 0.5) -> Any:
    """A point between high and low."""
    return low + share * (high - low)


def test_an_indicator_is_found_by_its_name() -> None:
    assert wb.indicators.get("rsi").function is wb.indicators.rsi
    assert wb.indicators.get("macd").outputs == ("macd", "signal", "histogram")


@pytest.mark.parametrize("name", ["rsl", "RSI", "", 3, None])
def test_an_unknown_name_is_told_with_the_nearest(name: Any) -> None:
    hint = r"did you mean .*rsi" if name == "rsl" else r".*"
    with pytest.raises(StrategyError, match=rf"^there is no indicator {name!r}; {hint}"):
        registry.get(name)


def test_names_are_listed_by_group() -> None:
    assert registry.names() == tuple(name for group in GROUPS for name in registry.names(group))
    assert registry.names("user") == ()
    with pytest.raises(StrategyError, match=r"^there is no group 'trends' of indicators; there are trend, momentum"):
        registry.names("trends")


def test_compute_finds_the_columns_in_whatever_has_them(lake: wb.Lake) -> None:
    bars = lake.read("BTC/USDT", "1h")[:200]
    expected = wb.indicators.atr(bars.high, bars.low, bars.close, 7)
    frame = pd.DataFrame({"high": bars.high, "low": bars.low, "close": bars.close})
    np.testing.assert_array_equal(wb.indicators.compute("atr", bars, length=7), expected)
    np.testing.assert_array_equal(wb.indicators.compute("atr", dict(frame), length=7), expected)
    assert wb.indicators.compute("atr", frame, length=7).name == "atr_7"
    np.testing.assert_array_equal(wb.indicators.compute("sma", bars), wb.indicators.sma(bars.close))
    np.testing.assert_array_equal(wb.indicators.compute("sma", bars.high), wb.indicators.sma(bars.high))
    both = {"values": bars.high, "close": bars.close}
    np.testing.assert_array_equal(wb.indicators.compute("sma", both), wb.indicators.sma(bars.high))


def test_compute_without_a_column_that_is_read() -> None:
    with pytest.raises(DataError, match=r"^atr: there is no column 'low'; it reads high, low, close$"):
        registry.compute("atr", {"high": [1.0], "close": [1.0]})
    with pytest.raises(StrategyError, match=r"^sma: parameter 'size' is not what it takes: length$"):
        registry.compute("sma", [1.0], size=3)


def test_a_stream_is_told_rows() -> None:
    stream = wb.indicators.stream("macd", fast=2, slow=3, signal=2)
    close = market(30)["close"]
    last = [stream.update(value) for value in close][-1]
    assert last == tuple(line[-1] for line in wb.indicators.macd(close, 2, 3, 2))
    assert len(stream) == 30
    with pytest.raises(DataError, match=r"^macd: a row of 2 numbers; it takes close$"):
        stream.update(1.0, 2.0)


def test_a_users_function_is_found_until_the_block_ends() -> None:
    data = market(50)
    with wb.indicators.register(midpoint, bounds={"share": (0.0, 1.0)}) as indicator:
        assert registry.names("user") == ("midpoint",)
        assert "midpoint" in registry.names()
        assert (indicator.inputs, indicator.summary) == (("high", "low"), "A point between high and low.")
        assert indicator.source == f"the user's own: {__name__}.midpoint"
        given = wb.indicators.compute("midpoint", pd.DataFrame(data), share=0.25)
        assert given.name == "midpoint_0.25"
        np.testing.assert_array_equal(given, midpoint(data["high"], data["low"], 0.25))
    assert registry.names("user") == ()
    with pytest.raises(StrategyError, match="there is no indicator 'midpoint'"):
        registry.get("midpoint")


def test_a_users_function_streams_with_the_same_bits_and_its_warm_up_is_measured() -> None:
    def trailing(close: Any, length: int = 5) -> Any:
        return pd.Series(close).rolling(length).mean()

    data = market(60)
    with registry.register(trailing) as indicator:
        assert indicator.first(5) == (4,)
        assert indicator.first(100) == (99,)
        stream = registry.stream("trailing", length=3)
        told = np.array([stream.update(value) for value in data["close"]])
        assert_same_bits(told, indicator(data["close"], 3))


def test_several_outputs_have_the_users_names() -> None:
    def envelope(close: Any, width: float = 0.1) -> Any:
        return close * (1.0 + width), close * (1.0 - width)

    with registry.register(envelope, outputs=("upper", "lower"), group="volatility") as indicator:
        result = indicator([100.0])
        assert (result._fields, result.upper[0]) == (("upper", "lower"), pytest.approx(110.0))
        assert "envelope" in registry.names("volatility")
        assert registry.stream("envelope").update(10.0).lower == pytest.approx(9.0)


def test_a_name_that_is_taken_is_refused_unless_it_is_to_be_replaced() -> None:
    def rsi(close: Any, length: int = 14) -> Any:
        return close

    with pytest.raises(StrategyError, match=r"^there is an indicator 'rsi' already; rename the function, or say"):
        registry.register(rsi)
    with registry.register(rsi, replace=True):
        assert registry.get("rsi").function is rsi
        assert registry.names().count("rsi") == 1
    assert registry.get("rsi").function is wb.indicators.rsi


def test_unregister_forgets() -> None:
    registry.register(midpoint)
    registry.unregister("midpoint")
    with pytest.raises(StrategyError, match=r"^'midpoint' is no registered indicator of the user's own: none is"):
        registry.unregister("midpoint")


def test_a_function_that_cannot_be_an_indicator() -> None:
    def price(prices: Any) -> Any:
        return prices

    with pytest.raises(StrategyError, match=r"^price: 'prices' is no input; name the arrays among values, open"):
        registry.register(price)
    with pytest.raises(StrategyError, match=r"^none: there is no input; name the arrays among"):
        registry.register(_named("none", lambda length=3: length))
    with pytest.raises(StrategyError, match=r"has no name to be found by"):
        registry.register(lambda close: close)
    with pytest.raises(StrategyError, match=r"^midpoint: the bounds 1\.0 to 2\.0 of 'share' do not hold its default"):
        registry.register(midpoint, bounds={"share": (1.0, 2.0)})


@pytest.mark.parametrize(
    ("gives", "complaint"),
    [
        (lambda close: close[1:], r"it gave shape \(4,\) for 5 rows; give one value a row"),
        (lambda close: 1.0, r"it gave shape \(\) for 5 rows"),
        (lambda close: "up", r"it gave str, not an array of numbers"),
        (lambda close: None, r"it gave shape \(\) for 5 rows"),
        (lambda close: np.zeros((5, 2)), r"it gave shape \(5, 2\) for 5 rows"),
    ],
)
def test_a_function_that_gives_something_else_is_told_so(gives: Any, complaint: str) -> None:
    with (
        registry.register(_named("mine", gives), first=lambda: (0,)),
        pytest.raises(DataError, match=rf"^mine: {complaint}"),
    ):
        registry.compute("mine", [1.0, 2.0, 3.0, 4.0, 5.0])


def test_a_function_that_changes_what_it_is_given_changes_a_copy() -> None:
    def greedy(close: Any) -> Any:
        close[:] = 0.0
        return close

    close = np.ones(5)
    with registry.register(greedy):
        registry.compute("greedy", close)
    np.testing.assert_array_equal(close, 1.0)


@pytest.mark.parametrize("share", ["half", None, True, float("nan")])
def test_a_parameter_is_of_the_kind_of_its_default(share: Any) -> None:
    with (
        registry.register(midpoint) as indicator,
        pytest.raises(StrategyError, match=r"^midpoint: share is .*; give float, as its default 0\.5$"),
    ):
        indicator.parameters(share=share)


def _named(name: str, function: Any) -> Any:
    function.__name__ = name
    return function
