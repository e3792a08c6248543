"""How large an order becomes: what its wish asks for, as far as the money goes, in whole lots.

Sizes are worked out at the first price after the decision, with what a market order would really cost then: slippage,
the market's reaction to the order itself, and fees. So an order that takes all there is never asks for more. A wish
that leaves its size open gets it from the sizing of the core (`risk.sizing`), where there is one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from workbench.market.timeframe import Timeframe
from workbench.risk.sizing import Sizing, SizingState
from workbench.risk.sizing.blame import naming
from workbench.trading.arithmetic import leveraged_quantity, round_down, round_to_tick, spendable, stop_level
from workbench.trading.exits import nearest_stop
from workbench.trading.margin import largest_notional
from workbench.trading.orders import Intent, Order
from workbench.trading.remembered import Remembered, value_of

if TYPE_CHECKING:
    from workbench.trading.core import Core, Traded
    from workbench.trading.events import Filled, Funded
    from workbench.trading.history import History

__all__ = ["MEASURE", "Decision", "Sizer"]

NAN: Final = math.nan
MEASURE: Final = "sizing.measure"
"""The column of a history that holds what the sizing measures, where a shell has worked it out beforehand."""


class Decision(NamedTuple):
    """What a sizing decided: of which wish, at which price and equity, how much, what bound it, and why."""

    decided: int
    symbol: str
    side: str
    quantity: float
    price: float
    equity: float
    measure: float
    limit: str
    code: str
    why: str
    id: str


class _Closed(NamedTuple):
    """The closed bars of an instrument as a sizing sees them."""

    symbol: str
    instrument: Any
    timeframe: Timeframe
    ts: Any
    high: Any
    low: Any
    close: Any


class Sizer:
    """Works out the quantities of a core's orders.

    Attributes
    ----------
    sizing : Sizing or None
        Of wishes that leave their size open; set by `use`.
    memory : Remembered
        What it remembers.
    decisions : list of Decision, or None
        What it decided, where a shell wants to know (it puts a list here, and may empty it).
    last : Decision or None
        The last of them.
    """

    __slots__ = ("core", "decisions", "last", "memory", "sizing")

    def __init__(self, core: Core) -> None:
        self.core = core
        self.sizing: Sizing | None = None
        self.memory = Remembered(0, NAN)
        self.decisions: list[Decision] | None = None
        self.last: Decision | None = None

    def use(self, sizing: Sizing | None) -> None:
        """Size by this from now on; what was remembered before is forgotten."""
        self.sizing = sizing
        self.memory = Remembered(0 if sizing is None else int(sizing.memory), self.core.account.equity)

    def quantity(self, wish: Intent, market: Traded) -> tuple[float, str]:
        """Give the quantity of an order and "", or what was worked out of it and why it cannot be had."""
        self.last = None
        if wish.close_position:
            return NAN, ""
        if self.sizing is not None and self._is_open(wish):
            return self._by_sizing(self.sizing, wish, market)
        if not wish.entry and wish.size_unit == "quantity":
            return round_down(wish.size, market.lots.lot), ""
        return self._of_money(wish, market)

    def _is_open(self, wish: Intent) -> bool:
        return math.isnan(wish.size) and not wish.reduce_only and not wish.close_position

    def _is_full(self) -> bool:
        most = self.core.max_positions
        return bool(most) and self.core.account.open_positions >= most

    def _affordable(self, budget: float, price: float, market: Traded) -> float:
        """Give the contracts whose margin and fee together cost a budget."""
        costs, inverse = market.costs, market.instrument.kind == "inverse"
        value = 1.0 / price if inverse else price
        return (
            leveraged_quantity(budget, value, costs.taker, market.leverage, costs.per_unit, costs.per_order)
            / market.instrument.contract_size
        )

    def _of_money(self, wish: Intent, market: Traded) -> tuple[float, str]:
        core, costs = self.core, market.costs
        account, sign = core.account, 1.0 if wish.side == "buy" else -1.0
        available = spendable(account.available, account.equity)
        if not available > 0.0:
            return NAN, "no_equity"
        if wish.entry and self._is_full():
            return NAN, "too_many_positions"
        price = core.estimate(wish.symbol, sign, 0.0)
        budget = self._budget(wish, available)
        most = self._affordable(available, price, market)
        if costs.impact_kind:
            price = core.estimate(wish.symbol, sign, most)
            most = self._affordable(available, price, market)
        if wish.size_unit == "quantity":
            wanted = min(wish.size, most)
        elif wish.size_unit == "risk":
            level = self._stop(wish, market, price, sign)
            if math.isnan(level):
                return NAN, "no_stop"
            risked, lost = wish.size * account.equity, _loss(market, price, level)
            wanted = min(risked / lost if lost > 0.0 else math.inf, most)
        else:
            wanted = self._affordable(budget, price, market)
        return self._finish(wish, market, wanted, price)

    def _finish(self, wish: Intent, market: Traded, wanted: float, price: float) -> tuple[float, str]:
        """Cut a quantity to the venue's largest and to whole lots, and judge whether that is enough to trade."""
        instrument, sign = market.instrument, 1.0 if wish.side == "buy" else -1.0
        if len(market.tiers):
            largest = float(largest_notional(market.leverage, market.tiers))
            if largest <= 0.0:
                return NAN, "leverage_beyond_tier"
            wanted = min(wanted, _contracts(market, largest, max(price, self.core.prices[wish.symbol])))
        wanted = round_down(wanted, market.lots.lot)
        if market.costs.impact_kind and wanted > 0.0:
            price = self.core.estimate(wish.symbol, sign, wanted)
        value = wanted * (1.0 if instrument.kind == "inverse" else price) * instrument.contract_size
        small = wanted <= 0.0 or value < market.lots.min_notional
        return wanted, "below_min_notional" if small else ""

    def _budget(self, wish: Intent, available: float) -> float:
        if wish.size_unit == "fraction":
            return min(wish.size * self.core.account.equity, available)
        return min(wish.size, available)

    def _stop(self, wish: Intent, market: Traded, price: float, sign: float) -> float:
        tick = market.lots.tick
        fixed = round_to_tick(stop_level(price, sign, wish.stop_loss), tick, sign < 0.0)
        return nearest_stop(sign, fixed, round_to_tick(wish.stop_at, tick, sign < 0.0), NAN, NAN)[0]

    def note(self, wish: Intent) -> None:
        """Measure what the sizing of a wish will want to know, as of the bar that decides."""
        if self.sizing is not None and self._is_open(wish):
            self.memory.measured[wish.id] = self.measure(wish.symbol)

    def forget(self, wish_id: str) -> None:
        """Forget what was measured for a wish that is not sent."""
        self.memory.measured.pop(wish_id, None)

    def measure(self, symbol: str) -> float:
        """Give what the sizing measures as of the last closed bar of an instrument; NaN for nothing."""
        history = self.core.main.get(symbol)
        if self.sizing is None or history is None or not history.count:
            return NAN
        if history.has(MEASURE):
            return history.value(MEASURE)
        seen = [self._closed(one) for one in self.core.main.values() if one.symbol in self.core.markets]
        with naming(self.sizing, "measures"):
            return float(self.sizing.latest(seen).get(symbol, NAN))

    def _closed(self, history: History) -> _Closed:
        columns = [np.asarray(history.column(name)) for name in ("ts", "high", "low", "close")]
        instrument = self.core.markets[history.symbol].instrument
        return _Closed(history.symbol, instrument, Timeframe.parse(history.timeframe), *columns)

    def _by_sizing(self, sizing: Sizing, wish: Intent, market: Traded) -> tuple[float, str]:
        """Give what the sizing decides, and keep why."""
        core, sign = self.core, 1.0 if wish.side == "buy" else -1.0
        account, measure = core.account, self.memory.measured.pop(wish.id, NAN)
        available, price = spendable(account.available, account.equity), core.estimate(wish.symbol, sign, 0.0)
        if market.costs.impact_kind:
            price = core.estimate(wish.symbol, sign, self._affordable(available, price, market))
        asked = next((one for one in (wish.price, wish.stop_price) if not math.isnan(one)), price)
        adds = account.quantity(wish.symbol, wish.leg) * sign > 0.0
        if wish.entry and not adds and self._is_full() and available > 0.0:
            found, why, limit, code = NAN, "as many positions are open as may be", "sizing", "too_many_positions"
        else:
            state = self._state(wish, market, asked, available, measure)
            found, code, why, limit = sizing.decide(state)
        if code in ("", "below_min_notional"):
            found, code = self._finish(wish, market, found, asked)
        self.last = Decision(
            wish.decided, wish.symbol, wish.side, found, asked, account.equity, measure, limit, code, why, wish.id
        )
        if code and adds:
            self.memory.refused(wish.symbol, wish.leg, asked)
        if self.decisions is not None:
            self.decisions.append(self.last)
        return found, code

    def _state(self, wish: Intent, market: Traded, price: float, available: float, measure: float) -> SizingState:
        account, sign = self.core.account, 1.0 if wish.side == "buy" else -1.0
        instrument, memory = market.instrument, self.memory
        more = account.quantity(wish.symbol, wish.leg) * sign > 0.0
        adds = memory.entered(wish.symbol, wish.leg)[0] if more else 0
        impact, shared = market.costs.impact_kind, self.sizing is not None and self.sizing.caps.shared
        return SizingState(
            equity=account.equity, price=price, side=sign, stop=self._stop(wish, market, price, sign), measure=measure,
            symbol=wish.symbol, affordable=self._affordable(available, price, market), available=available,
            leverage=market.leverage, contract_size=instrument.contract_size, inverse=instrument.kind == "inverse",
            lot=market.lots.lot, min_notional=0.0 if impact else market.lots.min_notional, cash=memory.cash,
            peak=memory.peak, returns=memory.returns, adds=adds,
            exposures=self._exposures(wish, sign, shared),
        )  # fmt: skip

    def _exposures(self, wish: Intent, sign: float, shared: bool) -> dict[str, float]:
        """Give the value of what is held and on order to open or add, of the wish's instrument or of all.

        What the wish itself would close first counts against: it leaves so much more room.
        """
        core, found, held_by = self.core, dict[str, float](), dict[tuple[str, str], float]()
        for held in core.account.positions:
            if shared or held.symbol == wish.symbol:
                worth = value_of(core.markets[held.symbol].instrument, abs(held.quantity), core.prices[held.symbol])
                against = (held.symbol, held.leg) == (wish.symbol, wish.leg) and held.quantity * sign < 0.0
                found[held.symbol] = found.get(held.symbol, 0.0) + (-worth if against else worth)
                held_by[held.symbol, held.leg] = held.quantity
        for order in core.orders.values():
            if order.reduce_only or order.close_position or order.parent or not (shared or order.symbol == wish.symbol):
                continue
            left = _opening(order, held_by)
            if left > 0.0:
                price = core.prices[order.symbol] if math.isnan(order.price) else order.price
                worth = value_of(core.markets[order.symbol].instrument, left, price)
                found[order.symbol] = found.get(order.symbol, 0.0) + worth
        return found

    def filled(self, fill: Filled, before: float, after: float) -> None:
        """Remember an execution, with what was held before and after it."""
        if self.sizing is None:
            return
        instrument = self.core.markets[fill.symbol].instrument
        if self.memory.filled(fill, before, after, instrument) and self.memory.most:
            self.memory.peak = max(self.memory.peak, self.core.account.equity)

    def funded(self, event: Funded) -> None:
        """Count funding to the trade in hand."""
        if self.sizing is not None:
            self.memory.funded(event.symbol, event.leg, event.amount)

    def snapshot(self) -> dict[str, Any]:
        """Give what the sizing remembers as plain data, as part of a core's; nothing of a core without a sizing."""
        return {} if self.sizing is None else {"sizing": self.memory.snapshot()}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Take up the part of `snapshot` of what a core gave; nothing of one that had no sizing then."""
        if self.sizing is not None and "sizing" in data:
            self.memory.restore(data["sizing"])


def _opening(order: Order, held_by: dict[tuple[str, str], float]) -> float:
    """Give what is left of an order after it has closed what is held, which is taken from what others may close."""
    left, side = order.quantity - order.filled, 1.0 if order.side == "buy" else -1.0
    held = held_by.get((order.symbol, order.leg), 0.0)
    if held * side >= 0.0:
        return left
    closed = min(left, abs(held))
    held_by[order.symbol, order.leg] = held + side * closed
    return left - closed


def _loss(market: Traded, price: float, level: float) -> float:
    """Give what one contract loses between two prices, in the currency that it is settled in."""
    size = market.instrument.contract_size
    if market.instrument.kind == "inverse":
        return abs(1.0 / price - 1.0 / level) * size if level > 0.0 else math.inf
    return abs(price - level) * size


def _contracts(market: Traded, value: float, price: float) -> float:
    """Give the contracts of a value in the currency that they are settled in."""
    if market.instrument.kind == "inverse":
        return value * price / market.instrument.contract_size
    return value / price / market.instrument.contract_size
