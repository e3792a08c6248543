"""Haircut Sharpe ratios: what is left of a Sharpe ratio when its p-value is corrected for many tests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError

__all__ = ["Haircut", "haircut_sharpe"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Haircut:
    """One correction for many tests, of the chosen trial.

    Parameters
    ----------
    method : {"bonferroni", "holm", "bhy"}
    p_value : float
        Two-sided, corrected; `single` before it was.
    single : float
    sharpe : float
        Sharpe ratio per observation that would have the corrected p-value if it were the only trial.
    haircut : float
        Fraction of the found ratio that is lost: 1 where nothing is left.
    """

    method: str
    p_value: float
    single: float
    sharpe: float
    haircut: float


def haircut_sharpe(
    sharpe: Any, observations: int, *, chosen: int | None = None, trials: int | None = None, inflation: Any = 1.0
) -> dict[str, Haircut]:
    """Correct the Sharpe ratio of the chosen trial for all the tests that were made.

    Parameters
    ----------
    sharpe : array_like, shape (N,), or float
        Of every trial, per observation; what is not known is taken as a test that found nothing.
    observations : int
    chosen : int, optional
        Position of the trial in question; the highest when left out.
    trials : int, optional
        How many tests were made; N when left out. Those beyond N are taken as tests that found nothing.
    inflation : float or array_like, shape (N,), default 1
        By how much autocorrelation widens the variance of the mean (`variance_inflation`).

    Returns
    -------
    dict of str to Haircut
        "bonferroni", "holm", "bhy". NaN with fewer than two observations or where the ratio is not known; a ratio of
        zero or less has nothing to lose: haircut NaN.

    Raises
    ------
    DataError
        There is no trial, or fewer than the ratios given.

    Notes
    -----
    Harvey and Liu (2015), Backtesting, Journal of Portfolio Management 42(1): t = Sharpe ratio x sqrt(observations),
    Student's distribution with one degree of freedom less. They take autocorrelation into account by the factor of Lo
    (2002); here t is divided by the root of `inflation`, which is the same idea without assuming an order. Bonferroni
    and Holm (1979) bound the chance of any false claim, Benjamini, Hochberg and Yekutieli (2001) the share of false
    claims among all.
    """
    found = np.atleast_1d(np.asarray(sharpe, dtype=np.float64))
    if found.ndim != 1 or not len(found):
        raise DataError(f"sharpe has shape {found.shape}; give the ratio of each trial, shape (N,)")
    many = len(found) if trials is None else int(trials)
    if many < 1:
        raise DataError(f"trials is {trials!r}; give a whole number, 1 or more")
    many = max(many, 1)
    known = np.isfinite(found)
    place = int(np.argmax(np.where(known, found, -math.inf))) if chosen is None else int(chosen)
    if not 0 <= place < len(found):
        raise DataError(f"chosen is {chosen!r}; give the position of a trial, 0 to {len(found) - 1}", chosen=chosen)
    if observations < 2 or not known[place]:
        nan = math.nan
        return {name: Haircut(method=name, p_value=nan, single=nan, sharpe=nan, haircut=nan) for name in _CORRECTIONS}
    wide = np.broadcast_to(np.asarray(inflation, dtype=np.float64), found.shape)
    wide = np.where(np.isfinite(wide) & (wide > 0.0), wide, 1.0)
    singles = _p_values(found, wide, observations)
    many = max(many, int(known.sum()))
    out = {}
    for name, correct in _CORRECTIONS.items():
        p_value = float(min(correct(singles, singles[place], many), 1.0))
        left = _ratio_of(p_value, float(wide[place]), observations) * (1.0 if found[place] >= 0.0 else -1.0)
        lost = 1.0 - left / float(found[place]) if found[place] > 0.0 else math.nan
        out[name] = Haircut(
            method=name, p_value=p_value, single=float(singles[place]), sharpe=left, haircut=max(lost, 0.0)
        )
    return out


def _p_values(found: Floats, wide: Floats, observations: int) -> Floats:
    """Two-sided p-value of each ratio; 1 for what is not known."""
    from scipy.special import stdtr

    size = np.abs(np.where(np.isfinite(found), found, 0.0)) * np.sqrt(observations / wide)
    return np.asarray(2.0 * stdtr(observations - 1.0, -size))


def _ratio_of(p_value: float, wide: float, observations: int) -> float:
    from scipy.special import stdtrit

    if p_value >= 1.0:
        return 0.0
    return float(-stdtrit(observations - 1.0, max(p_value / 2.0, 1e-300)) * math.sqrt(wide / observations))


def _bonferroni(singles: Floats, own: float, many: int) -> float:
    return own * many


def _holm(singles: Floats, own: float, many: int) -> float:
    upto = np.sort(singles[singles <= own])
    return float(((many - np.arange(len(upto))) * upto).max())


def _bhy(singles: Floats, own: float, many: int) -> float:
    ordered = np.sort(singles)
    harmonic = (
        float(np.log(many) + np.euler_gamma + 1.0 / (2.0 * many))
        if many > 10_000
        else float((1.0 / np.arange(1, many + 1)).sum())
    )
    corrected = many * harmonic * ordered / np.arange(1, len(ordered) + 1)
    first = int(np.searchsorted(ordered, own, side="right")) - 1
    return float(corrected[first:].min())


_CORRECTIONS = {"bonferroni": _bonferroni, "holm": _holm, "bhy": _bhy}
