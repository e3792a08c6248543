"""`Scorer`: the objectives and constraints of many combinations, each by the cheapest way there is.

What `Result.metrics` has comes from `Evaluator.rows`, metrics of returns from `Evaluator.returns`; only trades and
functions of the user need whole results. A combination that the strategy refuses, or that fails, has NaN and a reason.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.result import Result
from workbench.errors import ConfigError, WorkbenchError
from workbench.research.optimising.objectives import SHORT_NAMES, Objective, of_returns, source_of
from workbench.research.overfitting.sharpe import deflated_sharpe
from workbench.research.sweeping.evaluator import Evaluator
from workbench.risk import metrics

__all__ = ["ALWAYS", "Constraint", "Score", "Scorer", "constraints_of"]

Floats = NDArray[np.float64]
Combination = Mapping[str, Any]

ALWAYS: Final = ("total_return", "annualised_return", "sharpe_ratio", "max_drawdown", "trades")
_WORDS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
_WRONG: Final = 1e9  # how far off something is that has no value
_MOMENTS: Final = ("skewness", "kurtosis")


@dataclass(frozen=True)
class Constraint:
    """What a combination must keep to.

    Parameters
    ----------
    name : str
        A metric, or what the function's answer is called.
    word : {">=", "<=", ">", "<"}
    bound : float
    function : callable, optional
        `(Result) -> bool`: whether it is kept.
    """

    name: str
    word: str = ">="
    bound: float = 0.0
    function: Callable[[Result], bool] | None = None

    def violation(self, value: float) -> float:
        """Say by how much it is broken: zero or less where it is kept, as optuna has it."""
        if not math.isfinite(value):
            return _WRONG
        distance = self.bound - value if self.word.startswith(">") else value - self.bound
        return min(distance, 0.0) if _WORDS[self.word](value, self.bound) else max(distance, 1e-12)

    def __str__(self) -> str:
        return self.name if self.function else f"{self.name} {self.word} {self.bound:g}"


@dataclass(frozen=True)
class Score:
    """What came of one combination.

    Attributes
    ----------
    values : tuple of float
        Of the objectives, in their order; NaN without an answer.
    numbers : mapping of str to float
        All metrics that were computed.
    violations : mapping of str to float
        By constraint; zero or less where it is kept.
    reason : str
        Why there is no answer; empty where there is one.
    """

    values: tuple[float, ...]
    numbers: Mapping[str, float] = field(default_factory=dict)
    violations: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""

    @property
    def feasible(self) -> bool:
        """Whether there is an answer and every constraint is kept."""
        return not self.reason and all(value <= 0.0 for value in self.violations.values())


class Scorer:
    """Computes objectives and constraints.

    Parameters
    ----------
    evaluator : Evaluator
    objectives : sequence of Objective
    constraints : sequence of Constraint
    """

    def __init__(
        self, evaluator: Evaluator, objectives: Sequence[Objective], constraints: Sequence[Constraint] = ()
    ) -> None:
        self.objectives, self.constraints = tuple(objectives), tuple(constraints)
        wanted = [*(one.name for one in objectives if one.source != "result"),
                  *(one.name for one in constraints if one.function is None)]  # fmt: skip
        self.deflated = any(one.source == "deflated" for one in objectives)
        wanted = [name for name in wanted if name != "deflated_sharpe_ratio"] + list(_MOMENTS) * self.deflated
        sources = {name: source_of(name) for name in (*ALWAYS, *wanted)}
        self.by_row = tuple(name for name, source in sources.items() if source == "row")
        self.by_returns = tuple(name for name, source in sources.items() if source == "returns")
        self.by_profits = tuple(name for name, source in sources.items() if source == "profits")
        asked = [(one.name, one.function) for one in objectives] + [(one.name, one.function) for one in constraints]
        self.functions = {name: function for name, function in asked if function is not None}
        self.needs_results = bool(self.by_profits or self.functions)
        self.evaluator = Evaluator(evaluator.strategy, evaluator.bars, metrics=self.by_row, **evaluator.options)
        self.periods_per_year, self.years = _time_of(evaluator)
        self.sharpes: list[float] = []  # of all trials so far, per bar: what the deflated Sharpe ratio is held against

    @property
    def observations(self) -> int:
        """Bars that each number is computed from."""
        bars = self.evaluator.bars
        return max(len(one) for one in (bars if isinstance(bars, list) else [bars]))

    def score(self, combinations: Sequence[Combination]) -> list[Score]:
        """Compute many combinations, in their order; one mapping may name other parameters than the next."""
        found: dict[int, dict[str, float]] = {}
        reasons: dict[int, str] = {}
        groups: dict[tuple[str, ...], list[int]] = {}
        for place, one in enumerate(combinations):
            reason = self._refused(one)
            if reason:
                reasons[place] = reason
            else:
                groups.setdefault(tuple(one), []).append(place)
        for names, places in groups.items():
            chosen = [combinations[place] for place in places]
            for place, numbers in zip(places, self._numbers(names, chosen), strict=True):
                if isinstance(numbers, str):
                    reasons[place] = numbers
                else:
                    found[place] = numbers
        if self.deflated:
            self._deflate(found)
        return [self._score(found.get(place), reasons.get(place, "")) for place in range(len(combinations))]

    def _refused(self, combination: Combination) -> str:
        strategy = self.evaluator.strategy
        try:
            strategy.replace(**{name: value for name, value in combination.items() if name in strategy.declared})
        except WorkbenchError as error:
            return str(error)
        return ""

    def _numbers(self, names: Sequence[str], chosen: Sequence[Combination]) -> list[dict[str, float] | str]:
        if self.needs_results:
            return [self._of_one(one) for one in chosen]
        columns = {name: [one[name] for one in chosen] for name in names}
        try:
            table = dict(self.evaluator.rows(columns))
            if self.by_returns:
                returns = self.evaluator.returns(columns)
                table |= {name: self._of_returns(name, returns) for name in self.by_returns}
        except WorkbenchError as error:  # one of them: find out which
            if len(chosen) == 1:
                return [str(error)]
            return [self._numbers(names, [one])[0] for one in chosen]
        return [{name: float(values[k]) for name, values in table.items()} for k in range(len(chosen))]

    def _of_one(self, combination: Combination) -> dict[str, float] | str:
        try:
            result = self.evaluator.result(combination)
        except WorkbenchError as error:
            return str(error)
        table = {name: _number(result.metrics[name]) for name in self.by_row}
        returns = metrics.returns_of(result.equity_values, result.cash)[None]
        table |= {name: float(self._of_returns(name, returns)[0]) for name in self.by_returns}
        profits = result.profits[result.closed]
        table |= {name: float(metrics.METRICS[name].function(profits)) for name in self.by_profits}  # type: ignore[misc]
        for name, function in self.functions.items():
            table[name] = _asked(name, function, result)
        return table

    def _of_returns(self, name: str, returns: Floats) -> Floats:
        return of_returns(name, returns, self.periods_per_year, self.years)

    def _deflate(self, found: Mapping[int, dict[str, float]]) -> None:
        root = math.sqrt(self.periods_per_year)
        self.sharpes += [numbers["sharpe_ratio"] / root for numbers in found.values()]
        for numbers in found.values():
            numbers["deflated_sharpe_ratio"] = self.deflate(numbers)

    def deflate(self, numbers: Mapping[str, float]) -> float:
        """Give the deflated Sharpe ratio of a trial among all trials so far; NaN without variation."""
        known = np.array([one for one in self.sharpes if math.isfinite(one)])
        sharpe = numbers.get("sharpe_ratio", math.nan) / math.sqrt(self.periods_per_year)
        if not math.isfinite(sharpe):
            return math.nan
        return float(
            deflated_sharpe(
                sharpe, self.observations, trials=max(len(self.sharpes), 1),
                variance=float(known.var(ddof=1)) if len(known) > 1 else 0.0,
                skew=numbers["skewness"], kurtosis=numbers["kurtosis"] + 3.0,
            )
        )  # fmt: skip

    def _score(self, numbers: Mapping[str, float] | None, reason: str) -> Score:
        if numbers is None:
            return Score((math.nan,) * len(self.objectives), reason=reason or "no answer")
        values = tuple(numbers[one.name] for one in self.objectives)
        missing = [one.name for one, value in zip(self.objectives, values, strict=True) if not math.isfinite(value)]
        violations = {str(one): one.violation(numbers[one.name]) for one in self.constraints}
        return Score(values, numbers, violations, f"{', '.join(missing)} has no value" if missing else "")


def constraints_of(given: Mapping[str, Any] | None) -> tuple[Constraint, ...]:
    """Read constraints such as `{"trades": (">=", 30), "calm": lambda result: ...}`.

    Raises
    ------
    ConfigError
        One is neither (word, number) for a metric nor a function.
    """
    found = []
    for name, rule in (given or {}).items():
        if callable(rule):
            found.append(Constraint(name, function=rule, bound=1.0))
            continue
        if not (isinstance(rule, (tuple, list)) and len(rule) == 2 and rule[0] in _WORDS):
            raise ConfigError(
                f'constraints: {name} = {rule!r}; write (">=", 30) with one of {", ".join(_WORDS)}, or a function of '
                "a Result that says True where it is kept",
                name=name,
            )
        name = SHORT_NAMES.get(name, name)
        source_of(name)
        found.append(Constraint(name, rule[0], float(rule[1])))
    return tuple(found)


def _asked(name: str, function: Callable[[Result], Any], result: Result) -> float:
    """Ask the user's function; what it raises is told as its fault."""
    try:
        return float(function(result))
    except WorkbenchError:
        raise
    except Exception as error:
        raise ConfigError(
            f"{name}: the function raised {type(error).__name__}: {error} for {result.name}; it must give a number "
            "(NaN where there is none)",
            name=name,
        ) from error


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan


def _time_of(evaluator: Evaluator) -> tuple[float, float]:
    """Give bars a year and elapsed years, as a `Result` on these bars has them."""
    bars = evaluator.bars if isinstance(evaluator.bars, list) else [evaluator.bars]
    if not bars or not all(len(one) for one in bars):
        raise ConfigError("there are no bars: read a range that has some")
    elapsed = max(one.end for one in bars) - min(one.start for one in bars)
    return max(one.periods_per_year for one in bars), elapsed / metrics.YEAR_MS
