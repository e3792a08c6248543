"""Why a trade of a bot is not the trade of its backtest: causes with their cost, which add up to the whole difference.

The difference in profit is taken apart exactly: another quantity, another price at entry and exit (what the market had
moved by a later time, and the rest), another fee, other funding. Each part is then given to what the journal shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from workbench.bots.comparison.lived import Lived
from workbench.bots.comparison.pairing import Pair
from workbench.bots.comparison.trips import Trip
from workbench.market.bars import Bars

__all__ = ["CAUSES", "Cause", "Facts", "explain"]

CAUSES: Final[Mapping[str, str]] = {
    "missed bar": "the bot never heard of a bar that the backtest knows",
    "late decision": "the bot decided, or its order traded, at a later bar than in the backtest",
    "price slippage": "the order traded at another price than assumed: spread, impact or latency",
    "partial fill": "only a part of the order was executed",
    "fee": "another fee was charged than assumed",
    "funding": "other funding was paid or received than assumed",
    "rounding": "the quantity differs by less than two lots",
    "rejected by venue": "the venue refused the order",
    "gate": "a limit on risk refused the order",
    "restart": "the bot was not running",
    "manual": "somebody traded or paused by hand",
    "data revised": "the bot heard other prices than the data have now",
    "look-ahead suspected": "on the bars that were known then, the strategy says something else than on all bars",
    "carried over": "it follows from an earlier difference: other equity, or a position that was still held",
    "unexplained": "nothing that is known explains it",
}
"""Every cause there is, in words."""

_MONEY: Final = frozenset(("insufficient_margin", "no_equity", "below_min_notional", "zero_quantity"))
_RISK: Final = ("limit", "risk", "too_many", "not_running", "loss", "drawdown")


class Cause(NamedTuple):
    """A part of a difference: its name, what it did to the profit (negative: the bot did worse), and the evidence."""

    name: str
    cost: float
    text: str = ""


@dataclass(kw_only=True)
class Facts:
    """What is known beside the two lists of trades.

    Attributes
    ----------
    life : Lived
    bars : dict of symbol to Bars
        As the data have them now: what the backtest ran on.
    lots : dict of symbol to float
    looks_ahead : callable
        `(symbol, ts) -> bool`: whether the strategy says at a bar something else on what was known then.
    """

    life: Lived
    bars: Mapping[str, Bars]
    lots: Mapping[str, float]
    looks_ahead: Callable[[str, int], bool]

    def row(self, symbol: str, ts: int) -> int:
        """Give the row of the bar in which a time lies; -1 before the first."""
        return int(np.searchsorted(self.bars[symbol].ts, ts, side="right")) - 1

    def price_at(self, symbol: str, ts: int) -> float:
        """Give the price at a time, as bars know it: the open of the bar that it lies in."""
        row = self.row(symbol, ts)
        return float(self.bars[symbol].open[row]) if row >= 0 else math.nan

    def step(self, symbol: str) -> int:
        """Give the length of a bar, ms."""
        return self.bars[symbol].timeframe.ms

    def heard(self, symbol: str, ts: int) -> str:
        """Say how the bot came to know a bar: "bar" as it closed, "history", or "" not at all."""
        key = (symbol, str(self.bars[symbol].timeframe))
        if ts in self.life.heard.get(key, {}):
            return "bar"
        return "history" if ts in self.life.learnt.get(key, {}) else ""

    def first_missed(self, symbol: str, upto: int) -> int | None:
        """Give the first bar (open time) up to a time that the bot has never heard of, since it began."""
        series = self.bars[symbol]
        for ts in series.ts[: self.row(symbol, upto) + 1].tolist():
            if ts + self.step(symbol) > self.life.began and not self.heard(symbol, ts):
                return int(ts)
        return None

    def first_revised(self, symbol: str, upto: int) -> int | None:
        """Give the first bar up to a time of which the bot heard other prices than the data have now."""
        series = self.bars[symbol]
        key = (symbol, str(series.timeframe))
        for ts, bar in {**self.life.learnt.get(key, {}), **self.life.heard.get(key, {})}.items():
            row = self.row(symbol, ts)
            if ts > upto or row < 0 or int(series.ts[row]) != ts:
                continue
            now = (series.open[row], series.high[row], series.low[row], series.close[row])
            if any(abs(a - b) > 1e-12 * abs(b) for a, b in zip(bar[3:7], now, strict=True)):
                return int(ts)
        return None


def explain(pair: Pair, facts: Facts, disturbed: bool) -> list[Cause]:
    """Give the causes of the difference of a pair; nothing where there is none.

    Parameters
    ----------
    pair : Pair
    facts : Facts
    disturbed : bool
        Whether an earlier trade differed, so that equity or what was held did too.
    """
    wanted, got = pair
    if wanted is not None and got is not None:
        return _between(wanted, got, facts, disturbed)
    trip = pair.shown
    cost = -trip.pnl if got is None else trip.pnl
    name, text = _why_alone(trip, facts, disturbed, lived=got is not None)
    return [Cause(name, cost, text)]


def _between(wanted: Trip, got: Trip, facts: Facts, disturbed: bool) -> list[Cause]:
    share = got.quantity / wanted.quantity
    found: list[Cause] = []
    if abs(share - 1.0) > 1e-12:
        name, text = _why_size(wanted, got, facts, disturbed)
        found.append(Cause(name, (share - 1.0) * (wanted.gross - wanted.fees + wanted.funding), text))
    found += _price(wanted, got, facts, disturbed, at="entry") + _price(wanted, got, facts, disturbed, at="exit")
    return [one for one in found + _charges(wanted, got, share) if abs(one.cost) > 1e-9 * max(wanted.turnover, 1.0)]


def _why_size(wanted: Trip, got: Trip, facts: Facts, disturbed: bool) -> tuple[str, str]:
    """Say why another quantity was traded."""
    for order_id in (*got.orders, *got.exit_orders):
        if order_id in facts.life.by_hand:
            return "manual", f"{order_id.partition(':')[2]} was traded from outside"
    side, step = ("buy" if got.sign > 0.0 else "sell"), facts.step(got.symbol)
    for symbol, which, ts, text in facts.life.reduced:
        if (symbol, which) == (got.symbol, side) and abs(ts - got.entered) < step:
            return "gate", text
    if kept := _kept_back(wanted, side, facts):
        return "gate", kept
    for order_id in got.orders:
        order = facts.life.orders.get(order_id)
        if order_id in facts.life.cut or (order is not None and order.quantity > got.quantity * (1.0 + 1e-9)):
            asked = math.nan if order is None else order.quantity
            return "partial fill", f"{got.quantity:g} of {asked:g} was executed"
    if abs(wanted.quantity - got.quantity) < 2.0 * facts.lots.get(wanted.symbol, 0.0):
        return "rounding", f"{got.quantity:g} for {wanted.quantity:g}"
    values = (got.quantity * got.entry, wanted.quantity * wanted.entry)
    if got.entry != wanted.entry and math.isclose(*values, rel_tol=2e-3) and not disturbed:
        return "price slippage", "the size was worked out at another price"
    rates = [one.fees / one.turnover if one.turnover else 0.0 for one in (wanted, got)]
    if not disturbed and not math.isclose(*rates, rel_tol=1e-9, abs_tol=1e-12):
        return "fee", "the size was worked out with another fee"
    if disturbed:
        return "carried over", "the size follows from an equity that was another before"
    return "unexplained", f"{got.quantity:g} for {wanted.quantity:g}"


def _kept_back(wanted: Trip, side: str, facts: Facts) -> str:
    """Say which order of a trade was not sent, of one side or of any, "" where none was."""
    for (symbol, which, ts), (code, text) in facts.life.unsent.items():
        mine = symbol == wanted.symbol and which in (side or which,) and wanted.decided <= ts <= wanted.left
        if mine and code not in _MONEY:
            return text
    return ""


def _price(wanted: Trip, got: Trip, facts: Facts, disturbed: bool, *, at: str) -> list[Cause]:
    """Take the effect of another price apart: what the market moved by a later time, and the rest."""
    enters = at == "entry"
    want, have = (wanted.entry, got.entry) if enters else (wanted.exit, got.exit)
    sign = got.sign if enters else -got.sign
    whole = sign * got.quantity * got.size * (want - have)
    if abs(whole) <= 1e-12 * max(got.turnover, 1.0):
        return []
    due, came = (wanted.entered, got.entered) if enters else (wanted.left, got.left)
    decided, did = (wanted.decided, got.decided) if enters else (wanted.exit_decided, got.exit_decided)
    step = facts.step(wanted.symbol)
    moved = 0.0
    if abs(came - due) >= step or did != decided:
        quoted = wanted.quoted_entry if enters else wanted.quoted_exit
        seen = got.quoted_entry if enters else got.quoted_exit
        then = facts.price_at(wanted.symbol, came) if abs(came - due) >= step else seen
        moved = sign * got.quantity * got.size * (quoted - (seen if math.isnan(then) else then))
    found = [Cause("price slippage", whole - moved, f"{at} at {have:g} for {want:g}")]
    if moved:
        name, text = _why_decided(wanted, decided, facts, disturbed)
        kept = "" if name else _kept_back(wanted, "", facts)
        if kept:
            name, text = "gate", kept
        elif not name:
            name, text = "late decision", f"{at} {(came - due) / 1_000:,.0f} s later"
        if wanted.reason != got.reason and not enters and name == "late decision" and disturbed:
            name, text = "carried over", f"left by {got.reason}, not {wanted.reason}"
        found.append(Cause(name, moved, text))
    return found


def _why_decided(trip: Trip, decided: int, facts: Facts, disturbed: bool) -> tuple[str, str]:
    """Say why a decision at a bar was not made, or was made elsewhere; two empty texts where nothing shows it."""
    symbol, life = trip.symbol, facts.life
    row = facts.row(symbol, decided)
    bar = int(facts.bars[symbol].ts[row]) if row >= 0 else decided
    closes = bar + facts.step(symbol)
    how = facts.heard(symbol, bar)
    if closes > life.began and (how == "history" or (not how and life.was_away(closes))):
        return "restart", "the bot was not running when the bar closed"
    if closes > life.began and not how:
        return "missed bar", "the bot has never heard of the bar"
    if life.was_away(closes):
        return "restart", "the bot was not running then"
    missed = facts.first_missed(symbol, bar)
    if missed is not None:
        return ("restart" if life.was_away(missed + facts.step(symbol)) else "missed bar"), "a bar before is missing"
    if facts.first_revised(symbol, bar) is not None:
        return "data revised", "prices are others now than the bot heard"
    if facts.looks_ahead(symbol, bar):
        return "look-ahead suspected", "on the bars known then the strategy says something else"
    return "", ""


def _why_alone(trip: Trip, facts: Facts, disturbed: bool, *, lived: bool) -> tuple[str, str]:
    """Say why a trade is in one list only."""
    life = facts.life
    if lived and any(name in life.by_hand for name in trip.orders):
        return "manual", "it was traded from outside"
    side = "buy" if trip.sign > 0.0 else "sell"
    for order in life.orders.values():
        mine = order.symbol == trip.symbol and order.side == side and order.decided == trip.decided
        if not lived and mine and order.id in life.refused:
            code, text = life.refused[order.id]
            return ("gate" if any(word in code for word in _RISK) else "rejected by venue"), text or code
    if not lived and (trip.symbol, side, trip.decided) in life.unsent:
        code, text = life.unsent[trip.symbol, side, trip.decided]
        return ("carried over" if code in _MONEY and disturbed else "gate"), text
    name, text = _why_decided(trip, trip.decided, facts, disturbed)
    if name:
        return name, text
    said = [text for ts, text in life.warned if ts <= trip.entered]
    if said and not lived:
        return "gate", said[-1]
    return ("carried over", "an earlier trade was another") if disturbed else ("unexplained", "")


def _charges(wanted: Trip, got: Trip, share: float) -> list[Cause]:
    """Give the effects of other fees and other funding; fees on other prices belong to the prices."""
    rate = wanted.fees / wanted.turnover if wanted.turnover else 0.0
    due = rate * got.turnover
    found = [
        Cause("fee", due - got.fees, f"{got.fees / got.turnover if got.turnover else 0.0:.4%} for {rate:.4%}"),
        Cause("price slippage", wanted.fees * share - due, "fees on other prices"),
        Cause("funding", got.funding - wanted.funding * share, f"{got.funding:g} for {wanted.funding * share:g}"),
    ]
    return found
