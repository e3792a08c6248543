"""`Shelf`: where a sweep keeps the pieces it has finished, so that one that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.store import PartStore

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Piece", "Shelf", "slug_of", "studies_root"]

Piece = tuple[int, int, NDArray[np.float64], NDArray[np.bool_]]


class Shelf:
    """The finished pieces of one sweep, on disk.

    Parameters
    ----------
    folder : Path
        Of this sweep alone; made by the first write.
    metrics : tuple of str
        Columns of a piece.
    """

    def __init__(self, folder: Path, metrics: tuple[str, ...]) -> None:
        self.folder, self.metrics = folder, metrics
        self._store = PartStore(folder / "chunks")

    @property
    def file(self) -> Path:
        """Where the table is kept when all of it is there."""
        return self.folder / "study.parquet"

    def pieces(self) -> Iterator[Piece]:
        """Read what is there; a piece is as it was written, since it counts only when all of it is on the disk."""
        if not self._store.exists():
            return
        for part in self._store.manifest().parts:
            table = self._store.table([part])
            values = np.column_stack([table[name].to_numpy() for name in self.metrics])
            refused = table["refused"].to_numpy()
            at = 0
            for start, stop in part.meta["ranges"]:
                rows = slice(at, at + stop - start)
                yield start, stop, values[rows], refused[rows]
                at = rows.stop

    def add(self, pieces: list[Piece]) -> None:
        """Write pieces; they count when this returns."""
        import pyarrow as pa

        if not pieces:
            return
        values = np.concatenate([one[2] for one in pieces])
        columns: dict[str, Any] = {name: values[:, place] for place, name in enumerate(self.metrics)}
        columns["refused"] = np.concatenate([one[3] for one in pieces])
        table: pa.Table = pa.table(columns)
        self._store.append(table, {"ranges": [[start, stop] for start, stop, *_ in pieces]})

    def clear(self) -> None:
        """Forget what is there."""
        if self._store.exists():
            self._store.delete()
        self.file.unlink(missing_ok=True)


def slug_of(name: str) -> str:
    """Give a folder name for a study; different names have different ones.

    Raises
    ------
    ConfigError
        The name is empty or no text.
    """
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(f"study = {name!r}: give it a name, such as study='sma on btc'")
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60]
    same = re.sub(r"[^a-z0-9]+", "-", name) == slug
    return slug if same else f"{slug or 'study'}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def studies_root() -> Path | None:
    """Give the folder of studies of the workspace, None outside of one."""
    from workbench.settings import load_settings

    settings = load_settings()
    return settings.data / "studies" if settings.found else None
