"""The process that has everything imported, and forks a worker from itself for each run.

It reads orders from its standard input and writes events to its standard output, one JSON object a line:

    {"run": {task}}                          -> later {"ended": identity, "code": exit code}
    {"stop": identity, "kill": false}        SIGTERM to the worker; or SIGKILL to it and all that it has started

It starts with {"ready": true}. When its input ends, because the parent is done or dead, it kills what still runs and
leaves. It must never have a second thread (a fork copies only one), so it imports and waits, and nothing else.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import selectors
import signal
import sys
import traceback
import warnings
from contextlib import suppress
from typing import Any, Final, NoReturn

import numpy as np

from workbench.reporting.kernels import Waiting, die_with_parent
from workbench.reporting.worker import Task, work

__all__ = ["PRELOAD", "main"]

# What a kernel, a worker and a usual notebook import.
PRELOAD: Final = (
    "numpy",
    "pandas",
    "pandas.io.formats.html",
    "pandas.io.formats.style",
    "pyarrow.parquet",
    "pyarrow.pandas_compat",
    "duckdb",
    "numba",
    "matplotlib.pyplot",
    "matplotlib.dates",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.magics.basic",
    "IPython.core.magics.config",
    "IPython.core.magics.execution",
    "IPython.core.magics.history",
    "IPython.core.magics.osm",
    "IPython.core.magics.packaging",
    "IPython.core.magics.pylab",
    "IPython.core.magics.script",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "tornado.platform.asyncio",
    "psutil",
    "papermill",
    "nbclient",
    "workbench.reporting.exporter",
    "workbench.reporting.results",
    "workbench.backtest",
    "workbench.indicators",
    "workbench.market.calendar",
    "workbench.market.lake",
    "workbench.research.ledger",
    "workbench.risk.metrics",
    "workbench.settings",
    "workbench.strategy",
)

# Imported by the above, at a cost, and never used here: a format checker that compiles a grammar for more than a
# second, and the debugger that every kernel would set up.
_NOT_NEEDED: Final = ("rfc3987_syntax", "debugpy")


def main() -> NoReturn:
    """Serve the parent until its end of the pipe closes."""
    orders, events = _take_streams()
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    _preload()
    warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)  # no thread of ours runs here
    gc.collect()
    gc.freeze()  # what is shared with the forks is not touched by their collectors, so it stays shared
    host = _Host(orders, events)
    host.tell(ready=True)
    host.serve()
    os._exit(0)


def _take_streams() -> tuple[int, int]:
    """Keep the pipes to the parent for this process alone; workers and kernels get the null device instead."""
    orders, events = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return orders, events


def _preload() -> None:
    for name in _NOT_NEEDED:
        sys.modules[name] = None  # type: ignore[assignment]
    for name in PRELOAD:
        try:
            importlib.import_module(name)
        except Exception:
            traceback.print_exc()  # a notebook that needs it will say so itself
    for name in _NOT_NEEDED:
        del sys.modules[name]  # a notebook may still want it
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib_inline"]:
        del sys.modules[name]  # when it is imported it looks for the kernel that it is to draw for
    for rehearse in (_rehearse_backtest, _rehearse_chart, _rehearse_page):
        try:
            rehearse()
        except Exception:
            traceback.print_exc()


def _rehearse_backtest() -> None:
    """Load the compiled kernels (or compile them) and the usual exchange's calendar once, not in every notebook."""
    from workbench.market.calendar import periods_per_year
    from workbench.warmup import warm_up

    warm_up()
    periods_per_year("XNYS", "1d", 0, 1)


def _rehearse_chart() -> None:
    """Draw something with labels, so that fonts are looked for once."""
    import matplotlib
    from matplotlib.figure import Figure

    # As the worker asks of the inline backend, which comes too late for a figure made inside a style context.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "workbench"})
    figure = Figure()
    figure.subplots().plot(np.array(["2024-01-01", "2024-02-01"], dtype="datetime64[D]"), [1.0, 2.0], label="a")
    for kind in ("svg", "png"):
        figure.savefig(io.BytesIO(), format=kind)


def _rehearse_page() -> None:
    """Make a small page, so that templates, grammars and patterns are compiled once and not in every worker."""
    import nbformat

    from workbench.reporting.exporter import ReportExporter

    outputs = [
        {"output_type": "display_data", "metadata": {}, "data": {"text/html": "<table><tr><td>1</td></tr></table>"}}
    ]
    code = {
        "cell_type": "code",
        "metadata": {},
        "execution_count": 1,
        "source": "%time x = f'{1:.2f}'",
        "outputs": outputs,
    }
    text = {"cell_type": "markdown", "metadata": {}, "source": "# A\n\n## B\n\n$x$ *c* `d`\n\n|a|\n|-|\n|1|"}
    content = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [text, code]}
    notebook = nbformat.from_dict(content)  # type: ignore[no-untyped-call]
    nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    ReportExporter().from_notebook_node(notebook)


class _Host:
    """The loop between the parent's orders and the workers' ends."""

    def __init__(self, orders: int, events: int) -> None:
        self.orders, self.events = orders, events
        self.workers: dict[int, str] = {}
        self.ended_in, self.ended_out = os.pipe()
        os.set_blocking(self.ended_in, False)
        os.set_blocking(self.ended_out, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # a handler is needed for the wake-up to come
        signal.set_wakeup_fd(self.ended_out, warn_on_full_buffer=False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(orders, selectors.EVENT_READ)
        self.selector.register(self.ended_in, selectors.EVENT_READ)

    def tell(self, **event: Any) -> None:
        os.write(self.events, json.dumps(event).encode() + b"\n")

    def serve(self) -> None:
        buffered = b""
        while True:
            ready = {key.fd for key, _ in self.selector.select()}
            if self.ended_in in ready:
                with suppress(BlockingIOError):
                    os.read(self.ended_in, 4096)
                self.reap()
            if self.orders in ready:
                received = os.read(self.orders, 65536)
                if not received:
                    break
                *lines, buffered = (buffered + received).split(b"\n")
                for line in lines:
                    self.obey(json.loads(line))
        for pid in self.workers:
            self.kill_all_of(pid)

    def obey(self, order: dict[str, Any]) -> None:
        if "run" in order:
            self.start(Task(**order["run"]))
            return
        for pid, identity in self.workers.items():
            if identity == order["stop"]:
                if order["kill"]:
                    self.kill_all_of(pid)
                else:
                    os.kill(pid, signal.SIGTERM)

    def start(self, task: Task) -> None:
        host = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._live_as_worker(host, task)
        with suppress(OSError):  # it may have done so itself, or have ended
            os.setpgid(pid, pid)  # a group of its own: whatever the run starts can be ended with it
        self.workers[pid] = task.identity

    def _live_as_worker(self, host: int, task: Task) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.selector.close()
            for descriptor in (self.orders, self.events, self.ended_in, self.ended_out):
                os.close(descriptor)
            os.setpgid(0, 0)
            die_with_parent(host)
            work(task, waiting=None if task.notice else Waiting.fork())
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    def reap(self) -> None:
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            self.kill_all_of(ended.si_pid)  # what the run left behind; the id is not reused before the next line
            _, status = os.waitpid(ended.si_pid, 0)
            identity = self.workers.pop(ended.si_pid)
            self.tell(ended=identity, code=os.waitstatus_to_exitcode(status))

    def kill_all_of(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
