"""How likely chance alone makes the best of all trials look this good: at all, and beyond what the market gave."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.research.overfitting.independence import Independence, measure_independence
from workbench.research.overfitting.sharpe import probabilistic_sharpe
from workbench.research.overfitting.snooping import Snooping, condense, superior_ability
from workbench.research.overfitting.trials import Trials, variance_inflation

__all__ = ["Beyond", "beyond_benchmark", "chance_of_best", "hedged"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Beyond:
    """What the chosen trial earned beyond its share of the benchmark.

    Parameters
    ----------
    beta : float
        Its share: slope of its returns over those of the benchmark.
    alpha : float
        Mean of what is left, per observation.
    sharpe : float
        Sharpe ratio per observation of what is left.
    chance : float
        Probability that the best of all trials would have at least this without any edge over the benchmark.
    ahead : Snooping
        White's and Hansen's tests of the plain returns against those of the benchmark.
    """

    beta: float
    alpha: float
    sharpe: float
    chance: float
    ahead: Snooping


def chance_of_best(
    trials: Trials,
    shape: tuple[float, float, float, float],
    snooping: Snooping | None,
    independence: Independence | None,
) -> float:
    """Give the probability that the best of all trials would look at least this good without any edge.

    Parameters
    ----------
    trials : Trials
    shape : tuple of float
        Sharpe ratio per observation, skewness, raw kurtosis and variance inflation of what the chosen trial earned.
    snooping : Snooping or None
        Of all trials there are returns of.
    independence : Independence or None

    Returns
    -------
    float
        From resampling, and never below that of the chosen trial alone. Where the returns of some trials are not there,
        not below that of the chosen trial raised to the number of independent ones either. NaN where the ratio is not
        known.
    """
    sharpe, skew, kurtosis, inflation = shape
    alone = 1.0 - float(probabilistic_sharpe(sharpe, trials.observations / inflation, skew=skew, kurtosis=kurtosis))
    if math.isnan(alone):
        return math.nan
    resampled, least = math.nan, 0.0
    if snooping is not None and trials.place is not None:
        resampled, least = float(snooping.adjusted[trials.place]), 1.0 / (snooping.draws + 1.0)
    if trials.complete and not math.isnan(resampled):
        return max(resampled, least, alone)
    several = math.nan if independence is None else independence.of(trials.count)
    count = float(trials.count) if math.isnan(several) else several
    among = -math.expm1(count * math.log1p(-min(alone, 1.0 - 1e-15)))
    return among if math.isnan(resampled) else max(resampled, least, among)


def hedged(returns: Floats, benchmark: Floats) -> tuple[Floats, Floats]:
    """Take from each column its share of the benchmark, by least squares; the mean of what is left stays.

    Returns
    -------
    left : float64 array, shape (T, k)
    betas : float64 array, shape (k,)
        Zero where the benchmark does not vary.
    """
    moves = benchmark - benchmark.mean()
    power = float(moves @ moves)
    betas = moves @ returns / power if power > 0.0 else np.zeros(returns.shape[1])
    return returns - benchmark[:, None] * betas, np.asarray(betas)


def beyond_benchmark(trials: Trials, *, draws: int, seed: int) -> Beyond | None:
    """Test what the trials earned beyond their shares of the benchmark; None without returns or a benchmark.

    Always being long half of a market that rises has a Sharpe ratio above zero and needs no skill. What is left after
    the share of the market, chosen by least squares, is zero on average for whoever enters and leaves at random.
    """
    if trials.returns is None or trials.benchmark is None or trials.place is None:
        return None
    left, betas = hedged(trials.returns, trials.benchmark)
    own = Trials.of_returns(left[:, [trials.place]], periods_per_year=trials.periods_per_year)
    inflation = float(np.nan_to_num(variance_inflation(left[:, trials.place]), nan=1.0))
    short = condense(left)
    options: dict[str, Any] = {"draws": draws, "seed": seed, "equal_risk": True}
    snooping = superior_ability(short, **options)
    shape = (float(own.sharpe[0]), float(own.skew[0]), float(own.kurtosis[0]), inflation)
    independence: Any = None if trials.complete else measure_independence(left, seed=seed)
    return Beyond(
        beta=float(betas[trials.place]), alpha=float(left[:, trials.place].mean()) if len(left) else math.nan,
        sharpe=shape[0], chance=chance_of_best(trials, shape, snooping, independence),
        ahead=superior_ability(condense(trials.returns), benchmark=condense(trials.benchmark), **options),
    )  # fmt: skip
