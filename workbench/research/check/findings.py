"""What a check comes to: `Finding`s with their evidence and remedy, and the `CheckReport` that holds them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from workbench.market.bars import moment

__all__ = ["KINDS", "SEVERITIES", "CheckReport", "ColumnReport", "Finding", "FindingKind", "Severity"]

Severity = Literal["critical", "warning", "note"]
FindingKind = Literal[
    "look_ahead", "unfinished_bar", "repaint", "mutation", "hidden_state", "randomness", "clock", "file", "environment",
    "warm_up", "start_dependence", "breaks", "unfinished_signal",
]  # fmt: skip

SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "warning", "note")
"""Worst first."""

KINDS: Final[Mapping[FindingKind, str]] = {
    "look_ahead": "Look-ahead",
    "unfinished_bar": "Unfinished higher bar",
    "repaint": "Repainting",
    "mutation": "Changes its input",
    "hidden_state": "Hidden state",
    "randomness": "Chance without a seed",
    "clock": "Wall clock",
    "file": "Files or network",
    "environment": "Environment",
    "warm_up": "Warm-up",
    "start_dependence": "Start dependence",
    "breaks": "Breaks on a history",
    "unfinished_signal": "Signal on an unfinished bar",
}
"""By the name of a kind: its name for people."""

_AHEAD: Final = ("look_ahead", "unfinished_bar")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that the check has found.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    severity : {"critical", "warning", "note"}
    column : str
        The signal or column concerned; "" where it is the whole strategy.
    said : str
        What was seen, in a sentence.
    remedy : str
        What to do about it, in a sentence.
    row, ts : int or None
        The first bar where it was seen, and when it opens (ms UTC).
    before, after : float or None
        The value of that bar without and with the later bars.
    history : int or None
        How many bars the shorter history had.
    bars_ahead : int or None
        The fewest appended bars that change the value.
    evidence : mapping of str to number or str
    """

    kind: FindingKind
    severity: Severity
    said: str
    remedy: str
    column: str = ""
    row: int | None = None
    ts: int | None = None
    before: float | None = None
    after: float | None = None
    history: int | None = None
    bars_ahead: int | None = None
    evidence: Mapping[str, float | int | str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The name of its kind for people, with the column."""
        return f"{KINDS[self.kind]}: {self.column}" if self.column else KINDS[self.kind]

    @property
    def time(self) -> str:
        """When its bar opens, in words; "" where there is no bar."""
        return "" if self.ts is None else moment(self.ts)

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data for JSON: a missing number becomes None."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "column": self.column,
            "said": self.said,
            "remedy": self.remedy,
            "row": self.row,
            "time": self.time,
            "before": _plain(self.before),
            "after": _plain(self.after),
            "history": self.history,
            "bars_ahead": self.bars_ahead,
            "evidence": {name: _plain(value) for name, value in self.evidence.items()},
        }


@dataclass(frozen=True, kw_only=True)
class ColumnReport:
    """What is known of one column.

    Attributes
    ----------
    name : str
    is_signal : bool
        Whether the strategy returned it, rather than working it out on the way.
    settles : {"yes", "slowly", "never", "unknown"}
        Whether values stop to depend on where history starts: `slowly` within more bars than there were to see,
        `unknown` where there was nothing to compare.
    warm_up : int or None
        Bars after which they have; None where that was not seen.
    look_ahead : bool
    """

    name: str
    is_signal: bool
    settles: Literal["yes", "slowly", "never", "unknown"]
    warm_up: int | None
    look_ahead: bool = False


@dataclass(frozen=True, kw_only=True, repr=False)
class CheckReport:
    """What a check has found about a strategy.

    Attributes
    ----------
    name, market : str
        Who was checked, and on which bars.
    findings : tuple of Finding
        All of them, worst first.
    columns : tuple of ColumnReport
        Signals first.
    warm_up : int
        Bars after which every column that settles has settled, to `tolerance`.
    declared_warm_up : int
    tolerance : float
        Relative; of the measured warm-up.
    runs : int
        How often the strategy was asked.
    """

    name: str
    market: str
    findings: tuple[Finding, ...]
    columns: tuple[ColumnReport, ...]
    warm_up: int
    declared_warm_up: int
    tolerance: float
    runs: int = 0

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    @property
    def look_ahead(self) -> list[Finding]:
        """What sees the future."""
        return [one for one in self.findings if one.kind in _AHEAD]

    @property
    def passed(self) -> bool:
        """Whether nothing is critical and nothing calls for a warning."""
        return all(one.severity == "note" for one in self.findings)

    def of(self, kind: FindingKind) -> list[Finding]:
        """Give the findings of one kind."""
        return [one for one in self.findings if one.kind == kind]

    def count(self, severity: Severity) -> int:
        """Count the findings of a severity."""
        return sum(one.severity == severity for one in self.findings)

    @property
    def summary(self) -> str:
        """The verdict in a line."""
        words = [("critical", "critical", "critical"), ("warning", "warning", "warnings"), ("note", "note", "notes")]
        counted = [(sum(one.severity == name for one in self.findings), one, many) for name, one, many in words]
        told = ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in counted if n)
        verdict = "passed" if self.passed else "did not pass"
        return f"{verdict}{f': {told}' if told else ''}"

    @property
    def warm_up_in_words(self) -> str:
        """What was measured and what is declared."""
        measured = any(one.warm_up is not None for one in self.columns)
        return f"{f'{self.warm_up:,} bars' if measured else 'not'} measured, {self.declared_warm_up:,} declared"

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data, ready for JSON."""
        return {
            "name": self.name,
            "market": self.market,
            "passed": self.passed,
            "warm_up": self.warm_up,
            "declared_warm_up": self.declared_warm_up,
            "tolerance": self.tolerance,
            "runs": self.runs,
            "findings": [one.to_dict() for one in self.findings],
            "columns": [
                {"name": one.name, "is_signal": one.is_signal, "settles": one.settles, "warm_up": one.warm_up,
                 "look_ahead": one.look_ahead}
                for one in self.columns
            ],
        }  # fmt: skip

    def to_json(self) -> str:
        """Give it as JSON."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def __str__(self) -> str:
        lines = [f"{self.name} on {self.market}: {self.summary}"]
        lines.append(f"warm-up {self.warm_up_in_words}")
        for one in self.findings:
            lines += [f"{one.severity.upper():<9} {one.title}: {one.said}", f"{'':<9} {one.remedy}"]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<CheckReport {self.name}: {self.summary}>"

    def _repr_html_(self) -> str:
        from workbench.research.check.html import report_html

        return report_html(self)


def _plain(value: float | int | str | None) -> float | int | str | None:
    if value is None or isinstance(value, (str, int)):
        return value
    return float(value) if math.isfinite(value) else None
