"""Somebody's file as a stream of bytes: unpacked while it is read, and never further than is believable.

A packed file of a few bytes can unpack to more than any memory holds. Prices in text shrink to a tenth or so, so
whatever unpacks to a hundred times its size is no data of the market.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from workbench.errors import DataError

__all__ = ["Packed", "explained_reading"]

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_BELIEVED: Final = 100  # times its packed size
_ALWAYS: Final = 64 << 20  # bytes that are unpacked however small the file
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Packed:
    """A file that may be packed, known by its first four bytes."""

    path: Path
    magic: bytes

    def open(self) -> IO[bytes]:
        """Give its content as a stream.

        Raises
        ------
        DataError
            It is an archive that does not hold exactly one file. Reading on raises it where the content never ends.
        """
        if self.magic[:2] == _GZIP:
            return self._bounded(gzip.open(self.path))
        if self.magic != _ZIP:
            return self.path.open("rb")
        with zipfile.ZipFile(self.path) as archive:
            inside = [name for name in archive.namelist() if not name.endswith("/")]
            if len(inside) != 1:
                raise DataError(
                    f"{self.path}: the archive holds {len(inside)} files; unpack it and import them one by one"
                )
            return self._bounded(archive.open(inside[0]))

    def _bounded(self, stream: Any) -> IO[bytes]:
        most = max(_ALWAYS, _BELIEVED * self.path.stat().st_size)
        return cast(IO[bytes], io.BufferedReader(_Bounded(stream, most, self.path), 1 << 16))

    def encoding(self) -> str:
        """Tell how its text is encoded: UTF-16 marks itself, everything else must be UTF-8."""
        with self.open() as stream:
            return "utf-16" if stream.read(2) in _UTF_16 else "utf-8-sig"


class _Bounded(io.RawIOBase):
    """A stream that refuses to give more bytes than is believable."""

    def __init__(self, stream: Any, most: int, path: Path) -> None:
        self._stream, self._left, self._path = stream, most, path

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read(len(buffer))
        self._left -= len(content)
        if self._left < 0:
            raise DataError(
                f"{self._path}: the file unpacks to more than {_BELIEVED} times its size, which no prices do; it is "
                "damaged, or made to fill the memory. Unpack it yourself if it is what you want"
            )
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._stream.close()
        super().close()


@contextmanager
def explained_reading(path: Path) -> Iterator[None]:
    """Map the errors of reading and unpacking a file, once, at this border."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file") from error
    except MemoryError as error:
        raise DataError(
            f"{path}: the file does not fit into memory; wb.data.import_into_lake reads it in pieces"
        ) from error
    except UnicodeError as error:
        raise DataError(f"{path}: this is not UTF-8 text ({error}); save it as UTF-8") from error
    # zipfile says by RuntimeError that a password is needed, by NotImplementedError that it cannot unpack something
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
