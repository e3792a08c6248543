"""Market making: quote both sides at a fixed spread, and lean against the inventory."""

from __future__ import annotations

from typing import Any, Final

from workbench.errors import StrategyError
from workbench.strategy.helpers.books import is_base, own_equity
from workbench.strategy.helpers.inventory import room, skew
from workbench.strategy.helpers.ladders import Rung, keep_ladder
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.parameters import param
from workbench.trading.events import Bar
from workbench.trading.view import View

__all__ = ["MarketMaking", "quotes_of", "within"]

NAME: Final = "quote"


class MarketMaking(OrderStrategy):
    """A bid and an ask around the last price; the more is held, the lower both are.

    **How it earns.** The spread between its bid and its ask, each time both are taken, and the maker rebate where a
    venue pays one.

    **When it loses.** To those who know more: in a move, only the side that loses is taken, and the inventory grows
    against the price (adverse selection). `lean` and `most` limit that, at the price of less spread earned.

    **What it assumes.** That its quotes are refreshed faster than the market moves. On bars they stand for a whole bar:
    a backtest on hours is a slow market maker, and most real ones would do better or not trade at all. Fills when a
    price is merely touched are generous; `Rules(limit_fill="through")` or "queue" is the honest test.

    Notes
    -----
    Bid = mid x (1 - spread/2 - shift), ask = mid x (1 + spread/2 - shift), with shift = lean x spread/2 x skew, where
    skew goes from -1 to 1 with the inventory's distance from `target`. Quotes that would trade at once are not sent
    (post-only). On an account that cannot sell short, set `target` = `most`.
    """

    spread: float = param(0.006, low=0.0001, high=0.2, doc="distance between bid and ask, a fraction of the price")
    size: float = param(0.05, low=0.001, high=1.0, doc="each quote, a fraction of the equity")
    levels: int = param(1, low=1, high=20, doc="quotes on each side")
    level_step: float = param(0.5, low=0.05, high=5.0, doc="distance between levels, in spreads")
    target: float = param(0.0, low=-5.0, high=5.0, doc="inventory wanted, a fraction of the equity")
    most: float = param(0.3, low=0.01, high=5.0, doc="largest distance of the inventory from it, a fraction of equity")
    lean: float = param(1.0, low=0.0, high=5.0, doc="how far quotes move with a full inventory, in half spreads")

    def validate(self) -> None:
        """Hold one quote to fit into the inventory."""
        if self.size > self.most:
            raise StrategyError(
                f"MarketMaking: size = {self.size:g} is more than most = {self.most:g}: one fill would already be too "
                "much"
            )

    def on_bar(self, view: View, bar: Bar) -> Any:
        """Quote anew around the close."""
        if not is_base(view, bar) or not own_equity(view):
            return None
        if view.costs().maker * 2.0 >= self.spread:
            raise StrategyError(
                f"MarketMaking: a spread of {self.spread:.4%} does not pay two maker fees of {view.costs().maker:.4%} "
                f"on {view.symbol}; widen it"
            )
        unit = own_equity(view) / (bar.close * view.instrument().contract_size)
        limits = (self.target * unit, self.most * unit)
        shift = self.lean * self.spread / 2.0 * skew(view.quantity(), *limits)
        rungs: list[Rung] = []
        for level in range(self.levels):
            half = self.spread * (0.5 + level * self.level_step)
            bid, ask = bar.close * (1.0 - half - shift), bar.close * (1.0 + half - shift)
            rungs += quotes_of(str(level), min(bid, bar.close), max(ask, bar.close), self.size * unit)
        return keep_ladder(view, within(rungs, view.quantity(), *limits), name=NAME, post_only=True)


def quotes_of(tag: str, bid: float, ask: float, size: float) -> list[Rung]:
    """Give a bid and an ask of one size."""
    return [Rung(f"bid{tag}", "buy", bid, size), Rung(f"ask{tag}", "sell", ask, size)]


def within(rungs: list[Rung], held: float, target: float, most: float) -> list[Rung]:
    """Cut quotes so that all of one side together cannot bring the inventory further from its target than allowed."""
    left = {side: room(held, target, most, side) for side in ("buy", "sell")}
    kept = []
    for rung in rungs:
        quantity = min(rung.quantity, left[rung.side])
        left[rung.side] -= quantity
        kept.append(Rung(rung.tag, rung.side, rung.price, quantity))
    return kept
