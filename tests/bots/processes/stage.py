"""A practice exchange whose fast clock can be stopped, bots as processes on it, and what must be so once it is calm."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import workbench
from tests.bots.brokers.stage import MINUTE, secret
from tests.bots.processes.child import NAME, plan_of
from tests.bots.world import SYMBOL, T0, walk
from workbench.bots.brokers.names import Names
from workbench.bots.clerk import Clerk
from workbench.bots.journal import JournalReader
from workbench.bots.journal.records import Logged, SessionEnded, SessionStarted
from workbench.bots.mind import Mind
from workbench.errors import DataError
from workbench.practice.clock import HeldClock, RunningClock
from workbench.practice.engine_records import AccountSetup
from workbench.practice.exchange import Exchange, Serving
from workbench.practice.faults import Faults
from workbench.practice.markets.recorded import RecordedMarket
from workbench.practice.wire.limits import Limits
from workbench.practice.wire.signing import Credential
from workbench.trading.events import Filled, Moved, Submit
from workbench.trading.minding import Minder

ROOT = Path(workbench.__file__).parents[1]
ACCOUNT = "me"
CASH = 100_000.0
ACTIONS = ("Submit", "CancelOrder", "AmendOrder", "SetTimer", "Alert")


class Stopwatch:
    """Seconds of real time that can be stopped."""

    def __init__(self) -> None:
        self._passed, self._since = 0.0, time.monotonic()
        self._stopped = False

    def __call__(self) -> float:
        return self._passed if self._stopped else self._passed + time.monotonic() - self._since

    def stop(self) -> None:
        self._passed, self._stopped = self(), True

    def go(self) -> None:
        if self._stopped:
            self._since, self._stopped = time.monotonic(), False


@contextmanager
def serving(
    seed: int, *, speed: float, minutes: int, faults: Any = None, folder: Path | None = None
) -> Iterator[tuple[Exchange, Stopwatch]]:
    """An exchange on which a minute passes in less, and what stops its clock; at speed 0 the clock is moved by hand."""
    watch = Stopwatch()
    clock = RunningClock(speed, T0 + 60 * MINUTE, watch) if speed else HeldClock(T0 + 60 * MINUTE)
    limits = {"binanceusdm": Limits(weight_1m=10**9, orders_10s=10**9, orders_1d=10**9)}
    with Exchange(
        [RecordedMarket(walk(seed, minutes + 200))], clock=clock,
        accounts={ACCOUNT: AccountSetup(linear={"USDT": CASH}, leverage=10.0)}, faults=Faults(faults, seed=seed),
        serving=Serving(credentials=(Credential(ACCOUNT, ACCOUNT, secret(ACCOUNT)),), limits=limits, folder=folder),
    ) as exchange:  # fmt: skip
        yield exchange, watch


class _Everything(list[str]):
    """All kinds of entries, of the core and of the journal itself."""

    def __contains__(self, kind: object) -> bool:
        return True


class Nursery:
    """Where bots are forked from; all of them are gone when its block ends."""

    def __enter__(self) -> Nursery:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bots.processes.child"], cwd=ROOT, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
        )  # fmt: skip
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate(timeout=20)

    def _ask(self, **order: Any) -> int:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def start(self, **order: Any) -> int:
        return self._ask(**order)

    def reap(self, pid: int) -> int:
        """Give the exit code of a bot that has ended, or is about to."""
        return self._ask(reap=pid)


class Books:
    """What the journal of a bot says, entry by entry, held against the venue's truth."""

    def __init__(self, exchange: Exchange, folder: Path, seed: int, timeframe: str) -> None:
        self.exchange, self.place = exchange, folder / f"{NAME}.sqlite"
        self.plan = plan_of(seed, timeframe)
        self.names = Names("binanceusdm")
        self.read = 0
        self.wanted: list[str] = []
        self.booked: list[str] = []
        self.state = self.reader = None  # type: Any
        self.pid = 0  # of the process whose session it is

    def close(self) -> None:
        if self.reader is not None:
            self.reader.close()

    def __enter__(self) -> Books:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def follow(self) -> None:
        """Read what has been written since."""
        if self.reader is None:
            self.reader = JournalReader.open(self.place, NAME)
            self.mind = Mind(self.plan, name=NAME)
            self.mind.core.name = f"{NAME} {self.reader.nonce}"
            self.mind.core.minder = Minder(self.mind.core)
            self.mind.core.state = "IDLE"
            self.clerk = Clerk(self.mind.core.markets)
        for entry in self.reader.entries(self.read, kinds=_Everything()):
            self._take(entry.record)
            self.read = entry.position

    def _take(self, record: Any) -> None:
        if isinstance(record, Submit):
            self.wanted.append(record.order.id)
        elif isinstance(record, Filled):
            self.booked.append(record.trade)
        elif isinstance(record, Moved):
            self.state = record.state
        elif isinstance(record, SessionStarted):
            self.state, self.pid = "", int(record.details["pid"])
            return
        elif isinstance(record, (Logged, SessionEnded)):
            return
        if type(record).__name__ not in ACTIONS:
            self.mind.handle(record)
        self.clerk.recall(record)

    def running(self, pid: int) -> bool:
        """Tell whether the life of a process has come to where it is at work."""
        try:
            self.follow()
        except DataError:
            if self.reader is None:
                return False
            raise
        return bool(self.state == "RUNNING" and self.pid == pid)

    def has_traded(self) -> bool:
        """Tell whether any execution has been booked."""
        self.follow()
        return bool(self.booked)

    def problems(self) -> list[str]:
        """Everything that is not as it must be."""
        self.follow()
        return self.exchange.call(self._problems)

    def _problems(self) -> list[str]:
        engine, core, found = self.exchange.engine, self.mind.core, list[str]()
        orders = engine.orders(ACCOUNT, SYMBOL, limit=1_000_000)
        names = [one.client_id for one in orders]
        if len(set(names)) != len(names):
            found.append(f"sent twice: {sorted({one for one in names if names.count(one) > 1})}")
        if len(set(self.wanted)) != len(self.wanted):
            found.append("an intent stands twice in the journal")
        own = {self.names.read(one)[0] for one in names}
        if own - set(self.wanted):
            found.append(f"orders without an intent: {own - set(self.wanted)}")
        standing = {self.names.read(one.client_id)[0]: one for one in engine.open_orders(ACCOUNT)}
        if len(standing) != len(engine.open_orders(ACCOUNT)):
            found.append(f"an order stands twice: {engine.open_orders(ACCOUNT)}")
        if set(standing) != set(core.orders):
            late, lost = set(standing) - set(core.orders), set(core.orders) - set(standing)
            found.append(f"open at the venue {late}, in the core {lost}")
        for name in set(standing) & set(core.orders):
            found += _differences(name, standing[name], core.orders[name])
        done = [str(one.id) for one in engine.executions(ACCOUNT, limit=1_000_000)]
        if sorted(done) != sorted(self.booked):
            lost, more = set(done) - set(self.booked), set(self.booked) - set(done)
            twice = {one for one in self.booked if self.booked.count(one) > 1}
            found.append(f"fills not booked: {lost}; booked and not there: {more}; booked twice: {twice}")
        return found + self._positions()

    def _positions(self) -> list[str]:
        engine, core, found = self.exchange.engine, self.mind.core, list[str]()
        held = {one.symbol: one for one in engine.positions(ACCOUNT)}
        there = held[SYMBOL].quantity if SYMBOL in held else 0.0
        mine = core.account.quantity(SYMBOL, "net")
        if not math.isclose(there, mine, abs_tol=1e-9):
            found.append(f"the position is {there} at the venue and {mine} in the core")
        cost = there * held[SYMBOL].entry_price if SYMBOL in held else 0.0
        money = engine.balances(ACCOUNT, "linear")[0].wallet - cost
        own = core.account.wallet - mine * (core.account.position(SYMBOL).price if mine else 0.0)
        if not math.isclose(money, own, abs_tol=1e-5):  # fills that came in another order are averaged otherwise
            found.append(f"money less what positions cost is {money} at the venue and {own} in the core")
        standing = {self.names.read(one.client_id)[0] for one in engine.open_orders(ACCOUNT)}
        for (symbol, leg), guard in core.protector.active.items():
            size = abs(core.account.quantity(symbol, leg))
            if size and guard.stop_level == guard.stop_level and guard.stop_id not in standing:
                found.append(f"{size} is held and its stop {guard.stop_id!r} does not stand")
        return found


class Stand:
    """One bot over all its lives, at an exchange of its own."""

    def __init__(
        self, nursery: Nursery, folder: Path, seed: int, *, speed: float = 60.0, minutes: int = 2_000,
        timeframe: str = "1m",
    ) -> None:  # fmt: skip
        self.nursery, self.folder, self.seed, self.speed = nursery, folder, seed, speed
        self.timeframe = timeframe
        self._serving = serving(seed, speed=speed, minutes=minutes, folder=folder / "venue")
        self.pid = 0
        self.lives = 0

    def __enter__(self) -> Stand:
        self.exchange, self.watch = self._serving.__enter__()
        self.books = Books(self.exchange, self.folder, self.seed, self.timeframe)
        return self

    def __exit__(self, *error: Any) -> None:
        self.kill()
        self.books.close()
        self._serving.__exit__(*error)

    def __repr__(self) -> str:
        return f"life {self.lives} of seed {self.seed}"

    def start(self, **order: Any) -> None:
        """Begin a life."""
        self.lives += 1
        route = str(self.folder / "venue" / "route.json")
        self.pid = self.nursery.start(
            seed=self.seed, timeframe=self.timeframe, route=route, folder=str(self.folder), account=ACCOUNT, **order
        )

    @property
    def alive(self) -> bool:
        """Whether the bot has not ended."""
        return bool(self.pid) and Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"

    def waits(self, condition: Callable[[], Any], what: str, seconds: float = 40.0) -> None:
        """Wait for something to be so while the bot lives."""
        end = time.monotonic() + seconds
        while not condition():
            assert self.alive, f"{self} has ended before it {what}: {self.said()}"
            assert time.monotonic() < end, f"{self} has not {what} within {seconds:g} s: {self.said()}"
            time.sleep(0.01)

    def runs(self) -> None:
        """Wait for it to be at work."""
        self.waits(lambda: self.books.running(self.pid), "come to work")

    def calms(self, seconds: float = 30.0) -> None:
        """Stop the clock of the exchange; the books must come to be as the venue has it, and stay so."""
        self.exchange.call(self.exchange.faults.clear)
        self.watch.stop()
        end = time.monotonic() + seconds
        while found := self.books.problems():
            assert self.alive, f"{self} has ended: {self.said()}"
            assert time.monotonic() < end, f"{self}: {found}; {self.said()}"
            time.sleep(0.02)

    def ends(self, seconds: float = 40.0) -> int:
        """Wait for it to end by itself, and give its exit code."""
        end = time.monotonic() + seconds
        while self.alive:
            assert time.monotonic() < end, f"{self} has not ended within {seconds:g} s: {self.said()}"
            time.sleep(0.01)
        pid, self.pid = self.pid, 0
        return self.nursery.reap(pid)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to it, if it lives, and wait for its end."""
        if self.pid:
            os.kill(self.pid, number)
            pid, self.pid = self.pid, 0
            self.nursery.reap(pid)

    def said(self) -> str:
        """Give the last of what it has printed, and how it is."""
        if self.alive:
            os.kill(self.pid, signal.SIGUSR1)
            time.sleep(0.5)
        return (self.folder / "said.txt").read_text()[-5_000:]

    def orders(self) -> list[str]:
        """The ids of all orders that the venue has had."""
        return self.exchange.call(
            lambda: [one.client_id for one in self.exchange.engine.orders(ACCOUNT, SYMBOL, limit=1_000_000)]
        )

    def held(self) -> float:
        """What is held at the venue."""
        return self.exchange.call(lambda: sum(one.quantity for one in self.exchange.engine.positions(ACCOUNT)))

    def protected(self) -> bool:
        """Whether the venue holds stops for as much as is held."""
        return self.exchange.call(self._protected)

    def _protected(self) -> bool:
        engine = self.exchange.engine
        held = sum(one.quantity for one in engine.positions(ACCOUNT))
        stops = [one for one in engine.open_orders(ACCOUNT) if one.type == "stop" and one.reduce_only]
        return bool(held) and any(one.quantity >= abs(held) - 1e-9 or one.close_position for one in stops)


def _differences(name: str, there: Any, mine: Any) -> list[str]:
    found = []
    for field in ("price", "stop_price", "filled") + (() if mine.close_position else ("quantity",)):
        have, want = getattr(there, field), getattr(mine, field)
        if not (math.isclose(have, want, rel_tol=1e-9, abs_tol=1e-9) or (have != have and want != want)):
            found.append(f"{name} {there.type}: {field} is {have} at the venue, {want} in the core")
    return found


__all__ = ["ACCOUNT", "CASH", "Books", "Nursery", "Stand", "Stopwatch", "serving"]
