"""`workbench tax …`: lots, gains and income of a year from files of transactions, as tables, a page, CSV or JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from workbench.cli.console import Cell, Column, say, show_table
from workbench.cli.options import examples

if TYPE_CHECKING:
    from workbench.accounting.tax import PriceTable, TaxOptions, TaxReport, Transaction

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="Gains, income and lots of a tax year. It is arithmetic on your records, not tax advice."
)

Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILE...", help="CSV or JSON of transactions; see `workbench tax template`."),
]
FromBooks = Annotated[
    bool, typer.Option("--books", help="Take the books of this workspace too, and hold the report to their balances.")
]
Year = Annotated[int | None, typer.Option(metavar="YEAR", help="Tax year to show; all years if left out.")]
Method = Annotated[str, typer.Option(metavar="METHOD", help="fifo, lifo, hifo, lofo, average or specific.")]
Currency = Annotated[str, typer.Option(metavar="CODE", help="Money that everything is counted in.")]
Zone = Annotated[str, typer.Option(metavar="ZONE", help="Time zone of years and dates, such as Europe/Berlin.")]
Choice = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any other choice of `workbench tax options`. Repeatable."),
]
PriceFiles = Annotated[
    list[Path] | None,
    typer.Option("--prices", metavar="FILE", help="CSV with time, asset, currency, price. Repeatable."),
]
FromLake = Annotated[
    str | None,
    typer.Option("--lake-prices", metavar="TIMEFRAME", help="Take closes of the lake as prices, such as 1d."),
]
Match = Annotated[
    float | None,
    typer.Option("--match-transfers", metavar="HOURS", help="Join withdrawals with deposits this much later."),
]
_MOST_WARNINGS: Final = 8


# One option for everything that a report can be told; all of them may be left out.
@app.command(
    epilog=examples(
        "workbench tax report --year 2024 trades.csv",
        "workbench tax report --year 2024 --method hifo --currency EUR --zone Europe/Berlin trades.csv wallet.csv",
        "workbench tax report trades.csv --lake-prices 1d --set pegs=USDT=USD --set pools=universal",
        "workbench tax report --year 2024 --books --html tax.html --csv tax-2024",
    )
)
def report(
    files: Files = None,
    books: FromBooks = False,
    year: Year = None,
    method: Method = "fifo",
    currency: Currency = "USD",
    zone: Zone = "UTC",
    choice: Choice = None,
    prices: PriceFiles = None,
    lake_prices: FromLake = None,
    match_transfers: Match = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write a page.")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="DIR", help="Also write every table as CSV.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 where something is unknown.")] = False,
) -> None:
    """Work out a tax year: what was sold, of which lots, at what gain; income, expenses, and what is missing.

    Files and books must hold the whole history, from the first purchase on.
    """
    options = _options(choice, method=method, currency=currency, zone=zone)
    found = _found(files, books=books, hours=match_transfers)
    made = _made(found, options, year, _prices(prices, lake_prices))
    held = _reconciled(made) if books and match_transfers is None else None
    if html is not None:
        made.to_html(html)
    if csv is not None:
        made.to_csv(csv)
    if as_json:
        print(made.to_json())
    else:
        _show(made)
        if held is not None:
            say(f"All {held} balances of the books come out, to the last digit.", "green")
        for kind, where in (("page", html), ("tables", csv)):
            if where is not None:
                say(f"{kind}: {where.resolve()}")
    if strict and not (made.complete and not made.findings):
        raise typer.Exit(1)


@app.command(
    epilog=examples("workbench tax explain sell-1 trades.csv", "workbench tax explain sell-1 trades.csv --method hifo")
)
def explain(
    transaction: Annotated[str, typer.Argument(metavar="ID", help="Of a transaction.")],
    files: Files = None,
    books: FromBooks = False,
    method: Method = "fifo",
    currency: Currency = "USD",
    zone: Zone = "UTC",
    choice: Choice = None,
    prices: PriceFiles = None,
    lake_prices: FromLake = None,
    match_transfers: Match = None,
) -> None:
    """Say what came of one transaction: the lots it took, what they had cost, its value and where that is from."""
    options = _options(choice, method=method, currency=currency, zone=zone)
    found = _found(files, books=books, hours=match_transfers)
    made = _made(found, options, None, _prices(prices, lake_prices))
    say(made.explain(transaction))


@app.command(epilog=examples("workbench tax template > trades.csv", "workbench tax template --columns"))
def template(
    columns: Annotated[bool, typer.Option("--columns", help="Say what each column and kind means.")] = False,
) -> None:
    """Print the CSV that transactions are read from, with five to write over."""
    from workbench.accounting.tax import KINDS
    from workbench.accounting.tax import template as text
    from workbench.accounting.tax.sheet import COLUMNS

    if not columns:
        print(text(), end="")
        return
    for heading, known in (("Column", COLUMNS), ("Kind", KINDS)):
        show_table([Column(heading), Column("Meaning", wrap=True)], list(known.items()))
        say()


@app.command(
    epilog=examples(
        "workbench tax transactions --books > mine.csv", "workbench tax transactions a.json b.csv > all.csv"
    )
)
def transactions(files: Files = None, books: FromBooks = False, match_transfers: Match = None) -> None:
    """Print transactions as CSV: those of files and books, to be looked at, corrected and read again."""
    from workbench.accounting.tax import write_transactions

    print(write_transactions(_found(files, books=books, hours=match_transfers)), end="")


@app.command("options", epilog=examples("workbench tax options"))
def show_options() -> None:
    """List every choice there is, with what each value means; the first is the default."""
    from workbench.accounting.tax.options import TaxOptions, choices

    default = TaxOptions()
    rows: list[list[str | Cell]] = []
    for name, said in default.in_words().items():
        known = choices(name)
        first = getattr(default, name)
        if not known:
            rows.append([Cell(name, "bold"), Cell(said), ""])
        for place, value in enumerate(sorted(known, key=lambda one: one != first)):
            rows.append([Cell("" if place else name, "bold"), Cell(value), known[value]])
    show_table([Column("Option"), Column("Value"), Column("Meaning", wrap=True)], rows)


def _options(pairs: list[str] | None, **words: str) -> TaxOptions:
    from workbench.accounting.tax import TaxOptions
    from workbench.errors import ConfigError

    for pair in pairs or ():
        name, mark, value = pair.partition("=")
        if not mark:
            raise ConfigError(f"--set {pair!r}: write NAME=VALUE, such as pools=universal", value=pair)
        words[name.strip().replace("-", "_")] = value
    return TaxOptions.from_words(words)


def _found(files: list[Path] | None, *, books: bool, hours: float | None) -> list[Transaction]:
    from workbench.accounting.tax import match_transfers, read_transactions, transactions_of
    from workbench.cli.place import books_here
    from workbench.errors import ConfigError

    if not files and not books:
        raise ConfigError(
            "there is nothing to work out: give files of transactions (`workbench tax template` prints one), or "
            "--books for those of this workspace"
        )
    found = read_transactions(*files or ())
    if books:
        kept = books_here()
        if not len(kept):
            raise ConfigError(
                f"the books in {kept.root} are empty; `workbench books import VENUE` brings an account's past"
            )
        found += transactions_of(kept)
    return found if hours is None else match_transfers(found, hours=hours)


def _reconciled(made: TaxReport) -> int:
    from workbench.accounting.tax import require_reconciled
    from workbench.cli.place import books_here

    return require_reconciled(made, books_here())


def _made(found: list[Transaction], options: TaxOptions, year: int | None, prices: PriceTable) -> TaxReport:
    from workbench.accounting.tax import tax_report

    return tax_report(found, options, year=year, prices=prices)


def _prices(files: list[Path] | None, timeframe: str | None) -> PriceTable:
    from workbench.accounting.tax import PriceTable

    table = PriceTable()
    for file in files or ():
        table.update(PriceTable.read_csv(file))
    if timeframe is not None:
        from workbench.cli.place import lake_here
        from workbench.market.timeframe import Timeframe

        lake, wanted = lake_here(), str(Timeframe.parse(timeframe))
        for one in lake.series():
            if one.timeframe == wanted and "/" in one.symbol:
                table.update(PriceTable.of_bars([lake.read(one.symbol, wanted, venue=one.venue)]))
    return table


def _show(made: TaxReport) -> None:
    from workbench.accounting.tax import NOT_ADVICE
    from workbench.accounting.tax.tables import rows_of

    columns = [
        Column("Year"), Column(""), Column("Term"), Column("Proceeds", number=True), Column("Cost", number=True),
        Column(made.options.currency, number=True),
    ]  # fmt: skip
    rows = [
        [str(year), what, term, *("" if one is None else f"{one:,f}" for one in numbers)]
        for year, what, term, *numbers in rows_of(made, "totals")
        if what not in ("derivatives", "expenses") or numbers[-1]
    ]
    if rows:
        show_table(columns, rows)
    else:
        say("Nothing was sold, earned or paid in this time.")
    _warn(made)
    say()
    pools = "each wallet by itself" if made.options.pools == "wallet" else "all wallets together"
    say(f"{made.options.method}, {pools}; the other choices: `workbench tax options`", "dim")
    say(NOT_ADVICE, "dim")


def _warn(made: TaxReport) -> None:
    found = made.findings
    if not found:
        return
    say()
    say(f"{len(found)} warnings", "yellow")
    table: list[list[str | Cell]] = [
        [Cell(one.code, "yellow"), one.transaction, one.message] for one in found[:_MOST_WARNINGS]
    ]
    show_table([Column("Warning"), Column("Transaction"), Column("What", wrap=True)], table)
    if len(found) > _MOST_WARNINGS:
        say(f"{len(found) - _MOST_WARNINGS:,} more; --csv DIR writes all", "dim")
