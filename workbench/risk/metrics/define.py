"""How a function becomes a public metric: it computes on `Curves`, and takes and gives what the caller has."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec

import numpy as np

from workbench.errors import DataError
from workbench.risk.metrics.curves import Curves, Floats, finite_or_nan, read
from workbench.risk.metrics.metric import Metric

__all__ = ["about", "by_period", "of_benchmark", "of_dates", "of_profits", "of_returns"]

P = ParamSpec("P")


def about(function: Callable[..., Any]) -> Metric:
    """Give what a public metric function says about itself."""
    found: Metric = function.metric  # type: ignore[attr-defined]
    return found


def _with(metric: Metric, function: Callable[..., Any], needs: Any) -> Any:
    from dataclasses import replace

    function.metric = replace(metric, needs=needs, function=function)  # type: ignore[attr-defined]
    return function


def of_returns(
    metric: Metric,
) -> Callable[[Callable[Concatenate[Curves, P], Floats]], Callable[Concatenate[Any, P], Any]]:
    """Make a public metric of a function of `Curves`: a series gives a float, a frame a labelled Series."""

    def make(function: Callable[Concatenate[Curves, P], Floats]) -> Callable[Concatenate[Any, P], Any]:
        @wraps(function)
        def public(returns: Any, *args: P.args, **options: P.kwargs) -> Any:
            curves, give = read(returns)
            with np.errstate(all="ignore"):  # what cannot be computed is NaN, and says so in the docstring
                numbers = function(curves, *args, **options)
            return give(_masked(curves.known, numbers))

        made: Callable[Concatenate[Any, P], Any] = _with(metric, public, "returns")
        return made

    return make


def of_benchmark(
    metric: Metric,
) -> Callable[[Callable[Concatenate[Curves, Curves, P], Floats]], Callable[Concatenate[Any, Any, P], Any]]:
    """Make a public metric of a function of the `Curves` of some series and of their benchmark."""

    def make(function: Callable[Concatenate[Curves, Curves, P], Floats]) -> Callable[Concatenate[Any, Any, P], Any]:
        @wraps(function)
        def public(returns: Any, benchmark: Any, *args: P.args, **options: P.kwargs) -> Any:
            returns, benchmark = _aligned(returns, benchmark)
            curves, give = read(returns)
            other, _ = read(benchmark, "benchmark")
            if other.bars != curves.bars or len(other) not in (1, len(curves)):
                raise DataError(
                    f"the benchmark has {len(other)} series of {other.bars} bars, the returns {len(curves)} of "
                    f"{curves.bars}; give the benchmark's return on the same bars"
                )
            with np.errstate(all="ignore"):
                numbers = function(curves, other, *args, **options)
            return give(_masked(curves.known & other.known, numbers))

        made: Callable[Concatenate[Any, Any, P], Any] = _with(metric, public, "benchmark")
        return made

    return make


_STAMPS: Final = {"D": "datetime64[D]", "M": "datetime64[M]", "Y": "datetime64[Y]"}


def by_period(returns: Any, period: str) -> tuple[Curves, Callable[[Floats], Any]]:
    """Compound the returns of each calendar day ("D"), month ("M") or year ("Y"), and give the way back.

    Raises
    ------
    DataError
        The returns have no times, or the times do not rise.
    """
    if isinstance(returns, Curves):
        return read(returns)
    import pandas as pd

    times = getattr(returns, "index", None)
    if not isinstance(times, pd.DatetimeIndex):
        raise DataError(
            f"returns by day, month or year need times: give a pandas Series or DataFrame with a DatetimeIndex, as "
            f"result.returns is, not {type(returns).__name__}"
        )
    if not times.is_monotonic_increasing:
        raise DataError("the times of the returns do not rise; sort them first with returns.sort_index()")
    curves, give = read(returns)
    wall = times.tz_localize(None) if times.tz is not None else times
    stamps = wall.to_numpy().astype(_STAMPS[period])
    begins = np.flatnonzero(np.concatenate((np.ones(min(1, len(stamps)), dtype=bool), stamps[1:] != stamps[:-1])))
    if not len(begins):
        return curves, give
    grown = np.multiply.reduceat(1.0 + curves.returns, begins, axis=1) - 1.0
    return Curves(np.where(curves.known[:, None], grown, np.nan)), give


def of_dates(metric: Metric, period: str) -> Callable[[Callable[[Curves], Floats]], Callable[[Any], Any]]:
    """Make a public metric of a function of the returns by calendar period: a Series gives a float."""

    def make(function: Callable[[Curves], Floats]) -> Callable[[Any], Any]:
        @wraps(function)
        def public(returns: Any) -> Any:
            with np.errstate(all="ignore"):
                curves, give = by_period(returns, period)
                numbers = function(curves)
            return give(_masked(curves.known, numbers))

        public.period = period  # type: ignore[attr-defined]
        made: Callable[[Any], Any] = _with(metric, public, "dated")
        return made

    return make


def of_profits(
    metric: Metric,
) -> Callable[[Callable[Concatenate[Floats, P], float]], Callable[Concatenate[Any, P], Any]]:
    """Make a public metric of a function of the profits of closed trades: one column gives a float."""

    def make(function: Callable[Concatenate[Floats, P], float]) -> Callable[Concatenate[Any, P], Any]:
        @wraps(function)
        def public(profits: Any, *args: P.args, **options: P.kwargs) -> Any:
            curves, give = read(profits, "profits")
            with np.errstate(all="ignore"):
                numbers = [function(row, *args, **options) for row in curves.returns]
            return give(_masked(curves.known, np.array(numbers, dtype=np.float64)))

        made: Callable[Concatenate[Any, P], Any] = _with(metric, public, "profits")
        return made

    return make


def _masked(known: Any, numbers: Floats) -> Floats:
    return finite_or_nan(np.where(known, numbers, np.nan))


def _aligned(returns: Any, benchmark: Any) -> tuple[Any, Any]:
    """Refuse two pandas objects that speak of different times."""
    both = all(hasattr(values, "index") and not callable(values.index) for values in (returns, benchmark))
    if both and not returns.index.equals(benchmark.index):
        raise DataError(
            "the returns and the benchmark are of different times; join them first, for example "
            "returns, benchmark = returns.align(benchmark, join='inner')"
        )
    return returns, benchmark
