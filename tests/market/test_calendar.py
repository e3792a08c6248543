"""Which bars a market is expected to have, against exchange_calendars' minutes, brute force and known dates."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.market.bars import Gap, moment, to_ms
from workbench.market.calendar import expected_bars, expected_opens, gaps, known_span, periods_per_year, zone_of
from workbench.market.timeframe import Timeframe

HOUR = 3_600_000
DAY = 24 * HOUR


def opens(calendar, timeframe, start, end):
    return [moment(ts) for ts in expected_opens(calendar, timeframe, to_ms(start), to_ms(end))]


def test_round_the_clock_is_every_slot_of_the_grid():
    assert opens("24/7", "6h", "2021-01-01T00:01", "2021-01-02T06:00") == [
        "2021-01-01 06:00",
        "2021-01-01 12:00",
        "2021-01-01 18:00",
        "2021-01-02",
    ]
    assert opens("24/7", "1w", "2021-01-01", "2021-01-12") == ["2021-01-04", "2021-01-11"]


@pytest.mark.parametrize("calendar", ["24/7", "24/5", "XNYS"])
def test_an_empty_span_expects_nothing(calendar):
    assert opens(calendar, "1h", "2021-01-05", "2021-01-05") == []
    assert opens(calendar, "1h", "2021-01-06", "2021-01-05") == []


@pytest.mark.parametrize(
    ("friday", "sunday"),
    [
        ("2017-03-03 21:00", "2017-03-05 22:00"),  # winter on both sides
        ("2017-03-10 21:00", "2017-03-12 21:00"),  # clocks go forward in between
        ("2017-11-03 20:00", "2017-11-05 22:00"),  # and back
    ],
)
def test_currency_weeks_follow_new_york_clocks(friday, sunday):
    found = opens("24/5", "1h", friday[:10], f"{sunday[:10]}T23:59")
    weekend = found.index(friday)
    assert found[weekend + 1] == sunday


def test_a_currency_week_has_five_daily_bars_and_thirty_one_of_four_hours():
    assert opens("24/5", "1d", "2017-01-01", "2017-01-09") == [f"2017-01-0{day}" for day in range(2, 7)]
    assert len(opens("24/5", "4h", "2017-01-01", "2017-01-08")) == 31
    found, labels = expected_bars("24/5", "1h", to_ms("2017-01-01"), to_ms("2017-01-03"))
    assert moment(found[0]) == "2017-01-01 22:00"
    assert moment(labels[0]) == "2017-01-02"  # Sunday evening belongs to Monday


def test_exchange_days_leave_out_weekends_and_holidays():
    assert opens("XNYS", "1d", "2018-12-21", "2018-12-28") == [
        "2018-12-21",
        "2018-12-24",
        "2018-12-26",
        "2018-12-27",
    ]
    assert opens("XNYS", "1d", "2001-09-10", "2001-09-18") == ["2001-09-10", "2001-09-17"]


def test_exchange_hours_end_early_on_short_days():
    assert opens("XNYS", "1h", "2018-11-21", "2018-11-24")[-4:] == [f"2018-11-23 {hour}:00" for hour in range(14, 18)]


def test_exchange_weeks_open_on_mondays_even_if_monday_is_a_holiday():
    assert opens("XNYS", "1w", "2018-12-30", "2019-01-08") == ["2018-12-31", "2019-01-07"]
    assert opens("XNYS", "1w", "2018-05-27", "2018-06-01") == ["2018-05-28"]  # Memorial Day


@pytest.mark.parametrize("calendar", ["XNYS", "XHKG", "XASX", "CMES", "XLON"])
@pytest.mark.parametrize("timeframe", ["5m", "1h", "4h"])
def test_intraday_slots_are_those_that_overlap_trading_minutes(calendar, timeframe):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import exchange_calendars

        minutes = exchange_calendars.get_calendar(calendar, start="2018-12-01", end="2019-01-10", side="left").minutes
    ms = minutes.tz_convert(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
    step = Timeframe.parse(timeframe).ms
    start, end = to_ms("2018-12-05"), to_ms("2019-01-05")
    wanted = np.unique(ms // step * step)
    wanted = wanted[(wanted >= start) & (wanted < end)]
    np.testing.assert_array_equal(expected_opens(calendar, timeframe, start, end), wanted)


def test_spans_outside_the_usual_years_work():
    assert opens("XNYS", "1d", "1929-10-28", "1929-10-30") == ["1929-10-28", "1929-10-29"]
    assert opens("XNYS", "1d", "2055-01-04", "2055-01-06") == ["2055-01-04", "2055-01-05"]
    assert opens("24/5", "1d", "1950-01-02", "1950-01-04") == ["1950-01-02", "1950-01-03"]


def test_an_unknown_calendar_names_the_close_ones():
    with pytest.raises(DataError, match=r"calendar 'XNYC' is unknown: did you mean 'XNYS'"):
        expected_opens("XNYC", "1d", 0, DAY)
    with pytest.raises(DataError, match="use an exchange's MIC"):
        gaps(np.array([0, 5 * DAY]), "1d", "~")
    with pytest.raises(DataError, match="is unknown"):
        zone_of("nowhere")


def test_a_time_that_a_calendar_does_not_know_is_refused():
    with pytest.raises(DataError, match=r"'XTKS' is known from 1997-01-01 to .* not all of 1990-01-01 to 1990-02-01"):
        expected_opens("XTKS", "1d", to_ms("1990-01-01"), to_ms("1990-02-01"))
    with pytest.raises(DataError, match="Are the times in milliseconds"):
        expected_opens("XNYS", "1d", 0, 10**16)
    assert moment(known_span("XTKS")[0]) == "1997-01-01"


def test_gaps_round_the_clock():
    ts = np.array([0, 1, 4, 5, 7]) * HOUR
    assert gaps(ts, "1h", "24/7") == (Gap(2 * HOUR, 4 * HOUR, 2), Gap(6 * HOUR, 7 * HOUR, 1))
    assert gaps(ts[:2], "1h", "24/7") == gaps(ts[:0], "1h", "24/7") == ()


def test_a_gap_over_a_weekend_counts_trading_hours_only():
    week = expected_opens("24/5", "1h", to_ms("2017-01-05"), to_ms("2017-01-11"))
    assert gaps(week, "1h", "24/5") == ()
    lost = {to_ms("2017-01-06T21:00"), to_ms("2017-01-08T22:00"), to_ms("2017-01-08T23:00")}
    kept = np.array([ts for ts in week.tolist() if ts not in lost])
    assert gaps(kept, "1h", "24/5") == (Gap(to_ms("2017-01-06T21:00"), to_ms("2017-01-09"), 3),)


def test_a_missing_session_is_a_gap_and_a_holiday_is_none():
    ts = np.array([to_ms(day) for day in ("2018-12-24", "2018-12-26", "2018-12-28")])
    assert gaps(ts, "1d", "XNYS") == (Gap(to_ms("2018-12-27"), to_ms("2018-12-28"), 1),)


def test_bars_outside_trading_time_are_no_gaps_and_hide_none():
    ts = np.array([to_ms("2018-12-24"), to_ms("2018-12-25"), to_ms("2018-12-27")])  # Christmas Day is extra
    assert gaps(ts, "1d", "XNYS") == (Gap(to_ms("2018-12-26"), to_ms("2018-12-27"), 1),)


@settings(max_examples=60, deadline=None)
@given(
    calendar=st.sampled_from(["24/7", "24/5", "XNYS", "XHKG"]),
    timeframe=st.sampled_from(["30m", "1h", "4h", "1d", "1w"]),
    data=st.data(),
)
def test_gaps_are_what_was_taken_out(calendar, timeframe, data):
    full = expected_opens(calendar, timeframe, to_ms("2018-11-01"), to_ms("2018-12-20"))
    taken = data.draw(st.sets(st.integers(1, len(full) - 2), max_size=len(full) - 2))
    kept = np.delete(full, sorted(taken))
    found = gaps(kept, timeframe, calendar)
    assert sum(gap.missing for gap in found) == len(taken)
    inside = [ts for gap in found for ts in full[(full >= gap.start) & (full < gap.end)].tolist()]
    assert inside == full[sorted(taken)].tolist()
    assert all(gap.start in full and gap.end in kept for gap in found)


def test_periods_per_year_round_the_clock_are_of_365_days():
    assert periods_per_year("24/7", "1d", 0, 1) == 365
    assert periods_per_year("24/7", "15m", 0, 1) == 35_040


def test_periods_per_year_of_currencies_count_hours_per_week():
    assert periods_per_year("24/5", "1h", 0, 1) == pytest.approx(120 * 365 / 7, rel=1e-15)
    assert periods_per_year("24/5", "1m", 0, 1) == pytest.approx(7_200 * 365 / 7, rel=1e-15)
    assert periods_per_year("24/5", "1d", 0, 1) == pytest.approx(5 * 365 / 7, rel=1e-15)
    assert periods_per_year("24/5", "1w", 0, 1) == pytest.approx(365 / 7, rel=1e-15)


def test_periods_per_year_of_an_exchange_are_its_own_sessions():
    def year(first, last, timeframe="1d"):
        return periods_per_year("XNYS", timeframe, to_ms(first), to_ms(last))

    assert year("2018-03-01", "2018-03-02") == 251
    assert year("2019-06-01", "2019-06-02") == 252
    assert year("2018-12-31", "2019-01-02") == 251.5
    assert year("2018-01-01", "2019-01-01") == 251  # the end is not touched
    assert year("2018-03-01", "2018-03-02", "1h") == 248 * 7 + 3 * 4  # three short days
    assert year("2018-03-01", "2018-03-02", "1w") == 53  # Mondays of 2018


def test_periods_per_year_use_whole_years_where_a_calendar_begins_within_one():
    # exchange_calendars knows Shanghai from 1990-12-03 on
    assert periods_per_year("XSHG", "1d", to_ms("1990-12-20"), to_ms("1991-06-01")) == periods_per_year(
        "XSHG", "1d", to_ms("1991-01-01"), to_ms("1991-06-01")
    )


def test_zones_of_calendars():
    assert zone_of("24/7") is None
    assert str(zone_of("24/5")) == str(zone_of("XNYS")) == "America/New_York"
    assert str(zone_of("XTKS")) == "Asia/Tokyo"


def test_calendars_without_an_exchange_load_no_library_of_exchanges():
    code = (
        "import sys, numpy as np\n"
        "from workbench.market.calendar import gaps, periods_per_year\n"
        "gaps(np.array([0, 7_200_000]), '1h', '24/7'), gaps(np.array([0, 7_200_000]), '1h', '24/5')\n"
        "periods_per_year('24/5', '1h', 0, 1)\n"
        "print(sorted({'pandas', 'exchange_calendars'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
