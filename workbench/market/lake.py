"""The lake: market data as Parquet files, read by any number of processes while one writes.

`read` gives `Bars`, `write` merges bars into a series, `catalog` and `sql` look across all of them, `check` finds what
the disk has spoilt. A series is one `PartStore`; what lies where is in `lake_series`, how bars join in `lake_write`,
the SQL in `lake_sql`. Nothing here cleans data: `market.importing` makes the `Bars` that come here.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from workbench.errors import DataError
from workbench.market.bars import Bars, moment, to_ms
from workbench.market.coverage import SPOOL
from workbench.market.lake_check import Finding, check_series, drop_corrupt_parts
from workbench.market.lake_quality import Fill, QualityOfSeries, treated, with_ledger
from workbench.market.lake_read import load_rows
from workbench.market.lake_series import (
    WRITE_OPTIONS,
    SeriesInfo,
    SeriesKey,
    bars_of,
    catalog_of,
    find_series,
    find_venues,
    info_of,
    span,
)
from workbench.market.lake_write import Mode, OnConflict, WriteReport, check_options, origin_of, write_series
from workbench.market.quality.ledger import SeriesLedger
from workbench.market.timeframe import Timeframe
from workbench.store import Manifest, Part, PartStore

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Finding", "Lake", "SeriesInfo", "WriteReport", "lake", "read"]

_SQL_ATTEMPTS: Final = 5


class Lake(QualityOfSeries):
    """A folder of series.

    Parameters
    ----------
    root : path
        Made by the first write.
    grace_s : float, default 60
        Seconds that a replaced file is kept for readers that are still at it.
    lock_timeout_s : float, default 30
        Seconds that a writer waits for another one of the same series.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Lake(folder).series()
    []
    """

    def __init__(self, root: str | Path, *, grace_s: float = 60.0, lock_timeout_s: float = 30.0) -> None:
        self.root = Path(root).absolute()
        self._options = {"grace_s": grace_s, "lock_timeout_s": lock_timeout_s}

    def __repr__(self) -> str:
        return f"Lake({str(self.root)!r})"

    def read(
        self,
        symbol: str,
        timeframe: str | Timeframe,
        start: Any = None,
        end: Any = None,
        *,
        venue: str | None = None,
        skip_corrupt: bool = False,
        fill: Fill = "none",
    ) -> Bars:
        """Read a series, or the part of it that opens at or after `start` and before `end`.

        Parameters
        ----------
        symbol : str
        timeframe : str or Timeframe
        start, end : str, datetime, pandas.Timestamp or int (ms UTC), optional
            Without a timezone they are UTC.
        venue : str, optional
            May be left out when only one venue has the series.
        skip_corrupt : bool, default False
            Leave out the parts whose files are missing or damaged; `bars.provenance["left_out"]` lists them.
        fill : {"none", "previous", "decided"}
            What to do with holes: nothing, close all of them (`wb.data.fill_gaps`), or carry out what was decided about
            findings (`decide`). Bars that are made are marked in `bars.filled`.

        Returns
        -------
        Bars
            Only the files that hold the range are opened, and each is verified against its checksum.

        Raises
        ------
        DataError
            The series is unknown or at several venues, the range has no bars, or a part is corrupt.
        """
        if fill not in get_args(Fill):
            raise DataError(f"fill = {fill!r} is not one of {', '.join(map(repr, get_args(Fill)))}", fill=fill)
        key = self._find(symbol, Timeframe.parse(timeframe), venue)
        first, last = (None if at is None else to_ms(at) for at in (start, end))
        store = self.store(key)

        def load(manifest: Manifest) -> Bars:
            if not manifest.parts:
                raise _unknown(self.root, symbol, key.timeframe, venue)
            parts = _parts_between(key, manifest, first, last)
            rows = load_rows(store, parts)
            if rows.damaged and (not skip_corrupt or len(rows.damaged) == len(parts) or store.superseded(manifest)):
                raise _corrupt(key, store, rows.damaged)
            bars = bars_of(manifest, rows, start=first, end=last)
            if not len(bars):
                raise _no_bars(key, manifest, first, last)
            return bars

        return treated(with_ledger(store.read(load), store, key), fill)

    def write(
        self,
        bars: Bars,
        *,
        source: str | None = None,
        licence: str | None = None,
        note: str | None = None,
        on_conflict: OnConflict = "error",
        mode: Mode = "merge",
    ) -> WriteReport:
        """Add bars to the series of their venue, symbol and timeframe; it is on disk when this returns.

        Parameters
        ----------
        bars : Bars
        source, licence, note : str, optional
            Where the bars come from (a file name, an exchange, a data set), under which terms they may be used, and
            anything else worth knowing. What is left out is taken from `bars.provenance`, else "unknown".
        on_conflict : {"error", "keep", "replace"}
            What to do with bars that differ from those that the lake has for the same time; identical bars are dropped
            in any case.
        mode : {"merge", "replace"}
            `"replace"` drops everything that the series had, its provenance too.

        Returns
        -------
        WriteReport

        Raises
        ------
        DataError
            Bars contradict each other, a part to merge with is corrupt, another process keeps writing, or the disk is
            full. Nothing was written.

        Notes
        -----
        Only the storage blocks that change are written again. The instrument's facts are those of the last write;
        what changed is noted in the provenance. Writing what is there already changes nothing.
        """
        check_options(on_conflict, mode)
        origin = origin_of(bars, source=source, licence=licence, note=note)
        key = SeriesKey(bars.venue, bars.symbol, bars.timeframe)
        return write_series(self.store(key), key, bars, origin, on_conflict=on_conflict, mode=mode)

    def delete(self, symbol: str, timeframe: str | Timeframe, *, venue: str | None = None) -> None:
        """Delete a series for good.

        Raises
        ------
        DataError
            The series is unknown or at several venues.
        """
        key = self._find(symbol, Timeframe.parse(timeframe), venue)
        store = self.store(key)
        SeriesLedger(store.folder, key.timeframe).delete()
        with suppress(FileNotFoundError):
            (store.folder / SPOOL).unlink()  # what a killed download left would bring some of it back
        store.delete()
        for folder in (store.folder.parent, store.folder.parent.parent):
            with suppress(OSError):  # other series are there
                folder.rmdir()

    def series(self) -> list[SeriesInfo]:
        """Summarise every series by venue, symbol and timeframe; a damaged one is left out with a warning."""
        return [info_of(key, manifest) for key, _, manifest in self._manifests()]

    def catalog(self) -> pd.DataFrame:
        """Give one row per series.

        Returns
        -------
        pandas.DataFrame
            Columns as `SeriesInfo`; `start`, `end` and `imported_at` are UTC timestamps.
        """
        return catalog_of(self.series())

    def sql(self, query: str) -> pd.DataFrame:
        """Ask the lake in SQL (DuckDB's); reading only.

        Parameters
        ----------
        query : str
            One statement that reads: SELECT, WITH, FROM, PIVOT, DESCRIBE, SUMMARIZE, EXPLAIN, … It sees two tables:
            `bars` (venue, symbol, timeframe, ts, open, high, low, close, volume, filled; `ts` is TIMESTAMP WITH TIME
            ZONE, the open time in UTC) and `catalog` (columns as `catalog()`).

        Returns
        -------
        pandas.DataFrame

        Raises
        ------
        DataError
            The statement does more than read, or DuckDB refuses it. No file but the lake's parts can be reached.
        """
        from workbench.market.lake_sql import run_query

        for _ in range(_SQL_ATTEMPTS - 1):
            found = self._manifests()
            try:
                return run_query(query, found)
            except DataError:  # of the query, or because a part was replaced and deleted while it ran
                if not any(store.superseded(manifest) for _, store, manifest in found):
                    raise
        return run_query(query, self._manifests())

    def check(
        self, symbol: str | None = None, timeframe: str | Timeframe | None = None, *, venue: str | None = None
    ) -> list[Finding]:
        """Read every byte and compare it with what was written.

        Parameters
        ----------
        symbol, timeframe, venue : optional
            Check only the series that have these.

        Returns
        -------
        list of Finding
            Empty when all is well.
        """
        length = None if timeframe is None else Timeframe.parse(timeframe)
        return [
            finding
            for key in find_series(self.root)
            if symbol in (None, key.symbol) and length in (None, key.timeframe) and venue in (None, key.venue)
            for finding in check_series(self.store(key), key)
        ]

    def drop_corrupt(self, symbol: str, timeframe: str | Timeframe, *, venue: str | None = None) -> list[Finding]:
        """Take the corrupt parts out of a series, so that their time can be imported again.

        Returns
        -------
        list of Finding
            What was taken out, which is also noted in the series; the files are deleted by a later write.

        Raises
        ------
        DataError
            The series is unknown or at several venues, or its manifest is damaged.
        """
        key = self._find(symbol, Timeframe.parse(timeframe), venue)
        return drop_corrupt_parts(self.store(key), key)

    def store(self, key: SeriesKey) -> PartStore:
        """Give the store in which a series lies, or would lie."""
        return PartStore(key.folder(self.root), write_options=WRITE_OPTIONS, **self._options)

    def _manifests(self) -> list[tuple[SeriesKey, PartStore, Manifest]]:
        """Read the manifests of all series that have bars."""
        found = []
        for key in find_series(self.root):
            store = self.store(key)
            try:
                manifest = store.manifest()
            except DataError as error:
                warnings.warn(f"{key} is left out: {error}", stacklevel=3)
                continue
            if manifest.parts:
                found.append((key, store, manifest))
        return found

    def _find(self, symbol: str, timeframe: Timeframe, venue: str | None) -> SeriesKey:
        if not isinstance(symbol, str):
            raise DataError(f"symbol is {symbol!r}; give text such as 'BTC/USDT'")
        venues = find_venues(self.root) if venue is None else [venue]
        keys = [SeriesKey(name, symbol, timeframe) for name in venues]
        found = [key for key in keys if self.store(key).exists()]
        if len(found) > 1:  # all parts of a series may have been corrupt and taken out
            found = [key for key in found if self.store(key).manifest().parts]
        if not found:
            raise _unknown(self.root, symbol, timeframe, venue)
        if len(found) > 1:
            names = [key.venue for key in found]
            raise DataError(
                f"{symbol} {timeframe} is at {len(found)} venues: {', '.join(map(repr, names))}; say which one with "
                f"venue={names[0]!r}",
                symbol=symbol,
                venues=names,
            )
        return found[0]


def _parts_between(key: SeriesKey, manifest: Manifest, start: int | None, end: int | None) -> list[Part]:
    if start is not None and end is not None and start >= end:
        raise DataError(
            f"{key}: the range from {moment(start)} to {moment(end)} is empty; `start` must come before `end`, which "
            "is not part of the range"
        )
    parts = [
        part
        for part in manifest.parts
        if (end is None or part.meta["start"] < end) and (start is None or part.meta["end"] >= start)
    ]
    if not parts:
        raise _no_bars(key, manifest, start, end)
    return parts


def _no_bars(key: SeriesKey, manifest: Manifest, start: int | None, end: int | None) -> DataError:
    asked = f"{'its start' if start is None else moment(start)} to {'its end' if end is None else moment(end)}"
    info = info_of(key, manifest)
    return DataError(
        f"{key} has no bars from {asked}; it has {info.rows:,} from {moment(info.start)} to {moment(info.end)} UTC",
        start=start,
        end=end,
        available=(info.start, info.end),
    )


def _corrupt(key: SeriesKey, store: PartStore, damaged: Sequence[tuple[Part, str]]) -> DataError:
    parts = [part for part, _ in damaged]
    named = "; ".join(f"{store.path(part)} with the bars of {span([part])} ({reason})" for part, reason in damaged)
    return DataError(
        f"{key}: {len(parts)} part{'s are' if len(parts) > 1 else ' is'} corrupt: {named}. Other ranges can be read as "
        "they are, the rest of this one with skip_corrupt=True. To mend it, take the part out with "
        "lake.drop_corrupt(…) and import that time again",
        files=[str(store.path(part)) for part in parts],
    )


def _unknown(root: Path, symbol: str, timeframe: Timeframe, venue: str | None) -> DataError:
    """Say what the lake has that is most like what was asked for."""
    known = find_series(root)
    at = f" at {venue}" if venue else ""
    same = [f"{key.timeframe} at {key.venue}" for key in known if key.symbol == symbol]
    spelt = {key.symbol.lower(): key.symbol for key in known}
    close = [spelt[name] for name in difflib.get_close_matches(symbol.lower(), spelt, n=3, cutoff=0.5)]
    if same:
        hint = f"it has {symbol} as {', '.join(same)}"
    elif close:
        hint = f"did you mean {' or '.join(map(repr, close))}? `workbench data list` shows all"
    elif known:
        hint = f"it has {len(known)} other series: `workbench data list` shows them"
    else:
        hint = "it is empty: `workbench data import FILE` puts data into it"
    return DataError(
        f"the lake at {root} has no {symbol} {timeframe}{at}; {hint}",
        symbol=symbol,
        timeframe=str(timeframe),
        close=close,
    )


def lake() -> Lake:
    """Give the lake of the current workspace."""
    from workbench.settings import load_settings

    return Lake(load_settings().lake_root)


def read(
    symbol: str,
    timeframe: str | Timeframe,
    start: Any = None,
    end: Any = None,
    *,
    venue: str | None = None,
    skip_corrupt: bool = False,
    fill: Fill = "none",
) -> Bars:
    """Read a series from the lake of the current workspace; see `Lake.read`."""
    return lake().read(symbol, timeframe, start, end, venue=venue, skip_corrupt=skip_corrupt, fill=fill)
