"""Binance's spot exchange: hosts, endpoints and their weights, websockets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from workbench.practice.wire import binance_info as info
from workbench.practice.wire import binance_moves as moves
from workbench.practice.wire import binance_prices as prices
from workbench.practice.wire import binance_spot_account as accounts
from workbench.practice.wire import binance_spot_orders as orders
from workbench.practice.wire.binance import Binance, Endpoint
from workbench.practice.wire.binance_api_talk import ApiTalk
from workbench.practice.wire.binance_spot_user import spot_events
from workbench.practice.wire.binance_talks import StreamTalk
from workbench.practice.wire.binance_words import Params
from workbench.practice.wire.protocol import Call, Socket, Talk

__all__ = ["BinanceSpot"]

_API: Final = "/api/v3"


def _depth_weight(params: Params) -> int:
    limit = params.integer("limit", 100)
    return next(weight for most, weight in ((100, 5), (500, 25), (1_000, 50), (1 << 60, 250)) if limit <= most)


def _ticker_weight(params: Params) -> int:
    if params.has("symbol"):
        return 2
    names = len(params.names("symbols")) if params.has("symbols") else 1 << 60
    return 2 if names <= 20 else 40 if names <= 100 else 80


def _price_weight(params: Params) -> int:
    return 2 if params.has("symbol") else 4


_PUBLIC: Final = {
    ("GET", f"{_API}/ping"): Endpoint(prices.ping),
    ("GET", f"{_API}/time"): Endpoint(prices.server_time),
    ("GET", f"{_API}/exchangeInfo"): Endpoint(info.spot_info, 20),
    ("GET", f"{_API}/depth"): Endpoint(prices.depth, _depth_weight),
    ("GET", f"{_API}/trades"): Endpoint(prices.recent_trades, 25),
    ("GET", f"{_API}/historicalTrades"): Endpoint(prices.recent_trades, 25, "key"),
    ("GET", f"{_API}/aggTrades"): Endpoint(prices.aggregate_trades, 4),
    ("GET", f"{_API}/klines"): Endpoint(prices.candles, 2),
    ("GET", f"{_API}/uiKlines"): Endpoint(prices.candles, 2),
    ("GET", f"{_API}/avgPrice"): Endpoint(prices.average_price, 2),
    ("GET", f"{_API}/ticker/24hr"): Endpoint(prices.day_tickers, _ticker_weight),
    ("GET", f"{_API}/ticker/price"): Endpoint(prices.last_prices, _price_weight),
    ("GET", f"{_API}/ticker/bookTicker"): Endpoint(prices.best_prices, _price_weight),
    # A client that was told to load everything asks for these; there are none here.
    ("GET", "/dapi/v1/exchangeInfo"): Endpoint(lambda *_: {"symbols": [], "rateLimits": [], "timezone": "UTC"}),
    ("GET", "/eapi/v1/exchangeInfo"): Endpoint(lambda *_: {"optionSymbols": [], "optionContracts": []}),
    ("GET", "/sapi/v1/margin/allPairs"): Endpoint(info.nothing, 1, "key"),
    ("GET", "/sapi/v1/margin/isolated/allPairs"): Endpoint(info.nothing, 1, "signed"),
    ("GET", "/sapi/v1/margin/allAssets"): Endpoint(info.nothing, 1, "key"),
    ("GET", "/sapi/v1/capital/config/getall"): Endpoint(info.coins, 10, "signed"),
    ("GET", "/sapi/v1/asset/tradeFee"): Endpoint(info.trade_fees, 1, "signed"),
}


def _open_weight(params: Params) -> int:
    return 6 if params.has("symbol") else 80


_PRIVATE: Final = {
    ("GET", f"{_API}/account"): Endpoint(accounts.account_info, 20, "signed"),
    ("GET", f"{_API}/rateLimit/order"): Endpoint(accounts.order_usage, 40, "signed"),
    ("POST", f"{_API}/order"): Endpoint(orders.new_order, 1, "signed", order=True),
    ("POST", f"{_API}/order/test"): Endpoint(orders.test_order, 1, "signed"),
    ("GET", f"{_API}/order"): Endpoint(orders.get_order, 4, "signed"),
    ("DELETE", f"{_API}/order"): Endpoint(orders.cancel_order, 1, "signed"),
    ("POST", f"{_API}/order/cancelReplace"): Endpoint(orders.replace_order, 1, "signed", order=True),
    ("PUT", f"{_API}/order/amend/keepPriority"): Endpoint(orders.amend_order, 4, "signed"),
    ("GET", f"{_API}/openOrders"): Endpoint(orders.open_orders, _open_weight, "signed"),
    ("DELETE", f"{_API}/openOrders"): Endpoint(orders.cancel_all, 1, "signed"),
    ("GET", f"{_API}/allOrders"): Endpoint(orders.all_orders, 20, "signed"),
    ("GET", f"{_API}/myTrades"): Endpoint(orders.my_trades, 20, "signed"),
    ("POST", f"{_API}/orderList/oco"): Endpoint(accounts.new_list, 1, "signed", order=True),
    ("POST", f"{_API}/order/oco"): Endpoint(accounts.old_list, 1, "signed", order=True),
    ("GET", f"{_API}/orderList"): Endpoint(accounts.get_list, 4, "signed"),
    ("DELETE", f"{_API}/orderList"): Endpoint(accounts.cancel_list, 1, "signed"),
    ("GET", f"{_API}/allOrderList"): Endpoint(accounts.order_lists, 20, "signed"),
    ("GET", f"{_API}/openOrderList"): Endpoint(accounts.open_lists, 6, "signed"),
    ("GET", "/sapi/v1/account/apiRestrictions"): Endpoint(accounts.key_rights, 1, "signed"),
    ("POST", "/sapi/v1/asset/transfer"): Endpoint(moves.transfer, 1, "signed"),
    ("GET", "/sapi/v1/asset/transfer"): Endpoint(moves.transfers, 1, "signed"),
    ("GET", "/sapi/v1/margin/interestHistory"): Endpoint(moves.interest, 1, "signed"),
    ("GET", "/sapi/v1/capital/deposit/hisrec"): Endpoint(moves.deposits, 1, "signed"),
    ("GET", "/sapi/v1/capital/withdraw/history"): Endpoint(moves.withdrawals, 1, "signed"),
}

_METHODS: Final = {
    "ping": ("GET", f"{_API}/ping"),
    "time": ("GET", f"{_API}/time"),
    "exchangeInfo": ("GET", f"{_API}/exchangeInfo"),
    "depth": ("GET", f"{_API}/depth"),
    "klines": ("GET", f"{_API}/klines"),
    "trades.recent": ("GET", f"{_API}/trades"),
    "trades.historical": ("GET", f"{_API}/historicalTrades"),
    "trades.aggregate": ("GET", f"{_API}/aggTrades"),
    "ticker.24hr": ("GET", f"{_API}/ticker/24hr"),
    "ticker.price": ("GET", f"{_API}/ticker/price"),
    "ticker.book": ("GET", f"{_API}/ticker/bookTicker"),
    "account.status": ("GET", f"{_API}/account"),
    "account.rateLimits.orders": ("GET", f"{_API}/rateLimit/order"),
    "order.place": ("POST", f"{_API}/order"),
    "order.test": ("POST", f"{_API}/order/test"),
    "order.status": ("GET", f"{_API}/order"),
    "order.cancel": ("DELETE", f"{_API}/order"),
    "order.cancelReplace": ("POST", f"{_API}/order/cancelReplace"),
    "order.amend.keepPriority": ("PUT", f"{_API}/order/amend/keepPriority"),
    "openOrders.status": ("GET", f"{_API}/openOrders"),
    "openOrders.cancelAll": ("DELETE", f"{_API}/openOrders"),
    "allOrders": ("GET", f"{_API}/allOrders"),
    "myTrades": ("GET", f"{_API}/myTrades"),
    "orderList.place.oco": ("POST", f"{_API}/orderList/oco"),
    "orderList.status": ("GET", f"{_API}/orderList"),
    "orderList.cancel": ("DELETE", f"{_API}/orderList"),
}


class BinanceSpot(Binance):
    """Binance's spot exchange."""

    name = "binance"
    hosts = ("api.binance.com", "stream.binance.com", "ws-api.binance.com", "dapi.binance.com", "eapi.binance.com")
    wallet = "spot"
    futures = False
    table: ClassVar[Mapping[tuple[str, str], Endpoint]] = _PUBLIC | _PRIVATE
    usual_limits = (6_000, 100, 200_000)

    def open(self, call: Call, socket: Socket) -> Talk | None:
        """Begin to talk on a websocket; see `Protocol.open`."""
        if call.path == "/ws-api/v3":
            return ApiTalk(self, socket, _METHODS)
        if call.path == "/stream" or call.path.startswith("/ws/") or call.path == "/ws":
            return StreamTalk(self, socket, call)
        return None

    def heard(self, message: Any) -> None:
        """Take a message of the engine."""
        super().heard(message)
        account = getattr(message, "account", "")
        for event in spot_events(self, message) if account else ():
            self.users.tell(account, event)
