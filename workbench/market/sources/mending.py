"""Asking again for what a venue gave before: its gaps, once; and the bars themselves, to see whether it stands by them.

`fill` tells an omission of ours from a hole of the venue's. `verify` compares a sample of a series with what the venue
says now. Neither changes a bar that the lake has; `verify` does where it is told to.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import COLUMNS, Bars
from workbench.market.coverage import Coverage, Span, without
from workbench.market.lake import Lake
from workbench.market.sources.apart import run_apart
from workbench.market.sources.clients import Route
from workbench.market.sources.download import downloaded, finished, names_of
from workbench.market.sources.jobs import Job, sink_of
from workbench.market.sources.outcome import DownloadReport, Outcome, Revision, VerifyReport
from workbench.market.sources.progress import DownloadProgress, SilentProgress
from workbench.market.sources.series import BarSink, Series
from workbench.market.sources.session import Connection, Session, open_session
from workbench.market.timeframe import Timeframe
from workbench.market.venue_tables import write_venue_table

__all__ = ["fill", "verify"]

_PAGE: Final = 500  # bars, where ccxt does not say how many a venue gives at once


def fill(
    symbols: str | Iterable[str] = (),
    timeframe: str | Timeframe | None = None,
    *,
    venue: str | None = None,
    connection: Connection | Route | None = None,
    lake: Lake | None = None,
    progress: DownloadProgress | None = None,
) -> DownloadReport:
    """Ask once more for the gaps of series that were downloaded; what stays empty is the venue's and is left alone.

    Parameters
    ----------
    symbols : str or iterable of str
        Only these; all when left out.
    timeframe : str or Timeframe, optional
        Only this one.
    venue : str, optional
        Only this one, by ccxt's name.
    connection, lake, progress
        As in `download`.

    Returns
    -------
    DownloadReport
        `added` is what the first download had missed, `empty` what the venue does not have.

    Raises
    ------
    DataError
        Nothing that fits was ever downloaded, or a series did not finish.
    """
    place, way, jobs = _chosen(symbols, timeframe, venue, connection, lake)
    report = DownloadReport()
    for name, of_venue in jobs.items():
        told = progress or SilentProgress()
        report += run_apart(lambda n=name, j=of_venue, t=told: _fill_all(place, n, j, way, t))  # type: ignore[misc]
    return finished(report)


def verify(
    symbol: str,
    timeframe: str | Timeframe,
    *,
    venue: str | None = None,
    sample: float = 0.1,
    seed: int = 0,
    take: bool = False,
    connection: Connection | Route | None = None,
    lake: Lake | None = None,
) -> VerifyReport:
    """Ask again for a sample of a series, and compare it with the lake bar by bar.

    Parameters
    ----------
    symbol, timeframe, venue
        As in `fill`.
    sample : float, default 0.1
        The part of the series that is asked for again; 1 for all of it.
    seed : int, default 0
        Chooses the sample.
    take : bool, default False
        Let the venue's bars replace those of the lake where they differ, and add those that the lake has not.
    connection, lake
        As in `download`.

    Returns
    -------
    VerifyReport
        Every bar that differs, with both versions.

    Raises
    ------
    DataError
        The series was never downloaded, or the venue does not answer.
    """
    if not 0 < sample <= 1:
        raise DataError(f"sample is {sample!r}; give the part of the series to ask for again, above 0 and at most 1")
    place, way, jobs = _chosen(symbol, timeframe, venue, connection, lake)
    if len(jobs) > 1 or sum(map(len, jobs.values())) > 1:
        raise DataError(
            f"{symbol} {timeframe} was downloaded from {', '.join(jobs)}; name the venue (venue=…, or --venue)",
            venues=list(jobs),
        )
    [(name, [job])] = jobs.items()
    return run_apart(lambda: _verify(place, name, job, way, _Sample(sample, seed, take)))


def _chosen(
    symbols: str | Iterable[str],
    timeframe: str | Timeframe | None,
    venue: str | None,
    connection: Connection | Route | None,
    lake: Lake | None,
) -> tuple[Lake, Connection, dict[str, list[Job]]]:
    from workbench.market.lake import lake as usual_lake

    place = lake or usual_lake()
    way = Connection(route=connection) if isinstance(connection, Route) else connection or Connection()
    frame = None if timeframe is None else Timeframe.parse(timeframe)
    names = names_of(symbols)
    found = {
        name: [job for job in jobs if job.frame is not None and frame in (None, job.frame)]
        for name, jobs in downloaded(place, names, venue, way.route).items()
    }
    kept = {name: jobs for name, jobs in found.items() if jobs}
    if not kept:
        wanted = " ".join(filter(None, [", ".join(names), str(frame or ""), f"at {venue}" if venue else ""]))
        raise DataError(
            f"no bars {f'of {wanted} ' if wanted else ''}were downloaded into this lake, so there is nothing to ask "
            "again; `workbench data list` shows what is there"
        )
    return place, way, kept


async def _fill_all(
    lake: Lake, venue: str, jobs: Sequence[Job], connection: Connection, progress: DownloadProgress
) -> DownloadReport:
    began = time.monotonic()
    async with open_session(venue, connection, symbols=[job.symbol for job in jobs]) as session:
        write_venue_table(lake.root, session.name, "markets", session.market_rows(), session.now())
        outcomes = []
        for job in jobs:
            session.require([job.symbol], "bars", job.frame)
            outcomes.append(await _fill(lake, session, job, progress))
        counts = session.asker.counts
    return DownloadReport(
        outcomes=tuple(outcomes), requests=counts.answered, failed_requests=counts.failed,
        seconds=time.monotonic() - began,
    )  # fmt: skip


async def _fill(lake: Lake, session: Session, job: Job, progress: DownloadProgress) -> Outcome:
    sink = sink_of(lake, session, job)
    frame = job.frame
    outcome = Outcome(series=sink.label, venue=session.name, symbol=job.symbol, what="bars", timeframe=str(job.frame))
    if not isinstance(sink, BarSink) or frame is None or not sink.store.manifest().parts:
        return outcome
    with Series.held(sink) as series:
        bars = lake.read(job.symbol, frame, venue=session.name)
        holes = _holes(bars, series.coverage)
        if not holes:
            return outcome
        spans = _joined(holes, (session.candle_limit(job.symbol) or _PAGE) * frame.ms)
        progress.begin(float(sum(span.end - span.start for span in spans)), 1)
        try:
            for span in spans:
                async for page in session.candles(job.symbol, frame, span):
                    series.keep(page._replace(again=True))
                    progress.advanced(page.span.end - page.span.start, len(page.rows), job.symbol)
        finally:
            progress.end()
        series.flush()
        did = series.written
        missing = sum(hole.end - hole.start for hole in holes) // frame.ms
        return replace(
            outcome, added=did.added, conflicts=did.kept, empty=missing - did.added,
            start=holes[0].start, end=holes[-1].end,
        )  # fmt: skip


def _holes(bars: Bars, coverage: Coverage) -> list[Span]:
    """Give the gaps of a series that were not asked a second time."""
    gaps = [Span(gap.start, gap.end) for gap in bars.gaps]
    return without(gaps, coverage.again)


def _joined(holes: Sequence[Span], reach_ms: int) -> list[Span]:
    """Put holes together that one request can answer."""
    joined: list[Span] = []
    for hole in holes:
        if joined and hole.end - joined[-1].start <= reach_ms:
            joined[-1] = Span(joined[-1].start, hole.end)
        else:
            joined.append(hole)
    return joined


class _Sample:
    """How much is verified, which part of it, and whether the venue's word counts from then on."""

    def __init__(self, part: float, seed: int, take: bool) -> None:
        self.part, self.seed, self.take = part, seed, take

    def of(self, spans: Sequence[Span]) -> list[Span]:
        """Choose spans, at least one."""
        chosen = random.Random(self.seed).sample(list(spans), max(1, round(self.part * len(spans))))
        return sorted(chosen)


async def _verify(lake: Lake, venue: str, job: Job, connection: Connection, sample: _Sample) -> VerifyReport:
    frame = job.frame or Timeframe.parse("1m")
    async with open_session(venue, connection, symbols=[job.symbol]) as session:
        session.require([job.symbol], "bars", frame)
        write_venue_table(lake.root, session.name, "markets", session.market_rows(), session.now())
        sink = sink_of(lake, session, job)
        with Series.held(sink):  # what a killed download left is part of the series
            bars = lake.read(job.symbol, frame, venue=session.name)
        reach_ms = (session.candle_limit(job.symbol) or _PAGE) * frame.ms
        spans = [Span(at, min(at + reach_ms, bars.end)) for at in range(bars.start, bars.end, reach_ms)]
        chosen = sample.of(spans)
        rows: list[Sequence[Any]] = []
        for span in chosen:
            async for page in session.candles(job.symbol, frame, span):
                rows += page.rows
    inside = np.zeros(len(bars), dtype=np.bool_)
    for span in chosen:
        inside |= (bars.ts >= span.start) & (bars.ts < span.end)
    revisions, taken = _compared(bars, inside, np.array(rows, dtype=np.float64).reshape(-1, 6)), 0
    if sample.take and any(one.new for one in revisions):
        taken = _take(lake, bars, [one for one in revisions if one.new], rows)
    return VerifyReport(series=sink.label, checked=int(inside.sum()), revisions=tuple(revisions), taken=taken)


def _compared(bars: Bars, inside: NDArray[np.bool_], rows: NDArray[np.float64]) -> list[Revision]:
    held = {int(ts): place for place, ts in zip(np.flatnonzero(inside), bars.ts[inside], strict=True)}
    given = {int(row[0]): dict(zip(COLUMNS, row[1:].tolist(), strict=True)) for row in rows}
    revisions = []
    for ts in sorted({*held, *given}):
        old = {name: float(getattr(bars, name)[held[ts]]) for name in COLUMNS} if ts in held else {}
        new = given.get(ts, {})
        if old and new:
            differ = [name for name in COLUMNS if old[name] != new[name]]
            if differ:
                both = ({name: values[name] for name in differ} for values in (old, new))
                revisions.append(Revision(ts, "differs", *both))
        else:
            revisions.append(Revision(ts, "not at the venue" if old else "not in the lake", old, new))
    return revisions


def _take(lake: Lake, bars: Bars, revisions: Sequence[Revision], rows: Sequence[Sequence[Any]]) -> int:
    wanted = {one.ts for one in revisions}
    table = np.array([row[:6] for row in rows if int(row[0]) in wanted], dtype=np.float64)
    values: dict[str, Any] = {name: table[:, column] for column, name in enumerate(COLUMNS, start=1)}
    fresh = Bars(
        instrument=bars.instrument, timeframe=bars.timeframe, ts=table[:, 0].astype(np.int64),
        provenance=bars.provenance, **values,
    )  # fmt: skip
    note = "revised by the venue"
    done = lake.write(fresh, note=note, on_conflict="replace")
    return done.replaced + done.added
