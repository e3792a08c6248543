"""What is to be run, how its page is to look, and what became of it: plain data, passed between processes as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from workbench.reporting.results import Value

__all__ = ["NotebookJob", "Notice", "Outcome", "Page", "Status"]

Status = Literal["succeeded", "failed", "timed_out", "kernel_died", "worker_died", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class Page:
    """What stands around a notebook on its page.

    Parameters
    ----------
    title : str, optional
        The heading; the notebook's own first heading when left out, else that one becomes the line above it.
    kicker : str, optional
        The small line above the heading.
    facts : sequence of (str, str)
        Label and value pairs shown below the heading, such as `("Symbol", "BTC/USDT")`.
    home : str, optional
        Where the link back leads, relative to the page, such as `"index.html"`.
    """

    title: str | None = None
    kicker: str | None = None
    facts: tuple[tuple[str, str], ...] = ()
    home: str | None = None


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What went wrong, at the top of a page.

    Parameters
    ----------
    status : str
    message : str
        One sentence.
    traceback : str, optional
        Plain text or with ANSI colours.
    cell : int, optional
        Index of the cell it happened in; the page links to it.
    """

    status: Status
    message: str
    traceback: str = ""
    cell: int | None = None


@dataclass(frozen=True, kw_only=True)
class NotebookJob:
    """One notebook to run with papermill.

    Parameters
    ----------
    name : str
        Unique among the jobs run together.
    notebook, output : Path
        The source (`.ipynb`), and where the executed copy goes. Missing folders are made.
    parameters : mapping of str to object
        Plain data; checked against the notebook before anything starts.
    timeout_s : float
        Limit in seconds for the whole run, from the start of its worker.
    html : Path, optional
        Where its page goes; no page when left out.
    page : Page
    folder : Path, optional
        Working directory of the kernel; the notebook's own folder when left out.
    """

    name: str
    notebook: Path
    output: Path
    parameters: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float = 600.0
    html: Path | None = None
    page: Page = Page()
    folder: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a job, as its parent process saw it. The notebook itself does not know when its kernel died.

    Parameters
    ----------
    job : NotebookJob
    status : str
        `succeeded`; `failed` (a cell raised, or the page could not be made); `timed_out`; `kernel_died`;
        `worker_died` (the process around the kernel); `cancelled` (never started, or stopped by the user).
    started, finished : datetime
        UTC; `started` is None when it never started.
    duration_s : float
    peak_memory_bytes : int, optional
        The largest resident memory of the kernel; None when nothing could measure it.
    error_name, error_message : str
        The exception's class and text; empty when it succeeded.
    traceback : str
        Without colour codes.
    results : mapping of str to number, text, bool or None
        What the notebook recorded, also when it failed later.
    html : Path, optional
        The page, if one was written.
    """

    job: NotebookJob
    status: Status
    started: dt.datetime | None
    finished: dt.datetime
    duration_s: float
    peak_memory_bytes: int | None = None
    error_name: str = ""
    error_message: str = ""
    traceback: str = ""
    results: Mapping[str, Value] = field(default_factory=dict)
    html: Path | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the notebook ran to its end and its page is there."""
        return self.status == "succeeded"
