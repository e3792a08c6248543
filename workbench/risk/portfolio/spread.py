"""How series vary: a covariance matrix with shrunk correlations, and returns scaled to the volatility of now."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.risk.weighting import Estimator, covariance

__all__ = ["correlation_of", "scaled_to_now", "shrunk_covariance"]

Floats = NDArray[np.float64]
_GARCH_ROWS = 100


def shrunk_covariance(moves: Floats, method: Estimator) -> Floats:
    """Estimate a covariance matrix whose correlations are shrunk and whose variances are those of the sample.

    Parameters
    ----------
    moves : float64 array, shape (n, k)
        Returns, finite, two rows or more.
    method : {"ledoit_wolf", "oas", "sample", "exponential"}

    Returns
    -------
    float64 array, shape (k, k)
        Zeros for what does not move.

    Notes
    -----
    Ledoit and Wolf shrink towards equal variances, which would raise the risk of a currency and lower that of a coin.
    So returns are brought to one variance first: their target is then no correlation at all, and no unit matters.
    """
    count = moves.shape[1]
    found = np.zeros((count, count))
    alive = np.ptp(moves, axis=0) > 1e-14 if len(moves) else np.zeros(count, dtype=np.bool_)
    if not alive.any():
        return found
    part = moves[:, alive]
    if method == "exponential":
        matrix = np.asarray(covariance(part, method))
    else:
        spread = part.std(axis=0, ddof=1)
        shrunk = np.asarray(covariance(part / spread, method))
        unit = np.sqrt(np.diag(shrunk))
        matrix = shrunk / np.outer(unit, unit) * np.outer(spread, spread)
    found[np.ix_(alive, alive)] = matrix
    return found


def correlation_of(matrix: Floats) -> Floats:
    """Give the correlations of a covariance matrix; NaN for what does not vary, but ones down the diagonal."""
    spread = np.sqrt(np.diag(matrix))
    with np.errstate(all="ignore"):
        found = np.where(np.outer(spread, spread) > 0.0, matrix / np.outer(spread, spread), math.nan)
    found = np.clip(found, -1.0, 1.0)
    np.fill_diagonal(found, 1.0)
    return found


def scaled_to_now(moves: Floats, updating: str, decay: float) -> Floats:
    """Scale each series' returns by its volatility of now over its volatility at the time.

    Parameters
    ----------
    moves : float64 array, shape (n, k)
        Simple returns.
    updating : {"ewma", "garch"}
    decay : float
        Weight of yesterday's variance ("ewma").

    Returns
    -------
    float64 array, shape (n, k)
        Never below -1.

    Raises
    ------
    DataError
        A GARCH model is asked for on fewer than 100 rows.

    Notes
    -----
    Hull and White (1998), Barone-Adesi, Giannopoulos and Vosper (1999). The volatility of a row is known before it:
    exponential weights of the squares before, begun with the mean square of the first 25 rows.
    """
    if updating == "garch" and len(moves) < _GARCH_ROWS:
        raise DataError(f"a GARCH model needs {_GARCH_ROWS} rows, there are {len(moves)}: take updating='ewma'")
    found = np.zeros_like(moves)
    for k in range(moves.shape[1]):
        one = moves[:, k]
        if np.ptp(one) > 1e-14:
            then, now = _garch(one) if updating == "garch" else _ewma(one, decay)
            found[:, k] = one * (now / then)
    return np.maximum(found, -1.0)


def _ewma(moves: Floats, decay: float) -> tuple[Floats, float]:
    """Volatility known before each row, and after the last."""
    from scipy.signal import lfilter

    squares = moves * moves
    first = float(squares[:25].mean()) or float(squares.mean())
    after, _ = lfilter([1.0 - decay], [1.0, -decay], squares, zi=[decay * first])
    before = np.concatenate(([first], after[:-1]))
    floor = 1e-4 * float(squares.mean())  # a dead stretch must not make the next move endless
    return np.sqrt(np.maximum(before, floor)), math.sqrt(max(float(after[-1]), floor))


def _garch(moves: Floats) -> tuple[Floats, float]:
    from arch import arch_model

    scale = 1.0 / float(moves.std())  # the optimiser wants numbers near one
    model: Any = arch_model(moves * scale, mean="Zero", vol="GARCH", p=1, q=1, rescale=False)
    fitted = model.fit(disp="off", show_warning=False)
    now = float(np.asarray(fitted.forecast(horizon=1, reindex=False).variance)[0, 0])
    return np.asarray(fitted.conditional_volatility, dtype=np.float64), math.sqrt(now)
