"""What a broker makes of answers that are none: it raises, or gives the truth, and never takes nonsense for a fact."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bots.brokers.stage import PERP, SPOT, USD, Desk, desk, run
from workbench.bots.brokers.talk import Snapshot, VenueOrder
from workbench.errors import BrokerError, BrokerRejected, BrokerTransient, BrokerUnknown
from workbench.practice.exchange import Exchange

KINDS = ("html", "truncated", "empty", "wrong")
MOST = [SPOT, PERP, pytest.param(USD, marks=pytest.mark.long)]  # Kraken is slowest


async def told(one: Desk, asking: Any) -> Any:
    """What comes of asking: the answer, or the error."""
    try:
        return await asking
    except BrokerError as error:
        return error


def plain(seen: Snapshot) -> Any:
    return [sorted(map(repr, part)) for part in (seen.orders, seen.fills, seen.positions, seen.balances.items())]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("symbol", MOST)
def test_an_answer_that_is_none_is_never_taken_for_one(exchange: Exchange, symbol: str, kind: str) -> None:
    async def story() -> None:
        async with desk(exchange, symbol) as one:
            await one.to_phase(0)
            await one.place("buy", quantity=0.3)
            bid = await one.place("buy", "limit", 0.2, price=95.5)
            stop = await one.place("sell", "stop", 0.2, stop_price=96.5, reduce_only=":" in symbol)
            truth, orders = plain(await one.look()), {id: await one.seen(id) for id in (bid.id, stop.id)}
            for number in range(14):  # each request of a look in its turn
                exchange.faults.add({"fault": "garbage", "kind": kind, "when": {"skip": number, "count": 1}})
                said = await told(one, one.look())
                assert isinstance(said, BrokerTransient) or plain(said) == truth, (number, said)
                exchange.faults.clear()
            for id, order in orders.items():
                for number in range(4):
                    exchange.faults.add({"fault": "garbage", "kind": kind, "when": {"skip": number, "count": 1}})
                    said = await told(one, one.find(id))
                    assert isinstance(said, BrokerTransient) or said == order, (number, said)
                    exchange.faults.clear()
            absent = one.order()
            for number in range(4):
                exchange.faults.add({"fault": "garbage", "kind": kind, "when": {"skip": number, "count": 1}})
                said = await told(one, one.find(absent.id))
                assert isinstance(said, BrokerTransient) or said is None, (number, said)
                exchange.faults.clear()

    run(story())


@pytest.mark.parametrize("landed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("symbol", MOST)
def test_nobody_knows_what_became_of_a_request_whose_answer_is_none(
    exchange: Exchange, symbol: str, kind: str, landed: bool
) -> None:
    async def story() -> None:
        async with desk(exchange, symbol) as one:
            read = one.broker.register.names.read
            await one.to_phase(0)
            for type, price in (("limit", {"price": 95.5}), ("stop", {"stop_price": 104.5})):
                order = one.order("buy", type, 0.2, **price)
                for what, ask in (
                    ("submit", lambda order=order: one.submit(order)),
                    ("amend", lambda order=order, price=price: one.amend(order.id, **{
                        "price" if "price" in price else "stop": next(iter(price.values())) + 0.2})),
                    ("cancel", lambda order=order: one.cancel(order.id)),
                ):  # fmt: skip
                    for number in range(4):
                        before = [(one_.client_id, one_.status, one_.price, one_.stop_price) for one_ in one.orders()]
                        exchange.faults.add({"fault": "garbage", "kind": kind, "landed": landed, "target": what,
                                             "when": {"skip": number, "count": 1}})  # fmt: skip
                        said = await told(one, ask())
                        exchange.faults.clear()
                        after = [(one_.client_id, one_.status, one_.price, one_.stop_price) for one_ in one.orders()]
                        if isinstance(said, (BrokerTransient, BrokerRejected)):
                            assert before == after, (what, number, said)
                        elif isinstance(said, VenueOrder):
                            standing = any(one_.open and read(one_.client_id)[0] == order.id for one_ in one.orders())
                            assert standing == (said.status == "open"), (what, number, said)
                        if not isinstance(said, (BrokerUnknown, BrokerTransient)):
                            break
                    else:
                        number = -1
                    if number < 0 or isinstance(said, BrokerUnknown):
                        continue
                found = await one.find(order.id)
                if found is not None and found.status == "open":
                    await one.cancel(order.id)

    run(story())
