"""The page of a strategy of the library: its words, its parameters, and bars to run it on, stand-ins named as such."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench.errors import DataError, StrategyError
from workbench.market.lake import Lake
from workbench.reporting.strategy_page import MADE, describe, parameter_table, sample_bars, stand_in
from workbench.strategy import library


def test_words_and_parameters() -> None:
    words = describe(library.Dca()).data
    assert "**How it earns.**" in words and "**Notes.** Safety order k" in words and "-----" not in words
    table = parameter_table(library.Dca(safety_orders=2, side="short"))
    assert table.loc["safety_orders"].tolist() == ["2", "5", "0", "50", "orders of the ladder"]
    assert table.loc["side", "meaning"].endswith("(long, short)")


def test_the_usual_series_are_read_and_missing_ones_are_made(lake: Lake) -> None:
    stocks = sample_bars("pairs", start="2010-01-01", source=lake)
    assert [bars.symbol for bars in stocks] == ["KO", "WMT"]
    spot, perpetual = sample_bars("cash_and_carry", start="2023-12-01", source=lake)
    assert (spot.venue, perpetual.venue, perpetual.instrument.kind) == ("binance", MADE, "linear")
    np.testing.assert_array_equal(spot.ts, perpetual.ts)
    given = sample_bars("grid", ["SPX 1d"], end="2000-01-01", source=lake)
    assert [(bars.symbol, str(bars.timeframe)) for bars in given] == [("SPX", "1d")]
    with pytest.raises(DataError, match="XRP/USDT"):
        sample_bars("grid", ["BTC/USDT 1h", "XRP/USDT 1h"], source=lake)


def test_what_cannot_be_shown_says_why() -> None:
    with pytest.raises(StrategyError, match="an account of three currencies, and a backtest has one"):
        sample_bars("triangular")
    with pytest.raises(StrategyError, match="did you mean 'grid'"):
        sample_bars("gird")


def test_a_stand_in_is_near_comes_back_and_never_depends_on_what_comes_later(lake: Lake) -> None:
    bars = lake.read("BTC/USDT", "1h", start="2023-01-01")
    other = stand_in(bars, wb.Instrument.default("BTC/USDT:USDT"))
    gap = np.log(other.close / bars.close)
    assert 0.003 < gap.std() < 0.005 and abs(gap.mean()) < 0.001
    assert np.corrcoef(gap[1:], gap[:-1])[0, 1] == pytest.approx(0.9, abs=0.02)
    assert other.instrument.tick_size == bars.instrument.tick_size and other.instrument.quote == "USDT"
    np.testing.assert_array_equal(stand_in(bars[:500], other.instrument).close, other.close[:500])
