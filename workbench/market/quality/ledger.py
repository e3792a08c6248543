"""The ledger of a series: what was found about it, which values contradicted each other, what was decided.

It lies in the folder of the series, as a store of its own, so that reading prices never depends on it. Revisions are
kept with both values whichever of them the lake took; what a check found is kept until the next check; decisions are
kept for good.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import COLUMNS
from workbench.market.quality.findings import (
    DECISIONS,
    Quality,
    QualityFinding,
    in_order,
    plain_rows,
    read_rows,
)
from workbench.market.timeframe import Timeframe
from workbench.store import Manifest, PartStore

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["SeriesLedger"]

_FOLDER: Final = "quality"
_MANY_PARTS: Final = 16
_PRICES: Final = ("open", "high", "low", "close")
_FIELDS: Final = (*COLUMNS, "filled")
# What can be seen in rows only, before they are bars; of these a write takes over what the bars carry.
_OF_ROWS: Final = {"duplicate": ("identical", "contradicting"), "off_grid": ("",), "invalid": ("",),
                   "clock_skew": ("jitter", "offset")}  # fmt: skip
# What a check of the bars by themselves does not find again.
_OF_OTHERS: Final = {"outlier": ("venue",), "clock_skew": ("lag",), "early_end": None}

Columns = Mapping[str, NDArray[Any]]


class SeriesLedger:
    """What is known about the quality of one series, on disk.

    Parameters
    ----------
    folder : path
        Of the series; the ledger is a folder in it, made by the first thing recorded.
    timeframe : Timeframe
    """

    def __init__(self, folder: str | Path, timeframe: Timeframe) -> None:
        self._store = PartStore(Path(folder) / _FOLDER)
        self._bar = timeframe

    def exists(self) -> bool:
        """Tell whether anything was ever recorded."""
        return self._store.exists()

    def delete(self) -> None:
        """Delete all that was recorded, and what a writer that was killed left behind."""
        if self._store.folder.is_dir():
            self._store.delete()

    def provenance(self) -> dict[str, Any]:
        """Give what bars read from the series carry: `findings` that they do not show, and `decisions`.

        Raises
        ------
        DataError
            The ledger is damaged.
        """
        if not self.exists():
            return {}
        return self._store.read(self._provenance)

    def _provenance(self, manifest: Manifest) -> dict[str, Any]:
        rows = self._rows(manifest, "rows")
        checked = [one for one in self._rows(manifest, "checked") if _is(one, _OF_OTHERS)]
        found = [*rows, *checked, *self._revised(manifest)]
        said: dict[str, Any] = {"findings": plain_rows(in_order(found))} if found else {}
        decisions = manifest.meta.get("decisions", {})
        return said | ({"decisions": decisions} if decisions else {})

    def checked(self) -> dict[str, Any] | None:
        """Give when the series was last checked, the fingerprint it had and the summary; None where it never was."""
        return self._store.manifest().meta.get("checked") if self.exists() else None

    def revisions(self) -> pd.DataFrame:
        """Give every contradiction there was: one row a bar, with the values of both sides.

        Returns
        -------
        pandas.DataFrame
            Columns `ts`, `at` (when it came, both UTC timestamps), `took` ("kept": the old values, "replaced": the
            new ones), `source` (of the new ones), and `old_…` and `new_…` of each column.
        """
        import pandas as pd

        table = self._store.read(lambda manifest: self._table(manifest, "revisions")) if self.exists() else None
        names = ["ts", "at", "took", "source", *(f"{side}_{name}" for name in _FIELDS for side in ("old", "new"))]
        frame = pd.DataFrame(columns=names) if table is None else table.to_pandas()[names]
        for name in ("ts", "at"):
            frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True)
        return frame.sort_values(["ts", "at"], kind="stable", ignore_index=True)

    def record_rows(self, findings: Iterable[QualityFinding]) -> None:
        """Add what was found about rows before they became bars; what is there already is not added again."""
        wanted = [one for one in findings if _is(one, _OF_ROWS)]
        if not wanted:
            return
        with self._store.transaction() as change:
            known = {one.id for one in self._rows(change.manifest, "rows")}
            fresh = [one for one in wanted if one.id not in known]
            if fresh:
                change.add(_table(plain_rows(fresh)), {"table": "rows"})
                self._compact(change, "rows")

    def record_revisions(self, old: Columns, new: Columns, *, took: str, source: str) -> None:
        """Add bars that came again with other values.

        Parameters
        ----------
        old, new : mapping of str to array, shape (n,)
            `ts`, the columns and `filled`: what the lake had, and what came.
        took : {"kept", "replaced"}
            Whose values the lake has now.
        source : str
            Where the new ones come from.
        """
        import pyarrow as pa

        now = time.time_ns() // 1_000_000
        columns = {f"{side}_{name}": values[name] for side, values in (("old", old), ("new", new)) for name in _FIELDS}
        count = len(new["ts"])
        table = pa.table({"ts": new["ts"], "at": np.full(count, now), "took": [took] * count,
                          "source": [source] * count, **columns})  # fmt: skip
        with self._store.transaction() as change:
            known = self._table(change.manifest, "revisions")
            if known is not None:
                table = _unknown(table, known)
            if table.num_rows:
                change.add(table, {"table": "revisions"})
                self._compact(change, "revisions")

    def record_check(self, quality: Quality) -> None:
        """Keep what a check of the whole series found, in place of what the one before it did."""
        with self._store.transaction() as change:
            for part in change.parts:
                if part.meta["table"] == "checked":
                    change.retire(part)
            if quality.findings:
                change.add(_table(plain_rows(quality.findings)), {"table": "checked"})
            change.meta["checked"] = {
                "at": time.time_ns() // 1_000_000, "fingerprint": quality.fingerprint, "summary": quality.summary,
            }  # fmt: skip

    def decide(self, ids: Sequence[str], decision: str, note: str) -> None:
        """Note what was decided about findings.

        Raises
        ------
        DataError
            The decision is unknown.
        """
        if decision not in DECISIONS:
            raise DataError(
                f"decision = {decision!r} is not one of {', '.join(map(repr, DECISIONS))}", decision=decision
            )
        now = time.time_ns() // 1_000_000
        with self._store.transaction() as change:
            kept = dict(change.meta.get("decisions", {}))
            for name in ids:
                kept[name] = {"decision": decision, "note": note, "at": now}
            change.meta["decisions"] = kept

    def _rows(self, manifest: Manifest, which: str) -> tuple[QualityFinding, ...]:
        table = self._table(manifest, which)
        return () if table is None else read_rows(table.to_pylist())

    def _table(self, manifest: Manifest, which: str) -> pa.Table | None:
        parts = [part for part in manifest.parts if part.meta["table"] == which]
        return self._store.table(parts) if parts else None

    def _compact(self, change: Any, which: str) -> None:
        """Join the parts of a table when there are many; those of a transaction that is open count too."""
        parts = [part for part in change.parts if part.meta["table"] == which]
        if len(parts) <= _MANY_PARTS:
            return
        table = self._store.table(parts)
        for part in parts:
            change.retire(part)
        change.add(table, {"table": which})

    def _revised(self, manifest: Manifest) -> list[QualityFinding]:
        """Tell revisions as findings: bars that stand side by side and went the same way are one."""
        table = self._table(manifest, "revisions")
        if table is None:
            return []
        columns = {name: table.column(name).to_numpy() for name in table.column_names}
        found = []
        for took in ("kept", "replaced"):
            mine = columns["took"] == took
            found += _revision_runs({name: values[mine] for name, values in columns.items()}, took, self._bar)
        return found


def _revision_runs(columns: Columns, took: str, bar: Timeframe) -> list[QualityFinding]:
    if not len(columns["ts"]):
        return []
    changed = np.max([np.abs(columns[f"new_{name}"] / columns[f"old_{name}"] - 1) for name in _PRICES], axis=0)
    ts, place = np.unique(columns["ts"], return_inverse=True)
    largest, times = np.zeros(len(ts)), np.bincount(place)
    np.maximum.at(largest, place, changed)
    edges = [0, *(np.flatnonzero(np.diff(ts) > bar.ms) + 1).tolist(), len(ts)]
    return [
        QualityFinding(
            kind="revision", cause=took, start=int(ts[first]), end=int(ts[stop - 1]) + bar.ms, bars=stop - first,
            size=float(largest[first:stop].max()),
            detail="volume or fill marks only" if not largest[first:stop].any() else
            f"prices differ by up to {largest[first:stop].max():.4%}"
            + (f", {int(times[first:stop].sum()):,} times" if times[first:stop].max() > 1 else ""),
        )
        for first, stop in pairwise(edges)
    ]  # fmt: skip


def _is(finding: QualityFinding, kinds: Mapping[str, tuple[str, ...] | None]) -> bool:
    causes = kinds.get(finding.kind, ())
    return causes is None or finding.cause in causes


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist(rows)


def _unknown(table: pa.Table, known: pa.Table) -> pa.Table:
    """Give the revisions that were not recorded yet: a download that asks again gets the same contradiction again."""
    names = [name for name in table.column_names if name not in ("at", "source")]
    seen = set(zip(*(known.column(name).to_pylist() for name in names), strict=True))
    rows = zip(*(table.column(name).to_pylist() for name in names), strict=True)
    return table.filter([row not in seen for row in rows])
