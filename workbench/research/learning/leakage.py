"""`LeakageReport`: overlap, features that know too much, and a scrambled control."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.research.learning.measures import auc
from workbench.research.learning.weights import average_uniqueness

if TYPE_CHECKING:
    import pandas as pd

    from workbench.research.learning.model import ModelRun

__all__ = ["LeakageReport", "leakage_report", "overlaps"]

Rows = NDArray[np.int64]

_GOOD: Final = 0.25  # beyond 0.5: a single feature that sorts three of four pairs
_SOME: Final = 0.10
_SIGMAS: Final = 4.0
_ALLOWED: Final = 0.05


@dataclass(frozen=True, eq=False, kw_only=True)
class LeakageReport:
    """What was looked for and what was found.

    Attributes
    ----------
    lines : list of str
        The verdict, a sentence a check; those that failed begin with "LEAK" or "SUSPECT".
    features : pandas.DataFrame
        By feature: `auc` of the feature alone, `auc_before` (as it was a bar earlier), `auc_after` (as it is a bar
        later, which nobody knows: what a look-ahead of one bar would give), `suspect`.
    overlapping : int
        Training rows whose label looks into a test.
    scrambled : list of float
        AUC out of sample of models that were trained on shuffled labels; 0.5 is chance.
    allowed : float
        How far from 0.5 the mean of those may be.
    """

    lines: Sequence[str]
    features: pd.DataFrame = field(repr=False)
    overlapping: int
    scrambled: Sequence[float]
    allowed: float

    @property
    def clean(self) -> bool:
        """Whether no check failed."""
        return not any(line.startswith(("LEAK", "SUSPECT")) for line in self.lines)

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def __repr__(self) -> str:
        return f"<LeakageReport: {'clean' if self.clean else 'look at it'}>\n{self}"

    def _repr_html_(self) -> str:
        from workbench.research.learning.pages import leakage_page

        return leakage_page(self)


def leakage_report(run: ModelRun, shuffles: int = 3) -> LeakageReport:
    """Check a run; see `ModelRun.leakage`.

    Notes
    -----
    Scrambled: the labels of each training are shuffled, the model is trained anew and scored on the true labels of the
    test. What it still knows then did not come from its training. Four standard deviations of chance are allowed,
    counting only as many samples as there are labels that do not overlap, and at least 0.05.
    """
    if isinstance(shuffles, bool) or not isinstance(shuffles, int) or shuffles < 1:
        raise ConfigError(f"shuffles = {shuffles!r}: give a whole number of trainings, at least 1")
    shared = sum(overlaps(fold.train, fold.test, run.samples.labels.end) for fold in run.folds)
    table = _single_features(run)
    scrambled = [_scrambled(run, shuffle) for shuffle in range(shuffles)]
    allowed = _allowed(run)
    lines = [_proof(run), _overlap(shared), _times(run), *_suspects(table), _control(scrambled, allowed)]
    return LeakageReport(lines=lines, features=table, overlapping=shared, scrambled=scrambled, allowed=allowed)


def overlaps(train: Rows, test: Rows, end: Rows) -> int:
    """Count the training rows whose label looks at a bar that a test row or its label looks at, one run after another.

    Parameters
    ----------
    train, test : int64 array
        Row numbers, increasing.
    end : int64 array, shape (n,)
        The last bar that each label looks at.

    Notes
    -----
    Found by marking bars, not by the arithmetic that made the splits.
    """
    marked = np.zeros(len(end) + 1, dtype=np.int64)
    np.add.at(marked, test, 1)
    np.add.at(marked, np.minimum(end[test] + 1, len(end)), -1)
    covered = np.concatenate([[0], np.cumsum(np.cumsum(marked)[:-1] > 0)])
    return int(np.sum(covered[end[train] + 1] - covered[train] > 0))


def _single_features(run: ModelRun) -> pd.DataFrame:
    import pandas as pd

    samples = run.samples
    rows = np.flatnonzero(samples.features.known & samples.labels.known)
    rows = rows[(rows > 0) & (rows < len(samples.features) - 1)]
    hoped = samples.labels.y[rows] == samples.classes[run._hoped]
    found = {}
    for place, name in enumerate(samples.features.names):
        column = samples.features.values[:, place]
        now, before, after = (_auc(column[rows + shift], hoped) for shift in (0, -1, 1))
        edge, ahead = abs(now - 0.5), abs(after - 0.5)
        suspect = edge > _GOOD or (edge > _SOME and edge > ahead and edge > 2.0 * abs(before - 0.5))
        found[name] = {"auc": now, "auc_before": before, "auc_after": after, "suspect": suspect}
    return pd.DataFrame.from_dict(found, orient="index").rename_axis("feature")


def _auc(column: NDArray[np.float64], hoped: NDArray[np.bool_]) -> float:
    fine = np.isfinite(column)
    return auc(column[fine], hoped[fine])


def _scrambled(run: ModelRun, shuffle: int) -> float:
    samples = run.samples
    chance = np.random.default_rng((samples.seed, shuffle))
    scores, came = [], []
    for one, other in samples.splits:
        fold, _ = samples.fold(one, other, chance.permutation(samples.labels.y[one]))
        known = samples.labels.known[other]
        scores.append(fold.probability[known, run._hoped])
        came.append(samples.labels.y[other[known]] == samples.classes[run._hoped])
    each = [(auc(score, hoped), len(score)) for score, hoped in zip(scores, came, strict=True)]
    sound = [(value, count) for value, count in each if math.isfinite(value)]
    return sum(value * count for value, count in sound) / max(sum(count for _, count in sound), 1) if sound else 0.5


def _allowed(run: ModelRun) -> float:
    rows = np.unique(run._tested)
    labels = run.samples.labels
    rows = rows[labels.known[rows]]
    independent = average_uniqueness(np.minimum(rows + 1, labels.end[rows]), labels.end[rows]).sum()
    share = float(np.mean(labels.y[rows] == run.samples.classes[run._hoped]))
    spread = math.sqrt(1.0 / max(12.0 * independent * share * (1.0 - share), 1e-9))
    return max(_ALLOWED, _SIGMAS * spread)


def _proof(run: ModelRun) -> str:
    if run.samples.features.proven:
        return "ok: no feature changes when later bars are appended."
    return "SUSPECT: the features were computed with prove=False; nothing shows that they do not look ahead."


def _overlap(shared: int) -> str:
    if shared:
        return f"LEAK: {shared:,} training rows have labels that look into the bars they were tested on; use a purge."
    return "ok: no training label looks into a test, or a test label into a training."


def _times(run: ModelRun) -> str:
    if run.causal:
        return "ok: every test comes after its training."
    return "note: some trainings have rows after their test; these scores judge a model but cannot be traded."


def _suspects(table: pd.DataFrame) -> list[str]:
    found = [
        f"SUSPECT: the feature {name!r} alone has an AUC of {row['auc']:.3f} ({row['auc_before']:.3f} as it was a bar "
        "earlier); ask when it was known."
        for name, row in table[table["suspect"].astype(bool)].iterrows()
    ]
    return found or ["ok: no feature alone knows suspiciously much."]


def _control(scrambled: Sequence[float], allowed: float) -> str:
    mean = float(np.mean(scrambled))
    what = f"trained on shuffled labels, the AUC is {mean:.3f} (chance 0.5, allowed within {allowed:.3f})"
    return f"ok: {what}." if abs(mean - 0.5) <= allowed else f"LEAK: {what}; the test tells what training did not."
