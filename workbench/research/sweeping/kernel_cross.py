"""Many crosses of two lines at once: events first, money from prefix sums.

For a strategy that puts everything into one instrument while one line is above another, and pays a fraction a trade,
nothing happens between two crosses but that equity follows the close. So the sums of returns, of their powers and of
the closes while a position is held are differences of prefix sums, into which what is peculiar to the first and the
last bar of a holding is worked in beforehand (`ready_nb`); the lowest and the highest close of a holding come from two
looks into a table of spans; and single bars are looked at only where these say that the deepest fall could lie inside.
Crosses are found 64 bars at a time (`kernel_bits`): the word of bits that say whether the first line is above the
second, against the same word a bar earlier. Bars go by in tiles that stay in the cache while all pairs pass over them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import kernel
from workbench.backtest.kernel_parts import inner, outer
from workbench.research.sweeping.kernel_bits import above_nb, level_nb, lowest_nb

__all__ = ["FEW", "LEVELS", "MANY", "STATE", "TILE", "Market", "Room", "Terms", "cross_nb", "ready_nb"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Places = NDArray[np.int64]
Bits = NDArray[np.uint64]

TILE: Final = 2048  # bars; a power of two
LEVELS: Final = 12  # of spans of 1, 2, 4 ... TILE bars
FEW: Final = 5
"""Columns of `Market.buy` and `Market.sell` where only returns, their squares and the deepest fall are asked for."""
MANY: Final = 13
"""Columns where everything is."""
FACTOR, SUM, SQUARES, CUBES, FOURTHS, LOSSES, CLOSES = 0, 1, 3, 5, 7, 9, 11
# each sum is two numbers, of which the second is what the first has lost in rounding

STATE: Final = 26
"""Numbers that are kept of a pair between two tiles: the sums as in a row of `Market.sell`, then these."""
CASH = 0  # in place of the factor
PEAK, FLOOR, WORST, WORTH, TRADES, WINS, WON, LOST, EXPOSED, TRADED, SINCE, FLAT, TOUCH = range(MANY, STATE)
# FLOOR is the lowest since the PEAK, WORST the deepest fall from any peak before; what is held, and the last sale
NOTHING: Final = -1
LEAST: Final = 1e-8  # what is spent: less money buys nothing (`trading.arithmetic.spendable`)


class Market(NamedTuple):
    """Prices, of shape (n,), and what `ready_nb` makes of them: `buy` and `sell` (n, FEW or MANY), `end` (MANY,)."""

    close: Floats
    trade: Floats
    buy: Floats
    sell: Floats
    end: Floats


class Terms(NamedTuple):
    """What trading costs: factors of a price.

    `up` and `down` are slippage alone, `enter` is what a unit costs at a price of one, `leave` what one sold at a price
    of one gives; `late` is 1 where a decision trades at the open of the next bar; `many` is 1 where everything is
    asked for.
    """

    up: float
    down: float
    enter: float
    leave: float
    late: int
    bars: int
    many: int


class Room(NamedTuple):
    """Room to work in: TILE + 64 places, and the lowest and (less than zero) highest closes of spans."""

    where: Places
    spans: Floats  # (LEVELS, 2 TILE)


class Curve(NamedTuple):
    """How equity has moved: its highest, its lowest since, and the deepest fall from any high before this one."""

    peak: float
    floor: float
    worst: float


@inner
def _add_nb(sums: Floats, at: int, value: float) -> None:
    """Add to a sum, and keep what that loses."""
    before = sums[at]
    total = before + value
    back = total - before
    sums[at] = total
    sums[at + 1] += (before - (total - back)) + (value - back)


@inner
def _powers_nb(sums: Floats, change: float, sign: float) -> None:
    """Add a return and its powers to sums, or take them away."""
    square = change * change
    _add_nb(sums, SUM, sign * change)
    _add_nb(sums, SQUARES, sign * square)
    if sums.size == MANY:
        _add_nb(sums, CUBES, sign * square * change)
        _add_nb(sums, FOURTHS, sign * square * square)
        _add_nb(sums, LOSSES, sign * square if change < 0.0 else 0.0)


@kernel
def ready_nb(market: Market, terms: Terms) -> None:
    """Work out what a purchase and a sale at each bar mean, so that a trade is the difference of two rows.

    A row of `sell` has what a unit gives, then sums of returns, of their squares, cubes and fourth powers, of squared
    losses and of closes: up to the bar, and over its own return if that ends with a sale. A row of `buy` has the units
    that one of money buys, then the sums up to the bar and over it, less its own return if that begins with a purchase.
    """
    close, trade, buy, sell = market.close, market.trade, market.buy, market.sell
    width = buy.shape[1]
    sums = market.end[:width]
    sums[:] = 0.0
    for i in range(close.size):
        got = trade[i] * terms.leave
        sell[i, :] = sums
        if i:
            _powers_nb(sell[i], got / close[i - 1] - 1.0, 1.0)
            _powers_nb(sums, close[i] / close[i - 1] - 1.0, 1.0)
        buy[i, :] = sums
        _powers_nb(buy[i], close[i] / (trade[i] * terms.enter) - 1.0, -1.0)
        buy[i, FACTOR], sell[i, FACTOR] = 1.0 / (trade[i] * terms.enter), got
        if width == MANY:
            _add_nb(sums, CLOSES, close[i])


@inner
def _spans_nb(close: Floats, spans: Floats) -> None:
    """Write the lowest and the highest (less than zero) of the 1, 2, 4 ... closes from each of a tile on."""
    count = close.size
    for i in range(count):
        spans[0, 2 * i], spans[0, 2 * i + 1] = close[i], -close[i]
    for level in range(1, LEVELS):
        half = 1 << level
        some = 2 * (count + 1) - 2 * half
        if some <= 0:
            break
        one, other, least = spans[level - 1, :some], spans[level - 1, half : half + some], spans[level, :some]
        for i in range(some):  # from zero, over slices: only so does the compiler know that it may take many at once
            least[i] = one[i] if one[i] < other[i] else other[i]


@inner
def _flips_nb(fast: Floats, slow: Floats, above: bool, where: Places) -> int:
    """Write at which bars of a tile it has changed whether the first line is above the second; give how many."""
    bars, found, one = fast.size, 0, np.uint64(1)
    prior = np.uint64(above)
    for start in range(0, bars - 63, 64):
        word = above_nb(fast, slow, start)
        flips = word ^ ((word << one) | prior)
        prior = word >> np.uint64(63)
        while flips:
            where[found] = start + lowest_nb(flips)
            flips &= flips - one
            found += 1
    for i in range(bars - bars % 64, bars):
        now = np.uint64(fast[i] > slow[i])
        where[found] = i
        found += np.int64(now ^ prior)
        prior = now
    return found


@inner
def _follow_nb(close: Floats, first: int, after: int, units: float, curve: Curve) -> Curve:
    """Follow the drawdown bar by bar, from one up to another that is not included."""
    peak, floor, worst = curve
    for k in range(first, after):
        now = units * close[k]
        if now > peak:
            worst = floor / peak - 1.0 if floor < peak * (1.0 + worst) else worst
            peak = floor = now
        else:
            floor = now if now < floor else floor
    return Curve(peak, floor, worst)


@inner
def _held_nb(close: Floats, spans: Floats, places: tuple[int, int, int], units: float, curve: Curve) -> Curve:
    """Follow the drawdown while so many units are held: where a tile starts, the first bar and that after the last."""
    start, first, after = places
    if first >= after:
        return curve
    level = level_nb(after - first)
    left, right = 2 * (first - start), 2 * (after - start - (1 << level))
    low, high = spans[level, left], spans[level, left + 1]
    low2, high2 = spans[level, right], spans[level, right + 1]
    low, high = low if low < low2 else low2, high if high < high2 else high2
    low, high = units * low, units * -high
    peak, floor, worst = curve
    if high <= peak:
        return Curve(peak, low if low < floor else floor, worst)
    worst = floor / peak - 1.0 if floor < peak * (1.0 + worst) else worst
    if low < high * (1.0 + worst):
        return _follow_nb(close, first, after, units, Curve(peak, floor, worst))
    return Curve(high, high, worst)


@inner
def _sold_nb(equity: float, curve: Curve) -> Curve:
    """Follow the drawdown over one bar."""
    peak, floor, worst = curve
    if equity <= peak:
        return Curve(peak, equity if equity < floor else floor, worst)
    worst = floor / peak - 1.0 if floor < peak * (1.0 + worst) else worst
    return Curve(equity, equity, worst)


@inner
def _sums_nb(state: Floats, bought: Floats, sold: Floats, many: int) -> None:
    """Add what returns, and their powers, a holding had."""
    a, b, c, d = sold[1] - bought[1], sold[2] - bought[2], sold[3] - bought[3], sold[4] - bought[4]
    a, b, c, d = a + state[1], b + state[2], c + state[3], d + state[4]
    state[1], state[2], state[3], state[4] = a, b, c, d
    if many:
        for k in range(FEW, CLOSES):
            state[k] += sold[k] - bought[k]


@inner
def _booked_nb(state: Floats, market: Market, terms: Terms, trip: tuple[int, int], money: tuple[float, float]) -> None:
    """Add what else is asked of a round trip; `money` is the cash before and after it."""
    first, at = trip
    cash, got = money
    bought, sold, trade = market.buy[first], market.sell[at], market.trade
    units, gain = cash * bought[FACTOR], got - cash
    closes = (sold[CLOSES] - bought[CLOSES]) + (sold[CLOSES + 1] - bought[CLOSES + 1])
    state[WORTH] += units * closes + cash * (first - state[FLAT])
    state[WINS] += 1.0 if gain > 0.0 else 0.0
    state[WON] += gain if gain > 0.0 else 0.0
    state[LOST] += gain if gain < 0.0 else 0.0
    state[EXPOSED] += at - first
    state[TRADED] += units * (trade[first] * terms.up + trade[at] * terms.down)
    state[FLAT] = at


@inner
def _apart_nb(fast: Floats, slow: Floats, i: int, stop: int) -> int:
    """Give the first bar from one on, at most `stop`, at which two lines do not touch."""
    while i < stop and fast[i] == slow[i]:
        i += 1
    return i


@inner
def _tile_nb(
    pair: tuple[Floats, Floats], market: Market, terms: Terms, state: Floats, span: tuple[int, int, int], room: Room
) -> None:
    """Go through the crosses of one pair in one tile; `span` is where it starts and stops, and where crosses count."""
    fast, slow = pair
    start, stop, begin = span
    where, late = room.where, terms.late
    found = _flips_nb(fast[start:stop], slow[start:stop], begin <= start and fast[start - 1] > slow[start - 1], where[1:])
    curve = Curve(state[PEAK], state[FLOOR], state[WORST])
    cash, since, trades = state[CASH], int(state[SINCE]), 0
    where[0], first = 0, 0 if state[TOUCH] > 0.0 else 1  # lines that touched as the tile before ended are looked at
    state[TOUCH] = 0.0
    for k in range(first, 1 + found):
        i = start + where[k]
        gap = fast[i] - slow[i]
        if since == NOTHING:
            if gap > 0.0 and i >= begin and cash > LEAST and i + late < terms.bars:
                since = i + late
            continue
        if gap == 0.0:  # below comes later, or never
            i = _apart_nb(fast, slow, i, stop)
            gap = fast[i] - slow[i] if i < stop else 0.0
            state[TOUCH] = 1.0 if i == stop else 0.0
        at = i + late
        if gap >= 0.0 or at >= terms.bars:
            continue
        units = cash * market.buy[since, FACTOR]
        got = units * market.sell[at, FACTOR]
        curve = _held_nb(market.close, room.spans, (start, max(since, start), at), units, curve)
        curve = _sold_nb(got, curve)
        _sums_nb(state, market.buy[since], market.sell[at], terms.many)
        if terms.many:
            _booked_nb(state, market, terms, (since, at), (cash, got))
        cash, since, trades = got, NOTHING, trades + 1
    if since != NOTHING and since < stop:
        units = cash * market.buy[since, FACTOR]
        curve = _held_nb(market.close, room.spans, (start, max(since, start), stop), units, curve)
    state[PEAK], state[FLOOR], state[WORST] = curve
    state[CASH], state[SINCE] = cash, since
    state[TRADES] += trades


@inner
def _finish_nb(state: Floats, market: Market, terms: Terms) -> None:
    """Count what is held at the end at its last close, or the time since the last sale."""
    since, cash, end, bars = int(state[SINCE]), state[CASH], market.end, terms.bars
    if since >= 0:
        bought = market.buy[since]
        units = cash * bought[FACTOR]
        _sums_nb(state, bought, end, terms.many)
        if terms.many:
            closes = (end[CLOSES] - bought[CLOSES]) + (end[CLOSES + 1] - bought[CLOSES + 1])
            state[WORTH] += units * closes + cash * (since - state[FLAT])
            state[EXPOSED] += bars - since - (1 - terms.late)
            state[TRADED] += units * market.trade[since] * terms.up
        state[CASH] = units * market.close[bars - 1]
    else:
        state[WORTH] += (bars - state[FLAT]) * cash
    if state[FLOOR] < state[PEAK] * (1.0 + state[WORST]):
        state[WORST] = state[FLOOR] / state[PEAK] - 1.0
    for k in range(SUM, MANY, 2):
        state[k] += state[k + 1]


@outer
def cross_nb(
    lines: Floats, pairs: Whole, first: Whole, market: Market, terms: Terms, states: Floats, room: Room
) -> None:
    """Trade pairs of lines over all bars.

    Parameters
    ----------
    lines : float64 array, shape (m, n)
        NaN only before a line begins.
    pairs : int64 array, shape (k, 2)
        Which line is to be above which.
    first : int64 array, shape (k,)
        The first bar on which a cross counts, at least the second on which both lines are known.
    market, terms : Market, Terms
    states : float64 array, shape (k, STATE)
        CASH, PEAK and FLOOR set, SINCE NOTHING; what the pairs have come to afterwards, rounding included in sums.
    room : Room
    """
    for start in range(0, terms.bars, TILE):
        stop = min(start + TILE, terms.bars)
        _spans_nb(market.close[start:stop], room.spans)
        for k in range(pairs.shape[0]):
            if first[k] < stop:
                pair = lines[pairs[k, 0]], lines[pairs[k, 1]]
                _tile_nb(pair, market, terms, states[k], (start, stop, first[k]), room)
    for k in range(pairs.shape[0]):
        _finish_nb(states[k], market, terms)
