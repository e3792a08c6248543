"""What a tax report is made of: one row for each lot acquired, each part of a lot given up, each income and expense.

Amounts of money are in the reporting currency and exact (as worked, not as shown). None stands for what nobody knows,
never for zero.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

__all__ = ["Acquisition", "Departure", "Disposal", "Finding", "Flow", "Holding"]


class Acquisition(NamedTuple):
    """A lot as it came: how much, at what cost, by which transaction; `side` is "short" for a position opened short."""

    lot: str
    ts: int
    kind: str
    asset: str
    wallet: str
    quantity: Decimal
    cost: Decimal | None
    acquired: int
    source: str
    side: str = "long"


class Disposal(NamedTuple):
    """A part of a lot that was given for something, and what came of it.

    `lot` is "" where no lot was there. For a short position `acquired` is when it was opened, `proceeds` what the sale
    that opened it brought, and `cost` what closing it took.
    """

    transaction: str
    ts: int
    kind: str
    asset: str
    wallet: str
    lot: str
    acquired: int | None
    quantity: Decimal
    proceeds: Decimal | None
    cost: Decimal | None
    days: int | None
    term: str
    source: str
    side: str = "long"

    @property
    def gain(self) -> Decimal | None:
        """Proceeds less cost; None where one of them is not known."""
        return None if self.proceeds is None or self.cost is None else self.proceeds - self.cost


class Departure(NamedTuple):
    """A part of a lot that left without a gain: a present, what went outside, what a network kept."""

    transaction: str
    ts: int
    kind: str
    asset: str
    wallet: str
    lot: str
    acquired: int | None
    quantity: Decimal
    cost: Decimal | None


class Flow(NamedTuple):
    """Income, an expense, or the result of a derivative: `value` is negative where it was paid.

    `category` is "income", "expense" or "gain".
    """

    transaction: str
    ts: int
    category: str
    kind: str
    asset: str
    wallet: str
    quantity: Decimal
    value: Decimal | None
    source: str


class Holding(NamedTuple):
    """What is left of a lot at the end; `wallet` is "" where all wallets share their lots."""

    lot: str
    asset: str
    wallet: str
    acquired: int
    quantity: Decimal
    cost: Decimal | None
    side: str = "long"


class Finding(NamedTuple):
    """Something that is missing or does not fit, with the transaction that shows it."""

    code: str
    transaction: str
    ts: int
    asset: str
    wallet: str
    message: str
