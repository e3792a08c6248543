"""`Signals`: what a signal strategy says about each bar, checked when made."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.errors import StrategyError
from workbench.market.bars import moment

__all__ = ["HELD_BACK", "OBSERVER", "Signals", "SizeUnit", "checked_ladder", "checked_limit"]

SizeUnit = Literal["fraction", "quantity", "cash", "risk"]
OBSERVER: Final[ContextVar[Callable[[], None] | None]] = ContextVar("OBSERVER", default=None)
"""Who hears that signals are being made in this context (`research.check`)."""

HELD_BACK: Final[ContextVar[bool]] = ContextVar("HELD_BACK", default=False)
"""Whether signals made in this context are kept as they were given, unchecked: they stand for columns that are not
computed yet (`research.sweeping`)."""

_SIDES: Final = ("entry", "exit", "short_entry", "short_exit")
_STOPS: Final = ("stop_loss", "take_profit", "trailing_stop", "trailing_activation", "stop_price")
_BELOW_ONE: Final = ("stop_loss", "trailing_stop")
_FOR_ALL: Final = ("size_unit", "roi", "max_bars")


@dataclass(frozen=True, eq=False, kw_only=True)
class Signals:
    """Decisions per bar, each made on that bar's close and traded at the first price after it.

    Parameters
    ----------
    entry, exit : bool array_like, shape (n,)
        Go long; leave a long position. numpy arrays, lists of bool or pandas Series.
    short_entry, short_exit : bool array_like, shape (n,), optional
        Go short; leave a short position.
    size : float or float array_like, shape (n,), optional
        How much to trade on an entry at that bar; the whole equity when left out.
    size_unit : {"fraction", "quantity", "cash", "risk"}
        What `size` is: a fraction of equity (margin and entry fee together), units of the base asset or contracts, an
        amount of the quote currency, or the fraction of equity that is lost between the entry and its stop.
    stop_loss, take_profit, trailing_stop : float or float array_like, shape (n,), optional
        Distance as a fraction of the entry price (of the best price since entry for the trailing stop), as of the bar
        that decides the entry. NaN or None is none.
    trailing_activation : float or float array_like, shape (n,), optional
        Gain over the entry price, a fraction, from which on the trailing stop is there; from the start when left out.
    stop_price : float or float array_like, shape (n,), optional
        A stop at a price, per bar: of the bar that decides the entry, then of each bar that closes while the position
        is held. It only moves towards profit; NaN leaves it where it is.
    roi : mapping of minutes to fraction, optional
        A target that changes with time: from so many minutes after the entry on, the gain at which to leave;
        `{0: 0.04, 60: 0.01}` leaves at 4 %, after an hour at 1 %.
    max_bars : int, optional
        Bars that a position is held at most.

    Raises
    ------
    StrategyError
        An array is not one-dimensional, not bool, not as long as the others, or a number is out of range.

    See Also
    --------
    Signals.triple_barrier : A target, a stop and a time limit at once.

    Notes
    -----
    Signals that contradict each other on one bar cancel out: entry with exit, short_entry with short_exit, entry with
    short_entry. An entry against an open position reverses it; an entry along with it does nothing.

    `ts` is what the DatetimeIndex of the Series says (int64 ms UTC; without a timezone UTC is meant), None where there
    was none. A backtest refuses signals of other times than its bars.

    Examples
    --------
    >>> Signals(entry=[True, False, False], exit=[False, False, True])
    <Signals 3 bars: 1 entry, 1 exit>
    """

    entry: Any
    exit: Any = None
    short_entry: Any = None
    short_exit: Any = None
    size: Any = None
    size_unit: SizeUnit = "fraction"
    stop_loss: Any = None
    take_profit: Any = None
    trailing_stop: Any = None
    trailing_activation: Any = None
    stop_price: Any = None
    roi: Mapping[float, float] | None = None
    max_bars: int | None = None
    ts: NDArray[np.int64] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if HELD_BACK.get():
            return
        observer = OBSERVER.get()
        if observer is not None:
            observer()
        object.__setattr__(
            self, "ts", _common_times({name: getattr(self, name) for name in (*_SIDES, "size", *_STOPS)})
        )
        length = len(_one_dimensional("entry", self.entry))
        for name in _SIDES:
            object.__setattr__(self, name, _flags(name, getattr(self, name), length))
        if self.size_unit not in get_args(SizeUnit):
            raise StrategyError(f"Signals: size_unit {self.size_unit!r} is not one of {', '.join(get_args(SizeUnit))}")
        object.__setattr__(self, "size", _numbers("size", self.size, length, default=1.0))
        for name in _STOPS:
            object.__setattr__(self, name, _numbers(name, getattr(self, name), length, default=np.nan))
        object.__setattr__(self, "roi", checked_ladder("Signals", self.roi))
        object.__setattr__(self, "max_bars", checked_limit("Signals", self.max_bars))
        self._check_ranges()

    def _check_ranges(self) -> None:
        at_entries = self.entry | self.short_entry
        size = self.size[at_entries] if len(self.size) > 1 else self.size
        if not np.all(np.isfinite(size) & (size > 0)):
            raise StrategyError("Signals: size must be a finite number above zero on every bar with an entry")
        if self.size_unit in ("fraction", "risk") and np.any(size > 1):
            raise StrategyError(
                f"Signals: size {float(size.max())!r} is more than the whole equity; a fraction is at most 1.0 "
                "(size_unit='quantity' or 'cash' for other units)"
            )
        for name in _STOPS:
            values = getattr(self, name)
            wrong = (values <= 0) | (values >= (1.0 if name in _BELOW_ONE else np.inf))
            if not wrong.any():
                continue
            what = f"a fraction above 0{' and below 1' if name in _BELOW_ONE else ''} (0.05 is five percent)"
            what = "a finite price above 0" if name == "stop_price" else what
            raise StrategyError(
                f"Signals: {name} must be {what} or NaN for none; found {float(values[wrong][0])!r}", field=name
            )

    def __len__(self) -> int:
        return len(self.entry)

    def after(self, warm_up: int) -> Signals:
        """Give the same signals with none in the first `warm_up` bars."""
        if warm_up <= 0:
            return self
        late = np.arange(len(self)) >= warm_up
        return self.replace(**{name: getattr(self, name) & late for name in _SIDES})

    def where(self, allowed: Any, *, leave: bool = False) -> Signals:
        """Give the same signals with entries only where they are allowed, such as `membership.mask(bars)`.

        Parameters
        ----------
        allowed : bool array_like, shape (n,)
        leave : bool, default False
            Also leave a position on the first bar where it is not allowed; else exits stay as they are.

        Returns
        -------
        Signals

        Examples
        --------
        >>> Signals(entry=[True, True, False], exit=[False, False, True]).where([True, False, True])
        <Signals 3 bars: 1 entry, 1 exit>
        """
        mask = _flags("allowed", allowed, len(self))
        entries = {name: getattr(self, name) & mask for name in ("entry", "short_entry")}
        exits = {name: getattr(self, name) | ~mask for name in ("exit", "short_exit")} if leave else {}
        return self.replace(**entries, **exits)

    def replace(self, **changes: Any) -> Signals:
        """Give the same signals with some fields changed."""
        if HELD_BACK.get():
            return dataclasses.replace(self, **changes)
        said = {name: getattr(self, name) for name in (*_SIDES, *_FOR_ALL)}
        numbers = {name: getattr(self, name) for name in ("size", *_STOPS)}
        one_for_all = {name: value.item() if len(value) == 1 else value for name, value in numbers.items()}
        changed = Signals(**{**said, **one_for_all, **changes})
        object.__setattr__(changed, "ts", self.ts if changed.ts is None else changed.ts)
        return changed

    def triple_barrier(self, *, up: Any = None, down: Any = None, bars: int | None = None) -> Signals:
        """Give the same entries with three ways out: a target above, a stop below, and a time limit.

        Parameters
        ----------
        up, down : float or float array_like, shape (n,), optional
            Distance of the target and of the stop as fractions of the entry price; for a short position the other way
            round. Multiples of a volatility make barriers that widen with it.
        bars : int, optional
            Bars that a position is held at most.

        Returns
        -------
        Signals
            Barriers that are left out stay as they are.

        Raises
        ------
        StrategyError
            A barrier is out of range.

        Notes
        -----
        The triple-barrier method of M. López de Prado, Advances in Financial Machine Learning (2018), section 3.4.

        Examples
        --------
        >>> signals = Signals(entry=[True, False, False]).triple_barrier(up=0.04, down=0.02, bars=24)
        >>> signals.take_profit, signals.stop_loss, signals.max_bars
        (array([0.04]), array([0.02]), 24)
        """
        given = {"take_profit": up, "stop_loss": down, "max_bars": bars}
        return self.replace(**{name: value for name, value in given.items() if value is not None})

    def require_times(self, ts: NDArray[np.int64]) -> None:
        """Refuse to be used on bars of other times than these signals were made of.

        Parameters
        ----------
        ts : int64 array, shape (n,)
            Open times of the bars, ms UTC; as many as there are signals.

        Raises
        ------
        StrategyError
            The index of the Series that these signals came in has another time somewhere.
        """
        wrong = np.zeros(0, dtype=np.int64) if self.ts is None else np.flatnonzero(self.ts != ts)
        if self.ts is not None and len(wrong):
            row = int(wrong[0])
            raise StrategyError(
                f"signals are of other times than the bars: row {row} is {moment(self.ts[row])} in the Series and "
                f"{moment(ts[row])} UTC in the bars; make them of bars.to_pandas(), or .reindex them to its index",
                row=row,
            )

    def __repr__(self) -> str:
        counts = [f"{int(getattr(self, name).sum())} {name}" for name in _SIDES if getattr(self, name).any()]
        return f"<Signals {len(self)} bars: {', '.join(counts) or 'none'}>"


def checked_ladder(owner: str, roi: Any) -> dict[float, float] | None:
    """Take a ladder of minutes to fractions, by rising minutes; StrategyError for anything else, None for None."""
    if roi is None:
        return None
    if not isinstance(roi, Mapping) or not roi:
        raise StrategyError(
            f"{owner}: roi = {roi!r}; give minutes and the gain to leave at, such as {{0: 0.04, 60: 0.01}}"
        )
    for minutes, level in roi.items():
        sound = [isinstance(one, Real) and not isinstance(one, bool) and math.isfinite(one) for one in (minutes, level)]
        if not all(sound) or minutes < 0 or level <= -1:
            raise StrategyError(
                f"{owner}: roi has {minutes!r}: {level!r}; minutes are 0 or more, and the gain is a fraction above -1 "
                "(0.04 is four percent)"
            )
    return {float(minutes): float(roi[minutes]) for minutes in sorted(roi)}


def checked_limit(owner: str, bars: Any) -> int | None:
    """Take a number of bars; StrategyError for anything but a whole number of at least one, None for None."""
    if bars is None:
        return None
    if isinstance(bars, bool) or not isinstance(bars, Integral) or bars < 1:
        raise StrategyError(
            f"{owner}: max_bars = {bars!r}; give a whole number of bars, at least 1, or None for no limit"
        )
    return int(bars)


def _common_times(columns: dict[str, Any]) -> NDArray[np.int64] | None:
    """Give the times of the Series among the columns, which must agree; None without a Series that has times."""
    pandas = sys.modules.get("pandas")  # who has a Series has it
    if pandas is None or not hasattr(pandas, "DatetimeIndex"):  # also while another thread is importing it
        return None
    indexes = {name: getattr(values, "index", None) for name, values in columns.items()}
    timed = {name: index for name, index in indexes.items() if isinstance(index, pandas.DatetimeIndex)}
    first = next(iter(timed), "")
    for name, index in timed.items():
        if not index.equals(timed[first]):
            raise StrategyError(
                f"Signals: the Series {first} and {name} have different indexes; make both of the same bars", field=name
            )
    if not timed:
        return None
    index = timed[first] if timed[first].tz is None else timed[first].tz_convert("UTC").tz_localize(None)
    times: NDArray[np.int64] = index.to_numpy().astype("datetime64[ms]").astype(np.int64)
    return times


def _one_dimensional(name: str, values: Any) -> NDArray[Any]:
    try:
        array = values.to_numpy() if hasattr(values, "to_numpy") else np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise StrategyError(f"Signals: {name} is no column; give one value a bar, shape (n,)", field=name) from error
    if np.ma.is_masked(values):
        raise StrategyError(f"Signals: {name} has masked values; say what they mean, as in {name}.filled(False)")
    if array.ndim != 1:
        raise StrategyError(f"Signals: {name} has shape {array.shape}; give one value a bar, shape (n,)", field=name)
    return array


def _flags(name: str, values: Any, length: int) -> NDArray[np.bool_]:
    array = np.zeros(length, dtype=bool) if values is None else _one_dimensional(name, values)
    if array.dtype != np.bool_ and length:
        raise StrategyError(
            f"Signals: {name} holds {array.dtype} values, not bool; compare to get True and False (as in fast > slow), "
            "or .fillna(False).astype(bool) after a shift",
            field=name,
            dtype=str(array.dtype),
        )
    return _frozen(name, array.astype(np.bool_), length)


def _numbers(name: str, values: Any, length: int, *, default: float) -> NDArray[np.float64]:
    """Give one number a bar, or an array of a single number that holds for all."""
    if values is None:
        values = default
    try:
        array = np.asarray(values.to_numpy() if hasattr(values, "to_numpy") else values, dtype=np.float64)
        array = np.where(np.ma.getmaskarray(values), np.nan, array) if np.ma.is_masked(values) else array
    except (TypeError, ValueError) as error:
        raise StrategyError(
            f"Signals: {name} = {values!r} is not a number or an array of numbers", field=name
        ) from error
    if array.ndim == 0:
        return _frozen(name, array.reshape(1).copy(), 1)
    return _frozen(name, array.copy(), length)


def _frozen(name: str, array: NDArray[Any], length: int) -> NDArray[Any]:
    if array.ndim != 1 or len(array) != length:
        raise StrategyError(
            f"Signals: {name} has shape {array.shape}, but entry has {length} bars; give one value a bar", field=name
        )
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array
