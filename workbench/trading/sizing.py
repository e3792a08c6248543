"""How large an order becomes: what its wish asks for, as far as the money goes, in whole lots.

Sizes are worked out at the first price after the decision, with what a market order would really cost then: slippage,
the market's reaction to the order itself, and fees. So an order that takes all there is never asks for more.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from workbench.trading.arithmetic import leveraged_quantity, round_down, round_to_tick, spendable, stop_level
from workbench.trading.exits import nearest_stop
from workbench.trading.margin import largest_notional
from workbench.trading.orders import Intent

if TYPE_CHECKING:
    from workbench.trading.core import Core, Traded

__all__ = ["Sizer"]

NAN: Final = math.nan


class Sizer:
    """Works out the quantities of a core's orders."""

    __slots__ = ("core",)

    def __init__(self, core: Core) -> None:
        self.core = core

    def quantity(self, wish: Intent, market: Traded) -> tuple[float, str]:
        """Give the quantity of an order and "", or what was worked out of it and why it cannot be had."""
        if wish.close_position:
            return NAN, ""
        if not wish.entry and wish.size_unit == "quantity":
            return round_down(wish.size, market.lots.lot), ""
        return self._of_money(wish, market)

    def _is_full(self) -> bool:
        most = self.core.max_positions
        return bool(most) and self.core.account.open_positions >= most

    def _of_money(self, wish: Intent, market: Traded) -> tuple[float, str]:
        core, costs = self.core, market.costs
        account, sign = core.account, 1.0 if wish.side == "buy" else -1.0
        available = spendable(account.available, account.equity)
        if not available > 0.0:
            return NAN, "no_equity"
        if wish.entry and self._is_full():
            return NAN, "too_many_positions"
        plain = core.estimate(wish.symbol, sign, 0.0)
        price = plain

        def afford(budget: float) -> float:
            return (
                leveraged_quantity(budget, price, costs.taker, market.leverage, costs.per_unit, costs.per_order)
                / market.instrument.contract_size
            )

        budget = self._budget(wish, available)
        if costs.impact_kind:
            price = core.estimate(wish.symbol, sign, afford(available))
        if wish.size_unit == "quantity":
            wanted = min(wish.size, afford(available))
        elif wish.size_unit == "risk":
            level = self._stop(wish, market, price, sign)
            if math.isnan(level):
                return NAN, "no_stop"
            risked, distance = wish.size * account.equity, abs(price - level)
            wanted = min(risked / distance if distance > 0.0 else math.inf, afford(available))
        else:
            wanted = afford(budget)
        if len(market.tiers):
            largest = float(largest_notional(market.leverage, market.tiers))
            if largest <= 0.0:
                return NAN, "leverage_beyond_tier"
            wanted = min(wanted, largest / max(price, core.prices[wish.symbol]) / market.instrument.contract_size)
        wanted = round_down(wanted, market.lots.lot)
        if costs.impact_kind and wanted > 0.0:
            price = core.estimate(wish.symbol, sign, wanted)
        small = wanted <= 0.0 or wanted * price * market.instrument.contract_size < market.lots.min_notional
        return wanted, "below_min_notional" if small else ""

    def _budget(self, wish: Intent, available: float) -> float:
        if wish.size_unit == "fraction":
            return min(wish.size * self.core.account.equity, available)
        return min(wish.size, available)

    def _stop(self, wish: Intent, market: Traded, price: float, sign: float) -> float:
        tick = market.lots.tick
        fixed = round_to_tick(stop_level(price, sign, wish.stop_loss), tick, sign < 0.0)
        return nearest_stop(sign, fixed, round_to_tick(wish.stop_at, tick, sign < 0.0), NAN, NAN)[0]
