"""Quiet before a move: bands of the deviation inside those of the true range."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._arithmetic import mean
from workbench.indicators._array import Floats, Line
from workbench.indicators._moments import _line_nb, deviation
from workbench.indicators.extremes import _channel_nb
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.volatility import _true_range_nb
from workbench.indicators.volatility_bands import _whole_close_nb

__all__ = ["SQUEEZE", "Squeeze", "squeeze"]


class Squeeze(NamedTuple):
    """What `squeeze` gives: `momentum` in the unit of the price and the flag `on`, of shape (n,)."""

    momentum: Line
    on: Line


@kernel
def _from_middles_nb(close: Floats, tops: Floats, bottoms: Floats, means: Floats, start: int, out: Floats) -> None:
    """Write how far the close is from the middle between the mean and the middle of the channel."""
    for i in range(start, len(close)):
        out[i] = close[i] - 0.5 * (0.5 * (tops[i] + bottoms[i]) + means[i])


@kernel
def _narrower_nb(one: Floats, factors: tuple[float, float], two: Floats, start: int, out: Floats) -> None:
    """Write 1 where the first line times its factor is below the second times its own, else 0."""
    for i in range(start, len(one)):
        gap = factors[1] * two[i] - factors[0] * one[i]
        out[i] = (1.0 if gap > 0.0 else 0.0) if gap - gap == 0.0 else np.nan


def squeeze(
    high: ArrayLike, low: ArrayLike, close: ArrayLike, length: int = 20, deviations: float = 2.0, factor: float = 1.5
) -> Squeeze:
    """Squeeze: whether the Bollinger bands are inside the Keltner channel, and which way the price leans.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars of every window.
    deviations : float, default 2.0
        Width of the Bollinger bands, in standard deviations.
    factor : float, default 1.5
        Width of the Keltner channel, in mean true ranges.

    Returns
    -------
    Squeeze
        `momentum`, in the unit of the price, and `on`, 1 in a squeeze and 0 else: float64 arrays or Series
        (`squeeze_momentum_20_2_1.5`), shape (n,).

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 2, or a width not a finite number above 0.

    Notes
    -----
    Both bands are about `sma(close)`, so `on` is `deviations * standard_deviation < factor * sma(true_range)`. The
    momentum is the end of the least-squares line through `length` values of `close` less the middle of `sma(close)`
    and the middle of the channel of highs and lows. First `on` at index `length`, first `momentum` at `2 * length -
    2`. NaN wherever a bar with a missing value is among the bars used. A flat series has no momentum and no
    squeeze, for both widths are 0. TA-Lib has none. The source is John F. Carter, Mastering the Trade (2005).

    Examples
    --------
    >>> squeeze([2.0, 2.0, 3.0], [1.0, 1.0, 1.0], [1.5, 1.5, 1.5], 2).on
    array([nan, nan,  1.])
    """
    result: Squeeze = SQUEEZE(high, low, close, length, deviations, factor)
    return result


def _squeeze_rows(rows: Rows, length: int, deviations: float, factor: float) -> None:
    momentum, on = rows.out
    tops, bottoms = rows.line(), rows.line()
    _channel_nb(rows["high"], rows["low"], rows["close"], length, rows.state(2), (tops, bottoms))
    closes, ranges, leaning = rows.line(), rows.line(), rows.line()
    _whole_close_nb(rows["high"], rows["low"], rows["close"], rows.start, closes)
    _true_range_nb(rows["high"], rows["low"], rows["close"], rows.start, ranges)
    means, spreads = deviation(rows, closes, length)
    _from_middles_nb(rows["close"], frozen(tops), frozen(bottoms), frozen(means), rows.start, leaning)
    _line_nb(frozen(leaning), length, rows.state(2), (momentum, rows.line(), rows.line()))
    widths = frozen(mean(rows, ranges, length))
    _narrower_nb(frozen(spreads), (deviations, factor), widths, rows.start, on)


def _two_bars(length: int, _deviations: float, _factor: float) -> str | None:
    return None if length > 1 else "length is 1; give at least 2 bars"


SQUEEZE = Indicator(
    function=squeeze, rows=_squeeze_rows, group="volatility", unit="other",
    first=lambda length, _deviations, _factor: (2 * length - 2, length), lines=Squeeze, check=_two_bars,
    bounds={"length": (3, 200), "deviations": (0.5, 5.0), "factor": (0.5, 5.0)},
    source="John F. Carter, Mastering the Trade (2005)",
)  # fmt: skip
