"""Prices that their neighbours contradict: spikes that revert at once, and jumps between two bars in no time.

What is normal is taken from the series itself: the median true range of a stretch of bars and of both its neighbours,
the largest of the three. So a market that has become wild is measured by how wild it is, and a single wild bar cannot
hide itself by raising the scale. A crash is no outlier: the bars after it confirm the price. A wick is one only if it
reaches far beyond everything that two bars on either side touched, by many such ranges.

Real panics do that too, for a bar; but they trade. In the held data a wick of more than six ranges comes with three to
seven hundred times the usual volume when it was real (liquidation cascades, the flash crashes), and with usual volume
when it was a bad print. So the limit rises in proportion to volume beyond twice the usual. A series without volume
gets a higher limit instead: ten ranges, above what real closes of fifty years of stocks and indices reach.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.market.bars import Bars
from workbench.market.quality.findings import QualityFinding

__all__ = ["Spread", "spread_of", "unlikely_prices", "usual_around"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LIMIT: Final = 6.0  # ranges beyond the neighbours, at up to
USUAL: Final = 2.0  # times the usual volume
LIMIT_BLIND: Final = 10.0  # where there is no volume to tell by
LIMIT_LEVEL: Final = 20.0  # ranges between a close and the next open
LONGEST: Final = 3  # bars that a spike can last
LIMIT_SPLIT: Final = 4.0  # ranges of a session that began with a split
WIDEST_SPLIT: Final = 0.05  # how far from the ratio it may open (log)
SPLITS: Final = (1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0)
_BLOCK: Final = 64
_SIDE: Final = 2  # bars on either side that must contradict
_FEWEST: Final = 20  # bars below which nothing is usual yet


class Spread(NamedTuple):
    """What is usual around each bar of a series.

    Parameters
    ----------
    scale : float64 array, shape (n,)
        Usual true range as a fraction, longer where bars are missing beside it.
    volume : float64 array, shape (n,)
        Volume in units of the usual one; NaN where there is none to compare with.
    """

    scale: Floats
    volume: Floats


def spread_of(bars: Bars) -> Spread:
    """Work out what is usual around each bar."""
    before = np.concatenate([bars.open[:1], bars.close[:-1]])
    ranges = np.log(np.maximum(bars.high, before) / np.minimum(bars.low, before))
    scale = np.maximum(usual_around(ranges), 0.5 * ranges.mean())
    usual = usual_around(bars.volume)
    with np.errstate(invalid="ignore", divide="ignore"):
        volume = np.where(usual > 0, bars.volume / usual, np.nan)
    return Spread(scale * np.sqrt(_apart(bars)), volume)


def _apart(bars: Bars) -> Floats:
    """Give how many bars lie between each bar and the further of its neighbours; a closed market has none to miss."""
    steps = np.ones(len(bars))
    for gap in bars.gaps:
        row = int(np.searchsorted(bars.ts, gap.end))
        steps[row - 1 : row + 1] = np.maximum(steps[row - 1 : row + 1], gap.missing + 1.0)
    return steps


def usual_around(values: Floats) -> Floats:
    """Give the median of each stretch of bars or of the one before or after it, whichever is largest."""
    count = -(-len(values) // _BLOCK)
    padded = np.full(count * _BLOCK, np.nan)
    padded[: len(values)] = values
    rest = len(values) % _BLOCK
    if rest and count > 1:  # a short last stretch borrows from the one before
        padded[len(values) :] = values[-_BLOCK:-rest]
    medians = np.nanmedian(padded.reshape(count, _BLOCK), axis=1)
    edges = np.concatenate([medians[:1], medians, medians[-1:]])
    return np.repeat(np.maximum(np.maximum(edges[:-2], edges[1:-1]), edges[2:]), _BLOCK)[: len(values)]


def unlikely_prices(bars: Bars) -> list[QualityFinding]:
    """Find spikes of up to three bars, and jumps between two bars that follow each other without a pause."""
    if len(bars) < _FEWEST:
        return []
    spread = spread_of(bars)
    with np.errstate(divide="ignore", invalid="ignore"):
        spikes = _spikes(bars, spread)
        jumps = _levels(bars, spread) + _splits(bars, spread)
    edges = {edge for one in spikes for edge in (one.start, one.end)}  # a spike jumps there and back: told once
    return spikes + [one for one in jumps if one.start not in edges]


def _limits(volume: Floats) -> Floats:
    limit = LIMIT * np.maximum(1.0, volume / USUAL)
    return np.where(np.isnan(volume), LIMIT_BLIND, limit)


def _shifted(values: Floats, by: int, fill: float) -> Floats:
    """Give at each row the value `by` rows later (earlier where negative)."""
    out = np.full(len(values), fill)
    if by >= 0:
        out[: len(values) - by] = values[by:]
    else:
        out[-by:] = values[:by]
    return out


def _spikes(bars: Bars, spread: Spread) -> list[QualityFinding]:
    """Find runs of 1 to 3 bars beyond everything that the bars on either side touched; the shortest run wins."""
    taken = np.zeros(len(bars), dtype=np.bool_)
    if bars.filled is not None:
        taken |= bars.filled
    found: list[QualityFinding] = []
    for length in range(1, LONGEST + 1):
        above, below = _beyond(bars, length)
        away = np.maximum(above, below)
        scale = _over(spread.scale, length)
        limit = _limits(_over(spread.volume, length))
        for row in np.flatnonzero(away > limit * scale).tolist():
            if taken[row : row + length].any():
                continue
            taken[row : row + length] = True
            found.append(_spike(bars, row, length, float(away[row]), float(away[row] / scale[row]), above[row] > 0))
    return found


def _beyond(bars: Bars, length: int) -> tuple[Floats, Floats]:
    """Tell how far a run of bars from each row on lies above, and below, what both sides touched (log).

    Of one bar the extreme counts, of several the inner edge: all of them must be away. A run at either end of the
    series has no two sides, and is never beyond.
    """
    sides = [*range(-_SIDE, 0), *range(length, length + _SIDE)]
    top = np.maximum.reduce([_shifted(bars.high, by, np.inf) for by in sides])
    bottom = np.minimum.reduce([_shifted(bars.low, by, 0.0) for by in sides])
    if length == 1:
        return np.log(bars.high / top), np.log(bottom / bars.low)
    inner_low = np.minimum.reduce([_shifted(bars.low, by, 0.0) for by in range(length)])
    inner_high = np.maximum.reduce([_shifted(bars.high, by, np.inf) for by in range(length)])
    return np.log(inner_low / top), np.log(bottom / inner_high)


def _over(values: Floats, length: int) -> Floats:
    """Give the largest value of a run of rows from each row on."""
    return np.asarray(np.fmax.reduce([_shifted(values, by, np.nan) for by in range(length)]))


def _spike(bars: Bars, row: int, length: int, away: float, ranges: float, above: bool) -> QualityFinding:
    part = slice(row, row + length)
    price = float(bars.high[part].max() if above else bars.low[part].min())
    size = float(np.expm1(away) if above else -np.expm1(-away))
    return QualityFinding(
        kind="outlier", cause="spike", start=int(bars.ts[row]),
        end=int(bars.ts[row + length - 1]) + bars.timeframe.ms, bars=length, size=size,
        detail=f"{'high' if above else 'low'} {price:.10g} is {size:.2%} beyond its neighbours, {ranges:.0f} usual "
        "ranges",
    )  # fmt: skip


def _splits(bars: Bars, spread: Spread) -> list[QualityFinding]:
    """Find overnight jumps by a simple ratio in a market with sessions: a split that was not adjusted for.

    After a split the session itself is an ordinary one; a crash by half is not. Closes without a range cannot tell.
    """
    if bars.instrument.calendar == "24/7":
        return []
    jump = np.log(bars.open[1:] / bars.close[:-1])
    calm = np.minimum(spread.scale[1:], spread.scale[:-1])
    off = np.abs(np.abs(jump)[:, None] - np.log(SPLITS)[None, :])
    nearest = off.argmin(axis=1)
    inside = np.log(bars.high[1:] / bars.low[1:])
    ordinary = (inside > 0) & (inside < LIMIT_SPLIT * calm)
    rows = (
        np.flatnonzero(
            ordinary & (off.min(axis=1) < np.minimum(2.0 * calm, WIDEST_SPLIT)) & (np.abs(jump) > LIMIT_BLIND * calm)
        )
        + 1
    )
    return [
        QualityFinding(
            kind="outlier", cause="split", start=int(bars.ts[row]), end=int(bars.ts[row]) + bars.timeframe.ms, bars=1,
            size=abs(float(np.expm1(jump[row - 1]))),
            detail=f"opens at {bars.open[row]:.10g} after a close of {bars.close[row - 1]:.10g}, about "
            + (f"1:{SPLITS[nearest[row - 1]]:g}" if jump[row - 1] > 0 else f"{SPLITS[nearest[row - 1]]:g}:1"),
        )
        for row in rows.tolist()
    ]  # fmt: skip


def _levels(bars: Bars, spread: Spread) -> list[QualityFinding]:
    """Find opens far from the close before them where no time lies between: only a market without pauses has these."""
    if bars.instrument.calendar != "24/7":
        return []
    jump = np.abs(np.log(bars.open[1:] / bars.close[:-1]))
    beside = np.diff(bars.ts) == bars.timeframe.ms
    calm = np.minimum(spread.scale[1:], spread.scale[:-1])
    rows = np.flatnonzero(beside & (jump > LIMIT_LEVEL * calm)) + 1
    return [
        QualityFinding(
            kind="outlier", cause="level", start=int(bars.ts[row]), end=int(bars.ts[row]) + bars.timeframe.ms, bars=1,
            size=float(np.expm1(jump[row - 1])),
            detail=f"opens at {bars.open[row]:.10g} after a close of {bars.close[row - 1]:.10g} in the same moment",
        )
        for row in rows.tolist()
    ]  # fmt: skip
