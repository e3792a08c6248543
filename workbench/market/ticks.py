"""`Ticks`: single trades of one instrument, checked once, read-only from then on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import Bars, moment
from workbench.market.instrument import Instrument
from workbench.market.timeframe import Timeframe

__all__ = ["Ticks"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Ticks:
    """Trades of the market, oldest first.

    Parameters
    ----------
    instrument : Instrument
    ts : int64 array, shape (n,)
        ms UTC, not decreasing: several trades can have the same time and count in their order.
    price : float64 array, shape (n,)
        Finite and positive.
    quantity : float64 array, shape (n,)
        Finite and positive, in units of the base asset, contracts or shares.
    side : int8 array, shape (n,), optional
        +1 where a buyer took, -1 where a seller did, 0 where nobody knows; all 0 when left out.

    Raises
    ------
    DataError
        A rule above is broken; the message names the column and the first bad row.
    """

    instrument: Instrument
    ts: NDArray[np.int64]
    price: NDArray[np.float64]
    quantity: NDArray[np.float64]
    side: NDArray[np.int8] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.instrument, Instrument):
            raise DataError(f"instrument is a {type(self.instrument).__name__}: give wb.Instrument(symbol=…)")
        length = len(np.atleast_1d(np.asarray(self.ts)))
        given: dict[str, Any] = {"ts": self.ts, "price": self.price, "quantity": self.quantity}
        given["side"] = np.zeros(length, dtype=np.int8) if self.side is None else self.side
        for name, dtype in (("ts", np.int64), ("price", np.float64), ("quantity", np.float64), ("side", np.int8)):
            object.__setattr__(self, name, self._column(name, given[name], dtype, length))
        self._refuse("ts", np.append(False, np.diff(self.ts) < 0), "goes back in time")
        for name in ("price", "quantity"):
            values = getattr(self, name)
            self._refuse(name, ~(np.isfinite(values) & (values > 0)), "is not a finite number above zero")
        self._refuse("side", np.abs(given["side"]) > 1, "is not -1, 0 or +1")

    def _column(self, name: str, values: Any, dtype: type, length: int) -> NDArray[Any]:
        try:
            column: NDArray[Any] = np.array(values, dtype=dtype)
        except (TypeError, ValueError) as error:
            raise DataError(f"{self.symbol}: column {name!r} holds something that is not a number: {error}") from error
        if column.shape != (length,):
            raise DataError(
                f"{self.symbol}: column {name!r} has shape {column.shape}; every column must be one-dimensional and "
                f"as long as 'ts' ({length})"
            )
        column.flags.writeable = False
        return column

    def _refuse(self, name: str, bad: NDArray[np.bool_], why: str) -> None:
        rows = np.flatnonzero(bad)
        if len(rows):
            row = int(rows[0])
            raise DataError(
                f"{self.symbol}: {name} of tick {row} ({moment(int(self.ts[row]))}) {why}; {len(rows)} such ticks",
                column=name,
                row=row,
            )

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        return self.instrument.symbol

    def __len__(self) -> int:
        return len(self.ts)

    def to_bars(self, timeframe: str | Timeframe) -> Bars:
        """Make time bars; those without a trade are left out.

        Returns
        -------
        Bars

        Raises
        ------
        DataError
            There are no ticks, or the timeframe is unknown.
        """
        if not len(self):
            raise DataError(f"{self.symbol}: there are no ticks to make bars of")
        frame = Timeframe.parse(timeframe)
        grid, first = np.unique(self.ts - (self.ts - frame.anchor_ms) % frame.ms, return_index=True)
        return Bars(
            instrument=self.instrument,
            timeframe=frame,
            ts=grid,
            open=self.price[first],
            high=np.maximum.reduceat(self.price, first),
            low=np.minimum.reduceat(self.price, first),
            close=self.price[np.append(first[1:], len(self.ts)) - 1],
            volume=np.add.reduceat(self.quantity, first),
            provenance={"source": "ticks"},
        )

    def __repr__(self) -> str:
        if not len(self):
            return f"<Ticks {self.symbol}: none>"
        return f"<Ticks {self.symbol}: {len(self)} from {moment(int(self.ts[0]))} to {moment(int(self.ts[-1]))} UTC>"
