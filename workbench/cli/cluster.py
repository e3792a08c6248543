"""`workbench cluster`: workers on this machine for sweeps and reports that are to run on a cluster."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Annotated, Any

import typer

from workbench.cli.console import say
from workbench.cli.options import examples
from workbench.errors import RunError

__all__ = ["app"]

app = typer.Typer(help="A dask cluster on this machine, to run sweeps and reports on.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `start` a command of a group."""


@app.command(
    "start",
    epilog=examples(
        "workbench cluster start --workers 4",
        "workbench report run nightly --cluster tcp://127.0.0.1:8786",
    ),
)
def start(
    workers: Annotated[
        int, typer.Option(min=1, max=256, metavar="N", help="Worker processes, of one thread each.")
    ] = 2,
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="Of the scheduler; 0 for any that is free.")
    ] = 8786,
    host: Annotated[
        str,
        typer.Option(
            metavar="HOST", help="Address to listen on. Whoever can reach it can run code as you: keep it private."
        ),
    ] = "127.0.0.1",
) -> None:
    """Start a scheduler and workers, print the address, and run until Ctrl-C.

    For workers on other machines start `dask worker ADDRESS` there, from an environment with the same versions.
    """
    stop = threading.Event()

    def told(number: int, frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with _cluster(workers, host, port) as cluster:
            print(cluster.scheduler_address, flush=True)
            say(f"{workers} workers; Ctrl-C stops them")
            while not stop.wait(1.0):
                pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _cluster(workers: int, host: str, port: int) -> Any:
    import distributed

    make: Any = distributed.LocalCluster
    try:
        return make(
            n_workers=workers,
            threads_per_worker=1,
            host=host,
            scheduler_port=port,
            dashboard_address=f"{host}:0",
            silence_logs=50,
        )
    except (OSError, RuntimeError) as error:
        cause: BaseException = error
        while (before := cause.__cause__ or cause.__context__) is not None:
            cause = before
        raise RunError(
            f"the cluster does not start at {host}:{port}: {cause}; choose another --port or --host",
            host=host,
            port=port,
        ) from error
