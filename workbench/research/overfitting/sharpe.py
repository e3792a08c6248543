"""How sure a Sharpe ratio is, and how high chance alone would have made the best of many.

Everything here is numbers in, numbers out. Sharpe ratios are **per observation** (a bar), never annualised: divide an
annual ratio by the root of the observations in a year first. Kurtosis is raw, 3 for a normal distribution. Scalars give
a float, arrays broadcast. What cannot be said (nothing known, a variance that no distribution has) is NaN.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.risk.metrics.ratios import sharpe_variance

__all__ = [
    "deflated_among",
    "deflated_sharpe",
    "expected_maximum",
    "expected_maximum_sharpe",
    "minimum_backtest_years",
    "minimum_track_record",
    "probabilistic_sharpe",
    "track_record_among_trials",
]

Floats = NDArray[np.float64]
_EULER: Final = float(np.euler_gamma)


def _plain(values: Any) -> Any:
    """Give a float for a single number, the array otherwise."""
    array = np.asarray(values, dtype=np.float64)
    return float(array) if array.ndim == 0 else array


def _numbers(name: str, values: Any) -> Floats:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} must be a number or an array of numbers, found {values!r}") from error


def _confidence(value: float) -> float:
    if not 0.0 < value < 1.0:
        raise DataError(f"confidence is {value!r}; give a fraction between 0 and 1, such as 0.95", confidence=value)
    return float(value)


def _trials(values: Any) -> Floats:
    counts = _numbers("trials", values)
    if (counts < 1.0).any():
        raise DataError(f"trials is {values!r}; there is at least one trial: the one that is judged", trials=values)
    return counts


def _observations(values: Any) -> Floats:
    counts = _numbers("observations", values)
    if (counts < 0.0).any():
        raise DataError(f"observations is {values!r}; give how many returns the ratio was computed from")
    return counts


def probabilistic_sharpe(
    sharpe: Any, observations: Any, *, benchmark: Any = 0.0, skew: Any = 0.0, kurtosis: Any = 3.0
) -> Any:
    """Give the probability that the true Sharpe ratio is above a benchmark's.

    Parameters
    ----------
    sharpe : float or array_like
        Found, per observation.
    observations : float or array_like
        Number of returns it was computed from.
    benchmark : float or array_like, default 0
        Sharpe ratio per observation that must be passed.
    skew, kurtosis : float or array_like
        Of the returns per observation; kurtosis raw.

    Returns
    -------
    float or float64 array
        Fractions. NaN below two observations.

    Notes
    -----
    Bailey and Lopez de Prado (2012), The Sharpe Ratio Efficient Frontier, Journal of Risk 15(2).
    `risk.metrics.probabilistic_sharpe_ratio` is the same, of returns.

    Examples
    --------
    >>> round(probabilistic_sharpe(0.458, 24, skew=-2.448, kurtosis=10.164), 3)
    0.913
    """
    from scipy.special import ndtr

    found, count = _numbers("sharpe", sharpe), _observations(observations)
    variance = sharpe_variance(found, _numbers("skew", skew), _numbers("kurtosis", kurtosis))
    freedom = np.where(count >= 2.0, count - 1.0, math.nan)
    return _plain(ndtr((found - _numbers("benchmark", benchmark)) * np.sqrt(freedom) / np.sqrt(variance)))


def expected_maximum(trials: Any) -> Any:
    """Give the expected largest of so many independent standard normal numbers; zero for one.

    Notes
    -----
    Bailey, Borwein, Lopez de Prado and Zhu (2014), Pseudo-Mathematics and Financial Charlatanism, Notices of the AMS
    61(5), proposition 1: (1 - g) Z(1 - 1/N) + g Z(1 - 1/(N e)), g the Euler-Mascheroni constant, Z the normal quantile.
    An approximation for large N: for few trials it is low by up to 0.05.

    Examples
    --------
    >>> round(expected_maximum(100), 4)
    2.5306
    """
    from scipy.special import ndtri

    count = _trials(trials)
    many = np.where(count > 1.0, count, 2.0)
    best = (1.0 - _EULER) * ndtri(1.0 - 1.0 / many) + _EULER * ndtri(1.0 - 1.0 / (many * math.e))
    return _plain(np.where(np.isnan(count), math.nan, np.where(count > 1.0, np.maximum(best, 0.0), 0.0)))


def expected_maximum_sharpe(trials: Any, variance: Any) -> Any:
    """Give the Sharpe ratio that the best of so many trials without any edge is expected to show.

    Parameters
    ----------
    trials : float or array_like
        How many independent ones.
    variance : float or array_like
        Of the Sharpe ratios across the trials; the answer is per observation if this is.

    Notes
    -----
    The false strategy theorem: Lopez de Prado and Bailey (2021), The False Strategy Theorem, American Mathematical
    Monthly 128(9).
    """
    spread = _numbers("variance", variance)
    if (spread < 0.0).any():
        raise DataError(f"variance is {variance!r}; the variance of Sharpe ratios across trials is not negative")
    return _plain(np.sqrt(spread) * expected_maximum(trials))


def deflated_sharpe(
    sharpe: Any, observations: Any, *, trials: Any, variance: Any, skew: Any = 0.0, kurtosis: Any = 3.0
) -> Any:
    """Give the probability that a Sharpe ratio is more than what the best of so many trials shows by chance.

    Parameters
    ----------
    sharpe, observations, skew, kurtosis : float or array_like
        As for `probabilistic_sharpe`: per observation, raw kurtosis.
    trials : float or array_like
        How many (independent) trials it was chosen from.
    variance : float or array_like
        Of the Sharpe ratios per observation across those trials.

    Returns
    -------
    float or float64 array

    Notes
    -----
    Bailey and Lopez de Prado (2014), The Deflated Sharpe Ratio, Journal of Portfolio Management 40(5).

    Examples
    --------
    An annual ratio of 2.5 over 1,250 days, the best of 100 whose annual ratios have a variance of 0.5:

    >>> round(deflated_sharpe(2.5 / 250**0.5, 1250, trials=100, variance=0.5 / 250, skew=-3, kurtosis=10), 4)
    0.9004
    """
    least = expected_maximum_sharpe(trials, variance)
    return probabilistic_sharpe(sharpe, observations, benchmark=least, skew=skew, kurtosis=kurtosis)


def deflated_among(
    sharpe: Any, observations: Any, *, skew: Any = 0.0, kurtosis: Any = 3.0, trials: float | None = None
) -> Floats:
    """Deflate every trial's Sharpe ratio by all of them: a column for a leaderboard, or an objective to maximise.

    Parameters
    ----------
    sharpe : array_like, shape (N,)
        Per observation, of all trials so far.
    observations, skew, kurtosis : float or array_like, shape (N,)
    trials : float, optional
        How many (independent) trials these amount to; N when left out.

    Returns
    -------
    float64 array, shape (N,)
        NaN where the ratio is not known: such a trial counts, and says nothing about the variance.

    Examples
    --------
    >>> deflated_among([0.02, 0.05, 0.08], 1000).round(3)
    array([0.43 , 0.78 , 0.957])
    """
    found = np.atleast_1d(_numbers("sharpe", sharpe))
    known = found[np.isfinite(found)]
    variance = float(known.var(ddof=1)) if len(known) > 1 else 0.0
    count = max(len(found), 1) if trials is None else trials
    every = deflated_sharpe(found, observations, trials=count, variance=variance, skew=skew, kurtosis=kurtosis)
    return np.atleast_1d(np.asarray(every, dtype=np.float64))


def minimum_track_record(
    sharpe: Any, *, benchmark: Any = 0.0, skew: Any = 0.0, kurtosis: Any = 3.0, confidence: float = 0.95
) -> Any:
    """Give how many observations it takes until a Sharpe ratio is above a benchmark's with such confidence.

    Parameters
    ----------
    sharpe, benchmark, skew, kurtosis : float or array_like
        As for `probabilistic_sharpe`: per observation, raw kurtosis.
    confidence : float, default 0.95

    Returns
    -------
    float or float64 array
        Observations; divide by those in a year for years. Infinity where the ratio is not above the benchmark: no
        length would do.

    Notes
    -----
    Bailey and Lopez de Prado (2012), The Sharpe Ratio Efficient Frontier: the minimum track record length.

    Examples
    --------
    >>> round(minimum_track_record(2 / 52**0.5, benchmark=1 / 52**0.5) / 52, 3)
    2.829
    """
    from scipy.special import ndtri

    return _length(sharpe, benchmark, skew, kurtosis, ndtri(_confidence(confidence)))


def track_record_among_trials(
    sharpe: Any, *, trials: Any, skew: Any = 0.0, kurtosis: Any = 3.0, confidence: float = 0.95
) -> Any:
    """Give how many observations it takes until a Sharpe ratio is above zero although it is the best of many.

    As `minimum_track_record`, with a confidence that holds for all trials together (Sidak): each single one is held to
    ``confidence ** (1 / trials)``.
    """
    from scipy.special import ndtri_exp

    each = np.log(_confidence(confidence)) / _trials(trials)
    return _length(sharpe, 0.0, skew, kurtosis, ndtri_exp(each))


def _length(sharpe: Any, benchmark: Any, skew: Any, kurtosis: Any, distance: Any) -> Any:
    found = _numbers("sharpe", sharpe)
    ahead = found - _numbers("benchmark", benchmark)
    variance = sharpe_variance(found, _numbers("skew", skew), _numbers("kurtosis", kurtosis))
    whole = 1.0 + variance * np.square(distance / np.where(ahead > 0.0, ahead, 1.0))
    return _plain(np.where(np.isnan(ahead), math.nan, np.where(ahead > 0.0, whole, math.inf)))


def minimum_backtest_years(trials: Any, *, sharpe: Any = 1.0) -> Any:
    """Give the years of history below which the best of so many trials without edge shows this annual Sharpe ratio.

    Parameters
    ----------
    trials : float or array_like
        How many independent ones.
    sharpe : float or array_like, default 1
        **Annualised**: the one function here that wants it so.

    Returns
    -------
    float or float64 array
        Years; infinity where the ratio is zero or less.

    Notes
    -----
    Bailey, Borwein, Lopez de Prado and Zhu (2014), Pseudo-Mathematics and Financial Charlatanism, theorem 2.

    Examples
    --------
    >>> round(minimum_backtest_years(45), 2)
    5.0
    """
    target = _numbers("sharpe", sharpe)
    years = np.square(expected_maximum(trials) / np.where(target > 0.0, target, 1.0))
    return _plain(np.where(np.isnan(target), math.nan, np.where(target > 0.0, years, math.inf)))
