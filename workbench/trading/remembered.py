"""What a sizing remembers of a core's trading: closed trades, additions, and what it measured when it was decided.

Nothing is kept where a core has no sizing. Prices and money are those of the fills, so that a core that is restored, or
fed the same events again, remembers the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from workbench.market.instrument import Instrument
from workbench.trading.events import Filled

__all__ = ["Remembered", "value_of"]

NAN: Final = math.nan


def value_of(instrument: Instrument, quantity: float, price: float) -> float:
    """Give the value of contracts in the currency that they are settled in."""
    if instrument.kind == "inverse":
        return quantity * instrument.contract_size / price
    return quantity * price * instrument.contract_size


class Remembered:
    """The memory of one sizing.

    Parameters
    ----------
    most : int
        Closed trades to keep; 0 for none.
    cash : float
        Equity at the start.

    Attributes
    ----------
    returns : list of float
        Of the last closed trades, oldest first.
    peak : float
        The highest equity at the start and at closed trades.
    measured : dict of str to float
        What was measured when a wish was decided, by its id, until it is sent.
    """

    __slots__ = ("_entries", "_trips", "cash", "measured", "most", "peak", "returns")

    def __init__(self, most: int, cash: float) -> None:
        self.most, self.cash, self.peak = most, cash, cash
        self.returns: list[float] = []
        self.measured: dict[str, float] = {}
        self._trips: dict[str, list[float]] = {}
        self._entries: dict[str, tuple[int, str, float]] = {}

    def filled(self, fill: Filled, before: float, after: float, instrument: Instrument) -> bool:
        """Take in an execution, with what was held before and after it; tell whether it closed a trade."""
        name, sign = f"{fill.symbol}|{fill.leg}", 1.0 if fill.side == "buy" else -1.0
        closed = before != 0.0 and (after == 0.0 or (after > 0.0) != (before > 0.0))
        share = abs(before) / fill.quantity if closed and after != 0.0 else 1.0  # the rest opens the other side
        trip = self._trips.setdefault(name, [0.0, 0.0])
        self._pay(trip, fill, sign, share, instrument)
        if closed:
            if trip[1] > 0.0 and self.most:
                self.returns = [*self.returns, trip[0] / trip[1]][-self.most :]
            del self._trips[name]
            self._entries.pop(name, None)
        if closed and after != 0.0:
            trip = self._trips.setdefault(name, [0.0, 0.0])
            self._pay(trip, fill, sign, 1.0 - share, instrument)
        if after != 0.0 and (closed or abs(after) > abs(before)):
            trip[1] += value_of(instrument, fill.quantity * (1.0 - share if closed else 1.0), fill.price)
            count, order, _ = self._entries.get(name, (0, "", NAN))
            self._entries[name] = (count if order == fill.id else count + 1, fill.id, fill.price)
        return closed

    @staticmethod
    def _pay(trip: list[float], fill: Filled, sign: float, share: float, instrument: Instrument) -> None:
        worth = value_of(instrument, fill.quantity * share, fill.price)
        trip[0] += (sign if instrument.kind == "inverse" else -sign) * worth - fill.fee * share

    def funded(self, symbol: str, leg: str, amount: float) -> None:
        """Count funding to the trade in hand."""
        trip = self._trips.get(f"{symbol}|{leg}")
        if trip is not None:
            trip[0] += amount

    def refused(self, symbol: str, leg: str, price: float) -> None:
        """Remember at which price an addition was refused, so that it is not asked for again until that is past."""
        name = f"{symbol}|{leg}"
        if name in self._entries:
            self._entries[name] = (*self._entries[name][:2], price)

    def entered(self, symbol: str, leg: str = "net") -> tuple[int, float]:
        """Give how many orders opened and added to what is held, and the price of the last, or of one refused since."""
        count, _, price = self._entries.get(f"{symbol}|{leg}", (0, "", NAN))
        return count, price

    def snapshot(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        return {
            "returns": list(self.returns), "peak": self.peak, "cash": self.cash, "measured": dict(self.measured),
            "trips": {name: list(trip) for name, trip in self._trips.items()},
            "entries": {name: list(one) for name, one in self._entries.items()},
        }  # fmt: skip

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up what `snapshot` gave."""
        self.returns, self.peak, self.cash = list(data["returns"]), data["peak"], data["cash"]
        self.measured = dict(data["measured"])
        self._trips = {name: list(trip) for name, trip in data["trips"].items()}
        self._entries = {name: (one[0], one[1], one[2]) for name, one in data["entries"].items()}
