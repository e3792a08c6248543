"""A journal as a Parquet file: one row an entry, with its hashes, so that any engine can read it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench._durable import explained, make_folder, sync_folder
from workbench.bots.journal.telling import describe

if TYPE_CHECKING:
    import pyarrow as pa

    from workbench.bots.journal.chain import Entry

__all__ = ["write_parquet"]

_ROWS: Final = 20_000
_WHEN: Final = ("ts", "recorded")


def write_parquet(path: Path, entries: Iterable[Entry], about: dict[str, str]) -> int:
    """Write entries to a Parquet file, which is there as a whole or not at all.

    Parameters
    ----------
    path : Path
        A file of that name is replaced.
    entries : iterable of Entry
    about : dict
        What the file's own metadata say.

    Returns
    -------
    int
        How many entries it has.

    Raises
    ------
    DataError
        It cannot be written.
    """
    import pyarrow.parquet as pq

    schema = _schema().with_metadata(about)
    scratch = path.with_name(f".{path.name}.tmp")
    count = 0
    with explained(path):
        make_folder(path.parent)
        try:
            with pq.ParquetWriter(scratch, schema, compression="zstd") as file:
                for rows in _batches(entries):
                    file.write_table(_table(rows, schema))
                    count += len(rows)
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
        sync_folder(path.parent)
    return count


def _batches(entries: Iterable[Entry]) -> Iterable[list[Entry]]:
    left = iter(entries)
    while rows := list(itertools.islice(left, _ROWS)):
        yield rows


def _schema() -> pa.Schema:
    import pyarrow as pa

    when, word = pa.timestamp("ms", tz="UTC"), pa.dictionary(pa.int32(), pa.string())
    kinds = {"position": pa.int64(), "session": pa.int32(), "version": pa.int16(), "body": pa.string()}
    kinds |= dict.fromkeys(_WHEN, when) | dict.fromkeys(("kind", "category", "level"), word)
    kinds |= dict.fromkeys(("previous", "hash", "seal"), pa.binary())
    order = ("position", *_WHEN, "session", "kind", "category", "level", "text", "version", "body")
    return pa.schema([(name, kinds.get(name, pa.string())) for name in (*order, "previous", "hash", "seal")])


def _table(rows: list[Entry], schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    columns: dict[str, Any] = dict(zip(type(rows[0])._fields, zip(*rows, strict=True), strict=True))
    columns["text"] = [describe(row.record) for row in rows]
    return pa.table([pa.array(columns[field.name], field.type) for field in schema], schema=schema)
