"""A simulated venue takes, refuses, fills and tells of orders as a venue does, at the prices that it is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.bots.brokers.paper_stage import Paper, plan_of
from tests.practice.stage import MINUTE, PERP, T0
from workbench.bots.brokers.simulated import SimulatedBroker
from workbench.bots.brokers.simulated_terms import PaperTerms
from workbench.bots.brokers.talk import Send
from workbench.errors import BrokerRejected, ConfigError, DataError
from workbench.trading.events import Submit

ASKS = ((100.01, 1.0), (100.02, 2.0), (100.05, 3.0))
BIDS = ((99.99, 1.0), (99.98, 2.0), (99.95, 3.0))


def test_market_orders_walk_the_book_and_pay_for_what_is_beyond_it() -> None:
    paper = Paper()
    paper.book(BIDS, ASKS)
    first = paper.place("buy", quantity=2.0)
    assert (first.status, first.average_price) == ("closed", pytest.approx(100.015))
    paper.book(BIDS, ASKS)
    second = paper.place("buy", quantity=10.0)
    beyond = 100.05 * 1.001
    assert second.average_price == pytest.approx((100.01 + 200.04 + 300.15 + 4.0 * beyond) / 10.0)
    assert paper.held == 12.0
    (fill,) = paper.fills(first.id)
    assert fill.fee == pytest.approx(2.0 * 100.015 * 0.001) and not fill.maker


def test_what_was_taken_is_gone_until_the_next_book() -> None:
    paper = Paper()
    paper.book(BIDS, ASKS)
    paper.place("buy", quantity=1.0)
    assert paper.place("buy", quantity=1.0).average_price == pytest.approx(100.02)


def test_without_a_book_takers_pay_half_the_spread_or_the_quotes() -> None:
    paper = Paper(terms=PaperTerms(latency_ms=0.0, spread_bps=20.0))
    paper.last(100.0)
    assert paper.place("buy").average_price == pytest.approx(100.1)
    assert paper.place("sell").average_price == pytest.approx(99.9)
    paper.quote(99.5, 100.5, last=100.0)
    assert paper.place("buy").average_price == pytest.approx(100.5)
    paper.quote(99.5, 100.5, last=100.0, size=0.5)
    assert paper.place("sell").average_price == pytest.approx(0.5 * 99.5 + 0.5 * 99.5 * 0.999)


def test_limits_rest_and_fill_at_their_own_price_as_makers() -> None:
    paper = Paper()
    paper.quote(99.99, 100.01)
    order = paper.place("buy", "limit", price=99.0)
    assert order.status == "open"
    paper.last(99.5)
    assert paper.seen(order.id).status == "open"
    paper.trade(98.9, 4.0, -1)  # a tenth of what trades can be had, as in a backtest
    assert (paper.seen(order.id).status, paper.seen(order.id).filled) == ("open", 0.4)
    paper.trade(98.9, 40.0, -1)
    assert paper.seen(order.id).status == "closed"
    assert [(one.quantity, one.price, one.maker) for one in paper.fills()] == [(0.4, 99.0, True), (0.6, 99.0, True)]
    assert paper.fills()[1].ts == paper.at


def test_stops_take_what_the_market_has_then() -> None:
    paper = Paper()
    paper.quote(99.99, 100.01)
    paper.place("buy", quantity=2.0)
    stop = paper.place("sell", "stop", quantity=2.0, stop_price=98.0, reduce_only=True)
    paper.quote(97.4, 97.6, last=97.5)
    found = paper.seen(stop.id)
    assert (found.status, found.triggered, found.average_price) == ("closed", True, 97.4)
    assert paper.held == 0.0


def test_the_same_id_twice_is_refused_and_changes_nothing() -> None:
    paper = Paper()
    paper.quote(99.99, 100.01)
    order = paper.order("buy", "limit", price=99.0)
    paper.submit(order)
    with pytest.raises(BrokerRejected, match="sent before") as caught:
        paper.submit(order)
    assert caught.value.fields["code"] == "duplicate_id"
    paper.cancel(order.id)
    with pytest.raises(BrokerRejected):
        paper.submit(order)
    assert len(paper.broker.venue.orders.all) == 1


@pytest.mark.parametrize(
    ("code", "order"),
    [
        ("off_lot", {"quantity": 0.0005 + 1.0}),
        ("below_min_quantity", {"quantity": 0.0004}),
        ("below_min_notional", {"quantity": 0.01}),
        ("off_tick", {"type": "limit", "price": 99.001}),
        ("price_missing", {"type": "limit"}),
        ("insufficient_margin", {"quantity": 1_000.0}),
        ("reduce_only_would_increase", {"side": "sell", "reduce_only": True}),
        ("post_only_would_take", {"type": "limit", "price": 101.0, "post_only": True}),
        ("wrong_leg", {"leg": "long"}),
        ("zero_quantity", {"quantity": 0.0}),
    ],
)
def test_refusals_have_the_codes_of_the_gate(code: str, order: Any) -> None:
    paper = Paper()
    paper.quote(99.99, 100.01)
    assert paper.refused(**order) == code
    assert not paper.look().orders and not paper.fills()


def test_unknown_and_final_orders_cannot_be_changed() -> None:
    paper = Paper()
    paper.quote(99.99, 100.01)
    for change in (paper.cancel, lambda id: paper.amend(id, price=98.0)):
        with pytest.raises(BrokerRejected) as caught:
            change("wb-nobody")
        assert caught.value.fields["code"] == "unknown_order"
    done = paper.place("buy")
    with pytest.raises(BrokerRejected) as caught:
        paper.cancel(done.id)
    assert caught.value.fields["code"] == "order_is_final"


def test_orders_can_be_amended_and_cancelled() -> None:
    paper = Paper()
    paper.quote(99.99, 100.01)
    order = paper.place("buy", "limit", price=99.0)
    changed = paper.amend(order.id, price=98.5, quantity=2.0)
    assert (changed.price, changed.quantity, changed.status) == (98.5, 2.0, "open")
    with pytest.raises(BrokerRejected) as caught:
        paper.amend(order.id, price=98.001)
    assert caught.value.fields["code"] == "off_tick" and paper.seen(order.id).price == 98.5
    assert paper.cancel(order.id).status == "canceled"


def test_an_order_meets_the_market_that_is_there_when_it_arrives() -> None:
    async def story() -> None:
        paper = Paper(terms=PaperTerms(latency_ms=50.0))
        paper.quote(99.99, 100.01)
        order = paper.order("buy")
        task = asyncio.create_task(paper.broker.send(Send(Submit(order), order.id, order.symbol)))
        await asyncio.sleep(0)
        paper.quote(101.99, 102.01, ms=49)
        assert not paper.fills()
        paper.quote(109.99, 110.01, ms=2)
        found = await task
        assert found.average_price == 102.01 and paper.fills()[0].ts == found.ts > order.created

    asyncio.run(story())


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    paper = Paper(plan_of(PERP), memory=tmp_path / "one.paper.db")
    paper.quote(99.99, 100.01)
    paper.place("buy", quantity=3.0)
    stop = paper.place("sell", "stop", quantity=3.0, stop_price=95.0, reduce_only=True)
    before = paper.look()
    paper.dies()
    assert repr(paper.look()) == repr(before) and repr(paper.seen(stop.id)) == repr(stop)
    again = paper.order("buy")
    again.id = stop.id
    with pytest.raises(BrokerRejected, match="sent before"):
        paper.submit(again)


def test_what_was_crossed_while_it_was_down_is_filled_as_on_bars(tmp_path: Path) -> None:
    paper = Paper(memory=tmp_path / "one.paper.db")
    paper.quote(99.99, 100.01)
    paper.place("buy", quantity=2.0)
    stop = paper.place("sell", "stop", quantity=2.0, stop_price=97.0, reduce_only=True)
    paper.dies()
    paper.at = T0 + 3 * MINUTE + 5
    paper.quote(104.99, 105.01)  # the market has come back, and the bars tell that it was lower
    assert paper.seen(stop.id).status == "open"
    paper.bar(T0, 100.0, 100.5, 99.0, 99.5)
    paper.bar(T0 + MINUTE, 99.5, 99.6, 96.0, 98.0)
    assert paper.seen(stop.id).status == "closed"
    (fill,) = paper.fills(stop.id)
    assert fill.price == pytest.approx(97.0 * (1 - 0.00005)) and fill.ts == T0 + MINUTE
    paper.bar(T0 + 2 * MINUTE, 98.0, 105.0, 98.0, 105.0)
    assert paper.place("buy").average_price == 105.01


def test_a_wick_that_no_quote_showed_fills_what_was_there_before_the_bar() -> None:
    paper = Paper()
    paper.quote(99.99, 100.01)
    old = paper.place("buy", "limit", price=98.0)
    paper.last(100.0, ms=MINUTE)
    young = paper.place("buy", "limit", price=98.5)
    paper.quote(99.99, 100.01, ms=MINUTE)
    paper.bar(T0 + MINUTE, 100.0, 100.2, 97.9, 100.0)
    assert paper.seen(old.id).status == "closed" and paper.seen(young.id).status == "open"
    assert [(one.price, one.ts) for one in paper.fills()] == [(98.0, paper.at)]
    assert paper.place("buy").average_price == 100.01  # the quotes of now are still there
    paper.bar(T0 + 2 * MINUTE, 100.0, 100.2, 98.4, 100.0)
    assert paper.seen(young.id).status == "closed"


def test_a_silent_market_is_traded_at_its_last_close(tmp_path: Path) -> None:
    paper = Paper()
    paper.quote(99.0, 101.0, last=100.0)
    paper.at += 20_000
    assert paper.place("buy").average_price == pytest.approx(100.0 * 1.00005)
    paper.bar(T0, 100.0, 110.0, 100.0, 110.0)
    assert paper.place("buy").average_price == pytest.approx(110.0 * 1.00005)


@pytest.mark.parametrize("place", range(12))
def test_a_damaged_file_is_refused(tmp_path: Path, place: int) -> None:
    path = tmp_path / "one.paper.db"
    paper = Paper(memory=path)
    paper.quote(99.99, 100.01)
    for _ in range(3):
        paper.place("buy")
    asyncio.run(paper.broker.close())
    content = bytearray(path.read_bytes())
    spots = [n for n, byte in enumerate(content) if byte]
    content[spots[place * len(spots) // 12]] ^= 0x55
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"one\.paper\.db"):
        paper.open()


def test_the_file_of_another_account_and_one_in_use_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.paper.db"
    paper = Paper(memory=path)
    paper.quote(99.99, 100.01)
    paper.place("buy")
    with pytest.raises(DataError, match="in use"):
        SimulatedBroker(paper.plan, memory=path)
    asyncio.run(paper.broker.close())
    with pytest.raises(ConfigError, match="cash was 10000"):
        SimulatedBroker(plan_of(cash=5_000.0), memory=path)


def test_terms_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match="latency_ms=-1"):
        PaperTerms(latency_ms=-1)
    with pytest.raises(ConfigError, match="share"):
        PaperTerms(share=0.0)
    assert PaperTerms.from_plain(PaperTerms(depth=3).to_plain()) == PaperTerms(depth=3)
