"""Which requests and streams a fault is meant for: patterns, and names that mean the same on every venue.

A request is written as method and path (`POST /api/v3/order`), a request over a websocket as `WS order.place`, the
opening of a websocket as `DIAL /ws`. `*` and `?` stand for anything, a pattern without a method for every method.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

__all__ = ["REQUEST_NAMES", "STREAM_NAMES", "Asked", "has_fields", "matches_request", "matches_stream"]

REQUEST_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "any": ("*",),
    "submit": (
        "POST */v3/order", "POST */v1/order", "POST */algoOrder", "POST */orderList/*", "POST */order/oco",
        "WS order.place", "POST */AddOrder",
    ),
    "cancel": (
        "DELETE */order", "DELETE */openOrders", "DELETE */algoOrder", "DELETE */orderList", "DELETE */allOpenOrders",
        "WS order.cancel", "POST */CancelOrder", "POST */CancelAll",
    ),
    "amend": ("PUT */order", "POST */order/cancelReplace", "PUT */order/amend/*", "POST */AmendOrder"),
    "query": ("GET */order", "GET */allOrders", "GET */openOrders", "GET */openAlgoOrders", "POST */*Orders"),
    "fills": ("GET */myTrades", "GET */userTrades", "POST */TradesHistory"),
    "account": ("GET */account", "GET */positionRisk", "POST */Balance", "POST */BalanceEx"),
    "markets": ("GET */exchangeInfo", "GET */AssetPairs", "GET */Assets"),
    "candles": ("GET */klines", "GET */markPriceKlines", "GET */OHLC"),
    "tickers": ("GET */ticker/*", "GET */Ticker"),
    "book": ("GET */depth", "GET */Depth"),
    "trades": ("GET */aggTrades", "GET */v*/trades", "GET */historicalTrades", "GET */public/Trades"),
    "funding": ("GET */fundingRate", "GET */premiumIndex"),
    "time": ("GET */time", "GET */Time"),
    "dial": ("DIAL *",),
}  # fmt: skip
"""Names of requests, and the patterns that each stands for."""

STREAM_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "any": (),
    "candles": ("*@kline_*", "ohlc*"),
    "tickers": ("*@ticker*", "*@miniTicker*", "*@bookTicker*", "ticker*"),
    "book": ("*@depth*", "book*"),
    "trades": ("*@trade*", "*@aggTrade*", "trade*"),
    "mark": ("*@markPrice*",),
    "user": ("user*",),
    "fills": (),
    "reply": ("reply",),
}
"""Names of streams, and the patterns that each stands for.

`any` is all but `reply`, which answers what a client asked for over the websocket; `fills` are the messages of `user`
that tell of one.
"""

_FILLS: Final = ({"x": "TRADE"}, {"exec_type": "trade"})


class Asked(NamedTuple):
    """A request as faults see it.

    Parameters
    ----------
    method : str
        As HTTP has it; "WS" for one over a websocket and "DIAL" for opening a websocket.
    path : str
        Without the query; the method's name for "WS".
    venue : str
        ccxt's name of the venue that was addressed.
    params : mapping of str to str
        What was asked for, from query and body.
    """

    method: str
    path: str
    venue: str = ""
    params: Mapping[str, Any] = {}

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def matches_request(asked: Asked, patterns: Sequence[str]) -> bool:
    """Tell whether a request is meant by one of the patterns or names."""
    return any(_fits(asked, one) for named in patterns for one in REQUEST_NAMES.get(named, (named,)))


def _fits(asked: Asked, pattern: str) -> bool:
    method, space, path = pattern.partition(" ")
    if not space:
        return fnmatchcase(asked.path, pattern)
    return fnmatchcase(asked.method, method) and fnmatchcase(asked.path, path)


def matches_stream(stream: str, payload: Any, patterns: Sequence[str]) -> bool:
    """Tell whether a message of a stream is meant by one of the patterns or names; `fills` looks into it."""
    for named in patterns:
        if named == "any" and stream != "reply":
            return True
        if any(fnmatchcase(stream, one) for one in STREAM_NAMES.get(named, (named,))):
            return True
        if named == "fills" and matches_stream(stream, payload, ("user",)):
            return any(has_fields(payload, fields) for fields in _FILLS)
    return False


def has_fields(content: Any, fields: Mapping[str, str]) -> bool:
    """Tell whether each field is somewhere in what was sent, however deep, with the value that is wanted."""
    if not fields:
        return True
    if isinstance(content, (str, bytes)):
        try:
            content = json.loads(content)
        except ValueError:
            return False
    return all(_holds(content, name, value) for name, value in fields.items())


def _holds(content: Any, name: str, value: str) -> bool:
    if isinstance(content, Mapping):
        if name in content and fnmatchcase(_text(content[name]), value):
            return True
        return any(_holds(one, name, value) for one in content.values())
    return isinstance(content, (list, tuple)) and any(_holds(one, name, value) for one in content)


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)
