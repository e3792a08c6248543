"""Inventories, timers and weights: by hand, and against the account's own books."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from tests.strategy.library.cases import FREE, HOUR, SPOT, bars_of, path
from workbench.errors import StrategyError
from workbench.strategy.helpers import (
    Inventory,
    every,
    every_bars,
    heard_all,
    next_time_of_day,
    own_equity,
    own_memory,
    parse_weights,
    room,
    skew,
    times_of_day,
)
from workbench.strategy.orders import OrderStrategy
from workbench.trading.account import Account
from workbench.trading.events import Filled
from workbench.trading.terms import AccountTerms

ETHER = wb.Instrument(symbol="ETH/USDT", quote="USDT")
trades = st.lists(st.tuples(st.integers(-9, 9).filter(bool), st.integers(1, 200)), min_size=1, max_size=30)


@given(trades)
def test_an_inventory_of_all_fills_says_what_the_account_says(given_trades):
    account = Account({"USDT": 1e6}, AccountTerms(), [SPOT])
    part = Inventory(SimpleNamespace(memory={}), "all")  # type: ignore[arg-type]
    for change, price in given_trades:
        side = "buy" if change > 0 else "sell"
        fill = Filled(0, "id", SPOT.symbol, side, abs(change) / 10, float(price), 0.25, True, price, "order", 0)
        account.apply(fill)
        part.add(fill)
    held = account.position(SPOT.symbol)
    assert part.quantity == pytest.approx(held.quantity, abs=1e-9)
    assert part.realised == pytest.approx(held.realised, abs=1e-6) and part.fees == pytest.approx(held.fees)
    if held.quantity:
        assert part.average == pytest.approx(held.price)
    else:
        assert np.isnan(part.average)


def test_an_inventory_is_plain_data_in_memory_and_goes_on_from_it():
    view: Any = SimpleNamespace(memory={})
    Inventory(view, "a").add(Filled(0, "id", SPOT.symbol, "sell", 2.0, 50.0, 0.1, True, 50.0, "order", 0))
    assert view.memory == {"a": {"quantity": -2.0, "average": 50.0, "realised": 0.0, "fees": 0.1}}
    again = Inventory(SimpleNamespace(memory={"a": dict(view.memory["a"])}), "a")  # type: ignore[arg-type]
    again.add(Filled(0, "id", SPOT.symbol, "buy", 3.0, 40.0, 0.1, True, 40.0, "order", 0))
    assert (again.quantity, again.average, again.realised) == (1.0, 40.0, 20.0)


def test_skew_and_room():
    assert [skew(held, 0.0, 10.0) for held in (-20, -5, 0, 5, 20)] == [-1.0, -0.5, 0.0, 0.5, 1.0]
    assert room(7.0, 5.0, 3.0, "buy") == 1.0 and room(7.0, 5.0, 3.0, "sell") == 5.0
    with pytest.raises(StrategyError, match=r"skew: most = 0\.0; give the largest distance"):
        skew(1.0, 0.0, 0.0)


class Clock(OrderStrategy):
    """Asks to be woken and writes down when it was."""

    def on_start(self, view):
        return self.ask(view)

    def on_timer(self, view, timer):
        self.rung.append(view.now // HOUR)
        return self.ask(view)


def rung(ask: Any, hours: int) -> list[int]:
    strategy = type("Clock", (Clock,), {"ask": staticmethod(ask), "rung": []})()
    wb.backtest(strategy, path(*[100.0] * hours), costs=FREE, path="event")
    return strategy.rung


def test_timers_ring_every_so_often_and_at_times_of_the_day():
    assert rung(lambda view: every(view, 180, "three hours"), 13) == [3, 6, 9, 12]
    assert rung(lambda view: times_of_day(view, ["08:00", "20:00"], "twice"), 60) == [8, 20, 32, 44, 56]
    assert next_time_of_day(8 * HOUR, ["08:00"]) == 32 * HOUR
    for wrong in ("8", "24:00", "08:60", "8:5", "noon"):
        with pytest.raises(StrategyError, match=f"{wrong!r} is no time of the day"):
            next_time_of_day(0, [wrong])
    with pytest.raises(StrategyError, match="at least one"):
        next_time_of_day(0, [])
    with pytest.raises(StrategyError, match="0 minutes"):
        every(SimpleNamespace(now=0), 0, "never")  # type: ignore[arg-type]


def test_counting_bars_survives_in_memory():
    view: Any = SimpleNamespace(memory={})
    assert [every_bars(view, 2, "n") for _ in range(5)] == [True, False, True, False, True]
    assert view.memory == {"n": 1}


class Listens(OrderStrategy):
    """Writes down when all instruments have been heard."""

    def on_bar(self, view, bar):
        own_memory(view)["bars"] = own_memory(view).get("bars", 0) + 1
        assert own_equity(view) == view.equity / len(view.symbols)
        if heard_all(view, bar):
            self.heard.append((view.now // HOUR, bar.symbol))


def heard(*bars: wb.Bars) -> list[tuple[int, str]]:
    strategy = type("Listens", (Listens,), {"heard": []})()
    wb.backtest(strategy, list(bars), costs=FREE, path="event")
    return strategy.heard


def test_all_are_heard_after_the_last_bar_of_a_time():
    one, other = path(*[100.0] * 4), path(*[100.0] * 4, instrument=ETHER)
    assert heard(one, other) == [(hour, "ETH/USDT") for hour in (1, 2, 3, 4)]


def test_an_instrument_that_is_not_listed_yet_or_no_longer_is_not_waited_for():
    one, other = path(*[100.0] * 9), path(*[100.0] * 9, instrument=ETHER)
    late = heard(one, other[3:])
    assert late[:4] == [(1, "BTC/USDT"), (2, "BTC/USDT"), (3, "BTC/USDT"), (4, "ETH/USDT")]
    gone = heard(one, other[:2])
    assert [hour for hour, _ in gone] == [1, 2, 6, 7, 8, 9]  # after three bars of silence


def test_weights_are_read_from_text():
    assert parse_weights(" A=0.5,B/C:D = -0.25 ,") == {"A": 0.5, "B/C:D": -0.25}
    for text, message in (("A", "'A' is no weight"), ("A=x", "'A=x' is no weight"), ("=1", "'=1' is no weight"),
                          ("A=0.1,A=0.2", "A is there twice"), ("A=0.7,B=-0.7", r"add up to 1\.4")):  # fmt: skip
        with pytest.raises(StrategyError, match=message):
            parse_weights(text)


def test_purchases_are_made_smaller_where_they_do_not_fit():
    from workbench.strategy.helpers import keep_weights

    class All(OrderStrategy):
        def on_bar(self, view, bar):
            return keep_weights(view, {"BTC/USDT": 1.5})

    result = wb.backtest(All(), bars_of([(100.0,) * 4] * 3), costs=FREE, path="event")
    assert result.fills["quantity"].tolist() == [99.0]
