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
from workbench.research.sweeping.kernel_bits import above_nb, count_nb, lowest_nb

__all__ = ["FEW", "LEVELS", "MANY", "STATE", "TILE", "Market", "Room", "Terms", "cross_nb", "ready_nb"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Places = NDArray[np.int32]
Bits = NDArray[np.uint64]

TILE: Final = 2048  # bars; a power of two
LEVELS: Final = 12  # of spans of 1, 2, 4 ... TILE bars
FEW: Final = 5
"""Columns of `Market.buy` and `Market.sell` where only returns, their squares and the deepest fall are asked for."""
MANY: Final = 13
"""Columns where everything is."""
FACTOR, SUM, SQUARES, CUBES, FOURTHS, LOSSES, CLOSES = 0, 1, 3, 5, 7, 9, 11
# each sum is two numbers, of which the second is what the first has lost in rounding

STATE: Final = 22
"""Numbers that are kept of a pair between two tiles."""
CASH, PEAK, WORST, S1, S2, S3, S4, BELOW, WORTH, TRADES, WINS, WON, LOST, EXPOSED, TRADED = range(15)
SINCE, FLAT, EDGE, TOUCH, FLOOR, LOW, HIGH = range(15, STATE)
# of what is held, of the last sale, how the tile before ended, and extremes since the peak and since the entry
NOTHING: Final = -1
LEAST: Final = 1e-8  # what is spent: less money buys nothing (`trading.arithmetic.spendable`)
AT_ONCE: Final = 4  # crosses of a word that are written without asking whether there are so many


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
    """Room to work in: TILE / 64 words, TILE + 8 places, and the lowest and highest closes of spans, (LEVELS, TILE)."""

    words: Bits
    where: Places
    low: Floats
    high: Floats


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
    close, trade, buy, sell, sums = market.close, market.trade, market.buy, market.sell, market.end
    width = buy.shape[1]
    sums[:] = 0.0
    for i in range(close.size):
        got = trade[i] * terms.leave
        sell[i, :] = sums[:width]
        sell[i, FACTOR] = got
        if i:
            _powers_nb(sell[i], got / close[i - 1] - 1.0, 1.0)
            _powers_nb(sums[:width], close[i] / close[i - 1] - 1.0, 1.0)
        buy[i, :] = sums[:width]
        buy[i, FACTOR] = 1.0 / (trade[i] * terms.enter)
        _powers_nb(buy[i], close[i] / (trade[i] * terms.enter) - 1.0, -1.0)
        _add_nb(sums, CLOSES, close[i])


@inner
def _spans_nb(close: Floats, low: Floats, high: Floats) -> None:
    """Write the lowest and highest of the 1, 2, 4 ... closes from each of a tile on."""
    count = close.size
    low[0, :count] = close
    high[0, :count] = close
    for level in range(1, LEVELS):
        half = 1 << (level - 1)
        some = count + 1 - 2 * half
        if some <= 0:
            break
        one, other, least = low[level - 1, :some], low[level - 1, half : half + some], low[level, :some]
        for i in range(some):  # from zero, over slices: only so does the compiler know that it may take many at once
            least[i] = one[i] if one[i] < other[i] else other[i]
        one, other, most = high[level - 1, :some], high[level - 1, half : half + some], high[level, :some]
        for i in range(some):
            most[i] = one[i] if one[i] > other[i] else other[i]


@inner
def _level_nb(count: int) -> int:
    """Give the largest power of two that is at most a count, as its exponent."""
    level = 0
    while count >> (level + 1):
        level += 1
    return level


@inner
def _words_nb(fast: Floats, slow: Floats, words: Bits, start: int, stop: int) -> int:
    """Write a bit a bar of a tile: whether the first line is above the second; give how many words that takes."""
    whole = (stop - start) // 64
    for w in range(whole):
        words[w] = above_nb(fast, slow, start + 64 * w)
    if start + 64 * whole == stop:
        return whole
    word, bit = np.uint64(0), np.uint64(1)
    for i in range(start + 64 * whole, stop):
        word |= bit if fast[i] > slow[i] else np.uint64(0)
        bit <<= np.uint64(1)
    if fast[stop - 1] > slow[stop - 1]:
        word |= ~(bit - np.uint64(1))  # what is after the end is as the last bar
    words[whole] = word
    return whole + 1


@inner
def _flips_nb(words: Bits, count: int, above: bool, where: Places) -> int:
    """Write at which bars of a tile a comparison has changed; give how many."""
    prior, found, one = np.uint64(above), 0, np.uint64(1)
    for w in range(count):
        word = words[w]
        flips = word ^ ((word << one) | prior)
        prior = word >> np.uint64(63)
        many = np.int64(count_nb(flips))
        for b in range(AT_ONCE):  # without a branch: a place that is not one is written over
            where[found + b] = 64 * w + lowest_nb(flips)
            flips &= flips - one
        for b in range(AT_ONCE, many):
            where[found + b] = 64 * w + lowest_nb(flips)
            flips &= flips - one
        found += many
    return found
