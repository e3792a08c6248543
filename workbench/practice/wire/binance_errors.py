"""Binance's codes and words for what the engine refuses."""

from __future__ import annotations

from typing import Any, Final

from workbench.errors import WorkbenchError
from workbench.practice.engine_records import Refused

__all__ = ["BinanceError", "worded"]


class BinanceError(WorkbenchError):
    """What Binance answers instead of a result: its code, its words, the status of HTTP, and sometimes more."""

    def __init__(self, code: int, message: str, status: int = 400, data: Any = None) -> None:
        super().__init__(message, code=code, status=status)
        self.code, self.text, self.status, self.data = code, message, status, data

    def __reduce__(self) -> tuple[Any, ...]:
        return BinanceError, (self.code, self.text, self.status, self.data)

    @property
    def body(self) -> dict[str, Any]:
        """What is sent."""
        return {"code": self.code, "msg": self.text, **({"data": self.data} if self.data is not None else {})}


_Words = tuple[int, str]

_BOTH: Final[dict[str, _Words]] = {
    "no_account": (-2015, "Invalid API-key, IP, or permissions for action."),
    "already_expired": (-1013, "Invalid goodTillDate."),
    "expiry_missing": (-1102, "Mandatory parameter 'goodTillDate' was not sent, was empty/null, or malformed."),
    "negative_quantity": (-1013, "Invalid quantity."),
    "not_a_number": (-1102, "A mandatory parameter was not sent, was empty/null, or malformed."),
    "price_missing": (-1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."),
    "price_not_positive": (-1013, "Invalid price."),
    "trigger_missing": (-1102, "Mandatory parameter 'stopPrice' was not sent, was empty/null, or malformed."),
    "trail_missing": (-1102, "Mandatory parameter 'trailingDelta' was not sent, was empty/null, or malformed."),
    "unknown_instrument": (-1121, "Invalid symbol."),
    "zero_quantity": (-1013, "Invalid quantity."),
}

_SPOT: Final[dict[str, _Words]] = {
    "client_id": (-1100, "Illegal characters found in parameter 'newClientOrderId'."),
    "insufficient_balance": (-2010, "Account has insufficient balance for requested action."),
    "max_orders": (-1013, "Filter failure: MAX_NUM_ORDERS"),
    "below_filled": (-2038, "Order amend rejected: the new quantity must be above what was executed."),
    "below_min_notional": (-1013, "Filter failure: NOTIONAL"),
    "below_min_quantity": (-1013, "Filter failure: LOT_SIZE"),
    "display_beyond_quantity": (-1013, "Filter failure: ICEBERG_PARTS"),
    "duplicate_id": (-2010, "Duplicate order sent."),
    "insufficient_margin": (-2010, "Account has insufficient balance for requested action."),
    "lot_size": (-1013, "Filter failure: LOT_SIZE"),
    "market_closed": (-2010, "Market is closed."),
    "min_notional": (-1013, "Filter failure: NOTIONAL"),
    "not_supported": (-2010, "Order type is not supported for this symbol."),
    "not_trading": (-2010, "Market is closed."),
    "off_lot": (-1013, "Filter failure: LOT_SIZE"),
    "off_tick": (-1013, "Filter failure: PRICE_FILTER"),
    "order_is_final": (-2011, "Unknown order sent."),
    "percent_price": (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    "post_only_would_take": (-2010, "Order would immediately match and take."),
    "price_filter": (-1013, "Filter failure: PRICE_FILTER"),
    "short_not_allowed": (-2010, "Account has insufficient balance for requested action."),
    "would_trigger": (-2010, "Order would trigger immediately."),
    "unknown_order": (-2013, "Order does not exist."),
    "wrong_leg": (-1106, "Parameter 'positionSide' sent when not required."),
}

_TOO_SMALL: Final = "Order's notional must be no smaller than the minimum (unless you choose reduce only)."
_FUTURES: Final[dict[str, _Words]] = {
    "client_id": (-4015, "Client order id is not valid."),
    "insufficient_balance": (-2019, "Margin is insufficient."),
    "no_position": (-2022, "ReduceOnly Order is rejected."),
    "below_filled": (-5027, "No need to modify the order."),
    "below_min_notional": (-4164, _TOO_SMALL),
    "below_min_quantity": (-4003, "Quantity less than or equal to zero."),
    "duplicate_id": (-4116, "ClientOrderId is duplicated."),
    "insufficient_margin": (-2019, "Margin is insufficient."),
    "leverage_beyond_tier": (-2027, "Exceeded the maximum allowable position at current leverage."),
    "leverage": (-4028, "Leverage is not valid."),
    "lot_size": (-1111, "Precision is over the maximum defined for this asset."),
    "market_closed": (-4140, "Invalid symbol status for opening position."),
    "max_orders": (-2025, "Reach max open order limit."),
    "min_notional": (-4164, _TOO_SMALL),
    "no_change": (-4046, "No need to change margin type."),
    "not_supported": (-4135, "Invalid order type or activation price."),
    "not_trading": (-4140, "Invalid symbol status for opening position."),
    "off_lot": (-1111, "Precision is over the maximum defined for this asset."),
    "off_tick": (-4014, "Price not increased by tick size."),
    "order_is_final": (-2011, "Unknown order sent."),
    "orders_open": (-4047, "Margin type cannot be changed if there exists open orders."),
    "percent_price": (-4016, "Limit price can't be higher than the cap or lower than the floor."),
    "position_open": (-4048, "Margin type cannot be changed if there exists position."),
    "post_only_would_take": (
        -5022, "Due to the order could not be executed as maker, the Post Only order will be rejected."
    ),
    "price_filter": (-4014, "Price not increased by tick size."),
    "reduce_only_would_increase": (-2022, "ReduceOnly Order is rejected."),
    "short_not_allowed": (-2019, "Margin is insufficient."),
    "unknown_order": (-2013, "Order does not exist."),
    "would_trigger": (-2021, "Order would immediately trigger."),
    "wrong_leg": (-4061, "Order's position side does not match user's setting."),
    "zero_quantity": (-4003, "Quantity less than or equal to zero."),
}  # fmt: skip


def worded(error: Refused, *, futures: bool) -> BinanceError:
    """Give a refusal of the engine in Binance's words."""
    words = _BOTH | (_FUTURES if futures else _SPOT)
    code, text = words.get(error.code, (-1013 if not futures else -4000, error.text))
    return BinanceError(code, text)
