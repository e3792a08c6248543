"""From somebody's table to `Bars`: a CSV, JSON or Parquet file, or a DataFrame, cleaned and accounted for.

What can be told from the data is told (which column, which timezone, which unit, which timeframe), what can be mended
without changing a price is mended (order, identical duplicates), and everything else is an error that shows the rows.
Nothing is filled, rounded or averaged. The report says all that was done. `market.columns` finds the columns,
`market.timestamps` reads the times, `market.tablefile` opens files; `Lake.write` stores the result.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np

from workbench.errors import DataError
from workbench.market.bars import COLUMNS, Bars
from workbench.market.cleaning import (
    OffGrid,
    Rows,
    check_step,
    drop_duplicates,
    guess_timeframe,
    label_by_session,
    leave_grid,
    note_outside,
)
from workbench.market.columns import ColumnMap, map_columns
from workbench.market.guess import guess_instrument
from workbench.market.instrument import Instrument
from workbench.market.quality.findings import in_order, plain_rows
from workbench.market.quality.rows import duplicate_rows, off_grid_rows
from workbench.market.rawcolumns import plain_frame, read_numbers, require_one_instrument
from workbench.market.tablefile import open_table
from workbench.market.timeframe import Timeframe
from workbench.market.timestamps import Times, read_times

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Cleaned", "ImportReport", "MissingVolume", "Source", "clean", "import_file", "open_source"]

MissingVolume = Literal["error", "zero"]


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What was found in a table and what was done to it.

    Parameters
    ----------
    rows_in, rows_out : int
        Rows of the table, and bars made of them.
    duplicates_dropped : int
        Rows that repeated another one in every column used.
    off_grid_dropped : int
        Rows dropped because no bar of the timeframe opens at their time.
    was_sorted : bool
        Whether the rows came in order of time.
    gaps, missing : int
        Holes inside the series, and the bars that are missing in them, by the instrument's calendar.
    timezone, written : str
        Which timezone the times were in and how that is known; how they were written.
    timeframe_guessed : bool
        Whether the timeframe is the most common step between the times instead of the caller's.
    columns : mapping
        Our name to the table's column.
    ignored : tuple
        Columns of the table that were not used.
    notes : tuple of str
        What the bars' provenance must say for ever, in words.
    """

    rows_in: int
    rows_out: int
    duplicates_dropped: int
    off_grid_dropped: int
    was_sorted: bool
    gaps: int
    missing: int
    timezone: str
    written: str
    timeframe_guessed: bool
    columns: Mapping[str, Hashable]
    ignored: tuple[Hashable, ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        columns = ", ".join(f"{ours} from {theirs!r}" for ours, theirs in self.columns.items())
        lines = [
            f"{self.rows_in:,} rows in, {self.rows_out:,} bars out",
            f"columns: {columns}" + (f"; not used: {', '.join(map(repr, self.ignored))}" if self.ignored else ""),
            f"times: {self.written}, {self.timezone}" + ("" if self.was_sorted else "; they came unsorted"),
            f"gaps: {self.gaps:,} with {self.missing:,} missing bars" if self.gaps else "no gaps",
            *self.notes,
        ]
        return "\n".join(lines)


class Cleaned(NamedTuple):
    """Bars fit for use, and the account of how they were made."""

    bars: Bars
    report: ImportReport


@dataclass(frozen=True, kw_only=True)
class _Options:
    """The caller's wishes, checked once and handed on together."""

    instrument: Instrument
    instrument_given: bool
    timeframe: Timeframe | None
    tz: str | None
    time_format: str | None
    columns: Mapping[str, Hashable]
    off_grid: OffGrid
    close_only: bool
    missing_volume: MissingVolume


# Both doors take more than six parameters: a person types them at a prompt, and an options object would only be in
# the way there. They are gathered into one right behind the door.
def clean(
    frame: pd.DataFrame,
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
) -> Cleaned:
    """Make `Bars` of a DataFrame that is not fit to be `Bars` as it stands.

    Parameters
    ----------
    frame : pandas.DataFrame
        Times in a DatetimeIndex or a column; prices under any usual names.
    symbol : str
    timeframe : str or Timeframe, optional
        The most common step between the times when left out.
    venue : str, default "unknown"
    instrument : Instrument, optional
        Its facts; guessed from the symbol and the times of the bars when left out (`market.guess`).
    tz : str, optional
        Timezone of times that name none, such as `"America/New_York"`; UTC when left out.
    time_format : str, optional
        How times in text are written, in the codes of `strptime`; when left out, their shape tells.
    columns : mapping, optional
        Our names (`ts open high low close volume`) to the table's, where the guess is wrong or not possible.
    off_grid : {"error", "drop"}, default "error"
        What to do with rows at times at which no bar of the timeframe opens.
    close_only : bool, default False
        The table has closes only: open, high and low become the close.
    missing_volume : {"error", "zero"}, default "error"
        Whether a table without volume is refused or gets volume 0.

    Returns
    -------
    Cleaned
        `bars` and `report`.

    Raises
    ------
    DataError
        The table contradicts itself, leaves two readings, or breaks a rule of `Bars`; the message shows the rows.
    """
    if not (hasattr(frame, "columns") and hasattr(frame, "set_axis")):
        raise DataError(f"{symbol}: a {type(frame).__name__} is no table; give a pandas.DataFrame of bars")
    options = _options(
        symbol, venue, instrument, timeframe=timeframe, tz=tz, time_format=time_format, columns=columns,
        off_grid=off_grid, close_only=close_only, missing_volume=missing_volume,
    )  # fmt: skip
    return _clean(frame, options, "DataFrame")


def import_file(
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
) -> Cleaned:
    """Make `Bars` of a file: CSV or JSON (plain, .gz, .zip), or Parquet.

    The separator (comma, semicolon, tab, bar) and comment lines (`#`) before the header are recognised; so are
    Binance's candles, which have no header. In another CSV file without one, `columns` gives positions from 0. JSON may
    be a list of records, a list of rows (ccxt's and Freqtrade's candles), columns, records by time, any of these under
    one key, or one record a line. The file has to fit into memory; `import_into_lake` takes one of any size.

    Parameters
    ----------
    path : str or Path
    symbol, timeframe, venue, instrument, tz, time_format, columns, off_grid, close_only, missing_volume
        As in `clean`.

    Returns
    -------
    Cleaned
        `bars` and `report`. Storing them is `lake().write(bars, …)`.

    Raises
    ------
    DataError
        The file cannot be read, or its content is refused as `clean` refuses it.
    """
    source = open_source(
        path, symbol=symbol, timeframe=timeframe, venue=venue, instrument=instrument, tz=tz, time_format=time_format,
        columns=columns, off_grid=off_grid, close_only=close_only, missing_volume=missing_volume,
    )  # fmt: skip
    try:
        return source.whole()
    except DataError as error:
        error.add_note(f"while importing {path}")
        raise


def open_source(path: str | Path, *, symbol: str, venue: str, instrument: Instrument | None, **given: Any) -> Source:
    """Find out what a file is and which of its columns are which; the rest is as in `import_file`."""
    return Source(Path(path), _options(symbol, venue, instrument, **given))


class Source:
    """A file of bars whose columns are known and whose rows are not read yet."""

    def __init__(self, path: Path, options: _Options) -> None:
        self._path, self._options = path, options
        self._file = open_table(path.expanduser())
        self._found = _map(self._file.names, options, time_in_index=False)
        self._wanted = [*self._found.used(), *self._found.labels]

    def whole(self) -> Cleaned:
        """Read and clean all rows."""
        return self._cleaned(self._file.load(self._wanted, _time_columns(self._found)))

    def pieces(self, rows: int) -> Iterator[Cleaned]:
        """Read and clean some rows at a time, all by the timeframe of the first ones."""
        some = False
        for frame in self._file.batches(self._wanted, _time_columns(self._found), rows):
            cleaned, some = self._cleaned(frame), True
            self._options = replace(self._options, timeframe=cleaned.bars.timeframe)
            del frame  # before the next one comes
            yield cleaned
        if not some:
            raise DataError(f"{self._options.instrument.symbol}: the table has no rows")

    def knowing(self, instrument: Instrument) -> Source:
        """Give the same file, to be read for an instrument whose facts are known."""
        return Source(self._path, replace(self._options, instrument=instrument, instrument_given=True))

    def _cleaned(self, frame: pd.DataFrame) -> Cleaned:
        return _clean(frame, self._options, self._path.name, self._found)


def _options(symbol: str, venue: str, instrument: Instrument | None, **given: Any) -> _Options:
    facts = Instrument.default(symbol, venue) if instrument is None else instrument
    if not isinstance(facts, Instrument):
        raise DataError(f"{symbol}: instrument is a {type(facts).__name__}; give wb.Instrument(symbol=…)")
    if not isinstance(given["columns"] or {}, Mapping):
        raise DataError(f"{symbol}: columns={given['columns']!r} is no mapping; write columns={{'close': 'Last'}}")
    if facts.symbol != symbol or (venue not in ("unknown", facts.venue)):
        raise DataError(
            f"{symbol} at {venue}: the instrument given is {facts.symbol} at {facts.venue}; give the instrument of "
            "this series, or leave it out",
            symbol=symbol,
        )
    for name, allowed in (("off_grid", get_args(OffGrid)), ("missing_volume", get_args(MissingVolume))):
        if given[name] not in allowed:
            raise DataError(f"{name}={given[name]!r} is not one of {', '.join(map(repr, allowed))}", option=name)
    given["timeframe"] = None if given["timeframe"] is None else Timeframe.parse(given["timeframe"])
    given["columns"] = dict(given["columns"] or {})
    return _Options(instrument=facts, instrument_given=instrument is not None, **given)


def _map(names: Any, options: _Options, *, time_in_index: bool) -> ColumnMap:
    return map_columns(
        names,
        symbol=options.instrument.symbol,
        columns=options.columns,
        time_in_index=time_in_index,
        close_only=options.close_only,
        volume_needed=options.missing_volume == "error",
    )


def _time_columns(found: ColumnMap) -> tuple[Hashable, ...]:
    source = found.sources.get("ts")
    return source if isinstance(source, tuple) else () if source is None else (source,)


def _clean(frame: pd.DataFrame, options: _Options, source: str, found: ColumnMap | None = None) -> Cleaned:
    symbol = options.instrument.symbol
    rows = _rows(frame, options, found)
    rows_in, was_sorted = len(rows.ts), bool((np.diff(rows.ts) >= 0).all())
    if not was_sorted:
        rows.keep(np.argsort(rows.ts, kind="stable"))
    bar = options.timeframe or guess_timeframe(rows.ts, symbol)
    facts = options.instrument
    if not options.instrument_given:
        facts = guess_instrument(symbol, facts.venue, rows.ts, bar)
    label_by_session(rows, bar, facts.calendar)
    guessed = options.timeframe is None
    times, values = rows.ts, rows.values
    off_grid = leave_grid(rows, bar, symbol, off_grid=options.off_grid, guessed=guessed)
    check_step(rows.ts, bar, symbol)
    duplicates = drop_duplicates(rows, symbol)
    note_outside(rows, bar, facts.calendar)
    odd = [
        *(off_grid_rows(times, bar) if off_grid else ()),
        *(duplicate_rows(times, values, bar) if duplicates else ()),
    ]
    if options.close_only:
        rows.notes.append("close only: open, high and low are the close, stops see closes")
    bars = Bars(
        instrument=facts,
        timeframe=bar,
        ts=rows.ts,
        provenance={
            "source": source,
            **({"note": "; ".join(rows.notes)} if rows.notes else {}),
            **({"findings": plain_rows(in_order(odd))} if odd else {}),
        },
        **dict(zip(COLUMNS, rows.values, strict=True)),
    )
    report = ImportReport(
        rows_in=rows_in, rows_out=len(bars), duplicates_dropped=duplicates, off_grid_dropped=off_grid,
        was_sorted=was_sorted, gaps=len(bars.gaps), missing=sum(gap.missing for gap in bars.gaps),
        timeframe_guessed=guessed, notes=tuple(rows.notes), **rows.facts,
    )  # fmt: skip
    return Cleaned(bars, report)


def _rows(frame: pd.DataFrame, options: _Options, found: ColumnMap | None) -> Rows:
    """Read the columns that are needed, as they stand in the table."""
    import pandas as pd

    symbol = options.instrument.symbol
    if not len(frame):
        raise DataError(f"{symbol}: the table has no rows")
    in_index = isinstance(frame.index, pd.DatetimeIndex) and "ts" not in options.columns
    if found is None:
        frame = plain_frame(frame, keep_index=in_index, symbol=symbol)
        found = _map(list(frame.columns), options, time_in_index=in_index)
    require_one_instrument(frame, found, symbol)
    times = _times(frame, found, options)
    values = np.zeros((len(COLUMNS), len(frame)))
    for position, ours in enumerate(COLUMNS):
        theirs = found.sources.get("close" if options.close_only and ours != "volume" else ours)
        if theirs is not None:
            values[position] = read_numbers(frame[theirs], f"{symbol}: column {theirs!r}")
    sources = {**({"ts": "the index"} if in_index else {}), **found.sources}
    facts = {"columns": sources, "ignored": found.ignored, "timezone": times.zone, "written": times.written}
    notes = [] if "volume" in found.sources else ["no volume in the source: volume is 0"]
    return Rows(ts=times.ts, wall=times.wall, values=values, facts=facts, notes=notes)


def _times(frame: pd.DataFrame, found: ColumnMap, options: _Options) -> Times:
    source = found.sources.get("ts")
    if source is None:
        values, name = frame.index.to_series(), "the index"
    elif isinstance(source, tuple):
        day, clock = (frame[part].astype(str).str.strip() for part in source)
        values, name = day + " " + clock, f"columns {source[0]!r} and {source[1]!r}"
    else:
        values, name = frame[source], f"column {source!r}"
    return read_times(
        values, name=f"{options.instrument.symbol}: {name}", tz=options.tz, time_format=options.time_format
    )
