"""`Bars`: the prices of one instrument and timeframe, checked once, read-only from then on.

Everything downstream (indicators, strategies, backtests, reports) takes `Bars` and trusts them, so the checks live
here and nowhere else. No file, network or clock is touched; `market.lake` stores them, `market.importing` cleans what
is not yet fit to be `Bars`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.guess import guess_instrument
from workbench.market.instrument import Instrument
from workbench.market.timeframe import Timeframe

if TYPE_CHECKING:
    import pandas as pd

    from workbench.market.quality.findings import Quality

__all__ = ["COLUMNS", "Bars", "Gap", "digest_blocks", "moment", "to_ms"]

COLUMNS: Final = ("open", "high", "low", "close", "volume")

_RUN: Final = 16_384  # rows checked at a time: seven columns of them fit into a core's cache


class Gap(NamedTuple):
    """A hole in a series: `missing` bars that the calendar expects, the first opening at `start`.

    `start` and `end` are ms UTC; `end` is the open time of the first bar after the hole.
    """

    start: int
    end: int
    missing: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Bars:
    """Open, high, low, close and volume per bar, in read-only arrays.

    Parameters
    ----------
    instrument : Instrument
    timeframe : Timeframe
    ts : int64 array, shape (n,)
        Open time of each bar, ms UTC, strictly increasing and on the timeframe's grid. A bar is known when it
        closes, at `ts + timeframe.ms`.
    open, high, low, close : float64 array, shape (n,)
        Finite and positive, in the quote currency; `low <= min(open, close)`, `high >= max(open, close)`.
    volume : float64 array, shape (n,)
        Finite and not negative, in the base currency or in shares.
    filled : bool array, shape (n,), optional
        True where a bar was made up by a fill rule instead of traded. None when there are none.
    provenance : mapping
        Where the bars come from: `source`, `licence`, `note`, … as the lake recorded them.

    Raises
    ------
    DataError
        Any rule above is broken; the message names the column, the first bad row and how many there are.

    Notes
    -----
    Gaps are allowed and known: see `gaps`. `fingerprint` is a hash of the content.
    """

    instrument: Instrument
    timeframe: Timeframe
    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    filled: NDArray[np.bool_] | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.instrument, Instrument):
            raise DataError(f"instrument is a {type(self.instrument).__name__}: give wb.Instrument(symbol=…)")
        object.__setattr__(self, "timeframe", Timeframe.parse(self.timeframe))
        self._take("ts", np.int64)
        for name in COLUMNS:
            self._take(name, np.float64)
        if self.filled is not None:
            self._take("filled", np.bool_)
            if not self.filled.any():
                object.__setattr__(self, "filled", None)
        _check(self)

    def _take(self, name: str, dtype: type) -> None:
        try:
            given = _unmasked(getattr(self, name))
            if given.dtype.kind in "mMc" or (name == "ts" and given.dtype.kind not in "iu" and given.size):
                raise DataError(
                    f"{self.symbol}: column {name!r} is an array of {given.dtype}; 'ts' must be whole milliseconds UTC "
                    "(int64) and the others float64. Bars.from_pandas and wb.data.clean read dates"
                )
            column: NDArray[Any] = np.ascontiguousarray(given, dtype=dtype)
        except (TypeError, ValueError) as error:
            raise DataError(f"{self.symbol}: column {name!r} holds something that is not a number: {error}") from error
        if column.ndim != 1 or (name != "ts" and len(column) != len(self.ts)):
            raise DataError(
                f"{self.symbol}: column {name!r} has shape {column.shape}; every column must be one-dimensional and "
                f"as long as 'ts' ({len(self.ts)})"
            )
        if not _is_locked(column):  # somebody could still change it: keep a copy
            column = column.copy()
            column.flags.writeable = False
        object.__setattr__(self, name, column)

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        return self.instrument.symbol

    @property
    def venue(self) -> str:
        """The instrument's venue."""
        return self.instrument.venue

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def nbytes(self) -> int:
        """Size of the columns in bytes."""
        return sum(getattr(self, name).nbytes for name in ("ts", *COLUMNS))

    @property
    def start(self) -> int:
        """Open time of the first bar, ms UTC; an empty series has none and raises DataError."""
        return int(self._nonempty().ts[0])

    @property
    def end(self) -> int:
        """Close time of the last bar, ms UTC; an empty series has none and raises DataError."""
        return int(self._nonempty().ts[-1]) + self.timeframe.ms

    def _nonempty(self) -> Bars:
        if not len(self):
            raise DataError(f"{self.symbol} {self.timeframe}: the series is empty; ask for a range that has bars")
        return self

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """The holes inside the series, oldest first, counted by the instrument's calendar."""
        from workbench.market.calendar import gaps

        return gaps(self.ts, self.timeframe, self.instrument.calendar)

    @cached_property
    def quality(self) -> Quality:
        """All that is odd about the series by itself, with what the lake has recorded; see `market.quality`."""
        from workbench.market.quality.check import check

        return check(self)

    @cached_property
    def fingerprint(self) -> str:
        """Hash (32 hex digits) of times, prices, volume and fill marks; equal content has equal fingerprints."""
        return fingerprint_of(digest_blocks(self))

    @property
    def periods_per_year(self) -> float:
        """How many such bars a year of the instrument's calendar has; what annualises volatility and ratios."""
        from workbench.market.calendar import periods_per_year

        return periods_per_year(self.instrument.calendar, self.timeframe, self.start, self.end)

    def __getitem__(self, rows: slice) -> Bars:
        """Give a run of bars by position; the columns are views."""
        if not isinstance(rows, slice) or rows.step not in (None, 1):
            raise DataError(
                f"bars[{rows!r}]: take a run of bars with bars[first:last] (no step), or one column's value"
            )
        columns = {name: getattr(self, name)[rows] for name in ("ts", *COLUMNS)}
        filled = None if self.filled is None else self.filled[rows]
        return Bars(
            instrument=self.instrument, timeframe=self.timeframe, filled=filled, provenance=self.provenance, **columns
        )

    def between(self, start: Any = None, end: Any = None) -> Bars:
        """Give the bars that open at or after `start` and before `end`.

        Parameters
        ----------
        start, end : str, datetime, pandas.Timestamp or int (ms UTC), optional
            Without a timezone they are UTC.
        """
        first = 0 if start is None else int(np.searchsorted(self.ts, to_ms(start)))
        last = len(self) if end is None else int(np.searchsorted(self.ts, to_ms(end)))
        return self[first:last]

    def to_pandas(self) -> pd.DataFrame:
        """Give a new DataFrame: UTC DatetimeIndex named `ts` (open times), columns open high low close volume."""
        import pandas as pd

        index = pd.DatetimeIndex(self.ts.astype("datetime64[ms]"), tz="UTC", name="ts")
        return pd.DataFrame({name: getattr(self, name).copy() for name in COLUMNS}, index=index)

    @classmethod
    def from_pandas(
        cls,
        frame: pd.DataFrame,
        *,
        symbol: str,
        timeframe: str | Timeframe,
        venue: str = "unknown",
        instrument: Instrument | None = None,
        provenance: Mapping[str, Any] | None = None,
    ) -> Bars:
        """Take a frame that is already clean; `wb.data.clean` mends one that is not.

        Parameters
        ----------
        frame : pandas.DataFrame
            DatetimeIndex of open times (UTC, or another timezone that is converted; without one, UTC is meant) and
            columns open, high, low, close, volume.
        symbol, timeframe, venue
            What the frame is of.
        instrument : Instrument, optional
            Its facts; guessed from the symbol and the times of the bars when left out (`market.guess`).

        Raises
        ------
        DataError
            A column is missing, the index is no DatetimeIndex, or the content breaks a rule of `Bars`.
        """
        import pandas as pd

        if not isinstance(frame, pd.DataFrame):
            raise DataError(f"{symbol}: a {type(frame).__name__} is no table; give a pandas.DataFrame of bars")
        missing = [name for name in COLUMNS if name not in frame.columns]
        if missing:
            raise DataError(
                f"{symbol}: the frame has no column {', '.join(map(repr, missing))}; it has "
                f"{', '.join(map(repr, frame.columns))}. Rename yours to {', '.join(COLUMNS)}",
                missing=missing,
            )
        if not isinstance(frame.index, pd.DatetimeIndex):
            raise DataError(
                f"{symbol}: the frame's index is a {type(frame.index).__name__}; it must be a DatetimeIndex of bar "
                "open times in UTC, for example df.set_index(pd.to_datetime(df['time'], utc=True))"
            )
        if frame.index.hasnans:
            raise DataError(f"{symbol}: the frame's index has NaT; drop those rows or give them a time")
        index = frame.index if frame.index.tz is None else frame.index.tz_convert("UTC").tz_localize(None)
        opens = index.to_numpy().astype("datetime64[ms]")
        if (opens != index.to_numpy()).any():
            raise DataError(f"{symbol}: the frame's index has fractions of a millisecond; round it to bar opens")
        ts, length = opens.astype(np.int64), Timeframe.parse(timeframe)
        return cls(
            instrument=guess_instrument(symbol, venue, ts, length) if instrument is None else instrument,
            timeframe=length,
            ts=ts,
            provenance=dict(provenance or {}),
            **{name: frame[name].to_numpy() for name in COLUMNS},
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Bars):
            return NotImplemented
        same = (self.instrument, self.timeframe) == (other.instrument, other.timeframe)
        return same and self.fingerprint == other.fingerprint

    __hash__ = None  # type: ignore[assignment]

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Lock the columns again: on its way to another process an array forgets that it is read-only."""
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        self.__dict__.update(state)

    def __repr__(self) -> str:
        span = f"{moment(self.start)} to {moment(self.end)}" if len(self) else "empty"
        return f"<Bars {self.symbol} {self.timeframe} {self.venue}, {len(self):,} bars, {span}>"

    def _repr_html_(self) -> str:
        from html import escape

        rows = self.to_pandas()
        shown = rows if len(rows) <= 10 else rows.iloc[[*range(5), *range(-5, 0)]]
        missing = sum(gap.missing for gap in self.gaps)
        return f"<p>{escape(repr(self)[1:-1])}; {missing:,} missing</p>{shown.to_html(max_rows=10)}"


def _unmasked(values: Any) -> NDArray[Any]:
    """Give an array in which a masked value is missing, instead of what happens to lie under the mask."""
    if np.ma.is_masked(values):
        return np.asarray(values.astype(np.float64).filled(np.nan))
    return np.asarray(values)


def _is_locked(column: NDArray[Any]) -> bool:
    """Tell whether nobody can change an array: a read-only view of another's memory (as pandas gives) is not enough."""
    owner: Any = column
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return False
        owner = owner.base
    return True


def digest_blocks(bars: Bars) -> dict[int, str]:
    """Hash each storage block of a series (see `Timeframe.block_of`); the lake keeps these to hash only what changed.

    Returns
    -------
    dict
        Block number to 32 hex digits, oldest first.
    """
    digests = {}
    for block, rows in bars.timeframe.blocks(bars.ts):
        digest = hashlib.blake2b(digest_size=16)
        for name in ("ts", *COLUMNS):
            digest.update(np.ascontiguousarray(getattr(bars, name)[rows]).data)
        if bars.filled is not None and bars.filled[rows].any():
            digest.update(np.ascontiguousarray(bars.filled[rows]).data)
        digests[block] = digest.hexdigest()
    return digests


def fingerprint_of(digests: Mapping[int, str]) -> str:
    """Combine the hashes of the blocks into the fingerprint of the whole."""
    text = " ".join(f"{block}:{digest}" for block, digest in sorted(digests.items()))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def to_ms(when: Any) -> int:
    """Read a moment as ms UTC.

    Parameters
    ----------
    when : int (ms UTC), ISO 8601 str, datetime, numpy.datetime64 or pandas.Timestamp
        Without a timezone, UTC is meant.

    Raises
    ------
    DataError
        It is none of these.
    """
    import datetime as dt

    try:
        if isinstance(when, (int, np.integer)) and not isinstance(when, bool):
            return int(np.int64(when))  # OverflowError beyond 64 bits
        if isinstance(when, np.datetime64) and not np.isnat(when):
            return int(when.astype("datetime64[ms]").astype(np.int64))
        if isinstance(when, str):
            when = dt.datetime.fromisoformat(when)
        if isinstance(when, dt.datetime):
            aware = when if when.tzinfo else when.replace(tzinfo=dt.UTC)
            return round(aware.timestamp() * 1_000)
        if isinstance(when, dt.date):
            return round(dt.datetime(when.year, when.month, when.day, tzinfo=dt.UTC).timestamp() * 1_000)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{when!r} is no time: write it like '2021-01-31' or '2021-01-31T14:00+00:00'") from error
    raise DataError(f"{when!r} is no time: give text like '2021-01-31', a datetime, or milliseconds UTC")


def moment(ts: int) -> str:
    """Write a time (ms UTC) for people: the date alone at midnight, else to the minute or second."""
    text = np.datetime_as_string(np.datetime64(int(ts), "ms"), unit="s").replace("T", " ")
    return text.removesuffix(":00").removesuffix(" 00:00")


def _check(bars: Bars) -> None:
    """Raise DataError at the first broken rule, in the order in which a person would look for the cause."""
    if _is_sound(bars):
        return
    for name in COLUMNS:
        _refuse(bars, ~np.isfinite(getattr(bars, name)), f"{name} is not a finite number", name)
    for name in COLUMNS[:4]:
        _refuse(bars, getattr(bars, name) <= 0, f"{name} is not positive", name)
    _refuse(bars, bars.volume < 0, "volume is negative", "volume")
    _refuse(bars, bars.high < bars.low, "high is below low", "high", "low")
    _refuse(bars, bars.high < np.maximum(bars.open, bars.close), "high is below open or close", "open", "high", "close")
    _refuse(bars, bars.low > np.minimum(bars.open, bars.close), "low is above open or close", "open", "low", "close")
    step = np.diff(bars.ts, prepend=bars.ts[:1] - 1)
    _refuse(bars, step == 0, "the same time stands twice (wb.data.clean drops identical rows)")
    _refuse(bars, step < 0, "the time goes backwards (sort the rows, or use wb.data.clean)")
    _refuse(bars, ~bars.timeframe.on_grid(bars.ts), f"the time is not on the {bars.timeframe} grid of bar opens in UTC")


def _is_sound(bars: Bars) -> bool:
    """Tell whether all rules hold, in runs of rows that stay in the processor's cache; a NaN fails every comparison."""
    step = bars.timeframe.ms
    for first in range(0, len(bars), _RUN):
        rows = slice(first, first + _RUN)
        opened, high, low, close, volume = (getattr(bars, name)[rows] for name in COLUMNS)
        ts = bars.ts[first : first + _RUN + 1]
        steps = np.diff(ts)
        if not ((steps == step).all() and bars.timeframe.on_grid(ts[:1]).all()) and not (
            (steps > 0).all() and bars.timeframe.on_grid(ts).all()
        ):
            return False
        sound = low > 0
        for rule in (
            low <= opened, low <= close, opened <= high, close <= high, high < np.inf, volume >= 0, volume < np.inf
        ):  # fmt: skip
            sound &= rule
        if not sound.all():
            return False
    return True


def _refuse(bars: Bars, bad: NDArray[np.bool_], rule: str, *columns: str) -> None:
    if not bad.any():
        return
    row, count = int(np.argmax(bad)), int(bad.sum())
    values = ", ".join(f"{name}={float(getattr(bars, name)[row])!r}" for name in columns)
    more = f" (and {count - 1} more row{'s' if count > 2 else ''})" if count > 1 else ""
    raise DataError(
        f"{bars.symbol} {bars.timeframe}: {rule} at {moment(bars.ts[row])} UTC, row {row}"
        f"{': ' + values if values else ''}{more}",
        rule=rule, row=row, ts=int(bars.ts[row]), count=count,
    )  # fmt: skip
