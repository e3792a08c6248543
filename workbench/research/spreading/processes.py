"""A crew of processes of our own on this machine, which replaces what dies."""

from __future__ import annotations

import multiprocessing
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final

from workbench.research.spreading.crews import Future, Loss, cores
from workbench.research.spreading.parcel import Parcel, run_piece

__all__ = ["ProcessCrew"]

_HINT: Final = (
    'it died (killed, or out of memory), or the script that started it lacks `if __name__ == "__main__":` around what '
    "it does"
)


class ProcessCrew:
    """Pieces on processes that live as long as the job.

    They start afresh (`spawn`), as a process with threads in it cannot be forked safely.

    Parameters
    ----------
    parcel : Parcel
    count : int, optional
        One a processor when left out.
    """

    hint = _HINT

    def __init__(self, parcel: Parcel, count: int | None = None) -> None:
        parcel.spool()  # what cannot be sent is told here, not by a thread of the pool
        self._parcel = parcel
        self._count = count or cores()
        self._pool = self._make()

    def _make(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._count, mp_context=multiprocessing.get_context("spawn"), initializer=_leave_interrupts_to_the_parent
        )

    @property
    def width(self) -> int:
        """See `Crew`."""
        return self._count

    def submit(self, start: int, stop: int, *, full: bool) -> Future:
        """See `Crew`."""
        try:
            return self._pool.submit(run_piece, self._parcel, start, stop)
        except BrokenProcessPool:
            self._renew()
            return self._pool.submit(run_piece, self._parcel, start, stop)

    def loss(self, error: BaseException) -> Loss:
        """See `Crew`. All that ran or waited on a pool is lost with one of its processes; `submit` makes a new one."""
        return "worker" if isinstance(error, BrokenProcessPool) else None

    def check(self) -> None:
        """See `Crew`."""

    def close(self, *, running: bool) -> None:
        """See `Crew`."""
        if running:
            _kill(self._pool)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _renew(self) -> None:
        broken, self._pool = self._pool, self._make()
        broken.shutdown(wait=True, cancel_futures=True)


def _kill(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool in the middle of what they do; Python has a public way only from 3.14 on."""
    for process in list((pool._processes or {}).values()):
        process.kill()


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
