"""`workbench data import`: a file of bars into the lake."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from workbench.cli.console import say
from workbench.cli.place import lake_here
from workbench.cli.words import as_options
from workbench.errors import WorkbenchError

__all__ = ["IMPORT_EXAMPLES", "import_series"]

IMPORT_EXAMPLES: Final = (
    "workbench data import btc.csv --symbol BTC/USDT --venue binance --dry-run",
    "workbench data import es.csv --symbol ES --tz America/New_York --source 'my broker' --licence private",
    "workbench data import spx.parquet --symbol SPX --columns close=PX_LAST --close-only --missing-volume zero",
)


# The options are many since each answers a question that a file can raise; a person types the one that was asked.
def import_series(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON (plain, .gz or .zip), or Parquet.")],
    symbol: Annotated[str, typer.Option(metavar="NAME", help="Such as BTC/USDT, EUR/USD or AAPL.")],
    timeframe: Annotated[
        str | None, typer.Option(metavar="TIMEFRAME", help="Such as 1h; read off the times if left out.")
    ] = None,
    venue: Annotated[str, typer.Option(metavar="NAME", help="Where it trades, in lower case.")] = "unknown",
    tz: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Timezone of times that name none, such as America/New_York; else UTC."),
    ] = None,
    time_format: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="How times are written, such as '%d.%m.%Y %H:%M', if not recognised."),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OURS=THEIRS", help="Which column is which, such as ts=unix,close='Adj Close'. Repeatable."
        ),
    ] = None,
    close_only: Annotated[bool, typer.Option("--close-only", help="There are closes only.")] = False,
    missing_volume: Annotated[
        str, typer.Option(metavar="error|zero", help="What to do where there is no volume.")
    ] = "error",
    off_grid: Annotated[str, typer.Option(metavar="error|drop", help="What to do with rows at odd times.")] = "error",
    on_conflict: Annotated[
        str, typer.Option(metavar="error|keep|replace", help="What to do with bars that differ from those in the lake.")
    ] = "error",
    source: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Where it is from; the file's name if left out.")
    ] = None,
    licence: Annotated[str, typer.Option(metavar="TEXT", help="Under which terms it may be used.")] = "unknown",
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="How much of the file is in memory at a time, such as 512MB or 2GB.")
    ] = "512MB",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be imported; write nothing.")] = False,
) -> None:
    """Clean a file of bars and put it into the lake, with an account of what was done to it.

    Columns, separators, times and the timeframe are recognised; rows are sorted and identical ones dropped. What could
    be read in two ways is refused, with the rows and what to say. No price is ever changed, filled or rounded.
    """
    from workbench.market.lake_import import import_into_lake

    options: dict[str, Any] = {"off_grid": off_grid, "missing_volume": missing_volume, "on_conflict": on_conflict}
    with _said_as_options():
        report, series, written = import_into_lake(
            file, symbol=symbol, timeframe=timeframe, venue=venue, tz=tz, columns=_columns(file, columns or []),
            close_only=close_only, time_format=time_format, memory=memory, source=source, licence=licence,
            into=lake_here(), dry_run=dry_run, **options,
        )  # fmt: skip
    print(report)
    if written is None:
        say(f"dry run: {report.rows_out:,} bars of {series} would be written", "dim")
    else:
        say(str(written), "green")


@contextmanager
def _said_as_options() -> Iterator[None]:
    """Let what goes wrong inside name the options of this command, not the arguments of the functions behind it."""
    try:
        yield
    except WorkbenchError as error:
        error.args = (as_options(str(error)),)
        raise


def _columns(file: Path, pairs: Sequence[str]) -> dict[str, Hashable]:
    """Read `ts=unix,close=Adj Close`; in a file without a header a number is a position."""
    from workbench.errors import ConfigError
    from workbench.market.tablefile import open_table

    said: dict[str, str] = {}
    for pair in (part for text in pairs for part in text.split(",")):
        ours, mark, theirs = (part.strip() for part in pair.partition("="))
        if not mark or not ours or not theirs:
            raise ConfigError(
                f"--columns {pair!r}: write our name, =, and the file's name, such as close=Last", value=pair
            )
        said[ours] = theirs
    names = open_table(file).names if any(theirs.isdigit() for theirs in said.values()) else ()
    return {ours: int(theirs) if theirs.isdigit() and theirs not in names else theirs for ours, theirs in said.items()}
