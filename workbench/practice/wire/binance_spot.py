"""Binance's spot exchange: hosts, endpoints and their weights, websockets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from workbench.practice.wire import binance_info as info
from workbench.practice.wire import binance_prices as prices
from workbench.practice.wire.binance import Binance, Endpoint
from workbench.practice.wire.binance_streams import MarketStreams
from workbench.practice.wire.binance_talks import StreamTalk
from workbench.practice.wire.binance_words import Params
from workbench.practice.wire.protocol import Backing, Call, Socket, Talk

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


class BinanceSpot(Binance):
    """Binance's spot exchange."""

    name = "binance"
    hosts = ("api.binance.com", "stream.binance.com", "ws-api.binance.com", "dapi.binance.com", "eapi.binance.com")
    wallet = "spot"
    futures = False
    table: ClassVar[Mapping[tuple[str, str], Endpoint]] = _PUBLIC
    usual_limits: ClassVar[Mapping[str, int]] = {"weight_1m": 6_000, "orders_10s": 100, "orders_1d": 200_000}

    def __init__(self, backing: Backing) -> None:
        super().__init__(backing)
        self.streams = MarketStreams(self)
        self.engine.listen(self.heard)

    def open(self, call: Call, socket: Socket) -> Talk | None:
        """Begin to talk on a websocket; see `Protocol.open`."""
        if call.path == "/stream" or call.path.startswith("/ws/") or call.path == "/ws":
            return StreamTalk(self, socket, call)
        return None

    def heard(self, message: Any) -> None:
        """Take a message of the engine."""
        self.streams.heard(message)

    def moved(self, now: int) -> None:
        """Send what time alone has made due; see `Protocol.moved`."""
        self.streams.moved(now)
