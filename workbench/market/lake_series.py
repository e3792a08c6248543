"""One series in the lake: where it lies, what is noted about it, and how its bars become Parquet and come back.

A series is a `PartStore` in `venue=…/symbol=…/timeframe=…`, one part per storage block (`Timeframe.block_of`). A part's
notes hold the block's number, span, hash, filled and missing bars; the series' notes hold the instrument's facts and
its provenance. So the catalogue and the fingerprint come from the manifest alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import COLUMNS, Bars, digest_blocks, fingerprint_of, moment
from workbench.market.calendar import gaps
from workbench.market.instrument import Instrument
from workbench.market.lake_read import PartRows
from workbench.market.timeframe import Timeframe
from workbench.store import MANIFEST, Manifest, Part

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = [
    "WRITE_OPTIONS",
    "SeriesInfo",
    "SeriesKey",
    "bars_of",
    "catalog_of",
    "find_series",
    "find_venues",
    "info_of",
    "missing_of",
    "part_notes",
    "span",
    "table_of",
]

# dictionaries of prices cost time and space; times one step apart shrink to almost nothing as differences
WRITE_OPTIONS: Final[dict[str, Any]] = {
    "compression": "lz4",  # unpacks three times as fast as zstd for a third more space
    "use_dictionary": False,
    "column_encoding": {"ts": "DELTA_BINARY_PACKED"} | dict.fromkeys(COLUMNS, "PLAIN") | {"filled": "RLE"},
}
_LEVELS: Final = ("venue", "symbol", "timeframe")


class SeriesKey(NamedTuple):
    """Which series: where, what and how long a bar is."""

    venue: str
    symbol: str
    timeframe: Timeframe

    def __str__(self) -> str:
        return f"{self.symbol} {self.timeframe} at {self.venue}"

    def folder(self, root: Path) -> Path:
        """Give the folder of the series; every character that could mean something to a path is escaped."""
        return root.joinpath(
            *(f"{level}={quote(str(value), safe='')}" for level, value in zip(_LEVELS, self, strict=True))
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SeriesInfo:
    """What the lake knows about a series without opening its parts: one row of the catalogue.

    Parameters
    ----------
    venue, symbol, timeframe, kind : str
    rows : int
    start, end : int
        ms UTC: open of the first bar, close of the last one.
    missing : int
        Bars that the instrument's calendar expects between start and end and that are not there.
    filled : int
        Bars that were made up by a fill rule.
    size_bytes : int
    source, licence : str
        Where the bars come from; several are separated by `"; "`.
    imported_at : int
        ms UTC of the last write.
    fingerprint : str
        Equal to `Bars.fingerprint` of the whole series.
    """

    venue: str
    symbol: str
    timeframe: str
    kind: str
    rows: int
    start: int
    end: int
    missing: int
    filled: int
    size_bytes: int
    source: str
    licence: str
    imported_at: int
    fingerprint: str


def find_venues(root: Path) -> list[str]:
    """List the venues under a lake's folder."""
    return sorted(venue for venue, _ in _folders(root, "venue"))


def find_series(root: Path) -> list[SeriesKey]:
    """List the series under a lake's folder, ordered by venue, symbol and timeframe."""
    found = []
    for venue, venue_folder in _folders(root, "venue"):
        for symbol, symbol_folder in _folders(venue_folder, "symbol"):
            for text, folder in _folders(symbol_folder, "timeframe"):
                with suppress(DataError):  # a folder of somebody else's
                    key = SeriesKey(venue, symbol, Timeframe.parse(text))
                    if (folder / MANIFEST).is_file():
                        found.append(key)
    return sorted(found)


def _folders(parent: Path, level: str) -> Iterable[tuple[str, Path]]:
    try:
        names = os.listdir(parent)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise DataError(f"cannot read {parent}: {error.strerror}; check who may read it", path=str(parent)) from error
    for name in names:
        if name.startswith(f"{level}="):
            yield unquote(name.removeprefix(f"{level}=")), parent / name


def info_of(key: SeriesKey, manifest: Manifest) -> SeriesInfo:
    """Summarise a series from its manifest, which has at least one part."""
    imports = manifest.meta["imports"]
    spans = [(part.meta["start"], part.meta["end"]) for part in manifest.parts]
    return SeriesInfo(
        venue=key.venue,
        symbol=key.symbol,
        timeframe=str(key.timeframe),
        kind=manifest.meta["instrument"]["kind"],
        rows=manifest.rows,
        start=min(start for start, _ in spans),
        end=max(end for _, end in spans) + key.timeframe.ms,
        missing=manifest.meta["missing"],
        filled=sum(part.meta["filled"] for part in manifest.parts),
        size_bytes=manifest.size,
        source="; ".join(dict.fromkeys(entry["source"] for entry in imports)),
        licence="; ".join(dict.fromkeys(entry["licence"] for entry in imports)),
        imported_at=max(entry["imported_at"] for entry in imports),
        fingerprint=fingerprint_of({part.meta["block"]: part.meta["digest"] for part in manifest.parts}),
    )


def catalog_of(infos: Sequence[SeriesInfo]) -> pd.DataFrame:
    """Give one row per series, with times as UTC timestamps."""
    import pandas as pd

    types = {field.name: "int64" if field.type == "int" else "str" for field in fields(SeriesInfo)}
    frame = pd.DataFrame([asdict(info) for info in infos], columns=list(types)).astype(types)
    for name in ("start", "end", "imported_at"):
        frame[name] = frame[name].astype("datetime64[ms]").dt.tz_localize("UTC")
    return frame


def bars_of(manifest: Manifest, rows: PartRows, *, start: int | None = None, end: int | None = None) -> Bars:
    """Make bars of the rows of some parts, those that open at or after `start` and before `end` (ms UTC).

    Raises
    ------
    DataError
        The rows are no bars.
    """
    wanted = slice(*(None if at is None else int(np.searchsorted(rows.columns["ts"], at)) for at in (start, end)))
    imports = manifest.meta["imports"]
    provenance = {
        **{name: imports[-1][name] for name in ("source", "licence", "note", "imported_at")},
        "imports": imports,
    }
    if "coverage" in manifest.meta:
        provenance["coverage"] = manifest.meta["coverage"]
    if rows.damaged:
        provenance["left_out"] = [
            {"file": part.file, "start": part.meta["start"], "end": part.meta["end"]} for part, _ in rows.damaged
        ]
    return Bars(
        instrument=Instrument.from_dict(manifest.meta["instrument"]),
        timeframe=Timeframe.parse(manifest.meta["timeframe"]),
        provenance=provenance,
        **{name: array[wanted] for name, array in rows.columns.items()},
    )


def table_of(bars: Bars) -> pa.Table:
    """Give bars as the Arrow table that a part stores: `ts` as UTC timestamps, the columns, and the fill marks."""
    import pyarrow as pa

    filled: NDArray[np.bool_] = np.zeros(len(bars), dtype=np.bool_) if bars.filled is None else bars.filled
    return pa.table(
        {
            "ts": pa.array(bars.ts.view("datetime64[ms]"), pa.timestamp("ms", tz="UTC")),
            **{name: getattr(bars, name) for name in COLUMNS},
            "filled": filled,
        }
    )


def part_notes(bars: Bars) -> dict[str, Any]:
    """Give what is noted about the part that stores these bars, which lie in one block."""
    [(block, digest)] = digest_blocks(bars).items()
    return {
        "block": block,
        "start": int(bars.ts[0]),
        "end": int(bars.ts[-1]),
        "digest": digest,
        "filled": 0 if bars.filled is None else int(bars.filled.sum()),
        "missing": sum(gap.missing for gap in gaps(bars.ts, bars.timeframe, bars.instrument.calendar)),
    }


def span(parts: Sequence[Part]) -> str:
    """Write for people from which bar to which bar some parts reach."""
    first, last = min(part.meta["start"] for part in parts), max(part.meta["end"] for part in parts)
    return f"{moment(first)} to {moment(last)}"


def missing_of(parts: Sequence[Part], timeframe: Timeframe, calendar: str) -> int:
    """Count the missing bars of a series: inside its parts, as noted, and between one part and the next."""
    edges = np.unique(np.array([part.meta[edge] for part in parts for edge in ("start", "end")], dtype=np.int64))
    starts = {part.meta["start"] for part in parts}
    between = sum(gap.missing for gap in gaps(edges, timeframe, calendar) if gap.end in starts)
    return between + sum(int(part.meta["missing"]) for part in parts)
