"""The arithmetic of trading, written once: a fill's price, a fee, a stop's level and what a bar does to it.

Small functions of numbers, without state and without imports beyond `math`. The compiled path compiles them into its
loop (`backtest.kernel`); whoever trades event by event calls them as they are. None calls another, so that each can be
compiled alone. `side` is +1 for a long position or a buy, -1 for a short position or a sell. A level
of NaN means "none": every comparison with it is false.
"""

from __future__ import annotations

import math

__all__ = [
    "affordable_quantity",
    "bankruptcy_price",
    "execution_fee",
    "fee",
    "funding_amount",
    "impact",
    "leveraged_quantity",
    "market_price",
    "profit",
    "round_down",
    "round_to_tick",
    "spendable",
    "stop_level",
    "target_level",
    "through",
    "volume_budget",
]


def market_price(price: float, side: float, slippage: float) -> float:
    """Give the price that a market order gets: worse than the quoted one by a fraction, for buyer and seller alike."""
    return price * (1.0 + side * slippage)


def fee(price: float, quantity: float, rate: float) -> float:
    """Give the fee of a fill in the quote currency: a fraction of the traded value."""
    return price * abs(quantity) * rate


def execution_fee(price: float, quantity: float, rate: float, per_unit: float, per_order: float) -> float:
    """Give the whole fee of a fill in the quote currency: of its value, of its units, and once an order."""
    return price * abs(quantity) * rate + abs(quantity) * per_unit + per_order


def impact(kind: int, coefficient: float, quantity: float, volume: float, sigma: float) -> float:
    """Give the fraction by which an order moves the price against itself.

    Parameters
    ----------
    kind : int
        0: not at all. 1: coefficient times the squared share of the bar's volume (zipline's volume-share model). 2:
        coefficient times volatility times the root of that share (the square-root law, Almgren et al. 2005).
    coefficient : float
    quantity, volume : float
        Of the order, and traded in the bar; a bar without volume has no impact.
    sigma : float
        Volatility of the bar's return, a fraction; NaN counts as none.
    """
    if kind == 0 or not volume > 0.0:
        return 0.0
    share = min(abs(quantity) / volume, 1.0)
    if kind == 1:
        return coefficient * share * share
    return coefficient * sigma * math.sqrt(share) if sigma > 0.0 else 0.0


def volume_budget(volume: float, share: float) -> float:
    """Give the quantity that can be had of a bar's volume; all one wants for an infinite share."""
    return math.inf if share == math.inf else volume * share


def leveraged_quantity(
    budget: float, price: float, fee_rate: float, leverage: float, per_unit: float, per_order: float
) -> float:
    """Give the quantity whose initial margin and entry fee together cost exactly the budget; never below zero."""
    return max(budget - per_order, 0.0) / (price * (1.0 / leverage + fee_rate) + per_unit)


def spendable(available: float, equity: float) -> float:
    """Give what of the free money can be traded with: none where it is what rounding leaves of money that was spent.

    That is up to a billionth of the equity, and up to 1e-8, the smallest unit that venues keep money in.
    """
    return available if available > max(1e-9 * equity, 1e-8) else 0.0


def funding_amount(quantity: float, mark: float, rate: float) -> float:
    """Give what a position (signed quantity) receives at a funding time: a long pays a positive rate."""
    return -quantity * mark * rate


def affordable_quantity(budget: float, price: float, fee_rate: float) -> float:
    """Give the quantity whose value and entry fee together cost exactly the budget; zero for a budget below zero."""
    return max(budget, 0.0) / (price * (1.0 + fee_rate))


def round_down(quantity: float, lot_size: float) -> float:
    """Round a quantity down to whole lots, never up; a lot of zero leaves it as it is.

    A quantity that is whole but for the last bits of a float (0.3 / 0.1 = 2.9999999999999996) keeps its last lot.
    """
    if lot_size <= 0.0 or not quantity / lot_size < 2.0**53:  # beyond that a float knows no single lots
        return quantity
    lots, lots_per_unit = math.floor(quantity / lot_size * (1.0 + 1e-12)), round(min(1.0 / lot_size, 2.0**53))
    # 29 lots of 0.1 are 29 / 10 = 2.9; 29 * 0.1 would be 2.9000000000000004
    return lots / lots_per_unit if abs(lots_per_unit * lot_size - 1.0) < 1e-12 else lots * lot_size


def round_to_tick(price: float, tick_size: float, up: bool) -> float:
    """Round a price to a whole tick, upwards or downwards; a tick of zero leaves it as it is."""
    if tick_size <= 0.0 or not abs(price) / tick_size < 2.0**53:  # no price, or finer ticks than a float knows
        return price
    steps = price / tick_size
    whole = round(steps)
    if abs(steps - whole) >= 1e-9 * max(1.0, abs(steps)):
        whole = math.ceil(steps) if up else math.floor(steps)
    ticks_per_unit = round(min(1.0 / tick_size, 2.0**53))
    # three ticks of 0.1 are 3 / 10 = 0.3, the number that a bar at that price holds; 3 * 0.1 would be above it
    return whole / ticks_per_unit if abs(ticks_per_unit * tick_size - 1.0) < 1e-12 else whole * tick_size


def stop_level(reference: float, side: float, distance: float) -> float:
    """Give the price at which a stop triggers: a fraction below the reference for a long, above it for a short.

    The reference is the entry price of a fixed stop and the best price since entry of a trailing one.
    """
    return reference * (1.0 - side * distance)


def target_level(reference: float, side: float, distance: float) -> float:
    """Give the price of a profit target: a fraction above the entry price for a long, below it for a short."""
    return reference * (1.0 + side * distance)


def through(price: float, level: float, side: float) -> bool:
    """Tell whether a price is at a level or beyond it: at or above it for side +1, at or below it for side -1."""
    return side * (price - level) >= 0.0


def profit(side: float, quantity: float, entry_price: float, exit_price: float) -> float:
    """Give the profit before fees of a position of `quantity` (positive) between two prices."""
    return side * quantity * (exit_price - entry_price)


def bankruptcy_price(cash: float, quantity: float, exit_cost: float) -> float:
    """Give the price at which leaving a position (signed quantity) at some cost leaves no cash at all.

    `exit_cost` is what leaving a short costs on top of its price, slippage and fee together, as a fraction. Not
    positive for a long position that was paid in full: it cannot ruin the account.
    """
    return -cash / (quantity * (1.0 + exit_cost))
