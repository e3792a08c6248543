"""What limits on risk read from a core and ask of it: positions and the orders that work on them, closing them.

A row of each position is kept and worked out again only after something has happened to it, since it is asked for
before every order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from workbench.risk.limits.exposures import Row, opened_value
from workbench.trading import events as ev
from workbench.trading.orders import Intent, Order, client_order_id
from workbench.trading.positions import Line, Position

if TYPE_CHECKING:
    from workbench.trading.core import Core
    from workbench.trading.risk_engine import RiskEngine

__all__ = ["REASON", "Asked", "Book"]

NAN: Final = math.nan
REASON: Final = "risk_limit"
_AGAIN: Final = 5_000, 300_000  # after a refused closing order: ms until the next, doubling, and the longest wait
_TRAILS: Final = "trailing_stop"


class Asked(NamedTuple):
    """An order as limits see it: values in the currency of the account.

    `rows` of the other positions, the `row` that it changes, `size` of the order, `opened` what of it opens at worst,
    `closing` the quantity that only closes what is held, `distance` of its prices from the last one.
    """

    rows: list[Row]
    row: Row
    size: float
    opened: float
    closing: float
    distance: float


class _Entry:
    """The row of one position, with what it was worked out from."""

    __slots__ = ("foreign", "held", "key", "line", "mark", "row", "stale")

    def __init__(self, line: Line, held: Position, foreign: bool) -> None:
        self.line, self.held, self.foreign = line, held, foreign
        self.key = line.symbol, held.leg
        self.mark, self.stale = NAN, True
        self.row = Row(line.symbol, line.base, 0.0)


class Book:
    """The positions and working orders of a core."""

    __slots__ = ("_entries", "_named", "core", "engine")

    def __init__(self, core: Core, engine: RiskEngine) -> None:
        self.core, self.engine = core, engine
        home = core.account.currency
        self._entries = [
            _Entry(line, held, line.settle != home) for line in core.account.lines.values() for held in line.legs
        ]
        self._named: dict[str, list[_Entry]] = {}
        for entry in self._entries:
            self._named.setdefault(entry.line.symbol, []).append(entry)

    def touch(self, symbol: str) -> None:
        """Note that something has happened to an instrument; "" to any."""
        for entry in self._named.get(symbol, self._entries):
            entry.stale = True

    def unit(self, symbol: str, price: float) -> float:
        """Give what one unit or contract is worth at a price, in the currency of the account."""
        core = self.core
        listing, line = core.markets[symbol].listing, core.account.lines[symbol]
        value = listing.size / price if listing.inverse else listing.size * price
        return value if line.settle == core.account.currency else value * core.account.rate(line.settle)

    def rows(self) -> list[tuple[tuple[str, str], Row]]:
        """Give all positions that are open or that working orders may open, with symbol and leg."""
        found = []
        for entry in self._entries:
            if entry.stale or entry.mark != entry.line.mark or entry.foreign:
                self._renew(entry)
            row = entry.row
            if row[2] or row[3] or row[4]:
                found.append((entry.key, row))
        return found

    def _renew(self, entry: _Entry) -> None:
        entry.row = self._row(entry, "")
        entry.mark, entry.stale = entry.line.mark, False

    def _row(self, entry: _Entry, without: str) -> Row:
        """Work out a row, one order left out."""
        line, held = entry.line, entry.held
        value = held.quantity * self.unit(line.symbol, line.mark) if held.quantity != 0.0 else 0.0
        buys = sells = 0.0
        for order in self.core.orders.values():
            if order.symbol != line.symbol or order.leg != held.leg or order.reduce_only or order.close_position:
                continue
            if order.id != without:
                amount = self._working(order)
                buys, sells = (buys + amount, sells) if order.side == "buy" else (buys, sells + amount)
        return Row(line.symbol, line.base, value, buys, sells)

    def _working(self, order: Order) -> float:
        """Give the value of what is left of an order, an amendment that is under way counted at its worst."""
        most, level, _ = self.engine.raised.get(order.id, (0.0, 0.0, 0))
        left = max(order.quantity, most) - order.filled
        return left * self.unit(order.symbol, self._level(order.symbol, order.price, order.stop_price, level))

    def _level(self, symbol: str, *prices: float) -> float:
        """Give the price that an order is valued at, at which it is worth most."""
        level = self.core.prices.get(symbol, NAN)
        inverse = self.core.markets[symbol].listing.inverse
        for price in prices:
            if price > 0.0 and (level != level or (price < level if inverse else price > level)):
                level = price
        return level

    def ask(self, order: Order, quantity: float, price: float, stop: float, without: str) -> Asked:
        """Give an order as limits see it; `without` the id of an order that it takes the place of."""
        key, rows, own = (order.symbol, order.leg), [], None
        for name, row in self.rows():
            if name == key:
                own = row
            else:
                rows.append(row)
        symbol, sign = order.symbol, order.sign
        if without:
            own = self._row(next(one for one in self._named[symbol] if one.key == key), without)
        elif own is None:
            own = Row(symbol, self.core.account.lines[symbol].base, 0.0)
        plain = price != price and stop != stop
        last = self.core.prices[symbol]
        size = quantity * self.unit(symbol, last if plain else self._level(symbol, price, stop))
        opened = opened_value(own.value, own.buys, own.sells, sign, size)
        held = self.core.account.quantity(symbol, order.leg) * sign
        far = 0.0
        if not plain and order.type != _TRAILS:
            far = max(abs(level / last - 1.0) for level in (price, stop) if level == level)
        # what orders that work close already is not there to be closed once more
        closing = min(-held, quantity * (1.0 - opened / size)) if held < 0.0 and opened < size else 0.0
        return Asked(rows, own, size, opened, max(closing, 0.0), far)

    def hold_back(self, level: int) -> None:
        """Cancel what would open; at level 2 cancel all but protection, and close every position at the next price.

        What protects a position stays until it is closed, unless the closing order is refused in a cash account: there
        a resting order may hold the coins that are to be sold.
        """
        core, engine = self.core, self.engine
        for order in list(core.orders.values()):
            if order.id in engine.canceling or order.reason == REASON:
                continue
            protects = order.reduce_only or order.close_position
            if protects and not (level == 2 and self._locks(order)):
                continue
            if level == 2 or self._opens(order):
                engine.canceling.add(order.id)
                core.act(ev.CancelOrder(order.id))
        if level == 2:
            for held in core.account.positions:
                self._close(held.symbol, held.leg, held.quantity)

    def _locks(self, order: Order) -> bool:
        return self.core.account.terms.kind == "cash" and f"{order.symbol} {order.leg}" in self.engine.failed

    def _opens(self, order: Order) -> bool:
        held = self.core.account.quantity(order.symbol, order.leg) * order.sign
        return held >= 0.0 or order.quantity - order.filled > -held

    def _close(self, symbol: str, leg: Any, quantity: float) -> None:
        core = self.core
        orders: list[Any] = [*core.orders.values(), *core.desk.intents]
        if any(one.reason == REASON and one.symbol == symbol and one.leg == leg for one in orders):
            return
        if self.engine.now < self.engine.failed.get(f"{symbol} {leg}", (0, 0))[1]:
            return
        side: Any = "sell" if quantity > 0.0 else "buy"
        name = client_order_id(core.name, core.number, symbol, side, "market")
        core.number += 1
        core.desk.intents.append(
            Intent(
                id=name, symbol=symbol, side=side, type="market", size=NAN, size_unit="quantity", reduce_only=True,
                close_position=True, entry=False, leg=leg, reason=REASON, decided=core.decided,
            )
        )  # fmt: skip

    def refused(self, order: Order) -> None:
        """Note that a closing order was refused or taken away: when the next may go."""
        key = f"{order.symbol} {order.leg}"
        count = self.engine.failed.get(key, (0, 0))[0] + 1
        wait = min(_AGAIN[0] * 2 ** min(count - 1, 10), _AGAIN[1])
        self.engine.failed[key] = (count, self.engine.now + wait)
