"""The simulated venue on trades and order books."""

from __future__ import annotations

import pytest

from tests.trading.venue_cases import PERP, Desk, code, fills, kinds
from workbench.trading.events import Expired
from workbench.trading.terms import AccountTerms, CostTerms

BIDS = ((99.0, 5.0), (98.0, 10.0))
ASKS = ((101.0, 5.0), (102.0, 10.0))


def test_a_market_order_between_trades_fills_at_the_last_one() -> None:
    desk = Desk(costs=CostTerms(slippage=0.001, volume_share=0.1))
    assert code(desk.send("buy", 1.0)) == "not_trading"
    desk.tick(100.0, 1.0)
    assert fills(desk.send("buy", 50.0)) == [("o1", 50.0, 100.1)]


def test_a_trade_fills_a_limit_at_its_own_price_with_no_more_than_itself() -> None:
    desk = Desk(costs=CostTerms(volume_share=0.5))
    desk.tick(100.0, 1.0)
    desk.send("buy", 10.0, "limit", price=99.0)
    desk.send("buy", 10.0, "limit", price=98.5)
    assert fills(desk.tick(99.5, 8.0)) == []
    assert fills(desk.tick(98.0, 8.0)) == [("o0", 4.0, 99.0)]
    assert fills(desk.tick(98.0, 16.0)) == [("o0", 6.0, 99.0), ("o1", 2.0, 98.5)]


def test_a_queue_goes_by_what_the_book_showed() -> None:
    desk = Desk(limit_fill="queue")
    desk.book(BIDS, ASKS)
    desk.tick(100.0, 1.0)
    desk.send("buy", 4.0, "limit", price=99.0)
    assert fills(desk.tick(99.0, 3.0)) == []  # five were there before it
    desk.book(((99.0, 1.0), (98.0, 10.0)), ASKS)  # one of the two ahead has gone
    assert fills(desk.tick(99.0, 3.0)) == [("o0", 2.0, 99.0)]
    assert fills(desk.tick(98.5, 1.0)) == [("o0", 2.0, 99.0)]  # beyond the price nothing can be left at it


def test_an_iceberg_goes_to_the_end_of_the_queue_with_each_slice() -> None:
    desk = Desk(limit_fill="queue")
    desk.book(BIDS, ASKS)
    desk.tick(100.0, 1.0)
    desk.send("buy", 4.0, "limit", price=98.0, display=2.0)  # behind 10
    desk.book(((98.0, 3.0),), ASKS)
    assert fills(desk.tick(98.0, 9.0)) == [("o0", 2.0, 98.0)]
    assert fills(desk.tick(98.0, 3.0)) == []
    assert fills(desk.tick(98.0, 3.0)) == [("o0", 2.0, 98.0)]


def test_stops_and_trailing_stops_go_by_every_trade() -> None:
    desk = Desk()
    desk.tick(100.0)
    desk.send("buy", 10.0)
    desk.send("sell", 5.0, "stop", stop_price=95.0)
    desk.send("sell", 5.0, "trailing_stop", trail=0.05, id="trail")
    assert [kinds(desk.tick(price)) for price in (110.0, 105.0, 120.0, 114.5)] == [[]] * 4
    assert fills(desk.tick(113.0)) == [("trail", 5.0, 113.0)]
    assert fills(desk.tick(90.0)) == [("o1", 5.0, 90.0)]
    assert desk.held == 0.0


def test_a_stop_takes_what_the_book_has() -> None:
    desk = Desk()
    desk.book(BIDS, ASKS)
    desk.tick(100.0)
    desk.send("buy", 5.0)
    desk.send("buy", 5.0)
    desk.send("sell", 10.0, "stop", stop_price=99.5)
    assert fills(desk.tick(99.5)) == [("o2", 10.0, pytest.approx(98.5))]


def test_a_book_is_used_up_until_the_next_one_comes() -> None:
    desk = Desk()
    desk.book(BIDS, ASKS)
    assert fills(desk.send("buy", 5.0)) == [("o0", 5.0, 101.0)]
    assert desk.venue.estimate(desk.symbol, 1.0, 5.0) == 102.0
    assert fills(desk.send("buy", 5.0)) == [("o1", 5.0, 102.0)]
    desk.book(BIDS, ASKS)
    assert fills(desk.send("buy", 10.0)) == [("o2", 10.0, 101.5)]


def test_a_limit_takes_the_levels_up_to_its_price_and_rests_with_the_rest() -> None:
    desk = Desk(costs=CostTerms(taker=0.01, maker=0.001))
    desk.book(BIDS, ASKS)
    assert fills(desk.send("buy", 8.0, "limit", price=101.0)) == [("o0", 5.0, 101.0)]
    assert [one.remaining for one in desk.venue.orders()] == [3.0]
    said = desk.book(BIDS, ((100.5, 2.0), (103.0, 5.0)))
    assert fills(said) == [("o0", 2.0, 101.0)]
    assert said[0].maker
    assert code(desk.send("sell", 1.0, "limit", price=99.0, post_only=True)) == "post_only_would_take"


def test_a_price_far_beyond_the_book_is_capped() -> None:
    desk = Desk(cash=1e9)
    desk.book(BIDS, ((101.0, 1.0), (200.0, 1.0)))
    assert fills(desk.send("buy", 100.0)) == [("o0", 100.0, pytest.approx(101 * 1.05))]


def test_time_alone_expires_orders_and_brings_requests() -> None:
    desk = Desk(latency_ms=10)
    desk.tick(100.0)
    assert desk.send("buy", 1.0, "limit", price=90.0, time_in_force="GTD", expires=50) == []
    assert desk.venue.due() == 11.0
    assert kinds(desk.venue.time(11)) == ["Accepted"]
    assert desk.venue.time(49) == []
    assert desk.venue.time(50) == [Expired(50, "o0", "good_till_date")]
    desk.ts = 50
    assert desk.send("buy", 1.0) == []
    assert fills(desk.tick(101.0)) == []
    desk.ts = 59
    assert fills(desk.tick(102.0)) == [("o1", 1.0, 102.0)]


def test_a_trade_through_the_liquidation_takes_the_position() -> None:
    desk = Desk(
        symbol=PERP, cash=1000.0, terms=AccountTerms(leverage=10.0, isolated=True), tiers=((0.0, 0.01, 0.0, 50.0),)
    )
    desk.tick(100.0)
    desk.send("buy", 10.0)
    assert desk.tick(92.0) == []
    assert desk.tick(90.5)[0].reason == "liquidation"
    assert desk.held == 0.0
