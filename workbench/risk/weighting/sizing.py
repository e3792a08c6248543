"""How much of the whole: a target of volatility, the growth-optimal (Kelly) amount, and what adds which risk."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.risk.weighting.covariances import Estimator, matrix_of
from workbench.risk.weighting.labels import read_assets, read_matrix, read_weights

__all__ = ["diversification_ratio", "kelly", "risk_contributions", "volatility_of", "volatility_target"]

Floats = NDArray[np.float64]


def volatility_target(
    weights: Any,
    returns: Any,
    *,
    target: float,
    periods_per_year: float,
    cap: float = 1.0,
    covariance: Estimator | Any = "ledoit_wolf",
) -> Any:
    """Scale weights so that the whole is expected to have a volatility.

    Parameters
    ----------
    weights : Series or array_like, shape (k,)
    returns : DataFrame or array_like, shape (n, k)
        Simple returns per bar of the same assets.
    target : float
        Annual volatility, a fraction: 0.15 is 15 % a year.
    periods_per_year : float
        Bars of a year.
    cap : float, default 1
        The most that the weights may sum to in size; 1 is no leverage.
    covariance : {"sample", "ledoit_wolf", "oas", "exponential"} or matrix, shape (k, k)

    Returns
    -------
    as `weights`
        What they lack to one is cash. Nothing is scaled up beyond `cap`.

    Raises
    ------
    ConfigError
        The target, the cap or the bars a year are not positive.
    """
    _positive(target=target, cap=cap, periods_per_year=periods_per_year)
    assets = read_assets(returns)
    values, give = read_weights(weights, assets.labels, len(assets.names))
    mine = values != 0.0
    size = float(np.abs(values).sum())
    if not mine.any():
        return give(values)
    matrix = matrix_of(assets.values, covariance, mine)
    spread = math.sqrt(max(float(values[mine] @ matrix @ values[mine]), 0.0) * periods_per_year)
    factor = cap / size if spread == 0.0 else min(target / spread, cap / size)
    return give(values * factor)


def kelly(
    returns: Any,
    *,
    fraction: float = 0.5,
    cap: float = 1.0,
    covariance: Estimator | Any = "ledoit_wolf",
) -> Any:
    """Weigh for the fastest growth of the logarithm of the whole, and take a fraction of that.

    Parameters
    ----------
    returns : DataFrame or array_like, shape (n, k)
        Simple returns per bar.
    fraction : float, default 0.5
        Of the growth-optimal amount; 1 is full Kelly, which no one who estimates should bet.
    cap : float, default 1
        The most that the weights may sum to; beyond it all are scaled down alike.
    covariance : {"sample", "ledoit_wolf", "oas", "exponential"} or matrix, shape (k, k)

    Returns
    -------
    Series by the columns, or float64 array, shape (k,)
        None below zero; they sum to `cap` at most, and what they lack to one is cash. An asset that is not known
        throughout, or never moves, gets nothing.

    Notes
    -----
    The amount that maximises w'm - w'Cw / 2 over w >= 0 (Merton 1969; Thorp 2006): m / variance for one asset. It is
    found as a non-negative least squares problem; directions without variance are left out.
    """
    from scipy.optimize import nnls

    _positive(fraction=fraction, cap=cap)
    assets = read_assets(returns)
    mine = assets.usable()
    matrix = matrix_of(assets.values, covariance, mine)
    mean = assets.values[:, mine].mean(axis=0)
    values, vectors = np.linalg.eigh(matrix)
    good = values > 1e-10 * values.max()
    root = np.sqrt(values[good])
    found, _ = nnls(root[:, None] * vectors[:, good].T, vectors[:, good].T @ mean / root, maxiter=100 * len(mean))
    found = fraction * found
    weights = np.zeros(len(mine))
    weights[mine] = found * min(1.0, cap / float(found.sum())) if found.sum() > 0 else 0.0
    return assets.give(weights)


def volatility_of(weights: Any, covariance: Any) -> float:
    """Give the volatility of a whole: the root of w'Cw, in the units of the matrix (a bar, if that is of bars)."""
    matrix = read_matrix(covariance)
    values, _ = read_weights(weights, matrix.labels, len(matrix.names))
    return math.sqrt(max(float(values @ matrix.values @ values), 0.0))


def risk_contributions(weights: Any, covariance: Any) -> Any:
    """Give what each asset adds to the variance of the whole, as a fraction of it; they sum to one.

    Parameters
    ----------
    weights : Series or array_like, shape (k,)
    covariance : matrix, shape (k, k)

    Returns
    -------
    as `weights`
        Negative for an asset that hedges; NaN where the whole does not vary.
    """
    matrix = read_matrix(covariance)
    values, give = read_weights(weights, matrix.labels, len(matrix.names))
    parts = values * (matrix.values @ values)
    total = float(parts.sum())
    return give(parts / total if total > 0.0 else np.full(len(parts), math.nan))


def diversification_ratio(weights: Any, covariance: Any) -> float:
    """Give the weighted mean of the volatilities over the volatility of the whole: 1 is no diversification at all.

    Short positions count with their size.
    """
    matrix = read_matrix(covariance)
    values, _ = read_weights(weights, matrix.labels, len(matrix.names))
    spread = volatility_of(values, matrix.values)
    return float(np.abs(values) @ np.sqrt(np.diag(matrix.values))) / spread if spread > 0.0 else math.nan


def _positive(**said: Any) -> None:
    for name, value in said.items():
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not 0.0 < value < math.inf:
            raise ConfigError(f"{name} = {value!r}: give a positive number", name=name)
