"""What carries words between a clerk, or a whole bot, and a broker that is really asked, on a real clock."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from tests.bots.brokers.stage import Desk
from workbench.backtest.plan import Plan
from workbench.bots.brokers.talk import Find, Look, Request, VenueFill, VenueOrder
from workbench.bots.clerk import Clerk, Patience, Said
from workbench.bots.mind import Mind
from workbench.bots.shell import Shell
from workbench.errors import BrokerError
from workbench.risk.limits import Limits
from workbench.trading.events import Event, Started, from_plain, to_plain
from workbench.trading.minding import Minder

PATIENCE = Patience(retry_ms=50, ask_ms=60, land_ms=400, settle_ms=100, give_up_ms=600_000)


class Post:
    """Carries requests of a clerk to a broker, and answers and news back."""

    def __init__(self, one: Desk) -> None:
        self.one, self.clerk = one, Clerk(one.broker.markets, PATIENCE)
        self.events: list[Event] = []
        # a clock of its own: a market that is hurried on must not make answers late that are under way
        self._base = one.exchange.now
        one.broker.terms = replace(one.broker.terms, clock=self.now)
        self._heard, self._began, self._tasks = 0, time.monotonic(), set[asyncio.Task[None]]()

    def now(self) -> int:
        return self._base + int((time.monotonic() - self._began) * 1_000)

    def heed(self, said: Said) -> None:
        self.events += said.events
        self.send(said.requests)

    def send(self, requests: Iterable[Request]) -> None:
        for request in requests:
            task = asyncio.create_task(self.carry(request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def ask(self, request: Request) -> Any:
        """Give what the broker gives, or what it raises."""
        broker = self.one.broker
        try:
            if isinstance(request, Find):
                return await broker.find(request)
            return await (broker.look(request) if isinstance(request, Look) else broker.send(request))
        except BrokerError as error:
            return error

    async def carry(self, request: Request) -> None:
        self.heed(self.clerk.answered(request, await self.ask(request), self.now()))

    def hear(self, news: VenueOrder | VenueFill) -> None:
        self.heed(self.clerk.heard(news, self.now()))

    def wake(self) -> None:
        if self.clerk.due() <= self.now():
            self.heed(self.clerk.wake(self.now()))

    async def pump(self) -> None:
        while True:
            while self._heard < len(self.one.told):
                self._heard += 1
                self.hear(self.one.told[self._heard - 1])
            self.wake()
            await asyncio.sleep(0.01)

    def intend(self, action: Any) -> None:
        self.heed(self.clerk.intend(action, self.now()))

    def busy(self) -> bool:
        return bool(self._tasks) or any(line.state != "done" for line in self.clerk.lines.values())


class LivePost(Post):
    """Carries requests of a whole bot; it can be started again from its journal, and answers to come are lost then."""

    def __init__(self, one: Desk, plan: Plan, limits: Mapping[str, Limits]) -> None:
        super().__init__(one)
        self.plan, self.limits = plan, dict(limits)
        self.journal: list[str] = []
        self.start()

    def start(self) -> None:
        mind = Mind(self.plan, name=self.one.account, limits=self.limits)
        mind.core.minder = Minder(mind.core)
        self.clerk = Clerk(mind.core.markets, PATIENCE)
        self.shell = Shell(mind, self.clerk, lambda entry, durable: self.journal.append(json.dumps(to_plain(entry))))
        if self.journal:
            self.shell.recover([from_plain(json.loads(line)) for line in self.journal], self.now())
        else:
            self.shell.take(Started(self.one.exchange.now), self.now())
        self._post()

    def take(self, *events: Event) -> None:
        for event in events:
            self.shell.take(event, self.now())
        self._post()

    def _post(self) -> None:
        requests = list(self.shell.requests)
        self.shell.requests.clear()
        self.send(requests)

    async def carry(self, request: Request) -> None:
        shell = self.shell
        answer = await self.ask(request)
        if shell is self.shell:
            shell.answered(request, answer, self.now())
            self._post()

    def hear(self, news: VenueOrder | VenueFill) -> None:
        self.shell.heard(news, self.now())
        self._post()

    def wake(self) -> None:
        if self.shell.due() <= self.now():
            self.shell.wake(self.now())
            self._post()

    def busy(self) -> bool:
        """Whether anything is under way; orders that rest are not."""
        return bool(self._tasks) or self.clerk.busy or self._heard < len(self.one.told)
