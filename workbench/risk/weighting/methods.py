"""Weights from returns: by counting, by risk, by how assets vary together. Long only unless limits say otherwise."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.risk.weighting.covariances import Estimator, matrix_of
from workbench.risk.weighting.hierarchy import hierarchical_nodes
from workbench.risk.weighting.labels import read_assets
from workbench.risk.weighting.limits import Limits

__all__ = [
    "METHODS",
    "equal_risk_contribution",
    "equal_weight",
    "hrp",
    "inverse_volatility",
    "maximum_diversification",
    "minimum_variance",
]

Floats = NDArray[np.float64]
_ROUNDS: Final = 10_000
_CLOSE: Final = 1e-11  # of the contributions


def equal_weight(returns: Any) -> Any:
    """Give every asset the same weight.

    Parameters
    ----------
    returns : DataFrame or array_like, shape (n, k)
        Simple returns per bar.

    Returns
    -------
    Series by the columns, or float64 array, shape (k,)
        They sum to one. An asset whose returns are not all known gets nothing.
    """
    assets = read_assets(returns)
    mine = assets.usable(moving=False)
    return assets.give(np.where(mine, 1.0 / mine.sum(), 0.0))


def inverse_volatility(returns: Any, *, covariance: Estimator | Any = "sample") -> Any:
    """Weigh by one over the volatility, as if nothing moved together.

    Parameters
    ----------
    returns : DataFrame or array_like, shape (n, k)
    covariance : {"sample", "ledoit_wolf", "oas", "exponential"} or matrix, shape (k, k)
        How it is estimated, or what it is.

    Returns
    -------
    Series by the columns, or float64 array, shape (k,)
        They sum to one. An asset that is not known throughout, or never moves, gets nothing.
    """
    return _weighted(returns, covariance, lambda matrix: 1.0 / np.sqrt(np.diag(matrix)))


def equal_risk_contribution(
    returns: Any, *, covariance: Estimator | Any = "ledoit_wolf", limits: Limits | None = None
) -> Any:
    """Weigh so that every asset adds the same to the variance of the whole.

    Parameters
    ----------
    returns : DataFrame or array_like, shape (n, k)
    covariance : {"sample", "ledoit_wolf", "oas", "exponential"} or matrix, shape (k, k)
    limits : Limits, optional
        With bounds or caps the contributions are as equal as these allow.

    Returns
    -------
    Series by the columns, or float64 array, shape (k,)
        They sum to one. An asset that is not known throughout, or never moves, gets nothing.

    Notes
    -----
    Maillard, Roncalli and Teiletche (2010); found by cyclical coordinate descent (Griveau-Billion, Richard and Roncalli
    2013), with limits by skfolio.
    """
    return _weighted(returns, covariance, _equal_risk, ("equal_risk_contribution", limits))


def minimum_variance(returns: Any, *, covariance: Estimator | Any = "ledoit_wolf", limits: Limits | None = None) -> Any:
    """Weigh so that the whole varies least.

    Parameters
    ----------
    returns : DataFrame or array_like, shape (n, k)
    covariance : {"sample", "ledoit_wolf", "oas", "exponential"} or matrix, shape (k, k)
    limits : Limits, optional
        Long only when left out.

    Returns
    -------
    Series by the columns, or float64 array, shape (k,)
        They sum to one. An asset that is not known throughout, or never moves, gets nothing.

    Notes
    -----
    Markowitz (1952). Long only it is a non-negative least squares problem, exact also where the matrix is singular;
    with limits it is solved by skfolio.
    """
    return _weighted(returns, covariance, _least_variance, ("minimum_variance", limits))


def maximum_diversification(
    returns: Any, *, covariance: Estimator | Any = "ledoit_wolf", limits: Limits | None = None
) -> Any:
    """Weigh so that the mean volatility of the assets is most above the volatility of the whole.

    Parameters
    ----------
    returns : DataFrame or array_like, shape (n, k)
    covariance : {"sample", "ledoit_wolf", "oas", "exponential"} or matrix, shape (k, k)
    limits : Limits, optional
        Long only when left out.

    Returns
    -------
    Series by the columns, or float64 array, shape (k,)
        They sum to one. An asset that is not known throughout, or never moves, gets nothing.

    Notes
    -----
    Choueifaty and Coignard (2008). Long only it is the least variance under the correlations, over the volatilities;
    with limits it is solved by skfolio.
    """
    return _weighted(returns, covariance, _most_diverse, ("maximum_diversification", limits))


def hrp(returns: Any, *, covariance: Estimator | Any = "ledoit_wolf") -> Any:
    """Weigh by hierarchical risk parity: split the money between branches of a tree of what moves together.

    Parameters
    ----------
    returns : DataFrame or array_like, shape (n, k)
    covariance : {"sample", "ledoit_wolf", "oas", "exponential"} or matrix, shape (k, k)

    Returns
    -------
    Series by the columns, or float64 array, shape (k,)
        They sum to one, none below zero. An asset that is not known throughout, or never moves, gets nothing.

    Notes
    -----
    López de Prado (2016), Building Diversified Portfolios that Outperform Out of Sample: single linkage of the
    distances between columns of sqrt((1 - correlation) / 2), recursive bisection with inverse-variance weights inside;
    the order of the columns does not matter.
    No matrix is inverted, so a singular one does no harm.
    """
    return _weighted(returns, covariance, hierarchical_nodes)


METHODS: Final = {
    "equal_weight": equal_weight,
    "inverse_volatility": inverse_volatility,
    "equal_risk_contribution": equal_risk_contribution,
    "minimum_variance": minimum_variance,
    "maximum_diversification": maximum_diversification,
    "hrp": hrp,
}
"""The methods that `allocate` knows by name."""


def _weighted(returns: Any, covariance: Any, method: Any, limited: tuple[str, Limits | None] | None = None) -> Any:
    """Weigh what can be weighed by a function of the covariance matrix; the rest gets nothing."""
    assets = read_assets(returns)
    mine = assets.usable()
    matrix = matrix_of(assets.values, covariance, mine)
    names = [name for name, use in zip(assets.names, mine, strict=True) if use]
    weights = np.zeros(len(mine))
    if limited is not None and limited[1] is not None and not limited[1].plain:
        weights[mine] = _limited(matrix, names, limited[0], limited[1])
        return assets.give(weights)
    if not np.diag(matrix).min() > 0.0:
        raise ConfigError("the covariance matrix has an asset without variance: leave it out")
    # Only how variances compare matters; of the size of one they lose no digits.
    found = method(matrix / float(np.diag(matrix).mean()))
    weights[mine] = found / found.sum()
    return assets.give(weights)


def _limited(matrix: Floats, names: list[Any], method: str, limits: Limits) -> Floats:
    from workbench.risk.weighting.constrained import solve

    return solve(matrix, names, method, limits)


def _equal_risk(matrix: Floats) -> Floats:
    count, variances = len(matrix), np.diag(matrix)
    weights = 1.0 / np.sqrt(variances)
    for _ in range(_ROUNDS):
        for i in range(count):
            others = float(matrix[i] @ weights - variances[i] * weights[i])
            weights[i] = (-others + np.sqrt(others * others + 4.0 * variances[i] / count)) / (2.0 * variances[i])
        parts = weights * (matrix @ weights)
        if np.abs(parts / parts.sum() - 1.0 / count).max() <= _CLOSE:
            break
    return weights


def _least_variance(matrix: Floats) -> Floats:
    """Solve min w'Cw, w >= 0, up to scale: the sum of weights is drawn towards one by one more row."""
    from scipy.optimize import nnls

    values, vectors = np.linalg.eigh(matrix)
    root = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    count = len(matrix)
    weights, _ = nnls(np.vstack((root, np.ones(count))), np.append(np.zeros(count), 1.0), maxiter=100 * count)
    return np.asarray(weights, dtype=np.float64)


def _most_diverse(matrix: Floats) -> Floats:
    spread = np.sqrt(np.diag(matrix))
    return np.asarray(_least_variance(matrix / np.outer(spread, spread)) / spread)
