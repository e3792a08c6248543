"""What happens to a position inside a bar: its levels, which of them the bar reaches, and what it is left at.

`inside_nb` looks at a bar in full. `watch_nb` boils the levels down to four numbers, so that `is_quiet_nb` and
`kernel_scan` can pass over bars that reach none of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.kernel_books import (
    Fill,
    behind_nb,
    book_fill_nb,
    held_nb,
    maintained_nb,
    order_number_nb,
    slipped_nb,
)
from workbench.backtest.kernel_orders import whole_nb
from workbench.backtest.kernel_parts import (
    bankruptcy_level_nb,
    bankruptcy_price_nb,
    execution_fee_nb,
    further_nb,
    inner,
    leg_hit_nb,
    liquidation_level_nb,
    nearest_stop_nb,
    nearest_target_nb,
    path_points_nb,
    roi_rung_nb,
    round_to_tick_nb,
    stop_level_nb,
    target_level_nb,
    through_nb,
)
from workbench.backtest.kernel_state import (
    LEAVE,
    NEVER,
    Account,
    Bar,
    Ladder,
    One,
    begin_bar_nb,
    forget_wish_nb,
    is_decided_nb,
    side_of_nb,
)

__all__ = ["hold_rung_nb", "inside_nb", "is_quiet_nb", "liquidate_nb", "seen_nb", "watch_nb"]

Floats = NDArray[np.float64]
Book = Any

# Codes as bare numbers, as in `trading.guards`; a test holds them equal to the names.
STOP_LOSS, TAKE_PROFIT, TRAILING_STOP, BANKRUPTCY, ROI, CUSTOM_STOP, LIQUIDATION = 3, 4, 5, 6, 8, 10, 11
HIT_STOP, HIT_TARGET = 1, 2
RUIN = 3  # among the stops of exits.nearest_stop
NEARLY = 3e-9  # rounding to a tick may move a level this much towards the price


@inner
def ruin_nb(book: Book, account: Account, one: One, tiers: Floats) -> float:
    """Give the price at which a position is liquidated, or at which an unlevered short has eaten the account."""
    if one.margined:
        behind = behind_nb(book, account, one, tiers, True)
        return liquidation_level_nb(behind, one.quantity, one.price, tiers[one.first_tier : one.last_tier])
    if one.quantity > 0.0:
        return np.nan
    worth = account.cash
    for k in range(book.size):
        if k != one.number and book[k].quantity != 0.0:
            worth += book[k].quantity * book[k].mark
    price = bankruptcy_price_nb(worth, one.quantity, (1.0 + one.slippage) * (1.0 + one.taker) - 1.0)
    return price if price > 0.0 else np.nan


@inner
def trailing_nb(one: One, best: float, side: float) -> float:
    """Give the level of the trailing stop; NaN while it is not active, or where there is none."""
    if side * best < one.start:
        return np.nan
    return round_to_tick_nb(stop_level_nb(best, side, one.trail), one.tick, side < 0.0)


@inner
def hold_rung_nb(one: One, ts: int, ladder: Ladder) -> None:
    """Bring the level of the rung that held until now in step with the average price."""
    if one.rung >= 0:
        side, before = side_of_nb(one.quantity), one.roi_at
        one.roi_at = round_to_tick_nb(target_level_nb(one.price, side, ladder.level[one.rung]), one.tick, side > 0.0)
        if one.roi_at != before:
            one.roi_moved, one.changed = ts, 1


@inner
def take_at_open_nb(account: Account, one: One, bar: Bar, fills: Floats) -> None:
    """Leave at the open where that is beyond the target; as a taker if the target came to lie there only now."""
    side = side_of_nb(one.quantity)
    target, goal = nearest_target_nb(side, one.target_at, one.roi_at)
    if through_nb(bar.open, target, side):
        late = (one.roi_moved if goal == 1 else one.target_moved) == bar.ts
        take_nb(account, one, bar, bar.open, goal, late, fills)


@inner
def climb_nb(one: One, ts: int, ladder: Ladder) -> None:
    """Climb the ladder as far as time has come, and set its level; `roi_moved` is the bar in which that changed."""
    side, before = side_of_nb(one.quantity), one.roi_at
    one.rung = roi_rung_nb(ts - one.entered, ladder.ms)
    one.next_rung, one.roi_at = NEVER, np.nan
    if one.rung + 1 < ladder.ms.size:
        one.next_rung = one.entered + ladder.ms[one.rung + 1]
    if one.rung >= 0:
        one.roi_at = round_to_tick_nb(target_level_nb(one.price, side, ladder.level[one.rung]), one.tick, side > 0.0)
    if one.roi_at != before and one.rung >= 0:
        one.roi_moved, one.changed = ts, 1


@inner
def liquidate_nb(book: Book, account: Account, one: One, bar: Bar, quoted: float, tiers: Floats, fills: Floats) -> None:
    """Close a position because its margin is gone: all of it, never beyond the price at which nothing would be left."""
    side, quantity = side_of_nb(one.quantity), abs(one.quantity)
    behind = behind_nb(book, account, one, tiers, False)
    price = slipped_nb(one, bar, quoted, -side, quantity)
    empty = bankruptcy_level_nb(behind, one.quantity, one.price)
    if empty > 0.0:
        price = further_nb(price, empty, side)
    left = max(behind + one.quantity * (price - one.price), 0.0)
    paid = execution_fee_nb(price, quantity, one.taker, one.per_unit, one.per_order)
    paid = min(paid + quantity * price * one.liquidation_fee, left)
    order = order_number_nb(account)
    forget_wish_nb(one)
    done = Fill(bar.ts, -side, quantity, quoted, price, paid, 0.0, LIQUIDATION, bar.ts, order)
    book_fill_nb(account, one, fills, done)


@inner
def stop_out_nb(
    book: Book, account: Account, one: One, bar: Bar, hit: tuple[float, int], tiers: Floats, fills: Floats
) -> None:
    """Leave at a stop (`hit`: its price and which), as far as the volume goes; the rest is left at the next open."""
    quoted, which = hit
    if which == RUIN and one.margined:
        liquidate_nb(book, account, one, bar, quoted, tiers, fills)
        return
    reason = BANKRUPTCY if which == RUIN else TRAILING_STOP if which == 2 else CUSTOM_STOP if which == 1 else STOP_LOSS
    held, side, order = abs(one.quantity), -side_of_nb(one.quantity), -1
    quantity = held if which == RUIN else whole_nb(one, held)
    if quantity > 0.0:
        order = order_number_nb(account)
        price = slipped_nb(one, bar, quoted, side, quantity)
        paid = execution_fee_nb(price, quantity, one.taker, one.per_unit, one.per_order)
        book_fill_nb(account, one, fills, Fill(bar.ts, side, quantity, quoted, price, paid, 0.0, reason, bar.ts, order))
    if one.quantity == 0.0:
        forget_wish_nb(one)
        if which == RUIN and held_nb(book) == 0:
            account.cash = min(account.cash, 0.0)  # no dust of rounding left to trade with
    elif one.want != LEAVE or is_decided_nb(one):
        one.want, one.reason, one.asked, one.asked_ts = LEAVE, reason, one.word, bar.ts
        one.left, one.order = np.nan, order


@inner
def take_nb(account: Account, one: One, bar: Bar, price: float, which: int, late: bool, fills: Floats) -> None:
    """Leave at the target, as far as the volume goes; `late` for a target that has come to lie behind the open."""
    side = side_of_nb(one.quantity)
    quantity = whole_nb(one, abs(one.quantity))
    if quantity <= 0.0:
        return
    quoted, rate = price, one.taker if late else one.maker
    if late:
        level = one.roi_at if which == 1 else one.target_at
        price = further_nb(slipped_nb(one, bar, price, -side, quantity), level, side)
    first = one.target_order < 0
    one.target_order = order_number_nb(account) if first else one.target_order
    paid = execution_fee_nb(price, quantity, rate, one.per_unit, one.per_order if first else 0.0)
    reason, maker = ROI if which == 1 else TAKE_PROFIT, 0.0 if late else 1.0
    done = Fill(bar.ts, -side, quantity, quoted, price, paid, maker, reason, bar.ts, one.target_order)
    book_fill_nb(account, one, fills, done)
    if one.quantity == 0.0 or one.want != LEAVE:
        forget_wish_nb(one)


@inner
def seen_nb(one: One, bar: Bar) -> None:
    """Let the best price since the entry take in a bar that is over."""
    if one.quantity != 0.0:
        one.best = max(one.best, bar.high) if one.quantity > 0.0 else min(one.best, bar.low)


@inner
def stop_of_nb(book: Book, account: Account, one: One, best: float, spent: bool, tiers: Floats) -> tuple[float, int]:
    """Give the nearest stop and which it is (as `exits.nearest_stop`); once one is `spent`, only ruin is left."""
    side, ruin = side_of_nb(one.quantity), ruin_nb(book, account, one, tiers)
    if spent:
        return ruin, RUIN
    return nearest_stop_nb(side, one.stop_at, one.custom_at, trailing_nb(one, best, side), ruin)


@inner
def stop_at_nb(
    book: Book, account: Account, one: One, bar: Bar, hit: tuple[float, float, int], tiers: Floats, fills: Floats
) -> None:
    """Leave at a stop, and be liquidated with what that leaves if the price goes on to where the position is ruined.

    `hit` is (price of the stop, price that this leg of the bar ends at, which stop).
    """
    price, end, which = hit
    side = side_of_nb(one.quantity)
    stop_out_nb(book, account, one, bar, (price, which), tiers, fills)
    if one.quantity != 0.0:
        ruin = ruin_nb(book, account, one, tiers)
        if through_nb(end, ruin, -side):
            stop_out_nb(book, account, one, bar, (further_nb(ruin, price, -side), RUIN), tiers, fills)


@inner
def inside_nb(book: Book, account: Account, one: One, bar: Bar, ladder: Ladder, tiers: Floats, fills: Floats) -> None:
    """Look for stops, target and liquidation inside a bar: at its open, then on its way."""
    begin_bar_nb(one, bar)
    side, best, spent = side_of_nb(one.quantity), one.best, False
    stop, which = stop_of_nb(book, account, one, best, spent, tiers)
    if through_nb(bar.open, stop, -side):
        stop_at_nb(book, account, one, bar, (bar.open, bar.open, which), tiers, fills)
        spent = True
    if not spent and one.quantity != 0.0:
        hold_rung_nb(one, bar.ts, ladder)
        take_at_open_nb(account, one, bar, fills)
    if one.quantity != 0.0 and bar.ts >= one.next_rung:
        climb_nb(one, bar.ts, ladder)
        if not spent and one.roi_moved == bar.ts:
            take_at_open_nb(account, one, bar, fills)
    target, goal = nearest_target_nb(side, one.target_at, one.roi_at)
    worst, finest = (bar.low, bar.high) if side > 0.0 else (bar.high, bar.low)
    points = (bar.open, worst, finest, finest)
    if account.path_inside:
        points = path_points_nb(bar.open, bar.high, bar.low, bar.close)
    for leg in range(3):
        if one.quantity == 0.0:
            break
        if leg > 0 or one.changed:
            stop, which = stop_of_nb(book, account, one, best, spent, tiers)
        start, end = points[leg], points[leg + 1]
        hit = leg_hit_nb(start, end, side, stop, np.nan if spent else target)
        if hit == HIT_STOP:
            stop_at_nb(book, account, one, bar, (stop, end, which), tiers, fills)
            spent = True
        elif hit == HIT_TARGET:
            take_nb(account, one, bar, target, goal, False, fills)
        if account.path_inside:
            best = further_nb(best, end, side)
    seen_nb(one, bar)


@inner
def watch_nb(book: Book, account: Account, one: One, tiers: Floats) -> None:
    """Boil the levels of a position down to what the quiet scan compares with."""
    side = side_of_nb(one.quantity)
    ruin = np.nan if one.shared_ruin else ruin_nb(book, account, one, tiers)
    stop, which = nearest_stop_nb(side, one.stop_at, one.custom_at, np.nan, ruin)
    target, goal = nearest_target_nb(side, one.target_at, one.roi_at)
    one.near_stop = -np.inf if which < 0 else side * stop
    one.near_target = np.inf if goal < 0 else side * target
    one.near_trail = (1.0 - side * one.trail) * (1.0 + side * NEARLY)
    one.near_start = np.inf if np.isnan(one.trail) else one.start
    one.changed = 0


@inner
def is_quiet_nb(account: Account, one: One, bar: Bar, tiers: Floats) -> bool:
    """Tell whether a bar surely reaches nothing of a position; a ladder and the account's sums are looked at too."""
    side = 1.0 if one.quantity > 0.0 else -1.0
    worst, finest = (bar.low, bar.high) if side > 0.0 else (bar.high, bar.low)
    if one.changed or bar.ts >= one.next_rung or side * worst <= one.near_stop or side * finest >= one.near_target:
        return False
    best = side * one.best
    if account.path_inside:  # the trailing stop may follow inside this very bar
        best = max(best, side * finest)
    if best >= one.near_start and side * worst <= best * one.near_trail:
        return False
    if not one.shared_ruin:
        return True
    # what the account is worth if this price goes to its worst and the others stay where they are
    others = account.worth - one.quantity * one.mark
    if one.margined == 0:
        return side > 0.0 or others + one.quantity * worst * (1.0 + one.slippage) * (1.0 + one.taker) > NEARLY * others
    kept = account.maintained - maintained_nb(one, one.mark, tiers)
    free = others + one.quantity * worst - maintained_nb(one, worst, tiers) - kept
    return free > NEARLY * (abs(others) + abs(one.quantity) * worst)
