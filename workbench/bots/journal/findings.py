"""What reading a journal gives: pages of the log, sessions, snapshots, and what a check of it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["LogLine", "LogPage", "Session", "Snapshot", "Verification"]


class LogLine(NamedTuple):
    """A line of the log: `ts` is when it happened, `recorded` when it was written (ms UTC); `fields` facts as data."""

    position: int
    ts: int
    recorded: int
    session: int
    level: str
    category: str
    text: str
    fields: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class LogPage:
    """A page of the log, newest first.

    Parameters
    ----------
    lines : tuple of LogLine
    page, pages : int
        Which one it is, from 1, and how many there are.
    total : int
        Lines on all pages.
    """

    lines: tuple[LogLine, ...]
    page: int
    pages: int
    total: int


class Session(NamedTuple):
    """One process that ran the bot; `ended` is None and `reason` empty where it was broken off or still runs."""

    number: int
    began: int
    ended: int | None
    reason: str
    details: dict[str, Any]


class Snapshot(NamedTuple):
    """The state of a core after the entry at a position."""

    position: int
    recorded: int
    data: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What a check of a journal found.

    Parameters
    ----------
    name : str
    first, last : int
        Places of the entries that there must be.
    fault : str
        `""`, or the first thing that is wrong: "changed", "missing", "swapped", "appended" or "cut"; "unreadable" where
        it cannot be read at all.
    position : int or None
        Its place.
    text : str
        The same in words.
    """

    name: str
    first: int
    last: int
    fault: str = ""
    position: int | None = None
    text: str = ""

    @property
    def ok(self) -> bool:
        """Whether every entry is as it was written, in its place, and none is missing or came from elsewhere."""
        return not self.fault

    def __str__(self) -> str:
        if self.fault == "unreadable":
            return f"journal {self.name!r} cannot be read: {self.text}"
        if not self.ok:
            return f"journal {self.name!r} is not as it was written: {self.text}"
        return f"journal {self.name!r} is whole: {self.last - self.first + 1:,} entries"
