"""The simulated venue as plain data, and back, bit for bit.

Numbers that JSON does not know are words: null for NaN, "inf" and "-inf" for the infinities.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from workbench.errors import DataError
from workbench.trading.events import from_plain, to_plain
from workbench.trading.matching import Resting
from workbench.trading.venue_state import Floor, Market

__all__ = ["restore", "snapshot"]

VERSION: Final = 1
_NUMBERS: Final = ("price", "last", "budget", "volume", "sigma", "expires", "bars", "waits", "span", "stamp", "opening")
_WORDS: Final = {"inf": math.inf, "-inf": -math.inf}


def snapshot(floor: Floor) -> dict[str, Any]:
    """Give the state of a venue as plain data."""
    return {
        "version": VERSION, "now": floor.now, "clock": floor.clock, "number": floor.number,
        "gone": list(floor.gone), "orders": [_written(one.to_plain()) for one in floor.orders.values()],
        "markets": {symbol: _market(market) for symbol, market in floor.markets.items()},
        "account": floor.account.snapshot(),
    }  # fmt: skip


def restore(floor: Floor, data: Mapping[str, Any]) -> None:
    """Take up what `snapshot` gave; DataError where it cannot be."""
    if data.get("version") != VERSION:
        raise DataError(
            f"a venue of version {data.get('version')!r} cannot be read; this program writes {VERSION}: replay instead"
        )
    try:
        orders = [Resting.from_plain(_read(values)) for values in data["orders"]]
        given = {symbol: data["markets"][symbol] for symbol in floor.markets}
        floor.account.restore(data["account"])
        for symbol, market in floor.markets.items():
            _restore_market(floor, market, given[symbol], {one.id: one for one in orders})
        floor.now, floor.clock, floor.number = data["now"], data["clock"], data["number"]
        floor.gone, floor.orders = dict.fromkeys(data["gone"]), {one.id: one for one in orders}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"the snapshot of a venue is damaged: {error!r}; replay the journal instead") from error


def _market(market: Market) -> dict[str, Any]:
    return {
        "numbers": _written([getattr(market, name) for name in _NUMBERS]),
        "bids": [list(level) for level in market.bids], "asks": [list(level) for level in market.asks],
        "resting": [one.id for one in market.resting], "left": [one.id for one in market.left],
        "arriving": [[ts, number, _written_request(to_plain(request))] for ts, number, request in market.arriving],
    }  # fmt: skip


def _restore_market(floor: Floor, market: Market, data: Mapping[str, Any], orders: Mapping[str, Resting]) -> None:
    for name, value in zip(_NUMBERS, _read(data["numbers"]), strict=True):
        setattr(market, name, value)
    market.bids, market.asks = [list(level) for level in data["bids"]], [list(level) for level in data["asks"]]
    market.resting = [orders[name] for name in data["resting"]]
    market.left = [orders[name] for name in data["left"]]
    market.arriving = [(ts, number, from_plain(_read_request(values))) for ts, number, values in data["arriving"]]
    market.hold(floor.account)
    market.stale = True


def _written(values: list[Any]) -> list[Any]:
    return [_word(value) for value in values]


def _word(value: Any) -> Any:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if value != value else "inf" if value > 0.0 else "-inf"


def _read(values: list[Any]) -> list[Any]:
    return [math.nan if value is None else _WORDS.get(value, value) for value in values]


def _written_request(values: list[Any]) -> list[Any]:
    """Write a request; of an order, `expires` alone may be null in its own right."""
    return [
        {name: _word(one) for name, one in value.items() if name != "expires" or one is not None}
        if isinstance(value, dict) else _word(value)
        for value in values
    ]  # fmt: skip


def _read_request(values: list[Any]) -> list[Any]:
    return [
        {name: math.nan if one is None else one for name, one in value.items()}
        if isinstance(value, dict) else math.nan if value is None else value
        for value in values
    ]  # fmt: skip
