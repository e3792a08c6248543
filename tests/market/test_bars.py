"""`Bars`: every rule by its message, the ways in and out, and the fingerprint."""

import datetime as dt
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from workbench.errors import DataError
from workbench.market.bars import COLUMNS, Bars, Gap, digest_blocks, fingerprint_of, moment, to_ms
from workbench.market.instrument import Instrument
from workbench.market.timeframe import Timeframe

HOUR = 3_600_000
BTC = Instrument.default("BTC/USDT", "binance")


def columns(count=6, start=0):
    close = 100 + np.arange(start, start + count) * 0.25
    return {
        "ts": (start + np.arange(count)) * HOUR,
        "open": close - 0.25, "high": close + 1, "low": close - 1, "close": close, "volume": np.arange(count) + 1.0,
    }  # fmt: skip


def make(count=6, timeframe="1h", instrument=BTC, **changes):
    return Bars(instrument=instrument, timeframe=timeframe, **{**columns(count), **changes})


PRICES = st.floats(1e-6, 1e9)


@st.composite
def series(draw, timeframe="1h", max_size=30):
    """Any bars that keep the rules."""
    step = Timeframe.parse(timeframe).ms
    slots = sorted(draw(st.sets(st.integers(-40_000, 40_000), max_size=max_size)))
    block = draw(arrays.arrays(np.float64, (4, len(slots)), elements=PRICES))
    volume = draw(arrays.arrays(np.float64, len(slots), elements=st.floats(0, 1e12)))
    open_, close = block[0], block[1]
    return Bars(
        instrument=BTC, timeframe=timeframe, ts=np.array(slots, np.int64) * step, open=open_, high=block.max(axis=0),
        low=block.min(axis=0), close=close, volume=volume, filled=draw(st.none() | arrays.arrays(np.bool_, len(slots))),
    )  # fmt: skip


# The rules


def with_value(name, row, value):
    column = columns()[name].astype(float)
    column[row] = value
    return {name: column}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (with_value("open", 2, np.nan), "open is not a finite number at 1970-01-01 02:00 UTC, row 2: open=nan"),
        (with_value("high", 2, np.inf), "high is not a finite number at .*: high=inf"),
        (with_value("low", 2, -np.inf), "low is not a finite number"),
        (with_value("close", 0, np.nan), "close is not a finite number at 1970-01-01 UTC, row 0"),
        (with_value("volume", 5, np.nan), "volume is not a finite number at 1970-01-01 05:00 UTC, row 5"),
        (with_value("open", 2, 0.0), "open is not positive at .*: open=0.0"),
        (with_value("high", 2, -1.0), "high is not positive"),
        (with_value("low", 2, 0.0), "low is not positive"),
        (with_value("close", 2, -3.0), "close is not positive at .*: close=-3.0"),
        (with_value("volume", 2, -1.0), "volume is negative at .*: volume=-1.0"),
        (with_value("high", 2, 1.0), r"high is below low at .*: high=1.0, low=99.5"),
        (with_value("high", 2, 100.3), "high is below open or close at .*: open=100.25, high=100.3, close=100.5"),
        (with_value("low", 2, 100.3), "low is above open or close at .*: open=100.25, low=100.3, close=100.5"),
        (
            {"ts": np.array([0, 1, 1, 2, 3, 4]) * HOUR},
            r"the same time stands twice \(wb.data.clean drops .* 01:00 UTC, row 2",
        ),
        ({"ts": np.array([0, 2, 1, 3, 4, 5]) * HOUR}, "the time goes backwards .* at 1970-01-01 01:00 UTC, row 2"),
        (
            {"ts": columns()["ts"] + 1_000},
            r"is not on the 1h grid of bar opens in UTC at 1970-01-01 00:00:01.*and 5 more rows",
        ),
        ({"close": columns()["close"][:5]}, r"column 'close' has shape \(5,\); every column must be .* 'ts' \(6\)"),
        ({"ts": columns()["ts"].reshape(2, 3)}, r"column 'ts' has shape \(2, 3\)"),
        ({"volume": ["many"] * 6}, "column 'volume' holds something that is not a number"),
        ({"ts": columns()["ts"] + 0.5}, "column 'ts' is an array of float64; 'ts' must be whole milliseconds UTC"),
        ({"ts": columns()["ts"].astype("datetime64[s]")}, r"column 'ts' is an array of datetime64\[s\]"),
        ({"close": columns()["ts"].astype("datetime64[ms]")}, r"column 'close' is an array of datetime64\[ms\]"),
        ({"filled": np.zeros(3, bool)}, r"column 'filled' has shape \(3,\)"),
    ],
)
def test_each_rule_has_its_message(changes, message):
    with pytest.raises(DataError, match=f"^BTC/USDT.*{message}"):
        make(**changes)


def test_an_error_counts_and_carries_its_facts():
    bad = columns()["close"].copy()
    bad[[1, 3, 4]] = np.nan
    with pytest.raises(DataError, match=r"row 1: close=nan \(and 2 more rows\)") as caught:
        make(close=bad)
    assert caught.value.fields == {"rule": "close is not a finite number", "row": 1, "ts": HOUR, "count": 3}
    bad[4] = 100
    with pytest.raises(DataError, match=r"\(and 1 more row\)"):
        make(close=bad)


@given(series())
def test_whatever_keeps_the_rules_is_taken(bars):
    assert len(bars) == len(bars.ts)
    assert bars.timeframe == Timeframe.parse("1h")


# Read-only


def test_columns_cannot_be_changed_by_anybody():
    mine = columns()
    bars = make(**mine)
    mine["close"][0] = 1.0
    assert bars.close[0] == 100
    for name in ("ts", *COLUMNS):
        with pytest.raises(ValueError, match="read-only"):
            getattr(bars, name)[0] = 1
    with pytest.raises(AttributeError):
        bars.close = mine["close"]


def test_a_read_only_array_is_shared_and_others_are_converted():
    shared = columns()["close"]
    shared.flags.writeable = False
    assert make(close=shared).close is shared
    assert make(volume=[1, 2, 3, 4, 5, 6]).volume.dtype == np.float64
    assert make(ts=columns()["ts"].astype(np.int32)).ts.dtype == np.int64
    assert len(make(0, ts=[])) == 0


# What bars know of themselves


def test_the_span_and_the_size():
    bars = make()
    assert (bars.symbol, bars.venue, bars.start, bars.end, len(bars)) == ("BTC/USDT", "binance", 0, 6 * HOUR, 6)
    assert bars.nbytes == 6 * 6 * 8
    assert repr(bars) == "<Bars BTC/USDT 1h binance, 6 bars, 1970-01-01 to 1970-01-01 06:00>"


@pytest.mark.parametrize("name", ["start", "end", "periods_per_year"])
def test_an_empty_series_has_no_span(name):
    empty = make(0)
    assert (len(empty), empty.gaps, repr(empty)) == (0, (), "<Bars BTC/USDT 1h binance, 0 bars, empty>")
    with pytest.raises(DataError, match="BTC/USDT 1h: the series is empty; ask for a range that has bars"):
        getattr(empty, name)


def test_gaps_and_periods_follow_the_instruments_calendar():
    assert make(ts=np.array([0, 1, 4, 5, 6, 7]) * HOUR).gaps == (Gap(2 * HOUR, 4 * HOUR, 2),)
    assert make().periods_per_year == 8_760
    friday_and_monday = np.array([to_ms("2018-12-21"), to_ms("2018-12-24")])
    daily = {name: column[:2] for name, column in columns().items()} | {"ts": friday_and_monday}
    share = Bars(instrument=Instrument.default("KO"), timeframe="1d", **daily)
    assert share.gaps == ()
    assert share.periods_per_year == 251
    assert Bars(instrument=BTC, timeframe="1d", **daily).gaps == (Gap(to_ms("2018-12-22"), to_ms("2018-12-24"), 2),)


def test_a_notebook_shows_a_table_and_escapes_names():
    odd = make(12, instrument=Instrument(symbol="<b>", venue="x"))
    html = odd._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert "0 missing" in html
    assert "<table" in make(0)._repr_html_()


def test_unmarked_bars_have_no_fill_marks():
    assert make(filled=np.zeros(6, bool)).filled is None
    marks = np.array([False, True, False, False, False, False])
    assert make(filled=marks).filled.tolist() == marks.tolist()


# Parts


@given(bars=series(), first=st.integers(-40, 40) | st.none(), last=st.integers(-40, 40) | st.none())
def test_a_slice_is_the_rows_of_every_column(bars, first, last):
    part = bars[first:last]
    for name in ("ts", *COLUMNS):
        assert getattr(part, name).tobytes() == getattr(bars, name)[first:last].tobytes()
    marks = np.zeros(len(bars), bool) if bars.filled is None else bars.filled
    assert (part.filled is not None) == bool(marks[first:last].any())
    if len(part):
        assert np.shares_memory(part.close, bars.close)


@pytest.mark.parametrize("rows", [0, slice(None, None, 2), slice(None, None, -1), [0, 1], "close"])
def test_only_a_run_of_bars_can_be_taken(rows):
    with pytest.raises(DataError, match=r"take a run of bars with bars\[first:last\]"):
        make()[rows]


@given(bars=series(), edges=st.tuples(st.integers(-50_000, 50_000), st.integers(-50_000, 50_000)))
def test_between_takes_what_opens_from_start_up_to_end(bars, edges):
    start, end = (edge * HOUR + 1_800_000 for edge in edges)
    wanted = [ts for ts in bars.ts.tolist() if start <= ts < end]
    assert bars.between(start, end).ts.tolist() == wanted
    assert bars.between().ts.tolist() == bars.ts.tolist()


def test_between_reads_dates():
    bars = make(48)
    assert [moment(ts) for ts in bars.between("1970-01-01T23:00", dt.date(1970, 1, 2)).ts] == ["1970-01-01 23:00"]
    assert len(bars.between(pd.Timestamp("1970-01-02", tz="Europe/Berlin"))) == 25


# pandas


@given(series())
def test_pandas_and_back_is_the_same(bars):
    frame = bars.to_pandas()
    assert list(frame.columns) == list(COLUMNS)
    assert (str(frame.index.tz), frame.index.name) == ("UTC", "ts")
    unmarked = Bars(instrument=BTC, timeframe="1h", **{name: getattr(bars, name) for name in ("ts", *COLUMNS)})
    back = Bars.from_pandas(frame, symbol="BTC/USDT", venue="binance", timeframe="1h")
    assert back == unmarked


def test_the_frame_given_is_the_callers_own():
    bars = make()
    frame = bars.to_pandas()
    frame.iloc[0, 0] = 5.0
    assert bars.open[0] == 99.75


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York", "Asia/Kolkata"])
def test_an_index_in_any_unit_or_timezone_is_read(unit, zone):
    frame = make().to_pandas()
    index = frame.index.as_unit(unit)
    frame.index = index.tz_localize(None) if zone is None else index.tz_convert(zone)
    assert Bars.from_pandas(frame, symbol="BTC/USDT", venue="binance", timeframe="1h") == make()


def test_from_pandas_takes_extra_columns_in_any_order_and_facts():
    frame = make().to_pandas()[list(COLUMNS[::-1])].assign(trades=1)
    gold = Instrument(symbol="XAU/USD", venue="oanda")
    bars = Bars.from_pandas(frame, symbol="XAU/USD", timeframe="1h", instrument=gold, provenance={"source": "x"})
    assert bars.instrument is gold
    assert bars.provenance == {"source": "x"}
    assert bars.close.tolist() == make().close.tolist()


def test_a_frame_that_is_not_clean_is_refused():
    frame = make().to_pandas()
    told = {"symbol": "BTC/USDT", "timeframe": "1h"}
    with pytest.raises(DataError, match=r"the frame has no column 'high', 'volume'; it has 'open', 'low', 'close'"):
        Bars.from_pandas(frame.drop(columns=["high", "volume"]), **told)
    with pytest.raises(DataError, match="the frame's index is a RangeIndex; it must be a DatetimeIndex"):
        Bars.from_pandas(frame.reset_index(drop=True), **told)
    with pytest.raises(DataError, match="the frame's index has NaT; drop those rows"):
        Bars.from_pandas(frame.set_axis([pd.NaT, *frame.index[1:]]), **told)
    with pytest.raises(DataError, match="the frame's index has fractions of a millisecond"):
        Bars.from_pandas(frame.set_axis(frame.index + pd.Timedelta("1us")), **told)
    with pytest.raises(DataError, match="the time goes backwards"):
        Bars.from_pandas(frame[::-1], **told)
    with pytest.raises(DataError, match="timeframe '1 hour' is not understood"):
        Bars.from_pandas(frame, symbol="BTC/USDT", timeframe="1 hour")


# Fingerprint


@given(bars=series(), data=st.data())
def test_equal_content_has_equal_fingerprints_and_other_content_has_not(bars, data):
    def rebuilt(**changes):
        content = {name: getattr(bars, name).copy() for name in ("ts", *COLUMNS)}
        return Bars(**{"instrument": BTC, "timeframe": "1h", "filled": bars.filled, **content, **changes})

    same = rebuilt(provenance={"source": "elsewhere"})
    assert same.fingerprint == bars.fingerprint
    assert same == bars
    if not len(bars):
        return
    row = data.draw(st.integers(0, len(bars) - 1))
    volume = bars.volume.copy()
    volume[row] += max(1.0, volume[row])
    marks = np.zeros(len(bars), bool) if bars.filled is None else bars.filled.copy()
    marks[row] = not marks[row]
    others = [rebuilt(volume=volume), rebuilt(filled=marks), bars[: len(bars) - 1], rebuilt(ts=bars.ts + 24 * HOUR)]
    assert bars.fingerprint not in {other.fingerprint for other in others}
    assert all(other != bars for other in others)


def test_equality_needs_the_same_instrument_and_timeframe():
    assert make() == make()
    assert make() != make(instrument=BTC.replace(taker_fee=0.5))
    assert make() != "bars"
    with pytest.raises(TypeError, match="unhashable"):
        hash(make())


@given(bars=series(max_size=60), data=st.data())
def test_blocks_are_independent(bars, data):
    """What a block's hash is depends on that block alone, so an append rehashes the last one only."""
    whole = digest_blocks(bars)
    assert fingerprint_of(whole) == bars.fingerprint
    blocks = bars.timeframe.block_of(bars.ts)
    assert list(whole) == sorted(set(blocks.tolist()))
    for block in whole:
        first, last = np.searchsorted(blocks, block), np.searchsorted(blocks, block, side="right")
        assert digest_blocks(bars[int(first) : int(last)]) == {block: whole[block]}
    cut = data.draw(st.sampled_from([0, *np.flatnonzero(np.diff(blocks)).tolist()])) + 1
    if len(bars) and blocks[min(cut, len(bars) - 1)] != blocks[cut - 1]:
        assert fingerprint_of(digest_blocks(bars[:cut]) | digest_blocks(bars[cut:])) == bars.fingerprint


def test_the_fingerprint_is_the_same_in_every_process_and_version():
    assert make().fingerprint == "00d8ec9f1705e0eba813b1b883967466"


def test_bars_survive_pickling_into_worker_processes():
    bars = make(filled=np.array([True, False, False, False, False, False]), provenance={"source": "s"})
    back = pickle.loads(pickle.dumps(bars))
    assert back == bars
    assert back.provenance == bars.provenance
    assert not back.close.flags.writeable


# Moments


@pytest.mark.parametrize(
    "when",
    [
        1_609_459_200_000,
        np.int64(1_609_459_200_000),
        "2021-01-01",
        "2021-01-01T00:00",
        "2021-01-01 01:00:00+01:00",
        "20210101",
        dt.date(2021, 1, 1),
        dt.datetime(2021, 1, 1),
        dt.datetime(2021, 1, 1, tzinfo=dt.UTC),
        dt.datetime(2020, 12, 31, 19, tzinfo=dt.timezone(dt.timedelta(hours=-5))),
        np.datetime64("2021-01-01"),
        pd.Timestamp("2021-01-01"),
        pd.Timestamp("2020-12-31 19:00", tz="America/New_York"),
    ],
)
def test_a_moment_is_read_in_every_usual_form(when):
    assert to_ms(when) == 1_609_459_200_000


@pytest.mark.parametrize("when", ["soon", "2021-13-01", "", None, 1.5, True, [2021], np.datetime64("NaT"), pd.NaT])
def test_what_is_no_moment_is_refused(when):
    with pytest.raises(DataError, match="is no time: "):
        to_ms(when)


@given(st.integers(-(10**12), 4 * 10**12))
def test_milliseconds_survive_a_datetime(ms):
    assert to_ms(dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=ms)) == ms


def test_a_moment_is_written_as_short_as_it_can_be():
    written = [moment(to_ms(text)) for text in ("2021-01-01", "2021-01-01T10:00", "2021-01-01T10:00:07")]
    assert written == ["2021-01-01", "2021-01-01 10:00", "2021-01-01 10:00:07"]


# What somebody else could still change, or what is no number


def test_bars_do_not_change_with_the_frame_they_were_made_of():
    frame = make().to_pandas()
    bars = Bars.from_pandas(frame, symbol="BTC/USDT", timeframe="1h")
    before = bars.close.copy()
    frame.iloc[2, 3] = 100.4  # pandas hands out read-only views of memory that it goes on writing to
    frame.loc[frame.index[3], "close"] = 100.6
    np.testing.assert_array_equal(bars.close, before)


def test_a_read_only_view_of_writable_memory_is_copied_and_locked_memory_is_shared():
    memory = columns()["close"].copy()
    view = memory.view()
    view.flags.writeable = False
    bars = make(close=view)
    memory[0] += 0.1
    assert bars.close[0] == columns()["close"][0]
    assert np.shares_memory(bars[2:].close, bars.close)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"close": np.ma.array(columns()["close"], mask=[0, 0, 1, 0, 0, 0])}, "close is not a finite number .* row 2"),
        ({"close": columns()["close"].astype(complex)}, "column 'close' is an array of complex128"),
        ({"instrument": "BTC/USDT"}, "instrument is a str: give wb.Instrument"),
    ],
)
def test_what_is_no_column_of_numbers_or_no_instrument(changes, message):
    with pytest.raises(DataError, match=message):
        make(**changes)


def test_a_time_beyond_64_bits_is_no_time():
    with pytest.raises(DataError, match="is no time"):
        to_ms(10**30)
