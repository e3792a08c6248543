"""Stops, targets and what comes inside a bar at the simulated venue: one rule a test, worked out by hand."""

from __future__ import annotations

import pytest

from tests.trading.venue_cases import CLOSING, MINUTE, Desk, fills, kinds, long
from workbench.trading.events import Event, Filled
from workbench.trading.terms import CostTerms, Lots

HALF = CostTerms(volume_share=0.5)


def test_a_stop_fills_at_its_level_and_at_the_open_that_gapped_through_it() -> None:
    desk = long(costs=CostTerms(slippage=0.01))
    desk.send("sell", type="stop", stop_price=95.0, reason="stop_loss", **CLOSING)
    said = desk.bar(99, 99, 94, 98)
    assert kinds(said) == ["Triggered", "Filled"]
    assert (said[1].price, said[1].quoted, said[1].quantity) == (95 * 0.99, 95.0, 10.0)
    desk = long()
    desk.send("sell", type="stop", stop_price=95.0, **CLOSING)
    assert fills(desk.bar(90, 99, 89, 98)) == [("o1", 10.0, 90.0)]


def test_the_worse_is_assumed_when_stop_and_target_are_both_in_the_bar() -> None:
    for intrabar, price in (("pessimistic", 95.0), ("path", 105.0)):
        desk = long(intrabar=intrabar)
        desk.send("sell", type="stop", stop_price=95.0, **CLOSING)
        desk.send("sell", type="limit", price=105.0, **CLOSING)
        said = desk.bar(101, 105, 95, 100)
        assert fills(said)[0][2] == price
        assert kinds(said)[-1] == "Canceled"


def test_of_stops_at_one_level_the_fixed_one_comes_first() -> None:
    for gap in (False, True):
        desk = long()
        desk.send("sell", type="trailing_stop", trail=0.05, price=100.0, reason="trailing_stop", **CLOSING)
        desk.send("sell", type="stop", stop_price=95.0, reason="custom_stop", **CLOSING)
        desk.send("sell", type="stop", stop_price=95.0, reason="stop_loss", id="fixed", **CLOSING)
        said = desk.bar(90 if gap else 99, 99, 89, 98)
        assert [one.id for one in said if isinstance(one, Filled)] == ["fixed"]


def test_the_nearest_stop_comes_first_also_in_a_gap() -> None:
    for gap in (False, True):
        desk = long()
        desk.send("sell", type="stop", stop_price=93.0, reason="stop_loss", **CLOSING)
        desk.send("sell", type="stop", stop_price=96.0, reason="custom_stop", id="near", **CLOSING)
        said = desk.bar(90 if gap else 99, 99, 89, 98)
        assert fills(said) == [("near", 10.0, 90.0 if gap else 96.0)]


def test_a_trailing_stop_moves_on_bars_that_are_over() -> None:
    desk = long()
    desk.send("sell", type="trailing_stop", trail=0.05, **CLOSING)
    assert desk.bar(100, 120, 96, 118) == []  # 5 % below 120 is not looked at yet
    assert desk.venue.trailing(desk.symbol)[0].best == 120.0
    assert fills(desk.bar(118, 119, 113, 115)) == [("o1", 10.0, 114.0)]


def test_on_the_path_a_trailing_stop_follows_inside_the_bar() -> None:
    desk = long(intrabar="path")
    desk.send("sell", type="trailing_stop", trail=0.05, **CLOSING)
    assert fills(desk.bar(100, 120, 96, 97)) == [("o1", 10.0, 114.0)]


def test_a_trailing_stop_waits_for_its_activation_and_trails_from_a_given_price() -> None:
    desk = long(lots=Lots(tick=0.5))
    desk.send("sell", type="trailing_stop", trail=0.05, activation=110.0, price=101.0, **CLOSING)
    assert desk.bar(100, 109, 90, 100) == []
    assert desk.bar(100, 111, 100, 110) == []
    assert desk.venue.trailing(desk.symbol) == (("o1", 1.0, 0.05, 111.0, 110.0),)
    assert fills(desk.bar(110, 110, 105, 106)) == [("o1", 10.0, 105.0)]  # 105.45, rounded down to a tick


def test_a_short_is_protected_the_other_way_round() -> None:
    desk = Desk()
    desk.open(100.0)
    desk.send("sell", 10.0)
    desk.send("buy", type="trailing_stop", trail=0.05, **CLOSING)
    desk.send("buy", type="limit", price=90.0, **CLOSING)
    assert desk.inside((100, 101, 92, 93)) == []
    assert fills(desk.bar(93, 97, 89, 91)) == [("o1", 10.0, pytest.approx(96.6))]


def test_a_stop_limit_fills_at_its_trigger_or_waits_at_its_limit() -> None:
    desk = long(costs=CostTerms(slippage=0.001))
    desk.send("sell", 10.0, "stop_limit", stop_price=95.0, price=94.5)
    said = desk.bar(99, 99, 94, 94)
    assert kinds(said) == ["Triggered", "Filled"]
    assert said[1].price == pytest.approx(95 * 0.999)
    desk = long()
    desk.send("sell", 10.0, "stop_limit", stop_price=95.0, price=94.5)
    assert kinds(desk.bar(93, 99, 92, 94)) == ["Triggered"]
    assert fills(desk.bar(94, 96, 94, 95)) == [("o1", 10.0, 94.5)]


def test_take_profits_are_taken_at_the_market_or_at_a_limit() -> None:
    desk = long(costs=CostTerms(slippage=0.01))
    desk.send("sell", 4.0, "take_profit", stop_price=105.0)
    desk.send("sell", 6.0, "take_profit_limit", stop_price=106.0, price=105.5)
    said = desk.bar(100, 107, 99, 106)
    assert kinds(said) == ["Triggered", "Filled", "Triggered", "Filled"]
    assert [price for _, _, price in fills(said)] == [105 * 0.99, 105.5]


def test_orders_that_come_inside_a_bar_wait_for_the_next() -> None:
    desk = Desk()
    desk.open(100.0)
    desk.send("buy", 1.0, "limit", price=99.0)

    def react(event: Event) -> None:
        if event.id == "o0":
            desk.send("buy", 1.0, id="market")
            desk.send("buy", 1.0, "limit", price=98.0, id="lower")
            desk.send("sell", 1.0, "limit", price=100.5, id="target", reduce_only=True)

    said = desk.inside((100, 101, 97, 100), react=react)
    assert fills(said) == [("o0", 1.0, 99.0)]
    assert fills(desk.open(100.0)) == [("market", 1.0, 100.0)]
    assert fills(desk.inside((100, 101, 97, 100))) == [("lower", 1.0, 98.0), ("target", 1.0, 100.5)]


@pytest.mark.parametrize(
    ("bar", "price"), [((100, 105, 97, 104), 97.5), ((104, 105, 97, 104), 97.5), ((97, 98, 90, 97), 95.0)]
)
def test_protection_of_what_was_opened_inside_a_bar_is_looked_at_pessimistically(
    bar: tuple[float, float, float, float], price: float
) -> None:
    desk = Desk()
    desk.bar(*((bar[0],) * 4))
    desk.send("buy", 1.0, "limit", price=99.0 if bar[0] > 99 else 96.0)

    def react(event: Event) -> None:
        if event.id == "o0":
            desk.send("sell", type="stop", stop_price=price, id="stop", **CLOSING)

    assert fills(desk.bar(*bar, react=react))[1:] == [("stop", 1.0, price)]


def test_a_stop_entry_at_the_high_is_stopped_out_by_the_low_of_its_bar_unless_the_path_is_known() -> None:
    for intrabar, stopped in (("pessimistic", [("stop", 1.0, 98.0)]), ("path", [])):
        desk = Desk(intrabar=intrabar)
        desk.open(100.0)
        desk.send("buy", 1.0, "stop", stop_price=103.0)

        def react(event: Event, desk: Desk = desk) -> None:
            if isinstance(event, Filled) and event.id == "o0":
                desk.send("sell", type="stop", stop_price=98.0, id="stop", **CLOSING)

        assert fills(desk.inside((100, 104, 97, 102), react=react))[1:] == stopped


def test_a_stop_without_volume_left_is_triggered_and_trades_at_the_next_open() -> None:
    desk = long(costs=HALF)
    desk.send("sell", type="stop", stop_price=95.0, reason="stop_loss", **CLOSING)
    assert kinds(desk.bar(99, 99, 94, 94, volume=0.0)) == ["Triggered"]
    (fill,) = desk.open(92.0, 100.0)
    assert (fill.price, fill.quantity, fill.reason, fill.decided) == (92.0, 10.0, "stop_loss", MINUTE)


def test_a_stop_that_the_volume_does_not_let_through_is_not_overtaken_by_others() -> None:
    desk = long(costs=HALF)
    desk.send("sell", type="stop", stop_price=95.0, reason="stop_loss", id="near", **CLOSING)
    desk.send("sell", type="stop", stop_price=93.0, reason="custom_stop", id="far", **CLOSING)
    desk.send("sell", type="limit", price=105.0, reason="take_profit", id="target", **CLOSING)
    assert fills(desk.bar(99, 106, 90, 100, volume=8.0)) == [("near", 4.0, 95.0)]
    assert fills(desk.open(100.0, 100.0)) == [("near", 6.0, 100.0)]


def test_what_is_left_of_stops_can_be_carried_alone() -> None:
    desk = long(costs=HALF)
    desk.send("sell", type="stop", stop_price=95.0, reason="stop_loss", id="stop", **CLOSING)
    desk.bar(99, 99, 94, 94, volume=0.0)
    desk.open(92.0, 8.0, carry=False)
    desk.send("sell", 5.0, id="leave", reduce_only=True)
    desk.inside((92, 93, 91.5, 92), 8.0)
    desk.open(92.0, 40.0, carry=False)
    assert fills(desk.venue.carry(desk.symbol, leaving=True, triggered=True)) == [("stop", 6.0, 92.0)]
    assert desk.held == 0.0
