"""Listening to the news of an account asks the venue for nothing by itself, past the limits that requests keep to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bots.brokers.stage import PERP, desk, run, swinging, until
from workbench.practice.exchange import Exchange


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with swinging(PERP) as served:
        yield served


def test_streams_do_not_ask_for_positions(exchange: Exchange) -> None:
    async def story() -> None:
        exchange.faults.add(
            {
                "fault": "latency",
                "target": "GET */positionRisk",
                "latency": {"kind": "lognormal", "ms": 1.0, "sigma": 0.1},
            }
        )
        async with desk(exchange, PERP, listen=True) as one:
            order = await one.place("buy", "limit", 0.1, price=90.0)
            await until(lambda: bool(one.words(order.id)))
            asked = [entry for entry in exchange.faults.log if "positionRisk" in str(entry)]
            assert asked == []
            assert await one.broker.positions() == ()
            assert [
                entry for entry in exchange.faults.log if "positionRisk" in str(entry)
            ]  # those that are meant count

    run(story())
