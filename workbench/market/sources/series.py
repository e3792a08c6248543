"""One series on its way into the lake: what of it was asked, what came, and when that is written.

The order is what makes a kill harmless: a page goes into the spool, later its rows into the lake, then what was asked
into the series' notes, and only then is the spool emptied. Every step may be done twice.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

import numpy as np

from workbench.errors import DataError
from workbench.market.bars import COLUMNS, Bars
from workbench.market.coverage import COVERAGE, Coverage, Span
from workbench.market.instrument import Instrument
from workbench.market.lake import Lake
from workbench.market.lake_series import WRITE_OPTIONS, SeriesKey
from workbench.market.sources.spool import Page, Spool
from workbench.market.tables import TableKey, Written, write_events
from workbench.market.timeframe import Timeframe
from workbench.store import PartStore

__all__ = ["BarSink", "EventSink", "Series", "Sink"]

_LOCK: Final = ".download.lock"
_ROWS_PER_WRITE: Final = 50_000
_LICENCE: Final = "the venue's terms"


class Sink(Protocol):
    """Where the rows of one kind of series go."""

    store: PartStore
    label: str

    def write(self, rows: Sequence[Sequence[Any]]) -> Written:
        """Add rows; the lake keeps its own where they differ."""


class BarSink:
    """Rows of (ts, open, high, low, close, volume) into a series of bars."""

    def __init__(self, lake: Lake, instrument: Instrument, frame: Timeframe) -> None:
        self._lake = lake
        self._instrument = instrument
        self._frame = frame
        self.key = SeriesKey(instrument.venue, instrument.symbol, frame)
        self.store = PartStore(self.key.folder(lake.root), write_options=WRITE_OPTIONS)
        self.label = str(self.key)

    def write(self, rows: Sequence[Sequence[Any]]) -> Written:
        """See `Sink`."""
        table = np.array([row[:6] for row in rows], dtype=np.float64)
        values: dict[str, Any] = {name: table[:, column] for column, name in enumerate(COLUMNS, start=1)}
        bars = Bars(
            instrument=self._instrument,
            timeframe=self._frame,
            ts=table[:, 0].astype(np.int64),
            **values,
        )
        source = f"{self._instrument.venue} through ccxt"
        done = self._lake.write(bars, source=source, licence=_LICENCE, on_conflict="keep")
        return Written(done.added, done.identical, done.kept, done.rows)

    def held(self) -> list[Span]:
        """Give the runs of bars that are there, as spans without a hole."""
        if not self.store.manifest().parts:
            return []
        bars = self._lake.read(self.key.symbol, self._frame, venue=self.key.venue)
        edges = np.flatnonzero(np.diff(bars.ts) > self._frame.ms) + 1
        runs = np.split(bars.ts, edges)
        return [Span(int(run[0]), int(run[-1]) + self._frame.ms) for run in runs]


class EventSink:
    """Rows of trades or funding rates into a table of their own."""

    def __init__(self, lake: Lake, instrument: Instrument, key: TableKey) -> None:
        self._instrument = instrument
        self.key = key
        self.store = PartStore(key.folder(lake.root))
        self.label = str(key)

    def write(self, rows: Sequence[Sequence[Any]]) -> Written:
        """See `Sink`."""
        source = f"{self.key.venue} through ccxt"
        return write_events(self.store, self.key, rows, instrument=self._instrument, source=source)


class Series:
    """One series while it is downloaded; `Series.held(sink)` makes it and keeps other processes out.

    Attributes
    ----------
    coverage : Coverage
        With the pages that are not in the lake yet.
    written : Written
        What the writes did so far.
    """

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.coverage = Coverage.of(sink.store.manifest().meta)
        self.written = Written(0, 0, 0, 0)
        self._spool = Spool(sink.store.folder)
        self._waiting = self._spool.pages()
        self._count = sum(len(page.rows) for page in self._waiting)
        self._lock = threading.RLock()  # a stopped download flushes while a thread may still be keeping a page

    @classmethod
    @contextmanager
    def held(cls, sink: Sink) -> Iterator[Series]:
        """Take a series over, with what a killed download left; everything that came is in the lake afterwards.

        Raises
        ------
        DataError
            Another process is downloading it.
        """
        from filelock import FileLock, Timeout

        from workbench._durable import make_folder

        make_folder(sink.store.folder)
        lock = FileLock(sink.store.folder / _LOCK, timeout=0, thread_local=False, fallback_to_soft=False)
        try:
            lock.acquire()
        except Timeout as error:
            raise DataError(
                f"{sink.label}: another process is downloading it (it holds {lock.lock_file}); wait for that one"
            ) from error
        try:
            series = cls(sink)
            series.flush()
            series._spool.clear()  # of a last line that the kill cut off, too: what follows it would not be read
            series._take_what_is_there()
            try:
                yield series
            finally:
                series.flush()
        finally:
            lock.release()

    def _take_what_is_there(self) -> None:
        """Count bars that came another way, such as a file, as asked for; what lies between them was not."""
        manifest = self.sink.store.manifest()
        if isinstance(self.sink, BarSink) and manifest.parts and COVERAGE not in manifest.meta:
            at = max(entry["imported_at"] for entry in manifest.meta["imports"])
            self.coverage = self.coverage.answered(self.sink.held(), at)

    def keep(self, page: Page) -> None:
        """Take a page: it survives a kill from here on, and is written to the lake when enough of them are there."""
        with self._lock:
            self._spool.add(page)
            self._waiting.append(page)
            self._count += len(page.rows)
            if self._count >= _ROWS_PER_WRITE:
                self._flush()

    def flush(self) -> None:
        """Write what waits."""
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        rows = {(row[0], row[1]) if isinstance(self.sink, EventSink) else row[0]: row
                for page in self._waiting for row in page.rows}  # fmt: skip
        if rows:
            did = self.sink.write(sorted(rows.values(), key=lambda row: row[0]))
            before = self.written
            self.written = Written(
                before.added + did.added, before.identical + did.identical, before.kept + did.kept, did.rows,
                (*before.conflicts, *did.conflicts),
            )  # fmt: skip
        for page in self._waiting:
            self.coverage = self.coverage.answered([page.span], page.at)
            if page.again:
                self.coverage = self.coverage.asked_again([page.span], page.at)
        with self.sink.store.transaction() as change:
            self.coverage.note(change.meta)
        self._spool.clear()
        self._waiting, self._count = [], 0
