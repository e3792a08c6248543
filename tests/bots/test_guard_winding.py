"""Winding down at a venue that loses answers, lets requests in late, or has other things than the books."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bots.brokers.stage import NAN, PERP, SPOT, Desk, desk, run, secret, swinging
from workbench.bots import guard_winding
from workbench.bots.brokers.credentials import Credentials
from workbench.bots.brokers.talk import Send
from workbench.bots.guard import Guard
from workbench.bots.guard_record import Record
from workbench.bots.guard_terms import GuardTerms
from workbench.bots.guard_ward import Ward
from workbench.bots.guard_winding import Known, Own, Winding, wind_down
from workbench.practice.exchange import Exchange
from workbench.trading.events import Submit
from workbench.trading.orders import Order

MARK = "wb" + "a" * 10


@pytest.fixture(scope="module")
def _served() -> Iterator[Exchange]:
    with swinging(SPOT, PERP) as exchange:
        yield exchange


@pytest.fixture
def exchange(_served: Exchange) -> Iterator[Exchange]:
    yield _served
    _served.faults.clear()


def flatten() -> Record:
    return Record("bot", "flatten", "killed", time.time_ns() // 1_000_000)


def winding(one: Desk, known: Known, record: Record, **terms: Any) -> Winding:
    usual = {"settle_s": 0.1, "land_s": 0.5, **terms}
    return Winding(one.broker, known, record, mark=MARK, terms=GuardTerms(**usual), keep=lambda: None)


def held(symbol: str, quantity: float = 1.0, **more: Any) -> Known:
    return Known({}, {(symbol, "net"): quantity}, **more)


def quiet(text: str) -> None:
    pass


@pytest.mark.parametrize("symbol", [PERP, SPOT])
def test_a_closing_order_that_is_lost_is_sent_again_until_the_position_is_closed(
    exchange: Exchange, symbol: str
) -> None:
    """Also where the next one is lost after the time that a request may be under way has passed once."""

    async def story() -> None:
        async with desk(exchange, symbol) as one:
            await one.to_phase(0)
            coins = one.balance("BTC") if symbol == SPOT else 0.0
            await one.place("buy")
            stop = await one.place("sell", "stop", stop_price=95.5, reduce_only=symbol == PERP)
            for nth in (1, 2):
                exchange.faults.add("reset", target="submit", when={"nth": nth})
            record = flatten()
            known = Known({stop.id: Own(symbol, "sell", "net", 0.0, True)}, {(symbol, "net"): 0.999})
            if symbol == PERP:
                known.held[symbol, "net"] = 1.0
            began = time.monotonic()
            await wind_down(winding(one, known, record, land_s=0.3), quiet)
            assert time.monotonic() - began > 0.6  # each was given the time to land
            left = one.balance("BTC") - coins if symbol == SPOT else one.position()
            assert abs(left) < 0.001 and one.standing() == [] and record.verified, record
            assert [order.status for order in one.orders()[2:]] == ["filled"]
            assert len({line[0] for line in record.closings}) == 3 and record.text.count("at the market") == 1

    run(story())


def test_what_was_done_before_is_told_apart_from_what_is_done_now(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, PERP) as one:
            await one.to_phase(0)
            await one.place("buy")
            first = flatten()
            await wind_down(winding(one, held(PERP), first), quiet)
            assert first.text == f"sell 1 {PERP} at the market"
            again = flatten()
            again.go_on_from(first)
            await wind_down(winding(one, held(PERP), again), quiet)
            assert again.text == f"nothing of it stood at the venue; done before: sell 1 {PERP} at the market"
            assert again.verified and len(one.orders()) == 2

    run(story())


def test_what_is_too_small_to_be_closed_stays_and_is_tried_once() -> None:
    async def story(exchange: Exchange) -> None:
        async with desk(exchange, SPOT) as one:
            await one.to_phase(0)
            await one.place("buy")
            record = flatten()
            began, tried = time.monotonic(), list[str]()
            await wind_down(winding(one, held(SPOT, 0.05), record), tried.append)
            assert time.monotonic() - began < 1.0 and not tried and len(one.orders()) == 1
            assert record.text == (
                "nothing of it stood at the venue; 0.05 BTC (5.00 USDT) is below what the venue takes and stays"
            )
            assert not record.verified and record.closings == []

    with swinging(SPOT, min_notional=10.0) as exchange:
        run(story(exchange))


def test_while_a_closing_order_may_still_land_no_other_is_sent(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT) as one:
            await one.to_phase(0)
            exchange.faults.add("reset", target="submit", when={"nth": 1})
            record = flatten()
            task = asyncio.create_task(wind_down(winding(one, held(SPOT, 2.0), record), quiet))
            while not record.closings:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)
            name, *_, quantity = record.closings[0]
            await same_account(one, Order(name, SPOT, "sell", quantity=quantity))
            await task
            assert [order.filled for order in one.orders()] == [2.0] and record.verified

    run(story())


@pytest.mark.parametrize("protects", [True, False])
def test_a_change_that_was_under_way_and_lands_late_is_found(exchange: Exchange, protects: bool) -> None:
    """A replacement that lands when its order has long been cancelled, whatever it does there."""

    async def story() -> None:
        async with desk(exchange, PERP) as one:
            await one.to_phase(0)
            if protects:
                order, kind, stop = await one.place("sell", "stop", stop_price=95.5), "stop", 95.0
            else:
                order, kind, stop = await one.place("buy", "limit", price=95.5), "market", NAN
            known = Known({order.id: Own(PERP, order.side, "net", 0.0, protects)}, {}, flight=True)
            record = flatten()
            task = asyncio.create_task(wind_down(winding(one, known, record), quiet))
            await asyncio.sleep(0.35)
            assert one.standing() == [] and not task.done()
            name = one.broker.register.names.spell(order.id, 1)
            new = Order(name, PERP, order.side, kind, 1.0, stop_price=stop)  # type: ignore[arg-type]
            await same_account(one, new)
            await task
            assert (one.position(), one.standing()) == (0.0, []) and record.verified, record

    run(story())


async def same_account(one: Desk, order: Order) -> None:
    """Send an order that the broker of the account does not know of."""
    async with desk(one.exchange, one.symbol, key=one.account) as again:
        await again.broker.send(Send(Submit(order), order.id, order.symbol))


def test_a_bot_that_had_nothing_under_way_is_wound_down_at_once(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, PERP) as one:
            await one.to_phase(0)
            await one.place("buy")
            began, record = time.monotonic(), flatten()
            await wind_down(winding(one, held(PERP), record, land_s=30.0), quiet)
            assert one.position() == 0.0 and record.verified and time.monotonic() - began < 2.0

    run(story())


def test_what_an_earlier_guard_closed_and_the_books_have_is_not_taken_off_twice(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, PERP) as one:
            await one.to_phase(0)
            await one.place("buy")
            first = flatten()
            await wind_down(winding(one, held(PERP), first), quiet)
            await one.place("buy")  # it went on, with all of that in its books
            second = flatten()
            second.go_on_from(first)
            booked = frozenset(f"{fill.symbol} {fill.trade_id}" for fill in first.executions())
            await wind_down(winding(one, held(PERP, booked=booked), second), quiet)
            assert one.position() == 0.0 and second.verified

    run(story())


def test_what_is_refused_again_and_again_is_not_done(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_winding, "_REFUSALS", 3)

    async def story() -> None:
        async with desk(exchange, PERP) as one:
            await one.to_phase(0)
            await one.place("buy")
            exchange.faults.add("reject", target="submit", code="insufficient_balance")
            record = flatten()
            await wind_down(winding(one, held(PERP), record), quiet)
            assert one.position() == 1.0 and not record.verified
            assert "+1 BTC/USDT:USDT is still held" in record.summary and "NOT DONE" in record.summary

    run(story())


def test_books_that_have_more_than_the_venue_are_waited_for_and_told(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, PERP) as one:
            await one.to_phase(0)
            record = flatten()
            task = asyncio.create_task(wind_down(winding(one, held(PERP, 2.0), record), quiet))
            await asyncio.sleep(0.3)
            await one.place("buy")  # a position that the venue shows late
            await task
            assert one.position() == 0.0 and record.verified
            assert "sell 1 BTC/USDT:USDT" in record.text and "+1 BTC/USDT:USDT of its books is not" in record.text

    run(story())


def test_coins_that_went_as_fees_are_not_taken_from_others(exchange: Exchange) -> None:
    """A purchase that the books do not have yet: its fee was taken in the coin, of which the account has more."""

    async def story() -> None:
        async with desk(exchange, SPOT) as one:
            await one.to_phase(0)
            coins = one.balance("BTC")
            bought = await one.place("buy", quantity=5.0)
            fee = sum(fill.fee_base for fill in (await one.look()).fills)
            record = flatten()
            known = Known({bought.id: Own(SPOT, "buy", "net", 0.0, False)}, {})
            await wind_down(winding(one, known, record), quiet)
            assert fee > 0.001 and 0.0 <= one.balance("BTC") - coins < 0.001 and record.verified, record

    run(story())


@pytest.mark.parametrize("symbol", [PERP, SPOT])
def test_an_order_is_found_whose_predecessors_the_venue_has_forgotten(exchange: Exchange, symbol: str) -> None:
    """Binance forgets orders that were cancelled three days ago; a stop that trails for weeks was many orders."""

    async def story() -> None:
        async with desk(exchange, symbol) as one:
            await one.to_phase(0)
            await one.place("buy")
            stop = await one.place("sell", "stop", stop_price=90.0, reduce_only=symbol == PERP)
            for price in (91.0, 92.0, 93.0):
                await one.amend(stop.id, stop=price)
            for name in (stop.id, f"{stop.id}r1"):
                for field in ("clientAlgoId", "origClientOrderId"):
                    exchange.faults.add("reject", target="GET *rder", having={field: name}, code="unknown_order")
            known = Known({stop.id: Own(symbol, "sell", "net", 0.0, True)}, {(symbol, "net"): 0.999})
            async with desk(exchange, symbol, key=one.account) as again:
                record = flatten()
                await wind_down(winding(again, known, record), quiet)
            assert one.standing() == [] and record.verified, record

    run(story())


def test_closing_out_that_is_ordered_while_orders_are_cancelled_is_done_too(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with desk(exchange, PERP) as one:
            await one.to_phase(0)
            await one.place("buy")
            ward = Ward("bot", str(tmp_path), [str(tmp_path / "kill")], 0, 0.0, str(tmp_path / "bot.sqlite"), "bot")
            ward.at(one.broker)
            terms = GuardTerms(settle_s=0.1, land_s=0.5, journal_s=0.1)
            guard = Guard(ward, terms, Credentials(one.account, secret(one.account), name="test"), -1)
            guard.state = {"orders": {}, "held": [[PERP, "net", 1.0]], "flight": False}
            guard.how, guard.reason, guard.ended = "cancel", "killed by Ctrl-C", {}
            (tmp_path / "kill").write_text("flatten")
            assert await asyncio.to_thread(guard._finish, "it did not react") == 0
            assert one.position() == 0.0

    run(story())
