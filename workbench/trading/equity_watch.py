"""What losses are reckoned from: the equity as the day and the week began, its highest, and the capital paid in."""

from __future__ import annotations

import math
from typing import Any, Final

__all__ = ["DAY", "EquityWatch", "next_day", "next_week", "until"]

DAY: Final = 86_400_000
_MONDAY: Final = 4 * DAY  # the first Monday of the epoch


def next_day(ts: int) -> int:
    """Give the next midnight (UTC)."""
    return (ts // DAY + 1) * DAY


def next_week(ts: int) -> int:
    """Give the next Monday (UTC)."""
    return ((ts - _MONDAY) // (7 * DAY) + 1) * 7 * DAY + _MONDAY


class EquityWatch:
    """The equity of one scope: a bot, or all bots of an account or workspace.

    Attributes
    ----------
    starts : list of float
        Equity as the day began, as the week began, highest, and capital: what the first four rules compare with.
    """

    __slots__ = ("day", "starts", "week")

    def __init__(self) -> None:
        self.starts = [math.nan] * 4
        self.day = self.week = 0

    def roll(self, ts: int, equity: float) -> None:
        """Begin a new day and week where one has come; `equity` as of before."""
        if ts >= self.day:
            self.starts[0], self.day = equity, next_day(ts)
        if ts >= self.week:
            self.starts[1], self.week = equity, next_week(ts)
        if self.starts[3] != self.starts[3]:
            self.starts[2] = self.starts[3] = equity

    def see(self, equity: float) -> None:
        """Take in the equity of now."""
        if equity > self.starts[2]:
            self.starts[2] = equity

    def shift(self, amount: float) -> None:
        """Take in money that came in or went out: it is neither profit nor loss."""
        self.starts = [start + amount for start in self.starts]

    def renew(self, equity: float) -> None:
        """Reckon from now on: somebody has looked at the losses and goes on."""
        self.starts = [equity] * 4

    def losses(self, equity: float) -> list[float]:
        """Give the fall from each start, fractions."""
        return [1.0 - equity / start if start > 0.0 else math.nan for start in self.starts]

    def snapshot(self) -> list[Any]:
        """Give everything as plain data."""
        return [[None if one != one else one for one in self.starts], self.day, self.week]

    @classmethod
    def restore(cls, data: Any) -> EquityWatch:
        """Read what `snapshot` gave."""
        made = cls()
        made.starts = [math.nan if one is None else one for one in data[0]]
        made.day, made.week = data[1], data[2]
        return made


def until(rule: str, ts: int, pause_ms: int | None = None) -> float:
    """Give until when what a rule has done holds: a day, a week, a pause, or until somebody resumes (infinity)."""
    if rule == "weekly_loss":
        return next_week(ts)
    if rule in ("max_drawdown", "capital_depletion"):
        return math.inf if pause_ms is None else ts + pause_ms
    return next_day(ts)
