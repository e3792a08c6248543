"""What limits on risk read from a core and ask of it: positions with the orders that work on them, trips, flattening."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from workbench.risk.limits.bounds import Bound, Limits
from workbench.risk.limits.exposures import Row, opened_value
from workbench.trading import events as ev
from workbench.trading.orders import Intent, Order, client_order_id

if TYPE_CHECKING:
    from workbench.trading.core import Core
    from workbench.trading.risk_engine import RiskEngine

__all__ = ["Asked", "Book", "Trips"]

NAN: Final = math.nan
REASON: Final = "risk_limit"


class Asked(NamedTuple):
    """An order as limits see it: values in the currency of the account.

    `rows` of the other positions, the `row` that it changes, `size` what it opens at worst (`opened` the same before
    rounding by price), `closing` the quantity that closes what is held, `distance` of its prices from the last one.
    """

    rows: list[Row]
    row: Row
    size: float
    opened: float
    closing: float
    distance: float


class Book:
    """The positions and working orders of a core."""

    __slots__ = ("core", "engine")

    def __init__(self, core: Core, engine: RiskEngine) -> None:
        self.core, self.engine = core, engine

    def unit(self, symbol: str, price: float) -> float:
        """Give what one unit or contract is worth at a price, in the currency of the account."""
        core = self.core
        listing, line = core.markets[symbol].listing, core.account.lines[symbol]
        value = listing.size / price if listing.inverse else listing.size * price
        return value if line.settle == core.account.currency else value * core.account._rate(line.settle)

    def rows(self, without: str = "") -> dict[tuple[str, str], Row]:
        """Give all positions that are open or that working orders may open, by symbol and leg."""
        core, found = self.core, {}
        for symbol, line in core.account.lines.items():
            for held in line.legs:
                if held.quantity != 0.0:
                    value = held.quantity * self.unit(symbol, line.mark)
                    found[symbol, held.leg] = Row(symbol, line.base, value)
        for order in core.orders.values():
            if order.id == without or order.reduce_only or order.close_position:
                continue
            key = order.symbol, order.leg
            row = found.get(key) or Row(order.symbol, core.account.lines[order.symbol].base, 0.0)
            most, level = self.engine.raised.get(order.id, (0.0, 0.0))
            left = max(order.quantity, most) - order.filled
            value = left * self.unit(order.symbol, self._level(order.symbol, order.price, order.stop_price, level))
            more = {"buys": row.buys + value} if order.side == "buy" else {"sells": row.sells + value}
            found[key] = row._replace(**more)
        return found

    def _level(self, symbol: str, *prices: float) -> float:
        """Give the price that an order is valued at: the highest that is known of it."""
        level = self.core.prices.get(symbol, NAN)
        for price in prices:
            if price > level or level != level:
                level = price
        return level

    def ask(self, order: Order, quantity: float, price: float, stop: float, without: str) -> Asked:
        """Give an order as limits see it; `without` the id of an order that it takes the place of."""
        rows = self.rows(without)
        symbol, key = order.symbol, (order.symbol, order.leg)
        row = rows.pop(key, None) or Row(symbol, self.core.account.lines[symbol].base, 0.0)
        unit, last = self.unit(symbol, self._level(symbol, price, stop)), self.core.prices[symbol]
        size = quantity * unit
        opened = opened_value(row.value, row.buys, row.sells, order.sign, size)
        held = self.core.account.quantity(symbol, order.leg) * order.sign
        far = [abs(level / last - 1.0) for level in (price, stop) if level == level]
        return Asked(list(rows.values()), row, size, opened, max(-held, 0.0), max(far, default=0.0))

    def hold_back(self, level: int) -> None:
        """Cancel what would open; at level 2 cancel all but protection, and close every position at the next price."""
        core, engine = self.core, self.engine
        cash = core.account.terms.kind == "cash"
        for order in list(core.orders.values()):
            protects = (order.reduce_only or order.close_position) and not (cash and level == 2)
            if order.id in engine.canceling or protects or order.reason == REASON:
                continue
            if level == 2 or self._opens(order):
                engine.canceling.add(order.id)
                core.act(ev.CancelOrder(order.id))
        if level == 2:
            for held in core.account.positions:
                self._close(held.symbol, held.leg, held.quantity)

    def _opens(self, order: Order) -> bool:
        held = self.core.account.quantity(order.symbol, order.leg) * order.sign
        return held >= 0.0 or order.quantity - order.filled > -held

    def _close(self, symbol: str, leg: Any, quantity: float) -> None:
        core = self.core
        orders: list[Any] = [*core.orders.values(), *core.desk.intents]
        if any(one.reason == REASON and one.symbol == symbol and one.leg == leg for one in orders):
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


class Trips:
    """Round trips of each instrument: how many were lost in a row, and until when it is left alone."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.streak: dict[str, int] = {}
        self.blocked: dict[str, int] = {}
        self.begun: dict[str, float] = {}
        self._before = 0.0

    def before(self, fill: ev.Filled) -> None:
        """Look at a position before a fill."""
        held = self.core.account.position(fill.symbol, fill.leg)
        self._before = held.quantity
        if held.quantity == 0.0:
            self.begun[f"{fill.symbol} {fill.leg}"] = held.realised - held.fees + held.funding

    def after(self, fill: ev.Filled, limits: Limits, now: int) -> None:
        """Look at it again: a trip that has ended is won or lost."""
        held = self.core.account.position(fill.symbol, fill.leg)
        if self._before == 0.0 or held.quantity * self._before > 0.0:
            return
        key = f"{fill.symbol} {fill.leg}"
        worth = held.realised - held.fees + held.funding
        lost = worth < self.begun.get(key, worth)
        self.begun[key] = worth
        self.streak[fill.symbol] = self.streak.get(fill.symbol, 0) + 1 if lost else 0
        bound = limits.losing_trades
        if isinstance(bound, Bound) and self.streak[fill.symbol] >= bound.at:
            self.blocked[fill.symbol] = now + limits.losing_pause_ms

    def losing(self, symbol: str, now: int) -> float:
        """Give the losing trades in a row of an instrument; none once its pause is over."""
        end = self.blocked.get(symbol)
        if end is not None and now >= end:
            del self.blocked[symbol]
            self.streak[symbol] = 0
        return float(self.streak.get(symbol, 0))

    def snapshot(self) -> list[Any]:
        """Give everything as plain data."""
        return [dict(self.streak), dict(self.blocked), dict(self.begun)]

    def restore(self, data: Any) -> None:
        """Take up what `snapshot` gave."""
        self.streak, self.blocked, self.begun = (dict(one) for one in data)
