"""The parts of parity: trades of any kind add up, tapes keep what was heard, the band is left when it is left."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.bots.planted import case, live
from tests.effort import examples
from workbench.backtest.prepare import prepare
from workbench.bots.comparison import compare_lives
from workbench.bots.comparison.banding import Band, simultaneous
from workbench.bots.comparison.causes import explain
from workbench.bots.comparison.facts import Facts
from workbench.bots.comparison.lived import Lived, read_life
from workbench.bots.comparison.pages import document_of
from workbench.bots.comparison.pairing import Pair
from workbench.bots.comparison.tapes import Tape
from workbench.bots.comparison.trips import trips_of
from workbench.errors import ConfigError
from workbench.market.lake import Lake
from workbench.trading.events import Bar, Filled, Funded, Learnt, Moved

pytestmark = pytest.mark.deep
HOUR = 3_600_000
SPOT = wb.Instrument(symbol="BTC/USDT", venue="x", quote="USDT", tick_size=0.01, lot_size=0.001)
COIN = wb.Instrument(symbol="BTC/USD:BTC", venue="x", kind="inverse", quote="USD", tick_size=0.5, lot_size=1.0,
                     contract_size=100.0)  # fmt: skip


def made_up(instrument: wb.Instrument = SPOT, hours: int = 200) -> wb.Bars:
    close = 100.0 + 5.0 * np.sin(np.arange(hours) / 9.0)
    return wb.Bars(
        instrument=instrument, timeframe="1h", ts=np.arange(hours) * HOUR, open=close, high=close + 1.0,
        low=close - 1.0, close=close, volume=np.full(hours, 1e6),
    )  # fmt: skip


def fill(symbol: str, ts: int, side: str, quantity: float, price: float, fee: float, name: str = "") -> Filled:
    return Filled(ts, name or f"wb{ts}", symbol, side, quantity, price, fee, False, price, "signal", ts - HOUR)


numbers = st.floats(0.5, 2.0)
leg = st.tuples(numbers, numbers, numbers, numbers, st.floats(-0.1, 0.1), st.integers(0, 3), st.integers(1, 9))


@settings(max_examples=examples(150))
@given(wanted=leg, got=leg, inverse=st.booleans(), disturbed=st.booleans())
def test_costs_of_causes_are_the_whole_difference(wanted: Any, got: Any, inverse: bool, disturbed: bool) -> None:
    facts, trips = COIN if inverse else SPOT, []
    for quantity, entry, exit_, fee, funding, begins, lasts in (wanted, got):
        told: list[Any] = [
            fill(facts.symbol, begins * HOUR, "buy", quantity, 100.0 * entry, 0.01 * fee),
            Funded(begins * HOUR + 1, facts.symbol, quantity, 100.0, 0.001, funding),
            fill(facts.symbol, (begins + lasts) * HOUR, "sell", quantity, 100.0 * exit_, 0.02 * fee),
        ]
        trips += trips_of(told, {facts.symbol: facts}, {facts.symbol: 100.0}, 100 * HOUR)
    plan = prepare(wb.Signals(entry=np.zeros(200, bool), exit=np.zeros(200, bool)), made_up(facts))
    causes = explain(Pair(*trips), Facts(Lived(began=HOUR, ended=200 * HOUR), plan), disturbed)
    whole = trips[1].pnl - trips[0].pnl
    assert math.isclose(math.fsum(one.cost for one in causes), whole, abs_tol=1e-9 * trips[0].turnover)
    for one in causes:
        if one.parts:
            told_parts = math.fsum(cost for _, cost in one.parts)
            assert math.isclose(told_parts, one.cost, abs_tol=1e-9 * trips[0].turnover)


def test_an_inverse_contract_earns_coins() -> None:
    told = [fill(COIN.symbol, HOUR, "buy", 10.0, 100.0, 0.0), fill(COIN.symbol, 2 * HOUR, "sell", 10.0, 125.0, 0.0)]
    (one,) = trips_of(told, {COIN.symbol: COIN}, {}, 3 * HOUR)
    assert one.pnl == pytest.approx(10.0 * 100.0 * (1 / 100.0 - 1 / 125.0))


def test_funding_told_after_a_position_was_left_is_its_own() -> None:
    told: list[Any] = [
        fill("BTC/USDT", HOUR, "buy", 1.0, 100.0, 0.0), fill("BTC/USDT", 2 * HOUR, "sell", 1.0, 100.0, 0.0),
        Funded(2 * HOUR - 1, "BTC/USDT", 1.0, 100.0, 0.01, -1.0),
    ]  # fmt: skip
    (one,) = trips_of(told, {"BTC/USDT": SPOT}, {}, 3 * HOUR)
    assert one.funding == -1.0 and one.pnl == pytest.approx(-1.0)


def word(kind: Any, hour: int, close: float = 100.0) -> Any:
    ts = hour * HOUR
    return kind("BTC/USDT", ts, ts + HOUR, close, close + 1.0, close - 1.0, close, 5.0, "1h")


def test_a_tape_keeps_the_last_word_and_how_it_came() -> None:
    tape = Tape()
    for one in (word(Learnt, 0), word(Learnt, 1), word(Bar, 1), word(Learnt, 3), word(Learnt, 4)):
        tape.add(one, acted=type(one) is Bar)
    tape.late.add(4 * HOUR)
    assert [tape.how(hour * HOUR) for hour in range(6)] == ["history", "bar", "", "history", "late", ""]
    assert (len(tape), tape.first_acted()) == (4, HOUR)
    now = made_up()[:6]
    assert (tape.missed(now.ts) // HOUR).tolist() == [2, 5]
    assert (tape.revised(now) // HOUR).tolist() == [1, 3, 4]  # the wave begins at 100
    laid = tape.bars(SPOT, "1h", now)
    assert (laid.ts // HOUR).tolist() == [0, 1, 2, 3, 4] and laid.close[2] == now.close[2]
    assert tape.bars(SPOT, "1h").close.tolist() == [100.0] * 4


def test_pauses_are_told_apart() -> None:
    story = [word(Bar, 0), Moved(2 * HOUR, "PAUSED", "paused by its user"), Moved(3 * HOUR, "RUNNING"),
             Moved(4 * HOUR, "CIRCUIT_OPEN", "3 errors"), Moved(5 * HOUR, "RUNNING"),
             Moved(6 * HOUR, "STOPPING"), Moved(6 * HOUR, "STOPPED"), Moved(8 * HOUR, "STARTING"),
             Moved(8 * HOUR, "RUNNING"), word(Bar, 9), Moved(11 * HOUR, "KILLED", "a kill file was found")]  # fmt: skip
    life = read_life(story)
    causes = [(life.pause_at(hour * HOUR) or Pause_none).cause for hour in (1, 2, 3, 4, 5, 7, 8, 11)]
    assert causes == ["", "manual", "", "rejected by venue", "", "restart", "", "manual"]


class Pause_none:  # noqa: N801 -- stands for no pause
    cause = ""


def test_the_trend_survives_short_and_empty_lives(lake: Lake) -> None:
    plan, heard = case("slip", 3, lake)
    report = compare_lives("bot", plan, read_life(heard))
    for period in ("day", "week", "month", "session"):
        trend = report.trend_by(period)
        assert trend["trades"].sum() == len(report.compared)
        assert trend["difference"].sum() == pytest.approx(report.lived - report.promised)
        assert trend["so_far"].iloc[-1] == pytest.approx(report.score)
    assert len(report.trend_by("session")) == 1
    assert isinstance(report.trend.index, pd.DatetimeIndex) and str(report.trend.index.tz) == "UTC"
    with pytest.raises(ConfigError, match="period = 'year' is not one of 'day', 'week', 'month', 'session'"):
        report.trend_by("year")
    few = compare_lives("bot", plan, read_life(heard[:9]))  # a handful of bars, no trade
    assert len(few.trend) == 0 and list(few.trend.columns) == list(report.trend.columns)
    assert few.band is None and few.alarm == "" and few.score == 1.0
    assert "has not traded" in few.sentence and "Parity of bot" in document_of(few)


def band(lived: list[float], promised: list[float]) -> Band:
    count = len(lived)
    return Band(
        times=np.arange(count).astype("datetime64[h]").astype("datetime64[ms]"), low=np.full(count, 90.0),
        high=np.full(count, 110.0), promised=np.array(promised), lived=np.array(lived), level=0.95, runs=10, note="",
    )  # fmt: skip


def test_an_alarm_names_date_and_level() -> None:
    said = band([100.0, 95.0, 89.0], [100.0, 99.0, 98.0]).alarm("USDT")
    assert said == (
        "on 1970-01-01 02:00 UTC the bot's equity of 89.00 USDT went below the 95% band of the backtest's Monte Carlo "
        "runs (90.00), while the backtest was at 98.00"
    )
    assert "above" in band([100.0, 111.0], [100.0, 109.0]).alarm("USDT")
    assert band([100.0, 89.0], [100.0, 88.0]).alarm("USDT") == ""  # the market, not the bot
    assert band([100.0, 90.0 - 1e-6], [100.0, 98.0]).alarm("USDT") == ""


def test_whole_paths_stay_inside_as_often_as_said() -> None:
    steps = np.random.default_rng(3).normal(0.0, 0.01, (4_000, 60))
    paths = 100.0 * np.exp(np.cumsum(steps, axis=1))
    low, high = simultaneous(paths[:2_000], 0.95)
    inside = ((paths[2_000:] >= low) & (paths[2_000:] <= high)).all(axis=1).mean()
    assert 0.93 < inside < 0.97
    flat_low, flat_high = simultaneous(np.full((5, 3), 100.0), 0.95)
    assert flat_low == pytest.approx(100.0) and flat_high == pytest.approx(100.0)


@pytest.mark.long
def test_a_bot_that_bleeds_is_told_of_and_an_honest_one_is_not(lake: Lake) -> None:
    bars, made = lake.read("BTC/USDT", "1h", "2022-02-01", "2022-05-01"), wb.load_strategy("sma_cross")
    honest = compare_lives("bot", *_read(live(made(fast=5, slow=20), bars, "", 0)))
    assert honest.alarm == "" and honest.band is not None and honest.band.left is None
    bleeding = compare_lives("bot", *_read(live(made(fast=5, slow=20), bars, "bleed", 0)))
    assert "went below the 95% band of the backtest's Monte Carlo runs" in bleeding.alarm
    assert "Alarm: on 2022-" in document_of(bleeding)


def _read(told: Any) -> Any:
    plan, heard = told
    return plan, read_life(heard)


@pytest.mark.long
def test_false_alarms_of_honest_bots_and_of_ones_that_slip_at_random(lake: Lake) -> None:
    """None for bots that do what was promised; beside that, how often the backtest itself leaves its band is told."""
    whole, alarms, outside, count = lake.read("BTC/USDT", "1h", "2018-01-01", "2023-12-01"), 0, 0, 120
    for seed in range(count):
        dice = random.Random(seed)
        start = dice.randrange(len(whole) - 700)
        made = wb.load_strategy("sma_cross")(fast=dice.randint(5, 10), slow=dice.randint(20, 40))
        report = compare_lives("bot", *_read(live(made, whole[start : start + 600], "", seed)))
        alarms += report.alarm != ""
        found = report.band
        outside += found is not None and bool(((found.promised < found.low) | (found.promised > found.high)).any())
    print(f"\nhonest bots with an alarm: {alarms} of {count}; backtests that leave their own band: {outside}")
    assert alarms == 0 and outside <= 0.1 * count
