"""How Kraken writes things: pairs, assets, order ids, times, descriptions of orders, and errors in its own words."""

from __future__ import annotations

import datetime as dt
import math
import zlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from workbench.errors import WorkbenchError
from workbench.market.instrument import Instrument
from workbench.practice.engine_records import OrderRecord

__all__ = [
    "INTERVALS",
    "ORDER_TYPES",
    "KrakenError",
    "Pair",
    "asset_id",
    "described",
    "iso",
    "number_of",
    "order_id",
    "seconds",
    "trade_id",
    "type_of",
    "worded",
]

INTERVALS: Final = {1: "1m", 5: "5m", 15: "15m", 30: "30m", 60: "1h", 240: "4h", 1440: "1d", 10080: "1w"}
"""Minutes of a candle, and the timeframe."""

ORDER_TYPES: Final = {
    "market": "market", "limit": "limit", "stop-loss": "stop", "stop-loss-limit": "stop_limit",
    "take-profit": "take_profit", "take-profit-limit": "take_profit_limit", "trailing-stop": "trailing_stop",
}  # fmt: skip
"""Kraken's types of orders, and ours."""

_OURS: Final = {ours: theirs for theirs, ours in ORDER_TYPES.items()}
_RENAMED: Final = {"BTC": "XBT", "DOGE": "XDG"}
_OLD_COINS: Final = frozenset("XBT ETH LTC XRP XLM ETC ZEC XMR REP MLN XDG".split())
_OLD_MONEY: Final = frozenset("USD EUR GBP CAD JPY AUD".split())
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LONGEST: Final = 8  # decimal places of a quantity

_WORDS: Final = {
    "below_filled": "EOrder:Invalid order",
    "below_min_notional": "EOrder:Cost minimum not met",
    "below_min_quantity": "EOrder:Order minimum not met",
    "duplicate_id": "EOrder:Invalid order:cl_ord_id is in use",
    "insufficient_balance": "EOrder:Insufficient funds",
    "insufficient_margin": "EOrder:Insufficient funds",
    "lot_size": "EGeneral:Invalid arguments:volume",
    "market_closed": "EService:Market in cancel_only mode",
    "max_num_orders": "EOrder:Orders limit exceeded",
    "min_notional": "EOrder:Cost minimum not met",
    "not_trading": "EService:Market in cancel_only mode",
    "off_lot": "EGeneral:Invalid arguments:volume",
    "off_tick": "EOrder:Invalid price",
    "order_is_final": "EOrder:Unknown order",
    "post_only_would_take": "EOrder:Post only order",
    "price_filter": "EOrder:Invalid price",
    "short_not_allowed": "EOrder:Insufficient funds",
    "unknown_instrument": "EQuery:Unknown asset pair",
    "unknown_order": "EOrder:Unknown order",
    "zero_quantity": "EGeneral:Invalid arguments:volume",
}
_OTHERS: Final = {  # what a scenario means that was written for Binance
    -1003: "EAPI:Rate limit exceeded",
    -1013: "EOrder:Order minimum not met",
    -1021: "EAPI:Invalid nonce",
    -1022: "EAPI:Invalid signature",
    -2010: "EOrder:Insufficient funds",
    -2011: "EOrder:Unknown order",
    -2013: "EOrder:Unknown order",
    -2014: "EAPI:Invalid key",
    -2015: "EAPI:Invalid key",
}


class KrakenError(WorkbenchError):
    """What Kraken answers instead of a result."""


def worded(code: int | str) -> str:
    """Give a refusal in Kraken's words: by a code of the engine, a code of Binance, or as it is if it is Kraken's."""
    if isinstance(code, int):
        return _OTHERS.get(code, "EGeneral:Internal error")
    return code if code.startswith("E") and ":" in code else _WORDS.get(code, "EGeneral:Invalid arguments")


def asset_id(asset: str, *, old: bool = True) -> str:
    """Give Kraken's name of an asset: `XXBT` for BTC, `ZUSD` for USD, or the shorter `XBT` with `old` False."""
    short = _RENAMED.get(asset, asset)
    if not old:
        return short
    return f"X{short}" if short in _OLD_COINS else f"Z{short}" if short in _OLD_MONEY else short


def _places(step: float, usual: int) -> int:
    if step <= 0.0:
        return usual
    return min(max(-int(Decimal(repr(step)).normalize().as_tuple().exponent), 0), _LONGEST)


class Pair:
    """A pair of Kraken and the instrument that it is.

    Parameters
    ----------
    instrument : Instrument

    Attributes
    ----------
    id : str
        Such as "XXBTZUSD", "XBTUSDT".
    altname, wsname : str
        Such as "XBTUSD", "XBT/USD".
    """

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.symbol = instrument.symbol
        self.base, _, self.quote = instrument.symbol.partition("/")
        short = [asset_id(one, old=False) for one in (self.base, self.quote)]
        long = [asset_id(one) for one in (self.base, self.quote)]
        self.altname, self.wsname = "".join(short), "/".join(short)
        both_old = all(one != other for one, other in zip(short, long, strict=True))
        self.id = "".join(long) if both_old else self.altname
        self.price_places = _places(instrument.tick_size, 5)
        self.quantity_places = _places(instrument.lot_size, _LONGEST)

    def price(self, value: float) -> str:
        """Write a price; zero where there is none."""
        return f"{value if math.isfinite(value) else 0.0:.{self.price_places}f}"

    def quantity(self, value: float) -> str:
        """Write a quantity, with eight places as Kraken does."""
        return f"{value if math.isfinite(value) else 0.0:.{_LONGEST}f}"

    def facts(self, online: bool) -> dict[str, Any]:
        """Describe it as AssetPairs does."""
        one = self.instrument
        return {
            "altname": self.altname, "wsname": self.wsname, "aclass_base": "currency", "base": asset_id(self.base),
            "aclass_quote": "currency", "quote": asset_id(self.quote), "lot": "unit", "cost_decimals": 5,
            "pair_decimals": self.price_places, "lot_decimals": self.quantity_places, "lot_multiplier": 1,
            "leverage_buy": [], "leverage_sell": [], "fees": [[0, round(one.taker_fee * 100, 6)]],
            "fees_maker": [[0, round(one.maker_fee * 100, 6)]], "fee_volume_currency": "ZUSD", "margin_call": 80,
            "margin_stop": 40, "ordermin": self.quantity(one.lot_size or 10.0**-self.quantity_places),
            "costmin": f"{one.min_notional:.5f}", "tick_size": self.price(one.tick_size or 10.0**-self.price_places),
            "status": "online" if online else "cancel_only",
        }  # fmt: skip

    def checksum(self, bids: Sequence[tuple[float, float]], asks: Sequence[tuple[float, float]]) -> int:
        """Give the CRC32 of the ten best levels, asks first, each price and quantity without point and zeros before."""
        texts = (
            (f"{price:.{self.price_places}f}", f"{quantity:.{self.quantity_places}f}")
            for side in (asks, bids)
            for price, quantity in side[:10]
        )
        return zlib.crc32("".join(one.replace(".", "").lstrip("0") for pair in texts for one in pair).encode())


def order_id(number: int) -> str:
    """Write the number of an order as Kraken does, such as `O00000-00000-00002T`."""
    return "O" + _grouped(number)


def trade_id(number: int) -> str:
    """Write the number of an execution as Kraken does."""
    return "T" + _grouped(number)


def _grouped(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    digits = digits.rjust(16, "0")
    return f"{digits[:5]}-{digits[5:10]}-{digits[10:]}"


def number_of(text: str) -> int:
    """Read what `order_id` or `trade_id` wrote; -1 for anything else."""
    digits = text[1:].replace("-", "")
    return int(digits, 36) if len(text) == 19 and digits.isalnum() and digits.isascii() else -1


def seconds(ms: int) -> float:
    """Give a time in seconds."""
    return ms / 1_000


def iso(ms: int) -> str:
    """Write a time as the websockets do."""
    when = dt.datetime(1970, 1, 1) + dt.timedelta(milliseconds=ms)
    return when.isoformat(timespec="microseconds") + "Z"


def type_of(order: OrderRecord) -> str:
    """Give Kraken's type of an order."""
    return _OURS[order.type]


def described(order: OrderRecord, pair: Pair) -> dict[str, Any]:
    """Describe an order in words and fields, as `descr` does."""
    kind = type_of(order)
    price, second = "0", "0"
    if order.type == "trailing_stop":
        price = f"+{order.trail * 100:.4f}%"
    elif order.type in ("limit", "market"):
        price = pair.price(order.price) if order.type == "limit" else "0"
    else:
        price = pair.price(order.stop_price)
        second = pair.price(order.price) if math.isfinite(order.price) else "0"
    volume = order.quantity if math.isfinite(order.quantity) else order.quote_quantity
    words = [order.side, pair.quantity(volume), pair.altname, "@"]
    words += [kind.removesuffix("-limit").replace("-", " ")] + ([price] if price != "0" else [])
    words += ["->", "limit", second] if second != "0" else []
    return {
        "pair": pair.altname, "type": order.side, "ordertype": kind, "price": price, "price2": second,
        "leverage": "none", "order": " ".join(words), "close": "",
    }  # fmt: skip
