"""`Engine`: from what a strategy says, packed into a byte a bar, to one row of numbers a combination.

A run leaves nothing behind but its row: equity and fills are written into the buffers of a thread, scored and written
over. What trading means is the compiled path's own loop (`backtest.kernel`), so a row is the backtest's metrics.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import frozen
from workbench.backtest import compiled
from workbench.backtest.kernel_state import ENTRY, SHORT_ENTRY, Log
from workbench.backtest.plan import Plan
from workbench.backtest.prepare import prepare
from workbench.backtest.records import FILL_FIELDS, FUNDING_FIELDS, REASON_CODES, SKIP_FIELDS
from workbench.market.bars import Bars
from workbench.research.sweeping.kernel_cross import (
    BELOW,
    BLOCK,
    CASH,
    EXPOSED,
    LOST,
    NOTHING,
    PEAK,
    S1,
    S2,
    S3,
    S4,
    SINCE,
    STATE,
    TILE,
    TRADED,
    TRADES,
    WINS,
    WON,
    WORST,
    WORTH,
    Room,
    Terms,
    cross_nb,
    prefix_nb,
)
from workbench.research.sweeping.kernel_cross import Market as CrossMarket
from workbench.research.sweeping.kernel_score import SCORES, Batch, Facts, batch_nb
from workbench.risk.metrics import YEAR_MS, growth_rate
from workbench.risk.metrics.curves import ratio
from workbench.strategy.signals import Signals
from workbench.trading.guards import guarding_of, new_state
from workbench.trading.orders import REASONS

__all__ = ["Compact", "Engine", "unfit"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_DECISIONS: Final = ("entry", "signal", "reversal", "time_limit")
_NUMBERS: Final = ("size", "stop_loss", "take_profit", "trailing_stop", "trailing_activation")
_TERMS: Final = {"fee": "taker", "maker_fee": "maker", "slippage_bps": "slippage"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Compact:
    """What one combination says and asks for.

    Attributes
    ----------
    said : uint8 array, shape (n,)
        Bits of `backtest.kernel_state` (ENTRY, EXIT, SHORT_ENTRY, SHORT_EXIT, and CLOSES on every bar).
    size, stop_loss, take_profit, trailing_stop, trailing_activation : float
        As in `Signals`, one value for all bars; NaN for none.
    max_bars : int
        0 for no limit.
    fee, maker_fee, slippage_bps, leverage : float, optional
        The engine's own when left out.
    """

    said: NDArray[np.uint8]
    size: float = 1.0
    stop_loss: float = np.nan
    take_profit: float = np.nan
    trailing_stop: float = np.nan
    trailing_activation: float = np.nan
    max_bars: int = 0
    fee: float | None = None
    maker_fee: float | None = None
    slippage_bps: float | None = None
    leverage: float | None = None


def unfit(plan: Plan) -> str:
    """Say why a plan cannot be scored by the fast engine; "" if it can."""
    line = plan.lines[0]
    reasons = (
        (len(plan.lines) > 1, "several instruments share the account"),
        (bool(compiled.unfit(plan)), compiled.unfit(plan)),
        (bool(len(line.funding_ts)), "funding is settled"),
        (plan.guards.any, "protections look at trips"),
        (plan.sizing is not None, "a sizing says how large entries are"),
        (line.word is not None, "finer bars resolve what happens inside"),
    )
    return next((reason for applies, reason in reasons if applies), "")


class Engine:
    """Scores many combinations on one series.

    Parameters
    ----------
    bars : Bars
    size_unit : str
        Of every combination's size, as in `Signals`.
    roi : mapping, optional
        Profit targets by time, the same for all.
    **options
        As `wb.backtest` takes them.

    Attributes
    ----------
    reason : str
        Why combinations cannot be scored here; "" where they can.
    """

    def __init__(self, bars: Bars, *, size_unit: Any = "fraction", roi: Any = None, **options: Any) -> None:
        nothing = np.zeros(len(bars), dtype=np.bool_)
        quiet = Signals(entry=nothing, exit=nothing, size_unit=size_unit, roi=roi)
        options = {name: value for name, value in options.items() if name not in ("path", "max_missing")}
        self.plan = prepare(quiet, bars, **options)
        self.bars = bars
        self.reason = unfit(self.plan)
        if self.reason:
            return
        line = self.plan.lines[0]
        self._given = compiled._given(self.plan)
        self._book, self._account = compiled._book(self.plan), compiled._account(self.plan)
        self._terms = line.costs
        years = (bars.end - bars.start) / YEAR_MS
        said = np.isin(np.arange(len(REASONS)), [REASON_CODES[name] for name in _DECISIONS])
        self._facts = Facts(self.plan.cash, years, bars.periods_per_year, frozen(said, np.bool_))
        self._here = threading.local()

    def run(self, batch: Sequence[Compact], threads: int = 1) -> Floats:
        """Score combinations.

        Parameters
        ----------
        batch : sequence of Compact, length k
        threads : int, default 1

        Returns
        -------
        float64 array, shape (k, len(SCORES))
        """
        out = np.empty((len(batch), len(SCORES)))
        if threads <= 1 or len(batch) < 2:
            self._score(batch, out)
            return out
        cuts = np.linspace(0, len(batch), min(4 * threads, len(batch)) + 1).astype(int)
        parts = [slice(a, b) for a, b in pairwise(cuts)]
        with ThreadPoolExecutor(threads) as pool:
            jobs = [pool.submit(self._score, list(batch)[part], out[part]) for part in parts]
            for job in jobs:
                job.result()
        return out

    @property
    def simple(self) -> bool:
        """Whether whole entries and exits are all there is: no lots, ticks, caps of volume, leverage or other costs."""
        if self.reason:
            return False
        line, costs = self.plan.lines[0], self.plan.lines[0].costs
        steps = line.lots.tick or line.lots.lot or line.lots.min_notional
        others = costs.per_unit or costs.per_order or costs.impact_kind
        capped = costs.volume_share != np.inf and bool(line.volume.any())
        return not (steps or others or capped or line.margined or line.leverage != 1.0)

    def run_crosses(
        self, lines: Floats, pairs: NDArray[np.int64], first: NDArray[np.int64], threads: int = 1
    ) -> Floats:
        """Score long positions, of all there is, that are entered as one line crosses above another and left below.

        Parameters
        ----------
        lines : float64 array, shape (m, n)
            NaN only before a line begins.
        pairs : int64 array, shape (k, 2)
            Rows of `lines`: the one that is to be above, and the other.
        first : int64 array, shape (k,)
            The first bar on which a cross counts: the end of the warm-up.
        threads : int, default 1

        Returns
        -------
        float64 array, shape (k, len(SCORES))
            As of `run` with the same signals.
        """
        known = np.array([_first_known(line) for line in lines], dtype=np.int64)
        first = np.maximum(first, known[pairs].max(axis=1) + 1)
        states = np.zeros((len(pairs), STATE))
        states[:, CASH] = states[:, PEAK] = self.plan.cash
        states[:, SINCE] = NOTHING
        parts = [slice(part, None, threads) for part in range(threads)]
        jobs = [(frozen(pairs[part], np.int64), frozen(first[part], np.int64), states[part].copy()) for part in parts]
        if threads == 1:
            self._cross(lines, *jobs[0])
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(lambda job: self._cross(lines, *job), jobs))
        for part, job in zip(parts, jobs, strict=True):
            states[part] = job[2]
        return self._rows(states)

    def _cross(self, lines: Floats, pairs: Whole, first: Whole, states: Floats) -> None:
        marks = np.zeros(TILE, dtype=np.uint8)
        room = Room(marks.view(np.uint64), marks, np.empty(TILE + 8, dtype=np.int32))
        cross_nb(lines, pairs, first, self._prices, self._cross_terms, states, room)

    @cached_property
    def _prices(self) -> CrossMarket:
        line, bars = self.plan.lines[0], len(self.bars)
        sums, blocks = np.empty((bars + 1, 6)), np.empty((2, (bars + BLOCK - 1) // BLOCK))
        prefix_nb(frozen(line.close), sums, blocks[0], blocks[1])
        trade = line.close if self.plan.at_close else line.open
        return CrossMarket(frozen(line.close), frozen(trade), sums, blocks[0], blocks[1])

    @cached_property
    def _cross_terms(self) -> Terms:
        up, down, fee = 1.0 + self._terms.slippage, 1.0 - self._terms.slippage, self._terms.taker
        late = 0 if self.plan.at_close else 1
        return Terms(up, down, 1.0 / (up * (1.0 + fee)), down * (1.0 - fee), late, len(self.bars))

    def _rows(self, states: Floats) -> Floats:
        """Turn what pairs have come to into scores."""
        return scored(states, len(self.bars), self._facts)

    def _score(self, batch: Sequence[Compact], out: Floats) -> None:
        laid = self._laid(batch)
        entries = np.count_nonzero(laid.said & (ENTRY | SHORT_ENTRY), axis=1)
        room, done = 2 * int(entries.max(initial=0)) + 32, 0
        while done < len(batch):
            log = self._log(room)
            left = laid._replace(**{name: getattr(laid, name)[done:] for name in laid._fields})
            guards = new_state(1, 1, self.plan.cash)
            lists = np.empty((2, 1), dtype=np.int64)
            done += batch_nb(
                self._book, self._account, self._book.copy(), self._account.copy(), self._given, left, log, guards,
                guarding_of(self.plan.guards), lists, self._facts, out[done:],
            )  # fmt: skip
            room *= 2

    def _laid(self, batch: Sequence[Compact]) -> Batch:
        """Lay combinations out in columns."""
        own, bars = self._terms, len(self.bars)
        said = np.empty((len(batch), bars), dtype=np.uint8)
        for row, one in zip(said, batch, strict=True):
            row[:] = one.said

        def column(name: str, value: float) -> Floats:
            found = (getattr(one, name) for one in batch)
            return np.array([value if one is None else one for one in found], dtype=np.float64)

        taker = column("fee", own.taker)
        maker = np.array([_maker(one, own) for one in batch], dtype=np.float64)
        slips = [own.slippage if one.slippage_bps is None else one.slippage_bps / 10_000 for one in batch]
        size, stop, target, trail, start = (frozen(column(name, np.nan)) for name in _NUMBERS)
        limits = frozen([one.max_bars for one in batch], np.int64)
        levers = frozen(column("leverage", self.plan.lines[0].leverage))
        return Batch(
            frozen(said, np.uint8), size, stop, target, trail, start, limits, frozen(taker), frozen(maker),
            frozen(slips), levers,
        )  # fmt: skip

    def _log(self, room: int) -> Log:
        """Give this thread's buffers, with room for so many fills."""
        log: Log | None = getattr(self._here, "log", None)
        if log is None or len(log.fills) < room:
            slots = self._given.words.starts
            log = Log(
                fills=np.empty((room, len(FILL_FIELDS))), funding=np.empty((1, len(FUNDING_FIELDS))),
                skipped=np.empty((room, len(SKIP_FIELDS))), slots=slots, equity=np.empty(len(slots)),
            )  # fmt: skip
            self._here.log = log
        return log


def _first_known(line: Floats) -> int:
    """Give the first bar on which a line is known; they begin within a few hundred, so not all of it is looked at."""
    for start in range(0, len(line), 1_024):
        known = ~np.isnan(line[start : start + 1_024])
        if known.any():
            return start + int(known.argmax())
    return len(line)


def _maker(one: Compact, own: Any) -> float:
    """Give the maker fee: its own, else that of the fee where only that is varied."""
    if one.maker_fee is not None:
        return one.maker_fee
    return float(own.maker)


def scored(states: Floats, bars: int, facts: Facts) -> Floats:
    """Give the scores of pairs from their sums, shape (k, len(SCORES)); the definitions are those of `kernel_score`."""
    one = states.T
    mean = one[S1] / bars
    squares = np.maximum(one[S2] - bars * mean * mean, 0.0)
    spread = np.sqrt(squares / (bars - 1)) if bars > 1 else np.full(len(states), np.nan)
    short, scale, whole = np.sqrt(one[BELOW] / bars), math.sqrt(facts.periods), squares / bars
    growth, low, trades, worth = one[CASH] / facts.cash - 1.0, one[WORST], one[TRADES], one[WORTH] / bars
    annual = np.array([growth_rate(total, facts.years) for total in growth.tolist()])
    third = (one[S3] - 3.0 * mean * one[S2]) / bars + 2.0 * mean**3
    fourth = (one[S4] - 4.0 * mean * one[S3] + 6.0 * mean * mean * one[S2]) / bars - 3.0 * mean**4
    years = facts.years if facts.years > 0.0 else math.nan
    rows = (
        growth, annual, spread * scale, ratio(mean, spread) * scale, ratio(mean, short) * scale, ratio(annual, -low),
        low, ratio(one[WINS], trades), ratio(one[WON], -one[LOST]), ratio(one[WON] + one[LOST], trades),
        one[EXPOSED] / bars, ratio(one[TRADED] / years, worth), trades, ratio(third, whole**1.5),
        ratio(fourth, whole * whole) - 3.0,
    )  # fmt: skip
    return np.stack(rows, axis=1)
