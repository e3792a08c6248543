"""Drawing a history again: blocks of bars or single trades, many runs in one pass, none of them kept in full.

Each run has a random state of its own, made of the seed and the run's number. So a run is the same whoever computes it,
in whatever company, and the first hundred of a thousand runs are those of a hundred.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import frozen, kernel
from workbench.errors import ConfigError

__all__ = ["FACTS", "block_length", "draw", "places_nb", "states_of", "walk"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Words = NDArray[np.uint64]

FACTS: Final = ("mean", "squares", "short", "wealth", "deepest", "lowest", "wins", "won", "lost", "streak")
"""What `draw` tells of each run; see there."""

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)


def states_of(seed: int, runs: int, stream: int = 0) -> Words:
    """Give the random state that each run begins with, shape (runs,).

    Parameters
    ----------
    seed : int
        Zero or more.
    runs : int
    stream : int, default 0
        Draws for another purpose under the same seed.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ConfigError(f"seed = {seed!r}: give a whole number of zero or more", seed=seed)
    return np.random.SeedSequence((int(seed), stream)).generate_state(runs, np.uint64).astype(np.uint64)


@kernel
def mixed_nb(state: np.uint64) -> np.uint64:
    """Turn a state of SplitMix64 (Steele, Lea, Flood 2014) into a random word."""
    word = (state ^ (state >> np.uint64(30))) * _FIRST
    word = (word ^ (word >> np.uint64(27))) * _SECOND
    return word ^ (word >> np.uint64(31))


@kernel
def unit_nb(word: np.uint64) -> float:
    """Turn a random word into a number from 0 to below 1, with 53 bits."""
    return float(word >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@kernel
def places_nb(state: np.uint64, count: int, length: int, block: float, without: bool) -> Whole:
    """Draw the positions of one run.

    Parameters
    ----------
    state : uint64
    count : int
        How many there are to draw from.
    length : int
        How many to draw.
    block : float
        Mean length of a run of neighbours, wrapped at the end; 1 draws each by itself.
    without : bool
        Draw without putting back, each by itself: `length` is at most `count` then.

    Returns
    -------
    int64 array, shape (length,)
    """
    found = np.empty(length, dtype=np.int64)
    if without:
        order = np.arange(count)
        for k in range(length):
            state += _GOLDEN
            other = k + int(unit_nb(mixed_nb(state)) * (count - k))
            order[k], order[other] = order[other], order[k]
            found[k] = order[k]
        return found
    place = 0
    for k in range(length):
        state += _GOLDEN
        if k == 0 or unit_nb(mixed_nb(state)) * block < 1.0:
            state += _GOLDEN
            place = int(unit_nb(mixed_nb(state)) * count)
        else:
            place += 1
            if place == count:
                place = 0
        found[k] = place
    return found


@kernel
def walked_nb(returns: Floats, places: Whole, shown: Whole, facts: Floats, path: Floats) -> None:
    """Walk through returns in the order of `places`; fill what `draw` tells of a run, and the wealth at `shown`."""
    wealth, high, low, deepest, mean, squares, short = 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0
    wins, won, lost, streak, longest, at = 0.0, 0.0, 0.0, 0.0, 0.0, 0
    for k in range(len(places)):
        one = returns[places[k]]
        gain = wealth * one
        wealth += gain
        away = one - mean
        mean += away / (k + 1)
        squares += away * (one - mean)
        if one > 0.0:
            wins += 1.0
            won += gain
        elif one < 0.0:
            short += one * one
            lost -= gain
        streak = streak + 1.0 if one < 0.0 else 0.0
        longest, high, low = max(longest, streak), max(high, wealth), min(low, wealth)
        deepest = min(deepest, wealth / high - 1.0)
        while at < len(shown) and shown[at] == k:
            path[at] = wealth
            at += 1
    told = (mean, squares, short, wealth, deepest, low, wins, won, lost, longest)
    for k in range(len(told)):
        facts[k] = told[k]


@kernel
def drawn_nb(
    returns: Floats, states: Words, length: int, block: float, without: bool, shown: Whole
) -> tuple[Floats, Floats]:
    """Draw each run and walk through it; see `draw`."""
    facts, paths = np.empty((len(states), 10)), np.empty((len(states), len(shown)))
    for run in range(len(states)):
        places = places_nb(states[run], len(returns), length, block, without)
        walked_nb(returns, places, shown, facts[run], paths[run])
    return facts, paths


def draw(
    returns: Floats, states: Words, length: int, *, block: float = 1.0, without: bool = False, shown: Whole
) -> tuple[dict[str, Floats], Floats]:
    """Draw a series of returns again, once for each state, and tell what came of it.

    Parameters
    ----------
    returns : float64 array, shape (n,)
        Simple, one a bar or a trade.
    states : uint64 array, shape (runs,)
    length : int
        Returns in each run.
    block : float, default 1
        Mean length of the runs of neighbours that stay together (stationary bootstrap); 1 for single draws.
    without : bool, default False
        Draw without putting back.
    shown : int64 array, shape (p,)
        After which draws the wealth is kept, rising.

    Returns
    -------
    facts : dict of str to float64 array, shape (runs,)
        `mean` of the returns, sums of the squares of their differences from it (`squares`) and of those below zero
        (`short`); final `wealth` of one unit, `deepest` drawdown (zero or negative), `lowest` wealth; `wins` above
        zero, money `won` and `lost`, longest `streak` of losses.
    paths : float64 array, shape (runs, p)

    Notes
    -----
    Politis and Romano (1994), The Stationary Bootstrap.
    """
    words = np.ascontiguousarray(states, dtype=np.uint64).view()
    words.flags.writeable = False
    facts, paths = drawn_nb(frozen(returns), words, int(length), float(block), bool(without), frozen(shown, np.int64))
    return dict(zip(FACTS, np.ascontiguousarray(facts.T), strict=True)), paths


def walk(returns: Floats, shown: Whole) -> tuple[dict[str, Floats], Floats]:
    """Tell of the returns as they came what `draw` tells of a run: facts of shape (1,), and the wealth at `shown`."""
    facts, path = np.empty(len(FACTS)), np.empty(len(shown))
    order = frozen(np.arange(len(returns)), np.int64)
    walked_nb(frozen(returns), order, frozen(shown, np.int64), facts, path)
    return dict(zip(FACTS, facts[:, None], strict=True)), path


def block_length(returns: Floats, block: float | None) -> float:
    """Give the mean length of blocks to draw: as told, else the one that suits the returns.

    Parameters
    ----------
    returns : float64 array, shape (n,)
    block : float, optional
        Bars, from 1 to n.

    Returns
    -------
    float
        The larger of what Politis and White find for the returns and for their squares: calm and wild stretches outlast
        the memory of the returns themselves, and it is they that make drawdowns. At most the root of n times three.

    Raises
    ------
    ConfigError
        `block` is out of range.

    Notes
    -----
    Politis and White (2004), corrected by Patton, Politis and White (2009); as `arch` computes it.
    """
    n = len(returns)
    if block is not None:
        if isinstance(block, bool) or not isinstance(block, (int, float, np.number)) or not 1.0 <= block <= n:
            raise ConfigError(f"block = {block!r}: the mean length of blocks is from 1 to the {n:,} bars there are")
        return float(block)
    most = min(3.0 * math.sqrt(n), n / 3.0)
    if n < 10 or not np.ptp(returns) > 0.0:
        return max(1.0, min(float(np.cbrt(n)), most))
    from arch.bootstrap import optimal_block_length

    with np.errstate(all="ignore"):
        fit = [float(optimal_block_length(values)["stationary"].iloc[0]) for values in (returns, returns**2)]
    best = max([one for one in fit if math.isfinite(one)], default=float(np.cbrt(n)))
    return float(min(max(best, 1.0), max(most, 1.0)))
