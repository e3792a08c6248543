"""`Crew`: whoever runs pieces of work; and the one that runs them on an executor of the standard kind.

A crew starts pieces and says of an error whether it means that a worker was lost. Everything else (sizes, retries,
order, Ctrl-C) is decided by `work`, in one place for all of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Literal, Protocol

from workbench.errors import RunError
from workbench.research.spreading.parcel import FullParcel, Parcel, run_piece

__all__ = ["Crew", "ExecutorCrew", "Future", "Loss", "cores", "threads"]

Loss = Literal["worker", "workers"] | None


class Future(Protocol):
    """What crews promise: the part that the futures of the standard library and of dask have in common."""

    def add_done_callback(self, fn: Callable[[Any], Any]) -> None:
        """Call back when it is done."""

    def cancel(self) -> Any:
        """Stop it if it has not begun."""

    def cancelled(self) -> bool:
        """Say whether it was cancelled."""

    def done(self) -> bool:
        """Say whether it is over."""

    def exception(self) -> BaseException | None:
        """Give what went wrong outside the task."""

    def result(self) -> Any:
        """Give what came of it."""


class Crew(Protocol):
    """Who runs pieces."""

    hint: str  # why its workers get lost, for a message

    @property
    def width(self) -> int:
        """How many pieces can run at the same time, as of now."""

    def submit(self, start: int, stop: int, *, full: bool) -> Future:
        """Start a piece as soon as a worker is free; `full` for one whose worker could not reach the content."""

    def loss(self, error: BaseException) -> Loss:
        """Say whether an error means that a worker, or one after the other, went away; None for any other error."""

    def check(self) -> None:
        """Raise a `RunError` when nothing can be expected any more; called when nothing has come for a while."""

    def close(self, *, running: bool) -> None:
        """Give back everything that this crew has taken; some pieces may be `running` that nobody wants any more."""


def cores() -> int:
    """Give the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ExecutorCrew:
    """Pieces on an executor.

    Parameters
    ----------
    executor : concurrent.futures.Executor
    parcel : Parcel
    own : bool, default False
        Whether to shut the executor down in the end.
    """

    hint = "it died"

    def __init__(self, executor: Executor, parcel: Parcel, *, own: bool = False) -> None:
        self._executor = executor
        self._parcel = parcel
        self._own = own

    @property
    def width(self) -> int:
        """See `Crew`. An executor that does not say how many it runs is given as many as there are processors."""
        return int(getattr(self._executor, "_max_workers", 0) or cores())

    def submit(self, start: int, stop: int, *, full: bool) -> Future:
        """See `Crew`."""
        parcel: Parcel | FullParcel = self._parcel.full() if full else self._parcel
        try:
            return self._executor.submit(run_piece, parcel, start, stop)
        except BrokenProcessPool as error:
            raise _broken() from error
        except RuntimeError as error:  # it was shut down
            raise RunError(f"the executor takes no more work: {error}; pass one that is open") from error

    def loss(self, error: BaseException) -> Loss:
        """See `Crew`. A pool of processes that lost one is broken for good, and it is not ours to replace."""
        if isinstance(error, BrokenProcessPool):
            raise _broken() from error
        return None

    def check(self) -> None:
        """See `Crew`."""

    def close(self, *, running: bool) -> None:
        """See `Crew`."""
        if self._own:
            self._executor.shutdown(wait=True, cancel_futures=True)


def _broken() -> RunError:
    return RunError(
        "a process of the pool has died (killed, out of memory, or the script that started it lacks "
        '`if __name__ == "__main__":`), and a ProcessPoolExecutor takes no work after that; what was done is kept: '
        'go on with a new pool, or pass executor="processes", which replaces lost processes'
    )


def threads(parcel: Parcel, count: int | None = None) -> ExecutorCrew:
    """Make a crew of threads of this process."""
    pool = ThreadPoolExecutor(count or cores(), thread_name_prefix="workbench-spread")
    return ExecutorCrew(pool, parcel, own=True)
