"""`guarded`: gives a live bot a guard, a process beside it that ends it when it was ordered to end and does not.

The bot tells its guard, before any order goes out, what it has at the venue, and that its consumer still turns. A guard
that dies is replaced. What the last guard did while the bot was dead is taken into journal and books.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.bots.clerk_lines import DOUBT
from workbench.bots.guard_record import Record, forget_record, keep_record, note_in_journal, read_record
from workbench.bots.guard_terms import GuardTerms
from workbench.bots.guard_ward import Ward, birth_of
from workbench.bots.journal import bots_folder
from workbench.bots.journal.keys import seal_key
from workbench.bots.killing import kill_files
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.bots.brokers.credentials import Credentials
    from workbench.bots.journal import Journal
    from workbench.bots.restarting import Restarting
    from workbench.bots.runner import Runner
    from workbench.settings import Settings

__all__ = ["Guarding", "guarded", "ward_of"]

_BEAT_S: Final = 0.2
_MOST_WAITING: Final = 1_000_000  # bytes that a guard has not read: it hangs
_REFUSED_S: Final = 2.0  # without anything coming to disk: the database does not take it
_AGAIN_S: Final = 1.0  # between two guards
_MARGIN_MS: Final = 60_000
_FAREWELL_S: Final = 2.0
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Guarding:
    """The bot's side of its guard: starts it, talks to it, and starts another where it dies.

    Parameters
    ----------
    ward : Ward
    terms : GuardTerms
    credentials : Credentials or None
    alert : callable
        Told when a guard was lost.
    """

    def __init__(
        self, ward: Ward, terms: GuardTerms, credentials: Credentials | None = None,
        alert: Callable[[str], None] = lambda text: None,
    ) -> None:  # fmt: skip
        self.ward, self.terms, self._credentials, self._alert = ward, terms, credentials, alert
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting = b""
        self._state: dict[str, Any] = {}
        self._told = self._began = 0.0
        self._ends: tuple[int, int] = (-1, -1)
        self._before: tuple[int, dict[int, Any]] | None = None
        self.interrupts = 0

    def start(self) -> None:
        """Start a guard."""
        command = [sys.executable, "-P", "-m", "workbench.bots.guard"]  # the modules of this process, none of its cwd
        ends = tuple(one for one in self._ends[:1] if one >= 0)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=ends, start_new_session=True,
            env=environment,
        )  # fmt: skip
        if self._process.stdin is not None:
            os.set_blocking(self._process.stdin.fileno(), False)
        self._began = time.monotonic()
        self.ward.guard_pid, self.ward.guard_born = self._process.pid, birth_of(self._process.pid)
        self.ward.write()
        key = None
        if self._credentials is not None:
            access = self._credentials.access()
            key = [access.key, access.secret, self._credentials.settings().get("password", "")]
        hello = {"ward": asdict(self.ward), "terms": asdict(self.terms), "signals": self._ends[0], "key": key}
        self._waiting = b""
        self._say(hello)
        if self._state:
            self._say(self._state)

    def tell(self, state: dict[str, Any]) -> None:
        """Say what the bot has; nothing where that was said before."""
        if state != self._state:
            self._state = state
            self._say(state)
        else:
            self.beat()

    def beat(self) -> None:
        """Say that the bot is alive; called as often as one likes."""
        if time.monotonic() - self._told >= _BEAT_S:
            self._say({})

    def _say(self, line: dict[str, Any]) -> None:
        self._told = time.monotonic()
        self._waiting += json.dumps(line).encode() + b"\n"
        self._push()
        process = self._process
        if process is None:
            return
        if process.poll() is not None or len(self._waiting) > _MOST_WAITING:
            self._replace(process)

    def _push(self) -> None:
        """Give the guard what it takes now; whoever drives a bot never waits for it."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(BlockingIOError, BrokenPipeError):
                while self._waiting:
                    self._waiting = self._waiting[os.write(self._process.stdin.fileno(), self._waiting) :]

    def _replace(self, process: subprocess.Popen[bytes]) -> None:
        """Start another guard for one that has died or hangs."""
        if time.monotonic() - self._began < _AGAIN_S:
            return
        process.kill()
        self._let_go(process)
        self._alert(f"the guard of {self.ward.bot} was lost ({process.returncode}): another one was started")
        self.start()

    def _let_go(self, process: subprocess.Popen[bytes]) -> None:
        with suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        process.wait()

    def end(self, ended: dict[str, Any]) -> None:
        """Say how the bot has ended: it will send nothing any more."""
        self.ward.ended = ended
        with suppress(WorkbenchError):
            self.ward.write()
        self._say({**self._state, "ended": ended})
        until = time.monotonic() + _FAREWELL_S
        while self._waiting and time.monotonic() < until:
            time.sleep(0.01)
            self._push()

    def wait(self, seconds: float) -> None:
        """Wait until the guard has done what is left to do; what takes longer it does alone."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            with suppress(OSError):
                if process.stdin is not None:
                    process.stdin.close()
            process.returncode = process.returncode or 0  # it goes on alone
        for one in self._ends:
            if one >= 0:
                os.close(one)
        self._ends = (-1, -1)

    # Ctrl-C

    def listen(self, first: Callable[[], object], second: Callable[[], object]) -> None:
        """Take over Ctrl-C and SIGTERM, where this is the main thread; the guard learns of them at once too."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._ends = os.pipe()
        for one in self._ends:
            os.set_blocking(one, False)

        def interrupted(number: int, frame: Any) -> None:
            self.interrupts += 1
            (first if self.interrupts == 1 else second)()

        handlers = {int(number): signal.signal(number, interrupted) for number in _SIGNALS}
        self._before = signal.set_wakeup_fd(self._ends[1], warn_on_full_buffer=False), handlers

    def ignore(self) -> None:
        """Give Ctrl-C and SIGTERM back to whom they belonged."""
        if self._before is not None:
            wakeup, handlers = self._before
            self._before = None
            signal.set_wakeup_fd(wakeup)
            for number, handler in handlers.items():
                signal.signal(number, handler)


def ward_of(name: str, settings: Settings, *, core_name: str = "", tape: bool = False) -> Ward:
    """Say whom a guard guards: this process, which runs a bot of a workspace."""
    folder, pid = bots_folder(settings), os.getpid()
    place = settings.bots.journal or str(folder / f"{name}.sqlite")
    files = [str(one) for one in kill_files(settings, name)]
    return Ward(name, str(folder), files, pid, birth_of(pid), place, core_name, tape=tape)


@asynccontextmanager
async def guarded(
    runner: Runner, settings: Settings, *, terms: GuardTerms | None = None, ends: Restarting | None = None
) -> AsyncIterator[Guarding]:
    """Guard a bot while the block lasts: `async with guarded(runner, settings): await runner.run()`.

    The first Ctrl-C stops the bot, the second kills it; so do kill files, and both also while the bot hangs. Its
    journal must be the one that `open_journal(name, settings)` gives, and its broker open until the block has ended.

    Parameters
    ----------
    runner : Runner
        Not run yet.
    settings : Settings
    terms : GuardTerms, optional
    ends : Restarting, optional
        Who is asked to stop or kill the bot in the place of the runner.

    Raises
    ------
    DataError, ConfigError
        What the last guard wrote down cannot be used, or the disk refuses.
    BrokerError
        The venue does not say what became of orders of the last guard.
    """
    from workbench.bots.brokers.ccxt_broker import CcxtBroker

    core, name = runner.shell.mind.core, runner.shell.mind.name
    ward = ward_of(name, settings, core_name=core.name)
    broker, credentials = runner.broker, None
    if isinstance(broker, CcxtBroker):
        ward.at(broker)
        credentials = broker.wire.credentials
    folder = Path(ward.folder)
    key = await asyncio.to_thread(seal_key, folder)
    pending = await _take_up(runner, folder, key)
    terms = terms or GuardTerms()
    guarding = Guarding(ward, terms, credentials, lambda text: runner.warn("error", text))
    teller = _Teller(runner, guarding, folder if pending is not None else None)
    loop, who = asyncio.get_running_loop(), ends or runner
    guarding.listen(
        lambda: loop.call_soon_threadsafe(who.stop),
        lambda: loop.call_soon_threadsafe(who.kill, "cancel", "killed by Ctrl-C"),
    )
    try:
        guarding.start()
        runner.watched = teller.turn
        yield guarding
    finally:
        runner.watched = lambda: None
        guarding.ignore()
        teller.turn()
        done = runner.state == "KILLED" and runner.verified and not runner.journal.waiting
        clean = done or not runner.began  # who was not let start has nothing that another guard has not seen to
        guarding.end({"state": runner.state, "reason": runner.reason, "clean": clean, "stays": runner.stays})
        wanted = bool(runner.killing) or (guarding.interrupts > 1 and runner.state != "STOPPED")
        await asyncio.to_thread(guarding.wait, terms.patience_s if wanted and not clean else terms.grace_s)
        if not clean:
            _finish(runner, ward, key)


class _Teller:
    """Says at every turn of the consumer what there is, where something has happened."""

    def __init__(self, runner: Runner, guarding: Guarding, folder: Path | None) -> None:
        self._runner, self._guarding, self._pending = runner, guarding, folder
        self._last: tuple[int, bool, bool] = (-1, False, False)
        self._noted, self._tried = False, -_AGAIN_S
        self._written = time.monotonic()  # when the journal last had all on disk
        self._known_to = 0  # likewise, by the bot's clock

    def turn(self) -> None:
        runner = self._runner
        position, now = runner.journal.position, time.monotonic()
        if not runner.journal.waiting:
            self._written, self._known_to = now, runner.now
        refused = now - self._written > _REFUSED_S
        core, lines = runner.shell.mind.core, runner.shell.clerk.lines
        flight = any(one.pending or one.flight or one.state in DOUBT for one in lines.values())
        if self._pending is not None and now >= self._tried + _AGAIN_S:
            self._settle(self._pending)
        if (position, refused, flight) == self._last:
            self._guarding.beat()
            return
        self._last = position, refused, flight
        lost = bool(runner.killing and runner.journal.waiting)  # the journal may never learn of orders that have ended
        self._guarding.tell({
            "orders": {
                name: [one.order.symbol, one.order.side, one.order.leg, one.filled, bool(one.order.parent)]
                for name, one in lines.items()
                if one.state != "done" or (lost and one.ended >= self._known_to - _MARGIN_MS)
            },
            "terms": [one.order.to_dict() for one in lines.values() if one.order.parent and one.state != "done"],
            "held": [[one.symbol, one.leg, one.quantity] for one in core.account.positions],
            "booked": [f"{one.symbol} {one.trade_id}" for one in runner.guards_fills if runner.shell.clerk.has(one)],
            "flight": flight, "kill": runner.killing, "reason": runner.reason, "refused": refused,
        })  # fmt: skip

    def _settle(self, folder: Path) -> None:
        """Let go of what the last guard wrote down, once its executions are in the books and those on disk."""
        runner = self._runner
        clerk = runner.shell.clerk
        own = [one for one in runner.guards_fills if one.id not in clerk.lines]
        if not all(clerk.has(one) for one in own):
            return
        if not self._noted:
            self._noted = True
            text = "; ".join(f"{one.side} {one.quantity:.10g} {one.symbol}" for one in runner.guards_fills)
            runner.log("info", f"what the bot's guard did is in the books: {text or 'no execution'}")
        self._tried = time.monotonic()
        with suppress(WorkbenchError, OSError):  # it is tried again
            runner.journal.flush()
            forget_record(folder, runner.shell.mind.name)
            self._pending = None


async def _take_up(runner: Runner, folder: Path, key: bytes) -> Record | None:
    """Take what the last guard did into the journal, and give it where the books are still to have it."""
    record = read_record(folder, runner.shell.mind.name, key)
    if record is None:
        return None
    if not record.journalled:
        note_in_journal(runner.journal, record)
        keep_record(folder, record, key)
    if not runner.terms.revive:
        return None
    if record.venue and record.closings and not record.verified:
        await _complete(runner, record)
        keep_record(folder, record, key)
    runner.guards_fills = record.executions()
    return record


async def _complete(runner: Runner, record: Record) -> None:
    """Ask the venue what became of orders whose guard did not come to its end."""
    from workbench.bots.brokers.talk import Find, Look

    for one in record.closings:
        await runner.broker.find(Find(one[0], one[1]))
    seen = await runner.broker.look(Look(max(0, record.venue_ts - 600_000)))
    names = {one[0] for one in record.closings}
    record.add(one for one in seen.fills if one.id in names)


def _finish(runner: Runner, ward: Ward, key: bytes) -> None:
    """Have the journal say what the guard did for a bot that could not do it, and tell a human."""
    from workbench.trading.events import Alert

    journal: Journal = runner.journal
    folder = Path(ward.folder)
    with suppress(WorkbenchError):
        record = read_record(folder, ward.bot, key)
        if record is None or record.journalled or record.at < ward.born * 1_000:
            # the guard of this life has written nothing that is not known
            return
        runner.reason, runner.shell.mind.core.state = record.summary, "KILLED"
        runner.shell.alert(Alert(runner.now, "critical", record.summary))
        journal.flush()
        note_in_journal(journal, record)
        if record.verified and not record.fills:
            forget_record(folder, record.bot)
        else:
            keep_record(folder, record, key)
