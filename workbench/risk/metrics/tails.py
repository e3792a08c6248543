"""How bad it can get: value at risk and expected shortfall, by five methods, at any level and horizon.

Both are returns: negative where money is lost. A horizon of h bars scales the mean by h and the deviation by its root
(returns taken as independent); the historical method compounds every run of h bars instead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from workbench.errors import DataError
from workbench.risk.metrics.curves import Curves, Floats, ratio, read
from workbench.risk.metrics.define import of_returns
from workbench.risk.metrics.metric import Metric
from workbench.risk.metrics.variation import ewma_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TailMethod", "expected_shortfall", "rachev_ratio", "tail_table", "value_at_risk"]

TailMethod = Literal["historical", "gaussian", "cornish_fisher", "ewma", "garch"]

_NORMAL: Final = NormalDist()
_GARCH_BARS: Final = 100


def _check(level: float, horizon: int, method: str) -> None:
    if not 0.5 < level < 1.0:
        raise DataError(f"level is {level!r}; give the confidence as a fraction between 0.5 and 1, such as 0.95")
    if not (isinstance(horizon, int) and horizon >= 1):
        raise DataError(f"horizon is {horizon!r}; give a whole number of bars, 1 or more")
    if method not in get_args(TailMethod):
        raise DataError(f"method is {method!r}; it must be one of {', '.join(map(repr, get_args(TailMethod)))}")


@of_returns(
    Metric(
        "Value at risk 95 %", "fraction", "return that is undercut in 5 % of the bars",
        "Jorion (2007); Favre and Galeano (2002) for Cornish-Fisher; RiskMetrics (1996) for EWMA; Bollerslev (1986) "
        "and Barone-Adesi, Giannopoulos and Vosper (1999) for GARCH", "tail",
        "historical, linear between two returns; other methods, levels and horizons on request",
    )
)  # fmt: skip
def value_at_risk(
    curves: Curves, *, level: float = 0.95, horizon: int = 1, method: TailMethod = "historical"
) -> Floats:
    """Give the return that is undercut with probability 1 - level: a negative fraction where money is lost.

    Parameters
    ----------
    returns : array_like, Series or DataFrame
        Simple returns per bar.
    level : float, default 0.95
        Confidence, a fraction.
    horizon : int, default 1
        Bars.
    method : {"historical", "gaussian", "cornish_fisher", "ewma", "garch"}
        Quantile of what happened; of a normal distribution; of one with the skewness and kurtosis found; of a normal
        one with the volatility of now, by exponential weights (decay 0.94); or the quantile of the residuals of a
        GARCH(1,1) model scaled by its forecast (filtered historical; at least 100 bars).

    Returns
    -------
    float, or one a series
        NaN with too few bars for the method, and by Cornish-Fisher for tails too fat for the expansion (its
        quantiles would come in the wrong order: Maillard, 2012).

    Raises
    ------
    DataError
        A level, horizon or method that there is not.
    """
    _check(level, horizon, method)
    if method == "historical":
        return _compounded(curves, horizon).quantile(1.0 - level)
    if method == "garch":
        return np.array([_filtered(row, level, horizon)[0] for row in curves.returns])
    edge = _NORMAL.inv_cdf(1.0 - level)
    z = _expanded(curves, (edge, edge**2, edge**3)) if method == "cornish_fisher" else np.asarray(edge)
    mean, spread = _moments(curves, method)
    return np.asarray(mean * horizon + z * spread * math.sqrt(horizon))


@of_returns(
    Metric(
        "Expected shortfall 95 %", "fraction", "mean of the worst 5 % of the returns",
        "Rockafellar and Uryasev (2000); Maillard (2012) for Cornish-Fisher", "tail",
        "historical: mean of the returns at or below the value at risk; other methods, levels and horizons on request",
    )
)  # fmt: skip
def expected_shortfall(
    curves: Curves, *, level: float = 0.95, horizon: int = 1, method: TailMethod = "historical"
) -> Floats:
    """Give the mean return of the cases beyond the value at risk; parameters and NaN rule as there.

    Notes
    -----
    Rockafellar and Uryasev (2000), Optimization of Conditional Value-at-Risk. By "cornish_fisher" the mean of the
    expansion's quantiles beyond the level, in closed form: Maillard (2012), A User's Guide to the Cornish Fisher
    Expansion.
    """
    _check(level, horizon, method)
    if method == "historical":
        return _tail_mean(_compounded(curves, horizon).ordered, level)
    if method == "garch":
        return np.array([_filtered(row, level, horizon)[1] for row in curves.returns])
    edge = _NORMAL.inv_cdf(1.0 - level)
    beyond = -_NORMAL.pdf(edge) / (1.0 - level)  # the mean of z below the edge; those of z^2 and z^3 follow
    powers = (beyond, 1.0 + edge * beyond, (edge**2 + 2.0) * beyond)
    z = _expanded(curves, powers) if method == "cornish_fisher" else np.asarray(beyond)
    mean, spread = _moments(curves, method)
    return np.asarray(mean * horizon + z * spread * math.sqrt(horizon))


@of_returns(
    Metric(
        "Rachev ratio", "ratio", "mean of the best 5 % of the returns / |mean of the worst 5 %|",
        "Biglova, Ortobelli, Rachev and Stoyanov (2004)", "ratio", "both tails at 95 % unless given; rate 0",
    )
)  # fmt: skip
def rachev_ratio(curves: Curves, *, level: float = 0.95) -> Floats:
    """Expected gain in the right tail over the expected shortfall in the left; NaN without bars or with no left tail.

    Tails as in `expected_shortfall`, historical.
    """
    _check(level, 1, "historical")
    return np.abs(ratio(_tail_mean(-curves.ordered[:, ::-1], level), _tail_mean(curves.ordered, level)))


def tail_table(
    returns: Any,
    *,
    levels: Sequence[float] = (0.95, 0.99),
    horizons: Sequence[int] = (1, 5, 21),
    methods: Sequence[TailMethod] = get_args(TailMethod),
) -> pd.DataFrame:
    """Put value at risk and expected shortfall of one series side by side, by every method.

    Parameters
    ----------
    returns : array_like or Series
        Simple returns per bar.
    levels : sequence of float
        Confidence, fractions.
    horizons : sequence of int
        Bars.
    methods : sequence of str
        As in `value_at_risk`.

    Returns
    -------
    pandas.DataFrame
        A row a level and horizon, two columns a method: `value_at_risk` and `expected_shortfall`, fractions.

    Raises
    ------
    DataError
        There is more than one series, or a level, horizon or method that there is not.
    """
    import pandas as pd

    curves, _ = read(returns)
    if len(curves) != 1:
        raise DataError(f"a table of tails is of one series, these are {len(curves)}; give one column at a time")
    cells = {
        (level, horizon): {
            (method, number.__name__): float(number(curves, level=level, horizon=horizon, method=method)[0])
            for method in methods
            for number in (value_at_risk, expected_shortfall)
        }
        for level in levels
        for horizon in horizons
    }
    table = pd.DataFrame.from_dict(cells, orient="index")
    table.index = pd.MultiIndex.from_tuples(list(cells), names=["level", "horizon"])
    table.columns = pd.MultiIndex.from_tuples([tuple(column) for column in table.columns], names=["method", "number"])
    return table


def _compounded(curves: Curves, horizon: int) -> Curves:
    """Give the returns of every run of bars as long as the horizon."""
    if horizon == 1:
        return curves
    if curves.bars < horizon:
        return Curves(np.empty((len(curves), 0)))
    windows = np.lib.stride_tricks.sliding_window_view(1.0 + curves.returns, horizon, axis=1)
    return Curves(np.asarray(windows.prod(axis=2) - 1.0))


def _tail_mean(ordered: Floats, level: float) -> Floats:
    """Mean of the lowest returns, as many as lie at or below their quantile; equal ones are not counted further."""
    bars = ordered.shape[1]
    if not bars:
        return np.full(len(ordered), math.nan)
    count = math.floor((1.0 - level) * (bars - 1) + 1e-9) + 1  # 0.1 x 10 is one, though floats say a little less
    return np.asarray(ordered[:, :count].mean(axis=1))


def _moments(curves: Curves, method: str) -> tuple[Floats, Floats]:
    if method == "ewma":
        return np.zeros(len(curves)), ewma_of(curves, 0.94)
    return curves.mean, curves.spread


def _expanded(curves: Curves, powers: tuple[float, float, float]) -> Floats:
    """Give what the expansion of Cornish and Fisher makes of a standard normal z, z^2 and z^3, or of their means.

    NaN where the expansion does not rise with z everywhere, so that its quantiles are none; the normal one without
    variation.
    """
    z, square, cube = powers
    skew, fat = np.nan_to_num(curves.moment(3)), np.nan_to_num(curves.moment(4) - 3.0)
    bend, slope, least = fat / 8.0 - skew**2 / 6.0, skew / 3.0, 1.0 - fat / 8.0 + 5.0 * skew**2 / 36.0
    rises = (bend >= 0.0) & (slope**2 <= 4.0 * bend * least + 1e-12) & (least > 0.0)
    made = z + (square - 1.0) / 6.0 * skew + (cube - 3.0 * z) / 24.0 * fat - (2.0 * cube - 5.0 * z) / 36.0 * skew**2
    return np.where(rises, made, math.nan)


def _filtered(returns: Floats, level: float, horizon: int) -> tuple[float, float]:
    """Value at risk and shortfall by the residuals of a GARCH(1,1) model and its forecast."""
    deviation = float(Curves(returns[None, :]).spread[0])
    if len(returns) < _GARCH_BARS or not deviation > 0.0:
        return math.nan, math.nan
    from arch import arch_model

    scale = 1.0 / deviation  # the optimiser wants numbers near one
    fitted = arch_model(returns * scale, mean="Constant", vol="GARCH", p=1, q=1, rescale=False).fit(
        disp="off", show_warning=False
    )
    residuals = Curves(np.asarray(fitted.std_resid)[None, :])
    variance = float(np.asarray(fitted.forecast(horizon=horizon, reindex=False).variance).sum())
    mean, spread = float(fitted.params["mu"]) / scale * horizon, math.sqrt(variance) / scale
    return (
        mean + spread * float(residuals.quantile(1.0 - level)[0]),
        mean + spread * float(_tail_mean(residuals.ordered, level)[0]),
    )
