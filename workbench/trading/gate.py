"""The gate: what an order must be before it may go out, and where limits on risk hook in.

`check_order` judges the order by the instrument's steps and by what is held; the core asks it before an order goes out
and every venue of ours when one comes in, so an order is refused for the same reason everywhere. Whether there is money
for it (`check_money`) is judged where the price is known: at the venue.

A hook is a function `(order, context) -> Verdict` of a pure kind: it approves, rejects, or reduces the quantity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from workbench.errors import ConfigError
from workbench.risk.limits.rules import CODES
from workbench.trading.account import Account
from workbench.trading.arithmetic import round_down
from workbench.trading.margin import tier_leverage
from workbench.trading.orders import Order
from workbench.trading.terms import Lots

__all__ = [
    "APPROVED",
    "REJECTIONS",
    "Check",
    "Context",
    "Gate",
    "Listing",
    "Verdict",
    "check_money",
    "check_order",
    "closing",
    "reduce",
    "reject",
]

REJECTIONS: Final[Mapping[str, str]] = {
    "already_expired": "the time at which it expires has passed",
    "below_filled": "the new quantity is not above what has been executed",
    "below_min_notional": "its value is below the smallest that the venue takes",
    "below_min_quantity": "its quantity is below one lot",
    "display_beyond_quantity": "an iceberg shows more than it has, or nothing",
    "duplicate_id": "an order with this id has been sent before",
    "expiry_missing": "a GTD order does not say when it expires",
    "first_orders_small": "the first orders after a bot is armed may be worth less than the least that the venue takes",
    "insufficient_margin": "there is not enough money for it",
    "leverage_beyond_tier": "a position of that size may not have this leverage",
    "negative_quantity": "its quantity is below zero",
    "no_equity": "nothing is left to open positions with",
    "no_stop": "it is to be sized by the loss at its stop and has none",
    "not_a_number": "a quantity or price that it needs is not a finite number",
    "not_armed": "the bot is not armed, so it opens nothing",
    "not_received": "the venue has never had it, and it is too late for it now",
    "not_running": "the bot is not running, so it opens nothing",
    "not_supported": "the venue has no such order",
    "not_trading": "the instrument has no price now",
    "off_lot": "its quantity is not in whole lots",
    "off_tick": "a price is not in whole ticks",
    "order_is_final": "the order is filled, cancelled, rejected or expired already",
    "post_only_would_take": "it may only rest and would trade at once",
    "price_missing": "a limit order has no price",
    "price_not_positive": "a price is zero or below",
    "reduce_only_would_increase": "it may only reduce a position and there is none on the other side",
    "refused_by_venue": "the venue does not take it, for a reason of its own",
    "risk_limit": "a limit on risk does not allow it",
    "short_not_allowed": "a cash account cannot sell what it does not have",
    "too_many_positions": "as many positions are open as may be",
    "trail_missing": "a trailing stop has no distance between 0 and 1",
    "trigger_missing": "a stop or take-profit has no trigger price",
    "unknown_instrument": "the instrument is not traded here",
    "unknown_order": "there is no order with this id",
    "venue_unreachable": "the venue could not be reached while it was new enough to be sent",
    "would_trigger": "its trigger has been passed already, so it would trade at once",
    "wrong_leg": "the account has no such leg: it is in one-way mode, or in hedge mode",
    "zero_quantity": "its quantity is zero",
    **CODES,
}
"""Why an order or a request was refused: all codes there are."""

SLACK: Final = 1e-9  # what floats may lose between a size worked out and the money that it needs, as a fraction
INF: Final = math.inf
_LIMITS: Final = frozenset(("limit", "stop_limit", "take_profit_limit"))
_TRIGGERS: Final = frozenset(("stop", "stop_limit", "take_profit", "take_profit_limit"))
_TYPES: Final = _LIMITS | _TRIGGERS | {"market", "trailing_stop"}
_TIMES: Final = frozenset(("GTC", "IOC", "FOK", "GTD"))


class Listing(NamedTuple):
    """What an order of one instrument is judged by: its steps, units a contract, whether inverse, tiers of margin."""

    lots: Lots
    size: float = 1.0
    inverse: bool = False
    tiers: Any = ()


def closing(quantity: float, side: str) -> float:
    """Give how much of a position (signed quantity) an order of a side can close; 0.0 where it would add to it."""
    if side == "sell":
        return quantity if quantity > 0.0 else 0.0
    return -quantity if quantity < 0.0 else 0.0


def check_order(order: Order, listing: Listing | None, account: Account, price: float, now: int) -> str:
    """Say why an order cannot be taken, as a code of `REJECTIONS`; "" where nothing is against it.

    Parameters
    ----------
    order : Order
    listing : Listing or None
        None for an instrument that is not traded here.
    account : Account
        What is held.
    price : float
        What a market order would get now; NaN where there is no price.
    now : int
        ms UTC.
    """
    if listing is None:
        return "unknown_instrument"
    kind = order.type
    if kind != "market" or order.time_in_force != "GTC" or order.post_only:
        code = _prices(order, listing.lots.tick) or _times(order, now)
        if code:
            return code
    elif not 0.0 < price < INF:
        return "not_trading"
    leg = order.leg
    if (leg == "net") == account.terms.hedge:
        return "wrong_leg"
    if order.reduce_only or order.close_position or leg != "net":
        leaves = order.reduce_only or order.close_position or (leg == "long") == (order.side == "sell")
        if leaves and not closing(account.quantity(order.symbol, leg), order.side):
            return "reduce_only_would_increase"
        if leaves:
            return "" if order.close_position else _quantity(order, listing, 0.0)
    level = order.price if kind in _LIMITS else price
    return _quantity(order, listing, level)


def _prices(order: Order, tick: float) -> str:
    """Judge the type and the prices that it needs."""
    kind = order.type
    if kind not in _TYPES or order.time_in_force not in _TIMES:
        return "not_supported"
    if order.post_only and kind != "limit":
        return "not_supported"
    code = _price(order.price, tick, "price_missing") if kind in _LIMITS else ""
    if not code and kind in _TRIGGERS:
        code = _price(order.stop_price, tick, "trigger_missing")
    if not code and kind == "trailing_stop" and not 0.0 < order.trail < 1.0:
        code = "trail_missing"
    return code


def _price(price: float, tick: float, missing: str) -> str:
    if price != price:
        return missing
    if price in (INF, -INF):
        return "not_a_number"
    if price <= 0.0:
        return "price_not_positive"
    return "" if _whole(price, tick) else "off_tick"


def _whole(value: float, step: float) -> bool:
    """Tell whether a value is in whole steps, but for the last bits of a float."""
    if step <= 0.0:
        return True
    steps = value / step
    return abs(steps - round(steps)) <= 1e-9 * (steps if steps > 1.0 else 1.0)


def _times(order: Order, now: int) -> str:
    if order.time_in_force == "GTD":
        if order.expires is None:
            return "expiry_missing"
        if order.expires <= now:
            return "already_expired"
    if order.post_only and order.time_in_force in ("IOC", "FOK"):
        return "not_supported"
    shown = order.display
    return "" if shown != shown or 0.0 < shown <= order.quantity else "display_beyond_quantity"


def _quantity(order: Order, listing: Listing, price: float) -> str:
    """Judge the quantity; `price` 0.0 leaves out the smallest value, which orders that leave need not have."""
    quantity, lots = order.quantity, listing.lots
    if not 0.0 < quantity < INF:
        return "zero_quantity" if quantity == 0.0 else "negative_quantity" if -INF < quantity < 0.0 else "not_a_number"
    lot = lots.lot
    if lot > 0.0 and not _whole(quantity, lot):
        return "below_min_quantity" if quantity < lot else "off_lot"
    if lots.min_notional > 0.0 and price > 0.0:
        value = quantity * listing.size if listing.inverse else quantity * price * listing.size
        if value < lots.min_notional * (1.0 - SLACK):
            return "below_min_notional"
    return ""


def check_money(
    order: Any, listing: Listing, account: Account, quantity: float, price: float, fee: float, least: float = INF
) -> str:
    """Say why an execution cannot be paid for, as a code of `REJECTIONS`; "" where it can.

    Parameters
    ----------
    order : Order or another object with its `symbol`, `side` and `leg`
    listing : Listing
    account : Account
    quantity, price, fee : float
        Of the execution.
    least : float
        Price that the order was sized at, if that is lower: tiers go by it.
    """
    symbol, side, leg = order.symbol, order.side, order.leg
    held = account.quantity(symbol, leg)
    opened = quantity - closing(held, side)
    if account.terms.kind == "cash":
        if account.shortfall(symbol, quantity if side == "buy" else -quantity, price, fee, leg):
            return "short_not_allowed" if side == "sell" else "insufficient_margin"
        return ""
    if opened <= 0.0:
        return ""
    leverage, value = account.leverage(symbol), listing.size / price if listing.inverse else listing.size * price
    free = account.available_for(symbol)
    if opened < quantity:
        free += account.margin_of(symbol, leg)
    if opened * value / leverage + fee > free * (1.0 + SLACK):
        return "insufficient_margin"
    if len(listing.tiers):
        value = value if listing.inverse or least > price else listing.size * least
        after = opened * value if opened < quantity else (abs(held) + opened) * value
        if tier_leverage(after * (1.0 - SLACK), listing.tiers) < leverage:
            return "leverage_beyond_tier"
    return ""


class Verdict(NamedTuple):
    """What a hook says: `kind` is "approve", "reject" (with `code` and `text`) or "reduce" (to `quantity`)."""

    kind: str = "approve"
    code: str = ""
    text: str = ""
    quantity: float = math.nan


APPROVED: Final = Verdict()


def reject(code: str, text: str = "") -> Verdict:
    """Make the verdict that refuses an order; ConfigError for a code that is not in `REJECTIONS`."""
    if code not in REJECTIONS:
        raise ConfigError(f"{code!r} is no reason to refuse an order; the codes are {', '.join(REJECTIONS)}", code=code)
    return Verdict("reject", code, text or REJECTIONS[code])


def reduce(quantity: float) -> Verdict:
    """Make the verdict that lets an order through with a smaller quantity."""
    return Verdict("reduce", quantity=quantity)


class Context(Protocol):
    """What a hook may look at: the core's books, markets, last prices, open orders and time.

    `estimate(symbol, sign, quantity)` is the price that a market order would get.
    """

    account: Account
    markets: Any
    prices: dict[str, float]
    orders: dict[str, Order]
    now: int
    estimate: Callable[[str, float, float], float]


Check = Callable[[Order, Any], Verdict]


class Gate:
    """Checks that every order passes before it goes out: its form first, then the hooks in order.

    Parameters
    ----------
    checks : sequence of Check
        Each sees the order as the ones before it have left it.
    """

    __slots__ = ("checks",)

    def __init__(self, checks: Sequence[Check] = ()) -> None:
        self.checks = tuple(checks)

    def check(self, order: Order, context: Context) -> str:
        """Say why an order may not go out, as a code; "" where it may. A hook that reduces changes its quantity."""
        return self.verdict(order, context).code if self.checks else self._form(order, context)

    def _form(self, order: Order, context: Context) -> str:
        """Judge the form of an order."""
        market = context.markets.get(order.symbol)
        listing, price = None, context.prices.get(order.symbol, math.nan)
        if market is not None:
            listing = market.listing
            if market.lots.min_notional > 0.0 and price == price and order.quantity > 0.0:
                price = context.estimate(order.symbol, order.sign, order.quantity)
        return check_order(order, listing, context.account, price, context.now)

    def verdict(self, order: Order, context: Context) -> Verdict:
        """Judge an order, with the words of the hook that refused it."""
        code = self._form(order, context)
        if code:
            return Verdict("reject", code, REJECTIONS[code])
        market, before = context.markets[order.symbol], order.quantity
        for check in self.checks:
            said = check(order, context)
            if said.kind == "reject":
                order.quantity = before
                return said
            if said.kind == "reduce" and not said.quantity >= order.quantity:
                order.quantity = round_down(said.quantity, market.lots.lot)
                if not order.quantity > 0.0:
                    order.quantity = before
                    return reject("risk_limit", said.text or "a limit on risk leaves nothing of it")
        return APPROVED if order.quantity == before or before != before else reduce(order.quantity)
