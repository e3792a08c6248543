"""Legs: positions in several instruments that belong together, and what to do when only some of them were filled.

A leg is asked for with a limit that is good for one moment only (IOC), a guard beyond the last price: what has moved
further is not chased. Legs that were filled to different parts are lopsided, and being half hedged is a bet nobody
wanted: `keep_legs` cuts the leg that is ahead back, at the market, before it asks for anything else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from workbench.trading.orders import Intent, Side
    from workbench.trading.view import View

__all__ = ["Leg", "flatten", "keep_legs", "lopsided"]

CLOSE_ENOUGH: Final = 0.02  # parts of legs that differ by less than this much of the whole are lots, not a risk


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg of a position: what is wanted of an instrument, signed; `price` the last one, which the guard is from."""

    symbol: str
    quantity: float
    price: float


def keep_legs(view: View, legs: Sequence[Leg], *, guard: float, tag: str = "leg", chase: bool = True) -> list[Intent]:
    """Say what brings a position in several legs nearer to what is wanted, never further from being hedged.

    Parameters
    ----------
    view : View
    legs : sequence of Leg
        What is wanted, all signs as held. At least one.
    guard : float
        How much worse than the last price a leg may trade, a fraction.
    tag : str
        Of the orders.
    chase : bool, default True
        Whether legs that were filled in part are asked for again once all are equally far; False is content with them.

    Returns
    -------
    list of Intent
        Nothing while orders of these legs are still under way.
    """
    symbols = [leg.symbol for leg in legs]
    if any(one.symbol in symbols for one in (*view.orders(tag=tag), *view.wishes(tag=tag))):
        return []
    parts = {leg.symbol: _part(view, leg) for leg in legs}
    if lopsided(view, legs):
        least = min(parts.values())
        return [
            _market(view, leg, least * leg.quantity - view.quantity(leg.symbol), tag)
            for leg in legs
            if parts[leg.symbol] > least
        ]
    if not chase and max(parts.values()) > 0.0:
        return []
    return [wish for leg in legs for wish in _to_open(view, leg, guard, tag)]


def lopsided(view: View, legs: Sequence[Leg]) -> bool:
    """Tell whether legs are filled to parts that differ by more than their lots explain."""
    parts = [_part(view, leg) for leg in legs]
    return max(parts) - min(parts) > CLOSE_ENOUGH


def flatten(view: View, symbols: Sequence[str], tag: str = "leg") -> list[Intent]:
    """Leave all legs at the market; nothing of those that are flat or whose order is under way."""
    busy = {one.symbol for one in (*view.orders(tag=tag), *view.wishes(tag=tag))}
    return [view.close(one, tag=tag) for one in symbols if view.quantity(one) and one not in busy]


def _part(view: View, leg: Leg) -> float:
    """Give which part of a leg is held; what is held on the other side counts as nothing."""
    return max(0.0, view.quantity(leg.symbol) / leg.quantity) if leg.quantity else 1.0


def _market(view: View, leg: Leg, change: float, tag: str) -> Intent:
    side: Side = "buy" if change > 0.0 else "sell"
    return view.market(side, abs(change), symbol=leg.symbol, tag=tag, reduce_only=True)


def _to_open(view: View, leg: Leg, guard: float, tag: str) -> list[Intent]:
    change = leg.quantity - view.quantity(leg.symbol)
    side: Side = "buy" if change > 0.0 else "sell"
    level = leg.price * (1.0 + math.copysign(guard, change))
    price, quantity = view.rounded(side, level, abs(change), leg.symbol)
    if quantity <= 0.0:
        return []
    return [view.limit(side, quantity, price=price, symbol=leg.symbol, tag=tag, time_in_force="IOC")]
