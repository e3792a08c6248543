"""Watching how far a portfolio is below its high: a monitor that is told equity after equity and says where it stands.

Money paid in or out is no profit: what counts is the growth of what was there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from workbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Drawdown", "DrawdownMonitor", "drawdown_table", "monitor_of"]

Standing = Literal["ok", "warn", "pause", "ruined"]
_DAY_MS: Final = 86_400_000
_KEPT: Final = ("warn", "pause", "begun", "ts", "equity", "growth", "peak", "peak_ts", "trough", "trough_ts")


class Drawdown(NamedTuple):
    """Where a portfolio stands.

    `depth`, `deepest`: negative fractions, now and since the high; `peak_equity`: what the high would be in money of
    now, payments taken into account; times in ms UTC; `days` since the high; `gain_needed`: fraction to the high;
    `projected_days`: to the high at the mean growth since the beginning, NaN where that is not above zero; `standing`:
    "ok", "warn" or "pause" by the depth now, "ruined" without equity.
    """

    standing: Standing
    depth: float
    deepest: float
    peak_equity: float
    peak_ts: int
    trough_ts: int
    days: float
    gain_needed: float
    projected_days: float

    @property
    def sentence(self) -> str:
        """Where it stands, in words."""
        if self.standing == "ruined":
            return "Nothing is left."
        if self.depth == 0.0:
            return "At its highest value."
        back = "" if math.isnan(self.projected_days) else f", about {self.projected_days:,.0f} days at its mean growth"
        state = {"ok": "", "warn": " This is a warning.", "pause": " Trading should pause."}[self.standing]
        return (
            f"{-self.depth:.1%} below its high of {self.days:,.0f} days ago; it takes {self.gain_needed:+.1%} to be "
            f"back{back}.{state}"
        ).replace("%", " %")


class DrawdownMonitor:
    """Is told equities in the order of time.

    Parameters
    ----------
    warn, pause : float, defaults 0.15 and 0.25
        Depths, fractions above zero.

    Raises
    ------
    ConfigError
        They are no fractions, or the pause comes before the warning.

    Examples
    --------
    >>> monitor = DrawdownMonitor()
    >>> for day, equity in enumerate((100.0, 120.0, 96.0)):
    ...     standing = monitor.update(day * 86_400_000, equity).standing
    >>> standing, round(monitor.now.depth, 6), round(monitor.now.gain_needed, 6)
    ('warn', -0.2, 0.25)
    """

    def __init__(self, *, warn: float = 0.15, pause: float = 0.25) -> None:
        for name, value in (("warn", warn), ("pause", pause)):
            number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
            if not number or not 0.0 < value < 1.0:
                raise ConfigError(f"{name} = {value!r}: give a fraction above 0 and below 1, such as 0.15", name=name)
        if warn > pause:
            raise ConfigError(f"warn = {warn:g} is deeper than pause = {pause:g}: the warning comes first")
        self.warn, self.pause = float(warn), float(pause)
        self.begun: int | None = None
        self.ts = self.peak_ts = self.trough_ts = 0
        self.equity = 0.0
        self.growth = self.peak = self.trough = 1.0

    def update(self, ts: int, equity: float, *, paid_in: float = 0.0) -> Drawdown:
        """Hear of an equity.

        Parameters
        ----------
        ts : int
            ms UTC; later than before.
        equity : float
            After the payment.
        paid_in : float, default 0
            What was paid in since the last time, negative for what was taken out. It counts as paid at this very time.

        Returns
        -------
        Drawdown

        Raises
        ------
        DataError
            Time does not go forward, or a number is not finite. Nothing has changed then.
        """
        if not (math.isfinite(equity) and math.isfinite(paid_in)):
            raise DataError(f"equity {equity!r} with {paid_in!r} paid in: give finite numbers")
        if self.begun is None:
            if equity <= 0.0:
                raise DataError(f"a monitor begins with an equity above zero, not {equity!r}")
            self.begun = self.peak_ts = self.trough_ts = ts
        elif ts <= self.ts:
            raise DataError(f"an equity of ts {ts} comes after one of {self.ts}: give them in the order of time", ts=ts)
        elif self.growth > 0.0 and self.equity > 0.0:
            self.growth = max(self.growth * (equity - paid_in) / self.equity, 0.0)
        self.ts, self.equity = ts, float(equity)
        if self.growth >= self.peak:
            self.peak, self.peak_ts, self.trough, self.trough_ts = self.growth, ts, self.growth, ts
        elif self.growth < self.trough:
            self.trough, self.trough_ts = self.growth, ts
        return self.now

    @property
    def now(self) -> Drawdown:
        """Where it stands.

        Raises
        ------
        DataError
            No equity was heard of yet.
        """
        if self.begun is None:
            raise DataError("the monitor has heard of no equity yet: call update first")
        depth = self.growth / self.peak - 1.0
        needed = self.peak / self.growth - 1.0 if self.growth > 0.0 else math.inf
        return Drawdown(
            standing=self._standing(depth),
            depth=depth,
            deepest=self.trough / self.peak - 1.0,
            peak_equity=self.equity * (1.0 + needed) if self.growth > 0.0 else math.nan,
            peak_ts=self.peak_ts,
            trough_ts=self.trough_ts,
            days=(self.ts - self.peak_ts) / _DAY_MS,
            gain_needed=needed,
            projected_days=self._projected(needed),
        )

    def _standing(self, depth: float) -> Standing:
        if self.growth <= 0.0:
            return "ruined"
        close = 1e-12  # a depth of exactly the threshold is reached, whatever floats make of it
        return "pause" if -depth >= self.pause - close else "warn" if -depth >= self.warn - close else "ok"

    def _projected(self, needed: float) -> float:
        if needed == 0.0:
            return 0.0
        days = (self.ts - (self.begun or 0)) / _DAY_MS
        rate = math.log(self.growth) / days if self.growth > 0.0 and days > 0.0 else 0.0
        return math.log1p(needed) / rate if rate > 0.0 else math.nan

    def snapshot(self) -> dict[str, Any]:
        """Give everything as plain numbers, for `restore`."""
        return {name: getattr(self, name) for name in _KEPT}

    @classmethod
    def restore(cls, kept: Mapping[str, Any]) -> DrawdownMonitor:
        """Make a monitor that goes on where `snapshot` was taken.

        Raises
        ------
        DataError
            It is no snapshot of a monitor.
        """
        missing = [name for name in _KEPT if name not in kept]
        if missing:
            raise DataError(f"this is no snapshot of a drawdown monitor: it has no {missing[0]!r}")
        found = cls(warn=kept["warn"], pause=kept["pause"])
        for name in _KEPT[2:]:
            setattr(found, name, kept[name])
        return found


def monitor_of(equity: pd.Series, *, warn: float = 0.15, pause: float = 0.25) -> DrawdownMonitor:
    """Tell a monitor the equities of a series by time; unknown ones are left out.

    Raises
    ------
    DataError
        It is no series by time, or has no equity.
    """
    import pandas as pd

    if not isinstance(equity, pd.Series) or not isinstance(equity.index, pd.DatetimeIndex):
        raise DataError("give equity as a Series with a DatetimeIndex")
    known = equity.dropna()
    if not len(known):
        raise DataError(f"{equity.name or 'the series'} has no equity")
    monitor = DrawdownMonitor(warn=warn, pause=pause)
    index = pd.DatetimeIndex(known.index)
    index = index.tz_localize("UTC") if index.tz is None else index
    for ts, value in zip(index.as_unit("ms").asi8.tolist(), known.to_numpy(dtype=np.float64).tolist(), strict=True):
        monitor.update(ts, value)
    return monitor


def drawdown_table(equities: pd.DataFrame, *, warn: float = 0.15, pause: float = 0.25) -> pd.DataFrame:
    """Say where each column of equities stands: one row a column, the fields of `Drawdown`, times as timestamps."""
    import pandas as pd

    rows = {str(name): monitor_of(equities[name], warn=warn, pause=pause).now._asdict() for name in equities.columns}
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(Drawdown._fields))
    for name in ("peak_ts", "trough_ts"):
        frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True)
    return frame.rename(columns={"peak_ts": "peak_time", "trough_ts": "trough_time"})
