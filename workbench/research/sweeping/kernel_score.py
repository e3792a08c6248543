"""The numbers of a run as it ends: from its equity and fills, while both are still in the cache.

The definitions are those of `risk.metrics` and `backtest.trips`, written for one instrument and a net position; a test
holds them equal. Nothing of a run is kept but one row of numbers.
"""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.kernel import run_nb
from workbench.backtest.kernel_parts import inner, outer
from workbench.backtest.kernel_scan import row_at_nb
from workbench.backtest.kernel_state import Asked, Given, Log, Words
from workbench.trading.guards import Guarding, GuardState

__all__ = ["SCORES", "Batch", "Facts", "batch_nb"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

SCORES: Final = (
    "total_return", "annualised_return", "annualised_volatility", "sharpe_ratio", "sortino_ratio", "calmar_ratio",
    "max_drawdown", "win_rate", "profit_factor", "expectancy", "exposure", "turnover", "trades", "skewness", "kurtosis",
)  # fmt: skip
"""What a row holds, in order; names of `wb.metrics.METRICS`, of returns per bar."""

TS, SIDE, QUANTITY, QUOTED, PRICE, FEE, REASON, DECIDED = 0, 2, 3, 4, 5, 6, 8, 9
EPS: Final = 8.0 * 2.220446049250313e-16
DUST: Final = 1e-9


class Facts(NamedTuple):
    """What a score is reckoned with.

    `said` marks the reasons (`trading.orders.REASONS`) that are decisions of the strategy, which trade at opens, or at
    closes.
    """

    cash: float
    years: float
    periods: float
    said: NDArray[np.bool_]


class Batch(NamedTuple):
    """What differs from one combination to another: `said` of shape (k, n), all else of shape (k,)."""

    said: NDArray[np.uint8]
    size: Floats
    stop_loss: Floats
    take_profit: Floats
    trailing_stop: Floats
    trailing_activation: Floats
    max_bars: Whole
    taker: Floats
    maker: Floats
    slippage: Floats
    leverage: Floats


@inner
def equity_score_nb(equity: Floats, facts: Facts, row: Floats) -> None:
    """Write the numbers of an equity curve."""
    before = high = floor = facts.cash
    low = s1 = s2 = s3 = s4 = below = total = 0.0
    least, most, first = math.inf, -math.inf, 0.0
    bars, still, moved = equity.size, 0, 0
    for i in range(bars):
        now = equity[i]
        if now == before:  # most bars, of most strategies
            still += 1
            continue
        change = (now - before) / before if before > 0.0 else 0.0
        total += still * before + now
        before, still, moved = now, 0, moved + 1
        square = change * change
        s1 += change
        s2 += square
        s3 += square * change
        s4 += square * square
        below += square if change < 0.0 else 0.0
        least, most = min(least, change), max(most, change)
        if i == 0:
            first = change
        if now > high:
            low = min(low, floor / high - 1.0)
            high = floor = now
        floor = min(floor, now)
    low = min(low, floor / high - 1.0)
    total += still * before
    if moved < bars:
        least, most = min(least, 0.0), max(most, 0.0)
    mean = s1 / bars
    squares = s2 - bars * mean * mean
    if squares < 1e-5 * bars * mean * mean:  # nearly all of it is the mean: what is left of the difference is noise
        squares, before = 0.0, facts.cash
        for i in range(bars):
            change = (equity[i] - before) / before if before > 0.0 else 0.0
            before = equity[i]
            squares += (change - mean) * (change - mean)
    wide = bars > 1 and most - least > EPS * (1.0 + abs(first))
    spread = math.sqrt(squares / (bars - 1)) if wide else (0.0 if bars > 1 else math.nan)
    growth = equity[bars - 1] / facts.cash - 1.0
    annual = math.nan
    if facts.years > 0.0:
        power = math.log1p(growth) / facts.years if growth > -1.0 else -math.inf
        annual = math.expm1(power) if power < 700.0 else math.nan
    scale, short = math.sqrt(facts.periods), math.sqrt(below / bars)
    row[0], row[1], row[2] = growth, annual, spread * scale
    row[3] = mean / spread * scale if spread > 0.0 else math.nan
    row[4] = mean / short * scale if short > 0.0 else math.nan
    row[5] = annual / -low if low < 0.0 else math.nan
    row[6] = low
    row[11] = total / bars
    whole = squares / bars
    row[13] = row[14] = math.nan
    if spread > 0.0:
        row[13] = ((s3 - 3.0 * mean * s2) / bars + 2.0 * mean**3) / whole**1.5
        row[14] = ((s4 - 4.0 * mean * s3 + 6.0 * mean * mean * s2) / bars - 3.0 * mean**4) / (whole * whole) - 3.0


@inner
def trades_score_nb(fills: Floats, count: int, given: Given, facts: Facts, at_close: int, row: Floats) -> None:
    """Write the numbers of the trades; `row[11]` holds the mean equity."""
    ts, opens, bars = given.words.starts, given.market.open, given.words.starts.size
    side = held = entered = paid = fees = left = away = traded = 0.0
    won = lost = profit = 0.0
    trades = wins = covered = exposed = start = 0
    at = 0
    for i in range(count):
        fill = fills[i]
        at = max(row_at_nb(ts, at, bars, int(fill[TS]) + 1) - 1, 0)
        decided = facts.said[int(fill[REASON])] or (fill[DECIDED] < fill[TS] and fill[QUOTED] == opens[at])
        rest, quantity = fill[QUANTITY], fill[QUANTITY]
        traded += quantity * fill[PRICE]
        if held > 0.0 and fill[SIDE] != side:
            closing = held if abs(held - rest) <= DUST * max(held, rest) else min(held, rest)
            share = min(closing / quantity, 1.0)
            away += closing
            left += closing * fill[PRICE]
            fees += fill[FEE] * share
            held -= closing
            rest = 0.0 if rest - closing <= DUST * quantity else rest - closing
            if held <= 0.0:
                gain = side * (left * (entered / away) - paid) - fees
                trades += 1
                profit += gain
                won += gain if gain > 0.0 else 0.0
                lost += gain if gain < 0.0 else 0.0
                wins += gain > 0.0
                last = at if decided and not at_close else at + 1
                last = max(last, start)
                exposed += max(last - max(start, covered), 0)
                covered = max(covered, last)
                held = 0.0
        if rest > 0.0:
            if held == 0.0:
                side, entered, paid, fees, left, away = fill[SIDE], 0.0, 0.0, 0.0, 0.0, 0.0
                start = at + 1 if decided and at_close else at
            held += rest
            entered += rest
            paid += rest * fill[PRICE]
            fees += fill[FEE] * (rest / quantity)
    if held > 0.0:
        exposed += max(bars - max(start, covered), 0)
    row[7] = wins / trades if trades else math.nan
    row[8] = won / -lost if lost < 0.0 else math.nan
    row[9] = profit / trades if trades else math.nan
    row[10] = exposed / bars
    mean = row[11]
    row[11] = traded / mean / facts.years if mean > 0.0 and facts.years > 0.0 else math.nan
    row[12] = trades


@inner
def set_up_nb(one: Any, account: Any, batch: Batch, k: int) -> None:
    """Make the terms of one combination those of the record."""
    one.taker, one.maker, one.slippage, one.leverage = (
        batch.taker[k],
        batch.maker[k],
        batch.slippage[k],
        batch.leverage[k],
    )
    one.size_from = one.stop_from = one.target_from = one.trail_from = one.start_from = k
    one.size_step = one.stop_step = one.target_step = one.trail_step = one.start_step = 0
    account.max_bars = batch.max_bars[k]


@outer
def batch_nb(
    blank: Any, plain: Any, book: Any, account: Any, given: Given, batch: Batch, log: Log, guards: GuardState,
    guarding: Guarding, lists: Whole, facts: Facts, out: Floats,
) -> int:  # fmt: skip
    """Run combinations one after another; give how many were scored, fewer than all where the table of fills was short.

    Parameters
    ----------
    blank, plain : structured arrays of LINE and ACCOUNT, shape (1,)
        As they are before a run.
    book, account : the same
        Room to work in.
    given : Given
    batch : Batch
    log : Log
        Room for one run.
    guards, guarding, lists
        As of `run_nb`.
    facts : Facts
    out : float64 array, shape (k, len(SCORES))
    """
    asked = Asked(
        batch.size, batch.stop_loss, batch.take_profit, batch.trailing_stop, batch.trailing_activation,
        given.asked.stop_price,
    )  # fmt: skip
    for k in range(out.shape[0]):
        book[0], account[0] = blank[0], plain[0]
        set_up_nb(book[0], account[0], batch, k)
        words = Words(batch.said[k], given.words.ends, given.words.starts)
        mine = Given(given.market, words, asked, given.ladder, given.settlements, given.tiers)
        run_nb(book, account[0], mine, log, guards, guarding, lists)
        if account[0].over == 0:
            return k
        equity_score_nb(log.equity, facts, out[k])
        trades_score_nb(log.fills, account[0].fills, mine, facts, account[0].at_close, out[k])
    return len(out)
