"""Studies whose truth is known: families of trials without any edge, and the same with an edge planted in one of them.

Every function gives returns (T, N) of N trials over T days, from a seed. Markets are random walks without drift whose
moves have fat tails (Student, four degrees of freedom) and whose volatility comes in waves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from workbench.research.overfitting import Trials, judge

Floats = NDArray[np.float64]
Maker = Callable[[int, np.random.Generator], Floats]


def market(days: int, random: np.random.Generator) -> Floats:
    """Returns of a random walk: fat tails, volatility clusters, no drift."""
    waves = np.zeros(days)
    shocks = random.standard_normal(days) * 0.1
    for day in range(1, days):
        waves[day] = 0.98 * waves[day - 1] + shocks[day]
    return np.asarray(0.01 * np.exp(waves) * random.standard_t(4, days) / np.sqrt(2.0))


def independent(days: int, random: np.random.Generator, trials: int = 80) -> Floats:
    return np.asarray(0.01 * random.standard_t(4, (days, trials)))


def random_entries(days: int, random: np.random.Generator, trials: int = 60) -> Floats:
    """Each trial is long, short or flat on one market for runs of about 20 days, at random."""
    return np.asarray(positions(days, random, trials, -1) * market(days, random)[:, None])


def positions(days: int, random: np.random.Generator, trials: int, least: int) -> NDArray[np.int64]:
    """Positions from the least (-1 or 0) to 1, held for runs of about 20 days."""
    switches = random.random((days, trials)) < 0.05
    sides = random.integers(least, 2, (days, trials))
    origin = np.maximum.accumulate(np.where(switches, np.arange(days)[:, None], 0), axis=0)
    return np.take_along_axis(sides, origin, axis=0)


def sma_crosses(days: int, random: np.random.Generator, short: bool = True) -> Floats:
    """All crosses of a grid of windows on one market: many trials that do much the same."""
    return crosses(market(days, random), short)


def long_only_crosses(days: int, random: np.random.Generator) -> Floats:
    return sma_crosses(days, random, short=False)


def crosses(moves: Floats, short: bool) -> Floats:
    prices = np.cumsum(moves)
    sums = np.concatenate(([0.0], np.cumsum(prices)))
    lines = {}
    for window in (3, 5, 8, 12, 16, 20, 25, 30, 40, 50, 65, 80):
        lines[window] = np.full(len(moves), np.nan)
        lines[window][window - 1 :] = (sums[window:] - sums[:-window]) / window
    trials = []
    for fast in lines:
        for slow in lines:
            if fast < slow:
                said = np.where(np.isnan(lines[slow]), 0.0, np.where(lines[fast] > lines[slow], 1.0, -1.0 * short))
                trials.append(np.concatenate(([0.0], said[:-1])) * moves)
    return np.stack(trials, axis=1)


def alike(days: int, random: np.random.Generator, trials: int = 100, shared: float = 0.6) -> Floats:
    """Trials that all have as much in common with each other."""
    common = random.standard_t(4, (days, 1)) * np.sqrt(shared)
    return np.asarray(0.01 * (common + random.standard_t(4, (days, trials)) * np.sqrt(1.0 - shared)))


def smoothed(days: int, random: np.random.Generator, trials: int = 40) -> Floats:
    """Trials whose gains follow gains, as of marks that lag: a moving average of three days."""
    raw = 0.01 * random.standard_t(5, (days + 2, trials))
    return np.asarray((raw[2:] + raw[1:-1] + raw[:-2]) / 3.0)


def few(days: int, random: np.random.Generator) -> Floats:
    return independent(days, random, trials=3)


def one(days: int, random: np.random.Generator) -> Floats:
    return independent(days, random, trials=1)


NOISE: dict[str, Maker] = {
    "independent": independent,
    "random entries": random_entries,
    "crosses": sma_crosses,
    "long-only crosses": long_only_crosses,
    "alike": alike,
    "smoothed": smoothed,
    "few": few,
    "one": one,
}


def planted(days: int, random: np.random.Generator, annual_sharpe: float = 2.0, trials: int = 80) -> Floats:
    """Random entries with one trial among them that has an edge."""
    returns = random_entries(days, random, trials)
    spread = float(returns[:, 0].std())
    returns[:, 0] += annual_sharpe / np.sqrt(365.0) * spread
    return returns


def trending(days: int, random: np.random.Generator, memory: float = 0.08) -> Floats:
    """Crosses on a market whose moves follow each other: the whole family has an edge, some more than others."""
    raw = market(days, random)
    trend = np.zeros(days)
    for day in range(1, days):
        trend[day] = 0.95 * trend[day - 1] + 0.05 * raw[day - 1]
    drift = trend / trend.std() * raw.std() * memory
    return crosses(raw + drift, short=True)


def rising(days: int, random: np.random.Generator, trials: int = 40) -> Trials:
    """Random entries, long only, on a market that rises: each earns something, none by skill."""
    moves = market(days, random)
    moves += 0.08 * moves.std()
    held = positions(days, random, trials, 0)
    return Trials.of_returns(held * moves[:, None], periods_per_year=365, benchmark=moves)


def sampled(days: int, random: np.random.Generator, kept: int = 60) -> Trials:
    """A sweep of 600 random entries or 66 crosses of which the returns of some are kept, the best among them."""
    returns = random_entries(days, random, 600) if random.random() < 0.5 else sma_crosses(days, random)
    whole = Trials.of_returns(returns, periods_per_year=365)
    others = np.delete(np.arange(returns.shape[1]), whole.chosen or 0)
    columns = np.append(random.choice(others, min(kept, len(others) // 2) - 1, replace=False), whole.chosen or 0)
    return dataclasses.replace(whole, returns=returns[:, columns], columns=columns)


def level_of_study(make: Callable[[int, np.random.Generator], Trials], days: int, seed: int) -> str:
    """What the verdict calls one study that is more than returns."""
    return judge(make(days, np.random.default_rng([seed, days])), draws=300).level


def level_of(make: Maker, days: int, seed: int, draws: int = 300) -> str:
    """What the verdict calls one study of a family."""
    returns = make(days, np.random.default_rng([seed, days]))
    return judge(Trials.of_returns(returns, periods_per_year=365), draws=draws).level
