"""Runs notebooks on processes elsewhere: each is one item of a job that is spread (see `workbench.research.spreading`).

A worker runs its notebook just as this machine does by itself (`execute`), with the time limit, the measured memory and
the page, and writes into the batch's folder, which it must see at the same path. What became of it comes back here, and
only this process records. A lost worker's notebook is run again; one that loses worker after worker has failed alone.
"""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from workbench.errors import RunError
from workbench.reporting.execute import Done, Started, clean_environment, run_notebooks
from workbench.reporting.job import NotebookJob, Outcome, Status
from workbench.reporting.leased import LeasedPool
from workbench.research.spreading import Place, spread

__all__ = ["run_notebooks_on"]


@dataclass(frozen=True, kw_only=True)
class _Shared:
    """What workers need to know; `lease` is a file that is there for as long as anybody wants the notebooks run."""

    jobs: tuple[NotebookJob, ...]
    workspace: Path
    lease: Path
    folder: Path


def run_notebooks_on(
    executor: Place,
    jobs: Sequence[NotebookJob],
    *,
    workspace: Path,
    folder: Path,
    on_start: Started | None = None,
    on_done: Done | None = None,
) -> list[Outcome]:
    """Run notebooks on an executor or a cluster.

    Parameters
    ----------
    executor : str, concurrent.futures.Executor or distributed.Client
        As `spread` takes it.
    jobs : sequence of NotebookJob
        As many run at a time as there are workers.
    workspace : Path
        Its root, for the notebooks.
    folder : Path
        Where the outputs go; it must exist, and every worker must see it at this path.
    on_start, on_done : callable, optional
        Called in this process for each job as it is done; that one has begun is not known before.

    Returns
    -------
    list of Outcome
        One per job, in the order of `jobs`. After Ctrl-C the rest is `cancelled`, and workers end what they run within
        a second or two.

    Raises
    ------
    RunError
        The cluster cannot be reached, or a worker does not see the folder.
    """
    outcomes: dict[int, Outcome] = {}

    def take(index: int, outcome: Outcome) -> None:
        outcomes[index] = outcome
        if on_start is not None and outcome.started is not None:
            on_start(outcome.job)
        if on_done is not None:
            on_done(outcome)

    with tempfile.NamedTemporaryFile(dir=folder, prefix=".running-") as lease:
        shared = _Shared(
            jobs=tuple(jobs), workspace=workspace.resolve(), lease=Path(lease.name).resolve(), folder=folder.resolve()
        )
        try:
            while len(outcomes) < len(jobs):
                done = [(index, index + 1) for index in outcomes]
                try:
                    for index, _, outcome in spread(_run_one, shared, len(jobs), executor=executor, most=1, done=done):
                        take(index, outcome)
                except RunError as error:
                    if "start" not in error.fields:  # not of one notebook
                        raise
                    index = error.fields["start"]
                    take(index, _without_run(jobs[index], "worker_died", str(error), datetime.now(UTC)))
        except KeyboardInterrupt:
            for index in set(range(len(jobs))) - set(outcomes):
                take(index, _without_run(jobs[index], "cancelled", "stopped by the user", None))
    return [outcomes[index] for index in range(len(jobs))]


def _without_run(job: NotebookJob, status: Status, message: str, started: datetime | None) -> Outcome:
    return Outcome(
        job=job,
        status=status,
        started=started,
        finished=datetime.now(UTC),
        duration_s=0.0,
        error_name="WorkerDied" if status == "worker_died" else "",
        error_message=message,
    )


def _run_one(shared: _Shared, start: int, stop: int) -> Outcome:
    """Run one notebook in the process of a worker."""
    if not shared.lease.is_file():
        raise RunError(
            f"the worker on {platform.node()} does not see {shared.folder}; the workers of a report need its workspace "
            "at the same path, on a disk that all share"
        )
    (outcome,) = run_notebooks(
        [shared.jobs[start]],
        workers=1,
        environment={**clean_environment(), "WORKBENCH_WORKSPACE": str(shared.workspace)},
        open_pool=partial(LeasedPool.open, shared.lease),
    )
    return outcome
