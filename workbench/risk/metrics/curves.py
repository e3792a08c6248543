"""Many return series at once, and what several metrics need of them, computed once.

`Curves` holds one series a row. `read` makes it of whatever the caller has and gives the way back: a float for one
series, a labelled pandas Series for a frame, an array for a block. Nothing here changes what it was given.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError

__all__ = ["Curves", "Episodes", "Floats", "annual", "annual_to_bar", "finite_or_nan", "ratio", "read"]

Floats = NDArray[np.float64]
_EPS: Final = 8.0 * float(np.finfo(np.float64).eps)


class Episodes(NamedTuple):
    """The drawdowns of all series, in order: whose each is, its depth, and its bars as positions in `wealth`.

    `first` is the first bar below the high, `after` the first bar back at it: the number of bars plus one where it has
    not come back.
    """

    row: NDArray[np.intp]
    depth: Floats
    first: NDArray[np.intp]
    after: NDArray[np.intp]


class Curves:
    """Simple returns per bar of one or many series, and their common intermediate results.

    Parameters
    ----------
    block : float64 array, shape (series, bars)
        What is not finite makes the metrics of its row NaN.
    """

    def __init__(self, block: Floats) -> None:
        self.known: NDArray[np.bool_] = np.asarray(np.isfinite(block).all(axis=1))
        self.returns = block if self.known.all() else np.where(self.known[:, None], block, 0.0)
        self.bars = block.shape[1]

    def __len__(self) -> int:
        return len(self.returns)

    def nothing(self) -> Floats:
        """Give NaN for each series."""
        return np.full(len(self), math.nan)

    @cached_property
    def mean(self) -> Floats:
        """Arithmetic mean; NaN without bars."""
        return np.asarray(self.returns.mean(axis=1)) if self.bars else self.nothing()

    @cached_property
    def centred(self) -> Floats:
        """Returns less their mean."""
        return np.asarray(self.returns - self.mean[:, None])

    @cached_property
    def squares(self) -> Floats:
        """Sum of the squared differences from the mean."""
        return np.asarray(np.einsum("ij,ij->i", self.centred, self.centred))

    @cached_property
    def spread(self) -> Floats:
        """Sample standard deviation (ddof 1); NaN below two bars.

        Exactly zero for returns that differ by no more than equity rounds to a float.
        """
        if self.bars < 2:
            return self.nothing()
        wide = np.ptp(self.returns, axis=1) > _EPS * (1.0 + np.abs(self.returns[:, 0]))
        return np.where(wide, np.sqrt(self.squares / (self.bars - 1)), 0.0)

    def moment(self, power: int) -> Floats:
        """Central moment over the same power of the population's standard deviation; NaN without variation."""
        if self.bars < 2:
            return self.nothing()
        whole = self.squares / self.bars
        product = self.centred * self.centred
        central = np.einsum("ij,ij->i", product, self.centred if power == 3 else product) / self.bars
        return ratio(central, np.where(self.spread > 0.0, whole ** (power / 2.0), 0.0))

    @cached_property
    def ordered(self) -> Floats:
        """Returns in rising order."""
        return np.sort(self.returns, axis=1)

    def quantile(self, level: float) -> Floats:
        """Give the quantile at a level, linear between two returns; NaN without bars."""
        if not self.bars:
            return self.nothing()
        place = level * (self.bars - 1)
        low = math.floor(place)
        high = min(low + 1, self.bars - 1)
        return np.asarray(self.ordered[:, low] + (place - low) * (self.ordered[:, high] - self.ordered[:, low]))

    @cached_property
    def gains(self) -> Floats:
        """Sum of the returns above zero."""
        return np.asarray(np.maximum(self.returns, 0.0).sum(axis=1))

    @cached_property
    def losses(self) -> Floats:
        """Size of the sum of the returns below zero."""
        return np.asarray(-np.minimum(self.returns, 0.0).sum(axis=1))

    @cached_property
    def wealth(self) -> Floats:
        """Growth of one unit, shape (series, bars + 1), the unit itself first."""
        path = np.ones((len(self), self.bars + 1))
        np.cumprod(1.0 + self.returns, axis=1, out=path[:, 1:])
        return path

    @cached_property
    def below(self) -> Floats:
        """Distance below the highest wealth so far, shape (series, bars + 1): zero or a negative fraction.

        Zero where it is no more than what compounding so many returns rounds: an account back at its high is back.
        """
        high = np.maximum.accumulate(self.wealth, axis=1)
        path = np.asarray(self.wealth / high - 1.0)
        path[path > -_EPS * (self.bars + 1)] = 0.0
        return path

    @cached_property
    def deepest(self) -> Floats:
        """The deepest drawdown, a negative fraction or zero; NaN without bars."""
        return np.asarray(self.below.min(axis=1)) if self.bars else self.nothing()

    @cached_property
    def episodes(self) -> Episodes:
        """All drawdowns."""
        wet = np.zeros((len(self), self.bars + 3), dtype=np.bool_)  # dry edges, so that no episode runs into the next
        wet[:, 1:-1] = self.below < 0.0
        edges = np.diff(wet.view(np.int8), axis=1)
        row, first = np.nonzero(edges == 1)
        _, after = np.nonzero(edges == -1)
        if not len(row):
            nothing = np.empty(0, dtype=np.intp)
            return Episodes(nothing, np.empty(0), nothing, nothing)
        width = self.bars + 1
        flat = self.below.ravel()
        starts, ends = row * width + first, row * width + after
        cuts = np.column_stack((starts, np.minimum(ends, len(flat) - 1))).ravel()
        depth = np.minimum.reduceat(flat, cuts)[::2]
        depth = np.minimum(depth, flat[starts])
        last = ends >= len(flat)  # reduceat ends where the array ends
        if last.any():
            depth[last] = np.minimum(depth[last], flat[-1])
        return Episodes(row, depth, first, after)

    def each(self, values: NDArray[Any], *, of: str = "sum") -> Floats:
        """Sum ("sum") or take the largest ("max") of one value an episode, for each series."""
        out = np.zeros(len(self))
        (np.add if of == "sum" else np.maximum).at(out, self.episodes.row, values)
        return out

    @cached_property
    def total(self) -> Floats:
        """Total return; NaN without bars."""
        return np.asarray(self.wealth[:, -1] - 1.0) if self.bars else self.nothing()


def read(values: Any, name: str = "returns") -> tuple[Curves, Callable[[Floats], Any]]:
    """Make `Curves` of a Series, a frame or arrays, and give the way back for one number a series.

    Raises
    ------
    DataError
        They are no numbers, or have more than two dimensions.
    """
    if isinstance(values, Curves):
        return values, lambda numbers: numbers
    if hasattr(values, "columns"):
        labels = values.columns

        def labelled(numbers: Floats) -> Any:
            import pandas as pd

            return pd.Series(numbers, index=labels)

        return Curves(np.ascontiguousarray(_array(values, name).T)), labelled
    array = _array(values, name)
    if array.ndim == 1:
        return Curves(array[None, :]), lambda numbers: float(numbers[0])
    if array.ndim != 2:
        raise DataError(
            f"{name} has shape {array.shape}; give one value a bar, shape (n,), or series in columns (n, k)"
        )
    return Curves(np.ascontiguousarray(array.T)), lambda numbers: numbers


def _array(values: Any, name: str) -> Floats:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} must be numbers, found {type(values).__name__}: {error}") from error


def ratio(top: Any, bottom: Any) -> Floats:
    """Divide; NaN where what is divided by is zero or not known."""
    top, bottom = np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64)
    shape = np.broadcast_shapes(top.shape, bottom.shape)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.divide(top, bottom, out=np.full(shape, math.nan), where=bottom != 0.0))


def finite_or_nan(numbers: Floats) -> Floats:
    """Give NaN for what is not finite."""
    return np.where(np.isfinite(numbers), numbers, math.nan)


def annual(periods_per_year: float) -> float:
    """Check how many bars a year has.

    Raises
    ------
    DataError
        It is not a positive number.
    """
    if not (isinstance(periods_per_year, (int, float, np.number)) and 0.0 < periods_per_year < math.inf):
        raise DataError(
            f"periods_per_year is {periods_per_year!r}; give how many such bars a year has, such as 365 for days of a "
            "market that never closes, 252 for days of a stock exchange, bars.periods_per_year for any"
        )
    return float(periods_per_year)


def annual_to_bar(rate: float, periods_per_year: float) -> float:
    """Turn an annual rate (fraction) into the rate of a bar that compounds to it.

    Raises
    ------
    DataError
        The rate is -1 or less, or not finite.
    """
    if not (isinstance(rate, (int, float, np.number)) and -1.0 < rate < math.inf):
        raise DataError(f"an annual rate is {rate!r}; give a fraction above -1, such as 0.03 for three percent")
    return math.expm1(math.log1p(float(rate)) / annual(periods_per_year)) if rate else 0.0
