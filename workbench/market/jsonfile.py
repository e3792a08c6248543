"""JSON in the shapes that people keep bars in.

A list of records, a list of rows (ccxt's candles, Freqtrade's, Binance's), columns (pandas' `columns` and `split`,
TradingView's), records by time (pandas' `index`), any of these under one key of an answer, or one record a line. What
could be read in two ways is refused.
"""

from __future__ import annotations

import io
import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from workbench.errors import DataError
from workbench.market.csvfile import KLINES, is_header
from workbench.market.unpacking import Packed, explained_reading

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["JsonFile", "is_json"]

_CANDLE: Final = ("timestamp", "open", "high", "low", "close", "volume")
_PRICES: Final = frozenset(("open", "high", "low", "close", "o", "h", "l", "c"))
_WRAPPED: Final = 4  # how deep an answer hides its rows
_LONGEST: Final = 1 << 30  # bytes of text that are taken apart in one piece
_LINES: Final = 100_000


class _Columns(NamedTuple):
    """A table: its columns by name, all of one length."""

    names: tuple[Hashable, ...]
    values: list[list[Any]]


def is_json(packed: Packed) -> bool:
    """Tell JSON by its first character, which no header and no row of CSV begins with."""
    with packed.open() as stream:
        start = stream.read(64)
    text = start.decode("utf-16" if packed.encoding() == "utf-16" else "utf-8-sig", errors="ignore")
    return text.lstrip()[:1] in ("[", "{")


class JsonFile:
    """A JSON file, or one with a JSON value a line, whose columns are known.

    Parameters
    ----------
    packed : Packed

    Raises
    ------
    DataError
        It is no JSON, or in no shape that holds bars.
    """

    def __init__(self, packed: Packed) -> None:
        self._packed = packed
        self._encoding = packed.encoding()
        self._by_line = self._has_lines()
        self._table: _Columns | None = None
        self.names: tuple[Hashable, ...] = self._first().names if self._by_line else self._whole().names

    def load(self, wanted: Sequence[Hashable], text: Sequence[Hashable]) -> pd.DataFrame:
        """Read some columns."""
        import pandas as pd

        if not self._by_line:
            return self._frame(self._whole(), wanted)
        return pd.concat(list(self.batches(wanted, text, _LINES)), ignore_index=True)

    def batches(self, wanted: Sequence[Hashable], text: Sequence[Hashable], rows: int) -> Iterator[pd.DataFrame]:
        """Read some columns, so many rows at a time; a file that is one value is taken apart as a whole."""
        if not self._by_line:
            frame = self._frame(self._whole(), wanted)
            yield from (frame.iloc[first : first + rows] for first in range(0, len(frame), rows))
            return
        first, held = 0, []
        for value in self._lines():
            held.append(value)
            if len(held) >= rows:
                yield self._frame(self._table_of(held, first), wanted)
                first, held = first + len(held), []
        if held:
            yield self._frame(self._table_of(held, first), wanted)

    def _has_lines(self) -> bool:
        """Tell a value a line from one value: the first line is whole, and something follows."""
        with explained_reading(self._packed.path), self._text() as lines:
            first = lines.readline(_LONGEST).strip()
            second = next((line for line in iter(lambda: lines.readline(_LONGEST), "") if line.strip()), "")
        if not second:
            return False
        try:
            self._parse(first)
        except DataError:
            return False
        return True

    def _text(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(self._packed.open(), encoding=self._encoding)

    def _lines(self) -> Iterator[Any]:
        with explained_reading(self._packed.path), self._text() as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield self._parse(line, f" in line {number:,}")

    def _first(self) -> _Columns:
        return self._table_of([next(self._lines())], 0)

    def _whole(self) -> _Columns:
        if self._table is None:
            with explained_reading(self._packed.path), self._text() as lines:
                text = lines.read(_LONGEST)
                if len(text) == _LONGEST:
                    raise self._refused("it is too long to be taken apart in one piece; write one record a line")
            self._table = self._shape(self._parse(text), _WRAPPED)
        return self._table

    def _parse(self, text: str, where: str = "") -> Any:
        try:
            return json.loads(text, object_pairs_hook=self._record)
        except RecursionError as error:
            raise self._refused(f"it is nested too deeply{where}") from error
        except MemoryError as error:
            raise self._refused(f"it does not fit into memory{where}") from error
        except ValueError as error:  # not JSON, or a number with thousands of digits
            raise self._refused(f"it is no JSON{where}: {error}") from error

    def _record(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        record = dict(pairs)
        if len(record) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise self._refused(f"a record has {twice!r} twice")
        return record

    def _refused(self, why: str) -> DataError:
        return DataError(f"{self._packed.path}: cannot be read as JSON: {why}")

    def _shape(self, value: Any, depth: int) -> _Columns:
        """Find the table in a JSON value."""
        if isinstance(value, list) and value:
            return self._table_of(value, 0)
        if isinstance(value, dict):
            if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):
                return self._split(value)
            if isinstance(value.get("schema"), dict) and isinstance(value.get("data"), list):
                return self._shape(value["data"], depth)
            if _PRICES & {name.lower() for name in value}:
                return self._by_column(value)
            inner = list(value.values())
            if inner and all(isinstance(row, dict) and _PRICES & {name.lower() for name in row} for row in inner):
                return self._by_time(value)
            held = [(name, one) for name, one in value.items() if isinstance(one, (list, dict)) and one]
            if len(held) == 1 and depth:
                return self._shape(held[0][1], depth - 1)
            if len(held) > 1:
                raise self._refused(f"rows could be under {', '.join(repr(name) for name, _ in held[:5])}; keep one")
        raise self._refused(
            "it holds no rows. Bars may be a list of records, a list of rows, columns, or one record a line"
        )

    def _table_of(self, rows: Sequence[Any], first: int) -> _Columns:
        if all(isinstance(row, dict) for row in rows):
            names = list(dict.fromkeys(name for row in rows for name in row))
            return _Columns(tuple(names), [[row.get(name) for row in rows] for name in names])
        if not all(isinstance(row, list) for row in rows):
            odd = next(number for number, row in enumerate(rows) if type(row) is not type(rows[0]))
            if not odd:
                raise self._refused(f"row {first} is {_shown(rows[0])}, not a record or a list")
            raise self._refused(f"row {first + odd} is {_shown(rows[odd])}, the rows before are something else")
        head = rows[0] if rows and all(isinstance(field, str) for field in rows[0]) and is_header(rows[0]) else None
        width, body = len(rows[0]), rows[head is not None :]
        for number, row in enumerate(body, first):
            if len(row) != width:
                raise self._refused(f"row {number} has {len(row)} values, the first one {width}")
        usual = {len(_CANDLE): _CANDLE, len(KLINES): KLINES}
        names = head if head is not None else list(usual.get(width, range(width)))
        return _Columns(tuple(names), [list(column) for column in zip(*body, strict=True)] or [[] for _ in names])

    def _split(self, value: Mapping[str, Any]) -> _Columns:
        names, rows, index = value["columns"], value["data"], value.get("index")
        if not all(isinstance(name, (str, int)) for name in names):
            raise self._refused(f"the columns are named {_shown(names)}; text is expected")
        for number, row in enumerate(rows):
            if not isinstance(row, list) or len(row) != len(names):
                raise self._refused(f"row {number} is {_shown(row)}; {len(names)} values are expected")
        columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in names]
        if isinstance(index, list) and index != list(range(len(rows))):
            return self._even(("index", *names), [index, *columns])
        return _Columns(tuple(names), columns)

    def _by_column(self, value: Mapping[str, Any]) -> _Columns:
        """Read columns that are lists, or mappings from one index."""
        lists = {name: column for name, column in value.items() if isinstance(column, list)}
        mapped = {name: column for name, column in value.items() if isinstance(column, dict)}
        if not mapped:
            return self._even(tuple(lists), list(lists.values()))
        first = list(next(iter(mapped.values())))
        if lists or not all(list(column) == first for column in mapped.values()):
            raise self._refused("its columns do not have the same index")
        names, values = tuple(mapped), [list(column.values()) for column in mapped.values()]
        if first == [str(number) for number in range(len(first))]:
            return _Columns(names, values)
        return _Columns(("index", *names), [first, *values])

    def _by_time(self, value: Mapping[str, Any]) -> _Columns:
        table = self._table_of(list(value.values()), 0)
        if list(value) == [str(number) for number in range(len(value))]:
            return table
        return _Columns(("index", *table.names), [list(value), *table.values])

    def _even(self, names: tuple[Hashable, ...], values: list[list[Any]]) -> _Columns:
        if len(set(map(len, values))) > 1:
            lengths = ", ".join(f"{name!r} {len(column):,}" for name, column in zip(names, values, strict=True))
            raise self._refused(f"its columns differ in length: {lengths}")
        return _Columns(names, values)

    def _frame(self, table: _Columns, wanted: Sequence[Hashable]) -> pd.DataFrame:
        import pandas as pd

        columns: dict[Hashable, Any] = {}
        for name in wanted:
            if table.names.count(name) > 1:
                raise self._refused(f"several columns are named {name!r}")
            column = table.values[table.names.index(name)] if name in table.names else [None] * len(table.values[0])
            for number, value in enumerate(column):
                if isinstance(value, (list, dict, bool)):
                    raise self._refused(f"row {number} has {_shown(value)} under {name!r}; a number is expected")
            columns[name] = _series(column)
        return pd.DataFrame(columns)


def _series(column: list[Any]) -> pd.Series[Any]:
    """Give numbers as numbers; whatever does not fit 64 bits stays as it is, to be refused by who reads it."""
    import pandas as pd

    try:
        return pd.Series(column)
    except (OverflowError, ValueError):
        return pd.Series(column, dtype=object)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
