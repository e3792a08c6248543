"""Immutable Parquet parts behind one manifest: what the lake and the run ledger keep their rows in.

A store is a folder. `manifest.json` lists the part files that count; it is replaced by rename, so whoever reads it sees
the store before a write or after it, never between. A part is never changed and its name never used again: engines
open a Parquet file more than once and trust what they saw first, so even an atomic replacement under the same name
breaks readers. Readers take the list from the manifest and take no lock; a file that no longer counts stays for
a grace period and is deleted by a later writer. Writers take turns by an advisory lock that ends with its process.

Nothing here knows what the rows mean: `market.lake` and `research.ledger` do.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from workbench._durable import explained, make_folder, sync_folder, write_new
from workbench._manifest import Manifest, Part, Retired
from workbench.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MANIFEST", "Manifest", "Part", "PartStore", "Transaction"]

MANIFEST: Final = "manifest.json"
_LOCK: Final = ".lock"
_READ_ATTEMPTS: Final = 20
_MANY_RETIRED: Final = 64  # a fast writer must not fill the disk within one grace period:
_SHORT_GRACE_S: Final = 5.0  # of what is retired beyond that number only the last seconds are kept
_CHUNK: Final = 1 << 20
_OURS: Final = (".parquet", ".tmp")  # what a sweep may delete; a README that somebody puts here stays

T = TypeVar("T")


class PartStore:
    """A folder of Parquet parts that any number of processes read while one writes.

    Parameters
    ----------
    folder : path
        Made by the first write. Reading never creates or changes anything.
    grace_s : float, default 60
        Seconds that a file which no longer counts is kept for readers that are still at it.
    lock_timeout_s : float, default 30
        Seconds that a writer waits for another one.
    write_options : mapping, optional
        More options of `pyarrow.parquet.write_table`.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        grace_s: float = 60.0,
        lock_timeout_s: float = 30.0,
        write_options: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.grace_s = grace_s
        self.lock_timeout_s = lock_timeout_s
        self._write_options = dict(write_options or {})

    def __repr__(self) -> str:
        return f"PartStore({str(self.folder)!r})"

    def exists(self) -> bool:
        """Tell whether anything was ever written here."""
        return (self.folder / MANIFEST).is_file()

    def path(self, part: Part) -> Path:
        """Give the path of a part's file."""
        return self.folder / part.file

    def manifest(self) -> Manifest:
        """Read what the store holds now; an empty manifest when there is none.

        Raises
        ------
        DataError
            The manifest cannot be read, is damaged, or was written by a newer workbench.
        """
        return Manifest.load(self.folder / MANIFEST)

    def read(self, load: Callable[[Manifest], T]) -> T:
        """Load something from the parts that count now; again if they were replaced and deleted meanwhile.

        Parameters
        ----------
        load : callable
            Takes the manifest and opens exactly the files it lists. It may be called more than once.

        Returns
        -------
        object
            What `load` gave.

        Raises
        ------
        DataError
            The parts are replaced faster than they can be read. Errors of `load` itself come through.
        """
        for _ in range(_READ_ATTEMPTS):
            manifest = self.manifest()
            try:
                return load(manifest)
            except Exception:
                if not self.superseded(manifest):
                    raise
        raise DataError(
            f"{self.folder}: the parts were replaced {_READ_ATTEMPTS} times while they were read; pause the writer, or "
            "give the store a longer grace_s",
            path=str(self.folder),
        )

    def superseded(self, manifest: Manifest) -> bool:
        """Tell whether a manifest read earlier lists files that a later write has deleted."""
        gone = any(not self.path(part).exists() for part in manifest.parts)
        return gone and self.manifest().parts != manifest.parts

    def damage(self, part: Part) -> str | None:
        """Compare a part's file with what the manifest says of it.

        Returns
        -------
        str or None
            What is wrong, in words; None when every byte is as it was written.
        """
        size = checksum = 0
        try:
            with open(self.path(part), "rb", buffering=0) as file:
                while chunk := file.read(_CHUNK):
                    size, checksum = size + len(chunk), zlib.crc32(chunk, checksum)
        except OSError as error:
            return _unreadable(error)
        return _difference(part, size, checksum)

    def content(self, part: Part, scratch: bytearray | None = None) -> tuple[memoryview, str | None]:
        """Read a part's file into memory and compare it with what the manifest says.

        Parameters
        ----------
        part : Part
        scratch : bytearray, optional
            Where to put the bytes, one more than the part's size; who reads many parts saves new memory for each.

        Returns
        -------
        tuple
            The bytes, and what is wrong with them as `damage` says it. What is compared is what is given: nothing that
            changes on the disk later matters.
        """
        place = memoryview(bytearray(part.size + 1) if scratch is None else scratch)
        size = 0
        try:
            with open(self.path(part), "rb", buffering=0) as file:
                while more := file.readinto(place[size : part.size + 1]):
                    size += more
        except OSError as error:
            return place[:0], _unreadable(error)
        return place[:size], _difference(part, size, zlib.crc32(place[:size]))

    def table(self, parts: Sequence[Part] | None = None) -> pa.Table:
        """Read rows into one Arrow table; columns that a part lacks are null there.

        Parameters
        ----------
        parts : sequence of Part, optional
            All parts that count now when left out.

        Raises
        ------
        DataError
            A part is missing or damaged; the message names it.
        """
        if parts is None:
            return self.read(lambda manifest: self.table(manifest.parts))
        import pyarrow as pa
        import pyarrow.parquet as pq

        tables = []
        for part in parts:
            content, reason = self.content(part)
            if reason is not None:
                raise DataError(
                    f"{self.path(part)}: {reason}; restore the file from a backup", path=str(self.path(part))
                )
            tables.append(pq.ParquetFile(pa.BufferReader(content), pre_buffer=False).read(use_threads=False))
        return pa.concat_tables(tables, promote_options="permissive") if tables else pa.table({})

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Change the store: everything inside the `with` block counts at its end, or nothing does.

        Yields
        ------
        Transaction
            With the manifest as it is now, `add`, `retire` and the store's `meta`.

        Raises
        ------
        DataError
            Another process keeps writing here, the disk is full or the folder is not writable; nothing was changed.
        """
        with self._locked():
            manifest = self.manifest()
            self._sweep(manifest)
            change = Transaction(self, manifest)
            try:
                yield change
                self._commit(change)
            except BaseException:
                self._discard(change)
                raise

    def append(self, table: pa.Table, meta: Mapping[str, Any] | None = None) -> Part:
        """Add rows as one new part, and give the part."""
        with self.transaction() as change:
            return change.add(table, meta)

    def compact(self, *, more_than: int = 32, below_rows: int = 100_000, meta: Mapping[str, Any] | None = None) -> int:
        """Merge small parts into one when there are many; the rows keep their order.

        Parameters
        ----------
        more_than : int, default 32
            Nothing is done while there are no more small parts than this.
        below_rows : int, default 100,000
            Parts with fewer rows are small.
        meta : mapping, optional
            What to note about the merged part.

        Returns
        -------
        int
            How many parts were merged.
        """
        if sum(part.rows < below_rows for part in self.manifest().parts) <= more_than:
            return 0  # most calls end here, without the lock
        with self.transaction() as change:
            small = [part for part in change.parts if part.rows < below_rows]
            if len(small) <= more_than:
                return 0
            merged = self.table(small)
            for part in small:
                change.retire(part)
            change.add(merged, meta)
            return len(small)

    def delete(self) -> None:
        """Delete the store with everything in it; readers that are at it get an error."""
        with self._locked(), explained(self.folder):
            (self.folder / MANIFEST).unlink(missing_ok=True)  # first: from here on there is no store
            for name in os.listdir(self.folder):
                if name.endswith(_OURS):
                    (self.folder / name).unlink(missing_ok=True)
            (self.folder / _LOCK).unlink(missing_ok=True)
        with suppress(OSError):  # something of the user's is inside, or a new writer has come
            self.folder.rmdir()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock, Timeout

        path = self.folder / _LOCK
        lock = FileLock(path, timeout=self.lock_timeout_s, fallback_to_soft=False, poll_interval=0.01)
        with explained(path):
            for attempt in range(3):
                make_folder(self.folder)
                try:
                    lock.acquire()
                    break
                except FileNotFoundError:  # `delete` took the folder away between the two lines above
                    if attempt == 2:
                        raise
                except Timeout as error:
                    raise DataError(
                        f"{self.folder}: another process has been writing here for more than "
                        f"{self.lock_timeout_s:g} s. Wait for it, or end it (`fuser {path}` names it): the lock ends "
                        "with its process",
                        path=str(self.folder),
                    ) from error
        try:
            yield
        finally:
            lock.release()

    def _sweep(self, manifest: Manifest) -> None:
        """Delete what no longer counts, and what killed writers left behind, once it is older than the grace period."""
        listed = {part.file for part in manifest.parts}
        retired = {entry.file: entry.at / 1_000 for entry in manifest.retired}
        many = {entry.file for entry in manifest.retired[:-_MANY_RETIRED]}
        now = time.time()
        with explained(self.folder), os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.name in listed or not entry.name.endswith(_OURS):
                    continue
                grace_s = min(self.grace_s, _SHORT_GRACE_S) if entry.name in many else self.grace_s
                with suppress(FileNotFoundError):
                    if retired.get(entry.name, entry.stat().st_mtime) <= now - grace_s:
                        os.unlink(entry.path)

    def _commit(self, change: Transaction) -> None:
        before, now = change.manifest, time.time_ns() // 1_000_000
        if change.parts == before.parts and change.meta == before.meta:
            return
        retired = [entry for entry in before.retired if (self.folder / entry.file).exists()]
        kept = {part.file for part in change.parts}
        retired += [Retired(part.file, now) for part in before.parts if part.file not in kept]
        after = Manifest(version=before.version + 1, parts=change.parts, meta=change.meta, retired=tuple(retired))
        temporary = self.folder / f"manifest-{os.urandom(8).hex()}.tmp"
        with explained(self.folder / MANIFEST):
            try:
                write_new(temporary, after.dump())
                sync_folder(self.folder)  # the parts are there before the manifest names them
                os.replace(temporary, self.folder / MANIFEST)
            finally:
                temporary.unlink(missing_ok=True)
            sync_folder(self.folder)

    def _discard(self, change: Transaction) -> None:
        """Delete the files of a change that did not come to count; the disk is asked, for it may have after all."""
        with suppress(OSError, DataError):
            listed = {part.file for part in self.manifest().parts}
            for part in change.written:
                if part.file not in listed:
                    self.path(part).unlink(missing_ok=True)

    def _write_part(self, table: pa.Table, version: int, meta: Mapping[str, Any]) -> Part:
        import pyarrow as pa
        import pyarrow.parquet as pq

        # in memory first: parts are small, a failed write is then an OSError of ours, and the checksum is of
        # what was meant, not of what arrived
        buffer = pa.BufferOutputStream()
        pq.write_table(table, buffer, **{"compression": "zstd", "write_page_checksum": True, **self._write_options})
        content = memoryview(buffer.getvalue())
        path = self.folder / f"{version:08d}-{os.urandom(8).hex()}.parquet"
        temporary = path.with_suffix(".tmp")
        with explained(path):
            try:
                write_new(temporary, content)
                os.rename(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
        return Part(
            file=path.name,
            rows=table.num_rows,
            size=len(content),
            checksum=f"{zlib.crc32(content):08x}",
            meta=dict(meta),
        )


def _unreadable(error: OSError) -> str:
    return (
        "the file is missing" if isinstance(error, FileNotFoundError) else f"the file cannot be read ({error.strerror})"
    )


def _difference(part: Part, size: int, checksum: int) -> str | None:
    if size != part.size:
        return f"the file has {size:,} bytes{' or more' * (size > part.size)}, {part.size:,} were written"
    if f"{checksum:08x}" != part.checksum:
        return f"the file's checksum is {checksum:08x}, {part.checksum} was written"
    return None


class Transaction:
    """The change of a store that one `with store.transaction()` block makes.

    Attributes
    ----------
    manifest : Manifest
        The store as it was found.
    parts : tuple of Part
        What will count, in order.
    meta : dict
        The store's notes; change them in place.
    written : list of Part
        What was written to the disk, whether it will count or not.
    """

    def __init__(self, store: PartStore, manifest: Manifest) -> None:
        self.manifest = manifest
        self.parts = manifest.parts
        self.meta: dict[str, Any] = json.loads(json.dumps(dict(manifest.meta)))
        self.written: list[Part] = []
        self._store = store

    def write(self, table: pa.Table, meta: Mapping[str, Any] | None = None) -> Part:
        """Write rows as a part that will not count unless `count` is called; several threads may do so at once."""
        part = self._store._write_part(table, self.manifest.version + 1, meta or {})
        self.written.append(part)
        return part

    def count(self, part: Part) -> None:
        """Let a part that was written count when the block ends."""
        self.parts = (*self.parts, part)

    def add(self, table: pa.Table, meta: Mapping[str, Any] | None = None) -> Part:
        """Write rows as a new part; it counts when the block ends."""
        part = self.write(table, meta)
        self.count(part)
        return part

    def retire(self, part: Part) -> None:
        """Let a part no longer count when the block ends; its file is deleted after the grace period."""
        self.parts = tuple(kept for kept in self.parts if kept.file != part.file)

    def note(self, part: Part, meta: Mapping[str, Any]) -> Part:
        """Change what is noted about a part, and give the part as it is then."""
        noted = replace(part, meta=dict(meta))
        self.parts = tuple(noted if kept.file == part.file else kept for kept in self.parts)
        return noted
