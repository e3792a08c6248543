"""An order of ours in the words of ccxt; what the venue lacks or its filters would refuse is refused here, unsent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from workbench.bots.brokers.offers import Offers
from workbench.bots.brokers.verdicts import VENUE_REJECTIONS
from workbench.errors import BrokerRejected
from workbench.trading.gate import REJECTIONS
from workbench.trading.orders import Order

__all__ = ["Worded", "refused", "settled", "word_order"]

_NEAR: Final = 1e-9  # what floats may lose between a number worked out and a whole step, as a fraction
_STEP: Final = 4  # ccxt's mode in which precision is the size of a step
_CONDITIONAL: Final = frozenset(("stop", "stop_limit", "take_profit", "take_profit_limit", "trailing_stop"))


class Worded(NamedTuple):
    """The arguments of ccxt's `create_order`; `conditional` whether it waits for a trigger."""

    symbol: str
    type: str
    side: str
    amount: float | None
    price: float | None
    params: dict[str, Any]
    conditional: bool = False


def refused(code: str, order: Order, text: str = "") -> BrokerRejected:
    """Give the refusal of an order that was not sent."""
    why = REJECTIONS.get(code) or VENUE_REJECTIONS[code]
    more = f": {text}" if text else ""
    return BrokerRejected(f"{order.id}: {why}{more}; it was not sent", code=code, sent=False)


def word_order(order: Order, client_id: str, offers: Offers, client: Any) -> Worded:
    """Say an order in ccxt's words.

    Parameters
    ----------
    order : Order
        Its quantity is finite, unless the venue takes orders for all that is held.
    client_id : str
        The id under which the venue is to have it.
    offers : Offers
    client : ccxt client
        With its markets loaded.

    Raises
    ------
    BrokerRejected
        The venue has no such order, or its filters do not allow it.
    """
    _check(order, offers)
    market = client.market(order.symbol)
    whole = order.close_position and offers.closes and order.type in ("stop", "take_profit")
    amount = None if whole else settled(client, market, "amount", order.quantity)
    price = settled(client, market, "price", order.price) if order.type in _LIMITS else None
    _filter(order, market, amount, price)
    params = {"clientOrderId": client_id, **_timing(order, offers), **_trigger(order, offers, client, market)}
    if whole:
        params["closePosition"] = True
    elif (order.reduce_only or order.close_position) and offers.reduce_only and order.leg == "net":
        params["reduceOnly"] = True
    if order.leg != "net":
        params |= {"hedged": True, "reduceOnly": (order.leg == "long") == (order.side == "sell")}
    if order.display == order.display:
        params["icebergAmount"] = settled(client, market, "amount", order.display)
    kind = "limit" if order.type in _LIMITS else "market"
    return Worded(order.symbol, kind, order.side, amount, price, params, order.type in _CONDITIONAL)


_LIMITS: Final = frozenset(("limit", "stop_limit", "take_profit_limit"))


def _check(order: Order, offers: Offers) -> None:
    """Refuse what the venue lacks."""
    lacks = ""
    if order.type not in offers.types:
        lacks = f"{order.type} orders"
    elif order.time_in_force not in (*offers.times, "GTD"):
        lacks = f"{order.time_in_force} orders"
    elif order.post_only and not offers.post_only:
        lacks = "post-only orders"
    elif order.display == order.display and not offers.iceberg:
        lacks = "iceberg orders"
    elif order.leg != "net" and not offers.reduce_only:
        lacks = "long and short positions side by side"
    elif order.reduce_only and order.side == "buy" and not offers.reduce_only:
        lacks = "short positions"
    if lacks:
        raise refused("not_supported", order, f"{order.symbol} has no {lacks} there")
    if order.post_only and order.time_in_force in ("IOC", "FOK"):
        raise refused("not_supported", order, "post-only is no IOC or FOK")


def settled(client: Any, market: Mapping[str, Any], what: str, value: float) -> float | None:
    """Give a quantity ("amount") or price in whole steps of the venue; None where it is not, or no number.

    Where ccxt gives no step (significant digits), the value is as it was.
    """
    if not math.isfinite(value):
        return None
    precision = (market.get("precision") or {}).get(what)
    if precision is None:
        return value
    step = Decimal(str(precision)) if client.precisionMode == _STEP else Decimal(10) ** -int(precision)
    if client.precisionMode not in (_STEP, 2) or step <= 0:
        return value
    steps = round(Decimal(repr(float(value))) / step)
    near = float(steps * step)
    return near if abs(near - value) <= _NEAR * max(abs(value), float(step)) else None


def _filter(order: Order, market: Mapping[str, Any], amount: float | None, price: float | None) -> None:
    """Refuse what the venue's filters would refuse."""
    limits = market.get("limits") or {}
    if market.get("active") is False:
        raise refused("not_trading", order)
    if order.type in _LIMITS and price is None:
        raise refused("off_tick" if math.isfinite(order.price) else "price_missing", order, f"price {order.price!r}")
    least, most = _range(limits, "amount")
    if amount is None and not order.close_position:
        small = math.isfinite(order.quantity) and order.quantity < least
        raise refused("below_min_quantity" if small else "off_lot", order, f"quantity {order.quantity!r}")
    if amount is not None and (amount < least or amount <= 0.0):
        raise refused("below_min_quantity", order, f"{amount:.12g} of at least {least:.12g}")
    if amount is not None and amount > most:
        raise refused("refused_by_venue", order, f"{amount:.12g} is more than the {most:.12g} that it takes at once")
    at = price if price is not None else order.stop_price
    cheap, dear = _range(limits, "price")
    if price is not None and not cheap <= price <= dear:
        raise refused("price_out_of_band", order, f"price {price:.12g}")
    floor, _ = _range(limits, "cost")
    if amount is not None and math.isfinite(at) and not (order.reduce_only and market.get("contract")):
        value = amount * at * float(market.get("contractSize") or 1.0)
        if not market.get("inverse") and value < floor * (1.0 - _NEAR):
            raise refused("below_min_notional", order, f"{value:.12g} of at least {floor:.12g}")


def _range(limits: Mapping[str, Any], what: str) -> tuple[float, float]:
    part = limits.get(what) or {}
    least, most = part.get("min"), part.get("max")
    return float(least or 0.0), float(most) if most else math.inf


def _timing(order: Order, offers: Offers) -> dict[str, Any]:
    dated = order.time_in_force == "GTD"
    if dated and order.expires is None:
        raise refused("expiry_missing", order)
    if order.post_only:
        return {"postOnly": True}
    if dated and offers.dates(order):
        return {"timeInForce": "GTD", "goodTillDate": order.expires}
    return {} if dated or order.time_in_force == "GTC" else {"timeInForce": order.time_in_force}


def _trigger(order: Order, offers: Offers, client: Any, market: Mapping[str, Any]) -> dict[str, Any]:
    if order.type == "trailing_stop":
        return _trail(order, offers, client, market)
    if order.type not in _CONDITIONAL:
        return {}
    level = settled(client, market, "price", order.stop_price)
    if level is None:
        known = math.isfinite(order.stop_price)
        raise refused("off_tick" if known else "trigger_missing", order, f"trigger {order.stop_price!r}")
    if order.type.startswith("take_profit"):
        return {"takeProfitPrice": level}
    if offers.directed and not (order.reduce_only or order.close_position):
        return {"triggerPrice": level, "triggerDirection": "ascending" if order.side == "buy" else "descending"}
    return {"stopLossPrice": level}


def _trail(order: Order, offers: Offers, client: Any, market: Mapping[str, Any]) -> dict[str, Any]:
    if not 0.0 < order.trail < 1.0:
        raise refused("trail_missing", order)
    params: dict[str, Any] = {"trailingPercent": f"{100.0 * order.trail:.6g}"}
    if not offers.reduce_only:
        params["stopLossOrTakeProfit"] = "stopLoss"
    if math.isfinite(order.activation):
        params["trailingTriggerPrice"] = settled(client, market, "price", order.activation)
    return params
