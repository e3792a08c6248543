"""Telling how a download is coming along: a bar with the time left on a terminal, else a line every few seconds."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final, Protocol, TextIO

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["DownloadProgress", "SilentProgress", "progress_on"]

_EVERY_S: Final = 5.0


class DownloadProgress(Protocol):
    """What a download tells, in this order: `begin`, then `advanced` and `failed` as they happen, then `end`."""

    def begin(self, total: float, series: int) -> None:
        """So much is to be asked for, in any unit, of so many series."""

    def advanced(self, amount: float, rows: int, label: str) -> None:
        """A page came."""

    def failed(self, label: str, reason: str) -> None:
        """A series was given up."""

    def end(self) -> None:
        """Nothing more comes."""


class SilentProgress:
    """Says nothing."""

    def begin(self, total: float, series: int) -> None:
        """See `DownloadProgress`."""

    def advanced(self, amount: float, rows: int, label: str) -> None:
        """See `DownloadProgress`."""

    def failed(self, label: str, reason: str) -> None:
        """See `DownloadProgress`."""

    def end(self) -> None:
        """See `DownloadProgress`."""


class PlainProgress:
    """A line every few seconds: `34 %, 1,234,000 rows, 1 min 20 s left`.

    Parameters
    ----------
    stream : text stream
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._total = self._done = 0.0
        self._rows = 0
        self._began = self._said = time.monotonic()

    def begin(self, total: float, series: int) -> None:
        """See `DownloadProgress`."""
        self._total, self._began = total, time.monotonic()
        self._said = self._began
        if total:
            self._print(f"asking for what is missing of {series} series")

    def advanced(self, amount: float, rows: int, label: str) -> None:
        """See `DownloadProgress`."""
        self._done, self._rows = self._done + amount, self._rows + rows
        now = time.monotonic()
        if now - self._said >= _EVERY_S and self._done > 0:
            self._said = now
            left_s = (now - self._began) * max(0.0, self._total / self._done - 1.0)
            self._print(f"{100 * self._done / self._total:3.0f} %, {self._rows:,} rows, {_spoken(left_s)} left")

    def failed(self, label: str, reason: str) -> None:
        """See `DownloadProgress`."""
        self._print(f"{label}: {reason}")

    def end(self) -> None:
        """See `DownloadProgress`."""

    def _print(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


class BarProgress:
    """A bar with the rows so far and the time left.

    Parameters
    ----------
    console : rich.console.Console
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Any = None
        self._task: Any = None
        self._rows = 0

    def begin(self, total: float, series: int) -> None:
        """See `DownloadProgress`."""
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        if not total:
            return
        self._bar = Progress(
            BarColumn(bar_width=28),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            speed_estimate_period=60.0,
        )
        self._task = self._bar.add_task("", total=total)
        self._bar.start()

    def advanced(self, amount: float, rows: int, label: str) -> None:
        """See `DownloadProgress`."""
        self._rows += rows
        if self._bar is not None:
            self._bar.update(self._task, advance=amount, description=f"{self._rows:,} rows, {label}")

    def failed(self, label: str, reason: str) -> None:
        """See `DownloadProgress`."""
        self._console.print(f"{label}: {reason}", style="red", markup=False, highlight=False)

    def end(self) -> None:
        """See `DownloadProgress`."""
        if self._bar is not None:
            self._bar.update(self._task, description=f"{self._rows:,} rows")
            self._bar.stop()


def progress_on(stream: TextIO | None = None) -> DownloadProgress:
    """Choose how to tell on a stream, stderr when left out."""
    stream = stream or sys.stderr
    if not stream.isatty():
        return PlainProgress(stream)
    from rich.console import Console

    return BarProgress(Console(file=stream))


def _spoken(seconds: float) -> str:
    whole = round(seconds)
    hours, minutes = whole // 3_600, whole % 3_600 // 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"
