"""`train`: an estimator fitted in each split of time, and what it says about the bars it was not trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError, DataError
from workbench.research.learning.baselines import base_rate, previous_label
from workbench.research.learning.estimators import checked_estimator, fit, probabilities
from workbench.research.learning.features import FeatureTable
from workbench.research.learning.labels import Labels
from workbench.research.learning.model import Fold, ModelRun
from workbench.research.learning.weights import sample_weights
from workbench.research.validation.splits import AnchoredSplit, Splitter

__all__ = ["Samples", "Weighting", "train"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Weighting = Literal["uniqueness", "equal"]

_FEWEST: Final = 60


@dataclass(frozen=True, eq=False, kw_only=True)
class Samples:
    """What is learnt from, and how it is split.

    Parameters
    ----------
    features : FeatureTable, n rows
    labels : Labels, n rows
    splits : list of (train, test)
        Row numbers; only rows with all features, and in training only those with a known label.
    estimator : estimator of scikit-learn's kind, unfitted
    weighting : {"uniqueness", "equal"}
    seed : int
    """

    features: FeatureTable
    labels: Labels
    splits: Sequence[tuple[Rows, Rows]] = field(repr=False)
    estimator: Any
    weighting: Weighting
    seed: int

    @property
    def classes(self) -> Rows:
        """Classes there are, in order."""
        return np.unique(self.labels.y[self.labels.known])

    def fold(self, train: Rows, test: Rows, y: Rows | None = None) -> tuple[Fold, list[str]]:
        """Fit on some rows, with other labels than their own if given, and score others."""
        own = self.labels.y[train] if y is None else y
        values = self.features.values
        weights = sample_weights(self.labels, train) if self.weighting == "uniqueness" else None
        fitted, warned = fit(self.estimator, values[train], own, weights)
        said = probabilities(fitted, values[test], self.classes, int(own[0]))
        return Fold(train=train, test=test, probability=said, fitted=fitted), warned


def train(
    features: FeatureTable,
    labels: Labels,
    estimator: Any = None,
    *,
    splits: Splitter | None = None,
    weights: Weighting = "uniqueness",
    seed: int = 0,
) -> ModelRun:
    """Train an estimator in each split, purged of what overlaps the test, and score the test.

    Parameters
    ----------
    features : FeatureTable, n rows
        `Features(...).on(bars)`.
    labels : Labels, n rows
        Of the same bars.
    estimator : estimator of scikit-learn's kind, optional
        With `fit` and `predict_proba`; gradient boosting when left out. A copy is fitted in each split.
    splits : Splitter, optional
        Of `research.validation`. When left out: an anchored walk-forward, which begins after 40 % of the bars that
        have features, in ten steps.
    weights : {"uniqueness", "equal"}
        Of samples whose labels overlap; left out for estimators that take none.
    seed : int
        For everything that is drawn.

    Returns
    -------
    ModelRun

    Raises
    ------
    ConfigError
        The estimator gives no probabilities, or an argument is none of its values.
    DataError
        Features and labels are of different bars, too few bars have both, or there is one class only.
    RunError
        The estimator failed.

    Notes
    -----
    A score is the probability of class 1. A bar that several splits test has the mean of what they say.
    """
    usable = _checked(features, labels)
    if weights not in ("uniqueness", "equal"):
        raise ConfigError(f"weights = {weights!r} is not one of 'uniqueness', 'equal'")
    splitter = _usual(features.known) if splits is None else splits
    if not isinstance(splitter, Splitter):
        raise ConfigError(f"splits = {splits!r} does not split: use AnchoredSplit, RollingSplit or another of them")
    raw = list(splitter.split(len(features), labels.end, ts=features.bars.ts))
    pairs = [(one[usable[one]], other[features.known[other]]) for one, other in raw]
    kept = [(one, other) for one, other in pairs if len(one) and len(other)]
    if not kept:
        raise DataError(f"none of the splits of {splitter!r} has both training and test rows; read a longer range")
    samples = Samples(features=features, labels=labels, splits=kept, weighting=weights, seed=seed,
                      estimator=checked_estimator(estimator, seed))  # fmt: skip
    folds, warned = _fitted(samples)
    return ModelRun(
        samples=samples, folds=folds, splitter=repr(splitter), warned=dict(warned),
        baselines={name: np.vstack([make(samples.labels, fold.train, fold.test, samples.classes) for fold in folds])
                   for name, make in (("base rate", base_rate), ("previous label", previous_label))},
    )  # fmt: skip


def _fitted(samples: Samples) -> tuple[list[Fold], Counter[str]]:
    folds, warned = [], Counter[str]()
    for one, other in samples.splits:
        fold, said = samples.fold(one, other)
        folds.append(fold)
        warned.update(said)
    return folds, warned


def _checked(features: FeatureTable, labels: Labels) -> NDArray[np.bool_]:
    if not isinstance(features, FeatureTable) or not isinstance(labels, Labels):
        raise ConfigError(
            f"train takes Features(...).on(bars) and labels; it was given {type(features).__name__} and "
            f"{type(labels).__name__}"
        )
    same = features.bars is labels.bars or features.bars.fingerprint == labels.bars.fingerprint
    if not same:
        raise DataError(f"features are of {features.bars!r} and labels of {labels.bars!r}: make both of the same bars")
    usable = features.known & labels.known
    if usable.sum() < _FEWEST:
        raise DataError(
            f"{int(usable.sum())} bars have all features and a label; at least {_FEWEST} are needed "
            f"({_rarest(features)}; {int(labels.known.sum()):,} of {len(labels):,} bars have a label)"
        )
    if len(np.unique(labels.y[usable])) < 2:
        raise DataError(f"{labels!r} are of one class only: there is nothing to tell apart")
    return np.asarray(usable)


def _rarest(features: FeatureTable) -> str:
    """Say which feature has the fewest values."""
    counts = np.isfinite(features.values).sum(axis=0)
    name, count = features.names[int(counts.argmin())], int(counts.min())
    return f"the feature {name!r} has a value on {count:,} of {len(features):,} bars"


def _usual(known: NDArray[np.bool_]) -> AnchoredSplit:
    rows = np.flatnonzero(known)
    first = int(rows[0] + 0.4 * (rows[-1] - rows[0]))
    return AnchoredSplit(train=max(first, 1), test=max(-(-(len(known) - first) // 10), 1))
