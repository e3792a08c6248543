"""The database below a journal: SQLite in a file, or PostgreSQL by URL; its errors, its tables and its one writer.

SQLite runs in WAL mode with full synchronisation, so that what was committed is on disk and readers never wait. The one
writer holds a lock that ends with its process: a file lock beside SQLite, an advisory lock in PostgreSQL.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from workbench._durable import explained
from workbench.bots.folder import make_bots_folder
from workbench.bots.journal.tables import SCHEMA
from workbench.errors import ConfigError, DataError, RunError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["Database"]

_LOCK_S: Final = 1.0  # for whoever only looks whether a journal is written holds its lock for a moment
_BUSY_MS: Final = 1_000  # how long another process may hold the database before a write gives up
_BUSY_AGAIN_MS: Final = 50  # and before the next one does, so that whoever waits for it has time for other things
# What comes of a value that has another type than its column, as only damage brings about.
_UNREADABLE: Final = (TypeError, ValueError, OverflowError, MemoryError)
_DAMAGED: Final = ("damaged", "put back the copy of your backup, or move the file away and begin a new one")
_SQLITE: Final = {
    5: ("locked", "another program holds it: end that, and it goes on"),
    6: ("locked", "another program holds it: end that, and it goes on"),
    8: ("read-only", "check who owns the file and its folder and may write to them"),
    10: ("disk", "check the disk and the free space on it"),
    11: _DAMAGED,
    13: ("full", "free some space on the disk"),
    19: ("damaged", "another hand has put entries there: `workbench bots verify` names the place"),
    14: ("unreachable", "check that its folder is there and may be written to"),
    26: ("damaged", "it is no SQLite database: move it away, or name another"),
}
_POSTGRES: Final = {
    "23505": ("damaged", "another hand has put entries there: `workbench bots verify` names the place"),
    "53100": ("full", "free some space on the disk of the server"),
    "55P03": ("locked", "another program holds it: end that, and it goes on"),
    "57014": ("locked", "the server broke the statement off: look at who holds locks"),
    "42501": ("read-only", "give the user of the URL the right to make and write tables"),
    "25006": ("read-only", "the server takes no writes: name its primary"),
}


class Database:
    """An open database.

    Parameters
    ----------
    place : path or str
        The file of an SQLite database, or a URL such as `postgresql://user@host/database`.
    write : bool
        Whether to make what is missing; else nothing is changed.

    Attributes
    ----------
    where : str
        The place in words, without any password.
    path : Path or None
        The file, of SQLite.
    """

    def __init__(self, place: str | Path, *, write: bool) -> None:
        url = _url_of(place)
        self.path = Path(str(url.database)) if url.get_backend_name() == "sqlite" else None
        self.where = str(self.path) if self.path else url.render_as_string(hide_password=True)
        self.write = write
        self._lock: Any = None
        self._writer: Connection | None = None
        self._refused = False  # the last time, since somebody else held it
        self._name = ""
        if self.path:
            self._prepare(self.path)
        options: dict[str, Any] = {"check_same_thread": False} if self.path else {"connect_timeout": 10}
        self.engine: Engine = create_engine(
            url, poolclass=QueuePool, pool_pre_ping=not self.path, hide_parameters=True, connect_args=options
        )
        if self.path:
            event.listen(self.engine, "connect", _set_up_to_write if write else _set_up_to_read)

    def _prepare(self, path: Path) -> None:
        if self.write:
            make_bots_folder(path.parent)
        elif not path.is_file():
            raise DataError(f"there is no journal {path}", path=str(path))

    def make_tables(self) -> None:
        """Bring the tables to the version that this workbench knows.

        Raises
        ------
        DataError
            A newer workbench made them; or, without `write`, they are missing or of an older one.
        """
        with self.reading() as connection:
            found = _version_of(connection)
        if found == SCHEMA:
            return
        if found is not None and (not found.isdigit() or int(found) > int(SCHEMA)):
            raise DataError(
                f"{self.where} is of version {found}, this workbench knows {SCHEMA}: a newer one made it; "
                "update workbench"
            )
        if not self.write:
            state = "has no journals" if found is None else f"is of the older version {found}: run its bot once"
            raise DataError(f"{self.where} {state}")
        from workbench.bots.journal.migrating import migrate

        with self.writing() as connection:
            if not self.path:  # where others may begin at the same moment
                connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _number_of("tables")})
            if _version_of(connection) != SCHEMA:
                migrate(connection)

    def lock(self, name: str) -> None:
        """Become the one writer of a journal.

        Raises
        ------
        RunError
            Another process, or another object of this one, is.
        """
        self._name = name
        if self.path is None:
            with self.writing():
                return  # a new connection takes the lock
        from filelock import FileLock, Timeout

        self._lock = FileLock(f"{self.path}.lock", timeout=_LOCK_S)
        with explained(self.path):
            try:
                self._lock.acquire(poll_interval=0.02)
            except Timeout:
                raise self._taken() from None

    def is_written(self, name: str) -> bool:
        """Tell whether anybody is the writer of a journal now; whoever asks is not."""
        if self.path is None:
            number = {"number": _number_of(f"journal {name}")}
            with self.reading() as connection:
                free = connection.execute(text("SELECT pg_try_advisory_lock(:number)"), number).scalar()
                if free:
                    connection.execute(text("SELECT pg_advisory_unlock(:number)"), number)
            return not free
        from filelock import FileLock, Timeout

        with explained(self.path):
            try:
                with FileLock(f"{self.path}.lock", timeout=0):
                    return False
            except Timeout:  # which is an OSError too
                return True

    def _taken(self) -> RunError:
        return RunError(
            f"another process writes the journal {self._name!r} ({self.where}): is its bot running already? End that "
            "one, or give this bot another name",
            name=self._name,
        )

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a transaction of the writer; committed when the block ends well, else undone.

        Raises
        ------
        DataError
            The database does not take it: `fields["cause"]` is locked, full, disk, damaged, read-only, unreachable or
            other.
        RunError
            Another process has become the writer while the server was out of reach.
        """
        try:
            with self.explained():
                if self._writer is None or self._writer.closed or self._writer.invalidated:
                    self._writer = self._connect()
                self._wait_for(_BUSY_AGAIN_MS)
                with self._writer.begin():
                    if self.path:
                        self._writer.exec_driver_sql("BEGIN IMMEDIATE")
                    yield self._writer
                self._wait_for(_BUSY_MS)
                self._refused = False
        except DataError as error:
            self._refused = error.fields.get("cause") == "locked"
            self._drop()  # whatever state the connection is in, the next write begins with a fresh one
            raise

    def _wait_for(self, ms: int) -> None:
        """Change how long SQLite waits for whoever holds it, where it has refused."""
        if self._refused and self.path and self._writer is not None:
            database: Any = self._writer.connection.dbapi_connection  # beside any transaction
            database.execute(f"PRAGMA busy_timeout={ms}").close()

    def _connect(self) -> Connection:
        connection = self.engine.connect()
        if self.path is None and self._name:
            number = _number_of(f"journal {self._name}")
            taken = connection.execute(text("SELECT pg_try_advisory_lock(:number)"), {"number": number}).scalar()
            connection.commit()
            if not taken:
                connection.close()
                raise self._taken()
        return connection

    def _drop(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(SQLAlchemyError):
                writer.invalidate()
            with suppress(SQLAlchemyError):
                writer.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database.

        Raises
        ------
        DataError
            As `writing`.
        """
        with self.explained(), self.engine.connect() as connection, connection.begin():
            connection.exec_driver_sql("BEGIN" if self.path else "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield connection

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Map the errors of the database, once, at this border."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, *_UNREADABLE) as error:
            original = getattr(error, "orig", None) or error
            cause, fix = _cause(original)
            told = str(original).strip().splitlines()[:1]
            said = told[0] if told else type(error).__name__
            raise DataError(
                f"the journal {self.where} cannot be used: {said}; {fix}", cause=cause, where=self.where
            ) from error

    def give_back_space(self) -> None:
        """Make the file smaller by what was removed from it, where it is one."""
        if self.path is None:
            return
        with suppress(DataError), self.explained(), self.engine.connect() as connection:
            database: Any = connection.connection.dbapi_connection
            database.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);")  # to their ends

    def close(self) -> None:
        """Let go of the database and of the lock."""
        with suppress(SQLAlchemyError):
            if self._writer is not None:
                self._writer.close()
        self._writer = None
        self.engine.dispose()
        if self._lock is not None:
            self._lock.release()


def _version_of(connection: Connection) -> str | None:
    """Give the migration that the tables came out of; None where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _number_of(what: str) -> int:
    """Give the number of an advisory lock."""
    return int.from_bytes(hashlib.sha256(f"workbench {what}".encode()).digest()[:8], signed=True)


def _url_of(place: str | Path) -> URL:
    if isinstance(place, Path) or "://" not in place:
        return URL.create("sqlite", database=str(Path(place).expanduser().absolute()))
    try:
        url = make_url(place)
    except (ArgumentError, ValueError):
        raise ConfigError("the URL of the journal cannot be read; write postgresql://USER@HOST/DATABASE") from None
    if url.get_backend_name() == "sqlite" and url.database:
        return URL.create("sqlite", database=str(Path(url.database).absolute()))
    if url.get_backend_name() in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise ConfigError(
        f"a journal cannot be kept in {url.get_backend_name()!r}; give the path of an SQLite file, or "
        "postgresql://USER@HOST/DATABASE"
    )


def _set_up_to_write(connection: Any, record: Any) -> None:
    # an empty file alone takes it, and any other would wait for whoever writes there
    fresh = connection.execute("PRAGMA page_count").fetchone() == (0,)
    _set_up(connection, *["auto_vacuum=INCREMENTAL"] * fresh, "journal_mode=WAL", "synchronous=FULL")


def _set_up_to_read(connection: Any, record: Any) -> None:
    _set_up(connection, "query_only=ON")


def _set_up(connection: Any, *pragmas: str) -> None:
    connection.isolation_level = None  # transactions are begun by hand, so that a writer locks at once
    for pragma in (f"busy_timeout={_BUSY_MS}", *pragmas):
        connection.execute(f"PRAGMA {pragma}").close()


def _cause(original: BaseException) -> tuple[str, str]:
    if isinstance(original, _UNREADABLE):
        return _DAMAGED
    if isinstance(original, sqlite3.Error):
        return _SQLITE.get(getattr(original, "sqlite_errorcode", 0) & 0xFF, ("other", "check the file and its disk"))
    if not type(original).__module__.startswith("psycopg"):
        return "other", "this is a fault of workbench"
    state = getattr(original, "sqlstate", None)
    if state is None or state.startswith(("08", "57P")):
        return "unreachable", "check that the server runs, and the host, user and database of the URL"
    return _POSTGRES.get(state, ("other", "look into the log of the server"))
