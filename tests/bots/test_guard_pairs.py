"""A guard that cancels what a dead bot wanted: what protects its position stays, also where a venue ends both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.bots.brokers.stage import SPOT, desk, run, swinging
from workbench.bots.guard_record import Record
from workbench.bots.guard_terms import GuardTerms
from workbench.bots.guard_winding import Known, Winding, wind_down
from workbench.practice.exchange import Exchange


@pytest.fixture(scope="module")
def exchange() -> Iterator[Exchange]:
    with swinging(SPOT) as served:
        yield served


@pytest.mark.parametrize("how", ["cancel", "flatten"])
def test_the_stop_that_shares_a_list_with_a_target_of_the_strategy(exchange: Exchange, how: Any) -> None:
    async def story() -> None:
        async with desk(exchange, SPOT) as one, desk(exchange, SPOT, key=one.account) as guard:
            await one.to_phase(0)
            coins = one.balance("BTC")
            exchange.call(lambda: exchange.engine.adjust(one.account, "BTC", -coins, "withdraw"))
            await one.place("buy")
            stop = one.order("sell", "stop", 0.999, stop_price=94.5, reduce_only=True, parent=SPOT)
            target = one.order("sell", "limit", 0.999, price=103.9, reduce_only=True)
            await one.submit(stop)
            await one.submit(target)
            await one.amend(stop.id, stop=95.5)
            told = {  # as a bot tells it through the pipe
                "orders": {each.id: [SPOT, "sell", "net", 0.0, bool(each.parent)] for each in (target, stop)},
                "terms": [stop.to_dict()], "held": [[SPOT, "net", 0.999]], "flight": False,
            }  # fmt: skip
            record = Record("b", how, "test", exchange.now)
            winding = Winding(
                guard.broker, Known.of(json.loads(json.dumps(told))), record, mark="wbaaaaaaaaaa",
                terms=GuardTerms(settle_s=0.05, land_s=0.5), keep=lambda: None,
            )  # fmt: skip
            await wind_down(winding, lambda text: pytest.fail(text))
            stands = [(each.type, each.stop_price, each.quantity) for each in one.standing()]
            assert stands == ([("stop", 95.5, 0.999)] if how == "cancel" else [])
            assert record.verified and one.balance("BTC") == pytest.approx(0.999 if how == "cancel" else 0.0)
            await one.broker.cancel_all()

    run(story())
