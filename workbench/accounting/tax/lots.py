"""Lots and the pools that give them out: which lot is given first, and what of its cost goes with it.

Nothing is lost and nothing made: a part of a lot takes its share of the cost, rounded to `FINEST`, and what stays keeps
the rest, so that the parts always add up to the whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from heapq import heappop, heappush
from typing import Final, NamedTuple

__all__ = ["FINEST", "Lot", "Piece", "Pool", "pool_of", "share", "split", "worked"]

FINEST: Final = Decimal("1e-18")  # of the reporting currency: what amounts of money are worked out to
_ZERO: Final = Decimal(0)
Key = tuple[Decimal | int, ...]


def worked(amount: Decimal) -> Decimal:
    """Round an amount of money to what is worked with, far below what is shown."""
    return amount.quantize(FINEST, rounding=ROUND_HALF_EVEN)


def share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Give a part its share of an amount; all of it where the part is the whole."""
    return amount if part == whole else worked(amount * part / whole)


@dataclass(slots=True)
class Lot:
    """What one transaction acquired and is still there.

    `cost` is that of the quantity left, None where nobody knows it; `price` is what a unit was acquired at, fees aside.
    For a short position `cost` is what the sale that opened it brought.
    """

    id: str
    number: int
    acquired: int
    quantity: Decimal
    cost: Decimal | None
    price: Decimal

    @property
    def unit_cost(self) -> Decimal:
        """Cost of one unit; zero where it is not known."""
        return _ZERO if self.cost is None or not self.quantity else self.cost / self.quantity


class Piece(NamedTuple):
    """A part of a lot that was taken out of a pool."""

    lot: Lot
    quantity: Decimal
    cost: Decimal | None


class Pool:
    """Lots of one asset in one place, given out in the order of a method.

    Parameters
    ----------
    key : callable
        Of a lot: what comes first is given first.
    average : bool
        Whether a part takes its share of the cost of all that is here and known, in place of its own lot's.
    """

    def __init__(self, key: Callable[[Lot], Key], *, average: bool = False) -> None:
        self._key = key
        self._average = average
        self._waiting: list[tuple[Key, int, Lot]] = []
        self._named: defaultdict[str, list[Lot]] = defaultdict(list)
        self._added = 0
        self._known = _ZERO  # quantity and cost of the lots whose cost is known
        self._cost = _ZERO
        self.quantity = _ZERO

    def add(self, lot: Lot) -> None:
        """Take in a lot."""
        self._added += 1
        heappush(self._waiting, (self._key(lot), self._added, lot))
        self._named[lot.id].append(lot)
        self.quantity += lot.quantity
        if lot.cost is not None:
            self._known += lot.quantity
            self._cost += lot.cost

    def take(self, quantity: Decimal) -> list[Piece]:
        """Give out as much as is asked for and as there is, in the order of the method."""
        pieces = []
        while quantity and self._waiting:
            lot = self._waiting[0][2]
            if lot.quantity:
                piece = self._part(lot, min(quantity, lot.quantity))
                quantity -= piece.quantity
                pieces.append(piece)
            if not lot.quantity:
                heappop(self._waiting)
        return pieces

    def take_from(self, lot_id: str, quantity: Decimal) -> list[Piece]:
        """Give out as much of one lot as is asked for and as there is."""
        pieces = []
        for lot in self._named.get(lot_id, ()):
            part = min(quantity, lot.quantity)
            if part:
                pieces.append(self._part(lot, part))
                quantity -= part
        return pieces

    def _part(self, lot: Lot, part: Decimal) -> Piece:
        cost = lot.cost
        if cost is not None:
            if self._average:
                cost = share(self._cost, part, self._known)
            else:
                cost = share(cost, part, lot.quantity)
                lot.cost = (lot.cost or _ZERO) - cost
            self._known -= part
            self._cost -= cost
        lot.quantity -= part
        self.quantity -= part
        if not lot.quantity:
            held = self._named[lot.id]
            held.remove(lot)
            if not held:
                del self._named[lot.id]
        return Piece(lot, part, cost)

    def held(self, lot_id: str) -> Decimal:
        """Tell how much of one lot is here."""
        return sum((lot.quantity for lot in self._named.get(lot_id, ())), _ZERO)

    def __iter__(self) -> Iterator[Lot]:
        """Go through the lots that are left, the oldest first, each with its cost as the method counts it."""
        left = sorted((one for _, _, one in self._waiting if one.quantity), key=lambda lot: (lot.acquired, lot.number))
        if not self._average:
            yield from left
            return
        cost, known = self._cost, self._known
        for lot in left:
            if lot.cost is None:
                yield lot
            else:
                part = share(cost, lot.quantity, known)
                cost, known = cost - part, known - lot.quantity
                yield replace(lot, cost=part)


def pool_of(method: str, rank: str, *, short: bool = False) -> Pool:
    """Make an empty pool for a method.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    rank : {"cost", "price"}
        What `hifo` and `lofo` compare.
    short : bool
        Whether its lots are short positions: the highest cost is then the lowest sale, which makes the least gain.
    """
    if method in ("hifo", "lofo"):
        sign = -1 if (method == "hifo") is not short else 1
        if rank == "price":
            return Pool(lambda lot: (sign * lot.price, lot.acquired, lot.number))
        return Pool(lambda lot: (sign * lot.unit_cost, lot.acquired, lot.number))
    if method == "lifo":
        return Pool(lambda lot: (-lot.acquired, -lot.number))
    return Pool(lambda lot: (lot.acquired, lot.number), average=method == "average")


def split(pieces: list[Piece], quantity: Decimal) -> tuple[list[Piece], list[Piece]]:
    """Part what was taken into the first so many units and the rest."""
    first, rest = [], []
    for piece in pieces:
        part = min(quantity, piece.quantity)
        quantity -= part
        cost = None if piece.cost is None else share(piece.cost, part, piece.quantity)
        if part:
            first.append(Piece(piece.lot, part, cost))
        if part < piece.quantity:
            left = None if piece.cost is None or cost is None else piece.cost - cost
            rest.append(Piece(piece.lot, piece.quantity - part, left))
    return first, rest
