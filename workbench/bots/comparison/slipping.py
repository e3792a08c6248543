"""What a slipped price is made of: the market's move until the order went out, the spread, and what came after."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from workbench.bots.comparison.lived import Lived
from workbench.bots.comparison.trips import Trip

__all__ = ["PARTS", "End", "parts_of"]

PARTS: Final = {
    "assumed": "the slippage that the backtest had taken off already",
    "latency": "what the market moved between the price that the backtest took and the order going out",
    "spread": "from the middle to the best price of the other side, as the order went out",
    "impact": "beyond that best price: the order's own size, and moves while it was under way",
    "spread or impact": "beyond the market's price; which of the two it was, the journal does not tell",
    "other size": "the size was worked out at another price",
    "fees on other prices": "fees follow the value that was traded",
    "not known": "the journal does not tell what it was made of",
}
"""Every part of price slippage, in words."""


_STALE_MS: Final = 5_000  # a quote so much older than the order says nothing of the market that it met


class End(NamedTuple):
    """One end of a trade: its average price, that before slippage, when it was executed and decided, and its orders."""

    price: float
    quoted: float
    ts: int
    decided: int
    orders: tuple[str, ...]

    @classmethod
    def of(cls, trip: Trip, at: str) -> End:
        """Give the entry or the exit of a trade."""
        if at == "entry":
            return cls(trip.entry, trip.quoted_entry, trip.entered, trip.decided, trip.orders)
        return cls(trip.exit, trip.quoted_exit, trip.left, trip.exit_decided, trip.exit_orders)


def parts_of(
    life: Lived, want: End, have: End, base: float, cost: Callable[[float, float], float]
) -> tuple[tuple[str, float], ...]:
    """Take the slippage of one end of a trade apart.

    Parameters
    ----------
    life : Lived
    want, have : End
        As the backtest and the bot have it.
    base : float
        The market's price that the backtest took, moved on to the bar of the bot's execution.
    cost : callable
        `(before, after)`: what it made of the profit that the price went from one to the other.

    Returns
    -------
    tuple of (part, cost)
        Of `PARTS`, zeros left out.
    """
    steps: list[tuple[str, float, float]] = [("assumed", want.price, want.quoted)]
    middle, best = _market(life, have.orders)
    if not math.isnan(middle):
        steps += [("latency", base, middle), ("spread", middle, best), ("impact", best, have.price)]
    elif have.quoted != have.price:
        steps += [("latency", base, have.quoted), ("spread or impact", have.quoted, have.price)]
    else:
        steps += [("not known", base, have.price)]
    return tuple((name, made) for name, a, b in steps if (made := cost(a, b)) != 0.0)


def _market(life: Lived, orders: tuple[str, ...]) -> tuple[float, float]:
    """Give middle and best price of the other side as orders went out, the mean by quantity; NaN where not known."""
    sums = [0.0, 0.0, 0.0]
    for name in orders:
        order, seen = life.orders.get(name), life.markets.get(name, {})
        bid, ask = seen.get("bid"), seen.get("ask")
        old = seen.get("ts", 0) - (seen.get("quoted_at") or 0) > _STALE_MS
        if order is None or order.type != "market" or not bid or not ask or old:
            return math.nan, math.nan
        weight = life.executed.get(name, 0.0)
        best = ask if order.side == "buy" else bid
        sums = [sums[0] + weight, sums[1] + weight * (bid + ask) / 2.0, sums[2] + weight * best]
    return (sums[1] / sums[0], sums[2] / sums[0]) if sums[0] else (math.nan, math.nan)
