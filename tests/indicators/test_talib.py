"""Our numbers equal TA-Lib's wherever the two have an indicator in common, on every bundled series."""

from __future__ import annotations

import numpy as np
import pytest
import talib

import workbench as wb
from tests.indicators.catalog import market
from tests.indicators.talib_pairs import NOT_IN_COMMON, PAIRS, Pair, Prices
from workbench.indicators import registry

SERIES = (
    ("BTC/USDT", "1h"), ("EUR/USD", "1h"), ("GOOGL", "1d"), ("KO", "1d"), ("SPX", "1d"), ("WTI", "1d"),
)  # fmt: skip
COLUMNS = ("open", "high", "low", "close", "volume")

every = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)


@pytest.fixture(scope="module", params=[*SERIES, "made"], ids=lambda one: one if isinstance(one, str) else one[0])
def prices(request: pytest.FixtureRequest, lake: wb.Lake) -> Prices:
    if request.param == "made":
        return market(3_000, seed=2)
    bars = lake.read(*request.param)[:6_000]
    there = np.logical_and.reduce([np.isfinite(getattr(bars, name)) for name in COLUMNS[:4]])
    return {name: np.array(getattr(bars, name), dtype=float)[there] for name in COLUMNS}


@every
def test_equal_to_talib_after_the_warm_up(prices: Prices, pair: Pair) -> None:
    counted = np.ones(len(prices["close"]), dtype=bool)
    if pair.uncounted is not None:
        counted = ~pair.uncounted(prices)
    compared = 0
    for ours, theirs in zip(pair.call_ours(prices), pair.call_theirs(prices), strict=True):
        there = np.isfinite(theirs)
        if theirs.dtype.kind != "f":
            there = np.isfinite(ours)
        rows = counted & there & (np.arange(len(theirs)) >= int(np.argmax(there)) + pair.fades)
        expected = theirs[rows].astype(float)
        compared += len(expected)
        scale = np.median(np.abs(expected)) if len(expected) else 0.0
        np.testing.assert_allclose(ours[rows], expected, rtol=1e-9, atol=1e-9 * scale)
    assert compared or not counted.any() or len(prices["close"]) < pair.fades + 500


@pytest.mark.parametrize("pair", [pair for pair in PAIRS.values() if not pair.fades], ids=lambda pair: pair.ours)
def test_equal_seeds_give_the_first_value_at_the_same_bar_as_talib(pair: Pair) -> None:
    prices = market(400)
    # TA-Lib holds back every line until there is the last one
    ours = [int(np.argmax(np.isfinite(line))) for line in pair.call_ours(prices)]
    theirs = [int(np.argmax(np.isfinite(line))) for line in pair.call_theirs(prices) if line.dtype.kind == "f"]
    assert not theirs or max(ours) == max(theirs)


def test_every_disagreement_has_its_reason() -> None:
    for name, pair in PAIRS.items():
        assert registry.get(pair.ours).name == pair.ours
        assert bool(pair.why) == bool(pair.fades or pair.uncounted), name


def test_what_is_compared_is_in_talib_and_what_is_not_has_its_reason() -> None:
    compared = {function for pair in PAIRS.values() for function in pair.functions}
    assert compared | set(NOT_IN_COMMON) <= set(talib.get_functions())
    assert not compared & set(NOT_IN_COMMON)


def test_every_function_of_talib_is_compared_or_has_its_reason() -> None:
    arithmetic = {"Math Operators", "Math Transform", "Price Transform"}
    theirs = {
        one for group, functions in talib.get_function_groups().items() for one in functions if group not in arithmetic
    }
    compared = {function for pair in PAIRS.values() for function in pair.functions}
    missing = sorted(theirs - compared - set(NOT_IN_COMMON))
    assert not missing, f"neither in PAIRS nor in NOT_IN_COMMON: {', '.join(missing)}"
