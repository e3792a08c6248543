"""What a core minds itself where the venue does not: sizes of protective orders, groups, leftovers of a position.

The matcher of backtests closes all there is, drops orders that have nothing left to close, and lets one fill of a group
cancel the others. Real venues do some of that or none. A core that is to trade there has a `Minder`: protective orders
then have a quantity of their own, which follows the position; they are cancelled once it is flat; a stop that is
refused or taken away while something is held is placed again, or the position is closed at the market.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from workbench.trading.arithmetic import round_down
from workbench.trading.events import Alert, AmendOrder, CancelOrder, Filled
from workbench.trading.orders import Order, Side, client_order_id

if TYPE_CHECKING:
    from workbench.trading.core import Core

__all__ = ["Minder"]

NAN: Final = math.nan
_STOPS: Final = frozenset(("stop", "trailing_stop"))
_OWN: Final = frozenset(("stop_loss", "custom_stop", "trailing_stop"))
"""The reasons of what closes a position in place of its stop."""


class Minder:
    """Keeps the protective orders of one core whole at a venue that does not do it."""

    __slots__ = ("core",)

    def __init__(self, core: Core) -> None:
        self.core = core

    def size(self, order: Order) -> None:
        """Give an order that closes "all there is" the quantity of what is held."""
        order.quantity, order.close_position = self._held(order.symbol, order.leg), False

    def filled(self, order: Order | None, fill: Filled) -> None:
        """Act on a fill: its group is cancelled, protective orders follow the position or go with it."""
        core = self.core
        open_ = [one for one in core.orders.values() if one.symbol == fill.symbol and one is not order]
        if order is not None and order.oco:
            for one in open_:
                if one.oco == order.oco:
                    core.act(CancelOrder(one.id))
        held = self._held(fill.symbol, fill.leg)
        leaves = "sell" if core.account.quantity(fill.symbol, fill.leg) > 0.0 else "buy"
        for one in open_:
            if one.leg != fill.leg or not one.reduce_only or (order is not None and order.oco and one.oco == order.oco):
                continue
            if held == 0.0 or one.side != leaves:
                core.act(CancelOrder(one.id))
            elif one.parent and one.extra.get("size", one.quantity) - one.filled != held:
                one.extra["size"] = one.filled + held
                core.act(AmendOrder(one.id, NAN, one.filled + held, NAN, one.reason))
        if order is not None and fill.final and held and order.parent and order.type in _STOPS:
            self._close(order, held)  # the stop traded before it had been made as large as the position
        elif order is not None and fill.final and held:
            self.exited(order)

    def exited(self, order: Order) -> None:
        """Act on the end of a sale that left something: a stop which had to make room for it is placed again."""
        if order.reduce_only and not order.parent and order.reason not in _OWN:  # else what cannot be closed goes round
            self.check()

    def check(self) -> None:
        """Place every stop again that a position should have and has not, unless it is being closed."""
        core = self.core
        for (symbol, leg), guard in list(core.protector.active.items()):
            stops = [guard.stop_id] if guard.stop_level == guard.stop_level else []
            stops += [guard.trail_id] if guard.trail_id else []
            if all(name in core.orders for name in stops) or not self._held(symbol, leg):
                continue
            if not self._closing(symbol, leg):
                core.protector.again(symbol, leg)

    def _closing(self, symbol: str, leg: str) -> bool:
        """Tell whether an order that closes at once is under way."""
        mine = (one for one in self.core.orders.values() if one.symbol == symbol and one.leg == leg)
        return any(one.reduce_only and (one.type == "market" or one.time_in_force in ("IOC", "FOK")) for one in mine)

    def lost(self, order: Order, why: str, code: str = "") -> None:
        """Act on a protective order that the venue has refused or taken away while its position is held."""
        core = self.core
        held = self._held(order.symbol, order.leg)
        if not order.parent and held:
            self.exited(order)
        if not order.parent or order.type not in _STOPS or not held or self._closing(order.symbol, order.leg):
            return
        active = core.protector.active.get((order.symbol, order.leg))
        if active is None or order.id not in (active.stop_id, active.trail_id):
            return
        if not code and order.remaining <= 0.5 * core.markets[order.symbol].lots.lot:
            self._close(order, held)  # it was not taken away: it has traded, before it was as large as the position
            return
        core.act(Alert(core.now, "critical", f"{order.symbol}: the {order.reason} {order.id} {why}"))
        if code:  # refused, so the price is beyond it or the venue will not have it: what is not protected is closed
            self._close(order, held)
        else:
            core.protector.again(order.symbol, order.leg)

    def _close(self, order: Order, held: float) -> None:
        core = self.core
        side: Side = "sell" if core.account.quantity(order.symbol, order.leg) > 0.0 else "buy"
        name = client_order_id(core.name, core.number, order.symbol, side, "market")
        core.number += 1
        core.submit(
            Order(
                id=name, symbol=order.symbol, side=side, quantity=held, reduce_only=True, leg=order.leg,
                reason=order.reason, decided=core.now,
            )
        )  # fmt: skip

    def _held(self, symbol: str, leg: str) -> float:
        held = abs(self.core.account.quantity(symbol, leg))
        return round_down(held, self.core.markets[symbol].lots.lot)
