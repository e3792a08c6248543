"""Candle patterns of three candles; `candle_shapes` says what the flags mean."""

from __future__ import annotations

from numpy.typing import ArrayLike

from workbench._kernels import kernel
from workbench.indicators._array import Floats, Line
from workbench.indicators.candles import (
    BODY,
    FAR,
    NEAR,
    NEARBY,
    RANGE,
    Candles,
    _body_step_nb,
    _bottom_step_nb,
    _long_step_nb,
    _no_lower_step_nb,
    _no_upper_step_nb,
    _top_step_nb,
    _white_step_nb,
    pattern,
)

__all__ = [
    "EVENING_STAR",
    "MORNING_STAR",
    "THREE_BLACK_CROWS",
    "THREE_INSIDE",
    "THREE_OUTSIDE",
    "THREE_WHITE_SOLDIERS",
    "evening_star",
    "morning_star",
    "three_black_crows",
    "three_inside",
    "three_outside",
    "three_white_soldiers",
]


@kernel
def _crow_step_nb(c: Candles, i: int) -> bool:
    """Tell whether a black candle opens in the body before, which is black too, and closes below it."""
    inside = c.close[i - 1] < c.open[i] < c.open[i - 1]
    return inside and c.close[i] < c.close[i - 1] and not _white_step_nb(c, i) and _no_lower_step_nb(c, i)


@kernel
def _soldier_step_nb(c: Candles, i: int) -> bool:
    """Tell whether a white candle opens in or near the body before, closes higher, and is not far shorter."""
    reach = c.close[i - 1] + NEARBY * c.near[i - 1]
    higher = c.close[i] > c.close[i - 1] and c.open[i - 1] < c.open[i] <= reach
    long = _body_step_nb(c, i) > _body_step_nb(c, i - 1) - FAR * c.near[i - 1]
    return higher and long and _white_step_nb(c, i) and _no_upper_step_nb(c, i)


@kernel
def _evening_star_nb(c: Candles, start: int, out: Floats, penetration: float) -> None:
    for i in range(start, len(out)):
        star = _long_step_nb(c, i - 2) and _white_step_nb(c, i - 2) and not _long_step_nb(c, i - 1)
        found = (
            star
            and _bottom_step_nb(c, i - 1) > _top_step_nb(c, i - 2)
            and _long_step_nb(c, i)
            and not _white_step_nb(c, i)
        )
        out[i] = -1.0 if found and c.close[i] < c.close[i - 2] - penetration * _body_step_nb(c, i - 2) else 0.0


@kernel
def _morning_star_nb(c: Candles, start: int, out: Floats, penetration: float) -> None:
    for i in range(start, len(out)):
        star = _long_step_nb(c, i - 2) and not _white_step_nb(c, i - 2) and not _long_step_nb(c, i - 1)
        found = (
            star and _top_step_nb(c, i - 1) < _bottom_step_nb(c, i - 2) and _long_step_nb(c, i) and _white_step_nb(c, i)
        )
        out[i] = 1.0 if found and c.close[i] > c.close[i - 2] + penetration * _body_step_nb(c, i - 2) else 0.0


@kernel
def _three_black_crows_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        first = not _white_step_nb(c, i - 2) and _no_lower_step_nb(c, i - 2)
        found = first and _white_step_nb(c, i - 3) and c.high[i - 3] > c.close[i - 2]
        out[i] = -1.0 if found and _crow_step_nb(c, i - 1) and _crow_step_nb(c, i) else 0.0


@kernel
def _three_inside_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        white = _white_step_nb(c, i)
        inside = _top_step_nb(c, i - 1) < _top_step_nb(c, i - 2) and _bottom_step_nb(c, i - 1) > _bottom_step_nb(
            c, i - 2
        )
        found = inside and _long_step_nb(c, i - 2) and not _long_step_nb(c, i - 1) and white != _white_step_nb(c, i - 2)
        beyond = c.close[i] > c.open[i - 2] if white else c.close[i] < c.open[i - 2]
        out[i] = (1.0 if white else -1.0) if found and beyond else 0.0


@kernel
def _three_outside_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        white = _white_step_nb(c, i - 1)
        holds = _top_step_nb(c, i - 1) > _top_step_nb(c, i - 2) and _bottom_step_nb(c, i - 1) < _bottom_step_nb(
            c, i - 2
        )
        further = c.close[i] > c.close[i - 1] if white else c.close[i] < c.close[i - 1]
        found = holds and further and white != _white_step_nb(c, i - 2)
        out[i] = (1.0 if white else -1.0) if found else 0.0


@kernel
def _three_white_soldiers_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        found = _white_step_nb(c, i - 2) and _no_upper_step_nb(c, i - 2) and _long_step_nb(c, i)
        out[i] = 1.0 if found and _soldier_step_nb(c, i - 1) and _soldier_step_nb(c, i) else 0.0


def evening_star(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike, penetration: float = 0.3) -> Line:
    """Long white candle, a small body above it, and a black candle back down: the evening star.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)
    penetration : float, default 0.3
        How deep the last candle closes into the body of the first, as a share of it.

    Returns
    -------
    float64 array or Series (`evening_star`), shape (n,)
        -1.0 for the pattern, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `penetration` is not a finite number above 0.

    Notes
    -----
    The small body gaps up from the white one; the last body is not short and closes into the white one by more than
    `penetration` of it. Equal to TA-Lib's CDLEVENINGSTAR, over 100. `candles` says what long, short and near are.
    First flag at index 12; a missing value starts the warm-up anew. The source is Nison, Japanese Candlestick Charting
    Techniques (1991).

    Examples
    --------
    >>> open, high = 10 * [9.0] + [9.0, 13.0, 13.0], 10 * [12.0] + [12.0, 14.0, 13.0]
    >>> low, close = 10 * [8.0] + [9.0, 12.5, 9.0], 10 * [11.0] + [12.0, 13.5, 10.0]
    >>> float(evening_star(open, high, low, close)[-1])
    -1.0
    """
    return EVENING_STAR(open, high, low, close, penetration)


def morning_star(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike, penetration: float = 0.3) -> Line:
    """Long black candle, a small body below it, and a white candle back up: the morning star.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)
    penetration : float, default 0.3
        How deep the last candle closes into the body of the first, as a share of it.

    Returns
    -------
    float64 array or Series (`morning_star`), shape (n,)
        1.0 for the pattern, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `penetration` is not a finite number above 0.

    Notes
    -----
    The small body gaps down from the black one; the last body is not short and closes into the black one by more than
    `penetration` of it. Equal to TA-Lib's CDLMORNINGSTAR, over 100. `candles` says what long, short and near are.
    First flag at index 12; a missing value starts the warm-up anew. The source is Nison, Japanese Candlestick Charting
    Techniques (1991).

    Examples
    --------
    >>> open, high = 10 * [9.0] + [13.0, 8.0, 9.0], 10 * [12.0] + [13.0, 9.0, 12.0]
    >>> low, close = 10 * [8.0] + [9.0, 7.0, 9.0], 10 * [11.0] + [10.0, 8.5, 12.0]
    >>> float(morning_star(open, high, low, close)[-1])
    1.0
    """
    return MORNING_STAR(open, high, low, close, penetration)


def three_black_crows(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Three black candles, each opening in the body before and closing lower: three black crows.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`three_black_crows`), shape (n,)
        -1.0 for the pattern, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    A white candle stands before them, whose high is above the first close; none of the three has a lower shadow. Equal
    to TA-Lib's CDL3BLACKCROWS, over 100. `candles` says what long, short and near are. First flag at index 13; a
    missing value starts the warm-up anew. The source is Nison, Japanese Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 11 * [9.0] + [11.5, 11.0, 10.5], 11 * [12.0] + [11.5, 11.0, 10.5]
    >>> low, close = 11 * [8.0] + [9.5, 9.0, 8.5], 11 * [11.0] + [9.5, 9.0, 8.5]
    >>> float(three_black_crows(open, high, low, close)[-1])
    -1.0
    """
    return THREE_BLACK_CROWS(open, high, low, close)


def three_inside(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Harami that the third candle confirms: three inside up and down.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`three_inside`), shape (n,)
        1.0 for up, -1.0 for down, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    A long candle, a small body inside it, and a candle of the other colour that closes beyond the open of the first.
    Equal to TA-Lib's CDL3INSIDE, over 100. `candles` says what long, short and near are. First flag at index 12; a
    missing value starts the warm-up anew. The source is Nison, Japanese Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 10 * [9.0] + [8.0, 10.0, 10.0], 10 * [12.0] + [13.0, 11.0, 10.0]
    >>> low, close = 10 * [8.0] + [8.0, 9.0, 7.0], 10 * [11.0] + [12.0, 10.5, 7.5]
    >>> float(three_inside(open, high, low, close)[-1])
    -1.0
    """
    return THREE_INSIDE(open, high, low, close)


def three_outside(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Engulfing pattern that the third candle confirms: three outside up and down.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`three_outside`), shape (n,)
        1.0 for up, -1.0 for down, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    The second body holds the first with no end shared, and the third candle closes further. TA-Lib's CDL3OUTSIDE, over
    100, is equal; it begins one bar later without need. `candles` says what long, short and near are. First flag
    at index 2; a missing value starts the warm-up anew. The source is Nison, Japanese Candlestick Charting Techniques
    (1991).

    Examples
    --------
    >>> open, high = [10.0, 8.5, 10.5], [10.5, 11.0, 11.5]
    >>> low, close = [8.5, 8.0, 10.0], [9.0, 10.5, 11.0]
    >>> float(three_outside(open, high, low, close)[-1])
    1.0
    """
    return THREE_OUTSIDE(open, high, low, close)


def three_white_soldiers(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Three white candles, each opening in or near the body before and closing higher: three white soldiers.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`three_white_soldiers`), shape (n,)
        1.0 for the pattern, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    None has an upper shadow, none is far shorter than the one before, and the last is not short. Equal to TA-Lib's
    CDL3WHITESOLDIERS, over 100. `candles` says what long, short and near are. First flag at index 12; a missing value
    starts the warm-up anew. The source is Nison, Japanese Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 10 * [9.0] + [9.0, 10.0, 11.0], 10 * [12.0] + [11.5, 12.5, 13.5]
    >>> low, close = 10 * [8.0] + [9.0, 10.0, 11.0], 10 * [11.0] + [11.5, 12.5, 13.5]
    >>> float(three_white_soldiers(open, high, low, close)[-1])
    1.0
    """
    return THREE_WHITE_SOLDIERS(open, high, low, close)


EVENING_STAR = pattern(evening_star, _evening_star_nb, candles=3, means=(BODY,), bounds={"penetration": (0.1, 0.9)})
MORNING_STAR = pattern(morning_star, _morning_star_nb, candles=3, means=(BODY,), bounds={"penetration": (0.1, 0.9)})
THREE_BLACK_CROWS = pattern(three_black_crows, _three_black_crows_nb, candles=4, means=(RANGE,))
THREE_INSIDE = pattern(three_inside, _three_inside_nb, candles=3, means=(BODY,))
THREE_OUTSIDE = pattern(three_outside, _three_outside_nb, candles=3)
THREE_WHITE_SOLDIERS = pattern(three_white_soldiers, _three_white_soldiers_nb, candles=3, means=(BODY, RANGE, NEAR))
