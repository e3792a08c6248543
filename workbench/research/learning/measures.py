"""How good probabilities were: losses, ranks and calibration, and whether one is better than another by more than luck.

Classes are columns of probabilities. Losses are given per sample, so that two of them can be compared in time.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Comparison", "auc", "brier", "calibration", "compare_losses", "log_losses", "summary"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEAST: Final = 1e-15
_FEWEST: Final = 8


class Comparison(NamedTuple):
    """A Diebold-Mariano test: statistic (below zero: the first has the smaller losses) and two-sided p-value."""

    statistic: float
    p_value: float


def log_losses(probability: Floats, place: Ints) -> Floats:
    """Give minus the log of the probability of what came, per sample.

    Parameters
    ----------
    probability : float64 array, shape (n, classes)
    place : int64 array, shape (n,)
        The column of the class that came.
    """
    losses: Floats = -np.log(np.clip(probability[np.arange(len(place)), place], _LEAST, 1.0))
    return losses


def brier(probability: Floats, came: NDArray[np.bool_]) -> float:
    """Give the mean squared distance between the probability of an event, shape (n,), and whether it came."""
    return float(np.mean((probability - came) ** 2)) if len(came) else math.nan


def auc(score: Floats, came: NDArray[np.bool_]) -> float:
    """Give the chance that a sample where the event came has the higher score; ties count half.

    Parameters
    ----------
    score : float64 array, shape (n,)
    came : bool array, shape (n,)

    Returns
    -------
    float
        0.5 is chance; NaN where the event came always or never.

    Examples
    --------
    >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    from scipy.stats import rankdata

    came = np.asarray(came, dtype=np.bool_)
    yes, no = int(came.sum()), int((~came).sum())
    if not yes or not no:
        return math.nan
    return float((rankdata(score)[came].sum() - yes * (yes + 1) / 2.0) / (yes * no))


def summary(probability: Floats, place: Ints, hoped: int) -> dict[str, float]:
    """Give log loss, AUC and Brier score of the class that is hoped for, and accuracy.

    Parameters
    ----------
    probability : float64 array, shape (n, classes)
    place : int64 array, shape (n,)
    hoped : int
        The column of the class that is hoped for.
    """
    if not len(place):
        return dict.fromkeys(("log_loss", "auc", "brier", "accuracy"), math.nan)
    return {
        "log_loss": float(log_losses(probability, place).mean()),
        "auc": auc(probability[:, hoped], place == hoped),
        "brier": brier(probability[:, hoped], place == hoped),
        "accuracy": float((probability.argmax(axis=1) == place).mean()),
    }


def calibration(score: Floats, came: NDArray[np.bool_], bins: int = 10) -> list[dict[str, float]]:
    """Put samples into bins of equal count by score, and compare the score of each with how often the event came.

    Returns
    -------
    list of dict
        `score` (mean), `frequency`, `samples`.
    """
    order = np.argsort(score, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return [
        {"score": float(score[part].mean()), "frequency": float(came[part].mean()), "samples": len(part)}
        for part in parts
    ]


def compare_losses(first: Any, second: Any, *, overlap: int = 1) -> Comparison:
    """Test whether two series of losses have the same mean: Diebold and Mariano (1995).

    Parameters
    ----------
    first, second : float64 array, shape (n,)
        Losses of the same samples, in order of time.
    overlap : int, default 1
        Bars over which one forecast looks ahead; 1 for one step.

    Returns
    -------
    Comparison
        NaN where there are fewer than eight samples or no difference.

    Notes
    -----
    The variance of the mean is Newey and West's (1987) with the larger of `overlap - 1` and `4 (n / 100)^(2/9)` lags;
    the p-value is of Student's t with n - 1 degrees of freedom, as Harvey, Leybourne and Newbold (1997) advise.
    """
    from scipy.stats import t

    gap = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    n = len(gap)
    if n < _FEWEST or not np.ptp(gap) > 0.0:
        return Comparison(math.nan, math.nan)
    centred = gap - gap.mean()
    lags = min(max(overlap - 1, int(4.0 * (n / 100.0) ** (2.0 / 9.0))), n // 2)
    variance = float(centred @ centred) / n
    for lag in range(1, lags + 1):
        variance += 2.0 * (1.0 - lag / (lags + 1.0)) * float(centred[lag:] @ centred[:-lag]) / n
    statistic = float(gap.mean() / math.sqrt(max(variance, 1e-300) / n))
    return Comparison(statistic, float(2.0 * t.sf(abs(statistic), n - 1)))
