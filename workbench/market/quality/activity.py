"""What a series says by not moving: bars without volume, and bars that repeat the one before.

Whether silence is odd depends on the market. In a liquid one a single bar without volume is worth a word; in a thin
one most bars have none, and only a silence that such a market is not expected to have once in its history is.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workbench.market.bars import COLUMNS, Bars
from workbench.market.quality.findings import QualityFinding
from workbench.market.quality.prices import usual_around

__all__ = ["repeated_bars", "runs_of", "silent_bars"]

_RARE: Final = 0.002  # share of silent bars up to which every one of them is told
_UNEXPECTED: Final = 0.01  # runs of that length that chance would give such a series
_TRADED: Final = 0.1  # of the usual volume: two equal bars of one small order each are chance
_FEWEST: Final = 2  # equal bars in a row


def runs_of(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Give the first row and the row after the last of every run of true flags."""
    edges = np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def silent_bars(bars: Bars) -> list[QualityFinding]:
    """Find runs without volume that are longer than this market is silent by chance; none where nothing has volume."""
    silent = bars.volume == 0
    if bars.filled is not None:
        silent &= ~bars.filled
    share = float(silent.mean()) if len(bars) else 0.0
    if not 0 < share < 1:
        return []
    runs = runs_of(silent)
    shortest = 1 if share <= _RARE else _longest_by_chance(silent, share)
    return [
        QualityFinding(
            kind="zero_volume", start=int(bars.ts[first]), end=int(bars.ts[stop - 1]) + bars.timeframe.ms,
            bars=stop - first, size=float(stop - first),
        )
        for first, stop in runs
        if stop - first >= shortest
    ]  # fmt: skip


def _longest_by_chance(silent: NDArray[np.bool_], share: float) -> int:
    """Give the length from which a run is longer than chance explains, silence following silence as it does here.

    Silence clusters (nights), so the chance that a silent bar follows a silent one is taken from the series.
    """
    follows = float(silent[1:][silent[:-1]].mean()) if silent[:-1].any() else share
    follows = min(max(follows, share), 0.999)
    begun = len(silent) * share * (1 - follows)
    return max(2, 1 + math.ceil(math.log(_UNEXPECTED / max(begun, _UNEXPECTED)) / math.log(follows)))


def repeated_bars(bars: Bars) -> list[QualityFinding]:
    """Find bars that moved and traded, and are equal to the one before in all five columns: a row delivered again."""
    if len(bars) < _FEWEST:
        return []
    same = np.logical_and.reduce([getattr(bars, name)[1:] == getattr(bars, name)[:-1] for name in COLUMNS])
    same &= (bars.volume[1:] > _TRADED * usual_around(bars.volume)[1:]) & (bars.high[1:] > bars.low[1:])
    return [
        QualityFinding(
            kind="duplicate", cause="repeated", start=int(bars.ts[first + 1]),
            end=int(bars.ts[stop]) + bars.timeframe.ms, bars=stop - first, size=float(stop - first),
        )
        for first, stop in runs_of(same)
    ]  # fmt: skip
