"""A crew of the workers of a dask cluster.

The cluster is the user's own: its processes exchange pickled objects, which run code when they are read, so whoever can
reach its scheduler can run anything as its owner. Nothing here opens a port or a dashboard; `LocalCluster` of dask, the
command `workbench cluster start` or `dask scheduler` do.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from workbench.errors import ConfigError, RunError
from workbench.research.spreading.parcel import Content, Parcel, differences, run_piece_of, versions_here

if TYPE_CHECKING:
    from workbench.research.spreading.crews import Future, Loss

__all__ = ["DaskCrew", "client_of", "connect"]

Client: TypeAlias = Any  # of distributed, whose methods have no types

_CONNECT_S: Final = 4.0
_WORKERS_S: Final = 10.0  # for the first worker to be there
_DESERTED_S: Final = 30.0  # for one to come back when all are gone
_ANSWER_S: Final = 10.0  # for the scheduler to answer a question
_LOOK_S: Final = 1.0  # between counts of the workers


def connect(address: str) -> Client:
    """Connect to a scheduler, or say within seconds that it cannot be reached.

    Parameters
    ----------
    address : str
        Such as `"tcp://127.0.0.1:8786"`.

    Raises
    ------
    ConfigError
        It is no address.
    RunError
        Nobody answers there.
    """
    import distributed

    make: Any = distributed.Client
    try:
        with ThreadPoolExecutor(1) as pool:  # a loop of its own: a notebook's thread runs one already
            kind = pool.submit(lambda: asyncio.run(_kind(address))).result()
        if kind != "Scheduler":
            raise ConfigError(f"{address} is a dask {kind.lower()}; give the address of the scheduler", address=address)
        return make(address, timeout=_CONNECT_S, set_as_default=False, name="workbench")
    except OSError as error:  # also TimeoutError
        raise RunError(
            f"no dask scheduler answers at {address} within {_CONNECT_S:g} s; start one (`workbench cluster start`) or "
            "mend the address",
            address=address,
        ) from error
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"cluster {address!r} is no address of a dask scheduler: {error}; it looks like 'tcp://127.0.0.1:8786'",
            address=address,
        ) from error


async def _kind(address: str) -> str:
    """Ask who is there before a client is made, as one that cannot connect takes long to go away."""
    from distributed.core import rpc
    from distributed.security import Security

    security: Any = Security
    ask: Any = rpc
    there = ask(address, timeout=_CONNECT_S, connection_args=security().get_connection_args("client"))
    try:
        return str((await asyncio.wait_for(there.identity(), _CONNECT_S))["type"])
    finally:
        await there.close_rpc()


def client_of(executor: object) -> Client | None:
    """Give the dask client that an object is or stands for; None where it is something else."""
    if type(executor).__module__.partition(".")[0] != "distributed":
        return None
    import distributed
    from distributed.cfexecutor import ClientExecutor

    client = executor._client if isinstance(executor, ClientExecutor) else executor
    return client if isinstance(client, distributed.Client) else None


class DaskCrew:
    """Pieces on the workers of a cluster; dask itself runs a piece again whose worker is lost.

    Parameters
    ----------
    client : distributed.Client
    parcel : Parcel
    own : bool, default False
        Whether to close the client in the end.
    """

    hint = "it was killed, or ran out of memory"

    def __init__(self, client: Client, parcel: Parcel, *, own: bool = False) -> None:
        self._client = client
        self._own = own
        self._token = parcel.token
        self._versions = parcel.versions
        self._packed = Content(parcel.pack())
        self._content: Any = None
        self._count = 0
        self._looked = self._seen = time.monotonic()
        self._number = 0
        self.address = str(client.scheduler.address) if client.scheduler is not None else "a closed client"
        try:
            self._begin()
        except BaseException:
            self.close(running=False)
            raise

    def _begin(self) -> None:
        if self._client.asynchronous:
            raise ConfigError("the dask client is asynchronous; pass one made with asynchronous=False")
        end = time.monotonic() + _WORKERS_S
        while not self._look() and time.monotonic() < end:
            time.sleep(0.05)
        if not self._count:
            raise RunError(
                f"the dask scheduler {self.address} has no workers; start some (`dask worker {self.address}`)",
                address=self.address,
            )
        self._compare()
        self._scatter()

    def _compare(self) -> None:
        """Refuse workers whose results may differ from those of this process."""
        for worker, found in self._client.run(versions_here, on_error="return").items():
            if isinstance(found, ModuleNotFoundError):
                raise self._bare() from found
            if not isinstance(found, dict):
                continue  # it went away; what comes in its place is compared when it gets a piece
            wrong = differences(self._versions, found)
            if wrong:
                raise RunError(
                    f"the worker {worker} has {wrong}; start the workers from the environment of this process",
                    worker=worker,
                )

    def _bare(self) -> RunError:
        return RunError(
            f"the workers of {self.address} do not have workbench; start them from the environment of this process",
            address=self.address,
        )

    def _scatter(self) -> None:
        """Send the content to every worker; dask passes it on to those that come later."""
        self._content = self._client.scatter(self._packed, broadcast=True, hash=False)

    def _look(self) -> int:
        """Count the threads of all workers."""
        self._looked = time.monotonic()
        try:
            threads = self._client.sync(self._client.scheduler.ncores, callback_timeout=_ANSWER_S)
        except (OSError, TimeoutError, RuntimeError, AttributeError) as error:
            raise self._away() from error
        self._count = sum(threads.values())
        if self._count:
            self._seen = self._looked
        return self._count

    def _away(self) -> RunError:
        return RunError(
            f"the dask scheduler {self.address} went away; what was done is kept",
            address=self.address,
        )

    @property
    def width(self) -> int:
        """See `Crew`."""
        if time.monotonic() - self._looked > _LOOK_S:
            self._look()
        return self._count

    def submit(self, start: int, stop: int, *, full: bool) -> Future:
        """See `Crew`."""
        self._number += 1
        future: Future = self._client.submit(
            run_piece_of,
            self._content,
            self._versions,
            start,
            stop,
            key=f"workbench-{self._token[:12]}-{self._number}-{start}-{stop}",
            pure=False,
        )
        return future

    def loss(self, error: BaseException) -> Loss:
        """See `Crew`. That one worker went away dask mends by itself; after several it raises `KilledWorker`."""
        from distributed import KilledWorker

        if isinstance(error, KilledWorker):
            return "workers"
        if isinstance(error, ModuleNotFoundError) and error.name == "workbench":
            raise self._bare() from error
        if not isinstance(error, (CancelledError, asyncio.CancelledError, TimeoutError)):
            return None
        if self._look():  # the scheduler is there: those that held the content are not
            self._scatter()
        return "worker"

    def check(self) -> None:
        """See `Crew`."""
        self._look()
        if time.monotonic() - self._seen > _DESERTED_S:
            raise RunError(
                f"all workers of {self.address} are gone for {_DESERTED_S:g} s; what was done is kept",
                address=self.address,
            )

    def close(self, *, running: bool) -> None:
        """See `Crew`."""
        self._content = None
        if self._own:
            self._client.close()
