"""What a series is of when nobody says: the symbol proposes, the times of the bars decide."""

from __future__ import annotations

import pandas as pd
import pytest

import workbench as wb
from workbench.market import clean


def frame(start: str, n: int, step: str) -> pd.DataFrame:
    index = pd.date_range(start, periods=n, freq=step, tz="UTC")
    return pd.DataFrame(dict.fromkeys(("open", "high", "low", "close", "volume"), 1.0), index=index)


@pytest.mark.parametrize(
    ("symbol", "quote", "kind", "calendar"),
    [
        ("BTC-USD", "USD", "spot", "24/7"),
        ("BTCUSDT", "USDT", "spot", "24/7"),
        ("ETH/BTC", "BTC", "spot", "24/7"),
        ("EURUSD", "USD", "fx", "24/5"),
        ("EUR-USD", "USD", "fx", "24/5"),
        ("BRK-B", "USD", "equity", "XNYS"),
        ("SPY", "USD", "equity", "XNYS"),
        ("USDT", "USD", "equity", "XNYS"),
    ],
)
def test_pairs_are_known_however_they_are_written(symbol: str, quote: str, kind: str, calendar: str) -> None:
    found = wb.Instrument.default(symbol)
    assert (found.symbol, found.quote, found.kind, found.calendar) == (symbol, quote, kind, calendar)


@pytest.mark.parametrize(
    ("start", "n", "step", "timeframe", "calendar"),
    [
        ("2024-01-01 00:00", 300, "1h", "1h", "24/7"),  # goes on at night and on Saturday
        ("2024-01-02 02:00", 5, "1min", "1m", "24/7"),  # 21:00 in New York
        ("2024-01-02 14:30", 60, "1min", "1m", "XNYS"),
        ("2024-01-02 09:00", 900, "1min", "1m", "XNYS"),  # 04:00 to 19:00 in New York: extended hours
        ("2024-01-01", 7, "D", "1d", "24/7"),
        ("2024-01-01", 5, "D", "1d", "XNYS"),
        ("2024-01-01", 30, "7D", "1w", "XNYS"),
    ],
)
def test_bars_outside_the_calendar_say_otherwise(start: str, n: int, step: str, timeframe: str, calendar: str) -> None:
    table = frame(start, n, step)
    assert wb.Bars.from_pandas(table, symbol="MINE", timeframe=timeframe).instrument.calendar == calendar
    assert clean(table, symbol="MINE", timeframe=timeframe).bars.instrument.calendar == calendar


def test_a_week_of_fx_is_fx_and_its_saturday_is_not() -> None:
    table = frame("2024-01-07 22:00", 24 * 5, "1h")
    assert wb.Bars.from_pandas(table, symbol="EUR/USD", timeframe="1h").instrument.calendar == "24/5"
    table = frame("2024-01-05 22:00", 24, "1h")
    assert wb.Bars.from_pandas(table, symbol="EUR/USD", timeframe="1h").instrument.calendar == "24/7"


def test_who_says_what_it_is_has_the_last_word() -> None:
    mine = wb.Instrument(symbol="MINE", calendar="XNYS", kind="equity")
    bars = wb.Bars.from_pandas(frame("2024-01-01", 7, "D"), symbol="MINE", timeframe="1d", instrument=mine)
    assert bars.instrument == mine
