"""Trades made of executions: from flat to flat, with what each part cost.

The same for what a bot did and for what a backtest says, so that whatever differs, differs in the executions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from workbench.market.instrument import Instrument
from workbench.trading.events import Filled, Funded

__all__ = ["Trip", "trips_of"]

NAN: Final = math.nan
_DUST: Final = 1e-9


@dataclass(slots=True)
class Trip:
    """A round trip of one instrument, or of one leg of it.

    Attributes
    ----------
    sign : float
        +1 for a long, -1 for a short.
    quantity : float
        The most that was held.
    entered, left : int
        First execution that opened it and last that closed it, ms UTC.
    entry, exit : float
        Average prices, of inverse contracts harmonic ones; `quoted_entry` and `quoted_exit` are those before slippage,
        where that is known.
    decided, exit_decided : int
        When the first entry and the last exit were decided: the open time of the bar, ms UTC.
    reason : str
        Why it was left; "open" while it is held.
    fees, funding : float
        Paid and received, in the currency that the instrument settles in.
    orders, exit_orders : tuple of str
        Client order ids of what opened and of what closed it.
    """

    symbol: str
    leg: str
    sign: float
    quantity: float = 0.0
    entered: int = 0
    left: int = 0
    entry: float = NAN
    exit: float = NAN
    quoted_entry: float = NAN
    quoted_exit: float = NAN
    decided: int = 0
    exit_decided: int = 0
    reason: str = "open"
    fees: float = 0.0
    funding: float = 0.0
    orders: tuple[str, ...] = ()
    exit_orders: tuple[str, ...] = ()
    entry_fees: float = 0.0
    size: float = field(default=1.0, repr=False)
    inverse: bool = field(default=False, repr=False)

    def worth(self, before: float, after: float) -> float:
        """Give what a move of the price, from `before` to `after`, makes of the quantity of a long."""
        move = 1.0 / before - 1.0 / after if self.inverse else after - before
        return self.quantity * self.size * move

    @property
    def gross(self) -> float:
        """Profit before fees and funding, in the currency that the instrument settles in."""
        return self.sign * self.worth(self.entry, self.exit)

    @property
    def pnl(self) -> float:
        """Profit, in the currency that the instrument settles in."""
        return self.gross - self.fees + self.funding

    @property
    def turnover(self) -> float:
        """Value of all executions, in the currency that the instrument settles in."""
        exits = () if self.reason == "open" else (self.exit,)  # what is still held was not sold at its mark
        prices = [price for price in (self.entry, *exits) if price == price]
        return self.quantity * self.size * math.fsum(1.0 / price if self.inverse else price for price in prices)


class _Open:
    """A trade while it is held."""

    def __init__(self, fill: Filled, sign: float, facts: Instrument) -> None:
        self.trip = Trip(
            fill.symbol, fill.leg, sign, decided=fill.decided, entered=fill.ts, size=facts.contract_size,
            inverse=facts.kind == "inverse",
        )  # fmt: skip
        self.bought = self.sold = self.held = 0.0
        self.sums = [0.0, 0.0, 0.0, 0.0]  # entry, exit, quoted entry, quoted exit: price times quantity

    def add(self, fill: Filled, quantity: float, fee: float) -> None:
        """Take an execution in, or a part of one."""
        trip = self.trip
        opens = (1.0 if fill.side == "buy" else -1.0) == trip.sign
        trip.fees += fee
        self._count(0 if opens else 1, fill.price, fill.quoted, quantity)
        if opens:
            self.bought += quantity
            self.held += quantity
            trip.entry_fees += fee
            trip.orders = (*trip.orders, fill.id) if fill.id not in trip.orders else trip.orders
        else:
            self.sold += quantity
            self.held -= quantity
            trip.left, trip.exit_decided, trip.reason = fill.ts, fill.decided, fill.reason
            trip.exit_orders = (*trip.exit_orders, fill.id) if fill.id not in trip.exit_orders else trip.exit_orders
        trip.quantity = max(trip.quantity, self.bought)

    def write_off(self, fill: Filled) -> None:
        """Count what is too little to be sold as a fee, as a bot's account does."""
        rest = self.held
        if rest > _DUST * self.bought:
            self.add(fill, rest, fill.price * rest * self.trip.size)

    def done(self, mark: float = NAN, ts: int = 0) -> Trip:
        """Give the trade; what is still held is valued at a mark."""
        trip, rest = self.trip, max(self.held, 0.0)
        if rest > _DUST * trip.quantity:
            trip.reason, trip.left = "open", ts
            self._count(1, mark, mark, rest)
            self.sold += rest
        trip.entry, trip.quoted_entry = self._mean(0, self.bought), self._mean(2, self.bought)
        trip.exit, trip.quoted_exit = self._mean(1, self.sold), self._mean(3, self.sold)
        return trip

    def _count(self, place: int, price: float, quoted: float, quantity: float) -> None:
        """Count prices by quantity; of inverse contracts their reciprocals, which is what profit is made of."""
        turn = self.trip.inverse
        self.sums[place] += quantity / price if turn else price * quantity
        self.sums[place + 2] += quantity / quoted if turn else quoted * quantity

    def _mean(self, place: int, quantity: float) -> float:
        return quantity / self.sums[place] if self.trip.inverse else self.sums[place] / quantity


def trips_of(
    told: Iterable[Filled | Funded], instruments: Mapping[str, Instrument], marks: Mapping[str, float], end: int
) -> list[Trip]:
    """Make trades of executions and funding, in the order in which they happened.

    Parameters
    ----------
    told : iterable of Filled or Funded
    instruments : mapping of symbol to Instrument
    marks : mapping of symbol to float
        Last prices, at which what is still held is valued.
    end : int
        When that is, ms UTC.

    Returns
    -------
    list of Trip
        By the time of their entry.
    """
    held: dict[tuple[str, str], _Open] = {}
    over: dict[tuple[str, str], Trip] = {}
    found: list[Trip] = []
    for one in told:
        key, facts = (one.symbol, one.leg), instruments[one.symbol]
        if isinstance(one, Funded):
            paying = held[key].trip if key in held else over.get(key)  # told after what it was paid for was left
            if paying is not None:
                paying.funding += one.amount
            continue
        left, now = abs(one.change), held.get(key)
        sign = 1.0 if one.side == "buy" else -1.0
        if now is not None and sign != now.trip.sign:
            part = min(left, now.held)
            now.add(one, part, one.fee * part / abs(one.change))
            left -= part
            if now.held <= max(_DUST * now.bought, 0.999 * facts.lot_size):
                now.write_off(one)
                over[key] = now.done()
                found.append(over[key])
                del held[key]
        if left > _DUST * one.quantity:
            if key not in held:
                held[key] = _Open(one, sign, facts)
            held[key].add(one, left, one.fee * left / abs(one.change))
    found += [now.done(marks.get(key[0], NAN), end) for key, now in held.items()]
    return sorted(found, key=lambda trip: (trip.entered, trip.symbol))
