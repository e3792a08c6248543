"""How far it is to liquidation: of each position by its price, of each account by what moves it can bear.

Liquidation prices are given: venues tell them, and `trading.margin` reckons them for a backtest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.risk.portfolio.book import Book
from workbench.risk.portfolio.holdings import Holding

__all__ = ["Account", "account_rows", "accounts_of", "crossed", "position_rows", "touch_probability"]

Floats = NDArray[np.float64]
_ROOT_HALF: Final = math.sqrt(0.5)


class Account(NamedTuple):
    """One account at one venue: its lines, its equity, and of each margined line (line, exposure, maintenance rate).

    `unknown` names margined positions without a maintenance rate.
    """

    name: str
    lines: tuple[int, ...]
    equity: float
    margined: tuple[tuple[int, float, float], ...]
    unknown: tuple[str, ...]


def crossed(held: Holding, price: float) -> bool:
    """Whether a price is at or beyond the one at which a position is liquidated."""
    level = held.liquidation_price
    if level is None or held.quantity == 0.0:
        return False
    return price <= level if held.quantity > 0.0 else price >= level


def touch_probability(move: float, volatility: float, rows: int) -> float:
    """Give the probability that a driftless random walk reaches a move within some rows.

    Parameters
    ----------
    move : float
        Relative change of the price, -0.3 for a fall by 30 %.
    volatility : float
        Of the return of one row.
    rows : int

    Returns
    -------
    float

    Notes
    -----
    By reflection: twice the normal probability of ending beyond it. The walk is that of the logarithm of the price.
    """
    if move <= -1.0 or not volatility > 0.0:
        return 0.0
    return min(1.0, math.erfc(abs(math.log1p(move)) / (volatility * math.sqrt(rows)) * _ROOT_HALF))


def position_rows(book: Book, volatility: Mapping[int, float], rows: int) -> list[dict[str, object]]:
    """Give one row for each position with a liquidation price, the nearest first.

    Parameters
    ----------
    book : Book
    volatility : mapping of line to float
        Of the return of one row of prices; may lack lines.
    rows : int
        Rows that the probability is of.
    """
    names = book.labels("position")
    found: list[dict[str, object]] = []
    for number, line in enumerate(book.lines):
        held = line.what
        if not isinstance(held, Holding) or held.liquidation_price is None or held.quantity == 0.0:
            continue
        move = held.liquidation_price / held.price - 1.0
        if crossed(held, held.price):
            move = 0.0
        usual = volatility.get(number, math.nan)
        found.append(
            {
                "position": names[number],
                "exposure": line.exposure,
                "price": held.price,
                "liquidation_price": held.liquidation_price,
                "distance": move,
                "volatilities": abs(move) / usual if usual > 0.0 else math.nan,
                "probability": touch_probability(move, usual, rows) if usual > 0.0 else math.nan,
                "loss": line.exposure * move,
            }
        )
    return sorted(found, key=lambda row: abs(float(row["distance"])))  # type: ignore[arg-type]


def accounts_of(book: Book) -> list[Account]:
    """Split a book into accounts."""
    whose: dict[str, list[int]] = {}
    for number, name in enumerate(book.labels("account")):
        whose.setdefault(name, []).append(number)
    found = []
    for name, numbers in whose.items():
        margined, unknown = [], []
        for number in numbers:
            line = book.lines[number]
            if isinstance(line.what, Holding) and line.exposure != 0.0:
                if line.what.maintenance is not None:
                    margined.append((number, line.exposure, line.what.maintenance))
                elif line.what.margined:
                    unknown.append(line.what.symbol)
        equity = float(sum(book.lines[number].counted for number in numbers))
        found.append(Account(name, tuple(numbers), equity, tuple(margined), tuple(unknown)))
    return found


def account_rows(book: Book) -> list[dict[str, object]]:
    """Give one row for each account that has positions: what it can bear with cross margin.

    Notes
    -----
    An account is liquidated where its equity is its maintenance margin. `fall` and `rise`: everything moves by the same
    fraction, the way that is called so; `against`: each position moves against itself by it. Missing where no such move
    liquidates it, and where a position on margin has no maintenance rate.
    """
    found: list[dict[str, object]] = []
    for one in accounts_of(book):
        held = np.array([book.lines[number].exposure for number in one.lines])
        if not held.any():
            continue
        kept = math.nan if one.unknown else float(sum(rate * abs(worth) for _, worth, rate in one.margined))
        sided = sum(rate * worth for _, worth, rate in one.margined)
        net, gross = float(held.sum()), float(np.abs(held).sum())
        free = one.equity - kept
        room = free / (gross - sided) if one.margined and gross > sided else math.nan
        move = -free / (net - kept) if one.margined and net != kept else math.nan
        found.append(
            {
                "account": one.name,
                "equity": one.equity,
                "gross": gross,
                "net": net,
                "leverage": gross / one.equity if one.equity > 0.0 else math.nan,
                "maintenance": kept if one.margined or one.unknown else 0.0,
                "used": kept / one.equity if one.equity > 0.0 else math.nan,
                "fall": _within(move, free, downward=True),
                "rise": _within(move, free, downward=False),
                "against": max(room, 0.0) if free > 0.0 else (0.0 if one.margined else math.nan),
            }
        )
    return found


def _within(move: float, free: float, *, downward: bool) -> float:
    """Give a move if it goes this way and can happen; none is needed where nothing is free."""
    if math.isnan(move):
        return math.nan
    if free <= 0.0:
        return 0.0
    reached = -1.0 < move < 0.0 if downward else move > 0.0
    return move if reached else math.nan
