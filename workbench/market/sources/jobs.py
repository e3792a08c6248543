"""One series of a download: what of it is missing at a venue, asking for that, and the account of it.

`all_series` does many side by side; each writes what it has when it is stopped, and none stops another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from workbench.errors import DataError, WorkbenchError
from workbench.market.bars import moment
from workbench.market.coverage import Coverage, Span
from workbench.market.lake import Lake
from workbench.market.sources.outcome import Outcome
from workbench.market.sources.progress import DownloadProgress
from workbench.market.sources.series import BarSink, EventSink, Series, Sink
from workbench.market.sources.session import Session
from workbench.market.sources.spool import Page
from workbench.market.tables import TableKey, funding
from workbench.market.timeframe import Timeframe
from workbench.market.venue_tables import listing, write_venue_table

__all__ = ["Job", "What", "all_series", "sink_of"]

What = Literal["bars", "trades", "funding", "markets", "tiers"]

_AT_ONCE: Final = 8  # series; more would only wait for the limiter
_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, kw_only=True)
class Job:
    """One series to ask for.

    Parameters
    ----------
    what : {"bars", "trades", "funding"}
    symbol : str
    frame : Timeframe, optional
        Of bars.
    start, end : int, optional
        ms UTC; from where the last download ended, and up to now, when left out.
    """

    what: What
    symbol: str
    frame: Timeframe | None = None
    start: int | None = None
    end: int | None = None


async def all_series(lake: Lake, session: Session, jobs: Sequence[Job], progress: DownloadProgress) -> list[Outcome]:
    """Do jobs side by side, and account for each; what is stopped has written what came."""
    plans = [_Plan(lake, session, job) for job in jobs]
    progress.begin(float(sum(plan.amount for plan in plans)), len(plans))
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(plan: _Plan) -> Outcome:
        async with gate:
            return await plan.carry_out(progress)

    tasks = [asyncio.ensure_future(one(plan)) for plan in plans]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)  # each writes what it has
        progress.end()


class _Plan:
    """One job with what of it is missing; `carry_out` asks for that."""

    def __init__(self, lake: Lake, session: Session, job: Job) -> None:
        self._session = session
        self._job = job
        self._lake = lake
        self.sink = sink_of(lake, session, job)
        self.error = ""
        try:
            self.spans = self._missing(Coverage.of(self.sink.store.manifest().meta))
        except WorkbenchError as error:
            self.spans, self.error = [], str(error)
        self.amount = sum(span.end - span.start for span in self.spans)

    def _missing(self, coverage: Coverage) -> list[Span]:
        start, end, frame = self._job.start, self._session.now(), self._job.frame
        if start is not None and start >= end:
            raise DataError(
                f"{self.sink.label}: it is wanted since {moment(start)} UTC, which has not come: it is {moment(end)} "
                "there",
                since=start,
                now=end,
            )
        end = end if self._job.end is None else min(end, self._job.end)
        if start is None:
            if not coverage.asked:
                held = self.sink.held() if isinstance(self.sink, BarSink) else []
                if not held:
                    raise DataError(
                        f"the lake has no {self.sink.label}, so there is nothing to go on from; say since when it "
                        "is wanted, such as since='2024-01-01'"
                    )
                start = held[-1].end
            else:
                start = coverage.asked[-1].end
        if frame is not None:
            start, end = _ceiling(frame, start), frame.floor(end)
        return coverage.missing(start, end)

    async def carry_out(self, progress: DownloadProgress) -> Outcome:
        """Ask for what is missing; an error of the venue's is noted in the outcome."""
        job, name = self._job, self._session.name
        outcome = Outcome(
            series=self.sink.label, venue=name, symbol=job.symbol, what=job.what,
            timeframe="" if job.frame is None else str(job.frame), error=self.error,
        )  # fmt: skip
        if self.error:
            return outcome
        try:
            with Series.held(self.sink) as series:
                spans = self._missing(series.coverage)
                outcome = await _fetch(self._session, job, series, spans, progress, outcome)
            if job.what == "funding":
                await _note_interval(self._lake, self._session, job.symbol, self.sink)
        except WorkbenchError as error:
            outcome = replace(outcome, error=str(error))
            progress.failed(outcome.series, outcome.error)
        return outcome


def _ceiling(frame: Timeframe, at: int) -> int:
    floor = frame.floor(at)
    return floor if floor == at else floor + frame.ms


def sink_of(lake: Lake, session: Session, job: Job) -> Sink:
    """Say where the rows of a job go, with the instrument as the venue describes it."""
    facts = listing(job.symbol, session.name, root=lake.root)
    if job.what == "bars" and job.frame is not None:
        return BarSink(lake, facts, job.frame)
    kind: Any = job.what
    return EventSink(lake, facts, TableKey(session.name, job.symbol, kind))


async def _fetch(
    session: Session, job: Job, series: Series, spans: Sequence[Span], progress: DownloadProgress, outcome: Outcome
) -> Outcome:
    came, first, error = 0, None, ""
    try:
        for span in spans:
            async for page in _pages_of(session, job, span):
                await asyncio.to_thread(series.keep, page)
                came += len(page.rows)
                first = page.rows[0][0] if first is None and page.rows else first
                progress.advanced(page.span.end - page.span.start, len(page.rows), job.symbol)
    except WorkbenchError as given_up:
        error = str(given_up)
        progress.failed(series.sink.label, error.removeprefix(f"{series.sink.label}: "))
    await asyncio.to_thread(series.flush)
    did = series.written
    wanted = 0 if job.frame is None or error else sum(span.end - span.start for span in spans) // job.frame.ms
    return replace(
        outcome, added=did.added, identical=did.identical, conflicts=did.kept, empty=max(0, wanted - came), first=first,
        start=spans[0].start if spans else None, end=spans[-1].end if spans else None, error=error,
    )  # fmt: skip


def _pages_of(session: Session, job: Job, span: Span) -> AsyncIterator[Page]:
    """Ask for the pages of a span of a job."""
    if job.frame is not None:
        return session.candles(job.symbol, job.frame, span)
    return session.trades(job.symbol, span) if job.what == "trades" else session.funding(job.symbol, span)


async def _note_interval(lake: Lake, session: Session, symbol: str, sink: Sink) -> None:
    """Note how often a contract settles funding, as its rates show it: ccxt leaves it out at most venues."""
    if not sink.store.manifest().parts:
        return
    index = funding(symbol, venue=session.name, root=lake.root).index.tz_localize(None)  # type: ignore[attr-defined]
    steps = np.diff(index.to_numpy().astype("datetime64[ms]").astype(np.int64)[-30:])
    if not len(steps):
        return
    hours = float(np.round(np.median(steps) / _HOUR_MS, 3))
    rows = [row for row in session.market_rows() if row["symbol"] == symbol and hours > 0]
    for row in rows:
        write_venue_table(lake.root, session.name, "markets", [{**row, "funding_interval_h": hours}], session.now())
