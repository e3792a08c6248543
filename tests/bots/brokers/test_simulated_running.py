"""A paper bot in a real runner: prices of a practice exchange, and not one order there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bots.brokers.stage import MINUTE, PERP, SPOT, TUNING, run, swing, swinging
from tests.bots.runner_stage import PACE, PATIENCE, Bot, Swinger
from tests.practice.stage import bars
from workbench.backtest.prepare import prepare
from workbench.bots.brokers.simulated import SimulatedBroker, paper_at
from workbench.bots.brokers.simulated_terms import PaperTerms
from workbench.bots.brokers.talk import Look
from workbench.bots.journal import Journal
from workbench.bots.runner import Runner, shell_for
from workbench.bots.runner_feeds import feeds_at
from workbench.bots.runner_terms import RunTerms
from workbench.market.feeds.feed import Access
from workbench.practice.exchange import Exchange
from workbench.trading.events import Filled, Submit


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    with swinging(PERP, SPOT) as served:
        yield served


class Street:
    """What `runner_stage.Bot` needs of a desk: an exchange whose clock can be moved."""

    def __init__(self, exchange: Exchange, symbol: str) -> None:
        self.exchange, self.symbol = exchange, symbol

    async def minutes(self, count: float) -> None:
        await asyncio.to_thread(self.exchange.advance, int(count * MINUTE))


class PaperBot(Bot):
    """A bot whose venue is simulated, beside its journal."""

    broker: SimulatedBroker

    def __init__(self, exchange: Exchange, folder: Path, symbol: str, **terms: Any) -> None:
        self.one: Any = Street(exchange, symbol)
        self.folder, self.strategy, self.terms = folder, Swinger(), terms
        self.alerts = []
        self.plan = prepare(
            self.strategy, [bars(symbol, swing()[:50], tick_size=0.01, lot_size=0.001)], cash=10_000.0, leverage=5.0
        )

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Runner]:
        exchange = self.one.exchange
        self.journal = Journal.open(self.folder / "swing.sqlite", "swing", clock=lambda: exchange.now)
        memory = self.folder / "swing.paper.db"
        self.broker = SimulatedBroker(self.plan, terms=PaperTerms(latency_ms=2.0), memory=memory,
                                      clock=lambda: exchange.now)  # fmt: skip
        feeds = self.broker.listening(
            feeds_at("binance", self.plan, access=Access(route=exchange.route), tuning=TUNING)
        )
        shell = shell_for(self.plan, "swing", self.journal, patience=PATIENCE)
        self.runner = Runner(shell, self.broker, feeds, self.journal, terms=RunTerms(pace=PACE, **self.terms),
                             alert=self.alerts.append)  # fmt: skip
        self.task = asyncio.create_task(self.runner.run())
        try:
            yield self.runner
            if self.task.done():
                self.task.result()
        finally:
            broken = not self.task.done()
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            if broken:
                self.journal._waiting.clear()  # what was not on disk is lost
                self.broker._memory.close()
                self.broker._memory = None
            await self.broker.close()
            self.journal.close()

    def check_books(self) -> None:
        """Broker, core and journal have the same orders, executions and position."""
        core, venue = self.runner.shell.mind.core, self.broker.venue
        wanted = [one.record.order.id for one in self.journal.entries(kinds=[Submit.__name__])]
        assert len(set(wanted)) == len(wanted) and set(venue.orders.all) <= set(wanted)
        assert {one.id for one in venue.orders.open()} == set(core.orders)
        symbol = self.one.symbol
        assert venue.account.quantity(symbol) == pytest.approx(core.account.quantity(symbol), abs=1e-12)
        assert venue.account.equity == pytest.approx(core.account.equity, rel=1e-3)
        booked = [one.record.trade for one in self.journal.entries(kinds=[Filled.__name__])]
        assert sorted(booked) == sorted(one.trade_id for one in venue.orders.fills)


@pytest.mark.parametrize("symbol", [PERP, pytest.param(SPOT, marks=pytest.mark.long)])
def test_it_trades_on_paper_and_goes_on_after_a_kill(exchange: Exchange, tmp_path: Path, symbol: str) -> None:
    async def story() -> None:
        mine = PaperBot(exchange, tmp_path, symbol)
        async with mine.session():
            await mine.reaches("RUNNING")
            await mine.minutes(7)
            mine.check_books()
            assert len(mine.broker.venue.orders.fills) >= 2
        before = len(mine.broker.venue.orders.fills)
        await mine.one.minutes(3)
        async with mine.session() as runner:
            await mine.reaches("RUNNING")
            await mine.minutes(6)
            mine.check_books()
            assert len(mine.broker.venue.orders.fills) > before
            runner.stop()
            assert await mine.ends() == "stopped by its user"
        assert mine.alerts == []
        accounts = [f"account-{n}" for n in range(1, 80)]
        assert not any(exchange.call(lambda name=name: list(exchange.engine.orders(name, symbol))) for name in accounts)

    run(story())


def test_it_goes_by_the_clock_and_the_funding_of_the_venue(exchange: Exchange, tmp_path: Path) -> None:
    async def story() -> None:
        plan = prepare(
            Swinger(), [bars(PERP, swing()[:50], tick_size=0.01, lot_size=0.001)], cash=10_000.0, leverage=5.0
        )
        broker, feeds = paper_at("binance", plan, tmp_path / "one.paper.db", route=exchange.route, tuning=TUNING)
        async with broker:
            assert abs(broker.now() - exchange.now) < 2_000 and broker.name == "paper at practice-binance"
            await broker.look(Look(0))
            due, rate, _ = broker.venue._sides[PERP].rates[-1]
            assert (due, rate) == exchange.call(lambda: exchange.engine.next_funding(PERP))
            async with feeds("1m", exchange.now) as feed:
                await asyncio.wait_for(anext(feed), 5.0)
            assert broker.health["messages"] == 1

    run(story())
