"""Replays are the same each time, merged by time, and go as fast as they are told to."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from tests.market.feeds.made_events import bar, everything, ticker, trade
from workbench.errors import ConfigError, DataError
from workbench.market.bars import Bars
from workbench.market.feeds.doors import collect, record_feed, replay, tapes
from workbench.market.feeds.events import BarClosed, Event
from workbench.market.feeds.feed import Feed, Times
from workbench.market.feeds.record import Recording
from workbench.market.feeds.replay import ReplayFeed, StepClock
from workbench.market.feeds.tape import Tape
from workbench.market.instrument import Instrument
from workbench.market.ticks import Ticks

MINUTE = 60_000


def made(timeframe: str, count: int, symbol: str = "BTC/USDT") -> Bars:
    step = {"1m": 1, "5m": 5}[timeframe] * MINUTE
    ts = np.arange(count, dtype=np.int64) * step
    close = 100.0 + np.arange(count)
    return Bars(
        instrument=Instrument(symbol=symbol), timeframe=timeframe, ts=ts, open=close, high=close + 1, low=close - 1,
        close=close, volume=np.ones(count),
    )  # fmt: skip


def test_series_and_ticks_are_merged_by_the_time_at_which_they_were_known() -> None:
    ticks = Ticks(
        instrument=Instrument(symbol="BTC/USDT"), ts=[30_000, 60_000, 60_000], price=[1.0, 2.0, 3.0], quantity=[1.0] * 3
    )
    events = collect(ReplayFeed(made("1m", 6), made("5m", 1), ticks))
    assert [(event.received, type(event).__name__, getattr(event, "timeframe", "")) for event in events] == [
        (30_000, "TradePrinted", ""),
        (60_000, "BarClosed", "1m"),
        (60_000, "TradePrinted", ""),
        (60_000, "TradePrinted", ""),
        *((minute * MINUTE, "BarClosed", "1m") for minute in (2, 3, 4)),
        (300_000, "BarClosed", "1m"),
        (300_000, "BarClosed", "5m"),
        (360_000, "BarClosed", "1m"),
    ]
    first = events[1]
    assert first == BarClosed("BTC/USDT", 0, MINUTE, "1m", 100.0, 101.0, 99.0, 100.0, 1.0, "replay")


def test_a_replay_of_a_tape_is_the_tape_to_the_bit(tmp_path: Path) -> None:
    told = [event for number in range(300) for event in everything(number)]
    info = record_feed(ReplayFeed(told), "first", root=tmp_path)
    assert info.events == len(told)
    again = record_feed(replay("first", root=tmp_path), "second", root=tmp_path)
    first, second = (list(Tape(tmp_path, name).events()) for name in ("first", "second"))
    assert first == second == told
    assert collect(replay("first", root=tmp_path)) == told
    assert again.kinds == info.kinds
    assert list(tapes(root=tmp_path).name) == ["first", "second"]


def test_events_within_a_source_keep_their_order_though_a_clock_went_back() -> None:
    told: list[Event] = [ticker(10), ticker(5), ticker(11)]
    assert collect(ReplayFeed(told, [trade(1)])) == [trade(1), *told]


def test_a_held_clock_decides_how_far_a_replay_goes() -> None:
    async def run() -> None:
        clock, told = StepClock(), []

        async def read() -> None:
            async with ReplayFeed(made("1m", 5), speed=clock) as feed:
                async for event in feed:
                    told.append(event.ts // MINUTE)

        task = asyncio.create_task(read())
        for minute, expected in ((0, []), (1, [0]), (3, [0, 1, 2])):
            clock.set(minute * MINUTE)
            for _ in range(10):
                await asyncio.sleep(0)
            assert told == expected
        clock.advance(100 * MINUTE)
        await task
        assert told == [0, 1, 2, 3, 4]
        with pytest.raises(ConfigError, match="cannot go back"):
            clock.set(0)

    asyncio.run(run())


def test_a_speed_is_kept_without_drifting() -> None:
    now, slept = [100.0], []

    async def sleep(seconds: float) -> None:
        slept.append(round(seconds, 9))
        now[0] += seconds + 0.004  # a sleep is never exact

    times = Times(monotonic=lambda: now[0], sleep=sleep)
    assert len(collect(ReplayFeed(made("1m", 4), speed=120.0, times=times))) == 4
    assert slept == [0.0, 0.496, 0.496, 0.496]


def test_a_feed_is_a_feed() -> None:
    feed = ReplayFeed([bar(1)])
    assert isinstance(feed, Feed)
    assert collect(feed) == [bar(1)]
    assert feed.health["state"] == "closed" and feed.health["messages"] == 1


def test_a_recording_passes_on_what_it_tapes(tmp_path: Path) -> None:
    told = [bar(number) for number in range(5)]
    recording = Recording(ReplayFeed(told), Tape(tmp_path, "passed"))
    assert isinstance(recording, Feed)
    assert collect(recording, events=3) == told[:3]
    assert recording.health["taped"] == 3
    assert list(Tape(tmp_path, "passed").events()) == told[:3]


def test_wrong_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing to replay"):
        ReplayFeed()
    with pytest.raises(ConfigError, match="speed of a replay is 0"):
        ReplayFeed(made("1m", 1), speed=0)
    with pytest.raises(DataError, match="a dict cannot be replayed"):
        ReplayFeed({})  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no tape 'none'"):
        replay("none", root=tmp_path)
