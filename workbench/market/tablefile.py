"""Opening a file of bars as a frame of raw columns: CSV (plain, .gz, .zip) or Parquet.

What the file is, is read off its first bytes, never off its name. Prices are parsed to the nearest double; times stay
as they are written, for `market.timestamps` to judge. `market.importing` is the user's door.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast

from workbench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TableFile", "open_table"]

_SEPARATORS: Final = (",", ";", "\t", "|")
_NOTHING: Final = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
_KLINES: Final = (  # Binance publishes candles without a header, in this order
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count",
    "taker_buy_volume", "taker_buy_quote_volume", "ignore",
)  # fmt: skip


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
    """

    path: Path
    names: tuple[Hashable, ...]
    load: Callable[[Sequence[Hashable], Sequence[Hashable]], pd.DataFrame]


def open_table(path: Path) -> TableFile:
    """Find out what a file is and which columns it has.

    Raises
    ------
    DataError
        There is no such file, it is empty, or it cannot be read as CSV or Parquet.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        if not magic:
            raise DataError(f"{path}: the file is empty")
        return _parquet(path) if magic == b"PAR1" else _csv(path, magic)
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error


def _parquet(path: Path) -> TableFile:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names = tuple(pq.read_schema(path).names)
    except pa.ArrowException as error:
        raise DataError(f"{path}: cannot be read as Parquet: {error}") from error

    def load(wanted: Sequence[Hashable], text: Sequence[Hashable]) -> pd.DataFrame:
        try:
            frame: pd.DataFrame = pq.read_table(path, columns=list(wanted)).to_pandas(ignore_metadata=True)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path}: cannot be read as Parquet: {error}") from error
        return frame

    return TableFile(path, names, load)


def _csv(path: Path, magic: bytes) -> TableFile:
    skipped, first, second = _first_lines(path, magic)
    separator = max(_SEPARATORS, key=lambda mark: min(first.count(mark), (second or first).count(mark)))
    fields = [field.strip() for field in next(csv.reader([first], delimiter=separator, skipinitialspace=True))]
    header = _is_header(fields)
    if header and second is None:
        raise DataError(f"{path}: the file has a header but no rows")
    names: tuple[Hashable, ...] = tuple(fields)
    if not header:
        names = _KLINES if len(fields) == len(_KLINES) else tuple(range(len(fields)))

    def load(wanted: Sequence[Hashable], text: Sequence[Hashable]) -> pd.DataFrame:
        twice = [name for name in wanted if names.count(name) > 1]
        if twice:
            raise DataError(f"{path}: several columns are named {twice[0]!r}; rename all but one", column=twice[0])
        table = _arrow_table(
            path, magic, separator, skipped + header, len(names), [names.index(name) for name in wanted]
        )
        return _frame(table, wanted, text)

    return TableFile(path, names, load)


def _first_lines(path: Path, magic: bytes) -> tuple[int, str, str | None]:
    """Give how many lines (comments, blanks) precede the table, and its first two lines."""
    skipped = 0
    found: list[str] = []
    try:
        with _stream(path, magic) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig") as lines:
            for line in lines:
                if line.strip() and (found or not line.startswith("#")):
                    found.append(line.rstrip("\r\n"))
                elif not found:
                    skipped += 1
                if len(found) == 2:
                    break
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: this is not UTF-8 text ({error}); save it as UTF-8") from error
    if not found:
        raise DataError(f"{path}: the file has no rows")
    return skipped, found[0], found[1] if len(found) == 2 else None


def _is_header(fields: Sequence[str]) -> bool:
    """Tell names from values: a row of bars is mostly numbers and begins with a time, which has a digit in it."""
    numbers = sum(map(_is_number, fields))
    return numbers < len(fields) and not (2 * numbers > len(fields) and any(mark.isdigit() for mark in fields[0]))


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _arrow_table(path: Path, magic: bytes, separator: str, skip: int, width: int, wanted: Sequence[int]) -> Any:
    """Read columns, given by position, as text; every row must have as many fields as the header."""
    import pyarrow as pa
    from pyarrow import csv as pacsv

    every = [str(position) for position in range(width)]
    keep = [str(position) for position in wanted]
    try:
        with _stream(path, magic) as raw:
            return pacsv.read_csv(
                raw,
                read_options=pacsv.ReadOptions(skip_rows=skip, column_names=every),
                parse_options=pacsv.ParseOptions(delimiter=separator),
                convert_options=pacsv.ConvertOptions(
                    include_columns=keep,
                    column_types=dict.fromkeys(keep, pa.string()),
                    null_values=_NOTHING,
                    strings_can_be_null=True,
                ),
            )
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as CSV with {separator!r} between the columns: {error}") from error


def _frame(table: Any, wanted: Sequence[Hashable], text: Sequence[Hashable]) -> pd.DataFrame:
    """Turn columns of numbers into doubles; one that holds anything else stays text, to be reported row by row."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    columns: dict[Hashable, Any] = {}
    for name, column in zip(wanted, table.columns, strict=True):
        trimmed = pc.utf8_trim_whitespace(column)
        try:
            read = trimmed if name in text else pc.cast(trimmed, pa.float64())
        except pa.ArrowInvalid:
            read = trimmed
        columns[name] = read.to_pandas()
    return pd.DataFrame(columns)


def _stream(path: Path, magic: bytes) -> IO[bytes]:
    if magic[:2] == b"\x1f\x8b":
        return cast(IO[bytes], gzip.open(path))
    if magic != b"PK\x03\x04":
        return path.open("rb")
    with zipfile.ZipFile(path) as archive:
        inside = [name for name in archive.namelist() if not name.endswith("/")]
        if len(inside) != 1:
            raise DataError(f"{path}: the archive holds {len(inside)} files; unpack it and import them one by one")
        return archive.open(inside[0])
