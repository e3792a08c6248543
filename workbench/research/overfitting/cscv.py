"""Probability of backtest overfitting: whether what was best in one half of the history does well in the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.research.overfitting.trials import read_returns

__all__ = ["CrossValidation", "backtest_overfitting"]

Floats = NDArray[np.float64]
_EPS: Final = 64.0 * float(np.finfo(np.float64).eps)
_AT_ONCE: Final = 4_000_000  # scores worked out at once
_GRID: Final = 201


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossValidation:
    """What combinatorially symmetric cross-validation found.

    Parameters
    ----------
    probability : float
        Probability of backtest overfitting: share of splits in which the winner of one half was in the lower half of
        the ranks (logit <= 0) in the other. NaN where nothing could be compared.
    logits : float64 array, shape (splits,)
        ln(w / (1 - w)), w the winner's relative rank out of sample.
    inside, outside : float64 array, shape (splits,)
        Sharpe ratio per observation of each split's winner in the half that chose it and in the other half.
    winners : int array, shape (splits,)
        Column that won each split.
    slope, intercept, r_squared : float
        Straight line through `outside` over `inside`: how the result degrades. NaN where all winners are alike.
    probability_of_loss : float
        Share of splits in which the winner lost money out of sample.
    first_order, second_order : bool
        Whether choosing the winner dominates choosing any trial at random, out of sample: never a higher chance of
        less (first), never a larger expected shortfall below any level (second).
    blocks, trials, left_out : int
        Pieces of the history; columns compared; columns that could not be (unknown returns, or no variation at all).
    """

    probability: float
    logits: Floats
    inside: Floats
    outside: Floats
    winners: NDArray[np.intp]
    slope: float
    intercept: float
    r_squared: float
    probability_of_loss: float
    first_order: bool
    second_order: bool
    blocks: int
    trials: int
    left_out: int


def backtest_overfitting(returns: Any, *, blocks: int = 16) -> CrossValidation:
    """Estimate the probability that choosing the best of these trials is overfitting.

    Parameters
    ----------
    returns : array_like or frame, shape (T, N)
        One column a trial, fractions per observation, in order of time.
    blocks : int, default 16
        Even number of contiguous pieces; every half of them is once the half that chooses. 16 makes 12,870 splits.

    Returns
    -------
    CrossValidation
        All NaN, and no splits, with fewer than two trials that vary or fewer than two observations a block.

    Raises
    ------
    DataError
        Returns are no block of numbers; blocks is odd, below 2 or above 20.

    Notes
    -----
    Bailey, Borwein, Lopez de Prado and Zhu (2017), The Probability of Backtest Overfitting, Journal of Computational
    Finance 20(4). Score: mean over sample standard deviation of the returns of a half; ties share their mean rank; of
    equal winners the first. A trial that stood still through a half has the score 0 there. Columns with an unknown
    return or without any variation are left out and counted. Blocks differ by at most one observation in length.
    """
    if not (isinstance(blocks, (int, np.integer)) and 2 <= blocks <= 20 and blocks % 2 == 0):
        raise DataError(f"blocks is {blocks!r}; give an even number from 2 to 20, such as 16", blocks=blocks)
    block = read_returns(returns)
    kept = _varying(block)
    left_out = block.shape[1] - len(kept)
    if len(kept) < 2 or len(block) < 2 * blocks:
        return _nothing(blocks, len(kept), left_out)
    scores = _scores(block[:, kept], blocks)
    inside, outside, winners, ranks = _play(scores)
    relative = ranks / (len(kept) + 1.0)
    logits = np.log(relative / (1.0 - relative))
    slope, intercept, r_squared = _line(inside, outside)
    first, second = _dominance(outside, scores)
    return CrossValidation(
        probability=float((logits <= 1e-12).mean()), logits=logits, inside=inside, outside=outside,
        winners=kept[winners], slope=slope, intercept=intercept, r_squared=r_squared,
        probability_of_loss=float((outside < 0.0).mean()), first_order=first, second_order=second,
        blocks=int(blocks), trials=len(kept), left_out=left_out,
    )  # fmt: skip


def _varying(block: Floats) -> NDArray[np.intp]:
    known = np.isfinite(block).all(axis=0)
    if not len(block):
        return np.empty(0, dtype=np.intp)
    return np.flatnonzero(known & (np.ptp(np.where(known, block, 0.0), axis=0) > 0.0))


def _nothing(blocks: int, trials: int, left_out: int) -> CrossValidation:
    none, nan = np.empty(0), math.nan
    return CrossValidation(
        probability=nan, logits=none, inside=none, outside=none, winners=np.empty(0, dtype=np.intp), slope=nan,
        intercept=nan, r_squared=nan, probability_of_loss=nan, first_order=False, second_order=False,
        blocks=int(blocks), trials=trials, left_out=left_out,
    )  # fmt: skip


def _scores(block: Floats, blocks: int) -> Floats:
    """Score of every trial in every half, shape (splits, N); the half that a row leaves out is the row from the end.

    Only sums over the blocks are needed: of the returns, and of their squares about the mean of the whole.
    """
    pieces = np.array_split(np.arange(len(block)), blocks)
    starts = np.array([piece[0] for piece in pieces])
    lengths = np.array([len(piece) for piece in pieces], dtype=np.float64)
    middle = block.mean(axis=0)
    centred = block - middle
    sums = np.add.reduceat(centred, starts, axis=0)
    squares = np.add.reduceat(np.square(centred), starts, axis=0)
    halves = np.array(list(combinations(range(blocks), blocks // 2)))
    chosen = np.zeros((len(halves), blocks))
    np.put_along_axis(chosen, halves, 1.0, axis=1)
    counts = (chosen @ lengths)[:, None]
    out = np.empty((len(halves), block.shape[1]))
    for start in range(0, len(halves), max(1, _AT_ONCE // block.shape[1])):
        part = slice(start, start + max(1, _AT_ONCE // block.shape[1]))
        total, square, count = chosen[part] @ sums, chosen[part] @ squares, counts[part]
        mean = total / count
        variance = (square - total * mean) / (count - 1.0)
        moves = variance > _EPS * (np.square(middle) + square / count)
        out[part] = np.divide(mean + middle, np.sqrt(np.where(moves, variance, 1.0)), out=mean, where=moves)
        out[part][~moves] = 0.0
    return out


def _play(scores: Floats) -> tuple[Floats, Floats, NDArray[np.intp], Floats]:
    """Let each half choose, and see the winner in the other half: its scores, who it was, its rank there."""
    splits, trials = scores.shape
    winners = scores.argmax(axis=1)
    inside = scores[np.arange(splits), winners]
    other = scores[::-1]
    outside = other[np.arange(splits), winners]
    ranks = np.empty(splits)
    step = max(1, _AT_ONCE // trials)
    for start in range(0, splits, step):
        part = slice(start, start + step)
        mine = outside[part, None]
        near = 1e-12 * (1.0 + np.abs(mine))
        below = (other[part] < mine - near).sum(axis=1)
        upto = (other[part] <= mine + near).sum(axis=1)
        ranks[part] = (below + upto + 1.0) / 2.0
    return inside, outside, winners, ranks


def _line(x: Floats, y: Floats) -> tuple[float, float, float]:
    spread, across = x - x.mean(), y - y.mean()
    width, height = float(spread @ spread), float(across @ across)
    if width <= _EPS * float(x @ x) or height <= 0.0:
        return math.nan, math.nan, math.nan
    slope = float(spread @ across) / width
    return slope, float(y.mean() - slope * x.mean()), slope * float(spread @ across) / height


def _dominance(outside: Floats, scores: Floats) -> tuple[bool, bool]:
    """Compare the distribution of the winners' scores with that of all trials, at the levels of a grid."""
    every = max(1, scores.size // 400_000)
    alike = np.sort(scores.ravel()[::every])
    levels = np.linspace(min(alike[0], outside.min()), max(alike[-1], outside.max()), _GRID)
    won = np.searchsorted(np.sort(outside), levels, side="right") / len(outside)
    any_one = np.searchsorted(alike, levels, side="right") / len(alike)
    area = np.cumsum(any_one - won)
    slack = 1e-12
    better = bool((any_one > won + slack).any())
    return bool((won <= any_one + slack).all()) and better, bool((area >= -slack).all()) and better
