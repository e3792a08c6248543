"""Downloads: what is missing of series in the lake is asked for at a venue, and nothing else.

`download` asks for a span, `update` goes on from where earlier downloads ended, both in parallel over the symbols. What
is missing follows from what was asked before (`coverage`), so a killed download goes on where it stood, an earlier
`since` prepends, and holes that the venue has are not asked for again; `mending` re-asks those once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

from workbench.errors import ConfigError, DataError, WorkbenchError
from workbench.market.bars import to_ms
from workbench.market.coverage import COVERAGE, Coverage, Span
from workbench.market.lake import Lake
from workbench.market.lake_series import find_series
from workbench.market.sources.apart import run_apart
from workbench.market.sources.clients import Route, known_venues
from workbench.market.sources.outcome import DownloadReport, Outcome
from workbench.market.sources.progress import DownloadProgress, SilentProgress
from workbench.market.sources.series import BarSink, EventSink, Series, Sink
from workbench.market.sources.session import Connection, Session, open_session
from workbench.market.tables import TableKey, find_tables, table_store
from workbench.market.timeframe import Timeframe
from workbench.market.venue_tables import instrument, write_venue_table

__all__ = ["What", "download", "run_jobs", "update"]

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


# The door takes many parameters: a person types those that matter at a prompt.
def download(
    symbols: str | Iterable[str] = (),
    timeframe: str | Timeframe | Iterable[str | Timeframe] = "1m",
    *,
    venue: str,
    since: Any = None,
    until: Any = None,
    what: What | Iterable[What] = "bars",
    connection: Connection | Route | None = None,
    lake: Lake | None = None,
    progress: DownloadProgress | None = None,
) -> DownloadReport:
    """Ask a venue for what is missing of series in the lake.

    Works in a notebook as in a script. It may be stopped or killed at any time: the same call goes on where it stood.

    Parameters
    ----------
    symbols : str or iterable of str
        In ccxt's notation, such as "BTC/USDT" or "BTC/USDT:USDT". May be left out for markets and tiers.
    timeframe : str, Timeframe, or several
        Of the bars.
    venue : str
        ccxt's name, such as "binance", "binanceusdm", "kraken".
    since, until : str, datetime, pandas.Timestamp or int (ms UTC), optional
        The span; from where the last download ended, and up to now, when left out. What the lake has of it already is
        not asked for, so that an earlier `since` prepends.
    what : {"bars", "trades", "funding", "markets", "tiers"}, or several
    connection : Connection or Route, optional
        A route to a practice exchange, whose data is stored under a venue name of its own; or more than that.
    lake : Lake, optional
        That of the current workspace when left out.
    progress : DownloadProgress, optional
        Says nothing when left out.

    Returns
    -------
    DownloadReport

    Raises
    ------
    DataError
        The venue has no such symbol, timeframe or kind of data; or a series did not finish (`fields["report"]` is the
        report; what came is stored).
    ConfigError
        ccxt knows no such venue, or the venue wants a key.

    Notes
    -----
    A bar that is not closed by the venue's clock is never stored. Where the venue now gives a bar otherwise than the
    lake has it, the lake's is kept and the report counts it (`verify` shows both).
    """
    from workbench.market.lake import lake as usual_lake

    names = _names(symbols)
    kinds = _kinds(what)
    frames = [Timeframe.parse(one) for one in ([timeframe] if isinstance(timeframe, (str, Timeframe)) else timeframe)]
    start, end = (None if at is None else to_ms(at) for at in (since, until))
    if start is not None and end is not None and start >= end:
        raise DataError(f"the span from {since!r} to {until!r} is empty; `since` must come before `until`")
    if not names and set(kinds) & {"bars", "trades", "funding"}:
        raise DataError(f"no symbols to ask {venue} for; name some, such as 'BTC/USDT'")
    jobs = [
        Job(what=kind, symbol=name, frame=frame, start=start, end=end)
        for kind in kinds
        if kind in ("bars", "trades", "funding")
        for frame in (frames if kind == "bars" else [None])
        for name in names
    ]
    tables = [kind for kind in kinds if kind in ("markets", "tiers")]
    way = Connection(route=connection) if isinstance(connection, Route) else connection
    place = lake or usual_lake()
    report = run_apart(lambda: run_jobs(place, venue, jobs, tables, way, progress or SilentProgress(), names))
    return _finished(report)


def update(
    symbols: str | Iterable[str] = (),
    *,
    venue: str | None = None,
    connection: Connection | Route | None = None,
    lake: Lake | None = None,
    progress: DownloadProgress | None = None,
) -> DownloadReport:
    """Bring everything that was downloaded up to now: bars, trades and funding rates.

    Parameters
    ----------
    symbols : str or iterable of str
        Only these; all when left out.
    venue : str, optional
        Only this one, by ccxt's name.
    connection, lake, progress
        As in `download`. With a route, the data of its practice exchange is brought up to date; without, that of the
        real venues.

    Returns
    -------
    DownloadReport

    Raises
    ------
    DataError
        Nothing that fits was ever downloaded, or a series did not finish.
    """
    from workbench.market.lake import lake as usual_lake

    place = lake or usual_lake()
    way = Connection(route=connection) if isinstance(connection, Route) else connection or Connection()
    jobs = downloaded(place, _names(symbols), venue, way.route)
    if not jobs:
        raise DataError(
            "nothing that fits was ever downloaded into this lake; `workbench data download SYMBOL --venue NAME "
            "--since TIME` begins"
        )
    report = DownloadReport()
    for name, of_venue in jobs.items():
        told = progress or SilentProgress()
        report += run_apart(lambda n=name, j=of_venue, t=told: run_jobs(place, n, j, (), way, t))  # type: ignore[misc]
    return _finished(report)


def downloaded(lake: Lake, symbols: Sequence[str], venue: str | None, route: Route | None) -> dict[str, list[Job]]:
    """Find the series that were downloaded, by ccxt's name of their venue, with the jobs that go on with them."""
    known = set(known_venues())
    jobs: dict[str, list[Job]] = {}
    found = [
        (key.venue, Job(what="bars", symbol=key.symbol, frame=key.timeframe), key) for key in find_series(lake.root)
    ]
    found += [(key.venue, Job(what=key.kind, symbol=key.symbol), key) for key in find_tables(lake.root)]  # type: ignore[misc]
    for stored, job, key in found:
        prefix = "" if route is None else route.name("")
        name = stored.removeprefix(prefix)
        if (symbols and job.symbol not in symbols) or name not in known or not stored.startswith(prefix):
            continue
        if venue not in (None, name) or COVERAGE not in table_store(lake.root, key).manifest().meta:  # type: ignore[arg-type]
            continue
        jobs.setdefault(name, []).append(job)
    return jobs


def _names(symbols: str | Iterable[str]) -> list[str]:
    names = [symbols] if isinstance(symbols, str) else list(symbols)
    for name in names:
        if not isinstance(name, str) or not name:
            raise DataError(f"symbol {name!r} is no text; write it like 'BTC/USDT'")
    return list(dict.fromkeys(names))


def _kinds(what: Any) -> list[What]:
    kinds: list[Any] = [what] if isinstance(what, str) else list(what)
    for kind in kinds:
        if kind not in get_args(What):
            raise ConfigError(f"what={kind!r} is not one of {', '.join(map(repr, get_args(What)))}", value=kind)
    return kinds


def _finished(report: DownloadReport) -> DownloadReport:
    if report.failures and len(report.outcomes) == 1:
        raise DataError(report.failures[0].error, report=report)
    if report.failures:
        said = "; ".join(f"{one.series}: {one.error}" for one in report.failures[:3])
        more = f"; and {len(report.failures) - 3} more" if len(report.failures) > 3 else ""
        raise DataError(
            f"{len(report.failures)} of {len(report.outcomes)} series did not finish: {said}{more}", report=report
        )
    return report


async def run_jobs(
    lake: Lake,
    venue: str,
    jobs: Sequence[Job],
    tables: Sequence[str],
    connection: Connection | None,
    progress: DownloadProgress,
    symbols: Sequence[str] = (),
) -> DownloadReport:
    """Open a venue, do jobs and tables there, and account for them; what fails does not stop the others."""
    began = time.monotonic()
    names = [*dict.fromkeys([*symbols, *(job.symbol for job in jobs)])]
    async with open_session(venue, connection, symbols=names) as session:
        for job in jobs:
            session.require([job.symbol], job.what, job.frame)
        write_venue_table(lake.root, session.name, "markets", session.market_rows(), session.now())
        outcomes = []
        if "tiers" in tables:
            rows = await session.tier_rows(names)
            write_venue_table(lake.root, session.name, "tiers", rows, session.now())
        for kind in tables:
            outcomes.append(Outcome(series=f"{kind} of {session.name}", venue=session.name, symbol="", what=kind))
        outcomes += await _all_series(lake, session, jobs, progress)
        counts = session.asker.counts
    return DownloadReport(
        outcomes=tuple(outcomes), requests=counts.answered, failed_requests=counts.failed,
        seconds=time.monotonic() - began,
    )  # fmt: skip


async def _all_series(lake: Lake, session: Session, jobs: Sequence[Job], progress: DownloadProgress) -> list[Outcome]:
    plans = [Plan(lake, session, job) for job in jobs]
    progress.begin(float(sum(plan.amount for plan in plans)), len(plans))
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(plan: Plan) -> Outcome:
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


class Plan:
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
            progress.failed(outcome.series, outcome.error)
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
    facts = instrument(job.symbol, session.name, root=lake.root)
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
            async for page in pages_of(session, job, span):
                await asyncio.to_thread(series.keep, page)
                came += len(page.rows)
                first = page.rows[0][0] if first is None and page.rows else first
                progress.advanced(page.span.end - page.span.start, len(page.rows), job.symbol)
    except WorkbenchError as given_up:
        error = str(given_up)
        progress.failed(series.sink.label, error)
    await asyncio.to_thread(series.flush)
    did = series.written
    wanted = 0 if job.frame is None or error else sum(span.end - span.start for span in spans) // job.frame.ms
    return replace(
        outcome, added=did.added, identical=did.identical, conflicts=did.kept, empty=max(0, wanted - came), first=first,
        start=spans[0].start if spans else None, end=spans[-1].end if spans else None, error=error,
    )  # fmt: skip


def pages_of(session: Session, job: Job, span: Span) -> Any:
    """Ask for the pages of a span of a job."""
    if job.frame is not None:
        return session.candles(job.symbol, job.frame, span)
    return session.trades(job.symbol, span) if job.what == "trades" else session.funding(job.symbol, span)


async def _note_interval(lake: Lake, session: Session, symbol: str, sink: Sink) -> None:
    """Note how often a contract settles funding, as its rates show it: ccxt leaves it out at most venues."""
    import numpy as np

    from workbench.market.tables import funding

    if not sink.store.manifest().parts:
        return
    times = (
        funding(symbol, venue=session.name, root=lake.root).index.to_numpy().astype("datetime64[ms]").astype(np.int64)
    )
    steps = np.diff(times[-30:])
    if not len(steps):
        return
    hours = float(np.round(np.median(steps) / _HOUR_MS, 3))
    rows = [row for row in session.market_rows() if row["symbol"] == symbol and hours > 0]
    for row in rows:
        write_venue_table(lake.root, session.name, "markets", [{**row, "funding_interval_h": hours}], session.now())
