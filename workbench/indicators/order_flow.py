"""Who pressed, seen from bars: what was bought and sold, how one-sided it was, and how far it moved the price."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._arithmetic import mean, ratio
from workbench.indicators._array import Floats, Line
from workbench.indicators._changes import CHANGE, ILLIQUIDITY, SIGNED, changes
from workbench.indicators._moments import deviation, pair_moments
from workbench.indicators.indicator import Indicator, Rows
from workbench.indicators.money_flow import _location_step_nb
from workbench.indicators.pairs import _slope_nb

__all__ = [
    "AMIHUD",
    "BULK_VOLUME",
    "CLOSE_LOCATION",
    "KYLE_LAMBDA",
    "VPIN",
    "amihud",
    "bulk_volume",
    "close_location",
    "kyle_lambda",
    "vpin",
]


@kernel
def _location_nb(high: Floats, low: Floats, close: Floats, start: int, out: Floats) -> None:
    """Write where each bar closed in its range."""
    for i in range(start, len(close)):
        poison = (high[i] - high[i]) + (low[i] - low[i]) + (close[i] - close[i])
        out[i] = _location_step_nb(high[i], low[i], close[i]) + poison


@kernel
def _bulk_nb(changes: Floats, deviations: Floats, start: int, out: Floats) -> None:
    """Write the normal distribution's share below each change; one half where nothing deviates."""
    for i in range(start, len(out)):
        deviation = deviations[i]
        score = changes[i] / deviation if deviation != 0.0 else 0.0
        out[i] = 0.5 * math.erfc(-score / np.sqrt(2.0))


@kernel
def _imbalance_nb(volume: Floats, bought: Floats, start: int, out: tuple[Floats, Floats]) -> None:
    """Write the volume by which buying and selling differ, and the volume."""
    for i in range(start, len(volume)):
        out[0][i] = volume[i] * abs(2.0 * bought[i] - 1.0)
        out[1][i] = volume[i] + 0.0 * bought[i]


def amihud(close: ArrayLike, volume: ArrayLike, length: int = 20) -> Line:
    """Amihud's illiquidity: how far the price moves, relatively, for a unit of money traded.

    Parameters
    ----------
    close, volume : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Changes in the window.

    Returns
    -------
    float64 array or Series (`amihud_20`), shape (n,)
        A fraction for each unit of money; above 0, and small: often given times a million.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    The mean of `abs(relative change) / (close * volume)`. First value at index `length`, because the first bar has no
    change; NaN wherever the window or the bar before it holds a missing value. A bar on which nothing was traded adds
    0, and so does a change from a close of 0. The source is Yakov Amihud, Illiquidity and Stock Returns, Journal of
    Financial Markets 5:1 (2002).

    Examples
    --------
    >>> amihud(close=[10.0, 11.0, 11.0], volume=[5.0, 5.0, 5.0], length=2) * 1e4
    array([       nan,        nan, 9.09090909])
    """
    return AMIHUD(close, volume, length)


def bulk_volume(close: ArrayLike, volume: ArrayLike, length: int = 50) -> Line:
    """Share of a bar's volume that was bought, by bulk classification.

    Parameters
    ----------
    close, volume : array_like or pandas.Series, shape (n,)
    length : int, default 50
        Changes from which the standard deviation is taken.

    Returns
    -------
    float64 array or Series (`bulk_volume_50`), shape (n,)
        From 0 to 1; 0.5 is as much bought as sold.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    The normal distribution's share below `change / standard deviation of changes`, both of the close and that of the
    last `length` changes. First value at index `length`; NaN wherever the window or the bar before it holds a missing
    value. Without any deviation it is 0.5. Times `volume` it is the volume bought. The source is David Easley, Marcos
    López de Prado and Maureen O'Hara, Discerning Information from Trade Data, Journal of Financial Economics 120:2
    (2016).

    Examples
    --------
    >>> bulk_volume(close=[10.0, 11.0, 10.0], volume=[5.0, 5.0, 5.0], length=2).round(4)
    array([   nan,    nan, 0.1587])
    """
    return BULK_VOLUME(close, volume, length)


def close_location(high: ArrayLike, low: ArrayLike, close: ArrayLike) -> Line:
    """Where a bar closed in its range: buying pressure at the top, selling pressure at the bottom.

    Parameters
    ----------
    high, low, close : array_like or pandas.Series, shape (n,)

    Returns
    -------
    float64 array or Series (`close_location`), shape (n,)
        From -1 (at the low) to 1 (at the high).

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.

    Notes
    -----
    `((close - low) - (high - close)) / (high - low)`; 0 without a range. First value at index 0. NaN if the bar has a
    missing value. `adl` and `chaikin_money_flow` weigh volume by it. The source is Marc Chaikin's close location value.

    Examples
    --------
    >>> close_location(high=[3.0, 4.0], low=[1.0, 2.0], close=[3.0, 2.5])
    array([ 1. , -0.5])
    """
    return CLOSE_LOCATION(high, low, close)


def kyle_lambda(close: ArrayLike, volume: ArrayLike, length: int = 50) -> Line:
    """Kyle's lambda: how far the price moves for a unit of signed volume, by regression.

    Parameters
    ----------
    close, volume : array_like or pandas.Series, shape (n,)
    length : int, default 50
        Changes in the window.

    Returns
    -------
    float64 array or Series (`kyle_lambda_50`), shape (n,)
        In the unit of `close` for each unit of `volume`.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    The slope of the changes of the close on the volume with the sign of the change (the tick rule for bars), with a
    constant. First value at index `length`; NaN wherever the window or the bar before it holds a missing value. Where
    the signed volume is constant it is 0. The source is Albert Kyle, Continuous Auctions and Insider Trading,
    Econometrica 53:6 (1985), and Joel Hasbrouck (2009) for the regression.

    Examples
    --------
    >>> kyle_lambda(close=[10.0, 11.0, 10.0, 12.0], volume=[5.0, 2.0, 2.0, 4.0], length=3)
    array([nan, nan, nan, 0.5])
    """
    return KYLE_LAMBDA(close, volume, length)


def vpin(close: ArrayLike, volume: ArrayLike, length: int = 50) -> Line:
    """Probability of informed trading by volume (VPIN), over bars: how one-sided the trading was.

    Parameters
    ----------
    close, volume : array_like or pandas.Series, shape (n,)
    length : int, default 50
        Bars of the imbalance, and changes of the standard deviation.

    Returns
    -------
    float64 array or Series (`vpin_50`), shape (n,)
        From 0 (as much bought as sold) to 1.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    The sum of `volume * abs(2 * bulk_volume - 1)` over the sum of `volume`. The source forms bars of equal volume
    first; on bars of time, as here, busy bars weigh more, and with bars of equal volume it is the source's own.
    First value at index `2 * length - 1`; NaN wherever the bars used hold a missing value. Without any volume it is 0.
    The source is David Easley, Marcos López de Prado and Maureen O'Hara, Flow Toxicity and Liquidity in a
    High-Frequency World, Review of Financial Studies 25:5 (2012).

    Examples
    --------
    >>> vpin(close=[10.0, 11.0, 10.0, 11.0], volume=[5.0, 5.0, 5.0, 5.0], length=2).round(4)
    array([   nan,    nan,    nan, 0.6827])
    """
    return VPIN(close, volume, length)


def _amihud_rows(rows: Rows, length: int) -> None:
    mean(rows, changes(rows, ILLIQUIDITY), length, rows.out[0])


def _kyle_lambda_rows(rows: Rows, length: int) -> None:
    moments = pair_moments(rows, changes(rows, CHANGE), changes(rows, SIGNED), length)
    _slope_nb(moments, rows.start, rows.out[0])


def _bulk(rows: Rows, length: int, out: Floats) -> None:
    change = changes(rows, CHANGE)
    _, deviations = deviation(rows, change, length)
    _bulk_nb(frozen(change), frozen(deviations), rows.start, out)


def _bulk_volume_rows(rows: Rows, length: int) -> None:
    _bulk(rows, length, rows.out[0])


def _vpin_rows(rows: Rows, length: int) -> None:
    bought = rows.line()
    _bulk(rows, length, bought)
    lines = rows.line(), rows.line()
    _imbalance_nb(rows["volume"], frozen(bought), rows.start, lines)
    ratio(rows, mean(rows, lines[0], length), mean(rows, lines[1], length), rows.out[0])


def _close_location_rows(rows: Rows) -> None:
    _location_nb(rows["high"], rows["low"], rows["close"], rows.start, rows.out[0])


def _after_change(length: int) -> tuple[int]:
    return (length,)


AMIHUD = Indicator(
    function=amihud, rows=_amihud_rows, group="microstructure", first=_after_change,
    bounds={"length": (5, 400)}, unit="other",
    source="Yakov Amihud, Illiquidity and Stock Returns, Journal of Financial Markets 5:1 (2002)",
)  # fmt: skip
KYLE_LAMBDA = Indicator(
    function=kyle_lambda, rows=_kyle_lambda_rows, group="microstructure", first=_after_change,
    bounds={"length": (10, 400)}, unit="other",
    source="Albert Kyle, Continuous Auctions and Insider Trading, Econometrica 53:6 (1985)",
)  # fmt: skip
BULK_VOLUME = Indicator(
    function=bulk_volume, rows=_bulk_volume_rows, group="microstructure", first=_after_change,
    bounds={"length": (10, 400)}, unit="fraction",
    source="Easley, López de Prado and O'Hara, Discerning Information from Trade Data, JFE 120:2 (2016)",
)  # fmt: skip
VPIN = Indicator(
    function=vpin, rows=_vpin_rows, group="microstructure", first=lambda length: (2 * length - 1,),
    bounds={"length": (10, 400)}, unit="fraction",
    source="Easley, López de Prado and O'Hara, Flow Toxicity and Liquidity, RFS 25:5 (2012)",
)  # fmt: skip
CLOSE_LOCATION = Indicator(
    function=close_location, rows=_close_location_rows, group="microstructure", first=lambda: (0,), unit="fraction",
    source="Marc Chaikin, close location value",
)  # fmt: skip
