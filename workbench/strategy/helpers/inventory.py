"""Inventories: books that a strategy keeps of a part of its position, and how far one is from where it should be.

The account keeps one position an instrument. A strategy that runs several parts side by side (the cells of a grid, two
ladders) keeps each in an `Inventory`: a small dict in `view.memory`, moved by fills.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from workbench.errors import StrategyError

if TYPE_CHECKING:
    from workbench.trading.events import Filled
    from workbench.trading.view import View

__all__ = ["Inventory", "room", "skew"]


class Inventory:
    """A part of a position: its quantity, average price and realised profit before fees, and its fees.

    Parameters
    ----------
    view : View
    name : str
        Under which it is kept in `view.memory`.

    Examples
    --------
    >>> class Memory:
    ...     memory = {}
    >>> from workbench.trading.events import Filled
    >>> part = Inventory(Memory, "left")
    >>> for side, price in (("buy", 100.0), ("buy", 110.0), ("sell", 120.0)):
    ...     part.add(Filled(0, "id", "BTC/USDT", side, 1.0, price, 0.1, True, price, "order", 0))
    >>> part.quantity, part.average, part.realised, round(part.fees, 9)
    (1.0, 105.0, 15.0, 0.3)
    """

    __slots__ = ("_kept",)

    def __init__(self, view: View, name: str) -> None:
        empty = {"quantity": 0.0, "average": 0.0, "realised": 0.0, "fees": 0.0}
        self._kept: dict[str, Any] = view.memory.setdefault(name, empty)

    @property
    def quantity(self) -> float:
        """What it holds, negative for a short."""
        return float(self._kept["quantity"])

    @property
    def average(self) -> float:
        """Average price of what it holds; NaN for nothing."""
        return float(self._kept["average"]) if self.quantity else math.nan

    @property
    def realised(self) -> float:
        """Profit of what was closed, before fees."""
        return float(self._kept["realised"])

    @property
    def fees(self) -> float:
        """Fees paid."""
        return float(self._kept["fees"])

    def add(self, fill: Filled) -> None:
        """Book an execution, as the account does: closing gives profit at the average price, opening moves it."""
        held, average = self.quantity, float(self._kept["average"])
        change = fill.quantity if fill.side == "buy" else -fill.quantity
        closed = min(abs(held), fill.quantity) if held * change < 0.0 else 0.0
        after = held + change
        if closed:
            self._kept["realised"] += closed * (fill.price - average) * math.copysign(1.0, held)
        if abs(after) <= 1e-12 * max(abs(held), fill.quantity):
            after, average = 0.0, 0.0  # what is left are bits of floats
        elif held * after < 0.0 or not held:
            average = fill.price
        elif not closed:
            average = (abs(held) * average + fill.quantity * fill.price) / abs(after)
        self._kept.update(quantity=after, average=average)
        self._kept["fees"] += fill.fee


def skew(quantity: float, target: float, most: float) -> float:
    """Give how far a holding is from its target, from -1.0 (as far short as allowed) to 1.0.

    Parameters
    ----------
    quantity, target : float
        Signed, in the same unit.
    most : float
        The largest distance allowed, above zero.

    Raises
    ------
    StrategyError
        `most` is not above zero.

    Examples
    --------
    >>> skew(3.0, 1.0, 4.0), skew(-9.0, 0.0, 4.0)
    (0.5, -1.0)
    """
    if not most > 0.0:
        raise StrategyError(f"skew: most = {most!r}; give the largest distance from the target, above 0")
    return max(-1.0, min(1.0, (quantity - target) / most))


def room(quantity: float, target: float, most: float, side: str) -> float:
    """Give how much may still be bought or sold before a holding is too far from its target; never below zero.

    Examples
    --------
    >>> room(3.0, 0.0, 4.0, "buy"), room(3.0, 0.0, 4.0, "sell"), room(5.0, 0.0, 4.0, "buy")
    (1.0, 7.0, 0.0)
    """
    away = quantity - target
    return max(0.0, most - away if side == "buy" else most + away)
