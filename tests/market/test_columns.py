"""Which column is which, and what is refused rather than guessed."""

import pandas as pd
import pytest

from tests.market.made_tables import HOURS, SPOT, hours, opened, table, texts, times
from workbench.errors import DataError
from workbench.market.bars import COLUMNS
from workbench.market.columns import map_columns
from workbench.market.importing import clean


def test_a_plain_table_is_taken_as_it_is():
    bars, report = clean(table(texts()), **SPOT)
    assert times(bars) == HOURS
    assert str(bars.timeframe) == "1h"
    assert bars.close.tolist() == [100, 100.25, 100.5, 100.75, 101, 101.25]
    assert bars.provenance == {"source": "DataFrame"}
    assert (report.rows_in, report.rows_out, report.was_sorted, report.timeframe_guessed) == (6, 6, True, True)
    assert (report.timezone, report.written) == ("UTC (assumed)", "text like '2021-01-01 00:00:00'")
    assert (report.gaps, report.missing, report.ignored, report.notes) == (0, 0, (), ())
    assert "6 rows in, 6 bars out" in str(report)


@pytest.mark.parametrize(
    "names",
    [
        ("Date", "Open", "High", "Low", "Close", "Volume"),
        ("t", "o", "h", "l", "c", "v"),
        ("open_time", "OPEN", "HIGH", "LOW", "CLOSE", "Volume BTC"),
        ("Timestamp", "1. open", "2. high", "3. low", "4. close", "5. volume"),
        ("<DATETIME>", "<OPEN>", "<HIGH>", "<LOW>", "<CLOSE>", "<VOL>"),
        ("Gmt time", "Open ", " High", "Low", "Close", "Volume"),
        ("unix", "open", "high", "low", "close", "volume_btc"),
        ("", "open", "high", "low", "close", "vol"),
    ],
)
def test_columns_are_found_under_their_usual_names(names):
    frame = table(texts()).set_axis(list(names), axis=1)
    assert dict(clean(frame, **SPOT).report.columns) == dict(zip(("ts", *COLUMNS), names, strict=True))


def test_an_adjusted_close_is_ignored_and_reported():
    frame = table(texts()).assign(**{"Adj Close": 1.0})
    bars, report = clean(frame, **SPOT)
    assert report.ignored == ("Adj Close",)
    assert bars.close[0] == 100
    assert clean(frame, **SPOT, columns={"close": "close"}).bars == bars


def test_the_volume_of_the_quote_currency_is_not_taken_for_the_base():
    frame = table(texts()).rename(columns={"volume": "Volume USDT"})
    with pytest.raises(DataError, match=r"no column for 'volume' .* or pass missing_volume='zero'"):
        clean(frame, **SPOT)
    both = frame.assign(**{"Volume BTC": 7.0})
    assert clean(both, **SPOT).bars.volume.tolist() == [7.0] * 6
    three = both.assign(**{"Volume Contracts": 9.0})
    assert clean(three, **SPOT).bars.volume.tolist() == [7.0] * 6
    with pytest.raises(DataError, match="'volume' could be any of the columns 'Volume BTC', 'Volume Contracts'"):
        clean(three, symbol="XBT/USDT")


def test_two_candidates_are_an_error_that_lists_them():
    frame = table(texts()).assign(timestamp=1_609_459_200)
    with pytest.raises(DataError, match=r"'ts' could be any of the columns 'date', 'timestamp'; say which, .*'ts': "):
        clean(frame, **SPOT)
    assert opened(clean(frame, **SPOT, columns={"ts": "date"})) == HOURS
    with pytest.raises(DataError, match="'close' could be any of the columns 'last', 'price'"):
        clean(table(texts()).rename(columns={"close": "last"}).assign(price=1.0), **SPOT)


def test_a_missing_column_is_named_with_what_there_is():
    with pytest.raises(DataError, match=r"no column for 'high', 'low' among 'date', 'open', 'close', 'volume'"):
        clean(table(texts()).drop(columns=["high", "low"]), **SPOT)
    with pytest.raises(DataError, match=r"no column for 'ts' .*columns=\{'ts': …\}"):
        clean(table(texts()).drop(columns="date"), **SPOT)


def test_what_the_caller_says_of_columns_is_checked():
    with pytest.raises(DataError, match=r"there is no column 'Zeit' .* the table has 'date', 'open'"):
        clean(table(texts()), **SPOT, columns={"ts": "Zeit"})
    with pytest.raises(DataError, match=r"columns=\{'date': …\} is not understood: the keys are our names"):
        clean(table(texts()), **SPOT, columns={"date": "ts"})


def test_date_and_time_in_two_columns_are_joined():
    stamps = hours()
    frame = table(stamps.dt.strftime("%Y.%m.%d"), "<DATE>")
    frame.insert(1, "<TIME>", stamps.dt.strftime("%H:%M"))
    assert opened(clean(frame, **SPOT)) == HOURS


def test_a_datetime_index_is_the_time():
    frame = table(texts()).set_index(pd.DatetimeIndex(hours(), tz="UTC"))
    assert opened(clean(frame.drop(columns="date"), **SPOT)) == HOURS
    bars, report = clean(frame, **SPOT)  # a second time beside it is not needed
    assert report.ignored == ("date",)
    assert report.columns["ts"] == "the index"
    named = table(texts()).set_index("date")
    assert opened(clean(named, **SPOT)) == HOURS
    assert bars == clean(named, **SPOT).bars


def test_a_filtered_frame_keeps_its_row_numbers_out_of_it():
    assert opened(clean(table(texts())[2:], **SPOT)) == HOURS[2:]


def test_columns_in_two_levels_are_taken_where_one_says_nothing():
    frame = table(texts()).set_index("date")
    one = pd.concat({"BTC": frame}, axis=1).swaplevel(axis=1)
    assert opened(clean(one, **SPOT)) == HOURS
    two = pd.concat({"BTC": frame, "ETH": frame}, axis=1)
    with pytest.raises(DataError, match=r"columns in 2 levels, such as \('BTC', 'open'\); give one instrument's"):
        clean(two, **SPOT)


def test_the_same_column_twice_is_refused():
    frame = table(texts())
    with pytest.raises(DataError, match="several columns named 'close'"):
        clean(pd.concat([frame, frame[["close"]]], axis=1), **SPOT)


def test_closes_alone_are_taken_only_when_asked():
    frame = table(texts())[["date", "close"]]
    with pytest.raises(DataError, match="or pass close_only=True"):
        clean(frame, **SPOT)
    bars, report = clean(frame, **SPOT, close_only=True)
    assert bars.open.tolist() == bars.high.tolist() == bars.low.tolist() == bars.close.tolist()
    assert bars.volume.sum() == 0
    assert "close only: open, high and low are the close" in bars.provenance["note"]
    lone = clean(frame.rename(columns={"close": "DCOILWTICO"}), **SPOT, close_only=True)
    assert lone.bars == bars
    assert lone.report.columns["close"] == "DCOILWTICO"
    with pytest.raises(DataError, match="no column for 'close'"):
        clean(frame.rename(columns={"close": "AAPL"}).assign(KO=1.0), **SPOT, close_only=True)
    assert report.notes


def test_missing_volume_becomes_zero_only_when_asked():
    bars = clean(table(texts()).drop(columns="volume"), **SPOT, missing_volume="zero").bars
    assert bars.volume.sum() == 0
    assert bars.provenance["note"] == "no volume in the source: volume is 0"


def test_volume_and_tick_volume_are_not_told_apart_by_guessing():
    names = ["<DATE>", "<OPEN>", "<HIGH>", "<LOW>", "<CLOSE>", "<TICKVOL>", "<VOL>"]
    with pytest.raises(DataError, match="'volume' could be any of the columns '<TICKVOL>', '<VOL>'"):
        map_columns(names, symbol="EUR/USD")
    assert map_columns(names, symbol="EUR/USD", columns={"volume": "<TICKVOL>"}).sources["volume"] == "<TICKVOL>"
