"""What the practice exchange tells those who listen, in the order in which it happened.

Every message has `ts` (ms UTC, the exchange's time). The records in them are copies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from workbench.practice.engine_records import Balance, Execution, OrderList, OrderRecord, PositionRecord, Wallet
from workbench.practice.markets.market import Print

__all__ = [
    "BalanceChanged",
    "FundingPaid",
    "LeverageChanged",
    "Liquidated",
    "ListChanged",
    "Listener",
    "MarginCalled",
    "MarketChanged",
    "Message",
    "OrderChanged",
    "PositionChanged",
    "Printed",
]


class Printed(NamedTuple):
    """A trade of the market; only of symbols that somebody watches (`Engine.watch`)."""

    ts: int
    symbol: str
    print: Print


class OrderChanged(NamedTuple):
    """An order came or changed.

    `kind` is "new", "trade" (with its `execution`), "canceled", "expired", "amended", "triggered" or "rejected" (an
    order that was taken and refused later, such as a stop there was no money for).
    """

    ts: int
    account: str
    order: OrderRecord
    kind: str
    execution: Execution | None = None


class ListChanged(NamedTuple):
    """An order list came ("open") or ended ("done")."""

    ts: int
    account: str
    orders: OrderList


class BalanceChanged(NamedTuple):
    """A wallet changed: the assets that did, with what they are now and by how much their total moved.

    `reason` is "order" (only what is locked), "trade", "funding", "deposit", "withdraw", "liquidation", "transfer", or
    the word given to `Engine.adjust`.
    """

    ts: int
    account: str
    wallet: Wallet
    balances: tuple[Balance, ...]
    changes: dict[str, float]
    reason: str


class PositionChanged(NamedTuple):
    """A position was opened, changed or closed by a "trade", "liquidation" or "funding"."""

    ts: int
    account: str
    position: PositionRecord
    reason: str


class FundingPaid(NamedTuple):
    """Funding was settled on a position; `amount` is positive when received."""

    ts: int
    account: str
    symbol: str
    leg: str
    rate: float
    mark_price: float
    amount: float
    asset: str


class MarginCalled(NamedTuple):
    """The margin behind positions is nearly used up: `level` is maintenance margin over what stands behind it."""

    ts: int
    account: str
    level: float
    positions: tuple[PositionRecord, ...]


class Liquidated(NamedTuple):
    """A position was taken to the market by the exchange; `order` is what it did that with."""

    ts: int
    account: str
    symbol: str
    leg: str
    quantity: float
    price: float
    order: OrderRecord


class LeverageChanged(NamedTuple):
    """The leverage of a symbol was set."""

    ts: int
    account: str
    symbol: str
    leverage: float


class MarketChanged(NamedTuple):
    """Trading in a symbol stopped or went on: `status` is "trading", "halt" or "delisted"."""

    ts: int
    symbol: str
    status: str


Message = (
    Printed | OrderChanged | ListChanged | BalanceChanged | PositionChanged | FundingPaid | MarginCalled | Liquidated
    | LeverageChanged | MarketChanged
)  # fmt: skip
Listener = Callable[[Message], None]
