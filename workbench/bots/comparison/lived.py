"""What a bot's journal tells: executions, bars as they were heard, orders that came to nothing, times without it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from workbench.trading.events import (
    Bar,
    Canceled,
    Expired,
    Filled,
    Funded,
    Learnt,
    Moved,
    Rejected,
    Submit,
)
from workbench.trading.orders import Order

__all__ = ["Lived", "read_life"]


@dataclass
class Lived:
    """The life of a bot.

    Attributes
    ----------
    told : list of Filled or Funded
        In the order of the journal.
    heard : dict
        `{(symbol, timeframe): {open time: Bar}}` of the bars that were told as they closed.
    learnt : dict
        The same, of bars that were told as history only.
    orders : dict of str to Order
        Every order that was intended, by client order id.
    refused : dict of str to (code, text)
        Orders that the venue or the gate refused.
    cut : dict of str to str
        Orders that ended before they were executed in full, and how: "canceled" or "expired".
    pauses : list of (from, to)
        Times, ms UTC of the market, in which the bot was paused or did not run.
    began, ended : int
        First and last time of the market that the bot heard of.
    prices : dict of str to float
        The last ones.
    """

    told: list[Filled | Funded] = field(default_factory=list)
    heard: dict[tuple[str, str], dict[int, Bar]] = field(default_factory=dict)
    learnt: dict[tuple[str, str], dict[int, Learnt]] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)
    cut: dict[str, str] = field(default_factory=dict)
    pauses: list[tuple[int, int]] = field(default_factory=list)
    began: int = 0
    ended: int = 0
    prices: dict[str, float] = field(default_factory=dict)
    restarts: list[int] = field(default_factory=list)
    by_hand: set[str] = field(default_factory=set)

    def was_away(self, ts: int) -> bool:
        """Tell whether the bot did not trade at a time of the market."""
        return any(start <= ts < end for start, end in self.pauses)


def read_life(records: Iterable[Any]) -> Lived:
    """Read the records of a journal, sessions among them."""
    life, away, last = Lived(), 0, 0
    for one in records:
        kind = type(one)
        if kind is Bar:
            life.heard.setdefault((one.symbol, one.timeframe), {})[one.ts] = one
            life.prices[one.symbol] = one.close
            last = max(last, one.closes)
            life.began = life.began or one.closes
        elif kind is Learnt:
            life.learnt.setdefault((one.symbol, one.timeframe), {})[one.ts] = one
        elif kind is Filled or kind is Funded:
            life.told.append(one)
            last = max(last, one.ts)
            if kind is Filled and one.id.startswith("outside:"):
                life.by_hand.add(one.id)
        elif kind is Submit:
            life.orders[one.order.id] = one.order
        elif kind is Rejected:
            life.refused[one.id] = (one.code, one.text)
        elif kind in (Canceled, Expired):
            life.cut[one.id] = "canceled" if kind is Canceled else "expired"
        elif kind is Moved:
            if one.state == "STARTING" and last:
                life.restarts.append(last)
            if one.state == "RUNNING":
                if away:
                    life.pauses.append((away, max(one.ts, away)))
                away = 0
            elif last:
                away = away or last
    life.ended = last
    if away:
        life.pauses.append((away, max(last, away) + 1))
    return life
