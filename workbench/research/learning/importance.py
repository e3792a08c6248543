"""Permutation importance out of sample: what a model loses when a feature is shuffled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.research.learning.estimators import probabilities
from workbench.research.learning.measures import log_losses

if TYPE_CHECKING:
    import pandas as pd

    from workbench.research.learning.model import Fold, ModelRun

__all__ = ["permutation_importance"]


def permutation_importance(run: ModelRun, repeats: int = 5) -> pd.DataFrame:
    """Shuffle each feature in each fold's test, and see by how much the log loss rises.

    Parameters
    ----------
    run : ModelRun
    repeats : int, default 5
        Shuffles of each feature in each fold.

    Returns
    -------
    pandas.DataFrame
        As `ModelRun.importance` says.

    Notes
    -----
    Features that say the same share their importance: shuffling one of them leaves the other. L. Breiman, Random
    Forests, Machine Learning 45 (2001), section 10.
    """
    import pandas as pd

    if isinstance(repeats, bool) or not isinstance(repeats, int) or repeats < 1:
        raise ConfigError(f"repeats = {repeats!r}: give a whole number of shuffles, at least 1")
    chance = np.random.default_rng(run.samples.seed)
    rises = [_rises(run, fold, repeats, chance) for fold in run.folds]
    found = np.stack([rise for rise in rises if rise is not None] or [np.zeros((len(run.samples.features.names), 1))])
    table = {
        "importance": found.mean(axis=(0, 2)),
        "spread": found.std(axis=(0, 2)),
        "helps": (found.mean(axis=2) > 0.0).mean(axis=0),
    }
    frame = pd.DataFrame(table, index=pd.Index(run.samples.features.names, name="feature"))
    return frame.sort_values("importance", ascending=False, kind="stable")


def _rises(run: ModelRun, fold: Fold, repeats: int, chance: np.random.Generator) -> NDArray[np.float64] | None:
    """Give the rises of one fold, shape (features, repeats); None where it has nothing to judge."""
    samples = run.samples
    known = samples.labels.known[fold.test]
    if fold.fitted is None or not known.any():
        return None
    rows = fold.test[known]
    place = np.searchsorted(samples.classes, samples.labels.y[rows])
    base = float(log_losses(fold.probability[known], place).mean())
    values = samples.features.values[rows]
    found = np.empty((values.shape[1], repeats))
    for column in range(values.shape[1]):
        for time in range(repeats):
            mixed = values.copy()
            mixed[:, column] = chance.permutation(mixed[:, column])
            said = probabilities(fold.fitted, mixed, samples.classes, 0)
            found[column, time] = log_losses(said, place).mean() - base
    return found
