"""Many crosses of two lines at once: events first, money from prefix sums.

For a strategy that puts everything into one instrument while one line is above another, and pays a fraction a trade,
nothing happens between two crosses but that equity follows the close. So the sums of returns, of their powers and of
the closes while a position is held are differences of prefix sums, and a drawdown needs a look at single bars only
where the lowest and the highest close of a holding say that it could be the deepest. Crosses are found eight bars at a
time: a byte a bar says whether the first line is above the second, and a word of eight bytes that is like the one a bar
before has none. Bars go by in tiles that stay in the cache while all pairs pass over them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import kernel
from workbench.backtest.kernel_parts import inner, outer

__all__ = ["STATE", "TILE", "Market", "Room", "Terms", "cross_nb", "prefix_nb"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

TILE: Final = 2048  # bars; a multiple of 8
STATE: Final = 19
"""Numbers that are kept of a pair between two tiles."""
CASH, PEAK, WORST, S1, S2, S3, S4, BELOW, WORTH, TRADES, WINS, WON, LOST, EXPOSED, TRADED = range(15)
SINCE, FLAT, EDGE, TOUCH = range(15, STATE)  # of what is held, of the last sale, and how the tile before ended
NOTHING: Final = -1.0
LEAST: Final = 1e-8  # what is spent: less money buys nothing (`trading.arithmetic.spendable`)
BLOCK: Final = 32


class Market(NamedTuple):
    """Prices, of shape (n,), `sums` (n + 1, 6) as `prefix_nb` writes them, `low` and `high` closes of blocks."""

    close: Floats
    trade: Floats
    sums: Floats
    low: Floats
    high: Floats


class Terms(NamedTuple):
    """What trading costs: factors of a price.

    `up` and `down` are slippage alone, `enter` is units bought with one unit of money at a price of one, `leave` what
    one unit sold at a price of one gives; `late` is 1 where a decision trades at the open of the next bar.
    """

    up: float
    down: float
    enter: float
    leave: float
    late: int
    bars: int


class Room(NamedTuple):
    """Room to work in: the same TILE bytes as words and as bytes, and TILE + 8 numbers."""

    words: NDArray[np.uint64]
    marks: NDArray[np.uint8]
    where: NDArray[np.int32]


@kernel
def prefix_nb(close: Floats, sums: Floats, low: Floats, high: Floats) -> None:
    """Write the sums, before each bar, of returns, their squares, cubes and fourth powers, squared losses, closes."""
    sums[0, :] = 0.0
    for i in range(close.size):
        change = close[i] / close[i - 1] - 1.0 if i else 0.0
        square = change * change
        sums[i + 1, 0] = sums[i, 0] + change
        sums[i + 1, 1] = sums[i, 1] + square
        sums[i + 1, 2] = sums[i, 2] + square * change
        sums[i + 1, 3] = sums[i, 3] + square * square
        sums[i + 1, 4] = sums[i, 4] + (square if change < 0.0 else 0.0)
        sums[i + 1, 5] = sums[i, 5] + close[i]
        block = i // BLOCK
        if i % BLOCK == 0:
            low[block] = high[block] = close[i]
        else:
            low[block] = min(low[block], close[i])
            high[block] = max(high[block], close[i])


@inner
def _extremes_nb(market: Market, first: int, last: int) -> tuple[float, float]:
    """Give the lowest and the highest close from one bar up to another (included)."""
    close = market.close
    low = high = close[first]
    low2, high2, i = low, high, first + 1
    if last - first > 2 * BLOCK:
        while i % BLOCK:
            low, high = min(low, close[i]), max(high, close[i])
            i += 1
        while i + BLOCK <= last:
            low, high = min(low, market.low[i // BLOCK]), max(high, market.high[i // BLOCK])
            i += BLOCK
    while i < last:  # two chains, so that one need not wait for the other
        a, b = close[i], close[i + 1]
        low = a if a < low else low
        high = a if a > high else high
        low2 = b if b < low2 else low2
        high2 = b if b > high2 else high2
        i += 2
    if i == last:
        low, high = min(low, close[i]), max(high, close[i])
    return min(low, low2), max(high, high2)


@inner
def _fall_nb(close: Floats, first: int, last: int, units: float, high: tuple[float, float]) -> tuple[float, float]:
    """Follow the drawdown bar by bar; `high` is the highest equity before and the deepest fall so far, given anew."""
    peak, worst = high
    for k in range(first, last + 1):
        now = units * close[k]
        peak = now if now > peak else peak
        if now < peak * (1.0 + worst):
            worst = now / peak - 1.0
    return peak, worst


@inner
def _held_nb(state: Floats, market: Market, terms: Terms, first: int, after: int) -> float:
    """Add what a holding did from its first bar up to but not including another; give the units held."""
    close, sums, cash = market.close, market.sums, state[CASH]
    units = cash * terms.enter / market.trade[first]
    start = (units * close[first] - cash) / cash
    square = start * start
    state[S1] += sums[after, 0] - sums[first + 1, 0] + start
    state[S2] += sums[after, 1] - sums[first + 1, 1] + square
    state[S3] += sums[after, 2] - sums[first + 1, 2] + square * start
    state[S4] += sums[after, 3] - sums[first + 1, 3] + square * square
    state[BELOW] += sums[after, 4] - sums[first + 1, 4] + (square if start < 0.0 else 0.0)
    state[WORTH] += units * (sums[after, 5] - sums[first, 5]) + (first - state[FLAT]) * cash
    low, high = _extremes_nb(market, first, after - 1)
    low, high, peak, worst = units * low, units * high, state[PEAK], state[WORST]
    if high <= peak:
        if low < peak * (1.0 + worst):
            state[WORST] = low / peak - 1.0
    elif low < high * (1.0 + worst):
        state[PEAK], state[WORST] = _fall_nb(close, first, after - 1, units, (peak, worst))
    else:
        state[PEAK] = high
    return float(units)


@inner
def _trade_nb(state: Floats, market: Market, terms: Terms, first: int, at: int) -> None:
    """Book a round trip: bought on one bar with all there is, sold on another."""
    cash, price, before = state[CASH], market.trade[at], market.close[at - 1]
    units = _held_nb(state, market, terms, first, at)
    got = units * price * terms.leave
    last = (got - units * before) / (units * before)
    square, gain = last * last, got - cash
    state[S1] += last
    state[S2] += square
    state[S3] += square * last
    state[S4] += square * square
    state[BELOW] += square if last < 0.0 else 0.0
    peak = state[PEAK]
    if got > peak:
        state[PEAK] = got
    elif got < peak * (1.0 + state[WORST]):
        state[WORST] = got / peak - 1.0
    state[TRADES] += 1.0
    state[WINS] += 1.0 if gain > 0.0 else 0.0
    state[WON] += gain if gain > 0.0 else 0.0
    state[LOST] += gain if gain < 0.0 else 0.0
    state[EXPOSED] += at - first
    state[TRADED] += units * (market.trade[first] * terms.up + price * terms.down)
    state[CASH], state[FLAT] = got, at


@inner
def _act_nb(state: Floats, market: Market, terms: Terms, decided: int, gap: float) -> None:
    """Buy or sell as decided on a bar at which the lines have changed places, or touch."""
    at = decided + terms.late
    if state[SINCE] == NOTHING:
        if gap > 0.0 and at < terms.bars and state[CASH] > LEAST:
            state[SINCE] = at
    elif gap < 0.0 and at < terms.bars:
        _trade_nb(state, market, terms, int(state[SINCE]), at)
        state[SINCE] = NOTHING


@inner
def _apart_nb(fast: Floats, slow: Floats, i: int, stop: int) -> int:
    """Give the first bar from one on, at most `stop`, at which two lines do not touch."""
    while i < stop and fast[i] == slow[i]:
        i += 1
    return i


@inner
def _compare_nb(fast: Floats, slow: Floats, marks: NDArray[np.uint8], start: int, stop: int) -> None:
    """Write a byte a bar of a tile: whether the first line is above the second; the last fills up its word."""
    upper, lower, here = fast[start:stop], slow[start:stop], marks[: stop - start]
    for i in range(upper.size):  # from zero, over slices: only so does the compiler know that it may take many at once
        here[i] = upper[i] > lower[i]
    for i in range(stop - start, 8 * ((stop - start + 7) // 8)):
        marks[i] = marks[stop - start - 1]


@inner
def _flips_nb(words: NDArray[np.uint64], edge: int, count: int, where: NDArray[np.int32]) -> int:
    """Write at which bytes of a tile a comparison has changed; give how many."""
    prior, found, shift, last = np.uint64(edge), 0, np.uint64(56), np.uint64(1)
    for w in range(count):
        word = words[w]
        flips = word ^ ((word << np.uint64(8)) | prior)
        prior = word >> shift
        if flips:
            for b in range(8):  # without a branch: a place that is not kept is written over
                where[found] = 8 * w + b
                found += int((flips >> np.uint64(8 * b)) & last)
    return found


@inner
def _tile_nb(
    pair: tuple[Floats, Floats], market: Market, terms: Terms, state: Floats, span: tuple[int, int, int],
    flips: NDArray[np.int32],
) -> None:  # fmt: skip
    """Go through the crosses of one pair in one tile; `span` is where it starts and stops, and where crosses count."""
    fast, slow = pair
    start, stop, begin = span
    if state[TOUCH] > 0.0:
        apart = _apart_nb(fast, slow, start, stop)
        state[TOUCH] = 1.0 if apart == stop else 0.0
        if apart < stop and fast[apart] < slow[apart]:
            _act_nb(state, market, terms, apart, -1.0)
    for flip in flips:
        i = start + flip
        if i >= begin:
            gap = fast[i] - slow[i]
            if gap == 0.0 and state[SINCE] != NOTHING:  # below comes later, or never
                i = _apart_nb(fast, slow, i, stop)
                state[TOUCH] = 1.0 if i == stop else 0.0
                gap = fast[i] - slow[i] if i < stop else 0.0
                gap = min(gap, 0.0)
            _act_nb(state, market, terms, i, gap)


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
        CASH and PEAK set, SINCE NOTHING; what the pairs have come to afterwards.
    room : Room
    """
    for start in range(0, terms.bars, TILE):
        stop = min(start + TILE, terms.bars)
        for k in range(pairs.shape[0]):
            begin = first[k]
            if begin >= stop:
                continue
            state, fast, slow = states[k], lines[pairs[k, 0]], lines[pairs[k, 1]]
            if begin >= start:  # the tile in which crosses begin to count
                state[EDGE] = fast[begin - 1] > slow[begin - 1]
            _compare_nb(fast, slow, room.marks, start, stop)
            found = _flips_nb(room.words, int(state[EDGE]), (stop - start + 7) // 8, room.where)
            _tile_nb((fast, slow), market, terms, state, (start, stop, begin), room.where[:found])
            state[EDGE] = room.marks[stop - start - 1]
    for k in range(pairs.shape[0]):
        state = states[k]
        since = int(state[SINCE])
        if since >= 0:
            units = _held_nb(state, market, terms, since, terms.bars)
            state[EXPOSED] += terms.bars - since - (1 - terms.late)
            state[TRADED] += units * market.trade[since] * terms.up
            state[CASH] = units * market.close[terms.bars - 1]
        else:
            state[WORTH] += (terms.bars - state[FLAT]) * state[CASH]
