"""How a function becomes a public metric: it computes on `Curves`, and takes and gives what the caller has."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import numpy as np

from workbench.errors import DataError
from workbench.risk.metrics.curves import Curves, Floats, finite_or_nan, read
from workbench.risk.metrics.metric import Metric

__all__ = ["about", "of_benchmark", "of_profits", "of_returns"]

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


def of_profits(
    metric: Metric,
) -> Callable[[Callable[Concatenate[Floats, P], float]], Callable[Concatenate[Any, P], float]]:
    """Make a public metric of a function of the profits of closed trades, one number a trade."""

    def make(function: Callable[Concatenate[Floats, P], float]) -> Callable[Concatenate[Any, P], float]:
        @wraps(function)
        def public(profits: Any, *args: P.args, **options: P.kwargs) -> float:
            curves, _ = read(profits, "profits")
            if len(curves) != 1:
                raise DataError(f"profits has {len(curves)} columns; give one profit a trade, shape (n,)")
            with np.errstate(all="ignore"):
                number = function(curves.returns[0], *args, **options) if curves.known[0] else np.nan
            return float(number) if np.isfinite(number) else float("nan")

        made: Callable[Concatenate[Any, P], float] = _with(metric, public, "profits")
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
