"""What the disk has spoilt: comparing a series with what was written, and taking spoilt parts out of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import DataError
from workbench.market.bars import digest_blocks, moment
from workbench.market.coverage import Coverage
from workbench.market.lake_read import load_rows
from workbench.market.lake_series import SeriesKey, bars_of, missing_of
from workbench.store import MANIFEST, Manifest, Part, PartStore

__all__ = ["Finding", "check_series", "drop_corrupt_parts"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something in the lake that is not as it was written.

    Parameters
    ----------
    venue, symbol, timeframe : str
    file : str
        Path of the spoilt file.
    start, end : int or None
        ms UTC: open times of the first and the last bar in it; None where the whole series is affected.
    problem : str
        What is wrong, in words.
    """

    venue: str
    symbol: str
    timeframe: str
    file: str
    start: int | None
    end: int | None
    problem: str

    def __str__(self) -> str:
        held = "" if self.start is None or self.end is None else f", {moment(self.start)} to {moment(self.end)}"
        return f"{self.symbol} {self.timeframe} at {self.venue}{held}: {self.problem} ({self.file})"


def check_series(store: PartStore, key: SeriesKey) -> list[Finding]:
    """Compare every part of a series with its manifest, down to the values of the bars."""
    try:
        return store.read(lambda manifest: _check(store, key, manifest))
    except DataError as error:
        return [_finding(key, str(store.folder / MANIFEST), None, str(error))]


def _check(store: PartStore, key: SeriesKey, manifest: Manifest) -> list[Finding]:
    problems = [(part, problem) for part in manifest.parts if (problem := _problem(store, manifest, part))]
    if problems and store.superseded(manifest):
        raise DataError(f"{key}: the parts were replaced while they were checked; check again")
    return [_finding(key, str(store.path(part)), part, problem) for part, problem in problems]


def _problem(store: PartStore, manifest: Manifest, part: Part) -> str | None:
    try:
        rows = load_rows(store, [part])
        if rows.damaged:
            return rows.damaged[0][1]
        bars = bars_of(manifest, rows)
    except DataError as error:
        return f"its content cannot be used: {error}"
    if digest_blocks(bars) != {part.meta["block"]: part.meta["digest"]}:
        return "its bars are not the ones that were written"
    return None


def _finding(key: SeriesKey, file: str, part: Part | None, problem: str) -> Finding:
    return Finding(
        venue=key.venue,
        symbol=key.symbol,
        timeframe=str(key.timeframe),
        file=file,
        start=part.meta["start"] if part else None,
        end=part.meta["end"] if part else None,
        problem=problem,
    )


def _ask_again(notes: dict[str, Any], key: SeriesKey, parts: Sequence[Part]) -> None:
    """Let a download ask again for what is gone."""
    coverage = Coverage.of(notes)
    for part in parts:
        coverage = coverage.cut(part.meta["start"], part.meta["end"] + key.timeframe.ms)
    if coverage != Coverage.of(notes):
        coverage.note(notes)


def drop_corrupt_parts(store: PartStore, key: SeriesKey) -> list[Finding]:
    """Take the corrupt parts out of a series and note what was in them."""
    with store.transaction() as change:
        spoilt = [(part, problem) for part in change.parts if (problem := _problem(store, change.manifest, part))]
        for part, _ in spoilt:
            change.retire(part)
        if spoilt:
            calendar = change.meta["instrument"]["calendar"]
            now = time.time_ns() // 1_000_000
            change.meta["missing"] = missing_of(change.parts, key.timeframe, calendar)
            _ask_again(change.meta, key, [part for part, _ in spoilt])
            change.meta["dropped"] = [
                *change.meta.get("dropped", []),
                *({"at": now, "rows": part.rows, "problem": problem, **part.meta} for part, problem in spoilt),
            ]
    return [_finding(key, str(store.path(part)), part, problem) for part, problem in spoilt]
