"""What a sizing is asked with, and what it answers: plain numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from workbench.errors import ConfigError

__all__ = ["Sized", "SizingState"]


class Sized(NamedTuple):
    """What a sizing answers.

    `quantity`: contracts, in whole lots; NaN where it was never worked out, and what it came to where that is too small
    to trade. `code`: why nothing may be traded ("no_stop", "no_volatility", "no_edge", "cap_reached", "floor_reached",
    "no_equity", "below_min_notional"), "" if it may. `why`: a sentence. `limit`: what bound the
    quantity: "sizing" (its own formula), "position", "group" or "total" cap, "money" (what the account can pay).
    """

    quantity: float
    code: str = ""
    why: str = ""
    limit: str = "sizing"


@dataclass(frozen=True, kw_only=True)
class SizingState:
    """The numbers that a sizing may look at.

    Parameters
    ----------
    equity : float
        Of the account, in the currency that it reckons in.
    price : float
        At which the order is expected to trade.
    side : float
        +1 for a buy, -1 for a sale.
    stop : float
        Price of the stop that the position will have; NaN for none.
    measure : float
        What the sizing measures on closed bars (`Sizing.measures`), as of the bar that decides; NaN while not known.
    symbol : str
    affordable : float, optional
        Contracts that the free money buys, fees and margin paid; of `available` and `leverage` when left out.
    available : float, optional
        Money that is free, all the equity when left out.
    leverage : float
    contract_size : float
        Units of base (inverse: of quote currency) of one contract.
    inverse : bool
        Whether profits are in the base asset.
    lot, min_notional : float
        Steps of the quantity, and the smallest value of an order (in quote currency); 0 for none.
    cash : float
        Equity at the start; NaN where it is not known.
    peak : float
        Highest equity at the closed trades so far; NaN where it is not known.
    returns : sequence of float
        Profits of the trades closed so far, after costs, as fractions of their value at entry; oldest first. Only as
        many as the sizing asks for (`Sizing.memory`).
    adds : int
        How often the position that is held has been added to: 0 for an entry.
    exposures : mapping of symbol to float
        Value of what is held or on order, by instrument, in the currency of the equity; below 0 for what the order
        would close before it opens anything.

    Raises
    ------
    ConfigError
        The price is not positive, or a step or the leverage is out of range.
    """

    equity: float
    price: float
    side: float = 1.0
    stop: float = math.nan
    measure: float = math.nan
    symbol: str = ""
    affordable: float | None = None
    available: float | None = None
    leverage: float = 1.0
    contract_size: float = 1.0
    inverse: bool = False
    lot: float = 0.0
    min_notional: float = 0.0
    cash: float = math.nan
    peak: float = math.nan
    returns: Sequence[float] = ()
    adds: int = 0
    exposures: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0.0 < self.price < math.inf:
            raise ConfigError(
                f"SizingState: price = {self.price!r}; give the price of the trade, above 0", name="price"
            )
        for name, lowest in (("leverage", 1.0), ("lot", 0.0), ("min_notional", 0.0)):
            value = getattr(self, name)
            if not lowest <= value < math.inf:
                raise ConfigError(f"SizingState: {name} = {value!r}; give at least {lowest:g}", name=name)
        if not 0.0 < self.contract_size < math.inf:
            raise ConfigError(f"SizingState: contract_size = {self.contract_size!r}; give a number above 0")

    @property
    def unit_value(self) -> float:
        """Value of one contract at the price, in the currency of the equity."""
        return self.contract_size / self.price if self.inverse else self.price * self.contract_size

    @property
    def free(self) -> float:
        """Money that is free."""
        return self.equity if self.available is None else self.available

    @property
    def most(self) -> float:
        """Contracts that the free money buys."""
        if self.affordable is not None:
            return self.affordable
        return max(self.free, 0.0) * self.leverage / self.unit_value

    def loss_to(self, level: float) -> float:
        """Give what one contract loses between the price and a level, in the currency of the equity."""
        if not self.inverse:
            return abs(self.price - level) * self.contract_size
        return abs(1.0 / self.price - 1.0 / level) * self.contract_size if level > 0.0 else math.inf
