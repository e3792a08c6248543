"""Parsing times that are written as text, every format by its own strict pattern.

A column may hold several formats; each row is read by the one it matches. Whether `03.04.2017` is in March or April is
decided per format by rows that leave no doubt (a 13 can be no month), and refused where no row does.
`market.timestamps` places the result in a timezone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TextTimes", "parse_formatted", "parse_texts", "refuse_rows"]

Integers = NDArray[np.int64]

_SHOWN: Final = 5  # rows that an error lists
_DAY_MS: Final = 86_400_000
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"), start=1,
    )
    for name in names.split()
}  # fmt: skip

_CLOCK: Final = r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9}))?)?(?:\s*(?P<half>[AaPp])[Mm])?"
_ZONE: Final = r"\s*(?P<zone>[Zz]|(?:UTC|GMT)?[+-]\d{2}:?\d{2}|UTC|GMT)?"
_DATES: Final = (
    ("year first", r"(?P<y>\d{4})(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})"),
    ("year last", r"(?P<m>\d{1,2})(?P<sep>[-/.])(?P<d>\d{1,2})(?P=sep)(?P<y>\d{4})"),
    ("digits", r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})"),
    ("day month year", r"(?P<d>\d{1,2})[- ](?P<name>[A-Za-z]{3,9})[- ](?P<y>\d{4})"),
    ("month day year", r"(?P<name>[A-Za-z]{3,9}) (?P<d>\d{1,2}),? (?P<y>\d{4})"),
)
_PATTERNS: Final = (
    *((kind, re.compile(rf"{date}(?:(?:[Tt]|,?\s+){_CLOCK})?{_ZONE}")) for kind, date in _DATES),
    ("digits", re.compile(rf"{_DATES[2][1]}[Tt ]?(?P<H>\d{{2}})(?P<M>\d{{2}})(?P<S>\d{{2}})?{_ZONE}")),
)
_ISO: Final = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)?"


class TextTimes(NamedTuple):
    """What the texts say.

    `wall` is what the clock showed, in ms without timezone; `offsets` are minutes east of UTC, NaN where a row names
    none, or None where no row does; `written` tells the format.
    """

    wall: Integers
    offsets: NDArray[np.float64] | None
    written: str


class _Row(NamedTuple):
    """One text taken apart; for a year-last date `month` is merely the first number."""

    kind: str
    year: int
    month: int
    day: int
    clock_ms: int
    offset: float


def refuse_rows(problem: str, rows: Integers, values: Sequence[Any] | NDArray[Any] | None, fix: str) -> NoReturn:
    """Raise a DataError that lists the first bad rows, counted from 0, with their values, and how many there are."""
    shown = [f"row {row}" + ("" if values is None else f" ({str(values[row])!r})") for row in rows[:_SHOWN].tolist()]
    more = f" and {len(rows) - _SHOWN:,} more" if len(rows) > _SHOWN else ""
    raise DataError(f"{problem}: {', '.join(shown)}{more}; {fix}", rows=tuple(rows[:_SHOWN].tolist()), count=len(rows))


def parse_texts(texts: pd.Series[str], name: str) -> TextTimes:
    """Parse times by their shape.

    Parameters
    ----------
    texts : pandas.Series, shape (n,)
        Without blanks around them.
    name : str
        What error messages call the column.

    Raises
    ------
    DataError
        A text is no time in a known format, no such date exists, or day and month cannot be told apart.
    """
    quick = _parse_iso(texts) if len(texts) else None
    if quick is not None:
        return quick
    listed = texts.tolist()
    read = [_read(text) for text in listed]
    bad = np.flatnonzero([row is None for row in read])
    if len(bad):
        refuse_rows(
            f"{name}: text that is no time", bad, listed, "write it like '2021-01-31 14:00', or name time_format"
        )
    rows = [row for row in read if row is not None]
    wall = _walls(rows, listed, name)
    offsets = np.array([row.offset for row in rows], dtype=np.float64)
    return TextTimes(wall, None if np.isnan(offsets).all() else offsets, _written(rows, listed))


def _parse_iso(texts: pd.Series[str]) -> TextTimes | None:
    """Parse the common case without a loop over rows: plain ISO 8601, all with the same offset or all without."""
    import pandas as pd

    first = str(texts.iloc[0])
    found = re.search(r"(?<=\d)(?:Z|[+-]\d{2}:\d{2})$", first)
    suffix = found.group() if found and ":" in first[: found.start()] else ""
    if not texts.str.endswith(suffix).all():
        return None
    bare = texts.str.removesuffix(suffix)
    if not bare.str.fullmatch(_ISO).all():
        return None
    parsed = pd.to_datetime(bare, format="ISO8601", errors="coerce")
    if parsed.isna().any():
        return None  # row by row the culprit can be named
    wall = parsed.to_numpy().astype("datetime64[ms]").astype(np.int64)
    return TextTimes(wall, np.full(len(wall), _offset(suffix)) if suffix else None, f"text like {first!r}")


def parse_formatted(texts: pd.Series[str], time_format: str, name: str) -> TextTimes:
    """Parse times by a format of `strptime`, strictly."""
    import pandas as pd

    try:
        parsed = pd.to_datetime(texts, format=time_format, errors="coerce", utc="%z" in time_format)
    except (ValueError, TypeError) as error:
        raise DataError(f"{name}: time_format {time_format!r} is not understood: {error}") from error
    bad = np.flatnonzero(parsed.isna().to_numpy())
    if len(bad):
        refuse_rows(f"{name}: text that is not written as {time_format!r}", bad, texts.tolist(), "mend time_format")
    if "%z" in time_format:
        parsed = parsed.dt.tz_localize(None)
    offsets = np.zeros(len(parsed)) if "%z" in time_format else None
    return TextTimes(parsed.to_numpy().astype("datetime64[ms]").astype(np.int64), offsets, f"text as {time_format!r}")


def _read(text: str) -> _Row | None:
    for kind, pattern in _PATTERNS:
        match = pattern.fullmatch(text)
        if match is None:
            continue
        part = match.groupdict()
        clock, offset = _clock_ms(part), _offset(part["zone"])
        month = _MONTHS.get(part["name"].lower()) if "name" in part else int(part["m"])
        if clock is None or month is None:
            return None
        separated = f"{kind} {part['sep']}" if kind == "year last" else kind
        return _Row(separated, int(part["y"]), month, int(part["d"]), clock, offset)
    return None


def _clock_ms(part: dict[str, str | None]) -> int | None:
    """Give the time of day in ms; None where there is no such time, or one with fractions of a millisecond."""
    hour, minute, second = (int(part.get(key) or 0) for key in "HMS")
    half, fraction = part.get("half"), (part.get("f") or "").ljust(9, "0")
    if half is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (half in "Pp")
    if hour > 23 or minute > 59 or second > 59 or int(fraction[3:]):
        return None
    return ((hour * 60 + minute) * 60 + second) * 1_000 + int(fraction[:3])


def _offset(zone: str | None) -> float:
    if zone is None:
        return float("nan")
    digits = zone.upper().removeprefix("UTC").removeprefix("GMT").replace(":", "")
    if digits in ("", "Z"):
        return 0.0
    return (int(digits[1:3]) * 60 + int(digits[3:5])) * (-1 if digits[0] == "-" else 1)


def _walls(rows: Sequence[_Row], listed: Sequence[str], name: str) -> Integers:
    kinds = np.array([row.kind for row in rows])
    years, months, days, clocks = (np.array([row[at] for row in rows], dtype=np.int64) for at in (1, 2, 3, 4))
    for kind in sorted({str(kind) for kind in kinds if kind.startswith("year last")}):
        mine = np.flatnonzero(kinds == kind)
        if _day_first(months, days, mine, listed, name):
            months[mine], days[mine] = days[mine], months[mine].copy()
    sound = (months >= 1) & (months <= 12) & (days >= 1) & (years >= 1)
    begins = (years - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (np.where(sound, months, 1) - 1)
    sound &= days <= ((begins + 1).astype("datetime64[D]") - begins.astype("datetime64[D]")).astype(np.int64)
    if not sound.all():
        refuse_rows(f"{name}: no such date", np.flatnonzero(~sound), listed, "mend those rows")
    date: Integers = (begins.astype("datetime64[D]").astype(np.int64) + days - 1) * _DAY_MS + clocks
    return date


def _day_first(first: Integers, second: Integers, mine: Integers, listed: Sequence[str], name: str) -> bool:
    """Decide by rows that leave no doubt whether the first number is the day."""
    day_first, month_first = mine[first[mine] > 12], mine[second[mine] > 12]
    if len(day_first) and len(month_first):
        refuse_rows(
            f"{name}: some dates have the day first, others the month",
            np.array([day_first[0], month_first[0]]), listed, "write them in one order",
        )  # fmt: skip
    if not len(day_first) and not len(month_first) and (first[mine] != second[mine]).any():
        refuse_rows(
            f"{name}: no date tells whether day or month comes first",
            mine[first[mine] != second[mine]], listed, "say it: time_format='%d.%m.%Y …' or '%m.%d.%Y …'",
        )  # fmt: skip
    return bool(len(day_first))


def _written(rows: Sequence[_Row], listed: Sequence[str]) -> str:
    examples: dict[str, str] = {}
    counts: dict[str, int] = {}
    for row, text in zip(rows, listed, strict=True):
        examples.setdefault(row.kind, text)
        counts[row.kind] = counts.get(row.kind, 0) + 1
    if len(counts) <= 1:
        return f"text like {next(iter(examples.values()))!r}" if examples else "text"
    return "text in " + " and ".join(f"{counts[kind]:,} rows like {examples[kind]!r}" for kind in counts)
