"""What Binance's spot exchange tells an account over its user stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from workbench.practice.engine_messages import BalanceChanged, ListChanged, OrderChanged
from workbench.practice.engine_records import OrderRecord
from workbench.practice.wire.binance_orders import spot_type, status_of
from workbench.practice.wire.binance_words import money

if TYPE_CHECKING:
    from workbench.practice.wire.binance import Binance

__all__ = ["spot_events"]

_EXECUTION: Final = {
    "new": "NEW", "trade": "TRADE", "canceled": "CANCELED", "expired": "EXPIRED", "amended": "REPLACED",
    "triggered": "NEW", "rejected": "REJECTED",
}  # fmt: skip
_INNER: Final = ("order", "trade")


def spot_events(venue: Binance, message: Any) -> Iterator[dict[str, Any]]:
    """Give what an account is told of a message of the engine."""
    match message:
        case OrderChanged() if message.order.symbol in venue.by_symbol:
            yield _report(venue, message)
        case BalanceChanged() if message.wallet == "spot":
            now = message.ts
            if message.reason not in _INNER:
                for asset, change in message.changes.items():
                    yield {"e": "balanceUpdate", "E": now, "a": asset, "d": money(change), "T": now}
            rows = [{"a": one.asset, "f": money(one.free), "l": money(one.locked)} for one in message.balances]
            yield {"e": "outboundAccountPosition", "E": now, "u": now, "B": rows}
        case ListChanged() if message.orders.symbol in venue.by_symbol:
            yield _list(venue, message)


def _report(venue: Binance, message: OrderChanged) -> dict[str, Any]:
    order, one, now = message.order, message.execution, message.ts
    pair = venue.by_symbol[order.symbol]
    report: dict[str, Any] = {
        "e": "executionReport", "E": now, "s": pair.id, "c": order.client_id, "S": order.side.upper(),
        "o": spot_type(order), "f": order.time_in_force, "q": pair.quantity(order.quantity),
        "p": pair.price(order.price), "P": pair.price(order.stop_price), "F": pair.quantity(order.display),
        "g": order.list_id, "C": order.original_client_id, "x": _EXECUTION[message.kind], "X": status_of(order),
        "r": _reason(order, message.kind), "i": order.id,
        "l": pair.quantity(one.quantity if one else 0.0), "z": pair.quantity(order.filled),
        "L": pair.price(one.price if one else 0.0), "n": money(one.fee) if one else "0",
        "N": one.fee_asset if one else None, "T": now, "t": one.id if one else -1, "I": 2 * order.id,
        "w": order.open and order.working_since > 0, "m": one.maker if one else False, "M": False,
        "O": order.created, "Z": money(order.quote_filled), "Y": money(one.quote_quantity if one else 0.0),
        "Q": money(order.quote_quantity), "V": "NONE",
    }  # fmt: skip
    if order.working_since:
        report["W"] = order.working_since
    if order.type == "trailing_stop":
        report |= {"d": round(order.trail * 10_000), "D": order.created}
    return report


def _reason(order: OrderRecord, kind: str) -> str:
    return "INSUFFICIENT_BALANCES" if kind == "rejected" else "NONE"


def _list(venue: Binance, message: ListChanged) -> dict[str, Any]:
    one = message.orders
    pair = venue.by_symbol[one.symbol]
    kind, status = ("EXEC_STARTED", "EXECUTING") if one.status == "open" else ("ALL_DONE", "ALL_DONE")
    orders = [venue.engine.order(message.account, one.symbol, id=number) for number in one.order_ids]
    return {
        "e": "listStatus", "E": message.ts, "s": pair.id, "g": one.id, "c": "OCO", "l": kind, "L": status, "r": "NONE",
        "C": one.client_id, "T": message.ts,
        "O": [{"s": pair.id, "i": order.id, "c": order.client_id} for order in orders],
    }  # fmt: skip
