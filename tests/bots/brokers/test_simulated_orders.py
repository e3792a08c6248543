"""Every kind of order, leverage, funding, forced exits, and a disk that is full: as the backtest has them, on paper."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.bots.brokers.paper_stage import NOTHING, Paper, plan_of
from tests.practice.stage import MINUTE, PERP, T0, bars
from workbench.bots.brokers.simulated_terms import PaperTerms
from workbench.bots.brokers.talk import Send
from workbench.errors import BrokerFatal, DataError
from workbench.trading.events import Submit


def at(bid: float, ask: float, plan: Any = None, **terms: Any) -> Paper:
    paper = Paper(plan, PaperTerms(latency_ms=0.0, **terms))
    paper.quote(bid, ask)
    return paper


def test_a_trailing_stop_follows_the_price_and_no_further() -> None:
    paper = at(99.99, 100.01)
    paper.place("buy", quantity=1.0)
    stop = paper.place("sell", "trailing_stop", trail=0.02, reduce_only=True)
    for price in (104.0, 110.0, 108.5):
        paper.quote(price - 0.01, price + 0.01)
    assert paper.seen(stop.id).status == "open"
    paper.quote(107.69, 107.71)  # 110 less two in a hundred is 107.8
    assert (paper.seen(stop.id).status, paper.held) == ("closed", 0.0)
    assert paper.fills(stop.id)[0].price == 107.69


def test_a_stop_limit_becomes_a_limit_and_may_be_left_behind() -> None:
    paper = at(99.99, 100.01)
    order = paper.place("buy", "stop_limit", stop_price=101.0, price=101.2)
    paper.quote(102.0, 102.02)
    found = paper.seen(order.id)
    assert (found.status, found.triggered, found.filled) == ("open", True, 0.0)
    paper.quote(101.0, 101.1, last=101.1)
    assert paper.seen(order.id).status == "closed" and paper.fills()[0].price <= 101.2


@pytest.mark.parametrize(("time", "filled", "status"), [("IOC", 2.0, "expired"), ("FOK", 0.0, "expired")])
def test_what_may_not_wait_takes_what_is_there(time: Any, filled: float, status: str) -> None:
    paper = Paper()
    paper.book([(99.99, 1.0)], [(100.01, 2.0)])
    order = paper.place("buy", "limit", quantity=5.0, price=100.01, time_in_force=time)
    assert (order.status, order.filled) == (status, filled)


def test_a_limit_rests_with_what_the_book_did_not_have() -> None:
    paper = Paper()
    paper.book([(99.99, 1.0)], [(100.01, 2.0)])
    order = paper.place("buy", "limit", quantity=5.0, price=100.01)
    assert (order.status, order.filled) == ("open", 2.0)
    paper.trade(100.0, 1_000.0, -1)
    assert paper.seen(order.id).status == "closed"
    assert [one.maker for one in paper.fills(order.id)] == [False, True]


def test_an_order_expires_when_its_time_is_out() -> None:
    paper = at(99.99, 100.01)
    order = paper.place("buy", "limit", price=90.0, time_in_force="GTD", expires=paper.at + 5_000)
    paper.quote(99.99, 100.01, ms=4_000)
    assert paper.seen(order.id).status == "open"
    paper.quote(99.99, 100.01, ms=2_000)
    assert paper.seen(order.id).status == "expired"


def test_an_iceberg_shows_a_slice_at_a_time() -> None:
    paper = at(99.99, 100.01)
    order = paper.place("buy", "limit", quantity=3.0, price=99.0, display=1.0)
    for filled in (1.0, 2.0, 3.0):
        paper.trade(99.0, 1_000.0, -1)
        assert paper.seen(order.id).filled == pytest.approx(filled)


def test_one_of_a_group_cancels_the_other() -> None:
    paper = at(99.99, 100.01)
    paper.place("buy")
    stop = paper.place("sell", "stop", stop_price=95.0, reduce_only=True, oco="exit")
    target = paper.place("sell", "limit", price=105.0, reduce_only=True, oco="exit")
    paper.quote(105.1, 105.12, last=105.11)
    assert paper.seen(target.id).status == "closed" and paper.seen(stop.id).status == "canceled"


def test_an_order_for_all_that_is_held_closes_all_of_it() -> None:
    paper = at(99.99, 100.01, plan_of(PERP))
    paper.place("buy", quantity=2.5)
    order = paper.place("sell", "market", quantity=float("nan"), close_position=True)
    assert (order.status, order.filled, paper.held) == ("closed", 2.5, 0.0)


def test_a_loss_that_the_margin_does_not_bear_is_liquidated() -> None:
    paper = at(99.99, 100.01, plan_of(PERP, leverage=20.0, cash=1_000.0))
    paper.place("buy", quantity=150.0)
    stop = paper.place("sell", "stop", quantity=150.0, stop_price=90.0, reduce_only=True)
    paper.quote(93.0, 93.02)
    assert paper.held == 0.0 and paper.seen(stop.id).status == "canceled"
    assert paper.fills()[-1].id.startswith("liquidation:")
    seen = paper.look()
    assert not seen.positions and 0.0 <= seen.balances["USDT"] < 1_000.0


def test_a_snapshot_tells_coins_or_positions_and_money() -> None:
    spot = at(99.99, 100.01)
    spot.place("buy", quantity=10.0)
    balances = spot.look().balances
    assert balances["BTC"] == 10.0 and balances["USDT"] == pytest.approx(10_000.0 - 1_000.1 * 1.001)
    perp = at(99.99, 100.01, plan_of(PERP))
    perp.place("sell", quantity=10.0)
    seen = perp.look()
    assert [(one.symbol, one.quantity, one.price) for one in seen.positions] == [(PERP, -10.0, pytest.approx(99.99))]
    assert seen.balances["USDT"] == pytest.approx(10_000.0 - 999.9 * 0.0005)


def test_fills_are_told_from_when_they_became_known() -> None:
    paper = Paper()
    order = paper.place("buy", "limit", price=99.0)
    paper.bar(T0, 100.0, 100.0, 98.0, 99.5)
    (fill,) = paper.fills(order.id)
    assert fill.ts == T0 and paper.look(T0 + MINUTE - 1).fills == ()
    paper.at = T0 + 2 * MINUTE
    second = paper.place("buy", "limit", price=98.0)
    paper.bar(T0 + MINUTE, 99.0, 99.0, 97.0, 98.0)
    assert [one.id for one in paper.look(T0 + 2 * MINUTE - 1).fills] == [second.id]


def test_funding_is_settled_on_what_is_held(tmp_path: Path) -> None:
    plan = plan_of(PERP)
    paper = Paper(plan, memory=tmp_path / "one.paper.db")
    paper.quote(99.99, 100.01)
    paper.place("buy", quantity=10.0)
    before = paper.look().balances["USDT"]
    paper.broker.rate(PERP, paper.at + MINUTE, 0.001)
    paper.quote(99.99, 100.01, ms=MINUTE - 1)
    assert paper.look().balances["USDT"] == before
    paper.quote(99.99, 100.01, ms=2)
    assert paper.look().balances["USDT"] == pytest.approx(before - 10.0 * 100.0 * 0.001)
    after = paper.look().balances["USDT"]
    paper.broker.rate(PERP, paper.at - MINUTE, 0.001)  # what was settled is settled once
    paper.dies()
    paper.bar(T0, 100.0, 100.0, 100.0, 100.0)
    assert paper.look().balances["USDT"] == after
    assert paper.look().funding is None
    (told,) = paper.look(funding_since=1).funding or ()
    assert (told.symbol, told.rate) == (PERP, 0.001) and told.amount == pytest.approx(after - before)


def test_a_paper_account_that_cannot_be_kept_is_closed(tmp_path: Path) -> None:
    paper = Paper(memory=tmp_path / "one.paper.db")
    paper.quote(99.99, 100.01)
    kept = paper.place("buy", "limit", price=99.0)
    pages = paper.broker._memory._value("PRAGMA page_count")  # type: ignore[union-attr]
    paper.broker._memory._connection.execute(f"PRAGMA max_page_count={pages}")  # type: ignore[union-attr]
    last = paper.order("buy", "limit", price=98.0, tag="x" * 3_000_000)
    with pytest.raises(BrokerFatal, match="full"):
        paper.submit(last)
    with pytest.raises(BrokerFatal):
        paper.place("buy")
    with pytest.raises(DataError):
        paper.quote(99.0, 99.1)
    paper.dies()
    assert paper.seen(kept.id).status == "open"
    assert last.id not in paper.broker.venue.orders.all


def test_the_same_market_gives_the_same_executions() -> None:
    def once() -> list[Any]:
        async def story() -> list[Any]:
            paper = Paper(terms=PaperTerms(latency_ms=20.0, jitter_ms=300.0, seed=4))
            paper.quote(99.99, 100.01)
            tasks = []
            for n in range(12):
                order = paper.order("sell" if n % 2 else "buy")
                tasks.append(asyncio.create_task(paper.broker.send(Send(Submit(order), order.id, order.symbol))))
                await asyncio.sleep(0)
                paper.quote(100.0 + n, 100.02 + n, ms=60)
            paper.quote(99.0, 99.02, ms=1_000)
            await asyncio.gather(*tasks)
            return [(one.id, one.price, one.ts) for one in paper.fills()]

        return asyncio.run(story())

    assert once() == once()
    assert len({price for _, price, _ in once()}) > 5


def test_bars_of_other_lengths_and_symbols_are_none_of_its_business() -> None:
    paper = Paper(plan_of(), NOTHING)
    order = paper.place("buy", "limit", price=99.0)
    other = bars("ETH/USDT", [(1.0, 1.0, 1.0, 1.0, 1.0)])
    assert other.symbol != paper.symbol
    paper.symbol = other.symbol
    paper.bar(T0, 50.0, 50.0, 50.0, 50.0)
    paper.symbol = order.symbol
    assert paper.seen(order.id).status == "open"
