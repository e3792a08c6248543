"""Executions against the levels of an order book."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

__all__ = ["MOST_SLIPPAGE", "slipped_limit", "walk"]

MOST_SLIPPAGE: Final = 0.05
"""How far from the last price an order may be filled at most, as a fraction of it."""


def slipped_limit(reference: float, sign: float) -> float:
    """Give the worst price of a market order against a book."""
    return reference * (1.0 + sign * MOST_SLIPPAGE)


def walk(
    levels: Sequence[Sequence[float]], quantity: float, sign: float, limit: float, cap: float
) -> tuple[float, float]:
    """Say what a taker gets of the other side of the book.

    Parameters
    ----------
    levels : sequence of (price, quantity)
        Best first; not empty.
    quantity : float
    sign : float
        +1 for a buy (levels are asks), -1 for a sell.
    limit : float
        The order takes nothing beyond it; NaN for a market order, which takes what is beyond the book at its last
        level.
    cap : float
        The average price is not worse than this.

    Returns
    -------
    quantity : float
    price : float
        Average; NaN where nothing can be had.
    """
    left, paid = quantity, 0.0
    for price, there in levels:
        if sign * (price - limit) > 0.0 or left <= 0.0:
            break
        part = min(left, there)
        paid += part * price
        left -= part
    if left > 0.0 and math.isnan(limit):
        paid += left * levels[-1][0]
        left = 0.0
    done = quantity - left
    if not done > 0.0:
        return 0.0, math.nan
    average = paid / done
    return done, cap if sign * (average - cap) > 0.0 else average
