"""From a file straight into the lake, however large the file: some rows are in memory at a time, never all.

The rows come in pieces, each is cleaned as `importing.clean` does it, and what belongs together across the cut between
two pieces is joined again. The storage blocks that are complete go to the disk while the next piece is read; they count
together at the end, or not at all. What needs all rows at once, sorting, is asked of the file unless it fits in.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import COLUMNS, Bars, moment
from workbench.market.calendar import gaps
from workbench.market.cleaning import OffGrid, Rows, drop_duplicates
from workbench.market.importing import Cleaned, ImportReport, MissingVolume, Source, open_source
from workbench.market.instrument import Instrument
from workbench.market.lake import Lake, lake
from workbench.market.lake_series import SeriesKey
from workbench.market.lake_write import (
    Mode,
    OnConflict,
    Origin,
    WriteReport,
    blocks_of,
    check_options,
    write_blocks,
)
from workbench.market.timeframe import Timeframe

__all__ = ["Imported", "import_into_lake"]

_BYTES_A_ROW: Final = 500  # at the worst moment of cleaning, measured; text takes more than numbers
_LEAST: Final = 16 << 20
_UNITS: Final = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_MOST_NOTES: Final = 5


class Imported(NamedTuple):
    """What was found in a file, and what became of it in the lake; `written` is None after a dry run."""

    report: ImportReport
    written: WriteReport | None


# As many parameters as the doors of `importing` have, and for the same reason: a person types those that are needed.
def import_into_lake(
    path: str | Path,
    *,
    symbol: str,
    timeframe: str | Timeframe | None = None,
    venue: str = "unknown",
    instrument: Instrument | None = None,
    tz: str | None = None,
    time_format: str | None = None,
    columns: Mapping[str, Hashable] | None = None,
    off_grid: OffGrid = "error",
    close_only: bool = False,
    missing_volume: MissingVolume = "error",
    memory: int | str = "512MB",
    on_conflict: OnConflict = "error",
    mode: Mode = "merge",
    source: str | None = None,
    licence: str = "unknown",
    into: Lake | None = None,
    dry_run: bool = False,
) -> Imported:
    """Put a file of bars into the lake: CSV or JSON (plain, .gz, .zip), or Parquet, of any size.

    Parameters
    ----------
    path : str or Path
    symbol, timeframe, venue, instrument, tz, time_format, columns, off_grid, close_only, missing_volume
        As in `clean`.
    memory : int (bytes) or str, default "512MB"
        How much memory the rows may take at a time, beside what the program takes itself.
    on_conflict, mode
        As in `Lake.write`.
    source : str, optional
        Where the bars come from; the file's name when left out.
    licence : str, default "unknown"
    into : Lake, optional
        The lake of the current workspace when left out.
    dry_run : bool, default False
        Read and check everything; write nothing.

    Returns
    -------
    Imported
        `report` and `written`.

    Raises
    ------
    DataError
        The file cannot be read, its content is refused as `clean` refuses it, it is larger than `memory` and not in
        order of time, or it contradicts the lake. Nothing was written.
    """
    rows = max(_bytes(memory) // _BYTES_A_ROW, 1_000)
    check_options(on_conflict, mode)
    opened = open_source(
        path, symbol=symbol, timeframe=timeframe, venue=venue, instrument=instrument, tz=tz, time_format=time_format,
        columns=columns, off_grid=off_grid, close_only=close_only, missing_volume=missing_volume,
    )  # fmt: skip
    target = _Target(into or lake(), on_conflict, mode, source or Path(path).name, licence)
    try:
        try:
            return _import(opened, rows, target, dry_run)
        except _OtherInstrument as found:  # what later rows say of the market holds for the first ones, too
            return _import(opened.knowing(found.instrument), rows, target, dry_run)
    except DataError as error:
        error.add_note(f"while importing {path}")
        raise


@dataclass(frozen=True)
class _Target:
    """Where the bars go, and how."""

    lake: Lake
    on_conflict: OnConflict
    mode: Mode
    source: str
    licence: str


class _OtherInstrument(Exception):
    """Later rows open when the instrument, guessed from the first ones, does not trade."""

    def __init__(self, instrument: Instrument) -> None:
        super().__init__(instrument)
        self.instrument = instrument


def _import(source: Source, rows: int, target: _Target, dry_run: bool) -> Imported:
    account = _Account()
    pieces = _pieces(source, rows, account)
    first = next(pieces)
    key = SeriesKey(first.venue, first.symbol, first.timeframe)
    pieces = itertools.chain([first], pieces)
    del first  # its memory goes as soon as its bars are written
    blocks = account.counted(_blocks(pieces, rows))
    if dry_run:
        for _ in blocks:
            pass
        return Imported(account.report(), None)
    written = write_blocks(
        target.lake.store(key), key, blocks, lambda: Origin(target.source, target.licence, "; ".join(account.notes())),
        on_conflict=target.on_conflict, mode=target.mode,
    )  # fmt: skip
    return Imported(account.report(), written)


def _pieces(source: Source, rows: int, account: _Account) -> Iterator[Bars]:
    """Give the bars of each piece; all must be of one instrument."""
    known: Instrument | None = None
    for cleaned in source.pieces(rows):
        facts = cleaned.bars.instrument
        if known not in (None, facts):
            raise _OtherInstrument(facts)
        known = facts
        account.add(cleaned)
        yield cleaned.bars
        del cleaned


def _blocks(pieces: Iterator[Bars], rows: int) -> Iterator[Bars]:
    """Give storage blocks as they are complete; the last one of a piece waits for the next piece."""
    held: Bars | None = None
    for bars in pieces:
        if held is not None and bars.timeframe.block_of(bars.ts[:1])[0] < held.timeframe.block_of(held.ts[:1])[0]:
            raise DataError(
                f"{bars.symbol}: the file is not in order of time ({moment(int(bars.ts[0]))} comes after "
                f"{moment(int(held.ts[-1]))} UTC), and only {rows:,} rows of it are in memory at a time; sort it, or "
                "give more memory=…",
                ts=int(bars.ts[0]),
            )
        start, rest = (bars, bars[:0]) if held is None else _joined(held, bars)
        complete = [*blocks_of(start), *(blocks_of(rest) if len(rest) else ())]
        held = _copy(complete.pop())
        del bars, start, rest
        complete.reverse()
        while complete:
            yield complete.pop()
    if held is not None:
        yield held


def _joined(before: Bars, after: Bars) -> tuple[Bars, Bars]:
    """Join the bars that wait with those that come, as far as they share a storage block or overlap in time.

    Identical bars are dropped, contradictions refused. Given back are the joined ones and the rest.
    """
    edge = max(int(before.ts[-1]), _end_of_block(before, after))
    shared = int(np.searchsorted(after.ts, edge, side="right"))
    head = after[:shared]
    columns: dict[str, NDArray[Any]] = {
        name: np.concatenate([getattr(before, name), getattr(head, name)]) for name in ("ts", *COLUMNS)
    }
    if len(head) and head.ts[0] <= before.ts[-1]:
        values = np.stack([columns[name] for name in COLUMNS])
        rows = Rows(ts=columns["ts"], wall=columns["ts"], values=values, facts={})
        rows.keep(np.argsort(rows.ts, kind="stable"))
        drop_duplicates(rows, before.symbol)
        columns = {"ts": rows.ts, **dict(zip(COLUMNS, rows.values, strict=True))}
    return _made(before, columns), after[shared:]


def _end_of_block(before: Bars, after: Bars) -> int:
    """Give the last time in `after` that lies in the block of the bars before, or what comes before all of it."""
    [(held, _)], (block, rows), *_ = before.timeframe.blocks(before.ts), *after.timeframe.blocks(after.ts)
    return int(after.ts[rows][-1]) if block == held else int(after.ts[0]) - 1


def _copy(bars: Bars) -> Bars:
    """Give the same bars in memory of their own, so that the piece that they are cut from can go."""
    return _made(bars, {name: getattr(bars, name).copy() for name in ("ts", *COLUMNS)})


def _made(like: Bars, columns: dict[str, NDArray[Any]]) -> Bars:
    for column in columns.values():
        column.flags.writeable = False
    return Bars(instrument=like.instrument, timeframe=like.timeframe, provenance=like.provenance, **columns)


@dataclass
class _Account:
    """The report of a file that is read in pieces."""

    reports: list[ImportReport] = field(default_factory=list)
    was_sorted: bool = True
    rows_out: int = 0
    gaps: int = 0
    missing: int = 0
    last: int | None = None
    _end: int = 0

    def add(self, cleaned: Cleaned) -> None:
        report, bars = cleaned.report, cleaned.bars
        if self.reports and (report.timezone, report.written.partition(" like ")[0]) != (
            self.reports[0].timezone, self.reports[0].written.partition(" like ")[0]
        ):  # fmt: skip
            raise DataError(
                f"{bars.symbol}: the times are {self.reports[0].written}, {self.reports[0].timezone}, and from row "
                f"{sum(one.rows_in for one in self.reports):,} on {report.written}, {report.timezone}; bring them to "
                "one form"
            )
        self.was_sorted &= report.was_sorted and (not self.reports or int(bars.ts[0]) > self._end)
        self._end = int(bars.ts[-1])
        self.reports.append(report)

    def counted(self, blocks: Iterator[Bars]) -> Iterator[Bars]:
        for bars in blocks:
            ts = bars.ts if self.last is None else np.append(np.int64(self.last), bars.ts)
            found = gaps(ts, bars.timeframe, bars.instrument.calendar)
            self.gaps += len(found)
            self.missing += sum(gap.missing for gap in found)
            self.rows_out += len(bars)
            self.last = int(bars.ts[-1])
            yield bars

    def notes(self) -> tuple[str, ...]:
        if len(self.reports) == 1:
            return self.reports[0].notes
        plain = dict.fromkeys(
            note
            for report in self.reports
            for note in report.notes
            if not re.match(r"\d+%? (identical |row|of the)", note)
        )
        off_grid, twice = sum(report.off_grid_dropped for report in self.reports), self._dropped()
        counted = [f"{off_grid} rows off the grid dropped"] * (off_grid > 0) + [f"{twice} identical rows dropped"] * (
            twice > 0
        )
        outside = [note for report in self.reports for note in report.notes if "of the bars lie outside" in note]
        return (*list(plain)[:_MOST_NOTES], *counted, *outside[:1])

    def _dropped(self) -> int:
        rows = sum(report.rows_in - report.off_grid_dropped for report in self.reports)
        return rows - self.rows_out

    def report(self) -> ImportReport:
        return replace(
            self.reports[0],
            rows_in=sum(report.rows_in for report in self.reports),
            rows_out=self.rows_out,
            duplicates_dropped=self._dropped(),
            off_grid_dropped=sum(report.off_grid_dropped for report in self.reports),
            was_sorted=self.was_sorted,
            gaps=self.gaps,
            missing=self.missing,
            notes=self.notes(),
        )


def _bytes(memory: int | str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMG]B)?", str(memory).strip().upper())
    size = 0 if match is None else int(float(match[1]) * _UNITS[match[2] or ""])
    if size < _LEAST or isinstance(memory, bool):
        raise DataError(f"memory={memory!r}: write it like '512MB' or '2GB'; at least 17MB are needed", memory=memory)
    return size
