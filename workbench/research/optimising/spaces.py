"""`Space`: which values an optimiser may try, from what the strategy declares or from what the user says.

A mapping says the range of each parameter; a function of an optuna trial can make one parameter depend on another.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError
from workbench.research.sweeping.names import known_names, parameter_of
from workbench.strategy.parameters import Parameter
from workbench.strategy.strategy import SignalStrategy

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

__all__ = ["Space", "space_of"]

_MOST_POINTS: Final = 1_000_000


class Space:
    """The values that may be tried.

    Parameters
    ----------
    distributions : mapping of str to optuna distribution, optional
    suggest : callable, optional
        `(optuna trial) -> {name: value}`, where there is no fixed list.
    """

    def __init__(
        self,
        distributions: Mapping[str, BaseDistribution] | None = None,
        suggest: Callable[[Trial], Mapping[str, Any]] | None = None,
    ) -> None:
        self.distributions, self.suggest = dict(distributions or {}), suggest

    def __str__(self) -> str:
        if self.suggest is not None:
            return f"function {getattr(self.suggest, '__name__', 'suggest')}"
        return ", ".join(f"{name}: {one}" for name, one in sorted(self.distributions.items()))

    def points(self) -> list[dict[str, Any]]:
        """Give every combination, for a grid.

        Raises
        ------
        ConfigError
            A range has no steps, or there are too many combinations.
        """
        axes = {name: _values(name, one) for name, one in self.distributions.items()}
        count = 1
        for values in axes.values():
            count *= len(values)
        if self.suggest is not None or count > _MOST_POINTS:
            why = "a function has no list of values" if self.suggest else f"there are {count:,} combinations"
            raise ConfigError(f"sampler='grid': {why}; give a smaller space= or another sampler")
        return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def space_of(strategy: SignalStrategy, given: Any = None) -> Space:
    """Make the space of a strategy.

    Parameters
    ----------
    strategy : SignalStrategy
    given : mapping or callable, optional
        By name of a parameter, an exit, a cost or `leverage`: `(low, high)`, `(low, high, step)`, `(low, high, "log")`,
        a `range`, a list of values, or an optuna distribution. A function of an optuna trial that gives
        `{name: value}` makes a conditional space. All that the strategy declares with bounds or choices when left out.

    Raises
    ------
    ConfigError
        A name is unknown, a range is wrong, or there is nothing to vary.
    """
    if callable(given):
        return Space(suggest=given)
    if given is None:
        found = {name: _declared(one) for name, one in strategy.declared.items()}
        chosen = {name: one for name, one in found.items() if one is not None}
        if not chosen:
            raise ConfigError(
                f"{type(strategy).__name__} declares no parameter with low= and high= or choices=: give "
                "space={'name': (low, high)}"
            )
        return Space(chosen)
    if not isinstance(given, Mapping) or not given:
        raise ConfigError(f"space = {given!r}: give ranges by parameter, such as {{'fast': (5, 50)}}", space=given)
    known = known_names(strategy)
    for name in given:
        if name not in known:
            raise ConfigError(
                f"space: {type(strategy).__name__} has no parameter {name!r}; what can be varied is {', '.join(known)}",
                parameter=name,
            )
    return Space({name: _given(parameter_of(strategy, name), one) for name, one in given.items()})


def _declared(one: Parameter) -> BaseDistribution | None:
    from optuna.distributions import CategoricalDistribution

    if one.choices is not None or one.kind is bool:
        return CategoricalDistribution(one.choices if one.choices is not None else (False, True))
    if one.low is None or one.high is None or one.low >= one.high:
        return None
    return _ranged(one, one.low, one.high, None)


def _given(one: Parameter, said: Any) -> BaseDistribution:
    from optuna.distributions import BaseDistribution, CategoricalDistribution

    if isinstance(said, BaseDistribution):
        return said
    if isinstance(said, range) and len(said) > 1 and said.step > 0:
        return _ranged(one, said[0], said[-1], said.step)
    if isinstance(said, tuple) and len(said) in (2, 3) and _are_numbers(said[:2]) and one.kind in (int, float):
        return _ranged(one, said[0], said[1], said[2] if len(said) == 3 else None)
    if isinstance(said, (list, range)) and len(said):
        return CategoricalDistribution(tuple(one.check("space", value) for value in said))
    raise ConfigError(
        f"space: {one.name} = {said!r}; give (low, high), (low, high, step), (low, high, 'log') or a list of values",
        parameter=one.name,
    )


def _are_numbers(values: Any) -> bool:
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def _ranged(one: Parameter, low: Any, high: Any, more: Any) -> BaseDistribution:
    from optuna.distributions import FloatDistribution, IntDistribution

    low, high = one.check("space", low), one.check("space", high)
    log, step = more == "log", None if more == "log" else more
    try:
        if one.kind is int:
            return IntDistribution(low, high, log=log, step=1 if step is None else step)
        return FloatDistribution(low, high, log=log, step=step)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"space: {one.name} from {low!r} to {high!r}, {more!r}: {error}", parameter=one.name
        ) from error


def _values(name: str, one: Any) -> list[Any]:
    from optuna.distributions import CategoricalDistribution, IntDistribution

    if isinstance(one, CategoricalDistribution):
        return list(one.choices)
    if isinstance(one, IntDistribution):
        return list(range(one.low, one.high + 1, one.step))
    if one.step is None:
        raise ConfigError(
            f"sampler='grid': {name} is a range without steps; say space={{{name!r}: (low, high, step)}} or a list",
            parameter=name,
        )
    return [round(one.low + k * one.step, 12) for k in range(round((one.high - one.low) / one.step) + 1)]
