"""How long it takes to sell everything, and what that costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.errors import ConfigError
from workbench.risk.portfolio.book import Book
from workbench.risk.portfolio.holdings import Holding

__all__ = ["Market", "liquidity_rows"]

_RANGES: Final = (
    ("participation", 0.0, 1.0), ("impact", -1e-9, 100.0), ("volume", 0.0, 100.0), ("spread", -1e-9, 1e4),
    ("volatility", -1e-9, 1e3),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Market:
    """How a market takes what is sold.

    Parameters
    ----------
    participation : float, default 0.1
        The share of a day's trading that one is ready to be.
    impact : float, default 1
        Of the square-root law: cost = impact * daily volatility * sqrt(traded a day / traded by all a day).
    volume, spread, volatility : float, default 1
        What is usual is multiplied by these: a stressed market has less volume and wider spreads.

    Raises
    ------
    ConfigError
        A number is out of range.

    Notes
    -----
    The square-root law: Torre (1997); Tóth and others (2011), with a factor near one.
    """

    participation: float = 0.1
    impact: float = 1.0
    volume: float = 1.0
    spread: float = 1.0
    volatility: float = 1.0

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value: Any = getattr(self, name)
            number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
            if not number or not low < value <= high:
                raise ConfigError(f"{name} = {value!r}: give a number up to {high:g}, not below zero", name=name)


def liquidity_rows(book: Book, market: Market, volatility: Mapping[int, float]) -> list[dict[str, Any]]:
    """Give one row a position: what selling it at the participation takes and costs, in the reporting currency.

    Parameters
    ----------
    book : Book
    market : Market
    volatility : mapping of line to float
        Of a day's return; may lack lines.

    Notes
    -----
    What is not known (no daily value, no spread, no volatility) is NaN, and so are sums with it. A position smaller
    than the participation is sold within the day that it begins on, by its own share of the trading.
    """
    names = book.labels("position")
    found = []
    for number, line in enumerate(book.lines):
        held = line.what
        if not isinstance(held, Holding) or line.exposure == 0.0:
            continue
        worth = abs(line.exposure)
        traded = math.nan if held.daily_value is None else held.daily_value * line.rate * market.volume
        days = worth / (traded * market.participation)
        share = min(worth / traded, market.participation) if traded > 0.0 else math.nan
        half = math.nan if held.spread is None else 0.5 * held.spread * market.spread * worth
        moved = volatility.get(number, math.nan) * market.volatility
        push = market.impact * moved * math.sqrt(share) * worth if not math.isnan(share) else math.nan
        found.append(
            {
                "position": names[number],
                "exposure": line.exposure,
                "daily_value": traded,
                "days": days,
                "spread_cost": half,
                "impact_cost": push,
                "cost": half + push,
                "cost_share": (half + push) / worth,
            }
        )
    return found
