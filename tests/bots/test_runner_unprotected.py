"""A stop that a pair has lost half way: the bot looks at once what stands, and places it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.bots.brokers.stage import MINUTE, SPOT, run, swinging
from tests.bots.runner_stage import PACE, bot
from tests.practice.stage import T0
from workbench.bots.brokers.talk import Find
from workbench.errors import BrokerTransient
from workbench.practice.exchange import Exchange

TARGET = T0 + 102 * MINUTE


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with swinging(SPOT) as served:
        yield served


class Later(wb.OrderStrategy):
    """Holds one position with a stop, and gives it a target in the third minute."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        if not view.quantity():
            return view.market("buy", 0.5, stop_loss=0.3)
        return view.protect(target_at=140.0) if bar.ts == TARGET else None


def test_a_stop_that_is_lost_is_looked_for_at_once_and_placed_again(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        pace = replace(PACE, look_s=1_000_000)
        async with bot(exchange, tmp_path, SPOT, strategy=Later(), pace=pace) as mine, mine.session() as runner:
            await mine.reaches("RUNNING")
            await mine.minutes(2)
            assert [order.type for order in mine.one.standing()] == ["stop"]
            exchange.faults.add("reset", target="submit", landed=False, when={"nth": 2})
            await mine.one.minutes(1)
            await mine.waits(lambda: {order.type for order in mine.one.standing()} == {"stop", "limit"})
            assert {order.type for order in mine.one.standing()} == {"stop", "limit"}
            assert any(done.fault == "reset" for done in exchange.faults.log)
            assert any("was taken away" in alert.text for alert in mine.alerts)
            exchange.faults.clear()

            for gone in (False, True):
                runner._looked_at, runner.asking = runner.now, runner.asking + 1
                runner._answered(Find("of nobody", SPOT), BrokerTransient("no answer", gone=gone))
                assert (runner._looked_at == 0) == gone  # it looks at the next beat
            runner.stop()
            await mine.ends()

    run(story())
