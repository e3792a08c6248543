"""A bot in trouble that is not of its making: feeds that end, a busy database, a strategy that hangs."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from tests.bots.brokers.stage import MINUTE, PERP, SPOT, run, swing, swinging
from tests.bots.runner_stage import PACE, Broken, Quiet, Swinger, bot
from tests.practice.stage import bars
from workbench.bots.outages import Outages
from workbench.bots.restarting import Restarting, RestartTerms
from workbench.errors import ConfigError
from workbench.market.feeds.events import ConnectionMoved
from workbench.market.feeds.replay import ReplayFeed
from workbench.practice.exchange import Exchange

QUICKLY = RestartTerms(most=2, window_s=600, backoff_s=0.01)


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with swinging(PERP) as served:
        yield served


def short(timeframe: str, start: int) -> ReplayFeed:
    """A feed that ends at once."""
    return ReplayFeed(bars(PERP, swing()[:1]))


def test_a_bot_whose_feed_ends_is_run_again_and_goes_on(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP) as mine:
            feeds = iter([lambda real: short, lambda real: real])

            def session() -> Any:
                mine.feeds = next(feeds)
                return mine.opened()

            keeper = Restarting(session, QUICKLY, alert=mine.alerts.append)
            mine.task = asyncio.create_task(keeper.run())
            await mine.waits(lambda: keeper.restarts == 1 and mine.runner.state == "RUNNING")
            await mine.minutes(5)
            assert mine.one.orders()
            mine.check_books()
            lines = [one.text for one in mine.journal.logs(level="warning").lines]
            assert any("restart 1 of at most 2" in one and "the feed has ended" in one for one in lines), lines
            keeper.stop()
            assert await mine.ends() == "stopped by its user"

    run(story())


def test_there_are_only_so_many_restarts_and_none_where_a_person_must_look(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP, strategy=Quiet()) as mine:
            mine.feeds = lambda real: short
            keeper = Restarting(mine.opened, QUICKLY, alert=mine.alerts.append)
            assert "the feed has ended" in await keeper.run()
            assert keeper.restarts == 2 and mine.runner.state == "FAILED"
            assert mine.alerts[-1].level == "critical" and "not started again" in mine.alerts[-1].text
        async with bot(exchange, tmp_path / "other", PERP, strategy=Broken()) as mine:
            keeper = Restarting(mine.opened, QUICKLY)
            mine.task = asyncio.create_task(keeper.run())
            while not mine.task.done():
                await mine.waits(lambda: mine.runner is not None and mine.runner.state in ("RUNNING", "FAILED"))
                await mine.minutes(1)
            assert keeper.restarts == 0 and "what was to be looked up" in mine.task.result()

    run(story())


def test_who_kills_a_bot_while_it_stops_has_killed_it(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP) as mine:
            closing_now, may_close = asyncio.Event(), asyncio.Event()

            @asynccontextmanager
            async def lingers(feed: Any) -> AsyncIterator[Any]:
                async with feed:
                    yield feed
                closing_now.set()
                await may_close.wait()

            mine.feeds = lambda real: lambda timeframe, start: lingers(real(timeframe, start))
            async with mine.session() as runner:
                await mine.reaches("RUNNING")
                await mine.before_minute(1)
                await mine.minutes(1)
                orders = runner.shell.mind.core.orders
                assert len(orders) == 2
                runner.stop()
                await mine.waits(closing_now.is_set)
                assert runner.state == "STOPPING"
                runner.kill("cancel", "killed by Ctrl-C")
                await mine.waits(lambda: runner.over and runner.verified)  # at once, not when the feeds are closed
                may_close.set()
                assert await mine.ends() == "killed by Ctrl-C"
                assert (runner.state, runner.verified, len(orders)) == ("KILLED", True, 1)  # the stop protects
                mine.check_books()

    run(story())


class Leaver(wb.OrderStrategy):
    """Buys, and sells all but a remainder that no venue takes."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        if view.quantity() > 0.1:
            return view.market("sell", 0.45)
        return None if view.quantity() else view.market("buy", 0.5)


def test_a_killed_bot_leaves_what_is_too_small_and_says_so_once(tmp_path: Path) -> None:
    async def story(exchange: Exchange) -> None:
        facts = {"tick_size": 0.01, "lot_size": 0.001, "min_notional": 10.0}
        async with bot(exchange, tmp_path, SPOT, strategy=Leaver(), facts=facts) as mine, mine.session() as runner:
            await mine.reaches("RUNNING")
            await mine.minutes(3)
            assert 0.0 < mine.held() < 0.06
            mine.alerts.clear()
            runner.kill("flatten", "killed by its user")
            reason = await mine.ends()
            assert reason.startswith("killed by its user; 0.0") and "is below what the venue takes and stays" in reason
            assert runner.verified and runner.stays in reason
            assert [one.text for one in mine.alerts if one.level == "critical"] == [reason]
            moves = [one.record.state for one in mine.journal.entries(kinds=["Moved"])]
            assert moves.count("KILLED") == 1

    with swinging(SPOT, min_notional=10.0) as exchange:
        run(story(exchange))


def test_restart_terms_are_numbers_that_make_sense() -> None:
    with pytest.raises(ConfigError, match="backoff_s=0"):
        RestartTerms(backoff_s=0)
    with pytest.raises(ConfigError, match="most=-1"):
        RestartTerms(most=-1)


def locked(path: Path) -> sqlite3.Connection:
    """Another program that holds the database."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_nothing_goes_out_while_the_database_is_held_and_nothing_is_lost(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP) as mine, mine.session() as runner:
            await mine.reaches("RUNNING")
            await mine.before_minute(0)
            with closing(locked(tmp_path / "swing.sqlite")) as other:
                await mine.one.minutes(1)
                await mine.waits(lambda: runner.shell.requests)
                turns = runner.turns
                await mine.waits(lambda: runner.turns > turns + 3)
                assert mine.one.orders() == [] and runner.state == "RUNNING"
                assert any("database is locked" in one.text for one in mine.alerts)
                other.execute("ROLLBACK")
            await mine.waits(lambda: mine.one.orders())
            await mine.minutes(3)
            mine.check_books()
            assert mine.journal.verify().ok

    run(story())


def test_a_database_that_is_held_for_too_long_ends_the_bot_behind_its_stop(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        pace = replace(PACE, give_up_s=0.5, drain_s=2)
        async with bot(exchange, tmp_path, PERP, pace=pace) as mine:
            async with mine.session() as runner:
                await mine.reaches("RUNNING")
                await mine.before_minute(0)
                await mine.minutes(2)
                assert mine.held() and len(mine.one.standing()) == 2  # its stop, and a bid
                with closing(locked(tmp_path / "swing.sqlite")) as other:
                    await mine.waits(lambda: runner.state == "FAILED" and mine.task.done())
                    other.execute("ROLLBACK")
                assert "database is locked" in runner.reason
                assert [one.type for one in mine.one.standing()] == ["stop"] and mine.held()
            async with mine.session() as runner:
                await mine.reaches("RUNNING")
                mine.check_books()
                assert mine.journal.verify().ok

    run(story())


class Hangs(Swinger):
    """Does nothing else for a while as soon as it holds something and a bid rests."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        if len(view.orders()) > 1 and not HUNG:
            HUNG.append(view.orders())
            EXCHANGE[0].advance(2 * MINUTE)
        return super().on_bar(view, bar)


HUNG: list[Any] = []
EXCHANGE: list[Exchange] = []


def test_a_bot_that_hangs_is_silent_so_that_the_venue_cancels(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        HUNG.clear()
        EXCHANGE[:] = [exchange]
        pace = replace(PACE, heartbeat_s=0.05, slow_s=0.02)
        how: dict[str, Any] = {"strategy": Hangs(), "pace": pace, "broker": {"dead_man_s": 90.0}}
        async with bot(exchange, tmp_path, PERP, **how) as mine, mine.session() as runner:
            await mine.reaches("RUNNING")
            await mine.before_minute(0)
            while not HUNG:
                await mine.minutes(1)
            await mine.waits(mine.calm)
            gone = [one for one in mine.one.orders() if one.status == "canceled"]
            assert gone, "the venue cancelled nothing"
            mine.check_books()
            assert any("to deal with" in one.text for one in mine.alerts)
            assert runner.held() == {(PERP, "net"): mine.held()} or not mine.held()

    run(story())


def test_an_outage_stands_in_the_log_once_and_that_it_is_over(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        async with bot(exchange, tmp_path, PERP, strategy=Quiet()) as mine, mine.session():

            def told() -> list[tuple[str, str]]:
                lines = mine.journal.logs(level="info").lines
                return [(one.level, one.text) for one in lines if one.fields.get("channel") == "bars 1m"]

            await mine.reaches("RUNNING")
            assert told() == []  # what is well from the beginning is not told
            exchange.cut()
            await mine.waits(lambda: any("live by websocket again" in text for _, text in told()))
            found = list(reversed(told()))
            assert found[-1] == ("info", f"bars 1m of {PERP}: live by websocket again")
            assert found[0][0] == "warning" and found[0][1].startswith(f"bars 1m of {PERP}: the websocket broke: ")
            assert all(one != other for one, other in pairwise(found))

    run(story())


def test_each_change_of_a_connection_is_told_once_in_words() -> None:
    told: list[tuple[str, str]] = []
    outages = Outages(lambda level, text, fields: told.append((level, text)))
    said = [
        ("live", ""), ("polling", "Connection reset"), ("down", "no route"), ("down", "no route"), ("polling", ""),
        ("connecting", ""), ("live", ""), ("live", ""),
    ]  # fmt: skip
    for state, reason in said:
        outages.note(ConnectionMoved(PERP, 1, 1, "tickers", state, reason))
    asked = f"tickers of {PERP}: asked over REST, since its websocket does not work"
    assert told == [
        ("warning", f"{asked}: Connection reset"),
        ("warning", f"tickers of {PERP}: the venue answers neither by websocket nor over REST: no route"),
        ("warning", asked),
        ("info", f"tickers of {PERP}: live by websocket again"),
    ]
    outages.note(ConnectionMoved(PERP, 1, 1, "bars 1m", "polling", ""))
    assert told[-1] == ("info", f"bars 1m of {PERP}: asked over REST, since the venue has no websocket for it")
