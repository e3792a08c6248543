"""The length of a bar: how it is written, its grid and its storage blocks."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import DataError
from workbench.market.bars import to_ms
from workbench.market.timeframe import Timeframe

DAY = 86_400_000


@pytest.mark.parametrize(
    ("text", "ms", "written"),
    [
        ("1s", 1_000, "1s"),
        ("90s", 90_000, "90s"),
        ("60s", 60_000, "1m"),
        ("15m", 900_000, "15m"),
        ("60m", 3_600_000, "1h"),
        ("4h", 14_400_000, "4h"),
        ("24h", DAY, "1d"),
        ("7d", 7 * DAY, "1w"),
        ("2w", 14 * DAY, "2w"),
    ],
)
def test_a_timeframe_is_read_and_written(text, ms, written):
    timeframe = Timeframe.parse(text)
    assert timeframe.ms == ms
    assert str(timeframe) == written
    assert Timeframe.parse(timeframe) is timeframe


@pytest.mark.parametrize(
    "text", ["", "1", "h", "0m", "01m", "-1h", "1.5h", "1M", "1H", "1 h", "1min", "tick", "1h\n", None]
)
def test_what_is_no_timeframe_is_refused(text):
    with pytest.raises(DataError, match=r"is not understood: write a whole number and a unit of s, m, h, d or w"):
        Timeframe.parse(text)


@pytest.mark.parametrize("ms", [0, -60_000, 500, 1_500])
def test_a_bar_lasts_whole_seconds(ms):
    with pytest.raises(DataError, match=rf"timeframe of {ms} ms: a bar lasts a whole number of seconds"):
        Timeframe(ms)


@given(st.integers(1, 10_000_000).map(lambda seconds: Timeframe(seconds * 1_000)))
def test_what_is_written_reads_back(timeframe):
    assert Timeframe.parse(str(timeframe)) == timeframe
    assert eval(repr(timeframe), {"Timeframe": Timeframe}) == timeframe  # the repr is code to paste
    assert pickle.loads(pickle.dumps(timeframe)) == timeframe


def test_timeframes_are_ordered_by_length_and_hashable():
    assert Timeframe.parse("1h") < Timeframe.parse("90m") < Timeframe.parse("1d")
    assert len({Timeframe.parse("60m"), Timeframe.parse("1h")}) == 1


@given(seconds=st.integers(1, 3_000_000), ts=st.integers(-(10**13), 10**13))
def test_floor_gives_the_open_of_the_bar_around_a_moment(seconds, ts):
    timeframe = Timeframe(seconds * 1_000)
    opened = timeframe.floor(ts)
    assert opened <= ts < opened + timeframe.ms
    assert timeframe.on_grid(np.array([opened]))[0]
    assert bool(timeframe.on_grid(np.array([ts]))[0]) == (opened == ts)


def test_days_open_at_midnight_and_weeks_on_mondays():
    assert Timeframe.parse("1d").on_grid(np.array([to_ms("2021-01-06"), to_ms("2021-01-06T05:00")])).tolist() == [
        True,
        False,
    ]
    monday, sunday = to_ms("2021-01-04"), to_ms("2021-01-03")
    assert Timeframe.parse("1w").on_grid(np.array([monday, sunday])).tolist() == [True, False]
    assert Timeframe.parse("2w").anchor_ms == Timeframe.parse("1w").anchor_ms == to_ms("1970-01-05")


@pytest.mark.parametrize(
    ("text", "same", "next_"),
    [
        ("1s", "2021-01-31T23:59:59", "2021-02-01"),
        ("14s", "2021-01-31T23:59:54", "2021-02-01"),
        ("15s", "2021-01-31T23:59:45", "2021-02-01"),
        ("1m", "2021-01-31T23:59", "2021-02-01"),
        ("15m", "2021-12-31T23:45", "2022-01-01"),
        ("4h", "2021-12-31T20:00", "2022-01-01"),
    ],
)
def test_blocks_are_days_months_or_years(text, same, next_):
    timeframe = Timeframe.parse(text)
    start = {"1s": "2021-01-31", "14s": "2021-01-31", "15s": "2021-01-01", "1m": "2021-01-01"}.get(text, "2021-01-01")
    blocks = timeframe.block_of(np.array([to_ms(start), to_ms(same), to_ms(next_)])).tolist()
    assert blocks[0] == blocks[1] == blocks[2] - 1


def test_daily_and_longer_bars_are_one_block():
    assert Timeframe.parse("1d").block_of(np.array([-(10**12), 0, 10**12])).tolist() == [0, 0, 0]


def test_a_block_before_1970_is_numbered_downwards():
    assert Timeframe.parse("1h").block_of(np.array([-1])).tolist() == [-1]


@pytest.mark.parametrize("ms", ["1h", 3_600_000.0, 10**30])
def test_a_length_is_an_integer_within_reason(ms):
    with pytest.raises(DataError, match="a bar lasts a whole number of seconds, at least one and at most a year"):
        Timeframe(ms)
