"""Candle patterns: the same bars as TA-Lib marks where all shapes are common, and each pattern drawn by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import talib

from tests.indicators.real import bars
from workbench.errors import StrategyError
from workbench.indicators import candle_dojis, candle_pairs, candle_shapes, candle_triples
from workbench.indicators.indicator import Indicator

MODULES = (candle_dojis, candle_pairs, candle_shapes, candle_triples)
PATTERNS = {one.name: one for module in MODULES for one in vars(module).values() if isinstance(one, Indicator)}

TALIB: dict[str, Callable[..., np.ndarray]] = {
    "belt_hold": talib.CDLBELTHOLD,
    "dark_cloud_cover": talib.CDLDARKCLOUDCOVER,
    "doji": talib.CDLDOJI,
    "dragonfly_doji": talib.CDLDRAGONFLYDOJI,
    "engulfing": talib.CDLENGULFING,
    "evening_star": talib.CDLEVENINGSTAR,
    "gravestone_doji": talib.CDLGRAVESTONEDOJI,
    "hammer": talib.CDLHAMMER,
    "hanging_man": talib.CDLHANGINGMAN,
    "harami": talib.CDLHARAMI,
    "inverted_hammer": talib.CDLINVERTEDHAMMER,
    "kicking": talib.CDLKICKING,
    "long_legged_doji": talib.CDLLONGLEGGEDDOJI,
    "marubozu": talib.CDLMARUBOZU,
    "morning_star": talib.CDLMORNINGSTAR,
    "piercing": talib.CDLPIERCING,
    "shooting_star": talib.CDLSHOOTINGSTAR,
    "spinning_top": talib.CDLSPINNINGTOP,
    "three_black_crows": talib.CDL3BLACKCROWS,
    "three_inside": talib.CDL3INSIDE,
    "three_outside": talib.CDL3OUTSIDE,
    "three_white_soldiers": talib.CDL3WHITESOLDIERS,
}


@cache
def rare_shapes() -> dict[str, np.ndarray]:
    """Candles full of what real markets seldom show: gaps, bare bodies, equal ends; on ticks that never tie a mean."""
    rng = np.random.default_rng(11)
    n = 30_000
    opens = 1_000.0 + rng.integers(-6, 7, n) + rng.random(n) * 1e-3
    close = opens + rng.integers(-6, 7, n) + rng.random(n) * 1e-3
    shadows = rng.choice([0.0, 0.0, 1.0, 7.0], (2, n)) * rng.random((2, n))
    top, bottom = np.maximum(opens, close), np.minimum(opens, close)
    return {"open": opens, "high": top + shadows[0], "low": bottom - shadows[1], "close": close}


def test_every_pattern_is_compared_but_those_that_talib_does_not_have() -> None:
    assert set(PATTERNS) - set(TALIB) == {"tweezer"}


@pytest.mark.parametrize("name", TALIB)
def test_the_flags_are_those_of_talib_where_every_shape_is_common(name: str) -> None:
    """On real series `test_talib` compares them."""
    columns = list(rare_shapes().values())
    mine, other = PATTERNS[name](*columns), np.sign(TALIB[name](*columns))
    # TA-Lib begins two of them one candle later than they need
    first = PATTERNS[name].first(*PATTERNS[name].defaults.values())[0] + (name in ("engulfing", "three_outside"))
    np.testing.assert_array_equal(mine[first:], other[first:])
    assert np.count_nonzero(other) > 5


@pytest.mark.parametrize("name", ["dark_cloud_cover", "evening_star", "morning_star"])
@pytest.mark.parametrize("penetration", [0.1, 0.8])
def test_penetration_is_that_of_talib(name: str, penetration: float) -> None:
    series = bars("binance_BTC-USDT_1h")
    columns = [series[price] for price in ("open", "high", "low", "close")]
    mine, other = PATTERNS[name](*columns, penetration), np.sign(TALIB[name](*columns, penetration=penetration))
    np.testing.assert_array_equal(mine[13:], other[13:])
    assert np.count_nonzero(other)


USUAL = (9.0, 12.0, 8.0, 11.0)  # body 2, range 4, a shadow of 1 on either end

MIRRORED = {
    "belt_hold": [(12.0, 12.0, 8.5, 9.0)],
    "engulfing": [(9.0, 10.5, 8.5, 10.0), (10.5, 11.0, 8.0, 8.5)],
    "harami": [(12.0, 13.0, 8.0, 8.0), (10.0, 11.0, 9.0, 10.5)],
    "kicking": [(9.0, 12.0, 9.0, 12.0), (8.0, 8.0, 5.0, 5.0)],
    "marubozu": [(12.0, 12.0, 9.0, 9.0)],
    "spinning_top": [(11.0, 12.5, 8.5, 10.0)],
    "three_inside": [(12.0, 13.0, 8.0, 8.0), (10.0, 11.0, 9.0, 10.5), (10.5, 13.0, 10.0, 12.5)],
    "three_outside": [(9.0, 10.5, 8.5, 10.0), (10.5, 11.0, 8.0, 8.5), (8.5, 9.0, 7.0, 7.5)],
    "tweezer": [(9.0, 12.0, 8.0, 11.5), (11.0, 12.1, 9.0, 9.5)],
}


@pytest.mark.parametrize("name", MIRRORED)
def test_patterns_with_two_sides_mark_the_other_one_too(name: str) -> None:
    columns = np.array([USUAL] * 11 + MIRRORED[name]).T
    expected = 1.0 if name in ("harami", "three_inside") else -1.0
    assert PATTERNS[name](*columns)[-1] == expected


def test_tweezers_need_equal_ends() -> None:
    columns = np.array([USUAL] * 11 + [(12.0, 12.0, 8.0, 9.0), (8.5, 11.0, 8.0, 10.5)]).T
    assert PATTERNS["tweezer"](*columns)[-1] == 1.0
    columns[2, -1] = 8.19  # a twentieth of the usual range of 4 is 0.2
    assert PATTERNS["tweezer"](*columns)[-1] == 1.0
    columns[2, -1] = 8.21
    assert PATTERNS["tweezer"](*columns)[-1] == 0.0


def test_a_missing_price_of_any_kind_begins_the_warm_up_anew() -> None:
    for price in range(4):
        columns = np.array([USUAL] * 40).T
        columns[price, 20] = np.nan
        flags = PATTERNS["hammer"](*columns)
        np.testing.assert_array_equal(np.isfinite(flags), [11 <= i < 20 or i > 31 for i in range(40)])


def test_penetration_must_be_above_zero() -> None:
    with pytest.raises(StrategyError, match="morning_star: penetration is 0"):
        candle_triples.morning_star([1.0], [1.0], [1.0], [1.0], penetration=0.0)
