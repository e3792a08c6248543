"""What an order must be before the matcher sees it: the exchange's own filters, each with a code and words.

The matcher judges form, steps and money by itself (`trading.gate`); here is what venues ask beyond that, and what they
say first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from workbench.market.instrument import Instrument
from workbench.practice.engine_records import Refused, Request

__all__ = ["CODES", "Filters", "filters_of", "judge", "refuse", "whole"]

CODES: Final[Mapping[str, str]] = {
    "client_id": "a client order id has 1 to 36 letters, digits and . : / _ -",
    "insufficient_balance": "there is not enough of the asset in the wallet",
    "lot_size": "the quantity is too small, too large, or not in whole steps",
    "market_closed": "trading in the symbol has stopped",
    "max_orders": "as many orders of the symbol are open as may be",
    "min_notional": "the value of the order is too small",
    "no_change": "it is so already",
    "no_account": "there is no such account",
    "no_position": "there is no position to close",
    "orders_open": "orders are open",
    "percent_price": "the price is too far from the market's",
    "position_open": "a position is open",
    "price_filter": "a price is too low, too high, or not in whole ticks",
    "would_trigger": "the trigger has been passed already, so it would trade at once",
}
"""Reasons to refuse that `trading.gate.REJECTIONS` does not have."""

_PLAIN: Final = frozenset(".:/_-")


class Filters(NamedTuple):
    """The filters of a symbol.

    Prices and quantities from and to, their steps, the least value, how far a price may be from the last (as factors of
    it), and how many orders may be open at once.
    """

    min_price: float
    max_price: float
    tick: float
    min_quantity: float
    max_quantity: float
    step: float
    min_notional: float
    multiplier_down: float
    multiplier_up: float
    max_orders: int = 200


def filters_of(instrument: Instrument) -> Filters:
    """Give the filters of an instrument; a step of 0.0 is 1e-8 here, the finest that venues speak of."""
    tick, step = instrument.tick_size or 1e-8, instrument.lot_size or 1e-8
    down, up = (0.9, 1.1) if instrument.perpetual else (0.2, 5.0)
    return Filters(tick, 1e8 * max(tick, 1e-2), tick, step, max(9e3, 9e9 * step), step,
                   instrument.min_notional, down, up)  # fmt: skip


def refuse(code: str, text: str, **fields: object) -> Refused:
    """Make the refusal of a code."""
    return Refused(text, code=code, **fields)


def whole(value: float, step: float) -> bool:
    """Tell whether a value is in whole steps, but for the last bits of a float."""
    steps = value / step
    return abs(steps - round(steps)) <= 1e-9 * max(steps, 1.0)


def judge(request: Request, facts: Instrument, last: float) -> None:
    """Refuse an order that breaks a filter; `last` is the last price, NaN before the first."""
    rules = filters_of(facts)
    _client_id(request.client_id)
    for name in ("price", "stop_price", "activation"):
        value = getattr(request, name)
        if value == value:
            _price(facts.symbol, name, value, rules)
    _quantity(request, rules)
    _far(request, rules, last)
    _notional(request, facts, rules, last)
    _trigger(request, last)


def _client_id(text: str) -> None:
    if text and not (len(text) <= 36 and all((one.isascii() and one.isalnum()) or one in _PLAIN for one in text)):
        raise refuse("client_id", f"client order id {text!r}: {CODES['client_id']}")


def _price(symbol: str, name: str, value: float, rules: Filters) -> None:
    if not rules.min_price <= value <= rules.max_price:
        raise refuse("price_filter", f"{symbol}: {name} {value!r} is not from {rules.min_price} to {rules.max_price}")
    if not whole(value, rules.tick):
        raise refuse("price_filter", f"{symbol}: {name} {value!r} is not in ticks of {rules.tick}")


def _quantity(request: Request, rules: Filters) -> None:
    wanted, quote, symbol = request.quantity, request.quote_quantity, request.symbol
    if request.close_position:
        if request.type not in ("stop", "take_profit") or wanted == wanted:
            raise refuse("not_supported", f"{symbol}: an order that closes all is a stop or take-profit at market")
        return
    if quote == quote:
        if request.type != "market" or wanted == wanted or not 0.0 < quote < math.inf:
            raise refuse("not_supported", f"{symbol}: a quote quantity ({quote!r}) is for market orders, and alone")
        return
    if not rules.min_quantity * (1 - 1e-9) <= wanted <= rules.max_quantity:
        text = f"{symbol}: quantity {wanted!r} is not from {rules.min_quantity} to {rules.max_quantity}"
        raise refuse("lot_size", text)
    for name in ("quantity", "display"):
        value = getattr(request, name)
        if value == value and not whole(value, rules.step):
            raise refuse("lot_size", f"{symbol}: {name} {value!r} is not in steps of {rules.step}")


def _far(request: Request, rules: Filters, last: float) -> None:
    price = request.price
    if not (price == price and last == last):
        return
    low, high = last * rules.multiplier_down, last * rules.multiplier_up
    if not low <= price <= high:
        raise refuse("percent_price", f"{request.symbol}: price {price!r} is not from {low:g} to {high:g}")


def _notional(request: Request, facts: Instrument, rules: Filters, last: float) -> None:
    if request.reduce_only or request.close_position or not rules.min_notional > 0.0:
        return
    price = next((one for one in (request.price, request.stop_price, last) if one == one), math.nan)
    value = request.quote_quantity if request.quote_quantity == request.quote_quantity else (
        request.quantity * price * facts.contract_size
    )  # fmt: skip
    if value < rules.min_notional * (1.0 - 1e-9):
        text = f"{request.symbol}: a value of {value:g} is below the smallest of {rules.min_notional:g}"
        raise refuse("min_notional", text)


def _trigger(request: Request, last: float) -> None:
    stop, kind = request.stop_price, request.type
    if not (stop == stop and last == last) or kind in ("market", "limit", "trailing_stop"):
        return
    rises = (request.side == "buy") == kind.startswith("stop")
    if (last >= stop) if rises else (last <= stop):
        side = "above" if rises else "below"
        text = f"{request.symbol}: trigger {stop!r} must be {side} the last price {last!r}, or it would trade at once"
        raise refuse("would_trigger", text)
