"""What limits on risk make of an order: its numbers, what is beyond a limit, and how much of it may go out.

Looking changes nothing: what follows from it (a decision kept, a halt) is for the engine.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from workbench.errors import ConfigError
from workbench.risk.limits.exposures import Row, stakes
from workbench.risk.limits.hours import is_open
from workbench.risk.limits.judging import Assessment, Finding, findings, verdict_on
from workbench.risk.limits.rules import EQUITY_RULES, RULES
from workbench.trading.arithmetic import round_down
from workbench.trading.orders import Order
from workbench.trading.risk_book import Asked

if TYPE_CHECKING:
    from workbench.trading.core import Core
    from workbench.trading.risk_engine import RiskEngine

__all__ = ["PLAIN", "Judge", "Judged"]

NAN: Final = math.nan
PLAIN: Final = EQUITY_RULES + 7
"""The first rule after exposures and counts: from here on rules do not go by scope."""
_BLIND: Final = [NAN] * PLAIN
_MINUTE: Final = 60_000


class Judged(NamedTuple):
    """What was found: how much may go out, the code where that is not all, warnings and the worst by scope."""

    allowed: float
    code: str
    warned: tuple[tuple[str, Finding], ...] = ()
    worst: tuple[str, Finding] | None = None


class Judge:
    """Judges the orders of one core."""

    __slots__ = ("core", "engine")

    def __init__(self, core: Core, engine: RiskEngine) -> None:
        self.core, self.engine = core, engine

    def look(self, order: Order, quantity: float, price: float, stop: float, without: str = "") -> Judged:
        """Judge an order, or a change of it (then `without` is its id); what only reduces is never refused."""
        engine = self.engine
        if order.reduce_only or order.close_position:
            return Judged(quantity, "")
        asked = engine.book.ask(order, quantity, price, stop, without)
        if not asked.opened > 0.0:
            return Judged(quantity, "")
        closing = min(asked.closing, quantity)
        level = engine.level
        if level:
            return self._cut(order, closing, quantity, Judged(0.0, "halted" if level == 2 else "reducing"))
        worst, share, warned = None, 1.0, []
        for scope, values, before in self.readings(order, asked):
            rows = engine.scoped.get(scope, ()) if scope else engine.wholes
            for one in findings(rows, values, before):
                if one.action == "warn":
                    warned.append((scope, one))
                elif worst is None or one.share < share:
                    worst, share = (scope, one), one.share
        if worst is None:
            return Judged(quantity, "", tuple(warned))
        found = Judged(0.0, RULES[worst[1].rule].code, tuple(warned), worst)
        return self._cut(order, max(closing, share * quantity), quantity, found)

    def _cut(self, order: Order, allowed: float, quantity: float, found: Judged) -> Judged:
        """Round what is allowed down; nothing where that is below what the venue takes."""
        market = self.core.markets[order.symbol]
        allowed = round_down(min(allowed, quantity), market.lots.lot)
        if allowed >= quantity:
            return found._replace(allowed=quantity, code="")
        least = market.lots.min_notional
        small = least > 0.0 and allowed * self.core.prices[order.symbol] * market.listing.size < least
        return found._replace(allowed=0.0 if small or not allowed > 0.0 else allowed)

    def readings(self, order: Order, asked: Asked) -> list[tuple[str, list[float], list[float]]]:
        """Give the numbers of an order: for each scope those of equity, exposure and counts, then "" for all others."""
        engine, own = self.engine, self.core.account.equity
        found, groups, rows = [], engine.merged.groups, asked.rows
        peers = engine.peers.values()
        mine, total = len(rows) + 1.0, len(rows) + 1.0 + sum(len(peer.rows) for peer in peers)
        alike: dict[int, Any] = {}
        for scope in engine.limits:
            near = [peer for peer in peers if scope in engine.scopes_of(peer)] if peers else ()
            equity = own
            for peer in near:
                equity += peer.equity
            known = alike.get(len(near))
            if known is None:
                held = [*rows, *(Row(*row) for peer in near for row in peer.rows)] if near else rows
                known = alike[len(near)] = stakes(held, asked.row, order.sign, asked.size, groups)
            per = 1.0 / equity if equity > 0.0 else math.inf
            values = engine.watches[scope].losses(equity)
            values += [one * per if one else 0.0 for one in known[1]]
            values += (mine, total)
            found.append((scope, values, [one * per if one else 0.0 for one in known[0]]))
        found.append(("", self._others(order, asked, 1.0 / own if own > 0.0 else math.inf), []))
        return found

    def _others(self, order: Order, asked: Asked, per: float) -> list[float]:
        engine, symbol = self.engine, order.symbol
        market, limits, now = engine.market, engine.merged, engine.now
        moves = 0
        if limits.correlated_positions is not None:
            held = [(row[0], 1.0 if row[2] + row[3] - row[4] > 0.0 else -1.0) for row in asked.rows]
            moves = market.correlated(symbol, order.sign, held, limits.correlation_at)
        spread = market.spreads.get(symbol)
        if spread is None:
            spread = 2.0 * self.core.markets[symbol].costs.slippage  # what is reckoned with where no book is seen
        shut = 0.0
        if limits.trading_hours and not all(is_open(text, now) for text in limits.trading_hours):
            shut = 1.0
        return [
            *_BLIND, self.core.account.leverage(symbol), asked.size * per, asked.size, asked.distance,
            engine.recent(now - _MINUTE) + 1.0, moves + 1.0, market.age(symbol, now), spread,
            market.volatility(symbol, now), engine.trips.losing(symbol, now), shut,
        ]  # fmt: skip

    def assess(self, asked: Any) -> Assessment:
        """Say what the limits make of an order, without sending it (see `wb.risk.assess`)."""
        order = self._order(asked)
        found = self.look(order, order.quantity, order.price, order.stop_price)
        book = self.engine.book.ask(order, order.quantity, order.price, order.stop_price, "")
        readings = self.readings(order, book)
        values = [max((row[1][k] for row in readings[:-1]), default=NAN) for k in range(PLAIN)]
        values += readings[-1][1][PLAIN:]
        what = f"{order.side} {order.quantity:g} {order.symbol}"
        return verdict_on(order.quantity, found.allowed, found.code, self.engine.merged, values, what)

    def _order(self, asked: Any) -> Order:
        """Make an order of what was said about it."""
        if isinstance(asked, Order):
            order = asked
        else:
            said: dict[str, Any] = dict(asked) if hasattr(asked, "keys") else dict(vars(asked))
            usual: dict[str, Any] = {"id": "", "type": "market" if said.get("price") is None else "limit"}
            try:
                order = Order(**{**usual, **{name: one for name, one in said.items() if one is not None}})
            except TypeError as error:
                raise ConfigError(f"assess: {said!r} is no order: {error}") from error
        number = isinstance(order.quantity, (int, float)) and 0.0 < order.quantity < math.inf
        if order.side not in ("buy", "sell") or not number:
            raise ConfigError(f"assess: {asked!r} needs a side ('buy' or 'sell') and a positive quantity")
        if order.symbol not in self.core.markets or order.symbol not in self.core.prices:
            raise ConfigError(f"assess: {order.symbol!r} has no price here yet", symbol=order.symbol)
        return order
