"""A world in which a bot trades on paper and its process, venue and all, is killed at any moment.

Quotes, bars, requests, answers and news are due at times, and the one that is due next happens. A kill comes before or
after the paper account is kept, before or after an entry of the journal is written, or between; what was not on disk is
lost, the market goes on, and after a while another process takes up both files.
"""

from __future__ import annotations

import json
import math
import random
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.bots.post import Agenda
from tests.bots.world import MINUTE, SYMBOL, T0, Fidget, Killed, replays_to, walk
from workbench.backtest.prepare import prepare
from workbench.bots.brokers.simulated import SimulatedBroker
from workbench.bots.brokers.simulated_terms import PaperTerms
from workbench.bots.brokers.talk import Find, Look, Request, Snapshot, VenueFill, VenueOrder
from workbench.bots.clerk import Clerk
from workbench.bots.mind import Mind
from workbench.bots.shell import Shell
from workbench.errors import BrokerError, BrokerUnknown
from workbench.market.feeds.events import BarClosed, TickerMoved
from workbench.trading.events import Action, Bar, Event, Filled, Learnt, Opened, Started, Submit, from_plain, to_plain
from workbench.trading.minding import Minder

TICKS = 6  # quotes a minute


class PaperWorld:
    """One world of one seed."""

    def __init__(self, seed: int, folder: Path, minutes: int = 12, kills: int | None = None) -> None:
        self.seed, self.minutes, self.folder = seed, minutes, folder
        self.dice = dice = random.Random(seed)
        self.bars = walk(seed, minutes + 10)
        self.agenda = Agenda(T0 + MINUTE)
        self.plan = prepare(Fidget(seed=seed), self.bars, cash=10_000.0, leverage=10.0)
        self.terms = PaperTerms(latency_ms=0.0, share=dice.choice([1.0, 0.01]), depth=1)
        self.journal: list[str] = []
        self.durable = self.writes = self.life = self.restarts = 0
        self.kills = dice.choice([1, 2, 4]) if kills is None else kills
        self.fatal = dice.randint(1, 40) if self.kills else 0
        self.shell: Shell | None = None
        self.broker: Any = None

    @property
    def now(self) -> int:
        return self.agenda.now

    # time and the market

    def run(self) -> None:
        for row in range(1, self.minutes + 3):
            self._minute(row)
        self.living(self.start)
        self.until(T0 + MINUTE * self.minutes)
        self.fatal = self.kills = 0
        self.until(T0 + MINUTE * (self.minutes + 3))
        self.look()
        self.until(self.now + MINUTE)

    def until(self, end: int) -> None:
        while (due := self.agenda.due()) <= end or (self.shell is not None and self.shell.due() <= end):
            wakes = self.shell.due() if self.shell is not None else math.inf
            self.agenda.now = max(math.ceil(min(due, wakes)), self.now)
            self.living(self._act)
        self.agenda.now = end

    def _act(self) -> None:
        if self.shell is not None and self.shell.due() <= self.now:
            self.shell.wake(self.now)
            self.send()
        self.agenda.act()

    def _minute(self, row: int) -> None:
        one = self.bars
        ts, path = int(one.ts[row]), (one.open[row], one.low[row], one.high[row], one.close[row])
        prices = np.interp(np.linspace(0.0, 3.0, TICKS), range(4), path)
        for n, price in enumerate(prices.tolist()):
            self.agenda.at(ts + 5_000 + n * 9_000, partial(self._quote, round(price, 1)))
        self.agenda.at(ts + MINUTE + 40, partial(self._bar, row))

    def _quote(self, price: float) -> None:
        if self.broker is not None:
            bid, ask = round(price - 0.1, 1), round(price + 0.1, 1)
            self.broker.hear(TickerMoved(SYMBOL, self.now, self.now, bid, ask, price, 0.5, 0.5, None))
            self.price = price

    def _bar(self, row: int) -> None:
        if self.shell is not None and self._closed(row):
            silent = self.now > T0 + MINUTE * (self.minutes + 1)
            bar = self._row(row)
            if not silent:
                self.shell.take(bar, self.now)
            self.shell.take(Opened(self.now, {SYMBOL: self.price}), self.now)
            self.send()

    def _closed(self, row: int) -> bool:
        """Have the broker hear a bar; tell whether there still is a bot then."""
        bar = self._row(row)
        self.broker.hear(BarClosed(SYMBOL, bar.ts, self.now, "1m", *bar[3:8], "rest"))
        return True

    def _row(self, row: int) -> Bar:
        one = self.bars
        return Bar(SYMBOL, int(one.ts[row]), int(one.ts[row]) + MINUTE, float(one.open[row]), float(one.high[row]),
                   float(one.low[row]), float(one.close[row]), float(one.volume[row]), "1m")  # fmt: skip

    # the bot and its end

    def start(self) -> None:
        memory = self.folder / f"world-{self.seed}.paper.db"
        broker = SimulatedBroker(self.plan, terms=self.terms, memory=memory, clock=lambda: self.now)
        self._doom(broker._memory)
        self.broker, life = broker, self.life
        broker._listeners.append(_Ear(partial(self._news, life=life)))  # type: ignore[arg-type]
        mind = Mind(self.plan, name=f"fidget {self.seed}")
        mind.core.minder = Minder(mind.core)
        shell = Shell(mind, Clerk(mind.core.markets), self.write)
        entries = self.entries()
        last = max((one.ts for one in entries if isinstance(one, (Bar, Learnt))), default=T0 - MINUTE)
        missed = [row for row in range(self.minutes) if last < self.bars.ts[row] <= self.now - MINUTE]
        for row in missed:
            self._closed(row)
        self.price = self._row(missed[-1]).close if missed else getattr(self, "price", 30_000.0)
        if entries:
            self.restarts += 1
            shell.recover(entries, self.now)
        else:
            shell.take(Started(self.now), self.now)
        for row in missed:
            shell.take(Learnt(*self._row(row)), self.now)
        self.shell = shell
        self.look()
        self.send()

    def _doom(self, memory: Any) -> None:
        save = memory.save

        def saved(*args: Any, **named: Any) -> None:
            self._maybe_die(before=True)
            save(*args, **named)
            self._maybe_die(before=False)

        memory.save = saved

    def _maybe_die(self, *, before: bool) -> None:
        self.writes += before
        if self.fatal and self.writes >= self.fatal and (not before or self.dice.random() < 0.5):
            raise Killed

    def write(self, entry: Event | Action, durable: bool) -> None:
        self._maybe_die(before=True)
        self.journal.append(json.dumps(to_plain(entry)))
        if durable:
            self.durable = len(self.journal)
        self._maybe_die(before=False)

    def entries(self) -> list[Any]:
        return [from_plain(json.loads(line)) for line in self.journal]

    def living(self, what: Any) -> None:
        try:
            what()
        except Killed:
            self._die()

    def _die(self) -> None:
        self.broker._memory.close()
        self.shell = self.broker = None
        self.life += 1
        self.kills -= 1
        del self.journal[self.durable :]
        self.fatal = self.writes + self.dice.randint(1, 60) if self.kills > 0 else 0
        self.agenda.at(self.now + self.dice.choice([0, 300, 20_000, 130_000]), self.start)

    # requests

    def look(self) -> None:
        if self.shell is not None:
            self.shell.requests.append(self.shell.clerk.look(self.now))
            self.send()

    def send(self) -> None:
        while self.shell is not None and self.shell.requests:
            request = self.shell.requests.popleft()
            self.agenda.at(self.now + self.dice.choice([1, 20, 400]), partial(self._arrive, request, self.life))

    def _arrive(self, request: Request, life: int) -> None:
        if self.life != life or self.broker is None:
            return
        answer: VenueOrder | Snapshot | BrokerError | None
        try:
            if isinstance(request, Find):
                answer = self.broker.venue.orders.all.get(request.id)
            elif isinstance(request, Look):
                answer = self.broker.venue.look(request)._replace(asked=self.now)
            else:
                answer = self.broker.carry_out(request)
                if self.dice.random() < 0.1:
                    answer = BrokerUnknown("the answer is lost")
        except BrokerError as error:
            answer = error
        self.agenda.at(self.now + self.dice.choice([1, 20, 400]), partial(self._answer, request, answer, life))

    def _answer(self, request: Request, answer: Any, life: int) -> None:
        if self.life == life and self.shell is not None:
            self.shell.answered(request, answer, self.now)
            self.send()

    def _news(self, news: VenueOrder | VenueFill, life: int) -> None:
        def hear() -> None:
            if self.life == life and self.shell is not None:
                self.shell.heard(news, self.now)
                self.send()

        if self.dice.random() > 0.1:
            self.agenda.at(self.now + self.dice.choice([1, 30, 900]), hear)

    # what must be true

    def problems(self) -> list[str]:
        """Everything that is not as it must be."""
        assert self.shell is not None
        core, clerk, venue, found = self.shell.mind.core, self.shell.clerk, self.broker.venue, []
        entries = self.entries()
        wanted = [one.order.id for one in entries if isinstance(one, Submit)]
        if len(set(wanted)) != len(wanted):
            found.append("an intent stands twice in the journal")
        if set(venue.orders.all) - set(wanted):
            found.append(f"orders without an intent: {set(venue.orders.all) - set(wanted)}")
        resting = {one.id for one in venue.orders.open()}
        if resting != set(core.orders):
            found.append(f"open at the venue {resting - set(core.orders)}, in the core {set(core.orders) - resting}")
        for one in venue.orders.open():
            mine = core.orders.get(one.id)
            for name in ("quantity", "price", "stop_price", "filled") if mine is not None else ():
                have, want = getattr(one, name), getattr(mine, name)
                if not (math.isclose(have, want, rel_tol=1e-9, abs_tol=1e-9) or (have != have and want != want)):
                    found.append(f"{one.id} {one.type}: {name} is {have} at the venue, {want} in the core")
        booked = sorted(one.trade for one in entries if isinstance(one, Filled))
        if booked != sorted(one.trade_id for one in venue.orders.fills):
            found.append(f"fills at the venue {len(venue.orders.fills)}, booked {booked}")
        held, mine = venue.account.quantity(SYMBOL), core.account.quantity(SYMBOL, "net")
        if not math.isclose(held, mine, abs_tol=1e-9):
            found.append(f"the position is {held} at the venue and {mine} in the core")
        for name, done in ((one.id, one.filled) for one in venue.orders.all.values()):
            told = sum(one.quantity for one in venue.orders.fills if one.id == name)
            if not math.isclose(told, done, abs_tol=1e-9):
                found.append(f"{name} has {done} filled and {told} executed")
        if not math.isclose(self._money(venue.account), self._money(core.account), abs_tol=1e-6):
            found.append(
                f"money is {self._money(venue.account)} at the venue and {self._money(core.account)} in the core"
            )
        if clerk.busy:
            found.append("something is under way")
        return [*found, *replays_to(self.shell, Mind(self.plan, name=f"fidget {self.seed}"), entries, self.now)]

    def _money(self, account: Any) -> float:
        """Give what there would be if positions had cost nothing: fills in another order are averaged otherwise."""
        position = account.position(SYMBOL)
        return float(account.wallet - (position.quantity * position.price if position.quantity else 0.0))

    def end(self) -> None:
        """Let go of the file."""
        if self.broker is not None:
            self.broker._memory.close()


class _Ear:
    """Hears news at once."""

    def __init__(self, hear: Any) -> None:
        self.put_nowait = hear
