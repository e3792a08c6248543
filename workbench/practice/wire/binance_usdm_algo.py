"""Binance's futures endpoints about orders that wait for a trigger: stops, take-profits, trailing stops.

Binance calls them algo orders and gives them numbers of their own. Here an order keeps the number it had when its
trigger is reached and it goes to the book.
"""

from __future__ import annotations

import math
from typing import Any, Final

from workbench.practice.engine_records import OrderRecord, Refused, Request
from workbench.practice.wire.binance import Binance
from workbench.practice.wire.binance_errors import BinanceError
from workbench.practice.wire.binance_orders import named, span
from workbench.practice.wire.binance_usdm_orders import conditional, leg_of, read_common, timing, type_of
from workbench.practice.wire.binance_words import Params

__all__ = [
    "algo_row",
    "algo_status",
    "all_algos",
    "cancel_algo",
    "cancel_algos",
    "get_algo",
    "new_algo",
    "open_algos",
]

_TYPES: Final = {
    "STOP": "stop_limit", "STOP_MARKET": "stop", "TAKE_PROFIT": "take_profit_limit",
    "TAKE_PROFIT_MARKET": "take_profit", "TRAILING_STOP_MARKET": "trailing_stop",
}  # fmt: skip
_STATUS: Final = {"canceled": "CANCELED", "expired": "EXPIRED", "rejected": "REJECTED"}


def new_algo(venue: Binance, params: Params, account: str) -> Any:
    """Send an order that waits for a trigger."""
    params.one_of("algoType", ("CONDITIONAL",))
    word = params.one_of("type", _TYPES)
    kind: Any = _TYPES[word]
    pair, fields = read_common(venue, params)
    if math.isnan(fields["quantity"]) and not fields["close_position"]:
        params.text("quantity")
    limited, trailing = kind.endswith("limit"), kind == "trailing_stop"
    for name in ("price",) * limited + (("callbackRate",) if trailing else ("triggerPrice",)):
        params.text(name)
    trail = params.number("callbackRate", 1) / 100 if trailing else math.nan
    if trailing and not 0.001 <= trail <= 0.1:
        raise BinanceError(-2007, "Invalid callBack rate.")
    request = Request(
        **fields, **timing(params, timed=False), type=kind,
        price=params.number("price", pair.price_places) if limited else math.nan,
        stop_price=math.nan if trailing else params.number("triggerPrice", pair.price_places),
        trail=trail, activation=params.number("activatePrice", pair.price_places) if trailing else math.nan,
        client_id=params.text("clientAlgoId", ""),
    )  # fmt: skip
    return algo_row(venue, venue.engine.submit(account, request))


def algo_status(order: OrderRecord) -> str:
    """Give the word for the status of an order that waits, or waited, for a trigger."""
    if order.triggered:
        return "TRIGGERED" if order.open else "FINISHED"
    return _STATUS.get(order.status, "NEW")


def algo_row(venue: Binance, order: OrderRecord) -> dict[str, Any]:
    """Write such an order."""
    pair = venue.by_symbol[order.symbol]
    row = {
        "algoId": order.id, "clientAlgoId": order.client_id, "algoType": "CONDITIONAL", "orderType": type_of(order),
        "symbol": pair.id, "side": order.side.upper(), "positionSide": leg_of(order.leg),
        "timeInForce": "GTX" if order.post_only else order.time_in_force, "quantity": pair.quantity(order.quantity),
        "algoStatus": algo_status(order), "actualOrderId": str(order.id) if order.triggered else "",
        "actualPrice": pair.price(order.average_price), "triggerPrice": pair.price(order.stop_price),
        "price": pair.price(order.price), "icebergQuantity": None, "tpTriggerPrice": "0.0", "tpPrice": "0.0",
        "slTriggerPrice": "0.0", "slPrice": "0.0", "tpOrderType": "", "selfTradePreventionMode": "NONE",
        "workingType": "CONTRACT_PRICE", "priceMatch": "NONE", "closePosition": order.close_position,
        "priceProtect": False, "reduceOnly": order.reduce_only, "createTime": order.created,
        "updateTime": order.updated, "triggerTime": order.working_since if order.triggered else 0,
        "goodTillDate": order.expires or 0,
    }  # fmt: skip
    if order.type == "trailing_stop":
        row |= {"activatePrice": pair.price(order.activation), "callbackRate": f"{order.trail * 100:.1f}"}
    return row


def _find(venue: Binance, params: Params, account: str) -> OrderRecord:
    wanted = named(params, "algoId", "clientAlgoId")
    symbols = [venue.pair(params).symbol] if params.has("symbol") else list(venue.by_symbol)
    for symbol in symbols:
        try:
            order: OrderRecord = venue.engine.order(account, symbol, **wanted)
        except Refused:
            continue
        if conditional(order):
            return order
    raise BinanceError(-2013, "Order does not exist.")


def get_algo(venue: Binance, params: Params, account: str) -> Any:
    """Give one."""
    return algo_row(venue, _find(venue, params, account))


def cancel_algo(venue: Binance, params: Params, account: str) -> Any:
    """Cancel one."""
    try:
        order = _find(venue, params, account)
        if order.triggered:
            raise BinanceError(-2013, "Order does not exist.")
        venue.engine.cancel(account, order.symbol, id=order.id)
    except (Refused, BinanceError) as error:
        if getattr(error, "code", "") in (-2013, "unknown_order", "order_is_final"):
            raise BinanceError(-2011, "Unknown order sent.") from error
        raise
    return {"algoId": order.id, "clientAlgoId": order.client_id, "code": "200", "msg": "success"}


def cancel_algos(venue: Binance, params: Params, account: str) -> Any:
    """Cancel all of a symbol."""
    symbol = venue.pair(params).symbol
    for order in venue.engine.open_orders(account, symbol, venue.wallet):
        if conditional(order) and not order.triggered:
            venue.engine.cancel(account, symbol, id=order.id)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def open_algos(venue: Binance, params: Params, account: str) -> Any:
    """Give those that wait."""
    symbol = venue.pair(params).symbol if params.has("symbol") else ""
    found = venue.engine.open_orders(account, symbol, venue.wallet)
    return [algo_row(venue, one) for one in found if conditional(one) and not one.triggered]


def all_algos(venue: Binance, params: Params, account: str) -> Any:
    """Give all, waiting or not."""
    pair, part = venue.pair(params), span(params)
    from_id = params.integer("algoId") if params.has("algoId") else None
    found = venue.engine.orders(account, pair.symbol, from_id=from_id, **part._asdict())
    return [algo_row(venue, one) for one in found if conditional(one)]
