"""The parent's end of the workers: starting one, signalling it, hearing that it ended.

`WarmPool` talks to a host process that forks workers (see `host`); `ColdPool` starts each worker afresh. Both put the
same events into a queue, so whoever uses them does not know which it has.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final, Literal, Protocol, cast

from workbench.errors import RunError
from workbench.reporting.worker import Task

__all__ = ["ColdPool", "Ended", "Pool", "WarmPool", "last_words"]

_READY_S: Final = 120.0  # for the host to import everything, also from a cold disk
_CLOSE_S: Final = 10.0
# The package must be the one of this process, wherever it was imported from; and nothing of the folder it runs in.
_BOOT: Final = "import sys; r = sys.argv[1]; r in sys.path or sys.path.insert(0, r); from {} import main; main()"


@dataclass(frozen=True, slots=True)
class Ended:
    """A worker is gone, and everything that it started with it.

    Parameters
    ----------
    identity : str
        Of its task.
    code : int
        Its exit code; negative: the signal that ended it.
    """

    identity: str
    code: int


class Pool(Protocol):
    """Where workers come from."""

    def start(self, task: Task) -> None:
        """Start a worker on a task."""

    def stop(self, identity: str, *, kill: bool) -> None:
        """Ask a worker to come to an end, or end it and all that it has started."""

    def wait(self, timeout_s: float) -> Ended | Literal["lost"] | None:
        """Wait for the next event; None when there was none in time, `lost` when the pool itself is gone."""

    def close(self) -> None:
        """End everything that still runs."""


def _boot(module: str, *arguments: str) -> list[str]:
    root = str(Path(__file__).resolve().parents[2])
    return [sys.executable, "-P", "-c", _BOOT.format(module), root, *arguments]


def _path_to_package(environment: Mapping[str, str]) -> dict[str, str]:
    """Let ordinary kernels import the package also where it runs from a checkout that is not installed."""
    root = str(Path(__file__).resolve().parents[2])
    if root in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        return {}
    return {"PYTHONPATH": os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH")]))}


def last_words(log: Path) -> str:
    """Give the last line that the workers wrote to stderr, for a message."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


class WarmPool:
    """Workers forked from a host that has everything imported.

    Parameters
    ----------
    environment : mapping of str to str
    log : Path
        Where stderr goes.

    Raises
    ------
    RunError
        The host does not come up.
    """

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        with log.open("ab") as errors:
            self._host = subprocess.Popen(
                _boot("workbench.reporting.host"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=dict(environment),
                start_new_session=True,  # Ctrl-C is for the parent, which then closes the pool
            )
        self._orders, self._answers = cast(IO[bytes], self._host.stdin), cast(IO[bytes], self._host.stdout)
        self._reader = threading.Thread(target=self._read, args=(self._answers,), daemon=True)
        self._reader.start()
        try:
            ready = self._events.get(timeout=_READY_S)
        except queue.Empty:
            ready = None
        except BaseException:
            self.close()
            raise
        if ready is None:
            self.close()
            raise RunError(f"the process that runs notebooks did not come up: {last_words(log) or 'it says nothing'}")

    def _read(self, stream: IO[bytes]) -> None:
        for line in stream:
            self._events.put(json.loads(line))
        self._events.put(None)

    def _tell(self, order: dict[str, Any]) -> None:
        try:
            self._orders.write(json.dumps(order).encode() + b"\n")
            self._orders.flush()
        except BrokenPipeError:
            pass  # the host is gone; `wait` says so

    def start(self, task: Task) -> None:
        """See `Pool`."""
        self._tell({"run": asdict(task)})

    def stop(self, identity: str, *, kill: bool) -> None:
        """See `Pool`."""
        self._tell({"stop": identity, "kill": kill})

    def wait(self, timeout_s: float) -> Ended | Literal["lost"] | None:
        """See `Pool`."""
        try:
            event = self._events.get(timeout=timeout_s)
        except queue.Empty:
            return None
        return "lost" if event is None else Ended(event["ended"], event["code"])

    def close(self) -> None:
        """See `Pool`. The host kills its workers when its input ends; if it cannot, they die with it."""
        try:
            self._orders.close()
        except BrokenPipeError:
            pass
        try:
            self._host.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            self._host.kill()
            self._host.wait()
        self._reader.join(_CLOSE_S)
        self._answers.close()


class ColdPool:
    """Each worker a new process with an ordinary kernel: slower, and works everywhere.

    Parameters
    ----------
    environment : mapping of str to str
    log : Path
        Where stderr goes.
    """

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment = {**environment, **_path_to_package(environment)}
        self._log = log
        self._events: queue.SimpleQueue[Ended] = queue.SimpleQueue()
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._watchers: list[threading.Thread] = []

    def start(self, task: Task) -> None:
        """See `Pool`."""
        order = Path(task.scratch) / "task.json"
        order.write_text(json.dumps(asdict(task)), encoding="utf-8")
        with self._log.open("ab") as errors:
            worker = subprocess.Popen(
                _boot("workbench.reporting.worker", str(order)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=self._environment,
                start_new_session=True,
            )
        self._workers[task.identity] = worker
        watcher = threading.Thread(target=self._watch, args=(task.identity, worker), daemon=True)
        watcher.start()
        self._watchers.append(watcher)

    def _watch(self, identity: str, worker: subprocess.Popen[bytes]) -> None:
        self._events.put(Ended(identity, worker.wait()))

    def stop(self, identity: str, *, kill: bool) -> None:
        """See `Pool`."""
        if kill:
            _kill_tree(self._workers[identity].pid)
        else:
            self._workers[identity].send_signal(signal.SIGTERM)

    def wait(self, timeout_s: float) -> Ended | Literal["lost"] | None:
        """See `Pool`."""
        try:
            ended = self._events.get(timeout=timeout_s)
        except queue.Empty:
            return None
        del self._workers[ended.identity]
        return ended

    def close(self) -> None:
        """See `Pool`."""
        for worker in self._workers.values():
            _kill_tree(worker.pid)
        for watcher in self._watchers:
            watcher.join(_CLOSE_S)


def _kill_tree(pid: int) -> None:
    import psutil

    try:
        worker = psutil.Process(pid)
        processes = [*worker.children(recursive=True), worker]
    except psutil.NoSuchProcess:
        return
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            pass
