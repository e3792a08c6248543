"""DCA: buy, buy more as it falls, sell all a little above the average."""

from __future__ import annotations

import math
from typing import Any, Final

from workbench.errors import StrategyError
from workbench.indicators import rsi
from workbench.market.bars import Bars
from workbench.strategy.helpers.books import is_base, own_equity, own_memory
from workbench.strategy.helpers.ladders import Rung, cumulative_steps, keep_ladder
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.parameters import param
from workbench.trading.events import Bar, Filled
from workbench.trading.orders import Side
from workbench.trading.view import View

__all__ = ["Dca"]

NAME: Final = "safety"


class Dca(OrderStrategy):
    """A base order and a ladder of safety orders beneath it; the target follows the average price.

    **How it earns.** Each safety order brings the average nearer to the price, so that a rebound much smaller than the
    fall is enough to leave with the target. Most rounds end so, and soon.

    **When it loses.** When the fall outlasts the ladder. The last safety orders are the largest, so the position is at
    its greatest just when the market has been wrong for longest; one round without a rebound costs dozens of targets.
    With `stop_loss` that cost is known, without it the strategy waits, all money bound.

    **What it assumes.** A market that rebounds, and money for the whole ladder: sizes are such that base and safety
    orders together cost `capital` of the equity and no more.

    Notes
    -----
    Safety order k is `step` times (1 + step_scale + ... + step_scale^(k-1)) away from the base order's price, and
    `volume_scale` times as large (in money) as the one before. The target is `take_profit` beyond the average price,
    before fees, and moves with every fill; with `trailing` the exit trails from there instead. `stop_loss` is measured
    from the base order's price.
    """

    side: str = param("long", choices=("long", "short"), doc="buy and wait for a rise, or sell and wait for a fall")
    capital: float = param(0.9, low=0.01, high=10.0, doc="fraction of the equity that the whole ladder costs")
    safety_orders: int = param(5, low=0, high=50, doc="orders of the ladder")
    safety_ratio: float = param(1.0, low=0.1, high=10.0, doc="first safety order in base orders (money)")
    step: float = param(0.02, low=0.001, high=0.5, doc="distance of the first safety order, a fraction")
    step_scale: float = param(1.2, low=0.5, high=3.0, doc="each step in steps before it")
    volume_scale: float = param(1.3, low=0.5, high=3.0, doc="each safety order in orders before it (money)")
    take_profit: float = param(0.015, low=0.001, high=0.5, doc="fraction beyond the average price at which to leave")
    trailing: float | None = param(None, low=0.0005, high=0.2, doc="trail from the target by this fraction instead")
    stop_loss: float | None = param(0.25, low=0.001, high=0.95, doc="fraction from the base order's price to give up")
    cooldown: int = param(1, low=0, high=10_000, doc="bars to wait after a round")
    rsi_length: int = param(14, low=2, high=100, doc="bars of the RSI that a round may wait for")
    rsi_below: float | None = param(None, low=1.0, high=99.0, doc="begin only below this RSI (short: above 100 less it)")

    def validate(self) -> None:
        """Hold the ladder to stay above zero and before the stop."""
        away = cumulative_steps(self.step, self.safety_orders, self.step_scale)
        last = away[-1] if away else 0.0
        if last >= 1.0 and self.side == "long":
            raise StrategyError(
                f"Dca: the last of {self.safety_orders} safety orders is {last:.0%} below the base order, where no "
                "price is; take fewer, or a smaller step or step_scale"
            )
        if self.stop_loss is not None and self.stop_loss <= last:
            raise StrategyError(
                f"Dca: stop_loss = {self.stop_loss:g} comes before the last safety order, {last:.4g} away; widen it, or "
                "take fewer orders"
            )

    def indicators(self, bars: Bars) -> dict[str, Any]:
        """Give the RSI, where a round waits for it."""
        return {} if self.rsi_below is None else {"rsi": rsi(bars.close, self.rsi_length)}

    def on_bar(self, view: View, bar: Bar) -> Any:
        """Begin a round when flat and rested; else keep the ladder."""
        memory = own_memory(view)
        if not is_base(view, bar):
            return None
        if view.quantity():
            return self._keep(view)
        if view.orders(view.symbol, "base") or view.wishes(view.symbol, "base"):
            return None
        waited = memory["waited"] = memory.get("waited", self.cooldown) + 1
        if waited <= self.cooldown or not own_equity(view) or not self._may_begin(view):
            return keep_ladder(view, [], name=NAME)
        return [*keep_ladder(view, [], name=NAME), self._base(view, bar.close)]

    def on_fill(self, view: View, fill: Filled) -> Any:
        """Book safety orders, lay the ladder out from the base order's price, and clear up after the round."""
        memory = own_memory(view)
        if not view.quantity():
            memory.update(waited=0, base=0.0, bought={})
            return keep_ladder(view, [], name=NAME)
        tag = view.order.tag if view.order is not None else ""
        if tag == "base":
            if not memory.get("base"):
                memory.update(base=fill.price, bought={})
            return [*self._stop(view), *self._keep(view)]
        if tag.startswith(f"{NAME}:"):
            number = tag.partition(":")[2]
            memory["bought"][number] = memory["bought"].get(number, 0.0) + fill.quantity
        return None

    def _may_begin(self, view: View) -> bool:
        if self.rsi_below is None:
            return True
        strength = view.value("rsi")
        return strength < self.rsi_below if self.side == "long" else strength > 100.0 - self.rsi_below

    @property
    def _entering(self) -> Side:
        return "buy" if self.side == "long" else "sell"

    def _base(self, view: View, price: float) -> Any:
        """Give the base order; the target is the core's to keep: a fraction beyond the average price."""
        shares = [1.0, *(self.safety_ratio * self.volume_scale**k for k in range(self.safety_orders))]
        unit = self.capital * own_equity(view) / math.fsum(shares)
        smallest = min(shares) * unit
        quantity = unit / (price * view.instrument().contract_size)
        if not view.rounded(self._entering, price, quantity * min(shares))[1]:
            facts = view.instrument()
            raise StrategyError(
                f"Dca: an order of {smallest:.6g} {facts.quote} is below the smallest of {view.symbol} "
                f"({facts.min_notional:g} {facts.quote}); take fewer safety orders, or more capital"
            )
        own_memory(view)["unit"] = unit
        if self.trailing is None:
            return view.market(self._entering, quantity, tag="base", take_profit=self.take_profit)
        return view.market(
            self._entering, quantity, tag="base", trailing_stop=self.trailing, trailing_activation=self.take_profit
        )

    def _keep(self, view: View) -> list[Any]:
        """Give what keeps the safety orders that are not filled yet."""
        memory, rungs = own_memory(view), []
        base = memory.get("base")
        if not base:
            return []
        sign, size = (1.0 if self.side == "long" else -1.0), view.instrument().contract_size
        for number, away in enumerate(cumulative_steps(self.step, self.safety_orders, self.step_scale)):
            level = base * (1.0 - sign * away)
            money = memory["unit"] * self.safety_ratio * self.volume_scale**number
            left = money / (level * size) - memory["bought"].get(str(number), 0.0)
            rungs.append(Rung(str(number), self._entering, level, left))
        return keep_ladder(view, rungs, name=NAME)

    def _stop(self, view: View) -> list[Any]:
        if self.stop_loss is None:
            return []
        sign = 1.0 if self.side == "long" else -1.0
        return [view.protect(stop_at=own_memory(view)["base"] * (1.0 - sign * self.stop_loss))]
