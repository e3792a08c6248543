"""How the score of a bot goes, by day, week, month or session."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from workbench.bots.comparison.report import ParityReport

__all__ = ["trend_of"]

_PERIODS: Final = {"day": "D", "week": "W-SUN", "month": "M", "session": ""}


def trend_of(report: ParityReport, period: str) -> pd.DataFrame:
    """Give the score of each period; `ParityReport.trend_by` says how."""
    import pandas as pd

    if period not in _PERIODS:
        raise ConfigError(f"period = {period!r} is not one of {', '.join(map(repr, _PERIODS))}", period=period)
    rows = [_row(one) for one in report.compared]
    names = ["score", "trades", "alike", "promised", "lived", "difference"]
    frame = pd.DataFrame(rows, columns=["time", *names]).sort_values("time", kind="stable")
    starts = _starts(frame["time"], report, period)
    told = frame.groupby(starts, sort=True)[names].sum()
    so_far = told["score"].cumsum() / told["trades"].cumsum()
    told["score"] /= told["trades"]
    told["so_far"] = so_far
    told.index = pd.DatetimeIndex(told.index, name="from")
    told = told.astype({"trades": int, "alike": int})
    told.attrs["period"] = period
    return told


def _row(one: Any) -> tuple[Any, ...]:
    wanted, got = one.pair
    time = max(trip.left or trip.entered for trip in one.pair if trip is not None)
    profits = [math.nan if trip is None else trip.pnl for trip in (wanted, got)]
    promised, lived = (0.0 if math.isnan(profit) else profit for profit in profits)
    return time, one.score, 1, int(not one.causes), promised, lived, one.difference


def _starts(times: pd.Series, report: ParityReport, period: str) -> Any:
    """Give when the period of each time begins, as a series of times."""
    import numpy as np
    import pandas as pd

    if period == "session":
        begins = np.unique(np.array([report.began, *report.restarts], dtype=np.int64))
        rows = np.searchsorted(begins, times.to_numpy(dtype=np.int64), side="right") - 1
        return pd.Series(pd.to_datetime(begins[np.maximum(rows, 0)], unit="ms", utc=True), index=times.index)
    shown = pd.to_datetime(times.astype("int64"), unit="ms")
    return shown.dt.to_period(_PERIODS[period]).dt.start_time.dt.tz_localize("UTC")
