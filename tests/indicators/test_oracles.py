"""Our numbers against published ones from their first value on, and against their own public parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import talib

from tests.indicators.catalog import market
from workbench import indicators as ind

HERE = Path(__file__).resolve().parent


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
