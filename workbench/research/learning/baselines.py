"""What needs no features: how often each class comes, and what the label before says. Both as known at the time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.research.learning.labels import Labels

__all__ = ["base_rate", "previous_label"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


def base_rate(labels: Labels, train: Rows, test: Rows, classes: Rows) -> Floats:
    """Give for each test row how often each class came in training, shape (tests, classes)."""
    return np.tile(_shares(_places(labels, train, classes), len(classes)), (len(test), 1))


def previous_label(labels: Labels, train: Rows, test: Rows, classes: Rows) -> Floats:
    """Give for each test row how often each class came in training after the label that was last known then.

    Returns
    -------
    float64 array, shape (tests, classes)
    """
    before = _last_known(labels)
    count = len(classes)
    here, then = before[train], _places(labels, train, classes)
    place = np.searchsorted(classes, labels.y)
    table = np.vstack([
        _shares(then[(here >= 0) & (place[np.maximum(here, 0)] == one)], count) for one in range(count)
    ])  # fmt: skip
    seen = before[test]
    return np.where((seen >= 0)[:, None], table[place[np.maximum(seen, 0)]], _shares(then, count)[None, :])


def _last_known(labels: Labels) -> Rows:
    """Give for each row the newest row whose label had ended by then; -1 for none."""
    newest = np.full(len(labels), -1, dtype=np.int64)
    rows = np.flatnonzero(labels.known)
    np.maximum.at(newest, labels.end[rows], rows)
    return np.maximum.accumulate(newest)


def _places(labels: Labels, rows: Rows, classes: Rows) -> Rows:
    return np.searchsorted(classes, labels.y[rows])


def _shares(places: Rows, count: int) -> Floats:
    """Give how often each came, with one more of each, so that nothing is impossible."""
    found = np.bincount(places, minlength=count) + 1.0
    shares: Floats = found / found.sum()
    return shares
