"""A practice exchange as a venue without network or clock: requests in, what a client would get out, faults included.

`LocalVenue` speaks for one account of a `practice.Engine`. It waits for nothing: every answer and every piece of news
comes with the ms that it would be under way, so that whoever drives it decides what time is. `Faults` are the practice
exchange's own, asked at the same points as its server asks them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from workbench.bots.brokers.talk import (
    Find,
    Look,
    Request,
    Send,
    Snapshot,
    VenueFill,
    VenueFunding,
    VenueOrder,
    VenuePosition,
)
from workbench.errors import BrokerError, BrokerFatal, BrokerRejected, BrokerTransient, BrokerUnknown
from workbench.practice import engine_messages as told
from workbench.practice.engine import Engine
from workbench.practice.engine_records import Execution, OrderRecord, Refused
from workbench.practice.engine_records import Request as Wish
from workbench.practice.faults import Asked, Cut, Decision, Faults
from workbench.trading.events import CancelOrder, Submit
from workbench.trading.orders import Order

__all__ = ["Answer", "LocalVenue", "News"]

_STATUS: Final = {"accepted": "open", "partially_filled": "open", "filled": "closed"}
_GONE: Final = frozenset(("unknown_order", "order_is_final"))
_PATHS: Final = {
    "submit": ("POST", "/fapi/v1/order"), "cancel": ("DELETE", "/fapi/v1/order"), "amend": ("PUT", "/fapi/v1/order"),
    "find": ("GET", "/fapi/v1/order"), "look": ("GET", "/fapi/v1/openOrders"),
}  # fmt: skip


class Answer(NamedTuple):
    """What a client gets: after `delay_ms`, an order, a snapshot, nothing, or an error."""

    delay_ms: float
    what: VenueOrder | Snapshot | BrokerError | None


class News(NamedTuple):
    """What a client hears: after `delay_ms`, an order or an execution; None: the stream has ended."""

    delay_ms: float
    what: VenueOrder | VenueFill | None


class LocalVenue:
    """One account of a practice exchange, as its owner sees it.

    Parameters
    ----------
    engine : Engine
    account : str
    faults : Faults, optional
    hear : callable, optional
        Told every `News` when it happens.

    Attributes
    ----------
    dated : bool
        Whether it takes GTD orders; they rest until they are cancelled else, as at venues that have none.
    """

    name = "practice"

    def __init__(
        self, engine: Engine, account: str, faults: Faults | None = None, hear: Callable[[News], None] | None = None
    ) -> None:
        self.engine, self.account, self.faults = engine, account, faults or Faults()
        self.hear = hear
        self.dated = True
        self.stop = engine.listen(self._told)

    def ask(self, request: Request) -> Answer:
        """Carry out a request as the exchange would, faults included."""
        operation = _operation(request)
        asked = Asked(*_PATHS[operation], self.name, {"symbol": getattr(request, "symbol", "")})
        self.faults.touch(asked, self.engine)
        kept = self.faults.before(asked)
        if kept.action != "pass":
            return self._fault(kept, operation, landed=False)
        try:
            found: VenueOrder | Snapshot | BrokerError | None = self._do(request)
        except Refused as no:
            found = None if operation == "find" and no.code in _GONE else BrokerRejected(str(no), code=no.code)
        after = self.faults.after(asked, 200, b"{}")
        if after.action != "pass":
            return self._fault(after, operation, landed=True)
        return Answer(kept.delay_ms + after.delay_ms, found)

    def _fault(self, done: Decision, operation: str, *, landed: bool) -> Answer:
        """Give what a client makes of an answer that is none."""
        if done.action == "refuse":
            return Answer(done.delay_ms, BrokerRejected(f"refused: {done.code}", code=str(done.code)))
        text = f"{operation}: {done.detail}"
        if done.action == "answer" and done.status in (418, 429):
            wait = 1_000.0 * float(done.headers.get("Retry-After", 1))
            kind = BrokerTransient if done.status == 429 or not landed else BrokerFatal
            return Answer(done.delay_ms, kind(text, retry_ms=wait))
        delay = done.delay_ms + (min(done.hold_ms, 10_000.0) if done.action == "hang" else 0.0)
        if operation in ("find", "look"):
            return Answer(delay, BrokerTransient(text))
        return Answer(delay, BrokerUnknown(text))

    def _do(self, request: Request) -> VenueOrder | Snapshot:
        if isinstance(request, Look):
            return self._look(request)
        if isinstance(request, Find):
            return order_of(self.engine.order(self.account, request.symbol, client_id=request.id))
        action, symbol = request.action, request.symbol
        if isinstance(action, Submit):
            return order_of(self.engine.submit(self.account, wish_of(action.order, request.id, dated=self.dated)))
        if isinstance(action, CancelOrder):
            return order_of(self.engine.cancel(self.account, symbol, client_id=request.id))
        _, price, quantity, stop, _ = action
        record = self.engine.amend(
            self.account, symbol, client_id=request.id, price=price, quantity=quantity, stop_price=stop
        )
        return order_of(record)

    def _look(self, request: Look) -> Snapshot:
        engine, account = self.engine, self.account
        wallets = {engine.data.market(name).instrument.kind: name for name in engine.data.markets}
        balances: dict[str, float] = {}
        for wallet in ("spot", "linear"):
            if wallet in wallets:
                for one in engine.balances(account, wallet):
                    balances[one.asset] = balances.get(one.asset, 0.0) + one.wallet
        return Snapshot(
            engine.now,
            request.since,
            tuple(order_of(one) for one in engine.open_orders(account)),
            tuple(fill_of(one) for one in engine.executions(account, start=request.since, limit=100_000)),
            tuple(
                VenuePosition(one.symbol, one.quantity, one.entry_price, one.leg) for one in engine.positions(account)
            ),
            balances,
            self._funding(request.funding_since),
        )

    def _funding(self, since: int) -> tuple[VenueFunding, ...] | None:
        if not since:
            return None
        rows = self.engine.income(self.account, kind="funding", start=since, limit=100_000)
        return tuple(VenueFunding(one.ts, one.symbol, one.amount) for one in rows)

    def _told(self, message: Any) -> None:
        """Tell what the account's own stream would, as far as faults let it."""
        if self.hear is None or not isinstance(message, told.OrderChanged) or message.account != self.account:
            return
        parts: list[VenueOrder | VenueFill] = [order_of(message.order)]
        if message.execution is not None:
            parts.insert(0, fill_of(message.execution))
        for part in parts:
            for sending in self.faults.message("user", part, venue=self.name, connection="1"):
                lost = isinstance(sending.payload, (Cut, str))
                self.hear(News(sending.delay_ms, None if lost else sending.payload))


def _operation(request: Request) -> str:
    if isinstance(request, Send):
        kind = type(request.action)
        return "submit" if kind is Submit else "cancel" if kind is CancelOrder else "amend"
    return "find" if isinstance(request, Find) else "look"


def wish_of(order: Order, client_id: str, *, dated: bool = True) -> Wish:
    """Give an order as a client asks for it; without its date where the venue knows none."""
    time = order.time_in_force if dated or order.time_in_force != "GTD" else "GTC"
    return Wish(
        symbol=order.symbol, side=order.side, type=order.type, quantity=order.quantity, price=order.price,
        stop_price=order.stop_price, trail=order.trail, activation=order.activation,
        time_in_force=time, expires=order.expires if time == "GTD" else None, post_only=order.post_only,
        reduce_only=order.reduce_only, close_position=order.close_position, display=order.display, leg=order.leg,
        client_id=client_id,
    )  # fmt: skip


def order_of(one: OrderRecord) -> VenueOrder:
    """Give an order of the exchange in the words between bots and venues."""
    status = _STATUS.get(one.status, one.status)
    return VenueOrder(
        one.client_id, str(one.id), one.symbol, one.side, one.type, status, one.quantity, one.filled, one.price,
        one.stop_price, one.average_price, one.reduce_only, one.triggered, one.updated,
    )  # fmt: skip


def fill_of(one: Execution) -> VenueFill:
    """Give an execution in the same words; a fee in the base asset is worth its price."""
    base = one.symbol.partition("/")[0]
    coins = one.fee_asset == base
    fee = one.fee * one.price if coins else one.fee
    return VenueFill(
        str(one.id), str(one.order_id), one.symbol, one.side, one.quantity, one.price, fee, one.maker, one.ts,
        one.client_id, one.leg, one.fee if coins and ":" not in one.symbol else 0.0,
    )  # fmt: skip
