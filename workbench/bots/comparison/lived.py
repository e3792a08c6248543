"""What a bot's journal tells: executions, bars as they were heard, orders that came to nothing, times without it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from workbench.bots.journal.records import Logged
from workbench.trading.events import (
    Action,
    Alert,
    Bar,
    Canceled,
    Event,
    Expired,
    Filled,
    Funded,
    Learnt,
    Moved,
    Rejected,
    Submit,
)
from workbench.trading.orders import Order

__all__ = ["TOLD", "Lived", "read_life"]

TOLD: Final = frozenset(("Logged", *(kind.__name__ for kind in (*get_args(Event), *get_args(Action)))))
"""Kinds of entries of a journal that tell of a life."""


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
    restarts : list of int
        When, by the market, a process took the bot up again.
    by_hand : set of str
        Ids of executions that somebody else made.
    warned : list of (ts, text)
        What limits on risk said that they did.
    reduced : list of (symbol, side, ts, text)
        Orders that limits made smaller, as the log has them.
    unsent : dict of (symbol, side, decided) to (code, text)
        Orders that were not sent, as the log has them.
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
    warned: list[tuple[int, str]] = field(default_factory=list)
    reduced: list[tuple[str, str, int, str]] = field(default_factory=list)
    unsent: dict[tuple[str, str, int], tuple[str, str]] = field(default_factory=dict)

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
        elif kind is Logged and "decided" in one.fields:
            said = one.fields
            life.unsent[said["symbol"], said["side"], said["decided"]] = (said["code"], one.text)
        elif kind is Logged and "reduced" in one.fields:
            life.reduced.append((one.fields["symbol"], one.fields["side"], one.fields["reduced"], one.text))
        elif kind is Alert and one.level in ("warning", "error"):
            life.warned.append((one.ts, one.text))
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
