"""What trading cost and kept busy: turnover, cost drag, capacity, exposure.

One account gives a float; several, in columns, an array or a labelled Series.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from workbench.errors import DataError
from workbench.risk.metrics.curves import Curves, Floats, finite_or_nan, ratio, read

__all__ = ["average_exposure", "capacity", "cost_drag", "turnover"]


def turnover(traded_value: Any, equity: Any, years: float) -> Any:
    """Give the value bought and sold a year over the mean equity.

    Parameters
    ----------
    traded_value : float, or one an account
        In the quote currency, both sides counted.
    equity : array_like, Series or DataFrame
        At each close.
    years : float
        Elapsed time.

    Returns
    -------
    float, or one an account
        NaN without elapsed time, with a mean equity of zero or less, or with an unknown one.
    """
    curves, give = read(equity, "equity")
    traded = np.asarray(traded_value, dtype=np.float64)
    if traded.ndim and traded.shape != (len(curves),):
        raise DataError(f"traded_value has shape {traded.shape} for {len(curves)} accounts; give one number each")
    mean = np.where(curves.known & (curves.mean > 0.0) & (years > 0.0), curves.mean, math.nan)
    with np.errstate(all="ignore"):
        return give(finite_or_nan(ratio(ratio(traded, mean), years)))


def cost_drag(costs: Any, equity: Any, years: float) -> Any:
    """What fees, slippage and funding (currency) took of the mean equity a year, a fraction; NaN as for `turnover`."""
    return turnover(costs, equity, years)


def average_exposure(notional: Any, equity: Any) -> Any:
    """Give the mean of |notional held| / equity over the bars.

    Parameters
    ----------
    notional, equity : array_like, Series or DataFrame
        At each close, in the quote currency. Bars without equity left do not count.

    Returns
    -------
    float, or one an account
        NaN without bars or with an unknown value.
    """
    (held, owned), give = _together(notional=notional, equity=equity)
    alive = owned.returns > 0.0
    shares = ratio(np.abs(held.returns), np.where(alive, owned.returns, 0.0))
    with np.errstate(all="ignore"):
        mean = ratio(np.where(alive, shares, 0.0).sum(axis=1), alive.sum(axis=1))
    return give(finite_or_nan(np.where(held.known & owned.known, mean, math.nan)))


def capacity(traded_value: Any, market_value: Any, equity: Any, *, share: float = 0.01) -> Any:
    """Give the equity at which trading would reach a share of the market's value in one bar in twenty.

    Parameters
    ----------
    traded_value, market_value, equity : array_like, Series or DataFrame
        Value traded by the strategy, value traded by the market, and equity, per bar, in the quote currency.
    share : float, default 0.01
        Of the market's value, a fraction.

    Returns
    -------
    float, or one an account
        In the quote currency, if sizes grow with the equity; NaN where nothing was traded or a value is unknown.

    Notes
    -----
    The 5th percentile, over the bars with trades, of share x market value / (traded value / equity).
    """
    if not 0.0 < share <= 1.0:
        raise DataError(f"share is {share!r}; give a fraction of the market's value, such as 0.01")
    given, give = _together(traded_value=traded_value, market_value=market_value, equity=equity)
    known = np.logical_and.reduce([one.known for one in given])
    rows = zip(*(one.returns for one in given), strict=True)
    with np.errstate(all="ignore"):
        found = np.array([_reached(mine, market, owned, share) for mine, market, owned in rows])
    return give(finite_or_nan(np.where(known, found, math.nan)))


def _reached(mine: Floats, market: Floats, owned: Floats, share: float) -> float:
    busy = (mine > 0.0) & (owned > 0.0)
    return float(np.quantile(share * market[busy] * (owned[busy] / mine[busy]), 0.05)) if busy.any() else math.nan


def _together(**values: Any) -> tuple[list[Curves], Any]:
    """Read several tables of one shape; what comes out is labelled as the last one is."""
    found = {name: read(given, name) for name, given in values.items()}
    curves = [one for one, _ in found.values()]
    if len({one.returns.shape for one in curves}) > 1:
        shapes = ", ".join(f"{name} {one.returns.shape[::-1]}" for name, (one, _) in found.items())
        raise DataError(f"these must have the same length and columns, one value a bar: {shapes}")
    return curves, list(found.values())[-1][1]
