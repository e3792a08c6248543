"""The shape of the distribution in a window: spread, tails and order; and the changes to look at it by."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workbench._kernels import frozen, kernel
from workbench.indicators._arithmetic import mean
from workbench.indicators._array import Floats, Line
from workbench.indicators._moments import _shape_nb, deviation
from workbench.indicators._valid import at_least, between
from workbench.indicators.indicator import Indicator, Rows

__all__ = [
    "ENTROPY",
    "KURTOSIS",
    "MEAN_ABSOLUTE_DEVIATION",
    "SKEWNESS",
    "VARIANCE",
    "ZSCORE",
    "entropy",
    "kurtosis",
    "mean_absolute_deviation",
    "score",
    "skewness",
    "variance",
    "zscore",
]


@kernel
def _skewness_nb(moments: tuple[Floats, Floats, Floats], length: int, start: int, out: Floats) -> None:
    """Write the skewness of a sample."""
    n = float(length)
    factor = np.sqrt(n * (n - 1.0)) / (n - 2.0)
    for i in range(start, len(out)):
        variance = moments[0][i]
        out[i] = factor * (moments[1][i] / (variance * np.sqrt(variance))) if variance != 0.0 else 0.0


@kernel
def _kurtosis_nb(moments: tuple[Floats, Floats, Floats], length: int, start: int, out: Floats) -> None:
    """Write the excess kurtosis of a sample."""
    n = float(length)
    factor = (n - 1.0) / ((n - 2.0) * (n - 3.0))
    for i in range(start, len(out)):
        variance = moments[0][i]
        excess = moments[2][i] / (variance * variance) - 3.0
        out[i] = factor * ((n + 1.0) * excess + 6.0) if variance != 0.0 else 0.0


@kernel
def _absolute_nb(values: Floats, means: Floats, length: int, start: int, out: Floats) -> None:
    """Write the mean distance of each window from its mean."""
    for i in range(start, len(values)):
        middle, total = means[i], 0.0
        if middle != middle:
            out[i] = np.nan
            continue
        for k in range(i - length + 1, i + 1):
            total += abs(values[k] - middle)
        out[i] = total / length


@kernel
def _entropy_nb(values: Floats, length: int, bins: int, start: int, state: Floats, out: Floats) -> None:
    """Write the entropy of a window's histogram. `state` is how many values without a gap end before `start`."""
    seen = int(state[0])
    counts, scale = np.zeros(bins), 1.0 / np.log(float(bins))
    for i in range(start, len(values)):
        seen = seen + 1 if values[i] - values[i] == 0.0 else 0
        if seen < length:
            out[i] = np.nan
            continue
        window = values[i - length + 1 : i + 1]
        low = high = window[0]
        for value in window:
            low, high = min(low, value), max(high, value)
        counts[:] = 0.0
        width = (high - low) / bins
        for value in window:
            place = int((value - low) / width) if width > 0.0 else 0
            counts[min(place, bins - 1)] += 1.0
        total = 0.0
        for count in counts:
            total -= count * np.log(count / length) if count > 0.0 else 0.0
        out[i] = total * scale / length
    state[0] = seen


@kernel
def _score_nb(values: Floats, means: Floats, deviations: Floats, start: int, out: Floats) -> None:
    """Write the distance from the mean in deviations; 0.0 where nothing deviates."""
    for i in range(start, len(values)):
        out[i] = (values[i] - means[i]) / deviations[i] if deviations[i] != 0.0 else 0.0


@kernel
def _square_nb(values: Floats, start: int, out: Floats) -> None:
    """Write the square of each value."""
    for i in range(start, len(values)):
        out[i] = values[i] * values[i]


def entropy(values: ArrayLike, length: int = 100, bins: int = 10) -> Line:
    """Shannon entropy of the last `length` values: how evenly they are spread over their range.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 100
        Bars in the window.
    bins : int, default 10
        Equal parts, 2 to 1000, into which the range of the window is cut.

    Returns
    -------
    float64 array or Series (`entropy_100_10`), shape (n,)
        From 0 (all in one part) to 1 (as many in each part).

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1, or `bins` not one from 2 to 1000.

    Notes
    -----
    The entropy of the shares of the values in each part, over the logarithm of `bins`. First value at index `length -
    1`; NaN wherever the window holds a missing value. A flat window gives 0. Each window is gone through again, so a
    bar takes `length` steps. The source is Claude Shannon, A Mathematical Theory of Communication (1948).

    Examples
    --------
    >>> entropy([1.0, 2.0, 3.0, 4.0, 4.0], length=4, bins=2).round(3)
    array([  nan,   nan,   nan, 1.   , 0.811])
    """
    return ENTROPY(values, length, bins)


def kurtosis(values: ArrayLike, length: int = 50) -> Line:
    """Excess kurtosis of the last `length` values: how heavy the tails are against a normal distribution.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 50
        Bars in the window, at least 4.

    Returns
    -------
    float64 array or Series (`kurtosis_50`), shape (n,)
        Without unit; 0 is normal, above it has heavier tails.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 4.

    Notes
    -----
    The sample's, with the correction for its size, as pandas and spreadsheets give it. First value at index `length -
    1`; NaN wherever the window holds a missing value. A flat window gives 0 (pandas says -3). Give changes, such as
    `log_return`, not prices. The source is Ronald Fisher's g2 (1929).

    Examples
    --------
    >>> kurtosis([1.0, 2.0, 3.0, 4.0, 9.0], length=4).round(3)
    array([   nan,    nan,    nan, -1.2  ,  2.704])
    """
    return KURTOSIS(values, length)


def mean_absolute_deviation(values: ArrayLike, length: int = 20) -> Line:
    """Mean distance of the last `length` values from their mean.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.

    Returns
    -------
    float64 array or Series (`mean_absolute_deviation_20`), shape (n,)
        In the unit of `values`.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    First value at index `length - 1`; NaN wherever the window holds a missing value. A flat window gives exactly 0.
    Each window is gone through again, so a bar takes `length` steps. It is what `cci` divides by, and TA-Lib's AVGDEV.

    Examples
    --------
    >>> mean_absolute_deviation([1.0, 3.0, 3.0, 7.0], length=2)
    array([nan,  1.,  0.,  2.])
    """
    return MEAN_ABSOLUTE_DEVIATION(values, length)


def skewness(values: ArrayLike, length: int = 50) -> Line:
    """Skewness of the last `length` values: whether the long tail is above (positive) or below the mean.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 50
        Bars in the window, at least 3.

    Returns
    -------
    float64 array or Series (`skewness_50`), shape (n,)
        Without unit; 0 is symmetric.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 3.

    Notes
    -----
    The sample's, with the correction for its size, as pandas and spreadsheets give it. First value at index `length -
    1`; NaN wherever the window holds a missing value. A flat window gives 0. Give changes, such as `log_return`, not
    prices. The source is Ronald Fisher's g1 (1929).

    Examples
    --------
    >>> skewness([1.0, 1.0, 4.0, 7.0], length=3).round(3)
    array([  nan,   nan, 1.732, 0.   ])
    """
    return SKEWNESS(values, length)


def variance(values: ArrayLike, length: int = 20) -> Line:
    """Mean squared distance of the last `length` values from their mean: the variance of a population.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.

    Returns
    -------
    float64 array or Series (`variance_20`), shape (n,)
        In the unit of `values`, squared; times `length / (length - 1)` it is that of a sample.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    The square of `standard_deviation`. First value at index `length - 1`; NaN wherever the window holds a missing
    value. Each window is computed by itself, so nothing drifts; a flat window gives exactly 0. Equal to TA-Lib's VAR.

    Examples
    --------
    >>> variance([1.0, 3.0, 3.0, 7.0], length=2)
    array([nan,  1.,  0.,  4.])
    """
    return VARIANCE(values, length)


def zscore(values: ArrayLike, length: int = 20) -> Line:
    """How many standard deviations a value is from the mean of the last `length` values.

    Parameters
    ----------
    values : array_like or pandas.Series, shape (n,)
    length : int, default 20
        Bars in the window.

    Returns
    -------
    float64 array or Series (`zscore_20`), shape (n,)
        2.0 is above the mean by two standard deviations.

    Raises
    ------
    DataError
        `values` is not one column of numbers.
    StrategyError
        `length` is not a whole number of at least 1.

    Notes
    -----
    The value itself is in the window, and the deviation is that of a population, so it cannot go beyond `sqrt(length -
    1)` either way. First value at index `length - 1`; NaN wherever the window holds a missing value. A flat window
    gives 0. The source is Ronald Fisher's standardisation (1925).

    Examples
    --------
    >>> zscore([1.0, 3.0, 3.0, 7.0], length=2)
    array([nan,  1.,  0.,  1.])
    """
    return ZSCORE(values, length)


def score(rows: Rows, values: Floats, length: int) -> None:
    """Write how many standard deviations each value of a line is from the mean of its window."""
    means, deviations = deviation(rows, values, length)
    _score_nb(frozen(values), frozen(means), frozen(deviations), rows.start, rows.out[0])


def _zscore_rows(rows: Rows, length: int) -> None:
    score(rows, rows["values"], length)


def _variance_rows(rows: Rows, length: int) -> None:
    _, deviations = deviation(rows, rows["values"], length)
    _square_nb(frozen(deviations), rows.start, rows.out[0])


def _shape(rows: Rows, length: int) -> tuple[Floats, Floats, Floats]:
    lines = rows.line(), rows.line(), rows.line()
    _shape_nb(rows["values"], length, rows.state(2), lines)
    return lines


def _skewness_rows(rows: Rows, length: int) -> None:
    _skewness_nb(_shape(rows, length), length, rows.start, rows.out[0])


def _kurtosis_rows(rows: Rows, length: int) -> None:
    _kurtosis_nb(_shape(rows, length), length, rows.start, rows.out[0])


def _mean_absolute_deviation_rows(rows: Rows, length: int) -> None:
    means = mean(rows, rows["values"], length)
    _absolute_nb(rows["values"], frozen(means), length, rows.start, rows.out[0])


def _entropy_rows(rows: Rows, length: int, bins: int) -> None:
    _entropy_nb(rows["values"], length, bins, rows.start, rows.state(1), rows.out[0])


def _after_window(length: int) -> tuple[int]:
    return (length - 1,)


SKEWNESS = Indicator(
    function=skewness, rows=_skewness_rows, group="statistics", first=_after_window, bounds={"length": (10, 400)},
    check=at_least(3), unit="other", source="Ronald Fisher, Moments of Sampling Distributions (1929)",
)  # fmt: skip
KURTOSIS = Indicator(
    function=kurtosis, rows=_kurtosis_rows, group="statistics", first=_after_window, bounds={"length": (10, 400)},
    check=at_least(4), unit="other", source="Ronald Fisher, Moments of Sampling Distributions (1929)",
)  # fmt: skip
MEAN_ABSOLUTE_DEVIATION = Indicator(
    function=mean_absolute_deviation, rows=_mean_absolute_deviation_rows, group="statistics", first=_after_window,
    bounds={"length": (2, 400)}, unit="other", source="the first absolute moment of a window",
)  # fmt: skip
ENTROPY = Indicator(
    function=entropy, rows=_entropy_rows, group="statistics", first=lambda length, bins: (length - 1,),
    bounds={"length": (20, 400), "bins": (2, 50)}, valid={"bins": between(2, 1_000)}, unit="fraction",
    source="Claude Shannon, A Mathematical Theory of Communication (1948)",
)  # fmt: skip
VARIANCE = Indicator(
    function=variance, rows=_variance_rows, group="statistics", first=_after_window, bounds={"length": (2, 400)},
    unit="other", source="the second central moment of a window",
)  # fmt: skip
ZSCORE = Indicator(
    function=zscore, rows=_zscore_rows, group="statistics", first=_after_window, bounds={"length": (2, 400)},
    unit="other", source="Ronald Fisher, Statistical Methods for Research Workers (1925)",
)  # fmt: skip
