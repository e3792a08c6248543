"""What the tables of a result are made of when they are files: one schema for CSV, JSON and Parquet.

Every name, order and meaning of columns is here and nowhere else; a column that is not here cannot be exported. Times
are UTC: ISO 8601 text in CSV and JSON, `timestamp[ms, UTC]` in Parquet. What has no value is an empty field in CSV, and
null in JSON and Parquet; an infinity is `inf` in CSV, null in JSON, and itself in Parquet.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

__all__ = ["SCHEMA", "SCHEMA_VERSION", "Field", "described"]

SCHEMA_VERSION: Final = 1
"""Counts up when a column is renamed, changes its meaning or goes; new columns do not count."""


class Field(NamedTuple):
    """A column: its kind (text, number, whole, time), its unit, and what it says."""

    kind: str
    unit: str
    meaning: str


_MONEY: Final = "money of the account"
_QUANTITY: Final = "units of the base asset, or contracts"
_QUOTE: Final = "quote currency a unit"
_FRACTION: Final = "fraction"
_TIME: Final = "UTC"
_SYMBOL: Final = Field("text", "", "instrument")

SCHEMA: Final[Mapping[str, Mapping[str, Field]]] = MappingProxyType({
    "trades": {
        "symbol": _SYMBOL,
        "entry_time": Field("time", _TIME, "open of the bar of the first fill"),
        "exit_time": Field("time", _TIME, "open of the bar of the last fill"),
        "side": Field("text", "", "long or short"),
        "entry_price": Field("number", _QUOTE, "average of the fills that opened it"),
        "exit_price": Field("number", _QUOTE, "average of the fills that closed it"),
        "quantity": Field("number", _QUANTITY, "all that was bought, or sold short"),
        "pnl": Field("number", _MONEY, "profit after fees and funding"),
        "return_": Field("number", _FRACTION, "pnl over the value at entry"),
        "fees": Field("number", _MONEY, "fees of all its fills"),
        "funding": Field("number", _MONEY, "funding, positive when received"),
        "exit_reason": Field("text", "", "signal, reversal, stop_loss, ...; open where it is not over"),
        "bars_held": Field("whole", "bars", "from the first to the last fill"),
        "mae": Field("number", _FRACTION, "furthest against the holder, of the entry price"),
        "mfe": Field("number", _FRACTION, "furthest for the holder, of the entry price"),
    },
    "fills": {
        "time": Field("time", _TIME, "open of the bar in which it happened"),
        "decided_time": Field("time", _TIME, "open of the bar in which it was decided"),
        "symbol": _SYMBOL,
        "side": Field("text", "", "buy or sell"),
        "quantity": Field("number", _QUANTITY, "what was traded, above zero"),
        "quoted": Field("number", _QUOTE, "price before slippage"),
        "price": Field("number", _QUOTE, "price paid or received"),
        "fee": Field("number", _MONEY, "fee; negative where it was received"),
        "slippage": Field("number", _MONEY, "what the way from quoted to price cost"),
        "liquidity": Field("text", "", "maker or taker"),
        "reason": Field("text", "", "entry, order, or the reason of the exit"),
        "order": Field("whole", "", "number of the order"),
        "tag": Field("text", "", "what the strategy called it"),
    },
    "orders": {
        "decided_time": Field("time", _TIME, "open of the bar in which it was decided"),
        "time": Field("time", _TIME, "open of the bar of its first fill"),
        "symbol": _SYMBOL,
        "side": Field("text", "", "buy or sell"),
        "type": Field("text", "", "market, stop, limit, ..."),
        "quantity": Field("number", _QUANTITY, "what was asked for"),
        "filled": Field("number", _QUANTITY, "what was traded of it"),
        "price": Field("number", _QUOTE, "average of its fills"),
        "limit_price": Field("number", _QUOTE, "its limit"),
        "stop_price": Field("number", _QUOTE, "what triggers it"),
        "fee": Field("number", _MONEY, "fees of its fills"),
        "reason": Field("text", "", "entry, order, or the reason of the exit"),
        "status": Field("text", "", "filled, or why not"),
        "tag": Field("text", "", "what the strategy called it"),
    },
    "positions": {
        "ts": Field("time", _TIME, "open of the bar at whose close it was held"),
        "symbol": _SYMBOL,
        "leg": Field("text", "", "net; long or short in hedge mode"),
        "quantity": Field("number", _QUANTITY, "negative when short"),
        "price": Field("number", _QUOTE, "average entry price"),
        "value": Field("number", _MONEY, "at the close, with the sign of the quantity"),
        "unrealised": Field("number", _MONEY, "profit so far, before fees and funding"),
        "margin": Field("number", _MONEY, "what it ties up"),
    },
    "equity": {
        "ts": Field("time", _TIME, "open of the bar; values are those at its close"),
        "equity": Field("number", _MONEY, "value of the account"),
        "gross_equity": Field("number", _MONEY, "what it would be without costs"),
        "returns": Field("number", _FRACTION, "change of the equity against the bar before"),
        "gross": Field("number", _FRACTION, "longs and shorts together, of the equity"),
        "net": Field("number", _FRACTION, "longs less shorts, of the equity"),
        "long": Field("number", _FRACTION, "longs, of the equity"),
        "short": Field("number", _FRACTION, "shorts, of the equity"),
        "margin_used": Field("number", _MONEY, "margin that positions tie up"),
        "margin_maintenance": Field("number", _MONEY, "margin that must be kept"),
        "margin_level": Field("number", "ratio", "how often the equity covers the maintenance margin"),
    },
    "costs": {
        "symbol": _SYMBOL,
        "fees": Field("number", _MONEY, "fees"),
        "slippage": Field("number", _MONEY, "slippage"),
        "funding": Field("number", _MONEY, "funding, negative when received"),
        "liquidation": Field("number", _MONEY, "fees of liquidations"),
        "total": Field("number", _MONEY, "all of them"),
    },
    "metrics": {
        "metric": Field("text", "", "name, as in wb.metrics.METRICS"),
        "value": Field("number", "as the metric says", "the number; in CSV also a time or a text"),
        "text": Field("text", "", "the value where it is a time or a text; not in CSV"),
    },
})  # fmt: skip
"""Table to column to what it is, in the order of the files."""


def described() -> dict[str, object]:
    """Give the schema as plain data, as `schema.json` beside exported tables has it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tables": {name: {column: one._asdict() for column, one in fields.items()} for name, fields in SCHEMA.items()},
    }
