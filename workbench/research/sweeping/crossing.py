"""`Crosses`: many strategies that are nothing but the crosses of two lines, and the scores that come of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench._kernels import frozen
from workbench.research.sweeping import kernel_cross as at
from workbench.research.sweeping.kernel_cross import Market, Terms, cross_nb, ready_nb, room
from workbench.research.sweeping.kernel_score import Facts
from workbench.risk.metrics import growth_rate
from workbench.risk.metrics.curves import ratio

__all__ = ["CHEAP", "Crosses", "Line", "line_of", "scored"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

CHEAP: Final = (
    "total_return", "annualised_return", "annualised_volatility", "sharpe_ratio", "calmar_ratio", "max_drawdown",
    "trades",
)  # fmt: skip
"""Scores that need no more than returns, their squares and the deepest fall."""


_BLOCK: Final = 22  # as many fast lines and as many slow ones make a chunk of pairs (`kernel_cross.CHUNK`)

_PARTS: Final = 2  # of the pairs for each thread: those of short means trade most, and stand together


class Line(NamedTuple):
    """A line: its values, shape (n,), where they are, and the first that is known; -1 where gaps come after it."""

    values: Floats
    address: int
    first: int


class Crosses:
    """Trades crosses of lines on one series.

    Parameters
    ----------
    close, trade : float64 array, shape (n,)
        Closes, and the prices at which trades take place.
    costs : object with `slippage` and `taker`, fractions
    late : bool
        Whether a decision trades on the next bar.
    many : bool
        Whether more than `CHEAP` is asked for.
    """

    def __init__(self, close: Floats, trade: Floats, costs: Any, *, late: bool, many: bool) -> None:
        up, down, fee = 1.0 + costs.slippage, 1.0 - costs.slippage, costs.taker
        self._terms = Terms(
            up, down, up * (1.0 + fee), down * (1.0 - fee), int(late), len(close), at.MANY if many else at.FEW
        )
        buy, sell = (_aligned(len(close) * self._terms.width) for _ in range(2))
        self._market = Market(frozen(close), frozen(trade), buy, sell, np.empty(self._terms.width))
        ready_nb(self._market, self._terms)

    def run(self, lines: Sequence[Line], pairs: Whole, first: Whole, cash: float, threads: int) -> Floats | None:
        """Give what pairs come to, shape (k, STATE), or None; see `Engine.run_crosses`."""
        known = np.array([line.first for line in lines], dtype=np.int64)
        if (known < 0).any() or any(len(line.values) != self._terms.bars for line in lines):
            return None
        first = np.maximum(first, known[pairs].max(axis=1) + 1)
        begins = frozen([line.address for line in lines], np.int64)
        states = np.zeros((len(pairs), at.STATE))
        states[:, [at.CASH, at.PEAK, at.FLOOR]] = cash
        states[:, at.SINCE] = at.NOTHING
        order = _in_blocks(pairs)
        pairs, first = pairs[order], first[order]
        parts = min(_PARTS * threads, len(pairs)) if threads > 1 else 1
        cuts = np.linspace(0, len(pairs), parts + 1).astype(int)

        def work(part: slice) -> None:
            own = frozen(pairs[part], np.int64), frozen(first[part], np.int64)
            cross_nb(begins, *own, self._market, self._terms, states[part], room())

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, [slice(a, b) for a, b in pairwise(cuts)]))
        found = np.empty_like(states)
        found[order] = states
        return found


def _in_blocks(pairs: Whole) -> Whole:
    """Order pairs so that those that are near each other are made of few lines, which then stay in the cache."""
    fast, slow = pairs.T // _BLOCK
    return np.argsort(fast * (slow.max(initial=0) + 1) + slow, kind="stable")


def line_of(values: Any) -> Line:
    """Make a line ready."""
    own = frozen(values)
    missing = np.isnan(own)
    count = int(np.count_nonzero(missing))
    return Line(own, own.ctypes.data, count if missing[:count].all() else -1)


def _aligned(count: int) -> Floats:
    """Make room for numbers that begins where a line of the cache does, so that a row lies in as few as it can."""
    room = np.empty(count + 8)
    skip = -room.ctypes.data % 64 // 8
    return room[skip : skip + count]


def scored(states: Floats, names: Sequence[str], bars: int, facts: Facts) -> Floats:
    """Give scores of pairs from their sums, shape (k, len(names)); the definitions are those of `kernel_score`."""
    one = states.T
    mean = one[at.SUM] / bars
    squares = np.maximum(one[at.SQUARES] - bars * mean * mean, 0.0)
    spread = np.sqrt(squares / (bars - 1)) if bars > 1 else np.full(len(states), np.nan)
    scale, whole = math.sqrt(facts.periods), squares / bars
    growth, low, trades, profit = (
        one[at.CASH] / facts.cash - 1.0,
        one[at.WORST],
        one[at.TRADES],
        one[at.WON] + one[at.LOST],
    )
    years = facts.years if facts.years > 0.0 else math.nan

    def annual() -> Floats:
        return np.array([growth_rate(total, facts.years) for total in growth.tolist()])

    def skewness() -> Floats:
        return ratio((one[at.CUBES] - 3.0 * mean * one[at.SQUARES]) / bars + 2.0 * mean**3, whole**1.5)

    def kurtosis() -> Floats:
        fourth = (one[at.FOURTHS] - 4.0 * mean * one[at.CUBES] + 6.0 * mean * mean * one[at.SQUARES]) / bars
        return ratio(fourth - 3.0 * mean**4, whole * whole) - 3.0

    found: dict[str, Callable[[], Floats]] = {
        "total_return": lambda: growth,
        "annualised_return": annual,
        "annualised_volatility": lambda: spread * scale,
        "sharpe_ratio": lambda: ratio(mean, spread) * scale,
        "sortino_ratio": lambda: ratio(mean, np.sqrt(one[at.LOSSES] / bars)) * scale,
        "calmar_ratio": lambda: ratio(annual(), -low),
        "max_drawdown": lambda: low,
        "win_rate": lambda: ratio(one[at.WINS], trades),
        "profit_factor": lambda: ratio(one[at.WON], -one[at.LOST]),
        "expectancy": lambda: ratio(profit, trades),
        "exposure": lambda: one[at.EXPOSED] / bars,
        "turnover": lambda: ratio(one[at.TRADED] / years, one[at.WORTH] / bars),
        "trades": lambda: trades,
        "skewness": skewness,
        "kurtosis": kurtosis,
    }
    return np.stack([found[name]() for name in names], axis=1)
