"""The models and baselines of `forecasts`: a training and the returns after it, forecast one by one.

`(past, coming) -> float64 array, as long as coming`: the forecast of `coming[i]` may use `past` and `coming[:i]`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BASELINES", "RETURN", "VARIANCE"]

Floats = NDArray[np.float64]
Forecaster = Callable[[Floats, Floats], Floats]

_DECAY: Final = 0.94
_MONTH: Final = 22
_WEEK: Final = 5
_FLOOR: Final = 0.02  # of the mean variance of the training: no forecast is below


def _garch(past: Floats, coming: Floats) -> Floats:
    return _arch(past, coming, asymmetric=0)


def _gjr(past: Floats, coming: Floats) -> Floats:
    return _arch(past, coming, asymmetric=1)


def _arch(past: Floats, coming: Floats, asymmetric: int) -> Floats:
    """Fit on the past, scaled to a deviation of one, which the optimiser likes, and filter forward."""
    from arch import arch_model

    scale = float(past.std())
    if not scale > 0.0:
        return np.full(len(coming), np.nan)
    both = np.concatenate([past, coming]) / scale

    def model(values: Floats) -> Any:
        return arch_model(values, mean="Constant", vol="GARCH", p=1, o=asymmetric, q=1, rescale=False)

    try:
        fitted = model(both[: len(past)]).fit(disp="off", show_warning=True)
        ahead = model(both).fix(fitted.params).conditional_volatility
    except (ValueError, ArithmeticError, np.linalg.LinAlgError):
        return np.full(len(coming), np.nan)
    return _floored(np.asarray(ahead[len(past) :], dtype=np.float64) ** 2 * scale**2, past)


def _ewma(past: Floats, coming: Floats) -> Floats:
    level = float(np.mean(past[:_MONTH] ** 2))
    squares = np.concatenate([past, coming]) ** 2
    found = np.empty(len(squares))
    for row, square in enumerate(squares):
        found[row] = level
        level = _DECAY * level + (1.0 - _DECAY) * square
    return _floored(found[len(past) :], past)


def _har(past: Floats, coming: Floats) -> Floats:
    """Regress squared returns on their means over a day, a week and a month before: Corsi (2009)."""
    squares = np.concatenate([past, coming]) ** 2
    sums = np.concatenate([[0.0], np.cumsum(squares)])
    rows = np.arange(_MONTH, len(squares))
    means = [(sums[rows] - sums[rows - span]) / span for span in (1, _WEEK, _MONTH)]
    design = np.column_stack([np.ones(len(rows)), *means])
    known = rows < len(past)
    weights, *_ = np.linalg.lstsq(design[known], squares[rows[known]], rcond=None)
    return _floored(design[~known] @ weights, past)


def _mean_square(past: Floats, coming: Floats) -> Floats:
    return np.full(len(coming), float(np.mean(past**2)))


def _last_squares(past: Floats, coming: Floats) -> Floats:
    sums = np.concatenate([[0.0], np.cumsum(np.concatenate([past, coming]) ** 2)])
    rows = np.arange(len(past), len(past) + len(coming))
    return _floored((sums[rows] - sums[rows - _MONTH]) / _MONTH, past)


def _floored(variance: Floats, past: Floats) -> Floats:
    floored: Floats = np.maximum(variance, _FLOOR * float(np.mean(past**2)))
    return floored


def _ar(past: Floats, coming: Floats) -> Floats:
    from statsmodels.tsa.ar_model import AutoReg

    constant, slope = AutoReg(past, lags=1).fit().params
    before = np.concatenate([past[-1:], coming[:-1]])
    return np.asarray(constant + slope * before, dtype=np.float64)


def _arima(past: Floats, coming: Floats) -> Floats:
    from statsmodels.tsa.arima.model import ARIMA

    scale = float(past.std())
    if not scale > 0.0:
        return np.full(len(coming), np.nan)
    try:
        fitted = ARIMA(past / scale, order=(1, 0, 1)).fit()
        longer = fitted.append(coming / scale, refit=False)
        ahead = longer.predict(len(past), len(past) + len(coming) - 1)
    except (ValueError, ArithmeticError, np.linalg.LinAlgError):
        return np.full(len(coming), np.nan)
    return np.asarray(ahead, dtype=np.float64) * scale


def _zero(past: Floats, coming: Floats) -> Floats:
    return np.zeros(len(coming))


def _mean(past: Floats, coming: Floats) -> Floats:
    return np.full(len(coming), float(past.mean()))


def _last(past: Floats, coming: Floats) -> Floats:
    return np.concatenate([past[-1:], coming[:-1]])


VARIANCE: Final[Mapping[str, Forecaster]] = {"garch": _garch, "gjr": _gjr, "ewma": _ewma, "har": _har}
RETURN: Final[Mapping[str, Forecaster]] = {"ar": _ar, "arima": _arima}
BASELINES: Final[Mapping[str, Mapping[str, Forecaster]]] = {
    "variance": {"mean": _mean_square, "last": _last_squares},
    "return": {"zero": _zero, "mean": _mean, "last": _last},
}
