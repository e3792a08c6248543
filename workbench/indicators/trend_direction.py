"""Wilder's directional movement in parts: the movement itself, its index, and the rating of that."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._arithmetic import smooth
from workbench.indicators._array import Floats, Line
from workbench.indicators.extremes import _poison_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.momentum import _adx_nb
from workbench.indicators.trend_channels import _halfway_nb, late

__all__ = ["ADXR", "DIRECTIONAL_MOVEMENT", "DX", "DirectionalMovement", "adxr", "directional_movement", "dx"]

_WILDER = "J. Welles Wilder, New Concepts in Technical Trading Systems (1978), chapter IV"


class DirectionalMovement(NamedTuple):
    """What `directional_movement` gives: two lines of shape (n,), in the unit of the price."""

    plus: Line
    minus: Line


@kernel
def _movement_nb(high: Floats, low: Floats, start: int, out: tuple[Floats, Floats]) -> None:
    """Write how far each bar reached beyond the one before, on the side where it reached further."""
    plus, minus = out
    for i in range(start, len(high)):
        plus[i] = minus[i] = np.nan
        if i == 0:
            continue
        poison = _poison_nb(high[i], low[i], high[i - 1]) + (low[i - 1] - low[i - 1])
        if poison == 0.0:
            up, down = high[i] - high[i - 1], low[i - 1] - low[i]
            plus[i] = up if up > down and up > 0.0 else 0.0
            minus[i] = down if down > up and down > 0.0 else 0.0


@kernel
def _direction_nb(plus: Floats, minus: Floats, start: int, out: Floats) -> None:
    """Write the difference of two lines over their sum, in percent without sign; 0 where both are."""
    for i in range(start, len(plus)):
        total = plus[i] + minus[i]
        out[i] = 100.0 * (abs(plus[i] - minus[i]) / total) if total != 0.0 else 0.0


def directional_movement(high: ArrayLike, low: ArrayLike, length: int = 14) -> DirectionalMovement:
    """Directional movement: how far bars reach beyond the ones before them, upwards and downwards, smoothed.

    Parameters
    ----------
    high, low : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars of Wilder's smoothing; 1 gives the movement of each bar.

    Returns
    -------
    DirectionalMovement
        `plus`, `minus`: float64 arrays or Series (`directional_movement_plus_14`), shape (n,), in the unit of the
        price.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    Of each bar the greater of `high - high before` and `low before - low` counts, if it is above 0, the other side is
    0; both are 0 when they are equal. The mean, not the sum, as everything that `wilder` smooths here: `length` times
    it is TA-Lib's. First values at index `length`. A bar with a missing value ends them: the next ones come after a new
    warm-up. A flat series gives 0. The source is Wilder, New Concepts (1978), chapter IV.

    Examples
    --------
    >>> moves = directional_movement(high=[2.0, 4.0, 3.0], low=[1.0, 2.0, 1.0], length=1)
    >>> moves.plus, moves.minus
    (array([nan,  2.,  0.]), array([nan,  0.,  1.]))
    """
    moves: DirectionalMovement = DIRECTIONAL_MOVEMENT(high, low, length)
    return moves


def dx(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 14) -> Line:
    """Directional index: how one-sided the directional movement is, from 0 to 100; `adx` is its average.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars of Wilder's smoothing.

    Returns
    -------
    float64 array or Series (`dx_14`), shape (n,)

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    `100 * abs(plus_di - minus_di) / (plus_di + minus_di)`, of the lines of `adx`. First value at index `length`. A bar
    with a missing value ends it: the next one comes after a new warm-up. Without any direction it is 0, so a flat
    series gives 0. TA-Lib seeds with one bar less, and agrees to 1e-9 after about `30 * length` bars. The source is
    Wilder, New Concepts (1978), chapter IV.

    Examples
    --------
    >>> dx(high=[2.0, 3.0, 4.0], low=[1.0, 2.0, 3.0], close=[2.0, 3.0, 4.0], length=1)
    array([ nan, 100., 100.])
    """
    return DX(high, low, close, length)


def adxr(high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 14) -> Line:
    """Directional movement rating: the mean of the `adx` of now and that of `length - 1` bars ago, from 0 to 100.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars of Wilder's smoothing, and one more than those between the two.

    Returns
    -------
    float64 array or Series (`adxr_14`), shape (n,)

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        A length is not a whole number of at least 1, or a factor not a finite number above 0.

    Notes
    -----
    First value at index `3 * length - 2`. A bar with a missing value ends it: the next one comes after a new warm-up.
    A flat series gives 0. Wilder's worksheet compares bars that are `length` apart, both counted, as TA-Lib does;
    TA-Lib seeds with one bar less, as in `adx`. The source is Wilder, New Concepts (1978), chapter IV.

    Examples
    --------
    >>> adxr(high=[2.0, 3.0, 4.0, 4.0], low=[1.0, 2.0, 3.0, 3.0], close=[2.0, 3.0, 4.0, 4.0], length=1)
    array([ nan, 100., 100.,   0.])
    """
    return ADXR(high, low, close, length)


def _strength(rows: Rows, length: int) -> tuple[Floats, Floats, Floats]:
    lines = rows.line(), rows.line(), rows.line()
    _adx_nb((rows["high"], rows["low"], rows["close"]), length, rows.start, rows.state(5), lines)
    return lines


def _directional_movement_rows(rows: Rows, length: int) -> None:
    plus, minus = rows.line(), rows.line()
    _movement_nb(rows["high"], rows["low"], rows.start, (plus, minus))
    smooth(rows, plus, length, rows.out[0], wilder=True)
    smooth(rows, minus, length, rows.out[1], wilder=True)


def _dx_rows(rows: Rows, length: int) -> None:
    _, plus, minus = _strength(rows, length)
    _direction_nb(frozen(plus), frozen(minus), rows.start, rows.out[0])


def _adxr_rows(rows: Rows, length: int) -> None:
    now, _, _ = _strength(rows, length)
    _halfway_nb(frozen(now), frozen(late(rows, now, length - 1)), rows.start, rows.out[0])


DIRECTIONAL_MOVEMENT = Indicator(
    function=directional_movement, rows=_directional_movement_rows, group="trend", lines=DirectionalMovement,
    first=lambda length: (length, length), bounds={"length": (1, 200)}, unit="other", source=_WILDER,
)  # fmt: skip
DX = Indicator(
    function=dx, rows=_dx_rows, group="trend", first=lambda length: (length,), bounds={"length": (2, 200)},
    unit="percent", source=_WILDER,
)  # fmt: skip
ADXR = Indicator(
    function=adxr, rows=_adxr_rows, group="trend", first=lambda length: (3 * length - 2,), bounds={"length": (2, 200)},
    unit="percent", source=_WILDER,
)  # fmt: skip
