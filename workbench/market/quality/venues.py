"""What another venue says of the same market: prices that it does not confirm, and times at which it does not agree.

Two venues differ by fees, money and distance, and that difference wanders; a bad print leaves it and comes back. So
the ratio of the closes is held against its own running median, and counts as odd only where the series at hand moved
away from its own neighbours more than the other did. Where the returns fit better one or more bars earlier or later,
one of the two clocks is wrong.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench.market.bars import Bars
from workbench.market.quality.activity import runs_of
from workbench.market.quality.findings import QualityFinding

__all__ = ["compare", "is_same_market"]

Floats = NDArray[np.float64]

DOLLARS: Final = frozenset({"USD", "USDT", "USDC", "BUSD", "TUSD", "FDUSD", "DAI"})
_FEWEST: Final = 200  # common bars below which nothing is compared
_LIMIT: Final = 15.0  # usual deviations of the ratio
_FLOOR: Final = 0.01  # and at least this far, as a fraction
_LAGS: Final = 26  # bars; a day of hours and both changes of the clocks
_WINDOW: Final = 720  # common bars that are held against each other at once
_FIT: Final = 0.5  # correlation that the best lag must have
_BETTER: Final = 0.2  # by how much it must be better than no lag
_BLOCK: Final = 32


def is_same_market(one: Bars, other: Bars) -> bool:
    """Tell whether two series are of the same thing: one symbol, or one base asset in any kind of dollar."""
    if one.timeframe != other.timeframe or (one.venue, one.symbol) == (other.venue, other.symbol):
        return False
    if one.symbol == other.symbol:
        return True
    first, second = one.instrument, other.instrument
    dollars = first.quote in DOLLARS and second.quote in DOLLARS
    return first.base == second.base and first.base != "" and dollars and one.venue != other.venue


def compare(bars: Bars, other: Bars) -> list[QualityFinding]:
    """Hold a series against another of the same market; nothing is found where they have too little time in common."""
    _, mine, theirs = np.intersect1d(bars.ts, other.ts, assume_unique=True, return_indices=True)
    if len(mine) < _FEWEST:
        return []
    skew = _lags(bars, other, mine, theirs)
    lagging = np.zeros(len(bars), dtype=np.bool_)
    for one in skew:
        lagging |= (bars.ts >= one.start) & (bars.ts < one.end)
    return skew + _unconfirmed(bars, other, mine, theirs, lagging)


def _unconfirmed(
    bars: Bars, other: Bars, mine: NDArray[np.intp], theirs: NDArray[np.intp], lagging: NDArray[np.bool_]
) -> list[QualityFinding]:
    ratio = np.log(bars.close[mine] / other.close[theirs])
    off = ratio - _running_median(ratio)
    usual = np.maximum(1.4826 * _running_median(np.abs(off)), 1e-6)
    ours, others = _moved(np.log(bars.close[mine])), _moved(np.log(other.close[theirs]))
    odd = (np.abs(off) > np.maximum(_LIMIT * usual, _FLOOR)) & (ours > others) & ~lagging[mine]
    found = []
    for first, stop in runs_of(odd):
        worst = first + int(np.abs(off[first:stop]).argmax())
        found.append(
            QualityFinding(
                kind="outlier", cause="venue", start=int(bars.ts[mine[first]]),
                end=int(bars.ts[mine[stop - 1]]) + bars.timeframe.ms, bars=stop - first,
                size=abs(float(np.expm1(off[worst]))),
                detail=f"close {bars.close[mine[worst]]:.10g}, {other.close[theirs[worst]]:.10g} at {other.venue}",
            )
        )  # fmt: skip
    return found


def _moved(logs: Floats) -> Floats:
    """Tell how far each value is from the median of itself and two on either side."""
    padded = np.pad(logs, 2, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 5)
    away: Floats = np.abs(logs - np.median(around, axis=1))
    return away


def _running_median(values: Floats) -> Floats:
    """Give the median of the block of each value and of the blocks beside it."""
    count = -(-len(values) // _BLOCK)
    padded = np.pad(values, (_BLOCK, (count + 1) * _BLOCK - len(values)), mode="reflect")
    blocks = np.lib.stride_tricks.sliding_window_view(padded, 3 * _BLOCK)[::_BLOCK][:count]
    return np.repeat(np.median(blocks, axis=1), _BLOCK)[: len(values)]


def _lags(bars: Bars, other: Bars, mine: NDArray[np.intp], theirs: NDArray[np.intp]) -> list[QualityFinding]:
    """Find stretches of common time whose returns fit best at another time; neighbours of one lag are one finding."""
    moves, others = np.diff(np.log(bars.close[mine])), np.diff(np.log(other.close[theirs]))
    found: list[QualityFinding] = []
    for first in range(0, len(moves) - _WINDOW // 2, _WINDOW):
        part = slice(first, min(first + _WINDOW, len(moves)))
        lag = _best_lag(moves[part], others[part])
        if not lag:
            continue
        start, end = int(bars.ts[mine[part.start]]), int(bars.ts[mine[part.stop]]) + bars.timeframe.ms
        size = float(lag * bars.timeframe.ms)
        if found and found[-1].size == size and found[-1].end >= start:
            start, _ = found.pop().start, None
        count = int(np.searchsorted(bars.ts, end) - np.searchsorted(bars.ts, start))
        found.append(
            QualityFinding(
                kind="clock_skew", cause="lag", start=start, end=end, bars=count, size=size,
                detail=f"returns are those of {other.venue} {abs(lag)} bar{'s' * (abs(lag) > 1)} "
                f"{'earlier' if lag > 0 else 'later'}",
            )
        )  # fmt: skip
    return found


def _best_lag(moves: Floats, others: Floats) -> int:
    """Give by how many bars `moves` come after `others`; 0 where nothing fits clearly better than no lag."""
    fits = {lag: _fit(moves, others, lag) for lag in range(-_LAGS, _LAGS + 1)}
    best = max(fits, key=lambda lag: fits[lag])
    return best if fits[best] >= _FIT and fits[best] - fits[0] >= _BETTER else 0


def _fit(moves: Floats, others: Floats, lag: int) -> float:
    if lag < 0:
        return _fit(others, moves, -lag)
    one, two = moves[lag:], others[: len(others) - lag]
    spread = float(one.std() * two.std())
    return float(((one - one.mean()) * (two - two.mean())).mean()) / spread if spread else 0.0
