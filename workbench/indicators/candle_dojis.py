"""Candle patterns of a candle that closes where it opened; `candle_shapes` says what the flags mean."""

from __future__ import annotations

from numpy.typing import ArrayLike

from workbench._kernels import kernel
from workbench.indicators._array import Floats, Line
from workbench.indicators.candles import (
    BARE,
    RANGE,
    Candles,
    _body_step_nb,
    _doji_step_nb,
    _lower_step_nb,
    _no_lower_step_nb,
    _no_upper_step_nb,
    _upper_step_nb,
    pattern,
)

__all__ = [
    "DOJI",
    "DRAGONFLY_DOJI",
    "GRAVESTONE_DOJI",
    "LONG_LEGGED_DOJI",
    "doji",
    "dragonfly_doji",
    "gravestone_doji",
    "long_legged_doji",
]


@kernel
def _doji_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        out[i] = 1.0 if _doji_step_nb(c, i) else 0.0


@kernel
def _dragonfly_doji_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        found = _doji_step_nb(c, i) and _no_upper_step_nb(c, i) and _lower_step_nb(c, i) > BARE * c.range[i]
        out[i] = 1.0 if found else 0.0


@kernel
def _gravestone_doji_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        found = _doji_step_nb(c, i) and _no_lower_step_nb(c, i) and _upper_step_nb(c, i) > BARE * c.range[i]
        out[i] = 1.0 if found else 0.0


@kernel
def _long_legged_doji_nb(c: Candles, start: int, out: Floats) -> None:
    for i in range(start, len(out)):
        found = _doji_step_nb(c, i) and max(_lower_step_nb(c, i), _upper_step_nb(c, i)) > _body_step_nb(c, i)
        out[i] = 1.0 if found else 0.0


def doji(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Candle that closes where it opened, the doji: buyers and sellers have come out even.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`doji`), shape (n,)
        1.0 for a doji, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    The body is at most a tenth of the mean range of the 10 candles before. Equal to TA-Lib's CDLDOJI, over 100.
    `candles` says what long, short and near are. First flag at index 10; a missing value starts the warm-up anew. The
    source is Nison, Japanese Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 10 * [9.0] + [10.0], 10 * [12.0] + [11.0]
    >>> low, close = 10 * [8.0] + [9.0], 10 * [11.0] + [10.0]
    >>> float(doji(open, high, low, close)[-1])
    1.0
    """
    return DOJI(open, high, low, close)


def dragonfly_doji(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Doji with a shadow below and none above, the dragonfly.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`dragonfly_doji`), shape (n,)
        1.0 for a dragonfly doji, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    A doji of which the lower shadow alone counts as one. Equal to TA-Lib's CDLDRAGONFLYDOJI, over 100. `candles` says
    what long, short and near are. First flag at index 10; a missing value starts the warm-up anew. The source is Nison,
    Japanese Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 10 * [9.0] + [10.0], 10 * [12.0] + [10.0]
    >>> low, close = 10 * [8.0] + [8.0], 10 * [11.0] + [10.0]
    >>> float(dragonfly_doji(open, high, low, close)[-1])
    1.0
    """
    return DRAGONFLY_DOJI(open, high, low, close)


def gravestone_doji(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Doji with a shadow above and none below, the gravestone.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`gravestone_doji`), shape (n,)
        1.0 for a gravestone doji, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    A doji of which the upper shadow alone counts as one. Equal to TA-Lib's CDLGRAVESTONEDOJI, over 100. `candles` says
    what long, short and near are. First flag at index 10; a missing value starts the warm-up anew. The source is Nison,
    Japanese Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 10 * [9.0] + [10.0], 10 * [12.0] + [12.0]
    >>> low, close = 10 * [8.0] + [10.0], 10 * [11.0] + [10.0]
    >>> float(gravestone_doji(open, high, low, close)[-1])
    1.0
    """
    return GRAVESTONE_DOJI(open, high, low, close)


def long_legged_doji(open: ArrayLike, high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Doji with a long shadow on either side, the long-legged one.

    Parameters
    ----------
    open, high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`long_legged_doji`), shape (n,)
        1.0 for a long-legged doji, else 0.0.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    A doji of which a shadow is longer than its body; with real prices that is nearly every doji. Equal to TA-Lib's
    CDLLONGLEGGEDDOJI, over 100. `candles` says what long, short and near are. First flag at index 10; a missing value
    starts the warm-up anew. The source is Nison, Japanese Candlestick Charting Techniques (1991).

    Examples
    --------
    >>> open, high = 10 * [9.0] + [10.0], 10 * [12.0] + [12.0]
    >>> low, close = 10 * [8.0] + [8.0], 10 * [11.0] + [10.0]
    >>> float(long_legged_doji(open, high, low, close)[-1])
    1.0
    """
    return LONG_LEGGED_DOJI(open, high, low, close)


DOJI = pattern(doji, _doji_nb, means=(RANGE,))
DRAGONFLY_DOJI = pattern(dragonfly_doji, _dragonfly_doji_nb, means=(RANGE,))
GRAVESTONE_DOJI = pattern(gravestone_doji, _gravestone_doji_nb, means=(RANGE,))
LONG_LEGGED_DOJI = pattern(long_legged_doji, _long_legged_doji_nb, means=(RANGE,))
