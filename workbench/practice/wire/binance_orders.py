"""Orders as Binance writes them, on spot and on futures: words for types, statuses and how to name one."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

from workbench.practice.engine_records import OrderRecord
from workbench.practice.wire.binance_errors import BinanceError
from workbench.practice.wire.binance_words import Params

__all__ = ["SIDES", "STATUS", "Span", "named", "span", "spot_type", "status_of", "unknown_to_cancel"]

SIDES: Final = {"BUY": "buy", "SELL": "sell"}
STATUS: Final = {
    "new": "NEW", "submitted": "NEW", "accepted": "NEW", "partially_filled": "PARTIALLY_FILLED", "filled": "FILLED",
    "canceled": "CANCELED", "expired": "EXPIRED", "rejected": "REJECTED", "unknown": "NEW",
}  # fmt: skip
_SPOT_WORDS: Final = {
    "market": "MARKET", "limit": "LIMIT", "stop": "STOP_LOSS", "stop_limit": "STOP_LOSS_LIMIT",
    "take_profit": "TAKE_PROFIT", "take_profit_limit": "TAKE_PROFIT_LIMIT", "trailing_stop": "STOP_LOSS",
}  # fmt: skip


def spot_type(order: OrderRecord) -> str:
    """Give spot's word for the type of an order."""
    return "LIMIT_MAKER" if order.post_only else _SPOT_WORDS[order.type]


def status_of(order: OrderRecord) -> str:
    """Give the word for the status of an order."""
    return STATUS[order.status]


def named(params: Params, number: str = "orderId", name: str = "origClientOrderId") -> dict[str, Any]:
    """Tell which order is meant, by its number or by the client's name of it, as the engine's arguments."""
    if params.has(number):
        return {"id": params.integer(number)}
    if params.has(name):
        return {"client_id": params.text(name)}
    raise BinanceError(
        -1102, f"Param '{name}' or '{number}' must be sent, but both were empty/null!"
    )  # fmt: skip


def unknown_to_cancel() -> BinanceError:
    """Give what is said of a cancel for an order that is not open."""
    return BinanceError(-2011, "Unknown order sent.")


class Span(NamedTuple):
    """From when to when, and how many, something is asked for, as the engine's arguments."""

    start: int | None
    end: int | None
    limit: int


def span(params: Params, default: int = 500, most: int = 1_000) -> Span:
    """Read `startTime`, `endTime` and `limit`."""
    start = params.integer("startTime") if params.has("startTime") else None
    end = params.integer("endTime") if params.has("endTime") else None
    if start is not None and end is not None and end < start:
        raise BinanceError(-1127, "Start time is greater than end time.")
    return Span(start, end, params.limit(default, most))


def known(value: float) -> bool:
    """Tell whether there is a number."""
    return math.isfinite(value)
