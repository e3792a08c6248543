"""`ModelRun`: a model judged out of sample: scores, metrics beside baselines, importance, leakage."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.research.learning import measures
from workbench.research.learning.scores import Scores

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from workbench.research.learning.leakage import LeakageReport
    from workbench.research.learning.training import Samples

__all__ = ["Fold", "ModelRun"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

_LEVEL: Final = 0.05


@dataclass(frozen=True, eq=False, kw_only=True)
class Fold:
    """One split: the rows it was trained and tested on, what it said, and the fitted estimator (None: one class only).

    `probability` has the shape (tests, classes).
    """

    train: Rows
    test: Rows
    probability: Floats
    fitted: Any


@dataclass(frozen=True, eq=False, kw_only=True)
class ModelRun:
    """A model judged out of sample.

    Attributes
    ----------
    samples : Samples
        Features, labels, splits and estimator.
    folds : list of Fold
    baselines : mapping of str to float64 array, shape (tested, classes)
        What the base rate and the previous label say, fold after fold.
    splitter : str
    warned : mapping of str to int
        What the estimator warned of, and in how many folds.
    """

    samples: Samples
    folds: Sequence[Fold]
    baselines: Mapping[str, Floats]
    splitter: str
    warned: Mapping[str, int] = field(default_factory=dict)

    @property
    def causal(self) -> bool:
        """Whether every test comes after all that was trained on."""
        return all(fold.train[-1] < fold.test[0] for fold in self.folds)

    @cached_property
    def scores(self) -> Scores:
        """The probability of class 1 per bar, out of sample; NaN where no split tests."""
        bars = self.samples.features.bars
        total, count = np.zeros(len(bars)), np.zeros(len(bars))
        for fold in self.folds:
            total[fold.test] += fold.probability[:, self._hoped]
            count[fold.test] += 1.0
        with np.errstate(invalid="ignore"):
            values = total / count
        note = f"{self._estimator}, {self.samples.labels.name}, {self.splitter}"
        return Scores(symbol=bars.symbol, timeframe=bars.timeframe, ts=bars.ts, close=bars.close, values=values,
                      fingerprint=bars.fingerprint, causal=self.causal, note=note)  # fmt: skip

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Log loss, AUC, Brier score (both of class 1) and accuracy out of sample, of the model and of the baselines.

        `p_value` is of a Diebold-Mariano test of the log losses against the model's.
        """
        import pandas as pd

        place, known = self._place
        rows = {}
        for name, said in self._said.items():
            row = measures.summary(said[known], place, self._hoped)
            row["p_value"] = math.nan if name == "model" else self._against(name).p_value
            rows[name] = row
        return pd.DataFrame(rows).T

    @cached_property
    def calibration(self) -> pd.DataFrame:
        """Ten bins of equal count by score: mean score, how often class 1 came, samples."""
        import pandas as pd

        place, known = self._place
        said = self._said["model"][known][:, self._hoped]
        return pd.DataFrame(measures.calibration(said, place == self._hoped))

    def importance(self, repeats: int = 5) -> pd.DataFrame:
        """Give by how much the log loss out of sample rises when a feature is shuffled.

        Returns
        -------
        pandas.DataFrame
            By feature, most important first: `importance` (mean over folds), `spread` (standard deviation over folds
            and shuffles), `helps` (share of the folds in which it is above zero).
        """
        from workbench.research.learning.importance import permutation_importance

        return permutation_importance(self, repeats)

    def leakage(self, shuffles: int = 3) -> LeakageReport:
        """Look for ways in which the future may have got into the training; costs `shuffles` more trainings."""
        from workbench.research.learning.leakage import leakage_report

        return leakage_report(self, shuffles)

    @property
    def verdict(self) -> str:
        """Say in a sentence whether the model knows more than the baselines."""
        table = self.metrics
        rest = table.drop(index="model")["log_loss"]
        best, mine = str(rest.idxmin()), float(table["log_loss"]["model"])
        theirs, p_value = float(rest[best]), self._against(best).p_value
        numbers = f"log loss {mine:.4f} against {theirs:.4f} of the {best}, p = {p_value:.2g}"
        if not p_value < _LEVEL:
            return f"No evidence that the model knows more than the {best}: {numbers}."
        if mine > theirs:
            return f"The model is worse than the {best}: {numbers}. It learns noise."
        return f"The model knows more than the baselines out of sample: {numbers}. A backtest says whether it pays."

    def plot_importance(self, repeats: int = 5) -> Figure:
        """Draw the importance of the features with its spread."""
        from workbench.research.learning import charts

        return charts.importance_chart(self.importance(repeats))

    def plot_calibration(self) -> Figure:
        """Draw how often class 1 came against the score."""
        from workbench.research.learning import charts

        return charts.calibration_chart(self)

    def plot_scores(self) -> Figure:
        """Draw price and score over time."""
        from workbench.research.learning import charts

        return charts.scores_chart(self)

    def _against(self, name: str) -> measures.Comparison:
        place, known = self._place
        labels, tested = self.samples.labels, self._tested[known]
        overlap = int(np.ceil(np.mean(labels.end[tested] - tested))) if len(tested) else 1
        losses = [measures.log_losses(self._said[one][known], place) for one in ("model", name)]
        return measures.compare_losses(losses[0], losses[1], overlap=max(overlap, 1))

    @cached_property
    def _tested(self) -> Rows:
        return np.concatenate([fold.test for fold in self.folds])

    @cached_property
    def _said(self) -> dict[str, Floats]:
        return {"model": np.vstack([fold.probability for fold in self.folds]), **self.baselines}

    @cached_property
    def _place(self) -> tuple[Rows, NDArray[np.bool_]]:
        """Give the columns of the classes that came, and which of the tested rows have a known label."""
        known = self.samples.labels.known[self._tested]
        if not known.any():
            raise DataError("none of the tested bars has a known label yet; read a longer range")
        return np.searchsorted(self.samples.classes, self.samples.labels.y[self._tested[known]]), known

    @property
    def _hoped(self) -> int:
        """The column of class 1, or of the highest where there is no 1."""
        classes = self.samples.classes
        return int(np.searchsorted(classes, 1)) if 1 in classes else len(classes) - 1

    @property
    def _estimator(self) -> str:
        return type(self.samples.estimator).__name__

    def __repr__(self) -> str:
        table = self.metrics
        return (
            f"<ModelRun {self._estimator} on {self.samples.features.bars.symbol}, {len(self.samples.features.names)} "
            f"features, {len(self.folds)} folds: AUC {table['auc']['model']:.3f}, log loss "
            f"{table['log_loss']['model']:.4f} (base rate {table['log_loss']['base rate']:.4f})>"
        )

    def _repr_html_(self) -> str:
        from workbench.research.learning.pages import model_page

        return model_page(self)
