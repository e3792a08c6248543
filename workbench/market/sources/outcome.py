"""What a download, a fill or a verification did, series by series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from workbench.market.bars import moment

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DownloadReport", "Outcome", "Revision", "VerifyReport"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What happened to one series.

    Parameters
    ----------
    series : str
        What it is, in words.
    venue, symbol, what : str
    timeframe : str
        Empty where it is no series of bars.
    added, identical : int
        Rows that are new in the lake, and that it had; of markets and tiers the symbols that are new or have changed.
    conflicts : int
        Rows that the venue now gives otherwise; the lake keeps what it had. `verify` shows them.
    empty : int
        Bars inside the spans asked for that the venue does not have.
    start, end : int or None
        ms UTC: what was asked for, from the first to the last span; None when nothing was missing.
    first : int or None
        Time of the first row that came.
    error : str
        Why it did not finish; empty when it did. What came before is stored.
    """

    series: str
    venue: str
    symbol: str
    what: str
    timeframe: str = ""
    added: int = 0
    identical: int = 0
    conflicts: int = 0
    empty: int = 0
    start: int | None = None
    end: int | None = None
    first: int | None = None
    error: str = ""

    def __str__(self) -> str:
        if self.error:
            return f"{self.series}: not finished, {self.added:,} added: {self.error}"
        if self.what in ("markets", "tiers"):
            return f"{self.series}: {self.added:,} symbols are new or have changed"
        if self.start is None or self.end is None:
            return f"{self.series}: nothing was missing"
        words = [f"{self.added:,} added"]
        words += [f"{self.identical:,} were there"] if self.identical else []
        words += [f"{self.conflicts:,} differ from the lake, which keeps its own"] if self.conflicts else []
        words += [f"{self.empty:,} the venue does not have"] if self.empty else []
        late = f"; it starts at {moment(self.first)}" if self.first is not None and self.first > self.start else ""
        return f"{self.series}, {moment(self.start)} to {moment(self.end)}: {', '.join(words)}{late}"


@dataclass(frozen=True, kw_only=True)
class DownloadReport:
    """What a download did.

    Parameters
    ----------
    outcomes : tuple of Outcome
    requests, failed_requests : int
        Answered, and not (they were repeated).
    seconds : float
    """

    outcomes: tuple[Outcome, ...] = ()
    requests: int = 0
    failed_requests: int = 0
    seconds: float = 0.0

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The series that did not finish."""
        return tuple(one for one in self.outcomes if one.error)

    @property
    def added(self) -> int:
        """Rows that are new in the lake."""
        return sum(one.added for one in self.outcomes if one.what not in ("markets", "tiers"))

    def __add__(self, other: DownloadReport) -> DownloadReport:
        return DownloadReport(
            outcomes=(*self.outcomes, *other.outcomes),
            requests=self.requests + other.requests,
            failed_requests=self.failed_requests + other.failed_requests,
            seconds=self.seconds + other.seconds,
        )

    def __str__(self) -> str:
        failed = f", {self.failed_requests:,} more failed and were repeated" if self.failed_requests else ""
        last = f"{self.added:,} rows in {self.seconds:,.1f} s with {self.requests:,} requests{failed}"
        return "\n".join([*map(str, self.outcomes), last])

    def to_pandas(self) -> pd.DataFrame:
        """Give one row per series."""
        from dataclasses import asdict

        import pandas as pd

        return pd.DataFrame([asdict(one) for one in self.outcomes])


class Revision(NamedTuple):
    """A bar that a venue now gives otherwise than the lake has it.

    `kind` is "differs", "not in the lake" or "not at the venue"; `old` and `new` hold the columns that differ, by name.
    """

    ts: int
    kind: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class VerifyReport:
    """What a venue says now about a series that it gave earlier.

    Parameters
    ----------
    series : str
    checked : int
        Bars that were compared.
    revisions : tuple of Revision
        By time.
    taken : int
        Bars of the lake that were replaced, because the caller said so.
    """

    series: str
    checked: int
    revisions: tuple[Revision, ...] = ()
    taken: int = 0

    def __str__(self) -> str:
        if not self.revisions:
            return f"{self.series}: {self.checked:,} bars compared, all as the venue gives them"
        kinds = [one.kind for one in self.revisions]
        words = ", ".join(f"{kinds.count(kind):,} {kind}" for kind in dict.fromkeys(kinds))
        did = f"; {self.taken:,} taken over" if self.taken else "; the lake is as it was"
        return f"{self.series}: {self.checked:,} bars compared, {words}{did}"
