"""A practice exchange whose clock can be hurried, guarded bots as processes on it, and what must be true at the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import workbench
from tests.bots.brokers.stage import MINUTE, PERP, SPOT, secret, swing
from tests.bots.guard_child import NAME
from tests.practice.stage import T0, market
from workbench.bots.guard_ward import Ward
from workbench.bots.journal import read_journal
from workbench.practice.clock import RunningClock
from workbench.practice.exchange import Exchange, Serving, usual_account
from workbench.practice.wire.limits import Limits
from workbench.practice.wire.signing import Credential
from workbench.settings import Settings, load_settings
from workbench.trading.events import Filled, Moved

ROOT = Path(workbench.__file__).parents[1]
ACCOUNT = "me"
FAST = 40.0


class Watch:
    """Seconds that pass faster or slower."""

    def __init__(self) -> None:
        self.rate, self._passed, self._since = 1.0, 0.0, time.monotonic()

    def __call__(self) -> float:
        return self._passed + (time.monotonic() - self._since) * self.rate

    def run(self, rate: float) -> None:
        passed = self()
        self._passed, self._since, self.rate = passed, time.monotonic(), rate


def until(condition: Callable[[], Any], what: Any, seconds: float = 20.0) -> Any:
    """Wait for something to be so."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"{seconds:g} s were not enough: {what() if callable(what) else what}")
        time.sleep(0.05)
    return found


def interrupt(pid: int) -> None:
    """Press Ctrl-C twice, as fast as the system tells two from one."""
    for _ in range(2):
        os.kill(pid, signal.SIGINT)
        until(lambda: not pending(pid) & 1 << (signal.SIGINT - 1), "the signal is not taken")


def pending(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return sum(int(line.split()[1], 16) for line in lines if line.startswith(("SigPnd", "ShdPnd")))


class Nursery:
    """Where bots are forked from; all of them are gone when its block ends."""

    def __enter__(self) -> Nursery:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bots.guard_child"], cwd=ROOT, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True,
        )  # fmt: skip
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate(timeout=20)

    def ask(self, **order: Any) -> int:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


class Scene:
    """One bot, its exchange and its workspace."""

    def __init__(self, nursery: Nursery, exchange: Exchange, watch: Watch, folder: Path, symbol: str) -> None:
        self.nursery, self.exchange, self.watch, self.folder, self.symbol = nursery, exchange, watch, folder, symbol
        self.settings: Settings = load_settings(folder)
        self.bots = folder / "data" / "bots"
        self.pids: set[int] = set()

    def start(self, mode: str = "", **more: Any) -> int:
        (self.folder / "marker").unlink(missing_ok=True)
        pid = self.nursery.ask(
            folder=str(self.folder), route=str(self.folder / "venue" / "route.json"), account=ACCOUNT,
            symbol=self.symbol, mode=mode, **more,
        )  # fmt: skip
        self.pids.add(pid)
        return pid

    def holds(self, mode: str = "", **more: Any) -> int:
        """Start a bot and wait until it holds something, has its orders, and hangs if it is to."""
        pid = self.start(mode, **more)
        self.watch.run(FAST)
        until((self.folder / "marker").exists, self.said)
        self.watch.run(1.0)
        assert (self.position(), len(self.standing())) == (0.5, 2), self.said()
        return pid

    def said(self) -> str:
        with suppress(FileNotFoundError):
            return (self.folder / "said.txt").read_text()
        return ""

    def ward(self) -> Ward:
        found = Ward.read(self.bots, NAME)
        assert found is not None
        return found

    def ends(self, pid: int) -> int:
        """Wait until a bot and its guard are gone, and give the bot's exit code."""
        ward = self.ward()
        until(lambda: not ward.guarded and not ward.runs, self.said)
        self.pids.discard(pid)
        return self.nursery.ask(reap=pid)

    def close(self) -> None:
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        ward = Ward.read(self.bots, NAME)
        if ward is not None and ward.guarded:
            os.kill(ward.guard_pid, signal.SIGKILL)

    # what the venue has

    def standing(self) -> list[Any]:
        return self.exchange.call(lambda: list(self.exchange.engine.open_orders(ACCOUNT)))

    def position(self) -> float:
        engine = self.exchange.engine
        if ":" not in self.symbol:
            rows = self.exchange.call(lambda: engine.balances(ACCOUNT, "spot"))
            return round(next(one.wallet for one in rows if one.asset == "BTC") - 10.0, 2)
        return sum(one.quantity for one in self.exchange.call(lambda: list(engine.positions(ACCOUNT, self.symbol))))

    # what the journal says

    def last(self) -> Moved:
        with read_journal(NAME, self.settings) as journal:
            found: Any = [one.record for one in journal.entries(kinds=["Moved"])][-1]
        return found  # type: ignore[no-any-return]

    def check_killed(self, how: str) -> None:
        """Nothing is left at the venue that should not be, and the journal is whole and says so."""
        if how == "flatten":
            assert (self.position(), self.standing()) == (0.0, []), self.said()
        else:
            assert (self.position(), [one.type for one in self.standing()]) == (0.5, ["stop"]), self.said()
        with read_journal(NAME, self.settings) as journal:
            assert journal.verify().ok
            assert journal.sessions()[-1].ended is not None
        last = self.last()
        assert last.state == "KILLED" and "NOT DONE" not in last.reason, last

    def booked(self) -> float:
        """What the journal's executions add up to."""
        with read_journal(NAME, self.settings) as journal:
            fills: list[Filled] = [one.record for one in journal.entries(kinds=["Filled"])]
        assert len({one.trade for one in fills}) == len(fills)
        return round(sum(one.quantity if one.side == "buy" else -one.quantity for one in fills), 9)


@contextmanager
def scene(nursery: Nursery, folder: Path, symbol: str = PERP) -> Iterator[Scene]:
    (folder / "workbench.toml").touch()
    markets = {symbol: market(symbol, swing(), tick_size=0.01, lot_size=0.001)}
    watch = Watch()
    free = Limits(weight_1m=10**9, orders_10s=10**9, orders_1d=10**9)
    with Exchange(
        markets, clock=RunningClock(1.0, T0 + 100 * MINUTE, watch), accounts={ACCOUNT: usual_account(markets)},
        serving=Serving(
            credentials=(Credential(ACCOUNT, ACCOUNT, secret(ACCOUNT)),), folder=folder / "venue",
            limits={"binance": free, "binanceusdm": free},
        ),
    ) as exchange:  # fmt: skip
        one = Scene(nursery, exchange, watch, folder, symbol)
        try:
            yield one
        finally:
            one.close()


__all__ = ["ACCOUNT", "NAME", "PERP", "SPOT", "Nursery", "Scene", "interrupt", "pending", "scene", "until"]
