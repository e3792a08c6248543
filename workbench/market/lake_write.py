"""How new bars join what the lake has: block by block, identical rows dropped, contradictions refused.

Blocks are merged and written as they come, and count together at the end or, when anything contradicts, not at all.
Only those that change are written again.
"""

from __future__ import annotations

import itertools
import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np

from workbench.errors import DataError
from workbench.market.bars import Bars, fingerprint_of, moment
from workbench.market.calendar import gaps
from workbench.market.coverage import Coverage
from workbench.market.instrument import Instrument
from workbench.market.lake_merge import DETAILED, Columns, Merged, OnConflict, merge_block, sound_bars
from workbench.market.lake_series import SeriesKey, missing_of, part_notes, table_of
from workbench.market.quality.findings import QualityFinding, read_rows
from workbench.market.quality.ledger import SeriesLedger
from workbench.store import Part, PartStore, Transaction

__all__ = [
    "Mode",
    "OnConflict",
    "Origin",
    "WriteReport",
    "blocks_of",
    "check_options",
    "origin_of",
    "write_blocks",
    "write_series",
]

Mode = Literal["merge", "replace"]

_SHOWN: Final = 5
_FIRST_MS: Final = -2_208_988_800_000  # 1900
_LAST_MS: Final = 7_258_118_400_000  # 2200
_MOST_THREADS: Final = 8


class Origin(NamedTuple):
    """Where bars come from, in words."""

    source: str
    licence: str
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteReport:
    """What a write did to a series.

    Parameters
    ----------
    series : str
        Symbol, timeframe and venue.
    added : int
        Bars at times that the series did not have.
    identical : int
        Bars that the series had already; dropped.
    replaced : int
        Bars that differed from what the series had, and took its place.
    kept : int
        Bars that differed from what the series had, and were dropped for it.
    removed : int
        Bars that the series had before a write with `mode="replace"`.
    rows : int
        Bars of the series now.
    fingerprint : str
        Of the series now.
    """

    series: str
    added: int = 0
    identical: int = 0
    replaced: int = 0
    kept: int = 0
    removed: int = 0
    rows: int
    fingerprint: str

    def __str__(self) -> str:
        words = ("added", "identical", "replaced", "kept", "removed")
        did = [f"{getattr(self, word):,} {word}" for word in words if getattr(self, word)]
        return f"{self.series}: {', '.join(did) or 'nothing changed'}; {self.rows:,} bars"


def origin_of(bars: Bars, **given: str | None) -> Origin:
    """Say where bars come from: what the caller gave, else what they carry themselves.

    Raises
    ------
    DataError
        They are no `Bars`, or the caller gave something else than text; the catalog could not hold it.
    """
    if not isinstance(bars, Bars):
        raise DataError(f"a {type(bars).__name__} cannot be written: give wb.Bars, as Bars.from_pandas makes them")
    for name, value in given.items():
        if value is not None and not isinstance(value, str):
            raise DataError(f"{bars.symbol}: {name} is {value!r}; say it in text")
    carried = {"source": "unknown", "licence": "unknown", "note": "", **bars.provenance}
    return Origin(*(str(carried[name]) if given.get(name) is None else str(given[name]) for name in Origin._fields))


def check_options(on_conflict: str, mode: str) -> None:
    """Refuse options of a write that do not exist."""
    for name, value, known in (("on_conflict", on_conflict, OnConflict), ("mode", mode, Mode)):
        if value not in get_args(known):
            raise DataError(f"{name} is {value!r}; it must be one of {', '.join(map(repr, get_args(known)))}")


def write_series(
    store: PartStore, key: SeriesKey, bars: Bars, origin: Origin, *, on_conflict: OnConflict, mode: Mode
) -> WriteReport:
    """Write bars into their series; `Lake.write` says what the options mean."""
    return write_blocks(store, key, blocks_of(bars), lambda: origin, on_conflict=on_conflict, mode=mode)


def write_blocks(
    store: PartStore,
    key: SeriesKey,
    blocks: Iterable[Bars],
    origin: Callable[[], Origin],
    *,
    on_conflict: OnConflict,
    mode: Mode,
) -> WriteReport:
    """Write bars that come block by block, oldest first, so that few of them are in memory at a time.

    Parameters
    ----------
    blocks : iterable of Bars
        The bars of one storage block each (`Timeframe.block_of`), no block twice. When it raises, nothing was written.
    origin : callable
        Asked when the last block has come.
    """
    total = _Total(on_conflict)
    with store.transaction() as change:
        before = {part.meta["block"]: part for part in change.parts}

        def put(bars: Bars) -> _Placed:
            block = int(bars.timeframe.block_of(bars.ts[:1])[0])
            old = before.get(block)
            merged = merge_block(store, change, old if mode == "merge" else None, bars, on_conflict)
            fine = not total.refused and not (merged.conflicts and on_conflict == "error")
            return _Placed(block, old, merged, _put(store, change, old, merged) if fine else None)

        with closing(_in_threads(put, total.noting(blocks))) as placed:
            for one in placed:
                total.take(one)
                if one.part is not None:
                    if one.old is not None:
                        change.retire(one.old)
                    change.count(one.part)
        if total.last is None:
            raise DataError(f"{key}: there are no bars to write; give at least one")
        if total.refused:
            raise _contradiction(key, total.conflicts, total.examples)
        for block, part in before.items():
            if mode == "replace" and block not in total.blocks:
                change.retire(part)
        if mode == "replace":
            Coverage.forget(change.meta)  # what was downloaded before is gone
        counts = total.counts(removed=change.manifest.rows if mode == "replace" else 0)
        _record(store, change, total.last, origin(), counts, fresh=mode == "replace")
        if total.revised:  # the last thing before the old values are gone, so that what fails before leaves no trace
            _keep_both(store, key, total.revised, "replaced" if on_conflict == "replace" else "kept", origin().source)
        report = WriteReport(
            series=str(key), rows=sum(part.rows for part in change.parts), fingerprint=_fingerprint(change), **counts
        )
    ledger = SeriesLedger(store.folder, key.timeframe)
    if mode == "replace":
        ledger.delete()
    ledger.record_rows(total.findings)
    return report


def _keep_both(
    store: PartStore, key: SeriesKey, revised: Sequence[tuple[Columns, Columns]], took: str, source: str
) -> None:
    """Write the values of both sides of every contradiction into the ledger of the series."""
    old, new = (
        {name: np.concatenate([side[name] for side in sides]) for name in sides[0]}
        for sides in zip(*revised, strict=True)
    )
    SeriesLedger(store.folder, key.timeframe).record_revisions(old, new, took=took, source=source)


def _carried(bars: Bars) -> list[QualityFinding]:
    """Give the findings about rows that the bars carry, of the time that they are of."""
    found = read_rows(bars.provenance.get("findings", ()))
    return [one for one in found if one.end > bars.start and one.start < bars.end]


class _Placed(NamedTuple):
    """What became of one block: the part that it had, the merge, and the new part, if one was needed."""

    block: int
    old: Part | None
    merged: Merged
    part: Part | None


class _Total:
    """The sums over all blocks of a write."""

    def __init__(self, on_conflict: OnConflict) -> None:
        self.on_conflict = on_conflict
        self.blocks: set[int] = set()
        self.added = self.identical = self.conflicts = 0
        self.examples: list[dict[str, Any]] = []
        self.last: Bars | None = None
        self.revised: list[tuple[Columns, Columns]] = []
        self.findings: list[QualityFinding] = []

    def noting(self, blocks: Iterable[Bars]) -> Iterator[Bars]:
        """Pass blocks on, and keep what they carry about their rows."""
        for bars in blocks:
            self.findings += _carried(bars)
            yield bars

    @property
    def refused(self) -> bool:
        """Whether a contradiction has come; the rest is only looked at, to count them."""
        return self.conflicts > 0 and self.on_conflict == "error"

    def take(self, placed: _Placed) -> None:
        merged = placed.merged
        self.blocks.add(placed.block)
        self.added += merged.added
        self.identical += merged.identical
        self.conflicts += merged.conflicts
        self.examples += merged.examples[: DETAILED - len(self.examples)]
        if merged.conflicts and merged.old is not None and merged.new is not None:
            self.revised.append((merged.old, merged.new))
        self.last = merged.bars

    def counts(self, *, removed: int) -> dict[str, int]:
        return {
            "added": self.added,
            "identical": self.identical,
            "replaced": self.conflicts if self.on_conflict == "replace" else 0,
            "kept": self.conflicts if self.on_conflict == "keep" else 0,
            "removed": removed,
        }


def _in_threads(put: Callable[[Bars], _Placed], blocks: Iterable[Bars]) -> Generator[_Placed, None, None]:
    """Put blocks, in their order, a few at a time; hashing and packing leave Python free."""
    coming = iter(blocks)
    start = list(itertools.islice(coming, 2))
    if len(start) < 2:  # what a feed appends needs no threads
        yield from map(put, start)
        return
    threads = min(os.cpu_count() or 1, _MOST_THREADS)
    waiting: deque[Future[_Placed]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for bars in itertools.chain(start, coming):
            waiting.append(pool.submit(put, bars))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def blocks_of(bars: Bars) -> Iterator[Bars]:
    """Cut bars into storage blocks, oldest first.

    Raises
    ------
    DataError
        There are none, or their times are not between 1900 and 2200.
    """
    if not len(bars):
        raise DataError(f"{bars.symbol} {bars.timeframe}: there are no bars to write; give at least one")
    for ts in (int(bars.ts[0]), int(bars.ts[-1])):
        if not _FIRST_MS <= ts < _LAST_MS:
            raise DataError(
                f"{bars.symbol} {bars.timeframe}: the time {ts} ms UTC is not between 1900 and 2200; is it in "
                "seconds, microseconds or nanoseconds? `wb.data.clean` finds out",
                ts=ts,
            )
    marked = bars.provenance.get("unfinished")
    unfinished = bars.ts[np.isin(bars.ts, marked)] if marked else bars.ts[:0]
    if len(unfinished):
        raise DataError(
            f"{bars.symbol} {bars.timeframe}: the bar at {moment(int(unfinished[0]))} UTC is not finished, and an "
            "unfinished bar is never stored; leave it out",
            times=unfinished.tolist(),
        )
    return (bars[rows] for _, rows in bars.timeframe.blocks(bars.ts))


def _contradiction(key: SeriesKey, count: int, examples: list[dict[str, Any]]) -> DataError:
    shown = "; ".join(
        f"{moment(example['ts'])} UTC "
        + ", ".join(f"{name} {old!r} -> {example['new'][name]!r}" for name, old in example["old"].items())
        for example in examples[:_SHOWN]
    )
    more = f"; and {count - _SHOWN:,} more" if count > _SHOWN else ""
    return DataError(
        f"{key}: {count:,} bar{'s differ' if count > 1 else ' differs'} from what the lake has (old -> new): "
        f"{shown}{more}. Nothing was written; take the new ones with on_conflict='replace', or leave the old ones "
        "with on_conflict='keep'",
        count=count,
        conflicts=examples,
    )


def _put(store: PartStore, change: Transaction, old: Part | None, merged: Merged) -> Part | None:
    if not merged.changed:
        return None
    notes = part_notes(merged.bars)
    if old is not None and old.meta["digest"] == notes["digest"] and store.damage(old) is None:
        return None  # the same bars are there already
    return change.write(table_of(merged.bars), notes)


def _record(
    store: PartStore, change: Transaction, bars: Bars, origin: Origin, counts: Mapping[str, int], *, fresh: bool
) -> None:
    """Note the provenance of a write that changed something, and what follows from it for the whole series."""
    facts, known = bars.instrument.to_dict(), change.meta.get("instrument")
    if change.parts == change.manifest.parts and facts == known and not fresh:
        return
    if known is not None and known["calendar"] != facts["calendar"]:
        _count_missing_again(store, change, bars.instrument)
    missing = missing_of(change.parts, bars.timeframe, bars.instrument.calendar)
    change.meta |= {"instrument": facts, "timeframe": str(bars.timeframe), "missing": missing}
    now = time.time_ns() // 1_000_000
    entry = {
        **origin._asdict(),
        "first_at": now,
        "imported_at": now,
        "writes": 1,
        **counts,
        "rows": sum(part.rows for part in change.parts),
        "filled": sum(part.meta["filled"] for part in change.parts),
        "missing": missing,
        "fingerprint": _fingerprint(change),
    }
    if known is not None and facts != known:
        entry["facts_changed"] = {
            name: [known.get(name), facts[name]] for name in facts if known.get(name) != facts[name]
        }
    imports = [] if fresh else change.meta.get("imports", [])
    if imports and "facts_changed" not in entry and all(imports[-1][name] == entry[name] for name in Origin._fields):
        last = imports.pop()  # a feed that appends bar by bar is one entry, not thousands
        entry |= {"first_at": last["first_at"], "writes": last["writes"] + 1}
        entry |= {name: last[name] + count for name, count in counts.items()}
        if "facts_changed" in last:
            entry["facts_changed"] = last["facts_changed"]
    change.meta["imports"] = [*imports, entry]


def _count_missing_again(store: PartStore, change: Transaction, instrument: Instrument) -> None:
    for part in change.parts:
        held = sound_bars(store, change, part)
        missing = sum(gap.missing for gap in gaps(held.ts, held.timeframe, instrument.calendar))
        change.note(part, {**part.meta, "missing": missing})


def _fingerprint(change: Transaction) -> str:
    return fingerprint_of({part.meta["block"]: part.meta["digest"] for part in change.parts})
