"""Long bars from short ones: against pandas on complete data, and what happens to holes, ends and sessions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.market.bars import COLUMNS, Bars, moment, to_ms
from workbench.market.calendar import expected_opens
from workbench.market.instrument import Instrument
from workbench.market.resampling import resample

HOUR = 3_600_000


def walk(ts, timeframe="1h", calendar="24/7", seed=0, **more):
    """Bars of a random walk at given times."""
    draw = np.random.default_rng(seed)
    close = 100 * np.exp(draw.normal(0, 0.01, len(ts)).cumsum())
    open_ = np.concatenate([[100.0], close[:-1]]) * np.exp(draw.normal(0, 0.001, len(ts)))
    spread = np.exp(np.abs(draw.normal(0, 0.002, (2, len(ts)))))
    return Bars(
        instrument=Instrument(symbol="X/USD", calendar=calendar), timeframe=timeframe, ts=np.asarray(ts), open=open_,
        high=np.maximum(open_, close) * spread[0], low=np.minimum(open_, close) / spread[1], close=close,
        volume=draw.integers(0, 1_000, len(ts)).astype(float), **more,
    )  # fmt: skip


def hours(calendar, start, end):
    return walk(expected_opens(calendar, "1h", to_ms(start), to_ms(end)), calendar=calendar)


@settings(max_examples=40)
@given(start=st.integers(0, 400), count=st.integers(1, 400), multiple=st.sampled_from([2, 4, 24, 168]))
def test_complete_bars_agree_with_pandas(start, count, multiple):
    bars = walk((start + np.arange(count)) * HOUR)
    long = resample(bars, f"{multiple}h")
    rule = "W-MON" if multiple == 168 else f"{multiple}h"
    grouped = bars.to_pandas().resample(rule, label="left", closed="left")
    wanted = grouped.agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"})
    wanted = wanted[grouped["close"].count() == multiple]
    assert long.ts.tolist() == [int(ts.timestamp() * 1_000) for ts in wanted.index]
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(long, name), wanted[name].to_numpy())


@settings(max_examples=40)
@given(taken=st.sets(st.integers(0, 95)))
def test_a_long_bar_with_a_hole_is_left_out_and_counted(taken):
    whole = walk(np.arange(96) * HOUR)
    kept = np.setdiff1d(np.arange(96), sorted(taken))
    bars = Bars(
        instrument=whole.instrument, timeframe="1h", ts=whole.ts[kept],
        **{name: getattr(whole, name)[kept] for name in COLUMNS},
    )  # fmt: skip
    long, complete = resample(bars, "8h"), resample(whole, "8h")
    holed = {row // 8 for row in taken}
    assert long.ts.tolist() == [slot * 8 * HOUR for slot in range(12) if slot not in holed]
    assert long.close.tolist() == [complete.close[slot] for slot in range(12) if slot not in holed]
    cut = len({row // 8 for row in kept.tolist()} & holed)
    assert (f"{cut} incomplete 8h bar" in long.provenance.get("note", "")) == (cut > 0)


@pytest.mark.parametrize("calendar", ["24/7", "24/5", "XNYS", "XHKG", "XASX", "CMES"])
def test_days_and_weeks_gather_sessions_and_agree_with_each_other(calendar):
    bars = hours(calendar, "2017-10-16", "2017-11-25")  # clocks change in between, and Thanksgiving
    days, weeks = resample(bars, "1d"), resample(bars, "1w")
    assert days.gaps == weeks.gaps == ()
    assert resample(days, "1w") == weeks
    inner = bars.between(days.ts[1] - 24 * HOUR, days.ts[-2] + 24 * HOUR)
    assert days.ts.tolist() == expected_opens(calendar, "1d", days.start, days.end).tolist()
    assert days[1:-1].volume.sum() <= inner.volume.sum()


def test_sunday_evening_belongs_to_mondays_currency_bar():
    bars = hours("24/5", "2017-01-08", "2017-01-11")
    days = resample(bars, "1d")
    assert [moment(ts) for ts in days.ts] == ["2017-01-09", "2017-01-10"]
    assert days.open[0] == bars.open[0]
    assert days.volume[0] == bars.volume[:26].sum()  # from Sunday 22:00 to Monday 23:00
    assert [moment(ts) for ts in resample(bars[1:], "1d").ts] == ["2017-01-10"]


def test_a_session_that_opens_the_day_before_its_date_is_gathered_whole():
    bars = hours("XASX", "2018-11-04T23:00", "2018-11-06T12:00")  # Sydney opens at 23:00 UTC
    days = resample(bars, "1d")
    assert [moment(ts) for ts in days.ts] == ["2018-11-05", "2018-11-06"]
    assert days.open[0] == bars.open[0]
    cut = resample(bars[1:], "1d")  # without that first hour the session is not complete
    assert [moment(ts) for ts in cut.ts] == ["2018-11-06"]


def test_bars_outside_trading_time_are_left_out_and_counted():
    session = hours("XNYS", "2018-11-26", "2018-11-28")
    extended = walk((to_ms("2018-11-26") // HOUR + np.arange(48)) * HOUR, calendar="XNYS")
    day = resample(extended, "1d")
    first = int(np.searchsorted(extended.ts, session.ts[0]))
    assert day.open[0] == extended.open[first]
    assert day.volume[0] == extended.volume[first : first + 7].sum()
    assert f"{48 - len(session)} bars outside the trading time of XNYS left out" in day.provenance["note"]


def test_bars_of_which_half_was_made_up_are_marked_as_filled():
    marks = np.array([True, True, True, True, False, False, True, False, False, False, False, False])
    long = resample(walk(np.arange(12) * HOUR, filled=marks), "4h")
    assert long.filled.tolist() == [True, False, False]
    assert resample(walk(np.arange(4) * HOUR, filled=np.array([True, False, False, True])), "4h").filled.tolist() == [
        True
    ]


def test_provenance_says_what_the_bars_were_made_from():
    origin = {"source": "s", "licence": "l", "note": "Ask prices.", "rows": 5}
    long = resample(walk(np.arange(1, 50) * HOUR, provenance=origin), "1d")
    assert long.provenance == {
        "source": "s",
        "licence": "l",
        "note": "Ask prices; resampled from 1h, complete bars only; "
        "2 incomplete 1d bars left out (1970-01-01, 1970-01-03)",
    }
    assert resample(walk(np.arange(48) * HOUR), "1d").provenance == {"note": "resampled from 1h, complete bars only"}


def test_an_empty_series_stays_empty():
    assert len(resample(walk(np.zeros(0, np.int64)), "1d")) == 0


@pytest.mark.parametrize(("have", "asked"), [("1h", "30m"), ("1h", "1h"), ("1h", "90m"), ("7h", "1w")])
def test_only_a_longer_multiple_can_be_made(have, asked):
    bars = walk(np.zeros(0, np.int64), have)
    with pytest.raises(DataError, match=f"{have} bars cannot be made into {asked} bars: ask for a longer timeframe"):
        resample(bars, asked)


def test_a_series_at_the_edge_of_what_a_calendar_knows_can_be_resampled():
    bars = hours("XTKS", "1997-01-01", "1997-02-01")  # Tokyo is known from that day on
    assert moment(resample(bars, "1w").ts[0]) == "1997-01-06"


def test_real_hours_become_real_days(lake):
    bars = lake.read("BTC/USDT", "1h", venue="binance")
    days, four = resample(bars, "1d"), resample(bars, "4h")
    in_two_steps = resample(four, "1d")
    assert in_two_steps.ts.tolist() == days.ts.tolist()
    for name in COLUMNS[:4]:
        np.testing.assert_array_equal(getattr(in_two_steps, name), getattr(days, name))
    np.testing.assert_allclose(in_two_steps.volume, days.volume, rtol=1e-14)  # summed in another order
    assert days == lake.read("BTC/USDT", "1d", venue="binance")
    assert four == lake.read("BTC/USDT", "4h", venue="binance")
    # Binance's published day of 2020-01-01: an independent number
    assert days.between("2020-01-01", "2020-01-02").close.tolist() == [7200.85]


def test_what_is_no_bars_is_named():
    with pytest.raises(DataError, match="a list cannot be resampled: give wb"):
        resample([1, 2], "4h")
