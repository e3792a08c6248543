"""What trading cost and kept busy: turnover, cost drag, capacity, exposure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.errors import DataError
from workbench.risk.metrics.curves import read

__all__ = ["average_exposure", "capacity", "cost_drag", "turnover"]


def _mean_of(equity: Any) -> float:
    curves, _ = read(equity, "equity")
    if len(curves) != 1:
        raise DataError(f"equity has {len(curves)} columns; give one value a bar, shape (n,)")
    return float(curves.mean[0]) if curves.known[0] and curves.bars else math.nan


def turnover(traded_value: float, equity: Any, years: float) -> float:
    """Value bought and sold a year over the mean equity; NaN without elapsed time or with a mean of zero or less."""
    mean = _mean_of(equity)
    return traded_value / mean / years if mean > 0 and years > 0 else math.nan


def cost_drag(costs: float, equity: Any, years: float) -> float:
    """What fees, slippage and funding (currency) took of the mean equity a year, a fraction; NaN as for `turnover`."""
    return turnover(costs, equity, years)


def average_exposure(notional: Any, equity: Any) -> float:
    """Give the mean of |notional held| / equity over the bars; NaN without bars.

    Parameters
    ----------
    notional, equity : array_like, shape (n,)
        At each close, in the quote currency. Bars without equity left do not count.
    """
    held, owned = np.abs(read(notional, "notional")[0].returns), read(equity, "equity")[0].returns
    if held.shape != owned.shape:
        raise DataError(f"notional has shape {held.shape[::-1]} and equity {owned.shape[::-1]}; give one value a bar")
    alive = owned > 0.0
    return float((held[alive] / owned[alive]).mean()) if alive.any() else math.nan


def capacity(traded_value: Any, market_value: Any, equity: Any, *, share: float = 0.01) -> float:
    """Give the equity at which trading would reach a share of the market's value in one bar in twenty.

    Parameters
    ----------
    traded_value, market_value, equity : array_like, shape (n,)
        Value traded by the strategy, value traded by the market, and equity, per bar, in the quote currency.
    share : float, default 0.01
        Of the market's value, a fraction.

    Returns
    -------
    float
        In the quote currency, if sizes grow with the equity; NaN where nothing was traded.

    Notes
    -----
    The 5th percentile, over the bars with trades, of share x market value / (traded value / equity).
    """
    if not 0.0 < share <= 1.0:
        raise DataError(f"share is {share!r}; give a fraction of the market's value, such as 0.01")
    mine, market, owned = (
        read(values, name)[0].returns
        for values, name in ((traded_value, "traded_value"), (market_value, "market_value"), (equity, "equity"))
    )
    if not mine.shape == market.shape == owned.shape:
        raise DataError("traded_value, market_value and equity must have the same length: one value a bar")
    busy = (mine > 0.0) & (owned > 0.0)
    return float(np.quantile(share * market[busy] * owned[busy] / mine[busy], 0.05)) if busy.any() else math.nan
