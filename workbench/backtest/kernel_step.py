"""The steps of one moment: what all instruments do at the open, inside their bars and at the close, in this order.

`present` lists the instruments that have a bar at this time, `busy` those of them that hold or want something.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.kernel_books import equity_nb, maintained_nb, settle_nb
from workbench.backtest.kernel_inside import hold_rung_nb, inside_nb, is_quiet_nb, liquidate_nb, seen_nb, watch_nb
from workbench.backtest.kernel_orders import enter_nb, leave_nb
from workbench.backtest.kernel_parts import (
    inner,
)
from workbench.backtest.kernel_state import (
    CLOSES,
    LEAVE,
    NEVER,
    NOTHING,
    Account,
    Bar,
    Given,
    Log,
    Market,
    One,
    Settlements,
    bar_nb,
    begin_bar_nb,
    forget_wish_nb,
    is_decided_nb,
)
from workbench.backtest.kernel_words import decide_nb, ratchet_nb
from workbench.trading.guards import Guarding, GuardState, blocked_by_nb, note_trip_nb

__all__ = [
    "carry_out_nb",
    "end_step_nb",
    "find_busy_nb",
    "find_closing_nb",
    "fund_added_nb",
    "hear_nb",
    "inside_all_nb",
    "is_called_nb",
    "margin_call_nb",
    "mark_closes_nb",
    "next_time_nb",
    "note_trips_nb",
    "open_all_nb",
]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Book = Any

NEARLY = 1e-9


@inner
def next_time_nb(book: Book, ts: Whole, present: Whole) -> tuple[int, int]:
    """Give the next time at which a bar opens, and how many do; `present` takes their instruments."""
    soonest, count = NEVER, 0
    for k in range(book.size):
        row = book[k].row
        if row < book[k].last and ts[row] <= soonest:
            count = count if ts[row] == soonest else 0
            soonest = ts[row]
            present[count] = k
            count += 1
    return soonest, count


@inner
def find_busy_nb(book: Book, present: Whole, busy: Whole) -> int:
    """List those that hold or want something; give how many."""
    count = 0
    for k in present:
        if book[k].quantity != 0.0 or book[k].want != NOTHING:
            busy[count] = k
            count += 1
    return count


@inner
def open_all_nb(book: Book, account: Account, busy: Whole, given: Given, log: Floats) -> None:
    """Open the bars: the price is the open, and settlements due by now are paid on what is held."""
    market, settlements = given.market, given.settlements
    for k in busy:
        one = book[k]
        ts, opened = market.ts[one.row], market.open[one.row]
        one.mark = opened
        while one.funding < one.last_funding and settlements.ts[one.funding] <= ts:
            if one.quantity != 0.0:
                settle_nb(account, one, one.funding, (ts, opened, one.quantity), settlements, log)
            one.funding += 1


@inner
def carry_out_nb(book: Book, account: Account, busy: Whole, at_open: bool, given: Given, log: Log) -> None:
    """Do what is pending: first all that leaves, then all that enters.

    What a stop has left over trades at the open whatever the rest does.
    """
    heard = at_open == (account.at_close == 0)
    for k in busy:
        one = book[k]
        due = heard if is_decided_nb(one) else at_open
        if due and one.quantity != 0.0 and (one.want == LEAVE or one.want * one.quantity < 0.0):
            bar = bar_nb(given.market, one.row)
            leave_nb(account, one, bar, bar.open if at_open else bar.close, log.fills)
    if not heard:
        return
    for k in busy:
        one = book[k]
        if one.want == LEAVE and one.quantity == 0.0:
            forget_wish_nb(one)
        elif one.want != LEAVE and one.want != NOTHING and one.want * one.quantity >= 0.0:
            enter_nb(book, account, one, bar_nb(given.market, one.row), given, log)


@inner
def fund_added_nb(book: Book, account: Account, busy: Whole, given: Given, log: Floats) -> None:
    """Settle what is due at this very open on what has been opened at it."""
    market, settlements = given.market, given.settlements
    for k in busy:
        one = book[k]
        last = one.funding - 1
        if one.added != 0.0 and last >= one.first_funding and settlements.ts[last] == market.ts[one.row]:
            settle_nb(account, one, last, (market.ts[one.row], market.open[one.row], one.added), settlements, log)
        one.added = 0.0


@inner
def add_up_nb(book: Book, account: Account, tiers: Floats) -> None:
    """Add up what the account is worth and must keep, at the present marks."""
    account.worth, account.maintained = equity_nb(book, account), 0.0
    for k in range(book.size):
        if book[k].quantity != 0.0:
            account.maintained += maintained_nb(book[k], book[k].mark, tiers)


@inner
def fund_inside_nb(account: Account, one: One, bar: Bar, settlements: Settlements, log: Floats) -> None:
    """Settle what falls due before the bar is over, at its close."""
    while one.funding < one.last_funding and settlements.ts[one.funding] < bar.ts + bar.span:
        settle_nb(account, one, one.funding, (bar.ts, bar.close, one.quantity), settlements, log)
        one.funding += 1


@inner
def inside_all_nb(book: Book, account: Account, busy: Whole, given: Given, log: Log) -> None:
    """Look inside the bars, one instrument after another."""
    ladder, tiers = given.ladder, given.tiers
    if account.shared:
        add_up_nb(book, account, tiers)
    for k in busy:
        one = book[k]
        if one.quantity == 0.0:
            continue
        bar, before = bar_nb(given.market, one.row), account.fills + account.settlements
        if one.changed:
            hold_rung_nb(one, bar.ts, ladder)
            watch_nb(book, account, one, tiers)
        if is_quiet_nb(account, one, bar, tiers):
            seen_nb(one, bar)
        else:
            inside_nb(book, account, one, bar, ladder, tiers, log.fills)
        if one.quantity != 0.0:
            fund_inside_nb(account, one, bar, given.settlements, log.funding)
        if account.shared and account.fills + account.settlements != before:
            add_up_nb(book, account, tiers)


@inner
def mark_closes_nb(book: Book, account: Account, busy: Whole, closes: Floats, tiers: Floats) -> None:
    """End the bars: the price of each instrument is its close from now on."""
    for k in busy:
        one = book[k]
        mark, one.mark = one.mark, closes[one.row]
        if account.shared and one.quantity != 0.0:
            account.worth += one.quantity * (one.mark - mark)
            account.maintained += maintained_nb(one, one.mark, tiers) - maintained_nb(one, mark, tiers)


@inner
def margin_call_nb(book: Book, account: Account, busy: Whole, market: Market, tiers: Floats, fills: Floats) -> None:
    """Liquidate all there is at the closes, where the account no longer has what its positions must keep."""
    add_up_nb(book, account, tiers)
    if account.worth > account.maintained:
        return
    for k in busy:
        one = book[k]
        if one.quantity != 0.0:
            bar = bar_nb(market, one.row)
            begin_bar_nb(one, bar)
            liquidate_nb(book, account, one, bar, bar.close, tiers, fills)


@inner
def is_called_nb(book: Book, account: Account, busy: Whole) -> bool:
    """Tell whether the margins must be looked at: where a margined position is held and little is left."""
    if account.isolated:
        return False
    for k in busy:
        if book[k].quantity != 0.0 and book[k].margined:
            free = account.worth - account.maintained
            return not account.shared or free <= NEARLY * abs(account.worth)
    return False


@inner
def hear_nb(book: Book, account: Account, present: Whole, given: Given, guards: GuardState, skipped: Floats) -> None:
    """Hear the words of the strategy bars that close now."""
    words = given.words
    for k in present:
        one = book[k]
        said = words.said[one.row]
        if said & CLOSES == 0:
            continue
        if one.quantity != 0.0 and one.custom_step:
            ratchet_nb(one, one.word, given.asked.stop_price)
        if said != CLOSES or (account.max_bars > 0 and one.quantity != 0.0):
            ts = words.starts[one.first_word + one.word]
            blocked = blocked_by_nb(guards, k, ts) if account.guarded else -1
            forbidden = decide_nb(account, one, said, ts, blocked)
            if forbidden != 0:
                row = skipped[account.skipped]
                row[0], row[1], row[2], row[3], row[4] = ts, k, forbidden, np.nan, blocked
                account.skipped += 1


@inner
def find_closing_nb(book: Book, present: Whole, given: Given, closing: Whole) -> int:
    """List those whose strategy bar has closed with something to be done at that close; give how many."""
    market, settlements, count = given.market, given.settlements, 0
    for k in present:
        one = book[k]
        if one.want == NOTHING or given.words.said[one.row] & CLOSES == 0:
            continue
        closing[count] = k
        count += 1
        one.mark = market.close[one.row]
        if one.quantity == 0.0:
            over = market.ts[one.row] + market.span[one.row if market.span.size > 1 else 0]
            while one.funding < one.last_funding and settlements.ts[one.funding] < over:
                one.funding += 1
    return count


@inner
def note_trips_nb(book: Book, account: Account, guards: GuardState, guarding: Guarding) -> None:
    """Tell the protections of the trips that have just ended."""
    if account.ended == 0:
        return
    account.ended = 0
    for k in range(book.size):
        one = book[k]
        if one.ended >= 0:
            if account.guarded:
                note_trip_nb(guards, guarding, k, one.ended_at, account.tf_ms, one.pnl, one.back, one.ended)
            one.ended = -1


@inner
def end_step_nb(book: Book, account: Account, present: Whole, ts: int, given: Given, log: Log) -> None:
    """Write the equity down, go on to the next bars and prepare what they will be compared with."""
    if book.size == 1:
        account.slot = book[0].word
    while account.slot + 1 < log.slots.size and log.slots[account.slot + 1] <= ts:
        account.slot += 1
    log.equity[account.slot] = equity_nb(book, account)
    for k in present:
        one = book[k]
        one.row += 1
        if given.words.said[one.row - 1] & CLOSES:
            one.word += 1
        if one.changed and one.quantity != 0.0:
            hold_rung_nb(one, ts, given.ladder)
            watch_nb(book, account, one, given.tiers)
