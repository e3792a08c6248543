"""What is held: a `Position` in one instrument, and a `Pool` of positions that settle in one currency.

A position keeps the money that its fills moved (`flow`), not a running profit: what has been realised is that flow
plus the cost of what is still held, by average cost or lot by lot. So both ways of counting always come to the same
total, and no rounding of an average price ever gets into the money. The flow is summed with its rounding errors kept
(TwoSum, Knuth), so it does not drift however many fills there are.

Money is in the settlement currency: quote of a linear contract or of what is paid in full, base of an inverse contract.
A pool's ledger holds what was paid in, less fees, plus funding, plus what fills moved as if all of it were paid in
full: a buy takes its whole value out. Of linear contracts and of what is paid in full that is the cash. Of inverse
contracts, whose profits alone move the cash, the cash is the ledger plus the value of the positions at entry.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from workbench.errors import DataError
from workbench.market.instrument import Instrument
from workbench.trading import margin

__all__ = ["Line", "Lot", "Pool", "Position", "added"]

VERSION: Final = 1
DUST: Final = 1e-12  # a remainder below this fraction of the trade is the rounding of floats, not a holding

Lot = tuple[float, float, int]
"""Quantity (signed), price and time (ms UTC) of what was bought or sold in one fill and is still held."""


class Position:
    """The holding of one instrument, or of one leg of it in hedge mode.

    Parameters
    ----------
    symbol : str
    leg : {"net", "long", "short"}
    contract_size : float, default 1.0
        Units of base (inverse: of quote) that one contract stands for.
    inverse : bool, default False
        Whether profits are in the base asset.

    Attributes
    ----------
    quantity : float
        Signed, in units of the base asset or contracts; 0.0 when flat.
    price : float
        Average of what is held; NaN when flat.
    opened : int
        When it was opened (ms UTC), by the fill that took it from flat or turned it round; 0 before the first.
    fees, funding : float
        Sums since the beginning: fees paid, funding received.
    settled : float
        Funding received since it was opened, of what is still held: part of the margin of an isolated position.
    flow, lost : float
        The money that fills have moved, before fees, and what rounding took from that sum.
    lots : collections.deque of Lot
        What is held, oldest first; fills that reduce it use up the oldest.
    """

    __slots__ = (
        "contract_size", "fees", "flow", "funding", "inverse", "leg", "lost", "lots", "opened", "price", "quantity",
        "settled", "symbol",
    )  # fmt: skip

    def __init__(self, symbol: str, leg: str = "net", *, contract_size: float = 1.0, inverse: bool = False) -> None:
        self.symbol = symbol
        self.leg = leg
        self.contract_size = contract_size
        self.inverse = inverse
        self.quantity = 0.0
        self.price = math.nan
        self.opened = 0
        self.fees = 0.0
        self.funding = 0.0
        self.settled = 0.0
        self.flow = 0.0
        self.lost = 0.0
        self.lots: deque[Lot] = deque()

    def __repr__(self) -> str:
        return f"<Position {self.symbol} {self.leg}: {self.quantity!r} at {self.price!r}>"

    def apply(self, change: float, price: float, fee: float, ts: int) -> float:
        """Book a fill: open, add, reduce, close or turn round.

        Parameters
        ----------
        change : float
            Signed quantity, not zero: above zero bought.
        price : float
            Above zero.
        fee : float
            In the settlement currency, negative for a rebate.
        ts : int
            ms UTC.

        Returns
        -------
        float
            The money that the trade moved before its fee, negative where it was paid.
        """
        flow = change * self.contract_size / price if self.inverse else -(change * price * self.contract_size)
        before = self.flow
        after = before + flow
        added = after - before
        self.lost += (before - (after - added)) + (flow - added)
        self.flow = after
        self.fees += fee
        held = self.quantity
        if held == 0.0:
            self._open(change, price, ts)
        elif (held > 0.0) == (change > 0.0):
            quantity = held + change
            if self.inverse:
                self.price = quantity / (held / self.price + change / price)
            else:
                self.price = (held * self.price + change * price) / quantity
            self.quantity = quantity
            self.lots.append((change, price, ts))
        else:
            self._reduce(change, price, ts)
        return flow

    def _open(self, quantity: float, price: float, ts: int) -> None:
        self.quantity = quantity
        self.price = price
        self.opened = ts
        self.settled = 0.0
        self.lots.append((quantity, price, ts))

    def _reduce(self, change: float, price: float, ts: int) -> None:
        left = self.quantity + change
        if abs(left) <= DUST * abs(change):
            self.quantity, self.price, self.settled = 0.0, math.nan, 0.0
            self.lots.clear()
        elif (left > 0.0) != (self.quantity > 0.0):
            self.lots.clear()
            self._open(left, price, ts)
        else:
            # the margin of a position is let go in proportion, what funding did to it included
            self.settled *= left / self.quantity
            self.quantity = left
            self._use_up(-change)

    def _use_up(self, used: float) -> None:
        """Take a quantity (with the sign of the position) out of the oldest lots; never the whole of them."""
        lots = self.lots
        while len(lots) > 1 and abs(lots[0][0]) <= abs(used):
            used -= lots.popleft()[0]
        quantity, price, ts = lots[0]
        rest = quantity - used
        if len(lots) == 1:
            lots[0] = (self.quantity, price, ts)  # the same number, without what floats have lost on the way
        elif abs(rest) <= DUST * abs(quantity):
            lots.popleft()
        else:
            lots[0] = (rest, price, ts)

    def settle(self, amount: float) -> None:
        """Book funding, positive when received."""
        self.funding += amount
        self.settled += amount

    def value(self, price: float) -> float:
        """Give what closing at a price would move: the value of what is held, below zero for a short position.

        An inverse position gives back coins when it is bought and takes them when it is sold, so the signs of the two
        are turned round.
        """
        if self.quantity == 0.0:
            return 0.0
        if self.inverse:
            return -(self.quantity * self.contract_size / price)
        return self.quantity * price * self.contract_size

    @property
    def cost(self) -> float:
        """Value of what is held at its average entry price, with the sign of `value`."""
        return self.value(self.price)

    @property
    def lots_cost(self) -> float:
        """Value of what is held at the prices of its lots, with the sign of `value`."""
        size = self.contract_size
        if self.inverse:
            return -math.fsum(quantity * size / price for quantity, price, _ in self.lots)
        return math.fsum(quantity * price * size for quantity, price, _ in self.lots)

    @property
    def realised(self) -> float:
        """Profit of what was closed, by average cost, before fees and funding."""
        return self.flow + (self.cost + self.lost)

    @property
    def realised_fifo(self) -> float:
        """Profit of what was closed, the oldest lots first, before fees and funding."""
        return self.flow + (self.lots_cost + self.lost)

    def unrealised(self, mark: float) -> float:
        """Give the profit of what is held at a price, by average cost, before fees and funding."""
        return self.value(mark) - self.cost if self.quantity != 0.0 else 0.0

    def unrealised_fifo(self, mark: float) -> float:
        """Give the profit of what is held at a price, lot by lot, before fees and funding."""
        return self.value(mark) - self.lots_cost if self.quantity != 0.0 else 0.0

    def snapshot(self) -> dict[str, Any]:
        """Give everything as plain data for JSON; `Position.restore` reads it back, bit for bit."""
        data = {name: getattr(self, name) for name in self.__slots__}
        price = None if self.quantity == 0.0 else self.price  # JSON knows no NaN
        return {"version": VERSION, **data, "price": price, "lots": [list(lot) for lot in self.lots]}

    def become(self, other: Position) -> None:
        """Take over everything of another position, which is not to be used any more."""
        for name in self.__slots__:
            setattr(self, name, getattr(other, name))

    @classmethod
    def restore(cls, data: Mapping[str, Any]) -> Position:
        """Read what `snapshot` gave.

        Raises
        ------
        DataError
            The data are of another version, or not those of a position.
        """
        if data.get("version") != VERSION:
            raise DataError(
                f"a position of version {data.get('version')!r} cannot be read; this program writes {VERSION}: "
                "replay the journal instead of using the snapshot"
            )
        try:
            position = cls(data["symbol"])
            for name in cls.__slots__:
                setattr(position, name, data[name])
            position.price = math.nan if data["price"] is None else data["price"]
            position.lots = deque((quantity, price, ts) for quantity, price, ts in data["lots"])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"the snapshot of a position is damaged: {error!r}; replay the journal instead") from error
        return position


class Line:
    """One instrument of an account: its facts, its last price (`mark`, NaN before the first) and its positions.

    Parameters
    ----------
    instrument : Instrument
    legs : tuple of str
        ("net",), or ("long", "short") in hedge mode.
    leverage : float
    tiers : rows of `terms.Tier`, or None
        None: those of the instrument, or its flat rate; none at all where it is paid in full.

    Attributes
    ----------
    isolated : bool
        Whether each of its positions has its own margin, in a pool whose other positions stand in for each other.
    """

    __slots__ = ("base", "instrument", "isolated", "legs", "leverage", "mark", "settle", "size", "symbol", "tiers")

    def __init__(
        self, instrument: Instrument, legs: tuple[str, ...], leverage: float, tiers: margin.Tiers | None
    ) -> None:
        self.instrument, self.symbol = instrument, instrument.symbol
        self.base, self.settle, self.size = instrument.base, instrument.settle, instrument.contract_size
        self.leverage, self.mark, self.isolated = leverage, math.nan, False
        inverse = instrument.kind == "inverse"
        self.legs = tuple(Position(self.symbol, leg, contract_size=self.size, inverse=inverse) for leg in legs)
        if tiers is None:
            margined = instrument.perpetual or leverage != 1.0
            flat = ((0.0, instrument.maintenance_margin, 0.0, instrument.max_leverage),)
            tiers = (instrument.leverage_tiers or flat) if margined else ()
        self.tiers = margin.read_tiers(self.symbol, tiers)

    def maintenance(self, held: Position) -> float:
        """Give the maintenance margin of one of its positions at the mark."""
        return margin.maintenance_margin(held.value(self.mark), self.tiers) if self.tiers else 0.0

    def level(self, held: Position, wallet: float) -> float:
        """Give the price at which one of its positions is liquidated, with a wallet as of `margin`."""
        find = margin.inverse_liquidation_level if held.inverse else margin.liquidation_level
        return find(wallet, held.quantity * self.size, held.price, self.tiers)

    def hedged_level(self, wallet: float, leg: str) -> float:
        """Give the price at which both legs are liquidated together: below the mark for "long", above for "short"."""
        longs, shorts = (abs(held.quantity) * self.size for held in self.legs)
        free = math.fsum((wallet, *(-held.cost for held in self.legs)))
        if not self.legs[0].inverse:
            return margin.hedged_level(free, longs, shorts, self.mark, self.tiers, leg == "short")
        # seen from the base asset the price is 1 / price, and a long of the contract is short of the quote currency
        coins = margin.hedged_level(free, shorts, longs, 1.0 / self.mark, self.tiers, leg == "long")
        return 1.0 / coins if coins > 0.0 else math.inf if coins == 0.0 else math.nan


class Pool:
    """The money and positions of one settlement currency; the positions stand in for each other.

    Parameters
    ----------
    lines : tuple of Line
        In the order in which sums are made: plain loops, because `sum` gives other bits from Python 3.12 on.
    cash : float
        What it starts with.
    isolated : bool
        Whether each position has its own margin; where not, a line can still say so for its own (`Line.isolated`).

    Attributes
    ----------
    ledger : float
        See the module's notes.
    paid_in, interest : pair of float
        What came in and what was charged (below zero), as of `added`.
    """

    __slots__ = ("_books", "_lends", "interest", "isolated", "ledger", "lines", "paid_in")

    def __init__(self, lines: tuple[Line, ...], cash: float, isolated: bool) -> None:
        self.lines, self.isolated = lines, isolated
        self._books = tuple((line, held) for line in lines for held in line.legs)
        self._lends = any(held.inverse for _, held in self._books)
        self.ledger = cash
        self.paid_in = (cash, 0.0)
        self.interest = (0.0, 0.0)

    def held(self) -> list[Position]:
        """Give all positions, flat ones too."""
        return [held for _, held in self._books]

    def open(self) -> list[tuple[Line, Position]]:
        """Give the positions that are open, each with its line."""
        return [book for book in self._books if book[1].quantity != 0.0]

    def lent(self) -> float:
        """Give the value at entry of what does not move the cash: inverse positions."""
        return math.fsum([held.cost for _, held in self.open() if held.inverse]) if self._lends else 0.0

    def cash(self) -> float:
        """Give the money that is not in positions."""
        return self.ledger + self.lent()

    def wallet(self) -> float:
        """Give cash and positions at their entry prices."""
        total = self.ledger
        for _, held in self.open():
            total += held.cost
        return total

    def equity(self) -> float:
        """Give cash and positions at their marks."""
        total = self.ledger
        for line, held in self.open():
            total += held.value(line.mark)
        return total

    def margin_of(self, line: Line, held: Position) -> float:
        """Give the margin behind an open position."""
        if self.isolated or line.isolated:
            return abs(held.cost) / line.leverage + held.settled
        return abs(held.value(line.mark)) / line.leverage

    def margin_used(self) -> float:
        """Give the margin behind all positions."""
        total = 0.0
        for line, held in self.open():
            total += self.margin_of(line, held)
        return total

    def available(self) -> float:
        """Give what is free to open positions with."""
        total, used = self.ledger, 0.0
        for line, held in self._books:
            if held.quantity != 0.0:
                # the profit of an isolated position stays with it
                total += held.cost if self.isolated or line.isolated else held.value(line.mark)
                used += self.margin_of(line, held)
        return total - used

    def maintenance(self) -> float:
        """Give the maintenance margins of all positions at their marks."""
        total = 0.0
        for line, held in self.open():
            total += line.maintenance(held)
        return total

    def unrealised(self) -> float:
        """Give the profit of open positions at their marks, before fees and funding."""
        return math.fsum(held.unrealised(line.mark) for line, held in self.open())

    def exact(self) -> float:
        """Give the ledger made anew from sums that kept their rounding errors."""
        parts = [*self.paid_in, *self.interest]
        for held in self.held():
            parts += [held.flow, held.lost, -held.fees, held.funding]
        return math.fsum(parts)

    def statement(self) -> dict[str, float]:
        """Give where the money came from and where it is; see `Account.statement`."""
        lent, held = self.lent(), self.held()
        cash = self.exact() + lent
        worth = math.fsum(one.value(line.mark) for line, one in self.open()) - lent
        return {
            "deposits": math.fsum(self.paid_in), "interest": math.fsum(self.interest),
            "realised": math.fsum(one.realised for one in held), "unrealised": self.unrealised(),
            "fees": math.fsum(one.fees for one in held), "funding": math.fsum(one.funding for one in held),
            "cash": cash, "positions": worth, "equity": cash + worth,
        }  # fmt: skip


def added(pair: tuple[float, float], amount: float) -> tuple[float, float]:
    """Add to a sum that is kept in two floats, so that none of it is lost."""
    high = math.fsum((*pair, amount))
    return high, math.fsum((*pair, amount, -high))
