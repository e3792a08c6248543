"""A broker of a new process: of orders that rest it knows the terms that no venue tells, once it has been told them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tests.bots.brokers.stage import MINUTE, NAN, PERP, SPOT, USD, Desk, desk, run
from workbench.errors import BrokerRejected
from workbench.practice.exchange import Exchange
from workbench.trading.orders import Order

WHOLE: dict[str, Any] = {"reduce_only": True}


def restart(one: Desk, *orders: Order) -> None:
    """Forget all, as a new process has, and take what a journal has of orders."""
    one.broker.register.lines.clear()
    one.broker.register._ids.clear()
    one.broker.remember(orders)


async def holding(exchange: Exchange, one: Desk) -> None:
    await one.to_phase(0)
    coins = one.balance("BTC")
    exchange.call(lambda: exchange.engine.adjust(one.account, "BTC", -coins, "withdraw"))
    await one.place("buy")
    one.broker.held = lambda symbol, leg: 1.0


def test_one_of_a_pair_may_be_changed_and_the_other_taken_away(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT) as one:
            await holding(exchange, one)
            stop = one.order("sell", "stop", 0.999, stop_price=95.5, **WHOLE)
            target = one.order("sell", "limit", 0.999, price=103.9, **WHOLE)
            await one.submit(stop)
            restart(one, stop)
            await one.submit(target)  # beside a stop of an earlier life
            assert {each.type for each in one.standing()} == {"stop", "limit"}
            restart(one, stop, target)
            await one.look()
            await one.amend(stop.id, stop=96.5)
            assert {each.type: (each.quantity, each.stop_price) for each in one.standing()}["stop"] == (0.999, 96.5)
            assert len(one.standing()) == 2
            restart(one, stop, target)  # the end came before anybody heard that the stop was moved
            await one.look()
            await one.cancel(target.id)
            assert [(each.type, each.stop_price) for each in one.standing()] == [("stop", 96.5)]
            await one.broker.cancel_all()

    run(story())


def test_what_is_post_only_stays_so(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT) as one:
            await one.to_phase(0)
            order = one.order("buy", "limit", price=95.5, post_only=True)
            await one.submit(order)
            restart(one, order)
            with pytest.raises(BrokerRejected):
                await one.amend(order.id, price=101.0)
            assert (await one.seen(order.id)).filled == 0.0
            await one.amend(order.id, price=96.5)
            assert [(each.price, each.post_only) for each in one.standing()] == [(96.5, True)]
            await one.broker.cancel_all()

    run(story())


def test_what_has_a_date_keeps_it(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, PERP) as one:
            await one.to_phase(0)
            now = exchange.now
            dated: dict[str, Any] = {"time_in_force": "GTD", "expires": now + 60 * MINUTE, "created": now}
            order = one.order("buy", "stop_limit", price=106.0, stop_price=105.0, **dated)
            await one.submit(order)
            restart(one, order)
            await one.amend(order.id, price=106.5)
            assert [(each.price, each.expires) for each in one.standing()] == [(106.5, now + 60 * MINUTE)]
            assert (await one.broker.check()).dates(order)  # so nobody else ends it
            await one.minutes(50)
            restart(one, order)
            with pytest.raises(BrokerRejected, match="its date is 600 s away; it stays as it was"):  # too near for one
                await one.amend(order.id, price=106.0)
            assert [(each.price, each.expires) for each in one.standing()] == [(106.5, now + 60 * MINUTE)]
            await one.broker.cancel_all()

    run(story())


@pytest.mark.parametrize("symbol", [SPOT, PERP, USD])
def test_a_trailing_stop_keeps_its_distance(exchange: Exchange, symbol: str) -> None:
    async def story() -> None:
        async with desk(exchange, symbol) as one:
            await one.to_phase(0)
            await one.place("buy")
            activation = 102.0 if symbol == PERP else NAN
            order = one.order("sell", "trailing_stop", 0.3, trail=0.05, activation=activation, reduce_only=True)
            await one.submit(order)
            restart(one, replace(order, stop_price=102.5) if symbol == PERP else order)  # as books have it once changed
            await one.amend(order.id, quantity=0.9)
            (standing,) = one.standing()
            assert (standing.type, standing.quantity, standing.trail) == ("trailing_stop", 0.9, 0.05)
            assert standing.activation == 102.5 if symbol == PERP else math.isnan(standing.activation)
            await one.broker.cancel_all()

    run(story())


def test_what_the_broker_sent_itself_it_knows_better(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT) as one:
            await one.to_phase(0)
            order = one.order("buy", "limit", price=95.5, post_only=True)
            await one.submit(order)
            one.broker.remember([replace(order, post_only=False)])
            with pytest.raises(BrokerRejected):
                await one.amend(order.id, price=101.0)
            await one.broker.cancel_all()

    run(story())
