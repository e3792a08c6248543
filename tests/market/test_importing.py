"""A table becomes bars: timeframe, grid, order, duplicates, and what is refused. Each error by its message."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.made_tables import HOURS, SPOT, table, texts, times
from workbench.errors import DataError
from workbench.market.bars import COLUMNS
from workbench.market.importing import clean, import_file
from workbench.market.instrument import Instrument


def test_the_timeframe_is_the_most_common_step():
    assert str(clean(table(texts()), **SPOT).bars.timeframe) == "1h"
    holed = table([f"2021-01-01 0{hour}:00" for hour in (0, 1, 2, 5, 8)])
    bars, report = clean(holed, **SPOT)
    assert (str(bars.timeframe), report.gaps, report.missing) == ("1h", 2, 4)
    daily = table(["2021-01-08", "2021-01-11", "2021-01-12"])  # a weekend is as common as a day: the day is meant
    assert str(clean(daily, symbol="KO").bars.timeframe) == "1d"


def test_a_timeframe_that_cannot_be_told_is_asked_for():
    with pytest.raises(DataError, match="one time alone does not tell the timeframe"):
        clean(table(["2021-01-01"]), **SPOT)
    assert len(clean(table(["2021-01-01"]), **SPOT, timeframe="1d").bars) == 1
    with pytest.raises(DataError, match="a month apart; bars have a fixed length"):
        clean(table([f"2021-0{month}-01" for month in range(1, 9)]), **SPOT)


def test_a_timeframe_that_is_too_short_for_the_data_is_refused():
    with pytest.raises(DataError, match=r"timeframe 1m does not fit: all 20 times are multiples of 1h apart"):
        clean(table(texts(20)), **SPOT, timeframe="1m")


def test_rows_off_the_grid_are_refused_or_dropped_and_counted():
    odd = table([*texts(5), "2021-01-01 09:28:14", "2021-01-01 10:28:14"])
    with pytest.raises(
        DataError, match=r"at 2 of 7 times no 1h bar opens in UTC: 2021-01-01 09:28:14, 2021-01-01 10:2"
    ):
        clean(odd, **SPOT, timeframe="1h")
    bars, report = clean(odd, **SPOT, off_grid="drop")
    assert times(bars) == HOURS[:5]
    assert report.off_grid_dropped == 2
    assert bars.provenance["note"] == "2 rows off the 1h grid dropped (2021-01-01 09:28:14 to 2021-01-01 10:28:14)"
    with pytest.raises(DataError, match="off_grid='keep' is not one of 'error', 'drop'"):
        clean(odd, **SPOT, off_grid="keep")


def test_unsorted_rows_are_sorted():
    bars, report = clean(table(texts()).iloc[::-1], **SPOT)
    assert bars == clean(table(texts()), **SPOT).bars
    assert not report.was_sorted


def test_identical_duplicates_are_dropped_and_counted():
    frame = table(texts())
    doubled = pd.concat([frame, frame[1:4], frame[2:3]])
    bars, report = clean(doubled, **SPOT)
    assert bars == clean(frame, **SPOT).bars
    assert (report.rows_in, report.duplicates_dropped) == (10, 4)
    assert bars.provenance["note"] == "4 identical rows dropped"


def test_conflicting_duplicates_are_listed():
    frame = table(texts(8))
    with pytest.raises(
        DataError,
        match=r"7 times with rows that contradict each other \(open high low close volume\): 2021-01-01: "
        r"99.75 101.0 99.0 100.0 1.0 and 99.75 101.0 99.0 100.0 9.0; .*04:00: .*; …\. Decide which are right",
    ) as caught:
        clean(pd.concat([frame, frame[:7].assign(volume=9.0)]), **SPOT)
    assert caught.value.fields["count"] == 7
    assert len(caught.value.fields["times"]) == 5
    twice_the_same_and_another = pd.concat([frame[:1], frame[:1], frame[:1].assign(volume=9.0)])
    with pytest.raises(DataError, match="1 time with rows that contradict"):
        clean(twice_the_same_and_another, **SPOT, timeframe="1h")


@settings(max_examples=50)
@given(order=st.permutations(range(12)), again=st.lists(st.integers(0, 11), max_size=12))
def test_order_and_repetition_never_matter(order, again):
    frame = table(texts(12))
    assert clean(frame.iloc[[*order, *again]], **SPOT).bars == clean(frame, **SPOT).bars


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("close", np.nan, "close is not a finite number at 2021-01-01 02:00 UTC"),
        ("open", 0.0, "open is not positive"),
        ("high", 1.0, "high is below low"),
        ("volume", -1.0, "volume is negative"),
        ("low", 100.4, "low is above open or close"),
    ],
)
def test_bad_prices_are_refused_and_never_mended(column, value, message):
    frame = table(texts())
    frame.loc[2, column] = value
    with pytest.raises(DataError, match=message):
        clean(frame, **SPOT)


def test_prices_that_are_no_numbers_name_the_rows():
    frame = table(texts()).astype({"close": object})
    frame.loc[[1, 3], "close"] = [".", "1,234.5"]
    with pytest.raises(DataError, match=r"column 'close' holds what is no number: row 1 \('.'\), row 3 \('1,234.5'\);"):
        clean(frame, **SPOT)
    with pytest.raises(DataError, match="column 'volume' holds what is no number: row 0"):
        clean(table(texts(), volume=[True] * 6), **SPOT)
    as_text = table(texts()).astype(dict.fromkeys(COLUMNS, str))
    assert clean(as_text, **SPOT).bars == clean(table(texts()), **SPOT).bars
    with pytest.raises(DataError, match="close is not a finite number"):
        clean(table(texts(), close=["1", None, "2", "3", "4", "5"]), **SPOT, columns={"close": "close"})


def test_an_empty_frame_is_refused():
    with pytest.raises(DataError, match="the table has no rows"):
        clean(table(texts())[:0], **SPOT)


def test_the_instrument_must_be_that_of_the_series():
    gold = Instrument(symbol="XAU/USD", venue="oanda")
    assert clean(table(texts()), symbol="XAU/USD", instrument=gold).bars.instrument is gold
    with pytest.raises(DataError, match="BTC/USDT at binance: the instrument given is XAU/USD at oanda"):
        clean(table(texts()), **SPOT, instrument=gold)


@pytest.mark.parametrize("table", [None, [1, 2], {"close": [1.0]}, np.ones((3, 6)), pd.Series([1.0])])
def test_what_is_no_table_is_named(table):
    with pytest.raises(DataError, match=f"X: a {type(table).__name__} is no table"):
        clean(table, symbol="X")


def test_options_of_the_wrong_type_are_named():
    frame = pd.DataFrame({"close": [1.0, 2.0]})
    with pytest.raises(DataError, match="X: instrument is a str; give wb"):
        clean(frame, symbol="X", instrument="X")
    with pytest.raises(DataError, match=r"X: columns=\['close'\] is no mapping"):
        clean(frame, symbol="X", columns=["close"])


def test_an_index_that_is_a_column_too_is_no_hindrance():
    frame = pd.DataFrame({"date": ["2024-01-02", "2024-01-03", "2024-01-04"]}).set_index("date", drop=False)
    frame = frame.assign(open=1.0, high=2.0, low=1.0, close=2.0, volume=3.0)
    assert len(clean(frame, symbol="X").bars) == 3
    assert len(clean(pd.concat({"X": frame.reset_index(drop=True)}), symbol="X").bars) == 3  # two unnamed levels


def test_a_table_of_several_instruments_is_refused(tmp_path):
    lines = ["date,symbol,open,high,low,close,volume"]
    lines += [f"2024-01-0{day},{name},1,2,1,2,3" for day in (2, 3, 4) for name in ("A", "B")]
    (tmp_path / "both.csv").write_text("\n".join(lines))
    with pytest.raises(DataError, match=r"column 'symbol' names several instruments \(A, B, …\); give one at a time"):
        import_file(tmp_path / "both.csv", symbol="A", timeframe="1d")
    (tmp_path / "one.csv").write_text("\n".join(line for line in lines if ",B," not in line))
    assert len(import_file(tmp_path / "one.csv", symbol="A", timeframe="1d").bars) == 3


@pytest.mark.parametrize("price", ["1.234,56", "$1,234.56", "1 234,56"])
def test_foreign_ways_to_write_a_number_are_named(price):
    frame = pd.DataFrame({"date": ["2024-01-02"], "open": [price], "high": [price], "low": [price], "close": [price]})
    with pytest.raises(DataError, match="decimal commas, thousands separators and currency signs are not guessed"):
        clean(frame, symbol="X", timeframe="1d", missing_volume="zero")
