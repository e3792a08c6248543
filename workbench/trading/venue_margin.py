"""Liquidation at the simulated venue: the levels at which the market is forced on a position, and what it costs.

A position on margin is liquidated where what stands behind it is its maintenance margin; it never fills beyond the
price at which nothing would be left, because an insurance fund takes over there. A short position that is paid in full
has no margin: it ends where closing it takes all the cash there is ("bankruptcy").
"""

from __future__ import annotations

import math
from typing import Final

from workbench.trading import margin
from workbench.trading.arithmetic import bankruptcy_price, execution_fee
from workbench.trading.events import Event, Filled, Funded
from workbench.trading.matching import FORCED, Resting
from workbench.trading.orders import Order, Side
from workbench.trading.positions import Position
from workbench.trading.venue_fills import cancel
from workbench.trading.venue_state import Floor, Market

__all__ = ["forced_order", "fund", "liquidate", "refresh", "settle"]

NAN: Final = math.nan
INF: Final = math.inf
PREFIX: Final = "liquidation:"


def refresh(floor: Floor, market: Market) -> None:
    """Bring the liquidation levels and the bounds of an instrument up to date."""
    if market.stale or floor.shared:
        before, market.forced = market.forced, []
        for leg, held in market.legs.items():
            level = _level(floor, market, held) if held.quantity != 0.0 else NAN
            if level >= 0.0:
                known = next((one for one in before if one.leg == leg and one.sign * held.quantity < 0.0), None)
                order = known or forced_order(market, held, leg, level)
                order.stop_price = level
                market.forced.append(order)
        market.seek()


def _level(floor: Floor, market: Market, held: Position) -> float:
    """Give the price at which a position is forced out; NaN for none."""
    if market.margined:
        return floor.account.liquidation_price(market.symbol, held.leg)
    if held.quantity > 0.0 or held.inverse or floor.account.terms.kind == "cash":
        return NAN  # a cash account owes nothing: what it is short of by one pair it has by another or as money
    cash, costs = floor.account.cash, market.costs
    for other in floor.markets.values():
        for one in other.legs.values():
            if one is not held and one.quantity != 0.0:
                cash += one.value(other.price)
    exit_cost = (1.0 + costs.slippage) * (1.0 + costs.taker) - 1.0
    price = bankruptcy_price(cash, held.quantity * held.contract_size, exit_cost)
    return price if price > 0.0 else NAN


def forced_order(market: Market, held: Position, leg: str, level: float) -> Resting:
    """Make the stop that the market has placed at a liquidation level."""
    side: Side = "sell" if held.quantity > 0.0 else "buy"
    reason = "liquidation" if market.margined else "bankruptcy"
    order = Order(
        id=PREFIX, symbol=market.symbol, side=side, type="stop", stop_price=level, close_position=True,
        leg=leg, reason=reason,  # type: ignore[arg-type]
    )  # fmt: skip
    forced = Resting(order, -2 if leg == "short" else -1, 0)
    forced.kind = FORCED
    return forced


def liquidate(floor: Floor, market: Market, order: Resting, quoted: float, events: list[Event]) -> None:
    """Take a position to the market, whole and whatever the volume; its orders are cancelled."""
    held = market.legs[order.leg]
    quantity, costs = abs(held.quantity), market.costs
    price = market.taker_price(quoted, order.sign, quantity)
    fee = execution_fee(market.unit_value(price), quantity, costs.taker, costs.per_unit, costs.per_order)
    if market.margined:
        worst, behind = _last_price(floor, market, held)
        if 0.0 < worst < INF and order.sign * (price - worst) > 0.0:
            price = worst
        fee = execution_fee(market.unit_value(price), quantity, costs.taker, costs.per_unit, costs.per_order)
        fee += costs.liquidation_fee * quantity * market.unit_value(price)
        fee = min(fee, max(behind + held.unrealised(price), 0.0))
    fill = Filled(
        market.stamp, f"{PREFIX}{market.symbol}:{floor.number}", order.symbol, order.side, quantity, price, fee, False,
        quoted, order.reason, market.stamp, order.leg, True,
    )  # fmt: skip
    floor.number += 1
    floor.account.apply(fill)
    market.budget -= quantity
    market.stale = True
    events.append(fill)
    for one in [one for one in market.open_orders() if one.leg == order.leg]:
        cancel(floor, market, one, order.reason, events)


def _last_price(floor: Floor, market: Market, held: Position) -> tuple[float, float]:
    """Give the price at which nothing is left behind a position, and what is behind it at its entry price."""
    account = floor.account
    if account.terms.isolated or account.lines[market.symbol].isolated:
        behind = account.margin_of(market.symbol, held.leg)
    else:
        behind = account.wallet
        for other in floor.markets.values():
            if account.lines[other.symbol].isolated:
                behind -= sum(account.margin_of(other.symbol, leg) for leg in other.legs)
            else:
                behind += sum(one.unrealised(other.price) for one in other.legs.values() if one is not held)
    find = margin.inverse_bankruptcy_level if held.inverse else margin.bankruptcy_level
    return find(behind, held.quantity * held.contract_size, held.price), behind


def fund(floor: Floor, market: Market, ts: int, rate: float, mark: float, quantity: float, events: list[Event]) -> None:
    """Settle funding on what is held, or only on a signed quantity of it if that is no NaN."""
    for leg, held in market.legs.items():
        part = held.quantity if quantity != quantity else quantity
        if part == 0.0 or (leg != "net" and part * held.quantity <= 0.0):
            continue
        value = part * market.unit_value(mark)
        paid = Funded(ts, market.symbol, part, mark, rate, -(value * rate), leg)
        floor.account.apply_funding(paid)
        market.stale = True
        events.append(paid)


def settle(floor: Floor, ts: int, events: list[Event]) -> None:
    """Liquidate all positions on margin at the present prices if the account no longer has their maintenance."""
    account = floor.account
    if account.terms.isolated:
        return
    held = [(market, leg, one) for market in floor.markets.values() if market.margined
            for leg, one in market.legs.items() if one.quantity != 0.0]  # fmt: skip
    if not held or account.equity > account.maintenance:
        return
    floor.now = ts
    for market, leg, one in held:
        liquidate(floor, market, forced_order(market, one, leg, market.price), market.price, events)
