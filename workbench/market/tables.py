"""Series in the lake that are no bars: the trades and the funding rates of a symbol.

Each is a `PartStore` of its own beside the symbol's bars, `venue=…/symbol=…/kind=trades`, one part per UTC day (trades)
or one for all (funding rates), written and read like bars: whole parts, listed by a manifest, never replaced in place.
What lies where venues are concerned (their markets, leverage tiers) is in `venue_tables`.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import moment, to_ms
from workbench.market.instrument import Instrument
from workbench.market.ticks import Ticks
from workbench.store import MANIFEST, Manifest, Part, PartStore, Transaction

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["EventKind", "TableKey", "Written", "find_tables", "funding", "table_store", "trades", "write_events"]

EventKind = Literal["trades", "funding"]

_DAY_MS: Final = 86_400_000
_LEVELS: Final = ("venue", "symbol", "kind")
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "trades": ("ts", "id", "price", "quantity", "side"),
    "funding": ("ts", "rate"),
}
_SHOWN: Final = 20


class TableKey(NamedTuple):
    """Which series: where, what, and of what kind."""

    venue: str
    symbol: str
    kind: EventKind

    def __str__(self) -> str:
        words = {"trades": "trades", "funding": "funding rates"}
        return f"{self.symbol} {words[self.kind]} at {self.venue}"

    def folder(self, root: Path) -> Path:
        """Give the folder of the series."""
        return root.joinpath(*(f"{level}={quote(value, safe='')}" for level, value in zip(_LEVELS, self, strict=True)))


class Written(NamedTuple):
    """What a write did: new rows, rows that were there, and rows that the lake has otherwise (kept as they were).

    `conflicts` shows the first of the last, each with `ts`, `old` and `new`.
    """

    added: int
    identical: int
    kept: int
    rows: int
    conflicts: tuple[dict[str, Any], ...] = ()


def table_store(root: Path, key: TableKey, **options: Any) -> PartStore:
    """Give the store of a series; nothing is made by that."""
    return PartStore(key.folder(root), **options)


def find_tables(root: Path) -> list[TableKey]:
    """List the series of trades and funding rates under a lake's folder, ordered by venue, symbol and kind."""
    found = []
    for venue in _names(root, "venue"):
        for symbol in _names(root / f"venue={quote(venue, safe='')}", "symbol"):
            keys = [TableKey(venue, symbol, kind) for kind in get_args(EventKind)]
            found += [key for key in keys if (key.folder(root) / MANIFEST).is_file()]
    return sorted(found)


def _names(folder: Path, level: str) -> list[str]:
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(unquote(name.removeprefix(f"{level}=")) for name in names if name.startswith(f"{level}="))


def write_events(
    store: PartStore,
    key: TableKey,
    rows: Sequence[Sequence[Any]],
    *,
    instrument: Instrument,
    source: str,
) -> Written:
    """Add rows to a series; it is on disk when this returns. A row that the lake has otherwise is left as it is.

    Parameters
    ----------
    store : PartStore
    key : TableKey
    rows : sequence
        Trades (ts, id, price, quantity, side) or funding rates (ts, rate), oldest first; checked by whoever asked.
    instrument : Instrument
        Noted with the series.
    source : str
        Where the rows come from, in words.
    """
    identity = 1 if key.kind == "trades" else 0
    blocks: dict[int, list[Sequence[Any]]] = {}
    for row in rows:
        blocks.setdefault(_block(key.kind, row[0]), []).append(row)
    added = identical = 0
    conflicts: list[dict[str, Any]] = []
    with store.transaction() as change:
        before = {part.meta["block"]: part for part in change.parts}
        for block, new in sorted(blocks.items()):
            old = before.get(block)
            held = [] if old is None else _rows(store, key.kind, [old])
            known = {row[identity]: tuple(row) for row in held}
            fresh = []
            for row in map(tuple, new):
                there = known.setdefault(row[identity], row)
                if there is row:
                    fresh.append(row)
                elif there == row:
                    identical += 1
                else:
                    conflicts.append({"ts": int(row[0]), "old": list(there), "new": list(row)})
            if fresh:
                _put(change, key.kind, block, [*held, *fresh], old)
                added += len(fresh)
        change.meta |= {"instrument": instrument.to_dict(), "kind": key.kind, "source": source}
        return Written(
            added, identical, len(conflicts), sum(part.rows for part in change.parts), tuple(conflicts[:_SHOWN])
        )


def _block(kind: EventKind, ts: int) -> int:
    return ts // _DAY_MS if kind == "trades" else 0


def _put(change: Transaction, kind: EventKind, block: int, rows: list[Sequence[Any]], old: Part | None) -> None:
    rows = sorted(rows, key=lambda row: row[0])  # stable: within a millisecond they stay as the venue gave them
    if old is not None:
        change.retire(old)
    change.add(_table(kind, rows), {"block": block, "start": int(rows[0][0]), "end": int(rows[-1][0])})


def _table(kind: EventKind, rows: Sequence[Sequence[Any]]) -> pa.Table:
    import pyarrow as pa

    types = {
        "ts": pa.timestamp("ms", tz="UTC"), "id": pa.string(), "price": pa.float64(), "quantity": pa.float64(),
        "side": pa.int8(), "rate": pa.float64(),
    }  # fmt: skip
    columns = zip(*rows, strict=True)
    return pa.table({name: pa.array(column, types[name]) for name, column in zip(_COLUMNS[kind], columns, strict=True)})


def _rows(store: PartStore, kind: EventKind, parts: Sequence[Part]) -> list[tuple[Any, ...]]:
    columns = _columns(store, kind, parts)
    return list(zip(*(columns[name] for name in _COLUMNS[kind]), strict=True))


def _columns(store: PartStore, kind: EventKind, parts: Sequence[Part]) -> dict[str, list[Any]]:
    import pyarrow as pa

    table = store.table(sorted(parts, key=lambda part: part.meta["start"]))
    if not parts:
        return {name: [] for name in _COLUMNS[kind]}
    ts = table["ts"].cast(pa.int64())
    return {"ts": ts.to_pylist(), **{name: table[name].to_pylist() for name in _COLUMNS[kind][1:]}}


def _arrays(root: Path, key: TableKey, start: Any, end: Any) -> tuple[dict[str, NDArray[Any]], Mapping[str, Any]]:
    """Read a series between two times, as arrays, with its notes."""
    import pyarrow as pa

    first, last = (None if at is None else to_ms(at) for at in (start, end))
    store = table_store(root, key)

    def load(manifest: Manifest) -> tuple[dict[str, NDArray[Any]], Mapping[str, Any]]:
        parts = [
            part
            for part in manifest.parts
            if (last is None or part.meta["start"] < last) and (first is None or part.meta["end"] >= first)
        ]
        if not parts:
            raise _nothing(key, manifest, first, last)
        table = store.table(sorted(parts, key=lambda part: part.meta["start"]))
        ts = table["ts"].cast(pa.int64()).to_numpy()
        rows = slice(*(None if at is None else int(np.searchsorted(ts, at)) for at in (first, last)))
        arrays = {name: table[name].to_numpy()[rows] for name in _COLUMNS[key.kind][1:]}
        if not len(ts[rows]):
            raise _nothing(key, manifest, first, last)
        return {"ts": ts[rows], **arrays}, manifest.meta

    return store.read(load)


def _nothing(key: TableKey, manifest: Manifest, start: int | None, end: int | None) -> DataError:
    asked = f"{'its start' if start is None else moment(start)} to {'its end' if end is None else moment(end)}"
    if not manifest.parts:
        return DataError(f"the lake has no {key}; `workbench data download` asks for them")
    span = [min(part.meta["start"] for part in manifest.parts), max(part.meta["end"] for part in manifest.parts)]
    return DataError(
        f"there are no {key} from {asked}; the lake has {manifest.rows:,} from {moment(span[0])} to {moment(span[1])}"
        " UTC",
        available=tuple(span),
    )


def _find(root: Path, symbol: str, kind: EventKind, venue: str | None) -> TableKey:
    known = [key for key in find_tables(root) if key.kind == kind]
    found = [key for key in known if key.symbol == symbol and venue in (None, key.venue)]
    if len(found) == 1:
        return found[0]
    if found:
        names = [key.venue for key in found]
        raise DataError(
            f"the lake has {symbol} {kind} of {len(names)} venues: {', '.join(map(repr, names))}; say which one with "
            f"venue={names[0]!r}",
            venues=names,
        )
    near = difflib.get_close_matches(symbol, [key.symbol for key in known], n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"it has {kind} of {len(known)} other symbols"
    raise DataError(
        f"the lake at {root} has no {kind} of {symbol!r}{f' at {venue}' if venue else ''}; {hint}. "
        f"`workbench data download {symbol} --what {kind} --venue NAME` asks a venue for them",
        symbol=symbol,
    )


def _lake_root(root: str | Path | None) -> Path:
    if root is not None:
        return Path(root)
    from workbench.settings import load_settings

    return load_settings().lake_root


def trades(
    symbol: str, start: Any = None, end: Any = None, *, venue: str | None = None, root: str | Path | None = None
) -> Ticks:
    """Read the trades of a symbol from the lake, or those at or after `start` and before `end`.

    Parameters
    ----------
    symbol : str
    start, end : str, datetime, pandas.Timestamp or int (ms UTC), optional
    venue : str, optional
        May be left out when only one venue has them.
    root : path, optional
        The lake's folder; that of the current workspace when left out.

    Returns
    -------
    Ticks

    Raises
    ------
    DataError
        There are none, or a part is corrupt.
    """
    folder = _lake_root(root)
    arrays, notes = _arrays(folder, _find(folder, symbol, "trades", venue), start, end)
    return Ticks(
        instrument=Instrument.from_dict(notes["instrument"]),
        ts=arrays["ts"], price=arrays["price"], quantity=arrays["quantity"], side=arrays["side"].astype(np.int8),
    )  # fmt: skip


def funding(
    symbol: str, start: Any = None, end: Any = None, *, venue: str | None = None, root: str | Path | None = None
) -> pd.Series[float]:
    """Read the funding rates of a perpetual from the lake, ready for `Rules(funding=…)`.

    Parameters
    ----------
    symbol, start, end, venue, root
        As in `trades`.

    Returns
    -------
    pandas.Series
        Rates as fractions of the notional that longs pay to shorts, by time of settlement (UTC, whole seconds: venues
        stamp a settlement some milliseconds late).

    Raises
    ------
    DataError
        There are none, or a part is corrupt.
    """
    import pandas as pd

    folder = _lake_root(root)
    arrays, _ = _arrays(folder, _find(folder, symbol, "funding", venue), start, end)
    index = pd.DatetimeIndex((arrays["ts"] // 1_000 * 1_000).astype("datetime64[ms]"), tz="UTC", name="ts")
    return pd.Series(arrays["rate"].copy(), index=index, name="funding_rate")
