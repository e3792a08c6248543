"""`spread`: hand out pieces of a job, collect what comes back, run again what was lost, stop when told to."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias, Union

from workbench.errors import ConfigError, RunError, WorkbenchError
from workbench.research.spreading.crews import Crew, ExecutorCrew, Future, threads
from workbench.research.spreading.parcel import Done, Failure, Missing, Parcel, Task
from workbench.research.spreading.ranges import Pace, Range, Ranges

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Place", "reached", "spread"]

Place: TypeAlias = Union[str, Executor, "Client", None]
Progress = Callable[[int, int], object]

_TICK_S: Final = 1.0  # between looks at whether anybody is still there
_FAREWELL_S: Final = 5.0  # after Ctrl-C, for pieces that run to come in
_POLL_S: Final = 0.01
_TRIES: Final = 3  # of a piece whose worker is lost
_QUEUED: Final = 2  # pieces a worker has at a time: one that runs and one that waits, so that it never does


def spread(
    task: Task,
    shared: Any,
    count: int,
    *,
    executor: Place = None,
    least: int = 1,
    most: int | None = None,
    done: Iterable[Range] = (),
    progress: Progress | None = None,
) -> Iterator[tuple[int, int, Any]]:
    """Run a function over ranges of items, on threads, processes or a cluster.

    Parameters
    ----------
    task : callable
        `task(shared, start, stop)` computes the items from `start` up to `stop`, a range of any size, each in a way
        that depends on nothing else. Called from several threads at a time.
    shared : object
        What all pieces need, such as an `Evaluator`. Sent to each worker once, never with every piece.
    count : int
        How many items there are.
    executor : optional
        Threads of this process, one a processor, when left out. `"threads:4"`, `"processes"` and `"processes:4"` are
        made for this call; lost processes are replaced. Any `concurrent.futures.Executor` is used as it is, and stays
        open. `"tcp://10.0.0.5:8786"` is the scheduler of a dask cluster; a `distributed.Client` or its
        `get_executor()` does as well.
    least, most : int, optional
        Bounds of a piece, in items. Pieces start with `least` and grow until one takes about half a second.
    done : iterable of (start, stop), optional
        Ranges that were computed before, which are left out.
    progress : callable, optional
        Called in this thread with the items done and `count`, at first and after every piece.

    Yields
    ------
    start, stop : int
        A piece, half-open; in the order in which pieces end, which is not that of the items.
    out : object
        What the task returned for it.

    Raises
    ------
    ConfigError
        Wrong bounds, or no such executor.
    RunError
        The task raised (the message has the range and the error, which is the cause; one of workbench's own comes as
        it is, the range in a note), the cluster cannot be reached or has other versions, or workers died at the same
        piece again and again. Pieces that were yielded before are good.

    Notes
    -----
    After Ctrl-C nothing new starts; pieces that come in within a few seconds are still yielded, then the
    `KeyboardInterrupt` goes on. A piece whose worker is lost is given to another one, and no other piece with it.

    Processes and dask's workers and scheduler exchange pickled objects, which run code when they are read: a scheduler
    must be reachable by its owner's processes alone (bind it to 127.0.0.1 or a private network, or use dask's TLS).

    Examples
    --------
    >>> def squares(offset, start, stop):
    ...     return [offset + item * item for item in range(start, stop)]
    >>> sorted(spread(squares, 100, 3, most=2))
    [(0, 1, [100]), (1, 2, [101]), (2, 3, [104])]
    """
    if count < 0 or least < 1 or (most is not None and most < least):
        raise ConfigError(
            f"count={count}, least={least}, most={most} do not go together: count must not be negative, and "
            "1 <= least <= most",
            count=count,
            least=least,
            most=most,
        )
    ranges = Ranges(count, done)
    return _Work(Parcel(task, shared), ranges, Pace(least, most or max(count, 1)), count, progress).run(executor)


class _Work:
    """One job on its way."""

    def __init__(self, parcel: Parcel, ranges: Ranges, pace: Pace, count: int, progress: Progress | None) -> None:
        self.parcel = parcel
        self.left = ranges
        self.pace = pace
        self.count = count
        self.progress = progress
        self.undone = ranges.items
        self.flying: dict[Future, Range] = {}
        self.landed: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self.losses: dict[int, int] = {}

    def run(self, executor: Place) -> Iterator[tuple[int, int, Any]]:
        """Do all of it."""
        self._tell()
        if not self.undone:
            return
        crew = None
        try:
            crew = crew_for(executor, self.parcel)
            yield from self._go(crew)
        finally:
            for future in self.flying:
                future.cancel()
            if crew is not None:
                crew.close(running=any(not future.done() for future in self.flying))
            self.parcel.close()

    def _go(self, crew: Crew) -> Iterator[tuple[int, int, Any]]:
        try:
            while self.undone:
                self._hand_out(crew)
                future = self._next()
                if future is None:
                    crew.check()
                else:
                    yield from self._taken(future, crew)
        except KeyboardInterrupt:
            yield from self._farewell()
            raise

    def _hand_out(self, crew: Crew) -> None:
        width = max(1, crew.width)
        while self.left.items and len(self.flying) < _QUEUED * width:
            self._submit(self.left.take(self.pace.size(self.left.items, width)), crew)

    def _submit(self, piece: Range, crew: Crew, *, full: bool = False) -> None:
        try:
            future = crew.submit(*piece, full=full)
        except BaseException:
            self.left.put_back(piece)
            raise
        self.flying[future] = piece
        future.add_done_callback(self.landed.put)

    def _next(self) -> Future | None:
        try:
            return self.landed.get(timeout=_TICK_S)
        except queue.Empty:
            return None

    def _taken(self, future: Future, crew: Crew) -> Iterator[tuple[int, int, Any]]:
        """Take in what came of a piece."""
        piece = self.flying[future]
        out = self._outcome(future, piece, crew)
        if isinstance(out, Done):
            self.pace.note(piece[1] - piece[0], out.seconds)
            yield self._delivered(future, piece, out)
            return
        del self.flying[future]
        if out is None:
            self.left.put_back(piece)
        elif isinstance(out, Missing):
            self._submit(piece, crew, full=True)
        elif isinstance(out, Failure):
            raise self._failed(out, piece)

    def _outcome(self, future: Future, piece: Range, crew: Crew) -> Any:
        """Give what a piece came to; None when its worker was lost and it is to be run again."""
        error = None if future.cancelled() else future.exception()
        if error is None and not future.cancelled():
            return future.result()
        if isinstance(error, WorkbenchError):
            raise error
        gone = error or CancelledError("by somebody else")
        tries = self.losses[piece[0]] = self.losses.get(piece[0], 0) + 1
        loss = crew.loss(gone)
        if loss == "worker" and tries < _TRIES:
            return None
        why = f"came to nothing: {_said(gone)}" if loss is None else f"lost its worker again and again: {crew.hint}"
        start, stop = piece
        raise RunError(f"{self._where(piece)} {why}; what was done is kept", start=start, stop=stop) from gone

    def _delivered(self, future: Future, piece: Range, out: Done) -> tuple[int, int, Any]:
        self.undone -= piece[1] - piece[0]
        self._tell()
        del self.flying[future]
        return *piece, out.out

    def _failed(self, failure: Failure, piece: Range) -> BaseException:
        error = failure.error
        if isinstance(error, WorkbenchError) and not failure.trace:
            return error  # not of the task
        if isinstance(error, WorkbenchError):
            error.add_note(f"in {self._where(piece)}")
            return error
        new = RunError(f"{self._where(piece)} failed: {failure.message}", start=piece[0], stop=piece[1])
        new.__cause__ = error
        if error is None or error.__traceback__ is None:
            new.add_note(failure.trace.rstrip())
        return new

    def _where(self, piece: Range) -> str:
        start, stop = piece
        return f"item {start} of {self.count}" if stop == start + 1 else f"items {start} to {stop - 1} of {self.count}"

    def _farewell(self) -> Iterator[tuple[int, int, Any]]:
        """After Ctrl-C: drop what has not begun, and take what is about to end."""
        for future in self.flying:
            future.cancel()
        end = time.monotonic() + _FAREWELL_S
        while self.flying:
            for future, piece in [item for item in self.flying.items() if item[0].done()]:
                out = None if future.cancelled() or future.exception() is not None else future.result()
                if isinstance(out, Done):
                    yield self._delivered(future, piece, out)
                else:
                    del self.flying[future]
            if time.monotonic() > end:
                return
            time.sleep(_POLL_S)

    def _tell(self) -> None:
        if self.progress is not None:
            self.progress(self.count - self.undone, self.count)


@contextmanager
def reached(executor: Place) -> Iterator[Place]:
    """Connect to a cluster that is named by its address, once for several calls of `spread`; leave the rest as it is.

    Raises
    ------
    ConfigError, RunError
        It cannot be reached.

    Examples
    --------
    >>> with reached("threads:2") as place:
    ...     pieces = list(spread(lambda shared, start, stop: shared, "same", 4, executor=place))
    """
    if not (isinstance(executor, str) and "://" in executor):
        yield executor
        return
    from workbench.research.spreading.cluster import connect

    client = connect(executor)
    try:
        yield client
    finally:
        client.close()


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def crew_for(executor: Place, parcel: Parcel) -> Crew:
    """Find who runs the pieces; see `spread`."""
    if executor is None:
        return threads(parcel)
    if isinstance(executor, str) and "://" in executor:
        from workbench.research.spreading.cluster import DaskCrew, connect

        parcel.pack()  # what cannot be sent is told before anything is connected
        return DaskCrew(connect(executor), parcel, own=True)
    if isinstance(executor, str):
        return _own_crew(executor, parcel)
    if type(executor).__module__.partition(".")[0] == "distributed":
        from workbench.research.spreading.cluster import DaskCrew, client_of

        client = client_of(executor)
        if client is not None:
            return DaskCrew(client, parcel)
    if isinstance(executor, Executor):
        return ExecutorCrew(executor, parcel)
    raise _no_place(executor)


def _own_crew(executor: str, parcel: Parcel) -> Crew:
    kind, _, number = executor.partition(":")
    count = int(number) if number.isdecimal() else None
    if (number and not count) or kind not in ("threads", "processes"):
        raise _no_place(executor)
    if kind == "threads":
        return threads(parcel, count)
    from workbench.research.spreading.processes import ProcessCrew

    return ProcessCrew(parcel, count)


def _no_place(executor: object) -> ConfigError:
    return ConfigError(
        f"executor is {executor!r}; give a concurrent.futures.Executor, 'processes', 'processes:4', 'threads', the "
        "address of a dask scheduler such as 'tcp://127.0.0.1:8786', or a distributed.Client",
        executor=repr(executor),
    )
