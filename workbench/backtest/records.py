"""What a run gives back, whichever path ran it: fills, funding, entries that could not be had, and equity.

Plain float64 tables (times in ms are whole numbers that a float64 holds exactly), so that the compiled path writes them
as it goes. `result` makes everything else from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench.trading.orders import REASONS

__all__ = ["FILL_FIELDS", "FUNDING_FIELDS", "REASON_CODES", "SKIP_FIELDS", "SKIP_REASONS", "Records", "column"]

Floats = NDArray[np.float64]

FILL_FIELDS: Final = (
    "ts", "instrument", "side", "quantity", "quoted", "price", "fee", "maker", "reason", "decided", "order",
)  # fmt: skip
FUNDING_FIELDS: Final = ("ts", "instrument", "quantity", "price", "rate", "amount")
SKIP_FIELDS: Final = ("ts", "instrument", "side", "quantity", "reason")
SKIP_REASONS: Final = (
    "no equity left", "below the smallest order", "the data ends before it could fill", "no stop to size by",
    "too many positions", "leverage beyond the tier", "cooldown", "stop guard", "drawdown pause", "low profit",
    "losing pair", "refused", "volatility not known or zero", "no edge to bet on", "cap reached", "floor reached",
)  # fmt: skip
REASON_CODES: Final = {reason: code for code, reason in enumerate(REASONS)}


@dataclass(frozen=True, eq=False, kw_only=True)
class Records:
    """The raw outcome of a run.

    Attributes
    ----------
    fills : float64 array, shape (f, len(FILL_FIELDS))
        In the order in which they happened. `ts` is the open time of the base bar in which it happened, `side` is +1
        for a buy and -1 for a sell, `reason` a position in `trading.orders.REASONS`, `order` numbers the orders from 0.
    funding : float64 array, shape (g, len(FUNDING_FIELDS))
        Settlements; `quantity` signed, `amount` positive when received.
    skipped : float64 array, shape (k, len(SKIP_FIELDS))
        Entries that were decided (`ts`: open time of the deciding bar) and not traded; `reason` is a position in
        `SKIP_REASONS`, `quantity` NaN where it was never worked out.
    ts : int64 array, shape (n,)
        Open times of the strategy bars of all instruments together, increasing.
    equity : float64 array, shape (n,)
        Value of the account when those bars have closed.
    path : {"compiled", "event"}
    orders : sequence of dict
        Every order with its whole story, where the path keeps one (the event path does); `number` is the order number
        of its fills, -1 for none.
    tags : list of str
        The tag of each order number, where there are tags.
    sizes : sequence of mapping
        What a sizing decided of each wish, where the path keeps it (the event path does); fields as
        `trading.sizing.Decision`.
    limits : sequence of trading.risk_engine.Decision
        What limits on risk did, where there were any.
    """

    fills: Floats
    funding: Floats
    skipped: Floats
    ts: NDArray[np.int64]
    equity: Floats
    path: str
    orders: Sequence[dict[str, Any]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    sizes: Sequence[dict[str, Any]] = field(default_factory=list)
    limits: Sequence[Any] = ()


def column(table: Floats, fields: tuple[str, ...], name: str) -> Floats:
    """Give one column of a table by name, shape (rows,)."""
    found: Floats = table[:, fields.index(name)]
    return found
