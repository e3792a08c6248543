"""`Journal`: the append-only list of what one bot has handled and wanted, on disk, in a chain that only its key seals.

Entries are numbered and chained in memory when they are written, and go to the database together: with the next durable
one, with `flush`, or when many wait. A commit moves the head from where this writer left it, so that two writers can
never interleave, and a commit whose answer was lost is found to be done or not by the same look.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from workbench.bots.journal.chain import Entry, Head, genesis_of, linked, seal_of
from workbench.bots.journal.names import check_name
from workbench.bots.journal.reader import JournalReader, key_of, mark_of, snapshot_content
from workbench.bots.journal.records import (
    OWN,
    VERSION,
    Logged,
    Record,
    SessionEnded,
    SessionStarted,
    as_text,
    check_log,
    write_body,
)
from workbench.bots.journal.telling import classify
from workbench.errors import DataError, RunError, WorkbenchError
from workbench.trading.events import Action, Bar, Event, Learnt

if TYPE_CHECKING:
    from workbench.bots.journal.database import Database

__all__ = ["Journal"]

_MOST_WAITING: Final = 1_000
_SNAPSHOTS_KEPT: Final = 3


def _now() -> int:
    return time.time_ns() // 1_000_000


class Journal(JournalReader):
    """The journal of one bot, whose one writer this is; made by `open`.

    Examples
    --------
    >>> import tempfile
    >>> from workbench.trading.events import Started
    >>> with tempfile.TemporaryDirectory() as folder, Journal.open(f"{folder}/demo.sqlite", "demo") as journal:
    ...     journal.write(Started(0), durable=True)
    ...     [entry.record for entry in journal.entries()]
    [Started(ts=0)]
    """

    _clock: Callable[[], int] = staticmethod(_now)
    _hide: Callable[[str], str] | None = None

    def __init__(self, name: str, database: Database, key: bytes) -> None:
        super().__init__(name, database, key)
        self._guard = threading.RLock()
        self._waiting: list[Entry] = []
        self._end = self._written = Head(0, b"", 0, b"")
        self._ts = 0
        self.session = 0
        self.listener: Callable[[Record, int], None] | None = None  # told each record and its time

    @classmethod
    def open(
        cls,
        place: str | Path,
        name: str,
        key: bytes | None = None,
        *,
        clock: Callable[[], int] = _now,
        hide: Callable[[str], str] | None = None,
    ) -> Journal:
        """Open the journal of a bot to write it, and make it at first use.

        Parameters
        ----------
        place : path or str
            The file of an SQLite database, or `postgresql://USER@HOST/DATABASE`.
        name : str
            Of the bot.
        key : bytes, optional
            Of the seals; `journal.key` beside an SQLite file when left out, made at first use.
        clock : callable
            Gives the time at which an entry is recorded, ms UTC.
        hide : callable, optional
            Takes the text of an entry and gives it without what must not be kept, such as `Vault.hide`.

        Raises
        ------
        ConfigError
            The name or place is none, the key is missing or another one.
        DataError
            The database cannot be used, or its end is not as it was written.
        RunError
            Another process writes this journal.
        """
        from workbench.bots.journal.database import Database

        check_name(name)
        database = Database(place, write=True)
        try:
            if key is None and not _siblings(database):
                key = key_of(database, make=True)  # before there is a journal, so that no other bot misses it
            database.lock(name)
            database.make_tables()
            journal = cls(name, database, b"")
            journal._clock, journal._hide = clock, hide
            journal._begin(key)
        except WorkbenchError:
            database.close()
            raise
        return journal

    def _begin(self, key: bytes | None) -> None:
        from sqlalchemy import insert

        from workbench.bots.journal.tables import JOURNALS

        new = not self._is_there()
        self._key = key or key_of(self._database, make=False)
        if new:
            nonce = secrets.token_bytes(16)
            start = genesis_of(self.name, nonce)
            head = Head(0, start, 0, start).sealed_by(self._key)
            mark = mark_of(self._key, nonce)
            with self._database.writing() as connection:
                values = {"name": self.name, "created": self._clock(), "nonce": nonce, "key_mark": mark}
                connection.execute(insert(JOURNALS).values(**values, **head._asdict()))
        self._row()
        self._end = self._written = self._head()
        if self._end.position > self._end.base:
            last = next(self._checked(self._end, self._end.position - 1), None)
            if last is not None:
                self.session, self._ts = last.session, last.ts

    def _is_there(self) -> bool:
        from sqlalchemy import select

        from workbench.bots.journal.tables import JOURNALS

        with self._database.reading() as connection:
            return connection.execute(select(JOURNALS.c.name).where(JOURNALS.c.name == self.name)).first() is not None

    @property
    def position(self) -> int:
        """Place of the last entry, whether it is on disk yet or waits."""
        return self._end.position

    @property
    def waiting(self) -> int:
        """How many entries are not on disk yet."""
        return len(self._waiting)

    def write(self, entry: Event | Action, durable: bool = False) -> None:
        """Append an event or action.

        Parameters
        ----------
        entry : Event or Action
        durable : bool
            Whether it, and all before it, is on disk when this returns. Others wait for the next that is, for `flush`,
            or until 1,000 wait.

        Raises
        ------
        DataError
            It is no plain data; or the database does not take it (`fields["cause"]`): then it waits, and the next
            write or `flush` tries again.
        RunError
            Another process has written this journal meanwhile.
        """
        with self._guard:
            self._append(entry)
            if durable or len(self._waiting) >= _MOST_WAITING:
                self.flush()

    def log(self, level: str, category: str, text: str, fields: dict[str, Any] | None = None) -> None:
        """Append a line of the log; from level "error" on it is on disk when this returns.

        Parameters
        ----------
        level : {"debug", "info", "warning", "error", "critical"}
        category : {"execution", "signal", "order", "position", "risk", "system"}
        text : str
        fields : dict, optional
            Facts as plain data, such as a snapshot of the market.

        Raises
        ------
        DataError
            There is no such level or category; or as `write`.
        """
        check_log(level, category)
        with self._guard:
            self._append(Logged(self._clock(), level, category, text, fields or {}))
            if level in ("error", "critical"):
                self.flush()

    def begin_session(self, details: dict[str, Any] | None = None) -> int:
        """Note that a process takes the bot up.

        Parameters
        ----------
        details : dict, optional
            What it runs with, as plain data: versions, parameters, mode.

        Returns
        -------
        int
            The number of the session, from 1.
        """
        with self._guard:
            self.session += 1
            self._append(SessionStarted(self._clock(), self.session, details or {}))
            self.flush()
            return self.session

    def end_session(self, reason: str) -> None:
        """Note that the process lets go of the bot, and why."""
        with self._guard:
            self._append(SessionEnded(self._clock(), self.session, reason))
            self.flush()

    def _append(self, record: Record) -> None:
        kind, body = write_body(record)
        if self._hide is not None:
            body = self._hide(body)
        category, level = classify(record)
        ts = record.closes if isinstance(record, (Bar, Learnt)) else getattr(record, "ts", self._ts)
        if kind not in OWN:
            self._ts = ts  # what the core wants has no time of its own: it is that of what it wants it for
        place = self._end.position + 1
        entry = Entry(place, ts, self._clock(), self.session, kind, category, level, VERSION, body)
        entry = linked(entry, self._end.hash, self._key)
        self._waiting.append(entry)
        self._end = self._end._replace(position=entry.position, hash=entry.hash)
        if self.listener is not None:
            self.listener(record, ts)

    def flush(self) -> None:
        """Bring all entries that wait to disk.

        Raises
        ------
        DataError, RunError
            As `write`.
        """
        with self._guard:
            if self._waiting and not self._commit():
                self._catch_up()
                if self._waiting:
                    self._commit()

    def _commit(self) -> bool:
        """Write what waits; tell whether the head was where we left it."""
        from workbench.bots.journal.tables import ADD

        head = self._end.sealed_by(self._key)
        rows = [{"journal": self.name, **entry._asdict()} for entry in self._waiting]
        with self._database.writing() as connection:
            if not self._move(connection, head):
                return False
            connection.execute(ADD, rows)
        self._written = self._end = head
        self._waiting.clear()
        return True

    def _move(self, connection: Any, head: Head) -> bool:
        """Move the head on from where this writer left it; False where it is elsewhere."""
        from workbench.bots.journal.tables import MOVE

        old = {
            "mine": self.name,
            **{f"old_{field}": getattr(self._written, field) for field in ("base", "position", "hash")},
        }
        new = {f"new_{field}": value for field, value in head._asdict().items()}
        return bool(connection.execute(MOVE, {**old, **new}).rowcount == 1)

    def _catch_up(self) -> None:
        """Find out how far an earlier commit came whose answer was lost."""
        head = self._head()
        done = [number for number, entry in enumerate(self._waiting, 1) if entry.hash == head.hash]
        if not done or head.base != self._written.base:
            raise self._overtaken(head)
        del self._waiting[: done[0]]
        self._written = head

    def save_snapshot(self, data: dict[str, Any], position: int | None = None) -> None:
        """Keep the state of the core after an entry, for a quick start; the three newest are kept.

        Parameters
        ----------
        data : dict
            What the core's `snapshot` gave.
        position : int, optional
            Place of the last entry that it has handled; the last one written when left out.

        Raises
        ------
        DataError
            There is no such place; or as `write`.
        """
        from sqlalchemy import delete, insert

        from workbench.bots.journal.tables import SNAPSHOTS

        with self._guard:
            self.flush()
            place = self.position if position is None else position
            if not self._end.base <= place <= self.position:
                raise DataError(f"journal {self.name!r} has no entry {place:,} that a snapshot could follow")
            digest = self._end.hash if place == self.position else self._hash_at(place)
            body = as_text(data, "a snapshot")
            row = SimpleNamespace(
                journal=self.name, position=place, recorded=self._clock(), version=VERSION, hash=digest, body=body
            )
            seal = seal_of(self._key, snapshot_content(row))
            kept = sorted({place, *(one.position for one in self._snapshots(_SNAPSHOTS_KEPT))})[-_SNAPSHOTS_KEPT:]
            mine = SNAPSHOTS.c.journal == self.name
            with self._database.writing() as connection:
                replaced = (SNAPSHOTS.c.position == place) | (SNAPSHOTS.c.position < kept[0])
                connection.execute(delete(SNAPSHOTS).where(mine, replaced))
                connection.execute(insert(SNAPSHOTS).values(**vars(row), seal=seal))

    def prune(self, before: int, *, export: str | Path | None = None) -> int:
        """Remove old entries, as far as the newest snapshot makes them needless; what is left can still be checked.

        Parameters
        ----------
        before : int
            Remove what was written before this time, ms UTC.
        export : path, optional
            Write them to a Parquet file in this folder first.

        Returns
        -------
        int
            How many were removed; 0 where nothing is that old, or no snapshot was kept since.

        Raises
        ------
        DataError
            The journal is not as it was written; or as `write`.
        """
        with self._guard:
            self.flush()
            self.check()
            last = self._last_before(before)
            if last <= self._end.base:
                return 0
            base, count = self._end, last - self._end.base
            told = f"entries {base.base + 1:,} to {last:,} were removed"
            if export is not None:
                removed = base._replace(position=last, hash=self._hash_at(last))
                told += f"; they are in {self._export(Path(export), removed).name}"
            self._cut(base._replace(base=last, base_hash=self._hash_at(last)).sealed_by(self._key))
            self.log("info", "system", told, {"first": base.base + 1, "last": last})
            self.flush()
            return count

    def _last_before(self, time: int) -> int:
        """Find the last entry that was written before a time and that a snapshot covers."""
        from sqlalchemy import func, select

        from workbench.bots.journal.tables import ENTRIES

        snapshot = self.latest_snapshot()
        if snapshot is None:
            return 0
        at = ENTRIES.c
        query = select(func.max(at.position)).where(
            at.journal == self.name, at.recorded < time, at.position <= snapshot.position
        )
        with self._database.reading() as connection:
            return connection.execute(query).scalar() or 0

    def _cut(self, head: Head) -> None:
        """Move the beginning on, and remove what lies before it, at once."""
        from sqlalchemy import delete

        from workbench.bots.journal.tables import ENTRIES, SNAPSHOTS

        with self._database.writing() as connection:
            if not self._move(connection, head):
                raise self._overtaken(super()._head())
            for table in (ENTRIES, SNAPSHOTS):
                old = table.c.position <= head.base if table is ENTRIES else table.c.position < head.base
                connection.execute(delete(table).where(table.c.journal == self.name, old))
        self._written = self._end = head
        self._database.give_back_space()

    def _overtaken(self, head: Head) -> RunError:
        return RunError(
            f"another process has written the journal {self.name!r} ({self.where}) up to entry {head.position:,}, "
            f"this one up to {self._written.position:,}: stop one of the two bots",
            name=self.name,
        )

    def _settle(self) -> None:
        self.flush()  # whoever reads, reads all

    def close(self) -> None:
        """Bring what waits to disk, and let go of the journal.

        Raises
        ------
        DataError, RunError
            What waits cannot be written; the journal is let go of all the same.
        """
        with self._guard:
            try:
                self.flush()
            finally:
                super().close()


def _siblings(database: Database) -> bool:
    """Tell whether there are journals where this one is to be, which a new key would not fit."""
    return database.path is None or any(database.path.parent.glob("*.sqlite"))
