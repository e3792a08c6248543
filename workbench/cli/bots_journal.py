"""`workbench bots verify|logs|sessions|export|prune`: the journal of a bot, read and checked while it runs or not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from workbench.cli.console import Cell, Column, say, say_error, show_json, show_table
from workbench.cli.options import AsJson
from workbench.cli.place import settings_here
from workbench.cli.words import iso
from workbench.errors import ConfigError, DataError, WorkbenchError

if TYPE_CHECKING:
    from workbench.bots.journal import LogLine, Session, Verification
    from workbench.settings import Settings

__all__ = ["JOURNAL_COMMANDS"]

_DAY_MS: Final = 86_400_000
_STYLES: Final = {"debug": "dim", "info": "", "warning": "yellow", "error": "red", "critical": "bold red"}


def _names(context: typer.Context, incomplete: str) -> list[str]:
    from workbench.bots.journal import journal_names

    try:
        return [name for name in journal_names(settings_here()) if name.startswith(incomplete)]
    except WorkbenchError:
        return []  # a shell that completes has no room for an error


Bot = Annotated[str, typer.Argument(metavar="NAME", autocompletion=_names, help="Of the bot.")]


def verify(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", autocompletion=_names, help="Of the bot; all when left out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every entry of a journal: exit code 1, and the place, where one was changed, removed, moved or added."""
    from workbench.bots.journal import journal_names

    settings = settings_here()
    names = journal_names(settings) if name is None else (name,)
    if not names:
        raise ConfigError("there are no journals here yet; `workbench bots run` begins one")
    found = [_verified(bot, settings) for bot in names]
    if as_json:
        fields = ("name", "ok", "first", "last", "fault", "position", "text")
        show_json([{field: getattr(one, field) for field in fields} for one in found])
    else:
        for one in found:
            (say if one.ok else say_error)(str(one))
    if not all(one.ok for one in found):
        raise typer.Exit(1)


def _verified(name: str, settings: Settings) -> Verification:
    """Check a journal; one that cannot be read at all keeps nobody from checking the others."""
    from workbench.bots.journal import Verification, read_journal

    try:
        with read_journal(name, settings) as journal:
            return journal.verify()
    except DataError as error:
        return Verification(name=name, first=1, last=0, fault="unreadable", text=str(error))


def logs(
    name: Bot,
    level: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="The least: debug, info, warning, error or critical.")
    ] = None,
    category: Annotated[
        str | None, typer.Option(metavar="CATEGORY", help="execution, signal, order, position, risk or system.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Written from then on, such as 2026-01-31T14:00 (UTC).")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Written before then (UTC).")] = None,
    page: Annotated[int, typer.Option(metavar="N", min=1, help="Which page; 1 is the newest.")] = 1,
    size: Annotated[int, typer.Option(metavar="N", min=1, help="Lines on a page.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the log of a bot, the newest page; on a page the newest line comes last, as in a log file."""
    from workbench.bots.journal import read_journal
    from workbench.market.bars import to_ms

    first = None if since is None else to_ms(since)
    last = None if until is None else to_ms(until)
    with read_journal(name, settings_here()) as journal:
        found = journal.logs(level, category, first, last, page, size)
    if as_json:
        lines = [line._asdict() for line in found.lines]
        show_json({"page": found.page, "pages": found.pages, "total": found.total, "lines": lines})
        return
    if not found.lines:
        say("no such line" if found.total == 0 else f"there are {found.pages} pages")
        return
    columns = [Column("Written (UTC)"), Column("Level"), Column("Category"), Column("What", wrap=True)]
    show_table(columns, [_row(line) for line in reversed(found.lines)])
    if found.pages > 1:
        say(f"page {found.page} of {found.pages} ({found.total:,} lines); --page {found.page + 1} is older", "dim")


def _row(line: LogLine) -> tuple[str | Cell, ...]:
    from workbench.bots.journal.telling import with_facts

    text = with_facts(line.text, line.fields)
    return iso(line.recorded), Cell(line.level, _STYLES[line.level]), line.category, text


def sessions(name: Bot, as_json: AsJson = False) -> None:
    """List when a bot ran, and why it stopped."""
    from workbench.bots.journal import read_journal

    with read_journal(name, settings_here()) as journal:
        found = journal.sessions()
    if as_json:
        show_json([one._asdict() for one in found])
        return
    if not found:
        say(f"{name} has not run yet")
        return
    columns = [Column("Session", number=True), Column("Began (UTC)"), Column("Ended (UTC)"), Column("Why", wrap=True)]
    show_table(columns, [_session(one, one is found[-1]) for one in found])


def _session(one: Session, last: bool) -> tuple[str, ...]:
    if one.ended is None:
        return str(one.number), iso(one.began), "", "runs, or was broken off" if last else "was broken off"
    return str(one.number), iso(one.began), iso(one.ended), one.reason


def export(
    name: Bot,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where to write it.")] = Path("."),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a journal to a Parquet file: every entry, in words and as data."""
    from workbench.bots.journal import read_journal

    with read_journal(name, settings_here()) as journal:
        say(f"wrote {journal.export(output, overwrite=force)}")


def prune(
    name: Bot,
    keep_days: Annotated[float, typer.Option(metavar="DAYS", min=0, help="Keep what was written in the last days.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Write what is removed to a file there first."),
    ] = None,
) -> None:
    """Remove old entries of a bot that is stopped, as far as a snapshot of its state makes them needless."""
    from workbench.bots.journal import open_journal, read_journal

    settings = settings_here()
    read_journal(name, settings).close()  # a name that is none must not begin a journal
    with open_journal(name, settings) as journal:
        count = journal.prune(time.time_ns() // 1_000_000 - int(keep_days * _DAY_MS), export=output)
        first = journal.head.base + 1
    if count:
        say(f"removed {count:,} entries; the journal begins at entry {first:,} now")
    else:
        say("nothing to remove: no entry is that old, or no snapshot was kept after one")


JOURNAL_COMMANDS: Final[Mapping[str, tuple[Callable[..., None], tuple[str, ...]]]] = {
    "verify": (verify, ("workbench bots verify demo", "workbench bots verify              all bots of this workspace")),
    "logs": (
        logs,
        (
            "workbench bots logs demo",
            "workbench bots logs demo --level warning --category order --since 2026-01-31",
            "workbench bots logs demo --page 2 --json",
        ),
    ),
    "sessions": (sessions, ("workbench bots sessions demo",)),
    "export": (export, ("workbench bots export demo --output exports",)),
    "prune": (prune, ("workbench bots prune demo --keep-days 90 --output archive",)),
}
"""Each command with examples of it."""
