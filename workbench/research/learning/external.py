"""`External`: a series that is not made of bars (sentiment, macro data, filings), joined as it was known.

Each value is about a time, and came out at another. A bar sees what had been published by its close: of the newest time
that anything was known about, the newest publication.
"""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError
from workbench.market.bars import Bars, moment, to_ms

__all__ = ["External"]

Times = NDArray[np.int64]

_UNITS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_LONGEST: Final = 1_000 * 366 * 86_400_000


class External:
    """Values with the times they are about and the times at which they came out.

    Parameters
    ----------
    times : array_like of times, shape (k,)
        What each value is about: the day of the sentiment, the end of the quarter. ms UTC, datetimes, ISO text or a
        DatetimeIndex; without a timezone UTC is meant. A time that is there several times has been revised.
    values : float array_like, shape (k,)
        NaN where a publication said that nothing is known.
    published : array_like of times, shape (k,), or str
        When each value could first be read, or how long after `times` that was, such as `"1d"`.
    stale_after : str, optional
        How long after its publication a value still counts, such as `"90d"`; for ever when left out.

    Raises
    ------
    DataError
        Lengths differ, a value is infinite, a time is none, or something was published before what it is about.

    Notes
    -----
    A value counts for the bars that close at or after its publication, and for none before. A late revision of an
    older time does not replace the value of a newer one.

    Examples
    --------
    >>> import workbench as wb
    >>> price = dict.fromkeys(("open", "high", "low", "close"), np.ones(4))
    >>> bars = wb.Bars(instrument=wb.Instrument(symbol="X"), timeframe="1d", volume=np.ones(4),
    ...                ts=np.arange(4) * 86_400_000, **price)
    >>> External([0, 0], [1.0, 2.0], published=[86_400_000, 3 * 86_400_000]).on(bars)
    array([1., 1., 2., 2.])
    """

    def __init__(self, times: Any, values: ArrayLike, *, published: Any, stale_after: str | None = None) -> None:
        self.times = _times("times", times)
        self.values = _values(values, len(self.times))
        if isinstance(published, str):
            self.published = self.times + duration("published", published)
        else:
            self.published = _times("published", published, late=True)
        if len(self.published) != len(self.times):
            raise DataError(
                f"External: {len(self.published)} publications for {len(self.times)} times; give one for each"
            )
        early = np.flatnonzero(self.published < self.times)
        if len(early):
            row = int(early[0])
            raise DataError(
                f"External: row {row} is about {moment(self.times[row])} but published {moment(self.published[row])}, "
                f"before that ({len(early)} such rows); are `times` and `published` the wrong way round?",
                row=row,
            )
        self.stale_after = None if stale_after is None else duration("stale_after", stale_after)
        self._seen, self._shown = self._timeline()

    def _timeline(self) -> tuple[Times, NDArray[np.float64]]:
        """Give when what is known changes, and what it is from then on."""
        order = np.lexsort((np.arange(len(self.times)), self.times, self.published))
        about = self.times[order]
        newest = about >= np.maximum.accumulate(about) if len(about) else np.zeros(0, dtype=np.bool_)
        return self.published[order][newest], self.values[order][newest]

    def on(self, bars: Bars) -> NDArray[np.float64]:
        """Give what was known at the close of each bar.

        Returns
        -------
        float64 array, shape (n,)
            NaN before the first publication and where the last one is stale.
        """
        if not isinstance(bars, Bars):
            raise DataError(f"an external series is asked on bars, not on a {type(bars).__name__}: give wb.Bars")
        closes = bars.ts + bars.timeframe.ms
        rows = np.searchsorted(self._seen, closes, side="right") - 1
        if not len(self._seen):
            return np.full(len(bars), np.nan)
        found = np.where(rows < 0, np.nan, self._shown[np.maximum(rows, 0)])
        if self.stale_after is not None:
            found[closes - self._seen[np.maximum(rows, 0)] > self.stale_after] = np.nan
        return found

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        if not len(self):
            return "<External: no values>"
        last = moment(int(self.published.max()))
        return f"<External {len(self)} values, {moment(int(self.published.min()))} to {last} by publication>"


def duration(name: str, text: str) -> int:
    """Read a duration such as `90d` as ms; DataError for anything else."""
    found = re.fullmatch(r"(\d+)([smhdw])", text) if isinstance(text, str) else None
    if found is None or int(found[1]) == 0:
        raise DataError(f"{name} = {text!r}: give a whole number and a unit of s, m, h, d or w, such as '90d'")
    length = int(found[1]) * _UNITS[found[2]]
    if length > _LONGEST:
        raise DataError(f"{name} = {text!r} is longer than a thousand years")
    return length


def _times(name: str, given: Any, *, late: bool = False) -> Times:
    """Read times as ms; a part of a ms counts as a whole one where it is better to be late."""
    try:
        array = given.to_numpy() if hasattr(given, "to_numpy") else np.asarray(given)
    except (TypeError, ValueError) as error:
        raise DataError(f"External: {name} cannot be read as times: {error}") from error
    if array.ndim != 1:
        raise DataError(f"External: {name} has shape {array.shape}; give one time a value, shape (k,)")
    if array.dtype.kind == "M":
        if np.isnat(array).any():
            raise DataError(f"External: {name} has no time at row {int(np.isnat(array).argmax())}; leave such rows out")
        whole = array.astype("datetime64[ms]")
        return whole.astype(np.int64) + (late & (whole < array))
    if array.dtype.kind in "iu":
        return array.astype(np.int64)
    if array.dtype.kind == "f" and len(array):
        raise DataError(f"External: {name} are fractions, such as {array[0]!r}; give times, or whole milliseconds UTC")
    return np.array([to_ms(one) for one in array.tolist()], dtype=np.int64)


def _values(given: ArrayLike, count: int) -> NDArray[np.float64]:
    try:
        array = np.array(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"External: values are not numbers: {error}") from error
    if array.shape != (count,):
        raise DataError(f"External: values have shape {array.shape} for {count} times; give one a time")
    if np.isinf(array).any():
        raise DataError(f"External: the value at row {int(np.isinf(array).argmax())} is infinite")
    return array
