"""Labels: what became of a position that was decided on the close of each bar, and how far ahead that looks.

`end` is the last bar that a label looks at. Whatever trains on labels has to keep that stretch apart from what it is
tested on; `research.validation` does, given `end`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import frozen
from workbench.errors import ConfigError, DataError
from workbench.market.bars import Bars

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Labels", "fixed_horizon", "triple_barrier"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Labels:
    """One label a bar.

    Parameters
    ----------
    bars : Bars, n rows
    name : str
        What they are, in words.
    y : int64 array, shape (n,)
        The class. 1 is what a strategy hopes for.
    gain : float64 array, shape (n,)
        Return of the position before costs, a fraction; NaN where it is not known.
    end : int64 array, shape (n,)
        The last bar that the label looks at.
    known : bool array, shape (n,)
        False where the bars end before the label is decided.
    """

    bars: Bars = field(repr=False)
    name: str
    y: NDArray[np.int64] = field(repr=False)
    gain: Floats = field(repr=False)
    end: NDArray[np.int64] = field(repr=False)
    known: NDArray[np.bool_] = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("y", "gain", "end", "known"):
            column = getattr(self, name)
            if column.shape != (len(self.bars),):
                raise DataError(f"labels: {name} has shape {column.shape} for {len(self.bars)} bars; give one a bar")
            column.flags.writeable = False
        if (self.end < np.arange(len(self.bars))).any():
            raise DataError("labels: end must be the number of the last bar that a label looks at: its own or a later")

    @property
    def counts(self) -> Mapping[int, int]:
        """How many known labels there are of each class."""
        classes, counts = np.unique(self.y[self.known], return_counts=True)
        return dict(zip(classes.tolist(), counts.tolist(), strict=True))

    def winners(self) -> Labels:
        """Give two classes in place of these: 1 where the position gained, else 0."""
        y = (np.nan_to_num(self.gain) > 0.0).astype(np.int64)
        return Labels(bars=self.bars, name=f"{self.name}, gained or not", y=y, gain=self.gain, end=self.end,
                      known=self.known)  # fmt: skip

    def to_pandas(self) -> pd.DataFrame:
        """Give the known labels: `label`, `gain`, `end` (open of the last bar that it looks at, UTC)."""
        import pandas as pd

        times = pd.DatetimeIndex(self.bars.ts.astype("datetime64[ms]"), tz="UTC", name="ts")
        frame = pd.DataFrame({"label": self.y, "gain": self.gain, "end": times[self.end]}, index=times)
        return frame[self.known]

    def __len__(self) -> int:
        return len(self.y)

    def __repr__(self) -> str:
        shares = ", ".join(f"{count:,} of {label}" for label, count in self.counts.items())
        return f"<Labels {self.name}: {shares or 'none known'}>"


def fixed_horizon(
    bars: Bars, ahead: int, *, threshold: float | None = None, entry: Literal["next_open", "close"] = "next_open"
) -> Labels:
    """Label each bar by the return over the bars after it.

    Parameters
    ----------
    bars : Bars, n rows
    ahead : int
        Bars that the position is held.
    threshold : float, optional
        Three classes when given: 1 above it, -1 below minus it, else 0. Two when left out: 1 above zero, else 0.
    entry : {"next_open", "close"}
        In and out at opens, from the next one on, as a backtest trades; or at closes, from the bar's own on.

    Returns
    -------
    Labels

    Raises
    ------
    ConfigError
        An argument is out of range.

    Examples
    --------
    >>> import workbench as wb
    >>> price = dict.fromkeys(("open", "high", "low", "close"), np.array([1.0, 2.0, 4.0, 3.0]))
    >>> bars = wb.Bars(instrument=wb.Instrument(symbol="X"), timeframe="1d", volume=np.ones(4),
    ...                ts=np.arange(4) * 86_400_000, **price)
    >>> fixed_horizon(bars, 1).gain
    array([ 1.  , -0.25,   nan,   nan])
    """
    _check_bars(bars)
    _check_count("ahead", ahead)
    if threshold is not None and not (_is_number(threshold) and 0.0 <= threshold < np.inf):
        raise ConfigError(f"threshold = {threshold!r}: give a fraction of at least 0 (0.01 is one percent), or None")
    if entry not in ("next_open", "close"):
        raise ConfigError(f"entry {entry!r} is not one of 'next_open', 'close'")
    n, wait = len(bars), int(entry == "next_open")
    price = bars.open if wait else bars.close
    gain = np.full(n, np.nan)
    last = max(n - ahead - wait, 0)
    gain[:last] = price[wait + ahead : wait + ahead + last] / price[wait : wait + last] - 1.0
    known = np.isfinite(gain)
    with np.errstate(invalid="ignore"):
        up = gain > (threshold or 0.0)
        y = up.astype(np.int64) - (0 if threshold is None else (gain < -threshold).astype(np.int64))
    end = np.minimum(np.arange(n) + ahead + wait, max(n - 1, 0))
    return Labels(bars=bars, name=f"return over {ahead} bars", y=y, gain=gain, end=end, known=known)


def triple_barrier(
    bars: Bars,
    *,
    limit: int,
    profit: float | None = None,
    stop: float | None = None,
    volatility: Any = None,
    short: bool = False,
) -> Labels:
    """Label each bar by what a position meets first: a target (1), a stop (-1), or a time limit (0).

    Parameters
    ----------
    bars : Bars, n rows
    limit : int
        Bars that the position is held at most.
    profit, stop : float, optional
        Distances from the entry price: fractions, or multiples of `volatility`. None for no such barrier.
    volatility : float array_like, shape (n,), optional
        What one bar moves, a fraction, as known at its close. Where it is NaN there is no label.
    short : bool, default False
        Label short positions in place of long ones.

    Returns
    -------
    Labels

    Raises
    ------
    ConfigError
        A barrier is out of range, or there is neither target nor stop.
    DataError
        `volatility` does not have one number a bar.

    Notes
    -----
    Positions are opened at the next open and closed as a backtest does it with `Signals.triple_barrier`: a bar that
    meets stop and target counts as the stop; one that opens beyond a barrier closes at its open; after `limit` bars it
    is closed at the next open. M. López de Prado, Advances in Financial Machine Learning (2018), section 3.4.
    """
    _check_bars(bars)
    _check_count("limit", limit)
    if profit is None and stop is None:
        raise ConfigError("triple_barrier: give profit=, stop= or both; with neither it is fixed_horizon(bars, ahead)")
    unit = np.ones(len(bars)) if volatility is None else _one_a_bar("volatility", volatility, len(bars))
    for name, value in (("profit", profit), ("stop", stop)):
        if value is not None and not (_is_number(value) and 0.0 < value < np.inf):
            raise ConfigError(f"{name} = {value!r}: give a number above 0, or None for no such barrier")
    _check_below_one("profit" if short else "stop", profit if short else stop, unit)
    distances = [frozen(np.full(len(bars), np.nan) if one is None else one * unit) for one in (profit, stop)]
    from workbench.research.learning.barriers import barriers_nb

    prices = (frozen(bars.open), frozen(bars.high), frozen(bars.low))
    touched, end, gain = barriers_nb(prices, distances[0], distances[1], limit, -1 if short else 1)
    known = (touched > -2) & np.isfinite(unit) & (unit > 0.0)
    y = np.where(known, touched, 0).astype(np.int64)
    what = f"{profit or 'no'} target, {stop or 'no'} stop, {limit} bars{', short' if short else ''}"
    return Labels(bars=bars, name=f"triple barrier ({what})", y=y, gain=np.where(known, gain, np.nan), end=end,
                  known=known)  # fmt: skip


def _check_below_one(name: str, value: float | None, unit: Floats) -> None:
    """A price falls by less than everything."""
    if value is not None and (value * unit[np.isfinite(unit)] >= 1.0).any():
        raise ConfigError(
            f"{name} = {value!r} puts a barrier at or below a price of zero; 0.05 is five percent (with volatility=, a "
            "multiple of it)"
        )


def _one_a_bar(name: str, given: Any, count: int) -> Floats:
    try:
        found = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} are not numbers: {error}") from error
    if found.shape != (count,):
        raise DataError(f"{name} has shape {found.shape} for {count} bars; give one number a bar")
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _check_bars(bars: Any) -> None:
    if not isinstance(bars, Bars):
        raise DataError(f"labels are made of Bars, such as wb.read('BTC/USDT', '1h'); not of {type(bars).__name__}")


def _check_count(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ConfigError(f"{name} = {value!r}: give a whole number of bars, at least 1")
