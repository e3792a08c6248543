"""The tables of a result as files for other programs: CSV, JSON or Parquet, all of one schema (`export_schema`).

All tables of an export are made before the first is written, and all are on disk before the first takes its place; text
that a spreadsheet would take for a formula is guarded in CSV.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from workbench._durable import replace_files
from workbench._spreadsheet import guarded
from workbench.backtest.export_schema import SCHEMA, SCHEMA_VERSION, described
from workbench.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from workbench.backtest.result import Result

__all__ = ["FORMATS", "export_tables"]

FORMATS: Final = ("csv", "json", "parquet")
_SCHEMA_FILE: Final = "schema.json"


def export_tables(
    result: Result, folder: str | Path, format: str = "parquet", *, tables: Iterable[str] = tuple(SCHEMA)
) -> list[Path]:
    """Write tables of a result into a folder, whole or not at all.

    Parameters
    ----------
    result : Result
    folder : str or Path
        Made if need be; files of these names are replaced.
    format : {"csv", "json", "parquet"}
    tables : iterable of str
        Of trades, fills, orders, positions, equity, costs and metrics; all of them if left out.

    Returns
    -------
    list of Path
        The files; with JSON and Parquet `schema.json` is among them, which says what each column is.

    Raises
    ------
    ConfigError
        There is no such format or table.
    DataError
        The disk refuses.
    """
    wanted = list(dict.fromkeys([tables] if isinstance(tables, str) else tables))
    if format not in FORMATS:
        raise ConfigError(f"format {format!r} is not known; choose {', '.join(FORMATS)}", format=format)
    for name in wanted:
        if name not in SCHEMA:
            raise ConfigError(f"there is no table {name!r}; there are {', '.join(SCHEMA)}", table=name)
    files = {f"{name}.{format}": _WRITERS[format](result, name) for name in wanted}
    if format != "csv":
        files[_SCHEMA_FILE] = json.dumps(described(), indent=1).encode()
    return replace_files(Path(folder), files)


def _csv(result: Result, name: str) -> bytes:
    frame = _TABLES[name](result)
    indexed = frame.index.name is not None
    for column, field in SCHEMA[name].items():
        if column in frame and field.kind == "text":
            frame[column] = frame[column].map(guarded)
    if frame.index.name in SCHEMA[name] and SCHEMA[name][str(frame.index.name)].kind == "text":
        frame.index = frame.index.map(guarded)
    text: str = frame.to_csv(index=indexed, lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%SZ")
    return text.encode()


def _plain_frame(result: Result, name: str) -> pd.DataFrame:
    """Give a table with its index as a column, and the columns of the schema."""
    frame = _TABLES[name](result)
    frame = frame.reset_index() if frame.index.name is not None else frame
    if name == "metrics":
        values = list(frame["value"])
        frame["text"] = [value if isinstance(value, str) else None for value in values]
        frame["value"] = [None if isinstance(value, str) or value is None else float(value) for value in values]
    return frame[list(SCHEMA[name])]


def _json(result: Result, name: str) -> bytes:
    table = _arrow(result, name)
    columns = [
        _json_values(column, SCHEMA[name][title].kind)
        for title, column in zip(table.column_names, table.columns, strict=True)
    ]
    rows = [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]
    return json.dumps(rows, allow_nan=False, ensure_ascii=False).encode()


def _json_values(column: pa.ChunkedArray, kind: str) -> list[Any]:
    import math

    if kind == "time":
        return [None if one is None else f"{one:%Y-%m-%dT%H:%M:%SZ}" for one in column.to_pylist()]
    if kind == "number":
        return [one if one is not None and math.isfinite(one) else None for one in column.to_pylist()]
    values: list[Any] = column.to_pylist()
    return values


def _parquet(result: Result, name: str) -> bytes:
    import io

    import pyarrow.parquet as pq

    stream = io.BytesIO()
    pq.write_table(_arrow(result, name), stream, compression="zstd")
    return stream.getvalue()


def _arrow(result: Result, name: str) -> pa.Table:
    import pyarrow as pa

    kinds = {"text": pa.string(), "number": pa.float64(), "whole": pa.int64(), "time": pa.timestamp("ms", tz="UTC")}
    fields = [
        pa.field(column, kinds[one.kind], metadata={"unit": one.unit, "meaning": one.meaning})
        for column, one in SCHEMA[name].items()
    ]
    told = {"workbench_schema": str(SCHEMA_VERSION), "table": name, "result": result.name}
    schema = pa.schema(fields, metadata=told)
    frame = _plain_frame(result, name)
    arrays = [pa.array(frame[one.name], type=one.type, from_pandas=True) for one in schema]
    return pa.table(arrays, schema=schema)


def _per_bar(result: Result) -> pd.DataFrame:
    import pandas as pd

    curves = [result.equity, result.gross_equity, result.returns]
    return pd.concat([*curves, result.exposure, result.margin.add_prefix("margin_")], axis=1)


def _numbers(result: Result) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({"metric": list(result.metrics), "value": list(result.metrics.values())})


_TABLES: Final[Mapping[str, Callable[[Result], pd.DataFrame]]] = MappingProxyType({
    "trades": lambda result: result.trades,
    "fills": lambda result: result.fills,
    "orders": lambda result: result.orders,
    "positions": lambda result: result.positions,
    "equity": _per_bar,
    "costs": lambda result: result.costs_by_kind,
    "metrics": _numbers,
})  # fmt: skip
_WRITERS: Final[Mapping[str, Callable[[Result, str], bytes]]] = MappingProxyType({
    "csv": _csv, "json": _json, "parquet": _parquet,
})  # fmt: skip
