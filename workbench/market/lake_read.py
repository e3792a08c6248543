"""The rows of parts as arrays: read, verified and decoded part by part, on as many threads as there are cores.

The bytes that are compared with the manifest are the very bytes that are decoded: each file is read once, into memory,
so nothing that was changed on the disk comes through, and verifying costs no second reading.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import COLUMNS
from workbench.store import Part, PartStore

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PartRows", "load_rows"]

_MOST_THREADS: Final = 8  # each holds one part, packed and unpacked


class PartRows(NamedTuple):
    """What some parts hold.

    `columns` has the rows of the sound parts, in time order: `ts` (ms UTC), the prices, the volume, and `filled` where
    a bar was made up. The arrays are read-only, and nobody else has them. `damaged` says of the other parts what is
    wrong.
    """

    columns: dict[str, NDArray[Any]]
    damaged: tuple[tuple[Part, str], ...]


def load_rows(store: PartStore, parts: Sequence[Part]) -> PartRows:
    """Read the rows of some parts, all of them.

    Raises
    ------
    DataError
        A file is as it was written and yet holds no bars.
    """
    ordered = sorted(parts, key=lambda part: part.meta["start"])
    edges = np.cumsum([0, *(part.rows for part in ordered)]).tolist()
    # one block for all prices: memory comes in large pages then, which is a third of the time of a warm read
    ts, block = np.empty(edges[-1], dtype=np.int64), np.empty((len(COLUMNS), edges[-1]))
    columns: dict[str, NDArray[Any]] = {"ts": ts, **dict(zip(COLUMNS, block, strict=True))}
    if any(part.meta["filled"] for part in ordered):
        columns["filled"] = np.empty(edges[-1], dtype=np.bool_)

    def load(number: int, scratch: bytearray) -> str | None:
        part = ordered[number]
        content, wrong = store.content(part, scratch)
        if wrong is None:
            rows = slice(edges[number], edges[number + 1])
            _decode(content, {name: column[rows] for name, column in columns.items()}, str(store.path(part)))
        return wrong

    reasons = _in_threads(load, len(ordered), max((part.size for part in ordered), default=0) + 1)
    damaged = tuple((part, reason) for part, reason in zip(ordered, reasons, strict=True) if reason is not None)
    if damaged:
        whole = np.repeat([reason is None for reason in reasons], [part.rows for part in ordered])
        columns = {name: column[whole] for name, column in columns.items()}
    for array in (ts, block, *columns.values()):
        array.flags.writeable = False  # so that Bars takes them without a copy
    return PartRows(columns, damaged)


def _in_threads(load: Callable[[int, bytearray], str | None], count: int, size: int) -> list[str | None]:
    """Load parts 0, 1, …, each thread with memory of its own for one packed part at a time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = min(count, cores, _MOST_THREADS)
    if threads <= 1:
        scratch = bytearray(size)
        return [load(number, scratch) for number in range(count)]
    free = [bytearray(size) for _ in range(threads)]

    def with_memory(number: int) -> str | None:
        scratch = free.pop()  # there are as many as threads
        try:
            return load(number, scratch)
        finally:
            free.append(scratch)

    # a pool of its own for each read: a forked child would wait for ever for the threads of an inherited one
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(with_memory, range(count)))


def _decode(content: memoryview, columns: dict[str, NDArray[Any]], path: str) -> None:
    """Unpack a Parquet file into the places where its rows belong."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(content), pre_buffer=False)
        table = file.read(columns=list(columns), use_threads=False)
    except pa.ArrowException as error:
        raise DataError(f"{path}: the part cannot be read: {error}", path=path) from error
    for name, place in columns.items():
        _copy(table, name, place, path)


def _copy(table: pa.Table, name: str, place: NDArray[Any], path: str) -> None:
    import pyarrow as pa

    kinds = {"ts": pa.timestamp("ms", tz="UTC"), "filled": pa.bool_()}
    kind = kinds.get(name, pa.float64())
    column = table.column(name) if name in table.column_names else None
    if column is None or column.type != kind or column.null_count or len(column) != len(place):
        found = "missing" if column is None else f"{len(column):,} of {column.type}, {column.null_count:,} of them null"
        raise DataError(
            f"{path}: the part holds no bars: column {name!r} is {found}, expected {len(place):,} of {kind}", path=path
        )
    at = 0
    for chunk in column.chunks:
        place[at : at + len(chunk)] = _values(chunk, place.dtype)
        at += len(chunk)


def _values(chunk: pa.Array, kind: np.dtype[Any]) -> NDArray[Any]:
    """View the values of an array without nulls; Arrow's own way to do so imports pandas, which takes half a second."""
    content = chunk.buffers()[1]
    if kind == np.bool_:
        return np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")[chunk.offset :][: len(chunk)]
    return np.frombuffer(content, kind)[chunk.offset :][: len(chunk)]
