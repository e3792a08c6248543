"""`JournalReader`: reading and checking a journal that another process may be writing."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from workbench.bots.journal.chain import Entry, Head, checked, is_itself, seal_of, sealed
from workbench.bots.journal.findings import LogLine, LogPage, Session, Snapshot, Verification
from workbench.bots.journal.keys import seal_key
from workbench.bots.journal.records import LEVELS, OWN, VERSION, check_log
from workbench.bots.journal.telling import describe
from workbench.errors import ConfigError, DataError, WorkbenchError

if TYPE_CHECKING:
    from workbench.bots.journal.database import Database

__all__ = ["JournalReader"]

_PAGE: Final = 2_000  # entries that are read at once
_COLUMNS: Final = Entry._fields

Self = TypeVar("Self", bound="JournalReader")


class JournalReader:
    """A journal, for reading; made by `open`.

    Parameters
    ----------
    name : str
    database : Database
    key : bytes
        Of the seals.
    """

    def __init__(self, name: str, database: Database, key: bytes) -> None:
        self.name, self._database, self._key = name, database, key

    @classmethod
    def open(cls: type[Self], place: str | Path, name: str, key: bytes | None = None) -> Self:
        """Open a journal to read and check it, while its bot runs or not.

        Parameters
        ----------
        place : path or str
            The file of an SQLite database, or `postgresql://USER@HOST/DATABASE`.
        name : str
            Of the bot.
        key : bytes, optional
            Of the seals; `journal.key` beside an SQLite file when left out.

        Raises
        ------
        ConfigError
            The key is missing, or the journal was sealed with another.
        DataError
            There is no such journal, or it cannot be read.
        """
        from workbench.bots.journal.database import Database

        database = Database(place, write=False)
        try:
            database.make_tables()
            journal = cls(name, database, key or key_of(database, make=False))
            journal._row()
        except WorkbenchError:
            database.close()
            raise
        return journal

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self._database.where!r})"

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _settle(self) -> None:
        """Bring what waits to the database, where this writes too."""

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    @property
    def where(self) -> str:
        """The file, or the URL without its password."""
        return self._database.where

    @property
    def nonce(self) -> str:
        """Chance text that no other journal has, not even a later one of a bot of the same name."""
        return str(self._row().nonce.hex())

    @property
    def is_written(self) -> bool:
        """Whether a process has the journal open to write it: its bot runs."""
        return self._database.is_written(self.name)

    @property
    def last_recorded(self) -> int | None:
        """When the last entry was written, ms UTC by the bot's clock; None before the first."""
        head = self.head
        last = next(self._rows(head.position - 1, head.position), None) if head.position > head.base else None
        return None if last is None else last.recorded

    @property
    def head(self) -> Head:
        """Where it begins and ends now.

        Raises
        ------
        DataError
            The record of that was changed, or entries were put behind the end.
        """
        self._settle()
        return self._head()

    def entries(self, after: int = 0, kinds: Collection[str] | None = None) -> Iterator[Entry]:
        """Read what happened, in order; each entry is checked before it is given.

        Parameters
        ----------
        after : int
            Begin behind this place.
        kinds : collection of str, optional
            Names of types of records; the events and actions of the core when left out.

        Yields
        ------
        Entry
            Its `record` is the event or action.

        Raises
        ------
        DataError
            The chain is broken, and where; or the beginning was pruned: begin `after` a snapshot, or `head.base`.
        """
        head = self.head
        if after < head.base:
            raise DataError(
                f"journal {self.name!r} begins at entry {head.base + 1:,}, those before it were pruned: read on after "
                f"a snapshot, or say after={head.base}",
                base=head.base,
            )
        if after > head.position:
            raise DataError(f"journal {self.name!r} ends at entry {head.position:,}: there is nothing after {after:,}")
        for entry in self._checked(head, after):
            if entry.kind in kinds if kinds is not None else entry.kind not in OWN:
                yield entry

    def _checked(self, head: Head, after: int) -> Iterator[Entry]:
        start = head.base_hash if after == head.base else self._hash_at(after)
        return checked(self._rows(after, head.position), (after, start), head[2:4], self._key, self._broken)

    def _rows(self, after: int, until: int) -> Iterator[Entry]:
        from sqlalchemy import select

        from workbench.bots.journal.tables import ENTRIES

        columns = [ENTRIES.c[name] for name in _COLUMNS]
        while after < until:
            query = (
                select(*columns)
                .where(ENTRIES.c.journal == self.name, ENTRIES.c.position > after, ENTRIES.c.position <= until)
                .order_by(ENTRIES.c.position)
                .limit(_PAGE)
            )
            with self._database.reading() as connection:
                rows = [Entry(*row) for row in connection.execute(query)]
            if not rows:
                return
            yield from rows
            after = rows[-1].position

    def verify(self) -> Verification:
        """Check every entry, the end, and the snapshots.

        Returns
        -------
        Verification
            With the first place that is not as it was written.
        """
        self._settle()
        first, last = 1, 0
        try:
            head = self._head()
            first, last = head.base + 1, head.position
            for _ in self._checked(head, head.base):
                pass
            self._check_snapshots()
        except DataError as error:
            if "fault" not in error.fields:
                raise
            found = {name: error.fields[name] for name in ("fault", "position", "text")}
            return Verification(name=self.name, first=first, last=last, **found)
        return Verification(name=self.name, first=first, last=last)

    def check(self) -> None:
        """Make sure that all is as it was written.

        Raises
        ------
        DataError
            It is not, and where (`fields["position"]`).
        """
        if not (found := self.verify()).ok:
            raise self._broken(found.fault, found.position or 0, found.text)

    def export(self, folder: str | Path, *, overwrite: bool = True) -> Path:
        """Write all entries to a Parquet file: what happened, in words and as JSON, with the hashes of the chain.

        Parameters
        ----------
        folder : path
            Made where it is missing; the file is named after the bot and the places of the first and last entry.
        overwrite : bool, default True
            Whether a file of that name may be replaced.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        DataError
            The journal is not as it was written, is empty, or the file cannot be written or is there.
        """
        return self._export(Path(folder), self.head, overwrite=overwrite)

    def _export(self, folder: Path, head: Head, *, overwrite: bool = True) -> Path:
        from workbench.bots.journal.exporting import write_parquet

        if head.position == head.base:
            raise DataError(f"journal {self.name!r} has no entries to export")
        path = folder.expanduser() / f"{self.name}-{head.base + 1}-{head.position}.parquet"
        if not overwrite and path.exists():
            raise DataError(f"{path} is there already; name another folder, or give --force", path=str(path))
        about = {"journal": self.name, "follows": head.base_hash.hex(), "ends": head.hash.hex()}
        write_parquet(path, self._checked(head, head.base), about)
        return path

    def logs(
        self,
        level: str | None = None,
        category: str | None = None,
        since: int | None = None,
        until: int | None = None,
        page: int = 1,
        size: int = 100,
    ) -> LogPage:
        """Read a page of the log, newest first.

        Parameters
        ----------
        level : str, optional
            The least of debug, info, warning, error, critical.
        category : str, optional
            One of execution, signal, order, position, risk, system.
        since, until : int, optional
            When it was written (ms UTC), from and before.
        page, size : int
            Which page, from 1, and how many lines it has at most.

        Raises
        ------
        DataError
            There is no such level or category, or a line is not as it was written.
        """
        from sqlalchemy import func, select

        from workbench.bots.journal.tables import ENTRIES

        self._settle()
        check_log(level, category)
        if page < 1 or size < 1:
            raise DataError(f"page {page} of {size} lines: both are counted from 1")
        at = ENTRIES.c
        where = [at.journal == self.name, at.level != ""]
        if level is not None:
            where.append(at.level.in_(LEVELS[LEVELS.index(level) :]))
        where += [at.category == category] if category is not None else []
        where += [at.recorded >= since] if since is not None else []
        where += [at.recorded < until] if until is not None else []
        query = select(*(at[name] for name in _COLUMNS)).where(*where).order_by(at.position.desc())
        with self._database.reading() as connection:
            total = connection.execute(select(func.count()).select_from(ENTRIES).where(*where)).scalar() or 0
            rows = [Entry(*row) for row in connection.execute(query.limit(size).offset((page - 1) * size))]
        lines = tuple(map(self._line, rows))
        return LogPage(lines=lines, page=page, pages=max(1, -(-total // size)), total=total)

    def _line(self, entry: Entry) -> LogLine:
        record = self._own(entry).record
        fields = record.fields if entry.kind == "Logged" else {}
        return LogLine(*entry[:4], entry.level, entry.category, describe(record), fields)

    def _own(self, entry: Entry) -> Entry:
        """Make sure that an entry alone is as it was written."""
        if not is_itself(entry) or not sealed(self._key, entry.hash, entry.seal):
            raise self._broken("changed", entry.position, f"entry {entry.position:,} was changed")
        return entry

    def sessions(self) -> tuple[Session, ...]:
        """List the processes that ran the bot, oldest first."""
        from sqlalchemy import select

        from workbench.bots.journal.tables import ENTRIES

        self._settle()
        at = ENTRIES.c
        kinds = ("SessionStarted", "SessionEnded")
        query = select(*(at[name] for name in _COLUMNS)).where(
            at.journal == self.name, at.level != "", at.kind.in_(kinds)
        )
        with self._database.reading() as connection:
            rows = [Entry(*row) for row in connection.execute(query.order_by(at.position))]
        found: dict[int, Session] = {}
        for record in (self._own(row).record for row in rows):
            before = found.get(record.session)
            if hasattr(record, "details"):
                found[record.session] = Session(record.session, record.ts, None, "", record.details)
            elif before is not None:
                found[record.session] = before._replace(ended=record.ts, reason=record.reason)
        return tuple(found.values())

    def latest_snapshot(self) -> Snapshot | None:
        """Read the newest state that was kept; None where there is none.

        Raises
        ------
        DataError
            It is not as it was written.
        """
        rows = self._snapshots(1)
        if not rows:
            return None
        self._check_snapshot(rows[0], self._head())
        return Snapshot(rows[0].position, rows[0].recorded, json.loads(rows[0].body))

    def _snapshots(self, most: int) -> list[Any]:
        from sqlalchemy import select

        from workbench.bots.journal.tables import SNAPSHOTS

        at = SNAPSHOTS.c
        query = select(SNAPSHOTS).where(at.journal == self.name).order_by(at.position.desc()).limit(most)
        with self._database.reading() as connection:
            return list(connection.execute(query))

    def _check_snapshots(self) -> None:
        head = self._head()
        for row in self._snapshots(1_000):
            self._check_snapshot(row, head)

    def _check_snapshot(self, row: Any, head: Head) -> None:
        whole = row.version <= VERSION and sealed(self._key, snapshot_content(row), row.seal)
        there = head.base <= row.position <= head.position
        digest = head.base_hash if row.position == head.base else self._hash_at(row.position) if there else b""
        if not (whole and there and row.hash == digest):
            raise self._broken("changed", row.position, f"the snapshot after entry {row.position:,} was changed")

    def _hash_at(self, position: int) -> bytes:
        """Give the hash of an entry, which its seal vouches for."""
        for entry in self._rows(position - 1, position):
            return self._own(entry).hash
        raise self._broken("missing", position, f"entry {position:,} is missing")

    def _row(self) -> Any:
        """Read the record of this journal, whose key must be ours."""
        from sqlalchemy import select

        from workbench.bots.journal.tables import JOURNALS

        with self._database.reading() as connection:
            row = connection.execute(select(JOURNALS).where(JOURNALS.c.name == self.name)).first()
            names = [] if row else list(connection.execute(select(JOURNALS.c.name)).scalars())
        if row is None:
            have = f"there are {', '.join(sorted(names))}" if names else "there is none"
            raise DataError(f"there is no journal {self.name!r} in {self.where}; {have}", name=self.name)
        if row.key_mark != mark_of(self._key, row.nonce):
            raise ConfigError(
                f"journal {self.name!r} in {self.where} was sealed with another key than this one: put back the "
                "journal.key that belongs to it",
                name=self.name,
            )
        return row

    def _head(self) -> Head:
        from sqlalchemy import func, select

        from workbench.bots.journal.tables import ENTRIES, JOURNALS

        last = select(func.max(ENTRIES.c.position)).where(ENTRIES.c.journal == self.name)
        query = select(*(JOURNALS.c[name] for name in Head._fields), last.scalar_subquery())
        with self._database.reading() as connection:
            row = connection.execute(query.where(JOURNALS.c.name == self.name)).first()
        if row is None:
            raise self._broken("missing", 1, "the record of the journal is missing")
        head, found = Head(*row[:5]), row[5]
        if not head.is_sealed_by(self._key):
            raise self._broken("changed", head.position, "the record of where it begins and ends was changed")
        if found is not None and found > head.position:
            place = head.position + 1
            raise self._broken("appended", place, f"entries from {place:,} on were appended by another hand")
        return head

    def _broken(self, fault: str, position: int, text: str) -> DataError:
        return DataError(
            f"journal {self.name!r} in {self.where} is not as it was written: {text}. Put back a copy of your backup, "
            "or give the bot another name and let it begin anew",
            name=self.name,
            fault=fault,
            position=position,
            text=text,
        )


def key_of(database: Database, *, make: bool) -> bytes:
    """Give the key beside an SQLite file.

    Raises
    ------
    ConfigError
        There is no file that it could be beside, or no key.
    """
    if database.path is None:
        raise ConfigError(f"a journal in {database.where} needs the key of its seals: key=seal_key(folder)")
    return seal_key(database.path.parent, make=make)


def mark_of(key: bytes, nonce: bytes) -> bytes:
    """Give what tells a key from others without telling the key."""
    return seal_of(key, b"mark" + nonce)[:8]


def snapshot_content(row: Any) -> bytes:
    """Give what the seal of a snapshot vouches for."""
    digest = row.hash.hex()
    return f"snapshot {row.journal} {row.position} {row.recorded} {row.version} {digest} {row.body}".encode()
