"""The compiled path: one pass over the bars of one instrument, one position at a time.

The loop only orders the steps (`simulate_nb`); what each step does to prices and money is `trading.arithmetic`,
compiled in. Per bar, in this order: the order decided on the last close fills at the open; stops, target and bankruptcy
are looked for inside the bar; the strategy's word at the close is heard. With `fill="close"` that word is carried out
at that same close instead.

Arrays only: `backtest.run` prepares them and `backtest.result` reads the records.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import kernel
from workbench.trading import arithmetic

__all__ = [
    "EXIT_REASONS",
    "SIZE_UNITS",
    "SKIP_FIELDS",
    "SKIP_REASONS",
    "TRADE_FIELDS",
    "Exits",
    "Market",
    "Terms",
    "Words",
    "excursions_nb",
    "simulate_nb",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

OPEN, SIGNAL, REVERSAL, STOP_LOSS, TAKE_PROFIT, TRAILING_STOP, BANKRUPT = range(7)
EXIT_REASONS: Final = ("open", "signal", "reversal", "stop_loss", "take_profit", "trailing_stop", "bankruptcy")
NO_EQUITY, TOO_SMALL, END_OF_DATA = range(3)
SKIP_REASONS: Final = ("no equity left", "below the smallest order", "the data ends before it could fill")
SIZE_UNITS: Final = ("fraction", "quantity", "cash")
TRADE_FIELDS: Final = (
    "side", "entry_bar", "exit_bar", "entry_decided", "exit_decided", "quantity", "entry_price", "exit_price",
    "entry_fee", "exit_fee", "reason",
)  # fmt: skip
SKIP_FIELDS: Final = ("side", "decided", "quantity", "reason")
NOTHING, LEAVE = 0, 2  # what the strategy wants besides +1 (be long) and -1 (be short)

market_price_nb = kernel(arithmetic.market_price)
fee_nb = kernel(arithmetic.fee)
affordable_quantity_nb = kernel(arithmetic.affordable_quantity)
round_down_nb = kernel(arithmetic.round_down)
round_to_tick_nb = kernel(arithmetic.round_to_tick)
stop_level_nb = kernel(arithmetic.stop_level)
target_level_nb = kernel(arithmetic.target_level)
through_nb = kernel(arithmetic.through)
bankruptcy_price_nb = kernel(arithmetic.bankruptcy_price)


class Market(NamedTuple):
    """Prices per bar, each of shape (n,)."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats


class Words(NamedTuple):
    """The strategy's word per bar, each of shape (n,)."""

    entry: Flags
    exit: Flags
    short_entry: Flags
    short_exit: Flags


class Exits(NamedTuple):
    """Sizes and stop distances (fractions, NaN for none) as of the deciding bar, shape (n,) or (1,) for all bars."""

    size: Floats
    stop_loss: Floats
    take_profit: Floats
    trailing_stop: Floats


class Terms(NamedTuple):
    """The numbers of the account and the instrument."""

    cash: float
    taker: float
    maker: float
    slippage: float
    tick_size: float
    lot_size: float
    min_notional: float
    size_unit: int
    at_close: bool


class Position(NamedTuple):
    """The open position, or FLAT; levels are NaN where there is none."""

    quantity: float
    price: float
    fee: float
    bar: int
    decided: int
    stop: float
    target: float
    trail: float
    best: float


class Log(NamedTuple):
    """The records being written: round trips, skipped entries, and how many of each."""

    trades: Floats
    skipped: Floats
    counts: NDArray[np.int64]


FLAT: Final = Position(0.0, np.nan, 0.0, -1, -1, np.nan, np.nan, np.nan, np.nan)


@kernel
def wanted_nb(quantity: float, entry: bool, leave: bool, short_entry: bool, short_leave: bool) -> int:
    """Say what the word of one bar asks for: NOTHING, LEAVE, +1 or -1. Contradictions cancel out."""
    if entry and leave:
        entry = leave = False
    if short_entry and short_leave:
        short_entry = short_leave = False
    if entry and short_entry:
        entry = short_entry = False
    if quantity > 0.0:
        return -1 if short_entry else LEAVE if leave else NOTHING
    if quantity < 0.0:
        return 1 if entry else LEAVE if short_leave else NOTHING
    return 1 if entry else -1 if short_entry else NOTHING


@kernel
def quantity_nb(cash: float, price: float, size: float, terms: Terms) -> float:
    """Say how much to trade from flat: what the size asks for, as far as the cash goes, in whole lots."""
    affordable = affordable_quantity_nb(cash, price, terms.taker)
    if terms.size_unit == 0:
        quantity = affordable * size
    elif terms.size_unit == 1:
        quantity = min(size, affordable)
    else:
        quantity = min(affordable_quantity_nb(size, price, terms.taker), affordable)
    return round_down_nb(quantity, terms.lot_size)


@kernel
def protect_nb(side: float, price: float, decided: int, exits: Exits, tick: float) -> tuple[float, float, float]:
    """Give stop and target levels and the trailing distance of a new position, as of the bar that decided it."""
    stop = exits.stop_loss[decided if exits.stop_loss.size > 1 else 0]
    target = exits.take_profit[decided if exits.take_profit.size > 1 else 0]
    trail = exits.trailing_stop[decided if exits.trailing_stop.size > 1 else 0]
    stop_at = round_to_tick_nb(stop_level_nb(price, side, stop), tick, side < 0.0)
    target_at = round_to_tick_nb(target_level_nb(price, side, target), tick, side > 0.0)
    return stop_at, target_at, trail


@kernel
def inside_bar_nb(held: Position, cash: float, bar: tuple[float, float, float], terms: Terms) -> tuple[float, int]:
    """Say where stops, target or bankruptcy end the position inside a bar, and why; OPEN if they do not.

    The open comes first: a gap through a level fills at the open. Then the worse is assumed: the stop goes before the
    target.
    """
    opened, high, low = bar
    side = 1.0 if held.quantity > 0.0 else -1.0
    stop, reason = held.stop, STOP_LOSS
    trailing = round_to_tick_nb(stop_level_nb(held.best, side, held.trail), terms.tick_size, side < 0.0)
    if not np.isnan(trailing) and not (side * (stop - trailing) >= 0.0):
        stop, reason = trailing, TRAILING_STOP
    exit_cost = (1.0 + terms.slippage) * (1.0 + terms.taker) - 1.0
    ruin = bankruptcy_price_nb(cash, held.quantity, exit_cost)
    if ruin > 0.0 and not (side * (stop - ruin) >= 0.0):
        stop, reason = ruin, BANKRUPT
    if through_nb(opened, stop, -side):
        return opened, reason
    if through_nb(opened, held.target, side):
        return opened, TAKE_PROFIT
    if through_nb(low if side > 0.0 else high, stop, -side):
        return stop, reason
    if through_nb(high if side > 0.0 else low, held.target, side):
        return held.target, TAKE_PROFIT
    return np.nan, OPEN


@kernel
def seen_nb(held: Position, high: float, low: float) -> Position:
    """Give the position with the best price since its entry brought up to date by a bar that is over."""
    best = max(held.best, high) if held.quantity > 0.0 else min(held.best, low)
    return Position(
        held.quantity, held.price, held.fee, held.bar, held.decided, held.stop, held.target, held.trail, best
    )


@kernel
def log_nb(entry: Flags, short_entry: Flags) -> Log:
    """Make records with room for every entry that the words ask for; pages that stay empty cost no memory."""
    most = 1
    for i in range(entry.size):
        most += entry[i] | short_entry[i]
    return Log(np.empty((most, 11)), np.empty((most, 4)), np.zeros(2, dtype=np.int64))


@kernel
def skip_nb(side: float, decided: int, quantity: float, reason: int, log: Log) -> None:
    """Record an entry that could not be traded, by the bar that decided it."""
    row = log.skipped[log.counts[1]]
    row[0], row[1], row[2], row[3] = side, decided, quantity, reason
    log.counts[1] += 1


@kernel
def close_nb(held: Position, quoted: float, bar: int, decided: int, reason: int, terms: Terms, log: Log) -> float:
    """Record the round trip and give the cash that the exit brings: negative where it covers a short."""
    side = 1.0 if held.quantity > 0.0 else -1.0
    resting = reason == TAKE_PROFIT
    price = quoted if resting or reason == OPEN else market_price_nb(quoted, -side, terms.slippage)
    paid = 0.0 if reason == OPEN else fee_nb(price, held.quantity, terms.maker if resting else terms.taker)
    row = log.trades[log.counts[0]]
    row[0], row[1], row[2], row[3], row[4] = side, held.bar, bar, held.decided, decided
    row[5], row[6], row[7], row[8], row[9], row[10] = abs(held.quantity), held.price, price, held.fee, paid, reason
    log.counts[0] += 1
    return held.quantity * price - paid


@kernel
def open_nb(
    side: int, cash: float, quoted: float, bar: int, decided: int, exits: Exits, terms: Terms, log: Log
) -> tuple[Position, float]:
    """Open a position from flat; give it with the cash left, or FLAT and all the cash where it cannot be had."""
    price = market_price_nb(quoted, float(side), terms.slippage)
    quantity = quantity_nb(cash, price, exits.size[decided if exits.size.size > 1 else 0], terms)
    if quantity <= 0.0 or quantity * price < terms.min_notional:
        skip_nb(float(side), decided, quantity, NO_EQUITY if cash <= 0.0 else TOO_SMALL, log)
        return FLAT, cash
    paid = fee_nb(price, quantity, terms.taker)
    stop, target, trail = protect_nb(float(side), price, decided, exits, terms.tick_size)
    held = Position(side * quantity, price, paid, bar, decided, stop, target, trail, price)
    return held, cash - side * quantity * price - paid


@kernel
def carry_out_nb(
    want: int, held: Position, cash: float, when: tuple[float, int, int], exits: Exits, terms: Terms, log: Log
) -> tuple[Position, float]:
    """Do what the strategy wants at a price: leave, reverse or enter. `when` is (price, bar, deciding bar)."""
    quoted, bar, decided = when
    if held.quantity != 0.0:
        cash += close_nb(held, quoted, bar, decided, SIGNAL if want == LEAVE else REVERSAL, terms, log)
        held = FLAT
    if want == LEAVE:
        return held, cash
    return open_nb(want, cash, quoted, bar, decided, exits, terms, log)


@kernel
def simulate_nb(market: Market, words: Words, exits: Exits, terms: Terms) -> tuple[Floats, Floats, Floats]:
    """Run the whole history.

    Parameters
    ----------
    market, words : arrays per bar, shape (n,)
    exits : arrays of shape (n,) or (1,)
    terms : the account's and the instrument's numbers

    Returns
    -------
    trades : float64 array, shape (m, len(TRADE_FIELDS))
        The round trips, oldest first; the last has reason OPEN and the last close as its exit if it is still open.
    skipped : float64 array, shape (k, len(SKIP_FIELDS))
        Entries that could not be traded.
    equity : float64 array, shape (n,)
        Cash and position at each close, in the quote currency.
    """
    opens, highs, lows, closes = market
    entry, leave, short_entry, short_leave = words
    n = closes.size
    equity = np.empty(n)
    log = log_nb(entry, short_entry)
    cash, held, want = terms.cash, FLAT, NOTHING
    for i in range(n):
        if want != NOTHING and not terms.at_close:
            held, cash = carry_out_nb(want, held, cash, (opens[i], i, i - 1), exits, terms, log)
        if held.quantity != 0.0:
            quoted, reason = inside_bar_nb(held, cash, (opens[i], highs[i], lows[i]), terms)
            if reason != OPEN:
                cash += close_nb(held, quoted, i, i, reason, terms, log)
                cash = min(cash, 0.0) if reason == BANKRUPT else cash  # no dust of rounding left to trade with
                held = FLAT
            else:
                held = seen_nb(held, highs[i], lows[i])
        want = wanted_nb(held.quantity, entry[i], leave[i], short_entry[i], short_leave[i])
        if want != NOTHING and terms.at_close:
            held, cash = carry_out_nb(want, held, cash, (closes[i], i, i), exits, terms, log)
        equity[i] = cash + held.quantity * closes[i]
    if not terms.at_close and (want == 1 or want == -1):
        skip_nb(float(want), n - 1, np.nan, END_OF_DATA, log)
    if held.quantity != 0.0:
        close_nb(held, closes[n - 1], n - 1, n - 1, OPEN, terms, log)
    return log.trades[: log.counts[0]], log.skipped[: log.counts[1]], equity


@kernel
def excursions_nb(trades: Floats, market: Market, at_close: bool) -> Floats:
    """Say how far each trade went against and for its holder before it ended, as fractions of the entry price.

    Parameters
    ----------
    trades : float64 array, shape (m, len(TRADE_FIELDS))
    market : arrays per bar, shape (n,)
    at_close : bool
        Whether signals filled at the close.

    Returns
    -------
    float64 array, shape (m, 2)
        Adverse (zero or negative) and favourable (zero or positive). The whole of every bar held in full counts; of
        the bar that ended the trade only what surely came before its exit: its open, and the exit price itself.
    """
    found = np.zeros((trades.shape[0], 2))
    for k in range(trades.shape[0]):
        side, entry_price, exit_price, reason = trades[k, 0], trades[k, 6], trades[k, 7], int(trades[k, 10])
        first, last = int(trades[k, 1]), int(trades[k, 2])
        full_last = reason == OPEN or (at_close and reason in (SIGNAL, REVERSAL))
        low = high = entry_price
        for i in range(first + 1 if at_close else first, last + 1 if full_last else last):
            low, high = min(low, market.low[i]), max(high, market.high[i])
        if not full_last and (last > first or not at_close):
            low, high = min(low, market.open[last]), max(high, market.open[last])
        if not full_last and reason != SIGNAL and reason != REVERSAL:
            low, high = min(low, exit_price), max(high, exit_price)
        worst, best = (low, high) if side > 0.0 else (high, low)
        found[k, 0] = min(0.0, side * (worst - entry_price) / entry_price)
        found[k, 1] = max(0.0, side * (best - entry_price) / entry_price)
    return found
