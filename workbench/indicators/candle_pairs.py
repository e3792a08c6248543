"""Candle patterns of two candles; `candle_shapes` says what the flags mean."""

from __future__ import annotations

from numpy.typing import ArrayLike

from workbench._kernels import kernel
from workbench.indicators._array import Floats, Line
from workbench.indicators.candles import (
    BODY,
    EQUAL,
    NEAR,
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
    "DARK_CLOUD_COVER",
    "ENGULFING",
    "HARAMI",
    "KICKING",
    "PIERCING",
    "TWEEZER",
    "dark_cloud_cover",
    "engulfing",
    "harami",
    "kicking",
    "piercing",
    "tweezer",
]


@kernel
def _long_and_bare_step_nb(c: Candles, i: int) -> bool:
    return _long_step_nb(c, i) and _no_upper_step_nb(c, i) and _no_lower_step_nb(c, i)


@kernel
def _dark_cloud_cover_nb(c: Candles, start: int, out: Floats, penetration: float) -> None:
    for i in range(start, len(out)):
        first = _long_step_nb(c, i - 1) and _white_step_nb(c, i - 1)
        found = first and not _white_step_nb(c, i) and c.open[i] > c.high[i - 1]
        found = found and c.open[i - 1] < c.close[i] < c.close[i - 1] - penetration * _body_step_nb(c, i - 1)
        out[i] = -1.0 if found else 0.0


@kernel
def _engulfing_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        white = _white_step_nb(c, i)
        top, bottom, last_top, last_bottom = (
            _top_step_nb(c, i),
            _bottom_step_nb(c, i),
            _top_step_nb(c, i - 1),
            _bottom_step_nb(c, i - 1),
        )
        holds = (top >= last_top and bottom < last_bottom) or (top > last_top and bottom <= last_bottom)
        out[i] = (1.0 if white else -1.0) if holds and white != _white_step_nb(c, i - 1) else 0.0


@kernel
def _harami_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        inside = _top_step_nb(c, i) <= _top_step_nb(c, i - 1) and _bottom_step_nb(c, i) >= _bottom_step_nb(c, i - 1)
        found = inside and _long_step_nb(c, i - 1) and not _long_step_nb(c, i)
        out[i] = (-1.0 if _white_step_nb(c, i - 1) else 1.0) if found else 0.0


@kernel
def _kicking_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        white = _white_step_nb(c, i)
        gap = c.low[i] > c.high[i - 1] if white else c.high[i] < c.low[i - 1]
        found = (
            gap
            and white != _white_step_nb(c, i - 1)
            and _long_and_bare_step_nb(c, i - 1)
            and _long_and_bare_step_nb(c, i)
        )
        out[i] = (1.0 if white else -1.0) if found else 0.0


@kernel
def _piercing_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        both = _long_step_nb(c, i - 1) and not _white_step_nb(c, i - 1) and _long_step_nb(c, i) and _white_step_nb(c, i)
        found = both and c.open[i] < c.low[i - 1]
        found = found and c.close[i - 1] + 0.5 * _body_step_nb(c, i - 1) < c.close[i] < c.open[i - 1]
        out[i] = 1.0 if found else 0.0


@kernel
def _tweezer_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        white = _white_step_nb(c, i)
        apart = c.low[i] - c.low[i - 1] if white else c.high[i] - c.high[i - 1]
        found = _long_step_nb(c, i - 1) and white != _white_step_nb(c, i - 1) and abs(apart) <= EQUAL * c.near[i - 1]
        out[i] = (1.0 if white else -1.0) if found else 0.0


def dark_cloud_cover(
    open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike, penetration: float = 0.5
) -> Line:
    """Black candle from above the high before down into the long white body: dark cloud cover.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)
    penetration : float, default 0.5
        How deep the last candle closes into the body of the first, as a share of it.

    Returns
    -------
    float64 array or Series (`dark_cloud_cover`), shape (n,)
        -1.0 for the pattern, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `penetration` is not a finite number above 0.

    Notes
    -----
    A long white candle; then a black one that opens above its high and closes inside its body, by more than
    `penetration` of it. Equal to TA-Lib's CDLDARKCLOUDCOVER, over 100. `candles` says what long, short and near are.
    First flag at index 11; a missing value starts the warm-up anew. The source is Nison, Japanese Candlestick Charting
    Techniques (1991).

    Examples
    --------
    >>> open, high = 10 * [9.0] + [9.0, 13.0], 10 * [12.0] + [12.0, 13.0]
    >>> low, close = 10 * [8.0] + [9.0, 10.0], 10 * [11.0] + [12.0, 10.0]
    >>> float(dark_cloud_cover(open, high, low, close)[-1])
    -1.0
    """
    return DARK_CLOUD_COVER(open, high, low, close, penetration)


def engulfing(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Body that holds the whole body before, of the other colour: the engulfing pattern.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`engulfing`), shape (n,)
        1.0 where white engulfs black, -1.0 where black engulfs white, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    One end of the two bodies may be shared. TA-Lib's CDLENGULFING marks such a one with 80 in place of 100; the signs
    are equal, and it begins one bar later without need. `candles` says what long, short and near are. First flag
    at index 1; a missing value starts the warm-up anew. The source is Nison, Japanese Candlestick Charting Techniques
    (1991).

    Examples
    --------
    >>> open, high = [10.0, 8.5], [10.5, 11.0]
    >>> low, close = [8.5, 8.0], [9.0, 10.5]
    >>> float(engulfing(open, high, low, close)[-1])
    1.0
    """
    return ENGULFING(open, high, low, close)


def harami(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Small body inside the long body before: the harami.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`harami`), shape (n,)
        1.0 after a black candle, -1.0 after a white one, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    The colour of the small one does not count, and one or both ends of the bodies may be shared. TA-Lib's CDLHARAMI
    marks such a one with 80 in place of 100; the signs are equal. `candles` says what long, short and near are.
    First flag at index 11; a missing value starts the warm-up anew. The source is Nison, Japanese Candlestick Charting
    Techniques (1991).

    Examples
    --------
    >>> open, high = 10 * [9.0] + [8.0, 10.0], 10 * [12.0] + [13.0, 11.0]
    >>> low, close = 10 * [8.0] + [8.0, 9.0], 10 * [11.0] + [12.0, 10.5]
    >>> float(harami(open, high, low, close)[-1])
    -1.0
    """
    return HARAMI(open, high, low, close)


def kicking(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Two long candles without shadows, of two colours, with a gap between them: kicking.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`kicking`), shape (n,)
        1.0 for black, then white above; -1.0 for white, then black below; else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    Both are a `marubozu`, and their ranges do not touch. Equal to TA-Lib's CDLKICKING, over 100. `candles` says what
    long, short and near are. First flag at index 11; a missing value starts the warm-up anew. The source is Nison,
    Japanese Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 10 * [9.0] + [12.0, 13.0], 10 * [12.0] + [12.0, 16.0]
    >>> low, close = 10 * [8.0] + [9.0, 13.0], 10 * [11.0] + [9.0, 16.0]
    >>> float(kicking(open, high, low, close)[-1])
    1.0
    """
    return KICKING(open, high, low, close)


def piercing(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """White candle from below the low before up into the long black body: the piercing line.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`piercing`), shape (n,)
        1.0 for the pattern, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    A long black candle; then a long white one that opens below its low and closes inside its body, beyond the middle.
    Equal to TA-Lib's CDLPIERCING, over 100. `candles` says what long, short and near are. First flag at index 11; a
    missing value starts the warm-up anew. The source is Nison, Japanese Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 10 * [9.0] + [12.0, 7.0], 10 * [12.0] + [12.0, 11.5]
    >>> low, close = 10 * [8.0] + [8.0, 7.0], 10 * [11.0] + [9.0, 11.0]
    >>> float(piercing(open, high, low, close)[-1])
    1.0
    """
    return PIERCING(open, high, low, close)


def tweezer(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Two candles of two colours with the same low or the same high: tweezer bottom and top.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`tweezer`), shape (n,)
        1.0 for a bottom (black, then white, equal lows), -1.0 for a top (white, then black, equal highs), else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    The first body is long; equal is what differs by at most a twentieth of the mean range of the 5 candles before the
    first. TA-Lib has no such pattern. `candles` says what long, short and near are. First flag at index 11; a missing
    value starts the warm-up anew. The source is Nison, Japanese Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 10 * [9.0] + [12.0, 8.5], 10 * [12.0] + [12.0, 11.0]
    >>> low, close = 10 * [8.0] + [8.0, 8.0], 10 * [11.0] + [9.0, 10.5]
    >>> float(tweezer(open, high, low, close)[-1])
    1.0
    """
    return TWEEZER(open, high, low, close)


DARK_CLOUD_COVER = pattern(
    dark_cloud_cover, _dark_cloud_cover_nb, candles=2, means=(BODY,), bounds={"penetration": (0.1, 0.9)}
)
ENGULFING = pattern(engulfing, _engulfing_nb, candles=2)
HARAMI = pattern(harami, _harami_nb, candles=2, means=(BODY,))
KICKING = pattern(kicking, _kicking_nb, candles=2, means=(BODY, RANGE))
PIERCING = pattern(piercing, _piercing_nb, candles=2, means=(BODY,))
TWEEZER = pattern(tweezer, _tweezer_nb, candles=2, means=(BODY, NEAR))
