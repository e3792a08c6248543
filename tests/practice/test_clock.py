from __future__ import annotations

import pytest

from tests.practice.stage import ETH, MINUTE, PERP, SPOT, T0, Held, flat, market
from workbench.errors import ConfigError
from workbench.practice.clock import HeldClock, RunningClock
from workbench.practice.engine import Engine
from workbench.practice.engine_records import AccountSetup


def test_a_held_clock_moves_when_it_is_moved_and_never_back() -> None:
    clock = HeldClock(1_000)
    clock.advance(500)
    clock.set(2_000)
    assert clock.now() == 2_000 and repr(clock) == "HeldClock(2000)"
    with pytest.raises(ConfigError, match="cannot go back to 1999"):
        clock.set(1_999)


def test_a_running_clock_runs_at_its_speed() -> None:
    seconds = [10.0]
    clock = RunningClock(60.0, 5_000, source=lambda: seconds[0])
    assert clock.now() == 5_000
    seconds[0] = 12.5
    assert clock.now() == 5_000 + 150_000
    with pytest.raises(ConfigError, match="speed is -1"):
        RunningClock(-1.0)


def test_the_engine_catches_up_with_its_clock() -> None:
    held = Held(market(SPOT, flat(100.0, 10)))
    held.clock.advance(3 * MINUTE)
    held.engine.catch_up()
    assert held.engine.now == T0 + 3 * MINUTE
    with pytest.raises(ConfigError, match="cannot go back"):
        held.engine.advance(T0)
    held.engine.listen(lambda message: held.engine.advance(held.engine.now))
    with pytest.raises(ConfigError, match="a listener cannot move the time"):
        held.engine.adjust("me", "USDT", 1.0)


def test_an_exchange_that_cannot_be_made_is_refused() -> None:
    one = market(SPOT, flat(100.0, 10))
    with pytest.raises(ConfigError, match="name each by its instrument's symbol"):
        Engine({ETH: one}, HeldClock(T0))
    engine = Engine({SPOT: one}, HeldClock(T0), accounts={"me": AccountSetup()})
    for wrong in (AccountSetup(linear={"USDT": 1.0}), AccountSetup(spot={"USDT": -1.0}), AccountSetup(spot_fees="no")):
        with pytest.raises(ConfigError, match="cannot be had so"):
            engine.add_account("you", wrong)
    with pytest.raises(ConfigError, match="there already"):
        engine.add_account("me", AccountSetup())


def test_the_public_side_is_as_of_now() -> None:
    held = Held(market(SPOT, [*flat(100.0, 5), *flat(120.0, 5)]), market(PERP, flat(100.0, 10)))
    held.minutes(4)
    seen = held.engine.ticker(SPOT)
    assert (seen.last, seen.high, seen.change) == (100.0, 100.0, 0.0)
    assert seen.volume == pytest.approx(4 * 400.0 + 100.0) and seen.average == pytest.approx(100.0)
    held.minutes(3)
    seen = held.engine.ticker(SPOT)
    assert (seen.last, seen.open, seen.change_fraction) == (120.0, 100.0, pytest.approx(0.2))
    assert seen.last_id == held.engine.trades(SPOT, limit=1)[0].id and seen.first_id == 1
    assert [one.id for one in held.engine.trades(SPOT, start=T0 + MINUTE, limit=2)] == [5, 6]
    assert held.engine.candles(SPOT, "1m", start=T0, end=T0 + MINUTE).ts.tolist() == [T0, T0 + MINUTE]
    assert held.engine.candles(SPOT, "5m", limit=1).close.tolist() == [120.0]
    assert held.engine.next_event() == T0 + 10 * MINUTE  # when its prices end
    assert held.engine.next_event(MINUTE) == float("inf")
    held.engine.watch(SPOT)
    assert held.engine.next_event() == T0 + 7 * MINUTE + 20_000
    held.engine.unwatch(SPOT)
    order = held.submit(SPOT, "buy", "limit", 1.0, price=90.0, time_in_force="GTD", expires=T0 + 7 * MINUTE + 5)
    assert held.engine.next_event() == order.expires
