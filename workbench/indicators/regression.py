"""The straight line through a window, by least squares, and how well it fits."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._array import Floats, Line
from workbench.indicators._moments import _line_nb
from workbench.indicators._valid import at_least
from workbench.indicators.indicator import Indicator, Rows

__all__ = [
    "LINEAR_REGRESSION",
    "LINEAR_REGRESSION_ANGLE",
    "LINEAR_REGRESSION_SLOPE",
    "R_SQUARED",
    "STANDARD_ERROR",
    "LinearRegression",
    "linear_regression",
    "linear_regression_angle",
    "linear_regression_slope",
    "r_squared",
    "standard_error",
]


class LinearRegression(NamedTuple):
    """What `linear_regression` gives: three lines of shape (n,), in the unit of the values."""

    line: Line
    intercept: Line
    forecast: Line


@kernel
def _ends_nb(ends: Floats, slopes: Floats, length: int, start: int, out: tuple[Floats, Floats]) -> None:
    """Write where the line begins, and where it is one row after its end."""
    for i in range(start, len(ends)):
        out[0][i] = ends[i] - slopes[i] * (length - 1.0)
        out[1][i] = ends[i] + slopes[i]


@kernel
def _angle_nb(slopes: Floats, start: int, out: Floats) -> None:
    """Write the angle of each slope in degrees."""
    for i in range(start, len(slopes)):
        out[i] = np.arctan(slopes[i]) * (180.0 / np.pi)


@kernel
def _fit_nb(slopes: Floats, variances: Floats, length: int, start: int, out: tuple[Floats, Floats]) -> None:
    """Write the share of the variance that the line explains, and the standard error of what it does not."""
    places = (float(length) * float(length) - 1.0) / 12.0
    for i in range(start, len(slopes)):
        variance = variances[i]
        explained = slopes[i] * slopes[i] * places
        out[0][i] = min(explained / variance, 1.0) if variance > 0.0 else 0.0 * variance
        rest = variance - explained
        rest = rest if not rest <= 1e-14 * variance else 0.0  # what rounding leaves of a straight line
        out[1][i] = np.sqrt(rest * length / (length - 2.0)) if length > 2 else 0.0 * variance


def linear_regression(values: ArrayLike, length: int = 14) -> LinearRegression:
    """Straight line through the last `length` values by least squares: its two ends, and one bar further.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars in the window, at least 2.

    Returns
    -------
    LinearRegression
        `line` (its end, at the present bar), `intercept` (its beginning) and `forecast` (at the next bar): float64
        arrays or Series (`linear_regression_line_14`), shape (n,), in the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 2.

    Notes
    -----
    First values at index `length - 1`; NaN wherever the window holds a missing value. Each window is computed by
    itself, from distances to a value inside it, so nothing drifts; a flat window gives exactly its value. Equal to
    TA-Lib's LINEARREG, LINEARREG_INTERCEPT and TSF. The method is Adrien-Marie Legendre's least squares (1805).

    Examples
    --------
    >>> lines = linear_regression([1.0, 2.0, 3.0, 8.0], length=3)
    >>> lines.line.round(3), lines.forecast.round(3)
    (array([  nan,   nan, 3.   , 7.333]), array([  nan,   nan,  4.   , 10.333]))
    """
    result: LinearRegression = LINEAR_REGRESSION(values, length)
    return result


def linear_regression_angle(values: ArrayLike, length: int = 14) -> Line:
    """Angle of the straight line through the last `length` values, in degrees.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars in the window, at least 2.

    Returns
    -------
    float64 array or Series (`linear_regression_angle_14`), shape (n,)
        From -90 to 90; 45 is one unit of `values` a bar, so it depends on that unit.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 2.

    Notes
    -----
    The arc tangent of `linear_regression_slope`. First value at index `length - 1`; NaN wherever the window holds a
    missing value. A flat window gives exactly 0. Equal to TA-Lib's LINEARREG_ANGLE. The method is Adrien-Marie
    Legendre's least squares (1805).

    Examples
    --------
    >>> linear_regression_angle([1.0, 2.0, 3.0, 3.0], length=2)
    array([nan, 45., 45.,  0.])
    """
    return LINEAR_REGRESSION_ANGLE(values, length)


def linear_regression_slope(values: ArrayLike, length: int = 14) -> Line:
    """Slope of the straight line through the last `length` values.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars in the window, at least 2.

    Returns
    -------
    float64 array or Series (`linear_regression_slope_14`), shape (n,)
        In the unit of `values`, a bar.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 2.

    Notes
    -----
    First value at index `length - 1`; NaN wherever the window holds a missing value. A flat window gives exactly 0.
    Equal to TA-Lib's LINEARREG_SLOPE. The method is Adrien-Marie Legendre's least squares (1805).

    Examples
    --------
    >>> linear_regression_slope([1.0, 2.0, 3.0, 8.0], length=3)
    array([nan, nan,  1.,  3.])
    """
    return LINEAR_REGRESSION_SLOPE(values, length)


def r_squared(values: ArrayLike, length: int = 14) -> Line:
    """Share of the variance of the last `length` values that a straight line through them explains.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars in the window, at least 2.

    Returns
    -------
    float64 array or Series (`r_squared_14`), shape (n,)
        From 0 to 1: 1 is a straight line.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 2.

    Notes
    -----
    The square of the correlation of the values with time. First value at index `length - 1`; NaN wherever the window
    holds a missing value. A flat window has nothing to explain and gives 0. The source is Sewall Wright (1921), as the
    coefficient of determination.

    Examples
    --------
    >>> r_squared([1.0, 2.0, 3.0, 2.0], length=3)
    array([nan, nan,  1.,  0.])
    """
    return R_SQUARED(values, length)


def standard_error(values: ArrayLike, length: int = 14) -> Line:
    """Standard error of the straight line through the last `length` values: how far they are from it.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 14
        Bars in the window, at least 3.

    Returns
    -------
    float64 array or Series (`standard_error_14`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 3.

    Notes
    -----
    The root of the sum of squared residuals over `length - 2`. First value at index `length - 1`; NaN wherever the
    window holds a missing value. A flat window gives exactly 0. The method is Adrien-Marie Legendre's least squares
    (1805). Jon Andersen draws bands with it, Standard Error Bands, Stocks & Commodities 14:9 (1996).

    Examples
    --------
    >>> standard_error([1.0, 2.0, 3.0, 2.0], length=3).round(3)
    array([  nan,   nan, 0.   , 0.816])
    """
    return STANDARD_ERROR(values, length)


def _fitted(rows: Rows, length: int, *given: Floats) -> tuple[Floats, Floats, Floats]:
    lines = (given[0] if given else rows.line()), rows.line(), rows.line()
    _line_nb(rows["values"], length, rows.state(2), lines)
    return lines


def _linear_regression_rows(rows: Rows, length: int) -> None:
    line, intercept, forecast = rows.out
    _, slopes, _ = _fitted(rows, length, line)
    _ends_nb(frozen(line), frozen(slopes), length, rows.start, (intercept, forecast))


def _linear_regression_slope_rows(rows: Rows, length: int) -> None:
    _line_nb(rows["values"], length, rows.state(2), (rows.line(), rows.out[0], rows.line()))


def _linear_regression_angle_rows(rows: Rows, length: int) -> None:
    _angle_nb(frozen(_fitted(rows, length)[1]), rows.start, rows.out[0])


def _r_squared_rows(rows: Rows, length: int) -> None:
    _, slopes, variances = _fitted(rows, length)
    _fit_nb(frozen(slopes), frozen(variances), length, rows.start, (rows.out[0], rows.line()))


def _standard_error_rows(rows: Rows, length: int) -> None:
    _, slopes, variances = _fitted(rows, length)
    _fit_nb(frozen(slopes), frozen(variances), length, rows.start, (rows.line(), rows.out[0]))


def _after_window(length: int) -> tuple[int]:
    return (length - 1,)


_LEAST_SQUARES: Final = (
    "least squares: Adrien-Marie Legendre, Nouvelles méthodes pour la détermination des orbites (1805)"
)

LINEAR_REGRESSION = Indicator(
    function=linear_regression, rows=_linear_regression_rows, group="statistics", lines=LinearRegression,
    first=lambda length: (length - 1,) * 3, bounds={"length": (2, 400)}, check=at_least(2), source=_LEAST_SQUARES,
)  # fmt: skip
LINEAR_REGRESSION_SLOPE = Indicator(
    function=linear_regression_slope, rows=_linear_regression_slope_rows, group="statistics", first=_after_window,
    bounds={"length": (2, 400)}, check=at_least(2), unit="other", source=_LEAST_SQUARES,
)  # fmt: skip
LINEAR_REGRESSION_ANGLE = Indicator(
    function=linear_regression_angle, rows=_linear_regression_angle_rows, group="statistics", first=_after_window,
    bounds={"length": (2, 400)}, check=at_least(2), unit="other", source=_LEAST_SQUARES,
)  # fmt: skip
R_SQUARED = Indicator(
    function=r_squared, rows=_r_squared_rows, group="statistics", first=_after_window, bounds={"length": (3, 400)},
    check=at_least(2), unit="fraction", source="Sewall Wright, Correlation and Causation (1921)",
)  # fmt: skip
STANDARD_ERROR = Indicator(
    function=standard_error, rows=_standard_error_rows, group="statistics", first=_after_window,
    bounds={"length": (3, 400)}, check=at_least(3), unit="other",
    source="Jon Andersen, Standard Error Bands, Stocks & Commodities 14:9 (1996)",
)  # fmt: skip
