"""Checks of the trades: how many there are, and on how few of them the result hangs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.doctor_findings import Measured
from workbench.backtest.doctor_text import amount, count, percent, span
from workbench.backtest.records import SKIP_FIELDS, SKIP_REASONS, column

if TYPE_CHECKING:
    from workbench.backtest.doctor_case import Case

__all__ = [
    "entries_not_traded",
    "few_trades",
    "one_instrument",
    "one_trade",
    "open_loss",
    "short_unborrowed",
    "win_rate",
]

_FEWEST_FOR_A_RATE = 5
_OWNED = ("spot", "equity", "index")
# What hinders an entry that nobody meant to hinder; protections and the end of the data are as they should be.
_UNWANTED = (
    "no equity left", "below the smallest order", "no stop to size by", "leverage beyond the tier", "refused",
)  # fmt: skip


def few_trades(case: Case) -> Measured:
    """Count the closed trades."""
    closed = int(case.trips.closed.sum())
    won = int((case.trips.pnl[case.trips.closed] > 0).sum())
    return Measured(
        value=closed,
        said=f"{count(closed, 'closed trade')} in {span(case.years)}.",
        evidence={"trades": closed, "won": won, "years": round(case.years, 2)},
    )


def one_trade(case: Case) -> Measured:
    """Measure the share of the net profit that the best trade made, and in how many years it turned the sign."""
    trips = case.trips
    total = float(trips.pnl.sum())
    if not len(trips.pnl) or total <= 0:
        return Measured.nothing("There is no net profit that a trade could have made.")
    best = int(np.argmax(trips.pnl))
    share = float(trips.pnl[best]) / total
    years = trips.exit_ts.astype("datetime64[ms]").astype("datetime64[Y]").astype(np.int64) + 1970
    turned = [
        int(year)
        for year in np.unique(years)
        if (mine := trips.pnl[years == year]).sum() > 0 >= mine.sum() - mine.max()
    ]
    others = f" and {count(len(turned) - 3, 'other year')}" if len(turned) > 3 else ""
    years_told = f"{', '.join(map(str, turned[:3]))}{others}"
    without = f"; without its best trade a loss in {years_told}" if turned else ""
    return Measured(
        value=share,
        said=f"The best trade made {percent(share)} of the net profit{without}.",
        evidence={
            "best_trade": float(trips.pnl[best]),
            "net_profit": total,
            "profit_without_it": total - float(trips.pnl[best]),
            "years_it_turned": len(turned),
        },
        trades=(best,),
        times=(int(trips.entry_ts[best]),),
    )


def win_rate(case: Case) -> Measured:
    """Measure the share of closed trades that made money."""
    pnl = case.trips.pnl[case.trips.closed]
    if len(pnl) < _FEWEST_FOR_A_RATE:
        return Measured.nothing(f"A share of {count(len(pnl), 'closed trade')} says nothing.")
    share = float((pnl > 0).mean())
    return Measured(
        value=share,
        said=f"{percent(share)} of {len(pnl)} closed trades made money.",
        evidence={"won": int((pnl > 0).sum()), "lost": int((pnl <= 0).sum()), "largest_loss": float(pnl.min())},
    )


def one_instrument(case: Case) -> Measured:
    """Measure the share of the net profit that the best instrument made."""
    lines, trips = case.plan.lines, case.trips
    if len(lines) < 2:
        return Measured.nothing("There is only one instrument.")
    made = np.bincount(trips.instrument, weights=trips.pnl, minlength=len(lines))
    if made.sum() <= 0:
        return Measured.nothing("There is no net profit to share out.")
    best = int(np.argmax(made))
    share = float(made[best] / made.sum())
    name = lines[best].bars.symbol
    return Measured(
        value=share,
        said=f"{name} made {percent(share)} of the net profit of {len(lines)} instruments.",
        evidence={"instrument": name, "its_profit": float(made[best]), "net_profit": float(made.sum())},
    )


def open_loss(case: Case) -> Measured:
    """Measure the loss of the trades that are still open at the end, as a share of the last equity."""
    trips = case.trips
    losing = np.flatnonzero(~trips.closed & (trips.pnl < 0))
    if not (~trips.closed).any():
        return Measured(value=0.0, said="Nothing is open at the end.", evidence={"open_trades": 0})
    lost, last = -float(trips.pnl[losing].sum()), float(case.equity[-1])
    share = lost / last if last > 0 else math.inf
    if not len(losing):
        return Measured(value=0.0, said="What is open at the end shows no loss.", evidence={"open_loss": 0.0})
    return Measured(
        value=share,
        said=f"{count(len(losing), 'trade')} still open at the end with a loss of {amount(lost)}, "
        f"{percent(share)} of the equity; win rate and profit factor do not count it.",
        evidence={"open_loss": lost, "last_equity": last, "open_trades": int((~trips.closed).sum())},
        trades=tuple(losing),
        times=tuple(trips.entry_ts[losing]),
    )


def short_unborrowed(case: Case) -> Measured:
    """Count short trades of what must be borrowed to be sold, where nothing was charged for the loan."""
    owned = np.array([line.bars.instrument.kind in _OWNED for line in case.plan.lines])
    short = np.flatnonzero((case.trips.side < 0) & owned[case.trips.instrument]) if len(case.trips.side) else _none()
    charged = [k for k, line in enumerate(case.plan.lines) if np.any(line.funding_rate != 0)]
    free = short[~np.isin(case.trips.instrument[short], charged)]
    if not len(free):
        return Measured(value=0.0, said="No short trade of something that must be borrowed.", evidence={"trades": 0})
    made = float(case.trips.pnl[free].sum())
    return Measured(
        value=len(free),
        said=f"{count(len(free), 'short trade')} of spot or shares paid nothing to borrow; they made {amount(made)}.",
        evidence={"trades": len(free), "pnl": made},
        trades=tuple(free),
        times=tuple(case.trips.entry_ts[free]),
    )


def entries_not_traded(case: Case) -> Measured:
    """Measure the share of decided entries that money, order sizes or margin did not allow."""
    skipped, made = case.records.skipped, len(case.trips.pnl)
    codes = column(skipped, SKIP_FIELDS, "reason").astype(np.int64)
    unwanted = np.isin(codes, [SKIP_REASONS.index(reason) for reason in _UNWANTED])
    missed = int(unwanted.sum())
    if not missed + made:
        return Measured.nothing("No entry was decided that could have been traded.")
    reasons = {SKIP_REASONS[code]: int((codes == code).sum()) for code in np.unique(codes[unwanted])}
    because = f" ({', '.join(f'{reason}: {n}' for reason, n in reasons.items())})" if reasons else ""
    return Measured(
        value=missed / (missed + made),
        said=f"{count(missed, 'entry', 'entries')} of {missed + made} could not be traded{because}.",
        evidence={"not_traded": missed, "traded": made, **reasons},
        times=tuple(column(skipped, SKIP_FIELDS, "ts")[unwanted].astype(np.int64)),
    )


def _none() -> NDArray[np.int64]:
    return np.zeros(0, dtype=np.int64)
