"""Checks of the fills: whether the market could have given them, at that price, in that bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.curves import cost_amounts, holding_value
from workbench.backtest.doctor_case import RUINOUS
from workbench.backtest.doctor_findings import Measured
from workbench.backtest.doctor_text import amount, count, percent, ratio

if TYPE_CHECKING:
    from workbench.backtest.doctor_case import Case

__all__ = [
    "costs_near_zero",
    "fill_at_close",
    "fills_after_gaps",
    "fills_without_volume",
    "margin_calls",
    "outside_prices",
    "outside_volume",
    "position_size",
    "stale_fills",
    "touch_fills",
]

Flags = NDArray[np.bool_]

_ROUNDING = 1e-9  # relative; prices are rounded to ticks before they are compared with the bar
_LEAST_COST = 0.5e-4  # of the traded value, where the instrument itself names less
_NO_FILLS = "Nothing was traded."


def fill_at_close(case: Case) -> Measured:
    """Tell whether decisions filled at the close that they were made of."""
    if not case.plan.at_close:
        return Measured(value=0.0, said="Decisions fill after the bar that they were made on.")
    fills = int(case.reasons("entry", "signal", "reversal", "time_limit").sum())
    return Measured(
        value=1.0,
        said=f'fill="close": {count(fills, "fill")} at the close of the very bar that decided them.',
        evidence={"fills": fills},
    )


def outside_volume(case: Case) -> Measured:
    """Measure the largest share of a bar's volume that one order took."""
    volume, which = case.of_bars("volume"), case.fill("instrument")
    if not len(volume):
        return Measured.nothing(_NO_FILLS)
    known = np.array([line.volume.sum() > 0 for line in case.plan.lines])[which.astype(np.int64)] & (volume > 0)
    if not known.any():
        return Measured.nothing("The data has no volume.")
    # all fills of one instrument in one bar share its volume
    bars, place = np.unique(np.column_stack((which, case.fill_rows)), axis=0, return_inverse=True)
    taken = np.bincount(place.ravel(), weights=case.fill("quantity"), minlength=len(bars))[place.ravel()]
    share = np.where(known, taken / np.where(known, volume, 1.0), 0.0)
    most = int(np.argmax(share))
    beyond = np.flatnonzero(share > 1.0)
    return Measured(
        value=float(share[most]),
        said=f"The most that was traded in one bar is {percent(float(share[most]))} of its volume"
        + (f"; {count(len(beyond), 'fill')} beyond all that was traded." if len(beyond) else "."),
        evidence={
            "largest_share": float(share[most]),
            "quantity": float(taken[most]),
            "volume": float(volume[most]),
            "fills_beyond_volume": len(beyond),
        },
        times=_times(case, share >= max(0.2, 0.999 * float(share[most]))),
    )


def fills_without_volume(case: Case) -> Measured:
    """Count fills in bars in which nobody traded, liquidations apart."""
    if not len(case.records.fills):
        return Measured.nothing(_NO_FILLS)
    which = case.fill("instrument").astype(np.int64)
    known = np.array([line.volume.sum() > 0 for line in case.plan.lines])[which]
    if not known.any():
        return Measured.nothing("The data has no volume.")
    empty = known & (case.of_bars("volume") == 0) & ~case.reasons(*RUINOUS)
    n = int(empty.sum())
    return Measured(
        value=n,
        said=f"{count(n, 'fill')} of {len(empty)} in bars without any volume.",
        evidence={"fills": n, "of": len(empty)},
        times=_times(case, empty),
    )


def outside_prices(case: Case) -> Measured:
    """Count fills at prices that their bar never showed, beyond what slippage and impact explain."""
    if not len(case.records.fills):
        return Measured.nothing(_NO_FILLS)
    low, high = case.of_bars("low") * (1 - _ROUNDING), case.of_bars("high") * (1 + _ROUNDING)
    quoted, price, side = case.fill("quoted"), case.fill("price"), case.fill("side")
    better = np.where(side > 0, price < low, price > high)
    outside = ((quoted < low) | (quoted > high) | better) & ~case.reasons(*RUINOUS)
    n = int(outside.sum())
    worst = float(np.max(np.where(outside, np.maximum(low / quoted, quoted / high) - 1, 0.0)))
    return Measured(
        value=n,
        said=f"{count(n, 'fill')} of {len(outside)} at prices outside their bar"
        + (f", by up to {percent(worst)}." if n else "."),
        evidence={"fills": n, "of": len(outside), "furthest": worst},
        times=_times(case, outside),
    )


def stale_fills(case: Case) -> Measured:
    """Measure the share of fills in bars that were made up by a fill rule, or that only repeat the last price."""
    if not len(case.records.fills):
        return Measured.nothing(_NO_FILLS)
    stale = _stale_at_fills(case)
    n = int(stale.sum())
    share = n / len(stale)
    return Measured(
        value=share,
        said=f"{count(n, 'fill')} of {len(stale)} ({percent(share)}) in bars that were made up or repeat the last "
        "price.",
        evidence={"fills": n, "of": len(stale)},
        times=_times(case, stale),
    )


def _stale_at_fills(case: Case) -> Flags:
    ts, which = case.fill("ts"), case.fill("instrument")
    found = np.zeros(len(ts), dtype=bool)
    for k, line in enumerate(case.plan.lines):
        mine = which == k
        rows = case.fill_rows[mine]
        before = line.close[np.maximum(rows - 1, 0)]
        still = (line.low[rows] == line.high[rows]) & (line.close[rows] == before) & (rows > 0)
        made_up = np.zeros(len(rows), dtype=bool)
        if line.bars.filled is not None:
            at = np.searchsorted(line.bars.ts, ts[mine], side="right") - 1
            made_up = line.bars.filled[np.maximum(at, 0)]
        found[mine] = still | made_up
    return found


def fills_after_gaps(case: Case) -> Measured:
    """Measure the share of fills at the first price after a hole in the data: decided before it, traded behind it."""
    if not len(case.records.fills):
        return Measured.nothing(_NO_FILLS)
    ts, which = case.fill("ts"), case.fill("instrument")
    found = np.zeros(len(ts), dtype=bool)
    for k, line in enumerate(case.plan.lines):
        ends = [gap.end for gap in line.bars.gaps]
        found |= (which == k) & np.isin(ts, ends)
    n = int(found.sum())
    return Measured(
        value=n / len(found),
        said=f"{count(n, 'fill')} of {len(found)} ({percent(n / len(found))}) in the first bar after a hole in the "
        "data.",
        evidence={"fills": n, "of": len(found)},
        times=_times(case, found),
    )


def costs_near_zero(case: Case) -> Measured:
    """Measure what was charged for trading against what the instrument itself says trading costs."""
    if not len(case.records.fills):
        return Measured.nothing(_NO_FILLS)
    maker = case.fill("maker") > 0
    value, usual = np.zeros(len(maker)), np.zeros(len(maker))
    for k, line in enumerate(case.plan.lines):
        facts, mine = line.bars.instrument, case.fill("instrument") == k
        value[mine] = holding_value(line, case.fill("quantity")[mine], case.fill("quoted")[mine])
        taking = facts.taker_fee + facts.spread_bps / 20_000
        usual[mine] = np.where(maker[mine], max(facts.maker_fee, 0.0), max(taking, _LEAST_COST))
    amounts = cost_amounts(case.plan, case.records)
    charged = float(sum(amounts[kind].sum() for kind in ("fees", "slippage", "liquidation")))
    expected = float((usual * value).sum())
    if expected <= 0:
        return Measured.nothing("Every fill was a resting order at a venue that charges none.")
    paid_bps, usual_bps = 1e4 * charged / float(value.sum()), 1e4 * expected / float(value.sum())
    return Measured(
        value=charged / expected,
        said=f"Trading cost {ratio(paid_bps)} bps of the traded value; the instrument's own fees and half its spread "
        f"come to {ratio(usual_bps)} bps.",
        evidence={"charged": charged, "usual": expected, "charged_bps": paid_bps, "usual_bps": usual_bps},
    )


def margin_calls(case: Case) -> Measured:
    """Count liquidations, bankruptcies included."""
    ruined = case.reasons(*RUINOUS)
    n = int(ruined.sum())
    trades = np.flatnonzero(np.isin(case.trips.reason, RUINOUS))
    lost = float(case.trips.pnl[trades].sum())
    if not n:
        return Measured(value=0.0, said="No position was liquidated.", evidence={"liquidations": 0})
    return Measured(
        value=n,
        said=f"{count(n, 'liquidation')}, which cost {amount(-lost)}.",
        evidence={"liquidations": n, "pnl": lost},
        trades=tuple(trades),
        times=_times(case, ruined),
    )


def position_size(case: Case) -> Measured:
    """Measure the largest position against the volume of a typical bar."""
    shares = []
    for held in case.holdings:
        bars = case.plan.lines[held.instrument].bars
        traded = bars.volume[bars.volume > 0]
        if len(traded):
            shares.append((float(np.abs(held.quantity).max()) / float(np.median(traded)), bars.symbol))
    if not shares:
        return Measured.nothing("Nothing was held at a close, or the data has no volume.")
    share, symbol = max(shares)
    return Measured(
        value=share,
        said=f"The largest position in {symbol} is {percent(share)} of the volume of a typical bar.",
        evidence={"bars_of_volume": share, "instrument": symbol},
    )


def touch_fills(case: Case) -> Measured:
    """Measure the share of resting orders that filled although the price only just touched them."""
    maker = case.fill("maker") > 0
    if case.plan.limit_fill != "touch":
        return Measured(value=0.0, said=f'Resting orders fill by the rule "{case.plan.limit_fill}".')
    if not maker.any():
        return Measured.nothing("No resting order filled.")
    extreme = np.where(case.fill("side") > 0, case.of_bars("low"), case.of_bars("high"))
    touched = maker & (np.abs(extreme / case.fill("price") - 1) <= _ROUNDING)
    n, of = int(touched.sum()), int(maker.sum())
    return Measured(
        value=n / of,
        said=f"{n} of {count(of, 'resting order')} filled at the very extreme of their bar ({percent(n / of)}).",
        evidence={"touched": n, "resting": of},
        times=_times(case, touched),
    )


def _times(case: Case, chosen: Flags) -> tuple[int, ...]:
    return tuple(int(ts) for ts in np.unique(case.fill("ts")[chosen]))
