"""How two series move together, or one with its own past: covariance, correlation, regression, mean reversion."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import kernel
from workbench.indicators._array import Floats, Line
from workbench.indicators._moments import Moments, _pair_nb, pair_moments
from workbench.indicators.indicator import Indicator, Rows

__all__ = [
    "AUTOCORRELATION",
    "BETA",
    "CORRELATION",
    "COVARIANCE",
    "HALF_LIFE",
    "SPREAD_ZSCORE",
    "autocorrelation",
    "beta",
    "correlation",
    "covariance",
    "half_life",
    "spread_zscore",
]


@kernel
def _correlation_nb(moments: Moments, start: int, out: Floats) -> None:
    """Write the covariance over both deviations, held within -1 and 1; 0.0 where one side is flat."""
    for i in range(start, len(out)):
        scale = np.sqrt(moments[2][i]) * np.sqrt(moments[3][i])
        whole = scale == scale
        out[i] = min(max(moments[4][i] / scale, -1.0), 1.0) if whole and scale > 0.0 else 0.0 * scale


@kernel
def _slope_nb(moments: Moments, start: int, out: Floats) -> None:
    """Write by how much the left series moves with the right one; 0.0 where the right one is flat."""
    for i in range(start, len(out)):
        out[i] = moments[4][i] / moments[3][i] if moments[3][i] != 0.0 else 0.0


@kernel
def _spread_nb(left: Floats, right: Floats, moments: Moments, start: int, out: Floats) -> None:
    """Write the residual of the last row over the deviation of all; 0.0 where rounding alone is left of them."""
    for i in range(start, len(out)):
        x, y, xx, yy, xy = moments[0][i], moments[1][i], moments[2][i], moments[3][i], moments[4][i]
        slope = xy / yy if yy != 0.0 else 0.0
        left_over = xx - slope * xy
        residual = (left[i] - x) - slope * (right[i] - y)
        out[i] = residual / np.sqrt(left_over) if not left_over <= 1e-13 * xx else 0.0


@kernel
def _return_nb(values: Floats, start: int, out: Floats) -> None:
    """Write the relative change from row to row; NaN from a value of 0."""
    for i in range(start, len(values)):
        out[i] = (values[i] - values[i - 1]) / values[i - 1] if i > 0 and values[i - 1] != 0.0 else np.nan


@kernel
def _lagged_nb(values: Floats, lag: int, start: int, out: Floats) -> None:
    """Write the value `lag` rows ago."""
    for i in range(start, len(values)):
        out[i] = values[i - lag] if i >= lag else np.nan


@kernel
def _reversion_nb(moments: Moments, longest: int, start: int, out: Floats) -> None:
    """Write the half-life from the slope of the present value on the one before."""
    for i in range(start, len(out)):
        variance, together = moments[3][i], moments[4][i]
        slope = together / variance - 1.0 if variance != 0.0 else 0.0
        life = -np.log(2.0) / slope if slope != 0.0 else float(longest)
        out[i] = life if 0.0 < life < longest else longest + 0.0 * variance


def autocorrelation(values: ArrayLike, length: int = 50, lag: int = 1) -> Line:
    """Correlation of a series with itself `lag` bars ago, over the last `length` pairs.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 50
        Pairs in the window.
    lag : int, default 1
        Bars between the two values of a pair.

    Returns
    -------
    float64 array or Series (`autocorrelation_50_1`), shape (n,)
        From -1 to 1; above 0 the series goes on, below 0 it turns back.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        A length is not a whole number of at least 1.

    Notes
    -----
    Pearson's correlation of `values` and `previous(values, lag)`. First value at index `length + lag - 1`; NaN wherever
    the pairs hold a missing value. Where one side is flat it is 0. Give changes, such as `log_return`, not prices. The
    source is George Udny Yule (1927).

    Examples
    --------
    >>> autocorrelation([1.0, 2.0, 1.0, 2.0], length=3)
    array([nan, nan, nan, -1.])
    """
    return AUTOCORRELATION(values, length, lag)


def beta(values: ArrayLike, benchmark: ArrayLike, length: int = 20) -> Line:
    """Beta: how far a price moves, relatively, when its benchmark moves by one.

    Parameters
    ----------
    values, benchmark : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Changes in the window.

    Returns
    -------
    float64 array or Series (`beta_20`), shape (n,)
        1.0 moves as the benchmark does.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    The covariance of the relative changes of both from bar to bar, over the variance of those of `benchmark`.
    First value at index `length`, because the first bar has no change; NaN wherever the window or the bar before it
    holds a missing value, or a price before a change is 0. Where the benchmark does not move it is 0. Equal to TA-Lib's
    BETA, which takes the benchmark first. The source is William Sharpe, Capital Asset Prices, Journal of Finance 19:3
    (1964).

    Examples
    --------
    >>> beta([100.0, 110.0, 99.0], benchmark=[50.0, 52.5, 49.875], length=2)
    array([nan, nan,  2.])
    """
    return BETA(values, benchmark, length)


def correlation(values: ArrayLike, other: ArrayLike, length: int = 20) -> Line:
    """Pearson's correlation of two series over the last `length` bars.

    Parameters
    ----------
    values, other : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.

    Returns
    -------
    float64 array or Series (`correlation_20`), shape (n,)
        From -1 to 1.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    The covariance over both standard deviations. First value at index `length - 1`; NaN wherever the window holds a
    missing value of either. Where one of them is flat it is 0. Prices that merely trend correlate highly: give changes,
    such as `log_return`. Equal to TA-Lib's CORREL. The source is Karl Pearson (1895).

    Examples
    --------
    >>> correlation([1.0, 2.0, 3.0, 5.0], [4.0, 6.0, 2.0, 2.0], length=2)
    array([nan,  1., -1.,  0.])
    """
    return CORRELATION(values, other, length)


def covariance(values: ArrayLike, other: ArrayLike, length: int = 20) -> Line:
    """Covariance of two series over the last `length` bars, that of a population.

    Parameters
    ----------
    values, other : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.

    Returns
    -------
    float64 array or Series (`covariance_20`), shape (n,)
        In the unit of `values` times that of `other`; times `length / (length - 1)` it is that of a sample.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    First value at index `length - 1`; NaN wherever the window holds a missing value of either. Each window is computed
    by itself, from distances to values inside it, so nothing drifts; where one of them is flat it is exactly 0.

    Examples
    --------
    >>> covariance([1.0, 2.0, 3.0], [4.0, 6.0, 2.0], length=2)
    array([ nan,  0.5, -1. ])
    """
    return COVARIANCE(values, other, length)


def half_life(values: ArrayLike, length: int = 100) -> Line:
    """Bars until half of a distance from the mean is expected to be gone.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 100
        Changes in the window, and the longest half-life that it says.

    Returns
    -------
    float64 array or Series (`half_life_100`), shape (n,)
        In bars, above 0 and at most `length`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    Each change is regressed on the value before it, with a constant: `-log(2) / slope`, the half-life of an
    Ornstein-Uhlenbeck process. First value at index `length`; NaN wherever the window or the bar before it holds a
    missing value. A half-life longer than the window cannot be seen in it: it is `length` then, and where the series
    does not return to a mean at all. The source is Ernest Chan, Algorithmic Trading (2013), chapter 2.

    Examples
    --------
    >>> half_life([4.0, 2.0, 1.0, 0.5], length=3).round(3)
    array([  nan,   nan,   nan, 1.386])
    """
    return HALF_LIFE(values, length)


def spread_zscore(values: ArrayLike, other: ArrayLike, length: int = 100) -> Line:
    """Spread of a pair: how many standard deviations a series is from what the other one says, by regression.

    Parameters
    ----------
    values, other : array_like or pandas.Series, shape (n,)
    length : int, default 100
        Bars in the window.

    Returns
    -------
    float64 array or Series (`spread_zscore_100`), shape (n,)
        2.0 is dear against `other` by two standard deviations.

    Raises
    ------
    DataError
        A column is not one column of numbers, or lengths or indexes differ.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    In each window `values` is regressed on `other`, with a constant; the slope is the hedge ratio. The result is the
    residual of the present bar over the standard deviation of all residuals of the window. First value at index `length
    - 1`; NaN wherever the window holds a missing value of either. Where the fit is exact it is 0. Give logarithms of
    prices for a hedge ratio in money. The source is Ganapathy Vidyamurthy, Pairs Trading (2004).

    Examples
    --------
    >>> spread_zscore([1.0, 2.0, 3.0, 5.0], [1.0, 2.0, 3.0, 4.0], length=4).round(3)
    array([  nan,   nan,   nan, 1.095])
    """
    return SPREAD_ZSCORE(values, other, length)


def _covariance_rows(rows: Rows, length: int) -> None:
    rest = rows.line(), rows.line(), rows.line(), rows.line()
    _pair_nb(rows["values"], rows["other"], length, rows.state(2), (*rest, rows.out[0]))


def _correlation_rows(rows: Rows, length: int) -> None:
    _correlation_nb(pair_moments(rows, rows["values"], rows["other"], length), rows.start, rows.out[0])


def _beta_rows(rows: Rows, length: int) -> None:
    left, right = rows.line(), rows.line()
    _return_nb(rows["values"], rows.start, left)
    _return_nb(rows["benchmark"], rows.start, right)
    _slope_nb(pair_moments(rows, left, right, length), rows.start, rows.out[0])


def _spread_zscore_rows(rows: Rows, length: int) -> None:
    moments = pair_moments(rows, rows["values"], rows["other"], length)
    _spread_nb(rows["values"], rows["other"], moments, rows.start, rows.out[0])


def _with_itself(rows: Rows, length: int, lag: int) -> Moments:
    lagged = rows.line()
    _lagged_nb(rows["values"], lag, rows.start, lagged)
    return pair_moments(rows, rows["values"], lagged, length)


def _autocorrelation_rows(rows: Rows, length: int, lag: int) -> None:
    _correlation_nb(_with_itself(rows, length, lag), rows.start, rows.out[0])


def _half_life_rows(rows: Rows, length: int) -> None:
    _reversion_nb(_with_itself(rows, length, 1), length, rows.start, rows.out[0])


def _after_window(length: int) -> tuple[int]:
    return (length - 1,)


def _after_change(length: int) -> tuple[int]:
    return (length,)


COVARIANCE = Indicator(
    function=covariance, rows=_covariance_rows, group="statistics", first=_after_window, bounds={"length": (2, 400)},
    unit="other", source="the second moment of two series over a window",
)  # fmt: skip
CORRELATION = Indicator(
    function=correlation, rows=_correlation_rows, group="statistics", first=_after_window, bounds={"length": (5, 400)},
    unit="fraction", source="Karl Pearson, Notes on Regression and Inheritance (1895)",
)  # fmt: skip
BETA = Indicator(
    function=beta, rows=_beta_rows, group="statistics", first=_after_change, bounds={"length": (5, 400)}, unit="other",
    source="William Sharpe, Capital Asset Prices, Journal of Finance 19:3 (1964)",
)  # fmt: skip
SPREAD_ZSCORE = Indicator(
    function=spread_zscore, rows=_spread_zscore_rows, group="statistics", first=_after_window,
    bounds={"length": (10, 1000)}, unit="other", source="Ganapathy Vidyamurthy, Pairs Trading (2004)",
)  # fmt: skip
AUTOCORRELATION = Indicator(
    function=autocorrelation, rows=_autocorrelation_rows, group="statistics",
    bounds={"length": (10, 400), "lag": (1, 20)}, first=lambda length, lag: (length + lag - 1,), unit="fraction",
    source="George Udny Yule, On a Method of Investigating Periodicities in Disturbed Series (1927)",
)  # fmt: skip
HALF_LIFE = Indicator(
    function=half_life, rows=_half_life_rows, group="statistics", first=_after_change, bounds={"length": (10, 1000)},
    unit="bars", source="Ernest Chan, Algorithmic Trading (2013), chapter 2",
)  # fmt: skip
