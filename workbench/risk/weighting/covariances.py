"""How returns vary together: the sample's covariance, and ways to believe it less."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError, DataError
from workbench.risk.weighting.labels import read_assets, read_matrix

__all__ = ["Estimator", "covariance", "matrix_of"]

Floats = NDArray[np.float64]
Estimator = Literal["sample", "ledoit_wolf", "oas", "exponential"]


def covariance(returns: Any, method: Estimator = "ledoit_wolf", *, half_life: float = 60.0) -> Any:
    """Estimate the covariance matrix of returns.

    Parameters
    ----------
    returns : DataFrame or array_like, shape (n, k)
        Simple returns per bar, at least two rows, all finite.
    method : {"sample", "ledoit_wolf", "oas", "exponential"}
        - "sample": divided by n - 1.
        - "ledoit_wolf": drawn towards a multiple of the identity as far as loses least (Ledoit and Wolf 2004).
        - "oas": the same, for normal returns (Chen, Wiesel, Eldar, Hero 2010).
        - "exponential": recent rows weigh more.
    half_life : float, default 60
        Rows after which the weight of a row has halved ("exponential").

    Returns
    -------
    DataFrame or float64 array, shape (k, k)
        Variances of a bar; labelled where the returns are.

    Raises
    ------
    DataError
        A return is not known, or there are fewer than two rows.
    ConfigError
        There is no such method, or the half-life is not positive.

    Notes
    -----
    Shrinkage as scikit-learn computes it: about the mean, divided by n. Exponential: weighted about the weighted mean,
    divided by one less the sum of the squared weights, which makes it unbiased for independent rows.
    """
    assets = read_assets(returns)
    if method not in get_args(Estimator):
        raise ConfigError(f"method = {method!r} is not one of {', '.join(map(repr, get_args(Estimator)))}")
    if not 0.0 < half_life < np.inf:
        raise ConfigError(f"half_life = {half_life!r}: give a positive number of rows")
    if not assets.known.all() or len(assets.values) < 2:
        lacking = [name for name, known in zip(assets.names, assets.known, strict=True) if not known]
        raise DataError(f"a covariance needs at least two rows and every return; not known: {lacking or 'the rows'}")
    matrix = _estimate(assets.values, method, half_life)
    if not hasattr(returns, "columns"):
        return matrix
    import pandas as pd

    return pd.DataFrame(matrix, index=assets.names, columns=assets.names)


def _estimate(values: Floats, method: str, half_life: float) -> Floats:
    if method == "exponential":
        weights = 0.5 ** (np.arange(len(values))[::-1] / half_life)
        weights /= weights.sum()
        away = values - weights @ values
        return np.asarray((away * weights[:, None]).T @ away / (1.0 - float(weights @ weights)))
    away = values - values.mean(axis=0)
    if method == "sample":
        return np.asarray(away.T @ away / (len(values) - 1))
    from sklearn.covariance import ledoit_wolf, oas

    # Both want returns of the size of one: tiny variances make their shrinkage lose digits.
    scale = float(np.sqrt(np.mean(away * away))) or 1.0
    found = (ledoit_wolf if method == "ledoit_wolf" else oas)(away / scale, assume_centered=True)[0]
    return np.asarray(found * scale * scale, dtype=np.float64)


def matrix_of(values: Floats, estimator: Any, chosen: NDArray[np.bool_]) -> Floats:
    """Give the covariance matrix of the chosen columns: estimated, or those rows and columns of a matrix given."""
    if isinstance(estimator, str):
        return np.asarray(covariance(values[:, chosen], estimator))  # type: ignore[arg-type]
    matrix = read_matrix(estimator).values
    if len(matrix) != len(chosen):
        raise DataError(f"the covariance matrix is of {len(matrix)} assets, the returns are of {len(chosen)}")
    return np.asarray(matrix[np.ix_(chosen, chosen)])
