"""`workbench bots list`, `show`, `logs` and `verify`: what journals say of bots, whether they run or not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.console import Cell, Column, say, say_warning, show_json, show_table
from workbench.cli.options import AsJson, examples
from workbench.cli.place import settings_here
from workbench.cli.words import iso

if TYPE_CHECKING:
    from workbench.bots.journal import JournalReader

__all__ = ["add_to"]

BotName = Annotated[str, typer.Argument(metavar="NAME", help="As `workbench bots list` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to their group."""
    app.command("list", epilog=examples("workbench bots list", "workbench bots list --json"))(list_bots)
    app.command("logs", epilog=examples("workbench bots logs demo", "workbench bots logs demo --level warning"))(logs)
    app.command(
        "parity", epilog=examples("workbench bots parity demo", "workbench bots parity demo --json | jq .score")
    )(parity)
    app.command("verify", epilog=examples("workbench bots verify demo"))(verify)


def _reader(name: str) -> JournalReader:
    from workbench.bots.journal import JournalReader
    from workbench.bots.places import known_place

    return JournalReader.open(known_place(settings_here(), name), name)


def list_bots(as_json: AsJson = False) -> None:
    """List the bots of the workspace: what they trade, how their last session went, the size of their journals."""
    from workbench.bots.places import bot_names

    rows = [_row(name) for name in bot_names(settings_here())]
    if as_json:
        show_json(rows)
        return
    columns = [
        Column("Name"), Column("Strategy"), Column("Series", wrap=True), Column("Mode"),
        Column("Sessions", number=True), Column("Last session", wrap=True), Column("Entries", number=True),
    ]  # fmt: skip
    show_table(columns, [
        [Cell(one["name"], "bold"), one["strategy"], ", ".join(one["series"]), one["mode"], str(one["sessions"]),
         one["last"], f"{one['entries']:,}"]
        for one in rows
    ])  # fmt: skip
    if not rows:
        say("none yet; `workbench bots run --help` shows how to make one", "dim")


def _row(name: str) -> dict[str, Any]:
    with _reader(name) as journal:
        sessions = journal.sessions()
        spec = sessions[0].details.get("spec", {}) if sessions else {}
        last = sessions[-1] if sessions else None
        ended = "" if last is None else f"{iso(last.began)}: {last.reason or 'running, or broken off'}"
        return {
            "name": name, "strategy": spec.get("strategy", ""), "mode": spec.get("mode", ""),
            "series": [f"{one['symbol']} {one['timeframe']}" for one in spec.get("series", [])],
            "sessions": len(sessions), "last": ended, "entries": journal.head.position,
        }  # fmt: skip


def logs(
    name: BotName,
    level: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="From this level on: debug, info, warning, error, critical.")
    ] = None,
    category: Annotated[
        str | None, typer.Option(metavar="NAME", help="execution, signal, order, position, risk or system.")
    ] = None,
    page: Annotated[int, typer.Option(metavar="NUMBER", help="1 is the newest.")] = 1,
    size: Annotated[int, typer.Option(metavar="LINES", help="Lines a page.")] = 40,
    as_json: AsJson = False,
) -> None:
    """Show what a bot did, in sentences, newest last."""
    with _reader(name) as journal:
        found = journal.logs(level=level, category=category, page=page, size=size)
    if as_json:
        show_json([one._asdict() for one in found.lines])
        return
    columns = [Column("Time"), Column("Level"), Column("Category"), Column("What", wrap=True)]
    colours = {"warning": "yellow", "error": "red", "critical": "bold red"}
    rows = [
        [iso(one.ts), Cell(one.level, colours.get(one.level, "dim")), one.category, one.text]
        for one in reversed(found.lines)
    ]
    show_table(columns, rows)
    say(f"page {page}, {found.total:,} lines in all", "dim")


def verify(name: BotName, as_json: AsJson = False) -> None:
    """Check every entry of a journal: its hash, its place in the chain, its seal. Exit code 1 where it is not whole."""
    with _reader(name) as journal:
        found = journal.verify()
    if as_json:
        show_json({"name": name, "ok": found.ok, "fault": found.fault, "position": found.position, "text": found.text})
    else:
        say(str(found), "green" if found.ok else "bold red")
    if not found.ok:
        raise typer.Exit(1)


def parity(
    name: BotName,
    trades: Annotated[bool, typer.Option("--trades", help="Print every pair of trades.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write a page.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare what a bot did with what its backtest promised, trade by trade, with causes and what they cost."""
    from workbench.bots.comparison import parity as compare

    report = compare(name, settings=settings_here())
    if html is not None:
        _write(report, html)
    if as_json:
        show_json(report.to_dict())
        return
    say(f"{name}: parity {report.score:.1%}", "bold")
    say(report.sentence)
    if report.alarm:
        say_warning(report.alarm)
    if len(report.causes):
        columns = [Column("Cause"), Column("Cost", number=True), Column("Trades", number=True), Column("", wrap=True)]
        show_table(columns, [
            [Cell(str(cause), "bold"), f"{row['cost']:+,.2f}", str(row["trades"]), row["meaning"]]
            for cause, row in report.causes.iterrows()
        ])  # fmt: skip
    if trades:
        _show_trades(report)


def _show_trades(report: Any) -> None:
    columns = [
        Column("Trade"), Column("Promised", number=True), Column("Lived", number=True),
        Column("Difference", number=True), Column("Score", number=True), Column("Cause"),
    ]  # fmt: skip
    show_table(columns, [
        [f"{row.side} {row.symbol}", f"{row.promised_pnl:+,.2f}", f"{row.lived_pnl:+,.2f}", f"{row.difference:+,.2f}",
         f"{row.score:.0%}", row.cause]
        for row in report.trades.itertuples()
    ])  # fmt: skip


def _write(report: Any, path: Path) -> None:
    from workbench.errors import ConfigError

    page = f"<!doctype html><meta charset='utf-8'><title>Parity of {report.name}</title>{report._repr_html_()}"
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", path=str(path)) from error
