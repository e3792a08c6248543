"""What the doctor looks at: a result as plain arrays, and two ways to run it again under worse terms.

Checks see a `Case` and nothing else, so that each is a function of numbers. Only `case_of` knows what a `Result` is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.curves import Holding, holdings, rows_at
from workbench.backtest.plan import Plan
from workbench.backtest.records import FILL_FIELDS, REASON_CODES, Records, column
from workbench.risk import metrics
from workbench.trading.orders import REASONS

if TYPE_CHECKING:
    from workbench.backtest.result import Result

__all__ = ["RUINOUS", "STOPS", "TARGETS", "Case", "Trips", "case_of"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

STOPS = ("stop_loss", "custom_stop", "trailing_stop")
TARGETS = ("take_profit", "roi")
RUINOUS = ("liquidation", "bankruptcy")


class Trips(NamedTuple):
    """The round trips as columns, oldest first, shape (m,) each.

    `instrument` is a position in the plan's lines; `decided` the open time (ms UTC) of the bar that decided the entry,
    `entry_ts exit_ts` those of the bars of the first and the last fill; `exit_place` where in its bar the last fill
    happened (see `backtest.trips`); `pnl` is after fees and funding, `reason` why it ended, `closed` false for what is
    still open.
    """

    instrument: Whole
    side: Floats
    quantity: Floats
    decided: Whole
    entry_ts: Whole
    exit_ts: Whole
    entry_price: Floats
    exit_price: Floats
    pnl: Floats
    reason: NDArray[np.str_]
    closed: Flags
    exit_place: Whole


@dataclass(frozen=True, eq=False, kw_only=True)
class Case:
    """One backtest, ready to be looked at.

    Attributes
    ----------
    plan : Plan
    records : Records
    trips : Trips
    holding : float64 array, shape (n,)
        What the cash would be worth bought at the first open and held.
    periods_per_year : float
    years : float
        From the first open to the last close.
    dearer : callable
        Gives the equity, shape (n,), of the same run at so many times the costs.
    later : callable
        Gives the equity of the same run with every decision one bar later.
    held_out : str, optional
        What was kept from the search for this strategy, in words; None: not known.
    """

    plan: Plan
    records: Records
    trips: Trips
    holding: Floats
    periods_per_year: float
    years: float
    dearer: Callable[[float], Floats] = field(repr=False)
    later: Callable[[], Floats] = field(repr=False)
    held_out: str | None = None

    @property
    def equity(self) -> Floats:
        """Value of the account at each close, shape (n,)."""
        return self.records.equity

    @cached_property
    def returns(self) -> Floats:
        """Simple returns per bar, shape (n,)."""
        return metrics.returns_of(self.equity, self.plan.cash)

    @property
    def profit(self) -> float:
        """What the whole run made, in the quote currency."""
        return float(self.equity[-1] - self.plan.cash) if len(self.equity) else 0.0

    def fill(self, name: str) -> Floats:
        """Give one column of the fills, shape (f,)."""
        return column(self.records.fills, FILL_FIELDS, name)

    @cached_property
    def fill_rows(self) -> Whole:
        """Row of its line's base bars in which each fill happened, shape (f,)."""
        rows = np.zeros(len(self.records.fills), dtype=np.int64)
        ts, which = self.fill("ts").astype(np.int64), self.fill("instrument").astype(np.int64)
        for k, line in enumerate(self.plan.lines):
            mine = which == k
            rows[mine] = rows_at(line.ts, ts[mine])
        return rows

    def of_bars(self, name: str) -> Floats:
        """Give a column of the base bars (`open`, `volume`, …) as of each fill, shape (f,)."""
        which = self.fill("instrument").astype(np.int64)
        found = np.full(len(which), np.nan)
        for k, line in enumerate(self.plan.lines):
            mine = which == k
            found[mine] = getattr(line, name)[self.fill_rows[mine]]
        return found

    def reasons(self, *names: str) -> Flags:
        """Tell which fills happened for one of some reasons, shape (f,)."""
        found: Flags = np.isin(self.fill("reason"), [REASON_CODES[name] for name in names])
        return found

    @cached_property
    def holdings(self) -> tuple[Holding, ...]:
        """What each book that ever held anything held at each close."""
        return tuple(holdings(self.plan, self.records))


def case_of(result: Result, *, held_out: str | None = None) -> Case:
    """Take from a result what the doctor needs."""
    from workbench.backtest.compare import delayed, scaled

    return Case(
        plan=result.plan,
        records=result.records,
        trips=_trips_of(result),
        holding=result.buy_and_hold,
        periods_per_year=result.periods_per_year,
        years=result.years,
        dearer=lambda factor: scaled(result, factor).equity_values,
        later=lambda: delayed(result).equity_values,
        held_out=held_out,
    )


def _trips_of(result: Result) -> Trips:
    def whole(name: str) -> Whole:
        return result.trip(name).astype(np.int64)

    return Trips(
        instrument=whole("instrument"),
        side=result.trip("side"),
        quantity=result.trip("quantity"),
        decided=whole("entry_decided"),
        entry_ts=whole("entry_ts"),
        exit_ts=whole("exit_ts"),
        entry_price=result.trip("entry_price"),
        exit_price=result.trip("exit_price"),
        pnl=result.profits,
        reason=np.asarray(REASONS)[whole("reason")],
        closed=result.closed,
        exit_place=whole("exit_place"),
    )
