"""Reading the times of somebody's table, whatever they are written as.

Datetimes, text or numbers become milliseconds UTC. Each way of writing is recognised by evidence in the data and read
strictly; where the evidence leaves two readings (two units, two timezones) it is an error that shows the rows and how
to say which. `market.importing` is the user's door, `market.timetext` takes text apart.
"""

from __future__ import annotations

import datetime as dt
import difflib
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.timetext import TextTimes, parse_formatted, parse_texts, refuse_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Times", "read_times", "wall_clock"]

Integers = NDArray[np.int64]

# Seconds from 1980 to 2286 and their fractions: unit, lowest, highest, how many a second has. No window touches
# another, nor the dates written as one number (20170131, 201701311430, 20170131143000).
_SINCE_1970: Final = tuple(
    (unit, 315_532_800 * scale, 10_000_000_000 * scale - 1, scale)
    for unit, scale in (("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9))
)
_AS_DIGITS: Final = tuple((19000101 * scale, 21991232 * scale - 1) for scale in (1, 10_000, 1_000_000))


@dataclass(frozen=True, kw_only=True, eq=False)
class Times:
    """Times as read.

    Parameters
    ----------
    ts : int64 array, shape (n,)
        ms UTC, in the table's order.
    wall : int64 array, shape (n,)
        What the clock showed in the timezone they were written in, as ms; equals `ts` for UTC.
    zone : str
        That timezone, and how it is known.
    written : str
        How they were written, such as `"milliseconds since 1970"`.
    """

    ts: Integers
    wall: Integers
    zone: str
    written: str


def read_times(values: pd.Series[Any], *, name: str, tz: str | None = None, time_format: str | None = None) -> Times:
    """Read a column of times.

    Parameters
    ----------
    values : pandas.Series, shape (n,)
        Datetimes, text, or numbers since 1970 in seconds, milliseconds, microseconds or nanoseconds.
    name : str
        What error messages call it.
    tz : str, optional
        Timezone (`"America/New_York"`) of times that name none; UTC when left out.
    time_format : str, optional
        How text is written, in the codes of `strptime`; when left out, the text's shape tells.

    Raises
    ------
    DataError
        A time is missing, not understood, ambiguous, or does not exist in its timezone; or the column mixes units or
        timezones.
    """
    import pandas as pd

    zone = None if tz is None else _zone(tz)
    missing = np.flatnonzero(values.isna().to_numpy())
    if len(missing):
        refuse_rows(f"{name}: a time is missing", missing, None, "drop those rows or give them a time")
    kinds = pd.api.types
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        ts = _exact_ms(values.dt.tz_convert("UTC").dt.tz_localize(None), name)
        wall = _exact_ms(values.dt.tz_localize(None), name) if zone is None else wall_clock(ts, zone)
        return Times(ts=ts, wall=wall, zone=f"{values.dt.tz} (in the data)", written="datetimes")
    if kinds.is_datetime64_any_dtype(values.dtype):
        return _placed(TextTimes(_exact_ms(values, name), None, "datetimes"), zone, name, values)
    if time_format is not None:
        return _placed(parse_formatted(values.astype(str), time_format, name), zone, name, values)
    if kinds.is_numeric_dtype(values.dtype) and not kinds.is_bool_dtype(values.dtype):
        return _numbers(values.to_numpy(), zone, name)
    if len(values) and all(isinstance(value, dt.date) for value in values):
        return _objects(list(values), zone, name)
    texts = values.astype(str).str.strip()
    if len(texts) and texts.str.fullmatch(r"-?\d+(\.\d*)?").all():
        return _numbers(_as_numbers(texts, name), zone, name)
    return _placed(parse_texts(texts, name), zone, name, texts)


def wall_clock(ts: Integers, zone: zoneinfo.ZoneInfo) -> Integers:
    """Give what a clock in a timezone shows at each time, as ms without timezone."""
    import pandas as pd

    index = pd.DatetimeIndex(ts.astype("datetime64[ms]"), tz="UTC").tz_convert(zone).tz_localize(None)
    return np.asarray(index.to_numpy().astype("datetime64[ms]").astype(np.int64))


def _zone(tz: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(tz)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        close = difflib.get_close_matches(str(tz), sorted(zoneinfo.available_timezones()), n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "write it like 'America/New_York'"
        raise DataError(f"timezone {tz!r} is unknown: {hint}", tz=tz) from error


def _as_numbers(texts: pd.Series[str], name: str) -> NDArray[Any]:
    whole = not texts.str.contains(".", regex=False).any()
    try:
        return texts.astype("int64" if whole else "float64").to_numpy()
    except (OverflowError, ValueError) as error:
        raise DataError(f"{name}: the column holds numbers that are no times: {error}") from error


def _numbers(values: NDArray[Any], zone: zoneinfo.ZoneInfo | None, name: str) -> Times:
    """Tell the unit by magnitude; numbers since 1970 are UTC by definition."""
    import pandas as pd

    most = float(np.iinfo(np.int64).max)
    beyond = np.flatnonzero(~(np.abs(values.astype(np.float64)) < most))  # infinity, too
    if len(beyond):
        refuse_rows(f"{name}: the column holds numbers that are no times", beyond, values, "mend or drop those rows")
    whole = np.floor(values).astype(np.int64)
    fractions = np.flatnonzero(values != whole)
    if not len(fractions) and any(((whole >= low) & (whole <= high)).all() for low, high in _AS_DIGITS):
        texts = pd.Series(whole.astype(str))
        return _placed(parse_texts(texts, name), zone, name, texts)
    inside = [(whole >= low) & (whole <= high) for _, low, high, _ in _SINCE_1970]
    kinds = [index for index, mask in enumerate(inside) if mask.any()]
    if len(kinds) > 1:
        units = " and ".join(_SINCE_1970[kind][0] for kind in kinds)
        rows = np.array([int(np.argmax(inside[kind])) for kind in kinds])
        refuse_rows(f"{name}: {units} since 1970 are mixed in one column", rows, whole, "bring them to one unit")
    if not kinds:
        problem = f"{name}: numbers that lie outside 1980 to 2286 in every unit since 1970"
        refuse_rows(problem, np.arange(len(whole)), values, "turn them into datetimes first")
    unit, _, _, per_second = _SINCE_1970[kinds[0]]
    if len(fractions) and unit != "seconds":
        refuse_rows(f"{name}: fractions of {unit} since 1970", fractions, values, "round them first")
    ts = np.round(values * 1_000).astype(np.int64) if len(fractions) else _scaled(whole, per_second, name)
    wall = ts if zone is None else wall_clock(ts, zone)
    return Times(ts=ts, wall=wall, zone="UTC (numbers since 1970)", written=f"{unit} since 1970")


def _scaled(whole: Integers, per_second: int, name: str) -> Integers:
    if per_second <= 1_000:
        return whole * (1_000 // per_second)
    finer = per_second // 1_000
    uneven = np.flatnonzero(whole % finer)
    if len(uneven):
        refuse_rows(f"{name}: times with fractions of a millisecond", uneven, whole, "round them first")
    return whole // finer


def _exact_ms(values: pd.Series[Any], name: str) -> Integers:
    unit = "ns" if values.dt.unit == "ns" else "us"
    whole = values.to_numpy().astype(f"datetime64[{unit}]").astype(np.int64)
    return _scaled(whole, 10**9 if unit == "ns" else 10**6, name)


def _objects(values: Sequence[dt.date], zone: zoneinfo.ZoneInfo | None, name: str) -> Times:
    """Read Python dates and datetimes, each of which may have its own timezone."""
    full = [
        value if isinstance(value, dt.datetime) else dt.datetime(value.year, value.month, value.day) for value in values
    ]
    wall = np.array([value.replace(tzinfo=None) for value in full], dtype="datetime64[us]").astype(np.int64)
    shifts = [value.utcoffset() for value in full]
    offsets = np.array([np.nan if shift is None else shift.total_seconds() / 60 for shift in shifts])
    known = None if np.isnan(offsets).all() else offsets
    return _placed(TextTimes(_scaled(wall, 10**6, name), known, "datetimes"), zone, name, values)


def _placed(read: TextTimes, zone: zoneinfo.ZoneInfo | None, name: str, shown: Sequence[Any] | pd.Series[Any]) -> Times:
    """Turn wall-clock times into UTC, by their own offsets or by the timezone that the caller names."""
    listed = list(shown)
    if read.offsets is None:
        return _localised(read, zone, name, listed)
    bare = np.isnan(read.offsets)
    if bare.any():
        rows = np.sort([int(np.argmax(bare)), int(np.argmax(~bare))])
        refuse_rows(f"{name}: some times name a timezone, others do not", rows, listed, "give all of them one")
    ts = read.wall - np.round(read.offsets * 60_000).astype(np.int64)
    distinct, rows = np.unique(read.offsets, return_index=True)
    if zone is not None:
        wall = wall_clock(ts, zone)
        foreign = np.flatnonzero(wall != read.wall)
        if len(distinct) > 1 and len(foreign):
            problem = f"{name}: timezones are mixed, and some are not those of {zone.key}"
            refuse_rows(problem, foreign, listed, "convert them to UTC first")
        return Times(ts=ts, wall=wall, zone=f"{zone.key} (offsets in the data)", written=read.written)
    if len(distinct) > 1:
        fix = "if this is one place's summer and winter time, name it: tz='America/New_York'; else convert to UTC first"
        refuse_rows(f"{name}: timezones are mixed in one column", np.sort(rows), listed, fix)
    offset = f"{distinct[0] / 60:+.2f} h" if len(distinct) and distinct[0] else ""
    return Times(ts=ts, wall=read.wall, zone=f"UTC{offset} (in the data)", written=read.written)


def _localised(read: TextTimes, zone: zoneinfo.ZoneInfo | None, name: str, listed: Sequence[Any]) -> Times:
    if zone is None:
        return Times(ts=read.wall, wall=read.wall, zone="UTC (assumed)", written=read.written)
    import pandas as pd

    index = pd.DatetimeIndex(read.wall.astype("datetime64[ms]"))
    placed = index.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    lost = np.flatnonzero(placed.isna())
    if len(lost):
        problem = f"{name}: times that do not exist in {zone.key}, or stand for two moments, as its clocks change"
        refuse_rows(problem, lost, listed, "give them with their offset (2021-11-07 01:30-04:00) or in UTC")
    ts = placed.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
    return Times(ts=np.asarray(ts), wall=read.wall, zone=f"{zone.key} (as told)", written=read.written)
