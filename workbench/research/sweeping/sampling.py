"""`Sampler`: combinations drawn from the ranges that a strategy declares, at random or evenly spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.research.sweeping.combinations import Combinations, Where, column_of
from workbench.research.sweeping.names import known_names, parameter_of
from workbench.strategy.parameters import Parameter
from workbench.strategy.strategy import SignalStrategy

__all__ = ["Sampler"]


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """How to draw combinations.

    Parameters
    ----------
    count : int
        Combinations to draw; those that come twice are kept once.
    kind : {"sobol", "latin", "random"}
        A scrambled Sobol sequence, a Latin hypercube (both spread evenly), or independent draws.
    seed : int
    ranges : mapping of str to (low, high) or list of choices, optional
        A tuple of two numbers is a range, both ends included; a list has the values to choose from. Of parameters that
        are not among them, and declared with `low` and `high`, `choices` or as a bool, the declaration is used.
    names : tuple of str, optional
        The parameters to vary: all that the strategy declares with a range, and those of `ranges`, when left out.

    Examples
    --------
    >>> Sampler(count=500, kind="latin", ranges={"stop_loss": (0.01, 0.1)}).count
    500
    """

    count: int
    kind: Literal["sobol", "latin", "random"] = "sobol"
    seed: int = 0
    ranges: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] | None = None

    def draw(self, strategy: SignalStrategy, where: Where | None = None) -> Combinations:
        """Draw combinations for a strategy.

        Raises
        ------
        ConfigError
            A name is unknown, a parameter has no range, or nothing can be varied.
        StrategyError
            A range goes beyond what the parameter takes.
        """
        if self.kind not in ("sobol", "latin", "random"):
            raise ConfigError(f"Sampler: kind = {self.kind!r} is not one of 'sobol', 'latin', 'random'")
        if not isinstance(self.count, int) or isinstance(self.count, bool) or not 0 < self.count <= 10_000_000:
            raise ConfigError(f"Sampler: count = {self.count!r}; give a whole number from 1 to 10,000,000")
        names = self._names(strategy)
        unit = self._unit(len(names))
        columns = {name: self._column(strategy, name, unit[:, place]) for place, name in enumerate(names)}
        return Combinations(_distinct(columns), grid=False).where(where)

    def _names(self, strategy: SignalStrategy) -> tuple[str, ...]:
        known = known_names(strategy)
        for name in (*self.ranges, *(self.names or ())):
            if name not in known:
                raise ConfigError(
                    f"Sampler: {type(strategy).__name__} has no parameter {name!r}; what can be varied is "
                    f"{', '.join(known)}", parameter=name,
                )  # fmt: skip
        own = [name for name, one in strategy.declared.items() if _has_range(one)]
        names = self.names or tuple(dict.fromkeys((*own, *self.ranges)))
        if not names:
            raise ConfigError(
                f"Sampler: {type(strategy).__name__} declares no parameter with low and high or choices; give "
                "ranges={'name': (low, high)}"
            )
        return names

    def _unit(self, width: int) -> NDArray[np.float64]:
        if self.kind == "random":
            return np.random.default_rng(self.seed).random((self.count, width))
        from scipy.stats import qmc

        if self.kind == "latin":
            return np.asarray(qmc.LatinHypercube(width, rng=self.seed).random(self.count))
        power = max(0, (self.count - 1).bit_length())  # a whole power of two keeps the balance, then it is cut
        return np.asarray(qmc.Sobol(width, rng=self.seed).random_base2(power))[: self.count]

    def _end(self, declared: Parameter, owner: str, value: Any) -> Any:
        return declared.check(owner, value)

    def _column(self, strategy: SignalStrategy, name: str, unit: NDArray[np.float64]) -> NDArray[Any]:
        declared, owner = parameter_of(strategy, name), type(strategy).__name__
        given = self.ranges.get(name)
        choices = list(given) if isinstance(given, (list, range, np.ndarray)) else None
        if given is None:
            choices = list(declared.choices) if declared.choices else [False, True] if declared.kind is bool else None
        if choices is not None:
            checked = column_of([declared.check(owner, one) for one in choices])
            return checked[np.minimum((unit * len(checked)).astype(np.int64), len(checked) - 1)]
        if given is not None and not (isinstance(given, tuple) and len(given) == 2):
            raise ConfigError(
                f"Sampler: ranges[{name!r}] = {given!r}; give (low, high), or a list of the values to choose from"
            )
        low, high = given or (declared.low, declared.high)
        if low is None or high is None:
            raise ConfigError(
                f"Sampler: {name} has no low and high; give ranges={{{name!r}: (low, high)}}", parameter=name
            )
        low, high = (self._end(declared, owner, one) for one in (low, high))
        if not low <= high:
            raise ConfigError(f"Sampler: ranges[{name!r}] goes from {low!r} down to {high!r}; give the lower one first")
        if declared.kind is int:
            whole: NDArray[Any] = low + np.minimum((unit * (high - low + 1)).astype(np.int64), high - low)
            return whole
        found: NDArray[Any] = low + unit * (high - low)
        return found


def _has_range(one: Any) -> bool:
    return bool(one.choices) or one.kind is bool or (one.low is not None and one.high is not None)


def _distinct(columns: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    codes = np.column_stack([np.unique(column.astype(str) if column.dtype == object else column,
                                       return_inverse=True)[1] for column in columns.values()])  # fmt: skip
    first = np.sort(np.unique(codes, axis=0, return_index=True)[1])
    return {name: column[first] for name, column in columns.items()}
