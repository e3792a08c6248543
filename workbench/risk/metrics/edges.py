"""What each metric gives where there is little to go by: no bars, one bar, no change, ruin, an unknown return."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.risk.metrics.curves import Curves
from workbench.risk.metrics.metric import Metric
from workbench.risk.metrics.registry import METRICS, known, options_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["edge_cases", "edges_of"]

_CASES: Final = {
    "no bars": (),
    "one bar": (0.01,),
    "no change": (0.0,) * 20,
    "constant gain": (0.01,) * 20,
    "bankrupt": (0.10, -1.0, 0.0, 0.0),
    "unknown bar": (0.01, float("nan"), 0.02),
}
_TRADES: Final = {
    "no trades": (),
    "one winner": (5.0,),
    "no change": (0.0,) * 20,
    "equal winners": (5.0,) * 20,
    "only losers": (-5.0, -10.0, -5.0),
    "unknown trade": (5.0, float("nan"), -2.0),
}


def edges_of(name: str) -> dict[str, float]:
    """Give what one metric makes of each case; nothing for what only a run can tell.

    Raises
    ------
    DataError
        There is no such metric.
    """
    return dict(_found(name)) if known(name).needs != "run" else {}


@cache
def _found(name: str) -> tuple[tuple[str, float], ...]:
    metric = METRICS[name]
    cases = _TRADES if metric.needs == "profits" else _CASES
    return tuple((label, _value(metric, np.array(case))) for label, case in cases.items())


def _value(metric: Metric, case: Any) -> float:
    function: Any = metric.function
    given: tuple[Any, ...] = (case,)
    if metric.needs == "benchmark":
        given = (case, 0.01 * (-1.0) ** np.arange(len(case)))
    if metric.needs == "dated":  # each bar a period of its own
        given = (Curves(case[None, :]),)
    return float(np.ravel(function(*given, **options_of(metric, 252.0)))[0])


def edge_cases() -> pd.DataFrame:
    """Put what every metric of returns, a benchmark, dates or trades gives at the edges into one table.

    Returns
    -------
    pandas.DataFrame
        A row a metric, a column a case; NaN is "no answer". Cases of returns, with 252 periods a year: no bars; one bar
        of 1 %; 20 bars of 0; 20 bars of 1 %; +10 %, -100 %, 0, 0; 1 %, unknown, 2 %. The benchmark is +1 %, -1 % in
        turn; with dates each bar is a period. Those of trades: none; one of 5; 20 of 0; 20 of 5; -5, -10, -5; 5,
        unknown, -2. They stand in the columns of their like: "one winner" under "one bar", and so on.
    """
    import pandas as pd

    rows = {name: list(edges_of(name).values()) for name, metric in METRICS.items() if metric.needs != "run"}
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(_CASES))
