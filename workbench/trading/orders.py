"""Orders: what a strategy asks for, what lies at a venue, and which state may follow which.

`Intent` is a wish in plain data, made by a strategy through its view; the core turns it into an `Order` with a client
order id, whole ticks and whole lots. An `Order` is the only mutable thing here: the core and the venue each keep their
own copy and change it by events. No prices are judged here: `matching` does that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Final, Literal

from workbench.errors import ConfigError

__all__ = [
    "FINAL",
    "REASONS",
    "TRANSITIONS",
    "Amend",
    "Cancel",
    "Intent",
    "Leg",
    "Order",
    "OrderStatus",
    "OrderType",
    "Protect",
    "Side",
    "SizeUnit",
    "TimeInForce",
    "Wake",
    "client_order_id",
    "may_follow",
]

Side = Literal["buy", "sell"]
OrderType = Literal[
    "market", "limit", "stop", "stop_limit", "take_profit", "take_profit_limit", "trailing_stop"
]  # fmt: skip
TimeInForce = Literal["GTC", "IOC", "FOK", "GTD"]
OrderStatus = Literal[
    "new", "submitted", "accepted", "partially_filled", "filled", "canceled", "rejected", "expired", "unknown"
]  # fmt: skip
Leg = Literal["net", "long", "short"]
SizeUnit = Literal["quantity", "fraction", "cash", "risk"]

NAN: Final = math.nan

# Why a fill happened: the vocabulary of both paths, of trades and of orders. The position in this tuple is the code
# that records carry.
REASONS: Final = (
    "open", "signal", "reversal", "stop_loss", "take_profit", "trailing_stop", "bankruptcy", "entry", "roi",
    "time_limit", "custom_stop", "liquidation", "order", "risk_limit",
)  # fmt: skip

FINAL: Final = frozenset(("filled", "canceled", "rejected", "expired"))
_LIVE: Final = frozenset(("accepted", "partially_filled", "filled", "canceled", "rejected", "expired", "unknown"))
TRANSITIONS: Final[dict[str, frozenset[str]]] = {
    "new": frozenset(("submitted", "rejected")),
    "submitted": _LIVE,
    "accepted": _LIVE - {"accepted", "rejected"},
    "partially_filled": _LIVE - {"accepted", "rejected"},
    "unknown": _LIVE - {"unknown"},
    **{status: frozenset() for status in sorted(FINAL)},
}


def may_follow(before: str, after: str) -> bool:
    """Tell whether an order may go from one status to another; the same status again only for partial fills."""
    return after in TRANSITIONS[before] or (before == after == "partially_filled")


@dataclass(slots=True)
class Intent:
    """What a strategy wants to trade, in plain data; made by the methods of a view.

    Attributes
    ----------
    symbol, side, type
        As in `Order`.
    size : float
        How much, in `size_unit`: units of the base asset or contracts ("quantity"), a fraction of the equity
        ("fraction"), quote currency ("cash"), or the fraction of the equity lost if the stop is hit ("risk"). What is
        no quantity is worked out at the first price after the decision.
    stop_loss, take_profit, trailing_stop, trailing_activation : float
        Exits to protect the position with once it is filled, as fractions of its entry price; NaN for none.
    stop_at, target_at : float
        The same as absolute prices; NaN for none.
    entry : bool
        Opens a position from flat: it waits until what is held on the other side has been closed.
    id : str
        Client order id of the order it becomes.
    """

    symbol: str
    side: Side
    type: OrderType = "market"
    size: float = NAN
    size_unit: SizeUnit = "quantity"
    price: float = NAN
    stop_price: float = NAN
    trail: float = NAN
    activation: float = NAN
    time_in_force: TimeInForce = "GTC"
    expires: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    close_position: bool = False
    display: float = NAN
    oco: str = ""
    leg: Leg = "net"
    tag: str = ""
    reason: str = "order"
    decided: int = 0
    stop_loss: float = NAN
    take_profit: float = NAN
    trailing_stop: float = NAN
    trailing_activation: float = NAN
    stop_at: float = NAN
    target_at: float = NAN
    entry: bool = False
    id: str = ""


@dataclass(slots=True)
class Order:
    """One order at a venue, with its state.

    Attributes
    ----------
    id : str
        Client order id.
    symbol : str
    side : {"buy", "sell"}
    type : OrderType
        `stop` and `take_profit` become market orders when triggered, their `_limit` forms limit orders at `price`.
    quantity : float
        In units of the base asset, or contracts. NaN with `close_position`: all that is held when it trades.
    price : float
        Limit price; NaN for none.
    stop_price : float
        Trigger; NaN for none. Of a trailing stop: where it stands now.
    trail : float
        Distance of a trailing stop from the best price, a fraction.
    activation : float
        Price that a trailing stop waits for; NaN: active at once.
    expires : int or None
        ms UTC, for GTD.
    display : float
        Quantity of an iceberg that shows; NaN: all.
    oco : str
        Name of the group in which one fill cancels the others; "" for none.
    leg : {"net", "long", "short"}
        Which position it changes, in hedge mode.
    reason : str
        One of `REASONS`.
    decided : int
        Open time (ms UTC) of the bar whose close decided it.
    filled, average_price, fee : float
        What has been executed so far.
    triggered : bool
        A stop or take-profit whose trigger was reached.
    """

    id: str
    symbol: str
    side: Side
    type: OrderType = "market"
    quantity: float = NAN
    price: float = NAN
    stop_price: float = NAN
    trail: float = NAN
    activation: float = NAN
    time_in_force: TimeInForce = "GTC"
    expires: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    close_position: bool = False
    display: float = NAN
    oco: str = ""
    leg: Leg = "net"
    tag: str = ""
    reason: str = "order"
    decided: int = 0
    parent: str = ""
    created: int = 0
    updated: int = 0
    status: OrderStatus = "new"
    filled: float = 0.0
    average_price: float = NAN
    fee: float = 0.0
    triggered: bool = False
    rejected: str = ""
    venue_id: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def sign(self) -> float:
        """+1 for a buy, -1 for a sell."""
        return 1.0 if self.side == "buy" else -1.0

    @property
    def remaining(self) -> float:
        """Quantity that is not executed yet; NaN for an order that closes all there is."""
        return self.quantity - self.filled

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in FINAL

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain data; `Order(**data)` reads it back."""
        data = dict(zip(_NAMES, _VALUES(self), strict=True))
        data["extra"] = dict(self.extra)
        return data


_NAMES: Final = tuple(one.name for one in fields(Order))
_VALUES: Final = attrgetter(*_NAMES)


@dataclass(slots=True, frozen=True)
class Cancel:
    """A strategy's wish to cancel an order by its id."""

    id: str


@dataclass(slots=True, frozen=True)
class Amend:
    """A strategy's wish to change a resting order; NaN leaves a field as it is."""

    id: str
    price: float = NAN
    quantity: float = NAN
    stop_price: float = NAN
    reason: str = ""


@dataclass(slots=True, frozen=True)
class Protect:
    """A wish to move the stop or target of a position; NaN leaves one as it is.

    `stop_at` and `target_at` are prices, `roi` a target as a fraction of the entry price. With `ratchet` the stop moves
    only in the position's favour.
    """

    symbol: str
    stop_at: float = NAN
    target_at: float = NAN
    roi: float = NAN
    leg: Leg = "net"
    ratchet: bool = False


@dataclass(slots=True, frozen=True)
class Wake:
    """A strategy's wish to be called (`on_timer`) at a time, ms UTC."""

    ts: int
    name: str = ""
    symbol: str = ""


def client_order_id(bot: str, number: int, symbol: str, side: str, kind: str) -> str:
    """Give the id of the order that an intent becomes: the same intent always gets the same id.

    Parameters
    ----------
    bot : str
        Name of the bot or run.
    number : int
        The how many-th intent of that bot it is, counted from zero.
    symbol, side, kind : str
        Symbol, side and type of the order.

    Returns
    -------
    str
        24 characters, "wb" and hex digits; where a venue wants another form, its broker spells it so.

    Raises
    ------
    ConfigError
        The number is negative.
    """
    if number < 0:
        raise ConfigError(f"intent number {number} is negative; intents are counted from zero", number=number)
    digest = blake2b(f"{bot}|{number}|{symbol}|{side}|{kind}".encode(), digest_size=11)
    return "wb" + digest.hexdigest()
