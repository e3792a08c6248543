"""The order desk: makes orders of what a strategy wishes, when they can go, and refuses what cannot.

Orders wait for the first price after their decision; an entry waits until the other side has been closed. Then they are
sized, rounded to ticks and lots, and shown to the gate. Cancels and amendments go at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from workbench.errors import StrategyError
from workbench.trading import events as ev
from workbench.trading.arithmetic import round_down, round_to_tick
from workbench.trading.gate import closing
from workbench.trading.lifecycle import may_open
from workbench.trading.orders import Amend, Cancel, Intent, Order, Protect, Side, Wake, client_order_id
from workbench.trading.protection import Guarded
from workbench.trading.terms import Lots
from workbench.trading.view import flat_list

if TYPE_CHECKING:
    from workbench.trading.core import Core

__all__ = ["Desk", "Refusal"]

NAN: Final = math.nan


class Refusal(NamedTuple):
    """An order that was not sent, or was refused: when it was decided, and why (a code, and a sentence of a sizing)."""

    ts: int
    symbol: str
    side: str
    quantity: float
    code: str
    id: str = ""
    why: str = ""


class Desk:
    """The desk of one core.

    Attributes
    ----------
    intents : list of Intent
        Wishes that have not been sent yet.
    changes : list of Amend or Protect
        Changes of orders that wait for the next price: they could trade at once.
    waiting : set of str
        Ids of those entries among them that go as soon as the other side is closed.
    """

    __slots__ = ("changes", "core", "intents", "waiting")

    def __init__(self, core: Core) -> None:
        self.core = core
        self.intents: list[Intent] = []
        self.changes: list[Amend | Protect] = []
        self.waiting: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether anything waits for a price."""
        return bool(self.intents or self.changes)

    def take(self, said: Any, closed: bool = False) -> None:
        """Take in what the strategy wishes: orders wait for the next price, all else is done at once.

        `closed`: it was said of a bar that has closed, so that changes of limits wait for the next price too.
        """
        if type(said) is Intent:  # what is said most
            self._wait(said)
            return
        for wish in flat_list(said):
            kind = type(wish)
            if kind is Intent:
                self._wait(wish)
            elif kind is Cancel:
                self._cancel(wish.id)
            elif closed and (
                kind is Amend or (kind is Protect and not (math.isnan(wish.target_at) and math.isnan(wish.roi)))
            ):
                self.changes.append(wish)
            elif kind is Protect:
                self.core.protector.move(wish)
            elif kind is Amend:
                self._amend(wish)
            elif kind is Wake:
                self.core.act(ev.SetTimer(wish.ts, wish.name, wish.symbol))
            else:
                raise StrategyError(
                    f"{self.core.trader!r} returned a {kind.__name__} ({wish!r}): return what view.market, view.limit, "
                    "view.cancel and their like give, or a list of those",
                )

    def _wait(self, wish: Intent) -> None:
        if wish.symbol in self.core.markets:
            self.core.sizer.note(wish)
            self.intents.append(wish)
        else:
            self.refuse(wish.decided, wish.symbol, wish.side, wish.size, "unknown_instrument", wish.id)

    def _cancel(self, order_id: str) -> None:
        for number, wish in enumerate(self.intents):
            if wish.id == order_id:
                self.core.sizer.forget(order_id)
                del self.intents[number]
                return
        if order_id in self.core.orders:
            self.core.act(ev.CancelOrder(order_id))
        else:
            done = any(order.id == order_id for order in self.core.finished)
            self.refuse(self.core.decided, "", "", NAN, "order_is_final" if done else "unknown_order", order_id)

    def _amend(self, wish: Amend) -> None:
        order = self.core.orders.get(wish.id)
        if order is None:
            self.refuse(self.core.decided, "", "", NAN, "unknown_order", wish.id)
            return
        lots = self.core.markets[order.symbol].lots
        action = ev.AmendOrder(
            wish.id,
            round_to_tick(wish.price, lots.tick, order.side == "sell"),
            round_down(wish.quantity, lots.lot),
            round_to_tick(wish.stop_price, lots.tick, order.side == "buy"),
            wish.reason,
        )
        code = "" if self.core.risk is None else self.core.risk.check_amend(order, action)
        if not code and self.core.arming is not None:
            code = self.core.arming.check_amend(order, action)
        if code:
            self.refuse(self.core.decided, order.symbol, order.side, wish.quantity, code, wish.id)
        else:
            self.core.act(action)

    def release(self, symbols: Iterable[str], leaves: bool, entries: bool) -> None:
        """Send the wishes that can go at these prices: those that leave positions, those that enter, or both.

        An entry waits while the other side is held; `_filled` sends it as soon as that is closed.
        """
        if leaves and self.changes:
            self._change(symbols)
        if not entries:
            self.waiting.clear()
        for wish in self.intents.copy():
            if wish.symbol not in symbols or not (entries if wish.entry else leaves):
                continue
            if wish.entry and self._other_side(wish):
                self.waiting.add(wish.id)
                continue
            self.intents.remove(wish)
            self._send(wish)

    def _change(self, symbols: Iterable[str]) -> None:
        waiting, self.changes = self.changes, []
        for wish in waiting:
            order = self.core.orders.get(wish.id) if isinstance(wish, Amend) else None
            symbol = wish.symbol if isinstance(wish, Protect) else order.symbol if order is not None else ""
            if symbol and symbol not in symbols:
                self.changes.append(wish)
            elif isinstance(wish, Amend):
                self._amend(wish)
            else:
                self.core.protector.move(wish)

    def release_waiting(self, symbol: str) -> None:
        """Send the entries that waited for a position to be closed, if it is."""
        for wish in list(self.intents):
            if wish.symbol == symbol and wish.id in self.waiting and not self._other_side(wish):
                self.waiting.discard(wish.id)
                self.intents.remove(wish)
                self._send(wish)

    def _other_side(self, wish: Intent) -> bool:
        held = self.core.account.quantity(wish.symbol, wish.leg)
        return held > 0.0 if wish.side == "sell" else held < 0.0

    def _send(self, wish: Intent) -> None:
        """Make an order of a wish: sized, rounded, checked; or refuse it."""
        market = self.core.markets[wish.symbol]
        quantity, code = self.core.sizer.quantity(wish, market)
        if not may_open(self.core.state) and not self._leaves(wish, quantity):
            code = "not_running"
        if code:
            decision = self.core.sizer.last
            why = "" if decision is None else decision.why
            self._tell(Refusal(wish.decided, wish.symbol, wish.side, quantity, code, wish.id, why))
            return
        order = self._order(wish, quantity, market.lots)
        code = self.core.gate.check(order, self.core)
        if code:
            self.refuse(wish.decided, wish.symbol, wish.side, quantity, code, wish.id)
            return
        spec = Guarded.of(wish)
        if spec is not None:
            self.core.brackets[order.id] = spec
        self.core.submit(order)

    def _leaves(self, wish: Intent, quantity: float) -> bool:
        held = closing(self.core.account.quantity(wish.symbol, wish.leg), wish.side)
        return wish.reduce_only or wish.close_position or 0.0 < quantity <= held

    def wind_down(self, *, flatten: bool) -> None:
        """Drop what waits and cancel what is open, but what protects positions; or close those at the market."""
        core = self.core
        self.intents.clear()
        self.changes.clear()
        self.waiting.clear()
        for order in list(core.orders.values()):
            if flatten or not order.parent:
                core.act(ev.CancelOrder(order.id))
        for held in core.account.positions if flatten else ():
            side: Side = "sell" if held.quantity > 0.0 else "buy"
            name = client_order_id(core.name, core.number, held.symbol, side, "market")
            core.number += 1
            core.submit(
                Order(
                    id=name, symbol=held.symbol, side=side, reduce_only=True, close_position=True, leg=held.leg,  # type: ignore[arg-type]
                    decided=core.now,
                )
            )  # fmt: skip

    def _order(self, wish: Intent, quantity: float, lots: Lots) -> Order:
        buys = wish.side == "buy"
        price = round_to_tick(wish.price, lots.tick, not buys)
        trigger = round_to_tick(wish.stop_price, lots.tick, buys)
        # by position: half the time of twenty names, which is what an order costs most
        return Order(
            wish.id, wish.symbol, wish.side, wish.type, quantity, price, trigger, wish.trail, wish.activation,
            wish.time_in_force, wish.expires, wish.post_only, wish.reduce_only, wish.close_position, wish.display,
            wish.oco, wish.leg, wish.tag, wish.reason, wish.decided,
        )  # fmt: skip

    def refuse(self, ts: int, symbol: str, side: str, quantity: float, code: str, order_id: str) -> None:
        """Keep that an order was refused, and tell the strategy."""
        self._tell(Refusal(ts, symbol, side, quantity, code, order_id))

    def _tell(self, refusal: Refusal) -> None:
        self.core.refusals.append(refusal)
        self.core.view.symbol = refusal.symbol or self.core.view.symbol
        self.take(self.core.trader.on_refused(self.core.view, refusal))
