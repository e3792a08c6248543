"""Rebalancer: hold instruments at fixed shares of the equity, and bring them back when they have drifted."""

from __future__ import annotations

from typing import Any

from workbench.errors import StrategyError
from workbench.strategy.helpers.timers import every_bars, heard_all
from workbench.strategy.helpers.weights import keep_weights, parse_weights
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.parameters import param
from workbench.trading.events import Bar
from workbench.trading.view import View

__all__ = ["Rebalancer"]


class Rebalancer(OrderStrategy):
    """Target weights, kept by a band or by the calendar.

    **How it earns.** From what it holds; rebalancing itself sells what rose and buys what fell, which earns where
    prices swing around each other, and keeps the risk what it was meant to be.

    **When it loses.** When one instrument runs away from the others for years: it is sold all the way up. And to costs,
    when the band is narrow.

    **What it assumes.** That the weights are right; it does not look for better ones.

    Notes
    -----
    In "band" mode an instrument whose share is more than `band` (a fraction of the equity) from its weight makes all
    instruments go back to theirs; in "calendar" mode that happens every `every` bars. Sales go out before purchases.
    `invested` leaves some cash for fees and for prices that have risen until the orders trade.
    """

    weights: str = param("", doc="such as 'BTC/USDT=0.6, ETH/USDT=0.4'; empty: all instruments of the run alike")
    mode: str = param("band", choices=("band", "calendar"), doc="what makes it trade")
    band: float = param(0.05, low=0.0, high=0.5, doc="distance from its weight that an instrument may have")
    every: int = param(24, low=1, high=10_000, doc="bars between two dates of the calendar")
    invested: float = param(0.98, low=0.1, high=1.0, doc="fraction of the equity that weights of 1.0 in all stand for")

    def validate(self) -> None:
        """Hold the weights to be readable and at most the whole."""
        parse_weights(self.weights, "Rebalancer")

    def on_bar(self, view: View, bar: Bar) -> Any:
        """Look at the shares once all instruments have closed their bars."""
        if not heard_all(view, bar) or not view.equity > 0.0:
            return None
        wanted = self._wanted(view)
        due = every_bars(view, self.every, "calendar") if self.mode == "calendar" else self._has_drifted(view, wanted)
        return keep_weights(view, wanted) if due else None

    def _wanted(self, view: View) -> dict[str, float]:
        given = parse_weights(self.weights)
        unknown = [symbol for symbol in given if symbol not in view.symbols]
        if unknown:
            raise StrategyError(
                f"Rebalancer: a weight of {unknown[0]!r}, which is not among what is traded: {', '.join(view.symbols)}"
            )
        given = given or dict.fromkeys(view.symbols, 1.0 / len(view.symbols))
        return {symbol: given.get(symbol, 0.0) * self.invested for symbol in view.symbols}

    def _has_drifted(self, view: View, wanted: dict[str, float]) -> bool:
        shares = {
            symbol: view.quantity(symbol) * view.price(symbol) * view.instrument(symbol).contract_size / view.equity
            for symbol in wanted
            if view.count(symbol)
        }
        return any(abs(wanted[symbol] - share) > self.band for symbol, share in shares.items())
