"""The drawdowns of one series as a table: how deep, from when to when, and when it may be over."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import DataError
from workbench.risk.metrics.curves import Curves, ratio, read

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["drawdown_table"]


def drawdown_table(returns: Any, *, most: int | None = 10, ts: Any = None) -> pd.DataFrame:
    """List the drawdowns of one series, the deepest first.

    Parameters
    ----------
    returns : array_like or Series
        Simple returns per bar.
    most : int, optional
        How many at most; all with None.
    ts : sequence, optional
        Times of the bars, in place of a Series' index; positions where neither is there.

    Returns
    -------
    pandas.DataFrame
        `depth` (negative fraction), `start` (last bar at the high; before the first bar: the first), `trough`,
        `recovery` (first bar back at the high; missing where not yet), `bars` below the high, `bars_to_trough`, and for
        one that is not made up yet `gain_needed` (fraction) and `projected_bars`: bars to recovery at the mean
        logarithmic growth of the whole series, missing where that is not above zero.

    Raises
    ------
    DataError
        There is more than one series, a return is unknown, or there are not as many times as bars.
    """
    import pandas as pd

    curves, _ = read(returns)
    if len(curves) != 1 or not curves.known[0]:
        raise DataError("a drawdown table is of one series without unknown returns: give one column, without NaN")
    times = _times(returns, ts, curves.bars)
    rows = [_row(curves, times, number) for number in range(len(curves.episodes.row))]
    names = (
        "depth", "start", "trough", "recovery", "bars", "bars_to_trough", "gain_needed", "projected_bars",
    )  # fmt: skip
    table = pd.DataFrame(rows, columns=list(names))
    return table.sort_values("depth", kind="stable", ignore_index=True).head(most if most is not None else len(table))


def _times(returns: Any, ts: Any, bars: int) -> Any:
    if ts is None:
        given = getattr(returns, "index", None)
        times = range(bars) if given is None or callable(given) else given
    else:
        times = ts
    if len(times) != bars:
        raise DataError(f"ts has {len(times)} times for {bars} bars; give one a bar")
    return times


def _row(curves: Curves, times: Any, number: int) -> Mapping[str, Any]:
    first, after = int(curves.episodes.first[number]), int(curves.episodes.after[number])
    path, back = curves.below[0], after <= curves.bars
    trough = first + int(np.argmin(path[first:after]))
    needed = 0.0 if back else float(ratio(1.0, 1.0 + path[-1])) - 1.0
    growth = math.log(curves.wealth[0, -1]) / curves.bars if curves.wealth[0, -1] > 0.0 else math.nan
    return {
        "depth": float(path[trough]),
        "start": times[max(first - 2, 0)],  # `wealth` begins one place before the bars
        "trough": times[trough - 1],
        "recovery": times[after - 1] if back else None,
        "bars": after - first,
        "bars_to_trough": trough - first + 1,
        "gain_needed": needed,
        "projected_bars": 0.0 if back else math.log1p(needed) / growth if growth > 0.0 else math.nan,
    }
