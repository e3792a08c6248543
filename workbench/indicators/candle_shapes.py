"""Candle patterns of a single candle; some of them look at where the candle before stood.

1.0 marks what is said to point up, -1.0 what is said to point down, 0.0 that there is no pattern. TA-Lib says 100 and
-100, and 0 also during the warm-up, where these say nothing (NaN). None of them asks for a trend before it.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from workbench._kernels import kernel
from workbench.indicators._array import Floats, Line
from workbench.indicators.candles import (
    BARE,
    BODY,
    NEAR,
    NEARBY,
    RANGE,
    Candles,
    _body_step_nb,
    _bottom_step_nb,
    _long_step_nb,
    _lower_step_nb,
    _no_lower_step_nb,
    _no_upper_step_nb,
    _top_step_nb,
    _upper_step_nb,
    _white_step_nb,
    pattern,
)

__all__ = [
    "BELT_HOLD",
    "HAMMER",
    "HANGING_MAN",
    "INVERTED_HAMMER",
    "MARUBOZU",
    "SHOOTING_STAR",
    "SPINNING_TOP",
    "belt_hold",
    "hammer",
    "hanging_man",
    "inverted_hammer",
    "marubozu",
    "shooting_star",
    "spinning_top",
]


@kernel
def _pin_step_nb(body: float, usual: float, long: float, none: float, hair: float) -> bool:
    """Tell whether a body is short, one shadow longer than it, and the other none."""
    return body < usual and long > body and none < hair


@kernel
def _belt_hold_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        white = _white_step_nb(c, i)
        found = _long_step_nb(c, i) and (_no_lower_step_nb(c, i) if white else _no_upper_step_nb(c, i))
        out[i] = (1.0 if white else -1.0) if found else 0.0


@kernel
def _hammer_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        placed = _bottom_step_nb(c, i) <= c.low[i - 1] + NEARBY * c.near[i - 1]
        pin = placed and _pin_step_nb(
            _body_step_nb(c, i), c.body[i], _lower_step_nb(c, i), _upper_step_nb(c, i), BARE * c.range[i]
        )
        out[i] = 1.0 if pin else 0.0


@kernel
def _hanging_man_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        placed = _bottom_step_nb(c, i) >= c.high[i - 1] - NEARBY * c.near[i - 1]
        pin = placed and _pin_step_nb(
            _body_step_nb(c, i), c.body[i], _lower_step_nb(c, i), _upper_step_nb(c, i), BARE * c.range[i]
        )
        out[i] = -1.0 if pin else 0.0


@kernel
def _inverted_hammer_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        placed = _top_step_nb(c, i) < _bottom_step_nb(c, i - 1)
        pin = placed and _pin_step_nb(
            _body_step_nb(c, i), c.body[i], _upper_step_nb(c, i), _lower_step_nb(c, i), BARE * c.range[i]
        )
        out[i] = 1.0 if pin else 0.0


@kernel
def _marubozu_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        found = _long_step_nb(c, i) and _no_upper_step_nb(c, i) and _no_lower_step_nb(c, i)
        out[i] = (1.0 if _white_step_nb(c, i) else -1.0) if found else 0.0


@kernel
def _shooting_star_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        placed = _bottom_step_nb(c, i) > _top_step_nb(c, i - 1)
        pin = placed and _pin_step_nb(
            _body_step_nb(c, i), c.body[i], _upper_step_nb(c, i), _lower_step_nb(c, i), BARE * c.range[i]
        )
        out[i] = -1.0 if pin else 0.0


@kernel
def _spinning_top_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        found = _body_step_nb(c, i) < c.body[i] and min(_upper_step_nb(c, i), _lower_step_nb(c, i)) > _body_step_nb(
            c, i
        )
        out[i] = (1.0 if _white_step_nb(c, i) else -1.0) if found else 0.0


def belt_hold(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Long candle that opens at its extreme, the belt hold.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`belt_hold`), shape (n,)
        1.0 for a white one that opens at its low, -1.0 for a black one that opens at its high, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    A long body without a shadow on the side of the open. Equal to TA-Lib's CDLBELTHOLD, over 100. `candles` says what
    long, short and near are. First flag at index 10; a missing value starts the warm-up anew. The source is Nison,
    Japanese Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 10 * [9.0] + [9.0], 10 * [12.0] + [12.5]
    >>> low, close = 10 * [8.0] + [9.0], 10 * [11.0] + [12.0]
    >>> float(belt_hold(open, high, low, close)[-1])
    1.0
    """
    return BELT_HOLD(open, high, low, close)


def hammer(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Small body with a long shadow below, near or under the low before: the hammer.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`hammer`), shape (n,)
        1.0 for a hammer, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    A short body, a lower shadow longer than it, no upper shadow, and the lower end of the body at most near above the
    low of the candle before. What fell before is the trader's to see: the pattern does not look. Equal to TA-Lib's
    CDLHAMMER, over 100. `candles` says what long, short and near are. First flag at index 11; a missing value starts
    the warm-up anew. The source is Nison, Japanese Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 11 * [9.0] + [8.0], 11 * [12.0] + [8.5]
    >>> low, close = 11 * [8.0] + [6.0], 11 * [11.0] + [8.5]
    >>> float(hammer(open, high, low, close)[-1])
    1.0
    """
    return HAMMER(open, high, low, close)


def hanging_man(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Small body with a long shadow below, near or over the high before: the hanging man.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`hanging_man`), shape (n,)
        -1.0 for a hanging man, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    The shape of a `hammer`, with the lower end of the body at least near below the high of the candle before. Equal to
    TA-Lib's CDLHANGINGMAN, over 100. `candles` says what long, short and near are. First flag at index 11; a missing
    value starts the warm-up anew. The source is Nison, Japanese Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 11 * [9.0] + [11.5], 11 * [12.0] + [12.0]
    >>> low, close = 11 * [8.0] + [9.0], 11 * [11.0] + [12.0]
    >>> float(hanging_man(open, high, low, close)[-1])
    -1.0
    """
    return HANGING_MAN(open, high, low, close)


def inverted_hammer(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Small body with a long shadow above, gapping down: the inverted hammer.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`inverted_hammer`), shape (n,)
        1.0 for an inverted hammer, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    A short body wholly below the body of the candle before, an upper shadow longer than it, and no lower shadow. Equal
    to TA-Lib's CDLINVERTEDHAMMER, over 100. `candles` says what long, short and near are. First flag at index 11; a
    missing value starts the warm-up anew. The source is Nison, Japanese Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 11 * [9.0] + [8.0], 11 * [12.0] + [10.0]
    >>> low, close = 11 * [8.0] + [8.0], 11 * [11.0] + [8.5]
    >>> float(inverted_hammer(open, high, low, close)[-1])
    1.0
    """
    return INVERTED_HAMMER(open, high, low, close)


def marubozu(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Long candle without shadows, the marubozu.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`marubozu`), shape (n,)
        1.0 for a white one, -1.0 for a black one, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    A long body, and no shadow on either end. Equal to TA-Lib's CDLMARUBOZU, over 100. `candles` says what long, short
    and near are. First flag at index 10; a missing value starts the warm-up anew. The source is Nison, Japanese
    Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 10 * [9.0] + [9.0], 10 * [12.0] + [12.0]
    >>> low, close = 10 * [8.0] + [9.0], 10 * [11.0] + [12.0]
    >>> float(marubozu(open, high, low, close)[-1])
    1.0
    """
    return MARUBOZU(open, high, low, close)


def shooting_star(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Small body with a long shadow above, gapping up: the shooting star.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`shooting_star`), shape (n,)
        -1.0 for a shooting star, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    The shape of an `inverted_hammer`, wholly above the body of the candle before. Equal to TA-Lib's CDLSHOOTINGSTAR,
    over 100. `candles` says what long, short and near are. First flag at index 11; a missing value starts the warm-up
    anew. The source is Nison, Japanese Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 11 * [9.0] + [11.5], 11 * [12.0] + [14.0]
    >>> low, close = 11 * [8.0] + [11.5], 11 * [11.0] + [12.0]
    >>> float(shooting_star(open, high, low, close)[-1])
    -1.0
    """
    return SHOOTING_STAR(open, high, low, close)


def spinning_top(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Short body between two longer shadows, the spinning top.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`spinning_top`), shape (n,)
        1.0 for a white one, -1.0 for a black one, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    A short body, and both shadows longer than it. Equal to TA-Lib's CDLSPINNINGTOP, over 100. `candles` says what long,
    short and near are. First flag at index 10; a missing value starts the warm-up anew. The source is Nison, Japanese
    Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 10 * [9.0] + [10.0], 10 * [12.0] + [12.5]
    >>> low, close = 10 * [8.0] + [8.5], 10 * [11.0] + [11.0]
    >>> float(spinning_top(open, high, low, close)[-1])
    1.0
    """
    return SPINNING_TOP(open, high, low, close)


BELT_HOLD = pattern(belt_hold, _belt_hold_nb, means=(BODY, RANGE))
HAMMER = pattern(hammer, _hammer_nb, candles=2, means=(BODY, RANGE, NEAR))
HANGING_MAN = pattern(hanging_man, _hanging_man_nb, candles=2, means=(BODY, RANGE, NEAR))
INVERTED_HAMMER = pattern(inverted_hammer, _inverted_hammer_nb, candles=2, means=(BODY, RANGE))
MARUBOZU = pattern(marubozu, _marubozu_nb, means=(BODY, RANGE))
SHOOTING_STAR = pattern(shooting_star, _shooting_star_nb, candles=2, means=(BODY, RANGE))
SPINNING_TOP = pattern(spinning_top, _spinning_top_nb, means=(BODY,))
