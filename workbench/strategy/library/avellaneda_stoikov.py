"""Avellaneda-Stoikov: quote around a price that the inventory has moved, as wide as volatility and risk ask for."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from workbench.errors import StrategyError
from workbench.indicators import previous, standard_deviation
from workbench.market.bars import Bars
from workbench.strategy.helpers.books import is_base, own_equity, own_memory
from workbench.strategy.helpers.ladders import keep_ladder
from workbench.strategy.library.market_making import quotes_of, within
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.parameters import param
from workbench.trading.events import Bar
from workbench.trading.view import View

__all__ = ["AvellanedaStoikov", "optimal_spread", "reservation_price"]

NAME: Final = "quote"


def reservation_price(mid: float, inventory: float, risk_aversion: float, volatility: float, remaining: float) -> float:
    """Give the price at which a market maker with an inventory is indifferent between buying and selling.

    Parameters
    ----------
    mid : float
        Price.
    inventory : float
        In units of one quote, negative for a short.
    risk_aversion : float
        Gamma, one over a price.
    volatility : float
        Sigma, of the price over one unit of time (not of its return).
    remaining : float
        Time until the inventory is wanted to be gone, in that unit.

    Notes
    -----
    r = s - q gamma sigma^2 (T - t): M. Avellaneda, S. Stoikov, High-frequency trading in a limit order book,
    Quantitative Finance 8 (2008), equation (29).

    Examples
    --------
    >>> round(reservation_price(100.0, 1.0, 0.1, 2.0, 1.0), 9)
    99.6
    """
    return mid - inventory * risk_aversion * volatility**2 * remaining


def optimal_spread(risk_aversion: float, volatility: float, remaining: float, decay: float) -> float:
    """Give the distance between bid and ask that the model finds best; half of it on each side of the reservation price.

    Parameters
    ----------
    risk_aversion, volatility, remaining : float
        As in `reservation_price`.
    decay : float
        k: how fast the rate of fills falls with the distance from the mid (A exp(-k distance)), one over a price.

    Notes
    -----
    gamma sigma^2 (T - t) + (2 / gamma) ln(1 + gamma / k): the same paper, equation (30).

    Examples
    --------
    >>> round(optimal_spread(0.1, 2.0, 1.0, 1.5), 4)
    1.6908
    """
    return risk_aversion * volatility**2 * remaining + 2.0 / risk_aversion * math.log1p(risk_aversion / decay)


class AvellanedaStoikov(OrderStrategy):
    """Quote both sides as the model of Avellaneda and Stoikov says, with inventory, volatility and a horizon.

    **How it earns.** As every market maker: the spread. The model says how wide it must be for the risk of holding what
    was bought, and how far both quotes must lean so that the inventory comes back.

    **When it loses.** In trends: the model takes the price for a random walk without drift, and who trades with it for
    no wiser than chance. Volatility is measured on past bars, so the first bar of a storm is quoted for calm weather.

    **What it assumes.** Fills that become rarer exponentially with the distance from the mid (`decay`), and quotes that
    can be renewed each bar. Measure `decay` on fills of your own market; the default is a guess for liquid coins.

    Notes
    -----
    The paper's prices are read as fractions of the mid, so that one setting fits all markets: sigma is the standard
    deviation of the last `volatility_length` bars' returns, time is counted in bars, gamma and k are one over a
    fraction of the price. The inventory is counted in quotes, from `target`. The horizon stays `horizon` bars away (a
    market that never closes has no T); with `session` > 0 it runs out and begins anew every so many bars.
    """

    risk_aversion: float = param(5.0, low=0.001, high=1000.0, doc="gamma, one over a fraction of the price")
    decay: float = param(400.0, low=1.0, high=100_000.0, doc="k of the rate of fills, one over a fraction of the price")
    horizon: float = param(24.0, low=1.0, high=10_000.0, doc="bars until the inventory is wanted to be gone")
    session: int = param(0, low=0, high=100_000, doc="bars of a session at whose end the horizon runs out; 0 for none")
    volatility_length: int = param(100, low=5, high=5000, doc="bars that volatility is measured on")
    size: float = param(0.05, low=0.001, high=1.0, doc="each quote, a fraction of the equity")
    target: float = param(0.0, low=-5.0, high=5.0, doc="inventory wanted, a fraction of the equity")
    most: float = param(0.3, low=0.01, high=5.0, doc="largest distance of the inventory from it, a fraction of equity")
    least_spread: float = param(0.003, low=0.0, high=0.2, doc="never quote nearer than this, a fraction of the price")

    def validate(self) -> None:
        """Hold one quote to fit into the inventory."""
        if self.size > self.most:
            raise StrategyError(
                f"AvellanedaStoikov: size = {self.size:g} is more than most = {self.most:g}: one fill would already be "
                "too much"
            )

    @property
    def warm_up(self) -> int:  # type: ignore[override]
        """Bars before the first volatility."""
        return self.volatility_length

    def indicators(self, bars: Bars) -> dict[str, Any]:
        """Give the volatility of a bar's return, as known at its close."""
        returns = bars.close / np.asarray(previous(bars.close)) - 1.0
        return {"volatility": standard_deviation(returns, self.volatility_length)}

    def quotes(self, inventory: float, volatility: float, remaining: float) -> tuple[float, float]:
        """Give bid and ask as fractions of the mid, for an inventory in quotes and a volatility of a bar's return."""
        middle = reservation_price(1.0, inventory, self.risk_aversion, volatility, remaining)
        spread = max(optimal_spread(self.risk_aversion, volatility, remaining, self.decay), self.least_spread)
        return middle - spread / 2.0, middle + spread / 2.0

    def on_bar(self, view: View, bar: Bar) -> Any:
        """Quote anew around the close."""
        if not is_base(view, bar) or not own_equity(view):
            return None
        volatility = view.value("volatility")
        if math.isnan(volatility):
            return None
        memory = own_memory(view)
        passed = memory["passed"] = memory.get("passed", -1) + 1
        remaining = self.horizon * (1.0 - passed % self.session / self.session) if self.session else self.horizon
        unit = own_equity(view) / (bar.close * view.instrument().contract_size)
        size, target = self.size * unit, self.target * unit
        bid, ask = self.quotes((view.quantity() - target) / size, volatility, remaining)
        rungs = quotes_of("", min(bid, 1.0) * bar.close, max(ask, 1.0) * bar.close, size)
        rungs = [rung for rung in rungs if rung.price > 0.0]
        return keep_ladder(view, within(rungs, view.quantity(), target, self.most * unit), name=NAME, post_only=True)
