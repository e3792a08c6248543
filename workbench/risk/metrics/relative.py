"""Against a benchmark: alpha, beta, capture, information ratio, tracking error."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.risk.metrics.curves import Curves, Floats, annual, annual_to_bar, ratio
from workbench.risk.metrics.define import of_benchmark
from workbench.risk.metrics.metric import ROOT, TIMES, Metric

__all__ = [
    "active_return",
    "alpha",
    "appraisal_ratio",
    "batting_average",
    "beta",
    "capture_ratio",
    "correlation",
    "down_beta",
    "down_capture",
    "information_ratio",
    "modigliani_return",
    "r_squared",
    "tracking_error",
    "treynor_ratio",
    "up_beta",
    "up_capture",
]


def _beta(curves: Curves, benchmark: Curves) -> Floats:
    shared = np.einsum("ij,ij->i", curves.centred, np.broadcast_to(benchmark.centred, curves.centred.shape))
    return ratio(shared, np.where(benchmark.spread > 0.0, benchmark.squares, 0.0))


def _difference(curves: Curves, benchmark: Curves) -> Curves:
    return Curves(np.asarray(curves.returns - benchmark.returns))


@of_benchmark(
    Metric(
        "Beta", "ratio", "covariance with the benchmark / variance of the benchmark", "Sharpe (1964)", "benchmark",
        better="",
    )
)  # fmt: skip
def beta(curves: Curves, benchmark: Curves) -> Floats:
    """Slope of the returns on the benchmark's; NaN where the benchmark does not vary."""
    return _beta(curves, benchmark)


def _beta_where(curves: Curves, benchmark: Curves, sign: float) -> Floats:
    """Beta over the bars in which the benchmark rose (+1) or fell (-1)."""
    there = sign * benchmark.returns > 0.0
    if len(there) == 1:
        return _beta(Curves(curves.returns[:, there[0]]), Curves(benchmark.returns[:, there[0]]))
    pairs = zip(curves.returns, benchmark.returns, there, strict=True)
    return np.array([_beta(Curves(one[None, kept]), Curves(other[None, kept]))[0] for one, other, kept in pairs])


@of_benchmark(
    Metric(
        "Up beta", "ratio", "beta over the bars in which the benchmark rose", "Ang, Chen and Xing (2006)",
        "benchmark", "bars above 0, where they take those above the mean", better="",
    )
)  # fmt: skip
def up_beta(curves: Curves, benchmark: Curves) -> Floats:
    """Slope on the benchmark where that is above zero; NaN where it does not vary there."""
    return _beta_where(curves, benchmark, 1.0)


@of_benchmark(
    Metric(
        "Down beta", "ratio", "beta over the bars in which the benchmark fell", "Ang, Chen and Xing (2006)",
        "benchmark", "bars below 0, where they take those below the mean", better="lower",
    )
)  # fmt: skip
def down_beta(curves: Curves, benchmark: Curves) -> Floats:
    """Slope on the benchmark where that is below zero; NaN where it does not vary there."""
    return _beta_where(curves, benchmark, -1.0)


@of_benchmark(
    Metric(
        "Appraisal ratio", "ratio", "alpha / standard deviation of what beta leaves over x sqrt(periods per year)",
        "Treynor and Black (1973)", "benchmark", "residuals divided by bars - 2; risk-free rate 0", annualised=ROOT,
    )
)  # fmt: skip
def appraisal_ratio(curves: Curves, benchmark: Curves, periods_per_year: float) -> Floats:
    """Alpha over the risk that the benchmark does not explain; NaN with fewer than three bars or without such risk."""
    if curves.bars < 3:
        return curves.nothing()
    slope = _beta(curves, benchmark)
    rest = Curves(np.asarray(np.nan_to_num(curves.returns - slope[:, None] * benchmark.returns)))
    spread = np.where(rest.spread > 0.0, np.sqrt(rest.squares / (curves.bars - 2)), 0.0)
    return ratio(curves.mean - slope * benchmark.mean, spread) * math.sqrt(annual(periods_per_year))


@of_benchmark(
    Metric(
        "Alpha", "fraction", "(mean return - rf - beta x (mean benchmark - rf)) x periods per year", "Jensen (1968)",
        "benchmark", "a year, not compounded; risk-free rate 0 unless given", annualised=TIMES,
    )
)  # fmt: skip
def alpha(curves: Curves, benchmark: Curves, periods_per_year: float, *, risk_free: float = 0.0) -> Floats:
    """Mean return that beta does not explain, times the bars in a year (empyrical compounds it instead)."""
    rate = annual_to_bar(risk_free, periods_per_year)
    return (curves.mean - rate - _beta(curves, benchmark) * (benchmark.mean - rate)) * annual(periods_per_year)


@of_benchmark(
    Metric("Correlation", "ratio", "Pearson's, with the benchmark", "Pearson", "benchmark", better="")
)  # fmt: skip
def correlation(curves: Curves, benchmark: Curves) -> Floats:
    """Correlation of the returns with the benchmark's; NaN where either does not vary."""
    return _correlation(curves, benchmark)


def _correlation(curves: Curves, benchmark: Curves) -> Floats:
    shared = np.einsum("ij,ij->i", curves.centred, np.broadcast_to(benchmark.centred, curves.centred.shape))
    varies = (curves.spread > 0.0) & (benchmark.spread > 0.0)
    found = ratio(shared, np.where(varies, np.sqrt(curves.squares * benchmark.squares), 0.0))
    return np.clip(found, -1.0, 1.0)


@of_benchmark(
    Metric("R squared", "fraction", "correlation with the benchmark, squared", "definition", "benchmark", better="")
)  # fmt: skip
def r_squared(curves: Curves, benchmark: Curves) -> Floats:
    """Share of the variance that the benchmark explains; NaN where either does not vary."""
    return _correlation(curves, benchmark) ** 2


@of_benchmark(
    Metric(
        "Active return", "fraction", "mean of (return - benchmark) x periods per year", "definition", "benchmark",
        annualised=TIMES,
    )
)  # fmt: skip
def active_return(curves: Curves, benchmark: Curves, periods_per_year: float) -> Floats:
    """Mean return over the benchmark's, a year; NaN without bars."""
    return _difference(curves, benchmark).mean * annual(periods_per_year)


@of_benchmark(
    Metric(
        "Tracking error", "fraction", "sample standard deviation of (return - benchmark) x sqrt(periods per year)",
        "definition", "benchmark", annualised=ROOT, better="lower",
    )
)  # fmt: skip
def tracking_error(curves: Curves, benchmark: Curves, periods_per_year: float) -> Floats:
    """Volatility of the difference to the benchmark; NaN with fewer than two bars."""
    return _difference(curves, benchmark).spread * math.sqrt(annual(periods_per_year))


@of_benchmark(
    Metric(
        "Information ratio", "ratio", "mean of (return - benchmark) / its sample standard deviation x "
        "sqrt(periods per year)",
        "Goodwin (1998)", "benchmark", annualised=ROOT,
    )
)  # fmt: skip
def information_ratio(curves: Curves, benchmark: Curves, periods_per_year: float) -> Floats:
    """Active return over tracking error; NaN where the difference does not vary."""
    active = _difference(curves, benchmark)
    return ratio(active.mean, active.spread) * math.sqrt(annual(periods_per_year))


@of_benchmark(
    Metric(
        "Treynor ratio", "ratio", "(mean return - rf) x periods per year / beta", "Treynor (1965)", "benchmark",
        "risk-free rate 0 unless given", annualised=TIMES,
    )
)  # fmt: skip
def treynor_ratio(curves: Curves, benchmark: Curves, periods_per_year: float, *, risk_free: float = 0.0) -> Floats:
    """Mean return a year over beta; NaN where beta is zero or not known."""
    rate = annual_to_bar(risk_free, periods_per_year)
    return ratio((curves.mean - rate) * annual(periods_per_year), _beta(curves, benchmark))


@of_benchmark(
    Metric(
        "M squared", "fraction", "rf + Sharpe ratio x volatility of the benchmark", "Modigliani and Modigliani (1997)",
        "benchmark", "all annualised; risk-free rate 0 unless given", annualised=TIMES,
    )
)  # fmt: skip
def modigliani_return(curves: Curves, benchmark: Curves, periods_per_year: float, *, risk_free: float = 0.0) -> Floats:
    """Mean return a year that the series would have at the benchmark's volatility; NaN without variation."""
    rate = annual_to_bar(risk_free, periods_per_year)
    return rate * annual(periods_per_year) + ratio(curves.mean - rate, curves.spread) * benchmark.spread * annual(
        periods_per_year
    )


def _geometric(returns: Floats, there: Any, bars: Any) -> Floats:
    """Geometric mean return of some of the bars; by logarithms, for the product of many losses is no number at all."""
    with np.errstate(all="ignore"):
        logs = np.where(there & (returns > -1.0), np.log1p(np.maximum(returns, -1.0)), 0.0).sum(axis=1)
    return np.where((there & (returns <= -1.0)).any(axis=1), -1.0, np.expm1(ratio(logs, bars)))


def _capture(curves: Curves, benchmark: Curves, sign: float) -> Floats:
    """Geometric mean return in the bars in which the benchmark rose (+1) or fell (-1), over the benchmark's."""
    there = np.broadcast_to(sign * benchmark.returns > 0.0, curves.returns.shape)
    bars = there.sum(axis=1)
    mine, other = (_geometric(made.returns, there, bars) for made in (curves, benchmark))
    return ratio(mine, other)


@of_benchmark(
    Metric(
        "Up capture", "ratio", "geometric mean return / the benchmark's, over bars in which the benchmark rose",
        "Morningstar", "benchmark", "a bar, not annualised",
    )
)  # fmt: skip
def up_capture(curves: Curves, benchmark: Curves) -> Floats:
    """How much of the benchmark's rise was taken; NaN where it never rose."""
    return _capture(curves, benchmark, 1.0)


@of_benchmark(
    Metric(
        "Down capture", "ratio", "geometric mean return / the benchmark's, over bars in which the benchmark fell",
        "Morningstar", "benchmark", "a bar, not annualised", better="lower",
    )
)  # fmt: skip
def down_capture(curves: Curves, benchmark: Curves) -> Floats:
    """How much of the benchmark's fall was taken; NaN where it never fell."""
    return _capture(curves, benchmark, -1.0)


@of_benchmark(
    Metric("Capture ratio", "ratio", "up capture / down capture", "Morningstar", "benchmark")
)  # fmt: skip
def capture_ratio(curves: Curves, benchmark: Curves) -> Floats:
    """Up capture over down capture; NaN where either has no answer."""
    up = _capture(curves, benchmark, 1.0)
    return ratio(up, _capture(curves, benchmark, -1.0))


@of_benchmark(
    Metric("Batting average", "fraction", "bars with a return above the benchmark's / bars", "definition", "benchmark")
)  # fmt: skip
def batting_average(curves: Curves, benchmark: Curves) -> Floats:
    """Share of the bars that beat the benchmark; NaN without bars."""
    return np.asarray((curves.returns > benchmark.returns).mean(axis=1)) if curves.bars else curves.nothing()
