"""Weights of samples whose labels overlap: what several labels look at counts once among them.

M. López de Prado, Advances in Financial Machine Learning (2018), chapter 4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError, DataError
from workbench.research.learning.labels import Labels

__all__ = ["average_uniqueness", "sample_weights", "sequential_bootstrap"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


def average_uniqueness(start: Rows, end: Rows) -> Floats:
    """Give for each label the mean, over the bars it looks at, of one over how many labels look at them.

    Parameters
    ----------
    start, end : int64 array, shape (k,)
        First and last bar that each label looks at.

    Returns
    -------
    float64 array, shape (k,)
        From 0 to 1; 1 where no other label looks at the same bars.

    Examples
    --------
    >>> average_uniqueness(np.array([0, 2]), np.array([2, 3]))
    array([0.83333333, 0.75      ])
    """
    if not len(start):
        return np.zeros(0)
    size = int(end.max()) + 2
    steps = np.bincount(start, minlength=size) - np.bincount(end + 1, minlength=size)
    concurrency = np.cumsum(steps)[:-1]
    shares = np.concatenate([[0.0], np.cumsum(1.0 / np.maximum(concurrency, 1))])
    mean: Floats = (shares[end + 1] - shares[start]) / (end + 1 - start)
    return mean


def sample_weights(labels: Labels, rows: Rows | None = None, *, oldest: float = 1.0) -> Floats:
    """Weigh samples by how unique their labels are, and if wanted by age.

    Parameters
    ----------
    labels : Labels
    rows : int64 array, shape (k,), optional
        The samples, increasing; all with a known label when left out. Only these are looked at.
    oldest : float, default 1.0
        What the oldest sample still counts against the newest; between them in proportion to the uniqueness gone by.

    Returns
    -------
    float64 array, shape (k,)
        With a mean of 1.

    Raises
    ------
    ConfigError
        `oldest` is not from 0 to 1.
    """
    if not isinstance(oldest, (int, float)) or not 0.0 <= oldest <= 1.0:
        raise ConfigError(f"oldest = {oldest!r}: give what the oldest sample counts, from 0 to 1 (1 for no decay)")
    rows = np.flatnonzero(labels.known) if rows is None else rows
    if not len(rows):
        return np.zeros(0)
    unique = average_uniqueness(np.minimum(rows + 1, labels.end[rows]), labels.end[rows])
    gone = np.cumsum(unique)
    weights = unique * (oldest + (1.0 - oldest) * gone / gone[-1])
    scaled: Floats = weights / weights.mean()
    return scaled


def sequential_bootstrap(labels: Labels, rows: Rows, *, draws: int | None = None, seed: int = 0) -> Rows:
    """Draw samples with replacement, each the likelier the less it overlaps those drawn already.

    Parameters
    ----------
    labels : Labels
    rows : int64 array, shape (k,)
        To draw from.
    draws : int, optional
        As many as there are rows when left out. The cost grows with `draws` times the bars.
    seed : int

    Returns
    -------
    int64 array, shape (draws,)
        Of `rows`.

    Raises
    ------
    ConfigError, DataError
        `draws` is no count, or a row is none of the labels'.
    """
    rows = np.asarray(rows)
    if rows.ndim != 1 or (rows.size and (rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= len(labels))):
        raise DataError(f"rows: give whole numbers of bars from 0 to {len(labels) - 1}, shape (k,)")
    if draws is not None and (isinstance(draws, bool) or not isinstance(draws, int) or draws < 0):
        raise ConfigError(f"draws = {draws!r}: give a whole number of samples, or None for as many as rows")
    rows = rows.astype(np.int64)
    start, end = np.minimum(rows + 1, labels.end[rows]), labels.end[rows]
    counts = np.zeros(int(end.max()) + 1 if len(rows) else 0)
    chance, drawn = np.random.default_rng(seed), []
    for _ in range((len(rows) if draws is None else draws) if len(rows) else 0):
        shares = np.concatenate([[0.0], np.cumsum(1.0 / (counts + 1.0))])
        unique = (shares[end + 1] - shares[start]) / (end + 1 - start)
        pick = int(chance.choice(len(rows), p=unique / unique.sum()))
        counts[start[pick] : end[pick] + 1] += 1.0
        drawn.append(int(rows[pick]))
    return np.array(drawn, dtype=np.int64)
