"""From somebody's table to `Bars`: a CSV or Parquet file, or a DataFrame, cleaned and accounted for.

What can be told from the data is told (which column, which timezone, which unit, which timeframe), what can be mended
without changing a price is mended (order, identical duplicates), and everything else is an error that shows the rows.
Nothing is filled, rounded or averaged. The report says all that was done. `market.columns` finds the columns,
`market.timestamps` reads the times, `market.tablefile` opens files; `Lake.write` stores the result.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

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
from workbench.market.tablefile import open_table
from workbench.market.timeframe import Timeframe
from workbench.market.timestamps import Times, read_times
from workbench.market.timetext import refuse_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Cleaned", "ImportReport", "clean", "import_file"]

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
    """Make `Bars` of a CSV file (plain, .gz, .zip) or a Parquet file.

    The separator (comma, semicolon, tab, bar) and comment lines (`#`) before the header are recognised; so are
    Binance's candles, which have no header. In another CSV file without one, `columns` gives positions from 0.

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
    options = _options(
        symbol, venue, instrument, timeframe=timeframe, tz=tz, time_format=time_format, columns=columns,
        off_grid=off_grid, close_only=close_only, missing_volume=missing_volume,
    )  # fmt: skip
    file = open_table(Path(path).expanduser())
    found = _map(file.names, options, time_in_index=False)
    try:
        frame = file.load([*found.used(), *found.labels], [*_time_columns(found)])
        return _clean(frame, options, Path(path).name, found)
    except DataError as error:
        error.add_note(f"while importing {path}")
        raise


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
        frame = _plain_frame(frame, keep_index=in_index, symbol=symbol)
        found = _map(list(frame.columns), options, time_in_index=in_index)
    _require_one_instrument(frame, found, symbol)
    times = _times(frame, found, options)
    values = np.zeros((len(COLUMNS), len(frame)))
    for position, ours in enumerate(COLUMNS):
        theirs = found.sources.get("close" if options.close_only and ours != "volume" else ours)
        if theirs is not None:
            values[position] = _numbers(frame[theirs], f"{symbol}: column {theirs!r}")
    sources = {**({"ts": "the index"} if in_index else {}), **found.sources}
    facts = {"columns": sources, "ignored": found.ignored, "timezone": times.zone, "written": times.written}
    notes = [] if "volume" in found.sources else ["no volume in the source: volume is 0"]
    return Rows(ts=times.ts, wall=times.wall, values=values, facts=facts, notes=notes)


def _require_one_instrument(frame: pd.DataFrame, found: ColumnMap, symbol: str) -> None:
    """Refuse a table that holds several instruments: their rows would pass for one another's."""
    for label in found.labels:
        named = [str(value) for value in frame[label].dropna().unique()[:4]]
        if len(named) > 1:
            raise DataError(
                f"{symbol}: column {label!r} names several instruments ({', '.join(named)}, …); give one at a time, "
                f"for example frame[frame[{label!r}] == {named[0]!r}]",
                column=label,
            )


def _plain_frame(frame: pd.DataFrame, *, keep_index: bool, symbol: str) -> pd.DataFrame:
    """Give a frame with one level of columns; its index becomes a column unless it is the time or a mere count."""
    import pandas as pd

    if isinstance(frame.columns, pd.MultiIndex):
        levels = [level for level in range(frame.columns.nlevels) if len(frame.columns.unique(level)) > 1]
        if len(levels) != 1:
            raise DataError(
                f"{symbol}: the frame has columns in {frame.columns.nlevels} levels, such as {frame.columns[0]!r}; "
                "give one instrument's, for example frame.xs('AAPL', axis=1, level=1)"
            )
        frame = frame.set_axis(frame.columns.get_level_values(levels[0]), axis=1)
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise DataError(f"{symbol}: the frame has several columns named {twice!r}; rename or drop all but one")
    counts = frame.index.names == [None] and pd.api.types.is_integer_dtype(frame.index.dtype)
    if keep_index or counts:
        return frame
    named = [f"index_{level}" if frame.index.nlevels > 1 else "index" for level in range(frame.index.nlevels)]
    pairs = zip(named, frame.index.names, strict=True)
    names = [ours if name is None or name in frame.columns else name for ours, name in pairs]
    return frame.reset_index(names=names)


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


def _numbers(values: pd.Series[Any], name: str) -> NDArray[np.float64]:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    listed = values.tolist()
    read = [_number(value) for value in listed]
    bad = np.flatnonzero([number is None for number in read])
    if len(bad):
        commas = all(re.fullmatch(r"\D*\d[\d.,' ]*\D*", str(listed[row])) for row in bad[:5])
        fix = (
            "decimal commas, thousands separators and currency signs are not guessed: read the file with "
            "pd.read_csv(path, decimal=',', thousands='.'), or as it is written, and give the frame to wb.data.clean"
            if commas
            else "mend or drop those rows, then import again"
        )
        refuse_rows(f"{name} holds what is no number", bad, listed, fix)
    return np.array(read, dtype=np.float64)


def _number(value: Any) -> float | None:
    import pandas as pd

    if pd.isna(value):
        return float("nan")
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
