"""`workbench strategies check`: whether a strategy sees the future, remembers, or needs more bars than it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from workbench.cli.backtest import given_parameters
from workbench.cli.completion import series_symbols
from workbench.cli.console import Cell, Column, say, show_json, show_table
from workbench.cli.options import AsJson, End, Param, Start, StrategyName, Venue, examples
from workbench.cli.place import settings_here

if TYPE_CHECKING:
    from workbench.market.bars import Bars
    from workbench.market.lake import Lake
    from workbench.research.check import CheckReport, ColumnReport

__all__ = ["add_check"]

_STYLES: Final = {"critical": "bold red", "warning": "yellow", "note": "dim"}
_SETTLES: Final = {"yes": "", "slowly": "not within this history", "never": "never", "unknown": "nothing to compare"}


def add_check(app: typer.Typer) -> None:
    """Add the command to the group of the strategies."""
    app.command(
        "check",
        epilog=examples(
            "workbench strategies check sma_cross",
            "workbench strategies check my_file:MyStrategy BTC/USDT 1h --start 2023-01-01",
            "workbench strategies check sma_cross -p slow=100 --thorough --json",
        ),
    )(check_strategy)


def check_strategy(
    name: StrategyName,
    symbol: Annotated[
        str | None,
        typer.Argument(
            metavar="SYMBOL",
            autocompletion=series_symbols,
            help="As `workbench data list` shows it; the longest series of the lake when left out.",
        ),
    ] = None,
    timeframe: Annotated[
        str | None, typer.Argument(metavar="TIMEFRAME", help="Length of a bar, such as 15m or 1d.")
    ] = None,
    param: Param = None,
    venue: Venue = None,
    start: Start = None,
    end: End = None,
    thorough: Annotated[
        bool, typer.Option("--thorough", help="Cut history at every one of the last two thousand bars, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ask a strategy again on shorter, later and other histories, and show where it cannot be trusted.

    The exit code is 1 when something is critical or calls for a warning.
    """
    from workbench.market.lake import Lake
    from workbench.research.check import check
    from workbench.strategy.loader import load_strategy

    settings = settings_here()
    kind = load_strategy(name)
    chosen = kind(**given_parameters(kind.declared, param or []))
    bars = _bars(Lake(settings.lake_root), symbol, timeframe, venue).between(start, end)
    report = check(chosen, bars, thorough=thorough)
    if as_json:
        show_json(report.to_dict())
    else:
        _show(report)
    if not report.passed:
        raise typer.Exit(1)


def _bars(lake: Lake, symbol: str | None, timeframe: str | None, venue: str | None) -> Bars:
    """Read the series that is meant: of what is left out, the one with the most bars."""
    from workbench.errors import DataError

    if symbol is not None and timeframe is not None:
        return lake.read(symbol, timeframe, venue=venue)
    fitting = [
        info
        for info in lake.series()
        if symbol in (None, info.symbol) and timeframe in (None, info.timeframe) and venue in (None, info.venue)
    ]
    if not fitting:
        what = " ".join(part for part in (symbol, timeframe, f"at {venue}" if venue else "") if part)
        raise DataError(
            f"the lake has no series{f' of {what}' if what else ''} to check on; see `workbench data list`, or put one "
            "in with `workbench data import FILE`"
        )
    chosen = max(fitting, key=lambda info: (info.rows, info.symbol))
    return lake.read(chosen.symbol, chosen.timeframe, venue=chosen.venue)


def _show(report: CheckReport) -> None:
    say(report.name, "bold")
    say(report.market, "dim")
    say(f"warm-up {report.warm_up_in_words}")
    say()
    if report.columns:
        columns = [
            Column("Column"), Column("Kind"), Column("Looks ahead"), Column("Warm-up", number=True),
            Column("Settles", wrap=True),
        ]  # fmt: skip
        show_table(columns, [_cells(one) for one in report.columns])
        say()
    for one in report:
        where = f" (bar {one.row:,}, {one.time})" if one.row is not None else ""
        say(f"{one.severity}: {one.title}{where}", _STYLES[one.severity])
        say(f"  {one.said}")
        say(f"  {one.remedy}")
    say(report.summary, "bold green" if report.passed else "bold red")


def _cells(one: ColumnReport) -> list[str | Cell]:
    return [
        Cell(one.name, "bold" if one.is_signal else ""),
        "signal" if one.is_signal else "column",
        Cell("yes", "bold red") if one.look_ahead else "no",
        "" if one.warm_up is None else f"{one.warm_up:,}",
        "" if one.look_ahead else _SETTLES[one.settles] or "yes",
    ]
