"""Margin: what a position must have behind it, and the price at which it no longer has it.

Small functions of numbers, like those of `arithmetic`: none calls another, so that the compiled path can compile each
alone; whoever trades event by event calls them as they are. `tiers` is a table whose rows are those of `terms.Tier`
(floor, rate, amount, max_leverage) by rising floor: a float64 array of shape (t, 4) for compiled code, a tuple of rows
elsewhere. An empty table means that nothing is to be kept: liquidation is then bankruptcy.

`quantity` is signed, and of a linear contract in units of the base asset (contracts times their size), of an inverse
contract in units of the quote currency; money is in the settlement currency: quote of a linear contract, base of an
inverse one. `wallet` is what stands behind the position at its entry price, before its own unrealised profit: the
position's margin if it is isolated; with cross margin the whole wallet, plus the unrealised profits of the other
positions, less their maintenance margins.

`check_terms` and `read_tiers` are no arithmetic: they judge what a user or venue gave.

The formulas follow from one line: a position is liquidated where wallet + unrealised profit = maintenance margin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.errors import ConfigError
from workbench.market.instrument import Instrument
from workbench.trading.terms import AccountTerms

__all__ = [
    "Tiers",
    "bankruptcy_level",
    "check_terms",
    "hedged_level",
    "interest",
    "inverse_bankruptcy_level",
    "inverse_liquidation_level",
    "inverse_liquidation_price",
    "inverse_profit",
    "largest_notional",
    "liquidation_level",
    "liquidation_price",
    "maintenance_margin",
    "margin_level",
    "read_tiers",
    "tier_index",
    "tier_leverage",
]

Tiers = NDArray[np.float64] | Sequence[Sequence[float]]


def check_terms(terms: AccountTerms, instrument: Instrument, leverage: float) -> None:
    """Check that an account can hold an instrument at a leverage; ConfigError where it cannot."""
    if terms.kind not in ("cash", "margin"):
        raise ConfigError(f"an account of kind {terms.kind!r} does not exist; there are 'cash' and 'margin'")
    if not 1.0 <= leverage < math.inf:
        raise ConfigError(f"{instrument.symbol}: leverage is {leverage!r}; give 1 or more")
    if terms.kind == "cash" and (terms.hedge or terms.isolated or leverage != 1.0 or instrument.perpetual):
        raise ConfigError(
            f"{instrument.symbol} ({instrument.kind}, leverage {leverage:g}) cannot be in a cash account with hedge="
            f"{terms.hedge} and isolated={terms.isolated}: nothing is borrowed there; use kind 'margin'"
        )


def read_tiers(symbol: str, tiers: Tiers) -> tuple[tuple[float, ...], ...]:
    """Read a table of tiers into plain rows; ConfigError where its floors do not rise or a rate is not below 1."""
    rows = tuple(tuple(float(cell) for cell in row) for row in tiers)
    floors = [row[0] for row in rows if row]
    if any(len(row) != 4 or not 0.0 <= row[1] < 1.0 for row in rows) or floors != sorted(set(floors)):
        raise ConfigError(
            f"{symbol}: {rows!r} is no table of (floor, rate, amount, max_leverage) by rising floor with rates from 0 "
            "to below 1; mend its leverage tiers",
            symbol=symbol,
        )
    return rows


def tier_index(notional: float, tiers: Tiers) -> int:
    """Give the row of the table that holds for a notional; -1 for an empty table. A floor belongs to its own row."""
    index = -1
    for k in range(len(tiers)):
        if k == 0 or tiers[k][0] <= abs(notional):
            index = k
    return index


def maintenance_margin(notional: float, tiers: Tiers) -> float:
    """Give what must be left of a position's margin, in the settlement currency; 0.0 for an empty table."""
    size = abs(notional)
    margin = 0.0
    for k in range(len(tiers)):
        if k == 0 or tiers[k][0] <= size:
            margin = size * tiers[k][1] - tiers[k][2]
    return margin


def tier_leverage(notional: float, tiers: Tiers) -> float:
    """Give the highest leverage allowed at a notional; infinity for an empty table.

    A notional that is exactly a floor still has the leverage of the tier below it: a tier is had up to its cap.
    """
    leverage = math.inf
    for k in range(len(tiers)):
        if k == 0 or tiers[k][0] < abs(notional):
            leverage = tiers[k][3]
    return leverage


def largest_notional(leverage: float, tiers: Tiers) -> float:
    """Give the largest notional that may be had at a leverage: 0.0 where none, infinity where the table sets no end."""
    for k in range(len(tiers)):
        if tiers[k][3] < leverage:
            return 0.0 if k == 0 else tiers[k][0]
    return math.inf


def margin_level(equity: float, maintenance: float) -> float:
    """Give how often the equity covers the maintenance margin; liquidation is at 1.0, infinity where none is needed."""
    return equity / maintenance if maintenance > 0.0 else math.inf


def liquidation_price(wallet: float, quantity: float, entry_price: float, rate: float, amount: float) -> float:
    """Give the price at which a linear position is liquidated, if its tier there is (`rate`, `amount`).

    Parameters
    ----------
    wallet, quantity, entry_price : float
        As in the module's notes.
    rate : float
        Maintenance margin as a fraction of the notional, below 1.
    amount : float
        What the tier deducts, in the settlement currency.

    Returns
    -------
    float
        NaN without a position, and for a long position that no price above zero liquidates. 0.0 for a short position
        that every price liquidates.
    """
    if quantity == 0.0 or rate >= 1.0:
        return math.nan
    price = (wallet - quantity * entry_price + amount) / (abs(quantity) * rate - quantity)
    if price > 0.0:
        return price
    return math.nan if quantity > 0.0 else 0.0


def liquidation_level(wallet: float, quantity: float, entry_price: float, tiers: Tiers) -> float:
    """Give the price at which a linear position is liquidated, by the tier that holds at that very price.

    Parameters
    ----------
    wallet, quantity, entry_price, tiers
        As in the module's notes; no rate of the table reaches 1.

    Returns
    -------
    float
        As of `liquidation_price`.

    Notes
    -----
    The maintenance margin grows with the notional, so a falling price finds the tiers of a long position from the
    largest down, and a rising price those of a short position from the smallest up. Where a table jumps up at a floor,
    a short position may be liquidated at that floor.
    """
    if quantity == 0.0:
        return math.nan
    size, rows = abs(quantity), len(tiers)
    free = wallet - quantity * entry_price
    price = -free / quantity
    for step in range(rows):
        k = rows - 1 - step if quantity > 0.0 else step
        price = (free + tiers[k][2]) / (size * tiers[k][1] - quantity)
        if quantity > 0.0:
            if price * size >= tiers[k][0]:
                break
        elif k == rows - 1 or price * size < tiers[k + 1][0]:
            price = max(price, tiers[k][0] / size)
            break
    if price > 0.0:
        return price
    return math.nan if quantity > 0.0 else 0.0


def hedged_level(free: float, longs: float, shorts: float, mark: float, tiers: Tiers, upward: bool) -> float:
    """Give the price at which a long and a short position of one linear instrument are liquidated together.

    Parameters
    ----------
    free : float
        What would be left at a price of zero: wallet - longs * their entry price + shorts * theirs.
    longs, shorts : float
        Quantities without sign.
    mark : float
        Price now.
    tiers
        As in the module's notes; each of the two has its own maintenance margin.
    upward : bool
        Whether to look above the mark, else below.

    Returns
    -------
    float
        NaN where no price in that direction liquidates them; the mark where it does so already.

    Notes
    -----
    Equity less maintenance margin is a concave function of the price. Newton's method, begun on the far side where it
    is below zero, comes nearer to the level tier by tier and stops at it after as many steps as there are tiers.
    """
    net, rows = longs - shorts, max(len(tiers), 1)
    price = math.inf if upward else 0.0
    for step in range(2 * rows + 2):
        slope, level = net, free
        for size in (longs, shorts):
            for k in range(len(tiers) - 1, -1, -1):
                if k == 0 or tiers[k][0] <= size * price:
                    slope -= size * tiers[k][1]
                    level += tiers[k][2]
                    break
        if step == 0 and (slope >= 0.0 if upward else free >= 0.0):
            return math.nan
        if slope == 0.0 or (slope > 0.0) == upward:
            return mark
        root = -level / slope
        if root == price:
            break
        price = root
    return max(price, mark) if upward else min(price, mark)


def bankruptcy_level(wallet: float, quantity: float, entry_price: float) -> float:
    """Give the price at which nothing is left of what stands behind a linear position; NaN and 0.0 as above."""
    if quantity == 0.0:
        return math.nan
    price = -(wallet - quantity * entry_price) / quantity
    if price > 0.0:
        return price
    return math.nan if quantity > 0.0 else 0.0


def inverse_profit(quantity: float, entry_price: float, exit_price: float) -> float:
    """Give the profit of an inverse position (signed, quote currency) between two prices, in the base asset."""
    return quantity * (1.0 / entry_price - 1.0 / exit_price)


def inverse_liquidation_price(wallet: float, quantity: float, entry_price: float, rate: float, amount: float) -> float:
    """Give the price at which an inverse position is liquidated, if its tier there is (`rate`, `amount`).

    Parameters
    ----------
    wallet, amount : float
        In the base asset, in which its margin is.
    quantity : float
        Signed, in the quote currency.
    entry_price, rate : float
        As of `liquidation_price`.

    Returns
    -------
    float
        NaN without a position, and for a short position that no price liquidates. Infinity for a long position that
        every price liquidates.
    """
    if quantity == 0.0 or rate >= 1.0:
        return math.nan
    coins = (wallet + quantity / entry_price + amount) / (abs(quantity) * rate + quantity)
    if coins > 0.0:
        return 1.0 / coins
    return math.inf if quantity > 0.0 else math.nan


def inverse_liquidation_level(wallet: float, quantity: float, entry_price: float, tiers: Tiers) -> float:
    """Give the price at which an inverse position is liquidated, by the tier that holds at that very price.

    Parameters
    ----------
    wallet, quantity, entry_price, tiers
        As in the module's notes; the floors and amounts of the table are in the base asset.

    Returns
    -------
    float
        As of `inverse_liquidation_price`.

    Notes
    -----
    Seen from the base asset the price is 1 / price, and a long position of the contract is a short one of the quote
    currency: the loop is that of `liquidation_level` with these turned round.
    """
    if quantity == 0.0:
        return math.nan
    size, rows = abs(quantity), len(tiers)
    free = wallet + quantity / entry_price
    coins = free / quantity
    for step in range(rows):
        k = rows - 1 - step if quantity < 0.0 else step
        coins = (free + tiers[k][2]) / (size * tiers[k][1] + quantity)
        if quantity < 0.0:
            if coins * size >= tiers[k][0]:
                break
        elif k == rows - 1 or coins * size < tiers[k + 1][0]:
            coins = max(coins, tiers[k][0] / size)
            break
    if coins > 0.0:
        return 1.0 / coins
    return math.inf if quantity > 0.0 else math.nan


def inverse_bankruptcy_level(wallet: float, quantity: float, entry_price: float) -> float:
    """Give the price at which nothing is left of what stands behind an inverse position; NaN, infinity as above."""
    if quantity == 0.0:
        return math.nan
    coins = (wallet + quantity / entry_price) / quantity
    if coins > 0.0:
        return 1.0 / coins
    return math.inf if quantity > 0.0 else math.nan


def interest(borrowed: float, rate: float, elapsed_ms: float, rate_ms: float, step_ms: float, upfront: float) -> float:
    """Give the interest on borrowed money or coins, in the same unit.

    Parameters
    ----------
    borrowed : float
        What is owed; at or below zero costs nothing.
    rate : float
        Fraction for `rate_ms` (a day for a daily rate).
    elapsed_ms : float
        How long it has been owed.
    rate_ms : float
        Above zero.
    step_ms : float
        Time is counted in steps of this length, and a step that has begun counts in full; 0.0 counts every moment.
    upfront : float
        How many times the rate is charged at once for borrowing at all.
    """
    if borrowed <= 0.0:
        return 0.0
    elapsed = math.ceil(elapsed_ms / step_ms) * step_ms if step_ms > 0.0 else elapsed_ms
    return borrowed * rate * (upfront + elapsed / rate_ms)
