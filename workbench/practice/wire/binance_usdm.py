"""Binance's USD-M futures exchange: hosts, endpoints and their weights, websockets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from workbench.practice.wire import binance_funding as funding
from workbench.practice.wire import binance_info as info
from workbench.practice.wire import binance_prices as prices
from workbench.practice.wire.binance import Binance, Endpoint
from workbench.practice.wire.binance_streams import MarketStreams
from workbench.practice.wire.binance_talks import StreamTalk
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


class BinanceUsdm(Binance):
    """Binance's exchange for perpetuals that are settled in USDT or USDC."""

    name = "binanceusdm"
    hosts = ("fapi.binance.com", "fstream.binance.com", "ws-fapi.binance.com")
    wallet = "linear"
    futures = True
    table: ClassVar[Mapping[tuple[str, str], Endpoint]] = _PUBLIC
    usual_limits: ClassVar[Mapping[str, int]] = {"weight_1m": 2_400, "orders_10s": 300, "orders_1d": 200_000}

    def __init__(self, backing: Backing) -> None:
        super().__init__(backing)
        self.streams = MarketStreams(self)
        self.engine.listen(self.heard)

    def open(self, call: Call, socket: Socket) -> Talk | None:
        """Begin to talk on a websocket; see `Protocol.open`."""
        path = call.path.removeprefix("/public").removeprefix("/market")
        if path == "/stream" or path == "/ws" or path.startswith("/ws/"):
            return StreamTalk(self, socket, call)
        return None

    def heard(self, message: Any) -> None:
        """Take a message of the engine."""
        self.streams.heard(message)

    def moved(self, now: int) -> None:
        """Send what time alone has made due; see `Protocol.moved`."""
        self.streams.moved(now)
