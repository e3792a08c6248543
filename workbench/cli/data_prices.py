"""`workbench data tickers` and `workbench data cache`: prices now, and what is kept of what was fetched."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from workbench.cli.console import Cell, Column, say, show_csv, show_json, show_table
from workbench.cli.options import AsCsv, AsJson, examples
from workbench.cli.place import settings_here
from workbench.cli.words import iso, number, percent

__all__ = ["TICKER_EXAMPLES", "cache_app", "show_tickers"]

TICKER_EXAMPLES: Final = (
    "workbench data tickers BTC/USDT ETH/USDT",
    "workbench data tickers BTC/USDT:USDT --venue binanceusdm --practice",
    "workbench data tickers BTC/USDT --csv",
)

cache_app = typer.Typer(help="What is kept of what was fetched from venues.", no_args_is_help=True)


def show_tickers(
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="Such as BTC/USDT or BTC/USDT:USDT.")],
    venue: Annotated[str, typer.Option(metavar="NAME", help="ccxt's name of the venue.")] = "binance",
    practice: Annotated[
        bool, typer.Option("--practice", help="Ask the practice exchange that runs in this workspace.")
    ] = False,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Show what some symbols cost now. What could not be had is named below, and the exit code is then 1."""
    from workbench.market.ticker import Ticker, tickers
    from workbench.practice.clients import running_route

    settings = settings_here()
    route = running_route(settings.data) if practice else None
    found = tickers(symbols, venue=venue, route=route)
    if as_json:
        rows = [{**row._asdict(), "ts": iso(row.ts)} for row in found]
        show_json({"venue": found.venue, "tickers": rows, "missing": dict(found.missing)})
    elif as_csv:
        show_csv([*Ticker._fields], [[*row[:-1], iso(row.ts)] for row in found])
    else:
        columns = [
            Column("Symbol"),
            *(Column(name, number=True) for name in ("Bid", "Ask", "Last", "24 h", "Volume", "Age")),
        ]
        show_table(
            columns,
            [
                (
                    Cell(row.symbol, "bold"), number(row.bid), number(row.ask), number(row.last), percent(row.change),
                    number(row.volume), _age(row.ts, found.asked_at),
                )
                for row in found
            ],
        )  # fmt: skip
    for symbol, why in found.missing.items():
        typer.echo(f"{symbol}: {why}", err=True)
    if found.missing:
        raise typer.Exit(1)


def _age(ts: int, asked_at: int) -> str:
    """Say how old a price is; by its date where that is days, as it is at a practice exchange that replays a market."""
    return f"{max(asked_at - ts, 0) / 1_000:.1f} s" if asked_at - ts < 172_800_000 else iso(ts)[:16].replace("T", " ")


@cache_app.command("stats", epilog=examples("workbench data cache stats"))
def cache_stats(as_json: AsJson = False) -> None:
    """Show how much is kept on the disk, and whether the disk answers."""
    from workbench.market.cache import Cache

    stats = Cache(settings_here().data / "cache").stats()
    if as_json:
        show_json({"items": stats.disk_items, "bytes": stats.disk_bytes, "disk": stats.disk})
        return
    show_table(
        [Column(""), Column("")],
        [
            (Cell("Values", "bold"), f"{stats.disk_items:,}"),
            (Cell("Size", "bold"), f"{stats.disk_bytes / 1e6:,.1f} MB"),
            (Cell("Disk", "bold"), stats.disk),
        ],
    )


@cache_app.command(
    "clear", epilog=examples("workbench data cache clear", "workbench data cache clear --kind markets 'binance*'")
)
def clear_cache(
    pattern: Annotated[str, typer.Argument(metavar="PATTERN", help="Of keys, such as 'binance*'; else all.")] = "*",
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="Only things of this kind, such as markets.")] = None,
) -> None:
    """Forget what is kept; it is fetched again when it is needed."""
    from workbench.market.cache import Cache

    gone = Cache(settings_here().data / "cache").invalidate(pattern, kind=kind)
    say(f"{gone:,} value{'s' * (gone != 1)} forgotten", "green")
