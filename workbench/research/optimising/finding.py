"""`optimise`: look for the parameters of a strategy that are best by one objective, or by several at once."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from workbench.market.bars import Bars
from workbench.research.noting import note_trials, study_here
from workbench.research.optimising.objectives import Objective, objectives_of
from workbench.research.optimising.optimisation import Optimisation
from workbench.research.optimising.options import split_options, with_options
from workbench.research.optimising.scoring import Scorer, constraints_of
from workbench.research.optimising.searching import Search, columns_of, open_study, quiet, search_trials
from workbench.research.optimising.spaces import Space, space_of
from workbench.research.sweeping.evaluator import Evaluator
from workbench.settings import load_settings
from workbench.strategy.strategy import SignalStrategy

__all__ = ["optimise", "search_on"]


def optimise(
    strategy: SignalStrategy | type[SignalStrategy],
    bars: Bars | Iterable[Bars],
    *,
    objective: Any = "sharpe_ratio",
    trials: int = 200,
    search: Search | None = None,
    **options: Any,
) -> Optimisation:
    """Look for the best parameters of a strategy.

    Parameters
    ----------
    strategy : SignalStrategy, or a class of them
        An object's parameters hold where the space says nothing else.
    bars : Bars or list of Bars
    objective : str, callable, Objective, or a list of these
        A metric's name (`wb.metrics.METRICS`, "deflated_sharpe_ratio", or a short name such as "sqn", "martin",
        "cvar"), or a function of a `Result` of which more is better. Several give a front instead of one best.
    trials : int, default 200
        In all, those of earlier calls with the same study's name included.
    search : Search, optional
        How; its fields may also be given here by name: `sampler`, `space`, `constraints`, `seed`, `patience`, `batch`,
        `study`.
    **options
        Of the search, or as `wb.backtest` takes them: `costs`, `fill`, `cash`, ...

    Returns
    -------
    Optimisation

    Raises
    ------
    ConfigError
        An objective, constraint, range or option is not understood, or the study of that name asked something else.

    Notes
    -----
    The best of many trials is good by luck too: judge it by `walk_forward`, `cross_validate` and the study's verdict.
    Ctrl-C keeps the trials that are over where the study has a name.
    """
    searching, backtesting = split_options(options, Search)
    how = with_options(search, Search, searching)
    evaluator = Evaluator(strategy, bars, **backtesting)
    objectives = objectives_of(objective)
    space = space_of(evaluator.strategy, how.space)
    folder, counted, began = _folder(how.study), study_here(how.study), dt.datetime.now()
    found = search_on(evaluator, objectives, space=space, search=how, trials=trials, folder=folder)
    if counted is not None:
        _note(counted, evaluator, found, began)
    return found


def _note(study: str, evaluator: Evaluator, found: Optimisation, began: dt.datetime) -> None:
    """Note the trials of this call; those of earlier calls were noted then."""
    fresh = [one for one in found.trials if one.datetime_start is not None and one.datetime_start >= began]
    numbers = {
        objective.name: np.array([math.nan if one.values is None else one.values[place] for one in fresh])
        for place, objective in enumerate(found.objectives)
    }
    for places, columns in columns_of(fresh):
        note_trials(study, "optimise", evaluator, columns, {name: row[places] for name, row in numbers.items()})


def search_on(
    evaluator: Evaluator,
    objectives: tuple[Objective, ...],
    *,
    space: Space,
    search: Search,
    trials: int,
    folder: Path | None = None,
) -> Optimisation:
    """Run a search whose parts are made; `optimise` and the windows of a walk-forward use it."""
    scorer = Scorer(evaluator, objectives, constraints_of(search.constraints))
    with quiet():
        identity = _identity(evaluator, objectives, space, search)
        study = open_study(search, [one.direction for one in objectives], identity, folder)
    stopped = search_trials(study, scorer, space, search, trials)
    return Optimisation(study=study, scorer=scorer, search=search, stopped=stopped, folder=folder)


def _folder(name: str | None) -> Path | None:
    """Give where a study of a name keeps its trials; None without a name or a workspace."""
    if name is None:
        return None
    settings = load_settings()
    if not settings.found:
        return None
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if slug != name:  # two names must not share a folder
        slug = f"{slug[:60]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".strip("-")
    return settings.data / "studies" / slug


def _identity(evaluator: Evaluator, objectives: tuple[Objective, ...], space: Space, search: Search) -> str:
    """Say in lines what a study asks, of what: all that makes its trials comparable."""
    bars = evaluator.bars if isinstance(evaluator.bars, list) else [evaluator.bars]
    limits = ", ".join(str(one) for one in constraints_of(search.constraints)) or "none"
    options = ", ".join(f"{name}={value!r}" for name, value in sorted(evaluator.options.items())) or "none"
    return "\n".join(
        (
            f"the strategy {evaluator.strategy!r} with code {evaluator.strategy.code_hash}",
            f"the bars {', '.join(f'{one.symbol} {one.timeframe} {one.fingerprint}' for one in bars)}",
            f"the objective {', '.join(f'{one.name} ({one.direction})' for one in objectives)}",
            f"the constraints {limits}",
            f"the space {space}",
            f"the options {options}",
        )
    )
