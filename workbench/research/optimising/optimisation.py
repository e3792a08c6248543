"""`Optimisation`: what a search found, as a table, a best point, a front, importances and pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import ConfigError, RunError
from workbench.research.optimising.objectives import Objective
from workbench.research.optimising.scoring import Scorer
from workbench.research.optimising.searching import (
    FAILED,
    NUMBERS,
    Search,
    columns_of,
    combination_of,
    finished,
    is_feasible,
    quiet,
)

if TYPE_CHECKING:
    import optuna
    import pandas as pd
    from matplotlib.figure import Figure
    from optuna.trial import FrozenTrial

    from workbench.backtest.result import Result
    from workbench.research.overfitting import Overfitting, Verdict
    from workbench.strategy.strategy import SignalStrategy

__all__ = ["Optimisation"]


class Optimisation:
    """The trials of a search.

    Attributes
    ----------
    study : optuna.Study
        Optuna's own, for its plots and storage.
    scorer : Scorer
    search : Search
    stopped : str
        Why it ended.
    folder : Path or None
        Where the trials are kept; None if only in memory.
    """

    def __init__(
        self, *, study: optuna.Study, scorer: Scorer, search: Search, stopped: str, folder: Path | None
    ) -> None:
        self.study, self.scorer, self.search, self.stopped, self.folder = study, scorer, search, stopped, folder

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What was to be good."""
        return self.scorer.objectives

    @property
    def trials(self) -> list[FrozenTrial]:
        """The trials that are over, in order."""
        return finished(self.study)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a trial, by its number: parameters, objectives and metrics, `feasible`, and why one failed.

        The deflated Sharpe ratio is that among all trials, where optuna was told that among the trials so far.
        """
        import pandas as pd

        rows = [self._row(one) for one in self.trials]
        names = list(dict.fromkeys(name for row in rows for name in row if name not in ("feasible", "reason")))
        index = pd.Index([one.number for one in self.trials], name="trial")
        return pd.DataFrame(rows, index=index, columns=[*names, "feasible", "reason"])

    def _row(self, trial: FrozenTrial) -> dict[str, Any]:
        numbers = dict(trial.user_attrs.get(NUMBERS, {}))
        if self.scorer.deflated and numbers:
            numbers["deflated_sharpe_ratio"] = self.scorer.deflate(numbers)
        told = trial.values or (math.nan,) * len(self.objectives)
        values = {one.name: numbers.get(one.name, value) for one, value in zip(self.objectives, told, strict=True)}
        reason = trial.user_attrs.get(FAILED, "")
        broken = [name for name, value in trial.constraints.items() if value > 0]
        return {
            **trial.params, **values, **numbers, "feasible": is_feasible(trial),
            "reason": reason or (f"not {', not '.join(broken)}" if broken else ""),
        }  # fmt: skip

    @property
    def parameters(self) -> list[str]:
        """Names of what was varied."""
        return list(dict.fromkeys(name for one in self.trials for name in one.params))

    def ranking(self, objective: str | None = None) -> pd.DataFrame:
        """Give the feasible trials, best first by one objective (the first when left out)."""
        one = self._objective(objective)
        rows = self.table[self.table["feasible"]]
        order = np.argsort(-one.better(rows[one.name].to_numpy(dtype=np.float64)), kind="stable")
        return rows.iloc[order]

    def best(self, objective: str | None = None) -> dict[str, Any]:
        """Give the parameters of the best trial that keeps the constraints; of equals the first.

        Raises
        ------
        RunError
            No trial has an answer and keeps the constraints.
        """
        return self.parameters_of(self._best_number(objective))

    def parameters_of(self, number: int) -> dict[str, Any]:
        """Give the parameters of a trial by its number."""
        found = next((one for one in self.trials if one.number == number), None)
        if found is None:
            raise ConfigError(f"there is no trial {number!r}; .table lists them", trial=number)
        return combination_of(found)

    def _best_number(self, objective: str | None) -> int:
        ranked = self.ranking(objective)
        if not len(ranked):
            reasons = self.table["reason"].value_counts()
            told = f"; most often: {reasons.index[0]} ({reasons.iloc[0]} times)" if len(reasons) else ""
            raise RunError(f"none of {len(self.table)} trials has an answer and keeps the constraints{told}")
        return int(ranked.index[0])

    @property
    def best_value(self) -> float:
        """The first objective of the best trial."""
        return float(self.ranking()[self.objectives[0].name].iloc[0]) if len(self.ranking()) else math.nan

    @property
    def strategy(self) -> SignalStrategy:
        """The strategy with the best parameters of its own (exits and costs that were varied are not in it)."""
        strategy = self.scorer.evaluator.strategy
        return strategy.replace(**{name: one for name, one in self.best().items() if name in strategy.declared})

    def result(self, number: int | None = None) -> Result:
        """Run a trial in full: the best when no number is given."""
        return self.scorer.evaluator.result(self.best() if number is None else self.parameters_of(number))

    def pareto(self) -> pd.DataFrame:
        """Give the feasible trials that no other beats in every objective, best first by the first of them."""
        ranked = self.ranking()
        values = np.column_stack([one.better(ranked[one.name].to_numpy(dtype=np.float64)) for one in self.objectives])
        beaten = [
            bool(np.any(np.all(values >= row, axis=1) & np.any(values > row, axis=1))) for row in values
        ]  # fmt: skip
        front = ranked[~np.array(beaten, dtype=bool)]
        return front[~front.duplicated([one.name for one in self.objectives])]

    def overfitting(self, objective: str | None = None, *, sample: int = 200) -> Overfitting:
        """Judge the best trial by an objective as one of so many: see `Study.overfitting`.

        Parameters
        ----------
        objective : str, optional
            The first when left out.
        sample : int, default 200
            Trials whose returns are computed.

        Raises
        ------
        RunError
            No trial has an answer and keeps the constraints.
        """
        from workbench.research.overfitting import judge
        from workbench.research.sweeping.judged import Tried, trials_from

        number = self._best_number(objective)
        trials = [one for one in self.trials if one.values is not None]  # what the strategy refused was not tried
        numbers = [one.number for one in trials]
        evaluator = self.scorer.evaluator
        scorer, sharpe = evaluator.replace(metrics=("sharpe_ratio",)), np.full(len(trials), np.nan)
        for places, columns in columns_of(trials):
            sharpe[places] = scorer.rows(columns)["sharpe_ratio"]
        tried = Tried(
            name=self.name, sharpe=sharpe, chosen=numbers.index(number),
            result=lambda place: self.result(numbers[place]), rows=len(trials), kept=self.search.study is not None,
        )  # fmt: skip
        return judge(trials_from(tried, sample))

    def verdict(self) -> Verdict:
        """Say in a sentence and a page what can be believed of the best trial."""
        return self.overfitting().verdict()

    @property
    def name(self) -> str:
        """Of the study, or that of the strategy where it has none."""
        return self.search.study or type(self.scorer.evaluator.strategy).__name__

    def importance(self, objective: str | None = None) -> pd.Series:
        """Say how much of the difference between trials each parameter makes, adding up to 1 (functional ANOVA).

        Raises
        ------
        RunError
            There are too few trials, or they do not differ.

        Notes
        -----
        Hutter, Hoos and Leyton-Brown (2014), An Efficient Approach for Assessing Hyperparameter Importance.
        """
        import optuna
        import pandas as pd

        place = self.objectives.index(self._objective(objective))
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=self.search.seed)
        try:
            with quiet():
                found = optuna.importance.get_param_importances(
                    self.study, evaluator=evaluator, target=lambda trial: trial.values[place]
                )
        except (ValueError, RuntimeError) as error:
            raise RunError(f"importance of {len(self.trials)} trials: {error}") from error
        return pd.Series(found, name="importance", dtype=float).rename_axis("parameter")

    def _objective(self, name: str | None) -> Objective:
        found = [one for one in self.objectives if name in (None, one.name)]
        if not found:
            known = ", ".join(one.name for one in self.objectives)
            raise ConfigError(f"{name!r} was no objective of this search; those are {known}", objective=name)
        return found[0]

    def plot_history(self) -> Figure:
        """Draw each trial and the best so far."""
        from workbench.research.optimising.charts import history_chart

        return history_chart(self)

    def plot_parameters(self, objective: str | None = None) -> Figure:
        """Draw the objective over each parameter."""
        from workbench.research.optimising.charts import parameters_chart

        return parameters_chart(self, self._objective(objective))

    def plot_importance(self, objective: str | None = None) -> Figure:
        """Draw the importance of each parameter."""
        from workbench.research.optimising.charts import importance_chart

        return importance_chart(self, self._objective(objective))

    def plot_pareto(self) -> Figure:
        """Draw two objectives against each other, with the front."""
        from workbench.research.optimising.charts import pareto_chart

        if len(self.objectives) < 2:
            raise ConfigError("plot_pareto needs several objectives: optimise(..., objective=['calmar', 'ulcer'])")
        return pareto_chart(self)

    def __len__(self) -> int:
        return len(self.trials)

    def __repr__(self) -> str:
        strategy = type(self.scorer.evaluator.strategy).__name__
        names = ", ".join(one.name for one in self.objectives)
        best = self.ranking()
        if not len(best):
            return f"<Optimisation {strategy} by {names}: {len(self)} trials, none with an answer>"
        told = ", ".join(f"{name}={value!r}" for name, value in self.best().items())
        value = self.objectives[0].text(self.best_value)
        return f"<Optimisation {strategy} by {names}: {value} at {told}, {len(self)} trials>"

    def _repr_html_(self) -> str:
        shown = (self.pareto() if len(self.objectives) > 1 else self.ranking()).head(10)
        rows = shown.drop(columns=["feasible", "reason"])
        failed = int((self.table["reason"] != "").sum())
        note = f"{len(self)} trials, {failed} of them without an answer or against a constraint; ended: {self.stopped}."
        return (
            f"<p><b>{escape(repr(self)[1:-1])}</b></p><p>{escape(note)}</p>{rows.to_html(float_format='{:.4g}'.format)}"
        )

    def numbers(self) -> Mapping[str, Any]:
        """Give what programs want to know, as plain values."""
        ranked = self.ranking()
        best = {} if not len(ranked) else {one.name: float(ranked[one.name].iloc[0]) for one in self.objectives}
        return {
            "trials": len(self), "feasible": len(ranked), "stopped": self.stopped,
            "best": self.best() if len(ranked) else None, "values": best,
        }  # fmt: skip
