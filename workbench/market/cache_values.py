"""Values of the cache as bytes and back: JSON, bytes, tables; packed where that saves something; never pickled."""

from __future__ import annotations

import io
import json
import zlib
from typing import Any, Final

from workbench.errors import DataError

__all__ = ["pack", "unpack"]

_SMALL: Final = 512  # bytes that are not worth packing
_LARGEST: Final = 512 << 20  # bytes that a value may unpack to


def pack(value: Any) -> bytes:
    """Turn JSON data, bytes, a DataFrame or an Arrow table into bytes.

    Raises
    ------
    DataError
        It is something else, or JSON that would come back changed, such as a tuple as a key.
    """
    kind, content = _encoded(value)
    if len(content) < _SMALL:
        return kind + b"-" + content
    return kind + b"z" + zlib.compress(content, 1)


def _encoded(value: Any) -> tuple[bytes, bytes]:
    if isinstance(value, (bytes, bytearray)):
        return b"B", bytes(value)
    if type(value).__module__.partition(".")[0] in ("pandas", "pyarrow"):
        return _encoded_table(value)
    try:
        return b"J", json.dumps(value, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(
            f"a {type(value).__name__} cannot be cached ({error}): give JSON data, bytes, a DataFrame or a table"
        ) from error


def _encoded_table(value: Any) -> tuple[bytes, bytes]:
    import pandas as pd
    import pyarrow as pa

    try:
        table = pa.Table.from_pandas(value) if isinstance(value, pd.DataFrame) else value
        if isinstance(table, pa.Table):
            sink = io.BytesIO()
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
            return b"F" if isinstance(value, pd.DataFrame) else b"A", sink.getvalue()
    except pa.ArrowException as error:
        raise DataError(f"this {type(value).__name__} cannot be cached: {error}") from error
    raise DataError(f"a {type(value).__name__} cannot be cached: give JSON data, bytes, a DataFrame or a table")


def unpack(content: bytes) -> Any:
    """Read what `pack` gave.

    Raises
    ------
    DataError
        It is not from `pack`.
    """
    kind, packed, body = content[:1], content[1:2], content[2:]
    try:
        if packed == b"z":
            unpacking = zlib.decompressobj()
            body = unpacking.decompress(body, _LARGEST)
            if unpacking.unconsumed_tail or not unpacking.eof:
                raise DataError("a cached value is damaged")
        if kind == b"J":
            return json.loads(body)
        if kind in (b"A", b"F"):
            import pyarrow as pa

            table = pa.ipc.open_stream(body).read_all()
            return table.to_pandas() if kind == b"F" else table
    except (ValueError, RecursionError, zlib.error, OSError) as error:  # Arrow's errors are ValueErrors or OSErrors
        raise DataError(f"a cached value is damaged: {error}") from error
    if kind == b"B":
        return body
    raise DataError("a cached value is damaged")
