"""What the compiled path works on: market data, words and orders of all instruments as flat arrays, and its state.

The instruments of a plan lie behind each other in the flat arrays; a record of `One` says where each begins and holds
all that is known of it, one of `Account` what they share. The classes are the fields' types and meaning; what a kernel
gets are records of structured arrays with these fields (`LINE`, `ACCOUNT`). Records are passed to the steps by
reference, which costs nothing; tuples of arrays are passed only where they are read.

`side` is +1 or -1; indices of bars count within an instrument, rows count in the flat arrays.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.kernel_parts import inner, round_down_nb, volume_budget_nb

__all__ = [
    "ACCOUNT",
    "LINE",
    "Account",
    "Asked",
    "Bar",
    "Given",
    "Ladder",
    "Log",
    "Market",
    "One",
    "Settlements",
    "Words",
    "bar_nb",
    "begin_bar_nb",
    "forget_wish_nb",
    "is_decided_nb",
    "number_nb",
    "side_of_nb",
]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# Codes as bare numbers, here and in the steps, as in `trading.guards`; a test holds them equal to the names.
SIGNAL, TIME_LIMIT = 1, 9
NEVER: Final = 2**61  # ms
NOTHING, LEAVE = 0, 2  # what the strategy wants besides +1 (be long) and -1 (be short)
ENTRY, EXIT, SHORT_ENTRY, SHORT_EXIT, CLOSES = 1, 2, 4, 8, 16  # bits of `Words.said`


class One:
    """One instrument, as a record: what is known of it, and its state.

    Facts: its terms (as `trading.terms`), and where it begins in the flat arrays: base bars up to `last`, strategy bars
    from `first_word`, settlements and tiers from `first_` to `last_`, and for each column of `Asked` the place of its
    first value and the step to the next one (0 where one value holds for all bars). `margined` positions are
    liquidated; with `shared_ruin` the price of that depends on the other positions.

    Wish: `want` (NOTHING, LEAVE, +1, -1), its `reason`, the deciding strategy bar `asked` and its time `asked_ts`,
    `left` to trade (NaN until sized) and its `order` number (-1 before its first fill).

    Position: `quantity` (signed), average `price`, `settled` funding, strategy bars `decided` and `opened`, `entered`
    (ms UTC), `best` price, `custom` stop, levels rounded to ticks (`stop_at custom_at target_at roi_at`), `trail`
    distance and the price `start` from which it trails (times side), the `rung` of the ladder and when the next one is
    due, the bars in which target and rung have got another level (`target_moved roi_moved`), the target's order.

    Scan: `near_stop near_target near_trail near_start` are what a quiet bar is compared with (prices times side),
    `moves` is the row before which the custom stop does not move, `changed` asks for these to be worked out anew.

    Trip: money moved (`flow`) and entry value (`value`); `ended` is the reason code of one that has just ended at
    `ended_at` with `pnl` and return `back`, -1 for none.

    The rest: `row` of the next base bar, next settlement `funding`, strategy bar in hand `word`, last price `mark`,
    what was `added` at this open, `room` left of the volume of the bar `room_at`.
    """

    number: int
    taker: float
    maker: float
    per_unit: float
    per_order: float
    slippage: float
    impact_kind: int
    impact: float
    volume_share: float
    liquidation_fee: float
    tick: float
    lot: float
    min_notional: float
    leverage: float
    size_unit: int
    sized: int
    floor: float
    cap: float
    margined: int
    shared_ruin: int
    last: int
    first_word: int
    first_funding: int
    last_funding: int
    first_tier: int
    last_tier: int
    size_from: int
    size_step: int
    stop_from: int
    stop_step: int
    target_from: int
    target_step: int
    trail_from: int
    trail_step: int
    start_from: int
    start_step: int
    custom_from: int
    custom_step: int
    row: int
    funding: int
    word: int
    mark: float
    room_at: int
    room: float
    added: float
    want: int
    reason: int
    asked: int
    asked_ts: int
    left: float
    order: int
    quantity: float
    price: float
    settled: float
    decided: int
    opened: int
    entered: int
    best: float
    custom: float
    stop_at: float
    custom_at: float
    target_at: float
    roi_at: float
    trail: float
    start: float
    rung: int
    next_rung: int
    target_moved: int
    roi_moved: int
    target_order: int
    changed: int
    moves: int
    near_stop: float
    near_target: float
    near_trail: float
    near_start: float
    flow: float
    value: float
    ended: int
    ended_at: int
    pnl: float
    back: float


class Account:
    """What the instruments share, as a record: money, rules, and counters of what is written.

    `worth` (cash and positions at their marks) and `maintained` (maintenance margins) are sums over open positions that
    hold inside one step; `first_rung` is when after an entry the ladder begins (ms; NEVER without one), `slot` the row
    of the equity, `ended` the number of trips that have just ended, `over` is 1 once the data are through.
    """

    cash: float
    isolated: int
    at_close: int
    path_inside: int
    max_positions: int
    max_bars: int
    first_rung: int
    guarded: int
    shared: int
    tf_ms: int
    worth: float
    maintained: float
    ended: int
    slot: int
    orders: int
    fills: int
    settlements: int
    skipped: int
    over: int


def _dtype_of(record: type) -> np.dtype[Any]:
    """Give the dtype of a record with the fields of a class."""
    kinds = {"int": np.int64, "float": np.float64}
    return np.dtype([(name, kinds[kind]) for name, kind in record.__annotations__.items()], align=True)


LINE: Final = _dtype_of(One)
ACCOUNT: Final = _dtype_of(Account)


class Market(NamedTuple):
    """Base bars, each of shape (m,); `volume`, `span` and `sigma` may hold one value for all, shape (1,)."""

    ts: Whole
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    span: Whole
    sigma: Floats


class Words(NamedTuple):
    """What the strategy says: `said` (bits, shape (m,)) at each base bar.

    `ends` the row with which each strategy bar closes, shape (n,), or (0,) where base and strategy bars are the same;
    `starts` the open time of each strategy bar.
    """

    said: NDArray[np.uint8]
    ends: Whole
    starts: Whole


class Asked(NamedTuple):
    """Sizes, stop distances and custom stops as of each strategy bar, or one value for all."""

    size: Floats
    stop_loss: Floats
    take_profit: Floats
    trailing_stop: Floats
    trailing_activation: Floats
    stop_price: Floats


class Ladder(NamedTuple):
    """Profit targets by time since the entry, shape (r,) each."""

    ms: Whole
    level: Floats


class Settlements(NamedTuple):
    """Funding, shape (f,) each."""

    ts: Whole
    rate: Floats
    mark: Floats


class Given(NamedTuple):
    """All that a run only reads; `tiers` has shape (t, 4)."""

    market: Market
    words: Words
    asked: Asked
    ladder: Ladder
    settlements: Settlements
    tiers: Floats


class Log(NamedTuple):
    """The tables being written (see `backtest.records`); `slots` are the times of the equity's rows."""

    fills: Floats
    funding: Floats
    skipped: Floats
    slots: Whole
    equity: Floats


class Bar(NamedTuple):
    """One base bar."""

    ts: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    span: int
    sigma: float


@inner
def bar_nb(market: Market, row: int) -> Bar:
    """Give one base bar."""
    return Bar(
        market.ts[row],
        market.open[row],
        market.high[row],
        market.low[row],
        market.close[row],
        market.volume[row if market.volume.size > 1 else 0],
        market.span[row if market.span.size > 1 else 0],
        market.sigma[row if market.sigma.size > 1 else 0],
    )


@inner
def number_nb(values: Floats, first: int, step: int, bar: int) -> float:
    """Give what was asked for on a strategy bar."""
    value: float = values[first + step * bar]
    return value


@inner
def side_of_nb(quantity: float) -> float:
    """Give the side of a position: +1, -1, or 0 for none."""
    return 1.0 if quantity > 0.0 else -1.0 if quantity < 0.0 else 0.0


@inner
def begin_bar_nb(one: One, bar: Bar) -> None:
    """Set what can be had of a bar's volume, when the bar is first looked at."""
    if one.room_at != bar.ts:
        one.room_at = bar.ts
        one.room = round_down_nb(volume_budget_nb(bar.volume, one.volume_share), one.lot)


@inner
def is_decided_nb(one: One) -> bool:
    """Tell whether what is pending was decided by a word or the time limit; else a stop has left it over."""
    return one.reason == SIGNAL or one.reason == TIME_LIMIT


@inner
def forget_wish_nb(one: One) -> None:
    """Drop what is pending."""
    one.want, one.left, one.order = NOTHING, np.nan, -1
