"""`Membership`: which instruments a universe held, from each rebalance date to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import Bars, moment, to_ms

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Membership"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Membership:
    """Members by rebalance date.

    Parameters
    ----------
    ts : int64 array, shape (m,)
        Rebalance dates, ms UTC, rising; what was decided on one holds until the next.
    members : tuple of tuple of str
        Symbols on each date, in the order of the universe.
    """

    ts: NDArray[np.int64]
    members: tuple[tuple[str, ...], ...]

    @property
    def symbols(self) -> tuple[str, ...]:
        """Everything that was ever a member, sorted."""
        return tuple(sorted({symbol for each in self.members for symbol in each}))

    def at(self, when: Any) -> tuple[str, ...]:
        """Give the members at a moment: those of the last date that is not after it; none before the first."""
        place = int(np.searchsorted(self.ts, to_ms(when), side="right")) - 1
        return self.members[place] if place >= 0 else ()

    def mask(self, bars: Bars) -> NDArray[np.bool_]:
        """Tell for each bar whether the instrument was a member when the bar closed: what may enter.

        Parameters
        ----------
        bars : Bars, n rows
            Of one instrument; one that was never a member has no bar to enter on.

        Returns
        -------
        bool array, shape (n,)

        Examples
        --------
        >>> import workbench as wb
        >>> ts, one = np.arange(4) * 86_400_000, np.ones(4)
        >>> price = dict.fromkeys(("open", "high", "low", "close", "volume"), one)
        >>> bars = wb.Bars(instrument=wb.Instrument(symbol="A"), timeframe="1d", ts=ts, **price)
        >>> held = Membership(ts=np.array([2, 3]) * 86_400_000, members=(("A", "B"), ("B",)))
        >>> held.mask(bars)
        array([False,  True, False, False])
        """
        if not isinstance(bars, Bars):
            raise DataError(f"mask of a {type(bars).__name__}: give the wb.Bars of one instrument")
        inside = np.array([False, *(bars.symbol in each for each in self.members)])
        place = np.searchsorted(self.ts, bars.ts + bars.timeframe.ms, side="right")
        return np.asarray(inside[place])

    def to_pandas(self) -> pd.DataFrame:
        """Give a row for each date (UTC) and a bool column for each symbol that was ever a member, sorted."""
        import pandas as pd

        index = pd.DatetimeIndex(self.ts.astype("datetime64[ms]"), tz="UTC", name="date")
        columns = {symbol: [symbol in each for each in self.members] for symbol in self.symbols}
        return pd.DataFrame(columns, index=index, dtype=bool)

    def __len__(self) -> int:
        return len(self.ts)

    def __repr__(self) -> str:
        if not len(self):
            return "<Membership: no dates>"
        span = f"{moment(self.ts[0])} to {moment(self.ts[-1])}"
        return f"<Membership of {len(self.symbols)} instruments, {len(self)} dates, {span}>"

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(repr(self)[1:-1])}</p>{self.to_pandas().to_html(max_rows=10, max_cols=12)}"
