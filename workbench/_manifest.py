"""The manifest of a store: which part files count, as a value and as the text of `manifest.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from workbench.errors import DataError

__all__ = ["Manifest", "Part", "Retired"]

_FORMAT: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One file of rows.

    Parameters
    ----------
    file : str
        Name inside the store's folder.
    rows, size : int
        Number of rows; bytes on disk.
    checksum : str
        CRC-32 of the file's bytes, 8 hex digits.
    meta : mapping
        What the owner of the store notes about the part; plain JSON data.
    """

    file: str
    rows: int
    size: int
    checksum: str
    meta: Mapping[str, Any] = field(default_factory=dict)


class Retired(NamedTuple):
    """A file that no longer counts, and when (ms UTC) it stopped counting."""

    file: str
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What a store holds at one moment.

    Parameters
    ----------
    version : int
        Grows with every write; 0 for a store that was never written.
    parts : tuple of Part
        The parts that count, in the order in which they were added.
    meta : mapping
        What the owner notes about the whole.
    retired : tuple
        Files that stopped counting and are not deleted yet.
    """

    version: int = 0
    parts: tuple[Part, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    retired: tuple[Retired, ...] = ()

    @property
    def rows(self) -> int:
        """Rows of all parts."""
        return sum(part.rows for part in self.parts)

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for part in self.parts)

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """Read a manifest file; an empty manifest where there is none.

        Raises
        ------
        DataError
            It cannot be read, is damaged, or was written by a newer workbench.
        """
        try:
            document = json.loads(path.read_bytes())
            if document["format"] > _FORMAT:
                raise DataError(
                    f"{path} has format {document['format']}, this workbench knows {_FORMAT}: upgrade workbench",
                    path=str(path),
                )
            return cls(
                version=int(document["version"]),
                parts=tuple(Part(**part) for part in document["parts"]),
                meta=dict(document["meta"]),
                retired=tuple(Retired(**entry) for entry in document["retired"]),
            )
        except (FileNotFoundError, NotADirectoryError):
            return cls()
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror}; check who may read it", path=str(path)) from error
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path} is damaged ({error!r}): restore it from a backup, or delete the folder and write its content "
                "again",
                path=str(path),
            ) from error

    def dump(self) -> bytes:
        """Give the text of the manifest file; `load` reads it back."""
        document = {
            "format": _FORMAT,
            "version": self.version,
            "meta": dict(self.meta),
            "parts": [asdict(part) for part in self.parts],
            "retired": [entry._asdict() for entry in self.retired],
        }
        return json.dumps(document, indent=1).encode()
