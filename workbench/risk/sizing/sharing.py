"""Risk parity: every instrument may add the same to the risk of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.risk.sizing.base import PerBar, Series, positive, text, whole
from workbench.risk.sizing.state import SizingState

if TYPE_CHECKING:
    from workbench.risk.weighting.covariances import Estimator

__all__ = ["RiskParity"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class RiskParity(PerBar):
    """Positions of all instruments traded, weighed so that each adds the same to the variance of the whole.

    Parameters
    ----------
    budget : float, default 1
        Value of the positions of all instruments together over the equity, when all are held.
    lookback : int, default 100
        Bars of returns that the covariance is taken of.
    every : int, default 24
        Bars after which the weights are worked out anew.
    covariance : {"sample", "ledoit_wolf", "oas", "exponential"}
    caps : Caps

    Notes
    -----
    Maillard, Roncalli and Teiletche, The properties of equally weighted risk contribution portfolios (2010). Weights
    are of all instruments of the run, held or not, from bars that all of them have; a position is worth budget * weight
    of the equity when it is entered and is not rebalanced. Two instruments get the inverse of their volatilities.
    There is no entry before `lookback` common returns are known, and none in what does not move.

    Examples
    --------
    >>> from workbench.risk.sizing import Caps
    >>> RiskParity(caps=Caps(position=None)).quantity(SizingState(equity=1_000.0, price=10.0, measure=0.25))
    25.0
    """

    budget: float = 1.0
    lookback: int = 100
    every: int = 24
    covariance: Estimator = "ledoit_wolf"

    def __post_init__(self) -> None:
        from workbench.risk.weighting.covariances import Estimator

        super().__post_init__()
        positive(self, "budget", what="a fraction of equity")
        whole(self, "lookback", 3, "bars")
        whole(self, "every", 1, "bars")
        if not isinstance(self.covariance, str) or self.covariance not in get_args(Estimator):
            known = ", ".join(map(repr, get_args(Estimator)))
            raise ConfigError(f"RiskParity: covariance = {self.covariance!r} is not one of {known}", name="covariance")

    def measures(self, series: Sequence[Series]) -> dict[str, Floats]:
        """Work out the weights."""
        return self._weights(series, _common(series))

    def latest(self, series: Sequence[Series]) -> dict[str, float]:
        """Give the weights as of now, of which only the last bars need to be looked at."""
        times = _common(series)[-(self.lookback + self.every + 1) :]
        return {symbol: float(one[-1]) for symbol, one in self._weights(series, times).items() if len(one)}

    def _weights(self, series: Sequence[Series], times: NDArray[np.int64]) -> dict[str, Floats]:
        """Give the weights as of each bar, from the bars that opened at some times."""
        found = {one.symbol: np.full(len(one.ts), np.nan) for one in series}
        if len(times) <= self.lookback:
            return found
        closes = np.column_stack([one.close[np.searchsorted(one.ts, times)] for one in series])
        returns = closes[1:] / closes[:-1] - 1.0
        length = max(one.timeframe.ms for one in series)
        turns = np.diff(times // (length * self.every)) != 0  # by the clock, not by where history begins
        rows = np.flatnonzero(turns[self.lookback - 1 :]) + self.lookback
        if rows.size == 0 or rows[0] != self.lookback:
            rows = np.concatenate(([self.lookback], rows))
        weights = np.stack([self._shares(returns[row - self.lookback : row]) for row in rows])
        ends = times[rows] + length
        for number, one in enumerate(series):
            known = np.searchsorted(ends, one.ts + one.timeframe.ms, side="right") - 1
            found[one.symbol] = np.where(known >= 0, weights[np.maximum(known, 0), number], np.nan)
        return found

    def _shares(self, returns: Floats) -> Floats:
        """Give the weights of some returns, shape (instruments,); nothing of what does not move at all."""
        from workbench.risk.weighting.methods import equal_risk_contribution

        if not (np.ptp(returns, axis=0) > 0.0).any():
            return np.zeros(returns.shape[1])
        if returns.shape[1] == 1:
            return np.ones(1)
        return np.asarray(equal_risk_contribution(returns, covariance=self.covariance), dtype=np.float64)

    def amount(self, measure: Any) -> Any:
        """Give the fraction of equity that the position is worth."""
        size = self.budget * np.asarray(measure, dtype=np.float64)
        return np.where(size > 0.0, size, np.nan)

    def source(self, state: SizingState) -> str:
        """Say in words where the size comes from."""
        share = f"{self.budget:g} x weight {state.measure:.4g}"
        return f"{share} of the equity {text(state.equity)} = {text(self.budget * state.measure * state.equity)}"


def _common(series: Sequence[Series]) -> NDArray[np.int64]:
    """Give the open times of the bars that all instruments have."""
    times = series[0].ts
    for one in series[1:]:
        times = np.intersect1d(times, one.ts)
    return times
