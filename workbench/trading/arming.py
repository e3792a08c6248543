"""`Arming`: a bot that trades for money opens nothing until somebody arms it, begins small, and may lose only so much.

It stands in the core beside the limits on risk and, like them, knows only what events tell: `Armed` and `Disarmed`. A
core that is told neither has none of this. What closes or protects positions is never held back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from workbench.trading import events as ev
from workbench.trading.gate import APPROVED, Gate, Verdict, closing, reduce, reject
from workbench.trading.orders import Order

if TYPE_CHECKING:
    from workbench.trading.core import Core

__all__ = ["DISARMED", "Arming", "Smaller"]

DISARMED: Final = "disarmed: "
"""How the alert begins that tells of it."""

_KEPT: Final = ("armed", "since", "who", "why", "left", "value", "loss", "then", "base")
_SMALL: Final = 2.0  # times the least that the venue takes: what a first order may be worth where nothing is said


class Smaller(NamedTuple):
    """An order that went out smaller than it was wanted: why (a code of `gate.REJECTIONS`), and how much went out."""

    ts: int
    symbol: str
    side: str
    why: str
    wanted: float
    allowed: float


class Arming:
    """Whether one core may open positions.

    Attributes
    ----------
    armed : bool
    since : int
        When it was armed or disarmed, ms UTC.
    who, why : str
        Who armed it; why it is not armed.
    left : int
        How many orders that open positions are still to be small.
    value : float
        The most that such an order may be worth, in the currency of the account; 0 for twice the venue's least.
    loss : float
        What may be lost since it was armed, in that currency; infinity for no limit.
    then : {"flatten", "pause"}
        What happens beyond that: positions are closed, or nothing new is opened. It is disarmed in both cases.
    base : float
        The equity when it was armed, paid-in and taken-out money reckoned in.
    smaller : list of Smaller
        What it made smaller; whoever writes it down takes it out.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self.armed = False
        self.since = self.left = 0
        self.who, self.why, self.then = "", "never armed", "pause"
        self.value, self.loss, self.base = 0.0, math.inf, 0.0
        self.smaller: list[Smaller] = []
        self._small: set[str] = set()  # first orders that the event in hand has let through

    @classmethod
    def of(cls, core: Core) -> Arming:
        """Give the arming of a core; from the first time on its gate asks for it."""
        if core.arming is None:
            core.arming = cls(core)
            core.gate = Gate((*core.gate.checks, core.arming.check))
        return core.arming

    @property
    def lost(self) -> float:
        """What has been lost since it was armed; below 0 for a gain."""
        return self.base - self._core.account.equity

    # what events tell

    def take(self, event: ev.Armed | ev.Disarmed) -> None:
        """Arm or disarm; whoever disarms takes back what would open positions."""
        if isinstance(event, ev.Armed):
            self.armed, self.since, self.who, self.why = True, event.ts, event.who, ""
            self.left, self.value, self.then = event.orders, event.value, event.then
            self.loss, self.base = event.loss, self._core.account.equity
        else:
            self._disarm(event.ts, event.why)
            self._take_back()

    def _disarm(self, ts: int, why: str) -> None:
        self.armed, self.since, self.why, self.left = False, ts, why, 0

    def after(self, event: ev.Event, actions: Sequence[ev.Action]) -> Sequence[ev.Action]:
        """Take in what an event has led to, and add what too great a loss leads to."""
        kind = type(event)
        if kind is ev.Moved and event.state == "KILLED":  # type: ignore[union-attr]
            self._disarm(event.ts, f"killed: {event.reason}")  # type: ignore[union-attr]
        elif kind is ev.Adjusted and event.asset == self._core.account.currency:  # type: ignore[union-attr]
            self.base += event.amount  # type: ignore[union-attr]
        if not self.armed:
            return actions
        if self.left:
            sent = sum(type(one) is ev.Submit and one.order.id in self._small for one in actions)
            self.left = max(0, self.left - sent)
        self._small.clear()
        return actions if self.lost <= self.loss else [*actions, *self._lost()]

    def _lost(self) -> Sequence[ev.Action]:
        core, flatten = self._core, self.then == "flatten"
        lost, currency = self.lost, core.account.currency
        self._disarm(core.now, f"{lost:,.2f} {currency} were lost since it was armed; {self.loss:,.2f} may be")
        more = core.begin()
        if flatten:
            core.desk.wind_down(flatten=True)
        else:
            self._take_back()
        done = "positions are closed" if flatten else "nothing new is opened, what protects positions stays"
        core.act(ev.Alert(core.now, "critical", f"{DISARMED}{self.why}; {done}"))
        return more

    def _take_back(self) -> None:
        """Cancel what would open positions; what would only close some stays."""
        core = self._core
        for order in list(core.orders.values()):
            if self._opens(order) and order.quantity > closing(
                core.account.quantity(order.symbol, order.leg), order.side
            ):
                core.act(ev.CancelOrder(order.id))

    # what orders are asked

    def _opens(self, order: Order) -> bool:
        return not (order.reduce_only or order.close_position or order.parent)

    def check(self, order: Order, context: Any) -> Verdict:
        """Judge an order that is about to go out, as a hook of the gate."""
        if not self._opens(order) or (self.armed and not self.left):
            return APPROVED
        leaves = closing(self._core.account.quantity(order.symbol, order.leg), order.side)
        if order.quantity <= leaves:
            return APPROVED
        if not self.armed:
            return self._leave(order, leaves, "not_armed")
        most, least = self._most(order)
        if most < least:
            return self._leave(order, leaves, "first_orders_small")
        self._small.add(order.id)
        return self._leave(order, leaves + most, "first_orders_small")

    def _leave(self, order: Order, most: float, why: str) -> Verdict:
        """Let no more than so much of an order go out."""
        if most <= 0.0:
            return reject(why)
        if order.quantity > most:
            self.smaller.append(Smaller(self._core.now, order.symbol, order.side, why, order.quantity, most))
        return reduce(most)

    def _most(self, order: Order) -> tuple[float, float]:
        """Give how much a first order may open, and the least that the venue takes, as quantities."""
        core, market = self._core, self._core.markets[order.symbol]
        price = order.price if order.price == order.price else core.prices.get(order.symbol, math.nan)
        worth = market.listing.size if market.listing.inverse else market.listing.size * price
        least = max(market.lots.min_notional / worth, market.lots.lot)
        return (self.value / worth if self.value > 0.0 else _SMALL * least), least

    def check_amend(self, order: Order, change: ev.AmendOrder) -> str:
        """Say why a change of an order may not go out, as a code; "" where it may."""
        if not self._opens(order) or not change.quantity > order.quantity:
            return ""
        if not self.armed:
            return "not_armed"
        return "first_orders_small" if self.left and change.quantity > self._most(order)[0] else ""

    # snapshots

    def snapshot(self) -> dict[str, Any]:
        """Give the state as plain data for JSON."""
        return {name: getattr(self, name) for name in _KEPT}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up what `snapshot` gave."""
        for name in _KEPT:
            setattr(self, name, data[name])
