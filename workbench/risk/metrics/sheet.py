"""The registry of all metrics, what each says about itself, and the tear sheet that lists them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import DataError
from workbench.risk.metrics import drawdowns, growth, ratios, relative, tails, trades, variation
from workbench.risk.metrics.curves import Curves, read
from workbench.risk.metrics.define import about
from workbench.risk.metrics.metric import ELAPSED, Metric

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HEADLINE", "METRICS", "all_metrics", "explain", "tear_sheet"]

HEADLINE: Final = (
    "total_return", "annualised_return", "annualised_volatility", "sharpe_ratio", "sortino_ratio", "calmar_ratio",
    "max_drawdown", "max_drawdown_start", "max_drawdown_trough", "max_drawdown_recovery", "win_rate", "profit_factor",
    "expectancy", "exposure", "turnover", "trades",
)  # fmt: skip
"""The metrics of `Result.metrics` and of every run in the ledger, in the order in which tables show them."""

_OF_A_RUN: Final = {
    "max_drawdown_start": Metric(
        "Drawdown from", "time", "last bar at the high before it", "definition", "drawdown", better="", needs="run"
    ),
    "max_drawdown_trough": Metric(
        "Drawdown trough", "time", "bar of the lowest equity in it", "definition", "drawdown", better="", needs="run"
    ),
    "max_drawdown_recovery": Metric(
        "Drawdown recovered", "time", "first bar back at the high before it; none if not yet", "definition",
        "drawdown", better="", needs="run",
    ),
    "exposure": Metric(
        "Exposure", "fraction", "bars with a position at some moment / bars", "definition", "activity", better="",
        needs="run",
    ),
    "turnover": Metric(
        "Turnover", "ratio", "value bought and sold a year / mean equity", "definition, both sides counted",
        "activity", annualised=ELAPSED, better="lower", needs="run",
    ),
    "cost_drag": Metric(
        "Cost drag", "fraction", "fees, slippage and funding a year / mean equity", "definition", "activity",
        annualised=ELAPSED, better="lower", needs="run",
    ),
    "average_exposure": Metric(
        "Average exposure", "fraction", "mean of |notional held| / equity at each close", "definition", "activity",
        better="", needs="run",
    ),
    "capacity": Metric(
        "Capacity", "currency", "5th percentile of share x market value x equity / traded value",
        "definition, over bars with trades", "activity", "1 % of the market's value unless given", needs="run",
    ),
    "average_holding_time": Metric(
        "Average holding time", "bars", "mean bars from entry to exit of closed trades", "definition", "activity",
        better="", needs="run",
    ),
    "trades": Metric("Trades", "count", "closed round trips", "definition", "trades", better="", needs="run"),
}  # fmt: skip


def _registry() -> Mapping[str, Metric]:
    found = {
        name: about(getattr(module, name))
        for module in (growth, variation, ratios, drawdowns, tails, relative, trades)
        for name in module.__all__
        if hasattr(getattr(module, name), "metric")
    }
    everything = {**found, **_OF_A_RUN}
    first = {name: everything[name] for name in HEADLINE}
    return MappingProxyType({**first, **{name: one for name, one in everything.items() if name not in first}})


METRICS: Final = _registry()
"""Every metric by name: label, unit, formula, source, convention, and its function."""


def _known(name: str) -> Metric:
    if name not in METRICS:
        near = difflib.get_close_matches(name, METRICS, n=3)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "wb.metrics.METRICS lists them"
        raise DataError(f"there is no metric {name!r}; {hint}", name=name)
    return METRICS[name]


def explain(name: str) -> str:
    """Say in words what a metric is.

    Examples
    --------
    >>> print(explain("max_drawdown"))
    Max drawdown (max_drawdown)
      formula     lowest equity / highest before - 1
      unit        fraction
      source      definition

    Raises
    ------
    DataError
        There is no such metric.
    """
    metric = _known(name)
    lines = {
        "formula": metric.formula,
        "convention": metric.convention,
        "unit": f"{metric.unit}{', a year' if metric.annualised else ''}",
        "source": metric.source,
    }
    told = [f"  {label:<12}{text}" for label, text in lines.items() if text]
    return "\n".join([f"{metric.label} ({name})", *told])


def all_metrics(returns: Any, periods_per_year: float, *, benchmark: Any = None, years: float | None = None) -> Any:
    """Compute every metric of returns.

    Parameters
    ----------
    returns : array_like, Series or DataFrame
        Simple returns per bar, shape (n,) or (n, k).
    periods_per_year : float
    benchmark : array_like or Series, optional
        Its returns on the same bars; without them the metrics that need them are left out.
    years : float, optional
        Elapsed time, for annual growth.

    Returns
    -------
    dict of str to float, or pandas.DataFrame
        By name for one series; for several a row a series (labelled as the columns were) and a column a metric.
    """
    curves, _ = read(returns)
    other = None if benchmark is None else read(benchmark, "benchmark")[0]
    numbers = {
        name: _compute(metric, curves, other, periods_per_year, years)
        for name, metric in METRICS.items()
        if metric.needs == "returns" or (metric.needs == "benchmark" and other is not None)
    }
    if np.ndim(returns) == 1 or (len(curves) == 1 and not hasattr(returns, "columns")):
        return {name: float(found[0]) for name, found in numbers.items()}
    import pandas as pd

    return pd.DataFrame(numbers, index=getattr(returns, "columns", None))


def _compute(metric: Metric, curves: Curves, benchmark: Curves | None, periods: float, years: float | None) -> Any:
    import inspect

    function: Any = metric.function
    wanted = inspect.signature(function).parameters
    options: dict[str, Any] = {}
    if "periods_per_year" in wanted:
        options["periods_per_year"] = periods
    if "years" in wanted and years is not None:
        options["years"] = years
    given = (curves, benchmark) if metric.needs == "benchmark" else (curves,)
    return function(*given, **options)


def tear_sheet(
    returns: Any,
    periods_per_year: float,
    *,
    benchmark: Any = None,
    profits: Any = None,
    years: float | None = None,
    run: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """List every metric that can be computed, with what it means.

    Parameters
    ----------
    returns : array_like or Series
        Of one strategy.
    periods_per_year, benchmark, years
        As in `all_metrics`.
    profits : array_like, optional
        Of its closed trades, in the quote currency.
    run : mapping, optional
        Numbers by name that only the records of a run can tell, such as `exposure`; they are shown as they are.

    Returns
    -------
    pandas.DataFrame
        A row a metric: `group`, `label`, `value`, `text` (for people), `formula`, `convention`, `source`.

    Raises
    ------
    DataError
        There is more than one series, or a number of the run has a name that no metric has.
    """
    import pandas as pd

    numbers = all_metrics(returns, periods_per_year, benchmark=benchmark, years=years)
    if not isinstance(numbers, dict):
        raise DataError("a tear sheet is of one series; give one column at a time, or use all_metrics")
    if profits is not None:
        numbers |= {
            name: metric.function(profits)
            for name, metric in METRICS.items()
            if metric.needs == "profits" and metric.function is not None
        }
    numbers |= dict(run or {})
    order = {name: place for place, name in enumerate(METRICS)}
    rows = {
        name: {
            **{key: getattr(_known(name), key) for key in ("group", "label")},
            "value": numbers[name],
            "text": METRICS[name].text(numbers[name]),
            **{key: getattr(METRICS[name], key) for key in ("formula", "convention", "source")},
        }
        for name in sorted(numbers, key=lambda name: order.get(name, -1))
    }
    return pd.DataFrame.from_dict(rows, orient="index")
