"""`workbench data`: what is in the lake, what comes into it, and whether it is whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.console import Cell, Column, on_terminal, say, show_csv, show_json, show_table
from workbench.cli.data_check import CHECK_EXAMPLES, DECIDE_EXAMPLES, check_series, decide_finding
from workbench.cli.data_download import (
    DOWNLOAD_EXAMPLES,
    FILL_EXAMPLES,
    UPDATE_EXAMPLES,
    VERIFY_EXAMPLES,
    download_series,
    fill_series,
    update_series,
    verify_series,
)
from workbench.cli.data_feeds import RECORD_EXAMPLES, TAPES_EXAMPLES, list_tapes, record_feed
from workbench.cli.data_import import IMPORT_EXAMPLES, import_series
from workbench.cli.data_prices import TICKER_EXAMPLES, cache_app, show_tickers
from workbench.cli.options import AsCsv, AsJson, End, Start, Symbol, Timeframe, Venue, examples
from workbench.cli.place import lake_here
from workbench.cli.words import iso, number, percent

if TYPE_CHECKING:
    import pandas as pd

    from workbench.market.bars import Bars
    from workbench.market.lake import SeriesInfo

__all__ = ["app"]

app = typer.Typer(help="Market data: download it, import it, list it, look at it, check it.", no_args_is_help=True)

_TIMES: Final = ("start", "end", "imported_at")
_MANY_ROWS: Final = 200  # on a terminal; a pipe gets all

app.command("import", epilog=examples(*IMPORT_EXAMPLES))(import_series)
app.command("download", epilog=examples(*DOWNLOAD_EXAMPLES))(download_series)
app.command("update", epilog=examples(*UPDATE_EXAMPLES))(update_series)
app.command("fill", epilog=examples(*FILL_EXAMPLES))(fill_series)
app.command("verify", epilog=examples(*VERIFY_EXAMPLES))(verify_series)
app.command("check", epilog=examples(*CHECK_EXAMPLES))(check_series)
app.command("decide", epilog=examples(*DECIDE_EXAMPLES))(decide_finding)
app.command("tickers", epilog=examples(*TICKER_EXAMPLES))(show_tickers)
app.add_typer(cache_app, name="cache")
app.command("record", epilog=examples(*RECORD_EXAMPLES))(record_feed)
app.command("tapes", epilog=examples(*TAPES_EXAMPLES))(list_tapes)


@app.command(
    "list",
    epilog=examples(
        "workbench data list",
        "workbench data list --csv | sort -t, -k5 -n",
    ),
)
def list_series(as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """List the series in the lake: what, where, how much, since when and where from."""
    from dataclasses import asdict, fields

    from workbench.market.lake import SeriesInfo

    lake = lake_here()
    infos = lake.series()
    plain = [{name: iso(value) if name in _TIMES else value for name, value in asdict(info).items()} for info in infos]
    if as_json:
        show_json(plain)
    elif as_csv:
        show_csv([field.name for field in fields(SeriesInfo)], [list(row.values()) for row in plain])
    elif not infos:
        say("The lake is empty: `workbench data import FILE` puts data into it, `workbench init .` the bundled series.")
    else:
        _show_catalog(infos)


def _show_catalog(infos: Sequence[SeriesInfo]) -> None:
    columns = [
        Column("Symbol"), Column("Bar"), Column("Venue"), Column("Bars", number=True), Column("From"),
        Column("To"), Column("Missing", number=True), Column("Source", cut=True),
    ]  # fmt: skip
    show_table(
        columns,
        [
            (
                Cell(info.symbol, "bold"), info.timeframe, info.venue, f"{info.rows:,}", iso(info.start)[:10],
                iso(info.end)[:10], f"{info.missing:,}", info.source,
            )
            for info in infos
        ],
    )  # fmt: skip


@app.command(
    "show",
    epilog=examples(
        "workbench data show BTC/USDT 1d",
        "workbench data show BTC/USDT 1h --start 2021-05-19 --end 2021-05-20 --rows 24",
        "workbench data show BTC/USDT 1d --csv > btc.csv",
    ),
)
def show_series(
    symbol: Symbol,
    timeframe: Timeframe,
    venue: Venue = None,
    start: Start = None,
    end: End = None,
    rows: Annotated[int, typer.Option(min=0, help="How many bars to print, half from each end.")] = 10,
    as_csv: AsCsv = False,
) -> None:
    """Show a series: what is known about it, and its first and last bars. As CSV, all its bars."""
    bars = lake_here().read(symbol, timeframe, start, end, venue=venue)
    if as_csv:
        _show_bars_as_csv(bars)
        return
    show_table([Column(""), Column("", wrap=True)], _facts(bars))
    if rows:
        _show_ends(bars, rows)


def _facts(bars: Bars) -> list[tuple[Cell, str]]:
    from workbench.market.bars import moment

    facts, origin = bars.instrument, bars.provenance
    missing = sum(gap.missing for gap in bars.gaps)
    pairs = {
        "Series": f"{bars.symbol} {bars.timeframe} at {bars.venue} ({facts.kind}, in {facts.quote})",
        "Bars": f"{len(bars):,}, {moment(bars.start)} to {moment(bars.end)} UTC",
        "Missing": f"{missing:,} in {len(bars.gaps):,} gaps" if missing else "none",
        "Filled": f"{int(bars.filled.sum()):,}" if bars.filled is not None else "none",
        "Calendar": f"{facts.calendar}, {bars.periods_per_year:,.0f} bars a year",
        "Fees": f"taker {percent(facts.taker_fee)}, maker {percent(facts.maker_fee)}, spread {facts.spread_bps:g} bps",
        "Source": str(origin.get("source", "unknown")),
        "Licence": str(origin.get("licence", "unknown")),
        "Note": str(origin.get("note") or "none"),
        "Imported": iso(origin["imported_at"] // 1_000 * 1_000) if "imported_at" in origin else "unknown",
        "Fingerprint": bars.fingerprint,
    }
    return [(Cell(label, "bold"), text) for label, text in pairs.items()]


def _show_ends(bars: Bars, rows: int) -> None:
    from workbench.market.bars import COLUMNS, moment

    first = bars[: len(bars) if rows >= len(bars) else (rows + 1) // 2]
    last = bars[len(bars) - rows // 2 :] if rows < len(bars) else bars[:0]

    def cells(part: Bars) -> list[list[str]]:
        table = zip(part.ts, *(getattr(part, name) for name in COLUMNS), strict=True)
        return [[moment(ts), *(number(float(value)) for value in values)] for ts, *values in table]

    between = [["\N{HORIZONTAL ELLIPSIS}", *[""] * len(COLUMNS)]] if rows < len(bars) else []
    columns = [Column("Opens (UTC)"), *(Column(name.capitalize(), number=True) for name in COLUMNS)]
    show_table(columns, [*cells(first), *between, *cells(last)])


def _show_bars_as_csv(bars: Bars) -> None:
    from workbench.market.bars import COLUMNS

    values = (getattr(bars, name).tolist() for name in COLUMNS)
    show_csv(["ts", *COLUMNS], ([iso(ts), *row] for ts, *row in zip(bars.ts.tolist(), *values, strict=True)))


@app.command(
    "sql",
    epilog=examples(
        'workbench data sql "SELECT symbol, timeframe, max(high) FROM bars GROUP BY ALL"',
        'workbench data sql "SELECT * FROM catalog" --json',
    ),
)
def query(
    statement: Annotated[
        str, typer.Argument(metavar="QUERY", help="DuckDB's SQL over the tables `bars` and `catalog`; reading only.")
    ],
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Ask the lake in SQL."""
    frame = lake_here().sql(statement)
    if as_json:
        show_json(frame.to_dict(orient="records"))
    elif as_csv:
        show_csv(list(frame.columns), frame.itertuples(index=False))
    else:
        _show_frame(frame)


def _show_frame(frame: pd.DataFrame) -> None:
    import pandas as pd

    shown = frame.head(_MANY_ROWS) if on_terminal() else frame
    numeric = [pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]
    columns = [
        Column(str(name), number=is_number, wrap=not is_number) for name, is_number in zip(frame, numeric, strict=True)
    ]
    show_table(columns, [[_text(value) for value in row] for row in shown.itertuples(index=False)])
    if len(shown) < len(frame):
        say(f"{len(frame) - len(shown):,} more rows: --csv prints all of them", "dim")


def _text(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    return str(value).removesuffix("+00:00")
