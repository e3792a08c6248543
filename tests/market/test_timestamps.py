"""Times in every way of writing them, and in every timezone."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.market.made_tables import HOUR, HOURS, SPOT, hours, opened, table, texts
from workbench.errors import DataError
from workbench.market.bars import moment, to_ms
from workbench.market.importing import clean


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("%Y-%m-%d %H:%M:%S", "text"),
        ("%Y-%m-%dT%H:%M:%SZ", "text"),
        ("%Y-%m-%d %H:%M:%S.000", "text"),
        ("%Y/%m/%d %H:%M", "text"),
        ("%Y%m%d %H%M%S", "text"),
        ("%Y%m%d%H%M%S", "text"),
        ("%Y%m%d%H%M", "text"),
        ("%Y%m%d %H:%M", "text"),
        ("%d %b %Y %H:%M", "text"),
        ("%d-%B-%Y %H:%M:%S", "text"),
        ("%b %d, %Y %I:%M %p", "text"),
        ("%Y-%m-%d %I:%M:%S%p", "text"),
        ("%Y-%m-%d %H:%M:%S UTC", "text"),
        ("%Y-%m-%d %H:%M:%S GMT+0000", "text"),
        ("%Y-%m-%d %H:%M:%S+00:00", "text"),
    ],
)
def test_text_is_read_by_its_shape(style, written):
    bars, report = clean(table(texts(14, style)), **SPOT)
    assert bars.ts.tolist() == [to_ms("2021-01-01") + hour * HOUR for hour in range(14)]
    assert report.written.startswith(written)


@settings(max_examples=50)
@given(
    when=st.datetimes(dt.datetime(1901, 1, 1), dt.datetime(2190, 1, 1)).map(lambda at: at.replace(microsecond=0)),
    style=st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%d %b %Y %H:%M:%S", "%B %d, %Y %I:%M:%S %p"]),
)
def test_any_second_survives_being_written_and_read(when, style):
    # strftime pads no year below 1000 and none is here
    frame = table([when.strftime(style), (when + dt.timedelta(seconds=1)).strftime(style)])
    assert clean(frame, **SPOT, timeframe="1s").bars.ts[0] == to_ms(when)


@pytest.mark.parametrize(("scale", "unit"), [(1, "seconds"), (10**3, "milli"), (10**6, "micro"), (10**9, "nano")])
@pytest.mark.parametrize("kind", ["int64", "float64", "str"])
def test_numbers_are_read_by_their_magnitude(scale, unit, kind):
    numbers = pd.Series([(1_609_459_200 + 3_600 * hour) * scale for hour in range(6)])
    cleaned = clean(table(numbers.astype(kind)), **SPOT)
    assert opened(cleaned) == HOURS
    assert unit in cleaned.report.written
    assert cleaned.report.timezone == "UTC (numbers since 1970)"


def test_fractions_of_seconds_are_read_to_the_millisecond():
    numbers = pd.Series([1_609_459_200.0 + 0.25 * row for row in range(8)])
    with pytest.raises(DataError, match="the most common step is 250 ms"):
        clean(table(numbers), **SPOT)
    assert len(clean(table(numbers), **SPOT, timeframe="1s", off_grid="drop").bars) == 2


def test_dates_as_one_number():
    days = pd.Series([20210104, 20210105, 20210106])
    assert opened(clean(table(days), symbol="KO")) == ["2021-01-04", "2021-01-05", "2021-01-06"]


def test_two_units_in_one_column_are_refused():
    numbers = pd.Series([1_735_689_600_000, 1_735_693_200_000, 1_735_696_800_000_000])
    with pytest.raises(
        DataError,
        match=r"milliseconds and microseconds since 1970 are mixed in one column: row 0 \('1735689600000'\), row 2",
    ):
        clean(table(numbers), **SPOT)


def test_numbers_that_are_no_times_are_refused():
    with pytest.raises(DataError, match=r"outside 1980 to 2286 in every unit since 1970: row 0 \('0'\)"):
        clean(table(pd.Series([0, 1, 2])), **SPOT)
    with pytest.raises(DataError, match="fractions of milliseconds since 1970: row 1"):
        clean(table(pd.Series([1_609_459_200_000, 1_609_459_260_000.5])), **SPOT)
    with pytest.raises(DataError, match="times with fractions of a millisecond: row 1"):
        clean(table(pd.Series([1_609_459_200_000_000, 1_609_459_260_000_100])), **SPOT)
    with pytest.raises(DataError, match="numbers that are no times"):
        clean(table(["9" * 30] * 2), **SPOT)
    with pytest.raises(DataError, match="text that is no time"):
        clean(table([True, False]), **SPOT)


def test_text_that_is_no_time_names_the_rows():
    bad = [*texts(3), "soon", "2021-01-01 25:00", "yesterday"]
    with pytest.raises(DataError, match=r"text that is no time: row 3 \('soon'\), row 4 .*, row 5") as caught:
        clean(table(bad), **SPOT)
    assert caught.value.fields == {"rows": (3, 4, 5), "count": 3}
    with pytest.raises(DataError, match=r"no such date: row 1 \('2021-02-30'\)"):
        clean(table(["2021-02-28", "2021-02-30"]), **SPOT)
    with pytest.raises(DataError, match=r"a time is missing: row 1; drop those rows"):
        clean(table(["2021-02-28", None, "2021-03-01"]), **SPOT)


def test_day_or_month_first_is_told_by_a_row_that_leaves_no_doubt():
    day_first = [f"{day:02}.01.2021" for day in range(10, 15)]
    assert opened(clean(table(day_first), **SPOT))[0] == "2021-01-10"
    month_first = [f"1/{day}/2021" for day in range(10, 15)]
    assert opened(clean(table(month_first), **SPOT))[0] == "2021-01-10"


def test_day_or_month_first_is_refused_where_nothing_tells():
    with pytest.raises(DataError, match=r"no date tells whether day or month comes first: row 0 \('02.01.2021'\)"):
        clean(table(["02.01.2021", "03.01.2021", "04.01.2021"]), **SPOT)
    told = clean(table(["02.01.2021", "03.01.2021", "04.01.2021"]), **SPOT, time_format="%d.%m.%Y")
    assert opened(told) == ["2021-01-02", "2021-01-03", "2021-01-04"]
    assert opened(clean(table(["01.01.2021", "02.02.2021"]), **SPOT, timeframe="1d"))[1] == "2021-02-02"
    with pytest.raises(DataError, match=r"some dates have the day first, others the month: row 0 .*, row 1"):
        clean(table(["31/01/2021", "01/31/2021"]), **SPOT)


def test_two_formats_in_one_column_are_each_read_by_their_own_rule():
    mixed = ["2021-01-11", "2021-01-12", "13.01.2021", "14.01.2021", "01/15/2021"]
    cleaned = clean(table(mixed), **SPOT)
    assert opened(cleaned) == [f"2021-01-{day}" for day in range(11, 16)]
    assert cleaned.report.written == (
        "text in 2 rows like '2021-01-11' and 2 rows like '13.01.2021' and 1 rows like '01/15/2021'"
    )
    with pytest.raises(DataError, match="no date tells"):  # the dots say nothing of the slashes
        clean(table([*mixed[:4], "02/01/2021"]), **SPOT)


def test_a_format_that_the_caller_names_is_strict():
    with pytest.raises(DataError, match=r"text that is not written as '%d/%m/%Y': row 1 \('2021-01-02'\)"):
        clean(table(["01/01/2021", "2021-01-02"]), **SPOT, time_format="%d/%m/%Y")
    with pytest.raises(DataError, match=r"time_format '%Q' is not understood"):
        clean(table(["01/01/2021"]), **SPOT, time_format="%Q")
    zoned = [f"01/02/21 0{hour}:00 +0100" for hour in range(1, 4)]
    assert opened(clean(table(zoned), **SPOT, time_format="%d/%m/%y %H:%M %z"))[0] == "2021-02-01"


def test_a_timezone_places_times_that_name_none():
    cleaned = clean(table(texts()), **SPOT, tz="Asia/Tokyo")
    assert opened(cleaned)[0] == "2020-12-31 15:00"
    assert cleaned.report.timezone == "Asia/Tokyo (as told)"
    assert clean(table(hours()), **SPOT, tz="Asia/Tokyo").bars == cleaned.bars
    with pytest.raises(DataError, match=r"timezone 'America/New York' is unknown: did you mean 'America/New_York'"):
        clean(table(texts()), **SPOT, tz="America/New York")


def test_offsets_in_the_data_are_obeyed():
    east = dt.timezone(dt.timedelta(hours=2))
    for frame in (
        table(texts(style="%Y-%m-%d %H:%M:%S+02:00")),
        table(texts(style="%d %b %Y %H:%M GMT+0200")),
        table(hours().dt.tz_localize("Etc/GMT-2")),
        table(pd.Series([at.to_pydatetime().replace(tzinfo=east) for at in hours()], dtype=object)),
    ):  # fmt: skip
        assert opened(clean(frame, **SPOT))[0] == "2020-12-31 22:00"


def test_mixed_timezones_are_refused_unless_they_are_one_place():
    mixed = [*texts(3, "%Y-%m-%d %H:%M:%S+00:00"), *texts(3, "%Y-%m-%d %H:%M:%S-05:00", "2021-01-01 03:00")]
    with pytest.raises(
        DataError, match=r"timezones are mixed in one column: row 0 \(.*\), row 3 \(.*-05:00'\); if this"
    ):
        clean(table(mixed), **SPOT)
    with pytest.raises(DataError, match="timezones are mixed, and some are not those of America/New_York: row 0"):
        clean(table(mixed), **SPOT, tz="America/New_York")
    with pytest.raises(DataError, match=r"some times name a timezone, others do not: row 0 .*, row 1"):
        clean(table(["2021-01-01 00:00", "2021-01-01 01:00+00:00"]), **SPOT)

    new_york = pd.date_range("2021-03-14 05:00", periods=4, freq="h", tz="UTC").tz_convert("America/New_York")
    one_place = [at.isoformat(sep=" ") for at in new_york]
    with pytest.raises(DataError, match="timezones are mixed"):
        clean(table(one_place), **SPOT)
    bars, report = clean(table(one_place), **SPOT, tz="America/New_York")
    assert moment(bars.ts[0]) == "2021-03-14 05:00"
    assert report.timezone == "America/New_York (offsets in the data)"
    objects = pd.Series([at.to_pydatetime() for at in new_york], dtype=object)
    assert clean(table(objects), **SPOT, tz="America/New_York").bars == bars


@pytest.mark.parametrize("when", ["2021-03-14 02:30", "2021-11-07 01:30"])
def test_local_times_that_do_not_exist_or_exist_twice_are_refused(when):
    frame = table(["2021-01-01 00:00", when])
    with pytest.raises(DataError, match=rf"do not exist in America/New_York, or stand for two .*: row 1 \('{when}"):
        clean(frame, **SPOT, tz="America/New_York", timeframe="30m")
    with pytest.raises(DataError, match="do not exist in America/New_York"):
        clean(frame.assign(date=pd.to_datetime(frame["date"])), **SPOT, tz="America/New_York", timeframe="30m")


def test_daily_bars_at_local_midnight_are_labelled_by_their_session():
    sessions = ["2021-03-11", "2021-03-12", "2021-03-15", "2021-03-16"]  # clocks change in between
    local = [dt.datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("America/New_York")) for day in sessions]
    in_utc = pd.Series([at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M") for at in local])
    assert in_utc[0].endswith("05:00")
    assert in_utc[3].endswith("04:00")
    for frame, told in (
        (table(in_utc), {}),
        (table([at.isoformat() for at in local]), {"tz": "America/New_York"}),
        (table(sessions), {"tz": "America/New_York"}),
        (table(pd.to_datetime(in_utc).dt.tz_localize("UTC")), {}),
    ):
        cleaned = clean(frame, symbol="SPY", **told)
        assert opened(cleaned) == sessions
        assert "labelled by the session's date" in cleaned.bars.provenance["note"]


def test_daily_currency_bars_that_open_at_five_in_new_york_get_the_next_date():
    evenings = pd.Series(["2017-03-09 22:00", "2017-03-12 21:00", "2017-03-13 21:00"])
    assert opened(clean(table(evenings), symbol="EUR/USD")) == ["2017-03-10", "2017-03-13", "2017-03-14"]


def test_daily_bars_of_a_market_without_sessions_are_not_relabelled():
    with pytest.raises(DataError, match=r"at 3 of 3 times no 1d bar opens in UTC .*2021-01-01 15:00"):
        clean(table([f"2021-01-0{day} 15:00" for day in (1, 2, 3)]), **SPOT)


def test_times_in_the_wrong_timezone_are_remarked_on():
    new_york = [f"2021-01-04 {hour:02}:30" for hour in range(9, 16)]
    right = clean(table(new_york), symbol="SPY", timeframe="30m", tz="America/New_York").report
    assert "lie outside" not in str(right)
    wrong = clean(table(new_york), symbol="SPY", timeframe="30m").report
    assert re.search(r"\d\d% of the bars lie outside the trading time of XNYS", str(wrong))
