"""`workbench bots list`: what bots there are, and how their last sessions went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from workbench.cli.console import Cell, Column, say, show_json, show_table
from workbench.cli.options import AsJson, examples
from workbench.cli.place import settings_here
from workbench.cli.words import iso

if TYPE_CHECKING:
    from workbench.settings import Settings

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the commands to their group."""
    app.command("list", epilog=examples("workbench bots list", "workbench bots list --json"))(list_bots)


def list_bots(as_json: AsJson = False) -> None:
    """List the bots of the workspace: what they trade, how their last session went, the size of their journals."""
    from workbench.bots.journal import journal_names

    settings = settings_here()
    rows = [_row(name, settings) for name in journal_names(settings)]
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


def _row(name: str, settings: Settings) -> dict[str, Any]:
    from workbench.bots.journal import read_journal

    with read_journal(name, settings) as journal:
        sessions = journal.sessions()
        spec = sessions[0].details.get("spec", {}) if sessions else {}
        last = sessions[-1] if sessions else None
        ended = "" if last is None else f"{iso(last.began)}: {last.reason or 'running, or broken off'}"
        return {
            "name": name, "strategy": spec.get("strategy", ""), "mode": spec.get("mode", ""),
            "series": [f"{one['symbol']} {one['timeframe']}" for one in spec.get("series", [])],
            "sessions": len(sessions), "last": ended, "entries": journal.head.position,
        }  # fmt: skip
