"""Matching: at which price a resting order trades, and which of several the price reaches first.

`Resting` is an order as it lies at the simulated venue. The functions here are rules of an order and a price, without
money: what a fill costs and what follows from it is in `venue_fills`, the steps of a bar are in `venue_bars`.

Inside a bar the price is a sequence of straight legs. Along a leg orders are reached in the order of their levels; of
equal levels stops come first, in the order stop_loss, custom_stop, trailing_stop, liquidation, then take-profits, then
limits, and of these the older one.
"""

from __future__ import annotations

import math
from typing import Any, Final

from workbench.trading.arithmetic import round_to_tick, stop_level
from workbench.trading.exits import path_points
from workbench.trading.orders import Order

__all__ = [
    "FORCED",
    "LIMIT",
    "MARKET",
    "PROFIT",
    "STOP",
    "TRAIL",
    "Resting",
    "falls",
    "legs_of",
    "level_of",
    "nearest",
    "reached",
    "see",
]

MARKET, LIMIT, PROFIT, STOP, TRAIL, FORCED = range(6)
NAN: Final = math.nan
INF: Final = math.inf
_KINDS: Final = {
    "market": MARKET, "limit": LIMIT, "stop": STOP, "stop_limit": STOP, "take_profit": PROFIT,
    "take_profit_limit": PROFIT, "trailing_stop": TRAIL,
}  # fmt: skip
_RANKS: Final = {"custom_stop": 1, "trailing_stop": 2, "liquidation": 3, "bankruptcy": 3}
_TAKE_PROFIT_RANK: Final = 4
_LIMIT_RANK: Final = 5
_COPIED: Final = (
    "id", "symbol", "side", "type", "quantity", "price", "stop_price", "trail", "activation", "time_in_force",
    "post_only", "reduce_only", "close_position", "display", "oco", "leg", "tag", "reason", "decided", "parent",
)  # fmt: skip
_OWN: Final = (
    "expires", "sign", "kind", "number", "created", "filled", "paid", "fee", "triggered", "waits", "fresh", "late",
    "best", "ahead", "shown",
)  # fmt: skip


class Resting:
    """An order at the venue: the facts of its `Order`, copied, and what the venue adds.

    Attributes
    ----------
    expires : float
        ms UTC; infinity for never.
    sign : float
        +1 for a buy, -1 for a sell.
    kind : int
        MARKET, LIMIT, PROFIT, STOP, TRAIL, or FORCED (a liquidation). A stop or take-profit that was triggered is a
        market or limit order from then on.
    number : int
        Its place in time: a lower one has priority.
    filled, paid, fee : float
        What has been executed, price times quantity of that, and fees.
    waits : bool
        It came while a bar was matched inside and is not looked at before the next one opens.
    fresh : bool
        It protects a position that was opened inside the bar: all of the bar's adverse side counts for it.
    late : bool
        A target that was moved behind the open of a bar as its position grew there: it trades at the open as a taker,
        after the stops that the open has gone through.
    best : float
        Best price that a trailing stop has seen; NaN for other orders.
    ahead : float
        Quantity in the queue before it; NaN where no queue is kept.
    shown : float
        What is left of the slice that an iceberg shows.
    """

    __slots__ = (*_COPIED, *_OWN)

    def __init__(self, order: Order, number: int, now: int) -> None:
        self.id: str = order.id
        self.symbol: str = order.symbol
        side = order.side
        self.side: str = side
        kind = order.type
        self.type: str = kind
        self.quantity, self.price, self.stop_price = order.quantity, order.price, order.stop_price
        self.trail, self.activation = order.trail, order.activation
        self.time_in_force: str = order.time_in_force
        self.expires: float = INF if order.time_in_force != "GTD" or order.expires is None else float(order.expires)
        self.post_only, self.close_position, self.display = order.post_only, order.close_position, order.display
        leg = order.leg
        self.leg: str = leg
        # the other side of a leg cannot be opened by it, so what is against a leg only reduces
        self.reduce_only: bool = order.reduce_only or order.close_position or (
            leg != "net" and (leg == "long") == (side == "sell")
        )  # fmt: skip
        self.oco, self.tag, self.reason, self.parent = order.oco, order.tag, order.reason, order.parent
        self.decided: int = order.decided
        self.sign = 1.0 if side == "buy" else -1.0
        self.kind = _KINDS[kind]
        self.number, self.created = number, now
        self.filled = self.paid = self.fee = 0.0
        self.triggered = self.waits = self.fresh = self.late = False
        self.best = self.ahead = NAN
        self.shown = self.display

    def to_order(self) -> Order:
        """Give it as an `Order`, with its state."""
        facts: dict[str, Any] = {name: getattr(self, name) for name in _COPIED}
        return Order(
            expires=None if self.expires == INF else int(self.expires), created=self.created, filled=self.filled,
            average_price=self.paid / self.filled if self.filled else NAN, fee=self.fee, triggered=self.triggered,
            status="partially_filled" if self.filled else "accepted", **facts,
        )  # fmt: skip

    def to_plain(self) -> list[Any]:
        """Give everything as plain values; `Resting.from_plain` reads them back."""
        return [getattr(self, name) for name in (*_COPIED, *_OWN)]

    @classmethod
    def from_plain(cls, values: list[Any]) -> Resting:
        """Read what `to_plain` gave."""
        resting = cls.__new__(cls)
        for name, value in zip((*_COPIED, *_OWN), values, strict=True):
            setattr(resting, name, value)
        return resting

    @property
    def becomes_limit(self) -> bool:
        """Whether it is a limit order once it is triggered."""
        return self.type.endswith("_limit")


def level_of(order: Resting, tick: float) -> float:
    """Give the price at which an order trades or is triggered; NaN while a trailing stop is not active."""
    kind = order.kind
    if kind == LIMIT:
        return order.price
    if kind == TRAIL:
        side = -order.sign
        if side * (order.best - order.activation) < 0.0:
            return NAN
        return round_to_tick(stop_level(order.best, side, order.trail), tick, side < 0.0)
    return order.stop_price


def reached(order: Resting, level: float, price: float, touch: bool) -> bool:
    """Tell whether a price is where an order trades: at its level or beyond it; for limits beyond it if not `touch`."""
    # a buy limit and a buy take-profit are below the market, a buy stop above it
    ahead = order.sign * (level - price) if order.kind <= PROFIT else order.sign * (price - level)
    return ahead >= 0.0 if touch or order.kind != LIMIT else ahead > 0.0


def falls(order: Resting) -> bool:
    """Tell whether a falling price reaches it: buy limits and sell stops."""
    return (order.sign > 0.0) == (order.kind <= PROFIT)


def rank(order: Resting) -> int:
    """Give the place of an order among those at the same level."""
    if order.kind == LIMIT:
        return _LIMIT_RANK
    if order.kind == PROFIT:
        return _TAKE_PROFIT_RANK
    return 2 if order.kind == TRAIL else _RANKS.get(order.reason, 0)


def legs_of(opened: float, high: float, low: float, close: float, held: float, path: bool) -> list[tuple[float, float]]:
    """Give the legs of the price inside a bar.

    With `path` they go over the extreme nearer to the open and end at the close. Else the worse is assumed for the
    position (signed quantity) that is held at the open: against it first, then in its favour; flat, the nearer extreme
    comes first.
    """
    start, first, second, end = path_points(opened, high, low, close)
    if path:
        return [(start, first), (first, second), (second, end)]
    if held:
        first, second = (low, high) if held > 0.0 else (high, low)
    return [(start, first), (first, second)]


def nearest(
    orders: list[Resting], tick: float, leg: tuple[float, float], touch: bool, done: set[int]
) -> tuple[Resting | None, float]:
    """Find the order that a leg of the price reaches first, and the price at which it does.

    Parameters
    ----------
    orders : list of Resting
    tick : float
    leg : (start, end)
        Where the price is and where it goes. Equal: what is through at this very price, stops first and those that the
        price has gone furthest beyond first.
    touch : bool
        Whether a limit trades when it is touched.
    done : set of int
        Numbers of orders that are not to be looked at.
    """
    start, end = leg
    falling, still = end < start, start == end
    found, at, first = None, NAN, (True, INF, 0, 0)
    for order in orders:
        if order.waits or order.number in done or not (still or falls(order) == falling):
            continue
        level = level_of(order, tick)
        if not reached(order, level, end, touch):
            continue
        place = rank(order)
        if still:
            key = (place >= _TAKE_PROFIT_RANK, -abs(level - end), place, order.number)
        else:
            key = (False, max(start - level if falling else level - start, 0.0), place, order.number)
        if key < first:
            found, at, first = order, level, key
    if found is None or still:
        return found, end
    return found, min(at, start) if falling else max(at, start)


def see(order: Resting, high: float, low: float) -> None:
    """Let a trailing stop take in the prices of a bar that is over, or of one trade."""
    if order.sign < 0.0:
        order.best = order.best if order.best >= high else high
    else:
        order.best = order.best if order.best <= low else low
