"""A bot that goes on in a new process: its broker is told what its orders are before anything is asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.bots.brokers.stage import MINUTE, SPOT, run, swinging
from tests.bots.runner_stage import bot
from tests.practice.stage import T0
from workbench.practice.exchange import Exchange
from workbench.trading.events import Rejected


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with swinging(SPOT) as served:
        yield served


MOVES = T0 + 102 * MINUTE


class Guarded(wb.OrderStrategy):
    """Holds one position between a stop and a target, and moves its stop in the third minute."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        if not view.quantity():
            return view.market("buy", 0.5, stop_loss=0.3, take_profit=0.3)
        return view.protect(stop_at=80.0) if bar.ts >= MOVES else None


def test_the_stop_of_a_pair_is_moved_after_a_restart(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, SPOT, strategy=Guarded()) as mine:

            def standing() -> dict[str, float]:
                return {one.type: one.stop_price if one.type == "stop" else one.price for one in mine.one.standing()}

            async with mine.session() as runner:
                await mine.reaches("RUNNING")
                await mine.minutes(2)
                before = standing()
                assert set(before) == {"stop", "limit"} and before["stop"] < 75.0
                runner.stop()
                await mine.ends()
            register = mine.one.broker.register
            register.lines.clear()  # as in a new process
            register._ids.clear()
            async with mine.session() as runner:
                await mine.reaches("RUNNING")
                assert {line.order.type for line in register.lines.values() if line.order is not None} == set(before)
                await mine.minutes(2)
                assert standing() == {**before, "stop": 80.0}
                assert not list(mine.journal.entries(kinds=[Rejected.__name__]))
                runner.stop()
                await mine.ends()

    run(story())
