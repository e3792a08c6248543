"""Volume indicators against published figures, plain numpy and sums made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.indicators.real import Columns, assert_close, bars
from workbench.errors import StrategyError
from workbench.indicators.money_flow import adl, chaikin_money_flow, chaikin_oscillator, mfi, twiggs_money_flow
from workbench.indicators.volume import (
    negative_volume_index,
    obv,
    positive_volume_index,
    volume_price_trend,
    volume_zone_oscillator,
)
from workbench.indicators.volume_averages import (
    daily_vwap,
    relative_volume,
    volume_rate_of_change,
    volume_zscore,
    vwma,
)
from workbench.indicators.volume_oscillators import klinger, pvo

HLCV = ("high", "low", "close", "volume")


@pytest.fixture(scope="module", params=["binance_BTC-USDT_1h", "nasdaq_GOOGL_1d"])
def market(request: pytest.FixtureRequest) -> Columns:
    return bars(request.param)


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    """Bars and what Stock.Indicators publishes for them; the file names its source."""
    return pd.read_csv(Path(__file__).parent / "stock_indicators_flow.csv", comment="#", index_col="row")


def test_equal_to_published_values_from_the_first_one_on(published: pd.DataFrame) -> None:
    high, low, close, volume = (published[name] for name in HLCV)
    force, percent = klinger(high, low, close, volume), pvo(volume)
    mine = {
        "adl": adl(high, low, close, volume),
        "chaikin_money_flow": chaikin_money_flow(high, low, close, volume),
        "chaikin_oscillator": chaikin_oscillator(high, low, close, volume),
        "klinger": force.oscillator,
        "klinger_signal": force.signal,
        "mfi": mfi(high, low, close, volume),
        "pvo": percent.pvo,
        "pvo_signal": percent.signal,
        "vwma": vwma(close, volume, 14),
    }
    for name, line in mine.items():
        np.testing.assert_array_equal(line.isna(), published[name].isna(), err_msg=name)
        np.testing.assert_allclose(line, published[name], rtol=1e-10, atol=1e-4 if "chaikin" in name else 1e-10)
    np.testing.assert_allclose(percent.histogram, percent.pvo - percent.signal)


def test_averages_are_what_numpy_makes_of_each_window(market: Columns) -> None:
    close, volume = market["close"][:3_000], market["volume"][:3_000]
    window = np.lib.stride_tricks.sliding_window_view
    closes, volumes = window(close, 20), window(volume, 20)
    assert_close(vwma(close, volume)[19:], (closes * volumes).sum(axis=1) / volumes.sum(axis=1))
    assert_close(volume_zscore(volume)[19:], (volume[19:] - volumes.mean(axis=1)) / volumes.std(axis=1))
    assert_close(relative_volume(volume)[20:], volume[20:] / volumes[:-1].mean(axis=1))
    there = volume[:-14] > 0.0
    assert_close(volume_rate_of_change(volume)[14:][there], (volume[14:] / volume[:-14] - 1.0)[there])
    changes = np.diff(close) / close[:-1]
    assert_close(volume_price_trend(close, volume)[1:], np.cumsum(changes * volume[1:]))


def test_a_daily_vwap_begins_anew_at_midnight_utc(market: Columns) -> None:
    n = 200
    high, low, close, volume = (market[name][:n] for name in HLCV)
    ts = 1_700_000_000_000 + 3_600_000 * np.arange(n)
    frame = pd.DataFrame({"day": ts // 86_400_000, "pv": (high + low + close) / 3.0 * volume, "v": volume})
    sums = frame.groupby("day").cumsum()
    np.testing.assert_allclose(daily_vwap(high, low, close, volume, ts), sums["pv"] / sums["v"], rtol=1e-12)


def test_a_price_average_without_volume_is_the_plain_one() -> None:
    price, nothing = [1.0, 2.0, 6.0], [0.0, 0.0, 0.0]
    np.testing.assert_array_equal(vwma(price, nothing, 2), [np.nan, 1.5, 4.0])
    np.testing.assert_array_equal(daily_vwap(price, price, price, nothing, [0, 1, 2]), [1.0, 1.5, 3.0])


def test_volume_indexes_move_on_their_own_bars_alone() -> None:
    close, volume = [10.0, 11.0, 12.1, 6.05], [3.0, 4.0, 2.0, 2.0]
    np.testing.assert_allclose(positive_volume_index(close, volume), [1_000.0, 1_100.0, 1_100.0, 1_100.0])
    np.testing.assert_allclose(negative_volume_index(close, volume), [1_000.0, 1_000.0, 1_100.0, 1_100.0])


def test_a_zone_of_rising_bars_alone_is_a_hundred() -> None:
    rising = np.arange(1.0, 40.0)
    assert volume_zone_oscillator(rising, rising)[-1] == 100.0
    assert volume_zone_oscillator(-rising, rising)[-1] == -100.0
    assert volume_zone_oscillator(rising, 0.0 * rising)[-1] == 0.0


def test_twiggs_smooths_the_place_in_the_true_range() -> None:
    # true ranges 2..4, 3..5 and 2..5: places 1, -1 and 1/3; volumes 9, 3, 6
    flow = twiggs_money_flow([3.0, 4.0, 5.0, 4.0], [1.0, 2.0, 3.0, 2.0], [2.0, 4.0, 3.0, 4.0], [1.0, 9.0, 3.0, 6.0], 2)
    place = (4.0 - 2.0 - (4.0 - 4.0)) / 2.0
    first = (9.0 - 3.0 * 1.0) / 2.0, (9.0 + 3.0) / 2.0
    np.testing.assert_allclose(flow[2:], [first[0] / first[1], (first[0] + 6.0 * place) / (first[1] + 6.0)])


def test_running_sums_begin_anew_after_a_gap_and_do_not_drift() -> None:
    close = np.array([1.0, 2.0, 3.0, np.nan, 4.0, 5.0])
    np.testing.assert_array_equal(obv(close, np.ones(6)), [1.0, 2.0, 3.0, np.nan, 1.0, 2.0])
    volume = np.full(10_001, 0.1)
    volume[0] = 1e15  # beside which a plain sum takes 0.1 for 0.125
    assert obv(np.arange(10_001.0), volume)[-1] == 1e15 + 1_000.0
    assert adl(volume, 0.0 * volume, volume, volume)[-1] == 1e15 + 1_000.0


@pytest.mark.parametrize("function", [chaikin_oscillator, klinger])
def test_the_fast_length_is_below_the_slow_one(function: object) -> None:
    with pytest.raises(StrategyError, match="fast is 9 and slow is 9; give a fast length below the slow one"):
        function([1.0], [1.0], [1.0], [1.0], 9, 9)  # type: ignore[operator]
    with pytest.raises(StrategyError, match="pvo: fast is 9"):
        pvo([1.0], 9, 9)
