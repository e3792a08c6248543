"""SQL over the whole lake, read-only by construction.

The query runs in a DuckDB of its own that has no access to any file, network or setting: it sees the lake as an Arrow
dataset over exactly the parts that count, with page checksums verified. Handing DuckDB the file names instead, on its
list of allowed paths, would be somewhat faster, but allowed means writable: `WITH x AS (COPY … TO 'part')` is a SELECT.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import DataError
from workbench.market.bars import COLUMNS
from workbench.market.lake_series import SeriesKey, catalog_of, info_of
from workbench.market.lens import CONFIG
from workbench.store import Manifest, PartStore

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow.dataset as arrow_dataset

__all__ = ["read_only", "run_query"]

_READING: Final = ("SELECT", "WITH", "FROM", "VALUES", "TABLE", "PIVOT", "UNPIVOT", "DESCRIBE", "SHOW", "SUMMARIZE")
_SPACE: Final = re.compile(r"\s+|--[^\n]*(?:\n|$)|/\*.*?\*/", re.DOTALL)
_EXPLAIN: Final = re.compile(r"EXPLAIN\b\s*(?:ANALYZE\b|\([^)]*\))?", re.IGNORECASE)
_CHANGE: Final = (
    f"the lake: ask with one of {', '.join(_READING)} or EXPLAIN, and change the lake with lake.write(…) or "
    "lake.delete(…)"
)
_SETTINGS: Final = (
    "TimeZone = 'UTC'",
    "enable_progress_bar = false",
    "python_enable_replacements = false",
    "enable_external_access = false",
    "lock_configuration = true",
)


def run_query(query: str, series: Sequence[tuple[SeriesKey, PartStore, Manifest]]) -> pd.DataFrame:
    """Run one reading statement; `Lake.sql` says what it sees.

    Raises
    ------
    DataError
        It is not exactly one statement that only reads, or DuckDB refuses it.
    """
    import pyarrow as pa

    catalog = catalog_of([info_of(key, manifest) for key, _, manifest in series])
    tables = {"bars": _dataset(series), "catalog": pa.Table.from_pandas(catalog, preserve_index=False)}
    return read_only(
        query,
        tables,
        f"The tables are bars (venue, symbol, timeframe, ts, {', '.join(COLUMNS)}, filled) and catalog; `DESCRIBE "
        "catalog` lists its columns",
    )


def read_only(query: str, tables: Mapping[str, Any], hint: str = "", change: str = "") -> pd.DataFrame:
    """Run one reading statement over tables of Arrow, in a DuckDB that reaches nothing else.

    Parameters
    ----------
    query : str
    tables : mapping of names to pyarrow Table or Dataset
    hint : str, optional
        Said where DuckDB refuses the query; the names of the tables when left out.
    change : str, optional
        Said of a query that would change something: how else to do that.

    Raises
    ------
    DataError
        It is not exactly one statement that only reads, or DuckDB refuses it.
    """
    import duckdb
    import pyarrow as pa

    hint = hint or f"The tables are {' and '.join(tables)}; `DESCRIBE {next(iter(tables))}` lists the columns of one"
    with duckdb.connect(":memory:", config=CONFIG) as connection:
        _require_reading(connection, query, change)
        for name, table in tables.items():
            connection.register(name, table)
        for setting in _SETTINGS:
            connection.execute(f"SET {setting}")
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="The inplace keyword")  # DuckDB's own call of pandas
                return connection.execute(query).df()
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise DataError(f"the query failed: {error}. {hint}", query=query) from error


def _require_reading(connection: duckdb.DuckDBPyConnection, query: str, change: str) -> None:
    import duckdb

    text = _without_comment(query)
    explain = _EXPLAIN.match(text)
    inner = _without_comment(text[explain.end() :]) if explain else text
    try:
        statements = connection.extract_statements(query)
        kinds = [statement.type for statement in connection.extract_statements(inner)]
    except duckdb.Error as error:
        raise DataError(f"the query is no SQL that DuckDB understands: {error}", query=query) from error
    if len(statements) != 1:
        raise DataError(f"the query has {len(statements)} statements; give exactly one, such as SELECT", query=query)
    word = inner.split(maxsplit=1)[0] if inner.split() else ""
    begins_well = inner.startswith("(") or re.match(rf"({'|'.join(_READING)})\b", inner, re.IGNORECASE)
    # PIVOT is two statements to DuckDB: one finds the columns, the other selects
    if not begins_well or kinds[0] not in (duckdb.StatementType.SELECT, duckdb.StatementType.MULTI):
        raise DataError(
            f"the query begins with {word!r}, but SQL only reads {change or _CHANGE}",
            query=query,
        )


def _without_comment(text: str) -> str:
    while skipped := _SPACE.match(text):
        text = text[skipped.end() :]
    return text


def _dataset(series: Sequence[tuple[SeriesKey, PartStore, Manifest]]) -> arrow_dataset.FileSystemDataset:
    """Lay an Arrow dataset over exact files, each known by venue, symbol and timeframe: only those asked for open."""
    import pyarrow as pa
    import pyarrow.dataset as arrow_dataset
    from pyarrow.fs import LocalFileSystem

    schema = pa.schema(
        [
            *((name, pa.string()) for name in SeriesKey._fields),
            ("ts", pa.timestamp("ms", tz="UTC")),
            *((name, pa.float64()) for name in COLUMNS),
            ("filled", pa.bool_()),
        ]
    )
    options = arrow_dataset.ParquetFragmentScanOptions(page_checksum_verification=True)
    parquet = arrow_dataset.ParquetFileFormat(default_fragment_scan_options=options)
    files = LocalFileSystem()
    fragments: list[Any] = []
    for key, store, manifest in series:
        known = [arrow_dataset.field(name) == str(value) for name, value in zip(key._fields, key, strict=True)]
        where = known[0] & known[1] & known[2]
        for part in sorted(manifest.parts, key=lambda part: part.meta["start"]):
            fragments.append(parquet.make_fragment(str(store.path(part)), filesystem=files, partition_expression=where))
    return arrow_dataset.FileSystemDataset(fragments, schema, parquet, filesystem=files)
