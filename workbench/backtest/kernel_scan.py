"""The quiet scan: pass over the bars of one instrument in which nothing can happen, as fast as memory gives them.

What makes a bar worth a look is boiled down to a few numbers before the scan (`kernel_inside.watch_nb`): words that
matter, two prices, the trailing stop, and the first bar in which a settlement, a rung or the time limit falls due.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.kernel_parts import (
    inner,
)
from workbench.backtest.kernel_state import (
    CLOSES,
    ENTRY,
    EXIT,
    NOTHING,
    SHORT_ENTRY,
    SHORT_EXIT,
    Account,
    Given,
    One,
    number_nb,
    side_of_nb,
)

__all__ = ["find_word_nb", "quiet_nb", "row_at_nb"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
FAR = 256  # rows that the custom stop is looked at ahead
Said = NDArray[np.uint8]


@inner
def row_at_nb(ts: Whole, row: int, last: int, when: int) -> int:
    """Give the first row from `row` on, at most `last`, that opens at a time or later."""
    step, low = 1, row
    while low + step < last and ts[low + step] < when:
        low += step
        step *= 2
    high = min(low + step, last)
    while low < high:
        middle = (low + high) // 2
        if ts[middle] < when:
            low = middle + 1
        else:
            high = middle
    return low


@inner
def find_word_nb(said: Said, row: int, last: int, mask: int) -> int:
    """Give the first row from `row` on that says one of some words; `last` if none does."""
    for i in range(row, last):
        if said[i] & mask:
            return i
    return last


@inner
def due_nb(account: Account, one: One, given: Given) -> int:
    """Give the first row in which the clock has something to do with the position; the end of the data if none."""
    market, words, settlements = given.market, given.words, given.settlements
    due = one.last
    if one.next_rung < market.ts[due - 1] + 1:
        due = min(due, row_at_nb(market.ts, one.row, due, one.next_rung))
    if one.funding < one.last_funding:
        when = settlements.ts[one.funding]
        row = row_at_nb(market.ts, one.row, due, when)
        # one that falls inside a bar belongs to that bar, one in a hole to the bar after it
        if row > one.row and when < market.ts[row - 1] + market.span[row - 1 if market.span.size > 1 else 0]:
            row -= 1
        due = min(due, row)
    if account.max_bars > 0:
        word = one.opened + account.max_bars - (0 if account.at_close else 1)
        if words.ends.size == 0:
            due = min(due, max(word, one.row))
        elif word < words.ends.size:
            due = min(due, max(words.ends[word], one.row))
    return due


@inner
def held_quiet_nb(one: One, worst: Floats, finest: Floats, said: Said, due: int, at_once: bool) -> int:
    """Pass over bars while a position is held; its `best` price follows, and its trailing stop `at_once` if that moves.

    Otherwise the trailing stop is that of the bars before.
    """
    side = side_of_nb(one.quantity)
    stop, target, trail, start = one.near_stop, one.near_target, one.near_trail, one.near_start
    mask = EXIT | SHORT_ENTRY if side > 0.0 else SHORT_EXIT | ENTRY
    best, found = side * one.best, due
    for i in range(one.row, due):
        against, ahead = side * worst[i], side * finest[i]
        after = ahead if ahead > best else best
        known = after if at_once else best
        if against <= stop or ahead >= target or said[i] & mask or (known >= start and against <= known * trail):
            found = i
            break
        best = after
    one.best = side * best
    return found


@inner
def moved_stop_nb(one: One, said: Said, stops: Floats, row: int, due: int) -> int:
    """Give the first row whose close moves the custom stop; `due` if none before it does."""
    side, word = side_of_nb(one.quantity), one.word
    for i in range(row, due):
        if said[i] & CLOSES:
            wanted = number_nb(stops, one.custom_from, one.custom_step, word)
            if wanted == wanted and not side * (wanted - one.custom) <= 0.0:
                return i
            word += 1
    return due


@inner
def quiet_nb(account: Account, one: One, given: Given) -> int:
    """Give the next row that is worth a look, for the only instrument of a run."""
    market, words = given.market, given.words
    if one.want != NOTHING:
        return one.row
    if one.quantity == 0.0:
        return find_word_nb(words.said, one.row, one.last, ENTRY | SHORT_ENTRY)
    due = due_nb(account, one, given)
    if one.custom_step:
        if one.moves <= one.row:
            far = min(one.row + FAR, one.last)
            one.moves = moved_stop_nb(one, words.said, given.asked.stop_price, one.row, far)
        due = min(due, one.moves)
    if one.quantity > 0.0:
        return held_quiet_nb(one, market.low, market.high, words.said, due, account.path_inside != 0)
    return held_quiet_nb(one, market.high, market.low, words.said, due, account.path_inside != 0)
