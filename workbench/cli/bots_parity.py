"""`workbench bots parity`: what a bot did beside what its backtest promised, with causes and what they cost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli.console import Cell, Column, say, say_warning, show_json, show_table
from workbench.cli.options import AsJson, examples
from workbench.cli.place import settings_here

__all__ = ["add_to"]

_EXAMPLES = (
    "workbench bots parity demo",
    "workbench bots parity demo --trend --html parity.html",
    "workbench bots parity demo --json | jq .score",
)


def add_to(app: typer.Typer) -> None:
    """Add the command to its group."""
    app.command("parity", epilog=examples(*_EXAMPLES))(parity)


def parity(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `workbench bots list` shows it.")],
    trades: Annotated[bool, typer.Option("--trades", help="Print every pair of trades.")] = False,
    trend: Annotated[bool, typer.Option("--trend", help="Print the score of each day, week or month.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write a page.")] = None,
    check: Annotated[bool, typer.Option("--check", help="End with 1 where there is an alarm, for scripts.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare what a bot did with what its backtest promised, trade by trade, with causes and what they cost."""
    from workbench.bots.comparison import parity as compare

    report = compare(name, settings=settings_here())
    if html is not None:
        _write(report, html)
    if as_json:
        show_json(report.to_dict())
    else:
        _show(report, trades=trades, trend=trend)
    if check and report.alarm:
        raise typer.Exit(1)


def _show(report: Any, *, trades: bool, trend: bool) -> None:
    say(f"{report.name}: parity {report.score:.1%}", "bold")
    say(report.sentence)
    for note in report.notes:
        say(note, "dim")
    if report.alarm:
        say_warning(report.alarm)
    if len(report.causes):
        _show_costs(report.causes, "Cause")
    if len(report.slippage):
        _show_costs(report.slippage, "Price slippage by part")
    if trend:
        _show_trend(report.trend)
    if trades:
        _show_trades(report)


def _show_costs(costs: Any, head: str) -> None:
    columns = [Column(head), Column("Cost", number=True), Column("Trades", number=True), Column("", wrap=True)]
    show_table(columns, [
        [Cell(str(name), "bold"), f"{row['cost']:+,.2f}", str(row["trades"]), row["meaning"]]
        for name, row in costs.iterrows()
    ])  # fmt: skip


def _show_trend(trend: Any) -> None:
    columns = [
        Column(f"Each {trend.attrs['period']} from"), Column("Score", number=True), Column("As promised", number=True),
        Column("Trades", number=True), Column("Difference", number=True), Column("Score so far", number=True),
    ]  # fmt: skip
    show_table(columns, [
        [f"{start:%Y-%m-%d}", f"{row['score']:.1%}", f"{row['alike']:.0f}", f"{row['trades']:.0f}",
         f"{row['difference']:+,.2f}", f"{row['so_far']:.1%}"]
        for start, row in trend.iterrows()
    ])  # fmt: skip


def _show_trades(report: Any) -> None:
    columns = [
        Column("Trade"), Column("Entered"), Column("Promised", number=True), Column("Lived", number=True),
        Column("Difference", number=True), Column("Score", number=True), Column("Cause"),
    ]  # fmt: skip
    show_table(columns, [
        [f"{row.side} {row.symbol}", f"{_first(row):%Y-%m-%d %H:%M}", _money(row.promised_pnl), _money(row.lived_pnl),
         f"{row.difference:+,.2f}", f"{row.score:.0%}", row.cause]
        for row in report.trades.itertuples()
    ])  # fmt: skip


def _first(row: Any) -> Any:
    wanted = row.promised_entry_time
    return wanted if wanted == wanted else row.lived_entry_time


def _money(value: float) -> str:
    return f"{value:+,.2f}" if value == value else "none"


def _write(report: Any, path: Path) -> None:
    from workbench.bots.comparison.pages import document_of
    from workbench.errors import ConfigError

    try:
        path.write_text(document_of(report), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", path=str(path)) from error
