"""Swings, bar ranges and levels: published figures, and cases made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.indicators.real import bars
from workbench.errors import StrategyError
from workbench.indicators.bar_ranges import gap, inside_bar, narrow_range, outside_bar
from workbench.indicators.levels import pivot_points
from workbench.indicators.swings import fractals, heikin_ashi, zigzag

BTC = bars("binance_BTC-USDT_1h")
HIGH, LOW, CLOSE = (BTC[name][:5_000] for name in ("high", "low", "close"))


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    """Bars and what Stock.Indicators publishes for them; the file names its source."""
    return pd.read_csv(Path(__file__).parent / "stock_indicators_flow.csv", comment="#", index_col="row")


def test_averaged_candles_are_those_published(published: pd.DataFrame) -> None:
    candles = heikin_ashi(*(published[name] for name in ("open", "high", "low", "close")))
    for name in candles._fields:
        np.testing.assert_allclose(getattr(candles, name), published[f"heikin_ashi_{name}"], rtol=1e-11)


def test_levels_are_those_published(published: pd.DataFrame) -> None:
    levels = pivot_points(published["high"], published["low"], published["close"], 20)
    for name in levels._fields:
        expected = published["pivot" if name == "pivot" else f"pivot_{name}"]
        np.testing.assert_array_equal(getattr(levels, name).isna(), expected.isna())
        np.testing.assert_allclose(getattr(levels, name), expected, rtol=1e-11)


def test_fractals_are_those_published_on_the_bar_that_confirms_them(published: pd.DataFrame) -> None:
    swings = fractals(published["high"], published["low"], 2)
    # what the last two rows of the table show is confirmed by bars that the table no longer has
    top, bottom = published["fractal_top"].notna().shift(2), published["fractal_bottom"].notna().shift(2)
    np.testing.assert_array_equal(swings.top[4:] == 1.0, top[4:])
    np.testing.assert_array_equal(swings.bottom[4:] == 1.0, bottom[4:])
    assert swings.top.sum() > 3
    assert list(np.flatnonzero(swings.top.isna())) == [0, 1, 2, 3]


def test_a_zigzag_turns_only_after_the_price_has_turned() -> None:
    swings = zigzag(HIGH, LOW, 0.03)
    turns = np.flatnonzero(np.diff(swings.direction)) + 1
    assert len(turns) > 20
    for before, turn in zip([0, *turns], turns, strict=False):
        if swings.direction[turn] == -1.0:
            assert swings.pivot[turn] == HIGH[before:turn].max()
            assert LOW[turn] <= 0.97 * swings.pivot[turn]
        else:
            assert swings.pivot[turn] == LOW[before:turn].min()
            assert HIGH[turn] >= 1.03 * swings.pivot[turn]
    assert (swings.pivot[turns[0] - 1 :: -1] == 0.5 * (HIGH[0] + LOW[0])).all()


def test_a_zigzag_waits_for_the_whole_change() -> None:
    price = [100.0, 110.0, 105.0, 99.1, 98.9, 108.0, 109.0]
    swings = zigzag(price, price, 0.1)
    np.testing.assert_array_equal(swings.direction, [0.0, 1.0, 1.0, 1.0, -1.0, -1.0, 1.0])
    np.testing.assert_array_equal(swings.pivot, [100.0, 100.0, 100.0, 100.0, 110.0, 110.0, 98.9])


def test_ranges_are_compared_with_the_bar_before() -> None:
    top, bottom = HIGH[1:], LOW[1:]
    np.testing.assert_array_equal(inside_bar(HIGH, LOW)[1:], (top < HIGH[:-1]) & (bottom > LOW[:-1]))
    np.testing.assert_array_equal(outside_bar(HIGH, LOW)[1:], (top > HIGH[:-1]) & (bottom < LOW[:-1]))
    jumps = np.maximum(bottom / HIGH[:-1] - 1.0, 0.0) + np.minimum(top / LOW[:-1] - 1.0, 0.0)
    np.testing.assert_allclose(gap(HIGH, LOW)[1:], jumps, atol=1e-15)
    ranges = np.lib.stride_tricks.sliding_window_view(HIGH - LOW, 7)
    np.testing.assert_array_equal(narrow_range(HIGH, LOW)[6:], ranges[:, -1] < ranges[:, :-1].min(axis=1))


def test_kinds_of_levels_differ_in_what_they_add() -> None:
    high, low, close = [6.0, 9.0], [3.0, 9.0], [4.5, 9.0]
    fibonacci = pivot_points(high, low, close, 1, "fibonacci")
    camarilla = pivot_points(high, low, close, 1, "camarilla")
    np.testing.assert_allclose([line[1] for line in fibonacci], [4.5, 5.646, 6.354, 7.5, 3.354, 2.646, 1.5])
    np.testing.assert_allclose([line[1] for line in camarilla], [4.5, 4.775, 5.05, 5.325, 4.225, 3.95, 3.675])


def test_a_kind_of_levels_that_is_not_known_is_refused() -> None:
    with pytest.raises(StrategyError, match="pivot_points: kind is 'woodie'; give one of classic, fibonacci, camaril"):
        pivot_points(HIGH, LOW, CLOSE, 5, "woodie")
