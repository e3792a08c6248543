"""Exponential averages of exponential averages, which take back their own lag."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._array import Floats, Line
from workbench.indicators.averages import _beyond_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.moving import _smooth_nb

__all__ = ["DEMA", "T3", "TEMA", "ZLEMA", "dema", "t3", "tema", "zlema"]


@kernel
def _triple_nb(one: Floats, two: Floats, three: Floats, start: int, out: Floats) -> None:
    """Write three times what two averages differ by, beyond the third."""
    for i in range(start, len(one)):
        out[i] = three[i] + 3.0 * (one[i] - two[i])


@kernel
def _ahead_nb(values: Floats, lag: int, start: int, state: Floats, out: Floats) -> None:
    """Write each value moved on by its change over `lag` values; `state`, shape (1,), counts values without a gap."""
    seen = int(state[0])
    for i in range(start, len(values)):
        seen = seen + 1 if values[i] - values[i] == 0.0 else 0
        out[i] = values[i] + (values[i] - values[i - lag]) if seen > lag else np.nan
    state[0] = seen


@kernel
def _tilson_nb(lines: tuple[Floats, Floats, Floats, Floats], volume: float, start: int, out: Floats) -> None:
    """Write Tilson's mix of the third to the sixth exponential mean, as steps from the sixth."""
    three, four, five, six = lines
    a, b = volume * volume, volume * volume * volume
    of_five, of_four, of_three = 3.0 * a + 3.0 * b, -6.0 * a - 3.0 * volume - 3.0 * b, 1.0 + 3.0 * volume + b + 3.0 * a
    for i in range(start, len(six)):
        base = six[i]
        out[i] = base + of_five * (five[i] - base) + of_four * (four[i] - base) + of_three * (three[i] - base)


def dema(values: ArrayLike, length: int = 20) -> Line:
    """Double exponential average: an `ema` moved on by what its own `ema` lags behind it.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars of each average.

    Returns
    -------
    float64 array or Series (`dema_20`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    `2 * ema - ema(ema)`, each seeded as in `ema`, as TA-Lib does. First value at index `2 * (length - 1)`. A missing
    value ends it: the next one comes after a new warm-up. A flat series gives exactly its value.

    Examples
    --------
    >>> dema([1.0, 2.0, 3.0, 7.0], 2)[2:].round(4)
    array([3.    , 6.6667])
    """
    return DEMA(values, length)


def tema(values: ArrayLike, length: int = 20) -> Line:
    """Triple exponential average: an `ema` corrected twice for its lag.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars of each average.

    Returns
    -------
    float64 array or Series (`tema_20`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    `3 * ema - 3 * ema(ema) + ema(ema(ema))`, each seeded as in `ema`, as TA-Lib does. First value at index `3 *
    (length - 1)`. A missing value ends it: the next one comes after a new warm-up. A flat series gives exactly its
    value.

    Examples
    --------
    >>> tema([1.0, 2.0, 3.0, 4.0], 2).round(9)
    array([nan, nan, nan,  4.])
    """
    return TEMA(values, length)


def t3(values: ArrayLike, length: int = 5, volume: float = 0.7) -> Line:
    """Tillson's T3: a sixfold exponential average with the lag taken back by a volume factor.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 5
        Bars of each average.
    volume : float, default 0.7
        How much of the lag is taken back; near 0 it is the threefold average.

    Returns
    -------
    float64 array or Series (`t3_5_0.7`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1, or `volume` not a finite number above 0.

    Notes
    -----
    A mix of the third to the sixth `ema` of each other, as TA-Lib does. First value at index `6 * (length - 1)`. A
    missing value ends it: the next one comes after a new warm-up. A flat series gives exactly its value. The source
    is Tim Tillson, Smoothing Techniques for More Accurate Signals, Stocks & Commodities (1998).

    Examples
    --------
    >>> t3([1.0, 2.0, 4.0], 1)
    array([1., 2., 4.])
    """
    return T3(values, length, volume)


def zlema(values: ArrayLike, length: int = 20) -> Line:
    """Zero-lag exponential average: an `ema` of values moved on by their own recent change.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars of the average; the change is over `(length - 1) / 2` bars, rounded down.

    Returns
    -------
    float64 array or Series (`zlema_20`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    `ema` of `2 * values[i] - values[i - lag]`. First value at index `length - 1 + lag`. A missing value ends it: the
    next one comes after a new warm-up. A flat series gives exactly its value. TA-Lib has none. The source is John
    Ehlers and Ric Way, Zero Lag (2010), in the form with a lagged difference that charts use.

    Examples
    --------
    >>> zlema([1.0, 2.0, 3.0, 4.0], 3)
    array([nan, nan, nan,  4.])
    """
    return ZLEMA(values, length)


def _ema_line(rows: Rows, values: Floats, length: int, out: Floats) -> Floats:
    _smooth_nb(frozen(values), length, 2.0 / (length + 1.0), rows.start, rows.state(2), out)
    return frozen(out)


def _dema_rows(rows: Rows, length: int) -> None:
    one = _ema_line(rows, rows["values"], length, rows.line())
    two = _ema_line(rows, one, length, rows.line())
    _beyond_nb(one, two, rows.start, rows.out[0])


def _tema_rows(rows: Rows, length: int) -> None:
    one = _ema_line(rows, rows["values"], length, rows.line())
    two = _ema_line(rows, one, length, rows.line())
    three = _ema_line(rows, two, length, rows.line())
    _triple_nb(one, two, three, rows.start, rows.out[0])


def _t3_rows(rows: Rows, length: int, volume: float) -> None:
    lines = [rows["values"]]
    for _ in range(6):
        lines.append(_ema_line(rows, lines[-1], length, rows.line()))
    _tilson_nb((lines[3], lines[4], lines[5], lines[6]), volume, rows.start, rows.out[0])


def _zlema_rows(rows: Rows, length: int) -> None:
    moved = rows.line()
    _ahead_nb(rows["values"], (length - 1) // 2, rows.start, rows.state(1), moved)
    _ema_line(rows, moved, length, rows.out[0])


_MULLOY = "Patrick G. Mulloy, Smoothing Data with Faster Moving Averages, Stocks & Commodities (1994)"


DEMA = Indicator(
    function=dema, rows=_dema_rows, group="trend", first=lambda length: (2 * length - 2,),
    bounds={"length": (2, 400)}, source=_MULLOY,
)  # fmt: skip


TEMA = Indicator(
    function=tema, rows=_tema_rows, group="trend", first=lambda length: (3 * length - 3,),
    bounds={"length": (2, 400)}, source=_MULLOY,
)  # fmt: skip


T3 = Indicator(
    function=t3, rows=_t3_rows, group="trend", first=lambda length, _volume: (6 * length - 6,),
    bounds={"length": (2, 100), "volume": (0.1, 1.0)},
    source="Tim Tillson, Smoothing Techniques for More Accurate Signals, Stocks & Commodities (1998)",
)  # fmt: skip


ZLEMA = Indicator(
    function=zlema, rows=_zlema_rows, group="trend", first=lambda length: (length - 1 + (length - 1) // 2,),
    bounds={"length": (2, 400)}, source="John Ehlers and Ric Way, Zero Lag (2010)",
)  # fmt: skip
