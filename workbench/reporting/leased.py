"""A pool of notebook workers that outlives one notebook, for as long as a file is there: what a cluster's worker uses.

Whoever wants notebooks run holds a lease, a file that is deleted when they are done or nobody wants them any more. So
the next notebook finds everything imported, a Ctrl-C elsewhere ends what runs here, and nothing is left over.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from workbench.reporting.pool import ColdPool, Ended, Pool, WarmPool
from workbench.reporting.worker import Task

__all__ = ["LeasedPool"]

_LOOK_S: Final = 0.5  # between looks whether the lease is still there

_idle: dict[Path, list[LeasedPool]] = {}
_changing = threading.Lock()


class LeasedPool:
    """A pool for one notebook after the other.

    Parameters
    ----------
    lease : Path
    environment : mapping of str to str
        The same for all notebooks of a lease.
    """

    def __init__(self, lease: Path, environment: Mapping[str, str]) -> None:
        self._lease = lease
        self._folder = tempfile.TemporaryDirectory(prefix="workbench-", ignore_cleanup_errors=True)
        self._log = Path(self._folder.name) / "stderr.log"
        try:
            kind = WarmPool if sys.platform.startswith("linux") else ColdPool
            self._pool: Pool = kind(environment, self._log)
        except BaseException:
            self._folder.cleanup()
            raise
        self._spent = False

    @classmethod
    def open(cls, lease: Path, environment: Mapping[str, str], log: Path) -> LeasedPool:
        """Take a pool that is idle, or make one; what its workers say on stderr can be read in `log`."""
        with _changing:
            if lease not in _idle:
                _idle[lease] = []
                threading.Thread(target=_close_when_gone, args=(lease,), daemon=True).start()
            pool = _idle[lease].pop() if _idle[lease] else None
        pool = pool or cls(lease, environment)
        if pool._log.exists():
            os.truncate(pool._log, 0)
        log.symlink_to(pool._log)
        return pool

    def start(self, task: Task) -> None:
        """See `Pool`."""
        self._pool.start(task)

    def stop(self, identity: str, *, kill: bool) -> None:
        """See `Pool`."""
        self._pool.stop(identity, kill=kill)

    def wait(self, timeout_s: float) -> Ended | Literal["lost"] | None:
        """See `Pool`. When the lease is gone it is as if the user had pressed Ctrl-C."""
        end = time.monotonic() + timeout_s
        while True:
            left = end - time.monotonic()
            event = self._pool.wait(max(0.0, min(left, _LOOK_S)))
            if event is None and not self._lease.exists():
                self._spent = True
                raise KeyboardInterrupt
            if event is not None or left <= _LOOK_S:
                self._spent = self._spent or event == "lost"
                return event

    def close(self) -> None:
        """See `Pool`. A pool that is still good waits for the next notebook."""
        with _changing:
            if not self._spent and self._lease in _idle:
                _idle[self._lease].append(self)
                return
        self.end()

    def end(self) -> None:
        """End everything that still runs."""
        self._pool.close()
        self._folder.cleanup()


def _close_when_gone(lease: Path) -> None:
    while lease.exists():
        time.sleep(_LOOK_S)
    with _changing:
        pools = _idle.pop(lease)
    for pool in pools:
        pool.end()
