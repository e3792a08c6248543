"""Telling people how a report is coming along: a bar on a terminal, a line a run in a log.

The pipeline knows only the protocol `Progress`; `progress_on` chooses what fits a stream.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, Protocol, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar

__all__ = ["BarProgress", "PlainProgress", "Progress", "SilentProgress", "progress_on"]

_WORDS: Final = {
    "succeeded": "succeeded",
    "failed": "failed",
    "timed_out": "timed out",
    "kernel_died": "kernel died",
    "worker_died": "worker died",
    "cancelled": "cancelled",
}


class Progress(Protocol):
    """What the pipeline tells, in this order: `begin`, then `started` and `finished` for each run, then `end`."""

    def begin(self, total: int, done: int) -> None:
        """So many runs belong to the batch, and so many of them were done before."""

    def started(self, label: str) -> None:
        """A run has begun."""

    def finished(self, label: str, status: str, duration_s: float, reason: str) -> None:
        """A run is over; the reason is empty when it succeeded."""

    def end(self) -> None:
        """Nothing more comes."""


class SilentProgress:
    """Says nothing."""

    def begin(self, total: int, done: int) -> None:
        """See `Progress`."""

    def started(self, label: str) -> None:
        """See `Progress`."""

    def finished(self, label: str, status: str, duration_s: float, reason: str) -> None:
        """See `Progress`."""

    def end(self) -> None:
        """See `Progress`."""


class PlainProgress:
    """One line a run: `[ 7/24] sma_cross BTC/USDT 1h  succeeded  1.2 s`.

    Parameters
    ----------
    stream : text stream
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._total = self._done = 0

    def begin(self, total: int, done: int) -> None:
        """See `Progress`."""
        self._total, self._done = total, done
        if done:
            print(
                f"{done} of {total} runs succeeded before; running the other {total - done}",
                file=self._stream,
                flush=True,
            )

    def started(self, label: str) -> None:
        """See `Progress`."""

    def finished(self, label: str, status: str, duration_s: float, reason: str) -> None:
        """See `Progress`."""
        self._done += 1
        count = f"[{self._done:>{len(str(self._total))}}/{self._total}]"
        print(f"{count} {_line(label, status, duration_s, reason)}", file=self._stream, flush=True)

    def end(self) -> None:
        """See `Progress`."""


class BarProgress:
    """A bar with the runs under way, the time left, and a line above it for each run that fails.

    Parameters
    ----------
    console : rich.console.Console
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Bar | None = None
        self._task: Any = None
        self._running: list[str] = []

    def begin(self, total: int, done: int) -> None:
        """See `Progress`."""
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            speed_estimate_period=120.0,
        )
        self._task = self._bar.add_task("", total=total, completed=done)
        self._bar.start()

    def started(self, label: str) -> None:
        """See `Progress`."""
        self._running.append(label)
        self._show(0)

    def finished(self, label: str, status: str, duration_s: float, reason: str) -> None:
        """See `Progress`."""
        if label in self._running:
            self._running.remove(label)
        if status != "succeeded":
            self._console.print(_line(label, status, duration_s, reason), style="red", markup=False, highlight=False)
        self._show(1)

    def _show(self, advance: int) -> None:
        if self._bar is not None:
            self._bar.update(self._task, advance=advance, description=", ".join(self._running))

    def end(self) -> None:
        """See `Progress`."""
        if self._bar is not None:
            self._bar.update(self._task, description="")
            self._bar.stop()


def progress_on(stream: TextIO | None = None) -> Progress:
    """Choose how to tell on a stream, stderr when left out: a bar on a terminal, plain lines elsewhere."""
    stream = stream or sys.stderr
    if not stream.isatty():
        return PlainProgress(stream)
    from rich.console import Console

    return BarProgress(Console(file=stream))


def _line(label: str, status: str, duration_s: float, reason: str) -> str:
    words = f"{label}  {_WORDS.get(status, status)}  {duration_s:.1f} s"
    return f"{words}  {reason.splitlines()[0][:200]}" if reason.strip() else words
