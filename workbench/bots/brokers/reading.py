"""What ccxt makes of a venue's answers, in our words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from workbench.bots.brokers.register import Register
from workbench.bots.brokers.talk import ENDED, VenueFill, VenueOrder, VenuePosition

__all__ = ["client_id_of", "order_id_behind", "read_fill", "read_order", "read_positions"]

NAN: Final = math.nan
_LEGS: Final = {"LONG": "long", "SHORT": "short", "long": "long", "short": "short"}
_BEHIND: Final = ("TRIGGERED", "FINISHED")  # of a conditional order at a venue that makes another of it


def client_id_of(row: Mapping[str, Any]) -> str:
    """Give the client order id of an order or a trade as the venue says it; a cancelled one may have got another."""
    info = row.get("info")
    if isinstance(info, Mapping):
        original = info.get("origClientOrderId") or info.get("C") or info.get("caid")
        if original:
            return str(original)
        if row.get("clientOrderId") is None and info.get("e") in ("executionReport", None):
            return str(info.get("c") or info.get("cl_ord_id") or "")
    return str(row.get("clientOrderId") or "")


def order_id_behind(row: Mapping[str, Any]) -> str | None:
    """Give the venue's id of the order that a conditional one became; "" where it says none, None where it waits."""
    info = row.get("info")
    if not isinstance(info, Mapping):
        return None
    algo = info.get("algoStatus") or (info.get("X") if "aid" in info else None)
    if algo not in _BEHIND:
        return None
    return str(info.get("actualOrderId") or info.get("ai") or "")


def read_order(row: Mapping[str, Any], register: Register, symbol: str = "") -> VenueOrder:
    """Give an order; what is known of it fills in what the venue does not say."""
    id, number = register.own(str(row.get("id") or ""), client_id_of(row))
    line = register.lines.get(id)
    known = line.order if line is not None else None
    quantity, filled = _number(row.get("amount")), _number(row.get("filled"), 0.0)
    carried = line.carried if line is not None and number == line.number else 0.0
    kind = known.type if known is not None else _kind(row)
    status = str(row.get("status") or "open")
    told = VenueOrder(
        id=id,
        venue_id=str(row.get("id") or ""),
        symbol=str(row.get("symbol") or symbol),
        side=str(row.get("side") or (known.side if known is not None else "")),
        type=kind,
        status=status if status in ENDED else "open",
        quantity=quantity + carried if quantity > 0.0 else known.quantity if known is not None else NAN,
        filled=filled + carried,
        price=_positive(row.get("price")),
        stop_price=_positive(row.get("triggerPrice") or row.get("stopPrice")),
        average_price=_positive(row.get("average")),
        reduce_only=bool(row.get("reduceOnly") or (known is not None and known.reduce_only)),
        triggered=kind not in ("market", "limit") and _has_triggered(row, filled),
        ts=int(row.get("lastUpdateTimestamp") or row.get("lastTradeTimestamp") or row.get("timestamp") or 0),
    )
    register.note(told, number)
    return told


def _kind(row: Mapping[str, Any]) -> str:
    """Tell the type of an order that somebody else made, or we in an earlier life."""
    given = row.get("info")
    info: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    names = ("origType", "ot", "orderType", "type", "o", "ordertype")
    text = next((str(info[name]) for name in names if isinstance(info.get(name), str)), str(row.get("type"))).lower()
    limited = _positive(row.get("price")) > 0.0
    if "trail" in text or info.get("trailingDelta"):
        return "trailing_stop"
    if row.get("takeProfitPrice") or "take" in text:
        return "take_profit_limit" if limited else "take_profit"
    if _positive(row.get("triggerPrice") or row.get("stopPrice")) > 0.0 or "stop" in text:
        return "stop_limit" if limited else "stop"
    return "market" if "market" in text else "limit"


def _has_triggered(row: Mapping[str, Any], filled: float) -> bool:
    info = row.get("info")
    if filled > 0.0 or not isinstance(info, Mapping):
        return filled > 0.0
    if "aid" in info or "algoStatus" in info or "algoId" in info:
        return order_id_behind(row) is not None
    if info.get("isWorking") is not None or info.get("w") is not None:
        return str(info.get("isWorking", info.get("w"))).lower() == "true"
    return "positionSide" in info or "ps" in info  # a conditional order that is listed among the plain ones


def read_fill(row: Mapping[str, Any], register: Register, fee: float, fee_base: float = 0.0) -> VenueFill:
    """Give an execution, whose fee has been worked out, and what of it was taken in the base asset."""
    venue_id = str(row.get("order") or "")
    id, _ = register.own(venue_id, client_id_of(row))
    return VenueFill(
        trade_id=str(row["id"]),
        venue_id=venue_id,
        symbol=str(row["symbol"]),
        side=str(row.get("side") or ""),
        quantity=float(row["amount"]),
        price=float(row["price"]),
        fee=fee,
        maker=row.get("takerOrMaker") == "maker",
        ts=int(row["timestamp"]),
        id=id if id in register.lines else "",
        leg=_leg(row),
        fee_base=fee_base,
    )


def read_positions(rows: Any) -> tuple[VenuePosition, ...]:
    """Give what is held; nothing for positions of zero."""
    found = []
    for row in rows or ():
        size = _number(row.get("contracts"), 0.0)
        if size:
            side = row.get("side")
            leg = _LEGS.get(str(side), "net") if row.get("hedged") else "net"
            signed = -abs(size) if side == "short" else abs(size)
            found.append(VenuePosition(str(row["symbol"]), signed, _positive(row.get("entryPrice")), leg))
    return tuple(found)


def _leg(row: Mapping[str, Any]) -> str:
    info = row.get("info")
    word = (info.get("positionSide") or info.get("ps")) if isinstance(info, Mapping) else None
    return _LEGS.get(str(word), "net")


def _number(value: Any, otherwise: float = NAN) -> float:
    return otherwise if value is None else float(value)


def _positive(value: Any) -> float:
    number = _number(value)
    return number if number > 0.0 else NAN
