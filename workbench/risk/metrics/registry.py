"""The registry of all metrics, and how one of it is computed from what the caller has."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from workbench.errors import DataError
from workbench.risk.metrics import activity, dated, drawdowns, growth, ratios, relative, tails, trades, variation
from workbench.risk.metrics.define import about
from workbench.risk.metrics.metric import ELAPSED, Metric

__all__ = ["HEADLINE", "METRICS", "asked", "known", "options_of"]

HEADLINE: Final = (
    "total_return", "annualised_return", "annualised_volatility", "sharpe_ratio", "sortino_ratio", "calmar_ratio",
    "max_drawdown", "max_drawdown_start", "max_drawdown_trough", "max_drawdown_recovery", "win_rate", "profit_factor",
    "expectancy", "exposure", "turnover", "trades",
)  # fmt: skip
"""The metrics of `Result.metrics` and of every run in the ledger, in the order in which tables show them."""


def _held(label: str, formula: str) -> Metric:
    return Metric(label, "bars", formula, "definition", "activity", better="", needs="run")


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
        "activity", annualised=ELAPSED, better="lower", needs="run", function=activity.turnover,
    ),
    "cost_drag": Metric(
        "Cost drag", "fraction", "fees, slippage and funding a year / mean equity", "definition", "activity",
        annualised=ELAPSED, better="lower", needs="run", function=activity.cost_drag,
    ),
    "average_exposure": Metric(
        "Average exposure", "fraction", "mean of |notional held| / equity at each close", "definition", "activity",
        better="", needs="run", function=activity.average_exposure,
    ),
    "capacity": Metric(
        "Capacity", "currency", "5th percentile of share x market value x equity / traded value",
        "definition, over bars with trades", "activity", "1 % of the market's value unless given", needs="run",
        function=activity.capacity,
    ),
    "average_holding_time": _held("Average holding time", "mean bars from entry to exit of closed trades"),
    "longest_holding_time": _held("Longest holding time", "most bars from entry to exit of a closed trade"),
    "winner_holding_time": _held("Holding time of winners", "mean bars from entry to exit of trades with a profit"),
    "loser_holding_time": _held("Holding time of losers", "mean bars from entry to exit of trades with a loss"),
    "trades": Metric("Trades", "count", "closed round trips", "definition", "trades", better="", needs="run"),
}  # fmt: skip


def _registry() -> Mapping[str, Metric]:
    found = {
        name: about(getattr(module, name))
        for module in (growth, variation, ratios, drawdowns, tails, relative, dated, trades)
        for name in module.__all__
        if hasattr(getattr(module, name), "metric")
    }
    everything = {**found, **_OF_A_RUN}
    first = {name: everything[name] for name in HEADLINE}
    return MappingProxyType({**first, **{name: one for name, one in everything.items() if name not in first}})


METRICS: Final = _registry()
"""Every metric by name: label, unit, formula, source, convention, and its function."""


def known(name: str) -> Metric:
    """Look a metric up.

    Raises
    ------
    DataError
        There is no such metric.
    """
    if name not in METRICS:
        near = difflib.get_close_matches(name, METRICS, n=3) or [one for one in METRICS if name and name in one][:3]
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "wb.metrics.METRICS lists them"
        raise DataError(f"there is no metric {name!r}; {hint}", name=name)
    return METRICS[name]


def asked(metric: Callable[..., Any] | str) -> Metric:
    """Look up the metric that a caller means: by its function, or by its name.

    Raises
    ------
    DataError
        It is not one, or only a run can tell it.
    """
    found = known(metric) if isinstance(metric, str) else getattr(metric, "metric", None)
    if not isinstance(found, Metric) or found.function is None or found.needs == "run":
        name = metric if isinstance(metric, str) else getattr(metric, "__name__", repr(metric))
        raise DataError(
            f"{name} cannot be computed of a series of returns or profits; give a metric such as "
            "wb.metrics.sharpe_ratio, or its name"
        )
    return found


def options_of(metric: Metric, periods_per_year: float, years: float | None = None) -> dict[str, Any]:
    """Give what a metric wants to know of time, by the names of its parameters."""
    wanted = inspect.signature(metric.function).parameters if metric.function is not None else {}
    options: dict[str, Any] = {}
    if "periods_per_year" in wanted:
        options["periods_per_year"] = periods_per_year
    if "years" in wanted and years is not None:
        options["years"] = years
    return options
