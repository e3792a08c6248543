"""Trailing stops at a venue: their size follows the position; what they have seen of the price stays where it can."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from tests.bots.brokers.post import Post
from tests.bots.brokers.stage import NAN, PERP, SPOT, USD, desk, run, until
from workbench.bots.brokers.talk import Send
from workbench.practice.exchange import Exchange
from workbench.trading.events import Amended, AmendOrder, Submit


@pytest.mark.parametrize("symbol", [SPOT, PERP, USD])
def test_its_quantity_follows_the_position_and_is_asked_for_once(exchange: Exchange, symbol: str) -> None:
    async def story() -> None:
        async with desk(exchange, symbol) as one:
            await one.to_phase(0)
            await one.place("buy")
            post, sent = Post(one), []
            ask = post.ask

            async def noted(request: Any) -> Any:
                sent.extend([request] if isinstance(request, Send) else [])
                return await ask(request)

            post.ask = noted  # type: ignore[method-assign]
            pump = asyncio.create_task(post.pump())
            order = one.order("sell", "trailing_stop", 0.3, trail=0.02, reduce_only=True)
            post.intend(Submit(order))
            await until(lambda: post.clerk.lines[order.id].state == "resting")
            # as a core says it when an entry has filled once more: what it knows of the best price, and the size
            post.intend(AmendOrder(order.id, 100.0, NAN, NAN))
            post.intend(AmendOrder(order.id, NAN, 0.9, NAN))
            await until(lambda: post.clerk.lines[order.id].quantity == 0.9 and not post._tasks)
            assert [event.quantity for event in post.events if isinstance(event, Amended)] == [
                pytest.approx(NAN, nan_ok=True), 0.9,
            ]  # fmt: skip
            assert [(each.type, each.quantity, each.trail) for each in one.standing()] == [("trailing_stop", 0.9, 0.02)]
            assert len(sent) == 3 and not post.clerk.busy  # nothing is repeated
            assert len([each for each in one.orders() if each.type == "trailing_stop"]) == (1 if symbol == USD else 2)
            pump.cancel()
            await one.broker.cancel_all()

    run(story())


def test_what_has_begun_to_trail_waits_for_no_activation_again(exchange: Exchange) -> None:
    async def story() -> None:
        async with desk(exchange, PERP) as one:
            await one.to_phase(0)
            await one.place("buy")
            stop = await one.place("sell", "trailing_stop", 0.3, trail=0.05, activation=102.0, reduce_only=True)
            told = await one.amend(stop.id, quantity=0.5, stop=102.5)
            assert (told.quantity, told.stop_price) == (0.5, 102.5)
            (standing,) = one.standing()
            assert (standing.quantity, standing.activation) == (0.5, 102.5)  # the price has not been there
            await one.minutes(3)  # up to 104
            told = await one.amend(stop.id, stop=103.0)
            assert told.stop_price == 103.0 and one.standing()[0].id == standing.id  # it trails, and goes on
            await one.amend(stop.id, quantity=0.8)
            told = await one.amend(stop.id, stop=101.0)
            assert told.stop_price == 101.0 and one.standing()[0].created == exchange.now
            (standing,) = one.standing()
            assert standing.quantity == 0.8 and math.isnan(standing.activation)
            await one.minutes(2)  # back to 100, and 98.8 was to be reached
            await one.amend(stop.id, quantity=0.9)
            (standing,) = one.standing()
            assert standing.quantity == 0.9 and math.isnan(standing.activation)
            await one.broker.cancel_all()

    run(story())
