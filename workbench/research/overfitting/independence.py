"""How many independent trials many alike ones amount to, by what the best of them does when history is resampled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.research.overfitting.snooping import condense, differences, resampled_means, usual_block_length
from workbench.research.overfitting.trials import read_returns

__all__ = ["Independence", "measure_independence"]

Floats = NDArray[np.float64]
_MOST: Final = 1_000
_LEAST: Final = 8
_SUBSETS: Final = 8


@dataclass(frozen=True, kw_only=True)
class Independence:
    """How many independent trials some trials amount to, and how that grows with more of the same kind.

    Parameters
    ----------
    count : float
        Independent trials whose best is as high as the best of these.
    growth : float
        Exponent from 0 (more trials add nothing) to 1 (each is another independent one).
    trials : int
        How many trials these are.
    """

    count: float
    growth: float
    trials: int

    def of(self, trials: float) -> float:
        """Give the number of independent trials that so many of this kind amount to, never above their number."""
        if trials <= self.trials or not self.trials:
            return self.count
        return float(min(self.count * (trials / self.trials) ** self.growth, trials))


def measure_independence(
    returns: Any, *, draws: int = 400, block_length: int | None = None, seed: int = 0
) -> Independence:
    """Measure how many independent trials these amount to.

    Parameters
    ----------
    returns : array_like or frame, shape (T, k)
        One column a trial; those with unknown returns or without variation are left out. Of more than 1,000 a random
        1,000 is used.
    draws : int, default 400
    block_length : int, optional
        As for `superior_ability`.
    seed : int, default 0

    Returns
    -------
    Independence
        NaN with fewer than eight observations or no column that varies; growth is 1, the strictest, below eight
        columns.

    Notes
    -----
    All trials are brought to mean zero and one volatility, and the history is resampled in blocks. Of N independent
    normal numbers the largest has the median m with ``Phi(m) ** N = 1 / 2``; N is found from the median of the largest
    resampled mean. Random quarters of the trials give the exponent. Own construction, in the spirit of the effective
    number of tests of Harvey and Liu (2015); checked in the tests on families of which all members are known.
    """
    block = condense(read_returns(returns))
    ahead, kept = differences(block, None, equal_risk=True)
    if len(block) < 8 or not len(kept):
        return Independence(count=math.nan, growth=math.nan, trials=len(kept))
    random = np.random.default_rng(seed)
    if len(kept) > _MOST:
        ahead = ahead[:, random.choice(len(kept), _MOST, replace=False)]
    centred = ahead - ahead.mean(axis=0)
    length = usual_block_length(ahead) if block_length is None else int(block_length)
    means = np.concatenate([drawn for _, drawn in resampled_means(centred, draws, length, seed)])
    spread = means.std(axis=0)
    scores = means / np.where(spread > 0.0, spread, 1.0)
    width = scores.shape[1]
    whole = _equivalent(scores)
    if width < _LEAST:
        return Independence(count=min(whole, width), growth=1.0, trials=width)
    parts = [scores[:, random.choice(width, width // 4, replace=False)] for _ in range(_SUBSETS)]
    quarter = float(np.mean([_equivalent(part) for part in parts]))
    growth = math.log(max(whole / quarter, 1.0)) / math.log(width / (width // 4))
    return Independence(count=min(whole, width), growth=min(growth, 1.0), trials=width)


def _equivalent(scores: Floats) -> float:
    """Number of independent normals whose largest has the median of the largest of these."""
    from scipy.special import log_ndtr

    middle = float(np.median(scores.max(axis=1)))
    return max(1.0, math.log(0.5) / float(log_ndtr(middle)))
