"""What scenarios would do to a book: profits by line, and who would be liquidated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.risk.portfolio.book import Book, Leg
from workbench.risk.portfolio.holdings import Holding
from workbench.risk.portfolio.levels import growth_over
from workbench.risk.portfolio.liquidation import accounts_of, crossed
from workbench.risk.portfolio.scenarios import Scenario

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Outcome", "beta_between", "play"]

Floats = NDArray[np.float64]
_COMMON: Final = 20


class Outcome(NamedTuple):
    """What a scenario does.

    `profit` of each line; `covered`, the share of the gross exposure whose move is known; `proxied`, series that were
    moved by another one's move; `liquidated`, positions and accounts that would be taken away.
    """

    profit: Floats
    covered: float
    proxied: tuple[str, ...]
    liquidated: tuple[str, ...]


def play(
    book: Book, scenario: Scenario, levels: pd.DataFrame | None, proxies: Mapping[str, str] | None = None
) -> Outcome:
    """Play a scenario.

    Parameters
    ----------
    book : Book
    scenario : Scenario
    levels : DataFrame, optional
        Prices; needed for a window of the past.
    proxies : mapping of series to series, optional
        What a series without prices of that time moves with: by its beta to the other one.

    Returns
    -------
    Outcome

    Raises
    ------
    DataError
        A window is asked for without prices, or a proxy is no series.
    """
    if scenario.window is None:
        return _shocked(book, scenario)
    if levels is None:
        raise DataError(f"{scenario.name} is a stretch of the past: give prices to the portfolio")
    return _relived(book, scenario, levels, dict(proxies or {}))


def _shocked(book: Book, scenario: Scenario) -> Outcome:
    prices = np.zeros(len(book.lines))
    money = np.zeros(len(book.lines))
    for number, line in enumerate(book.lines):
        if isinstance(line.what, Holding):
            prices[number] = scenario.shock_of(line.what)
        if line.what.currency != book.currency:
            money[number] = float(scenario.currencies.get(line.what.currency, 0.0))
    profit = (book.counted + book.exposure * prices) * (1.0 + money) - book.counted
    return Outcome(profit, 1.0, (), _taken(book, prices, profit))


def _relived(book: Book, scenario: Scenario, levels: pd.DataFrame, proxies: dict[str, str]) -> Outcome:
    import pandas as pd

    legs, _ = book.legs(levels.columns)
    window: Any = scenario.window
    # Daily prices are labelled by their day, finer ones by their open: the last one of a day is its close.
    first, last = (pd.Timestamp(day, tz="UTC") + pd.Timedelta(hours=23, minutes=59) for day in window)
    needed = {leg.series for leg in legs}
    moves = {name: growth_over(levels[name], first, last) for name in needed}
    proxied = []
    for name in [name for name in sorted(needed) if math.isnan(moves[name]) and name in proxies]:
        other = proxies[name]
        if other not in levels.columns:
            raise DataError(f"the proxy of {name} is {other!r}, of which there are no prices", series=other)
        moves[name] = max(beta_between(levels, name, other) * growth_over(levels[other], first, last), -1.0)
        if not math.isnan(moves[name]):
            proxied.append(name)
    unknown = {name for name, move in moves.items() if math.isnan(move)}
    frame = pd.DataFrame({name: [0.0 if name in unknown else move] for name, move in moves.items()}, index=[last])
    profit, prices = _by_line(book, legs, frame)
    gross = float(np.abs(book.exposure).sum())
    missing = sum(abs(book.lines[leg.line].exposure) for leg in legs if leg.price and leg.series in unknown)
    covered = 1.0 - missing / gross if gross > 0.0 else 1.0
    return Outcome(profit, covered, tuple(proxied), _taken(book, prices, profit))


def _by_line(book: Book, legs: Sequence[Leg], frame: pd.DataFrame) -> tuple[Floats, Floats]:
    profit, prices = np.zeros(len(book.lines)), np.zeros(len(book.lines))
    won = book.profits(legs, frame)
    for place, leg in enumerate(legs):
        profit[leg.line] += won[0, place]
        if leg.price:
            prices[leg.line] = float(frame[leg.series].iloc[0])
    return profit, prices


def _taken(book: Book, prices: Floats, profit: Floats) -> tuple[str, ...]:
    """Name the positions whose liquidation price is reached, and the accounts that fall below their maintenance."""
    names = book.labels("position")
    found = [
        names[number]
        for number, line in enumerate(book.lines)
        if isinstance(line.what, Holding) and crossed(line.what, line.what.price * (1.0 + float(prices[number])))
    ]
    for one in accounts_of(book):
        left = one.equity + float(profit[list(one.lines)].sum())
        kept = sum(rate * abs(held) * (1.0 + float(prices[line])) for line, held, rate in one.margined)
        if one.margined and left <= kept:
            found.append(f"account {one.name}")
    return tuple(found)


def beta_between(levels: pd.DataFrame, name: str, other: str) -> float:
    """Give how much a series moves for each unit of another, by least squares over the rows that both have.

    Raises
    ------
    DataError
        They have fewer than 20 rows in common, or the other does not move.
    """
    both = levels[[name, other]].dropna()
    if len(both) < _COMMON:
        raise DataError(f"{name} and {other} have {len(both)} rows in common, too few for a beta; choose another proxy")
    moves = both.to_numpy()[1:] / both.to_numpy()[:-1] - 1.0
    away = moves - moves.mean(axis=0)
    varied = float(away[:, 1] @ away[:, 1])
    if not varied > 0.0:
        raise DataError(f"{other} does not move: choose another proxy of {name}")
    return float(away[:, 0] @ away[:, 1]) / varied
