"""Tapes: what a feed told, kept in the lake, to be told again bit by bit.

A tape is a `PartStore` in `tape=<name>` of the lake's folder: one row per event, in the order in which they were told,
with a column for every field that any event has. `kind` says which event a row is, `number` counts them. Whatever was
flushed survives the death of the process; an unfinished flush is not seen.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import quote, unquote

from workbench.errors import DataError
from workbench.market.feeds.events import KINDS, Event
from workbench.store import MANIFEST, Manifest, Part, PartStore

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["Tape", "TapeInfo", "TapeWriter", "tapes_in"]

_FORMAT: Final = 1
_PREFIX: Final = "tape="
_MANY_PARTS: Final = 24
_SMALL_ROWS: Final = 100_000
_KIND_OF: Final = {kind: name for name, kind in KINDS.items()}
# the columns of a tape, and what their fields hold; a field that two events share means the same in both
_TEXTS: Final = frozenset(
    "symbol timeframe source id order_id client_id type status fee_currency channel state reason".split()
)
_WHOLE: Final = frozenset("ts received upto missing".split())
_TRUTH: Final = frozenset(("resynced", "maker"))
_BOOKS: Final = frozenset(("bids", "asks"))
_SIDES: Final = "side"  # +1 or -1 of a trade, "buy" or "sell" of an order: text in the column


@dataclass(frozen=True, kw_only=True, slots=True)
class TapeInfo:
    """What is known of a tape without opening its parts.

    Parameters
    ----------
    name : str
    feed : str
        Where the events came from.
    events : int
    start, end : int
        ms UTC at which the first and the last event were received; 0 where there are none.
    kinds : dict
        How many events of each kind.
    symbols : tuple of str
    size_bytes : int
    """

    name: str
    feed: str
    events: int
    start: int
    end: int
    kinds: dict[str, int]
    symbols: tuple[str, ...]
    size_bytes: int


class Tape:
    """A tape in a lake.

    Parameters
    ----------
    root : path
        The lake's folder.
    name : str
        Any text; two tapes of one lake have different names.
    """

    def __init__(self, root: str | Path, name: str) -> None:
        if not isinstance(name, str) or not name.strip():
            raise DataError(f"a tape's name is {name!r}; give it text, such as 'btc-monday'")
        self.name = name
        self._store = PartStore(Path(root).absolute() / f"{_PREFIX}{quote(name, safe='')}")

    def __repr__(self) -> str:
        return f"<Tape {self.name!r}, {self._store.manifest().rows:,} events>"

    def exists(self) -> bool:
        """Tell whether anything was taped under this name."""
        return self._store.exists()

    @property
    def info(self) -> TapeInfo:
        """What is on it.

        Raises
        ------
        DataError
            There is no such tape, it is damaged, or a newer workbench wrote it.
        """
        manifest = self._manifest()
        kinds: dict[str, int] = {}
        for part in manifest.parts:
            for kind, count in part.meta["kinds"].items():
                kinds[kind] = kinds.get(kind, 0) + count
        return TapeInfo(
            name=self.name,
            feed=str(manifest.meta.get("feed", "unknown")),
            events=manifest.rows,
            start=min((part.meta["start"] for part in manifest.parts), default=0),
            end=max((part.meta["end"] for part in manifest.parts), default=0),
            kinds=dict(sorted(kinds.items())),
            symbols=tuple(sorted({symbol for part in manifest.parts for symbol in part.meta["symbols"]})),
            size_bytes=manifest.size,
        )

    def events(self) -> Iterator[Event]:
        """Give what was taped, in the order in which it was told; one part is in memory at a time.

        Raises
        ------
        DataError
            There is no such tape, or a part is missing or damaged.
        """
        number, end = 0, self._manifest().rows
        while number < end:
            table, first = self._store.read(lambda manifest, at=number: self._covering(manifest, at))  # type: ignore[misc]
            yield from _events_of(table.slice(number - first, end - number))
            number = first + table.num_rows

    def _covering(self, manifest: Manifest, number: int) -> tuple[pa.Table, int]:
        """Read the part with an event; a writer may have merged it into another one since the last was read."""
        for part in manifest.parts:
            if part.meta["first"] <= number < part.meta["first"] + part.rows:
                return self._store.table([part]), part.meta["first"]
        raise DataError(f"{self._store.folder}: the tape lacks event {number:,}; restore it from a backup")

    def to_pandas(self) -> pd.DataFrame:
        """Give all events as one table, a row each, with the columns of all kinds."""
        self._manifest()
        table = self._store.read(lambda manifest: self._store.table(_in_order(manifest.parts)))
        frame: pd.DataFrame = table.to_pandas()
        return frame

    def writer(self, feed: str = "unknown", *, every: int = 5_000, every_s: float = 5.0) -> TapeWriter:
        """Begin to tape, or go on where the tape ends; use it in a `with` block.

        Parameters
        ----------
        feed : str
            Where the events come from.
        every : int, default 5000
            Events after which what was taken is written.
        every_s : float, default 5
            Seconds after which it is, when an event comes: what a killed process loses at most.
        """
        return TapeWriter(self._store, feed, every=every, every_s=every_s)

    def delete(self) -> None:
        """Delete the tape for good."""
        self._manifest()
        self._store.delete()

    def _manifest(self) -> Manifest:
        manifest = self._store.manifest()
        if not self._store.exists():
            raise DataError(
                f"there is no tape {self.name!r} in {self._store.folder.parent}; `workbench data tapes` lists them",
                tape=self.name,
            )
        return _checked(manifest, self._store)


class TapeWriter:
    """Takes events and writes them in pieces; `with tape.writer("binance") as writer: writer.add(event)`."""

    def __init__(self, store: PartStore, feed: str, *, every: int, every_s: float) -> None:
        if every < 1 or not every_s > 0:
            raise DataError(f"a tape is written every {every!r} events or {every_s!r} s; both must be above zero")
        self._store, self._feed, self._every, self._every_s = store, feed, every, every_s
        self._rows: list[Event] = []
        manifest = _checked(store.manifest(), store)
        self._next = max((part.meta["first"] + part.rows for part in manifest.parts), default=0)
        self._flushed_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()

    @property
    def events(self) -> int:
        """How many events the tape has, those not written yet included."""
        return self._next + len(self._rows)

    def add(self, event: Event) -> None:
        """Take an event; every now and then what was taken is written."""
        self._rows.append(event)
        if len(self._rows) >= self._every or time.monotonic() - self._flushed_at >= self._every_s:
            self.flush()

    def flush(self) -> None:
        """Write what was taken; it is on disk when this returns.

        Raises
        ------
        DataError
            The disk is full, or another process tapes under this name.
        """
        self._flushed_at = time.monotonic()
        if not self._rows and self._store.exists():
            return
        with self._store.transaction() as change:
            taken = max((part.meta["first"] + part.rows for part in change.parts), default=0)
            if taken != self._next:
                raise DataError(
                    f"{self._store.folder}: another process has written to this tape since it was opened; give each "
                    "recording a name of its own"
                )
            change.meta |= {"tape": _FORMAT, "feed": self._feed}
            if self._rows:
                change.add(_table_of(self._rows, self._next), _notes(self._rows, self._next))
        self._next += len(self._rows)
        self._rows = []
        self._merge_small()

    def _merge_small(self) -> None:
        """Merge neighbours that are small, so that a long tape does not become thousands of files."""
        if sum(part.rows < _SMALL_ROWS for part in self._store.manifest().parts) <= _MANY_PARTS:
            return
        with self._store.transaction() as change:
            small = _in_order([part for part in change.parts if part.rows < _SMALL_ROWS])
            merged = self._store.table(small)
            notes = _joined([part.meta for part in small])
            for part in small:
                change.retire(part)
            change.add(merged, notes)


def tapes_in(root: str | Path) -> list[Tape]:
    """Give the tapes of a lake's folder, by name."""
    try:
        names = os.listdir(root)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError(f"cannot read {root}: {error.strerror}; check who may read it", path=str(root)) from error
    found = [name for name in names if name.startswith(_PREFIX) and (Path(root) / name / MANIFEST).is_file()]
    return [Tape(root, unquote(name.removeprefix(_PREFIX))) for name in sorted(found)]


def _checked(manifest: Manifest, store: PartStore) -> Manifest:
    found = manifest.meta.get("tape", _FORMAT if not manifest.parts else None)
    if found is None:
        raise DataError(f"{store.folder} is no tape; it was not written by `record`", path=str(store.folder))
    if found > _FORMAT:
        raise DataError(
            f"{store.folder}: the tape has format {found}, this workbench knows {_FORMAT}: upgrade workbench",
            path=str(store.folder),
        )
    return manifest


def _in_order(parts: Sequence[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: int(part.meta["first"]))


@cache
def _schema() -> pa.Schema:
    import pyarrow as pa

    level = pa.list_(pa.float64())
    columns = [("number", pa.int64()), ("kind", pa.string())]
    for name in dict.fromkeys(field for kind in KINDS.values() for field in kind._fields):
        if name in _TEXTS or name == _SIDES:
            columns.append((name, pa.string()))
        elif name in _WHOLE:
            columns.append((name, pa.int64()))
        elif name in _TRUTH:
            columns.append((name, pa.bool_()))
        else:
            columns.append((name, pa.list_(level) if name in _BOOKS else pa.float64()))
    return pa.schema(columns)


def _table_of(events: Sequence[Event], first: int) -> pa.Table:
    import pyarrow as pa

    schema = _schema()
    columns: dict[str, list[Any]] = {name: [None] * len(events) for name in schema.names}
    for row, event in enumerate(events):
        columns["number"][row] = first + row
        columns["kind"][row] = _KIND_OF[type(event)]
        for name, value in zip(event._fields, event, strict=True):
            columns[name][row] = str(value) if name == _SIDES else value
    return pa.table(columns, schema=schema)


def _events_of(table: pa.Table) -> Iterator[Event]:
    columns = {name: table[name].to_pylist() for name in table.column_names}
    for row, name in enumerate(columns["kind"]):
        if name not in KINDS:
            raise DataError(f"the tape has an event of a kind that is not known, {name!r}: upgrade workbench")
        kind = KINDS[name]
        yield kind(*(_value(field, columns[field][row], name) for field in kind._fields))


def _value(field: str, value: Any, kind: str) -> Any:
    if field in _BOOKS:
        return tuple((price, quantity) for price, quantity in value)
    return int(value) if field == _SIDES and kind == "trade" else value


def _notes(events: Sequence[Event], first: int) -> dict[str, Any]:
    kinds: dict[str, int] = {}
    for event in events:
        kinds[_KIND_OF[type(event)]] = kinds.get(_KIND_OF[type(event)], 0) + 1
    times = [event.received for event in events]
    symbols = sorted({event.symbol for event in events if event.symbol})
    return {"first": first, "start": min(times), "end": max(times), "kinds": kinds, "symbols": symbols}


def _joined(notes: Sequence[Any]) -> dict[str, Any]:
    kinds: dict[str, int] = {}
    for note in notes:
        for kind, count in note["kinds"].items():
            kinds[kind] = kinds.get(kind, 0) + count
    return {
        "first": min(note["first"] for note in notes),
        "start": min(note["start"] for note in notes),
        "end": max(note["end"] for note in notes),
        "kinds": kinds,
        "symbols": sorted({symbol for note in notes for symbol in note["symbols"]}),
    }
