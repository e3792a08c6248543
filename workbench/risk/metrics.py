"""Metrics of equity curves and trades: pure functions of arrays, one convention each, no surprises at the edges.

Returns are simple returns per bar. `periods_per_year` is how many such bars a year of the instrument's calendar has.
Elapsed years are Actual/365, as in XIRR. The risk-free rate is zero. What cannot be computed (no bars, no variation, no
trades) is NaN, never an infinity or a warning. `METRICS` says for each number its label, unit, formula and source.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.errors import DataError

__all__ = [
    "METRICS",
    "YEAR_MS",
    "Drawdown",
    "Metric",
    "annualised_return",
    "annualised_volatility",
    "calmar_ratio",
    "expectancy",
    "max_drawdown",
    "profit_factor",
    "returns_of",
    "sharpe_ratio",
    "sortino_ratio",
    "total_return",
    "turnover",
    "underwater",
    "win_rate",
]

YEAR_MS: Final = 365 * 86_400_000
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Metric:
    """What a number means: its label for people, its unit, its formula and where that comes from."""

    label: str
    unit: Literal["fraction", "ratio", "currency", "count", "time"]
    formula: str
    source: str

    def text(self, value: float | int | str | None) -> str:
        """Write a value of this metric for people: percent, two decimals, thousands; a dash for no answer.

        Examples
        --------
        >>> METRICS["total_return"].text(0.1234), METRICS["sharpe_ratio"].text(float("nan"))
        ('12.34 %', '\N{EN DASH}')
        """
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            return "\N{EN DASH}"
        if isinstance(value, str):
            return value
        if self.unit in ("fraction", "ratio") and abs(value) >= 1e6:  # a few bars taken for a year: no digits to read
            return f"{value:.1e}".replace("-", "\N{MINUS SIGN}") + (" x" if self.unit == "fraction" else "")
        if self.unit == "fraction":
            return f"{value:z,.2%}".replace("%", " %").replace("-", "\N{MINUS SIGN}")
        digits = 0 if self.unit == "count" else 2
        return f"{value:z,.{digits}f}".replace("-", "\N{MINUS SIGN}")


METRICS: Final = MappingProxyType(
    {
        "total_return": Metric("Total return", "fraction", "final equity / initial cash - 1", "definition"),
        "annualised_return": Metric(
            "Annualised return", "fraction", "(1 + total return) ^ (365 days / elapsed time) - 1", "CAGR, Actual/365"
        ),
        "annualised_volatility": Metric(
            "Volatility", "fraction", "sample standard deviation of returns x sqrt(periods per year)", "definition"
        ),
        "sharpe_ratio": Metric(
            "Sharpe ratio", "ratio", "mean return / sample standard deviation x sqrt(periods per year)",
            "Sharpe (1994), The Sharpe Ratio; risk-free rate 0",
        ),
        "sortino_ratio": Metric(
            "Sortino ratio", "ratio", "mean return / root mean square of min(return, 0) x sqrt(periods per year)",
            "Sortino and Price (1994); target 0, divided by all periods",
        ),
        "calmar_ratio": Metric(
            "Calmar ratio", "ratio", "annualised return / |max drawdown|", "Young (1991), over the whole history"
        ),
        "max_drawdown": Metric("Max drawdown", "fraction", "lowest equity / highest before - 1", "definition"),
        "max_drawdown_start": Metric("Drawdown from", "time", "last bar at the high before it", "definition"),
        "max_drawdown_trough": Metric("Drawdown trough", "time", "bar of the lowest equity in it", "definition"),
        "max_drawdown_recovery": Metric(
            "Drawdown recovered", "time", "first bar back at the high before it; none if not yet", "definition"
        ),
        "win_rate": Metric("Win rate", "fraction", "closed trades with a profit / closed trades", "definition"),
        "profit_factor": Metric(
            "Profit factor", "ratio", "sum of profits / |sum of losses| of closed trades, after fees", "definition"
        ),
        "expectancy": Metric("Expectancy", "currency", "mean profit of a closed trade, after fees", "definition"),
        "exposure": Metric("Exposure", "fraction", "bars with a position at some moment / bars", "definition"),
        "turnover": Metric(
            "Turnover", "ratio", "value bought and sold a year / mean equity", "definition, both sides counted"
        ),
        "trades": Metric("Trades", "count", "closed round trips", "definition"),
    }
)  # fmt: skip


def _series(name: str, values: ArrayLike) -> Floats:
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} must be numbers, found {type(values).__name__}: {error}") from error
    if array.ndim != 1:
        raise DataError(f"{name} has shape {array.shape}; give one value a bar or trade, shape (n,)")
    return array


def returns_of(equity: ArrayLike, cash: float) -> Floats:
    """Give simple returns per bar.

    Parameters
    ----------
    equity : array_like, shape (n,)
        Value of the account at each close.
    cash : float
        Its value before the first bar.

    Returns
    -------
    float64 array, shape (n,)
        Zero on bars that begin with no equity left (there is nothing to earn a return on).
    """
    after = _series("equity", equity)
    before = np.concatenate(([cash], after[:-1])) if len(after) else after
    return np.divide(after - before, before, out=np.zeros(len(after)), where=before > 0)


def total_return(equity: ArrayLike, cash: float) -> float:
    """Give final equity over initial cash, less one; NaN without bars. Below -1 the account owes money."""
    values = _series("equity", equity)
    return float(values[-1] / cash - 1.0) if len(values) and cash > 0 else math.nan


def annualised_return(total: float, years: float) -> float:
    """Compound annual growth rate of a total return (fraction) earned in elapsed years; -1 where all was lost.

    NaN without elapsed time. Under a year it extrapolates, as every annual figure does.
    """
    if math.isnan(total) or not years > 0:
        return math.nan
    if total <= -1.0:
        return -1.0
    growth = math.log1p(total) / years
    return math.expm1(growth) if growth < 700.0 else math.nan


def _spread(returns: Floats) -> float:
    """Sample standard deviation; exactly zero for returns that differ by no more than equity rounds to a float."""
    if len(returns) < 2 or np.ptp(returns) <= 8 * np.finfo(np.float64).eps * (1.0 + abs(returns[0])):
        return 0.0
    return float(returns.std(ddof=1))


def annualised_volatility(returns: ArrayLike, periods_per_year: float) -> float:
    """Sample standard deviation of returns per bar (ddof 1), times the root of the bars in a year.

    NaN with fewer than two returns.
    """
    values = _series("returns", returns)
    return _spread(values) * math.sqrt(periods_per_year) if len(values) > 1 else math.nan


def sharpe_ratio(returns: ArrayLike, periods_per_year: float) -> float:
    """Mean return over its sample standard deviation, annualised; risk-free rate zero.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Simple returns per bar, bars without a position included.
    periods_per_year : float
        Bars in a year of the instrument's calendar.

    Returns
    -------
    float
        NaN with fewer than two returns or without variation.

    Notes
    -----
    Sharpe (1994), The Sharpe Ratio, Journal of Portfolio Management 21(1).

    Examples
    --------
    >>> round(sharpe_ratio([0.01, -0.01, 0.02, 0.0], 365), 6)
    7.399324
    """
    values = _series("returns", returns)
    spread = _spread(values)
    return float(values.mean() / spread * math.sqrt(periods_per_year)) if spread > 0 else math.nan


def sortino_ratio(returns: ArrayLike, periods_per_year: float) -> float:
    """Mean return over the root mean square of the losses (all bars counted), annualised; target zero.

    NaN with no returns or without a losing bar.

    Notes
    -----
    Sortino and Price (1994), Performance Measurement in a Downside Risk Framework.
    """
    values = _series("returns", returns)
    if not len(values):
        return math.nan
    downside = math.sqrt(float(np.mean(np.minimum(values, 0.0) ** 2)))
    return float(values.mean() / downside * math.sqrt(periods_per_year)) if downside > 0 else math.nan


def calmar_ratio(annualised: float, deepest: float) -> float:
    """Annualised return (fraction) over the depth of the maximum drawdown (fraction, negative); NaN without one."""
    return annualised / abs(deepest) if deepest < 0 else math.nan


class Drawdown(NamedTuple):
    """The deepest fall: `depth` as a negative fraction, and the bars where it begins, bottoms and is made up.

    `start` is the last bar at the high before the fall (-1: the initial cash was the high), `recovery` the first bar
    back at that high (-1: not yet). Without a fall the depth is zero and all three are -1.
    """

    depth: float
    start: int
    trough: int
    recovery: int


def underwater(equity: ArrayLike, cash: float) -> Floats:
    """Distance below the highest value so far at each bar.

    Returns
    -------
    float64 array, shape (n,)
        Fractions, zero or negative; the initial cash counts as the first high.
    """
    values = _series("equity", equity)
    return values / np.maximum(np.maximum.accumulate(values), cash) - 1.0 if len(values) else values


def max_drawdown(equity: ArrayLike, cash: float) -> Drawdown:
    """Find the deepest fall of an equity curve below its highest value so far (the initial cash included)."""
    values = _series("equity", equity)
    below = underwater(values, cash)
    if not len(values) or not below.min() < 0:
        return Drawdown(0.0, -1, -1, -1)
    trough = int(np.argmin(below))
    peak = max(float(values[: trough + 1].max()), cash)
    at_peak = np.flatnonzero(values[: trough + 1] == peak)
    back = np.flatnonzero(values[trough:] >= peak)
    start = int(at_peak[-1]) if len(at_peak) else -1
    return Drawdown(float(below[trough]), start, trough, trough + int(back[0]) if len(back) else -1)


def win_rate(profits: ArrayLike) -> float:
    """Share of closed trades whose profit after fees is above zero; NaN without trades."""
    values = _series("profits", profits)
    return float(np.mean(values > 0)) if len(values) else math.nan


def profit_factor(profits: ArrayLike) -> float:
    """Sum of the profits over the size of the sum of the losses; NaN without a losing trade."""
    values = _series("profits", profits)
    lost = -float(values[values < 0].sum())
    return float(values[values > 0].sum()) / lost if lost > 0 else math.nan


def expectancy(profits: ArrayLike) -> float:
    """Mean profit of a closed trade after fees, in the quote currency; NaN without trades."""
    values = _series("profits", profits)
    return float(values.mean()) if len(values) else math.nan


def turnover(traded_value: float, equity: ArrayLike, years: float) -> float:
    """Value bought and sold a year over the mean equity; NaN without elapsed time or with a mean of zero or less."""
    values = _series("equity", equity)
    mean = float(values.mean()) if len(values) else 0.0
    return traded_value / mean / years if mean > 0 and years > 0 else math.nan
