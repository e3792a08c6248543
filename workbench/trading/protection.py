"""The stops and targets that follow a position: placed as its entry fills, moved as it grows, gone when it is flat.

The levels of one position become at most three orders at the venue, each closing whatever is held when it trades: a
stop (the nearer of a fixed and a custom level), a trailing stop, and a limit at the target (the nearer of a profit
target and a ladder's rung). Whatever fills first, the venue drops the others once nothing is held.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from workbench.trading.arithmetic import round_to_tick, stop_level, target_level
from workbench.trading.events import AmendOrder
from workbench.trading.exits import nearest_stop, nearest_target, ratchet
from workbench.trading.orders import Intent, Order, Protect, Side, client_order_id

if TYPE_CHECKING:
    from workbench.trading.core import Core

__all__ = ["Guarded", "Protector"]

NAN: Final = math.nan


@dataclass(slots=True)
class Guarded:
    """How one position is protected: distances as fractions of its entry price, levels as prices, ids of the orders."""

    stop_loss: float = NAN
    take_profit: float = NAN
    trailing_stop: float = NAN
    trailing_activation: float = NAN
    stop_at: float = NAN
    target_at: float = NAN
    roi: float = NAN
    parent: str = ""
    stop_id: str = ""
    trail_id: str = ""
    target_id: str = ""
    stop_level: float = NAN
    activation: float = NAN
    target_level: float = NAN
    stop_reason: str = ""
    target_reason: str = ""
    custom_reason: str = "stop_loss"

    @classmethod
    def of(cls, wish: Intent) -> Guarded | None:
        """Give the protection that an entry asks for, None if it asks for none."""
        stop, target, trail = wish.stop_loss, wish.take_profit, wish.trailing_stop
        at_prices = wish.stop_at == wish.stop_at or wish.target_at == wish.target_at
        if stop != stop and target != target and trail != trail and not at_prices:
            return None
        return cls(
            wish.stop_loss, wish.take_profit, wish.trailing_stop, wish.trailing_activation, wish.stop_at,
            wish.target_at, parent=wish.id, custom_reason="custom_stop" if wish.entry else "stop_loss",
        )  # fmt: skip


class Protector:
    """Keeps the protective orders of every position of a core in step with it."""

    __slots__ = ("active", "core")

    def __init__(self, core: Core) -> None:
        self.core = core
        self.active: dict[tuple[str, str], Guarded] = {}

    def cover(self, asked: Guarded, symbol: str, leg: str, price: float) -> None:
        """Protect a position that has just been opened or added to at a price, as its entry asked."""
        held = self.active.get((symbol, leg))
        if held is None or held.parent != asked.parent:
            if held is not None:
                asked.stop_id, asked.trail_id, asked.target_id = held.stop_id, held.trail_id, held.target_id
            self.active[symbol, leg] = held = asked
        self._refresh(held, symbol, leg, price)

    def refresh(self, symbol: str, leg: str, price: float) -> None:
        """Work the levels out anew after a position has grown by a fill that asked for no protection of its own."""
        held = self.active.get((symbol, leg))
        if held is not None:
            self._refresh(held, symbol, leg, price)

    def move(self, wish: Protect) -> None:
        """Move a stop or a target as the strategy wishes; nothing is held: nothing happens."""
        quantity = self.core.account.quantity(wish.symbol, wish.leg)
        if quantity == 0.0:
            return
        held = self.active.get((wish.symbol, wish.leg))
        if held is None:
            self.active[wish.symbol, wish.leg] = held = Guarded(parent=wish.symbol)
        if not math.isnan(wish.stop_at):
            held.custom_reason = "custom_stop" if wish.ratchet else "stop_loss"
            side = 1.0 if quantity > 0.0 else -1.0
            held.stop_at = ratchet(held.stop_at, wish.stop_at, side) if wish.ratchet else wish.stop_at
        if not math.isnan(wish.target_at):
            held.target_at = wish.target_at
        if not math.isnan(wish.roi):
            held.roi = wish.roi
        self._refresh(held, wish.symbol, wish.leg, NAN)

    def drop(self, symbol: str, leg: str) -> None:
        """Forget the protection of a position that is gone; the venue drops orders that have nothing left to close."""
        self.active.pop((symbol, leg), None)

    def again(self, symbol: str, leg: str) -> None:
        """Place again what is no longer at the venue, while the position is held."""
        held = self.active.get((symbol, leg))
        if held is not None:
            self._refresh(held, symbol, leg, NAN)

    def _refresh(self, held: Guarded, symbol: str, leg: str, price: float) -> None:
        position = self.core.account.position(symbol, leg)
        side = 1.0 if position.quantity > 0.0 else -1.0
        entry, tick = position.price, self.core.markets[symbol].lots.tick
        fixed = round_to_tick(stop_level(entry, side, held.stop_loss), tick, side < 0.0)
        stop, which = nearest_stop(side, fixed, round_to_tick(held.stop_at, tick, side < 0.0), NAN, NAN)
        if which >= 0:
            self._place_stop(held, symbol, leg, stop, held.custom_reason if which else "stop_loss")
        if not math.isnan(held.trailing_stop):
            self._place_trail(held, symbol, leg, entry * (1.0 + side * held.trailing_activation), price)
        profit = round_to_tick(target_level(entry, side, held.take_profit), tick, side > 0.0)
        ladder = round_to_tick(target_level(entry, side, held.roi), tick, side > 0.0)
        if math.isnan(ladder):
            ladder = round_to_tick(held.target_at, tick, side > 0.0)
        target, which = nearest_target(side, profit, ladder)
        if which >= 0:
            rung = which == 1 and not math.isnan(held.roi)
            self._place_target(held, symbol, leg, target, "roi" if rung else "take_profit")

    def _place_stop(self, held: Guarded, symbol: str, leg: str, level: float, reason: str) -> None:
        if held.stop_id not in self.core.orders:
            order = self._child(held, symbol, leg, "stop", reason)
            order.stop_price = level
            held.stop_id = order.id
            self.core.submit(order)
        elif level != held.stop_level or reason != held.stop_reason:
            self.core.act(AmendOrder(held.stop_id, NAN, NAN, level, reason))
        held.stop_level, held.stop_reason = level, reason

    def _place_trail(self, held: Guarded, symbol: str, leg: str, activation: float, price: float) -> None:
        if held.trail_id not in self.core.orders:
            order = self._child(held, symbol, leg, "trailing_stop", "trailing_stop")
            order.trail, order.activation, order.price = held.trailing_stop, activation, price
            held.trail_id = order.id
            self.core.submit(order)
        elif not math.isnan(price):
            # the price that the position grew at may be its best so far, and moves what activates the trail
            self.core.act(AmendOrder(held.trail_id, price, NAN, activation))
        held.activation = activation

    def _place_target(self, held: Guarded, symbol: str, leg: str, level: float, reason: str) -> None:
        if held.target_id not in self.core.orders:
            order = self._child(held, symbol, leg, "limit", reason)
            order.price = level
            held.target_id = order.id
            self.core.submit(order)
        elif level != held.target_level or reason != held.target_reason:
            self.core.act(AmendOrder(held.target_id, level, NAN, NAN, reason))
        held.target_level, held.target_reason = level, reason

    def _child(self, held: Guarded, symbol: str, leg: str, kind: str, reason: str) -> Order:
        core = self.core
        side: Side = "sell" if core.account.quantity(symbol, leg) > 0.0 else "buy"
        order_id = client_order_id(core.name, core.number, symbol, side, kind)
        core.number += 1
        return Order(
            id=order_id, symbol=symbol, side=side, type=kind, reduce_only=True, close_position=True, leg=leg,  # type: ignore[arg-type]
            reason=reason, decided=core.now, parent=held.parent,
        )  # fmt: skip

    def snapshot(self) -> list[Any]:
        """Give the protections as plain data."""
        return [[symbol, leg, asdict(held)] for (symbol, leg), held in self.active.items()]

    def restore(self, data: list[Any]) -> None:
        """Take up what `snapshot` gave."""
        self.active = {(symbol, leg): Guarded(**held) for symbol, leg, held in data}
