"""Checks of what a bar hides and of what the data lacks: exits that the path decided, holes, warm-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.doctor_case import STOPS, TARGETS, Trips
from workbench.backtest.doctor_findings import Measured
from workbench.backtest.doctor_text import amount, count, percent
from workbench.backtest.records import REASON_CODES
from workbench.backtest.trips import INSIDE
from workbench.market.bars import moment

if TYPE_CHECKING:
    from workbench.backtest.doctor_case import Case
    from workbench.backtest.plan import Line, Plan

__all__ = ["held_over_gaps", "in_sample_only", "missing_bars", "same_bar_exits", "warm_up"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.int64]


def same_bar_exits(case: Case) -> Measured:
    """Measure the share of all profits and losses that hangs on the unknown path inside a bar."""
    trips = case.trips
    ended = trips.closed & np.isin(trips.reason, (*STOPS, *TARGETS))
    if not ended.any():
        return Measured.nothing("No trade ended at a stop or a target.")
    other = _other_level(case)
    moved = np.abs(other - trips.exit_price) * trips.quantity
    both = ended & np.isfinite(other)
    at_once = ended & (trips.entry_ts == trips.exit_ts) & ~both & ~case.plan.at_close
    hanging = np.where(both, moved, np.where(at_once, np.abs(trips.pnl), 0.0))
    rows = np.flatnonzero(both | at_once)
    whole = float(np.abs(trips.pnl).sum())
    share = float(hanging.sum()) / whole if whole > 0 else 0.0
    return Measured(
        value=share,
        said=f"The path inside a bar decided {count(len(rows), 'exit')} of {int(ended.sum())}: {int(both.sum())} with "
        f"stop and target in one bar, {int(at_once.sum())} in the bar of their entry; {amount(float(hanging.sum()))} "
        f"hangs on it, {percent(share)} of all profits and losses.",
        evidence={
            "stop_and_target": int(both.sum()),
            "in_the_entry_bar": int(at_once.sum()),
            "exits": int(ended.sum()),
            "hanging": float(hanging.sum()),
        },
        trades=tuple(rows),
        times=tuple(trips.exit_ts[rows]),
    )


def _other_level(case: Case) -> Floats:
    """Give for each trade the level that lay in its last bar too, the target of a stopped one; NaN for none."""
    trips, plan = case.trips, case.plan
    found = np.full(len(trips.pnl), np.nan)
    for k, line in enumerate(plan.lines):
        if line.signals is None:
            continue
        mine = np.flatnonzero((trips.instrument == k) & trips.closed & (trips.exit_place == INSIDE))
        row = np.searchsorted(line.ts, trips.exit_ts[mine])
        stops, targets = _levels(line, plan, trips, mine)
        opened, high, low, side = line.open[row], line.high[row], line.low[row], trips.side[mine]
        stopped = np.isin(trips.reason[mine], STOPS)
        target_inside = stopped & np.where(side > 0, high >= targets, low <= targets)
        stop_inside = np.isin(trips.reason[mine], TARGETS) & np.where(side > 0, low <= stops, high >= stops)
        # what gapped through its level at the open was decided by no path
        gapped = _gapped(case, k, mine, opened)
        level = np.where(target_inside, targets, np.where(stop_inside, stops, np.nan))
        found[mine] = np.where(gapped, np.nan, level)
    return found


def _gapped(case: Case, line: int, mine: Whole, opened: Floats) -> Flags:
    """Tell which of some trades ended at the very open of their last bar."""
    fills = np.flatnonzero(case.fill("instrument") == line)
    ts, quoted = case.fill("ts")[fills], case.fill("quoted")[fills]
    last = np.searchsorted(ts, case.trips.exit_ts[mine], side="right") - 1
    found: Flags = quoted[np.maximum(last, 0)] == opened if len(fills) else np.zeros(len(mine), dtype=bool)
    return found


def _levels(line: Line, plan: Plan, trips: Trips, mine: Whole) -> tuple[Floats, Floats]:
    """Give the fixed stop and the target of some trades as of their exits; NaN for none."""
    said, price, side = line.signals, trips.entry_price[mine], trips.side[mine]
    decided = np.searchsorted(line.bars.ts, trips.decided[mine])

    def of(name: str) -> Floats:
        values: Floats = getattr(said, name)
        return values[decided] if len(values) > 1 else np.full(len(decided), values[0])

    targets = price * (1 + side * of("take_profit"))
    if len(plan.exits.roi_ms):
        elapsed = trips.exit_ts[mine] - trips.entry_ts[mine]
        rung = np.searchsorted(plan.exits.roi_ms, elapsed, side="right") - 1
        level = np.where(rung >= 0, plan.exits.roi_level[np.maximum(rung, 0)], np.nan)
        ladder = price * (1 + side * level)
        targets = np.where(side > 0, np.fmin(targets, ladder), np.fmax(targets, ladder))
    return price * (1 - side * of("stop_loss")), targets


def held_over_gaps(case: Case) -> Measured:
    """Measure the share of trades that were held over a hole in the data."""
    trips = case.trips
    if not len(trips.pnl):
        return Measured.nothing("Nothing was traded.")
    missed = np.zeros(len(trips.pnl), dtype=np.int64)
    for k, line in enumerate(case.plan.lines):
        for gap in line.bars.gaps:
            over = (trips.instrument == k) & (trips.entry_ts < gap.start) & (trips.exit_ts >= gap.end)
            missed[over] += gap.missing
    rows = np.flatnonzero(missed)
    share = len(rows) / len(missed)
    longest = int(missed.max())
    return Measured(
        value=share,
        said=f"{count(len(rows), 'trade')} of {len(missed)} held over missing bars"
        + (f", at most {longest:,} of them." if longest else "."),
        evidence={"trades": len(rows), "most_missing": longest, "pnl": float(trips.pnl[rows].sum())},
        trades=tuple(rows),
        times=tuple(trips.entry_ts[rows]),
    )


def missing_bars(case: Case) -> Measured:
    """Measure the share of the expected bars that the data lacks."""
    missing = sum(gap.missing for line in case.plan.lines for gap in line.bars.gaps)
    there = sum(len(line.bars) for line in case.plan.lines)
    made_up = sum(int(line.bars.filled.sum()) for line in case.plan.lines if line.bars.filled is not None)
    share = (missing + made_up) / (missing + there)
    return Measured(
        value=share,
        said=f"{missing:,} bars are missing and {made_up:,} were made up, of {missing + there:,} ({percent(share)}).",
        evidence={"missing": missing, "made_up": made_up, "bars": there},
        times=tuple(gap.start for line in case.plan.lines for gap in line.bars.gaps),
    )


def warm_up(case: Case) -> Measured:
    """Measure at which bar the first entry was decided, as a multiple of the bars that the strategy looks back."""
    strategy = case.plan.strategy
    named = getattr(strategy, "parameters", None)
    if not isinstance(named, dict):
        return Measured.nothing("Ready-made signals do not say how far back they look.")
    lengths = [value for value in named.values() if isinstance(value, int) and not isinstance(value, bool)]
    longest = max([int(getattr(strategy, "warm_up", 0) or 0), *lengths])
    entries = case.fill("reason") == REASON_CODES["entry"]
    if longest < 2 or not entries.any():
        return Measured.nothing("The strategy names no length to look back, or nothing was traded.")
    decided = int(case.fill("decided")[entries].min())
    first = min(int(np.searchsorted(line.bars.ts, decided, side="right")) for line in case.plan.lines)
    return Measured(
        value=first / longest,
        said=f"The first entry was decided after {count(first, 'bar')} ({moment(decided)}); the longest length among "
        f"parameters and warm-up is {longest}.",
        evidence={"bars_before": first, "longest": longest},
        times=(decided,),
    )


def in_sample_only(case: Case) -> Measured:
    """Tell whether anything is known to have been kept from the search for this strategy."""
    if case.held_out:
        return Measured(value=1.0, said=f"Held out: {case.held_out}.", evidence={"held_out": case.held_out})
    return Measured(
        value=0.0,
        said="This result cannot show that any history was kept from the search for the strategy.",
        evidence={"held_out": ""},
    )
