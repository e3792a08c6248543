"""The tree of hierarchical risk parity, and money split along it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["hierarchical_nodes", "leaf_order"]

Floats = NDArray[np.float64]


def leaf_order(matrix: Floats) -> list[int]:
    """Give the assets of a covariance matrix in an order in which what moves together stands together."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import pdist

    if len(matrix) == 1:
        return [0]
    spread = np.sqrt(np.diag(matrix))
    correlation = np.clip(matrix / np.outer(spread, spread), -1.0, 1.0)
    distance = np.sqrt((1.0 - correlation) / 2.0)
    return [int(leaf) for leaf in leaves_list(linkage(pdist(distance), "single"))]


def hierarchical_nodes(matrix: Floats) -> Floats:
    """Split one money down the order of leaves by halves, each half by the inverse of its variance.

    Parameters
    ----------
    matrix : float64 array, shape (k, k)
        Covariance, every variance positive.

    Returns
    -------
    float64 array, shape (k,)
    """
    weights = np.ones(len(matrix))
    # Which of two branches stands first is nobody's wish: by variance it does not depend on the order of the columns.
    ranks = np.argsort(np.diag(matrix), kind="stable")
    clusters = [[int(ranks[leaf]) for leaf in leaf_order(matrix[np.ix_(ranks, ranks)])]]
    while clusters:
        cluster = clusters.pop()
        if len(cluster) < 2:
            continue
        left, right = cluster[: len(cluster) // 2], cluster[len(cluster) // 2 :]
        below, beyond = _variance(matrix, left), _variance(matrix, right)
        share = beyond / (below + beyond)
        weights[left] *= share
        weights[right] *= 1.0 - share
        clusters += [left, right]
    return weights


def _variance(matrix: Floats, cluster: list[int]) -> float:
    """Give the variance of a cluster, its members weighted by the inverse of theirs."""
    part = matrix[np.ix_(cluster, cluster)]
    inside = 1.0 / np.diag(part)
    inside /= inside.sum()
    return max(float(inside @ part @ inside), 1e-300)
