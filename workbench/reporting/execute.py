"""Runs notebooks through papermill, several at a time, each in processes of its own, and says what became of each.

The parent (this module) starts, limits, stops and judges; it never executes a notebook itself, and it takes a run's
status from the worker's report and exit code, never from the notebook. Nothing is printed: callbacks tell.

On Linux the workers are forks of a host process that has imported everything (`host`, `kernels`), which makes a run
several times faster. Elsewhere, or with `warm=False`, each run starts its worker and kernel afresh; the answers are
the same.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from workbench.errors import ConfigError
from workbench.reporting.job import NotebookJob, Notice, Outcome
from workbench.reporting.parameters import check_parameters
from workbench.reporting.pool import ColdPool, Ended, Pool, WarmPool, last_words
from workbench.reporting.worker import Report, Task

__all__ = ["NotebookJob", "Outcome", "clean_environment", "run_notebooks"]

_GRACE_S: Final = 20.0  # for a worker that was told to stop: to kill its kernel and still make the page
_RENDER_S: Final = 60.0  # for making the page of a run whose worker is dead
_LOST_POOLS: Final = 3  # after that many it is not worth starting another

_SECRET = re.compile(
    r"secret|token|passw|passphrase|credential|private|api_?key|access_?key|_key$|_auth$|_pat$", re.IGNORECASE
)
_URL_WITH_PASSWORD = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
# Of the process that starts the runs, and wrong in theirs.
_NOT_INHERITED = re.compile(r"^(JPY_|PYTEST_|COV_)|^PYTHON(WARNINGS|STARTUP|INSPECT)$|^MPLBACKEND$")
_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Started = Callable[[NotebookJob], None]
Done = Callable[[Outcome], None]
OpenPool = Callable[[Mapping[str, str], Path], Pool]


def clean_environment(keep: Iterable[str] = ()) -> dict[str, str]:
    """Give the environment variables that notebooks get: those of this process without secrets.

    A notebook's outputs are kept and shown, so a key must not be one `os.environ` away from them. Left out are
    variables whose name looks like a secret (`BINANCE_API_KEY`, `DB_PASSWORD`) or whose value is a URL with a password.

    Parameters
    ----------
    keep : iterable of str
        Names to keep nevertheless, such as `AWS_SECRET_ACCESS_KEY` for a lake on object storage.
    """
    kept = frozenset(keep)
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in kept or not (_SECRET.search(name) or _URL_WITH_PASSWORD.search(value) or _NOT_INHERITED.search(name))
    }
    for name in _ONE_THREAD:  # runs share the processors; threads inside each would only get in each other's way
        environment.setdefault(name, "1")
    return environment


def run_notebooks(
    jobs: Sequence[NotebookJob],
    *,
    workers: int = 2,
    on_start: Started | None = None,
    on_done: Done | None = None,
    environment: Mapping[str, str] | None = None,
    warm: bool | None = None,
    open_pool: OpenPool | None = None,
) -> list[Outcome]:
    """Run notebooks and make their pages.

    Parameters
    ----------
    jobs : sequence of NotebookJob
    workers : int
        How many run at the same time.
    on_start, on_done : callable, optional
        Called in this process as a job starts and as it is done.
    environment : mapping of str to str, optional
        The environment variables of the notebooks; `clean_environment()` when left out.
    warm : bool, optional
        Whether to fork workers from a process that has everything imported; where possible when left out.
    open_pool : callable, optional
        Makes the pool of workers from the environment and the file for their stderr, in place of what `warm` says.

    Returns
    -------
    list of Outcome
        One per job, in the order of `jobs`. After Ctrl-C the rest is `cancelled`; what was done before is kept.

    Raises
    ------
    ConfigError
        A job is wrong (parameters, a missing notebook, a name or file used twice); nothing was started.
    RunError
        The workers cannot be started at all.
    """
    if workers < 1:
        raise ConfigError(f"workers is {workers}; at least one is needed to run notebooks", workers=workers)
    checked = [(job, check_parameters(job.notebook, job.parameters)) for job in jobs]
    _require_distinct(jobs)
    if not jobs:
        return []
    with tempfile.TemporaryDirectory(prefix="workbench-", ignore_cleanup_errors=True) as scratch:
        runs = [_Run(job, _task(job, index, given, Path(scratch))) for index, (job, given) in enumerate(checked)]
        log = Path(scratch) / "stderr.log"
        warm = sys.platform.startswith("linux") if warm is None else warm
        pool = open_pool or (WarmPool if warm else ColdPool)
        variables = clean_environment() if environment is None else environment
        _Session(runs, workers, on_start, on_done).run(lambda: pool(variables, log), log)
        return [run.outcome for run in runs if run.outcome is not None]


def _require_distinct(jobs: Sequence[NotebookJob]) -> None:
    seen: dict[object, str] = {}
    for job in jobs:
        if job.timeout_s <= 0:
            raise ConfigError(f"job {job.name!r}: timeout_s is {job.timeout_s:g}; give a positive number of seconds")
        files = [path.resolve() for path in (job.output, job.html) if path is not None]
        if job.notebook.resolve() in files:
            raise ConfigError(f"job {job.name!r}: it would overwrite its own source {job.notebook}; change the output")
        for key in (job.name, *files):
            if key in seen:
                raise ConfigError(
                    f"jobs {seen[key]!r} and {job.name!r} both use {str(key)!r}; names and files must differ"
                )
            seen[key] = job.name


def _task(job: NotebookJob, index: int, parameters: dict[str, Any], scratch: Path) -> Task:
    own = scratch / str(index)
    own.mkdir()
    for path in (job.output, job.html):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
    return Task(
        identity=str(index),
        scratch=str(own),
        notebook=str(job.notebook.resolve()),
        output=str(job.output.resolve()),
        folder=str((job.folder or job.notebook.parent).resolve()),
        html=None if job.html is None else str(job.html.resolve()),
        parameters=parameters,
        timeout_s=job.timeout_s,
        page=asdict(job.page),
    )


@dataclass
class _Run:
    """A job on its way."""

    job: NotebookJob
    task: Task
    phase: Literal["waiting", "running", "stopping", "killed"] = "waiting"
    deadline: float = 0.0
    started: datetime | None = None
    began: float = 0.0
    finished: datetime | None = None
    duration_s: float = 0.0
    verdict: Report | None = None  # of a dead worker's run, while another one makes its page
    outcome: Outcome | None = None

    @property
    def identity(self) -> str:
        return self.task.identity

    def finish(self) -> datetime:
        """Stop the clock, the first time."""
        if self.finished is None:
            self.finished = datetime.now(UTC)
            self.duration_s = time.monotonic() - self.began if self.started else 0.0
        return self.finished


class _Session:
    """The loop of the parent: starts what may start, waits, ends what takes too long, judges what has ended."""

    def __init__(self, runs: Sequence[_Run], workers: int, on_start: Started | None, on_done: Done | None) -> None:
        self.waiting = deque(runs)
        self.running: dict[str, _Run] = {}
        self.workers = workers
        self.on_start = on_start
        self.on_done = on_done

    def run(self, open_pool: Callable[[], Pool], log: Path) -> None:
        try:
            for _ in range(_LOST_POOLS):
                pool = open_pool()
                try:
                    lost = self._use(pool, log)
                finally:
                    pool.close()
                if not lost:
                    return
                for run in list(self.running.values()):
                    self._without_report(run, f"the process that runs notebooks is gone: {last_words(log)}")
            for run in list(self.waiting):
                self._conclude(run, run.verdict or _died("the process that runs notebooks does not stay alive"))
        except KeyboardInterrupt:
            for run in [*self.running.values(), *self.waiting]:
                self._conclude(run, run.verdict or Report(status="cancelled", error_message="stopped by the user"))

    def _use(self, pool: Pool, log: Path) -> bool:
        """Go on until everything is done (False) or the pool is gone (True)."""
        while self.waiting or self.running:
            while self.waiting and len(self.running) < self.workers:
                self._start(self.waiting.popleft(), pool)
            nearest = min(run.deadline for run in self.running.values())
            event = pool.wait(max(0.0, nearest - time.monotonic()))
            if event == "lost":
                return True
            if isinstance(event, Ended):
                self._ended(event, log)
            self._enforce_limits(pool)
        return False

    def _start(self, run: _Run, pool: Pool) -> None:
        now = time.monotonic()
        run.phase = "running"
        run.deadline = now + (run.job.timeout_s if run.verdict is None else _RENDER_S)
        self.running[run.identity] = run
        if run.verdict is None:
            run.started, run.began = datetime.now(UTC), now
            for path in (run.job.output, run.job.html):
                if path is not None:
                    path.unlink(missing_ok=True)  # what an earlier run left must not pass for this one's
            if self.on_start is not None:
                self.on_start(run.job)
        pool.start(run.task)

    def _enforce_limits(self, pool: Pool) -> None:
        now = time.monotonic()
        for run in self.running.values():
            if now < run.deadline:
                continue
            gently = run.phase == "running" and run.verdict is None
            run.phase = "stopping" if gently else "killed"
            run.deadline = now + _GRACE_S
            pool.stop(run.identity, kill=not gently)

    def _ended(self, event: Ended, log: Path) -> None:
        run = self.running[event.identity]
        path = Path(run.task.scratch) / "report.json"
        report = Report(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
        if run.verdict is not None:
            self._conclude(run, run.verdict, page=report)
        elif report is not None:
            self._conclude(run, report)
        else:
            self._without_report(run, f"the worker process {_how(event.code)}{_quoted(event.code, log)}")

    def _without_report(self, run: _Run, message: str) -> None:
        """Judge a run whose worker is dead, and have another worker make the page of what is on disk."""
        if run.verdict is not None:
            self._conclude(run, run.verdict)
            return
        if run.phase in ("stopping", "killed"):
            run.verdict = Report()
            run.verdict.failed("timed_out", "TimedOut", f"stopped at its limit of {run.job.timeout_s:g} s")
        else:
            run.verdict = _died(message)
        run.finish()
        if run.job.html is None:
            self._conclude(run, run.verdict)
            return
        notice = Notice(status=run.verdict.status, message=run.verdict.error_message)
        run.task = replace(run.task, notice=asdict(notice))
        del self.running[run.identity]
        self.waiting.appendleft(run)

    def _conclude(self, run: _Run, verdict: Report, *, page: Report | None = None) -> None:
        self.running.pop(run.identity, None)
        page = page or verdict
        run.outcome = Outcome(
            job=run.job,
            status=verdict.status,
            started=run.started,
            finished=run.finish(),
            duration_s=run.duration_s,
            peak_memory_bytes=verdict.peak_memory_bytes,
            error_name=verdict.error_name,
            error_message=verdict.error_message,
            traceback=verdict.traceback,
            results=page.results or {},
            html=run.job.html if page.rendered else None,
        )
        if self.on_done is not None:
            self.on_done(run.outcome)


def _died(message: str) -> Report:
    report = Report()
    report.failed("worker_died", "WorkerDied", message)
    return report


def _how(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code} without a report"


def _quoted(code: int, log: Path) -> str:
    words = last_words(log) if code > 0 else ""
    return f": {words}" if words else ""
