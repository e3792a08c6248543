"""White's and Hansen's tests: whether the best of all trials beats a benchmark, given how many were looked at."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.research.overfitting.trials import read_returns

__all__ = [
    "Snooping",
    "condense",
    "differences",
    "resampled_means",
    "superior_ability",
    "usual_block_length",
    "variances_of",
]

Floats = NDArray[np.float64]
_AT_ONCE: Final = 4_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Snooping:
    """P-values of "no trial is better than the benchmark".

    Parameters
    ----------
    lower, consistent, upper : float
        Hansen's three p-values; the consistent one is to be used. `upper` is White's reality check.
    adjusted : float64 array, shape (k,)
        Consistent p-value of each trial against the best of all of them: how often chance alone, in the best of all,
        made at least this. NaN for a column left out.
    block_length, draws : int
    """

    lower: float
    consistent: float
    upper: float
    adjusted: Floats
    block_length: int
    draws: int

    @property
    def reality_check(self) -> float:
        """P-value of White's reality check."""
        return self.upper


def superior_ability(
    returns: Any,
    *,
    benchmark: Any = None,
    draws: int = 1_000,
    block_length: int | None = None,
    equal_risk: bool = False,
    seed: int = 0,
) -> Snooping:
    """Test whether the best trial is better than a benchmark, given that it is the best of all.

    Parameters
    ----------
    returns : array_like or frame, shape (T, k)
        Of every trial that was looked at, one column each, fractions per observation.
    benchmark : array_like, shape (T,), optional
        Returns to beat, such as those of buying and holding; zero when left out.
    draws : int, default 1000
        How often the history is resampled.
    block_length : int, optional
        Mean length of the runs that stay together; that of `arch.bootstrap.optimal_block_length` for the best trial
        when left out, and the cube root of T at least: short histories hide what memory they have.
    equal_risk : bool, default False
        Scale every trial's difference from the benchmark to the same volatility first, so that Sharpe ratios are
        compared and a wild trial does not drown a steady one.
    seed : int, default 0
        The same seed gives the same p-values.

    Returns
    -------
    Snooping
        NaN with fewer than eight observations, or when no column varies. Columns with an unknown return, or without any
        variation, are left out.

    Raises
    ------
    DataError
        Shapes do not fit, or an argument is out of range.

    Notes
    -----
    White (2000), A Reality Check for Data Snooping; Hansen (2005), A Test for Superior Predictive Ability. Resampling
    (the stationary bootstrap of Politis and Romano) and block length (Politis and White 2004, Patton, Politis and White
    2009) are arch's; the p-values equal those of `arch.bootstrap.SPA` with the same seed. Means of all resamples are
    worked out together, as products of matrices: arch's own loop takes a time that grows with the square of T.
    """
    block = read_returns(returns)
    if not (isinstance(draws, (int, np.integer)) and draws >= 1):
        raise DataError(f"draws is {draws!r}; give a whole number, 1 or more", draws=draws)
    if block_length is not None and not block_length >= 1:
        raise DataError(f"block_length is {block_length!r}; give 1 or more", block_length=block_length)
    ahead, kept = differences(block, benchmark, equal_risk=equal_risk)
    adjusted = np.full(block.shape[1], math.nan)
    if len(block) < 8 or not len(kept):
        return Snooping(lower=math.nan, consistent=math.nan, upper=math.nan, adjusted=adjusted, block_length=0, draws=0)
    length = usual_block_length(ahead) if block_length is None else int(block_length)
    means = ahead.mean(axis=0)
    variance = np.maximum(variances_of(ahead, length), 0.0)
    relevant = means >= -np.sqrt(variance / len(ahead) * 2.0 * math.log(math.log(len(ahead))))
    centres = np.stack([np.maximum(means, 0.0), np.where(relevant, means, 0.0), means])
    highest = np.empty((draws, 3))
    for part, drawn in resampled_means(ahead, draws, length, seed):
        for which, centre in enumerate(centres):
            highest[part, which] = (drawn - centre).max(axis=1)
    lower, consistent, upper = (highest > means.max()).mean(axis=0).tolist()
    above = np.searchsorted(np.sort(highest[:, 1]), means, side="right")
    adjusted[kept] = 1.0 - above / draws
    return Snooping(
        lower=lower, consistent=consistent, upper=upper, adjusted=adjusted, block_length=length, draws=int(draws)
    )


def resampled_means(ahead: Floats, draws: int, length: int, seed: int) -> Iterator[tuple[slice, Floats]]:
    """Give the means of resampled histories, some draws at a time: which draws, and their means, shape (m, k)."""
    from arch.bootstrap import StationaryBootstrap

    resampler = StationaryBootstrap(length, np.arange(len(ahead)), seed=seed)
    rows: list[Floats] = []
    done = 0
    for (index,), _ in resampler.bootstrap(draws):
        rows.append(np.bincount(index, minlength=len(ahead)).astype(np.float64))
        if len(rows) * len(ahead) >= _AT_ONCE or done + len(rows) == draws:
            yield slice(done, done + len(rows)), np.stack(rows) @ ahead / len(ahead)
            done, rows = done + len(rows), []


def differences(block: Floats, benchmark: Any, *, equal_risk: bool) -> tuple[Floats, NDArray[np.intp]]:
    """Give the differences from the benchmark of the columns that vary, shape (T, m), and which columns those are.

    Raises
    ------
    DataError
        The benchmark does not fit.
    """
    if benchmark is not None:
        base = np.asarray(benchmark, dtype=np.float64)
        if base.shape != (len(block),):
            raise DataError(f"benchmark has shape {base.shape}; give one return an observation, ({len(block)},)")
        block = block - base[:, None]
    known = np.isfinite(block).all(axis=0)
    clean = np.where(known, block, 0.0)
    if len(block) < 2:
        return clean, np.empty(0, dtype=np.intp)
    spread = clean.std(axis=0)
    kept = np.flatnonzero(known & (spread > 1e-12 * np.abs(clean).max(axis=0)))
    return (clean[:, kept] / spread[kept] if equal_risk else clean[:, kept]), kept


def usual_block_length(ahead: Floats) -> int:
    """Give the block length of the best trial, whose mean is what the test is about."""
    from arch.bootstrap import optimal_block_length

    best = ahead[:, int((ahead.mean(axis=0) / ahead.std(axis=0)).argmax())]
    found = float(optimal_block_length(best)["stationary"].iloc[0])
    least = math.ceil(float(np.cbrt(len(ahead))))
    return min(max(math.ceil(found) if math.isfinite(found) else 1, least), max(1, len(ahead) // 4))


def variances_of(ahead: Floats, length: int) -> Floats:
    """Give the variance of the root of T times the mean under the stationary bootstrap, by transforms."""
    from scipy.fft import irfft, next_fast_len, rfft

    count = len(ahead)
    centred = ahead - ahead.mean(axis=0)
    size = next_fast_len(2 * count)
    lag = np.arange(count)
    keep = 1.0 - 1.0 / length
    weight = (1.0 - lag / count) * keep**lag + lag / count * keep ** (count - lag)
    weight[0] = 0.5
    out = np.empty(ahead.shape[1])
    step = max(1, _AT_ONCE // size)
    for start in range(0, ahead.shape[1], step):
        part = slice(start, start + step)
        power = np.square(np.abs(rfft(centred[:, part], size, axis=0)))
        out[part] = 2.0 / count * (weight @ irfft(power, size, axis=0)[:count])
    return out


def condense(returns: Floats, most: int = 2_000) -> Floats:
    """Sum returns over runs of neighbours of one length, so that no more than so many observations are left.

    The mean of a long series is no better known by its minutes than by its days; resampling days is quicker. What does
    not fill a run is left out at the front.
    """
    size = -(-len(returns) // most)
    if size <= 1:
        return returns
    used = returns[len(returns) % size :]
    return np.asarray(used.reshape(-1, size, *returns.shape[1:]).sum(axis=1))
