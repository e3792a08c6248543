"""How a walk-forward or a cross-validation chooses parameters: every point of a grid, or a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.errors import ConfigError, RunError
from workbench.research.optimising.finding import search_on
from workbench.research.optimising.objectives import Objective
from workbench.research.optimising.scoring import Score, Scorer, constraints_of
from workbench.research.optimising.searching import Search
from workbench.research.optimising.spaces import space_of
from workbench.research.sweeping.combinations import grid_of
from workbench.research.sweeping.evaluator import Evaluator
from workbench.strategy.strategy import SignalStrategy

__all__ = ["Choice", "Chooser", "Choosing", "are_numbers", "grid_points"]

_CHUNK = 512


@dataclass(frozen=True, kw_only=True)
class Choosing:
    """What parameters are chosen from.

    Parameters
    ----------
    grid : mapping of str to values, optional
        Every combination is tried; goes before a search.
    where : callable, optional
        `(parameters) -> bool`: which combinations of the grid there are.
    trials : int, default 50
        Of the search in each window, where there is no grid.
    """

    grid: Mapping[str, Any] | None = None
    where: Any = None
    trials: int = 50


@dataclass(frozen=True)
class Choice:
    """Parameters that were best on some bars.

    Attributes
    ----------
    parameters : dict
    score : Score
        Of them, on those bars.
    tried : int
        How many there were to choose from.
    """

    parameters: Mapping[str, Any]
    score: Score
    tried: int


class Chooser:
    """Chooses the parameters that are best on some bars; of equals the first.

    Parameters
    ----------
    evaluator : Evaluator
        On all bars.
    objective : Objective
    choosing : Choosing
    search : Search
    """

    def __init__(self, evaluator: Evaluator, objective: Objective, choosing: Choosing, search: Search) -> None:
        self.evaluator, self.objective, self.choosing, self.search = evaluator, objective, choosing, search
        if search.study is not None:
            raise ConfigError("study= keeps the trials of one search; a walk-forward or cross-validation has many")
        self.points = grid_points(evaluator.strategy, choosing)
        self.space = None if self.points is not None else space_of(evaluator.strategy, search.space)

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Lowest and highest value that each number could be chosen as."""
        if self.points is not None:
            axes = {name: [point[name] for point in self.points] for name in self.points[0]}
        else:
            axes = {name: _ends(one) for name, one in self.space.distributions.items()}  # type: ignore[union-attr]
        return {name: (min(axis), max(axis)) for name, axis in axes.items() if are_numbers(axis)}

    def choose(self, bars: Any) -> Choice | None:
        """Choose on some bars; None where nothing has an answer."""
        evaluator = self.evaluator.on(bars)
        if self.points is None:
            return self._searched(evaluator)
        scorer = Scorer(evaluator, (self.objective,), constraints_of(self.search.constraints))
        scores = [
            score
            for first in range(0, len(self.points), _CHUNK)
            for score in scorer.score(self.points[first : first + _CHUNK])
        ]
        values = np.array([score.values[0] if score.feasible else np.nan for score in scores])
        if not np.isfinite(values).any():
            return None
        best = int(np.argmax(self.objective.better(values)))
        return Choice(self.points[best], scores[best], len(self.points))

    def _searched(self, evaluator: Evaluator) -> Choice | None:
        found = search_on(
            evaluator, (self.objective,), space=self.space, search=self.search, trials=self.choosing.trials,  # type: ignore[arg-type]
        )  # fmt: skip
        try:
            parameters = found.best()
        except RunError:
            return None
        row = found.ranking().iloc[0]
        numbers = {name: float(row[name]) for name in found.scorer.by_row}
        return Choice(parameters, Score((float(row[self.objective.name]),), numbers), len(found))


def grid_points(strategy: SignalStrategy, choosing: Choosing) -> list[dict[str, Any]] | None:
    """Give every combination of the grid; None where there is no grid."""
    if choosing.grid is None:
        return None
    columns = {
        name: column.tolist() for name, column in grid_of(strategy, choosing.grid, choosing.where).columns().items()
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def are_numbers(values: Sequence[Any]) -> bool:
    """Tell whether all are numbers, and not flags."""
    return bool(values) and all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in values)


def _ends(distribution: Any) -> list[Any]:
    choices = getattr(distribution, "choices", None)
    return [distribution.low, distribution.high] if choices is None else list(choices)
