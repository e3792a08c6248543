"""`Combinations`: which values of which parameters go together, as columns that are made when they are asked for.

A grid of a million combinations is a few short axes and, where `where=` leaves some out, one array of positions; a
sample is its columns. Row numbers are the identity of a combination: chunks, resumed runs and tables all count by them.
"""

from __future__ import annotations

import difflib
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError, WorkbenchError
from workbench.research.sweeping.names import known_names, parameter_of
from workbench.strategy.strategy import SignalStrategy

__all__ = ["Combinations", "Where", "grid_of"]

Whole = NDArray[np.int64]
Where = Callable[[Mapping[str, Any]], Any]

_BLOCK: Final = 1 << 18
_PROBES: Final = 16
_MOST: Final = 1 << 40


class Combinations:
    """Combinations of parameters, in a fixed order.

    Parameters
    ----------
    axes : mapping of str to sequence
        With `rows` None every value of one goes with every value of the others, the last name changing fastest;
        otherwise the axes are columns, one value a combination.
    rows : int array, shape (k,), optional
        Positions in the full grid that are kept.
    grid : bool
        Whether `axes` span a grid or are columns.
    """

    def __init__(self, axes: Mapping[str, Any], *, rows: Whole | None = None, grid: bool = True) -> None:
        self.axes = {name: column_of(values) for name, values in axes.items()}
        self.grid = grid
        lengths = [len(axis) for axis in self.axes.values()]
        self.full = math.prod(lengths) if grid else lengths[0]
        self.kept = rows

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters, in order."""
        return tuple(self.axes)

    def __len__(self) -> int:
        return self.full if self.kept is None else len(self.kept)

    def columns(self, start: int = 0, stop: int | None = None) -> dict[str, NDArray[Any]]:
        """Give the values of combinations `start` up to `stop`, one array a parameter, shape (stop - start,)."""
        stop = len(self) if stop is None else min(stop, len(self))
        places = np.arange(start, stop) if self.kept is None else self.kept[start:stop]
        return self.at(places)

    def columns_of(self, numbers: Whole) -> dict[str, NDArray[Any]]:
        """Give the values of combinations by their numbers, one array a parameter."""
        return self.at(numbers if self.kept is None else self.kept[numbers])

    def at(self, places: Whole) -> dict[str, NDArray[Any]]:
        """Give the values at positions of the full grid."""
        if not self.grid:
            return {name: axis[places] for name, axis in self.axes.items()}
        found, left = {}, places
        for name in reversed(self.axes):
            axis = self.axes[name]
            left, digit = np.divmod(left, len(axis))
            found[name] = axis[digit]
        return {name: found[name] for name in self.axes}

    def where(self, keep: Where | None) -> Combinations:
        """Give those of which a predicate says yes.

        Parameters
        ----------
        keep : callable, optional
            `(parameters by name) -> bool`. Asked with whole columns where it can answer for them, else row by row.

        Raises
        ------
        ConfigError
            It raised, did not say True or False, or left nothing.
        """
        if keep is None:
            return self
        everything = np.arange(self.full) if self.kept is None else self.kept
        blocks = [everything[i : i + _BLOCK] for i in range(0, len(everything), _BLOCK)]
        chosen = [block[_answers(keep, self.at(block))] for block in blocks]
        kept = np.concatenate(chosen) if chosen else everything
        if not len(kept):
            raise ConfigError(f"where= leaves none of {len(everything):,} combinations; check the condition")
        return Combinations(self.axes, rows=kept, grid=self.grid)

    @property
    def fingerprint(self) -> str:
        """Hash (16 hex digits) of all values, in order."""
        digest = hashlib.sha256(repr((self.grid, self.names)).encode())
        for axis in self.axes.values():
            digest.update(
                repr(axis.tolist()).encode() if axis.dtype == object else axis.dtype.str.encode() + axis.tobytes()
            )
        digest.update(b"" if self.kept is None else self.kept.tobytes())
        return digest.hexdigest()[:16]

    def __repr__(self) -> str:
        kind = " x ".join(f"{name}: {len(axis)}" for name, axis in self.axes.items()) if self.grid else "sampled"
        return f"<Combinations {len(self):,} of {', '.join(self.names)} ({kind})>"


def grid_of(strategy: SignalStrategy, grid: Mapping[str, Any], where: Where | None = None) -> Combinations:
    """Make the combinations of a grid, every value held to its declaration.

    Parameters
    ----------
    strategy : SignalStrategy
    grid : mapping of str to iterable
        Values by the name of a parameter, an exit, a cost or `leverage`; a single value is an axis of one.
    where : callable, optional
        As `Combinations.where`.

    Raises
    ------
    ConfigError
        There is no name, an unknown one, an axis without values or with one value twice, or nothing is left.
    StrategyError
        A value is out of the parameter's range.
    """
    if not isinstance(grid, Mapping):
        raise ConfigError(f"grid is a {type(grid).__name__}: give values by parameter, as in {{'fast': range(5, 55)}}")
    if not grid:
        raise ConfigError("grid is empty: give values by parameter, such as grid={'fast': range(5, 55)}")
    axes = {name: _axis(strategy, name, values) for name, values in grid.items()}
    if math.prod(map(len, axes.values())) > _MOST:
        sizes = " x ".join(f"{len(axis):,} {name}" for name, axis in axes.items())
        raise ConfigError(f"grid has {sizes} combinations, more than can be counted; give a sampler= instead")
    return Combinations(axes).where(where)


def _axis(strategy: SignalStrategy, name: str, values: Any) -> list[Any]:
    known = known_names(strategy)
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ConfigError(
            f"{type(strategy).__name__} has no parameter {name!r}: {hint}what can be varied is {', '.join(known)}",
            parameter=name,
        )
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        values = [values]
    found = list(values.tolist() if isinstance(values, np.ndarray) else values)
    if not found:
        raise ConfigError(f"grid[{name!r}] has no values; give at least one, such as range(5, 55, 5)", parameter=name)
    declared = parameter_of(strategy, name)
    checked = [declared.check(type(strategy).__name__, value) for value in found]
    if len(set(map(_identity, checked))) < len(checked):
        twice = next(one for one in checked if checked.count(one) > 1)
        raise ConfigError(f"grid[{name!r}] has {twice!r} more than once; give each value once", parameter=name)
    return checked


def _identity(value: Any) -> Any:
    return type(value), value


def column_of(values: Sequence[Any] | NDArray[Any]) -> NDArray[Any]:
    """Give values as a column of one type: whole numbers, numbers or flags; else of objects."""
    if isinstance(values, np.ndarray):
        return values
    kinds = {type(value) for value in values}
    if len(kinds) == 1 and kinds <= {int, float, bool}:
        return np.array(values)
    if kinds == {int, float}:
        return np.array(values, dtype=np.float64)
    out = np.empty(len(values), dtype=object)
    out[:] = list(values)
    return out


def _answers(keep: Where, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Ask a predicate for all rows at once, and for each by itself if it cannot say that (or says something else)."""
    count = len(next(iter(columns.values())))
    try:
        found = np.asarray(keep(columns))
    except ConfigError:
        raise
    except Exception:  # made for single values, as `a < b and c < d` is
        found = np.zeros(0)
    if found.shape == (count,) and found.dtype == np.bool_:
        probes = np.unique(np.linspace(0, count - 1, min(count, _PROBES)).astype(np.int64))
        if np.array_equal(_one_by_one(keep, {name: one[probes] for name, one in columns.items()}), found[probes]):
            return found
    return _one_by_one(keep, columns)


def _one_by_one(keep: Where, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    names = tuple(columns)
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    return np.array([_answer(keep, dict(zip(names, row, strict=True))) for row in rows], dtype=np.bool_)


def _answer(keep: Where, row: dict[str, Any]) -> bool:
    try:
        found = keep(row)
    except WorkbenchError:
        raise
    except Exception as error:
        raise ConfigError(f"where= raised {type(error).__name__}: {error} for {row}") from error
    if not isinstance(found, (bool, np.bool_)):
        raise ConfigError(f"where= gave {found!r} for {row}; it must say True or False")
    return bool(found)
