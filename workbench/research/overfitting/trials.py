"""`Trials`: what was tried to answer one question, as far as judging it needs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.risk.metrics.curves import Curves, annual, ratio
from workbench.risk.metrics.variation import long_run_spread

__all__ = ["Trials", "read_returns", "variance_inflation"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Trials:
    """All trials of a study, and which one was chosen.

    Parameters
    ----------
    sharpe : array_like, shape (N,)
        Sharpe ratio **per observation** of each trial; NaN where it never traded.
    observations : int
        Returns that each was computed from.
    skew, kurtosis : array_like, shape (N,)
        Of the returns per observation; kurtosis raw (3 for a normal distribution).
    returns : array_like or frame, shape (T, k), optional
        Returns of all trials (k = N) or of a sample of them, one column a trial, fractions per observation.
    columns : array_like of int, shape (k,), optional
        Which trial each column is; needed when k is not N. The chosen one must be among them.
    chosen : int, optional
        Position of the trial that is judged; that of the highest Sharpe ratio when left out.
    periods_per_year : float
    raw_count : int, optional
        How often something was tried, repeats included; what `distinct_count` says, or N, when left out.
    distinct_count : int, optional
        How many different things were tried; N when left out, more than N where
        `sharpe` is not all of them, less where it has repeats.
    linked : mapping of str to int
        Different trials on the same question under the names of other studies. They count.
    benchmark : array_like, shape (T,), optional
        Returns of what one would have had anyway, such as buying and holding. With it, an edge must be one beyond each
        trial's share of it: without it, a rising market passes for skill.
    name : str

    Raises
    ------
    DataError
        Shapes do not fit, or the chosen trial is not there.

    Notes
    -----
    Of `sharpe`, `skew` and `kurtosis` what is not finite is no evidence: such a trial counts, and says nothing else.
    """

    sharpe: Floats
    observations: int
    skew: Floats
    kurtosis: Floats
    periods_per_year: float
    returns: Floats | None = None
    columns: NDArray[np.intp] | None = None
    chosen: int | None = None
    raw_count: int | None = None
    distinct_count: int | None = None
    linked: Mapping[str, int] = field(default_factory=dict)
    benchmark: Floats | None = None
    name: str = "study"

    def __post_init__(self) -> None:
        put = object.__setattr__
        annual(self.periods_per_year)
        sharpe = _column("sharpe", self.sharpe)
        for name in ("skew", "kurtosis"):
            put(self, name, _column(name, getattr(self, name), len(sharpe)))
        put(self, "sharpe", sharpe)
        if not len(sharpe):
            raise DataError("there is no trial to judge; give the Sharpe ratio of each")
        if not (isinstance(self.observations, (int, np.integer)) and self.observations >= 0):
            raise DataError(f"observations is {self.observations!r}; give a whole number of returns")
        put(self, "chosen", self._choice())
        self._count()
        if self.returns is not None:
            put(self, "returns", read_returns(self.returns))
            put(self, "columns", self._places())
        if self.benchmark is not None:
            rows = None if self.returns is None else len(self.returns)
            put(self, "benchmark", _column("benchmark", self.benchmark, rows))

    @classmethod
    def of_returns(cls, returns: Any, *, periods_per_year: float, **more: Any) -> Trials:
        """Make them of the returns of all trials.

        Parameters
        ----------
        returns : array_like or frame, shape (T, N)
            Fractions per observation, one column a trial.
        periods_per_year : float
        **more
            As the class takes them.
        """
        block = read_returns(returns)
        curves = Curves(np.ascontiguousarray(block.T))
        numbers = [ratio(curves.mean, curves.spread), curves.moment(3), curves.moment(4)]
        sharpe, skew, kurtosis = (np.where(curves.known, one, math.nan) for one in numbers)
        return cls(
            sharpe=sharpe, observations=len(block), skew=skew, kurtosis=kurtosis, returns=block,
            periods_per_year=periods_per_year, **more,
        )  # fmt: skip

    @property
    def count(self) -> int:
        """Different trials on the question, those of linked studies included."""
        return int(self.distinct_count or 0) + sum(self.linked.values())

    @property
    def complete(self) -> bool:
        """Whether the returns of every trial that counts are there."""
        return self.returns is not None and self.returns.shape[1] >= self.count

    @property
    def years(self) -> float:
        """Length of the history in years."""
        return self.observations / float(self.periods_per_year)

    @property
    def place(self) -> int | None:
        """Column of the chosen trial in `returns`."""
        return None if self.columns is None else int(np.flatnonzero(self.columns == self.chosen)[0])

    def _choice(self) -> int:
        if self.chosen is None:
            known = np.where(np.isfinite(self.sharpe), self.sharpe, -math.inf)
            return int(np.argmax(known))
        if not (isinstance(self.chosen, (int, np.integer)) and 0 <= self.chosen < len(self.sharpe)):
            raise DataError(
                f"chosen is {self.chosen!r}; give the position of a trial, 0 to {len(self.sharpe) - 1}",
                chosen=self.chosen,
            )
        return int(self.chosen)

    def _count(self) -> None:
        distinct = len(self.sharpe) if self.distinct_count is None else self.distinct_count
        raw = max(len(self.sharpe), distinct) if self.raw_count is None else self.raw_count
        for name, value in (("distinct_count", distinct), ("raw_count", raw)):
            if not (isinstance(value, (int, np.integer)) and value >= 1):
                raise DataError(f"{name} is {value!r}; give a whole number of trials, 1 or more")
            object.__setattr__(self, name, int(value))
        if raw < distinct:
            raise DataError(f"raw_count is {raw}, below the {distinct} different trials; repeats can only add to them")
        for study, trials in self.linked.items():
            if not (isinstance(trials, (int, np.integer)) and trials >= 0):
                raise DataError(f"linked study {study!r} has {trials!r} trials; give a whole number")
        object.__setattr__(self, "linked", MappingProxyType({str(k): int(v) for k, v in self.linked.items()}))

    def _places(self) -> NDArray[np.intp]:
        if self.returns is None:
            raise DataError("columns say which trials the returns are of; there are no returns")
        width, trials = self.returns.shape[1], len(self.sharpe)
        if self.columns is None and width != trials:
            raise DataError(f"returns of {width} out of {trials} trials: say which ones they are with columns=")
        places = np.arange(width) if self.columns is None else np.asarray(self.columns)
        if places.shape != (width,) or places.dtype.kind not in "iu" or (places < 0).any() or (places >= trials).any():
            raise DataError(f"columns must give a position from 0 to {trials - 1} for each of the {width} returns")
        if self.chosen not in places:
            raise DataError(f"the returns of the chosen trial {self.chosen} are not among those given; add them")
        return places.astype(np.intp)


def _column(name: str, values: Any, length: int | None = None) -> Floats:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} must be numbers, found {type(values).__name__}") from error
    if array.ndim != 1 or (length is not None and len(array) != length):
        wanted = "(N,)" if length is None else f"({length},)"
        raise DataError(f"{name} has shape {array.shape}; give shape {wanted}", name=name)
    return array


def read_returns(returns: Any) -> Floats:
    """Make a float64 block of returns, one column a trial.

    Raises
    ------
    DataError
        They are no numbers, or have not two dimensions.
    """
    try:
        block = np.asarray(returns, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"returns must be numbers, found {type(returns).__name__}") from error
    if block.ndim != 2 or not block.shape[1]:
        raise DataError(f"returns have shape {block.shape}; give observations in rows and trials in columns (T, k)")
    return block


def variance_inflation(returns: Any) -> Any:
    """Give by how much autocorrelation widens the variance of a mean return, never below one.

    Parameters
    ----------
    returns : array_like, shape (T,) or (T, k)

    Returns
    -------
    float, or float64 array of shape (k,)
        1 where gains do not follow gains; NaN without variation or with fewer than three returns.

    Notes
    -----
    Long-run over plain variance: Newey and West (1987), as in `risk.metrics.smart_sharpe_ratio`. Below one, which would
    make a ratio look surer than its length allows, one is given.
    """
    array = np.asarray(returns, dtype=np.float64)
    curves = Curves(np.ascontiguousarray(np.atleast_2d(array.T)))
    if curves.bars < 3:
        factor = curves.nothing()
    else:
        factor = np.maximum(np.square(ratio(long_run_spread(curves), curves.spread)), 1.0)
    factor = np.where(curves.known, factor, math.nan)
    return float(factor[0]) if array.ndim == 1 else factor
