"""Binance's spot endpoints about orders: send, test, ask, cancel, replace, amend, and what became of them."""

from __future__ import annotations

import math
from typing import Any, Final

from workbench.practice.engine_records import Execution, OrderRecord, Refused, Request
from workbench.practice.wire.binance import Binance
from workbench.practice.wire.binance_errors import BinanceError, worded
from workbench.practice.wire.binance_orders import SIDES, named, span, spot_type, status_of, unknown_to_cancel
from workbench.practice.wire.binance_words import Pair, Params, exact, money

__all__ = [
    "all_orders",
    "amend_order",
    "cancel_all",
    "cancel_order",
    "canceled_row",
    "get_order",
    "my_trades",
    "new_order",
    "open_orders",
    "order_row",
    "read_order",
    "replace_order",
    "test_order",
]

_TYPES: Final = {
    "LIMIT": "limit", "LIMIT_MAKER": "limit", "MARKET": "market", "STOP_LOSS": "stop", "STOP_LOSS_LIMIT": "stop_limit",
    "TAKE_PROFIT": "take_profit", "TAKE_PROFIT_LIMIT": "take_profit_limit",
}  # fmt: skip
_TIMES: Final = ("GTC", "IOC", "FOK")
_BIPS: Final = 1e-4


def read_order(venue: Binance, params: Params, prefix: str = "") -> Request:
    """Read a new order; `prefix` is "above" or "below" for one of a list."""

    def name(word: str) -> str:
        return prefix + word[0].upper() + word[1:] if prefix else word

    pair = venue.pair(params)
    word = params.one_of(name("type"), _TYPES)
    kind: Any = _TYPES[word]
    limited, timed = "LIMIT" in word, "LIMIT" in word and word != "LIMIT_MAKER"
    quantity, quote = params.number("quantity"), params.number("quoteOrderQty")
    trail = params.number(name("trailingDelta")) * _BIPS
    if math.isnan(quantity) and (kind != "market" or math.isnan(quote)):
        params.text("quantity")
    if limited:
        params.text(name("price"))
    if word.startswith(("STOP", "TAKE")) and math.isnan(trail):
        params.text(name("stopPrice"))
    side: Any = SIDES[params.one_of("side", SIDES)]
    in_force: Any = params.one_of(name("timeInForce"), _TIMES, None if timed else "GTC")
    if math.isfinite(trail):
        kind = "trailing_stop"
    return Request(
        symbol=pair.symbol, side=side, type=kind, quantity=quantity, quote_quantity=quote,
        price=params.number(name("price")) if limited and kind != "trailing_stop" else math.nan,
        stop_price=params.number(name("stopPrice")) if kind != "trailing_stop" else math.nan,
        trail=trail, activation=params.number(name("stopPrice")) if kind == "trailing_stop" else math.nan,
        time_in_force=in_force, post_only=word == "LIMIT_MAKER", display=params.number(name("icebergQty")),
        client_id=params.text(name("clientOrderId") if prefix else "newClientOrderId", ""),
    )  # fmt: skip


def new_order(venue: Binance, params: Params, account: str) -> Any:
    """Send an order."""
    request = read_order(venue, params)
    usual = "FULL" if request.type in ("market", "limit") and not request.post_only else "ACK"
    style = params.one_of("newOrderRespType", ("ACK", "RESULT", "FULL"), usual)
    return _taken(venue, venue.engine.submit(account, request), style)


def test_order(venue: Binance, params: Params, account: str) -> Any:
    """Judge an order without taking it."""
    venue.engine.test(account, read_order(venue, params))
    return {}


def _taken(venue: Binance, order: OrderRecord, style: str) -> dict[str, Any]:
    """Write the answer to an order that was taken."""
    pair = venue.by_symbol[order.symbol]
    row = order_row(venue, order)
    if style == "ACK":
        names = ("symbol", "orderId", "orderListId", "clientOrderId")
        return {name: row[name] for name in names} | {"transactTime": order.updated}
    for name in ("time", "updateTime", "isWorking", "icebergQty"):
        row.pop(name, None)
    row["transactTime"] = order.updated
    if style == "FULL":
        row["fills"] = [_fill(pair, one) for one in order.executions]
    return row


def _fill(pair: Pair, one: Execution) -> dict[str, Any]:
    return {
        "price": pair.price(one.price), "qty": pair.quantity(one.quantity), "commission": money(one.fee),
        "commissionAsset": one.fee_asset, "tradeId": one.id,
    }  # fmt: skip


def order_row(venue: Binance, order: OrderRecord) -> dict[str, Any]:
    """Write an order."""
    pair = venue.by_symbol[order.symbol]
    row = {
        "symbol": pair.id, "orderId": order.id, "orderListId": order.list_id, "clientOrderId": order.client_id,
        "price": pair.price(order.price),
        "origQty": pair.quantity(order.quantity if math.isfinite(order.quantity) else order.filled),
        "executedQty": pair.quantity(order.filled), "origQuoteOrderQty": money(order.quote_quantity),
        "cummulativeQuoteQty": money(order.quote_filled), "status": status_of(order),
        "timeInForce": order.time_in_force, "type": spot_type(order), "side": order.side.upper(),
        "stopPrice": pair.price(order.stop_price),
        "icebergQty": pair.quantity(order.display), "time": order.created, "updateTime": order.updated,
        "isWorking": order.working_since > 0,
        "selfTradePreventionMode": "NONE",
    }  # fmt: skip
    if order.working_since:
        row["workingTime"] = order.working_since
    if order.type == "trailing_stop":
        row |= {"trailingDelta": round(order.trail / _BIPS), "trailingTime": order.created}
    return row


def get_order(venue: Binance, params: Params, account: str) -> Any:
    """Give an order."""
    return order_row(venue, venue.engine.order(account, venue.pair(params).symbol, **named(params)))


def cancel_order(venue: Binance, params: Params, account: str) -> Any:
    """Cancel an order."""
    symbol = venue.pair(params).symbol
    try:
        order = venue.engine.cancel(account, symbol, **named(params))
    except Refused as error:
        raise unknown_to_cancel() if error.code in ("unknown_order", "order_is_final") else error from error
    return canceled_row(venue, order)


def canceled_row(venue: Binance, order: OrderRecord) -> dict[str, Any]:
    """Write an order that was cancelled."""
    row = order_row(venue, order)
    for name in ("time", "updateTime", "isWorking", "workingTime"):
        row.pop(name, None)
    return row | {
        "origClientOrderId": order.original_client_id or order.client_id, "transactTime": order.updated
    }  # fmt: skip


def cancel_all(venue: Binance, params: Params, account: str) -> Any:
    """Cancel all open orders of a symbol."""
    orders = venue.engine.cancel_all(account, venue.pair(params).symbol)
    if not orders:
        raise unknown_to_cancel()
    return [canceled_row(venue, order) for order in orders]


def replace_order(venue: Binance, params: Params, account: str) -> Any:
    """Cancel an order and send another."""
    stop = params.one_of("cancelReplaceMode", ("STOP_ON_FAILURE", "ALLOW_FAILURE")) == "STOP_ON_FAILURE"
    request = read_order(venue, params)
    wanted = named(params, "cancelOrderId", "cancelOrigClientOrderId")
    old, new = venue.engine.replace(account, request, **wanted, stop_on_failure=stop)
    style = params.one_of("newOrderRespType", ("ACK", "RESULT", "FULL"), "FULL")
    outcome = {
        "cancelResult": _word(old), "newOrderResult": _word(new),
        "cancelResponse": _refusal(old) if isinstance(old, Refused) else canceled_row(venue, old),
        "newOrderResponse": None if new is None else (
            _refusal(new) if isinstance(new, Refused) else _taken(venue, new, style)
        ),
    }  # fmt: skip
    failed = [isinstance(one, Refused) for one in (old, new)]
    if not any(failed):
        return outcome
    if failed[0] and not isinstance(new, OrderRecord):
        raise BinanceError(-2022, "Order cancel-replace failed.", data=outcome)
    raise BinanceError(-2021, "Order cancel-replace partially failed.", 409, data=outcome)


def _word(one: OrderRecord | Refused | None) -> str:
    return "NOT_ATTEMPTED" if one is None else "FAILURE" if isinstance(one, Refused) else "SUCCESS"


def _refusal(error: Refused) -> dict[str, Any]:
    unknown = error.code in ("unknown_order", "order_is_final")
    told = unknown_to_cancel() if unknown else worded(error, futures=False)
    return {"code": told.code, "msg": told.text}


def amend_order(venue: Binance, params: Params, account: str) -> Any:
    """Make an order smaller, which keeps its place."""
    pair = venue.pair(params)
    quantity = params.number("newQty")
    if math.isnan(quantity):
        params.text("newQty")
    if not quantity < venue.engine.order(account, pair.symbol, **named(params)).quantity:
        raise Refused("Binance amends the quantity of a spot order only downwards", code="not_supported")
    order = venue.engine.amend(account, pair.symbol, **named(params), quantity=quantity)
    row = order_row(venue, order)
    shown = {"qty": row["origQty"], "executedQty": row["executedQty"], "preventedQty": "0.00000000"}
    names = ("symbol", "orderId", "orderListId", "clientOrderId", "price", "status", "timeInForce", "type", "side")
    amended = (
        {name: row[name] for name in names} | shown | {"quoteOrderQty": "0.00000000", "workingTime": row["workingTime"]}
    )
    amended |= {"origClientOrderId": order.client_id, "selfTradePreventionMode": "NONE"}
    return {"transactTime": order.updated, "executionId": order.id, "amendedOrder": amended}


def open_orders(venue: Binance, params: Params, account: str) -> Any:
    """Give open orders."""
    symbol = venue.pair(params).symbol if params.has("symbol") else ""
    return [order_row(venue, one) for one in venue.engine.open_orders(account, symbol, venue.wallet)]


def all_orders(venue: Binance, params: Params, account: str) -> Any:
    """Give orders, open or not."""
    pair, part = venue.pair(params), span(params)
    from_id = params.integer("orderId") if params.has("orderId") else None
    found = venue.engine.orders(account, pair.symbol, from_id=from_id, **part._asdict())
    return [order_row(venue, one) for one in found]


def my_trades(venue: Binance, params: Params, account: str) -> Any:
    """Give the executions of an account."""
    pair, part = venue.pair(params), span(params)
    chosen = {
        ours: params.integer(theirs) if params.has(theirs) else None
        for ours, theirs in (("from_id", "fromId"), ("order_id", "orderId"))
    }
    found = venue.engine.executions(account, pair.symbol, **chosen, **part._asdict())
    return [
        {
            "symbol": pair.id, "id": one.id, "orderId": one.order_id, "orderListId": -1,
            "price": pair.price(one.price), "qty": pair.quantity(one.quantity),
            "quoteQty": exact(round(one.quote_quantity, 8)), "commission": money(one.fee),
            "commissionAsset": one.fee_asset, "time": one.ts, "isBuyer": one.side == "buy", "isMaker": one.maker,
            "isBestMatch": True,
        }
        for one in found
    ]  # fmt: skip
