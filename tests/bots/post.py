"""What carries words between a bot's shell and a practice exchange, on a clock that jumps: each is under way a while.

Nothing waits: everything is due at a time, and the one that is due next happens.
"""

from __future__ import annotations

import heapq
import json
import math
from collections.abc import Callable
from functools import partial
from typing import Any

from workbench.bots.brokers.local import LocalVenue, News
from workbench.bots.brokers.talk import Look, Request
from workbench.bots.clerk import Clerk, Patience
from workbench.bots.mind import Mind
from workbench.bots.shell import Shell
from workbench.errors import BrokerError
from workbench.practice.engine import Engine
from workbench.practice.faults import Faults
from workbench.trading.events import Action, Event, from_plain, to_plain
from workbench.trading.minding import Minder


class Agenda:
    """What is due when; it may be shared."""

    def __init__(self, now: int) -> None:
        self.now, self._count = now, 0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []

    def at(self, ts: float, what: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._queue, (ts, self._count, what))

    def due(self) -> float:
        return self._queue[0][0] if self._queue else math.inf

    def act(self) -> None:
        """Do all that is due by now."""
        while self._queue and self._queue[0][0] <= self.now:
            heapq.heappop(self._queue)[2]()


class Post:
    """A bot's shell, its journal and its way to the venue; a restart takes up the journal in a new shell."""

    def __init__(self, agenda: Agenda, engine: Engine, account: str, faults: Faults | None = None) -> None:
        self.agenda, self.engine = agenda, engine
        self.venue = LocalVenue(engine, account, faults, self._news)
        self.patience = Patience()
        self.shell: Shell | None = None
        self.life = 0
        self.journal: list[str] = []
        self.alerts: list[Any] = []

    @property
    def now(self) -> int:
        return self.agenda.now

    def at(self, ts: float, what: Callable[[], None]) -> None:
        self.agenda.at(ts, what)

    # what a world may do otherwise

    def wait(self, *choices: int) -> int:
        """Give how long something is under way, ms."""
        return choices[1]

    def mislaid(self, request: Request) -> bool:
        """Lose a request, or its answer."""
        return False

    def living(self, what: Callable[[], None]) -> None:
        """Do something that the bot may not survive."""
        what()

    # the bot

    def made(self, mind: Mind) -> Shell:
        """Make the shell of a mind."""
        mind.core.minder = Minder(mind.core)
        self.shell = Shell(mind, Clerk(mind.core.markets, self.patience), self.write, self.alerts.append)
        self.shell.clerk.dates = lambda order: self.venue.dated
        return self.shell

    def write(self, entry: Event | Action, durable: bool) -> None:
        self.journal.append(json.dumps(to_plain(entry)))

    def entries(self) -> list[Any]:
        return [from_plain(json.loads(line)) for line in self.journal]

    def look(self) -> None:
        if self.shell is not None:
            self.shell.requests.append(self.shell.clerk.look(self.now))

    # on the way

    def send(self) -> None:
        """Send what the shell wants to ask."""
        shell = self.shell
        while shell is not None and shell.requests:
            request = shell.requests.popleft()
            if not self.mislaid(request):
                self.at(self.now + self.wait(1, 3, 20), partial(self.arrive, request, self.life))

    def arrive(self, request: Request, life: int) -> None:
        """Have the venue carry out a request; the answer is for the shell of that life."""
        answer = self.venue.ask(request)
        wait = answer.delay_ms + self.wait(1, 3, 20)
        self.at(self.now + wait, partial(self.answer, request, answer.what, life))

    def answer(self, request: Request, what: Any, life: int) -> None:
        shell = self.shell
        if self.life != life or shell is None:
            return

        def hear() -> None:
            shell.answered(request, what, self.now)
            if isinstance(request, Look) and isinstance(what, BrokerError):
                self.at(self.now + 2_000, self.look)
            self.send()

        self.living(hear)

    def _news(self, news: News) -> None:
        life, what = self.life, news.what

        def hear() -> None:
            assert self.shell is not None and what is not None
            self.shell.heard(what, self.now)
            self.send()

        def arrive() -> None:
            if self.life == life and self.shell is not None and what is not None:
                self.living(hear)

        self.at(self.engine.now + news.delay_ms + self.wait(1, 5, 50), arrive)
