"""How long a bar is: parsing, the grid that bar times must lie on, and the blocks in which bars are stored."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError

__all__ = ["Timeframe"]

_UNIT_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DAY_MS: Final = _UNIT_MS["d"]
_LONGEST_MS: Final = 366 * _DAY_MS
_MONDAY_MS: Final = 4 * _DAY_MS  # 1970-01-05 was the first Monday; weekly bars open on Mondays


@dataclass(frozen=True, order=True, slots=True)
class Timeframe:
    """The fixed length of a bar, such as one minute, four hours or a week.

    Parameters
    ----------
    ms : int
        Length in milliseconds. `Timeframe.parse("4h")` is the usual way to make one.

    Examples
    --------
    >>> Timeframe.parse("4h").ms
    14400000
    >>> str(Timeframe.parse("60m"))
    '1h'
    """

    ms: int

    def __post_init__(self) -> None:
        if not isinstance(self.ms, int) or not 0 < self.ms <= _LONGEST_MS or self.ms % 1_000:
            raise DataError(
                f"timeframe of {self.ms!r} ms: a bar lasts a whole number of seconds, at least one and at most a year; "
                "Timeframe.parse('1h') reads text",
                ms=self.ms,
            )

    @classmethod
    def parse(cls, text: str | Timeframe) -> Timeframe:
        """Read `"1m"`, `"4h"`, `"1d"`, `"1w"` (units s, m, h, d, w); a `Timeframe` is given back as it is.

        Raises
        ------
        DataError
            The text is not a positive whole number and one of the units.
        """
        if isinstance(text, Timeframe):
            return text
        match = re.fullmatch(r"([1-9]\d*)([smhdw])", str(text))
        if match is None:
            raise DataError(
                f"timeframe {text!r} is not understood: write a whole number and a unit of s, m, h, d or w, "
                "such as '1m', '4h', '1d'",
                timeframe=text,
            )
        return cls(int(match[1]) * _UNIT_MS[match[2]])

    def __str__(self) -> str:
        for unit in ("w", "d", "h", "m"):
            if self.ms % _UNIT_MS[unit] == 0:
                return f"{self.ms // _UNIT_MS[unit]}{unit}"
        return f"{self.ms // 1_000}s"

    def __repr__(self) -> str:
        return f"Timeframe.parse('{self}')"

    @property
    def anchor_ms(self) -> int:
        """A time (ms UTC) that the grid of bar opens goes through: the epoch, or a Monday for whole weeks."""
        return _MONDAY_MS if self.ms % _UNIT_MS["w"] == 0 else 0

    def on_grid(self, ts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell for each time whether a bar may open there.

        Parameters
        ----------
        ts : int64 array, shape (n,)
            ms UTC.

        Returns
        -------
        bool array, shape (n,)
        """
        fits: NDArray[np.bool_] = (ts - self.anchor_ms) % self.ms == 0
        return fits

    def floor(self, ts: int) -> int:
        """Give the open time (ms UTC) of the bar that a moment falls into."""
        return ts - (ts - self.anchor_ms) % self.ms

    def block_of(self, ts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the number of the storage block each bar belongs to: a UTC day, month or year, or one block for all.

        The block is the unit of storage and of the fingerprint: about 10,000 to 90,000 bars, so that adding a
        bar rewrites and rehashes little.

        Parameters
        ----------
        ts : int64 array, shape (n,)
            ms UTC.

        Returns
        -------
        int64 array, shape (n,)
            Days, months or years since 1970; zeros for daily bars and longer.
        """
        unit = self._block_unit()
        if unit is None:
            return np.zeros(len(ts), dtype=np.int64)
        return ts.astype("datetime64[ms]").astype(f"datetime64[{unit}]").astype(np.int64)

    def blocks(self, ts: NDArray[np.int64]) -> list[tuple[int, slice]]:
        """Cut increasing times into storage blocks.

        Parameters
        ----------
        ts : int64 array, shape (n,)
            ms UTC, increasing.

        Returns
        -------
        list of (int, slice)
            The number of each block that has bars (see `block_of`) and the rows that lie in it, oldest first.
        """
        if not len(ts):
            return []
        unit, (first, last) = self._block_unit(), self.block_of(ts[[0, -1]]).tolist()
        if unit is None or first == last:
            return [(first, slice(0, len(ts)))]
        starts = np.arange(first + 1, last + 1).astype(f"datetime64[{unit}]").astype("datetime64[ms]").astype(np.int64)
        edges = [0, *np.searchsorted(ts, starts).tolist(), len(ts)]
        rows = zip(range(first, last + 1), itertools.pairwise(edges), strict=True)
        return [(block, slice(start, end)) for block, (start, end) in rows if start < end]

    def _block_unit(self) -> str | None:
        return None if self.ms >= _DAY_MS else "D" if self.ms < 15_000 else "M" if self.ms < 900_000 else "Y"
