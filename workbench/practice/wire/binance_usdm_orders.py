"""Binance's futures endpoints about orders: send, test, ask, cancel, amend, many at once, and what became of them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, Final

from workbench.practice.engine_records import Execution, OrderRecord, Refused, Request
from workbench.practice.wire.binance import Binance
from workbench.practice.wire.binance_errors import BinanceError, worded
from workbench.practice.wire.binance_orders import SIDES, named, span, status_of, unknown_to_cancel
from workbench.practice.wire.binance_words import Pair, Params, exact, money

__all__ = [
    "LEGS",
    "TIMES",
    "all_orders",
    "amend_many",
    "amend_order",
    "cancel_all",
    "cancel_many",
    "cancel_order",
    "conditional",
    "get_open_order",
    "get_order",
    "leg_of",
    "new_order",
    "open_orders",
    "order_row",
    "read_common",
    "send_many",
    "test_order",
    "timing",
    "type_of",
    "user_trades",
]

LEGS: Final = {"BOTH": "net", "LONG": "long", "SHORT": "short"}
_LEG_WORDS: Final = {leg: word for word, leg in LEGS.items()}
TIMES: Final = ("GTC", "IOC", "FOK", "GTX", "GTD")
_PLAIN: Final = {"LIMIT": "limit", "MARKET": "market"}
_CONDITIONAL: Final = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET")
_WORDS: Final = {
    "market": "MARKET", "limit": "LIMIT", "stop": "STOP_MARKET", "stop_limit": "STOP",
    "take_profit": "TAKE_PROFIT_MARKET", "take_profit_limit": "TAKE_PROFIT", "trailing_stop": "TRAILING_STOP_MARKET",
}  # fmt: skip
_MOST_IN_A_BATCH: Final = 5


def type_of(order: OrderRecord) -> str:
    """Give futures' word for the type of an order."""
    return _WORDS[order.type]


def leg_of(leg: str) -> str:
    """Give the word for the position that an order changes."""
    return _LEG_WORDS[leg]


def conditional(order: OrderRecord) -> bool:
    """Tell whether an order waits for, or waited for, a trigger: Binance keeps those apart."""
    return order.type not in ("market", "limit")


def timing(params: Params, *, timed: bool) -> dict[str, Any]:
    """Read how long an order is good, as fields of a request."""
    word = params.one_of("timeInForce", TIMES, None if timed else "GTC")
    expires = params.integer("goodTillDate") if word == "GTD" else None
    return {"time_in_force": "GTC" if word == "GTX" else word, "post_only": word == "GTX", "expires": expires}


def read_common(venue: Binance, params: Params) -> tuple[Pair, dict[str, Any]]:
    """Read what all new orders say: symbol, side, leg, quantity, whether they only reduce."""
    pair = venue.pair(params)
    quantity = params.number("quantity", pair.quantity_places)
    return pair, {
        "symbol": pair.symbol, "side": SIDES[params.one_of("side", SIDES)],
        "leg": LEGS[params.one_of("positionSide", LEGS, "BOTH")], "quantity": quantity,
        "reduce_only": params.truth("reduceOnly"), "close_position": params.truth("closePosition"),
    }  # fmt: skip


def _read(venue: Binance, params: Params) -> Request:
    word = params.one_of("type", (*_PLAIN, *_CONDITIONAL))
    if word in _CONDITIONAL:
        raise BinanceError(
            -4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."
        )
    pair, fields = read_common(venue, params)
    kind: Any = _PLAIN[word]
    if math.isnan(fields["quantity"]):
        params.text("quantity")
    limited = kind == "limit"
    if limited:
        params.text("price")
    return Request(
        **fields, **timing(params, timed=limited), type=kind,
        price=params.number("price", pair.price_places) if limited else math.nan,
        client_id=params.text("newClientOrderId", ""),
    )  # fmt: skip


def new_order(venue: Binance, params: Params, account: str) -> Any:
    """Send an order."""
    style = params.one_of("newOrderRespType", ("ACK", "RESULT"), "ACK")
    order = venue.engine.submit(account, _read(venue, params))
    row = order_row(venue, order)
    if style == "ACK":  # it says what was sent, not what came of it
        pair = venue.by_symbol[order.symbol]
        row |= {"status": "NEW", "executedQty": pair.quantity(0.0), "cumQty": pair.quantity(0.0), "avgPrice": "0.00"}
        row |= {"cumQuote": "0.00000"}
    return row


def test_order(venue: Binance, params: Params, account: str) -> Any:
    """Judge an order without taking it."""
    venue.engine.test(account, _read(venue, params))
    return {}


def order_row(venue: Binance, order: OrderRecord) -> dict[str, Any]:
    """Write an order."""
    pair = venue.by_symbol[order.symbol]
    triggered = order.triggered and conditional(order)
    word = ("LIMIT" if order.type.endswith("limit") else "MARKET") if triggered else type_of(order)
    return {
        "orderId": order.id, "symbol": pair.id, "status": status_of(order), "clientOrderId": order.client_id,
        "price": pair.price(order.price),
        "avgPrice": exact(round(order.average_price, 8), 2) if order.filled else "0.00",
        "origQty": pair.quantity(order.quantity if math.isfinite(order.quantity) else order.filled),
        "executedQty": pair.quantity(order.filled), "cumQty": pair.quantity(order.filled),
        "cumQuote": exact(round(order.quote_filled, 8), 5),
        "timeInForce": "GTX" if order.post_only else order.time_in_force, "type": word,
        "reduceOnly": order.reduce_only, "closePosition": order.close_position, "side": order.side.upper(),
        "positionSide": leg_of(order.leg), "stopPrice": pair.price(order.stop_price), "workingType": "CONTRACT_PRICE",
        "priceProtect": False, "origType": word, "priceMatch": "NONE", "selfTradePreventionMode": "NONE",
        "goodTillDate": order.expires or 0, "time": order.created, "updateTime": order.updated,
    }  # fmt: skip


def _find(venue: Binance, params: Params, account: str) -> OrderRecord:
    """Give the order that is meant, unless it waits for a trigger: those have endpoints of their own."""
    order: OrderRecord = venue.engine.order(account, venue.pair(params).symbol, **named(params))
    if conditional(order) and not order.triggered:
        raise BinanceError(-2013, "Order does not exist.")
    return order


def get_order(venue: Binance, params: Params, account: str) -> Any:
    """Give an order."""
    return order_row(venue, _find(venue, params, account))


def get_open_order(venue: Binance, params: Params, account: str) -> Any:
    """Give an order that is open."""
    order = _find(venue, params, account)
    if not order.open:
        raise BinanceError(-2013, "Order does not exist.")
    return order_row(venue, order)


def cancel_order(venue: Binance, params: Params, account: str) -> Any:
    """Cancel an order."""
    try:
        order = _find(venue, params, account)
        return order_row(venue, venue.engine.cancel(account, order.symbol, id=order.id))
    except (Refused, BinanceError) as error:
        code = getattr(error, "code", "")
        if code in (-2013, "unknown_order", "order_is_final"):
            raise unknown_to_cancel() from error
        raise


def cancel_all(venue: Binance, params: Params, account: str) -> Any:
    """Cancel all open orders of a symbol that wait for no trigger."""
    cancel_plain(venue, venue.pair(params).symbol, account)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def cancel_plain(venue: Binance, symbol: str, account: str) -> None:
    """Cancel the open orders of a symbol that wait for no trigger."""
    for order in venue.engine.open_orders(account, symbol, venue.wallet):
        if not conditional(order) or order.triggered:
            venue.engine.cancel(account, symbol, id=order.id)


def amend_order(venue: Binance, params: Params, account: str) -> Any:
    """Change the price and quantity of a limit order."""
    pair = venue.pair(params)
    params.one_of("side", SIDES)
    for name in ("quantity", "price"):
        params.text(name)
    order = _find(venue, params, account)
    quantity = params.number("quantity", pair.quantity_places)
    price = params.number("price", pair.price_places)
    if order.open and price == order.price and quantity == order.quantity:
        raise BinanceError(-5027, "No need to modify the order.")
    return order_row(venue, venue.engine.amend(account, pair.symbol, id=order.id, price=price, quantity=quantity))


def send_many(venue: Binance, params: Params, account: str) -> Any:
    """Send up to five orders, each for itself."""
    return [_one(venue, told, account, new_order) for told in _batch(params)]


def amend_many(venue: Binance, params: Params, account: str) -> Any:
    """Change up to five orders, each for itself."""
    return [_one(venue, told, account, amend_order) for told in _batch(params)]


def cancel_many(venue: Binance, params: Params, account: str) -> Any:
    """Cancel up to ten orders of a symbol, each for itself."""
    symbol = params.text("symbol")
    name, word = (
        ("orderIdList", "orderId") if params.has("orderIdList") else ("origClientOrderIdList", "origClientOrderId")
    )
    try:
        numbers = json.loads(params.text(name))
    except json.JSONDecodeError as error:
        raise BinanceError(-1130, f"Data sent for parameter '{name}' is not valid.") from error
    if not isinstance(numbers, list) or not 0 < len(numbers) <= 2 * _MOST_IN_A_BATCH:
        raise BinanceError(-1130, f"Data sent for parameter '{name}' is not valid.")
    return [_one(venue, Params({"symbol": symbol, word: str(one)}), account, cancel_order) for one in numbers]


def _batch(params: Params) -> list[Params]:
    try:
        found = json.loads(params.text("batchOrders"))
    except json.JSONDecodeError as error:
        raise BinanceError(-1130, "Data sent for parameter 'batchOrders' is not valid.") from error
    if not isinstance(found, list) or not 0 < len(found) <= _MOST_IN_A_BATCH:
        raise BinanceError(-4082, "Invalid number of batch orders.")
    if not all(isinstance(one, dict) for one in found):
        raise BinanceError(-4083, "Fail to place batch orders.")
    return [Params({str(name): _plain(value) for name, value in one.items()}) for one in found]


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _one(venue: Binance, params: Params, account: str, work: Callable[[Binance, Params, str], Any]) -> Any:
    try:
        return work(venue, params, account)
    except Refused as error:
        return worded(error, futures=True).body
    except BinanceError as error:
        return error.body


def open_orders(venue: Binance, params: Params, account: str) -> Any:
    """Give open orders that wait for no trigger."""
    symbol = venue.pair(params).symbol if params.has("symbol") else ""
    found = venue.engine.open_orders(account, symbol, venue.wallet)
    return [order_row(venue, one) for one in found if not conditional(one) or one.triggered]


def all_orders(venue: Binance, params: Params, account: str) -> Any:
    """Give orders, open or not, but for those that wait for a trigger."""
    pair, part = venue.pair(params), span(params)
    from_id = params.integer("orderId") if params.has("orderId") else None
    found = venue.engine.orders(account, pair.symbol, from_id=from_id, **part._asdict())
    return [order_row(venue, one) for one in found if not conditional(one) or one.triggered]


def user_trades(venue: Binance, params: Params, account: str) -> Any:
    """Give the executions of an account."""
    pair, part = venue.pair(params), span(params)
    chosen = {
        ours: params.integer(theirs) if params.has(theirs) else None
        for ours, theirs in (("from_id", "fromId"), ("order_id", "orderId"))
    }
    found = venue.engine.executions(account, pair.symbol, **chosen, **part._asdict())

    def commission(one: Execution) -> float:
        return 0.0 if one.client_id.startswith("autoclose-") else one.fee  # a liquidation's is INSURANCE_CLEAR

    return [
        {
            "symbol": pair.id, "id": one.id, "orderId": one.order_id, "side": one.side.upper(),
            "price": pair.price(one.price), "qty": pair.quantity(one.quantity), "realizedPnl": money(one.realised),
            "quoteQty": exact(round(one.quote_quantity, 8)), "commission": money(commission(one)),
            "commissionAsset": one.fee_asset, "time": one.ts, "positionSide": leg_of(one.leg),
            "buyer": one.side == "buy", "maker": one.maker,
        }
        for one in found
    ]  # fmt: skip
