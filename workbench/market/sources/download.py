"""Downloads: what is missing of series in the lake is asked for at a venue, and nothing else.

`download` asks for a span, `update` goes on from where earlier downloads ended, both in parallel over the symbols. What
is missing follows from what was asked before (`coverage`), so a killed download goes on where it stood, an earlier
`since` prepends, and holes that the venue has are not asked for again; `mending` re-asks those once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, get_args

from workbench.errors import ConfigError, DataError, WorkbenchError
from workbench.market.bars import to_ms
from workbench.market.coverage import COVERAGE
from workbench.market.lake import Lake
from workbench.market.lake_series import find_series
from workbench.market.sources.apart import run_apart
from workbench.market.sources.clients import Route, known_venues
from workbench.market.sources.jobs import Job, What, all_series
from workbench.market.sources.outcome import DownloadReport, Outcome
from workbench.market.sources.progress import DownloadProgress, SilentProgress
from workbench.market.sources.session import Connection, Session, open_session
from workbench.market.tables import find_tables, table_store
from workbench.market.timeframe import Timeframe
from workbench.market.venue_tables import write_venue_table

__all__ = ["download", "downloaded", "finished", "names_of", "run_jobs", "update"]


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

    names = names_of(symbols)
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
    return finished(report)


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
    jobs = downloaded(place, names_of(symbols), venue, way.route)
    if not jobs:
        raise DataError(
            "nothing that fits was ever downloaded into this lake; `workbench data download SYMBOL --venue NAME "
            "--since TIME` begins"
        )
    report = DownloadReport()
    for name, of_venue in jobs.items():
        told = progress or SilentProgress()
        report += run_apart(lambda n=name, j=of_venue, t=told: run_jobs(place, n, j, (), way, t))  # type: ignore[misc]
    return finished(report)


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


def names_of(symbols: str | Iterable[str]) -> list[str]:
    """Read one symbol or several; each once, in order."""
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


def finished(report: DownloadReport) -> DownloadReport:
    """Give a report in which every series is finished.

    Raises
    ------
    DataError
        One is not; `fields["report"]` is the report.
    """
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
        changed = write_venue_table(lake.root, session.name, "markets", session.market_rows(), session.now())
        outcomes = [await _table(lake, session, kind, names, changed) for kind in tables]
        outcomes += await all_series(lake, session, jobs, progress)
        counts = session.asker.counts
    return DownloadReport(
        outcomes=tuple(outcomes), requests=counts.answered, failed_requests=counts.failed,
        seconds=time.monotonic() - began,
    )  # fmt: skip


async def _table(lake: Lake, session: Session, kind: str, symbols: Sequence[str], changed: int) -> Outcome:
    outcome = Outcome(series=f"{kind} of {session.name}", venue=session.name, symbol="", what=kind, added=changed)
    if kind == "markets":
        return outcome
    try:
        rows = await session.tier_rows([one for one in symbols if ":" in one])
    except WorkbenchError as error:
        return replace(outcome, added=0, error=str(error))
    return replace(outcome, added=write_venue_table(lake.root, session.name, "tiers", rows, session.now()))
