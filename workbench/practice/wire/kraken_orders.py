"""What Kraken is asked about orders and money, by signed requests; the websockets ask the same in other names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from workbench.practice.engine_records import Execution, OrderRecord, Refused, Request
from workbench.practice.wire.kraken_words import (
    ORDER_TYPES,
    KrakenError,
    Pair,
    asset_id,
    described,
    number_of,
    order_id,
    seconds,
    trade_id,
    type_of,
)

if TYPE_CHECKING:
    from workbench.practice.wire.kraken import Kraken

__all__ = [
    "add",
    "amend",
    "balance",
    "balance_ex",
    "cancel",
    "cancel_all",
    "closed_orders",
    "fee_in_quote",
    "find",
    "open_orders",
    "place",
    "query_orders",
    "query_trades",
    "trades_history",
]

_PAGE: Final = 50
_MANY: Final = 1_000
_STATUS: Final = {
    "accepted": "open", "partially_filled": "open", "filled": "closed", "canceled": "canceled", "expired": "expired",
    "rejected": "canceled",
}  # fmt: skip
Params = Mapping[str, Any]


def balance(venue: Kraken, params: Params, account: str) -> Any:
    """Give what there is of each asset."""
    return {asset_id(one.asset): f"{one.wallet:.10f}" for one in venue.engine.balances(account, "spot")}


def balance_ex(venue: Kraken, params: Params, account: str) -> Any:
    """Give what there is of each asset, and what of it is held for orders."""
    return {
        asset_id(one.asset): {"balance": f"{one.wallet:.10f}", "hold_trade": f"{one.locked:.10f}"}
        for one in venue.engine.balances(account, "spot")
    }


def add(venue: Kraken, params: Params, account: str) -> Any:
    """Place an order, or only judge it with `validate`."""
    pair = venue.pair(params.get("pair", ""))
    flags = params.get("oflags", "").split(",")
    told: dict[str, Any] = {
        "quote_quantity" if "viqc" in flags else "quantity": _number(params, "volume"),
        **_prices(params),
        **_lifetime(params),
    }
    wanted = Request(
        symbol=pair.symbol,
        side=_one_of(params, "type", ("buy", "sell")),
        client_id=params.get("cl_ord_id", "") or params.get("userref", ""),
        post_only="post" in flags,
        **told,
    )
    if params.get("validate", "").lower() == "true":
        venue.engine.test(account, wanted)
        return {"descr": {"order": "validated"}}
    order = place(venue, account, wanted)
    return {"descr": {"order": described(order, pair)["order"]}, "txid": [order_id(order.id)]}


def place(venue: Kraken, account: str, wanted: Request) -> OrderRecord:
    """Hand an order to the engine."""
    order: OrderRecord = venue.engine.submit(account, wanted)
    return order


def _prices(params: Params) -> dict[str, Any]:
    """Read the type and the one or two prices that mean something else for each type."""
    kind = ORDER_TYPES[_one_of(params, "ordertype", ORDER_TYPES, default="limit")]
    first = str(params.get("price", ""))
    if kind == "market":
        return {"type": kind}
    if kind == "trailing_stop":
        if not first.endswith("%"):
            raise KrakenError("EGeneral:Invalid arguments:price")
        return {"type": kind, "trail": _number({"price": first.strip("+%")}, "price") / 100}
    if kind == "limit":
        return {"type": kind, "price": _number(params, "price")}
    found = {"type": kind, "stop_price": _number(params, "price")}
    return {**found, "price": _number(params, "price2")} if kind.endswith("_limit") else found


def _lifetime(params: Params) -> dict[str, Any]:
    term = params.get("timeinforce", "").upper() or "GTC"
    if term not in ("GTC", "IOC", "GTD"):
        raise KrakenError("EGeneral:Invalid arguments:timeinforce")
    expires = round(_number(params, "expiretm") * 1_000) if term == "GTD" else None
    return {"time_in_force": term, "expires": expires}


def amend(venue: Kraken, params: Params, account: str) -> Any:
    """Change an order, which keeps its id."""
    order = find(venue, params, account, open_only=True)
    named = {"order_qty": "quantity", "limit_price": "price", "trigger_price": "stop_price"}
    new = {ours: _number(params, theirs) for theirs, ours in named.items() if params.get(theirs)}
    changed = venue.engine.amend(account, order.symbol, id=order.id, **new)
    return {"amend_id": order_id(changed.id)}


def cancel(venue: Kraken, params: Params, account: str) -> Any:
    """Cancel an order by id or client id."""
    order = find(venue, params, account, open_only=True)
    venue.engine.cancel(account, order.symbol, id=order.id)
    return {"count": 1}


def cancel_all(venue: Kraken, params: Params, account: str) -> Any:
    """Cancel all orders."""
    symbols = {order.symbol for order in venue.engine.open_orders(account, wallet="spot")}
    return {"count": sum(len(venue.engine.cancel_all(account, symbol)) for symbol in sorted(symbols))}


def find(venue: Kraken, params: Params, account: str, *, open_only: bool = False) -> OrderRecord:
    """Find the order that `txid` or `cl_ord_id` means; by the latter the newest that has it."""
    number, client = number_of(str(params.get("txid", ""))), str(params.get("cl_ord_id", ""))
    for symbol in venue.pairs:
        try:
            known = {"id": number} if number >= 0 else {"client_id": client or str(params.get("txid", ""))}
            order: OrderRecord = venue.engine.order(account, symbol, **known)
        except Refused:
            continue
        if order.open or not open_only:
            return order
    raise KrakenError("EOrder:Unknown order")


def open_orders(venue: Kraken, params: Params, account: str) -> Any:
    """Give open orders."""
    found = venue.engine.open_orders(account, wallet="spot")
    return {"open": _written(venue, _filtered(found, params))}


def closed_orders(venue: Kraken, params: Params, account: str) -> Any:
    """Give orders that are over, the newest first, fifty at a time."""
    found = [
        order for symbol in venue.pairs for order in venue.engine.orders(account, symbol, limit=_MANY) if not order.open
    ]
    found = sorted(_filtered(found, params), key=lambda order: -order.id)
    page = found[_offset(params) :][:_PAGE]
    return {"closed": _written(venue, page), "count": len(found)}


def _filtered(orders: Iterable[OrderRecord], params: Params) -> list[OrderRecord]:
    client = params.get("cl_ord_id", "") or params.get("userref", "")
    start = _time(params, "start", 0.0)
    end = _time(params, "end", math.inf)
    return [one for one in orders if client in ("", one.client_id) and start <= one.created <= end]


def query_orders(venue: Kraken, params: Params, account: str) -> Any:
    """Give orders by id."""
    wanted = [find(venue, {"txid": one}, account) for one in str(params.get("txid", "")).split(",")]
    return _written(venue, wanted)


def trades_history(venue: Kraken, params: Params, account: str) -> Any:
    """Give own trades, the newest first, fifty at a time."""
    start, end = _time(params, "start", 0.0), _time(params, "end", math.inf)
    found = [
        one
        for symbol in venue.pairs
        for one in venue.engine.executions(account, symbol, limit=_MANY)
        if start <= one.ts <= end
    ]
    found.sort(key=lambda one: -one.id)
    page = found[_offset(params) :][:_PAGE]
    return {"trades": {trade_id(one.id): _trade(venue, account, one) for one in page}, "count": len(found)}


def query_trades(venue: Kraken, params: Params, account: str) -> Any:
    """Give own trades by id."""
    numbers = {number_of(one) for one in str(params.get("txid", "")).split(",")}
    found = [one for symbol in venue.pairs for one in venue.engine.executions(account, symbol, limit=_MANY)]
    return {trade_id(one.id): _trade(venue, account, one) for one in found if one.id in numbers}


def _trade(venue: Kraken, account: str, one: Execution) -> dict[str, Any]:
    pair = venue.pairs[one.symbol]
    order = venue.engine.order(account, one.symbol, id=one.order_id)
    return {
        "ordertxid": order_id(one.order_id), "postxid": "TKH2SE-M7IF5-CFI7LT", "pair": pair.id,
        "time": seconds(one.ts), "type": one.side, "ordertype": type_of(order), "price": pair.price(one.price),
        "cost": f"{one.quote_quantity:.5f}", "fee": f"{fee_in_quote(one, pair):.8f}",
        "vol": pair.quantity(one.quantity), "margin": "0.00000", "leverage": "0", "misc": "",
        "trade_id": one.id, "maker": one.maker,
    }  # fmt: skip


def fee_in_quote(one: Execution, pair: Pair) -> float:
    """Give the fee of an execution in the quote currency, in which Kraken tells it."""
    return one.fee * one.price if one.fee_asset == pair.base else one.fee


def _written(venue: Kraken, orders: Iterable[OrderRecord]) -> dict[str, Any]:
    return {order_id(order.id): _order(order, venue.pairs[order.symbol]) for order in orders}


def _order(order: OrderRecord, pair: Pair) -> dict[str, Any]:
    triggered = order.type in ("stop", "stop_limit", "take_profit", "take_profit_limit")
    in_quote = math.isfinite(order.quote_quantity)
    volume = order.filled if in_quote and not order.open else order.quote_quantity if in_quote else order.quantity
    in_base = pair.base in order.fees or (order.side == "buy" and pair.quote not in order.fees)
    flags = ["fcib" if in_base else "fciq", *(["post"] if order.post_only else [])]
    found = {
        "refid": None, "userref": None, "cl_ord_id": order.client_id or None, "status": _STATUS[order.status],
        "opentm": seconds(order.created), "starttm": 0, "expiretm": seconds(order.expires or 0),
        "descr": described(order, pair), "vol": pair.quantity(volume), "vol_exec": pair.quantity(order.filled),
        "cost": f"{order.quote_filled:.5f}", "fee": f"{sum(order.fees.values()):.8f}",
        "price": pair.price(order.average_price), "stopprice": pair.price(order.stop_price if triggered else 0.0),
        "limitprice": pair.price(order.price if triggered else 0.0), "misc": "",
        "oflags": ",".join(flags),
        "trades": [trade_id(one.id) for one in order.executions],
    }  # fmt: skip
    if not order.open:
        found |= {"closetm": seconds(order.updated), "reason": order.reason or None}
    return found


def _offset(params: Params) -> int:
    return max(int(_number(params, "ofs")), 0) if params.get("ofs") else 0


def _time(params: Params, name: str, default: float) -> float:
    return _number(params, name) * 1_000 if params.get(name) else default


def _number(params: Params, name: str) -> float:
    try:
        found = float(params.get(name, ""))
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise KrakenError(f"EGeneral:Invalid arguments:{name}")
    return found


def _one_of(params: Params, name: str, choices: Iterable[str], default: str = "") -> Any:
    found = params.get(name, "") or default
    if found not in choices:
        raise KrakenError(f"EGeneral:Invalid arguments:{name}")
    return found
