"""Candle patterns of three candles; `candle_shapes` says what the flags mean."""

from __future__ import annotations

from numpy.typing import ArrayLike

from workbench.indicators._array import Line
from workbench.indicators.candles import BODY, FAR, NEAR, RANGE, Candles, Flags, pattern

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
    `penetration` of it. Equal to TA-Lib's CDLEVENINGSTAR, over 100. `candles` says what long, short and near are. First
    flag at index 12; a missing value starts the warm-up anew. The source is Nison, Japanese Candlestick Charting
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
    `penetration` of it. Equal to TA-Lib's CDLMORNINGSTAR, over 100. `candles` says what long, short and near are. First
    flag at index 12; a missing value starts the warm-up anew. The source is Nison, Japanese Candlestick Charting
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
    100, is equal; it begins one bar later without need. `candles` says what long, short and near are. First flag at
    index 2; a missing value starts the warm-up anew. The source is Nison, Japanese Candlestick Charting Techniques
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


def _evening_star(c: Candles, penetration: float) -> tuple[None, Flags]:
    star = c.long(2) & c.white(2) & c.small(1) & (c.bottom(1) > c.top(2))
    return None, star & c.long() & c.black() & (c.close() < c.close(2) - penetration * c.body(2))


def _morning_star(c: Candles, penetration: float) -> tuple[Flags, None]:
    star = c.long(2) & c.black(2) & c.small(1) & (c.top(1) < c.bottom(2))
    return star & c.long() & c.white() & (c.close() > c.close(2) + penetration * c.body(2)), None


def _three_black_crows(c: Candles) -> tuple[None, Flags]:
    crows = c.white(3) & (c.high(3) > c.close(2))
    for back in (2, 1, 0):
        crows &= c.black(back) & (c.lower(back) < c.hair(back))
    for back in (1, 0):
        inside = (c.open(back) < c.open(back + 1)) & (c.open(back) > c.close(back + 1))
        crows &= inside & (c.close(back) < c.close(back + 1))
    return None, crows


def _three_inside(c: Candles) -> tuple[Flags, Flags]:
    inside = c.long(2) & c.small(1) & (c.top(1) < c.top(2)) & (c.bottom(1) > c.bottom(2))
    up = inside & c.black(2) & c.white() & (c.close() > c.open(2))
    return up, inside & c.white(2) & c.black() & (c.close() < c.open(2))


def _three_outside(c: Candles) -> tuple[Flags, Flags]:
    up = c.white(1) & c.black(2) & (c.close(1) > c.open(2)) & (c.open(1) < c.close(2))
    down = c.black(1) & c.white(2) & (c.open(1) > c.close(2)) & (c.close(1) < c.open(2))
    return up & (c.close() > c.close(1)), down & (c.close() < c.close(1))


def _three_white_soldiers(c: Candles) -> tuple[Flags, None]:
    soldiers = c.long()
    for back in (2, 1, 0):
        soldiers &= c.white(back) & (c.upper(back) < c.hair(back))
    for back in (1, 0):
        opens, closes = c.open(back), c.close(back + 1)
        soldiers &= (c.close(back) > closes) & (opens > c.open(back + 1)) & (opens <= closes + c.near(back + 1))
        soldiers &= c.body(back) > c.body(back + 1) - c.near(back + 1, FAR)
    return soldiers, None


EVENING_STAR = pattern(evening_star, _evening_star, candles=3, means=(BODY,), bounds={"penetration": (0.1, 0.9)})
MORNING_STAR = pattern(morning_star, _morning_star, candles=3, means=(BODY,), bounds={"penetration": (0.1, 0.9)})
THREE_BLACK_CROWS = pattern(three_black_crows, _three_black_crows, candles=4, means=(RANGE,))
THREE_INSIDE = pattern(three_inside, _three_inside, candles=3, means=(BODY,))
THREE_OUTSIDE = pattern(three_outside, _three_outside, candles=3)
THREE_WHITE_SOLDIERS = pattern(three_white_soldiers, _three_white_soldiers, candles=3, means=(BODY, RANGE, NEAR))
