"""Results side by side: with each other, with buying and holding, and with themselves at other costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ConfigError
from workbench.risk import metrics

if TYPE_CHECKING:
    import pandas as pd

    from workbench.backtest.result import Result

__all__ = ["compare", "cost_sensitivity", "holding_metrics"]

_SENSITIVE: Final = ("total_return", "annualised_return", "sharpe_ratio", "max_drawdown", "profit_factor", "trades")


def compare(results: Sequence[Result]) -> pd.DataFrame:
    """Put results side by side.

    Parameters
    ----------
    results : sequence of Result
        At least one. Each stands beside buying and holding its own bars at its own costs.

    Returns
    -------
    pandas.DataFrame
        One row a result, then one for buying and holding each of the series, labelled by strategy and series; columns
        are the numeric metrics (NaN where holding has none, such as a win rate).

    Raises
    ------
    ConfigError
        There is nothing to compare, or something that is no Result.
    """
    import pandas as pd

    from workbench.backtest.result import Result

    rows = list(results) if not isinstance(results, Result) else [results]
    if not rows or any(not isinstance(one, Result) for one in rows):
        raise ConfigError("compare takes a list of results, such as wb.compare([first, second])")
    numeric = [name for name, about in metrics.METRICS.items() if about.unit != "time"]
    table: dict[str, dict[str, Any]] = {}
    for one in rows:
        table[_free(table, f"{one.name} on {_series(one)}")] = {name: one.metrics[name] for name in numeric}
    for one in rows:
        table.setdefault(f"buy and hold {_series(one)}", holding_metrics(one))
    return pd.DataFrame.from_dict(table, orient="index", columns=numeric)


def holding_metrics(result: Result) -> dict[str, float]:
    """Give the metrics of buying a result's instrument at the first open, at its costs, and holding it."""
    held, cash = result.buy_and_hold, result.cash
    returns, periods = metrics.returns_of(held, cash), result.bars.periods_per_year
    total, fall = metrics.total_return(held, cash), metrics.max_drawdown(held, cash)
    growth = metrics.annualised_return(total, result.years)
    return {
        "total_return": total,
        "annualised_return": growth,
        "annualised_volatility": metrics.annualised_volatility(returns, periods),
        "sharpe_ratio": metrics.sharpe_ratio(returns, periods),
        "sortino_ratio": metrics.sortino_ratio(returns, periods),
        "calmar_ratio": metrics.calmar_ratio(growth, fall.depth),
        "max_drawdown": fall.depth,
        "exposure": 1.0,
        "trades": 0,
    }


def cost_sensitivity(result: Result, factors: Sequence[float] = (0.0, 1.0, 2.0, 3.0)) -> pd.DataFrame:
    """Run a backtest again with its fees and slippage multiplied.

    Parameters
    ----------
    result : Result
    factors : sequence of float, default (0, 1, 2, 3)
        None is negative. Zero is trading for nothing, one is the result itself.

    Returns
    -------
    pandas.DataFrame
        One row a factor: `fee` (fraction), `slippage_bps`, and the metrics that costs bear on.

    Raises
    ------
    ConfigError
        A factor is negative, or makes the costs absurd.
    """
    import pandas as pd

    from workbench.backtest.run import backtest

    if any(not factor >= 0 for factor in factors):
        raise ConfigError(f"factors = {tuple(factors)!r}: multiply costs by zero or more")
    rows: dict[float, dict[str, Any]] = {}
    for factor in factors:
        costs = result.costs.scaled(factor)
        told = backtest(result.strategy, result.bars, cash=result.cash, costs=costs, fill=result.fill).metrics
        rows[factor] = {"fee": costs.fee, "slippage_bps": costs.slippage_bps} | {
            name: told[name] for name in _SENSITIVE
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("costs times")


def _series(result: Result) -> str:
    return f"{result.bars.symbol} {result.bars.timeframe}"


def _free(taken: Mapping[str, object], label: str) -> str:
    """Give a label that is not taken: the same strategy may stand twice, at other costs."""
    number = 2
    free = label
    while free in taken:
        free, number = f"{label} ({number})", number + 1
    return free
