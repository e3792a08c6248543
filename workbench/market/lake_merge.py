"""How the bars of one storage block join those that the lake has for it."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import COLUMNS, Bars
from workbench.market.lake_read import load_rows
from workbench.market.lake_series import bars_of, span
from workbench.store import Part, PartStore, Transaction

__all__ = ["DETAILED", "Columns", "Merged", "OnConflict", "merge_block", "sound_bars"]

OnConflict = Literal["error", "keep", "replace"]
DETAILED: Final = 100  # of a block that differs everywhere; the count is exact, the list need not be complete

Columns = dict[str, NDArray[Any]]


class Merged(NamedTuple):
    """A block after the merge, and which of the new rows were fresh, the same, or in conflict."""

    bars: Bars
    added: int
    identical: int = 0
    conflicts: int = 0
    examples: tuple[dict[str, Any], ...] = ()
    changed: bool = True
    old: Columns | None = None
    new: Columns | None = None


def merge_block(store: PartStore, change: Transaction, part: Part | None, new: Bars, on_conflict: OnConflict) -> Merged:
    """Join bars of one block with the part that holds it, if there is one; nothing is written."""
    if part is None:
        return Merged(new, added=len(new))
    there, given = _columns(sound_bars(store, change, part)), _columns(new)
    place = np.minimum(np.searchsorted(there["ts"], given["ts"]), part.rows - 1)
    known = there["ts"][place] == given["ts"]
    same = known & np.logical_and.reduce([there[name][place] == given[name] for name in (*COLUMNS, "filled")])
    differs = known & ~same
    examples = [_conflict(there, place[row], given, row) for row in np.flatnonzero(differs)[:DETAILED].tolist()]
    before = {name: column[place[differs]] for name, column in there.items()}
    if on_conflict == "replace":
        for name, column in there.items():
            there[name] = column.copy()
            there[name][place[differs]] = given[name][differs]
    joined = {name: np.concatenate([there[name], given[name][~known]]) for name in there}
    order = np.argsort(joined["ts"], kind="stable")
    columns: dict[str, Any] = {name: column[order] for name, column in joined.items()}
    bars = Bars(instrument=new.instrument, timeframe=new.timeframe, **columns)
    return Merged(
        bars,
        added=int((~known).sum()),
        identical=int(same.sum()),
        conflicts=int(differs.sum()),
        examples=tuple(examples),
        changed=not known.all() or (on_conflict == "replace" and bool(differs.any())),
        old=before,
        new={name: column[differs] for name, column in given.items()},
    )


def sound_bars(store: PartStore, change: Transaction, part: Part) -> Bars:
    """Read a part that is to be merged into; a corrupt one is never merged with anything."""
    rows = load_rows(store, [part])
    for _, reason in rows.damaged:
        raise DataError(
            f"{store.path(part)}, which holds the bars of {span([part])}, is corrupt ({reason}), so nothing can be "
            "merged with it. Take it out with lake.drop_corrupt(…) and import that time again, or write the whole "
            "series with mode='replace'",
            path=str(store.path(part)),
        )
    return bars_of(change.manifest, rows)


def _columns(bars: Bars) -> Columns:
    filled = np.zeros(len(bars), dtype=np.bool_) if bars.filled is None else bars.filled
    return {**{name: getattr(bars, name) for name in ("ts", *COLUMNS)}, "filled": filled}


def _conflict(there: Columns, old: int, given: Columns, new: int) -> dict[str, Any]:
    names = [name for name in (*COLUMNS, "filled") if there[name][old] != given[name][new]]
    return {
        "ts": int(given["ts"][new]),
        "old": {name: there[name][old].item() for name in names},
        "new": {name: given[name][new].item() for name in names},
    }
