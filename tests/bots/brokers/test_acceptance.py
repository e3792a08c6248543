"""What a broker must prove at a venue, with ccxt as it is against the practice exchange: orders and their lives."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.bots.brokers.stage import NAN, PERP, SPOT, USD, desk, run, until
from workbench.errors import BrokerRejected, BrokerTransient
from workbench.practice.exchange import Exchange

BOTH = pytest.mark.parametrize("symbol", [SPOT, PERP])
ALL = pytest.mark.parametrize("symbol", [SPOT, PERP, USD])
MOST = pytest.mark.parametrize("symbol", [SPOT, PERP, pytest.param(USD, marks=pytest.mark.long)])  # Kraken is slowest


@ALL
def test_market_orders_fill_once_and_money_is_the_venues(exchange: Exchange, symbol: str) -> None:
    """M1 M2 M6."""

    async def story() -> None:
        async with desk(exchange, symbol, listen=True) as one:
            bought = await one.place("buy")
            await until(lambda: len(one.fills(bought.id)) == 1)
            sold = await one.place("sell", reduce_only=True)
            await until(lambda: len(one.fills(sold.id)) == 1)
            assert [(fill.side, fill.quantity, fill.maker) for fill in one.fills()] == [
                ("buy", 1.0, False), ("sell", 1.0, False),
            ]  # fmt: skip
            for told in one.fills():
                taker = exchange.engine.instrument(symbol).taker_fee
                assert told.fee == pytest.approx(told.quantity * told.price * taker, rel=1e-6)  # in the quote currency
            seen = await one.look()
            assert {fill.trade_id for fill in seen.fills} == {fill.trade_id for fill in one.fills()}
            assert (await one.seen(bought.id)).status == (await one.seen(sold.id)).status == "closed"
            assert seen.orders == () and one.standing() == []
            if symbol == PERP:
                assert seen.positions == () and one.position() == 0.0
            else:
                assert seen.balances["BTC"] == pytest.approx(one.balance("BTC"))

    run(story())


@BOTH
@pytest.mark.parametrize("time_in_force", ["IOC", "FOK"])
def test_limits_at_once_or_not_at_all(exchange: Exchange, symbol: str, time_in_force: str) -> None:
    """M3 M4 L4 L5 L6 L7: what may not rest leaves nothing behind."""

    async def story() -> None:
        async with desk(exchange, symbol) as one:
            await one.to_phase(0)
            through = await one.place("buy", "limit", price=101.0, time_in_force=time_in_force)
            away = await one.place("buy", "limit", price=97.0, time_in_force=time_in_force)
            assert (await one.seen(through.id)).status == "closed"
            missed = await one.seen(away.id)
            assert missed.status == "expired" and missed.filled == 0.0
            assert [order.time_in_force for order in one.orders()] == [time_in_force] * 2
            assert one.standing() == []

    run(story())


@MOST
def test_limits_rest_are_seen_cancelled_and_cancelled_again(exchange: Exchange, symbol: str) -> None:
    """L1 L2 L3 C1 C5."""

    async def story() -> None:
        async with desk(exchange, symbol, listen=True) as one:
            await one.to_phase(0)
            low = await one.place("buy", "limit", price=96.5)
            high = await one.place("sell", "limit", price=103.5)
            assert low.status == high.status == "open"
            assert {order.id for order in (await one.look()).orders} == {low.id, high.id}
            await one.cancel(low.id)
            await until(lambda: "canceled" in one.words(low.id))
            assert (await one.seen(low.id)).status == "canceled"
            assert [order.client_id for order in one.standing()] == [one.broker.register.names.spell(high.id)]
            with pytest.raises(BrokerRejected, match="no order with this id") as refused:
                await one.cancel(low.id)
            assert refused.value.fields["code"] == "unknown_order"
            await one.cancel(high.id)

    run(story())


def test_orders_until_a_date_rest_and_expire_once(exchange: Exchange) -> None:
    """L8 L9; R4 of what nothing can stand for."""

    async def story() -> None:
        async with desk(exchange, PERP, listen=True) as one:
            await one.to_phase(0)
            expires = exchange.now + 11 * 60_000
            order = await one.place("buy", "limit", price=95.5, time_in_force="GTD", expires=expires)
            assert order.status == "open"
            await one.minutes(12)
            await until(lambda: "expired" in one.words(order.id))
            assert (await one.seen(order.id)).status == "expired"
            dated = replace(one.order(), time_in_force="GTD", expires=expires)
            offers = await one.broker.check()
            assert offers.dates(dated) and not offers.dates(replace(dated, post_only=True))
            soon = replace(dated, type="limit", price=95.5, created=exchange.now, expires=exchange.now + 120_000)
            assert not offers.dates(soon) and (await one.submit(soon)).status == "open"  # Binance wants ten minutes
        async with desk(exchange, SPOT) as one:
            order = await one.place("buy", "limit", price=95.0, time_in_force="GTD", expires=exchange.now + 900_000)
            assert order.status == "open" and not (await one.broker.check()).dates(replace(dated, symbol=SPOT))
            await one.cancel(order.id)
            asked = exchange.requests
            with pytest.raises(BrokerRejected, match="post-only is no IOC") as refused:
                await one.place("buy", "limit", price=95.0, time_in_force="IOC", post_only=True)
            assert refused.value.fields == {"code": "not_supported", "sent": False}
            assert exchange.requests == asked and len(one.orders()) == 1

    run(story())


TRIGGERS = [
    ("stop", "sell", 98.5, NAN), ("stop", "buy", 101.0, NAN),
    ("stop_limit", "sell", 98.5, 98.2), ("stop_limit", "buy", 101.0, 101.4),
    ("take_profit", "sell", 101.0, NAN), ("take_profit", "buy", 98.5, NAN),
    ("take_profit_limit", "sell", 101.0, 100.8), ("take_profit_limit", "buy", 98.5, 98.8),
]  # fmt: skip


@MOST
def test_triggers_rest_at_the_venue_and_fire_once(exchange: Exchange, symbol: str) -> None:
    """S1 to S8: and a broker that knows nothing of them, as after a restart, sees them for what they are."""

    async def story() -> None:
        async with desk(exchange, symbol) as one:
            await one.to_phase(0)
            placed = {}
            for kind, side, stop, price in TRIGGERS:
                order = await one.place(side, kind, 0.5, stop_price=stop, price=price)
                assert order.status == "open" and not order.triggered
                placed[order.id] = (kind, side, stop)
            one.broker.register.lines.clear()  # forget, as a new process would
            listed = {one.id: (one.type, one.side, one.stop_price) for one in (await one.look()).orders}
            assert listed == placed
            await one.minutes(10)
            for id in placed:
                done = await one.seen(id)
                assert (done.status, done.filled, done.triggered) == ("closed", 0.5, True)
            fills = (await one.look()).fills
            assert sorted(fill.id for fill in fills) == sorted(placed) and len(one.orders()) == len(TRIGGERS)

    run(story())


@BOTH
def test_a_trailing_stop_moves_one_way_only(exchange: Exchange, symbol: str) -> None:
    """S9."""

    async def story() -> None:
        async with desk(exchange, symbol) as one:
            await one.to_phase(0)
            order = await one.place("sell", "trailing_stop", trail=0.02)
            assert order.status == "open"
            told = await one.amend(
                order.id, price=100.5
            )  # what the core knows of its best price: the venue knows better
            assert told.price == 100.5 and len(one.orders()) == 1
            await one.minutes(10)  # up to 104, then down through 101.92 to 100, in one step of the market
            done = await one.seen(order.id)
            assert done.status == "closed" and 99.9 < done.average_price <= 101.92

    run(story())


@MOST
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_amend_the_price_of_a_limit(exchange: Exchange, symbol: str, side: str) -> None:
    """A1 A2: one order at the end, under its id; nothing that was replaced is told as an end."""

    async def story() -> None:
        async with desk(exchange, symbol, listen=True) as one:
            await one.to_phase(0)
            first, second = (96.5, 97.0) if side == "buy" else (103.5, 103.0)
            order = await one.place(side, "limit", price=first)
            await one.amend(order.id, price=second)
            seen = await one.seen(order.id)
            assert (seen.status, seen.price, seen.quantity) == ("open", second, 1.0)
            (standing,) = one.standing()
            assert (standing.price, standing.quantity) == (second, 1.0)
            await one.amend(order.id, quantity=0.5)
            (standing,) = one.standing()
            assert (standing.price, standing.quantity) == (second, 0.5)
            one.broker.register.lines.clear()  # after a restart
            (listed,) = (await one.look()).orders
            assert (listed.id, listed.price) == (order.id, second)
            await one.cancel(order.id)
            await until(lambda: "canceled" in one.words(order.id))
            assert one.words(order.id).count("canceled") == 1 and one.standing() == []

    run(story())


@MOST
@pytest.mark.parametrize("closes", [False, True])
def test_amend_a_stop_without_a_moment_more_unprotected_than_need_be(
    exchange: Exchange, symbol: str, closes: bool
) -> None:
    """A3 A4: where both may rest the new one stands before the old one goes; else it is one request of the venue's."""

    async def story() -> None:
        async with desk(exchange, symbol) as one:
            await one.to_phase(0)
            await one.place("buy")
            one.broker.held = lambda symbol, leg: 1.0
            order = await one.place(
                "sell", "stop", NAN if closes else 1.0, stop_price=95.5, reduce_only=True, close_position=closes
            )
            if symbol == PERP:  # the replacement is refused: what it was to replace still stands
                exchange.faults.add("reject", target="submit", code="insufficient_balance", when={"nth": 1})
                with pytest.raises(BrokerRejected):
                    await one.amend(order.id, stop=98.5)
                assert [row.stop_price for row in one.standing()] == [95.5]
                assert (await one.seen(order.id)).status == "open"
            await one.amend(order.id, stop=98.5)
            (standing,) = one.standing()
            assert standing.stop_price == 98.5
            await one.minutes(10)
            done = await one.seen(order.id)
            assert done.status == "closed" and done.triggered and one.position() == 0.0

    run(story())


@BOTH
def test_an_amend_that_is_refused_leaves_the_order_as_it_was(exchange: Exchange, symbol: str) -> None:
    """A5."""

    async def story() -> None:
        async with desk(exchange, symbol) as one:
            await one.to_phase(0)
            order = await one.place("buy", "limit", price=96.5)
            with pytest.raises(BrokerRejected) as refused:
                await one.amend(order.id, price=96.505)
            assert refused.value.fields["code"] == "off_tick"
            with pytest.raises(BrokerRejected) as refused:
                await one.amend(order.id, quantity=100_000.0)
            assert refused.value.fields["code"] in ("insufficient_margin", "leverage_beyond_tier")
            (standing,) = one.standing()
            assert (standing.price, standing.quantity) == (96.5, 1.0)
            seen = await one.seen(order.id)
            assert (seen.status, seen.price) == ("open", 96.5)
            await one.cancel(order.id)
            with pytest.raises(BrokerRejected, match="canceled at the venue"):
                await one.amend(order.id, price=97.0)

    run(story())


@MOST
def test_cancel_all_leaves_nothing(exchange: Exchange, symbol: str) -> None:
    """C2 C4: triggers too."""

    async def story() -> None:
        async with desk(exchange, symbol) as one:
            await one.to_phase(0)
            for price in (96.5, 96.0):
                await one.place("buy", "limit", price=price)
            await one.place("sell", "stop", stop_price=95.5)
            assert len(one.standing()) == 3
            assert await one.broker.cancel_all() == 0 and one.standing() == []
            assert await one.broker.cancel_all() == 0  # nothing to cancel is no error

    run(story())


@MOST
def test_a_stop_for_all_that_is_held_follows_the_entry(exchange: Exchange, symbol: str) -> None:
    """B2 B3: the protective orders of the core have no quantity; on spot the fee came out of the coins."""

    async def story() -> None:
        async with desk(exchange, symbol) as one:
            await one.to_phase(0)
            if symbol != PERP:  # no other coins than those that are bought
                coins = one.balance("BTC")
                exchange.call(lambda: exchange.engine.adjust(one.account, "BTC", -coins, "withdraw"))
            await one.place("buy", quantity=2.0)
            one.broker.held = lambda symbol, leg: 2.0
            stop = await one.place("sell", "stop", NAN, stop_price=98.5, reduce_only=True, close_position=True)
            assert stop.status == "open"
            if symbol == PERP:
                assert one.standing()[0].close_position
            else:
                assert one.standing()[0].quantity == pytest.approx(1.998)
            await one.minutes(10)
            assert (await one.seen(stop.id)).status == "closed"
            assert one.position() == 0.0 and (symbol == PERP or one.balance("BTC") < 0.01)

    run(story())


@BOTH
def test_flags_reach_the_venue(exchange: Exchange, symbol: str) -> None:
    """F1 F2 F3 R1 R2 R3."""

    async def story() -> None:
        async with desk(exchange, symbol) as one:
            await one.to_phase(0)
            rests = await one.place("buy", "limit", price=96.5, post_only=True)
            assert rests.status == "open" and one.standing()[0].post_only
            with pytest.raises(BrokerRejected) as refused:
                await one.place("buy", "limit", price=103.0, post_only=True)
            assert refused.value.fields["code"] == "post_only_would_take"
            if symbol == SPOT:
                await one.place("buy", "limit", 2.0, price=96.0, display=0.5)
                assert one.standing()[-1].display == 0.5
            else:
                with pytest.raises(BrokerRejected) as refused:
                    await one.place("sell", reduce_only=True)
                assert refused.value.fields["code"] == "reduce_only_would_increase"
                await one.place("buy")
                await one.place("sell", "limit", price=103.9, reduce_only=True)
                assert one.standing()[-1].reduce_only
                with pytest.raises(BrokerRejected, match="no iceberg orders") as refused:
                    await one.place("buy", "limit", 2.0, price=96.0, display=0.5)
                assert refused.value.fields["sent"] is False
            await one.broker.cancel_all()

    run(story())


@BOTH
def test_a_stop_and_a_target_for_one_position(exchange: Exchange, symbol: str) -> None:
    """B1 B2: both rest, either may be changed or taken away, and the fill of one ends the other."""

    async def story() -> None:
        async with desk(exchange, symbol, listen=True) as one:
            await one.to_phase(0)
            if symbol == SPOT:
                coins = one.balance("BTC")
                exchange.call(lambda: exchange.engine.adjust(one.account, "BTC", -coins, "withdraw"))
            await one.place("buy")
            one.broker.held = lambda symbol, leg: 1.0
            whole = {"reduce_only": True, "close_position": True}
            stop = await one.place("sell", "stop", NAN, stop_price=95.5, **whole)
            target = await one.place("sell", "limit", NAN, price=103.9, **whole)
            assert target.status == "open" and {order.type for order in one.standing()} == {"stop", "limit"}
            await one.amend(stop.id, stop=96.5)
            await one.amend(target.id, price=103.5)
            seen = {order.id: order for order in (await one.look()).orders}
            assert set(seen) == {stop.id, target.id}
            assert (seen[stop.id].stop_price, seen[target.id].price) == (96.5, 103.5)
            await one.cancel(target.id)
            assert [order.type for order in one.standing()] == ["stop"]
            target = await one.place("sell", "limit", NAN, price=103.5, **whole)
            assert "canceled" not in one.words(stop.id)
            one.broker.register.lines.clear()  # after a restart
            assert {order.id for order in (await one.look()).orders} == {stop.id, target.id}
            await one.minutes(5)
            assert (await one.seen(target.id)).status == "closed"
            if symbol == SPOT:  # Binance ends it; on perpetuals what only reduces has nothing left to do
                assert (await one.seen(stop.id)).status in ("canceled", "expired") and one.balance("BTC") < 0.01
            await one.broker.cancel_all()

    run(story())


def test_both_of_a_pair_may_be_asked_for_things_at_once(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT) as one:
            await one.to_phase(0)
            coins = one.balance("BTC")
            exchange.call(lambda: exchange.engine.adjust(one.account, "BTC", -coins, "withdraw"))
            await one.place("buy")
            one.broker.held = lambda symbol, leg: 1.0
            whole = {"reduce_only": True, "close_position": True}
            stop = await one.place("sell", "stop", NAN, stop_price=95.5, **whole)
            target = await one.place("sell", "limit", NAN, price=103.9, **whole)
            said = await asyncio.gather(
                one.amend(stop.id, stop=96.5), one.amend(target.id, price=103.5), return_exceptions=True
            )
            (late,) = (error for error in said if isinstance(error, BaseException))
            assert isinstance(late, BrokerTransient) and late.fields["retry_ms"] == 200
            await one.amend(stop.id, stop=96.5)
            await one.amend(target.id, price=103.5)  # as they are asked for again
            assert sorted((order.type, order.price) for order in one.standing())[0] == ("limit", 103.5)
            await asyncio.gather(one.cancel(stop.id), one.cancel(target.id), return_exceptions=True)
            assert one.standing() == []

    run(story())


@pytest.mark.parametrize("symbol", [SPOT, USD])
def test_on_spot_a_bot_sells_no_coin_that_it_has_not_bought(exchange: Exchange, symbol: str) -> None:
    """The account has ten coins of its owner's."""

    async def story() -> None:
        async with desk(exchange, symbol) as one:
            one.broker.held = lambda symbol, leg: 0.3
            coins = one.balance("BTC")
            for type, more in (("market", {}), ("limit", {"price": 104.5}), ("stop", {"stop_price": 96.5})):
                asked = exchange.requests
                with pytest.raises(BrokerRejected, match=r"0.31 of 0.3 that it has bought") as refused:
                    await one.place("sell", type, 0.31, **more)
                assert refused.value.fields == {"code": "short_not_allowed", "sent": False}
                assert exchange.requests == asked
            await one.place("sell", "market", 0.3)
            assert one.balance("BTC") == pytest.approx(coins - 0.3)

    run(story())
