"""The clerk and the broker at a venue where everything goes wrong: in the end the books are the venue's."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from tests.bots.brokers.post import Post
from tests.bots.brokers.stage import NAN, PERP, SPOT, Desk, desk, run
from workbench.bots.brokers.talk import Look
from workbench.practice.exchange import Exchange
from workbench.trading.events import AmendOrder, CancelOrder, Filled, Submit
from workbench.trading.orders import Order

FAULTS: list[dict[str, Any]] = [
    *({"fault": "reset", "target": "submit", "landed": landed} for landed in (False, True)),
    *({"fault": "reset", "target": "amend", "landed": landed} for landed in (False, True)),
    *({"fault": "server_error", "status": 503, "target": "cancel", "landed": landed} for landed in (False, True)),
    {"fault": "server_error", "status": 502, "target": "query"},
    *({"fault": how, "target": "user"} for how in ("drop", "duplicate", "reorder")),
    {"fault": "disconnect", "target": "fills"},
]  # fmt: skip


def drawn(one: Desk, rng: random.Random) -> Order:
    kind = rng.choice(["market", "limit", "stop"])
    if kind == "market":
        return one.order(rng.choice(["buy", "sell"]), "market", 0.2)
    if kind == "limit":
        return one.order("buy", "limit", 0.2, price=rng.choice([99.0, 98.0, 97.0]))
    return one.order("sell", "stop", 0.2, stop_price=rng.choice([99.0, 97.5, 96.5]))


async def trade(post: Post, rng: random.Random, orders: int) -> list[Order]:
    """Send, cancel and change orders while the market moves."""
    one, mine = post.one, []
    await one.to_phase(0)
    for _ in range(orders):
        mine.append(drawn(one, rng))
        post.intend(Submit(mine[-1]))
        await one.minutes(0.4)
        picked = rng.choice(mine)
        if rng.random() < 0.3:
            post.intend(CancelOrder(picked.id))
        elif rng.random() < 0.4 and picked.type != "market":
            limit = picked.type == "limit"
            post.intend(AmendOrder(picked.id, 96.5 if limit else NAN, NAN, NAN if limit else 96.1))
    return mine


@pytest.mark.parametrize("symbol", [SPOT, PERP])
@pytest.mark.parametrize("seed", [3, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 14))])
def test_the_books_are_the_venues_in_the_end(exchange: Exchange, symbol: str, seed: int) -> None:
    async def story() -> None:
        async with desk(exchange, symbol, listen=True) as one:
            post = Post(one)
            pump = asyncio.create_task(post.pump())
            for fault in FAULTS:
                exchange.faults.add({**fault, "when": {"probability": 0.15}})
            mine = await trade(post, random.Random(seed), 12)
            exchange.faults.clear()
            await one.minutes(5)
            for order in mine:
                post.intend(CancelOrder(order.id))
            while post.busy():
                await post.carry(Look(exchange.now - 3_600_000))
            pump.cancel()
            fills = [event for event in post.events if isinstance(event, Filled)]
            assert len({fill.trade for fill in fills}) == len(fills)
            booked = sum(fill.quantity if fill.side == "buy" else -fill.quantity for fill in fills)
            venue = sum(order.filled if order.side == "buy" else -order.filled for order in one.orders())
            assert booked == pytest.approx(venue) and one.standing() == []
            names = [one.broker.register.names.read(order.client_id) for order in one.orders()]
            assert len(set(names)) == len(names)  # nothing was sent twice

    run(story())
