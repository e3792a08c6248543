"""The simulated venue on bars: one rule a test, with numbers worked out by hand."""

from __future__ import annotations

import math

import pytest

from tests.trading.venue_cases import CALM, CLOSING, MINUTE, Desk, fills, kinds, long
from workbench.errors import ConfigError, RunError
from workbench.trading.events import Amended, Canceled, Expired, Filled
from workbench.trading.terms import AccountTerms, CostTerms, Lots

HALF = CostTerms(volume_share=0.5)


def test_a_market_order_fills_at_once_with_slippage_and_fee() -> None:
    desk = Desk(costs=CostTerms(taker=0.001, slippage=0.01, per_unit=0.1, per_order=2.0))
    desk.open(100.0)
    (fill,) = desk.send("buy", 10.0, reason="entry", decided=7)
    assert (fill.price, fill.quoted, fill.fee, fill.maker, fill.final) == (101.0, 100.0, 1.01 + 1.0 + 2.0, False, True)
    assert (fill.reason, fill.decided, fill.ts) == ("entry", 7, 0)
    assert desk.account.cash == pytest.approx(10_000 - 1010 - 4.01)


def test_the_volume_of_a_bar_is_shared_and_the_rest_trades_at_the_next_open() -> None:
    desk = Desk(costs=CostTerms(volume_share=0.1, per_order=1.0), lots=Lots(lot=0.1))
    desk.open(100.0, 55.7)
    assert kinds(said := desk.send("buy", 10.0)) == ["Accepted", "Filled"]
    assert fills(said) == [("o0", 5.5, 100.0)]
    assert fills(desk.send("buy", 3.0)) == []
    desk.inside(CALM, 55.7)
    said = desk.open(102.0, 60.0)
    assert fills(said) == [("o0", 4.5, 102.0), ("o1", 1.5, 102.0)]
    assert [one.fee for one in desk.events if isinstance(one, Filled)] == [1.0, 0.0, 1.0]
    assert [one.final for one in said] == [True, False]


def test_what_was_left_over_can_be_carried_in_two_turns() -> None:
    desk = long(costs=HALF)
    desk.open(100.0, 8.0)
    desk.send("buy", 6.0, id="more")
    desk.send("sell", 6.0, id="leave", reduce_only=True)
    desk.inside(CALM, 8.0)
    assert desk.open(100.0, 12.0, carry=False) == []
    assert fills(desk.venue.carry(desk.symbol, leaving=True)) == [("leave", 6.0, 100.0)]
    assert fills(desk.venue.carry(desk.symbol, leaving=False)) == []
    desk.inside(CALM)
    assert fills(desk.open(100.0)) == [("more", 2.0, 100.0)]


def test_a_part_that_can_no_longer_be_paid_for_is_cut_and_the_rest_cancelled() -> None:
    desk = Desk(costs=CostTerms(volume_share=1.0))
    desk.open(100.0, 60.0)
    desk.send("buy", 100.0)
    desk.inside(CALM, 60.0)
    said = desk.open(200.0)
    assert fills(said) == [("o0", 20.0, 200.0)]
    assert kinds(said) == ["Filled", "Canceled"]
    assert said[1].reason == "insufficient_margin"


def test_impact_grows_with_the_share_of_the_volume() -> None:
    desk = Desk(costs=CostTerms(impact_kind=1, impact=0.1, slippage=0.001))
    desk.open(100.0, 100.0)
    assert desk.venue.estimate(desk.symbol, 1.0, 50.0) == pytest.approx(100 * (1 + 0.001 + 0.1 * 0.25))
    assert desk.send("sell", 50.0)[0].price == pytest.approx(100 * (1 - 0.001 - 0.1 * 0.25))


def test_a_limit_rests_and_fills_at_its_price_as_a_maker() -> None:
    desk = Desk(costs=CostTerms(maker=0.0002, taker=0.001, slippage=0.01))
    desk.open(100.0)
    assert kinds(desk.send("buy", 10.0, "limit", price=98.0)) == ["Accepted"]
    assert desk.inside((100, 101, 98.5, 99)) == []
    (fill,) = desk.bar(99, 100, 98, 99)
    assert (fill.price, fill.maker, fill.fee) == (98.0, True, pytest.approx(0.196))


def test_a_limit_that_the_open_has_gone_through_fills_at_the_better_open() -> None:
    desk = Desk()
    desk.bar(*CALM)
    desk.send("buy", 10.0, "limit", price=98.0)
    assert fills(desk.bar(95, 99, 94, 98)) == [("o0", 10.0, 95.0)]


def test_a_limit_that_crosses_takes_at_once_but_never_beyond_its_price() -> None:
    desk = Desk(costs=CostTerms(slippage=0.01, taker=0.001, volume_share=0.5))
    desk.open(100.0, 10.0)
    said = desk.send("buy", 8.0, "limit", price=100.5)
    assert kinds(said) == ["Accepted", "Filled"]
    assert fills(said) == [("o0", 5.0, 100.5)]
    assert said[1].fee == pytest.approx(0.5025)
    desk.inside((100, 102, 100.2, 101), 10.0)
    assert fills(desk.bar(101, 102, 100, 101)) == [("o0", 3.0, 100.5)]


def test_through_asks_for_more_than_a_touch() -> None:
    desk = Desk(limit_fill="through")
    desk.open(100.0)
    desk.send("buy", 1.0, "limit", price=98.0)
    assert desk.inside((100, 101, 98, 99)) == []
    assert fills(desk.bar(99, 99, 97.99, 98)) == [("o0", 1.0, 98.0)]


def test_a_queue_must_be_used_up_on_bars_too() -> None:
    desk = Desk(limit_fill="queue", costs=CostTerms(volume_share=1.0))
    desk.open(100.0, 1000.0)
    desk.send("buy", 60.0, "limit", price=98.0)  # 100 is taken to lie before it
    assert fills(desk.inside((100, 101, 99, 99), 1000.0)) == []
    assert fills(desk.bar(99, 100, 98, 99, volume=700.0)) == []  # 70 of that trades
    assert fills(desk.bar(99, 100, 98, 99, volume=800.0)) == [("o0", 50.0, 98.0)]
    assert fills(desk.bar(99, 100, 97, 99, volume=1.0)) == [("o0", 1.0, 98.0)]


def test_immediate_or_cancel_and_fill_or_kill() -> None:
    desk = Desk(costs=HALF)
    desk.open(100.0, 10.0)
    said = desk.send("buy", 8.0, time_in_force="FOK")
    assert said == [Expired(0, "o0", "fill_or_kill")]
    assert kinds(desk.send("buy", 8.0, time_in_force="IOC")) == ["Accepted", "Filled", "Expired"]
    assert kinds(desk.send("buy", 1.0, "limit", price=99.0, time_in_force="IOC")) == ["Expired"]
    assert kinds(desk.send("buy", 1.0, "limit", price=99.0, time_in_force="FOK")) == ["Expired"]
    assert desk.held == 5.0


def test_an_order_lives_in_bars_that_open_before_it_expires() -> None:
    desk = Desk()
    desk.open(100.0)
    desk.send("buy", 1.0, "limit", price=98.0, time_in_force="GTD", expires=2 * MINUTE)
    assert desk.venue.due() == 2 * MINUTE
    assert desk.venue.bounds(desk.symbol) == (math.inf, -math.inf)
    desk.inside(CALM)
    desk.bar(*CALM)
    assert desk.open(97.0) == [Expired(2 * MINUTE, "o0", "good_till_date")]
    assert desk.venue.due() == math.inf


def test_one_cancels_the_other_and_a_part_reduces_it() -> None:
    desk = long(costs=HALF)
    desk.send("sell", 10.0, "limit", price=105.0, oco="exit")
    desk.send("sell", 10.0, "stop", stop_price=95.0, oco="exit", id="stop")
    said = desk.bar(100, 106, 99, 105, volume=8.0)
    assert fills(said) == [("o1", 4.0, 105.0)]
    assert [one.quantity for one in said if isinstance(one, Amended)] == [6.0]
    said = desk.bar(100, 100, 94, 95)
    assert fills(said) == [("stop", 6.0, 95.0)]
    assert said[-1] == Canceled(2 * MINUTE, "o1", "oco")
    assert desk.held == 0.0


def test_reduce_only_is_cut_to_what_is_held_and_goes_with_it() -> None:
    desk = long()
    desk.send("sell", 15.0, "limit", price=105.0, reduce_only=True)
    desk.send("sell", 5.0, "stop", stop_price=90.0, reduce_only=True)
    said = desk.bar(104, 106, 103, 105)
    assert fills(said) == [("o1", 10.0, 105.0)]
    assert kinds(said) == ["Filled", "Canceled", "Canceled"]
    assert desk.held == 0.0
    assert desk.venue.orders() == []


def test_close_position_closes_what_is_held_when_it_trades() -> None:
    desk = long()
    desk.send("sell", type="stop", stop_price=95.0, **CLOSING)
    desk.open(100.0)
    desk.send("buy", 5.0)
    assert fills(desk.inside((100, 100, 94, 95))) == [("o1", 15.0, 95.0)]


def test_an_iceberg_fills_one_slice_a_bar() -> None:
    desk = Desk()
    desk.open(100.0)
    desk.send("buy", 5.0, "limit", price=99.0, display=2.0)
    assert fills(desk.inside(CALM)) == [("o0", 2.0, 99.0)]
    assert fills(desk.bar(*CALM)) == [("o0", 2.0, 99.0)]
    assert fills(desk.bar(*CALM)) == [("o0", 1.0, 99.0)]


def test_an_amended_limit_may_cross() -> None:
    desk = Desk(lots=Lots(tick=0.5, lot=0.1))
    desk.open(100.0)
    desk.send("buy", 5.0, "limit", price=98.0)
    assert desk.amend("o0", quantity=4.0) == [Amended(0, "o0", *(pytest.approx(one, nan_ok=True)
                                                               for one in (math.nan, 4.0, math.nan)), "")]  # fmt: skip
    assert [kinds(desk.amend("o0", **wrong)) for wrong in (
        {"price": 98.3}, {"price": -1.0}, {"price": math.inf}, {"quantity": 1.05}, {"quantity": 0.0},
    )] == [["Rejected"]] * 5  # fmt: skip
    said = desk.amend("o0", price=101.0, reason="roi")
    assert kinds(said) == ["Amended", "Filled"]
    assert (said[1].price, said[1].quantity, said[1].reason) == (100.0, 4.0, "roi")


def test_an_amended_order_goes_to_the_end_unless_it_was_only_made_smaller() -> None:
    for change, first in (({"quantity": 4.0}, "o0"), ({"quantity": 6.0}, "o1"), ({"price": 98.0}, "o1")):
        desk = Desk()
        desk.open(100.0)
        desk.send("buy", 5.0, "limit", price=98.0)
        desk.send("buy", 5.0, "limit", price=98.0)
        desk.amend("o0", **change)
        assert fills(desk.inside((100, 100, 98, 99)))[0][0] == first


def test_a_request_with_latency_arrives_at_the_first_open_after_it() -> None:
    desk = Desk(latency_ms=MINUTE)
    desk.open(100.0)
    assert desk.send("buy", 1.0) == []
    assert desk.send("buy", 1.0, "limit", price=90.0) == []
    assert desk.venue.due() == MINUTE
    desk.inside(CALM)
    assert desk.cancel("o1") == []  # at the close, so it arrives a bar later
    assert fills(desk.open(101.0)) == [("o0", 1.0, 101.0)]
    desk.inside((101, 101, 100, 100))
    assert desk.open(100.0) == [Canceled(2 * MINUTE, "o1", "")]
    late = Desk(latency_ms=1)
    late.open(100.0)
    late.send("buy", 1.0)
    late.inside(CALM)
    assert fills(late.open(102.0)) == [("o0", 1.0, 102.0)]


def test_bounds_are_the_prices_that_nothing_happens_between() -> None:
    desk = long()
    assert desk.venue.bounds(desk.symbol) == (-math.inf, math.inf)
    desk.send("buy", 1.0, "limit", price=90.0)
    desk.send("sell", type="stop", stop_price=95.0, **CLOSING)
    desk.send("sell", type="limit", price=107.0, **CLOSING)
    desk.send("buy", 1.0, "stop", stop_price=105.0)
    assert desk.venue.bounds(desk.symbol) == (95.0, 105.0)
    assert list(desk.venue.bar(desk.symbol, desk.ts, 100, 104.9, 95.1, 100, 1.0, desk.ts + 1)) == []


def test_a_skipped_bar_is_told_to_the_trailing_stop() -> None:
    desk = long()
    desk.send("sell", type="trailing_stop", trail=0.1, **CLOSING)
    desk.venue.bounds(desk.symbol)
    desk.venue.seen(desk.symbol, 120.0)
    desk.venue.seen(desk.symbol, 110.0)
    assert fills(desk.bar(110, 110, 107, 107)) == [("o1", 10.0, 108.0)]


def test_legs_of_a_hedge_are_held_side_by_side() -> None:
    desk = Desk(terms=AccountTerms(hedge=True))
    desk.open(100.0)
    desk.send("buy", 5.0, leg="long")
    desk.send("sell", 3.0, leg="short")
    desk.send("sell", 9.0, "limit", price=101.0, leg="long")  # against a leg it only reduces
    assert (desk.account.quantity(desk.symbol, "long"), desk.account.quantity(desk.symbol, "short")) == (5.0, -3.0)
    desk.inside(CALM)
    assert (desk.account.quantity(desk.symbol, "long"), desk.account.quantity(desk.symbol, "short")) == (0.0, -3.0)
    assert desk.venue.orders() == []


def test_words_that_nobody_knows_are_refused() -> None:
    for wrong in ({"intrabar": "magic"}, {"limit_fill": "always"}, {"latency_ms": -1}):
        with pytest.raises(ConfigError, match="is not known"):
            Desk(**wrong)
    with pytest.raises(ConfigError, match="'B' is not traded"):
        Desk().venue.open(0, "B", 1.0, 1.0)


def test_a_venue_cannot_be_kept_inside_a_bar() -> None:
    desk = Desk()
    desk.open(100.0)
    desk.send("buy", 1.0, "limit", price=99.0)
    matching = desk.venue.bar(desk.symbol, 0, *CALM, 1.0, MINUTE)
    next(matching)
    with pytest.raises(RunError, match="run `bar` to its end"):
        desk.venue.snapshot()
    assert list(matching) == []
    assert desk.venue.snapshot()["version"] == 1


def test_orders_that_wait_are_still_waiting_after_a_restart() -> None:
    desk = Desk()
    desk.open(100.0)
    desk.send("buy", 1.0, "limit", price=99.0)
    desk.inside(CALM, react=lambda event: desk.send("buy", 1.0, "limit", price=98.0) if event.id == "o0" else None)
    again = Desk()
    again.venue.restore(desk.venue.snapshot())
    again.ts = desk.ts
    assert fills(again.bar(100, 101, 97, 100)) == fills(desk.bar(100, 101, 97, 100)) == [("o1", 1.0, 98.0)]
