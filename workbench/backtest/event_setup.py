"""From a plan to the parts of the event path: the strategy as a trader, the books, and the simulated venue."""

from __future__ import annotations

from typing import Any

from workbench.backtest.plan import Plan
from workbench.strategy.orders import OrderStrategy
from workbench.strategy.signal_trader import Exits, SignalTrader, Spoken
from workbench.trading.account import Account
from workbench.trading.core import Core, Traded, traded
from workbench.trading.gate import Gate
from workbench.trading.guards import guarding_of
from workbench.trading.venue import Venue

__all__ = ["account_of", "core_of", "markets_of", "trader_of", "venue_of"]


def trader_of(plan: Plan) -> Any:
    """Give the strategy as the core wants it: an order strategy as it is, signals carried out by a `SignalTrader`."""
    if isinstance(plan.strategy, OrderStrategy):
        return plan.strategy
    ladder = tuple(zip(plan.exits.roi_ms.tolist(), plan.exits.roi_level.tolist(), strict=True))
    spoken = [
        Spoken(line.bars.symbol, number, line.signals, line.stop_price, line.bars.timeframe.ms)
        for number, line in enumerate(plan.lines)
        if line.signals is not None
    ]
    return SignalTrader(
        spoken, Exits(ladder=ladder, max_bars=plan.exits.max_bars), guarding_of(plan.guards),
        cash=plan.cash, at_close=plan.at_close, sizing=plan.sizing,
    )  # fmt: skip


def core_of(plan: Plan, trader: Any, *, name: str, gate: Gate | None = None) -> Core:
    """Give the core that trades a plan, with new books and the sizing of the plan."""
    core = Core(trader, account_of(plan), markets_of(plan), name=name, max_positions=plan.max_positions, gate=gate)
    core.sizer.use(plan.sizing)
    return core


def account_of(plan: Plan) -> Account:
    """Give new books for a plan."""
    return Account(
        plan.cash,
        plan.account,
        [line.bars.instrument for line in plan.lines],
        tiers={line.bars.symbol: line.tiers for line in plan.lines},
        leverage={line.bars.symbol: line.leverage for line in plan.lines},
    )


def markets_of(plan: Plan) -> dict[str, Traded]:
    """Give what the core knows of each instrument."""
    return {
        line.bars.symbol: traded(line.bars.instrument, line.lots, line.costs, line.leverage, line.tiers)
        for line in plan.lines
    }


def venue_of(plan: Plan) -> Venue:
    """Give the simulated venue that a plan is matched at, with books of its own."""
    return Venue(
        {line.bars.symbol: line.bars.instrument for line in plan.lines},
        account_of(plan),
        {line.bars.symbol: line.costs for line in plan.lines},
        {line.bars.symbol: line.lots for line in plan.lines},
        {line.bars.symbol: line.tiers for line in plan.lines},
        intrabar="path" if plan.path_inside else "pessimistic",
        limit_fill=plan.limit_fill,
        latency_ms=plan.latency_ms,
    )
