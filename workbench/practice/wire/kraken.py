"""Kraken's spot venue, over HTTP: market data, orders by client id, balances, own trades; all answers have status 200.

Its websockets are in `kraken_streams`, what is asked about orders in `kraken_orders`. A request is signed by
HMAC-SHA512 over path and SHA256 of nonce and body, and its nonce must be above every one that the key has used.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Any, ClassVar, Final

from workbench.practice.engine_records import Refused
from workbench.practice.wire import kraken_orders
from workbench.practice.wire.kraken_streams import KrakenTalk
from workbench.practice.wire.kraken_words import INTERVALS, KrakenError, Pair, asset_id, seconds, worded
from workbench.practice.wire.protocol import Answer, Backing, Call, Protocol, Socket, Talk
from workbench.practice.wire.signing import Credential

__all__ = ["Kraken"]

_PUBLIC: Final = "/0/public/"
_PRIVATE: Final = "/0/private/"
_MOST_CANDLES: Final = 720
_MOST_TRADES: Final = 1_000
_CHANGES: Final = frozenset(("AddOrder", "AmendOrder", "CancelOrder", "CancelAll"))


class Kraken(Protocol):
    """Kraken spot.

    Parameters
    ----------
    backing : Backing

    Attributes
    ----------
    pairs : dict of str to Pair
        By our symbol.
    """

    name: ClassVar[str] = "kraken"
    hosts: ClassVar[tuple[str, ...]] = ("api.kraken.com", "ws.kraken.com", "ws-auth.kraken.com")

    def __init__(self, backing: Backing) -> None:
        super().__init__(backing)
        self.engine = backing.engine
        instruments = [self.engine.instrument(symbol) for symbol in self.engine.symbols]
        self.pairs = {one.symbol: Pair(one) for one in instruments if one.kind == "spot"}
        self._by_name = {
            name: pair for pair in self.pairs.values() for name in (pair.id, pair.altname, pair.wsname, pair.symbol)
        }
        self._nonces: dict[str, int] = {}
        self._tokens: dict[str, str] = {}
        self._talks: list[KrakenTalk] = []
        self.engine.listen(self._heard)

    def now(self) -> int:
        """Tell the time that clients are told, ms UTC: a fault may have it wrong."""
        return self.backing.now() + self.backing.faults.skew_ms(self.name)

    def pair(self, name: str) -> Pair:
        """Give a pair by any of its names."""
        if name not in self._by_name:
            raise KrakenError("EQuery:Unknown asset pair")
        return self._by_name[name]

    def owner(self, token: str) -> str:
        """Give the account that a token of a websocket was made for."""
        if token not in self._tokens:
            raise KrakenError("ESession:Invalid session")
        return self._tokens[token]

    def answer(self, call: Call) -> Answer:
        """Carry a request out; see `Protocol.answer`."""
        self.backing.catch_up()
        try:
            return _answer({"error": [], "result": self._result(call)})
        except KrakenError as error:
            return _answer({"error": [str(error)]})
        except Refused as error:
            return _answer({"error": [worded(error.code)]})

    def refused(self, code: int | str, text: str) -> Answer:
        """Word a refusal; see `Protocol.refused`."""
        return _answer({"error": [text if text.startswith("E") and ":" in text else worded(code)]})

    def open(self, call: Call, socket: Socket) -> Talk | None:
        """Begin to talk; see `Protocol.open`."""
        if call.path != "/v2":
            return None
        talk = KrakenTalk(self, socket, self._talks.remove)
        self._talks.append(talk)
        return talk

    def moved(self, now: int) -> None:
        """Tell websockets what has changed until now; see `Protocol.moved`."""
        for talk in list(self._talks):
            talk.moved()

    def _heard(self, message: Any) -> None:
        for talk in list(self._talks):
            talk.heard(message)

    def _result(self, call: Call) -> Any:
        if call.path.startswith(_PUBLIC):
            public = _OPEN.get(call.path.removeprefix(_PUBLIC))
            if public is None or call.method not in ("GET", "POST"):
                raise KrakenError("EGeneral:Unknown method")
            return public(self, call.params)
        name = call.path.removeprefix(_PRIVATE)
        private = _SIGNED.get(name)
        if not call.path.startswith(_PRIVATE) or private is None or call.method != "POST":
            raise KrakenError("EGeneral:Unknown method")
        params = _params(call)
        credential = self._proven(call, params)
        if name in _CHANGES and not credential.trades:
            raise KrakenError("EGeneral:Permission denied")
        return private(self, params, credential.account)

    def _proven(self, call: Call, params: Mapping[str, Any]) -> Credential:
        """Check key, signature and nonce, in this order."""
        credential = self.backing.keyring.find(call.headers.get("api-key", ""))
        if credential is None:
            raise KrakenError("EAPI:Invalid key")
        nonce = str(params.get("nonce", ""))
        try:
            secret = base64.b64decode(credential.secret, validate=True)
        except binascii.Error as error:
            raise KrakenError("EAPI:Invalid key") from error
        payload = call.path.encode() + hashlib.sha256(nonce.encode() + call.body).digest()
        wanted = base64.b64encode(hmac.new(secret, payload, hashlib.sha512).digest())
        if not hmac.compare_digest(wanted, call.headers.get("api-sign", "").encode()):
            raise KrakenError("EAPI:Invalid signature")
        if not nonce.isdecimal() or len(nonce) > 20 or int(nonce) <= self._nonces.get(credential.key, 0):
            raise KrakenError("EAPI:Invalid nonce")
        self._nonces[credential.key] = int(nonce)
        return credential

    def time(self, params: Mapping[str, str]) -> Any:
        """Tell the time."""
        now = self.now() // 1_000
        return {"unixtime": now, "rfc1123": formatdate(now, usegmt=True)}

    def status(self, params: Mapping[str, str]) -> Any:
        """Tell whether the venue works."""
        return {"status": "online", "timestamp": formatdate(self.now() / 1_000)}

    def assets(self, params: Mapping[str, str]) -> Any:
        """Give all assets of the pairs."""
        names = sorted({name for pair in self.pairs.values() for name in (pair.base, pair.quote)})
        return {
            asset_id(name): {
                "aclass": "currency", "altname": asset_id(name, old=False), "decimals": 10, "display_decimals": 5,
                "status": "enabled",
            }
            for name in names
        }  # fmt: skip

    def asset_pairs(self, params: Mapping[str, str]) -> Any:
        """Give the facts of pairs."""
        return {pair.id: pair.facts(self.engine.status(pair.symbol) == "trading") for pair in self._asked(params)}

    def _asked(self, params: Mapping[str, str]) -> list[Pair]:
        names = params.get("pair", "")
        return [self.pair(name) for name in names.split(",")] if names else list(self.pairs.values())

    def tickers(self, params: Mapping[str, str]) -> Any:
        """Give what happened in 24 hours; Kraken's day and our 24 hours are the same here."""
        found = {}
        for pair in self._asked(params):
            one = self.engine.ticker(pair.symbol)
            price, quantity = pair.price, pair.quantity
            found[pair.id] = {
                "a": [price(one.ask), "1", quantity(one.ask_quantity)],
                "b": [price(one.bid), "1", quantity(one.bid_quantity)],
                "c": [price(one.last), quantity(one.last_quantity)],
                "v": [quantity(one.volume)] * 2, "p": [price(one.average)] * 2, "t": [one.trades] * 2,
                "l": [price(one.low)] * 2, "h": [price(one.high)] * 2, "o": price(one.open),
            }  # fmt: skip
        return found

    def candles(self, params: Mapping[str, str]) -> Any:
        """Give at most the last 720 candles, whatever `since` says, the last of them still open."""
        pair, minutes = self.pair(params.get("pair", "")), _whole(params, "interval", 1)
        if minutes not in INTERVALS:
            raise KrakenError("EGeneral:Invalid arguments")
        since = _whole(params, "since", 0) * 1_000
        columns = self.engine.candles(pair.symbol, INTERVALS[minutes], limit=_MOST_CANDLES)
        rows = []
        for ts, *prices, volume, quote, trades in zip(*columns[:8], strict=True):
            if ts < since:
                continue
            average = quote / volume if volume > 0 else 0.0
            written = [pair.price(float(one)) for one in (*prices, average)]
            rows.append([int(ts) // 1_000, *written, pair.quantity(float(volume)), int(trades)])
        return {pair.id: rows, "last": rows[-2][0] if len(rows) > 1 else since // 1_000}

    def depth(self, params: Mapping[str, str]) -> Any:
        """Give the order book."""
        pair = self.pair(params.get("pair", ""))
        bids, asks, _ = self.engine.book(pair.symbol, min(_whole(params, "count", 100), 500))
        now = self.backing.now() // 1_000
        sides = {"asks": asks, "bids": bids}
        return {
            pair.id: {
                side: [[pair.price(price), f"{quantity:.{pair.quantity_places}f}", now] for price, quantity in levels]
                for side, levels in sides.items()
            }
        }  # fmt: skip

    def trades(self, params: Mapping[str, str]) -> Any:
        """Give trades of the market, from `since` (seconds or nanoseconds) on or the last."""
        pair, limit = self.pair(params.get("pair", "")), min(_whole(params, "count", _MOST_TRADES), _MOST_TRADES)
        since = _whole(params, "since", 0)
        start = (since // 1_000_000 if since > 10**15 else since * 1_000) or None
        rows = [
            [pair.price(one.price), pair.quantity(one.quantity), seconds(one.ts), one.side[0], "m", "", one.id]
            for one in self.engine.trades(pair.symbol, start=start, limit=limit)
            if one.quantity > 0
        ]
        last = round(rows[-1][2] * 1e3) * 1_000_000 if rows else since
        return {pair.id: rows, "last": str(last)}

    def token(self, params: Mapping[str, Any], account: str) -> Any:
        """Make a token that opens the private websockets."""
        token = secrets.token_urlsafe(24)
        self._tokens[token] = account
        return {"token": token, "expires": 900}


_OPEN: Final[dict[str, Callable[[Kraken, Mapping[str, str]], Any]]] = {
    "Time": Kraken.time,
    "SystemStatus": Kraken.status,
    "Assets": Kraken.assets,
    "AssetPairs": Kraken.asset_pairs,
    "Ticker": Kraken.tickers,
    "OHLC": Kraken.candles,
    "Depth": Kraken.depth,
    "Trades": Kraken.trades,
}
_SIGNED: Final[dict[str, Callable[[Kraken, Mapping[str, Any], str], Any]]] = {
    "GetWebSocketsToken": Kraken.token,
    "Balance": kraken_orders.balance,
    "BalanceEx": kraken_orders.balance_ex,
    "AddOrder": kraken_orders.add,
    "AmendOrder": kraken_orders.amend,
    "CancelOrder": kraken_orders.cancel,
    "CancelAll": kraken_orders.cancel_all,
    "OpenOrders": kraken_orders.open_orders,
    "ClosedOrders": kraken_orders.closed_orders,
    "QueryOrders": kraken_orders.query_orders,
    "TradesHistory": kraken_orders.trades_history,
    "QueryTrades": kraken_orders.query_trades,
}


def _whole(params: Mapping[str, str], name: str, default: int) -> int:
    text = params.get(name, "") or str(default)
    if name == "since" and text.startswith("-"):
        return 0
    if not text.isascii() or not text.partition(".")[0].isdigit() or len(text) > 20:
        raise KrakenError(f"EGeneral:Invalid arguments:{name}")
    return int(text.partition(".")[0])


def _params(call: Call) -> Mapping[str, Any]:
    if not call.body.startswith(b"{"):
        return call.params
    try:
        told = json.loads(call.body)
    except ValueError as error:
        raise KrakenError("EGeneral:Invalid arguments") from error
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in told.items()}


def _answer(content: Any) -> Answer:
    return Answer(200, json.dumps(content, separators=(",", ":")))
