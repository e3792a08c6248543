"""`Finding` and `Diagnosis`: what the doctor says, graded by limits that stand beside each check.

A check measures one number and says it in a sentence. Whether that number is suspicious is decided here, the same way
for all, from the limits of the check; so that what was looked at and found fine is told with its number too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from workbench.market.bars import moment

if TYPE_CHECKING:
    import pandas as pd

    from workbench.backtest.doctor_case import Case

__all__ = ["SEVERITIES", "Check", "Diagnosis", "Finding", "Measured", "Severity", "grade", "judge"]

Severity = Literal["critical", "warning", "note", "fine", "not applicable"]
Evidence: TypeAlias = Mapping[str, float | int | str]

SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "warning", "note", "fine", "not applicable")
"""Worst first."""

_MOST_PLACES: Final = 20  # trades and times that a finding names; the count in its evidence is of all


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a check found.

    Parameters
    ----------
    value : float
        The number that is held against the limits; NaN where the check does not apply.
    said : str
        A sentence with that number in it, or why the check does not apply.
    evidence : mapping of str to number or str
    trades : tuple of int
        Rows of `result.trades` that are concerned.
    times : tuple of int
        Open times (ms UTC) of the bars that are concerned.
    """

    value: float
    said: str
    evidence: Evidence = field(default_factory=dict)
    trades: tuple[int, ...] = ()
    times: tuple[int, ...] = ()

    @classmethod
    def nothing(cls, why: str) -> Measured:
        """Say that a check does not apply, and why."""
        return cls(value=math.nan, said=why)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that can be wrong with a backtest.

    Parameters
    ----------
    name : str
    title : str
        The name for people.
    looks_for : str
        What it looks for, in a sentence.
    measure : callable
        Pure function from a `Case` to what it measured.
    note, warning, critical : float, optional
        From which value on it is of that severity.
    rising : bool, default True
        Whether high values are the suspicious ones: at a limit and above it. Else those below a limit.
    why : str
        The reason for the limits, or their source.
    remedy : str
        What to do, in a sentence.
    """

    name: str
    title: str
    looks_for: str
    measure: Callable[[Case], Measured]
    note: float | None = None
    warning: float | None = None
    critical: float | None = None
    rising: bool = True
    why: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check came to.

    Attributes
    ----------
    name, title, looks_for, why, remedy : str
        Of the check; the remedy says what to do about it.
    severity : {"critical", "warning", "note", "fine", "not applicable"}
    value : float
        What was measured; NaN where the check does not apply.
    said : str
        The same in a sentence.
    limits : mapping of str to float
        From which value on it is of which severity.
    rising : bool
        Whether high values are the suspicious ones: at a limit and above it. Else those below a limit.
    evidence : mapping of str to number or str
    trades : tuple of int
        Rows of `result.trades` that are concerned, at most twenty.
    times : tuple of int
        Open times (ms UTC) of the bars concerned, at most twenty.
    """

    name: str
    title: str
    severity: Severity
    value: float
    said: str
    looks_for: str
    limits: Mapping[Severity, float]
    why: str
    remedy: str
    rising: bool = True
    evidence: Evidence = field(default_factory=dict)
    trades: tuple[int, ...] = ()
    times: tuple[int, ...] = ()

    @property
    def is_suspicious(self) -> bool:
        """Whether it is critical, a warning or a note."""
        return self.severity in SEVERITIES[:3]

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data for JSON: a number that is not finite becomes None, times become ISO text."""
        evidence = {name: _plain(value) for name, value in self.evidence.items()}
        return {
            "name": self.name,
            "title": self.title,
            "severity": self.severity,
            "value": _plain(self.value),
            "said": self.said,
            "looks_for": self.looks_for,
            "limits": dict(self.limits),
            "rising": self.rising,
            "why": self.why,
            "remedy": self.remedy,
            "evidence": evidence,
            "trades": list(self.trades),
            "times": [moment(ts) for ts in self.times],
        }


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """What the doctor found: every check with its number, worst first.

    Attributes
    ----------
    findings : tuple of Finding
        All of them; within a severity by name.
    name : str
        What was looked at.
    """

    findings: tuple[Finding, ...]
    name: str = ""

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def __getitem__(self, name: str) -> Finding:
        """Give the finding of a check by its name; ConfigError lists the names there are."""
        for finding in self.findings:
            if finding.name == name:
                return finding
        from workbench.errors import ConfigError

        known = ", ".join(sorted(finding.name for finding in self.findings))
        raise ConfigError(f"the doctor has no check {name!r}; the checks are {known}", name=name)

    @property
    def worst(self) -> Severity:
        """The highest severity found: "fine" where nothing is suspicious."""
        return self.findings[0].severity if self.suspicious else "fine"

    @property
    def suspicious(self) -> tuple[Finding, ...]:
        """What is critical, a warning or a note, worst first."""
        return tuple(finding for finding in self.findings if finding.is_suspicious)

    def count(self, severity: Severity) -> int:
        """Count the findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def table(self) -> pd.DataFrame:
        """One row a check, worst first: severity, value, finding, remedy, looks_for, why; indexed by name."""
        import pandas as pd

        columns = ["severity", "value", "finding", "remedy", "looks_for", "why"]
        rows = [(one.severity, one.value, one.said, one.remedy, one.looks_for, one.why) for one in self.findings]
        return pd.DataFrame(rows, columns=columns, index=pd.Index([one.name for one in self.findings], name="check"))

    @property
    def summary(self) -> str:
        """How many findings of each severity, in words."""
        counts = [(self.count("critical"), "critical", "critical"), (self.count("warning"), "warning", "warnings")]
        counts.append((self.count("note"), "note", "notes"))
        told = [f"{n} {one if n == 1 else many}" for n, one, many in counts if n]
        looked = sum(finding.severity != "not applicable" for finding in self.findings)
        return f"{', '.join(told) or 'nothing suspicious'} in {looked} checks"

    def text(self) -> str:
        """Write it for a terminal: what is suspicious with its remedy, then what was found fine."""
        lines = [self.summary]
        for one in self.suspicious:
            lines += [f"{one.severity.upper():<9} {one.title}: {one.said}", f"{'':<9} {one.remedy}"]
        for severity in ("fine", "not applicable"):
            lines += [f"{severity:<9} {one.title}: {one.said}" for one in self if one.severity == severity]
        return "\n".join(lines)

    def named_results(self) -> dict[str, int | str]:
        """Give what a run records: the worst severity, how many findings there are, and which are worst.

        Returns
        -------
        dict
            `doctor_worst` (a severity), `doctor_critical`, `doctor_warnings`, `doctor_notes` (counts), and
            `doctor_says`: the titles of what is critical, or else of the warnings, separated by "; ".
        """
        worst = [one.title for one in self.suspicious if one.severity == self.worst != "note"]
        return {
            "doctor_worst": self.worst,
            "doctor_critical": self.count("critical"),
            "doctor_warnings": self.count("warning"),
            "doctor_notes": self.count("note"),
            "doctor_says": "; ".join(worst),
        }

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data, ready for JSON."""
        return {
            "name": self.name,
            "worst": self.worst,
            "counts": {severity: self.count(severity) for severity in SEVERITIES},
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def __repr__(self) -> str:
        return f"<Diagnosis {self.name}: {self.summary}>" if self.name else f"<Diagnosis: {self.summary}>"

    def _repr_html_(self) -> str:
        from workbench.backtest.doctor_html import diagnosis_html

        return diagnosis_html(self)


def grade(value: float, check: Check) -> Severity:
    """Hold a number against the limits of a check."""
    if math.isnan(value):
        return "not applicable"
    for severity in SEVERITIES[:3]:
        limit: float | None = getattr(check, severity)
        if limit is not None and (value >= limit if check.rising else value < limit):
            return severity
    return "fine"


def judge(check: Check, case: Case) -> Finding:
    """Carry out one check."""
    seen = check.measure(case)
    limits = {name: limit for name in SEVERITIES[:3] if (limit := getattr(check, name)) is not None}
    return Finding(
        name=check.name,
        title=check.title,
        severity=grade(seen.value, check),
        value=float(seen.value),
        said=seen.said,
        looks_for=check.looks_for,
        limits=limits,
        why=check.why,
        remedy=check.remedy,
        rising=check.rising,
        evidence=dict(seen.evidence),
        trades=tuple(int(row) for row in seen.trades[:_MOST_PLACES]),
        times=tuple(int(ts) for ts in seen.times[:_MOST_PLACES]),
    )


def _plain(value: float | int | str) -> float | int | str | None:
    if isinstance(value, str):
        return value
    number = value.item() if hasattr(value, "item") else value
    return None if isinstance(number, float) and not math.isfinite(number) else number
