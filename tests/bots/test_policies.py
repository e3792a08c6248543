"""What a bot does about orders, executions, positions and money at its venue that are not as its journal has them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.bots.brokers.stage import PERP, SPOT, run, swinging
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


async def looked(mine: Bot) -> None:
    """Wait until the venue has been asked for everything twice more."""
    for _ in range(2):
        seen = mine.runner.shell.clerk.seen
        mine.runner.look_soon()
        await mine.waits(lambda seen=seen: mine.runner.shell.clerk.seen > seen)


async def holding(mine: Bot) -> None:
    """Go on until the bot has bought, and its stop and a bid stand."""
    await mine.before_minute(0)
    await mine.minutes(2)
    assert mine.held() == 0.5 and len(mine.one.standing()) >= 2


@pytest.mark.long
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
            other = await mine.one.place("buy", "limit", 0.1, price=94.0)
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
            before = entries(mine)
            other = await mine.one.place("buy", "limit", 0.3, price=94.0)
            runner.look_soon()
            await mine.reaches("PAUSED")
            await mine.minutes(2)
            assert entries(mine) == before and "an order that is none of this bot's: buy 0.3" in told(mine)
            await mine.one.cancel(other.id)
            runner.look_soon()
            await mine.reaches("RUNNING")
            await mine.one.place("buy", "limit", 0.4, price=94.0)
            runner.look_soon()
            await mine.reaches("PAUSED")
            runner.resume()
            await holding(mine)
            assert runner.state == "RUNNING"

    run(story())


def test_a_position_that_differs_at_the_start_is_protected_and_not_added_to(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP) as mine:
            async with mine.session():
                await mine.reaches("RUNNING")
                await holding(mine)
            for one in mine.one.standing():  # while nobody looks: its stop and bid are taken away, and more is bought
                await mine.one.cancel(one.client_id)
            await mine.one.place("buy", "market", 0.2)
            await mine.one.to_phase(4)
            async with mine.session() as runner:
                await mine.reaches("PAUSED")
                assert f"position in {PERP}: the venue has 0.7, the books have 0.5" in told(mine)
                assert [(one.type, one.quantity) for one in mine.one.standing()] == [("stop", 0.5)]
                course = [
                    getattr(one.record, "state", "") or getattr(one.record, "order", one.record)
                    for one in mine.journal.entries()
                ]
                course = [getattr(one, "type", one) for one in course]
                course = course[len(course) - course[::-1].index("STARTING") :]
                assert course.index("stop") < course.index("RUNNING")
                assert course[course.index("RUNNING") + 1] == "PAUSED"  # nothing is between
                before = entries(mine)
                await mine.minutes(10)
                assert entries(mine) == before and runner.state == "PAUSED"
                assert abs(mine.held() - 0.2) < 1e-9  # what is its own it has closed
                await mine.one.place("sell", "market", 0.2)
                runner.look_soon()
                await mine.reaches("RUNNING")

    run(story())


def test_a_paused_bot_enters_nothing_and_leaves_as_it_would(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP, strategy=Swinger()) as mine, mine.session() as runner:
            runner.pause("not yet")  # before it can
            await mine.reaches("PAUSED")
            await mine.before_minute(0)
            await mine.minutes(2)
            assert entries(mine) == 0 and not mine.one.orders()
            runner.resume()
            await holding(mine)
            runner.pause()
            stop = next(one for one in mine.one.standing() if one.type == "stop")
            await mine.one.cancel(stop.client_id)  # by somebody else, at the venue
            runner.look_soon()
            await mine.waits(lambda: len([one for one in mine.one.standing() if one.type == "stop"]) == 1)
            before = entries(mine)
            await mine.minutes(3)
            assert mine.held() == 0.0 and entries(mine) == before and not mine.one.standing()
            await mine.minutes(5)
            assert entries(mine) == before and runner.state == "PAUSED"
            await mine.one.place("buy", "market", 0.1)  # a difference that comes and goes ends no pause of a user's
            runner.look_soon()
            await mine.waits(lambda: "position in" in told(mine))
            await mine.one.place("sell", "market", 0.1)
            await looked(mine)
            await looked(mine)
            assert runner.state == "PAUSED"
            runner.resume()
            await holding(mine)

    run(story())


def test_a_probe_that_fails_doubles_the_pause_and_one_that_does_not_ends_it(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP, strategy=Quiet()) as mine, mine.session() as runner:
            await mine.reaches("RUNNING")
            exchange.faults.add({"fault": "server_error", "target": "query", "status": 502})
            runner.look_soon()
            await mine.reaches("CIRCUIT_OPEN")
            first = runner.breaker.due
            await mine.waits(lambda: runner.breaker.due > first)  # the first probe has failed
            second = runner.breaker.due
            assert second - runner.now > 1.9 * PACE.probe_s * 1_000 - 500 and runner.state == "CIRCUIT_OPEN"
            runner.pause("enough")  # asked for while it cannot be
            exchange.faults.clear()
            await mine.reaches("PAUSED")
            assert runner.now >= second and not runner.breaker.open
            moves = [one.record for one in mine.journal.entries(kinds=["Moved"])][-3:]
            assert [one.state for one in moves] == ["CIRCUIT_OPEN", "RUNNING", "PAUSED"]
            assert moves[-1].reason == "enough"

    run(story())


@pytest.mark.parametrize("policy", ["adopt", pytest.param("alert", marks=pytest.mark.long)])
def test_money_of_a_spot_account_is_watched_and_fees_in_coins_are_no_loss(
    exchange: Exchange, tmp_path: Path, policy: Any
) -> None:
    async def story() -> None:
        pace = replace(PACE, look_s=5)
        async with bot(exchange, tmp_path, SPOT, policy=policy, pace=pace) as mine, mine.session() as runner:
            await mine.reaches("RUNNING")
            await mine.before_minute(0)
            await mine.minutes(7)
            assert 0.49 < mine.held() < 0.51
            assert mine.alerts == []  # it has bought and sold, and the venue has taken coins
            money = runner.shell.mind.core.account.cash
            exchange.call(lambda: exchange.engine.adjust(mine.one.account, "USDT", -500.0, "withdrawn"))
            await mine.waits(lambda: "money in USDT" in told(mine))
            assert len(mine.alerts) == 1
            changed = runner.shell.mind.core.account.cash - money
            assert abs(changed - (-500.0 if policy == "adopt" else 0.0)) < 1e-6
            await mine.minutes(2)
            assert len(mine.alerts) == 1 and runner.state == "RUNNING"

    run(story())
