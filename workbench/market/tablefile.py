"""Opening a file of bars as frames of raw columns: CSV, JSON (plain, .gz, .zip) or Parquet.

What the file is, is read off its first bytes, never off its name. Prices are parsed to the nearest double; times stay
as they are written, for `market.timestamps` to judge. A file comes whole (`load`) or some rows at a time (`batches`).
`market.csvfile` and `market.jsonfile` know their formats, `market.importing` is the user's door.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import DataError
from workbench.market.csvfile import CsvFile
from workbench.market.jsonfile import JsonFile, is_json
from workbench.market.unpacking import Packed, explained_reading

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["TableFile", "open_table"]

_PAGES: Final = 1 << 20  # bytes of a column that are read ahead
_CLAIMED: Final = 2_000  # rows a byte: what repeats a value is small, but nothing of the market is that small
_FEW: Final = 5_000_000


@dataclass(frozen=True)
class TableFile:
    """A file whose columns are known and whose rows are not read yet.

    Parameters
    ----------
    path : Path
    names : tuple
        The columns as the file names them; their positions, from 0, where it has no header.
    load : callable
        Reads the named columns, those of the second argument as text.
    batches : callable
        The same, at most so many rows at a time as the third argument says.
    """

    path: Path
    names: tuple[Hashable, ...]
    load: Callable[[Sequence[Hashable], Sequence[Hashable]], pd.DataFrame]
    batches: Callable[[Sequence[Hashable], Sequence[Hashable], int], Iterator[pd.DataFrame]]


def open_table(path: Path) -> TableFile:
    """Find out what a file is and which columns it has.

    Raises
    ------
    DataError
        There is no such file, it is empty, or it cannot be read as CSV, JSON or Parquet.
    """
    with explained_reading(path):
        with path.open("rb") as file:
            magic = file.read(4)
        if not magic:
            raise DataError(f"{path}: the file is empty")
        if magic == b"PAR1":
            return _parquet(path)
        packed = Packed(path, magic)
        kind = JsonFile(packed) if is_json(packed) else CsvFile(packed)
        return TableFile(path, kind.names, kind.load, kind.batches)


def _parquet(path: Path) -> TableFile:
    with _explained(path) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
    if rows > _FEW and rows > _CLAIMED * path.stat().st_size:
        raise DataError(
            f"{path}: the file claims to hold {rows:,} rows in {path.stat().st_size:,} bytes; it is damaged, or made "
            "to fill the memory"
        )
    names = tuple(schema.names)

    def load(wanted: Sequence[Hashable], text: Sequence[Hashable]) -> pd.DataFrame:
        _refuse_twins(path, names, wanted)
        with _explained(path) as file:
            return _frame(file.read(columns=list(wanted)))

    def batches(wanted: Sequence[Hashable], text: Sequence[Hashable], rows: int) -> Iterator[pd.DataFrame]:
        import pyarrow as pa

        _refuse_twins(path, names, wanted)
        with _explained(path) as file:
            held: list[pa.RecordBatch] = []
            for batch in file.iter_batches(batch_size=min(rows, 1 << 17), columns=list(wanted)):
                held.append(batch)
                if sum(map(len, held)) >= rows:
                    yield _frame(pa.Table.from_batches(held))
                    held = []
            if held:
                yield _frame(pa.Table.from_batches(held))

    return TableFile(path, names, load, batches)


@contextmanager
def _explained(path: Path) -> Iterator[Any]:
    """Open a Parquet file, reading no further ahead than needed, and map what goes wrong."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with explained_reading(path), pq.ParquetFile(path, buffer_size=_PAGES, pre_buffer=False) as file:
            yield file
    except pa.ArrowException as error:
        raise DataError(f"{path}: cannot be read as Parquet: {error}") from error


def _refuse_twins(path: Path, names: Sequence[Hashable], wanted: Sequence[Hashable]) -> None:
    for name in wanted:
        if names.count(name) > 1:
            raise DataError(f"{path}: several columns are named {name!r}; rename all but one", column=name)


def _frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    return frame
