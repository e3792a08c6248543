"""What a bot does about orders, executions, positions and money at its venue that are not as its journal has them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.bots.brokers.stage import MINUTE, PERP, SPOT, run, swinging
from tests.bots.runner_stage import PACE, Bot, Quiet, Swinger, bot
from workbench.practice.exchange import Exchange


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with swinging(PERP, SPOT) as served:
        yield served


def told(mine: Bot) -> str:
    return " / ".join(one.text for one in mine.alerts)


def entries(mine: Bot) -> int:
    """How many orders the bot has sent that open something."""
    return sum(not one.record.order.reduce_only for one in mine.journal.entries(kinds=["Submit"]))


async def holding(mine: Bot) -> None:
    """Go on until the bot has bought, and its stop and a bid stand."""
    await mine.before_minute(0)
    await mine.minutes(2)
    assert mine.held() == 0.5 and len(mine.one.standing()) == 2


def test_a_journal_from_a_copy_finds_its_own_orders_and_trades_no_more(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP) as mine:
            file = tmp_path / "swing.sqlite"
            async with mine.session() as runner:
                await mine.reaches("RUNNING")
                await mine.before_minute(4)
                runner.stop()
                await mine.ends()
            shutil.copy(file, tmp_path / "copy")
            async with mine.session():
                await mine.reaches("RUNNING")
                await holding(mine)
            shutil.copy(tmp_path / "copy", file)
            other = await mine.one.place("buy", "limit", 0.1, price=80.0)
            async with mine.session() as runner:
                await mine.reaches("PAUSED")
                assert "was that restored from a copy" in told(mine) and "is left until" in told(mine)
                assert runner.shell.mind.core.account.quantity(PERP, "net") == 0.5  # its own executions are its own
                left = {one.client_id: one.type for one in mine.one.standing()}
                assert left.pop(other.id) == "limit" and list(left.values()) == ["stop"]
                assert any("is cancelled" in one.text and one.fields["id"] for one in mine.journal.logs().lines)
                before = entries(mine)
                await mine.before_minute(3)
                await mine.minutes(1)
                assert mine.held() == 0.0  # what it holds it may close
                await mine.waits(lambda: len(mine.one.standing()) == 1)  # nothing is there for the stop to protect
                await mine.minutes(4)
                assert entries(mine) == before and runner.state == "PAUSED"

    run(story())


def test_orders_of_others_halt_the_bot_until_they_are_gone_or_its_user_says_so(
    exchange: Exchange, tmp_path: Path
) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP, policy="halt") as mine, mine.session() as runner:
            await mine.reaches("RUNNING")
            await mine.before_minute(4)
            other = await mine.one.place("buy", "limit", 0.3, price=80.0)
            runner.look_soon()
            await mine.reaches("PAUSED")
            await mine.minutes(2)
            assert entries(mine) == 0 and "an order that is none of this bot's: buy 0.3" in told(mine)
            await mine.one.cancel(other.id)
            runner.look_soon()
            await mine.reaches("RUNNING")
            await mine.one.place("buy", "limit", 0.4, price=80.0)
            runner.look_soon()
            await mine.reaches("PAUSED")
            runner.resume()
            await holding(mine)
            assert runner.state == "RUNNING"

    run(story())
