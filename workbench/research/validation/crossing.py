"""`cross_validate`: how a choice of parameters does on folds that it was not made on, over many paths.

Every combination is run once over all bars; since a strategy knows only the past, its returns inside a fold are what it
would have made there. Parameters are chosen on the returns of the training rows and judged on those of the test rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.market.bars import Bars
from workbench.research.noting import note_trials, study_here
from workbench.research.optimising.objectives import Objective, objectives_of, of_returns
from workbench.research.optimising.options import split_options, with_options
from workbench.research.sweeping.evaluator import Evaluator
from workbench.research.sweeping.sampling import Sampler
from workbench.research.validation.choosing import Choosing, grid_points
from workbench.research.validation.splits import CombinatorialPurged, PurgedKFold
from workbench.research.validation.walking import times_of
from workbench.risk.metrics import METRICS
from workbench.strategy.strategy import SignalStrategy

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["CrossValidation", "cross_validate"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

_OF_A_PATH: Final = ("total_return", "annualised_return", "sharpe_ratio", "sortino_ratio", "calmar_ratio",
                     "max_drawdown")  # fmt: skip
_CHUNK_BYTES: Final = 64_000_000
_EMBARGO: Final = 0.01


def cross_validate(
    strategy: SignalStrategy | type[SignalStrategy],
    bars: Bars | Iterable[Bars],
    *,
    splitter: PurgedKFold | CombinatorialPurged | None = None,
    objective: Any = "sharpe_ratio",
    seed: int = 0,
    **options: Any,
) -> CrossValidation:
    """Cross-validate the choice of a strategy's parameters, in order of time and without what overlaps.

    Parameters
    ----------
    strategy : SignalStrategy, or a class of them
    bars : Bars or list of Bars
    splitter : PurgedKFold or CombinatorialPurged, optional
        Six groups, two of them tested at a time, with an embargo of 1 % of the bars when left out. Purge at least the
        bars that a position is usually held: a trade that reaches over a border is in both of its sides.
    objective : str or Objective
        A metric of returns.
    seed : int
        Of the combinations that are drawn where there is no grid.
    **options
        `grid`, `where`, `trials` (combinations that are drawn where there is no grid), and as `wb.backtest` takes them.

    Returns
    -------
    CrossValidation

    Raises
    ------
    ConfigError
        An option is wrong, or the objective needs more than returns.

    Notes
    -----
    The change from one choice to the next at a border costs nothing here; `walk_forward` charges it. Combinatorial:
    M. Lopez de Prado, Advances in Financial Machine Learning (2018), chapter 12.
    """
    choosing, backtesting = split_options(options, Choosing)
    chosen = with_options(None, Choosing, choosing)
    splitter = CombinatorialPurged(embargo=_EMBARGO) if splitter is None else splitter
    one = _of_returns_only(objective)
    evaluator = Evaluator(strategy, bars, **backtesting)
    points = grid_points(evaluator.strategy, chosen)
    if points is None:
        columns = Sampler(count=chosen.trials, seed=seed).draw(evaluator.strategy).columns()
        lists = {name: column.tolist() for name, column in columns.items()}
        points = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    ts = times_of(evaluator.bars if isinstance(evaluator.bars, list) else [evaluator.bars])
    pairs = list(splitter.split(len(ts), ts=ts))
    _check_training(pairs)
    scores = _training_scores(evaluator, one, points, [train for train, _ in pairs])
    best = [int(np.argmax(one.better(row))) for row in scores]
    if not all(np.isfinite(row).any() for row in scores):
        raise ConfigError(f"no parameters have a {one.name} on every training: take fewer groups, or a longer range")
    if (study := study_here(None)) is not None:
        note_trials(study, "cross_validate", evaluator, _columns(points), {})
    names = sorted(set(best))
    returns = dict(zip(names, evaluator.returns(_columns([points[k] for k in names])), strict=True))
    tested = [returns[k][test] for k, (_, test) in zip(best, pairs, strict=True)]
    return CrossValidation(
        evaluator=evaluator, objective=one, splitter=splitter, ts=ts, points=points, pairs=pairs, best=best,
        scores=np.array([row[k] for row, k in zip(scores, best, strict=True)]), tested=tested,
    )  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class CrossValidation:
    """What a cross-validation found.

    Attributes
    ----------
    evaluator : Evaluator
    objective : Objective
    splitter : PurgedKFold or CombinatorialPurged
    ts : int64 array, shape (n,)
        Open times, ms UTC.
    points : list of dict
        The combinations that were chosen from.
    pairs : list of (train, test)
        Rows of each split.
    best : list of int
        Position in `points` that each split chose.
    scores : float64 array, shape (splits,)
        The objective of each choice, in sample.
    tested : list of float64 array
        Returns per bar of each choice on its test rows.
    """

    evaluator: Evaluator
    objective: Objective
    splitter: PurgedKFold | CombinatorialPurged
    ts: Rows
    points: list[dict[str, Any]]
    pairs: list[tuple[Rows, Rows]]
    best: list[int]
    scores: Floats
    tested: list[Floats] = field(repr=False)

    @property
    def periods_per_year(self) -> float:
        """Bars a year."""
        bars = self.evaluator.bars
        return max(one.periods_per_year for one in (bars if isinstance(bars, list) else [bars]))

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a split: rows trained and tested on, what was chosen, the objective in sample and out of it."""
        import pandas as pd

        name = self.objective.name
        rows = [
            {
                "train_bars": len(train), "test_bars": len(test), **self.points[k], f"in_sample_{name}": float(score),
                name: float(of_returns(name, made[None], self.periods_per_year)[0]),
            }
            for (train, test), k, score, made in zip(self.pairs, self.best, self.scores, self.tested, strict=True)
        ]  # fmt: skip
        return pd.DataFrame(rows).rename_axis("split")

    @cached_property
    def path_returns(self) -> Floats:
        """Returns per bar of every path out of sample, fractions, shape (paths, n)."""
        n = len(self.ts)
        if isinstance(self.splitter, PurgedKFold):
            return np.concatenate(self.tested)[None]
        full = np.full((len(self.pairs), n), np.nan)
        for row, (_, test), made in zip(full, self.pairs, self.tested, strict=True):
            row[test] = made
        blocks, paths = self.splitter.blocks(n), self.splitter.paths
        joined = np.empty((len(paths), n))
        for place, path in enumerate(paths):
            for split, rows in zip(path, blocks, strict=True):
                joined[place, rows] = full[split, rows]
        return joined

    @cached_property
    def paths(self) -> pd.DataFrame:
        """One row a path out of sample: its metrics, and the objective."""
        import pandas as pd

        names = list(dict.fromkeys((*_OF_A_PATH, self.objective.name)))
        found = {name: of_returns(name, self.path_returns, self.periods_per_year) for name in names}
        return pd.DataFrame(found).rename_axis("path")

    @property
    def equity(self) -> pd.DataFrame:
        """Growth of 1 along each path; UTC index of open times, a column a path."""
        import pandas as pd

        from workbench.backtest.frames import times

        return pd.DataFrame(np.cumprod(1.0 + self.path_returns, axis=1).T, index=times(self.ts))

    def summary(self) -> pd.DataFrame:
        """Give lowest, quartiles, highest and mean of each metric over the paths."""
        found = self.paths.quantile([0.0, 0.25, 0.5, 0.75, 1.0])
        found.index = ["lowest", "lower quartile", "median", "upper quartile", "highest"]
        found.loc["mean"] = self.paths.mean()
        return found

    @property
    def chance_of_loss(self) -> float:
        """Share of the paths whose total return is negative."""
        return float((self.paths["total_return"] < 0.0).mean())

    def plot(self) -> Figure:
        """Draw every path, and how their Sharpe ratios are spread."""
        from workbench.research.validation.charts import paths_chart

        return paths_chart(self)

    def __repr__(self) -> str:
        sharpe = self.paths["sharpe_ratio"]
        promised, made = self.table[f"in_sample_{self.objective.name}"].mean(), self.table[self.objective.name].mean()
        return (
            f"<CrossValidation {type(self.evaluator.strategy).__name__}, {len(self.pairs)} splits, "
            f"{len(self.paths)} path{'s' if len(self.paths) > 1 else ''}: Sharpe {sharpe.min():.2f} to "
            f"{sharpe.max():.2f}, median {sharpe.median():.2f}; {self.objective.name} {promised:.3g} in sample, "
            f"{made:.3g} out of it>"
        )

    def _repr_html_(self) -> str:
        shown = self.summary().to_html(float_format="{:.4g}".format, na_rep="\N{EN DASH}")
        table = self.table.to_html(float_format="{:.4g}".format, na_rep="\N{EN DASH}", max_rows=20)
        return f"<p><b>{escape(repr(self)[1:-1])}</b></p>{shown}{table}"


def _training_scores(evaluator: Evaluator, one: Objective, points: Sequence[Mapping[str, Any]], trains: Any) -> Floats:
    """Give the objective of every combination on every training, shape (splits, k), in runs that fit into memory."""
    bars = evaluator.bars if isinstance(evaluator.bars, list) else [evaluator.bars]
    periods = max(each.periods_per_year for each in bars)
    run = max(1, _CHUNK_BYTES // (8 * len(times_of(bars))))
    parts = []
    for first in range(0, len(points), run):
        returns = evaluator.returns(_columns(points[first : first + run]))
        parts.append(np.array([of_returns(one.name, returns[:, rows], periods) for rows in trains]))
    return np.concatenate(parts, axis=1)


def _columns(points: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [one[name] for one in points] for name in points[0]}


def _of_returns_only(given: Any) -> Objective:
    objectives = objectives_of(given)
    one = objectives[0]
    needs = METRICS[one.name].needs if one.name in METRICS else ""
    if len(objectives) > 1 or one.function is not None or needs != "returns":
        raise ConfigError(
            f"objective = {given!r}: a cross-validation chooses by one metric of returns, such as 'sharpe_ratio', "
            "'calmar_ratio' or 'total_return'; folds cut through trades",
            objective=str(given),
        )
    return one


def _check_training(pairs: Sequence[tuple[Rows, Rows]]) -> None:
    if any(len(train) < 2 for train, _ in pairs):
        raise ConfigError("purge and embargo leave nothing to train on in a split: lower them, or take a longer range")
