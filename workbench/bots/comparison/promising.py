"""`Promise`: the backtest of what a bot was to do, over the time in which it lived, from the bar at which it began."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from workbench.backtest.event_path import Replay
from workbench.backtest.plan import Plan
from workbench.backtest.stepping import moments, step
from workbench.trading.events import Event, Filled, Funded, Started

if TYPE_CHECKING:
    from workbench.backtest.result import Result

__all__ = ["Promise", "equity_of"]


class Promise(Replay):
    """The event path over a plan, while a bot lived.

    Bars before its first are history, as they were for the bot: the strategy knows them and decides nothing on them.

    Parameters
    ----------
    plan : Plan
    since : int
        Close of the first bar that the bot acted on, ms UTC.
    until : int
        Last time that it heard of.

    Attributes
    ----------
    told : list of Filled or Funded
    """

    def __init__(self, plan: Plan, since: int, until: int) -> None:
        super().__init__(plan)
        self.since, self.until = since, until
        self.told: list[Filled | Funded] = []
        before = [int(np.searchsorted(one.bars.ts + one.bars.timeframe.ms, since)) for one in plan.lines]
        self._learns = max(before)
        if self._learns:
            self.core.quiet = max(self.core.quiet, self._learns)

    def go(self) -> None:
        """Run through the time."""
        if not self._learns:
            super().go()
            return
        started = False
        for ts, opens, rows in moments(self.feeds):
            if not started and ts >= self.since:
                started = True
                self.deliver([Started(ts)])
            step(self, ts, opens, rows)

    def deliver(self, events: list[Event]) -> None:
        """Keep what was executed, and hand everything on."""
        for event in events:
            if isinstance(event, (Filled, Funded)) and event.ts <= self.until:
                self.told.append(event)
        super().deliver(events)

    def result(self, charged: Any) -> Result | None:
        """Give it as a result of the time in which the bot lived; None where that is no whole bar.

        Parameters
        ----------
        charged : mapping of str to Costs
        """
        from workbench.backtest.result import Result

        records = self.log.records(self)
        ends = records.ts + min(line.bars.timeframe.ms for line in self.plan.lines)
        inside = (ends >= self.since) & (ends <= self.until)
        if not inside.any():
            return None
        first, last = int(records.ts[inside][0]), int(records.ts[inside][-1])
        lines = tuple(replace(line, bars=line.bars.between(first, last + 1)) for line in self.plan.lines)
        if not all(len(line.bars) for line in lines):
            return None
        kept = replace(records, ts=records.ts[inside], equity=records.equity[inside])
        return Result(plan=replace(self.plan, lines=lines), records=kept, costs=charged, fill="next_open")


def equity_of(told: list[Filled | Funded], plan: Plan, ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give the value of an account that did what was executed, at some times.

    Parameters
    ----------
    told : list of Filled or Funded
    plan : Plan
        Its bars give the prices, its cash is what the account began with.
    ends : int64 array, shape (n,)
        Closes of bars, ms UTC, rising.

    Returns
    -------
    float64 array, shape (n,)
    """
    value = np.full(len(ends), plan.cash)
    for line in plan.lines:
        bars, size, turn = line.bars, line.contract_size, line.inverse
        mine = sorted((one for one in told if one.symbol == bars.symbol), key=lambda one: one.ts)
        if not mine:
            continue
        moves = np.zeros((len(mine), 3))  # quantity, what it was worth, fees and funding
        for place, one in enumerate(mine):
            if isinstance(one, Funded):
                moves[place, 2] = one.amount
                continue
            worth = -1.0 / one.price if turn else one.price
            moves[place] = one.change, one.change * worth * size, -one.fee
        sums = np.concatenate((np.zeros((1, 3)), np.cumsum(moves, axis=0)))
        done = sums[np.searchsorted([one.ts for one in mine], ends, side="left")]
        closed = np.searchsorted(bars.ts + bars.timeframe.ms, ends, side="right") - 1
        price = bars.close[np.maximum(closed, 0)]
        value += done[:, 0] * size * (-1.0 / price if turn else price) - done[:, 1] + done[:, 2]
    return value
