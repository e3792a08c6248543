"""`workbench books import` and `reconcile`: books filled from a venue, and held against what it says it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from workbench.cli.console import Cell, Column, say, show_json, show_table
from workbench.cli.data_download import connection_here
from workbench.cli.options import AsJson
from workbench.cli.place import books_here
from workbench.cli.words import exact, moment_of
from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.accounting.importing import ImportReport
    from workbench.accounting.reconciling import Reconciliation
    from workbench.market.sources.session import Connection

__all__ = ["IMPORT_EXAMPLES", "RECONCILE_EXAMPLES", "import_past", "reconcile"]

IMPORT_EXAMPLES: Final = (
    "workbench books import binance --since 2023-01-01          spot, and its transfers",
    "workbench books import binanceusdm",
    "workbench books import kraken --account savings --what trades --what deposits",
    "workbench books import binance BTC/USDT --practice",
)
RECONCILE_EXAMPLES: Final = (
    "workbench books reconcile binance",
    "workbench books reconcile binanceusdm --practice",
    "workbench books reconcile kraken --opening        what was there before the first import",
)

_VenueName = Annotated[str, typer.Argument(metavar="VENUE", help="As ccxt calls it: binance, binanceusdm, kraken, …")]
_Account = Annotated[
    str, typer.Option("--account", metavar="NAME", help="What to call the account; one for each key of a venue.")
]
_Practice = Annotated[bool, typer.Option("--practice", help="At the practice exchange that runs in this workspace.")]
_Timeout = Annotated[float, typer.Option(metavar="SECONDS", help="After which a request counts as lost.")]


def _way(practice: bool, timeout: float) -> Connection:
    """Give the way to the venue with the key; the practice exchange's own account where none is set."""
    from dataclasses import replace

    way = connection_here(practice, timeout, 1.0)
    if practice and not way.key:
        from workbench.practice.wire.signing import PRACTICE

        return replace(way, key=PRACTICE.key, secret=PRACTICE.secret)
    if not way.key:
        raise ConfigError("an account is private: set VENUE_KEY and VENUE_SECRET to a key of it that may read")
    return way


def import_past(
    venue: _VenueName,
    symbols: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SYMBOL]...", help="Markets to ask for trades of; those of assets held if left out."),
    ] = None,
    what: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND", help="trades, deposits, withdrawals, funding, interest, transfers, ledger; repeatable."
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="From then on; from the last import if left out.")
    ] = None,
    account: _Account = "main",
    practice: _Practice = False,
    timeout: _Timeout = 10.0,
    as_json: AsJson = False,
) -> None:
    """Book the past of an account: trades, deposits, withdrawals, funding, interest, transfers.

    It may be stopped at any time and repeated as often as one likes: nothing is booked twice. The key (reading is
    enough) is in the variables VENUE_KEY and VENUE_SECRET.
    """
    from workbench.accounting.importing import import_history

    books = books_here()
    report = import_history(
        books, venue, what=what or (), symbols=symbols or (), since=moment_of(since), account=account,
        connection=_way(practice, timeout),
    )  # fmt: skip
    if as_json:
        show_json({"venue": report.venue, "account": report.account, "added": report.added,
                   "histories": [vars(one) for one in report.histories]})  # fmt: skip
    else:
        _show(report)
    if report.failures:
        raise typer.Exit(1)


def _show(report: ImportReport) -> None:
    counts = [Column(name, number=True) for name in ("New", "There", "Pending", "No fee told")]
    columns = [Column("What"), Column("Of"), *counts, Column("Problem", wrap=True)]
    rows = report.rows()
    show_table(columns, [(*row[:-1], Cell(row[-1], "red")) for row in rows])
    none = len(report.histories) - len(rows)
    told = f"; {none} more parts had nothing" if none else ""
    count = f"{report.added:,} new {'entry' if report.added == 1 else 'entries'}"
    say(f"{count} in own:{report.venue}:{report.account}{told}", "bold")


def reconcile(
    venue: _VenueName,
    account: _Account = "main",
    practice: _Practice = False,
    tolerance: Annotated[
        str, typer.Option(metavar="AMOUNT", help="What counts as equal, of each asset.")
    ] = "0.00000001",
    adjust: Annotated[bool, typer.Option("--adjust", help="Book what differs as adjustments, now.")] = False,
    opening: Annotated[bool, typer.Option("--opening", help="The same, from before the first entry on.")] = False,
    timeout: _Timeout = 10.0,
    as_json: AsJson = False,
) -> None:
    """Hold the books of an account against what the venue says it holds, and say what is likely behind differences.

    Exit code 1 where they differ and nothing was adjusted.
    """
    from workbench.accounting import own
    from workbench.accounting import reconciling as work

    books, way = books_here(), _way(practice, timeout)
    wallet = own(way.route.name(venue) if way.route else venue, account)
    found = work.reconcile(books, wallet, work.fetch_reported(venue, way), tolerance=tolerance)
    booked = 0
    if adjust or opening:
        entries = found.adjustments(_moment(opening, wallet), "opening balance" if opening else "reconciled by hand")
        booked = books.post(entries).added
    if as_json:
        header = ("asset", "books", "venue", "difference", "causes")
        show_json({"wallet": wallet, "agrees": found.agrees, "adjusted": booked,
                   "assets": [dict(zip(header, row, strict=True)) for row in found.rows()]})  # fmt: skip
    else:
        _tell(found, booked)
    if not found.agrees and not booked:
        raise typer.Exit(1)


def _moment(opening: bool, wallet: str) -> int:
    import time

    first = books_here().entries(account=wallet)[:1] if opening else []
    return max(first[0].ts - 1, 0) if first else time.time_ns() // 1_000_000


def _tell(found: Reconciliation, booked: int) -> None:
    columns = [Column("Asset"), Column("Books", number=True), Column("Venue", number=True),
               Column("Difference", number=True), Column("Likely cause", wrap=True)]  # fmt: skip
    show_table(
        columns, [(row[0], exact(row[1]), exact(row[2]), Cell(exact(row[3]), "red"), row[4]) for row in found.rows()]
    )
    if booked:
        say(f"{booked} adjustment{'s' if booked != 1 else ''} booked in {found.wallet}", "bold")
    elif found.agrees:
        say(f"{found.wallet} agrees with the venue", "green")
    else:
        count = len(found.differences)
        say(f"{count} asset{'s differ' if count != 1 else ' differs'}; find out why before --adjust hides it", "bold")
