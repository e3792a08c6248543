"""The compiled path: one pass over time, a moment after another, with quiet stretches passed over.

The loop only orders the steps; what each does to prices and money is `trading.arithmetic`, `trading.margin` and
`trading.exits`, compiled in. `backtest.compiled` lays a plan out for it.

kernel_state  what the steps work on          kernel_inside  stops, targets and liquidation inside a bar
kernel_books  money, fills and settlements    kernel_words   what a word asks for
kernel_orders leaving, sizing and entering    kernel_step    the steps, over all instruments
kernel_scan   passing over quiet bars         kernel_parts   how all of it is compiled
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import kernel
from workbench.backtest.kernel_books import skip_nb
from workbench.backtest.kernel_parts import (
    inner,
    outer,
)
from workbench.backtest.kernel_scan import quiet_nb
from workbench.backtest.kernel_state import (
    LEAVE,
    NEVER,
    NOTHING,
    Account,
    Given,
    Log,
    One,
)
from workbench.backtest.kernel_step import (
    carry_out_nb,
    end_step_nb,
    find_busy_nb,
    find_closing_nb,
    fund_added_nb,
    hear_nb,
    inside_all_nb,
    is_called_nb,
    margin_call_nb,
    mark_closes_nb,
    next_time_nb,
    note_trips_nb,
    open_all_nb,
)
from workbench.trading.guards import Guarding, GuardState

__all__ = ["FILLS_A_STEP", "pack_nb", "run_nb", "union_nb"]

Book = Any
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

FILLS_A_STEP = 8  # more than one instrument can have in one step
END_OF_DATA = 2


@kernel
def pack_nb(entry: Flags, leave: Flags, short_entry: Flags, short_leave: Flags, packed: NDArray[np.uint8]) -> None:
    """Put the four flags of each strategy bar into one byte, along with the flag that it closes."""
    for i in range(entry.size):
        packed[i] = np.uint8(16) | entry[i] | leave[i] << 1 | short_entry[i] << 2 | short_leave[i] << 3


@kernel
def union_nb(ts: Whole, first: Whole, out: Whole) -> int:
    """Merge the times of several instruments, each increasing between `first[k]` and `first[k + 1]`; give how many."""
    at, count = first[:-1].copy(), 0
    while True:
        soonest = NEVER
        for k in range(at.size):
            if at[k] < first[k + 1]:
                soonest = min(soonest, ts[at[k]])
        if soonest == NEVER:
            return count
        for k in range(at.size):
            if at[k] < first[k + 1] and ts[at[k]] == soonest:
                at[k] += 1
        out[count] = soonest
        count += 1


@inner
def pass_quiet_nb(account: Account, one: One, given: Given, log: Log) -> None:
    """Go on to the next bar that is worth a look, and write the equity of those passed over."""
    row, words = quiet_nb(account, one, given), given.words
    equity, closes, cash, quantity = log.equity, given.market.close, account.cash, one.quantity
    if words.ends.size == 0:
        if quantity == 0.0:
            equity[one.row : row] = cash
        else:
            for i in range(one.row, row):
                equity[i] = cash + quantity * closes[i]
        one.word = row
    else:
        while one.word < words.ends.size and words.ends[one.word] < row:
            end = words.ends[one.word]
            equity[one.word] = cash + quantity * closes[end] if quantity != 0.0 else cash
            one.word += 1
    one.row = row


@inner
def finish_nb(book: Book, account: Account, log: Log) -> None:
    """Write down the entries that the end of the data leaves without a price."""
    account.over = 1
    for k in range(book.size):
        one = book[k]
        if account.at_close == 0 and one.want != NOTHING and one.want != LEAVE and np.isnan(one.left):
            skip_nb(account, one, log.skipped, np.nan, END_OF_DATA)


@outer
def run_nb(
    book: Book, account: Account, given: Given, log: Log, guards: GuardState, guarding: Guarding, lists: Whole
) -> None:
    """Run on from where the state stands, to the end of the data or until the table of fills is full.

    Parameters
    ----------
    book : structured array of LINE, shape (instruments,)
    account : record of ACCOUNT
        `over` is 1 when the data are through; else give more room and call again.
    given : Given
    log : Log
    guards, guarding : state and terms of the protections
    lists : int64 array, shape (2, instruments)
        Room to write in.
    """
    everyone, busy_ones, tiers = lists[0], lists[1], given.tiers
    while account.fills + FILLS_A_STEP * book.size <= log.fills.shape[0]:
        if book.size == 1:
            pass_quiet_nb(account, book[0], given, log)
        ts, count = next_time_nb(book, given.market.ts, everyone)
        if ts == NEVER:
            finish_nb(book, account, log)
            return
        present = everyone[:count]
        busy = busy_ones[: find_busy_nb(book, present, busy_ones)]
        if busy.size:
            open_all_nb(book, account, busy, given, log.funding)
            carry_out_nb(book, account, busy, True, given, log)
            note_trips_nb(book, account, guards, guarding)
            if account.at_close == 0:
                fund_added_nb(book, account, busy, given, log.funding)
            inside_all_nb(book, account, busy, given, log)
            mark_closes_nb(book, account, busy, given.market.close, tiers)
            if is_called_nb(book, account, busy):
                margin_call_nb(book, account, busy, given.market, tiers, log.fills)
            note_trips_nb(book, account, guards, guarding)
        hear_nb(book, account, present, given, guards, log.skipped)
        if account.at_close:
            closing = busy_ones[: find_closing_nb(book, present, given, busy_ones)]
            carry_out_nb(book, account, closing, False, given, log)
            note_trips_nb(book, account, guards, guarding)
        end_step_nb(book, account, present, ts, given, log)
