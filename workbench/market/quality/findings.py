"""`Finding` and `Quality`: what is odd about a series, row by row, and what was decided about each.

A finding is a fact about the data, not a verdict: a hole can be an outage of the venue, a spike can be real. It says
when, what kind, how large, and carries the decision that a person took. What the words mean is in `KINDS`, `CAUSES`
and `DECISIONS`. Nothing here looks at prices; the modules beside this one do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import DataError
from workbench.market.bars import moment

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CAUSES",
    "DECISIONS",
    "KINDS",
    "Quality",
    "QualityFinding",
    "in_order",
    "plain_rows",
    "read_rows",
    "share_of",
    "words_of",
]

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "gap": "bars that the calendar expects and the series lacks; size is their number",
        "filled": "bars that a fill rule made; size is their number",
        "duplicate": "a row that came twice, or a bar that repeats the one before to the last digit; size is how often",
        "revision": "a bar that came again with other values; size is the largest relative change of a price",
        "outlier": "a price that the neighbours, or another venue, contradict; size is its distance as a fraction",
        "zero_volume": "bars without volume in a series that has volume; size is their number",
        "off_grid": "a row at a time at which no bar opens; size is its distance from the grid in ms",
        "off_session": "bars while the calendar is closed; size is their number",
        "clock_skew": "rows stamped off by a steady amount, or behind another venue; size is the offset in ms",
        "invalid": "a row that is no bar: a missing, infinite or negative value, or a high below the low",
        "early_end": "the series stops while others of its venue go on; size is the number of bars until they end",
    }
)
"""Every kind of finding, and what its size counts."""

_LEARNT: Final = ("gap", "early_end")  # kinds whose cause is known later

CAUSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "": "nothing more is known",
        "unknown": "nobody recorded whether these bars were ever asked for",
        "outage": "the venue was asked and has none: it was down, or nothing traded",
        "omission": "never asked for: our own hole, which a download can close",
        "delisting": "the venue was asked and has no more",
        "kept": "the lake kept its old values",
        "replaced": "the lake took the new values",
        "identical": "the rows were equal; all but one were dropped",
        "contradicting": "the rows were not equal",
        "repeated": "the same values once more under the next time",
        "spike": "far off for up to three bars, then back",
        "level": "a jump between two bars, in no time, that stayed",
        "split": "a jump between two sessions by a simple ratio, as of a split that was not adjusted for",
        "venue": "another venue shows nothing of it",
        "jitter": "stamped some milliseconds off",
        "offset": "stamped off by the same amount, many rows on end",
        "lag": "the returns of another venue fit best at another time",
    }
)
"""What is known about where a finding comes from."""

DECISIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "open": "nobody has decided yet",
        "accept": "it is real; its bars no longer count as missing",
        "ignore": "a false alarm; left out of the counts",
        "fill": '`fill="decided"` closes this hole, and marks what it made',
        "exclude": '`fill="decided"` leaves these bars out',
    }
)
"""What a person can decide about a finding."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityFinding:
    """One oddity of a series.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    start, end : int
        ms UTC: open time of the first bar concerned, and the time up to which it reaches (not included).
    bars : int
        How many bars, or rows, it concerns.
    size : float
        How large it is, in the unit that `KINDS` gives.
    cause : str
        One of `CAUSES`.
    detail : str
        The numbers, in words.
    decision : str
        One of `DECISIONS`.
    note : str
        Why it was decided so.
    """

    kind: str
    start: int
    end: int
    bars: int
    size: float
    cause: str = ""
    detail: str = ""
    decision: str = "open"
    note: str = ""

    def __post_init__(self) -> None:
        for name, value, known in (
            ("kind", self.kind, KINDS), ("cause", self.cause, CAUSES), ("decision", self.decision, DECISIONS),
        ):  # fmt: skip
            if value not in known:
                raise DataError(f"{name} of a finding is {value!r}; it must be one of {', '.join(map(repr, known))}")

    @property
    def id(self) -> str:
        """A name that stays the same when the series is checked again: the kind and the time of the first bar.

        The cause is part of it where it tells two findings apart, but not where more knowledge can change it.
        """
        kind = self.kind if self.kind in _LEARNT or not self.cause else f"{self.kind}.{self.cause}"
        at = moment(self.start).replace(" ", "T")
        return f"{kind}@{at}" + (f".{self.start % 1_000:03}" if self.start % 1_000 else "")

    def __str__(self) -> str:
        cause = f" ({self.cause})" if self.cause else ""
        told = f": {self.detail}" if self.detail else ""
        return f"{self.kind.replace('_', ' ')}{cause} at {moment(self.start)}, {_bars(self.bars)}{told}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Quality:
    """All findings about a series.

    Parameters
    ----------
    series : str
        Symbol, timeframe and venue.
    fingerprint : str
        Of the bars that were looked at.
    rows : int
        Bars that the series has.
    findings : tuple of QualityFinding
        Oldest first.
    """

    series: str
    fingerprint: str
    rows: int
    findings: tuple[QualityFinding, ...]

    def __iter__(self) -> Iterator[QualityFinding]:
        return iter(self.findings)

    def __len__(self) -> int:
        return len(self.findings)

    def of(self, kind: str) -> tuple[QualityFinding, ...]:
        """Give the findings of a kind, without those that were decided to be false alarms.

        Raises
        ------
        DataError
            There is no such kind.
        """
        if kind not in KINDS:
            raise DataError(f"there is no kind {kind!r} of finding; there are {', '.join(KINDS)}", kind=kind)
        return tuple(one for one in self.findings if one.kind == kind and one.decision != "ignore")

    @property
    def missing(self) -> int:
        """Bars that are missing and that nobody has accepted as missing."""
        return sum(one.bars for one in self.of("gap") if one.decision != "accept")

    @property
    def filled(self) -> int:
        """Bars that a fill rule made."""
        return sum(one.bars for one in self.of("filled"))

    @property
    def share(self) -> float:
        """Missing and filled bars as a fraction of all that there should be."""
        return share_of(self.rows, self.missing, self.filled)

    @property
    def summary(self) -> dict[str, int | float | str]:
        """Count the findings of each kind that there are, gaps by cause; what travels into results and reports."""
        counts: dict[str, int | float | str] = {
            kind: len(found) for kind in KINDS if kind not in ("gap", "filled") and (found := self.of(kind))
        }
        gaps = self.of("gap")
        causes = {f"gaps_{cause}": sum(one.cause == cause for one in gaps) for cause in ("outage", "omission")}
        return {
            "rows": self.rows,
            "missing": self.missing,
            "filled": self.filled,
            "share": self.share,
            **({"gaps": len(gaps)} if gaps else {}),
            **{name: count for name, count in causes.items() if count},
            **counts,
            "open": sum(one.decision == "open" for one in self.findings),
        }

    @property
    def in_words(self) -> str:
        """The summary as one phrase, such as "170 bars missing in 28 gaps (0.30 %), 4 zero volume"."""
        return words_of(self.summary)

    def to_pandas(self) -> pd.DataFrame:
        """Give one row a finding: columns as `QualityFinding`, `start` and `end` as UTC timestamps, index `id`."""
        import pandas as pd

        rows = [{"id": one.id, **asdict(one)} for one in self.findings]
        names = ["id", *QualityFinding.__dataclass_fields__]
        frame = pd.DataFrame(rows, columns=names).set_index("id")
        for name in ("start", "end"):
            frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True)
        return frame

    def __repr__(self) -> str:
        return f"<Quality of {self.series}: {self.in_words}>"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(repr(self)[1:-1])}</p>{self.to_pandas().to_html(max_rows=20)}"


def share_of(rows: int, missing: int, filled: int) -> float:
    """Give missing and filled bars as a fraction of those that there should be; 0 where there should be none."""
    return (missing + filled) / (rows + missing) if rows + missing else 0.0


def words_of(summary: Mapping[str, Any]) -> str:
    """Write a summary as one phrase."""
    missing, gaps = int(summary.get("missing", 0)), int(summary.get("gaps", 0))
    told = []
    if gaps:
        share = f"{float(summary.get('share', 0.0)):.2%}".replace("%", " %")
        told.append(f"{_bars(missing)} missing in {gaps:,} gap{'s' * (gaps > 1)} ({share} missing or filled)")
    if summary.get("filled"):
        told.append(f"{int(summary['filled']):,} filled")
    counted = [kind for kind in KINDS if kind not in ("gap", "filled") and summary.get(kind)]
    told += [f"{int(summary[kind]):,} {kind.replace('_', ' ')}" for kind in counted]
    return ", ".join(told) or "nothing found"


def _bars(count: int) -> str:
    return f"{count:,} bar{'s' * (count != 1)}"


def plain_rows(findings: Iterable[QualityFinding]) -> list[dict[str, Any]]:
    """Give findings as plain data, which JSON can hold."""
    return [asdict(one) for one in findings]


def read_rows(rows: Any) -> tuple[QualityFinding, ...]:
    """Read what `plain_rows` gave; rows of kinds that this workbench does not know are left out.

    Raises
    ------
    DataError
        It is not a list of mappings with the fields of `QualityFinding`.
    """
    try:
        return tuple(
            QualityFinding(**{name: row[name] for name in QualityFinding.__dataclass_fields__ if name in row})
            for row in rows
            if row["kind"] in KINDS and row.get("cause", "") in CAUSES and math.isfinite(row["size"])
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"{str(rows)[:80]} are no findings: give what bars.quality found, as plain_rows() gives it"
        ) from error


def in_order(findings: Iterable[QualityFinding]) -> list[QualityFinding]:
    """Sort findings by time, then by kind."""
    return sorted(findings, key=lambda one: (one.start, one.kind, one.cause))
