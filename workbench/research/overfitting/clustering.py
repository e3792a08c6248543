"""How many of many trials are independent: the clusters of their returns' correlation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.research.overfitting.trials import read_returns

__all__ = ["Clusters", "cluster_trials"]

Floats = NDArray[np.float64]
_CUTS: Final = 40


@dataclass(frozen=True, kw_only=True, eq=False)
class Clusters:
    """Groups of trials that did much the same.

    Parameters
    ----------
    labels : int array, shape (k,)
        Cluster of each trial, from 0; -1 for a trial without returns that vary, which is in none.
    count : int
        Number of clusters.
    effective : float
        Number of independent trials that these amount to, between `count` and k (see `cluster_trials`).
    mean_correlation : float
        Of all pairs; NaN with fewer than two trials.
    silhouette : float
        Mean of the trials' silhouettes, -1 to 1: how clearly the clusters are apart. NaN where there is one cluster, or
        none with two members.
    """

    labels: NDArray[np.intp]
    count: int
    effective: float
    mean_correlation: float
    silhouette: float


def cluster_trials(returns: Any) -> Clusters:
    """Group trials by the correlation of their returns, and count how many independent ones they amount to.

    Parameters
    ----------
    returns : array_like or frame, shape (T, k)
        One column a trial. Columns with what is not finite, or without variation, are left out of every count.

    Returns
    -------
    Clusters

    Notes
    -----
    Distance ``sqrt((1 - correlation) / 2)``, average linkage; where the tree is cut is decided by the silhouettes: the
    number of clusters with the highest mean over standard deviation, as in Lopez de Prado and Lewis (2019), Detection
    of False Investment Strategies Using Unsupervised Learning Methods, who find the clusters by k-means instead.

    Within a cluster trials are alike, not equal. Of n members with mean correlation r, ``r + (1 - r) n`` count (Bailey
    and Lopez de Prado 2014, The Deflated Sharpe Ratio, appendix 3). `effective` is the sum over clusters: k where all
    are independent however they were grouped, the number of clusters where the members of each are identical. It errs
    on the side of too many, which makes claims harder.
    """
    block = read_returns(returns)
    correlation, members = _correlation(block)
    labels = np.full(block.shape[1], -1, dtype=np.intp)
    if len(members) < 3:
        labels[members] = np.arange(len(members))
        mean = float(correlation[0, 1]) if len(members) == 2 else math.nan
        shared = 0.0 if math.isnan(mean) else min(max(mean, 0.0), 1.0)
        return Clusters(
            labels=labels, count=len(members), effective=len(members) - shared, mean_correlation=mean,
            silhouette=math.nan,
        )  # fmt: skip
    groups, silhouette = _cut(correlation)
    labels[members] = groups
    above = correlation[np.triu_indices(len(members), 1)]
    return Clusters(
        labels=labels, count=int(groups.max()) + 1, effective=_effective(correlation, groups),
        mean_correlation=float(above.mean()), silhouette=silhouette,
    )  # fmt: skip


def _correlation(block: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Correlation of the columns that vary, and which those are."""
    if len(block) < 3:
        return np.empty((0, 0)), np.empty(0, dtype=np.intp)
    known = np.isfinite(block).all(axis=0)
    centred = np.where(known, block, 0.0)
    scale = np.abs(centred).max(axis=0)
    centred = centred - centred.mean(axis=0)
    spread = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    members = np.flatnonzero(known & (spread > 1e-12 * scale * math.sqrt(len(block))))
    unit = centred[:, members] / spread[members]
    correlation = np.clip(unit.T @ unit, -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    return correlation, members


def _cut(correlation: Floats) -> tuple[NDArray[np.intp], float]:
    """Cut the tree of the trials where the silhouettes are best."""
    from scipy.cluster.hierarchy import cut_tree, linkage
    from scipy.spatial.distance import squareform

    apart = (1.0 - correlation) / 2.0
    distance = np.sqrt(np.where(apart > 1e-12, apart, 0.0))  # copies differ by rounding alone
    tree = linkage(squareform(distance, checks=False), "average")
    size = len(distance)
    candidates = np.unique(np.geomspace(2, size - 1, min(_CUTS, size - 2)).round().astype(int))
    cuts = cut_tree(tree, candidates)
    best, quality, mean = np.zeros(size, dtype=np.intp), -math.inf, math.nan
    for column in range(cuts.shape[1]):
        labels = cuts[:, column]
        own = _silhouettes(distance, labels)
        spread = float(own.std())
        good = float(own.mean()) / spread if spread > 0.0 else float(own.mean()) * math.inf if own.mean() else -math.inf
        if good > quality:
            best, quality, mean = labels, good, float(own.mean())
    return np.unique(best, return_inverse=True)[1].astype(np.intp), mean


def _silhouettes(distance: Floats, labels: NDArray[Any]) -> Floats:
    """Silhouette of each trial; zero for one that is alone."""
    inside = np.zeros((len(labels), int(labels.max()) + 1))
    inside[np.arange(len(labels)), labels] = 1.0
    sizes = inside.sum(axis=0)
    total = distance @ inside
    rows = np.arange(len(labels))
    own = total[rows, labels] / np.maximum(sizes[labels] - 1.0, 1.0)
    other = total / sizes
    other[rows, labels] = math.inf
    near = other.min(axis=1)
    widest = np.maximum(own, near)
    apart = np.divide(near - own, widest, out=np.zeros(len(labels)), where=widest > 0.0)
    return np.where(sizes[labels] > 1.0, apart, 0.0)


def _effective(correlation: Floats, labels: NDArray[np.intp]) -> float:
    whole = 0.0
    for label in range(int(labels.max()) + 1):
        members = np.flatnonzero(labels == label)
        n = len(members)
        if n == 1:
            whole += 1.0
            continue
        inner = correlation[np.ix_(members, members)]
        alike = min(max((float(inner.sum()) - n) / (n * (n - 1.0)), 0.0), 1.0)
        whole += alike + (1.0 - alike) * n
    return whole
