"""DuckDB in this process: one in-memory database through which Parquet files are read in place.

The database holds no data; making it costs tens of milliseconds, so there is one per process and each read takes a
cursor of it. A forked child makes its own: the parent's threads do not exist there, and even closing the inherited
database would wait for them for ever. SQL written by users never comes here, see `lake_sql`.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from numpy.typing import NDArray

if TYPE_CHECKING:
    import duckdb

__all__ = ["CONFIG", "columns", "cursor"]

CONFIG: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": "false",  # no network, and no waiting for one
    "autoload_known_extensions": "false",
    "enable_external_file_cache": "false",  # the system's page cache has the files already
}


class _Shared:
    """The database of this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.connection: duckdb.DuckDBPyConnection | None = None
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self._close)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        with self.lock:
            if self.connection is None:
                import duckdb

                self.connection = duckdb.connect(":memory:", config=CONFIG)
                self.connection.execute("SET enable_progress_bar = false")
            return self.connection.cursor()

    def _forget(self) -> None:
        if self.connection is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.connection))  # never destroyed in the child
        self.connection = None
        self.lock = threading.Lock()

    def _close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


_SHARED: Final = _Shared()


def cursor() -> duckdb.DuckDBPyConnection:
    """Give a new cursor of this process's in-memory DuckDB; safe in threads and after a fork."""
    return _SHARED.cursor()


def columns(files: Sequence[Path], expressions: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Read columns of Parquet files, one after another in the order given.

    Parameters
    ----------
    files : sequence of Path
        Exactly the files to read; no patterns.
    expressions : sequence of str
        SQL of the columns, such as `"open"` or `"epoch_ms(ts) AS ts"`; never a user's text.

    Returns
    -------
    dict
        Column name to array; the arrays are new and nobody else's.
    """
    query = f"SELECT {', '.join(expressions)} FROM read_parquet(?, hive_partitioning = false)"
    with cursor() as local:
        arrays: dict[str, Any] = local.execute(query, [[str(file) for file in files]]).fetchnumpy()
        return arrays
