"""Where the journals of a workspace are: one file a bot in `data/bots`, or the database that its settings name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.bots.journal.journal import Journal
from workbench.bots.journal.keys import seal_key
from workbench.bots.journal.names import check_name
from workbench.bots.journal.reader import JournalReader
from workbench.errors import ConfigError

if TYPE_CHECKING:
    from workbench.settings import Settings

__all__ = ["bots_folder", "journal_names", "open_journal", "read_journal"]


def bots_folder(settings: Settings) -> Path:
    """Give the folder of bots in a workspace: journals, the key of their seals, and the vault."""
    return settings.data / "bots"


def open_journal(name: str, settings: Settings, **options: Any) -> Journal:
    """Open the journal of a bot of a workspace to write it, and make it at first use.

    Parameters
    ----------
    name : str
        Of the bot.
    settings : Settings
    **options
        `clock` and `hide`, as `Journal.open` takes them.

    Raises
    ------
    ConfigError, DataError, RunError
        As `Journal.open`; and where the settings name a database by a URL with a password.
    """
    if url := _url(settings):
        return Journal.open(url, name, seal_key(bots_folder(settings)), **options)
    return Journal.open(bots_folder(settings) / f"{name}.sqlite", name, **options)


def read_journal(name: str, settings: Settings) -> JournalReader:
    """Open the journal of a bot of a workspace to read and check it.

    Raises
    ------
    ConfigError, DataError
        As `JournalReader.open`; the names that there are are told.
    """
    if url := _url(settings):
        return JournalReader.open(url, name, seal_key(bots_folder(settings), make=False))
    path = bots_folder(settings) / f"{check_name(name)}.sqlite"
    if not path.is_file():
        have = ", ".join(journal_names(settings)) or "none; `workbench bots run` begins one"
        raise ConfigError(f"there is no bot {name!r} in {settings.root}; there are {have}", name=name)
    return JournalReader.open(path, name)


def journal_names(settings: Settings) -> tuple[str, ...]:
    """List the bots of a workspace that have a journal.

    Raises
    ------
    ConfigError, DataError
        The database that the settings name cannot be used.
    """
    if url := _url(settings):
        return _names_in(url)
    return tuple(sorted(path.stem for path in bots_folder(settings).glob("*.sqlite")))


def _names_in(url: str) -> tuple[str, ...]:
    from sqlalchemy import select

    from workbench.bots.journal.database import Database
    from workbench.bots.journal.tables import JOURNALS

    database = Database(url, write=False)
    try:
        database.make_tables()
        with database.reading() as connection:
            return tuple(sorted(connection.execute(select(JOURNALS.c.name)).scalars()))
    finally:
        database.close()


def _url(settings: Settings) -> str:
    """Give the URL of the settings, which must not have a password: settings are committed and shown."""
    url = settings.bots.journal
    if not url:
        return ""
    front = url.partition("://")[2].partition("@")
    if (front[1] and ":" in front[0]) or "password=" in url:
        raise ConfigError(
            "[bots] journal has a password in its URL, and settings are no place for secrets: leave it out there and "
            "put it into ~/.pgpass (mode 0600), where PostgreSQL's clients look for it"
        )
    return url
