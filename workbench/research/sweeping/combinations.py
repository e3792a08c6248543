"""Which combinations of parameters are tried: all of a grid, or a sample of what the strategy declares."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.strategy.parameters import Parameter
from workbench.strategy.strategy import SignalStrategy

__all__ = ["Combinations", "Sampler", "grid_of", "sample_of"]

_MOST: Final = 100_000_000
_METHODS: Final = ("random", "latin", "sobol")
Where = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """A sample of combinations instead of a grid.

    Parameters
    ----------
    count : int
        How many.
    method : {"random", "latin", "sobol"}
        Independent draws, a Latin hypercube, or a scrambled Sobol sequence (which fills space most evenly).
    space : mapping of str to (low, high) or list of values, optional
        What is explored, both ends included; two numbers in a tuple are bounds. Every number of the strategy that
        declares `low` and `high`, and everything with `choices`, when left out.
    seed : int, default 0
    """

    count: int
    method: Literal["random", "latin", "sobol"] = "latin"
    space: Mapping[str, Any] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.count, int) or self.count < 1:
            raise ConfigError(f"Sampler: count={self.count!r} must be a whole number of at least 1", count=self.count)
        if self.method not in _METHODS:
            raise ConfigError(
                f"Sampler: method={self.method!r} is not one of {', '.join(_METHODS)}", method=self.method
            )


class Combinations:
    """Combinations of parameters in columns.

    Parameters
    ----------
    columns : mapping of str to array, shape (k,) each
        Whole numbers, floats and flags as such; anything else (text, a mixture with None) as objects.

    Attributes
    ----------
    names : tuple of str
    """

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self.columns = dict(columns)
        self.names = tuple(self.columns)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 1

    def __repr__(self) -> str:
        return f"<{len(self):,} combinations of {', '.join(self.names) or 'nothing'}>"

    def part(self, start: int, stop: int) -> dict[str, list[Any]]:
        """Give some of them as plain values, one list a parameter."""
        return {name: values[start:stop].tolist() for name, values in self.columns.items()}

    def __getitem__(self, row: int) -> dict[str, Any]:
        return {name: values[0] for name, values in self.part(row, row + 1).items()}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[row] for row in range(len(self)))

    def where(self, allowed: Where | None) -> Combinations:
        """Give those that a condition allows.

        Parameters
        ----------
        allowed : callable, optional
            Called with the columns, `lambda p: p["fast"] < p["slow"]`; one that only understands single values
            (`and`, `if`) is called for every combination instead.

        Raises
        ------
        ConfigError
            It allows none, fails, or says something else than yes or no.
        """
        if allowed is None:
            return self
        mask = self._mask(allowed)
        if not mask.any():
            raise ConfigError(f"where= leaves none of the {len(self):,} combinations: widen the grid or the condition")
        return Combinations({name: values[mask] for name, values in self.columns.items()})

    def _mask(self, allowed: Where) -> NDArray[np.bool_]:
        try:
            together = allowed(self.columns)
        except Exception:  # it wants single values; what is wrong with it, if anything, shows there
            together = None
        if isinstance(together, np.ndarray) and together.shape == (len(self),) and together.dtype == np.bool_:
            return together
        try:
            each = [allowed(one) for one in self]
        except Exception as error:
            raise ConfigError(f"where= failed on {self[0]}: {type(error).__name__}: {error}") from error
        wrong = next((one for one in each if not isinstance(one, bool | np.bool_)), None)
        if wrong is not None:
            raise ConfigError(f"where= said {wrong!r}: it must say True or False for each combination")
        return np.array(each, dtype=np.bool_)

    def fingerprint(self) -> str:
        """Give a hash (16 hex digits) of all of them."""
        digest = hashlib.sha256()
        for name, values in self.columns.items():
            digest.update(f"{name}:{values.dtype.kind}:".encode())
            digest.update(repr(values.tolist()).encode() if values.dtype == object else values.tobytes())
        return digest.hexdigest()[:16]


def grid_of(grid: Mapping[str, Iterable[Any]]) -> Combinations:
    """Make every combination of some values, the last parameter changing fastest.

    Parameters
    ----------
    grid : mapping of str to values
        A range, a list, an array; a single value stands for itself. Repeated values count once.

    Raises
    ------
    ConfigError
        A parameter has no values, or there are more combinations than can be counted with.
    """
    if not isinstance(grid, Mapping) or not grid:
        raise ConfigError(f"grid={grid!r}: give the values of each parameter, such as {{'fast': range(5, 55)}}")
    axes = {name: _axis(name, values) for name, values in grid.items()}
    count = math.prod(map(len, axes.values()))
    if count > _MOST:
        raise ConfigError(f"the grid has {count:,} combinations, more than {_MOST:,}: make it coarser or sample it")
    columns, inner, outer = {}, count, 1
    for name, axis in axes.items():
        inner //= len(axis)
        columns[name] = np.tile(np.repeat(axis, inner), outer)
        outer *= len(axis)
    return Combinations(columns)


def _axis(name: str, values: Any) -> NDArray[Any]:
    given = [values] if isinstance(values, str) or not isinstance(values, Iterable) else list(values)
    plain = [one.item() if isinstance(one, np.generic) else one for one in given]
    unique = list(dict.fromkeys(plain))
    if not unique:
        raise ConfigError(f"grid: {name} has no values", parameter=name)
    return column_of(unique)


def column_of(values: Sequence[Any]) -> NDArray[Any]:
    """Make a column: of numbers or flags where all are of one kind, else of objects."""
    kinds = {type(one) for one in values}
    if kinds <= {int} and all(abs(one) < 2**62 for one in values):
        return np.array(values, dtype=np.int64)
    if kinds <= {int, float} and bool not in kinds:
        return np.array(values, dtype=np.float64)
    if kinds == {bool}:
        return np.array(values, dtype=np.bool_)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def sample_of(sampler: Sampler, strategy: SignalStrategy) -> Combinations:
    """Draw combinations.

    Raises
    ------
    ConfigError
        There is nothing to explore, or a range makes no sense.
    """
    space = dict(sampler.space) if sampler.space is not None else _declared(strategy)
    if not space:
        raise ConfigError(
            f"{type(strategy).__name__} declares no ranges (low, high, choices) to sample: give Sampler(space=...)"
        )
    draws = _draws(sampler, len(space))
    whole = strategy.declared
    columns = {
        name: _drawn(name, range_, draw, whole.get(name))
        for (name, range_), draw in zip(space.items(), draws.T, strict=True)
    }
    return Combinations(columns)


def _declared(strategy: SignalStrategy) -> dict[str, Any]:
    space: dict[str, Any] = {}
    for name, one in strategy.declared.items():
        if one.choices is not None:
            space[name] = list(one.choices)
        elif one.kind is bool:
            space[name] = [False, True]
        elif one.low is not None and one.high is not None:
            space[name] = (one.low, one.high)
    return space


def _draws(sampler: Sampler, dimensions: int) -> NDArray[np.float64]:
    """Give points of the unit cube, shape (count, dimensions)."""
    if sampler.method == "random":
        return np.random.default_rng(sampler.seed).random((sampler.count, dimensions))
    from scipy.stats import qmc  # type: ignore[import-untyped]

    rng = np.random.default_rng(sampler.seed)
    if sampler.method == "latin":
        points: NDArray[np.float64] = qmc.LatinHypercube(dimensions, rng=rng).random(sampler.count)
        return points
    # a whole power of two keeps the sequence balanced; what is beyond the count is left out
    drawn = qmc.Sobol(dimensions, rng=rng).random_base2(max(math.ceil(math.log2(sampler.count)), 0))
    return np.asarray(drawn[: sampler.count])


def _drawn(name: str, range_: Any, draw: NDArray[np.float64], declared: Parameter | None) -> NDArray[Any]:
    if isinstance(range_, tuple) and len(range_) == 2 and all(_is_number(one) for one in range_):
        low, high = range_
        if not low <= high:
            raise ConfigError(
                f"Sampler: {name} goes from {low!r} to {high!r}: the lower end comes first", parameter=name
            )
        whole = declared.kind is int if declared is not None else all(isinstance(one, int) for one in range_)
        if whole:
            return np.minimum(np.floor(low + draw * (high - low + 1)), high).astype(np.int64)
        spread: NDArray[Any] = low + draw * (high - low)
        return spread
    values = list(range_)
    if not values:
        raise ConfigError(f"Sampler: {name} has no values", parameter=name)
    places = np.minimum((draw * len(values)).astype(np.int64), len(values) - 1)
    return column_of([values[place] for place in places])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
