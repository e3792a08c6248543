"""What a simulated venue remembers: a file beside the bot's journal, on disk before anybody is told of a change.

One SQLite database with the state of the venue, every order and every execution. Each row bears a digest of itself and
its place, and the state says how many rows there are, so that a file that was changed, cut or put together of two is
refused and never half believed.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from workbench.bots.folder import make_bots_folder
from workbench.errors import ConfigError, DataError

__all__ = ["Kept", "PaperMemory"]

VERSION: Final = 1
_TABLES: Final = ("orders", "fills")
_ROOM: Final = 1_000_000  # bytes: more than the log becomes before it is written over from its start
_BUSY: Final = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))
_MAKE: Final = """
CREATE TABLE state (number INTEGER PRIMARY KEY, body TEXT NOT NULL, digest TEXT NOT NULL) STRICT;
CREATE TABLE orders (number INTEGER PRIMARY KEY, body TEXT NOT NULL, digest TEXT NOT NULL) STRICT;
CREATE TABLE fills (number INTEGER PRIMARY KEY, body TEXT NOT NULL, digest TEXT NOT NULL) STRICT;
CREATE TABLE room (body BLOB) STRICT;
"""

Rows = Mapping[int, Any]


class Kept(NamedTuple):
    """All that was kept: the state, and orders and executions by number."""

    state: dict[str, Any]
    orders: dict[int, Any]
    fills: dict[int, Any]


class PaperMemory:
    """The file of one simulated venue; open for one process at a time.

    Parameters
    ----------
    path : Path
        Made if need be, with its folder.
    what : mapping
        Whose it is, as plain data: another venue's file is refused.

    Raises
    ------
    DataError
        The file is damaged, in use, of another version, or cannot be written.
    ConfigError
        It is of something else.
    """

    def __init__(self, path: Path, what: Mapping[str, Any]) -> None:
        self.path, self._what = path, json.loads(_written(what))
        make_bots_folder(path.parent)
        self._full = True
        with self._explained():
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=2.0)
        try:
            self.kept = self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> Kept | None:
        with self._explained():
            for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=200"):
                self._connection.execute(f"PRAGMA {pragma}").close()
            with self._transaction():
                version = self._value("PRAGMA user_version")
                if version == 0 and not self._value("SELECT count(*) FROM sqlite_master"):
                    for statement in filter(str.strip, _MAKE.split(";")):
                        self._connection.execute(statement)
                    self._connection.execute(f"PRAGMA user_version={VERSION}")
                    version = VERSION
            if version != VERSION:
                raise DataError(
                    f"{self.path} has version {version}, and this workbench reads {VERSION}: move it away to begin a "
                    "new paper account, or use the workbench that wrote it",
                    path=str(self.path),
                )
            if self._value("PRAGMA integrity_check(1)") != "ok":
                raise self._damaged("its pages do not fit together")
            found = self._read()
            self._make_room()
            return found

    def _make_room(self) -> None:
        """Let the log and the file be as large as they will become: what need not grow is on disk much sooner."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO room VALUES (zeroblob(?))", (_ROOM,))
        self._connection.execute("DELETE FROM room")
        self._connection.execute("COMMIT")
        self._connection.execute("PRAGMA wal_checkpoint(RESTART)").close()

    def _read(self) -> Kept | None:
        states = self._rows("state")
        if not states:
            return None
        state = states.get(1)
        orders, fills = (self._rows(name) for name in _TABLES)
        if not isinstance(state, dict) or not {"what", "orders", "fills", "last"} <= set(state) or len(states) != 1:
            raise self._damaged("its state is missing")
        if [state["orders"], state["fills"]] != [len(orders), len(fills)]:
            raise self._damaged("rows are missing, or too many")
        if state["last"] != _last(fills):
            raise self._damaged("its executions are not those of its state")
        other = [f"{key} was {state['what'].get(key)!r}" for key, one in self._what.items()
                 if state["what"].get(key) != one]  # fmt: skip
        if other:
            raise ConfigError(
                f"{self.path} is of a paper account on other terms ({'; '.join(other)}): run the bot as it was, or "
                "give it another name",
                path=str(self.path),
            )
        return Kept(state["body"], orders, fills)

    def _rows(self, table: str) -> dict[int, Any]:
        found = {}
        with closing(self._connection.execute(f"SELECT number, body, digest FROM {table} ORDER BY number")) as rows:
            for number, body, digest in rows:
                if digest != _digest(table, number, body):
                    raise self._damaged(f"row {number} of its {table} was changed")
                found[number] = json.loads(body)
        return found

    def save(self, state: Mapping[str, Any], orders: Rows, fills: Rows, *, durable: bool = True) -> None:
        """Keep the state, and the orders and executions that are new or changed, all or nothing.

        Parameters
        ----------
        state : mapping
        orders, fills : mapping of number to plain data
        durable : bool
            Whether to wait until it is on disk. Without, it outlives the process, not a power cut.

        Raises
        ------
        DataError
            It cannot be written; what was kept before is still there.
        """
        with self._explained():
            if durable != self._full:
                self._connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}").close()
                self._full = durable
            with self._transaction():
                self._put("orders", orders.items())
                self._put("fills", fills.items())
                last = [max(fills), _written(fills[max(fills)])] if fills else None
                counted = {"orders": self._count("orders"), "fills": self._count("fills"),
                           "last": self._last() if last is None else last}  # fmt: skip
                self._put("state", [(1, {"what": self._what, "body": state, **counted})])

    def _last(self) -> Any:
        row = self._connection.execute("SELECT number, body FROM fills ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else list(row)

    def _count(self, table: str) -> int:
        return int(self._value(f"SELECT coalesce(max(number), 0) FROM {table}"))

    def _put(self, table: str, rows: Iterable[tuple[int, Any]]) -> None:
        texts = [(number, _written(body)) for number, body in rows]
        self._connection.executemany(
            f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)",
            [(number, body, _digest(table, number, body)) for number, body in texts],
        )

    def _value(self, query: str) -> Any:
        return self._connection.execute(query).fetchone()[0]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Map the errors of the database, once, at this border."""
        try:
            yield
        except (sqlite3.DatabaseError, ValueError, OverflowError) as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in _BUSY:
                raise DataError(f"{self.path} is in use: is the bot running already?", path=str(self.path)) from error
            if isinstance(error, sqlite3.OperationalError):
                raise DataError(f"{self.path} cannot be used: {error}; check the disk", path=str(self.path)) from error
            raise self._damaged(str(error)) from error

    def _damaged(self, why: str) -> DataError:
        return DataError(
            f"{self.path} is damaged: {why}. It is the paper account of a bot; restore it from a backup, or begin a "
            "new bot under another name",
            path=str(self.path),
        )

    def close(self) -> None:
        """Let go of the file."""
        with suppress(sqlite3.Error):
            self._connection.close()


def _last(fills: Mapping[int, Any]) -> list[Any] | None:
    return [max(fills), _written(fills[max(fills)])] if fills else None


def _written(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"), allow_nan=True)


def _digest(table: str, number: int, body: str) -> str:
    return hashlib.blake2b(f"{table}|{number}|{body}".encode(), digest_size=12).hexdigest()
