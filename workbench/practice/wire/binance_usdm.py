"""Binance's USD-M futures exchange: hosts, endpoints and their weights, websockets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from workbench.practice.wire import binance_funding as funding
from workbench.practice.wire import binance_info as info
from workbench.practice.wire import binance_prices as prices
from workbench.practice.wire import binance_usdm_account as accounts
from workbench.practice.wire import binance_usdm_algo as algo
from workbench.practice.wire import binance_usdm_orders as orders
from workbench.practice.wire import binance_users as users
from workbench.practice.wire.binance import Binance, Endpoint
from workbench.practice.wire.binance_api_talk import ApiTalk, UserTalk
from workbench.practice.wire.binance_talks import StreamTalk
from workbench.practice.wire.binance_usdm_orders import cancel_plain
from workbench.practice.wire.binance_usdm_user import UsdmTeller
from workbench.practice.wire.binance_words import Params
from workbench.practice.wire.protocol import Backing, Call, Socket, Talk

__all__ = ["BinanceUsdm"]

_API: Final = "/fapi/v1"


def _depth_weight(params: Params) -> int:
    limit = params.integer("limit", 500)
    return next(weight for most, weight in ((50, 2), (100, 5), (500, 10), (1 << 60, 20)) if limit <= most)


def _candles_weight(params: Params) -> int:
    limit = params.integer("limit", 500)
    return next(weight for most, weight in ((99, 1), (499, 2), (1_000, 5), (1 << 60, 10)) if limit <= most)


def _by_symbol(one: int, all_: int) -> Any:
    return lambda params: one if params.has("symbol") else all_


_PUBLIC: Final = {
    ("GET", f"{_API}/ping"): Endpoint(prices.ping),
    ("GET", f"{_API}/time"): Endpoint(prices.server_time),
    ("GET", f"{_API}/exchangeInfo"): Endpoint(info.futures_info),
    ("GET", f"{_API}/depth"): Endpoint(prices.depth, _depth_weight),
    ("GET", f"{_API}/trades"): Endpoint(prices.recent_trades, 5),
    ("GET", f"{_API}/historicalTrades"): Endpoint(prices.recent_trades, 20, "key"),
    ("GET", f"{_API}/aggTrades"): Endpoint(prices.aggregate_trades, 20),
    ("GET", f"{_API}/klines"): Endpoint(prices.candles, _candles_weight),
    ("GET", f"{_API}/markPriceKlines"): Endpoint(prices.mark_candles, _candles_weight),
    ("GET", f"{_API}/indexPriceKlines"): Endpoint(prices.mark_candles, _candles_weight),
    ("GET", f"{_API}/premiumIndex"): Endpoint(funding.premium_index, _by_symbol(1, 10)),
    ("GET", f"{_API}/fundingRate"): Endpoint(funding.funding_rates),
    ("GET", f"{_API}/fundingInfo"): Endpoint(funding.funding_info),
    ("GET", f"{_API}/openInterest"): Endpoint(funding.open_interest),
    ("GET", f"{_API}/ticker/24hr"): Endpoint(prices.day_tickers, _by_symbol(1, 40)),
    ("GET", f"{_API}/ticker/price"): Endpoint(prices.last_prices, _by_symbol(1, 2)),
    ("GET", "/fapi/v2/ticker/price"): Endpoint(prices.last_prices, _by_symbol(1, 2)),
    ("GET", f"{_API}/ticker/bookTicker"): Endpoint(prices.best_prices, _by_symbol(2, 5)),
    ("GET", f"{_API}/leverageBracket"): Endpoint(info.brackets, 1, "signed"),
    ("GET", f"{_API}/commissionRate"): Endpoint(info.commission_rate, 20, "signed"),
}


_PRIVATE: Final = {
    ("GET", "/fapi/v2/account"): Endpoint(accounts.account_info, 5, "signed"),
    ("GET", "/fapi/v3/account"): Endpoint(accounts.account_info, 5, "signed"),
    ("GET", "/fapi/v2/balance"): Endpoint(accounts.balances, 5, "signed"),
    ("GET", "/fapi/v3/balance"): Endpoint(accounts.balances, 5, "signed"),
    ("GET", "/fapi/v2/positionRisk"): Endpoint(accounts.position_risk, 5, "signed"),
    ("GET", "/fapi/v3/positionRisk"): Endpoint(accounts.position_risk, 5, "signed"),
    ("GET", f"{_API}/accountConfig"): Endpoint(accounts.account_config, 5, "signed"),
    ("GET", f"{_API}/symbolConfig"): Endpoint(accounts.symbol_config, 5, "signed"),
    ("GET", f"{_API}/multiAssetsMargin"): Endpoint(accounts.get_margin_mode, 30, "signed"),
    ("GET", f"{_API}/positionSide/dual"): Endpoint(accounts.get_position_mode, 30, "signed"),
    ("POST", f"{_API}/positionSide/dual"): Endpoint(accounts.set_position_mode, 1, "signed"),
    ("POST", f"{_API}/leverage"): Endpoint(accounts.set_leverage, 1, "signed"),
    ("POST", f"{_API}/marginType"): Endpoint(accounts.set_margin_type, 1, "signed"),
    ("GET", f"{_API}/income"): Endpoint(accounts.income, 30, "signed"),
    ("POST", f"{_API}/order"): Endpoint(orders.new_order, 1, "signed", order=True),
    ("POST", f"{_API}/order/test"): Endpoint(orders.test_order, 1, "signed"),
    ("GET", f"{_API}/order"): Endpoint(orders.get_order, 1, "signed"),
    ("PUT", f"{_API}/order"): Endpoint(orders.amend_order, 1, "signed", order=True),
    ("DELETE", f"{_API}/order"): Endpoint(orders.cancel_order, 1, "signed"),
    ("POST", f"{_API}/batchOrders"): Endpoint(orders.send_many, 5, "signed", order=True),
    ("PUT", f"{_API}/batchOrders"): Endpoint(orders.amend_many, 5, "signed", order=True),
    ("DELETE", f"{_API}/batchOrders"): Endpoint(orders.cancel_many, 1, "signed"),
    ("GET", f"{_API}/openOrder"): Endpoint(orders.get_open_order, 1, "signed"),
    ("GET", f"{_API}/openOrders"): Endpoint(orders.open_orders, _by_symbol(1, 40), "signed"),
    ("DELETE", f"{_API}/allOpenOrders"): Endpoint(orders.cancel_all, 1, "signed"),
    ("GET", f"{_API}/allOrders"): Endpoint(orders.all_orders, 5, "signed"),
    ("GET", f"{_API}/userTrades"): Endpoint(orders.user_trades, 5, "signed"),
    ("POST", f"{_API}/countdownCancelAll"): Endpoint(lambda *given: _count_down(*given), 10, "signed"),
    ("POST", f"{_API}/algoOrder"): Endpoint(algo.new_algo, 1, "signed", order=True),
    ("GET", f"{_API}/algoOrder"): Endpoint(algo.get_algo, 1, "signed"),
    ("DELETE", f"{_API}/algoOrder"): Endpoint(algo.cancel_algo, 1, "signed"),
    ("DELETE", f"{_API}/algoOpenOrders"): Endpoint(algo.cancel_algos, 1, "signed"),
    ("GET", f"{_API}/openAlgoOrders"): Endpoint(algo.open_algos, _by_symbol(1, 40), "signed"),
    ("GET", f"{_API}/allAlgoOrders"): Endpoint(algo.all_algos, 5, "signed"),
    ("POST", f"{_API}/listenKey"): Endpoint(users.new_key, 1, "key"),
    ("PUT", f"{_API}/listenKey"): Endpoint(users.keep_key, 1, "key"),
    ("DELETE", f"{_API}/listenKey"): Endpoint(users.drop_key, 1, "key"),
}

_METHODS: Final = {
    "depth": ("GET", f"{_API}/depth"),
    "ticker.price": ("GET", f"{_API}/ticker/price"),
    "ticker.book": ("GET", f"{_API}/ticker/bookTicker"),
    "account.status": ("GET", "/fapi/v3/account"),
    "v2/account.status": ("GET", "/fapi/v3/account"),
    "account.balance": ("GET", "/fapi/v3/balance"),
    "v2/account.balance": ("GET", "/fapi/v3/balance"),
    "account.position": ("GET", "/fapi/v3/positionRisk"),
    "v2/account.position": ("GET", "/fapi/v3/positionRisk"),
    "order.place": ("POST", f"{_API}/order"),
    "order.modify": ("PUT", f"{_API}/order"),
    "order.status": ("GET", f"{_API}/order"),
    "order.cancel": ("DELETE", f"{_API}/order"),
    "algoOrder.place": ("POST", f"{_API}/algoOrder"),
    "algoOrder.cancel": ("DELETE", f"{_API}/algoOrder"),
    "userDataStream.start": ("POST", f"{_API}/listenKey"),
    "userDataStream.ping": ("PUT", f"{_API}/listenKey"),
    "userDataStream.stop": ("DELETE", f"{_API}/listenKey"),
}


class BinanceUsdm(Binance):
    """Binance's exchange for perpetuals that are settled in USDT or USDC."""

    name = "binanceusdm"
    hosts = ("fapi.binance.com", "fstream.binance.com", "ws-fapi.binance.com")
    wallet = "linear"
    futures = True
    table: ClassVar[Mapping[tuple[str, str], Endpoint]] = _PUBLIC | _PRIVATE
    usual_limits = (2_400, 300, 200_000)

    def __init__(self, backing: Backing) -> None:
        self._teller = UsdmTeller(self)
        self._countdowns: dict[tuple[str, str], int] = {}
        super().__init__(backing)

    def open(self, call: Call, socket: Socket) -> Talk | None:
        """Begin to talk on a websocket; see `Protocol.open`."""
        if call.path == "/ws-fapi/v1":
            return ApiTalk(self, socket, _METHODS)
        key = call.params.get("listenKey", "") or call.path.rpartition("/")[2]
        account = self.users.account_of(key)
        if account or call.path.startswith("/private"):
            return UserTalk(self, socket, account) if account else None
        path = call.path.removeprefix("/public").removeprefix("/market")
        if path == "/stream" or path == "/ws" or path.startswith("/ws/"):
            return StreamTalk(self, socket, call)
        return None

    def heard(self, message: Any) -> None:
        """Take a message of the engine."""
        super().heard(message)
        if hasattr(message, "account"):
            for account, event in self._teller.events(message):
                self.users.tell(account, event)

    def settle(self) -> None:
        """Say what was collected of a trade."""
        for account, event in self._teller.settle():
            self.users.tell(account, event)

    def count_down(self, account: str, symbol: str, length_ms: int) -> None:
        """Cancel the open orders of a symbol in a while, unless told again before; 0 ends that."""
        self._countdowns.pop((account, symbol), None)
        if length_ms:
            self._countdowns[account, symbol] = self.backing.now() + length_ms

    def due(self) -> int | None:
        """Give when the first countdown ends; see `Protocol.due`."""
        return min(self._countdowns.values(), default=None)

    def moved(self, now: int) -> None:
        """Cancel where a countdown has ended, and send what time has made due; see `Protocol.moved`."""
        for (account, symbol), end in tuple(self._countdowns.items()):
            if end <= now:
                del self._countdowns[account, symbol]
                cancel_plain(self, symbol, account)
        super().moved(now)


def _count_down(venue: BinanceUsdm, params: Params, account: str) -> Any:
    """Cancel all open orders of a symbol in a while."""
    pair, length = venue.pair(params), params.integer("countdownTime")
    venue.count_down(account, pair.symbol, length)
    return {"symbol": pair.id, "countdownTime": str(length)}
