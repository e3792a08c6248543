"""The search itself: ask optuna for a batch, compute it at once, tell what came of it, and know when to stop.

Samplers read only what this process computed or what optuna keeps as plain text. CMA-ES keeps its state as a pickle in
the storage, which a file is not trusted with: it runs in memory, and its trials are copied to the file.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from workbench.errors import ConfigError
from workbench.research.optimising.scoring import Score, Scorer, constraints_of
from workbench.research.optimising.spaces import Space
from workbench.research.sweeping.manner import plain

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

__all__ = [
    "FAILED",
    "NUMBERS",
    "SamplerName",
    "Search",
    "columns_of",
    "combination_of",
    "finished",
    "is_feasible",
    "open_study",
    "quiet",
    "search_trials",
]

SamplerName = Literal["tpe", "cmaes", "nsga2", "qmc", "random", "grid"]
NUMBERS: Final = "workbench_numbers"
FAILED: Final = "workbench_reason"
IDENTITY: Final = "workbench_identity"
_TRIED: Final = "workbench_parameters"
_STOPPED: Final = "workbench_stopped"
_BATCHES: Final = {"tpe": 8, "cmaes": 8, "nsga2": 50, "qmc": 64, "random": 64, "grid": 256}
_SEVERAL: Final = ("tpe", "nsga2", "qmc", "random", "grid")

Constraints = Mapping[str, Any]
Direction = Literal["maximize", "minimize"]


@dataclass(frozen=True, kw_only=True)
class Search:
    """How the parameters are looked for.

    Parameters
    ----------
    sampler : {"tpe", "cmaes", "nsga2", "qmc", "random", "grid"}
        Tree-structured Parzen estimator, covariance matrix adaptation (numbers only), genetic (for several
        objectives), scrambled Sobol, independent draws, or every point.
    space : mapping or callable, optional
        What may be tried; all that the strategy declares with bounds or choices when left out (`space_of`).
    constraints : mapping, optional
        By metric `(">=", 30)`, or by any name a function of a `Result` that says True where it is kept.
    seed : int, default 0
        The same seed gives the same trials.
    patience : int, optional
        Stop after so many trials without a better one (with several objectives: without a new one on the front).
    batch : int, optional
        Trials that are asked for before the first of them is told; by the sampler when left out.
    study : str, optional
        Name under which the trials are kept on disk, to be continued by the next call with the same name.
    """

    sampler: SamplerName = "tpe"
    space: Any = None
    constraints: Constraints | None = None
    seed: int = 0
    patience: int | None = None
    batch: int | None = None
    study: str | None = None

    def __post_init__(self) -> None:
        if self.sampler not in get_args(SamplerName):
            raise ConfigError(
                f"sampler = {self.sampler!r} is not one of {', '.join(map(repr, get_args(SamplerName)))}",
                sampler=self.sampler,
            )
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or not 0 <= self.seed < 2**31:
            raise ConfigError(f"seed = {self.seed!r}: give a whole number from 0 on", seed=self.seed)
        for name in ("patience", "batch"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ConfigError(f"{name} = {value!r}: give a whole number of at least 1", **{name: value})
        if self.study is not None and not str(self.study).strip():
            raise ConfigError("study is empty: give it a name, or leave it out")
        constraints_of(self.constraints)

    @property
    def batch_size(self) -> int:
        """Trials of a batch."""
        return self.batch or _BATCHES[self.sampler]


@contextmanager
def quiet() -> Iterator[None]:
    """Keep optuna from talking on stderr and from warning of what is meant."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            warnings.filterwarnings("ignore", message=".*Sampler", category=UserWarning)  # what it does not use
            yield
    finally:
        optuna.logging.set_verbosity(before)


def open_study(search: Search, directions: Sequence[Direction], identity: str, folder: Path | None) -> optuna.Study:
    """Make a study in memory, or open the one that is kept in a folder.

    Parameters
    ----------
    search : Search
    directions : sequence of {"maximize", "minimize"}
    identity : str
        What was asked, of what: trials of another question are not mixed in.
    folder : Path, optional

    Raises
    ------
    ConfigError
        The study in the folder asked another question, or cannot be read.
    """
    import optuna
    from optuna.storages.journal import JournalFileBackend

    storage = None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "optuna.journal"
        backend = JournalFileBackend(str(file))
        try:
            storage = optuna.storages.JournalStorage(backend)
        except Exception as error:
            raise ConfigError(
                f"study {search.study!r}: {file} cannot be read ({type(error).__name__}: {error}); move it "
                "away, or give another name",
            ) from error
    try:
        study = optuna.create_study(
            study_name=search.study, storage=storage, directions=list(directions), load_if_exists=True,
        )  # fmt: skip
    except ValueError as error:  # other directions
        raise _another(search) from error
    known = study.user_attrs.get(IDENTITY)
    if known is None:
        study.set_user_attr(IDENTITY, identity)
    elif known != identity:
        raise _another(search, f": {_difference(known, identity)}")
    return study


def _another(search: Search, why: str = "") -> ConfigError:
    return ConfigError(
        f"study {search.study!r} has trials of another question{why}; give this one another name", study=search.study
    )


def _difference(known: str, now: str) -> str:
    pairs = zip(known.splitlines(), now.splitlines(), strict=False)
    return next((f"it has {old}, this is {new}" for old, new in pairs if old != new), "its lines differ in number")


def search_trials(study: optuna.Study, scorer: Scorer, space: Space, search: Search, trials: int) -> str:
    """Run trials until there are enough, or none has been better for long.

    Returns
    -------
    str
        Why it ended.
    """
    if isinstance(trials, bool) or not isinstance(trials, int) or trials < 1:
        raise ConfigError(f"trials = {trials!r}: give a whole number of at least 1", trials=trials)
    _check_sampler(search, scorer, space)
    with quiet():
        live = _live(study, search)
        ask = _asking(live, space, search)
        scorer.sharpes = [_sharpe(one, scorer) for one in finished(study)]
        known = {_key(one.params): _score_of(one, scorer) for one in finished(study) if space.suggest is None}
        while (left := trials - len(finished(live))) > 0:
            if search.patience is not None and _stale(live, scorer) >= search.patience:
                return f"no better one in {search.patience} trials"
            batch = ask(min(left, search.batch_size))
            if not batch:
                return "every point of the grid was tried"
            _compute(live, study, scorer, batch, known)
        return f"{trials} trials"


def _compute(
    live: optuna.Study, disk: optuna.Study, scorer: Scorer, batch: Sequence[tuple[Any, dict[str, Any]]],
    known: dict[Any, Score],
) -> None:  # fmt: skip
    """Compute what a batch has not been seen before, and tell all of it in order."""
    new = {_key(one): one for _, one in batch if _key(one) not in known}
    try:
        known |= dict(zip(new, scorer.score(list(new.values())), strict=True))
    except BaseException:
        for trial, _ in batch:  # Ctrl-C, or a fault: these were not tried
            trial.set_user_attr(_STOPPED, True)
            live.tell(trial, state=_state("FAIL"))
        raise
    for trial, combination in batch:
        score = known[_key(combination)]
        for name, value in score.violations.items():
            trial.set_constraint(name, value)
        if combination != trial.params:
            trial.set_user_attr(_TRIED, {name: plain(value) for name, value in combination.items()})
        trial.set_user_attr(NUMBERS, {name: float(value) for name, value in score.numbers.items()})
        if score.reason:
            trial.set_user_attr(FAILED, score.reason)
            told = live.tell(trial, state=_state("FAIL"))
        else:
            told = live.tell(trial, list(score.values))
        if disk is not live and told.number >= len(finished(disk)):
            disk.add_trial(_without_state(told))


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """Give the trials that are over, without those that were stopped."""
    every = study.get_trials(deepcopy=False)
    return [one for one in every if one.state.is_finished() and _STOPPED not in one.user_attrs]


def combination_of(trial: FrozenTrial) -> dict[str, Any]:
    """Give what a trial tried: what optuna drew, or what a function made of that."""
    return dict(trial.user_attrs.get(_TRIED, trial.params))


def columns_of(trials: Sequence[FrozenTrial]) -> Iterator[tuple[list[int], dict[str, list[Any]]]]:
    """Give what trials tried as columns: one set of columns, with the places of its trials, for each set of names."""
    groups: dict[tuple[str, ...], list[int]] = {}
    tried = [combination_of(one) for one in trials]
    for place, one in enumerate(tried):
        groups.setdefault(tuple(one), []).append(place)
    for names, places in groups.items():
        yield places, {name: [tried[place][name] for place in places] for name in names}


def is_feasible(trial: FrozenTrial) -> bool:
    """Tell whether a trial has an answer and kept its constraints."""
    return trial.state.name == "COMPLETE" and all(value <= 0.0 for value in trial.constraints.values())


def _stale(study: optuna.Study, scorer: Scorer) -> int:
    """Count the trials since the last one that was better than all before it (not worse in everything than any)."""
    signs = [1.0 if one.maximise else -1.0 for one in scorer.objectives]
    front: list[tuple[float, ...]] = []
    since = 0
    for trial in finished(study):
        since += 1
        if not is_feasible(trial):
            continue
        values = tuple(sign * value for sign, value in zip(signs, trial.values, strict=True))
        if any(all(a >= b for a, b in zip(other, values, strict=True)) for other in front):
            continue
        front = [one for one in front if not all(a >= b for a, b in zip(values, one, strict=True))]
        front.append(values)
        since = 0
    return since


def _asking(study: optuna.Study, space: Space, search: Search) -> Callable[[int], list[tuple[Any, dict[str, Any]]]]:
    """Give what asks for a batch: trials, each with its combination."""
    study.sampler = _sampler(study, search)
    if search.sampler == "grid":
        seen = {_key(one.params) for one in finished(study)}
        points = iter([one for one in space.points() if _key(one) not in seen])

    def ask(count: int) -> list[tuple[Any, dict[str, Any]]]:
        batch: list[tuple[Any, dict[str, Any]]] = []
        for _ in range(count):
            if search.sampler == "grid":
                point = next(points, None)
                if point is None:
                    break
                study.enqueue_trial(point)
            trial = study.ask(space.distributions)
            batch.append((trial, dict(trial.params) if space.suggest is None else dict(space.suggest(trial))))
        return batch

    return ask


def _sampler(study: optuna.Study, search: Search) -> Any:
    import optuna

    done = len(finished(study))
    seed = search.seed if not done else (search.seed * 1_000_003 + done) % 2**31
    samplers = optuna.samplers
    if search.sampler == "tpe":
        return samplers.TPESampler(seed=seed, constant_liar=True)
    if search.sampler == "cmaes":
        return samplers.CmaEsSampler(seed=search.seed, warn_independent_sampling=False)
    if search.sampler == "nsga2":
        return samplers.NSGAIISampler(seed=seed)
    if search.sampler == "qmc":
        return samplers.QMCSampler(seed=search.seed, scramble=True, warn_independent_sampling=False)
    return samplers.RandomSampler(seed=seed)


def _live(study: optuna.Study, search: Search) -> optuna.Study:
    """Give the study that is asked: one in memory where the sampler keeps pickles.

    It begins again and goes through what is known without computing it, so that it ends as if it had never stopped.
    """
    import optuna

    if search.sampler != "cmaes" or search.study is None:
        return study
    return optuna.create_study(directions=study.directions)


def _without_state(trial: FrozenTrial) -> FrozenTrial:
    """Give a trial without what a sampler wrote on it, but with its constraints."""
    import copy

    found = copy.deepcopy(trial)
    found.system_attrs = {name: one for name, one in trial.system_attrs.items() if name.startswith("constraints")}
    return found


def _check_sampler(search: Search, scorer: Scorer, space: Space) -> None:
    from optuna.distributions import CategoricalDistribution

    if len(scorer.objectives) > 1 and search.sampler not in _SEVERAL:
        raise ConfigError(
            f"sampler={search.sampler!r} has one objective, and there are {len(scorer.objectives)}: use 'nsga2' or "
            "'tpe'"
        )
    kinds = space.distributions.values()
    if search.sampler == "cmaes" and (space.suggest or all(isinstance(k, CategoricalDistribution) for k in kinds)):
        raise ConfigError("sampler='cmaes' moves numbers: give a space= with ranges, or use 'tpe'")
    if search.sampler == "grid":
        space.points()


def _score_of(trial: FrozenTrial, scorer: Scorer) -> Score:
    missing = (float("nan"),) * len(scorer.objectives)
    values = tuple(trial.values) if trial.state.name == "COMPLETE" else missing
    reason = "" if trial.state.name == "COMPLETE" else trial.user_attrs.get(FAILED, "it failed before")
    return Score(values, trial.user_attrs.get(NUMBERS, {}), trial.constraints, reason)


def _sharpe(trial: FrozenTrial, scorer: Scorer) -> float:
    value = trial.user_attrs.get(NUMBERS, {}).get("sharpe_ratio", float("nan"))
    return float(value) / float(scorer.periods_per_year**0.5)


def _key(combination: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted((name, (type(value).__name__, value)) for name, value in combination.items()))


def _state(name: str) -> Any:
    from optuna.trial import TrialState

    return TrialState[name]
