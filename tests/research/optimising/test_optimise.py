"""A search: what it is told is what a backtest says, it can be repeated and continued, and it refuses by name."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import optuna
import pytest

import workbench as wb
from tests.research.validation.markets import Above, Ordered, walk
from workbench.errors import ConfigError, RunError
from workbench.research.optimising import Objective, Search, optimise
from workbench.research.optimising.objectives import objective_of
from workbench.research.overfitting.sharpe import deflated_sharpe

BARS = walk(600)
TWELVE = (
    "sharpe", "sortino", "calmar", "deflated_sharpe", "profit_factor", "expectancy", "sqn", "ulcer", "martin", "omega",
    "tail_ratio", "max_drawdown", "drawdown_duration", "cvar",
)  # fmt: skip


def expected(name: str, result: wb.Result) -> float:
    returns, periods = result.returns.to_numpy(), result.periods_per_year
    metrics, profits = wb.metrics, result.profits[result.closed]
    return {
        "sqn": lambda: metrics.system_quality_number(profits),
        "ulcer": lambda: metrics.ulcer_index(returns),
        "martin": lambda: metrics.martin_ratio(returns, periods, years=result.years),
        "omega": lambda: metrics.omega_ratio(returns),
        "tail_ratio": lambda: metrics.tail_ratio(returns),
        "drawdown_duration": lambda: metrics.longest_drawdown(returns),
        "cvar": lambda: metrics.expected_shortfall(returns),
    }.get(name, lambda: result.metrics[objective_of(name).name])()


@pytest.mark.parametrize("name", TWELVE)
def test_every_objective_is_what_a_backtest_says_and_goes_the_right_way(name: str) -> None:
    found = optimise(Above, BARS, objective=name, trials=6, sampler="random")
    one = found.objectives[0]
    values = found.table[one.name]
    best = found.best_value
    assert best == (values.max() if one.maximise else values.min())
    assert one.maximise is (name not in ("ulcer", "drawdown_duration"))
    if name == "deflated_sharpe":
        sharpe = found.table["sharpe_ratio"] / math.sqrt(BARS.periods_per_year)
        row = found.ranking().iloc[0]
        told = deflated_sharpe(
            row["sharpe_ratio"] / math.sqrt(BARS.periods_per_year), len(BARS), trials=6, variance=sharpe.var(ddof=1),
            skew=row["skewness"], kurtosis=row["kurtosis"] + 3.0,
        )  # fmt: skip
        assert best == pytest.approx(told, rel=1e-12)
    else:
        assert best == pytest.approx(expected(name, found.result()), rel=1e-9)


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "qmc", "random", "nsga2"])
def test_the_same_seed_gives_the_same_trials(sampler: str) -> None:
    first, second, other = (optimise(Above, BARS, trials=18, sampler=sampler, seed=seed, batch=4) for seed in (5, 5, 6))
    assert first.table.equals(second.table)
    assert not first.table.equals(other.table)
    assert len(first) == 18


def test_a_function_of_a_result_can_be_the_objective_and_a_constraint() -> None:
    def per_trade(result: wb.Result) -> float:
        return float(result.metrics["total_return"]) / max(int(result.metrics["trades"]), 1)

    found = optimise(
        Above, BARS, objective=per_trade, trials=8, sampler="random",
        constraints={"trades": (">=", 10), "calm": lambda result: result.metrics["max_drawdown"] > -0.9},
    )  # fmt: skip
    assert found.objectives == (Objective(name="per_trade", function=per_trade),)
    assert found.best_value == pytest.approx(per_trade(found.result()), rel=1e-12)
    assert (found.table["trades"][found.table["feasible"]] >= 10).all()


def test_what_breaks_a_constraint_is_never_the_best() -> None:
    free = optimise(Above, BARS, trials=30, sampler="qmc")
    most = int(free.ranking()["trades"].iloc[0]) + 5
    bound = optimise(Above, BARS, trials=30, sampler="qmc", constraints={"trades": (">=", most)})
    assert bound.best() != free.best()
    assert bound.ranking()["trades"].min() >= most
    assert f"not trades >= {most}" in set(bound.table["reason"])
    with pytest.raises(RunError, match=r"none of 4 trials .* not trades >= 9999"):
        optimise(Above, BARS, trials=4, constraints={"trades": (">=", 9999)}).best()


def test_several_objectives_give_a_front() -> None:
    found = optimise(Above, BARS, objective=["total_return", "ulcer"], trials=40, sampler="nsga2")
    front = found.pareto()
    assert [one.name for one in found.objectives] == ["total_return", "ulcer_index"]
    for _, row in found.ranking().iterrows():
        beats = (row["total_return"] > front["total_return"]) & (row["ulcer_index"] < front["ulcer_index"])
        assert not beats.any()
    assert front["ulcer_index"].is_monotonic_decreasing  # less return, less pain
    assert {trial.number for trial in found.study.best_trials} >= set(front.index)


def test_a_grid_tries_every_point_once_and_says_so() -> None:
    space = {"length": (5, 15, 5), "band": [0.0, 0.01]}
    found = optimise(Above, BARS, trials=100, sampler="grid", space=space)
    assert len(found) == 6 and found.stopped == "every point of the grid was tried"
    assert len({tuple(row) for row in found.table[["length", "band"]].to_numpy()}) == 6


def test_a_space_may_be_logarithmic_and_one_parameter_may_hang_on_another() -> None:
    def suggest(trial: optuna.Trial) -> dict[str, object]:
        stopped = trial.suggest_categorical("stopped", [True, False])
        found: dict[str, object] = {"length": trial.suggest_int("length", 5, 20)}
        return found | ({"stop_loss": trial.suggest_float("stop_loss", 0.01, 0.1, log=True)} if stopped else {})

    found = optimise(Above, BARS, trials=12, space=suggest, sampler="random", seed=1)
    stops = found.table["stop_loss"]
    assert 0 < stops.notna().sum() < 12
    assert (stops.notna() == found.table["stopped"].astype(bool)).all()
    for number, row in found.table.iterrows():  # what the function gave was tried, not what optuna drew for it
        assert "stopped" not in found.parameters_of(number)
        assert found.result(number).metrics["sharpe_ratio"] == pytest.approx(row["sharpe_ratio"], rel=1e-9)
    assert found.overfitting(sample=4).trials.count == 12
    logs = optimise(Above, BARS, trials=40, space={"band": (5e-4, 5e-2, "log")}, sampler="qmc").table["band"]
    assert 0.35 < (logs < 5e-3).mean() < 0.65


def test_what_the_strategy_refuses_fails_by_itself() -> None:
    found = optimise(Ordered, BARS, trials=20, sampler="qmc")
    refused = found.table["length"] > 30
    assert refused.any() and (found.table["reason"][refused] == "length above 30 is not wanted").all()
    assert found.table["sharpe_ratio"][refused].isna().all() and found.best()["length"] <= 30
    never = optimise(Above, BARS, trials=6, sampler="random", space={"length": (2, 9)},
                     objective=lambda result: math.nan)  # fmt: skip
    assert not never.table["feasible"].any()


def test_it_stops_when_nothing_gets_better() -> None:
    found = optimise(Above, BARS, trials=500, patience=12, batch=3, space={"length": (2, 6)}, sampler="random")
    assert len(found) < 60 and found.stopped == "no better one in 12 trials"
    best = found.table["sharpe_ratio"].cummax()
    assert 12 <= len(found) - 1 - int(np.argmax(best.to_numpy())) < 15


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "workbench.toml").touch()
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("sampler", ["tpe", "cmaes", "grid"])
def test_a_named_study_goes_on_where_another_process_left_it(desk: Path, sampler: str) -> None:
    space = {"length": (2, 20, 2), "band": (0.0, 0.04, 0.02)}
    code = (
        "from tests.research.validation.markets import Above, walk\n"
        "from workbench.research.optimising import optimise\n"
        f"optimise(Above, walk(600), trials=9, study='My study', sampler={sampler!r}, space={space!r})"
    )
    if sampler == "tpe":
        subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
    else:
        optimise(Above, BARS, trials=9, study="My study", sampler=sampler, space=space)
    found = optimise(Above, BARS, trials=15, study="My study", sampler=sampler, space=space)
    assert len(found) == 15 and found.folder is not None and found.folder.parent == desk / "data" / "studies"
    backend = optuna.storages.journal.JournalFileBackend(str(found.folder / "optuna.journal"))
    kept = optuna.load_study(study_name="My study", storage=optuna.storages.JournalStorage(backend))
    assert [trial.params for trial in kept.trials] == [found.parameters_of(k) for k in range(15)]
    assert not any(name.startswith("cma") for trial in kept.trials for name in trial.system_attrs)  # no pickles
    again = optimise(Above, BARS, trials=15, study="My study", sampler=sampler, space=space)
    assert again.table.equals(found.table)
    if sampler == "cmaes":
        assert optimise(Above, BARS, trials=15, sampler=sampler, space=space).table.equals(found.table)


def test_a_study_is_not_continued_with_another_question(desk: Path) -> None:
    optimise(Above, BARS, trials=2, study="one", sampler="random")
    for options, difference in (
        ({"objective": "calmar"}, "it has the objective sharpe_ratio .*, this is the objective calmar_ratio"),
        ({"fill": "close"}, "the options none, this is the options fill='close'"),
        ({"objective": ["calmar", "ulcer"]}, "another question"),
    ):
        with pytest.raises(ConfigError, match=difference):
            optimise(Above, BARS, trials=2, study="one", **options)
    with pytest.raises(ConfigError, match="the bars"):
        optimise(Above, walk(601), trials=2, study="one")


def test_pictures_and_importances_are_drawn() -> None:
    found = optimise(Above, BARS, objective=["sharpe", "ulcer"], trials=20, sampler="qmc")
    share = found.importance("ulcer_index")
    assert set(share.index) == {"length", "band"} and share.sum() == pytest.approx(1.0)
    for figure in (found.plot_history(), found.plot_parameters(), found.plot_importance(), found.plot_pareto()):
        assert figure.axes
    assert "Optimisation Above" in found._repr_html_() and "20 trials" in repr(found)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objective": "sharpness"}, "objective = 'sharpness' is no metric: did you mean 'sharpe"),
        ({"objective": "exposure"}, "neither more nor less of it is better"),
        ({"objective": []}, "give one, or a list"),
        ({"sampler": "annealing"}, "sampler = 'annealing' is not one of"),
        ({"sampler": "cmaes", "objective": ["sharpe", "ulcer"]}, "has one objective"),
        ({"sampler": "grid"}, "band is a range without steps"),
        ({"constraints": {"trades": 30}}, "constraints: trades = 30"),
        ({"constraints": {"luck": (">=", 1)}}, "'luck' is not among"),
        ({"space": {"lenght": (2, 9)}}, "no parameter 'lenght'"),
        ({"space": {"length": (9, 2)}}, "space: length from 9 to 2"),
        ({"space": {"length": "many"}}, "space: length = 'many'"),
        ({"trials": 0}, "trials = 0"),
        ({"seed": -1}, "seed = -1"),
        ({"patience": 0}, "patience = 0"),
        ({"sead": 1}, "no option 'sead': did you mean 'seed'"),
        ({"search": 3}, "search is a int"),
        ({"objective": lambda result: 1 / 0}, "the function raised ZeroDivisionError"),
    ],
)
def test_what_cannot_be_searched_is_refused_by_name(options: dict[str, object], message: str) -> None:
    with pytest.raises((ConfigError, RunError), match=message):
        optimise(Above, BARS, **{"trials": 3, **options}).best()  # type: ignore[arg-type]


def test_options_go_before_those_of_a_search_that_is_given() -> None:
    found = optimise(Above, BARS, trials=3, search=Search(sampler="random", seed=4), seed=5)
    assert found.search == Search(sampler="random", seed=5)


def test_the_best_is_judged_as_one_of_all_that_the_strategy_took() -> None:
    found = optimise(Ordered, BARS, objective="calmar_ratio", trials=30, sampler="random")
    refused = int(found.table["calmar_ratio"].isna().sum())
    judged = found.overfitting(sample=10)
    assert 0 < refused < 30 and judged.trials.count == 30 - refused == judged.trials.distinct_count
    chosen = found.result()
    assert judged.trials.returns.shape[1] >= 10
    assert judged.trials.sharpe[judged.trials.chosen] * math.sqrt(chosen.periods_per_year) == pytest.approx(
        chosen.metrics["sharpe_ratio"], rel=1e-9
    )
    assert found.verdict().sentence and found.name == "Ordered"
