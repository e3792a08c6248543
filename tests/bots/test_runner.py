"""A bot at a practice exchange through real clients: it runs, trades, stops, goes on, survives, and can be killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bots.brokers.stage import PERP, SPOT, run, swinging
from tests.bots.runner_stage import Broken, Quiet, bot
from workbench.practice.exchange import Exchange
from workbench.trading.events import Started


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with swinging(PERP, SPOT) as served:  # of each test alone: the clock runs far, and so do allowances of requests
        yield served


def states(journal: Any) -> list[str]:
    return [one.record.state for one in journal.entries(kinds=["Moved"])]


AWAKE = ["STARTING", "WARMING_UP", "RECONCILING", "RUNNING"]


@pytest.mark.parametrize("symbol", [PERP, pytest.param(SPOT, marks=pytest.mark.long)])
def test_it_runs_and_trades_stops_and_goes_on(exchange: Exchange, tmp_path: Path, symbol: str) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, symbol) as mine:
            async with mine.session() as runner:
                await mine.reaches("RUNNING")
                await mine.minutes(6)
                mine.check_books()
                assert mine.one.orders()
                runner.stop()
                assert await mine.ends() == "stopped by its user"
                assert states(mine.journal) == [*AWAKE, "STOPPING", "STOPPED"]
                before = len(mine.one.orders())
            await mine.one.minutes(3)
            async with mine.session() as runner:
                await mine.reaches("RUNNING")
                await mine.minutes(6)
                mine.check_books()
                assert len(mine.one.orders()) > before
                runner.stop()
                await mine.ends()
                sessions = mine.journal.sessions()
                assert [one.reason for one in sessions] == ["stopped by its user"] * 2
                assert len(list(mine.journal.entries(kinds=[Started.__name__]))) == 1
                bars = [one.record.ts for one in mine.journal.entries(kinds=["Bar", "Learnt"])]
                assert bars == list(range(bars[0], bars[-1] + 1, 60_000))  # each once, none missing
                notes = [one for one in mine.journal.logs().lines if "market as" in one.text]
                assert notes and all(one.fields["bid"] < one.fields["ask"] for one in notes), notes
            assert mine.alerts == []

    run(story())


@pytest.mark.parametrize("symbol", [PERP, pytest.param(SPOT, marks=pytest.mark.long)])
def test_a_broken_off_bot_recovers(exchange: Exchange, tmp_path: Path, symbol: str) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, symbol) as mine:
            for minute in (0, 3):  # an entry, then what closes it, arrives and its answer does not
                async with mine.session():
                    await mine.reaches("RUNNING")
                    await mine.before_minute(minute)
                    before = len(exchange.faults.log)
                    exchange.faults.add({"fault": "reset", "target": "submit", "landed": True})
                    await mine.one.minutes(1)
                    await mine.waits(lambda before=before: len(exchange.faults.log) > before)
                exchange.faults.clear()
            async with mine.session() as runner:
                await mine.reaches("RUNNING")
                await mine.minutes(2)
                mine.check_books()
                runner.stop()
                await mine.ends()
                reasons = [one.reason for one in mine.journal.sessions()]
                assert reasons == ["", "", "stopped by its user"]
                assert mine.journal.verify().ok

    run(story())


def test_a_kill_flattens_and_asks_the_venue(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        orders: list[Any] = [""]
        async with bot(exchange, tmp_path, PERP, killed=lambda: orders[0]) as mine:
            async with mine.session():
                await mine.reaches("RUNNING")
                while not mine.held():
                    await mine.minutes(1)
                assert mine.one.standing()  # its stop
                orders[0] = "flatten"
                assert await mine.ends() == "a kill file was found"
                assert mine.held() == 0.0 and mine.one.standing() == []
                mine.check_books()
                assert states(mine.journal)[-1] == "KILLED"
            with pytest.raises(Exception, match="was killed"):
                async with mine.session():
                    await mine.waits(lambda: False)
            orders[0], mine.terms["revive"] = "", True
            async with mine.session() as runner:
                await mine.reaches("RUNNING")
                await mine.minutes(5)
                mine.check_books()
                runner.kill("cancel")
                await mine.ends()
                assert all(one.reduce_only for one in mine.one.standing())

    run(story())


def test_what_others_do_is_told_and_stops_entries_until_positions_agree(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP, strategy=Quiet()) as mine, mine.session() as runner:
            await mine.reaches("RUNNING")
            await mine.one.place("buy", "limit", 0.3, price=93.0)
            await mine.one.place("buy", "market", 0.7)
            await mine.reaches("PAUSED")
            texts = " / ".join(one.text for one in mine.alerts)
            assert f"position in {PERP}: the venue has 0.7, the books have 0" in texts
            assert "executions that are none of this bot's: buy 0.7" in texts
            await mine.waits(lambda: any("an order that is none of this bot's" in one.text for one in mine.alerts))
            await mine.one.place("sell", "market", 0.7)
            await mine.reaches("RUNNING")
            assert runner.shell.mind.core.account.positions == ()

    run(story())


def test_what_others_do_is_taken_into_the_books_where_that_is_wanted(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        how: dict[str, Any] = {"strategy": Quiet(), "policy": "adopt"}
        async with bot(exchange, tmp_path, PERP, **how) as mine, mine.session() as runner:
            await mine.reaches("RUNNING")
            await mine.one.place("buy", "market", 0.7)
            await mine.waits(lambda: runner.shell.mind.core.account.quantity(PERP, "net") == 0.7)
            await mine.minutes(2)
            assert runner.state == "RUNNING"
            assert not list(mine.journal.entries(kinds=["Adjusted"]))  # the money is as the books have it

    run(story())


def test_a_venue_that_fails_is_left_alone_and_tried_again(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP, strategy=Quiet()) as mine, mine.session() as runner:
            await mine.reaches("RUNNING")
            exchange.faults.add({"fault": "server_error", "target": "query", "status": 502})
            runner.look_soon()
            await mine.reaches("CIRCUIT_OPEN")
            exchange.faults.clear()
            await mine.reaches("RUNNING")
            assert "3 errors of the venue within 60 s" in mine.alerts[0].text

    run(story())


def test_a_bot_whose_strategy_breaks_leaves_its_stop_and_nothing_that_opens(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP, strategy=Broken()) as mine, mine.session() as runner:
            await mine.reaches("RUNNING")
            while not mine.task.done():
                await mine.minutes(1)
            assert runner.state == "FAILED" and "what was to be looked up" in runner.reason
            assert mine.journal.sessions()[-1].reason == runner.reason
            assert [one.type for one in mine.one.standing()] == ["stop"] and mine.held() == 0.5
            assert mine.alerts[-1].level == "critical"

    run(story())


def test_a_kill_while_an_order_is_in_doubt_winds_that_down_too(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP) as mine, mine.session() as runner:
            await mine.reaches("RUNNING")
            await mine.before_minute(0)
            before = len(exchange.faults.log)
            exchange.faults.add({"fault": "drop", "target": "user"})  # so that only a question tells what became of it
            exchange.faults.add({"fault": "reset", "target": "submit", "landed": True, "when": {"count": 1}})
            await mine.one.minutes(1)
            await mine.waits(lambda: len(exchange.faults.log) > before)
            runner.kill("flatten", "enough")
            assert await mine.ends() == "enough"
            assert mine.one.orders() and mine.held() == 0.0 and mine.one.standing() == []
            mine.check_books()

    run(story())
