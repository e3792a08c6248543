"""`workbench data download|update|fill|verify`: what venues have, into the lake, and whether they stand by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import typer

from workbench.cli.console import Cell, Column, say, show_json, show_table
from workbench.cli.options import AsJson, Symbol, Timeframe
from workbench.cli.place import lake_here, settings_here
from workbench.cli.words import iso
from workbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from workbench.market.sources.outcome import DownloadReport, Outcome, Revision
    from workbench.market.sources.session import Connection

__all__ = [
    "DOWNLOAD_EXAMPLES",
    "FILL_EXAMPLES",
    "UPDATE_EXAMPLES",
    "VERIFY_EXAMPLES",
    "connection_here",
    "download_series",
    "fill_series",
    "update_series",
    "verify_series",
]

DOWNLOAD_EXAMPLES: Final = (
    "workbench data download BTC/USDT ETH/USDT --venue binance --timeframe 1m --since 2024-01-01",
    "workbench data download BTC/USDT:USDT --venue binanceusdm --what funding --since 2024-01-01",
    "workbench data download --venue kraken --what markets",
    "workbench data download BTC/USDT --venue binance --since 2024-01-01 --practice",
)
UPDATE_EXAMPLES: Final = (
    "workbench data update                       everything that was downloaded, up to now",
    "workbench data update BTC/USDT --venue binance",
)
FILL_EXAMPLES: Final = ("workbench data fill", "workbench data fill BTC/USDT --timeframe 1m")
VERIFY_EXAMPLES: Final = (
    "workbench data verify BTC/USDT 1m --sample 0.05",
    "workbench data verify BTC/USDT 1m --sample 1 --take     let the venue's bars replace ours",
)
_SHOWN: Final = 20
_KEY: Final = "VENUE_KEY"
_SECRET: Final = "VENUE_SECRET"

T = TypeVar("T")

_Symbols = Annotated[list[str] | None, typer.Argument(metavar="SYMBOL", help="Such as BTC/USDT, in ccxt's way.")]
_OneVenue = Annotated[str | None, typer.Option("--venue", metavar="NAME", help="Only this one, by ccxt's name.")]
_Practice = Annotated[bool, typer.Option("--practice", help="Ask the practice exchange that runs in this workspace.")]
_Timeout = Annotated[float, typer.Option(metavar="SECONDS", help="After which a request counts as lost.")]
_Share = Annotated[
    float,
    typer.Option(metavar="PART", help="Part of the venue's rate limit to use, such as 0.5 beside another program."),
]


# The options are many since each is a question that a download raises; a person types the ones that matter.
def download_series(
    venue: Annotated[str, typer.Option(metavar="NAME", help="As ccxt calls it: binance, binanceusdm, kraken, …")],
    symbols: _Symbols = None,
    timeframe: Annotated[
        list[str] | None, typer.Option(metavar="TIMEFRAME", help="Length of the bars; repeatable. 1m if left out.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="From when on; where the last download ended if left out.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before when; now if left out.")] = None,
    what: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="bars, trades, funding, markets or tiers; repeatable. bars if left out."),
    ] = None,
    practice: _Practice = False,
    timeout: _Timeout = 10.0,
    share: _Share = 1.0,
    as_json: AsJson = False,
) -> None:
    """Ask a venue for what is missing of series in the lake; nothing that is there is asked for again.

    It may be stopped at any time, by Ctrl-C, a kill or a power cut: the same command goes on where it stood.

    An earlier --since prepends. What a venue gives to its customers only, such as leverage tiers, needs the variables
    VENUE_KEY and VENUE_SECRET.
    """
    from workbench.market.sources.download import download
    from workbench.market.sources.progress import progress_on

    lake = lake_here()
    kinds: Any = what or ["bars"]
    _report(
        lambda: download(
            symbols or [], timeframe or "1m", venue=venue, since=since, until=until, what=kinds,
            connection=connection_here(practice, timeout, share), lake=lake, progress=progress_on(),
        ),
        as_json,
    )  # fmt: skip


def update_series(
    symbols: _Symbols = None,
    venue: _OneVenue = None,
    practice: _Practice = False,
    timeout: _Timeout = 10.0,
    share: _Share = 1.0,
    as_json: AsJson = False,
) -> None:
    """Bring everything that was downloaded up to now: bars, trades and funding rates."""
    from workbench.market.sources.download import update
    from workbench.market.sources.progress import progress_on

    lake = lake_here()
    way = connection_here(practice, timeout, share)
    _report(lambda: update(symbols or [], venue=venue, connection=way, lake=lake, progress=progress_on()), as_json)


def fill_series(
    symbols: _Symbols = None,
    timeframe: Annotated[str | None, typer.Option(metavar="TIMEFRAME", help="Only this one.")] = None,
    venue: _OneVenue = None,
    practice: _Practice = False,
    timeout: _Timeout = 10.0,
    share: _Share = 1.0,
    as_json: AsJson = False,
) -> None:
    """Ask once more for the gaps of what was downloaded; what stays empty is the venue's and is left alone."""
    from workbench.market.sources.mending import fill
    from workbench.market.sources.progress import progress_on

    lake = lake_here()
    way = connection_here(practice, timeout, share)
    _report(
        lambda: fill(symbols or [], timeframe, venue=venue, connection=way, lake=lake, progress=progress_on()), as_json
    )


def verify_series(
    symbol: Symbol,
    timeframe: Timeframe,
    venue: _OneVenue = None,
    sample: Annotated[
        float, typer.Option(metavar="PART", help="Part of the series to ask for again; 1 for all.")
    ] = 0.1,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Chooses the sample.")] = 0,
    take: Annotated[
        bool, typer.Option("--take", help="Let the venue's bars replace those of the lake that differ.")
    ] = False,
    practice: _Practice = False,
    timeout: _Timeout = 10.0,
    as_json: AsJson = False,
) -> None:
    """Ask again for a sample of a series and compare it with the lake, bar by bar.

    The exit code is 1 when the venue gives something else now. Nothing is changed without --take.
    """
    from workbench.market.sources.mending import verify

    report = verify(
        symbol, timeframe, venue=venue, sample=sample, seed=seed, take=take,
        connection=connection_here(practice, timeout, 1.0), lake=lake_here(),
    )  # fmt: skip
    if as_json:
        revisions = [{**one._asdict(), "ts": iso(one.ts)} for one in report.revisions]
        show_json({"series": report.series, "checked": report.checked, "taken": report.taken, "revisions": revisions})
    else:
        if report.revisions:
            show_table(
                [Column("Opens (UTC)"), Column("What"), Column("Lake"), Column("Venue")],
                [_row(one) for one in report.revisions[:_SHOWN]],
            )
            if len(report.revisions) > _SHOWN:
                say(f"{len(report.revisions) - _SHOWN:,} more: --json prints all of them", "dim")
        say(str(report), "yellow" if report.revisions else "green")
    if report.revisions and not take:
        raise typer.Exit(1)


def _row(one: Revision) -> list[str]:
    values = [", ".join(f"{name} {value:g}" for name, value in side.items()) for side in (one.old, one.new)]
    return [iso(one.ts).replace("T", " ").removesuffix("Z"), one.kind, *values]


def connection_here(practice: bool, timeout: float, share: float) -> Connection:
    """Give the way to a venue, or to the practice exchange, with the key of the environment where there is one."""
    import os

    from workbench.market.sources.session import Connection
    from workbench.practice.clients import running_route

    route = None
    if practice:
        route = running_route(settings_here().data)
    key, secret = os.environ.get(_KEY, ""), os.environ.get(_SECRET, "")
    if bool(key) != bool(secret):
        raise ConfigError(f"of {_KEY} and {_SECRET} only one is set in the environment; set both or none")
    return Connection(route=route, key=key, secret=secret, timeout_s=timeout, share=share)


def _report(work: Callable[[], DownloadReport], as_json: bool) -> None:
    """Do the work and show what it did; a series that did not finish makes the exit code 1."""
    try:
        report = work()
    except DataError as error:
        found: Any = error.fields.get("report")
        if found is None or (len(found.outcomes) == 1 and not found.added):
            raise
        report = found
    if as_json:
        show_json(_plain(report))
    else:
        _show(report)
    if report.failures:
        raise typer.Exit(1)


def _plain(report: DownloadReport) -> dict[str, Any]:
    from dataclasses import asdict

    times = ("start", "end", "first")
    rows = [
        {name: iso(value) if name in times and value is not None else value for name, value in asdict(one).items()}
        for one in report.outcomes
    ]
    return {
        "series": rows, "requests": report.requests, "failed_requests": report.failed_requests,
        "seconds": report.seconds,
    }  # fmt: skip


def _show(report: DownloadReport) -> None:
    venues = len({one.venue for one in report.outcomes}) > 1
    columns = [
        Column("Symbol"), *([Column("Venue")] if venues else []), Column("What"), Column("From"), Column("To"),
        Column("Added", number=True), Column("Differ", number=True), Column("Not there", number=True),
        Column("", wrap=True),
    ]  # fmt: skip
    show_table(columns, [_line(one, venues) for one in report.outcomes])
    failed = f", {report.failed_requests:,} more failed and were repeated" if report.failed_requests else ""
    done = f"{report.added:,} rows in {report.seconds:,.1f} s with {report.requests:,} requests{failed}"
    say(done, "yellow" if report.failures else "green")
    if any(one.conflicts for one in report.outcomes):
        say("Where they differ the lake keeps its own: `workbench data verify SYMBOL TIMEFRAME` shows both.", "yellow")


def _line(one: Outcome, with_venue: bool) -> list[str | Cell]:
    from workbench.market.bars import moment

    times = ["", ""] if one.start is None or one.end is None else [moment(one.start), moment(one.end)]
    if one.error:
        told = Cell(one.error, "red")
    elif one.what in ("markets", "tiers"):
        told = Cell("symbols new or changed", "dim")
    elif one.start is None:
        told = Cell("nothing was missing", "dim")
    else:
        late = one.first is not None and one.first > one.start
        told = Cell(f"begins {moment(one.first or 0)}" if late else "", "dim")
    return [
        Cell(one.symbol or one.venue, "bold"), *([one.venue] if with_venue else []), one.timeframe or one.what, *times,
        f"{one.added:,}", f"{one.conflicts:,}", f"{one.empty:,}", told,
    ]  # fmt: skip
