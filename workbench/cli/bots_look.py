"""`workbench bots list` and `parity`: what bots there are, and what each did beside what its backtest promised."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from workbench.cli.console import Cell, Column, say, say_warning, show_json, show_table
from workbench.cli.options import AsJson, examples
from workbench.cli.place import settings_here
from workbench.cli.words import iso

if TYPE_CHECKING:
    from workbench.settings import Settings

__all__ = ["add_to"]

BotName = Annotated[str, typer.Argument(metavar="NAME", help="As `workbench bots list` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to their group."""
    app.command("list", epilog=examples("workbench bots list", "workbench bots list --json"))(list_bots)
    app.command(
        "parity", epilog=examples("workbench bots parity demo", "workbench bots parity demo --json | jq .score")
    )(parity)


def list_bots(as_json: AsJson = False) -> None:
    """List the bots of the workspace: what and where they trade, how they are, when they last did anything."""
    from workbench.bots.journal import journal_names

    settings = settings_here()
    rows = [_row(name, settings) for name in journal_names(settings)]
    if as_json:
        show_json(rows)
        return
    columns = [
        Column("Name"), Column("Strategy"), Column("Series", wrap=True), Column("Mode"), Column("State"),
        Column("Last entry"), Column("Sessions", number=True), Column("Last session", wrap=True),
        Column("Entries", number=True),
    ]  # fmt: skip
    show_table(columns, [
        [Cell(one["name"], "bold"), one["strategy"], ", ".join(one["series"]), _mode(one), _state(one),
         "" if one["heard"] is None else iso(one["heard"] // 1_000 * 1_000), str(one["sessions"]), one["last"],
         f"{one['entries']:,}"]
        for one in rows
    ])  # fmt: skip
    if not rows:
        say("none yet; `workbench bots run --help` shows how to make one", "dim")


def _mode(row: dict[str, Any]) -> Cell:
    armed = {True: ", armed", False: ", not armed", None: ""}[row["armed"]]
    venue = f" at {row['venue']}" if row["venue"] else ""
    return Cell(f"{row['mode']}{venue}{armed}", "red" if row["armed"] else "")


def _state(row: dict[str, Any]) -> Cell:
    if row["running"]:
        return Cell(row["state"], "green")
    broken = row["state"] not in ("", "STOPPED", "KILLED", "FAILED")
    return Cell(f"{row['state']}, broken off" if broken else row["state"], "yellow" if broken else "")


def _row(name: str, settings: Settings) -> dict[str, Any]:
    from workbench.bots.arming import was_armed
    from workbench.bots.journal import read_journal

    with read_journal(name, settings) as journal:
        sessions = journal.sessions()
        spec = sessions[0].details.get("spec", {}) if sessions else {}
        last, position = sessions[-1] if sessions else None, journal.head.position
        running = last is not None and not last.reason and journal.is_written
        ended = "" if last is None else f"{iso(last.began)}: {last.reason or ('running' if running else 'broken off')}"
        moved = [one.record.state for one in journal.entries(journal.head.base, kinds={"Moved"})]
        return {
            "name": name, "strategy": spec.get("strategy", ""), "mode": spec.get("mode", ""),
            "venue": spec.get("venue", ""),
            "series": [f"{one['symbol']} {one['timeframe']}" for one in spec.get("series", [])],
            "state": moved[-1] if moved else "", "running": running,
            "armed": was_armed(journal) if spec.get("mode") == "live" else None,
            "heard": journal.last_recorded,
            "sessions": len(sessions), "last": ended, "entries": position,
        }  # fmt: skip


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


_STYLE: Final = (
    ":root{color-scheme:light dark;--wb-muted:#5d656e;--wb-grid:#e4e2dc}"
    "body{font-family:system-ui,sans-serif;margin:1em}"
    "@media(prefers-color-scheme:dark){:root{--wb-muted:#a9b0b8;--wb-grid:#3a3f45;--wb-loss:#ff8a80}}"
)


def _write(report: Any, path: Path) -> None:
    from workbench.errors import ConfigError

    head = f"<!doctype html><meta charset='utf-8'><title>Parity of {report.name}</title><style>{_STYLE}</style>"
    page = head + report._repr_html_()
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}", path=str(path)) from error
