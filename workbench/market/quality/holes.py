"""What is missing and what is too much: gaps by cause, filled bars, bars while the market is closed, an early end.

Whether a hole is the venue's or ours depends on whether it was ever asked for, which only who asked can know. A
download records the spans of time that the venue has answered for in full (`provenance["coverage"]`, pairs of ms UTC,
the second not included); a hole inside them is an outage, one outside an omission, and without any record it is
unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import Bars, to_ms
from workbench.market.calendar import expected_opens, known_span
from workbench.market.quality.activity import runs_of
from workbench.market.quality.findings import QualityFinding

__all__ = ["Span", "asked_spans", "bars_out_of_session", "early_end", "filled_bars", "missing_bars"]

Span = tuple[int, int]

_DAY_MS: Final = 86_400_000
_EARLY_DAYS: Final = 3  # a series that was updated a little before the others has not ended
_EARLY_BARS: Final = 3
_MANY_RUNS: Final = 50  # runs out of session beyond which they are told as one


def asked_spans(coverage: Iterable[Sequence[Any]] | None) -> tuple[Span, ...] | None:
    """Read recorded spans and join those that touch; None stays None, which says that nothing was recorded.

    Raises
    ------
    DataError
        They are not pairs of times, or one ends before it begins.
    """
    if coverage is None:
        return None
    try:
        spans = sorted((to_ms(span[0]), to_ms(span[1])) for span in coverage)
    except (TypeError, IndexError, KeyError) as error:
        raise DataError(
            f"coverage is {coverage!r}: give pairs of times, such as [('2021-01-01', '2021-02-01')]"
        ) from error
    joined: list[Span] = []
    for first, last in spans:
        if last < first:
            raise DataError(
                f"coverage has a span from {first} to {last} ms, which ends before it begins; turn it round"
            )
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return tuple(joined)


def _cause(start: int, end: int, asked: tuple[Span, ...] | None) -> str:
    if asked is None:
        return "unknown"
    return "outage" if any(first <= start and end <= last for first, last in asked) else "omission"


def missing_bars(bars: Bars, asked: tuple[Span, ...] | None) -> list[QualityFinding]:
    """Find the gaps; one that the venue has not answered for in full is our omission."""
    return [
        QualityFinding(
            kind="gap", cause=_cause(gap.start, gap.end, asked), start=gap.start, end=gap.end, bars=gap.missing,
            size=float(gap.missing),
        )
        for gap in bars.gaps
    ]  # fmt: skip


def filled_bars(bars: Bars) -> list[QualityFinding]:
    """Find the runs of bars that a fill rule made."""
    return [] if bars.filled is None else _runs(bars, bars.filled, "filled")


def bars_out_of_session(bars: Bars) -> list[QualityFinding]:
    """Find bars while the calendar is closed: a wrong calendar or timezone, or extended hours."""
    calendar = bars.instrument.calendar
    if calendar == "24/7" or not len(bars):
        return []
    since, until = known_span(calendar)
    expected = expected_opens(calendar, bars.timeframe, max(since, bars.start), min(until, bars.end))
    outside = ~np.isin(bars.ts, expected, assume_unique=True) & (bars.ts >= since) & (bars.ts < until)
    found = _runs(bars, outside, "off_session")
    if len(found) <= _MANY_RUNS:
        return found
    count = int(outside.sum())
    return [
        QualityFinding(
            kind="off_session", start=found[0].start, end=found[-1].end, bars=count, size=float(count),
            detail=f"{count / len(bars):.1%} of all bars, in {len(found):,} runs, while {calendar} is closed: "
            "extended hours, or times in a wrong timezone",
        )
    ]  # fmt: skip


def _runs(bars: Bars, flags: NDArray[np.bool_], kind: str) -> list[QualityFinding]:
    return [
        QualityFinding(
            kind=kind, start=int(bars.ts[first]), end=int(bars.ts[stop - 1]) + bars.timeframe.ms,
            bars=stop - first, size=float(stop - first),
        )
        for first, stop in runs_of(flags)
    ]  # fmt: skip


def early_end(bars: Bars, ends: Iterable[int], asked: tuple[Span, ...] | None) -> list[QualityFinding]:
    """Find out whether a series stops while others go on.

    Parameters
    ----------
    bars : Bars
    ends : iterable of int
        Close times (ms UTC) of the last bars of other series of the same venue, timeframe and source.
    asked : tuple of spans, optional
        Where the venue has answered for the time after the end as well, it is a delisting.
    """
    later = [end for end in ends if end > bars.end]
    last = max(later, default=bars.end)
    if last - bars.end <= max(_EARLY_DAYS * _DAY_MS, _EARLY_BARS * bars.timeframe.ms):
        return []
    cause = "" if asked is None else "delisting" if _cause(bars.end, last, asked) == "outage" else "omission"
    lacking = (last - bars.end) // bars.timeframe.ms
    return [
        QualityFinding(
            kind="early_end", cause=cause, start=bars.end, end=last, bars=0, size=float(lacking),
            detail=f"{len(later)} other series of {bars.venue} go on after it",
        )
    ]  # fmt: skip
