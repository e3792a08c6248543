"""A bot with its runner at a practice exchange, through real clients, whose clock moves when the bot is at rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import workbench as wb
from tests.bots.brokers.stage import MINUTE, TUNING, Desk, desk, swing
from tests.practice.stage import bars
from workbench.backtest.prepare import prepare
from workbench.bots.clerk import Patience
from workbench.bots.journal import Journal
from workbench.bots.runner import Runner, shell_for
from workbench.bots.runner_feeds import feeds_at
from workbench.bots.runner_reconciling import under_way
from workbench.bots.runner_terms import Pace, RunTerms
from workbench.market.feeds.feed import Access
from workbench.market.resampling import resample
from workbench.trading.events import Alert

PACE = Pace(flush_s=0.02, look_s=30, warm_up_bars=20, probe_s=2, drain_s=5, gather_s=1)
PATIENCE = Patience(retry_ms=50, ask_ms=60, land_ms=400, settle_ms=100, give_up_ms=600_000)


class Swinger(wb.OrderStrategy):
    """Buys in one minute and closes three minutes later, with a stop far below; bids below the market in between."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        minute = bar.ts // MINUTE % 5
        if minute == 0 and not view.quantity():
            return view.market("buy", 0.5, stop_loss=0.3)
        if minute == 1:
            return view.limit("buy", 0.2, price=round(bar.close * 0.92, 2))
        if minute == 3 and view.quantity():
            return [view.cancel_all(), view.close()]
        return None


class Quiet(wb.OrderStrategy):
    """Does nothing."""


class Broken(Swinger):
    """Raises while it holds something and a bid rests."""

    def on_bar(self, view: Any, bar: Any) -> Any:
        if len(view.orders()) > 1:
            raise KeyError("what was to be looked up")
        return super().on_bar(view, bar)


class Bot:
    """One bot over all its sessions."""

    def __init__(self, one: Desk, folder: Path, **terms: Any) -> None:
        self.one, self.folder = one, folder
        self.strategy: Any = terms.pop("strategy", None) or Swinger()
        self.pace: Pace = terms.pop("pace", PACE)
        self.extra: tuple[str, ...] = terms.pop("extra", ())
        self.name, self.account = terms.pop("name", "swing"), terms.pop("account", "")
        self.feeds: Any = lambda feeds: feeds
        self.terms = terms
        self.alerts: list[Alert] = []
        self.runner: Any = None
        self.task: Any = None
        self.journal: Any = None
        symbol = one.symbol
        base = bars(symbol, swing()[:50], **terms.pop("facts", {}))
        series = [base, *(resample(base, one) for one in self.extra)]
        self.plan = prepare(self.strategy, series, cash=10_000.0, leverage=5.0)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Runner]:
        """Run until the block ends; what is still running then is broken off, as by a power cut."""
        self.task = asyncio.create_task(self.made().run())
        try:
            yield self.runner
            if self.task.done():
                self.task.result()
        finally:
            broken = not self.task.done()
            self.task.cancel()
            with suppress(asyncio.CancelledError, wb.errors.WorkbenchError):
                await self.task
            if broken:
                self.journal._waiting.clear()  # what was not on disk is lost
            self.journal.close()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Runner]:
        """A runner that is to be run by somebody else."""
        try:
            yield self.made()
        finally:
            self.journal.close()

    def made(self) -> Runner:
        """A runner of the journal, as a new process makes it."""
        exchange = self.one.exchange
        self.journal = Journal.open(self.folder / f"{self.name}.sqlite", self.name, clock=lambda: exchange.now)
        shell = shell_for(self.plan, self.name, self.journal, patience=PATIENCE, account=self.account)
        terms = RunTerms(pace=self.pace, **self.terms)
        access, venue = Access(route=exchange.route), self.one.broker.wire.venue
        feeds = feeds_at(venue, self.plan, access=access, tuning=TUNING)
        feed = self.feeds(feeds)
        self.runner = Runner(shell, self.one.broker, feed, self.journal, terms=terms, alert=self.alerts.append)
        return self.runner

    async def waits(self, condition: Any) -> None:
        """Wait for something to be so, or for the run to end, while the clock goes on a little."""
        async with asyncio.timeout(30.0):
            while not condition() and not self.task.done():
                await self.one.minutes(0.001)
                await asyncio.sleep(0.005)

    async def reaches(self, state: str) -> None:
        await self.waits(lambda: self.runner.state == state)
        if self.task.done():
            self.task.result()
        assert self.runner.state == state, self.runner.reason

    def calm(self) -> bool:
        runner = self.runner
        known = runner.market.caught_up(runner.now)
        return known and not runner.asking and not runner.shell.requests and not under_way(runner.shell.clerk)

    async def minutes(self, count: int) -> None:
        """Let minutes pass, each once all of the one before has been dealt with."""
        for _ in range(count):
            await self.one.minutes(1)
            await self.waits(self.calm)

    async def before_minute(self, minute: int) -> None:
        """Go on to where the bar of a minute of five is the next to close."""
        while self.one.exchange.now // MINUTE % 5 != minute:
            await self.minutes(1)

    async def ends(self) -> str:
        await self.waits(lambda: False)
        return str(self.task.result())

    # what must be true

    def held(self) -> float:
        """What the account has of the coin beyond what it had, or its position."""
        return self.one.balance("BTC") if ":" not in self.one.symbol else self.one.position()

    def check_books(self) -> None:
        """The venue and the books have the same position, orders and executions, and no order is there twice."""
        core = self.runner.shell.mind.core
        orders = self.one.orders()
        names = [one.client_id for one in orders]
        assert len(set(names)) == len(names)
        wanted = [one.record.order.id for one in self.journal.entries(kinds=["Submit"])]
        assert len(set(wanted)) == len(wanted) and set(names) <= set(wanted)
        assert {one.client_id for one in orders if one.open} == set(core.orders)
        # a spot venue takes fees of purchases in the coin, and parts of a lot, which nobody buys, are written off
        sales = sum(one.side == "sell" and one.filled > 0.0 for one in orders) if ":" not in self.one.symbol else 0
        assert -1e-9 <= self.held() - core.account.quantity(self.one.symbol, "net") <= 0.001 * sales + 1e-9
        filled = sum(one.filled for one in orders)
        booked = sum(one.record.quantity for one in self.journal.entries(kinds=["Filled"]))
        assert abs(filled - booked) < 1e-9


@asynccontextmanager
async def bot(exchange: Any, folder: Path, symbol: str, **terms: Any) -> AsyncIterator[Bot]:
    async with desk(exchange, symbol, **terms.pop("broker", {})) as one:
        if ":" not in symbol:  # it has no coin but those that the bot buys
            coins = one.balance("BTC")
            exchange.call(lambda: exchange.engine.adjust(one.account, "BTC", -coins, "given away"))
        yield Bot(one, folder, **terms)


__all__ = ["Bot", "Broken", "Quiet", "bot"]
