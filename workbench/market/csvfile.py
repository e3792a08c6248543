"""CSV in its dialects: which separator, whether there is a header, and the columns as text or numbers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import DataError
from workbench.market.unpacking import Packed, explained_reading

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KLINES", "CsvFile", "is_header"]

KLINES: Final = (  # Binance publishes candles without a header, in this order
    "open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume", "count",
    "taker_buy_volume", "taker_buy_quote_volume", "ignore",
)  # fmt: skip
_SEPARATORS: Final = (",", ";", "\t", "|")
_NOTHING: Final = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
_REMARK: Final = re.compile(r"#|https?://[^\s,;|]+\s*$")  # some publishers put their address above the header
_LONGEST_LINE: Final = 1 << 20
_BLOCK: Final = 4 << 20  # bytes that are parsed at a time when a file is read in pieces


class CsvFile:
    """A CSV file whose dialect is known.

    Parameters
    ----------
    packed : Packed

    Raises
    ------
    DataError
        It is no text, or has no rows.
    """

    def __init__(self, packed: Packed) -> None:
        self._packed = packed
        self._encoding = packed.encoding()
        skipped, first, second = self._first_lines()
        self._separator = max(_SEPARATORS, key=lambda mark: min(first.count(mark), (second or first).count(mark)))
        fields = self._fields(first)
        header = is_header(fields)
        if header and second is None:
            raise DataError(f"{packed.path}: the file has a header but no rows")
        self._skip = skipped + header
        self._width = len(fields)
        self.names: tuple[Hashable, ...] = tuple(fields)
        if not header:
            self.names = KLINES if len(fields) == len(KLINES) else tuple(range(len(fields)))

    def load(self, wanted: Sequence[Hashable], text: Sequence[Hashable]) -> pd.DataFrame:
        """Read some columns, those in `text` as text."""
        from pyarrow import csv as pacsv

        with self._reading(wanted) as (stream, options):
            return _frame(pacsv.read_csv(stream, **options), wanted, text)

    def batches(self, wanted: Sequence[Hashable], text: Sequence[Hashable], rows: int) -> Iterator[pd.DataFrame]:
        """Read some columns, so many rows at a time."""
        import pyarrow as pa
        from pyarrow import csv as pacsv

        with self._reading(wanted) as (stream, options):
            options["read_options"].block_size = _BLOCK
            held: list[Any] = []
            for batch in pacsv.open_csv(stream, **options):
                held.append(batch)
                if sum(map(len, held)) >= rows:
                    yield _frame(pa.Table.from_batches(held), wanted, text)
                    held = []
            if held:
                yield _frame(pa.Table.from_batches(held), wanted, text)

    def _first_lines(self) -> tuple[int, str, str | None]:
        """Give how many lines (remarks, blanks) precede the table, and its first two lines."""
        path, skipped = self._packed.path, 0
        found: list[str] = []
        with self._packed.open() as raw, io.TextIOWrapper(raw, encoding=self._encoding) as lines:
            while len(found) < 2 and (line := lines.readline(_LONGEST_LINE)):
                if len(line) == _LONGEST_LINE:
                    raise DataError(f"{path}: a line has more than {_LONGEST_LINE:,} characters; this is no CSV")
                if line.strip() and (found or not _REMARK.match(line)):
                    found.append(line.rstrip("\r\n"))
                elif not found:
                    skipped += 1
        if not found:
            raise DataError(f"{path}: the file has no rows")
        return skipped, found[0], found[1] if len(found) == 2 else None

    def _fields(self, line: str) -> list[str]:
        try:
            row = next(csv.reader([line], delimiter=self._separator, skipinitialspace=True))
        except csv.Error as error:
            raise DataError(f"{self._packed.path}: the first line cannot be read as CSV: {error}") from error
        return [field.strip() for field in row]

    @contextmanager
    def _reading(self, wanted: Sequence[Hashable]) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Open the file for Arrow, columns given by position; every row must have as many fields as the first."""
        import pyarrow as pa
        from pyarrow import csv as pacsv

        path = self._packed.path
        for name in wanted:
            if self.names.count(name) > 1:
                raise DataError(f"{path}: several columns are named {name!r}; rename all but one", column=name)
        keep = [str(self.names.index(name)) for name in wanted]
        options = {
            "read_options": pacsv.ReadOptions(
                skip_rows=self._skip,
                column_names=[str(position) for position in range(self._width)],
                encoding="utf16" if self._encoding == "utf-16" else "utf8",
            ),
            "parse_options": pacsv.ParseOptions(delimiter=self._separator),
            "convert_options": pacsv.ConvertOptions(
                include_columns=keep,
                column_types=dict.fromkeys(keep, pa.string()),
                null_values=_NOTHING,
                strings_can_be_null=True,
            ),
        }
        try:
            with explained_reading(path), self._packed.open() as stream:
                yield stream, options
        except pa.ArrowException as error:
            raise DataError(
                f"{path}: cannot be read as CSV with {self._separator!r} between the columns: {error}"
            ) from error


def is_header(fields: Sequence[str]) -> bool:
    """Tell names from values: a row of bars is mostly numbers and begins with a time, which has a digit in it."""
    numbers = sum(map(_is_number, fields))
    return numbers < len(fields) and not (2 * numbers > len(fields) and any(mark.isdigit() for mark in fields[0]))


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


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
