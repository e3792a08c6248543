"""The cache's layer on the disk: diskcache (SQLite) made to hold bytes only, and to be missed by nobody when it fails.

diskcache would pickle what it does not know and unpickle what its file says is pickled. Whoever can write to the file
could then run code here, so both are refused: a row that is anything but bytes counts as absent.
"""

from __future__ import annotations

import json
import sqlite3
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import diskcache  # type: ignore[import-untyped]

__all__ = ["DiskLayer"]

_NO_FILES: Final = 1 << 40  # values stay in the database, however large: a file's name from the database is a path
_WAIT_S: Final = 2.0
_PAUSE_S: Final = 30.0  # before a disk that did not answer is asked again
_HEAD: Final = struct.Struct(">dI")  # when it expires, how long its tags are

T = TypeVar("T")


class _Refused(ValueError):
    """Something that is not bytes was to be written, or was found."""


class _BytesOnly(diskcache.Disk):  # type: ignore[misc]  # diskcache has no types
    """Keys are text, values bytes; everything else is refused in both directions."""

    def put(self, key: Any) -> Any:
        if type(key) is not str:
            raise _Refused("a key that is not text")
        return key, True

    def get(self, key: Any, raw: Any) -> Any:
        if not raw or type(key) is not str:
            raise _Refused("a key that is not text")
        return key

    def store(self, value: Any, read: Any, key: Any = None) -> Any:
        if type(value) is not bytes or read:
            raise _Refused("a value that is not bytes")
        return 0, diskcache.core.MODE_RAW, None, sqlite3.Binary(value)

    def fetch(self, mode: Any, filename: Any, value: Any, read: Any) -> Any:
        if mode != diskcache.core.MODE_RAW or filename is not None or type(value) is not bytes or read:
            raise _Refused("a value that is not bytes")
        return value


class _Row(NamedTuple):
    """A packed value, until when it is good, its tags."""

    content: bytes
    expires: float
    tags: tuple[str, ...]


class DiskLayer:
    """The rows on the disk. No method raises because of the disk; what fails counts as absent.

    Parameters
    ----------
    folder : Path
        Made when first needed.
    size : int
        Bytes, beyond which what was used least is dropped.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self._size = size
        self._lock = threading.Lock()
        self._opened: Any = None
        self._trouble = ""
        self._again = 0.0

    def read(self, name: str) -> _Row | None:
        """Give a row, or None."""
        found: Any = self._try(lambda rows: rows.get(name))
        return None if found is None else _read_row(found)

    def write(self, name: str, content: bytes, expires: float, tags: tuple[str, ...]) -> None:
        """Keep a row; its time is in its bytes, so that a clock that is not the system's is obeyed too."""
        said = json.dumps(tags).encode()
        row = _HEAD.pack(expires, len(said)) + said + content
        left = max(expires - time.time(), 60.0)  # when diskcache may sweep it away
        self._try(lambda rows: rows.set(name, row, expire=left))

    def delete(self, name: str) -> None:
        """Drop a row."""
        self._try(lambda rows: rows.delete(name))

    def names(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Give the names of all rows, with their tags."""
        for name in self._try(self._names) or ():
            row = self.read(name)
            yield name, () if row is None else row.tags

    def _names(self, rows: Any) -> list[str]:
        try:
            return list(rows.iterkeys())
        except _Refused:  # one row of somebody else's hides the names of all: none of them is worth that
            rows.clear()
            return []

    def state(self) -> tuple[int, int, str]:
        """Count rows and bytes, and say how the disk does."""
        counted = self._try(lambda rows: (len(rows), int(rows.volume())))
        return (*counted, "on") if counted else (0, 0, self._trouble or "off")

    def _try(self, use: Callable[[Any], T]) -> T | None:
        with self._lock:
            if time.monotonic() < self._again:
                return None
        try:
            return use(self._cache())
        except _Refused:
            return None
        except (OSError, sqlite3.Error, diskcache.Timeout) as error:
            with self._lock:
                self._trouble, self._again = f"off: {error or type(error).__name__}", time.monotonic() + _PAUSE_S
                self._opened = None
            return None

    def _cache(self) -> Any:
        with self._lock:
            if self._opened is None:
                self._opened = diskcache.Cache(
                    str(self.folder), timeout=_WAIT_S, disk=_BytesOnly, disk_min_file_size=_NO_FILES,
                    size_limit=self._size, eviction_policy="least-recently-used", cull_limit=10,
                )  # fmt: skip
            return self._opened


def _read_row(row: bytes) -> _Row | None:
    try:
        expires, length = _HEAD.unpack_from(row)
        tags = json.loads(row[_HEAD.size : _HEAD.size + length])
        if not isinstance(tags, list):
            return None
        return _Row(row[_HEAD.size + length :], expires, tuple(map(str, tags)))
    except (struct.error, ValueError, RecursionError):
        return None
