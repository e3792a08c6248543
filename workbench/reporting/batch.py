"""The folder of one execution of a report: its plan, pages and notebooks; finding, resuming and pruning such folders.

    reports/output/NAME/latest              the id of the newest finished batch, a line of text
    reports/output/NAME/latest.html         leads to its index
    reports/output/NAME/BATCH/plan.json     what was to be run, written before anything starts
    reports/output/NAME/BATCH/index.html
    reports/output/NAME/BATCH/pages/RUN.html
    reports/output/NAME/BATCH/notebooks/RUN.ipynb

What became of the runs is not here but in the run ledger.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Final

from workbench.errors import ConfigError, RunError
from workbench.reporting.plan import Plan
from workbench.settings import Settings

__all__ = ["Batch", "ReportInfo", "latest_index", "list_reports", "output_folder", "write_whole"]

_ID: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(-\d+)?")
_PLAN: Final = "plan.json"
_FORMAT: Final = 1


@dataclass(frozen=True)
class Batch:
    """One execution of a report.

    Parameters
    ----------
    report, id : str
        The id is the moment in UTC when it was made; ids sort by time.
    folder : Path
    """

    report: str
    id: str
    folder: Path

    @property
    def index(self) -> Path:
        """The page to start at."""
        return self.folder / "index.html"

    def page(self, name: str) -> Path:
        """Where the page of a run goes."""
        return self.folder / "pages" / f"{name}.html"

    def notebook(self, name: str) -> Path:
        """Where the executed notebook of a run goes."""
        return self.folder / "notebooks" / f"{name}.ipynb"

    @property
    def started(self) -> datetime:
        """When it was made, UTC."""
        return datetime.strptime(self.id[:20], "%Y-%m-%dT%H-%M-%SZ").replace(tzinfo=UTC)

    @classmethod
    def create(cls, plan: Plan, settings: Settings) -> Batch:
        """Make the folder of a new batch and write the plan into it.

        Raises
        ------
        RunError
            The folder cannot be written.
        """
        parent = output_folder(plan.report, settings)
        stamp = f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"
        content = {"format": _FORMAT, "report": plan.report, "runs": plan.identity}
        try:
            parent.mkdir(parents=True, exist_ok=True)
            batch = _first_free(plan.report, stamp, parent)
            write_whole(batch.folder / _PLAN, json.dumps(content, indent=1, ensure_ascii=False))
        except OSError as error:
            raise RunError(
                f"the folder of the report, {parent}, cannot be written: {error.strerror or error}; free some space or "
                "check who may write there. Nothing was started",
                path=str(parent),
            ) from error
        return batch

    @classmethod
    def newest(cls, report: str, settings: Settings) -> Batch:
        """Give the newest batch of a report, whether or not it was finished.

        Raises
        ------
        ConfigError
            There is none.
        """
        found = batches(report, settings)
        if not found:
            raise ConfigError(
                f"report {report!r} has no batch to resume in {output_folder(report, settings)}; run it without "
                "--resume",
                report=report,
            )
        return found[0]

    def require_plan(self, plan: Plan) -> None:
        """Make sure that the batch was started on the same plan.

        Raises
        ------
        ConfigError
            The definition has changed since; the message says how.
        """
        try:
            was = {run["name"]: run for run in json.loads((self.folder / _PLAN).read_text(encoding="utf-8"))["runs"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(
                f"batch {self.id} cannot be resumed: {self.folder / _PLAN} cannot be read ({error}); start a new one "
                "without --resume"
            ) from error
        now: dict[str, Any] = {run["name"]: run for run in json.loads(json.dumps(plan.identity))}
        if was == now:
            return
        changes = {
            "added": [name for name in now if name not in was],
            "removed": [name for name in was if name not in now],
            "changed": [name for name in now if name in was and was[name] != now[name]],
        }
        said = "; ".join(f"{len(names)} {what} ({_some(names)})" for what, names in changes.items() if names)
        raise ConfigError(
            f"{plan.path} has changed since batch {self.id} was started: {said}. Start a new batch without --resume, "
            "or put the file back",
            batch=self.id,
            **changes,
        )

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep other processes from running or deleting the batch; the claim ends with this process.

        Raises
        ------
        RunError
            Another process is running it.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / ".lock", timeout=0, fallback_to_soft=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise RunError(
                f"batch {self.id} of report {self.report!r} is being run by another process; wait for it, or stop it",
                batch=self.id,
            ) from error
        try:
            yield
        finally:
            lock.release()

    def point_latest_here(self) -> None:
        """Make this the batch that `latest` leads to."""
        target = f"{self.id}/index.html"
        page = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(self.report)}</title>'
            f'<meta http-equiv="refresh" content="0; url={target}"><a href="{target}">{self.id}</a>'
        )
        write_whole(self.folder.parent / "latest.html", page)
        write_whole(self.folder.parent / "latest", f"{self.id}\n")

    def prune_others(self, keep: int, settings: Settings) -> list[str]:
        """Delete the oldest batches of the report beyond so many, never this one nor one that is in use.

        Returns
        -------
        list of str
            Ids of the deleted.
        """
        gone = []
        for old in batches(self.report, settings)[keep:]:
            if old.id == self.id or old.folder.is_symlink():
                continue
            with suppress(OSError, RunError):
                # out of sight first: a folder half deleted must not pass for a batch
                doomed = old.folder.with_name(f".deleted-{old.id}")
                with old.in_use():
                    os.replace(old.folder, doomed)
                shutil.rmtree(doomed)
                gone.append(old.id)
        return gone


def _first_free(report: str, stamp: str, parent: Path) -> Batch:
    """Make the folder of a new batch; a second one of the same second gets a number."""
    for number in itertools.count(1):
        name = stamp if number == 1 else f"{stamp}-{number}"
        with suppress(FileExistsError):
            (parent / name).mkdir()
            break
    return Batch(report, name, parent / name)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def output_folder(report: str, settings: Settings) -> Path:
    """Give the folder of all batches of a report."""
    return settings.reports / "output" / report


def batches(report: str, settings: Settings) -> list[Batch]:
    """List the batches of a report that have a plan, newest first."""
    parent = output_folder(report, settings)
    found = [
        Batch(report, folder.name, folder)
        for folder in parent.glob("*Z*")
        if _ID.fullmatch(folder.name) and (folder / _PLAN).is_file()
    ]
    return sorted(found, key=lambda batch: (batch.id[:20], int(batch.id[21:] or 1)), reverse=True)


def latest_index(report: str, settings: Settings) -> Path | None:
    """Give the index page of the batch that a report finished last; None where there is none."""
    try:
        name = (output_folder(report, settings) / "latest").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    index = output_folder(report, settings) / name / "index.html"
    return index if _ID.fullmatch(name) and index.is_file() else None


@dataclass(frozen=True)
class ReportInfo:
    """One report of a workspace: its name, its definition, how many batches it has and the index of the latest."""

    name: str
    path: Path
    batches: int
    latest: Path | None


def list_reports(settings: Settings) -> list[ReportInfo]:
    """List the reports that are defined in a workspace, by name."""
    return [
        ReportInfo(path.stem, path, len(batches(path.stem, settings)), latest_index(path.stem, settings))
        for path in sorted(settings.reports.glob("*.toml"))
    ]


def write_whole(path: Path, text: str) -> None:
    """Write a text file that appears whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
