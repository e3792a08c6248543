"""Why a trade of a bot is not the trade of its backtest: causes with their cost, which add up to the whole difference.

The difference in profit is taken apart exactly: another quantity, another price at entry and exit (what the market had
moved by a later time, and the rest), another fee, other funding. Each part is then given to what the journal shows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from workbench.bots.comparison.facts import Facts
from workbench.bots.comparison.pairing import Pair
from workbench.bots.comparison.slipping import End, parts_of
from workbench.bots.comparison.trips import Trip

__all__ = ["CAUSES", "Cause", "explain"]

CAUSES: Final[Mapping[str, str]] = {
    "missed bar": "the bot never heard of a bar that the backtest knows",
    "late decision": "the bot decided, or its order traded, at a later bar than in the backtest",
    "price slippage": "the order traded at another price than assumed: spread, impact or latency",
    "partial fill": "only a part of the order was executed",
    "fee": "another fee was charged than assumed",
    "funding": "other funding was paid or received than assumed",
    "rounding": "the quantity was rounded otherwise",
    "rejected by venue": "the venue refused the order, or did not answer",
    "gate": "a limit on risk refused the order, or made it smaller",
    "restart": "the bot was not running",
    "manual": "somebody traded, paused or killed by hand",
    "data revised": "the bot heard other prices than the data have now",
    "look-ahead suspected": "on the bars that were known then, the strategy says something else than on all bars",
    "carried over": "it follows from an earlier difference: other equity, or a position that was still held",
    "unexplained": "nothing that is known explains it",
}
"""Every cause there is, in words."""

_NOTHING: Final = 1e-10  # of a turnover: less is the arithmetic's


class Cause(NamedTuple):
    """A part of a difference: its name, what it did to the profit (negative: the bot did worse), and the evidence.

    `parts` of price slippage, where it can be taken apart: (part, cost), which add up to the cost.
    """

    name: str
    cost: float
    text: str = ""
    parts: tuple[tuple[str, float], ...] = ()


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
    found = _size(wanted, got, facts, disturbed)
    found += _price(wanted, got, facts, disturbed, at="entry") + _price(wanted, got, facts, disturbed, at="exit")
    found += _charges(wanted, got, share)
    least = _NOTHING * max(wanted.turnover, got.turnover)
    kept = [one for one in found if abs(one.cost) > least]
    if not kept:
        return []
    rest = got.pnl - wanted.pnl - math.fsum(one.cost for one in kept)  # what the arithmetic has lost
    most = max(range(len(kept)), key=lambda place: abs(kept[place].cost))
    kept[most] = kept[most]._replace(cost=kept[most].cost + rest)
    return kept


def _size(wanted: Trip, got: Trip, facts: Facts, disturbed: bool) -> list[Cause]:
    """Give what another quantity did: that an order was not executed in full, and that another one was sent."""
    if abs(got.quantity / wanted.quantity - 1.0) <= 1e-12:
        return []
    each = wanted.pnl / wanted.quantity
    left = {name: left for name in got.orders if (left := facts.life.unfilled(name)) > 0.0}
    missing = math.fsum(left.values())
    asked = got.quantity + missing
    found = []
    if missing:
        text = f"{got.quantity:g} of {asked:g} was executed"
        found.append(Cause("partial fill", -missing * each, text))
    if abs(asked / wanted.quantity - 1.0) > 1e-9:
        name, text = _why_size(wanted, got, facts, disturbed, asked=asked)
        cost = (asked - wanted.quantity) * each
        found.append(Cause(name, cost, text, (("other size", cost),) if name == "price slippage" else ()))
    return found


def _why_size(wanted: Trip, got: Trip, facts: Facts, disturbed: bool, *, asked: float) -> tuple[str, str]:
    """Say why another quantity was asked for."""
    for order_id in (*got.orders, *got.exit_orders):
        if order_id in facts.life.by_hand:
            return "manual", f"{order_id.partition(':')[2]} was traded from outside"
    side, step = ("buy" if got.sign > 0.0 else "sell"), facts.step(got.symbol)
    for symbol, which, ts, text in facts.life.reduced:
        if (symbol, which) == (got.symbol, side) and abs(ts - got.entered) < step:
            return "gate", text
    name, text = facts.kept_back(wanted.symbol, (side,), (wanted.decided, wanted.left))
    if name:
        return name, text
    name, text = _other_order(wanted, got, facts, side)
    if name:
        return name, text
    alike = not disturbed and got.entry == wanted.entry  # else equity or price made the size another
    if _is_rounded(wanted, asked, facts, alike=alike):
        return "rounding", f"{asked:g} for {wanted.quantity:g}, in steps of {facts.lot(wanted.symbol):g}"
    values = (asked * got.entry, wanted.quantity * wanted.entry)
    if got.entry != wanted.entry and math.isclose(*values, rel_tol=2e-3) and not disturbed:
        return "price slippage", "the size was worked out at another price"
    rates = [one.fees / one.turnover if one.turnover else 0.0 for one in (wanted, got)]
    if not disturbed and not math.isclose(*rates, rel_tol=1e-9, abs_tol=1e-12):
        return "fee", "the size was worked out with another fee"
    if disturbed:
        return "carried over", "the size follows from an equity that was another before"
    return "unexplained", f"{asked:g} for {wanted.quantity:g}"


def _other_order(wanted: Trip, got: Trip, facts: Facts, side: str) -> tuple[str, str]:
    """Say which of several orders that made a trade was refused, two empty texts for none."""
    if len(wanted.orders) <= len(got.orders):
        return "", ""
    for order in facts.life.orders.values():
        within = wanted.entered <= order.decided + facts.step(wanted.symbol) <= max(wanted.left, wanted.entered)
        if (order.symbol, order.side) == (wanted.symbol, side) and within and order.id in facts.life.refused:
            return facts.why_refused(order.symbol, side, order.decided, False)
    return "", ""


def _is_rounded(wanted: Trip, asked: float, facts: Facts, *, alike: bool) -> bool:
    """Tell whether two quantities differ by rounding alone: by less than two lots, or down to the venue's larger ones.

    The venue's steps are known by all orders: a quantity that fits them already was not rounded to them.
    """
    if alike and abs(wanted.quantity - asked) < 2.0 * facts.lots.get(wanted.symbol, 0.0):
        return True
    lot = facts.lot(wanted.symbol)
    if lot <= facts.lots.get(wanted.symbol, 0.0):
        return False
    whole = math.floor(wanted.quantity / lot + 1e-9) * lot
    return wanted.quantity - whole > 1e-9 * lot and abs(whole - asked) < 1e-6 * lot


def _price(wanted: Trip, got: Trip, facts: Facts, disturbed: bool, *, at: str) -> list[Cause]:
    """Take the effect of another price apart: what the market moved by a later time, and the rest."""
    want, have = End.of(wanted, at), End.of(got, at)
    sign = got.sign if at == "entry" else -got.sign
    whole = -sign * got.worth(want.price, have.price)
    if abs(whole) <= 1e-12 * max(got.turnover, 1e-300):
        return []
    far = abs(have.ts - want.ts) >= facts.step(wanted.symbol)
    base, moved = want.quoted, 0.0
    if far or have.decided != want.decided:
        then = facts.price_at(wanted.symbol, have.ts) if far else have.quoted
        base = have.quoted if math.isnan(then) else then
        moved = -sign * got.worth(want.quoted, base)
    if not moved and any(name in facts.life.by_hand for name in have.orders):
        return [Cause("manual", whole, f"{at} at {have.price:g} from outside")]
    found = []
    if moved:
        name, text = _why_moved(wanted, got, facts, disturbed, at=at)
        found.append(Cause(name, moved, text))
    rest = whole - moved
    parts = parts_of(facts.life, want, have, base, lambda a, b: -sign * got.worth(a, b))
    return [Cause("price slippage", rest, f"{at} at {have.price:g} for {want.price:g}", parts), *found]


def _why_moved(wanted: Trip, got: Trip, facts: Facts, disturbed: bool, *, at: str) -> tuple[str, str]:
    """Say why a trade was entered or left at another bar."""
    want, have = End.of(wanted, at), End.of(got, at)
    if any(name in facts.life.by_hand for name in have.orders):
        return "manual", f"{at} was traded from outside"
    enters = (wanted.sign > 0.0) == (at == "entry")
    side = "buy" if enters else "sell"
    name, text = facts.why_refused(wanted.symbol, side, want.decided, disturbed)
    if not name:
        name, text = facts.why_decided(wanted.symbol, want.decided)
    if name:
        return name, text
    pause = facts.life.pause_at(have.ts - 1)
    if pause is not None and at == "exit" and pause.cause == "manual":
        return pause.cause, pause.text
    name, text = facts.kept_back(wanted.symbol, ("buy", "sell"), (wanted.decided, wanted.left))
    if name:
        return name, text
    if at == "exit" and wanted.reason != got.reason and disturbed:
        return "carried over", f"left by {got.reason}, not {wanted.reason}"
    late = have.ts - want.ts
    if late > 0:
        return "late decision", f"{at} {late / 1_000:,.0f} s later"
    return ("carried over", f"{at} follows from what was before") if disturbed else ("unexplained", f"{at} earlier")


def _why_alone(trip: Trip, facts: Facts, disturbed: bool, *, lived: bool) -> tuple[str, str]:
    """Say why a trade is in one list only."""
    life = facts.life
    if lived and any(name in life.by_hand for name in trip.orders):
        return "manual", "it was traded from outside"
    if not lived:
        name, text = facts.why_refused(trip.symbol, "buy" if trip.sign > 0.0 else "sell", trip.decided, disturbed)
        if name:
            return name, text
    name, text = facts.why_decided(trip.symbol, trip.decided)
    if name:
        return name, text
    said = [text for ts, text in life.warned if ts <= trip.entered]
    if said and not lived:
        return "gate", said[-1]
    return ("carried over", "an earlier trade was another") if disturbed else ("unexplained", "")


def _charges(wanted: Trip, got: Trip, share: float) -> list[Cause]:
    """Give the effects of other fees and other funding; fees on other prices belong to the prices."""
    rate = wanted.fees / wanted.turnover if wanted.turnover else 0.0
    due, other = rate * got.turnover, wanted.fees * share - rate * got.turnover
    found = [
        Cause("fee", due - got.fees, f"{got.fees / got.turnover if got.turnover else 0.0:.4%} for {rate:.4%}"),
        Cause("price slippage", other, "fees on other prices", (("fees on other prices", other),)),
        Cause("funding", got.funding - wanted.funding * share, f"{got.funding:g} for {wanted.funding * share:g}"),
    ]
    return found
