"""Binance's spot endpoints about an account: balances, and one-cancels-the-other lists."""

from __future__ import annotations

from typing import Any

from workbench.practice.engine_records import OrderList, OrderRecord, Refused
from workbench.practice.wire.binance import Binance
from workbench.practice.wire.binance_orders import named, unknown_to_cancel
from workbench.practice.wire.binance_spot_orders import canceled_row, order_row, read_order
from workbench.practice.wire.binance_words import Params, exact, money

__all__ = [
    "account_info",
    "cancel_list",
    "get_list",
    "key_rights",
    "list_row",
    "new_list",
    "old_list",
    "open_lists",
    "order_lists",
    "order_usage",
]


def account_info(venue: Binance, params: Params, account: str) -> Any:
    """Give balances and what may be done."""
    facts = next(iter(venue.pairs.values())).instrument if venue.pairs else None
    maker, taker = (facts.maker_fee, facts.taker_fee) if facts else (0.0, 0.0)
    hide = params.truth("omitZeroBalances")
    balances = venue.engine.balances(account, "spot")
    return {
        "makerCommission": round(maker * 10_000), "takerCommission": round(taker * 10_000), "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {"maker": exact(maker), "taker": exact(taker), "buyer": exact(0.0), "seller": exact(0.0)},
        "canTrade": True, "canWithdraw": False, "canDeposit": False, "brokered": False,
        "requireSelfTradePrevention": False, "preventSor": False, "updateTime": venue.now(), "accountType": "SPOT",
        "balances": [
            {"asset": one.asset, "free": money(one.free), "locked": money(one.locked)}
            for one in balances
            if not hide or one.free or one.locked
        ],
        "permissions": ["SPOT"], "uid": 1,
    }  # fmt: skip


def key_rights(venue: Binance, params: Params, account: str) -> Any:
    """Give what the key that asks may do."""
    trades, withdraws = (venue.asking.trades, venue.asking.withdraws) if venue.asking is not None else (False, False)
    return {
        "ipRestrict": False, "createTime": venue.now(), "enableReading": True, "enableWithdrawals": withdraws,
        "enableInternalTransfer": False, "enableMargin": False, "enableFutures": trades,
        "permitsUniversalTransfer": False, "enableVanillaOptions": False, "enableFixApiTrade": False,
        "enableFixReadOnly": False, "enableSpotAndMarginTrading": trades, "enablePortfolioMarginTrading": False,
    }  # fmt: skip


def order_usage(venue: Binance, params: Params, account: str) -> Any:
    """Give how many orders an account has sent of those it may."""
    return [
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": venue.limits.orders_10s},
        {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": venue.limits.orders_1d},
    ]


def new_list(venue: Binance, params: Params, account: str) -> Any:
    """Send two orders of which one cancels the other."""
    above, below = (read_order(venue, params, prefix) for prefix in ("above", "below"))
    return _sent(venue, params, account, above, below)


def old_list(venue: Binance, params: Params, account: str) -> Any:
    """Send the same in the words of before: a limit order and a stop."""
    pair, limited = venue.pair(params), params.has("stopLimitPrice")
    common = {name: params.text(name) for name in ("symbol", "side", "quantity")}
    words = {
        "aboveType": "LIMIT_MAKER", "abovePrice": params.text("price"),
        "aboveClientOrderId": params.text("limitClientOrderId", ""),
        "belowType": "STOP_LOSS_LIMIT" if limited else "STOP_LOSS", "belowStopPrice": params.text("stopPrice"),
        "belowPrice": params.text("stopLimitPrice", ""),
        "belowTimeInForce": params.text("stopLimitTimeInForce", "GTC"),
        "belowClientOrderId": params.text("stopClientOrderId", ""),
    }  # fmt: skip
    told = Params({**common, **words, "symbol": pair.id})
    first, second = (read_order(venue, told, prefix) for prefix in ("above", "below"))
    return _sent(venue, params, account, first, second)


def _sent(venue: Binance, params: Params, account: str, *requests: Any) -> Any:
    return list_row(venue, account, venue.engine.submit_list(account, requests, params.text("listClientOrderId", "")))


def list_row(venue: Binance, account: str, one: OrderList, *, reports: bool = True) -> dict[str, Any]:
    """Write an order list, with its orders."""
    pair = venue.by_symbol[one.symbol]
    orders: list[OrderRecord] = [venue.engine.order(account, one.symbol, id=number) for number in one.order_ids]
    status = ("EXEC_STARTED", "EXECUTING") if one.status == "open" else ("ALL_DONE", "ALL_DONE")
    row = {
        "orderListId": one.id, "contingencyType": "OCO", "listStatusType": status[0], "listOrderStatus": status[1],
        "listClientOrderId": one.client_id, "transactionTime": one.ts, "symbol": pair.id,
        "orders": [{"symbol": pair.id, "orderId": o.id, "clientOrderId": o.client_id} for o in orders],
    }  # fmt: skip
    if reports:
        write = order_row if one.status == "open" else canceled_row
        row["orderReports"] = [write(venue, order) for order in orders]
    return row


def get_list(venue: Binance, params: Params, account: str) -> Any:
    """Give an order list."""
    found = venue.engine.order_list(account, **named(params, "orderListId"))
    return list_row(venue, account, found, reports=False)


def order_lists(venue: Binance, params: Params, account: str) -> Any:
    """Give order lists."""
    found = venue.engine.order_lists(account)
    return [list_row(venue, account, one, reports=False) for one in found]


def open_lists(venue: Binance, params: Params, account: str) -> Any:
    """Give open order lists."""
    found = venue.engine.order_lists(account, only_open=True)
    return [list_row(venue, account, one, reports=False) for one in found]


def cancel_list(venue: Binance, params: Params, account: str) -> Any:
    """Cancel an order list."""
    wanted = named(params, "orderListId", "listClientOrderId")
    try:
        found = venue.engine.cancel_list(account, venue.pair(params).symbol, **wanted)
    except Refused as error:
        raise unknown_to_cancel() from error
    return list_row(venue, account, found)
