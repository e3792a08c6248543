"""`workbench bots list`: what bots there are, and how their last sessions went."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import typer

from workbench.cli.console import Cell, Column, say, show_json, show_table
from workbench.cli.options import AsJson, examples
from workbench.cli.place import settings_here
from workbench.cli.words import iso
from workbench.errors import DataError

if TYPE_CHECKING:
    from workbench.settings import Settings

__all__ = ["add_to"]


def add_to(app: typer.Typer) -> None:
    """Add the commands to their group."""
    app.command("list", epilog=examples("workbench bots list", "workbench bots list --json"))(list_bots)


def list_bots(as_json: AsJson = False) -> None:
    """List the bots of the workspace: what and where they trade, how they are, when they last did anything."""
    from workbench.bots.journal import journal_names

    settings = settings_here()
    rows = [_row(name, settings) for name in journal_names(settings)]
    if as_json:
        show_json(rows)
        return
    columns = [
        Column("Name"), Column("Strategy", wrap=True), Column("Mode", wrap=True), Column("State", wrap=True),
        Column("Last entry (UTC)", wrap=True),
    ]  # fmt: skip
    show_table(columns, [
        [Cell(one["name"], "bold"), " ".join((one["strategy"], *one["series"])), _mode(one), _state(one),
         "" if one["heard"] is None else iso(one["heard"])[:16].replace("T", " ")]
        for one in rows
    ])  # fmt: skip
    if not rows:
        say("none yet; `workbench bots run --help` shows how to make one", "dim")


def _mode(row: dict[str, Any]) -> Cell:
    armed = {True: ", armed", False: ", not armed", None: ""}[row["armed"]]
    venue = f" at {row['venue']}" if row["venue"] else ""
    return Cell(f"{row['mode']}{venue}{armed}", "red" if row["armed"] else "")


def _state(row: dict[str, Any]) -> Cell:
    if row["fault"]:
        return Cell(row["fault"], "red")
    if row["silent_s"] is not None:
        return Cell(f"{row['state']}, no sign of life for {row['silent_s']:,.0f} s", "bold red")
    if row["running"]:
        return Cell(row["state"], "green")
    broken = row["state"] not in ("", "STOPPED", "KILLED", "FAILED")
    return Cell(f"{row['state']}, broken off" if broken else row["state"], "yellow" if broken else "")


def _row(name: str, settings: Settings) -> dict[str, Any]:
    """Say how a bot is; one whose journal cannot be read keeps nobody from seeing the others."""
    try:
        return _read(name, settings)
    except DataError as error:
        return {
            "name": name, "strategy": "", "mode": "", "venue": "", "series": [], "state": "", "running": False,
            "armed": None, "heard": None, "sessions": 0, "last": "", "entries": 0, "fault": str(error),
            "silent_s": None,
        }  # fmt: skip


def _read(name: str, settings: Settings) -> dict[str, Any]:
    from workbench.bots.arming import was_armed
    from workbench.bots.guard_record import record_file
    from workbench.bots.guard_ward import silent_since
    from workbench.bots.journal import bots_folder, read_journal

    silent = silent_since(bots_folder(settings), name)
    with read_journal(name, settings) as journal:
        sessions = journal.sessions()
        spec = sessions[0].details.get("spec", {}) if sessions else {}
        last, position = sessions[-1] if sessions else None, journal.head.position
        running = last is not None and not last.reason and journal.is_written
        ended = "" if last is None else f"{iso(last.began)}: {last.reason or ('running' if running else 'broken off')}"
        moved = [one.record.state for one in journal.entries(journal.head.base, kinds={"Moved"})]
        if not running and record_file(bots_folder(settings), name).exists():
            moved.append("KILLED")  # by its guard, which a tape's journal is told of when it goes on
        return {
            "name": name, "strategy": spec.get("strategy", ""), "mode": spec.get("mode", ""),
            "venue": spec.get("venue", ""),
            "series": [f"{one['symbol']} {one['timeframe']}" for one in spec.get("series", [])],
            "state": moved[-1] if moved else "", "running": running,
            "silent_s": None if silent is None or not running else time.time() - silent / 1_000.0,
            "armed": was_armed(journal) if spec.get("mode") == "live" else None,
            "heard": journal.last_recorded,
            "sessions": len(sessions), "last": ended, "entries": position, "fault": "",
        }  # fmt: skip
