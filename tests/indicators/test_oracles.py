"""Our numbers against TA-Lib's on long series, and against published ones from their first value on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import talib

from tests.indicators.catalog import market
from workbench import indicators as ind

HERE = Path(__file__).resolve().parent
SAMPLE = sorted((HERE.parent.parent / "data" / "sample").rglob("*.parquet"))
SERIES = ["made-1", "made-2", *[path.stem for path in SAMPLE]]

Prices = dict[str, np.ndarray]
Lines = tuple[np.ndarray, ...]


@pytest.fixture(scope="module", params=SERIES)
def prices(request: pytest.FixtureRequest) -> Prices:
    """Two made series, and every bundled real one."""
    if request.param.startswith("made"):
        return market(3_000, seed=int(request.param[-1]))
    frame = pd.read_parquet(SAMPLE[SERIES.index(request.param) - 2])
    return {name: frame[name].to_numpy(np.float64)[:20_000] for name in ("high", "low", "close")}


# Ours, TA-Lib's, and the bars that pass until different seeds are forgotten (0: equal from the first value).
PAIRS: dict[str, tuple[Callable[[Prices], Lines], Callable[[Prices], Lines], int]] = {
    "sma": (lambda p: (ind.sma(p["close"], 20),), lambda p: (talib.SMA(p["close"], 20),), 0),
    "sma of 200": (lambda p: (ind.sma(p["close"], 200),), lambda p: (talib.SMA(p["close"], 200),), 0),
    "ema": (lambda p: (ind.ema(p["close"], 20),), lambda p: (talib.EMA(p["close"], 20),), 0),
    "standard_deviation": (
        lambda p: (ind.standard_deviation(p["close"], 20),), lambda p: (talib.STDDEV(p["close"], 20),), 0
    ),
    "highest": (lambda p: (ind.highest(p["high"], 14),), lambda p: (talib.MAX(p["high"], 14),), 0),
    "lowest": (lambda p: (ind.lowest(p["low"], 14),), lambda p: (talib.MIN(p["low"], 14),), 0),
    "rate_of_change": (lambda p: (ind.rate_of_change(p["close"]),), lambda p: (talib.ROCP(p["close"], 10),), 0),
    "rsi": (lambda p: (ind.rsi(p["close"]),), lambda p: (talib.RSI(p["close"]),), 0),
    "rsi of 2": (lambda p: (ind.rsi(p["close"], 2),), lambda p: (talib.RSI(p["close"], 2),), 0),
    "macd": (lambda p: ind.macd(p["close"]), lambda p: talib.MACD(p["close"]), 12 * 12),
    "bollinger": (lambda p: ind.bollinger(p["close"]), lambda p: talib.BBANDS(p["close"], 20, 2.0, 2.0), 0),
    "stochastic": (
        lambda p: ind.stochastic(p["high"], p["low"], p["close"], 14, 3, 5),
        lambda p: talib.STOCH(p["high"], p["low"], p["close"], 14, 3, 0, 5, 0),
        0,
    ),
    "stochastic, fast": (
        lambda p: ind.stochastic(p["high"], p["low"], p["close"], 5, 1, 3),
        lambda p: talib.STOCHF(p["high"], p["low"], p["close"], 5, 3, 0),
        0,
    ),
    "true_range": (
        lambda p: (ind.true_range(p["high"], p["low"], p["close"]),),
        lambda p: (talib.TRANGE(p["high"], p["low"], p["close"]),),
        0,
    ),
    "atr": (
        lambda p: (ind.atr(p["high"], p["low"], p["close"]),),
        lambda p: (talib.ATR(p["high"], p["low"], p["close"]),),
        0,
    ),
    "adx": (
        lambda p: ind.adx(p["high"], p["low"], p["close"]),
        lambda p: tuple(f(p["high"], p["low"], p["close"]) for f in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI)),
        30 * 14,
    ),
}  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS)
def test_equal_to_talib_after_warm_up(prices: Prices, pair: str) -> None:
    ours, theirs, forget = PAIRS[pair]
    compared = 0
    comparable = np.ones(len(prices["close"]), dtype=bool)
    if pair.startswith(
        "stochastic"
    ):  # without any range TA-Lib says 0, we 50; neither counts, nor what is averaged with it
        empty = ind.highest(prices["high"], 5) == ind.lowest(prices["low"], 5)
        comparable = ind.highest(empty.astype(float), 20) != 1.0
    for mine, other in zip(ours(prices), theirs(prices), strict=True):
        first = int(np.argmax(np.isfinite(other))) + forget
        if first >= len(other):
            continue
        compared += len(other) - first
        rows = comparable & (np.arange(len(other)) >= first)
        expected = other[rows]
        np.testing.assert_allclose(mine[rows], expected, rtol=1e-9, atol=1e-9 * np.median(np.abs(expected)))
    assert compared or len(prices["close"]) < 500


@pytest.mark.parametrize("pair", [name for name, (_, _, forget) in PAIRS.items() if not forget])
def test_equal_seeds_give_the_first_value_at_the_same_bar_as_talib(pair: str) -> None:
    ours, theirs, _ = PAIRS[pair]
    prices = market(100)
    # TA-Lib holds back the k line until there is a d line
    skip = 1 if pair.startswith("stochastic") else 0
    for mine, other in list(zip(ours(prices), theirs(prices), strict=True))[skip:]:
        assert np.argmax(np.isfinite(mine)) == np.argmax(np.isfinite(other))


def test_wilder_is_the_exponential_mean_that_talib_gives_for_the_matching_length() -> None:
    close = market(3_000)["close"]
    np.testing.assert_allclose(ind.wilder(close, 14)[600:], talib.EMA(close, 27)[600:], rtol=1e-9)


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    """Sixty bars, and what Stock.Indicators publishes for them; the file names its source."""
    return pd.read_csv(HERE / "stock_indicators.csv", comment="#", index_col="row")


def test_equal_to_published_values_from_the_first_one_on(published: pd.DataFrame) -> None:
    high, low, close = published["high"], published["low"], published["close"]
    macd, bands, trend = ind.macd(close), ind.bollinger(close), ind.adx(high, low, close)
    lines, channel = ind.stochastic(high, low, close), ind.donchian(high, low)
    ours = {
        "sma": ind.sma(close, 20), "ema": ind.ema(close, 20), "wilder": ind.wilder(close, 20),
        "standard_deviation": ind.standard_deviation(close, 14), "true_range": ind.true_range(high, low, close),
        "rsi": ind.rsi(close), "atr": ind.atr(high, low, close), "roc_percent": 100.0 * ind.rate_of_change(close, 14),
        "macd": macd.macd, "macd_signal": macd.signal, "macd_histogram": macd.histogram,
        "bollinger_upper": bands.upper, "bollinger_middle": bands.middle, "bollinger_lower": bands.lower,
        "stochastic_k": lines.k, "stochastic_d": lines.d,
        "adx": trend.adx, "plus_di": trend.plus_di, "minus_di": trend.minus_di,
        "donchian_upper": ind.previous(channel.upper), "donchian_lower": ind.previous(channel.lower),
    }  # fmt: skip
    assert set(ours) == set(published.columns) - {"high", "low", "close"}
    for name, line in ours.items():
        np.testing.assert_allclose(line, published[name], rtol=1e-9, err_msg=name)


def test_macd_is_the_difference_of_two_emas_and_its_ema_to_the_last_bit() -> None:
    close = market(500)["close"]
    close[200:203] = np.nan
    result = ind.macd(close, 5, 13, 4)
    np.testing.assert_array_equal(result.macd, ind.ema(close, 5) - ind.ema(close, 13))
    np.testing.assert_array_equal(result.signal, ind.ema(result.macd, 4))
    np.testing.assert_array_equal(result.histogram, result.macd - result.signal)


def test_atr_and_the_directional_indicators_are_made_of_the_public_parts() -> None:
    bars = market(500)
    bars["low"][200] = np.nan
    high, low, close = bars["high"], bars["low"], bars["close"]
    ranges = ind.true_range(high, low, close)
    np.testing.assert_array_equal(ind.atr(high, low, close, 7), ind.wilder(ranges, 7))
    up, down = np.diff(high, prepend=np.nan), -np.diff(low, prepend=np.nan)
    plus = np.where(np.isnan(ranges), np.nan, np.where((up > down) & (up > 0.0), up, 0.0))
    trend = ind.adx(high, low, close, 7)
    np.testing.assert_allclose(trend.plus_di, 100.0 * ind.wilder(plus, 7) / ind.wilder(ranges, 7), rtol=1e-14)
    index = 100.0 * np.abs(trend.plus_di - trend.minus_di) / (trend.plus_di + trend.minus_di)
    np.testing.assert_allclose(trend.adx, ind.wilder(index, 7), rtol=1e-12)
    changes = np.diff(close, prepend=np.nan)
    gains, losses = ind.wilder(np.maximum(changes, 0.0), 7), ind.wilder(np.maximum(-changes, 0.0), 7)
    np.testing.assert_allclose(ind.rsi(close, 7), 100.0 * gains / (gains + losses), rtol=1e-13)
