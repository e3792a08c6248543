"""Reading what is to be weighted, and giving weights back under the names that came in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError

__all__ = ["Assets", "read_assets", "read_matrix", "read_weights"]

Floats = NDArray[np.float64]


class Assets(NamedTuple):
    """Returns of some assets.

    `values` of shape (n, k), their `names` (`labels`, if they came with some; else their numbers), and how weights are
    given back (`give`).
    """

    values: Floats
    names: list[Any]
    give: Callable[[Floats], Any]
    labels: list[Any] | None

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which have a finite return on every row, shape (k,)."""
        return np.asarray(np.isfinite(self.values).all(axis=0))

    def usable(self, *, moving: bool = True) -> NDArray[np.bool_]:
        """Which can be weighted: known throughout and, for methods of risk, not flat.

        Raises
        ------
        DataError
            None can.
        """
        mine = self.known
        if moving:
            wide = np.ptp(np.where(np.isfinite(self.values), self.values, 0.0), axis=0) > 1e-12
            mine = mine & wide
        if not mine.any():
            raise DataError(
                f"none of the {len(self.names)} assets has {'moving ' if moving else ''}returns on all "
                f"{len(self.values)} rows: there is nothing to weigh"
            )
        return mine


def read_assets(returns: Any) -> Assets:
    """Read returns: a DataFrame (weights come back as a Series by its columns) or an array of shape (n, k).

    Raises
    ------
    DataError
        They are no numbers, or have no row or no column.
    """
    try:
        values = np.asarray(returns, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"returns must be numbers, found {type(returns).__name__}: {error}") from error
    if values.ndim != 2 or not values.size:
        raise DataError(f"returns have shape {values.shape}; give a row a bar and a column an asset, shape (n, k)")
    names = list(returns.columns) if hasattr(returns, "columns") else list(range(values.shape[1]))
    labels = names if hasattr(returns, "columns") else None
    return Assets(values, names, _giver(returns, names), labels)


def read_matrix(covariance: Any) -> Assets:
    """Read a covariance matrix, shape (k, k): a DataFrame or an array.

    Raises
    ------
    DataError
        It is not square, finite, symmetric, or has a negative variance.
    """
    found = read_assets(covariance)
    matrix = found.values
    if matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        raise DataError(f"a covariance matrix is square and finite, this one has shape {matrix.shape}")
    scale = float(np.abs(matrix).max())
    if np.abs(matrix - matrix.T).max() > 1e-8 * scale or np.diag(matrix).min() < 0.0:
        raise DataError("a covariance matrix is symmetric and has no negative variance")
    return found


def read_weights(
    weights: Any, names: Sequence[Any] | None = None, count: int | None = None
) -> tuple[Floats, Callable[[Floats], Any]]:
    """Read weights, shape (k,), in the order of `names` where both have some; of `count` assets, if that is known.

    Raises
    ------
    DataError
        They are not finite, not of one dimension, or of other names.
    """
    if names is not None and hasattr(weights, "reindex"):
        missing = [name for name in weights.index if name not in list(names)]
        if missing:
            raise DataError(f"weights name {missing[0]!r}, which is not among {list(names)}")
        weights = weights.reindex(list(names)).fillna(0.0)
    values = np.asarray(weights, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all() or (count or len(values)) != len(values):
        raise DataError(f"weights must be finite numbers, one for each of {count or 'the'} assets; found {values!r}")
    labels = list(weights.index) if hasattr(weights, "index") and not callable(weights.index) else None
    return values, _giver(weights if labels is not None else values, labels or [])


def _giver(source: Any, names: list[Any]) -> Callable[[Floats], Any]:
    if not (hasattr(source, "columns") or hasattr(source, "reindex")):
        return lambda weights: weights

    def labelled(weights: Floats) -> Any:
        import pandas as pd

        return pd.Series(weights, index=names, name="weight")

    return labelled
