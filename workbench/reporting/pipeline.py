"""`run_report`: a report from its definition to its index page, and everything that can go wrong on the way.

The order is fixed: everything is checked (`plan`), a folder is made (`batch`), the notebooks run side by side
(`execute`), each is recorded in the run ledger by this process as it finishes (`recording`), the summary notebooks run,
the index is written (`index`) and `latest` points to it. A run that fails is a failure of that run alone. A batch that
was stopped, by Ctrl-C or by a power cut, is resumed from its plan and the ledger.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import ConfigError, DataError, RunError, WorkbenchError
from workbench.reporting.batch import Batch
from workbench.reporting.elsewhere import run_notebooks_on
from workbench.reporting.execute import NotebookJob, Outcome, clean_environment, run_notebooks
from workbench.reporting.index import Edition, write_index
from workbench.reporting.job import Page
from workbench.reporting.plan import Plan, PlannedRun, make_plan
from workbench.reporting.progress import Progress, SilentProgress
from workbench.reporting.recording import record_of
from workbench.research.ledger import Ledger
from workbench.research.run import Run
from workbench.research.spreading import Place, reached
from workbench.settings import Settings, load_settings
from workbench.strategy.loader import load_strategy
from workbench.strategy.versions import keep

__all__ = ["Report", "run_report"]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What an execution of a report came to.

    Parameters
    ----------
    name, batch : str
    folder, index : Path
        The batch's folder, and the page in it to start at.
    runs : tuple of Run
        What became of every run of the batch, in the order of the plan; also those that an earlier attempt finished.
    not_run : tuple of str
        Names of the runs that never started.
    repeated : int
        How many runs were started this time.
    interrupted : bool
        Whether the user stopped it.
    duration_s : float
        Of this attempt.
    """

    name: str
    batch: str
    folder: Path
    index: Path
    runs: tuple[Run, ...]
    not_run: tuple[str, ...] = ()
    repeated: int = 0
    interrupted: bool = False
    duration_s: float = 0.0

    @property
    def failures(self) -> tuple[Run, ...]:
        """The runs that started and did not succeed."""
        return tuple(run for run in self.runs if not run.succeeded)

    @property
    def failed(self) -> bool:
        """Whether anything that was planned is missing: what the exit code of a command says."""
        return bool(self.failures or self.not_run or self.interrupted)

    def __str__(self) -> str:
        total = len(self.runs) + len(self.not_run)
        good = sum(run.succeeded for run in self.runs)
        left = f", {len(self.not_run)} never started" if self.not_run else ""
        return f"report {self.name}: {good} of {total} runs succeeded{left}, {self.duration_s:.0f} s: {self.index}"


def run_report(
    name: str,
    *,
    settings: Settings | None = None,
    resume: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
    executor: Place = None,
) -> Report:
    """Run a report.

    Parameters
    ----------
    name : str
        Of `reports/NAME.toml`.
    settings : Settings, optional
        Of the workspace; the current one when left out.
    resume : bool, default False
        Take up the newest batch and run only what did not succeed in it.
    workers : int, optional
        Notebooks at the same time; as the definition, or else the settings say, when left out.
    progress : Progress, optional
        Told how it goes (`progress_on` chooses one for a stream); silent when left out.
    executor : str, concurrent.futures.Executor or distributed.Client, optional
        Where the notebooks run, as `workbench.research.spreading.spread` takes it, such as the address of a dask
        scheduler; its workers need the workspace at the same path. On this machine when left out.

    Returns
    -------
    Report
        Also when runs failed (`.failed`) or Ctrl-C stopped them (`.interrupted`).

    Raises
    ------
    ConfigError
        The definition is wrong, or changed since the batch that is to be resumed. Nothing was started.
    RunError
        The cluster cannot be reached; nothing was started. Or it could not be carried out to the end (the disk is full,
        another process runs the same batch); what was done before is recorded.
    """
    settings = load_settings() if settings is None else settings
    if workers is not None and workers < 1:
        raise ConfigError(f"workers is {workers}; at least one is needed to run notebooks", workers=workers)
    plan = make_plan(name, settings)
    with reached(executor) as place:
        if resume:
            batch = Batch.newest(name, settings)
            batch.require_plan(plan)
        else:
            batch = Batch.create(plan, settings)
        with batch.in_use():
            execution = _Execution(plan, batch, settings, workers or plan.workers, progress or SilentProgress())
            execution.executor = place
            return execution.run(resume)


class _Execution:
    """One attempt at one batch."""

    def __init__(self, plan: Plan, batch: Batch, settings: Settings, workers: int, progress: Progress) -> None:
        self.plan = plan
        self.batch = batch
        self.settings = settings
        self.workers = workers
        self.progress = progress
        self.ledger = Ledger(settings.ledger_root)
        self.planned = {run.name: run for run in plan.all}
        self.records: dict[str, Run] = {}
        self.repeated = 0
        self.interrupted = False
        self.executor: Place = None
        self.began = time.monotonic()

    def run(self, resume: bool) -> Report:
        """Carry out what is left to do, and write the index whatever happens on the way."""
        if resume:
            self._remember()
        waiting = [run for run in self.plan.runs if run.name not in self.records]
        last = [run for run in self.plan.summary if waiting or run.name not in self.records]
        for run in last:
            self.records.pop(run.name, None)
        for strategy in {run.strategy: run for run in waiting}.values():
            self._keep_version(strategy)
        self.progress.begin(len(self.planned), len(self.records))
        try:
            try:
                self._execute(waiting)
                if not self.interrupted:
                    self._execute(last)
            except KeyboardInterrupt:
                self.interrupted = True
            self._publish()
        except (DataError, RunError, OSError) as error:
            raise self._cut_short(error) from error
        finally:
            self.progress.end()
        return self._report()

    def _remember(self) -> None:
        """Take over what earlier attempts at this batch have finished and what still has its page."""
        for record in self.ledger.records(self.batch.report, self.batch.id, attempts="last"):
            if record.succeeded and record.name in self.planned and self.batch.page(record.name).is_file():
                self.records[record.name] = record

    def _execute(self, runs: Sequence[PlannedRun]) -> None:
        if not runs:
            return
        jobs = [self._job(run) for run in runs]
        if self.executor is None:
            outcomes = run_notebooks(
                jobs,
                workers=self.workers,
                on_start=self._started,
                on_done=self._done,
                environment={**clean_environment(), "WORKBENCH_WORKSPACE": str(self.settings.root)},
            )
        else:
            outcomes = run_notebooks_on(
                self.executor,
                jobs,
                workspace=self.settings.root,
                folder=self.batch.folder,
                on_start=self._started,
                on_done=self._done,
            )
        self.interrupted = any(outcome.status == "cancelled" for outcome in outcomes)

    def _job(self, run: PlannedRun) -> NotebookJob:
        asks_for_batch = run in self.plan.summary and "batch" in run.inputs and "batch" not in run.given
        return NotebookJob(
            name=run.name,
            notebook=run.path,
            output=self.batch.notebook(run.name),
            parameters={**run.given, "batch": self.batch.id} if asks_for_batch else run.given,
            timeout_s=self.plan.timeout_s,
            html=self.batch.page(run.name),
            page=Page(
                title=run.label,
                kicker=f"{self.plan.title}, {self.batch.started.day} {self.batch.started:%B %Y}",
                facts=tuple(_facts(run)),
                home="../index.html",
            ),
        )

    def _started(self, job: NotebookJob) -> None:
        self.repeated += 1
        self.progress.started(self.planned[job.name].label)

    def _done(self, outcome: Outcome) -> None:
        """Record a run that is over; one that never began leaves no trace, and is not run yet."""
        if outcome.started is None and outcome.status == "cancelled":
            return
        planned = self.planned[outcome.job.name]
        record = record_of(planned, outcome, self.batch, self.settings.reports)
        self.ledger.append(record)
        self._keep_version(planned)
        self.records[planned.name] = record
        self.progress.finished(planned.label, record.status, record.duration_s, _reason(record))

    def _keep_version(self, planned: PlannedRun) -> None:
        """Keep what the strategy's file holds, so that the code hash of the record can be found again."""
        if planned.strategy is None:
            return
        try:
            keep(load_strategy(planned.strategy, settings=self.settings), self.settings)
        except WorkbenchError as error:  # the run is over and recorded; that its source is not kept is told
            warnings.warn(f"the version of {planned.strategy} was not kept: {error}", stacklevel=2)

    def _publish(self) -> None:
        self._write_index()
        self.batch.point_latest_here()
        self.batch.prune_others(self.plan.keep, self.settings)

    def _write_index(self) -> None:
        edition = Edition(
            plan=self.plan,
            batch=self.batch,
            runs=self._in_order(),
            not_run=self._not_run(),
            interrupted=self.interrupted,
            duration_s=time.monotonic() - self.began if self.repeated else 0.0,
        )
        write_index(edition, self.settings)

    def _cut_short(self, error: Exception) -> RunError:
        """Say what is kept of a batch that cannot go on, with an index of it if one can still be written."""
        with suppress(OSError, DataError, RunError):
            self._write_index()
        done = sum(record.succeeded for record in self.records.values())
        return RunError(
            f"report {self.plan.report!r} could not be finished: {error}. {done} of {len(self.planned)} runs succeeded "
            f"and are kept in {self.batch.folder}; when the cause is mended, `workbench report run {self.plan.report} "
            "--resume` runs the others",
            report=self.plan.report,
            batch=self.batch.id,
            done=done,
        )

    def _in_order(self) -> list[Run]:
        return [self.records[name] for name in self.planned if name in self.records]

    def _not_run(self) -> list[PlannedRun]:
        return [run for name, run in self.planned.items() if name not in self.records]

    def _report(self) -> Report:
        return Report(
            name=self.plan.report,
            batch=self.batch.id,
            folder=self.batch.folder,
            index=self.batch.index,
            runs=tuple(self._in_order()),
            not_run=tuple(run.name for run in self._not_run()),
            repeated=self.repeated,
            interrupted=self.interrupted,
            duration_s=time.monotonic() - self.began,
        )


def _reason(record: Run) -> str:
    """Say why a run did not succeed; of an error that its notebook raised, the class goes before the message."""
    if record.status == "failed" and record.exit_cause not in ("", record.status):
        return f"{record.exit_cause}: {record.error}"
    return record.error


def _facts(run: PlannedRun) -> Iterable[tuple[str, str]]:
    if run.strategy:
        yield "Strategy", run.strategy
    if run.series is not None:
        yield "Market", f"{run.series.symbol}, {run.series.venue}"
        yield "Bars", run.series.timeframe
    shown: dict[str, Any] = dict(run.strategy_parameters)
    if shown:
        yield "Parameters", ", ".join(f"{name} {value}" for name, value in shown.items())
