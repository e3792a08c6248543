"""Which order a price reaches first, and the way of the price inside a bar."""

from __future__ import annotations

import math
from typing import Any

import pytest

from workbench.trading.matching import LIMIT, Resting, legs_of, level_of, nearest, reached, see
from workbench.trading.orders import Order


def resting(number: int, side: str, type: str, **facts: Any) -> Resting:
    return Resting(Order(id=f"o{number}", symbol="A", side=side, type=type, quantity=1.0, **facts), number, 0)  # type: ignore[arg-type]


def first(leg: tuple[float, float], *orders: Resting, touch: bool = True) -> tuple[str | None, float]:
    order, at = nearest(list(orders), 0.0, leg, touch, set())
    return None if order is None else order.id, at


def test_the_worse_comes_first_for_what_is_held() -> None:
    assert legs_of(100, 110, 80, 105, 1.0, False) == [(100, 80), (80, 110)]
    assert legs_of(100, 110, 80, 105, -1.0, False) == [(100, 110), (110, 80)]
    assert legs_of(100, 110, 80, 105, 0.0, False) == [(100, 110), (110, 80)]
    assert legs_of(100, 110, 90, 105, 0.0, False) == [(100, 90), (90, 110)]
    assert legs_of(100, 110, 80, 105, 1.0, True) == [(100, 110), (110, 80), (80, 105)]


def test_a_falling_price_reaches_sell_stops_and_buy_limits_in_the_order_of_their_levels() -> None:
    stop, limit = resting(1, "sell", "stop", stop_price=95.0), resting(0, "buy", "limit", price=96.0)
    above = resting(2, "sell", "limit", price=104.0)
    assert first((100, 90), stop, limit, above) == ("o0", 96.0)
    assert first((100, 95.5), stop, above) == (None, 95.5)
    assert first((95.5, 90), stop, above) == ("o1", 95.0)
    assert first((90, 104), stop, limit, above) == ("o2", 104.0)


def test_of_equal_levels_stops_come_first_then_profits_then_limits_then_age() -> None:
    same = [
        resting(0, "buy", "limit", price=95.0), resting(1, "buy", "limit", price=95.0),
        resting(2, "buy", "take_profit", stop_price=95.0),
        resting(3, "sell", "stop", stop_price=95.0, reason="custom_stop"),
        resting(4, "sell", "stop", stop_price=95.0, reason="stop_loss"),
    ]  # fmt: skip
    seen = []
    while same:
        name, _ = first((100, 90), *same)
        seen.append(name)
        same = [one for one in same if one.id != name]
    assert seen == ["o4", "o3", "o2", "o0", "o1"]


def test_what_is_through_at_the_open_trades_there_stops_first() -> None:
    target, stop = resting(0, "sell", "limit", price=90.0), resting(1, "sell", "stop", stop_price=97.0)
    nearer = resting(2, "sell", "stop", stop_price=99.0)
    assert first((95, 95), target, stop, nearer) == ("o2", 95)
    assert first((95, 95), target) == ("o0", 95)
    assert first((95, 95), resting(3, "sell", "limit", price=95.0), touch=False) == (None, 95)


def test_orders_that_wait_or_were_looked_at_are_passed_over() -> None:
    order = resting(0, "buy", "limit", price=95.0)
    assert nearest([order], 0.0, (100, 90), True, {0})[0] is None
    order.waits = True
    assert nearest([order], 0.0, (100, 90), True, set())[0] is None


def test_a_trailing_stop_has_a_level_once_it_is_active() -> None:
    order = resting(0, "sell", "trailing_stop", trail=0.1, activation=110.0)
    see(order, 105.0, 95.0)
    assert (order.best, math.isnan(level_of(order, 0.5))) == (105.0, True)
    see(order, 112.0, 111.0)
    assert level_of(order, 0.5) == 100.5
    assert not reached(order, level_of(order, 0.5), 101.0, True)
    short = resting(0, "buy", "trailing_stop", trail=0.1)
    see(short, 105.0, 95.0)
    assert level_of(short, 0.5) == 104.5
    assert reached(short, 105.0, 105.0, True)


def test_an_order_goes_through_plain_data_and_back() -> None:
    order = resting(3, "buy", "stop_limit", stop_price=101.0, price=102.0, time_in_force="GTD", expires=7, oco="x")
    order.filled, order.paid, order.fee = 0.5, 51.0, 0.1
    again = Resting.from_plain(order.to_plain())
    assert repr(again.to_order()) == repr(order.to_order())
    assert (again.to_order().average_price, again.to_order().expires, again.becomes_limit) == (102.0, 7, True)
    assert again.to_order().status == "partially_filled"


@pytest.mark.parametrize("leg", ["long", "short"])
def test_what_is_against_a_leg_only_reduces(leg: str) -> None:
    assert [resting(0, side, "limit", price=1.0, leg=leg).reduce_only for side in ("buy", "sell")] == [
        leg == "short", leg == "long",
    ]  # fmt: skip
    assert resting(0, "buy", "limit", price=1.0).kind == LIMIT
