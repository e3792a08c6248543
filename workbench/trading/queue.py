"""Where a resting limit order stands in the queue at its price, and when an iceberg shows its next slice.

An exchange fills the orders at a price in the order in which they came. With `limit_fill="queue"` an order keeps the
quantity that was ahead of it: what the book shows at its price when it comes, and on bars, where no book is known, a
share of the bar's volume. Trades at the price reduce it; a trade beyond the price has used all of it up. With the other
ways no queue is kept and an order fills as soon as its price comes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from workbench.trading.arithmetic import round_down

if TYPE_CHECKING:
    from workbench.trading.matching import Resting
    from workbench.trading.venue_state import Market

__all__ = ["SHARE", "join", "pass_by", "take_turn"]

SHARE: Final = 0.1
"""Share of a bar's volume that is taken to lie, and to trade, at one price."""


def join(market: Market, order: Resting, queued: bool) -> None:
    """Put an order at the end of the queue at its price."""
    if not queued:
        return
    levels = market.bids if order.sign > 0.0 else market.asks
    if levels or not market.bars:
        order.ahead = sum(there for price, there in levels if price == order.price)
    else:
        order.ahead = SHARE * market.volume if 0.0 < market.volume < math.inf else 0.0


def pass_by(order: Resting, traded: float, beyond: bool) -> float:
    """Let a quantity trade at an order's price, or beyond it, and give what of it reaches the order."""
    if math.isnan(order.ahead):
        return math.inf
    if beyond:
        order.ahead = 0.0
        return math.inf
    reaches = max(traded - order.ahead, 0.0)
    order.ahead = max(order.ahead - traded, 0.0)
    return reaches


def take_turn(market: Market, order: Resting, quantity: float) -> float:
    """Cut a fill to the slice that an iceberg shows, and show the next one when it is used up."""
    if math.isnan(order.display) or quantity <= 0.0:
        return quantity
    part = round_down(min(quantity, order.shown), market.lot)
    order.shown -= part
    if order.shown <= 0.0:
        order.shown = order.display
        join(market, order, not math.isnan(order.ahead))
    return part
