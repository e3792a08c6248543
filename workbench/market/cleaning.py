"""The steps by which rows become fit to be bars: order, timeframe, session dates, grid, duplicates.

Each step changes no price: it reorders, relabels or drops rows, notes in words what it did, or refuses. What order they
come in is `market.importing`'s affair.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from workbench.errors import DataError
from workbench.market.bars import COLUMNS, moment
from workbench.market.calendar import expected_opens, zone_of
from workbench.market.timeframe import Timeframe
from workbench.market.timestamps import wall_clock

__all__ = [
    "OffGrid",
    "Rows",
    "check_step",
    "drop_duplicates",
    "guess_timeframe",
    "label_by_session",
    "leave_grid",
    "note_outside",
]

OffGrid = Literal["error", "drop"]

_DAY_MS: Final = 86_400_000
_HOUR_MS: Final = 3_600_000
_SHOWN: Final = 5  # rows that an error or a note lists
_OUTSIDE: Final = 0.1  # share of bars outside trading time from which the import says so


@dataclass(kw_only=True)
class Rows:
    """The table under work: times and a (5, n) block of prices and volume, with the account of what was done."""

    ts: NDArray[np.int64]
    wall: NDArray[np.int64]
    values: NDArray[np.float64]
    facts: dict[str, Any]
    notes: list[str] = field(default_factory=list)

    def keep(self, mask: NDArray[Any]) -> None:
        """Keep some rows, or bring them into an order."""
        self.ts, self.wall, self.values = self.ts[mask], self.wall[mask], self.values[:, mask]


def guess_timeframe(ts: NDArray[np.int64], symbol: str) -> Timeframe:
    """Take the most common step between sorted times, the shortest of several that are equally common."""
    steps = np.diff(ts)
    steps, counts = np.unique(steps[steps > 0], return_counts=True)
    if not len(steps):
        raise DataError(f"{symbol}: one time alone does not tell the timeframe; give it, for example timeframe='1d'")
    step = int(steps[np.argmax(counts)])
    if 28 * _DAY_MS <= step <= 31 * _DAY_MS:
        raise DataError(
            f"{symbol}: the rows are a month apart; bars have a fixed length, so months cannot be bars. Import daily "
            "or weekly data",
            step_ms=step,
        )
    if step % 1_000:
        raise DataError(f"{symbol}: the most common step is {step} ms, which is no timeframe of bars; give timeframe=…")
    return Timeframe(step)


def check_step(ts: NDArray[np.int64], bar: Timeframe, symbol: str) -> None:
    """Refuse a timeframe that the caller gave too short: each bar would be followed by a hole."""
    steps = np.diff(ts)
    steps = steps[steps > 0]
    common = int(np.gcd.reduce(steps)) if len(steps) >= 10 else bar.ms
    if common > bar.ms and common % bar.ms == 0:
        raise DataError(
            f"{symbol}: timeframe {bar} does not fit: all {len(steps) + 1:,} times are multiples of "
            f"{Timeframe(common)} apart; give timeframe='{Timeframe(common)}', or leave it out",
            timeframe=str(bar),
        )


def label_by_session(rows: Rows, bar: Timeframe, calendar: str) -> None:
    """Move bars of a day or longer that are stamped by a market's local clock to their session's date at 00:00 UTC."""
    zone = zone_of(calendar) if bar.ms >= _DAY_MS and not bar.on_grid(rows.ts).all() else None
    if zone is None:
        return
    for wall in (rows.wall, wall_clock(rows.ts, zone)):
        clock = int(wall[0] % _DAY_MS)
        if (wall == rows.ts).all() or (wall % _DAY_MS != clock).any():
            continue
        evening = calendar == "24/5" and clock == 17 * _HOUR_MS  # the currency day begins the evening before
        if calendar == "24/5" and clock and not evening:
            continue
        label = wall - clock + (_DAY_MS if evening else 0)
        if bar.on_grid(label).all():
            rows.ts = label
            stamp = f"{clock // _HOUR_MS:02}:{clock // 60_000 % 60:02}"
            rows.notes.append(f"stamped {stamp} local time, now labelled by the session's date at 00:00 UTC")
            return


def leave_grid(rows: Rows, bar: Timeframe, symbol: str, *, off_grid: OffGrid, guessed: bool) -> int:
    """Refuse or drop the rows at which no bar opens; give how many were dropped."""
    bad = ~bar.on_grid(rows.ts)
    count = int(bad.sum())
    if not count:
        return 0
    times = [moment(ts) for ts in rows.ts[bad]]
    shown = ", ".join(times[:_SHOWN]) + (", …" if count > _SHOWN else "")
    if off_grid == "error" or count == len(rows.ts):
        why = f" ({bar} is the most common step; give timeframe=… if it is another)" if guessed else ""
        raise DataError(
            f"{symbol}: at {count:,} of {len(rows.ts):,} times no {bar} bar opens in UTC{why}: "
            f"{shown}; give the data's timezone (tz=…), or leave those rows out with off_grid='drop'",
            count=count, times=tuple(int(ts) for ts in rows.ts[bad][:_SHOWN]),
        )  # fmt: skip
    rows.keep(~bad)
    rows.notes.append(f"{count} row{'s' * (count > 1)} off the {bar} grid dropped ({times[0]} to {times[-1]})")
    return count


def drop_duplicates(rows: Rows, symbol: str) -> int:
    """Drop rows that repeat the one before; refuse those that contradict it. Give how many were dropped."""
    again = np.flatnonzero(np.diff(rows.ts) == 0) + 1
    if not len(again):
        return 0
    before, here = rows.values[:, again - 1], rows.values[:, again]
    same = ((before == here) | (np.isnan(before) & np.isnan(here))).all(axis=0)
    if not same.all():
        wrong = again[~same]
        listed = "; ".join(
            f"{moment(rows.ts[row])}: {' '.join(map(repr, rows.values[:, row - 1].tolist()))} and "
            f"{' '.join(map(repr, rows.values[:, row].tolist()))}"
            for row in wrong[:_SHOWN].tolist()
        )
        raise DataError(
            f"{symbol}: {len(wrong):,} time{'s' * (len(wrong) > 1)} with rows that contradict each other "
            f"({' '.join(COLUMNS)}): {listed}{'; …' if len(wrong) > _SHOWN else ''}. Decide which are right and drop "
            "the others",
            count=len(wrong), times=tuple(rows.ts[wrong[:_SHOWN]].tolist()),
        )  # fmt: skip
    rows.keep(np.setdiff1d(np.arange(len(rows.ts)), again, assume_unique=True))
    rows.notes.append(f"{len(again)} identical row{'s' * (len(again) > 1)} dropped")
    return len(again)


def note_outside(rows: Rows, bar: Timeframe, calendar: str) -> None:
    """Say when many bars lie outside trading time: extended hours, or times read in the wrong timezone."""
    if bar.ms >= _DAY_MS or calendar == "24/7" or not len(rows.ts):
        return
    expected = expected_opens(calendar, bar, int(rows.ts[0]), int(rows.ts[-1]) + 1)
    outside = 1 - float(np.isin(rows.ts, expected, assume_unique=True).mean())
    if outside >= _OUTSIDE:
        rows.notes.append(
            f"{outside:.0%} of the bars lie outside the trading time of {calendar}: extended hours, or a wrong timezone"
        )
