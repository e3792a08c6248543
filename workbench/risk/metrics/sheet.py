"""All metrics at once: of many curves, and the tear sheet of one with what each number means and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import DataError
from workbench.risk.metrics.bootstrap import Resampling, drawn_of, series_of
from workbench.risk.metrics.curves import Curves, read
from workbench.risk.metrics.define import by_period
from workbench.risk.metrics.metric import Metric
from workbench.risk.metrics.registry import METRICS, known, options_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["all_metrics", "interval_table", "span_text", "tear_sheet"]

_SAID = ("unit", "formula", "convention", "annualised", "source")


def all_metrics(returns: Any, periods_per_year: float, *, benchmark: Any = None, years: float | None = None) -> Any:
    """Compute every metric of returns.

    Parameters
    ----------
    returns : array_like, Series or DataFrame
        Simple returns per bar, shape (n,) or (n, k). With a DatetimeIndex, those of days, months and years too.
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
    dated = _by_periods(returns)
    numbers = {}
    for name, metric in METRICS.items():
        function: Any = metric.function
        options = options_of(metric, periods_per_year, years)
        if metric.needs == "returns":
            numbers[name] = function(curves, **options)
        elif metric.needs == "benchmark" and other is not None:
            numbers[name] = function(curves, other, **options)
        elif metric.needs == "dated" and dated:
            numbers[name] = function(dated[function.period])
    if np.ndim(returns) == 1 or (len(curves) == 1 and not hasattr(returns, "columns")):
        return {name: float(found[0]) for name, found in numbers.items()}
    import pandas as pd

    return pd.DataFrame(numbers, index=getattr(returns, "columns", None))


def _by_periods(returns: Any) -> dict[str, Curves]:
    """Compound by day, month and year where the returns have times."""
    if not hasattr(getattr(returns, "index", None), "tz"):
        return {}
    return {period: by_period(returns, period)[0] for period in ("D", "M", "Y")}


def interval_table(
    returns: Any,
    periods_per_year: float,
    *,
    names: Sequence[str] | None = None,
    benchmark: Any = None,
    profits: Any = None,
    years: float | None = None,
    resampling: Resampling | None = None,
) -> pd.DataFrame:
    """Say how sure metrics of one series are, by resampling its bars (with the benchmark's) and its trades.

    Parameters
    ----------
    returns : array_like or Series
        Of one strategy, simple returns per bar.
    periods_per_year, benchmark, years
        As in `all_metrics`.
    names : sequence of str, optional
        Which metrics; every one that can be computed when left out.
    profits : array_like, optional
        Of its closed trades.
    resampling : Resampling, optional
        How; 500 draws and 95 % when left out.

    Returns
    -------
    pandas.DataFrame
        A row a metric: `low` and `high`; NaN where fewer than half of the draws have an answer.

    Raises
    ------
    DataError
        There is more than one series, a name that no metric has, or a resampling that is none.

    Notes
    -----
    Politis and Romano (1994). All metrics are computed of the same draws. Of a drawdown the interval says what other
    orders of the same stretches would have brought. The cost grows with draws times bars: all metrics of 500 draws of
    50,000 bars take some 15 s, so name the ones that are wanted, or draw less, of a long history.
    """
    import pandas as pd

    how = Resampling() if resampling is None else resampling
    if not isinstance(how, Resampling):
        raise DataError(f"resampling is {how!r}; give how to draw, such as wb.metrics.Resampling(draws=500)")
    chosen = [(name, known(name)) for name in (METRICS if names is None else names)]
    given = {"returns": (returns, None), "benchmark": (returns, benchmark), "profits": (profits, None)}
    if _by_periods(returns):
        given["dated"] = (returns, None)
    groups: dict[tuple[str, str], list[tuple[str, Metric]]] = {}
    for name, metric in chosen:
        there = metric.needs in given and all(
            one is not None for one in given[metric.needs][: 2 if metric.needs == "benchmark" else 1]
        )
        if there and metric.function is not None:
            groups.setdefault((metric.needs, getattr(metric.function, "period", "")), []).append((name, metric))
    ends: dict[str, tuple[float, float]] = {}
    for (needs, _), members in groups.items():
        ends |= _ends(members, series_of(members[0][1], *given[needs]), how, periods_per_year, years)
    order = [name for name, _ in chosen if name in ends]
    return pd.DataFrame([ends[name] for name in order], index=order, columns=["low", "high"], dtype=np.float64)


def _ends(
    members: Sequence[tuple[str, Metric]], series: Curves, how: Resampling, periods: float, years: float | None
) -> dict[str, tuple[float, float]]:
    """Compute metrics that need the same of the same draws."""
    found: dict[str, list[Any]] = {name: [] for name, _ in members}
    for drawn in drawn_of(series, how, trades=members[0][1].needs == "profits"):
        for name, metric in members:
            function: Any = metric.function
            found[name].append(function(*drawn, **options_of(metric, periods, years)))
    return {
        name: how.ends(np.concatenate(numbers)) if numbers else (math.nan, math.nan) for name, numbers in found.items()
    }


def tear_sheet(
    returns: Any,
    periods_per_year: float,
    *,
    benchmark: Any = None,
    profits: Any = None,
    years: float | None = None,
    run: Mapping[str, Any] | None = None,
    resampling: Resampling | None = None,
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
    resampling : Resampling, optional
        Give intervals too, drawn so.

    Returns
    -------
    pandas.DataFrame
        A row a metric: `group`, `label`, `value`, `text` (for people), `unit`, `formula`, `convention`, `annualised`
        (how), `source`; with intervals `low`, `high` and `interval` (for people) after `text`.

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
            **{key: getattr(known(name), key) for key in ("group", "label")},
            "value": numbers[name],
            "text": METRICS[name].text(numbers[name]),
            **{key: getattr(METRICS[name], key) for key in _SAID},
        }
        for name in sorted(numbers, key=lambda name: order.get(name, -1))
    }
    sheet = pd.DataFrame.from_dict(rows, orient="index")
    if resampling is not None:
        ends = interval_table(
            returns, periods_per_year, benchmark=benchmark, profits=profits, years=years, resampling=resampling
        ).reindex(sheet.index)
        texts = [span_text(METRICS[name], *pair) for name, pair in zip(ends.index, ends.to_numpy(), strict=True)]
        columns: dict[str, Any] = {"low": ends["low"], "high": ends["high"], "interval": texts}
        for place, (column, values) in enumerate(columns.items()):
            sheet.insert(4 + place, column, values)
    return sheet


def span_text(metric: Metric, low: float, high: float) -> str:
    """Write an interval for people; empty without one."""
    return "" if math.isnan(low) or math.isnan(high) else f"{metric.text(float(low))} to {metric.text(float(high))}"
