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

from workbench.backtest.kernel_parts import inner, outer
from workbench.research.sweeping.kernel_bits import (
    above_nb,
    count_nb,
    gain_nb,
    level_nb,
    lowest_nb,
    put_nb,
    read_nb,
    take_nb,
)

__all__ = ["FEW", "MANY", "STATE", "Market", "Room", "Terms", "cross_nb", "ready_nb", "room"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Bits = NDArray[np.uint64]

TILE: Final = 1024  # bars; a power of two, and of 64 at least
LEVELS: Final = 11  # of spans of 1, 2, 4 ... TILE bars
CHUNK: Final = 512  # pairs that are compared before they are traded
AT_ONCE: Final = 4  # crosses of a word that are written without asking whether there are so many

FEW: Final = 8
"""Columns of `Market.buy` and `Market.sell` where only returns, their squares and the deepest fall are asked for."""
MANY: Final = 16
"""Columns where everything is."""
SUM, SQUARES, FACTOR, CUBES, FOURTHS, LOSSES, CLOSES = 0, 2, 4, 5, 7, 9, 11
# Each sum is two numbers, of which the second is what the first has lost in rounding: else one jump of the price would
# cost the holdings after it all digits of their higher powers (from a thousandfold on, it still costs some of them).

STATE: Final = 26
"""Numbers that are kept of a pair between two tiles: the sums as in a row of `Market.sell`, then these."""
CASH = 4  # in place of the factor
PEAK, FLOOR, WORST, WORTH, TRADES, WINS, WON, LOST, EXPOSED, TRADED, SINCE, FLAT, TOUCH = range(13, STATE)
# FLOOR is the lowest since the PEAK, WORST the deepest fall from any peak before; what is held, and the last sale
NOTHING: Final = -1
LEAST: Final = 1e-8  # what is spent: less money buys nothing (`trading.arithmetic.spendable`)


class Market(NamedTuple):
    """Prices, of shape (n,), and what `ready_nb` makes of them: rows of FEW or MANY columns, and one more, the end."""

    close: Floats
    trade: Floats
    buy: Floats
    sell: Floats
    end: Floats


class Terms(NamedTuple):
    """What trading costs: factors of a price.

    `up` and `down` are slippage alone, `enter` is what a unit costs at a price of one, `leave` what one sold at a price
    of one gives; `late` is 1 where a decision trades at the open of the next bar; `width` is FEW or MANY.
    """

    up: float
    down: float
    enter: float
    leave: float
    late: int
    bars: int
    width: int


class Room(NamedTuple):
    """Room to work in; see `room`."""

    words: Bits
    where: Whole
    spans: Floats


def room() -> Room:
    """Make room for one thread: words of a chunk in a tile, crosses, and the lowest and highest closes of spans."""
    words = np.empty(CHUNK * TILE // 64, dtype=np.uint64)
    return Room(words, np.empty(TILE + 64, dtype=np.int64), np.empty(LEVELS * 2 * TILE))


Sum = tuple[float, float]
Sums = tuple[Sum, Sum, Sum, Sum, Sum]


class Curve(NamedTuple):
    """How equity has moved: its highest, its lowest since, and the deepest fall from any high before this one."""

    peak: float
    floor: float
    worst: float


@inner
def _plus_nb(whole: Sum, value: float) -> Sum:
    """Add to a sum."""
    before, lost = whole
    total = before + value
    back = total - before
    return total, lost + ((before - (total - back)) + (value - back))


@inner
def _powers_nb(sums: Sums, change: float, sign: float, many: bool) -> Sums:
    """Add a return and its powers to sums, or take them away."""
    first, second, third, fourth, losses = sums
    square = change * change
    first, second = _plus_nb(first, sign * change), _plus_nb(second, sign * square)
    if many:
        third, fourth = _plus_nb(third, sign * square * change), _plus_nb(fourth, sign * square * square)
        losses = _plus_nb(losses, sign * square if change < 0.0 else 0.0)
    return first, second, third, fourth, losses


@inner
def _lay_nb(row: Floats, sums: Sums, factor: float, closes: Sum) -> None:
    """Write a row."""
    first, second, third, fourth, losses = sums
    row[SUM], row[SUM + 1], row[SQUARES], row[SQUARES + 1], row[FACTOR] = (
        first[0],
        first[1],
        second[0],
        second[1],
        factor,
    )
    if row.size == MANY:
        row[CUBES], row[CUBES + 1], row[FOURTHS], row[FOURTHS + 1] = third[0], third[1], fourth[0], fourth[1]
        row[LOSSES], row[LOSSES + 1], row[CLOSES], row[CLOSES + 1] = losses[0], losses[1], closes[0], closes[1]


@outer
def ready_nb(market: Market, terms: Terms) -> None:
    """Work out what a purchase and a sale at each bar mean, so that a trade is the difference of two rows.

    A row of `sell` has sums of returns, of their squares, cubes and fourth powers, of squared losses and of closes, up
    to the bar, and over its own return if that ends with a sale, and what a unit gives. A row of `buy` has the sums up
    to the bar and over it, less its own return if that begins with a purchase, and the units that one of money buys.
    """
    close, trade, width = market.close, market.trade, terms.width
    many, nothing = width == MANY, (0.0, 0.0)
    sums, closes = (nothing, nothing, nothing, nothing, nothing), nothing
    before = close[0]
    for i in range(close.size):
        got, paid, now, row = (
            trade[i] * terms.leave,
            trade[i] * terms.enter,
            close[i],
            slice(i * width, (i + 1) * width),
        )
        _lay_nb(market.sell[row], _powers_nb(sums, got / before - 1.0, 1.0, many), got, closes)
        sums = _powers_nb(sums, now / before - 1.0, 1.0, many)
        _lay_nb(market.buy[row], _powers_nb(sums, now / paid - 1.0, -1.0, many), 1.0 / paid, closes)
        if many:
            closes = _plus_nb(closes, now)
        before = now
    _lay_nb(market.end, sums, 0.0, closes)


@inner
def _spans_nb(close: Floats, spans: Floats) -> None:
    """Write the lowest and the highest (less than zero) of the 1, 2, 4 ... closes from each of a tile on."""
    count = close.size
    for i in range(count):
        spans[2 * i], spans[2 * i + 1] = close[i], -close[i]
    for level in range(1, LEVELS):
        half, below, here = 1 << level, 2 * TILE * (level - 1), 2 * TILE * level
        some = 2 * (count + 1 - half)
        if some <= 0:
            break
        one, other, least = spans[below : below + some], spans[below + half : below + half + some], spans[here:]
        for i in range(some):  # from zero, over slices: only so does the compiler know that it may take many at once
            least[i] = one[i] if one[i] < other[i] else other[i]


@inner
def _word_nb(fast: int, slow: int, first: int, stop: int) -> int:
    """Give a word as `above_nb` does, of bars that end before it does; those after the end are as the last."""
    word, bit, above = np.uint64(0), np.uint64(1), False
    for i in range(first, stop):
        above = read_nb(fast, i) > read_nb(slow, i)
        word |= bit if above else np.uint64(0)
        bit <<= np.uint64(1)
    return word | (~(bit - np.uint64(1)) if above else np.uint64(0))  # type: ignore[return-value]


@inner
def _words_nb(lines: Whole, pairs: Whole, start: int, stop: int, words: Bits) -> None:
    """Write a bit a bar of a tile, whether the first line of a pair is above the other; 64 bars of all come first."""
    count = pairs.shape[0]
    for first in range(start, stop, 64):
        at = (first - start) // 64 * count
        if first + 64 <= stop:
            for k in range(count):
                put_nb(words, at + k, above_nb(lines[pairs[k, 0]], lines[pairs[k, 1]], first))
        else:
            for k in range(count):
                words[at + k] = _word_nb(lines[pairs[k, 0]], lines[pairs[k, 1]], first, stop)


@inner
def _flips_nb(words: Bits, places: tuple[int, int, int], above: bool, where: Whole) -> int:
    """Write at which bars of a tile a bit has changed, from the second place on; give how many.

    `places` are where the first word of a pair is, how many there are for each, and how many of it.
    """
    at, step, count = places
    found, one, prior = 1, np.uint64(1), np.uint64(above)
    for w in range(count):
        word = take_nb(words, at)
        at += step
        flips = word ^ ((word << one) | prior)
        prior = word >> np.uint64(63)
        many = count_nb(flips)
        for b in range(AT_ONCE):  # without a branch: a place that is not one is written over
            put_nb(where, found + b, 64 * w + lowest_nb(flips))
            flips &= flips - one
        for b in range(AT_ONCE, many):
            put_nb(where, found + b, 64 * w + lowest_nb(flips))
            flips &= flips - one
        found += many
    return found - 1


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
    left, right = 2 * (TILE * level + first - start), 2 * (TILE * level + after - start - (1 << level))
    low, high, low2, high2 = (
        take_nb(spans, left),
        take_nb(spans, left + 1),
        take_nb(spans, right),
        take_nb(spans, right + 1),
    )
    low, high = units * (low if low < low2 else low2), -units * (high if high < high2 else high2)
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
def _booked_nb(state: Floats, market: Market, terms: Terms, trip: tuple[int, int], money: tuple[float, float]) -> None:
    """Add what else is asked of a holding that has ended; `money` is the cash before and after it."""
    first, at = trip
    cash, got = money
    bought, sold, trade = market.buy[first * MANY :], market.sell[at * MANY :], market.trade
    units, gain = cash * bought[FACTOR], got - cash
    for k in range(CUBES, CLOSES):
        state[k] += sold[k] - bought[k]
    closes = (sold[CLOSES] - bought[CLOSES]) + (sold[CLOSES + 1] - bought[CLOSES + 1])
    state[WORTH] += units * closes + cash * (first - state[FLAT])
    state[WINS] += 1.0 if gain > 0.0 else 0.0
    state[WON] += gain if gain > 0.0 else 0.0
    state[LOST] += gain if gain < 0.0 else 0.0
    state[EXPOSED] += at - first
    state[TRADED] += units * (trade[first] * terms.up + trade[at] * terms.down)
    state[FLAT] = at


@inner
def _apart_nb(fast: int, slow: int, i: int, stop: int) -> int:
    """Give the first bar from one on, at most `stop`, at which two lines do not touch."""
    while i < stop and read_nb(fast, i) == read_nb(slow, i):
        i += 1
    return i


@inner
def _tile_nb(
    pair: tuple[int, int], market: Market, terms: Terms, state: Floats, span: tuple[int, int, int],
    places: tuple[int, int, int], room: Room,
) -> None:  # fmt: skip
    """Go through the crosses of one pair in one tile; `span` is where it starts and stops, and where crosses count."""
    fast, slow = pair
    start, stop, begin = span
    where, late, width, buy, sell = room.where, terms.late, terms.width, market.buy, market.sell
    above = begin <= start and read_nb(fast, start - 1) > read_nb(slow, start - 1)
    first, last = 1, _flips_nb(room.words, places, above, where)
    if state[TOUCH] > 0.0:  # lines that touched as the tile before ended
        first, where[0], state[TOUCH], above = 0, 0, 0.0, True
    curve = Curve(state[PEAK], state[FLOOR], state[WORST])
    cash, since, trades = state[CASH], int(state[SINCE]), 0
    for k in range(first, 1 + last):
        i, above = start + take_nb(where, k), not above
        if above:
            if since == NOTHING and i >= begin and cash > LEAST and i + late < terms.bars:
                since = i + late
            continue
        if since == NOTHING:
            continue
        if read_nb(fast, i) == read_nb(slow, i):  # below comes later, or never
            i = _apart_nb(fast, slow, i, stop)
            state[TOUCH] = 1.0 if i == stop else 0.0
            if i == stop or read_nb(fast, i) > read_nb(slow, i):
                continue
        at = i + late
        if at < terms.bars:
            units = cash * take_nb(buy, since * width + FACTOR)
            got = units * take_nb(sell, at * width + FACTOR)
            curve = _held_nb(market.close, room.spans, (start, max(since, start), at), units, curve)
            curve = _sold_nb(got, curve)
            gain_nb(state, sell, at * width, buy, since * width)
            if width == MANY:
                _booked_nb(state, market, terms, (since, at), (cash, got))
            cash, since, trades = got, NOTHING, trades + 1
    if since != NOTHING:
        units = cash * buy[since * width + FACTOR]
        curve = _held_nb(market.close, room.spans, (start, max(since, start), stop), units, curve)
    state[PEAK], state[FLOOR], state[WORST] = curve
    state[CASH], state[SINCE] = cash, since
    state[TRADES] += trades


@inner
def _finish_nb(state: Floats, market: Market, terms: Terms) -> None:
    """Count what is held at the end at its last close, or the time since the last sale."""
    since, cash, end, bars = int(state[SINCE]), state[CASH], market.end, terms.bars
    if since != NOTHING:
        bought = market.buy[since * terms.width :]
        units = cash * bought[FACTOR]
        for k in range(FACTOR):
            state[k] += end[k] - bought[k]
        if terms.width == MANY:
            for k in range(CUBES, CLOSES):
                state[k] += end[k] - bought[k]
            closes = (end[CLOSES] - bought[CLOSES]) + (end[CLOSES + 1] - bought[CLOSES + 1])
            state[WORTH] += units * closes + cash * (since - state[FLAT])
            state[EXPOSED] += bars - since - (1 - terms.late)
            state[TRADED] += units * market.trade[since] * terms.up
        state[CASH] = units * market.close[bars - 1]
    else:
        state[WORTH] += (bars - state[FLAT]) * cash
    if state[FLOOR] < state[PEAK] * (1.0 + state[WORST]):
        state[WORST] = state[FLOOR] / state[PEAK] - 1.0
    for k in (SUM, SQUARES, CUBES, FOURTHS, LOSSES):
        state[k] += state[k + 1]


@outer
def cross_nb(
    lines: Whole, pairs: Whole, first: Whole, market: Market, terms: Terms, states: Floats, room: Room
) -> None:
    """Trade pairs of lines over all bars.

    Parameters
    ----------
    lines : int64 array, shape (m,)
        The address of the first of `terms.bars` numbers of each line, which are NaN only before a line begins.
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
        for chunk in range(0, pairs.shape[0], CHUNK):
            some = pairs[chunk : chunk + CHUNK]
            _words_nb(lines, some, start, stop, room.words)
            for k in range(some.shape[0]):
                begin = first[chunk + k]
                if begin < stop:
                    pair = lines[some[k, 0]], lines[some[k, 1]]
                    places = k, some.shape[0], (stop - start + 63) // 64
                    _tile_nb(pair, market, terms, states[chunk + k], (start, stop, begin), places, room)
    for k in range(pairs.shape[0]):
        _finish_nb(states[k], market, terms)
